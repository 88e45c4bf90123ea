-- What compare() compares: users, not receipts.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The rules are those of goals_internal.people_change(). A receipt still in its time limit is left out whether or not it has
-- matched: keeping the matched ones alone would favour the quick.
CREATE FUNCTION goals_internal.compare_data(message text, goal text DEFAULT 'primary', include_running boolean DEFAULT false)
RETURNS TABLE (variant text, is_control boolean, weight double precision, users bigint, matched bigint, converters_all bigint,
    assigned_users bigint, worth numeric, all_matured boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
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
    ), read AS MATERIALIZED (
        SELECT * FROM goals_internal.period_sums(of_message, compare_data.goal, at_once, distinct_users => false)
    ), counted AS (
        SELECT r.variant_id AS arm, CASE WHEN include_running THEN r.users ELSE r.mature_users END AS users,
               CASE WHEN include_running THEN r.converters ELSE r.mature_converters END AS matched,
               r.converters AS converters_all, r.assigned AS assigned_users,
               CASE WHEN include_running THEN r.users_worth ELSE r.mature_worth END AS worth, r.running = 0 AS all_matured
        FROM read r
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
                     AND NOT EXISTS (SELECT FROM read r WHERE r.variant_id = a.variant_id AND r.compared > 0)
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
