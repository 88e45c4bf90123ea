-- From 0.2.0: what nothing but a human can know. `make scripts` puts the files from 20 on behind it, with CREATE OR
-- REPLACE, as build/pg_goals--0.2.0--VERSION.sql; checks/upgraded_equals_fresh compares the result with a fresh
-- installation. Sessions that wait for a lock of this script wait behind it. So it does not wait for long itself.
SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;

-- A call of goals.roll_up(), goals.forget_user() or goals.purge() that is under way holds the lock of 0.2, which is
-- another one.
DO $$
BEGIN
    IF NOT pg_try_advisory_xact_lock('goals.total'::regclass::oid::integer, 1) THEN
        RAISE EXCEPTION USING ERRCODE = 'lock_not_available',
            MESSAGE = 'a call of goals.roll_up(), goals.forget_user() or goals.purge() is under way',
            HINT = 'Try again when it has ended. It is a session with a row of locktype advisory and classid '
                   || 'goals.total'::regclass::oid || ' in pg_locks.';
    END IF;
END
$$;

-- What users do not call leaves their sight. Moved, an object keeps its oid, and the rights granted on it.
-- goals.tail_sums() stays: the views call it with the rights of who reads them, so it is granted by name, in scripts
-- and dumps.
CREATE SCHEMA goals_internal;
ALTER FUNCTION goals.add_to_totals SET SCHEMA goals_internal;
ALTER FUNCTION goals.announce SET SCHEMA goals_internal;
ALTER FUNCTION goals.archive SET SCHEMA goals_internal;
ALTER FUNCTION goals.bar SET SCHEMA goals_internal;
ALTER FUNCTION goals.bar_line SET SCHEMA goals_internal;
ALTER FUNCTION goals.check_goal SET SCHEMA goals_internal;
ALTER FUNCTION goals.compare_arms SET SCHEMA goals_internal;
ALTER FUNCTION goals.compare_data SET SCHEMA goals_internal;
ALTER FUNCTION goals.drawn SET SCHEMA goals_internal;
ALTER FUNCTION goals.drop_unused_revisions SET SCHEMA goals_internal;
ALTER FUNCTION goals.fit SET SCHEMA goals_internal;
ALTER FUNCTION goals.glyph SET SCHEMA goals_internal;
ALTER FUNCTION goals.goal_problem SET SCHEMA goals_internal;
ALTER FUNCTION goals.known_message SET SCHEMA goals_internal;
ALTER FUNCTION goals.last_settled_revision SET SCHEMA goals_internal;
ALTER FUNCTION goals.lock_totals SET SCHEMA goals_internal;
ALTER FUNCTION goals.movement SET SCHEMA goals_internal;
ALTER FUNCTION goals.report_page SET SCHEMA goals_internal;
ALTER FUNCTION goals.source_problem SET SCHEMA goals_internal;
ALTER FUNCTION goals.stored_key SET SCHEMA goals_internal;
ALTER FUNCTION goals.summarize_marks SET SCHEMA goals_internal;
ALTER FUNCTION goals.unused_revisions SET SCHEMA goals_internal;
DROP FUNCTION goals.tail(), goals.touched_between(bigint, bigint, bigint, bigint, bigint, bigint), goals.nearest(text, text[]),
    goals.refuse_null(text);
