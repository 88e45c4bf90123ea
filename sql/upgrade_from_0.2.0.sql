-- From 0.2.0: what nothing but a human can know. `make scripts` puts the files from 20 on behind it, with CREATE OR REPLACE, as
-- build/pg_goals--0.2.0--VERSION.sql; checks/upgraded_equals_fresh compares the result with a fresh installation.
-- Sessions that wait for a lock of this script wait behind it. So it does not wait for long itself.
SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;

-- A call of goals.roll_up(), goals.forget_user() or goals.purge() that is under way holds the lock of 0.2, which is another one.
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
