-- Which rows of a campaigns table are messages, and which of them a row of a table of sends means.
create table users (id bigint primary key, plan text default 'free');
insert into users select generate_series(1, 50);
select from goals.track_users('users');
create table campaigns (id int primary key, title text, status text default 'draft', test boolean default false, sent int default 0)
    partition by range (id);
create table campaigns_1 partition of campaigns for values from (1) to (100);
create table campaigns_2 (sent int default 0, test boolean default false, title text, status text default 'draft', id int not null);
alter table campaigns attach partition campaigns_2 for values from (100) to (200);
create table mails (id bigserial primary key, campaign int references campaigns, user_id bigint);
insert into campaigns values (1, 'Draft', 'draft', false), (2, 'Sent', 'sent', false), (3, 'Test', 'sent', true), (150, 'There', 'sending', false);
select from goals.track_messages('campaigns', 'id', 'title', "only" => '{"status": ["sending", "sent"], "test": false}');
select from goals.track_receipts('mails', message => 'campaign', user_key => 'user_id');
select message from goals.message_stats order by 1;
-- by a later update, by COPY, by an upsert, with another id in another partition
update campaigns set status = 'sending' where id = 1;
copy campaigns (id, title, status) from stdin;
4	Copied	sent
5	Copied draft	draft
101	Copied there	sent
\.
insert into campaigns values (4, 'Upserted', 'sent'), (6, 'Upserted too', 'sent') on conflict (id) do update set title = excluded.title;
update campaigns set id = 160 where id = 6;
select message, m.row_key from goals.message_stats s join goals_internal.named_message n on n.name = s.message
    join goals.message m using (message_id) order by 1;
-- what happens later to the row changes nothing but the name
update campaigns set status = 'draft', test = true, title = 'Sent once' where id = 2;
insert into mails (campaign, user_id) values (2, 1), (1, 1), (150, 1), (101, 1), (3, 1), (5, 1);
select message, sent from goals.message_stats order by 1;
select problem, object from goals.health() order by 2;
-- no work for what does not matter
select count(*) from goals.message_name;
update campaigns set sent = sent + 1, title = title;
select count(*) from goals.message_name;
-- without like_message there are no goals but those set by hand
select goals.set_goal('Draft', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '7 days') > 0;
insert into mails (campaign, user_id) values (1, 2);
update users set plan = 'pro' where id <= 2;
select message, goal, sent, matched from goals.message_stats where message in ('Draft', 'Sent once') order by 1;
select count(*) as receipts_without_a_message from goals.receipt r left join goals.revision v using (revision_id)
    left join goals_internal.named_message m on m.message_id = coalesce(r.message_id, v.message_id) where m.name is null;

-- An id is one of the table that the foreign key names
create table notices (id int primary key, name text);
insert into notices values (1, 'Notice');
select from goals.track_messages('notices', 'id', 'name');
create table sent_notices (notice int references notices, user_id bigint);
create table sent_others (template int, user_id bigint);
create table others (id int primary key);
insert into others values (1);
create table sent_others_2 (template int references others, user_id bigint);
select from goals.track_receipts('sent_notices', message => 'notice', user_key => 'user_id');
select from goals.track_receipts('sent_others', message => 'template', user_key => 'user_id');
select from goals.track_receipts('sent_others_2', message => 'template', user_key => 'user_id');
insert into sent_notices values (1, 10), (1, 11);
select message, sent from goals.message_stats where message in ('Draft', 'Notice') order by 1;
-- with two tables and no foreign key it is none of them
insert into sent_others values (1, 10);
insert into sent_others_2 values (1, 10);
select problem, object, detail ~ 'sent_others ' as others, detail ~ 'sent_others_2' as others_2 from goals.health() where object = '1';
-- with one it is that, but not where the foreign key says something else
select from goals.untrack('notices');
insert into sent_others values (1, 12);
insert into sent_others_2 values (1, 12);
insert into sent_notices values (1, 12);
select message, sent from goals.message_stats where message in ('Draft', 'Notice') order by 1;
-- known_as comes after
select from goals.create_message('template 1', known_as => '1');
insert into sent_others_2 values (1, 13);
insert into sent_others values (1, 13);
select message, sent from goals.message_stats where message in ('Draft', 'Notice', 'template 1') order by 1;
-- A row before its campaign is ignored, and noted until there is one
insert into sent_others values (77, 14);
select problem, object from goals.health() where object = '77';
insert into campaigns (id, title, status) values (77, 'Late', 'sent');
select problem, object from goals.health() where object = '77';
insert into sent_others values (77, 14);
select message, sent from goals.message_stats where message = 'Late';
-- A foreign key that is added or dropped counts from then on
alter table sent_others add foreign key (template) references others not valid;
insert into others values (77);
insert into sent_others values (77, 15);
select message, sent from goals.message_stats where message = 'Late';

-- switched off, read-only, and untracked: nothing is made
set pg_goals.enabled = off;
insert into campaigns (id, title, status) values (80, 'Off', 'sent');
reset pg_goals.enabled;
select from goals.untrack('campaigns');
insert into campaigns (id, title, status) values (81, 'Untracked', 'sent');
select message from goals.message_stats where message in ('Off', 'Untracked');
select from goals.track_messages('campaigns', 'id', 'title', "only" => '{"status": ["sending", "sent"], "test": false}');
select message from goals.message_stats where message in ('Off', 'Untracked') order by 1;
-- the trigger is known to health()
alter table campaigns disable trigger user;
select problem, object from goals.health() where object = 'public.campaigns';
alter table campaigns enable trigger user;
alter table campaigns rename column title to subject;
insert into campaigns (id, subject, status) values (82, 'Renamed column', 'sent');
select problem, object from goals.health() where problem like 'broken%';
select message from goals.message_stats where message in ('82', 'Renamed column');
