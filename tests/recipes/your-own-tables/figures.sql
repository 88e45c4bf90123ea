-- Mail that was queued before today is older than pg_goals. A row was sent if its last attempt went well, also if it
-- bounced later.
with mail as (
    select e.*, greatest(sent_at, queued_at) as known_at, opened_at is not null or clicked as opened, clicked
    from (table emails union all table emails_archive) e
    cross join lateral (select exists (select from email_clicks c where c.email_id = e.id)) c(clicked)
    where status in ('sent', 'bounced') and queued_at > now() - interval '1 day'
),
-- the first order paid in the seven days after the mail
ordered as (
    select distinct on (m.id) m.*, o.total, o.paid_at from mail m join orders o using (user_id)
    where o.paid_at > m.sent_at and o.paid_at <= m.sent_at + interval '7 days'
    order by m.id, o.paid_at
),
-- on a paid plan when the mail was sent, and, if not, in the fourteen days after it
planned as (
    select m.*, coalesce(before.plan in ('pro', 'team'), false) as had, after.at is not null as got
    from mail m
    left join lateral (select plan from plan_log l where l.user_id = m.user_id and l.at <= m.known_at
                       order by at desc limit 1) before on true
    left join lateral (select at from plan_log l where l.user_id = m.user_id and l.plan in ('pro', 'team')
                       and l.at > m.known_at and l.at <= m.sent_at + interval '14 days'
                       order by at limit 1) after on true
    where template = 'trial ends'
),
counts as (
    select template as message, count(*) as sent, count(*) filter (where opened) as opened,
           count(*) filter (where clicked) as clicked
    from mail group by 1
),
tables(message, goal, what, figure) as (
    select message, goal, what, value::numeric
    from counts c cross join (values ('order'), ('upgrade')) g (goal)
    cross join lateral jsonb_each_text(to_jsonb(c) - 'message') as e (what, value)
    where goal = 'order' or message = 'trial ends'
    union all select template, 'order', 'matched', count(*) from ordered group by 1
    union all select template, 'order', 'worth', sum(total) from ordered group by 1
    union all select template, 'upgrade', 'already_matched', count(*) from planned where had group by 1
    union all select template, 'upgrade', 'matched', count(*) from planned where got and not had group by 1
    union all select template, 'upgrade', 'matched_after_open', count(*) from planned where got and not had and opened
              group by 1
)
select concat_ws(', ', message, goal, what) as what, coalesce(s.figure, 0) as pg_goals, coalesce(t.figure, 0) as tables
from tables t full join stats s using (message, goal, what)
where message <> 'password reset' and what not in ('delivered', 'matched_after_click')
and not (goal = 'order' and what = 'matched_after_open')
order by 1;

select * from (values
    ('unknown message', 'password reset'),
    ('skipped engagements', 'public.emails: no such send')   -- clicks of older mail
) as expected (problem, object);
