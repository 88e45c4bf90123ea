-- PostgREST calls functions by name and by the names of their parameters, not by types. So it cannot tell
-- record_sent(text, text) from record_sent(text, bigint). This is a schema for it (db-schemas = "api"), with one
-- function per call. Every key is a text.
--
--   createdb try_goals && psql -X -f examples/postgrest.sql try_goals
--
-- Run it as a superuser on an empty database. It takes away at the end what it made.
\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset footer off
\pset null '-'
set timezone = 'UTC';

\o /dev/null
create extension pg_goals;
create table users (id bigint primary key, plan text not null default 'free');
insert into users select generate_series(1, 5);
select from goals.track_users('users');
select from goals.create_message('welcome', kind => 'ongoing');
select from goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '7 days');
select from goals.set_goal('welcome', event => 'order', time_limit => '7 days', value_from => 'amount',
    goal => 'order');

-- The schema. The functions run with the rights of their owner, so the role of the API needs no right in goals.
create schema api;
create function api.assign(message text, user_key text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic select goals.assign(assign.message, assign.user_key); end;

create function api.deliver(message text, user_key text, sent_at timestamptz default clock_timestamp(),
    out receipt_id bigint, out variant text, out send boolean)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select d.receipt_id, d.variant, d.send from goals.deliver(deliver.message, deliver.user_key, deliver.sent_at) d;
end;

create function api.deliver_to_many(message text, user_keys text[], sent_at timestamptz default clock_timestamp())
returns table (user_key text, receipt_id bigint, variant text, send boolean)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select d.user_key, d.receipt_id, d.variant, d.send
    from goals.deliver(deliver_to_many.message, deliver_to_many.user_keys, deliver_to_many.sent_at) d;
end;

create function api.record_sent(message text, user_key text, variant text default null,
    sent_at timestamptz default clock_timestamp()) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select goals.record_sent(record_sent.message, record_sent.user_key, record_sent.variant, record_sent.sent_at);
end;

create function api.record_sent_to_many(message text, user_keys text[], variant text default null,
    sent_at timestamptz default clock_timestamp()) returns bigint
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select goals.record_sent(record_sent_to_many.message, record_sent_to_many.user_keys, record_sent_to_many.variant,
        record_sent_to_many.sent_at);
end;

create function api.record_opened(message text, user_key text, opened_at timestamptz default clock_timestamp())
returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic select goals.record_opened(record_opened.message, record_opened.user_key, record_opened.opened_at); end;

create function api.record_opened_of_receipt(receipt_id bigint, opened_at timestamptz default clock_timestamp())
returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic select goals.record_opened(record_opened_of_receipt.receipt_id, record_opened_of_receipt.opened_at); end;

create function api.record_clicked(message text, user_key text, clicked_at timestamptz default clock_timestamp())
returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select goals.record_clicked(record_clicked.message, record_clicked.user_key, record_clicked.clicked_at);
end;

create function api.record_clicked_of_receipt(receipt_id bigint, clicked_at timestamptz default clock_timestamp())
returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select goals.record_clicked(record_clicked_of_receipt.receipt_id, record_clicked_of_receipt.clicked_at);
end;

create function api.record_event(user_key text, event text, properties jsonb default '{}',
    occurred_at timestamptz default clock_timestamp()) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select goals.record_event(record_event.user_key, record_event.event, record_event.properties,
        record_event.occurred_at);
end;

create function api.message_stats()
returns table (message text, goal text, sent bigint, opened bigint, clicked bigint, matched bigint, worth numeric)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select s.message, s.goal, s.sent, s.opened, s.clicked, s.matched, s.worth
    from goals.message_stats s
    order by s.message, s.goal;
end;

revoke execute on all functions in schema api from public;
create role web_service;
grant usage on schema api to web_service;
grant execute on all functions in schema api to web_service;
\o

-- The calls, as PostgREST makes them for POST /rpc/record_sent and the others: it names each parameter, and reads it
-- from the body.
\set ECHO queries
set role web_service;
select api.record_sent("message" := b."message", "user_key" := b."user_key") as receipt_id
from json_to_record('{"message": "welcome", "user_key": "1"}') as b ("message" text, "user_key" text);

select api.record_sent_to_many("message" := b."message", "user_keys" := b."user_keys") as sent
from json_to_record('{"message": "welcome", "user_keys": ["2", "3"]}') as b ("message" text, "user_keys" text[]);

select d.receipt_id, d.send
from json_to_record('{"message": "welcome", "user_key": "4"}') as b ("message" text, "user_key" text),
     lateral api.deliver("message" := b."message", "user_key" := b."user_key") d;

select d.user_key, d.send
from json_to_record('{"message": "welcome", "user_keys": ["5"]}') as b ("message" text, "user_keys" text[]),
     lateral api.deliver_to_many("message" := b."message", "user_keys" := b."user_keys") d;

select api.record_opened("message" := b."message", "user_key" := b."user_key")
from json_to_record('{"message": "welcome", "user_key": "2"}') as b ("message" text, "user_key" text);

select api.record_opened_of_receipt("receipt_id" := b."receipt_id")
from json_to_record('{"receipt_id": 1}') as b ("receipt_id" bigint);

select api.record_clicked("message" := b."message", "user_key" := b."user_key")
from json_to_record('{"message": "welcome", "user_key": "3"}') as b ("message" text, "user_key" text);

select api.record_clicked_of_receipt("receipt_id" := b."receipt_id")
from json_to_record('{"receipt_id": 1}') as b ("receipt_id" bigint);

select api.record_event("user_key" := b."user_key", "event" := b."event", "properties" := b."properties")
from json_to_record('{"user_key": "2", "event": "order", "properties": {"amount": 19.99}}')
     as b ("user_key" text, "event" text, "properties" jsonb);

select api.assign("message" := b."message", "user_key" := b."user_key") is null as has_no_variants
from json_to_record('{"message": "welcome", "user_key": "1"}') as b ("message" text, "user_key" text);
reset role;

-- The application's own work
update users set plan = 'pro' where id = 1;

-- POST /rpc/message_stats
set role web_service;
select * from api.message_stats();
reset role;

-- No name stands for two functions
select proname, count(*) from pg_proc where pronamespace = 'api'::regnamespace group by 1 having count(*) > 1;

\set ECHO none
set client_min_messages = warning;
drop schema api cascade;
\o /dev/null
select goals.untrack_all();
\o
drop table users;
drop extension pg_goals;
drop role web_service;
