-- Goals on events that are reported by a call.
create table users (gone int, id bigint primary key, name text);
alter table users drop column gone;
insert into users values (1, 'Ann'), (2, 'Bob'), (3, 'Cem'), (4, 'Dee');
select from goals.track_users('users');
select from goals.create_message('offer');
select from goals.set_goal('offer', event => 'purchase', time_limit => '3 days', value_from => 'amount');
select from goals.set_goal('offer', event => 'purchase', time_limit => '3 days', properties => '{"item": {"kind": "book"}}', goal => 'book');
select from goals.set_goal('offer', event => 'visit', times => 3, time_limit => '1 day', goal => 'three visits');
select clock_timestamp() as "then" \gset
select goals.record_sent('offer', array['1', '2', '3'], sent_at => :'then'::timestamptz - interval '2 days');

-- The name of the event decides, case included.
select from goals.record_event(1::bigint, 'Purchase');
select from goals.record_event(1::bigint, 'purchases');
select count(*) from goals.matches('offer');
select from goals.record_event(1::bigint, 'purchase', '{"amount": 12.50, "item": {"kind": "game", "name": "Go"}}');
select from goals.record_event('2', 'purchase', '{"amount": 7, "item": {"kind": "book", "name": "Rust"}}');
select from goals.record_event('2', 'purchase', '{"amount": 100, "item": {"kind": "book"}}');
-- Without properties, or with none that are asked for, a purchase is a purchase.
select from goals.record_event(3::bigint, 'purchase', null);
select user_key, goal, event, new_value, worth from goals.matches('offer') order by user_key, goal;

-- Three visits within a day of the sending, which was two days ago: these come too late ...
do $$ begin for n in 1..3 loop perform goals.record_event(1::bigint, 'visit'); end loop; end $$;
select count(*) from goals.matches('offer', 'three visits');
-- ... but visits of that day count whenever they are reported, in whatever order.
select from goals.record_event(1::bigint, 'visit', occurred_at => :'then'::timestamptz - interval '30 hours');
select from goals.record_event(1::bigint, 'visit', occurred_at => :'then'::timestamptz - interval '25 hours');
select from goals.record_event(1::bigint, 'visit', occurred_at => :'then'::timestamptz - interval '49 hours');
select count(*) from goals.matches('offer', 'three visits');
select from goals.record_event(1::bigint, 'visit', occurred_at => :'then'::timestamptz - interval '40 hours');
select user_key, matched_at = sent_at + interval '23 hours' as at_the_third from goals.matches('offer', 'three visits');
-- Now the third one is another, and earlier.
select from goals.record_event(1::bigint, 'visit', occurred_at => :'then'::timestamptz - interval '36 hours');
select user_key, matched_at = sent_at + interval '18 hours' as at_the_third from goals.matches('offer', 'three visits');

-- The earliest event is the match, also when it arrives late; one from before the sending is not.
select from goals.create_message('late');
select from goals.set_goal('late', event => 'login', time_limit => '10 days', value_from => 'n');
select from goals.record_sent('late', 1::bigint, sent_at => :'then'::timestamptz - interval '5 days');
select from goals.record_event(1::bigint, 'login', '{"n": 1}');
select from goals.record_event(1::bigint, 'login', '{"n": 3}', :'then'::timestamptz - interval '3 days');
select from goals.record_event(1::bigint, 'login', '{"n": 6}', :'then'::timestamptz - interval '6 days');
select from goals.record_event(1::bigint, 'login', '{"n": 4}', :'then'::timestamptz - interval '4 days');
select from goals.record_event(1::bigint, 'login', '{"n": 2}', :'then'::timestamptz - interval '2 days');
select matched_at - sent_at as after_sending, new_value, worth from goals.matches('late');

-- Slightly ahead of our clock is now; far ahead is refused.
select from goals.create_message('soon');
select from goals.set_goal('soon', event => 'login', time_limit => '1 day');
select from goals.record_sent('soon', 1::bigint);
select from goals.record_event(1::bigint, 'login', occurred_at => clock_timestamp() + interval '4 minutes');
select matched_at <= clock_timestamp() as not_in_the_future from goals.matches('soon');
select from goals.record_event(1::bigint, 'login', occurred_at => clock_timestamp() + interval '6 minutes');
select from goals.record_event(1::bigint, 'login', occurred_at => 'infinity');

-- Events of users without receipts, of nobody, and of names nobody waits for are nothing to us.
select from goals.record_event(4::bigint, 'purchase');
select from goals.record_event(99::bigint, 'purchase');
select from goals.record_event('not a number', 'purchase');
select from goals.record_event(1::bigint, 'something else', '[]');
select from goals.record_event(1::bigint, '');
-- An event without a name or a user is no event.
select from goals.record_event(1::bigint, null);
select from goals.record_event(null::text, 'purchase');

-- An event has nothing to do with attributes, nor an attribute with events.
update users set name = 'purchase';
select goal, sent, already_matched, matched, worth from goals.message_stats where message = 'offer' order by goal;

-- Every receipt in its window gets credit, once each.
select from goals.create_message('again');
select from goals.set_goal('again', event => 'login', time_limit => '1 day');
select goals.record_sent('again', array['1', '1', '2']);
select from goals.record_sent('again', 1::bigint);
select from goals.record_event(1::bigint, 'login');
select from goals.record_event(1::bigint, 'login');
select sent, matched from goals.message_stats where message = 'again';

-- Keys of other types
create table members (id uuid primary key, code text);
insert into members values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'x');
select from goals.track_users('members');
select from goals.create_message('to members', users => 'members');
select from goals.set_goal('to members', event => 'login', time_limit => '1 day');
select from goals.record_sent('to members', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11');
select from goals.record_event('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid, 'login');
select from goals.record_event('{A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11}', 'login', users => 'members');
select user_key from goals.matches('to members');
select * from goals.health();
