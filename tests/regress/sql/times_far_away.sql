-- Times as far away as PostgreSQL knows them make neither many rows nor wrong ones.
set timezone = 'UTC';
\pset format unaligned
create table users (id bigint primary key, plan text not null default 'free');
insert into users select generate_series(1, 9);
select goals.track_users('users');
select goals.create_message('m');
select goals.set_goal('m', 'plan', 'is', 'pro', '2 days');
select goals.set_goal('m', event => 'e', time_limit => '2 days', after => 'opened', goal => 'opened');

-- The oldest receipt there can be, opened ten days ago, and the event a day later; then one whose open and event are before it was sent, one
-- that was opened when time began, and one never opened.
select goals.record_sent('m', 1, sent_at => '4714-11-24 00:00:00 BC'), goals.record_opened('m', 1, clock_timestamp() - interval '10 days');
select goals.record_event(1, 'e', occurred_at => clock_timestamp() - interval '9 days');
select goals.record_sent('m', n, sent_at => clock_timestamp() - interval '36 hours') from generate_series(2, 4) n;
select goals.record_opened(receipt_id, sent_at - interval '24 hours') from goals.receipt where user_key = '2';
select goals.record_event(2, 'e', occurred_at => clock_timestamp() - interval '40 hours');
select goals.record_opened(receipt_id, '4714-11-24 00:00:00 BC') from goals.receipt where user_key = '3';
update users set plan = 'pro' where id <= 4;
-- As many days as the time limit has, and those on which something happened.
select goal, d.days > 1000000 as long_after, case when d.days between -1000 and 1000 then d.days end as days, d.reached, d.opened, d.matched
from (values ('primary'), ('opened')) g (goal), goals.daily_since_sending('m', goal) d order by goal, d.days;
select day, sent, opened, matched from goals.daily('m') where day < '2000-01-01';

-- The report's curve: every day of the time limit, then only where it rises; the same for every variant.
select goal, case when (p ->> 'day')::bigint > 1000 then 'last' else p ->> 'day' end as day, p ->> 'matched_cumulative' as matched, p ->> 'eligible' as eligible
from (values ('primary'), ('opened')) g (goal), jsonb_array_elements(goals.report_data('m', goal) -> 'curve') p order by goal, (p ->> 'day')::bigint;
select length(goals.report('m', 'opened')) > 1000;

-- What is not finite is refused.
select goals.record_sent('m', 5, sent_at => '-infinity');
select goals.record_sent('m', 5, sent_at => 'infinity');
select goals.record_opened('m', 1, '-infinity');
select goals.record_event(1, 'e', occurred_at => '-infinity');
select count(*) from goals.daily_since_sending('m'), goals.attribution(since => '-infinity', until => 'infinity');

-- A worth beyond double precision.
create table rich (id bigint primary key, spent numeric not null default 0);
insert into rich values (1);
select goals.track_users('rich');
select goals.create_message('rich', users => 'rich');
select goals.set_goal('rich', 'spent', 'is increased', time_limit => '1 day', value_from => 'spent');
select goals.record_sent('rich', 1);
update rich set spent = 1e400;
select message, matched, credit, worth_credit from goals.attribution() where message = 'rich';
select length(goals.report('rich')) > 1000;

-- A count has its place on a line, however large.
select n, length(l) as width, substr(l, 17, 22) as shown from unnest(array[999999999, 1000000000, 999999999999, 1000000000000, 9223372036854775807]) n, goals_internal.bar_line('Sent', n, 9223372036854775807) l;
-- A period may begin and end at any time.
select count(*) filter (where s.sent > 0) as of_all, (select sum(sent) from goals.stats('m', 'primary', '294276-12-31 23:59:59+00', '294276-12-31 23:59:59.999999+00')) as of_none
from goals.stats('m', 'primary', '4714-11-24 12:00:00+00 BC', '294276-12-31 23:59:59.999999+00') s;
select sum(sent) as of_none from goals.stats('m', 'primary', 'infinity', '-infinity');
