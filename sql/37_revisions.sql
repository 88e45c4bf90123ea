-- Revisions of goals under which nothing has been sent: found and removed by roll_up().
SET LOCAL search_path = pg_catalog, pg_temp;

-- Goals that were replaced before a receipt was made under them can never match. Each backend keeps all goals in memory
-- and judges them, so these are deleted, as soon as no transaction can still make a receipt under them:
--   a transaction that makes a receipt has an id, and only then learns which goals are in force;
--   so, once the announcement of the newer ones is out, only transactions that have an id by then can miss it;
--   they have all ended when the mark is folded that was sampled afterwards.
-- The announcement goes out before the setter's lock on the table is released, but after its commit is visible: hence
-- the look at the locks.
CREATE FUNCTION goals_internal.last_settled_revision()
RETURNS integer
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    last_one CONSTANT integer := (SELECT max(v.revision_id) FROM goals.revision v);
BEGIN
    IF EXISTS (SELECT FROM pg_locks l
               WHERE l.locktype = 'relation' AND l.relation = 'goals.revision'::regclass AND l.mode = 'RowExclusiveLock'
                 AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
                 AND l.pid IS DISTINCT FROM pg_backend_pid()) THEN
        RETURN 0;
    END IF;
    RETURN coalesce(last_one, 0);
END
$$;
COMMENT ON FUNCTION goals_internal.last_settled_revision() IS
    'The newest revision if every backend has been told of it and of those before it; 0 while goals are being set';

CREATE FUNCTION goals_internal.unused_revisions(up_to integer)
RETURNS SETOF goals.revision
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
BEGIN
    RETURN QUERY
    SELECT v.*
    FROM goals.revision v
    JOIN (SELECT n.message_id, max(n.revision_id) AS revision_id
          FROM goals.revision n WHERE n.revision_id <= up_to GROUP BY n.message_id) newest
         ON newest.message_id = v.message_id AND newest.revision_id > v.revision_id
    WHERE NOT EXISTS (SELECT FROM goals.receipt r WHERE r.revision_id = v.revision_id);
END
$$;
COMMENT ON FUNCTION goals_internal.unused_revisions(integer) IS
    'The revisions that have been replaced by one up to this, and under which there is no receipt';

CREATE FUNCTION goals_internal.drop_unused_revisions(up_to integer)
RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    unused CONSTANT goals.revision[] := ARRAY(SELECT u FROM goals_internal.unused_revisions(up_to) u);
    dropped integer[];
BEGIN
    IF cardinality(unused) = 0 THEN
        RETURN;
    END IF;
    DELETE FROM goals.revision v USING unnest(unused) u WHERE v.revision_id = u.revision_id;
    -- The first version stands for the goal's name.
    WITH gone AS (
        DELETE FROM goals.goal g
        USING (SELECT DISTINCT unnest(u.goal_ids) AS goal_id FROM unnest(unused) u) u
        WHERE g.goal_id = u.goal_id AND g.version > 1
          AND NOT EXISTS (SELECT FROM goals.revision v WHERE v.message_id = g.message_id AND g.goal_id = ANY (v.goal_ids))
          -- The newest of those that mean the same may judge the receipts of an earlier version, whose column is of
          -- another type by now.
          AND NOT (EXISTS (SELECT FROM goals.goal e
                           WHERE e.message_id = g.message_id AND e.name = g.name AND e.version < g.version
                             AND e.attribute = g.attribute AND e.attribute_type <> g.attribute_type
                             AND e.operator = g.operator AND e.time_limit_us = g.time_limit_us AND e.after = g.after
                             AND e.value_from IS NOT DISTINCT FROM g.value_from)
                   AND NOT EXISTS (SELECT FROM goals.goal l
                                   WHERE l.message_id = g.message_id AND l.name = g.name AND l.version > g.version
                                     AND l.attribute = g.attribute AND l.attribute_type = g.attribute_type
                                     AND l.operator = g.operator AND l.time_limit_us = g.time_limit_us
                                     AND l.after = g.after AND l.value IS NOT DISTINCT FROM g.value
                                     AND l.value_from IS NOT DISTINCT FROM g.value_from))
        RETURNING g.goal_id
    )
    SELECT array_agg(g.goal_id) INTO dropped FROM gone g;
    DELETE FROM goals.goal_stop s WHERE s.goal_id = ANY (dropped);
    PERFORM goals_internal.announce();
END
$$;
COMMENT ON FUNCTION goals_internal.drop_unused_revisions(integer) IS
    'Delete the versions of goals that were replaced before a receipt was made under them';
