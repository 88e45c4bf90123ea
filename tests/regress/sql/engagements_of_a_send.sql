-- Opens, clicks and the rest in tables of their own, whose rows refer to the send: by a foreign key, or to the table named as sends.
create table users (id bigint primary key, plan text default 'free');
insert into users select n from generate_series(1, 20) n;
create table sends (id bigserial primary key, message text, user_id bigint, sent_at timestamptz, failed_at timestamptz);
select from goals.track_users('users');
create table opens (send_id bigint references sends, at timestamptz default clock_timestamp(), bot boolean default false);
create table webhook (id bigserial primary key, send_id int, event text, at timestamp);
-- The table of sends has to be tracked first.
select goals.track_engagements('opens', 'opened', send => 'send_id', at => 'at');
select from goals.track_receipts('sends', 'message', 'user_id', 'sent_at', failed_at => 'failed_at');
select from goals.track_engagements('opens', 'opened', send => 'send_id', at => 'at', "only" => '{"bot": false}');
select from goals.track_engagements('webhook', 'event', send => 'send_id', sends => 'sends', at => 'at', time_zone => 'UTC',
    kinds => '{"open": "opened", "click": "clicked", "spamreport": "complained", "delivered": "delivered", "bounce": "bounced", "unsubscribe": "unsubscribed"}');
select kind, key_column, options - 'sends' as options from goals.source where kind = 'engagements' order by source_id;
select from goals.create_message('m');
select from goals.create_message('other');
select count(goals.set_goal(m, 'plan', 'is', 'pro', '7 days')) from unnest(array['m', 'other']) m;
insert into sends (message, user_id, sent_at) select 'm', n, now() - interval '1 day' from generate_series(1, 12) n;
-- A newer send to the same user: what happens belongs to the one that is referred to.
insert into sends (message, user_id, sent_at) values ('m', 1, now() - interval '1 hour'), ('other', 1, now() - interval '1 hour');

insert into opens (send_id, at) values (1, now()), (1, now() - interval '2 hours'), (2, now() - interval '1 day'), (3, now() - interval '3 days');
insert into opens (send_id, bot) values (4, true), (null, false);
insert into webhook (send_id, event, at) values (1, 'click', now() at time zone 'UTC'), (5, 'open', now() at time zone 'UTC'), (5, 'processed', now() at time zone 'UTC'),
    (6, 'delivered', now() at time zone 'UTC'), (6, 'spamreport', now() at time zone 'UTC'), (7, 'bounce', now() at time zone 'UTC'),
    (8, 'unsubscribe', now() at time zone 'UTC'), (9, null, now() at time zone 'UTC'), (10, 'open', null), (null, 'open', now() at time zone 'UTC');
create view by_rows as
with happened as (
    select send_id, 'opened' as kind, at from opens where not bot and send_id is not null
    union all select send_id, case event when 'open' then 'opened' when 'click' then 'clicked' when 'spamreport' then 'complained' when 'bounce' then 'bounced'
        when 'unsubscribe' then 'unsubscribed' when 'delivered' then 'delivered' end, at at time zone 'UTC' from webhook where at is not null)
select s.id, s.message, s.user_id, min(greatest(at, sent_at)) filter (where kind in ('opened', 'clicked')) as opened_at, min(greatest(at, sent_at)) filter (where kind = 'clicked') as clicked_at,
    count(*) filter (where kind = 'complained') > 0 as complained, count(*) filter (where kind = 'bounced') > 0 as bounced, count(*) filter (where kind = 'unsubscribed') > 0 as unsubscribed
from sends s left join happened h on h.send_id = s.id where s.sent_at is not null and s.failed_at is null group by 1;
create view by_facts as
select o.message, o.user_key::bigint as user_id, o.sent_at, o.opened_at, o.clicked_at,
    exists (select from goals.engagement e where e.receipt_id = o.receipt_id and e.kind = 'p') as complained,
    exists (select from goals.engagement e where e.receipt_id = o.receipt_id and e.kind = 'b') as bounced,
    exists (select from goals.engagement e where e.receipt_id = o.receipt_id and e.kind = 'u') as unsubscribed
from goals.outcome o;
create view differences as
select 'rows' as only_in, * from (select message, user_id, opened_at, clicked_at, complained, bounced, unsubscribed from by_rows except all
    select message, user_id, opened_at, clicked_at, complained, bounced, unsubscribed from by_facts) a
union all
select 'facts', * from (select message, user_id, opened_at, clicked_at, complained, bounced, unsubscribed from by_facts except all
    select message, user_id, opened_at, clicked_at, complained, bounced, unsubscribed from by_rows) b;
select * from differences;
select message, sent, delivered, bounced, opened, clicked, complained, unsubscribed from goals.message_stats order by 1;

-- What is filled in later makes a row complete: the time, the send, the kind, what "only" asks for. Another kind has happened as well.
update webhook set at = now() at time zone 'UTC' where send_id = 10;
update webhook set send_id = 11 where send_id is null;
update webhook set event = 'open' where send_id = 9;
update webhook set event = 'click' where send_id = 5 and event = 'processed';
update opens set bot = false, send_id = 12 where bot;
update webhook set at = at where send_id = 9;
select * from differences;
select kind, count(*) from goals.engagement group by 1 order by 1;
update webhook set event = 'click' where send_id = 9;
select kind, count(*) from goals.engagement group by 1 order by 1;

-- A failed send, and the second attempt, which the row is from then on.
update sends set failed_at = now() where id = 2;
insert into opens (send_id, at) values (2, now());
select count(*) from goals.outcome where user_key = '2';
update sends set failed_at = null where id = 2;
select opened_at from goals.outcome where user_key = '2';
insert into opens (send_id, at) values (2, now() - interval '1 minute');
select opened_at < now() - interval '50 seconds' as opened from goals.outcome where user_key = '2';
-- The row of the send may change what it names, or its key, or be gone.
update sends set user_id = 20 where id = 3;
update sends set id = 103 where id = 4;
insert into webhook (send_id, event, at) values (3, 'click', now()), (103, 'click', now());
delete from webhook where send_id in (6, 7); delete from opens where send_id = 6; delete from sends where id in (6, 7);
insert into webhook (send_id, event, at) values (6, 'click', now()), (7, 'click', now());
select user_key from goals.outcome where clicked_at is not null order by user_key::int, receipt_id;

-- uuid and text keys; a send that was no receipt; a table whose foreign key is on another column.
create table mails (id uuid primary key, number int unique, message text, who text);
create table mail_opens (mail uuid references mails, mail_number int references mails (number), mail_text text);
select from goals.track_receipts('mails', 'message', 'who');
select from goals.track_engagements('mail_opens', 'clicked', send => 'mail');
insert into mails values ('0e37df36-f698-11e6-8dd4-cb9ced3df976', 1, 'm', '15'), ('0e37df36-f698-11e6-8dd4-cb9ced3df977', 2, 'unmeasured', '16');
insert into mail_opens (mail) values ('0E37DF36-F698-11E6-8DD4-CB9CED3DF976'), ('0e37df36-f698-11e6-8dd4-cb9ced3df977');
select clicked_at is not null as clicked from goals.outcome where user_key = '15';
select problem, object, hint from goals.health() where problem = 'skipped engagements';
select goals.track_engagements('mail_opens', 'clicked', send => 'mail_number');
select goals.track_engagements('mail_opens', 'clicked', send => 'mail_text', sends => 'mails');
select goals.track_engagements('mail_opens', 'clicked', send => 'mail', sends => 'sends');
select goals.track_engagements('mail_opens', 'clicked', send => 'mail', sends => 'users');
select goals.track_engagements('mail_opens', 'clicked', send => 'mail_text');
select goals.track_engagements('mail_opens', 'clicked', send => 'mail', message => 'mail_text');
select goals.track_engagements('mail_opens', 'clicked', message => 'mail_text');
select goals.track_engagements('mail_opens', 'clicked');
select goals.track_engagements('mail_opens', null, send => 'mail');
select goals.track_engagements('mail_opens', 'read', send => 'mail');
select goals.track_engagements('mail_opens', 'mail_text', send => 'mail');
select goals.track_engagements('mail_opens', 'no column', send => 'mail', kinds => '{"open": "opened"}');
select goals.track_engagements('mail_opens', 'mail_text', send => 'mail', kinds => '{"open": "read"}');
select goals.track_engagements('mail_opens', 'mail_text', send => 'mail', kinds => '{"open": 1}');
select goals.track_engagements('mail_opens', 'mail_text', send => 'mail', kinds => '["open"]');
select goals.track_engagements('mail_opens', 'mail_text', send => 'mail', kinds => '{}');
select goals.track_engagements('mail_opens', 'mail_number', send => 'mail', kinds => '{"open": "opened"}');
select goals.track_engagements('sends', 'opened', send => 'id', sends => 'sends');
-- A column of texts may refer to numbers and uuids, in any spelling.
create table by_text (send text, mail text);
select from goals.track_engagements('by_text', 'opened', send => 'send', sends => 'sends');
select from goals.track_engagements('by_text', 'clicked', send => 'mail', sends => 'mails');
insert into mails values ('0e37df36-f698-11e6-8dd4-cb9ced3df978', 3, 'm', '17');
insert into by_text values ('014', null), (null, '{0E37DF36F69811E68DD4CB9CED3DF978}'), ('x', 'y');
select message, user_key, opened_at is not null as opened, clicked_at is not null as clicked
from goals.outcome where message = 'other' or user_key = '17' order by 1;
create table two_keys (a int, b int, message text, who int, primary key (a, b));
select from goals.track_receipts('two_keys', 'message', 'who');
create table parts (a int, b int);
select goals.track_engagements('parts', 'clicked', send => 'a', sends => 'two_keys');
select goals.track_engagements('parts', 'clicked', send => 'a', user_by => 'plan', sends => 'sends');
select * from goals.verify();
