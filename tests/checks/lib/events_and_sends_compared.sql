-- The figures by plain SQL over events and sends, and a line for each that differs.
set client_min_messages = warning;
set jit = off;
create index on events (user_id, name, at);
analyze events, sends;

create table expected_receipt as
select s.*, least(opened_at, clicked_at) as first_open
from (select s.id, s.message, s.user_id, s.sent_at, s.batch, s.variant, s.open_batch, s.click_batch,
             case when s.variant is distinct from 'control' then s.opened_at end as opened_at, case when s.variant is distinct from 'control' then s.clicked_at end as clicked_at
      from sends s where s.message <> 'no such message' and s.user_id in (select id from users)) s;

create table asked (message text, goal text, event text, properties jsonb, times int, time_limit interval, after text, value_from text[]);
insert into asked values
('welcome', 'primary', 'purchase', '{}', 1, '72 hours', 'sent', '{amount}'), ('welcome', 'login', 'login', null, 1, '36 hours', 'sent', null),
('books', 'primary', 'purchase', '{"category": "book"}', 1, '168 hours', 'sent', '{amount}'), ('come back', 'primary', 'visit', null, 3, '48 hours', 'sent', '{basket,items}'),
('read this', 'primary', 'search', null, 1, '24 hours', 'opened', null), ('read this', 'clicked', 'visit', null, 2, '24 hours', 'clicked', null),
('test', 'primary', 'purchase', null, 1, '120 hours', 'sent', '{amount}'), ('test', 'view', 'view', null, 1, '24 hours', 'opened', null);
update asked set properties = null where properties = '{}';

-- An event counts for what had been committed before it: a receipt of an earlier batch or of this one, and opens likewise.
create table expected as
select r.id, r.message, a.goal, r.user_id, r.variant, r.sent_at, r.first_open, r.clicked_at, m.at as matched_at, m.worth
from expected_receipt r
join asked a using (message)
left join lateral (
    select e.at, case when jsonb_typeof(e.properties #> a.value_from) = 'number' then (e.properties #>> a.value_from)::numeric end as worth
    from events e,
         lateral (select case a.after when 'sent' then r.sent_at
                                      when 'opened' then least(case when r.open_batch <= e.batch then r.opened_at end, case when r.click_batch <= e.batch then r.clicked_at end)
                                      when 'clicked' then case when r.click_batch <= e.batch then r.clicked_at end end as anchor) w
    where e.user_id = r.user_id and e.name = a.event and e.batch >= r.batch and (a.properties is null or e.properties @> a.properties)
      and e.at >= r.sent_at and e.at <= r.sent_at + interval '20 days'  -- for the index
      and e.at >= w.anchor and e.at <= w.anchor + a.time_limit
    order by e.at offset a.times - 1 limit 1) m on true;

create view expected_stats as
select message, goal, variant, count(*) as sent, count(first_open) as opened, count(clicked_at) as clicked, 0::bigint as already_matched, count(matched_at) as matched,
       count(*) filter (where first_open <= matched_at) as matched_after_open, count(*) filter (where clicked_at <= matched_at) as matched_after_click,
       coalesce(sum(worth), 0) as worth, count(distinct user_id) filter (where matched_at is not null) as users_matched
from expected group by message, goal, variant;

-- Every match
create view expected_match as select user_id::text as user_key, message, goal, variant, sent_at, first_open as opened_at, clicked_at, matched_at, worth from expected where matched_at is not null;
create table got_match as
select x.user_key, m.name as message, x.goal, x.variant, x.sent_at, x.opened_at, x.clicked_at, x.matched_at, x.worth from goals.message m, goals.matches(m.name) x;
select 'a match too few', e from (select * from expected_match except all select * from got_match) e limit 10;
select 'a match too many', g from (select * from got_match except all select * from expected_match) g limit 10;

-- Every figure
create view got_stats as select message, goal, variant, sent, opened, clicked, already_matched, matched, matched_after_open, matched_after_click, worth from goals.variant_stats where sent > 0;
select 'variant_stats', g from (select * from got_stats except all select message, goal, variant, sent, opened, clicked, already_matched, matched, matched_after_open, matched_after_click, worth from expected_stats) g;
select 'variant_stats, expected', e from (select message, goal, variant, sent, opened, clicked, already_matched, matched, matched_after_open, matched_after_click, worth from expected_stats except all select * from got_stats) e;
create view expected_message as
select message, goal, sum(sent) as sent, sum(opened) as opened, sum(clicked) as clicked, 0::numeric as already_matched, sum(matched) as matched,
       sum(matched_after_open) as matched_after_open, sum(matched_after_click) as matched_after_click, sum(worth) as worth,
       (sum(matched) / sum(sent)::double precision)::text as goal_rate, (sum(matched) / sum(sent)::double precision)::text as goal_rate_eligible,
       (sum(matched_after_open) / nullif(sum(opened), 0)::double precision)::text as goal_rate_opened, (sum(matched_after_click) / nullif(sum(clicked), 0)::double precision)::text as goal_rate_clicked
from expected_stats where variant is distinct from 'control' group by message, goal;
create view got_message as
select message, goal, sent, opened, clicked, already_matched, matched, matched_after_open, matched_after_click, worth, goal_rate::text, goal_rate_eligible::text, goal_rate_opened::text, goal_rate_clicked::text from goals.message_stats;
select 'message_stats', g from (select * from got_message except all select * from expected_message) g;
select 'message_stats, expected', e from (select * from expected_message except all select * from got_message) e;
create view got_stats_row as select s.message, s.goal, s.variant, s.sent, s.opened, s.clicked, s.already_matched, s.matched, s.matched_after_open, s.matched_after_click, s.worth, s.users_matched
from asked a, goals.stats(a.message, a.goal) s where s.sent > 0;
select 'stats()', g from (select * from got_stats_row except all select * from expected_stats) g;
select 'stats(), expected', e from (select * from expected_stats except all select * from got_stats_row) e;
-- and of a part of the time
select 'stats(since, until)', s.message, s.goal, s.variant, s.sent, s.matched, e from asked a
cross join lateral goals.stats(a.message, a.goal, '2024-03-05 00:00+00', '2024-03-11 12:00+00') s
left join lateral (select count(*) as sent, count(matched_at) as matched from expected x where x.message = s.message and x.goal = s.goal and x.variant is not distinct from s.variant
                   and x.sent_at >= '2024-03-05 00:00+00' and x.sent_at < '2024-03-11 12:00+00') e on true
where (s.sent, s.matched) is distinct from (e.sent, e.matched);

select 'in progress', s.message, s.goal, s.in_progress from asked a, goals.stats(a.message, a.goal) s where s.in_progress > 0;
select 'verify()', v from goals.verify() v;
select goals.roll_up() \g /dev/null
select goals.roll_up() \g /dev/null
select 'rolled up', g from (select * from got_message except all select * from expected_message) g;
select 'verify() rolled up', v from goals.verify() v;
select 'health()', h.problem, h.object from goals.health() h where (problem, object) not in (('unknown message', 'no such message')) and problem not in ('unknown user', 'users in two variants');
select 'health() does not say', x from (values ('unknown message'), ('unknown user')) x (problem) where problem not in (select problem from goals.health());
