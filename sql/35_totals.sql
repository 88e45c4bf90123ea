-- The running totals: what is folded in, what lies past the watermark, and the folding itself.
--
-- rolled totals = the contributions of every receipt on record, seen at the watermark. Whatever happens later, the figures
-- are archived + rolled + (contribution now, less contribution at the watermark) over the receipts that a newer fact touches.
-- That sum is exact in every snapshot, because the totals and the watermark change in one transaction.
SET LOCAL search_path = pg_catalog, pg_temp;

-- A function, not a view, for the planner's sake: it plans with the marks' values (custom plans), where a view would guess
-- that a third of the history lies past any mark.
CREATE FUNCTION goals.touched_between(
    after_receipt bigint, after_engagement bigint, after_match bigint,
    to_receipt bigint, to_engagement bigint, to_match bigint)
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 1000
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
BEGIN
    RETURN QUERY
    SELECT r.receipt_id FROM goals.receipt r
    WHERE r.receipt_id > after_receipt AND r.receipt_id <= to_receipt;
    -- A fact of a receipt that is itself new is part of that receipt.
    RETURN QUERY
    SELECT e.receipt_id FROM goals.engagement e
    WHERE e.engagement_id > after_engagement AND e.engagement_id <= to_engagement AND e.receipt_id <= after_receipt
    UNION
    SELECT h.receipt_id FROM goals.match_log h
    WHERE h.match_id > after_match AND h.match_id <= to_match AND h.receipt_id <= after_receipt;
END
$$;
COMMENT ON FUNCTION goals.touched_between(bigint, bigint, bigint, bigint, bigint, bigint) IS
    'Internal. The receipts that are new, or have a new fact, between two marks; each once';

CREATE FUNCTION goals.tail()
RETURNS SETOF bigint
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 1000
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    w goals.watermark;
    everything CONSTANT bigint := 9223372036854775807;
BEGIN
    SELECT * INTO w FROM goals.watermark;
    RETURN QUERY SELECT goals.touched_between(coalesce(w.receipt_id, 0), coalesce(w.engagement_id, 0), coalesce(w.match_id, 0),
                                              everything, everything, everything);
END
$$;
COMMENT ON FUNCTION goals.tail() IS 'Internal. The receipts that facts past the watermark touch';

-- What contribution says of the touched receipts at both marks, worked out for all of them together: each kind of fact is read
-- once, where looking it up for every receipt and goal would take several times as long. verify() holds the totals that these
-- differences add up to against contribution.
--
-- What a receipt counts for by itself is the same for every goal of its revision, so it is summed by revision and variant before
-- the goals come into it. Facts of old receipts are looked up by one scan with an array of ids, at half the price of a join that
-- descends the index for each. All other joins are by hash: a tail may be many times what the planner guesses, and with nested
-- loops it would compare each of it with all of it. They are made in the order in which they are written, for looking for a better
-- one takes longer than a short tail.
--
-- However much there is, no more than so many ids of facts are taken at a time (or a hundredth of all, if that is more): then memory has a
-- bound, and an array its size. The differences from mark to mark add up.
--
-- In the names: old, a receipt below the first mark; ..._then, as known at the first mark; ..._now, at the second.
CREATE FUNCTION goals.movement(
    after_receipt bigint, after_engagement bigint, after_match bigint,
    to_receipt bigint, to_engagement bigint, to_match bigint, at_a_time bigint = 2000000)
RETURNS TABLE (message_id integer, goal text, variant_id integer, sent bigint, opened bigint, clicked bigint,
    already_matched bigint, matched bigint, matched_after_open bigint, matched_after_click bigint, worth numeric)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 1 SET from_collapse_limit = 1 SET enable_nestloop = off
AS $$
#variable_conflict use_column
DECLARE
    last_engagement CONSTANT bigint := to_engagement;
    last_match CONSTANT bigint := to_match;
    drawn record;
BEGIN
    SELECT d.engagement_id, d.match_id INTO drawn FROM goals.drawn() d;
    -- Ids begin at 1, and there are about a hundred parts at most of each kind: whatever is asked for, there is an end, and soon.
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
                         WHERE h.match_id > after_match AND h.match_id <= to_match AND h.receipt_id <= after_receipt) AS ids
        ), engaged AS (
            SELECT f.receipt_id,
                   min(f.at) AS opened_now, min(f.at) FILTER (WHERE f.kind = 'c') AS clicked_now,
                   min(f.at) FILTER (WHERE f.then) AS opened_then, min(f.at) FILTER (WHERE f.then AND f.kind = 'c') AS clicked_then
            FROM (SELECT e.receipt_id, e.at, e.kind, e.engagement_id <= after_engagement AS then
                  FROM goals.engagement e
                  WHERE e.receipt_id = ANY ((SELECT o.ids FROM old o)::bigint[]) AND e.engagement_id <= to_engagement
                  UNION ALL
                  SELECT e.receipt_id, e.at, e.kind, false
                  FROM goals.engagement e
                  WHERE e.receipt_id > after_receipt AND e.receipt_id <= to_receipt AND e.engagement_id <= to_engagement) f
            GROUP BY f.receipt_id
        ), touched AS MATERIALIZED (
            SELECT r.receipt_id, r.revision_id, r.variant_id, r.already, r.old,
                   e.opened_now, e.clicked_now, e.opened_then, e.clicked_then
            FROM (SELECT r.receipt_id, r.revision_id, r.variant_id, r.already, true AS old
                  FROM goals.receipt r
                  WHERE r.receipt_id = ANY ((SELECT o.ids FROM old o)::bigint[])
                  UNION ALL
                  SELECT r.receipt_id, r.revision_id, r.variant_id, r.already, false
                  FROM goals.receipt r
                  WHERE r.receipt_id > after_receipt AND r.receipt_id <= to_receipt) r
            LEFT JOIN engaged e ON e.receipt_id = r.receipt_id
        ), counted AS MATERIALIZED (
            SELECT t.revision_id, t.variant_id, t.already,
                   count(*) FILTER (WHERE NOT t.old) AS sent,
                   count(t.opened_now) - count(t.opened_then) AS opened,
                   count(t.clicked_now) - count(t.clicked_then) AS clicked
            FROM touched t
            GROUP BY t.revision_id, t.variant_id, t.already
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
            SELECT t.revision_id, t.variant_id, h.goal_id,
                   count(*) FILTER (WHERE h.now) - count(*) FILTER (WHERE h.then) AS matched,
                   count(*) FILTER (WHERE h.now AND t.opened_now <= h.matched_at)
                       - count(*) FILTER (WHERE h.then AND t.opened_then <= h.matched_at) AS matched_after_open,
                   count(*) FILTER (WHERE h.now AND t.clicked_now <= h.matched_at)
                       - count(*) FILTER (WHERE h.then AND t.clicked_then <= h.matched_at) AS matched_after_click,
                   coalesce(sum(h.worth) FILTER (WHERE h.now), 0) - coalesce(sum(h.worth) FILTER (WHERE h.then), 0) AS worth
            FROM touched t
            JOIN hit h ON h.receipt_id = t.receipt_id
            WHERE (h.now OR h.then) AND (t.already IS NULL OR h.goal_id <> ALL (t.already))
            GROUP BY t.revision_id, t.variant_id, h.goal_id
        ), line AS (
            SELECT j.message_id, j.name, c.variant_id, c.sent, c.opened, c.clicked,
                   CASE WHEN j.goal_id = ANY (c.already) THEN c.sent ELSE 0 END AS already_matched,
                   0 AS matched, 0 AS matched_after_open, 0 AS matched_after_click, 0 AS worth
            FROM counted c
            JOIN judged j ON j.revision_id = c.revision_id
            UNION ALL
            SELECT j.message_id, j.name, m.variant_id, 0, 0, 0, 0, m.matched, m.matched_after_open, m.matched_after_click, m.worth
            FROM matched m
            JOIN judged j ON j.revision_id = m.revision_id AND j.goal_id = m.goal_id
        )
        SELECT l.message_id, l.name::text, l.variant_id,
               sum(l.sent)::bigint, sum(l.opened)::bigint, sum(l.clicked)::bigint, sum(l.already_matched)::bigint,
               sum(l.matched)::bigint, sum(l.matched_after_open)::bigint, sum(l.matched_after_click)::bigint, sum(l.worth)
        FROM line l
        GROUP BY l.message_id, l.name, l.variant_id;
        EXIT WHEN to_engagement IS NOT DISTINCT FROM last_engagement AND to_match IS NOT DISTINCT FROM last_match;
        after_receipt := to_receipt;
        after_engagement := to_engagement;
        after_match := to_match;
    END LOOP;
END
$$;
COMMENT ON FUNCTION goals.movement(bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS
    'Internal. By how much the counters change from one mark to a later one, in parts that add up';

CREATE FUNCTION goals.drawn(OUT receipt_id bigint, OUT engagement_id bigint, OUT match_id bigint)
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
COMMENT ON FUNCTION goals.drawn() IS 'Internal. Up to which ids of facts have been drawn, committed or not';

-- A function and not part of the view, so that the view stays cheap in the planner's eyes: it would have it compiled (JIT),
-- which takes longer than the query.
CREATE FUNCTION goals.tail_sums()
RETURNS TABLE (message_id integer, goal text, variant_id integer, sent bigint, opened bigint, clicked bigint,
    already_matched bigint, matched bigint, matched_after_open bigint, matched_after_click bigint, worth numeric)
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
    IF (w.receipt_id, w.engagement_id, w.match_id) = (SELECT d.receipt_id, d.engagement_id, d.match_id FROM goals.drawn() d) THEN
        RETURN;
    END IF;
    RETURN QUERY
    SELECT * FROM goals.movement(coalesce(w.receipt_id, 0), coalesce(w.engagement_id, 0), coalesce(w.match_id, 0),
                                 everything, everything, everything);
END
$$;
COMMENT ON FUNCTION goals.tail_sums() IS
    'Internal. What the facts past the watermark add to the totals at this moment';

-- Update, then insert what was not there: only the holder of goals.lock_totals writes the totals, so no key is needed.
CREATE FUNCTION goals.add_to_totals(delta goals.total[])
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    UPDATE goals.total t
    SET sent = t.sent + d.sent, opened = t.opened + d.opened, clicked = t.clicked + d.clicked,
        already_matched = t.already_matched + d.already_matched, matched = t.matched + d.matched,
        matched_after_open = t.matched_after_open + d.matched_after_open,
        matched_after_click = t.matched_after_click + d.matched_after_click,
        worth = t.worth + d.worth, users = t.users + d.users, users_matched = t.users_matched + d.users_matched,
        converters = t.converters + d.converters, converters_all = t.converters_all + d.converters_all,
        users_worth = t.users_worth + d.users_worth
    FROM unnest(delta) d
    WHERE t.message_id = d.message_id AND t.layer = d.layer AND t.goal IS NOT DISTINCT FROM d.goal
      AND t.variant_id IS NOT DISTINCT FROM d.variant_id AND t.day IS NOT DISTINCT FROM d.day;
    INSERT INTO goals.total
    SELECT d.* FROM unnest(delta) d
    WHERE NOT EXISTS (
        SELECT FROM goals.total t
        WHERE t.message_id = d.message_id AND t.layer = d.layer AND t.goal IS NOT DISTINCT FROM d.goal
          AND t.variant_id IS NOT DISTINCT FROM d.variant_id AND t.day IS NOT DISTINCT FROM d.day);
END
$$;
COMMENT ON FUNCTION goals.add_to_totals(goals.total[]) IS
    'Internal. Add differences to the totals, one row a layer, message, goal, variant and day; the caller holds the lock on the totals';

-- A lock on the table, which takes a right on it that only the owner has; an advisory lock could be held by any role that may
-- connect. Readers and the writers of facts do not meet it. VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY of this small table
-- do: for as long as they run, who does not wait is refused. It takes no transaction id, which goals.roll_up() depends on.
CREATE FUNCTION goals.lock_totals(wait boolean)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- Who owns one of them could have code run with our rights.
    IF EXISTS (SELECT FROM pg_tables t JOIN pg_extension e ON e.extname = 'pg_goals'
               WHERE t.schemaname = 'goals' AND t.tablename IN ('total', 'watermark', 'next_watermark') AND t.tableowner <> pg_get_userbyid(e.extowner)) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = 'a table of the totals has another owner than the extension',
            HINT = 'goals.health() says which, and how it is given back.';
    END IF;
    IF wait THEN
        LOCK TABLE goals.total IN SHARE ROW EXCLUSIVE MODE;
        -- A snapshot older than the lock would take off what the totals no longer hold. At READ COMMITTED the next
        -- statement has a new one; at a higher level this fails with 40001 if a holder has changed anything since.
        INSERT INTO goals.watermark AS w VALUES (true, 0, 0, 0, NULL)
        ON CONFLICT (only_row) DO UPDATE SET rolled_at = w.rolled_at;
        RETURN true;
    END IF;
    BEGIN
        LOCK TABLE goals.total IN SHARE ROW EXCLUSIVE MODE NOWAIT;
    EXCEPTION WHEN lock_not_available THEN
        RETURN false;
    END;
    RETURN true;
END
$$;
COMMENT ON FUNCTION goals.lock_totals(boolean) IS
    'Internal. The lock of those who write the totals, held to the end of the transaction; false: another call has it';

-- A receipt's facts may outlive it: a writer was under way while the person was forgotten. They count for nobody, settled or not.
-- Who wrote them had seen the receipt, so a snapshot that has a fact and not its receipt means that the receipt is gone.
CREATE FUNCTION goals.drop_orphans(after_engagement bigint, to_engagement bigint, after_match bigint, to_match bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
    DELETE FROM goals.engagement e
    WHERE e.engagement_id > after_engagement AND e.engagement_id <= to_engagement
      AND NOT EXISTS (SELECT FROM goals.receipt r WHERE r.receipt_id = e.receipt_id);
    DELETE FROM goals.match_log h
    WHERE h.match_id > after_match AND h.match_id <= to_match
      AND NOT EXISTS (SELECT FROM goals.receipt r WHERE r.receipt_id = h.receipt_id);
END
$$;
COMMENT ON FUNCTION goals.drop_orphans(bigint, bigint, bigint, bigint) IS
    'Internal. Delete the facts between these marks whose receipt has been forgotten or purged; the caller holds the lock on the totals';

-- Ids are drawn in order but committed in any order, so a mark may be folded only when every writer that could hold an id
-- below it has ended. A writer has its transaction id before it draws; so: read the sequences, then take a transaction id
-- of our own. Whoever drew an id up to the mark has a smaller one, and all smaller ones have ended as soon as a
-- snapshot's xmin has reached ours. (The xmax of a snapshot would not do: it is one past the latest transaction that has
-- *ended*, and a running one may be at or beyond it.)
CREATE FUNCTION goals.roll_up()
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
DECLARE
    w goals.watermark;
    n goals.next_watermark;
    sampled goals.next_watermark;
    folded bigint;
BEGIN
    IF pg_is_in_recovery() THEN
        RAISE EXCEPTION USING ERRCODE = 'read_only_sql_transaction',
            MESSAGE = 'cannot execute goals.roll_up() during recovery', HINT = 'Call it on the primary; the figures are exact here as well.';
    END IF;
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE NOTICE 'goals.roll_up() does nothing at isolation level %', current_setting('transaction_isolation')
            USING HINT = 'Call it at READ COMMITTED: it has to see what was committed meanwhile.';
        RETURN 0;
    END IF;
    IF NOT goals.lock_totals(false) THEN
        RETURN 0;
    END IF;

    SELECT * INTO w FROM goals.watermark;
    w.receipt_id := coalesce(w.receipt_id, 0);
    w.engagement_id := coalesce(w.engagement_id, 0);
    w.match_id := coalesce(w.match_id, 0);
    SELECT * INTO n FROM goals.next_watermark;
    -- The call that left it has committed, so its id is behind us, unless these files came from another cluster.
    IF n.settled_at >= pg_snapshot_xmax(pg_current_snapshot()) THEN
        n := NULL;
    END IF;
    IF pg_snapshot_xmin(pg_current_snapshot()) < n.settled_at THEN
        RETURN 0;
    END IF;

    -- From here on n is a mark to fold, or nothing.
    sampled.only_row := true;
    sampled.revision_id := goals.last_settled_revision();
    SELECT d.receipt_id, d.engagement_id, d.match_id INTO sampled.receipt_id, sampled.engagement_id, sampled.match_id
    FROM goals.drawn() d;
    IF (sampled.receipt_id, sampled.engagement_id, sampled.match_id)
       IS NOT DISTINCT FROM (w.receipt_id, w.engagement_id, w.match_id)
       AND NOT EXISTS (SELECT FROM goals.unused_revisions(sampled.revision_id)) THEN
        RETURN 0;
    END IF;
    IF pg_current_xact_id_if_assigned() IS NULL THEN
        sampled.settled_at := pg_current_xact_id();
        IF pg_snapshot_xmin(pg_current_snapshot()) >= sampled.settled_at THEN
            n := sampled;
            sampled := NULL;
        END IF;
    ELSE
        -- Our id is older than what was drawn since: it proves nothing about the marks just read.
        sampled := NULL;
        IF n.settled_at IS NULL THEN
            RAISE NOTICE 'goals.roll_up() does nothing in a transaction that has already written'
                USING HINT = 'Call it in a transaction of its own.';
            RETURN 0;
        END IF;
    END IF;
    DELETE FROM goals.next_watermark;
    IF sampled.settled_at IS NOT NULL THEN
        INSERT INTO goals.next_watermark SELECT sampled.*;
    END IF;
    IF n.settled_at IS NULL THEN
        RETURN 0;
    END IF;

    PERFORM goals.drop_orphans(w.engagement_id, n.engagement_id, w.match_id, n.match_id);
    SELECT (SELECT count(*) FROM goals.receipt r WHERE r.receipt_id > w.receipt_id AND r.receipt_id <= n.receipt_id)
         + (SELECT count(*) FROM goals.engagement e
            WHERE e.engagement_id > w.engagement_id AND e.engagement_id <= n.engagement_id)
         + (SELECT count(*) FROM goals.match_log h WHERE h.match_id > w.match_id AND h.match_id <= n.match_id)
    INTO folded;

    PERFORM goals.add_to_totals(ARRAY(
        SELECT ROW('rolled', d.message_id, d.goal, d.variant_id, sum(d.sent), sum(d.opened), sum(d.clicked), sum(d.already_matched),
                   sum(d.matched), sum(d.matched_after_open), sum(d.matched_after_click), sum(d.worth), 0, 0, NULL, 0, 0, 0)::goals.total
        FROM goals.movement(w.receipt_id, w.engagement_id, w.match_id, n.receipt_id, n.engagement_id, n.match_id) d
        GROUP BY d.message_id, d.goal, d.variant_id));
    INSERT INTO goals.watermark AS mine VALUES (true, n.receipt_id, n.engagement_id, n.match_id, clock_timestamp())
    ON CONFLICT (only_row) DO UPDATE
    SET receipt_id = EXCLUDED.receipt_id, engagement_id = EXCLUDED.engagement_id, match_id = EXCLUDED.match_id,
        rolled_at = EXCLUDED.rolled_at;
    PERFORM goals.summarize_marks();
    PERFORM goals.drop_unused_revisions(n.revision_id);
    RETURN folded;
END
$$;
COMMENT ON FUNCTION goals.roll_up() IS
    'Fold settled history into the running totals; returns how many receipts, opens, clicks and hits were folded (0: nothing settled, or another call is at it). Safe at any time, by several callers';

-- Goals that were set anew before anybody was sent something under them can never count. Each backend keeps all goals in memory
-- and judges them, so these are taken away, as soon as nobody can be about to make a receipt under them:
--   who makes a receipt has a transaction id, and only then learns which goals are in force;
--   so, once the announcement of the newer ones is out, only transactions that have an id by then can miss it;
--   they have all ended when the mark is folded that was sampled afterwards.
-- The announcement goes out before the setter's lock on the table is released, but after its commit is visible: hence the look
-- at the locks.
CREATE FUNCTION goals.last_settled_revision()
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_one CONSTANT integer := (SELECT max(v.revision_id) FROM goals.revision v);
BEGIN
    IF EXISTS (SELECT FROM pg_locks l
               WHERE l.locktype = 'relation' AND l.relation = 'goals.revision'::regclass AND l.mode = 'RowExclusiveLock'
                 AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                 AND l.pid IS DISTINCT FROM pg_backend_pid()) THEN
        RETURN 0;
    END IF;
    RETURN coalesce(last_one, 0);
END
$$;
COMMENT ON FUNCTION goals.last_settled_revision() IS
    'Internal. The newest revision if every backend has been told of it and of those before it; 0 while goals are being set';

CREATE FUNCTION goals.unused_revisions(up_to integer)
RETURNS SETOF goals.revision
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
    RETURN QUERY
    SELECT v.*
    FROM goals.revision v
    JOIN (SELECT n.message_id, max(n.revision_id) AS revision_id
          FROM goals.revision n WHERE n.revision_id <= up_to GROUP BY n.message_id) newest
         ON newest.message_id = v.message_id AND newest.revision_id > v.revision_id
    WHERE NOT EXISTS (SELECT FROM goals.receipt r WHERE r.revision_id = v.revision_id);
END
$$;
COMMENT ON FUNCTION goals.unused_revisions(integer) IS
    'Internal. The revisions that have been replaced by one up to this, and under which there is no receipt';

CREATE FUNCTION goals.drop_unused_revisions(up_to integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unused CONSTANT goals.revision[] := ARRAY(SELECT u FROM goals.unused_revisions(up_to) u);
    dropped integer[];
BEGIN
    IF cardinality(unused) = 0 THEN
        RETURN;
    END IF;
    DELETE FROM goals.revision v USING unnest(unused) u WHERE v.revision_id = u.revision_id;
    -- The first version stands for the goal's name.
    WITH gone AS (
        DELETE FROM goals.goal g
        USING (SELECT DISTINCT unnest(u.goal_ids) AS goal_id FROM unnest(unused) u) u
        WHERE g.goal_id = u.goal_id AND g.version > 1
          AND NOT EXISTS (SELECT FROM goals.revision v WHERE v.message_id = g.message_id AND g.goal_id = ANY (v.goal_ids))
        RETURNING g.goal_id
    )
    SELECT array_agg(g.goal_id) INTO dropped FROM gone g;
    DELETE FROM goals.goal_stop s WHERE s.goal_id = ANY (dropped);
    PERFORM goals.announce();
END
$$;
COMMENT ON FUNCTION goals.drop_unused_revisions(integer) IS
    'Internal. Forget the versions of goals that have been replaced before anybody was sent something under them';

-- The block-range indexes that find the tail learn of new pages from VACUUM only. Where one is at work it will do it.
CREATE FUNCTION goals.summarize_marks()
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE goals.engagement, goals.match_log IN SHARE UPDATE EXCLUSIVE MODE NOWAIT;
    PERFORM brin_summarize_new_values('goals.engagement_id_idx'::regclass);
    PERFORM brin_summarize_new_values('goals.match_log_id_idx'::regclass);
EXCEPTION WHEN lock_not_available THEN
    NULL;
END
$$;
COMMENT ON FUNCTION goals.summarize_marks() IS
    'Internal. Bring the block-range indexes on the ids of the facts up to date';

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
