-- The article's own cases, one after the other.
create table users (
    legacy text,
    id bigint primary key,
    name text,
    web_sessions int,
    plan text,
    favourite_fruit text,
    last_request_at timestamptz,
    signed_up_on date
);
alter table users drop column legacy;
insert into users (id, name, web_sessions, plan, favourite_fruit) values
    (1, 'Ann', 4, 'free', 'apple'), (2, 'Bob', 4, 'pro', 'apple'), (3, 'Cem', 4, 'free', 'kiwi'), (4, 'Dee', null, 'free', null);
select from goals.track_users('users');

-- "Web sessions increased within 3 days"
select from goals.create_message('come back');
select from goals.set_goal('come back', 'web_sessions', 'is increased', time_limit => '3 days');
select from goals.record_sent('come back', 1::bigint, sent_at => clock_timestamp() - interval '2 days');
select from goals.record_sent('come back', 2::bigint, sent_at => clock_timestamp() - interval '2 days');
select from goals.record_sent('come back', 4::bigint);
-- Cem comes back on day 4: too late.
select from goals.record_sent('come back', 3::bigint, sent_at => clock_timestamp() - interval '4 days');
update users set web_sessions = web_sessions + 1 where id in (1, 3);
-- A first session is an increase; fewer sessions are not.
update users set web_sessions = 1 where id = 4;
update users set web_sessions = 3 where id = 2;
select user_key, attribute, old_value, new_value from goals.matches('come back') order by user_key;
select u.name, e.verdict from users u, goals.explain('come back', u.id) e order by u.id;
select message, goal, sent, already_matched, matched, goal_rate, goal_rate_eligible from goals.message_stats;

-- Who already matched does not count, whatever he does later.
select from goals.create_message('upgrade');
select from goals.set_goal('upgrade', 'plan', 'is', 'pro', '14 days');
select goals.record_sent('upgrade', array['1', '2', '3']);
update users set plan = 'free' where id = 2;
update users set plan = 'pro' where id = 2;
update users set plan = 'pro' where id = 1;
select u.name, e.verdict from users u, goals.explain('upgrade', u.id) e order by u.id;
select sent, already_matched, matched, goal_rate, goal_rate_eligible from goals.message_stats where message = 'upgrade';

-- A ping that changes only last_request_at looks at no other attribute ...
select from goals.create_message('fruit');
select from goals.set_goal('fruit', 'favourite_fruit', 'is not', 'apple', '7 days');
select from goals.set_goal('fruit', 'favourite_fruit', 'is changed', time_limit => '7 days', goal => 'changed');
select goals.record_sent('fruit', array['1', '2', '3', '4']);
update users set last_request_at = now();
update users set last_request_at = now(), favourite_fruit = favourite_fruit, name = upper(name);
select count(*) from goals.matches('fruit');
-- ... and one that changes favourite_fruit too looks at that.
update users set last_request_at = now(), favourite_fruit = 'banana' where id in (1, 3);
select user_key, goal, old_value, new_value from goals.matches('fruit') order by user_key, goal;
-- A goal counts once, and stays matched when the attribute changes back.
update users set favourite_fruit = 'apple' where id = 1;
update users set favourite_fruit = 'cherry' where id = 1;
select user_key, goal, old_value, new_value from goals.matches('fruit') where user_key = '1' order by goal;
select goal, sent, already_matched, matched from goals.message_stats where message = 'fruit' order by goal;

-- A date can only be known.
select from goals.create_message('sign up');
select from goals.set_goal('sign up', 'signed_up_on', 'is', '2024-02-29', '7 days');
select from goals.set_goal('sign up', 'signed_up_on', 'is changed', time_limit => '7 days');
select from goals.set_goal('sign up', 'signed_up_on', 'has any value', time_limit => '7 days');
update users set signed_up_on = '2023-01-01' where id = 2;
select goals.record_sent('sign up', array['1', '2']);
update users set signed_up_on = '2024-02-29';
select u.name, e.verdict from users u, goals.explain('sign up', u.id) e order by u.id;

-- Rates by sent, opened and clicked: 1 matched after a click, 2 after an open, 3 after neither, 4 did not match.
select from goals.create_message('newsletter');
select from goals.set_goal('newsletter', 'web_sessions', 'is increased', time_limit => '3 days');
select goals.record_sent('newsletter', array['1', '2', '3', '4']);
select from goals.record_clicked('newsletter', 1::bigint);
select from goals.record_opened('newsletter', 2::bigint);
select from goals.record_opened('newsletter', 4::bigint);
update users set web_sessions = web_sessions + 1 where id in (1, 2, 3);
select from goals.record_opened('newsletter', 3::bigint);
select sent, opened, clicked, matched, matched_after_open, matched_after_click, goal_rate, goal_rate_opened, goal_rate_clicked
from goals.message_stats where message = 'newsletter';

-- A one-off message has the same figures. One without a goal shows what was sent.
select from goals.create_message('christmas', kind => 'one_off', channel => 'e-mail');
select goals.record_sent('christmas', array['1', '2']);
select * from goals.message_stats where message = 'christmas';
select from goals.set_goal('christmas', 'plan', 'is', 'team', '7 days');
select goals.record_sent('christmas', array['3', '4']);
update users set plan = 'team' where id in (1, 3);
select goal, sent, matched, goal_rate from goals.message_stats where message = 'christmas';
select * from goals.health();
