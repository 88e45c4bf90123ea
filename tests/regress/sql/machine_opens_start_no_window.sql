-- Opens and clicks of machines are kept apart: those that the caller says are, and those sooner than engagement_after after the
-- sending. They start no window, by call, by row and in sets, and whatever is recorded besides.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 30) n;
create table sends (id bigint primary key, message text, user_id bigint, sent_at timestamptz, opened_at timestamptz,
    clicked_at timestamptz);
create table keyless (message text, user_id bigint, opened_at timestamptz);
select from goals.track_users('users');
select from goals.track_receipts('sends', 'message', 'user_id', 'sent_at', 'opened_at', 'clicked_at');
select from goals.track_receipts('keyless', 'message', 'user_id', opened_at => 'opened_at');
select from goals.create_message('any');
select from goals.create_message('late', engagement_after => '10 seconds');
select goals.set_goal(message, 'plan', 'is', 'pro', '3 days', goal => goal, after => goal)
from (values ('any'), ('late')) m (message), (values ('opened'), ('clicked')) g (goal);
select date_trunc('second', clock_timestamp()) - interval '1 day' as day \gset
create view recorded as select m.name, r.user_key::int, e.kind, e.machine, e.at - r.sent_at as later
    from goals.engagement e join goals.receipt r using (receipt_id) join goals.revision v using (revision_id)
    join goals.message m on m.message_id = v.message_id;
create view matched as select m.name, r.user_key::int, g.name as goal
    from goals.match_log h join goals.goal g using (goal_id) join goals.receipt r using (receipt_id)
    join goals.message m on m.message_id = g.message_id;

-- By call: 1 a machine, 2 a person, 3 a machine and then a person, 4 a machine's click, 5 a machine's click and a person's open.
select goals.record_sent('any', array[1, 2, 3, 4, 5]::bigint[], sent_at => :'day');
select from goals.record_opened('any', 1::bigint, :'day'::timestamptz + interval '1 minute', true);
select from goals.record_opened('any', 2::bigint, :'day'::timestamptz + interval '1 minute', false);
select from goals.record_opened('any', 3::bigint, :'day'::timestamptz + interval '1 minute', machine => true);
select from goals.record_opened('any', 3::bigint, :'day'::timestamptz + interval '2 minutes');
select from goals.record_clicked('any', 4::bigint, :'day'::timestamptz + interval '1 minute', true);
select from goals.record_clicked('any', 5::bigint, :'day'::timestamptz + interval '1 minute', true);
select from goals.record_opened('any', 5::bigint, :'day'::timestamptz + interval '2 minutes', null);
-- Too soon: 11 is, 12 is not, by a microsecond; 13 says so; 14 was delivered in time, which is no open.
select goals.record_sent('late', array[11, 12, 13, 14]::bigint[], sent_at => :'day');
select from goals.record_opened('late', 11::bigint, :'day'::timestamptz + interval '9.999999 seconds');
select from goals.record_opened('late', 12::bigint, :'day'::timestamptz + interval '10 seconds');
select from goals.record_opened('late', 13::bigint, :'day'::timestamptz + interval '1 hour', true);
select from goals.record_delivered('late', 14::bigint, :'day'::timestamptz + interval '1 second');
-- In sets: 15 too soon, 16 says so, 17 in time.
select goals.record_sent('late', array[15, 16, 17]::bigint[], sent_at => :'day');
select * from goals.record_engagements(jsonb_build_array(
    jsonb_build_object('message', 'late', 'user', 15, 'kind', 'clicked', 'at', :'day'::timestamptz + interval '3 seconds'),
    jsonb_build_object('message', 'late', 'user', 16, 'kind', 'opened', 'at', :'day'::timestamptz + interval '1 hour', 'machine', true),
    jsonb_build_object('message', 'late', 'user', 17, 'kind', 'clicked', 'at', :'day'::timestamptz + interval '1 hour', 'machine', false)));
-- By row: 21 too soon, at once; 22 too soon, later; 23 in time; 24 too soon, and then the newest open is written over it.
insert into sends values (21, 'late', 21, :'day', :'day'::timestamptz + interval '1 second', null), (22, 'late', 22, :'day', null, null),
    (23, 'late', 23, :'day', null, null), (24, 'late', 24, :'day', null, null);
update sends set opened_at = sent_at + interval '2 seconds', clicked_at = sent_at + interval '3 seconds' where id = 22;
update sends set opened_at = sent_at + interval '2 minutes' where id = 23;
update sends set opened_at = sent_at + interval '2 seconds' where id = 24;
update sends set opened_at = sent_at + interval '3 seconds' where id = 24;
update sends set opened_at = sent_at + interval '3 minutes' where id = 24;
update sends set opened_at = sent_at + interval '4 minutes' where id = 24;
-- A row inserted again records nothing twice.
begin;
delete from sends where id = 21;
insert into sends values (21, 'late', 21, :'day', :'day'::timestamptz + interval '1 second', null);
commit;
delete from sends where id = 22;
insert into sends values (22, 'late', 22, :'day', :'day'::timestamptz + interval '2 seconds', :'day'::timestamptz + interval '3 seconds');
-- A row without a key: the receipt is found by the user.
insert into keyless values ('late', 25, null);
update keyless set opened_at = clock_timestamp() where user_id = 25;
select name, user_key, kind, machine, case when user_key < 25 then later end as later from recorded order by user_key, later, kind::text;

-- Who opened, or clicked, matches; a machine does not.
update users set plan = 'pro';
select * from matched order by user_key, goal collate "C";

-- A report of the same statement is before the change only if a person made it.
update users set plan = 'free' where id = 30;
select from goals.record_sent('any', 30::bigint);
with opened as materialized (select goals.record_opened('any', 30::bigint, machine => true) from generate_series(1, 1))
update users set plan = 'pro' where id = 30 and (select count(*) from opened) = 1;
select count(*) from matched where user_key = 30;
select from goals.record_opened('any', 30::bigint);
update users set plan = 'free' where id = 30;
update users set plan = 'pro' where id = 30;
select goal from matched where user_key = 30;
