-- Tables as applications have them, and what a team would write by hand to record the same of them: a queue whose rows
-- are sent and opened by UPDATEs, orders that are placed by an UPDATE, and the webhooks of a mail provider, which name
-- users by their address. Run after peers.sql. :every (one user in so many has a receipt whose goal is an order).
--
-- Each table is there once per trigger: *_plain has none, *_called one that does nothing, *_tracked that of pg_goals
-- and *_written one in PL/pgSQL.

CREATE TABLE peer.engagement (receipt_id bigint NOT NULL, at timestamptz NOT NULL, kind "char" NOT NULL);
CREATE INDEX ON peer.engagement (receipt_id);

-- A queue -----------------------------------------------------------------------------------------------------------

CREATE TABLE campaigns (id bigint PRIMARY KEY, title text NOT NULL);
CREATE TABLE queue_plain (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    campaign_id    bigint NOT NULL,
    recipient_type text NOT NULL DEFAULT 'User',
    recipient_id   bigint NOT NULL,
    sent_at        timestamptz,
    failed_at      timestamptz,
    opened_at      timestamptz
) WITH (fillfactor = 50);
CREATE TABLE queue_called (LIKE queue_plain INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE queue_tracked (LIKE queue_plain INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE queue_written (LIKE queue_plain INCLUDING ALL) WITH (fillfactor = 50);

SELECT goals.create_message('any campaign');
SELECT goals.set_goal('any campaign', 'logins', 'is increased', time_limit => '14 days');
SELECT goals.set_goal('any campaign', 'plan', 'is', 'pro', '14 days', goal => 'plan');
SELECT goals.track_messages('campaigns', 'id', 'title', like_message => 'any campaign');
INSERT INTO campaigns VALUES (1, 'June news');
SELECT goals.track_receipts('queue_tracked', 'campaign_id', 'recipient_id', 'sent_at', 'opened_at',
                            failed_at => 'failed_at', "only" => '{"recipient_type": "User"}');

CREATE TABLE peer.sent (
    receipt_id  bigint GENERATED ALWAYS AS IDENTITY,
    queue_id    bigint NOT NULL,
    campaign_id bigint NOT NULL,
    user_id     bigint NOT NULL,
    sent_at     timestamptz NOT NULL,
    already     integer[]
);
CREATE INDEX ON peer.sent (user_id, sent_at) INCLUDE (receipt_id, campaign_id);
CREATE INDEX ON peer.sent (receipt_id);
CREATE UNIQUE INDEX ON peer.sent (queue_id);
CREATE FUNCTION peer.queue_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.sent_at IS NOT NULL AND new.failed_at IS NULL AND new.recipient_type = 'User'
       AND (TG_OP = 'INSERT' OR old.sent_at IS NULL OR old.failed_at IS NOT NULL) THEN
        INSERT INTO peer.sent (queue_id, campaign_id, user_id, sent_at, already)
        SELECT new.id, new.campaign_id, u.id, new.sent_at, CASE WHEN u.plan = 'pro' THEN array[2] END
        FROM users u WHERE u.id = new.recipient_id
        ON CONFLICT (queue_id) DO NOTHING;
    END IF;
    IF new.failed_at IS NOT NULL AND old.failed_at IS NULL THEN
        DELETE FROM peer.sent WHERE queue_id = new.id;
    END IF;
    IF new.opened_at IS NOT NULL AND old.opened_at IS NULL THEN
        INSERT INTO peer.engagement (receipt_id, at, kind)
        SELECT s.receipt_id, new.opened_at, 'o' FROM peer.sent s WHERE s.queue_id = new.id;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER empty AFTER INSERT OR UPDATE ON queue_called FOR EACH ROW EXECUTE FUNCTION peer.empty();
CREATE TRIGGER by_hand AFTER INSERT OR UPDATE ON queue_written FOR EACH ROW EXECUTE FUNCTION peer.queue_by_hand();

-- Orders ------------------------------------------------------------------------------------------------------------

-- Those with "other" in their names have an event that no goal is on.
CREATE TABLE orders_plain (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id      bigint,
    plan         text,
    total        numeric NOT NULL,
    completed_at timestamptz
) WITH (fillfactor = 50);
CREATE TABLE orders_called (LIKE orders_plain INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE orders_tracked (LIKE orders_plain INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE orders_tracked_other (LIKE orders_plain INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE orders_written (LIKE orders_plain INCLUDING ALL) WITH (fillfactor = 50);
CREATE TABLE orders_written_other (LIKE orders_plain INCLUDING ALL) WITH (fillfactor = 50);

SELECT goals.track_events('orders_tracked', 'user_id', named => 'order placed', on_column => 'completed_at');
SELECT goals.track_events('orders_tracked_other', 'user_id', named => 'order shipped', on_column => 'completed_at');
SELECT goals.create_message('buy');
SELECT goals.set_goal('buy', event => 'order placed', time_limit => '14 days', value_from => 'total');
SELECT goals.record_sent('buy', array(SELECT id::text FROM users WHERE id % :every = 0));
INSERT INTO peer.receipt (message_id, user_id, sent_at)
SELECT 2, id, clock_timestamp() FROM users WHERE id % :every = 0;

CREATE FUNCTION peer.order_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_ARGV[0] = 'order placed' AND new.completed_at IS NOT NULL AND old.completed_at IS NULL THEN
        INSERT INTO peer.match (receipt_id, goal_id, matched_at, new_value)
        SELECT r.receipt_id, 3, new.completed_at, to_jsonb(new.total) FROM peer.receipt r
        WHERE r.user_id = new.user_id AND r.message_id = 2
          AND r.sent_at BETWEEN new.completed_at - interval '14 days' AND new.completed_at
          AND NOT EXISTS (SELECT FROM peer.match m WHERE m.receipt_id = r.receipt_id AND m.goal_id = 3);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER empty AFTER INSERT OR UPDATE ON orders_called FOR EACH ROW EXECUTE FUNCTION peer.empty();
CREATE TRIGGER by_hand AFTER INSERT OR UPDATE ON orders_written
    FOR EACH ROW EXECUTE FUNCTION peer.order_by_hand('order placed');
CREATE TRIGGER by_hand AFTER INSERT OR UPDATE ON orders_written_other
    FOR EACH ROW EXECUTE FUNCTION peer.order_by_hand('order shipped');

-- Webhooks ----------------------------------------------------------------------------------------------------------

CREATE UNIQUE INDEX ON users (email);
CREATE TABLE webhooks_plain (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    message text NOT NULL,
    email   text NOT NULL,
    event   text NOT NULL,
    at      timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE webhooks_called (LIKE webhooks_plain INCLUDING ALL);
CREATE TABLE webhooks_tracked (LIKE webhooks_plain INCLUDING ALL);
CREATE TABLE webhooks_written (LIKE webhooks_plain INCLUDING ALL);

SELECT goals.track_engagements('webhooks_tracked', 'event', message => 'message', user_key => 'email',
    user_by => 'email', at => 'at',
    kinds => '{"delivered": "delivered", "bounce": "bounced", "open": "opened", "click": "clicked",
               "spamreport": "complained", "unsubscribe": "unsubscribed"}');

CREATE TABLE peer.message (message_id integer, name text PRIMARY KEY);
INSERT INTO peer.message VALUES (1, 'welcome'), (2, 'buy');
CREATE FUNCTION peer.webhook_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    kind CONSTANT "char" := CASE new.event
        WHEN 'delivered' THEN 'd' WHEN 'bounce' THEN 'b' WHEN 'open' THEN 'o' WHEN 'click' THEN 'c'
        WHEN 'spamreport' THEN 's' WHEN 'unsubscribe' THEN 'u' END;
BEGIN
    IF kind IS NOT NULL THEN
        INSERT INTO peer.engagement (receipt_id, at, kind)
        SELECT r.receipt_id, new.at, kind
        FROM peer.message m, users u, peer.receipt r
        WHERE m.name = new.message AND u.email = new.email
          AND r.user_id = u.id AND r.message_id = m.message_id AND r.sent_at <= new.at
        ORDER BY r.sent_at DESC LIMIT 1;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER empty AFTER INSERT ON webhooks_called FOR EACH ROW EXECUTE FUNCTION peer.empty();
CREATE TRIGGER by_hand AFTER INSERT ON webhooks_written FOR EACH ROW EXECUTE FUNCTION peer.webhook_by_hand();

VACUUM ANALYZE users, campaigns, peer.receipt, peer.message;
