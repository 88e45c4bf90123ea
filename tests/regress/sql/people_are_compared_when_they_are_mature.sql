-- A time limit ends at its own moment, whether what was sent is rolled up or not, and however it is added up.
create table users (id bigint primary key, plan text default 'free');
insert into users (id) select n from generate_series(1, 24000) n;
select from goals.track_users('users');
-- The moment shall not be at the end of ten minutes, nor of a day.
select from pg_sleep(case when extract(epoch from clock_timestamp())::bigint % 600 > 570 then 600 - extract(epoch from clock_timestamp())::bigint % 600 + 1 else 0 end);

-- A receipt a second, from half an hour before the moment to half an hour after it; of three days, one of ten minutes, and
-- of one whose time limit begins with an open.
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '3 days');
select from goals.set_goal('m', 'plan', 'is changed', time_limit => '10 minutes', goal => 'soon');
select from goals.set_goal('m', 'plan', 'is changed', time_limit => '36 hours', after => 'opened', goal => 'after');
do $$ begin
    perform goals.record_sent('m', n, sent_at => now() - interval '3 days' + (n - 1800) * interval '1 second') from generate_series(1, 3600) n;
    perform goals.record_sent('m', n, sent_at => now() - interval '10 minutes' + (n - 5000) * interval '1 second') from generate_series(4000, 5599) n;
end $$;
insert into goals.engagement (engagement_id, receipt_id, at, kind)
select nextval('goals.engagement_id_seq'), r.receipt_id, r.sent_at + interval '1 hour', 'o' from goals.receipt r where r.receipt_id % 2 = 0;

-- Both figures lie between what the records say just before and just after they are read.
create function mature(goal text, over interval) returns table (users_right boolean, in_progress_right boolean) language plpgsql as $$
declare before bigint; after bigint; users bigint; progress bigint; sent bigint;
begin
    before := (select count(*) from goals.receipt where sent_at + over < clock_timestamp());
    select c.users into users from goals_internal.compare_data('m', mature.goal) c;
    select s.in_progress, s.sent into progress, sent from goals.stats('m', mature.goal) s;
    after := (select count(*) from goals.receipt where sent_at + over < clock_timestamp());
    return query select users between before and after, sent - progress between before and after;
end $$;
create view right_now as
    select g.goal, m.* from (values ('primary', interval '3 days'), ('soon', '10 minutes'), ('after', '3 days')) g (goal, over), mature(g.goal, g.over) m;
table right_now;
select goals.roll_up() > 0 as rolled;
table right_now;
select count(*) > 10 as slots from goals.slot_total;
select goals.record_sent('m', array['6000', '6001'], sent_at => now() - interval '3 days 1 minute') as more;
table right_now;
select goals.roll_up() > 0 as rolled;
table right_now;
select count(*) from goals.verify();
-- Without its slots a day is read from the records.
delete from goals.slot_total;
update goals.day_total set is_split = false;
table right_now;
-- And what is split is not for ever.
insert into goals.day_total select message_id, goal_id, variant_id, day - 30, true, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 from goals.day_total where goal_id > 0 limit 1;
insert into goals.slot_total select message_id, goal_id, variant_id, day::timestamp at time zone 'UTC', 0, 0, 0, 0, 0, 0, 0, 0 from goals.day_total where is_split;
select goals.record_sent('m', array['6002']) as more;
select goals.roll_up() > 0 as rolled;
select count(*) filter (where s.slot < now() - interval '10 days') as old_ones from goals.slot_total s;

-- Sent to many people at one moment, all are mature at one moment. Of more than are read one by one, sent within the ten
-- minutes of which some are mature, all count when the last of them is.
create function slot() returns timestamptz language sql as $$ select date_bin('10 minutes', now() - interval '1 hour', '2001-01-01') $$;
select goals.create_message(m), goals.set_goal(m, 'plan', 'is', 'pro', '1 hour') from unnest(array['at once', 'spread']) m;
select m, goals.record_sent(m, array_agg(n::text), sent_at => slot() + interval '1 us') as sent
from unnest(array['at once', 'spread']) m, generate_series(1, 21000) n group by m order by m;
select m, goals.record_sent(m, array['21001', '21002'], sent_at => slot() - interval '1 us') as sent from unnest(array['at once', 'spread']) m;
select goals.record_sent('spread', '21003', sent_at => slot() + interval '10 minutes' - interval '1 us') > 0 as sent;
create view of_many as
    select m, c.users, a.users as of_all from unnest(array['at once', 'spread']) m, goals_internal.compare_data(m) c, goals_internal.compare_data(m, include_running => true) a order by m;
table of_many;
select goals.roll_up() > 0 as rolled;
table of_many;
select count(*) from goals.verify();
