-- Taking receipts off the record without changing a figure.
--
-- One statement, so one snapshot: what the receipts amount to is added to the archived totals, what the rolled totals
-- hold of them is taken off, and they are deleted with their facts. A fact that a writer commits later has no receipt
-- any more. It enters no figure, and the next roll_up(), forget_user() or purge() deletes it.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals_internal.archive(receipts bigint[])
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
    w goals.watermark;
BEGIN
    SELECT * INTO w FROM goals.watermark;
    -- With an entry into a programme go those that it supersedes: they never count.
    IF EXISTS (SELECT FROM goals.message m WHERE m.kind = 'programme') THEN
        receipts := receipts || ARRAY(
            SELECT e.other_id
            FROM unnest(receipts) AS u (receipt_id)
            JOIN goals_internal.entry_of_same e ON e.receipt_id = u.receipt_id AND NOT e.is_earlier
            EXCEPT SELECT unnest(receipts));
        -- Those of an account that was merged have another key, and are marked.
        IF EXISTS (SELECT FROM goals.hand_over) THEN
            receipts := receipts || ARRAY(
                SELECT o.receipt_id
                FROM unnest(receipts) AS u (receipt_id)
                JOIN goals.receipt r ON r.receipt_id = u.receipt_id AND r.flags & 2 = 2
                JOIN goals.revision v ON v.revision_id = r.revision_id
                JOIN goals_internal.receipt_of_person x ON x.receipt_id = r.receipt_id
                JOIN goals_internal.receipt_of_person y ON y.users_source_id = x.users_source_id AND y.person = x.person
                JOIN goals.receipt o ON o.receipt_id = y.receipt_id AND o.flags & 2 = 2
                                     AND (o.sent_at, o.receipt_id) > (r.sent_at, r.receipt_id)
                JOIN goals.revision w ON w.revision_id = o.revision_id AND w.message_id = v.message_id
                WHERE EXISTS (SELECT FROM goals.engagement e WHERE e.receipt_id = o.receipt_id AND e.kind = 'm')
                EXCEPT SELECT unnest(receipts));
        END IF;
    END IF;
    WITH doomed AS MATERIALIZED (
        SELECT r.receipt_id, r.users_source_id, coalesce(r.message_id, v.message_id) AS message_id,
               CASE WHEN EXISTS (SELECT FROM goals.hand_over)
                    THEN (SELECT x.person FROM goals_internal.receipt_of_person x WHERE x.receipt_id = r.receipt_id)
                    ELSE r.user_key END AS user_key
        FROM unnest(receipts) AS u (receipt_id)
        JOIN goals.receipt r ON r.receipt_id = u.receipt_id
        JOIN goals.revision v ON v.revision_id = r.revision_id
    ), person AS MATERIALIZED (
        SELECT DISTINCT d.users_source_id, d.user_key, d.message_id FROM doomed d
    ), keyed AS MATERIALIZED (
        -- Their receipts may have been made out to keys that they had before.
        SELECT p.users_source_id, p.user_key, p.message_id, p.user_key AS recorded_key FROM person p
        UNION
        SELECT p.users_source_id, p.user_key, p.message_id, h.from_key
        FROM person p
        JOIN goals.hand_over h ON h.users_source_id = p.users_source_id AND h.into_key = p.user_key
    ), seen AS MATERIALIZED (
        -- Now: the doomed, and what the same people keep of the same messages.
        SELECT d.receipt_id IS NOT NULL AS leaves,
               goals_internal.running(c.stopped_at, c.window_closes, at_once) AS running,
               NOT c.held_out AND c.superseded <> 1 AS compared,
               c.users_source_id, c.user_key, c.message_id, c.goal, c.variant_id, c.day, c.arm, c.matched_at, c.cause, c.gain,
               c.already, c.sent, c.opened, c.clicked, c.already_matched, c.matched, c.matched_after_open,
               c.matched_after_click, c.worth, c.deliveries, c.bounced, c.complained, c.unsubscribed, c.opened_by_machine,
               c.clicked_by_machine
        FROM keyed p
        JOIN goals_internal.contribution c ON c.users_source_id = p.users_source_id AND c.recorded_key = p.recorded_key
                                          AND c.user_key = p.user_key AND c.message_id = p.message_id
        LEFT JOIN doomed d ON d.receipt_id = c.receipt_id
        WHERE NOT c.settled
    ), mixed AS MATERIALIZED (
        SELECT s.users_source_id, s.user_key, s.message_id
        FROM seen s
        WHERE s.compared
        GROUP BY s.users_source_id, s.user_key, s.message_id
        HAVING min(s.arm) <> max(s.arm)
    ), people AS (
        SELECT s.users_source_id, s.user_key, s.message_id, s.goal, s.variant_id,
               min(s.day) FILTER (WHERE s.leaves) AS day,
               bool_or(s.leaves AND s.compared AND NOT s.already AND NOT s.running) AS counted,
               bool_or(NOT s.leaves AND s.compared AND NOT s.already AND NOT s.running) AS counts,
               bool_or(s.leaves AND s.compared AND s.matched_at IS NOT NULL AND NOT s.running) AS converted,
               bool_or(NOT s.leaves AND s.compared AND s.matched_at IS NOT NULL AND NOT s.running) AS converts,
               bool_or(s.leaves AND s.compared AND s.matched_at IS NOT NULL) AS converted_ever,
               bool_or(NOT s.leaves AND s.compared AND s.matched_at IS NOT NULL) AS converts_ever,
               bool_or(s.leaves AND s.matched = 1) AS matched,
               bool_or(NOT s.leaves AND s.matched = 1) AS matches,
               bool_or(x.users_source_id IS NOT NULL) AS mixed
        FROM seen s
        LEFT JOIN mixed x ON x.users_source_id = s.users_source_id AND x.user_key = s.user_key AND x.message_id = s.message_id
        GROUP BY s.users_source_id, s.user_key, s.message_id, s.goal, s.variant_id
        HAVING bool_or(s.leaves)
    ), gains AS (
        -- A change that is a match for several receipts is worth something once, and stays with those that stay.
        SELECT g.users_source_id, g.user_key, g.message_id, g.goal, g.variant_id, sum(g.worth) AS worth
        FROM (SELECT s.users_source_id, s.user_key, s.message_id, s.goal, s.variant_id, max(s.gain) AS worth
              FROM seen s
              WHERE s.matched_at IS NOT NULL AND NOT s.running AND s.compared
              GROUP BY s.users_source_id, s.user_key, s.message_id, s.goal, s.variant_id, s.matched_at, s.cause
              HAVING bool_and(s.leaves)) g
        GROUP BY g.users_source_id, g.user_key, g.message_id, g.goal, g.variant_id
    ), archived AS (
        SELECT s.message_id, s.goal, s.variant_id, s.day, sum(s.sent) AS sent,
               sum(s.opened) AS opened, sum(s.clicked) AS clicked, sum(s.already_matched) AS already_matched,
               sum(s.matched) AS matched, sum(s.matched_after_open) AS matched_after_open,
               sum(s.matched_after_click) AS matched_after_click, sum(s.worth) AS worth, 0 AS users, 0 AS users_matched,
               0 AS converters, 0 AS converters_all, 0 AS users_worth, sum(s.deliveries) AS deliveries, sum(s.bounced) AS bounced,
               sum(s.complained) AS complained, sum(s.unsubscribed) AS unsubscribed,
               sum(s.opened_by_machine) AS opened_by_machine, sum(s.clicked_by_machine) AS clicked_by_machine
        FROM seen s
        WHERE s.leaves
        GROUP BY s.message_id, s.goal, s.variant_id, s.day
        UNION ALL
        -- A user is counted when the last receipt leaves that counts. All but users_matched is for compare(), which leaves
        -- out receipts sent although held out.
        SELECT q.message_id, q.goal, q.variant_id, q.day, 0, 0, 0, 0, 0, 0, 0, 0,
               count(*) FILTER (WHERE q.counted AND NOT q.counts AND NOT q.mixed),
               count(*) FILTER (WHERE q.matched AND NOT q.matches),
               count(*) FILTER (WHERE q.converted AND NOT q.converts AND NOT q.mixed),
               count(*) FILTER (WHERE q.converted_ever AND NOT q.converts_ever AND NOT q.mixed),
               coalesce(sum(w.worth) FILTER (WHERE NOT q.mixed), 0), 0, 0, 0, 0, 0, 0
        FROM people q
        LEFT JOIN gains w ON w.users_source_id = q.users_source_id AND w.user_key = q.user_key AND w.message_id = q.message_id
                             AND w.goal = q.goal AND w.variant_id IS NOT DISTINCT FROM q.variant_id
        GROUP BY q.message_id, q.goal, q.variant_id, q.day
    ), rolled AS (
        SELECT c.message_id, c.goal, c.variant_id, sum(c.sent) AS sent, sum(c.opened) AS opened, sum(c.clicked) AS clicked,
               sum(c.already_matched) AS already_matched, sum(c.matched) AS matched,
               sum(c.matched_after_open) AS matched_after_open, sum(c.matched_after_click) AS matched_after_click,
               sum(c.worth) AS worth, sum(c.deliveries) AS deliveries, sum(c.bounced) AS bounced, sum(c.complained) AS complained,
               sum(c.unsubscribed) AS unsubscribed, sum(c.opened_by_machine) AS opened_by_machine,
               sum(c.clicked_by_machine) AS clicked_by_machine
        FROM doomed d
        JOIN goals_internal.contribution c ON c.receipt_id = d.receipt_id
        WHERE c.settled
        GROUP BY c.message_id, c.goal, c.variant_id
    ), change AS (
        SELECT ROW('archived', a.message_id, a.goal, a.variant_id, sum(a.sent), sum(a.opened), sum(a.clicked),
                   sum(a.already_matched), sum(a.matched), sum(a.matched_after_open), sum(a.matched_after_click),
                   sum(a.worth), sum(a.users), sum(a.users_matched), a.day, sum(a.converters),
                   sum(a.converters_all), sum(a.users_worth), sum(a.deliveries), sum(a.bounced), sum(a.complained),
                   sum(a.unsubscribed), sum(a.opened_by_machine), sum(a.clicked_by_machine))::goals.total AS line
        FROM archived a
        GROUP BY a.message_id, a.goal, a.variant_id, a.day
        UNION ALL
        SELECT ROW('rolled', r.message_id, r.goal, r.variant_id, -r.sent, -r.opened, -r.clicked, -r.already_matched,
                   -r.matched, -r.matched_after_open, -r.matched_after_click, -r.worth, 0, 0, NULL, 0, 0, 0, -r.deliveries, -r.bounced,
                   -r.complained, -r.unsubscribed, -r.opened_by_machine, -r.clicked_by_machine)
                   ::goals.total
        FROM rolled r
    ), facts AS (
        DELETE FROM goals.engagement e USING doomed d WHERE e.receipt_id = d.receipt_id
    ), refs AS (
        DELETE FROM goals.reference f USING doomed d WHERE f.receipt_id = d.receipt_id
    ), hits AS (
        DELETE FROM goals.match_log h USING doomed d WHERE h.receipt_id = d.receipt_id
    ), erased AS (
        DELETE FROM goals.receipt r USING doomed d WHERE r.receipt_id = d.receipt_id RETURNING 1
    )
    SELECT (SELECT array_agg(c.line) FROM change c), (SELECT count(*) FROM erased) INTO delta, gone;
    PERFORM goals_internal.add_to_totals(delta);
    -- What was committed since that snapshot: only facts above the watermark can have been.
    DELETE FROM goals.engagement e WHERE e.receipt_id = ANY (receipts) AND e.engagement_id > w.engagement_id;
    DELETE FROM goals.match_log h WHERE h.receipt_id = ANY (receipts) AND h.match_id > w.match_id;
    DELETE FROM goals.reference f USING unnest(receipts) AS u (receipt_id) WHERE f.receipt_id = u.receipt_id;
    RETURN gone;
END
$$;
COMMENT ON FUNCTION goals_internal.archive(bigint[]) IS
    'Move these receipts into the archived totals and delete them; the caller holds the lock on the totals. Returns '
    'how many there were';

CREATE FUNCTION goals.purge(before timestamptz)
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
        PERFORM goals_internal.raise('null_argument', 'before');
    END IF;
    PERFORM goals_internal.lock_totals(true);
    DELETE FROM goals.ignored i WHERE i.first_at < purge.before;
    SELECT * INTO w FROM goals.watermark;
    PERFORM goals_internal.drop_orphans(w.engagement_id, d.engagement_id, w.match_id, d.match_id) FROM goals_internal.drawn() d;
    LOOP
        -- In the order of users, and all receipts of a user at once, so that the user is judged by all of them.
        WITH next AS MATERIALIZED (
            SELECT r.receipt_id, r.users_source_id, r.user_key FROM goals.receipt r
            WHERE (r.users_source_id, r.user_key) > (last_users, last_key) AND r.sent_at < purge.before
            ORDER BY r.users_source_id, r.user_key LIMIT batch
        ), last AS MATERIALIZED (
            SELECT n.users_source_id, n.user_key FROM next n ORDER BY n.users_source_id DESC, n.user_key DESC LIMIT 1
        )
        SELECT l.users_source_id, l.user_key,
               array(SELECT n.receipt_id FROM next n WHERE (n.users_source_id, n.user_key) < (l.users_source_id, l.user_key)
                     UNION ALL
                     SELECT r.receipt_id FROM goals.receipt r
                     WHERE r.users_source_id = l.users_source_id AND r.user_key = l.user_key AND r.sent_at < purge.before)
        INTO last_users, last_key, ids
        FROM last l;
        EXIT WHEN NOT FOUND;
        gone := gone + goals_internal.archive(ids);
    END LOOP;
    -- Hand-overs that a newer one has replaced, and those of receipts that are all gone.
    DELETE FROM goals.hand_over h
    USING goals.hand_over n
    WHERE n.users_source_id = h.users_source_id AND n.from_key = h.from_key AND n.receipt_id = h.receipt_id
      AND n.hand_over_id > h.hand_over_id;
    DELETE FROM goals.hand_over h
    WHERE h.receipt_id <= w.receipt_id
      AND h.receipt_id < coalesce((SELECT min(r.receipt_id) FROM goals.receipt r), 9223372036854775807);
    RETURN gone;
END
$$;
COMMENT ON FUNCTION goals.purge(timestamptz) IS
    'Delete receipts sent before that time, with what is known of them, leaving the totals as they were; '
    'returns how many. Nothing matches them any more: keep what is younger than the longest time limit. A user '
    'who matches both before and after a purge counts twice in users_matched';

CREATE FUNCTION goals_internal.users_to_forget(users regclass, of_gone integer[])
RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
SELECT CASE
    WHEN users_to_forget.users IS NULL
         AND EXISTS (SELECT FROM goals.message m WHERE m.users_source_id = ANY (of_gone))
         AND NOT EXISTS (SELECT FROM goals.source s
                         WHERE s.kind = 'users' AND s.attached AND has_table_privilege(s.relation, 'SELECT') IS NOT NULL)
        THEN NULL
    ELSE goals_internal.users_table(users_to_forget.users)
END
$$;
COMMENT ON FUNCTION goals_internal.users_to_forget(regclass, integer[]) IS
    'The users table that is meant: the one named, or the only one tracked; NULL if there are only dropped ones';

CREATE FUNCTION goals.forget_user(user_key text, users regclass DEFAULT NULL)
RETURNS bigint
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
AS $$
#variable_conflict use_column
DECLARE
    of_users integer;
    -- Of tables that have been dropped, which cannot be named any more.
    of_gone integer[];
    key text;
    ids bigint[];
    gone bigint;
    w goals.watermark;
BEGIN
    IF forget_user.user_key IS NULL THEN
        PERFORM goals_internal.raise('null_argument', 'user_key');
    END IF;
    of_gone := array(SELECT DISTINCT m.users_source_id FROM goals.message m
                     WHERE NOT EXISTS (SELECT FROM goals.source s WHERE s.source_id = m.users_source_id AND has_table_privilege(s.relation, 'SELECT') IS NOT NULL));
    of_users := goals_internal.users_to_forget(forget_user.users, of_gone);
    -- In the spelling in which receipts were made out: a uuid may be given in capitals.
    PERFORM goals_internal.refuse_list(of_users, forget_user.user_key);
    key := coalesce(CASE WHEN of_users IS NOT NULL THEN goals_internal.stored_key(of_users, forget_user.user_key) END, forget_user.user_key);
    PERFORM goals_internal.lock_totals(true);
    -- Of people who were forgotten earlier. Where goals.roll_up() has been left undone for long this would take long
    -- too.
    SELECT * INTO w FROM goals.watermark;
    PERFORM goals_internal.drop_orphans(w.engagement_id, d.engagement_id, w.match_id, d.match_id) FROM goals_internal.drawn() d
    WHERE d.engagement_id - w.engagement_id + d.match_id - w.match_id <= 100000;
    SELECT array_agg(x.receipt_id) INTO ids
    FROM unnest(of_users || of_gone) AS u (source_id)
    JOIN goals_internal.receipt_of_person x
         ON x.users_source_id = u.source_id AND x.person = goals_internal.person_of(u.source_id, key);
    gone := coalesce(goals_internal.archive(ids), 0);
    -- The keys that the person had are personal data too. Nothing is of these spells any more.
    DELETE FROM goals.hand_over h
    USING unnest(of_users || of_gone) AS u (source_id), goals.hand_over n
    WHERE n.users_source_id = u.source_id AND n.into_key = goals_internal.person_of(u.source_id, key)
      AND NOT EXISTS (SELECT FROM goals.hand_over o
                      WHERE o.users_source_id = n.users_source_id AND o.from_key = n.from_key AND o.receipt_id = n.receipt_id
                        AND o.hand_over_id > n.hand_over_id)
      AND h.users_source_id = n.users_source_id AND h.from_key = n.from_key AND h.receipt_id = n.receipt_id;
    -- Rows that a newer one has replaced name the person too.
    DELETE FROM goals.hand_over h
    USING unnest(of_users || of_gone) AS u (source_id), goals.hand_over n
    WHERE h.users_source_id = u.source_id AND h.into_key = goals_internal.person_of(u.source_id, key)
      AND n.users_source_id = h.users_source_id AND n.from_key = h.from_key AND n.receipt_id = h.receipt_id
      AND n.hand_over_id > h.hand_over_id;
    RETURN gone;
END
$$;
COMMENT ON FUNCTION goals.forget_user(text, regclass) IS
    'Remove all records of a user; the counts stay. Returns how many receipts there were (0 '
    'for a key without receipts), those of dropped users tables included. users: needed when several users '
    'tables are tracked';

CREATE FUNCTION goals.forget_user(user_key bigint, users regclass DEFAULT NULL)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT goals.forget_user(user_key::text, users) $$;
COMMENT ON FUNCTION goals.forget_user(bigint, regclass) IS 'goals.forget_user(text, regclass) for a bigint key';

CREATE FUNCTION goals.forget_user(user_key uuid, users regclass DEFAULT NULL)
RETURNS bigint
LANGUAGE sql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT goals.forget_user(user_key::text, users) $$;
COMMENT ON FUNCTION goals.forget_user(uuid, regclass) IS 'goals.forget_user(text, regclass) for a uuid key';
