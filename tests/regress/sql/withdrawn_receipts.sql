-- withdraw() records that a message was never sent. Reports by message and user pass over such a receipt, reports by receipt are
-- kept; a one_off message can be delivered again, and so can a ref.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 20) n;
create table sends (id bigint primary key, message text, user_id bigint, opened_at timestamptz);
create table keyless (message text, user_id bigint, opened_at timestamptz);
select from goals.track_users('users');
select from goals.track_receipts('sends', 'message', 'user_id', opened_at => 'opened_at');
select from goals.track_receipts('keyless', 'message', 'user_id', opened_at => 'opened_at');
select from goals.create_message('m');
select from goals.create_message('offer', kind => 'one_off');
create view withdrawn as select receipt_id, count(*), min(at) >= min(sent_at) as after_sending
    from goals.engagement join goals.receipt using (receipt_id) where kind = 'w' group by 1;

select goals.record_sent('m', 1::bigint, sent_at => now() - interval '2 days') as first \gset
select goals.record_sent('m', 1::bigint, sent_at => now() - interval '1 day') as second \gset
select goals.withdraw(:second);
-- Again it records nothing, in the same transaction or later.
select goals.withdraw(:second);
begin; select goals.withdraw(receipt_id => :second), goals.withdraw(:second); commit;
select receipt_id = :second as second, count, after_sending from withdrawn;
-- What happened goes to the receipt that was sent; by its id, to this one all the same.
select from goals.record_opened('m', 1::bigint);
select from goals.record_delivered('m', 1::bigint);
select from goals.record_clicked(:second);
select * from goals.record_engagements('[{"message": "m", "user": 1, "kind": "bounced"}]');
select kind, receipt_id = :second as second from goals.engagement order by engagement_id;
select goals.withdraw(:first);
select goals.record_opened('m', 1::bigint);
select * from goals.record_engagements('[{"message": "m", "user": 1, "kind": "bounced"}]');

-- A one_off message is delivered again, once; what is rolled back is not withdrawn.
select receipt_id as one from goals.deliver('offer', 2::bigint) \gset
begin; select goals.withdraw(:one); rollback;
select receipt_id = :one as the_same, repeated from goals.deliver('offer', 2::bigint);
begin; select goals.withdraw(:one);
select receipt_id > :one as another, repeated from goals.deliver('offer', 2::bigint); rollback;
select goals.withdraw(:one);
select receipt_id as two, repeated from goals.deliver('offer', 2::bigint) \gset
select receipt_id = :two as the_same, repeated from goals.deliver('offer', 2::bigint);
select goals.record_sent('offer', 2::bigint) = :two as the_same;
select goals.record_sent('offer', array[2, 3]::bigint[]);
select goals.withdraw(:two);
select goals.record_sent('offer', array[2, 3]::bigint[]);

-- A ref is that of the receipt that was sent.
select goals.record_sent('m', 4::bigint, ref => 'a') as a1 \gset
select goals.withdraw(:a1);
select goals.record_sent('m', 4::bigint, ref => 'a') as a2 \gset
select :a2 > :a1 as another, goals.record_sent('m', 4::bigint, ref => 'a') = :a2 as the_same;
select * from goals.record_engagements('[{"ref": "a", "kind": "opened"}, {"ref": "a", "message": "m", "user": "4", "kind": "clicked"}]');
select kind, receipt_id = :a2 as second from goals.engagement where receipt_id in (:a1, :a2) and kind <> 'w' order by engagement_id;
-- All withdrawn: it did arrive, the first one.
select goals.withdraw(:a2);
select * from goals.record_engagements('[{"ref": "a", "kind": "complained"}]');
select receipt_id = :a1 as first from goals.engagement where kind = 'p';

-- Rows: an open reaches the row's own receipt; where the receipt is found by the user, one that was sent.
insert into sends values (5, 'm', 5), (6, 'm', 6);
select goals.withdraw(receipt_id) from goals.receipt where user_key = '5';
update sends set opened_at = clock_timestamp() where id in (5, 6);
insert into keyless values ('m', 7, null), ('m', 7, null), ('m', 8, null);
select goals.withdraw(max(receipt_id)) from goals.receipt where user_key in ('7', '8') group by user_key;
update keyless set opened_at = clock_timestamp() where user_id in (7, 8);
select user_key, count(*) filter (where kind = 'w') as withdrawn, count(*) filter (where kind = 'o') as opened
from goals.receipt join goals.engagement e using (receipt_id) where user_key in ('5', '6', '7', '8')
group by user_key, receipt_id order by user_key, receipt_id;

-- What was never sent has few reports: a withdrawal is found however many came before it, or after it.
select from goals.record_sent('m', array[12, 13]::bigint[]);
select receipt_id as many_before from goals.receipt where user_key = '12' \gset
select receipt_id as many_after from goals.receipt where user_key = '13' \gset
select goals.withdraw(:many_after);
select count(goals.record_delivered(r)) from generate_series(1, 500), unnest(array[:many_before, :many_after]) r;
select goals.withdraw(:many_before);
select goals.withdraw(:many_after), goals.withdraw(:many_before);
select recorded, skipped -> 0 -> 'reason' as one, skipped -> 1 -> 'reason' as other
from goals.record_engagements('[{"message": "m", "user": 12, "kind": "opened"}, {"message": "m", "user": 13, "kind": "opened"}]');
select count(*) from goals.engagement where kind = 'w' and receipt_id in (:many_before, :many_after);

-- The triggers do not look at withdrawals: the goal is judged, the figures leave it out.
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select goals.record_sent('m', 9::bigint) as nine \gset
select goals.withdraw(:nine);
update users set plan = 'pro' where id = 9;
select count(*) from goals.match_log where receipt_id = :nine;

-- What cannot be withdrawn: no receipt, that of a user who was sent nothing, an entry into a programme.
select goals.withdraw(0);
select goals.withdraw(null);
select from goals.create_message('held back');
select from goals.set_control_group('held back', 0.5);
select goals.record_sent('held back', 10::bigint, variant => 'control') as held \gset
select goals.withdraw(:held);
select from goals.create_message('series', kind => 'programme');
insert into goals.receipt (receipt_id, sent_at, users_source_id, revision_id, user_key, flags)
select nextval('goals.receipt_id_seq'), now(), m.users_source_id, max(v.revision_id), '11', 2
from goals.message m join goals.revision v using (message_id) where m.name = 'series' group by m.users_source_id
returning receipt_id as entry \gset
select goals.withdraw(:entry);
select from goals.drop_message('offer');
select goals.withdraw(:one);
-- A read-only transaction, and a user who is forgotten with it
begin read only; select goals.withdraw(:nine); rollback;
select goals.forget_user(9::bigint);
select goals.withdraw(:nine);
select count(*) from goals.engagement where receipt_id = :nine;
