-- What is asked for on the application's tables: SELECT on the columns that a goal would show, TRIGGER on every partition, and a name for the trigger
-- that is not taken.
\set VERBOSITY terse
\set SHOW_CONTEXT never
set client_min_messages = warning;
create role regress_rights_owner;
create role "regress_rights_Admin";
create schema shop authorization regress_rights_owner;
grant usage on schema goals, shop to "regress_rights_Admin";
grant execute on function goals.set_goal(text, text, text, text, interval, text, int, jsonb, text, text, text), goals.track_users(regclass, name) to "regress_rights_Admin";
grant usage on schema goals to regress_rights_owner;
grant execute on function goals.set_goal(text, text, text, text, interval, text, int, jsonb, text, text, text), goals.track_users(regclass, name), goals.untrack(regclass) to regress_rights_owner;

-- A wrong call, as a client is told of it.
create function pg_temp.told(call text) returns text language plpgsql as $$
declare m text; d text; h text;
begin
    execute call;
    return 'done';
exception when others then
    get stacked diagnostics m = message_text, d = pg_exception_detail, h = pg_exception_hint;
    return concat_ws(' | ', sqlstate, m, nullif(d, ''), nullif(h, ''));
end $$;
grant usage on schema pg_temp to public;
\pset format unaligned
\pset tuples_only on

set role regress_rights_owner;
create table shop.users (id bigint primary key, plan text, password text, "Worth" numeric, doc jsonb);
create table shop.events (user_id bigint, name text, properties jsonb);
insert into shop.users values (1, 'free', 's3cret', 1, '{"a": 1}');
reset role;
select from goals.track_users('shop.users') \g /dev/null
select from goals.track_events('shop.events', 'user_id', 'name', properties => 'properties') \g /dev/null
select goals.create_message('m') > 0;

-- 1. A column of the users table, by name, by a key inside, as worth.
set role "regress_rights_Admin";
select pg_temp.told($$select goals.set_goal('m', 'password', 'starts with', 's', '1 day')$$);
select pg_temp.told($$select goals.set_goal('m', 'doc.a', 'is', '1', '1 day')$$);
select pg_temp.told($$select goals.set_goal('m', 'password', 'has any value', null, '1 day')$$);
reset role;
grant select (plan, doc) on shop.users to "regress_rights_Admin";
revoke usage on schema shop from "regress_rights_Admin";
set role "regress_rights_Admin";
select pg_temp.told($$select goals.set_goal('m', 'plan', 'is', 'pro', '1 day')$$);
reset role;
grant usage on schema shop to "regress_rights_Admin";
set role "regress_rights_Admin";
select pg_temp.told($$select goals.set_goal('m', 'doc.a', 'is', '1', '1 day')$$);
select pg_temp.told($$select goals.set_goal('m', 'plan', 'is', 'pro', '1 day')$$);
select pg_temp.told($$select goals.set_goal('m', 'plan', 'is', 'pro', '1 day', value_from => 'Worth')$$);
reset role;
grant select ("Worth") ON shop.users TO "regress_rights_Admin";
set role "regress_rights_Admin";
select pg_temp.told($$select goals.set_goal('m', 'plan', 'is', 'pro', '1 day', value_from => 'Worth')$$);
-- A column that does not exist is no secret: the names of the columns are in the catalog for all to read.
select pg_temp.told($$select goals.set_goal('m', 'passwort', 'is', 'x', '1 day')$$);
reset role;
grant select on shop.users to "regress_rights_Admin";
set role "regress_rights_Admin";
select pg_temp.told($$select goals.set_goal('m', 'password', 'is', 'x', '1 day')$$);
-- 2. Row security: by its policies the caller would see some of the users only.
reset role;
alter table shop.users enable row level security;
create policy a_policy on shop.users using (true);
set role "regress_rights_Admin";
select pg_temp.told($$select goals.set_goal('m', 'plan', 'is', 'pro', '1 day')$$);
set row_security = off;
select pg_temp.told($$select goals.set_goal('m', 'plan', 'is', 'pro', '1 day')$$);
reset row_security;
reset role;
alter role "regress_rights_Admin" bypassrls;
set role "regress_rights_Admin";
select pg_temp.told($$select goals.set_goal('m', 'plan', 'is', 'pro', '1 day')$$);
reset role;
alter role "regress_rights_Admin" nobypassrls;
alter table shop.users force row level security;
set role regress_rights_owner;
select pg_temp.told($$select goals.set_goal('m', 'plan', 'is', 'pro', '1 day')$$);
reset role;
alter table shop.users no force row level security, disable row level security;
-- 3. Events that are read from a table.
set role "regress_rights_Admin";
select pg_temp.told($$select goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'e')$$);
reset role;
grant select (name) on shop.events to "regress_rights_Admin";
set role "regress_rights_Admin";
select pg_temp.told($$select goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'e')$$);
select pg_temp.told($$select goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'e', properties => '{"a": 1}')$$);
select pg_temp.told($$select goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'e', value_from => 'amount')$$);
reset role;
grant select (properties) on shop.events to "regress_rights_Admin";
set role "regress_rights_Admin";
select pg_temp.told($$select goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'e', properties => '{"a": 1}', value_from => 'amount')$$);
reset role;

-- 4. A partition of another's: CREATE TRIGGER on the table above is refused, and so is tracking it.
set role regress_rights_owner;
create table shop.parts (id bigint primary key, plan text) partition by range (id);
create table shop.parts_1 partition of shop.parts for values from (0) to (10);
create table shop.parts_2 partition of shop.parts for values from (10) to (20) partition by range (id);
create table shop.parts_2_1 partition of shop.parts_2 default;
reset role;
alter table shop.parts_2_1 owner to "regress_rights_Admin";
revoke all on shop.parts_2_1 from regress_rights_owner;
create function public.nothing() returns trigger language plpgsql as 'begin return null; end';
set role regress_rights_owner;
select pg_temp.told('create trigger t after update on shop.parts for each row execute function public.nothing()');
select pg_temp.told($$select goals.track_users('shop.parts')$$);
reset role;
select pg_temp.told($$select goals.track_users('shop.parts')$$);
set role "regress_rights_Admin";
grant trigger on shop.parts_2_1 to regress_rights_owner;
set role regress_rights_owner;
select pg_temp.told($$select goals.track_users('shop.parts')$$);
select pg_temp.told($$select goals.untrack('shop.parts')$$);
reset role;

-- 5. The name is taken, on the table itself or on a partition.
select source_id as parts, source_id + 1 as names from goals.source where relation = 'shop.parts'::regclass \gset
select pg_temp.told(format('create trigger pg_goals_%s after update on shop.parts_1 for each row execute function public.nothing()', :parts));
create table shop.names (id bigint primary key, plan text);
insert into shop.names values (1, 'free');
select pg_temp.told(format('create trigger %I after update on shop.names for each row execute function public.nothing()', n))
    from unnest(array['pg_goals_' || :names, 'pg_goals_' || :names || '_2']) n;
alter table shop.names owner to regress_rights_owner;
set role regress_rights_owner;
select pg_temp.told($$select goals.track_users('shop.parts')$$);
select pg_temp.told($$select goals.track_users('shop.names')$$);
reset role;
select t.tgrelid::regclass, replace(replace(t.tgname, :'parts', 'P'), :'names', 'N'), t.tgfoid::regproc from pg_trigger t
    where t.tgrelid in ('shop.names'::regclass, 'shop.parts'::regclass, 'shop.parts_1'::regclass) and not t.tgisinternal or t.tgparentid <> 0 order by 1::text, 2;
select * from goals.health();
select goals.create_message('n', users => 'shop.names') > 0;
select goals.set_goal('n', 'plan', 'is', 'pro', '1 day') > 0;
select goals.record_sent('n', 1::bigint) > 0;
update shop.names set plan = 'pro';
select sent, matched from goals.message_stats where message = 'n';
select from goals.untrack('shop.names') \g /dev/null
select tgname like 'pg_goals%', count(*) from pg_trigger where tgrelid = 'shop.names'::regclass group by 1;
select from goals.untrack_all() \g /dev/null
drop schema shop cascade;
drop function public.nothing;
drop owned by regress_rights_owner, "regress_rights_Admin";
drop role regress_rights_owner, "regress_rights_Admin";

-- 6. A deferrable primary key names a user as well as any other.
create table deferred (id bigint primary key deferrable, plan text);
select from goals.track_users('deferred') \g /dev/null
select relation, key_column from goals.source where attached;
