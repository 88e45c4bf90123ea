-- The totals by day of sending, and of people.
--
-- Nothing in them depends on the clock. From when on a receipt is compared is its time of sending and a constant of its
-- goal (goals_internal.matures_in), so the sums are kept by the time of sending, and a reader adds up those that are old
-- enough: no receipt has to be touched again when its time is over, however many end in one minute. Rows are kept per
-- message, version of the goal (0: the message's receipts, whatever their goals), variant (0: none) and
--
--   day_total    UTC day
--   slot_total   ten minutes, of days through which "old enough" still may cut; removed once it cannot
--   age_total    UTC day and whole days since sending
--   pair_total   per name of the goal: the two days of matched receipts of a person that follow each other. The distinct
--                people of a period are its matched receipts less the pairs that lie in it.
--
-- They are the state at four marks, of receipts, engagements, hits and hand-overs. What some people amount to at a mark
-- says src/model/people.rs; from one mark to the next, the difference of the two states of the people that a fact between
-- them touches is added (goals_internal.people_change). Those of receipts may be behind those of the watermark, after an
-- upgrade: what is missing is added in parts.
SET LOCAL search_path = pg_catalog, pg_temp;

-- Opened or not, so that an open changes nobody's turn.
CREATE FUNCTION goals_internal.matures_in(time_limit_us bigint, delay_us bigint, after text, opens_within_us bigint)
RETURNS interval
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (time_limit_us + coalesce(delay_us, 0)
        + CASE after WHEN 'sent' THEN 0 ELSE coalesce(opens_within_us, time_limit_us) END) * interval '1 microsecond';
COMMENT ON FUNCTION goals_internal.matures_in(bigint, bigint, text, bigint) IS
    'How long after its sending a receipt is compared; put into the query that calls it';

CREATE FUNCTION goals_internal.slot_of(sent_at timestamptz)
RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN date_bin('10 minutes', sent_at, '4713-01-01 00:00:00+00 BC');
COMMENT ON FUNCTION goals_internal.slot_of(timestamptz) IS
    'The beginning of the ten minutes in which a receipt was sent; put into the query that calls it';

-- Where keys have been handed over, the receipts of every key that leads to the same person, now or earlier.
CREATE FUNCTION goals_internal.receipts_of_people(ids bigint[], to_receipt bigint, of_message integer DEFAULT NULL,
    of_revisions integer[] DEFAULT NULL)
RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
-- By index, however dear the planner takes that for: the other way reads all receipts, of everybody.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    sources integer[];
    keys text[];
    messages integer[];
BEGIN
    SELECT array_agg(t.users_source_id), array_agg(t.user_key), array_agg(t.message_id)
    INTO sources, keys, messages
    FROM (SELECT DISTINCT r.users_source_id, r.user_key, coalesce(r.message_id, v.message_id) AS message_id
          FROM goals.receipt r
          JOIN goals.revision v ON v.revision_id = r.revision_id
          WHERE r.receipt_id = ANY (ids) AND (of_revisions IS NULL OR r.revision_id = ANY (of_revisions))) t
    WHERE of_message IS NULL OR t.message_id = of_message;
    IF keys IS NULL THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM goals.hand_over) THEN
        WITH RECURSIVE reached AS (
            SELECT u.source, u.key COLLATE "C" AS key, u.message FROM unnest(sources, keys, messages) AS u (source, key, message)
            UNION
            SELECT c.source, k.key, c.message
            FROM reached c
            CROSS JOIN LATERAL (SELECT h.into_key AS key FROM goals.hand_over h
                                WHERE h.users_source_id = c.source AND h.from_key = c.key
                                UNION ALL
                                SELECT h.from_key FROM goals.hand_over h
                                WHERE h.users_source_id = c.source AND h.into_key = c.key) k)
        SELECT array_agg(c.source), array_agg(c.key), array_agg(c.message) INTO sources, keys, messages FROM reached c;
    END IF;
    RETURN ARRAY(
        SELECT r.receipt_id
        FROM unnest(sources, keys, messages) AS u (source, key, message)
        JOIN goals.receipt r ON r.users_source_id = u.source AND r.user_key = u.key AND r.receipt_id <= to_receipt
                            AND (of_revisions IS NULL OR r.revision_id = ANY (of_revisions))
        JOIN goals.revision v ON v.revision_id = r.revision_id
        WHERE coalesce(r.message_id, v.message_id) = u.message);
END
$$;
COMMENT ON FUNCTION goals_internal.receipts_of_people(bigint[], bigint, integer, integer[]) IS
    'All receipts, up to a mark, of the people and messages that some receipts are of; of_message and of_revisions: of '
    'that one';

CREATE FUNCTION goals_internal.touched_people(
    after_receipt bigint, after_engagement bigint, after_match bigint, after_hand_over bigint,
    to_receipt bigint, to_engagement bigint, to_match bigint, to_hand_over bigint,
    of_message integer DEFAULT NULL, of_revisions integer[] DEFAULT NULL)
RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
    RETURN goals_internal.receipts_of_people(ARRAY(
               SELECT r.receipt_id FROM goals.receipt r
               WHERE r.receipt_id > after_receipt AND r.receipt_id <= to_receipt
                 AND (of_revisions IS NULL OR r.revision_id = ANY (of_revisions))
               UNION
               SELECT e.receipt_id FROM goals.engagement e
               WHERE e.engagement_id > after_engagement AND e.engagement_id <= to_engagement AND e.receipt_id <= after_receipt
               UNION
               SELECT h.receipt_id FROM goals.match_log h
               WHERE h.match_id > after_match AND h.match_id <= to_match AND h.receipt_id <= after_receipt
               UNION
               SELECT r.receipt_id
               -- (Those of the key that they are handed over to are found with them.)
               FROM (SELECT DISTINCT h.users_source_id, h.from_key AS key FROM goals.hand_over h
                     WHERE h.hand_over_id > after_hand_over AND h.hand_over_id <= to_hand_over) h
               CROSS JOIN LATERAL (SELECT r.receipt_id FROM goals.receipt r
                                   WHERE r.users_source_id = h.users_source_id AND r.user_key = h.key AND r.receipt_id <= to_receipt
                                   -- by index, whatever the planner takes the number of hand-overs for
                                   OFFSET 0) r),
           to_receipt, of_message, of_revisions);
END
$$;
COMMENT ON FUNCTION goals_internal.touched_people(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, integer, integer[]) IS
    'All receipts of the people that facts between two marks touch';

-- From the state of some receipts at a mark to that of some at a later one. Rows of four kinds:
--   d   by day: what goes into goals.day_total
--   s   by time of sending: into goals.slot_total; at is the slot, or the very time where exactly is true
--   a   by day and age: into goals.age_total, whose counters are opened, clicked, matched and, as eligible,
--       matched_eligible
--   p   into goals.pair_total: day and second_day, and as sent how many
-- of_goal: of goals with that name only, and of the receipts themselves. Each ids: all receipts of some people and messages.
-- Rows whose counters are all zero are left out.
CREATE FUNCTION goals_internal.people_change(
    ids_then bigint[], after_receipt bigint, after_engagement bigint, after_match bigint, after_hand_over bigint,
    ids_now bigint[], to_receipt bigint, to_engagement bigint, to_match bigint, to_hand_over bigint,
    of_goal text DEFAULT NULL, exactly boolean DEFAULT false)
RETURNS TABLE (kind "char", message_id integer, goal_id integer, goal text, variant_id integer, day date, at timestamptz,
    age integer, second_day date, sent bigint, opened bigint, clicked bigint, already_matched bigint, matched bigint,
    matched_after_open bigint, matched_after_click bigint, worth numeric, deliveries bigint, bounced bigint,
    complained bigint, unsubscribed bigint, opened_by_machine bigint, clicked_by_machine bigint, held_out bigint,
    eligible bigint, withdrawn bigint, assigned bigint, mixed bigint, users bigint, converters bigint,
    users_worth numeric, counted_worth numeric, counted_worth_squares numeric)
LANGUAGE c STABLE ROWS 100 AS 'MODULE_PATHNAME', 'pg_goals_people_change';
COMMENT ON FUNCTION goals_internal.people_change(bigint[], bigint, bigint, bigint, bigint, bigint[], bigint, bigint, bigint, bigint, text, boolean) IS
    'By how much the totals by day and of people change from the state of some receipts at a mark to that of some at a '
    'later one';

-- Who reads the totals while this runs sees them as they were: rows and marks change in one transaction.
CREATE FUNCTION goals_internal.add_people(
    ids_then bigint[], after_receipt bigint, after_engagement bigint, after_match bigint, after_hand_over bigint,
    ids_now bigint[], to_receipt bigint, to_engagement bigint, to_match bigint, to_hand_over bigint)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    at_once CONSTANT timestamptz := clock_timestamp();
BEGIN
    IF coalesce(cardinality(ids_then), 0) = 0 AND coalesce(cardinality(ids_now), 0) = 0 THEN
        RETURN;
    END IF;
    WITH moved AS MATERIALIZED (
        SELECT *
        FROM goals_internal.people_change(ids_then, after_receipt, after_engagement, after_match, after_hand_over,
                                          ids_now, to_receipt, to_engagement, to_match, to_hand_over)
    ), by_day AS (
        INSERT INTO goals.day_total AS t
        SELECT m.message_id, m.goal_id, m.variant_id, m.day,
               -- Those of a message have no time.
               coalesce((m.day + 1)::timestamp AT TIME ZONE 'UTC'
                        + goals_internal.matures_in(g.time_limit_us, g.delay_us, g.after, g.opens_within_us) > at_once, false),
               m.sent, m.opened, m.clicked, m.already_matched, m.matched, m.matched_after_open, m.matched_after_click, m.worth,
               m.deliveries, m.bounced, m.complained, m.unsubscribed, m.opened_by_machine, m.clicked_by_machine,
               m.held_out, m.eligible, m.withdrawn, m.assigned, m.mixed, m.users, m.converters, m.users_worth,
               m.counted_worth, m.counted_worth_squares
        FROM moved m
        LEFT JOIN goals.goal g ON g.goal_id = m.goal_id
        WHERE m.kind = 'd'
        ON CONFLICT (message_id, goal_id, variant_id, day) DO UPDATE
        SET sent = t.sent + EXCLUDED.sent, opened = t.opened + EXCLUDED.opened, clicked = t.clicked + EXCLUDED.clicked,
            already_matched = t.already_matched + EXCLUDED.already_matched, matched = t.matched + EXCLUDED.matched,
            matched_after_open = t.matched_after_open + EXCLUDED.matched_after_open,
            matched_after_click = t.matched_after_click + EXCLUDED.matched_after_click, worth = t.worth + EXCLUDED.worth,
            deliveries = t.deliveries + EXCLUDED.deliveries, bounced = t.bounced + EXCLUDED.bounced,
            complained = t.complained + EXCLUDED.complained, unsubscribed = t.unsubscribed + EXCLUDED.unsubscribed,
            opened_by_machine = t.opened_by_machine + EXCLUDED.opened_by_machine,
            clicked_by_machine = t.clicked_by_machine + EXCLUDED.clicked_by_machine,
            held_out = t.held_out + EXCLUDED.held_out, eligible = t.eligible + EXCLUDED.eligible,
            withdrawn = t.withdrawn + EXCLUDED.withdrawn, assigned = t.assigned + EXCLUDED.assigned,
            mixed = t.mixed + EXCLUDED.mixed, users = t.users + EXCLUDED.users, converters = t.converters + EXCLUDED.converters,
            users_worth = t.users_worth + EXCLUDED.users_worth, counted_worth = t.counted_worth + EXCLUDED.counted_worth,
            counted_worth_squares = t.counted_worth_squares + EXCLUDED.counted_worth_squares
        RETURNING t.message_id, t.goal_id, t.variant_id, t.day, t.is_split
    ), by_slot AS (
        INSERT INTO goals.slot_total AS t
        SELECT m.message_id, m.goal_id, m.variant_id, m.at, m.sent, m.sent - m.already_matched - m.matched, m.eligible,
               m.users, m.converters, m.users_worth, m.counted_worth, m.counted_worth_squares
        FROM moved m
        WHERE m.kind = 's'
          AND (EXISTS (SELECT FROM by_day d
                       WHERE d.is_split AND d.message_id = m.message_id AND d.goal_id = m.goal_id
                         AND d.variant_id = m.variant_id AND d.day = m.day)
               -- What moves within a day does not change its sums.
               OR EXISTS (SELECT FROM goals.day_total d
                          WHERE d.is_split AND d.message_id = m.message_id AND d.goal_id = m.goal_id
                            AND d.variant_id = m.variant_id AND d.day = m.day))
        ON CONFLICT (message_id, goal_id, slot, variant_id) DO UPDATE
        SET sent = t.sent + EXCLUDED.sent, open_receipts = t.open_receipts + EXCLUDED.open_receipts,
            eligible = t.eligible + EXCLUDED.eligible, users = t.users + EXCLUDED.users,
            converters = t.converters + EXCLUDED.converters, users_worth = t.users_worth + EXCLUDED.users_worth,
            counted_worth = t.counted_worth + EXCLUDED.counted_worth,
            counted_worth_squares = t.counted_worth_squares + EXCLUDED.counted_worth_squares
    ), by_age AS (
        INSERT INTO goals.age_total AS t
        SELECT m.message_id, m.goal_id, m.variant_id, m.day, m.age, m.opened, m.clicked, m.matched, m.eligible
        FROM moved m
        WHERE m.kind = 'a'
        ON CONFLICT (message_id, goal_id, variant_id, day, age) DO UPDATE
        SET opened = t.opened + EXCLUDED.opened, clicked = t.clicked + EXCLUDED.clicked, matched = t.matched + EXCLUDED.matched,
            matched_eligible = t.matched_eligible + EXCLUDED.matched_eligible
    )
    INSERT INTO goals.pair_total AS t
    SELECT m.message_id, m.goal, m.variant_id, m.day, m.second_day, m.sent
    FROM moved m
    WHERE m.kind = 'p'
    ON CONFLICT (message_id, goal, variant_id, first_day, second_day) DO UPDATE SET pairs = t.pairs + EXCLUDED.pairs;
END
$$;
COMMENT ON FUNCTION goals_internal.add_people(bigint[], bigint, bigint, bigint, bigint, bigint[], bigint, bigint, bigint, bigint) IS
    'Add to the totals by day and of people what some receipts amount to at a mark, less what some amount to at an '
    'earlier one. The caller holds the lock on the totals';

-- However much there is, a part at a time is added: memory has a bound. Of receipts no more than at_most, so that the
-- first call after an upgrade has an end soon; the next call goes on. Facts of receipts that are not in yet come with
-- these.
CREATE FUNCTION goals_internal.fold_people(
    INOUT receipt_id bigint, engagement_id bigint, match_id bigint, hand_over_id bigint,
    to_receipt bigint, to_engagement bigint, to_match bigint, to_hand_over bigint,
    at_a_time bigint DEFAULT 50000, at_most bigint DEFAULT 1000000)
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_one bigint;
    engagements bigint;
    hits bigint;
    next_receipt bigint;
    next_engagement bigint;
    next_match bigint;
    next_hand_over bigint;
    touched bigint[];
BEGIN
    -- Nothing leads back.
    IF (receipt_id BETWEEN 0 AND to_receipt AND engagement_id BETWEEN 0 AND to_engagement AND match_id BETWEEN 0 AND to_match
        AND hand_over_id BETWEEN 0 AND to_hand_over AND at_a_time > 0 AND at_most > 0) IS NOT TRUE THEN
        RETURN;
    END IF;
    -- Ids may jump, so receipts are counted. Of the other facts there are a hundred parts at most.
    last_one := coalesce((SELECT r.receipt_id FROM goals.receipt r
                          WHERE r.receipt_id > fold_people.receipt_id AND r.receipt_id < to_receipt
                          ORDER BY r.receipt_id OFFSET at_most - 1 LIMIT 1), to_receipt);
    engagements := greatest(at_a_time, (to_engagement - engagement_id) / 100);
    hits := greatest(at_a_time, (to_match - match_id) / 100);
    LOOP
        IF receipt_id = 0 THEN
            engagement_id := to_engagement;
            match_id := to_match;
            hand_over_id := to_hand_over;
        END IF;
        next_receipt := receipt_id;
        next_engagement := engagement_id + least(engagements, to_engagement - engagement_id);
        next_match := match_id + least(hits, to_match - match_id);
        next_hand_over := hand_over_id;
        IF next_engagement = to_engagement AND next_match = to_match THEN
            next_hand_over := to_hand_over;
            next_receipt := coalesce((SELECT r.receipt_id FROM goals.receipt r
                                      WHERE r.receipt_id > fold_people.receipt_id AND r.receipt_id < last_one
                                      ORDER BY r.receipt_id OFFSET at_a_time - 1 LIMIT 1), last_one);
        END IF;
        touched := goals_internal.touched_people(receipt_id, engagement_id, match_id, hand_over_id,
                                                 next_receipt, next_engagement, next_match, next_hand_over);
        PERFORM goals_internal.add_people(touched, receipt_id, engagement_id, match_id, hand_over_id,
                                          touched, next_receipt, next_engagement, next_match, next_hand_over);
        receipt_id := next_receipt;
        engagement_id := next_engagement;
        match_id := next_match;
        hand_over_id := next_hand_over;
        EXIT WHEN receipt_id = last_one AND engagement_id = to_engagement AND match_id = to_match;
    END LOOP;
    -- Slots tell apart what a moment cuts. None will cut these days again; should the clock be set back, records are read.
    WITH over AS (
        UPDATE goals.day_total t
        SET is_split = false
        FROM goals.goal g
        WHERE t.is_split AND g.goal_id = t.goal_id
          AND (t.day + 2)::timestamp AT TIME ZONE 'UTC'
              + goals_internal.matures_in(g.time_limit_us, g.delay_us, g.after, g.opens_within_us) < clock_timestamp()
        RETURNING t.message_id, t.goal_id, t.variant_id, t.day::timestamp AT TIME ZONE 'UTC' AS begins
    )
    DELETE FROM goals.slot_total s
    USING over o
    WHERE s.message_id = o.message_id AND s.goal_id = o.goal_id AND s.variant_id = o.variant_id
      AND s.slot >= o.begins AND s.slot < o.begins + interval '24 hours';
END
$$;
COMMENT ON FUNCTION goals_internal.fold_people(bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint) IS
    'Bring the totals by day and of people from one mark to a later one, as far as at_most receipts; returns up to which '
    'receipt. The caller holds the lock on the totals';
