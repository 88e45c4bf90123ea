-- What the session that installs the extension has set for new tables does not matter: the library writes heap pages.
create access method not_heap type table handler heap_tableam_handler;
set default_table_access_method = not_heap;
set default_toast_compression = pglz;
set default_transaction_isolation = 'serializable';
set check_function_bodies = off;
create extension pg_goals;
select count(*) as tables, count(*) filter (where a.amname = 'heap') as heap
from pg_class c join pg_am a on a.oid = c.relam where c.relnamespace = 'goals'::regnamespace and c.relkind = 'r';
reset all;
create table users (id int primary key, plan text);
insert into users values (1, 'free');
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', time_limit => '1 day');
select from goals.record_sent('m', 1::bigint);
update users set plan = 'pro';
select user_key, new_value from goals.matches('m');
select * from goals.health();
drop table users;
drop extension pg_goals;
drop access method not_heap;
