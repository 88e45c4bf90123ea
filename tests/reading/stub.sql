-- Stands in for the functions written in Rust, so that the reading side can be tested without the library.
CREATE FUNCTION goals.nearest(name text, known text[]) RETURNS text LANGUAGE sql IMMUTABLE
SET search_path = pg_catalog, pg_temp
AS $$ SELECT k FROM unnest(known) k ORDER BY abs(length(k) - length(name)), k LIMIT 1 $$;
CREATE FUNCTION goals.goal_problem(goal_id integer) RETURNS text LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$ SELECT NULL::text $$;
CREATE FUNCTION goals.capture() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION goals.capture_event() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE FUNCTION goals.capture_receipt() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
