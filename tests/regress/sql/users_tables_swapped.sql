-- A users table that loses its name to another table is noticed at once. What hangs on it is handed over to its successor:
-- messages, goals, the tables of events and sends, and receipts in their time limit.
create table users (id bigint primary key, n int default 0, plan text default 'free');
insert into users (id) select generate_series(1, 100);
create table log (user_id bigint, name text);
select from goals.track_users('users');
select from goals.track_events('log', user_key => 'user_id', event => 'name');
select from goals.create_message('m');
select from goals.set_goal('m', attribute => 'n', operator => 'is increased', time_limit => '3 days');
select from goals.set_goal('m', event => 'order', time_limit => '3 days', goal => 'order');
select goals.record_sent('m', array(select generate_series(1, 50)::bigint));

-- A rename alone is no swap, and a view under the old name is none
alter table users rename to people;
update people set n = n + 1 where id = 1;
select * from goals.health();
create view users as select * from people;
update users set n = n + 1 where id = 2;
select * from goals.health();
select matched from goals.message_stats where goal = 'primary';
drop view users;
alter table people rename to users;

-- The swap of an online schema change
create table shadow (like users including all);
insert into shadow select * from users;
begin;
alter table users rename to users_old;
alter table shadow rename to users;
commit;
select * from goals.health();
update users set n = n + 1 where id = 60;

-- Who may, and what may take the place
create table texts (id text primary key);
create table without (key bigint primary key);
create view a_view as select * from users;
select from goals.move_users('users_old', 'users_old');
select from goals.move_users('users', 'users_old');
select from goals.move_users('log', 'users');
select from goals.move_users('users_old', 'log');
select from goals.move_users('users_old', 'texts');
select from goals.move_users('users_old', 'without');
select from goals.move_users('users_old', 'a_view');
select from goals.move_users(null, 'users');
select from goals.move_users('users_old', null);
create role owner_of_one;
grant usage on schema goals to owner_of_one;
grant execute on function goals.move_users(regclass, regclass) to owner_of_one;
alter table users owner to owner_of_one;
set role owner_of_one;
select from goals.move_users('users_old', 'users');
reset role;
alter table users_old owner to owner_of_one;
alter table users owner to current_user;
set role owner_of_one;
select from goals.move_users('users_old', 'users');
reset role;
create table clients (id bigint primary key, n int);
select from goals.track_users('clients');
select from goals.create_message('c', users => 'clients');
select from goals.move_users('users_old', 'clients');
select from goals.drop_message('c');
select from goals.untrack('clients');

-- Handed over: running receipts go on with the next update of the new table
alter table users owner to owner_of_one;
set role owner_of_one;
select from goals.move_users('users_old', 'users');
reset role;
select * from goals.health();
update users set n = n + 1 where id = 3;
update users_old set n = n + 1 where id = 4;
insert into log values (5, 'order');
select goals.record_sent('m', 61::bigint) > 0;
update users set n = n + 1 where id = 61;
select user_key, goal, old_value, new_value from goals.matches('m') order by goal, user_key::int;
select message, goal, sent, matched from goals.message_stats order by 2;
select tgrelid::regclass, tgargs from pg_trigger where tgfoid = 'goals.capture()'::regprocedure;
select s.relation, s.table_name, u.relation as users
from goals.source s join goals.source u on u.source_id = s.users_source_id order by s.source_id;
select goals.forget_user(3::bigint);
select goals.roll_up() > 0;
select * from goals.verify();
-- and further goals are set on it
select from goals.set_goal('m', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '3 days', goal => 'plan');
select goals.record_sent('m', 62::bigint) > 0;
update users set plan = 'pro' where id = 62;
select matched from goals.message_stats where goal = 'plan';

-- The successor tracked in the meantime, with a table of events of its own, and partitioned; undone, and done again
alter table users rename to users_older;
create table users (id bigint, n int default 0, plan text default 'free', primary key (id)) partition by hash (id);
create table users_0 partition of users for values with (modulus 2, remainder 0);
create table users_1 partition of users for values with (modulus 2, remainder 1);
insert into users select id, n, plan from users_older;
create table clicks (user_id bigint, name text);
select from goals.track_users('users');
select from goals.track_events('clicks', user_key => 'user_id', event => 'name', users => 'users');
select problem, object, hint from goals.health();
begin;
select from goals.move_users('users_older', 'users');
rollback;
update users_older set n = n + 1 where id = 6;
select from goals.move_users('users_older', 'users');
select * from goals.health();
update users set n = n + 1 where id = 7;
insert into clicks values (8, 'order');
insert into log values (9, 'order');
select user_key, goal from goals.matches('m') where user_key in ('6', '7', '8', '9') order by 1;
select s.kind, s.relation, s.table_name, u.relation as users
from goals.source s join goals.source u on u.source_id = s.users_source_id order by s.source_id;
select tgrelid::regclass, tgargs from pg_trigger where tgfoid = 'goals.capture()'::regprocedure order by 1;

-- The old table dropped first: it is named by its number
select s.relation::oid as dropped from goals.source s where s.relation = 'users'::regclass \gset
create table users_next (like users including all);
insert into users_next select * from users;
drop table users;
alter table users_next rename to users;
select problem, object = :'dropped' as is_it, detail, replace(hint, :'dropped', '(its number)') as hint from goals.health();
-- Who owned it is not known any more: a superuser hands it over
alter table users owner to owner_of_one;
set role owner_of_one;
select from goals.move_users(:dropped, 'users');
reset role;
select from goals.move_users(:dropped, 'users');
select * from goals.health();
update users set n = n + 1 where id = 10;
select user_key from goals.matches('m') where user_key = '10';

-- In one transaction with the swap, no update is missed
create table users_new (like users including all);
insert into users_new select * from users;
begin;
alter table users rename to users_before;
alter table users_new rename to users;
select from goals.move_users('users_before', 'users');
commit;
update users set n = n + 1 where id = 11;
drop table users_before;
select user_key from goals.matches('m') where user_key = '11';
select * from goals.health();

-- Both in use: the new name is noted
alter table users rename to members;
create table users (id bigint primary key);
select problem, object, detail, hint from goals.health();
select from goals.track_users('members');
select * from goals.health();

-- Tables of events and sends
create table sends (template text, user_id bigint);
select from goals.track_receipts('sends', message => 'template', user_key => 'user_id');
alter table sends rename to sends_old;
create table sends (template text, user_id bigint);
alter table log rename to log_old;
create table log (user_id bigint, name text);
select * from goals.health();
select from goals.untrack('sends_old');
select from goals.track_receipts('sends', message => 'template', user_key => 'user_id');
select from goals.untrack('log_old');
select from goals.track_events('log', user_key => 'user_id', event => 'name');
insert into sends values ('m', 70);
insert into log values (70, 'order');
select user_key, goal from goals.matches('m') where user_key = '70';
select * from goals.health();
select * from goals.verify();
select from goals.untrack_all();
drop view a_view;
drop table users, members, users_old, users_older, clients;
drop owned by owner_of_one;
drop role owner_of_one;
