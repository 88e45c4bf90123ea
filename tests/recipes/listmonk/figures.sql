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
counts as (
    select message, count(*) as sent, count(*) filter (where viewed or clicked) as opened,
           count(*) filter (where clicked) as clicked, count(*) filter (where bounced) as bounced,
           count(*) filter (where complained) as complained
    from facts group by 1
),
purposes(message, goal) as (
    select message, goal from counts cross join (values ('plan'), ('left')) g (goal) where message <> 'Please confirm'
    union all values ('Please confirm', 'confirmed')
),
tables(message, goal, what, figure) as (
    select message, goal, what, value::numeric
    from counts c join purposes using (message)
    cross join lateral jsonb_each_text(to_jsonb(c) - 'message') as e (what, value)
    union all select message, 'plan', 'already_matched', count(*) from facts where was_pro group by 1
    union all select message, 'plan', 'matched', count(*) from facts where became_pro group by 1
    union all select message, 'left', 'matched', count(*) from facts where has_left group by 1
    union all select message, 'confirmed', 'matched', count(*) from facts where confirmed group by 1
)
select concat_ws(', ', message, goal, what) as what, coalesce(s.figure, 0) as pg_goals, coalesce(t.figure, 0) as tables
from purposes join tables t using (message, goal) full join stats s using (message, goal, what)
where (t.figure > 0 or s.figure > 0) and what <> 'delivered' and what not like 'matched_after%'
union all
select name || ', sent, as listmonk counts', (select max(figure) from stats where message = name and what = 'sent'),
       sent
from campaigns where sent > 0
order by 1;

select * from (values
    ('skipped engagements', 'March news: no receipt')   -- a view by someone who was sent no such mail
) as expected (problem, object);
