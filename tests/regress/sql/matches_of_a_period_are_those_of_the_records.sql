-- matches() with since, until and newest, and attribution(): what goals.outcome says, however many receipts there are.
create table users (id bigint primary key, plan text default 'free', n int default 0);
insert into users select generate_series(1, 3000);
select from goals.track_users('users');
select goals.create_message(m) from unnest(array['small', 'large']) m;
select from goals.set_goal('small', event => 'bought', time_limit => '30 days', value_from => 'price');
select from goals.set_goal('large', event => 'bought', time_limit => '30 days', value_from => 'price');
select from goals.set_goal('large', event => 'visited', times => 3, time_limit => '30 days', goal => 'third visit');
select date_trunc('hour', now()) - interval '20 days' as sent \gset
select count(*) from (select goals.record_sent('small', array(select id::text from users where id <= 20), sent_at => :'sent')) s;
select count(*) from (select goals.record_sent('large', array(select id::text from users), sent_at => :'sent')) s;

-- Large and small are read in different ways: the results are the same.
create function at_hour(key bigint, name text, hour numeric) returns void language sql as $$
    select goals.record_event(key, name, jsonb_build_object('price', hour),
        (select min(sent_at) from goals.receipt) + hour * interval '1 hour')
$$;
select count(at_hour(i, 'bought', i)) from generate_series(1, 10) i;
create function hours(message text, goal text default null, since int default null, until int default null,
    newest int default null) returns text language plpgsql as $$
declare
    start timestamptz := (select min(sent_at) from goals.receipt);
    said text := '';
    m record;
begin
    for m in select * from goals.matches(message, goal, start + since * interval '1 hour', start + until * interval '1 hour',
                                         newest) loop
        said := said || ' ' || m.user_key || '@' || round(extract(epoch from m.matched_at - start) / 3600);
    end loop;
    return coalesce(nullif(ltrim(said), ''), '-');
end $$;
create view seen as
select m as message, hours(m) as "all", hours(m, since => 3) as since, hours(m, until => 3) as until,
       hours(m, since => 3, until => 5) as both, hours(m, newest => 2) as newest, hours(m, newest => 2, until => 6) as newest_until,
       hours(m, newest => 3, since => 9) as newest_since, hours(m, newest => 0) as none, hours(m, newest => 100) as newest_of_few
from unnest(array['small', 'large']) m;
select * from seen \gx

-- A late event becomes the earlier match, and leaves the period in which the later one lay.
select from at_hour(10, 'bought', 2);
select * from seen \gx

-- The third visit, in the order of time.
select at_hour(1, 'visited', h) from unnest(array[10, 30, 20, 40]) h;
select at_hour(2, 'visited', h) from unnest(array[10, 20]) h;
select hours('large', 'third visit'), hours('large', 'third visit', since => 25, until => 35) as third,
       hours('large', 'third visit', since => 35) as fourth, hours('large', 'third visit', until => 25) as second,
       hours('large', 'third visit', newest => 1) as newest;
select from at_hour(1, 'visited', 5);
select hours('large', 'third visit'), hours('large', 'third visit', newest => 1) as newest, hours('large', newest => 1);
-- A goal that is set again: receipts of either version.
select from goals.set_goal('large', event => 'bought', time_limit => '20 days', value_from => 'price');
select goals.record_sent('large', 9::bigint, sent_at => :'sent'::timestamptz + interval '1 hour') > 0 as sent;
select from at_hour(9, 'bought', 50);
select from at_hour(9, 'bought', 8);
select hours('large', 'primary', since => 7), hours('large', 'primary', newest => 3);

-- A withdrawn receipt never matched.
select count(*) from (select goals.withdraw(receipt_id) from goals.outcome where user_key = '8' and goal = 'primary') w;
select hours('small', since => 7), hours('large', 'primary', since => 7), hours('large', 'primary', newest => 4);
-- A merged person's matches are under the key that is left.
select goals.merge_users(7, 6);
select hours('small', since => 5, until => 8), hours('large', 'primary', since => 5, until => 8);

select hours('large', since => 5, until => 5), hours('large', since => 9, until => 3);
select count(*) from goals.matches('large', until => '-infinity');
select count(*) from goals.matches('large', since => 'infinity', newest => 1);
select count(*) > 0 as all from goals.matches('large', until => 'infinity', newest => 1);
select count(*) from goals.matches('large', until => '4713-01-01 BC', newest => 1);
select count(*) from goals.matches('small', newest => -1);
select count(*) from goals.matches('large', 'none', newest => 1);

-- Campaigns share the goals of another message; each has its own matches.
create table campaigns (id int primary key, title text);
select from goals.create_message('any');
select from goals.set_goal('any', 'plan', 'is', 'pro', time_limit => '7 days');
select from goals.track_messages('campaigns', 'id', name => 'title', like_message => 'any');
insert into campaigns values (1, 'First'), (2, 'Second');
create table mails (id bigserial primary key, campaign int, user_id bigint);
select from goals.track_receipts('mails', message => 'campaign', user_key => 'user_id');
insert into mails (campaign, user_id) select 1, id from users union all select 2, id from users where id <= 40;
update users set plan = 'pro' where id between 38 and 42;
select m, (select string_agg(user_key, ' ' order by user_key) from goals.matches(m)) as all,
       (select string_agg(user_key, ' ' order by user_key) from goals.matches(m, since => now() - interval '1 hour')) as of_the_hour,
       (select string_agg(user_key, ' ' order by user_key) from goals.matches(m, newest => 1)) as newest,
       (select count(*) from goals.matches(m, until => now() - interval '1 hour')) as before
from unnest(array['First', 'Second', 'any']) m;

-- Over a random history, of every message and goal and for random periods: what goals.outcome says, in that order.
-- (random() says something else in PostgreSQL 14.)
create function drawn(what text, i int) returns numeric language sql as $$
    select ('x' || substr(md5(what || i), 1, 7))::bit(28)::int / 268435456.0
$$;
create table history as
select 1 + (drawn('key', i) * 60)::int as key, (array['bought', 'visited'])[1 + (drawn('name', i) < 0.6)::int] as name,
       round(drawn('hour', i) * 475, 1) as hour from generate_series(1, 1500) i;
select count(at_hour(key, name, hour)) from history;
-- Opens and clicks of a person or of a machine, before and after the match.
select count(*) as engaged from (
    select goals.record_clicked('large', key::text, :'sent'::timestamptz + hour * interval '1 hour', machine => hour < 200)
    from history where key % 3 = 0 and hour > 1 offset 0) e;
select count(*) as engaged from (
    select goals.record_opened('small', key::text, :'sent'::timestamptz + hour * interval '1 hour')
    from history where key % 5 = 0 and key <= 20 offset 0) e;
select count(*) as withdrawn from (select goals.withdraw(receipt_id) from goals.outcome where user_key::int % 7 = 0 and user_key::int < 60
                                   and message = 'large' and goal = 'primary' offset 0) w;
create temp table period as
select i, m as message, g as goal, n as newest,
       case when drawn('since', k) < 0.8 then :'sent'::timestamptz + drawn('begins', k)::float8 * interval '400 hours' end as since,
       case when drawn('until', k) < 0.6 then :'sent'::timestamptz + (100 + drawn('ends', k)::float8 * 500) * interval '1 hour' end as until
from generate_series(1, 8) i, unnest(array['small', 'large', 'First', 'Second']) with ordinality as x (m, of_m),
     unnest(array[null, 'primary', 'third visit']) with ordinality as y (g, of_g), unnest(array[null, 1, 7, 60]) with ordinality as z (n, of_n),
     lateral (select (i * 1000 + of_m * 100 + of_g * 10 + of_n)::int as k) c
where g is distinct from 'third visit' or m = 'large';
select count(*) as periods, sum(cardinality(read)) > 1500 as matches, count(*) filter (where read is distinct from wanted) as differ
from (select p.*, array(select (m.receipt_id, m.user_key, m.goal, m.matched_at, m.opened_at, m.clicked_at, m.worth, m.new_value)::text
                        from goals.matches(p.message, p.goal, p.since, p.until, p.newest) m) as read,
             array(select (o.receipt_id, o.user_key, o.goal, o.matched_at, o.opened_at, o.clicked_at, o.worth, o.new_value)::text
                   from (select o.* from goals.outcome o
                         where o.message = p.message and o.matched_at is not null and (p.goal is null or o.goal = p.goal)
                           and (p.since is null or o.matched_at >= p.since) and (p.until is null or o.matched_at < p.until)
                         order by o.matched_at desc, o.match_id desc limit p.newest) o
                   order by o.matched_at, o.match_id) as wanted
      from period p) c;
select count(*) as periods, count(*) filter (where read is distinct from wanted) as differ
from (select array(select (a.message, a.goal, a.matched, a.worth)::text from goals.attribution(since => p.since, until => p.until) a) as read,
             array(select (o.message, o.goal, count(*), sum(coalesce(o.worth, 0)))::text from goals.outcome o
                   where o.matched_at is not null and not o.is_control
                     and (p.since is null or o.matched_at >= p.since) and (p.until is null or o.matched_at < p.until)
                   group by o.message, o.goal order by o.message, o.goal) as wanted
      from period p where p.newest is null and p.message = 'large' and p.goal is null) c;
