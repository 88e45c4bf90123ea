-- A user enters a programme with the first message of it, once: the entry is a receipt of the programme, with the time
-- of that message, its own arm and its own goals.
create table users (id bigint primary key, plan text not null, seats int not null default 1);
insert into users select n, case when n = 5 then 'pro' else 'free' end, n from generate_series(1, 2000) n;
select from goals.track_users('users');
select from goals.create_message('onboarding', kind => 'programme');
select from goals.add_variant('onboarding', 'short');
select from goals.add_variant('onboarding', 'long', 3);
select from goals.set_goal('onboarding', 'plan', 'is', 'pro', '30 days');
select from goals.set_goal('onboarding', 'seats', 'is increased by', '3', '30 days', goal => 'grows');
select from goals.create_message('day 1', part_of => 'onboarding');
select from goals.add_variant('day 1', 'a');
select from goals.add_variant('day 1', 'b');
select from goals.set_goal('day 1', 'plan', 'is', 'pro', '3 days');
select from goals.create_message('day 3', part_of => 'onboarding', kind => 'one_off');
select from goals.create_message('alone');
create view receipts as
select r.receipt_id, m.name as message, v.name as variant, r.user_key, r.sent_at, r.flags, r.already, r.baseline
from goals.receipt r
join goals.revision n on n.revision_id = r.revision_id
join goals.message m on m.message_id = coalesce(r.message_id, n.message_id)
left join goals.variant v on v.variant_id = r.variant_id;
-- Before the first entry.
create table assigned as select id::text as user_key, m as message, goals.assign(m, id) as variant
from users, unnest(array['onboarding', 'day 1', 'day 3']) m;

-- The first message of it enters it, with its time; the second does not. The arm is the one that the programme's own
-- name assigns.
select send, repeated from goals.deliver('day 1', 1::bigint, sent_at => '2025-05-01 10:00+00');
select send, repeated from goals.deliver('day 3', 1::bigint, sent_at => '2025-05-03 10:00+00');
select message, r.variant is not distinct from a.variant as assigned, sent_at at time zone 'UTC' as sent_at, flags
from receipts r join assigned a using (message, user_key) where user_key = '1' order by receipt_id;
select message, goal, sent from goals.message_stats where message <> 'alone' order by message, goal;
-- A message that is part of nothing enters nothing.
select count(goals.record_sent('alone', 1::bigint));
select count(*) from receipts where message = 'onboarding';

-- Every way to report it does so: record_sent, one user and several, deliver for several, the programme itself.
select count(goals.record_sent('day 1', 2::bigint, sent_at => '2025-05-01 10:00+00'));
select goals.record_sent('day 1', array['2', '3', '4', '3', '99999']);
select user_key, send, repeated from goals.deliver('day 1', array['4', '5', '6']);
select d.variant = a.variant as assigned, send, repeated
from goals.deliver('onboarding', 7::bigint) d, assigned a where (message, user_key) = ('onboarding', '7');
select count(goals.record_sent('onboarding', 8::bigint));
select user_key, count(*) filter (where message = 'onboarding') as entries,
       count(*) filter (where message = 'day 1') as messages
from receipts where user_key::int between 2 and 8 group by user_key order by user_key;
-- The programme itself, for a user who is in it: the entry is returned.
select d.receipt_id = r.receipt_id as the_same, d.variant = r.variant as its_variant, send, repeated
from goals.deliver('onboarding', 1::bigint) d, receipts r where r.message = 'onboarding' and r.user_key = '1';
select goals.record_sent('onboarding', 1::bigint, variant => 'short') = receipt_id as the_same
from receipts where message = 'onboarding' and user_key = '1';
select goals.record_sent('onboarding', array['1', '7', '9']);
select user_key, repeated from goals.deliver('onboarding', array['1', '9', '10']) order by user_key::int;
select count(*), count(distinct user_key) from receipts where message = 'onboarding';

-- A retry enters nothing: by its ref, by a one_off message.
select repeated from goals.deliver('day 1', 11::bigint, ref => 'job 1');
select repeated from goals.deliver('day 1', 11::bigint, ref => 'job 1');
select goals.record_sent('day 1', 11::bigint, ref => 'job 1') > 0 as recorded;
select repeated from goals.deliver('day 3', 11::bigint);
select repeated from goals.deliver('day 3', 11::bigint);
select message, count(*) from receipts where user_key = '11' group by message order by message;
-- Also where the entry is not there any more: entered on the day of a first message, purged with that.
select count(goals.record_sent('day 1', id, sent_at => '2025-05-01 10:00+00')),
       count(goals.record_sent('day 3', id)), count(goals.record_sent('day 1', id, ref => 'job 2'))
from users where id = 12;
select goals.purge('2025-05-02') > 0 as purged;
select repeated from goals.deliver('day 3', 12::bigint);
select repeated from goals.deliver('day 1', 12::bigint, ref => 'job 2');
select message, count(*) from receipts where user_key = '12' group by message order by message;
-- Who gets another one then enters it again.
select repeated from goals.deliver('day 1', 12::bigint);
select message, count(*) from receipts where user_key = '12' group by message order by message;
-- In one statement, one transaction and a savepoint. What is rolled back has entered nothing.
select count(goals.record_sent(m, 14::bigint)) from unnest(array['day 1', 'day 3', 'day 1']) m;
begin;
select count(goals.record_sent('day 1', 15::bigint));
savepoint s;
select count(goals.record_sent('day 1', 15::bigint)), count(goals.record_sent('day 1', 16::bigint));
rollback to s;
select count(goals.record_sent('day 3', 16::bigint));
commit;
do $$
declare recorded bigint;
begin
    perform goals.record_sent('day 1', 17::bigint);
    perform goals.deliver('day 3', 17::bigint);
    recorded := goals.record_sent('day 1', array['17', '18', '19']);
    recorded := recorded + goals.record_sent('day 3', array['17', '18', '19']);
    raise notice '% recorded', recorded;
end $$;
select user_key, count(*) filter (where message = 'onboarding') as entries,
       count(*) filter (where message <> 'onboarding') as messages
from receipts where user_key::int between 14 and 19 group by user_key order by user_key;

-- Rows of the application's table of sends, several of one user in one statement, and rows that name the programme.
create table mails (id bigserial primary key, template text, user_id bigint, sent timestamptz default clock_timestamp(), opened timestamptz);
select from goals.track_receipts('mails', 'template', 'user_id', 'sent', 'opened');
insert into mails (template, user_id, sent, opened) values
    ('day 1', 20, '2025-05-01 10:00+00', '2025-05-01 11:00+00'), ('day 3', 20, '2025-05-03 10:00+00', null),
    ('onboarding', 21, '2025-05-01 10:00+00', null), ('onboarding', 21, '2025-05-02 10:00+00', null),
    ('day 1', 21, '2025-05-02 10:00+00', null), ('day 1', 22, default, null);
update mails set opened = '2025-05-02 11:00+00' where user_id = 20 and template = 'day 3';
select message, user_key, case when user_key <> '22' then sent_at at time zone 'UTC' end as sent_at, flags
from receipts where user_key in ('20', '21', '22') order by user_key, receipt_id;
select message, opened from goals.message_stats where message like 'day%' order by message;
select * from goals.health();

-- Judged with the user's state at the entry, by the goals that the programme has then.
select user_key, array(select g.name from goals.goal g where g.goal_id = any (already)) as already_matched, baseline
from receipts where message = 'onboarding' and user_key in ('4', '5') order by user_key;
-- Its goals match by changes after the entry, once each, whatever is sent later.
update users set plan = 'pro' where id in (4, 5, 6, 1500);
update users set seats = seats + 2 where id in (4, 5, 6, 1500);
select count(goals.record_sent('day 1', 4::bigint));
update users set seats = seats + 2 where id in (4, 5, 6, 1500);
select user_key, goal, old_value, new_value from goals.matches('onboarding') order by goal, user_key;
select verdict from goals.explain('onboarding', 5::bigint) where goal = 'primary';
select goal, sent - already_matched as could, matched
from goals.message_stats where message = 'onboarding' order by goal;
-- A goal set later judges those who enter from then on.
select from goals.set_goal('onboarding', 'seats', 'greater than', '100', '30 days', goal => 'many seats');
select count(goals.record_sent('day 1', 4::bigint)), count(goals.record_sent('day 1', 30::bigint));
update users set seats = 200 where id in (4, 30);
select user_key from goals.matches('onboarding', 'many seats');

-- An arm once recorded stays, also where the assignment says another.
select case variant when 'long' then 'short' else 'long' end as other
from assigned where (message, user_key) = ('onboarding', '40') \gset
select count(goals.record_sent('onboarding', 40::bigint, :'other'));
select count(goals.record_sent('day 1', 40::bigint));
select variant = :'other' as recorded, repeated from goals.deliver('onboarding', 40::bigint);
select goals.assign('onboarding', 40::bigint) = :'other' as recorded;

-- The split is as its weights, and that of its messages is independent of it. The keys are fixed, so these are always
-- the same.
select count(*) from goals.deliver('day 1', array(select id::text from users where id > 40));
create table entered as select r.variant, r.user_key, m.variant as of_message
from receipts r join receipts m on m.user_key = r.user_key and m.message = 'day 1'
where r.message = 'onboarding' and r.user_key::int > 40;
select variant, count(*) from entered group by variant order by variant;
select p > 0.01 as as_weighted
from goals.split_test(array(select count(*) from entered group by variant order by variant), array[3.0, 1.0]);
select variant, of_message, count(*) from entered group by variant, of_message order by variant, of_message;
select (goals.proportions_test(array_agg(x order by variant), array_agg(n order by variant))).p > 0.01 as independent
from (select variant, count(*) filter (where of_message = 'a') as x, count(*) as n from entered group by variant) s;
-- Both as they were assigned before the first entry; the message as if it stood alone.
select message, count(*) from receipts r join assigned a using (message, user_key)
where r.variant is distinct from a.variant group by message;
select * from goals.verify();

-- Where users are in partitions, for several and for rows.
create table devices (id bigint, seen int default 0, primary key (id)) partition by hash (id);
create table devices_0 partition of devices for values with (modulus 2, remainder 0);
create table devices_1 partition of devices for values with (modulus 2, remainder 1);
insert into devices select generate_series(1, 100);
select from goals.track_users('devices');
select from goals.create_message('tour', kind => 'programme', users => 'devices');
select from goals.set_goal('tour', 'seen', 'greater than', '5', '30 days');
select from goals.create_message('step 1', part_of => 'tour', users => 'devices');
update devices set seen = 9 where id % 10 = 0;
select count(*) from goals.deliver('step 1', array(select id from devices where id <= 50));
insert into mails (template, user_id) select 'step 1', id from devices;
update devices set seen = 10 where id % 5 = 0;
select sent, already_matched, matched from goals.message_stats where message = 'tour';
-- Asking writes nothing, and needs no right to write.
begin read only;
select goals.assign('step 1', 1::bigint), goals.assign('tour', 1::bigint),
       goals.assign('day 1', 2000::bigint) is not null as assigned;
select goals.deliver('step 1', 1::bigint);
rollback;

-- Another name changes nothing: who is in it is in it.
select from goals.rename_message('onboarding', 'first weeks');
select repeated from goals.deliver('first weeks', 1::bigint);
select count(goals.record_sent('day 1', 1::bigint));
select count(*) from receipts where message = 'first weeks' and user_key = '1';
-- The successor of the users table has the programme and its messages.
create table people (like users including all);
insert into people select * from users;
insert into people values (3000, 'free', 1);
select from goals.move_users('users', 'people');
select count(goals.record_sent('day 1', id)) from people where id in (1, 3000);
select user_key, count(*) as entries from receipts
where message = 'first weeks' and user_key in ('1', '3000') group by user_key order by user_key;
-- Its messages outlive it. A programme of the same name is another one.
select from goals.drop_message('first weeks');
select send from goals.deliver('day 1', 3000::bigint);
insert into people values (3001, 'free', 1);
select from goals.create_message('first weeks', kind => 'programme', users => 'people');
select count(goals.record_sent('day 1', 3001::bigint));
select message, flags from receipts where user_key = '3001';

-- Of two accounts that are one person the earlier entry counts, and assign() says its variant, also where that is none.
select from goals.create_message('holdout', kind => 'programme', users => 'people');
select from goals.set_control_group('holdout', 0.5);
select from goals.set_goal('holdout', 'plan', 'is', 'pro', '3 days');
select from goals.create_message('part', part_of => 'holdout', users => 'people');
insert into people select n, 'free', 1 from generate_series(4001, 4020) n;
select min(id) filter (where goals.assign('holdout', id) = 'control') as held,
       min(id) filter (where goals.assign('holdout', id) is null) as spared from people where id > 4000 \gset
select variant, send from goals.deliver('part', :held::bigint);
select variant, send from goals.deliver('part', :spared::bigint, sent_at => now() - interval '1 hour');
select goals.merge_users(:spared::bigint, :held::bigint, users => 'people');
select goals.assign('holdout', :held::bigint) is null as spared, goals.assign('part', :held::bigint) is null as gets_part;
select variant, users from goals.compare('holdout', include_running => true);
