-- user_by tells which user has a value: so it takes SELECT on that column, as a goal does.
create table users (id bigint primary key, email text unique, phone text unique);
insert into users values (1, 'ann@example.org', '1'), (2, 'bob@example.org', '2');
select from goals.track_users('users');
create role regress_named_by;
select from goals.grant_to('regress_named_by', 'admin');
grant create, usage on schema public to regress_named_by;
grant select (id, phone) on users to regress_named_by;
set role regress_named_by;
create table mine (message text, who text);
\set VERBOSITY verbose
select from goals.track_receipts('mine', message => 'message', user_key => 'who', user_by => 'email');
select from goals.track_events('mine', user_key => 'who', event => 'message', user_by => 'email');
select from goals.track_engagements('mine', 'opened', message => 'message', user_key => 'who', user_by => 'email');
\set VERBOSITY default
select from goals.track_receipts('mine', message => 'message', user_key => 'who', user_by => 'phone');
reset role;
alter table users enable row level security;
set role regress_named_by;
select from goals.track_receipts('mine', message => 'message', user_key => 'who', user_by => 'phone');
reset role;
drop table mine;
drop owned by regress_named_by;
drop role regress_named_by;

-- Of users tables that are tracked later, too: there the call has to be repeated, by who may read them.
create role regress_named_by;
select from goals.grant_to('regress_named_by', 'admin');
grant create, usage on schema public to regress_named_by;
select from goals.untrack('users');
alter table users disable row level security;
set role regress_named_by;
create table own (id bigint primary key, email text unique);
insert into own values (5, 'own@example.org');
select from goals.track_users('own');
create table sent (message text, who text);
select from goals.track_receipts('sent', message => 'message', user_key => 'who', user_by => 'email');
reset role;
select from goals.track_users('users');
select from goals.create_message('x', users => 'users');
select from goals.create_message('y', users => 'own');
insert into sent values ('x', 'bob@example.org'), ('y', 'own@example.org');
select message, user_key from goals.receipt r join goals.message m on m.users_source_id = r.users_source_id cross join lateral (select m.name as message) n;
select problem, object from goals.health() where problem <> 'dropped table';
select from goals.track_receipts('sent', message => 'message', user_key => 'who', user_by => 'email');
insert into sent values ('x', 'bob@example.org');
select message, sent from goals.message_stats order by 1;
drop table sent, own;
drop owned by regress_named_by;
drop role regress_named_by;
