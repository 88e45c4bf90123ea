-- The figures: message_stats and variant_stats from the running totals, stats() and matches() from the records.
SET LOCAL search_path = pg_catalog, pg_temp;

-- Names ------------------------------------------------------------------------------------------------------------

CREATE FUNCTION goals_internal.known_message(message text)
RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id integer;
    -- In a statement of its own, because the error shows the one that raises it.
    named text[];
BEGIN
    IF message IS NULL THEN
        PERFORM goals_internal.raise('null_argument', 'message');
    END IF;
    SELECT m.message_id INTO found_id FROM goals.message m WHERE m.name = message;
    IF found_id IS NULL THEN
        named := message || array(SELECT m.name FROM goals.message m WHERE m.name IS NOT NULL);
        PERFORM goals_internal.raise('unknown_message', VARIADIC named);
    END IF;
    RETURN found_id;
END
$$;
COMMENT ON FUNCTION goals_internal.known_message(text) IS
    'The id of a message; an unknown one is an error with the nearest name';

CREATE FUNCTION goals_internal.check_goal(of_message integer, goal text)
RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    -- In a statement of its own, because the error shows the one that raises it.
    named text[];
BEGIN
    IF EXISTS (SELECT FROM goals.goal g WHERE g.message_id = of_message AND g.name = goal) THEN
        RETURN;
    ELSIF goal IS NULL THEN
        PERFORM goals_internal.raise('null_argument', 'goal');
    END IF;
    named := array[(SELECT m.name FROM goals.message m WHERE m.message_id = of_message), goal]
             || array(SELECT DISTINCT g.name FROM goals.goal g WHERE g.message_id = of_message);
    PERFORM goals_internal.raise('unknown_goal', VARIADIC named);
END
$$;
COMMENT ON FUNCTION goals_internal.check_goal(integer, text) IS
    'An unknown goal of a message is an error with the nearest name';

-- Views ------------------------------------------------------------------------------------------------------------

-- A control group without variants stands beside the receipts of no variant.
CREATE VIEW goals_internal.arm AS
SELECT v.message_id, v.variant_id, v.name, v.is_control, v.weight
FROM goals.variant v
UNION ALL
SELECT m.message_id, NULL, NULL, false, NULL
FROM goals.message m
WHERE NOT EXISTS (SELECT FROM goals.variant v WHERE v.message_id = m.message_id AND NOT v.is_control);
COMMENT ON VIEW goals_internal.arm IS
    'The groups a message divides its users into: its variants and control group; variant_id NULL: the users of no '
    'variant';

-- The totals of one message are found by its name; of the tail the sums arrive as a few rows.
CREATE VIEW goals_internal.counted AS
SELECT m.name AS message, t.message_id, t.goal, t.variant_id, t.sent, t.opened, t.clicked, t.already_matched, t.matched,
       t.matched_after_open, t.matched_after_click, t.worth,
       t.deliveries, t.bounced, t.complained, t.unsubscribed, t.opened_by_machine, t.clicked_by_machine
FROM goals.total t
JOIN goals.message m ON m.message_id = t.message_id AND m.dropped_at IS NULL
UNION ALL
SELECT m.name, t.message_id, t.goal, t.variant_id, t.sent, t.opened, t.clicked, t.already_matched, t.matched,
       t.matched_after_open, t.matched_after_click, t.worth,
       t.deliveries, t.bounced, t.complained, t.unsubscribed, t.opened_by_machine, t.clicked_by_machine
FROM goals.tail_sums() t
JOIN goals.message m ON m.message_id = t.message_id AND m.dropped_at IS NULL
UNION ALL
-- What has not been sent yet shows as zeros. (The first version of a goal stands for its name.)
SELECT m.name, m.message_id, g.name, a.variant_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
FROM goals.message m
JOIN goals_internal.arm a ON a.message_id = m.message_id
LEFT JOIN goals.goal g ON g.message_id = m.message_id AND g.version = 1
WHERE m.dropped_at IS NULL;
COMMENT ON VIEW goals_internal.counted IS
    'Rows whose sums are the figures at this moment: archived and rolled totals, what lies past the watermark, and '
    'zeros';

-- A message with goals shows them; one without shows its receipts, goal NULL. Each row counts twice: for its message,
-- where it is not of the control group, and for its variant. Which of the two a query wants is known when it is
-- planned.
CREATE VIEW goals_internal.figures AS
SELECT s.message, s.goal, s.by_variant, s.variant, s.sent, s.opened, s.clicked, s.already_matched, s.matched,
       s.matched_after_open, s.matched_after_click, s.worth,
       s.matched::double precision / nullif(s.sent, 0) AS goal_rate,
       s.matched::double precision / nullif(s.sent - s.already_matched, 0) AS goal_rate_eligible,
       s.matched_after_open::double precision / nullif(s.opened, 0) AS goal_rate_opened,
       s.matched_after_click::double precision / nullif(s.clicked, 0) AS goal_rate_clicked,
       s.delivered, s.bounced, s.complained, s.unsubscribed, s.opened_by_machine, s.clicked_by_machine,
       s.matched::double precision / nullif(s.delivered, 0) AS goal_rate_delivered
FROM (SELECT c.message, c.goal, k.by_variant, CASE WHEN k.by_variant THEN v.name END AS variant,
             sum(c.sent)::bigint AS sent, sum(c.opened)::bigint AS opened, sum(c.clicked)::bigint AS clicked,
             sum(c.already_matched)::bigint AS already_matched, sum(c.matched)::bigint AS matched,
             sum(c.matched_after_open)::bigint AS matched_after_open,
             sum(c.matched_after_click)::bigint AS matched_after_click, sum(c.worth) AS worth,
             -- Where no delivery is reported, what did not bounce was delivered. The control group was sent nothing.
             CASE WHEN bool_or(v.is_control) THEN 0 WHEN max(c.deliveries_of_message) > 0 THEN sum(c.deliveries)
                  ELSE sum(c.sent) - sum(c.bounced) END::bigint AS delivered,
             sum(c.bounced)::bigint AS bounced, sum(c.complained)::bigint AS complained,
             sum(c.unsubscribed)::bigint AS unsubscribed, sum(c.opened_by_machine)::bigint AS opened_by_machine,
             sum(c.clicked_by_machine)::bigint AS clicked_by_machine
      FROM (SELECT c.*, sum(c.deliveries) FILTER (WHERE c.goal IS NULL) OVER (PARTITION BY c.message) AS deliveries_of_message
            FROM goals_internal.counted c) c
      LEFT JOIN goals.variant v ON v.variant_id = c.variant_id
      CROSS JOIN (SELECT false AS by_variant UNION ALL SELECT true) k
      WHERE (k.by_variant OR v.is_control IS NOT TRUE)
        AND (c.goal IS NOT NULL OR NOT EXISTS (SELECT FROM goals.goal g WHERE g.message_id = c.message_id))
      GROUP BY c.message, c.goal, k.by_variant, CASE WHEN k.by_variant THEN v.name END) s;
COMMENT ON VIEW goals_internal.figures IS
    'The rows of goals.message_stats (by_variant false) and of goals.variant_stats (by_variant true)';

CREATE VIEW goals.message_stats AS
SELECT f.message, f.goal, f.sent, f.opened, f.clicked, f.already_matched, f.matched, f.matched_after_open,
       f.matched_after_click, f.worth, f.goal_rate, f.goal_rate_eligible, f.goal_rate_opened, f.goal_rate_clicked,
       f.delivered, f.bounced, f.complained, f.unsubscribed, f.opened_by_machine, f.clicked_by_machine, f.goal_rate_delivered
FROM goals_internal.figures f
WHERE NOT f.by_variant;
COMMENT ON VIEW goals.message_stats IS
    'The figures of each message and goal over all its versions, control left out; goal NULL for a message without '
    'goals. Rates are fractions, NULL where there is nothing to divide by; worth is 0 without matches';

CREATE VIEW goals.variant_stats AS
SELECT f.message, f.goal, f.variant, f.sent, f.opened, f.clicked, f.already_matched, f.matched, f.matched_after_open,
       f.matched_after_click, f.worth, f.goal_rate, f.goal_rate_eligible, f.goal_rate_opened, f.goal_rate_clicked,
       f.delivered, f.bounced, f.complained, f.unsubscribed, f.opened_by_machine, f.clicked_by_machine, f.goal_rate_delivered
FROM goals_internal.figures f
WHERE f.by_variant;
COMMENT ON VIEW goals.variant_stats IS
    'The figures of goals.message_stats by variant; control is a row of its own, its receipts in the column sent. '
    'variant NULL: receipts of a message without variants';

-- From the records -------------------------------------------------------------------------------------------------

CREATE FUNCTION goals.stats(message text, goal text DEFAULT 'primary', since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL)
RETURNS SETOF goals.stats_row
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    of_goals CONSTANT integer[] := goals_internal.goals_of(of_message);
    at_once CONSTANT timestamptz := clock_timestamp();
    deliveries_are_reported boolean;
BEGIN
    IF stats.goal IS NOT NULL THEN
        PERFORM goals_internal.check_goal(of_message, stats.goal);
    END IF;
    SELECT sum(c.deliveries) > 0 INTO deliveries_are_reported
    FROM goals_internal.counted c WHERE c.message_id = of_message AND c.goal IS NULL;
    RETURN QUERY
    SELECT stats.message, stats.goal, v.name::text, s.sent, s.opened, s.clicked, s.already_matched, s.matched,
           s.matched_after_open, s.matched_after_click, s.worth,
           s.matched::double precision / nullif(s.sent, 0),
           s.matched::double precision / nullif(s.sent - s.already_matched, 0),
           s.matched_after_open::double precision / nullif(s.opened, 0),
           s.matched_after_click::double precision / nullif(s.clicked, 0),
           s.in_progress, s.users_matched,
           d.delivered, s.bounced, s.complained, s.unsubscribed, s.opened_by_machine, s.clicked_by_machine,
           s.matched::double precision / nullif(d.delivered, 0)
    FROM (SELECT c.variant_id, sum(c.sent)::bigint AS sent, sum(c.opened)::bigint AS opened, sum(c.clicked)::bigint AS clicked,
                 sum(c.already_matched)::bigint AS already_matched, sum(c.matched)::bigint AS matched,
                 sum(c.matched_after_open)::bigint AS matched_after_open,
                 sum(c.matched_after_click)::bigint AS matched_after_click, sum(c.worth) AS worth,
                 sum(c.in_progress)::bigint AS in_progress,
                 (count(DISTINCT c.matched_key) + sum(c.users_matched))::bigint AS users_matched,
                 sum(c.deliveries)::bigint AS deliveries, sum(c.bounced)::bigint AS bounced,
                 sum(c.complained)::bigint AS complained, sum(c.unsubscribed)::bigint AS unsubscribed,
                 sum(c.opened_by_machine)::bigint AS opened_by_machine,
                 sum(c.clicked_by_machine)::bigint AS clicked_by_machine
          FROM (SELECT c.variant_id, c.sent, c.opened, c.clicked, c.already_matched, c.matched, c.matched_after_open,
                       c.matched_after_click, c.worth,
                       (c.sent = 1 AND c.matched = 0 AND c.already_matched = 0
                        AND goals_internal.running(c.stopped_at, c.window_closes, at_once))::integer AS in_progress,
                       CASE WHEN c.matched = 1 THEN c.user_key END AS matched_key, 0 AS users_matched,
                       c.deliveries, c.bounced, c.complained, c.unsubscribed, c.opened_by_machine, c.clicked_by_machine
                FROM goals_internal.contribution c
                WHERE NOT c.settled AND c.message_id = of_message AND c.goals_of = ANY (of_goals)
                  AND c.goal IS NOT DISTINCT FROM stats.goal
                  AND (stats.since IS NULL OR c.sent_at >= stats.since) AND (stats.until IS NULL OR c.sent_at < stats.until)
                UNION ALL
                -- Of a forgotten or purged receipt only the day of sending is known.
                SELECT t.variant_id, t.sent, t.opened, t.clicked, t.already_matched, t.matched, t.matched_after_open,
                       t.matched_after_click, t.worth, 0, NULL, t.users_matched,
                       t.deliveries, t.bounced, t.complained, t.unsubscribed, t.opened_by_machine, t.clicked_by_machine
                FROM goals.total t
                WHERE t.layer = 'archived' AND t.message_id = of_message AND t.goal IS NOT DISTINCT FROM stats.goal
                  AND (stats.since IS NULL OR t.day::timestamp AT TIME ZONE 'UTC' >= stats.since)
                  AND (stats.until IS NULL OR t.day::timestamp AT TIME ZONE 'UTC' < stats.until)
                UNION ALL
                SELECT a.variant_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, 0, 0, 0, 0, 0, 0, 0
                FROM goals_internal.arm a WHERE a.message_id = of_message) c
          GROUP BY c.variant_id) s
    LEFT JOIN goals.variant v ON v.variant_id = s.variant_id
    CROSS JOIN LATERAL (SELECT CASE WHEN v.is_control THEN 0 WHEN deliveries_are_reported THEN s.deliveries
                                    ELSE s.sent - s.bounced END AS delivered) d
    ORDER BY v.is_control NULLS FIRST, v.variant_id;
END
$$;
COMMENT ON FUNCTION goals.stats(text, text, timestamptz, timestamptz) IS
    'The figures of a message and goal by variant, for receipts with since <= sent_at < until, counted from the '
    'records; in_progress: unmatched receipts whose time limit is still running; users_matched: distinct users. '
    'Forgotten and purged receipts are counted by their UTC day of sending. goal NULL: the receipts of the message '
    'whatever their goals';

CREATE FUNCTION goals.matches(message text, goal text DEFAULT NULL)
RETURNS SETOF goals.match_row
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
BEGIN
    IF matches.goal IS NOT NULL THEN
        PERFORM goals_internal.check_goal(of_message, matches.goal);
    END IF;
    RETURN QUERY
    SELECT o.receipt_id, o.user_key::text, o.variant::text, o.goal::text, o.sent_at, o.opened_at, o.clicked_at,
           o.matched_at, o.attribute::text, o.event::text, o.old_value, o.new_value, o.worth
    FROM goals.outcome o
    WHERE o.message_id = of_message AND (matches.goal IS NULL OR o.goal = matches.goal) AND o.matched_at IS NOT NULL
    ORDER BY o.matched_at, o.match_id;
END
$$;
COMMENT ON FUNCTION goals.matches(text, text) IS
    'Who matched, when, and by which change: one row per receipt and goal, the control group included; '
    'goal NULL: every goal of the message';
