-- A large value that an UPDATE does not touch is not fetched, though goals look at it.
create table users (id bigint primary key, seen int default 0, note text, doc jsonb);
alter table users alter note set storage external, alter doc set storage external;
insert into users (id, note, doc) select n, repeat('x', 10000), jsonb_build_object('plan', 'free', 'more', repeat('y', 10000)) from generate_series(1, 3) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'note', 'is changed', time_limit => '1 day', goal => 'note');
select from goals.set_goal('m', 'doc.plan', 'is', 'pro', '1 day', goal => 'plan');
select goals.record_sent('m', array['1', '2', '3']);
create view fetched as
    select coalesce(idx_scan, 0) > 0 as fetched from pg_stat_xact_all_tables
    where relid = (select reltoastrelid from pg_class where oid = 'users'::regclass);
-- Each in a session of its own: what an earlier transaction has counted may not have been handed in.
\c
begin;
update users set seen = seen + 1;
select * from fetched;
commit;
-- Another column, another document: only then it is looked at.
\c
begin;
update users set doc = '{"plan": "pro"}' where id = 1;
select * from fetched;
commit;
select user_key, goal from goals.matches('m') order by user_key, goal;
