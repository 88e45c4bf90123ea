-- A key that is free again may become another person's. What was recorded under it before stays the first one's, in
-- every figure, however often the key changes hands.
create table users (id text primary key, n int default 0);
select from goals.track_users('users');
select from goals.create_message('series', kind => 'programme');
select from goals.set_goal('series', 'n', 'is increased', time_limit => '30 days');
select from goals.create_message('m', part_of => 'series');
select from goals.add_variant('m', 'a');
select from goals.set_control_group('m', 0.5);
select from goals.set_goal('m', 'n', 'is increased', time_limit => '30 days');
-- Whose each receipt is. ref: the receipts of m, by the person that they were recorded for.
create view whose as
select o.message, (select f.name from goals.reference f where f.receipt_id = o.receipt_id) as ref, o.user_key,
       o.matched_at is not null as matched
from goals.outcome o order by o.receipt_id;

-- Three people have the key one after the other. Of their messages, the first person's was sent last.
insert into users values ('key');
select from goals.record_sent('m', 'key', 'a', now() - interval '1 hour', ref => 'first');
update users set id = 'ann' where id = 'key';
insert into users values ('key');
select from goals.record_sent('m', 'key', 'control', now() - interval '2 hours', ref => 'second');
update users set id = 'bob' where id = 'key';
insert into users values ('key');
select from goals.record_sent('m', 'key', 'a', now() - interval '3 hours', ref => 'third');
table whose;
-- Each has entered the series.
select message, sent, matched from goals.message_stats order by message;
select * from goals.verify();
select from goals.roll_up();
select message, sent, matched from goals.message_stats order by message;
select * from goals.verify();

-- A change is that of the person who has the key now.
update users set n = 1 where id = 'bob';
table whose;
update users set n = 1 where id = 'key';
table whose;
select message, sent, matched from goals.message_stats order by message;
select variant, users, matched, assigned_users
from goals_internal.compare_data('m', include_running => true) order by variant;
select variant, users, matched, assigned_users
from goals_internal.compare_data('series', include_running => true) order by variant;

-- The person who had it first gets it back.
update users set id = 'cid' where id = 'key';
update users set id = 'key' where id = 'ann';
table whose;
select * from goals.verify();

-- What is purged is counted for the person whose it was, and those who stay keep theirs. One has a later receipt too.
create view people as
select c.message, d.variant, d.users, d.matched, d.converters_all, d.assigned_users
from (values ('m'), ('series')) c (message), goals_internal.compare_data(c.message, include_running => true) d
order by c.message, d.variant;
select from goals.record_sent('m', 'bob', 'control', now() - interval '5 minutes', ref => 'second again');
table people;
select goals.purge(now() - interval '90 minutes');
table whose;
table people;
select message, sent, matched from goals.message_stats order by message;
select * from goals.verify();
-- Who is forgotten is the person, not the key.
select goals.forget_user('key');
table whose;
table people;
select goals.purge(now() + interval '1 minute');
table people;
select message, sent, matched from goals.message_stats order by message;
select * from goals.verify();

-- In a statement that swaps keys a change is that of the person who had the key before.
alter table users drop constraint users_pkey, add primary key (id) deferrable;
insert into users values ('x'), ('y'), ('z');
select count(goals.record_sent('m', id, 'a', ref => 'of ' || id)) from users where id in ('x', 'y', 'z');
update users set id = translate(id, 'xyz', 'yzx'), n = n + (id = 'z')::int where id in ('x', 'y', 'z');
select ref, user_key, matched from whose where ref is not null;
update users set id = translate(id, 'xyz', 'yzx'), n = n + (id = 'y')::int where id in ('x', 'y', 'z');
select ref, user_key, matched from whose where ref is not null;
select * from goals.verify();
