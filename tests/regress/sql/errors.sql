-- Wrong calls: what they are told. SQLSTATE, message, detail, hint.
create procedure refused(statement text) language plpgsql as $$
declare state text; message text; detail text; hint text;
begin
    begin
        execute statement;
        raise info 'NOT REFUSED: %', statement;
        return;
    exception when others then
        get stacked diagnostics state = returned_sqlstate, message = message_text, detail = pg_exception_detail, hint = pg_exception_hint;
    end;
    raise info '%', concat_ws(e'\n', state || ': ' || regexp_replace(message, 'pg_temp_[0-9]+', 'pg_temp'), '  detail: ' || nullif(detail, ''), '  hint: ' || nullif(hint, ''));
end $$;

-- No users table, or several
call refused($$ select goals.create_message('m') $$);
call refused($$ select goals.record_event('1', 'e') $$);
call refused($$ select goals.forget_user('1') $$);
create table users (id bigint primary key, gone int, name text, plan text, visits int, born date, seen_at timestamptz, active boolean, tags text[], ns int[], custom jsonb, u uuid, price numeric);
alter table users drop column gone;
insert into users (id, plan) select n, 'free' from generate_series(1, 9) n;
create table events (user_id bigint, name text, price float);
call refused($$ select goals.track_events('events', 'user_id', 'name') $$);
call refused($$ select goals.track_receipts('events', 'name', 'user_id') $$);

-- What can be tracked, and with what key
create view v as select * from users;
create materialized view mv as select * from users;
create temp table t (id int primary key);
create sequence q;
create type c as (id int);
create foreign data wrapper nothing;
create server nowhere foreign data wrapper nothing;
create foreign table f (id int) server nowhere;
create table without_key (id int);
create table two_keys (a int, b int, primary key (a, b));
create table odd_key (at timestamptz primary key, body jsonb);
create index i on users (plan);
call refused($$ select goals.track_users('v') $$);
call refused($$ select goals.track_users('mv') $$);
call refused($$ select goals.track_users('t') $$);
call refused($$ select goals.track_users('q') $$);
call refused($$ select goals.track_users('c') $$);
call refused($$ select goals.track_users('f') $$);
call refused($$ select goals.track_users('i') $$);
call refused($$ select goals.track_users('pg_class') $$);
call refused($$ select goals.track_users('goals.receipt') $$);
call refused($$ select goals.track_users('nothing') $$);
call refused($$ select goals.track_users(0) $$);
call refused($$ select goals.track_users(null) $$);
call refused($$ select goals.track_users('without_key') $$);
call refused($$ select goals.track_users('two_keys') $$);
call refused($$ select goals.track_users('odd_key') $$);
call refused($$ select goals.track_users('users', 'custom') $$);
call refused($$ select goals.track_users('users', 'idd') $$);
call refused($$ select goals.track_users('users', 'gone') $$);
call refused($$ select goals.untrack('users') $$);
select from goals.track_users('users');
call refused($$ select goals.track_events('users', 'id', 'name') $$);
call refused($$ select goals.track_events('events', 'user', 'name') $$);
call refused($$ select goals.track_events('events', null, 'name') $$);
call refused($$ select goals.track_receipts('events', 'name', 'user_id', sent_at => 'name') $$);
call refused($$ select goals.track_receipts('events', 'name', 'user_id', variant => 'price') $$);

-- Names
select from goals.create_message('welcome');
select from goals.set_goal('welcome', 'plan', 'is', 'pro', '1 day');
select from goals.create_message('empty');
call refused($$ select goals.create_message('welcome') $$);
call refused($$ select goals.create_message('') $$);
call refused($$ select goals.create_message(null) $$);
call refused($$ select goals.create_message('x', kind => 'sometimes') $$);
call refused($$ select goals.create_message('x', users => 'events') $$);
call refused($$ select goals.create_message('x', part_of => 'welcom') $$);
call refused($$ select goals.create_message('x', part_of => 'welcome') $$);
begin;
create table others (id int primary key);
select from goals.track_users('others');
select from goals.create_message('all', kind => 'programme', users => 'users');
select from goals.create_message('series', kind => 'programme', part_of => 'all', users => 'users');
call refused($$ select goals.create_message('x', part_of => 'all', users => 'others') $$);
call refused($$ select goals.create_message('x', kind => 'programme', part_of => 'series', users => 'users') $$);
call refused($$ select goals.add_variant('series', 'held out') $$);
rollback;
call refused($$ select goals.set_goal('welcom', 'plan', 'is', 'pro', '1 day') $$);
call refused($$ select goals.set_goal('Christmas', 'plan', 'is', 'pro', '1 day') $$);
call refused($$ select goals.set_goal(null, 'plan', 'is', 'pro', '1 day') $$);
call refused($$ select goals.record_sent('wellcome', 1::bigint) $$);
call refused($$ select goals.record_sent('wellcome', array['1']) $$);
call refused($$ select goals.deliver('wellcome', '1') $$);
call refused($$ select goals.assign('wellcome', '1') $$);
call refused($$ select goals.record_opened('wellcome', '1') $$);
call refused($$ select goals.record_clicked('wellcome', '1') $$);
call refused($$ select goals.stop_goal('wellcome') $$);
call refused($$ select goals.stop_goal('welcome', 'primry') $$);
call refused($$ select goals.stop_goal('empty', 'primary') $$);
call refused($$ select * from goals.stats('wellcome') $$);
call refused($$ select * from goals.stats('Christmas') $$);
call refused($$ select * from goals.stats('welcome', 'primry') $$);
call refused($$ select * from goals.stats('empty', 'primary') $$);
call refused($$ select * from goals.matches('wellcome') $$);
call refused($$ select * from goals.matches('welcome', 'primry') $$);
call refused($$ select * from goals.explain('wellcome', '1') $$);
call refused($$ select goals.add_variant('wellcome', 'a') $$);
call refused($$ select goals.set_control_group('wellcome') $$);
call refused($$ select goals.set_goal('it''s', 'plan', 'is', 'pro', '1 day') $$);

-- Attributes, operators, values
call refused($$ select goals.set_goal('welcome', 'plam', 'is', 'pro', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'gone', 'is', '1', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'ctid', 'is', '1', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'plan.size', 'is', '1', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'plan', null, 'pro', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'equals', 'pro', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'greater than', 'pro', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is increased', time_limit => '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'visits', 'contains', '1', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'active', 'greater than', '1', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'tags', 'is', '{a}', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'born', 'is', '2024-01-01', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'born', 'is unknown', time_limit => '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'seen_at', 'is changed', time_limit => '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is', null, '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is changed', 'x', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'visits', 'is', 'many', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'visits', 'is', '1.5', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'visits', 'is any of', '{1,x}', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'visits', 'at least', '', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'active', 'is', 'maybe', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'u', 'is', 'a0eebc99', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'ns', 'contains', 'x', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'price', 'is', '1,5', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'custom.n', 'at least', 'x', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is any of', 'pro', '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is any of', '{}', '1 day') $$);

-- Time limits
call refused($$ select goals.set_goal('welcome', 'plan', 'is', 'pro') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is', 'pro', '0') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is', 'pro', '-3 days') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is', 'pro', '1 month') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is', 'pro', '1 year') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is', 'pro', '3651 days') $$);

-- One of attribute and event
call refused($$ select goals.set_goal('welcome', time_limit => '1 day') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is', 'pro', '1 day', event => 'buy') $$);
call refused($$ select goals.set_goal('welcome', 'plan', 'is', 'pro', '1 day', times => 2) $$);
call refused($$ select goals.set_goal('welcome', event => 'buy', operator => 'is', time_limit => '1 day') $$);
call refused($$ select goals.set_goal('welcome', event => 'buy', time_limit => '1 day', times => 0) $$);
call refused($$ select goals.set_goal('welcome', event => 'buy', time_limit => '1 day', after => 'read') $$);
call refused($$ select goals.set_goal('welcome', event => 'buy', time_limit => '1 day', goal => '') $$);

-- Users
call refused($$ select goals.record_sent('welcome', 99::bigint) $$);
call refused($$ select goals.record_sent('welcome', 'Ann') $$);
call refused($$ select goals.record_sent('welcome', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid) $$);
call refused($$ select goals.record_sent('welcome', null::text) $$);
call refused($$ select goals.deliver('welcome', '99') $$);
call refused($$ select goals.record_opened('welcome', '99') $$);
call refused($$ select goals.record_clicked('welcome', '1') $$);
call refused($$ select goals.record_opened(123456) $$);
select goals.record_sent('empty', array['1', '99', '1', 'Ann', null, '2', ' 2']);
select count(*) from goals.deliver('empty', array['3', '98', '3']);

-- Times
call refused($$ select goals.record_sent('welcome', '1', sent_at => clock_timestamp() + interval '6 minutes') $$);
call refused($$ select goals.record_sent('welcome', array['1'], sent_at => clock_timestamp() + interval '6 minutes') $$);
call refused($$ select goals.deliver('welcome', '1', sent_at => clock_timestamp() + interval '6 minutes') $$);
call refused($$ select goals.record_opened('empty', '1', clock_timestamp() + interval '6 minutes') $$);
call refused($$ select goals.record_clicked('empty', '1', clock_timestamp() + interval '6 minutes') $$);
call refused($$ select goals.record_event('1', 'e', occurred_at => clock_timestamp() + interval '6 minutes') $$);
call refused($$ select goals.record_sent('welcome', '1', sent_at => null) $$);

-- Variants
select from goals.create_message('test');
select from goals.add_variant('test', 'long');
call refused($$ select goals.add_variant('test', 'long') $$);
call refused($$ select goals.add_variant('test', 'control') $$);
call refused($$ select goals.add_variant('test', '') $$);
call refused($$ select goals.add_variant('test', 'b', 0) $$);
call refused($$ select goals.add_variant('test', 'b', -1) $$);
call refused($$ select goals.add_variant('test', 'b', 'NaN') $$);
call refused($$ select goals.add_variant('test', 'b', 'Infinity') $$);
call refused($$ select goals.set_control_group('test', 1) $$);
call refused($$ select goals.set_control_group('test', -0.1) $$);
call refused($$ select goals.set_control_group('test', 'NaN') $$);
call refused($$ select goals.record_sent('test', '1', variant => 'lung') $$);
call refused($$ select goals.record_sent('empty', '1', variant => 'a') $$);
select from goals.record_sent('test', '1', variant => 'long');
call refused($$ select goals.add_variant('test', 'c') $$);
call refused($$ select goals.set_control_group('test', 0.5) $$);

-- The control group, where there is none or it is a programme's; reports about who was sent nothing
begin;
call refused($$ select goals.record_sent('empty', '1', variant => 'control') $$);
call refused($$ select goals.record_sent('empty', '1', variant => 'held out') $$);
select from goals.create_message('all', kind => 'programme');
select from goals.set_control_group('all', 0.999);
select from goals.create_message('news', part_of => 'all');
select goals.assign('news', '1'), goals.assign('all', '1');
call refused($$ select goals.record_sent('news', '1', variant => 'control') $$);
call refused($$ select goals.record_sent('all', '1', variant => 'held out') $$);
call refused($$ select goals.record_delivered('news', '1') $$);
select goals.record_sent('news', '1') as receipt \gset
call refused($$ select goals.record_delivered('news', '1', clock_timestamp() - interval '1 day') $$);
select from goals.withdraw(:receipt);
call refused($$ select goals.record_unsubscribed('news', '1') $$);
rollback;

-- A table of sends named as a users table
begin;
create table sends (who bigint, what text);
select from goals.track_receipts('sends', 'what', 'who');
call refused($$ select goals.create_message('x', users => 'sends') $$);
call refused($$ select goals.record_event('1', 'e', users => 'sends') $$);
call refused($$ select goals.merge_users('1', '2', users => 'sends') $$);
call refused($$ select goals.forget_user('1', 'sends') $$);
call refused($$ select * from goals.gone_users('sends') $$);
rollback;

-- A value that the type's own input function refuses, whatever it says of it
create table places (id int primary key, net inet, span tstzrange, rel regclass, days date[], bits varbit, path jsonpath, query tsquery);
select from goals.track_users('places');
select from goals.create_message('places', users => 'places');
call refused($$ select goals.set_goal('places', 'net', 'is', '1.50', '1 day') $$);
call refused($$ select goals.set_goal('places', 'net', 'is any of', '{127.0.0.1,localhost}', '1 day') $$);
call refused($$ select goals.set_goal('places', 'span', 'is', '[2026-01-01', '1 day') $$);
call refused($$ select goals.set_goal('places', 'rel', 'is', 'no_such_table', '1 day') $$);
call refused($$ select goals.set_goal('places', 'days', 'contains', '2026-02-30', '1 day') $$);
call refused($$ select goals.set_goal('places', 'days', 'contains', 'someday', '1 day') $$);
call refused($$ select goals.set_goal('places', 'bits', 'is', '012', '1 day') $$);
call refused($$ select goals.set_goal('places', 'path', 'is', '$[', '1 day') $$);
call refused($$ select goals.set_goal('places', 'query', 'is', 'a &', '1 day') $$);

-- Who does not own the table; who may not call
create role regress_goals_other;
grant usage on schema goals to regress_goals_other;
grant execute on all functions in schema goals to regress_goals_other;
set role regress_goals_other;
call refused($$ select goals.track_users('users') $$);
call refused($$ select goals.track_events('events', 'user_id', 'name') $$);
call refused($$ select goals.track_receipts('events', 'name', 'user_id') $$);
call refused($$ select goals.untrack('users') $$);
call refused($$ select goals.untrack_all() $$);
reset role;
revoke execute on all functions in schema goals from regress_goals_other;
set role regress_goals_other;
call refused($$ select goals.create_message('mine') $$);
call refused($$ select * from goals.message_stats $$);
reset role;
drop owned by regress_goals_other;
drop role regress_goals_other;

-- Nothing of all this has changed anything.
select message, goal, sent, matched from goals.message_stats order by message;
select * from goals.health();
