-- A statement that sets something up, uses it and then fails: this session's own memory of it goes too.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 3) n;
select from goals.track_users('users');
select from goals.create_message('m');
create function fail() returns integer language plpgsql as $$ begin raise exception 'failed'; end $$;
\set VERBOSITY terse

select goals.create_message('never') > 0 as created, goals.assign('never', 1::bigint), fail();
select goals.assign('never', 1::bigint);

select goals.set_goal('m', 'plan', 'is', 'pro', '1 day') > 0 as set, goals.record_sent('m', 1::bigint) > 0 as sent, fail();
select goals.record_sent('m', 2::bigint) > 0 as sent;
update users set plan = 'pro' where id <= 2;
select r.user_key, v.goal_ids from goals.receipt r join goals.revision v using (revision_id);
select count(*) from goals.match_log;

-- In a subtransaction, after which the transaction goes on
do $$
begin
    begin
        perform goals.set_goal('m', 'plan', 'is', 'team', '1 day'), goals.record_sent('m', 3::bigint), fail();
    exception when raise_exception then
        null;
    end;
    perform goals.record_sent('m', 3::bigint);
    update users set plan = 'team' where id = 3;
end $$;
select r.user_key, v.goal_ids from goals.receipt r join goals.revision v using (revision_id) order by r.receipt_id;

select from goals.set_goal('m', 'plan', 'is', 'gold', '1 day');
select goals.stop_goal('m'), goals.record_sent('m', 1::bigint) > 0 as sent, fail();
select goals.record_sent('m', 1::bigint) > 0 as sent;
update users set plan = 'gold';
select user_key, new_value from goals.matches('m');

-- Planning a default of the extension's tables ends a subtransaction, after which the server replays what the statement
-- has announced. Also without them, it goes.
do $$
declare
    found record;
begin
    for found in select adrelid::regclass as relation, attname from pg_attrdef
            join pg_attribute on attrelid = adrelid and attnum = adnum
            where adrelid in (select oid from pg_class where relnamespace = 'goals'::regnamespace) and attname ~ '_at$'
    loop
        execute format('alter table %1$s alter %2$I drop default, alter %2$I drop not null',
            found.relation, found.attname);
    end loop;
end $$;
select goals.create_message('never') > 0 as created, goals.assign('never', 1::bigint), fail();
select goals.assign('never', 1::bigint);
select goals.set_goal('m', 'plan', 'is', 'lead', '1 day') > 0 as set, goals.assign('m', 1::bigint), fail();
select goals.record_sent('m', 2::bigint) > 0 as sent;
select count(*) as receipts, count(v.revision_id) as known
from goals.receipt r left join goals.revision v using (revision_id);
