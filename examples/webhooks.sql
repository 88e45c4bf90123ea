-- What a mail provider reports by its webhooks (delivered, bounced, opened, clicked, complained, unsubscribed) becomes
-- engagements: the payloads of SendGrid, Mailgun, Postmark and SES by one function, or a table of payloads by itself.
--
--   createdb try_goals && psql -X -f examples/webhooks.sql try_goals
--
-- Run it as a superuser on an empty database. It takes away at the end what it made.
-- docs/bounces-and-unsubscribes.md has a function per provider; clients/python/webhooks.py and clients/node/webhooks.js
-- receive the calls.
\set ON_ERROR_STOP on
\set QUIET on
\set ECHO queries
\pset pager off
\pset footer off
\pset null '-'
set timezone = 'UTC';

\echo
\echo === 1. The application: customers, and what was sent to them ===
\echo
create table customers (id integer primary key, email text not null);
create unique index on customers (lower(email));
insert into customers select n, 'customer' || n || '@example.com' from generate_series(1, 9) n;

create extension pg_goals;
\o /dev/null
select goals.track_users('customers');
select goals.create_message('trial ends', channel => 'e-mail');
select goals.set_goal('trial ends', event => 'order placed', time_limit => '2 days', after => 'clicked');
\o
\echo -- record, commit, send; the id under which the provider took the message is the ref
select count(goals.record_sent('trial ends', id, sent_at => '2025-11-24 16:00:00Z', ref => ref)) as sent
from (values (1, 'sg-1'), (2, 'sg-2'), (3, 'mg-3@example.com'), (4, 'pm-4'), (5, 'ses-5'), (6, 'sg-6')) s (id, ref);

\echo
\echo === 2. A payload becomes the items of record_engagements ===
\echo
\echo -- what the providers call it; a word that is not here, such as a bounce for now, is left out
create table words (word text primary key, kind text not null);
insert into words values
    ('delivered', 'delivered'), ('delivery', 'delivered'),
    ('bounce', 'bounced'), ('failed permanent', 'bounced'), ('bounce permanent', 'bounced'),
    ('bounce undetermined', 'bounced'), ('bounce hardbounce', 'bounced'), ('bounce bademailaddress', 'bounced'),
    ('bounce blocked', 'bounced'), ('bounce dmarcpolicy', 'bounced'), ('bounce manuallydeactivated', 'bounced'),
    ('open', 'opened'), ('opened', 'opened'), ('click', 'clicked'), ('clicked', 'clicked'),
    ('spamreport', 'complained'), ('complained', 'complained'), ('spamcomplaint', 'complained'),
    ('complaint', 'complained'), ('complaint abuse', 'complained'),
    ('unsubscribe', 'unsubscribed'), ('group_unsubscribe', 'unsubscribed'), ('unsubscribed', 'unsubscribed'),
    ('subscriptionchange recipient true', 'unsubscribed'), ('subscription true', 'unsubscribed');

create function items(payload jsonb) returns jsonb language sql stable as $$
    with event (n, ref, word, at, machine) as (
        -- SendGrid: an array of events, times in seconds, an id that goes on behind the one of the response
        select n, split_part(e ->> 'sg_message_id', '.', 1), e ->> 'event', e -> 'timestamp', e -> 'sg_machine_open'
        from jsonb_array_elements(case jsonb_typeof(payload) when 'array' then payload else '[]' end)
             with ordinality s (e, n)
        union all
        -- Mailgun: one event, times in seconds with a fraction; what failed for now has another severity
        select 1, e #>> '{message,headers,message-id}', concat_ws(' ', e ->> 'event', e ->> 'severity'),
               e -> 'timestamp', to_jsonb(e #>> '{client-info,bot}' <> '')
        from (select payload -> 'event-data') mailgun (e)
        union all
        -- Postmark: one record, whose time has another name in each type of record
        select 1, payload ->> 'MessageID',
               concat_ws(' ', payload ->> 'RecordType', payload ->> 'Origin', payload ->> 'SuppressSending',
                         case payload ->> 'RecordType' when 'Bounce' then payload ->> 'Type' end),
               coalesce(payload -> 'DeliveredAt', payload -> 'BouncedAt', payload -> 'ReceivedAt',
                        payload -> 'ChangedAt'),
               to_jsonb(payload ->> 'RecordType' = 'Open' and payload ->> 'UserAgent' = 'Mozilla/5.0')
        union all
        -- SES by way of SNS: a text within the notification, or that text itself (raw delivery). Its time is in the part
        -- named after the event
        select 1, e #>> '{mail,messageId}',
               concat_ws(' ', e ->> 'eventType', e #>> '{bounce,bounceType}', e #>> '{complaint,complaintSubType}',
                         e #>> '{complaint,complaintFeedbackType}',
                         e #>> '{subscription,newTopicPreferences,unsubscribeAll}'),
               e -> lower(e ->> 'eventType') -> 'timestamp',
               to_jsonb(e ->> 'eventType' = 'Open' and e #>> '{open,userAgent}' = 'Mozilla/5.0')
        from (select case when payload ? 'mail' then payload
                          when payload ->> 'Type' = 'Notification' and payload ->> 'Message' like '{%'
                          then (payload ->> 'Message')::jsonb end) ses (e))
    select coalesce(jsonb_agg(jsonb_build_object('ref', ref, 'kind', kind, 'at', at, 'machine', machine)
                              order by n), '[]')
    from event join words on words.word = lower(event.word)
$$;

\echo
\echo === 3. What comes in ===
\echo
create table received (n integer generated always as identity, payload jsonb not null);
\echo -- SendGrid: a click before its delivery; the same click again; an open by Apple's Mail Privacy Protection;
\echo -- an event that says nothing of the person; one of a message that was not recorded
insert into received (payload) values ('[
    {"event": "click", "timestamp": 1764000600, "sg_message_id": "sg-1.recv-1", "email": "customer1@example.com"},
    {"event": "delivered", "timestamp": 1764000002, "sg_message_id": "sg-1.recv-1", "email": "customer1@example.com"},
    {"event": "click", "timestamp": 1764000600, "sg_message_id": "sg-1.recv-1", "email": "customer1@example.com"},
    {"event": "open", "timestamp": 1764000003, "sg_message_id": "sg-2.recv-2", "sg_machine_open": true},
    {"event": "processed", "timestamp": 1764000001, "sg_message_id": "sg-2.recv-2"},
    {"event": "open", "timestamp": 1764000600, "sg_message_id": "sg-99.recv-9"}]');
\echo -- Mailgun: it failed for now, then for good
insert into received (payload)
select jsonb_build_object('signature', '{}'::jsonb, 'event-data', jsonb_build_object(
    'event', 'failed', 'severity', severity, 'timestamp', at,
    'message', '{"headers": {"message-id": "mg-3@example.com"}}'::jsonb))
from (values ('temporary', 1764000001.5), ('permanent', 1764000901.25)) f (severity, at);
\echo -- Postmark: opened by a person, who takes the address off the list
insert into received (payload) values
    ('{"RecordType": "Open", "MessageID": "pm-4", "ReceivedAt": "2025-11-24T17:10:00+01:00",
       "UserAgent": "Mozilla/5.0 (X11; Linux x86_64)"}'),
    ('{"RecordType": "SubscriptionChange", "MessageID": "pm-4", "ChangedAt": "2025-11-24T16:15:00Z",
       "Origin": "Recipient", "SuppressSending": true}');
\echo -- SES: a complaint; and what SNS sends before the first
insert into received (payload) values
    ('{"Type": "SubscriptionConfirmation", "Message": "You have chosen to subscribe."}'),
    (jsonb_build_object('Type', 'Notification', 'Message', '{"eventType": "Complaint", "mail": {"messageId": "ses-5"},
       "complaint": {"timestamp": "2025-11-24T16:20:00.000Z", "complaintFeedbackType": "abuse"}}'::text));

\echo -- one call per payload. Answer 200 to the provider, whatever was skipped: it would only send the same again
select n, recorded, skipped from received, goals.record_engagements(items(payload)) order by n;

\echo -- the first of each kind counts, so all of it may come twice and in any order
select recorded from goals.record_engagements((select items(payload) from received where n = 1));
select sent, delivered, bounced, opened, clicked, complained, unsubscribed, opened_by_machine
from goals.message_stats where message = 'trial ends';
\echo -- what it is for: customer 1 clicked and then ordered, 4 did not click
\o /dev/null
select goals.record_event(id, 'order placed', occurred_at => '2025-11-25 09:00:00Z') from unnest('{1,4}'::int[]) id;
\o
select user_key, clicked_at - sent_at as clicked, matched_at - clicked_at as ordered from goals.matches('trial ends');

\echo -- a late report does not make a person known again who has been forgotten
select goals.forget_user(6);
select * from goals.record_engagements(items('[
    {"event": "open", "timestamp": 1764000600, "sg_message_id": "sg-6.recv-1"}]'));

\echo
\echo === 4. Simpler where payloads are kept anyway: a table of them is tracked ===
\echo
\echo -- the receiver inserts events; the columns are read out of them.
\echo -- An open by a machine is a word that kinds does not have
create table webhooks (
    id      bigint generated always as identity primary key,
    payload jsonb not null,
    message text generated always as (payload ->> 'category') stored,
    email   text generated always as (payload ->> 'email') stored,
    event   text generated always as (case when payload @> '{"sg_machine_open": true}' then 'machine open'
                                           else payload ->> 'event' end) stored,
    at      timestamptz generated always as (case jsonb_typeof(payload -> 'timestamp')
                when 'number' then to_timestamp((payload ->> 'timestamp')::double precision) end) stored
);
\o /dev/null
select goals.track_engagements('webhooks', 'event', message => 'message', user_key => 'email', user_by => 'email',
    at => 'at', kinds => '{"delivered": "delivered", "bounce": "bounced", "open": "opened", "click": "clicked",
                           "spamreport": "complained", "unsubscribe": "unsubscribed"}');
select goals.create_message('spring news', channel => 'e-mail');
\o
select goals.record_sent('spring news', array['7', '8', '9']) as sent;
insert into webhooks (payload)
select e || jsonb_build_object('category', 'spring news', 'timestamp', extract(epoch from now()))
from jsonb_array_elements('[
    {"event": "click", "email": "Customer7@example.com"},
    {"event": "click", "email": "Customer7@example.com"},
    {"event": "open", "email": "customer8@example.com", "sg_machine_open": true},
    {"event": "bounce", "email": "customer9@example.com"},
    {"event": "processed", "email": "customer8@example.com"},
    {"event": "open", "email": "stranger@example.com"}]') e;
select sent, bounced, opened, clicked from goals.message_stats where message = 'spring news';
\echo -- what fits no receipt disturbs no INSERT, and is shown
select problem, object from goals.health() where problem = 'skipped engagements';

\echo
\echo === 5. Gone again ===
\echo
\o /dev/null
select goals.untrack_all();
\o
drop extension pg_goals;
drop table webhooks, received, words, customers;
drop function items;
