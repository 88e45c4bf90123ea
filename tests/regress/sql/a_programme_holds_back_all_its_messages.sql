-- Who is in the control group of a programme gets none of its messages, nor of the programmes in it. What was sent in
-- spite of that is kept as sent although held out.
create table users (id bigint primary key, plan text not null default 'free');
insert into users select n from generate_series(1, 2000) n;
select from goals.track_users('users');
select from goals.create_message('everything', kind => 'programme');
select from goals.set_control_group('everything', 0.05);
select from goals.set_goal('everything', 'plan', 'is', 'pro', '90 days');
select from goals.create_message('onboarding', kind => 'programme', part_of => 'everything');
select from goals.set_control_group('onboarding', 0.2);
select from goals.set_goal('onboarding', 'plan', 'is', 'pro', '30 days');
select from goals.create_message('day 1', part_of => 'onboarding');
select from goals.add_variant('day 1', 'a');
select from goals.add_variant('day 1', 'b');
select from goals.set_control_group('day 1', 0.1);
select from goals.set_goal('day 1', 'plan', 'is', 'pro', '3 days');
select from goals.create_message('day 3', part_of => 'onboarding');
select from goals.create_message('news', part_of => 'everything', kind => 'one_off');
create view receipts as
select r.receipt_id, m.name as message, coalesce(v.name, '-') as variant, r.user_key, coalesce(r.flags, 0) as flags
from goals.receipt r
join goals.revision n on n.revision_id = r.revision_id
join goals.message m on m.message_id = coalesce(r.message_id, n.message_id)
left join goals.variant v on v.variant_id = r.variant_id;

-- assign() says so, and writes nothing. "held out": by a programme above. The shares are of those who are not.
create table assigned as
select id, goals.assign('everything', id) as everything, goals.assign('onboarding', id) as onboarding,
       goals.assign('day 1', id) as day_1, goals.assign('day 3', id) as day_3, goals.assign('news', id) as news
from users;
select everything, onboarding, day_3, news, count(*) from assigned group by 1, 2, 3, 4 order by 1, 2, 3, 4;
select day_1, count(*) from assigned group by 1 order by 1;
select count(*) from assigned where (day_1 = 'held out') <> (everything is not null or onboarding is not null);
select count(*) from receipts;
select min(id) filter (where everything = 'control') as of_all,
       min(id) filter (where onboarding = 'control') as of_onboarding,
       min(id) filter (where day_1 = 'control') as of_day_1,
       min(id) filter (where day_1 = 'a') as sent
from assigned where id > 200 \gset

-- deliver(): of one held out of everything, the entry there and nothing else; of one held out of the programme, both
-- entries; the message's own control group does not keep out of the programme.
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('day 1', :of_all::bigint);
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('day 3', :of_all::bigint);
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('onboarding', :of_all::bigint);
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('news', :of_all::bigint, ref => 'job');
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('everything', :of_all::bigint);
select message, variant, flags from receipts where user_key = :'of_all';
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('day 1', :of_onboarding::bigint);
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('news', :of_onboarding::bigint);
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('onboarding', :of_onboarding::bigint);
select message, variant, flags from receipts where user_key = :'of_onboarding' order by receipt_id;
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('day 1', :of_day_1::bigint);
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('day 3', :of_day_1::bigint);
select message, variant, flags from receipts where user_key = :'of_day_1' order by receipt_id;
select receipt_id is null as nothing, variant, send, repeated from goals.deliver('day 1', :sent::bigint);
select message, variant, flags from receipts where user_key = :'sent' order by receipt_id;
-- Held back by name: as by deliver().
select goals.record_sent('day 1', id, variant => 'control') is null as nothing
from users where id in (:of_all, :of_onboarding);
select goals.record_sent('day 1', :sent::bigint, variant => 'control') is null as nothing;
select user_key, message, variant from receipts where message = 'day 1' order by receipt_id;

-- For several: a row each. What record_sent() counts are receipts of the message.
select variant, send, receipt_id is null as nothing, repeated, count(*), count(distinct user_key)
from goals.deliver('day 1', array(select id from users where id <= 200)) group by 1, 2, 3, 4 order by 1;
select count(*) from goals.deliver('day 1', array(select id from users where id <= 200)) d
join assigned a on a.id::text = d.user_key where d.variant is distinct from a.day_1;
select goals.record_sent('day 1', array(select id from users where id between 501 and 520), 'control') as recorded,
       (select count(*) from assigned where id between 501 and 520 and day_1 <> 'held out') as not_held_out;
-- Entered once each, those whom everything holds out in no other.
select message, variant, flags, count(*), count(distinct user_key)
from receipts where user_key::int <= 200 group by 1, 2, 3 order by 1, 2;
select count(*) from receipts r join assigned a on a.id::text = r.user_key
where message <> 'everything' and everything = 'control' or message like 'day%' and onboarding = 'control';

-- Sent in spite of it, by call and by row: everywhere sent although held out, without a variant, in no comparison.
create table mails (id bigserial primary key, template text, variant text, user_id bigint);
select from goals.track_receipts('mails', 'template', 'user_id', variant => 'variant');
create table untold (id bigserial primary key, template text, user_id bigint);
select from goals.track_receipts('untold', 'template', 'user_id');
create table spared as select id, everything, row_number() over (partition by everything order by id) as n
from assigned where id > 1000 and (everything is not null or onboarding = 'control');
select goals.record_sent('day 1', array(select id from spared where n = 1));
select count(goals.record_sent('day 1', id, variant => 'b')) from spared where n = 2;
insert into untold (template, user_id) select 'day 1', id from spared where n = 3;
insert into mails (template, variant, user_id) select 'day 1', 'a', id from spared where n = 4;
insert into mails (template, variant, user_id) select 'day 1', 'control', id from spared where n = 5;
select n, everything, message, r.variant, flags
from spared s join receipts r on r.user_key = s.id::text order by n, everything, receipt_id;
select variant, sent from goals.variant_stats where message = 'day 1' order by variant;
select sum(assigned_users) as compared,
       (select count(*) from (select user_key from receipts where message = 'day 1' and flags = 0
                              group by user_key having count(distinct variant) = 1) s) as not_held_out
from goals_internal.compare_data('day 1', include_running => true);
-- What assign() says may be reported as it is, as that of a row or a call: it enters, and is no receipt of the message.
insert into mails (template, variant, user_id) select 'day 1', goals.assign('day 1', id), id from spared where n in (6, 7);
select count(goals.record_sent('day 1', id, variant => goals.assign('day 1', id))) from spared where n = 8;
select n, everything, message, r.variant, flags
from spared s join receipts r on r.user_key = s.id::text where n between 6 and 8 order by n, everything, receipt_id;
select count(*) from goals.ignored;
-- Who was sent something once is held out still.
select goals.assign('day 3', id), d.*
from spared, goals.deliver('day 3', id) d where n in (1, 3) order by n, everything;
select goals.assign('onboarding', id), variant, send, repeated
from spared, goals.deliver('onboarding', id) where n = 1 order by everything;
select count(goals.record_sent('day 3', id)) from spared where n = 1;
select everything, message, r.variant, flags
from spared s join receipts r on r.user_key = s.id::text where n = 1 and message = 'day 3' order by everything;
-- A one_off message that was sent is what it was: the receipt is returned.
select count(goals.record_sent('news', id)) from spared where n = 9 and everything is not null;
select receipt_id is null as nothing, variant, send, repeated
from spared, goals.deliver('news', id) where n = 9 and everything is not null;

-- health() shows them, and by which programmes they are held out.
select problem, object, substring(detail from '^.*;') as detail from goals.health() order by 1, 2;

-- The arm that was recorded first is the one that is asked for, whatever the assignment says.
select from goals.create_message('reminders', kind => 'programme');
select from goals.add_variant('reminders', 'mail');
select from goals.set_control_group('reminders', 0.5);
select from goals.create_message('reminder', part_of => 'reminders');
select min(id) filter (where goals.assign('reminders', id) = 'control') as let_in,
       min(id) filter (where goals.assign('reminders', id) = 'mail') as kept_out from users \gset
select count(goals.record_sent('reminders', :let_in::bigint, variant => 'mail')),
       count(goals.record_sent('reminders', :kept_out::bigint, variant => 'control'));
select goals.assign('reminders', id), goals.assign('reminder', id), d.receipt_id is null as nothing, d.variant, d.send
from users, goals.deliver('reminder', id) d where id in (:let_in, :kept_out) order by send;
select count(goals.record_sent('reminder', :kept_out::bigint));
select user_key = :'let_in' as let_in, message, variant, flags
from receipts where message like 'reminder%' order by user_key = :'let_in', receipt_id;

-- The control group's receipts are judged by the programme's goals: the programme is compared as a message is.
select count(*) from goals.deliver('news', array(select id from users)) where send;
update users set plan = 'pro' where id % 3 = 0;
select variant, users, matched, split_p > 0.01 as sound from goals.compare('everything', include_running => true);
select * from goals.verify();

-- A programme that is dropped takes its control group with it; the one above it stays.
select from goals.drop_message('onboarding');
select variant, send from goals.deliver('day 3', :of_onboarding::bigint);
select variant, send from goals.deliver('day 3', :of_all::bigint);
select from goals.drop_message('everything');
select variant, send from goals.deliver('day 3', :of_all::bigint);
