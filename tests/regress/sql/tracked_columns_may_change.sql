-- Dropping, renaming and retyping tracked columns works as before. A goal follows a new name, and a type of the same kind; where it
-- cannot, it is reported as broken.
create table users (id bigint primary key, plan text, visits int, email varchar(20), mood text, note text);
insert into users select n, 'free', 0, 'x', 'ok' from generate_series(1, 9) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', goal => 'plan');
select from goals.set_goal('m', 'visits', 'is increased', time_limit => '1 day', goal => 'visits');
select from goals.set_goal('m', 'email', 'is', 'y', '1 day', goal => 'email');
select from goals.set_goal('m', 'mood', 'is', 'happy', '1 day', goal => 'mood');
select goals.record_sent('m', array(select id::text from users));
update users set plan = 'pro', visits = 1 where id = 1;
select user_key, goal from goals.matches('m') order by user_key, goal;

-- Renamed: followed
alter table users rename plan to tariff;
update users set tariff = 'pro', visits = 1 where id = 2;
select problem, object, detail, hint from goals.health();
alter table users rename tariff to plan;
update users set plan = 'pro' where id = 3;
-- Another column takes the name: same type, so it is the attribute now.
alter table users rename plan to old_plan;
alter table users rename note to plan;
update users set old_plan = 'pro' where id = 4;
update users set plan = 'pro' where id = 5;
select user_key, goal, old_value from goals.matches('m') where user_key in ('2', '3', '4', '5') order by user_key, goal;
select * from goals.health();

-- Retyped within its kind: the goals go on
alter table users alter visits type bigint, alter email type varchar(50);
update users set visits = 9, email = 'y' where id = 6;
select problem, object, detail, hint from goals.health();
select user_key, goal from goals.matches('m') where user_key = '6';
alter table users alter visits type int;
update users set visits = 9 where id = 7;
select user_key, goal from goals.matches('m') where user_key = '7';
create type mood as enum ('ok', 'happy');
alter table users alter mood type mood using mood::mood;
update users set mood = 'happy' where id = 7;
select problem, object from goals.health();
-- A label may be renamed.
select from goals.set_goal('m', 'mood', 'is', 'happy', '1 day', goal => 'mood');
select goals.record_sent('m', array['8']);
alter type mood rename value 'happy' to 'glad';
update users set mood = 'glad' where id = 8;
alter type mood rename value 'glad' to 'happy';
update users set mood = 'ok' where id = 8;
update users set mood = 'happy' where id = 8;
select user_key, goal from goals.matches('m', 'mood');

-- A type is the same type whatever the search_path: of the session that changes a row, and of the one that looks.
\c -
set search_path = pg_catalog;
select goals.record_sent('m', array['9']);
update public.users set mood = 'happy' where id = 9;
reset search_path;
select user_key, goal from goals.matches('m', 'mood') order by user_key;
select problem, object from goals.health();

-- Dropped, without CASCADE; and a new column of that name
alter table users drop column email;
update users set visits = 10 where id = 8;
select problem, object, detail from goals.health() where object = 'm / email';
alter table users add column email varchar(9) default 'z';
update users set email = 'y' where id = 9;
select user_key, goal, old_value from goals.matches('m', 'email') order by user_key;
-- Stopped or set anew, a goal is broken no longer.
alter table users drop column email, drop column plan;
select problem, object from goals.health();
select from goals.stop_goal('m', 'email');
select from goals.stop_goal('m', 'plan');
select from goals.stop_goal('m', 'mood');
select * from goals.health();

-- The key is a column as well.
alter table users rename id to user_id;
update users set visits = visits + 1;
select count(*) > 0 as reported from goals.health();
select from goals.record_sent('m', 1::bigint);
select goals.record_sent('m', array['1']);
alter table users rename user_id to id;
alter table users alter id type int;
select from goals.record_sent('m', 1::bigint);
update users set visits = 1000 where id = 1;
select verdict from goals.explain('m', 1::bigint) e where goal = 'visits';

-- Untracked: no trigger, no matches, the figures stay. Tracked again: on from there.
select from goals.untrack('users');
select tgname from pg_trigger where tgrelid = 'users'::regclass and not tgisinternal;
select from goals.record_sent('m', 2::bigint);
update users set visits = 2000 where id = 2;
select from goals.untrack('users');
select * from goals.health();
select from goals.track_users('users');
select from goals.track_users('users');
select tgname from pg_trigger where tgrelid = 'users'::regclass and not tgisinternal;
update users set visits = 3000 where id = 2;
select old_value, new_value from goals.matches('m', 'visits') where user_key = '2';
-- The trigger works under any name: that of 0.1.0, which it loses when the table is tracked again, or one that its owner gave it.
alter trigger pg_goals_1 on users rename to pg_goals;
select * from goals.health();
select from goals.record_sent('m', 2::bigint);
update users set visits = 3100 where id = 2;
select old_value, new_value from goals.matches('m', 'visits') where user_key = '2' order by matched_at desc limit 1;
select from goals.track_users('users');
select tgname from pg_trigger where tgrelid = 'users'::regclass and not tgisinternal;
alter trigger pg_goals_1 on users rename to "Ours";
select * from goals.health();
select from goals.track_users('users');
alter table users disable trigger "Ours";
select problem, regexp_replace(hint, '\(\d+(?=[,)])', '(oid', 'g') as hint from goals.health();
select from goals.untrack('users');
select tgname from pg_trigger where tgrelid = 'users'::regclass and not tgisinternal;
select from goals.track_users('users');
-- A trigger that somebody dropped
drop trigger pg_goals_1 on users;
select problem, object, hint from goals.health();
select from goals.track_users('users');
select * from goals.health();

-- TRUNCATE and DROP TABLE work as before; the figures stay.
truncate users;
create temp table figures as select * from goals.message_stats;
insert into users (id, visits) values (1, 0);
update users set visits = 1;
drop table users;
select count(*) from (select * from goals.message_stats except select * from figures) x;
select problem, regexp_replace(hint, '\(\d+(?=[,)])', '(oid', 'g') as hint from goals.health() where problem = 'dropped table';
\set VERBOSITY sqlstate
select from goals.record_sent('m', 1::bigint);
select from goals.record_opened('m', 1::bigint);
\set VERBOSITY default
-- Its successor
create table users (id bigint primary key, visits int);
insert into users values (1, 0);
select from goals.track_users('users');
select from goals.create_message('n');
select from goals.set_goal('n', 'visits', 'is increased', time_limit => '1 day');
select from goals.record_sent('n', 1::bigint);
update users set visits = 1;
select user_key from goals.matches('n');
select goals.forget_user(1::bigint, users => 'users');
