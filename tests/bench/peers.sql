-- A users table as applications have them, and what people would write instead of pg_goals to measure the same two goals:
-- plan becomes pro, or logins goes up, within 14 days of a message. :rows, :every (one user in so many has a receipt), :fillfactor.

CREATE TABLE users (
    id           bigint PRIMARY KEY,
    email        text NOT NULL,
    name         text,
    plan         text NOT NULL DEFAULT 'free',
    logins       integer NOT NULL DEFAULT 0,
    touched      integer NOT NULL DEFAULT 0,   -- no goal is on it
    score        numeric(10, 2),
    country      text,
    active       boolean NOT NULL DEFAULT true,
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz,
    tags         text[],
    custom       jsonb NOT NULL DEFAULT '{}'
) WITH (fillfactor = :fillfactor, autovacuum_enabled = off);

INSERT INTO users
SELECT n, 'user' || n || '@example.com', 'User ' || n, 'free', 0, 0, n % 1000 / 10.0, 'NL', true, now(), now(), '{a,b}',
       jsonb_build_object('city', 'Utrecht', 'seats', n % 50)
FROM generate_series(1, :rows) n;
VACUUM ANALYZE users;

-- pg_goals -------------------------------------------------------------------------------------------------------------

CREATE EXTENSION pg_goals;
SELECT goals.track_users('users');
SELECT goals.create_message('welcome');
SELECT goals.set_goal('welcome', 'logins', 'is increased', time_limit => '14 days');
SELECT goals.set_goal('welcome', 'plan', 'is', 'pro', '14 days', goal => 'plan');
SELECT goals.record_sent('welcome', array(SELECT id::text FROM users WHERE id % :every = 0));

-- The peers' records, as lean as ours, with the indexes that their queries want ------------------------------------------

CREATE SCHEMA peer;
CREATE TABLE peer.goal (goal_id integer PRIMARY KEY, message_id integer, attribute text, operator text, value text, time_limit interval);
INSERT INTO peer.goal VALUES (1, 1, 'logins', 'is increased', NULL, '14 days'), (2, 1, 'plan', 'is', 'pro', '14 days');
CREATE INDEX ON peer.goal (attribute);
CREATE TABLE peer.receipt (receipt_id bigint GENERATED ALWAYS AS IDENTITY, message_id integer NOT NULL, user_id bigint NOT NULL, sent_at timestamptz NOT NULL);
CREATE INDEX ON peer.receipt (user_id, sent_at) INCLUDE (receipt_id, message_id);
INSERT INTO peer.receipt (message_id, user_id, sent_at) SELECT 1, id, clock_timestamp() FROM users WHERE id % :every = 0;
CREATE TABLE peer.match (
    match_id bigint GENERATED ALWAYS AS IDENTITY, receipt_id bigint NOT NULL, goal_id integer NOT NULL, matched_at timestamptz NOT NULL,
    old_value jsonb, new_value jsonb) WITH (autovacuum_enabled = off);
CREATE INDEX ON peer.match (receipt_id, goal_id);
-- Both have matches of other times (receipts below zero), without which the planner would not look into the peers' index.
INSERT INTO peer.match (receipt_id, goal_id, matched_at, old_value, new_value) SELECT -n, 1, now(), '1', '2' FROM generate_series(1, least(:rows / 3, 100000)) n;
INSERT INTO goals.match_log SELECT nextval('goals.match_id_seq'), -n, now(), 1, '1', '2', NULL FROM generate_series(1, least(:rows / 3, 100000)) n;
VACUUM ANALYZE peer.goal, peer.receipt, peer.match, goals.match_log;
CREATE TABLE peer.number AS SELECT n::integer FROM generate_series(0, 100000) n;
ALTER TABLE peer.number ADD PRIMARY KEY (n);

-- The peers' triggers; one is there at a time. (Merely disabled, they would still make every UPDATE fetch the old row.) -------

-- No statement of it runs unless a goal's column has changed.
CREATE FUNCTION peer.by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at_once timestamptz;
BEGIN
    IF old.logins IS DISTINCT FROM new.logins AND new.logins > old.logins THEN
        at_once := clock_timestamp();
        INSERT INTO peer.match (receipt_id, goal_id, matched_at, old_value, new_value)
        SELECT r.receipt_id, 1, at_once, to_jsonb(old.logins), to_jsonb(new.logins)
        FROM peer.receipt r
        WHERE r.user_id = old.id AND r.sent_at >= at_once - interval '14 days' AND r.message_id = 1
          AND NOT EXISTS (SELECT FROM peer.match m WHERE m.receipt_id = r.receipt_id AND m.goal_id = 1);
    END IF;
    IF old.plan IS DISTINCT FROM new.plan AND new.plan = 'pro' THEN
        at_once := clock_timestamp();
        INSERT INTO peer.match (receipt_id, goal_id, matched_at, old_value, new_value)
        SELECT r.receipt_id, 2, at_once, to_jsonb(old.plan), to_jsonb(new.plan)
        FROM peer.receipt r
        WHERE r.user_id = old.id AND r.sent_at >= at_once - interval '14 days' AND r.message_id = 1
          AND NOT EXISTS (SELECT FROM peer.match m WHERE m.receipt_id = r.receipt_id AND m.goal_id = 2);
    END IF;
    RETURN NULL;
END
$$;

-- The common audit pattern, asked for goals in general: what differs between the two rows as jsonb.
CREATE FUNCTION peer.by_jsonb() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    change record;
    at_once timestamptz;
BEGIN
    FOR change IN
        SELECT n.key, o.value AS old_value, n.value AS new_value
        FROM jsonb_each(to_jsonb(new)) n JOIN jsonb_each(to_jsonb(old)) o ON o.key = n.key
        WHERE n.value IS DISTINCT FROM o.value
    LOOP
        at_once := clock_timestamp();
        INSERT INTO peer.match (receipt_id, goal_id, matched_at, old_value, new_value)
        SELECT r.receipt_id, g.goal_id, at_once, change.old_value, change.new_value
        FROM peer.goal g
        JOIN peer.receipt r ON r.message_id = g.message_id
        WHERE g.attribute = change.key AND r.user_id = old.id AND r.sent_at >= at_once - g.time_limit
          AND CASE g.operator WHEN 'is increased' THEN (change.new_value)::numeric > (change.old_value)::numeric
                              WHEN 'is' THEN change.new_value #>> '{}' = g.value END
          AND NOT EXISTS (SELECT FROM peer.match m WHERE m.receipt_id = r.receipt_id AND m.goal_id = g.goal_id);
    END LOOP;
    RETURN NULL;
END
$$;

CREATE FUNCTION peer.by_statement() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    at_once CONSTANT timestamptz := clock_timestamp();
BEGIN
    INSERT INTO peer.match (receipt_id, goal_id, matched_at, old_value, new_value)
    SELECT r.receipt_id, g.goal_id, at_once, g.old_value, g.new_value
    FROM old_rows o
    JOIN new_rows n ON n.id = o.id
    CROSS JOIN LATERAL (
        SELECT 1 AS goal_id, to_jsonb(o.logins) AS old_value, to_jsonb(n.logins) AS new_value WHERE n.logins > o.logins
        UNION ALL
        SELECT 2, to_jsonb(o.plan), to_jsonb(n.plan) WHERE n.plan IS DISTINCT FROM o.plan AND n.plan = 'pro') g
    JOIN peer.receipt r ON r.user_id = o.id AND r.sent_at >= at_once - interval '14 days' AND r.message_id = 1
    WHERE (o.logins, o.plan) IS DISTINCT FROM (n.logins, n.plan)
      AND NOT EXISTS (SELECT FROM peer.match m WHERE m.receipt_id = r.receipt_id AND m.goal_id = g.goal_id);
    RETURN NULL;
END
$$;

CREATE FUNCTION peer.empty() RETURNS trigger LANGUAGE c AS :'empty', 'empty_trigger';
CREATE TRIGGER empty AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION peer.empty();
CREATE TRIGGER by_hand AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION peer.by_hand();
CREATE TRIGGER by_hand_when AFTER UPDATE ON users FOR EACH ROW
    WHEN (old.logins IS DISTINCT FROM new.logins OR old.plan IS DISTINCT FROM new.plan) EXECUTE FUNCTION peer.by_hand();
CREATE TRIGGER by_jsonb AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION peer.by_jsonb();
CREATE TRIGGER by_statement AFTER UPDATE ON users REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION peer.by_statement();
CREATE TABLE peer.trigger AS
    SELECT CASE WHEN tgname LIKE 'pg_goals%' THEN 'pg_goals' ELSE tgname END AS tgname, pg_get_triggerdef(oid) AS definition FROM pg_trigger WHERE tgrelid = 'users'::regclass AND NOT tgisinternal;

-- use(trigger): only that one is there; any other word: none. references(column): a foreign key on it instead.
CREATE FUNCTION peer.use(wanted text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    ddl text;
BEGIN
    ALTER TABLE users DROP CONSTRAINT IF EXISTS counted;
    FOR ddl IN
        SELECT format('DROP TRIGGER %I ON users', tgname) FROM pg_trigger WHERE tgrelid = 'users'::regclass AND NOT tgisinternal
        UNION ALL
        SELECT definition FROM peer.trigger WHERE tgname = wanted
    LOOP
        EXECUTE ddl;
    END LOOP;
    IF wanted LIKE 'references %' THEN
        EXECUTE format('ALTER TABLE users ADD CONSTRAINT counted FOREIGN KEY (%I) REFERENCES peer.number NOT VALID', split_part(wanted, ' ', 2));
    END IF;
END
$$;
SELECT peer.use('none');

-- The matches that each left: ours and theirs have to agree, or different things were measured.
CREATE FUNCTION peer.forget_matches() RETURNS void LANGUAGE sql AS
    'DELETE FROM goals.match_log WHERE receipt_id > 0; DELETE FROM peer.match WHERE receipt_id > 0';
CREATE FUNCTION peer.matches() RETURNS bigint LANGUAGE sql AS
    'SELECT (SELECT count(*) FROM goals.match_log WHERE receipt_id > 0) + (SELECT count(*) FROM peer.match WHERE receipt_id > 0)';
