-- A database that has been in use for a while: every table of the extension holds rows, of every kind there is. Figures are partly
-- rolled up, partly not; a person is forgotten, old receipts are purged, a goal is broken, sends name what nobody knows.
-- It runs on every version that was released. works_on.sql goes on from here.
\set ON_ERROR_STOP on
set client_min_messages = warning;

create schema app;
create type app.mood as enum ('low', 'high');
create table app.users (id bigint primary key, plan text not null default 'free', visits int, spent numeric default 0, tags text[],
    custom jsonb default '{}', born date, active boolean default false, mood app.mood, "Odd ""Name" text, going text);
create table app.people (id uuid not null, region int not null, plan text, primary key (id, region)) partition by list (region);
create table app.people_1 partition of app.people for values in (1);
create table app.people_2 partition of app.people for values in (2);
create table app.accounts (code varchar(20) primary key, status text);
create table app.events (event_id bigserial primary key, user_id bigint, name text, at timestamptz default clock_timestamp(), properties jsonb default '{}');
create table app.sends (send_id bigserial primary key, campaign text, user_id bigint, sent timestamptz default clock_timestamp(), opened timestamptz,
    clicked timestamptz, arm text);
insert into app.users (id, plan) select n, case when n % 10 = 0 then 'pro' else 'free' end from generate_series(1, 300) n;
insert into app.people select ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 1 + n % 2, 'free' from generate_series(1, 40) n;
insert into app.accounts select 'acc''t ' || n, 'trial' from generate_series(1, 20) n;

select from goals.track_users('app.users');
select from goals.track_users('app.people', 'id');
select from goals.track_users('app.accounts');
select from goals.track_events('app.events', 'user_id', 'name', 'at', 'properties', 'app.users');
select from goals.track_receipts('app.sends', 'campaign', 'user_id', 'sent', 'opened', 'clicked', 'arm');

-- Goals of every kind
select from goals.create_message('welcome', channel => 'e-mail', users => 'app.users');
select from goals.set_goal('welcome', 'plan', 'is', 'pro', '14 days');
select from goals.set_goal('welcome', 'visits', 'is increased', time_limit => '3 days', goal => 'visits', after => 'opened', value_from => 'visits');
select from goals.set_goal('welcome', 'spent', 'is increased by', '10', '30 days', goal => 'spent');
select from goals.set_goal('welcome', 'tags', 'contains', 'vip', '30 days', goal => 'tags');
select from goals.set_goal('welcome', 'custom.size', 'greater than', '4.5', '30 days', goal => 'size');
select from goals.set_goal('welcome', 'born', 'has any value', time_limit => '30 days', goal => 'born');
select from goals.set_goal('welcome', 'active', 'is', 'true', '30 days', goal => 'active', after => 'clicked');
select from goals.set_goal('welcome', 'mood', 'is any of', '{high}', '30 days', goal => 'mood');
select from goals.set_goal('welcome', 'Odd "Name', 'starts with', 'a', '30 days', goal => 'it''s odd');
select from goals.set_goal('welcome', event => 'buy', time_limit => '30 days', times => 2, properties => '{"shop": "a"}', goal => 'buys', value_from => 'price');
select from goals.set_goal('welcome', 'going', 'is changed', time_limit => '30 days', goal => 'broken');
select from goals.create_message('test', users => 'app.users');
select from goals.add_variant('test', 'A', 2);
select from goals.add_variant('test', 'B');
select from goals.set_control_group('test', 0.3);
select from goals.set_goal('test', 'plan', 'is changed', time_limit => '14 days');
select from goals.create_message('no goal yet', kind => 'one_off', users => 'app.users');
select from goals.create_message('people', users => 'app.people');
select from goals.set_goal('people', 'plan', 'is not', 'free', '14 days');
select from goals.create_message('accounts', users => 'app.accounts');
select from goals.set_goal('accounts', 'status', 'is', 'paid', '14 days');
select from goals.create_message('logged', users => 'app.users');
select from goals.set_goal('logged', 'plan', 'is', 'pro', '14 days', after => 'opened');

-- Receipts by every way, opens, clicks, changes, events
select from goals.record_sent('welcome', array(select id::text from app.users where id <= 30), sent_at => now() - interval '500 days');
select from goals.record_sent('welcome', array(select id::text from app.users where id between 20 and 120), sent_at => now() - interval '2 days');
select from app.users u, goals.deliver('test', u.id) where u.id <= 200;
select from goals.record_sent('no goal yet', 7::bigint);
select from app.people p, goals.record_sent('people', p.id) where p.region = 1;
select from app.accounts a, goals.record_sent('accounts', a.code::text);
-- This account matches by two receipts.
select from goals.record_sent('accounts', 'acc''t 5'::text);
insert into app.sends (campaign, user_id, sent) select 'logged', n, now() - interval '1 day' from generate_series(1, 50) n;
insert into app.sends (campaign, user_id) values ('nobody knows it', 1), ('logged', 999), ('logged', null);
update app.sends set opened = now() - interval '1 hour' where user_id between 1 and 30;
update app.sends set clicked = now() where user_id between 1 and 10;
do $$ begin
    perform goals.record_opened('welcome', id) from app.users where id between 20 and 70;
    perform goals.record_clicked('welcome', id) from app.users where id between 20 and 40;
end $$;
update app.users set plan = 'pro', going = 'x' where id % 3 = 0;
update app.users set visits = 2 where id % 2 = 0;
update app.users set spent = spent + 12.50, tags = '{vip}', custom = '{"size": 5}' where id % 5 = 0;
update app.users set born = '2000-01-01', active = true, mood = 'high', "Odd ""Name" = 'Abc' where id % 7 = 0;
update app.people set region = 3 - region, plan = 'team' where plan = 'free' and region = 1;
update app.accounts set status = 'paid' where code like '%5';
select from goals.record_event('25'::text, 'buy', '{"shop": "a", "price": 1.25}', users => 'app.users');
insert into app.events (user_id, name, properties) select n % 60, 'buy', '{"shop": "a", "price": 3.5}' from generate_series(1, 150) n;

select from goals.roll_up();
select from goals.roll_up();
select from goals.forget_user('21'::text, 'app.users'::regclass);
select from goals.purge(now() - interval '400 days');

-- News that is not in the totals yet: of receipts that are, and of new ones
select from goals.set_goal('welcome', 'plan', 'is', 'team', '14 days');
select from goals.stop_goal('welcome', 'spent');
select from goals.record_sent('welcome', array(select id::text from app.users where id between 200 and 260));
update app.users set plan = 'team' where id between 90 and 220;
insert into app.events (user_id, name, properties) select n, 'buy', '{"shop": "a"}' from generate_series(205, 215) n, generate_series(1, 2);
do $$ begin perform goals.record_opened('welcome', id) from app.users where id between 100 and 110; end $$;
alter table app.users drop column going;

-- A roll-up that had to wait for another transaction: it has left a mark to be taken next time.
begin;
select from pg_current_xact_id();
prepare transaction :'DBNAME';
select from goals.roll_up();
commit prepared :'DBNAME';
