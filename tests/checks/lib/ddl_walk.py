"""All that an application may do to its tables, one statement after the other, as their owner: in a database where they are tracked and in a twin
where they are not. Each statement must end in the same way, rows and SQLSTATE included, and leave the same data; after each step that says so a
new user is sent to and changed, which must match exactly as often as it says."""
from load import Problem, psycopg

TABLES = """
create table plans (name text primary key);
insert into plans values ('free'), ('pro'), ('team');
create table accounts (id bigint primary key, plan text default 'free', score int default 0, note text, doc json);
create table people (id bigint, region text, plan text default 'free', score int default 0, primary key (id, region)) partition by list (region);
create table people_a partition of people for values in ('a');
create table people_b (score int default 0, region text not null, plan text default 'free', id bigint not null);
create table europe (id bigint, region text not null, plan text default 'free', score int default 0, primary key (id, region)) partition by list (region);
create table europe_x partition of europe for values in ('x');
create table clicks (user_id bigint, name text, day int) partition by list (day);
create table clicks_1 (user_id bigint, name text, day int);
create table letters (user_id bigint, message text, day int) partition by list (day);
create table letters_1 (user_id bigint, message text, day int);
create table log (id bigint, note text);
"""
WIDE = f"create table wide (id bigint primary key, plan text default 'free', {', '.join(f'c{n} int' for n in range(1500))});"
GOALS = """
create extension pg_goals;
select goals.track_users('accounts'), goals.track_users('people', 'id'), goals.track_users('people_b', 'id'), goals.track_users('europe', 'id'), goals.track_users('wide');
select goals.track_events('clicks', 'user_id', 'name', users => 'accounts'), goals.track_events('clicks_1', 'user_id', 'name', users => 'accounts');
select goals.track_receipts('letters', 'message', 'user_id'), goals.track_receipts('letters_1', 'message', 'user_id');
select goals.create_message(t, users => t::regclass), goals.set_goal(t, 'plan', 'is', 'pro', '1 day') from unnest(array['accounts', 'people', 'people_b', 'europe', 'wide']) t;
select goals.set_goal('accounts', event => 'click', times => 2, time_limit => '1 day', goal => 'clicks');
"""
PRO = "update {t} set plan = 'pro' where id = {id}"


def probe(table, times, change=PRO, message=None, insert=None):
    """A new user is inserted, sent `message` and changed: `times` matches."""
    return ('probe', table, times, change, table if message is None else message, insert or ("insert into {t} (id, region) values ({id}, 'a')" if table == 'people' else 'insert into {t} (id) values ({id})'))


def root(sql):
    return ('root', sql)


WALK = [
    probe('accounts', 1), probe('people', 1), probe('wide', 1), 'alter table wide drop column c7', 'alter table wide add column last int', probe('wide', 1),
    # columns
    'alter table accounts add column twice int generated always as (score * 2) stored', probe('accounts', 1, "update accounts set score = 4, plan = 'pro' where id = {id}"),
    'alter table accounts alter column twice drop expression', 'alter table accounts drop column twice', 'alter table accounts rename column plan to tier', "update accounts set tier = 'pro'",
    'alter table accounts rename column tier to plan', 'alter table accounts alter column plan type varchar(30)', probe('accounts', 1), 'alter table accounts alter column plan type text', probe('accounts', 1),
    'alter table accounts alter column score type bigint using score + 1', 'alter table accounts alter column doc set storage external', 'alter table accounts alter column note set not null',
    'alter table accounts alter column note drop not null', 'alter table accounts alter column id type text', probe('accounts', 1, "update accounts set plan = 'pro' where id = '{id}'"),
    'alter table accounts alter column id type bigint using id::bigint', probe('accounts', 1),
    # names, owners, schemas, storage
    'alter table accounts rename to customers', probe('accounts', 1, "update customers set plan = 'pro' where id = {id}", insert='insert into customers (id) values ({id})'), 'alter table customers rename to accounts',
    'create schema attic', 'alter table accounts set schema attic', 'alter table attic.accounts set schema public', 'drop schema attic', 'alter table accounts set unlogged', probe('accounts', 1),
    'alter table accounts set logged', 'cluster accounts using accounts_pkey', 'vacuum full accounts', 'vacuum full people', 'reindex table accounts', 'reindex table people', 'reindex table concurrently accounts', 'analyze accounts',
    probe('accounts', 1), 'alter table accounts replica identity full', 'alter table accounts set (fillfactor = 50)', 'alter table accounts enable row level security', "create policy all_of_it on accounts using (true)",
    'alter table accounts force row level security', probe('accounts', 1), 'alter table accounts no force row level security', 'alter table accounts disable row level security', 'create statistics s on plan, score from accounts',
    'create table likeness (like accounts including all)', 'insert into likeness select * from accounts', "update likeness set plan = 'pro'", 'drop table likeness',
    'create type account_row as (id bigint, plan text)', 'create table typed of account_row', 'drop table typed', 'drop type account_row', "comment on table accounts is 'x'",
    # triggers
    'alter table accounts disable trigger user', probe('accounts', 0), 'alter table accounts enable trigger user', 'alter table accounts disable trigger all', 'alter table accounts enable trigger all', probe('accounts', 1),
    "create function cancel() returns trigger language plpgsql as $$ begin return null; end $$", 'create trigger a_cancel before update on accounts for each row execute function cancel()', probe('accounts', 0), 'drop trigger a_cancel on accounts',
    "create function change() returns trigger language plpgsql as $$ begin new.plan := 'pro'; return new; end $$", 'create trigger zz_change before update on accounts for each row execute function change()',
    probe('accounts', 1, "update accounts set plan = 'team' where id = {id}"), 'drop trigger zz_change on accounts',
    "create function again() returns trigger language plpgsql as $$ begin if new.score < 3 then update accounts set score = new.score + 1, plan = 'pro' where id = new.id; end if; return null; end $$",
    'create trigger a_again after update on accounts for each row execute function again()', probe('accounts', 1, "update accounts set score = 0, plan = 'team' where id = {id}"), 'drop trigger a_again on accounts',
    'create trigger z_again after update on accounts for each row execute function again()', probe('accounts', 1, "update accounts set score = 0 where id = {id}"), 'drop trigger z_again on accounts',
    "create function fail() returns trigger language plpgsql as $$ begin raise exception 'no' using errcode = 'P0042'; end $$", 'create trigger zz_fail after update on accounts for each row execute function fail()', probe('accounts', 0),
    'drop trigger zz_fail on accounts', 'create constraint trigger later after update on accounts deferrable initially deferred for each row execute function fail()', probe('accounts', 0), 'drop trigger later on accounts',
    "create function quiet() returns trigger language plpgsql as $$ begin return null; end $$", 'create constraint trigger later after update on accounts deferrable initially deferred for each row execute function quiet()', probe('accounts', 1),
    "begin; update accounts set score = 9; set constraints all immediate; alter table accounts add column w int; commit", 'alter table accounts drop column w',
    "begin; update accounts set score = 9; alter table accounts add column w int; commit", 'rollback', 'drop trigger later on accounts',
    'create trigger pairs after update on accounts referencing old table as o new table as n for each statement execute function quiet()', probe('accounts', 1), 'drop trigger pairs on accounts',
    # transactions, cursors
    probe('accounts', 0, "begin; savepoint s; update accounts set plan = 'pro' where id = {id}; rollback to s; commit"), probe('accounts', 1, "begin; savepoint s; update accounts set plan = 'pro' where id = {id}; release s; commit"),
    probe('accounts', 1, "begin; update accounts set plan = 'pro' where id = {id}; prepare transaction 'DB';; commit prepared 'DB'"), probe('accounts', 0, "begin; update accounts set plan = 'pro' where id = {id}; prepare transaction 'DB';; rollback prepared 'DB'"),
    probe('accounts', 1, "begin; declare c cursor for select * from accounts where id = {id} for update; fetch c; update accounts set plan = 'pro' where current of c; commit"),
    "begin; declare c cursor for select * from accounts order by id; fetch 1 from c; alter table accounts add column w int; fetch 1 from c; rollback",
    "begin; declare c cursor with hold for select * from accounts order by id; commit; alter table accounts add column w int; fetch 1 from c; close c; alter table accounts drop column w",
    'prepare p as select * from accounts order by id limit 1', 'execute p', 'alter table accounts add column w int', 'execute p', 'alter table accounts drop column w', 'deallocate p',
    probe('accounts', 0, "begin; set local session_replication_role = replica; update accounts set plan = 'pro' where id = {id}; commit"),
    # forms of change
    probe('accounts', 1, "update accounts a set plan = p.name from plans p where p.name = 'pro' and a.id = {id} returning a.id > 0, a.plan, a.xmax is null"), probe('accounts', 1, "with x as (update accounts set plan = 'pro' where id = {id} returning plan) select * from x"),
    probe('accounts', 1, "insert into accounts (id) values ({id}) on conflict (id) do update set plan = 'pro'"), probe('accounts', 1, "merge into accounts a using (values ({id})) v (id) on a.id = v.id when matched then update set plan = 'pro'"),
    "merge into accounts a using (values (1)) v (id) on a.id = v.id when matched then delete when not matched then do nothing",
    'alter table accounts add constraint known foreign key (plan) references plans on update cascade', "insert into plans values ('old')",
    probe('accounts', 1, "begin; update accounts set plan = 'old' where id = {id}; delete from plans where name = 'pro' and not exists (select from accounts where plan = 'pro'); commit; update accounts set plan = 'pro' where id = {id}"),
    "update plans set name = 'gold' where name = 'team'", 'alter table accounts drop constraint known',
    'create view v as select id, plan from accounts', probe('accounts', 1, "update v set plan = 'pro' where id = {id}"),
    "create function instead() returns trigger language plpgsql as $$ begin update accounts set plan = new.plan where id = old.id; return new; end $$", 'create trigger i instead of update on v for each row execute function instead()',
    probe('accounts', 1, "update v set plan = 'pro' where id = {id}"), 'drop view v', "create rule also as on update to accounts do also insert into log values (new.id, new.plan)", probe('accounts', 1),
    'merge into accounts a using (values (1)) v (id) on a.id = v.id when matched then delete', 'drop rule also on accounts', 'create rule no_update as on update to accounts do instead nothing', probe('accounts', 0), 'drop rule no_update on accounts',
    'create materialized view mv as select * from accounts', 'refresh materialized view mv', 'drop materialized view mv',
    # inheritance of the old style
    'create table ancestor (id bigint not null, plan text)', 'alter table accounts inherit ancestor', probe('accounts', 1, "update ancestor set plan = 'pro' where id = {id}"), 'alter table accounts no inherit ancestor',
    'create table heir (x int) inherits (accounts)', "insert into heir (id) values (5)", "update accounts set plan = 'pro' where id = 5", 'drop table heir', 'drop table ancestor',
    # partitions
    "create table people_c partition of people for values in ('c')", probe('people', 1, "update people set region = 'c', plan = 'pro' where id = {id}"), "alter table people attach partition people_b for values in ('b')",
    probe('people', 1, "update people set region = 'b', plan = 'pro' where id = {id}"), probe('people', 1, "update people_b set plan = 'pro' where id = {id}", insert="insert into people (id, region) values ({id}, 'b')"),
    probe('people_b', 1, "update people set plan = 'pro' where id = {id}", insert="insert into people (id, region) values ({id}, 'b')"), "alter table people attach partition europe for values in ('x', 'y')",
    "create table europe_y partition of europe for values in ('y') partition by hash (id)", 'create table europe_y0 partition of europe_y for values with (modulus 1, remainder 0)',
    probe('people', 1, "update people set region = 'y', plan = 'pro' where id = {id}"), probe('europe', 1, "update europe set region = 'y', plan = 'pro' where id = {id}", insert="insert into people (id, region) values ({id}, 'x')"),
    probe('people', 0, "update people_a set region = 'b', plan = 'pro' where id = {id}"), 'create table people_rest partition of people default', probe('people', 1, "update people set region = 'zz', plan = 'pro' where id = {id}"),
    'drop table people_rest', 'alter table people detach partition europe', probe('europe', 1, insert="insert into europe (id, region) values ({id}, 'x')"), 'alter table people detach partition people_b concurrently',
    probe('people_b', 1, insert="insert into people_b (id, region) values ({id}, 'b')"), probe('people', 1), "alter table people attach partition people_b for values in ('b')", 'alter table only people_b disable trigger user',
    probe('people', 1), 'alter table people_b enable trigger user', 'truncate people_c', 'drop table people_c', root("create foreign data wrapper nothing"), root("create server nowhere foreign data wrapper nothing"), root('grant usage on foreign server nowhere to shop'),
    "create foreign table people_f partition of people for values in ('f') server nowhere", 'alter table people detach partition people_f', 'drop foreign table people_f', 'create index on people (plan)', 'create unique index on people (id, region)',
    "alter table clicks attach partition clicks_1 for values in (1)", "alter table letters attach partition letters_1 for values in (1)",
    probe('accounts', 0, "insert into clicks values ({id}, 'click', 1)"), probe('accounts', 1, "insert into clicks select {id}, 'click', 1 from generate_series(1, 2)"), probe('accounts', 1, "insert into clicks_1 values ({id}, 'click', 1), ({id}, 'click', 1)"),
    probe('accounts', 1, "insert into letters values ({id}, 'accounts', 1); update accounts set plan = 'pro' where id = {id}", message=''),
    'alter table clicks detach partition clicks_1', probe('accounts', 1, "insert into clicks_1 select {id}, 'click', 1 from generate_series(1, 2)"), 'create table clicks_2 partition of clicks for values in (2)',
    probe('accounts', 1, "insert into clicks select {id}, 'click', 2 from generate_series(1, 2)"), ('copy', 'copy clicks from stdin', '{id}\tclick\t2\n' * 2), 'truncate clicks', 'drop table clicks_2',
    # rights and roles
    root('create role temporary_DB'), root('grant create on schema public to temporary_DB'), root('alter table people owner to temporary_DB'), root("set role temporary_DB; create table people_t partition of people for values in ('t'); reset role"),
    root('reassign owned by temporary_DB to shop'), root('drop owned by temporary_DB'), root('drop role temporary_DB'), 'truncate accounts restart identity cascade', probe('accounts', 1), 'truncate people, europe, wide, letters',
    root('create publication everything for all tables'), probe('accounts', 1), 'delete from accounts where id = 1', root('drop publication everything'),
    'alter table accounts drop column id cascade', "update accounts set plan = 'team'", 'alter table accounts drop column plan', 'drop table accounts cascade', 'drop table people, europe, wide cascade', root('drop owned by shop cascade'),
]


class Twin:
    """The database with goals and the one without. ;; separates what is sent by itself, DB stands for the database's name."""

    def __init__(self, server):
        self.owners, self.roots = {}, {}
        with server.connect() as c:
            c.execute('create role shop login superuser')  # taken away below: session_replication_role and such are for superusers
        for dbname in ('twin', 'walked'):
            with server.connect() as c:
                c.execute(f'create database {dbname}')
            self.roots[dbname] = c = server.connect(dbname)
            c.execute(f'alter database {dbname} owner to shop; grant all on schema public to shop; grant set on parameter session_replication_role to shop; set role shop;' + TABLES + WIDE + 'reset role')
            if dbname == 'walked':
                c.execute(GOALS)
            self.owners[dbname] = server.connect(dbname, user='shop', options='-c lock_timeout=3s')
        with server.connect() as c:
            c.execute('alter role shop nosuperuser')

    def both(self, conns, sql, copy=None):
        outcomes = []
        for dbname, c in conns.items():
            try:
                if copy:
                    with c.cursor().copy(sql) as stream:
                        stream.write(copy)
                    outcomes.append('copied')
                    continue
                seen = []
                for part in sql.replace('DB', dbname).split(';;'):
                    cur = c.execute(part)
                    while True:
                        seen.append((cur.statusmessage, cur.fetchall() if cur.description else None))
                        if not cur.nextset():
                            break
                outcomes.append(seen)
            except psycopg.Error as e:
                outcomes.append((e.sqlstate, e.diag.message_primary))
                if c.info.transaction_status:
                    c.execute('rollback')
        if outcomes[0] != outcomes[1]:
            raise Problem(f'{sql}: {outcomes[0]} without, {outcomes[1]} with')
        return outcomes[0]

    def walk(self):
        done, failed, probes, matches, user = 0, 0, 0, 0, 1000
        goals = self.roots['walked']
        for step in WALK:
            user += 1
            if isinstance(step, str) or step[0] in ('root', 'copy'):
                if isinstance(step, str):
                    outcome = self.both(self.owners, step)
                elif step[0] == 'root':
                    outcome = self.both(self.roots, step[1])
                else:
                    outcome = self.both(self.owners, step[1], step[2].format(id=user))
                done, failed = done + 1, failed + isinstance(outcome, tuple)
                continue
            _, table, times, change, message, insert = step
            self.both(self.owners, insert.format(t=table, id=user))
            if message:
                goals.execute('select goals.record_sent(%s, %s)', (message, str(user)))
            self.both(self.owners, change.format(t=table, id=user))
            got = goals.execute("select count(*) from goals.message m, goals.matches(m.name) x where x.user_key = %s", (str(user),)).fetchone()[0]
            if got != times:
                raise Problem(f'{change.format(t=table, id=user)} after {done} statements of the walk: {got} matches, expected {times}')
            probes, matches, done = probes + 1, matches + got, done + 2
        for table in ('log', 'plans'):
            self.both(self.roots, f"select to_regclass('{table}')")
        goals.execute('select goals.roll_up()')
        goals.execute('select goals.roll_up()')
        total = goals.execute('select sum(matched) from goals.message_stats').fetchone()[0]
        if total != matches or goals.execute('select count(*) from goals.verify()').fetchone()[0]:
            raise Problem(f'{matches} matches seen, {total} in the figures')
        return f'{done} statements in a row end as on an untracked twin ({failed} fail on both), {probes} changes match as often as they should ({matches})'
