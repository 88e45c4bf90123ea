-- Why a message counts, or does not count, for one person.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals.explain(message text, user_key text)
RETURNS TABLE (goal text, receipt_id bigint, variant text, sent_at timestamptz, opened_at timestamptz, clicked_at timestamptz,
    verdict text, window_opens timestamptz, window_closes timestamptz, matched_at timestamptz, attribute text, event text,
    old_value jsonb, new_value jsonb, times_seen bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
SET join_collapse_limit = 16 SET from_collapse_limit = 16
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    at_once CONSTANT timestamptz := clock_timestamp();
    users integer;
    ids bigint[];
BEGIN
    IF explain.user_key IS NULL THEN
        PERFORM goals_internal.raise('null_argument', 'user_key');
    END IF;
    SELECT m.users_source_id INTO users FROM goals.message m WHERE m.message_id = of_message;
    PERFORM goals_internal.refuse_list(users, explain.user_key);
    ids := ARRAY(
        SELECT p.receipt_id
        FROM goals_internal.receipt_of_person p
        WHERE p.users_source_id = users
          AND p.person = goals_internal.person_of(users, coalesce(goals_internal.stored_key(users, explain.user_key), explain.user_key)));
    RETURN QUERY
    SELECT o.goal::text, o.receipt_id, v.name::text, o.sent_at, o.opened_at, o.clicked_at,
           CASE
               WHEN v.is_control THEN 'control'
               WHEN o.withdrawn_at IS NOT NULL THEN 'withdrawn'
               WHEN o.already_matched THEN 'already matched when sent'
               WHEN o.matched_at IS NOT NULL THEN 'matched'
               WHEN o.stopped_at < o.window_closes OR (o.window_opens IS NULL AND o.stopped_at IS NOT NULL)
                   THEN 'goal stopped'
               WHEN o.window_closes < at_once THEN 'time limit passed'
               WHEN goals_internal.is_broken(o.goal_id) THEN 'goal broken'
               WHEN o.window_opens IS NULL AND o.after = 'opened' THEN 'not opened'
               WHEN o.window_opens IS NULL THEN 'not clicked'
               ELSE 'still running'
           END,
           o.window_opens, o.window_closes, o.matched_at, o.attribute::text, o.event::text, o.old_value, o.new_value,
           -- A goal that held already may have hits of a change in the same instant; they were not looked for.
           CASE WHEN o.already_matched THEN 0
                ELSE (SELECT count(*) FROM goals.match_log h WHERE h.receipt_id = o.receipt_id AND h.goal_id = o.goal_id)
           END
    FROM goals_internal.ledger o
    LEFT JOIN goals.variant v ON v.variant_id = o.variant_id
    WHERE o.receipt_id = ANY (ids) AND o.message_id = of_message AND o.goal_id IS NOT NULL
      AND o.had & 128 <> 128 AND CASE WHEN o.superseded_by IS NULL THEN 0 ELSE 1 END <> 1
    ORDER BY o.sent_at, o.receipt_id, o.goal;
END
$$;
COMMENT ON FUNCTION goals.explain(text, text) IS
    'One row per receipt and goal of one user, with a verdict in words (matched, '
    'already matched when sent, still running, time limit passed, not opened, not clicked, goal stopped, '
    'goal broken, withdrawn, control), its window and the change seen; times_seen: how often the goal''s change was seen in the '
    'window';

CREATE FUNCTION goals.explain(message text, user_key bigint)
RETURNS TABLE (goal text, receipt_id bigint, variant text, sent_at timestamptz, opened_at timestamptz, clicked_at timestamptz,
    verdict text, window_opens timestamptz, window_closes timestamptz, matched_at timestamptz, attribute text, event text,
    old_value jsonb, new_value jsonb, times_seen bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM goals.explain(message, user_key::text) $$;
COMMENT ON FUNCTION goals.explain(text, bigint) IS 'goals.explain(text, text) for a bigint key';

CREATE FUNCTION goals.explain(message text, user_key uuid)
RETURNS TABLE (goal text, receipt_id bigint, variant text, sent_at timestamptz, opened_at timestamptz, clicked_at timestamptz,
    verdict text, window_opens timestamptz, window_closes timestamptz, matched_at timestamptz, attribute text, event text,
    old_value jsonb, new_value jsonb, times_seen bigint)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$ SELECT * FROM goals.explain(message, user_key::text) $$;
COMMENT ON FUNCTION goals.explain(text, uuid) IS 'goals.explain(text, text) for a uuid key';
