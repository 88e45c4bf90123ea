set timezone = 'UTC';

-- a campaign is made and begins: a row for each contact of its audience
insert into campaigns (display_id, title, message, account_id, inbox_id, campaign_type, scheduled_at)
values (3, 'Spring offer', 'Ten per cent off', 1, 2, 1, now());
update campaigns set started_at = clock_timestamp(), campaign_status = 1 where title = 'Spring offer';
insert into campaign_recipients (account_id, campaign_id, contact_id, inbox_id, created_at, updated_at)
select 1, c.id, k.id, 2, clock_timestamp(), clock_timestamp() from campaigns c, contacts k
where c.title = 'Spring offer' and k.id <= 60;

-- meanwhile people write, on their own
insert into messages (content, account_id, conversation_id, message_type, sender_type, sender_id, created_at)
select 'Hello?', 1, id, 0, 'Contact', contact_id, clock_timestamp() from conversations where contact_id in (5, 10);

-- sent one by one; some have no phone number or are refused; a batch by a job that computes UTC itself
update campaign_recipients set status = 5, error_title = 'no phone number'
where campaign_id = 3 and contact_id % 13 = 0;
update campaign_recipients set status = 4, failed_at = clock_timestamp(), error_title = 'not opted in'
where campaign_id = 3 and status = 0 and contact_id % 10 = 7;
update campaign_recipients set status = 1, source_id = 'w' || id, sent_at = clock_timestamp()
where campaign_id = 3 and status = 0 and contact_id % 2 = 0;
set timezone = 'Pacific/Auckland';
update campaign_recipients set status = 1, source_id = 'w' || id, sent_at = clock_timestamp() at time zone 'UTC'
where campaign_id = 3 and status = 0;
set timezone = 'UTC';
-- one of the refused is tried again
update campaign_recipients set status = 1, failed_at = null, sent_at = clock_timestamp()
where campaign_id = 3 and contact_id = 37;
-- contacts for whom the provider confirms only now what was sent ten days ago
insert into campaign_recipients (account_id, campaign_id, contact_id, inbox_id, status, sent_at)
select 1, 3, id, 2, 1, now() - interval '10 days' from contacts where id > 60;

-- webhooks: delivered, read (some of them without delivered), failed after all
update campaign_recipients set status = 2, delivered_at = clock_timestamp()
where campaign_id = 3 and status = 1 and contact_id % 3 > 0;
update campaign_recipients set status = 3, read_at = clock_timestamp()
where campaign_id = 3 and status in (1, 2) and contact_id % 4 = 0;
update campaign_recipients set status = 4, failed_at = clock_timestamp(), error_title = 'undeliverable'
where campaign_id = 3 and contact_id in (21, 23);
update campaign_recipients set status = 3, read_at = clock_timestamp() where campaign_id = 2 and contact_id = 4;

select goals.roll_up();

-- replies: each opens a conversation; one is written by a process elsewhere; agents answer; one contact writes twice;
-- what two of them wrote before is imported
insert into conversations (account_id, inbox_id, contact_id, created_at)
select 1, 2, n, clock_timestamp() from unnest(array[2, 4, 7, 8, 12, 15, 21, 37, 62]) n;
insert into messages (content, account_id, conversation_id, message_type, sender_type, sender_id, created_at)
select 'Yes', 1, id, 0, 'Contact', contact_id, clock_timestamp() from conversations
where inbox_id = 2 and contact_id <> 8;
set timezone = 'Pacific/Auckland';
insert into messages (content, account_id, conversation_id, message_type, sender_type, sender_id, created_at)
select 'Yes', 1, id, 0, 'Contact', contact_id, clock_timestamp() at time zone 'UTC' from conversations
where inbox_id = 2 and contact_id = 8;
set timezone = 'UTC';
insert into messages (content, account_id, conversation_id, message_type, sender_type, sender_id, created_at)
values ('Hi', 1, 0, 0, 'Contact', 6, now() - interval '2 days'),
       ('Hi', 1, 0, 0, 'Contact', 9, now() - interval '2 hours');
insert into messages (content, account_id, conversation_id, message_type, sender_type, sender_id, created_at)
select 'And?', 1, id, 0, 'Contact', contact_id, clock_timestamp() from conversations
where inbox_id = 2 and contact_id = 2;
insert into messages (content, account_id, conversation_id, message_type, sender_type, sender_id, created_at)
select 'Thank you', 1, id, 1, 'User', 1 + contact_id, clock_timestamp() from conversations where inbox_id = 2;

-- two contacts are found to be one: what is open passes to the other
update conversations set contact_id = 42, updated_at = clock_timestamp() where contact_id = 40;
delete from contacts where id = 40;
\i :block_2

-- conversations are resolved, some opened again and resolved again
update conversations set status = 3, updated_at = clock_timestamp() where contact_id = 4;
update conversations set status = 1, updated_at = clock_timestamp()
where contact_id in (2, 4, 15, 30, 42, 55, 63) and status <> 1;
update conversations set status = 0 where contact_id = 30;
update conversations set status = 1 where contact_id = 30;
insert into conversations (account_id, inbox_id, contact_id, status, created_at, updated_at)
values (1, 1, 16, 1, clock_timestamp(), clock_timestamp());

-- an agent notes the plan; a contact is deleted with all that is there
update contacts
set custom_attributes = custom_attributes || jsonb_build_object('plan', 'pro', 'plan_since', clock_timestamp())
where id in (1, 2, 13, 16, 37, 42, 61);
update contacts set last_activity_at = now(), updated_at = now();
delete from messages where sender_id = 60 and sender_type = 'Contact';
delete from contacts where id = 60;
