-- What mail providers report, in the shapes of SendGrid, Mailgun, Postmark and SES, becomes engagements by a plain query each,
-- as docs/bounces-and-unsubscribes.md has them: duplicates, out of order, unknown and forgotten ones, epoch seconds.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 9) n;
select from goals.track_users('users');
select from goals.create_message('letter');
select to_timestamp(1764000000) as sent_at \gset
-- Each provider's id of the message is the ref.
select count(goals.record_sent('letter', u, sent_at => :'sent_at', ref => r)) from (values
    (1, 'pKk2xkXQbSGx9Nbz2gw2Q1'), (2, 'pKk2xkXQbSGx9Nbz2gw2Q2'),
    (3, '20251124160000.1.A1@mg.example.com'), (4, '20251124160000.1.A2@mg.example.com'),
    (5, '883953f4-6105-42a2-a16a-77a8eac79483'), (6, '0a129aee-e1cd-480d-b08d-4f48548ff48d'),
    (7, '010001985bfe0000-00000000-0000-4000-8000-000000000007-000000'),
    (8, '010001985bfe0000-00000000-0000-4000-8000-000000000008-000000')) s (u, r);
create function since_sending(at timestamptz) returns interval language sql as 'select $1 - to_timestamp(1764000000)';
create view recorded as
    select r.user_key, e.kind, e.machine, since_sending(e.at) as later, count(*)
    from goals.engagement e join goals.receipt r using (receipt_id) group by 1, 2, 3, 4;

-- SendGrid: an array of events, a time in epoch seconds, and an id that goes on after the one which the API returned.
create function of_sendgrid(payload jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_agg(jsonb_build_object('ref', split_part(e ->> 'sg_message_id', '.', 1), 'kind', kind,
                                                 'at', e -> 'timestamp', 'machine', e -> 'sg_machine_open')), '[]')
    from jsonb_array_elements(payload) e
    join (values ('delivered', 'delivered'), ('bounce', 'bounced'), ('open', 'opened'), ('click', 'clicked'),
                 ('spamreport', 'complained'), ('unsubscribe', 'unsubscribed'), ('group_unsubscribe', 'unsubscribed'))
         known (event, kind) on event = e ->> 'event'
$$;
create table payload (n int generated always as identity, body jsonb);
insert into payload (body) values ($json$[
  {"email": "anna@example.com", "timestamp": 1764000300, "smtp-id": "<pKk2xkXQbSGx9Nbz2gw2Q1@geopod-ismtpd-1>", "event": "click",
   "category": ["letter"], "sg_event_id": "c2c_1", "sg_message_id": "pKk2xkXQbSGx9Nbz2gw2Q1.recvd-7f6b-1-6745-1.0",
   "useragent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "ip": "192.0.2.1", "url": "https://example.com/"},
  {"email": "anna@example.com", "timestamp": 1764000002, "event": "delivered", "sg_event_id": "ZGVs1", "response": "250 OK",
   "sg_message_id": "pKk2xkXQbSGx9Nbz2gw2Q1.recvd-7f6b-1-6745-1.0"},
  {"email": "anna@example.com", "timestamp": 1764000000, "event": "processed", "sg_event_id": "cHJv1",
   "sg_message_id": "pKk2xkXQbSGx9Nbz2gw2Q1.recvd-7f6b-1-6745-1.0"},
  {"email": "anna@example.com", "timestamp": 1764000003, "event": "open", "sg_event_id": "b3Bl1", "sg_machine_open": true,
   "sg_message_id": "pKk2xkXQbSGx9Nbz2gw2Q1.recvd-7f6b-1-6745-1.0", "useragent": "Mozilla/5.0", "ip": "192.0.2.2"},
  {"email": "anna@example.com", "timestamp": 1764000290, "event": "open", "sg_event_id": "b3Bl2", "sg_machine_open": false,
   "sg_message_id": "pKk2xkXQbSGx9Nbz2gw2Q1.recvd-7f6b-1-6745-1.0", "useragent": "Mozilla/5.0 (Windows NT 10.0)", "ip": "192.0.2.1"},
  {"email": "anna@example.com", "timestamp": 1764000900, "event": "group_unsubscribe", "sg_event_id": "Z3Vu1", "asm_group_id": 10,
   "sg_message_id": "pKk2xkXQbSGx9Nbz2gw2Q1.recvd-7f6b-1-6745-1.0"},
  {"email": "bert@example.com", "timestamp": 1764000004, "event": "bounce", "sg_event_id": "Ym9u1", "type": "bounce",
   "bounce_classification": "Invalid Address", "status": "5.1.1", "reason": "550 5.1.1 unknown user",
   "sg_message_id": "pKk2xkXQbSGx9Nbz2gw2Q2.recvd-7f6b-2-6745-1.0"},
  {"email": "zoe@example.com", "timestamp": 1764000004, "event": "spamreport", "sg_event_id": "c3Bh1",
   "sg_message_id": "not-ours.recvd-7f6b-3-6745-1.0"}
]$json$);
select r.* from payload, goals.record_engagements(of_sendgrid(body)) r where n = 1;
-- delivered once more, as providers do
select r.* from payload, goals.record_engagements(of_sendgrid(body)) r where n = 1;
select * from recorded where user_key in ('1', '2') order by user_key, later, kind::text;
select of_sendgrid('[{"event": "processed", "timestamp": 1764000000}]');

-- Mailgun: one event, a time in epoch seconds with a fraction, the Message-ID without angle brackets. What failed for now is
-- no bounce; "bot" says which program has opened it.
create function of_mailgun(payload jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_agg(jsonb_build_object('ref', e #>> '{message,headers,message-id}', 'kind', kind, 'at', e -> 'timestamp',
                                                 'machine', coalesce(e #>> '{client-info,bot}', '') <> '')), '[]')
    from (select payload -> 'event-data' as e) event
    join (values ('delivered', 'delivered'), ('failed', 'bounced'), ('opened', 'opened'), ('clicked', 'clicked'),
                 ('complained', 'complained'), ('unsubscribed', 'unsubscribed')) known (event, kind) on event = e ->> 'event'
    where e ->> 'severity' is distinct from 'temporary'
$$;
with mailgun (event) as (values
    ($json${"event": "unsubscribed", "timestamp": 1764000500.25, "id": "e5", "log-level": "info", "recipient": "carl@example.com",
      "message": {"headers": {"message-id": "20251124160000.1.A1@mg.example.com"}}, "client-info": {"bot": ""}}$json$::jsonb),
    ($json${"event": "opened", "timestamp": 1764000001.908181, "id": "e2", "log-level": "info", "recipient": "carl@example.com",
      "message": {"headers": {"message-id": "20251124160000.1.A1@mg.example.com"}}, "ip": "192.0.2.3",
      "client-info": {"client-type": "browser", "device-type": "unknown", "user-agent": "Mozilla/5.0", "bot": "apple"}}$json$),
    ($json${"event": "delivered", "timestamp": 1764000001.908, "id": "e1", "log-level": "info", "recipient": "carl@example.com",
      "message": {"headers": {"to": "carl@example.com", "message-id": "20251124160000.1.A1@mg.example.com", "subject": "Letter"},
                  "attachments": [], "size": 111}, "delivery-status": {"tls": true, "code": 250, "message": "OK"}}$json$),
    ($json${"event": "failed", "severity": "temporary", "timestamp": 1764000001.5, "id": "e3", "reason": "generic",
      "message": {"headers": {"message-id": "20251124160000.1.A2@mg.example.com"}}, "delivery-status": {"code": 451}}$json$),
    ($json${"event": "failed", "severity": "permanent", "timestamp": 1764000060, "id": "e4", "reason": "bounce",
      "message": {"headers": {"message-id": "20251124160000.1.A2@mg.example.com"}}, "delivery-status": {"code": 550}}$json$),
    ($json${"event": "complained", "timestamp": 1764000070.1, "id": "e6",
      "message": {"headers": {"message-id": "20250101000000.1.B1@mg.example.com"}}}$json$))
insert into payload (body) select jsonb_build_object('event-data', event,
    'signature', '{"timestamp": "1764000001", "token": "a", "signature": "b"}'::jsonb) from mailgun;
select r.* from payload, goals.record_engagements(of_mailgun(body)) r where body ? 'event-data' order by n;
select * from recorded where user_key in ('3', '4') order by user_key, later, kind::text;

-- Postmark: one record, a time in ISO 8601 with seven digits of a second, under another name in each type of record. Without a
-- mark for machines: the privacy proxy of Apple names no browser.
create function of_postmark(payload jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_agg(jsonb_build_object('ref', payload ->> 'MessageID', 'kind', kind, 'at', payload ->> time,
                                                 'machine', kind = 'opened' and payload ->> 'UserAgent' = 'Mozilla/5.0')), '[]')
    from (values ('Delivery', 'delivered', 'DeliveredAt'), ('Bounce', 'bounced', 'BouncedAt'), ('Open', 'opened', 'ReceivedAt'),
                 ('Click', 'clicked', 'ReceivedAt'), ('SpamComplaint', 'complained', 'BouncedAt'),
                 ('SubscriptionChange', 'unsubscribed', 'ChangedAt')) known (record, kind, time)
    where record = payload ->> 'RecordType'
      and (record <> 'SubscriptionChange' or (payload ->> 'SuppressSending')::boolean and payload ->> 'Origin' = 'Recipient')
$$;
insert into payload (body) values
    ($json${"RecordType": "Open", "FirstOpen": true, "Client": {}, "OS": {}, "Platform": "Unknown", "UserAgent": "Mozilla/5.0",
      "MessageStream": "outbound", "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Recipient": "dora@example.com",
      "ReceivedAt": "2025-11-24T16:00:01.9070259Z", "Tag": "letter", "Metadata": {}}$json$),
    ($json${"RecordType": "Delivery", "ServerID": 23, "MessageStream": "outbound", "Recipient": "dora@example.com", "Tag": "letter",
      "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "DeliveredAt": "2025-11-24T16:00:01Z", "Details": "250 2.0.0 OK"}$json$),
    ($json${"RecordType": "Click", "ClickLocation": "HTML", "Platform": "Desktop", "OriginalLink": "https://example.com",
      "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "ReceivedAt": "2025-11-24T17:10:00+01:00", "UserAgent": "Mozilla/5.0"}$json$),
    ($json${"RecordType": "SubscriptionChange", "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483", "Origin": "Recipient",
      "ChangedAt": "2025-11-24T16:15:00Z", "SuppressSending": true, "SuppressionReason": "ManualSuppression"}$json$),
    ($json${"RecordType": "SubscriptionChange", "MessageID": "0a129aee-e1cd-480d-b08d-4f48548ff48d", "Origin": "Recipient",
      "ChangedAt": "2025-11-24T16:15:00Z", "SuppressSending": false, "SuppressionReason": null}$json$),
    ($json${"RecordType": "Bounce", "ID": 42, "Type": "HardBounce", "TypeCode": 1, "Email": "emil@example.com", "Inactive": true,
      "MessageID": "0a129aee-e1cd-480d-b08d-4f48548ff48d", "BouncedAt": "2025-11-24T16:00:04.9070259Z", "Content": "..."}$json$),
    ($json${"RecordType": "SpamComplaint", "ID": 43, "Type": "SpamComplaint", "TypeCode": 512, "Email": "zoe@example.com",
      "MessageID": "00000000-0000-0000-0000-000000000000", "BouncedAt": "2025-11-24T16:00:04Z"}$json$);
select r.* from payload, goals.record_engagements(of_postmark(body)) r where body ? 'RecordType' order by n;
select * from recorded where user_key in ('5', '6') order by user_key, later, kind::text;

-- SES by way of SNS: the event is a text within the notification; its time is in the part named after it.
create function of_ses(payload jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_agg(jsonb_build_object('ref', e #>> '{mail,messageId}', 'kind', kind, 'at', e #>> array[part, 'timestamp'],
                                                 'machine', kind = 'opened' and e #>> '{open,userAgent}' = 'Mozilla/5.0')), '[]')
    from (select (payload ->> 'Message')::jsonb as e) event
    join (values ('Delivery', 'delivered', 'delivery'), ('Bounce', 'bounced', 'bounce'), ('Open', 'opened', 'open'),
                 ('Click', 'clicked', 'click'), ('Complaint', 'complained', 'complaint'),
                 ('Subscription', 'unsubscribed', 'subscription')) known (event, kind, part) on event = e ->> 'eventType'
    where e #>> '{bounce,bounceType}' is distinct from 'Transient'
$$;
with ses (event, details, id) as (values
    ('Click', '{"click": {"timestamp": "2025-11-24T16:10:00.240Z", "ipAddress": "192.0.2.9", "link": "https://example.com/"}}'::jsonb, '7'),
    ('Send', '{"send": {}}', '7'),
    ('Delivery', '{"delivery": {"timestamp": "2025-11-24T16:00:01.133Z", "processingTimeMillis": 893, "recipients": ["f@example.com"]}}', '7'),
    ('Open', '{"open": {"timestamp": "2025-11-24T16:00:01.500Z", "ipAddress": "192.0.2.9", "userAgent": "Mozilla/5.0"}}', '7'),
    ('Subscription', '{"subscription": {"contactList": "letters", "timestamp": "2025-11-24T16:20:00.000Z", "source": "UnsubscribeHeader"}}', '7'),
    ('Bounce', '{"bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull", "timestamp": "2025-11-24T16:00:02.000Z"}}', '8'),
    ('Bounce', '{"bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2025-11-24T16:00:03.000Z"}}', '8'),
    ('Complaint', '{"complaint": {"timestamp": "2025-11-24T16:30:00.000Z", "complaintFeedbackType": "abuse"}}', '9'))
insert into payload (body) select jsonb_build_object('Type', 'Notification', 'MessageId', 'b1', 'TopicArn', 'arn:aws:sns:eu-west-1:1:ses',
    'Timestamp', '2025-11-24T16:30:01.000Z', 'Message', (details || jsonb_build_object('eventType', event, 'mail', jsonb_build_object(
        'timestamp', '2025-11-24T16:00:00.000Z', 'source', 'letters@example.com', 'destination', '["f@example.com"]'::jsonb,
        'messageId', '010001985bfe0000-00000000-0000-4000-8000-00000000000' || id || '-000000')))::text) from ses;
select r.* from payload, goals.record_engagements(of_ses(body)) r where body ->> 'Type' = 'Notification' order by n;
select * from recorded where user_key in ('7', '8') order by user_key, later, kind::text;

-- A user who has been forgotten is not made known again by a report that comes late.
select goals.forget_user(1::bigint), goals.forget_user(3::bigint), goals.forget_user(5::bigint), goals.forget_user(7::bigint);
select s ->> 'reason' as reason, count(*)
from (select r.recorded, r.skipped from payload, goals.record_engagements(case when jsonb_typeof(body) = 'array' then of_sendgrid(body)
    when body ? 'event-data' then of_mailgun(body) when body ? 'RecordType' then of_postmark(body) else of_ses(body) end) r) r,
    jsonb_array_elements(skipped) s group by 1;
select user_key, kind, count from recorded order by user_key, kind::text;
select count(*) from goals.reference where name like 'pKk2xkXQbSGx9Nbz2gw2Q1%';
