-- A json text is read where it lies: whatever its form and length, what counts is what jsonb would make of it.
set client_min_messages = warning;
create table users (id int primary key, doc json, twin jsonb);
select from goals.track_users('users');
select from goals.create_message('m');
select from unnest(array['doc', 'twin']) c, unnest(array['', '.plan', '.company', '.company.size']) p,
    goals.set_goal('m', c || p, 'is changed', time_limit => '1 day', goal => c || p || ' changed');
select from goals.set_goal('m', 'doc.plan', 'is', 'pro', '1 day', goal => 'doc is pro');
select from goals.set_goal('m', 'doc.company.size', 'at least', '10', '1 day', goal => 'doc at least 10');
select from goals.set_goal('m', 'doc.tags', 'contains', 'é', '1 day', goal => 'doc tags');

-- seen(old, new): the goals that a change satisfies, and whether those on json and jsonb agree
create function seen(old text, new text, twins boolean = true) returns table (matched text, agree boolean) language plpgsql as $$
declare
    user_id int := (select coalesce(max(id), 0) + 1 from users);
begin
    insert into users values (user_id, old::json, case when twins then old::jsonb end);
    perform goals.record_sent('m', user_id);
    update users set doc = new::json, twin = case when twins then new::jsonb end where id = user_id;
    return query
    select string_agg(e.goal, ', ' order by e.goal) filter (where e.goal like 'doc%'),
           not twins or string_agg(substr(e.goal, 4), ', ' order by e.goal) filter (where e.goal like 'doc% changed')
                       is not distinct from string_agg(substr(e.goal, 5), ', ' order by e.goal) filter (where e.goal like 'twin%')
    from goals.explain('m', user_id) e where e.verdict = 'matched';
end $$;

-- Of repeated keys the last counts, inside as well.
select * from seen('{"plan": "free"}', '{"plan": "x", "plan": "pro"}');
select * from seen('{"plan": "pro"}', '{"plan": "free", "plan": "pro"}');
select * from seen('{"company": {"size": 1}}', '{"company": {"size": 50}, "company": {}}');
select * from seen('{"company": {"size": 1}}', '{"company": 3, "company": {"size": 50, "size": 10.0}}');
select * from seen('{"company": {"size": 1, "size": 2}}', '{"company": {"size": 2.0}}');
-- Escapes, in keys too
select * from seen('{"plan": "free"}', '{"\u0070lan": "p\u0072o"}');
select * from seen('{"plan": "a\"b\\\/\n"}', E'{"plan":\t"a\\u0022b\\u005c/\\u000a"}');
select * from seen('{"tags": []}', '{"tags": ["e", "\u00e9"]}');
select * from seen('{"plan": "\ud83d\ude00"}', '{"plan": "😀"}');
-- The order of keys, blanks, the form of numbers
select * from seen('{"company": {"a": [1, {"b": 2, "c": null}], "size": 10}}', '{"company":{ "size":1.0e1,"a":[1.00,{"c":null,"b":2}]}}');
select * from seen('{"company": {"a": [1, 2]}}', '{"company": {"a": [2, 1]}}');
select * from seen('{"company": {"size": 1e2}}', '{"company": {"size": 100.00}}');
-- A missing key and null
select * from seen('{"plan": null}', '{}');
select * from seen('{"plan": null, "company": null}', '{"company": {"size": null}}');
-- What jsonb does not take: half a surrogate pair, a NUL, a number that no numeric holds. The rest of the text is read.
select * from seen('{"x": "\ud800", "plan": "free"}', '{"x": "\u0000", "plan": "pro"}', twins => false);
select * from seen('{"plan": "\ud800"}', '{"plan": "\ud801"}', twins => false);
select * from seen('{"company": {"size": 1}}', '{"company": {"size": 1e999999}}', twins => false);
select * from seen('{"company": {"size": 1}}', '{"company": {"size": ' || repeat('9', 200000) || '}}', twins => false);
select * from seen('{"company": {"size": 1}}', '{"company": {"size": ' || repeat('9', 100000) || '}}');
-- Nested deeply
set max_stack_depth = '7MB';
select * from seen('{"plan": "free"}', '{"x": ' || repeat('[', 10000) || repeat(']', 10000) || ', "plan": "pro"}');
select * from seen('{"company": ' || repeat('{"a":', 5000) || '1.0' || repeat('}', 5001), '{"company": ' || repeat('{"a":', 5000) || '1' || repeat('}', 5001));
select * from seen('{"company": ' || repeat('[', 5000) || '1' || repeat(']', 5000) || '}', '{"company": ' || repeat('[', 5000) || '2' || repeat(']', 5000) || '}');
-- Long
select * from seen('{"x": "' || repeat('x', 20000000) || '", "plan": "free"}', '{"x": "' || repeat('y', 20000000) || '", "plan": "pro"}');
select * from seen((select '{"company": {' || string_agg('"k' || n || '": ' || n, ',') || '}}' from generate_series(1, 40000) n),
                   (select '{"company": {' || string_agg('"k' || n || '": ' || n || '.0', ',' order by n desc) || '}}' from generate_series(1, 40000) n));
-- Of two lists or objects with more than 50,000 pairs open at once the order of keys counts.
select * from seen((select '{"company": {' || string_agg('"k' || n || '": ' || n, ',') || '}}' from generate_series(1, 60000) n),
                   (select '{"company": {' || string_agg('"k' || n || '": ' || n || '.0', ' , ') || '}}' from generate_series(1, 60000) n));
select * from seen((select '{"company": {' || string_agg('"k' || n || '": ' || n, ',') || '}}' from generate_series(1, 60000) n),
                   (select '{"company": {' || string_agg('"k' || n || '": ' || n, ',' order by n desc) || '}}' from generate_series(1, 60000) n), twins => false);
-- Of a list of more than a million elements only that it changed
select * from seen('{"tags": ["é"]}', '{"tags": [' || repeat('1,', 1000000) || '"é"]}');
select * from seen('{"tags": ["x"]}', '{"tags": [' || repeat('1,', 999999) || '"é"]}');
