-- "has any value" means that there is something: not NULL, not a missing key, not json null, and not an empty text,
-- list or object.
-- "is unknown" is its opposite.
create extension hstore;
create domain short as text;
create type pair as (a int, b text);
create table users (
    id bigint primary key, t text, v varchar(9), c char(4), d short, n int, f double precision, b boolean, at_day date,
    ts text[], ns int[], j json, jb jsonb, h hstore, y bytea, r int4range, rs int4multirange, bits varbit, q tsquery, p pair
);
create function two(attribute text, steps jsonb) returns table (change text, matched text, held_already text)
    language plpgsql set client_min_messages = warning as $$
declare i int; step text[];
begin
    perform goals.create_message('t' || attribute)
        where not exists (select from goals.message where name = 't' || attribute);
    for i in 0 .. jsonb_array_length(steps) - 1 loop
        step := array[steps->i->>0, steps->i->>1];
        delete from users where id = 1;
        insert into users (id) values (1);
        execute format('update users set %I = %L', split_part(attribute, '.', 1), step[1]);
        perform goals.set_goal('t' || attribute, attribute, o, time_limit => '1 day', goal => o)
            from unnest(array['has any value', case when attribute <> 'at_day' then 'is unknown' end]) o
            where o is not null;
        perform goals.record_sent('t' || attribute, '1');
        execute format('update users set %I = %L', split_part(attribute, '.', 1), step[2]);
        return query
            select concat(coalesce('''' || step[1] || '''', 'NULL'), ' -> ', coalesce('''' || step[2] || '''', 'NULL')),
                   coalesce(string_agg(e.goal, ', ' order by e.goal) filter (where e.verdict = 'matched'), '-'),
                   coalesce(string_agg(e.goal, ', ' order by e.goal) filter (where e.verdict like 'already%'), '-')
            from goals.explain('t' || attribute, '1') e;
        perform goals.forget_user('1');
    end loop;
end $$;
select from goals.track_users('users');
select $$[[null, ""], ["", null], ["", "a"], ["a", ""], [null, "a"], ["a", null], ["a", "b"], ["", " "], [" ",
    ""]]$$ as steps \gset
select * from two('t', :'steps');
select * from two('v', '[[null, ""], ["", "a"], ["a", ""], [" ", ""]]');
-- char(n) is its text without the blanks at its end.
select * from two('c', '[[null, "    "], ["", "a"], ["a", " "], [" a", ""]]');
select * from two('d', '[[null, ""], ["", "a"], ["a", ""]]');
-- Numbers, booleans and dates have no empty value: zero and false are something.
select * from two('n', '[[null, "0"], ["0", null], ["0", "1"]]');
select * from two('f', '[[null, "NaN"], ["NaN", null]]');
select * from two('b', '[[null, "false"], ["false", null]]');
select * from two('at_day', '[[null, "-infinity"], ["infinity", null]]');
select * from two('ts', '[[null, "{}"], ["{}", null], ["{}", "{NULL}"], ["{\"\"}", "{}"], [null, "{a}"], ["{a}",
    null]]');
select * from two('ns', '[[null, "{}"], ["{}", "{1}"], ["{1}", "{}"], ["{{1}}", "{}"]]');
-- Of json, the value found decides.
select $$[[null, "null"], ["null", "\"\""], ["\"\"", "[]"], ["[]", "{ }"], ["{}", "[ ]"], ["{}", "0"], ["false",
    "{}"], ["\" \"", "\"\""], ["\"\"", "[null]"], ["[[]]", "[]"], ["{}", "{\"a\": null}"], ["{\"a\": {}}",
    "{}"]]$$ as steps \gset
select * from two('jb', :'steps');
select * from two('j', :'steps') except select * from two('jb', :'steps');
select $$[["{}", "{\"k\": null}"], ["{\"k\": null}", "{\"k\": \"\"}"], ["{\"k\": \"\"}", "{\"k\": []}"], [null,
    "{\"k\": {}}"], ["{\"k\": {}}", "[]"], ["{\"k\": {}}", "{\"k\": 0}"], ["{\"k\": \"a\"}", "{\"k\": \"\"}"],
    ["{\"k\": \"\"}", "{\"k\": {\"k\": 1}}"], ["{\"k\": [1]}", "{}"]]$$ as steps \gset
select * from two('jb.k', :'steps');
select * from two('j.k', :'steps') except select * from two('jb.k', :'steps');
-- Every other type goes by its text; bytea, ranges and multiranges have an empty value with a text of its own.
select * from two('h', '[[null, ""], ["", "a=>1"], ["a=>1", ""]]');
select * from two('y', '[[null, ""], ["", "\\x00"], ["\\x00", "\\x"]]');
select * from two('r', '[[null, "empty"], ["[1,1)", "[1,2)"], ["[1,2)", "empty"], [null, "(,)"]]');
select * from two('rs', '[[null, "{}"], ["{}", "{[1,2)}"], ["{[1,2)}", "{empty}"]]');
select * from two('bits', '[[null, ""], ["", "0"], ["0", ""]]');
select * from two('q', '[[null, ""], ["", "a"], ["a", ""]]');
select * from two('p', '[[null, "(,)"], ["(,)", null]]');

-- From one empty value to another nothing changes for these two, whenever the time limit begins.
select from goals.create_message('opened');
select from goals.set_goal('opened', 't', 'is unknown', time_limit => '1 day', after => 'opened');
insert into users (id, t) values (2, 'a');
select goals.record_sent('opened', 2::bigint) > 0 as sent;
update users set t = '' where id = 2;
select from goals.record_opened('opened', 2);
update users set t = null where id = 2;
update users set t = '' where id = 2;
select verdict, times_seen from goals.explain('opened', 2);
update users set t = 'b' where id = 2;
update users set t = '' where id = 2;
select verdict, old_value, new_value from goals.explain('opened', 2);

-- For every other operator an empty value is the value that it is.
select from goals.create_message('others');
select from goals.set_goal('others', 't', 'is not', 'pro', '1 day', goal => 'is not');
select from goals.set_goal('others', 't', 'is changed', time_limit => '1 day', goal => 'is changed');
select from goals.set_goal('others', 'ts', 'does not contain', 'a', '1 day', goal => 'does not contain');
select from goals.set_goal('others', 'jb', 'is changed', time_limit => '1 day', goal => 'json is changed');
insert into users (id) values (3);
select goals.record_sent('others', 3::bigint) > 0 as sent;
update users set t = '', ts = '{}', jb = '{}' where id = 3;
select goal from goals.matches('others') order by goal;

-- Partitions with another type of the column, and large values
create table people (id bigint, region text, note text, primary key (id, region)) partition by list (region);
create table people_eu partition of people for values in ('eu');
create table people_us partition of people for values in ('us');
insert into people select n, 'eu', repeat('x', 100000) from generate_series(1, 2) n;
select from goals.track_users('people', key => 'id');
select from goals.create_message('p', users => 'people');
select from goals.set_goal('p', 'note', 'is unknown', time_limit => '1 day');
select goals.record_sent('p', array['1', '2']);
update people set note = '', region = 'us' where id = 1;
update people set region = 'us' where id = 2;
update people set note = '', region = 'eu' where id = 2;
select user_key, matched_at is not null as matched from goals.matches('p') order by user_key;
