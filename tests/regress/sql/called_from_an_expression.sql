-- PL/pgSQL evaluates a simple expression without a query of its own, in a memory context that outlives the resources of the statement around
-- it, even its transaction. What is opened for such a call must be closed with it.
create table users (id bigint primary key, visits int not null default 0);
insert into users select n from generate_series(1, 9) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', event => 'buy', time_limit => '1 day');
select goals.record_sent('m', array(select id::text from users));

create function buys(k bigint) returns boolean language plpgsql as $$
begin
    return goals.record_event(k, 'buy') is null;
end $$;
select buys(1);
select buys(id) from users where id in (2, 3);
select from buys(4) a, buys(5) b;

-- The transaction ends and the next one begins within one block.
do $$
declare
    receipt bigint;
begin
    if goals.record_event(6::bigint, 'buy') is null then
        commit;
    end if;
    receipt := goals.record_sent('m', 7::bigint);
    commit;
    if goals.record_event(7::bigint, 'buy') is null then
        rollback;
    end if;
    receipt := goals.record_sent('m', 8::bigint);
    begin
        if goals.record_event(8::bigint, 'buy') is null then
            raise exception 'no';
        end if;
    exception when raise_exception then
        null;
    end;
    if goals.record_event(8::bigint, 'buy') is null then
        receipt := goals.record_sent('m', 9::bigint);
    end if;
end $$;
select user_key, count(*) from goals.matches('m') group by user_key order by user_key;
select sent, matched from goals.message_stats where goal = 'primary';

-- A query that calls row by row, cut into pieces by a cursor and by savepoints
begin;
declare c cursor for select id, goals.record_event(id, 'buy') is null as called, goals.record_sent('m', id) > 0 as sent from users order by id;
fetch 2 from c;
savepoint one;
fetch 2 from c;
savepoint two;
update users set visits = visits + 1;
rollback to one;
fetch 1 from c;
release one;
fetch 2 from c;
commit;
select user_key, count(*) from goals.matches('m') group by user_key order by user_key;
declare held cursor with hold for select goals.record_sent('m', id) > 0 as sent from users order by id limit 2;
fetch all from held;
close held;
begin;
declare held cursor with hold for select goals.record_sent('m', id) > 0 as sent from users order by id limit 2;
commit;
fetch all from held;
close held;
-- Users by the array, whose row each has memory of its own
insert into users (id) select generate_series(1001, 1300);
select from goals.create_message('once', kind => 'one_off');
do $$
declare
    sent bigint;
begin
    for i in 1..20 loop
        sent := goals.record_sent('once', array(select id::text from users where id % 2 = i % 2));
        perform count(*) from goals.deliver('once', array(select id::text from users where id % 3 = i % 3));
        sent := goals.record_sent('once', (select min(id) from users), ref => 'ref ' || i);
    end loop;
end $$;
select count(*) = (select count(*) from users) as each_once from goals.receipt r join goals.revision v using (revision_id) join goals.message m on m.message_id = v.message_id where m.name = 'once';
select sent, matched from goals.message_stats where goal = 'primary';
select * from goals.verify();
select problem from goals.health();
