-- A clock that is ahead of the server's by up to five minutes: what it says is taken as now, so that nothing is sent after what follows it.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 6) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', goal => 'plan');
select from goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'event');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', goal => 'plan opened', after => 'opened');
select from goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'event opened', after => 'opened');
select from goals.record_sent('m', 1, sent_at => clock_timestamp() + interval '3 seconds');
select from goals.record_opened('m', 1);
select from goals.record_sent('m', 2);
select from goals.record_opened('m', 2, clock_timestamp() + interval '3 seconds');
select from goals.record_sent('m', array['3'], sent_at => clock_timestamp() + interval '4 minutes');
select from goals.record_opened('m', 3, clock_timestamp() + interval '1 minute');
select from goals.deliver('m', 4, clock_timestamp() + interval '4 minutes') d, goals.record_opened(d.receipt_id, clock_timestamp() + interval '4 minutes');
update users set plan = 'pro' where id <= 4;
select from generate_series(1, 4) id, goals.record_event(id, 'buy', occurred_at => clock_timestamp() + interval '2 minutes');
select goal, count(*), bool_and(sent_at <= matched_at and matched_at <= clock_timestamp()) as in_order from goals.matches('m') group by goal order by goal;
-- By receipt as by user: an open that is older than the sending is as old.
select from goals.record_sent('m', 5, sent_at => '2024-01-02 10:00+00');
select from goals.outcome o, goals.record_opened(o.receipt_id, '2024-01-02 09:00+00') where o.user_key = '5' and o.goal = 'event';
select from goals.record_event(5, 'buy', occurred_at => '2024-01-02 09:30+00');
select goal, opened_at = sent_at as opened_then, matched_at from goals.outcome where user_key = '5' and goal like 'event%' order by goal;
\set VERBOSITY terse
select from goals.record_sent('m', 6, sent_at => clock_timestamp() + interval '6 minutes');
