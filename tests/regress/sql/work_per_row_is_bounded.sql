-- What a row costs does not grow with the rows before it: counted are the rows of the extension's tables that the triggers fetch (and the
-- index entries they read), in a transaction of their own.
create table users (id bigint primary key);
insert into users select generate_series(1, 9);
create table events (user_id bigint, name text, at timestamptz);
create table sends (message text, user_id bigint, opened_at timestamptz, clicked_at timestamptz);
select from goals.track_users('users');
select from goals.track_events('events', 'user_id', 'name', 'at');
select from goals.track_receipts('sends', 'message', 'user_id', opened_at => 'opened_at', clicked_at => 'clicked_at');
select from goals.create_message('m');
select from goals.set_goal('m', event => 'once', time_limit => '1 day', goal => 'once');
select from goals.set_goal('m', event => 'often', times => 50, time_limit => '1 day', goal => 'often');
select from goals.set_goal('m', event => 'very often', times => 2000, time_limit => '1 day', goal => 'very often');
select goals.record_sent('m', array['1', '2', '3'], sent_at => clock_timestamp() - interval '20 hours');
create function fetched(name text) returns bigint language sql as $$
    select coalesce(sum(pg_stat_get_xact_tuples_fetched(i.indexrelid) + pg_stat_get_xact_tuples_returned(i.indexrelid)), 0)::bigint
        + pg_stat_get_xact_tuples_fetched(c.oid) + pg_stat_get_xact_tuples_returned(c.oid)
    from pg_class c join pg_index i on i.indrelid = c.oid where c.oid = ('goals.' || name)::regclass group by c.oid $$;

-- Events that arrive newest first, in order, and each in between; each is its user's match as soon as it is the earliest that far.
begin;
insert into events select 1, 'once', clock_timestamp() - n * interval '1 second' from generate_series(1, 3000) n;
select fetched('match_log') <= 3 * 3000 as bounded;
commit;
begin;
insert into events select 2, 'once', clock_timestamp() - interval '3 hours' + n * interval '1 second' from generate_series(1, 3000) n;
select fetched('match_log') <= 3 * 3000 as bounded;
commit;
begin;
insert into events select 1, 'often', clock_timestamp() - n * interval '1 second' from generate_series(1, 1000) n;
insert into events select 2, 'often', clock_timestamp() - interval '3 hours' + n * interval '1 second' from generate_series(1, 1000) n;
select fetched('match_log') <= 3 * 50 * 2000 as bounded;
commit;
begin;
insert into events select 1, 'very often', clock_timestamp() - n * interval '1 second' from generate_series(1, 3000) n;
insert into events select 2, 'very often', clock_timestamp() - interval '3 hours' + n * interval '1 second' from generate_series(1, 3000) n;
insert into events select 3, 'very often', clock_timestamp() from generate_series(1, 1999) n;
select fetched('match_log') <= 3 * 100 * 8000 as bounded;
commit;
-- Exact all the same: the n-th earliest, whatever the order.
select user_key, goal, matched_at = (select e.at from events e where e.user_id::text = m.user_key and e.name = m.goal order by e.at offset t.times - 1 limit 1) as by_order_of_time
from goals.matches('m') m join (values ('once', 1), ('often', 50), ('very often', 2000)) t (goal, times) using (goal)
union all select m.user_key, m.goal, m.matched_at = (select e.at from events e where e.user_id::text = m.user_key and e.name = m.goal order by e.at offset t.times - 1 limit 1)
from (values ('once', 1), ('often', 50), ('very often', 2000)) t (goal, times), goals.matches('m', t.goal) m order by 1, 2;
-- A log that is not filled by what comes after
select o.user_key, g.name, count(*) from goals.match_log h join goals.goal g using (goal_id) join goals.receipt o using (receipt_id) where o.user_key = '2' group by 1, 2 order by 1, 2;

-- One user's receipts, opened one after the other, without the time of their sending
begin;
insert into sends select 'm', 4 from generate_series(1, 1000);
update sends set opened_at = clock_timestamp(), clicked_at = clock_timestamp() where user_id = 4;
select fetched('engagement') <= 3 * 2 * 101 * 1000 and fetched('receipt') <= 3 * 2 * 101 * 1000 as bounded;
commit;
select count(distinct e.receipt_id) as opened, count(*) from goals.engagement e join goals.receipt r using (receipt_id) where r.user_key = '4' and e.kind = 'o';
insert into sends select 'm', 5 from generate_series(1, 100);
update sends set opened_at = clock_timestamp() where user_id = 5;
select count(distinct e.receipt_id) as opened from goals.engagement e join goals.receipt r using (receipt_id) where r.user_key = '5';

-- Rows that name a thousand unknown messages
insert into sends select 'unknown ' || n, 1 from generate_series(1, 1000) n;
begin;
insert into sends select 'unknown ' || n, 1 from generate_series(1, 1000) n;
insert into sends select 'unknown again ' || n, 1 from generate_series(1, 1000) n;
insert into sends select 'm', 999 from generate_series(1, 1000) n;
select fetched('ignored') <= 3 * 3 * 101 * 100 as bounded;
commit;
select problem, count(*) from goals.health() group by problem order by problem;
-- What was rolled back is not remembered: it is shown when it comes again.
begin;
savepoint s;
insert into sends select 'm', 999;
rollback to s;
rollback;
delete from goals.ignored;
do $$ begin
    begin
        insert into sends values ('rolled back', 1);
        raise 'no';
    exception when raise_exception then null;
    end;
    insert into sends values ('rolled back', 1);
end $$;
select problem, object from goals.health();
