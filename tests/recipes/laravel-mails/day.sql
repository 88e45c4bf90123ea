set time zone 'Asia/Tokyo';
create function utc() returns timestamp language sql volatile as $$
    select date_trunc('second', clock_timestamp() at time zone 'UTC')
$$;
create table mailed (user_id bigint, email text);
insert into mailed select id, email from users;

-- the row is written while a mail is sent, and sent_at when the mailer has taken it
insert into mails (uuid, mailer, mail_class, subject, "to", created_at, updated_at)
select 'v-' || id, 'postmark', 'Illuminate\Auth\Notifications\VerifyEmail', 'Verify', jsonb_build_object(email, null),
    utc(), utc()
from users where id <= 60;
insert into mails (uuid, mailer, mail_class, subject, "to", created_at, updated_at)
select 'c-' || id, 'postmark', 'App\Mail\CartReminder', name || ', your cart', jsonb_build_object(email, name),
    utc(), utc()
from users where id <= 40;
update mails set sent_at = utc(), updated_at = utc() where uuid ~ '^[vc]-' and uuid not in ('v-7', 'c-7', 'c-8', 'c-9');
-- four attempts failed; for two the job is tried again, and that is another mail
insert into mails (uuid, mailer, mail_class, subject, "to", created_at, updated_at)
select 'c2-' || id, 'postmark', 'App\Mail\CartReminder', name || ', your cart', jsonb_build_object(email, name),
    utc(), utc()
from users where id in (7, 8);
update mails set sent_at = utc(), updated_at = utc() where uuid ~ '^c2-';
-- to several, to an address of no user, a raw mail without a class, one without an address, one of a class without a
-- message
insert into mails (uuid, mailer, mail_class, "to", cc, created_at, updated_at) values
    ('m-1', 'postmark', 'App\Mail\CartReminder', '{"user51@example.org": null, "longer.address@example.org": "x"}',
     '{"user52@example.org": null}', utc(), utc()),
    ('m-2', 'postmark', 'App\Mail\CartReminder', '{"press@example.com": null}', null, utc(), utc()),
    ('m-3', 'postmark', null, '{"user53@example.org": null}', null, utc(), utc()),
    ('m-4', 'postmark', 'App\Mail\CartReminder', '[]', null, utc(), utc()),
    ('m-5', 'postmark', 'App\Mail\Receipt', '{"user53@example.org": null}', null, utc(), utc());
update mails set sent_at = utc(), updated_at = utc() where uuid ~ '^m-';
-- mails of ten days ago, copied from another log
insert into mails (uuid, mailer, mail_class, "to", sent_at, created_at, updated_at)
select 'o-' || id, 'postmark', 'App\Mail\CartReminder', jsonb_build_object(email, name), utc() - interval '10 days',
    utc(), utc()
from users where id in (35, 36);
insert into mails (uuid, mailer, mail_class, "to", sent_at, created_at, updated_at)
select 'o-' || id, 'postmark', 'App\Mail\CartReminder', jsonb_build_object(email, name), utc() - interval '71 hours',
    utc(), utc()
from users where id = 40;

-- a user changes the address, and gets a mail there
update users set email = 'new11@example.org' where id = 11;
insert into mailed values (11, 'new11@example.org');
insert into mails (uuid, mailer, mail_class, "to", created_at, updated_at)
values ('n-11', 'postmark', 'Illuminate\Auth\Notifications\VerifyEmail', '{"new11@example.org": null}', utc(), utc());
update mails set sent_at = utc() where uuid = 'n-11';

-- the webhooks: each is an event, and sets the latest time of its kind on the mail
insert into mail_events (mail_id, type, occurred_at)
select id, 'delivered', utc() from mails where uuid ~ '^[vc]2?-' and sent_at is not null and id % 9 <> 0;
update mails set delivered_at = utc() where id in (select mail_id from mail_events where type = 'delivered');
insert into mail_events (mail_id, type, occurred_at) select id, 'hard_bounced', utc() from mails
    where uuid in ('v-3', 'c-3', 'c-18');
update mails set hard_bounced_at = utc() where uuid in ('v-3', 'c-3', 'c-18');
insert into mail_events (mail_id, type, occurred_at) select id, 'soft_bounced', utc() from mails where uuid in ('v-4');
update mails set soft_bounced_at = utc() where uuid in ('v-4');
insert into mail_events (mail_id, type, occurred_at)
select id, 'opened', utc() from mails where uuid ~ '^[vc]2?-[1-3]' and sent_at is not null;
update mails set last_opened_at = utc(), opens = opens + 1
    where id in (select mail_id from mail_events where type = 'opened');
insert into mail_events (mail_id, type, occurred_at) select id, 'clicked', utc() from mails where uuid ~ '^c-1';
update mails set last_clicked_at = utc(), clicks = clicks + 1 where uuid ~ '^c-1';
-- opened once more, and one that was only clicked
insert into mail_events (mail_id, type, occurred_at) select id, 'opened', utc() from mails where uuid ~ '^c-2';
update mails set last_opened_at = utc() + interval '1 minute', opens = opens + 1 where uuid ~ '^c-2';
insert into mail_events (mail_id, type, occurred_at) select id, 'clicked', utc() from mails
    where uuid in ('c-5', 'v-50');
update mails set last_clicked_at = utc(), clicks = clicks + 1 where uuid in ('c-5', 'v-50');
insert into mail_events (mail_id, type, occurred_at) select id, 'complained', utc() from mails where uuid = 'c-12';
update mails set complained_at = utc() where uuid = 'c-12';
insert into mail_events (mail_id, type, occurred_at) select id, 'unsubscribed', utc() from mails
    where uuid in ('c-12', 'c-13');
update mails set unsubscribed_at = utc() where uuid in ('c-12', 'c-13');

select goals.roll_up();

-- addresses are verified, and orders are paid
update users set email_verified_at = utc() where id in (1, 2, 7, 11, 16, 20, 59, 61, 62) and email_verified_at is null;
update users set email_verified_at = utc() + interval '1 second' where id in (2, 5);
update orders set paid_at = utc() where user_id in (1, 3, 7, 9, 11, 35, 36, 40);
insert into orders (user_id, total, paid_at) values (1, 500, utc()), (51, 20, utc()), (52, 30, utc()), (69, 40, utc());

-- mails are pruned, and a user leaves
create table pruned as select * from mails where id % 10 = 1;
create table pruned_events as select * from mail_events where mail_id % 10 = 1;
delete from mails where id % 10 = 1;
delete from users where id = 16;
