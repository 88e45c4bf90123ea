set time zone 'UTC';
-- what Rails writes
create function utc() returns timestamp language sql volatile as $$ select clock_timestamp() at time zone 'UTC' $$;

-- a comment is delivered to those who follow the post: the event and its notifications, in one transaction
begin;
insert into noticed_events (type, record_type, record_id, params, created_at, updated_at, notifications_count)
values ('NewCommentNotifier', 'Post', 1, '{}', utc(), utc(), 44);
insert into noticed_notifications (type, event_id, recipient_type, recipient_id, created_at, updated_at)
select 'NewCommentNotifier::Notification', 2, 'User', id, now(), now() from users where id <= 40;
-- teams follow posts too
insert into noticed_notifications (type, event_id, recipient_type, recipient_id, created_at, updated_at)
select 'NewCommentNotifier::Notification', 2, 'Team', id, now(), now() from teams where id <= 4;
commit;
-- and another one, whose delivery is rolled back and tried again
begin;
insert into noticed_events (type, created_at, updated_at) values ('NewCommentNotifier', now(), now());
insert into noticed_notifications (type, event_id, recipient_type, recipient_id, created_at, updated_at)
select 'NewCommentNotifier::Notification', 3, 'User', id, now(), now() from users where id between 30 and 50;
rollback;
begin;
insert into noticed_events (type, created_at, updated_at) values ('NewCommentNotifier', now(), now());
insert into noticed_notifications (type, event_id, recipient_type, recipient_id, created_at, updated_at)
select 'NewCommentNotifier::Notification', 4, 'User', id, now(), now() from users where id between 30 and 50;
commit;

-- the job that tells whose trial ends, on a server that is in another time zone; two were told nine days ago
set time zone 'Asia/Tokyo';
insert into noticed_events (type, created_at, updated_at) values ('TrialEndsNotifier', utc(), utc());
insert into noticed_notifications (type, event_id, recipient_type, recipient_id, created_at, updated_at)
select 'TrialEndsNotifier::Notification', 5, 'User', id, utc(), utc()
from users where id between 8 and 66;
insert into noticed_notifications (type, event_id, recipient_type, recipient_id, created_at, updated_at)
select 'TrialEndsNotifier::Notification', 5, 'User', id, utc() - interval '9 days', utc()
from users where id in (67, 68);
set time zone 'UTC';
-- what no one measures, and a type that has been lost
insert into noticed_notifications (type, event_id, recipient_type, recipient_id, created_at, updated_at)
values ('BackupDoneNotifier::Notification', 5, 'User', 1, now(), now()), (null, 5, 'User', 2, now(), now());

-- seen in the list, read by a click, marked as unread, and read again
update noticed_notifications set seen_at = utc(), updated_at = utc()
where recipient_type = 'User' and recipient_id between 5 and 36 and event_id > 1;
update noticed_notifications set seen_at = utc(), read_at = utc(),
    updated_at = utc()
where recipient_type = 'Team';
update noticed_notifications set read_at = utc()
    where recipient_type = 'User' and recipient_id between 20 and 33 and event_id > 1;
create table marked as select id, read_at from noticed_notifications
    where recipient_type = 'User' and recipient_id in (21, 22);
update noticed_notifications set read_at = null where recipient_type = 'User' and recipient_id in (21, 22);
update noticed_notifications set read_at = utc()
    where recipient_type = 'User' and recipient_id = 21 and event_id > 1;
-- read without having been seen in the list
update noticed_notifications set read_at = utc()
    where recipient_type = 'User' and recipient_id in (38, 39) and event_id > 1;

select goals.roll_up();

set time zone 'Asia/Tokyo';
-- a notification of 20 hours ago
insert into noticed_notifications (type, event_id, recipient_type, recipient_id, created_at, updated_at)
select 'NewCommentNotifier::Notification', 2, 'User', id, utc() - interval '20 hours', utc()
from users where id in (60, 61);

-- comments, and upgrades
insert into comments (user_id, post_id, body, created_at, updated_at)
select id, id % 4, 'I think so too', utc(), utc() from users
where id in (3, 6, 21, 22, 30, 31, 36, 38, 41, 50, 60);
insert into comments (user_id, post_id, body, created_at, updated_at)
values (6, 1, 'And again', utc(), utc()), (33, 1, 'Imported', utc() - interval '5 hours', utc()),
    (null, 1, 'Of no one', utc(), utc());
with u as (update users set plan = 'pro' where id in (8, 9, 10, 25, 33, 67, 69) returning id, plan)
insert into plan_changes select id, plan, clock_timestamp() from u;
with u as (update users set plan = 'trial' where id = 9 returning id, plan)
insert into plan_changes select id, plan, clock_timestamp() from u;
with u as (update users set plan = 'team' where id in (12, 50) returning id, plan)
insert into plan_changes select id, plan, clock_timestamp() from u;
with u as (update users set plan = 'pro' where id in (12, 50) returning id, plan)
insert into plan_changes select id, plan, clock_timestamp() from u;

-- a user, and an event with its notifications, are deleted
create table old_notifications as select * from noticed_notifications where event_id = 4;
create table old_comments as select * from comments where user_id = 31;
delete from users where id = 31;
delete from noticed_notifications where event_id = 4;
delete from noticed_events where id = 4;
