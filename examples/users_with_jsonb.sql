-- Users whose attributes are one jsonb document: goals look into it, key by key.
--
--   createdb try_goals && psql -X -f examples/users_with_jsonb.sql try_goals
--
-- Run it as a superuser on an empty database. It takes away at the end what it made.
\set ON_ERROR_STOP on
\set QUIET on
\set ECHO queries
\pset pager off
\pset footer off
\pset null '-'
set timezone = 'UTC';

\echo
\echo === 1. The application: a key and a document ===
\echo
create table people (
    id    uuid primary key,
    email text not null,
    data  jsonb not null default '{}'
);
insert into people
select format('00000000-0000-4000-8000-%s', lpad(n::text, 12, '0'))::uuid, 'p' || n || '@example.org',
       jsonb_build_object('plan', 'trial', 'company', jsonb_build_object('name', 'Company ' || n, 'size', n % 5 + 1), 'tools', '["mail"]'::jsonb)
from generate_series(1, 200) n;

\echo
\echo === 2. Attach, and set goals on keys: column.key.key ===
\echo
\o /dev/null
create extension pg_goals;
select goals.track_users('people');
select goals.create_message('grow your team', channel => 'in-app');
select goals.set_goal('grow your team', attribute => 'data.company.size', operator => 'is increased by', value => '3', time_limit => '30 days');
select goals.set_goal('grow your team', attribute => 'data.plan', operator => 'is any of', value => '{team,enterprise}', time_limit => '30 days',
                      goal => 'plan');
select goals.set_goal('grow your team', attribute => 'data.tools', operator => 'contains', value => 'chat', time_limit => '30 days',
                      goal => 'chat');
\o
\echo -- wrong calls are refused with a hint
\set ON_ERROR_STOP off
select goals.set_goal('grow your team', attribute => 'data.plan', operator => 'is', time_limit => '1 day', goal => 'wrong');
select goals.set_goal('grow your team', attribute => 'date.plan', operator => 'is', value => 'team', time_limit => '1 day', goal => 'wrong');
\set ON_ERROR_STOP on

\echo
\echo === 3. Send ===
\echo
select goals.record_sent('grow your team', array(select id::text from people)) as sent;

\echo
\echo === 4. The application writes documents, as applications do ===
\echo
\echo -- a key is set in 20 of them
update people set data = jsonb_set(data, '{plan}', '"team"') where id <= '00000000-0000-4000-8000-000000000020';
\echo -- a whole document is written again, its keys in another order: equal is equal, nobody counts
update people set data = (select jsonb_object_agg(key, value order by key desc) from jsonb_each(data));
\echo -- two colleagues, and two more: the second step reaches the three of the goal
update people set data = jsonb_set(data, '{company,size}', to_jsonb((data #>> '{company,size}')::int + 2))
where id between '00000000-0000-4000-8000-000000000031' and '00000000-0000-4000-8000-000000000040';
update people set data = jsonb_set(data, '{company,size}', to_jsonb((data #>> '{company,size}')::int + 2))
where id between '00000000-0000-4000-8000-000000000031' and '00000000-0000-4000-8000-000000000035';
\echo -- an element is added to a list
update people set data = jsonb_set(data, '{tools}', data->'tools' || '["chat"]') where id > '00000000-0000-4000-8000-000000000190';
\echo -- a document in which the key is missing or of another kind: no match, and never an error
update people set data = '{"company": {"size": "large"}}' where id = '00000000-0000-4000-8000-000000000100';
update people set data = '{}' where id = '00000000-0000-4000-8000-000000000101';

\echo
\echo === 5. The figures ===
\echo
select * from goals.stats_bar('grow your team') \g (format=unaligned tuples_only=on)
select right(user_key, 3) as person, goal, attribute, old_value, new_value
from goals.matches('grow your team') where right(user_key, 3) in ('001', '031', '191') order by person, goal;
\echo -- 036 made one step of two only
select goal, verdict from goals.explain('grow your team', '00000000-0000-4000-8000-000000000036'::uuid) order by goal;
select count(*) as problems from goals.health();

\echo
\echo === 6. Gone again ===
\echo
\o /dev/null
select goals.untrack_all();
\o
drop extension pg_goals;
drop table people;
