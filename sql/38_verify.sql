-- The rolled totals against a recount of the records.
SET LOCAL search_path = pg_catalog, pg_temp;

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
    FROM compared c
    LEFT JOIN goals.message m ON m.message_id = c.message_id
    LEFT JOIN goals.variant v ON v.variant_id = c.variant_id
    -- The records of a dropped message are removed in parts.
    WHERE c.kept <> c.recounted AND m.dropped_at IS NULL
    ORDER BY 1, c.goal NULLS FIRST, v.name, c.counter
$$;
COMMENT ON FUNCTION goals.verify() IS
    'Recount the records up to the watermark and compare with the totals: one row per counter that '
    'differs, none when all are equal. Reads every receipt';
