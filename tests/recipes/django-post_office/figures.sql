with emails as (select * from post_office_email union all select * from cleaned),
logs as (select email_id, status from post_office_log union all select email_id, status from cleaned_log union all table said),
sent as (
    select e.*, (regexp_match(lower("to"), 'user(\d+)@example.org'))[1]::int as user_id from emails e
    where status = 0 and (message_id is not null or template_id = 5 or id in (6, 7))),
ids (message, template) as (
    values ('welcome', 1), ('newsletter', 2), ('welcome (4)', 4), ('spring sale', 5), ('password reset', 3)),
kinds (kind, statuses) as (
    values ('delivered', '{20}'::int[]), ('bounced', '{70}'), ('opened', '{30,40}'), ('clicked', '{40}'),
        ('complained', '{80}'), ('unsubscribed', '{90}')),
ordered as (
    select distinct on (s.id) s.id, o.total from sent s join shop_order o using (user_id)
    where template_id = 2 and o.created between s.last_updated and s.last_updated + interval '7 days'
    order by s.id, o.created, o.id),
had as (select distinct on (message) * from goals.message_stats order by message)
select message || ': sent' as what, had.sent as pg_goals,
    (select count(*) from sent where template_id = template and user_id is not null) as tables
from ids left join had using (message)
union all
select format('%s: %s', message, kind), (to_jsonb(had) ->> kind)::bigint,
    (select count(*) from sent s where template_id = template and user_id is not null and exists
        (select from logs l where l.email_id = s.id and l.status = any (statuses)))
from ids left join had using (message) cross join kinds where message in ('welcome', 'newsletter')
union all select 'welcome: logged in already', (select already_matched from had where message = 'welcome'),
    (select count(*) from sent where template_id = 1 and user_id % 6 = 0)
union all select 'welcome: first login', (select matched from had where message = 'welcome'),
    (select count(*) from sent where template_id = 1 and user_id % 6 <> 0
        and (user_id = 2 or user_id in (select id from auth_user where last_login is not null)))
union all select 'newsletter: ordered', (select matched from had where message = 'newsletter'),
    (select count(*) from ordered)
union all select 'newsletter: worth', (select worth from had where message = 'newsletter'),
    (select sum(total) from ordered);

select * from (values
    ('unknown user', 'newsletter'),
    ('skipped engagements', 'public.post_office_email: no such send')) v (problem, object);
