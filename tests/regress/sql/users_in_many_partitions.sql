-- Users are found in whichever partition they are, however the table is partitioned.
create table by_hash (id int primary key, plan text) partition by hash (id);
create table by_hash_0 partition of by_hash for values with (modulus 8, remainder 0);
create table by_hash_1 partition of by_hash for values with (modulus 8, remainder 1);
create table by_hash_2 partition of by_hash for values with (modulus 8, remainder 2);
create table by_hash_3 partition of by_hash for values with (modulus 8, remainder 3);
create table by_hash_4 partition of by_hash for values with (modulus 8, remainder 4);
create table by_hash_5 partition of by_hash for values with (modulus 8, remainder 5);
create table by_hash_6 partition of by_hash for values with (modulus 16, remainder 6);
create table by_hash_7 partition of by_hash for values with (modulus 16, remainder 14);
create table by_hash_8 (plan text, gone int, id int not null);
alter table by_hash_8 drop column gone;
alter table by_hash attach partition by_hash_8 for values with (modulus 8, remainder 7);
create table by_range (id bigint primary key, plan text) partition by range (id);
create table by_range_1 partition of by_range for values from (minvalue) to (100);
create table by_range_2 partition of by_range for values from (100) to (200);
create table by_range_3 partition of by_range for values from (200) to (300) partition by hash (id);
create table by_range_31 partition of by_range_3 for values with (modulus 2, remainder 0);
create table by_range_32 partition of by_range_3 for values with (modulus 2, remainder 1);
create table by_range_4 partition of by_range default;
create table by_list (id varchar(20) collate "C" primary key, plan text) partition by list (id);
create table by_list_1 partition of by_list for values in ('u1', 'u2');
create table by_list_2 partition of by_list for values in ('u3');
create table by_list_3 partition of by_list default;
create table by_region (region text, id uuid, plan text) partition by list (region);
create table by_region_a partition of by_region for values in ('a');
create table by_region_b partition of by_region for values in ('b') partition by hash (id);
create table by_region_b0 partition of by_region_b for values with (modulus 2, remainder 0);
create table by_region_b1 partition of by_region_b for values with (modulus 2, remainder 1);
create index on by_region (id);
insert into by_hash select n, case when n % 10 = 0 then 'pro' else 'free' end from generate_series(-50, 250) n;
insert into by_range select n, case when n % 10 = 0 then 'pro' else 'free' end from generate_series(-50, 350) n;
insert into by_list select 'u' || n, case when n % 10 = 0 then 'pro' else 'free' end from generate_series(0, 60) n;
insert into by_region select case when n % 3 = 0 then 'a' else 'b' end, md5(n::text)::uuid, case when n % 10 = 0 then 'pro' else 'free' end from generate_series(1, 90) n;
create table sends (message text, key text);
select from unnest(array['by_hash', 'by_range', 'by_list']::regclass[]) t, goals.track_users(t);
select from goals.track_users('by_region', 'id');
select from goals.track_receipts('sends', 'message', 'key');
select from unnest(array['by_hash', 'by_range', 'by_list', 'by_region']) t, goals.create_message(t, users => t::regclass), goals.set_goal(t, 'plan', 'is', 'pro', '1 day');
create view users as
    select 'by_hash' as message, id::text as key, plan from by_hash union all select 'by_range', id::text, plan from by_range
    union all select 'by_list', id, plan from by_list union all select 'by_region', id::text, plan from by_region;

-- One by one, all at once, from a table of sends: everybody is found, and known by his own row.
select count(goals.record_sent(message, key)) from users;
select from (select message, array_agg(key) || array['77777', 'nobody', '00000000-0000-0000-0000-000000000000'] as keys from users group by message order by message) u, goals.record_sent(u.message, u.keys);
insert into sends select message, key from users;
insert into sends values ('by_hash', '77777'), ('by_list', 'nobody');
select problem, object from goals.health();
select u.message, count(distinct u.key) as users, count(*) as receipts, count(*) filter (where o.already_matched) as held_already, bool_and(o.already_matched = (u.plan = 'pro')) as rightly
from users u join goals.outcome o on o.message = u.message and o.user_key = u.key group by u.message order by u.message;

-- Looking for a user leaves no partition locked, nor an index of one.
begin;
select from goals.record_sent('by_hash', 1::bigint);
select from goals.record_sent('by_range', 250::bigint);
select from goals.record_sent('by_list', 'u3');
select from unnest(array['by_hash', 'by_range']) message, goals.record_sent(message, array(select n::text from generate_series(-50, 350, 7) n));
select from goals.record_sent('by_region', array(select md5(n::text) from generate_series(1, 99) n));
insert into sends select message, n::text from unnest(array['by_hash', 'by_range']) message, generate_series(-50, 350, 7) n;
insert into sends select 'by_region', md5(n::text)::uuid from generate_series(1, 99) n;
select relation::regclass from pg_locks l join pg_class c on c.oid = l.relation where l.pid = pg_backend_pid() and c.relname ~ '^by_(hash|range|list|region)_' order by c.relname;
rollback;
