-- A key of type citext is kept in lower case: calls, tables and changes that write it in another way mean the same user.
create extension citext;
create table users (email citext primary key, plan text, sessions int default 0);
insert into users values ('Ann@X.org', 'free'), ('BOB@x.org', 'free'), ('ÉVA@x.org', 'free');
create table log (who text, name text);
create table sends (id int primary key, message text, who citext, opened timestamptz);
select from goals.track_users('users');
select from goals.track_events('log', 'who', 'name');
select from goals.track_receipts('sends', 'message', 'who', opened_at => 'opened');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', time_limit => '1 day');
select from goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'bought');
select goals.record_sent('m', 'ANN@x.ORG') is not null as sent;
insert into sends values (1, 'm', 'bob@X.ORG', null), (2, 'm', 'éva@x.org', null), (3, 'm', 'nobody@x.org', null);
update users set plan = 'pro' where email in ('ann@x.org', 'éva@x.org');
insert into log values ('aNN@x.org', 'buy'), ('bob@x.org', 'buy'), ('Éva@x.org', 'visit');
update sends set opened = now();
select from goals.record_clicked('m', 'Bob@x.org');
select user_key, goal from goals.matches('m') order by 1, 2;
select user_key, opened_at is not null as opened, clicked_at is not null as clicked from goals.outcome where goal = 'primary' order by 1;

-- Another spelling of the key is no other key.
update users set email = 'ann@x.org' where email = 'Ann@X.org';
select count(*) as handed_over from goals.hand_over;
update users set email = 'Anna@x.org' where email = 'ann@x.org';
select from_key, into_key from goals.hand_over;
insert into log values ('ANNA@x.org', 'buy');
select user_key, goal from goals.matches('m') order by 1, 2;
select goals.forget_user('BOB@X.ORG') > 0 as forgotten;

-- The same without an index that finds the key, and in partitions.
alter table users drop constraint users_pkey;
select goals.record_sent('m', 'ANNA@x.ORG') is not null as sent;
create table members (email citext, region text, plan text, primary key (email, region)) partition by list (region);
create table members_eu partition of members for values in ('eu');
create table members_us partition of members for values in ('us');
insert into members values ('Ann@X.org', 'us', 'free');
select from goals.track_users('members', 'email');
select from goals.create_message('n', users => 'members');
select from goals.set_goal('n', 'plan', 'is', 'pro', time_limit => '1 day');
select goals.record_sent('n', 'ann@x.ORG') is not null as sent;
update members set plan = 'pro', region = 'eu';
select user_key from goals.matches('n');

-- A type that another extension, or nobody's, calls citext is none.
create domain public.mine as citext;
create table others (k mine primary key, plan text);
select from goals.track_users('others');
create schema other;
create type other.citext as enum ('a');
create table no (k other.citext primary key);
select from goals.track_users('no');
