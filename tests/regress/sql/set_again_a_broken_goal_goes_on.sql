-- A goal whose column is of another kind than it was is broken, and explain() says so. Set again with the same meaning,
-- it goes on for the receipts that are running.
create extension citext;
create table users (id bigint primary key, plan text, n int, price text, spent numeric default 0);
insert into users (id, n) select n, 0 from generate_series(1, 20) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '3 days', value_from => 'spent');
select from goals.set_goal('m', 'n', 'is increased by', '2', '3 days', goal => 'n');
select from goals.set_goal('m', 'n', 'is increased', time_limit => '3 days', goal => 'opened', after => 'opened');
select from goals.set_goal('m', 'n', 'is increased', time_limit => '1 second', goal => 'short');
select goals.record_sent('m', array['1', '2', '3', '4', '5', '6', '7', '8']);
select goals.record_sent('m', '9', sent_at => now() - interval '1 day') > 0 as sent;
alter table users alter plan type citext, alter n type jsonb using to_jsonb(n);
select goal, verdict from goals.explain('m', 1) order by goal;
select goal, verdict from goals.explain('m', 9) order by goal;
update users set plan = 'pro', n = '5', spent = 1 where id = 1;
select goal from goals.matches('m');

-- The same: attribute, operator, value, time limit, after and value_from. However the value is written.
select from goals.set_goal('m', 'plan', 'is not', 'pro', '3 days', value_from => 'spent');
select from goals.set_goal('m', 'plan', 'is', 'Pro', '3 days', value_from => 'spent');
select from goals.set_goal('m', 'plan', 'is', 'pro', '2 days', value_from => 'spent');
select from goals.set_goal('m', 'plan', 'is', 'pro', '3 days');
select from goals.set_goal('m', 'plan', 'is', 'pro', '3 days', value_from => 'spent', after => 'opened');
select from goals.set_goal('m', 'plan', 'is', 'pro', '3 days', value_from => 'spent', goal => 'another');
select goal, verdict from goals.explain('m', 2) order by goal;
select object, detail, hint from goals.health() where object = 'm / primary';
select from goals.set_goal('m', 'plan', 'is', 'pro', '3 days', value_from => 'spent');
select goal, verdict from goals.explain('m', 2) order by goal;
select object from goals.health();
update users set plan = 'PRO', spent = 2 where id = 2;
select user_key, goal, old_value, new_value, worth from goals.matches('m') where user_key = '2';
-- Also when the later version has been replaced in turn
select from goals.set_goal('m', 'plan', 'is', 'team', '3 days', value_from => 'spent');
select from goals.set_goal('m', 'plan', 'is', 'pro', '3 days', value_from => 'spent');
select from goals.set_goal('m', 'plan', 'is', 'team', '3 days', value_from => 'spent');
select goals.roll_up() > 0;
select goals.roll_up() >= 0;
select version, value, time_limit_us / 86400000000 as days from goals.goal where name = 'primary' order by version;
update users set plan = 'pro', spent = 3 where id = 3;
select user_key, goal, worth from goals.matches('m') where user_key = '3';

-- A gain goes by the value when the receipt was made, whatever the type was then.
select from goals.set_goal('m', 'n', 'is increased by', '3', '3 days', goal => 'n');
select goal, verdict from goals.explain('m', 4) where goal = 'n';
select from goals.set_goal('m', 'n', 'is increased by', '2.0', '3 days', goal => 'n');
select goal, verdict from goals.explain('m', 4) where goal = 'n';
update users set n = '1' where id = 4;
update users set n = '"2"' where id = 5;
select user_key, goal, old_value, new_value from goals.matches('m', 'n') where user_key in ('4', '5');

-- One that waits for an open
select from goals.set_goal('m', 'n', 'is increased', time_limit => '3 days', goal => 'opened', after => 'opened');
select goal, verdict from goals.explain('m', 6) where goal = 'opened';
select from goals.record_opened('m', 6);
update users set n = '1' where id = 6;
select user_key, goal from goals.matches('m', 'opened');

-- A version that was stopped stays so, and so does a column that is gone.
select from goals.stop_goal('m', 'n');
select from goals.set_goal('m', 'n', 'is increased by', '2', '3 days', goal => 'n');
update users set n = '9' where id = 7;
select user_key, goal from goals.matches('m', 'n') where user_key = '7';
select from goals.create_message('gone');
select from goals.set_goal('gone', 'price', 'is', '5', '3 days');
select goals.record_sent('gone', array['1', '2']);
alter table users drop price;
select verdict from goals.explain('gone', 1);
select from goals.set_goal('gone', 'spent', 'is', '5', '3 days');
update users set spent = 5 where id = 1;
select verdict from goals.explain('gone', 1);
-- A column of that name again, of the same kind at once, of another kind when the goal is set again
alter table users add price varchar(9);
update users set price = '5' where id = 1;
select verdict from goals.explain('gone', 1);
alter table users alter price type numeric using price::numeric;
select verdict from goals.explain('gone', 2);
select from goals.set_goal('gone', 'price', 'is', '5', '3 days');
update users set price = 5.00 where id = 2;
select verdict from goals.explain('gone', 2);

-- A table that is not tracked any more
select goals.record_sent('m', array['8']);
select from goals.untrack('users');
select distinct verdict from goals.explain('m', 8);
select from goals.track_users('users');
select goal, verdict from goals.explain('m', 8) where receipt_id > 9 order by goal;
select * from goals.verify();
