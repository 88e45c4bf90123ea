-- From 0.2.0, the part that locks tables: as late as possible, for a trigger waits for pg_goals.lock_wait (100 ms) only.
-- All locks are taken together. Where one is not free within 50 ms, all are given back and tried again: so nothing that holds
-- one of them and waits for another is deadlocked.
SET LOCAL lock_timeout = '50ms';
DO $$
BEGIN
    FOR i IN 1..40 LOOP
        BEGIN
            LOCK TABLE goals.message_stats, goals.variant_stats, goals.outcome, goals.contribution,
                       goals.source, goals.message, goals.goal, goals.receipt, goals.engagement, goals.match_log IN ACCESS EXCLUSIVE MODE;
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

-- What 0.3 keeps with each of them. Columns without a default: no row is rewritten.
ALTER TABLE goals.source
    ADD COLUMN schema_name name,
    ADD COLUMN table_name name,
    ADD COLUMN options jsonb,
    DROP CONSTRAINT source_relation_key,
    DROP CONSTRAINT source_kind_check,
    DROP CONSTRAINT source_check1,
    DROP CONSTRAINT source_check2,
    ADD CONSTRAINT source_kind_check CHECK (kind IN ('users', 'events', 'receipts',
                                                     'engagements', 'messages', 'attributes', 'membership')),
    ADD CONSTRAINT source_check1 CHECK (kind = 'events' OR event_column IS NULL),
    ADD CONSTRAINT source_check2 CHECK (kind <> 'receipts' OR message_column IS NOT NULL);
CREATE UNIQUE INDEX source_way_key ON goals.source
    (relation, kind, coalesce(options ->> 'named', options ->> 'engagement', ''));
ALTER TABLE goals.message
    ADD COLUMN seed text COLLATE "C",
    ADD COLUMN dropped_at timestamptz,
    ADD COLUMN parent_id integer,
    ADD COLUMN source_id integer,
    ADD COLUMN row_key text COLLATE "C",
    ADD COLUMN known_as text COLLATE "C" UNIQUE,
    ADD COLUMN like_message_id integer,
    ADD COLUMN keep text[] COLLATE "C",
    ADD COLUMN engagement_after_us bigint CHECK (engagement_after_us > 0),
    ALTER COLUMN name DROP NOT NULL,
    DROP CONSTRAINT message_kind_check,
    ADD CHECK (kind IN ('ongoing', 'one_off', 'programme')),
    ADD CHECK (name IS NOT NULL OR source_id IS NOT NULL OR dropped_at IS NOT NULL);
CREATE INDEX message_source_idx ON goals.message (source_id, row_key);
ALTER TABLE goals.goal
    ADD COLUMN delay_us bigint CHECK (delay_us > 0),
    ADD COLUMN counts text COLLATE "C" CHECK (counts IN ('first', 'all')),
    ADD COLUMN worth_cap numeric,
    ADD COLUMN opens_within_us bigint CHECK (opens_within_us > 0),
    ADD COLUMN wanted boolean,
    ADD COLUMN margin double precision;
ALTER TABLE goals.receipt
    ADD COLUMN message_id integer,
    ADD COLUMN row_ref bigint,
    ADD COLUMN flags smallint,
    ADD COLUMN kept text[] COLLATE "C";
ALTER TABLE goals.engagement
    ADD COLUMN machine boolean;
ALTER TABLE goals.total
    ADD COLUMN deliveries bigint NOT NULL DEFAULT 0,
    ADD COLUMN bounced bigint NOT NULL DEFAULT 0,
    ADD COLUMN complained bigint NOT NULL DEFAULT 0,
    ADD COLUMN unsubscribed bigint NOT NULL DEFAULT 0,
    ADD COLUMN opened_by_machine bigint NOT NULL DEFAULT 0,
    ADD COLUMN clicked_by_machine bigint NOT NULL DEFAULT 0;
ALTER TABLE goals.match_log
    ADD COLUMN cause_ref bigint,
    ADD COLUMN flags smallint;
ALTER TABLE goals.watermark
    ADD COLUMN hand_over_id bigint NOT NULL DEFAULT 0,
    ADD COLUMN people_receipt_id bigint NOT NULL DEFAULT 0;
ALTER TABLE goals.next_watermark
    ADD COLUMN hand_over_id bigint NOT NULL DEFAULT 0;
-- Autovacuum, as in a fresh installation.
ALTER TABLE goals.receipt SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE goals.engagement SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
ALTER TABLE goals.match_log SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02);
UPDATE goals.source s SET schema_name = n.nspname, table_name = c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = s.relation;
