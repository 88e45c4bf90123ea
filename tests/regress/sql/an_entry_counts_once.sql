-- Two sessions, neither seeing the other, can each record the entry of one person into a programme. The earlier one counts,
-- whichever was recorded first; it is decided when reading.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 9) n;
select from goals.track_users('users');
select from goals.create_message('onboarding', kind => 'programme');
select from goals.add_variant('onboarding', 'a');
select from goals.set_control_group('onboarding', 0.5);
select from goals.set_goal('onboarding', 'plan', 'is changed', time_limit => '2 days');
create table started as select now() as at;
create function entered(who bigint, ago interval, variant text = 'a') returns void language sql as $$
    insert into goals.receipt (receipt_id, sent_at, users_source_id, revision_id, variant_id, user_key, flags)
    select nextval('goals.receipt_id_seq'), s.at - ago, m.users_source_id, r.revision_id, v.variant_id, who, 2
    from goals.message m join goals.variant v using (message_id), started s, (select max(revision_id) as revision_id from goals.revision) r
    where m.name = 'onboarding' and v.name = entered.variant
$$;
create view shown as
    select s.sent, s.matched, s.delivered, (select count(*) from goals.matches('onboarding')) as matches,
           (select count(*) from goals.outcome) as outcome, (select sum(d.sent) from goals.daily('onboarding') d where d.variant = 'a') as daily,
           (select sum(d.matched) from goals.attribution() d) as attribution,
           (select p.users || ' ' || p.matched || ' ' || p.assigned_users
            from goals_internal.compare_data('onboarding', include_running => true) p where p.variant = 'a') as compared,
           (select max((p ->> 'eligible')::int) || ' ' || max((p ->> 'matched_cumulative')::int)
            from jsonb_array_elements(goals.report_data('onboarding') -> 'curve') p where p ->> 'variant' = 'a') as curve
    from goals.message_stats s;

-- 1 and 2 enter a day ago; 3 is held out. Another session, which commits after, has entered 1 earlier. 1 and 2 reach the
-- goal.
select from entered(1, '1 day') e1, entered(2, '1 day') e2, entered(3, '1 day', 'control') e3;
table shown;
select from entered(1, '36 hours') e1;
table shown;
update users set plan = 'pro' where id in (1, 2);
table shown;
select from goals.roll_up();
table shown;
select count(*) from goals.verify();

-- One more session commits: 2 had entered three days ago, and was too late for the goal. 3 is held out once.
select from entered(2, '3 days') e1, entered(3, '2 days', 'control') e2;
table shown;
select count(*) from goals.verify();
select from goals.roll_up();
table shown;
select count(*) from goals.verify();
select variant, sent, matched from goals.variant_stats order by variant;
select user_key, now() - sent_at > '30 hours' as the_earlier, matched_at is not null as matched from goals.outcome order by user_key;
-- A later entry changes nothing, nor does one at the same moment.
select from entered(1, '5 hours') e1, entered(2, '3 days') e2;
table shown;
select from goals.roll_up();
table shown;
select count(*) from goals.verify();
select * from goals.stats_bar('onboarding') \g (format=unaligned tuples_only=on)

-- The person forgotten, the entry that counted is the one that is kept in the totals.
create view compared as
    select variant, users, matched, converters_all, assigned_users
    from goals_internal.compare_data('onboarding', include_running => true) order by variant;
table compared;
-- With the first entry of a person those go that never counted, also if they are not as old.
select goals.purge(now() - interval '60 hours');
select sent, matched from goals.message_stats;
select count(*) from goals.outcome where user_key = '2';
table compared;
select count(*) from goals.verify();
select goals.forget_user('1');
select sent, matched from goals.message_stats;
table compared;
select count(*) from goals.verify();
select from goals.purge(now() + interval '1 minute');
select sent, matched from goals.message_stats;
table compared;
select count(*) from goals.verify();

-- So do those of an account that was merged. The next message enters the person again.
create table people (id bigint primary key, plan text);
insert into people select n, 'free' from generate_series(1, 3) n;
select from goals.track_users('people');
select from goals.create_message('series', kind => 'programme', users => 'people');
select from goals.set_goal('series', 'plan', 'is changed', time_limit => '2 days');
select from goals.create_message('day 1', part_of => 'series', users => 'people');
select goals.record_sent('day 1', 2) is not null as now, goals.record_sent('day 1', 1, sent_at => now() - interval '9 days') is not null as earlier,
       goals.record_sent('day 1', 3, sent_at => now() - interval '9 days') is not null as another;
select goals.merge_users('1', '2', users => 'people');
select sent from goals.message_stats where message = 'series';
select goals.purge(now() - interval '8 days');
select sent from goals.message_stats where message = 'series';
select count(*) from goals.outcome where message = 'series';
select from goals.record_sent('day 1', 2);
select sent from goals.message_stats where message = 'series';
select user_key, sent_at > now() - interval '1 hour' as entered_again from goals.outcome where message = 'series';
select count(*) from goals.verify();
