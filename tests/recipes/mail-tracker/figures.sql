with sent as (
    select e.*, substring(recipient_email from '^user(\d+)@example.org$')::bigint as user_id
    from (select * from sent_emails union all select * from expired) e
    -- the ids that the mailer gave are no uuids
    where hash not in (md5('before1'), md5('before2')) and message_id !~ '^[0-9a-f]{8}-[0-9a-f]{4}-'),
verify as (select * from sent where subject = 'Verify Email Address' and user_id is not null),
miss as (select * from sent where subject ~ 'where are you' and user_id is not null),
finished as (
    select user_id, course, count(*) as lessons from (select * from lessons union all select * from left_lessons) l
    where finished_at is not null or user_id = 32 and id % 4 = 1 group by user_id, course),
had as (select * from goals.message_stats)
select 'verify: sent' as what, (select sent from had where message = 'verify your address') as pg_goals,
    (select count(*) from verify) as tables
union all select 'verify: opened', (select opened from had where message = 'verify your address'),
    (select count(*) from verify where opened_at is not null)
union all select 'verify: clicked', (select clicked from had where message = 'verify your address'),
    (select count(*) from verify where clicked_at is not null)
union all select 'verify: verified already', (select already_matched from had where message = 'verify your address'),
    (select count(*) from verify where user_id % 7 = 0)
union all select 'verify: verified', (select matched from had where message = 'verify your address'),
    (select count(*) from verify join users u on u.id = user_id
        where user_id % 7 <> 0 and email_verified_at is not null)
union all select 'miss: sent', (select sent from had where message = 'we-miss-you' and goal = 'primary'),
    (select count(*) from miss)
union all select 'miss: opened', (select opened from had where message = 'we-miss-you' and goal = 'primary'),
    (select count(*) from miss where opened_at is not null)
union all select 'miss: clicked', (select clicked from had where message = 'we-miss-you' and goal = 'primary'),
    (select count(*) from miss where clicked_at is not null)
union all select 'miss: a lesson', (select matched from had where message = 'we-miss-you' and goal = 'primary'),
    (select count(*) from miss where user_id in (select user_id from finished))
union all select 'miss: three lessons',
    (select matched from had where message = 'we-miss-you' and goal = 'three lessons'),
    (select count(*) from miss
        where user_id in (select user_id from finished where course = 'guitar' and lessons >= 3));

select * from (values ('unknown message', 'Your invoice 2026-77'), ('unknown user', 'we-miss-you')) v (problem, object);
