-- What will happen, in the order in which the application gets to know it (batch), and the tables it will be written to.
set client_min_messages = warning;
set synchronous_commit = off;
select setseed(:seed) \g /dev/null
create table users (id bigint primary key, name text);
create table events (id bigint, user_id int, name text, at timestamptz, properties jsonb, batch int);
create table sends (id bigint primary key, message text, user_id bigint, sent_at timestamptz, opened_at timestamptz, clicked_at timestamptz, variant text,
    batch int, open_batch int, click_batch int);
insert into users select n, 'user ' || n from generate_series(1, 30000) n;

-- Most events are of few users and few kinds; one in twenty arrives up to three days late. No two have the same time.
create unlogged table staged_event as
select id, user_id, user_id % 4 as client, batch,
       case when kind < 0.55 then 'view' when kind < 0.75 then 'visit' when kind < 0.88 then 'search' when kind < 0.96 then 'purchase' when kind < 0.98 then 'refund' else 'login' end as name,
       date_trunc('second', timestamptz '2024-03-01 00:00+00' + batch * interval '3 hours' - spread * interval '3 hours' - case when late < 0.05 then late * 20 * interval '3 days' else '0' end)
           + (id % 1000000) * interval '1 microsecond' as at,
       case when price < 0.1 then null when price < 0.15 then '{"amount": "a lot"}'
            else jsonb_build_object('amount', round((price * 100)::numeric, 2), 'category', case when late < 0.5 then 'book' else 'game' end, 'basket', jsonb_build_object('items', (spread * 5)::int)) end as properties
from (select id, 1 + floor(30100 * random() ^ 3)::int as user_id, 1 + floor(240 * random())::int as batch, random() as kind, random() as spread, random() as late, random() as price
      from generate_series(1, :events) id) x;
create index on staged_event (client, batch);

-- Sends go the other way round to most, so that those with many events and those with many receipts overlap only in part. A user
-- gets the same message again; one in a hundred names a message or a user that is not there.
create unlogged table staged_send as
select id, user_id, user_id % 4 as client, batch,
       case when message < 0.3 then 'welcome' when message < 0.5 then 'books' when message < 0.65 then 'come back' when message < 0.8 then 'read this' when message < 0.99 then 'test' else 'no such message' end as message,
       timestamptz '2024-03-01 00:00+00' + batch * interval '3 hours' - spread * interval '6 hours' + id * interval '1 microsecond' as sent_at,
       case when opens < 0.4 then batch + floor(opens * 40)::int end as open_batch,
       case when clicks < 0.3 then batch + floor(clicks * 60)::int end as click_batch,
       opens, clicks,
       case when message < 0.8 then null when spread < 0.2 then 'control' when spread < 0.6 then 'a' when spread < 0.98 then 'b' end as variant
from (select id, 1 + floor(30100 * random() ^ 2)::int as user_id, 1 + floor(240 * random())::int as batch, random() as message, random() as spread, random() as opens, random() as clicks
      from generate_series(1, :events / 8) id) x;
create index on staged_send (client, batch);
create index on staged_send (client, open_batch);
create index on staged_send (client, click_batch);
analyze;

select goals.track_users('users') \g /dev/null
select goals.track_events('events', 'user_id', 'name', 'at', 'properties') \g /dev/null
select goals.track_receipts('sends', 'message', 'user_id', 'sent_at', 'opened_at', 'clicked_at', 'variant') \g /dev/null
select goals.create_message(m) from unnest(array['welcome', 'books', 'come back', 'read this', 'test']) m \g /dev/null
select goals.add_variant('test', 'a'), goals.add_variant('test', 'b'), goals.set_control_group('test', 0.2) \g /dev/null
select goals.set_goal('welcome', event => 'purchase', time_limit => '3 days', value_from => 'amount'),
       goals.set_goal('welcome', event => 'login', time_limit => '36 hours', goal => 'login'),
       goals.set_goal('books', event => 'purchase', properties => '{"category": "book"}', time_limit => '7 days', value_from => 'amount'),
       goals.set_goal('come back', event => 'visit', times => 3, time_limit => '2 days', value_from => 'basket.items'),
       goals.set_goal('read this', event => 'search', time_limit => '1 day', after => 'opened'),
       goals.set_goal('read this', event => 'visit', times => 2, time_limit => '1 day', after => 'clicked', goal => 'clicked'),
       goals.set_goal('test', event => 'purchase', time_limit => '5 days', value_from => 'amount'),
       goals.set_goal('test', event => 'view', time_limit => '1 day', after => 'opened', goal => 'view') \g /dev/null

-- A client: batch by batch what was sent, opened and clicked, then what happened; each in a transaction of its own.
create procedure play(of_client int) language plpgsql as $$
declare b int;
begin
    perform set_config('synchronous_commit', 'off', false);
    for b in 1 .. 260 loop
        -- Some rows are opened and clicked when they are written.
        insert into sends
            select id, message, user_id, sent_at, case when open_batch = b and opens < 0.02 then sent_at + opens * interval '1 day' end, null, variant, b, case when open_batch = b and opens < 0.02 then b end, null
            from staged_send where client = of_client and batch = b;
        commit;
        update sends s set opened_at = g.sent_at + g.opens * interval '5 days', open_batch = b
            from staged_send g where g.client = of_client and g.open_batch = b and s.id = g.id and s.opened_at is null;
        commit;
        -- A click may be known before its open, and be earlier or later.
        update sends s set clicked_at = g.sent_at + g.clicks * interval '6 days', click_batch = b
            from staged_send g where g.client = of_client and g.click_batch = b and s.id = g.id;
        commit;
        insert into events select id, user_id, name, at, properties, b from staged_event where client = of_client and batch = b order by id;
        commit;
    end loop;
end $$;
