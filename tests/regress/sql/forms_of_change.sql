-- It makes no difference how an update is made: what the row was and what it is decides. Nor does tracking hinder any form.
create table users (id bigint primary key, gone int, name text, plan text, visits int default 0, touched int default 0, doc json,
    score int generated always as (visits * 10) stored);
alter table users drop column gone;
insert into users (id, name, plan) select n, 'user ' || n, 'free' from generate_series(1, 60) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('m', 'score', 'is increased', time_limit => '1 day', goal => 'score');
select goals.record_sent('m', array(select id::text from users));
create view seen as select user_key::bigint as id, goal, attribute, old_value, new_value from goals.matches('m');

-- One row, many rows, a row twice in a transaction, every column written anew, a cursor, an updatable view
update users set plan = 'pro' where id = 1;
update users set plan = 'pro' where id between 2 and 4;
begin;
update users set plan = 'team' where id = 5;
update users set plan = 'pro' where id = 5;
commit;
update users u set (name, plan, visits, touched, doc) = (select name, 'pro', visits, touched, doc from users x where x.id = u.id) where id = 6;
begin;
declare c cursor for select * from users where id = 7 for update;
fetch c;
update users set plan = 'pro' where current of c;
commit;
create view people as select id, plan from users;
update people set plan = 'pro' where id = 8;
with u as (update users set plan = 'pro' where id = 9 returning id) select id from u;
select id, goal, attribute, old_value, new_value from seen order by id;

-- A generated column
update users set visits = 3 where id in (1, 10);
select id, goal, old_value, new_value from seen where goal = 'score' order by id;

-- ON CONFLICT DO UPDATE; an insert is no change
insert into users (id, plan) values (11, 'pro'), (61, 'pro') on conflict (id) do update set plan = excluded.plan;
insert into users (id, plan) values (12, 'pro') on conflict do nothing;
-- MERGE (PostgreSQL 15)
select current_setting('server_version_num')::int >= 150000 as has_merge \gset
\if :has_merge
merge into users u using (values (13, 'pro'), (62, 'pro')) x (id, plan) on u.id = x.id when matched then update set plan = x.plan when not matched then insert (id, plan) values (x.id, x.plan);
\else
update users set plan = 'pro' where id = 13;
\endif
-- COPY only inserts
copy users (id, plan) from stdin;
63	pro
\.
select id from seen where id > 10 order by id;

-- A BEFORE trigger that changes the value, or keeps it; one that suppresses the update; an AFTER trigger that updates again
create function before() returns trigger language plpgsql as $$
begin
    if new.touched = 1 then new.plan := 'pro'; elsif new.touched = 2 then new.plan := old.plan; elsif new.touched = 3 then return null; end if;
    return new;
end $$;
create trigger before before update on users for each row execute function before();
update users set touched = 1 where id = 14;
update users set touched = 2, plan = 'pro' where id = 15;
update users set touched = 3, plan = 'pro' where id = 16;
drop trigger before on users;
create function after() returns trigger language plpgsql as $$ begin update users set plan = 'pro' where id = new.id + 1; return null; end $$;
create trigger after after update of touched on users for each row execute function after();
create trigger "aaa" after update of touched on users for each row execute function after();
update users set touched = 9 where id = 17;
drop trigger after on users;
drop trigger aaa on users;
select id, goal, old_value, new_value from seen where id between 14 and 18 order by id;

-- Cascades
create table plans (name text primary key);
insert into plans select distinct plan from users union values ('silver'), ('pro') union values ('none');
alter table users add foreign key (plan) references plans on update cascade on delete set null;
select from goals.set_goal('m', 'plan', 'is', 'gold', '1 day', goal => 'cascade');
select from goals.set_goal('m', 'plan', 'is unknown', time_limit => '1 day', goal => 'set null');
update users set plan = 'silver' where id in (21, 22);
select goals.record_sent('m', array['21', '22']);
update plans set name = 'gold' where name = 'silver';
delete from plans where name = 'gold';
select id, goal, old_value, new_value from seen where goal in ('cascade', 'set null') order by id, goal;

-- With its transaction: rolled back, to a savepoint, in a block that fails, prepared
begin;
update users set plan = 'pro' where id = 23;
rollback;
begin;
update users set plan = 'pro' where id = 24;
savepoint a;
update users set plan = 'pro' where id = 25;
savepoint b;
update users set plan = 'pro' where id = 26;
release b;
rollback to a;
update users set plan = 'pro' where id = 27;
commit;
do $$ begin
    update users set plan = 'pro' where id = 28;
    begin
        update users set plan = 'pro' where id = 29;
        raise division_by_zero;
    exception when division_by_zero then null;
    end;
end $$;
select current_setting('max_prepared_transactions')::int > 0 as can_prepare \gset
\if :can_prepare
begin;
update users set plan = 'pro' where id = 30;
prepare transaction 'regress_goals_30';
begin;
update users set plan = 'pro' where id = 31;
prepare transaction 'regress_goals_31';
select count(*) from seen where id in (30, 31);
commit prepared 'regress_goals_30';
rollback prepared 'regress_goals_31';
\endif
select id from seen where id between 23 and 31 order by id;
-- A deferred constraint that fails at the end takes the matches with it.
create table refs (user_id bigint references users deferrable initially deferred);
begin;
update users set plan = 'pro' where id = 32;
insert into refs values (-1);
commit;
select count(*) from seen where id = 32;
-- Procedures that commit on the way
create procedure in_steps() language plpgsql as $$ begin
    update users set plan = 'pro' where id = 33; commit;
    update users set plan = 'pro' where id = 34; rollback;
    update users set plan = 'pro' where id = 35;
end $$;
call in_steps();
select id from seen where id between 33 and 35 order by id;

-- A receipt belongs to the user as he was: a change of the key is no new user, and one of both counts for the old key.
update users set id = 136, plan = 'pro' where id = 36;
update users set plan = 'pro' where id = 136;
select id from seen where id in (36, 136);

-- A column of type json has no equality, and hinders nothing.
update users set doc = '{"a": 1}', plan = 'pro' where id = 37;
update users set doc = '{"a": 1}' where id = 37;
select id from seen where id = 37;

-- Silent by design: replication's role, a disabled trigger (which health() shows), the extension's own switch
set session_replication_role = replica;
update users set plan = 'pro' where id = 38;
reset session_replication_role;
set pg_goals.enabled = off;
update users set plan = 'pro' where id = 39;
reset pg_goals.enabled;
alter table users disable trigger pg_goals_1;
update users set plan = 'pro' where id = 40;
select problem, object, hint from goals.health();
alter table users enable trigger pg_goals_1;
select count(*) from seen where id between 38 and 40;
select * from goals.health();

-- The table may be rewritten, renamed, and moved to another schema.
select pg_relation_filenode('users') as before \gset
vacuum full users;
cluster users using users_pkey;
alter table users rename to people_we_know;
create schema s;
alter table people_we_know set schema s;
update s.people_we_know set plan = 'pro' where id = 41;
alter table s.people_we_know set schema public;
alter table people_we_know rename to users;
select id from seen where id = 41;
select * from goals.health();

-- A statement of one user moves others; the figures add up.
select message, goal, sent, already_matched, matched from goals.message_stats order by goal;
