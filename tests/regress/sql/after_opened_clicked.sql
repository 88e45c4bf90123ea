-- Goals after the first open or click, and what is counted after an open or a click of any goal.
create table users (id bigint primary key, plan text, gone int);
alter table users drop column gone;
insert into users select n, 'free' from generate_series(1, 9) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', goal => 'sent');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', goal => 'opened', after => 'opened');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', goal => 'clicked', after => 'clicked');
select clock_timestamp() as "then" \gset
-- Sent two days ago: 1 did nothing, 2 opened two days ago, 3 opened an hour ago, 4 clicked an hour ago (which is an open),
-- 5 opened two days ago and clicked an hour ago, 6 opened again an hour ago.
select goals.record_sent('m', array['1', '2', '3', '4', '5', '6', '7'], sent_at => :'then'::timestamptz - interval '50 hours');
select from goals.record_opened('m', 2::bigint, :'then'::timestamptz - interval '2 days');
select from goals.record_opened('m', 3::bigint, :'then'::timestamptz - interval '1 hour');
select from goals.record_clicked('m', 4::bigint, :'then'::timestamptz - interval '1 hour');
select from goals.record_opened('m', '5', :'then'::timestamptz - interval '2 days');
select from goals.record_clicked('m', '5', :'then'::timestamptz - interval '1 hour');
select from goals.record_opened('m', 6::bigint, :'then'::timestamptz - interval '2 days');
select from goals.record_opened('m', 6::bigint, :'then'::timestamptz - interval '1 hour');
update users set plan = 'pro' where id <= 6;
select user_key, goal from goals.matches('m') order by user_key, goal;
select u.id, e.goal, e.verdict from users u, goals.explain('m', u.id) e where u.id <= 4 order by u.id, e.goal;

-- An open that is reported only later does not count an earlier change, though it happened before it; a later change does.
update users set plan = 'pro' where id = 7;
select clock_timestamp() as changed \gset
select from goals.record_opened('m', 7::bigint, :'then'::timestamptz);
select count(*) from goals.matches('m') where user_key = '7';
update users set plan = 'free' where id = 7;
update users set plan = 'pro' where id = 7;
select goal, matched_at > :'changed' as later from goals.matches('m') where user_key = '7';
select goal, sent, opened, clicked, matched, matched_after_open, matched_after_click, goal_rate_opened, goal_rate_clicked from goals.message_stats order by goal;

-- What was opened or clicked before the match is told from their times, in whatever order they are reported, and one report
-- that is earlier than another replaces it. The same instant is after.
select from goals.create_message('n');
select from goals.set_goal('n', event => 'buy', time_limit => '3 days');
select goals.record_sent('n', array['1', '2', '3', '4', '5', '6'], sent_at => :'then'::timestamptz - interval '10 hours');
select from generate_series(1, 6) u, goals.record_event(u::bigint, 'buy', occurred_at => :'then'::timestamptz - interval '5 hours');
select from goals.record_opened('n', 1::bigint, :'then'::timestamptz - interval '4 hours');
select from goals.record_opened('n', 2::bigint, :'then'::timestamptz - interval '4 hours');
select from goals.record_opened('n', 2::bigint, :'then'::timestamptz - interval '6 hours');
select from goals.record_clicked('n', 3::bigint, :'then'::timestamptz - interval '5 hours');
select from goals.record_clicked('n', 4::bigint, :'then'::timestamptz - interval '5 hours' + interval '1 microsecond');
select from goals.record_opened('n', 4::bigint, :'then'::timestamptz - interval '6 hours');
select user_key, opened_at <= matched_at as after_open, clicked_at <= matched_at as after_click from goals.matches('n') order by user_key;
select sent, opened, clicked, matched, matched_after_open, matched_after_click from goals.message_stats where message = 'n';
-- A match that turns out to be earlier moves before the opens.
select from goals.record_event(2::bigint, 'buy', occurred_at => :'then'::timestamptz - interval '8 hours');
select opened, clicked, matched, matched_after_open, matched_after_click from goals.message_stats where message = 'n';

-- By user, the receipt that was the latest at that time is opened; by receipt, that one.
select from goals.create_message('twice');
select from goals.set_goal('twice', 'plan', 'is changed', time_limit => '30 days');
select goals.record_sent('twice', 8::bigint, sent_at => :'then'::timestamptz - interval '3 days') as first \gset
select goals.record_sent('twice', 8::bigint, sent_at => :'then'::timestamptz - interval '2 days') as second \gset
select from goals.record_opened('twice', 8::bigint, :'then'::timestamptz - interval '2 days' - interval '1 microsecond');
select sent_at - :'then' as sent, opened_at - :'then' as opened, clicked_at - :'then' as clicked from goals.explain('twice', 8::bigint);
select from goals.record_opened('twice', 8::bigint, :'then'::timestamptz - interval '2 days');
select from goals.record_clicked(:second, :'then'::timestamptz - interval '1 day');
select from goals.record_clicked(receipt_id => :first);
select from goals.record_opened(receipt_id => :first, opened_at => :'then'::timestamptz - interval '60 hours');
select sent_at - :'then' as sent, opened_at - :'then' as opened, clicked_at > :'then' as clicked_now, clicked_at - :'then' = '-1 day' as clicked_then from goals.explain('twice', 8::bigint);

-- What cannot have been opened
select from goals.record_opened('twice', 8::bigint, :'then'::timestamptz - interval '4 days');
select from goals.record_opened('twice', 9::bigint);
select from goals.record_opened('twice', 99::bigint);
select from goals.record_opened(0);
select from goals.create_message('held back');
select from goals.set_control_group('held back', 0.5);
select goals.record_sent('held back', 1::bigint, variant => 'control') as held \gset
select from goals.record_opened('held back', 1::bigint);
select from goals.record_clicked(:held);

-- Of several sent at the same time it is the one recorded last, also where the index has one entry for them, as after
-- REINDEX.
select from goals.create_message('at once');
select from goals.set_goal('at once', 'plan', 'is changed', time_limit => '30 days');
select count(goals.record_sent('at once', 8::bigint, sent_at => :'then'::timestamptz - interval '3 days'))
from generate_series(1, 3);
select from goals.record_opened('at once', 8::bigint, :'then'::timestamptz - interval '2 days');
reindex index goals.receipt_user_idx;
select from goals.record_opened('at once', 8::bigint, :'then'::timestamptz - interval '1 day');
select r as receipt, count(e.receipt_id) as opens
from (select receipt_id, row_number() over (order by receipt_id) r from goals.outcome where message = 'at once') x
left join goals.engagement e using (receipt_id) group by r order by r;
