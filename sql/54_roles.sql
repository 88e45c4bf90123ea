-- What the roles of a team may do.
SET LOCAL search_path = pg_catalog, pg_temp;

-- With the rights of the caller, so that the owner of the extension is the grantor. Which functions a role gets is said
-- by their names, so that it holds for all their parameters.
CREATE FUNCTION goals.grant_to(role regrole, what text)
RETURNS void
LANGUAGE plpgsql VOLATILE
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    sender CONSTANT text[] := '{assign, deliver, record_sent, record_delivered, record_bounced, record_opened,
        record_clicked, record_complained, record_unsubscribed, record_engagements, withdraw, record_event}';
    -- tail_sums is what the views call
    monitor CONSTANT text[] := '{tail_sums, health, verify}';
    analyst CONSTANT text[] := monitor || '{stats_bar, stats, compare, daily, daily_since_sending, attribution, report,
        report_data, rate_interval, difference_interval, ratio_interval, proportion_test, proportions_test, adjust_p,
        probability_better, anytime_test, anytime_ratio_interval, split_test, sample_size}';
    eraser CONSTANT text[] := '{forget_user, purge}';
    admin CONSTANT text[] := sender || analyst || eraser || '{track_users, move_users, track_events, track_receipts,
        track_attributes, track_membership, track_engagements, track_messages, untrack, untrack_all, create_message,
        rename_message, drop_message, set_goal, stop_goal, add_variant, set_control_group, matches, explain, roll_up,
        merge_users, gone_users, reset}';
    wanted CONSTANT text := lower(trim(what));
    functions text[];
    signature regprocedure;
BEGIN
    IF role IS NULL OR what IS NULL THEN
        PERFORM goals_internal.raise('null_argument', CASE WHEN role IS NULL THEN 'role' ELSE 'what' END);
    END IF;
    functions := CASE wanted WHEN 'sender' THEN sender WHEN 'analyst' THEN analyst WHEN 'admin' THEN admin
                             WHEN 'eraser' THEN eraser WHEN 'monitor' THEN monitor WHEN 'pauser' THEN '{pause}' END;
    IF functions IS NULL THEN
        RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
            MESSAGE = format('"%s" is not what a role can be', what),
            HINT = 'Pass ''sender'', ''analyst'', ''admin'', ''eraser'', ''monitor'' or ''pauser''.';
    END IF;
    IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = role) THEN
        RAISE EXCEPTION USING ERRCODE = 'undefined_object',
            MESSAGE = format('role %s does not exist', role::oid),
            HINT = 'Name a role, as in goals.grant_to(''shop_app'', ''sender'').';
    END IF;
    -- Without this, a GRANT of another role may do nothing but warn.
    IF NOT (SELECT pg_has_role(e.extowner, 'USAGE') FROM pg_extension e WHERE e.extname = 'pg_goals') THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege',
            MESSAGE = 'must be owner of extension pg_goals to grant rights on it',
            HINT = 'Ask a superuser to make this call.';
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA goals TO %s', role);
    FOR signature IN
        SELECT p.oid FROM pg_proc p
        WHERE p.pronamespace = 'goals'::regnamespace AND p.proname = ANY (functions)
        ORDER BY p.proname, p.oid
    LOOP
        EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %s', signature, role);
    END LOOP;
    IF wanted IN ('analyst', 'admin', 'monitor') THEN
        EXECUTE format('GRANT SELECT ON goals.message_stats, goals.variant_stats TO %s', role);
        EXECUTE format('GRANT SELECT (message_id, name, kind, channel, parent_id) ON goals.message TO %s', role);
    END IF;
    IF wanted = 'admin' THEN
        EXECUTE format('GRANT SELECT ON goals.outcome TO %s', role);
    END IF;
END
$$;
COMMENT ON FUNCTION goals.grant_to(regrole, text) IS
    'Grant a role what it needs as sender, analyst, admin, eraser, monitor or pauser. Call it again after an upgrade';
