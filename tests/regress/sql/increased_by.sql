-- "is increased by n": the gain since the sending, over any number of changes.
create table users (id bigint primary key, gone int, sessions int, spent numeric, weight real, stats jsonb);
alter table users drop column gone;
insert into users (id, sessions, spent, weight, stats) values
    (1, 10, 0, 1, '{"n": 1}'), (2, 10, 0.1, 1, '{}'), (3, null, null, null, null), (4, 10, 'NaN', 'NaN', '{"n": "x"}'), (5, 10, 0, 1, '{"n": 1}');
select from goals.track_users('users');
select from goals.create_message('more');
select from goals.set_goal('more', 'sessions', 'is increased by', '3', '1 day', goal => 'sessions');
select from goals.set_goal('more', 'spent', 'is increased by', '0.3', '1 day', goal => 'spent', value_from => 'spent');
select from goals.set_goal('more', 'weight', 'is increased by', '0.5', '1 day', goal => 'weight');
select from goals.set_goal('more', 'stats.n', 'is increased by', '2', '1 day', goal => 'json');
select goals.record_sent('more', array['1', '2', '3', '4']);

-- One at a time; two down and back up is no gain.
update users set sessions = sessions + 1;
update users set sessions = sessions - 3;
update users set sessions = sessions + 4;
select count(*) from goals.matches('more', 'sessions');
-- The next one makes three: by one from the value before, by three from the value at the sending. User 3 had none: zero.
update users set sessions = coalesce(sessions, 0) + 1 where id <> 3;
update users set sessions = 2 where id = 3;
update users set sessions = 3 where id = 3;
select user_key, old_value, new_value from goals.matches('more', 'sessions') order by user_key;

-- A receipt made later starts from where it was then.
select from goals.record_sent('more', 1::bigint);
update users set sessions = sessions + 2 where id = 1;
select count(*) from goals.matches('more', 'sessions') where user_key = '1';
update users set sessions = sessions + 1 where id = 1;
select old_value, new_value from goals.matches('more', 'sessions') where user_key = '1';

-- Decimals are exact, of whatever scale; from NaN nothing is a gain, nor is NaN.
update users set spent = 0.1 + 0.2 where id = 1;
update users set spent = 0.399999999999999999999999999999 where id = 2;
update users set spent = 0.40 where id = 2;
update users set spent = 0.30000 where id = 3;
update users set spent = 100 where id = 4;
update users set spent = 'NaN' where id = 5;
select user_key, old_value, new_value, worth from goals.matches('more', 'spent') order by user_key;
update users set weight = 1.4 where id in (1, 2);
update users set weight = 1.5 where id = 1;
update users set weight = 'Infinity' where id = 2;
update users set weight = 0.5 where id in (3, 4);
select user_key, old_value, new_value from goals.matches('more', 'weight') order by user_key;

-- Inside json: what is no number is nothing to gain on.
update users set stats = '{"n": 2.99}' where id = 1;
update users set stats = '{"n": 3}' where id = 1;
update users set stats = '{"n": "3"}' where id = 2;
update users set stats = '{"n": 2}' where id = 2;
update users set stats = '{"n": 2}' where id = 3;
select user_key, old_value, new_value from goals.matches('more', 'json') order by user_key;

-- It is never already matched, whatever the value is, and user 5 was sent nothing.
select goal, sent, already_matched, matched, worth from goals.message_stats order by goal;
-- A gain is more than zero.
select from goals.set_goal('more', 'sessions', 'is increased by', '0', '1 day');
select from goals.set_goal('more', 'sessions', 'is increased by', '-1', '1 day');
select from goals.set_goal('more', 'sessions', 'is increased by', 'NaN', '1 day');
select from goals.set_goal('more', 'sessions', 'is increased by', 'x', '1 day');
