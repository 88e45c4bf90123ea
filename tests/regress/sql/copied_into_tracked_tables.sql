-- COPY fires triggers after its last row, with an executor of its own: what they open stays open for all rows, and is closed whatever
-- becomes of the COPY.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 9) n;
create table events (user_id bigint, name text, properties jsonb);
create table sends (id int, message text, user_id bigint, opened timestamptz);
select from goals.track_users('users');
select from goals.track_events('events', 'user_id', 'name', properties => 'properties');
select from goals.track_receipts('sends', 'message', 'user_id', opened_at => 'opened');
select from goals.create_message('m');
select from goals.set_goal('m', event => 'buy', time_limit => '1 day', after => 'opened');
select from goals.set_goal('m', 'plan', 'is', 'pro', time_limit => '1 day', goal => 'pro');

copy sends from stdin (format csv);
1,m,1,2020-01-01
2,m,2,
3,m,3,
4,m,99,
5,n,1,
\.
select sent, opened from goals.message_stats where goal is null;
update sends set opened = clock_timestamp();
copy events from stdin (format csv);
1,buy,"{""price"": 3}"
2,buy,
3,visit,
99,buy,
\.
select user_key, goal from goals.matches('m') order by user_key;

-- A trigger of the application fails at a later row: nothing of the COPY is left.
create function fails_at() returns trigger language plpgsql as $$
begin
    if new.user_id = 5 then
        raise exception 'no';
    end if;
    return null;
end $$;
create trigger zz_fails after insert on sends for each row execute function fails_at();
create trigger zz_fails after insert on events for each row execute function fails_at();
copy sends from stdin (format csv);
6,m,4,
7,m,5,
\.
begin;
copy sends from stdin (format csv);
8,m,4,
\.
savepoint before;
copy events from stdin (format csv);
3,buy,
5,buy,
\.
rollback to before;
copy events from stdin (format csv);
3,buy,
\.
commit;
select user_key, goal from goals.matches('m') order by user_key;

-- Parts rolled back between the rows of one COPY
create or replace function fails_at() returns trigger language plpgsql as $$
begin
    begin
        perform goals.record_sent('m', new.user_id);
        perform goals.record_event(new.user_id, 'buy');
        update users set plan = 'pro' where id = new.user_id;
        perform 1 / (new.user_id - 6);
    exception when division_by_zero then
        null;
    end;
    return null;
end $$;
copy sends from stdin (format csv);
9,m,6,
10,m,7,
\.
copy events from stdin (format csv);
6,buy,
8,buy,
\.
select user_key, goal, count(*) from goals.matches('m') group by user_key, goal order by user_key, goal;
select goal, sent, opened, matched from goals.message_stats order by goal nulls first;
select problem, object from goals.health() order by 1, 2;
select * from goals.verify();
