-- The database of lived_in.sql goes on: everything is done once more. Prints `name|figure` lines that do not depend on what there was;
-- :last_receipt, :last_engagement, :last_match are the highest ids there were.
\set ON_ERROR_STOP on
set client_min_messages = warning;
\pset footer off
select from goals.create_message('afterwards', users => 'app.users');
select from goals.set_goal('afterwards', 'plan', 'is changed', time_limit => '1 day');
select from goals.set_goal('afterwards', event => 'buy', time_limit => '1 day', goal => 'buys');
insert into app.users (id, plan) values (1001, 'free'), (1002, 'free'), (1003, 'free');
select from goals.record_sent('afterwards', array['1001', '1002']);
insert into app.sends (campaign, user_id) values ('afterwards', 1003);
update app.users set plan = 'enterprise' where id in (1001, 1003);
insert into app.events (user_id, name) values (1002, 'buy'), (1003, 'sell');
select from goals.record_opened('afterwards', 1001::bigint);
update app.sends set opened = clock_timestamp() where user_id = 1003;
select 'after ' || goal, sent, opened, matched from goals.message_stats where message = 'afterwards' order by 1;
-- what was sent before is matched now: user 250 has the receipt of the last send, user 45 an opened one of the mirrored table
select 'before', count(*) from goals.matches('welcome', 'primary') where user_key = '250';
update app.users set plan = 'free' where id = 250;
update app.users set plan = 'team' where id = 250;
select 'since', count(*) from goals.matches('welcome', 'primary') where user_key = '250';
select 'receipts above', count(*) = 3 from goals.receipt where receipt_id > :last_receipt;
select 'double receipts', count(*) from (select from goals.receipt group by receipt_id having count(*) > 1) d;
select 'opens above', count(*) = 2 from goals.engagement where engagement_id > :last_engagement;
select 'matches above', count(*) >= 4 from goals.match_log where match_id > :last_match;
select 'double matches', count(*) from (select from goals.match_log group by match_id having count(*) > 1) d;
select 'rolled up', sum(goals.roll_up()) > 0;
select 'rolled up', goals.roll_up() >= 0;
select 'differs', v from goals.verify() v;
select 'after ' || goal, sent, opened, matched from goals.message_stats where message = 'afterwards' order by 1;
select 'forgotten', goals.forget_user('1001'::text, 'app.users'::regclass) > 0;
select 'differs', v from goals.verify() v;
