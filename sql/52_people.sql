-- Who a person is: users that turn out to be one, and users that are gone.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals_internal.spells(users_source_id integer, of_key text,
    OUT user_key text, OUT after bigint, OUT up_to bigint)
RETURNS SETOF record
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_spells';
COMMENT ON FUNCTION goals_internal.spells(integer, text) IS
    'The receipts of the person who has this key now: those recorded under user_key with ids above after and up to '
    'up_to';

CREATE FUNCTION goals_internal.are_users(users_source_id integer, user_keys text[],
    OUT user_key text, OUT is_user boolean)
RETURNS SETOF record
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_are_users';
COMMENT ON FUNCTION goals_internal.are_users(integer, text[]) IS 'Per key whether a row of the users table has it';

CREATE FUNCTION goals.merge_users(from_key text, into_key text, users regclass DEFAULT NULL) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_merge_users';
COMMENT ON FUNCTION goals.merge_users(text, text, regclass) IS
    'Make two users one person: what is recorded under from_key, and will be, is that of into_key. Returns how many '
    'receipts are handed over. users: needed when several users tables are tracked';
CREATE FUNCTION goals.merge_users(from_key bigint, into_key bigint, users regclass DEFAULT NULL) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_merge_users';
COMMENT ON FUNCTION goals.merge_users(bigint, bigint, regclass) IS
    'goals.merge_users(text, text, regclass) for bigint keys';
CREATE FUNCTION goals.merge_users(from_key uuid, into_key uuid, users regclass DEFAULT NULL) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_merge_users';
COMMENT ON FUNCTION goals.merge_users(uuid, uuid, regclass) IS 'goals.merge_users(text, text, regclass) for uuid keys';

CREATE FUNCTION goals.gone_users(users regclass DEFAULT NULL)
RETURNS TABLE (user_key text, receipts bigint, last_sent_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET jit = off
AS $$
WITH of_users AS MATERIALIZED (
    SELECT goals_internal.users_table(gone_users.users) AS id
), newest AS (
    SELECT DISTINCT ON (h.from_key, h.receipt_id) h.from_key, h.into_key, h.receipt_id
    FROM goals.hand_over h
    WHERE h.users_source_id = (SELECT u.id FROM of_users u)
    ORDER BY h.from_key, h.receipt_id, h.hand_over_id DESC
), spell AS MATERIALIZED (
    SELECT n.from_key, n.into_key, n.receipt_id AS up_to,
           lag(n.receipt_id, 1, 0::bigint) OVER (PARTITION BY n.from_key ORDER BY n.receipt_id) AS after
    FROM newest n
), person AS MATERIALIZED (
    SELECT coalesce(s.into_key, r.user_key) AS key, count(*) AS receipts, max(r.sent_at) AS last_sent_at
    FROM goals.receipt r
    LEFT JOIN spell s ON s.from_key = r.user_key AND r.receipt_id > s.after AND r.receipt_id <= s.up_to
    WHERE r.users_source_id = (SELECT u.id FROM of_users u)
    GROUP BY coalesce(s.into_key, r.user_key)
), part AS (
    SELECT p.key, row_number() OVER () / 10000 AS number FROM person p
), absent AS MATERIALIZED (
    SELECT a.user_key AS key
    FROM (SELECT array_agg(p.key) AS keys FROM part p GROUP BY p.number) c
    CROSS JOIN LATERAL goals_internal.are_users((SELECT u.id FROM of_users u), c.keys) a
    WHERE NOT a.is_user
), merged AS MATERIALIZED (
    -- The row of a user who was merged into another one may be the one that is left.
    SELECT s.into_key AS person, s.from_key AS key
    FROM absent a
    JOIN spell s ON s.into_key = a.key
    WHERE s.up_to = 9223372036854775807
), present AS MATERIALIZED (
    SELECT m.person
    FROM (SELECT array_agg(m.key) AS keys FROM merged m HAVING count(*) > 0) c
    CROSS JOIN LATERAL goals_internal.are_users((SELECT u.id FROM of_users u), c.keys) a
    JOIN merged m ON m.key = a.user_key
    WHERE a.is_user
)
SELECT p.key, p.receipts, p.last_sent_at
FROM absent a
JOIN person p ON p.key = a.key
WHERE NOT EXISTS (SELECT FROM present x WHERE x.person = p.key)
ORDER BY p.last_sent_at DESC, p.key
$$;
COMMENT ON FUNCTION goals.gone_users(regclass) IS
    'The people with receipts on record who are not in the users table any more, to be erased with '
    'goals.forget_user(). users: needed when several users tables are tracked';
