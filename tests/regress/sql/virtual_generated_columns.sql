-- PostgreSQL 18's virtual generated columns are in no row that a trigger is given: such a column is refused by its name, the others
-- of its table are matched. (Nothing is printed, so that older versions print the same.)
select current_setting('server_version_num')::int >= 180000 as has_virtual \gset
\if :has_virtual
create table users (id int primary key, visits int not null default 0, twice int generated always as (visits * 2) virtual,
    four_times int generated always as (visits * 4) stored);
insert into users (id) select generate_series(1, 3);
create table acts (id int, who int generated always as (id + 1) virtual, name text, named text generated always as (name || '!') virtual);
select from goals.track_users('users') \g /dev/null
select from goals.create_message('m') \g /dev/null
do $$
declare
    message text;
    hint text;
begin
    perform goals.set_goal('m', 'twice', 'is increased', time_limit => '1 day');
    raise exception 'a virtual column is accepted';
exception when invalid_parameter_value then
    get stacked diagnostics message = message_text, hint = pg_exception_hint;
    if message <> 'column "twice" of public.users is a virtual generated column' or hint !~ 'STORED' then
        raise exception '% (%)', message, hint;
    end if;
end $$;
-- As a key, or any other column of a tracked table, it is refused too; where one has taken the place of the column since, health() says so.
do $$
declare
    call text;
    message text;
begin
    foreach call in array array['goals.track_users(''users'', ''twice'')', 'goals.track_events(''acts'', ''who'', ''name'')',
            'goals.track_events(''acts'', ''id'', ''named'')', 'goals.track_receipts(''acts'', ''name'', ''who'')'] loop
        begin
            execute 'select ' || call;
            raise exception 'accepted: %', call;
        exception when invalid_parameter_value then
            get stacked diagnostics message = message_text;
            if message !~ '^column "(twice|who|named)" of public\.(users|acts) is a virtual generated column$' then
                raise exception '%', message;
            end if;
        end;
    end loop;
    create table later (id int, other int);
    perform goals.track_users('later', 'id');
    alter table later drop column id, add column id int generated always as (other + 1) virtual;
    if not exists (select from goals.health() where problem = 'broken users table' and detail ~ '"id" is now a virtual generated column') then
        raise exception 'health() does not show it';
    end if;
end $$;
select from goals.untrack('later') \g /dev/null
select from goals.set_goal('m', 'four_times', 'is', '8', time_limit => '1 day') \g /dev/null
select from goals.record_sent('m', '{1,2}'::text[]) \g /dev/null
update users set visits = 2 where id >= 2;
select goal, matched as unexpected from goals.message_stats where matched <> 1 \g (format=unaligned tuples_only=on)
\endif
