-- What needs attention: one query per kind of problem.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals_internal.health_of_switches()
RETURNS TABLE (problem text, object text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    -- What is set in this session, and what those of this database or of a role begin with.
    RETURN QUERY
    WITH switch AS (
        SELECT 'pg_goals.enabled' AS what, current_setting('pg_goals.enabled', true) AS is_at
        UNION ALL
        SELECT 'session_replication_role', CASE current_setting('session_replication_role') WHEN 'replica' THEN 'off' ELSE 'on' END
        UNION ALL
        -- What is set for a role, or for all, in this database comes before what is set for it everywhere.
        (SELECT DISTINCT ON (s.name, x.setrole)
               format('%s of %s', s.name,
                      coalesce(nullif(concat_ws(' in ', 'role ' || quote_ident(r.rolname),
                                                'database ' || quote_ident(d.datname)), ''), 'all roles')),
               CASE WHEN s.name = 'pg_goals.enabled' THEN s.value WHEN s.value = 'replica' THEN 'off' ELSE 'on' END
        FROM pg_db_role_setting x
        CROSS JOIN unnest(x.setconfig) AS c (setting)
        CROSS JOIN LATERAL (SELECT lower(split_part(c.setting, '=', 1)) AS name,
                                   split_part(c.setting, '=', 2) AS value) s
        LEFT JOIN pg_roles r ON r.oid = x.setrole
        LEFT JOIN pg_database d ON d.oid = x.setdatabase
        WHERE x.setdatabase IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))
          AND s.name IN ('pg_goals.enabled', 'session_replication_role')
        ORDER BY s.name, x.setrole, x.setdatabase DESC)
    )
    SELECT 'switched off', w.what, 'the triggers do nothing: changes made now never match',
           CASE WHEN starts_with(w.what, 'session') THEN 'Reset it, and connect again.' ELSE 'Set it to on, or reset it, and connect again.' END
    FROM switch w
    WHERE lower(w.is_at) NOT IN ('on', 'true', 'yes', '1', 't', 'tr', 'tru', 'y', 'ye')
    ORDER BY 2;
END
$$;
COMMENT ON FUNCTION goals_internal.health_of_switches() IS 'A part of goals.health(). Triggers switched off, in this session or for a role or database';

CREATE FUNCTION goals_internal.health_of_tables()
RETURNS TABLE (problem text, object text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
BEGIN
    -- A dropped table leaves its oid behind. (Citus hides some tables from queries of the catalog, but not from this
    -- function.)
    RETURN QUERY
    SELECT 'dropped table', s.relation::oid::text, format('the %s table of source %s is gone', s.kind, s.source_id),
           format('What was recorded stays. '
                  || CASE s.kind WHEN 'users' THEN 'SELECT goals.move_users(%1$s, %2$s) hands it over to the table that has taken its place'
                                 ELSE 'Track its successor with goals.track_%3$s()' END
                  || '; SELECT goals.untrack(%1$s) removes this entry.',
                  s.relation::oid, coalesce(quote_literal(f.name), '...'), s.kind)
    FROM goals.source s
    CROSS JOIN LATERAL goals_internal.follower(s.source_id, s.schema_name, s.table_name) AS f (name)
    WHERE s.attached AND has_table_privilege(s.relation, 'SELECT') IS NULL
    ORDER BY s.source_id;

    -- Online schema changes put a copy in the place of a table: the tracked one goes on under another name.
    RETURN QUERY
    SELECT format('swapped %s table', s.kind), f.name,
           format('another table has this name: the one that is tracked for %s is %s, and changes of the other are not seen', s.kind, s.relation),
           CASE s.kind WHEN 'users' THEN format('SELECT goals.move_users(%L, %L). If both are in use: SELECT goals.track_users(%L)', s.relation::text, f.name, s.relation::text)
                       ELSE format('SELECT goals.untrack(%L), and track %s with goals.track_%s()', s.relation::text, f.name, s.kind) END
    FROM goals.source s
    CROSS JOIN LATERAL goals_internal.follower(s.source_id, s.schema_name, s.table_name) AS f (name)
    WHERE s.attached AND f.name IS NOT NULL AND has_table_privilege(s.relation, 'SELECT') IS NOT NULL
    ORDER BY s.source_id;

    -- A trigger is known by its function and argument; it may have been renamed.
    RETURN QUERY
    SELECT CASE WHEN t.oid IS NULL THEN 'missing trigger' ELSE 'disabled trigger' END, s.relation::text,
           CASE WHEN t.oid IS NULL THEN format('the %s table has no trigger of pg_goals: its changes are not seen', s.kind)
                ELSE format('trigger %I of the %s table is disabled: its changes are not seen', t.tgname, s.kind) END,
           CASE WHEN t.oid IS NULL THEN format('Attach it again with goals.track_%s().', s.kind)
                ELSE format('ALTER TABLE %s ENABLE TRIGGER %I', s.relation, t.tgname) END
    FROM goals.source s
    LEFT JOIN pg_trigger t ON t.tgrelid = s.relation AND t.tgparentid = 0
        AND t.tgargs = convert_to(s.source_id::text, 'UTF8') || decode('00', 'hex')
        AND t.tgfoid = CASE s.kind WHEN 'users' THEN 'goals.capture()'::regprocedure
                                   WHEN 'events' THEN 'goals.capture_event()'::regprocedure
                                   WHEN 'messages' THEN 'goals.capture_message()'::regprocedure
                                   WHEN 'attributes' THEN 'goals.capture_attributes()'::regprocedure
                                   WHEN 'membership' THEN 'goals.capture_membership()'::regprocedure
                                   WHEN 'engagements' THEN 'goals.capture_engagement()'::regprocedure
                                   ELSE 'goals.capture_receipt()'::regprocedure END
    WHERE s.attached AND (t.oid IS NULL OR t.tgenabled IN ('D', 'R')) AND has_table_privilege(s.relation, 'SELECT') IS NOT NULL
    ORDER BY s.source_id;

    RETURN QUERY
    SELECT CASE WHEN starts_with(p.problem, 'Citus ') THEN 'distributed table' ELSE 'broken ' || s.kind || ' table' END, s.relation::text, p.problem,
           CASE WHEN starts_with(p.problem, 'Citus ') THEN format('SELECT undistribute_table(%1$L), or stop tracking it: SELECT goals.untrack(%1$L)', s.relation)
                ELSE format('Name the columns as they are now with goals.track_%s().', s.kind) END
    FROM goals.source s
    CROSS JOIN LATERAL goals_internal.source_problem(s.source_id) AS p (problem)
    WHERE s.attached AND p.problem IS NOT NULL
    ORDER BY s.source_id;

    -- A partition may be disabled on its own.
    RETURN QUERY
    SELECT 'disabled trigger', t.tgrelid::regclass::text,
           format('trigger %I of a partition of %s is disabled: its changes are not seen', t.tgname, s.relation),
           format('ALTER TABLE %s ENABLE TRIGGER %I', t.tgrelid::regclass, t.tgname)
    FROM goals.source s
    CROSS JOIN LATERAL pg_partition_tree(s.relation) p
    JOIN pg_trigger t ON t.tgrelid = p.relid AND t.tgparentid <> 0
        AND t.tgargs = convert_to(s.source_id::text, 'UTF8') || decode('00', 'hex')
        AND t.tgfoid IN ('goals.capture()'::regprocedure, 'goals.capture_event()'::regprocedure,
                         'goals.capture_receipt()'::regprocedure, 'goals.capture_message()'::regprocedure,
                         'goals.capture_attributes()'::regprocedure, 'goals.capture_membership()'::regprocedure,
                         'goals.capture_engagement()'::regprocedure)
    WHERE s.attached AND p.relid <> s.relation AND t.tgenabled IN ('D', 'R')
    ORDER BY 2;

    -- Tracked first and made a partition of a tracked table later. Two users tables are two sets of people with
    -- messages of their own; but an event or a send is one, and is read for the table above.
    RETURN QUERY
    SELECT 'tracked twice', s.relation::text,
           format('it is a partition of %s, which is tracked for %s too: its rows are read as rows of that table', above.relation, s.kind),
           format('SELECT goals.untrack(%L)', s.relation)
    FROM goals.source s
    JOIN goals.source above ON above.attached AND above.kind = s.kind AND above.source_id <> s.source_id
        AND coalesce(above.options ->> 'named', above.options ->> 'engagement', '')
            = coalesce(s.options ->> 'named', s.options ->> 'engagement', '')
        AND (s.kind IN ('receipts', 'engagements') OR above.users_source_id = s.users_source_id)
    JOIN pg_partition_ancestors(s.relation) p ON p.relid = above.relation
    WHERE s.attached AND s.kind <> 'users'
    ORDER BY s.source_id, above.source_id;

    -- Rows of tables that inherit from a tracked one fire their own triggers only.
    RETURN QUERY
    SELECT 'heirs are not seen', s.relation::text,
           format('changes of rows in %s, which inherits from it, are not seen', string_agg(i.inhrelid::regclass::text, ', ' ORDER BY i.inhrelid::regclass::text)),
           format('Track such a table by itself, or end the inheritance: ALTER TABLE ... NO INHERIT %s', s.relation)
    FROM goals.source s
    JOIN pg_inherits i ON i.inhparent = s.relation
    WHERE s.attached AND NOT EXISTS (SELECT FROM pg_partitioned_table p WHERE p.partrelid = s.relation)
      AND NOT EXISTS (SELECT FROM goals.source h WHERE h.attached AND h.relation = i.inhrelid)
    GROUP BY s.source_id, s.relation
    ORDER BY s.source_id;

    -- What is recorded is appended below SQL. Tools that copy a table by triggers would lose it.
    RETURN QUERY
    SELECT 'trigger without effect', t.tgrelid::regclass::text,
           format('trigger %I does not fire for what is recorded: a copy made by it lacks that', t.tgname),
           format('DROP TRIGGER %I ON %s', t.tgname, t.tgrelid::regclass)
    FROM pg_trigger t
    WHERE NOT t.tgisinternal
      AND t.tgrelid IN ('goals.receipt'::regclass, 'goals.engagement'::regclass, 'goals.match_log'::regclass, 'goals.reference'::regclass,
                        'goals.hand_over'::regclass, 'goals.ignored'::regclass)
    ORDER BY 2, t.tgname;
END
$$;
COMMENT ON FUNCTION goals_internal.health_of_tables() IS 'A part of goals.health(). Tracked tables that are gone, lack a trigger or cannot be read, and triggers that have no effect';

CREATE FUNCTION goals_internal.health_of_broken_goals()
RETURNS TABLE (problem text, object text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    at_once CONSTANT timestamptz := clock_timestamp();
BEGIN
    -- Only goals that still decide something: in force, or with a window that may be open.
    RETURN QUERY
    SELECT 'broken goal', format('%s / %s', m.name, g.name),
           p.problem || CASE WHEN f.in_force THEN '' ELSE ' (an earlier version of the goal, with receipts in their time limit)' END,
           CASE WHEN s.relation IS NULL THEN 'Hand its messages over to the table that has taken its place with goals.move_users(), or stop the goal with goals.stop_goal().'
                WHEN NOT s.attached THEN 'Track the table again with goals.track_users(), or stop the goal with goals.stop_goal().'
                WHEN f.in_force THEN 'Set the goal again with goals.set_goal(): with the same meaning, running receipts go on. '
                                     || 'Or stop it with goals.stop_goal().'
                ELSE 'The version in force is not affected. This entry is removed when those time limits have passed.' END
    FROM goals.goal g
    JOIN goals_internal.named_message m ON m.message_id = g.message_id
    LEFT JOIN goals.source s ON s.source_id = m.users_source_id AND has_table_privilege(s.relation, 'SELECT') IS NOT NULL
    CROSS JOIN LATERAL (SELECT goals_internal.goal_problem(g.goal_id) AS problem) p
    CROSS JOIN LATERAL (SELECT g.goal_id = ANY ((SELECT v.goal_ids FROM goals.revision v WHERE v.message_id = g.message_id
                                                 ORDER BY v.revision_id DESC LIMIT 1)::integer[]) AS in_force) f
    WHERE p.problem IS NOT NULL
      AND NOT EXISTS (SELECT FROM goals.goal_stop x WHERE x.goal_id = g.goal_id)
      AND (f.in_force
           OR EXISTS (SELECT FROM goals.revision v
                      JOIN goals.receipt r ON r.revision_id = v.revision_id
                      WHERE v.message_id = g.message_id AND g.goal_id = ANY (v.goal_ids)
                        AND (g.after <> 'sent' OR r.sent_at >= at_once - g.time_limit_us * interval '1 microsecond')))
    ORDER BY m.name, g.name, g.version;
END
$$;
COMMENT ON FUNCTION goals_internal.health_of_broken_goals() IS 'A part of goals.health(). Goals that cannot be evaluated and still decide something';

CREATE FUNCTION goals_internal.health_of_records()
RETURNS TABLE (problem text, object text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    at_once CONSTANT timestamptz := clock_timestamp();
    -- Messages with variants or a control group, or part of a programme, which may have some.
    divided CONSTANT integer[] := ARRAY(SELECT a.message_id FROM goals.variant a
                                        UNION SELECT m.message_id FROM goals.message m WHERE m.parent_id IS NOT NULL
                                        UNION SELECT m.message_id FROM goals.variant a
                                              JOIN goals.message m ON m.like_message_id = a.message_id);
    of_no_message CONSTANT text :=
        CASE WHEN EXISTS (SELECT FROM goals.source c WHERE c.kind = 'messages' AND c.attached)
             THEN 'Of a campaign: its row has to be one that counts. For rows that were inserted while the triggers were off, call '
                  || 'goals.track_messages() again; if several tables of campaigns are tracked, the column needs a foreign key. Any other '
                  || 'message: create it with goals.create_message(). Rows from then on will count.'
             ELSE 'Create it with goals.create_message(); rows from then on will count.' END;
BEGIN
    RETURN QUERY
    SELECT i.reason::text, coalesce(i.name::text, 'NULL'),
           format(CASE i.reason WHEN 'locked table' THEN 'it was locked for longer than the triggers of %s wait, first at %s: what changed then is not recorded'
                                WHEN 'refused row' THEN 'a default, an index or a column that has been added to it did not take what triggers of %s recorded, first at %s'
                                WHEN 'too many messages' THEN '%s has had more than 100000 rows that count since %s; those beyond are no messages'
                                WHEN 'skipped engagements' THEN 'a row of %s fitted no receipt, first at %s; such rows are skipped'
                                WHEN 'unknown user' THEN 'a row of %s for this message named a user who is not in its users table, first at %s; such rows are ignored'
                                ELSE 'named by a row of %s first at %s; such rows are ignored' END, s.relation, min(i.first_at)),
           CASE i.reason WHEN 'locked table' THEN 'Use the CONCURRENTLY forms of DDL, or set pg_goals.lock_wait to -1 during the maintenance. This entry is removed when the table is tracked again.'
                         WHEN 'refused row' THEN 'Drop that default, index or column. The server''s log has the time. This entry is removed when the table is tracked again.'
                         WHEN 'too many messages' THEN 'Say with "only" which rows are messages. This entry is removed when the table is tracked again with goals.track_messages().'
                         WHEN 'unknown message' THEN of_no_message
                         WHEN 'skipped engagements' THEN
                             CASE WHEN i.name LIKE '%: no such message' THEN of_no_message
                                  WHEN i.name LIKE '%: no such send' THEN 'A row of that table is a receipt if it became complete while the table was tracked.'
                                  ELSE 'An engagement belongs to a user who was sent the message before.' END
                             || ' This entry is removed when the table is tracked again with goals.track_engagements().'
                         WHEN 'unknown user' THEN 'Insert the user before the row that names it. This entry is removed when the table is tracked again with goals.track_receipts().'
                         ELSE 'Correct the rows that the application writes. This entry is removed when the table is tracked again with goals.track_receipts().' END
    FROM goals.ignored i
    LEFT JOIN goals.source s ON s.source_id = i.source_id
    CROSS JOIN LATERAL (SELECT CASE WHEN i.reason = 'unknown message' THEN i.name
                                    WHEN i.reason = 'skipped engagements' AND i.name LIKE '%: no such message'
                                        THEN left(i.name, -length(': no such message')) END AS named) n
    -- Made since: the rows from then on count.
    WHERE NOT EXISTS (SELECT FROM goals.message m WHERE m.name = n.named OR m.known_as = n.named)
      AND NOT EXISTS (SELECT FROM goals.source c
                      JOIN goals.message m ON m.source_id = c.source_id AND m.row_key = n.named
                      WHERE c.kind = 'messages' AND m.dropped_at IS NULL AND m.created_at >= i.first_at)
    GROUP BY i.source_id, i.reason, i.name, s.relation
    ORDER BY i.reason, i.name;

    RETURN QUERY
    SELECT p.problem, m.name::text, p.detail, p.hint
    FROM (SELECT d.message_id, sum(d.held_out) FILTER (WHERE d.day >= ((at_once - interval '7 days') AT TIME ZONE 'UTC')::date)::bigint AS held_out,
                 sum(d.mixed)::bigint AS mixed
          FROM (SELECT t.message_id, t.day, t.held_out, t.mixed
                FROM goals.day_total t
                WHERE t.goal_id = 0 AND (t.held_out <> 0 OR t.mixed <> 0)
                UNION ALL
                SELECT c.message_id, c.day, c.held_out, c.mixed
                -- Where much is not rolled up yet this says how it was then; that it is behind is a row of its own.
                FROM (SELECT ''::text AS of_goal WHERE goals_internal.behind() <= 100000) b
                CROSS JOIN LATERAL goals_internal.tail_change(NULL, b.of_goal) c
                WHERE c.kind = 'd' AND c.goal_id = 0) d
          WHERE d.message_id = ANY (divided)
          GROUP BY d.message_id) x
    JOIN goals_internal.named_message m ON m.message_id = x.message_id
    -- Its control group, and those of the programmes that it is part of.
    CROSS JOIN LATERAL (
        SELECT string_agg(CASE c.level WHEN 0 THEN 'its control group' ELSE 'the control group of ' || c.name END,
                          ' or ' ORDER BY c.level) AS groups
        FROM (WITH RECURSIVE above AS (
                  SELECT 0 AS level, m.arms_of AS message_id, m.name, m.parent_id
                  UNION ALL
                  SELECT a.level + 1, n.message_id, n.name, n.parent_id
                  FROM above a JOIN goals.message n ON n.message_id = a.parent_id WHERE a.level < 2)
              SELECT * FROM above) c
        JOIN goals.variant v ON v.message_id = c.message_id AND v.is_control) held
    CROSS JOIN LATERAL (VALUES
        ('sent although held out', x.held_out,
         format('%s receipts of the last 7 days say that the message was sent to users whom %s holds back; '
                'goals.compare() leaves these receipts out', x.held_out, coalesce(held.groups, 'a control group')),
         'Call goals.deliver() before you send. For users who were sent nothing, pass variant => ''control'', '
         'or ''held out'' where a programme holds them back.'),
        ('users in two variants', x.mixed,
         format('%s users have received more than one variant; goals.compare() leaves them out', x.mixed),
         'Let goals.assign() or goals.deliver() choose the variant.')) AS p (problem, n, detail, hint)
    WHERE p.n > 0
    ORDER BY p.problem, m.name;
END
$$;
COMMENT ON FUNCTION goals_internal.health_of_records() IS
    'A part of goals.health(). Rows that could not be recorded, receipts sent although held out, and users in two variants';

CREATE FUNCTION goals.health()
RETURNS TABLE (problem text, object text, detail text, hint text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET jit = off
AS $$
#variable_conflict use_column
DECLARE
    found record;
    lacks_something boolean := false;
    behind bigint;
BEGIN
    -- The extension's tables are found by their names, and checked first. Without one of them the rest cannot be
    -- answered.
    FOR found IN SELECT u.* FROM goals_internal.unusable() u LOOP
        RETURN QUERY SELECT found.problem, found.object, found.detail, found.hint;
        lacks_something := lacks_something OR found.blocks;
    END LOOP;
    IF lacks_something THEN
        RETURN;
    END IF;

    RETURN QUERY SELECT * FROM goals_internal.health_of_switches();
    RETURN QUERY SELECT * FROM goals_internal.health_of_tables();
    RETURN QUERY SELECT * FROM goals_internal.health_of_broken_goals();
    RETURN QUERY SELECT * FROM goals_internal.health_of_records();

    behind := goals_internal.behind();
    IF behind > 100000 THEN
        RETURN QUERY
        SELECT 'roll-up behind', 'goals.roll_up()', format('%s receipts, opens, clicks and hits are not in the totals yet', behind),
               'Call goals.roll_up() regularly (pg_cron, or shared_preload_libraries = ''pg_goals''). A transaction that has written something and stays open holds it up.'::text;
    END IF;
END
$$;
COMMENT ON FUNCTION goals.health() IS
    'One row per problem, with a hint how to solve it; the reference lists them. Empty if there is none';
