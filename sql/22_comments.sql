-- What the schemas, the tables, the sequences and the types are. (Functions and views have their comments beside them.)
SET LOCAL search_path = pg_catalog, pg_temp;

COMMENT ON SCHEMA goals IS 'pg_goals: messages, their goals, who received them and who reached the goals';
COMMENT ON SCHEMA goals_internal IS 'pg_goals: functions and views that those of the schema goals use; they may change';
COMMENT ON TABLE goals.source IS 'Tracked tables: of users, of events, of sends';
COMMENT ON TABLE goals.message IS 'Messages';
COMMENT ON TABLE goals.message_name IS 'Names of messages that are rows of a campaigns table';
COMMENT ON TABLE goals.variant IS 'Variants of messages and their control groups';
COMMENT ON TABLE goals.goal IS 'Goals, one row per version';
COMMENT ON TABLE goals.goal_stop IS 'Goals that have been stopped';
COMMENT ON TABLE goals.revision IS 'Which goals were in force for a message at a time';
COMMENT ON TABLE goals.replay IS 'Goals that also judge receipts recorded before they were set';
COMMENT ON TABLE goals.column_note IS 'Which columns goals mean, so that they are found when they are renamed';
COMMENT ON TABLE goals.receipt IS
    'One message sent to one user once; also written for a control user, who is sent nothing';
COMMENT ON TABLE goals.reference IS 'Refs that callers gave for their receipts, and later primary keys of rows';
COMMENT ON TABLE goals.hand_over IS 'Persons whose key has changed, or who turned out to be another one';
COMMENT ON TABLE goals.engagement IS 'Reports of what happened to receipts: opened, clicked and the like';
COMMENT ON TABLE goals.match_log IS
    'Changes and events that satisfied a goal of a receipt within its time limit; the earliest is the match';
COMMENT ON TABLE goals.ignored IS 'Rows of tracked tables that were not recorded: one row per table, reason and name';
COMMENT ON TABLE goals.total IS 'Running totals: of the receipts on record, and of those forgotten or purged';
COMMENT ON TABLE goals.day_total IS 'Totals of receipts and of people by the day of sending';
COMMENT ON TABLE goals.slot_total IS 'Totals by ten minutes of sending, of days whose time limits are ending; removed afterwards';
COMMENT ON TABLE goals.age_total IS 'Opens, clicks and matches by the day of sending and days since';
COMMENT ON TABLE goals.pair_total IS
    'How often a person matched by a receipt of one day, and next by one of another: people are counted once in any period';
COMMENT ON TABLE goals.feed IS 'The matches in the order in which they entered the totals';
COMMENT ON TABLE goals.watermark IS 'The last ids that the running totals include';
COMMENT ON TABLE goals.next_watermark IS
    'The last ids that the running totals may include once the transactions of that time have ended';
COMMENT ON SEQUENCE goals.source_source_id_seq IS 'Ids of tracked tables';
COMMENT ON SEQUENCE goals.message_message_id_seq IS 'Ids of messages';
COMMENT ON SEQUENCE goals.message_name_message_name_id_seq IS 'Ids of names of messages';
COMMENT ON SEQUENCE goals.variant_variant_id_seq IS 'Ids of variants';
COMMENT ON SEQUENCE goals.goal_goal_id_seq IS 'Ids of goals';
COMMENT ON SEQUENCE goals.revision_revision_id_seq IS 'Ids of revisions';
COMMENT ON SEQUENCE goals.receipt_id_seq IS 'Ids of receipts, taken by transactions that have a transaction id';
COMMENT ON SEQUENCE goals.engagement_id_seq IS 'Ids of engagements, taken by transactions that have a transaction id';
COMMENT ON SEQUENCE goals.match_id_seq IS 'Ids of matches, taken by transactions that have a transaction id';
COMMENT ON SEQUENCE goals.hand_over_id_seq IS 'Ids of hand-overs';
COMMENT ON TYPE goals.stats_row IS 'A row of goals.stats(): the figures of one variant';
COMMENT ON TYPE goals.match_row IS 'A row of goals.matches(): one receipt''s match';
