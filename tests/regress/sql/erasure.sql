-- What is forgotten or purged leaves no row behind, and every figure as it was: rolled up or not.
create table users (id bigint primary key, plan text, spent numeric default 0);
insert into users (id, plan) select n, 'free' from generate_series(1, 8) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', value_from => 'spent');
select from goals.set_goal('m', event => 'buy', time_limit => '1 day', times => 2, goal => 'twice');
update users set plan = 'pro' where id = 1;
select goals.record_sent('m', array['1', '2', '3', '4'], sent_at => clock_timestamp() - interval '12 hours');
select goals.record_sent('m', array['5', '6', '7', '8']);
select count(*) from generate_series(1, 7) u, goals.record_opened('m', u::bigint);
select count(*) from generate_series(2, 6, 2) u, goals.record_clicked('m', u::bigint);
update users set plan = 'pro', spent = id where id in (2, 3, 5, 6);
do $$ begin for i in 1..2 loop perform goals.record_event(u::bigint, 'buy') from generate_series(3, 7, 2) u; end loop; end $$;

create view kept as select goal, sent, opened, clicked, already_matched, matched, matched_after_open, matched_after_click, worth from goals.message_stats;
create view facts as
    select (select count(*) from goals.receipt) as receipts, (select count(*) from goals.engagement) as engagements, (select count(*) from goals.match_log) as hits;
create view stray as
    select 'engagement' as of, receipt_id from goals.engagement where receipt_id not in (select receipt_id from goals.receipt)
    union all select 'match_log', receipt_id from goals.match_log where receipt_id not in (select receipt_id from goals.receipt);
select * from kept order by goal;
select * from facts;

select goals.forget_user(2::bigint);
select * from kept order by goal;
select * from facts;
select * from stray;

select goals.roll_up() > 0 as rolled_up;
select goals.forget_user(5::bigint);
select goals.forget_user(1::bigint);
select * from kept order by goal;
select * from facts;
select * from stray;
select * from goals.verify();

-- Half of what is left is older than an hour.
select goals.purge(clock_timestamp() - interval '1 hour');
select * from kept order by goal;
select * from facts;
select * from stray;
select goals.purge('infinity');
select * from kept order by goal;
select * from facts;
select goals.roll_up() >= 0 as rolled_up;
select * from kept order by goal;
select * from goals.verify();

-- Whoever has received two variants is left out of a comparison, however many others are purged with him: also where a batch of 20,000
-- receipts, in the order of people, would end with his first one.
create table many (id int primary key);
insert into many select generate_series(1, 20005);
select from goals.track_users('many');
select from goals.create_message('two', users => 'many');
select from (values ('a'), ('b')) x (v), goals.add_variant('two', v);
select from goals.set_goal('two', event => 'buy', time_limit => '1 hour');
select id as twice from many order by id::text collate "C" offset 19999 limit 1 \gset
select from goals.record_sent('two', :twice, 'a', now() - interval '1 day');
select goals.record_sent('two', array(select id::text from many where id <> :twice), 'a', now() - interval '1 day');
select from goals.record_sent('two', :twice, 'b', now() - interval '1 day');
select variant, users from goals.compare('two') order by 1;
select goals.purge(now());
select variant, users from goals.compare('two') order by 1;
select from goals.untrack('many');

-- Of somebody who is nobody's user the mirrored row is remembered by its message, not by his key.
create table sends (message text, user_id bigint);
select from goals.track_receipts('sends', 'message', 'user_id');
insert into sends values ('m', 4711);
select reason, name from goals.ignored;
