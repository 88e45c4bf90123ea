\echo Use "ALTER EXTENSION pg_goals UPDATE TO '0.3.0'" to load this file. \quit
-- What 0.3.0 changes in an installation of 0.2.0; checks/upgraded_equals_fresh compares the result with sql/.
-- Waiting for a lock would make everybody else wait behind us.
SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;

-- A call of goals.roll_up(), goals.forget_user() or goals.purge() that is under way holds the lock of 0.2, which is another one.
DO $$
BEGIN
    IF NOT pg_try_advisory_xact_lock('goals.total'::regclass::oid::integer, 1) THEN
        RAISE EXCEPTION USING ERRCODE = 'lock_not_available',
            MESSAGE = 'a call of goals.roll_up(), goals.forget_user() or goals.purge() is under way',
            HINT = 'Try again when it has ended. It is a session with a row of locktype advisory and classid ' || 'goals.total'::regclass::oid || ' in pg_locks.';
    END IF;
END
$$;

-- Functions, views and row types --------------------------------------------------------------------------------------

-- A lock on the table, which takes a right on it that only the owner has; an advisory lock could be held by any role that may
-- connect. Readers and the writers of facts do not meet it. VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY of this small table
-- do: for as long as they run, who does not wait is refused. It takes no transaction id, which goals.roll_up() depends on.
CREATE OR REPLACE FUNCTION goals.lock_totals(wait boolean)
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
    -- The caller has it, but for one that began before an upgrade from 0.2, where it was another lock.
    LOCK TABLE goals.total IN SHARE ROW EXCLUSIVE MODE;
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
    w goals.watermark;
BEGIN
    IF before IS NULL THEN
        PERFORM goals.refuse_null('before');
    END IF;
    PERFORM goals.lock_totals(true);
    DELETE FROM goals.ignored i WHERE i.first_at < purge.before;
    SELECT * INTO w FROM goals.watermark;
    PERFORM goals.drop_orphans(w.engagement_id, d.engagement_id, w.match_id, d.match_id) FROM goals.drawn() d;
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
    w goals.watermark;
BEGIN
    IF forget_user.user_key IS NULL THEN
        PERFORM goals.refuse_null('user_key');
    END IF;
    of_gone := array(SELECT DISTINCT m.users_id FROM goals.message m
                     WHERE NOT EXISTS (SELECT FROM goals.source s WHERE s.source_id = m.users_id AND has_table_privilege(s.relation, 'SELECT') IS NOT NULL));
    SELECT min(s.source_id), count(*) INTO of_users, how_many
    FROM goals.source s
    WHERE s.kind = 'users' AND CASE WHEN forget_user.users IS NULL THEN s.attached AND has_table_privilege(s.relation, 'SELECT') IS NOT NULL ELSE s.relation = forget_user.users END;
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
    -- Of people who were forgotten earlier. Where goals.roll_up() has been left undone for long this would take long too.
    SELECT * INTO w FROM goals.watermark;
    PERFORM goals.drop_orphans(w.engagement_id, d.engagement_id, w.match_id, d.match_id) FROM goals.drawn() d
    WHERE d.engagement_id - w.engagement_id + d.match_id - w.match_id <= 100000;
    SELECT array_agg(r.receipt_id) INTO ids
    FROM goals.receipt r
    WHERE r.user_key = key
      AND r.users_id = ANY (of_users || of_gone);
    RETURN coalesce(goals.archive(ids), 0);
END
$$;

CREATE FUNCTION goals.unusable(OUT problem text, OUT object text, OUT detail text, OUT hint text, OUT blocks boolean) RETURNS SETOF record
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_unusable';

CREATE OR REPLACE FUNCTION goals.fit(line text, width integer)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT rpad(CASE WHEN length(c) > width THEN left(c, width - 1) || goals.glyph(8230, '~') ELSE c END, width)
    FROM regexp_replace(line, CASE WHEN getdatabaseencoding() ~ '^(UTF8|LATIN|ISO)' THEN '[[:cntrl:]]'
                                   ELSE E'[\\x01-\\x1f\\x7f]' END, '?', 'g') c
$$;

CREATE OR REPLACE FUNCTION goals.health()
RETURNS TABLE (problem text, object text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    at_once CONSTANT timestamptz := clock_timestamp();
    found record;
    lacks_something boolean := false;
    behind bigint;
BEGIN
    -- What is ours is found by its name, and checked before it is used. Without a table or a sequence the rest cannot be answered.
    FOR found IN SELECT u.* FROM goals.unusable() u LOOP
        RETURN QUERY SELECT found.problem, found.object, found.detail, found.hint;
        lacks_something := lacks_something OR found.blocks;
    END LOOP;
    IF lacks_something THEN
        RETURN;
    END IF;

    -- What is set in this session, and what those of this database or of a role begin with.
    RETURN QUERY
    WITH switch AS (
        SELECT 'pg_goals.enabled' AS what, current_setting('pg_goals.enabled', true) AS is_at
        UNION ALL
        SELECT 'session_replication_role', CASE current_setting('session_replication_role') WHEN 'replica' THEN 'off' ELSE 'on' END
        UNION ALL
        (SELECT DISTINCT ON (x.setrole)
               format('session_replication_role of %s',
                      coalesce(nullif(concat_ws(' in ', 'role ' || quote_ident(r.rolname), 'database ' || quote_ident(d.datname)), ''), 'all roles')),
               CASE split_part(c.setting, '=', 2) WHEN 'replica' THEN 'off' ELSE 'on' END
        FROM pg_db_role_setting x
        CROSS JOIN unnest(x.setconfig) AS c (setting)
        LEFT JOIN pg_roles r ON r.oid = x.setrole
        LEFT JOIN pg_database d ON d.oid = x.setdatabase
        WHERE x.setdatabase IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))
          AND lower(split_part(c.setting, '=', 1)) = 'session_replication_role'
        ORDER BY x.setrole, x.setdatabase DESC)
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
           CASE WHEN starts_with(w.what, 'session') THEN 'Reset it, and connect anew.' ELSE 'Set it to on, or reset it, and connect anew.' END
    FROM switch w
    WHERE lower(w.is_at) NOT IN ('on', 'true', 'yes', '1', 't', 'tr', 'tru', 'y', 'ye')
    ORDER BY 2;

    -- A dropped table leaves its oid behind. (Citus hides some tables from queries of the catalog, but not from this function.)
    RETURN QUERY
    SELECT 'dropped table', s.relation::oid::text, format('the %s table of source %s is gone', s.kind, s.source_id),
           format(CASE s.kind
                      WHEN 'users' THEN 'What was recorded stays. A successor is tracked with goals.track_users() and needs messages of its own; SELECT goals.untrack(%s) ends this row.'
                      ELSE 'What was recorded stays. Track its successor with goals.track_' || s.kind || '(); SELECT goals.untrack(%s) ends this row.' END,
                  s.relation::oid)
    FROM goals.source s
    WHERE s.attached AND has_table_privilege(s.relation, 'SELECT') IS NULL
    ORDER BY s.source_id;

    -- A trigger is known by its function and argument; it may have been renamed.
    RETURN QUERY
    SELECT CASE WHEN t.oid IS NULL THEN 'missing trigger' ELSE 'disabled trigger' END, s.relation::text,
           CASE WHEN t.oid IS NULL THEN format('the %s table has no trigger of pg_goals: its changes are not seen', s.kind)
                ELSE format('trigger %I of the %s table is disabled: its changes are not seen', t.tgname, s.kind) END,
           CASE WHEN t.oid IS NULL THEN format('Attach it again with goals.track_%s().', s.kind)
                ELSE format('ALTER TABLE %s ENABLE TRIGGER %I', s.relation, t.tgname) END
    FROM goals.source s
    LEFT JOIN pg_trigger t ON t.tgrelid = s.relation AND t.tgparentid = 0
        AND t.tgargs = convert_to(s.source_id::text, 'UTF8') || decode('00', 'hex')
        AND t.tgfoid = CASE s.kind WHEN 'users' THEN 'goals.capture()'::regprocedure
                                   WHEN 'events' THEN 'goals.capture_event()'::regprocedure
                                   ELSE 'goals.capture_receipt()'::regprocedure END
    WHERE s.attached AND (t.oid IS NULL OR t.tgenabled IN ('D', 'R')) AND has_table_privilege(s.relation, 'SELECT') IS NOT NULL
    ORDER BY s.source_id;

    RETURN QUERY
    SELECT CASE WHEN starts_with(p.problem, 'Citus ') THEN 'distributed table' ELSE 'broken ' || s.kind || ' table' END, s.relation::text, p.problem,
           CASE WHEN starts_with(p.problem, 'Citus ') THEN format('SELECT undistribute_table(%1$L), or give it up: SELECT goals.untrack(%1$L)', s.relation)
                ELSE format('Name the columns as they are now with goals.track_%s().', s.kind) END
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
        AND t.tgargs = convert_to(s.source_id::text, 'UTF8') || decode('00', 'hex')
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
    JOIN goals.source above ON above.attached AND above.kind = s.kind AND above.source_id <> s.source_id
        AND (s.kind = 'receipts' OR above.users_id = s.users_id)
    JOIN pg_partition_ancestors(s.relation) p ON p.relid = above.relation
    WHERE s.attached AND s.kind <> 'users'
    ORDER BY s.source_id, above.source_id;

    -- Rows of tables that inherit from a tracked one fire their own triggers only.
    RETURN QUERY
    SELECT 'heirs are not seen', s.relation::text,
           format('changes of rows in %s, which inherits from it, are not seen', string_agg(i.inhrelid::regclass::text, ', ' ORDER BY i.inhrelid::regclass::text)),
           format('Track such a table by itself, or end that: ALTER TABLE ... NO INHERIT %s', s.relation)
    FROM goals.source s
    JOIN pg_inherits i ON i.inhparent = s.relation
    WHERE s.attached AND NOT EXISTS (SELECT FROM pg_partitioned_table p WHERE p.partrelid = s.relation)
      AND NOT EXISTS (SELECT FROM goals.source h WHERE h.attached AND h.relation = i.inhrelid)
    GROUP BY s.source_id, s.relation
    ORDER BY s.source_id;

    -- What is recorded is appended below SQL. Tools that copy a table by triggers would lose it.
    RETURN QUERY
    SELECT 'trigger without effect', t.tgrelid::regclass::text,
           format('trigger %I does not fire for what is recorded: a copy made by it lacks that', t.tgname),
           format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
    FROM pg_trigger t
    WHERE NOT t.tgisinternal
      AND t.tgrelid IN ('goals.receipt'::regclass, 'goals.engagement'::regclass, 'goals.match_log'::regclass, 'goals.ignored'::regclass)
    ORDER BY 2, t.tgname;

    -- Only goals that still decide something: in force, or with a window that may be open.
    RETURN QUERY
    SELECT 'broken goal', format('%s / %s', m.name, g.name),
           p.problem || CASE WHEN f.in_force THEN '' ELSE ' (an earlier version of the goal, with receipts in their time limit)' END,
           CASE WHEN s.relation IS NULL THEN 'Stop the goal with goals.stop_goal(): a successor of the table needs messages of its own.'
                WHEN NOT s.attached THEN 'Track the table again with goals.track_users(), or stop the goal with goals.stop_goal().'
                WHEN f.in_force THEN 'Set the goal again with goals.set_goal(), or stop it with goals.stop_goal().'
                ELSE 'The version in force is not affected. This row is removed when those time limits have passed.' END
    FROM goals.goal g
    JOIN goals.message m ON m.message_id = g.message_id
    LEFT JOIN goals.source s ON s.source_id = m.users_id AND has_table_privilege(s.relation, 'SELECT') IS NOT NULL
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
           format(CASE i.reason WHEN 'locked table' THEN 'it was locked for longer than the triggers of %s wait, first at %s: what changed meanwhile is not recorded'
                                WHEN 'refused row' THEN 'a default, an index or a column that has been added to it did not take what triggers of %s recorded, first at %s'
                                WHEN 'unknown user' THEN 'a row of %s for this message named a user who is not in its users table, first at %s; such rows are ignored'
                                ELSE 'named by a row of %s first at %s; such rows are ignored' END, s.relation, min(i.first_at)),
           CASE i.reason WHEN 'locked table' THEN 'Use the CONCURRENTLY forms of DDL, or set pg_goals.lock_wait to -1 meanwhile. This row is removed when the table is tracked again.'
                         WHEN 'refused row' THEN 'Drop that default, index or column: the server''s log says when it was. This row is removed when the table is tracked again.'
                         WHEN 'unknown message' THEN 'Create it with goals.create_message(); rows from then on will count.'
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

-- Comments ------------------------------------------------------------------------------------------------------------

COMMENT ON FUNCTION goals.drop_orphans(bigint,bigint,bigint,bigint) IS 'Internal. Delete the facts between these marks whose receipt has been forgotten or purged; the caller holds the lock on the totals';
COMMENT ON FUNCTION goals.unusable() IS 'Internal. One row per table, index or sequence of the extension that is missing, or has been changed so that it cannot be used; blocks: without it nothing else can be looked at';
COMMENT ON FUNCTION goals.lock_totals(boolean) IS 'Internal. The lock of those who write the totals, held to the end of the transaction; false: another call has it';

-- Nobody has a right in any of it until it is granted -----------------------------------------------------------------

REVOKE ALL ON FUNCTION goals.drop_orphans(bigint,bigint,bigint,bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION goals.unusable() FROM PUBLIC;

-- Rights. The last statement of this script: it looks at what has been made above.

-- Default privileges of the installing role give rights in what it creates, to PUBLIC and to roles: taken back for what this transaction
-- has made a member of the extension. Rights granted on objects that were there before stay. That PUBLIC may name a type, as it
-- may by default, opens nothing and stays.
DO $$
DECLARE
    given record;
BEGIN
    FOR given IN
        WITH member AS (
            SELECT d.classid, d.objid
            FROM pg_depend d
            JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'pg_goals'
              -- a row that is seen and is not older than this transaction is of its own
              AND age(d.xmin) <= age(pg_current_xact_id()::xid)
        ), object AS (
            SELECT 'SCHEMA' AS kind, quote_ident(n.nspname) AS name, n.nspowner AS owner, coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
            FROM member m JOIN pg_namespace n ON m.classid = 'pg_namespace'::regclass AND n.oid = m.objid
            UNION ALL
            SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text, c.relowner,
                   coalesce(c.relacl, acldefault((CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", c.relowner))
            FROM member m JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            UNION ALL
            SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
            FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
            UNION ALL
            SELECT 'TYPE', t.oid::regtype::text, t.typowner, t.typacl
            FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
            LEFT JOIN pg_class c ON c.oid = t.typrelid
            WHERE t.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c'
        )
        SELECT DISTINCT o.kind, o.name, coalesce(quote_ident(r.rolname), 'PUBLIC') AS grantee
        FROM object o
        CROSS JOIN aclexplode(o.acl) a
        LEFT JOIN pg_roles r ON r.oid = a.grantee
        WHERE a.grantee <> o.owner
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s', given.kind, given.name, given.grantee);
    END LOOP;
END
$$;
