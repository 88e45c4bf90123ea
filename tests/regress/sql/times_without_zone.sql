-- A time without zone is read in the zone given, whatever the session's is.
create table users (id int primary key);
insert into users select generate_series(1, 9);
create table log (who int, name text, at timestamp, day date, exact timestamptz);
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', event => 'e', time_limit => '100 days');
select count(*) from goals.record_sent('m', array(select id::bigint from users), sent_at => now() - interval '50 days');
select from goals.track_events('log', 'who', 'name', occurred_at => 'at');
select from goals.track_events('log', 'who', 'name', occurred_at => 'exact');
select from goals.track_events('log', 'who', 'name', occurred_at => 'at', time_zone => 'UTC');
set timezone = 'Asia/Tokyo';
insert into log values (1, 'e', date_trunc('day', (now() at time zone 'UTC')) - interval '10 days');
set timezone = 'America/Los_Angeles';
insert into log values (2, 'e', date_trunc('day', (now() at time zone 'UTC')) - interval '10 days');
select count(distinct matched_at), bool_and(matched_at = (date_trunc('day', (now() at time zone 'UTC')) - interval '10 days') at time zone 'UTC')
from goals.matches('m');
-- Summer and winter, the hour that is missing and the one that comes twice, as PostgreSQL has them.
select from goals.track_events('log', 'who', 'name', occurred_at => 'at', time_zone => 'Europe/Berlin');
create table expected (who int, at timestamp);
select from goals.create_message('w');
select from goals.set_goal('w', event => 'e', time_limit => '3650 days');
select count(*) from goals.record_sent('w', array(select id::bigint from users), sent_at => '2020-01-01Z');
insert into expected values (1, '2024-01-15 12:00'), (2, '2024-07-15 12:00:00.123456'), (3, '2024-03-31 02:30'), (4, '2024-10-27 02:30'), (5, '2021-12-31 23:59:59.999999');
insert into log select who, 'e', at from expected;
select e.who, m.matched_at = e.at at time zone 'Europe/Berlin' as as_postgresql from goals.matches('w') m join expected e on e.who = m.user_key::int order by 1;
-- Days, and what no time is.
select from goals.track_events('log', 'who', 'name', occurred_at => 'day', time_zone => 'Pacific/Auckland');
insert into log (who, name, day) values (6, 'e', '2024-07-15'), (7, 'e', 'infinity'), (8, 'e', '5874897-12-31'), (9, 'e', '4713-01-01 BC');
select user_key, matched_at = timestamp '2024-07-15' at time zone 'Pacific/Auckland' as as_postgresql,
       matched_at > now() - interval '1 hour' as now from goals.matches('w') where user_key::int > 5 order by 1;
\set VERBOSITY verbose
select from goals.track_events('log', 'who', 'name', occurred_at => 'at', time_zone => 'Mars/Olympus');
select from goals.track_events('log', 'who', 'name', occurred_at => 'at', time_zone => '');
