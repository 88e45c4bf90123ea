-- the application's numbers for users
create function u(n int) returns uuid language sql immutable as $$
    select ('0198aaaa-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid
$$;
\set spring '0198cccc-0000-7000-8000-000000000001'
\set cart   '0198cccc-0000-7000-8000-000000000002'
\set shop   '0198bbbb-0000-7000-8000-000000000001'
\set order  '0198eeee-0000-7000-8000-000000000001'

-- bought, upgraded and unsubscribed before
insert into user_events (user_id, event_id, data) values (u(1), :'order', '{"total": 11}');
update users set data = data || jsonb_build_object('plan', 'pro', 'plan_since', clock_timestamp()) where id = u(2);
begin;
update users set unsubscribe_ids = unsubscribe_ids || '0198dddd-0000-7000-8000-000000000001'::uuid where id = u(3);
insert into user_events (user_id, event_id, created_at)
select u(3), id, clock_timestamp() from events where name = 'unsubscribed';
commit;

-- a broadcast of the campaign: rows are scheduled, once per user however often they are published
insert into user_inbox_messages (project_id, user_id, external_id, channel, campaign_id, broadcast_id, source)
select project_id, id, 'spring-' || external_id, 'email', :'spring', '0198ffff-0000-7000-8000-000000000001', 'broadcast'
from users where project_id = :'shop' and id <= u(50)
on conflict do nothing;
insert into user_inbox_messages (project_id, user_id, external_id, channel, campaign_id, broadcast_id, source)
select project_id, id, 'spring-' || external_id, 'email', :'spring', '0198ffff-0000-7000-8000-000000000001', 'broadcast'
from users where project_id = :'shop' and id <= u(5)
on conflict do nothing;
-- sent in batches, some fail for good, some are still waiting in the evening
update user_inbox_messages set sent_at = clock_timestamp()
where campaign_id = :'spring' and sent_at is null and user_id <= u(25);
update user_inbox_messages set failed_at = clock_timestamp(), failure_reason = 'suppressed'
where campaign_id = :'spring' and sent_at is null and user_id in (u(30), u(36), u(41));
update user_inbox_messages set sent_at = clock_timestamp()
where campaign_id = :'spring' and sent_at is null and failed_at is null and user_id <= u(48);
-- a journey sends the reminder of the cart into the inbox, to some twice; what the API sends has no campaign
insert into user_events (user_id, event_id, data)
select u(n), id, '{"items": 2}' from events e, generate_series(10, 40, 2) n where e.name = 'cart_filled';
insert into user_inbox_messages (project_id, user_id, channel, campaign_id, source, sent_at)
select :'shop', user_id, 'inbox', :'cart', 'journey', clock_timestamp()
from user_events where data ? 'items' and user_id <> u(40);
insert into user_inbox_messages (project_id, user_id, channel, campaign_id, source, sent_at)
select :'shop', u(n), 'inbox', :'cart', 'journey', clock_timestamp() from unnest(array[10, 20]) n;
insert into user_inbox_messages (project_id, user_id, channel, campaign_id, source, sent_at)
select :'shop', u(n), 'inbox', :'cart', 'journey', now() - interval '5 days' from unnest(array[41, 42, 43]) n;
insert into user_inbox_messages (project_id, user_id, channel, source, sent_at)
values (:'shop', u(8), 'push', 'inbox', clock_timestamp());
-- a campaign that pg_goals was not told of
insert into user_inbox_messages (project_id, user_id, channel, campaign_id, sent_at)
values ('0198bbbb-0000-7000-8000-000000000002', u(65), 'email', '0198cccc-0000-7000-8000-000000000009',
        clock_timestamp());

-- read, archived, and deleted by the reader
set time zone 'Asia/Tokyo';
update user_inbox_messages set read_at = clock_timestamp()
where campaign_id = :'cart' and user_id in (u(10), u(14), u(18), u(42));
reset time zone;
update user_inbox_messages set archived_at = clock_timestamp() where campaign_id = :'cart' and user_id = u(14);
update user_inbox_messages set deleted_at = clock_timestamp() where campaign_id = :'cart' and user_id = u(16);

select goals.roll_up();

-- orders: two of one user, one from before the mail that is reported late, one of the other project
insert into user_events (user_id, event_id, data, created_at)
select u(n), :'order', jsonb_build_object('total', 10 * n), clock_timestamp()
from unnest(array[4, 10, 14, 22, 36, 42, 45, 49, 55]) n;
insert into user_events (user_id, event_id, data, created_at) values
    (u(4), :'order', '{"total": 1}', clock_timestamp()), (u(12), :'order', '{"total": 13}', now() - interval '1 hour'),
    (u(66), '0198eeee-0000-7000-8000-000000000004', '{"total": 99}', clock_timestamp());

-- profiles: an upsert writes all of data, other keys change, a plan goes away again
insert into users (project_id, external_id, data)
select :'shop', 'u' || n, jsonb_build_object('plan', 'pro', 'plan_since', clock_timestamp())
from unnest(array[6, 7, 15, 41, 99]) n
on conflict (project_id, external_id) do update set data = users.data || excluded.data
where users.data ->> 'plan' is distinct from 'pro';
update users set data = data || '{"city": "Lund"}';
update users set data = data - 'plan' where id = u(15);

-- unsubscribed
begin;
update users set unsubscribe_ids = unsubscribe_ids || '0198dddd-0000-7000-8000-000000000001'::uuid
where id in (u(9), u(10), u(50));
insert into user_events (user_id, event_id, created_at)
select u(n), id, clock_timestamp() from events, unnest(array[9, 10, 50]) n where name = 'unsubscribed';
commit;
update users set unsubscribe_ids = unsubscribe_ids || '0198dddd-0000-7000-8000-000000000002'::uuid
where id in (u(11), u(12));

-- old messages are removed, and a user, with all messages
delete from user_inbox_messages where user_id in (u(59), u(60));
create table kept_for_the_figures as select * from user_inbox_messages where user_id = u(18);
delete from users where id = u(18);
