-- A user's key changes, and with it that in the tables of memberships and attributes: the person has neither left nor
-- joined a list, and no attribute has changed. So it is with two accounts that were merged.
create table users (id int primary key, plan text default 'free');
create table lists (user_id int references users on update cascade, list text, primary key (user_id, list));
create table profiles (user_id int primary key references users on update cascade, seats int);
insert into users select generate_series(1, 20);
insert into lists select n, 'news' from generate_series(1, 20) n;
insert into profiles select n, 5 from generate_series(1, 20) n;
select from goals.track_users('users');
select from goals.track_membership('lists', user_key => 'user_id', list => 'list');
select from goals.track_attributes('profiles', user_key => 'user_id');
select from goals.create_message('m');
select from goals.set_goal('m', event => 'left news', time_limit => '7 days');
select from goals.set_goal('m', event => 'joined news', time_limit => '7 days', goal => 'joined');
select from goals.set_goal('m', attribute => 'profiles.seats', operator => 'is changed', time_limit => '7 days', goal => 'changed');
select from goals.record_sent('m', array(select n::text from generate_series(1, 20, 2) n));
create view reached as select user_key, goal, old_value, new_value from goals.matches('m') order by user_key::int, goal;

-- By the foreign keys, of users with receipts (1, 3) and without one (2)
update users set id = id + 100 where id in (1, 2, 3);
table reached;
-- The columns of a row that goes with the key count.
alter table profiles drop constraint profiles_user_id_fkey, add foreign key (user_id) references users on update no action deferrable initially deferred;
alter table lists drop constraint lists_user_id_fkey, add foreign key (user_id) references users on update no action deferrable initially deferred;
begin;
update users set id = 105 where id = 5;
update profiles set user_id = 105, seats = 6 where user_id = 5;
update lists set user_id = 105 where user_id = 5;
commit;
table reached;
-- In later transactions, after a hand-over
alter table profiles drop constraint profiles_user_id_fkey;
alter table lists drop constraint lists_user_id_fkey;
update users set id = 107 where id = 7;
update profiles set user_id = 107 where user_id = 7;
update lists set user_id = 107 where user_id = 7;
table reached;
-- Two accounts that were merged: what the one had is given to the other.
delete from lists where user_id = 9;
delete from profiles where user_id = 9;
select goals.merge_users('8', '9');
truncate goals.match_log;
update lists set user_id = 9 where user_id = 8;
update profiles set user_id = 9 where user_id = 8;
delete from users where id = 8;
table reached;

-- Another person: a leave, a join and changes. Also if that one is gone, or the key was taken over.
update lists set user_id = 200 where user_id = 11;
update lists set user_id = 11 where user_id = 12;
update profiles set user_id = 200 where user_id = 11;
update profiles set user_id = 11 where user_id = 13;
table reached;
truncate goals.match_log;
delete from users where id = 15;
update lists set user_id = 300 where user_id = 17;
update lists set user_id = 17 where user_id = 15;
table reached;
truncate goals.match_log;
insert into users values (1);
insert into lists values (1, 'other');
select from goals.set_goal('m', event => 'left other', time_limit => '7 days', goal => 'left other');
select from goals.set_goal('m', event => 'joined other', time_limit => '7 days', goal => 'joined other');
select from goals.record_sent('m', array['1', '101']);
update lists set user_id = 101 where (user_id, list) = (1, 'other');
table reached;
select count(*) from goals.verify();

-- Keys that all move on, and keys that are exchanged: by cascades, and by the application in the same transaction
create table people (id bigint primary key deferrable);
create table listed (user_id bigint, list text, status text default 'ok');
create table settings (user_id bigint, seats int);
create unique index on settings (user_id);
insert into people select generate_series(10, 14);
insert into listed select id, 'a' from people;
insert into settings select id, id from people;
select from goals.track_users('people');
select from goals.track_membership('listed', user_key => 'user_id', list => 'list', status => 'status', users => 'people');
select from goals.track_attributes('settings', user_key => 'user_id', users => 'people');
select from goals.create_message('p', users => 'people');
select count(goals.set_goal('p', event => e, time_limit => '7 days', goal => e)) from unnest(array['left a', 'joined a', 'joined b']) e;
select from goals.set_goal('p', attribute => 'settings.seats', operator => 'is changed', time_limit => '7 days', goal => 'changed');
select count(goals.record_sent('p', id)) from people where id <> 13;
create view of_people as select user_key, goal from goals.matches('p') order by user_key::int, goal;
begin;
update people set id = id - 1;
update listed set user_id = user_id - 1;
update settings set user_id = user_id - 1 where user_id = 10;
update settings set user_id = user_id - 1 where user_id = 11;
update settings set user_id = user_id - 1 where user_id = 12;
commit;
table of_people;
begin;
update people set id = 21 - id where id in (10, 11);
update listed set user_id = 21 - user_id where user_id in (10, 11);
commit;
table of_people;
-- With a foreign key the row is changed by the statement itself.
create table users_by_key (id bigint primary key);
create table of_key (user_id bigint references users_by_key on update cascade, list text);
insert into users_by_key select generate_series(10, 12);
insert into of_key select id, 'c' from users_by_key;
select from goals.track_users('users_by_key');
select from goals.track_membership('of_key', user_key => 'user_id', list => 'list', users => 'users_by_key');
select from goals.create_message('k', users => 'users_by_key');
select count(goals.set_goal('k', event => e, time_limit => '7 days', goal => e)) from unnest(array['left c', 'joined c']) e;
select count(goals.record_sent('k', id)) from users_by_key where id <> 11;
update users_by_key set id = id - 1;
select user_key, goal from goals.matches('k');
-- What changes beside the key is a step of the person.
begin;
update people set id = 111 where id = 11;
update listed set user_id = 111, list = 'b' where user_id = 11;
update people set id = 109 where id = 9;
update listed set user_id = 109, status = null where user_id = 9;
commit;
table of_people;
