-- Attacks and accidents, one after the other: what a role may try that owns tables, functions, types and casts, but has no right on goals; what
-- code of a table's owner runs as; what an error leaves behind; what the log says.
\set SHOW_CONTEXT never
create role regress_attack_owner;
create role regress_attack_app;
create role regress_attack_sender;
create role regress_attack_evil;
create schema shop authorization regress_attack_owner;
create schema den authorization regress_attack_evil;
create table shop.log (what text, who name, session name);
grant usage on schema shop to regress_attack_app;
grant usage on schema goals to regress_attack_sender;
grant execute on function goals.record_sent(text, bigint, text, timestamptz, text), goals.record_sent(text, text[], text, timestamptz),
    goals.deliver(text, bigint, timestamptz, text), goals.record_event(bigint, text, jsonb, timestamptz, regclass, text), goals.assign(text, bigint) to regress_attack_sender;

-- 1. The owner of a users table puts his code wherever PostgreSQL runs some: it writes down as whom it runs.
grant insert, select on shop.log to public;
set role regress_attack_owner;
create function shop.spy(what text) returns boolean language plpgsql as $$ begin insert into shop.log values (what, current_user, session_user); return true; end $$;
create function shop.spy_index(p text) returns text language plpgsql immutable as $$ begin perform shop.spy('index expression'); return p; end $$;
create function shop.spy_generated(p text) returns text language plpgsql immutable as $$ begin perform shop.spy('generated column'); return p; end $$;
create function shop.spy_check(p text) returns boolean language plpgsql as $$ begin return shop.spy('check'); end $$;
create function shop.spy_trigger() returns trigger language plpgsql as $$ begin perform shop.spy(tg_when || ' ' || tg_op); return new; end $$;
create function shop.spy_policy() returns boolean language plpgsql as $$ begin return shop.spy('policy'); end $$;
create domain shop.watched as text check (shop.spy('domain'));
create type shop.pair as (a shop.watched, b int);
create type shop.mood as enum ('low', 'high');
create function shop.diff(numeric, numeric) returns double precision language plpgsql immutable as $$ begin perform shop.spy('range'); return $1 - $2; end $$;
create type shop.span as range (subtype = numeric, subtype_diff = shop.diff);
create function shop.pair_to_text(shop.pair) returns text language plpgsql as $$ begin perform shop.spy('cast to text'); return 'pair'; end $$;
create function shop.pair_to_json(shop.pair) returns json language plpgsql as $$ begin perform shop.spy('cast to json'); return '1'; end $$;
create function shop.mood_to_json(shop.mood) returns json language plpgsql as $$ begin perform shop.spy('cast to json'); return '1'; end $$;
create function shop.pair_eq(shop.pair, shop.pair) returns boolean language plpgsql as $$ begin perform shop.spy('operator'); return false; end $$;
create cast (shop.pair as text) with function shop.pair_to_text(shop.pair) as implicit;
create cast (shop.pair as json) with function shop.pair_to_json(shop.pair) as implicit;
create cast (shop.mood as json) with function shop.mood_to_json(shop.mood) as implicit;
create operator shop.= (leftarg = shop.pair, rightarg = shop.pair, function = shop.pair_eq);
create table shop.users (id bigint primary key, plan text check (shop.spy_check(plan)), mood shop.mood, pair shop.pair, span shop.span, watched shop.watched,
    made text generated always as (shop.spy_generated(plan)) stored);
create index on shop.users (shop.spy_index(plan));
create index on shop.users (plan) where shop.spy_index(plan) is not null;
create trigger a_spy before insert or update on shop.users for each row execute function shop.spy_trigger();
create trigger z_spy after insert or update on shop.users for each row execute function shop.spy_trigger();
alter table shop.users enable row level security, force row level security;
create policy spy on shop.users using (shop.spy_policy()) with check (shop.spy_policy());
insert into shop.users (id, plan) select n, 'free' from generate_series(1, 9) n;
grant select, insert, update on shop.users to regress_attack_app;
grant usage on schema shop to regress_attack_sender;
reset role;
truncate shop.log;

-- Everything that a superuser, a sender and the background does with his table runs none of it ...
select from goals.track_users('shop.users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('m', 'mood', 'is', 'high', '1 day', goal => 'mood');
select from goals.set_goal('m', 'pair', 'is changed', time_limit => '1 day', goal => 'pair');
select from goals.set_goal('m', 'span', 'is changed', time_limit => '1 day', goal => 'span');
select from goals.set_goal('m', 'watched', 'is', 'x', '1 day', goal => 'watched');
select from goals.set_goal('m', 'made', 'is', 'pro', '1 day', goal => 'made');
set role regress_attack_sender;
select goals.record_sent('m', array['1', '2', '3', '4']);
select goals.record_sent('m', 5::bigint) > 0 as recorded;
select send from goals.deliver('m', 6::bigint);
reset role;
select what, who, session from shop.log;
-- ... and what the application's UPDATE runs, runs as the application.
set role regress_attack_app;
update shop.users set plan = 'pro', mood = 'high', pair = row('x', 1), span = '[1,2)', watched = 'x' where id <= 4;
reset role;
select what, who from shop.log where who <> 'regress_attack_app' group by 1, 2;
select count(*) > 10 as spied from shop.log;
truncate shop.log;
select goal, matched from goals.message_stats where message = 'm' order by goal;
select count(*) from goals.matches('m');
select count(*) from goals.explain('m', 1::bigint);
select count(*) from goals.health();
select count(*) from goals.verify();
select count(goals.report('m'));
select goals.roll_up() > 0 as rolled;
select goals.forget_user(2::bigint);
select goals.purge('2000-01-01');
select from goals.set_goal('m', 'pair', 'is changed', time_limit => '2 days', goal => 'pair');
select from goals.untrack('shop.users');
select from goals.track_users('shop.users');
select what, who from shop.log group by 1, 2;

-- 2. A goal's column is swapped for a domain afterwards: its CHECK runs as who writes, and with nobody's other rights.
set role regress_attack_owner;
create domain shop.later as text check (shop.spy('later'));
drop index shop.users_spy_index_idx, shop.users_plan_idx;
alter table shop.users drop column made, drop constraint users_plan_check;
drop policy spy on shop.users;
alter table shop.users disable row level security;
alter table shop.users alter column plan type shop.later;
reset role;
truncate shop.log;
set role regress_attack_sender;
select goals.record_sent('m', 7::bigint) > 0 as recorded;
set role regress_attack_app;
update shop.users set plan = 'pro' where id = 7;
reset role;
select what, who from shop.log where what = 'later' group by 1, 2;
select problem, object from goals.health() order by 1, 2;
truncate shop.log;
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select what, who from shop.log;

-- 3. A role that owns a table and nothing of goals: it can neither track nor set, nor attach the trigger, nor undo what others did.
set role regress_attack_evil;
create table den.mine (id bigint primary key, plan text);
insert into den.mine values (1, 'free'), (9, 'free');
select goals.track_users('den.mine');
select goals.set_goal('m', 'plan', 'is', 'free', '1 day');
reset role;
-- with the schema's USAGE it gets no further
grant usage on schema goals, shop to regress_attack_evil;
set role regress_attack_evil;
select goals.track_users('den.mine');
create trigger pg_goals after update on den.mine for each row execute function goals.capture('1');
select goals.untrack('shop.users');
select goals.untrack_all();
select goals.forget_user(1::bigint);
select goals.purge(now());
select * from goals.explain('m', 1::bigint);
select goals_internal.stored_key(1, '1');
select * from goals_internal.known_message('m');
reset role;
select goals.record_sent('m', 9::bigint) > 0 as recorded;
-- By accident it may execute everything: what asks for the table's owner goes on asking, and its own trigger forges nothing.
grant execute on all functions in schema goals to regress_attack_evil;
set role regress_attack_evil;
select goals.track_users('shop.users');
select goals.track_events('shop.log', 'what', 'who');
select goals.track_receipts('shop.log', 'what', 'who');
select goals.untrack('shop.users');
select goals.untrack_all();
create trigger pg_goals after update on den.mine for each row execute function goals.capture('1');
create trigger pg_goals_2 after insert on den.mine for each row execute function goals.capture_receipt('1');
update den.mine set plan = 'pro' where id = 9;
insert into den.mine values (8, 'm');
-- a child of his own, and a partition, is no way in either
create table den.child () inherits (shop.users);
create table den.part (id bigint not null, plan text);
alter table den.part inherit shop.users;
reset role;
select (select count(*) from goals.match_log h join goals.receipt r using (receipt_id) where r.user_key = '9') as forged_matches,
    (select count(*) from goals.receipt where user_key = '8') as forged_receipts, (select count(*) from goals.ignored) as ignored;
select problem, object from goals.health() where problem ~ 'trigger';
revoke all on all functions in schema goals from regress_attack_evil;
revoke all on schema goals from regress_attack_evil;

-- 3b. Who may see figures sees no people by them: a function of his own, cheaper than any, gets the view's columns at most.
create role regress_attack_analyst;
grant usage on schema goals to regress_attack_analyst;
grant create on schema den to regress_attack_analyst;
grant usage on schema den to regress_attack_analyst;
grant select on goals.message_stats to regress_attack_analyst;
grant execute on function goals.tail_sums to regress_attack_analyst;
set role regress_attack_analyst;
create function den.leak(text) returns boolean language plpgsql cost 0.0000001 as $$ begin if $1 ~ '^[0-9]' then raise info 'a person: %', $1; end if; return true; end $$;
select count(*) from goals.message_stats s where den.leak(s.message) and s.goal = 'primary';
select count(*) from goals.message_stats s where den.leak(s::text) and s.goal = 'nothing';
select count(*) from pg_stats where schemaname = 'goals';
explain (costs off, verbose) select from goals.explain('m', 1::bigint);
reset role;

-- 4. Inside functions of others, and after errors: the user and the path are as they were.
set role regress_attack_owner;
create function shop.upgrade(who bigint) returns text language plpgsql security definer set search_path = shop, pg_temp as $$
begin
    update users set plan = 'gold' || who where id = who;
    return current_user || ' ' || current_setting('search_path');
end $$;
reset role;
select from goals.set_goal('m', 'plan', 'starts with', 'gold', '1 day', goal => 'gold');
select goals.record_sent('m', array['3', '8']);
set role regress_attack_app;
select shop.upgrade(3);
select current_user;
reset role;
select user_key from goals.matches('m', 'gold');
grant execute on function goals.create_message, goals.set_goal, goals.track_users to regress_attack_sender;
grant select on shop.users to regress_attack_sender;
set role regress_attack_sender;
set search_path = shop, pg_temp;
do $$
declare call text;
begin
    foreach call in array array['select goals.create_message(''m'')', 'select goals.set_goal(''m'', ''plan'', ''is'', null, ''1 day'')', 'select goals.track_users(''shop.users'')',
        'select goals.record_sent(''m'', 99::bigint)', 'select goals.set_goal(''m'', ''plan'', ''is'', repeat(''x'', 10), ''1 day'', goal => null)'] loop
        begin
            execute call;
            raise info 'not refused: %', call;
        exception when others then
            raise info '% % %', sqlstate, current_user, current_setting('search_path');
        end;
    end loop;
end $$;
begin;
savepoint s;
select goals.create_message('m');
rollback to s;
select current_user, current_setting('search_path') as path;
rollback;
reset search_path;
reset role;

-- 5. A restricted operation (here the function of a materialized view, run as its owner) may not be escaped through our switch.
set role regress_attack_owner;
create function shop.inside() returns text language plpgsql as $$
begin
    update shop.users set plan = 'goldfish' where id = 8;
    begin
        execute 'set role none';
        return 'escaped';
    exception when others then return sqlstate;
    end;
end $$;
create materialized view shop.mv as select shop.inside() as said with no data;
reset role;
refresh materialized view shop.mv;
select said from shop.mv;
select user_key from goals.matches('m', 'gold') order by 1;

-- 6. What the log and the client are told names no value. (LOG is the server's only; DEBUG1 shows what a client can be shown.)
alter table shop.users rename column mood to temper;
set role regress_attack_app;
set client_min_messages = debug1;
update shop.users set plan = 'secret', pair = row('secret', 2) where id = 5;
reset client_min_messages;
reset role;

-- 7. Somebody else's temporary objects, and ours of the same name, change nothing.
set role regress_attack_app;
create temp table receipt (receipt_id bigint);
create temp table source (source_id int);
create temp table match_log (match_id bigint);
set search_path = pg_temp, pg_catalog;
update shop.users set plan = 'goldmine' where id = 3;
reset search_path;
select count(*) from pg_temp.match_log;
reset role;

set client_min_messages = warning;
drop extension pg_goals cascade;
drop schema shop, den cascade;
drop owned by regress_attack_analyst, regress_attack_owner, regress_attack_app, regress_attack_sender, regress_attack_evil;
drop role regress_attack_analyst, regress_attack_owner, regress_attack_app, regress_attack_sender, regress_attack_evil;
