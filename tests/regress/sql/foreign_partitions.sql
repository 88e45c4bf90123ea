-- Partitions of tracked tables that are foreign tables: their rows are events, sends and changes like others, by whatever statement they
-- come, and nothing of the server's is left open. (Where there is no postgres_fdw there is nothing to try.)
select exists (select from pg_available_extensions where name = 'postgres_fdw') as has_foreign_tables \gset
\if :has_foreign_tables
\else
\quit
\endif
create extension postgres_fdw;
do $$ begin
    execute format('create server here foreign data wrapper postgres_fdw options (host %L, port %L, dbname %L)',
        split_part(current_setting('unix_socket_directories'), ',', 1), current_setting('port'), current_database());
    execute format('create user mapping for current_user server here options (user %L)', current_user);
end $$;
create table users (id bigint not null, region text not null, plan text) partition by list (region);
create table users_a partition of users for values in ('a');
create table users_b partition of users for values in ('b');
create table users_far_table (id bigint not null, region text not null, plan text);
create foreign table users_far partition of users for values in ('far') server here options (table_name 'users_far_table');
insert into users select n, 'a', 'free' from generate_series(1, 30) n;
create table events (user_id bigint, name text, month int) partition by list (month);
create table events_1 partition of events for values in (1);
create table events_2_table (user_id bigint, name text, month int);
create foreign table events_2 partition of events for values in (2) server here options (table_name 'events_2_table');
create table sends (message text, user_id bigint, opened_at timestamptz, month int) partition by list (month);
create table sends_1 partition of sends for values in (1);
create table sends_2_table (message text, user_id bigint, opened_at timestamptz, month int);
create foreign table sends_2 partition of sends for values in (2) server here options (table_name 'sends_2_table');
select from goals.track_users('users', 'id');
select from goals.track_events('events', 'user_id', 'name');
select from goals.track_receipts('sends', 'message', 'user_id', opened_at => 'opened_at');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('m', event => 'buy', times => 2, time_limit => '1 day', goal => 'buy');
select goals.record_sent('m', array(select id::text from users where id <= 20));

-- Events, by INSERT and by COPY, alone and with rows of other partitions before and after
insert into events values (1, 'buy', 2);
copy events from stdin;
1	buy	2
2	buy	2
\.
copy events from stdin;
2	buy	1
3	buy	2
3	buy	1
4	buy	1
4	buy	2
\.
copy events_2 from stdin;
5	buy	2
5	buy	2
\.
begin;
insert into events values (6, 'buy', 1);
copy events from stdin;
6	buy	2
7	buy	2
7	buy	2
\.
savepoint s;
copy events from stdin;
8	buy	2
8	buy	2
\.
rollback to s;
copy events from stdin;
9	buy	2
9	buy	1
\.
commit;
do $$ begin insert into events select 10, 'buy', 2 from generate_series(1, 2); end $$;
select user_key from goals.matches('m', 'buy') order by user_key::int;

-- Sends
insert into sends values ('m', 21, null, 2);
copy sends from stdin;
m	22	\N	2
m	23	2026-01-01	1
m	24	2026-01-01	2
nothing	24	\N	2
nothing	24	\N	1
m	777	\N	2
\.
update sends set opened_at = clock_timestamp() where user_id = 22;
select sent, opened from goals.message_stats where goal = 'buy';
select problem, object from goals.health();

-- Users who move there are the same users, in whichever command of a transaction. (Only the partition that they leave is to be updated
-- besides: postgres_fdw cannot do both to one table.)
update users set region = 'far', plan = 'pro' where region = 'a' and id = 11;
begin;
insert into events values (1, 'nothing', 1);
update users set region = 'far', plan = 'pro' where region = 'a' and id = 12;
update users set region = 'far', plan = 'pro' where region = 'a' and id in (13, 14);
update users set region = 'far', plan = 'gold' where region = 'a' and id = 15;
commit;
update users set plan = 'pro' where id = 15;
-- What is inserted is another user, and one who leaves and is inserted later has not changed.
begin;
insert into events values (1, 'nothing', 1);
with moved as (update users set region = 'far' where region = 'a' and id = 16 returning id)
    insert into users select 77, 'b', 'pro' from moved;
with moved as (update users set region = 'b' where region = 'a' and id = 17 returning id)
    insert into users select 78, 'far', 'pro' from moved;
delete from users where id = 18;
insert into users values (18, 'far', 'pro');
update users set region = 'far', id = 119, plan = 'pro' where region = 'a' and id = 19;
commit;
copy users from stdin;
20	far	pro
\.
select user_key, old_value, new_value from goals.matches('m', 'primary') order by user_key::int;
-- Events and sends that move there
insert into events values (20, 'buy', 1);
update events set month = 2 where month = 1 and user_id = 20;
update sends set month = 2, opened_at = clock_timestamp() where month = 1 and user_id = 23;
insert into sends values ('m', 25, null, 1);
update sends set month = 2, opened_at = clock_timestamp() where month = 1 and user_id = 25;
select sent, opened from goals.message_stats where goal = 'buy';
select times_seen from goals.explain('m', '20') where goal = 'buy';
select * from goals.verify();
