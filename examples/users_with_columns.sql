-- A table of users with ordinary columns: who comes back after a welcome e-mail, and who upgrades?
--
--   createdb try_goals && psql -X -f examples/users_with_columns.sql try_goals
--
-- Run it as a superuser on an empty database. It takes away at the end what it made.
\set ON_ERROR_STOP on
\set QUIET on
\set ECHO queries
\pset pager off
\pset footer off
\pset null '-'
set timezone = 'UTC';

\echo
\echo === 1. The application: a table of users, as it has been all along ===
\echo
create table users (
    id        bigint primary key,
    plan      text not null default 'free',
    sessions  integer not null default 0,
    spent     numeric(10, 2) not null default 0,
    last_seen timestamptz
);
insert into users (id, plan) select n, case when n % 10 = 0 then 'pro' else 'free' end from generate_series(1, 1000) n;

\echo
\echo === 2. Attach pg_goals, say what the message wants, and within which time ===
\echo
\o /dev/null
create extension pg_goals;
select goals.track_users('users');
select goals.create_message('welcome', channel => 'e-mail');
select goals.set_goal('welcome', attribute => 'sessions', operator => 'is increased', time_limit => '3 days');
select goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '14 days',
                      value_from => 'spent', goal => 'upgrade');
\o

\echo
\echo === 3. Report what was sent: to 500 users now, and to one user five days ago ===
\echo
select goals.record_sent('welcome', array(select id::text from users where id <= 500)) as sent;
select goals.record_sent('welcome', 501, sent_at => now() - interval '5 days') is not null as recorded;
\echo -- half of them open it, every tenth clicks (a click is also an open)
do $$ begin
    perform goals.record_opened('welcome', id) from users where id <= 500 and id % 2 = 1;
    perform goals.record_clicked('welcome', id) from users where id <= 500 and id % 10 = 1;
end $$;

\echo
\echo === 4. The application goes on. It knows nothing of goals ===
\echo
\echo -- everybody is seen: no goal is about that
update users set last_seen = now();
\echo -- 150 users come back
update users set sessions = sessions + 1, last_seen = now() where id <= 150;
\echo -- the form of a user is saved with all columns as they were: writing the same value is no change
update users set plan = plan, sessions = sessions, spent = spent where id between 151 and 300;
\echo -- 100 users pay for the plan pro. Ten of them had it before the message: they are already matched
update users set plan = 'pro', spent = spent + 49.90 where id between 201 and 300;
\echo -- two come back who do not count: 501 was written to five days ago, 502 never
update users set sessions = sessions + 1 where id in (501, 502);
\echo -- what is rolled back has not happened
begin;
update users set plan = 'pro' where id = 499;
rollback;

\echo
\echo === 5. The figures ===
\echo
select * from goals.stats_bar('welcome') \g (format=unaligned tuples_only=on)
select goal, sent, already_matched, matched, goal_rate, goal_rate_eligible, worth
from goals.message_stats where message = 'welcome' order by goal;

\echo
\echo === 6. Who, by which change, and why not ===
\echo
select user_key, goal, old_value, new_value, worth, matched_at
from goals.matches('welcome') where user_key in ('1', '201') order by user_key::bigint, goal;
\echo -- 1 came back; 210 was on pro before; 501 came too late; 160 only had the same values written again
select u.id, e.goal, e.verdict from users u, goals.explain('welcome', u.id) e where u.id in (1, 160, 210, 501) order by u.id, e.goal;
select count(*) as problems from goals.health();

\echo
\echo === 7. Gone again: detach, and drop ===
\echo
\o /dev/null
select goals.untrack_all();
\o
drop extension pg_goals;
drop table users;
