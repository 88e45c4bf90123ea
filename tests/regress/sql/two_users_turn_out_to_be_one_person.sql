-- merge_users() makes two people one: receipts, later changes, events and opens under either key.
create table users (id bigint primary key, n int default 0);
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'n', 'is increased', time_limit => '30 days');
select from goals.set_goal('m', event => 'bought', time_limit => '30 days', goal => 'bought');
insert into users select generate_series(1, 30);
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
create procedure send(key bigint, ref text) language plpgsql as $$ begin perform goals.record_sent('m', key, ref => ref); end $$;

call send(1, 'a1'); call send(2, 'b1');
select goals.merge_users(1, 2);
select whose(1) as by_from, whose(2) as by_into;
-- For good: later receipts under either key; and again it is nothing.
call send(1, 'a2'); call send(2, 'b2');
select whose(1) as by_from, whose(2) as by_into;
select goals.merge_users(1, 2), goals.merge_users(2, 1), goals.merge_users(2, 2);
-- After the application has removed the row.
delete from users where id = 1;
select whose(2), matched_by($$ select goals.record_event(1, 'bought') $$) as event_of_from, matched_by($$ select goals.record_event(2, 'bought') $$) as event_of_into;
select from goals.record_opened('m', 1::bigint, clock_timestamp());
select f.name, e.kind from goals.engagement e join goals.reference f using (receipt_id);

-- The merged row first: it need not be there any more, or else have receipts. Of who is unknown nothing is merged: a name
-- that means nobody would make one person of all who are merged with it.
call send(3, 'c1');
select goals.merge_users(5, 4);
delete from users where id in (3, 5);
select goals.merge_users(3, 4), goals.merge_users(77, 4);
select whose(4), matched_by($$ select goals.record_event(5, 'bought') $$) as event;

-- Merges of merges, in both directions, and several in one statement.
do $$ begin for i in 6..11 loop call send(i, chr(94 + i) || '1'); end loop; end $$;
select goals.merge_users(6, 7);
select goals.merge_users(7, 8);
select goals.merge_users(9, 10);
select goals.merge_users(10, 8);
select id, whose(id) from users where id between 6 and 10 order by id;
-- Into one that is merged away itself, from one that was a target.
select goals.merge_users(8, 11);
select goals.merge_users(12, 9);
call send(12, 'n1');
select whose(11), whose(12), whose(6);
do $$ begin for i in 13..16 loop call send(i, 'p' || i); end loop; end $$;
select sum(goals.merge_users(i, i + 1)) from generate_series(13, 15) i;
select id, whose(id) from users where id between 13 and 16 order by id;

-- Merged, then the key of the target changes, then receipts under the key that was merged away.
call send(17, 'q1'); call send(18, 'r1');
select goals.merge_users(17, 18);
update users set id = 118 where id = 18;
call send(17, 'q2');
insert into users values (18);
call send(18, 'x1');
select id, whose(id) from users where id in (17, 18, 118) order by id;
-- Or the key that was merged away changes.
update users set id = 117 where id = 17;
call send(117, 'q3');
insert into users values (17);
select id, whose(id) from users where id in (17, 18, 117, 118) order by id;
-- The person takes back the key that was merged away, and leaves it again.
call send(19, 's1'); call send(20, 't1');
select goals.merge_users(19, 20);
delete from users where id = 19;
update users set id = 19 where id = 20;
insert into users values (20);
call send(19, 's2'); call send(20, 'y1');
select id, whose(id) from users where id in (19, 20) order by id;
update users set id = 119 where id = 19;
insert into users values (19);
call send(19, 'z1');
select id, whose(id) from users where id in (19, 20, 119) order by id;
-- Another user takes it by a change of key: from then on it is that user's.
call send(21, 'u1'); call send(22, 'v1'); call send(23, 'w1');
select goals.merge_users(21, 22);
delete from users where id = 21;
update users set id = 21 where id = 23;
call send(21, 'w2');
select id, whose(id) from users where id in (21, 22) order by id;
-- All of it in one statement.
update users set id = id + 1000;
select id, whose(id) from users where whose(id) <> '-' order by id;
select user_key, after, up_to = 9223372036854775807 as for_good from goals_internal.spells(1, '1119') order by 1, 2;

-- Two variants of a message: the person is in no comparison.
do $$ begin
    perform goals.create_message('t'), goals.create_message('u'), goals.create_message('without variants');
    perform goals.add_variant('t', 'a'), goals.add_variant('t', 'b'), goals.add_variant('u', 'a'), goals.add_variant('u', 'b');
    perform goals.record_sent('t', 1024, 'a'), goals.record_sent('t', 1025, 'b'), goals.record_sent('u', 1024, 'a'), goals.record_sent('u', 1025, 'a'),
            goals.record_sent('without variants', 1024), goals.record_sent('without variants', 1025);
end $$;
select goals.merge_users(1024, 1025);
-- Who was in both before is out already.
do $$ begin perform goals.record_sent('t', 1026, 'a'); end $$;
select goals.merge_users(1026, 1025);
do $$ begin
    for i in 1..7 loop
        perform goals.create_message('x' || i), goals.add_variant('x' || i, 'a'), goals.add_variant('x' || i, 'b'),
                goals.record_sent('x' || i, 1027, 'a'), goals.record_sent('x' || i, 1028, 'b');
    end loop;
end $$;
select goals.merge_users('1027', '1028');

-- What is refused.
select goals.merge_users(null::bigint, 1);
select goals.merge_users(1029, null);
select goals.merge_users(1029, 5000);
select goals.merge_users('x', '1029');
select goals.merge_users('1029', 'x');
select goals.merge_users('{1029,1030}', '1030');
select goals.merge_users('1029', '{1029,1030}');
create table others (id uuid primary key);
select from goals.track_users('others');
select goals.merge_users(1029, 1030);
select goals.merge_users(1029, 1030, 'goals.receipt');
select goals.gone_users();
insert into others values ('00000000-0000-0000-0000-00000000000a'), ('00000000-0000-0000-0000-00000000000b');
select goals.merge_users('00000000-0000-0000-0000-00000000000A'::uuid, '00000000-0000-0000-0000-00000000000b', 'others');
select goals.merge_users('{00000000-0000-0000-0000-00000000000A}', '00000000-0000-0000-0000-00000000000b', users => 'others');

-- Who is gone: not the person whose other row is still there.
select count(*) from goals.gone_users('users');
call send(1029, 'g1'); call send(1030, 'h1'); call send(1030, 'h2');
select goals.merge_users(1029, 1030, 'users');
delete from users where id = 1030;
select count(*) from goals.gone_users('users');
delete from users where id = 1029;
select user_key, receipts, last_sent_at between now() - interval '1 minute' and clock_timestamp() as dated from goals.gone_users('users');
-- Read with the rights of the extension, whatever hides rows.
alter table users enable row level security;
alter table users force row level security;
create role regress_eraser;
grant usage on schema goals to regress_eraser;
grant execute on function goals.gone_users(regclass) to regress_eraser;
set role regress_eraser;
select user_key, receipts from goals.gone_users('users');
select goals.merge_users(1, 2, 'users');
reset role;
drop owned by regress_eraser;
drop role regress_eraser;
select * from goals.verify();
-- Both had entered a programme: one entry counts, the first, with what happened after either; folded or not.
create table people (id text primary key, n int not null default 0);
insert into people values ('x'), ('y'), ('z'), ('w');
select from goals.track_users('people');
select from goals.create_message('series', kind => 'programme', users => 'people');
select from goals.set_goal('series', event => 'buy', time_limit => '3 days', value_from => 'amount');
select from goals.create_message('part', part_of => 'series', users => 'people');
select count(goals.record_sent('part', id)) from people where id in ('x', 'y', 'z');
create view entered as select s.sent, s.matched, s.worth, c.users from goals.message_stats s, goals.compare('series', include_running => true) c where s.message = 'series';
select goals.merge_users('x', 'y', 'people');
select from goals.record_event('y', 'buy', '{"amount": 10}', users => 'people');
table entered;
select from goals.roll_up();
select from goals.roll_up();
table entered;
select goals.merge_users('z', 'y', 'people');
table entered;
select from goals.roll_up();
table entered;
select * from goals.verify();
select goal, verdict from goals.explain('series', 'x');
-- Two of different variants are reported by health() as well.
select from goals.create_message('ab', users => 'people');
select from goals.add_variant('ab', 'a');
select from goals.add_variant('ab', 'b');
select from goals.record_sent('ab', 'y', variant => 'a');
select from goals.record_sent('ab', 'w', variant => 'b');
select problem from goals.health() where object = 'ab';
select goals.merge_users('w', 'y', 'people') > 0 as merged;
select problem, object from goals.health() where object = 'ab';
select goals.forget_user('x', 'people');
select count(*) from goals.hand_over where users_source_id = (select source_id from goals.source where relation = 'people'::regclass);
drop view entered;
drop table people;
