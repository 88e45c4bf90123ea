-- Every problem that somebody should look at is one row, which says what to do; when that is done it is gone.
create type mood as enum ('low', 'high');
create table users (id bigint primary key, n int, plan text, mood mood);
insert into users values (1, 0, 'free', 'low'), (2, 0, 'free', 'low');
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'n', 'is increased', time_limit => '1 day');
select from goals.record_sent('m', 1);
select * from goals.health();

-- Switched off: in this session, for this database, for a role
set pg_goals.enabled = off;
select * from goals.health();
reset pg_goals.enabled;
create role regress_goals_off;
do $$ begin execute format('alter database %I set pg_goals.enabled = no', current_database()); end $$;
alter role regress_goals_off set pg_goals.enabled = 0;
do $$ begin execute format('alter role regress_goals_off in database %I set pg_goals.enabled = true', current_database()); end $$;
select problem, object, hint from goals.health();
do $$ begin execute format('alter database %I reset pg_goals.enabled', current_database()); end $$;
do $$ begin execute format('alter role regress_goals_off in database %I reset pg_goals.enabled', current_database()); end $$;
select problem, object from goals.health();
drop role regress_goals_off;
select * from goals.health();

-- A goal that has been set again is sound; its earlier version is broken for the receipts that it judges.
alter table users alter n type jsonb using to_jsonb(n);
select problem, object, detail, hint from goals.health();
select from goals.set_goal('m', 'n', 'is increased', time_limit => '2 days');
select problem, object, detail, hint from goals.health();
select goals.purge(now());
select * from goals.health();

-- A label that is no longer one can never be reached.
select from goals.set_goal('m', 'mood', 'is any of', '{low,high}', '1 day', goal => 'mood');
alter type mood rename value 'high' to 'great';
select problem, object, detail from goals.health();
select from goals.set_goal('m', 'mood', 'is', 'great', '1 day', goal => 'mood');
select * from goals.health();

-- Nothing is seen of a table that is not tracked any more; nothing new can be set up for it.
select from goals.untrack('users');
select problem, object, detail, hint from goals.health();
\set VERBOSITY terse
select from goals.create_message('another', users => 'users');
\set VERBOSITY default
select from goals.track_users('users');
select * from goals.health();

-- A table that is gone: what can be done ends the rows.
select from goals.create_message('gone');
drop table users;
select problem, regexp_replace(object, '^\d+$', 'oid') as object, detail, regexp_replace(hint, '\(\d+(?=[,)])', '(oid', 'g') as hint from goals.health();
\set VERBOSITY terse
select from goals.set_goal('gone', 'n', 'is increased', time_limit => '1 day');
select from goals.set_goal('gone', event => 'buy', time_limit => '1 day');
\set VERBOSITY default
select from goals.stop_goal('m');
select from goals.stop_goal('m', 'mood');
select from goals.health() h, goals.untrack(h.object::oid) where h.problem = 'dropped table';
select * from goals.health();
