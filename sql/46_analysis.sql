-- Queries over the matches: by day, by days since sending, and credit given to one message only.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals.daily(message text, goal text DEFAULT 'primary')
RETURNS TABLE (variant text, day date, sent bigint, opened bigint, clicked bigint, already_matched bigint, matched bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    of_goals CONSTANT integer[] := goals_internal.goals_of(of_message);
    of_revisions CONSTANT integer[] := goals_internal.revisions_of(of_goals);
BEGIN
    PERFORM goals_internal.check_goal(of_message, daily.goal);
    RETURN QUERY
    SELECT v.name::text, s.day, sum(s.sent)::bigint, sum(s.opened)::bigint, sum(s.clicked)::bigint,
           sum(s.already_matched)::bigint, sum(s.matched)::bigint
    FROM (SELECT c.variant_id, c.day, c.sent, c.opened, c.clicked,
                 c.already_matched, c.matched
          FROM goals_internal.contribution c
          WHERE NOT c.settled AND c.message_id = of_message AND c.goals_of = ANY (of_goals)
            AND c.revision_id = ANY (of_revisions) AND c.goal = daily.goal
          UNION ALL
          SELECT t.variant_id, t.day, t.sent, t.opened, t.clicked, t.already_matched, t.matched
          FROM goals.total t
          WHERE t.layer = 'archived' AND t.message_id = of_message AND t.goal = daily.goal) s
    LEFT JOIN goals.variant v ON v.variant_id = s.variant_id
    GROUP BY v.variant_id, v.name, s.day
    ORDER BY s.day, v.variant_id;
END
$$;
COMMENT ON FUNCTION goals.daily(text, text) IS
    'By variant and day of sending (UTC): how many of the receipts sent that day are opened, clicked, matched by now';

CREATE FUNCTION goals.daily_since_sending(message text, goal text DEFAULT 'primary')
RETURNS TABLE (variant text, days bigint, reached bigint, opened bigint, clicked bigint, matched bigint)
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
    PERFORM goals_internal.check_goal(of_message, daily_since_sending.goal);
    RETURN QUERY
    WITH aged AS MATERIALIZED (
        SELECT c.variant_id, floor(extract(epoch FROM at_once - c.sent_at) / 86400)::bigint AS age,
               floor(extract(epoch FROM c.opened_at - c.sent_at) / 86400)::bigint AS opened_day,
               floor(extract(epoch FROM c.clicked_at - c.sent_at) / 86400)::bigint AS clicked_day,
               floor(extract(epoch FROM c.matched_at - c.sent_at) / 86400)::bigint AS matched_day
        FROM goals_internal.contribution c
        WHERE NOT c.settled AND c.message_id = of_message AND c.goals_of = ANY (of_goals)
          AND c.revision_id = ANY (of_revisions)
          AND c.goal = daily_since_sending.goal AND c.sent <> 0
    ), time_limit AS (
        SELECT ceil(max(g.time_limit_us) / 86400000000.0)::bigint AS days FROM goals.goal g
        WHERE g.message_id = ANY (of_goals) AND g.name = daily_since_sending.goal
    ), moments AS (
        -- A receipt of age a has lived through days 0 to a: it is counted at a and summed from the oldest down.
        SELECT a.variant_id, x.day, count(*) FILTER (WHERE x.what = 'age') AS aged, count(*) FILTER (WHERE x.what = 'o') AS opened,
               count(*) FILTER (WHERE x.what = 'c') AS clicked, count(*) FILTER (WHERE x.what = 'm') AS matched
        FROM aged a
        CROSS JOIN LATERAL (VALUES ('age', a.age), ('o', a.opened_day), ('c', a.clicked_day), ('m', a.matched_day)) AS x (what, day)
        WHERE x.day IS NOT NULL
        GROUP BY a.variant_id, x.day
        UNION ALL
        SELECT s.variant_id, generate_series(0, least(s.last_day, l.days)), 0, 0, 0, 0
        FROM (SELECT a.variant_id, greatest(max(a.age), max(a.opened_day), max(a.clicked_day), max(a.matched_day)) AS last_day
              FROM aged a GROUP BY a.variant_id) s
        CROSS JOIN time_limit l
    ), summed AS (
        SELECT m.variant_id, m.day, sum(sum(m.aged)) OVER (PARTITION BY m.variant_id ORDER BY m.day DESC) AS reached,
               sum(m.opened) AS opened, sum(m.clicked) AS clicked, sum(m.matched) AS matched
        FROM moments m
        GROUP BY m.variant_id, m.day
    )
    SELECT v.name::text, s.day, s.reached::bigint, s.opened::bigint, s.clicked::bigint, s.matched::bigint
    FROM summed s
    CROSS JOIN time_limit l
    LEFT JOIN goals.variant v ON v.variant_id = s.variant_id
    -- A receipt may be as old as time itself: beyond the time limit there are only the days on which something
    -- happened.
    WHERE s.day BETWEEN 0 AND l.days OR s.opened > 0 OR s.clicked > 0 OR s.matched > 0
    ORDER BY v.variant_id, s.day;
END
$$;
COMMENT ON FUNCTION goals.daily_since_sending(text, text) IS
    'By variant and whole days since sending: opens, clicks and matches of that day, and how many receipts are old '
    'enough to have reached it. Every day up to the longest time limit of the goal, and of the others those on which '
    'something happened. Receipts on record only';

-- Every receipt in its window has credit in the records. Here the credit of a change is shared out once: the receipts
-- whose match is the same change of the same user (same instant, same attribute or event) divide 1 between them.
CREATE FUNCTION goals.attribution(model text DEFAULT 'last touch', since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
    half_life interval DEFAULT '7 days')
RETURNS TABLE (message text, goal text, matched bigint, credit double precision, worth numeric, worth_credit double precision)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    way CONSTANT text := replace(lower(trim(model)), '_', ' ');
    half_life_seconds CONSTANT double precision := extract(epoch FROM half_life);
    once integer[];
    later integer[];
BEGIN
    IF way IS NULL OR way NOT IN ('first touch', 'last touch', 'last click', 'linear', 'time decay') THEN
        PERFORM goals_internal.raise('unknown_model', coalesce(model, 'null'));
    END IF;
    IF half_life_seconds IS NULL OR half_life_seconds <= 0 THEN
        PERFORM goals_internal.raise('half_life');
    END IF;
    SELECT array_agg(g.goal_id) FILTER (WHERE g.times = 1), array_agg(g.goal_id) FILTER (WHERE g.times > 1)
    INTO once, later
    FROM goals.goal g;
    RETURN QUERY
    WITH matched AS MATERIALIZED (
        SELECT m.name AS message, g.name AS goal, c.users_source_id, c.user_key, c.receipt_id, c.sent_at, c.matched_at,
               coalesce(c.worth, 0) AS worth,
               -- As in goals_internal.contribution.
               coalesce('r' || c.cause_ref, 'a' || g.attribute, 'e' || g.event) AS cause,
               CASE WHEN c.clicked_at <= c.matched_at THEN c.clicked_at END AS clicked_at
        FROM goals_internal.matched(once, later, NULL, attribution.since, attribution.until) c
        JOIN goals.goal g ON g.goal_id = c.goal_id
        JOIN goals_internal.named_message m ON m.message_id = c.message_id
        LEFT JOIN goals.variant v ON v.variant_id = c.variant_id
        -- An entry into a programme is no message.
        WHERE v.is_control IS NOT TRUE AND m.kind <> 'programme'
    ), ranked AS (
        -- The order of the model only: way is a constant, and what is NULL for it is not sorted by.
        SELECT m.*,
               row_number() OVER (by_change
                   -- Nobody clicked: the last touch has it.
                   ORDER BY CASE WHEN way = 'last click' THEN m.clicked_at END DESC NULLS LAST,
                            CASE WHEN way <> 'first touch' THEN m.sent_at END DESC,
                            CASE WHEN way <> 'first touch' THEN m.receipt_id END DESC,
                            CASE WHEN way = 'first touch' THEN m.sent_at END,
                            CASE WHEN way = 'first touch' THEN m.receipt_id END, m.goal) AS place,
               -- Relative to the latest touch, so that old changes do not vanish below the smallest number.
               CASE WHEN way = 'time decay'
                    THEN extract(epoch FROM max(m.sent_at) OVER by_change - m.sent_at)::double precision END AS age
        FROM matched m
        -- The key first: it tells most of them apart.
        WINDOW by_change AS (PARTITION BY m.user_key, m.matched_at, m.users_source_id, m.cause)
    ), weighed AS (
        SELECT r.*,
               CASE way WHEN 'linear' THEN 1
                        -- 2^-100 is nothing beside the 1 of the latest touch; far below it a product would be an error.
                        WHEN 'time decay' THEN power(2::double precision, -least(r.age / half_life_seconds, 100))
                        ELSE (r.place = 1)::integer::double precision
               END AS weight
        FROM ranked r
    ), shared AS (
        SELECT w.message, w.goal, w.worth,
               w.weight / sum(w.weight) OVER (PARTITION BY w.user_key, w.matched_at, w.users_source_id, w.cause)
                   AS credit
        FROM weighed w
    )
    SELECT s.message::text, s.goal::text, count(*), sum(s.credit), sum(s.worth),
           -- A worth beyond the range of double precision is infinite, or nothing, and not an error.
           sum(CASE WHEN abs(s.worth) < 1e-250 THEN 0 WHEN abs(s.worth) < 1e300 THEN s.worth::double precision * s.credit
                    ELSE sign(s.worth)::double precision * 'Infinity'::double precision END)
    FROM shared s
    GROUP BY s.message, s.goal
    ORDER BY s.message, s.goal;
END
$$;
COMMENT ON FUNCTION goals.attribution(text, timestamptz, timestamptz, interval) IS
    'Matches of each message and goal counted in full (matched, worth) and with the credit of each change given once '
    '(credit, worth_credit), for changes with since <= time < until. Models: first touch, last touch, last click '
    '(without a click: last touch), linear, time decay. Control and programmes are left out; receipts on record only';
