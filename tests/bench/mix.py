"""Many clients at once, doing what an application does, with and without the extension."""

import re
import threading
import time

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

# Waits for locks of ours: an advisory lock is roll_up's, which it never waits for.
WAITS = """
select count(*) from pg_locks l left join pg_class c on c.oid = l.relation
where not l.granted and (c.relnamespace = 'goals'::regnamespace or l.locktype = 'advisory')
"""


PLAIN, OURS, BUSY = "no extension", "pg_goals", "pg_goals, rolled up and read every second"


class Beside(threading.Thread):
    """Rolls up and reads the figures all the while, and looks for anybody who waits for one of our locks."""

    def __init__(self, database):
        super().__init__()
        self.database, self.ended, self.reads, self.rolls, self.waits = database, threading.Event(), [], [], 0

    def run(self):
        with Session(self.database) as session:
            due = 0
            while not self.ended.wait(0.05):
                self.waits += int(session.run(WAITS))
                if time.monotonic() >= due:
                    due = time.monotonic() + 1
                    self.rolls.append(session.time("select goals.roll_up()"))
                    self.reads.append(session.time("select * from goals.message_stats"))


def mix(server):
    users, levels, seconds = sized(100_000, 20_000), sized([1, 2, 8, 32], [1, 32]), sized(4, 1)
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
    server.session.run("alter system set autovacuum = on")
    server.session.run("select pg_reload_conf()")
    scripts = {script.format(users=users): weight for script, weight in MIX.items()}
    loads, waits, reads, rolls = {}, 0, [], []

    def measure(variant):
        nonlocal waits
        clients, kind = variant
        database = "mix_plain" if kind == PLAIN else "mix_ours"
        if kind == OURS:
            # What the others left is not this one's to roll up.
            psql(database, "select goals.roll_up()")
        beside = Beside(database) if kind == BUSY else None
        if beside:
            beside.start()
        try:
            load = pgbench(server, database, scripts, clients, seconds=seconds)
        finally:
            if beside:
                beside.ended.set()
                beside.join()
                waits += beside.waits
                reads.extend(beside.reads)
                rolls.extend(beside.rolls)
        loads.setdefault(variant, []).append(load)
        return load.sample()

    variants = [(clients, kind) for clients in levels for kind in (PLAIN, OURS, BUSY)]
    samples = interleaved(variants, measure)
    deadlocks = server.session.run("select sum(deadlocks) from pg_stat_database where datname like 'mix_%'")
    log = (server.home / "log").read_text(errors="replace")
    server.session.run("alter system reset autovacuum")
    server.session.run("select pg_reload_conf()")
    for database in ("mix_plain", "mix_ours"):
        server.drop(database)

    for clients in levels:
        p99 = []
        for kind in (PLAIN, OURS, BUSY):
            figure.add(f"{clients} clients, {kind}", samples[clients, kind], samples[clients, PLAIN])
            p99.append(middle([load.p99 for load in loads[clients, kind]]))
            figure.rows[-1]["p99"] = p99[-1]
        figure.note(f"{clients} clients: 99 % of the transactions within {' / '.join(f'{t * 1e3:.1f}' for t in p99)} ms, in this order")
    long_waits = len(re.findall(r"still waiting for", log))
    figure.reach("waits seen for a lock of pg_goals", waits, "<=", 0)
    roll, look = Sample.middle(rolls), Sample.middle(reads)
    figure.note(f"{BUSY}: roll_up {roll.wall * 1e3:.0f} ms (CPU {roll.cpu * 1e3:.0f}), message_stats {look.wall * 1e3:.0f} ms (CPU {look.cpu * 1e3:.0f})")
    figure.note(f"deadlocks {deadlocks}; waits of over a second for any lock, in the log {long_waits}")
    figure.note("CPU: transactions that a second of the backends' processor time is enough for")
    return figure
