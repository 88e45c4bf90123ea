-- A table, index or sequence of ours that is renamed or dropped: the application goes on, goals.health() says what is missing and how to bring it back.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 30) n;
create table sends (message text, user_id bigint, opened timestamptz);
create table orders (user_id bigint);
select from goals.track_users('users');
select from goals.track_receipts('sends', 'message', 'user_id', opened_at => 'opened');
select from goals.track_events('orders', 'user_id', event => 'order');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select from goals.record_sent('m', array(select id::text from users where id < 30));

-- The indexes and sequences that come with it, the tables of records, and what the trigger reads
create view ours as
select c.relname::text as name, case c.relkind when 'r' then 'table' when 'i' then 'index' else 'sequence' end as kind
from pg_class c
where c.relnamespace = 'goals'::regnamespace and c.relkind in ('r', 'i', 'S') and c.relname !~ '(_pkey|_key)$'
  and c.relname !~ '^(source|message|variant|goal|revision)_.*_seq$';
-- These are read by statistics only, with names of their own: what reads them says so.
create view not_looked_at as select name from ours
where name in ('total', 'watermark', 'next_watermark', 'day_total', 'slot_total', 'age_total', 'pair_total', 'total_message_idx',
    'receipt_sent_idx', 'day_total_split_idx', 'revision_message_idx');
do $$
declare
    o record;
    found record;
    problems text[];
    n integer := 0;
begin
    for o in select * from ours where name not in (select name from not_looked_at) order by kind, name loop
        n := n + 1;
        execute format('alter %s goals.%I rename to elsewhere', o.kind, o.name);
        -- The application does not notice.
        update users set plan = 'pro' where id = n;
        insert into sends values ('m', 30, now());
        update sends set opened = now();
        insert into orders values (n);
        update users set plan = 'free' where id = n;
        select h.* into strict found from goals.health() h;
        if (found.problem, found.object) is distinct from ('missing ' || o.kind, 'goals.' || o.name) then
            raise exception 'without % health() says %', o.name, found;
        end if;
        if o.kind = 'index' then
            -- What the hint says makes the same index.
            drop index goals.elsewhere;
            execute replace(substring(found.hint from 'recreate it with: (.*)'), 'CONCURRENTLY ', '');
        else
            execute format('alter %s goals.elsewhere rename to %I', o.kind, o.name);
        end if;
        problems := problems || format('%s %s: %s', found.problem, found.object, found.detail);
    end loop;
    raise notice E'%', array_to_string(problems, E'\n');
end
$$;
select indexname, indexdef from pg_indexes where schemaname = 'goals' and indexname in (select name from ours where kind = 'index') order by 1;
select * from goals.health();

-- A call says what is missing.
alter index goals.receipt_id_idx rename to another;
\c -
select problem, object, hint from goals.health();
select goals.record_sent('m', '30');
select goals.record_event('30', 'order');
alter index goals.another rename to receipt_id_idx;

-- All is as before: nothing of what was missed counts, all of what comes does.
update users set plan = 'pro' where id between 20 and 24;
select sent, opened, matched from goals.message_stats;
select * from goals.verify();
