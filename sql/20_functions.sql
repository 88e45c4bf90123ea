-- The functions written in Rust. With the rights of the extension's owner they run fixed statements on its tables only.
-- Those that report what happened run no SQL. 90_privileges.sql revokes them all from PUBLIC.
SET LOCAL search_path = pg_catalog, pg_temp;

-- Triggers -------------------------------------------------------------------------------------------------------------

CREATE FUNCTION goals.capture() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_capture';
COMMENT ON FUNCTION goals.capture() IS
    'Internal. Trigger on a tracked users table: matches the difference between OLD and NEW against pending goals';

CREATE FUNCTION goals.capture_event() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_capture_event';
COMMENT ON FUNCTION goals.capture_event() IS 'Internal. Trigger on a tracked events table: a row is an event once it is complete';

CREATE FUNCTION goals.capture_receipt() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_capture_receipt';
COMMENT ON FUNCTION goals.capture_receipt() IS 'Internal. Trigger on a tracked table of sends: an inserted row is a receipt';

CREATE FUNCTION goals.capture_message() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_capture_message';
COMMENT ON FUNCTION goals.capture_message() IS 'Internal. Trigger on a tracked table of campaigns: a row is a message';

CREATE FUNCTION goals.capture_attributes() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_capture_attributes';
COMMENT ON FUNCTION goals.capture_attributes() IS
    'Internal. Trigger on a tracked table of attributes beside the users table: matches the difference between OLD and NEW';

CREATE FUNCTION goals.capture_membership() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_capture_membership';
COMMENT ON FUNCTION goals.capture_membership() IS
    'Internal. Trigger on a tracked table of memberships: a row that becomes one or ceases to be one is an event';

CREATE FUNCTION goals.capture_engagement() RETURNS trigger
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_capture_engagement';
COMMENT ON FUNCTION goals.capture_engagement() IS
    'Internal. Trigger on a tracked table of engagements: a complete row is an open, a click or what else can happen';

-- Setting up -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION goals.track_users(relation regclass, key name DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_track_users';
COMMENT ON FUNCTION goals.track_users(regclass, name) IS
    'Track a users table: from now on its updates are matched against goals. Idempotent. Only for the owner of the '
    'table';

CREATE FUNCTION goals.move_users("from" regclass, "into" regclass) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_move_users';
COMMENT ON FUNCTION goals.move_users(regclass, regclass) IS
    'Hand messages, goals and running receipts of a users table over to the table that has taken its place. Only for '
    'the owner of both';

CREATE FUNCTION goals.track_events(relation regclass, user_key name, event name DEFAULT NULL, occurred_at name DEFAULT NULL,
    properties name DEFAULT NULL, users regclass DEFAULT NULL, named text DEFAULT NULL, on_column name DEFAULT NULL,
    "only" jsonb DEFAULT NULL, user_by name DEFAULT NULL, time_zone text DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_track_events';
COMMENT ON FUNCTION goals.track_events(regclass, name, name, name, name, regclass, text, name, jsonb, name, text) IS
    'Track a table of events: a row is an event of the user it names, when it is inserted or when a column becomes known';

CREATE FUNCTION goals.track_receipts(relation regclass, message name, user_key name, sent_at name DEFAULT NULL,
    opened_at name DEFAULT NULL, clicked_at name DEFAULT NULL, variant name DEFAULT NULL,
    delivered_at name DEFAULT NULL, bounced_at name DEFAULT NULL, complained_at name DEFAULT NULL,
    unsubscribed_at name DEFAULT NULL, failed_at name DEFAULT NULL, user_by name DEFAULT NULL, "only" jsonb DEFAULT NULL,
    time_zone text DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_track_receipts';
COMMENT ON FUNCTION goals.track_receipts(regclass, name, name, name, name, name, name, name, name, name, name, name, name,
    jsonb, text) IS
    'Track the table in which the application logs what it sends: a row is a receipt once it is complete';

CREATE FUNCTION goals.track_messages(relation regclass, id name, name name DEFAULT NULL, like_message text DEFAULT NULL,
    channel name DEFAULT NULL, "only" jsonb DEFAULT NULL, users regclass DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_track_messages';
COMMENT ON FUNCTION goals.track_messages(regclass, name, name, text, name, jsonb, regclass) IS
    'Track the table of campaigns of the application: each row is a message, rows that exist included, with the goals, '
    'variants, control group and programme of like_message';

CREATE FUNCTION goals.track_attributes(relation regclass, user_key name, prefix text DEFAULT NULL, users regclass DEFAULT NULL,
    time_zone text DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_track_attributes';
COMMENT ON FUNCTION goals.track_attributes(regclass, name, text, regclass, text) IS
    'Track a table with one row per user: its columns are attributes of the user, named prefix.column';

CREATE FUNCTION goals.track_membership(relation regclass, user_key name, list name, status name DEFAULT NULL,
    member jsonb DEFAULT NULL, users regclass DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_track_membership';
COMMENT ON FUNCTION goals.track_membership(regclass, name, name, name, jsonb, regclass) IS
    'Track a table whose rows are memberships of users in lists: the events are "joined <list>" and "left <list>"';

CREATE FUNCTION goals.track_engagements(relation regclass, kind text, message name DEFAULT NULL, user_key name DEFAULT NULL,
    send name DEFAULT NULL, sends regclass DEFAULT NULL, at name DEFAULT NULL, "only" jsonb DEFAULT NULL,
    user_by name DEFAULT NULL, time_zone text DEFAULT NULL, kinds jsonb DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_track_engagements';
COMMENT ON FUNCTION goals.track_engagements(regclass, text, name, name, name, regclass, name, jsonb, name, text, jsonb) IS
    'Track a table whose rows are opens, clicks, deliveries, bounces, complaints or unsubscribes of messages';

CREATE FUNCTION goals.untrack(relation regclass) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_untrack';
COMMENT ON FUNCTION goals.untrack(regclass) IS 'Stop tracking a table; what has been recorded stays';

CREATE FUNCTION goals.untrack_all() RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_untrack_all';
COMMENT ON FUNCTION goals.untrack_all() IS 'Stop tracking every table; call it before DROP EXTENSION';

CREATE FUNCTION goals.pause() RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_pause';
COMMENT ON FUNCTION goals.pause() IS
    'Switch the triggers off in this session until the transaction ends, or the savepoint in which it is called';

CREATE FUNCTION goals.reset() RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_reset';
COMMENT ON FUNCTION goals.reset() IS
    'Delete every receipt, engagement, match and total. The set-up stays. For test suites; only for the owner of the users tables';

CREATE FUNCTION goals.create_message(message text, kind text DEFAULT 'ongoing', channel text DEFAULT NULL,
    users regclass DEFAULT NULL, part_of text DEFAULT NULL, engagement_after interval DEFAULT NULL,
    known_as text DEFAULT NULL, if_not_exists boolean DEFAULT false) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_create_message';
COMMENT ON FUNCTION goals.create_message(text, text, text, regclass, text, interval, text, boolean) IS
    'Create a message (ongoing, one_off) or a programme of messages, to the users of a tracked table; returns its id. '
    'part_of: the programme that it belongs to. engagement_after: sooner opens and clicks are those of machines. '
    'known_as: its id in the application''s own tables';

CREATE FUNCTION goals.rename_message(message text, new_name text) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_rename_message';
COMMENT ON FUNCTION goals.rename_message(text, text) IS
    'Give a message another name. Its records stay, and every user keeps the variant';

CREATE FUNCTION goals.drop_message(message text) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_drop_message';
COMMENT ON FUNCTION goals.drop_message(text) IS
    'Stop a message and hide it with all its records, at once and for good; roll_up() removes them';

CREATE FUNCTION goals.set_goal(message text, attribute text DEFAULT NULL, operator text DEFAULT NULL, value text DEFAULT NULL,
    time_limit interval DEFAULT NULL, event text DEFAULT NULL, times integer DEFAULT 1, properties jsonb DEFAULT NULL,
    after text DEFAULT 'sent', goal text DEFAULT 'primary', value_from text DEFAULT NULL) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_set_goal';
COMMENT ON FUNCTION goals.set_goal(text, text, text, text, interval, text, integer, jsonb, text, text, text) IS
    'Set a goal of a message. A name that exists starts a new version, for later receipts. Returns its id';

CREATE FUNCTION goals.stop_goal(message text, goal text DEFAULT 'primary') RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_stop_goal';
COMMENT ON FUNCTION goals.stop_goal(text, text) IS
    'Stop a goal: nothing matches it any more; matches already recorded stay';

CREATE FUNCTION goals.add_variant(message text, variant text, weight double precision DEFAULT 1) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_add_variant';
COMMENT ON FUNCTION goals.add_variant(text, text, double precision) IS
    'Add a variant to a message that has not been sent yet; users are shared out in proportion to the weights';

CREATE FUNCTION goals.set_control_group(message text, share double precision DEFAULT 0.5) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_set_control_group';
COMMENT ON FUNCTION goals.set_control_group(text, double precision) IS
    'Hold back this share of all users from a message that has not been sent yet; 0 removes the control group';

-- Reporting what happened ----------------------------------------------------------------------------------------------

CREATE FUNCTION goals.assign(message text, user_key text) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_assign';
COMMENT ON FUNCTION goals.assign(text, text) IS
    'The variant this user gets, or control; NULL for a message without both; held out, where a programme holds the '
    'user back. Writes nothing';
CREATE FUNCTION goals.assign(message text, user_key bigint) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_assign';
COMMENT ON FUNCTION goals.assign(text, bigint) IS
    'The variant this user gets, or control; NULL for a message without both; held out, where a programme holds the '
    'user back. Writes nothing';
CREATE FUNCTION goals.assign(message text, user_key uuid) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_assign';
COMMENT ON FUNCTION goals.assign(text, uuid) IS
    'The variant this user gets, or control; NULL for a message without both; held out, where a programme holds the '
    'user back. Writes nothing';

CREATE FUNCTION goals.deliver(message text, user_key text, sent_at timestamptz DEFAULT clock_timestamp(), ref text DEFAULT NULL,
    OUT receipt_id bigint, OUT variant text, OUT send boolean, OUT repeated boolean)
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_deliver';
COMMENT ON FUNCTION goals.deliver(text, text, timestamptz, text) IS
    'Assign and record in one call; send is false for the control group, and for who is held out of a programme; '
    'repeated is true where nothing was recorded because it had been before';
CREATE FUNCTION goals.deliver(message text, user_key bigint, sent_at timestamptz DEFAULT clock_timestamp(), ref text DEFAULT NULL,
    OUT receipt_id bigint, OUT variant text, OUT send boolean, OUT repeated boolean)
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_deliver';
COMMENT ON FUNCTION goals.deliver(text, bigint, timestamptz, text) IS
    'Assign and record in one call; send is false for the control group, and for who is held out of a programme; '
    'repeated is true where nothing was recorded because it had been before';
CREATE FUNCTION goals.deliver(message text, user_key uuid, sent_at timestamptz DEFAULT clock_timestamp(), ref text DEFAULT NULL,
    OUT receipt_id bigint, OUT variant text, OUT send boolean, OUT repeated boolean)
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_deliver';
COMMENT ON FUNCTION goals.deliver(text, uuid, timestamptz, text) IS
    'Assign and record in one call; send is false for the control group, and for who is held out of a programme; '
    'repeated is true where nothing was recorded because it had been before';
CREATE FUNCTION goals.deliver(message text, user_keys text[], sent_at timestamptz DEFAULT clock_timestamp(),
    OUT user_key text, OUT receipt_id bigint, OUT variant text, OUT send boolean, OUT repeated boolean) RETURNS SETOF record
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_deliver_array';
COMMENT ON FUNCTION goals.deliver(text, text[], timestamptz) IS
    'Assign and record for several users: one row per user found';
CREATE FUNCTION goals.deliver(message text, user_keys bigint[], sent_at timestamptz DEFAULT clock_timestamp(),
    OUT user_key text, OUT receipt_id bigint, OUT variant text, OUT send boolean, OUT repeated boolean) RETURNS SETOF record
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_deliver_array';
COMMENT ON FUNCTION goals.deliver(text, bigint[], timestamptz) IS
    'Assign and record for several users: one row per user found';
CREATE FUNCTION goals.deliver(message text, user_keys uuid[], sent_at timestamptz DEFAULT clock_timestamp(),
    OUT user_key text, OUT receipt_id bigint, OUT variant text, OUT send boolean, OUT repeated boolean) RETURNS SETOF record
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_deliver_array';
COMMENT ON FUNCTION goals.deliver(text, uuid[], timestamptz) IS
    'Assign and record for several users: one row per user found';

CREATE FUNCTION goals.record_sent(message text, user_key text, variant text DEFAULT NULL,
    sent_at timestamptz DEFAULT clock_timestamp(), ref text DEFAULT NULL) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_sent';
COMMENT ON FUNCTION goals.record_sent(text, text, text, timestamptz, text) IS
    'Record that a message was sent to a user; returns the id of the receipt. It enters the programmes of the message';
CREATE FUNCTION goals.record_sent(message text, user_key bigint, variant text DEFAULT NULL,
    sent_at timestamptz DEFAULT clock_timestamp(), ref text DEFAULT NULL) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_sent';
COMMENT ON FUNCTION goals.record_sent(text, bigint, text, timestamptz, text) IS
    'Record that a message was sent to a user; returns the id of the receipt. It enters the programmes of the message';
CREATE FUNCTION goals.record_sent(message text, user_key uuid, variant text DEFAULT NULL,
    sent_at timestamptz DEFAULT clock_timestamp(), ref text DEFAULT NULL) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_sent';
COMMENT ON FUNCTION goals.record_sent(text, uuid, text, timestamptz, text) IS
    'Record that a message was sent to a user; returns the id of the receipt. It enters the programmes of the message';
CREATE FUNCTION goals.record_sent(message text, user_keys text[], variant text DEFAULT NULL,
    sent_at timestamptz DEFAULT clock_timestamp()) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_sent_array';
COMMENT ON FUNCTION goals.record_sent(text, text[], text, timestamptz) IS
    'Record that a message was sent to these users; returns how many of them exist and got a receipt';
CREATE FUNCTION goals.record_sent(message text, user_keys bigint[], variant text DEFAULT NULL,
    sent_at timestamptz DEFAULT clock_timestamp()) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_sent_array';
COMMENT ON FUNCTION goals.record_sent(text, bigint[], text, timestamptz) IS
    'Record that a message was sent to these users; returns how many of them exist and got a receipt';
CREATE FUNCTION goals.record_sent(message text, user_keys uuid[], variant text DEFAULT NULL,
    sent_at timestamptz DEFAULT clock_timestamp()) RETURNS bigint
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_sent_array';
COMMENT ON FUNCTION goals.record_sent(text, uuid[], text, timestamptz) IS
    'Record that a message was sent to these users; returns how many of them exist and got a receipt';

CREATE FUNCTION goals.record_delivered(message text, user_key text, delivered_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_delivered';
COMMENT ON FUNCTION goals.record_delivered(text, text, timestamptz) IS
    'Record that the message last sent to a user at or before that time was delivered';
CREATE FUNCTION goals.record_delivered(message text, user_key bigint, delivered_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_delivered';
COMMENT ON FUNCTION goals.record_delivered(text, bigint, timestamptz) IS
    'Record that the message last sent to a user at or before that time was delivered';
CREATE FUNCTION goals.record_delivered(message text, user_key uuid, delivered_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_delivered';
COMMENT ON FUNCTION goals.record_delivered(text, uuid, timestamptz) IS
    'Record that the message last sent to a user at or before that time was delivered';
CREATE FUNCTION goals.record_delivered(receipt_id bigint, delivered_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_delivered_receipt';
COMMENT ON FUNCTION goals.record_delivered(bigint, timestamptz) IS
    'Record that the message of this receipt was delivered';

CREATE FUNCTION goals.record_bounced(message text, user_key text, bounced_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_bounced';
COMMENT ON FUNCTION goals.record_bounced(text, text, timestamptz) IS
    'Record that the message last sent to a user at or before that time bounced';
CREATE FUNCTION goals.record_bounced(message text, user_key bigint, bounced_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_bounced';
COMMENT ON FUNCTION goals.record_bounced(text, bigint, timestamptz) IS
    'Record that the message last sent to a user at or before that time bounced';
CREATE FUNCTION goals.record_bounced(message text, user_key uuid, bounced_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_bounced';
COMMENT ON FUNCTION goals.record_bounced(text, uuid, timestamptz) IS
    'Record that the message last sent to a user at or before that time bounced';
CREATE FUNCTION goals.record_bounced(receipt_id bigint, bounced_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_bounced_receipt';
COMMENT ON FUNCTION goals.record_bounced(bigint, timestamptz) IS
    'Record that the message of this receipt bounced';

CREATE FUNCTION goals.record_opened(message text, user_key text, opened_at timestamptz DEFAULT clock_timestamp(), machine boolean DEFAULT false)
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_opened';
COMMENT ON FUNCTION goals.record_opened(text, text, timestamptz, boolean) IS
    'Record that a user opened the message last sent at or before that time';
CREATE FUNCTION goals.record_opened(message text, user_key bigint, opened_at timestamptz DEFAULT clock_timestamp(), machine boolean DEFAULT false)
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_opened';
COMMENT ON FUNCTION goals.record_opened(text, bigint, timestamptz, boolean) IS
    'Record that a user opened the message last sent at or before that time';
CREATE FUNCTION goals.record_opened(message text, user_key uuid, opened_at timestamptz DEFAULT clock_timestamp(), machine boolean DEFAULT false)
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_opened';
COMMENT ON FUNCTION goals.record_opened(text, uuid, timestamptz, boolean) IS
    'Record that a user opened the message last sent at or before that time';
-- Without machine: with it, a call by receipt and one by message would have as many parameters, and drivers that send none
-- of their types could make neither.
CREATE FUNCTION goals.record_opened(receipt_id bigint, opened_at timestamptz DEFAULT clock_timestamp()) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_opened_receipt';
COMMENT ON FUNCTION goals.record_opened(bigint, timestamptz) IS
    'Record that the message of this receipt was opened';

CREATE FUNCTION goals.record_clicked(message text, user_key text, clicked_at timestamptz DEFAULT clock_timestamp(), machine boolean DEFAULT false)
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_clicked';
COMMENT ON FUNCTION goals.record_clicked(text, text, timestamptz, boolean) IS
    'Record that a user clicked in the message last sent at or before that time, which is also an open';
CREATE FUNCTION goals.record_clicked(message text, user_key bigint, clicked_at timestamptz DEFAULT clock_timestamp(), machine boolean DEFAULT false)
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_clicked';
COMMENT ON FUNCTION goals.record_clicked(text, bigint, timestamptz, boolean) IS
    'Record that a user clicked in the message last sent at or before that time, which is also an open';
CREATE FUNCTION goals.record_clicked(message text, user_key uuid, clicked_at timestamptz DEFAULT clock_timestamp(), machine boolean DEFAULT false)
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_clicked';
COMMENT ON FUNCTION goals.record_clicked(text, uuid, timestamptz, boolean) IS
    'Record that a user clicked in the message last sent at or before that time, which is also an open';
CREATE FUNCTION goals.record_clicked(receipt_id bigint, clicked_at timestamptz DEFAULT clock_timestamp()) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_clicked_receipt';
COMMENT ON FUNCTION goals.record_clicked(bigint, timestamptz) IS
    'Record that the message of this receipt was clicked, which is also an open';

CREATE FUNCTION goals.record_complained(message text, user_key text, complained_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_complained';
COMMENT ON FUNCTION goals.record_complained(text, text, timestamptz) IS
    'Record that a user complained about the message last sent at or before that time';
CREATE FUNCTION goals.record_complained(message text, user_key bigint, complained_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_complained';
COMMENT ON FUNCTION goals.record_complained(text, bigint, timestamptz) IS
    'Record that a user complained about the message last sent at or before that time';
CREATE FUNCTION goals.record_complained(message text, user_key uuid, complained_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_complained';
COMMENT ON FUNCTION goals.record_complained(text, uuid, timestamptz) IS
    'Record that a user complained about the message last sent at or before that time';
CREATE FUNCTION goals.record_complained(receipt_id bigint, complained_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_complained_receipt';
COMMENT ON FUNCTION goals.record_complained(bigint, timestamptz) IS
    'Record that the user complained about the message of this receipt';

CREATE FUNCTION goals.record_unsubscribed(message text, user_key text, unsubscribed_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_unsubscribed';
COMMENT ON FUNCTION goals.record_unsubscribed(text, text, timestamptz) IS
    'Record that a user unsubscribed by the message last sent at or before that time';
CREATE FUNCTION goals.record_unsubscribed(message text, user_key bigint, unsubscribed_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_unsubscribed';
COMMENT ON FUNCTION goals.record_unsubscribed(text, bigint, timestamptz) IS
    'Record that a user unsubscribed by the message last sent at or before that time';
CREATE FUNCTION goals.record_unsubscribed(message text, user_key uuid, unsubscribed_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_unsubscribed';
COMMENT ON FUNCTION goals.record_unsubscribed(text, uuid, timestamptz) IS
    'Record that a user unsubscribed by the message last sent at or before that time';
CREATE FUNCTION goals.record_unsubscribed(receipt_id bigint, unsubscribed_at timestamptz DEFAULT clock_timestamp())
RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_unsubscribed_receipt';
COMMENT ON FUNCTION goals.record_unsubscribed(bigint, timestamptz) IS
    'Record that the user unsubscribed by the message of this receipt';

CREATE FUNCTION goals.record_engagements(items jsonb, OUT recorded bigint, OUT skipped jsonb)
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_engagements';
COMMENT ON FUNCTION goals.record_engagements(jsonb) IS
    'Record what happened to several messages; what cannot be placed is left out, and named in skipped';

CREATE FUNCTION goals.withdraw(receipt_id bigint) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_withdraw';
COMMENT ON FUNCTION goals.withdraw(bigint) IS
    'Record that the message of this receipt was never sent: it leaves the figures, and the assignment stays';

CREATE FUNCTION goals.record_event(user_key text, event text, properties jsonb DEFAULT '{}',
    occurred_at timestamptz DEFAULT clock_timestamp(), users regclass DEFAULT NULL, event_id text DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_event';
COMMENT ON FUNCTION goals.record_event(text, text, jsonb, timestamptz, regclass, text) IS 'Record an event of a user';
CREATE FUNCTION goals.record_event(user_key bigint, event text, properties jsonb DEFAULT '{}',
    occurred_at timestamptz DEFAULT clock_timestamp(), users regclass DEFAULT NULL, event_id text DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_event';
COMMENT ON FUNCTION goals.record_event(bigint, text, jsonb, timestamptz, regclass, text) IS 'Record an event of a user';
CREATE FUNCTION goals.record_event(user_key uuid, event text, properties jsonb DEFAULT '{}',
    occurred_at timestamptz DEFAULT clock_timestamp(), users regclass DEFAULT NULL, event_id text DEFAULT NULL) RETURNS void
LANGUAGE c AS 'MODULE_PATHNAME', 'pg_goals_record_event';
COMMENT ON FUNCTION goals.record_event(uuid, text, jsonb, timestamptz, regclass, text) IS 'Record an event of a user';

-- For the functions written in SQL -------------------------------------------------------------------------------------

CREATE FUNCTION goals_internal.announce() RETURNS void
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pg_goals_announce';
COMMENT ON FUNCTION goals_internal.announce() IS
    'Tell every backend that the set-up has changed; it does when this transaction commits';

CREATE FUNCTION goals_internal.note_columns() RETURNS void
LANGUAGE c VOLATILE AS 'MODULE_PATHNAME', 'pg_goals_note_columns';
COMMENT ON FUNCTION goals_internal.note_columns() IS
    'Note which columns goals mean, so that they are found when they are renamed; writes only what has changed';

CREATE FUNCTION goals_internal.goal_problem(goal_id integer) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_goal_problem';
COMMENT ON FUNCTION goals_internal.goal_problem(integer) IS
    'What keeps a goal from being evaluated, or its matches from having a worth; NULL if nothing does';

CREATE FUNCTION goals_internal.is_broken(goal_id integer) RETURNS boolean
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_is_broken';
COMMENT ON FUNCTION goals_internal.is_broken(integer) IS
    'True if a goal cannot match: its column is gone or of another kind, or its table is not tracked';

CREATE FUNCTION goals_internal.source_problem(source_id integer) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_source_problem';
COMMENT ON FUNCTION goals_internal.source_problem(integer) IS
    'What keeps the rows of a tracked table from being read; NULL if nothing does';

CREATE FUNCTION goals_internal.follower(source_id integer, schema_name name, table_name name) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_follower';
COMMENT ON FUNCTION goals_internal.follower(integer, name, name) IS
    'The table that has this name, if it is not the tracked one and may take its place';

CREATE FUNCTION goals_internal.unusable(OUT problem text, OUT object text, OUT detail text, OUT hint text, OUT blocks boolean) RETURNS SETOF record
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_unusable';
COMMENT ON FUNCTION goals_internal.unusable() IS
    'One row per table, index or sequence of the extension that is missing, or has been changed so that it cannot be '
    'used; blocks: without it nothing else can be looked at';

CREATE FUNCTION goals_internal.stored_key(source_id integer, user_key text) RETURNS text
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_stored_key';
COMMENT ON FUNCTION goals_internal.stored_key(integer, text) IS
    'A user key in the one spelling in which it is stored; NULL if no user can have it';

CREATE FUNCTION goals_internal.refuse_list(source_id integer, user_key text) RETURNS void
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_refuse_list';
COMMENT ON FUNCTION goals_internal.refuse_list(integer, text) IS
    'An error if the text is a list of keys, as drivers write an array, and cannot be the key of one user';

CREATE FUNCTION goals_internal.users_table(users regclass) RETURNS integer
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_users_table';
COMMENT ON FUNCTION goals_internal.users_table(regclass) IS
    'The users table that is meant: the one named, or the only one tracked; an error if there is none or more';

CREATE FUNCTION goals_internal.raise(code text, VARIADIC arguments text[] DEFAULT '{}') RETURNS void
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'pg_goals_raise';
COMMENT ON FUNCTION goals_internal.raise(text, text[]) IS 'Raises an error of the extension, with its SQLSTATE and hint';

-- Statistics -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION goals.rate_interval(x bigint, n bigint, confidence double precision DEFAULT 0.95,
    OUT low double precision, OUT high double precision)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_rate_interval';
COMMENT ON FUNCTION goals.rate_interval(bigint, bigint, double precision) IS 'Wilson''s interval for the rate x / n';

CREATE FUNCTION goals.difference_interval(x1 bigint, n1 bigint, x2 bigint, n2 bigint, confidence double precision DEFAULT 0.95,
    OUT low double precision, OUT high double precision)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_difference_interval';
COMMENT ON FUNCTION goals.difference_interval(bigint, bigint, bigint, bigint, double precision) IS
    'Newcombe''s hybrid score interval for x1 / n1 - x2 / n2';

CREATE FUNCTION goals.ratio_interval(x1 bigint, n1 bigint, x2 bigint, n2 bigint, confidence double precision DEFAULT 0.95,
    OUT low double precision, OUT high double precision)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_ratio_interval';
COMMENT ON FUNCTION goals.ratio_interval(bigint, bigint, bigint, bigint, double precision) IS
    'Koopman''s score interval for (x1 / n1) / (x2 / n2)';

CREATE FUNCTION goals.proportion_test(x1 bigint, n1 bigint, x2 bigint, n2 bigint,
    OUT z double precision, OUT p double precision)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_proportion_test';
COMMENT ON FUNCTION goals.proportion_test(bigint, bigint, bigint, bigint) IS 'Pooled z-test of equal rates, two-sided';

CREATE FUNCTION goals.proportions_test(x bigint[], n bigint[],
    OUT chi_square double precision, OUT degrees_of_freedom integer, OUT p double precision)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_proportions_test';
COMMENT ON FUNCTION goals.proportions_test(bigint[], bigint[]) IS 'Chi-square test of equal rates in several variants';

CREATE FUNCTION goals.adjust_p(p double precision[]) RETURNS double precision[]
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_adjust_p';
COMMENT ON FUNCTION goals.adjust_p(double precision[]) IS
    'Holm''s adjustment of p-values for several comparisons, in the order given';

CREATE FUNCTION goals.probability_better(x1 bigint, n1 bigint, x2 bigint, n2 bigint) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_probability_better';
COMMENT ON FUNCTION goals.probability_better(bigint, bigint, bigint, bigint) IS
    'P(p1 > p2) under Jeffreys priors; not a rule for when to stop';

CREATE FUNCTION goals.anytime_test(x bigint[], weight double precision[], concentration double precision DEFAULT 100)
RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_anytime_test';
COMMENT ON FUNCTION goals.anytime_test(bigint[], double precision[], double precision) IS
    'p-value of equal rates from the users who matched in each variant; valid at every look';

CREATE FUNCTION goals.anytime_ratio_interval(x1 bigint, x2 bigint, weight1 double precision, weight2 double precision,
    confidence double precision DEFAULT 0.95, OUT low double precision, OUT high double precision)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_anytime_ratio_interval';
COMMENT ON FUNCTION goals.anytime_ratio_interval(bigint, bigint, double precision, double precision, double precision) IS
    'Interval for the ratio of two rates, valid however often it is looked at';

CREATE FUNCTION goals.split_test(n bigint[], weight double precision[], OUT chi_square double precision, OUT p double precision)
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_split_test';
COMMENT ON FUNCTION goals.split_test(bigint[], double precision[]) IS
    'Sample ratio mismatch: p-value of the test whether the users assigned fit the weights';

CREATE FUNCTION goals.sample_size(p1 double precision, p2 double precision, power double precision DEFAULT 0.8,
    confidence double precision DEFAULT 0.95) RETURNS double precision
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_sample_size';
COMMENT ON FUNCTION goals.sample_size(double precision, double precision, double precision, double precision) IS
    'Users that each variant needs to tell rate p1 from rate p2; not rounded';
