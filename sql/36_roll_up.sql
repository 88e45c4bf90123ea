-- The running totals: who may write them, and how facts are folded into them.
SET LOCAL search_path = pg_catalog, pg_temp;

-- Update, then insert what was not there: only the holder of goals_internal.lock_totals writes the totals, so no key is
-- needed.
CREATE FUNCTION goals_internal.add_to_totals(delta goals.total[])
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
        users_worth = t.users_worth + d.users_worth, deliveries = t.deliveries + d.deliveries, bounced = t.bounced + d.bounced,
        complained = t.complained + d.complained, unsubscribed = t.unsubscribed + d.unsubscribed,
        opened_by_machine = t.opened_by_machine + d.opened_by_machine,
        clicked_by_machine = t.clicked_by_machine + d.clicked_by_machine
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
COMMENT ON FUNCTION goals_internal.add_to_totals(goals.total[]) IS
    'Add differences to the totals: one row per layer, message, goal, variant and day. The caller holds the '
    'lock on the totals';

-- A lock on the table, which takes a right on it that only the owner has; an advisory lock could be held by any role
-- that may connect. Readers and the writers of facts do not meet it. VACUUM, ANALYZE and CREATE INDEX CONCURRENTLY of
-- this small table do: for as long as they run, who does not wait is refused. It takes no transaction id, which
-- goals.roll_up() depends on.
CREATE FUNCTION goals_internal.lock_totals(wait boolean)
RETURNS boolean
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- The owner of one of them could have code run with the rights of the extension's owner.
    IF EXISTS (SELECT FROM pg_tables t JOIN pg_extension e ON e.extname = 'pg_goals'
               WHERE t.schemaname = 'goals' AND t.tablename IN ('total', 'watermark', 'next_watermark', 'day_total', 'slot_total', 'age_total', 'pair_total') AND t.tableowner <> pg_get_userbyid(e.extowner)) THEN
        PERFORM goals_internal.raise('totals_owner');
    END IF;
    IF wait THEN
        LOCK TABLE goals.total IN SHARE ROW EXCLUSIVE MODE;
        -- A snapshot older than the lock would take off what the totals no longer hold. At READ COMMITTED the next
        -- statement has a new one; at a higher level this fails with 40001 if a holder has changed anything since.
        INSERT INTO goals.watermark AS w VALUES (true, 0, 0, 0, NULL, 0, 0)
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
COMMENT ON FUNCTION goals_internal.lock_totals(boolean) IS
    'The lock of those who write the totals, held to the end of the transaction; false: another call has it';

-- A receipt's facts may outlive it: a writer was running while the person was forgotten. They enter no figure. The
-- writer had seen the receipt, so if a snapshot has a fact and not its receipt, the receipt has been deleted.
CREATE FUNCTION goals_internal.drop_orphans(after_engagement bigint, to_engagement bigint, after_match bigint, to_match bigint)
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
COMMENT ON FUNCTION goals_internal.drop_orphans(bigint, bigint, bigint, bigint) IS
    'Delete the facts between these marks whose receipt has been forgotten or purged; the caller holds the lock on '
    'the totals';

-- Ids are drawn in order but committed in any order, so a mark may be folded only when every writer that could hold an
-- id below it has ended. A writer has its transaction id before it draws. So this reads the sequences, then takes a
-- transaction id itself. Every writer that drew an id up to the mark has a smaller one, and all smaller ones have ended
-- as soon as a snapshot's xmin has reached it. (The xmax of a snapshot would not do: it is one past the latest
-- transaction that has *ended*, and a running one may be at or beyond it.)
--
-- w is the watermark, n the mark that an earlier call left in next_watermark, sampled the mark of this call:
--
--   n              sampled                                    then
--   ------------   ----------------------------------------   ------------------------------------------------------
--   waits          -                                          return 0: its writers are still running
--   settled        nothing new                                return 0
--   any            settled at once (no writer is running)     fold sampled
--   settled        not settled yet                            fold n, leave sampled for the next call
--   none           not settled yet                            leave sampled for the next call, return 0
--   settled        proves nothing (this transaction wrote)    fold n
--   none           proves nothing (this transaction wrote)    return 0 with a notice
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
    people bigint;
BEGIN
    IF pg_is_in_recovery() THEN
        PERFORM goals_internal.raise('in_recovery');
    END IF;
    IF current_setting('transaction_isolation') NOT IN ('read committed', 'read uncommitted') THEN
        RAISE NOTICE 'goals.roll_up() does nothing at isolation level %', current_setting('transaction_isolation')
            USING HINT = 'Call it at READ COMMITTED: it has to see what has been committed since.';
        RETURN 0;
    END IF;
    IF NOT goals_internal.lock_totals(false) THEN
        RETURN 0;
    END IF;

    SELECT * INTO w FROM goals.watermark;
    w.receipt_id := coalesce(w.receipt_id, 0);
    w.engagement_id := coalesce(w.engagement_id, 0);
    w.match_id := coalesce(w.match_id, 0);
    w.hand_over_id := coalesce(w.hand_over_id, 0);
    w.people_receipt_id := coalesce(w.people_receipt_id, 0);
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
    sampled.revision_id := goals_internal.last_settled_revision();
    SELECT d.receipt_id, d.engagement_id, d.match_id INTO sampled.receipt_id, sampled.engagement_id, sampled.match_id
    FROM goals_internal.drawn() d;
    sampled.hand_over_id := goals_internal.drawn_hand_over();
    IF (sampled.receipt_id, sampled.engagement_id, sampled.match_id, sampled.hand_over_id, w.receipt_id)
       IS NOT DISTINCT FROM (w.receipt_id, w.engagement_id, w.match_id, w.hand_over_id, w.people_receipt_id)
       AND NOT EXISTS (SELECT FROM goals_internal.unused_revisions(sampled.revision_id))
       AND NOT EXISTS (SELECT FROM goals_internal.dropped_messages(sampled.revision_id)) THEN
        PERFORM goals_internal.note_columns();
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

    PERFORM goals_internal.drop_orphans(w.engagement_id, n.engagement_id, w.match_id, n.match_id);
    SELECT (SELECT count(*) FROM goals.receipt r WHERE r.receipt_id > w.receipt_id AND r.receipt_id <= n.receipt_id)
         + (SELECT count(*) FROM goals.engagement e
            WHERE e.engagement_id > w.engagement_id AND e.engagement_id <= n.engagement_id)
         + (SELECT count(*) FROM goals.match_log h WHERE h.match_id > w.match_id AND h.match_id <= n.match_id)
    INTO folded;

    PERFORM goals_internal.add_to_totals(ARRAY(
        SELECT ROW('rolled', d.message_id, d.goal, d.variant_id, sum(d.sent), sum(d.opened), sum(d.clicked), sum(d.already_matched),
                   sum(d.matched), sum(d.matched_after_open), sum(d.matched_after_click), sum(d.worth), 0, 0, NULL, 0, 0, 0, sum(d.deliveries),
                   sum(d.bounced), sum(d.complained), sum(d.unsubscribed), sum(d.opened_by_machine), sum(d.clicked_by_machine))::goals.total
        FROM goals_internal.movement(w.receipt_id, w.engagement_id, w.match_id, n.receipt_id, n.engagement_id, n.match_id) d
        GROUP BY d.message_id, d.goal, d.variant_id));
    people := goals_internal.fold_people(w.people_receipt_id, w.engagement_id, w.match_id, w.hand_over_id,
                                         n.receipt_id, n.engagement_id, n.match_id, n.hand_over_id);
    INSERT INTO goals.watermark AS mine
    VALUES (true, n.receipt_id, n.engagement_id, n.match_id, clock_timestamp(), n.hand_over_id, people)
    ON CONFLICT (only_row) DO UPDATE
    SET receipt_id = EXCLUDED.receipt_id, engagement_id = EXCLUDED.engagement_id, match_id = EXCLUDED.match_id,
        rolled_at = EXCLUDED.rolled_at, hand_over_id = EXCLUDED.hand_over_id, people_receipt_id = EXCLUDED.people_receipt_id;
    -- Hand-overs that these have replaced: they may name people who have been forgotten.
    DELETE FROM goals.hand_over h
    USING goals.hand_over o
    WHERE o.hand_over_id > w.hand_over_id AND o.hand_over_id <= n.hand_over_id AND o.users_source_id = h.users_source_id
      AND o.from_key = h.from_key AND o.receipt_id = h.receipt_id AND o.hand_over_id > h.hand_over_id;
    -- After an upgrade, when the other totals are complete.
    IF w.people_receipt_id < w.receipt_id THEN
        folded := greatest(folded, (SELECT count(*) FROM goals.receipt r
                                    WHERE r.receipt_id > w.people_receipt_id AND r.receipt_id <= people));
    END IF;
    PERFORM goals_internal.summarize_marks();
    -- Of a campaign the name that it has now is read. An hour: what was named then may have been committed since.
    DELETE FROM goals.message_name o
    USING (SELECT l.message_id, max(l.message_name_id) AS newest
           FROM goals.message_name l
           WHERE l.named_at >= coalesce(w.rolled_at - interval '1 hour', '-infinity')
           GROUP BY l.message_id) l
    WHERE o.message_id = l.message_id AND o.message_name_id < l.newest;
    PERFORM goals_internal.drop_unused_revisions(n.revision_id);
    PERFORM goals_internal.remove_dropped_messages(n.revision_id);
    -- It may write, and so take a transaction id: not before the marks are read.
    PERFORM goals_internal.note_columns();
    RETURN folded;
END
$$;
COMMENT ON FUNCTION goals.roll_up() IS
    'Add new receipts, opens, clicks and hits to the running totals; returns how many were '
    'added, 0 if nothing was ready or another call is running. Safe at any time, and from several sessions';

-- The block-range indexes that find the tail learn of new pages from VACUUM only. Where one is at work it will do it.
CREATE FUNCTION goals_internal.summarize_marks()
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
COMMENT ON FUNCTION goals_internal.summarize_marks() IS
    'Bring the block-range indexes on the ids of the facts up to date';
