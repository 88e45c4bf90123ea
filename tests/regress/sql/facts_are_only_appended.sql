-- Writers of facts wait for nobody and cannot fail: nothing in these tables could make them.
create view fact as
    select c.oid, c.oid::regclass as name from pg_class c
    where c.oid in ('goals.receipt'::regclass, 'goals.engagement'::regclass, 'goals.match_log'::regclass, 'goals.ignored'::regclass);
select name, indexrelid::regclass as unique_index from fact join pg_index on indrelid = fact.oid where indisunique or indisexclusion;
select name, contype, conname from fact join pg_constraint on conrelid = fact.oid or confrelid = fact.oid where contype in ('p', 'u', 'f', 'x');
select name, tgname from fact join pg_trigger on tgrelid = fact.oid;
select name, rulename from fact join pg_rewrite on ev_class = fact.oid;
-- No foreign key among the set-up either: it would be checked with the snapshot of a REPEATABLE READ caller.
select conrelid::regclass, conname from pg_constraint where contype = 'f' and connamespace = 'goals'::regnamespace;

-- An UPDATE that matches, an event and a report append a row each, and change none.
create table users (id bigint primary key, plan text);
insert into users values (1, 'free');
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'buy');
begin;
create temp table before on commit drop as
    select relid, relname, n_tup_ins as added, n_tup_upd + n_tup_del as changed from pg_stat_xact_user_tables where schemaname = 'goals';
select from goals.record_sent('m', 1::bigint);
select from goals.record_opened('m', 1::bigint);
update users set plan = 'pro';
select from goals.record_event(1::bigint, 'buy');
select relname as "table", n_tup_ins - added as added, n_tup_upd + n_tup_del - changed as changed
from pg_stat_xact_user_tables join before using (relid, relname)
where n_tup_ins > added or n_tup_upd + n_tup_del > changed order by 1;
commit;
select goal, sent, opened, matched from goals.message_stats order by goal;

-- Nothing is logged for a goal that the receipt is not judged by.
select from goals.set_goal('m', 'plan', 'is changed', time_limit => '1 day', goal => 'later');
update users set plan = 'team';
select h.goal_id from goals.match_log h join goals.receipt r using (receipt_id) join goals.revision v using (revision_id)
where h.goal_id <> all (v.goal_ids);
