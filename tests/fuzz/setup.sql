-- A database in use, of which every kind of relation, key, message, goal and receipt is there for a call to name.
create extension pg_goals;
create schema "sch""ema.%s $1";
create type mood as enum ('sad', 'fine', 'it''s "100%"');
create domain small as int check (value < 1000);
create type pair as (a int, b text);
create table users (id bigint primary key, gone int, plan text default 'free', visits int default 0, price numeric, ratio float8, active bool, born date, seen_at timestamptz, spell interval,
    tags text[], ns int[], grid int[], custom jsonb, doc json, u uuid, m mood, name varchar(20), code char(5), s small, p pair, addr inet, raw bytea, r int4range,
    "odd ""col.%s $1 \" text, "NULL" text, doubled int generated always as (visits * 2) stored);
alter table users drop column gone;
insert into users (id, price, ratio, active, born, seen_at, spell, tags, ns, grid, custom, doc, u, m, name, code, s, p, addr, raw, r, "odd ""col.%s $1 \")
    select n, n / 3.0, case n when 7 then 'nan' else n::float8 end, n % 2 = 0, '2000-01-01', 'infinity', '1 month', '{a,b}', '{1,2}', '[0:1][-1:0]={{1,2},{3,4}}',
           '{"plan": "free", "n": 1, "a b.c": null, "deep": {"er": [1, "x"]}}', '{"plan": "free", "plan": 2}', '6f1c1f6e-0000-4000-8000-000000000001', 'sad', 'n', 'c', n, row(1, 'b')::pair,
           '10.0.0.1', '\xff00', '[1,5)', 'x'
    from generate_series(1, 300) n;
create table people (id uuid primary key, plan text default 'free', score numeric);
insert into people select ('6f1c1f6e-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'free', n from generate_series(1, 50) n;
create table accounts (key text primary key, plan text default 'free');
insert into accounts values ('1'), ('it''s "100%s" $1 \ .'), (''), ('NULL'), ('control'), (e'a\nb'), (repeat('k', 2000));
create table regions (id bigint, region text, plan text, primary key (id, region)) partition by list (region);
create table regions_a partition of regions for values in ('a');
create table regions_b (plan text, region text not null, id bigint not null);
alter table regions attach partition regions_b for values in ('b');
insert into regions select n, case n % 2 when 0 then 'a' else 'b' end, 'free' from generate_series(1, 20) n;
create table "sch""ema.%s $1"."we""ird.t\%s $1 
" (id int primary key, "%I '" text);
insert into "sch""ema.%s $1"."we""ird.t\%s $1 
" select n, 'x' from generate_series(1, 9) n;
create table events (user_id bigint, name text, at timestamptz, props jsonb);
create table sends (message text, user_id bigint, sent_at timestamptz, opened_at timestamptz, clicked_at timestamptz, variant text);
create table moods (user_id text, name mood, at date);
-- Not tracked: to be tracked by a call.
create table free_users (id bigint primary key, plan text, born date);
create table free_events (user_id bigint, name text, at timestamp, props jsonb);
create table free_sends (message varchar(30), user_id bigint, sent_at timestamptz, opened_at date, variant name);
create table two_keys (a int, b int, plan text, primary key (a, b));
create table odd_key (at timestamptz primary key, body jsonb, id box);
create table nothing ();
create table child (extra int) inherits (free_users);
create unlogged table unlogged (id int primary key, plan text);
create table theirs (id int primary key, plan text, name text);
alter table theirs owner to stranger;
create table dropped (id int primary key, plan text);
create table of_type of pair;
select 'create table wide (id int primary key, ' || string_agg(format('%I text', 'c' || n || repeat('x', 50)), ', ') || ')' from generate_series(1, 1200) n \gexec
create view v as select * from users;
create materialized view mv as select * from accounts;
create sequence q;
create index on users (plan);
create foreign data wrapper nothing;
create server nowhere foreign data wrapper nothing;
create foreign table f (id int, plan text) server nowhere;
create publication everything for all tables;

\o /dev/null
select goals.track_users(t) from unnest(array['users', 'people', 'accounts', 'dropped', '"sch""ema.%s $1"."we""ird.t\%s $1 
"']::regclass[]) t;
select goals.track_users('regions', 'id');
select goals.track_events('events', 'user_id', 'name', 'at', 'props', 'users');
select goals.track_events('moods', 'user_id', 'name', 'at', users => 'accounts');
select goals.track_receipts('sends', 'message', 'user_id', 'sent_at', 'opened_at', 'clicked_at', 'variant');
select goals.create_message(m, users => 'users') from unnest(array['welcome', 'ab', 'fresh', 'no goal', 'control', 'NULL', 'it''s "100%s" $1 \ .', e'a\nb', ' x ', repeat('m', 1000)]) m;
select goals.create_message('people', 'one_off', 'e-mail', 'people'), goals.create_message('accounts', users => 'accounts'),
       goals.create_message('regions', users => 'regions'), goals.create_message('dropped', users => 'dropped');
drop table dropped;
select goals.add_variant('ab', v) from unnest(array['A', 'B', 'it''s "100%s" $1 \ .']) v;
select goals.set_control_group('ab', 0.2);
select goals.set_goal('welcome', 'plan', 'is', 'pro', '14 days'), goals.set_goal('welcome', 'plan', 'is any of', '{pro,team}', '1 day', goal => 'any'),
       goals.set_goal('welcome', 'visits', 'is increased by', '3', '3 days', goal => 'gain', value_from => 'visits'),
       goals.set_goal('welcome', 'custom.deep.er', 'contains', 'x', '3 days', goal => 'json', after => 'opened'),
       goals.set_goal('welcome', 'doc.plan', 'is changed', time_limit => '3 days', goal => 'it''s "100%s" $1 \ .', after => 'clicked'),
       goals.set_goal('welcome', event => 'bought', times => 2, properties => '{"a": [1]}', time_limit => '3650 days', goal => 'event', value_from => 'price'),
       goals.set_goal('ab', 'plan', 'is', 'pro', '1 day'), goals.set_goal('ab', event => 'bought', time_limit => '1 day', goal => 'event'),
       goals.set_goal('people', 'score', 'greater than', '7', '1 day'), goals.set_goal('accounts', 'plan', 'is', 'pro', '1 day'),
       goals.set_goal('regions', 'plan', 'is not', 'free', '1 day'), goals.set_goal('it''s "100%s" $1 \ .', 'm', 'is', 'fine', '1 day');
select goals.set_goal('welcome', 'plan', 'starts with', 'p', '14 days', goal => 'stopped'), goals.stop_goal('welcome', 'stopped');
select goals.record_sent('welcome', array(select id::text from users where id <= 100));
select count(*) from goals.deliver('ab', array(select id::text from users where id <= 200), clock_timestamp() - interval '2 days');
select goals.record_sent(m, array['1', '2']) from unnest(array['no goal', 'control', 'it''s "100%s" $1 \ .', 'regions']) m;
select goals.record_sent('people', array(select id::text from people)), goals.record_sent('accounts', array(select key from accounts));
select goals.record_opened('welcome', id) from users where id <= 40;
select goals.record_clicked('welcome', id) from users where id <= 9;
update users set plan = 'pro', visits = visits + 4, custom = '{"deep": {"er": ["x"]}}', doc = '{"plan": 3}' where id % 3 = 0;
update people set score = score + 5;
insert into events select n, 'bought', clock_timestamp(), '{"a": [1, 2], "price": 3}' from generate_series(1, 20) n, generate_series(1, 2);
insert into sends select 'welcome', n, clock_timestamp(), clock_timestamp(), null, null from generate_series(101, 120) n;
insert into sends values ('nobody knows', 1), ('welcome', -1);
\o
