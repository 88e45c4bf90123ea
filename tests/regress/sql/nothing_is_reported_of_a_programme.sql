-- A programme is not sent itself: its entries are not delivered, opened, clicked or withdrawn, by message, by receipt,
-- in sets or by row. The messages that are part of it are.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 9) n;
select from goals.track_users('users');
select from goals.create_message('series', kind => 'programme');
select from goals.create_message('part', part_of => 'series');
select goals.record_sent('part', 1, ref => 'mail') as part \gset
select goals.record_sent('series', 2, ref => 'entered') as own \gset
select receipt_id as entry from goals.receipt where user_key = '1' and receipt_id <> :part \gset
\set SHOW_CONTEXT never
-- By message and by receipt: an entry with the message, and one without.
select goals.record_opened('series', 1);
select goals.record_bounced('series', 2);
\set VERBOSITY terse
select goals.record_delivered(:entry);
select goals.record_clicked(:entry);
select goals.record_unsubscribed(:own);
select goals.withdraw(:own);
\set VERBOSITY default
-- In sets.
select r.recorded, x ->> 'reason' as reason, x ->> 'value' as about
from goals.record_engagements(jsonb_build_array(
    jsonb_build_object('receipt', :entry, 'kind', 'opened'),
    jsonb_build_object('receipt', :own, 'kind', 'clicked')) || '[
    {"ref": "entered", "kind": "delivered"}, {"ref": "entered", "message": "series", "user": 2, "kind": "bounced"},
    {"message": "series", "user": 1, "kind": "opened"}, {"ref": "mail", "kind": "delivered"}]') r
cross join jsonb_array_elements(r.skipped) x;
-- By row, inserted or updated.
create table mails (id bigint primary key, message text, user_id bigint, opened_at timestamptz);
select from goals.track_receipts('mails', 'message', 'user_id', opened_at => 'opened_at');
insert into mails values (1, 'series', 3, clock_timestamp()), (2, 'series', 4, null), (3, 'part', 5, clock_timestamp());
update mails set opened_at = clock_timestamp() where id = 2;
-- What was recorded: the delivery of one mail, and the open of the other.
select r.user_key, e.kind, r.flags
from goals.engagement e join goals.receipt r using (receipt_id) order by e.engagement_id;
select message, sent, delivered, opened from goals.message_stats order by message;
