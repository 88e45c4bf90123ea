-- A key inside a json or jsonb column is an attribute of its own.
create table users (id bigint primary key, gone text, custom jsonb, doc json, "odd.name" jsonb);
alter table users drop column gone;
select from goals.track_users('users');
\pset null '-'

-- changed('custom.plan', changes, goals): a user a change of the whole document, one message with all the goals
create function changed(attribute text, changes text[], variadic goal_list text[])
returns table (change text, matched text, "held already" text) language plpgsql as $$
declare
    user_id bigint := (select coalesce(max(id), 0) from users);
    col text := case when attribute like '"odd%' then 'odd.name' else split_part(attribute, '.', 1) end;
begin
    perform goals.create_message(attribute);
    for i in 1 .. array_length(goal_list, 1) by 2 loop
        perform goals.set_goal(attribute, attribute, goal_list[i], goal_list[i + 1], '1 day', goal => concat_ws(' ', goal_list[i], goal_list[i + 1]));
    end loop;
    for i in 1 .. array_length(changes, 1) by 2 loop
        user_id := user_id + 1;
        execute format('insert into users (id, %I) values (%s, %L)', col, user_id, changes[i]);
        perform goals.record_sent(attribute, user_id);
        execute format('update users set %I = %L where id = %s', col, changes[i + 1], user_id);
        change := format('%s → %s', coalesce(changes[i], 'NULL'), coalesce(changes[i + 1], 'NULL'));
        select string_agg(e.goal, ', ' order by e.goal) filter (where e.verdict = 'matched'),
               string_agg(e.goal, ', ' order by e.goal) filter (where e.verdict like 'already%')
        into matched, "held already" from goals.explain(attribute, user_id) e;
        return next;
    end loop;
end $$;

-- By the kind of the value found: a string as text, a number as number, a boolean, an array as list.
select * from changed('custom.plan', array[
    '{"plan": "free"}', '{"plan": "pro"}',
    '{"plan": "free"}', '{"plan": "PROFESSIONAL"}',
    '{"plan": "free", "x": 1}', '{"plan": "free", "x": 2}',
    '{"plan": "pro", "x": 1}', '{"x": 1.0, "plan": "pro"}',
    '{}', '{"plan": "pro"}',
    '{"plan": null}', '{}',
    '{"plan": null}', '{"plan": "pro"}',
    null, '{"plan": "pro"}',
    '{"plan": "free"}', '{"plan": null}',
    '{"plan": "free"}', '{}',
    '{"plan": "free"}', null,
    '{"plan": "free"}', '{"plan": 5}',
    '{"plan": "free"}', '{"plan": ["pro", 1]}',
    '{"plan": "free"}', '{"plan": {"pro": 1}}',
    '{"plan": {"a": 1, "b": 2}}', '{"plan": {"b": 2.00, "a": 1}}',
    '{"plan": "free"}', '"pro"'],
    'is', 'pro', 'is not', 'pro', 'contains', 'pro', 'does not contain', 'pro', 'has any value', null, 'is unknown', null, 'is changed', null);
select * from changed('custom.company.size', array[
    '{"company": {"size": 10}}', '{"company": {"size": 11.5}}',
    '{"company": {"size": 10}}', '{"company": {"size": 10.00, "name": "x"}}',
    '{}', '{"company": {"size": 11}}',
    '{"company": {"size": 11}}', '{"company": {"size": "12"}}',
    '{"company": {"size": 11}}', '{"company": 12}',
    '{"company": {"size": 99999999999999999999}}', '{"company": {"size": 100000000000000000000.5}}',
    '{"company": [{"size": 1}]}', '{"company": [{"size": 20}]}'],
    'at least', '11', 'is', '11.50', 'is', '12', 'is increased', null, 'is decreased', null, 'is increased by', '1.5', 'is unknown', null, 'is changed', null);
select * from changed('custom.active', array[
    '{"active": false}', '{"active": true}', '{"active": "no"}', '{"active": "true"}', '{"active": 0}', '{"active": 1}'],
    'is', 'true', 'is not', 'true', 'is', '1');
select * from changed('custom.tags', array[
    '{"tags": ["a"]}', '{"tags": ["a", "vip"]}', '{"tags": ["vip"]}', '{"tags": []}', '{"tags": ["a"]}', '{"tags": ["VIP", 5, null]}',
    '{"tags": ["vip", "a"]}', '{"tags": ["a", "vip"]}', '{"tags": ["a"]}', '{"tags": [["vip"], {"vip": 1}]}', '{"tags": "a"}', '{"tags": "the VIP"}'],
    'contains', 'vip', 'does not contain', 'vip', 'contains', '5', 'has any value', null, 'is changed', null);

-- Keys with dots, quotes, capitals, unicode, and the empty key; a column whose name has a dot.
select * from changed('custom."a.b"', array['{"a": {"b": 1}, "a.b": 1}', '{"a": {"b": 2}, "a.b": 1}', '{"a": {"b": 1}, "a.b": 1}', '{"a": {"b": 1}, "a.b": 2}'], 'is', '2', 'is changed', null);
select * from changed('custom."say ""hi"""', array['{"say \"hi\"": 1}', '{"say \"hi\"": 2}'], 'is', '2');
select * from changed('custom.""', array['{"": {"": 1}}', '{"": {"": 2}}', '{"": 1}', '{"": 2}'], 'is', '2', 'is changed', null);
select * from changed('custom."".""', array['{"": {"": 1}}', '{"": {"": 2}}'], 'is', '2');
select * from changed('custom.größe.日本', array['{"größe": {"日本": "x"}}', '{"gr\u00f6\u00dfe": {"\u65e5\u672c": "\u65e5"}}', '{"größe": {"日本": "日"}}', '{"gr\u00f6\u00dfe": {"日本": "\u65e5"}}'], 'is', '日', 'is changed', null);
select * from changed('custom.Plan', array['{"plan": "pro"}', '{"plan": "pro", "Plan": "pro"}'], 'is', 'pro');
select * from changed('"odd.name".x', array['{"x": 1}', '{"x": 2}'], 'is', '2');

-- The column itself is an attribute too.
select * from changed('custom', array['{"a": 1, "b": 2}', '{"b": 2.0, "a": 1}', '{}', '{"a": 1}', '"free"', '"pro"', null, 'null', null, '{}', '[1]', '[1, "pro"]'],
    'is', 'pro', 'contains', 'pro', 'has any value', null, 'is changed', null);

-- json, not b: compared value by value as jsonb is, though its bytes differ; the last of two equal keys counts.
select * from changed('doc.plan', array[
    '{"plan": "free"}', '{"plan":   "pro"}', '{"plan": "pro", "x": 1}', '{ "x":2,"plan":"pr\u006f" }', '{"plan": 1.0}', '{"plan": 1e0}',
    '{"plan": "free"}', '{"plan": "free", "plan": "pro"}', '{"plan": null}', '{"x": 1}', '{"plan": ["a"]}', '{"plan": ["a", "pro"]}', null, '{"plan": "pro"}'],
    'is', 'pro', 'contains', 'pro', 'has any value', null, 'is changed', null);
select * from changed('doc', array['{"a": 1, "b": 2}', '{"b":2,"a":1}', '{"a": 1}', '{"a": 2}'], 'is changed', null);

-- Not a key
select from goals.set_goal('doc', 'doc.', 'is changed', time_limit => '1 day');
select from goals.set_goal('doc', 'custom."a', 'is changed', time_limit => '1 day');
select from goals.set_goal('doc', 'custum.plan', 'is changed', time_limit => '1 day');
select from goals.set_goal('doc', 'id.plan', 'is changed', time_limit => '1 day');
select from goals.set_goal('doc', 'doc.n', 'at least', 'many', '1 day');

-- What made the match
select goal, attribute, old_value, new_value from goals.matches('custom.company.size', 'is increased') order by user_key::int;

-- The change seen is kept with the match, objects and lists of them too; of a long one its beginning.
create table documents (id int primary key, b jsonb default '{}', j json default '{}');
insert into documents select generate_series(1, 3);
select from goals.track_users('documents');
select from goals.create_message('seen', users => 'documents');
select from unnest(array['b', 'j']) c, unnest(array['', '.o', '.o.list']) p, goals.set_goal('seen', c || p, 'is changed', time_limit => '1 day', goal => c || p);
select from goals.record_sent('seen', array['1', '2', '3']);
update documents set b = '{"o": {"list": [1.50, {"k": "v"}, []], "n": null}}', j = '{"o": {"list": [1.50, {"k": "v\u0000"}, [], 1e999999], "n": null}}' where id = 1;
update documents set b = jsonb_build_object('o', jsonb_build_object('list', array_fill('{"é": 1}'::jsonb, array[1000]))), j = json_build_object('o', json_build_object('list', array_fill('{"é": 1}'::jsonb, array[1000]))) where id = 2;
update documents set b = jsonb_build_object('o', jsonb_build_object('list', array_fill('{"é": 1}'::jsonb, array[100000]))) where id = 3;
update documents set b = '{"o": {}}', j = '{"o": {}}' where id = 1;
select goal, user_key, old_value, left(new_value::text, 60) as new_value, jsonb_typeof(new_value) as type, length(new_value #>> '{}') < 1000 as bounded from goals.matches('seen') order by goal, user_key;
-- Whatever digits a number is written with.
update documents set j = '{"o": {"list": [1.0e-16383, 0e-20000, 1.5E1]}}' where id = 3;
update documents set j = '{"o": {}}' where id = 3;
select goal, left(new_value::text, 30) as new_value, jsonb_typeof(new_value) as type from goals.matches('seen') where user_key = '3' and goal like 'j%' order by goal;
