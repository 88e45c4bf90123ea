-- Rows of engagements that fit nothing: never an error, noted once per table and reason, NULLs never, and shown by health().
create table users (id bigint primary key, plan text);
insert into users select n from generate_series(1, 9) n;
select from goals.track_users('users');
create table sends (id int primary key, message text, user_id int, arm text);
create table opens (campaign text, who text, at timestamptz);
create table clicks (send_id int references sends, kind text);
select from goals.track_receipts('sends', 'message', 'user_id', variant => 'arm');
select from goals.track_engagements('opens', 'opened', message => 'campaign', user_key => 'who', at => 'at');
select from goals.track_engagements('clicks', 'kind', send => 'send_id', kinds => '{"click": "clicked"}');
select from goals.create_message('m');
select from goals.create_message('series', kind => 'programme');
select from goals.create_message('test');
select from goals.set_control_group('test', 0.5);
insert into sends values (1, 'm', 1, null), (2, 'unmeasured', 2, null), (3, 'test', 3, 'control'), (4, 'series', 4, null);
select goals.record_sent('m', 5, sent_at => '2024-01-02 00:00+00') > 0 as sent;
delete from goals.ignored;

-- A NULL says nothing.
insert into opens values (null, '1', now()), ('m', null, now()), ('m', '1', null), (null, null, null);
insert into clicks values (1, null), (null, 'click');
select count(*) from goals.ignored;

insert into opens values ('helo', '1', now()), ('helo', '2', now()), (repeat('x', 2000), '1', now());
insert into opens values ('m', 'nobody', now()), ('m', '99', now()), ('m', '7', now()), ('m', '5', '2024-01-01 00:00+00'), ('m', repeat('9', 3000), now());
insert into opens values ('test', '3', now()), ('series', '4', now());
insert into clicks values (2, 'click'), (3, 'click'), (4, 'click'), (1, 'other');
select problem, object, split_part(detail, ',', 1) as detail, hint from goals.health() order by 1, 2;
select count(*) from goals.engagement;
-- As often as they come, once.
insert into opens select 'helo', '1', now() from generate_series(1, 50);
select count(*) from goals.ignored;
-- At most 100 names per table.
insert into opens select 'campaign ' || n, '1', now() from generate_series(1, 150) n;
insert into opens select 'campaign ' || n, '1', now() from generate_series(1, 150) n;
select count(*) from goals.ignored where source_id = (select source_id from goals.source where relation = 'opens'::regclass);
select count(*) from goals.ignored where source_id = (select source_id from goals.source where relation = 'clicks'::regclass);
-- A message that is created is no longer shown, and its rows count from then on; tracked again, everything noted is removed.
select from goals.create_message('helo');
select count(*) from goals.health() where object ~ '^helo';
select goals.record_sent('helo', 1) > 0 as sent;
insert into opens values ('helo', '1', now());
select opened from goals.message_stats where message = 'helo';
select from goals.track_engagements('opens', 'opened', message => 'campaign', user_key => 'who', at => 'at');
select from goals.track_engagements('clicks', 'kind', send => 'send_id', kinds => '{"click": "clicked"}');
select * from goals.health();

-- Columns that are gone or of another type, a missing or disabled trigger, a table that is dropped.
alter table opens rename column at to happened_at;
insert into opens values ('m', '1', now());
select problem, detail, hint from goals.health();
alter table opens rename column happened_at to at;
alter table clicks alter kind type jsonb using '1';
insert into clicks values (1, '"click"');
select problem, detail, hint from goals.health();
alter table clicks alter kind type text using 'other';
alter table opens disable trigger user;
select problem, object, hint from goals.health();
alter table opens enable trigger user;
insert into clicks values (1, 'click');
insert into opens values ('m', '1', now());
select opened, clicked from goals.message_stats where message = 'm';
do $$ begin execute format('drop trigger pg_goals_e%s on clicks', (select source_id from goals.source where relation = 'clicks'::regclass)); end $$;
select problem, object, hint from goals.health();
drop table clicks;
select problem, regexp_replace(hint, '\d+', 'N', 'g') as hint from goals.health();
-- The table of sends is gone: what refers to it finds the receipts that there are.
create table later (send_id int);
select from goals.track_engagements('later', 'opened', send => 'send_id', sends => 'sends');
drop table sends cascade;
insert into later values (1);
select opened from goals.message_stats where message = 'm';
-- Switched off
set pg_goals.enabled to off;
insert into opens values ('m', '1', now());
reset pg_goals.enabled;
select count(*) from goals.engagement where kind = 'o';
select * from goals.verify();
