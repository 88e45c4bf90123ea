-- A table with one row per user, such as a profile or a subscription: its columns are attributes of the user.
create table users (id int primary key, plan text default 'free');
create table profiles (
    profile_id int generated always as identity primary key, user_id bigint not null unique, city text, points int, ltv numeric,
    extra jsonb, born date);
insert into users select generate_series(1, 30);
insert into profiles (user_id, city, points) select n, 'Rome', 10 from generate_series(1, 10) n;
select from goals.track_users('users');
select from goals.track_attributes('profiles', 'user_id');
select from goals.create_message('m');
select from goals.set_goal('m', 'profiles.city', 'is', 'Oslo', time_limit => '1 day');
select from goals.set_goal('m', 'profiles.points', 'is increased by', '5', time_limit => '1 day', goal => 'points', value_from => 'profiles.ltv');
select from goals.set_goal('m', 'profiles.extra.tags', 'contains', 'vip', time_limit => '1 day', goal => 'vip');
select from goals.set_goal('m', 'profiles.born', 'has any value', time_limit => '1 day', goal => 'born');
select from goals.set_goal('m', 'profiles.city', 'is unknown', time_limit => '1 day', goal => 'gone');
select from goals.set_goal('m', 'plan', 'is', 'pro', time_limit => '1 day', goal => 'plan');
create view reached as select user_key::int as u, goal, old_value, new_value, worth from goals.matches('m');
create view already as
    select user_key::int as u, goal from goals.outcome where already_matched order by 1, 2;

-- What holds when the message is sent is matched already; who has no row has no attributes.
update profiles set city = 'Oslo' where user_id = 1;
select count(*) from goals.record_sent('m', array(select id::bigint from users));
select * from already;

-- UPDATE, INSERT and DELETE, and each by its user.
update profiles set points = points + 4, ltv = 7 where user_id in (2, 3);
update profiles set points = points + 1, ltv = 9.5 where user_id = 3;
update profiles set city = 'Oslo' where user_id = 1;
update profiles set city = 'Oslo', extra = '{"tags": ["vip"]}' where user_id = 4;
insert into profiles (user_id, city, points, born) values (11, 'Oslo', 5, '2000-01-01'), (12, 'Rome', 4, null);
insert into profiles (user_id, city) values (13, null), (5, 'Bonn') on conflict (user_id) do update set city = 'Oslo';
delete from profiles where user_id in (6, 13);
update users set plan = 'pro' where id = 7;
select * from reached order by 1, 2;

-- A row that passes to another user: unknown of the one, known of the other.
update profiles set user_id = 14 where user_id = 4;
select * from reached where u in (4, 14) order by 1, 2;

-- COPY and MERGE, and a savepoint that is rolled back.
copy profiles (user_id, city) from stdin;
15	Oslo
16	Rome
\.
begin;
savepoint s;
insert into profiles (user_id, city) values (17, 'Oslo');
rollback to s;
insert into profiles (user_id, city) values (18, 'Oslo');
commit;
select current_setting('server_version_num')::int >= 150000 as has_merge \gset
\if :has_merge
merge into profiles p using (values (16, 'Oslo'), (19, 'Oslo')) v (u, c) on p.user_id = v.u
    when matched then update set city = v.c when not matched then insert (user_id, city) values (v.u, v.c);
\else
insert into profiles (user_id, city) values (16, 'Oslo'), (19, 'Oslo') on conflict (user_id) do update set city = excluded.city;
\endif
select u from reached where u > 14 and goal = 'primary' order by 1;

-- What the row's trigger sends is no effect of it; what is recorded by an earlier statement is.
begin;
select from goals.record_sent('m', 20);
insert into profiles (user_id, city) values (20, 'Oslo');
select from goals.record_sent('m', 21);
commit;
select u from reached where u in (20, 21) order by 1;
select u, goal from already where u in (20, 21) order by 1, 2;

-- Renamed and retyped columns, as in the users table; a column that is gone; the table untracked.
alter table profiles rename city to town;
alter table profiles alter points type bigint;
update profiles set town = 'Oslo', points = points + 6 where user_id = 8;
select * from reached where u = 8 order by 1, 2;
select problem, object, detail from goals.health() where problem like '%goal%';
alter table profiles drop column born;
select problem, object, detail from goals.health() where problem like '%goal%';
select from goals.untrack('profiles');
update profiles set town = 'Oslo' where user_id = 9;
select u from reached where u = 9;
select problem, object, detail from goals.health() where problem like '%goal%' order by 2;
select from goals.track_attributes('profiles', 'user_id');
update profiles set town = 'Rome' where user_id = 9;
update profiles set town = 'Oslo' where user_id = 9;
select u from reached where u = 9;

-- Partitioned, with the columns in another order; text keys; a row that moves is no row that goes and comes.
create table accounts (name text primary key);
insert into accounts values ('ann'), ('bob'), ('eve');
create table subs (extra int, state text, who text, plan text, primary key (who)) partition by list (who);
create table subs_a (plan text, who text not null, gone int, state text, extra int);
alter table subs_a drop column gone;
alter table subs attach partition subs_a for values in ('ann');
create table subs_b partition of subs for values in ('bob', 'eve');
select from goals.track_users('accounts');
select from goals.track_attributes('subs', 'who', prefix => 'my subs', users => 'accounts');
select from goals.create_message('n', users => 'accounts');
select from goals.set_goal('n', '"my subs".plan', 'is', 'pro', time_limit => '1 day');
select from goals.set_goal('n', 'my subs.state', 'is changed', time_limit => '1 day', goal => 'state');
insert into subs (who, plan, state) values ('ann', 'free', 'on'), ('bob', 'free', 'on');
select count(*) from goals.record_sent('n', array['ann', 'bob', 'eve']);
update subs set plan = 'pro' where who = 'ann';
update subs set who = 'eve' where who = 'ann';
insert into subs (who, plan, state) values ('ann', 'pro', null);
select user_key, goal, old_value, new_value from goals.matches('n') order by 1, 2;
select * from goals.verify();

-- What is refused.
\set VERBOSITY verbose
create table no_unique (user_id int, x int);
create table twice (user_id int unique, x int);
create table part (user_id int, x int);
create unique index on part ((user_id + 0));
select from goals.track_attributes('no_unique', 'user_id');
select from goals.track_attributes('part', 'user_id', users => 'users');
select from goals.track_attributes('twice', 'user_id', prefix => 'plan', users => 'users');
select from goals.track_attributes('twice', 'user_id', prefix => 'profiles', users => 'users');
select from goals.track_attributes('twice', 'nosuch', users => 'users');
select from goals.track_attributes('twice', null, users => 'users');
select from goals.track_attributes('twice', 'user_id', users => 'users', time_zone => 'Mars');
select from goals.track_attributes('twice', 'user_id', users => 'profiles');
select from goals.track_attributes('users', 'id', users => 'users');
select from goals.set_goal('m', 'profiles.nosuch', 'is', 'x', time_limit => '1 day');
select from goals.set_goal('m', 'profiles.points', 'is', 'x', time_limit => '1 day');
select from goals.set_goal('m', 'profiles.points', 'is increased', time_limit => '1 day', value_from => 'plan');
select from goals.set_goal('m', 'profiles', 'is', 'x', time_limit => '1 day');
