-- What became of a receipt: the one definition that the figures, the totals, verify() and explain() share.
--
--   mark            up to which ids one looks: everything, or what the rolled totals hold
--   revision_goal   the goals a receipt is judged by
--   ledger          one row a receipt and goal, seen at a mark
--   contribution    the same row as the numbers it adds to the counters
--   outcome         the same row for people: as of now, with its variant
--
-- The facts are looked up per receipt (LATERAL, by index), so a query costs what its own receipts cost, however long the
-- history. A view that does not use one of the look-ups does not run it: each is an aggregate, which the planner can drop.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE VIEW goals.mark AS
SELECT false AS settled, 9223372036854775807 AS receipt_id, 9223372036854775807 AS engagement_id, 9223372036854775807 AS match_id
UNION ALL
(SELECT true, w.receipt_id, w.engagement_id, w.match_id
 FROM goals.watermark w LIMIT 1);  -- the limit tells the planner that there is one
COMMENT ON VIEW goals.mark IS 'Internal. The two marks a receipt can be seen at: now (settled false) and what the rolled totals hold (settled true; no row before the first roll-up)';

-- A UNION, so that it counts as one table where it is joined: the join order of what is built on it stays free within
-- join_collapse_limit.
CREATE VIEW goals.revision_goal AS
SELECT v.revision_id, v.message_id, m.name AS message, g.goal_id, g.name AS goal, g.attribute, g.event, g.times,
       g.after, g.time_limit_us, s.stopped_at
FROM goals.revision v
JOIN goals.message m ON m.message_id = v.message_id
JOIN goals.goal g ON g.goal_id = ANY (v.goal_ids)
LEFT JOIN goals.goal_stop s ON s.goal_id = g.goal_id
UNION ALL
SELECT v.revision_id, v.message_id, m.name, NULL::integer, NULL::text COLLATE "C", NULL::text COLLATE "C",
       NULL::text COLLATE "C", NULL::integer, NULL::text COLLATE "C", NULL::bigint, NULL::timestamptz
FROM goals.revision v
JOIN goals.message m ON m.message_id = v.message_id;
COMMENT ON VIEW goals.revision_goal IS 'Internal. The goals in force under each revision, and a row with goal_id NULL for the receipt itself, whatever its goals';

CREATE VIEW goals.ledger AS
SELECT k.settled, r.receipt_id, r.users_id, r.user_key, r.variant_id, r.sent_at,
       g.message_id, g.message, g.goal_id, g.goal, g.attribute, g.event, g.times, g.after, g.stopped_at,
       e.opened_at, e.clicked_at,
       coalesce(g.goal_id = ANY (r.already), false) AS already_matched,
       -- NULL: the window has not begun. A multiple of a microsecond knows no months, days or time zones.
       CASE g.after WHEN 'sent' THEN r.sent_at WHEN 'opened' THEN e.opened_at WHEN 'clicked' THEN e.clicked_at END
           AS window_opens,
       CASE g.after WHEN 'sent' THEN r.sent_at WHEN 'opened' THEN e.opened_at WHEN 'clicked' THEN e.clicked_at END
           + g.time_limit_us * interval '1 microsecond' AS window_closes,
       h.match_id, h.matched_at, h.old_value, h.new_value, h.worth
FROM goals.mark k
JOIN goals.receipt r ON r.receipt_id <= k.receipt_id
JOIN goals.revision_goal g ON g.revision_id = r.revision_id
LEFT JOIN LATERAL (
    SELECT min(e.at) AS opened_at, min(e.at) FILTER (WHERE e.kind = 'c') AS clicked_at
    FROM goals.engagement e
    WHERE e.receipt_id = r.receipt_id AND e.engagement_id <= k.engagement_id
) e ON true
LEFT JOIN LATERAL (
    -- The aggregates are over the one row that is the match.
    SELECT min(t.match_id) AS match_id, min(t.matched_at) AS matched_at, min(t.worth) AS worth,
           (array_agg(t.old_value))[1] AS old_value, (array_agg(t.new_value))[1] AS new_value
    FROM (SELECT l.match_id, l.matched_at, l.old_value, l.new_value, l.worth
          FROM goals.match_log l
          WHERE l.receipt_id = r.receipt_id AND l.goal_id = g.goal_id AND l.match_id <= k.match_id
                AND g.goal_id IS NOT NULL AND (g.goal_id = ANY (r.already)) IS NOT TRUE
          ORDER BY l.matched_at, l.match_id
          OFFSET g.times - 1 LIMIT 1) t
) h ON true;
COMMENT ON VIEW goals.ledger IS 'Internal. Each receipt and goal it is judged by (and goal_id NULL: the receipt itself) with what is known of it at a mark';

CREATE VIEW goals.contribution AS
SELECT l.settled, l.receipt_id, l.users_id, l.user_key, l.variant_id, l.sent_at, l.message_id, l.message, l.goal_id, l.goal,
       l.opened_at, l.clicked_at, l.matched_at, l.window_opens, l.window_closes, l.stopped_at,
       1 AS sent,
       (l.opened_at IS NOT NULL)::integer AS opened,
       (l.clicked_at IS NOT NULL)::integer AS clicked,
       l.already_matched::integer AS already_matched,
       (l.matched_at IS NOT NULL)::integer AS matched,
       coalesce(l.opened_at <= l.matched_at, false)::integer AS matched_after_open,
       coalesce(l.clicked_at <= l.matched_at, false)::integer AS matched_after_click,
       coalesce(l.worth, 0) AS worth
FROM goals.ledger l;
COMMENT ON VIEW goals.contribution IS 'Internal. What each receipt adds to the counters of each of its goals (goal NULL: of the message)';

CREATE VIEW goals.outcome AS
SELECT l.receipt_id, l.users_id, l.user_key, l.message_id, l.message, l.variant_id, v.name AS variant,
       coalesce(v.is_control, false) AS is_control, l.goal_id, l.goal, l.attribute, l.event, l.times, l.after,
       l.sent_at, l.opened_at, l.clicked_at, l.already_matched, l.window_opens, l.window_closes, l.stopped_at,
       l.match_id, l.matched_at, l.old_value, l.new_value, l.worth
FROM goals.ledger l
LEFT JOIN goals.variant v ON v.variant_id = l.variant_id
WHERE NOT l.settled AND l.goal_id IS NOT NULL;
COMMENT ON VIEW goals.outcome IS 'One row a receipt and goal it is judged by: when it was sent, opened and clicked, whether its goal already held, and the match if there is one';
