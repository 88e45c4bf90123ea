-- A message may be given another name, with its records and the variant of each user; and dropped, with its records.
create table users (id bigint primary key, n int default 0);
insert into users select generate_series(1, 200);
select from goals.track_users('users');
create table mails (id bigserial primary key, template text, user_id bigint);
select from goals.track_receipts('mails', message => 'template', user_key => 'user_id');
select from goals.create_message('spring', channel => 'e-mail');
select from goals.add_variant('spring', 'a');
select from goals.add_variant('spring', 'b');
select from goals.set_goal('spring', attribute => 'n', operator => 'is increased', time_limit => '3 days');
select from goals.set_goal('spring', event => 'order', time_limit => '3 days', goal => 'order');
select goals.record_sent('spring', array(select id::text from users where id <= 50));
create table assigned as select id, goals.assign('spring', id) as variant from users;

-- Renamed: the records are those of the new name, the old one is unknown, and nobody is dealt again
select from goals.rename_message('spring', 'spring sale');
select * from goals.message_stats;
select goals.assign('spring', 1::bigint);
select count(*) from assigned where variant is distinct from goals.assign('spring sale', id);
insert into mails (template, user_id) values ('spring', 60), ('spring sale', 61);
update users set n = 1 where id in (1, 61);
select goals.record_sent('spring sale', 62::bigint) > 0;
select message, sent, matched from goals.message_stats where goal = 'primary';
select problem, object from goals.health();
-- twice, and back: what the users were dealt under is the first name
select from goals.rename_message('spring sale', 'easter');
select count(*) from assigned where variant is distinct from goals.assign('easter', id);
select from goals.rename_message('easter', 'spring');
select count(*) from assigned where variant is distinct from goals.assign('spring', id);
-- a message created under a name that was used is dealt by that name
select from goals.rename_message('spring', 'summer');
select from goals.create_message('spring');
select from goals.add_variant('spring', 'a');
select from goals.add_variant('spring', 'b');
select count(*) from assigned where variant is distinct from goals.assign('spring', id);
-- the same in one transaction, and undone
begin;
select from goals.rename_message('summer', 'autumn');
select goals.record_sent('autumn', 63::bigint) > 0;
rollback;
select goals.record_sent('autumn', 63::bigint);
select from goals.create_message('free');
-- names that cannot be given
select from goals.rename_message('summer', 'spring');
select from goals.rename_message('summer', 'summer');
select from goals.rename_message('sumer', 'x');
select from goals.rename_message('summer', '');
select from goals.rename_message('summer', repeat('m', 1001));
select from goals.rename_message('summer', null);
select from goals.rename_message(null, 'x');
select from goals.drop_message('sumer');
select from goals.drop_message(null);

-- Dropped: nothing shows it, nothing matches it, its name is free at once
create function shown(message text) returns text language plpgsql as $$
declare n bigint;
begin
    execute format('select count(*) from goals.explain(%L, ''1'')', message) into n;
    return n || ' rows';
exception when others then
    return sqlstate || ' ' || sqlerrm;
end $$;
select goals.record_event(2::bigint, 'order');
select goals.roll_up() > 0;
select goals.record_sent('summer', 70::bigint) as receipt \gset
update users set n = n + 1 where id = 70;
select message, goal, sent, matched from goals.message_stats order by 1, 2;
select from goals.drop_message('summer');
select message, goal, sent from goals.message_stats order by 1, 2;
select message from goals.variant_stats where message like 'summer%';
select count(*) from goals.outcome;
select * from goals.attribution() where message not in ('spring', 'free');
select shown('summer');
\set SHOW_CONTEXT never
select * from goals.stats('summer');
select goals.record_sent('summer', 1::bigint);
select goals.record_opened(:receipt);
select goals.record_opened('summer', 1::bigint);
update users set n = n + 1 where id between 1 and 50;
select goals.record_event(3::bigint, 'order');
select count(*) as hits from goals.match_log;
select * from goals.verify();
insert into mails (template, user_id) values ('summer', 80);
select problem, object from goals.health() order by 2;
select from goals.create_message('summer');
select * from goals.message_stats where message = 'summer';
select goals.forget_user(5::bigint), goals.purge('2020-01-01');
select * from goals.verify();

-- roll_up() removes its records, and only those
select goals.record_sent('spring', array(select id::text from users where id <= 10));
select goals.roll_up() > 0;
select count(*) as receipts, count(distinct revision_id) from goals.receipt;
select name, dropped_at from goals.message order by 1;
select count(*) as hits from goals.match_log;
select count(*) as goals from goals.goal;
select m.name, count(*) from goals.revision v left join goals.message m using (message_id) group by 1 order by 1;
select m.name, count(*) from goals.variant v left join goals.message m using (message_id) group by 1 order by 1;
select m.name, count(*) from goals.total t left join goals.message m using (message_id) group by 1 order by 1;
select * from goals.verify();
select goals.roll_up();

-- In parts, if there is much
select from goals.set_goal('spring', attribute => 'n', operator => 'is increased', time_limit => '3 days');
select goals.record_sent('spring', array(select id::text from users));
update users set n = n + 1;
select goals.roll_up() > 0;
select from goals.drop_message('spring');
select goals_internal.remove_dropped_messages((select max(revision_id) from goals.revision), 60);
select (select count(*) from goals.receipt) as receipts, (select count(*) from goals.match_log) as hits,
    (select count(*) from goals.message) as messages;
select * from goals.verify();
select goals.record_sent('free', 1::bigint) > 0;
select goals_internal.remove_dropped_messages((select max(revision_id) from goals.revision), 60);
select goals.roll_up() > 0;
select (select count(*) from goals.receipt) as receipts, (select count(*) from goals.match_log) as hits,
    (select count(*) from goals.message) as messages;
select * from goals.verify();
select message, sent from goals.message_stats order by 1;

-- and with what is dropped in the same transaction as it was made
begin;
select from goals.create_message('brief');
select from goals.set_goal('brief', attribute => 'n', operator => 'is increased', time_limit => '3 days');
select goals.record_sent('brief', 1::bigint) > 0;
select from goals.drop_message('brief');
select from goals.create_message('brief');
commit;
select goals.roll_up() > 0;
select (select count(*) from goals.receipt) as receipts, (select count(*) from goals.message) as messages,
    (select count(*) from goals.goal) as goals;
select problem, object from goals.health() order by 2;
