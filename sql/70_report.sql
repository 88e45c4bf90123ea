-- The report: one message, everything about it, as one HTML page.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals_internal.report_page(figures text) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_report_page';
COMMENT ON FUNCTION goals_internal.report_page(text) IS
    'The HTML page for the figures of goals.report_data(), given as JSON text';

CREATE FUNCTION goals.report_data(message text, goal text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    of_goals CONSTANT integer[] := goals_internal.goals_of(of_message);
    at_once CONSTANT timestamptz := clock_timestamp();
    of_goal text;
    goal_list jsonb;
    arm_list jsonb;
    curve_points jsonb;
    totals jsonb;
    part_list jsonb;
    withdrawn bigint := 0;
    running_included boolean := false;
    has_users boolean;
BEGIN
    -- The goal asked for, else the primary one, else the first.
    SELECT g.name INTO of_goal FROM goals.goal g WHERE g.message_id = ANY (of_goals)
    ORDER BY g.name = coalesce(report_data.goal, 'primary') DESC, g.message_id = of_message DESC, g.goal_id LIMIT 1;
    IF report_data.goal IS NOT NULL THEN
        PERFORM goals_internal.check_goal(of_message, report_data.goal);
    END IF;

    -- From the records of this message, which the comparison reads anyway. The views would first count what is not folded
    -- yet of all messages.
    SELECT jsonb_agg(to_jsonb(s) || jsonb_build_object(
               'name', g.name, 'goal', g.name, 'attribute', g.attribute, 'operator', g.operator, 'value', g.value, 'event', g.event,
               'times', g.times, 'properties', g.properties, 'after', g.after, 'version', g.version,
               'time_limit', g.time_limit_us / 1000000.0, 'stopped', x.stopped_at)
               ORDER BY g.name = of_goal DESC, g.name)
    INTO goal_list
    FROM (SELECT DISTINCT ON (v.name) v.* FROM goals.goal v WHERE v.message_id = ANY (of_goals)
          ORDER BY v.name, v.message_id = of_message DESC, v.version DESC) g
    LEFT JOIN goals.goal_stop x ON x.goal_id = g.goal_id
    CROSS JOIN LATERAL (
        SELECT sum(t.sent) AS sent, sum(t.opened) AS opened, sum(t.clicked) AS clicked,
               sum(t.already_matched) AS already_matched, sum(t.matched) AS matched,
               sum(t.matched_after_open) AS matched_after_open, sum(t.matched_after_click) AS matched_after_click,
               sum(t.worth) AS worth, sum(t.in_progress) AS in_progress, sum(t.delivered) AS delivered,
               sum(t.bounced) AS bounced, sum(t.complained) AS complained, sum(t.unsubscribed) AS unsubscribed,
               sum(t.opened_by_machine) AS opened_by_machine, sum(t.clicked_by_machine) AS clicked_by_machine
        FROM goals.stats(message, g.name) t
        WHERE t.variant IS DISTINCT FROM 'control') s
    -- Goals of a message that this one is like, which its own have replaced, where receipts were made under them.
    WHERE g.message_id = of_message OR s.sent > 0 OR NOT EXISTS (SELECT FROM goals.goal o WHERE o.message_id = of_message);

    IF of_goal IS NOT NULL THEN
        -- Until the first time limit has passed no receipt can be compared. Then all are, as far as they have come. The
        -- verdict is the same either way: while a time limit runs it is that of the anytime test.
        FOR running_included IN SELECT false UNION ALL SELECT true LOOP
            SELECT jsonb_agg(to_jsonb(c) || jsonb_build_object('is_control', coalesce(c.variant = 'control', false))),
                   coalesce(sum(c.users), 0) > 0
            INTO arm_list, has_users
            FROM goals.compare(message, of_goal, include_running => running_included) c;
            EXIT WHEN has_users OR coalesce(goal_list #>> '{0,in_progress}', '0') = '0'
                            AND coalesce(goal_list #>> '{0,matched}', '0') = '0';
        END LOOP;

        -- How many of the receipts that could match had matched by the end of each day since sending. As in compare(),
        -- receipts sent although held out are left out, and those whose time limit still runs: some of the days are still to
        -- come for them. Until the first time limit has passed, all are taken. Withdrawn receipts count, as in compare().
        WITH eligible AS MATERIALIZED (
            SELECT e.* FROM goals_internal.eligible_by_age(of_message, of_goal, at_once) e
        ), counted AS (
            -- An open may be reported with a time before the sending; so may a match after it.
            SELECT e.variant_id, CASE WHEN e.age IS NOT NULL THEN greatest(e.age, 0) + 1 END AS matched_day, sum(e.receipts) AS receipts, max(e.oldest) AS oldest
            FROM eligible e
            WHERE NOT e.running OR NOT EXISTS (SELECT FROM eligible o WHERE NOT o.running AND o.receipts > 0)
            GROUP BY e.variant_id, CASE WHEN e.age IS NOT NULL THEN greatest(e.age, 0) + 1 END
            HAVING sum(e.receipts) <> 0
        ), span AS (
            -- After the time limit nothing is added, except where the limit begins with an open or click.
            SELECT c.variant_id, sum(c.receipts) AS receipts, l.days AS limit_days,
                   least(max(c.oldest), greatest(max(c.matched_day), l.days)) AS days
            FROM counted c
            CROSS JOIN (SELECT ceil(max(g.time_limit_us) / 86400000000.0)::bigint AS days FROM goals.goal g
                        WHERE g.message_id = ANY (of_goals) AND g.name = of_goal) l
            GROUP BY c.variant_id, l.days
        ), day AS (
            -- Every day up to the time limit. Later days only where something is added, and the day before: receipts may be
            -- very old.
            SELECT generate_series(1, least(max(s.days), max(s.limit_days))) AS day FROM span s
            UNION
            SELECT x.day FROM counted c CROSS JOIN LATERAL (VALUES (c.matched_day - 1), (c.matched_day)) AS x (day)
            UNION
            SELECT s.days FROM span s
        )
        SELECT jsonb_agg(jsonb_build_object('variant', v.name, 'is_control', coalesce(v.is_control, false), 'day', d.day,
                   'matched_cumulative', d.matched, 'eligible', d.receipts)
                   ORDER BY v.is_control NULLS FIRST, v.variant_id, d.day),
               (SELECT sum(e.withdrawn) FROM eligible e)
        INTO curve_points, withdrawn
        FROM (SELECT s.variant_id, s.receipts, x.day,
                     sum(coalesce(c.receipts, 0)) OVER (PARTITION BY s.variant_id ORDER BY x.day) AS matched
              FROM span s
              JOIN day x ON x.day BETWEEN 1 AND s.days
              LEFT JOIN counted c ON c.variant_id IS NOT DISTINCT FROM s.variant_id AND c.matched_day = x.day) d
        LEFT JOIN goals.variant v ON v.variant_id = d.variant_id;
    END IF;

    SELECT jsonb_build_object(
               'sent', coalesce(sum(t.sent) FILTER (WHERE NOT t.is_control), 0), 'opened', coalesce(sum(t.opened), 0),
               'clicked', coalesce(sum(t.clicked), 0), 'control', coalesce(sum(t.sent) FILTER (WHERE t.is_control), 0),
               'delivered', coalesce(sum(t.delivered), 0), 'deliveries_reported',
               (SELECT f.deliveries_reported FROM goals_internal.message_figures f WHERE f.message_id = of_message),
               'bounced', coalesce(sum(t.bounced) FILTER (WHERE NOT t.is_control), 0),
               'complained', coalesce(sum(t.complained) FILTER (WHERE NOT t.is_control), 0),
               'unsubscribed', coalesce(sum(t.unsubscribed) FILTER (WHERE NOT t.is_control), 0),
               'opened_by_machine', coalesce(sum(t.opened_by_machine) FILTER (WHERE NOT t.is_control), 0),
               'clicked_by_machine', coalesce(sum(t.clicked_by_machine) FILTER (WHERE NOT t.is_control), 0))
    INTO totals
    FROM (SELECT s.*, s.variant IS NOT DISTINCT FROM 'control' AS is_control FROM goals.stats(message, NULL) s) t;

    -- The messages of a programme.
    IF EXISTS (SELECT FROM goals.message m WHERE m.message_id = of_message AND m.kind = 'programme') THEN
        SELECT jsonb_agg(jsonb_build_object(
                   'name', goals_internal.name_of(m.message_id), 'kind', m.kind, 'sent', f.sent, 'delivered', f.delivered, 'opened', f.opened,
                   'clicked', f.clicked, 'matched', f.matched) ORDER BY m.message_id)
        INTO part_list
        FROM goals_internal.message_figures f
        JOIN goals.message m ON m.message_id = f.message_id
        WHERE f.message_id = ANY (array(SELECT p.message_id FROM goals.message p
                                        WHERE p.parent_id = of_message AND p.dropped_at IS NULL));
    END IF;

    RETURN (SELECT jsonb_build_object(
                'message', jsonb_build_object('name', goals_internal.name_of(m.message_id), 'kind', m.kind,
                                              'channel', coalesce(m.channel, l.channel),
                                              'created_at', m.created_at, 'part_of', p.name),
                'as_of', at_once, 'goal', of_goal, 'confidence', 0.95,
                'running_included', running_included, 'goals', goal_list, 'totals', totals, 'withdrawn', coalesce(withdrawn, 0),
                'variants', arm_list, 'curve', curve_points, 'parts', part_list)
            FROM goals.message m
            LEFT JOIN goals.message l ON l.message_id = m.like_message_id
            LEFT JOIN goals.message p ON p.message_id = m.parent_id AND p.dropped_at IS NULL
            WHERE m.message_id = of_message);
END
$$;
COMMENT ON FUNCTION goals.report_data(text, text) IS 'Every figure of a message''s report as one jsonb, for pages of your own';

CREATE FUNCTION goals.report(message text, goal text DEFAULT NULL)
RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT goals_internal.report_page(goals.report_data($1, $2)::text) $$;
COMMENT ON FUNCTION goals.report(text, text) IS 'A message''s report as one self-contained HTML page';
