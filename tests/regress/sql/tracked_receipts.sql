-- The application's own table of sends: each inserted row is a receipt; first opens and clicks are recorded.
create table users (id bigint primary key, plan text);
insert into users select n, case when n % 5 = 0 then 'pro' else 'free' end from generate_series(1, 20) n;
create table sends (id bigserial primary key, gone int, campaign text, user_id bigint, sent timestamptz default clock_timestamp(),
    opened timestamptz, clicked timestamptz, arm text);
alter table sends drop column gone;
select from goals.track_receipts('sends', 'campaign', 'user_id', 'sent', 'opened', 'clicked', 'arm');
select from goals.track_users('users');
select from goals.track_receipts('sends', 'campaign', 'user_id', 'sent', 'opened', 'clicked', 'arm');
select from goals.track_receipts('sends', 'campaign', 'user_id', 'sent', 'opened', 'clicked', 'arm');
select from goals.create_message('hello');
select from goals.set_goal('hello', 'plan', 'is', 'pro', '7 days');
select * from goals.health();

-- Already matched is judged at the insert (5, 10).
insert into sends (campaign, user_id) select 'hello', generate_series(1, 5);
copy sends (campaign, user_id, sent, opened, clicked) from stdin;
hello	6	2020-01-01 00:00+00	\N	\N
hello	7	2020-01-01 00:00+00	2020-01-02 00:00+00	\N
hello	8	2020-01-01 00:00+00	\N	2020-01-03 00:00+00
hello	9	2020-01-01 00:00+00	2020-01-05 00:00+00	2020-01-03 00:00+00
hello	10	2020-01-01 00:00+00	2019-12-31 00:00+00	\N
\.
update users set plan = 'pro' where id <= 10;
select e.user_id, x.verdict, x.sent_at = e.sent as sent_then, x.opened_at at time zone 'UTC' as opened, x.clicked_at at time zone 'UTC' as clicked
from sends e, goals.explain('hello', e.user_id) x order by 1;
select sent, opened, clicked, already_matched, matched from goals.message_stats;

-- The earliest time counts, whatever is written over it; only the row's own receipt gets it.
insert into sends (campaign, user_id, sent) values ('hello', 11, '2024-01-01 00:00+00'), ('hello', 11, '2024-02-01 00:00+00'), ('hello', 12, '2024-01-01 00:00+00');
update sends set opened = '2024-01-02 00:00+00' where user_id = 11 and sent = '2024-01-01 00:00+00';
update sends set opened = '2024-01-01 12:00+00' where user_id = 11 and sent = '2024-01-01 00:00+00';
update sends set opened = null where user_id = 11 and sent = '2024-01-01 00:00+00';
update sends set opened = '2024-01-09 00:00+00', clicked = '2024-01-08 00:00+00' where user_id = 11 and sent = '2024-01-01 00:00+00';
update sends set arm = arm, opened = opened;
select x.sent_at at time zone 'UTC' as sent, x.opened_at at time zone 'UTC' as opened, x.clicked_at at time zone 'UTC' as clicked from goals.explain('hello', 11::bigint) x;
-- Two rows that look alike are two receipts, each opened once.
insert into sends (campaign, user_id, sent) values ('hello', 13, '2024-01-01 00:00+00'), ('hello', 13, '2024-01-01 00:00+00');
update sends set opened = '2024-01-02 00:00+00' where user_id = 13;
select count(x.opened_at) from goals.explain('hello', 13::bigint) x;

-- A row that is queued first, and sent and opened later; a time of sending ahead of the server's clock.
insert into sends (campaign, user_id, sent) values ('hello', 14, null), ('hello', 16, clock_timestamp() + interval '1 hour');
update sends set sent = clock_timestamp() where user_id = 14;
update sends set opened = clock_timestamp() where user_id in (14, 16);
select x.opened_at is not null as opened, x.sent_at <= clock_timestamp() as sent_by_now from unnest(array[14, 16]::bigint[]) u, goals.explain('hello', u) x;

-- Deleting a row of the log takes nothing back.
delete from sends where user_id <= 3;
select sent, opened, clicked, already_matched, matched from goals.message_stats;

-- A message nobody created, a user that is not there, a variant nobody added: never an error, always shown.
insert into sends (campaign, user_id) values ('helo', 1), ('helo', 2), ('bye', 1), (null, 1), ('hello', 99), ('hello', null);
insert into sends (campaign, user_id, arm) values ('hello', 17, 'x');
select problem, object, hint from goals.health();
select sent from goals.message_stats where message = 'hello';
-- Rows count from the creation of the message on.
select from goals.create_message('bye');
insert into sends (campaign, user_id) values ('bye', 2);
select sent from goals.message_stats where message = 'bye';

-- Variants: read from the row. A control user is sent nothing: what is written of opens is not counted.
select from goals.create_message('test');
select from goals.set_goal('test', 'plan', 'is', 'team', '7 days');
select from goals.add_variant('test', 'a');
select from goals.add_variant('test', 'b');
select from goals.set_control_group('test', 0.2);
insert into sends (campaign, user_id, arm, opened) values ('test', 1, 'a', null), ('test', 2, 'b', clock_timestamp()), ('test', 3, 'control', clock_timestamp()), ('test', 4, null, null);
update sends set clicked = clock_timestamp() where campaign = 'test';
update users set plan = 'team' where id in (1, 3);
select variant, sent, opened, clicked, matched from goals.variant_stats where message = 'test' order by variant;
select sent, opened, clicked, matched from goals.message_stats where message = 'test';
-- What is opened is that row, not an earlier one that was sent indeed.
insert into sends (campaign, user_id, arm, sent) values ('test', 6, 'a', '2024-01-01 00:00+00'), ('test', 6, 'control', '2024-01-02 00:00+00');
update sends set opened = '2024-01-03 00:00+00' where campaign = 'test' and user_id = 6 and arm = 'control';
select variant, opened_at is not null as opened from goals.explain('test', 6::bigint) order by sent_at;

-- In the transaction that writes it; a receipt written earlier in the same transaction counts.
begin;
insert into sends (campaign, user_id) values ('hello', 18);
update users set plan = 'pro' where id = 18;
select verdict from goals.explain('hello', 18::bigint);
rollback;
select verdict from goals.explain('hello', 18::bigint);

-- Only message and user; enum names; partitions whose rows move.
create type campaign as enum ('hello', 'bye');
create table log (who text, what campaign, opened_at timestamp, done boolean default false) partition by list (done);
create table log_open partition of log for values in (false);
create table log_done (done boolean default false, opened_at timestamp, what campaign, who text);
select from goals.track_receipts('log', 'what', 'who', opened_at => 'opened_at');
alter table log attach partition log_done for values in (true);
insert into log (who, what) values ('18', 'bye'), (' 19', 'bye'), ('nobody', 'bye');
update log set opened_at = clock_timestamp(), done = true where who = '18';
update log set opened_at = clock_timestamp() where who = ' 19';
select sent, opened from goals.message_stats where message = 'bye';
select object from goals.health() where problem = 'unknown user';

-- The application's role needs no rights on anything but its own table.
create role regress_goals_app;
grant insert, update, select on sends to regress_goals_app;
grant usage on sequence sends_id_seq to regress_goals_app;
set role regress_goals_app;
insert into sends (campaign, user_id) values ('hello', 19), ('nonsense', 19);
update sends set opened = clock_timestamp() where campaign = 'hello' and user_id = 19;
reset role;
select x.opened_at is not null as opened from goals.explain('hello', 19::bigint) x;
revoke all on sends, sends_id_seq from regress_goals_app;
drop role regress_goals_app;

-- Renaming a column it reads stops it; health() says so. Nothing raises.
alter table sends rename column user_id to recipient;
insert into sends (campaign, recipient) values ('hello', 20);
select count(*) > 0 as reported from goals.health() where problem not like 'unknown%';
alter table sends rename column recipient to user_id;
insert into sends (campaign, user_id) values ('hello', 20);
select count(*) from goals.explain('hello', 20::bigint);
