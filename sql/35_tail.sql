-- The tail: what the facts past the watermark add to the running totals.
--
-- rolled totals = the contributions of every receipt on record, seen at the watermark. Whatever happens later, the
-- figures are archived + rolled + (contribution now, less contribution at the watermark) over the receipts that a newer
-- fact touches. That sum is exact in every snapshot, because the totals and the watermark change in one transaction.
SET LOCAL search_path = pg_catalog, pg_temp;

-- What contribution says of the touched receipts at both marks, worked out for all of them together: each kind of fact
-- is read once, where looking it up for every receipt and goal would take several times as long. verify() holds the
-- totals that these differences add up to against contribution.
--
-- What a receipt counts for by itself is the same for every goal of its revision, so it is summed by revision and
-- variant before the goals come into it. Facts of old receipts are looked up by one scan with an array of ids, at half
-- the price of a join that descends the index for each. All other joins are by hash: a tail may be many times what the
-- planner guesses, and with nested loops it would compare each of it with all of it. They are made in the order in
-- which they are written, for looking for a better one takes longer than a short tail.
--
-- However much there is, no more than so many ids of facts are taken at a time (or a hundredth of all, if that is
-- more): then memory has a bound, and an array its size. The differences from mark to mark add up.
--
-- Whether an entry into a programme is superseded does not change once it is folded. A hand-over between two entries has
-- drawn its bound between their ids, as a receipt draws its id, so it has been committed or rolled back by then.
--
-- In the names: old, a receipt below the first mark; ..._then, as known at the first mark; ..._now, at the second.
CREATE FUNCTION goals_internal.movement(
    after_receipt bigint, after_engagement bigint, after_match bigint,
    to_receipt bigint, to_engagement bigint, to_match bigint, at_a_time bigint = 2000000)
RETURNS TABLE (message_id integer, goal text, variant_id integer, sent bigint, opened bigint, clicked bigint,
    already_matched bigint, matched bigint, matched_after_open bigint, matched_after_click bigint, worth numeric,
    deliveries bigint, bounced bigint, complained bigint, unsubscribed bigint, opened_by_machine bigint, clicked_by_machine bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 1 SET from_collapse_limit = 1 SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    last_engagement CONSTANT bigint := to_engagement;
    last_match CONSTANT bigint := to_match;
    drawn record;
    -- Entries into programmes that are superseded by one between the marks, or are between them.
    overtaken bigint[];
    late bigint[];
BEGIN
    SELECT d.engagement_id, d.match_id INTO drawn FROM goals_internal.drawn() d;
    IF EXISTS (SELECT FROM goals.message m WHERE m.kind = 'programme') THEN
        SELECT array_agg(DISTINCT x.receipt_id) FILTER (WHERE x.receipt_id <= after_receipt),
               array_agg(DISTINCT x.receipt_id) FILTER (WHERE x.receipt_id > after_receipt)
        INTO overtaken, late
        FROM goals_internal.superseded(after_receipt, to_receipt) AS x (receipt_id);
    END IF;
    -- Ids begin at 1, and there are about a hundred parts at most of each kind: whatever is asked for, there is an end,
    -- and soon.
    at_a_time := greatest(at_a_time, 1, drawn.engagement_id / 100, drawn.match_id / 100);
    after_engagement := greatest(after_engagement, 0);
    after_match := greatest(after_match, 0);
    LOOP
        IF least(last_engagement, drawn.engagement_id) - after_engagement > at_a_time THEN
            to_engagement := after_engagement + at_a_time;
        ELSE
            to_engagement := last_engagement;
        END IF;
        IF least(last_match, drawn.match_id) - after_match > at_a_time THEN
            to_match := after_match + at_a_time;
        ELSE
            to_match := last_match;
        END IF;
        RETURN QUERY
        WITH old AS MATERIALIZED (
            SELECT ARRAY(SELECT e.receipt_id FROM goals.engagement e
                         WHERE e.engagement_id > after_engagement AND e.engagement_id <= to_engagement AND e.receipt_id <= after_receipt
                         UNION
                         SELECT h.receipt_id FROM goals.match_log h
                         WHERE h.match_id > after_match AND h.match_id <= to_match AND h.receipt_id <= after_receipt
                         UNION
                         SELECT unnest(overtaken)) AS ids
        ), engaged AS (
            SELECT f.receipt_id,
                   min(f.at) FILTER (WHERE f.bits = 0) AS opened_now,
                   min(f.at) FILTER (WHERE f.bits = 0 AND f.kind = 'c') AS clicked_now,
                   min(f.at) FILTER (WHERE f.bits = 0 AND f.then) AS opened_then,
                   min(f.at) FILTER (WHERE f.bits = 0 AND f.then AND f.kind = 'c') AS clicked_then,
                   bit_or(f.bits) AS had_now, bit_or(f.bits) FILTER (WHERE f.then) AS had_then
            FROM (SELECT f.receipt_id, f.at, f.kind, f.then,
                         -- As in goals_internal.ledger; 0: opened or clicked by a person.
                         CASE f.kind WHEN 'o' THEN CASE WHEN f.machine THEN 16 ELSE 0 END
                                     WHEN 'c' THEN CASE WHEN f.machine THEN 48 ELSE 0 END
                                     WHEN 'd' THEN 1 WHEN 'b' THEN 2 WHEN 'p' THEN 4 WHEN 'u' THEN 8 WHEN 'w' THEN 64
                                     WHEN 'm' THEN 128 ELSE 256 END AS bits
                  FROM (SELECT e.receipt_id, e.at, e.kind, e.machine, e.engagement_id <= after_engagement AS then
                        FROM goals.engagement e
                        WHERE e.receipt_id = ANY ((SELECT o.ids FROM old o)::bigint[]) AND e.engagement_id <= to_engagement
                        UNION ALL
                        SELECT e.receipt_id, e.at, e.kind, e.machine, false
                        FROM goals.engagement e
                        WHERE e.receipt_id > after_receipt AND e.receipt_id <= to_receipt AND e.engagement_id <= to_engagement) f) f
            GROUP BY f.receipt_id
        ), touched AS MATERIALIZED (
            -- state: 1 old; from bit 8 what it had at the second mark, from bit 16 at the first one, with 128 for an entry into
            -- a programme that came after another one. One number, for it is grouped by.
            SELECT r.receipt_id, r.revision_id, r.message_id, r.variant_id, r.already,
                   e.opened_now, e.clicked_now, e.opened_then, e.clicked_then,
                   r.old::integer | coalesce(e.had_now << 8, 0) | coalesce(e.had_then << 16, 0)
                       | CASE WHEN r.superseded_by IS NULL THEN 0
                              ELSE CASE WHEN r.superseded_by <= to_receipt THEN 128 << 8 ELSE 0 END
                                 | CASE WHEN r.superseded_by <= after_receipt THEN 128 << 16 ELSE 0 END END AS state
            FROM (SELECT r.receipt_id, r.revision_id, r.message_id, r.variant_id, r.already, true AS old,
                         CASE WHEN r.flags & 2 = 2 THEN goals_internal.superseded_by(r.receipt_id) END AS superseded_by
                  FROM goals.receipt r
                  WHERE r.receipt_id = ANY ((SELECT o.ids FROM old o)::bigint[])
                  UNION ALL
                  SELECT r.receipt_id, r.revision_id, r.message_id, r.variant_id, r.already, false,
                         CASE WHEN r.receipt_id = ANY (late) THEN 0 END
                  FROM goals.receipt r
                  WHERE r.receipt_id > after_receipt AND r.receipt_id <= to_receipt) r
            LEFT JOIN engaged e ON e.receipt_id = r.receipt_id
        ), alike AS MATERIALIZED (
            -- Of receipts that are alike in all this, only how many there are matters. now and was: 1 if they count at the
            -- marks, else 0.
            SELECT t.revision_id, t.message_id, t.variant_id, t.already, t.state >> 8 & 255 AS had_now, t.state >> 16 & 255 AS had_then,
                   (t.state >> 8 & 192 = 0)::integer AS now, (t.state & 1 = 1 AND t.state >> 16 & 192 = 0)::integer AS was,
                   t.receipts, t.opened_now, t.opened_then, t.clicked_now, t.clicked_then
            FROM (SELECT t.revision_id, t.message_id, t.variant_id, t.already, t.state, count(*) AS receipts,
                         count(t.opened_now) AS opened_now, count(t.opened_then) AS opened_then,
                         count(t.clicked_now) AS clicked_now, count(t.clicked_then) AS clicked_then
                  FROM touched t
                  GROUP BY t.revision_id, t.message_id, t.variant_id, t.already, t.state) t
        ), counted AS MATERIALIZED (
            SELECT a.revision_id, a.message_id, a.variant_id, a.already,
                   sum(a.receipts * (a.now - a.was)) AS sent,
                   sum(a.opened_now * a.now - a.opened_then * a.was) AS opened,
                   sum(a.clicked_now * a.now - a.clicked_then * a.was) AS clicked,
                   sum(a.receipts * ((a.had_now & 1) * a.now - (a.had_then & 1) * a.was)) AS deliveries,
                   sum(a.receipts * ((a.had_now >> 1 & 1) * a.now - (a.had_then >> 1 & 1) * a.was)) AS bounced,
                   sum(a.receipts * ((a.had_now >> 2 & 1) * a.now - (a.had_then >> 2 & 1) * a.was)) AS complained,
                   sum(a.receipts * ((a.had_now >> 3 & 1) * a.now - (a.had_then >> 3 & 1) * a.was)) AS unsubscribed,
                   sum(a.receipts * ((a.had_now >> 4 & 1) * a.now - (a.had_then >> 4 & 1) * a.was)) AS opened_by_machine,
                   sum(a.receipts * ((a.had_now >> 5 & 1) * a.now - (a.had_then >> 5 & 1) * a.was)) AS clicked_by_machine
            FROM alike a
            GROUP BY a.revision_id, a.message_id, a.variant_id, a.already
        ), judged AS MATERIALIZED (
            -- goal_id NULL: the receipt itself, whatever its goals.
            SELECT v.revision_id, v.message_id, v.goal_id, g.name
            FROM (SELECT v.revision_id, v.message_id, unnest(array_append(v.goal_ids, NULL)) AS goal_id
                  FROM goals.revision v
                  WHERE v.revision_id = ANY (ARRAY(SELECT c.revision_id FROM counted c))) v
            LEFT JOIN goals.goal g ON g.goal_id = v.goal_id
        ), hit AS (
            -- The match: the times-th hit in the order of time.
            SELECT h.receipt_id, h.goal_id, h.matched_at, h.worth,
                   row_number() OVER earlier = g.times AS now,
                   h.then AND count(*) FILTER (WHERE h.then) OVER earlier = g.times AS then
            FROM (SELECT h.receipt_id, h.goal_id, h.matched_at, h.worth, h.match_id, h.match_id <= after_match AS then
                  FROM goals.match_log h
                  WHERE h.receipt_id = ANY ((SELECT o.ids FROM old o)::bigint[]) AND h.match_id <= to_match
                  UNION ALL
                  SELECT h.receipt_id, h.goal_id, h.matched_at, h.worth, h.match_id, false
                  FROM goals.match_log h
                  WHERE h.receipt_id > after_receipt AND h.receipt_id <= to_receipt AND h.match_id <= to_match) h
            JOIN goals.goal g ON g.goal_id = h.goal_id
            WINDOW earlier AS (PARTITION BY h.receipt_id, h.goal_id ORDER BY h.matched_at, h.match_id ROWS UNBOUNDED PRECEDING)
        ), matched AS (
            SELECT h.revision_id, h.message_id, h.variant_id, h.goal_id,
                   count(*) FILTER (WHERE h.now) - count(*) FILTER (WHERE h.then) AS matched,
                   count(*) FILTER (WHERE h.now AND h.opened_now <= h.matched_at)
                       - count(*) FILTER (WHERE h.then AND h.opened_then <= h.matched_at) AS matched_after_open,
                   count(*) FILTER (WHERE h.now AND h.clicked_now <= h.matched_at)
                       - count(*) FILTER (WHERE h.then AND h.clicked_then <= h.matched_at) AS matched_after_click,
                   coalesce(sum(h.worth) FILTER (WHERE h.now), 0) - coalesce(sum(h.worth) FILTER (WHERE h.then), 0) AS worth
            FROM (SELECT t.revision_id, t.message_id, t.variant_id, t.opened_now, t.opened_then, t.clicked_now, t.clicked_then,
                         h.goal_id, h.matched_at, h.worth,
                         h.now AND t.state >> 8 & 192 = 0 AS now, h.then AND t.state >> 16 & 192 = 0 AS then
                  FROM touched t
                  JOIN hit h ON h.receipt_id = t.receipt_id
                  WHERE (h.now OR h.then) AND (t.already IS NULL OR h.goal_id <> ALL (t.already))) h
            GROUP BY h.revision_id, h.message_id, h.variant_id, h.goal_id
        ), line AS (
            SELECT coalesce(c.message_id, j.message_id) AS message_id, j.name, c.variant_id, c.sent, c.opened, c.clicked,
                   CASE WHEN j.goal_id = ANY (c.already) THEN c.sent ELSE 0 END AS already_matched,
                   0 AS matched, 0 AS matched_after_open, 0 AS matched_after_click, 0 AS worth,
                   c.deliveries, c.bounced, c.complained, c.unsubscribed, c.opened_by_machine, c.clicked_by_machine
            FROM counted c
            JOIN judged j ON j.revision_id = c.revision_id
            UNION ALL
            SELECT coalesce(m.message_id, j.message_id), j.name, m.variant_id, 0, 0, 0, 0, m.matched, m.matched_after_open, m.matched_after_click, m.worth,
                   0, 0, 0, 0, 0, 0
            FROM matched m
            JOIN judged j ON j.revision_id = m.revision_id AND j.goal_id = m.goal_id
        )
        SELECT l.message_id, l.name::text, l.variant_id,
               sum(l.sent)::bigint, sum(l.opened)::bigint, sum(l.clicked)::bigint, sum(l.already_matched)::bigint,
               sum(l.matched)::bigint, sum(l.matched_after_open)::bigint, sum(l.matched_after_click)::bigint, sum(l.worth),
               sum(l.deliveries)::bigint, sum(l.bounced)::bigint, sum(l.complained)::bigint, sum(l.unsubscribed)::bigint,
               sum(l.opened_by_machine)::bigint, sum(l.clicked_by_machine)::bigint
        FROM line l
        GROUP BY l.message_id, l.name, l.variant_id;
        EXIT WHEN to_engagement IS NOT DISTINCT FROM last_engagement AND to_match IS NOT DISTINCT FROM last_match;
        after_receipt := to_receipt;
        after_engagement := to_engagement;
        after_match := to_match;
        overtaken := NULL;
    END LOOP;
END
$$;
COMMENT ON FUNCTION goals_internal.movement(bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS
    'By how much the counters change from one mark to a later one, in parts that add up';

-- With nested loops, which movement() does without.
CREATE FUNCTION goals_internal.superseded(after_receipt bigint, to_receipt bigint)
RETURNS SETOF bigint
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT CASE WHEN (o.sent_at, o.receipt_id) < (n.sent_at, n.receipt_id) THEN n.receipt_id ELSE o.receipt_id END
    FROM goals.receipt n
    JOIN goals_internal.entry_of_same e ON e.receipt_id = n.receipt_id AND e.other_id <= to_receipt
    JOIN goals.receipt o ON o.receipt_id = e.other_id
    WHERE n.receipt_id > after_receipt AND n.receipt_id <= to_receipt AND n.flags & 2 = 2
$$;
COMMENT ON FUNCTION goals_internal.superseded(bigint, bigint) IS
    'Entries into programmes that are superseded, by an entry between the marks or between them themselves';

CREATE FUNCTION goals_internal.drawn(OUT receipt_id bigint, OUT engagement_id bigint, OUT match_id bigint)
LANGUAGE plpgsql VOLATILE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    SELECT CASE WHEN r.is_called THEN r.last_value ELSE 0 END, CASE WHEN e.is_called THEN e.last_value ELSE 0 END,
           CASE WHEN h.is_called THEN h.last_value ELSE 0 END
    INTO receipt_id, engagement_id, match_id
    FROM goals.receipt_id_seq r, goals.engagement_id_seq e, goals.match_id_seq h;
END
$$;
COMMENT ON FUNCTION goals_internal.drawn() IS 'Up to which ids of facts have been drawn, committed or not';

-- A sequence of 0.3: without it nothing is handed over.
CREATE FUNCTION goals_internal.drawn_hand_over()
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF to_regclass('goals.hand_over_id_seq') IS NULL THEN
        RETURN (SELECT coalesce(max(h.hand_over_id), 0) FROM goals.hand_over h);
    END IF;
    RETURN (SELECT CASE WHEN s.is_called THEN s.last_value ELSE 0 END FROM goals.hand_over_id_seq s);
END
$$;
COMMENT ON FUNCTION goals_internal.drawn_hand_over() IS 'Up to which id hand-overs have been drawn, committed or not';

CREATE FUNCTION goals_internal.behind()
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RETURN (SELECT d.receipt_id + d.engagement_id + d.match_id FROM goals_internal.drawn() d)
         - coalesce((SELECT w.people_receipt_id + w.engagement_id + w.match_id FROM goals.watermark w), 0);
END
$$;
COMMENT ON FUNCTION goals_internal.behind() IS 'How many ids of facts have been drawn past the watermark';

-- A function and not part of the view, so that the view stays cheap in the planner's eyes: it would have it compiled
-- (JIT), which takes longer than the query.
CREATE FUNCTION goals.tail_sums()
RETURNS TABLE (message_id integer, goal text, variant_id integer, sent bigint, opened bigint, clicked bigint,
    already_matched bigint, matched bigint, matched_after_open bigint, matched_after_click bigint, worth numeric,
    deliveries bigint, bounced bigint, complained bigint, unsubscribed bigint, opened_by_machine bigint, clicked_by_machine bigint)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    w goals.watermark;
    everything CONSTANT bigint := 9223372036854775807;
BEGIN
    SELECT * INTO w FROM goals.watermark;
    -- Nothing has an id beyond these: the usual case between two calls of roll_up(), and not worth a plan.
    IF (w.receipt_id, w.engagement_id, w.match_id) = (SELECT d.receipt_id, d.engagement_id, d.match_id FROM goals_internal.drawn() d) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT * FROM goals_internal.movement(coalesce(w.receipt_id, 0), coalesce(w.engagement_id, 0), coalesce(w.match_id, 0),
                                 everything, everything, everything);
END
$$;
COMMENT ON FUNCTION goals.tail_sums() IS 'Internal. What the facts past the watermark add to the totals at this moment';
