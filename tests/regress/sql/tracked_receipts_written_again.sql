-- What an application writes later into the rows of its table of sends, and what becomes of rows that could not be recorded.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 20) n;
create table sends (campaign text, user_id bigint, sent timestamptz default clock_timestamp(), opened timestamptz, clicked timestamptz, arm text);
select from goals.track_users('users');
select from goals.track_receipts('sends', 'campaign', 'user_id', 'sent', 'opened', 'clicked', 'arm');
select from goals.create_message('test');
select from goals.add_variant('test', 'a');

-- The row's own receipt is opened though the application has lost the last digits of the time, in the same statement or before, or
-- corrects it, or changes what else the row says; also where an older receipt of the message is there.
select from goals.create_message('rounded');
select from goals.set_goal('rounded', 'plan', 'is', 'pro', '1 day');
insert into sends (campaign, user_id, sent) select 'rounded', n, '2024-01-01 00:00+00' from generate_series(1, 8) n;
insert into sends (campaign, user_id) select 'rounded', n from generate_series(1, 8) n;
update sends set sent = date_trunc('milliseconds', sent), opened = clock_timestamp() where campaign = 'rounded' and sent > '2025-01-01' and user_id = 1;
update sends set sent = date_trunc('seconds', sent) where campaign = 'rounded' and sent > '2025-01-01' and user_id = 2;
update sends set opened = clock_timestamp() where campaign = 'rounded' and sent > '2025-01-01' and user_id = 2;
update sends set sent = sent - interval '2 hours', opened = clock_timestamp() where campaign = 'rounded' and sent > '2025-01-01' and user_id = 3;
update sends set user_id = 18, campaign = 'helo', opened = clock_timestamp() where campaign = 'rounded' and sent > '2025-01-01' and user_id = 4;
select x.user_key, count(*), count(*) filter (where x.sent_at > '2025-01-01') as new_ones from goals.outcome x where x.message = 'rounded' and x.opened_at is not null group by 1 order by 1;
-- Two sends planned for later: each is opened once, whichever receipt is whose.
insert into sends (campaign, user_id, sent) values ('rounded', 9, now() + interval '1 day'), ('rounded', 9, now() + interval '2 days');
update sends set opened = clock_timestamp() where campaign = 'rounded' and user_id = 9 and sent < now() + interval '36 hours';
update sends set opened = clock_timestamp() where campaign = 'rounded' and user_id = 9 and opened is null;
select count(*), count(x.opened_at) from goals.outcome x where x.message = 'rounded' and x.user_key = '9';
-- Nobody opens what has not been sent yet: such a time is that of the sending.
insert into sends (campaign, user_id, sent, opened) values ('rounded', 10, '2024-01-01 10:00+00', '2024-01-01');
insert into sends (campaign, user_id, sent) values ('rounded', 11, '2024-01-01 10:00+00');
update sends set clicked = '2024-01-01 09:59:55+00' where campaign = 'rounded' and user_id = 11;
select x.user_key, x.opened_at = x.sent_at as opened_then, x.clicked_at = x.sent_at as clicked_then from goals.outcome x where x.message = 'rounded' and x.user_key in ('10', '11') order by 1;

-- What could not be recorded is shown until somebody has looked after it: the message is created, the table tracked again, or what is as
-- old is purged. Names that mean something by now do not keep others out.
insert into sends (campaign, user_id) select 'template ' || n, 1 from generate_series(1, 120) n;
select count(*) from goals.health() where problem = 'unknown message' and object like 'template%';
select count(goals.create_message('template ' || n)) from generate_series(1, 100) n;
insert into sends (campaign, user_id, arm) values ('a new one', 1, null), ('test', 1, 'y');
select problem, object from goals.health() where object in ('a new one', 'test: y');
select from goals.track_receipts('sends', 'campaign', 'user_id', 'sent', 'opened', 'clicked', 'arm');
select problem, object from goals.health();
insert into sends (campaign, user_id) values ('a new one', 1);
select problem, object from goals.health();
select goals.purge('2000-01-01');
select count(*) from goals.ignored;
update goals.ignored set first_at = '1999-01-01';
select goals.purge('2000-01-01');
select count(*) from goals.ignored;
