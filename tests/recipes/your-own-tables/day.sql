-- a transactional mail, which is no message of pg_goals
insert into emails (user_id, template) select id, 'password reset' from users where id in (3, 4);

-- the jobs queue the mail of the trial and the digest, one of them beside carts that customers fill
insert into emails (user_id, template) select id, 'trial ends' from users where id <= 40;
begin;
insert into emails (user_id, template) select id, 'weekly digest' from users;
insert into orders (user_id, total) select id, 10 + id from users where id % 3 = 0;
commit;

-- bought before the mail goes out
update orders set status = 'paid', paid_at = clock_timestamp() where status = 'cart' and user_id % 9 = 0;
update subscriptions set plan = 'team' where user_id = 38;

-- the worker: some mail fails, and some of that is tried again
update emails set status = 'sent', sent_at = clock_timestamp() where status = 'queued' and user_id % 7 <> 0;
update emails set status = 'failed', sent_at = clock_timestamp(), error = '450 try again' where status = 'queued';
update emails set status = 'queued', error = null where status = 'failed' and user_id % 14 = 0;
update emails set status = 'sent', sent_at = clock_timestamp() where status = 'queued';

-- a worker that was cut off for three weeks reports what it sent then
insert into emails (user_id, template, status, sent_at)
select id, 'trial ends', 'sent', now() - interval '21 days' from users where id between 41 and 50;

-- opens and clicks, one link twice, and opens and clicks of older mail; a bounce
set time zone 'Pacific/Auckland';
update emails set opened_at = clock_timestamp()
where status = 'sent' and user_id % 2 = 0 and queued_at > now() - interval '1 day';
reset time zone;
update emails set opened_at = clock_timestamp()
where status = 'sent' and user_id % 10 = 0 and template = 'weekly digest';
insert into email_clicks (email_id, url)
select e.id, 'https://example.org/' || page from emails e, unnest(array['plans', 'plans', 'news']) page
where e.status = 'sent' and (e.user_id % 6 = 0 or e.template = 'trial ends' and e.user_id in (1, 13));
update emails set status = 'bounced' where template = 'weekly digest' and user_id in (16, 17, 59);

select goals.roll_up();

select clock_timestamp() as before_orders \gset

-- carts are changed and paid; a guest signs in after the order; a payment is taken back and made again
update orders set total = total + 1 where status = 'cart' and user_id = 24;
update orders set status = 'paid', paid_at = clock_timestamp() where status = 'cart' and user_id % 2 = 0;
insert into orders (status, total, paid_at) values ('paid', 99.90, clock_timestamp());
update orders set user_id = 5 where total = 99.90;
insert into orders (user_id, status, total, paid_at) values (6, 'paid', 20, clock_timestamp());
update orders set status = 'refunded', paid_at = null where user_id = 12 and total = 22;
update orders set status = 'paid', paid_at = clock_timestamp() where status = 'refunded';

-- the redirect's log of before these orders is loaded
insert into email_clicks (email_id, url, clicked_at)
select id, 'https://example.org/shop', :'before_orders' from emails where template = 'trial ends' and user_id in (4, 5);

-- plans go up, some down again; first subscriptions; changes of something else
update subscriptions set plan = 'pro' where user_id <= 12 and plan = 'free';
update subscriptions set plan = 'free' where user_id in (3, 36);
update subscriptions set seats = seats + 1;
insert into subscriptions (user_id, plan) values (15, 'team'), (20, 'free'), (25, 'pro'), (45, 'team');
update subscriptions set plan = 'team' where user_id in (36, 44);

-- the nightly job; a user leaves
with gone as (delete from emails where user_id between 7 and 11 or user_id = 22 returning *)
insert into emails_archive select * from gone;
delete from users where id = 22;
