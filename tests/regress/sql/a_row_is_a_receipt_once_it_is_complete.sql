-- A row of a table of sends is a receipt the first time it is complete: message and user named, sent_at known, "only" fulfilled, at
-- its INSERT or by a later UPDATE. What happens to the row later changes nothing.
create table users (id bigint primary key, plan text default 'free');
insert into users select n from generate_series(1, 60) n;
create table queue (id bigserial primary key, campaign text, user_id bigint, status text default 'queued', sent_at timestamptz,
    delivered_at timestamptz, bounced_at timestamptz, opened_at timestamptz, clicked_at timestamptz, complained_at timestamptz,
    unsubscribed_at timestamptz, note text);
select from goals.track_users('users');
select from goals.track_receipts('queue', 'campaign', 'user_id', 'sent_at', 'opened_at', 'clicked_at', delivered_at => 'delivered_at',
    bounced_at => 'bounced_at', complained_at => 'complained_at', unsubscribed_at => 'unsubscribed_at',
    "only" => '{"status": ["sent", "read"]}');
select from goals.create_message('hello');
select from goals.set_goal('hello', 'plan', 'is', 'pro', '7 days');

-- Queued, nothing is recorded, nothing is noted: also where the message is not known.
insert into queue (campaign, user_id) select 'hello', n from generate_series(1, 20) n;
insert into queue (campaign, user_id) values ('nobody made it', 1), (null, 1), ('hello', null), ('hello', 999);
update queue set note = 'rendered';
select sent from goals.message_stats;
select * from goals.health();

-- Who matched while the row was queued has already matched when it is sent.
update users set plan = 'pro' where id <= 5;
update queue set sent_at = clock_timestamp() where user_id <= 10;
select sent from goals.message_stats;
update queue set status = 'sent' where user_id <= 10 and campaign = 'hello';
update users set plan = 'pro' where id between 6 and 8;
select sent, already_matched, matched from goals.message_stats;
select count(*) filter (where user_id <= 5) as already, count(*) filter (where user_id in (6, 7, 8)) as matched
from queue where sent_at is not null and status = 'sent';
-- The receipt has the time in the row.
select count(*) from goals.outcome o join queue q on q.user_id = o.user_key::bigint and q.sent_at = o.sent_at where q.campaign = 'hello';

-- Sent and opened by one UPDATE, and completed by the INSERT.
update queue set status = 'sent', sent_at = now() - interval '1 hour', delivered_at = now() - interval '50 minutes',
    opened_at = now() - interval '40 minutes', clicked_at = now() - interval '30 minutes' where user_id = 11;
insert into queue (campaign, user_id, status, sent_at, bounced_at) values ('hello', 21, 'sent', now() - interval '1 hour', now() - interval '59 minutes');
-- What happens later, in any order; the earliest time counts, an earlier one too.
update queue set delivered_at = now(), opened_at = now() where user_id = 6;
update queue set opened_at = now() - interval '20 minutes', status = 'read' where user_id = 11;
update queue set opened_at = now() - interval '45 minutes', clicked_at = now() - interval '35 minutes', delivered_at = now() - interval '55 minutes' where user_id = 11;
update queue set complained_at = now(), unsubscribed_at = now() where user_id = 7;
update queue set complained_at = now() - interval '2 days' where user_id = 7;
create view by_figures as select sent, delivered, bounced, opened, clicked, complained, unsubscribed from goals.message_stats where message = 'hello';
create view by_rows as select count(*) as sent, count(coalesce(delivered_at, opened_at, clicked_at)) as reached, count(bounced_at) as bounced,
    count(coalesce(opened_at, clicked_at)) as opened, count(clicked_at) as clicked, count(complained_at) as complained, count(unsubscribed_at) as unsubscribed
from queue where campaign = 'hello' and user_id in (select id from users) and sent_at is not null and status in ('sent', 'read');
select * from by_figures;
select * from by_rows;
-- explain() gives the earliest of each.
select date_trunc('minute', now() - x.opened_at) as opened, date_trunc('minute', now() - x.clicked_at) as clicked from goals.explain('hello', 11::bigint) x;

-- Later changes of the row: another status, no time, another user or message, all of it again, deleted: no receipt more or less.
select count(*) as before from goals.receipt \gset
update queue set status = 'archived' where user_id in (6, 7);
update queue set status = 'sent' where user_id in (6, 7);
update queue set sent_at = null where user_id = 8;
update queue set sent_at = clock_timestamp() where user_id = 8;
update queue set user_id = 30 where user_id = 9;
update queue set status = 'archived' where user_id = 30;
update queue set user_id = 31 where user_id = 30;
update queue set status = 'sent' where user_id = 31;
update queue set campaign = null where user_id = 10;
update queue set campaign = 'hello' where user_id = 10;
update queue set id = id + 1000, status = 'archived' where user_id = 6;
update queue set status = 'sent' where user_id = 6;
update queue set user_id = 32, status = 'archived' where user_id = 6;
update queue set status = 'sent', id = id + 1000 where user_id = 32;
delete from queue where user_id = 7;
select count(*) - :before as more from goals.receipt;
-- An open of a row that names another user by now is that of its receipt.
update queue set opened_at = clock_timestamp() where user_id = 31;
select user_key, opened_at is not null as opened from goals.outcome where message = 'hello' and user_key in ('9', '30', '31');
-- A row that is deleted and inserted again is the same send; one that was not complete is sent now.
select id as of_8 from queue where user_id = 8 \gset
delete from queue where user_id in (8, 12);
insert into queue (id, campaign, user_id, status, sent_at) values (:of_8, 'hello', 8, 'sent', now());
insert into queue (id, campaign, user_id, status, sent_at) values (12, 'hello', 12, 'sent', now());
select count(*) - :before as more from goals.receipt;

-- An open of a row that was never sent is nobody's, though the user has a receipt of the message.
insert into queue (campaign, user_id) values ('hello', 11);
update queue set opened_at = now() - interval '59 minutes' where status = 'queued' and user_id = 11;
select date_trunc('minute', now() - x.opened_at) as opened from goals.explain('hello', 11::bigint) x;

-- Complete under an unknown message, or for an unknown user: noted, and it stays unrecorded.
update queue set status = 'sent', sent_at = now() where campaign = 'nobody made it' or user_id = 999;
select problem, object from goals.health();
select from goals.create_message('nobody made it');
update queue set note = 'x', opened_at = now() where campaign = 'nobody made it';
update queue set campaign = 'hello' where campaign = 'nobody made it';
insert into users values (999);
update queue set sent_at = now() where user_id = 999;
select sent from goals.message_stats where message = 'nobody made it';
select count(*) - :before as more from goals.receipt;

-- What was complete before the table was tracked is not a receipt when it is updated later.
create table older (id bigint primary key, campaign text, user_id bigint, sent_at timestamptz);
insert into older values (1, 'hello', 40, now()), (2, 'hello', 41, null);
select from goals.track_receipts('older', 'campaign', 'user_id', 'sent_at');
update older set sent_at = clock_timestamp();
select user_key from goals.outcome where message = 'hello' and user_key in ('40', '41');

-- Without a primary key it is one each time it becomes complete.
create table keyless (campaign text, user_id bigint, sent_at timestamptz, opened_at timestamptz);
select from goals.track_receipts('keyless', 'campaign', 'user_id', 'sent_at', 'opened_at');
insert into keyless values ('hello', 42, null), ('hello', 43, '2024-01-01');
update keyless set sent_at = '2024-01-01 00:00+00' where user_id = 42;
update keyless set sent_at = '2024-02-01 00:00+00' where user_id = 42;
update keyless set sent_at = null where user_id = 42;
update keyless set opened_at = '2024-01-15 00:00+00' where user_id = 42;
update keyless set sent_at = '2024-03-01 00:00+00', opened_at = null where user_id = 42;
update keyless set opened_at = '2024-03-02 00:00+00' where user_id = 42;
select user_key, sent_at at time zone 'UTC' as sent, opened_at at time zone 'UTC' as opened from goals.outcome where message = 'hello' and user_key in ('42', '43') order by 1, 2;

-- What is rolled back was not sent; a savepoint too.
begin;
insert into queue (campaign, user_id) values ('hello', 50), ('hello', 51);
savepoint s;
update queue set status = 'sent', sent_at = now() where user_id = 50;
rollback to s;
update queue set status = 'sent', sent_at = now() where user_id = 51;
commit;
update queue set status = 'sent', sent_at = now() where user_id = 50;
update queue set status = 'sent', sent_at = now() where user_id = 51;
select user_key, count(*) from goals.outcome where message = 'hello' and user_key in ('50', '51') group by 1 order by 1;

-- A column that says whether a row was sent and is gone: nothing is read until the table is tracked again.
alter table queue rename column sent_at to dispatched_at;
insert into queue (campaign, user_id, status) values ('hello', 52, 'sent');
select count(*) from goals.outcome where user_key = '52';
select detail from goals.health() where problem = 'broken receipts table';
select * from goals.verify();
