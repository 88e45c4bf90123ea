-- Types, indexes and partition keys that a table's owner has made of his own code: a superuser who sets goals, a sender who has no right on the table,
-- an application's statement on another table and the extension's owner, as whom triggers are created, run none of it.
\set SHOW_CONTEXT never
\set VERBOSITY terse
create role regress_types_owner;
create role regress_types_app;
create role regress_types_sender;
create role regress_types_writer;
create schema shop authorization regress_types_owner;
grant usage on schema shop to regress_types_app, regress_types_sender;
grant usage on schema goals to regress_types_owner, regress_types_sender;
grant execute on function goals.track_users(regclass, name), goals.untrack(regclass) to regress_types_owner;
grant execute on function goals.record_sent(text, bigint, text, timestamptz, text), goals.record_sent(text, text[], text, timestamptz),
    goals.record_opened(text, bigint, timestamptz, boolean), goals.deliver(text, bigint, timestamptz, text) to regress_types_sender;
create table public.sends (message text, user_id bigint);
grant insert on public.sends to regress_types_app, regress_types_writer;

set role regress_types_owner;
-- Counted also where the statement fails afterwards.
create sequence shop.escaped;
grant usage on sequence shop.escaped to public;
create function shop.spy(what text) returns boolean language plpgsql as $$ begin
    if current_user not in ('regress_types_owner', 'regress_types_app') then
        raise warning '% runs with the rights of another', what;
        perform pg_catalog.nextval('shop.escaped');
        if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then alter role regress_types_owner superuser; end if;
    end if;
    return true;
end $$;
create function shop.folded(what text) returns text language plpgsql immutable as $$ begin perform shop.spy(what); return ''; end $$;
create domain shop.d as text check (shop.spy('domain'));
create type shop.pair as (street shop.d, no int);
create domain shop.pair_domain as shop.pair check (shop.spy('domain over composite'));
create domain shop.list as shop.d[] check (shop.spy('domain over array'));
create type shop.over as range (subtype = shop.d, multirange_type_name = shop.overs);
create type shop.nest as (pairs shop.pair[], o shop.over, os shop.overs, l shop.list);
create type shop.mood as enum ('low', 'high');
create type shop.ordinary as (a int, b text);
create type shop.floats as range (subtype = float8);
-- (A range with a canonical function begins with a shell type, which is a superuser's; so is an operator class.)
create type shop.span;
create operator class shop.pairs default for type shop.pair using btree as function 1 btrecordcmp(record, record);

create table shop.u (id bigint primary key, plain shop.d, pair shop.pair, homes shop.pair[], pair_domain shop.pair_domain, ds shop.d[], list shop.list,
    over shop.over, overs shop.overs, nest shop.nest, nests shop.nest[], mood shop.mood, moods shop.mood[], ordinary shop.ordinary, floats shop.floats,
    ints int4range, worth numeric);
insert into shop.u (id, worth) select n, 0 from generate_series(1, 9) n;
grant select, insert, update on shop.u to regress_types_app;
reset role;

select from goals.track_users('shop.u');
select from goals.create_message('m', users => 'shop.u');
-- A literal of a type of the owner's stays as it is written; one of the server's types is written as the type writes it.
create temp table literals (attribute text, literal text, new text);
insert into literals values
    ('plain', 'x', 'x'), ('pair', '(x,1)', '(x,1)'), ('homes', '(x,1)', '{"(x,1)"}'), ('pair_domain', '(x,1)', '(x,1)'), ('ds', 'x', '{x}'),
    ('list', 'x', '{x}'), ('over', '[a,b)', '[a,b)'), ('overs', '{[a,b)}', '{[a,b)}'), ('nest', '("{""(x,1)""}","[a,b)","{[a,b)}",{x})', '("{""(x,1)""}","[a,b)","{[a,b)}",{x})'),
    ('nests', '({},,,)', '{"({},,,)"}'), ('mood', 'high', 'high'), ('moods', 'high', '{high}'), ('ordinary', '(1,b)', '(1,b)'), ('floats', '[1,2)', '[1,2)'),
    ('ints', '[1,2]', '[1,3)');
create function pg_temp.try(attribute text, operator text, value text, value_from text default null) returns text language plpgsql as $$ begin
    perform goals.set_goal('m', attribute, operator, value, '1 day', goal => concat_ws(' ', attribute, operator, value_from), value_from => value_from);
    return (select g.value from goals.goal g order by g.goal_id desc limit 1);
exception when others then return sqlstate;
end $$;
select attribute, literal, pg_temp.try(attribute, 'is', literal) "is", pg_temp.try(attribute, 'is any of', array[literal]::text) "is any of", pg_temp.try(attribute, 'contains', literal) "contains",
    pg_temp.try(attribute, 'has any value', null) "has any value", pg_temp.try(attribute, 'is changed', null) "is changed"
from literals order by attribute;
select attribute, pg_temp.try('worth', 'is increased', null, attribute) value_from from literals where attribute in ('pair', 'over', 'homes', 'plain') order by 1;
select last_value, is_called from shop.escaped;

-- A sender, the application's change, and what a superuser reads.
set role regress_types_sender;
select goals.record_sent('m', array['1', '2', '3']);
select goals.record_sent('m', 4::bigint) > 0 as recorded;
reset role;
select format('update shop.u set %s where id in (1, 4)', string_agg(format('%I = %L', attribute, new), ', ')) from literals \gset
set role regress_types_app;
:format;
update shop.u set pair = row('y', 2), homes = '{"(y,2)"}', over = '[c,d)', overs = '{[c,d)}', nest = null, nests = '{}', moods = '{low}' where id in (1, 2);
reset role;
select goal, matched from goals.message_stats where message = 'm' and goal not like '%any value' and goal not like '%changed' order by goal;
set role regress_types_sender;
select goals.record_sent('m', 4::bigint) > 0 as recorded;
select send from goals.deliver('m', 1::bigint);
reset role;
select count(*) > 20 from goals.matches('m');
select count(*) > 20 from goals.explain('m', 4::bigint);
select * from goals.health();
select count(*) from goals.verify();
select last_value, is_called from shop.escaped;

-- A predicate and a partition key call a function whose arguments are constants: who works them out first in a session runs it.
set role regress_types_owner;
create table shop.indexed (id bigint not null, plan text);
create unique index on shop.indexed (id) where shop.folded('index predicate') = '';
create unique index on shop.indexed (id, (shop.folded('index expression') || plan));
create table shop.parts (id bigint not null, plan text) partition by list ((shop.folded('partition key') || plan));
create table shop.parts_free partition of shop.parts for values in ('free');
create table shop.parts_rest partition of shop.parts default partition by range ((shop.folded('key of a partition') || id));
create table shop.parts_rest_1 partition of shop.parts_rest default;
insert into shop.indexed values (1, 'free'), (2, 'free');
insert into shop.parts values (1, 'free'), (2, 'pro');
grant select, insert, update on shop.parts to regress_types_app;
reset role;
\c -
set client_min_messages = warning;
set role regress_types_owner;
select from goals.track_users('shop.indexed', 'id');
select from goals.track_users('shop.parts', 'id');
reset role;
\c -
select from goals.track_receipts('public.sends', 'message', 'user_id');
select from goals.create_message('indexed', users => 'shop.indexed');
select from goals.create_message('parts', users => 'shop.parts');
select from goals.set_goal('indexed', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('parts', 'plan', 'is', 'pro', '1 day');
\c -
set role regress_types_sender;
select goals.record_sent('indexed', array['1', '2']);
select goals.record_sent('parts', array['1', '2']);
reset role;
\c -
set role regress_types_writer;
insert into public.sends values ('indexed', 1), ('parts', 1), ('parts', 2), ('parts', 3);
set role regress_types_app;
-- (its own statement on the table itself runs the key's code as itself)
update shop.parts set plan = 'pro' where id = 1;
reset role;
select message, sent, matched, already_matched from goals.message_stats where goal = 'primary' and message <> 'm' order by 1;
\c -
select count(*) from goals.health() where problem <> 'unknown user';
set role regress_types_owner;
select from goals.untrack('shop.parts');
select from goals.track_users('shop.parts', 'id');
select from goals.untrack('shop.parts');
reset role;
\c -
select from goals.untrack_all();
select last_value, is_called from shop.escaped;
select rolsuper from pg_roles where rolname = 'regress_types_owner';

drop schema shop cascade;
drop table public.sends;
drop extension pg_goals;
drop owned by regress_types_owner, regress_types_app, regress_types_sender, regress_types_writer;
drop role regress_types_owner, regress_types_app, regress_types_sender, regress_types_writer;
