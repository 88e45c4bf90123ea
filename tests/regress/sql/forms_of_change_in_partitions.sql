-- Updates that move a row to another partition are updates.
create table users (id bigint, region text, gone int, plan text, visits int, doc jsonb, primary key (id, region)) partition by list (region);
alter table users drop column gone;
-- Not a key of a single column, as every key of a partitioned table has the partition's: name it.
select from goals.track_users('users');
select from goals.track_users('users', 'id');
create table users_eu partition of users for values in ('eu');
-- Another order of columns, other columns dropped, attached later; and below it two of its own
create table users_us (doc jsonb, junk int, plan text, visits int, junk2 text, id bigint not null, region text not null);
alter table users_us drop column junk, drop column junk2;
alter table users attach partition users_us for values in ('us');
create table users_asia (visits int, id bigint not null, region text not null, doc jsonb, plan text) partition by range (id);
create table users_asia_1 (plan text, doc jsonb, visits int, region text not null, id bigint not null);
alter table users_asia attach partition users_asia_1 for values from (0) to (100);
create table users_asia_2 partition of users_asia for values from (100) to (1000);
alter table users attach partition users_asia for values in ('cn', 'jp');
select from goals.track_users('users', 'id');
insert into users (id, region, plan, visits, doc) select n, 'eu', 'free', 1, '{"n": 1}' from generate_series(1, 40) n;
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', goal => 'plan');
select from goals.set_goal('m', 'visits', 'is increased', time_limit => '1 day', goal => 'visits', value_from => 'visits');
select from goals.set_goal('m', 'region', 'is changed', time_limit => '1 day', goal => 'region');
select from goals.set_goal('m', 'doc.n', 'is', '2', '1 day', goal => 'doc');
select goals.record_sent('m', array(select id::text from users));
create view seen as select user_key::bigint as id, goal, old_value, new_value, worth from goals.matches('m');

update users set region = 'us' where id = 1;
update users set region = 'us', plan = 'pro', visits = 5, doc = '{"n": 2}' where id = 2;
update users set region = 'cn', plan = 'pro' where id = 3;
update users set region = 'jp', visits = 0 where id = 3;
update users set region = 'eu', visits = 2, doc = '{"n": 2}' where id = 3;
select * from seen order by id, goal;

-- Several rows by one statement, some of which stay; all into partitions of another order
update users set region = case when id % 2 = 0 then 'us' else region end, plan = 'pro' where id between 4 and 7;
select id, goal, old_value, new_value from seen where id between 4 and 7 order by id, goal;
-- Directly on a partition, one that was attached later, one below that
update users_eu set plan = 'pro' where id = 8;
update users_us set plan = 'pro' where id = 1;
update users set region = 'cn' where id = 9;
update users_asia_1 set plan = 'pro' where id = 9;
update users_asia set plan = 'free', visits = 7 where id = 9;
select id, goal, old_value, new_value from seen where id in (1, 8, 9) order by id, goal;

-- A move that changes nothing a goal looks at, a delete and an insert that are no move, also by one statement
select from goals.create_message('q');
select from goals.set_goal('q', 'plan', 'is', 'pro', '1 day');
select goals.record_sent('q', array['10', '11', '12', '13']);
update users set region = 'us' where id = 10;
delete from users where id = 11;
insert into users values (11, 'us', 'pro', 1, null);
with d as (delete from users where id = 12 returning id) insert into users select 12, 'us', 'pro', 1, null;
begin;
update users set region = 'us', plan = 'pro' where id = 13;
rollback;
select count(*) from goals.matches('q');

-- Triggers on the way: one that changes the row as it arrives, one that moves another user when this one leaves
create function arrives() returns trigger language plpgsql as $$ begin new.plan := 'pro'; return new; end $$;
create trigger arrives before insert on users_us for each row execute function arrives();
update users set region = 'us' where id = 14;
drop trigger arrives on users_us;
create function leaves() returns trigger language plpgsql as $$ begin
    update users set region = 'us', plan = 'pro' where id = old.id + 1 and region = 'eu' and old.id in (15, 17);
    return null;
end $$;
create trigger zzz after delete on users_eu for each row execute function leaves();
update users set region = 'us', plan = 'pro' where id = 15;
drop trigger zzz on users_eu;
create trigger aaa after delete on users_eu for each row execute function leaves();
update users set region = 'us', plan = 'pro' where id = 17;
drop trigger aaa on users_eu;
select id, new_value from seen where goal = 'plan' and id between 14 and 18 order by id;

-- ON CONFLICT, MERGE, a key that changes with the move, a savepoint, a deferred constraint, a foreign key that cascades
insert into users values (19, 'eu', 'pro') on conflict (id, region) do update set plan = excluded.plan;
select current_setting('server_version_num')::int >= 150000 as has_merge \gset
\if :has_merge
merge into users u using (values (20, 'pro')) x (id, plan) on u.id = x.id when matched then update set plan = x.plan, region = 'us';
\else
update users set plan = 'pro', region = 'us' where id = 20;
\endif
update users set id = 200, region = 'jp', plan = 'pro' where id = 21;
begin;
savepoint s;
update users set plan = 'pro', region = 'us' where id = 22;
rollback to s;
update users set plan = 'pro', region = 'us' where id = 23;
commit;
create table regions (region text primary key);
insert into regions values ('eu'), ('us'), ('cn');
delete from users where region not in (select region from regions);
alter table users add foreign key (region) references regions on update cascade;
update users set region = 'cn', plan = 'pro' where id = 24;
update regions set region = 'jp' where region = 'cn';
select id, goal, old_value, new_value from seen where id between 19 and 24 order by id, goal;

-- Who is judged already: found in whatever partition, by the columns of that one
select from goals.create_message('r');
select from goals.set_goal('r', 'plan', 'is', 'pro', '1 day');
select goals.record_sent('r', array['24', '2', '25', '10']);
select user_key, verdict from unnest(array['24', '2', '25', '10']) user_key, goals.explain('r', user_key) order by 1;

-- Detached, a partition is a table of its own; attached again it is tracked again.
alter table users detach partition users_us;
update users_us set plan = 'gold';
select from goals.set_goal('r', 'plan', 'is', 'gold', '1 day', goal => 'gold');
alter table users attach partition users_us for values in ('us');
update users set plan = 'free' where id = 2;
select goals.record_sent('r', array['2']);
update users set plan = 'gold' where id in (2, 10);
select user_key, goal from goals.matches('r');
select * from goals.health();
-- A partition's trigger can be disabled by itself.
alter table users_eu disable trigger pg_goals_1;
select problem, object, hint from goals.health();
alter table users_eu enable trigger pg_goals_1;
-- A column that one partition could never hold does not exist; truncated and dropped partitions take nothing along.
truncate users_eu;
drop table users_asia;
select message, goal, sent, already_matched, matched from goals.message_stats order by message, goal;
select * from goals.health();

-- A move whose second half a BEFORE trigger prevents is no change; nor is what is inserted with the same key afterwards.
create function nowhere() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger nowhere before insert on users_us for each row execute function nowhere();
insert into users (id, region, plan) values (900, 'eu', 'free');
select from goals.create_message('n', users => 'users');
select from goals.set_goal('n', 'plan', 'is', 'pro', '1 day');
select from goals.record_sent('n', 900::bigint);
begin;
update users set region = 'us', plan = 'pro' where id = 900;
insert into users (id, region, plan) values (900, 'eu', 'pro');
commit;
select count(*) from goals.matches('n');
drop trigger nowhere on users_us;

-- Tracked by themselves before they become partitions of a table that is tracked too: ATTACH works, and each change counts once
-- for each receipt. Two users tables stay two sets of people; an event or a send is one, and is read for the table above.
create table members (id bigint, region text, plan text, visits int default 0) partition by list (region);
create table members_eu (plan text, visits int default 0, region text not null, id bigint not null) partition by list (region);
create table members_eu_nl partition of members_eu for values in ('nl');
create table members_eu_be partition of members_eu for values in ('be');
create table members_us (like members including all);
create table signals (id bigint, at timestamptz default clock_timestamp(), name text, part int) partition by list (part);
create table signals_1 (like signals including all);
create table letters (id bigint, message text, opened timestamptz, part int) partition by list (part);
create table letters_1 (like letters including all);
insert into members_eu (id, region, plan) values (1, 'nl', 'free'), (2, 'be', 'free'), (3, 'nl', 'free');
insert into members_us (id, region, plan) values (4, 'us', 'free');
select from goals.track_users('members', 'id');
select from goals.track_users('members_eu', 'id');
select from goals.track_events('signals', 'id', 'name', 'at', users => 'members');
select from goals.track_events('signals_1', 'id', 'name', 'at', users => 'members');
select from goals.track_receipts('letters', 'message', 'id', opened_at => 'opened');
select from goals.track_receipts('letters_1', 'message', 'id', opened_at => 'opened');
select from goals.create_message('to all', users => 'members');
select from goals.set_goal('to all', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('to all', event => 'visit', times => 2, time_limit => '1 day', goal => 'twice');
select from goals.create_message('to europe', users => 'members_eu');
select from goals.set_goal('to europe', 'plan', 'is', 'pro', '1 day');
alter table members attach partition members_eu for values in ('nl', 'be');
alter table members attach partition members_us for values in ('us');
alter table signals attach partition signals_1 for values in (1);
alter table letters attach partition letters_1 for values in (1);
select problem, object, detail, hint from goals.health();
select tgrelid::regclass, tgname from pg_trigger where tgname like 'pg\_goals%' and tgrelid::regclass::text ~ '^(members|signals|letters)' order by tgrelid::regclass::text collate "C", tgname;
-- the same call as before still changes nothing
select from goals.track_users('members_eu', 'id');
-- what was never tracked by itself need not be
select from goals.track_users('members_us', 'id');
select from goals.track_users('members_eu_nl', 'id');
insert into letters values (1, 'to all', null, 1), (2, 'to europe', null, 1), (4, 'to all', null, 1);
insert into letters_1 values (3, 'to all', null, 1), (3, 'to europe', null, 1);
update letters set opened = clock_timestamp() where id = 1;
insert into signals (id, name, part) values (1, 'visit', 1);
insert into signals_1 (id, name, part) values (3, 'visit', 1), (3, 'visit', 1);
update members set plan = 'pro', region = 'be' where id = 1;
update members set plan = 'pro', region = 'us' where id = 2;
update members_eu set plan = 'pro' where id = 3;
update members set plan = 'pro' where id = 4;
select message, goal, sent, opened, matched from goals.message_stats where message like 'to %' order by 1, 2;
select count(*) as hits, count(distinct (receipt_id, goal_id, matched_at)) as changes from goals.match_log
    where goal_id in (select goal_id from goals.goal g join goals.message m using (message_id) where m.name like 'to %');
-- Either can be untracked; the other goes on.
select from goals.untrack('signals');
select from goals.untrack('letters_1');
select from goals.untrack('members');
select problem, object from goals.health();
insert into signals (id, name, part) values (1, 'visit', 1);
update members_eu set plan = 'free';
insert into letters values (3, 'to europe', null, 1);
update members set plan = 'pro' where id = 3;
select message, goal, sent, opened, matched from goals.message_stats where message like 'to %' order by 1, 2;
-- Tracked again above the partitions that are tracked, and detached: each is a table of its own again.
select from goals.track_users('members', 'id');
select from goals.track_events('signals', 'id', 'name', 'at', users => 'members');
alter table members detach partition members_eu;
alter table signals detach partition signals_1 concurrently;
select problem, object from goals.health();
select tgrelid::regclass, tgname from pg_trigger where tgname like 'pg\_goals%' and tgrelid::regclass::text ~ '^(members|signals)' order by tgrelid::regclass::text collate "C", tgname;
-- With the parent's trigger disabled on it, the partition's own reads the rows.
alter table signals attach partition signals_1 for values in (1);
alter table signals_1 disable trigger pg_goals_4;
select problem, object, hint from goals.health();
insert into signals (id, name, part) values (4, 'visit', 1), (4, 'visit', 1);
select sent, matched from goals.message_stats where message = 'to all' and goal = 'twice';
drop table members, members_eu, signals, letters;
