-- record_sent() and mirrored sends say that a message was sent. So they make nobody a member of the control group: where the
-- assignment says control, the receipt is one that was sent although held out, which counts as sent and is compared with nothing.
create table users (id bigint primary key, plan text, spent numeric default 0);
insert into users select n, 'free' from generate_series(1, 40) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.add_variant('m', 'a');
select from goals.add_variant('m', 'b');
select from goals.set_control_group('m', 0.5);
select from goals.set_goal('m', 'plan', 'is changed', time_limit => '1 day', value_from => 'spent');
create view assigned as select id, goals.assign('m', id) as variant from users;
select variant, count(*) from assigned where id <= 20 group by variant order by variant;

-- By array, one by one, and by the application's own table of sends: nobody is control, the others get what they are assigned.
create table mails (id bigserial primary key, message text, user_id bigint, sent timestamptz default clock_timestamp(), opened timestamptz);
select from goals.track_receipts('mails', 'message', 'user_id', 'sent', 'opened');
select goals.record_sent('m', array(select id::text from users where id <= 10));
select count(goals.record_sent('m', id)) from users where id between 11 and 15;
insert into mails (message, user_id) select 'm', id from users where id between 16 and 20;
select count(*) as receipts, count(*) filter (where r.variant is distinct from nullif(a.variant, 'control')) as wrong
from goals.outcome r join assigned a on a.id::text = r.user_key;
-- They count as sent, in a row of no variant; the control group has none.
select variant, sent, matched from goals.variant_stats order by variant;
select sent, matched from goals.message_stats;
select variant, users, assigned_users from goals_internal.compare_data('m', include_running => true);
-- health() says how many, and what to call instead.
select problem, object, detail, hint from goals.health();

-- Opens, clicks and matches are as on any receipt that was sent; explain() has a verdict, and no variant.
select min(id) as held, max(id) as held_by_mail from assigned where id <= 20 and variant = 'control' \gset
select goals.record_opened('m', :held::bigint) is null as opened;
update mails set opened = clock_timestamp() where user_id = :held_by_mail;
update users set plan = 'pro', spent = 7 where id in (:held, :held_by_mail);
select u, variant, opened_at is not null as opened, verdict from unnest(array[:held, :held_by_mail]) u, goals.explain('m', u::bigint) order by u;
select variant, opened, matched, worth from goals.variant_stats where variant is null;
select opened, matched, worth from goals.message_stats;
select variant, matched, worth from goals_internal.compare_data('m', include_running => true);
select is_control, variant, held_out from goals.outcome where user_key = :'held';

-- Where control has no receipt at all, the split is judged among the others, and nothing is compared with it.
select variant, users, split_p > 0.05 as sound, anytime_p, verdict from goals.compare('m', include_running => true);
select variant, anytime_p is not null as compared from goals.compare('m', baseline => 'b', include_running => true);

-- deliver() records those who are held back, and so does the variant by name. Then the split is that of all.
select send, count(*) from goals.deliver('m', array(select id::text from users where id > 20)) group by send;
select variant, sent from goals.variant_stats order by variant;
select variant, assigned_users from goals_internal.compare_data('m', include_running => true);
select bool_and(split_p = (select p from goals.split_test(array(select assigned_users from goals_internal.compare_data('m')), array[0.25, 0.25, 0.5]))) as of_all
from goals.compare('m');
-- A receipt that was sent although held out does not make a person one of two variants; two variants do.
select from goals.record_sent('m', :held::bigint, 'control');
select variant, assigned_users from goals_internal.compare_data('m', include_running => true) where variant = 'control';
select problem, object, detail from goals.health() order by problem;
select from goals.record_sent('m', :held::bigint, 'a');
select variant, assigned_users from goals_internal.compare_data('m', include_running => true) where variant in ('a', 'control');
select problem, object, detail from goals.health() order by problem;

-- Forgotten or purged, they stay in what was sent, and out of every comparison.
create view figures as select variant, sent, opened, matched, worth, users_matched from goals.stats('m');
create view compared as select variant, users, matched, converters_all, assigned_users, worth from goals_internal.compare_data('m');
select from goals.stop_goal('m');
select * from figures order by variant;
select * from compared order by variant;
select goals.forget_user(:held::bigint) > 0 as forgotten;
select * from figures order by variant;
select * from compared order by variant;
select goals.roll_up() > 0 as rolled_up;
select goals.purge('infinity');
select * from figures order by variant;
select * from compared order by variant;
select * from goals.verify();

-- A message without variants: what was sent although held out is in the row of those it was sent to, and not compared with them.
select from goals.create_message('plain');
select from goals.set_control_group('plain', 0.5);
select from goals.set_goal('plain', 'plan', 'is changed', time_limit => '1 day');
select goals.record_sent('plain', array(select id::text from users));
select count(*) as held from users where goals.assign('plain', id) = 'control' \gset
select sent from goals.message_stats where message = 'plain';
select variant, sent from goals.variant_stats where message = 'plain' order by variant;
select variant, assigned_users + case when variant is null then :held else 0 end as all_users from goals_internal.compare_data('plain');
select variant, split_p, verdict from goals.compare('plain', include_running => true);
select goals.report_data('plain') -> 'totals' as totals;
select sum((p ->> 'eligible')::int) filter (where (p ->> 'day')::int = 1) + :held as in_the_curve from jsonb_array_elements(goals.report_data('plain') -> 'curve') p;
-- Half of each kind match. What is compared stays the same to the last digit when they leave, one by one and together.
select from goals.deliver('plain', array(select id::text from users where id > 30));
update users set plan = 'team', spent = 3 where id % 2 = 0;
select from goals.stop_goal('plain');
create view plain_figures as select variant, sent, matched, users_matched from goals.stats('plain');
create view plain_compared as select variant, users, matched, converters_all, assigned_users from goals_internal.compare_data('plain');
select * from plain_figures order by variant;
create table before as select * from plain_compared;
select * from before order by variant;
select count(goals.forget_user(id)) from users where id % 3 = 0;
select * from plain_figures order by variant;
(table before except table plain_compared) union all (table plain_compared except table before);
select goals.purge('infinity');
select * from plain_figures order by variant;
(table before except table plain_compared) union all (table plain_compared except table before);
select * from goals.verify();
-- Without a control group there is nobody to be held out.
select from goals.create_message('free');
select from goals.add_variant('free', 'a');
select goals.record_sent('free', array(select id::text from users));
select variant, sent from goals.variant_stats where message = 'free';

-- Only the last seven days are shown.
select from goals.create_message('old');
select from goals.set_control_group('old', 0.9);
select goals.record_sent('old', array['1', '2', '3'], sent_at => now() - interval '8 days');
select * from goals.health();
