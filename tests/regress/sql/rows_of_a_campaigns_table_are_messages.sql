-- A campaign made on an admin page is measured with nothing called: each row of its table is a message.
\set SHOW_CONTEXT never
create table users (id bigint primary key, plan text default 'free', n int default 0);
insert into users select generate_series(1, 400);
select from goals.track_users('users');
create table campaigns (id bigserial primary key, title text, channel text, state text default 'ready', sent int default 0);
create table mails (id bigserial primary key, campaign_id bigint references campaigns, user_id bigint,
    sent_at timestamptz default clock_timestamp(), opened_at timestamptz);
insert into campaigns (title, channel) values ('Old one', 'e-mail'), ('Old two', null);
select from goals.create_message('like this', channel => 'push');
select from goals.set_goal('like this', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '7 days');
select from goals.track_messages('campaigns', id => 'id', name => 'title', like_message => 'like this', channel => 'channel');
select from goals.track_receipts('mails', message => 'campaign_id', user_key => 'user_id', sent_at => 'sent_at',
    opened_at => 'opened_at');
-- rows that exist are messages, and the table is tracked again without making others
select from goals.track_messages('campaigns', id => 'id', name => 'title', like_message => 'like this', channel => 'channel');
select name, kind from goals_internal.named_message order by message_id;

insert into campaigns (title) values ('Spring'), ('Summer');
insert into mails (campaign_id, user_id) select c.id, u from campaigns c, generate_series(1, 20) u where c.title = 'Spring';
insert into mails (campaign_id, user_id) select c.id, u from campaigns c, generate_series(11, 40) u where c.title = 'Old one';
update mails set opened_at = clock_timestamp() where user_id in (3, 15);
update users set plan = 'pro' where id % 5 = 0;

-- The figures, and the same from the application's own tables
create view plain as
select c.title as message, count(m.id) as sent, count(m.opened_at) as opened, count(*) filter (where u.plan = 'pro') as matched
from campaigns c left join mails m on m.campaign_id = c.id left join users u on u.id = m.user_id group by c.title;
select message, sent, opened, matched from goals.message_stats where goal = 'primary' and message <> 'like this' order by 1;
(table plain except select message, sent, opened, matched from goals.message_stats where goal = 'primary')
union all (select message, sent, opened, matched from goals.message_stats where goal = 'primary' and message <> 'like this' except table plain);
select message, sent from goals.message_stats where message = 'like this';
select goal, sent, matched, in_progress from goals.stats('Spring');
select goals.roll_up() > 0;
select message, sent, opened, matched from goals.message_stats where goal = 'primary' and sent > 0 order by 1;
select * from goals.verify();
select count(*) from goals.outcome where message = 'Spring';
select user_key from goals.matches('Spring') order by user_key::int;
select verdict from goals.explain('Spring', 5::bigint);
select day is not null as day, sent, matched from goals.daily('Spring');
select sum(matched) from goals.daily_since_sending('Spring');
select variant, users, matched from goals.compare('Spring', include_running => true);
select message, matched from goals.attribution() order by 1;
select goals.report_data('Spring') #>> '{message,name}' as name, goals.report_data('Spring') #>> '{message,channel}' as channel,
    goals.report_data('Spring') #>> '{goals,0,matched}' as matched;
select goals.report_data('Old one') #>> '{message,channel}' as channel;
select length(goals.report('Spring')) > 1000;
select * from goals.stats_bar('Spring') limit 3;
select problem, object from goals.health();

-- Calls by the name
select goals.record_sent('Spring', 50::bigint) > 0 as sent;
select from goals.record_opened('Spring', 50::bigint);
select receipt_id > 0, variant, send from goals.deliver('Spring', 51::bigint);
select * from goals.record_engagements(jsonb_build_array(jsonb_build_object('message', 'Spring', 'user', 51, 'kind', 'clicked'),
    jsonb_build_object('message', 'Autumn', 'user', 51, 'kind', 'clicked')));
select sent, opened, clicked from goals.message_stats where message = 'Spring';
select goals.record_sent('Sprung', 1::bigint);
select * from goals.stats('Sprung');

-- Renamed: the message is called as its row is
update campaigns set title = 'Spring sale' where title = 'Spring';
insert into mails (campaign_id, user_id) select c.id, 60 from campaigns c where c.title = 'Spring sale';
select message, sent from goals.message_stats where message like 'Spring%';
select sent from goals.stats('Spring sale');
select goals.record_sent('Spring', 1::bigint);
select from goals.rename_message('Spring sale', 'x');
-- and back, without a name, and with one that is too long
update campaigns set title = 'Spring' where title = 'Spring sale';
update campaigns set title = null where title = 'Summer';
update campaigns set title = repeat('x', 1001) where title = 'Old two';
update campaigns set title = ' ' where title = 'Old one';
select name from goals_internal.named_message order by message_id;
update campaigns set title = 'Summer' where title is null;
update campaigns set title = 'Old two' where length(title) > 1000;
update campaigns set title = 'Old one' where title = ' ';

-- Of one name: the one that came later has its id behind the name
insert into campaigns (title) values ('Spring'), ('like this');
insert into mails (campaign_id, user_id) select max(id) - 1, 70 from campaigns;
select message, sent from goals.message_stats where message like 'Spring%' or message like 'like%' order by 1;
select sent from goals.stats('Spring (5)');
select goals.record_sent('Spring (5)', 71::bigint) > 0, goals.record_sent('Spring', 71::bigint) > 0;
select message, sent from goals.message_stats where message like 'Spring%' order by 1;
select goals.record_sent('Spring (3)', 71::bigint);
-- a message that is created later takes the name of a campaign
update campaigns set title = 'Midsummer' where title = 'Summer';
select from goals.create_message('Summer');
update campaigns set title = 'Summer' where title = 'Midsummer';
-- A name that a campaign has is taken
select from goals.create_message('Spring');
select goals.create_message('Spring', if_not_exists => true) = (select message_id from goals_internal.named_message where name = 'Spring') as the_campaign;
select from goals.rename_message('Summer', 'Spring');
select message from goals.message_stats where message like 'Summer%' order by 1;
select from goals.drop_message('Summer');
select message from goals.message_stats where message like 'Summer%' order by 1;

-- A goal that is set on like_message counts for later receipts of all campaigns
select from goals.set_goal('like this', attribute => 'n', operator => 'is increased', time_limit => '7 days', goal => 'n');
insert into mails (campaign_id, user_id) select c.id, 80 from campaigns c where c.title in ('Summer', 'Old two');
update users set n = n + 1 where id in (1, 80);
select message, goal, sent, matched from goals.message_stats where message in ('Spring', 'Summer', 'Old two') order by 1, 2;
-- One set on the campaign by hand replaces them
select goals.set_goal('Summer', event => 'order', time_limit => '7 days', goal => 'order') > 0;
insert into mails (campaign_id, user_id) select c.id, 81 from campaigns c where c.title in ('Summer', 'Old two');
select from goals.record_event(81::bigint, 'order');
update users set n = n + 1 where id = 81;
select message, goal, sent, matched from goals.message_stats where message in ('Summer', 'Old two') order by 1, 2;
select goal, matched from goals.stats('Summer', 'order');
select jsonb_path_query_array(goals.report_data('Summer'), '$.goals[*].name');
select from goals.stop_goal('Summer', 'n');
select from goals.stop_goal('Old two', 'n');
select from goals.stop_goal('Summer', 'order');
insert into mails (campaign_id, user_id) select c.id, 82 from campaigns c where c.title = 'Summer';
update users set n = n + 1 where id = 82;
select goal, sent, matched from goals.message_stats where message = 'Summer' order by 1;
select from goals.drop_message('like this');

-- Deleted, the row keeps its message; inserted again, it is the same one
delete from mails where campaign_id = 1;
delete from campaigns where id = 1;
select sent, matched from goals.message_stats where message = 'Old one' and goal = 'primary';
insert into campaigns (id, title) values (1, 'Old one again');
insert into mails (campaign_id, user_id) values (1, 90);
select message, sent from goals.message_stats where message like 'Old one%' and goal = 'primary';
select count(*) from goals.message where row_key = '1';

-- Rolled back, it never was
begin;
insert into campaigns (id, title) values (100, 'Never');
insert into mails (campaign_id, user_id) values (100, 1), (100, 2);
savepoint s;
insert into campaigns (id, title) values (101, 'Never either');
insert into mails (campaign_id, user_id) values (101, 1);
rollback to s;
insert into campaigns (id, title) values (101, 'At last');
insert into mails (campaign_id, user_id) values (101, 1), (101, 2), (101, 3);
select message, sent from goals.message_stats where (message like 'Never%' or message like 'At%') and goal = 'primary';
rollback;
insert into campaigns (id, title) values (100, 'Now'), (101, 'Then');
insert into mails (campaign_id, user_id) values (100, 4), (101, 5);
select message, sent from goals.message_stats where message in ('Now', 'Then') and goal = 'primary';
select count(*) from goals.receipt r where r.message_id is not null and not exists (select from goals.message m where m.message_id = r.message_id);

-- Dropped for good, whatever happens to its row
select from goals.drop_message('Now');
select * from goals.stats('Now');
insert into mails (campaign_id, user_id) values (100, 6);
select problem, object from goals.health();
select goals.roll_up() > 0;
select count(*) from goals.receipt r join goals.message m using (message_id) where m.row_key = '100';
update campaigns set title = 'Now again' where id = 100;
select goals.roll_up();
select message from goals.message_stats where message like 'Now%';
select * from goals.verify();
-- purge() leaves the figures of each campaign as they are
create table before_purge as
select message, goal, sent, opened, clicked, matched, already_matched from goals.message_stats;
select goals.purge('infinity') > 0 as purged;
(select message, goal, sent, opened, clicked, matched, already_matched from goals.message_stats
 except table before_purge)
union all (table before_purge
           except select message, goal, sent, opened, clicked, matched, already_matched from goals.message_stats);
select * from goals.verify();
