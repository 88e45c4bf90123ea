-- Wrong calls in the database of lived_in.sql: SQLSTATE and call. Changes nothing.
\set ON_ERROR_STOP on
set client_min_messages = warning;
create function pg_temp.state(call text) returns text language plpgsql as $$
begin
    execute call;
    return 'not refused';
exception when others then
    return sqlstate;
end $$;
begin;
select pg_temp.state(call) || ' ' || call from unnest(array[
    $$ select goals.create_message('welcome', users => 'app.users') $$,
    $$ select goals.create_message('another') $$,
    $$ select goals.create_message('another', users => 'app.events') $$,
    $$ select goals.set_goal('welcom', 'plan', 'is', 'pro', '1 day') $$,
    $$ select goals.set_goal('welcome', 'plans', 'is', 'pro', '1 day') $$,
    $$ select goals.set_goal('welcome', 'plan', 'is larger', 'pro', '1 day') $$,
    $$ select goals.set_goal('welcome', 'born', 'is', '2000-01-01', '1 day') $$,
    $$ select goals.set_goal('welcome', 'visits', 'is', 'many', '1 day') $$,
    $$ select goals.set_goal('welcome', 'plan', 'is', 'pro', '1 month') $$,
    $$ select goals.set_goal('welcome', time_limit => '1 day') $$,
    $$ select goals.stop_goal('welcome', 'nothing') $$,
    $$ select goals.add_variant('test', 'C') $$,
    $$ select goals.set_control_group('no goal yet', 1.5) $$,
    $$ select goals.record_sent('welcome', 99999::bigint) $$,
    $$ select goals.record_sent('nobody', array['1']) $$,
    $$ select goals.record_sent('test', 1::bigint, 'C') $$,
    $$ select goals.record_sent('welcome', 1::bigint, sent_at => now() + interval '1 hour') $$,
    $$ select goals.deliver('welcome', '99999'::text) $$,
    $$ select goals.record_opened('welcome', 300::bigint, now() - interval '900 days') $$,
    $$ select goals.record_opened(123456789::bigint) $$,
    $$ select goals.record_event(1::bigint, 'buy') $$,
    $$ select goals.track_users('pg_class') $$,
    $$ select goals.track_users('app.events') $$,
    $$ select goals.track_events('app.users', 'id', 'plan') $$,
    $$ select goals.untrack('app.mood') $$,
    $$ select goals.stats('nobody') $$,
    $$ select goals.matches('nobody') $$,
    $$ select goals.explain('nobody', 1::bigint) $$,
    $$ select goals.compare('nobody') $$,
    $$ select goals.assign('nobody', 1::bigint) $$,
    $$ select goals.forget_user('1'::text) $$
]) call;
rollback;
