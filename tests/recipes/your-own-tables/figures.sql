-- Mail that was queued before today is older than pg_goals. A row was sent if its last attempt went well, also if it
-- bounced later.
with mail as (
    select e.*, greatest(sent_at, queued_at) as known_at, least(opened_at, clicked_at) as open_at, clicked_at
    from (table emails union all table emails_archive) e
    left join (select email_id, min(clicked_at) as clicked_at from email_clicks group by 1) c on c.email_id = e.id
    where status in ('sent', 'bounced') and queued_at > now() - interval '1 day'
),
-- the first order paid in the seven days after the mail
ordered as (
    select distinct on (m.id) m.*, o.total, o.paid_at as at from mail m join orders o using (user_id)
    where o.paid_at > m.sent_at and o.paid_at <= m.sent_at + interval '7 days'
    order by m.id, o.paid_at
),
-- on a paid plan when the mail was sent, or first in the fourteen days after it
planned as (
    select m.*, before.plan in ('pro', 'team') as had, after.at
    from mail m
    left join lateral (select plan from plan_log l where l.user_id = m.user_id and l.at <= m.known_at
                       order by at desc limit 1) before on true
    left join lateral (select at from plan_log l where l.user_id = m.user_id and l.plan in ('pro', 'team')
                       and l.at > m.known_at and l.at <= m.sent_at + interval '14 days'
                       order by at limit 1) after on true
    where template = 'trial ends'
),
matches as (
    select template, 'order' as goal, at, open_at, clicked_at, total from ordered
    union all select template, 'upgrade', at, open_at, clicked_at, null from planned
              where at is not null and had is not true
),
counts as (
    select template as message, count(*) as sent, count(open_at) as opened, count(clicked_at) as clicked
    from mail group by 1
),
of_goals as (
    select template as message, goal, count(*) as matched, count(*) filter (where open_at <= at) as matched_after_open,
           count(*) filter (where clicked_at <= at) as matched_after_click, sum(total) as worth
    from matches group by 1, 2
),
tables(message, goal, what, figure) as (
    select message, goal, what, value::numeric
    from counts c cross join (values ('order'), ('upgrade')) g (goal)
    cross join lateral jsonb_each_text(to_jsonb(c) - 'message') as e (what, value)
    where goal = 'order' or message = 'trial ends'
    union all select message, goal, what, value::numeric
    from of_goals g cross join lateral jsonb_each_text(to_jsonb(g) - 'message' - 'goal') as e (what, value)
    union all select template, 'upgrade', 'already_matched', count(*) from planned where had group by 1
)
select concat_ws(', ', message, goal, what) as what, coalesce(s.figure, 0) as pg_goals, coalesce(t.figure, 0) as tables
from tables t full join stats s using (message, goal, what)
where (t.figure > 0 or s.figure > 0) and message <> 'password reset' and what <> 'delivered'
order by 1;

select * from (values
    ('unknown message', 'password reset'),
    ('skipped engagements', 'public.emails: no such send')   -- clicks of older mail
) as expected (problem, object);
