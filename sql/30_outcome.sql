-- What became of a receipt: the one definition that the figures, the totals, verify() and explain() share.
--
--   ledger          one row per receipt and goal: what is known now, and what the rolled totals know (rolled_...)
--   contribution    the numbers that row adds to the counters, now and (settled) as the rolled totals hold them
--   outcome         the same row for people: as of now, with its variant
--
-- user_key is the person's key as of now. A receipt keeps the key it was made out to; where that has been handed over
-- (goals.hand_over), the receipt is that of the person who has it now:
--   the receipts of from_key up to a bound, and above the next lower bound of that key, are those of into_key; of
--   several rows with the same bound the newest says whose.
-- receipt_of_person is the same rule the other way round: it finds a person's receipts by index.
--
-- Not everything on record counts. A receipt that was withdrawn was never sent: it counts in compare() only, for only
-- who was sent something can fail. Of several entries of a person into a programme the first counts.
--
-- The facts are looked up per receipt (LATERAL, by index), so a query costs what its own receipts cost, however long
-- the history. What a query does not use of the look-ups is not computed, and a look-up of which nothing is used is not
-- made.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The messages that are rows of a campaigns table, by the names that they have now. For all of them at once: what reads
-- one asks goals_internal.name_of() and known_message().
--   goals_from  the message whose goals it shows: a campaign without goals of its own those of the one that it is like
--   arms_of     the message whose variants and control group it has
CREATE VIEW goals_internal.campaign AS
SELECT c.message_id,
       CASE WHEN c.place > 1 OR o.message_id IS NOT NULL THEN c.name || ' (' || c.row_key || ')' ELSE c.name END AS name,
       c.kind, c.users_source_id, c.parent_id, c.like_message_id, coalesce(g.message_id, c.like_message_id) AS goals_from,
       c.like_message_id AS arms_of
FROM (SELECT m.message_id, n.name, m.row_key, m.kind, m.users_source_id, m.parent_id, m.like_message_id,
             row_number() OVER (PARTITION BY n.name ORDER BY m.message_id) AS place
      FROM (SELECT DISTINCT ON (n.message_id) n.message_id, n.name
            FROM goals.message_name n
            ORDER BY n.message_id, n.message_name_id DESC) n
      JOIN goals.message m ON m.message_id = n.message_id AND m.dropped_at IS NULL) c
LEFT JOIN goals.message o ON o.name = c.name
LEFT JOIN (SELECT DISTINCT g.message_id FROM goals.goal g) g ON g.message_id = c.message_id;
COMMENT ON VIEW goals_internal.campaign IS
    'The messages that are rows of a campaigns table, each as its row is called, or name (id) where another message that '
    'comes first has that name';

-- Two branches, so that a condition on the name of any other message finds it by its index.
CREATE VIEW goals_internal.named_message AS
SELECT m.message_id, m.name, m.kind, m.users_source_id, m.parent_id, m.like_message_id, m.message_id AS goals_from,
       m.message_id AS arms_of
FROM goals.message m
WHERE m.source_id IS NULL AND m.dropped_at IS NULL
UNION ALL
SELECT c.message_id, c.name, c.kind, c.users_source_id, c.parent_id, c.like_message_id, c.goals_from, c.arms_of
FROM goals_internal.campaign c;
COMMENT ON VIEW goals_internal.named_message IS 'Each message with the name that it has now';

CREATE FUNCTION goals_internal.name_of(of_message integer)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
    SELECT coalesce(m.name, (
        SELECT CASE WHEN EXISTS (SELECT FROM goals.message o WHERE o.name = n.name)
                         OR EXISTS (SELECT FROM goals.message_name e
                                    JOIN goals.message o ON o.message_id = e.message_id AND o.dropped_at IS NULL
                                    WHERE e.name = n.name AND e.message_id < m.message_id
                                      AND NOT EXISTS (SELECT FROM goals.message_name l
                                                      WHERE l.message_id = e.message_id
                                                        AND l.message_name_id > e.message_name_id))
                    THEN n.name || ' (' || m.row_key || ')' ELSE n.name END
        FROM goals.message_name n WHERE n.message_id = m.message_id ORDER BY n.message_name_id DESC LIMIT 1))
    FROM goals.message m
    WHERE m.message_id = of_message AND m.dropped_at IS NULL
$$;
COMMENT ON FUNCTION goals_internal.name_of(integer) IS 'The name that a message has now';

CREATE VIEW goals_internal.entry_of_same AS
SELECT r.receipt_id, o.receipt_id AS other_id, (o.sent_at, o.receipt_id) < (r.sent_at, r.receipt_id) AS is_earlier
FROM goals.receipt r
JOIN goals.receipt o ON o.users_source_id = r.users_source_id AND o.user_key = r.user_key AND o.flags & 2 = 2
                    AND o.receipt_id <> r.receipt_id
JOIN goals.revision v ON v.revision_id = r.revision_id
JOIN goals.revision w ON w.revision_id = o.revision_id AND w.message_id = v.message_id
-- Of the same person: the key was not handed over in between.
WHERE r.flags & 2 = 2
  AND NOT EXISTS (SELECT FROM goals.hand_over h
                  WHERE h.users_source_id = r.users_source_id AND h.from_key = r.user_key
                    AND h.receipt_id >= least(r.receipt_id, o.receipt_id) AND h.receipt_id < greatest(r.receipt_id, o.receipt_id));
COMMENT ON VIEW goals_internal.entry_of_same IS
    'The entries of one person into one programme, in pairs: two sessions may each have recorded one';

CREATE FUNCTION goals_internal.superseded_by(entry bigint)
RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET enable_nestloop = on SET jit = off
AS $$ SELECT min(e.other_id) FROM goals_internal.entry_of_same e WHERE e.receipt_id = entry AND e.is_earlier $$;
COMMENT ON FUNCTION goals_internal.superseded_by(bigint) IS
    'The least id of the entries that were sent before an entry of the same person into the same programme; NULL if it is '
    'the first';

-- Seven tables. Where a query comes to more than eight, the planner no longer looks for the best order of all and may
-- read every receipt: the functions that join this raise join_collapse_limit.
CREATE VIEW goals_internal.ledger AS
SELECT r.receipt_id, r.users_source_id,
       CASE WHEN EXISTS (SELECT FROM goals.hand_over)
            THEN coalesce((SELECT o.into_key FROM goals.hand_over o
                           WHERE o.users_source_id = r.users_source_id AND o.from_key = r.user_key AND o.receipt_id >= r.receipt_id
                           ORDER BY o.receipt_id, o.hand_over_id DESC LIMIT 1), r.user_key)
            ELSE r.user_key END AS user_key,
       r.variant_id, r.sent_at,
       coalesce(r.message_id, v.message_id) AS message_id, u.goal_id, g.name AS goal, g.attribute, g.event, g.times, g.after,
       g.time_limit_us * interval '1 microsecond' AS time_limit,
       (SELECT s.stopped_at FROM goals.goal_stop s WHERE s.goal_id = u.goal_id) AS stopped_at,
       e.opened_at, e.clicked_at,
       coalesce(u.goal_id = ANY (r.already), false) AS already_matched,
       -- NULL: the window has not begun. A multiple of a microsecond knows no months, days or time zones.
       CASE g.after WHEN 'sent' THEN r.sent_at WHEN 'opened' THEN e.opened_at WHEN 'clicked' THEN e.clicked_at END
           AS window_opens,
       CASE g.after WHEN 'sent' THEN r.sent_at WHEN 'opened' THEN e.opened_at WHEN 'clicked' THEN e.clicked_at END
           + g.time_limit_us * interval '1 microsecond' AS window_closes,
       h.match_id, h.matched_at, h.old_value, h.new_value, h.worth,
       coalesce(r.receipt_id <= (SELECT w.receipt_id FROM goals.watermark w), false) AS rolled,
       e.rolled_opened_at, e.rolled_clicked_at,
       CASE WHEN g.times = 1 AND h.match_id <= (SELECT w.match_id FROM goals.watermark w) THEN h.matched_at
            ELSE x.matched_at END AS rolled_matched_at,
       CASE WHEN g.times = 1 AND h.match_id <= (SELECT w.match_id FROM goals.watermark w) THEN h.worth
            ELSE x.worth END AS rolled_worth,
       coalesce(r.flags & 1 = 1, false) AS held_out, h.cause_ref,
       -- The message whose goals judge it. A query for one message names this too, and the revisions of that message:
       -- then its receipts are found by index.
       v.message_id AS goals_of,
       e.delivered_at, e.bounced_at, e.complained_at, e.unsubscribed_at, e.opened_by_machine_at, e.clicked_by_machine_at,
       e.withdrawn_at, e.had, e.rolled_had, e.superseded_by,
       -- As the receipt has it: what is found by index.
       r.user_key AS recorded_key, r.revision_id
FROM goals.receipt r
JOIN goals.revision v ON v.revision_id = r.revision_id
LEFT JOIN LATERAL (
    -- had: which kinds there are, a bit each: 1 delivered, 2 bounced, 4 complained, 8 unsubscribed, 16 opened by a machine,
    -- 32 clicked by a machine, 64 withdrawn, 128 the later entry of a merged person. 0: opened or clicked by a person. (movement() has the same.)
    SELECT min(f.at) FILTER (WHERE f.bits = 0) AS opened_at,
           min(f.at) FILTER (WHERE f.kind = 'c' AND f.bits = 0) AS clicked_at,
           min(f.at) FILTER (WHERE f.settled AND f.bits = 0) AS rolled_opened_at,
           min(f.at) FILTER (WHERE f.settled AND f.kind = 'c' AND f.bits = 0) AS rolled_clicked_at,
           min(f.at) FILTER (WHERE f.kind = 'd') AS delivered_at,
           min(f.at) FILTER (WHERE f.kind = 'b') AS bounced_at,
           min(f.at) FILTER (WHERE f.kind = 'p') AS complained_at,
           min(f.at) FILTER (WHERE f.kind = 'u') AS unsubscribed_at,
           min(f.at) FILTER (WHERE f.bits & 16 <> 0) AS opened_by_machine_at,
           min(f.at) FILTER (WHERE f.bits & 32 <> 0) AS clicked_by_machine_at,
           min(f.at) FILTER (WHERE f.kind = 'w') AS withdrawn_at,
           coalesce(bit_or(f.bits), 0) AS had,
           coalesce(bit_or(f.bits) FILTER (WHERE f.settled), 0) AS rolled_had,
           -- (Here, because the planner takes a condition on it for dear. To leave such out, ask with <>: it takes it that
           -- most rows are not equal, but that hardly any is null.)
           CASE WHEN r.flags & 2 = 2
                THEN (SELECT min(x.other_id) FROM goals_internal.entry_of_same x WHERE x.receipt_id = r.receipt_id AND x.is_earlier)
           END AS superseded_by
    FROM (SELECT e.at, e.kind, e.engagement_id <= (SELECT w.engagement_id FROM goals.watermark w) AS settled,
                 CASE e.kind WHEN 'o' THEN CASE WHEN e.machine THEN 16 ELSE 0 END
                             WHEN 'c' THEN CASE WHEN e.machine THEN 48 ELSE 0 END
                             WHEN 'd' THEN 1 WHEN 'b' THEN 2 WHEN 'p' THEN 4 WHEN 'u' THEN 8 WHEN 'w' THEN 64
                             WHEN 'm' THEN 128 ELSE 256 END AS bits
          FROM goals.engagement e
          WHERE e.receipt_id = r.receipt_id) f
) e ON true
-- goal_id NULL: the receipt itself, whatever its goals.
CROSS JOIN LATERAL unnest(array_append(v.goal_ids, NULL)) AS u (goal_id)
LEFT JOIN goals.goal g ON g.goal_id = u.goal_id
LEFT JOIN LATERAL (
    -- The match: the times-th hit in the order of time.
    SELECT h.match_id, h.matched_at, h.old_value, h.new_value, h.worth, h.cause_ref
    FROM goals.match_log h
    WHERE h.receipt_id = r.receipt_id AND h.goal_id = u.goal_id
          AND u.goal_id IS NOT NULL AND (u.goal_id = ANY (r.already)) IS NOT TRUE
    ORDER BY h.matched_at, h.match_id
    OFFSET g.times - 1 LIMIT 1
) h ON true
LEFT JOIN LATERAL (
    -- The match among the hits that are in the rolled totals, where that can be another one: none if there are too few
    -- hits in all, and the same if the first of all is among them. (The aggregates are over one row: an unused join of
    -- an aggregate is dropped.)
    SELECT min(t.matched_at) AS matched_at, min(t.worth) AS worth
    FROM (SELECT h2.matched_at, h2.worth
          FROM goals.match_log h2
          WHERE h2.receipt_id = r.receipt_id AND h2.goal_id = u.goal_id
                AND h2.match_id <= (SELECT w.match_id FROM goals.watermark w)
                AND h.match_id IS NOT NULL
                AND (g.times > 1 OR h.match_id > (SELECT w.match_id FROM goals.watermark w))
          ORDER BY h2.matched_at, h2.match_id
          OFFSET g.times - 1 LIMIT 1) t
) x ON true;
COMMENT ON VIEW goals_internal.ledger IS
    'Each receipt and goal it is judged by (and goal_id NULL: the receipt itself) with what is known of it now, and '
    'in rolled_... what the rolled totals know of it';

CREATE VIEW goals_internal.contribution AS
SELECT l.settled,
       l.receipt_id, l.users_source_id, l.user_key, l.variant_id, l.sent_at, l.message_id, l.goal_id, l.goal,
       l.as_opened_at AS opened_at, l.as_clicked_at AS clicked_at, l.as_matched_at AS matched_at, l.window_opens, l.window_closes, l.stopped_at,
       l.counts AS sent,
       CASE WHEN l.as_opened_at IS NOT NULL THEN l.counts ELSE 0 END AS opened,
       CASE WHEN l.as_clicked_at IS NOT NULL THEN l.counts ELSE 0 END AS clicked,
       CASE WHEN l.already_matched THEN l.counts ELSE 0 END AS already_matched,
       CASE WHEN l.as_matched_at IS NOT NULL THEN l.counts ELSE 0 END AS matched,
       CASE WHEN l.as_opened_at <= l.as_matched_at THEN l.counts ELSE 0 END AS matched_after_open,
       CASE WHEN l.as_clicked_at <= l.as_matched_at THEN l.counts ELSE 0 END AS matched_after_click,
       CASE WHEN l.counts = 1 THEN coalesce(l.as_worth, 0) ELSE 0 END AS worth,
       -- Receipts of one user whose match is the same change: same instant, same cause.
       coalesce('r' || l.cause_ref, 'a' || l.attribute, 'e' || l.event) AS cause,
       (l.sent_at AT TIME ZONE 'UTC')::date AS day,
       -- Two of these for one user and message: the user is in no comparison.
       coalesce(l.variant_id, 0) AS arm,
       l.held_out, l.goals_of,
       l.as_had & 1 & -l.counts AS deliveries, l.as_had >> 1 & 1 & -l.counts AS bounced, l.as_had >> 2 & 1 & -l.counts AS complained,
       l.as_had >> 3 & 1 & -l.counts AS unsubscribed, l.as_had >> 4 & 1 & -l.counts AS opened_by_machine,
       l.as_had >> 5 & 1 & -l.counts AS clicked_by_machine,
       -- For compare(), where a withdrawn receipt counts and an entry that came later does not.
       l.as_had >> 7 & 1 AS superseded, l.already_matched AS already, coalesce(l.as_worth, 0) AS gain,
       l.recorded_key, l.revision_id
FROM (SELECT l.*, (l.as_had & 192 = 0)::integer AS counts
      FROM (SELECT k.settled, l.*,
                   CASE WHEN k.settled THEN l.rolled_opened_at ELSE l.opened_at END AS as_opened_at,
                   CASE WHEN k.settled THEN l.rolled_clicked_at ELSE l.clicked_at END AS as_clicked_at,
                   CASE WHEN k.settled THEN l.rolled_matched_at ELSE l.matched_at END AS as_matched_at,
                   CASE WHEN k.settled THEN l.rolled_worth ELSE l.worth END AS as_worth,
                   -- 128: superseded, too.
                   CASE WHEN k.settled
                        THEN l.rolled_had
                             | CASE WHEN l.superseded_by <= (SELECT w.receipt_id FROM goals.watermark w) THEN 128 ELSE 0 END
                        ELSE l.had | CASE WHEN l.superseded_by IS NOT NULL THEN 128 ELSE 0 END END AS as_had
            FROM goals_internal.ledger l
            -- A lateral VALUES list would say it shorter, but prepares its expressions again for every row.
            CROSS JOIN (SELECT false AS settled UNION ALL SELECT true) k
            WHERE NOT k.settled OR l.rolled) l) l;
COMMENT ON VIEW goals_internal.contribution IS
    'What each receipt adds to the counters of each of its goals (goal NULL: of the message): now, and as the rolled '
    'totals hold it (settled)';

CREATE VIEW goals_internal.receipt_of_person AS
SELECT r.users_source_id, r.user_key AS person, r.receipt_id
FROM goals.receipt r
WHERE NOT EXISTS (SELECT FROM goals.hand_over h
                  WHERE h.users_source_id = r.users_source_id AND h.from_key = r.user_key AND h.receipt_id >= r.receipt_id)
UNION ALL
SELECT h.users_source_id, h.into_key, r.receipt_id
FROM goals.hand_over h
JOIN goals.receipt r ON r.users_source_id = h.users_source_id AND r.user_key = h.from_key AND r.receipt_id <= h.receipt_id
WHERE NOT EXISTS (SELECT FROM goals.hand_over o
                  WHERE o.users_source_id = h.users_source_id AND o.from_key = h.from_key AND o.receipt_id <= h.receipt_id
                    AND (o.receipt_id = h.receipt_id AND o.hand_over_id > h.hand_over_id
                         OR o.receipt_id < h.receipt_id AND o.receipt_id >= r.receipt_id));
COMMENT ON VIEW goals_internal.receipt_of_person IS 'Each receipt with the key that its person has now';

-- Of a key that was merged into another one. Later changes and receipts under it are the other's too.
CREATE FUNCTION goals_internal.person_of(users_source_id integer, user_key text)
RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((SELECT h.into_key FROM goals.hand_over h
                     WHERE h.users_source_id = person_of.users_source_id AND h.from_key = person_of.user_key
                       AND h.receipt_id = 9223372036854775807
                     ORDER BY h.hand_over_id DESC LIMIT 1), person_of.user_key)
$$;
COMMENT ON FUNCTION goals_internal.person_of(integer, text) IS 'The key of the person that a key stands for';

CREATE FUNCTION goals_internal.goals_of(of_message integer)
RETURNS integer[]
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT ARRAY[m.message_id, m.like_message_id] FROM goals.message m WHERE m.message_id = of_message $$;
COMMENT ON FUNCTION goals_internal.goals_of(integer) IS 'The messages whose goals may judge the receipts of this one';

-- Looked up before the query that reads receipts: only of constants does the planner know how few receipts they have.
CREATE FUNCTION goals_internal.revisions_of(of_goals integer[])
RETURNS integer[]
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT array(SELECT v.revision_id FROM goals.revision v WHERE v.message_id = ANY (of_goals)) $$;
COMMENT ON FUNCTION goals_internal.revisions_of(integer[]) IS
    'The revisions of messages, of which goals_of() gives the ids';

CREATE FUNCTION goals_internal.arms_of(of_message integer)
RETURNS integer
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(m.like_message_id, m.message_id) FROM goals.message m WHERE m.message_id = of_message $$;
COMMENT ON FUNCTION goals_internal.arms_of(integer) IS 'The message whose variants and control group this one has';

-- The time limit has begun, has not passed, and the goal has not been stopped.
CREATE FUNCTION goals_internal.running(stopped_at timestamptz, window_closes timestamptz, at timestamptz)
RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(stopped_at IS NULL AND window_closes >= at, false);
COMMENT ON FUNCTION goals_internal.running(timestamptz, timestamptz, timestamptz) IS
    'True while a receipt can still match a goal; put into the query that calls it';

CREATE VIEW goals.outcome AS
SELECT l.receipt_id, l.users_source_id AS users_id, l.user_key, l.message_id, m.name AS message, l.variant_id, v.name AS variant,
       coalesce(v.is_control, false) AS is_control, l.goal_id, l.goal, l.attribute, l.event, l.times, l.after,
       l.time_limit, l.sent_at, l.opened_at, l.clicked_at, l.already_matched, l.window_opens, l.window_closes, l.stopped_at,
       l.match_id, l.matched_at, l.old_value, l.new_value, l.worth, l.held_out,
       l.delivered_at, l.bounced_at, l.complained_at, l.unsubscribed_at
FROM goals_internal.named_message m
JOIN goals_internal.ledger l ON l.message_id = m.message_id
                            AND l.goals_of = ANY (ARRAY[m.message_id, m.like_message_id])
LEFT JOIN goals.variant v ON v.variant_id = l.variant_id
WHERE l.goal_id IS NOT NULL AND l.had & 64 <> 64 AND l.had & 128 <> 128
  AND CASE WHEN l.superseded_by IS NULL THEN 0 ELSE 1 END <> 1;
COMMENT ON VIEW goals.outcome IS
    'One row per receipt and goal it is judged by: when it was sent, opened and clicked, whether its goal '
    'already held, and the match if there is one. user_key is the key that the person has now; withdrawn receipts are '
    'left out';
