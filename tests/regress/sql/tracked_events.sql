-- The application's own events table: each inserted row is an event.
create table users (id bigint primary key);
insert into users select generate_series(1, 9);
create type happening as enum ('purchase', 'visit', 'logout');
create table events (gone int, id bigserial primary key, user_id int, kind happening, at timestamptz default clock_timestamp(), data jsonb);
alter table events drop column gone;
select from goals.track_events('events', 'user_id', 'kind', 'at', 'data');
select from goals.track_users('users');
select from goals.track_events('events', 'user_id', 'kind', 'at', 'data');
select from goals.track_events('events', 'user_id', 'kind', 'at', 'data');
select from goals.create_message('offer');
select from goals.set_goal('offer', event => 'purchase', time_limit => '2 days', properties => '{"paid": true}', value_from => 'price.net');
select from goals.set_goal('offer', event => 'visit', times => 2, time_limit => '2 days', goal => 'visits');
select goals.record_sent('offer', array['1', '2', '3', '4'], sent_at => now() - interval '1 day');

insert into events (user_id, kind, data) values (1, 'purchase', '{"paid": true, "price": {"net": 9.99}}'), (1, 'purchase', '{"paid": true, "price": {"net": 5}}'),
    (2, 'purchase', '{"paid": false}'), (3, 'purchase', null), (null, 'purchase', '{"paid": true}'), (4, null, '{"paid": true}'), (99, 'purchase', '{"paid": true}');
copy events (user_id, kind, at, data) from stdin;
4	purchase	2001-01-01	{"paid": true}
3	visit	\N	{}
3	visit	\N	{}
2	visit	infinity	{}
2	visit	-infinity	{}
1	visit	2001-01-01	{}
\.
select user_key, goal, event, worth from goals.matches('offer') order by user_key, goal;
-- An event of the future happened now at the latest.
select count(*) filter (where matched_at > clock_timestamp()) as in_the_future from goals.matches('offer');
insert into events (user_id, kind, at) values (1, 'visit', now() + interval '1 year'), (1, 'visit', now() - interval '23 hours');
select user_key, matched_at <= clock_timestamp() as by_now from goals.matches('offer', 'visits') order by user_key;

-- Only an insert is an event: neither an update nor a delete.
update events set kind = 'purchase', data = '{"paid": true}' where user_id in (2, 4);
delete from events where user_id = 1;
select goal, sent, matched, worth from goals.message_stats order by goal;

-- With the transaction that inserts it
begin;
insert into events (user_id, kind, data) values (2, 'purchase', '{"paid": true}');
savepoint s;
insert into events (user_id, kind, data) values (4, 'purchase', '{"paid": true}');
rollback to s;
select count(*) from goals.matches('offer', 'primary') where user_key in ('2', '4');
rollback;
select count(*) from goals.matches('offer', 'primary') where user_key in ('2', '4');

-- What the insert finally holds, and what is inserted indeed.
create function fill() returns trigger language plpgsql as $$ begin new.kind := 'purchase'; return new; end $$;
create trigger fill before insert on events for each row when (new.kind = 'logout') execute function fill();
insert into events (user_id, kind, data) values (2, 'logout', '{"paid": true}');
insert into events (id, user_id, kind, data) values (1000, 8, 'visit', null);
insert into events (id, user_id, kind, data) values (1000, 4, 'purchase', '{"paid": true}') on conflict do nothing;
select user_key from goals.matches('offer', 'primary') order by user_key;

-- Without a column for the time it is the time of the insert; other types of key and name; partitions, one attached later.
create table clicks (what varchar(20), who text, month int) partition by list (month);
create table clicks_1 partition of clicks for values in (1);
select from goals.track_events('clicks', user_key => 'who', event => 'what');
create table clicks_2 (month int, who text, what varchar(20));
alter table clicks attach partition clicks_2 for values in (2);
select from goals.create_message('button');
select from goals.set_goal('button', event => 'click', time_limit => '1 hour');
select from goals.set_goal('button', event => 'click', times => 2, time_limit => '1 hour', goal => 'twice');
select goals.record_sent('button', array['5', '6', '7', '8']);
insert into clicks values ('click', '5', 1), ('click', '6', 2), ('clack', '7', 1), ('click', 'nobody', 1);
insert into clicks_2 values (2, ' 7 ', 'click');
-- A row that moves to another partition is not inserted again.
update clicks set month = 3 - month;
select user_key, goal from goals.matches('button') order by user_key, goal;

-- Who has no rights on the extension inserts as ever.
create role regress_goals_app;
grant insert on events, clicks to regress_goals_app;
grant usage on sequence events_id_seq to regress_goals_app;
set role regress_goals_app;
insert into events (user_id, kind, data) values (4, 'purchase', '{"paid": true, "price": {"net": "free"}}');
reset role;
select user_key, worth from goals.matches('offer', 'primary') order by user_key;

-- Renaming a column it reads stops it; health() says so. Nothing raises.
alter table events rename column kind to type;
insert into events (user_id, type, data) values (3, 'purchase', '{"paid": true}');
select count(*) > 0 as reported from goals.health();
alter table events rename column type to kind;
insert into events (user_id, kind, data) values (3, 'purchase', '{"paid": true}');
select user_key from goals.matches('offer', 'primary') order by user_key;

-- Disabled, untracked, tracked again
alter table events disable trigger pg_goals_2;
select problem, object, hint from goals.health();
alter table events enable trigger pg_goals_2;
select from goals.untrack('events');
insert into events (user_id, kind) values (4, 'visit'), (4, 'visit');
select from goals.track_events('events', 'user_id', 'kind', 'at', 'data');
insert into events (user_id, kind) values (4, 'visit');
select count(*) from goals.matches('offer', 'visits') where user_key = '4';
insert into events (user_id, kind) values (4, 'visit');
select count(*) from goals.matches('offer', 'visits') where user_key = '4';
select * from goals.health();

-- What can be an events table
select from goals.track_events('events', 'nobody', 'kind');
select from goals.track_events('events', 'data', 'kind');
select from goals.track_events('events', 'user_id', 'at');
select from goals.track_events('events', 'user_id', 'kind', occurred_at => 'data');
select from goals.track_events('events', 'user_id', 'kind', properties => 'kind');
select from goals.track_events('users', 'id', 'id');
create view v as select * from events;
select from goals.track_events('v', 'user_id', 'kind');
revoke all on events, clicks, events_id_seq from regress_goals_app;
drop role regress_goals_app;
