"""Many clients at once, doing what an application does, with and without the extension."""

import re
import threading
from contextlib import ExitStack

from harness import Figure, Sample, Session, interleaved, middle, pgbench, psql, sized

# The application's statements are the same in both; where pg_goals is, the three tables are tracked.
TABLES = """
create table events (user_id bigint not null, event text not null, at timestamptz not null, properties jsonb not null);
create index on events (user_id, at);
create table sent (
    id bigint generated always as identity primary key, message text not null, user_id bigint not null, at timestamptz not null,
    opened_at timestamptz);
create index on sent (user_id, at);
insert into sent (message, user_id, at) select 'welcome', id, clock_timestamp() from users;
alter table users set (autovacuum_enabled = on);
"""

MIX = {
    "\\set id random(1, {users})\nupdate users set touched = touched + 1, last_seen_at = now() where id = :id;\n": 8,
    "\\set id random(1, {users})\nupdate users set logins = logins + 1 where id = :id;\n": 6,
    "\\set id random(1, {users})\ninsert into events values (:id, 'visit', clock_timestamp(), '{{\"page\": 1}}');\n": 4,
    "\\set id random(1, {users})\ninsert into sent (message, user_id, at) values ('welcome', :id, clock_timestamp());\n": 1,
    "\\set id random(1, {users})\nupdate sent set opened_at = coalesce(opened_at, now()) where id = :id;\n": 1,
}

# Waits for locks of ours, at this moment; nobody is to wait for that of roll_up, which is on a table. Whoever inserts into a table that is just
# being made longer waits for that to be done, a page or a few, with any table; that is not held to the end of a transaction.
WAITS = """
select count(*) filter (where l.locktype <> 'extend') || ' ' || count(*) filter (where l.locktype = 'extend')
from pg_locks l left join pg_class c on c.oid = l.relation
where not l.granted and c.relnamespace = 'goals'::regnamespace
"""
# And every longer one is in the log, with the relation: by its number if it is the relation itself, by name if it is a row.
LOGGED = re.compile(
    r"still waiting for \w+ on (?:.*?relation (\d+)|transaction|virtual transaction).*"
    r"(?:\n.* DETAIL: .*)?(?:\n.* CONTEXT: .*relation \"(\w+)\")?"
)
LOGGED_AFTER = "20ms"

PLAIN, OURS, BUSY = "no extension", "pg_goals", "pg_goals, rolled up and read every second"


class Worker(threading.Thread):
    """Does something in a session of its own, again and again, until it is told to end."""

    def __init__(self, database, every, work):
        super().__init__()
        self.database, self.every, self.work, self.ended, self.error = database, every, work, threading.Event(), None

    def run(self):
        try:
            with Session(self.database) as session:
                while not self.ended.wait(self.every):
                    self.work(session)
        except Exception as error:
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()
        if self.error:
            raise self.error


def logged_waits(log, known):
    """Waits that the server has logged: for locks of ours, and for all others (the application's own rows)."""
    ours = others = 0
    for relation, row in LOGGED.findall(log):
        if relation in known or row in known:
            ours += 1
        else:
            others += 1
    return ours, others


def mix(server):
    users, levels, seconds = sized(100_000, 5_000), sized([1, 2, 8, 16, 32], [1, 16]), sized(4, 1)
    figure = Figure("mix", f"pgbench mix of 70 % updates, 20 % events, 10 % sends and opens, {users:,} users", "tps")
    for database in ("mix_plain", "mix_ours"):
        server.create_users(database, users, every=users * 2)
        with Session(database) as session:
            session.run(TABLES)
            if database == "mix_ours":
                session.run(
                    """select peer.use('pg_goals');
                       select goals.track_events('events', 'user_id', 'event', 'at', 'properties');
                       select goals.track_receipts('sent', 'message', 'user_id', 'at', 'opened_at');
                       select goals.set_goal('welcome', event => 'visit', time_limit => '14 days', goal => 'visit');
                       select goals.record_sent('welcome', array(select id::text from users));
                       select goals.roll_up()"""
                )
                oids = session.run("select oid || ' ' || relname from pg_class where relnamespace = 'goals'::regnamespace").split()
    log = server.home / "log"
    began = log.stat().st_size
    for setting in ("autovacuum = on", f"deadlock_timeout = '{LOGGED_AFTER}'"):
        server.session.run(f"alter system set {setting}")
    server.session.run("select pg_reload_conf()")
    scripts = {script.format(users=users): weight for script, weight in MIX.items()}
    loads, waits, extensions, reads, rolls = {}, [], [], [], []

    def look(session):
        seen, longer = map(int, session.run(WAITS).split())
        waits.append(seen)
        extensions.append(longer)

    def keep_house(session):
        rolls.append(session.time("select goals.roll_up()"))
        reads.append(session.time("select * from goals.message_stats"))

    def measure(variant):
        clients, kind = variant
        database = "mix_plain" if kind == PLAIN else "mix_ours"
        if kind == OURS:
            # What the others left is not this one's to roll up.
            psql(database, "select goals.roll_up()")
        with ExitStack() as beside:
            # Beside all of them, since looking takes time too.
            beside.enter_context(Worker(database, 0.05, look))
            if kind == BUSY:
                beside.enter_context(Worker(database, sized(1, 0.2), keep_house))
            load = pgbench(server, database, scripts, clients, seconds=seconds)
        loads.setdefault(variant, []).append(load)
        return load.sample()

    variants = [(clients, kind) for clients in levels for kind in (PLAIN, OURS, BUSY)]
    samples = interleaved(variants, measure)
    deadlocks = server.session.run("select sum(deadlocks) from pg_stat_database where datname like 'mix_%'")
    ours, others = logged_waits(log.read_bytes()[began:].decode(errors="replace"), oids)
    server.session.run("alter system reset all")
    server.session.run("select pg_reload_conf()")
    for database in ("mix_plain", "mix_ours"):
        server.drop(database)

    for clients in levels:
        who = f"{clients} client{'' if clients == 1 else 's'}"
        p99 = []
        for kind in (PLAIN, OURS, BUSY):
            late = [load.p99 for load in loads[clients, kind]]
            p99.append(middle(late))
            more = {"series": kind, "x": clients, "p99": p99[-1], "p99_range": [min(late), max(late)]}
            figure.add(f"{who}, {kind}", samples[clients, kind], samples[clients, PLAIN], **more)
        figure.note(f"{who}: 99 % of the transactions within {' / '.join(f'{t * 1e3:.1f}' for t in p99)} ms, in this order")
    figure.reach("waits for a lock of pg_goals, seen or logged", sum(waits) + ours, "<=", 0)
    roll, read = Sample.middle(rolls), Sample.middle(reads)
    house = (f"{what} {s.wall * 1e3:.0f} ms (CPU {s.cpu * 1e3:.0f})" for what, s in (("roll_up", roll), ("message_stats", read)))
    figure.note(f"{BUSY}: {', '.join(house)}")
    figure.note(
        f"waits of over {LOGGED_AFTER} in the log: {ours} for locks of pg_goals, {others} for others; {len(waits):,} looks at all locks, which met "
        f"{sum(extensions)} waits for a table to be made longer"
    )
    figure.note(f"deadlocks {deadlocks}")
    figure.note("CPU: transactions that a second of the backends' processor time is enough for")
    return figure
