-- Every function of the extension, called with a search path on which somebody's functions, operators, types and tables of all the
-- names it could mean come before PostgreSQL's and its own: none of them is met.
\set SHOW_CONTEXT never
create schema shop;
create table shop.users (id bigint primary key, plan text, visits int, custom jsonb default '{}');
create table shop.successor (like shop.users including all);
create table shop.people (id uuid primary key, plan text);
create table shop.events (user_id bigint, name text, at timestamptz, properties jsonb);
create table shop.sends (message text, user_id bigint, opened timestamptz);
create table shop.campaigns (id int primary key, title text);
insert into shop.campaigns values (1, 'from a row');
create table shop.mails (id bigint primary key, message text, user_id bigint);
create table shop.lists (user_id bigint, list int);
create table shop.profiles (user_id bigint unique, language text);
create table shop.clicks (mail_id bigint references shop.mails, kind text, at timestamptz);
insert into shop.users select n, 'free', 0 from generate_series(1, 30) n;
insert into shop.people values ('00000000-0000-0000-0000-000000000001', 'free');

-- The traps -----------------------------------------------------------------------------------------------------------

create schema trap;
create function trap.sprung() returns boolean language plpgsql as $$ begin raise exception 'trap sprung as %', current_user; end $$;
-- words of the extension's source: what it could call
create table shop.word as select distinct m[1] as word from (
    select prosrc as source from pg_proc where pronamespace = 'goals'::regnamespace
    union all select pg_get_viewdef(oid) from pg_class where relnamespace = 'goals'::regnamespace and relkind = 'v') s, regexp_matches(lower(source), '[a-z_][a-z0-9_]*', 'g') m;
do $$
declare f record; r record; made int := 0;
begin
    for f in select p.oid, p.proname, oidvectortypes(p.proargtypes) as args, format_type(p.prorettype, null) as result
             from pg_proc p where p.pronamespace = 'pg_catalog'::regnamespace and (p.proname in (select word from shop.word) or p.proname in ('nextval', 'clock_timestamp', 'now', 'format'))
             and p.provariadic = 0 and not p.proretset and p.prorettype::regtype::text !~ '^(internal|trigger|cstring|"any"|void|event_trigger)$' loop
        begin
            execute format('create function trap.%I(%s) returns %s language plpgsql as %L', f.proname, f.args, f.result, 'begin perform trap.sprung(); return null; end');
            made := made + 1;
        exception when others then null;   -- types that no function of PL/pgSQL can have
        end;
    end loop;
    for f in select o.oid, o.oprname, o.oprleft::regtype as l, o.oprright::regtype as r, o.oprresult::regtype as result from pg_operator o
             where o.oprnamespace = 'pg_catalog'::regnamespace and o.oprright <> 0 and o.oprleft <> 0 loop
        begin
            execute format('create function trap.op_%s(%s, %s) returns %s language plpgsql as %L', f.oid, f.l, f.r, f.result, 'begin perform trap.sprung(); return null; end');
            execute format('create operator trap.%s (leftarg = %s, rightarg = %s, function = trap.op_%s)', f.oprname, f.l, f.r, f.oid);
            made := made + 1;
        exception when others then null;
        end;
    end loop;
    for r in select typname, oid::regtype as type from pg_type where typnamespace = 'pg_catalog'::regnamespace and typtype = 'b' and typelem = 0 and typname !~ '^(any|_)' loop
        begin
            execute format('create domain trap.%I as %s check (trap.sprung())', r.typname, r.type);
            made := made + 1;
        exception when others then null;
        end;
    end loop;
    for r in select distinct relname from pg_class where relkind in ('r', 'v') and (relnamespace = 'goals'::regnamespace
             or relnamespace = 'pg_catalog'::regnamespace and relname in (select word from shop.word union select 'pg_trigger' union select 'pg_proc')) loop
        execute format('create table trap.%I (trap int)', r.relname);
        execute format('create temp table %I (trap int)', r.relname);
        made := made + 2;
    end loop;
    execute 'create type pg_temp.regclass as enum ()';
    raise info 'traps: %', case when made > 800 then 'more than 800' else made::text end;
end $$;
grant usage on schema trap to public;

-- The calls -----------------------------------------------------------------------------------------------------------

create table shop.call (n int generated always as identity, sql text);
insert into shop.call (sql) values
    ($$ goals.track_users('shop.users') $$), ($$ goals.track_users('shop.people') $$),
    ($$ goals.track_events('shop.events', 'user_id', 'name', 'at', 'properties', 'shop.users') $$),
    ($$ goals.track_receipts('shop.sends', 'message', 'user_id', opened_at => 'opened') $$),
    ($$ goals_internal.arms_of(1) $$), ($$ goals_internal.name_of(1) $$),
    ($$ goals.track_attributes('shop.profiles', 'user_id', users => 'shop.users') $$),
    ($$ goals.track_membership('shop.lists', 'user_id', 'list', member => '{"list": [1, 2]}', users => 'shop.users') $$),
    ($$ goals.track_receipts('shop.mails', 'message', 'user_id') $$),
    ($$ goals.track_engagements('shop.clicks', 'kind', send => 'mail_id', at => 'at', "only" => '{"kind": "c"}', kinds => '{"c": "clicked"}') $$),
    ($$ goals.create_message('m', users => 'shop.users') $$), ($$ goals.create_message('t', 'one_off', 'e-mail', 'shop.users') $$), ($$ goals.create_message('p', users => 'shop.people') $$),
    ($$ goals.track_messages('shop.campaigns', 'id', 'title', users => 'shop.users') $$),
    ($$ goals.set_goal('m', 'plan', 'is', 'pro', '1 day') $$), ($$ goals.set_goal('m', 'visits', 'is increased', time_limit => '1 day', goal => 'v', value_from => 'visits') $$),
    ($$ goals.set_goal('m', 'custom.a', 'is any of', '{1,2}', '1 day', goal => 'c') $$), ($$ goals.set_goal('p', 'plan', 'is', 'pro', '1 day') $$),
    ($$ goals.set_goal('m', event => 'buy', time_limit => '1 day', properties => '{"a": 1}', times => 2, goal => 'e') $$), ($$ goals.set_goal('t', 'plan', 'is changed', time_limit => '1 day') $$),
    ($$ goals.add_variant('t', 'A', 2) $$), ($$ goals.add_variant('t', 'B') $$), ($$ goals.set_control_group('t', 0.3) $$),
    ($$ goals.assign('t', '1') $$), ($$ goals.assign('t', 1::bigint) $$), ($$ goals.assign('p', '00000000-0000-0000-0000-000000000001'::pg_catalog.uuid) $$),
    ($$ goals.deliver('t', '1') $$), ($$ goals.deliver('t', 2::bigint) $$), ($$ goals.deliver('p', '00000000-0000-0000-0000-000000000001'::pg_catalog.uuid) $$), ($$ goals.deliver('t', array['3', '4', '5', '6', '7', '8', '9']::pg_catalog.text[]) $$),
    ($$ goals.record_sent('m', '1') $$), ($$ goals.record_sent('m', 2::bigint) $$), ($$ goals.record_sent('p', '00000000-0000-0000-0000-000000000001'::pg_catalog.uuid) $$), ($$ goals.record_sent('m', array['3', '4', '99']::pg_catalog.text[]) $$),
    ($$ goals.record_opened('m', '1') $$), ($$ goals.record_opened('m', 2::bigint) $$), ($$ goals.record_opened('p', '00000000-0000-0000-0000-000000000001'::pg_catalog.uuid) $$), ($$ goals.record_opened(11) $$),
    ($$ goals.record_clicked('m', '1') $$), ($$ goals.record_clicked('m', 2::bigint) $$), ($$ goals.record_clicked('p', '00000000-0000-0000-0000-000000000001'::pg_catalog.uuid) $$), ($$ goals.record_clicked(11) $$),
    ($$ goals.record_delivered('m', '1') $$), ($$ goals.record_delivered('m', 2::bigint) $$),
    ($$ goals.record_delivered('p', '00000000-0000-0000-0000-000000000001'::pg_catalog.uuid) $$), ($$ goals.record_delivered(11) $$),
    ($$ goals.record_bounced('m', '1') $$), ($$ goals.record_bounced('m', 2::bigint) $$),
    ($$ goals.record_bounced('p', '00000000-0000-0000-0000-000000000001'::pg_catalog.uuid) $$), ($$ goals.record_bounced(11) $$),
    ($$ goals.record_complained('m', '1') $$), ($$ goals.record_complained('m', 2::bigint) $$),
    ($$ goals.record_complained('p', '00000000-0000-0000-0000-000000000001'::pg_catalog.uuid) $$), ($$ goals.record_complained(11) $$),
    ($$ goals.record_unsubscribed('m', '1') $$), ($$ goals.record_unsubscribed('m', 2::bigint) $$),
    ($$ goals.record_unsubscribed('p', '00000000-0000-0000-0000-000000000001'::pg_catalog.uuid) $$), ($$ goals.record_unsubscribed(11) $$),
    ($$ goals.record_opened('m', '1', machine => true) $$), ($$ goals.withdraw(11) $$), ($$ goals.record_engagements(null) $$),
    ($$ goals.record_engagements('[{"receipt": 11, "kind": "opened", "at": "2026-01-01"}, {"ref": "x", "kind": "opened"},
        {"message": "m", "user": 1, "kind": "clicked"}, {"message": "m", "user": "99", "kind": "clicked"}]') $$),
    ($$ goals.record_event('1', 'buy', '{"a": 1}', users => 'shop.users') $$), ($$ goals.record_event(2::bigint, 'buy', users => 'shop.users') $$), ($$ goals.record_event('00000000-0000-0000-0000-000000000001'::pg_catalog.uuid, 'buy', users => 'shop.people') $$),
    ('!update shop.users set plan = ''pro'', visits = 3, custom = ''{"a": 2}'''), ('!update shop.people set plan = ''pro'''),
    ('!insert into shop.events values (1, ''buy'', null, ''{"a": 1, "b": 2}''), (1, ''buy'', null, ''{"a": 1}'')'), ('!insert into shop.sends values (''m'', 5), (''x'', 5), (''m'', 99)'), ('!update shop.sends set opened = null'),
    ('!insert into shop.lists values (1, 1), (2, 3)'), ('!delete from shop.lists'), ('!insert into shop.mails values (1, ''m'', 5)'), ('!insert into shop.clicks values (1, ''c'', null), (1, null, ''2024-01-01'')'), ('!update shop.clicks set at = ''2024-01-02'', kind = ''c'''),
    ($$ goals.message_stats $$), ($$ goals.variant_stats $$), ($$ goals.outcome $$), ($$ goals_internal.contribution $$), ($$ goals_internal.ledger $$), ($$ goals_internal.counted $$),
    ($$ goals_internal.read_at_most() $$), ($$ goals_internal.slot_of(pg_catalog.now()) $$),
    ($$ goals_internal.matures_in(1, 2, 'opened', null) $$), ($$ goals_internal.drawn_hand_over() $$),
    ($$ goals_internal.tail_ids(1, '{1}') $$), ($$ goals_internal.tail_change(1, null) $$), ($$ goals_internal.tail_change(null, '') $$),
    ($$ goals_internal.touched_people(0, 0, 0, 0, 99, 99, 99, 99) $$), ($$ goals_internal.receipts_of_people('{11,12}', 99) $$),
    ($$ goals_internal.people_change('{11}', 11, 1, 1, 0, '{11,12}', 99, 99, 99, 99) $$),
    ($$ goals_internal.cut_at(pg_catalog.now(), 1, '{1,2}', true) $$), ($$ goals_internal.period_sums(1, 'primary', pg_catalog.now()) $$),
    ($$ goals_internal.period_sums(1, null, pg_catalog.now(), '2020-01-01 01:02', '2040-01-01') $$),
    ($$ goals_internal.eligible_by_age(1, 'primary', pg_catalog.now()) $$), ($$ goals_internal.recounted_people() $$),
    ($$ goals_internal.recounted_receipts() $$),
    ($$ goals_internal.fold_people(99, 99, 99, 99, 99, 99, 99, 99) $$),
    ($$ goals_internal.add_people('{11,12}', 99, 99, 99, 99, '{11,12}', 99, 99, 99, 99) $$),
    ($$ goals.verify() $$), ($$ goals_internal.behind() $$), ($$ goals_internal.health_of_switches() $$), ($$ goals_internal.health_of_tables() $$), ($$ goals_internal.health_of_broken_goals() $$), ($$ goals_internal.health_of_records() $$), ($$ goals_internal.users_to_forget('shop.users', '{}') $$), ($$ goals_internal.running(null, null, null) $$), ($$ goals_internal.goals_of(1) $$), ($$ goals_internal.arm $$), ($$ goals_internal.figures $$), ($$ goals.tail_sums() $$), ($$ goals_internal.movement(0, 0, 0, 9, 9, 9) $$), ($$ goals_internal.drawn() $$), ($$ goals_internal.superseded(0, 9) $$), ($$ goals_internal.superseded_by(1) $$), ($$ goals_internal.entry_of_same $$), ($$ goals_internal.person_of(1, '1') $$), ($$ goals_internal.receipt_of_person $$), ($$ goals_internal.announce() $$), ($$ goals_internal.last_settled_revision() $$), ($$ goals_internal.unused_revisions(99) $$), ($$ goals_internal.drop_unused_revisions(0) $$), ($$ goals_internal.summarize_marks() $$), ($$ goals_internal.lock_totals(true) $$), ($$ goals_internal.drop_orphans(0, 9, 0, 9) $$),
    ($$ goals.stats('m') $$), ($$ goals.stats('t', null, '2020-01-01', '2040-01-01') $$), ($$ goals.stats_bar('m') $$), ($$ goals_internal.bar_line('x', 1, 2) $$), ($$ goals_internal.bar(1, 2, 3) $$), ($$ goals_internal.fit('x', 3) $$), ($$ goals_internal.glyph(9608, '#') $$),
    ($$ goals.matches('m') $$), ($$ goals.matches('m', 'v') $$), ($$ goals.matches('m', null, '2020-01-01', '2040-01-01', 5) $$),
    ($$ goals_internal.matched('{1}', '{2}', '{1}', '2020-01-01', '2040-01-01') $$), ($$ goals_internal.revisions_of('{1}') $$), ($$ goals.explain('m', '1') $$), ($$ goals.explain('m', 1::bigint) $$), ($$ goals.explain('p', '00000000-0000-0000-0000-000000000001'::pg_catalog.uuid) $$),
    ($$ goals.compare('t') $$), ($$ goals_internal.compare_data('t') $$), ($$ goals.daily('m') $$), ($$ goals.daily_since_sending('t') $$), ($$ goals.attribution() $$), ($$ goals.attribution('time decay', '2020-01-01', '2040-01-01') $$), ($$ goals.report('t') $$), ($$ goals.report_data('m') $$),
    ($$ goals.rate_interval(1, 9) $$), ($$ goals.difference_interval(1, 9, 2, 9) $$), ($$ goals.ratio_interval(1, 9, 2, 9) $$), ($$ goals.proportion_test(1, 9, 2, 9) $$), ($$ goals.proportions_test('{1,2}', '{9,9}') $$), ($$ goals.adjust_p('{0.1,0.2}') $$),
    ($$ goals.probability_better(1, 9, 2, 9) $$), ($$ goals.anytime_test('{1,2}', '{1,1}') $$), ($$ goals.anytime_ratio_interval(1, 2, 1, 1) $$), ($$ goals.split_test('{9,8}', '{1,1}') $$), ($$ goals.sample_size(0.1, 0.2) $$),
    ($$ goals.health() $$), ($$ goals_internal.goal_problem(1) $$), ($$ goals_internal.is_broken(1) $$), ($$ goals_internal.note_columns() $$), ($$ goals_internal.source_problem(1) $$), ($$ goals_internal.known_message('m') $$), ($$ goals_internal.check_goal(1, 'v') $$), ($$ goals_internal.stored_key(1, '1') $$), ($$ goals_internal.nearest('a', '{b,c}') $$), ($$ goals_internal.unusable() $$), ($$ goals_internal.archive('{1}') $$), ($$ goals_internal.add_to_totals('{}') $$),
    ($$ goals.merge_users('2', '1', 'shop.users') $$), ($$ goals.gone_users('shop.users') $$),
    ($$ goals_internal.spells(1, '1') $$), ($$ goals_internal.are_users(1, '{1}') $$),
    ($$ goals.stop_goal('m', 'v') $$), ($$ goals.forget_user('1', 'shop.users') $$), ($$ goals.forget_user(2::bigint, 'shop.users') $$), ($$ goals.forget_user('00000000-0000-0000-0000-000000000001'::pg_catalog.uuid, 'shop.people') $$), ($$ goals.purge('2040-01-01') $$), ($$ goals.verify() $$),
    ($$ goals.create_message('gone', users => 'shop.users') $$), ($$ goals.rename_message('gone', 'went') $$),
    ($$ goals.drop_message('went') $$), ($$ goals_internal.dropped_messages(99) $$),
    ($$ goals_internal.remove_dropped_messages(99) $$), ($$ goals_internal.refuse_list(1, '1') $$),
    ($$ goals_internal.follower(1, 'shop', 'users') $$), ($$ goals.move_users('shop.users', 'shop.successor') $$),
    ($$ goals.pause() $$), ($$ goals.grant_to(current_user::pg_catalog.regrole, 'sender') $$),
    ('!do $x$ begin perform goals.reset(); raise sqlstate ''P0099''; exception when sqlstate ''P0099'' then null; end $x$'),
    ($$ goals.untrack('shop.sends') $$), ($$ goals.untrack_all() $$);
-- (the loop runs with the traps on the path as well: it uses nothing they could stand for)
create function shop.probe() returns void language plpgsql as $$
declare c record; statement pg_catalog.text; state pg_catalog.text; message pg_catalog.text;
begin
    for c in select n, sql, sql operator(pg_catalog.~) '^!' as whole from shop.call order by n loop
        begin
            if c.whole then execute pg_catalog.substr(c.sql, 2);
            else execute pg_catalog.concat('select from ', c.sql); end if;
        exception when others then
            get stacked diagnostics state = returned_sqlstate, message = message_text;
            raise info '%: % (%)', c.sql, message, state;
        end;
    end loop;
end $$;

-- that they are traps
set search_path = pg_temp, trap, pg_catalog;
do $$ begin perform lower('a'); exception when others then raise info '%', sqlerrm; end $$;
do $$ begin perform 1 + 1; exception when others then raise info '%', sqlerrm; end $$;
do $$ begin perform 'a'::text; exception when others then raise info '%', sqlerrm; end $$;
do $$ begin perform receipt_id from receipt; exception when others then raise info '%', sqlerrm; end $$;
select from shop.probe();
select from goals.roll_up();
select from goals.verify();
select from goals.message_stats;
reset search_path;
discard temp;
select goal, sent, matched from goals.message_stats where message = 'm' order by goal;

-- Every function was among them. (Trigger functions ran; what is named here is called by others only.)
select distinct p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
    where n.nspname in ('goals', 'goals_internal') and p.prorettype <> 'trigger'::regtype
    and not exists (select from shop.call c where strpos(c.sql, n.nspname || '.' || p.proname || '(') > 0) and p.proname <> 'roll_up' order by 1;

set client_min_messages = warning;
drop schema trap, shop cascade;
