-- Each role does its work by calls of its own, every function README gives it among them; what it must not do is tried as well and refused.
\set ON_ERROR_STOP on
set client_min_messages = warning;
create schema shop authorization goals_admin;
create role roles_application;
create role roles_stranger;
grant usage on schema shop to roles_application;

-- must be refused; answers what would be a hole
create schema probe;
grant usage on schema probe to public;
create function probe.allowed(calls text[]) returns setof text language plpgsql as $$
declare call text; state text;
begin
    foreach call in array calls loop
        begin
            execute call;
            return next current_user || ' may: ' || call;
        exception when insufficient_privilege then null;
        when others then
            return next current_user || ' gets ' || sqlstate || ', not 42501: ' || call;
        end;
    end loop;
end $$;

set session authorization goals_admin;
create table shop.users (id bigint primary key, plan text);
create table shop.events (user_id bigint, name text);
create table shop.sends (message text, user_id bigint);
create table shop.campaigns (id int primary key, title text);
create table shop.members (user_id bigint, list int);
create table shop.opens (message text, user_id bigint);
create table shop.profiles (user_id bigint primary key, town text);
insert into shop.users select n, 'free' from generate_series(1, 40) n;
grant select, insert, update on all tables in schema shop to roles_application;
select from goals.track_users('shop.users');
select from goals.track_events('shop.events', 'user_id', 'name');
select from goals.track_receipts('shop.sends', 'message', 'user_id');
select from goals.track_messages('shop.campaigns', 'id', 'title');
select from goals.track_membership('shop.members', 'user_id', 'list');
select from goals.track_engagements('shop.opens', 'opened', message => 'message', user_key => 'user_id');
select from goals.track_attributes('shop.profiles', 'user_id');
select from goals.create_message('hello');
select from goals.create_message('test');
select from goals.set_goal('hello', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('hello', event => 'buy', time_limit => '1 day', goal => 'buy');
select from goals.set_goal('test', 'plan', 'is', 'pro', '1 day');
select from goals.add_variant('test', 'A');
select from goals.add_variant('test', 'B');
select from goals.set_control_group('test', 0.2);
reset session authorization;
create table public.of_another (id bigint primary key);

set session authorization goals_sender;
select 'sender', goals.record_sent('hello', array['1', '2', '3', '4']);
select from goals.record_sent('hello', 5::bigint);
select from goals.deliver('test', array(select n::text from generate_series(6, 40) n));
select from goals.deliver('test', 1::bigint);
select from goals.record_opened('hello', 1::bigint);
select from goals.record_clicked('hello', 2::bigint);
select from goals.record_delivered('hello', 1::bigint), goals.record_bounced('hello', 2::bigint);
select from goals.record_complained('hello', 1::bigint), goals.record_unsubscribed('hello', 1::bigint);
begin;
select from goals.withdraw(goals.record_sent('hello', 5::bigint));
rollback;
select * from goals.record_engagements('[{"message": "hello", "user": 1, "kind": "delivered"}, {"message": "hello", "user": 0, "kind": "opened"}]');
select from goals.record_event(3::bigint, 'buy');
select 'sender', goals.assign('test', 7::bigint) is not null;
select probe.allowed(array['select * from goals.message_stats', 'select * from goals.stats(''hello'')', 'select * from goals.matches(''hello'')',
    'select * from goals.outcome', 'select * from goals.receipt', 'select goals.forget_user(1::bigint)', 'select goals.purge(now())', 'select goals.roll_up()',
    'select goals.merge_users(1::bigint, 2::bigint)', 'select * from goals.gone_users()', 'select * from goals_internal.spells(1, ''1'')',
    'select goals.set_goal(''hello'', ''plan'', ''is'', ''x'', ''1 day'')', 'select goals.create_message(''n'')', 'select goals.untrack(''shop.users'')', 'select goals.track_users(''public.of_another'')',
    'insert into goals.receipt select * from goals.receipt', 'insert into goals.match_log default values', 'select nextval(''goals.receipt_id_seq'')', 'select * from shop.users']);
reset session authorization;

-- The application: not even USAGE on the schema. Its own changes are matched.
set session authorization roles_application;
set search_path = '';
update shop.users set plan = 'pro' where id <= 20;
insert into shop.events values (1, 'buy'), (2, 'buy');
insert into shop.sends values ('hello', 30);
update shop.users set plan = 'pro' where id = 30;
select probe.allowed(array['select * from goals.message_stats', 'select * from goals.health()', 'select goals.record_event(1::bigint, ''buy'')', 'select goals.assign(''test'', 1::bigint)',
    'select * from goals.source', 'select goals.capture()', 'set pg_goals.enabled = off']);
reset session authorization;
reset search_path;
set session authorization roles_stranger;
select probe.allowed(array['select * from goals.message_stats', 'select * from goals.stats(''hello'')', 'select goals_internal.known_message(''hello'')', 'select goals.rate_interval(1, 2)', 'select nextval(''goals.match_id_seq'')',
    'select * from goals.total', 'update shop.users set plan = ''x''', 'set pg_goals.enabled = off']);
reset session authorization;

set session authorization goals_analyst;
select 'analyst', goal, sent, opened, clicked, matched from goals.message_stats where message = 'hello' order by goal;
select 'analyst', sum(sent) > 30 from goals.variant_stats where message = 'test';
select 'analyst', sent, matched from goals.stats('hello');
select 'analyst', count(*) > 0 from goals.stats_bar('hello');
select 'analyst', count(*) from goals.compare('test');
select 'analyst', count(*) > 0 from goals.daily('hello');
select 'analyst', count(*) > 0 from goals.daily_since_sending('hello');
select 'analyst', count(*) > 0 from goals.attribution();
select 'analyst', goals.report('hello') like '<!%';
select 'analyst', goals.report_data('hello') is not null;
select 'analyst', count(*) from goals.health();
select 'analyst', count(*) from goals.verify();
select 'analyst', count(*) > 0 from goals.tail_sums();
select 'analyst', x is not null from goals.rate_interval(3, 10) x;
select 'analyst', x is not null from goals.difference_interval(3, 10, 5, 10) x;
select 'analyst', x is not null from goals.ratio_interval(3, 10, 5, 10) x;
select 'analyst', p between 0 and 1 from goals.proportion_test(3, 10, 5, 10);
select 'analyst', p between 0 and 1 from goals.proportions_test('{3,5}', '{10,10}');
select 'analyst', goals.adjust_p('{0.01,0.2}') is not null;
select 'analyst', goals.probability_better(3, 10, 5, 10) is not null;
select 'analyst', goals.anytime_test('{3,5}', '{1,1}') is not null;
select 'analyst', x is not null from goals.anytime_ratio_interval(3, 5, 1, 1) x;
select 'analyst', p between 0 and 1 from goals.split_test('{10,12}', '{1,1}');
select 'analyst', goals.sample_size(0.1, 0.12) > 100;
select probe.allowed(array['select * from goals.matches(''hello'')', 'select * from goals.explain(''hello'', 1::bigint)', 'select * from goals.outcome', 'select * from goals_internal.ledger', 'select * from goals.receipt',
    'select * from goals.match_log', 'select goals.record_sent(''hello'', 1::bigint)', 'select goals.forget_user(1::bigint)', 'select goals.purge(now())', 'select goals.roll_up()', 'select goals.stop_goal(''hello'')',
    'select * from goals_internal.movement(0, 0, 0, 9, 9, 9)', 'select * from goals_internal.compare_data(''test'')']);
reset session authorization;

set session authorization goals_admin;
select 'admin', user_key from goals.matches('hello') order by 2;
select 'admin', verdict from goals.explain('hello', 1::bigint) order by 2;
select 'admin', count(*) > 5 from goals.outcome;
select 'admin', sent from goals.message_stats where message = 'hello' and goal = 'primary';
select 'admin', count(*) from goals.health();
select 'admin', goals.roll_up() > 0;
select 'admin', goals.merge_users(2::bigint, 3::bigint);
select 'admin', count(*) from goals.gone_users();
select 'admin', goals.forget_user(1::bigint);
select 'admin', goals.purge('2000-01-01');
select from goals.stop_goal('hello', 'buy');
select from goals.rename_message('test', 'tested');
select from goals.drop_message('tested');
select from goals.reset();
select probe.allowed(array['select goals.track_users(''public.of_another'')', 'select * from goals.receipt', 'delete from goals.receipt', 'update goals.total set matched = 0', 'select goals_internal.archive(''{1}'')', 'select goals_internal.add_to_totals(''{}'')',
    'create trigger t after update on shop.users for each row execute function goals.capture(''1'')', 'alter table goals.receipt disable trigger all', 'drop extension pg_goals']);
create table shop.users_new (like shop.users including all);
select from goals.move_users('shop.users', 'shop.users_new');
select from goals.untrack('shop.sends');
select from goals.untrack_all();
reset session authorization;
select 'attached', count(*) from goals.source where attached;

-- A table of another's, tracked by its owner: set_goal() asks for SELECT on the column, as a query would.
create table public.people (id bigint primary key, plan text, password text);
insert into public.people values (1, 'free', 'secret');
select from goals.track_users('public.people');
select from goals.create_message('people');
grant select (plan) on public.people to goals_admin;
set session authorization goals_admin;
select from goals.set_goal('people', 'plan', 'is', 'pro', '1 day');
select probe.allowed(array['select goals.set_goal(''people'', ''password'', ''starts with'', ''s'', ''1 day'')', 'select goals.set_goal(''people'', ''plan'', ''is'', ''pro'', ''1 day'', value_from => ''password'')',
    'select goals.track_users(''public.people'')', 'select goals.untrack(''public.people'')', 'select goals.reset()', 'select password from public.people']);
reset session authorization;
select from goals.untrack_all();
