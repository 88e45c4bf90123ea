-- What reads runs in a read-only transaction, and takes no transaction id: so it runs on a standby.
create table users (id bigint primary key, plan text, visits int);
insert into users select n, 'free', 0 from generate_series(1, 8) n;
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.add_variant('m', 'a');
select from goals.add_variant('m', 'b');
select from goals.set_control_group('m', 0.25);
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('m', 'visits', 'is increased', time_limit => '1 day', goal => 'visits', value_from => 'visits');
select count(*) from unnest(array['a', 'b', 'control', 'a']) with ordinality x (v, n), goals.record_sent('m', n, variant => v);
update users set plan = 'pro', visits = id where id in (1, 3);
select from goals.roll_up();
select from goals.record_sent('m', 5::bigint, variant => 'b');
select from goals.record_opened('m', 5::bigint);
update users set plan = 'pro' where id = 5;
\c
begin isolation level serializable read only deferrable;
select message, goal, sent, matched, worth from goals.message_stats order by goal;
select variant, goal, sent, matched from goals.variant_stats order by goal, variant;
select variant, sent, matched, in_progress, users_matched from goals.stats('m');
select user_key, goal, new_value from goals.matches('m') order by user_key, goal;
select verdict from goals.explain('m', 1::bigint);
select count(*) from goals.compare('m');
select count(*) > 0 as drawn from goals.stats_bar('m');
select goals.assign('m', 7::bigint) = goals.assign('m', '7') as the_same;
select * from goals.verify();
select * from goals.health();
select pg_current_xact_id_if_assigned() is null as no_id;
commit;

-- What writes is refused as any write is, by PostgreSQL itself.
begin read only;
\set VERBOSITY sqlstate
savepoint s;
select goals.record_sent('m', 6::bigint);
rollback to s;
select goals.record_sent('m', array['6']);
rollback to s;
select goals.record_opened('m', 5::bigint);
rollback to s;
select goals.create_message('n');
rollback to s;
select goals.set_goal('m', 'plan', 'is', 'x', '1 day');
rollback to s;
select goals.track_users('users');
rollback to s;
select goals.forget_user(1::bigint);
rollback;
\set VERBOSITY default
select message, goal, sent from goals.message_stats order by goal;

-- A transaction may be declared read-only in the middle of a statement that writes. PostgreSQL lets the statement go on, and so do we: it matches nothing.
create function turn_read_only() returns trigger language plpgsql as $$
begin
    perform set_config('transaction_read_only', 'on', true);
    return new;
end $$;
create table sends (message text, user_id bigint, opened timestamptz);
create table orders (user_id bigint, name text);
select from goals.track_receipts('sends', message => 'message', user_key => 'user_id', opened_at => 'opened');
select from goals.track_events('orders', user_key => 'user_id', event => 'name');
select from goals.create_message('bought');
select from goals.set_goal('bought', event => 'order', time_limit => '1 day');
insert into sends values ('bought', 7), ('m', 7);
create trigger half_way before update on users for each row execute function turn_read_only();
create trigger half_way before insert or update on sends for each row execute function turn_read_only();
create trigger half_way before insert on orders for each row execute function turn_read_only();
update users set plan = 'pro', visits = 1 where id = 7 returning plan;
insert into sends values ('m', 8);
update sends set opened = now() where user_id = 7 returning message;
insert into orders values (7, 'order');
select count(*) as sends, (select count(*) from orders) as orders from sends;
select message, goal, sent, opened, matched from goals.message_stats order by message, goal;
drop trigger half_way on users;
update users set plan = 'team', visits = 2 where id = 7 returning plan;
select message, goal, sent, opened, matched from goals.message_stats order by message, goal;
