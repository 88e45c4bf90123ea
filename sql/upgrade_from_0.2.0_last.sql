-- From 0.2.0, the part that locks tables: as late as possible, for a trigger waits for pg_goals.lock_wait (100 ms) only.
-- All locks are taken together. Where one is not free within 50 ms, all are given back and tried again: so nothing that holds
-- one of them and waits for another is deadlocked.
SET LOCAL lock_timeout = '50ms';
DO $$
BEGIN
    FOR i IN 1..40 LOOP
        BEGIN
            LOCK TABLE goals.message_stats, goals.variant_stats, goals.outcome, goals.contribution,
                       goals.source, goals.message, goals.receipt IN ACCESS EXCLUSIVE MODE;
            EXIT;
        EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
            IF i = 40 THEN
                RAISE;
            END IF;
            PERFORM pg_sleep(0.05 * random());
        END;
    END LOOP;
END
$$;
SET LOCAL lock_timeout = '2s';

ALTER VIEW goals.ledger SET SCHEMA goals_internal;
ALTER VIEW goals.contribution SET SCHEMA goals_internal;
ALTER VIEW goals.counted SET SCHEMA goals_internal;

-- Which users table: the id of a row of goals.source. goals.outcome keeps the name of its column.
ALTER TABLE goals.source RENAME COLUMN users_id TO users_source_id;
ALTER TABLE goals.message RENAME COLUMN users_id TO users_source_id;
ALTER TABLE goals.receipt RENAME COLUMN users_id TO users_source_id;
ALTER VIEW goals_internal.ledger RENAME COLUMN users_id TO users_source_id;
ALTER VIEW goals_internal.contribution RENAME COLUMN users_id TO users_source_id;
