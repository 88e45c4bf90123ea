"""The trigger functions attached where and as they are not meant to be: every statement goes on as if they were not there."""
from load import Problem, psycopg

TIMINGS = [f'{when} {what} on %s {level}' for when in ('before', 'after') for what in ('insert', 'update', 'delete', 'insert or update or delete') for level in ('for each row', 'for each statement')]
TIMINGS += ['before truncate on %s for each statement', 'after truncate on %s for each statement',
            'after insert on %s referencing new table as n for each row', 'after update on %s referencing old table as o new table as n for each row']
ARGUMENTS = ["", "'1'", "'2'", "'6'", "'-1'", "'x'", "'99999999999999999999'", "''", "'1', '2'", "repeat"]
TABLES = {
    'abused': "create table abused (id bigint, user_id bigint, name text, at timestamptz, props jsonb, message text, plan text)",
    'abused_parts': "create table abused_parts (id bigint, user_id text, name text, plan int) partition by list (plan); create table abused_1 partition of abused_parts for values in (1); create table abused_2 partition of abused_parts default",
    'users': None, 'events': None, 'sends': None, 'regions': None}
CHANGES = ["insert into {t} ({key}) values (1)", "insert into {t} ({key}) select n from generate_series(1, 3) n", "update {t} set {key} = {key}", "update {t} set {key} = {key} || '0' where {key}::text = '3'", "delete from {t} where {key}::text = '3'", "truncate {t}"]


def misused(fuzz, some):
    """`some` of the ways, chosen at random, for each table and function."""
    c, tried = fuzz.c, 0
    functions = [f.name for f in fuzz.functions if f.trigger]
    for table, made in TABLES.items():
        key = {'abused': 'id', 'abused_parts': 'plan', 'users': 'id', 'events': 'user_id', 'sends': 'user_id', 'regions': 'id'}[table]
        for function in functions:
            for timing in fuzz.rand.sample(TIMINGS, min(some, len(TIMINGS))):
                argument = fuzz.rand.choice(ARGUMENTS)
                argument = "'" + 'x' * 1000 + "'" if argument == 'repeat' else argument
                attach = f'create trigger wrong {timing % table} execute function goals.{function}({argument})'
                outcomes = []
                for with_us in (False, True):
                    c.execute('begin')
                    try:
                        if made:
                            c.execute(made)
                        if with_us:
                            try:
                                c.execute('savepoint a')
                                c.execute(attach)
                            except psycopg.Error as e:
                                if e.sqlstate not in ('0A000', '42809', '42P17'):  # not possible for this kind of table, says PostgreSQL
                                    raise Problem(f'{attach}: {e.sqlstate} {e}') from e
                                c.execute('rollback to a')
                                break
                        outcome = []
                        for change in CHANGES:
                            change = change.format(t=table, key=key).replace("|| '0'", '+ 30')
                            c.execute('savepoint b')
                            try:
                                outcome.append((change, c.execute(change).rowcount))
                            except psycopg.Error as e:
                                outcome.append((change, e.sqlstate))
                                c.execute('rollback to b')
                        outcomes.append(outcome)
                    finally:
                        if c.broken:
                            raise Problem(f'the backend is gone after {attach}')
                        c.execute('rollback')
                if len(outcomes) == 2 and outcomes[0] != outcomes[1]:
                    raise Problem(f'{attach}: {[(a, b) for a, b in zip(*outcomes) if a != b][:3]}')
                tried += 1
    fuzz.verify()
    return tried
