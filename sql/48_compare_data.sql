-- What compare() compares: users, not receipts.
SET LOCAL search_path = pg_catalog, pg_temp;

-- A user counts once per variant, and has matched if any receipt did. Left out: receipts sent although held out, before
-- anything else; users seen in two variants; of the rest, users whose every receipt was already matched. A receipt still
-- in its window is left out whether or not it has matched: keeping the matched ones alone would favour the quick. A user's
-- worth is that of the user's changes, each once, however many receipts it is a match for. Withdrawn receipts count: only
-- who was to be sent something can fail to get it, so leaving them out would favour the control group or harm it.
CREATE FUNCTION goals_internal.compare_data(message text, goal text DEFAULT 'primary', include_running boolean DEFAULT false)
RETURNS TABLE (variant text, is_control boolean, weight double precision, users bigint, matched bigint, converters_all bigint,
    assigned_users bigint, worth numeric, all_matured boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    of_goals CONSTANT integer[] := goals_internal.goals_of(of_message);
    of_revisions CONSTANT integer[] := goals_internal.revisions_of(of_goals);
    at_once CONSTANT timestamptz := clock_timestamp();
BEGIN
    PERFORM goals_internal.check_goal(of_message, compare_data.goal);
    RETURN QUERY
    WITH arm AS (
        -- Divided by the heaviest first: of weights of 0.1.0 the sum may be beyond the largest number, and the quotient
        -- below the least.
        SELECT a.variant_id, a.name, a.is_control,
               CASE WHEN a.is_control THEN a.weight
                    WHEN a.variant_id IS NULL THEN 1 - coalesce(o.control, 0)
                    ELSE (1 - coalesce(o.control, 0)) * s.share / sum(s.share) FILTER (WHERE NOT a.is_control) OVER ()
               END AS weight
        FROM goals_internal.arm a
        CROSS JOIN (SELECT max(x.weight) FILTER (WHERE NOT x.is_control) AS heaviest,
                           max(x.weight) FILTER (WHERE x.is_control) AS control
                    FROM goals.variant x WHERE x.message_id = goals_internal.arms_of(of_message)) o
        CROSS JOIN LATERAL (SELECT CASE WHEN a.weight < greatest(o.heaviest, 1e-200) * 1e-12 THEN 1e-12
                                        ELSE a.weight / o.heaviest END AS share) s
        WHERE a.message_id = goals_internal.arms_of(of_message)
    ), seen AS MATERIALIZED (
        SELECT c.user_key, c.arm, c.goal IS NOT NULL AND NOT c.already AS eligible, c.matched_at IS NOT NULL AS matched,
               r.running, include_running OR NOT r.running AS judged, c.matched_at, c.cause, c.gain AS worth
        FROM goals_internal.contribution c
        CROSS JOIN LATERAL (SELECT goals_internal.running(c.stopped_at, c.window_closes, at_once) AS running) r
        WHERE NOT c.settled AND NOT c.held_out AND c.superseded <> 1 AND c.message_id = of_message AND c.goals_of = ANY (of_goals)
          AND c.revision_id = ANY (of_revisions)
          AND (c.goal IS NULL OR c.goal = compare_data.goal)
    ), placed AS MATERIALIZED (
        -- A window and no join: the planner does not know how many receipts there are, and would compare each with all.
        SELECT s.*, min(s.arm) OVER of_user AS first_arm, max(s.arm) OVER of_user AS last_arm
        FROM seen s
        WINDOW of_user AS (PARTITION BY s.user_key)
    ), person AS MATERIALIZED (
        SELECT s.user_key, min(s.arm) AS arm,
               bool_or(s.eligible AND s.judged) AS counts, bool_or(s.matched AND s.judged) AS matched,
               bool_or(s.matched) AS converted, bool_or(s.eligible AND s.running) AS running
        FROM placed s
        WHERE s.first_arm = s.last_arm
        GROUP BY s.user_key
    ), gains AS (
        SELECT g.arm, sum(g.worth) AS worth
        FROM (SELECT min(s.arm) AS arm, max(s.worth) AS worth
              FROM placed s
              WHERE s.first_arm = s.last_arm AND s.matched AND s.judged
              GROUP BY s.user_key, s.matched_at, s.cause) g
        GROUP BY g.arm
    ), counted AS (
        SELECT p.arm, count(*) FILTER (WHERE p.counts) AS users, count(*) FILTER (WHERE p.matched) AS matched,
               count(*) FILTER (WHERE p.converted) AS converters_all, count(*) AS assigned_users,
               (SELECT g.worth FROM gains g WHERE g.arm = p.arm) AS worth, NOT bool_or(p.running) AS all_matured
        FROM person p
        GROUP BY p.arm
        UNION ALL
        -- Forgotten and purged people, as they were counted when they left.
        SELECT coalesce(t.variant_id, 0), sum(t.users) FILTER (WHERE t.goal IS NOT NULL),
               sum(t.converters) FILTER (WHERE t.goal IS NOT NULL), sum(t.converters_all) FILTER (WHERE t.goal IS NOT NULL),
               sum(t.users) FILTER (WHERE t.goal IS NULL), sum(t.users_worth) FILTER (WHERE t.goal IS NOT NULL), true
        FROM goals.total t
        WHERE t.layer = 'archived' AND t.message_id = of_message AND (t.goal IS NULL OR t.goal = compare_data.goal)
        GROUP BY t.variant_id
    )
    SELECT a.name::text, a.is_control, a.weight, coalesce(sum(c.users), 0)::bigint,
           -- Who matched both before and after a purge is remembered twice as matched, but not beyond those counted.
           least(coalesce(sum(c.matched), 0), coalesce(sum(c.users), 0))::bigint,
           coalesce(sum(c.converters_all), 0)::bigint,
           -- A control group without any receipt is one that is not recorded.
           CASE WHEN a.is_control
                     AND NOT EXISTS (SELECT FROM seen s WHERE s.arm = a.variant_id)
                     AND NOT EXISTS (SELECT FROM goals.total t WHERE t.layer = 'archived' AND t.message_id = of_message
                                                                 AND t.variant_id = a.variant_id)
                THEN NULL
                ELSE coalesce(sum(c.assigned_users), 0)::bigint END,
           coalesce(sum(c.worth), 0), coalesce(bool_and(c.all_matured), true)
    FROM arm a
    LEFT JOIN counted c ON c.arm = coalesce(a.variant_id, 0)
    GROUP BY a.variant_id, a.name, a.is_control, a.weight
    ORDER BY a.is_control, a.variant_id;
END
$$;
COMMENT ON FUNCTION goals_internal.compare_data(text, text, boolean) IS
    'The users of each variant for goals.compare(): users and matched as they are compared, converters_all with '
    'running receipts too, assigned_users for the test of the split (NULL: a control group without any receipt), '
    'weight as a share of all users. Users seen in two variants are in none, and receipts sent although held out in '
    'none either';
