-- A row may name its user by another unique column of the users table than the key.
create table users (id bigint primary key, email text not null unique, plan text default 'free');
insert into users select n, 'User' || n || '@x.org' from generate_series(1, 20) n;
create table log (address varchar(100), name text, worth numeric);
select from goals.track_users('users');
select from goals.track_events('log', 'address', 'name', user_by => 'email');
select from goals.create_message('m');
select from goals.set_goal('m', event => 'buy', time_limit => '1 day');
select count(*) from goals.record_sent('m', array(select id from users));
insert into log values ('User1@x.org', 'buy'), ('user2@x.org', 'buy'), ('nobody@x.org', 'buy'), (null, 'buy'), ('User3@x.org', 'visit');
select user_key from goals.matches('m') order by user_key::int;

-- An index on lower() does not tell cases apart.
create unique index on users (lower(email));
insert into log values ('USER4@X.ORG', 'buy');
alter table users drop constraint users_email_key;
insert into log values ('uSER5@X.ORG', 'buy');
select user_key from goals.matches('m') order by user_key::int;

-- The newest state of the users decides: of this transaction, and after a change of the address.
begin;
update users set email = 'six@x.org' where id = 6;
insert into log values ('six@x.org', 'buy'), ('user6@x.org', 'buy');
rollback;
update users set email = 'seven@x.org' where id = 7;
insert into log values ('Seven@x.org', 'buy'), ('user7@x.org', 'buy'), ('six@x.org', 'buy');
select user_key from goals.matches('m') order by user_key::int;

-- Whom a partial index leaves out is unknown.
drop index users_lower_idx;
create unique index part on users (email) where id > 10;
insert into log values ('User8@x.org', 'buy'), ('User11@x.org', 'buy');
select user_key from goals.matches('m') order by user_key::int;
select problem, object, detail from goals.health() where detail like '%unique%';

-- Without such an index nobody is found, and that is shown.
drop index part;
insert into log values ('User12@x.org', 'buy');
select user_key from goals.matches('m') order by user_key::int;
select problem, object, detail from goals.health() where detail like '%unique%';
create index on users (email);
create unique index on users (email, id);
create unique index on users (upper(email));
create unique index on users ((email || ''));
create unique index on users using btree (lower(plan), id);
select from goals.track_events('log', 'address', 'name', user_by => 'email');
\set VERBOSITY verbose
select from goals.track_events('log', 'address', 'name', user_by => 'email');
select from goals.track_events('log', 'address', 'name', user_by => 'nosuch');
select from goals.track_events('log', 'address', 'name', user_by => 'plan');
\set VERBOSITY default

-- citext, varchar, numbers and uuids; in partitions; by the owner's functions nothing is evaluated.
create extension citext;
create function public.lower(varchar) returns text language plpgsql immutable as $$ begin raise 'evaluated'; end $$;
create table people (id int, mail citext unique, phone bigint unique, code uuid, name varchar(20), plan text, primary key (id));
create unique index on people (code);
create unique index people_name on people (pg_catalog.lower(name));
insert into people values (1, 'Ann@x.org', 4915, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'Ann');
select from goals.track_users('people');
select from goals.create_message('p', users => 'people');
select from goals.set_goal('p', event => 'e', times => 5, time_limit => '1 day');
select goals.record_sent('p', 1) is not null as sent;
create table by_mail (who text, e text);
create table by_phone (who text, e text);
create table by_code (who text, e text);
create table by_name (who text, e text);
select from goals.track_events('by_mail', 'who', 'e', user_by => 'mail', users => 'people');
select from goals.track_events('by_phone', 'who', 'e', user_by => 'phone', users => 'people');
select from goals.track_events('by_code', 'who', 'e', user_by => 'code', users => 'people');
select from goals.track_events('by_name', 'who', 'e', user_by => 'name', users => 'people');
insert into by_mail values ('ANN@X.ORG', 'e'), ('ann', 'e');
insert into by_phone values ('4915', 'e'), ('04915', 'e'), ('x', 'e');
insert into by_code values ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'e');
insert into by_name values ('ANN', 'e');
select count(*) as hits from goals.match_log l join goals.receipt r using (receipt_id) where r.users_source_id = (select source_id from goals.source where relation = 'people'::regclass);
select user_key from goals.matches('p');

create table cut (id int, email text, plan text, primary key (email)) partition by hash (email);
create table cut_0 partition of cut for values with (modulus 2, remainder 0);
create table cut_1 partition of cut for values with (modulus 2, remainder 1);
insert into cut select n, 'u' || n from generate_series(1, 10) n;
create table cut_log (who text, e text);
select from goals.track_users('cut', 'id');
select from goals.track_events('cut_log', 'who', 'e', user_by => 'email', users => 'cut');
select from goals.create_message('c', users => 'cut');
select from goals.set_goal('c', event => 'e', time_limit => '1 day');
select count(*) from goals.record_sent('c', array(select id::bigint from cut));
insert into cut_log select 'u' || n, 'e' from generate_series(4, 12) n;
select count(*), min(user_key::int), max(user_key::int) from goals.matches('c');
