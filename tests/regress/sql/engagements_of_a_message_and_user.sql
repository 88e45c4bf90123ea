-- Opens, clicks and the rest in tables of their own that name the message and the user: they belong to the newest receipt up to their
-- time, as those of record_opened() do.
create table users (id bigint primary key, plan text default 'free');
insert into users select n from generate_series(1, 20) n;
select from goals.track_users('users');
create type reason as enum ('hard', 'complaint', 'soft');
create table views (campaign text, subscriber_id bigint, created_at timestamptz default clock_timestamp(), owner_type text, owner_id int);
create table bounces (id serial primary key, subscriber_id text, campaign varchar(20), type reason, created_at timestamptz default clock_timestamp());
create table opt_outs (campaign text, subscriber_id int, code smallint, date date);
select from goals.track_engagements('views', 'opened', message => 'campaign', user_key => 'subscriber_id', at => 'created_at');
select from goals.track_engagements('bounces', 'type', message => 'campaign', user_key => 'subscriber_id', at => 'created_at',
    kinds => '{"hard": "bounced", "complaint": "complained"}');
select from goals.track_engagements('opt_outs', 'code', message => 'campaign', user_key => 'subscriber_id', kinds => '{"1": "unsubscribed", "2": "bounced"}');
select goals.track_engagements('bounces', 'type', message => 'campaign', user_key => 'subscriber_id', kinds => '{"blocked": "bounced"}');
-- Rows about other things than users
select from goals.track_engagements('views', 'opened', message => 'campaign', user_key => 'owner_id', at => 'created_at');
select from goals.track_engagements('views', 'opened', message => 'campaign', user_key => 'subscriber_id', at => 'created_at');

select from goals.create_message('m');
select from goals.create_message('fast', engagement_after => '10 seconds');
select count(goals.set_goal(m, 'plan', 'is', 'pro', '7 days', after => 'opened')) from unnest(array['m', 'fast']) m;
create table sent as select 'm' as message, n as user_id, '2024-01-01 12:00:00+00'::timestamptz as at from generate_series(1, 10) n
    union all select 'm', 1, '2024-01-02 12:00:00.5+00' union all select 'fast', 1, '2024-01-01 12:00:00+00';
select count(goals.record_sent(message, user_id, sent_at => at)) from sent;
insert into views (campaign, subscriber_id, created_at) values ('m', 1, '2024-01-01 13:00+00'), ('m', 1, '2024-01-01 12:30+00'),
    ('m', 2, '2024-01-05 00:00+00'), ('m', 3, '2024-01-01 12:00+00'), ('m', null, now()), (null, 3, now()), ('m', 4, null);
-- A time cut to whole seconds goes to the receipt of that second.
insert into views (campaign, subscriber_id, created_at) values ('m', 1, '2024-01-02 12:00:00+00');
insert into bounces (campaign, subscriber_id, type, created_at) values ('m', '5', 'hard', '2024-01-01 13:00+00'), ('m', '6', 'complaint', '2024-01-01 13:00+00'), ('m', '7', 'soft', now()),
    ('m', '8', null, now());
insert into opt_outs values ('m', 9, 1), ('m', 10, 2), ('m', 4, 3);
create view by_facts as select o.message, o.user_key, o.sent_at, o.opened_at, array(select e.kind from goals.engagement e where e.receipt_id = o.receipt_id and e.kind not in ('o', 'c') order by 1)::text as others
from goals.outcome o;
create view by_rows as select s.message, s.user_id::text as user_key, s.at as sent_at,
    (select min(greatest(v.created_at, s.at)) from views v where v.campaign = s.message and v.subscriber_id = s.user_id
        and not exists (select from sent l where l.message = s.message and l.user_id = s.user_id and l.at > s.at and date_trunc('second', l.at) <= v.created_at)
        and date_trunc('second', s.at) <= v.created_at) as opened_at,
    array(select kind from (
        select case b.type when 'hard' then 'b' when 'complaint' then 'p' end as kind from bounces b where b.campaign = s.message and b.subscriber_id = s.user_id::text
        union all select case u.code when 1 then 'u' when 2 then 'b' end from opt_outs u where u.campaign = s.message and u.subscriber_id = s.user_id) k where kind is not null order by 1)::text as others
from sent s;
(select 'facts', * from by_facts except all select 'facts', * from by_rows) union all (select 'rows', * from by_rows except all select 'rows', * from by_facts);
select message, sent, opened, bounced, complained, unsubscribed from goals.message_stats order by 1;

-- Whether it was a machine is decided by engagement_after.
insert into views (campaign, subscriber_id, created_at) values ('fast', 1, '2024-01-01 12:00:03+00');
select opened, opened_by_machine from goals.message_stats where message = 'fast';
insert into views (campaign, subscriber_id, created_at) values ('fast', 1, '2024-01-01 12:00:30+00');
select opened, opened_by_machine from goals.message_stats where message = 'fast';
-- A goal that waits for the open begins with the row.
select goals.record_sent('m', 11), goals.record_sent('m', 12) \gset ignored_
insert into views (campaign, subscriber_id) values ('m', 11);
update users set plan = 'pro' where id in (11, 12);
select user_key from goals.matches('m');
-- Filled in later; a renamed message by its earlier name; a withdrawn receipt is passed over.
insert into views (campaign, created_at) values ('m', clock_timestamp());
update views set subscriber_id = 12 where subscriber_id is null and campaign = 'm' and created_at > now() - interval '1 minute';
insert into bounces (campaign, subscriber_id) values ('m', '12');
update bounces set type = 'hard' where subscriber_id = '12';
select goals.rename_message('m', 'welcome');
insert into opt_outs values ('m', 12, 1);
select array_agg(kind order by kind) from goals.engagement join goals.receipt using (receipt_id) where user_key = '12';
select goals.withdraw(max(receipt_id)) from goals.receipt where user_key = '1' and sent_at = '2024-01-02 12:00:00.5+00';
insert into views (campaign, subscriber_id, created_at) values ('welcome', 1, '2024-01-03 00:00+00');
select count(*) from goals.engagement join goals.receipt using (receipt_id) where user_key = '1' and sent_at = '2024-01-01 12:00+00' and kind = 'o' and at = '2024-01-03 00:00+00';
-- Time zones: as said, whatever the session is in.
create table naive (campaign text, who int, at timestamp);
select from goals.track_engagements('naive', 'clicked', message => 'campaign', user_key => 'who', at => 'at');
select from goals.track_engagements('naive', 'clicked', message => 'campaign', user_key => 'who', at => 'at', time_zone => 'Asia/Tokyo');
set timezone to 'America/New_York';
insert into naive values ('welcome', 2, '2024-01-07 09:00');
select clicked_at at time zone 'UTC' as clicked from goals.outcome where user_key = '2';
reset timezone;
-- The application's role needs no rights on anything but its own table.
create role regress_goals_app;
grant insert on views to regress_goals_app;
set role regress_goals_app;
insert into views (campaign, subscriber_id) values ('welcome', 8);
reset role;
select opened_at is not null as opened from goals.outcome where user_key = '8';
revoke all on views from regress_goals_app;
drop role regress_goals_app;
-- By another unique column of the users table.
alter table users add email text unique;
update users set email = 'u' || id || '@example.com';
create table webhook (campaign text, recipient text, event text);
select goals.track_engagements('webhook', 'event', message => 'campaign', user_key => 'recipient', user_by => 'plan', kinds => '{"click": "clicked"}');
select from goals.track_engagements('webhook', 'event', message => 'campaign', user_key => 'recipient', user_by => 'email', kinds => '{"click": "clicked"}');
insert into webhook values ('welcome', 'u10@example.com', 'click'), ('welcome', 'u10@example.com', 'open'), ('welcome', 'nobody@example.com', 'click');
select clicked_at is not null as clicked from goals.outcome where user_key = '10';
-- Untracked, nothing more is recorded.
select goals.untrack('views');
insert into views (campaign, subscriber_id) values ('welcome', 7);
select opened_at from goals.outcome where user_key = '7';
select goals.roll_up() > 0 as rolled;
select * from goals.verify();
select problem, object from goals.health();
