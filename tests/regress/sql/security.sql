-- Who may what, and what the attacks known from other extensions come to.
\set SHOW_CONTEXT never
create extension pg_goals;
create role regress_goals_owner;
create role regress_goals_app;
create role regress_goals_evil;
grant create on schema public to regress_goals_evil;
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 9) n;
create table events (user_id bigint, name text);
create table sends (user_id bigint, message text, opened timestamptz);
alter table users owner to regress_goals_owner;
alter table events owner to regress_goals_owner;
alter table sends owner to regress_goals_owner;

-- The owner of a table tracks it, given the function and nothing else.
grant usage on schema goals to regress_goals_owner;
grant execute on function goals.track_users, goals.track_events, goals.track_receipts, goals.untrack, goals.create_message, goals.set_goal to regress_goals_owner;
set role regress_goals_owner;
select from goals.track_users('users');
select from goals.track_events('events', 'user_id', 'name');
select from goals.track_receipts('sends', 'message', 'user_id', opened_at => 'opened');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'buy');
select * from goals.message_stats;
reset role;
revoke all on all functions in schema goals from regress_goals_owner;
revoke all on schema goals from regress_goals_owner;

-- The application needs nothing but the rights on its own tables: not even on the schema, with any search_path.
grant select, insert, update on users, events, sends to regress_goals_app;
set role regress_goals_app;
set search_path = '';
insert into public.sends values (1, 'm'), (2, 'm');
update public.sends set opened = clock_timestamp();
update public.users set plan = 'pro' where id = 1;
insert into public.events values (2, 'buy');
select * from goals.message_stats;
select * from goals.receipt;
select goals.record_event('1', 'buy');
reset role;
reset search_path;
select goal, sent, opened, matched from goals.message_stats order by goal;

-- Tracked, a partitioned table is as much its owner's as before: he makes and attaches partitions with no right on anything of ours,
-- also a new owner; and nobody's role is kept from being dropped.
create role regress_goals_heir;
grant create on schema public to regress_goals_owner, regress_goals_heir;
set role regress_goals_owner;
create table people (id bigint, region text, plan text) partition by list (region);
create table logins (who bigint, name text, month int) partition by list (month);
create table mails (who bigint, message text, month int) partition by list (month);
reset role;
select from goals.track_users('people', 'id');
select from goals.track_events('logins', 'who', 'name', users => 'people');
select from goals.track_receipts('mails', 'message', 'who');
set role regress_goals_owner;
create table people_a partition of people for values in ('a');
create table people_b (like people);
alter table people attach partition people_b for values in ('b');
create table logins_1 partition of logins for values in (1) partition by list (name);
create table logins_1_x partition of logins_1 default;
create table mails_1 partition of mails for values in (1);
reset role;
alter table people owner to regress_goals_heir;
set role regress_goals_heir;
create table people_c partition of people for values in ('c');
reset role;
select tgrelid::regclass, tgname from pg_trigger where tgrelid in ('people_c'::regclass, 'logins_1_x'::regclass, 'mails_1'::regclass) order by tgrelid::regclass::text collate "C";
-- The right that this takes is on the trigger's function alone, and leads nowhere without one on the schema.
set role regress_goals_evil;
create table my_people (id bigint primary key, region text, plan text);
create trigger pg_goals_4 after update on my_people for each row execute function goals.capture('4');
reset role;
select from unnest(array['people', 'logins', 'mails']::regclass[]) t, goals.untrack(t);
drop table people, logins, mails, my_people;
revoke create on schema public from regress_goals_owner, regress_goals_heir;
drop role regress_goals_heir;

-- A sender: EXECUTE on the recording functions is enough. It cannot read who matched, nor the figures.
create role regress_goals_sender;
grant usage on schema goals to regress_goals_sender;
do $$ declare f regprocedure; begin
    for f in select oid from pg_proc where pronamespace = 'goals'::regnamespace and proname in ('deliver', 'record_sent', 'record_opened', 'record_clicked', 'record_event', 'assign') loop
        execute format('grant execute on function %s to regress_goals_sender', f);
    end loop;
end $$;
set role regress_goals_sender;
select goals.record_sent('m', array['3', '4', '5']);
select from goals.record_sent('m', 6::bigint);
select from goals.deliver('m', '7');
select goals.assign('m', '7');
select from goals.record_opened('m', '3');
select from goals.record_clicked('m', '4');
select from goals.record_event('3', 'buy');
select * from goals.message_stats;
select * from goals.matches('m');
select * from goals.receipt;
select goals.set_goal('m', 'plan', 'is', 'x', '1 day');
select * from users;
reset role;

-- An analyst: the figures, not the people. (The views call goals.tail_sums(), which PostgreSQL lets only those call who may.)
create role regress_goals_analyst;
grant usage on schema goals to regress_goals_analyst;
grant select on goals.message_stats, goals.variant_stats to regress_goals_analyst;
grant execute on function goals.tail_sums, goals.stats, goals.compare, goals.stats_bar to regress_goals_analyst;
set role regress_goals_analyst;
select goal, sent, opened, clicked, matched from goals.message_stats order by goal;
select goal, sent from goals.variant_stats order by goal;
select sent, matched from goals.stats('m');
select count(*) > 0 as drawn from goals.stats_bar('m');
select * from goals.matches('m');
select * from goals.explain('m', '1');
select * from goals.outcome;
select goals.record_sent('m', '8');
reset role;

-- Nobody else has anything, but the right to have a trigger cloned onto a partition.
select p.oid::regprocedure from pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where p.pronamespace = 'goals'::regnamespace and a.grantee = 0 order by p.oid::regprocedure::text collate "C";
select c.oid::regclass from pg_class c, aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a where c.relnamespace = 'goals'::regnamespace and a.grantee = 0 and c.relkind <> 'c' order by c.oid::regclass::text collate "C";
select nspname from pg_namespace n, aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a where n.nspname = 'goals' and a.grantee = 0;

-- A role cannot attach the trigger to a table of its own, and with it forge matches ...
set role regress_goals_evil;
create table mine (id bigint primary key, plan text);
insert into mine values (8, 'free');
create trigger pg_goals after update on mine for each row execute function goals.capture('1');
create trigger pg_goals after insert on mine for each row execute function goals.capture_event('2');
reset role;
select from goals.record_sent('m', 8::bigint);
-- ... and where a superuser has attached it to a table that is not tracked, it forges nothing and fails nothing.
create trigger pg_goals after update on mine for each row execute function goals.capture('1');
create trigger events after insert on mine for each row execute function goals.capture_event('2');
create trigger sends after insert or update on mine for each row execute function goals.capture_receipt('3');
create trigger nothing after update on mine for each row execute function goals.capture();
create trigger nonsense after update on mine for each row execute function goals.capture('x', 'y');
create trigger before before update on mine for each row execute function goals.capture('1');
create trigger whole after update on mine for each statement execute function goals.capture('1');
create trigger emptied after truncate on mine for each statement execute function goals.capture('1');
set role regress_goals_evil;
update mine set plan = 'pro' returning plan;
insert into mine values (9, 'm');
truncate mine;
reset role;
select verdict from goals.explain('m', 8::bigint) where goal = 'primary';
select goals.capture();

-- A domain whose CHECK runs the table owner's function is run by nobody but him who writes.
create schema regress_goals_owner authorization regress_goals_owner;
create table regress_goals_owner.log (who name);
alter table regress_goals_owner.log owner to regress_goals_owner;
set role regress_goals_owner;
create function regress_goals_owner.spy(text) returns boolean language plpgsql as $$ begin insert into regress_goals_owner.log values (current_user); return true; end $$;
grant usage on schema regress_goals_owner to regress_goals_app;
grant insert on regress_goals_owner.log to regress_goals_app;
create domain regress_goals_owner.evil as text check (regress_goals_owner.spy(value));
alter table users add column d regress_goals_owner.evil;
reset role;
truncate regress_goals_owner.log;
select from goals.set_goal('m', 'd', 'is', 'x', '1 day', goal => 'domain');
select goals.record_sent('m', array['9']);
set role regress_goals_app;
update public.users set d = 'x' where id = 9;
reset role;
select distinct who from regress_goals_owner.log;
select goal, matched from goals.message_stats where goal = 'domain';

-- Operators, functions and types of the same name, first in the caller's search_path, are not called.
create schema regress_goals_trap authorization regress_goals_evil;
set role regress_goals_evil;
create function regress_goals_trap.sprung() returns boolean language plpgsql as $$ begin raise exception 'trap sprung as %', current_user; end $$;
create function regress_goals_trap.eq(text, text) returns boolean language sql as 'select regress_goals_trap.sprung()';
create function regress_goals_trap.eq(integer, integer) returns boolean language sql as 'select regress_goals_trap.sprung()';
create function regress_goals_trap.eq(oid, oid) returns boolean language sql as 'select regress_goals_trap.sprung()';
create operator regress_goals_trap.= (leftarg = text, rightarg = text, function = regress_goals_trap.eq);
create operator regress_goals_trap.= (leftarg = integer, rightarg = integer, function = regress_goals_trap.eq);
create operator regress_goals_trap.= (leftarg = oid, rightarg = oid, function = regress_goals_trap.eq);
create function regress_goals_trap.count(anyelement) returns bigint language sql as 'select regress_goals_trap.sprung()::int::bigint';
create function regress_goals_trap.coalesce(integer) returns integer language sql as 'select regress_goals_trap.sprung()::int';
create function regress_goals_trap.nextval(regclass) returns bigint language sql as 'select regress_goals_trap.sprung()::int::bigint';
create function regress_goals_trap.clock_timestamp() returns timestamptz language sql as 'select regress_goals_trap.sprung()::text::timestamptz';
create table regress_goals_trap.receipt (x int);
grant usage on schema regress_goals_trap to public;
reset role;
set search_path = regress_goals_trap, pg_catalog, public;
update users set plan = 'pro' where id = 3;
select from goals.record_sent('m', 1::bigint);
select from goals.deliver('m', '1');
select from goals.record_opened('m', '1');
select from goals.record_event('1', 'buy');
select from goals.create_message('trap');
select from goals.set_goal('trap', 'plan', 'is', 'free', '1 day');
select from goals.stop_goal('trap');
select from goals.add_variant('trap', 'a');
select from goals.track_users('users');
select from goals.roll_up();
select from goals.stats('m');
select from goals.matches('trap');
select from goals.explain('trap', '1');
select from goals.health();
select from goals.verify();
select goals.forget_user('1');
select goals.purge('2000-01-01');
select from goals.untrack('events');
reset search_path;

-- Row security on the users table hides nothing from the match, and FORCE ROW LEVEL SECURITY on ours neither.
alter table users enable row level security;
alter table users force row level security;
create policy own on users using (false) with check (false);
create policy app on users to regress_goals_app using (id = current_setting('app.who')::bigint);
select from goals.create_message('rls');
select from goals.set_goal('rls', 'plan', 'is', 'gold', '1 day');
grant usage on schema goals to regress_goals_app;
grant execute on function goals.record_sent(text, bigint, text, timestamptz, text) to regress_goals_app;
alter table goals.receipt enable row level security;
alter table goals.receipt force row level security;
alter table goals.match_log enable row level security;
alter table goals.match_log force row level security;
set role regress_goals_app;
set app.who = 5;
select from goals.record_sent('rls', 5::bigint);
update users set plan = 'gold';
reset role;
alter table goals.receipt disable row level security;
alter table goals.match_log disable row level security;
select user_key from goals.matches('rls');

-- Installed into a schema that somebody made beforehand, with his own functions in it: not at all.
set client_min_messages = error;
drop extension pg_goals cascade;
reset client_min_messages;
create schema goals authorization regress_goals_evil;
create extension pg_goals;
drop schema goals;
-- Nor by anybody but a superuser
set role regress_goals_owner;
create extension pg_goals;
reset role;
update users set plan = 'x';

drop table users, events, sends, mine;
set client_min_messages = warning;
drop schema regress_goals_owner, regress_goals_trap cascade;
drop owned by regress_goals_owner, regress_goals_app, regress_goals_evil, regress_goals_sender, regress_goals_analyst;
drop role regress_goals_owner, regress_goals_app, regress_goals_evil, regress_goals_sender, regress_goals_analyst;
