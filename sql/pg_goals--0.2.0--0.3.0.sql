\echo Use "ALTER EXTENSION pg_goals UPDATE TO '0.3.0'" to load this file. \quit
-- What 0.3.0 changes in an installation of 0.2.0; checks/upgraded_equals_fresh compares the result with sql/.
-- Waiting for a lock would make everybody else wait behind us.
SET LOCAL lock_timeout = '2s';
SET LOCAL search_path = pg_catalog, pg_temp;
