-- The rolled totals against a recount of the records.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals.verify()
RETURNS TABLE (message text, goal text, variant text, counter text, total numeric, recounted numeric)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    WITH kept AS (
        SELECT t.message_id, t.goal, t.variant_id, c.counter, sum(c.value) AS value
        FROM goals.total t
        CROSS JOIN LATERAL (VALUES ('sent', t.sent::numeric), ('opened', t.opened), ('clicked', t.clicked),
            ('already_matched', t.already_matched), ('matched', t.matched), ('matched_after_open', t.matched_after_open),
            ('matched_after_click', t.matched_after_click), ('worth', t.worth)) AS c (counter, value)
        WHERE t.layer = 'rolled'
        GROUP BY t.message_id, t.goal, t.variant_id, c.counter
    ), recount AS (
        SELECT s.message_id, s.goal, s.variant_id, c.counter, c.value
        FROM (SELECT c.message_id, c.goal, c.variant_id, sum(c.sent) AS sent, sum(c.opened) AS opened,
                     sum(c.clicked) AS clicked, sum(c.already_matched) AS already_matched, sum(c.matched) AS matched,
                     sum(c.matched_after_open) AS matched_after_open,
                     sum(c.matched_after_click) AS matched_after_click, sum(c.worth) AS worth
              FROM goals.contribution c
              WHERE c.settled
              GROUP BY c.message_id, c.goal, c.variant_id) s
        CROSS JOIN LATERAL (VALUES ('sent', s.sent::numeric), ('opened', s.opened), ('clicked', s.clicked),
            ('already_matched', s.already_matched), ('matched', s.matched), ('matched_after_open', s.matched_after_open),
            ('matched_after_click', s.matched_after_click), ('worth', s.worth)) AS c (counter, value)
    ), compared AS (
        -- Equal keys include equal NULLs; a full join needs a hashable condition, a grouped union does not.
        SELECT b.message_id, b.goal, b.variant_id, b.counter, sum(b.kept) AS kept, sum(b.recounted) AS recounted
        FROM (SELECT k.message_id, k.goal, k.variant_id, k.counter, k.value AS kept, 0 AS recounted FROM kept k
              UNION ALL
              SELECT r.message_id, r.goal, r.variant_id, r.counter, 0, r.value FROM recount r) b
        GROUP BY b.message_id, b.goal, b.variant_id, b.counter
    )
    SELECT m.name, c.goal, v.name, c.counter, c.kept, c.recounted
    FROM compared c
    LEFT JOIN goals.message m ON m.message_id = c.message_id
    LEFT JOIN goals.variant v ON v.variant_id = c.variant_id
    WHERE c.kept <> c.recounted
    ORDER BY m.name, c.goal NULLS FIRST, v.name, c.counter
$$;
COMMENT ON FUNCTION goals.verify() IS
    'Recount the records up to the watermark and compare with the rolled totals: one row a counter that differs, none when all are equal. Reads every receipt';
