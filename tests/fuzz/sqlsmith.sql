-- What SQLsmith plays with: tracked tables with columns of every kind, partitioned events, sends; goals on all of it.
create extension pg_goals;
create type mood as enum ('sad', 'fine');
create domain small as int check (value < 1000000);
create table users (id bigint primary key, gone int, plan text default 'free', visits int default 0, price numeric, ratio float8, half real, active bool, born date, seen_at timestamptz, at time, spell interval, tags text[], ns int[],
    custom jsonb, doc json, u uuid, m mood, name varchar(20), code char(5), s small, addr inet, raw bytea, r int4range, pt point, cash money, bits bit(8), tid xid, doubled int generated always as (visits * 2) stored);
alter table users drop column gone;
insert into users (id, price, ratio, half, active, born, seen_at, at, spell, tags, ns, custom, doc, u, m, name, code, s, addr, raw, r, pt, cash, bits)
    select n, n / 3.0, n, n, n % 2 = 0, '2000-01-01', now(), '12:00', '1 month', '{a,b}', '{1,2}', '{"plan": "free", "n": 1}', '{"plan": "free"}', gen_random_uuid(), 'sad', 'n', 'c', n, '10.0.0.1', '\xff00', '[1,5)', '(1,2)', 3, b'10101010'
    from generate_series(1, 100) n;
create table accounts (key text primary key, plan text default 'free', seats int);
insert into accounts select n, 'free', n from generate_series(1, 20) n;
create table regions (id bigint, region text default 'a', plan text, primary key (id, region)) partition by list (region);
create table regions_a partition of regions for values in ('a');
create table regions_b partition of regions default;
insert into regions select n, 'a', 'free' from generate_series(1, 20) n;
create table events (user_id bigint, name text, at timestamptz, props jsonb) partition by range (at);
create table events_old partition of events for values from (minvalue) to ('2020-01-01');
create table events_new partition of events default;
create table sends (message text, user_id bigint, sent_at timestamptz, opened_at timestamptz, clicked_at timestamptz, variant text);
create view names as select id, name from users;
\o /dev/null
select goals.track_users(t) from unnest(array['users', 'accounts']::regclass[]) t;
select goals.track_users('regions', 'id'), goals.track_events('events', 'user_id', 'name', 'at', 'props', 'users'),
       goals.track_receipts('sends', 'message', 'user_id', 'sent_at', 'opened_at', 'clicked_at', 'variant');
select goals.create_message('m', users => 'users'), goals.create_message('ab', users => 'users'), goals.create_message('a', users => 'accounts'), goals.create_message('r', users => 'regions');
select goals.add_variant('ab', 'A'), goals.add_variant('ab', 'B'), goals.set_control_group('ab', 0.2);
-- Every column that can change is somebody's goal.
select goals.set_goal('m', a.attname, case when a.atttypid in ('date'::regtype, 'timestamptz'::regtype, 'time'::regtype, 'interval'::regtype) then 'has any value' else 'is changed' end, time_limit => '3 days', goal => a.attname)
    from pg_attribute a where attrelid = 'users'::regclass and attnum > 0 and not attisdropped;
select goals.set_goal('ab', 'plan', 'is', 'pro', '1 day'), goals.set_goal('ab', event => 'bought', time_limit => '1 day', goal => 'event', value_from => 'price'), goals.set_goal('ab', 'custom.plan', 'contains', 'p', '1 day', goal => 'json'),
       goals.set_goal('a', 'seats', 'is increased by', '3', '1 day', value_from => 'seats'), goals.set_goal('r', 'plan', 'is not', 'free', '1 day');
select goals.record_sent(m, array(select id::text from users)) from unnest(array['m', 'ab', 'a', 'r']) m;
insert into events select n, 'bought', now(), '{"price": 3}' from generate_series(1, 20) n;
insert into sends select 'm', n, now() from generate_series(1, 20) n;
\o
