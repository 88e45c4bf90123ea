-- A row that a transaction deletes and inserts again, as maintenance of partitions does, is no new send and no event, also where
-- nothing was recorded of it, and where it has no primary key.
create table users (id bigint primary key, plan text);
insert into users select generate_series(1, 9);
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '30 days');
select from goals.set_goal('m', event => 'login', times => 2, time_limit => '30 days', goal => 'logins');
create table emails (id bigint, template text, user_id bigint, sent_at timestamptz not null, opened_at timestamptz, primary key (id, sent_at)) partition by range (sent_at);
create table emails_default partition of emails default;
create table log (user_id bigint, name text, at timestamptz not null default clock_timestamp()) partition by range (at);
create table log_default partition of log default;

-- Rows from before the table was tracked.
insert into emails select n, 'm', n, now() - interval '1 hour' from generate_series(1, 3) n;
select from goals.track_receipts('emails', 'template', 'user_id', 'sent_at', 'opened_at');
select from goals.track_events('log', 'user_id', 'name');
with moved as (delete from emails_default returning *) insert into emails select * from moved;
select sent from goals.message_stats;

-- After purge() and forget_user().
insert into emails select n, 'm', n, now() - interval '1 hour' from generate_series(4, 6) n;
select goals.forget_user(4);
select goals.purge(now() - interval '30 minutes');
with moved as (delete from emails_default returning *) insert into emails select * from moved;
select count(*) from goals.receipt;
select sent from goals.message_stats;
-- In two statements, and by way of a table of its own.
begin;
create temp table aside as select * from emails_default;
delete from emails_default;
insert into emails select * from aside;
commit;
select sent from goals.message_stats;
-- In two transactions it is known by its primary key.
insert into emails values (7, 'm', 7, now() - interval '1 hour');
create temp table aside_2 as select * from emails_default where id = 7;
delete from emails_default where id = 7;
insert into emails select * from aside_2;
select sent from goals.message_stats;
-- A row that is replaced by one of another user, or of another key, is a new send.
with gone as (delete from emails_default where id = 7 returning *) insert into emails select id, template, 8, sent_at, opened_at from gone;
with gone as (delete from emails_default where id = 7 returning *) insert into emails select 17, template, user_id, sent_at, opened_at from gone;
select user_id, count(*) from emails where user_id = 8 group by 1;
select user_key, count(*) from goals.receipt group by 1 order by 1;

-- Events without a primary key and without a time that is known. One inserted twice is two.
insert into log values (7, 'login');
with moved as (delete from log_default returning *) insert into log select * from moved;
select verdict, times_seen from goals.explain('m', 7) where goal = 'logins';
with moved as (delete from log_default returning *) insert into log select m.* from moved m, generate_series(1, 2);
select verdict, times_seen from goals.explain('m', 7) where goal = 'logins';

-- What is deleted in a savepoint that is rolled back is there; what is inserted then is new.
insert into log values (8, 'login');
begin;
savepoint s;
delete from log_default where user_id = 8;
rollback to s;
insert into log select * from log_default where user_id = 8;
commit;
select times_seen from goals.explain('m', 8) where goal = 'logins' order by 1;
select * from goals.verify();
select * from goals.health();
