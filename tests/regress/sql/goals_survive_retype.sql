-- A change of a column's type that keeps the kind keeps the goals on it, also for receipts that are running.
create extension citext;
create type mood as enum ('ok', 'happy');
create type feeling as enum ('ok', 'happy');
create domain amount as numeric;
create domain short as varchar(20);
create table users (
    id bigint primary key, small smallint, whole int, big bigint, num numeric, ratio real, spent amount, cash money,
    plan varchar(20), code char(4), label name, mood mood, mood2 mood, nick short, ref uuid, net inet,
    texted text, listed text,
    seen timestamp, born date, at_time time, custom json, doc jsonb,
    ids int[], tags varchar(9)[], moods mood[], days date[], flag boolean, fraction real, big_doc json
);
insert into users
    select n, 1, 1, 1, 1, 1, 1, 1, 'free', 'f', 'free', 'ok', 'ok', 'free', '00000000-0000-0000-0000-000000000000',
           '10.0.0.1', '10.0.0.1', 'ok', null, null, null, '{"plan": "free"}', '{"n": 1}', '{1}', '{free}', '{ok}',
           '{2026-01-01}', false, 0.5, '{"n": "1"}'
    from generate_series(1, 5) n;
select from goals.track_users('users');
select from goals.create_message('m');
create table goal_of (attribute text, operator text, value text, retype text, new text);
insert into goal_of values
    ('small', 'is increased', null, 'type int', '2'),
    ('whole', 'is increased by', '5', 'type bigint', '6'),
    ('big', 'at least', '2', 'type numeric', '2'),
    ('num', 'is', '2.50', 'type double precision', '2.5'),
    ('ratio', 'is any of', '{0.1,0.2}', 'type double precision', '0.1'),
    ('fraction', 'is decreased', null, 'type double precision', '0.25'),
    ('spent', 'greater than', '1.5', 'type numeric', '1.6'),
    ('cash', 'is', '2.00', 'type numeric using cash::numeric', '2'),
    ('plan', 'is', 'pro', 'type text', 'pro'),
    ('code', 'is', 'p', 'type text', 'p'),
    ('label', 'starts with', 'p', 'type varchar(30)', 'pro'),
    ('mood', 'is', 'happy', 'type text', 'happy'),
    ('mood2', 'is any of', '{happy}', 'type feeling using mood2::text::feeling', 'happy'),
    ('nick', 'contains', 'P', 'type varchar(20)', 'pro'),
    ('ref', 'is', 'A0EEBC999C0B4EF8BB6D6BB9BD380A11', 'type text', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
    ('net', 'is', '10.0.0.2/32', 'type text using host(net)', '10.0.0.2'),
    -- the value is stored as text, and read by the new type
    ('texted', 'is', '10.0.0.2/32', 'type inet using texted::inet', '10.0.0.2'),
    ('listed', 'is any of', '{"happy  "}', 'type char(9)', 'happy'),
    ('seen', 'has any value', null, 'type timestamptz', '2026-01-01'),
    ('born', 'has any value', null, 'type timestamp', '2026-01-01'),
    ('at_time', 'has any value', null, 'type timetz', '12:00'),
    ('custom.plan', 'is', 'pro', 'type jsonb', '{"plan": "pro"}'),
    ('doc.n', 'at least', '2', 'type json', '{"n": 2}'),
    ('big_doc.n', 'is increased by', '2', 'type jsonb', '{"n": "3"}'),
    ('ids', 'contains', '2', 'type bigint[]', '{2}'),
    ('tags', 'contains', 'pro', 'type text[]', '{pro}'),
    ('moods', 'contains', 'happy', 'type text[]', '{happy}'),
    ('days', 'contains', '2026-02-01', 'type timestamp[]', '{2026-02-01}');
select count(goals.set_goal('m', attribute, operator, value, '1 day', goal => attribute)) from goal_of;
select goals.record_sent('m', array['1', '2']);
select format('alter table users %s',
              string_agg(format('alter %I %s', split_part(attribute, '.', 1), retype), ', ')) as retype,
       format('update users set %s', string_agg(format('%I = %L', split_part(attribute, '.', 1), new), ', ')) as change
from goal_of \gset
:change where id = 1;
select count(distinct goal) from goals.matches('m') where user_key = '1';
:retype;
select goal, verdict from goals.explain('m', 2) where verdict <> 'still running';
select * from goals.health();
:change where id = 2;
select attribute, operator, retype from goal_of where not exists (select from goals.matches('m', attribute)
    where user_key = '2');
-- What is sent now is judged by the same versions, and what held then holds.
select goals.record_sent('m', array['2', '3']);
select count(*) from goals.explain('m', 2) where receipt_id = 3 and verdict = 'already matched when sent';
:change where id = 3;
select count(distinct goal) from goals.matches('m') where user_key = '3';
select max(version) from goals.goal;

-- A change that is not to the type, but of it
alter table users alter plan type varchar(40), alter spent type numeric(10, 2), alter mood type short;
alter type feeling rename to sentiment;
select * from goals.health();
-- Back: a column has the type that it has.
alter table users alter small type smallint, alter plan type varchar(20);
update users set small = 1, plan = 'free' where id = 4;
select goals.record_sent('m', array['4']);
update users set small = 2, plan = 'pro' where id = 4;
select goal from goals.matches('m') where user_key = '4' and goal in ('small', 'plan') order by goal;

-- Another kind is another column: text that ignores case, text that was a number, a document, a list, a moment.
select from goals.create_message('other');
create table other_kind (attribute text, operator text, value text, retype text);
insert into other_kind values
    ('plan', 'is', 'pro', 'type citext'),
    ('small', 'is', '5', 'type text'),
    ('nick', 'is', 'pro', 'type jsonb using to_jsonb(nick)'),
    ('flag', 'is', 'true', 'type text'),
    ('label', 'is', 'pro', 'type text[] using array[label]'),
    ('whole', 'is increased', null, 'type timestamp using timestamp ''2026-01-01'''),
    ('ids', 'contains', '5', 'type text[]'),
    -- a moment of a list, which every session would read in a time zone of its own
    ('days', 'contains', '2026-02-01', 'type timestamptz[]'),
    -- a value that the new type does not have
    ('listed', 'is', 'nowhere', 'type inet using null'),
    ('mood', 'is', 'glad', 'type feeling_2 using null');
create type feeling_2 as enum ('sad');
select count(goals.set_goal('other', attribute, operator, value, '1 day', goal => attribute)) from other_kind;
select goals.record_sent('other', array['5']);
select format('alter table users %s', string_agg(format('alter %I %s', attribute, retype), ', ')) as retype
    from other_kind \gset
:retype;
select goal, verdict from goals.explain('other', 5) order by goal;
select object, detail from goals.health() where object like 'other%' order by object;

-- A message's column of worth, which becomes text, and then something that is no number.
select from goals.create_message('rich');
select from goals.set_goal('rich', 'flag', 'is changed', time_limit => '1 day', value_from => 'spent');
select goals.record_sent('rich', array['1', '2']);
alter table users alter spent type text;
update users set flag = 'x', spent = '11.5' where id = 1;
select user_key, worth from goals.matches('rich');
select object, detail from goals.health() where object like 'rich%';
alter table users alter spent type date using null;
select object, detail from goals.health() where object like 'rich%';
-- Its matches have no worth, but it is not broken.
select verdict from goals.explain('rich', 2);
update users set flag = 'y' where id = 2;
select user_key, worth from goals.matches('rich') order by user_key;

-- A gain goes by the value that the change of type has made of the one at the time of sending.
create table weights (id bigint primary key, r real default 0.7, r2 real default 0.1234567,
    f double precision default 0.1::float8 + 0.2::float8);
insert into weights values (1), (2);
select from goals.track_users('weights');
select from goals.create_message('gain', users => 'weights');
select count(goals.set_goal('gain', c, 'is increased by', '0.1', '1 day', goal => c))
    from unnest(array['r', 'r2', 'f']) c;
select goals.record_sent('gain', array['1', '2']);
alter table weights alter r type double precision, alter r2 type numeric, alter f type numeric;
update weights set r = r + 0.1, r2 = r2 + 0.1, f = f + 0.1 where id = 1;
update weights set r = r + 0.09, r2 = r2 + 0.09, f = f + 0.09 where id = 2;
select user_key, goal, old_value, new_value from goals.matches('gain') order by goal, user_key;
select * from goals.verify();

-- A label that is added later repairs the goal at once, in sessions that had met the column without it.
create type tier as enum ('x', 'vip');
create table labelled (id bigint primary key, t text default 'x', n int default 0);
insert into labelled values (1);
select from goals.track_users('labelled');
select from goals.create_message('label', users => 'labelled');
select from goals.set_goal('label', attribute => 't', operator => 'is', value => 'pro', time_limit => '3 days');
select from goals.record_sent('label', 1);
alter table labelled alter t drop default, alter t type tier using t::tier;
update labelled set n = 1;
alter type tier add value 'pro';
update labelled set t = 'pro';
select verdict from goals.explain('label', 1);
