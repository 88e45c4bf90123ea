-- Figures that are read from totals, and from the records of a moment that is cut, are of one message and of each version of
-- its goal, rolled up or not; and also where PostgreSQL reads in parallel.
create table users (id bigint primary key, n int not null default 0);
insert into users select g from generate_series(1, 30000) g;
select from goals.track_users('users');
-- Not at the end of ten minutes.
select from pg_sleep(case when extract(epoch from clock_timestamp())::bigint % 600 > 580 then 601 - extract(epoch from clock_timestamp())::bigint % 600 else 0 end);

-- Campaigns that share goals.
select from goals.create_message('base');
select from goals.set_goal('base', 'n', 'is increased', time_limit => '3 days');
create table campaigns (id int primary key, name text);
insert into campaigns values (1, 'few'), (2, 'many');
select from goals.track_messages('campaigns', id => 'id', name => 'name', like_message => 'base');
select count(goals.record_sent('few', g::bigint, sent_at => now() - interval '2 days 1 second')) from generate_series(1, 3) g;
select goals.record_sent('many', array_agg(g::text), sent_at => now() - interval '2 days 1 second') from generate_series(1, 25000) g;
select goals.record_sent('many', '25001', sent_at => now() - interval '2 days' + interval '5 seconds') > 0 as sent;
create view reached as select days, reached from goals.daily_since_sending('few');
table reached;
select goals.roll_up() > 0 as rolled;
table reached;

-- Days beyond the time limit, of more receipts than are read one by one.
select from goals.create_message('large');
select from goals.set_goal('large', 'n', 'is increased', time_limit => '1 day');
select goals.record_sent('large', array_agg(g::text), sent_at => now() - interval '10 days 30 seconds') from generate_series(1, 25000) g;
select goals.record_opened('large', 1::bigint) is null as opened;
select * from goals.daily_since_sending('large');
select goals.roll_up() > 0 as rolled;
select * from goals.daily_since_sending('large');

-- Two versions of a goal, whose time limits end on different days.
select from goals.create_message('versions');
select from goals.set_goal('versions', 'n', 'is increased', time_limit => '7 days');
select count(goals.record_sent('versions', g::bigint, sent_at => now() - interval '7 days' + interval '5 minutes')) from generate_series(1, 10) g;
select count(goals.record_sent('versions', g::bigint, sent_at => now() - interval '7 days' - interval '5 minutes')) from generate_series(11, 14) g;
select from goals.set_goal('versions', 'n', 'is increased', time_limit => '3 days');
select count(goals.record_sent('versions', g::bigint, sent_at => now() - interval '3 days' + interval '5 minutes')) from generate_series(15, 17) g;
select count(goals.record_sent('versions', g::bigint, sent_at => now() - interval '3 days' - interval '5 minutes')) from generate_series(18, 23) g;
update users set n = n + 1 where id <= 17 and id % 2 = 1;
create view of_versions as
    select c.users, c.matched, s.in_progress, (select max((p ->> 'eligible')::int) from jsonb_array_elements(goals.report_data('versions') -> 'curve') p) as in_curve,
           (select sum(e.receipts) from goals_internal.eligible_by_age((select message_id from goals.message where name = 'versions'), 'primary', clock_timestamp()) e) as receipts
    from goals_internal.compare_data('versions') c, goals.stats('versions') s;
table of_versions;
select goals.roll_up() > 0 as rolled;
table of_versions;

-- In parallel, of a session that has read nothing yet.
select goals.record_sent('versions', '30') > 0 as sent;
\c -
select set_config(name, 'on', false) as in_parallel from pg_settings where name in ('force_parallel_mode', 'debug_parallel_query');
select count(*) from goals.stats('versions');
select count(*) from goals.compare('versions');
select count(*) > 2 as some from goals.daily('versions');
select count(*) > 2 as some from goals.daily_since_sending('versions');
select count(*) from goals.health();
select length(goals.report('versions')) > 1000 as some;
select count(*) from goals.message_stats;
