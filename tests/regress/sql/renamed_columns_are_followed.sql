-- A column that is renamed keeps its goals: it is known by its number. A name that exists always wins.
create table users (id bigint primary key, gone int, plan text, visits int, spent numeric default 0, custom jsonb,
    "a.b" text);
alter table users drop gone;
insert into users (id) select generate_series(1, 12);
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', goal => 'plan', value_from => 'spent');
select from goals.set_goal('m', 'visits', 'is increased by', '2', '1 day', goal => 'visits');
select from goals.set_goal('m', 'custom.size', 'at least', '5', '1 day', goal => 'size');
select from goals.set_goal('m', 'a.b', 'is', 'x', '1 day', goal => 'odd');
select name, number, type_oid::regtype from goals.column_note order by number;
select goals.record_sent('m', array(select id::text from users));
alter table users rename plan to tier;
alter table users rename visits to "Visits";
alter table users rename spent to "how much";
alter table users rename custom to "more ""of it""";
alter table users rename "a.b" to c;
select * from goals.health();
select distinct verdict from goals.explain('m', 1);
update users set tier = 'pro', "Visits" = 2, "how much" = 9.5, "more ""of it""" = '{"size": 5}', c = 'x' where id = 1;
select goal, attribute, old_value, new_value, worth from goals.matches('m') where user_key = '1' order by goal;
-- What is sent afterwards too
select goals.record_sent('m', array['1']);
select goal, verdict from goals.explain('m', 1) where receipt_id > 12 order by goal;

-- Renamed and retyped in one go
alter table users rename tier to level;
alter table users alter level type varchar(20);
update users set level = 'pro' where id = 2;
select goal, attribute from goals.matches('m') where user_key = '2';

-- The name is taken by another column: that one it is.
alter table users add plan text;
update users set plan = 'pro' where id = 3;
update users set level = 'pro' where id = 4;
select user_key, goal from goals.matches('m') where user_key in ('3', '4');
-- Of another kind, it breaks the goal all the same.
alter table users alter plan type int using null;
select object, detail from goals.health();
update users set level = 'pro' where id = 5;
select user_key, goal from goals.matches('m') where user_key = '5';
-- Gone again
alter table users drop plan;
select object, detail from goals.health();
update users set level = 'pro' where id = 10;
select user_key, goal from goals.matches('m') where user_key = '10';

-- roll_up() notes what a name means now.
alter table users rename level to plan;
alter table users rename plan to old_plan;
alter table users add plan text;
select goals.roll_up() > 0;
select name, number from goals.column_note where name = 'plan';
alter table users rename plan to level;
update users set old_plan = 'pro' where id = 6;
update users set level = 'pro' where id = 7;
select user_key, goal from goals.matches('m') where user_key in ('6', '7');
-- It writes what has changed only, and makes a note that is lost, as in a restored database.
create temp table before as select ctid as place, xmin as writer from goals.column_note;
select goals.roll_up() >= 0;
select count(*) from goals.column_note n join before b on (b.place, b.writer) = (n.ctid, n.xmin);
delete from goals.column_note;
select from goals.stop_goal('m', 'odd');
select goals.record_sent('m', array['8']);
\c -
select object, detail from goals.health() order by object;
select goal, verdict from goals.explain('m', 8) order by receipt_id, goal;
alter table users rename level to plan;
alter table users rename "Visits" to visits;
alter table users rename "how much" to spent;
select goals.roll_up() > 0;
select name, number from goals.column_note order by number;
alter table users rename plan to tier;
update users set tier = 'pro', spent = 3 where id = 8;
select goal, worth from goals.matches('m') where user_key = '8' and goal = 'plan' limit 1;

-- A column that was dropped is not followed.
alter table users drop tier;
select object, detail from goals.health() where object = 'm / plan';
select goal, verdict from goals.explain('m', 9) order by goal;
alter table users add tier text;
select object, detail from goals.health() where object = 'm / plan';

-- Partitions know a column by other numbers than their table.
create table people (id bigint, region text, plan text, doc jsonb, primary key (id, region)) partition by list (region);
create table people_eu partition of people for values in ('eu');
create table people_us (doc jsonb, extra int, plan text, region text not null, id bigint not null);
alter table people_us drop extra;
alter table people attach partition people_us for values in ('us');
insert into people select n, case when n % 2 = 0 then 'eu' else 'us' end from generate_series(1, 6) n;
select from goals.track_users('people', key => 'id');
select from goals.create_message('p', users => 'people');
select from goals.set_goal('p', 'plan', 'is', 'pro', '1 day', goal => 'plan');
select from goals.set_goal('p', 'doc.n', 'is', '1', '1 day', goal => 'doc');
select goals.record_sent('p', array(select id::text from people));
alter table people rename plan to tier;
alter table people rename doc to data;
update people set tier = 'pro', data = '{"n": 1}' where id in (1, 2);
update people set tier = 'pro', data = '{"n": 1}', region = case region when 'eu' then 'us' else 'eu' end
    where id in (3, 4);
select user_key, goal from goals.matches('p') order by user_key, goal;

-- Stopping the goal, or setting another one, ends it.
select from goals.set_goal('p', 'tier', 'is', 'team', '1 day', goal => 'plan');
select name from goals.column_note n join goals.source s using (source_id)
    where s.relation = 'people'::regclass order by name;
select * from goals.verify();

-- A transaction that is rolled back leaves no note.
begin;
select from goals.set_goal('p', 'region', 'is', 'eu', '1 day', goal => 'region');
select count(*) from goals.column_note where name = 'region';
rollback;
select count(*) from goals.column_note where name = 'region';
-- Without the table of notes all but that goes on.
alter table goals.column_note rename to column_note_away;
\c -
update people set tier = 'team' where id = 5;
select from goals.set_goal('p', 'tier', 'is', 'team', '1 day', goal => 'plan');
select goals.record_sent('p', array['6']);
update people set tier = 'team' where id = 6;
select user_key, goal from goals.matches('p') where user_key in ('5', '6');
alter table goals.column_note_away rename to column_note;
