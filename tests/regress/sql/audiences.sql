-- A message to a whole audience at once.
create table users (id bigint primary key, plan text default 'free', n int default 0);
create index on users (n);
insert into users (id) select generate_series(1, 2000);
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
-- Rows that were updated and deleted before leave dead entries in the index of the key.
do $$ begin for i in 1 .. 5 loop update users set n = n + 1; end loop; end $$;
delete from users where id % 2 = 0;
update users set plan = 'pro' where id % 5 = 0;
select goals.record_sent('m', array(select n::text from generate_series(1, 2000) n)) from generate_series(1, 5);
select goals.record_sent('m', array(select n::text from generate_series(1, 2000) n), sent_at => now() - interval '2 days');
select count(*), count(distinct receipt_id) = count(*) as receipts_of_their_own, bool_and(send) as send, count(variant) as variants
from goals.deliver('m', array(select n::text from generate_series(1, 2000) n));
update users set plan = 'pro' where id < 100;
select sent, already_matched, matched from goals.message_stats;

-- Each key once, in whatever spelling; nobody is nobody.
select goals.record_sent('m', array['1', ' 1', '01', '+1', '3', null, 'x', '2', '99999999999999999999']);
select goals.record_sent('m', '{}'::text[]);
select goals.record_sent('m', null::text[]);
select goals.record_sent('m', '{{1,3},{5,7}}'::text[]);
select count(*) from goals.deliver('m', '{}'::text[]);
-- All or nothing, with the transaction
begin;
select goals.record_sent('m', array['1', '3']);
rollback;
select sent from goals.message_stats;

-- Other types of key
create table members (id uuid primary key);
create table places (code char(4) primary key, name text);
create domain slug as varchar(20);
create table sites (slug slug primary key);
insert into members values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11');
insert into places values ('ab'), ('b');
insert into sites values (''), ('Été'), ('a''b"c');
select from unnest(array['members', 'places', 'sites']::regclass[]) t, goals.track_users(t);
select from unnest(array['members', 'places', 'sites']) t, goals.create_message(t, users => t::regclass);
select goals.record_sent('members', array['A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', '{a0eebc999c0b4ef8bb6d6bb9bd380a11}', 'a0eebc99']);
select goals.record_sent('places', array['ab', 'ab  ', 'B', ' b', 'b   ']);
select goals.record_sent('sites', array['', 'Été', 'été', 'a''b"c', 'Été ']);
-- A user is found again in whatever spelling of the key he was found before.
select from goals.record_opened('members', 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11');
select from goals.record_opened('places', 'ab  ');
select from goals.record_opened('sites', 'Été');
select message, sent, opened from goals.message_stats where message <> 'm' order by message;
select goals.forget_user('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', users => 'members');
select goals.forget_user('ab  ', users => 'places');
