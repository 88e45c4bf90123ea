-- The extension lives in two schemas that it creates itself: goals is the interface and the records, goals_internal the
-- functions and views that only these use. Plain CREATE SCHEMA: with a schema of that name made beforehand, and
-- functions in it that would be called instead, the installation fails.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA goals;
CREATE SCHEMA goals_internal;
