-- Reading the totals by day and of people.
--
-- A receipt is mature when its time limit has passed: sent before now, less a constant of its goal version. Whole days
-- before that moment are added up, then whole slots of the day that it cuts, and of the slot that it cuts the receipts
-- are read one by one; what is not rolled up yet is read from the records too. Where more than read_at_most() receipts
-- lie in the slot they count when it is over, ten minutes later at most.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals_internal.read_at_most()
RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 20000;
COMMENT ON FUNCTION goals_internal.read_at_most() IS
    'How many receipts sent within ten minutes are read to tell which of them are mature';

CREATE FUNCTION goals_internal.tail_ids(of_message integer, of_revisions integer[])
RETURNS bigint[]
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    w goals.watermark;
    everything CONSTANT bigint := 9223372036854775807;
BEGIN
    SELECT * INTO w FROM goals.watermark;
    -- Nothing has an id beyond these: the usual case between two calls of roll_up().
    IF (w.people_receipt_id, w.engagement_id, w.match_id, w.hand_over_id)
       = (SELECT d.receipt_id, d.engagement_id, d.match_id, goals_internal.drawn_hand_over() FROM goals_internal.drawn() d) THEN
        RETURN NULL;
    END IF;
    RETURN goals_internal.touched_people(coalesce(w.people_receipt_id, 0), coalesce(w.engagement_id, 0), coalesce(w.match_id, 0),
                                         coalesce(w.hand_over_id, 0), everything, everything, everything, everything,
                                         of_message, of_revisions);
END
$$;
COMMENT ON FUNCTION goals_internal.tail_ids(integer, integer[]) IS
    'All receipts of the people of a message (NULL: of every message) that facts past the watermark touch';

CREATE FUNCTION goals_internal.tail_change(of_message integer, of_goal text)
RETURNS TABLE (kind "char", message_id integer, goal_id integer, goal text, variant_id integer, day date, at timestamptz,
    age integer, second_day date, sent bigint, opened bigint, clicked bigint, already_matched bigint, matched bigint,
    matched_after_open bigint, matched_after_click bigint, worth numeric, deliveries bigint, bounced bigint,
    complained bigint, unsubscribed bigint, opened_by_machine bigint, clicked_by_machine bigint, held_out bigint,
    eligible bigint, withdrawn bigint, assigned bigint, mixed bigint, users bigint, converters bigint,
    users_worth numeric, counted_worth numeric, counted_worth_squares numeric)
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    ids CONSTANT bigint[] := goals_internal.tail_ids(of_message,
        CASE WHEN of_message IS NOT NULL THEN goals_internal.revisions_of(goals_internal.goals_of(of_message)) END);
    everything CONSTANT bigint := 9223372036854775807;
    w goals.watermark;
BEGIN
    IF ids IS NULL THEN
        RETURN;
    END IF;
    SELECT * INTO w FROM goals.watermark;
    RETURN QUERY
    SELECT * FROM goals_internal.people_change(ids, w.people_receipt_id, w.engagement_id, w.match_id, w.hand_over_id,
                                               ids, everything, everything, everything, everything, of_goal, true);
END
$$;
COMMENT ON FUNCTION goals_internal.tail_change(integer, text) IS
    'What the facts past the watermark add to the totals by day and of people at this moment, by the very time of '
    'sending. of_message NULL: of every message; of_goal NULL: for every goal';

-- Of the slot, or of the day where there are no slots of it, that a moment cuts: what was sent before read_from is added up,
-- what was sent from then on and before the moment is read where reads is true. All receipts of the slot decide, whatever
-- is rolled up, so that the answer changes with the moment only.
CREATE FUNCTION goals_internal.cut_at(moment timestamptz, of_message integer, of_revisions integer[], split boolean,
    OUT read_from timestamptz, OUT before timestamptz, OUT reads boolean)
LANGUAGE plpgsql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
DECLARE
    ends timestamptz;
    first_sent timestamptz;
    last_sent timestamptz;
BEGIN
    before := moment;
    reads := false;
    IF split THEN
        read_from := goals_internal.slot_of(moment);
        ends := read_from + interval '10 minutes';
    ELSE
        read_from := date_trunc('day', moment AT TIME ZONE 'UTC') AT TIME ZONE 'UTC';
        ends := read_from + interval '24 hours';
    END IF;
    SELECT min(x.first_sent), max(x.last_sent) INTO first_sent, last_sent
    FROM goals.revision v
    CROSS JOIN LATERAL (
        SELECT (SELECT r.sent_at FROM goals.receipt r
                WHERE r.revision_id = v.revision_id AND r.sent_at >= read_from AND r.sent_at < ends
                  AND coalesce(r.message_id, v.message_id) = of_message
                ORDER BY r.sent_at LIMIT 1) AS first_sent,
               (SELECT r.sent_at FROM goals.receipt r
                WHERE r.revision_id = v.revision_id AND r.sent_at >= read_from AND r.sent_at < ends
                  AND coalesce(r.message_id, v.message_id) = of_message
                ORDER BY r.sent_at DESC LIMIT 1) AS last_sent) x
    WHERE v.revision_id = ANY (of_revisions);
    IF last_sent < moment THEN
        -- Most messages are sent to many people at one moment, and it does not cut them.
        read_from := ends;
        IF NOT split THEN
            before := ends;
        END IF;
    ELSIF first_sent < moment THEN
        reads := (SELECT count(*) <= goals_internal.read_at_most()
                  FROM (SELECT FROM goals.receipt r
                        JOIN goals.revision v ON v.revision_id = r.revision_id
                        WHERE r.revision_id = ANY (of_revisions) AND r.sent_at >= read_from AND r.sent_at < ends
                          AND coalesce(r.message_id, v.message_id) = of_message
                        LIMIT goals_internal.read_at_most() + 1) r);
        IF NOT reads THEN
            before := read_from;
        END IF;
    END IF;
END
$$;
COMMENT ON FUNCTION goals_internal.cut_at(timestamptz, integer, integer[], boolean) IS
    'How the receipts of a message, of some revisions, are told apart that were sent before a moment';

-- of_goal NULL: the message's receipts whatever their goals. A period is one of sending: its whole days (UTC) are added up,
-- of the two days that it cuts the receipts are read. The columns users to mature_worth and assigned to compared are of
-- all times.
CREATE FUNCTION goals_internal.period_sums(of_message integer, of_goal text, at_once timestamptz,
    since timestamptz DEFAULT NULL, until timestamptz DEFAULT NULL, distinct_users boolean DEFAULT true)
RETURNS TABLE (variant_id integer, sent bigint, opened bigint, clicked bigint, already_matched bigint, matched bigint,
    matched_after_open bigint, matched_after_click bigint, worth numeric, deliveries bigint, bounced bigint,
    complained bigint, unsubscribed bigint, opened_by_machine bigint, clicked_by_machine bigint, in_progress bigint,
    users_matched bigint, users bigint, converters bigint, users_worth numeric, mature_users bigint,
    mature_converters bigint, mature_worth numeric, running bigint, assigned bigint, mixed bigint, compared bigint,
    deliveries_reported boolean, has_receipts boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 1 SET from_collapse_limit = 1
AS $$
#variable_conflict use_column
DECLARE
    of_goals CONSTANT integer[] := goals_internal.goals_of(of_message);
    of_revisions CONSTANT integer[] := goals_internal.revisions_of(of_goals);
    everything CONSTANT bigint := 9223372036854775807;
    latest CONSTANT timestamptz := '290000-01-01 00:00:00+00';
    w goals.watermark;
    g record;
    cut record;
    versions integer[];
    goal_ids integer[] := '{}';
    -- Per goal: receipts sent before this are mature; from when on they are read, and whether slots are.
    mature_before timestamptz[] := '{}';
    read_from timestamptz[] := '{}';
    is_split boolean[] := '{}';
    split boolean;
    cut_ids bigint[] := '{}';
    tail_ids CONSTANT bigint[] := goals_internal.tail_ids(of_message, of_revisions);
    -- The whole days of the period, to_day excluded; and the days of which it has a part.
    from_day date;
    to_day date;
    edge_days date[] := '{}';
    edge_ids bigint[] := '{}';
    edge_people bigint[];
BEGIN
    SELECT * INTO w FROM goals.watermark;
    w.people_receipt_id := coalesce(w.people_receipt_id, 0);
    -- Nothing is sent so late, and the day after the last one there is cannot be reckoned with.
    since := CASE WHEN since > latest THEN latest ELSE since END;
    until := CASE WHEN until > latest THEN 'infinity' ELSE until END;
    from_day := coalesce((since AT TIME ZONE 'UTC')::date, '-infinity');
    to_day := coalesce((until AT TIME ZONE 'UTC')::date, 'infinity');
    IF isfinite(until) AND date_trunc('day', until AT TIME ZONE 'UTC') <> until AT TIME ZONE 'UTC' THEN
        edge_days := edge_days || to_day;
    END IF;
    IF isfinite(since) AND date_trunc('day', since AT TIME ZONE 'UTC') <> since AT TIME ZONE 'UTC' THEN
        edge_days := edge_days || from_day;
        from_day := from_day + 1;
    END IF;
    IF cardinality(edge_days) > 0 THEN
        edge_ids := ARRAY(SELECT r.receipt_id
                          FROM unnest(edge_days) AS e (day)
                          JOIN goals.receipt r ON r.sent_at >= greatest(e.day::timestamp AT TIME ZONE 'UTC', since)
                                              AND r.sent_at < least((e.day + 1)::timestamp AT TIME ZONE 'UTC', until)
                          JOIN goals.revision v ON v.revision_id = r.revision_id
                          WHERE r.revision_id = ANY (of_revisions) AND coalesce(r.message_id, v.message_id) = of_message);
    END IF;
    FOR g IN
        SELECT g.goal_id,
               CASE WHEN x.goal_id IS NOT NULL THEN 'infinity'::timestamptz
                    ELSE at_once - goals_internal.matures_in(g.time_limit_us, g.delay_us, g.after, g.opens_within_us) END AS before
        FROM goals.goal g
        LEFT JOIN goals.goal_stop x ON x.goal_id = g.goal_id
        WHERE g.message_id = ANY (of_goals) AND g.name = of_goal
    LOOP
        split := NOT EXISTS (SELECT FROM goals.day_total t
                             WHERE t.message_id = of_message AND t.goal_id = g.goal_id AND NOT t.is_split
                               AND t.day = (g.before AT TIME ZONE 'UTC')::date);
        IF isfinite(g.before) THEN
            versions := ARRAY(SELECT v.revision_id FROM goals.revision v
                              WHERE v.message_id = ANY (of_goals) AND g.goal_id = ANY (v.goal_ids));
            SELECT c.* INTO cut FROM goals_internal.cut_at(g.before, of_message, versions, split) c;
            IF cut.reads THEN
                cut_ids := cut_ids || ARRAY(SELECT r.receipt_id FROM goals.receipt r
                                            WHERE r.revision_id = ANY (versions) AND r.sent_at >= cut.read_from
                                              AND r.sent_at < cut.before AND r.receipt_id <= w.people_receipt_id);
            END IF;
            mature_before := mature_before || cut.before;
            read_from := read_from || cut.read_from;
        ELSE
            mature_before := mature_before || g.before;
            read_from := read_from || g.before;
        END IF;
        goal_ids := goal_ids || g.goal_id;
        is_split := is_split || split;
    END LOOP;
    IF of_goal IS NULL THEN
        goal_ids := '{0}';
        mature_before := '{infinity}';
        read_from := '{infinity}';
        is_split := '{t}';
    END IF;
    cut_ids := goals_internal.receipts_of_people(cut_ids, w.people_receipt_id, of_message, of_revisions);
    IF distinct_users AND cardinality(edge_ids) > 0 THEN
        -- Who has matched by a receipt of a day that is cut: their receipts of the period.
        edge_people := ARRAY(
            SELECT r.receipt_id
            FROM unnest(goals_internal.receipts_of_people(
                     ARRAY(SELECT h.receipt_id FROM goals.match_log h WHERE h.receipt_id = ANY (edge_ids) AND h.goal_id = ANY (goal_ids)),
                     everything, of_message, of_revisions)) AS u (receipt_id)
            JOIN goals.receipt r ON r.receipt_id = u.receipt_id
            WHERE (since IS NULL OR r.sent_at >= since) AND (until IS NULL OR r.sent_at < until));
    END IF;
    RETURN QUERY
    WITH version AS MATERIALIZED (
        SELECT u.goal_id, u.mature_before, u.read_from, u.is_split
        FROM unnest(goal_ids, mature_before, read_from, is_split) AS u (goal_id, mature_before, read_from, is_split)
    ), tail AS MATERIALIZED (
        SELECT *
        FROM goals_internal.people_change(tail_ids, w.people_receipt_id, w.engagement_id, w.match_id, w.hand_over_id,
                                          tail_ids, everything, everything, everything, everything,
                                          coalesce(of_goal, ''), true) c
        WHERE cardinality(tail_ids) > 0
    ), edge AS MATERIALIZED (
        SELECT *
        FROM goals_internal.people_change(NULL, 0, 0, 0, 0, edge_ids, everything, everything, everything, everything,
                                          coalesce(of_goal, ''), true) c
        WHERE cardinality(edge_ids) > 0 AND c.message_id = of_message
    ), kept AS (
        SELECT t.goal_id, t.variant_id, t.day, t.sent, t.opened, t.clicked, t.already_matched, t.matched, t.matched_after_open,
               t.matched_after_click, t.worth, t.deliveries, t.bounced, t.complained, t.unsubscribed, t.opened_by_machine,
               t.clicked_by_machine, t.eligible, t.assigned, t.mixed, t.users, t.converters, t.users_worth
        FROM goals.day_total t
        WHERE t.message_id = of_message AND t.goal_id = ANY (0 || goal_ids)
    ), line AS (
        SELECT k.* FROM kept k
        UNION ALL
        SELECT c.goal_id, c.variant_id, c.day, c.sent, c.opened, c.clicked, c.already_matched, c.matched, c.matched_after_open,
               c.matched_after_click, c.worth, c.deliveries, c.bounced, c.complained, c.unsubscribed, c.opened_by_machine,
               c.clicked_by_machine, c.eligible, c.assigned, c.mixed, c.users, c.converters, c.users_worth
        FROM tail c
        WHERE c.kind = 'd'
    ), mature AS (
        -- open_receipts: not matched, and had not before.
        SELECT k.variant_id, k.day, k.sent - k.already_matched - k.matched AS open_receipts, k.eligible, k.users, k.converters,
               k.users_worth
        FROM kept k
        JOIN version g ON g.goal_id = k.goal_id
        WHERE k.goal_id <> 0 AND (k.day + 1)::timestamp AT TIME ZONE 'UTC' <= g.mature_before
        UNION ALL
        SELECT s.variant_id, (s.slot AT TIME ZONE 'UTC')::date, s.open_receipts, s.eligible, s.users, s.converters, s.users_worth
        FROM version g
        JOIN goals.slot_total s ON s.message_id = of_message AND s.goal_id = g.goal_id AND s.slot < g.read_from
            AND s.slot >= date_trunc('day', g.mature_before AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
        WHERE g.is_split AND isfinite(g.mature_before)
        UNION ALL
        SELECT c.variant_id, c.day, c.sent - c.already_matched - c.matched, c.eligible, c.users, c.converters, c.users_worth
        FROM goals_internal.people_change(NULL, 0, 0, 0, 0, cut_ids, w.people_receipt_id, w.engagement_id, w.match_id, w.hand_over_id,
                                          of_goal, true) c
        JOIN version g ON g.goal_id = c.goal_id
        WHERE cardinality(cut_ids) > 0 AND c.kind = 's' AND c.at >= g.read_from AND c.at < g.mature_before
        UNION ALL
        SELECT c.variant_id, c.day, c.sent - c.already_matched - c.matched, c.eligible, c.users, c.converters, c.users_worth
        FROM tail c
        JOIN version g ON g.goal_id = c.goal_id
        WHERE c.kind = 's' AND c.at < g.mature_before
    ), edge_mature AS (
        SELECT c.variant_id, c.sent - c.already_matched - c.matched AS open_receipts
        FROM edge c
        JOIN version g ON g.goal_id = c.goal_id
        WHERE c.kind = 's' AND c.at < g.mature_before
    ), pair AS (
        SELECT t.variant_id, t.pairs
        FROM goals.pair_total t
        WHERE distinct_users AND t.message_id = of_message AND t.goal = of_goal AND t.first_day >= from_day AND t.second_day < to_day
        UNION ALL
        SELECT c.variant_id, c.sent FROM tail c
        WHERE c.kind = 'p' AND c.goal = of_goal AND c.day >= from_day AND c.second_day < to_day
        UNION ALL
        SELECT c.variant_id, c.sent
        FROM goals_internal.people_change(NULL, 0, 0, 0, 0, edge_people, everything, everything, everything, everything,
                                          of_goal, true) c
        WHERE cardinality(edge_people) > 0 AND c.kind = 'p' AND c.goal = of_goal
          AND (c.day = ANY (edge_days) OR c.second_day = ANY (edge_days))
    )
    SELECT s.variant_id, sum(s.sent)::bigint, sum(s.opened)::bigint, sum(s.clicked)::bigint, sum(s.already_matched)::bigint,
           sum(s.matched)::bigint, sum(s.matched_after_open)::bigint, sum(s.matched_after_click)::bigint, sum(s.worth),
           sum(s.deliveries)::bigint, sum(s.bounced)::bigint, sum(s.complained)::bigint, sum(s.unsubscribed)::bigint,
           sum(s.opened_by_machine)::bigint, sum(s.clicked_by_machine)::bigint,
           (CASE WHEN of_goal IS NULL THEN 0 ELSE sum(s.sent - s.already_matched - s.matched) - sum(s.mature_open) END)::bigint,
           (sum(s.matched) - sum(s.pairs))::bigint, sum(s.users)::bigint, sum(s.converters)::bigint, sum(s.users_worth),
           sum(s.mature_users)::bigint, sum(s.mature_converters)::bigint, sum(s.mature_worth),
           (sum(s.eligible) - sum(s.mature_eligible))::bigint,
           sum(s.assigned)::bigint, sum(s.mixed)::bigint, sum(s.compared)::bigint,
           sum(sum(s.all_deliveries)) OVER () > 0, sum(s.sent) <> 0 OR sum(s.eligible) <> 0
    FROM (SELECT l.variant_id, l.sent, l.opened, l.clicked, l.already_matched, l.matched, l.matched_after_open,
                 l.matched_after_click, l.worth, l.deliveries, l.bounced, l.complained, l.unsubscribed, l.opened_by_machine,
                 l.clicked_by_machine, l.eligible, l.users, l.converters, l.users_worth,
                 0 AS mature_open, 0 AS mature_eligible, 0 AS mature_users, 0 AS mature_converters, 0::numeric AS mature_worth, 0::numeric AS pairs,
                 0 AS assigned, 0 AS mixed, 0 AS compared, 0 AS all_deliveries
          FROM line l
          WHERE (l.goal_id <> 0) = (of_goal IS NOT NULL) AND l.day >= from_day AND l.day < to_day
          UNION ALL
          SELECT l.variant_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                 l.assigned, l.mixed, l.eligible, l.deliveries
          FROM line l
          WHERE l.goal_id = 0
          UNION ALL
          SELECT m.variant_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                 m.open_receipts, m.eligible, m.users, m.converters, m.users_worth, 0, 0, 0, 0, 0
          FROM mature m
          WHERE m.day >= from_day AND m.day < to_day
          UNION ALL
          SELECT p.variant_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, p.pairs, 0, 0, 0, 0
          FROM pair p
          UNION ALL
          SELECT c.variant_id, c.sent, c.opened, c.clicked, c.already_matched, c.matched, c.matched_after_open,
                 c.matched_after_click, c.worth, c.deliveries, c.bounced, c.complained, c.unsubscribed, c.opened_by_machine,
                 c.clicked_by_machine, c.eligible, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0
          FROM edge c
          WHERE c.kind = 'd' AND (c.goal_id <> 0) = (of_goal IS NOT NULL)
          UNION ALL
          SELECT m.variant_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, m.open_receipts, 0, 0, 0, 0, 0, 0, 0, 0, 0
          FROM edge_mature m
          UNION ALL
          -- Whether deliveries are reported, of receipts outside of the period too.
          SELECT 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, t.deliveries
          FROM goals.total t
          WHERE t.message_id = of_message AND t.goal IS NULL AND t.layer = 'archived') s
    GROUP BY s.variant_id;
END
$$;
COMMENT ON FUNCTION goals_internal.period_sums(integer, text, timestamptz, timestamptz, timestamptz, boolean) IS
    'The sums of a message and goal by variant (0: none), of receipts sent in a period; what is archived is left out';

-- For the curve of a report. A day of sending counts as mature when it is over for all its receipts; of a day with not too
-- many of them those that are mature are told apart.
CREATE FUNCTION goals_internal.eligible_by_age(of_message integer, of_goal text, at_once timestamptz)
RETURNS TABLE (variant_id integer, age integer, receipts bigint, oldest bigint, running boolean, withdrawn bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    of_goals CONSTANT integer[] := goals_internal.goals_of(of_message);
    everything CONSTANT bigint := 9223372036854775807;
    g record;
    cut record;
    versions integer[];
    ids bigint[];
    cut_ids bigint[] := '{}';
    -- of which goal each of them is
    cut_goals integer[] := '{}';
    goal_ids integer[] := '{}';
    mature_day date;
    cut_day date;
    mature_days date[] := '{}';
    cut_days date[] := '{}';
    first_sent CONSTANT timestamptz := (
        SELECT min((SELECT min(r.sent_at) FROM goals.receipt r WHERE r.revision_id = u.revision_id))
        FROM unnest(goals_internal.revisions_of(of_goals)) AS u (revision_id));
BEGIN
    FOR g IN
        SELECT g.goal_id, x.goal_id IS NOT NULL AS is_stopped,
               at_once - goals_internal.matures_in(g.time_limit_us, g.delay_us, g.after, g.opens_within_us) AS before
        FROM goals.goal g
        LEFT JOIN goals.goal_stop x ON x.goal_id = g.goal_id
        WHERE g.message_id = ANY (of_goals) AND g.name = of_goal
    LOOP
        goal_ids := goal_ids || g.goal_id;
        cut_day := NULL;
        mature_day := 'infinity';
        IF NOT g.is_stopped THEN
            -- The day that the moment cuts, or the next one where it cuts no receipts.
            versions := ARRAY(SELECT v.revision_id FROM goals.revision v
                              WHERE v.message_id = ANY (of_goals) AND g.goal_id = ANY (v.goal_ids));
            SELECT c.* INTO cut FROM goals_internal.cut_at(g.before, of_message, versions, false) c;
            mature_day := (cut.read_from AT TIME ZONE 'UTC')::date;
            IF cut.reads THEN
                ids := ARRAY(SELECT r.receipt_id FROM goals.receipt r
                             JOIN goals.revision v ON v.revision_id = r.revision_id
                             WHERE r.revision_id = ANY (versions) AND coalesce(r.message_id, v.message_id) = of_message
                               AND r.sent_at >= cut.read_from AND r.sent_at < cut.read_from + interval '24 hours'
                             LIMIT goals_internal.read_at_most() / 10 + 1);
                IF cardinality(ids) <= goals_internal.read_at_most() / 10 THEN
                    cut_ids := cut_ids || ids;
                    cut_goals := cut_goals || array_fill(g.goal_id, ARRAY[cardinality(ids)]);
                    cut_day := mature_day;
                END IF;
            END IF;
        END IF;
        mature_days := mature_days || mature_day;
        cut_days := cut_days || cut_day;
    END LOOP;
    RETURN QUERY
    WITH version AS MATERIALIZED (
        SELECT u.goal_id, u.mature_day, u.cut_day, at_once - goals_internal.matures_in(g.time_limit_us, g.delay_us, g.after, g.opens_within_us) AS before
        FROM unnest(goal_ids, mature_days, cut_days) AS u (goal_id, mature_day, cut_day)
        JOIN goals.goal g ON g.goal_id = u.goal_id
    ), tail AS MATERIALIZED (
        SELECT * FROM goals_internal.tail_change(of_message, of_goal) c
    ), cut AS MATERIALIZED (
        SELECT c.kind, c.goal_id, c.variant_id, c.day, c.age, c.eligible, c.withdrawn, m.is_mature
        FROM version g
        CROSS JOIN (SELECT false AS is_mature UNION ALL SELECT true) m
        CROSS JOIN LATERAL goals_internal.people_change(
            NULL, 0, 0, 0, 0,
            ARRAY(SELECT r.receipt_id
                  FROM unnest(cut_ids, cut_goals) AS u (receipt_id, goal_id)
                  JOIN goals.receipt r ON r.receipt_id = u.receipt_id
                  WHERE u.goal_id = g.goal_id AND (r.sent_at < g.before) = m.is_mature),
            everything, everything, everything, everything, of_goal, false) c
        WHERE g.cut_day IS NOT NULL AND c.goal_id = g.goal_id
    ), line AS (
        -- Receipts, and those of them that have matched, by the age at which they had.
        SELECT t.goal_id, t.variant_id, t.day, NULL::integer AS age, t.eligible AS receipts, t.withdrawn, NULL::boolean AS is_mature
        FROM goals.day_total t
        WHERE t.message_id = of_message AND t.goal_id = ANY (goal_ids)
        UNION ALL
        SELECT t.goal_id, t.variant_id, t.day, t.age, t.matched_eligible, 0, NULL
        FROM goals.age_total t
        WHERE t.message_id = of_message AND t.goal_id = ANY (goal_ids)
        UNION ALL
        SELECT c.goal_id, c.variant_id, c.day, c.age, c.eligible, c.withdrawn, NULL FROM tail c WHERE c.kind IN ('d', 'a')
    ), parted AS (
        SELECT l.variant_id, l.day, l.age, l.receipts, l.withdrawn, l.day >= g.mature_day AS running
        FROM line l
        JOIN version g ON g.goal_id = l.goal_id
        WHERE l.day IS DISTINCT FROM g.cut_day
        UNION ALL
        SELECT c.variant_id, c.day, c.age, c.eligible, c.withdrawn, NOT c.is_mature
        FROM cut c
        JOIN version g ON g.goal_id = c.goal_id AND g.cut_day = c.day
        WHERE c.kind IN ('d', 'a')
    )
    SELECT nullif(p.variant_id, 0), p.age, sum(p.receipts)::bigint,
           max(floor(extract(epoch FROM at_once - greatest(p.day::timestamp AT TIME ZONE 'UTC', first_sent)) / 86400)::bigint + 1),
           p.running,
           sum(p.withdrawn)::bigint
    FROM (SELECT p.variant_id, p.day, p.age, p.receipts, p.running, p.withdrawn FROM parted p
          UNION ALL
          -- Those that have matched are not among those that have not.
          SELECT p.variant_id, p.day, NULL, -p.receipts, p.running, 0 FROM parted p WHERE p.age IS NOT NULL) p
    GROUP BY p.variant_id, p.age, p.running
    HAVING sum(p.receipts) <> 0 OR sum(p.withdrawn) <> 0;
END
$$;
COMMENT ON FUNCTION goals_internal.eligible_by_age(integer, text, timestamptz) IS
    'The receipts of a message that are compared and could match, by variant, by the whole days after which they matched '
    '(NULL: not), and whether their time limit still runs; oldest: the days since the first of them was sent';
