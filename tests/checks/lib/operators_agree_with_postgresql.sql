-- See tests/checks/operators_agree_with_postgresql. Where the contract differs from PostgreSQL's operators, `holds` and `steps`
-- below say so:
--   unknown    an unknown new value fulfils only "is unknown" and "is changed"; a json null and a missing key are unknown
--   nothing    for "has any value" and "is unknown", an empty text, list or object too
--   increase   an unknown old value counts as zero; gains are exact decimals, of floats also what their sum comes to
--   NaN        is neither greater nor less, increased nor decreased, nor is anything so in comparison with it
--   case       ignored by contains, starts with, ends with: compared with lower(), on letters whose lower case is one letter
--   moments    dates and times are known or unknown, nothing else
--   json       has no equality: as jsonb; a json string is text, a number a number, a list an array, and "is any of" not for
--              booleans; for the operators of numbers a string in plain notation is a number
--   others     types of extensions are compared by their text
set client_min_messages = warning;

create type mood as enum ('sad', 'ok', 'Happy', 'happy');
create domain short_text as text;
create domain positive as numeric;

-- edges: the values that matter; random: an expression for others; comparand: what goals compare with
create table subject (type text, kind text, edges text[], random text, comparand text[]);
insert into subject values
('smallint', 'number', '{-32768,-1,0,1,2,5,32767,NULL}', '(random() * 20 - 10)::int', '{0,5,-1,32767}'),
('integer', 'number', '{-2147483648,-1,0,1,2,5,2147483647,NULL}', '(random() * 20 - 10)::int', '{0,5,-1,2147483647}'),
('bigint', 'number', '{-9223372036854775808,-1,0,1,5,9007199254740993,9223372036854775807,NULL}', '(random() * 20 - 10)::int', '{0,5,9007199254740992,-9223372036854775808}'),
('oid', 'number', '{0,1,5,4294967295,NULL}', '(random() * 20)::int', '{0,5,4294967295}'),
('numeric', 'number', '{NaN,Infinity,-Infinity,0,-0.0,0.00,1,1.0,1.000,0.1,0.10,-1.5,1e-30,1.000000000000000000000000000001,1e40,123456789012345678901234567890.12345,NULL}', 'round((random() * 20 - 10)::numeric, (random() * 4)::int)', '{0,1.00,-1.5,1e40,0.1,Infinity}'),
('numeric(8,2)', 'number', '{NaN,0,1,1.10,999999.99,NULL}', 'round((random() * 20 - 10)::numeric, 2)', '{0,1.1,999999.99}'),
('positive', 'number', '{0,1.0,1.00,2.5,NULL}', 'round((random() * 5)::numeric, 1)', '{1,2.5}'),
('real', 'number', '{NaN,Infinity,-Infinity,0,-0,1,0.1,0.3,1e-45,3.4e38,-3.4e38,16777216,NULL}', '(random() * 20 - 10)::real', '{0,0.1,16777217,3.4e38,Infinity}'),
('double precision', 'number', '{NaN,Infinity,-Infinity,0,-0,1,0.1,0.2,0.30000000000000004,0.3,5e-324,1.7e308,-1.7e308,9007199254740993,NULL}', '(random() * 20 - 10)', '{0,0.3,1e22,-1.7e308,0.30000000000000004}'),
('money', 'number', '{0,0.01,-0.01,12.50,92233720368547758.07,-92233720368547758.08,NULL}', 'round((random() * 20 - 10)::numeric, 2)::money', '{0,12.5,-0.01}'),
('boolean', 'boolean', '{true,false,NULL}', 'random() < 0.5', '{true,f,on,0}'),
('text', 'text', '{"",pro,Pro,PRO,"pro "," pro",prö,PRÖ,"a pro b",GROSS,ÉTÉ,"l''été",日本,"日本語","\"quoted\"","back\\slash","tab\t","NULL",NULL}', 'chr(65 + (random() * 60)::int) || substr(md5(random()::text), 1, (random() * 3)::int)', '{pro,"",ö,été,日本,"\"","o ","%","_"}'),
('varchar(20)', 'text', '{"",pro,Pro,"pro ",prö,NULL}', 'substr(md5(random()::text), 1, (random() * 3)::int)', '{pro,"",ö,"pro "}'),
('char(6)', 'text', '{"",pro,"pro  ",Pro," pro",NULL}', 'substr(md5(random()::text), 1, (random() * 3)::int)', '{pro,"",a,"pro  "}'),
('citext', 'text', '{"",pro,Pro,PRO,"pro ",prö,PRÖ,NULL}', 'substr(md5(random()::text), 1, (random() * 3)::int)', '{pro,PRO,"",ö}'),
('short_text', 'text', '{"",pro,Pro,NULL}', 'substr(md5(random()::text), 1, (random() * 3)::int)', '{pro,"",a}'),
('mood', 'text', '{sad,ok,Happy,happy,NULL}', '(array[''sad'',''ok'',''happy''])[1 + (random() * 2)::int]', '{happy,sad}'),
('uuid', 'text', '{00000000-0000-0000-0000-000000000000,A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,a0eebc999c0b4ef8bb6d6bb9bd380a11,"{a0eebc99-9c0b4ef8-bb6d6bb9-bd380a12}",NULL}', 'gen_random_uuid()', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11,00000000-0000-0000-0000-000000000000}'),
('inet', 'text', '{10.0.0.1,10.0.0.1/32,10.0.0.1/8,10.0.0.0/8,::1,::1/128,NULL}', '''10.0.0.'' || (random() * 9)::int', '{10.0.0.1/32,10.0.0.0/8,::1}'),
('cidr', 'text', '{10.0.0.0/8,10.0.0.0/16,10.1.0.0/16,NULL}', '''10.'' || (random() * 9)::int || ''.0.0/16''', '{10.0.0.0/8}'),
('macaddr', 'text', '{08:00:2b:01:02:03,08-00-2b-01-02-03,NULL}', '''08:00:2b:01:02:0'' || (random() * 9)::int', '{08002b010203}'),
('bytea', 'text', '{"","\\x00","\\x0000","\\xff",NULL}', 'decode(substr(md5(random()::text), 1, 2 * (random() * 2)::int), ''hex'')', '{"\\x00","\\xFF"}'),
('bit varying', 'text', '{0,00,1,"",NULL}', '((random() * 9)::int)::bit(4)::text', '{0,00,1}'),
('int4range', 'text', '{"[1,3]","[1,4)",empty,"(0,4)",NULL}', 'int4range((random() * 3)::int, 4 + (random() * 3)::int)', '{"[1,3]",empty}'),
('pg_lsn', 'text', '{0/0,16/B374D848,16/b374d848,NULL}', '(''0/'' || (random() * 9)::int)', '{16/b374d848}'),
('tsvector', 'text', '{"a b","b a",a,NULL}', 'substr(md5(random()::text), 1, 2)::tsvector', '{"''b'' ''a''"}'),
('point', 'other', '{"(0,0)","(0,1)","(-0,0)",NULL}', 'point((random() * 3)::int, 1)', '{"(0,1)"}'),
('xml', 'other', '{"<a/>","<a></a>","",NULL}', '(''<b>'' || (random() * 3)::int || ''</b>'')::xml', '{"<a/>"}'),
('hstore', 'other', '{"a=>1","b=>2, a=>1","a=>1, b=>2","",NULL}', '(''a=>'' || (random() * 3)::int)::hstore', '{"\"a\"=>\"1\""}'),
('date', 'moment', '{2024-02-29,infinity,-infinity,NULL,NULL}', 'current_date + (random() * 9)::int', null),
('time', 'moment', '{00:00,24:00,NULL,NULL}', 'localtime', null),
('time with time zone', 'moment', '{12:00+00,13:00+01,NULL,NULL}', 'current_time', null),
('timestamp', 'moment', '{2024-02-29,infinity,NULL,NULL}', 'localtimestamp', null),
('timestamp with time zone', 'moment', '{2024-02-29 12:00+00,2024-02-29 13:00+01,-infinity,NULL,NULL}', 'now()', null),
('interval', 'moment', '{1 day,24 hours,1 month,30 days,NULL,NULL}', 'random() * interval ''1 day''', null),
('text[]', 'list', '{"{}","{a}","{a,pro}","{pro,a}","{Pro}","{NULL}","{a,NULL}","[5:6]={a,pro}","{{a,b},{c,pro}}","{\"\"}","{日本}",NULL}', 'array[substr(md5(random()::text), 1, 1)]', '{pro,a,"",日本,NULL}'),
('integer[]', 'list', '{"{}","{1}","{1,2}","{2,1}","{NULL}","{{1},{2}}",NULL}', 'array[(random() * 3)::int]', '{1,2,0}'),
('bigint[]', 'list', '{"{}","{9007199254740993}","{1,2}","{NULL}",NULL}', 'array[(random() * 3)::int]', '{1,9007199254740993}'),
('numeric[]', 'list', '{"{}","{1.0}","{1.00}","{0.1,2}","{NaN}",NULL}', 'array[round(random()::numeric, 1)]', '{1,0.10,NaN}'),
('real[]', 'list', '{"{}","{0.1}","{0,-0}","{NaN}","{-0}","{0}",NULL}', 'array[random()::real]', '{0.1,0,NaN}'),
('double precision[]', 'list', '{"{}","{0.1}","{0.30000000000000004}","{NaN}","{-0}","{0}",NULL}', 'array[random()]', '{0.1,0,0.3}'),
('boolean[]', 'list', '{"{}","{t}","{f,t}","{NULL}",NULL}', 'array[random() < 0.5]', '{true,no}'),
('uuid[]', 'list', '{"{}","{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",NULL}', 'array[gen_random_uuid()]', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}'),
('mood[]', 'list', '{"{}","{happy}","{sad,Happy}",NULL}', 'array[''ok''::mood]', '{happy,sad}'),
('char(3)[]', 'list', '{"{}","{a}","{\"a  \"}","{ab,c}",NULL}', 'array[substr(md5(random()::text), 1, 1)]', '{a,"ab "}'),
('date[]', 'list', '{"{}","{2024-02-29}","{infinity,2024-01-01}",NULL}', 'array[current_date]', '{2024-02-29,infinity}'),
('timestamp with time zone[]', 'list', '{"{}","{2024-02-29 12:00+00}","{2024-02-29 13:00+01}",NULL}', 'array[now()]', '{2024-02-29 12:00+00}'),
('interval[]', 'list', '{"{}","{1 day}","{24 hours}","{1 mon}","{30 days}",NULL}', 'array[random() * interval ''1 day'']', '{24 hours}'),
('inet[]', 'list', '{"{}","{10.0.0.1}","{10.0.0.1/32}","{10.0.0.0/8}",NULL}', 'array[(''10.0.0.'' || (random() * 9)::int)::inet]', '{10.0.0.1/32}'),
('bytea[]', 'list', '{"{}","{\"\\\\x00\"}","{\"\\\\xff\"}",NULL}', 'array[decode(substr(md5(random()::text), 1, 2), ''hex'')]', '{"\\xFF"}'),
('money[]', 'list', '{"{}","{1.50}","{1,2}",NULL}', 'array[(random() * 3)::int::money]', '{1.5,2}'),
('jsonb[]', 'list changed', '{"{}","{\"{\\\"a\\\": 1, \\\"b\\\": 2}\"}","{\"{\\\"b\\\": 2.0, \\\"a\\\": 1}\"}",NULL}', 'array[to_jsonb((random() * 3)::int)]', null);

-- json: a key, a key inside a key, the column itself
insert into subject
select t, 'json', array(select case p when 0 then v when 1 then '{"x": ' || (i % 3) || ', "k": ' || v || '}' when 2 then '{"k": ' || v || ', "x": 1}' end
                        from unnest(values_) with ordinality u (v, i), generate_series(0, 2) p where v is not null)
    || array['{}', '{"x": 1}', '[]', '{"k": {"k": 5}}', '{"k": {"k": 5.0, "j": 1}}', '{"k": {"k": "pro"}}', '{"k": {"k": null}}', '{"k": {}}', '{"k": {"k": ["pro", 5]}}', null, null],
    '(''{"k": '' || (random() * 9)::int || '', "x": '' || (random() * 9)::int || ''}'')',
    '{pro,5.0,true,"",1e40,日本}'
from unnest(array['jsonb', 'json']) t,
    (values (array['null', '"pro"', '"Pro"', '"PROFESSIONAL"', '""', '"5"', '"true"', '"\u65e5\u672c"', '5', '5.0', '5.00', '-5', '0', '0.1', '0.10', '1e40', '10000000000000000000000000000000000000000', 'true', 'false',
        '[]', '["pro"]', '["pro", 5, null]', '["Pro"]', '[5.0]', '[true]', '[[5]]', '[{"k": 5}]', '{"a": 1, "b": [1, 2]}', '{"b": [1.0, 2], "a": 1}'])) x (values_);

create table done (type text, first boolean, pairs bigint, judged bigint, already bigint, matched bigint);
create table disagreement (type text, attribute text, goal text, o text, n text, already boolean, got_already boolean, matched boolean, got_matched boolean);

create function something(kind text, type text, v text) returns text language sql immutable as $$
    select format('coalesce(%s, false)', case
        when kind in ('number', 'boolean', 'moment') then format('%s is not null', v)
        when kind = 'json' then format('%s not in (''""'', ''[]'', ''{}'')', v)
        when kind like 'list%' then format('cardinality(%s) > 0', v)
        when type = 'bytea' then format('length(%s) > 0', v)
        when type like '%range' then format('not isempty(%s)', v)
        when type like 'char(%' then format('rtrim(%s::text, '' '') <> ''''', v)
        else format('%s::text <> ''''', v) end)
$$;

-- What a goal on a state asks of a value `v` of this type, in SQL.
create function holds(kind text, type text, operator text, value text, v text) returns text language plpgsql as $$
declare
    element text := regexp_replace(type, '\[\]$', '');
    body text := case when type like 'char(%' then format('rtrim(%s::text, '' '')', v) else format('case when %s is not null then concat(%1$s) end', v) end;
    -- the lower case of what is looked for, as the type's own text
    needle text := case when type like 'char(%' then format('lower(%L::text)', value) else format('lower(%L)', value) end;
begin
    if operator = 'has any value' then return something(kind, type, v); end if;
    if operator = 'is unknown' then return format('not %s', something(kind, type, v)); end if;
    return format('coalesce(%s, false)', case
        when kind = 'json' then case operator
            when 'is' then format('json_is(%s, %L)', v, value)
            when 'is not' then format('jsonb_typeof(%s) in (''string'', ''number'', ''boolean'') and not json_is(%1$s, %L)', v, value)
            when 'is any of' then format('jsonb_typeof(%s) <> ''boolean'' and exists (select from unnest(%L::text[]) a where json_is(%1$s, a))', v, value)
            when 'contains' then format('case jsonb_typeof(%s) when ''string'' then position(%s in lower(%1$s #>> ''{}'')) > 0 when ''array'' then exists (select from jsonb_array_elements(%1$s) e where json_is(e, %3$L)) end', v, needle, value)
            when 'does not contain' then format('case jsonb_typeof(%s) when ''string'' then position(%s in lower(%1$s #>> ''{}'')) = 0 when ''array'' then not exists (select from jsonb_array_elements(%1$s) e where json_is(e, %3$L)) end', v, needle, value)
            when 'starts with' then format('jsonb_typeof(%s) = ''string'' and starts_with(lower(%1$s #>> ''{}''), %s)', v, needle)
            when 'ends with' then format('jsonb_typeof(%s) = ''string'' and right(lower(%1$s #>> ''{}''), length(%s)) = %2$s', v, needle)
            else format('json_number(%s) %s %L::numeric', v, comparison(operator), value) end
        when kind = 'list' then case operator
            when 'contains' then format('%s @> array[%L]::%s', v, value, type)
            when 'does not contain' then format('not %s @> array[%L]::%s', v, value, type) end
        when operator = 'contains' then format('position(%s in lower(%s)) > 0', needle, body)
        when operator = 'does not contain' then format('position(%s in lower(%s)) = 0', needle, body)
        when operator = 'starts with' then format('starts_with(lower(%s), %s)', body, needle)
        when operator = 'ends with' then format('right(lower(%s), length(%s)) = %2$s', body, needle)
        when kind = 'other' and operator = 'is any of' then format('%s::text = any (%L::text[])', v, value)
        when kind = 'other' then format('%s::text %s %L', v, comparison(operator), value)
        when operator = 'is any of' then format('%s = any (%L::%s[])', v, value, type)
        when operator in ('is', 'is not') then format('%s %s %L::%s', v, comparison(operator), value, type)
        else format('%s %s %L::%s and %1$s::text <> ''NaN''', v, comparison(operator), value, type) end);
end $$;

create function comparison(operator text) returns text language sql immutable as $$
    select case operator when 'is' then '=' when 'is not' then '<>' when 'greater than' then '>' when 'less than' then '<' when 'at least' then '>=' when 'at most' then '<=' end
$$;

create function json_is(v jsonb, value text) returns boolean language sql stable as $$
    select case jsonb_typeof(v) when 'string' then v #>> '{}' = value
        when 'number' then case when value ~ '^[-+]?[0-9.]+(e[0-9]+)?$' then (v #>> '{}')::numeric = value::numeric else false end
        when 'boolean' then case when value in ('true', 'false') then v #>> '{}' = value else false end else false end
$$;

create function json_number(v jsonb) returns numeric language sql immutable as $$
    select case when jsonb_typeof(v) = 'number' or jsonb_typeof(v) = 'string' and v #>> '{}' ~ '^-?[0-9]+([.][0-9]+)?$'
                then (v #>> '{}')::numeric end
$$;

-- What a goal on a change asks of the step from `o` to `n`.
create function steps(kind text, type text, operator text, value text, o text, n text) returns text language plpgsql as $$
declare sum text := case type when 'double precision' then format('coalesce(%s, 0) + %L::float8', o, value)
                             when 'real' then format('least((coalesce(%s, 0)::float8 + %L::float8)::real,
                                                            coalesce(%1$s, 0) + %2$L::real)', o, value) end;
        rounded text := format('%s >= %s and %1$s > coalesce(%3$s, 0)', n, sum, o);
        number text := case when kind = 'json' then 'json_number(%1$s)'
                            when type = 'money' then '(%1$s)::numeric' else '(%1$s)::text::numeric' end;
begin
    if operator = 'is changed' then return 'true'; end if;
    -- unknown as zero; a json value that is known, but no number, has nothing to increase from
    o := case when operator = 'is decreased' then format(number, o) when kind = 'json' then format('case when %s is null then 0 else %s end', o, format(number, o)) else format('coalesce(%s, 0)', format(number, o)) end;
    n := format(number, n);
    return format('coalesce(%s, false)', case operator
        when 'is increased' then format('%s > %s and %1$s <> ''NaN'' and %2$s <> ''NaN''', n, o)
        when 'is decreased' then format('%s < %s and %1$s <> ''NaN'' and %2$s <> ''NaN''', n, o)
        when 'is increased by' then format('(%s - %s >= %L or %s) and %1$s - %2$s <> ''NaN''', n, o, value,
                                           case when sum is null then 'false' else rounded end) end);
end $$;

create procedure compare(s subject, attribute text, how_many int) language plpgsql as $$
declare
    title text := s.type || coalesce(' ' || nullif(attribute, 'v'), '');
    relation text := quote_ident('users ' || title);
    is_json boolean := s.kind = 'json';
    old_value text := case when not is_json then 'p.o' else format('nullif(p.o::jsonb #> %L, ''null'')', case attribute when 'v' then '{}' when 'v.k' then '{k}' else '{k,k}' end) end;
    new_value text := replace(old_value, 'p.o', 'p.n');
    different text;
    operators text[] := case s.kind
        when 'number' then '{is,is not,is any of,greater than,less than,at least,at most,is increased,is decreased,is increased by,has any value,is unknown,is changed}'
        when 'boolean' then '{is,is not,has any value,is unknown,is changed}'
        when 'moment' then '{has any value}'
        when 'list' then '{contains,does not contain,has any value,is unknown,is changed}'
        when 'list changed' then '{has any value,is unknown,is changed}'
        when 'json' then '{is,is not,is any of,contains,does not contain,starts with,ends with,greater than,less than,at least,at most,is increased,is decreased,is increased by,has any value,is unknown,is changed}'
        else '{is,is not,is any of,contains,does not contain,starts with,ends with,has any value,is unknown,is changed}' end;
    operator text; value text; goal text; already text; matched text; judged bigint := 0;
    comparands text[];
begin
    execute format('create temp table pair on commit drop as
        select id, o, case when same < 0.1 then o when edge < 0.7 then (%2$L::text[])[1 + floor(pick * %3$s)]::%1$s else (%4$s)::text::%1$s end as n, same
        from (select id, random() as edge, random() as pick, random() as same,
                     case when random() < 0.7 then (%2$L::text[])[1 + floor(random() * %3$s)]::%1$s else (%4$s)::text::%1$s end as o
              from generate_series(1, %5$s) id offset 0) x', s.type, s.edges, cardinality(s.edges), s.random, how_many);
    execute format('create table %s (id bigint primary key, gone int, v %s)', relation, s.type);
    execute format('alter table %s drop column gone', relation);
    execute format('insert into %s select id, o from pair', relation);
    perform goals.track_users(relation::regclass);
    perform goals.create_message(title, users => relation::regclass);
    create temp table asked (goal text, operator text, value text, is_state boolean) on commit drop;
    foreach operator in array operators loop
        comparands := case when operator in ('has any value', 'is unknown', 'is changed', 'is increased', 'is decreased') then array[null]
            when operator = 'is increased by' then '{1,0.2,3}'
            when operator = 'is any of' then array_remove(array[s.comparand[1:2]::text, nullif(s.comparand[2:4], '{}')::text], null)
            when is_json and operator in ('greater than', 'less than', 'at least', 'at most') then '{5,0.1,1e40}'
            else array_remove(s.comparand, null) end;
        foreach value in array comparands loop
            goal := concat_ws(' ', operator, value);
            perform goals.set_goal(title, attribute, operator, value, '1 day', goal => goal);
            insert into asked values (goal, operator, value, operator not in ('is changed', 'is increased', 'is decreased', 'is increased by'));
        end loop;
    end loop;
    perform goals.record_sent(title, array(select id::text from pair));
    execute format('update %s u set v = p.n from pair p where p.id = u.id', relation);

    create temp table got on commit drop as
        select r.user_key::bigint as id, g.goal_id, g.name as goal, coalesce(g.goal_id = any (r.already), false) as already, false as matched
        from goals.message m join goals.revision v on v.message_id = m.message_id join goals.receipt r on r.revision_id = v.revision_id
        join goals.goal g on g.goal_id = any (v.goal_ids) where m.name = title;
    create temp table matches on commit drop as select user_key::bigint as id, x.goal from goals.matches(title) x;
    analyze got, matches;
    update got set matched = true from matches m where m.id = got.id and m.goal = got.goal;
    create index on got (goal, id);
    analyze pair, got;
    if exists (select from matches group by id, matches.goal having count(*) > 1) then raise exception 'a goal of % matched twice', title; end if;
    -- types of extensions, and those without an equality, by their text
    different := case when s.kind = 'other' or s.type in ('point', 'xml') then format('(%s)::text is distinct from (%s)::text', old_value, new_value) else format('%s is distinct from %s', old_value, new_value) end;
    for goal, operator, value, is_json in select a.goal, a.operator, a.value, a.is_state from asked a loop
        if is_json then  -- a state
            already := holds(s.kind, s.type, operator, value, old_value);
            matched := format('%s and not %s and %s', different, already, holds(s.kind, s.type, operator, value, new_value));
        else
            already := 'false';
            matched := format('%s and %s', different, steps(s.kind, s.type, operator, value, old_value, new_value));
        end if;
        execute format('insert into disagreement select %L, %L, g.goal, o::text, n::text, a, g.already, m, g.matched
            from (select p.id, p.o, p.n, %s as a, %s as m from pair p) p join got g using (id) where g.goal = %L and (a, m) is distinct from (g.already, g.matched)',
            s.type, attribute, already, matched, goal);
    end loop;
    if (select count(*) from got) <> how_many * (select count(*) from asked) then raise exception 'not every pair of % was judged', title; end if;
    insert into done select s.type, attribute = 'v', how_many, count(*), count(*) filter (where g.already), count(*) filter (where g.matched) from got g;
    perform goals.untrack(relation::regclass);
end $$;

-- Half of the types: two sessions share them.
create procedure compare_all(how_many int, only_type text, half int) language plpgsql as $$
declare s subject; attribute text;
begin
    for s in select (x).* from (select x, row_number() over (order by x.kind, x.type) as n from subject x where only_type in ('', x.type)) y where n % 2 = half loop
        foreach attribute in array case when s.kind = 'json' then '{v,v.k,v.k.k}'::text[] else '{v}' end loop
            call compare(s, attribute, how_many);
            commit;
        end loop;
    end loop;
end $$;
