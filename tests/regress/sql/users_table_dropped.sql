-- A users table that is dropped takes nothing along but itself: what was recorded stays, and what can be said no more is said so.
create table users (id int primary key, plan text);
insert into users values (1, 'free'), (2, 'free');
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select goals.record_sent('m', array['1', '2']);
update users set plan = 'pro' where id = 1;
drop table users;
select problem, regexp_replace(hint, '\(\d+(?=[,)])', '(oid', 'g') as hint from goals.health();
select sent, matched from goals.message_stats;

-- Its successor is another table: the message stays bound to the one it was made for.
create table users (id int primary key, plan text);
insert into users values (2, 'free');
select from goals.track_users('users');
\pset format unaligned
create procedure refused(statement text) language plpgsql as $$
declare
    state text; said text; hint text;
begin
    execute statement;
    raise 'not refused';
exception when others then
    get stacked diagnostics state = returned_sqlstate, said = message_text, hint = pg_exception_hint;
    insert into refusal values (state, said, hint);
end $$;
create table refusal (state text, said text, hint text);
call refused($$ select goals.record_sent('m', 2) $$);
call refused($$ select goals.record_sent('m', array['2']) $$);
call refused($$ select goals.deliver('m', 2) $$);
select * from refusal;
update users set plan = 'pro';
select sent, matched from goals.message_stats;
select * from goals.verify();

-- A person is forgotten with what was recorded for the tables that are gone.
insert into users values (1, 'free');
select from goals.create_message('successor');
select from goals.record_sent('successor', 1);
select goals.forget_user(1);
select user_key, count(*) from goals.receipt group by user_key;
select message, sent, matched from goals.message_stats;
select * from goals.verify();
-- Also where another table is named, and where there is none: nobody could name those any more. Those that are there are not gone.
create table others (id int primary key);
insert into others values (2);
select from goals.track_users('others');
select from goals.create_message('of others', users => 'others');
select from goals.record_sent('of others', 2);
select goals.forget_user(2, 'users');
select goals.forget_user(2, 'others');
select count(*) from goals.receipt;
insert into users values (3, 'free');
select from goals.record_sent('successor', 3);
drop table users, others;
select goals.forget_user('3'), goals.forget_user('1');
select count(*) from goals.receipt;
select message, sent, matched from goals.message_stats;
