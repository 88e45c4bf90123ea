-- the team counts the campaign of twenty days ago as well
select goals.record_sent('January news', array(
                             select subscriber_id from subscriber_lists where list_id = 2 and status = 'confirmed'),
                         sent_at => (select started_at from campaigns where name = 'January news'));

-- campaigns are made in the admin page; one of them remains a draft
insert into campaigns (name, subject, type) values
    ('March news', 'News of March', 'regular'), ('Spring offers', 'Offers', 'regular'),
    ('Please confirm', 'One click', 'optin'), ('To partners', 'Draft', 'regular');
insert into campaign_lists (campaign_id, list_id, list_name) values
    (2, 2, 'News'), (3, 1, 'Customers'), (3, 2, 'News'), (4, 2, 'News'), (5, 3, 'Partners');
\i :block_3

-- March news is scheduled; the job runs, twice; listmonk starts, sends in two batches, and counts
update campaigns set status = 'scheduled', send_at = now() + interval '1 minute' where id = 2;
\i :block_2
\i :block_2
update campaigns set status = 'running', started_at = clock_timestamp(), to_send = 34, max_subscriber_id = 70
where id = 2;
insert into mail_log
select 2, s.id, clock_timestamp() from subscriber_lists sl join subscribers s on s.id = sl.subscriber_id
where list_id = 2 and sl.status = 'confirmed' and s.status <> 'blocklisted' and s.id <= 40;
update campaigns set sent = (select count(*) from mail_log where campaign_id = 2), last_subscriber_id = 40 where id = 2;
insert into mail_log
select 2, s.id, clock_timestamp() from subscriber_lists sl join subscribers s on s.id = sl.subscriber_id
where list_id = 2 and sl.status = 'confirmed' and s.status <> 'blocklisted' and s.id > 40;
update campaigns
set sent = (select count(*) from mail_log where campaign_id = 2), last_subscriber_id = 70, status = 'finished'
where id = 2;

-- views and clicks: each load is a row; of some nothing is known but the campaign; one had no such mail
set time zone 'Pacific/Auckland';
insert into campaign_views (campaign_id, subscriber_id)
select campaign_id, subscriber_id from mail_log, generate_series(1, 2) where campaign_id = 2 and subscriber_id % 2 = 0;
reset time zone;
insert into campaign_views (campaign_id, subscriber_id) values (2, null), (2, null), (1, 20), (1, 22), (2, 3);
insert into link_clicks (campaign_id, link_id, subscriber_id)
select campaign_id, 1 + n % 2, subscriber_id from mail_log, generate_series(1, 3) n
where campaign_id = 2 and subscriber_id % 7 = 0;
insert into link_clicks (campaign_id, link_id, subscriber_id) values (2, 1, null), (null, 1, 20);
-- bounces, one without a campaign, and a complaint
insert into bounces (subscriber_id, campaign_id, type, source) values
    (17, 2, 'hard', 'smtp'), (19, 2, 'soft', 'smtp'), (19, 2, 'soft', 'smtp'), (23, 2, 'complaint', 'ses'),
    (25, null, 'hard', 'smtp');

select goals.roll_up();

-- they leave, by a link in the mail, or for good
update subscriber_lists set status = 'unsubscribed', updated_at = clock_timestamp()
where list_id = 2 and subscriber_id in (28, 31);
begin;
update subscribers set status = 'blocklisted' where id = 34;
update subscriber_lists set status = 'unsubscribed', updated_at = clock_timestamp() where subscriber_id = 34;
commit;
-- who has not confirmed cannot leave
update subscriber_lists set status = 'unsubscribed', updated_at = clock_timestamp()
where list_id = 2 and subscriber_id = 36;

-- the shop's import: who has bought the plan
insert into subscribers (uuid, email, name, attribs)
select gen_random_uuid(), format('sub%s@example.org', n), 'Subscriber ' || n,
       jsonb_build_object('plan', 'pro', 'plan_since', clock_timestamp())
from unnest(array[16, 22, 29, 44, 58, 80]) n
on conflict (email) do update set attribs = excluded.attribs, updated_at = now();

-- the offers go to two lists, and those who have not confirmed are asked to
update campaigns set status = 'scheduled', send_at = now() where id in (3, 4);
\i :block_2
update campaigns set status = 'running', started_at = clock_timestamp() where id in (3, 4);
insert into mail_log
select distinct on (s.id) 3, s.id, clock_timestamp()
from subscribers s join subscriber_lists sl on sl.subscriber_id = s.id
where s.status in ('enabled', 'disabled')
and (list_id, sl.status) in ((1, 'unconfirmed'), (1, 'confirmed'), (2, 'confirmed'));
insert into mail_log
select 4, s.id, clock_timestamp() from subscribers s join subscriber_lists sl on sl.subscriber_id = s.id
where s.status in ('enabled', 'disabled') and (list_id, sl.status) = (2, 'unconfirmed');
update campaigns set status = 'finished', sent = (select count(*) from mail_log where campaign_id = campaigns.id)
where id in (3, 4);
insert into campaign_views (campaign_id, subscriber_id)
select campaign_id, subscriber_id from mail_log where campaign_id in (3, 4) and subscriber_id % 5 < 2;

-- some confirm; one of them leaves again; an edit in the admin page writes all lists of a person again
update subscriber_lists set status = 'confirmed', meta = '{"optin_ip": "192.0.2.2"}', updated_at = clock_timestamp()
where list_id = 2 and subscriber_id in (18, 21, 24, 27, 33);
update subscriber_lists set status = 'unsubscribed', updated_at = clock_timestamp()
where list_id = 2 and subscriber_id = 33;
begin;
create temp table lists_of_43 on commit drop as select * from subscriber_lists where subscriber_id = 43;
delete from subscriber_lists where subscriber_id = 43;
insert into subscriber_lists table lists_of_43;
commit;
-- an admin takes one off the list; upgrades
with gone as (delete from subscriber_lists where subscriber_id = 46 and list_id = 2 returning *)
insert into exported_lists (subscriber_id, list_id, meta, status, updated_at)
select subscriber_id, list_id, meta, 'unsubscribed', clock_timestamp() from gone;
update subscribers
set attribs = attribs || jsonb_build_object('plan', 'pro', 'plan_since', clock_timestamp()), updated_at = now()
where id in (5, 7, 14, 31, 49);
update subscribers set attribs = attribs || '{"city": "Oslo"}', updated_at = now();

-- a person asks to be deleted
insert into exported_views select * from campaign_views where subscriber_id = 52;
insert into exported_lists select * from subscriber_lists where subscriber_id = 52;
delete from subscribers where id = 52;
