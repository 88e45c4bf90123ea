-- What mail providers report, in the shapes of SendGrid, Mailgun, Postmark and SES, becomes engagements by a plain query each,
-- as docs/bounces-and-unsubscribes.md has them: duplicates, out of order, unknown and forgotten ones, epoch
-- seconds. What is no bounce, complaint or unsubscribe is left out, and nothing that a provider sends fails.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 12) n;
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
    select coalesce(jsonb_agg(jsonb_build_object('receipt', e -> 'goals_receipt',
                                                 'ref', split_part(e ->> 'sg_message_id', '.', 1), 'kind', kind,
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
-- A bounce that comes long after the delivery has no id: it is found by the receipt's, which went out as an argument.
select goals.record_sent('letter', 10, sent_at => :'sent_at') as late \gset
select * from goals.record_engagements(of_sendgrid(jsonb_build_array(
    '{"email": "g@example.com", "timestamp": 1764086400, "event": "bounce", "type": "bounce"}'::jsonb,
    jsonb_build_object('email', 'g@example.com', 'timestamp', 1764086400, 'event', 'bounce',
                       'goals_receipt', :'late'))));
select * from recorded where user_key = '10';

-- Mailgun: one event, a time in epoch seconds with a fraction, the Message-ID without angle brackets. What failed for now is
-- no bounce; "bot" says which program has opened it.
create function of_mailgun(payload jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_agg(jsonb_build_object('receipt', e #> '{user-variables,goals_receipt}',
                                                 'ref', e #>> '{message,headers,message-id}',
                                                 'kind', kind, 'at', e -> 'timestamp',
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

select * from goals.record_engagements(of_mailgun(jsonb_build_object('event-data', jsonb_build_object(
    'event', 'complained', 'timestamp', 1764000070, 'message', '{"headers": {}}'::jsonb,
    'user-variables', jsonb_build_object('goals_receipt', :'late')))));

-- Postmark: one record, a time in ISO 8601 with seven digits of a second, under another name in each type of record. Without a
-- mark for machines: the privacy proxy of Apple names no browser.
create function of_postmark(payload jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_agg(jsonb_build_object('receipt', payload #> '{Metadata,goals_receipt}',
                                                 'ref', payload ->> 'MessageID', 'kind', kind,
                                                 'at', payload ->> time,
                                                 'machine', kind = 'opened' and payload ->> 'UserAgent' = 'Mozilla/5.0')), '[]')
    from (values ('Delivery', 'delivered', 'DeliveredAt'), ('Bounce', 'bounced', 'BouncedAt'), ('Open', 'opened', 'ReceivedAt'),
                 ('Click', 'clicked', 'ReceivedAt'), ('SpamComplaint', 'complained', 'BouncedAt'),
                 ('SubscriptionChange', 'unsubscribed', 'ChangedAt')) known (record, kind, time)
    where record = payload ->> 'RecordType'
      and case record
          when 'Bounce' then payload ->> 'Type' in ('HardBounce', 'BadEmailAddress', 'Blocked', 'DMARCPolicy',
                                                    'ManuallyDeactivated')
          when 'SubscriptionChange' then payload @> '{"SuppressSending": true, "Origin": "Recipient"}'
          else true end
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

-- Only what is permanent is a bounce. A change of the subscription by the application itself is no unsubscribe.
select type, jsonb_array_length(of_postmark(jsonb_build_object('RecordType', 'Bounce', 'Type', type))) as bounces
from unnest('{HardBounce,Transient,Unsubscribe,Subscribe,AutoResponder,AddressChange,DnsError,SpamNotification,
    OpenRelayTest,Unknown,SoftBounce,VirusNotification,ChallengeVerification,BadEmailAddress,SpamComplaint,
    ManuallyDeactivated,Unconfirmed,Blocked,SMTPApiError,InboundError,DMARCPolicy,TemplateRenderingFailed,
    null}'::text[]) type order by bounces desc, type;
select origin, suppress, of_postmark(jsonb_build_object('RecordType', 'SubscriptionChange', 'Origin', origin,
                                                        'SuppressSending', suppress)) as items
from (values ('Customer', 'true'::jsonb), ('Recipient', '"?"')) c (origin, suppress);
select * from goals.record_engagements(of_postmark(jsonb_build_object(
    'RecordType', 'SpamComplaint', 'BouncedAt', '2025-11-24T16:01:11Z',
    'MessageID', '00000000-0000-0000-0000-000000000000', 'Metadata', jsonb_build_object('goals_receipt', :'late'))));

-- SES by way of SNS: the event is a text within the notification; its time is in the part named after it.
create function of_ses(payload jsonb) returns jsonb language sql immutable as $$
    select coalesce(jsonb_agg(jsonb_build_object('receipt', e #> '{mail,tags,goals_receipt,0}',
                                                 'ref', e #>> '{mail,messageId}', 'kind', kind,
                                                 'at', e #>> array[part, 'timestamp'],
                                                 'machine', kind = 'opened' and e #>> '{open,userAgent}' = 'Mozilla/5.0')), '[]')
    from (select case when payload ? 'mail' then payload
                      when payload ->> 'Type' = 'Notification' and payload ->> 'Message' like '{%'
                      then (payload ->> 'Message')::jsonb end as e) event
    join (values ('Delivery', 'delivered', 'delivery'), ('Bounce', 'bounced', 'bounce'), ('Open', 'opened', 'open'),
                 ('Click', 'clicked', 'click'), ('Complaint', 'complained', 'complaint'),
                 ('Subscription', 'unsubscribed', 'subscription')) known (event, kind, part)
      on event = coalesce(e ->> 'eventType', e ->> 'notificationType')
    where case event
          when 'Bounce' then e #>> '{bounce,bounceType}' is distinct from 'Transient'
          when 'Complaint' then e #>> '{complaint,complaintSubType}' is distinct from 'OnAccountSuppressionList'
                            and e #>> '{complaint,complaintFeedbackType}' is distinct from 'not-spam'
          when 'Subscription' then
              e @> '{"subscription": {"newTopicPreferences": {"unsubscribeAll": true}}}'
              or not jsonb_path_query_array(e, '$.subscription.oldTopicPreferences.topicSubscriptionStatus[*]
                                                ? (@.subscriptionStatus == "OptOut").topicName')
                  @> jsonb_path_query_array(e, '$.subscription.newTopicPreferences.topicSubscriptionStatus[*]
                                                ? (@.subscriptionStatus == "OptOut").topicName')
          else true end
$$;
with ses (event, details, id) as (values
    ('Click', '{"click": {"timestamp": "2025-11-24T16:10:00.240Z", "ipAddress": "192.0.2.9", "link": "https://example.com/"}}'::jsonb, '7'),
    ('Send', '{"send": {}}', '7'),
    ('Delivery', '{"delivery": {"timestamp": "2025-11-24T16:00:01.133Z", "processingTimeMillis": 893, "recipients": ["f@example.com"]}}', '7'),
    ('Open', '{"open": {"timestamp": "2025-11-24T16:00:01.500Z", "ipAddress": "192.0.2.9", "userAgent": "Mozilla/5.0"}}', '7'),
    ('Subscription', '{"subscription": {
        "contactList": "letters", "timestamp": "2025-11-24T16:20:00.000Z", "source": "UnsubscribeHeader",
        "newTopicPreferences": {"unsubscribeAll": true,
                                "topicSubscriptionStatus": [{"topicName": "news", "subscriptionStatus": "OptOut"}]},
        "oldTopicPreferences": {"unsubscribeAll": false,
                                "topicSubscriptionStatus": [{"topicName": "news", "subscriptionStatus": "OptOut"}]}}}', '7'),
    ('Bounce', '{"bounce": {"bounceType": "Transient", "bounceSubType": "MailboxFull", "timestamp": "2025-11-24T16:00:02.000Z"}}', '8'),
    ('Bounce', '{"bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2025-11-24T16:00:03.000Z"}}', '8'),
    ('Complaint', '{"complaint": {"timestamp": "2025-11-24T16:30:00.000Z", "complaintFeedbackType": "abuse"}}', '9'))
insert into payload (body) select jsonb_build_object('Type', 'Notification', 'MessageId', 'b1', 'TopicArn', 'arn:aws:sns:eu-west-1:1:ses',
    'Timestamp', '2025-11-24T16:30:01.000Z', 'Message', (details || jsonb_build_object('eventType', event, 'mail', jsonb_build_object(
        'timestamp', '2025-11-24T16:00:00.000Z', 'source', 'letters@example.com', 'destination', '["f@example.com"]'::jsonb,
        'messageId', '010001985bfe0000-00000000-0000-4000-8000-00000000000' || id || '-000000')))::text) from ses;
select r.* from payload, goals.record_engagements(of_ses(body)) r where body ->> 'Type' = 'Notification' order by n;
select * from recorded where user_key in ('7', '8') order by user_key, later, kind::text;

-- The same from SNS with raw message delivery, and as a notification of an identity.
insert into payload (body) values
    ($json${"eventType": "Delivery",
            "mail": {"messageId": "010001985bfe0000-00000000-0000-4000-8000-000000000011-000000"},
            "delivery": {"timestamp": "2025-11-24T16:00:01.133Z"}}$json$),
    ($json${"eventType": "Delivery", "mail": {"messageId": "unknown",
            "tags": {"ses:caller-identity": ["a"], "goals_receipt": ["LATE"]}},
            "delivery": {"timestamp": "2025-11-24T16:00:01.133Z"}}$json$),
    (jsonb_build_object('Type', 'Notification', 'Message', $json${"notificationType": "Bounce",
            "mail": {"messageId": "010001985bfe0000-00000000-0000-4000-8000-000000000012-000000"},
            "bounce": {"bounceType": "Undetermined", "timestamp": "2025-11-24T16:00:03.000Z"}}$json$::text));
select count(goals.record_sent('letter', u, sent_at => :'sent_at',
                               ref => '010001985bfe0000-00000000-0000-4000-8000-0000000000' || u || '-000000'))
from generate_series(11, 12) u;
select r.* from payload, goals.record_engagements(of_ses(replace(body::text, 'LATE', :'late')::jsonb)) r
where n > (select max(n) - 3 from payload) order by n;
select * from recorded where user_key in ('10', '11', '12') order by user_key, later, kind::text;

-- What is no event of SES, no complaint and no unsubscribe is left out, and nothing fails.
select what, jsonb_array_length(of_ses(
    case when what like 'raw:%' then event::jsonb
         else jsonb_build_object('Type', coalesce(type, 'Notification'), 'Message', event) end)) as items
from (values
    ('topic validated', null, 'Successfully validated SNS topic for Amazon SES event publishing.'),
    ('subscription', 'SubscriptionConfirmation', 'You have chosen to subscribe to the topic arn:aws:sns:eu-west-1:1:ses.'),
    ('unsubscription', 'UnsubscribeConfirmation', '{"mail": {}, "eventType": "Delivery"}'),
    ('identity', null, '{"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "You have subscribed."}'),
    ('no message', null, null),
    ('no object', null, '[1'),
    ('raw: text', null, '"Successfully validated SNS topic"'),
    ('raw: array', null, '[]'),
    ('complaint', null, '{"eventType": "Complaint", "complaint": {"complaintSubType": null}}'),
    ('never sent', null, '{"eventType": "Complaint", "complaint": {"complaintSubType": "OnAccountSuppressionList"}}'),
    ('not spam', null, '{"eventType": "Complaint", "complaint": {"complaintFeedbackType": "not-spam"}}'),
    ('transient', null, '{"notificationType": "Bounce", "bounce": {"bounceType": "Transient"}}'),
    ('opts out', null, '{"eventType": "Subscription", "subscription": {
        "newTopicPreferences": {"unsubscribeAll": false,
                                "topicSubscriptionStatus": [{"topicName": "a", "subscriptionStatus": "OptOut"}]},
        "oldTopicPreferences": {"unsubscribeAll": false,
                                "topicSubscriptionStatus": [{"topicName": "a", "subscriptionStatus": "OptIn"}]}}}'),
    ('opts in', null, '{"eventType": "Subscription", "subscription": {
        "newTopicPreferences": {"unsubscribeAll": false,
                                "topicSubscriptionStatus": [{"topicName": "a", "subscriptionStatus": "OptIn"},
                                                            {"topicName": "b", "subscriptionStatus": "OptOut"}]},
        "oldTopicPreferences": {"unsubscribeAll": true,
                                "topicSubscriptionStatus": [{"topicName": "a", "subscriptionStatus": "OptOut"},
                                                            {"topicName": "b", "subscriptionStatus": "OptOut"}]}}}'),
    ('nothing said', null, '{"eventType": "Subscription", "subscription": {"contactList": "letters"}}')) e (what, type, event)
order by what;

-- jsonb has no NUL: without it the payload is read, and nothing else of it changes.
create function without_nul(body text) returns text language sql immutable as $$
    select regexp_replace(body, '(?<!\\)((\\\\)*)\\u0000', '\1', 'g')
$$;
\set VERBOSITY sqlstate
select '[{"reason": "a\u0000"}]'::jsonb;
\set VERBOSITY default
select without_nul(body)::jsonb from (values ('{"a": "x\u0000\u0000y", "b": "\u0000"}'),
    ('{"a": "\\u0000", "b": "\\\u0000\""}'), ('{"a": "\u00001", "b": "\u0001u0000"}')) t (body);

-- A user who has been forgotten is not made known again by a report that comes late.
select goals.forget_user(1::bigint), goals.forget_user(3::bigint), goals.forget_user(5::bigint), goals.forget_user(7::bigint);
select s ->> 'reason' as reason, count(*)
from (select r.recorded, r.skipped from payload, goals.record_engagements(case when jsonb_typeof(body) = 'array' then of_sendgrid(body)
    when body ? 'event-data' then of_mailgun(body) when body ? 'RecordType' then of_postmark(body) else of_ses(body) end) r) r,
    jsonb_array_elements(skipped) s group by 1 order by 1;
select user_key, kind, count from recorded order by user_key, kind::text;
select count(*) from goals.reference where name like 'pKk2xkXQbSGx9Nbz2gw2Q1%';
