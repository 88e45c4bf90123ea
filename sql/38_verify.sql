-- The rolled totals against a recount of the records.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The receipts up to the mark of the totals of people, as they and their people were known there: from the view that says
-- what each receipt amounts to, and not as those totals are made.
CREATE FUNCTION goals_internal.recounted_receipts()
RETURNS TABLE (receipt_id bigint, message_id integer, goal_id integer, goal text, arm integer, sent_at timestamptz, day date,
    person text, compared boolean, already boolean, matched_at timestamptz, cause text, gain numeric, worth_cap numeric,
    closes timestamptz, in_time boolean, opened_at timestamptz, clicked_at timestamptz, sent integer, opened integer,
    clicked integer, already_matched integer, matched integer, matched_after_open integer, matched_after_click integer,
    worth numeric, deliveries integer, bounced integer, complained integer, unsubscribed integer, opened_by_machine integer,
    clicked_by_machine integer, held_out integer)
LANGUAGE sql STABLE SECURITY DEFINER ROWS 1000000
SET search_path = pg_catalog, pg_temp SET jit = off SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
    WITH mark AS MATERIALIZED (
        SELECT coalesce(max(w.people_receipt_id), 0) AS receipt_id, coalesce(max(w.hand_over_id), 0) AS hand_over_id
        FROM goals.watermark w
    )
    SELECT c.receipt_id, c.message_id, coalesce(c.goal_id, 0), c.goal, c.arm, c.sent_at, c.day,
           coalesce((SELECT o.into_key FROM goals.hand_over o, mark m
                     WHERE o.users_source_id = c.users_source_id AND o.from_key = c.recorded_key
                       AND o.receipt_id >= c.receipt_id AND o.hand_over_id <= m.hand_over_id
                     ORDER BY o.receipt_id, o.hand_over_id DESC LIMIT 1), c.recorded_key),
           NOT c.held_out AND c.superseded <> 1, c.already, c.matched_at, c.cause, c.gain, g.worth_cap,
           c.sent_at + g.time_limit_us * interval '1 microsecond' + coalesce(g.delay_us, 0) * interval '1 microsecond'
               + CASE WHEN g.after <> 'sent' THEN coalesce(g.opens_within_us, g.time_limit_us) ELSE 0 END
                 * interval '1 microsecond',
           CASE g.after WHEN 'opened' THEN c.opened_at WHEN 'clicked' THEN c.clicked_at ELSE c.sent_at END
               <= c.sent_at + coalesce(g.opens_within_us, g.time_limit_us) * interval '1 microsecond',
           c.opened_at, c.clicked_at, c.sent, c.opened, c.clicked, c.already_matched, c.matched, c.matched_after_open,
           c.matched_after_click, c.worth, c.deliveries, c.bounced, c.complained, c.unsubscribed, c.opened_by_machine,
           c.clicked_by_machine, (c.held_out AND c.superseded <> 1)::integer
    FROM goals_internal.contribution c
    LEFT JOIN goals.goal g ON g.goal_id = c.goal_id
    WHERE c.settled AND c.receipt_id <= (SELECT m.receipt_id FROM mark m)
$$;
COMMENT ON FUNCTION goals_internal.recounted_receipts() IS
    'What each receipt, and goal (0: the receipt itself), is known to amount to where the totals of people are';

CREATE FUNCTION goals_internal.recounted_people()
RETURNS TABLE (message_id integer, goal text, variant_id integer, counter text, total numeric, recounted numeric)
LANGUAGE sql STABLE SECURITY DEFINER
-- How many rows each part has is not known to the planner: nested loops would compare each with all.
SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off
AS $$
    WITH seen AS MATERIALIZED (
        SELECT * FROM goals_internal.recounted_receipts()
    ), arms AS MATERIALIZED (
        SELECT s.message_id, s.person, count(DISTINCT s.arm) > 1 AS mixed
        FROM seen s WHERE s.compared AND s.goal_id = 0 GROUP BY s.message_id, s.person
    ), first_one AS MATERIALIZED (
        SELECT DISTINCT ON (s.message_id, s.person, s.goal) s.*, a.mixed
        FROM seen s
        JOIN arms a ON a.message_id = s.message_id AND a.person = s.person
        WHERE s.compared
        ORDER BY s.message_id, s.person, s.goal, s.sent_at, s.receipt_id
    ), hit AS MATERIALIZED (
        SELECT s.message_id, s.person, s.goal, s.goal_id, s.arm, s.receipt_id, s.sent_at, s.closes, s.matched_at, s.cause, s.gain,
               f.closes AS first_closes, f.goal_id AS first_goal_id, f.sent_at AS first_sent_at, f.worth_cap AS first_cap
        FROM seen s
        JOIN first_one f ON f.message_id = s.message_id AND f.person = s.person AND f.goal = s.goal
        WHERE s.compared AND s.matched_at IS NOT NULL AND s.in_time AND NOT f.mixed AND NOT f.already
    ), conversion AS (
        SELECT DISTINCT ON (h.message_id, h.person, h.goal) h.*
        FROM hit h ORDER BY h.message_id, h.person, h.goal, h.closes, h.receipt_id
    ), change AS MATERIALIZED (
        SELECT DISTINCT ON (h.message_id, h.person, h.goal, h.matched_at, h.cause) h.*, m.most
        FROM hit h
        JOIN (SELECT h.message_id, h.person, h.goal, h.matched_at, h.cause, max(h.gain) AS most
              FROM hit h GROUP BY h.message_id, h.person, h.goal, h.matched_at, h.cause) m
             ON m.message_id = h.message_id AND m.person = h.person AND m.goal = h.goal AND m.matched_at = h.matched_at
                AND m.cause IS NOT DISTINCT FROM h.cause
        ORDER BY h.message_id, h.person, h.goal, h.matched_at, h.cause, h.closes, h.receipt_id
    ), gained AS (
        SELECT c.message_id, c.goal, c.goal_id, c.arm, c.sent_at, c.closes, c.first_closes, c.first_goal_id, c.first_sent_at, c.most,
               least(c.before + c.most, c.first_cap) AS capped, least(c.before, c.first_cap) AS capped_before
        FROM (SELECT c.*, coalesce(sum(c.most) OVER (PARTITION BY c.message_id, c.person, c.goal ORDER BY c.closes, c.receipt_id
                                                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS before
              FROM change c) c
    ), added AS (
        -- What a receipt, or a person, adds at a time of sending.
        SELECT s.message_id, s.goal_id, s.arm, s.day, s.sent_at, s.sent, s.opened, s.clicked, s.already_matched, s.matched,
               s.matched_after_open, s.matched_after_click, s.worth, s.deliveries, s.bounced, s.complained, s.unsubscribed,
               s.opened_by_machine, s.clicked_by_machine, s.held_out, (s.compared AND NOT s.already)::integer AS eligible,
               (s.compared AND NOT s.already AND s.sent = 0)::integer AS withdrawn, 0 AS assigned, 0 AS mixed, 0 AS users,
               0 AS converters, 0::numeric AS users_worth, 0::numeric AS counted_worth, 0::numeric AS counted_worth_squares
        FROM seen s
        UNION ALL
        SELECT f.message_id, f.goal_id, f.arm, f.day, f.sent_at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
               (f.goal_id = 0 AND NOT f.mixed)::integer, (f.goal_id = 0 AND f.mixed)::integer, (f.goal_id <> 0)::integer, 0, 0, 0, 0
        FROM first_one f
        WHERE f.goal_id = 0 OR NOT f.mixed AND NOT f.already
        UNION ALL
        SELECT c.message_id, x.goal_id, c.arm, (x.sent_at AT TIME ZONE 'UTC')::date, x.sent_at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
               0, 0, 0, 0, 0, 0, 1, 0, 0, 0
        FROM conversion c
        CROSS JOIN LATERAL (SELECT CASE WHEN c.closes > c.first_closes THEN c.goal_id ELSE c.first_goal_id END AS goal_id,
                                   CASE WHEN c.closes > c.first_closes THEN c.sent_at ELSE c.first_sent_at END AS sent_at) x
        UNION ALL
        SELECT g.message_id, x.goal_id, g.arm, (x.sent_at AT TIME ZONE 'UTC')::date, x.sent_at, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
               0, 0, 0, 0, 0, 0, 0, g.most, g.capped - g.capped_before, g.capped * g.capped - g.capped_before * g.capped_before
        FROM gained g
        CROSS JOIN LATERAL (SELECT CASE WHEN g.closes > g.first_closes THEN g.goal_id ELSE g.first_goal_id END AS goal_id,
                                   CASE WHEN g.closes > g.first_closes THEN g.sent_at ELSE g.first_sent_at END AS sent_at) x
    ), by_slot AS MATERIALIZED (
        SELECT a.message_id, a.goal_id, a.arm, a.day, goals_internal.slot_of(a.sent_at) AS slot, sum(a.sent) AS sent, sum(a.opened) AS opened, sum(a.clicked) AS clicked,
               sum(a.already_matched) AS already_matched, sum(a.matched) AS matched,
               sum(a.matched_after_open) AS matched_after_open, sum(a.matched_after_click) AS matched_after_click,
               sum(a.worth) AS worth, sum(a.deliveries) AS deliveries, sum(a.bounced) AS bounced,
               sum(a.complained) AS complained, sum(a.unsubscribed) AS unsubscribed,
               sum(a.opened_by_machine) AS opened_by_machine, sum(a.clicked_by_machine) AS clicked_by_machine,
               sum(a.held_out) AS held_out, sum(a.eligible) AS eligible, sum(a.withdrawn) AS withdrawn,
               sum(a.assigned) AS assigned, sum(a.mixed) AS mixed, sum(a.users) AS users,
               sum(a.converters) AS converters, sum(a.users_worth) AS users_worth, sum(a.counted_worth) AS counted_worth,
               sum(a.counted_worth_squares) AS counted_worth_squares
        FROM added a
        GROUP BY a.message_id, a.goal_id, a.arm, a.day, goals_internal.slot_of(a.sent_at)
    ), by_age AS (
        SELECT s.message_id, s.goal_id, s.arm, s.day, floor(extract(epoch FROM x.at - s.sent_at) / 86400) AS age,
               sum(x.opened) AS opened, sum(x.clicked) AS clicked, sum(x.matched) AS matched, sum(x.eligible) AS eligible
        FROM (SELECT s.* FROM seen s
              WHERE s.goal_id <> 0 AND (s.opened_at IS NOT NULL OR s.clicked_at IS NOT NULL OR s.matched_at IS NOT NULL)) s
        CROSS JOIN LATERAL (VALUES (s.opened_at, s.opened, 0, 0, 0), (s.clicked_at, 0, s.clicked, 0, 0),
            (s.matched_at, 0, 0, s.matched, (s.compared AND NOT s.already)::integer)) AS x (at, opened, clicked, matched, eligible)
        WHERE x.at IS NOT NULL
        GROUP BY s.message_id, s.goal_id, s.arm, s.day, 5
    ), line AS (
        SELECT t.message_id, t.goal_id, t.variant_id, x.counter || ' of ' || t.day AS counter, x.value AS kept, 0::numeric AS recounted
        FROM goals.day_total t
        CROSS JOIN LATERAL (VALUES ('sent', t.sent::numeric), ('opened', t.opened), ('clicked', t.clicked),
            ('already_matched', t.already_matched), ('matched', t.matched), ('matched_after_open', t.matched_after_open),
            ('matched_after_click', t.matched_after_click), ('worth', t.worth), ('deliveries', t.deliveries),
            ('bounced', t.bounced), ('complained', t.complained), ('unsubscribed', t.unsubscribed),
            ('opened_by_machine', t.opened_by_machine), ('clicked_by_machine', t.clicked_by_machine), ('held_out', t.held_out),
            ('eligible', t.eligible), ('withdrawn', t.withdrawn), ('assigned', t.assigned), ('mixed', t.mixed),
            ('users', t.users), ('converters', t.converters), ('users_worth', t.users_worth),
            ('counted_worth', t.counted_worth), ('counted_worth_squares', t.counted_worth_squares)) AS x (counter, value)
        UNION ALL
        SELECT t.message_id, t.goal_id, t.arm, x.counter || ' of ' || t.day, 0, x.value
        FROM (SELECT a.message_id, a.goal_id, a.arm, a.day,
                     sum(a.sent) AS sent, sum(a.opened) AS opened, sum(a.clicked) AS clicked,
                     sum(a.already_matched) AS already_matched, sum(a.matched) AS matched,
                     sum(a.matched_after_open) AS matched_after_open, sum(a.matched_after_click) AS matched_after_click,
                     sum(a.worth) AS worth, sum(a.deliveries) AS deliveries, sum(a.bounced) AS bounced,
                     sum(a.complained) AS complained, sum(a.unsubscribed) AS unsubscribed,
                     sum(a.opened_by_machine) AS opened_by_machine, sum(a.clicked_by_machine) AS clicked_by_machine,
                     sum(a.held_out) AS held_out, sum(a.eligible) AS eligible, sum(a.withdrawn) AS withdrawn,
                     sum(a.assigned) AS assigned, sum(a.mixed) AS mixed, sum(a.users) AS users,
                     sum(a.converters) AS converters, sum(a.users_worth) AS users_worth, sum(a.counted_worth) AS counted_worth,
                     sum(a.counted_worth_squares) AS counted_worth_squares
              FROM by_slot a
              GROUP BY a.message_id, a.goal_id, a.arm, a.day) t
        CROSS JOIN LATERAL (VALUES
            ('sent', t.sent::numeric), ('opened', t.opened), ('clicked', t.clicked),
            ('already_matched', t.already_matched), ('matched', t.matched),
            ('matched_after_open', t.matched_after_open), ('matched_after_click', t.matched_after_click),
            ('worth', t.worth), ('deliveries', t.deliveries), ('bounced', t.bounced), ('complained', t.complained),
            ('unsubscribed', t.unsubscribed), ('opened_by_machine', t.opened_by_machine),
            ('clicked_by_machine', t.clicked_by_machine), ('held_out', t.held_out), ('eligible', t.eligible),
            ('withdrawn', t.withdrawn), ('assigned', t.assigned), ('mixed', t.mixed), ('users', t.users),
            ('converters', t.converters), ('users_worth', t.users_worth), ('counted_worth', t.counted_worth),
            ('counted_worth_squares', t.counted_worth_squares)) AS x (counter, value)
        UNION ALL
        SELECT t.message_id, t.goal_id, t.variant_id, x.counter || ' from ' || (t.slot AT TIME ZONE 'UTC'), x.value, 0
        FROM goals.slot_total t
        CROSS JOIN LATERAL (VALUES ('sent', t.sent::numeric), ('open_receipts', t.open_receipts), ('eligible', t.eligible),
            ('users', t.users), ('converters', t.converters), ('users_worth', t.users_worth),
            ('counted_worth', t.counted_worth), ('counted_worth_squares', t.counted_worth_squares)) AS x (counter, value)
        UNION ALL
        SELECT s.message_id, s.goal_id, s.arm, x.counter || ' from ' || (s.slot AT TIME ZONE 'UTC'), 0, x.value
        FROM by_slot s
        JOIN goals.day_total t ON t.message_id = s.message_id AND t.goal_id = s.goal_id AND t.variant_id = s.arm AND t.is_split
                              AND t.day = s.day
        CROSS JOIN LATERAL (VALUES ('sent', s.sent::numeric), ('open_receipts', s.sent - s.already_matched - s.matched),
            ('eligible', s.eligible), ('users', s.users), ('converters', s.converters), ('users_worth', s.users_worth),
            ('counted_worth', s.counted_worth), ('counted_worth_squares', s.counted_worth_squares)) AS x (counter, value)
        UNION ALL
        SELECT t.message_id, t.goal_id, t.variant_id, format('%s of %s after %s days', x.counter, t.day, t.age), x.value, 0
        FROM goals.age_total t
        CROSS JOIN LATERAL (VALUES ('opened', t.opened), ('clicked', t.clicked), ('matched', t.matched),
                                   ('matched_eligible', t.matched_eligible)) AS x (counter, value)
        UNION ALL
        SELECT a.message_id, a.goal_id, a.arm, format('%s of %s after %s days', x.counter, a.day, a.age), 0, x.value
        FROM by_age a
        CROSS JOIN LATERAL (VALUES ('opened', a.opened), ('clicked', a.clicked), ('matched', a.matched),
                                   ('matched_eligible', a.eligible)) AS x (counter, value)
    ), named AS (
        SELECT l.message_id, g.name AS goal, l.variant_id, l.counter, l.kept, l.recounted
        FROM line l
        LEFT JOIN goals.goal g ON g.goal_id = l.goal_id
        UNION ALL
        SELECT t.message_id, t.goal, t.variant_id, format('pairs of %s and %s', t.first_day, t.second_day), t.pairs, 0
        FROM goals.pair_total t
        UNION ALL
        SELECT p.message_id, p.goal, p.arm, format('pairs of %s and %s', p.before, p.day), 0, 1
        FROM (SELECT s.message_id, s.goal, s.arm, s.day,
                     lag(s.day) OVER (PARTITION BY s.message_id, s.person, s.goal, s.arm ORDER BY s.sent_at, s.receipt_id) AS before
              FROM seen s WHERE s.matched = 1 AND s.goal_id <> 0) p
        WHERE p.before IS NOT NULL
    )
    SELECT n.message_id, n.goal, n.variant_id, n.counter, sum(n.kept), sum(n.recounted)
    FROM named n
    GROUP BY n.message_id, n.goal, n.variant_id, n.counter
    HAVING sum(n.kept) <> sum(n.recounted)
$$;
COMMENT ON FUNCTION goals_internal.recounted_people() IS
    'The totals by day and of people that differ from a recount of the records';

CREATE FUNCTION goals.verify()
RETURNS TABLE (message text, goal text, variant text, counter text, total numeric, recounted numeric)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH side AS (
        SELECT true AS is_kept, t.message_id, t.goal, t.variant_id, t.sent, t.opened, t.clicked, t.already_matched, t.matched,
               t.matched_after_open, t.matched_after_click, t.worth, t.deliveries, t.bounced, t.complained, t.unsubscribed,
               t.opened_by_machine, t.clicked_by_machine
        FROM goals.total t
        WHERE t.layer = 'rolled'
        UNION ALL
        SELECT false, c.message_id, c.goal, c.variant_id, sum(c.sent), sum(c.opened), sum(c.clicked), sum(c.already_matched),
               sum(c.matched), sum(c.matched_after_open), sum(c.matched_after_click), sum(c.worth),
               sum(c.deliveries), sum(c.bounced), sum(c.complained), sum(c.unsubscribed), sum(c.opened_by_machine),
               sum(c.clicked_by_machine)
        FROM goals_internal.contribution c
        WHERE c.settled
        GROUP BY c.message_id, c.goal, c.variant_id
    ), compared AS (
        -- Equal keys include equal NULLs; a full join needs a hashable condition, a grouped union does not.
        SELECT s.message_id, s.goal, s.variant_id, x.counter,
               coalesce(sum(x.value) FILTER (WHERE s.is_kept), 0) AS kept,
               coalesce(sum(x.value) FILTER (WHERE NOT s.is_kept), 0) AS recounted
        FROM side s
        CROSS JOIN LATERAL (VALUES ('sent', s.sent::numeric), ('opened', s.opened), ('clicked', s.clicked),
            ('already_matched', s.already_matched), ('matched', s.matched), ('matched_after_open', s.matched_after_open),
            ('matched_after_click', s.matched_after_click), ('worth', s.worth), ('deliveries', s.deliveries),
            ('bounced', s.bounced), ('complained', s.complained), ('unsubscribed', s.unsubscribed),
            ('opened_by_machine', s.opened_by_machine), ('clicked_by_machine', s.clicked_by_machine)) AS x (counter, value)
        GROUP BY s.message_id, s.goal, s.variant_id, x.counter
    )
    SELECT coalesce(m.name, goals_internal.name_of(c.message_id)), c.goal, v.name, c.counter, c.kept, c.recounted
    FROM (SELECT c.message_id, c.goal, c.variant_id, c.counter, c.kept, c.recounted FROM compared c WHERE c.kept <> c.recounted
          UNION ALL
          SELECT p.message_id, p.goal, p.variant_id, p.counter, p.total, p.recounted FROM goals_internal.recounted_people() p) c
    LEFT JOIN goals.message m ON m.message_id = c.message_id
    LEFT JOIN goals.variant v ON v.variant_id = c.variant_id
    -- The records of a dropped message are removed in parts.
    WHERE m.dropped_at IS NULL
    ORDER BY 1, c.goal NULLS FIRST, v.name, c.counter
$$;
COMMENT ON FUNCTION goals.verify() IS
    'Recount the records up to the watermark and compare with the totals: one row per counter that '
    'differs, none when all are equal. Reads every receipt';
