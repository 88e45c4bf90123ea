-- The records of messages that have been dropped: removed by roll_up().
SET LOCAL search_path = pg_catalog, pg_temp;

-- goals.drop_message() ends with a revision of the message. Once that is settled (37_revisions.sql), no transaction can
-- make a receipt of the message any more, and all that did have ended. An open, a click or a hit that a transaction
-- still records is one of a receipt that is gone, which the next roll_up() deletes.
CREATE FUNCTION goals_internal.dropped_messages(up_to integer)
RETURNS SETOF goals.message
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
    RETURN QUERY
    SELECT m.*
    FROM goals.message m
    WHERE m.dropped_at IS NOT NULL
      AND (SELECT max(v.revision_id) FROM goals.revision v WHERE v.message_id = m.message_id) <= up_to;
END
$$;
COMMENT ON FUNCTION goals_internal.dropped_messages(integer) IS
    'The dropped messages of which no transaction can make a receipt any more, if the revisions up to this are settled';

-- In parts: whoever waits for the lock on the totals waits for one.
CREATE FUNCTION goals_internal.remove_dropped_messages(up_to integer, at_a_time integer = 100000)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    dropped goals.message;
    ids bigint[];
BEGIN
    FOR dropped IN SELECT d.* FROM goals_internal.dropped_messages(up_to) d ORDER BY d.message_id LOOP
        ids := ARRAY(SELECT r.receipt_id
                     FROM goals.revision v
                     JOIN goals.receipt r ON r.revision_id = v.revision_id
                     -- Receipts of a row of a campaigns table may be of a revision of another message.
                     WHERE v.message_id = ANY (ARRAY[dropped.message_id, dropped.like_message_id])
                       AND coalesce(r.message_id, v.message_id) = dropped.message_id
                     LIMIT at_a_time);
        DELETE FROM goals.engagement e USING unnest(ids) AS u (receipt_id) WHERE e.receipt_id = u.receipt_id;
        DELETE FROM goals.match_log h USING unnest(ids) AS u (receipt_id) WHERE h.receipt_id = u.receipt_id;
        DELETE FROM goals.reference f USING unnest(ids) AS u (receipt_id) WHERE f.receipt_id = u.receipt_id;
        DELETE FROM goals.feed f USING unnest(ids) AS u (receipt_id) WHERE f.receipt_id = u.receipt_id;
        DELETE FROM goals.receipt r USING unnest(ids) AS u (receipt_id) WHERE r.receipt_id = u.receipt_id;
        at_a_time := at_a_time - cardinality(ids);
        -- The next call takes the rest.
        EXIT WHEN at_a_time <= 0;
        DELETE FROM goals.total t WHERE t.message_id = dropped.message_id;
        DELETE FROM goals.day_total t WHERE t.message_id = dropped.message_id;
        DELETE FROM goals.slot_total t WHERE t.message_id = dropped.message_id;
        DELETE FROM goals.age_total t WHERE t.message_id = dropped.message_id;
        DELETE FROM goals.pair_total t WHERE t.message_id = dropped.message_id;
        DELETE FROM goals.variant v WHERE v.message_id = dropped.message_id;
        DELETE FROM goals.message_name n WHERE n.message_id = dropped.message_id;
        DELETE FROM goals.revision v
        WHERE v.message_id = dropped.message_id AND NOT EXISTS (SELECT FROM goals.receipt r WHERE r.revision_id = v.revision_id);
        WITH gone AS (
            DELETE FROM goals.goal g
            WHERE g.message_id = dropped.message_id
              AND NOT EXISTS (SELECT FROM goals.revision v WHERE v.message_id = g.message_id AND g.goal_id = ANY (v.goal_ids))
            RETURNING g.goal_id
        ), stops AS (
            DELETE FROM goals.goal_stop s USING gone g WHERE s.goal_id = g.goal_id
        )
        DELETE FROM goals.replay p USING gone g WHERE p.goal_id = g.goal_id;
        -- That of a row of a campaigns table stays: a later change of the row must not make it a message again.
        DELETE FROM goals.message m WHERE m.message_id = dropped.message_id AND m.source_id IS NULL;
        PERFORM goals_internal.announce();
    END LOOP;
END
$$;
COMMENT ON FUNCTION goals_internal.remove_dropped_messages(integer, integer) IS
    'Remove the records of messages that have been dropped, at most so many receipts; the caller holds the lock on the '
    'totals';
