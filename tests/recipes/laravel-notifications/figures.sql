with sent as (
    select *, created_at at time zone 'UTC' as at from (select * from notifications union all select * from pruned) n
    where notifiable_type = 'App\Models\User' and notifiable_id <= 80 and updated_at is not null),
trial as (select * from sent where type = 'App\Notifications\TrialEnding'),
unpaid as (select * from sent where type = 'App\Notifications\InvoiceUnpaid'),
active as (
    select s.user_id, s.stripe_price, w.at from webhook_calls w join subscriptions s using (stripe_id)
    where w.stripe_status = 'active'),
paid as (
    select user_id, total, paid_at at time zone 'UTC' as at
    from (select * from invoices union all select * from paid_back) i
    where paid_at is not null),
had as (select * from goals.message_stats)
select 'trial: sent' as what, (select sent from had where message = 'trial ending' and goal = 'primary') as pg_goals,
    (select count(*) from trial) as tables
union all select 'trial: read', (select opened from had where message = 'trial ending' and goal = 'primary'),
    (select count(*) from trial where read_at is not null or id in (select id from read_once))
union all select 'trial: subscribed', (select matched from had where message = 'trial ending' and goal = 'primary'),
    (select count(*) from trial t
        where exists (select from active a
            where a.user_id = notifiable_id and a.at between t.at and t.at + interval '7 days'))
union all select 'trial: subscribed to pro', (select matched from had where message = 'trial ending' and goal = 'pro'),
    (select count(*) from trial t
        where exists (select from active a
            where a.user_id = notifiable_id and stripe_price = 'price_pro'
            and a.at between t.at and t.at + interval '7 days'))
union all select 'invoice: sent', (select sent from had where message = 'invoice unpaid'), (select count(*) from unpaid)
union all select 'invoice: read', (select opened from had where message = 'invoice unpaid'),
    (select count(*) from unpaid where read_at is not null)
union all select 'invoice: paid', (select matched from had where message = 'invoice unpaid'),
    (select count(*)
        from unpaid u join paid p on p.user_id = notifiable_id and p.at between u.at and u.at + interval '3 days')
union all select 'invoice: worth', (select worth from had where message = 'invoice unpaid'),
    (select sum(total)
        from unpaid u join paid p on p.user_id = notifiable_id and p.at between u.at and u.at + interval '3 days')
union all
select 'ids of teams: receipts', (select count(*) from goals.explain('trial ending', 4) where goal = 'primary'),
    (select count(*) from trial where notifiable_id = 4);

select * from (values
    ('unknown message', 'App\Notifications\ExportReady'),
    ('unknown user', 'trial ending')) v (problem, object);
