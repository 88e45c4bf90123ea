with told as (
    select *, created_at at time zone 'UTC' as sent
    from (select * from noticed_notifications union all select * from old_notifications) n
    where recipient_type = 'User' and event_id > 1),
-- when each was first read, also if it was marked as unread later
read as (
    select id, min(read_at) at time zone 'UTC' as at
    from (select id, read_at from told union all select id, read_at from marked) r where read_at is not null
    group by id),
said as (
    select user_id, created_at at time zone 'UTC' as at
    from (select * from comments union all select * from old_comments) c),
comment as (
    select told.*, read.at as read from told left join read using (id) where type = 'NewCommentNotifier::Notification'),
trial as (select * from told where type = 'TrialEndsNotifier::Notification'),
had as (select * from goals.message_stats)
select 'comment: sent' as what, (select sent from had where message = 'new comment' and goal = 'primary') as pg_goals,
    (select count(*) from comment) as tables
union all select 'comment: seen or read', (select opened from had where message = 'new comment' and goal = 'primary'),
    (select count(*) from comment where seen_at is not null or read is not null)
union all select 'comment: read', (select clicked from had where message = 'new comment' and goal = 'primary'),
    (select count(*) from comment where read is not null)
union all select 'comment: answered', (select matched from had where message = 'new comment' and goal = 'primary'),
    (select count(*) from comment c
        where exists (select from said
            where user_id = recipient_id and at between c.sent and c.sent + interval '1 day'))
union all select 'comment: answered when read',
    (select matched from had where message = 'new comment' and goal = 'when read'),
    (select count(*) from comment c
        where exists (select from said
            where user_id = recipient_id and at between c.read and c.read + interval '1 hour'))
union all select 'trial: sent', (select sent from had where message = 'trial ends'), (select count(*) from trial)
union all select 'trial: on pro already', (select already_matched from had where message = 'trial ends'),
    (select count(*) from trial where recipient_id % 10 = 0)
union all select 'trial: upgraded', (select matched from had where message = 'trial ends'),
    (select count(*) from trial
        where recipient_id % 10 <> 0 and exists (select from plan_changes
            where user_id = recipient_id and plan = 'pro' and at between sent and sent + interval '7 days'))
union all
select 'ids of teams: receipts', (select count(*) from goals.explain('new comment', 2) where goal = 'primary'),
    (select count(*) from comment where recipient_id = 2);

select 'unknown message' as problem, 'BackupDoneNotifier::Notification' as object;
