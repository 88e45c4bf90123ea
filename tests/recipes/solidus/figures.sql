with orders as (
    select o.*, coalesce(c.total, o.total) as placed_for, completed_at at time zone 'UTC' as at
    from (select * from spree_orders union all select * from deleted_orders) o left join corrected c using (id)
    where completed_at is not null and user_id is not null),
placed as (
    select distinct on (r.number) r.number, placed_for from reminded r join orders o using (user_id)
    where o.at between r.at and r.at + interval '3 days' order by r.number, o.at, o.id),
canceled as (
    select user_id, created_at at time zone 'UTC' as at from spree_state_changes
    where name = 'order' and next_state = 'canceled' and user_id is not null),
had as (select * from goals.message_stats)
select 'cart: sent' as what, (select sent from had where message = 'abandoned cart' and goal = 'primary') as pg_goals,
    (select count(*) from reminded) as tables
union all select 'cart: ordered', (select matched from had where message = 'abandoned cart' and goal = 'primary'),
    (select count(*) from placed)
union all select 'cart: worth', (select worth from had where message = 'abandoned cart' and goal = 'primary'),
    (select sum(placed_for) from placed)
union all select 'cart: canceled', (select matched from had where message = 'abandoned cart' and goal = 'canceled'),
    (select count(*) from reminded r
        where exists (select from canceled c
            where c.user_id = r.user_id and c.at between r.at and r.at + interval '30 days'))
union all select 'miss: sent', (select sent from had where message = 'we miss you' and goal = 'primary'),
    (select count(*) from won_back)
union all select 'miss: ordered', (select matched from had where message = 'we miss you' and goal = 'primary'),
    (select count(*) from won_back w where exists (select from orders o where o.user_id = w.user_id and o.at >= w.at))
union all select 'miss: ordered in EUR', (select matched from had where message = 'we miss you' and goal = 'EUR'),
    (select count(*) from won_back w
        where exists (select from orders o where o.user_id = w.user_id and currency = 'EUR' and o.at >= w.at))
union all select 'miss: ordered twice', (select matched from had where message = 'we miss you' and goal = 'twice'),
    (select count(*) from won_back w
        where 2 <= (select count(*) from orders o where o.user_id = w.user_id and o.at >= w.at))
union all
select 'user 12: worth', (select sum(worth) from goals.matches('abandoned cart', 'primary') where user_key = '12'),
    (select placed_for from orders where number = 'R2012');

select problem, object from (values (null, null)) none (problem, object) where problem is not null;
