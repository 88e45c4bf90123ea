set timezone = 'UTC';

-- a campaign of each project is made and started: all its messages are there at once, unrendered
insert into mailings_campaigns (project_id, subject) values (1, 'Spring'), (2, 'Blog news'), (1, 'A draft');
update mailings_campaigns set subject = 'Spring sale' where id = 2;
update mailings_campaigns set scheduled_for = now() where id in (2, 3);
insert into messages (project_id, campaign_id, contact_id, recipient_email)
select c.project_id, m.id, c.id, c.email from mailings_campaigns m join contacts c using (project_id)
where m.id in (2, 3) and c.status = 1;
-- and there are welcome mails, which belong to no campaign
insert into messages (project_id, contact_id, recipient_email, status)
select 1, id, email, 1 from contacts where id in (3, 4, 5);

-- bought a minute before the mail goes out
insert into shop_orders (email, total, placed_at) values ('person7@example.org', 70, now() - interval '1 minute');

-- the workers: rendered, queued, sent one after the other, or failed
update messages set status = 1 where status = 0;
update messages set status = 2, queued_at = now() where status = 1;
update messages set status = -1, failed_at = now(), updated_at = now()
where status = 2 and contact_id % 11 = 0 and campaign_id > 1;
update messages set status = 10, sent_at = now(), receipt = 'r' || id, updated_at = now()
where status = 2 and campaign_id is distinct from 1 and contact_id % 2 = 0;
-- some by a process in another time zone, which computes UTC itself
set timezone = 'Pacific/Auckland';
update messages set status = 10, sent_at = now() at time zone 'UTC', receipt = 'r' || id, updated_at = now()
where status = 2 and campaign_id is distinct from 1;
set timezone = 'UTC';
-- of the winter's messages, two were accepted by the provider eight days ago, which is found now; three go out late
update messages set status = 10, sent_at = now() - interval '8 days'
where campaign_id = 1 and status = 2 and contact_id in (56, 57);
update messages set status = 10, sent_at = now() where campaign_id = 1 and status = 2;
-- a worker that crashes after the mail has gone notes it as failed, once as failed and later as sent again
update messages set status = -1, failed_at = now() where campaign_id = 2 and contact_id in (8, 9);
update messages set status = 10, failed_at = null where campaign_id = 2 and contact_id = 9;
select pg_sleep(1.1);   -- these times are whole seconds

-- opens and clicks, set once; one of an old mail
update messages set opened_at = now()
where opened_at is null and sent_at is not null and campaign_id = 2 and contact_id % 2 = 0;
update messages set opened_at = now() where opened_at is null and campaign_id = 2 and contact_id in (13, 15, 17);
update messages set clicked_at = now() where campaign_id = 2 and sent_at is not null and contact_id % 7 = 0;
update messages set opened_at = now(), clicked_at = now() where campaign_id = 1 and contact_id in (2, 58);
-- bounces, a complaint, and unsubscribes, which are set on the contact as well
update messages set soft_bounce_received_at = now() where campaign_id = 2 and contact_id = 21;
update messages set hard_bounce_received_at = now() where campaign_id = 2 and contact_id in (23, 25);
update contacts set status = 3 where id in (23, 25);
update messages set complaint_received_at = now() where campaign_id = 2 and contact_id = 27;
update messages set unsubscribed_at = now() where campaign_id = 2 and contact_id in (12, 27, 28);
update contacts set status = 2, updated_at = now() where id in (12, 27, 28);

select goals.roll_up();

-- orders: placed at once, by address in another case, from a cart, before the mail but known only now, by strangers
insert into shop_orders (email, total, placed_at)
select 'PERSON' || n || '@example.org', 20 + n, clock_timestamp() from unnest(array[2, 3, 5, 8, 9, 22, 49, 56, 58]) n;
insert into shop_orders (email, total) select format('person%s@example.org', n), 5 + n from generate_series(30, 40) n;
update shop_orders set placed_at = clock_timestamp() where placed_at is null and id % 2 = 0;
insert into shop_orders (email, total, placed_at) values ('person13@example.org', 1, now() - interval '2 hours');
insert into shop_orders (email, total, placed_at) values ('stranger@example.org', 500, clock_timestamp());
insert into shop_orders (email, total, placed_at) values ('person2@example.org', 1000, clock_timestamp());

-- the plan of a contact is changed through the API, some of it by upsert
insert into contacts (project_id, email, data)
select 1, format('person%s@example.org', n), jsonb_build_object('plan', 'pro', 'plan_since', clock_timestamp())
from unnest(array[4, 6, 16, 61]) n
on conflict (email, project_id) do update set data = excluded.data, updated_at = now();
update contacts set data = data || jsonb_build_object('plan', 'pro', 'plan_since', clock_timestamp())
where id in (8, 19, 33, 57);
update contacts set first_name = 'Known', updated_at = now();

-- a contact who has ordered is deleted; so are messages that were not sent
delete from contacts where id = 49;
delete from messages where sent_at is null;
