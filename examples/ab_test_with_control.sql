-- An A/B test with a control group that is sent nothing: does the message do it, or would they have come anyway?
--
--   createdb try_goals && psql -X -f examples/ab_test_with_control.sql try_goals
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
\echo === 1. How many users does it take to tell 10 % from 15 %? ===
\echo
create extension pg_goals;
select ceil(goals.sample_size(0.10, 0.15)) as users_per_variant;

\echo
\echo === 2. The application, and a message with two variants; a quarter of all users is held back ===
\echo
create table users (id bigint primary key);
insert into users select generate_series(1, 4000);
\o /dev/null
select goals.track_users('users');
select goals.create_message('come back', kind => 'one_off', channel => 'e-mail');
select goals.add_variant('come back', 'discount');
select goals.add_variant('come back', 'gift');
select goals.set_control_group('come back', 0.25);
select goals.set_goal('come back', event => 'order placed', time_limit => '7 days', value_from => 'amount');
\o

\echo
\echo === 3. Who gets what follows from name and key: the same answer for ever, and nothing is stored for it ===
\echo
select id, goals.assign('come back', id) from users where id <= 4 order by id;

\echo
\echo === 4. Assign and record in one call; the application sends where send is true. Here: twelve days ago ===
\echo
select variant, send, count(*)
from goals.deliver('come back', array(select id::text from users), sent_at => now() - interval '12 days')
group by variant, send order by variant;
\echo -- the design is fixed by the first receipt
\set ON_ERROR_STOP off
select goals.add_variant('come back', 'poem');
\set ON_ERROR_STOP on

\echo
\echo === 5. What they did in the seven days: some in each group, more of those with the discount ===
\echo
\o /dev/null
select goals.record_event(id, 'order placed', '{"amount": 25}', occurred_at => now() - interval '9 days')
from users
where id % 100 < case goals.assign('come back', id) when 'control' then 10 when 'discount' then 18 else 11 end;
\o

\echo
\echo === 6. The figures; the control group is never part of what was sent ===
\echo
select * from goals.stats_bar('come back') \g (format=unaligned tuples_only=on)
select variant, sent, matched, round(goal_rate::numeric, 4) as goal_rate, worth
from goals.variant_stats where message = 'come back' order by variant;

\echo
\echo === 7. And how sure one can be: against the control group, then the variants against each other ===
\echo
select variant, users, matched, round(rate::numeric, 3) as rate, round(rate_low::numeric, 3) as low, round(rate_high::numeric, 3) as high,
       round(lift::numeric, 2) as lift, round(lift_low::numeric, 2) as lift_low, round(lift_high::numeric, 2) as lift_high,
       round(p_adjusted::numeric, 4) as p_adjusted, verdict
from goals.compare('come back');
select variant, round(difference::numeric, 3) as difference, round(difference_low::numeric, 3) as low,
       round(difference_high::numeric, 3) as high, verdict
from goals.compare('come back', baseline => 'gift') where variant = 'discount';
\echo -- the users were shared out as planned: a small split_p would say that somebody was lost on the way
select round(min(split_p)::numeric, 3) as split_p from goals.compare('come back');

\echo
\echo === 8. The same as a page with pictures: psql -Atc "select goals.report('come back')" > report.html ===
\echo
select length(goals.report('come back')) > 10000 as there_is_a_page;

\echo
\echo === 9. Gone again ===
\echo
\o /dev/null
select goals.untrack_all();
\o
drop extension pg_goals;
drop table users;
