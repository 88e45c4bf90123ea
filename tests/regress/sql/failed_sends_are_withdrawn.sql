-- A time of failing withdraws the receipt of its row, as goals.withdraw() does; without it the row is a send again, judged then.
create table users (id bigint primary key, plan text default 'free');
insert into users select n from generate_series(1, 40) n;
create table sends (id bigserial primary key, message text, user_id bigint, status text default 'sent', sent_at timestamptz default clock_timestamp(),
    opened_at timestamptz, failed_at timestamptz, arm text);
select from goals.track_users('users');
select from goals.track_receipts('sends', 'message', 'user_id', 'sent_at', 'opened_at', variant => 'arm', failed_at => 'failed_at',
    "only" => '{"status": "sent"}');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '7 days');
create view by_figures as select sent, opened, already_matched, matched from goals.message_stats where message = 'm';
-- The same from the application's own table: what was sent and has not failed.
create view by_rows as select count(*) as sent, count(opened_at) as opened from sends where message = 'm' and sent_at is not null and failed_at is null;
create view receipts as select r.user_key, count(*) as receipts, count(w.receipt_id) as withdrawn, max(w.times) as times
from goals.receipt r left join (select receipt_id, count(*) as times from goals.engagement where kind = 'w' group by 1) w using (receipt_id) group by 1;

insert into sends (message, user_id) select 'm', n from generate_series(1, 10) n;
-- A row that has failed from the start is no receipt.
insert into sends (message, user_id, failed_at) select 'm', n, now() from generate_series(11, 12) n;
select * from by_figures; select * from by_rows;
update sends set failed_at = clock_timestamp() where user_id in (1, 2, 3);
update sends set failed_at = clock_timestamp() + interval '1 s' where user_id in (1, 2, 3);
select * from by_figures; select * from by_rows;
select * from receipts where withdrawn > 0 order by user_key;

-- A retry: what the user has by then is already matched.
update users set plan = 'pro' where id in (2, 4);
update sends set failed_at = null, sent_at = clock_timestamp() where user_id in (2, 3, 11);
update users set plan = 'pro' where id in (3, 11);
select * from by_figures; select * from by_rows;
select user_key, already_matched, matched_at is not null as matched from goals.outcome where message = 'm' and user_key in ('2', '3', '4', '11') order by user_key::int;
-- The open is that of the last.
update sends set opened_at = clock_timestamp() where user_id in (1, 3, 4);
select user_key, opened_at is not null as opened from goals.outcome where message = 'm' and user_key in ('3', '4') order by 1;
-- Failed and tried again in steps, more than once, with a status in between: one that counts.
update sends set failed_at = clock_timestamp(), status = 'failed' where user_id = 5;
update sends set failed_at = null, status = 'queued' where user_id = 5;
select * from receipts where user_key = '5';
update sends set status = 'sent' where user_id = 5;
update sends set status = 'failed' where user_id = 5;
update sends set failed_at = clock_timestamp() where user_id = 5;
select * from receipts where user_key = '5';
update sends set failed_at = null where user_id = 5;
update sends set status = 'sent' where user_id = 5;
select * from receipts where user_key = '5';
-- Failed and repaired by the statements of one transaction; what is rolled back was not.
begin; update sends set failed_at = now() where user_id = 6; update sends set failed_at = null where user_id = 6; commit;
begin; update sends set failed_at = now() where user_id = 7; rollback;
select * from receipts where user_key in ('6', '7') order by 1;
-- A row never sent fails, and a queue row is tried again
insert into sends (message, user_id, status) values ('m', 1, 'queued'), ('m', 13, 'queued');
update sends set failed_at = now() where status = 'queued';
update sends set failed_at = null, status = 'sent' where user_id = 13;
select * from receipts where user_key in ('1', '13') order by 1;
-- The row names another user or message by now, has another key, or is deleted and inserted again with its failure.
update sends set user_id = 20 where user_id = 8;
update sends set failed_at = now() where user_id = 20;
update sends set user_id = 21, message = null, failed_at = now() where user_id = 9;
update sends set id = id + 1000 where user_id = 10;
update sends set failed_at = now() where user_id = 10;
insert into sends (id, message, user_id) values (500, 'm', 14), (501, 'm', 15);
delete from sends where id in (500, 501);
insert into sends (id, message, user_id, failed_at) values (500, 'm', 14, now()), (501, 'm', 15, now());
select * from receipts where user_key in ('8', '9', '10', '14', '15') order by user_key::int;
delete from sends where id = 501;
insert into sends (id, message, user_id) values (501, 'm', 15);
select * from receipts where user_key = '15';
select * from by_figures; select * from by_rows;

-- Withdrawn by hand and then failed: once. A one_off message whose send failed is delivered again.
insert into sends (message, user_id) values ('m', 16);
select goals.withdraw(receipt_id) from goals.receipt where user_key = '16';
update sends set failed_at = now() where user_id = 16;
select * from receipts where user_key = '16';
select from goals.create_message('offer', kind => 'one_off');
insert into sends (message, user_id) values ('offer', 17);
select repeated from goals.deliver('offer', 17);
update sends set failed_at = now() where user_id = 17;
select repeated from goals.deliver('offer', 17);

-- Who is held back was sent nothing, and an entry into a programme stays.
select from goals.create_message('series', kind => 'programme');
select from goals.create_message('first', part_of => 'series');
select from goals.create_message('test');
select from goals.add_variant('test', 'a');
select from goals.set_control_group('test', 0.2);
insert into sends (message, user_id, arm) values ('first', 18, null), ('series', 19, null), ('test', 22, 'control'), ('test', 23, 'a');
update sends set failed_at = now() where message in ('first', 'series', 'test');
select v.message_id = p.message_id as of_programme, user_key, w.kind from goals.receipt r join goals.revision v using (revision_id)
left join goals.engagement w using (receipt_id), (select message_id from goals.message where name = 'series') p where user_key in ('18', '19', '22', '23') order by 2, 1;

-- Without a primary key: the receipt with this time of sending, never another one.
create table keyless (message text, user_id bigint, sent_at timestamptz, failed_at timestamptz);
select from goals.track_receipts('keyless', 'message', 'user_id', 'sent_at', failed_at => 'failed_at');
insert into keyless values ('m', 30, '2024-01-01 00:00+00'), ('m', 30, '2024-01-02 00:00+00'), ('m', 31, '2024-01-01 00:00+00'), ('m', 31, null);
update keyless set failed_at = now() where user_id = 30 and sent_at < '2024-01-02 00:00+00';
update keyless set failed_at = now() where user_id = 31 and sent_at is null;
select user_key, sent_at at time zone 'UTC' as sent from goals.outcome where message = 'm' and user_key in ('30', '31') order by 1, 2;
update keyless set failed_at = null where user_id = 30;
select count(*) from goals.outcome where message = 'm' and user_key = '30';
-- Where sent_at is not tracked, the newest.
create table bare (message text, user_id bigint, failed_at timestamptz);
select from goals.track_receipts('bare', 'message', 'user_id', failed_at => 'failed_at');
insert into bare values ('m', 32);
update bare set failed_at = now();
select * from receipts where user_key = '32';
select goals.roll_up() > 0 as rolled;
select * from goals.verify();
select problem, object from goals.health();
