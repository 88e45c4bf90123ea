-- Who is held back follows the same rules, is never opened or clicked, and is counted apart.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 6) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_control_group('m', 0.5);
select from goals.add_variant('m', 'a');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select goals.record_sent('m', array['1', '2', '3', '4'], variant => 'a');
select goals.record_sent('m', array['5', '6'], variant => 'control');
update users set plan = 'pro' where id in (1, 2, 5);
select from goals.record_opened('m', 5::bigint);
select goals.record_clicked(receipt_id) from goals.explain('m', 6::bigint);
-- The message's own figures are those of the users it was sent to ...
select goal, sent, opened, clicked, matched, goal_rate from goals.message_stats;
-- ... by variant the control group is a row of its own, before and after a roll-up.
select goal, variant, sent, opened, clicked, matched, goal_rate from goals.variant_stats order by variant;
select goals.roll_up() > 0 as rolled_up;
select goal, sent, matched from goals.message_stats;
select goal, variant, sent, matched from goals.variant_stats order by variant;
select variant, sent, matched, users_matched from goals.stats('m') order by variant;
select variant, user_key from goals.matches('m') order by user_key::int;
select user_key, verdict from generate_series(4, 6) u, lateral (select u::text as user_key) k, goals.explain('m', user_key) order by 1;
-- What was forgotten of the control group stays with the control group.
select goals.forget_user(5::bigint);
select goal, sent, matched from goals.message_stats;
select goal, variant, sent, matched from goals.variant_stats order by variant;
