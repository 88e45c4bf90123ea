\echo Use "ALTER EXTENSION pg_goals UPDATE TO '0.2.0'" to load this file. \quit
-- What 0.2.0 changes in an installation of 0.1.0; checks/upgraded_equals_fresh compares the result with sql/.
SET LOCAL search_path = pg_catalog, pg_temp;
