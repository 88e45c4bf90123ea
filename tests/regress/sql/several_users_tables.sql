-- Users and companies in one database: each message belongs to one of them, and their keys have nothing to do with each other.
\set SHOW_CONTEXT never
create table users (id bigint primary key, plan text, company_id bigint);
create table companies (code text, plan text, seats int, primary key (code));
create schema other;
create table other.users (id int primary key, plan text);
insert into users select n, 'free', n from generate_series(1, 3) n;
insert into companies select n::text, 'free', 0 from generate_series(1, 3) n;
insert into other.users select n, 'free' from generate_series(1, 3) n;
select from goals.track_users('users');
-- As long as there is one, it need not be named.
select from goals.create_message('to users');
select from goals.track_users('companies');
select from goals.track_users('other.users');
select from goals.create_message('to whom');
select from goals.create_message('to companies', users => 'companies');
select from goals.create_message('to others', users => 'other.users');
select from goals.create_message('to nobody', users => 'pg_class');
select from goals.set_goal('to users', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('to companies', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('to others', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('to companies', 'seats', 'is increased', time_limit => '1 day', goal => 'seats');
select from goals.set_goal('to users', 'seats', 'is increased', time_limit => '1 day', goal => 'seats');
select goals.record_sent(m, array['1', '2']) from unnest(array['to users', 'to companies', 'to others']) m;
update companies set plan = 'pro', seats = 1 where code = '1';
update users set plan = 'pro' where id = 2;
update other.users set plan = 'pro';
select m, user_key, goal from unnest(array['to users', 'to companies', 'to others']) m, goals.matches(m) order by m, user_key, goal;

-- Events say of whose users they are.
create table user_events (user_id bigint, name text);
create table company_events (code text, name text);
select from goals.track_events('user_events', 'user_id', 'name');
select from goals.track_events('user_events', 'user_id', 'name', users => 'users');
select from goals.track_events('company_events', 'code', 'name', users => 'companies');
select from goals.set_goal('to users', event => 'login', time_limit => '1 day', goal => 'login');
select from goals.set_goal('to companies', event => 'login', time_limit => '1 day', goal => 'login');
select goals.record_sent(m, array['3']) from unnest(array['to users', 'to companies']) m;
insert into company_events values ('3', 'login');
select m, user_key from unnest(array['to users', 'to companies']) m, goals.matches(m, 'login');
select from goals.record_event(3::bigint, 'login');
select from goals.record_event(3::bigint, 'login', users => 'users');
select m, user_key from unnest(array['to users', 'to companies']) m, goals.matches(m, 'login') order by m;

-- One table of sends serves them all: the message says whose key it is.
create table sends (who text, message text);
select from goals.track_receipts('sends', 'message', 'who');
insert into sends values ('1', 'to users'), ('1', 'to companies'), ('x', 'to companies'), ('1', 'to others');
select message, goal, sent, matched, already_matched from goals.message_stats order by message, goal;

-- Forgetting user 1 is not forgetting company 1.
select goals.forget_user(1::bigint);
select goals.forget_user(1::bigint, users => 'users');
select m, count(*) from unnest(array['to users', 'to companies', 'to others']) m, goals.explain(m, '1') group by m order by m;
select message, goal, sent, matched, already_matched from goals.message_stats order by message, goal;
select goals.forget_user(1::bigint, users => 'pg_class');

-- Each can be untracked by itself.
select from goals.untrack('companies');
select goals.record_sent('to users', array['1']);
update users set plan = 'free';
update users set plan = 'pro' where id = 1;
update companies set plan = 'pro';
select m, user_key from unnest(array['to users', 'to companies']) m, goals.matches(m, 'primary') order by m, user_key;
select problem, object from goals.health();
select from goals.untrack_all();
update other.users set plan = 'free';
select tgrelid::regclass from pg_trigger where not tgisinternal;
select from goals.create_message('to whom');
