-- Of a table with rows about other things, only those with the values given count.
create type state as enum ('open', 'paid', 'void');
create table users (id int primary key);
insert into users select generate_series(1, 40);
create table log (
    n int primary key, owner_type text, owner_id int, state state, ok boolean, amount numeric(10, 2), at timestamptz default now(),
    day date, code uuid, tags text[], note text, name text default 'e');
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', event => 'e', time_limit => '1 day');
select count(*) from goals.record_sent('m', array(select id::bigint from users));

-- A table of a polymorphic association that is tracked whole is warned of.
select from goals.track_events('log', 'owner_id', 'name');
insert into log (n, owner_type, owner_id) values (1, 'User', 1), (2, 'Team', 2);
select from goals.track_events('log', 'owner_id', 'name', "only" => '{"owner_type": "User"}');
insert into log (n, owner_type, owner_id) values (3, 'User', 3), (4, 'Team', 4), (5, null, 5), (6, 'user', 6);
-- From now on a row may begin to count.
insert into log (n, owner_type, owner_id) values (7, 'Team', 7);
update log set owner_type = 'User' where n = 7;
select user_key from goals.matches('m') order by user_key::int;

select from goals.track_events('log', 'owner_id', 'name', "only" =>
    '{"owner_type": ["User", null], "state": ["open", "paid"], "ok": true, "amount": [1, 2.5], "code": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
      "day": "2026-11-30", "note": null}');
insert into log (n, owner_type, owner_id, state, ok, amount, code, day, note) values
    (11, 'User', 11, 'open', true, 1.00, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2026-11-30', null),
    (12, null,   12, 'paid', true, 2.50, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2026-11-30', null),
    (13, 'User', 13, 'void', true, 1.00, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2026-11-30', null),
    (14, 'User', 14, 'open', null, 1.00, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2026-11-30', null),
    (15, 'User', 15, 'open', true, 1.01, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2026-11-30', null),
    (16, 'User', 16, 'open', true, 1.00, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12', '2026-11-30', null),
    (17, 'User', 17, 'open', true, 1.00, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2026-12-01', null),
    (18, 'User', 18, 'open', true, 1.00, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2026-11-30', ''),
    (19, 'User', 19, 'open', true, null, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2026-11-30', null);
select user_key from goals.matches('m') where user_key::int > 10 order by user_key::int;

-- A renamed or dropped column: no row counts, and that is shown.
alter table log rename ok to fine;
insert into log (n, owner_type, owner_id, state, fine, amount, code, day) values
    (20, 'User', 20, 'open', true, 1.00, 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '2026-11-30');
select user_key from goals.matches('m') where user_key::int > 19;
select problem, object, detail from goals.health() where object = 'public.log';

-- What no row can have is refused, with nothing changed.
\set VERBOSITY verbose
select from goals.track_events('log', 'owner_id', 'name', "only" => '{"nosuch": 1}');
select from goals.track_events('log', 'owner_id', 'name', "only" => '{"state": "opened"}');
select from goals.track_events('log', 'owner_id', 'name', "only" => '{"amount": "much"}');
select from goals.track_events('log', 'owner_id', 'name', "only" => '{"fine": "t"}');
select from goals.track_events('log', 'owner_id', 'name', "only" => '{"state": []}');
select from goals.track_events('log', 'owner_id', 'name', "only" => '["state"]');
select from goals.track_events('log', 'owner_id', 'name', "only" => '{"state": {"a": 1}}');
\set VERBOSITY default
select options from goals.source where relation = 'log'::regclass;

-- Documents, by their text
create table documents (n int primary key, owner_id int, a json, b jsonb);
select from goals.track_events('documents', 'owner_id', named => 'e', "only" => '{"a": "{\"x\":1}", "b": "{\"x\":1}"}');
select from goals.create_message('d');
select from goals.set_goal('d', event => 'e', time_limit => '1 day');
select count(*) from goals.record_sent('d', array[31, 32, 33]);
insert into documents values (1, 31, '{"x":1}', '{"x": 1}'), (2, 32, '{"x": 1}', '{"x": 1}'), (3, 33, '{"x":1}', '{"x": 2}');
select user_key from goals.matches('d');
