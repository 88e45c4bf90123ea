with mails_ever as (select * from mails union all select * from pruned),
sent as (
    select m.*, u.user_id, sent_at at time zone 'UTC' as at
    from mails_ever m join mailed u on u.email =
        (select address from jsonb_object_keys(case jsonb_typeof("to") when 'object' then "to" end) address limit 1)
    where sent_at is not null and uuid !~ '^before'),
happened as (select mail_id, type from mail_events union select mail_id, type from pruned_events),
verify as (select * from sent where mail_class = 'Illuminate\Auth\Notifications\VerifyEmail'),
cart as (select * from sent where mail_class = 'App\Mail\CartReminder'),
-- the first order that was paid in the three days after each reminder
paid as (
    select distinct on (cart.id) cart.id, total from cart join orders o using (user_id)
    where o.paid_at at time zone 'UTC' between at and at + interval '3 days' order by cart.id, o.paid_at, o.id),
classes (message, class) as (
    values ('cart reminder', 'App\Mail\CartReminder'),
        ('verify your address', 'Illuminate\Auth\Notifications\VerifyEmail')),
kinds (kind, types) as (
    values ('delivered', '{delivered}'::text[]), ('bounced', '{hard_bounced}'), ('opened', '{opened,clicked}'),
        ('clicked', '{clicked}'), ('complained', '{complained}'), ('unsubscribed', '{unsubscribed}')),
had as (select * from goals.message_stats)
select 'verify: sent' as what, (select sent from had where message = 'verify your address') as pg_goals,
    (select count(*) from verify) as tables
union all select 'verify: verified already', (select already_matched from had where message = 'verify your address'),
    (select count(*) from verify where user_id % 5 = 0)
union all select 'verify: verified', (select matched from had where message = 'verify your address'),
    (select count(*) from verify where user_id % 5 <> 0
        and (user_id = 16 or user_id in (select id from users where email_verified_at is not null)))
union all select 'cart: sent', (select sent from had where message = 'cart reminder'), (select count(*) from cart)
union all select 'cart: paid', (select matched from had where message = 'cart reminder'), (select count(*) from paid)
union all select 'cart: worth', (select worth from had where message = 'cart reminder'), (select sum(total) from paid)
union all
select format('%s: %s', message, kind), (to_jsonb(had) ->> kind)::bigint,
    (select count(*) from sent s where mail_class = class and exists
        (select from happened h where h.mail_id = s.id and type = any (types)))
from classes left join had using (message) cross join kinds;

select * from (values ('unknown message', 'App\Mail\Receipt'), ('unknown user', 'cart reminder')) v (problem, object);
