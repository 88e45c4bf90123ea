-- compare() counts people: each once, however many receipts, and only those whose every time limit has passed.
create table users (id bigint primary key, plan text, spent numeric default 0);
insert into users (id, plan) select n, 'free' from generate_series(1, 40) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_control_group('m', 0.5);
select from goals.add_variant('m', 'a');
select from goals.set_goal('m', 'plan', 'is changed', time_limit => '1 day', value_from => 'spent');
-- Three receipts each: 1 to 20 variant a, 21 to 40 the control group.
create view sending as
    select u::text as user_key, case when u <= 20 then 'a' else 'control' end as variant, ago
    from generate_series(1, 40) u, unnest(array[interval '3 hours', '2 hours', '1 hour']) ago;
do $$ begin perform goals.record_sent('m', user_key, variant, clock_timestamp() - ago) from sending; end $$;
update users set plan = 'pro', spent = 10 where id <= 15 or id > 35;
select goal, sent, matched, worth from goals.message_stats;
-- Nobody's time limit has passed, so nobody is counted yet, unless one asks for it. The converters count at once.
select variant, users, matched from goals.compare('m');
select variant, users, matched, rate, worth_per_user from goals.compare('m', include_running => true);
select variant, users, matched, converters_all, assigned_users, worth, all_matured from goals_internal.compare_data('m');
-- Once the goal is stopped no time limit runs any more.
select from goals.stop_goal('m');
select variant, users, matched, rate, worth_per_user from goals.compare('m');
-- Who has been in both is in neither.
select goals.record_sent('m', 1::bigint, variant => 'control') > 0 as sent;
select variant, users, matched from goals.compare('m');
