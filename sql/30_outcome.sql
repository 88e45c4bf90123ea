-- What became of a receipt: the one definition that the figures, the totals, verify() and explain() share.
--
--   ledger          one row per receipt and goal: what is known now, and what the rolled totals know (rolled_...)
--   contribution    the numbers that row adds to the counters, now and (settled) as the rolled totals hold them
--   outcome         the same row for people: as of now, with its variant
--
-- The facts are looked up per receipt (LATERAL, by index), so a query costs what its own receipts cost, however long
-- the history. What a query does not use of the look-ups is not computed, and a look-up of which nothing is used is not
-- made.
SET LOCAL search_path = pg_catalog, pg_temp;

-- Seven tables. Where a query comes to more than eight, the planner no longer looks for the best order of all and may
-- read every receipt: the functions that join this raise join_collapse_limit.
CREATE VIEW goals_internal.ledger AS
SELECT r.receipt_id, r.users_source_id, r.user_key, r.variant_id, r.sent_at,
       coalesce(r.message_id, v.message_id) AS message_id, u.goal_id, g.name AS goal, g.attribute, g.event, g.times, g.after,
       g.time_limit_us * interval '1 microsecond' AS time_limit,
       (SELECT s.stopped_at FROM goals.goal_stop s WHERE s.goal_id = u.goal_id) AS stopped_at,
       e.opened_at, e.clicked_at,
       coalesce(u.goal_id = ANY (r.already), false) AS already_matched,
       -- NULL: the window has not begun. A multiple of a microsecond knows no months, days or time zones.
       CASE g.after WHEN 'sent' THEN r.sent_at WHEN 'opened' THEN e.opened_at WHEN 'clicked' THEN e.clicked_at END
           AS window_opens,
       CASE g.after WHEN 'sent' THEN r.sent_at WHEN 'opened' THEN e.opened_at WHEN 'clicked' THEN e.clicked_at END
           + g.time_limit_us * interval '1 microsecond' AS window_closes,
       h.match_id, h.matched_at, h.old_value, h.new_value, h.worth,
       coalesce(r.receipt_id <= (SELECT w.receipt_id FROM goals.watermark w), false) AS rolled,
       e.rolled_opened_at, e.rolled_clicked_at,
       CASE WHEN g.times = 1 AND h.match_id <= (SELECT w.match_id FROM goals.watermark w) THEN h.matched_at
            ELSE x.matched_at END AS rolled_matched_at,
       CASE WHEN g.times = 1 AND h.match_id <= (SELECT w.match_id FROM goals.watermark w) THEN h.worth
            ELSE x.worth END AS rolled_worth,
       coalesce(r.flags & 1 = 1, false) AS held_out, h.cause_ref,
       -- The message whose goals judge it. A query for one message names this too: then its receipts are found by index.
       v.message_id AS goals_of
FROM goals.receipt r
JOIN goals.revision v ON v.revision_id = r.revision_id
LEFT JOIN LATERAL (
    SELECT min(f.at) AS opened_at,
           min(f.at) FILTER (WHERE f.kind = 'c') AS clicked_at,
           min(f.at) FILTER (WHERE f.settled) AS rolled_opened_at,
           min(f.at) FILTER (WHERE f.settled AND f.kind = 'c') AS rolled_clicked_at
    FROM (SELECT e.at, e.kind, e.engagement_id <= (SELECT w.engagement_id FROM goals.watermark w) AS settled
          FROM goals.engagement e
          WHERE e.receipt_id = r.receipt_id AND e.kind IN ('o', 'c') AND e.machine IS NOT TRUE) f
) e ON true
-- goal_id NULL: the receipt itself, whatever its goals.
CROSS JOIN LATERAL unnest(array_append(v.goal_ids, NULL)) AS u (goal_id)
LEFT JOIN goals.goal g ON g.goal_id = u.goal_id
LEFT JOIN LATERAL (
    -- The match: the times-th hit in the order of time.
    SELECT h.match_id, h.matched_at, h.old_value, h.new_value, h.worth, h.cause_ref
    FROM goals.match_log h
    WHERE h.receipt_id = r.receipt_id AND h.goal_id = u.goal_id
          AND u.goal_id IS NOT NULL AND (u.goal_id = ANY (r.already)) IS NOT TRUE
    ORDER BY h.matched_at, h.match_id
    OFFSET g.times - 1 LIMIT 1
) h ON true
LEFT JOIN LATERAL (
    -- The match among the hits that are in the rolled totals, where that can be another one: none if there are too few
    -- hits in all, and the same if the first of all is among them. (The aggregates are over one row: an unused join of
    -- an aggregate is dropped.)
    SELECT min(t.matched_at) AS matched_at, min(t.worth) AS worth
    FROM (SELECT h2.matched_at, h2.worth
          FROM goals.match_log h2
          WHERE h2.receipt_id = r.receipt_id AND h2.goal_id = u.goal_id
                AND h2.match_id <= (SELECT w.match_id FROM goals.watermark w)
                AND h.match_id IS NOT NULL
                AND (g.times > 1 OR h.match_id > (SELECT w.match_id FROM goals.watermark w))
          ORDER BY h2.matched_at, h2.match_id
          OFFSET g.times - 1 LIMIT 1) t
) x ON true;
COMMENT ON VIEW goals_internal.ledger IS
    'Each receipt and goal it is judged by (and goal_id NULL: the receipt itself) with what is known of it now, and '
    'in rolled_... what the rolled totals know of it';

CREATE VIEW goals_internal.contribution AS
SELECT l.settled,
       l.receipt_id, l.users_source_id, l.user_key, l.variant_id, l.sent_at, l.message_id, l.goal_id, l.goal,
       l.as_opened_at AS opened_at, l.as_clicked_at AS clicked_at, l.as_matched_at AS matched_at, l.window_opens, l.window_closes, l.stopped_at,
       1 AS sent,
       (l.as_opened_at IS NOT NULL)::integer AS opened,
       (l.as_clicked_at IS NOT NULL)::integer AS clicked,
       l.already_matched::integer AS already_matched,
       (l.as_matched_at IS NOT NULL)::integer AS matched,
       coalesce(l.as_opened_at <= l.as_matched_at, false)::integer AS matched_after_open,
       coalesce(l.as_clicked_at <= l.as_matched_at, false)::integer AS matched_after_click,
       coalesce(l.as_worth, 0) AS worth,
       -- Receipts of one user whose match is the same change: same instant, same cause.
       coalesce('r' || l.cause_ref, 'a' || l.attribute, 'e' || l.event) AS cause,
       (l.sent_at AT TIME ZONE 'UTC')::date AS day,
       -- Two of these for one user and message: the user is in no comparison.
       coalesce(l.variant_id, 0) AS arm,
       l.held_out, l.goals_of
FROM (SELECT k.settled, l.*,
             CASE WHEN k.settled THEN l.rolled_opened_at ELSE l.opened_at END AS as_opened_at,
             CASE WHEN k.settled THEN l.rolled_clicked_at ELSE l.clicked_at END AS as_clicked_at,
             CASE WHEN k.settled THEN l.rolled_matched_at ELSE l.matched_at END AS as_matched_at,
             CASE WHEN k.settled THEN l.rolled_worth ELSE l.worth END AS as_worth
      FROM goals_internal.ledger l
      -- A lateral VALUES list would say it shorter, but prepares its expressions again for every row.
      CROSS JOIN (SELECT false AS settled UNION ALL SELECT true) k
      WHERE NOT k.settled OR l.rolled) l;
COMMENT ON VIEW goals_internal.contribution IS
    'What each receipt adds to the counters of each of its goals (goal NULL: of the message): now, and as the rolled '
    'totals hold it (settled)';

CREATE FUNCTION goals_internal.goals_of(of_message integer)
RETURNS integer[]
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY[m.message_id, m.like_message_id] FROM goals.message m WHERE m.message_id = of_message $$;
COMMENT ON FUNCTION goals_internal.goals_of(integer) IS 'The messages whose goals may judge the receipts of this one';

-- The time limit has begun, has not passed, and the goal has not been stopped.
CREATE FUNCTION goals_internal.running(stopped_at timestamptz, window_closes timestamptz, at timestamptz)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(stopped_at IS NULL AND window_closes >= at, false);
COMMENT ON FUNCTION goals_internal.running(timestamptz, timestamptz, timestamptz) IS
    'True while a receipt can still match a goal; put into the query that calls it';

CREATE VIEW goals.outcome AS
SELECT l.receipt_id, l.users_source_id AS users_id, l.user_key, l.message_id, m.name AS message, l.variant_id, v.name AS variant,
       coalesce(v.is_control, false) AS is_control, l.goal_id, l.goal, l.attribute, l.event, l.times, l.after,
       l.time_limit, l.sent_at, l.opened_at, l.clicked_at, l.already_matched, l.window_opens, l.window_closes, l.stopped_at,
       l.match_id, l.matched_at, l.old_value, l.new_value, l.worth, l.held_out
FROM goals.message m
JOIN goals_internal.ledger l ON l.message_id = m.message_id
                            AND l.goals_of = ANY (ARRAY[m.message_id, m.like_message_id])
LEFT JOIN goals.variant v ON v.variant_id = l.variant_id
WHERE l.goal_id IS NOT NULL AND m.dropped_at IS NULL;
COMMENT ON VIEW goals.outcome IS
    'One row per receipt and goal it is judged by: when it was sent, opened and clicked, whether its goal '
    'already held, and the match if there is one';
