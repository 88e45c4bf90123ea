-- Taking receipts off the record without changing a figure.
--
-- What the receipts amount to is read in one statement, so in one snapshot, and added to the archived totals; what the
-- rolled totals hold of them is taken off, and they are deleted with their facts. A fact that a writer commits later
-- enters no figure. If it comes after the deletion, the next roll_up(), forget_user() or purge() deletes it.
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
    everything CONSTANT bigint := 9223372036854775807;
    -- all receipts of the people and messages, those of them that stay, those of people who are compared
    everyones bigint[];
    staying bigint[];
    compared bigint[];
    delta goals.total[];
    gone bigint;
    w goals.watermark;
BEGIN
    IF coalesce(cardinality(receipts), 0) = 0 THEN
        RETURN 0;
    END IF;
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
    everyones := goals_internal.receipts_of_people(receipts, everything);
    staying := ARRAY(SELECT unnest(everyones) EXCEPT SELECT unnest(receipts));
    -- Who was in two variants is in no comparison. Those who stay in one only are from now on.
    IF EXISTS (SELECT FROM goals_internal.people_change(NULL, 0, 0, 0, 0, everyones, everything, everything, everything,
                                                        everything, '') c WHERE c.mixed <> 0) THEN
        compared := ARRAY(
            SELECT m.receipt_id
            FROM (SELECT m.receipt_id, min(m.arm) FILTER (WHERE m.compared) OVER person
                             IS DISTINCT FROM max(m.arm) FILTER (WHERE m.compared) OVER person AS mixed
                  FROM (SELECT c.receipt_id, c.message_id, c.users_source_id, c.user_key, c.arm,
                               NOT c.held_out AND c.superseded <> 1 AS compared
                        FROM goals_internal.contribution c
                        WHERE c.receipt_id = ANY (everyones) AND NOT c.settled AND c.goal_id IS NULL) m
                  WINDOW person AS (PARTITION BY m.message_id, m.users_source_id, m.user_key)) m
            WHERE NOT m.mixed);
    ELSE
        compared := everyones;
    END IF;
    WITH leaving AS MATERIALIZED (
        SELECT c.*, g.name,
               coalesce(x.goal_id IS NOT NULL
                        OR c.at + goals_internal.matures_in(g.time_limit_us, g.delay_us, g.after, g.opens_within_us) < at_once,
                        false) AS is_mature
        FROM (SELECT false AS of_people, c.*
              FROM goals_internal.people_change(staying, everything, everything, everything, everything,
                                                everyones, everything, everything, everything, everything, NULL, true) c
              UNION ALL
              SELECT true, c.*
              FROM goals_internal.people_change(ARRAY(SELECT unnest(staying) INTERSECT SELECT unnest(compared)),
                                                everything, everything, everything, everything,
                                                compared, everything, everything, everything, everything, NULL, true) c) c
        LEFT JOIN goals.goal g ON g.goal_id = c.goal_id
        LEFT JOIN goals.goal_stop x ON x.goal_id = c.goal_id
    ), archived AS (
        SELECT l.message_id, l.name AS goal, l.variant_id, l.day, l.sent, l.opened, l.clicked, l.already_matched, l.matched,
               l.matched_after_open, l.matched_after_click, l.worth, 0 AS users,
               CASE WHEN l.goal_id <> 0 THEN l.matched ELSE 0 END AS users_matched, 0 AS converters, 0 AS converters_all,
               0 AS users_worth, l.deliveries, l.bounced, l.complained, l.unsubscribed, l.opened_by_machine, l.clicked_by_machine
        FROM leaving l
        WHERE NOT l.of_people AND l.kind = 'd'
        UNION ALL
        SELECT l.message_id, l.goal, l.variant_id, l.second_day, 0, 0, 0, 0, 0, 0, 0, 0, 0, -l.sent, 0, 0, 0, 0, 0, 0, 0, 0, 0
        FROM leaving l
        WHERE NOT l.of_people AND l.kind = 'p'
        UNION ALL
        -- A person is counted when the last receipt leaves that counts.
        SELECT l.message_id, l.name, l.variant_id, l.day, 0, 0, 0, 0, 0, 0, 0, 0,
               CASE WHEN l.kind = 'd' THEN l.assigned WHEN l.is_mature THEN l.users ELSE 0 END, 0,
               CASE WHEN l.is_mature THEN l.converters ELSE 0 END, CASE WHEN l.kind = 's' THEN l.converters ELSE 0 END,
               CASE WHEN l.is_mature THEN l.users_worth ELSE 0 END, 0, 0, 0, 0, 0, 0
        FROM leaving l
        WHERE l.of_people AND (l.kind = 's' OR l.kind = 'd' AND l.goal_id = 0)
    ), rolled AS (
        SELECT c.*, g.name
        FROM goals_internal.people_change(NULL, 0, 0, 0, 0, receipts, w.receipt_id, w.engagement_id, w.match_id, w.hand_over_id) c
        LEFT JOIN goals.goal g ON g.goal_id = c.goal_id
        WHERE c.kind = 'd'
    )
    SELECT array_agg(d.line) INTO delta
    FROM (SELECT ROW('archived', a.message_id, a.goal, nullif(a.variant_id, 0), sum(a.sent), sum(a.opened), sum(a.clicked),
                     sum(a.already_matched), sum(a.matched), sum(a.matched_after_open), sum(a.matched_after_click),
                     sum(a.worth), sum(a.users), sum(a.users_matched), a.day, sum(a.converters),
                     sum(a.converters_all), sum(a.users_worth), sum(a.deliveries), sum(a.bounced), sum(a.complained),
                     sum(a.unsubscribed), sum(a.opened_by_machine), sum(a.clicked_by_machine))::goals.total AS line
          FROM archived a
          GROUP BY a.message_id, a.goal, a.variant_id, a.day
          UNION ALL
          SELECT ROW('rolled', r.message_id, r.name, nullif(r.variant_id, 0), -sum(r.sent), -sum(r.opened), -sum(r.clicked),
                     -sum(r.already_matched), -sum(r.matched), -sum(r.matched_after_open), -sum(r.matched_after_click),
                     -sum(r.worth), 0, 0, NULL, 0, 0, 0, -sum(r.deliveries), -sum(r.bounced), -sum(r.complained),
                     -sum(r.unsubscribed), -sum(r.opened_by_machine), -sum(r.clicked_by_machine))::goals.total
          FROM rolled r
          GROUP BY r.message_id, r.name, r.variant_id) d;
    PERFORM goals_internal.add_to_totals(delta);
    PERFORM goals_internal.add_people(everyones, w.people_receipt_id, w.engagement_id, w.match_id, w.hand_over_id,
                                      staying, w.people_receipt_id, w.engagement_id, w.match_id, w.hand_over_id);
    DELETE FROM goals.engagement e USING unnest(receipts) AS u (receipt_id) WHERE e.receipt_id = u.receipt_id;
    DELETE FROM goals.match_log h USING unnest(receipts) AS u (receipt_id) WHERE h.receipt_id = u.receipt_id;
    WITH erased AS (
        DELETE FROM goals.receipt r USING unnest(receipts) AS u (receipt_id) WHERE r.receipt_id = u.receipt_id RETURNING 1
    )
    SELECT count(*) INTO gone FROM erased e;
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
    -- (The totals of people know those up to the mark.)
    DELETE FROM goals.hand_over h
    USING goals.hand_over n
    WHERE n.users_source_id = h.users_source_id AND n.from_key = h.from_key AND n.receipt_id = h.receipt_id
      AND n.hand_over_id > h.hand_over_id AND n.hand_over_id <= w.hand_over_id;
    DELETE FROM goals.hand_over h
    WHERE h.receipt_id <= w.people_receipt_id AND h.hand_over_id <= w.hand_over_id
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
    sources integer[];
    -- Per source, the person's key.
    people text[];
    ids bigint[] := '{}';
    everything CONSTANT bigint := 9223372036854775807;
    -- The keys under which the person's receipts were recorded, and the rows that make them the person's.
    spell_sources integer[] := '{}';
    spell_keys text[] := '{}';
    hand_overs bigint[] := '{}';
    spell record;
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
    sources := array_remove(of_users || of_gone, NULL);
    people := ARRAY(SELECT goals_internal.person_of(u.source_id, key)
                    FROM unnest(sources) WITH ORDINALITY AS u (source_id, place) ORDER BY u.place);
    -- One key at a time, so that the receipts are found by index whatever the statistics say. Whose they are is asked once:
    -- a key may change meanwhile.
    FOR spell IN
        SELECT u.source_id, s.user_key, s.after, s.up_to,
               ARRAY(SELECT h.hand_over_id FROM goals.hand_over h
                     WHERE h.users_source_id = u.source_id AND h.from_key = s.user_key AND h.receipt_id = s.up_to
                       AND (s.user_key <> u.person OR s.up_to < everything)) AS hand_overs
        FROM unnest(sources, people) AS u (source_id, person)
        CROSS JOIN LATERAL goals_internal.spells(u.source_id, u.person) s
    LOOP
        ids := ids || ARRAY(SELECT r.receipt_id FROM goals.receipt r
                            WHERE r.users_source_id = spell.source_id AND r.user_key = spell.user_key
                              AND r.receipt_id > spell.after AND r.receipt_id <= spell.up_to);
        spell_sources := spell_sources || spell.source_id;
        spell_keys := spell_keys || spell.user_key;
        hand_overs := hand_overs || spell.hand_overs;
    END LOOP;
    gone := coalesce(goals_internal.archive(ids), 0);
    -- The keys that the person had are personal data too. Nothing is of these spells any more.
    DELETE FROM goals.hand_over h
    USING (SELECT DISTINCT u.source_id, u.user_key FROM unnest(spell_sources, spell_keys) AS u (source_id, user_key)) k
    WHERE h.users_source_id = k.source_id AND h.from_key = k.user_key AND h.hand_over_id = ANY (hand_overs);
    -- Rows that a newer one has replaced name the person too. (One that the totals of people do not know yet takes effect
    -- with the next roll_up(), which deletes what it replaces.)
    DELETE FROM goals.hand_over h
    USING unnest(sources, people) AS u (source_id, person), goals.hand_over n
    WHERE h.users_source_id = u.source_id AND h.into_key = u.person
      AND n.users_source_id = h.users_source_id AND n.from_key = h.from_key AND n.receipt_id = h.receipt_id
      AND n.hand_over_id > h.hand_over_id AND n.hand_over_id <= w.hand_over_id;
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
