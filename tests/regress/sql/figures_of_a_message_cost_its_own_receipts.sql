-- What is asked of one message reads its receipts by index, however many those of others are.
create table users (id bigint primary key, n int not null default 0);
insert into users select generate_series(1, 200);
select from goals.track_users('users');
select count(goals.create_message('m' || i)), count(goals.set_goal('m' || i, 'n', 'is increased', time_limit => '3 days')) from generate_series(1, 100) i;
select from goals.create_message('test');
select from goals.add_variant('test', 'a');
select from goals.set_control_group('test', 0.5);
select from goals.set_goal('test', 'n', 'is increased', time_limit => '3 days');
select sum(goals.record_sent('m' || i, array(select id::text from users))) from generate_series(1, 100) i;
select count(*) from goals.deliver('test', array['1', '2', '3', '4', '5', '6']);
update users set n = 1 where id <= 3;
select goals.roll_up() > 0 as rolled_up;
analyze goals.receipt;
create function receipts_read(query text) returns text language plpgsql as $$
declare
    before bigint := (select coalesce(sum(seq_tup_read + idx_tup_fetch), 0) from pg_stat_xact_all_tables where relid = 'goals.receipt'::regclass);
begin
    execute query;
    return case when (select coalesce(sum(seq_tup_read + idx_tup_fetch), 0) from pg_stat_xact_all_tables where relid = 'goals.receipt'::regclass) - before < 1000
                then 'few' else 'many' end;
end $$;
begin;
select query, receipts_read('select count(*) from ' || query) from unnest(array['goals.stats(''test'')', 'goals.stats(''test'', null)', 'goals.compare(''test'')',
    'goals.daily(''test'')', 'goals.daily_since_sending(''test'')', 'goals.matches(''test'')', 'goals.explain(''test'', 1::bigint)',
    'goals.report_data(''test'')', 'goals.outcome where message = ''test''', 'goals.message_stats where message = ''test''', 'goals.health()']) query;
select query, receipts_read('select count(*) from ' || query) from unnest(array['goals.outcome', 'goals.attribution()']) query;
commit;
