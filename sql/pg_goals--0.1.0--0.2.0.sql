\echo Use "ALTER EXTENSION pg_goals UPDATE TO '0.2.0'" to load this file. \quit
-- What 0.2.0 changes in an installation of 0.1.0; checks/upgraded_equals_fresh compares the result with sql/.
SET LOCAL search_path = pg_catalog, pg_temp;
-- What cannot be replaced in place ------------------------------------------------------------------------------------

-- Rights granted on these are lost and have to be granted again:
-- goals.contribution
DROP VIEW goals.contribution;

-- Tables --------------------------------------------------------------------------------------------------------------

ALTER TABLE goals.next_watermark ADD COLUMN revision_id integer DEFAULT 0 NOT NULL;
SELECT pg_catalog.pg_extension_config_dump('goals.source', 'WHERE relation::pg_catalog.oid IN (SELECT oid FROM pg_catalog.pg_class)');

-- Functions, views and row types --------------------------------------------------------------------------------------

CREATE FUNCTION goals.announce() RETURNS void
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pg_goals_announce';

CREATE VIEW goals.contribution AS
SELECT l.settled,
       l.receipt_id, l.users_id, l.user_key, l.variant_id, l.sent_at, l.message_id, l.goal_id, l.goal,
       l.as_opened_at AS opened_at, l.as_clicked_at AS clicked_at, l.as_matched_at AS matched_at, l.window_opens, l.window_closes, l.stopped_at,
       1 AS sent,
       (l.as_opened_at IS NOT NULL)::integer AS opened,
       (l.as_clicked_at IS NOT NULL)::integer AS clicked,
       l.already_matched::integer AS already_matched,
       (l.as_matched_at IS NOT NULL)::integer AS matched,
       coalesce(l.as_opened_at <= l.as_matched_at, false)::integer AS matched_after_open,
       coalesce(l.as_clicked_at <= l.as_matched_at, false)::integer AS matched_after_click,
       coalesce(l.as_worth, 0) AS worth,
       -- Receipts of one user whose match is the same change: same instant, same cause.
       coalesce('a' || l.attribute, 'e' || l.event) AS cause
FROM (SELECT k.settled, l.*,
             CASE WHEN k.settled THEN l.rolled_opened_at ELSE l.opened_at END AS as_opened_at,
             CASE WHEN k.settled THEN l.rolled_clicked_at ELSE l.clicked_at END AS as_clicked_at,
             CASE WHEN k.settled THEN l.rolled_matched_at ELSE l.matched_at END AS as_matched_at,
             CASE WHEN k.settled THEN l.rolled_worth ELSE l.worth END AS as_worth
      FROM goals.ledger l
      -- A lateral VALUES list would say it shorter, but sets its expressions up anew for every row.
      CROSS JOIN (SELECT false AS settled UNION ALL SELECT true) k
      WHERE NOT k.settled OR l.rolled) l;

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
-- However much there is, no more than so many ids of facts are taken at a time: then memory has a bound, and an array its size. The
-- differences from mark to mark add up.
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

-- A function and not part of the view, so that the view stays cheap in the planner's eyes: it would have it compiled (JIT),
-- which takes longer than the query.
CREATE OR REPLACE FUNCTION goals.tail_sums()
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

-- Ids are drawn in order but committed in any order, so a mark may be folded only when every writer that could hold an id
-- below it has ended. A writer has its transaction id before it draws; so: read the sequences, then take a transaction id
-- of our own. Whoever drew an id up to the mark has a smaller one, and all smaller ones have ended as soon as a
-- snapshot's xmin has reached ours. (The xmax of a snapshot would not do: it is one past the latest transaction that has
-- *ended*, and a running one may be at or beyond it.)
CREATE OR REPLACE FUNCTION goals.roll_up()
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

    -- A receipt's facts may outlive it: a writer was under way while the person was forgotten.
    DELETE FROM goals.engagement e
    WHERE e.engagement_id > w.engagement_id AND e.engagement_id <= n.engagement_id
      AND NOT EXISTS (SELECT FROM goals.receipt r WHERE r.receipt_id = e.receipt_id);
    DELETE FROM goals.match_log h
    WHERE h.match_id > w.match_id AND h.match_id <= n.match_id
      AND NOT EXISTS (SELECT FROM goals.receipt r WHERE r.receipt_id = h.receipt_id);
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

CREATE FUNCTION goals.refuse_null(parameter text)
RETURNS void
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
        MESSAGE = format('"%s" must not be null', parameter), HINT = format('Pass a value for %s.', parameter);
END
$$;

CREATE OR REPLACE FUNCTION goals.known_message(message text)
RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    found_id integer;
    near text;
BEGIN
    IF message IS NULL THEN
        PERFORM goals.refuse_null('message');
    END IF;
    SELECT m.message_id INTO found_id FROM goals.message m WHERE m.name = message;
    IF found_id IS NULL THEN
        SELECT goals.nearest(message, array_agg(m.name::text)) INTO near FROM goals.message m;
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('message "%s" does not exist', message),
            HINT = coalesce('Perhaps you meant "' || near || '".', 'Create it with goals.create_message().');
    END IF;
    RETURN found_id;
END
$$;

CREATE OR REPLACE FUNCTION goals.check_goal(of_message integer, goal text)
RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    near text;
BEGIN
    IF EXISTS (SELECT FROM goals.goal g WHERE g.message_id = of_message AND g.name = goal) THEN
        RETURN;
    ELSIF goal IS NULL THEN
        PERFORM goals.refuse_null('goal');
    END IF;
    SELECT goals.nearest(goal, array_agg(DISTINCT g.name::text)) INTO near FROM goals.goal g WHERE g.message_id = of_message;
    RAISE EXCEPTION USING ERRCODE = 'undefined_object',
        MESSAGE = format('goal "%s" of message "%s" does not exist',
                         goal, (SELECT m.name FROM goals.message m WHERE m.message_id = of_message)),
        HINT = coalesce('Perhaps you meant "' || near || '".', 'Set one with goals.set_goal().');
END
$$;

CREATE OR REPLACE FUNCTION goals.explain(message text, user_key text)
RETURNS TABLE (goal text, receipt_id bigint, variant text, sent_at timestamptz, opened_at timestamptz, clicked_at timestamptz,
    verdict text, window_opens timestamptz, window_closes timestamptz, matched_at timestamptz, attribute text, event text,
    old_value jsonb, new_value jsonb, times_seen bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals.known_message(message);
    at_once CONSTANT timestamptz := clock_timestamp();
    users integer;
BEGIN
    IF explain.user_key IS NULL THEN
        PERFORM goals.refuse_null('user_key');
    END IF;
    SELECT m.users_id INTO users FROM goals.message m WHERE m.message_id = of_message;
    RETURN QUERY
    SELECT o.goal::text, o.receipt_id, o.variant::text, o.sent_at, o.opened_at, o.clicked_at,
           CASE
               WHEN o.is_control THEN 'control'
               WHEN o.already_matched THEN 'already matched when sent'
               WHEN o.matched_at IS NOT NULL THEN 'matched'
               WHEN o.stopped_at < o.window_closes OR (o.window_opens IS NULL AND o.stopped_at IS NOT NULL)
                   THEN 'goal stopped'
               WHEN o.window_opens IS NULL AND o.after = 'opened' THEN 'not opened'
               WHEN o.window_opens IS NULL THEN 'not clicked'
               WHEN o.window_closes < at_once THEN 'time limit passed'
               ELSE 'still running'
           END,
           o.window_opens, o.window_closes, o.matched_at, o.attribute::text, o.event::text, o.old_value, o.new_value,
           -- A goal that held already may have hits of a change in the same instant; they were not looked for.
           CASE WHEN o.already_matched THEN 0
                ELSE (SELECT count(*) FROM goals.match_log h WHERE h.receipt_id = o.receipt_id AND h.goal_id = o.goal_id)
           END
    FROM goals.outcome o
    WHERE o.message_id = of_message AND o.users_id = users AND o.user_key = coalesce(goals.stored_key(users, explain.user_key), explain.user_key)
    ORDER BY o.sent_at, o.receipt_id, o.goal;
END
$$;

-- Widths are counted in characters. A control character would break the line: it shows as a question mark. Beyond ASCII there
-- are such only in Unicode and the ISO encodings; elsewhere the same bytes are letters, or parts of them.
CREATE OR REPLACE FUNCTION goals.fit(line text, width integer)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT rpad(CASE WHEN length(c) > width THEN left(c, width - 1) || goals.glyph(8230, '~') ELSE c END, width)
    FROM regexp_replace(line, CASE WHEN getdatabaseencoding() ~ '^(UTF8|LATIN|ISO)' THEN '[[:cntrl:]]'
                                   ELSE '[\x01-\x1f\x7f]' END, '?', 'g') c
$$;

-- A measure: its name in 18 columns, how many in 12, which share in 8, and a bar of 40 after two spaces.
CREATE OR REPLACE FUNCTION goals.bar_line(name text, part bigint, whole bigint)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT goals.fit(name, 18)
        || lpad(CASE WHEN part < 1000000000 THEN to_char(part, 'FM999,999,990')
                     WHEN part < 1000000000000 THEN part::text
                     ELSE trim(to_char(part::numeric, '9.999EEEE')) END, 12)
        || lpad(CASE WHEN whole > 0 THEN to_char(100.0 * part / whole, 'FM990.0') || '%' ELSE '-' END, 8)
        || '  ' || goals.bar(part, whole, 40)
$$;

CREATE OR REPLACE FUNCTION goals.stats_bar(message text)
RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals.known_message(message);
    head record;
    g record;
    c record;
BEGIN
    SELECT m.kind, m.channel INTO head FROM goals.message m WHERE m.message_id = of_message;
    RETURN NEXT goals.fit(stats_bar.message || coalesce('  ' || goals.glyph(183, '-') || '  ' || head.channel, '')
                          || '  ' || goals.glyph(183, '-') || '  ' || replace(head.kind, '_', '-'), 80);
    RETURN NEXT repeat(goals.glyph(9472, '-'), 80);
    SELECT coalesce(sum(x.sent) FILTER (WHERE v.is_control IS NOT TRUE), 0)::bigint AS sent,
           coalesce(sum(x.opened) FILTER (WHERE v.is_control IS NOT TRUE), 0)::bigint AS opened,
           coalesce(sum(x.clicked) FILTER (WHERE v.is_control IS NOT TRUE), 0)::bigint AS clicked
    INTO c
    FROM goals.counted x
    LEFT JOIN goals.variant v ON v.variant_id = x.variant_id
    WHERE x.message = stats_bar.message AND x.goal IS NULL;
    RETURN NEXT goals.bar_line('Sent', c.sent, c.sent);
    RETURN NEXT goals.bar_line('Opened', c.opened, c.sent);
    RETURN NEXT goals.bar_line('Clicked', c.clicked, c.sent);

    -- A goal's share is of the receipts it judges. They are named where they are fewer than the message's, and those who had
    -- matched before they were written to when there are any.
    FOR g IN
        SELECT s.goal, s.sent, s.matched, s.already_matched,
               sum(x.sent) AS control_sent, sum(x.matched) AS control_matched
        FROM goals.message_stats s
        LEFT JOIN goals.variant_stats x ON x.message = s.message AND x.goal = s.goal AND x.variant = 'control'
        WHERE s.message = stats_bar.message AND s.goal IS NOT NULL
        GROUP BY s.goal, s.sent, s.matched, s.already_matched
        ORDER BY s.goal <> 'primary', s.goal
    LOOP
        RETURN NEXT goals.bar_line('Goal ' || g.goal, g.matched, g.sent);
        IF g.sent < c.sent THEN
            RETURN NEXT goals.bar_line('  of those judged', g.sent, c.sent);
        END IF;
        IF g.control_sent > 0 THEN
            RETURN NEXT goals.bar_line('  control group', g.control_matched::bigint, g.control_sent::bigint);
        END IF;
        IF g.already_matched > 0 THEN
            RETURN NEXT goals.bar_line('  already matched', g.already_matched, g.sent);
        END IF;
    END LOOP;
    RETURN NEXT repeat(goals.glyph(9472, '-'), 80);
END
$$;

CREATE OR REPLACE FUNCTION goals.daily_since_sending(message text, goal text DEFAULT 'primary')
RETURNS TABLE (variant text, days bigint, reached bigint, opened bigint, clicked bigint, matched bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals.known_message(message);
    at_once CONSTANT timestamptz := clock_timestamp();
BEGIN
    PERFORM goals.check_goal(of_message, daily_since_sending.goal);
    RETURN QUERY
    WITH aged AS MATERIALIZED (
        SELECT c.variant_id, floor(extract(epoch FROM at_once - c.sent_at) / 86400)::bigint AS age,
               floor(extract(epoch FROM c.opened_at - c.sent_at) / 86400)::bigint AS opened_day,
               floor(extract(epoch FROM c.clicked_at - c.sent_at) / 86400)::bigint AS clicked_day,
               floor(extract(epoch FROM c.matched_at - c.sent_at) / 86400)::bigint AS matched_day
        FROM goals.contribution c
        WHERE NOT c.settled AND c.message_id = of_message AND c.goal = daily_since_sending.goal
    ), time_limit AS (
        SELECT ceil(max(g.time_limit_us) / 86400000000.0)::bigint AS days FROM goals.goal g
        WHERE g.message_id = of_message AND g.name = daily_since_sending.goal
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
    -- A receipt may be as old as time itself: beyond the time limit there are only the days on which something happened.
    WHERE s.day BETWEEN 0 AND l.days OR s.opened > 0 OR s.clicked > 0 OR s.matched > 0
    ORDER BY v.variant_id, s.day;
END
$$;

-- Every receipt in its window has credit in the records. Here the credit of a change is shared out once: the receipts whose
-- match is the same change of the same user (same instant, same attribute or event) divide 1 between them.
CREATE OR REPLACE FUNCTION goals.attribution(model text DEFAULT 'last touch', since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL,
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
BEGIN
    IF way IS NULL OR way NOT IN ('first touch', 'last touch', 'last click', 'linear', 'time decay') THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('attribution model "%s" is not known', model),
            HINT = 'The models are: first touch, last touch, last click, linear, time decay.';
    END IF;
    IF half_life_seconds IS NULL OR half_life_seconds <= 0 THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = 'half_life must be greater than zero', HINT = 'For example: half_life => interval ''7 days''.';
    END IF;
    RETURN QUERY
    WITH matched AS MATERIALIZED (
        SELECT o.message, o.goal, o.users_id, o.user_key, o.receipt_id, o.sent_at, o.matched_at, coalesce(o.worth, 0) AS worth,
               coalesce('a' || o.attribute, 'e' || o.event) AS cause,
               CASE WHEN o.clicked_at <= o.matched_at THEN o.clicked_at END AS clicked_at
        FROM goals.outcome o
        WHERE o.matched_at IS NOT NULL AND NOT o.is_control
          AND (attribution.since IS NULL OR o.matched_at >= attribution.since)
          AND (attribution.until IS NULL OR o.matched_at < attribution.until)
    ), ranked AS (
        SELECT m.*,
               row_number() OVER (by_change ORDER BY m.sent_at, m.receipt_id, m.goal) AS from_first,
               row_number() OVER (by_change ORDER BY m.sent_at DESC, m.receipt_id DESC, m.goal) AS from_last,
               -- Nobody clicked: the last touch has it.
               row_number() OVER (by_change ORDER BY m.clicked_at DESC NULLS LAST, m.sent_at DESC, m.receipt_id DESC, m.goal)
                   AS from_click,
               -- Relative to the latest touch, so that old changes do not vanish below the smallest number.
               extract(epoch FROM max(m.sent_at) OVER by_change - m.sent_at)::double precision AS age
        FROM matched m
        WINDOW by_change AS (PARTITION BY m.users_id, m.user_key, m.matched_at, m.cause)
    ), weighed AS (
        SELECT r.*,
               CASE way WHEN 'first touch' THEN (r.from_first = 1)::integer::double precision
                        WHEN 'last touch' THEN (r.from_last = 1)::integer
                        WHEN 'last click' THEN (r.from_click = 1)::integer
                        WHEN 'linear' THEN 1
                        -- 2^-100 is nothing beside the 1 of the latest touch; far below it a product would be an error.
                        ELSE power(2::double precision, -least(r.age / half_life_seconds, 100))
               END AS weight
        FROM ranked r
    ), shared AS (
        SELECT w.message, w.goal, w.worth,
               w.weight / sum(w.weight) OVER (PARTITION BY w.users_id, w.user_key, w.matched_at, w.cause) AS credit
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

-- A user counts once per variant, and has matched if any receipt did. Left out: users seen in two variants; of the rest,
-- users whose every receipt was already matched. A receipt still in its window is left out whether or not it has matched:
-- keeping the matched ones alone would favour the quick. A user's worth is that of his changes, each once, however many
-- receipts it is a match for.
CREATE OR REPLACE FUNCTION goals.compare_data(message text, goal text DEFAULT 'primary', include_running boolean DEFAULT false)
RETURNS TABLE (variant text, is_control boolean, weight double precision, users bigint, matched bigint, converters_all bigint,
    assigned_users bigint, worth numeric, all_matured boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals.known_message(message);
    at_once CONSTANT timestamptz := clock_timestamp();
BEGIN
    PERFORM goals.check_goal(of_message, compare_data.goal);
    RETURN QUERY
    WITH arm AS (
        -- Divided by the heaviest first: of weights of 0.1.0 the sum may be beyond the largest number, and the quotient below the least.
        SELECT v.variant_id, v.name, v.is_control,
               CASE WHEN v.is_control THEN v.weight
                    ELSE (1 - coalesce(o.control, 0)) * s.share / sum(s.share) FILTER (WHERE NOT v.is_control) OVER ()
               END AS weight
        FROM goals.variant v
        CROSS JOIN (SELECT max(x.weight) FILTER (WHERE NOT x.is_control) AS heaviest,
                           max(x.weight) FILTER (WHERE x.is_control) AS control
                    FROM goals.variant x WHERE x.message_id = of_message) o
        CROSS JOIN LATERAL (SELECT CASE WHEN v.weight < greatest(o.heaviest, 1e-200) * 1e-12 THEN 1e-12
                                        ELSE v.weight / o.heaviest END AS share) s
        WHERE v.message_id = of_message
        UNION ALL
        SELECT NULL, NULL, false,
               1 - coalesce((SELECT v.weight FROM goals.variant v WHERE v.message_id = of_message AND v.is_control), 0)
        WHERE NOT EXISTS (SELECT FROM goals.variant v WHERE v.message_id = of_message AND NOT v.is_control)
    ), seen AS MATERIALIZED (
        SELECT c.user_key, c.variant_id, c.goal IS NOT NULL AND c.already_matched = 0 AS eligible, c.matched = 1 AS matched,
               r.running, include_running OR NOT r.running AS judged, c.matched_at, c.cause, c.worth
        FROM goals.contribution c
        CROSS JOIN LATERAL (SELECT coalesce(c.stopped_at IS NULL AND c.window_closes >= at_once, false) AS running) r
        WHERE NOT c.settled AND c.message_id = of_message AND (c.goal IS NULL OR c.goal = compare_data.goal)
    ), person AS MATERIALIZED (
        SELECT s.user_key, min(coalesce(s.variant_id, 0)) AS variant_id,
               bool_or(s.eligible AND s.judged) AS counts, bool_or(s.matched AND s.judged) AS matched,
               bool_or(s.matched) AS converted, bool_or(s.eligible AND s.running) AS running
        FROM seen s
        GROUP BY s.user_key
        HAVING min(coalesce(s.variant_id, 0)) = max(coalesce(s.variant_id, 0))
    ), gains AS (
        SELECT p.variant_id, sum(g.worth) AS worth
        FROM (SELECT s.user_key, max(s.worth) AS worth
              FROM seen s
              WHERE s.matched AND s.judged
              GROUP BY s.user_key, s.matched_at, s.cause) g
        JOIN person p ON p.user_key = g.user_key
        GROUP BY p.variant_id
    ), counted AS (
        SELECT p.variant_id, count(*) FILTER (WHERE p.counts) AS users, count(*) FILTER (WHERE p.matched) AS matched,
               count(*) FILTER (WHERE p.converted) AS converters_all, count(*) AS assigned_users,
               (SELECT g.worth FROM gains g WHERE g.variant_id = p.variant_id) AS worth, NOT bool_or(p.running) AS all_matured
        FROM person p
        GROUP BY p.variant_id
        UNION ALL
        -- Forgotten and purged people, as they were counted when they left.
        SELECT coalesce(t.variant_id, 0), sum(t.users) FILTER (WHERE t.goal IS NOT NULL),
               sum(t.converters) FILTER (WHERE t.goal IS NOT NULL), sum(t.converters_all) FILTER (WHERE t.goal IS NOT NULL),
               sum(t.users) FILTER (WHERE t.goal IS NULL), sum(t.users_worth) FILTER (WHERE t.goal IS NOT NULL), true
        FROM goals.total t
        WHERE t.layer = 'archived' AND t.message_id = of_message AND (t.goal IS NULL OR t.goal = compare_data.goal)
        GROUP BY t.variant_id
    )
    SELECT a.name::text, a.is_control, a.weight, coalesce(sum(c.users), 0)::bigint,
           -- Who matched both before and after a purge is remembered twice as matched, but not beyond those counted.
           least(coalesce(sum(c.matched), 0), coalesce(sum(c.users), 0))::bigint,
           coalesce(sum(c.converters_all), 0)::bigint, coalesce(sum(c.assigned_users), 0)::bigint,
           coalesce(sum(c.worth), 0), coalesce(bool_and(c.all_matured), true)
    FROM arm a
    LEFT JOIN counted c ON c.variant_id = coalesce(a.variant_id, 0)
    GROUP BY a.variant_id, a.name, a.is_control, a.weight
    ORDER BY a.is_control, a.variant_id;
END
$$;

CREATE OR REPLACE FUNCTION goals.compare(message text, goal text DEFAULT 'primary', baseline text DEFAULT NULL,
    confidence double precision DEFAULT 0.95, include_running boolean DEFAULT false)
RETURNS TABLE (variant text, users bigint, matched bigint, rate double precision, rate_low double precision,
    rate_high double precision, difference double precision, difference_low double precision, difference_high double precision,
    lift double precision, lift_low double precision, lift_high double precision, p_value double precision,
    p_adjusted double precision, probability_better double precision, anytime_p double precision,
    anytime_lift_low double precision, anytime_lift_high double precision, worth_per_user double precision,
    split_p double precision, verdict text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    arms record;
    base integer;
BEGIN
    SELECT array_agg(d.variant ORDER BY d.no) AS variants, array_agg(coalesce(d.variant, '') ORDER BY d.no) AS names,
           array_agg(d.weight ORDER BY d.no) AS weights, array_agg(d.users ORDER BY d.no) AS users,
           array_agg(d.matched ORDER BY d.no) AS matched, array_agg(d.converters_all ORDER BY d.no) AS converters,
           array_agg(d.assigned_users ORDER BY d.no) AS assigned,
           -- A worth beyond the range of double precision is infinite, or nothing, and not an error.
           array_agg(CASE WHEN abs(d.worth) < 1e-300 THEN 0 WHEN abs(d.worth) < 1e300 THEN d.worth::double precision
                          ELSE sign(d.worth)::double precision * 'Infinity'::double precision END ORDER BY d.no) AS worths, bool_and(d.all_matured) AS all_matured
    INTO arms
    FROM (SELECT c.*, row_number() OVER () AS no FROM goals.compare_data(message, goal, include_running) c) d;
    -- The control group, else the first variant; the control group is the last arm.
    base := array_position(arms.names, coalesce(compare.baseline, 'control'));
    IF base IS NULL AND compare.baseline IS NOT NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('variant "%s" of message "%s" does not exist', compare.baseline, compare.message),
            HINT = coalesce((SELECT 'The variants are ' || string_agg('"' || n || '"', ', ') || '.'
                             FROM unnest(arms.variants) n WHERE n IS NOT NULL),
                            'The message has no variants: leave the baseline out.');
    END IF;
    RETURN QUERY
    SELECT arms.variants[a.variant_no], a.users_counted, a.users_matched, a.rate, a.rate_low, a.rate_high, a.difference,
           a.difference_low, a.difference_high, a.lift, a.lift_low, a.lift_high, a.p_value, a.p_adjusted,
           a.probability_better, a.anytime_p, a.anytime_lift_low, a.anytime_lift_high, a.worth_per_user, a.split_p, a.verdict
    FROM goals.compare_arms(arms.names, arms.weights, arms.users, arms.matched, arms.converters, arms.assigned, arms.worths,
                            coalesce(base, 1), compare.confidence, arms.all_matured) a;
END
$$;

CREATE OR REPLACE FUNCTION goals.archive(receipts bigint[])
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    at_once CONSTANT timestamptz := clock_timestamp();
    delta goals.total[];
    gone bigint;
BEGIN
    WITH doomed AS MATERIALIZED (
        SELECT r.receipt_id, r.users_id, r.user_key, v.message_id
        FROM unnest(receipts) AS u (receipt_id)
        JOIN goals.receipt r ON r.receipt_id = u.receipt_id
        JOIN goals.revision v ON v.revision_id = r.revision_id
    ), person AS MATERIALIZED (
        SELECT DISTINCT d.users_id, d.user_key, d.message_id FROM doomed d
    ), seen AS MATERIALIZED (
        -- Now: the doomed, and what the same people keep of the same messages.
        SELECT d.receipt_id IS NOT NULL AS leaves,
               coalesce(c.stopped_at IS NULL AND c.window_closes >= at_once, false) AS running, c.*
        FROM person p
        JOIN goals.contribution c ON c.users_id = p.users_id AND c.user_key = p.user_key AND c.message_id = p.message_id
        LEFT JOIN doomed d ON d.receipt_id = c.receipt_id
        WHERE NOT c.settled
    ), mixed AS MATERIALIZED (
        SELECT s.users_id, s.user_key, s.message_id
        FROM seen s
        GROUP BY s.users_id, s.user_key, s.message_id
        HAVING min(coalesce(s.variant_id, 0)) <> max(coalesce(s.variant_id, 0))
    ), people AS (
        SELECT s.users_id, s.user_key, s.message_id, s.goal, s.variant_id,
               (min(s.sent_at) FILTER (WHERE s.leaves) AT TIME ZONE 'UTC')::date AS day,
               bool_or(s.leaves AND s.already_matched = 0 AND NOT s.running) AS counted,
               bool_or(NOT s.leaves AND s.already_matched = 0 AND NOT s.running) AS counts,
               bool_or(s.leaves AND s.matched = 1 AND NOT s.running) AS converted,
               bool_or(NOT s.leaves AND s.matched = 1 AND NOT s.running) AS converts,
               bool_or(s.leaves AND s.matched = 1) AS matched,
               bool_or(NOT s.leaves AND s.matched = 1) AS matches,
               bool_or(x.users_id IS NOT NULL) AS mixed
        FROM seen s
        LEFT JOIN mixed x ON x.users_id = s.users_id AND x.user_key = s.user_key AND x.message_id = s.message_id
        GROUP BY s.users_id, s.user_key, s.message_id, s.goal, s.variant_id
        HAVING bool_or(s.leaves)
    ), gains AS (
        -- A change that is a match for several receipts is worth something once, and stays with those that stay.
        SELECT g.users_id, g.user_key, g.message_id, g.goal, g.variant_id, sum(g.worth) AS worth
        FROM (SELECT s.users_id, s.user_key, s.message_id, s.goal, s.variant_id, max(s.worth) AS worth
              FROM seen s
              WHERE s.matched = 1 AND NOT s.running
              GROUP BY s.users_id, s.user_key, s.message_id, s.goal, s.variant_id, s.matched_at, s.cause
              HAVING bool_and(s.leaves)) g
        GROUP BY g.users_id, g.user_key, g.message_id, g.goal, g.variant_id
    ), archived AS (
        SELECT s.message_id, s.goal, s.variant_id, (s.sent_at AT TIME ZONE 'UTC')::date AS day, sum(s.sent) AS sent,
               sum(s.opened) AS opened, sum(s.clicked) AS clicked, sum(s.already_matched) AS already_matched,
               sum(s.matched) AS matched, sum(s.matched_after_open) AS matched_after_open,
               sum(s.matched_after_click) AS matched_after_click, sum(s.worth) AS worth, 0 AS users, 0 AS users_matched,
               0 AS converters, 0 AS converters_all, 0 AS users_worth
        FROM seen s
        WHERE s.leaves
        GROUP BY s.message_id, s.goal, s.variant_id, (s.sent_at AT TIME ZONE 'UTC')::date
        UNION ALL
        -- A user is counted when the last receipt goes that makes him count.
        SELECT q.message_id, q.goal, q.variant_id, q.day, 0, 0, 0, 0, 0, 0, 0, 0,
               count(*) FILTER (WHERE q.counted AND NOT q.counts AND NOT q.mixed),
               count(*) FILTER (WHERE q.matched AND NOT q.matches),
               count(*) FILTER (WHERE q.converted AND NOT q.converts AND NOT q.mixed),
               count(*) FILTER (WHERE q.matched AND NOT q.matches AND NOT q.mixed),
               coalesce(sum(w.worth) FILTER (WHERE NOT q.mixed), 0)
        FROM people q
        LEFT JOIN gains w ON w.users_id = q.users_id AND w.user_key = q.user_key AND w.message_id = q.message_id
                             AND w.goal = q.goal AND w.variant_id IS NOT DISTINCT FROM q.variant_id
        GROUP BY q.message_id, q.goal, q.variant_id, q.day
    ), rolled AS (
        SELECT c.message_id, c.goal, c.variant_id, sum(c.sent) AS sent, sum(c.opened) AS opened, sum(c.clicked) AS clicked,
               sum(c.already_matched) AS already_matched, sum(c.matched) AS matched,
               sum(c.matched_after_open) AS matched_after_open, sum(c.matched_after_click) AS matched_after_click,
               sum(c.worth) AS worth
        FROM doomed d
        JOIN goals.contribution c ON c.receipt_id = d.receipt_id
        WHERE c.settled
        GROUP BY c.message_id, c.goal, c.variant_id
    ), change AS (
        SELECT ROW('archived', a.message_id, a.goal, a.variant_id, sum(a.sent), sum(a.opened), sum(a.clicked),
                   sum(a.already_matched), sum(a.matched), sum(a.matched_after_open), sum(a.matched_after_click),
                   sum(a.worth), sum(a.users), sum(a.users_matched), a.day, sum(a.converters),
                   sum(a.converters_all), sum(a.users_worth))::goals.total AS line
        FROM archived a
        GROUP BY a.message_id, a.goal, a.variant_id, a.day
        UNION ALL
        SELECT ROW('rolled', r.message_id, r.goal, r.variant_id, -r.sent, -r.opened, -r.clicked, -r.already_matched,
                   -r.matched, -r.matched_after_open, -r.matched_after_click, -r.worth, 0, 0, NULL, 0, 0, 0)
                   ::goals.total
        FROM rolled r
    ), facts AS (
        DELETE FROM goals.engagement e USING doomed d WHERE e.receipt_id = d.receipt_id
    ), hits AS (
        DELETE FROM goals.match_log h USING doomed d WHERE h.receipt_id = d.receipt_id
    ), erased AS (
        DELETE FROM goals.receipt r USING doomed d WHERE r.receipt_id = d.receipt_id RETURNING 1
    )
    SELECT (SELECT array_agg(c.line) FROM change c), (SELECT count(*) FROM erased) INTO delta, gone;
    PERFORM goals.add_to_totals(delta);
    -- What was committed since that snapshot.
    DELETE FROM goals.engagement e USING unnest(receipts) AS u (receipt_id) WHERE e.receipt_id = u.receipt_id;
    DELETE FROM goals.match_log h USING unnest(receipts) AS u (receipt_id) WHERE h.receipt_id = u.receipt_id;
    RETURN gone;
END
$$;

CREATE OR REPLACE FUNCTION goals.purge(before timestamptz)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    batch CONSTANT integer := 20000;
    last_users integer := -1;
    last_key text := '';
    ids bigint[];
    gone bigint := 0;
BEGIN
    IF before IS NULL THEN
        PERFORM goals.refuse_null('before');
    END IF;
    PERFORM goals.lock_totals(true);
    DELETE FROM goals.ignored i WHERE i.first_at < purge.before;
    LOOP
        -- In the order of people, and all of a person at once, so that he is counted, or not, for what he did in all his receipts.
        WITH next AS MATERIALIZED (
            SELECT r.receipt_id, r.users_id, r.user_key FROM goals.receipt r
            WHERE (r.users_id, r.user_key) > (last_users, last_key) AND r.sent_at < purge.before
            ORDER BY r.users_id, r.user_key LIMIT batch
        ), last AS MATERIALIZED (
            SELECT n.users_id, n.user_key FROM next n ORDER BY n.users_id DESC, n.user_key DESC LIMIT 1
        )
        SELECT l.users_id, l.user_key,
               array(SELECT n.receipt_id FROM next n WHERE (n.users_id, n.user_key) < (l.users_id, l.user_key)
                     UNION ALL
                     SELECT r.receipt_id FROM goals.receipt r
                     WHERE r.users_id = l.users_id AND r.user_key = l.user_key AND r.sent_at < purge.before)
        INTO last_users, last_key, ids
        FROM last l;
        EXIT WHEN NOT FOUND;
        gone := gone + goals.archive(ids);
    END LOOP;
    RETURN gone;
END
$$;

CREATE OR REPLACE FUNCTION goals.forget_user(user_key text, users regclass DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    of_users integer;
    -- Of tables that have been dropped: nobody can name them any more.
    of_gone integer[];
    how_many integer;
    key text;
    ids bigint[];
BEGIN
    IF forget_user.user_key IS NULL THEN
        PERFORM goals.refuse_null('user_key');
    END IF;
    of_gone := array(SELECT DISTINCT m.users_id FROM goals.message m
                     WHERE NOT EXISTS (SELECT FROM goals.source s JOIN pg_class c ON c.oid = s.relation WHERE s.source_id = m.users_id));
    SELECT min(s.source_id), count(*) INTO of_users, how_many
    FROM goals.source s
    WHERE s.kind = 'users' AND CASE WHEN forget_user.users IS NULL THEN s.attached AND EXISTS (SELECT FROM pg_class c WHERE c.oid = s.relation) ELSE s.relation = forget_user.users END;
    IF how_many <> 1 AND (how_many > 1 OR forget_user.users IS NOT NULL
                          OR NOT EXISTS (SELECT FROM goals.message m WHERE m.users_id = ANY (of_gone))) THEN
        RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state',
            MESSAGE = CASE WHEN forget_user.users IS NOT NULL THEN format('table "%s" is not tracked as users', forget_user.users)
                           WHEN how_many = 0 THEN 'no users table is tracked'
                           ELSE 'several users tables are tracked' END,
            HINT = CASE WHEN how_many = 0 THEN 'Track one with goals.track_users().'
                        ELSE 'Name one: goals.forget_user(..., users => ''the_table'').' END;
    END IF;
    -- In the spelling in which receipts were made out: a uuid may be given in capitals.
    key := coalesce(CASE WHEN of_users IS NOT NULL THEN goals.stored_key(of_users, forget_user.user_key) END, forget_user.user_key);
    PERFORM goals.lock_totals(true);
    SELECT array_agg(r.receipt_id) INTO ids
    FROM goals.receipt r
    WHERE r.user_key = key
      AND r.users_id = ANY (of_users || of_gone);
    RETURN coalesce(goals.archive(ids), 0);
END
$$;

CREATE OR REPLACE FUNCTION goals.health()
RETURNS TABLE (problem text, object text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    at_once CONSTANT timestamptz := clock_timestamp();
    longest interval;
    behind bigint;
BEGIN
    -- What is ours is found by its name. Without one of these the rest of this cannot be answered either.
    RETURN QUERY
    SELECT 'missing ' || o.kind, 'goals.' || o.name,
           CASE WHEN o.name IN ('engagement_id_idx', 'match_log_id_idx') THEN 'goals.roll_up() fails without it'
                ELSE 'the triggers of new sessions do nothing without it: what is missed meanwhile never counts' END,
           format('Give it back its name (ALTER %s ... RENAME TO %s)', upper(o.kind), o.name)
               || coalesce(format(', or make it again: CREATE INDEX CONCURRENTLY %s ON goals.%s', o.name, o.definition), '')
    FROM (VALUES ('table', 'source', NULL), ('table', 'message', NULL), ('table', 'variant', NULL), ('table', 'goal', NULL),
                 ('table', 'goal_stop', NULL), ('table', 'revision', NULL), ('table', 'receipt', NULL), ('table', 'engagement', NULL),
                 ('table', 'match_log', NULL), ('table', 'ignored', NULL),
                 ('sequence', 'receipt_id_seq', NULL), ('sequence', 'engagement_id_seq', NULL), ('sequence', 'match_id_seq', NULL),
                 ('index', 'receipt_user_idx', 'receipt (users_id, user_key, sent_at)'), ('index', 'receipt_id_idx', 'receipt (receipt_id)'),
                 ('index', 'engagement_receipt_idx', 'engagement (receipt_id)'),
                 ('index', 'engagement_id_idx', 'engagement USING brin (engagement_id) WITH (pages_per_range=16)'),
                 ('index', 'match_log_receipt_idx', 'match_log (receipt_id, goal_id, matched_at, match_id)'),
                 ('index', 'match_log_id_idx', 'match_log USING brin (match_id) WITH (pages_per_range=16)'),
                 ('index', 'ignored_source_idx', 'ignored (source_id)')) AS o (kind, name, definition)
    WHERE to_regclass('goals.' || o.name) IS NULL;
    IF FOUND THEN
        RETURN;
    END IF;

    -- What is set in this session, and what those of this database or of a role begin with.
    RETURN QUERY
    WITH switch AS (
        SELECT 'pg_goals.enabled' AS what, current_setting('pg_goals.enabled', true) AS is_at
        UNION ALL
        -- What is set for a role, or for all, in this database comes before what is set for it everywhere.
        (SELECT DISTINCT ON (x.setrole)
               format('pg_goals.enabled of %s',
                      coalesce(nullif(concat_ws(' in ', 'role ' || quote_ident(r.rolname), 'database ' || quote_ident(d.datname)), ''), 'all roles')),
               split_part(c.setting, '=', 2)
        FROM pg_db_role_setting x
        CROSS JOIN unnest(x.setconfig) AS c (setting)
        LEFT JOIN pg_roles r ON r.oid = x.setrole
        LEFT JOIN pg_database d ON d.oid = x.setdatabase
        WHERE x.setdatabase IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))
          AND lower(split_part(c.setting, '=', 1)) = 'pg_goals.enabled'
        ORDER BY x.setrole, x.setdatabase DESC)
    )
    SELECT 'switched off', w.what, 'the triggers do nothing: changes made meanwhile never match',
           'Set it to on, or reset it, and connect anew.'
    FROM switch w
    WHERE lower(w.is_at) NOT IN ('on', 'true', 'yes', '1', 't', 'tr', 'tru', 'y', 'ye')
    ORDER BY 2;

    -- A dropped table leaves its oid behind.
    RETURN QUERY
    SELECT 'dropped table', s.relation::oid::text, format('the %s table of source %s is gone', s.kind, s.source_id),
           format(CASE s.kind
                      WHEN 'users' THEN 'What was recorded stays. A successor is tracked with goals.track_users() and needs messages of its own; SELECT goals.untrack(%s) ends this row.'
                      ELSE 'What was recorded stays. Track its successor with goals.track_' || s.kind || '(); SELECT goals.untrack(%s) ends this row.' END,
                  s.relation::oid)
    FROM goals.source s
    WHERE s.attached AND NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = s.relation)
    ORDER BY s.source_id;

    -- A trigger is known by its function and argument; it may have been renamed.
    RETURN QUERY
    SELECT CASE WHEN t.oid IS NULL THEN 'missing trigger' ELSE 'disabled trigger' END, s.relation::text,
           CASE WHEN t.oid IS NULL THEN format('the %s table has no trigger of pg_goals: its changes are not seen', s.kind)
                ELSE format('trigger %I of the %s table is disabled: its changes are not seen', t.tgname, s.kind) END,
           CASE WHEN t.oid IS NULL THEN format('Attach it again with goals.track_%s().', s.kind)
                ELSE format('ALTER TABLE %s ENABLE TRIGGER %I', s.relation, t.tgname) END
    FROM goals.source s
    JOIN pg_class c ON c.oid = s.relation
    LEFT JOIN pg_trigger t ON t.tgrelid = s.relation AND t.tgparentid = 0
        AND t.tgargs = convert_to(s.source_id::text, 'UTF8') || '\x00'::bytea
        AND t.tgfoid = CASE s.kind WHEN 'users' THEN 'goals.capture()'::regprocedure
                                   WHEN 'events' THEN 'goals.capture_event()'::regprocedure
                                   ELSE 'goals.capture_receipt()'::regprocedure END
    WHERE s.attached AND (t.oid IS NULL OR t.tgenabled IN ('D', 'R'))
    ORDER BY s.source_id;

    RETURN QUERY
    SELECT 'broken ' || s.kind || ' table', s.relation::text, p.problem,
           format('Name the columns as they are now with goals.track_%s().', s.kind)
    FROM goals.source s
    CROSS JOIN LATERAL goals.source_problem(s.source_id) AS p (problem)
    WHERE s.attached AND p.problem IS NOT NULL
    ORDER BY s.source_id;

    -- A partition may be disabled on its own.
    RETURN QUERY
    SELECT 'disabled trigger', t.tgrelid::regclass::text,
           format('trigger %I of a partition of %s is disabled: its changes are not seen', t.tgname, s.relation),
           format('ALTER TABLE %s ENABLE TRIGGER %I', t.tgrelid::regclass, t.tgname)
    FROM goals.source s
    CROSS JOIN LATERAL pg_partition_tree(s.relation) p
    JOIN pg_trigger t ON t.tgrelid = p.relid AND t.tgparentid <> 0
        AND t.tgargs = convert_to(s.source_id::text, 'UTF8') || '\x00'::bytea
        AND t.tgfoid IN ('goals.capture()'::regprocedure, 'goals.capture_event()'::regprocedure, 'goals.capture_receipt()'::regprocedure)
    WHERE s.attached AND p.relid <> s.relation AND t.tgenabled IN ('D', 'R')
    ORDER BY 2;

    -- Tracked first and made a partition of a tracked table later. Two users tables are two sets of people with messages of
    -- their own; but an event or a send is one, and is read for the table above.
    RETURN QUERY
    SELECT 'tracked twice', s.relation::text,
           format('it is a partition of %s, which is tracked for %s too: its rows are read as rows of that table', above.relation, s.kind),
           format('SELECT goals.untrack(%L)', s.relation)
    FROM goals.source s
    JOIN pg_class c ON c.oid = s.relation AND c.relispartition
    JOIN goals.source above ON above.attached AND above.kind = s.kind AND above.source_id <> s.source_id
        AND (s.kind = 'receipts' OR above.users_id = s.users_id)
    JOIN pg_partition_ancestors(s.relation) p ON p.relid = above.relation
    WHERE s.attached AND s.kind <> 'users'
    ORDER BY s.source_id, above.source_id;

    -- Only goals that still decide something: in force, or with a window that may be open.
    RETURN QUERY
    SELECT 'broken goal', format('%s / %s', m.name, g.name),
           p.problem || CASE WHEN f.in_force THEN '' ELSE ' (an earlier version of the goal, with receipts in their time limit)' END,
           CASE WHEN s.relation IS NULL THEN 'Stop the goal with goals.stop_goal(): a successor of the table needs messages of its own.'
                WHEN NOT s.attached THEN 'Track the table again with goals.track_users(), or stop the goal with goals.stop_goal().'
                WHEN f.in_force THEN 'Set the goal again with goals.set_goal(), or stop it with goals.stop_goal().'
                ELSE 'The version in force is not affected. This row ends with those time limits, or with goals.stop_goal().' END
    FROM goals.goal g
    JOIN goals.message m ON m.message_id = g.message_id
    LEFT JOIN (goals.source s JOIN pg_class c ON c.oid = s.relation) ON s.source_id = m.users_id
    CROSS JOIN LATERAL (SELECT goals.goal_problem(g.goal_id) AS problem) p
    CROSS JOIN LATERAL (SELECT g.goal_id = ANY ((SELECT v.goal_ids FROM goals.revision v WHERE v.message_id = g.message_id
                                                 ORDER BY v.revision_id DESC LIMIT 1)::integer[]) AS in_force) f
    WHERE p.problem IS NOT NULL
      AND NOT EXISTS (SELECT FROM goals.goal_stop x WHERE x.goal_id = g.goal_id)
      AND (f.in_force
           OR EXISTS (SELECT FROM goals.revision v
                      JOIN goals.receipt r ON r.revision_id = v.revision_id
                      WHERE v.message_id = g.message_id AND g.goal_id = ANY (v.goal_ids)
                        AND (g.after <> 'sent' OR r.sent_at >= at_once - g.time_limit_us * interval '1 microsecond')))
    ORDER BY m.name, g.name, g.version;

    RETURN QUERY
    SELECT i.reason::text, coalesce(i.name::text, 'NULL'),
           format(CASE i.reason WHEN 'unknown user' THEN 'a row of %s for this message named a user who is not in its users table, first at %s; such rows are ignored'
                                ELSE 'named by a row of %s first at %s; such rows are ignored' END, s.relation, min(i.first_at)),
           CASE i.reason WHEN 'unknown message' THEN 'Create it with goals.create_message(); rows from then on will count.'
                         WHEN 'unknown user' THEN 'Insert the user before the row that names it. This row ends when the table is tracked again with goals.track_receipts().'
                         ELSE 'Correct the rows that the application writes. This row ends when the table is tracked again with goals.track_receipts().' END
    FROM goals.ignored i
    LEFT JOIN goals.source s ON s.source_id = i.source_id
    WHERE NOT (i.reason = 'unknown message' AND EXISTS (SELECT FROM goals.message m WHERE m.name = i.name))
    GROUP BY i.source_id, i.reason, i.name, s.relation
    ORDER BY i.reason, i.name;

    RETURN QUERY
    SELECT 'users in two variants', m.name::text,
           format('%s users have received more than one variant; goals.compare() leaves them out', x.users),
           'Let goals.assign() or goals.deliver() choose the variant.'
    FROM (SELECT d.message_id, count(*) AS users
          FROM (SELECT v.message_id, r.user_key
                FROM goals.receipt r
                JOIN goals.revision v ON v.revision_id = r.revision_id
                WHERE v.message_id IN (SELECT a.message_id FROM goals.variant a)
                GROUP BY v.message_id, r.user_key
                HAVING min(coalesce(r.variant_id, 0)) <> max(coalesce(r.variant_id, 0))) d
          GROUP BY d.message_id) x
    JOIN goals.message m ON m.message_id = x.message_id
    ORDER BY m.name;

    SELECT count(*) INTO behind FROM goals.tail();
    IF behind > 100000 THEN
        RETURN QUERY
        SELECT 'roll-up behind', 'goals.roll_up()', format('%s receipts have facts that are not in the totals yet', behind),
               'Call goals.roll_up() regularly (pg_cron, or shared_preload_libraries = ''pg_goals''). A transaction that has written something and stays open holds it up.'::text;
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION goals.report_data(message text, goal text DEFAULT NULL)
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
    running_included boolean := false;
    anybody boolean;
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
        -- Until a time limit has run out there is nobody to compare: then everybody, as far as they have come. The verdict is the
        -- same either way, for while one runs it is the anytime test that speaks.
        FOR running_included IN SELECT false UNION ALL SELECT true LOOP
            SELECT jsonb_agg(to_jsonb(c) || jsonb_build_object('is_control', coalesce(c.variant = 'control', false))),
                   coalesce(sum(c.users), 0) > 0
            INTO arm_list, anybody
            FROM goals.compare(message, of_goal, include_running => running_included) c;
            EXIT WHEN anybody OR coalesce(goal_list #>> '{0,in_progress}', '0') = '0' AND coalesce(goal_list #>> '{0,matched}', '0') = '0';
        END LOOP;

        -- Of the receipts that could match, how many had by the end of each day since sending. As in compare(), those whose
        -- time limit still runs are left out: they have not lived through every day. Until one has run out, all are taken.
        WITH eligible AS MATERIALIZED (
            SELECT c.variant_id, floor(extract(epoch FROM at_once - c.sent_at) / 86400)::bigint + 1 AS age,
                   -- An open may be reported with a time before the sending, and a match after it then is.
                   CASE WHEN c.matched_at <= c.sent_at THEN 1
                        ELSE floor(extract(epoch FROM c.matched_at - c.sent_at) / 86400)::bigint + 1 END AS matched_day,
                   coalesce(c.stopped_at IS NULL AND c.window_closes >= at_once, false) AS running
            FROM goals.contribution c
            WHERE NOT c.settled AND c.message_id = of_message AND c.goal = of_goal AND c.already_matched = 0
        ), counted AS (
            SELECT e.variant_id, e.matched_day, count(*) AS receipts, max(e.age) AS oldest
            FROM eligible e
            WHERE NOT e.running OR NOT EXISTS (SELECT FROM eligible o WHERE NOT o.running)
            GROUP BY e.variant_id, e.matched_day
        ), span AS (
            -- After the time limit nothing is added, except where it begins with an open or click.
            SELECT c.variant_id, sum(c.receipts) AS receipts, l.days AS limit_days,
                   least(max(c.oldest), greatest(max(c.matched_day), l.days)) AS days
            FROM counted c
            CROSS JOIN (SELECT ceil(max(g.time_limit_us) / 86400000000.0)::bigint AS days FROM goals.goal g
                        WHERE g.message_id = of_message AND g.name = of_goal) l
            GROUP BY c.variant_id, l.days
        ), day AS (
            -- Every day up to the time limit; later ones only where something is added, and the day before: receipts may be
            -- as old as time itself.
            SELECT generate_series(1, least(max(s.days), max(s.limit_days))) AS day FROM span s
            UNION
            SELECT x.day FROM counted c CROSS JOIN LATERAL (VALUES (c.matched_day - 1), (c.matched_day)) AS x (day)
            UNION
            SELECT s.days FROM span s
        )
        SELECT jsonb_agg(jsonb_build_object('variant', v.name, 'is_control', coalesce(v.is_control, false), 'day', d.day,
                   'matched_cumulative', d.matched, 'eligible', d.receipts) ORDER BY v.is_control NULLS FIRST, v.variant_id, d.day)
        INTO curve_points
        FROM (SELECT s.variant_id, s.receipts, x.day,
                     sum(coalesce(c.receipts, 0)) OVER (PARTITION BY s.variant_id ORDER BY x.day) AS matched
              FROM span s
              JOIN day x ON x.day BETWEEN 1 AND s.days
              LEFT JOIN counted c ON c.variant_id IS NOT DISTINCT FROM s.variant_id AND c.matched_day = x.day) d
        LEFT JOIN goals.variant v ON v.variant_id = d.variant_id;
    END IF;

    SELECT jsonb_build_object(
               'sent', coalesce(sum(t.sent) FILTER (WHERE t.variant IS DISTINCT FROM 'control'), 0),
               'opened', coalesce(sum(t.opened), 0), 'clicked', coalesce(sum(t.clicked), 0),
               'control', coalesce(sum(t.sent) FILTER (WHERE t.variant = 'control'), 0))
    INTO totals
    FROM goals.stats(message, NULL) t;

    RETURN (SELECT jsonb_build_object(
                'message', jsonb_build_object('name', m.name, 'kind', m.kind, 'channel', m.channel, 'created_at', m.created_at),
                'as_of', at_once, 'goal', of_goal, 'confidence', 0.95,
                'running_included', running_included, 'goals', goal_list, 'totals', totals,
                'variants', arm_list, 'curve', curve_points)
            FROM goals.message m WHERE m.message_id = of_message);
END
$$;


-- What is gone --------------------------------------------------------------------------------------------------------

DROP FUNCTION goals.settled_sums(integer,bigint,bigint,bigint,bigint,bigint,bigint);

-- Comments ------------------------------------------------------------------------------------------------------------

COMMENT ON FUNCTION goals.announce() IS 'Internal. Tell every backend that the set-up has changed; it does when this transaction commits';
COMMENT ON FUNCTION goals.daily_since_sending(text,text) IS 'By variant and whole days since sending: opens, clicks and matches of that day, and how many receipts are old enough to have reached it. Every day up to the longest time limit of the goal, and of the others those on which something happened. Receipts on record only';
COMMENT ON FUNCTION goals.drawn() IS 'Internal. Up to which ids of facts have been drawn, committed or not';
COMMENT ON FUNCTION goals.drop_unused_revisions(integer) IS 'Internal. Forget the versions of goals that have been replaced before anybody was sent something under them';
COMMENT ON FUNCTION goals.forget_user(text,regclass) IS 'Erase every trace of a user, leaving the counts as they were; returns how many receipts there were (0 for a key nobody was sent anything under), those of users tables that have been dropped included. users: needed when several users tables are tracked';
COMMENT ON FUNCTION goals.goal_problem(integer) IS 'Internal. What keeps a goal from being evaluated; NULL if nothing does';
COMMENT ON FUNCTION goals.health() IS 'One row a problem: something of ours renamed or dropped, triggers switched off, dropped tables, missing and disabled triggers, tables tracked twice, broken goals, messages and users named by mirrored rows that are not known, users seen in two variants, roll-up behind. Empty when all is well';
COMMENT ON FUNCTION goals.last_settled_revision() IS 'Internal. The newest revision if every backend has been told of it and of those before it; 0 while goals are being set';
COMMENT ON FUNCTION goals.movement(bigint,bigint,bigint,bigint,bigint,bigint,bigint) IS 'Internal. By how much the counters change from one mark to a later one, in parts that add up';
COMMENT ON FUNCTION goals.nearest(text,text[]) IS 'Internal. The known name most like a misspelt one, for hints; NULL if none is';
COMMENT ON FUNCTION goals.refuse_null(text) IS 'Internal. The error for a NULL where a value is needed';
COMMENT ON FUNCTION goals.source_problem(integer) IS 'Internal. What keeps the rows of a tracked table from being read; NULL if nothing does';
COMMENT ON FUNCTION goals.stored_key(integer,text) IS 'Internal. A user key in the one spelling in which it is stored; NULL if no user can have it';
COMMENT ON FUNCTION goals.unused_revisions(integer) IS 'Internal. The revisions that have been replaced by one up to this, and under which there is no receipt';
COMMENT ON VIEW goals.contribution IS 'Internal. What each receipt adds to the counters of each of its goals (goal NULL: of the message): now, and as the rolled totals hold it (settled)';

-- Nobody has a right in any of it until it is granted -----------------------------------------------------------------

REVOKE ALL ON FUNCTION goals.announce() FROM PUBLIC;
REVOKE ALL ON TABLE goals.contribution FROM PUBLIC;
REVOKE ALL ON FUNCTION goals.drawn() FROM PUBLIC;
REVOKE ALL ON FUNCTION goals.drop_unused_revisions(integer) FROM PUBLIC;
REVOKE ALL ON FUNCTION goals.last_settled_revision() FROM PUBLIC;
REVOKE ALL ON FUNCTION goals.movement(bigint,bigint,bigint,bigint,bigint,bigint,bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION goals.refuse_null(text) FROM PUBLIC;
REVOKE ALL ON FUNCTION goals.unused_revisions(integer) FROM PUBLIC;
-- Triggers ------------------------------------------------------------------------------------------------------------

-- Since 0.2.0 a trigger's name carries the id of its source, so that a tracked table can become a partition of another.
-- A table that is in use keeps the old name, under which the trigger works as well: the upgrade does not wait for it.
DO $$
DECLARE
    s record;
BEGIN
    FOR s IN
        SELECT q.source_id, q.relation
        FROM goals.source q
        JOIN pg_class c ON c.oid = q.relation
        JOIN pg_trigger t ON t.tgrelid = q.relation AND t.tgparentid = 0
             AND t.tgfoid IN ('goals.capture()'::regprocedure, 'goals.capture_event()'::regprocedure, 'goals.capture_receipt()'::regprocedure)
        WHERE q.attached AND t.tgname = 'pg_goals'
        ORDER BY q.source_id
    LOOP
        BEGIN
            SET LOCAL lock_timeout = '100ms';
            EXECUTE format('ALTER TRIGGER pg_goals ON %s RENAME TO %I', s.relation, 'pg_goals_' || s.source_id);
        EXCEPTION WHEN lock_not_available THEN
            RAISE NOTICE 'table % is in use: its trigger keeps the name pg_goals', s.relation
                USING HINT = format('Rename it when the table is free: ALTER TRIGGER pg_goals ON %s RENAME TO pg_goals_%s', s.relation, s.source_id);
        END;
    END LOOP;
END
$$;
