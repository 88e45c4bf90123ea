-- A withdrawn receipt leaves every figure, whatever is known of it and whenever it was withdrawn. In compare() the person
-- stays counted as assigned: only what was to be sent can fail to be.
create table users (id bigint primary key, plan text, spent numeric default 0);
insert into users select n, 'free' from generate_series(1, 40) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.add_variant('m', 'a');
select from goals.set_control_group('m', 0.5);
select from goals.set_goal('m', 'plan', 'is changed', time_limit => '1 day', value_from => 'spent');
do $$ begin
    perform goals.record_sent('m', u, case when u <= 4 then 'a' else 'control' end, now() - interval '2 hours') from generate_series(1, 8) u;
end $$;
update users set plan = 'pro', spent = 7 where id in (1, 5);

-- What is reported of a receipt
create function engaged(who bigint[], kinds text, by_machine boolean = null) returns void language sql as $$
    insert into goals.engagement (engagement_id, receipt_id, at, kind, machine)
    select nextval('goals.engagement_id_seq'), r.receipt_id, r.sent_at + interval '10 minutes', k::"char", by_machine
    from goals.receipt r, unnest(string_to_array(kinds, null)) k where r.user_key::bigint = any (who)
$$;
-- Every figure but compare()'s, and where it stands
create function figures() returns table (place text, figure jsonb) language sql as $$
    select 'message_stats', to_jsonb(x) from goals.message_stats x
    union all select 'variant_stats', to_jsonb(x) from goals.variant_stats x
    union all select 'stats', to_jsonb(x) from goals.stats('m') x
    union all select 'stats of the message', to_jsonb(x) from goals.stats('m', null) x
    union all select 'stats since', to_jsonb(x) from goals.stats('m', since => now() - interval '1 day') x
    union all select 'daily', to_jsonb(x) from goals.daily('m') x
    union all select 'daily_since_sending', to_jsonb(x) from goals.daily_since_sending('m') x
    union all select 'matches', to_jsonb(x) from goals.matches('m') x
    union all select 'outcome', to_jsonb(x) - 'is_control' from goals.outcome x
    union all select 'attribution', to_jsonb(x) from goals.attribution() x
    union all select 'stats_bar', to_jsonb(x) from goals.stats_bar('m') x
    union all select 'report: totals', goals.report_data('m') -> 'totals'
    union all select 'report: goals', goals.report_data('m') -> 'goals'
$$;
create table before as select * from figures();
create function changed() returns text language sql as $$
    select coalesce(string_agg(distinct place, ', '), 'none')
    from ((select * from figures() except all select * from before) union all (select * from before except all select * from figures())) x
$$;
create view people as
    select variant, users, matched, converters_all, assigned_users, worth from goals_internal.compare_data('m', include_running => true);
select changed();
table people;

-- Two receipts of which everything is known are in every figure.
select goals.record_sent('m', u, 'a', now() - interval '2 hours') > 0 as sent from generate_series(11, 12) u;
select from engaged('{11,12}', 'docbpu');
select from engaged('{11,12}', 'oc', true);
update users set plan = 'pro', spent = 7 where id in (11, 12);
select changed();
table people;
-- One is withdrawn before the totals know it, the other one after.
select from engaged('{11}', 'w');
select sent, delivered, matched, worth from goals.message_stats;
select from goals.roll_up();
select sent, delivered, matched, worth from goals.message_stats;
select count(*) from goals.verify();
select from engaged('{12}', 'w');
select changed();
select count(*) from goals.verify();
select from goals.roll_up();
select changed();
select count(*) from goals.verify();
-- Withdrawing it again changes nothing, nor does what is reported of it later.
select from engaged('{12}', 'wwo');
select changed();
select from goals.roll_up();
select changed();
-- The people are still compared.
table people;
select goals.report_data('m') -> 'withdrawn' as withdrawn;
select sum((p ->> 'matched_cumulative')::int) as matched, sum((p ->> 'eligible')::int) as eligible
from jsonb_array_elements(goals.report_data('m') -> 'curve') p where p ->> 'variant' = 'a';
select goals.report('m') ~ '2 receipts were withdrawn: the message was not sent after all' as explained;
-- explain() says so.
select u, goal, verdict from unnest(array[1, 11, 12]::bigint[]) u, goals.explain('m', u);
-- When the person is forgotten, and when all are purged, nothing comes back.
select goals.forget_user('11');
select changed();
table people;
select count(*) from goals.verify();
select from goals.purge(now() + interval '1 minute');
select place from (select * from figures() except all select * from before) x
where place in ('message_stats', 'variant_stats', 'stats_bar', 'report: totals', 'stats of the message');
table people;
select count(*) from goals.verify();
