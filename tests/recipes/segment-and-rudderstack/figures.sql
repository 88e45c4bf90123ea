with known as (select 'u' || n as user_id, n from generate_series(1, 70) n),
mails as (
    select m.*, n
    from (select * from shop.email_delivered union all select * from suppressed_mails) m join known using (user_id)
    where id !~ '^before'),
spring as (select * from mails where campaign_name = 'Spring sale'),
onboarding as (select * from mails where campaign_name = 'Onboarding 1'),
orders as (select * from shop.order_completed union all select * from suppressed_orders),
bought as (
    select distinct on (m.id) m.id, o.revenue from spring m join orders o using (user_id)
    where o.timestamp between m.timestamp and m.timestamp + interval '7 days' order by m.id, o.timestamp, o.id),
opened_or_clicked as (
    select user_id from shop.email_opened where campaign_name = 'Spring sale'
    union select user_id from shop.email_link_clicked),
had as (select * from goals.message_stats)
select 'spring: sent' as what, (select sent from had where message = 'Spring sale' and goal = 'primary') as pg_goals,
    (select count(*) from spring) as tables
union all select 'spring: opened', (select opened from had where message = 'Spring sale' and goal = 'primary'),
    (select count(*) from spring m where user_id in (select user_id from opened_or_clicked))
union all select 'spring: clicked', (select clicked from had where message = 'Spring sale' and goal = 'primary'),
    (select count(*) from spring m
        where exists (select from shop.email_link_clicked
            where (user_id, campaign_name) = (m.user_id, m.campaign_name)))
union all select 'spring: complained', (select complained from had where message = 'Spring sale' and goal = 'primary'),
    (select count(*) from spring m where exists (select from shop.email_marked_as_spam where user_id = m.user_id))
union all select 'spring: unsubscribed',
    (select unsubscribed from had where message = 'Spring sale' and goal = 'primary'),
    (select count(*) from spring m where exists (select from shop.unsubscribed where user_id = m.user_id))
union all select 'spring: bought', (select matched from had where message = 'Spring sale' and goal = 'primary'),
    (select count(*) from bought)
union all select 'spring: revenue', (select worth from had where message = 'Spring sale' and goal = 'primary'),
    (select sum(revenue) from bought)
union all select 'spring: with the coupon', (select matched from had where message = 'Spring sale' and goal = 'coupon'),
    (select count(*) from spring m
        where exists (select from orders o
            where user_id = m.user_id and coupon = 'SPRING'
            and o.timestamp between m.timestamp and m.timestamp + interval '7 days'))
union all select 'onboarding: sent', (select sent from had where message = 'Onboarding 1' and goal = 'primary'),
    (select count(*) from onboarding)
union all select 'onboarding: opened', (select opened from had where message = 'Onboarding 1' and goal = 'primary'),
    (select count(*) from onboarding m
        where exists (select from shop.email_opened where (user_id, campaign_name) = (m.user_id, m.campaign_name)))
union all select 'onboarding: on pro already',
    (select already_matched from had where message = 'Onboarding 1' and goal = 'primary'),
    (select count(*) from onboarding where n % 10 = 0)
union all select 'onboarding: pro', (select matched from had where message = 'Onboarding 1' and goal = 'primary'),
    (select count(*) from onboarding join shop.users u on u.id = user_id where n % 10 <> 0 and plan = 'pro')
union all select 'onboarding: identified as team',
    (select matched from had where message = 'Onboarding 1' and goal = 'team'),
    (select count(*) from onboarding m
        where exists (select from shop.identifies i
            where i.user_id = m.user_id and plan = 'team'
            and i.timestamp between m.timestamp and m.timestamp + interval '14 days'));

select * from (values
    ('unknown message', 'Receipt'),
    ('unknown user', 'Spring sale'),
    ('skipped engagements', 'Spring sale: no receipt')) v (problem, object);
