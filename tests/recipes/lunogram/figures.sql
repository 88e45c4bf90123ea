with campaigns(campaign_id, message) as (
    values ('0198cccc-0000-7000-8000-000000000001'::uuid, 'Spring sale'),
           ('0198cccc-0000-7000-8000-000000000002', 'Cart reminder')
),
mail as (
    select m.*, message, greatest(m.sent_at, m.created_at) as known_at
    from (table user_inbox_messages union all table kept_for_the_figures) m join campaigns using (campaign_id)
    where sent_at is not null and failed_at is null
),
ordered as (
    select distinct on (m.id) m.message, (e.data ->> 'total')::numeric as total
    from mail m join user_events e using (user_id) join events d on d.id = e.event_id and d.name = 'order_completed'
    where e.created_at > m.sent_at
    and e.created_at <= m.sent_at + case message when 'Spring sale' then interval '7 days' else '2 days' end
    order by m.id, e.created_at
),
plans as (
    select m.message, (u.data ->> 'plan_since')::timestamptz as since, m.known_at, m.sent_at
    from mail m join users u on u.id = m.user_id where u.data ? 'plan_since' and message = 'Spring sale'
),
stopped as (
    select m.message, e.created_at <= m.known_at as before
    from mail m join user_events e using (user_id) join events d on d.id = e.event_id and d.name = 'unsubscribed'
    where message = 'Spring sale'
),
counts as (
    select message, count(*) as sent, count(read_at) as opened from mail group by 1
),
tables(message, goal, what, figure) as (
    select message, goal, what, value::numeric
    from counts c cross join (values ('order'), ('plan'), ('stopped')) g (goal)
    cross join lateral jsonb_each_text(to_jsonb(c) - 'message') as e (what, value)
    where goal = 'order' or message = 'Spring sale'
    union all select message, 'order', 'matched', count(*) from ordered group by 1
    union all select message, 'order', 'worth', sum(total) from ordered group by 1
    union all select message, 'plan', 'already_matched', count(*) from plans where since <= known_at group by 1
    union all select message, 'plan', 'matched', count(*) from plans
              where since > known_at and since <= sent_at + interval '14 days' group by 1
    union all select message, 'stopped', 'already_matched', count(*) from stopped where before group by 1
    union all select message, 'stopped', 'matched', count(*) from stopped where not before group by 1
)
select concat_ws(', ', message, goal, what) as what, coalesce(s.figure, 0) as pg_goals, coalesce(t.figure, 0) as tables
from tables t full join stats s using (message, goal, what)
where (t.figure > 0 or s.figure > 0) and what <> 'delivered' and what not like 'matched_after%'
order by 1;

select * from (values
    ('unknown message', '0198cccc-0000-7000-8000-000000000009')
) as expected (problem, object);
