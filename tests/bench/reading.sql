-- What figures are read from: a message with so many receipts, a small one beside it, and one that nobody was sent.
--
--   psql -d DATABASE -v receipts=10000 -f tests/bench/reading.sql     (an empty database)
--
-- Everything lies in the last 60 days, evenly. For 100 receipts there are about 14 hits, 26 opens and clicks, and 40
-- people, so that a person has several receipts, all of one variant. The records are written as the extension would
-- have written them: the ids in the order of time, and the sequences moved on. Nothing is left to chance: a receipt's
-- fate is in the bits of the hash of its id. Nothing is rolled up yet.
\set ON_ERROR_STOP on

create extension pg_goals;
create table users (
    id       bigint primary key,
    plan     text not null default 'free',
    sessions integer not null default 0,
    spent    numeric not null default 0
);
insert into users (id, plan)
select n, case when n % 20 = 0 then 'pro' else 'free' end from generate_series(1, greatest(:receipts * 4 / 10, 1)) n;
vacuum analyze users;

select goals.track_users('users');
select goals.create_message(name), goals.add_variant(name, 'a'), goals.add_variant(name, 'b'),
       goals.add_variant(name, 'c'), goals.set_control_group(name, 0.25),
       goals.set_goal(name, attribute => 'sessions', operator => 'is increased', time_limit => '3 days',
                      value_from => 'spent'),
       goals.set_goal(name, attribute => 'plan', operator => 'is', value => 'pro', time_limit => '7 days',
                      goal => 'second')
from unnest('{big,small,empty}'::text[]) as name;

-- What the receipts of each message are written with. variants: the control group first.
create table made as
select m.message_id, m.name, m.users_source_id,
       (select max(v.revision_id) from goals.revision v where v.message_id = m.message_id) as revision_id,
       array(select v.variant_id from goals.variant v
             where v.message_id = m.message_id order by not v.is_control, v.variant_id) as variants,
       (select g.goal_id from goals.goal g where g.message_id = m.message_id and g.name = 'primary') as first_goal,
       (select g.goal_id from goals.goal g where g.message_id = m.message_id and g.name = 'second') as second_goal,
       (select count(*) from users) as people
from goals.message m;

-- Receipts with the ids from one to another, sent from a moment on, a step apart. One in so many is of the small
-- message, until that has 500.
create procedure write_receipts(first bigint, last bigint, since timestamptz, step interval, small_every bigint)
language sql
begin atomic
    insert into goals.receipt (receipt_id, sent_at, users_source_id, revision_id, variant_id, user_key, already)
    select n.id, n.sent_at, m.users_source_id, m.revision_id, m.variants[1 + (hashint8extended(n.person, 2) & 3)],
           n.person::text, case when n.person % 20 = 0 then array[m.second_goal] end
    from (select n.id, since + (n.id - first) * step as sent_at,
                 coalesce(n.id % small_every = 0 and n.id <= 500 * small_every, false) as is_small,
                 1 + abs(hashint8extended(n.id, 1) % (select m.people from made m where m.name = 'big')) as person
          from generate_series(first, last) as n (id)) n
    join made m on m.name = case when n.is_small then 'small' else 'big' end;
end;

-- What becomes of a receipt, by the bits of h: 0 to 9 whether it is opened, and clicked, 10 to 19 how soon; 20 to 29
-- whether it has a hit of the first goal, 30 to 39 how soon, 40 to 43 whether another one; 44 to 53 whether it has one
-- of the second goal, 54 to 62 how soon. A goal that held already has no hit, and nobody opens what was not sent.
create view fate as
select r.receipt_id, r.sent_at, m.first_goal, m.second_goal, r.already is not null as already,
       array_position(m.variants, r.variant_id) - 1 as arm, hashint8extended(r.receipt_id, 3) as h
from goals.receipt r
join made m on m.revision_id = r.revision_id;

create view engaged as
select f.receipt_id, k.kind, f.sent_at + (f.h >> 10 & 1023) * interval '150 seconds' + k.later as at
from fate f
join (values ('o'::"char", 276, interval '0'), ('c', 82, interval '1 minute')) as k (kind, bound, later)
  on (f.h & 1023) < k.bound
where f.arm > 0;

create view hit as
select f.receipt_id, f.first_goal as goal_id,
       f.sent_at + (f.h >> 30 & 1023) * interval '250 seconds' + k.later as matched_at,
       '1'::jsonb as old_value, '2'::jsonb as new_value, (f.h >> 20 & 63)::numeric as worth
from fate f
join (values (15, interval '0'), (0, interval '30 minutes')) as k (bound, later) on (f.h >> 40 & 15) <= k.bound
where (f.h >> 20 & 1023) < 92 + 10 * f.arm
union all
select f.receipt_id, f.second_goal, f.sent_at + (f.h >> 54 & 511) * interval '1180 seconds', '"free"', '"pro"', null
from fate f
where (f.h >> 44 & 1023) < 31 and not f.already;

-- So many newer facts of each kind: receipts of this moment; opens and hits of receipts of the last 3 days, or of as
-- many of the newest as are needed, in no order.
create procedure write_newer(receipts bigint, opens bigint, hits bigint)
language plpgsql
as $$
declare
    drawn constant bigint := (select last_value from goals.receipt_id_seq);
    young constant bigint := greatest(2 * opens, 2 * hits, (select count(*) from goals.receipt r
                                                            where r.sent_at > clock_timestamp() - interval '3 days'));
begin
    call write_receipts(drawn + 1, drawn + receipts, clock_timestamp() - receipts * interval '1 ms', '1 ms', null);
    perform setval('goals.receipt_id_seq', drawn + receipts);
    insert into goals.engagement (engagement_id, receipt_id, at, kind)
    select nextval('goals.engagement_id_seq'), f.receipt_id,
           least(clock_timestamp(), f.sent_at + interval '3 days'), 'o'
    from (select * from fate where receipt_id > drawn - young and arm > 0
          order by hashint8extended(receipt_id, drawn) limit opens) f;
    insert into goals.match_log (match_id, receipt_id, matched_at, goal_id, old_value, new_value, worth)
    select nextval('goals.match_id_seq'), f.receipt_id, least(clock_timestamp(), f.sent_at + interval '3 days'),
           g.goal_id, g.old_value, g.new_value, g.worth
    from (select *, h & 3 = 0 and not already as second from fate where receipt_id > drawn - young
          order by hashint8extended(receipt_id, -drawn) limit hits) f
    join lateral (values (false, f.first_goal, '1'::jsonb, '2'::jsonb, 1),
                         (true, f.second_goal, '"free"', '"pro"', null))
         as g (second, goal_id, old_value, new_value, worth) on g.second = f.second;
end
$$;

call write_receipts(1, :receipts + 500, clock_timestamp() - interval '60 days', interval '60 days' / (:receipts + 500),
                    (:receipts + 500) / 500);
analyze goals.receipt;
insert into goals.engagement (engagement_id, receipt_id, at, kind)
select row_number() over (), e.receipt_id, e.at, e.kind
from (select * from engaged where at <= now() order by at, receipt_id, kind) e;
insert into goals.match_log (match_id, receipt_id, matched_at, goal_id, old_value, new_value, worth)
select row_number() over (), h.receipt_id, h.matched_at, h.goal_id, h.old_value, h.new_value, h.worth
from (select * from hit where matched_at <= now() order by matched_at, receipt_id, goal_id) h;
select setval('goals.receipt_id_seq', :receipts + 500),
       setval('goals.engagement_id_seq', (select coalesce(max(engagement_id), 1) from goals.engagement)),
       setval('goals.match_id_seq', (select coalesce(max(match_id), 1) from goals.match_log));
