-- Every function that reads figures, called once, with the time that each takes: for a person to read.
--
--   createdb reading
--   psql -d reading -v receipts=1000000 -f tests/bench/reading.sql
--   psql -d reading -f tests/bench/reading_session.sql
--
-- What is more than a screen is counted instead of shown. The second half is with 10,000 newer facts that are not
-- rolled up. They are rolled up at the end, and stay: each run of this script adds 10,000.
\set ON_ERROR_STOP on
\set QUIET on
\pset pager off
\pset footer off
\pset null '-'
-- Whole days are those of UTC.
set timezone = 'UTC';
\timing on

\echo -- the records
select (select count(*) from goals.receipt) as receipts, (select count(*) from goals.engagement) as opens_and_clicks,
       (select count(*) from goals.match_log) as hits;

\echo -- roll_up: what is not in the totals yet, then nothing
select goals.roll_up();
select goals.roll_up();
vacuum analyze;

\echo -- the totals
select c.oid::regclass as relation, pg_size_pretty(pg_total_relation_size(c.oid)) as size
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('goals', 'goals_internal') and c.relkind in ('r', 'm') and pg_total_relation_size(c.oid) > 100000
order by pg_total_relation_size(c.oid) desc;

\ir reading_calls.sql

\echo
\echo == 10,000 newer facts that are not rolled up
call write_newer(2000, 4000, 4000);
\ir reading_calls.sql

\echo -- roll_up of 10,000 facts, then nothing
select goals.roll_up();
select goals.roll_up();
\echo -- verify: no row if the totals are right
select * from goals.verify();
