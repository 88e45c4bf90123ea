set time zone 'UTC';

-- ahoy_email writes a row after each delivery
insert into ahoy_messages (user_type, user_id, "to", mailer, subject, sent_at, campaign, token)
select 'User', id, email, 'TrialMailer#ends_soon', 'Your trial ends soon', clock_timestamp(), 'trial', 'a' || id
from users where id <= 50;
-- a mail sent nine days ago, logged today: its week is over
insert into ahoy_messages (user_type, user_id, "to", mailer, sent_at, campaign, token)
select 'User', id, email, 'TrialMailer#ends_soon', clock_timestamp() - interval '9 days', 'trial', 'b' || id
from users where id between 51 and 54;
insert into ahoy_messages (user_type, user_id, "to", mailer, sent_at, campaign, token)
select 'User', id, email, 'DigestMailer#weekly', clock_timestamp(), null, 'c' || id from users where id % 2 = 0;
-- admins have ids of users; a mail to no record; one of a mailer that has no message; a mailer without a name
insert into ahoy_messages (user_type, user_id, mailer, sent_at, token)
select 'Admin', id, 'TrialMailer#ends_soon', clock_timestamp(), 'd' || id from admins;
insert into ahoy_messages ("to", mailer, sent_at, token) values
    ('press@example.org', 'DigestMailer#weekly', clock_timestamp(), 'e1');
insert into ahoy_messages (user_type, user_id, mailer, sent_at, token) values
    ('User', 7, 'PasswordMailer#reset', clock_timestamp(), 'e2'), ('User', 8, null, clock_timestamp(), 'e3');

-- clicks: the gem fills clicked_at at the first, and logs each
update ahoy_messages set clicked_at = clock_timestamp() where token in ('a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'c2', 'c4');
insert into ahoy_clicks (campaign, token) select 'trial', 'a' || n from generate_series(1, 6) n;
insert into ahoy_clicks (campaign, token) values ('trial', 'a1'), ('trial', 'a1');
-- by a job on a server elsewhere
set time zone 'Pacific/Auckland';
update ahoy_messages set clicked_at = clock_timestamp() at time zone 'UTC' where token in ('a7', 'c6');
-- a digest of 47 hours ago
insert into ahoy_messages (user_type, user_id, "to", mailer, sent_at, campaign, token)
select 'User', id, email, 'DigestMailer#weekly', clock_timestamp() at time zone 'UTC' - interval '47 hours', null,
    'g' || id
from users where id in (5, 7);
insert into ahoy_messages (user_type, user_id, "to", mailer, sent_at, campaign, token)
select 'User', id, email, 'TrialMailer#ends_soon', clock_timestamp() at time zone 'UTC', 'trial', 'f' || id
from users where id between 55 and 58;

select goals.roll_up();

-- what the users do, on a server elsewhere too
set time zone 'Asia/Tokyo';
insert into ahoy_events (user_id, name, properties, time)
select id, 'Subscribed',
    jsonb_build_object('plan', case when id % 2 = 0 then 'pro' else 'team' end, 'amount', id + 0.5),
    clock_timestamp() at time zone 'UTC'
from users where id in (1, 2, 3, 5, 8, 13, 21, 34, 52, 55, 60);
set time zone 'UTC';
insert into ahoy_events (user_id, name, properties, time) values
    (1, 'Subscribed', '{"plan": "team", "amount": 100}', clock_timestamp()),
    (9, 'Subscribed', '{"plan": "pro"}', clock_timestamp()),
    (10, 'Subscribed', '{"plan": "pro", "amount": 7}', clock_timestamp() - interval '3 hours'),
    (null, 'Subscribed', '{"plan": "pro", "amount": 9}', clock_timestamp()),
    (11, 'Viewed pricing', '{}', clock_timestamp());
insert into ahoy_events (user_id, name, properties, time)
select id, 'Viewed article', jsonb_build_object('id', id % 3), clock_timestamp() from users where id between 2 and 9;
insert into ahoy_events (user_id, name, properties, time)
select id, 'Viewed article', '{"id": 4}', clock_timestamp() from users where id between 4 and 8;
update users set plan = 'pro' where id in (2, 9);

-- a user leaves, and so do the messages of a month
delete from users where id = 5;
create table ahoy_messages_archive as select * from ahoy_messages
    where user_type = 'User' and user_id between 20 and 24;
delete from ahoy_messages where user_type = 'User' and user_id between 20 and 24;
