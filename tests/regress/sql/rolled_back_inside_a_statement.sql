-- Parts of a statement may be rolled back under our feet: a trigger of the application with an exception block. What the
-- statement around it has opened stays open and is closed with it, and every change still counts.
create table users (id int primary key, visits int not null default 0, note text);
insert into users select n from generate_series(1, 5) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'visits', 'is increased', time_limit => '1 day');
select goals.record_sent('m', array(select id::text from users));

-- It fires after ours, and before the next row's.
create function fails() returns trigger language plpgsql as $$
begin
    begin
        perform 1 / 0;
    exception when division_by_zero then
        null;
    end;
    return null;
end $$;
create trigger zz_fails after update on users for each row execute function fails();
update users set visits = visits + 1 where id <= 3;
select count(*) from goals.matches('m');

-- A change of another user inside the part that is rolled back: it never happened.
create function fails_after_a_change() returns trigger language plpgsql as $$
begin
    begin
        if new.id < 5 then
            update users set visits = visits + 1 where id = 5;
        end if;
        perform 1 / 0;
    exception when division_by_zero then
        null;
    end;
    return null;
end $$;
create trigger zz_fails_after_a_change after update on users for each row execute function fails_after_a_change();
update users set visits = visits + 1 where id in (3, 4);
select user_key from goals.matches('m') order by user_key;

-- A statement that is itself inside such a part, and one after it
do $$
begin
    begin
        update users set visits = visits + 1;
        raise exception 'no';
    exception when raise_exception then
        null;
    end;
    update users set note = 'seen', visits = visits + 1;
end $$;
select user_key, old_value, new_value from goals.matches('m') order by user_key;
select * from goals.verify();
