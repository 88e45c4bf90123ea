"""A scratch database with the extension's SQL (sql/00..60) and stubs for what is written in Rust."""
import glob, os, time, psycopg
HERE = os.path.dirname(os.path.abspath(__file__))

def script():
    out = []
    for f in sorted(glob.glob(os.path.join(HERE, '../../sql/[0-6]*.sql'))):
        text = ''.join(l for l in open(f) if 'pg_extension_config_dump' not in l)
        if os.path.basename(f).startswith('20_'): text = open(os.path.join(HERE, 'stub.sql')).read()
        if 'MODULE_PATHNAME' not in text: out.append(text)              # else: declares functions of the library
    return '\n'.join(out)

def connect(db, **kw):
    return psycopg.connect(dbname=db, autocommit=True, **kw)

def create(db):
    with connect('postgres') as c:
        c.execute(f'DROP DATABASE IF EXISTS {db} WITH (FORCE)')
        c.execute(f'CREATE DATABASE {db}')
    with connect(db) as c, c.transaction():
        c.execute(script())

def roll_up_all(c):
    """Until nothing is left: somebody else's transaction (autovacuum's, too) may hold a call up."""
    for _ in range(200):
        c.execute('SELECT goals.roll_up()')
        if not c.execute('SELECT count(*) FROM goals.tail()').fetchone()[0]: return
        time.sleep(.05)
    raise AssertionError('a tail is left')
