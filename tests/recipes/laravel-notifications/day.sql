-- Laravel does not set the time zone of its sessions
set time zone 'Asia/Tokyo';
-- what PHP writes: UTC, cut to the second
create function utc() returns timestamp language sql volatile as $$ select
    date_trunc('second', clock_timestamp() at time zone 'UTC') $$;

insert into notifications (id, type, notifiable_type, notifiable_id, data, created_at, updated_at)
select gen_random_uuid(), 'App\Notifications\TrialEnding', 'App\Models\User', id, '{"days": 3}', utc(), utc()
    from users where id <= 50;
insert into notifications (id, type, notifiable_type, notifiable_id, data, created_at, updated_at)
select gen_random_uuid(), 'App\Notifications\TrialEnding', 'App\Models\Team', id, '{"days": 3}', utc(), utc()
    from teams;
insert into notifications (id, type, notifiable_type, notifiable_id, data, created_at, updated_at)
select gen_random_uuid(), 'App\Notifications\InvoiceUnpaid', 'App\Models\User', user_id, '{}', utc(), utc()
    from invoices;
-- a job that failed half way, and ran again: Laravel keeps the id of the notification
begin;
insert into notifications (id, type, notifiable_type, notifiable_id, data, created_at, updated_at)
select md5('t' || id)::uuid, 'App\Notifications\TrialEnding', 'App\Models\User', id, '{"days": 1}', utc(), utc()
    from users where id between 51 and 55;
rollback;
insert into notifications (id, type, notifiable_type, notifiable_id, data, created_at, updated_at)
select md5('t' || id)::uuid, 'App\Notifications\TrialEnding', 'App\Models\User', id, '{"days": 1}', utc(), utc()
    from users where id between 51 and 55
on conflict (id) do update set updated_at = excluded.updated_at;
insert into notifications (id, type, notifiable_type, notifiable_id, data, created_at, updated_at)
select md5('t' || id)::uuid, 'App\Notifications\TrialEnding', 'App\Models\User', id, '{"days": 1}', utc(), utc()
    from users where id between 51 and 57
on conflict (id) do update set updated_at = excluded.updated_at;
-- copied from an old system: their week, and their three days, are over
insert into notifications (id, type, notifiable_type, notifiable_id, data, created_at, updated_at)
select gen_random_uuid(), t, 'App\Models\User', id, '{}', utc() - interval '8 days', utc()
from users, unnest(array['App\Notifications\TrialEnding', 'App\Notifications\InvoiceUnpaid']) t where id in (58, 59);
-- and whose week, or three days, end in an hour
insert into notifications (id, type, notifiable_type, notifiable_id, data, created_at, updated_at) values
    (gen_random_uuid(), 'App\Notifications\TrialEnding', 'App\Models\User', 60, '{}', utc() - interval '167 hours',
        utc()),
    (gen_random_uuid(), 'App\Notifications\InvoiceUnpaid', 'App\Models\User', 80, '{}', utc() - interval '71 hours',
        utc());
-- to a user who is not there, and of a class that has no message
insert into notifications (id, type, notifiable_type, notifiable_id, data, created_at, updated_at) values
    (gen_random_uuid(), 'App\Notifications\TrialEnding', 'App\Models\User', 999, '{}', utc(), utc()),
    (gen_random_uuid(), 'App\Notifications\ExportReady', 'App\Models\User', 1, '{}', utc(), utc());

-- read, marked as unread, all marked as read
update notifications set read_at = utc(), updated_at = utc()
    where notifiable_id in (3, 5, 8, 13, 21, 34, 43, 44, 45) and data ->> 'days' is not null;
create table read_once as select id from notifications where notifiable_id in (5, 8) and read_at is not null;
update notifications set read_at = null where notifiable_id in (5, 8);
update notifications set read_at = utc()
    where read_at is null and notifiable_id in (42, 43, 58, 70) and notifiable_type = 'App\Models\User';
update notifications set read_at = utc() where read_at is not null and notifiable_id = 42;

select goals.roll_up();

-- webhooks of Stripe: trials become paid, one is past due and pays, one is cancelled, a new one begins as incomplete
with s as (update subscriptions set stripe_status = 'active', updated_at = utc()
    where user_id in (5, 6, 7, 8, 34, 52, 58, 60) returning *)
insert into webhook_calls select stripe_id, stripe_status from s;
with s as (update subscriptions set stripe_status = 'past_due', updated_at = utc() where user_id in (1, 6) returning *)
insert into webhook_calls select stripe_id, stripe_status from s;
with s as (update subscriptions set stripe_status = 'active', updated_at = utc() where user_id in (1, 6) returning *)
insert into webhook_calls select stripe_id, stripe_status from s;
with s as (update subscriptions set stripe_status = 'canceled', updated_at = utc()
    where user_id in (9, 10, 34) returning *)
insert into webhook_calls select stripe_id, stripe_status from s;
insert into subscriptions (user_id, type, stripe_id, stripe_status, stripe_price)
    values (9, 'default', 'sub_new', 'incomplete', 'price_pro'),
    (12, 'swimming', 'sub_swim', 'active', 'price_pro');
insert into webhook_calls values ('sub_swim', 'active');
with s as (update subscriptions set stripe_status = 'active', updated_at = utc()
    where stripe_id = 'sub_new' returning *)
insert into webhook_calls select stripe_id, stripe_status from s;
-- invoices are paid; one is paid back, and one is corrected
update invoices set paid_at = utc() where user_id in (41, 42, 43, 59, 61, 70, 80);
update invoices set paid_at = utc() - interval '2 days' where user_id = 62;
create table paid_back as select * from invoices where user_id = 61;
update invoices set paid_at = null where user_id = 61;

-- a user leaves with all notifications; old ones are pruned
create table pruned as select * from notifications
    where notifiable_type = 'App\Models\User' and notifiable_id in (43, 52, 53);
delete from notifications where notifiable_type = 'App\Models\User' and notifiable_id in (43, 52, 53);
delete from users where id = 43;
