-- anchor <= t <= anchor + time limit: to the microsecond, and whatever the session's time zone.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 40) n;
create table sends (user_id bigint, message text, sent timestamptz, opened timestamptz);
select from goals.track_users('users');
select from goals.track_receipts('sends', 'message', 'user_id', 'sent', 'opened');
select from goals.create_message('m');
select from goals.set_goal('m', event => 'e', time_limit => '1 day 2 hours');
select from goals.set_goal('m', event => 'e', time_limit => '1 hour', after => 'opened', goal => 'opened');

-- Events around both ends, by their own time
select goals.record_sent('m', array['1', '2', '3', '4', '5', '6'], sent_at => '2024-01-01 12:00+00');
select from (values (1, -1), (2, 0), (3, 1), (4, 93599999999), (5, 93600000000), (6, 93600000001)) x (u, us),
    goals.record_event(u::bigint, 'e', occurred_at => timestamptz '2024-01-01 12:00+00' + us * interval '1 microsecond');
select user_key, extract(epoch from matched_at - sent_at) as seconds from goals.matches('m') order by user_key;
select user_key, verdict from generate_series(1, 6) n, lateral (select n::text as user_key) k, goals.explain('m', user_key) e where e.goal = 'primary' order by 1;

-- After an open: opened on Jan 2nd at noon
insert into sends select n, 'm', '2024-01-01 12:00+00', '2024-01-02 12:00+00' from generate_series(11, 16) n;
select from (values (11, -1), (12, 0), (13, 1), (14, 3599999999), (15, 3600000000), (16, 3600000001)) x (u, us),
    goals.record_event(u::bigint, 'e', occurred_at => timestamptz '2024-01-02 12:00+00' + us * interval '1 microsecond');
select user_key, extract(epoch from matched_at - opened_at) as seconds from goals.matches('m', 'opened') order by user_key;

-- Updates of the same clock: a receipt backdated by its time limit less a little still runs, by more it does not.
select from goals.create_message('u');
select from goals.set_goal('u', 'plan', 'is', 'pro', '10 days');
select from goals.record_sent('u', 17::bigint, sent_at => clock_timestamp() - interval '239 hours 59 minutes');
select from goals.record_sent('u', 18::bigint, sent_at => clock_timestamp() - interval '240 hours');
select from goals.record_sent('u', 19::bigint, sent_at => '1900-01-01');
select from goals.record_sent('u', 20::bigint, sent_at => '-infinity');
update users set plan = 'pro' where id in (17, 18, 19, 20);
select u, verdict from unnest(array['17', '18', '19', '20']) u, goals.explain('u', u);

-- The time of a change is when it happens, not when its transaction began: this one began before the receipt.
select from goals.create_message('clock');
select from goals.set_goal('clock', 'plan', 'is', 'pro', '1 day');
begin;
select from pg_sleep(0.01);
select from goals.record_sent('clock', 21::bigint);
update users set plan = 'pro' where id = 21;
select matched_at > now() as after_begin, matched_at >= sent_at as after_sending from goals.matches('clock');
commit;

-- A receipt stamped a little ahead of the server's clock is matched by what comes after it; far ahead is refused.
select from goals.record_sent('clock', 22::bigint, sent_at => clock_timestamp() + interval '1 minute');
update users set plan = 'pro' where id = 22;
select matched_at >= sent_at as not_before from goals.matches('clock') where user_key = '22';
select from goals.record_sent('clock', 22::bigint, sent_at => clock_timestamp() + interval '5 minutes 10 seconds');
select from goals.record_sent('clock', 22::bigint, sent_at => 'infinity');

-- A day is 24 hours: in Berlin, March 31st 2024 had 23 of them and October 27th 25. The session's zone changes nothing.
select from goals.create_message('dst');
select from goals.set_goal('dst', event => 'e', time_limit => '1 day');
set timezone = 'Europe/Berlin';
select goals.record_sent('dst', array['31', '32'], sent_at => '2024-03-30 12:00');
select from goals.record_event(31::bigint, 'e', occurred_at => '2024-03-31 13:00');
select from goals.record_event(32::bigint, 'e', occurred_at => '2024-03-31 13:00:00.000001');
select goals.record_sent('dst', array['33', '34'], sent_at => '2024-10-26 12:00');
select from goals.record_event(33::bigint, 'e', occurred_at => '2024-10-27 11:00');
select from goals.record_event(34::bigint, 'e', occurred_at => '2024-10-27 11:00:00.000001');
select user_key, sent_at, matched_at from goals.matches('dst') order by user_key;
set timezone = 'Pacific/Kiritimati';
select user_key, matched_at - sent_at as took from goals.matches('dst') order by user_key;
select e.window_closes - e.sent_at as took, verdict from goals.explain('dst', '32') e;
set timezone = 'Europe/Berlin';
select e.window_closes, verdict from goals.explain('dst', '32') e;
reset timezone;

-- Written in whatever units; the longest is 3650 days. The calendar's units have no length.
select from goals.set_goal('dst', event => 'e', time_limit => '90 minutes');
select from goals.set_goal('dst', event => 'e', time_limit => '1 microsecond');
select from goals.set_goal('dst', event => 'e', time_limit => '2 days -1 hours');
select from goals.set_goal('dst', event => 'e', time_limit => '3650 days');
select from goals.set_goal('dst', event => 'e', time_limit => '3650 days 00:00:00.000001');
select from goals.set_goal('dst', event => 'e', time_limit => '1 month');
select from goals.set_goal('dst', event => 'e', time_limit => '1 year -11 months');
select from goals.set_goal('dst', event => 'e', time_limit => '0');
select from goals.set_goal('dst', event => 'e', time_limit => '1 day -24 hours');
select from goals.set_goal('dst', event => 'e', time_limit => '-1 day');
select from goals.set_goal('dst', event => 'e');
