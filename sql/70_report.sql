-- The report: one message, everything about it, as one HTML page.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals.report_page(figures text) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_report_page';
COMMENT ON FUNCTION goals.report_page(text) IS 'Internal. The HTML page for the figures that goals.report_data() gathers, as JSON text';

CREATE FUNCTION goals.report_data(message text, goal text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals.known_message(message);
    of_goal text;
    goal_list jsonb;
    arm_list jsonb;
    curve_points jsonb;
    totals jsonb;
BEGIN
    -- The goal asked for, else the primary one, else the first.
    SELECT g.name INTO of_goal FROM goals.goal g WHERE g.message_id = of_message
    ORDER BY g.name = coalesce(report_data.goal, 'primary') DESC, g.goal_id LIMIT 1;
    IF report_data.goal IS NOT NULL THEN
        PERFORM goals.check_goal(of_message, report_data.goal);
    END IF;

    SELECT jsonb_agg(to_jsonb(s) - 'message' || jsonb_build_object(
               'name', s.goal, 'attribute', g.attribute, 'operator', g.operator, 'value', g.value, 'event', g.event,
               'times', g.times, 'properties', g.properties, 'after', g.after, 'version', g.version,
               'time_limit', g.time_limit_us / 1000000.0, 'stopped', x.stopped_at,
               'in_progress', (SELECT sum(t.in_progress) FROM goals.stats(message, s.goal) t
                               WHERE t.variant IS DISTINCT FROM 'control'))
               ORDER BY s.goal = of_goal DESC, s.goal)
    INTO goal_list
    FROM goals.message_stats s
    CROSS JOIN LATERAL (SELECT * FROM goals.goal v WHERE v.message_id = of_message AND v.name = s.goal
                        ORDER BY v.version DESC LIMIT 1) g
    LEFT JOIN goals.goal_stop x ON x.goal_id = g.goal_id
    WHERE s.message = report_data.message;

    IF of_goal IS NOT NULL THEN
        SELECT jsonb_agg(to_jsonb(c) || jsonb_build_object('is_control', coalesce(c.variant = 'control', false)))
        INTO arm_list FROM goals.compare(message, of_goal) c;

        -- Within k days of sending: a running sum; the denominator is everybody who could still match.
        SELECT jsonb_agg(jsonb_build_object('variant', d.variant, 'is_control', coalesce(d.variant = 'control', false),
                   'day', d.days + 1, 'matched_cumulative', d.matched_so_far, 'eligible', d.eligible)
                   ORDER BY d.variant, d.days)
        INTO curve_points
        FROM (SELECT s.variant, s.days, sum(s.matched) OVER (PARTITION BY s.variant ORDER BY s.days) AS matched_so_far,
                     e.eligible
              FROM goals.daily_since_sending(message, of_goal) s
              JOIN (SELECT v.variant, v.sent - v.already_matched AS eligible FROM goals.variant_stats v
                    WHERE v.message = report_data.message AND v.goal = of_goal) e
                ON e.variant IS NOT DISTINCT FROM s.variant
              WHERE s.days >= 0) d;
    END IF;

    SELECT jsonb_build_object(
               'sent', coalesce(sum(w.sent) FILTER (WHERE NOT w.control), 0), 'opened', coalesce(sum(w.opened), 0),
               'clicked', coalesce(sum(w.clicked), 0), 'control', coalesce(sum(w.sent) FILTER (WHERE w.control), 0))
    INTO totals
    FROM (SELECT t.sent, t.opened, t.clicked, coalesce(v.is_control, false) AS control
          FROM goals.counted t LEFT JOIN goals.variant v ON v.variant_id = t.variant_id
          WHERE t.message_id = of_message AND t.goal IS NULL) w;

    RETURN (SELECT jsonb_build_object(
                'message', jsonb_build_object('name', m.name, 'kind', m.kind, 'channel', m.channel, 'created_at', m.created_at),
                'as_of', clock_timestamp(), 'goal', of_goal, 'confidence', 0.95, 'goals', goal_list, 'totals', totals,
                'variants', arm_list, 'curve', curve_points)
            FROM goals.message m WHERE m.message_id = of_message);
END
$$;
COMMENT ON FUNCTION goals.report_data(text, text) IS 'Every figure of a message''s report as one jsonb, for pages of your own';

CREATE FUNCTION goals.report(message text, goal text DEFAULT NULL)
RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT goals.report_page(goals.report_data($1, $2)::text) $$;
COMMENT ON FUNCTION goals.report(text, text) IS 'A message''s report as one self-contained HTML page';
