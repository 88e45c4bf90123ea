-- Orders are found by the address that a message went to. Of campaign 1, all but the five last messages are older than
-- pg_goals.
with mail as (
    select m.*, c.subject, m.sent_at at time zone 'UTC' as at
    from messages m join mailings_campaigns c on c.id = m.campaign_id
    where m.project_id = 1 and m.sent_at is not null and m.failed_at is null
    and (m.campaign_id > 1 or m.contact_id > 55)
),
ordered as (
    select distinct on (m.id) m.*, o.total from mail m join shop_orders o on o.email::citext = m.recipient_email
    where o.placed_at > m.at and o.placed_at <= m.at + interval '7 days'
    order by m.id, o.placed_at
),
plans as (
    select m.subject, (c.data ->> 'plan_since')::timestamptz <= m.at as had,
           (c.data ->> 'plan_since')::timestamptz between m.at and m.at + interval '14 days' as got
    from mail m join contacts c on c.id = m.contact_id and c.data ->> 'plan' = 'pro'
),
counts as (
    select subject as message, count(*) as sent, count(coalesce(opened_at, clicked_at)) as opened,
           count(clicked_at) as clicked, count(hard_bounce_received_at) as bounced,
           count(complaint_received_at) as complained, count(unsubscribed_at) as unsubscribed
    from mail group by 1
),
tables(message, goal, what, figure) as (
    select message, goal, what, value::numeric
    from counts c cross join (values ('order'), ('plan')) g (goal)
    cross join lateral jsonb_each_text(to_jsonb(c) - 'message') as e (what, value)
    union all select subject, 'order', 'matched', count(*) from ordered group by 1
    union all select subject, 'order', 'worth', sum(total) from ordered group by 1
    union all select subject, 'plan', 'already_matched', count(*) from plans where had group by 1
    union all select subject, 'plan', 'matched', count(*) from plans where got and not had group by 1
)
select concat_ws(', ', message, goal, what) as what, coalesce(s.figure, 0) as pg_goals, coalesce(t.figure, 0) as tables
from tables t full join stats s using (message, goal, what)
where (t.figure > 0 or s.figure > 0) and what <> 'delivered' and what not like 'matched_after%'
union all
select 'messages', (select count(distinct message) from goals.message_stats),
       (select 1 + count(*) from mailings_campaigns where project_id = 1)
order by 1;

select * from (values (null, null)) as expected (problem, object) where false;
