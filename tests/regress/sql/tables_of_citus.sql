-- A table that Citus keeps in shards is not tracked; one that becomes such a table is shown by health(), and what would be recorded about its users is
-- refused instead of being judged by rows that do not change any more. (A stand-in for Citus' catalog: it is not installed here.)
\set VERBOSITY terse
\set SHOW_CONTEXT never
create table users (id bigint primary key, plan text);
create table events (user_id bigint, name text);
create table sends (message text, user_id bigint);
create table countries (id int primary key, name text);
create table tenant (id int primary key, name text);
create table ordinary (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 5) n;
insert into ordinary select n, 'free' from generate_series(1, 5) n;
-- Without Citus nothing is different.
select from goals.track_users('users');
select from goals.track_users('ordinary');
select from goals.track_events('events', 'user_id', 'name', users => 'users');
select from goals.create_message('m', users => 'users');
select from goals.create_message('o', users => 'ordinary');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('o', 'plan', 'is', 'pro', '1 day');
select goals.record_sent('m', 1::bigint) as receipt \gset
select * from goals.health();

set allow_system_table_mods = on;
create table pg_catalog.pg_dist_partition (logicalrelid regclass not null, partmethod "char" not null, partkey text, gone int, colocationid int default 0 not null,
    repmodel "char" default 'c' not null, autoconverted boolean default false not null);
alter table pg_catalog.pg_dist_partition drop column gone;
reset allow_system_table_mods;
-- (an empty list, before Citus has any table)
select goals.record_sent('m', 2::bigint) > 0 as recorded;
insert into pg_dist_partition values ('users', 'h', 'id', 3, 's'), ('events', 'a', 'user_id', 3, 's'), ('sends', 'r', 'user_id', 3, 's'), ('countries', 'n', null, 9, 't'),
    ('tenant', 'n', null, 7, 's');

create function pg_temp.told(call text) returns text language plpgsql as $$
declare m text; d text; h text;
begin
    execute call;
    return 'done';
exception when others then
    get stacked diagnostics m = message_text, d = pg_exception_detail, h = pg_exception_hint;
    return concat_ws(' | ', sqlstate, m, nullif(d, ''), nullif(h, ''));
end $$;
\pset format unaligned
\pset tuples_only on
select pg_temp.told($$select goals.track_users('users')$$);
select pg_temp.told($$select goals.track_users('countries')$$);
select pg_temp.told($$select goals.track_users('tenant')$$);
select pg_temp.told($$select goals.track_events('events', 'user_id', 'name', users => 'ordinary')$$);
select pg_temp.told($$select goals.track_receipts('sends', 'message', 'user_id')$$);
select pg_temp.told($$select goals.create_message('n', users => 'users')$$);
select problem, object, detail, hint from goals.health();
-- Everything that records something about its users says the same, with an index of Citus' catalog as without.
create function pg_temp.record(receipt text) returns setof text language sql as $$
    select pg_temp.told(call) from unnest(array[
        'select goals.record_sent(''m'', 3::bigint)', 'select goals.record_sent(''m'', array[''3'', ''4''])', 'select * from goals.deliver(''m'', 3::bigint)',
        'select * from goals.deliver(''m'', array[''3''])', 'select goals.record_opened(''m'', 1::bigint)', 'select goals.record_clicked(''m'', 1::bigint)',
        'select goals.record_opened(' || receipt || ')', 'select goals.record_clicked(' || receipt || ')', 'select goals.record_event(1::bigint, ''buy'', users => ''users'')',
        'select goals.assign(''m'', 1::bigint)']) with ordinality c (call, n) order by n
$$;
select pg_temp.record(:'receipt');
set allow_system_table_mods = on;
create unique index pg_dist_partition_logical_relid_index on pg_catalog.pg_dist_partition (logicalrelid);
reset allow_system_table_mods;
select distinct pg_temp.record(:'receipt');
-- Of another users table all goes on, and so does the application.
select goals.record_sent('o', 3::bigint) > 0;
update ordinary set plan = 'pro' where id = 3;
update users set plan = 'pro' where id = 1;
insert into events values (1, 'buy');
select message, sent, matched from goals.message_stats order by 1;

-- A local table managed by Citus: the table that was tracked has become its only shard, under another name, and is followed on.
delete from pg_dist_partition;
alter table ordinary rename to ordinary_102008;
create table ordinary (id bigint primary key, plan text);
insert into pg_dist_partition values ('ordinary', 'n', null, 0, 's');
select problem, object from goals.health();
select goals.record_sent('o', 4::bigint) > 0;
update ordinary_102008 set plan = 'pro' where id = 4;
select sent, matched from goals.message_stats where message = 'o';
select pg_temp.told($$select goals.track_users('ordinary')$$);
-- Citus adds a condition to queries of pg_class that hides such shards: what we ask about tables is not asked there.
select p.oid::regprocedure from pg_proc p where p.pronamespace = 'goals'::regnamespace and p.prosrc ~ '\mpg_class\M';
-- Untracked, or no table of Citus any more.
select pg_temp.told($$select goals.untrack('users')$$);
select from goals.untrack_all() \g /dev/null
select count(*) from pg_trigger where tgname like 'pg_goals%';
