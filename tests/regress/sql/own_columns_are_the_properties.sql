-- Without a column of properties the row's own columns are the properties of its event. What they contain is what
-- PostgreSQL's own @> says of a document with each column as a key: numbers, booleans and json as such, anything else by
-- its text form, and no key for NULL.
set timezone = 'UTC';
create table users (id bigint primary key);
insert into users select generate_series(1, 9);
select from goals.track_users('users');
select from goals.create_message('m');
create type size as enum ('small', 'large');
create type pair as (a int, b text);
create domain amount as numeric check (value >= 0);
create domain data as jsonb;
create table happened (gone text, id bigint generated always as identity primary key, user_id bigint, "Name" text,
    i2 smallint, i4 int, i8 bigint, f4 real, f8 double precision, n numeric, dom amount, cash money, o oid, b boolean,
    t text, vc varchar(20), c char(8), nm name, e size, u uuid, d date, ts timestamp, tz timestamptz, tod time, todz timetz,
    j json, jb jsonb, jd data, ta text[], ia int[], by bytea, r int4range, p pair, net inet, x bit(3), twice int generated always as (i4 * 2) stored);
alter table happened drop column gone;
select from goals.track_events('happened', user_key => 'user_id', event => 'Name');

-- What the application's row is as a document. (Money and oid are numbers for pg_goals, and here; times have the zone
-- in full.)
create function document(h happened) returns jsonb language sql stable as $$
select coalesce(jsonb_object_agg(key, value), '{}') from (
    select key, case key when 'cash' then to_jsonb(h.cash::numeric) when 'o' then to_jsonb(h.o::bigint) when 'c' then to_jsonb(h.c::text)
                         when 'ta' then to_jsonb(h.ta::text) when 'ia' then to_jsonb(h.ia::text) when 'p' then to_jsonb(h.p::text) when 'todz' then to_jsonb(h.todz::text || ':00')
                         when 'j' then h.j::jsonb else value end as value
    from jsonb_each(to_jsonb(h) - 'j')
    union all select 'j', h.j::jsonb) s
where case key when 'jb' then h.jb is not null when 'jd' then h.jd is not null when 'j' then h.j is not null else value <> 'null' end $$;

insert into happened (user_id, "Name", i2, i4, i8, f4, f8, n, dom, cash, o, b, t, vc, c, nm, e, u, d, ts, tz, tod, todz, j, jb, jd, ta, ia, by, r, p, net, x) values
(1, 'e', 1, 2, 9223372036854775807, 0.1, 0.1, 1.50, 2.0, 3.25, 17, true, 'pro', 'pro', 'pro', 'pro', 'large', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
    '2026-11-30', '2026-11-30 12:00:00.5', '2026-11-30 12:00+02', '12:00', '12:00+02', '{"a": 1, "a": 2, "k": [1, {"z": null}]}',
    '{"a": 1.0, "k": ["x", {"z": null, "y": [1, 2, [3]]}], "s": "17", "t": true}', '{"plan": "pro"}', '{pro,"a b"}', '{1,2}', '\xDEADBEEF', '[1,5)', '(1,"x y")', '10.0.0.1', '101'),
(2, 'e', -1, 0, -1, 'NaN', 'Infinity', 'NaN', 0, -0.5, 0, false, '', '', '', '', 'small', '00000000-0000-0000-0000-000000000000',
    '0044-03-15 BC', '-infinity', 'infinity', '24:00', '00:00+14', 'null', 'null', '[]', '{}', '{NULL}', '', 'empty', '(,)', '::1/64', '000'),
(3, 'e', 0, 1073741823, 0, 1e-10, 1e30, 1e-20, 10.000, 0, 4294967295, null, '17', '1.50', 'true', 'null', null, null, null, null, null, null, null,
    '"text"', '17', '"pro"', '{{a,b},{c,d}}', null, null, '(,)', null, null, null),
(4, 'e', null, null, null, 16777216, 9007199254740993, 123456789012345678901234567890.12345, null, null, null, null, E'a "b" \\ \t ü', E'ü\n', 'ä', null, null, null,
    '9999-12-31', '2026-11-30', '0001-01-01 00:00 BC', '00:00:00.000001', null, '[1, "a", null]', '[1, "a", null, [2]]', 'false', null, null, null, null, null, null, null),
(5, 'e', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
    null, null, null, null, null, null, null, null, null, null);
-- A json text that no jsonb can hold has no value as a property. Nothing raises.
insert into happened (user_id, "Name", j, t) values (6, 'e', '{"a": "\u0000"}', 'pro');

-- What goals may ask: all that is in the documents, one key at a time and in pairs; values of every kind under every key;
-- what is similar and is not contained.
create table asked (id int generated always as identity, wanted jsonb);
insert into asked (wanted) select distinct jsonb_build_object(key, value) from happened h, jsonb_each(document(h)) where user_id < 6;
insert into asked (wanted)
select distinct jsonb_build_object(column_name, value)
from (select attname::text as column_name from pg_attribute where attrelid = 'happened'::regclass and attnum > 0 and not attisdropped union select 'nothing') c,
     (values ('null'::jsonb), ('true'), ('false'), ('0'), ('1'), ('1.0'), ('"1"'), ('2'), ('17'), ('"17"'), ('"pro"'), ('"pro     "'), ('"PRO"'), ('""'), ('"true"'), ('"null"'),
             ('{}'), ('[]'), ('{"a": 1}'), ('{"a": 2}'), ('{"a": "1"}'), ('{"k": []}'), ('{"k": ["x"]}'), ('{"k": "x"}'), ('{"k": [{"z": null}]}'), ('{"k": [{"y": [[3], 1]}]}'),
             ('{"k": [{"y": [4]}]}'), ('[1]'), ('["a", 1]'), ('[null]'), ('[2]'), ('[[2]]'), ('[[]]'), ('{"plan": "pro"}'), ('{"plan": ["pro"]}'), ('"NaN"'), ('"Infinity"'), ('0.1'),
             ('1.5'), ('"1.50"'), ('"2026-11-30"'), ('"2026-11-30T00:00:00"'), ('"{pro,\"a b\"}"'), ('["pro"]'), ('"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"')) v (value);
insert into asked (wanted) select a.wanted || b.wanted from asked a join asked b on b.id = a.id * 7 % 500 where a.id % 9 = 0;
insert into asked (wanted) values ('{}'), ('[]'), ('[1]'), ('"t"'), ('1'), ('null'), ('{"id": 1}'), ('{"Name": "e"}'), ('{"name": "e"}'), ('{"jb.a": 1}'), ('{"twice": 4}');
select count(*) > 1200 as many from asked;
-- (Set one by one they would take minutes.)
create function ask_all(text) returns void language sql as $$
insert into goals.goal (message_id, name, version, event, times, properties, time_limit_us, after)
select m.message_id, a.id::text, 1, 'e', 1, a.wanted, 86400000000, 'sent' from asked a, goals.message m where m.name = $1;
insert into goals.revision (message_id, goal_ids)
select g.message_id, array_agg(g.goal_id) from goals.goal g join goals.message m using (message_id) where m.name = $1 group by 1 $$;
select from ask_all('m');
select from goals.set_goal('m', event => 'nothing', time_limit => '1 day', goal => 'nothing');
select goals.record_sent('m', array(select id::text from users));

-- The same rows again. Each goal is a question that PostgreSQL answers too.
insert into happened (user_id, "Name", i2, i4, i8, f4, f8, n, dom, cash, o, b, t, vc, c, nm, e, u, d, ts, tz, tod, todz, j, jb, jd, ta, ia, by, r, p, net, x)
select user_id, "Name", i2, i4, i8, f4, f8, n, dom, cash, o, b, t, vc, c, nm, e, u, d, ts, tz, tod, todz, j, jb, jd, ta, ia, by, r, p, net, x from happened;
create table answer as
select h.user_id, a.wanted, document(h) @> a.wanted as by_postgresql, m.goal is not null as by_pg_goals
from (select * from happened where id > 6 and user_id < 6) h cross join asked a
left join goals.matches('m') m on m.user_key = h.user_id::text and m.goal = a.id::text;
select user_id, count(*) filter (where by_postgresql) >= 3 as some, count(*) filter (where by_postgresql = by_pg_goals) = count(*) as as_postgresql_says from answer group by 1 order by 1;
select * from answer where by_postgresql <> by_pg_goals order by 1, 2 limit 20;
select a.wanted from goals.matches('m') m join asked a on a.id::text = m.goal where m.user_key = '6' and (a.wanted ? 'j' or a.wanted = '{"t": "pro"}') order by 1;
-- A session's settings change no text form.
create table again as select user_key, goal from goals.matches('m');
select from goals.create_message('m2');
select from ask_all('m2');
select from goals.set_goal('m2', event => 'nothing', time_limit => '1 day', goal => 'nothing');
select goals.record_sent('m2', array(select id::text from users));
set timezone = 'America/New_York'; set datestyle = 'German'; set extra_float_digits = -5; set bytea_output = 'escape';
insert into happened (user_id, "Name", i2, i4, i8, f4, f8, n, dom, cash, o, b, t, vc, c, nm, e, u, d, ts, tz, tod, todz, j, jb, jd, ta, ia, by, r, p, net, x)
select user_id, "Name", i2, i4, i8, f4, f8, n, dom, cash, o, b, t, vc, c, nm, e, u, d, ts, tz, tod, todz, j, jb, jd, ta, ia, by, r, p, net, x from happened where id > 6;
select count(*) from (table again except select user_key, goal from goals.matches('m2')) x;
select count(*) from (select user_key, goal from goals.matches('m2') except table again) x;
reset timezone; reset datestyle; reset extra_float_digits; reset bytea_output;

-- The worth is a column, or what is at keys inside one: any number, also in a text; nothing else.
select from goals.create_message('worth');
do $$ declare c text; begin
    foreach c in array array['i2', 'i8', 'f4', 'f8', 'n', 'dom', 'cash', 'o', 'b', 't', 'vc', 'd', 'e', 'j', 'j.a', 'jb', 'jb.a', 'jb.s', 'jb.k', 'jb.nothing', 'jd.plan', 'ta', 'nothing', 'twice', 'user_id'] loop
        perform goals.set_goal('worth', event => 'e', value_from => c, time_limit => '1 day', goal => c);
    end loop;
end $$;
select goals.record_sent('worth', array['1', '3']);
insert into happened (user_id, "Name", i2, i4, i8, f4, f8, n, dom, cash, o, b, t, vc, c, nm, e, u, d, ts, tz, tod, todz, j, jb, jd, ta, ia, by, r, p, net, x)
select user_id, "Name", i2, i4, i8, f4, f8, n, dom, cash, o, b, t, vc, c, nm, e, u, d, ts, tz, tod, todz, j, jb, jd, ta, ia, by, r, p, net, x from happened where id in (1, 3);
select user_key, goal, worth, new_value from goals.matches('worth') where worth is not null or new_value is not null order by 1, goal collate "C";
select count(*) from goals.matches('worth');

-- Columns that change while the table is tracked; partitions with their columns in another order
select from goals.create_message('later');
select from goals.set_goal('later', event => 'bought', properties => '{"plan": "pro", "seats": 5}', time_limit => '1 day', value_from => 'price');
create table buys (part int, user_id bigint, price int, plan text) partition by list (part);
create table buys_1 partition of buys for values in (1);
create table buys_2 (plan text, price int, part int, user_id bigint);
alter table buys attach partition buys_2 for values in (2);
select from goals.track_events('buys', user_key => 'user_id', named => 'bought');
select goals.record_sent('later', array(select id::text from users));
insert into buys values (1, 1, 10, 'pro'), (2, 2, 20, 'pro');
alter table buys add column seats smallint default 5;
insert into buys values (1, 3, 30, 'pro'), (2, 4, 40, 'pro'), (2, 5, 50, 'free');
alter table buys alter column seats type text, alter column price type text;
insert into buys values (1, 6, '60', 'pro'), (2, 6, '61', 'pro');
alter table buys alter column seats type numeric using seats::numeric;
insert into buys values (1, 7, '70', 'pro', 5.0), (2, 8, 'free', 'pro', 5), (2, 9, '90', 'pro', 4);
alter table buys rename column seats to places;
insert into buys values (1, 9, '90', 'pro', 5);
select user_key, worth, new_value from goals.matches('later') order by 1;

-- A table with a column of properties has no others, also where that is NULL; nor has an event that is reported.
create table noted (user_id bigint, what text, plan text, properties jsonb);
select from goals.track_events('noted', 'user_id', 'what', properties => 'properties');
select from goals.create_message('n');
select from goals.set_goal('n', event => 'noted', properties => '{"plan": "pro"}', time_limit => '1 day');
select from goals.set_goal('n', event => 'noted', properties => '{}', time_limit => '1 day', goal => 'any');
select goals.record_sent('n', array['1', '2', '3', '4']);
insert into noted values (1, 'noted', 'pro', '{"plan": "pro"}'), (2, 'noted', 'pro', '{"plan": "free"}'), (3, 'noted', 'pro', null);
select from goals.record_event('4', 'noted', users => 'users');
select user_key, goal from goals.matches('n') order by 1, 2;

-- Who sets a goal must be able to read what it asks for.
create role regress_goals_own;
grant usage on schema public to regress_goals_own;
grant usage on schema goals to regress_goals_own;
grant execute on all functions in schema goals to regress_goals_own;
grant select on users to regress_goals_own;
grant select (user_id, price) on buys to regress_goals_own;
grant select ("Name") on happened to regress_goals_own;
grant select (what, properties) on noted to regress_goals_own;
set role regress_goals_own;
select from goals.set_goal('n', event => 'bought', time_limit => '1 day', value_from => 'price', goal => 'may');
select from goals.set_goal('n', event => 'bought', time_limit => '1 day', properties => '{"plan": "pro"}', goal => 'may not');
select from goals.set_goal('n', event => 'bought', time_limit => '1 day', value_from => 'plan', goal => 'may not');
reset role;
drop owned by regress_goals_own;
drop role regress_goals_own;
