-- Queries over the matches: by day, by days since sending, and credit given to one message only.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals.daily(message text, goal text DEFAULT 'primary')
RETURNS TABLE (variant text, day date, sent bigint, opened bigint, clicked bigint, already_matched bigint, matched bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    of_goals CONSTANT integer[] := goals_internal.goals_of(of_message);
    goal_ids CONSTANT integer[] := ARRAY(SELECT g.goal_id FROM goals.goal g
                                         WHERE g.message_id = ANY (of_goals) AND g.name = daily.goal);
BEGIN
    PERFORM goals_internal.check_goal(of_message, daily.goal);
    RETURN QUERY
    SELECT v.name::text, s.day, sum(s.sent)::bigint, sum(s.opened)::bigint, sum(s.clicked)::bigint,
           sum(s.already_matched)::bigint, sum(s.matched)::bigint
    FROM (SELECT nullif(t.variant_id, 0) AS variant_id, t.day, t.sent, t.opened, t.clicked, t.already_matched, t.matched, t.eligible
          FROM goals.day_total t
          WHERE t.message_id = of_message AND t.goal_id = ANY (goal_ids)
          UNION ALL
          SELECT nullif(c.variant_id, 0), c.day, c.sent, c.opened, c.clicked, c.already_matched, c.matched, c.eligible
          FROM goals_internal.tail_change(of_message, daily.goal) c
          WHERE c.kind = 'd' AND c.goal_id = ANY (goal_ids)
          UNION ALL
          SELECT t.variant_id, t.day, t.sent, t.opened, t.clicked, t.already_matched, t.matched, 1
          FROM goals.total t
          WHERE t.layer = 'archived' AND t.message_id = of_message AND t.goal = daily.goal) s
    LEFT JOIN goals.variant v ON v.variant_id = s.variant_id
    GROUP BY v.variant_id, v.name, s.day
    -- Days of which nothing is on record any more.
    HAVING sum(s.sent) <> 0 OR sum(s.eligible) <> 0
    ORDER BY s.day, v.variant_id;
END
$$;
COMMENT ON FUNCTION goals.daily(text, text) IS
    'By variant and day of sending (UTC): how many of the receipts sent that day are opened, clicked, matched by now';

CREATE FUNCTION goals.daily_since_sending(message text, goal text DEFAULT 'primary')
RETURNS TABLE (variant text, days bigint, reached bigint, opened bigint, clicked bigint, matched bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    of_goals CONSTANT integer[] := goals_internal.goals_of(of_message);
    goal_ids CONSTANT integer[] := ARRAY(SELECT g.goal_id FROM goals.goal g
                                         WHERE g.message_id = ANY (of_goals) AND g.name = daily_since_sending.goal);
    at_once CONSTANT timestamptz := clock_timestamp();
    limit_days CONSTANT integer := (SELECT ceil(max(g.time_limit_us) / 86400000000.0) FROM goals.goal g
                                    WHERE g.goal_id = ANY (goal_ids));
    w goals.watermark;
BEGIN
    PERFORM goals_internal.check_goal(of_message, daily_since_sending.goal);
    SELECT * INTO w FROM goals.watermark;
    RETURN QUERY
    WITH tail AS MATERIALIZED (
        SELECT * FROM goals_internal.tail_change(of_message, daily_since_sending.goal) c WHERE c.goal_id = ANY (goal_ids)
    ), moments AS MATERIALIZED (
        SELECT m.variant_id, m.age, sum(m.opened) AS opened, sum(m.clicked) AS clicked, sum(m.matched) AS matched
        FROM (SELECT t.variant_id, t.age, t.opened, t.clicked, t.matched
              FROM goals.age_total t
              WHERE t.message_id = of_message AND t.goal_id = ANY (goal_ids)
              UNION ALL
              SELECT c.variant_id, c.age, c.opened, c.clicked, c.matched FROM tail c WHERE c.kind = 'a') m
        GROUP BY m.variant_id, m.age
        HAVING (sum(m.opened), sum(m.clicked), sum(m.matched)) <> (0, 0, 0)
    ), sending AS MATERIALIZED (
        -- When how many were sent: days, and of what is not rolled up yet the very time.
        SELECT t.goal_id, t.variant_id, t.day, NULL::timestamptz AS at, t.sent, t.is_split
        FROM goals.day_total t
        WHERE t.message_id = of_message AND t.goal_id = ANY (goal_ids)
        UNION ALL
        SELECT c.goal_id, c.variant_id, c.day, c.at, c.sent, NULL FROM tail c WHERE c.kind = 's'
    ), span AS (
        SELECT s.variant_id, floor(extract(epoch FROM at_once - min(coalesce(s.at, s.day::timestamp AT TIME ZONE 'UTC'))) / 86400)::integer AS oldest
        FROM sending s WHERE s.sent <> 0 GROUP BY s.variant_id
    ), listed AS MATERIALIZED (
        SELECT p.variant_id, a.age
        FROM span p
        CROSS JOIN LATERAL generate_series(0, least(limit_days,
            greatest(p.oldest, (SELECT max(m.age) FROM moments m WHERE m.variant_id = p.variant_id)))) AS a (age)
        UNION
        SELECT m.variant_id, m.age FROM moments m
    ), cut AS MATERIALIZED (
        -- A receipt that has reached an age was sent up to this time, on or before this day.
        SELECT c.age, c.sent_by, c.day, c.goal_id, c.split, c.versions, x.read_from, x.before, x.reads
        FROM (SELECT l.age, l.sent_by, (l.sent_by AT TIME ZONE 'UTC')::date AS day, g.goal_id,
                     ARRAY(SELECT v.revision_id FROM goals.revision v
                           WHERE v.message_id = ANY (of_goals) AND g.goal_id = ANY (v.goal_ids)) AS versions,
                     NOT EXISTS (SELECT FROM sending s WHERE s.goal_id = g.goal_id AND NOT s.is_split
                                                         AND s.day = (l.sent_by AT TIME ZONE 'UTC')::date) AS split
              FROM (SELECT DISTINCT l.age, at_once - l.age * interval '24 hours' AS sent_by FROM listed l) l
              CROSS JOIN unnest(goal_ids) AS g (goal_id)) c
        CROSS JOIN LATERAL goals_internal.cut_at(c.sent_by + interval '1 microsecond', of_message, c.versions, c.split) x
    ), read AS MATERIALIZED (
        SELECT c.age, ARRAY(SELECT r.receipt_id FROM goals.receipt r
                            JOIN goals.revision v ON v.revision_id = r.revision_id
                            WHERE r.revision_id = ANY (c.versions) AND coalesce(r.message_id, v.message_id) = of_message
                              AND r.sent_at >= c.read_from AND r.sent_at < c.before
                              AND r.receipt_id <= coalesce(w.people_receipt_id, 0)) AS ids
        FROM cut c
        WHERE c.reads
    ), late AS (
        -- Those that counted as sent, by what was known at the mark.
        SELECT r.age, coalesce(t.variant_id, 0) AS variant_id, count(*) AS sent
        FROM (SELECT r.age, unnest(r.ids) AS receipt_id FROM read r) r
        JOIN goals.receipt t ON t.receipt_id = r.receipt_id
        WHERE NOT EXISTS (SELECT FROM goals.engagement e
                          WHERE e.receipt_id = t.receipt_id AND e.kind IN ('w', 'm') AND e.engagement_id <= w.engagement_id)
          AND CASE WHEN t.flags & 2 = 2
                   THEN coalesce(goals_internal.superseded_by(t.receipt_id) > w.people_receipt_id, true) ELSE true END
        GROUP BY r.age, coalesce(t.variant_id, 0)
    ), reached AS (
        SELECT l.variant_id, l.age,
               coalesce((SELECT sum(s.sent)
                         FROM cut c
                         JOIN sending s ON s.goal_id = c.goal_id AND s.variant_id = l.variant_id
                             AND CASE WHEN s.at IS NULL THEN (s.day + 1)::timestamp AT TIME ZONE 'UTC' <= c.before ELSE s.at < c.before END
                         WHERE c.age = l.age), 0)
               + coalesce((SELECT sum(t.sent)
                           FROM cut c
                           JOIN goals.slot_total t ON t.message_id = of_message AND t.goal_id = c.goal_id
                               AND t.variant_id = l.variant_id AND t.slot < c.read_from
                               AND t.slot >= date_trunc('day', c.sent_by AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
                           WHERE c.age = l.age AND c.split), 0)
               + coalesce((SELECT sum(x.sent) FROM late x WHERE x.age = l.age AND x.variant_id = l.variant_id), 0) AS reached
        FROM listed l
    )
    SELECT v.name::text, r.age::bigint, r.reached::bigint, coalesce(m.opened, 0)::bigint, coalesce(m.clicked, 0)::bigint,
           coalesce(m.matched, 0)::bigint
    FROM reached r
    LEFT JOIN moments m ON m.variant_id = r.variant_id AND m.age = r.age
    LEFT JOIN goals.variant v ON v.variant_id = r.variant_id
    WHERE r.reached > 0 OR m.age IS NOT NULL
    ORDER BY v.variant_id, r.age;
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
