-- Rows of sends and of engagements that come by COPY, MERGE, upserts, between partitions, deleted and inserted again, and without
-- a primary key: each is one send, and one engagement.
create table users (id bigint primary key, plan text default 'free');
insert into users select n from generate_series(1, 60) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '7 days');
-- Partitions by status: a row moves when it is sent. One partition has its columns in another order, one is attached later.
create table sends (id bigint, status text, message text, user_id int, sent_at timestamptz, opened_at timestamptz, failed_at timestamptz, primary key (id, status)) partition by list (status);
create table sends_queued partition of sends for values in ('queued', 'failed');
create table sends_sent (failed_at timestamptz, user_id int, gone int, status text not null, message text, opened_at timestamptz, id bigint not null, sent_at timestamptz);
alter table sends_sent drop column gone;
alter table sends attach partition sends_sent for values in ('sent');
select from goals.track_receipts('sends', 'message', 'user_id', 'sent_at', 'opened_at', failed_at => 'failed_at', "only" => '{"status": "sent"}');
create table clicks (part int, id bigint, message text, user_id int, event text, at timestamptz) partition by list (part);
create table clicks_1 partition of clicks for values in (1);
create table clicks_2 (at timestamptz, event text, id bigint, part int, user_id int, message text);
alter table clicks attach partition clicks_2 for values in (2);
select from goals.track_engagements('clicks', 'event', message => 'message', user_key => 'user_id', at => 'at', kinds => '{"click": "clicked", "open": "opened"}');

create view by_rows as select count(*) as sent, count(opened_at) as opened from sends where status = 'sent' and sent_at is not null and failed_at is null;
create view by_figures as select sent, opened from goals.message_stats where message = 'm';
copy sends (id, status, message, user_id, sent_at) from stdin;
1	queued	m	1	\N
2	sent	m	2	2024-01-01 00:00+00
3	sent	m	3	\N
4	queued	m	4	2024-01-01 00:00+00
5	queued	m	5	\N
\.
select * from by_figures; select * from by_rows;
-- Moved to the other partition and complete; moved away and back; the open on the way.
update sends set status = 'sent', sent_at = now() where id in (1, 4);
update sends set status = 'failed' where id = 4;
update sends set status = 'sent', opened_at = now() where id = 4;
update sends set sent_at = now() where id = 3;
select * from by_figures; select * from by_rows;
-- Failed on the way, and sent after all.
update sends set status = 'failed', failed_at = now() where id = 1;
select * from by_figures; select * from by_rows;
update sends set status = 'sent', failed_at = null where id = 1;
select * from by_figures; select * from by_rows;
-- A row that moves and names another user is the same send.
update sends set status = 'queued', user_id = 50 where id = 2;
update sends set status = 'sent', user_id = 51 where id = 2;
select user_key from goals.outcome where user_key in ('2', '50', '51');
-- Upserts, twice the same; deleted and inserted again: in one statement, in one transaction, in several.
insert into sends values (6, 'sent', 'm', 6, null) on conflict (id, status) do update set sent_at = excluded.sent_at;
insert into sends values (6, 'sent', 'm', 6, now()) on conflict (id, status) do update set sent_at = excluded.sent_at;
insert into sends values (6, 'sent', 'm', 6, now(), now()) on conflict (id, status) do update set sent_at = excluded.sent_at, opened_at = excluded.opened_at;
insert into sends values (6, 'sent', 'm', 6, now()) on conflict do nothing;
-- MERGE (PostgreSQL 15)
select current_setting('server_version_num')::int >= 150000 as has_merge \gset
\if :has_merge
merge into sends s using (values (6, 'm', 6), (8, 'm', 8), (9, 'm', 9)) x (id, message, user_id) on s.id = x.id
    when matched then update set opened_at = s.opened_at when not matched then insert (id, status, message, user_id) values (x.id, 'queued', x.message, x.user_id);
merge into sends s using (values (6), (8)) x (id) on s.id = x.id when matched then update set status = 'sent', sent_at = now();
\else
insert into sends values (8, 'queued', 'm', 8), (9, 'queued', 'm', 9);
update sends set status = 'sent', sent_at = now() where id in (6, 8);
\endif
with moved as (delete from sends where id = 6 returning *) insert into sends select * from moved;
begin;
create temp table kept on commit drop as select * from sends where id in (1, 5);
delete from sends where id in (1, 5);
insert into sends select * from kept;
commit;
begin;
delete from sends where id = 5;
insert into sends values (5, 'sent', 'm', 5, now());
commit;
delete from sends where id = 4;
insert into sends values (4, 'sent', 'm', 4, now(), now());
-- A partition that is detached, changed and attached again
alter table sends detach partition sends_sent;
insert into sends_sent (id, status, message, user_id, sent_at) values (7, 'sent', 'm', 7, now());
alter table sends attach partition sends_sent for values in ('sent');
update sends set opened_at = now() where id = 7;
select * from by_figures;
select sent - (id7)::int as sent, opened - (id7)::int as opened from by_rows, (select count(*) from sends where id = 7) x (id7);
select * from goals.ignored;

-- Engagements
create view engagements as select kind, count(*), count(distinct user_key) as users from goals.engagement join goals.receipt using (receipt_id)
where user_key::int >= 20 group by 1 order by 1;
select goals.record_sent('m', array(select n::text from generate_series(20, 40) n), sent_at => now() - interval '1 hour');
copy clicks (part, id, message, user_id, event, at) from stdin;
1	1	m	20	click	2024-01-01 00:00+00
2	2	m	21	\N	2100-01-01 00:00+00
2	3	m	22	open	\N
\.
copy clicks (part, id, message, user_id, event) from stdin;
1	4	m	\N	click
\.
-- too early, and not complete
select * from engagements;
update clicks set at = now() where id in (1, 3);
select * from engagements;
-- Complete because of the move, and moved without another.
update clicks set part = 3 - part, event = 'click' where id = 2;
-- (its time is ahead, and is that of the click as now)
select max(at) <= clock_timestamp() as by_now from goals.engagement;
update clicks set part = 3 - part where id in (2, 3);
update clicks set part = 3 - part;
update clicks set user_id = 24, at = now(), part = 3 - part where id = 4;
select * from engagements;
-- Deleted and inserted again within a transaction.
with moved as (delete from clicks where id = 2 returning *) insert into clicks select * from moved;
begin;
create temp table kept on commit drop as select * from clicks;
delete from clicks;
insert into clicks select * from kept;
insert into clicks select * from kept where id = 2;
rollback;
begin;
create temp table kept on commit drop as select * from clicks;
delete from clicks;
insert into clicks select * from kept;
commit;
select * from engagements;
-- Without a primary key each INSERT is one.
insert into clicks select * from clicks where id = 2;
select * from engagements;

-- An ordinary table with a primary key: upserts are one, and so is what is deleted and inserted again.
create table statuses (message text, user_id int, status text, at timestamptz default clock_timestamp(), note text, primary key (message, user_id));
select from goals.track_engagements('statuses', 'status', message => 'message', user_key => 'user_id', at => 'at', kinds => '{"open": "opened", "click": "clicked", "bounce": "bounced"}');
insert into statuses values ('m', 30, 'open') on conflict (message, user_id) do update set status = excluded.status, at = excluded.at;
insert into statuses values ('m', 30, 'open') on conflict (message, user_id) do update set status = excluded.status, at = excluded.at;
insert into statuses values ('m', 30, 'click') on conflict (message, user_id) do update set status = excluded.status, at = excluded.at;
insert into statuses values ('m', 31, 'sent') on conflict (message, user_id) do update set status = excluded.status;
insert into statuses values ('m', 31, 'bounce') on conflict (message, user_id) do update set status = excluded.status;
update statuses set note = 'seen';
begin;
create temp table kept on commit drop as select * from statuses;
delete from statuses;
insert into statuses select * from kept;
commit;
begin;
savepoint s;
delete from statuses where user_id = 31;
rollback to s;
insert into statuses values ('m', 32, 'bounce');
commit;
select user_key, kind, count(*) from goals.engagement join goals.receipt using (receipt_id) where user_key in ('30', '31', '32') group by 1, 2 order by 1, 2;
-- Triggers that change the row before it is written
create function nothing() returns trigger language plpgsql as $$ begin new.status := 'open'; return new; end $$;
create trigger aa before insert on statuses for each row execute function nothing();
insert into statuses values ('m', 33, 'other');
select kind from goals.engagement join goals.receipt using (receipt_id) where user_key = '33';
select goals.roll_up() > 0 as rolled;
select * from goals.verify();
