with mails as (
    select *, sent_at at time zone 'UTC' as sent
    from (select * from ahoy_messages union all select * from ahoy_messages_archive) a
    where user_type = 'User' and token is not null),
events as (select *, time at time zone 'UTC' as at from ahoy_events where user_id is not null),
-- of each mail of trials the first subscription of its week
subscribed as (
    select distinct on (m.id) m.id, e.properties from mails m join events e using (user_id)
    where m.mailer = 'TrialMailer#ends_soon' and e.name = 'Subscribed' 
    and e.at between m.sent and m.sent + interval '7 days'
    order by m.id, e.at, e.id),
had as (select * from goals.message_stats)
select 'trial: sent' as what, (select sent from had where message = 'trial ends soon' and goal = 'primary') as pg_goals,
    (select count(*) from mails where mailer = 'TrialMailer#ends_soon') as tables
union all select 'trial: clicked', (select clicked from had where message = 'trial ends soon' and goal = 'primary'),
    (select count(*) from mails where mailer = 'TrialMailer#ends_soon' and clicked_at is not null)
union all select 'trial: subscribed', (select matched from had where message = 'trial ends soon' and goal = 'primary'),
    (select count(*) from subscribed)
union all select 'trial: worth', (select worth from had where message = 'trial ends soon' and goal = 'primary'),
    (select sum((properties ->> 'amount')::numeric) from subscribed)
union all select 'trial: subscribed to pro',
    (select matched from had where message = 'trial ends soon' and goal = 'pro'),
    (select count(distinct m.id) from mails m join events e using (user_id)
        where m.mailer = 'TrialMailer#ends_soon' and e.name = 'Subscribed' and e.properties @> '{"plan": "pro"}'
            and e.at between m.sent and m.sent + interval '7 days')
union all select 'digest: sent', (select sent from had where message = 'weekly digest'),
    (select count(*) from mails where mailer = 'DigestMailer#weekly')
union all select 'digest: clicked', (select clicked from had where message = 'weekly digest'),
    (select count(*) from mails where mailer = 'DigestMailer#weekly' and clicked_at is not null)
union all select 'digest: two articles read', (select matched from had where message = 'weekly digest'),
    (select count(*) from mails m
        where mailer = 'DigestMailer#weekly' and 2 <= (select count(*) from events e
            where e.user_id = m.user_id and e.name = 'Viewed article'
            and e.at between m.sent and m.sent + interval '2 days'))
union all
select 'key of admins: receipts', (select count(*) from goals.explain('trial ends soon', 1) where goal = 'primary'),
    (select count(*) from mails where user_id = 1 and mailer = 'TrialMailer#ends_soon');

select 'unknown message' as problem, 'PasswordMailer#reset' as object;
