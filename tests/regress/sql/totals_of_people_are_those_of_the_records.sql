-- Whatever happens, figures say the same before and after it is rolled up, and verify() finds nothing. The totals by day and
-- of people are filled in parts of any size, and nobody who reads meanwhile sees another figure.
-- Time limits end at half past the 28th and the 58th minute, and a day at midnight: not in the middle of this.
select count(pg_sleep(case when s between 1650 and 1710 then 1711 - s when s > 1745 and extract(hour from now() at time zone 'UTC') = 23 then 1801 - s else 0 end)) as waited
from (select extract(epoch from clock_timestamp())::bigint % 1800 as s) x;
create table users (id bigint primary key, plan text default 'free', visits int default 0, spent numeric default 0);
insert into users (id) select n from generate_series(1, 60) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.add_variant('m', 'a');
select from goals.add_variant('m', 'b');
select from goals.set_control_group('m', 0.2);
select from goals.set_goal('m', 'visits', 'is increased', time_limit => '3 days', value_from => 'spent');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', after => 'clicked', goal => 'upgraded');
select from goals.set_goal('m', event => 'order', times => 2, time_limit => '5 days', goal => 'orders');
select from goals.create_message('p', kind => 'programme');
select from goals.set_control_group('p', 0.3);
select from goals.set_goal('p', 'plan', 'is', 'pro', '7 days');
select from goals.create_message('part', part_of => 'p');
select from goals.set_goal('part', 'plan', 'is changed', time_limit => '30 minutes');
-- A number from 0 to below n, by what it is for: the same in every version.
create function chance(what text, n int) returns int language sql immutable as
    $$ select (('x' || left(md5(what), 8))::bit(32)::bigint % n)::int $$;

-- Some days in the life of these messages. Each hour of sending begins 90 seconds before a full one.
create procedure happen(day text) language plpgsql as $$
declare
    k text; what int; t timestamptz;
begin
    for i in 1..150 loop
        k := 1 + chance(day || i, 60);
        what := chance(day || 'what' || i, 100);
        t := date_trunc('hour', now()) - chance(day || 'age' || i, 200) * interval '1 hour' - interval '90 seconds';
        if what < 30 then
            perform goals.record_sent('m', k, case when what < 3 then (array['a', 'b', 'control'])[what + 1] end, t) from users where id = k::bigint;
        elsif what < 40 then
            perform goals.record_sent(m.name, k, sent_at => t) from goals.message m, users u where m.name = 'part' and u.id = k::bigint;
        elsif what < 60 then
            perform goals.record_engagements(jsonb_agg(jsonb_build_object('receipt', r.receipt_id, 'kind', x.kind, 'at', least(r.sent_at + x.after, now()))))
            from (select r.receipt_id, r.sent_at from goals.receipt r where r.user_key = k order by r.receipt_id desc limit 2) r,
                 (values ('opened', interval '5 minutes'), ('clicked', chance(day || 'click' || i, 50) * interval '1 hour'), ('delivered', '1 second')) x (kind, after);
        elsif what < 78 then
            update users set visits = visits + 1, spent = spent + chance(day || 'spent' || i, 90) where id = k::bigint;
        elsif what < 86 then
            update users set plan = case plan when 'pro' then 'free' else 'pro' end where id = k::bigint;
        elsif what < 96 then
            perform goals.record_event(k, 'order', occurred_at => now() - chance(day || 'order' || i, 80) * interval '1 hour') from users where id = k::bigint;
        else
            perform goals.withdraw(r.receipt_id) from (select max(receipt_id) as receipt_id from goals.receipt where user_key = k and flags is distinct from 2
                  and variant_id not in (select variant_id from goals.variant where is_control)) r where r.receipt_id is not null;
        end if;
    end loop;
end $$;
create view figures as
    select m.name, g.name as goal, 'stats' as what, to_jsonb(s) as figure
    from goals.message m join goals.goal g using (message_id), goals.stats(m.name, g.name) s where g.version = 1 and m.name is not null
    union all
    select m.name, g.name, 'compare', to_jsonb(c) from goals.message m join goals.goal g using (message_id), goals_internal.compare_data(m.name, g.name) c where g.version = 1 and m.name is not null
    union all
    select m.name, g.name, 'compare all', to_jsonb(c) from goals.message m join goals.goal g using (message_id), goals_internal.compare_data(m.name, g.name, true) c where g.version = 1 and m.name is not null
    union all
    select m.name, g.name, 'daily', to_jsonb(d) from goals.message m join goals.goal g using (message_id), goals.daily(m.name, g.name) d where g.version = 1 and m.name is not null
    union all
    select m.name, g.name, 'since sending', to_jsonb(d) from goals.message m join goals.goal g using (message_id), goals.daily_since_sending(m.name, g.name) d where g.version = 1 and m.name is not null
    union all
    select m.name, g.name, 'curve', to_jsonb(c) from goals.message m join goals.goal g using (message_id), jsonb_array_elements(goals.report_data(m.name, g.name) -> 'curve') c
    where g.version = 1 and m.name = 'm' and g.name <> 'orders'
    union all
    select m.name, null, 'stats of the message', to_jsonb(s) from goals.message m, goals.stats(m.name, null) s where m.name is not null
    union all
    select m.name, g.name, 'three days', to_jsonb(s)
    from goals.message m join goals.goal g using (message_id),
         goals.stats(m.name, g.name, ((now() at time zone 'UTC')::date - 5)::timestamp at time zone 'UTC', ((now() at time zone 'UTC')::date - 2)::timestamp at time zone 'UTC') s where g.version = 1 and m.name is not null
    union all
    select null, null, 'health', to_jsonb(h) from goals.health() h;
create table known as select * from figures with no data;
create table now_known as table known;
create function differ() returns text language sql as $$
    delete from now_known;
    insert into now_known select * from figures;
    select string_agg(distinct x.what, ', ') from ((table now_known except all table known) union all (table known except all table now_known)) x;
$$;
-- What differs from known, before and after roll_up(); and what verify() finds.
create procedure rolled(label text) language plpgsql as $$
declare differ text; drift text;
begin
    delete from known;
    insert into known select * from figures;
    commit;
    for i in 1..3 loop
        perform goals.roll_up();
        commit;
    end loop;
    differ := differ();
    select string_agg(v.counter || ' ' || v.total || '/' || v.recounted, ', ') into drift from (select * from goals.verify() limit 3) v;
    raise info '%: % figures, differ: %, verify: %', label, (select case when count(*) > 100 then 'over 100' else count(*)::text end from known), coalesce(differ, 'none'), coalesce(drift, 'nothing');
end $$;

call happen('first'); call rolled('records');
call happen('second'); call rolled('records of old receipts');
select from goals.set_goal('m', 'visits', 'is increased', time_limit => '12 hours', value_from => 'spent');
call happen('third'); call rolled('a newer version of a goal');
select from goals.stop_goal('m', 'orders'); call rolled('a goal stopped');
-- As an open reported late, an event with an earlier time, a match that becomes another one.
insert into goals.engagement (engagement_id, receipt_id, at, kind)
select nextval('goals.engagement_id_seq'), r.receipt_id, r.sent_at + interval '1 minute', 'c' from goals.receipt r where r.receipt_id % 3 = 0;
insert into goals.match_log (match_id, receipt_id, matched_at, goal_id, worth)
select nextval('goals.match_id_seq'), r.receipt_id, r.sent_at + interval '2 minutes', g.goal_id, 5 from goals.receipt r
join goals.revision v using (revision_id) join goals.goal g on g.goal_id = any (v.goal_ids) where r.receipt_id % 4 = 0;
call rolled('earlier opens and matches');
-- What is worth something is capped; and keys change.
update goals.goal set worth_cap = 40 where name = 'primary' and version = 2;
call happen('fourth');
update users set id = id + 100 where id between 1 and 9; call rolled('keys that change');
select goals.merge_users(10, 11) > 0 as merged, goals.merge_users(11, 12) > 0 as merged, goals.merge_users(101, 13) > 0 as merged; call rolled('merged people');
update users set id = id - 100 where id between 102 and 105; call happen('fifth'); call rolled('keys that change back');
select goals.forget_user(13) > 0 as forgotten, goals.forget_user(20) >= 0 as forgotten; call rolled('forgotten people');
select goals.merge_users(14, 15) >= 0 as merged, goals.merge_users(16, 17) >= 0 as merged;
update users set id = case id when 15 then 115 when 17 then 15 when 18 then 17 else 18 end where id in (15, 17, 18, 19);
select goals.forget_user(115) > 0 as forgotten; call rolled('forgotten before their keys were rolled up');
select count(goals.record_sent('m', k, 'a')) as sent from unnest(array['40', '41']) k;
select goals.merge_users(40, 41) > 0 as merged; call rolled('two who become one');
select goals.merge_users(41, 42) > 0 as merged;
select from goals.purge(now() - interval '6 days'); call rolled('purged receipts');
call happen('sixth'); call rolled('records after a purge');
select from goals.drop_message('part'); call happen('seventh'); call rolled('a dropped message');
select problem, object from goals.health() order by 1;

-- The totals, made anew as after an upgrade: in parts of any size, with readers and writers between them.
create procedure refill(part bigint, parts int) language plpgsql as $$
declare w goals.watermark; differ text;
begin
    delete from goals.day_total; delete from goals.slot_total; delete from goals.age_total; delete from goals.pair_total;
    update goals.watermark set people_receipt_id = 0;
    delete from known;
    insert into known select * from figures;
    for i in 1..parts loop
        select * into w from goals.watermark;
        update goals.watermark set people_receipt_id = goals_internal.fold_people(w.people_receipt_id, w.engagement_id, w.match_id, w.hand_over_id,
            w.receipt_id, w.engagement_id, w.match_id, w.hand_over_id, part, 3 * part);
        differ := differ();
        if differ is not null then
            raise info 'after % parts of %: %', i, part, differ;
        end if;
    end loop;
    if exists (select from goals.verify()) then
        raise info 'after % parts of %: %', parts, part, (select v::text from goals.verify() v limit 1);
    end if;
    commit;
end $$;
call refill(40, 3); call rolled('parts of 40');
call refill(1, 2); call happen('eighth'); call rolled('parts of 1');
call refill(100000, 1); call rolled('one part');
-- Ids that jump, as those of a subscriber that has taken over. (health() takes the roll-up to be far behind.)
select setval('goals.receipt_id_seq', 1000000000000), setval('goals.engagement_id_seq', 2000000000000), setval('goals.match_id_seq', 3000000000000);
call happen('ninth'); call rolled('ids that jump');
call refill(40, 1); call rolled('parts of 40');

-- A period by days is that of the records: one that does not begin and end with a day is counted from these.
select count(*) > 20 as periods, count(*) filter (where of_days is distinct from of_records) as differ
from generate_series(0, 8) a, generate_series(0, 8) b,
     lateral (select ((now() at time zone 'UTC')::date - a)::timestamp at time zone 'UTC' as since, ((now() at time zone 'UTC')::date - b)::timestamp at time zone 'UTC' as until) p,
     lateral (select jsonb_agg(s order by s.variant) as of_days from goals.stats('m', 'primary', p.since, p.until) s) d,
     lateral (select jsonb_agg(s order by s.variant) as of_records from goals.stats('m', 'primary', p.since - interval '1 us', p.until - interval '1 us') s) r
where a > b;
