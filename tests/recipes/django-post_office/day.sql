-- mail.send() and mail.send_many() fill the queue
insert into post_office_email ("to", status, priority, template_id, message_id, created, last_updated)
select email, 2, 1, case when id % 4 = 0 then 4 else 1 end, '<w' || id || '@example.com>', clock_timestamp(),
    clock_timestamp()
from auth_user where id <= 50;
insert into post_office_email ("to", status, priority, template_id, message_id, created, last_updated)
select case when id % 2 = 0 then 'Reader <' || lower(email) || '>' else email end, 2, 0, 2,
    '<n' || id || '@example.com>', clock_timestamp(), clock_timestamp()
from auth_user where id between 20 and 65;
-- to several, to no user, to an empty list, without a template, with one that has no goal
insert into post_office_email ("to", status, priority, template_id, message_id, created, last_updated) values
    ('user51@example.org, user52@example.org', 2, 1, 1, '<s1@example.com>', clock_timestamp(), clock_timestamp()),
    ('press@example.net', 2, 1, 2, '<s2@example.com>', clock_timestamp(), clock_timestamp()),
    ('', 2, 1, 2, '<s3@example.com>', clock_timestamp(), clock_timestamp()),
    ('user53@example.org', 2, 1, null, '<s4@example.com>', clock_timestamp(), clock_timestamp()),
    ('user54@example.org', 2, 1, 3, '<s5@example.com>', clock_timestamp(), clock_timestamp());

-- send_queued_mail: most are sent, some are tried again later, some have failed for good
begin;
update post_office_email set status = 0, last_updated = clock_timestamp()
    where status = 2 and (id % 7 <> 0 or message_id = '<s2@example.com>');
update post_office_email set status = case when id % 2 = 0 then 3 else 1 end::smallint, number_of_retries = 1,
    scheduled_time = clock_timestamp(), last_updated = clock_timestamp() where status = 2;
insert into post_office_log (date, status, email_id) select clock_timestamp(), 0, id from post_office_email
    where status = 0 and message_id is not null;
insert into post_office_log (date, status, exception_type, message, email_id)
select clock_timestamp(), 1, 'SMTPServerDisconnected', 'gone', id from post_office_email where status in (1, 3);
commit;
begin;
update post_office_email set status = 0, last_updated = clock_timestamp() where status = 3;
insert into post_office_log (date, status, email_id) select clock_timestamp(), 0, id from post_office_email
    where number_of_retries = 1 and status = 0;
commit;
-- priority "now": no status, then that of the attempt
insert into post_office_email ("to", status, priority, template_id, message_id, created, last_updated) values
    ('user63@example.org', null, 3, 1, '<p1@example.com>', clock_timestamp(), clock_timestamp()),
    ('user64@example.org', null, 3, 1, '<p2@example.com>', clock_timestamp(), clock_timestamp());
update post_office_email set status = 0 where message_id = '<p1@example.com>';
update post_office_email set status = 1 where message_id = '<p2@example.com>';

-- a new template, made in the admin, and a mail by it
insert into post_office_emailtemplate (name) values ('spring sale');
insert into post_office_email ("to", status, template_id, created, last_updated)
select email, 2, 5, clock_timestamp(), clock_timestamp() from auth_user where id <= 9;
update post_office_email set status = 0 where template_id = 5;

-- webhooks: one handler logs what the provider says, another one sets the status only; `said` is the test's own record
create table said (email_id bigint, status int);
insert into post_office_log (date, status, email_id)
select clock_timestamp(), 20, id from post_office_email where message_id ~ '^<w' and status = 0 and id % 5 <> 0;
insert into post_office_log (date, status, email_id) select clock_timestamp(), 10, id from post_office_email
    where message_id ~ '^<w' and status = 0;
insert into post_office_log (date, status, email_id) select clock_timestamp(), 30, id from post_office_email
    where message_id ~ '^<w[1-3]' and status = 0;
insert into post_office_log (date, status, email_id) select clock_timestamp(), 30, id from post_office_email
    where message_id ~ '^<w[12]' and status = 0;
insert into post_office_log (date, status, email_id) select clock_timestamp(), 40, id from post_office_email
    where message_id ~ '^<w2' and status = 0;
insert into post_office_log (date, status, email_id) select clock_timestamp(), 70, id from post_office_email
    where message_id ~ '^<w(5|6|41)@' and status = 0;
insert into post_office_log (date, status, email_id) select clock_timestamp(), 60, id from post_office_email
    where message_id = '<w8@example.com>';
insert into post_office_log (date, status, email_id) select clock_timestamp(), 30, id from post_office_email
    where status = 1;
with u as (update post_office_email set recipient_delivery_status = 20 where message_id ~ '^<n' and status = 0 returning id)
insert into said select id, 20 from u;
with u as (update post_office_email set recipient_delivery_status = 30 where message_id ~ '^<n[3-4]' and status = 0 returning id)
insert into said select id, 30 from u;
with u as (update post_office_email set recipient_delivery_status = 30 where message_id ~ '^<n[3-4]' and status = 0 returning id)
insert into said select id, 30 from u;
with u as (update post_office_email set recipient_delivery_status = 40 where message_id ~ '^<n3' and status = 0 returning id)
insert into said select id, 40 from u;
with u as (update post_office_email set recipient_delivery_status = 80 where message_id ~ '^<n31@' and status = 0 returning id)
insert into said select id, 80 from u;
with u as (update post_office_email set recipient_delivery_status = 90 where message_id ~ '^<n(31|33|34)@' and status = 0 returning id)
insert into said select id, 90 from u;

select goals.roll_up();

-- users log in and order
update auth_user set last_login = clock_timestamp() where id in (1, 2, 4, 6, 8, 12, 51, 52, 61, 63, 64, 66);
update auth_user set last_login = clock_timestamp() where id in (1, 2);
insert into shop_order (user_id, total, created)
select id, id * 1.5, clock_timestamp() from auth_user where id in (3, 21, 22, 24, 33, 40, 41, 65, 67);
insert into shop_order (user_id, total, created)
    values (21, 1000, clock_timestamp()), (23, 9.99, clock_timestamp() - interval '1 day'),
        (null, 5, clock_timestamp());

-- cleanup_mail, and a user who leaves
create table cleaned as select * from post_office_email where id % 11 = 3;
create table cleaned_log as select * from post_office_log where email_id % 11 = 3;
delete from post_office_log where email_id % 11 = 3;
delete from post_office_email where id % 11 = 3;
delete from shop_order where user_id = 67;
delete from auth_user where id in (2, 67);
