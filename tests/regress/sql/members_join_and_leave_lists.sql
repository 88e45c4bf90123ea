-- A table of memberships: a row that becomes one is the event "joined <list>", one that ceases to be one "left <list>",
-- whatever the form of the change. For each user joins minus leaves is what the application's own table says.
create table users (id bigint primary key, email text);
insert into users select generate_series(1, 99);
select from goals.track_users('users');
create type membership as enum ('unconfirmed', 'confirmed', 'unsubscribed');
create table subscriber_lists (gone int, subscriber_id int, list_id int, status membership not null default 'unconfirmed', note text,
    amount numeric, primary key (subscriber_id, list_id));
alter table subscriber_lists drop column gone;
select from goals.track_membership('subscriber_lists', user_key => 'subscriber_id', list => 'list_id', status => 'status', member => '{"status": "confirmed"}');
-- Idempotent
select from goals.track_membership('subscriber_lists', user_key => 'subscriber_id', list => 'list_id', status => 'status', member => '{"status": "confirmed"}');
select kind, key_column, options from goals.source where relation = 'subscriber_lists'::regclass;
select tgtype & 28 as events, count(*) from pg_trigger where tgrelid = 'subscriber_lists'::regclass group by 1;
select from goals.create_message('m');
create function ask(list text, message text default 'm') returns void language sql as $$
select goals.set_goal(message, event => what || list, times => n, time_limit => '1 day', goal => what || list || ' ' || n, value_from => 'amount')
from unnest(array['joined ', 'left ']) what, generate_series(1, 4) n $$;
select from ask('7');
select from ask('8');
select goals.record_sent('m', array(select id::text from users));

-- How often each user has joined and left each list
create view steps as
select user_key::int as user_id, (regexp_match(goal, '^\w+ (.+) \d$'))[1] as list,
       count(*) filter (where goal like 'joined%') as joins, count(*) filter (where goal like 'left%') as leaves
from goals.matches('m') group by 1, 2;
create view wrong as
select user_id, list, joins, leaves, is_member
from steps full join (select subscriber_id as user_id, list_id::text as list, true as is_member from subscriber_lists
                      where status = 'confirmed' and list_id in (7, 8)) m using (user_id, list)
where coalesce(joins, 0) - coalesce(leaves, 0) <> coalesce(is_member, false)::int;

-- Double opt-in, rows inserted as confirmed, another list, a status that stays, other columns, an unknown user, no user
insert into subscriber_lists (subscriber_id, list_id) values (1, 7), (2, 7), (3, 7), (3, 8), (3, 9);
update subscriber_lists set status = 'confirmed' where subscriber_id in (1, 3);
insert into subscriber_lists (subscriber_id, list_id, status) values (4, 7, 'confirmed'), (4, 8, 'confirmed'), (5, 7, 'unsubscribed'), (1000, 7, 'confirmed');
update subscriber_lists set note = 'x', status = status;
update subscriber_lists set status = 'unsubscribed' where subscriber_id in (1, 4) and list_id = 7;
update subscriber_lists set status = 'unconfirmed' where subscriber_id in (1, 4) and list_id = 7;
update subscriber_lists set status = 'confirmed' where subscriber_id = 1;
delete from subscriber_lists where subscriber_id in (2, 3) and list_id <> 8;
delete from subscriber_lists where subscriber_id = 1000;
table steps order by 1, 2;
table wrong;

-- COPY, ON CONFLICT, MERGE, a cursor, a writable CTE
copy subscriber_lists (subscriber_id, list_id, status) from stdin;
11	7	confirmed
12	7	unconfirmed
13	7	unconfirmed
14	7	confirmed
15	7	unconfirmed
16	7	confirmed
\.
insert into subscriber_lists (subscriber_id, list_id, status) values (11, 7, 'unsubscribed'), (12, 7, 'confirmed'), (17, 7, 'confirmed')
    on conflict (subscriber_id, list_id) do update set status = excluded.status;
insert into subscriber_lists (subscriber_id, list_id, status) values (13, 7, 'confirmed') on conflict do nothing;
select current_setting('server_version_num')::int >= 150000 as has_merge \gset
\if :has_merge
merge into subscriber_lists l using (values (13, 7), (14, 7), (18, 7)) x (s, l) on subscriber_id = s and list_id = x.l
    when matched and status = 'unconfirmed' then update set status = 'confirmed'
    when matched then delete
    when not matched then insert (subscriber_id, list_id, status) values (s, x.l, 'confirmed');
\else
update subscriber_lists set status = 'confirmed' where subscriber_id = 13;
delete from subscriber_lists where subscriber_id = 14;
insert into subscriber_lists (subscriber_id, list_id, status) values (18, 7, 'confirmed');
\endif
begin;
declare c cursor for select * from subscriber_lists where subscriber_id = 15 for update;
fetch c \g /dev/null
update subscriber_lists set status = 'confirmed' where current of c;
commit;
with o as (delete from subscriber_lists where subscriber_id = 16 returning subscriber_id) select * from o;
select * from steps where user_id > 10 order by 1, 2;
table wrong;

-- Another user or another list is a leave and a join; two that change places, each of their own.
insert into subscriber_lists (subscriber_id, list_id, status) values (21, 7, 'confirmed'), (23, 7, 'confirmed'), (24, 7, 'unconfirmed'), (25, 7, 'confirmed');
update subscriber_lists set subscriber_id = 22 where subscriber_id = 21;
update subscriber_lists set list_id = 8 where subscriber_id = 23;
update subscriber_lists set list_id = 8, status = 'confirmed' where subscriber_id = 24;
update subscriber_lists set subscriber_id = 26, status = 'unsubscribed' where subscriber_id = 25;
select * from steps where user_id > 20 order by 1, 2;
table wrong;

-- Join, leave, join: each step counts, in one transaction too.
insert into subscriber_lists (subscriber_id, list_id, status) values (31, 7, 'confirmed'), (32, 7, 'confirmed');
delete from subscriber_lists where subscriber_id = 31;
insert into subscriber_lists (subscriber_id, list_id, status) values (31, 7, 'confirmed');
begin;
update subscriber_lists set status = 'unsubscribed' where subscriber_id = 32;
update subscriber_lists set status = 'confirmed' where subscriber_id = 32;
update subscriber_lists set status = 'unsubscribed' where subscriber_id = 32;
commit;
-- What was inserted and is deleted by the same transaction
begin;
insert into subscriber_lists (subscriber_id, list_id, status) values (33, 7, 'confirmed');
delete from subscriber_lists where subscriber_id = 33;
commit;
select * from steps where user_id > 30 order by 1, 2;
table wrong;

-- Deleted and inserted again by one command or one transaction: no step, unless the status is another one.
insert into subscriber_lists (subscriber_id, list_id, status) select n, 7, 'confirmed' from generate_series(41, 52) n;
with gone as (delete from subscriber_lists where subscriber_id = 41 returning *) insert into subscriber_lists select 1041, list_id, status, note, amount from gone;
update subscriber_lists set subscriber_id = 41 where subscriber_id = 1041;
begin;
create table taken as select * from subscriber_lists where subscriber_id between 42 and 48;
delete from subscriber_lists where subscriber_id between 42 and 48;
insert into subscriber_lists select * from taken where subscriber_id = 42;
insert into subscriber_lists select subscriber_id, list_id, 'unsubscribed' from taken where subscriber_id = 43;
insert into subscriber_lists select subscriber_id, list_id, 'unconfirmed' from taken where subscriber_id = 44;
update subscriber_lists set status = 'confirmed' where subscriber_id = 44;
insert into subscriber_lists select subscriber_id, 8, status from taken where subscriber_id = 45;
savepoint s;
insert into subscriber_lists select * from taken where subscriber_id in (46, 47);
rollback to s;
insert into subscriber_lists select * from taken where subscriber_id = 47;
-- Twice
delete from subscriber_lists where subscriber_id = 42;
insert into subscriber_lists select * from taken where subscriber_id = 42;
savepoint s;
delete from subscriber_lists where subscriber_id in (49, 50);
rollback to s;
savepoint s;
delete from subscriber_lists where subscriber_id = 51;
release s;
select * from steps where user_id between 41 and 52 and leaves > 0 order by 1, 2;
commit;
begin;
delete from subscriber_lists where subscriber_id = 52;
rollback;
select * from steps where user_id between 41 and 52 order by 1, 2;
table wrong;
-- In one command, by a function that replaces all of a user's rows
create function replace_all(who int, lists int[]) returns void language sql as $$
    delete from subscriber_lists where subscriber_id = who;
    insert into subscriber_lists (subscriber_id, list_id, status) select who, l, 'confirmed' from unnest(lists) l $$;
select from replace_all(53, '{7}');
select from replace_all(53, '{7, 8}');
select from replace_all(53, '{8}');
select from replace_all(53, '{8, 7}');
select * from steps where user_id = 53 order by 1, 2;
table wrong;

-- A message that was sent after the step by the same transaction does not count it; one that was sent before does.
insert into subscriber_lists (subscriber_id, list_id, status) values (61, 7, 'confirmed'), (62, 7, 'confirmed');
select from goals.create_message('late');
select from goals.set_goal('late', event => 'left 7', time_limit => '1 day');
begin;
select from goals.record_sent('late', '61');
delete from subscriber_lists where subscriber_id in (61, 62);
select from goals.record_sent('late', '62');
commit;
select user_key, matched_at < clock_timestamp() as by_now from goals.matches('late');
table wrong;

-- Rows that go with their user or their list
create table owned (id bigint generated always as identity, user_id bigint references users on delete cascade, topic uuid);
select from goals.track_membership('owned', 'user_id', 'topic');
select from ask('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
select from goals.set_goal('m', event => 'joined ' || repeat('x', 990), time_limit => '1 day', goal => 'long');
select goals.record_sent('m', array['71', '72', '73']);
insert into owned (user_id, topic) values (71, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'), (72, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'), (72, gen_random_uuid()), (73, null);
delete from users where id = 71;
update owned set topic = 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11' where user_id = 73;
select user_id, joins, leaves from steps where list like 'a0%' order by 1;
truncate owned;
select user_id, joins, leaves from steps where list like 'a0%' order by 1;

-- A condition on any columns; the row's own columns are properties, and the worth.
create table contact_lists (contact text, list varchar(20), deleted_at timestamptz, amount int, plan text);
select from goals.track_membership('contact_lists', 'contact', 'list', member => '{"deleted_at": null}');
select from goals.set_goal('m', event => 'joined news', properties => '{"plan": "pro"}', value_from => 'amount', time_limit => '1 day', goal => 'joined as pro');
select from goals.set_goal('m', event => 'left news', properties => '{"plan": "pro"}', value_from => 'amount', time_limit => '1 day', goal => 'left as pro');
select goals.record_sent('m', array['81', '82', '83', '84', '85', '86']);
insert into contact_lists values ('81', 'news', null, 81, 'pro'), ('82', 'news', null, 82, 'free'), ('83', 'news', now(), 83, 'pro'),
    ('84', 'news', null, 84, 'pro'), ('85', 'news', null, 85, 'pro'), ('86', 'other', null, 86, 'pro');
update contact_lists set deleted_at = now(), amount = 0 where contact in ('81', '82');
update contact_lists set deleted_at = null where contact = '83';
delete from contact_lists where contact in ('84', '85');
insert into contact_lists values ('85', 'news', null, 850, 'pro');
select user_key, goal, worth, new_value from goals.matches('m') where goal like '%pro' order by 1, 2;
-- Without a condition every known status is that of a member; without a status every row.
select from goals.track_membership('contact_lists', 'contact', 'list', status => 'plan');
update contact_lists set plan = 'team' where contact = '86';
update contact_lists set list = 'news' where contact = '86';
update contact_lists set plan = null where contact = '86';
update contact_lists set plan = 'pro' where contact = '86';
select user_key, goal, worth from goals.matches('m') where goal like '%pro' and user_key = '86' order by 1, 2;

-- Partitions, one with its columns in another order: a row that moves is no step, unless it changes its state.
create table segments (part int, user_id int, segment text, state text) partition by list (part);
create table segments_1 partition of segments for values in (1);
create table segments_2 (state text, segment text, user_id int, part int);
alter table segments attach partition segments_2 for values in (2);
select from goals.track_membership('segments', 'user_id', 'segment', 'state');
select from ask('vip');
select goals.record_sent('m', array(select id::text from users where id between 90 and 99));
insert into segments values (1, 90, 'vip', 'in'), (1, 91, 'vip', null), (2, 92, 'vip', 'in'), (2, 93, 'vip', 'in'), (1, 95, 'vip', 'in'), (2, 96, 'vip', 'in');
update segments set part = 3 - part where user_id < 93;
update segments set part = 3 - part, state = 'in' where user_id = 91;
update segments set part = 3 - part, state = null where user_id = 92;
update segments set part = 3 - part, user_id = 94 where user_id = 93;
begin;
with gone as (delete from segments_1 where user_id = 95 returning *) insert into segments_2 (part, user_id, segment, state) select 2, user_id, segment, state from gone;
commit;
delete from segments_2 where user_id = 96;
select user_id, joins, leaves, exists (select from segments s where s.user_id = steps.user_id and state is not null) as is_member from steps where list = 'vip' order by 1;

-- Switched off, untracked, and with its columns gone nothing is seen, and nothing raises.
set pg_goals.enabled = off;
delete from segments where user_id = 95;
reset pg_goals.enabled;
alter table segments rename column state to status;
update segments set status = 'in';
select problem, object, detail from goals.health() where object = 'public.segments';
alter table segments rename column status to state;
select tgname from pg_trigger where tgrelid = 'segments_2'::regclass \gset
alter table segments_2 disable trigger :"tgname";
select problem, object from goals.health() where object like 'public.segments%';
select from goals.untrack('segments');
delete from segments;
select user_id, joins, leaves from steps where list = 'vip' order by 1;
select problem, object, detail from goals.health() where object like 'public.segments%';

-- Refused
select from goals.track_membership('contact_lists', 'contact', 'deleted_at');
select from goals.track_membership('contact_lists', 'contact', null);
select from goals.track_membership('contact_lists', 'contact', 'list', 'nothing');
select from goals.track_membership('contact_lists', 'contact', 'list', member => '["plan"]');
select from goals.track_membership('contact_lists', 'contact', 'list', member => '{"nothing": 1}');
select from goals.track_membership('contact_lists', 'contact', 'list', member => '{"amount": "much"}');
select from goals.track_receipts('contact_lists', 'list', 'contact');
