-- The rows of functions whose result is a named type. Like a table it is made once. A function
-- that returned another type would have to be dropped, and with it the rights granted on it.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE TYPE goals.stats_row AS (
    message text, goal text, variant text, sent bigint, opened bigint, clicked bigint, already_matched bigint,
    matched bigint, matched_after_open bigint, matched_after_click bigint, worth numeric,
    goal_rate double precision, goal_rate_eligible double precision, goal_rate_opened double precision,
    goal_rate_clicked double precision, in_progress bigint, users_matched bigint, delivered bigint, bounced bigint,
    complained bigint, unsubscribed bigint, opened_by_machine bigint, clicked_by_machine bigint,
    goal_rate_delivered double precision);

CREATE TYPE goals.match_row AS (
    receipt_id bigint, user_key text, variant text, goal text, sent_at timestamptz, opened_at timestamptz,
    clicked_at timestamptz, matched_at timestamptz, attribute text, event text, old_value jsonb, new_value jsonb,
    worth numeric);
