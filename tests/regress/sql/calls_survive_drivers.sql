-- A driver sends parameters without a type, which PostgreSQL then takes as text where a function has a form with text.
-- What is meant is done, or refused with a hint that names the cast.
create table users (id bigint primary key, n int default 0);
insert into users select generate_series(1, 99);
create table people (id uuid primary key, n int default 0);
insert into people values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
create table accounts (name text primary key, n int default 0);
insert into accounts values ('2026-01-05T00:00:00Z'), ('{77,78}'), ('anna,bert');
select from goals.track_users('users');
select from goals.track_users('people');
select from goals.track_users('accounts');
select from goals.create_message('m', users => 'users');
select from goals.create_message('p', users => 'people');
select from goals.create_message('a', users => 'accounts');
select from unnest(array['m', 'p', 'a']) m,
    goals.set_goal(m, attribute => 'n', operator => 'is increased', time_limit => '3 days');
set timezone = 'UTC';

create procedure refused(statement text) language plpgsql as $$
declare message text; state text; hint text;
begin
    begin
        execute statement;
        raise info 'NOT REFUSED: %', statement;
        return;
    exception when others then
        get stacked diagnostics state = returned_sqlstate, message = message_text, hint = pg_exception_hint;
    end;
    raise info '%', concat_ws(e'\n', state || ': ' || message, '  hint: ' || nullif(hint, ''));
end $$;

-- An open of a receipt, its id and the time without types
select goals.record_sent('m', 77::bigint, sent_at => '2026-01-01') as receipt \gset
prepare opened as select goals.record_opened($1, $2);
prepare clicked as select goals.record_clicked($1, $2);
execute opened(:'receipt', '2026-01-02T03:04:05Z');
execute clicked(:'receipt', '2026-01-03 03:04:05.678+00');
select opened_at, clicked_at from goals.explain('m', 77);
-- the zone is the session's, as for a typed parameter
set timezone = 'Europe/Amsterdam';
select goals.record_sent('m', 78::bigint, sent_at => '2026-01-01') as other \gset
select goals.record_opened(:'other', '2026-01-02 04:04:05');
set timezone = 'UTC';
select opened_at from goals.explain('m', 78);
-- a receipt that is not there, a time that is none, a time in the future
call refused($$ select goals.record_opened('999999', '2026-01-02T03:04:05Z') $$);
call refused($$ select goals.record_opened('1', 'Fri Jan 02 2026 03:04:05 GMT+0000 (Coordinated Universal Time)') $$);
call refused($$ select goals.record_clicked('1', '77') $$);
call refused($$ select goals.record_clicked('1', '2026-13-32') $$);
call refused($$ select goals.record_opened('1', '2999-01-01') $$);
call refused($$ select goals.record_opened('welcome', '2026-01-02T03:04:05Z') $$);
-- nothing is guessed where a message of that name exists, or a user
call refused($$ select goals.record_opened('1', '2026-01-05T00:00:00Z') $$);
delete from accounts where name like '2026%';
select goals.record_opened('2', '2026-01-05T00:00:00Z');
select from goals.create_message('1', users => 'users');
call refused($$ select goals.record_opened('1', '2026-01-05T00:00:00Z') $$);
select receipt_id = :receipt as is_first, opened_at from goals.explain('m', 77);

-- Several users where one is taken: an array literal, or what JavaScript makes of an array
prepare sent as select goals.record_sent($1, $2);
call refused($$ execute sent('m', '{77,78}') $$);
call refused($$ execute sent('m', '77,78') $$);
call refused($$ execute sent('p', '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11,a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12}') $$);
call refused($$ select * from goals.deliver('m', '{77,78}') $$);
call refused($$ select goals.record_opened('m', '{77,78}') $$);
call refused($$ select goals.record_clicked('m', '{77}') $$);
call refused($$ select goals.record_event('{77,78}', 'e', users => 'users') $$);
call refused($$ select goals.assign('m', '{77,78}') $$);
call refused($$ select * from goals.explain('m', '{77,78}') $$);
call refused($$ select goals.forget_user('{77,78}', 'users') $$);
call refused($$ execute sent('m', '{}') $$);
-- a user of just that key is one
execute sent('a', '{77,78}');
execute sent('a', 'anna,bert');
call refused($$ execute sent('a', '{1}') $$);
call refused($$ execute sent('a', 'Smith, John') $$);
-- and a uuid may stand in braces
execute sent('p', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}');
select verdict from goals.explain('p', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
select user_key, goal from goals.outcome where message in ('a', 'p') order by 1;

-- A time where the variant stands
call refused($$ select goals.record_sent('m', '77', '2026-01-02T03:04:05Z') $$);

-- A key in an error is cut at 60 characters
call refused($$ select goals.record_sent('m', repeat('é', 60)) $$);
call refused($$ select goals.record_sent('m', repeat('é', 61)) $$);
call refused($$ select goals.record_opened('a', repeat('😀', 1000)) $$);
call refused($$ select goals.record_sent('m', array(select generate_series(1, 1000))::text) $$);
select * from goals.health();
