-- A row of a campaigns table has the variants, the control group and the programme of the message that it is like.
create table users (id bigint primary key, plan text default 'free');
insert into users select generate_series(1, 2000);
select from goals.track_users('users');
create table campaigns (id uuid primary key, title text);
create table mails (id bigserial primary key, campaign uuid, user_id bigint, arm text);
select from goals.create_message('any', kind => 'one_off');
select from goals.add_variant('any', 'a');
select from goals.add_variant('any', 'b');
select from goals.set_control_group('any', 0.2);
select from goals.set_goal('any', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '7 days');
select from goals.track_messages('campaigns', 'id', name => 'title', like_message => 'any');
select from goals.track_receipts('mails', message => 'campaign', user_key => 'user_id', variant => 'arm');
insert into campaigns values ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 'First'), ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 'Second');
select row_key, seed, kind from goals.message where row_key is not null order by 1;

-- Each deals the users out itself, and holds back as many
create table dealt as select id, goals.assign('First', id) as first, goals.assign('Second', id) as second,
    goals.assign('any', id) as of_any from users;
select first, count(*) between 280 and 480 as about_a_fifth from dealt where first = 'control' group by 1;
select count(*) between 40 and 120 as a_fifth_of_a_fifth from dealt where first = 'control' and second = 'control';
select count(*) between 40 and 120 as a_fifth_of_a_fifth from dealt where first = 'control' and of_any = 'control';

insert into mails (campaign, user_id, arm) select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', id, first from dealt where id <= 1000;
update users set plan = 'pro' where id % 4 = 0 and id in (select id from dealt where first <> 'control') or id % 10 = 0;
select variant, users, matched from goals.compare('First', include_running => true);
select variant, count(*), count(*) filter (where plan = 'pro') from (select d.first as variant, u.plan from dealt d join users u using (id) where id <= 1000) x
group by 1 order by variant = 'control', 1;
select variant, sent, matched from goals.variant_stats where message = 'First' order by 1;
select message, variant, sent from goals.variant_stats where message <> 'First' order by 1, 2;
select verdict, count(*) from generate_series(1, 100) u, goals.explain('First', u::bigint) group by 1 order by 1;
-- one_off as the message that it is like
select goals.record_sent('Second', 1001::bigint) = goals.record_sent('Second', 1001::bigint) as the_same;
select problem, object from goals.health();
-- health() knows whom it holds back
insert into mails (campaign, user_id, arm) select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', id, case second when 'a' then 'b' else 'a' end
from dealt where id between 1500 and 1520;
insert into mails (campaign, user_id, arm) select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', id, 'a' from dealt where id between 1500 and 1520;
select problem, object from goals.health();
-- Variants are those of that message
select from goals.add_variant('First', 'c');
select from goals.set_control_group('First', 0.1);
select from goals.add_variant('any', 'c');
insert into mails (campaign, user_id, arm) values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1800, 'c');
select problem, object from goals.health() where problem = 'unknown variant';
select from goals.track_receipts('mails', message => 'campaign', user_key => 'user_id', variant => 'arm');

-- So is what counts as an open of a machine
select from goals.create_message('quick', engagement_after => '10 seconds');
create table notices (id int primary key);
select from goals.track_messages('notices', 'id', like_message => 'quick');
insert into notices values (1);
select goals.record_sent('1', 1::bigint, sent_at => '2026-01-01 12:00+00') > 0 as sent;
select from goals.record_opened('1', 1::bigint, opened_at => '2026-01-01 12:00:05+00');
select sent, opened, opened_by_machine from goals.message_stats where message = '1';

-- The programme
select from goals.create_message('all mail', kind => 'programme');
select from goals.set_control_group('all mail', 0.5);
select from goals.create_message('newsletter', part_of => 'all mail');
create table newsletters (id int primary key, subject varchar(50));
select from goals.track_messages('newsletters', 'id', 'subject', like_message => 'newsletter');
create table issues (newsletter int references newsletters, user_id bigint);
select from goals.track_receipts('issues', message => 'newsletter', user_key => 'user_id');
insert into newsletters values (1, 'May'), (2, 'June');
insert into issues select 1, id from users where id <= 100 and goals.assign('May', id) is distinct from 'held out';
insert into issues select 2, id from users where id <= 100 and goals.assign('June', id) is distinct from 'held out';
select message, sent > 30 as sent from goals.message_stats where message in ('all mail', 'May', 'June', 'newsletter') order by 1;
select (select sent from goals.message_stats where message = 'May') = count(distinct user_id) from issues where newsletter = 1;
select count(distinct user_key) = (select count(distinct user_id) from issues) as entered_once, count(*) = count(distinct user_key) as each
from goals.receipt where flags & 2 = 2;
select stats_bar ~ 'May' as may, stats_bar ~ 'June' as june from goals.stats_bar('all mail') where stats_bar ~ 'May|June';
select jsonb_path_query_array(goals.report_data('all mail'), '$.parts[*].name');
select from goals.drop_message('newsletter');

-- What is refused
select from goals.track_messages('newsletters', 'id', 'subject', like_message => 'all mail');
select from goals.track_messages('newsletters', 'id', 'subject', like_message => 'May');
select from goals.track_messages('newsletters', 'id', 'subject', like_message => 'nothing');
select from goals.track_messages('newsletters', 'number');
select from goals.track_messages('newsletters', null);
select from goals.track_messages('newsletters', 'id', 'subject', "only" => '{"subject": 1}');
select from goals.track_messages('newsletters', 'id', 'subject', "only" => '{"state": 1}');
select from goals.track_messages('issues', 'newsletter');
select from goals.track_messages('users', 'id');
create view shown as select * from newsletters;
select from goals.track_messages('shown', 'id');
create table people (id bigint primary key);
select from goals.track_users('people');
select from goals.track_messages('newsletters', 'id', 'subject', like_message => 'any', users => 'people');
create table loose (id int, title text);
select from goals.track_messages('loose', 'id', 'title');
select from goals.track_messages('loose', 'id', 'title', users => 'people');
select problem, object from goals.health() where problem <> 'users in two variants';
