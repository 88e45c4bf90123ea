-- goals.pause() switches the triggers off until the end of the transaction, or of the savepoint in which it is called.
create table users (id int primary key, plan text default 'free');
insert into users select generate_series(1, 20);
create table log (who int, name text);
create table sends (message text, who int);
select from goals.track_users('users');
select from goals.track_events('log', 'who', 'name');
select from goals.track_receipts('sends', 'message', 'who');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', time_limit => '1 day');
select from goals.set_goal('m', event => 'buy', time_limit => '1 day', goal => 'bought');
select count(*) from goals.record_sent('m', array(select id::bigint from users));
create view reached as select user_key::int as u, goal from goals.matches('m') order by 1, 2;

begin;
update users set plan = 'pro' where id = 1;
select from goals.pause();
update users set plan = 'pro' where id = 2;
insert into log values (2, 'buy');
insert into sends values ('m', 2);
select goals.record_sent('m', 2) is not null as calls_are_not_paused;
commit;
update users set plan = 'pro' where id = 3;
select * from reached;
select sent from goals.message_stats where goal = 'primary';

-- Rolled back to a savepoint, and released.
begin;
savepoint a;
select from goals.pause();
update users set plan = 'pro' where id = 4;
savepoint b;
select from goals.pause();
rollback to b;
update users set plan = 'pro' where id = 5;
rollback to a;
update users set plan = 'pro' where id = 6;
select from goals.pause();
update users set plan = 'pro' where id = 7;
release a;
update users set plan = 'pro' where id = 8;
commit;
select * from reached;

-- In a block that catches errors, and in a function.
do $$
begin
    begin
        perform goals.pause();
        update users set plan = 'pro' where id = 9;
    exception when others then null;
    end;
    update users set plan = 'pro' where id = 10;
end $$;
begin;
do $$ begin perform goals.pause(); end $$;
update users set plan = 'pro' where id = 11;
rollback;
update users set plan = 'pro' where id = 12;
select * from reached;

-- A statement of its own is a transaction of its own. An error ends it.
select from goals.pause();
update users set plan = 'pro' where id = 13;
begin;
select from goals.pause();
select 1 / 0;
commit;
update users set plan = 'pro' where id = 14;
select * from reached;
select * from goals.verify();
