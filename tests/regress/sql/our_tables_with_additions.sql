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
create index by_day on goals.receipt ((sent_at at time zone 'UTC')) where users_id = 1;
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
select count(*) from goals.receipt where users_id = 1 and (sent_at at time zone 'UTC') > '2020-01-01';
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
