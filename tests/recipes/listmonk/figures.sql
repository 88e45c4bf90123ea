with mail as (
    select l.campaign_id, c.name as message, l.subscriber_id as id, c.started_at as sent_at
    from mail_log l join campaigns c on c.id = l.campaign_id
),
views as (table campaign_views union all table exported_views),
members as (
    select subscriber_id as id, list_id, status, meta, updated_at from subscriber_lists
    union all select subscriber_id, list_id, status, meta, updated_at from exported_lists
),
facts as (
    select m.*, v.id is not null as viewed, k.id is not null as clicked, b.types && '{hard,soft}' as bounced,
           b.types && '{complaint}' as complained, s.pro_since <= m.sent_at as was_pro,
           s.pro_since > m.sent_at and s.pro_since <= m.sent_at + interval '14 days' as became_pro,
           l.status = 'unsubscribed' and l.updated_at between m.sent_at and m.sent_at + interval '3 days' as has_left,
           l.updated_at between m.sent_at and m.sent_at + interval '7 days' as confirmed
    from mail m
    left join (select distinct campaign_id, subscriber_id as id from views) v using (campaign_id, id)
    left join (select distinct campaign_id, subscriber_id as id from link_clicks) k using (campaign_id, id)
    left join (select campaign_id, subscriber_id as id, array_agg(type::text) as types from bounces group by 1, 2) b
        using (campaign_id, id)
    left join (select id, (attribs ->> 'plan_since')::timestamptz as pro_since from subscribers
               where attribs ->> 'plan' = 'pro') s using (id)
    left join (select * from members where list_id = 2 and meta ? 'optin_ip') l using (id)   -- who has confirmed once
),
news as (select * from facts where message <> 'Please confirm'),
tables(message, goal, what, figure) as (
    select name, null, 'sent', sent from campaigns where sent > 0   -- as listmonk counts
    union all select message, null, 'sent', count(*) from facts group by 1
    union all select message, null, 'opened', count(*) from facts where viewed or clicked group by 1
    union all select message, null, 'clicked', count(*) from facts where clicked group by 1
    union all select message, null, 'bounced', count(*) from facts where bounced group by 1
    union all select message, null, 'complained', count(*) from facts where complained group by 1
    union all select message, 'plan', 'already_matched', count(*) from news where was_pro group by 1
    union all select message, 'plan', 'matched', count(*) filter (where became_pro) from news group by 1
    union all select message, 'left', 'matched', count(*) filter (where has_left) from news group by 1
    union all select message, 'confirmed', 'matched', count(*) from facts
              where message = 'Please confirm' and confirmed group by 1
)
select concat_ws(', ', t.message, t.goal, t.what) as what,
       (to_jsonb(s) ->> t.what)::numeric as pg_goals, t.figure as tables
from tables t
left join lateral (select * from goals.message_stats s where s.message = t.message and s.goal = coalesce(t.goal, s.goal)
                   order by s.goal limit 1) s on true
order by 1;

select * from (values
    ('skipped engagements', 'March news: no receipt')   -- a view by someone who was sent no such mail
) as expected (problem, object);
