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
tables(message, goal, what, figure) as (
    select template, 'order', 'sent', count(*) from mail group by template
    union all select template, 'order', 'opened', count(*) from mail where opened group by template
    union all select template, 'order', 'clicked', count(*) from mail where clicked group by template
    union all select template, 'order', 'matched', count(*) from ordered group by template
    union all select template, 'order', 'worth', sum(total) from ordered group by template
    union all select template, 'upgrade', 'sent', count(*) from planned group by template
    union all select template, 'upgrade', 'already_matched', count(*) from planned where had group by template
    union all select template, 'upgrade', 'matched', count(*) from planned where got and not had group by template
    union all select template, 'upgrade', 'matched_after_open', count(*) from planned where got and not had and opened
              group by template
)
select concat_ws(', ', message, goal, what) as what, (to_jsonb(s) ->> t.what)::numeric as pg_goals, t.figure as tables
from tables t left join goals.message_stats s using (message, goal)
where message <> 'password reset'
order by 1;

select * from (values
    ('unknown message', 'password reset'),
    ('skipped engagements', 'public.emails: no such send')   -- clicks of older mail
) as expected (problem, object);
