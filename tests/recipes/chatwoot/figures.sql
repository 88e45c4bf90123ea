-- The campaign January is older than pg_goals. Times are in UTC. Contact 40 is now 42.
with mail as (
    select r.*, case contact_id when 40 then 42 else contact_id end as person, c.title as message,
           greatest(r.sent_at, r.created_at) as known_at
    from campaign_recipients r join campaigns c on c.id = r.campaign_id
    where r.sent_at is not null and r.failed_at is null and c.started_at is not null
),
replied as (
    select distinct m.id, m.message from mail m join messages e on e.sender_id = m.person
    where e.sender_type = 'Contact' and e.message_type = 0
    and e.created_at > m.known_at and e.created_at <= m.sent_at + interval '3 days'
),
resolved as (
    select distinct m.id, m.message from mail m join conversations v on v.contact_id = m.person
    where v.status = 1 and v.updated_at > m.known_at and v.updated_at <= m.sent_at + interval '7 days'
),
plans as (
    select m.*, (k.custom_attributes ->> 'plan_since')::timestamptz at time zone 'UTC' as since
    from mail m join contacts k on k.id = m.person and k.custom_attributes ->> 'plan' = 'pro'
),
counts as (
    select message, count(*) as sent, count(delivered_at) as delivered, count(read_at) as opened from mail group by 1
),
tables(message, goal, what, figure) as (
    select message, goal, what, value::numeric
    from counts c cross join (values ('reply'), ('resolved'), ('plan')) g (goal)
    cross join lateral jsonb_each_text(to_jsonb(c) - 'message') as e (what, value)
    union all select message, 'reply', 'matched', count(*) from replied group by 1
    union all select message, 'resolved', 'matched', count(*) from resolved group by 1
    union all select message, 'plan', 'already_matched', count(*) from plans where since <= known_at group by 1
    union all select message, 'plan', 'matched', count(*) from plans
              where since > known_at and since <= sent_at + interval '14 days' group by 1
)
select concat_ws(', ', message, goal, what) as what, coalesce(s.figure, 0) as pg_goals, coalesce(t.figure, 0) as tables
from tables t full join stats s using (message, goal, what)
where what not like 'matched_after%'
union all
select 'messages', (select count(distinct message) from goals.message_stats),
       (select 1 + count(*) from campaigns where campaign_type = 1)
order by 1;

select * from (values (null, null)) as expected (problem, object) where false;
