-- The story that `make demo` tells; psql shows each statement as it runs it.
\set ECHO queries
\pset pager off
\pset footer off
\pset null '-'
\timing off
set timezone = 'UTC';

\echo
\echo === 1. You have a table of users. Nothing about it is special. ===
\echo
create table users (
    id              bigint primary key,
    name            text not null,
    plan            text not null default 'free',
    web_sessions    integer not null default 0,
    last_request_at timestamptz
);
insert into users (id, name, plan, web_sessions)
    select n, 'user ' || n, case when n % 20 = 0 then 'pro' else 'free' end, n % 7
    from generate_series(1, 1000) n;

\echo
\echo === 2. Attach pg_goals to it, and say what a message is meant to bring about. ===
\echo
create extension pg_goals;
select goals.track_users('users');
select goals.create_message('welcome', channel => 'e-mail');
select goals.set_goal('welcome', attribute => 'web_sessions', operator => 'is increased', time_limit => '3 days');
select goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '14 days', goal => 'upgrade');

\echo
\echo === 3. Send it, and report what you sent: a whole audience, then two users by their keys. ===
\echo
select goals.record_sent('welcome', array(select id::text from users where id <= 899)) as sent;
select goals.record_sent('welcome', 900) as receipt_id;
select goals.record_sent('welcome', 901, sent_at => now() - interval '4 days') as receipt_id;

\echo
\echo === 4. Some open it, some click in it. ===
\echo
do $$ begin
    perform goals.record_opened('welcome', id) from users where id <= 900 and id % 5 < 3;
    perform goals.record_clicked('welcome', id) from users where id <= 900 and id % 10 = 1;
end $$;

\echo
\echo === 5. Life goes on: the UPDATEs your application makes anyway. It needs to know nothing of goals. ===
\echo
\echo -- one user comes back
update users set web_sessions = web_sessions + 1, last_request_at = now() where id = 42;
\echo -- a ping: no goal is about it
update users set last_request_at = now() where id <= 500;
\echo -- 150 users come back, in one statement
update users set web_sessions = web_sessions + 1 where id % 6 = 1 and id <= 900;
\echo -- 60 users have the plan pro from now on; some of them had it before
update users set plan = 'pro' where id % 15 = 0 and id <= 900;
\echo -- too late for 901, who was sent it four days ago; and 950 was never sent it
update users set web_sessions = web_sessions + 1 where id in (901, 950);
\echo -- an upgrade that is taken back never happened
begin;
update users set plan = 'pro' where id = 1;
rollback;

\echo
\echo === 6. The figures: at a glance, and as rows. ===
\echo
\pset tuples_only on
\pset format unaligned
select * from goals.stats_bar('welcome');
\pset format aligned
\pset tuples_only off
\echo
select goal, sent, already_matched as already, matched, round(goal_rate::numeric * 100, 1) as "rate %",
       matched_after_open as "after open", matched_after_click as "after click"
    from goals.message_stats where message = 'welcome';

\echo
\echo === 7. Who matched, when, and which change did it. ===
\echo
select user_key, goal, attribute, old_value, new_value, matched_at - sent_at as after
    from goals.matches('welcome') order by matched_at limit 5;

\echo
\echo === 8. Why this one counts and those do not: 42 came back, 20 was pro before, 901 came too late, 5 has time left. ===
\echo
\x on
select * from goals.explain('welcome', 42) where goal = 'primary';
select * from goals.explain('welcome', 20) where goal = 'upgrade';
select * from goals.explain('welcome', 901) where goal = 'primary';
select * from goals.explain('welcome', 5) where goal = 'primary';
\x off
\echo === 9. Is anything wrong? No rows: all is well. ===
\echo
select * from goals.health();
