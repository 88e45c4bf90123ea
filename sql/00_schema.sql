-- Everything of the extension lives in a schema it creates itself. Plain CREATE SCHEMA: a schema made beforehand by
-- somebody else, with functions that shadow ours, makes the installation fail instead of succeeding into it.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE SCHEMA goals;
