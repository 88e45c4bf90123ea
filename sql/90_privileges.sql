-- Nobody but the owner may do anything with any of it until it is granted: EXECUTE on a new function is PUBLIC's by default, and
-- whoever may execute a trigger function can attach it to a table of his own. docs/operations.md has the GRANTs for senders,
-- analysts and administrators; the application needs none.
SET LOCAL search_path = pg_catalog, pg_temp;

REVOKE ALL ON ALL TABLES IN SCHEMA goals FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA goals FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA goals FROM PUBLIC;
