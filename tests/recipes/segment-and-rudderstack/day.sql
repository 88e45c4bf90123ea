set time zone 'America/Chicago';

-- the first load: mails that went out an hour ago, their opens and clicks
insert into shop.email_delivered (id, user_id, email_id, campaign_id, campaign_name, received_at, timestamp)
select 'd' || n, 'u' || n, 'e' || n, '17', 'Spring sale', now(), now() - interval '60 minutes' - n * interval '1 second'
from generate_series(1, 40) n;
insert into shop.email_delivered (id, user_id, email_id, campaign_id, campaign_name, received_at, timestamp)
select 'o' || n, 'u' || n, 'f' || n, '18', 'Onboarding 1', now(), now() - interval '50 minutes'
    from generate_series(25, 64) n;
-- to no user, to one who was never identified, of no campaign, of one without a message, and of last month
insert into shop.email_delivered (id, user_id, campaign_name, received_at, timestamp) values
    ('x1', null, 'Spring sale', now(), now()), ('x2', 'u99', 'Spring sale', now(), now()),
    ('x3', 'u1', null, now(), now()), ('x4', 'u1', 'Receipt', now(), now());
insert into shop.email_delivered (id, user_id, campaign_name, received_at, timestamp)
select 'm' || n, 'u' || n, 'Spring sale', now(), now() - interval '30 days' from generate_series(66, 68) n;
insert into shop.email_opened (id, user_id, campaign_name, received_at, timestamp)
select 'op' || n, 'u' || n, 'Spring sale', now(), now() - interval '40 minutes' from generate_series(2, 40, 2) n;
insert into shop.email_opened (id, user_id, campaign_name, received_at, timestamp)
select 'oq' || n, 'u' || n, 'Spring sale', now(), now() - interval '30 minutes' from generate_series(2, 12, 2) n;
insert into shop.email_opened (id, user_id, campaign_name, received_at, timestamp)
select 'or' || n, 'u' || n, 'Onboarding 1', now(), now() - interval '40 minutes' from generate_series(30, 47) n;
insert into shop.email_link_clicked (id, user_id, campaign_name, received_at, timestamp, link_url)
select 'c' || n, 'u' || n, 'Spring sale', now(), now() - interval '35 minutes', 'https://example.com'
    from generate_series(3, 40, 9) n;
insert into shop.email_marked_as_spam (id, user_id, campaign_name, received_at, timestamp)
    values ('s1', 'u5', 'Spring sale', now(), now());
insert into shop.unsubscribed (id, user_id, campaign_name, received_at, timestamp)
select 'un' || n, 'u' || n, 'Spring sale', now(), now() from unnest('{5,6,7}'::int[]) n;
-- an open of a mail that the warehouse does not have
insert into shop.email_opened (id, user_id, campaign_name, received_at, timestamp)
    values ('op99', 'u69', 'Spring sale', now(), now());

-- the second load, of the application: users are merged, orders were made before and after the mails
begin;
create temp table staging as
select 'i' || n as id, 'u' || n as user_id, 'user' || n || '@example.org' as email,
    case when n % 4 = 0 then 'pro' else 'team' end as plan
from unnest('{10,24,28,29,30,31,32,36,44,48,49,65,71,72}'::int[]) n;
insert into shop.identifies (id, user_id, email, plan, received_at, timestamp)
select id, user_id, email, plan, clock_timestamp(), now() - interval '20 minutes' from staging;
insert into shop.users (id, email, plan, received_at) select user_id, email, plan, clock_timestamp() from staging
on conflict (id) do update set plan = excluded.plan, email = excluded.email, received_at = excluded.received_at;
drop table staging;
commit;
insert into shop.order_completed (id, user_id, event, order_id, revenue, coupon, received_at, timestamp)
select 'oc' || n, 'u' || n, 'order_completed', n, n + 0.25, case when n % 2 = 1 then 'SPRING' end, now(),
    now() - interval '25 minutes'
from unnest('{1,2,3,11,20,33,50,66}'::int[]) n;
insert into shop.order_completed (id, user_id, anonymous_id, event, order_id, revenue, received_at, timestamp) values
    ('oc100', 'u4', 'a', 'order_completed', '100', 900, now(), now() - interval '2 hours'),
    ('oc101', 'u1', 'a', 'order_completed', '101', 900, now(), now() - interval '1 minute'),
    ('oc102', null, 'a', 'order_completed', '102', 900, now(), now());

select goals.roll_up();

-- the third load: here orders, opens and identifies came before the mails
insert into shop.order_completed (id, user_id, event, order_id, revenue, coupon, received_at, timestamp)
select 'oc' || n, 'u' || n, 'order_completed', n, n + 0.25, 'SPRING', now(), now() - interval '2 minutes'
from unnest('{41,42,43,60}'::int[]) n;
insert into shop.email_opened (id, user_id, campaign_name, received_at, timestamp)
select 'op' || n, 'u' || n, 'Spring sale', now(), now() - interval '3 minutes' from generate_series(42, 46) n;
insert into shop.email_delivered (id, user_id, email_id, campaign_id, campaign_name, received_at, timestamp)
select 'd' || n, 'u' || n, 'e' || n, '17', 'Spring sale', now(), now() - interval '10 minutes'
from generate_series(41, 50) n;
insert into shop.email_delivered (id, user_id, email_id, campaign_id, campaign_name, received_at, timestamp)
values ('o65', 'u65', 'f65', '18', 'Onboarding 1', now(), now() - interval '45 minutes');
\i :block_2

-- a load is repeated: the loader replaces the rows of the same ids
begin;
create temp table again as select * from shop.email_delivered where id ~ '^d[1-9]$';
delete from shop.email_delivered d using again a where d.id = a.id;
insert into shop.email_delivered select * from again;
create temp table again_orders as select * from shop.order_completed where id ~ '^oc[1-9]$';
delete from shop.order_completed d using again_orders a where d.id = a.id;
insert into shop.order_completed select * from again_orders;
commit;
\i :block_2

-- a user is suppressed: the rows are deleted
create table suppressed_orders as select * from shop.order_completed where user_id = 'u11';
create table suppressed_mails as select * from shop.email_delivered where user_id = 'u11';
delete from shop.order_completed where user_id = 'u11';
delete from shop.email_delivered where user_id = 'u11';
delete from shop.users where id = 'u11';
