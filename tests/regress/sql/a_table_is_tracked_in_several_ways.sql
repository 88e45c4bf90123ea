-- A table may have events of several names, engagements of several kinds, and attributes or memberships beside them. Each
-- way has a trigger of its own.
create table users (id int primary key, plan text);
insert into users select n, 'free' from generate_series(1, 40) n;
select from goals.track_users('users');

create table orders (id int primary key, user_id int references users, total numeric, completed_at timestamptz, canceled_at timestamptz);
select from goals.track_events('orders', user_key => 'user_id', named => 'order placed', on_column => 'completed_at');
select from goals.track_events('orders', user_key => 'user_id', named => 'order canceled', on_column => 'canceled_at');
-- The same way again changes it.
select from goals.track_events('orders', user_key => 'user_id', named => 'order canceled', on_column => 'canceled_at', "only" => '{"total": [5, 10, 20]}');

create table subscriptions (user_id int primary key references users, plan text, canceled_at timestamptz);
select from goals.track_attributes('subscriptions', user_key => 'user_id');
select from goals.track_events('subscriptions', user_key => 'user_id', named => 'subscription canceled', on_column => 'canceled_at');

create table lists (user_id int, list text, clicked_at timestamptz, primary key (user_id, list));
select from goals.track_membership('lists', user_key => 'user_id', list => 'list');
select from goals.track_events('lists', user_key => 'user_id', named => 'any list', on_column => 'list');

create table sends (id int primary key, message text, user_id int);
select from goals.track_receipts('sends', message => 'message', user_key => 'user_id');
create table tracking (send_id int primary key references sends, opened_at timestamptz, clicked_at timestamptz);
select from goals.track_engagements('tracking', 'opened', send => 'send_id', at => 'opened_at');
select from goals.track_engagements('tracking', 'clicked', send => 'send_id', at => 'clicked_at');
select relation, kind, options ->> 'named' as named, options ->> 'engagement' as engagement, options ->> 'on_column' as on_column
from goals.source order by source_id;
select tgrelid::regclass as relation, count(*) from pg_trigger where tgname ~ '^pg_goals' group by 1 order by 1;

-- Users, sends and campaigns are one thing only.
\set VERBOSITY verbose
select from goals.track_events('users', user_key => 'id', named => 'x', on_column => 'plan');
select from goals.track_events('sends', user_key => 'user_id', event => 'message');
select from goals.track_receipts('orders', message => 'total', user_key => 'user_id');
select from goals.track_messages('lists', id => 'list');
\set VERBOSITY default

select from goals.create_message('m');
select from goals.set_goal('m', event => 'order placed', time_limit => '1 day', value_from => 'total');
select from goals.set_goal('m', event => 'order canceled', time_limit => '1 day', goal => 'canceled');
select from goals.set_goal('m', attribute => 'subscriptions.plan', operator => 'is', value => 'pro', time_limit => '1 day', goal => 'pro');
select from goals.set_goal('m', event => 'subscription canceled', time_limit => '1 day', goal => 'subscription canceled');
select from goals.set_goal('m', event => 'joined news', time_limit => '1 day', goal => 'news');
select from goals.set_goal('m', event => 'any list', time_limit => '1 day', goal => 'any list');
insert into sends select n, 'm', n from generate_series(1, 40) n;

insert into orders select n, n, n * 5 from generate_series(1, 20) n;
update orders set completed_at = clock_timestamp() where id <= 12;
update orders set canceled_at = clock_timestamp() where id % 2 = 0;
insert into orders values (21, 21, 10, now(), now());
insert into subscriptions select n, 'free' from generate_series(1, 10) n;
update subscriptions set plan = 'pro' where user_id <= 6;
update subscriptions set canceled_at = clock_timestamp() where user_id in (5, 6, 7);
insert into lists select n, case when n < 5 then 'news' else 'other' end from generate_series(1, 9) n;
insert into tracking select n from generate_series(1, 20) n;
update tracking set opened_at = clock_timestamp() where send_id <= 8;
update tracking set clicked_at = clock_timestamp() where send_id <= 3;
update tracking set opened_at = clock_timestamp(), clicked_at = clock_timestamp() where send_id = 15;

select goal, sent, opened, clicked, matched, worth from goals.message_stats order by goal;
select 'canceled' as goal, count(*) from orders where canceled_at is not null and total in (5, 10, 20)
union all select 'pro', count(*) from subscriptions where plan = 'pro'
union all select 'placed', count(*) from orders where completed_at is not null
union all select 'worth', sum(total) from orders where completed_at is not null
union all select 'opened', count(*) from tracking where opened_at is not null
union all select 'clicked', count(*) from tracking where clicked_at is not null order by 1;
select count(*) from goals.verify();
select * from goals.health();

-- One trigger missing is said of its way; the call mends that one.
do $$ declare t text;
begin
    select tgname into t from pg_trigger where tgrelid = 'orders'::regclass and tgname ~ '^pg_goals' order by tgname desc limit 1;
    execute format('drop trigger %I on orders', t);
end $$;
select problem, object from goals.health();
select from goals.track_events('orders', user_key => 'user_id', named => 'order canceled', on_column => 'canceled_at');
select problem, object from goals.health();

-- A partition that has its own ways, and its parent another.
create table calls (id int, user_id int, answered_at timestamptz, missed_at timestamptz) partition by range (id);
create table calls_1 partition of calls for values from (0) to (100);
create table calls_2 partition of calls for values from (100) to (200);
select from goals.track_events('calls_1', user_key => 'user_id', named => 'call missed', on_column => 'missed_at');
select from goals.track_events('calls', user_key => 'user_id', named => 'call answered', on_column => 'answered_at');
select from goals.set_goal('m', event => 'call missed', time_limit => '1 day', goal => 'call missed');
select from goals.set_goal('m', event => 'call answered', time_limit => '1 day', goal => 'call answered');
insert into sends select n + 100, 'm', n from generate_series(31, 36) n;
insert into calls select n, n, now(), now() from generate_series(31, 33) n;
insert into calls values (134, 34), (35, 35);
update calls set answered_at = clock_timestamp(), id = 36 where id = 134;
update calls set missed_at = clock_timestamp(), id = 136 where id = 35;
select goal, count(*) from goals.matches('m') where goal ~ '^call' group by 1 order by 1;
select problem, object from goals.health();

-- All ways of a table end at once.
select from goals.untrack('orders');
update orders set completed_at = clock_timestamp(), canceled_at = clock_timestamp() where id = 13;
select relation, kind, attached from goals.source where relation = 'orders'::regclass;
select count(*) from pg_trigger where tgrelid = 'orders'::regclass and tgname ~ '^pg_goals';
select matched from goals.message_stats where goal = 'primary';
-- It may be something else then.
select from goals.untrack('lists');
select from goals.track_messages('lists', id => 'list');
select kind, attached from goals.source where relation = 'lists'::regclass order by source_id;

-- A table of sends that says itself what happened to each: a row is a receipt first, whatever the numbers of the triggers.
do $$ begin
    for i in 1..9 loop
        execute format('create table filler_%s (user_id int, name text)', i);
        perform goals.track_events(format('filler_%s', i)::regclass, user_key => 'user_id', event => 'name');
    end loop;
end $$;
create table mails (id int primary key, message text, user_id int, status text);
select from goals.track_receipts('mails', message => 'message', user_key => 'user_id');
do $$ begin
    for i in 10..99 loop
        execute format('create table filler_%s (user_id int, name text)', i);
        perform goals.track_events(format('filler_%s', i)::regclass, user_key => 'user_id', event => 'name');
    end loop;
end $$;
select from goals.track_engagements('mails', 'status', send => 'id', sends => 'mails', kinds => '{"open": "opened", "click": "clicked"}');
select from goals.create_message('mail');
insert into mails values (1, 'mail', 1, 'open'), (2, 'mail', 2, 'click'), (3, 'mail', 3, 'queued');
update mails set status = 'open' where id = 3;
select sent, opened, clicked from goals.message_stats where message = 'mail';
select count(*) from goals.health() where problem = 'skipped engagements';
