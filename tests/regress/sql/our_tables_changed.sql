-- Any DDL on the extension's own tables, indexes and sequences: the application's statements go on. What does not fit any more is not used,
-- goals.health() names the statement that mends it, and once that has been run everything is recorded again.
create table users (id bigint primary key, plan text, doc json);
insert into users select n, 'free' from generate_series(1, 2000) n;
create table sends (message text, user_id bigint, opened timestamptz);
create table orders (user_id bigint, name text);
select from goals.track_users('users');
select from goals.track_receipts('sends', 'message', 'user_id', opened_at => 'opened');
select from goals.track_events('orders', 'user_id', event => 'name');
select from goals.create_message('m');
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day');
select from goals.set_goal('m', event => 'order', time_limit => '1 day', goal => 'o');
select from goals.record_sent('m', array(select id::text from users where id <= 1000));
create role somebody;

create table change (n integer generated always as identity, does text, mends text);
insert into change (does, mends) values
-- indexes
('drop index goals.receipt_user_idx; create index receipt_user_idx on goals.receipt (user_key, users_source_id, sent_at)', null),
('drop index goals.receipt_user_idx; create index receipt_user_idx on goals.receipt (users_source_id, user_key, sent_at desc)', null),
('drop index goals.receipt_user_idx; create index receipt_user_idx on goals.receipt (users_source_id, user_key collate "POSIX", sent_at)', null),
('drop index goals.receipt_user_idx; create index receipt_user_idx on goals.receipt (users_source_id, user_key, sent_at) where users_source_id > 0', null),
('drop index goals.receipt_user_idx; create index receipt_user_idx on goals.receipt using hash (user_key)', null),
('drop index goals.receipt_id_idx; create index receipt_id_idx on goals.receipt (receipt_id) where receipt_id > 0', null),
('drop index goals.receipt_id_idx; create index receipt_id_idx on goals.receipt ((receipt_id + 0))', null),
('drop index goals.match_log_receipt_idx; create index match_log_receipt_idx on goals.match_log (goal_id, receipt_id)', null),
('drop index goals.match_log_receipt_idx; create index match_log_receipt_idx on goals.engagement (receipt_id)', null),
('drop index goals.engagement_receipt_idx; create index engagement_receipt_idx on goals.engagement (at)', null),
('drop index goals.ignored_source_idx; create index ignored_source_idx on goals.ignored (reason)', null),
('update pg_catalog.pg_index set indisvalid = false where indexrelid = ''goals.receipt_user_idx''::regclass; alter table goals.receipt set (fillfactor = 100)', null),
('update pg_catalog.pg_index set indisvalid = false where indexrelid = ''goals.match_log_receipt_idx''::regclass; alter table goals.match_log set (fillfactor = 100)', null),
('update pg_catalog.pg_index set indisready = false, indisvalid = false where indexrelid = ''goals.engagement_receipt_idx''::regclass; alter table goals.engagement set (fillfactor = 100)', null),
('create unique index one_match on goals.match_log (match_id, goal_id)', null),
('alter table goals.receipt add constraint once exclude using btree (receipt_id with =, users_source_id with =)', null),
('alter table goals.match_log add constraint late unique (match_id) deferrable initially deferred', null),
('drop index goals.match_log_id_idx; create index match_log_id_idx on goals.match_log (match_id)', null),
-- columns
('alter table goals.match_log add column tenant text; update goals.match_log set tenant = ''''; alter table goals.match_log alter tenant set not null', 'alter table goals.match_log drop column tenant'),
('alter table goals.receipt alter column user_key type text collate "POSIX"', 'alter table goals.receipt alter column user_key type text collate "C"'),
('alter table goals.match_log alter column goal_id type bigint', 'alter table goals.match_log alter column goal_id type integer'),
('alter table goals.receipt rename column variant_id to variant', 'alter table goals.receipt rename column variant to variant_id'),
('alter table goals.source alter column attached type text', 'alter table goals.source alter column attached drop default, alter column attached type boolean using attached::boolean, alter column attached set default true'),
('alter table goals.goal alter column value type varchar', null),
('update goals.match_log set worth = 0; update goals.match_log set old_value = ''0'' where old_value is null; update goals.match_log set new_value = ''0'' where new_value is null; alter table goals.match_log alter worth set not null', 'alter table goals.match_log alter worth drop not null'),
-- tables
('alter table goals.match_log rename to elsewhere; create table goals.match_log (like goals.elsewhere) partition by range (match_id); create table goals.all_matches partition of goals.match_log default; alter index goals.match_log_receipt_idx rename to elsewhere_idx; create index match_log_receipt_idx on goals.match_log (receipt_id, goal_id, matched_at, match_id)',
 'drop table goals.match_log; alter table goals.elsewhere rename to match_log; alter index goals.elsewhere_idx rename to match_log_receipt_idx'),
('alter table goals.receipt rename to elsewhere; create view goals.receipt as select * from goals.elsewhere', 'drop view goals.receipt; alter table goals.elsewhere rename to receipt'),
('create table all_receipts (like goals.receipt) partition by range (receipt_id); alter table all_receipts attach partition goals.receipt default', 'alter table all_receipts detach partition goals.receipt; drop table all_receipts'),
('create access method heap2 type table handler heap_tableam_handler; alter table goals.match_log rename to elsewhere; create table goals.match_log (like goals.elsewhere) using heap2', 'drop table goals.match_log; alter table goals.elsewhere rename to match_log; drop access method heap2'),
('create table heir (more int) inherits (goals.receipt)', 'drop table heir'),
('create rule nothing as on insert to goals.match_log do instead nothing', 'drop rule nothing on goals.match_log'),
('alter table goals.match_log add check (goal_id < 0) not valid', 'alter table goals.match_log drop constraint match_log_goal_id_check'),
('alter table goals.match_log owner to somebody', 'alter table goals.match_log owner to current_user'),
-- sequences
('alter sequence goals.receipt_id_seq cache 20', null),
('alter sequence goals.match_id_seq increment by 10', null),
('alter sequence goals.engagement_id_seq cycle', null),
('alter sequence goals.match_id_seq maxvalue 1000000', null),
('alter sequence goals.receipt_id_seq as integer', null),
-- allowed
('alter table goals.match_log set unlogged', null),
('alter table goals.receipt add primary key (receipt_id)', 'alter table goals.receipt drop constraint receipt_pkey'),
('alter table goals.match_log add primary key (match_id)', 'alter table goals.match_log drop constraint match_log_pkey'),
('cluster goals.receipt using receipt_user_idx', ''),
('reindex table goals.match_log', ''),
('alter table goals.match_log replica identity default', 'alter table goals.match_log replica identity full'),
('alter table goals.receipt enable row level security; alter table goals.receipt force row level security', 'alter table goals.receipt no force row level security; alter table goals.receipt disable row level security');

set allow_system_table_mods = on;
do $$
declare
    c record;
    found record;
    u bigint := 0;
    before bigint;
    during bigint;
    after bigint;
    seen text;
    mend text;
begin
    for c in select * from change order by n loop
        -- something is recorded before, so that everything is in the cache
        update users set plan = 'pro' where id = u + 1;
        begin
            execute c.does;
        exception when others then
            raise notice E'%\n  refused: %', c.does, sqlerrm;
            continue;
        end;
        before := (select count(*) from goals.match_log) + (select count(*) from goals.receipt) + (select count(*) from goals.engagement);
        update users set plan = 'pro' where id = u + 2;
        insert into sends values ('m', 1000 + u);
        update sends set opened = clock_timestamp() where user_id = 1000 + u;
        insert into orders values (u + 3, 'order');
        during := (select count(*) from goals.match_log) + (select count(*) from goals.receipt) + (select count(*) from goals.engagement) - before;
        seen := null;
        for found in select * from goals.health() h loop
            seen := concat_ws('; ', seen, found.problem || ' ' || found.object || ': ' || found.detail || ' | ' || found.hint);
            mend := found.hint;
        end loop;
        -- the hint is the statement, or statements with a word between them
        if c.mends is null then
            foreach mend in array string_to_array(regexp_replace(replace(replace(mend, ' CONCURRENTLY', ''), ' (PostgreSQL 15 and newer)', ''), '.* if none is running: ', ''), ', then ') loop
                execute mend;
            end loop;
        elsif c.mends <> '' then
            execute c.mends;
        end if;
        if exists (select from goals.health()) then
            raise exception 'after % health() says %', c.does, (select h from goals.health() h limit 1);
        end if;
        before := (select count(*) from goals.match_log) + (select count(*) from goals.receipt) + (select count(*) from goals.engagement);
        update users set plan = 'pro' where id = u + 4;
        insert into sends values ('m', 1001 + u);
        update sends set opened = clock_timestamp() where user_id = 1001 + u;
        insert into orders values (u + 5, 'order');
        after := (select count(*) from goals.match_log) + (select count(*) from goals.receipt) + (select count(*) from goals.engagement) - before;
        raise notice E'%\n  % of 4 recorded, 4 after: %\n  %', c.does, during, after = 4, coalesce(replace(seen, 'TO ' || current_user, 'TO its owner'), 'nothing to say');
        u := u + 10;
    end loop;
end
$$;
reset allow_system_table_mods;
drop role somebody;
select * from goals.verify();
select goals.roll_up() >= 0, goals.roll_up() >= 0;
select * from goals.verify();

-- Of the tables that only SQL reads
create role somebody;
alter table goals.total owner to somebody;
select problem, object from goals.health();
select goals.roll_up();
alter table goals.total owner to current_user;
drop role somebody;
alter table goals.watermark rename to elsewhere;
select problem, object, hint from goals.health();
alter table goals.elsewhere rename to watermark;
alter table goals.total add column note text;
select problem, object, detail, hint from goals.health();
alter table goals.total drop column note;
drop index goals.receipt_sent_idx;
select problem, object, detail from goals.health();
alter table goals.slot_total drop constraint slot_total_pkey;
select problem, object, detail, hint from goals.health() where object ~ 'pkey';
alter table goals.slot_total add constraint slot_total_pkey primary key (message_id, goal_id, slot, variant_id);
-- As after an upgrade.
create index receipt_revision_idx on goals.receipt (revision_id);
select problem, object, detail, hint from goals.health();
drop index goals.receipt_revision_idx;
create index receipt_sent_idx on goals.receipt (revision_id, sent_at);

-- A sequence that is behind: as on a subscriber of logical replication that takes over.
select goals.record_sent('m', 1999::bigint) as last \gset
select setval('goals.receipt_id_seq', 1);
\c -
select problem, object from goals.health();
select goals.record_sent('m', 1998::bigint);
update users set plan = 'pro' where id = 1999;
select setval('goals.receipt_id_seq', :last);
-- The session that has met it goes on as well.
select goals.record_sent('m', 1998::bigint) > :last;
select setval('goals.match_id_seq', 1, false);
\c -
select problem, object from goals.health();
select setval('goals.match_id_seq', (select match_id from goals.watermark));
select setval('goals.engagement_id_seq', 9223372036854775807);
\c -
select problem, object from goals.health();
select setval('goals.engagement_id_seq', (select engagement_id from goals.watermark));
\c -
select problem, object from goals.health();
select goals.record_sent('m', 1998::bigint) > :last;

-- The schema renamed, and given back its name, while a session looks
\c -
alter schema goals rename to elsewhere;
update users set plan = 'team' where id = 1998;
alter schema elsewhere rename to goals;
update users set plan = 'pro' where id = 1998;
select verdict from goals.explain('m', 1998::bigint) where goal = 'primary';
select problem from goals.health();

-- Tools that copy a table by triggers would lose what is recorded; rows of heirs are not seen.
create function nothing() returns trigger language plpgsql as $$ begin return null; end $$;
create trigger copy after insert on goals.match_log for each row execute function nothing();
create table heir (extra int) inherits (orders);
select problem, object, detail, hint from goals.health();
drop trigger copy on goals.match_log;
drop table heir;
-- Settings that keep triggers from firing, and literals of the old kind
set session_replication_role = replica;
select problem, object from goals.health();
reset session_replication_role;
set standard_conforming_strings = off;
set escape_string_warning = off;
select problem from goals.health();
reset standard_conforming_strings;
select * from goals.verify();
