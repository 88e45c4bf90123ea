-- A receipt is judged by the goal as it was when it was sent.
create table users (id bigint primary key, plan text, visits int default 0, gone int);
alter table users drop column gone;
insert into users (id, plan) select n, 'free' from generate_series(1, 20) n;
select from goals.track_users('users');
select from goals.create_message('m');
-- Sent without a goal: none ever counts.
select from goals.record_sent('m', 1::bigint);
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select from goals.record_sent('m', 2::bigint);
select from goals.set_goal('m', 'plan', 'is', 'team', '1 day');
select from goals.record_sent('m', 3::bigint);
update users set plan = 'pro' where id <= 3;
select user_key, goal, new_value from goals.matches('m') order by user_key;
update users set plan = 'team' where id <= 3;
select user_key, goal, new_value from goals.matches('m') order by user_key;
select goal, sent, already_matched, matched from goals.message_stats;
-- Who held the old version's value already is judged anew.
select from goals.set_goal('m', 'plan', 'is', 'free', '1 day');
select goals.record_sent('m', array['3', '4']);
select user_key, verdict from unnest(array['3', '4']) user_key, goals.explain('m', user_key) order by 1, 2;

-- Another goal of the same message leaves the first as it is; receipts before it know nothing of it.
select from goals.set_goal('m', 'visits', 'is increased', time_limit => '1 day', goal => 'visits');
select from goals.record_sent('m', 5::bigint);
update users set visits = 1 where id <= 5;
select goal, sent, matched from goals.message_stats order by goal;
select goal, verdict from goals.explain('m', 5::bigint) order by goal;

-- A shorter time limit for later receipts only
select from goals.create_message('limit');
select from goals.set_goal('limit', 'plan', 'is', 'gold', '3 days');
select from goals.record_sent('limit', 6::bigint, sent_at => now() - interval '2 days');
select from goals.set_goal('limit', 'plan', 'is', 'gold', '1 day');
select from goals.record_sent('limit', 7::bigint, sent_at => now() - interval '2 days');
update users set plan = 'gold' where id in (6, 7);
select user_key from goals.matches('limit');

-- From an attribute to an event under the same name; both versions are one goal in the figures.
select from goals.set_goal('limit', event => 'buy', time_limit => '1 day');
select from goals.record_sent('limit', 8::bigint);
update users set plan = 'gold' where id = 8;
select from goals.record_event(8::bigint, 'buy');
select user_key, attribute, event from goals.matches('limit') order by user_key;
select goal, sent, matched from goals.message_stats where message = 'limit';

-- Stopping ends matching at once, for every version; what was recorded stays.
select from goals.create_message('stop');
select from goals.set_goal('stop', 'plan', 'is', 'pro', '1 day');
select goals.record_sent('stop', array['11', '12', '13']);
select from goals.set_goal('stop', 'plan', 'is', 'team', '1 day');
select goals.record_sent('stop', array['14', '15']);
update users set plan = 'pro' where id in (11, 12);
select from goals.stop_goal('stop');
update users set plan = 'pro' where id = 13;
update users set plan = 'team' where id in (14, 15);
select u, verdict from unnest(array['11', '12', '13', '14', '15']) u, goals.explain('stop', u) order by u;
select goal, sent, matched from goals.message_stats where message = 'stop';
-- Receipts made after the stop are not judged by it.
select from goals.record_sent('stop', 16::bigint);
select goal, sent, matched from goals.message_stats where message = 'stop';
select count(*) from goals.explain('stop', '16');
-- Stopped twice is stopped; set again it is a new version, and the stopped ones stay stopped.
select from goals.stop_goal('stop');
select from goals.set_goal('stop', 'plan', 'is', 'pro', '1 day');
select from goals.record_sent('stop', 17::bigint);
update users set plan = 'pro' where id in (13, 16, 17) and plan = 'free' or id = 13;
update users set plan = 'x' where id = 13;
update users set plan = 'pro' where id = 13;
select user_key from goals.matches('stop') order by user_key;
select goal, sent, matched from goals.message_stats where message = 'stop';

-- Set and stopped in a transaction that is rolled back: nothing happened, for this session either.
begin;
select from goals.stop_goal('limit');
select from goals.set_goal('limit', 'plan', 'is', 'silver', '1 day', goal => 'new');
select from goals.record_sent('limit', 18::bigint);
update users set plan = 'silver' where id = 18;
select user_key, goal from goals.matches('limit') where goal = 'new';
rollback;
select goal, sent, matched from goals.message_stats where message = 'limit';
select from goals.record_sent('limit', 18::bigint);
select from goals.record_event(18::bigint, 'buy');
select user_key from goals.matches('limit') where event is not null order by user_key;

-- A goal set within the transaction, and undone to a savepoint
begin;
select from goals.create_message('sub');
savepoint s;
select from goals.set_goal('sub', 'visits', 'is', '7', '1 day');
select from goals.record_sent('sub', 19::bigint);
rollback to s;
select from goals.set_goal('sub', 'visits', 'is', '8', '1 day');
select from goals.record_sent('sub', 19::bigint);
update users set visits = 7 where id = 19;
update users set visits = 8 where id = 19;
commit;
select user_key, new_value from goals.matches('sub');

-- All of it in one statement, and nothing of what was rolled back: each step knows what the one before it did.
select goals.create_message('at once') > 0 as created, goals.set_goal('at once', 'plan', 'is', 'pro', '1 day') > 0 as set,
       goals.record_sent('at once', 1::bigint) > 0 as sent, goals.stop_goal('at once');
select m.name, g.name, s.stopped_at is not null as stopped
from goals.message m join goals.goal g using (message_id) left join goals.goal_stop s using (goal_id) where m.name = 'at once';
begin;
savepoint a;
select goals.create_message('never') > 0 as created, goals.set_goal('never', 'plan', 'is', 'pro', '1 day') > 0 as set;
rollback to a;
select goals.record_sent('never', 1::bigint);
rollback;
begin;
select goals.create_message('never') > 0 as created, goals.set_goal('never', 'plan', 'is', 'pro', '1 day') > 0 as set;
rollback;
select goals.record_sent('never', 1::bigint);
begin;
select goals.create_message('prepared') > 0 as created, goals.record_sent('prepared', 1::bigint) > 0 as sent;
prepare transaction 'later';
select goals.record_sent('prepared', 1::bigint);
rollback prepared 'later';
select goals.record_sent('prepared', 1::bigint);

-- An index of ours is replaced while we know the old one.
select from goals.create_message('index');
select from goals.set_goal('index', 'visits', 'is increased', time_limit => '1 day');
select from goals.record_sent('index', 20::bigint);
select from goals.record_sent('index', 19::bigint);
update users set visits = coalesce(visits, 0) + 1 where id = 20;
reindex table concurrently goals.receipt;
reindex table concurrently goals.match_log;
reindex table concurrently goals.engagement;
update users set visits = coalesce(visits, 0) + 1 where id in (19, 20);
select from goals.record_opened('index', 19::bigint);
select user_key, opened_at is not null as opened from goals.matches('index') order by 1;

-- What a receipt is not judged by is not even recorded for it.
select count(*) > 0 as any, count(*) filter (where h.goal_id <> all (v.goal_ids)) as of_other_goals
from goals.match_log h join goals.receipt r using (receipt_id) join goals.revision v using (revision_id);
