-- two broadcasts are made; one is renamed before it is sent
insert into broadcasts
values ('b1', 'shop', 'Spring', 'draft', null, now(), null), ('b2', 'shop', 'Outlet', 'draft', null, now(), null);
update broadcasts set name = 'Spring sale' where id = 'b1';
update broadcasts set status = 'processing', started_at = now() where id in ('b1', 'b2');

-- bought and upgraded before
insert into custom_events (event_name, external_id, email, occurred_at, goal_type, goal_value)
values ('order', 'o1', 'c3@example.org', now(), 'purchase', 5);
update contacts set custom_string_1 = 'pro', updated_at = now() where email = 'c5@example.org';

-- the sender writes a row after each attempt, an A/B test of two templates; a failed one has failed_at at once
insert into message_history (id, contact_email, broadcast_id, template_id, sent_at, failed_at, status_info)
select 'h1-' || n, format('c%s@example.org', n), 'b1', case when n % 2 = 0 then 't1' else 't2' end, clock_timestamp(),
       case when n % 10 = 3 then clock_timestamp() end, case when n % 10 = 3 then '421 busy' end
from generate_series(1, 60) n;
-- a retry writes the same row again: some go, some fail again
insert into message_history (id, contact_email, broadcast_id, template_id, sent_at, failed_at)
select id, contact_email, broadcast_id, template_id, clock_timestamp(),
       case when contact_email = 'c13@example.org' then clock_timestamp() end
from message_history where broadcast_id = 'b1' and failed_at is not null and contact_email <> 'c53@example.org'
on conflict (id) do update set sent_at = excluded.sent_at, failed_at = excluded.failed_at, updated_at = now();
-- the other one waited in the queue, half of it for eight days: sent_at is when it was queued
insert into message_history (id, contact_email, broadcast_id, template_id, sent_at)
select 'h2-' || n, format('c%s@example.org', n), 'b2', 't3',
       now() - case when n % 2 = 0 then interval '8 days' else interval '1 hour' end
from generate_series(1, 30) n;
-- an automation and a transactional mail, of no broadcast; a contact who is not known
insert into message_history (id, contact_email, automation_id, template_id, sent_at)
values ('h3', 'c1@example.org', 'a1', 't4', now()), ('h4', 'c2@example.org', null, 't5', now());
insert into message_history (id, contact_email, broadcast_id, template_id, sent_at)
values ('h5', 'nobody@example.org', 'b1', 't1', now());

-- the provider's webhooks: delivered, bounced, opened, clicked (which sets opened_at in a second statement), complained
update message_history set delivered_at = clock_timestamp()
where broadcast_id = 'b1' and failed_at is null and right(id, 1) not in ('1', '9');
update message_history set bounced_at = clock_timestamp()
where broadcast_id = 'b1' and failed_at is null and right(id, 1) = '9';
set time zone 'Asia/Kolkata';
update message_history set opened_at = clock_timestamp()
where broadcast_id = 'b1' and failed_at is null and right(id, 1) in ('2', '4');
reset time zone;
update message_history set clicked_at = clock_timestamp()
where broadcast_id = 'b1' and failed_at is null and right(id, 1) in ('4', '6');
update message_history set opened_at = clicked_at
where broadcast_id = 'b1' and clicked_at is not null and opened_at is null;
update message_history set complained_at = clock_timestamp() where id in ('h1-22', 'h2-3');
update message_history set unsubscribed_at = clock_timestamp() where id in ('h1-22', 'h1-24', 'h2-5');
update message_history set opened_at = clock_timestamp() where broadcast_id = 'b0' and right(id, 13) = '0@example.org';
-- a failure that is known later
update message_history set failed_at = clock_timestamp(), status_info = 'not sent after all' where id = 'h1-30';

select goals.roll_up();

-- orders come in, some twice: the upsert moves occurred_at; some are none, were before the mail, or are deleted
insert into custom_events (event_name, external_id, email, occurred_at, goal_type, goal_value)
select 'order', 'o-' || n, format('c%s@example.org', n), clock_timestamp(), 'purchase', 100 + n
from unnest(array[2, 4, 6, 9, 13, 14, 23, 30, 53, 62]) n;
insert into custom_events (event_name, external_id, email, occurred_at, goal_type, goal_value)
select 'order', 'o-' || n, format('c%s@example.org', n), clock_timestamp(), 'purchase', 100 + n
from unnest(array[4, 6]) n
on conflict (event_name, external_id) do update
set occurred_at = excluded.occurred_at, goal_value = excluded.goal_value, updated_at = now();
insert into custom_events (event_name, external_id, email, occurred_at)
values ('order', 'o-quote', 'c16@example.org', now());
insert into custom_events (event_name, external_id, email, occurred_at, goal_type, goal_value)
values ('order', 'o-late', 'c17@example.org', now() - interval '9 days', 'purchase', 40),
       ('order', 'o-more', 'c2@example.org', clock_timestamp(), 'purchase', 1000);
insert into custom_events (event_name, external_id, email, occurred_at, goal_type, goal_value, deleted_at)
values ('order', 'o-gone', 'c18@example.org', clock_timestamp(), 'purchase', 60, now());

-- plans, by upsert and by update; the other columns all the time
insert into contacts (email, custom_string_1)
select format('c%s@example.org', n), 'pro' from unnest(array[7, 11, 12, 13, 70]) n
on conflict (email) do update set custom_string_1 = excluded.custom_string_1, updated_at = now();
update contacts set custom_number_1 = coalesce(custom_number_1, 0) + 1, updated_at = now();
update contacts set custom_string_1 = 'free' where email = 'c7@example.org';

-- the segment is computed again: all of it is replaced, and three are new
begin;
create temp table vip on commit drop as
select email from contact_segments where segment_id = 'vip' and email <> 'c8@example.org'
union select format('c%s@example.org', n) from unnest(array[4, 6, 14]) n;
delete from contact_segments where segment_id = 'vip' and email not in (table vip);
insert into contact_segments select email, 'vip', 2, now() from vip
on conflict (email, segment_id) do update set version = excluded.version, matched_at = excluded.matched_at;
commit;

-- a contact is deleted, whose history Notifuse keeps under another address
delete from contacts where email = 'c60@example.org';
delete from contact_segments where email = 'c60@example.org';
update message_history set contact_email = 'deleted-user' where contact_email = 'c60@example.org';
-- old history is removed
delete from message_history where broadcast_id = 'b0';
