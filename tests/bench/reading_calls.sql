-- The calls of reading_session.sql. Once first, so that the session has its caches and plans.
\o /dev/null
\timing off
select goals.report('small'), (select count(*) from goals.matches('small')), (select count(*) from goals.message_stats),
       (select count(*) from goals.health());
\o
\timing on

\echo -- message_stats
select message, goal, sent, opened, clicked, already_matched, matched, worth, goal_rate
from goals.message_stats where message = 'big';
\echo -- variant_stats
select variant, goal, sent, opened, clicked, already_matched, matched, worth, goal_rate
from goals.variant_stats where message = 'big';
\echo -- stats
select variant, sent, opened, clicked, matched, worth, in_progress, users_matched from goals.stats('big');
\echo -- stats, goal NULL
select variant, sent, opened, clicked, matched, worth, in_progress, users_matched from goals.stats('big', null);
\echo -- stats of 30 days
select variant, sent, opened, clicked, matched, worth, in_progress, users_matched
from goals.stats('big', since => current_date - 30, until => current_date);
\echo -- compare
select variant, users, matched, rate, lift, lift_low, lift_high, p_value, verdict from goals.compare('big');
\echo -- daily
select count(*) as rows, sum(sent) as sent, sum(matched) as matched from goals.daily('big');
\echo -- daily_since_sending
select count(*) as rows, max(reached) as reached, sum(matched) as matched from goals.daily_since_sending('big');
\echo -- stats_bar
select goals.stats_bar('big') \g (format=unaligned tuples_only=on)
\echo -- report_data
select length(goals.report_data('big')::text) as characters;
\echo -- report
select length(goals.report('big')) as characters;
\echo -- matches, newest 100
select count(*) as rows, max(matched_at) as newest from goals.matches('big', newest => 100);
\echo -- attribution of a day
select * from goals.attribution(since => current_date - 10, until => current_date - 9);
\echo -- health
select problem, object from goals.health();
\echo -- small: message_stats, stats, compare, report
select message, goal, sent, matched from goals.message_stats where message = 'small';
select variant, sent, matched from goals.stats('small');
select variant, users, matched from goals.compare('small');
select length(goals.report('small')) as characters;
