-- A number outside the range of the column is not a value of it: such a goal could never hold, or always.
create domain small as numeric(4, 1);
create table users (
    id bigint primary key, s smallint, n int, b bigint, o oid, num numeric, price numeric(5, 2),
    d small, r real, f double precision, m money
);
insert into users (id, r, f) select n, 0.7, 0.7 from generate_series(1, 9) n;
select from goals.track_users('users');
select from goals.create_message('m');
create function try(attribute text, operator text, value text) returns text
    language plpgsql set client_min_messages = warning as $$
declare message text; hint text; state text;
begin
    perform goals.set_goal('m', attribute, operator, value, '1 day');
    return 'set';
exception when others then
    get stacked diagnostics state = returned_sqlstate, message = message_text, hint = pg_exception_hint;
    return concat_ws(' ', state, message, '|', hint);
end $$;
select a as attribute, v as value, try(a, 'at least', v) from (values
    ('n', '2147483647'), ('n', '2147483647.5'), ('n', '99999999999'), ('n', '-2147483648'), ('n', '-2147483649'),
    ('n', 'Infinity'), ('s', '32768'), ('b', '9223372036854775807'), ('b', '9223372036854775808'), ('o', '-1'),
    ('o', '4294967295'), ('num', '1e1000'), ('num', 'Infinity'), ('price', '999.99'), ('price', '1000'),
    ('price', 'Infinity'), ('d', '-999.9'), ('d', '-1000'), ('r', '3.4e38'),
    ('r', '1e39'), ('r', 'Infinity'), ('f', '1.7e308'), ('f', '1e309'), ('f', '-Infinity'),
    ('m', '92233720368547758.07'), ('m', '92233720368547758.08')) x (a, v);
-- Whatever the operator
select o as operator, v as value, try('n', o, v) from (values
    ('is', '99999999999'), ('is not', '99999999999'), ('is any of', '{1,99999999999}'),
    ('greater than', '-99999999999'), ('less than', '99999999999'), ('at most', '99999999999'),
    ('is increased by', '4294967295'), ('is increased by', '4294967296')) x (o, v);
-- Elements of lists and json are not asked.
alter table users add ns int[], add doc jsonb;
select try('ns', 'contains', '99999999999'), try('doc.n', 'at least', '99999999999');
-- A goal that was set when the column was wider goes on, as it is meant.
select from goals.set_goal('m', 'b', 'at most', '99999999999', '1 day', goal => 'wide');
select goals.record_sent('m', array['1']);
alter table users alter b type int;
update users set b = 5 where id = 1;
select goal from goals.matches('m');

-- "is increased by" on binary numbers: by as much as the type computes, or as is written in decimals.
select from goals.create_message('by');
select count(goals.set_goal('by', c, 'is increased by', v, '1 day', goal => concat(c, ' ', v)))
    from unnest(array['r', 'f']) c, unnest(array['0.1', '0.2']) v;
select goals.record_sent('by', array['1', '2', '3', '4', '5', '6']);
update users set f = f + 0.1, r = r + 0.1 where id = 1;
update users set f = 0.8, r = 0.8 where id = 2;
update users set f = f + 0.2, r = r + 0.2::real where id = 3;
update users set f = 0.79, r = 0.79 where id = 4;
update users set f = f + 0.05, r = r + 0.05 where id = 5;
update users set f = f + 0.06, r = r + 0.06 where id = 5;
select user_key, string_agg(goal, ', ' order by goal) from goals.matches('by') group by user_key order by user_key;
update users set f = 0.1, r = 0.1 where id in (7, 8);
update users set f = 1e20 where id = 9;
select goals.record_sent('by', array['7', '8', '9']);
update users set f = 0.1::float8 + 0.2::float8, r = 0.1::real + 0.2::real where id = 7;
update users set f = 0.3, r = 0.3 where id = 8;
-- A sum that is rounded to what it was is no gain.
update users set f = 2e20 where id = 6;
update users set f = 1e20 + 1 where id = 9;
update users set f = 0 where id = 9;
update users set f = 1e20 + 1 where id = 9;
select user_key, string_agg(goal, ', ' order by goal) from goals.matches('by')
    where user_key::int > 6 group by user_key order by user_key;
