-- A value whose reading would take many times its own memory is not read: the update succeeds, and what needs no reading still counts.
set client_min_messages = warning;
create table users (id bigint primary key, tags int2[], doc json, bin bytea, plan text, name text);
insert into users values (1, '{1}', '{"plan": "free"}', '', 'free', '');
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'tags', 'is changed', time_limit => '1 day', goal => 'tags changed');
select from goals.set_goal('m', 'tags', 'contains', '7', time_limit => '1 day', goal => 'tags contain');
select from goals.set_goal('m', 'doc.plan', 'is', 'pro', time_limit => '1 day', goal => 'doc plan');
select from goals.set_goal('m', 'bin', 'is changed', time_limit => '1 day', goal => 'bin');
select from goals.set_goal('m', 'plan', 'is', 'pro', time_limit => '1 day', goal => 'plan');
select from goals.set_goal('m', 'name', 'contains', repeat('a', 1000) || 'b', time_limit => '1 day', goal => 'name');
select from goals.record_sent('m', 1);
update users set tags = array_fill(7::int2, array[1000001]), plan = 'pro';
-- Of a json text no more is made than what a goal asks for.
update users set doc = ('{"plan": "pro", "x": "' || repeat('x', 16 * 1024 * 1024) || '"}')::json;
update users set bin = decode(repeat('00', 65 * 1024 * 1024), 'hex');
select goal, left(new_value::text, 20) as new_value from goals.matches('m') order by goal;
-- Nor is it compared by its text: written again in another form, it is what it was. Smaller again, it is read.
update users set tags = '{7}', doc = '{"plan": "pro"}', bin = '';
select goal, left(new_value::text, 20) as new_value from goals.matches('m') order by goal;
-- A text is searched in one pass, whatever repeats in it.
set statement_timeout = '60s';
update users set name = 'é' || repeat('a', 20000000);
update users set name = name || 'b';
select goal from goals.matches('m') where goal = 'name';
reset statement_timeout;
-- A key that has no room in an index is nobody's.
create table people (id text primary key, plan text);
create table sends (message text, person text);
insert into people select string_agg(md5(n::text), '' order by n), 'free' from generate_series(1, 83) n;
insert into people select string_agg(md5(n::text), '' order by n), 'free' from generate_series(1, 81) n;
insert into people values (repeat('long', 5000), 'free');
select length(id) from people order by 1;
select from goals.track_users('people');
select from goals.track_receipts('sends', 'message', 'person');
select from goals.create_message('p', users => 'people');
select from goals.set_goal('p', 'plan', 'is', 'pro', '1 day');
insert into sends select 'p', id from people;
insert into sends select 'p', string_agg(md5(n::text), '') from generate_series(1, 1000) n;
select problem, object from goals.health();
set client_min_messages = notice;
\set VERBOSITY terse
select goals.record_sent('p', array(select id from people));
update people set plan = 'pro';
select sent, matched from goals.message_stats where message = 'p';
-- Nor is one that has room only as one method compresses it: a dump may be restored with another. (pglz looks back 4 kB, lz4 64.)
select exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)) as has_lz4 \gset
\if :has_lz4
set default_toast_compression = lz4;
insert into people select md5s || repeat('x', 5000) || md5s, 'free' from (select string_agg(md5(n::text), '') as md5s from generate_series(1, 65) n) m;
\endif
insert into sends select 'p', id from people;
reset default_toast_compression;
create table restored (like goals.receipt including indexes);
insert into restored (receipt_id, sent_at, users_source_id, revision_id, user_key) select receipt_id, sent_at, users_source_id, revision_id, user_key || '' from goals.receipt;
select sent from goals.message_stats where message = 'p';
