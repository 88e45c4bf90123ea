"""Scripts of a few sessions, played step by step: the next step is taken only when the one before it has ended or waits for a lock. So the
same script gives the same outcome every time, waits, deadlocks and serialization failures included, and two databases can be compared."""
import time
from load import Problem
from psycopg.pq import DiagnosticField, ExecStatus

USERS = 12
TABLES = """
create table users (id bigint primary key, plan text default 'free', visits int not null default 0, note text) with (autovacuum_enabled = off, fillfactor = 50);
create table events (id bigserial, user_id bigint not null, name text not null) with (autovacuum_enabled = off);
create table sends (id bigserial, user_id bigint not null, message text not null, opened_at timestamptz) with (autovacuum_enabled = off);
create table orders (id bigserial, user_id bigint references users on update cascade) with (autovacuum_enabled = off);
create index on sends (user_id);
"""
RESET = f"""
truncate users, events, sends, orders restart identity;
insert into users (id) select i from generate_series(1, {USERS}) i;
insert into sends (user_id, message) select i, 'm' from generate_series(1, {USERS}) i;
"""
LEVELS = ('read committed', 'repeatable read', 'serializable')


def statement(own):
    """One statement of an application, as (what it shows, SQL)."""
    i, j = own.randrange(1, 6), own.randrange(1, 6)
    low, high, plan = min(i, j), max(i, j), own.choice(('free', 'pro', 'team'))
    order = own.choice(('', ' desc'))
    bulk = f"(select id from users where id between {low} and {high} order by id{order} for no key update) s where s.id = u.id"
    lock, how = own.choice(('update', 'no key update', 'share', 'key share')), own.choice(('', '', ' nowait', ' skip locked'))
    kinds = [
        (6, 'update', f"update users set plan = '{plan}', visits = visits + 1 where id = {i}"),
        (5, 'bulk', f"update users u set plan = '{plan}', visits = visits + 1 from {bulk}"),
        (2, 'same', f"update users set plan = plan where id between {low} and {high}"),
        (5, 'lock', f"select id, plan, visits from users where id between {low} and {high} order by id{order} for {lock}{how}"),
        (3, 'read', f"select count(*), sum(visits) from users where id between {low} and {high}"),
        (2, 'read', "select count(*) from users where plan = 'pro'"),
        (2, 'upsert', f"insert into users as u (id) values ({own.randrange(1, USERS + 4)}) on conflict (id) do update set visits = u.visits + 1, plan = 'pro'"),
        (1, 'insert', f"insert into users (id, plan) values ({USERS + own.randrange(1, 4)}, 'pro')"),
        (1, 'delete', f"delete from users where id = {i}"),
        (2, 'key', f"update users set id = id + 100 where id = {i}"),
        (1, 'keys', f"update users set id = id + 100 where id between {low} and {high}"),
        (1, 'key', f"update users set id = id - 100, plan = '{plan}' where id = {i + 100}"),
        (1, 'key', f"update users set id = {j} where id = {i}"),
        (2, 'order', f"insert into orders (user_id) values ({i})"),
        (3, 'event', f"insert into events (user_id, name) select id, 'buy' from generate_series({low}, {high}) id"),
        (2, 'send', f"insert into sends (user_id, message) values ({i}, '{own.choice('mq')}')"),
        (2, 'open', f"update sends set opened_at = clock_timestamp() where user_id = {i} and opened_at is null"),
        (1, 'table', own.choice(('lock table users in share mode nowait', 'lock table events in share row exclusive mode', 'lock table sends in share mode nowait'))),
        (1, 'merge', f"merge into users u using (values ({i}), ({USERS + 2})) v (id) on u.id = v.id when matched then update set visits = visits + 1, plan = 'team' when not matched then insert (id) values (v.id)"),
    ]
    weight, shown, sql = own.choices(kinds, [k[0] for k in kinds])[0]
    return shown, sql


def script(own):
    """Sessions, each a list of statements; the last ends its transaction."""
    sessions, levels = [], own.choice((LEVELS, LEVELS, LEVELS[1:2], LEVELS[2:]))
    for _ in range(own.choice((2, 3, 3))):
        todo = [('begin', f'begin isolation level {own.choice(levels)}')]
        if own.random() < .25:
            todo.append(('patience', "set local lock_timeout = '50ms'"))
        for n in range(own.randrange(2, 5)):
            if own.random() < .2:
                todo.append(('savepoint', f'savepoint s{n}'))
                todo.append(statement(own))
                todo.append(('back', f'rollback to s{n}'))
            else:
                todo.append(statement(own))
        todo.append(('end', own.choice(('commit', 'commit', 'commit', 'rollback'))))
        sessions.append(todo)
    return sessions


class Player:
    def __init__(self, server, dbname):
        self.dbname = dbname
        self.control = server.connect(dbname, application_name='player')
        self.sessions = [server.connect(dbname, application_name='app', options='-c enable_seqscan=off -c deadlock_timeout=10ms') for _ in range(3)]
        self.pids = [c.info.backend_pid for c in self.sessions]

    def ended(self, n):
        """What the statement of session n has come to; None while it runs."""
        conn = self.sessions[n].pgconn
        conn.consume_input()
        if conn.is_busy():
            return None
        outcome = None
        while (result := conn.get_result()) is not None:
            if result.status == ExecStatus.FATAL_ERROR:
                outcome = (result.error_field(DiagnosticField.SQLSTATE) or b'?').decode()
            else:
                rows = tuple(tuple(result.get_value(r, f) for f in range(result.nfields)) for r in range(result.ntuples))
                outcome = (result.command_status or b'').decode(), rows
        return outcome

    def waits(self, n):
        return self.control.execute("select wait_event_type = 'Lock' and wait_event <> 'extend' from pg_stat_activity where pid = %s", (self.pids[n],)).fetchone()[0]

    def finish(self, n):
        """Until the statement of session n has ended."""
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if (outcome := self.ended(n)) is not None:
                return outcome
            time.sleep(.001)
        raise Problem(f'{self.dbname}: a statement does not end')

    def settle(self, n):
        """Until the statement of session n has ended, or waits and goes on waiting after everybody has looked for deadlocks."""
        until, waiting = time.monotonic() + 30, 0
        while time.monotonic() < until:
            if (outcome := self.ended(n)) is not None:
                return outcome
            waiting = waiting + 1 if self.waits(n) else 0
            if waiting > 8:
                return None
            time.sleep(.004 if waiting else .0005)
        raise Problem(f'{self.dbname}: a statement neither ends nor waits')

    def play(self, own, sessions):
        """Plays a script and answers the whole course of it."""
        self.control.execute(RESET)
        left = [list(s) for s in sessions]
        impatient = [any(shown == 'patience' for shown, _ in s) for s in sessions]
        waiting, course = {}, []

        def look():
            """Those that waited and do so no more. One may let another go on."""
            changed = True
            while changed:
                changed = False
                for n in sorted(waiting):
                    if not self.waits(n) and (outcome := self.settle(n)) is not None:
                        course.append((n, waiting.pop(n), 'then', outcome))
                        changed = True

        while any(left) or waiting:
            look()
            ready = [n for n in range(len(left)) if left[n] and n not in waiting]
            if not ready:
                if not waiting:
                    break
                time.sleep(.005)
                continue
            n = own.choice(ready)
            shown, sql = left[n].pop(0)
            self.sessions[n].pgconn.send_query(sql.encode())
            outcome = self.settle(n)
            if outcome is None and impatient[n]:
                outcome = self.finish(n)
            if outcome is None:
                waiting[n] = sql
                course.append((n, sql, 'waits', None))
                if len(waiting) > 1:
                    # Let go by one commit, two would run a race that nobody can play again: here the script ends, and all is undone.
                    for k in waiting:
                        self.control.execute('select pg_cancel_backend(%s)', (self.pids[k],))
                        self.finish(k)
                    for k in range(len(left)):
                        self.sessions[k].pgconn.send_query(b'rollback')
                        self.finish(k)
                    break
            else:
                course.append((n, sql, '', outcome))
        course.append(('end', '', '', self.control.execute('select array_agg((id, plan, visits) order by id)::text, (select count(*) from orders), (select count(*) from events), '
                                                           '(select count(opened_at) from sends) from users').fetchone()))
        return course

    def close(self):
        for c in [*self.sessions, self.control]:
            c.close()
