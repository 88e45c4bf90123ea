-- A one_off message is delivered once: a user who has a receipt of it gets that one again, and nothing is recorded.
create table users (id bigint primary key, plan text);
insert into users select n, case when n = 4 then 'pro' else 'free' end from generate_series(1, 20) n;
select from goals.track_users('users');
select from goals.create_message('news');
select from goals.set_goal('news', 'plan', 'is', 'pro', '3 days');
select from goals.create_message('offer', kind => 'one_off');
select from goals.set_goal('offer', 'plan', 'is', 'pro', '3 days');
-- Receipts of other messages are not receipts of this one.
select goals.record_sent('news', array['1', '2', '3']);
select receipt_id as first from goals.deliver('offer', 1::bigint, sent_at => now() - interval '1 day') \gset
select receipt_id = :first as the_same, variant, send, repeated from goals.deliver('offer', 1::bigint);
select goals.record_sent('offer', 1::bigint) = :first as the_same;
-- Also within the statement, the transaction, and a savepoint that stays.
select count(distinct r), count(*) from (select goals.record_sent('offer', 2::bigint) r from generate_series(1, 3)) s;
begin;
select receipt_id as third, repeated from goals.deliver('offer', 3::bigint) \gset
savepoint s;
select receipt_id = :third as the_same, repeated from goals.deliver('offer', 3::bigint);
-- What is rolled back has not been delivered.
select repeated from goals.deliver('offer', 4::bigint);
rollback to s;
select repeated from goals.deliver('offer', 4::bigint);
commit;
-- The goals of the first receipt stay: nothing starts again.
update users set plan = 'pro' where id = 1;
select goals.record_sent('offer', 1::bigint) = :first as the_same;
select verdict, sent_at < now() - interval '23 hours' as sent_then from goals.explain('offer', 1::bigint);
-- A later version of a goal does not make the message another one.
select from goals.set_goal('offer', 'plan', 'is', 'team', '3 days');
select receipt_id = :first as the_same, repeated from goals.deliver('offer', 1::bigint);

-- The array forms: record_sent leaves repeated users out of its number; deliver says who they are.
select goals.record_sent('offer', array['1', '2', '5', '5', '6']);
select user_key, receipt_id = :first as the_first, send, repeated from goals.deliver('offer', array['1', '5', '7', '7', '99']) order by user_key;
select sent from goals.message_stats where message = 'offer' and goal = 'primary';
select count(*), count(distinct user_key) from goals.outcome where message = 'offer';

-- What is asked for is still checked: a user who is not there, a variant that is not, a time to come.
select goals.record_sent('offer', 99::bigint);
select goals.record_sent('offer', 1::bigint, variant => 'b');
select goals.record_sent('offer', 1::bigint, sent_at => now() + interval '1 hour');

-- Variant and send are those of the first time, whatever is asked for later.
select from goals.create_message('test', kind => 'one_off');
select from goals.add_variant('test', 'a');
select from goals.add_variant('test', 'b');
select from goals.set_control_group('test', 0.5);
select goals.record_sent('test', 1::bigint, 'b') as b, goals.record_sent('test', 2::bigint, 'control') as control \gset
select receipt_id = :b as the_same, variant, send, repeated from goals.deliver('test', 1::bigint);
select goals.record_sent('test', 1::bigint, 'a') = :b as the_same;
select receipt_id = :control as the_same, variant, send, repeated from goals.deliver('test', 2::bigint);
select goals.record_sent('test', 2::bigint, 'a') = :control as the_same;
select variant, sent from goals.variant_stats where message = 'test' order by variant;

-- Of several receipts (the application's own table is mirrored as it is) the first that was sent.
create table mails (id bigserial primary key, message text, user_id bigint, sent timestamptz);
select from goals.track_receipts('mails', 'message', 'user_id', 'sent');
insert into mails (message, user_id, sent) values ('offer', 10, '2025-03-01 00:00+00'), ('offer', 10, '2025-02-01 00:00+00'), ('offer', 10, '2025-02-01 00:00+00');
select count(*) from goals.explain('offer', 10::bigint);
select x.sent_at at time zone 'UTC' as sent, d.repeated from goals.deliver('offer', 10::bigint) d, goals.outcome x where x.receipt_id = d.receipt_id;
select count(*) from goals.explain('offer', 10::bigint);
-- Of those sent at the same time the first that was recorded, also if a later one has a place before it in the table.
insert into mails (message, user_id, sent)
values ('offer', 11, '2025-02-01 00:00+00'), ('offer', 12, '2025-02-01 00:00+00');
select goals.forget_user(11::bigint) > 0 as forgotten;
vacuum (index_cleanup on) goals.receipt;
insert into mails (message, user_id, sent) values ('offer', 12, '2025-02-01 00:00+00');
select d.receipt_id = min(x.receipt_id) as the_first, count(*)
from goals.deliver('offer', 12::bigint) d, goals.outcome x
where x.message = 'offer' and x.user_key = '12' group by d.receipt_id;

-- Who has been forgotten, and what has been purged, was never sent.
select goals.forget_user(1::bigint) > 0 as forgotten;
select receipt_id > :first as another, repeated from goals.deliver('offer', 1::bigint);
select goals.purge('2025-12-01 00:00+00');
select repeated from goals.deliver('offer', 10::bigint);

-- An ongoing message is delivered as often as it is sent.
select repeated, receipt_id > :first as another from goals.deliver('news', 1::bigint);
select goals.record_sent('news', array['1', '2', '3', '4']);
select sent from goals.message_stats where message = 'news';
-- Another users table has other users, though their keys are the same.
create table people (id bigint primary key);
insert into people values (5);
select from goals.track_users('people');
select from goals.create_message('theirs', kind => 'one_off', users => 'people');
select repeated from goals.deliver('theirs', 5::bigint);
select * from goals.verify();
