"""A database with nothing but the extension in it."""
import time

import psycopg


def connect(db, **kw):
    return psycopg.connect(dbname=db, autocommit=True, **kw)


def create(db):
    with connect('postgres') as c:
        c.execute(f'DROP DATABASE IF EXISTS {db} WITH (FORCE)')
        c.execute(f'CREATE DATABASE {db}')
    with connect(db) as c:
        c.execute('CREATE EXTENSION pg_goals')


def drop(db):
    with connect('postgres') as c:
        c.execute(f'DROP DATABASE IF EXISTS {db} WITH (FORCE)')


def roll_up_all(c):
    """Until nothing is left: somebody else's transaction (autovacuum's, too) may hold a call up."""
    for _ in range(200):
        c.execute('SELECT goals.roll_up()')
        if not c.execute('SELECT goals_internal.behind()').fetchone()[0]: return
        time.sleep(.05)
    raise AssertionError('a tail is left')
