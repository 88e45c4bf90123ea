-- The application already logs what it sends, and what its users do: those tables are mirrored, and its code stays as it is.
--
--   createdb try_goals && psql -X -f examples/sends_and_events_that_exist.sql try_goals
--
-- Run it as a superuser on an empty database. It takes away at the end what it made.
\set ON_ERROR_STOP on
\set QUIET on
\set ECHO queries
\pset pager off
\pset footer off
\pset null '-'
set timezone = 'UTC';

\echo
\echo === 1. The application: customers, a log of e-mails, a log of events ===
\echo
create table customers (id integer primary key, name text not null, status text not null default 'lead');
insert into customers select n, 'customer ' || n, case when n % 25 = 0 then 'customer' else 'lead' end from generate_series(1, 300) n;

create table emails (
    id          bigint generated always as identity primary key,
    template    text not null,
    customer_id integer not null references customers,
    sent_at     timestamptz not null default clock_timestamp(),
    opened_at   timestamptz,
    clicked_at  timestamptz
);
create table events (
    id          bigint generated always as identity primary key,
    customer_id integer not null references customers,
    name        text not null,
    happened_at timestamptz not null default clock_timestamp(),
    data        jsonb not null default '{}'
);
\echo -- what was logged before pg_goals came is not read
insert into emails (template, customer_id) select 'newsletter 11', n from generate_series(1, 300) n;

\echo
\echo === 2. Attach pg_goals to the three tables; a message has the name that stands in the log ===
\echo
\o /dev/null
create extension pg_goals;
select goals.track_users('customers');
select goals.track_receipts('emails', message => 'template', user_key => 'customer_id', sent_at => 'sent_at',
                            opened_at => 'opened_at', clicked_at => 'clicked_at');
select goals.track_events('events', user_key => 'customer_id', event => 'name', occurred_at => 'happened_at', properties => 'data');

select goals.create_message('newsletter 12', kind => 'one_off', channel => 'e-mail');
select goals.set_goal('newsletter 12', event => 'order placed', time_limit => '7 days', value_from => 'amount');
select goals.set_goal('newsletter 12', event => 'order placed', times => 2, properties => '{"new": true}', time_limit => '7 days',
                      goal => 'two orders of the new');
select goals.set_goal('newsletter 12', attribute => 'status', operator => 'is', value => 'customer', time_limit => '30 days',
                      goal => 'becomes customer');
\o

\echo
\echo === 3. From here on only the application speaks ===
\echo
\echo -- it sends, nine days ago
insert into emails (template, customer_id, sent_at) select 'newsletter 12', n, now() - interval '9 days' from generate_series(1, 250) n;
\echo -- it notes opens and clicks
update emails set opened_at = sent_at + interval '2 hours' where template = 'newsletter 12' and customer_id % 2 = 0;
update emails set clicked_at = sent_at + interval '3 hours' where template = 'newsletter 12' and customer_id % 10 = 0;
\echo -- it notes orders: 40 in time, one of them a second of the new, and 10 after the seven days
insert into events (customer_id, name, happened_at, data)
    select n, 'order placed', now() - interval '8 days', '{"amount": 20, "new": true}' from generate_series(1, 40) n;
insert into events (customer_id, name, happened_at, data) values (7, 'order placed', now() - interval '7 days', '{"amount": 99, "new": true}');
insert into events (customer_id, name, happened_at, data)
    select n, 'order placed', now() - interval '1 day', '{"amount": 20}' from generate_series(41, 50) n;
insert into events (customer_id, name) select n, 'page viewed' from generate_series(1, 300) n;
\echo -- and leads become customers
update customers set status = 'customer' where id <= 30;
\echo -- a slip of the pen
insert into emails (template, customer_id) values ('newsleter 12', 1);

\echo
\echo === 4. The figures ===
\echo
select * from goals.stats_bar('newsletter 12') \g (format=unaligned tuples_only=on)
select goal, sent, already_matched, matched, matched_after_open, matched_after_click, worth
from goals.message_stats where message = 'newsletter 12' order by goal;
\echo -- customer 7 ordered twice: the first order is the match of the first goal, the second of the other
select user_key, goal, event, new_value, worth, date_trunc('hour', matched_at - sent_at) as after
from goals.matches('newsletter 12') where user_key = '7' order by goal;
\echo -- nothing is lost silently: the name that no message has
select problem, object, hint from goals.health();

\echo
\echo === 5. Gone again: without the extension the tables are as they were ===
\echo
\o /dev/null
select goals.untrack_all();
\o
drop extension pg_goals;
drop table emails, events, customers;
