-- A receipt of a tracked table remembers the row it was made from by the row's primary key. Opens, clicks and
-- corrections of the row go to its receipt, whatever its times say; a row deleted and inserted again is the same send,
-- or event.
create table users (id bigint primary key, plan text default 'free');
insert into users (id) select generate_series(1, 99);
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '30 days');
select from goals.create_message('other');
select from goals.set_goal('other', 'plan', 'is changed', time_limit => '30 days');

-- Tables of sends with every kind of key: one column, several, a partitioned table, uuid, text, a unique index only.
create table by_number (id bigint primary key, what text, who bigint,
    sent timestamptz default clock_timestamp(), opened timestamptz, clicked timestamptz);
create table by_both (tenant int, no text, what text, who bigint,
    sent timestamptz default clock_timestamp(), opened timestamptz, clicked timestamptz, primary key (no, tenant));
create table by_part (part int, id bigint, what text, who bigint,
    sent timestamptz default clock_timestamp(), opened timestamptz, clicked timestamptz, primary key (part, id))
    partition by list (part);
create table by_part_1 partition of by_part for values in (1);
create table by_part_default (clicked timestamptz, what text, id bigint not null,
    sent timestamptz default clock_timestamp(), part int not null, opened timestamptz, who bigint);
alter table by_part attach partition by_part_default default;
create table by_uuid (what text, who bigint,
    sent timestamptz default clock_timestamp(), opened timestamptz, clicked timestamptz, id uuid primary key);
create table by_text (what text, who bigint, id varchar(40) primary key,
    sent timestamptz default clock_timestamp(), opened timestamptz, clicked timestamptz);
create table by_nothing (id bigint unique, what text, who bigint,
    sent timestamptz default clock_timestamp(), opened timestamptz, clicked timestamptz);
select from goals.track_receipts('by_number', 'what', 'who', 'sent', 'opened', 'clicked');
select from goals.track_receipts('by_both', 'what', 'who', 'sent', 'opened', 'clicked');
select from goals.track_receipts('by_part', 'what', 'who', 'sent', 'opened', 'clicked');
select from goals.track_receipts('by_uuid', 'what', 'who', 'sent', 'opened', 'clicked');
select from goals.track_receipts('by_text', 'what', 'who', 'sent', 'opened', 'clicked');
select from goals.track_receipts('by_nothing', 'what', 'who', 'sent', 'opened', 'clicked');
-- A user of each table was sent the message a week ago, and again now.
insert into by_number values (1, 'm', 1, now() - interval '7 days'), (2, 'm', 1, clock_timestamp());
insert into by_both values (1, '11', 'm', 2, now() - interval '7 days'), (11, '1', 'm', 2, clock_timestamp());
insert into by_part values (1, 1, 'm', 3, now() - interval '7 days'), (2, 1, 'm', 3, clock_timestamp());
insert into by_uuid values ('m', 4, now() - interval '7 days', null, null, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'),
    ('m', 4, clock_timestamp(), null, null, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12');
insert into by_text values ('m', 5, 'a', now() - interval '7 days'), ('m', 5, E'\\a''', clock_timestamp());
insert into by_nothing values (1, 'm', 6, now() - interval '7 days'), (2, 'm', 6, clock_timestamp());
create view opens as
select user_key::bigint as who, count(*) as receipts, count(opened_at) as opened, count(clicked_at) as clicked,
       bool_and(opened_at is null) filter (where sent_at < now() - interval '1 day') as old_unopened
from goals.outcome where message = 'm' and user_key::bigint < 10 group by 1 order by 1;

-- The application's clock is behind when it corrects the time of sending, and an open comes later.
update by_nothing set opened = clock_timestamp() where id = 2;
update by_number set sent = clock_timestamp() - interval '100 ms' where id = 2;
update by_both set sent = clock_timestamp() - interval '2 hours' where no = '1';
update by_part set sent = '2001-01-01' where part = 2;
update by_uuid set sent = clock_timestamp() + interval '1 day' where id::text like '%12';
update by_text set sent = clock_timestamp() - interval '100 ms', opened = clock_timestamp() where id <> 'a';
update by_number set opened = clock_timestamp() where id = 2;
update by_both set opened = clock_timestamp() where no = '1';
update by_part set opened = clock_timestamp() where part = 2;
update by_uuid set opened = clock_timestamp() where id::text like '%12';
select * from opens;
-- Clicks, after a second correction of the time, to the moment of the other row
update by_number set sent = (select sent from by_number where id = 1), clicked = clock_timestamp() where id = 2;
update by_both set sent = (select sent from by_both where no = '11') where no = '1';
update by_both set clicked = clock_timestamp() where no = '1';
update by_part set sent = (select sent from by_part where part = 1) where part = 2;
update by_part set clicked = clock_timestamp() where part = 2;
update by_uuid set sent = (select min(sent) from by_uuid);
update by_uuid set clicked = clock_timestamp() where id::text like '%12';
update by_text set sent = null where id <> 'a';
update by_text set clicked = clock_timestamp() where id <> 'a';
select * from opens;

-- An open that becomes earlier counts as the earliest, one that becomes later changes nothing. None is before the
-- sending.
insert into by_number values (10, 'm', 10, now() - interval '3 days', now() - interval '1 day');
insert into by_nothing values (10, 'm', 11, now() - interval '3 days', now() - interval '1 day');
insert into by_both values (10, '10', 'm', 12, now() - interval '3 days', null, now() - interval '1 day');
update by_number set opened = now() - interval '2 days' where id = 10;
update by_nothing set opened = now() - interval '2 days' where id = 10;
update by_both set clicked = now() - interval '2 days' where no = '10';
create view opened as
select user_key::bigint as who, round(extract(epoch from now() - opened_at) / 86400, 1) as opened_days_ago,
       round(extract(epoch from now() - clicked_at) / 86400, 1) as clicked_days_ago
from goals.outcome where message = 'm' and user_key::bigint between 10 and 19 order by 1;
select * from opened;
update by_number set opened = now() - interval '1 hour' where id = 10;
update by_nothing set opened = null where id = 10;
update by_nothing set opened = now() - interval '1 hour' where id = 10;
update by_both set opened = now() - interval '4 days' where no = '10';
select * from opened;

-- A row that is deleted and inserted again is the same send: by maintenance of partitions, by a retry; in one
-- statement, in one transaction, in several. Its next open is one of the receipt that it had.
insert into by_number values (20, 'm', 20);
insert into by_both values (20, '20', 'm', 21);
insert into by_part values (20, 20, 'm', 22);
insert into by_uuid values ('m', 23, default, null, null, 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
insert into by_text values ('m', 24, 'b');
insert into by_nothing values (20, 'm', 25);
with moved as (delete from by_number where id = 20 returning *) insert into by_number select * from moved;
begin;
create temp table kept on commit drop as select * from by_both where no = '20';
delete from by_both where no = '20';
insert into by_both select * from kept;
commit;
with moved as (delete from only by_part_default where part = 20 returning part, id, what, who, sent, opened, clicked)
insert into by_part select * from moved;
-- pg_partman makes the partition and moves what belongs there
create table by_part_20 (like by_part including all);
with moved as (delete from by_part_default where part = 20 returning part, id, what, who, sent, opened, clicked)
insert into by_part_20 select * from moved;
alter table by_part attach partition by_part_20 for values in (20);
delete from by_uuid where id::text like 'b%';
insert into by_uuid values ('m', 23, clock_timestamp(), null, null, 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
insert into by_text values ('m', 24, 'b') on conflict (id) do update set sent = excluded.sent, opened = null;
delete from by_text where id = 'b';
insert into by_text values ('m', 24, 'b', null, clock_timestamp());
-- Without a key it is another one, as it always was.
with moved as (delete from by_nothing where id = 20 returning *) insert into by_nothing select * from moved;
select user_key, count(*) as receipts, count(opened_at) as opened
from goals.outcome where message = 'm' and user_key::bigint between 20 and 25 group by 1 order by 1;
update by_number set opened = clock_timestamp() where id = 20;
update by_both set opened = clock_timestamp() where no = '20';
update by_part set opened = clock_timestamp() where part = 20;
update by_uuid set opened = clock_timestamp() where id::text like 'b%';
update users set plan = 'pro' where id between 20 and 24;
select user_key, count(*) as receipts, count(opened_at) as opened, count(matched_at) as matched
from goals.outcome where message = 'm' and user_key::bigint between 20 and 24 group by 1 order by 1;
-- One that says another user or another message is another send. The first of each stays the same.
insert into by_number values (30, 'm', 30);
with moved as (delete from by_number where id = 30 returning *)
insert into by_number select id, what, 31, sent, opened, clicked from moved;
with moved as (delete from by_number where id = 30 returning *)
insert into by_number select id, 'other', 31, sent, opened, clicked from moved;
with moved as (delete from by_number where id = 30 returning *)
insert into by_number select id, 'm', 30, sent, opened, clicked from moved;
update by_number set opened = clock_timestamp() where id = 30;
select user_key, message, count(*) as receipts, count(opened_at) as opened
from goals.outcome where user_key::bigint in (30, 31) group by 1, 2 order by 1, 2;
-- An insert that was rolled back is none.
begin;
insert into by_number values (32, 'm', 32);
rollback;
insert into by_number values (32, 'm', 32);
begin;
savepoint s;
delete from by_number where id = 32;
insert into by_number values (32, 'm', 32);
rollback to s;
commit;
select count(*) as receipts from goals.outcome where message = 'm' and user_key = '32';
-- Rows of two tables with the same key are two sends, and so are keys whose parts are alike when put together.
insert into by_number values (33, 'm', 33);
insert into by_text values ('m', 33, '33');
insert into by_both values (1, '23', 'm', 34), (3, '12', 'm', 34), (12, '3', 'm', 34), (31, '2', 'm', 34);
select user_key, count(*) as receipts from goals.outcome
where message = 'm' and user_key in ('33', '34') group by 1 order by 1;
-- The receipt of a row that was forgotten is gone. Inserted again, the row is a new send.
insert into by_number values (35, 'm', 35);
select goals.forget_user('35');
update by_number set opened = clock_timestamp() where id = 35;
select count(*) from goals.outcome where message = 'm' and user_key = '35';
with moved as (delete from by_number where id = 35 returning *) insert into by_number select * from moved;
select count(*), count(opened_at) as opened from goals.outcome where message = 'm' and user_key = '35';

-- Events: the same row is one event, whatever moves it; a goal on the second needs another one.
create table log (id bigint, part int default 9, user_id bigint, name text, at timestamptz default clock_timestamp(),
    amount jsonb, primary key (id, part)) partition by list (part);
create table log_default partition of log default;
select from goals.track_events('log', 'user_id', 'name', 'at', 'amount');
create table log_of_uuids (id uuid primary key, user_id bigint, name text);
select from goals.track_events('log_of_uuids', user_key => 'user_id', event => 'name');
create table log_of_nothing (id bigint, user_id bigint, name text, at timestamptz default clock_timestamp());
select from goals.track_events('log_of_nothing', user_key => 'user_id', event => 'name', occurred_at => 'at');
select from goals.create_message('e');
select from goals.set_goal('e', event => 'login', times => 2, time_limit => '30 days', value_from => 'n');
select from goals.set_goal('e', event => 'login', time_limit => '30 days', value_from => 'n', goal => 'first');
select goals.record_sent('e', array(select id::text from users where id between 40 and 59));
insert into log (id, user_id, name, amount) select n, 39 + n, 'login', '{"n": 1}' from generate_series(1, 3) n;
insert into log_of_uuids values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 43, 'login');
insert into log_of_nothing values (1, 44, 'login');
with moved as (delete from log_default returning *) insert into log select * from moved;
with moved as (delete from log_of_uuids returning *) insert into log_of_uuids select * from moved;
with moved as (delete from log_of_nothing returning *) insert into log_of_nothing select * from moved;
begin;
delete from log where id = 2;
insert into log (id, user_id, name, amount) values (2, 41, 'login', '{"n": 7}');
savepoint s;
delete from log where id = 2;
insert into log (id, user_id, name, amount) values (2, 41, 'login', '{"n": 8}');
rollback to s;
commit;
update log set part = 8 where id = 1;
create view logins as
select user_key::bigint as who, goal, matched_at is not null as matched, worth
from goals.outcome where message = 'e' and user_key::bigint between 40 and 44 order by 1, 2;
select * from logins where matched or goal = 'primary';
select k, verdict, times_seen from generate_series(40, 44) k, goals.explain('e', k::bigint)
where goal = 'primary' order by 1;
insert into log (id, user_id, name, amount) select 10 + n, n, 'login', '{"n": 2}' from generate_series(40, 43) n;
select * from logins where goal = 'primary';
-- A row for another user is an event of that user.
with moved as (delete from log where id = 3 returning *)
insert into log select id, part, 45, name, at, amount from moved;
select verdict, times_seen from goals.explain('e', 45::bigint) where goal = 'primary';

-- record_event() with an event_id, record_sent() and deliver() with a ref: given again they are the same.
select goals.record_event(46::bigint, 'login', '{"n": 1}', event_id => 'order 1');
select goals.record_event(46::bigint, 'login', '{"n": 5}', event_id => 'order 1');
select verdict, times_seen from goals.explain('e', 46::bigint) where goal = 'primary';
select goals.record_event(46::bigint, 'login', '{"n": 2}', event_id => 'order 2');
select goals.record_event(46::bigint, 'login', '{"n": 2}');
select goals.record_event(47::bigint, 'login', '{"n": 1}', event_id => 'order 1');
select u.id, x.goal, x.verdict, m.worth
from unnest(array[46, 47]) u (id) cross join lateral goals.explain('e', u.id::bigint) x
left join goals.matches('e') m using (receipt_id, goal) order by 1, 2;
begin;
select goals.record_event(48::bigint, 'login', event_id => 'order 1');
rollback;
select goals.record_event(48::bigint, 'login', event_id => 'order 1');
select goals.record_event(48::bigint, 'login', event_id => 'order 1');
select verdict, times_seen from goals.explain('e', 48::bigint) where goal = 'primary';

select goals.record_sent('m', 60::bigint, ref => 'mail 1') as first \gset
select goals.record_sent('m', 60::bigint, ref => 'mail 1') = :first as same;
select receipt_id = :first as same, send, repeated from goals.deliver('m', 60::bigint, ref => 'mail 1');
select goals.record_sent('m', 60::bigint, ref => 'mail 2') > :first as another,
       goals.record_sent('m', 60::bigint) > :first as without,
       goals.record_sent('m', 61::bigint, ref => 'mail 1') > :first as of_another_user,
       goals.record_sent('other', 60::bigint, ref => 'mail 1') > :first as of_another_message;
select goals.record_sent('m', '60', ref => 'mail 1', sent_at => now() - interval '1 day') = :first as same;
begin;
savepoint s;
select goals.record_sent('m', 62::bigint, ref => 'mail 3') as undone \gset
rollback to s;
select goals.record_sent('m', 62::bigint, ref => 'mail 3') as kept \gset
select goals.record_sent('m', 62::bigint, ref => 'mail 3') = :kept as same, :kept <> :undone as not_the_undone;
commit;
select user_key, message, count(*) as receipts from goals.outcome
where user_key in ('60', '61', '62') group by 1, 2 order by 1, 2;
-- Who was forgotten is not known by a ref.
select goals.forget_user('62');
select goals.record_sent('m', 62::bigint, ref => 'mail 3') > :kept as another;
select * from goals.verify();
