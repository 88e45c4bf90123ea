-- Every operator on every kind of column. A line a change: which goals it matched, and which held already at the sending.
create table users (
    id bigint generated always as identity primary key,
    gone int, t text, v varchar(40), c char(6), u uuid, n int, big bigint, d numeric, f double precision, r real, m money, b boolean,
    day date, at timestamptz, span interval, ts text[], ns int[], ds date[], us uuid[], rs real[], net inet, bytes bytea
);
create type mood as enum ('sad', 'ok', 'happy');
create domain percentage as numeric check (value between 0 and 100);
alter table users drop column gone, add e mood, add es mood[], add p percentage;
select from goals.track_users('users');

-- changed('plan', changes, goals): a user a change, one message with all the goals
create function changed(attribute text, changes jsonb, goal_list jsonb)
returns table (change text, matched text, "held already" text) language plpgsql as $$
declare one jsonb; user_id bigint;
begin
    perform goals.create_message(attribute);
    for one in select * from jsonb_array_elements(goal_list) loop
        perform goals.set_goal(attribute, attribute, one->>0, one->>1, '1 day', goal => concat_ws(' ', one->>0, one->>1));
    end loop;
    for one in select * from jsonb_array_elements(changes) loop
        execute format('insert into users (%I) values (%L) returning id', attribute, one->>0) into user_id;
        perform goals.record_sent(attribute, user_id);
        execute format('update users set %I = %L where id = %s', attribute, one->>1, user_id);
        change := format('%s → %s', coalesce(one->>0, 'NULL'), coalesce(one->>1, 'NULL'));
        select string_agg(x.goal, ', ' order by x.n) filter (where x.verdict = 'matched'),
               string_agg(x.goal, ', ' order by x.n) filter (where x.verdict like 'already%')
        into matched, "held already"
        from (select e.*, row_number() over () as n
              from jsonb_array_elements(goal_list) with ordinality as l (g, i)
              join goals.explain(attribute, user_id) e on e.goal = concat_ws(' ', l.g->>0, l.g->>1)) x;
        return next;
    end loop;
end $$;
\pset null '-'

-- Text. is and is not tell case apart; the others do not.
select * from changed('t',
    '[["free", "pro"], ["free", "Pro"], ["free", "the PROFESSIONAL one"], ["free", "A-PRO"], ["free", ""], ["pro", "free"],
      [null, "pro"], [null, "x"], ["pro", null], ["", null], ["pro", "pro"], ["pro", "pro "], ["x", "GROẞ ÉTÉ"]]',
    '[["is", "pro"], ["is not", "pro"], ["is any of", "{pro,team}"], ["contains", "pro"], ["does not contain", "pro"],
      ["starts with", "pro"], ["ends with", "pro"], ["ends with", "été"], ["has any value"], ["is unknown"], ["is changed"]]');
select * from changed('v', '[["free", "pro"], ["free", "pro "]]', '[["is", "pro"], ["is not", "pro"], ["ends with", "PRO"]]');
-- char(n) ignores the blanks at its end.
select * from changed('c', '[["free", "pro"], ["pro", "pro  "], ["free", "a pro"]]',
    '[["is", "pro   "], ["is not", "pro"], ["is any of", "{pro,x}"], ["ends with", "PRO"], ["is changed"]]');
select * from changed('e', '[["sad", "happy"], [null, "ok"], ["ok", null]]',
    '[["is", "happy"], ["is not", "happy"], ["is any of", "{ok,happy}"], ["contains", "APP"], ["has any value"], ["is unknown"], ["is changed"]]');
select * from changed('u', '[[null, "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"], ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "{b0eebc999c0b4ef8bb6d6bb9bd380a11}"]]',
    '[["is", "{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"], ["is any of", "{B0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}"], ["starts with", "A0EE"], ["is changed"]]');
-- Types without a kind of their own are compared as text, as the type writes it.
select * from changed('net', '[["10.0.0.1", "10.0.0.2/32"], ["10.0.0.2", "10.0.0.2/32"], ["10.0.0.2", "10.0.0.0/8"]]',
    '[["is", "10.0.0.2/32"], ["is not", "10.0.0.1/32"], ["starts with", "10.0.0"], ["is changed"]]');
select * from changed('bytes', '[["\\x00", "\\x00ff"]]', '[["is", "\\x00FF"], ["is changed"]]');

-- Numbers
select * from changed('n', '[[4, 5], [5, 4], [5, 6], [4, 6], [null, 5], [null, 0], [null, -1], [5, null], [5, 5]]',
    '[["is", "5"], ["is not", "5"], ["is any of", "{5,7}"], ["greater than", "5"], ["less than", "5"], ["at least", "5"], ["at most", "5"],
      ["greater than", "4.5"], ["is increased"], ["is decreased"], ["is increased by", "2"], ["has any value"], ["is unknown"], ["is changed"]]');
select * from changed('big', '[["-9223372036854775808", "9223372036854775807"], ["9223372036854775807", "-9223372036854775808"]]',
    '[["is increased"], ["is decreased"], ["is increased by", "18446744073709551615"], ["is", "9223372036854775807"]]');
select * from changed('d', '[["1.0", "1.00"], ["1", "1.5"], ["NaN", "1"], ["1", "NaN"], ["NaN", "NaN"], ["1", "Infinity"], ["Infinity", "-Infinity"], ["0.1", "0.3"]]',
    '[["is", "1.50"], ["is not", "1"], ["greater than", "1"], ["less than", "1"], ["at least", "1"], ["at most", "1"], ["is increased"],
      ["is decreased"], ["is increased by", "0.2"], ["has any value"], ["is changed"]]');
select * from changed('f', '[["0", "-0"], ["1", "NaN"], ["NaN", "1"], ["NaN", "NaN"], ["1", "Infinity"], ["-1e308", "1e308"], ["0.1", "0.3"]]',
    '[["is", "NaN"], ["is", "0.3"], ["greater than", "0"], ["less than", "2"], ["at least", "0.3"], ["is increased"], ["is decreased"], ["is increased by", "0.2"], ["is changed"]]');
select * from changed('r', '[["0", "0.1"]]', '[["is", "0.1"], ["at most", "0.1"], ["greater than", "0.1"]]');
-- -0 is 0, as a value and where it is asked for.
alter table users add column f0 double precision, add column r0 real;
select a.attribute, c.* from (values ('f0'), ('r0')) a (attribute), changed(a.attribute, '[["1", "-0"], ["-0", "1"], ["-1", "-0"], ["-0", "0"]]',
    '[["is", "0"], ["is", "-0"], ["is not", "0"], ["is any of", "{0,7}"], ["greater than", "-0"], ["less than", "0"], ["at least", "0"], ["at most", "-0"], ["is increased"], ["is changed"]]') c;
select * from changed('m', '[["1", "12.50"]]', '[["is", "12.5"], ["greater than", "12.49"], ["is increased by", "11.5"]]');
select * from changed('p', '[["1", "12.50"]]', '[["is", "12.5"], ["is increased by", "200"]]');

select * from changed('b', '[[false, true], [true, false], [null, true], [null, false], [true, null], [true, true]]',
    '[["is", "true"], ["is", "off"], ["is not", "yes"], ["has any value"], ["is unknown"], ["is changed"]]');

-- Date and time
select * from changed('day', '[[null, "2024-02-29"], ["2024-02-29", "2024-03-01"], ["2024-02-29", null], [null, "infinity"]]', '[["has any value"]]');
select * from changed('at', '[[null, "2024-02-29 12:00+00"], [null, "-infinity"]]', '[["has any value"]]');
select * from changed('span', '[[null, "1 day"], ["1 day", "24 hours"]]', '[["has any value"]]');

-- Lists. An element is contained or not, case included; no element is a list with no value in it, and known.
select * from changed('ts', '[["{a}", "{a,pro}"], ["{pro}", "{a}"], ["{a}", "{Pro,professional}"], [null, "{}"], ["{}", "{NULL}"], ["{pro}", null], ["{a,b}", "{b,a}"], ["{a}", "{a}"], ["{a,b}", "[5:6]={a,b}"], ["{a}", "{{a,b},{c,pro}}"]]',
    '[["contains", "pro"], ["does not contain", "pro"], ["has any value"], ["is unknown"], ["is changed"]]');
select * from changed('ns', '[["{1}", "{1,2}"], ["{2}", "{1}"], [null, "{NULL}"]]', '[["contains", "2"], ["does not contain", "2"]]');
select * from changed('es', '[["{sad}", "{sad,happy}"], ["{happy}", "{happy}"]]', '[["contains", "happy"], ["is changed"]]');
select * from changed('ds', '[["{2024-02-28}", "{2024-02-28,2024-02-29}"]]', '[["contains", "2024-02-29"], ["does not contain", "2024-02-29"]]');
select * from changed('us', '[["{}", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"]]', '[["contains", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"]]');
select * from changed('rs', '[["{}", "{0.1}"]]', '[["contains", "0.1"]]');
-- Whatever the session's settings: equal intervals are equal, an instant is the same in every zone, and bytes and ranges are
-- compared as they are and not as they are shown.
create type visit as (at timestamptz, length double precision);
create table settings (id bigint primary key, spans interval[], instants timestamptz[], bytes bytea, span tstzrange, visit visit, place point, rel regclass);
select goals.track_users('settings');
insert into settings (id) select generate_series(1, 4);
select from goals.create_message('settings', users => 'settings');
begin;
set local timezone = 'Asia/Tokyo';
set local intervalstyle = 'sql_standard';
set local datestyle = 'German';
set local bytea_output = 'escape';
set local extra_float_digits = 0;
select count(goals.set_goal('settings', a, o, v, '1 day', goal => a))
from (values ('spans', 'contains', '24 hours'), ('instants', 'contains', '2024-02-29 12:00+00'), ('bytes', 'is', '\x00ff'),
    ('span', 'is', '[2024-02-29 12:00+00,2024-03-01 12:00+00)'), ('visit', 'is', '("2024-02-29 12:00+00",0.30000000000000004)'),
    ('place', 'is', '(0.30000000000000004,1)'), ('rel', 'is', 'settings')) x (a, o, v);
commit;
select from goals.record_sent('settings', array['1', '2']);
set timezone = 'America/New_York';
update settings set spans = '{1 day}', instants = '{2024-02-29 13:00+01}', bytes = '\x00ff', span = '[2024-02-29 12:00+00,2024-03-01 12:00+00)',
    visit = '("2024-02-29 13:00+01",0.30000000000000004)', place = '(0.30000000000000004,1)', rel = 'settings' where id = 1;
set intervalstyle = 'iso_8601';
set datestyle = 'SQL, DMY';
set bytea_output = 'escape';
set extra_float_digits = -5;
set search_path = pg_catalog;
update public.settings set spans = '{1 day}', instants = '{2024-02-29 13:00+01}', bytes = '\x00ff', span = '[2024-02-29 12:00+00,2024-03-01 12:00+00)',
    visit = '("2024-02-29 13:00+01",0.30000000000000004)', place = '(0.30000000000000004,1)', rel = 'public.settings' where id = 2;
reset search_path; reset timezone; reset intervalstyle; reset datestyle; reset bytea_output; reset extra_float_digits;
select user_key, goal, new_value from goals.matches('settings') order by goal, user_key;
select name, value from goals.goal where value is not null and name in ('spans', 'instants', 'bytes', 'span', 'visit', 'place', 'rel') order by name;

-- Operators are accepted with spaces or underscores, in any case.
select from goals.create_message('spelling', users => 'users');
select count(goals.set_goal('spelling', 't', o, v, '1 day', goal => o))
from (values ('IS', 'a'), ('Is_Not', 'a'), ('is any_of', '{a}'), ('has_any_value', null), ('DOES NOT_CONTAIN', 'a')) as x (o, v);
