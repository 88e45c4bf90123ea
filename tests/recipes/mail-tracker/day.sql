set time zone 'Australia/Sydney';
create function utc() returns timestamp language sql volatile as $$
    select date_trunc('second', clock_timestamp() at time zone 'UTC')
$$;

-- while a mail is sent: the row, with an id that is made up
insert into sent_emails (hash, headers, recipient_email, subject, opens, clicks, message_id, created_at, updated_at)
select md5('v' || id), E'From: Us <us@example.com>\r\nSubject: Verify Email Address\r\n', email,
    'Verify Email Address', 0, 0,
    gen_random_uuid(), utc(), utc()
from users where id <= 50;
insert into sent_emails (hash, headers, recipient_email, subject, opens, clicks, message_id, created_at, updated_at)
select md5('m' || id), E'From: Us <us@example.com>\r\nX-Mailable: we-miss-you\r\nTo: ' || email || E'\r\n', email,
    name || ', where are you?', 0, 0,
    gen_random_uuid(), utc(), utc()
from users where id between 31 and 72;
-- when the mailer has taken it: the mailer's id. It has refused these
update sent_emails set message_id = md5(id::text) || '@example.com', updated_at = utc()
where created_at is not null and opens = 0 and recipient_email !~ '^user(4|5|33|34|35)@';
-- the job is tried again after a refusal: that is another row
insert into sent_emails (hash, headers, recipient_email, subject, opens, clicks, message_id, created_at, updated_at)
select md5('m2' || id), E'X-Mailable: we-miss-you\r\n', email, name || ', where are you?', 0, 0, gen_random_uuid(),
    utc(), utc()
from users where id in (33, 34);
update sent_emails set message_id = md5(id::text) || '@example.com', updated_at = utc()
    where hash in (md5('m233'), md5('m234'));
-- with two recipients, two rows; one is no user. A subject that is no message
insert into sent_emails (hash, headers, recipient_email, subject, opens, clicks, message_id, created_at, updated_at)
    values
    (md5('x1'), E'X-Mailable: we-miss-you\r\n', 'user1@example.org', 'User 1, where are you?', 0, 0, gen_random_uuid(),
        utc(), utc()),
    (md5('x2'), E'X-Mailable: we-miss-you\r\n', 'press@example.com', 'User 1, where are you?', 0, 0, gen_random_uuid(),
        utc(), utc()),
    (md5('x3'), null, 'user2@example.org', 'Your invoice 2026-77', 0, 0, gen_random_uuid(), utc(), utc()),
    (md5('x4'), null, 'user3@example.org', null, 0, 0, gen_random_uuid(), utc(), utc());
update sent_emails set message_id = md5(id::text) || '@example.com'
    where hash in (select md5('x' || n) from generate_series(1, 4) n);
-- the mailer speaks of a mail once more: SES gives it its own id
update sent_emails set message_id = '0100-' || id where hash = md5('v2');
-- and of one that was on its way before
update sent_emails set message_id = '0100-' || id where hash = md5('before3');

-- a pixel and links: the first time, and counters
update sent_emails set opened_at = utc() where recipient_email ~ '^user[123]?[0-8]@' and opened_at is null;
update sent_emails set opens = opens + 1 where opened_at is not null;
update sent_emails set opens = opens + 1 where opened_at is not null;
update sent_emails set clicked_at = utc(), opened_at = coalesce(opened_at, utc()), clicks = clicks + 1
where recipient_email ~ '^user(1|11|37|38|49|50)@' and hash <> md5('x1');
insert into sent_emails_url_clicked (sent_email_id, url, hash, clicks)
select id, 'https://example.com', hash, 2 from sent_emails where clicks > 0;
-- a bounce lies in a json text
update sent_emails set meta = '{"success":false,"failures":[{"emailAddress":"user40@example.org"}]}'
    where recipient_email = 'user40@example.org';

select goals.roll_up();

update users set email_verified_at = utc(), updated_at = utc()
    where id in (1, 4, 8, 11, 21, 33, 49, 60) or id in (7, 14);
update lessons set finished_at = utc() where user_id in (31, 33, 38, 40, 71, 75) and course = 'guitar';
update lessons set finished_at = utc() where user_id in (32, 34) and id % 4 = 1;
update lessons set finished_at = utc() where user_id in (34, 35, 36) and course = 'piano';
-- one is not finished after all, one is finished twice
update lessons set finished_at = null where user_id = 32 and id % 4 = 1;
update lessons set finished_at = utc() + interval '1 second' where user_id = 34 and id % 4 = 1;

-- old mail is removed, and a user
create table expired as select * from sent_emails where id % 10 = 5;
delete from sent_emails where id % 10 = 5;
create table left_lessons as select * from lessons where user_id = 31;
delete from users where id = 31;
