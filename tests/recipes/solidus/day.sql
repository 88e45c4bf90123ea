set time zone 'Europe/Madrid';
create function utc() returns timestamp language sql volatile as $$ select clock_timestamp() at time zone 'UTC' $$;

-- what the shop does with an order: the state with its log, then the time
create procedure complete(which text) language plpgsql as $$
begin
    insert into spree_state_changes (name, previous_state, next_state, stateful_type, stateful_id, user_id, created_at)
    select 'order', 'confirm', 'complete', 'Spree::Order', id, user_id, utc() from spree_orders where number = which;
    update spree_orders set state = 'complete', updated_at = utc() where number = which;
    update spree_orders set completed_at = utc(), updated_at = utc() where number = which;
end $$;
create procedure change_state(which text, into_state text) language plpgsql as $$
begin
    insert into spree_state_changes (name, previous_state, next_state, stateful_type, stateful_id, user_id, created_at)
    select 'order', state, into_state, 'Spree::Order', id, user_id, utc() from spree_orders where number = which;
    update spree_orders set state = into_state, canceled_at = case when into_state = 'canceled' then utc() end
        where number = which;
end $$;

-- an order before any mail
call complete('R1001');
-- the job that reminds of carts; it is run twice
create table reminded (user_id int, number text, at timestamptz);
with mails as (insert into reminded select user_id, number, clock_timestamp() from spree_orders
    where state = 'cart' and user_id <= 40 returning *)
select count(goals.record_sent('abandoned cart', user_id, sent_at => at, ref => number)) from mails;
select count(goals.record_sent('abandoned cart', user_id, sent_at => at, ref => number)) from reminded
    where user_id <= 20;
-- a mail to those who have not ordered for long, in one call; to some it was sent five days ago
create table won_back as select id as user_id, clock_timestamp() as at from spree_users where id between 30 and 60;
select goals.record_sent('we miss you', array(select user_id::text from won_back), sent_at => (select min(at)
    from won_back));
insert into reminded select id, 'old' || id, now() - interval '5 days' from spree_users where id in (41, 42);
select count(goals.record_sent('abandoned cart', user_id, sent_at => at, ref => number)) from reminded
    where number ~ '^old';

-- carts change, and become orders
update spree_orders set total = total + 5, item_total = item_total + 5, state = 'address'
    where user_id in (3, 4) and state = 'cart';
call complete('R1003');
call complete('R1004');
call complete('R1008');
call complete('R1009');
call complete('R1033');
call complete('R1041');
call complete('R1050');
-- guests order; two sign in afterwards, and one signs in with an order from before the reminder
call complete('R2011');
call complete('R2012');
call complete('R2013');
update spree_orders set user_id = 11, updated_at = utc() where number = 'R2011';
update spree_orders set user_id = 12, updated_at = utc() where number = 'R2012';
update spree_orders set completed_at = utc() - interval '1 day', state = 'complete' where number = 'R2014';
update spree_orders set user_id = 14, updated_at = utc() where number = 'R2014';

select goals.roll_up();

-- the total is corrected afterwards; an order is canceled, one canceled and resumed, a cart is emptied
create table corrected as select id, total from spree_orders where number = 'R1008';
update spree_orders set total = 1, updated_at = utc() where number = 'R1008';
call change_state('R1009', 'canceled');
call change_state('R1033', 'canceled');
call change_state('R1033', 'resumed');
call change_state('R2013', 'canceled');
insert into spree_state_changes (name, previous_state, next_state, stateful_type, stateful_id, user_id, created_at)
values ('shipment', 'ready', 'canceled', 'Spree::Shipment', 1, 4, utc());
delete from spree_orders where number = 'R1020';
-- further orders
insert into spree_orders (number, state, user_id, total, currency, created_at)
select 'R' || 4000 + n, 'cart', n, 70, 'EUR', utc() from unnest('{8,33,34,50,55}'::int[]) n;
call complete('R4008');
call complete('R4033');
call complete('R4034');
call complete('R4050');
call complete('R1055');
call complete('R1057');
-- an order that the admin makes, complete at once
insert into spree_orders (number, state, user_id, total, currency, completed_at, created_at)
values ('R5000', 'complete', 36, 19.90, 'EUR', utc(), utc()), ('R5001', 'complete', 36, 5, 'EUR', utc(), utc());

-- a user is deleted, with all orders
create table deleted_orders as select * from spree_orders where user_id = 33;
delete from spree_orders where user_id = 33;
delete from spree_users where id = 33;
