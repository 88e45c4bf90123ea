-- value_from: what a match was worth.
create table users (id bigint primary key, plan text, spend numeric(12, 2), visits int, rating real, custom jsonb, note text);
insert into users (id, plan, spend, visits, rating, custom) values
    (1, 'free', 10.10, 1, 1, '{"spend": 1.5}'), (2, 'free', null, 1, null, '{}'), (3, 'free', 5, 1, 'NaN', '{"spend": "2"}'), (4, 'free', 'NaN', 1, 1, null), (5, 'free', 100, 1, 1, '{"spend": 0.1}');
select from goals.track_users('users');
select from goals.create_message('m');
-- The gain of another attribute in the same update, and of the attribute itself
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', value_from => 'spend', goal => 'plan');
select from goals.set_goal('m', 'spend', 'is changed', time_limit => '1 day', value_from => 'spend', goal => 'spend');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', value_from => 'rating', goal => 'rating');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', value_from => 'custom.spend', goal => 'json');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', goal => 'none');
select goals.record_sent('m', array['1', '2', '3', '4', '5']);
update users set spend = 0.1 + coalesce(spend, 0) where id = 5;
update users set plan = 'pro', spend = 40.35, visits = 2, rating = 2.5, custom = '{"spend": 4}' where id < 5;
update users set plan = 'pro', spend = 0 where id = 5;
select user_key, goal, worth from goals.matches('m') order by goal, user_key;
select goal, matched, worth from goals.message_stats order by goal;
-- Only the match is worth something, not what the user does afterwards.
update users set plan = 'free';
update users set plan = 'pro', spend = 1000000;
select goal, matched, worth from goals.message_stats order by goal;

-- Of events: a property, a nested one; exact, and summed exactly. What is no number is worth nothing and fails nothing.
select from goals.create_message('e');
select from goals.set_goal('e', event => 'buy', time_limit => '1 day', value_from => 'amount');
select from goals.set_goal('e', event => 'buy', time_limit => '1 day', value_from => 'basket.total', goal => 'nested');
select from goals.set_goal('e', event => 'buy', time_limit => '1 day', value_from => '"a.b"', goal => 'quoted', times => 2);
insert into users (id) select generate_series(11, 20);
select goals.record_sent('e', array(select id::text from users where id > 10));
select from (values
    (11, '{"amount": 0.1, "basket": {"total": 0.00000000000000000001}, "a.b": 1}'), (12, '{"amount": 0.2, "basket": {"total": 123456789012345678901234567890}}'),
    (13, '{"amount": "0.4", "basket": {"total": null}}'), (14, '{"amount": null, "basket": 5}'), (15, '{}'), (16, null), (17, '{"amount": -0.05}'),
    (18, '{"amount": [1], "basket": [{"total": 1}]}'), (19, '{"amount": true}'), (20, '[1, 2]'), (11, '{"amount": 1000, "a.b": 2.50}')) x (u, p),
    goals.record_event(u::bigint, 'buy', p::jsonb);
select user_key, goal, worth from goals.matches('e') where worth is not null order by goal, user_key;
select goal, matched, worth from goals.message_stats where message = 'e' order by goal;

-- The sums stay exact over many.
select from goals.create_message('sum');
select from goals.set_goal('sum', event => 'pay', time_limit => '1 day', value_from => 'amount');
insert into users (id) select generate_series(1001, 3000);
select goals.record_sent('sum', array(select id::text from users where id > 1000));
select count(*) from users, goals.record_event(id, 'pay', '{"amount": 0.1}') where id > 1000;
select worth from goals.message_stats where message = 'sum';
select worth, users_matched from goals.stats('sum');

-- A cent of a control user is not the message's.
select from goals.create_message('held back');
select from goals.set_goal('held back', event => 'tip', time_limit => '1 day', value_from => 'amount');
select from goals.set_control_group('held back', 0.5);
select from goals.record_sent('held back', 1::bigint, variant => 'control');
select from goals.record_event(1::bigint, 'tip', '{"amount": 3}');
select sent, matched, worth from goals.message_stats where message = 'held back';
select variant, sent, matched, worth from goals.variant_stats where message = 'held back' order by variant;

-- compare() looks at users: a change is worth the same however many of a user's receipts it is a match for. It stays as it
-- was when one of the receipts is purged, and when all are.
select from goals.create_message('thrice');
select from (values ('a'), ('b')) x (v), goals.add_variant('thrice', v);
select from goals.set_goal('thrice', 'spend', 'is increased', time_limit => '9 days', value_from => 'spend');
insert into users (id, spend) values (8001, 0), (8002, 0);
select from (values (8001, 'a', 8), (8001, 'a', 2), (8001, 'a', 1), (8002, 'b', 1)) x (u, v, d), goals.record_sent('thrice', u::bigint, v, now() - d * interval '1 day');
update users set spend = 10 where id >= 8001;
select variant, sent, matched, worth from goals.variant_stats where message = 'thrice' order by 1;
select variant, users, matched, worth_per_user from goals.compare('thrice', include_running => true);
select from goals.stop_goal('thrice');
select variant, users, matched, worth_per_user from goals.compare('thrice');
select goals.purge(now() - interval '7 days');
select variant, users, matched, worth_per_user from goals.compare('thrice');
select goals.forget_user(8001);
select variant, users, matched, worth_per_user from goals.compare('thrice');

-- What is too large to be added up is worth nothing, like what is no number; what is too small for a floating-point number is an exact
-- decimal in the sums, and nothing where a floating-point number is asked for. No figure fails, whatever anybody writes.
create table orders (user_id bigint, name text, data jsonb);
select from goals.track_events('orders', 'user_id', 'name', properties => 'data');
alter table users add column balance numeric default 0;
insert into users (id, spend) select n, 0 from generate_series(9001, 9009) n;
select from goals.create_message('extremes');
select from (values ('a'), ('b')) x (v), goals.add_variant('extremes', v);
select from goals.set_goal('extremes', event => 'order', time_limit => '9 days', value_from => 'amount');
select from goals.set_goal('extremes', 'balance', 'is changed', time_limit => '9 days', value_from => 'balance', goal => 'gain');
select from (values (9001, 'a'), (9002, 'a'), (9003, 'b'), (9004, 'b')) x (u, v), goals.record_sent('extremes', u::bigint, v);
insert into orders values (9001, 'order', '{"amount": 9e131071}'), (9002, 'order', '{"amount": 9e131071}'), (9003, 'order', '{"amount": 1e-400}');
update users set balance = '-9e131071' where id = 9001;
update users set balance = '9e131071' where id = 9001;
update users set balance = '9e999' where id in (9002, 9003);
select goal, variant, matched, length(worth::text) as digits, worth > 0 as positive from goals.variant_stats where message = 'extremes' order by 1, 2;
select variant, matched, worth_per_user from goals.compare('extremes', include_running => true) order by 1;
select variant, matched, worth_per_user from goals.compare('extremes', 'gain', include_running => true) order by 1;
select message, goal, credit, worth_credit from goals.attribution() where message = 'extremes' order by 1, 2;
insert into orders values (9004, 'order', '{"amount": 1e-30}');
select goal, worth_credit from goals.attribution('time decay', half_life => '1 microsecond') where message = 'extremes' order by 1;
select length(goals.report('extremes')) > 0 as report;
select goals.roll_up(), goals.roll_up() >= 0;
select goals.forget_user(id) from (values (9001), (9002), (9003)) x (id);
select goals.purge(now() + interval '1 day') > 0 as purged;
select goal, variant, matched, length(worth::text) as digits, worth > 0 as positive from goals.variant_stats where message = 'extremes' order by 1, 2;
select * from goals.verify();

-- However it is quoted, a key is one attribute, and a change of it one change.
alter table users add column doc jsonb default '{}';
select from unnest(array['doc.plan', 'doc."plan"']) as spelt (a), goals.create_message('of ' || a), goals.set_goal('of ' || a, a, 'is', 'pro', '9 days', value_from => 'spend'), goals.record_sent('of ' || a, 9005);
update users set doc = '{"plan": "pro"}', spend = 10 where id = 9005;
select message, credit, worth_credit from goals.attribution() where message like 'of %' order by 1;
select distinct attribute from goals.matches('of doc."plan"');

-- It must be there and be a number, or the text or json of one.
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', value_from => 'spent');
alter table users add born date;
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', value_from => 'born');
-- Dropped later, it is worth nothing, and health() says so.
alter table users drop column rating;
update users set plan = 'free' where id = 1;
select problem, object, detail from goals.health();
