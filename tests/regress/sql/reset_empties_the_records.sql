-- goals.reset() deletes what was recorded, and keeps the set-up.
create role reset_owner;
create role reset_other;
create table users (id int primary key, plan text default 'free');
insert into users select generate_series(1, 10);
alter table users owner to reset_owner;
grant usage on schema goals to reset_owner, reset_other;
grant execute on function goals.reset() to reset_owner, reset_other;
select from goals.track_users('users');
select from goals.create_message('p', kind => 'programme');
select from goals.create_message('m', part_of => 'p');
select from goals.add_variant('m', 'a');
select from goals.add_variant('m', 'b');
select from goals.set_goal('m', 'plan', 'is', 'pro', time_limit => '1 day');
select count(*) from goals.record_sent('m', array(select id::bigint from users));
select goals.record_sent('m', 1, ref => 'r') is not null as sent;
select from goals.record_opened('m', 3);
update users set plan = 'pro' where id < 4;
update users set id = 100 where id = 1;
select from goals.roll_up();
select from goals.roll_up();
select goals.forget_user(2) > 0 as forgotten;

set role reset_other;
select goals.reset();
set role reset_owner;
begin;
select from goals.reset();
rollback;
reset role;
select sent > 0 as is_there from goals.message_stats where message = 'm' and goal = 'primary';
set role reset_owner;
select from goals.reset();
reset role;
select format('select %L as "table", count(*) from goals.%I', c.relname, c.relname)
from pg_class c where relnamespace = 'goals'::regnamespace and relkind = 'r' and relname in
    ('receipt', 'reference', 'engagement', 'match_log', 'hand_over', 'feed', 'ignored', 'total', 'watermark', 'next_watermark')
order by relname \gexec
select message, goal, sent, matched from goals.message_stats order by 1, 2;
select * from goals.verify();

-- What is set up goes on.
select count(*) from goals.record_sent('m', array(select id::bigint from users));
update users set plan = 'pro' where id = 5;
select from goals.roll_up();
select message, goal, sent, matched from goals.message_stats order by 1, 2;
select * from goals.verify();

-- With two users tables their owners have to be one; without any, there is nobody to ask.
create table others (id int primary key);
select from goals.track_users('others');
set role reset_owner;
select goals.reset();
reset role;
select from goals.untrack_all();
drop table users, others;
set role reset_owner;
select goals.reset();
reset role;
select from goals.reset();
drop owned by reset_owner, reset_other;
drop role reset_owner, reset_other;
