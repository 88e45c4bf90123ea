-- Whoever administers the database may add columns and indexes to the extension's tables: nothing breaks, and nothing is missing in them.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 20) n;
create table sends (message text, user_id bigint, opened timestamptz);
select from goals.track_users('users');
select from goals.track_receipts('sends', 'message', 'user_id', opened_at => 'opened');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
insert into sends select 'm', n from generate_series(1, 20) n;

-- Columns, kept and dropped again
alter table goals.match_log add column note text;
alter table goals.receipt add column batch integer default 7;
alter table goals.engagement add column via text;
alter table goals.ignored add column seen boolean;
update users set plan = 'pro' where id = 1;
insert into sends values ('m', 2, now()), ('nobody knows it', 2, null);
alter table goals.match_log drop column note;
alter table goals.receipt drop column batch;
alter table goals.engagement drop column via;
update users set plan = 'pro' where id = 2;
insert into sends values ('m', 3, now());
select sent, opened, matched from goals.message_stats;

-- Indexes on an expression, on some of the rows, of another kind
create index by_new_value on goals.match_log ((new_value #>> '{}'));
create index of_even_receipts on goals.match_log (receipt_id) where receipt_id % 2 = 0;
create index by_day on goals.receipt ((sent_at at time zone 'UTC')) where users_source_id = 1;
alter table goals.engagement add constraint no_second_at_once exclude using btree (engagement_id with =);
update users set plan = 'pro' where id between 4 and 9;
insert into sends select 'm', n, now() from generate_series(10, 14) n;
update sends set opened = now() where user_id = 5;
select sent, opened, matched from goals.message_stats;
set enable_seqscan = off;
set enable_bitmapscan = off;
explain (costs off) select count(*) from goals.match_log where new_value #>> '{}' = 'pro';
select count(*) from goals.match_log where new_value #>> '{}' = 'pro';
select count(*) from goals.match_log where receipt_id % 2 = 0 and receipt_id > 0;
select count(*) from goals.receipt where users_source_id = 1 and (sent_at at time zone 'UTC') > '2020-01-01';
reset enable_seqscan;
reset enable_bitmapscan;
select (select count(*) from goals.match_log where receipt_id % 2 = 0) as even, (select count(*) from goals.receipt) as receipts;
-- One savepoint rolled back, one statement of many rows
begin;
savepoint s;
update users set plan = 'pro' where id > 9;
rollback to s;
update users set plan = 'pro' where id > 15;
commit;
select matched from goals.message_stats;
select goals.roll_up(), goals.roll_up() >= 0;
select * from goals.verify();

-- Defaults are respected: constants, expressions, identities, generated columns, functions, with the rights of the session as for any INSERT
create function of_the_session() returns text language plpgsql as $$ begin return 'by ' || current_user; end $$;
create function failing() returns int language plpgsql as $$ begin raise exception 'no'; end $$;
alter table goals.match_log
    add column tenant text not null default 'main', add column shard int not null default 1, add column noted_at timestamptz not null default now(),
    add column number bigint generated always as identity, add column doubled bigint generated always as (match_id * 2) stored,
    add column who text default of_the_session(), add column none int, add column late date default '2020-01-01';
alter table goals.match_log alter column shard set default 7, alter column none set default failing(), alter column late drop default;
alter table goals.receipt add column tenant text not null default 'main', add column tag uuid not null default gen_random_uuid();
alter table goals.engagement add column tenant text not null default 'main';
create role app;
grant select, insert, update on users, sends to app;
set role app;
set jit_above_cost = 0;
update users set plan = 'team';
insert into users select n, 'free' from generate_series(21, 24) n;
insert into sends select 'm', n, now() from generate_series(21, 24) n;
update users set plan = 'pro' where id > 20;
reset role;
select user_key::int, m.tenant, shard, noted_at > now() - interval '1 hour' as noted, number > 0 as numbered, doubled = match_id * 2 as doubled, who, none, late
from goals.match_log m join goals.receipt r using (receipt_id) where user_key::int > 20 order by 1;
select sum(shard), min(length(tenant)), max(tenant) from goals.match_log;
select tenant, count(*), count(distinct tag) from goals.receipt group by 1;
select tenant, count(*) from goals.engagement group by 1;
select problem from goals.health();
-- The default of a column that may not be NULL, and fails now and then: the update goes on, and is not recorded.
alter table goals.match_log add column must int not null default 0;
alter table goals.match_log alter column must set default failing();
insert into users values (30, 'free');
insert into sends values ('m', 30, now());
update users set plan = 'pro' where id = 30;
select count(*) from goals.match_log m join goals.receipt r using (receipt_id) where user_key = '30';
alter table goals.match_log drop column must, drop column none, drop column who;
update users set plan = 'free' where id = 30;
update users set plan = 'pro' where id = 30;
select count(*) from goals.match_log m join goals.receipt r using (receipt_id) where user_key = '30';

-- An index's expression that fails, or that the application may not call: its statement goes on, and goals.health() shows what is not recorded.
create function refusing(t jsonb) returns text immutable language plpgsql as $$ begin if t #>> '{}' = 'pro' then raise exception 'no'; end if; return current_user; end $$;
revoke execute on function refusing from public;
create index refuses on goals.match_log (refusing(old_value));
set role app;
insert into users values (31, 'free'), (32, 'pro');
insert into sends values ('m', 31, now()), ('m', 32, now());
update users set plan = 'pro' where id = 31;
update users set plan = 'free' where id = 32;
update users set plan = 'pro' where id = 32;
reset role;
select count(*) from goals.match_log m join goals.receipt r using (receipt_id) where user_key = '31';
select problem, object, hint from goals.health() where problem = 'refused row';
drop index goals.refuses;
select * from goals.verify();
drop owned by app;
drop role app;

-- An index of one's own that has no room for a value: the application's statement goes on.
create index by_values on goals.match_log (old_value, new_value, (new_value #>> '{}'));
create index by_new_text on goals.match_log ((new_value #>> '{}'));
alter table users add column bio text;
select from goals.set_goal('m', 'bio', 'is changed', time_limit => '1 day', goal => 'bio');
insert into users values (40, 'free', 'short'), (41, 'free', (select string_agg(md5(n::text), '') from generate_series(1, 1000) n));
insert into sends values ('m', 40), ('m', 41);
update users set bio = (select string_agg(md5((-n)::text), '') from generate_series(1, 1000) n) where id > 39;
select user_key, length(old_value #>> '{}') as old, length(new_value #>> '{}') as new from goals.match_log join goals.receipt using (receipt_id) where user_key in ('40', '41') order by match_id;
drop index goals.by_values, goals.by_new_text;

-- A role with a right on its own tables only cannot make a function that somebody has added run with other rights.
create table public.shards (n int);
insert into shards values (4);
create function public.shard(k text) returns int language plpgsql immutable as $$ begin return hashtext(k) % (select n from shards); end $$;
-- (from PostgreSQL 17 on such an index cannot be made)
do $$ begin create index by_shard on goals.receipt (public.shard(user_key)); exception when undefined_table then null; end $$;
alter table goals.match_log add column shard_of int default public.shard('x');
create role evil;
grant select on shards to evil;
grant select, insert, update on users, sends to evil;
set session authorization evil;
create function pg_temp.f() returns int language plpgsql as $$ begin execute 'alter role evil superuser'; return 4; end $$;
create temp view shards as select pg_temp.f() as n;
insert into users values (50, 'free', null);
insert into sends values ('m', 50);
update users set plan = 'pro' where id = 50;
reset session authorization;
select rolsuper from pg_roles where rolname = 'evil';
set client_min_messages = warning;
drop index if exists goals.by_shard;
alter table goals.match_log drop column shard_of;
drop view if exists pg_temp.shards;
drop owned by evil;
drop role evil;

-- A constant takes no transaction id per row; neither does a column that was dropped.
alter table goals.engagement add column gone text default random()::text;
alter table goals.engagement drop column gone;
alter table goals.engagement drop constraint no_second_at_once;
insert into users select n, 'free', null from generate_series(60, 69) n;
insert into sends select 'm', n, now() from generate_series(60, 69) n;
select count(*) as opens, count(distinct e.xmin::text) as ids, max(e.tenant) from goals.engagement e join goals.receipt r using (receipt_id) where user_key::int between 60 and 69;
