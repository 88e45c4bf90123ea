"""DDL that nobody expects, with an application's statements between: each of them succeeds, whatever has been done to the extension's own tables,
and whatever types the columns of its tables have."""
import os, random, re
from load import Problem, psycopg

# Of the extension's own tables, indexes and sequences. What the server refuses is no matter.
OURS = {
    'table': ['source', 'message', 'variant', 'goal', 'goal_stop', 'revision', 'receipt', 'engagement', 'match_log', 'ignored', 'total', 'watermark', 'next_watermark'],
    'index': ['receipt_user_idx', 'receipt_id_idx', 'engagement_receipt_idx', 'match_log_receipt_idx', 'ignored_source_idx', 'engagement_id_idx', 'match_log_id_idx', 'receipt_sent_idx'],
    'sequence': ['receipt_id_seq', 'engagement_id_seq', 'match_id_seq'],
}
COLUMNS = ['receipt_id', 'sent_at', 'users_source_id', 'revision_id', 'user_key', 'already', 'baseline', 'match_id', 'matched_at', 'goal_id', 'old_value', 'new_value', 'worth', 'at', 'kind',
           'reason', 'name', 'first_at', 'source_id', 'attached', 'goal_ids', 'message_id', 'variant_id', 'weight', 'times', 'properties', 'value']
TYPES = ['text', 'varchar', 'bigint', 'integer', 'smallint', 'jsonb', 'numeric', 'timestamptz', 'timestamp', 'name', 'bytea', 'integer[]', 'text collate "POSIX"', '"char"', 'double precision']
DEFAULTS = ["'x'", '1', 'now()', 'null', '1 / 0', "current_user", 'gen_random_uuid()::text', "(select 1)", 'random()']


# Functions in PL/pgSQL declare rows of these. Where one is made anew, a session that knows the old row type gets the server's own XX000.
ROWS = re.compile(r"goals\.(total|watermark|next_watermark|revision) (rename to|set schema|drop column|cascade)|drop table goals\.(total|watermark|next_watermark|revision)")


def of_ours(rand):
    """A statement drawn at random."""
    while ROWS.search(drawn := draw(rand)):
        pass
    return drawn


def draw(rand):
    kind = rand.choice(['table'] * 6 + ['index'] * 3 + ['sequence'])
    name = rand.choice(OURS[kind])
    column, other = rand.choice(COLUMNS), rand.choice(COLUMNS)
    if kind == 'sequence':
        return f'alter sequence goals.{name} {rand.choice(["cache 20", "increment by 3", "cycle", "as integer", "maxvalue 100000", "restart", "rename to moved", "owned by none", "increment by -1"])}'
    if kind == 'index':
        table = rand.choice(OURS['table'])
        return rand.choice([f'drop index goals.{name}', f'alter index goals.{name} rename to moved', f'reindex index goals.{name}',
                            f'drop index goals.{name}; create index {name} on goals.{table} ({column})', f'drop index goals.{name}; create index {name} on goals.{table} ({column}, {other} desc)',
                            f'drop index goals.{name}; create index {name} on goals.{table} using hash ({column})', f'drop index goals.{name}; create index {name} on goals.{table} ({column}) where {column} is not null'])
    type_name, default = rand.choice(TYPES), rand.choice(DEFAULTS)
    return rand.choice([
        f'alter table goals.{name} add column extra {type_name}', f'alter table goals.{name} add column extra {type_name} not null default {default}', f'alter table goals.{name} add column extra {type_name} default {default}',
        f'alter table goals.{name} add column extra text; alter table goals.{name} alter extra set default {default}', f'alter table goals.{name} add column extra text generated always as ({column}::text) stored',
        f'alter table goals.{name} add column extra bigint generated always as identity', f'alter table goals.{name} add column extra text; alter table goals.{name} drop column extra',
        f'alter table goals.{name} alter column {column} set not null', f'alter table goals.{name} alter column {column} drop not null', f'alter table goals.{name} alter column {column} set default {default}',
        f'alter table goals.{name} alter column {column} type {type_name}', f'alter table goals.{name} alter column {column} type {type_name} using null', f'alter table goals.{name} rename column {column} to moved',
        f'alter table goals.{name} drop column {column} cascade', f'alter table goals.{name} rename to moved', f'alter table goals.{name} set schema public', f'alter table goals.{name} set unlogged',
        f'alter table goals.{name} owner to stranger', f'alter table goals.{name} enable row level security, force row level security', f'alter table goals.{name} set (fillfactor = 50)',
        f'alter table goals.{name} alter column {column} set storage external', f'alter table goals.{name} alter column {column} set compression pglz', f'alter table goals.{name} set without cluster',
        f'create index on goals.{name} ({column})', f'create index on goals.{name} ({column}, {other})', f'create index on goals.{name} ((1 / 0), {column})', f'create index on goals.{name} ({column}) where 1 / (length({column}::text) - 3) > 0',
        f'create index on goals.{name} using gin ({column})', f'create index on goals.{name} using brin ({column})', f'create unique index on goals.{name} ({column})', f'alter table goals.{name} add primary key ({column})',
        f'alter table goals.{name} add check (false) not valid', f'alter table goals.{name} add exclude using btree ({column} with =)', f'alter table goals.{name} add foreign key ({column}) references people not valid',
        f'create trigger t before insert on goals.{name} for each row execute function suppress_redundant_updates_trigger()', f'create rule r as on insert to goals.{name} do instead nothing',
        f'create table heir (more int) inherits (goals.{name})', f'create table above (like goals.{name}) partition by list ({column}); alter table above attach partition goals.{name} default',
        f'alter table goals.{name} rename to moved; create table goals.{name} (like goals.moved including all)', f'alter table goals.{name} rename to moved; create view goals.{name} as select * from goals.moved',
        f'alter table goals.{name} rename to moved; create table goals.{name} (like goals.moved) partition by hash ({column})', f'truncate goals.{name}', f'cluster goals.{name} using {rand.choice(OURS["index"])}',
        f'reindex table goals.{name}', f'alter table goals.{name} replica identity nothing', f'create statistics s on {column}, {other} from goals.{name}', f'drop table goals.{name} cascade'])


def statements(rand):
    """An application's."""
    some = f'id between {rand.randrange(1, 300)} and {rand.randrange(1, 300)}'
    return rand.sample([
        f"update users set plan = 'pro', visits = visits + 1, price = price * 2, active = not active, tags = tags || 'c'::text, custom = custom || '{{\"plan\": \"pro\"}}' where {some}",
        f"update users set doc = '{{\"plan\": \"pro\"}}', m = 'fine', name = 'x', addr = '10.0.0.2', p = row(2, 'c')::pair, r = '[2,9)', raw = '\\x00', seen_at = now() where {some}",
        "update people set plan = 'pro', score = score + 1", "update accounts set plan = 'pro'", "update regions set region = case region when 'a' then 'b' else 'a' end, plan = 'pro'",
        f"insert into events select n, 'bought', now(), '{{\"amount\": 3}}' from generate_series(1, {rand.randrange(1, 50)}) n", f"insert into sends select 'welcome', n from generate_series(1, {rand.randrange(1, 50)}) n",
        "update sends set opened_at = now(), clicked_at = now()", "insert into sends values ('nobody knows it', 1)"], 4)


def drawn_for(fuzz):
    """The same DDL in every run, unless SEED says otherwise: what goes wrong in one goes wrong in all."""
    return random.Random(f"{os.environ.get('SEED', '')} {fuzz.dbname} DDL")


def our_tables(fuzz, rounds):
    """Each round: some DDL, statements of the application, calls, reading; all of it is rolled back."""
    c, rand, done, refused = fuzz.c, drawn_for(fuzz), 0, 0
    for _ in range(rounds):
        said = []
        c.execute('begin')
        # (everything is published)
        c.execute('alter table sends replica identity full')
        try:
            for _ in range(rand.choice((1, 1, 2, 3))):
                ddl = of_ours(rand)
                c.execute('savepoint ddl')
                try:
                    c.execute(ddl)
                    said.append(ddl)
                    done += 1
                except psycopg.Error as e:
                    if c.broken:
                        raise Problem(f'{fuzz.dbname}: the backend is gone after {said} {ddl}: {e}') from e
                    c.execute('rollback to ddl')
                    refused += 1
            for sql in statements(rand):
                try:
                    c.execute(sql)
                except psycopg.Error as e:
                    raise Problem(f'{fuzz.dbname}: {e.sqlstate} {e} after {"; ".join(said)}: {sql}') from e
            for call in ("goals.record_sent('welcome', 1::bigint)", "goals.record_opened('welcome', 1::bigint)", "goals.record_event(1::bigint, 'bought')", 'goals.health()', 'goals.message_stats', 'goals.roll_up()',
                         "goals.forget_user(2::bigint, 'users')", 'goals.verify()'):
                c.execute('savepoint call')
                try:
                    c.execute(f'select count(*) from {call}')
                except psycopg.Error as e:
                    if c.broken or e.sqlstate[:2] == 'XX':
                        raise Problem(f'{fuzz.dbname}: {e.sqlstate} {e} after {"; ".join(said)}: {call}') from e
                    c.execute('rollback to call')
        finally:
            if not c.broken:
                c.execute('rollback')
    fuzz.works()
    return f'{done} changes of our tables, {refused} refused'


BASES = ['int', 'text', 'numeric', 'jsonb', 'json', 'uuid', 'inet', 'timestamptz', 'interval', 'bytea', 'mood', 'small', 'pair', 'int4range', 'tsvector', 'bit(3)', 'box', 'xid', 'money', 'char(3)', 'oid', 'regclass', 'point', 'int[]', 'text[]', 'float8']
LITERALS = ["'1'", "'(1,2)'", "'{1,2}'", "'[1,2)'", "'{[1,2),[3,4)}'", "''", "'x'", 'null', "'{\"a\": 1}'", "'2020-01-01'", "'(,)'", "'{}'", "'{(1,x)}'"]
OPERATORS = ['is', 'is not', 'is any of', 'contains', 'does not contain', 'has any value', 'is unknown', 'is changed', 'greater than', 'at most', 'is increased', 'is decreased', 'is increased by', 'starts with']


def compose(rand, n, known):
    """A statement that makes a type of those known, whose names it is added to."""
    part = lambda: rand.choice(BASES + known * 3)
    name = f'made_{n}'
    made = rand.choice([f'create type {name} as ({", ".join(f"c{i} {part()}" for i in range(rand.randrange(1, 4)))})', f'create domain {name} as {part()}', f'create domain {name} as {part()} check (value is not null)',
                        f"create domain {name} as {part()} not null default {rand.choice(LITERALS)}", f'create type {name} as range (subtype = {part()})', f"create type {name} as enum ('1', 'x', '')", f'create domain {name} as {part()}[]'])
    return name, made


def types(fuzz, rounds):
    """Each round: types composed at random, a table of them, goals on its columns, rows that change."""
    c, rand, goals, changes = fuzz.c, drawn_for(fuzz), 0, 0
    for _ in range(rounds):
        known, said = [], []

        def attempt(sql):
            c.execute('savepoint one')
            try:
                c.execute(sql)
                said.append(sql)
                return True
            except psycopg.Error as e:
                if c.broken or e.sqlstate[:2] == 'XX':
                    raise Problem(f'{fuzz.dbname}: {e.sqlstate} {e}: {"; ".join(said + [sql])}') from e
                c.execute('rollback to one')
                return False

        c.execute('begin')
        try:
            for n in range(rand.randrange(1, 6)):
                name, made = compose(rand, n, known)
                if attempt(made):
                    known.append(name)
            columns = [f'c{n} {rand.choice(known or BASES)}{rand.choice(["", "", "[]"])}' for n in range(3)]
            if not attempt(f'create table made (id int primary key, {", ".join(columns)})') or not attempt("select goals.track_users('made')") or not attempt("select goals.create_message('made', users => 'made')"):
                continue
            attempt('insert into made (id) select n from generate_series(1, 5) n')
            for n in range(9):
                column, operator, value = f'c{n % 3}', rand.choice(OPERATORS), rand.choice(LITERALS)
                goals += attempt(f"select goals.set_goal('made', '{column}', '{operator}', {value}, '1 day', goal => 'g{n}')")
            attempt("select goals.record_sent('made', array['1', '2', '3', '4'])")
            for n in range(6):
                column, value, row = f'c{n % 3}', rand.choice(LITERALS), rand.randrange(1, 6)
                change = f'update made set {column} = {value} where id = {row}'
                # what fails without the trigger may fail
                c.execute('alter table made disable trigger user')
                alone = attempt(change)
                if alone:
                    c.execute('rollback to one')
                c.execute('alter table made enable trigger user')
                if attempt(change) != alone:
                    raise Problem(f'{fuzz.dbname}: only {"with" if not alone else "without"} the trigger: {"; ".join(said)}; {change}')
                changes += alone
            for call in ("goals.matches('made')", "goals.explain('made', 1)", 'goals.health()'):
                if not attempt(f'select count(x::text) from {call} x'):
                    raise Problem(f'{fuzz.dbname}: {call} fails: {"; ".join(said)}')
        finally:
            if not c.broken:
                c.execute('rollback')
    fuzz.works()
    return f'{goals} goals on columns of composed types, {changes} changes'
