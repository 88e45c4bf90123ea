-- A receipt counts for a change only if it was recorded before the row was changed. Within a transaction that is exact,
-- by command: a receipt of the same statement, of a statement nested in it or of its triggers, whatever their names,
-- does not count for its change; one of an earlier statement does.
create table users (id bigint primary key, n int default 0, todo text);
insert into users (id) select generate_series(1, 99);
select from goals.track_users('users');
create table emails (id bigserial primary key, template text, user_id bigint,
    sent_at timestamptz default clock_timestamp(), todo text);
select from goals.track_receipts('emails', message => 'template', user_key => 'user_id', sent_at => 'sent_at');
select from goals.create_message('m');
select from goals.set_goal('m', 'n', 'is increased', time_limit => '3 days', value_from => 'n');
create view seen as
select u.id, x.verdict, h.old_value, h.new_value, h.worth
from users u cross join lateral goals.explain('m', u.id) x left join goals.matches('m') h using (receipt_id);

-- The application's triggers do what the row says. Their names sort before and after pg_goals_1.
create function todo() returns trigger language plpgsql as $$
begin
    execute split_part(new.todo, ': ', 2) using new.id;
    return new;
end $$;
create function mail(bigint) returns int language plpgsql as $$ begin
    insert into emails (template, user_id) values ('m', $1);
    return 0;
end $$;
create trigger before_it before update on users for each row
    when (new.todo like 'before: %' and old.todo is null) execute function todo();
create trigger _500_it after update on users for each row
    when (new.todo like '\_500: %' and old.todo is null) execute function todo();
create trigger "A" after update on users for each row
    when (new.todo like 'A: %' and old.todo is null) execute function todo();
create trigger zz_it after update on users for each row
    when (new.todo like 'zz: %' and old.todo is null) execute function todo();
create constraint trigger late_it after update on users deferrable initially deferred for each row
    when (new.todo like 'late: %' and old.todo is null) execute function todo();
create trigger as_condition after update on users for each row
    when (new.todo = 'condition' and goals.record_sent('m', new.id) > 0) execute function todo();
alter table users disable trigger as_condition;

-- What the statement itself records. (Each user is one form; the statements after it are the same for all.)
update users set n = n + 1 where id = 1 returning goals.record_sent('m', id) > 0 as sent;
update users set n = n + 1 where id = 2 returning (select send from goals.deliver('m', id));
with u as (update users set n = n + 1 where id = 3 returning id) select goals.record_sent('m', id) > 0 as sent from u;
with s as materialized (select goals.record_sent('m', 4::bigint) as r)
update users set n = n + 1 from s where id = 4 and r > 0;
with s as (insert into emails (template, user_id) values ('m', 5) returning user_id)
update users set n = n + 1 from s where id = user_id;
with u as (update users set n = n + 1 where id = 6 returning id)
insert into emails (template, user_id) select 'm', id from u;
with u as (update users set n = n + 1 where id = 7),
     s as (insert into emails (template, user_id) values ('m', 7))
select;
insert into users (id, n) values (8, 1)
on conflict (id) do update set n = excluded.n returning goals.record_sent('m', id) > 0 as sent;
-- A function that it calls
update users set n = n + 1 + mail(id) where id = 9;
update users set n = n + 1 where id = 10 returning mail(id);
-- Its triggers: before, after, at the end of the transaction, and the condition of one
update users set n = n + 1, todo = 'before: select goals.record_sent(''m'', $1)' where id = 11;
update users set n = n + 1, todo = 'before: select mail($1)' where id = 12;
update users set n = n + 1, todo = 'A: select goals.record_sent(''m'', $1)' where id = 13;
update users set n = n + 1, todo = '_500: select mail($1)' where id = 14;
update users set n = n + 1, todo = 'zz: select mail($1)' where id = 15;
update users set n = n + 1, todo = 'late: select mail($1)' where id = 16;
begin;
update users set n = n + 1, todo = 'late: select goals.record_sent(''m'', $1)' where id = 17;
set constraints all immediate;
commit;
alter table users enable trigger as_condition;
update users set n = n + 1, todo = 'condition' where id = 18;
alter table users disable trigger as_condition;
insert into users (id, n, todo) values (19, 1, 'A: select mail($1)')
on conflict (id) do update set n = excluded.n, todo = excluded.todo;
select current_setting('server_version_num')::int >= 150000 as has_merge \gset
\if :has_merge
merge into users u using (values (20)) s (id) on u.id = s.id
when matched then update set n = 1, todo = '_500: select mail($1)';
\else
update users set n = 1, todo = '_500: select mail($1)' where id = 20;
\endif
do $$ declare c cursor for select * from users where id = 21 for update; u record; begin
    open c;
    fetch c into u;
    update users set n = 1, todo = 'A: select mail($1)' where current of c;
end $$;
-- One that was rolled back never was; what its transaction does afterwards is later all the same.
begin;
savepoint s;
select goals.record_sent('m', 22::bigint) > 0 as sent;
rollback to s;
update users set n = n + 1 where id = 22 returning goals.record_sent('m', id) > 0 as sent;
commit;
-- All of it in one statement, for many rows
update users set n = n + 1, todo = '_500: select mail($1)' where id in (23, 24, 25)
returning goals.record_sent('m', id) > 0 as sent;
select verdict, count(*), count(distinct id) as users from seen group by verdict;

-- The next update counts, for each receipt once.
update users set n = n + 1 where id <= 25;
select verdict, old_value, new_value, worth, count(*), count(distinct id) as users from seen group by 1, 2, 3, 4;

-- What an earlier statement recorded counts: of the transaction,
begin;
select goals.record_sent('m', 31::bigint) > 0 as sent;
update users set n = n + 1 where id = 31;
insert into emails (template, user_id) values ('m', 32);
update users set n = n + 1 where id = 32;
savepoint s;
insert into emails (template, user_id) values ('m', 33);
savepoint t;
update users set n = n + 1 where id = 33;
rollback to t;
update users set n = n + 2 where id = 33;
commit;
-- of a function,
create function send_and_change(bigint) returns void language plpgsql as $$ begin
    perform goals.record_sent('m', $1);
    update users set n = n + 1 where id = $1;
end $$;
select from send_and_change(34);
create function send_and_change_in_sql(bigint) returns void language sql as $$
    insert into emails (template, user_id) values ('m', $1);
    update users set n = n + 1 where id = $1;
$$;
select from send_and_change_in_sql(35);
do $$ begin
    begin
        perform goals.record_sent('m', 36::bigint);
        update users set n = n + 1 where id = 36;
        raise 'back';
    exception when raise_exception then
        perform goals.record_sent('m', 36::bigint);
    end;
    update users set n = n + 2 where id = 36;
end $$;
-- of a procedure that commits,
create procedure send_commit_and_change(bigint) language plpgsql as $$ begin
    update users set n = n + 1 where id = $1 returning goals.record_sent('m', id) into strict $1;
    commit;
    update users set n = n + 2 where id = 37;
    perform goals.record_sent('m', 38::bigint);
    commit;
    update users set n = n + 1 where id = 38;
end $$;
call send_commit_and_change(37);
-- of a statement that changes the row by a function, a statement of its own,
create function change(bigint) returns int language sql as
$$ update users set n = n + 1 where id = $1 returning n $$;
select goals.record_sent('m', 39::bigint) > 0 as sent, change(39);
-- and of a trigger that sends and then changes the row: its change counts, that of the statement does not.
create function send_and_add() returns trigger language plpgsql as $$ begin
    perform goals.record_sent('m', new.id);
    update users set n = n + 10 where id = new.id;
    return null;
end $$;
create trigger "B" after update on users for each row
    when (new.todo = 'B' and old.todo is null) execute function send_and_add();
create trigger zzz after update on users for each row
    when (new.todo = 'zzz' and old.todo is null) execute function send_and_add();
create constraint trigger later after update on users deferrable initially deferred for each row
    when (new.todo = 'later' and old.todo is null) execute function send_and_add();
update users set n = n + 1, todo = 'B' where id = 40;
update users set n = n + 1, todo = 'zzz' where id = 41;
update users set n = n + 1, todo = 'later' where id = 42;
-- A row of the table of sends whose trigger changes the user, after it was recorded
create function sent() returns trigger language plpgsql as $$ begin
    update users set n = n + 1 where id = new.user_id;
    return null;
end $$;
create trigger zz after insert on emails for each row when (new.todo = 'change') execute function sent();
insert into emails (template, user_id, todo) values ('m', 43, 'change');
select * from seen where id between 31 and 49 order by id;

-- Of several changes of one row by nested updates each is a step of its own, in the order in which they were made,
-- although the trigger of the first step fires last.
select from goals.create_message('steps');
select from goals.set_goal('steps', attribute => 'n', operator => 'is increased', time_limit => '3 days',
    value_from => 'n', goal => 'first');
select from goals.set_goal('steps', attribute => 'n', operator => 'at least', value => '5', time_limit => '3 days',
    value_from => 'n', goal => 'five');
select from goals.set_goal('steps', attribute => 'n', operator => 'is decreased', time_limit => '3 days',
    value_from => 'n', goal => 'down');
update users set n = 0, todo = null where id > 50;
select goals.record_sent('steps', array(select id::text from users where id > 50));
create function steps(bigint) returns int language plpgsql as $$ begin
    update users set n = 5 where id = $1;
    update users set n = 3 where id = $1;
    return 0;
end $$;
update users set n = 1, todo = 'A: select steps($1)' where id = 51;
update users set n = 1, todo = 'zz: select steps($1)' where id = 52;
update users set n = 1, todo = 'late: select steps($1)' where id = 53;
update users set n = 1 where id = 54 returning steps(id);
-- A trigger that changes the row itself, in place of the statement
create function instead() returns trigger language plpgsql as $$ begin perform steps(new.id); return null; end $$;
create trigger instead before update on users for each row
    when (new.todo = 'instead' and old.todo is null) execute function instead();
update users set n = 1, todo = 'instead' where id = 55;
-- Of two steps the first is undone.
begin;
savepoint s;
update users set n = 1, todo = '_500: select steps($1)' where id = 56;
rollback to s;
update users set n = 2, todo = '_500: select steps($1)' where id = 56;
commit;
select user_key, goal, old_value, new_value, worth, matched_at >= lag(matched_at, 1, '-infinity') over w as in_order
from goals.matches('steps')
window w as (partition by user_key order by goal = 'down', goal = 'five')
order by user_key, goal = 'down', goal = 'five';

-- A move to another partition is a change like any other.
create table members (id bigint, region text, n int default 0, todo text, primary key (id, region))
    partition by list (region);
create table members_eu partition of members for values in ('eu');
create table members_us partition of members default;
insert into members select n, 'eu' from generate_series(1, 9) n;
select from goals.track_users('members', 'id');
select from goals.create_message('move', users => 'members');
select from goals.set_goal('move', attribute => 'n', operator => 'is increased', time_limit => '3 days');
create function moved() returns trigger language plpgsql as $$ begin
    perform goals.record_sent('move', new.id);
    return new;
end $$;
create trigger before_it before update on members for each row when (new.todo = 'before') execute function moved();
create trigger "A" after insert on members for each row when (new.todo = 'A') execute function moved();
create trigger zz after insert on members for each row when (new.todo = 'zz') execute function moved();
create constraint trigger late after insert on members deferrable initially deferred for each row
    when (new.todo = 'late') execute function moved();
update members set n = 1, region = 'us' where id = 1 returning goals.record_sent('move', id) > 0 as sent;
update members set n = 1, region = 'us', todo = 'before' where id = 2;
update members set n = 1, region = 'us', todo = 'A' where id = 3;
update members set n = 1, region = 'us', todo = 'zz' where id = 4;
update members set n = 1, region = 'us', todo = 'late' where id = 5;
begin;
select goals.record_sent('move', 6::bigint) > 0 as sent;
update members set n = 1, region = 'us' where id = 6;
commit;
select m.id, m.region, x.verdict from members m, goals.explain('move', m.id) x order by 1;
update members set n = n + 1, region = 'eu', todo = null;
select m.id, x.verdict, h.old_value, h.new_value
from members m cross join lateral goals.explain('move', m.id) x left join goals.matches('move') h using (receipt_id)
order by 1;

-- Events, with a time of their own and without one
create table visits (user_id bigint, name text, todo text);
select from goals.track_events('visits', user_key => 'user_id', event => 'name', users => 'users');
create table orders (id bigserial primary key, user_id bigint, name text,
    at timestamptz default clock_timestamp(), todo text);
select from goals.track_events('orders', user_key => 'user_id', event => 'name', occurred_at => 'at', users => 'users');
select from goals.create_message('e', users => 'users');
select from goals.set_goal('e', event => 'visit', time_limit => '3 days');
create function happened() returns trigger language plpgsql as $$ begin
    if new.todo like '%mail' then
        insert into emails (template, user_id) values ('e', new.user_id);
    else
        perform goals.record_sent('e', new.user_id);
    end if;
    return new;
end $$;
create trigger b before insert on visits for each row when (new.todo like 'before%') execute function happened();
create trigger "A" after insert on visits for each row when (new.todo like 'A%') execute function happened();
create trigger zz after insert on visits for each row when (new.todo like 'zz%') execute function happened();
create trigger b before insert on orders for each row when (new.todo like 'before%') execute function happened();
create trigger "A" after insert on orders for each row when (new.todo like 'A%') execute function happened();
create trigger zz after insert on orders for each row when (new.todo like 'zz%') execute function happened();
insert into visits values (61, 'visit', 'before'), (62, 'visit', 'A'), (63, 'visit', 'zz'),
    (64, 'visit', 'before mail'), (65, 'visit', 'A mail'), (66, 'visit', 'zz mail');
insert into orders (user_id, name, todo) values (67, 'visit', 'before'), (68, 'visit', 'A'), (69, 'visit', 'zz mail');
copy visits from stdin;
70	visit	before mail
71	visit	A
72	visit	zz mail
\.
insert into visits values (73, 'visit') returning goals.record_sent('e', user_id) > 0 as sent;
insert into orders (user_id, name) values (74, 'visit') returning goals.record_sent('e', user_id) > 0 as sent;
with s as (insert into emails (template, user_id) values ('e', 75)),
     v as (insert into visits values (75, 'visit'))
select;
with v as (insert into orders (user_id, name) values (76, 'visit')),
     s as (insert into emails (template, user_id) values ('e', 76))
select;
select goals.record_sent('e', 77::bigint) > 0 as sent, goals.record_event(77::bigint, 'visit', users => 'users');
select count(*), count(distinct user_key) as users, count(matched_at) as matched from goals.outcome where message = 'e';
-- What comes after counts: by COPY, by a call, by a trigger that sends and then reports.
begin;
copy emails (template, user_id) from stdin;
e	81
e	82
\.
copy visits (user_id, name) from stdin;
81	visit
\.
copy orders (user_id, name) from stdin;
82	visit
\.
commit;
do $$ begin
    perform goals.record_sent('e', 83::bigint);
    perform goals.record_event(83::bigint, 'visit', users => 'users');
    insert into emails (template, user_id) values ('e', 84);
    insert into visits values (84, 'visit');
end $$;
create function send_and_report() returns trigger language plpgsql as $$ begin
    perform goals.record_sent('e', new.user_id);
    insert into visits values (new.user_id, 'visit');
    return null;
end $$;
create trigger sends after insert on visits for each row when (new.todo = 'report') execute function send_and_report();
insert into visits values (85, 'visit', 'report');
-- An event of before, by its own time, that is reported after the sending
do $$ declare before timestamptz := clock_timestamp(); begin
    perform goals.record_sent('e', 86::bigint);
    insert into orders (user_id, name, at) values (86, 'visit', before);
end $$;
select user_key, matched_at is not null as matched from goals.outcome
where message = 'e' and user_key::int > 80 order by 1;

-- An event without a time of its own came before what the triggers of its row report, whatever they are called: opens,
-- and events of the same name.
create table calls (user_id bigint, name text, properties jsonb, todo text);
select from goals.track_events('calls', user_key => 'user_id', event => 'name', properties => 'properties',
    users => 'users');
select from goals.create_message('c', users => 'users');
select from goals.set_goal('c', event => 'call', time_limit => '3 days', value_from => 'n');
select from goals.set_goal('c', event => 'call', times => 2, time_limit => '3 days', value_from => 'n',
    goal => 'second');
create function reports() returns trigger language plpgsql as $$ begin
    if new.todo like '%open' then
        perform goals.record_opened('c', new.user_id);
    else
        perform goals.record_event(new.user_id, 'call', '{"n": 30}', users => 'users');
    end if;
    return new;
end $$;
create trigger b before insert on calls for each row when (new.todo like 'before%') execute function reports();
create trigger "A" after insert on calls for each row when (new.todo like 'A%') execute function reports();
create trigger zz after insert on calls for each row when (new.todo like 'zz%') execute function reports();
select from goals.record_sent('c', array[61, 62, 63, 64, 65, 66, 67, 68]);
insert into calls (user_id, name, properties, todo)
select n, 'call', '{"n": 1}', (array['before', 'A', 'zz', 'before open', 'A open', 'zz open'])[n - 60]
from generate_series(61, 66) n;
-- Of the rows of one statement, and of the statements of one transaction, the order is theirs.
insert into calls (user_id, name, properties, todo)
values (67, 'call', '{"n": 1}', 'A'), (67, 'call', '{"n": 2}', 'zz');
do $$ begin
    perform goals.record_event(68::bigint, 'call', '{"n": 1}', users => 'users');
    insert into calls (user_id, name, properties, todo) values (68, 'call', '{"n": 2}', 'A');
end $$;
select o.user_key, o.goal, o.new_value, o.opened_at <= o.matched_at as after_open from goals.outcome o
where o.message = 'c' order by 1, 2;
-- One that is reported with an earlier time has that.
begin;
select from goals.record_sent('c', 69::bigint, sent_at => now() - interval '2 hours');
create function reports_late() returns trigger language plpgsql as $$ begin
    perform goals.record_event(new.user_id, 'call', '{"n": 30}', now() - interval '1 hour', users => 'users');
    return new;
end $$;
create trigger late after insert on calls for each row when (new.todo = 'late') execute function reports_late();
insert into calls (user_id, name, properties, todo) values (69, 'call', '{"n": 1}', 'late');
select goal, new_value, matched_at > now() - interval '1 minute' as now from goals.matches('c') where user_key = '69'
order by goal;
rollback;

-- Opens --------------------------------------------------------------------------------------------------------------
-- What opens the message is not what follows from the open: one that the statement of the change reports, or a trigger of
-- it, came with the change. The next change counts, and so does one after an open that is reported late.
select from goals.create_message('o', users => 'users');
select from goals.set_goal('o', attribute => 'n', operator => 'is increased', time_limit => '3 days');
select from goals.set_goal('o', attribute => 'n', operator => 'is increased', time_limit => '3 days', after => 'opened',
    goal => 'opened');
select from goals.record_sent('o', array[90, 91, 92, 93, 95]);
select from goals.record_sent('o', 94::bigint, sent_at => clock_timestamp() - interval '2 hours');
create function opens() returns trigger language plpgsql as $$ begin
    perform goals.record_opened('o', new.id);
    return null;
end $$;
create trigger a_opens after update of n on users for each row when (new.todo = 'open first') execute function opens();
create trigger zz_opens after update of n on users for each row when (new.todo = 'open last') execute function opens();
update users set n = n + 1 where id = 90 returning goals.record_opened('o', id);
update users set n = n + 1, todo = 'open first' where id = 91;
update users set n = n + 1, todo = 'open last' where id = 92;
begin;
select from goals.record_opened('o', 93::bigint);
update users set n = n + 1 where id = 93;
commit;
update users set n = n + 1 where id = 94 returning goals.record_opened('o', id, clock_timestamp() - interval '1 hour');
update users set n = n + 1 where id = 95 returning goals.record_opened('o', id);
update users set n = n + 1 where id = 95;
-- Nor does it open the window for an event of the statement; the next event counts.
select from goals.set_goal('o', event => 'visit', time_limit => '3 days', after => 'opened', goal => 'visited');
select goals.record_sent('o', array[96, 97]);
select goals.record_opened('o', 96::bigint), goals.record_event(96::bigint, 'visit', users => 'users');
select goals.record_opened('o', 97::bigint), goals.record_event(97::bigint, 'visit', users => 'users');
select goals.record_event(97::bigint, 'visit', users => 'users');
select user_key, goal, matched_at is not null as matched, opened_at <= matched_at as after_open
from goals.outcome where message = 'o' order by 1, 2;
select goal, matched, matched_after_open from goals.message_stats where message = 'o' order by 1;
select * from goals.verify();
