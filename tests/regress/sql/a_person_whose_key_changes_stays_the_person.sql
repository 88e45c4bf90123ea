-- An UPDATE of the key hands the receipts over: changes, events, opens and clicks under the new key are the person's.
create table users (id bigint primary key deferrable, n int default 0, note text);
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'n', 'is increased', time_limit => '30 days');
insert into users select generate_series(1, 9);
-- The receipts that a change of a user matches, by the ref under which they were recorded. Nothing of it stays.
create function matched_by(change text) returns text language plpgsql as $$
declare
    refs text;
begin
    execute change;
    select coalesce(string_agg(f.name, ' ' order by f.name), '-') into refs
    from goals.match_log h join goals.reference f using (receipt_id);
    raise exception using errcode = 'R0001', message = refs;
exception when sqlstate 'R0001' then
    return sqlerrm;
end $$;
create function whose(id bigint) returns text language sql as $$
    select matched_by(format('update users set n = n + 1 where id = %s', id))
$$;
create view hand_overs as
    select from_key, into_key, case receipt_id when 9223372036854775807 then 'for good' else (select count(*)::text from goals.receipt r where r.receipt_id <= h.receipt_id) end as receipts
    from goals.hand_over h order by hand_over_id;

-- A chain. What is recorded later under an old key belongs to who has it then.
do $$ begin perform goals.record_sent('m', 1, ref => 'a1'); end $$;
update users set id = 11 where id = 1;
update users set id = 21 where id = 11;
do $$ begin perform goals.record_sent('m', 21, ref => 'a2'); end $$;
update users set id = 31, note = 'with another column' where id = 21;
insert into users values (1), (11), (21);
do $$ begin perform goals.record_sent('m', 1, ref => 'b1'), goals.record_sent('m', 21, ref => 'c1'); end $$;
select id, whose(id) from users where id in (1, 11, 21, 31) order by id;
select * from hand_overs;
select * from goals_internal.spells(1, '31');

-- The change of the key and of a watched column in one: the change is the person's.
select matched_by('update users set id = 41, n = n + 1 where id = 31');
-- Events under the new key, and none under the old one.
select from goals.set_goal('m', event => 'bought', time_limit => '30 days', goal => 'bought');
do $$ begin perform goals.record_sent('m', 2, ref => 'e1'); end $$;
update users set id = 12 where id = 2;
select matched_by($$ select goals.record_event(12, 'bought') $$) as new_key, matched_by($$ select goals.record_event(2, 'bought') $$) as old_key;
create table events (user_id bigint, event text);
select from goals.track_events('events', 'user_id', 'event');
select matched_by($$ insert into events values (12, 'bought') $$) as new_key, matched_by($$ insert into events values (2, 'bought') $$) as old_key;

-- Opens and clicks by message and user, the newest receipt up to that time whatever its key.
do $$ begin perform goals.record_sent('m', 12, ref => 'e2', sent_at => now() - interval '1 hour'); end $$;
select from goals.record_opened('m', 12);
select from goals.record_clicked('m', 12, now() - interval '30 minutes');
select f.name, e.kind from goals.engagement e join goals.reference f using (receipt_id) order by 1, 2;
select goals.record_opened('m', 2);

-- There and back again; and a swap through a temporary key.
do $$ begin perform goals.record_sent('m', 3, ref => 'f1'), goals.record_sent('m', 4, ref => 'g1'); end $$;
update users set id = 13 where id = 3;
do $$ begin perform goals.record_sent('m', 13, ref => 'f2'); end $$;
update users set id = 3 where id = 13;
insert into users values (13);
select id, whose(id) from users where id in (3, 13) order by id;
update users set id = -3 where id = 3;
update users set id = 3 where id = 4;
update users set id = 4 where id = -3;
select id, whose(id) from users where id in (3, 4) order by id;
-- In one statement, back and on, in either order of the rows.
update users set id = 7 - id where id in (3, 4);
select id, whose(id) from users where id in (3, 4) order by id;
do $$ begin perform goals.record_sent('m', 5, ref => 'h1'), goals.record_sent('m', 6, ref => 'i1'), goals.record_sent('m', 7, ref => 'j1'); end $$;
update users set id = id + 1 where id between 5 and 9;
select id, whose(id) from users where id between 5 and 10 order by id;
update users set id = id - 1 where id between 6 and 10;
select id, whose(id) from users where id between 5 and 10 order by id;
-- In one transaction, and in what is rolled back.
begin;
do $$ begin perform goals.record_sent('m', 9, ref => 'k1'); end $$;
update users set id = 19 where id = 9;
savepoint s;
update users set id = 29 where id = 19;
rollback to s;
update users set id = 39 where id = 19;
select whose(39);
update users set id = 9 where id = 39;
commit;
select whose(9);

-- Nothing to hand over, nothing recorded: no receipts, none since the last time, no change, no key any more.
select count(*) as before from goals.hand_over \gset
insert into users values (100);
update users set id = 101 where id = 100;
update users set id = id where id = 9;
update users set n = n + 1 where id = 41;
select count(*) - :before as more from goals.hand_over;
do $$ begin perform goals.record_sent('m', 101, ref => 'l1'); end $$;
update users set id = 102 where id = 101;
insert into users values (101);
update users set id = 103 where id = 101;
select count(*) - :before as more from goals.hand_over;

-- INSERT ... ON CONFLICT, and WITH.
alter table users drop constraint users_pkey, add primary key (id);
insert into users values (102) on conflict (id) do update set id = 104;
select whose(104);
with w as (update users set id = 105 where id = 104 returning id) select id from w;
select whose(105);

-- A one_off message is not delivered again.
select from goals.create_message('welcome', kind => 'one_off');
select receipt_id as first from goals.deliver('welcome', 8) \gset
update users set id = 18 where id = 8;
select receipt_id = :first as the_same, repeated from goals.deliver('welcome', 18);
select user_key, receipt_id = :first as the_same, repeated from goals.deliver('welcome', array[18, 105]) order by 1;
insert into users values (8);
select receipt_id = :first as the_same, repeated from goals.deliver('welcome', 8);
-- Nor is what was sent with a ref recorded again.
select goals.record_sent('m', 105, ref => 'l1') = (select receipt_id from goals.reference where name = 'l1') as the_same;

-- Rows of a table of sends: opens find the receipt by the row, and by message and time where there is no primary key.
create table sends (id bigserial primary key, message text, user_id bigint references users on update cascade, sent_at timestamptz default clock_timestamp(), opened_at timestamptz);
select from goals.track_receipts('sends', 'message', 'user_id', 'sent_at', 'opened_at');
create table mails (message text, user_id bigint, sent_at timestamptz default clock_timestamp(), opened_at timestamptz);
select from goals.track_receipts('mails', 'message', 'user_id', 'sent_at', 'opened_at');
select from goals.create_message('row');
select from goals.set_goal('row', 'n', 'is increased', time_limit => '30 days');
insert into sends (message, user_id) values ('row', 105), ('row', 18);
insert into mails values ('row', 105);
update users set id = 106 where id = 105;
update mails set user_id = 106;
update sends set opened_at = clock_timestamp() where user_id = 106;
update mails set opened_at = clock_timestamp();
select user_key, opened_at is not null as opened from goals.outcome o where message = 'row' order by receipt_id;
-- A row written again under the new key is the same send.
begin;
delete from sends where user_id = 106;
insert into sends (id, message, user_id) values (1, 'row', 106);
commit;
select count(*) from goals.outcome where message = 'row';

-- No goal watches a column of this table.
create table staff (id uuid primary key, name text);
select from goals.track_users('staff');
select from goals.create_message('memo', users => 'staff');
insert into staff values ('00000000-0000-0000-0000-00000000000a', 'x');
select goals.record_sent('memo', '00000000-0000-0000-0000-00000000000A') > 0 as sent;
update staff set id = '00000000-0000-0000-0000-00000000000b';
select from goals.record_opened('memo', '00000000-0000-0000-0000-00000000000B'::uuid);
select opened from goals.message_stats where message = 'memo';
-- Texts, in the spelling in which they are stored; a key that becomes NULL hands nothing over.
create table guests (mail char(40) unique, n int default 0);
select from goals.track_users('guests', 'mail');
select from goals.create_message('g', users => 'guests');
select from goals.set_goal('g', 'n', 'is increased', time_limit => '30 days');
insert into guests values ('ann@example.org'), (repeat('b', 40));
select count(goals.record_sent('g', mail::text)) from guests;
update guests set mail = 'Ann@example.org' where mail like 'ann%';
update guests set mail = null where mail like 'bb%';
select from_key, into_key from goals.hand_over where users_source_id = (select source_id from goals.source where relation = 'guests'::regclass);
-- A key too long to be one hands nothing over.
create table notes (key text, n int);
select from goals.track_users('notes', 'key');
select from goals.create_message('n', users => 'notes');
insert into notes values ('x');
select goals.record_sent('n', 'x') > 0 as sent;
update notes set key = (select string_agg(md5(i::text), '') from generate_series(1, 200) i);
select count(*) from goals.hand_over where from_key = 'x';

-- What is changed while the triggers are off is not seen; merge_users() tells it afterwards.
alter table users disable trigger user;
update users set id = 107 where id = 106;
alter table users enable trigger user;
select whose(107);
select * from goals.gone_users('users') \gset gone_
select :'gone_user_key', :gone_receipts, :'gone_last_sent_at' is not null as dated;
select goals.merge_users(106, 107, 'users');
select whose(107);
select * from goals.gone_users('users');
select * from goals.verify();

-- A row that moves to another partition, in a table without any goal.
create table parts (id bigint primary key) partition by range (id);
create table parts_low partition of parts for values from (0) to (100);
create table parts_high partition of parts for values from (100) to (200);
select from goals.track_users('parts');
select from goals.create_message('p', users => 'parts');
insert into parts values (1), (2);
select goals.record_sent('p', array[1, 2]);
update parts set id = id + 100;
select count(goals.record_opened('p', id)) from parts;
select user_key, after, up_to = 9223372036854775807 as for_good
from goals_internal.spells((select source_id from goals.source where relation = 'parts'::regclass), '101') order by 1;
-- A log row keeps the key that the message was sent to: its open is that of its receipt, whoever has that key now.
create table members (id text primary key, n int not null default 0);
insert into members values ('ann'), ('bob');
select from goals.track_users('members');
select from goals.create_message('logged', users => 'members');
create table log (id int primary key, what text, who text, opened_at timestamptz);
select from goals.track_receipts('log', 'what', 'who', opened_at => 'opened_at');
insert into log values (1, 'logged', 'ann');
update members set id = 'anna' where id = 'ann';
update members set id = 'ann' where id = 'bob';
insert into log values (2, 'logged', 'ann');
update log set opened_at = clock_timestamp() where id = 1;
select l.user_key, l.opened_at is not null as opened from goals_internal.ledger l join goals.message m using (message_id) where m.name = 'logged' order by l.receipt_id;
-- Sets of reports in a loop, where keys have changed.
do $$ declare r record; begin
    for i in 1..20 loop
        select * into r from goals.record_engagements('[{"message": "logged", "user": "ann", "kind": "opened"}, {"ref": "none", "kind": "opened"}, {"message": "logged", "user": "anna", "kind": "delivered"}, {"message": "logged", "user": "bob", "kind": "delivered"}]');
    end loop;
    raise notice '%', r;
end $$;
drop table log, members;
