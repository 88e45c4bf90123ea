-- Columns of tracked tables that are given another type: what cannot be read any more is not read, no statement fails, and
-- goals.health() shows it.
create table users (id bigint primary key, n int default 100);
insert into users(id) select generate_series(1, 9);
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', event => 'order', properties => '{"amount": 5}', value_from => 'amount', time_limit => '9 days');
create table ev (id bigserial primary key, user_id bigint, name text, at timestamptz default clock_timestamp(), data jsonb);
create table emails (id bigserial primary key, template text, user_id bigint, sent_at timestamptz default clock_timestamp(), opened_at timestamptz, arm text);
select from goals.track_events('ev', 'user_id', 'name', 'at', 'data');
select from goals.track_receipts('emails', 'template', 'user_id', 'sent_at', 'opened_at', variant => 'arm');
select from goals.record_sent('m', array[1, 2, 3]);
create procedure retype(relation regclass, name name, type text, conversion text) language plpgsql as $$
declare
    found record;
begin
    execute format('alter table %s alter %I drop default, alter %I type %s using %s', relation, name, name, type, conversion);
    insert into ev (user_id, name) select 1, 'order';
    raise notice '% to %: %', name, type, (select array_agg(h.detail order by h.detail) from goals.health() h where h.object ~ relation::text);
end $$;
begin;
call retype('ev', 'data', 'json', '''{"amount": 5}''');
insert into ev (user_id, name, data) values (1, 'order', '{"amount": 5}');
call retype('ev', 'data', 'text', '''The order was paid by card''');
insert into ev (user_id, name, data) values (1, 'order', 'The order was paid by card');
call retype('ev', 'data', 'bigint', '42');
insert into ev (user_id, name, data) values (1, 'order', 42);
call retype('ev', 'at', 'bigint', '42');
insert into ev (user_id, name, at) values (1, 'order', 42);
alter table ev alter name type float using 42;
insert into ev (user_id, name) values (1, 42);
select detail from goals.health() where object ~ 'ev$';
rollback;
begin;
insert into emails (template, user_id) values ('m', 4);
alter table emails alter sent_at drop default, alter sent_at type bigint using 1, alter opened_at type boolean using false, alter arm type float using 1;
insert into emails (template, user_id, sent_at, opened_at, arm) values ('m', 5, 1, true, 1);
update emails set opened_at = true;
select detail from goals.health() where object ~ 'emails';
select user_key, variant, opened_at is not null as opened from goals.outcome where user_key in ('4', '5') order by 1;
alter table emails alter template type float using 1;
insert into emails (template, user_id) values (1, 6);
select detail from goals.health() where object ~ 'emails';
rollback;
select matched, worth from goals.message_stats;

-- A receipt recorded while a goal cannot be evaluated has no start to measure a gain from, also when the goal is repaired.
select from goals.create_message('gain');
select from goals.set_goal('gain', 'n', 'is increased by', '3', '3 days');
select from goals.record_sent('gain', 1);
alter table users alter n drop default, alter n type text;
select from goals.record_sent('gain', 2);
alter table users alter n type int using n::int;
select from goals.record_sent('gain', 3);
update users set n = n + 1;
select user_key, matched_at is not null as matched from goals.outcome where message = 'gain' order by 1;
update users set n = n + 3;
select user_key, matched_at is not null as matched from goals.outcome where message = 'gain' order by 1;
select * from goals.verify();
