-- Rows of tracked tables may call things what they like: a name that nothing can have is kept as one, whatever it is, and not read.
create table users (id text primary key);
insert into users values ('1');
create table events (user_id text, name text);
create table sends (message text, user_id text, variant text);
select from goals.track_users('users');
select from goals.track_events('events', 'user_id', 'name');
select from goals.track_receipts('sends', 'message', 'user_id', variant => 'variant');
select from goals.create_message('m');
select from goals.create_message(repeat('m', 1000));
select from goals.create_message(repeat('é', 500));
select from goals.add_variant('m', 'A');
select from goals.set_goal('m', event => repeat('e', 1000), time_limit => '1 day');

-- As long as a name may be
insert into sends values (repeat('m', 1000), '1', null), (repeat('é', 500), '1', null), ('m', '1', 'A');
insert into events values ('1', repeat('e', 1000));
select left(message, 2) as message, octet_length(message), sent, matched from goals.message_stats order by message collate "C";
-- Longer, by one byte and by two million
insert into sends select repeat('m', 1001), '1' union all select repeat('m', 999) || 'é', '1' union all select repeat('x', 2000000) || n, '1' from generate_series(1, 5) n;
insert into sends select 'm', '1', 'A' || repeat('x', length) from unnest(array[999, 1000, 2000000]) length;
insert into sends select 'm', repeat('1', length), 'A' from unnest(array[2600, 2601, 2000000]) length;
insert into events select '1', repeat('e', length) from unnest(array[1001, 2000000]) length;
insert into events select repeat('1', 2000000), repeat('e', 1000);
select reason, left(name, 40) as name, octet_length(name) from goals.ignored order by reason, name collate "C";
select problem, left(object, 40) as object from goals.health();
-- Again: nothing more is kept, and what is there is not read either, however large it is.
update goals.ignored set name = repeat('x', 5000000) where name like '(%';
begin;
insert into sends values ('one more', '1');
insert into sends values (repeat('x', 2000000), '1');
select pg_stat_get_xact_tuples_fetched(reltoastrelid) as fetched_from_toast from pg_class where oid = 'goals.ignored'::regclass;
commit;
select reason, octet_length(name) from goals.ignored order by 1, 2;
-- A name padded with blanks is as long as it is without.
create table padded (message char(3000), user_id text);
select from goals.track_receipts('padded', 'message', 'user_id');
insert into padded values ('m', '1'), (repeat('n', 2999), '1');
select sent from goals.message_stats where message = 'm';
select name from goals.ignored where source_id = 4;
