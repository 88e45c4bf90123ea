-- The report: one message, everything about it, as one HTML page.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals.report_page(figures text) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_report_page';
COMMENT ON FUNCTION goals.report_page(text) IS 'Internal. The HTML page for the figures that goals.report_data() gathers, as JSON text';

CREATE FUNCTION goals.report_data(message text, goal text DEFAULT NULL)
RETURNS jsonb
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals.known_message(message);
    at_once CONSTANT timestamptz := clock_timestamp();
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

    -- From the records of this message, which the comparison reads anyway: the views would first count the tail of all messages.
    SELECT jsonb_agg(to_jsonb(s) || jsonb_build_object(
               'name', g.name, 'goal', g.name, 'attribute', g.attribute, 'operator', g.operator, 'value', g.value, 'event', g.event,
               'times', g.times, 'properties', g.properties, 'after', g.after, 'version', g.version,
               'time_limit', g.time_limit_us / 1000000.0, 'stopped', x.stopped_at)
               ORDER BY g.name = of_goal DESC, g.name)
    INTO goal_list
    FROM (SELECT DISTINCT ON (v.name) v.* FROM goals.goal v WHERE v.message_id = of_message
          ORDER BY v.name, v.version DESC) g
    LEFT JOIN goals.goal_stop x ON x.goal_id = g.goal_id
    CROSS JOIN LATERAL (
        SELECT sum(t.sent) AS sent, sum(t.opened) AS opened, sum(t.clicked) AS clicked,
               sum(t.already_matched) AS already_matched, sum(t.matched) AS matched,
               sum(t.matched_after_open) AS matched_after_open, sum(t.matched_after_click) AS matched_after_click,
               sum(t.worth) AS worth, sum(t.in_progress) AS in_progress
        FROM goals.stats(message, g.name) t
        WHERE t.variant IS DISTINCT FROM 'control') s;

    IF of_goal IS NOT NULL THEN
        SELECT jsonb_agg(to_jsonb(c) || jsonb_build_object('is_control', coalesce(c.variant = 'control', false)))
        INTO arm_list FROM goals.compare(message, of_goal) c;

        -- By the end of each day since sending, for the days somebody has lived through. Of those who lived through the day
        -- and had not matched before it, a share did; the shares multiply (Kaplan and Meier), so that whom it was sent to
        -- lately does not press the curve down. Where all have matured it is simply matched / eligible.
        WITH limits AS (
            -- Nothing is added after the time limit, except where it begins with an open or click.
            SELECT ceil(max(g.time_limit_us) / 86400000000.0)::bigint AS days
            FROM goals.goal g WHERE g.message_id = of_message AND g.name = of_goal
        ), lived AS (
            SELECT c.variant_id, floor(extract(epoch FROM least(at_once, c.stopped_at) - c.sent_at) / 86400)::bigint AS age,
                   floor(extract(epoch FROM c.matched_at - c.sent_at) / 86400)::bigint AS matched_day
            FROM goals.contribution c
            WHERE NOT c.settled AND c.message_id = of_message AND c.goal = of_goal AND c.already_matched = 0
        ), counted AS (
            -- days: how many whole ones it was seen through; with matched, the last is the one it matched on.
            SELECT l.variant_id, least(l.age, l.matched_day + 1) AS days, count(*) AS receipts,
                   count(*) FILTER (WHERE l.matched_day < l.age) AS matched
            FROM lived l GROUP BY l.variant_id, least(l.age, l.matched_day + 1)
        ), span AS (
            SELECT c.variant_id, sum(c.receipts) AS eligible,
                   least(max(c.days), greatest(max(c.days) FILTER (WHERE c.matched > 0), (SELECT days FROM limits))) AS days
            FROM counted c GROUP BY c.variant_id
        ), at_risk AS (
            SELECT s.variant_id, s.eligible, d.day, coalesce(c.matched, 0) AS matched,
                   s.eligible - coalesce(sum(p.receipts), 0) AS receipts
            FROM span s
            CROSS JOIN LATERAL generate_series(1, s.days) AS d (day)
            LEFT JOIN counted c ON c.variant_id IS NOT DISTINCT FROM s.variant_id AND c.days = d.day
            LEFT JOIN counted p ON p.variant_id IS NOT DISTINCT FROM s.variant_id AND p.days < d.day
            GROUP BY s.variant_id, s.eligible, d.day, c.matched
        ), curve AS (
            SELECT r.variant_id, r.eligible, r.day,
                   1 - exp(sum(CASE WHEN r.matched >= r.receipts THEN '-Infinity' ELSE ln(1 - r.matched / r.receipts::double precision) END)
                           OVER (PARTITION BY r.variant_id ORDER BY r.day)) AS share
            FROM at_risk r
        )
        SELECT jsonb_agg(jsonb_build_object('variant', v.name, 'is_control', coalesce(v.is_control, false), 'day', c.day,
                   'share', c.share, 'matched_cumulative', c.share * c.eligible, 'eligible', c.eligible)
                   ORDER BY v.is_control NULLS FIRST, v.variant_id, c.day)
        INTO curve_points
        FROM curve c LEFT JOIN goals.variant v ON v.variant_id = c.variant_id;
    END IF;

    SELECT jsonb_build_object(
               'sent', coalesce(sum(t.sent) FILTER (WHERE t.variant IS DISTINCT FROM 'control'), 0),
               'opened', coalesce(sum(t.opened), 0), 'clicked', coalesce(sum(t.clicked), 0),
               'control', coalesce(sum(t.sent) FILTER (WHERE t.variant = 'control'), 0))
    INTO totals
    FROM goals.stats(message, NULL) t;

    RETURN (SELECT jsonb_build_object(
                'message', jsonb_build_object('name', m.name, 'kind', m.kind, 'channel', m.channel, 'created_at', m.created_at),
                'as_of', at_once, 'goal', of_goal, 'confidence', 0.95, 'goals', goal_list, 'totals', totals,
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
