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
        -- A row of a campaigns table: the first that has this name.
        SELECT m.message_id INTO found_id
        FROM goals.message_name n
        JOIN goals.message m ON m.message_id = n.message_id AND m.dropped_at IS NULL
        WHERE n.name = message
          AND NOT EXISTS (SELECT FROM goals.message_name l
                          WHERE l.message_id = n.message_id AND l.message_name_id > n.message_name_id)
        ORDER BY m.message_id
        LIMIT 1;
    END IF;
    IF found_id IS NULL AND message LIKE '% (%)' THEN
        SELECT c.message_id INTO found_id FROM goals_internal.campaign c WHERE c.name = message ORDER BY c.message_id LIMIT 1;
    END IF;
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
    IF EXISTS (SELECT FROM goals.goal g
               WHERE g.message_id = ANY (goals_internal.goals_of(of_message)) AND g.name = goal) THEN
        RETURN;
    ELSIF goal IS NULL THEN
        PERFORM goals_internal.raise('null_argument', 'goal');
    END IF;
    named := array[goals_internal.name_of(of_message), goal]
             || array(SELECT DISTINCT g.name FROM goals.goal g
                      WHERE g.message_id = ANY (goals_internal.goals_of(of_message)));
    PERFORM goals_internal.raise('unknown_goal', VARIADIC named);
END
$$;
COMMENT ON FUNCTION goals_internal.check_goal(integer, text) IS
    'An unknown goal of a message is an error with the nearest name';

-- Views ------------------------------------------------------------------------------------------------------------

-- A control group without variants stands beside the receipts of no variant. Rows of a campaigns table have those of
-- another message (arms_of).
CREATE VIEW goals_internal.arm AS
SELECT v.message_id, v.variant_id, v.name, v.is_control, v.weight
FROM goals.variant v
UNION ALL
SELECT m.message_id, NULL, NULL, false, NULL
FROM goals.message m
WHERE m.row_key IS NULL
  AND NOT EXISTS (SELECT FROM goals.variant v WHERE v.message_id = m.message_id AND NOT v.is_control);
COMMENT ON VIEW goals_internal.arm IS
    'The groups a message divides its users into: its variants and control group; variant_id NULL: the users of no '
    'variant';

-- The totals of one message are found by its name; of the tail the sums arrive as a few rows. The names of campaigns are
-- worked out once for the three branches.
CREATE VIEW goals_internal.counted AS
WITH campaign AS MATERIALIZED (
    SELECT c.message_id, c.name, c.goals_from, c.arms_of FROM goals_internal.campaign c
)
SELECT m.name AS message, t.message_id, t.goal, t.variant_id, t.sent, t.opened, t.clicked, t.already_matched, t.matched,
       t.matched_after_open, t.matched_after_click, t.worth,
       t.deliveries, t.bounced, t.complained, t.unsubscribed, t.opened_by_machine, t.clicked_by_machine
FROM goals.total t
JOIN (SELECT m.message_id, m.name FROM goals.message m WHERE m.source_id IS NULL AND m.dropped_at IS NULL
      UNION ALL SELECT c.message_id, c.name FROM campaign c) m ON m.message_id = t.message_id
UNION ALL
SELECT m.name, t.message_id, t.goal, t.variant_id, t.sent, t.opened, t.clicked, t.already_matched, t.matched,
       t.matched_after_open, t.matched_after_click, t.worth,
       t.deliveries, t.bounced, t.complained, t.unsubscribed, t.opened_by_machine, t.clicked_by_machine
FROM goals.tail_sums() t
JOIN (SELECT m.message_id, m.name FROM goals.message m WHERE m.source_id IS NULL AND m.dropped_at IS NULL
      UNION ALL SELECT c.message_id, c.name FROM campaign c) m ON m.message_id = t.message_id
UNION ALL
-- What has not been sent yet shows as zeros. (The first version of a goal stands for its name.)
SELECT m.name, m.message_id, g.name, a.variant_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
FROM (SELECT m.message_id, m.name, m.message_id AS goals_from, m.message_id AS arms_of
      FROM goals.message m WHERE m.source_id IS NULL AND m.dropped_at IS NULL
      UNION ALL SELECT c.message_id, c.name, c.goals_from, c.arms_of FROM campaign c) m
JOIN goals_internal.arm a ON a.message_id = m.arms_of
LEFT JOIN goals.goal g ON g.message_id = m.goals_from AND g.version = 1;
COMMENT ON VIEW goals_internal.counted IS
    'Rows whose sums are the figures at this moment: archived and rolled totals, what lies past the watermark, and '
    'zeros';

-- A message with goals shows them; one without shows its receipts, goal NULL. Each row counts twice: for its message,
-- where it is not of the control group, and for its variant. Which of the two a query wants is known when it is
-- planned.
CREATE VIEW goals_internal.figures AS
SELECT s.message, s.message_id, s.goal, s.by_variant, s.variant, s.sent, s.opened, s.clicked, s.already_matched, s.matched,
       s.matched_after_open, s.matched_after_click, s.worth,
       s.matched::double precision / nullif(s.sent, 0) AS goal_rate,
       s.matched::double precision / nullif(s.sent - s.already_matched, 0) AS goal_rate_eligible,
       s.matched_after_open::double precision / nullif(s.opened, 0) AS goal_rate_opened,
       s.matched_after_click::double precision / nullif(s.clicked, 0) AS goal_rate_clicked,
       s.delivered, s.bounced, s.complained, s.unsubscribed, s.opened_by_machine, s.clicked_by_machine,
       s.matched::double precision / nullif(s.delivered, 0) AS goal_rate_delivered
FROM (SELECT c.message, c.message_id, c.goal, k.by_variant, CASE WHEN k.by_variant THEN v.name END AS variant,
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
      FROM (SELECT c.*, sum(c.deliveries) FILTER (WHERE c.goal IS NULL) OVER of_message AS deliveries_of_message,
                   bool_or(c.goal IS NOT NULL) OVER of_message AS has_goals
            FROM goals_internal.counted c
            WINDOW of_message AS (PARTITION BY c.message, c.message_id)) c
      LEFT JOIN goals.variant v ON v.variant_id = c.variant_id
      CROSS JOIN (SELECT false AS by_variant UNION ALL SELECT true) k
      WHERE (k.by_variant OR v.is_control IS NOT TRUE)
        AND (c.goal IS NOT NULL OR NOT c.has_goals)
      GROUP BY c.message, c.message_id, c.goal, k.by_variant, CASE WHEN k.by_variant THEN v.name END) s;
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
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    at_once CONSTANT timestamptz := clock_timestamp();
BEGIN
    IF stats.goal IS NOT NULL THEN
        PERFORM goals_internal.check_goal(of_message, stats.goal);
    END IF;
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
                 sum(c.in_progress)::bigint AS in_progress, sum(c.users_matched)::bigint AS users_matched,
                 sum(c.deliveries)::bigint AS deliveries, sum(c.bounced)::bigint AS bounced,
                 sum(c.complained)::bigint AS complained, sum(c.unsubscribed)::bigint AS unsubscribed,
                 sum(c.opened_by_machine)::bigint AS opened_by_machine,
                 sum(c.clicked_by_machine)::bigint AS clicked_by_machine,
                 bool_or(bool_or(c.deliveries_reported)) OVER () AS deliveries_reported
          FROM (SELECT nullif(c.variant_id, 0) AS variant_id, c.sent, c.opened, c.clicked, c.already_matched, c.matched,
                       c.matched_after_open, c.matched_after_click, c.worth, c.in_progress, c.users_matched, c.deliveries,
                       c.bounced, c.complained, c.unsubscribed, c.opened_by_machine, c.clicked_by_machine, c.deliveries_reported,
                       c.has_receipts AS is_shown
                FROM goals_internal.period_sums(of_message, stats.goal, at_once, stats.since, stats.until) c
                UNION ALL
                -- Of a forgotten or purged receipt only the day of sending is known.
                SELECT t.variant_id, t.sent, t.opened, t.clicked, t.already_matched, t.matched, t.matched_after_open,
                       t.matched_after_click, t.worth, 0, t.users_matched,
                       t.deliveries, t.bounced, t.complained, t.unsubscribed, t.opened_by_machine, t.clicked_by_machine, false, true
                FROM goals.total t
                WHERE t.layer = 'archived' AND t.message_id = of_message AND t.goal IS NOT DISTINCT FROM stats.goal
                  AND (stats.since IS NULL OR t.day::timestamp AT TIME ZONE 'UTC' >= stats.since)
                  AND (stats.until IS NULL OR t.day::timestamp AT TIME ZONE 'UTC' < stats.until)
                UNION ALL
                SELECT a.variant_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, false, true
                FROM goals_internal.arm a WHERE a.message_id = goals_internal.arms_of(of_message)) c
          GROUP BY c.variant_id
          HAVING bool_or(c.is_shown)) s
    LEFT JOIN goals.variant v ON v.variant_id = s.variant_id
    CROSS JOIN LATERAL (SELECT CASE WHEN v.is_control THEN 0 WHEN s.deliveries_reported THEN s.deliveries
                                    ELSE s.sent - s.bounced END AS delivered) d
    ORDER BY v.is_control NULLS FIRST, v.variant_id;
END
$$;
COMMENT ON FUNCTION goals.stats(text, text, timestamptz, timestamptz) IS
    'The figures of a message and goal by variant, for receipts with since <= sent_at < until: whole UTC days from '
    'totals, parts of a day from the records; in_progress: unmatched receipts whose time limit is still running; '
    'users_matched: distinct users. '
    'Forgotten and purged receipts are counted by their UTC day of sending. goal NULL: the receipts of the message '
    'whatever their goals';

-- The matches of goals with since <= matched_at < until, by the definition of goals_internal.ledger, read from the
-- match log: that is for many receipts, the ledger for few. once: ids of goals whose first hit is the match; later: of
-- those whose n-th hit is. As the parameters are constants where this is put into the query that calls it, what is NULL
-- is not asked for, and a part that has no goal is not run.
CREATE FUNCTION goals_internal.matched(once integer[], later integer[], of_revisions integer[], since timestamptz,
    until timestamptz)
RETURNS TABLE (receipt_id bigint, users_source_id integer, user_key text, variant_id integer, message_id integer,
    goals_of integer, goal_id integer, sent_at timestamptz, opened_at timestamptz, clicked_at timestamptz,
    match_id bigint, matched_at timestamptz, old_value jsonb, new_value jsonb, worth numeric, cause_ref bigint)
LANGUAGE sql STABLE
BEGIN ATOMIC
    WITH matched AS MATERIALIZED (
        SELECT r.receipt_id, r.users_source_id, r.user_key, r.variant_id,
               coalesce(r.message_id, v.message_id) AS message_id, v.message_id AS goals_of, h.goal_id, r.sent_at,
               r.flags, h.match_id, h.matched_at, h.old_value, h.new_value, h.worth, h.cause_ref
        FROM (SELECT h.receipt_id, h.goal_id, h.match_id, h.matched_at, h.old_value, h.new_value, h.worth, h.cause_ref
              FROM goals.match_log h
              WHERE cardinality(once) > 0 AND h.goal_id = ANY (once)
                AND (since IS NULL OR h.matched_at >= since) AND (until IS NULL OR h.matched_at < until)
                AND NOT EXISTS (SELECT FROM goals.match_log e
                                WHERE e.receipt_id = h.receipt_id AND e.goal_id = h.goal_id AND e.goal_id = ANY (once)
                                  AND (e.matched_at, e.match_id) < (h.matched_at, h.match_id))
              UNION ALL
              SELECT t.receipt_id, t.goal_id, h.match_id, h.matched_at, h.old_value, h.new_value, h.worth, h.cause_ref
              FROM (SELECT DISTINCT h.receipt_id, h.goal_id
                    FROM goals.match_log h
                    WHERE cardinality(later) > 0 AND h.goal_id = ANY (later)
                      AND (since IS NULL OR h.matched_at >= since) AND (until IS NULL OR h.matched_at < until)) t
              JOIN goals.goal g ON g.goal_id = t.goal_id
              CROSS JOIN LATERAL (
                  SELECT h.match_id, h.matched_at, h.old_value, h.new_value, h.worth, h.cause_ref
                  FROM goals.match_log h
                  WHERE h.receipt_id = t.receipt_id AND h.goal_id = t.goal_id
                  ORDER BY h.matched_at, h.match_id
                  OFFSET g.times - 1 LIMIT 1) h
              WHERE (since IS NULL OR h.matched_at >= since) AND (until IS NULL OR h.matched_at < until)) h
        JOIN goals.receipt r ON r.receipt_id = h.receipt_id
        JOIN goals.revision v ON v.revision_id = r.revision_id
        -- A hit of a goal that does not judge the receipt, or that held already, is none. (Asked with <>, as in the
        -- ledger: the planner takes it that most rows are not equal.)
        WHERE CASE WHEN h.goal_id = ANY (v.goal_ids) THEN 1 ELSE 0 END <> 0
          AND CASE WHEN h.goal_id = ANY (r.already) THEN 1 ELSE 0 END <> 1
          AND (of_revisions IS NULL OR r.revision_id = ANY (of_revisions))
    ), engaged AS (
        SELECT e.receipt_id,
               min(e.at) FILTER (WHERE e.kind IN ('o', 'c') AND e.machine IS NOT TRUE) AS opened_at,
               min(e.at) FILTER (WHERE e.kind = 'c' AND e.machine IS NOT TRUE) AS clicked_at,
               bool_or(e.kind IN ('w', 'm')) AS left_out
        -- Some twice, where a receipt has matched several goals: that changes none of these.
        FROM matched m
        JOIN goals.engagement e ON e.receipt_id = m.receipt_id
        GROUP BY e.receipt_id
    )
    SELECT m.receipt_id, m.users_source_id,
           CASE WHEN EXISTS (SELECT FROM goals.hand_over)
                THEN coalesce((SELECT o.into_key FROM goals.hand_over o
                               WHERE o.users_source_id = m.users_source_id AND o.from_key = m.user_key
                                 AND o.receipt_id >= m.receipt_id
                               ORDER BY o.receipt_id, o.hand_over_id DESC LIMIT 1), m.user_key)
                ELSE m.user_key END,
           m.variant_id, m.message_id, m.goals_of, m.goal_id, m.sent_at, e.opened_at, e.clicked_at, m.match_id,
           m.matched_at, m.old_value, m.new_value, m.worth, m.cause_ref
    FROM matched m
    LEFT JOIN engaged e ON e.receipt_id = m.receipt_id
    WHERE CASE WHEN e.left_out THEN 1
               -- Of a person's entries into a programme the first counts.
               WHEN m.flags & 2 = 2
               THEN (SELECT count(x.other_id)
                     FROM (SELECT x.other_id FROM goals_internal.entry_of_same x
                           WHERE x.receipt_id = m.receipt_id AND x.is_earlier LIMIT 1) x)
               ELSE 0 END <> 1;
END;
COMMENT ON FUNCTION goals_internal.matched(integer[], integer[], integer[], timestamptz, timestamptz) IS
    'The matches of a period, from the match log; put into the query that calls it';

CREATE FUNCTION goals.matches(message text, goal text DEFAULT NULL, since timestamptz DEFAULT NULL,
    until timestamptz DEFAULT NULL, newest integer DEFAULT NULL)
RETURNS SETOF goals.match_row
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    of_goals CONSTANT integer[] := goals_internal.goals_of(of_message);
    of_revisions CONSTANT integer[] := goals_internal.revisions_of(of_goals);
    -- Far from the earliest time there is.
    latest CONSTANT timestamptz := greatest(coalesce(until, clock_timestamp()), '0001-01-01 00:00:00+00');
    -- Of a message with fewer receipts than this each is looked up; that is quicker than reading the whole match log.
    few CONSTANT bigint := greatest(1000, pg_relation_size('goals.match_log') / 5000);
    receipts CONSTANT bigint := (SELECT count(*)
                                 FROM (SELECT FROM goals.receipt r
                                       WHERE r.revision_id = ANY (of_revisions) LIMIT few) r);
    all_goals integer[];
    once integer[];
    later integer[];
    seconds double precision := 1;
    lower timestamptz;
    wanted bigint := newest;
    cut timestamptz;
    is_cut boolean := false;
BEGIN
    IF matches.goal IS NOT NULL THEN
        PERFORM goals_internal.check_goal(of_message, matches.goal);
    END IF;
    IF newest < 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('newest must not be negative, but is %s', newest),
            HINT = 'Pass how many matches to return, or leave it out for all.';
    END IF;
    SELECT array_agg(g.goal_id), array_agg(g.goal_id) FILTER (WHERE g.times = 1),
           array_agg(g.goal_id) FILTER (WHERE g.times > 1)
    INTO all_goals, once, later
    FROM goals.goal g
    WHERE g.message_id = ANY (of_goals) AND (matches.goal IS NULL OR g.name = matches.goal);

    -- The newest are looked for in longer and longer periods: that many hits, and if too few of them are matches, more.
    WHILE newest > 0 AND receipts >= 1000 LOOP
        lower := CASE WHEN seconds < 1e9 THEN latest - seconds * interval '1 second' ELSE '-infinity' END;
        SELECT h.matched_at INTO cut
        FROM goals.match_log h
        WHERE h.goal_id = ANY (all_goals) AND h.matched_at >= greatest(lower, matches.since)
          AND (matches.until IS NULL OR h.matched_at < matches.until)
        ORDER BY h.matched_at DESC
        OFFSET wanted - 1 LIMIT 1;
        IF FOUND THEN
            SELECT count(*) = newest INTO is_cut
            FROM (SELECT FROM goals_internal.matched(once, later, of_revisions, cut, matches.until) c
                  WHERE c.message_id = of_message LIMIT newest) c;
            EXIT WHEN is_cut;
            wanted := wanted * 4;
        ELSE
            EXIT WHEN lower <= coalesce(matches.since, '-infinity');
            seconds := seconds * 10;
        END IF;
    END LOOP;

    IF receipts < few AND NOT is_cut THEN
        RETURN QUERY
        SELECT o.receipt_id, o.user_key::text, v.name::text, o.goal::text, o.sent_at, o.opened_at, o.clicked_at,
               o.matched_at, o.attribute::text, o.event::text, o.old_value, o.new_value, o.worth
        FROM (SELECT o.*
              FROM goals_internal.ledger o
              -- As in goals.outcome.
              WHERE o.message_id = of_message AND o.goals_of = ANY (of_goals) AND o.revision_id = ANY (of_revisions)
                AND (matches.goal IS NULL OR o.goal = matches.goal) AND o.goal_id IS NOT NULL
                AND o.matched_at IS NOT NULL
                AND (matches.since IS NULL OR o.matched_at >= matches.since)
                AND (matches.until IS NULL OR o.matched_at < matches.until)
                AND o.had & 64 <> 64 AND o.had & 128 <> 128 AND CASE WHEN o.superseded_by IS NULL THEN 0 ELSE 1 END <> 1
              ORDER BY CASE WHEN newest IS NOT NULL THEN o.matched_at END DESC,
                       CASE WHEN newest IS NOT NULL THEN o.match_id END DESC
              LIMIT newest) o
        LEFT JOIN goals.variant v ON v.variant_id = o.variant_id
        ORDER BY o.matched_at, o.match_id;
    ELSE
        RETURN QUERY
        SELECT o.receipt_id, o.user_key::text, v.name::text, g.name::text, o.sent_at, o.opened_at, o.clicked_at,
               o.matched_at, g.attribute::text, g.event::text, o.old_value, o.new_value, o.worth
        FROM (SELECT o.*
              FROM goals_internal.matched(once, later, of_revisions, CASE WHEN is_cut THEN cut ELSE matches.since END,
                                          matches.until) o
              WHERE o.message_id = of_message
              ORDER BY CASE WHEN newest IS NOT NULL THEN o.matched_at END DESC,
                       CASE WHEN newest IS NOT NULL THEN o.match_id END DESC
              LIMIT newest) o
        JOIN goals.goal g ON g.goal_id = o.goal_id
        LEFT JOIN goals.variant v ON v.variant_id = o.variant_id
        ORDER BY o.matched_at, o.match_id;
    END IF;
END
$$;
COMMENT ON FUNCTION goals.matches(text, text, timestamptz, timestamptz, integer) IS
    'Who matched, when, and by which change: one row per receipt and goal, the control group included; goal NULL: '
    'every goal of the message; since <= matched_at < until; newest: that many of the newest';
