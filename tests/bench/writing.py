"""What a tracked users table's own statements cost."""

from harness import ROUNDS, Figure, Session, interleaved, pgbench, psql, sized

# What the rows are called, and the trigger that fires alone (peers.sql).
NONE, EMPTY, OURS = "no trigger", "empty trigger in C", "pg_goals"
HAND, WHEN, JSONB = "plpgsql by hand", "plpgsql by hand, with WHEN", "plpgsql, to_jsonb diff"
STATEMENT, KEY = "plpgsql, statement and transition tables", "foreign key on the column"
TRIGGERS = {
    NONE: "none", EMPTY: "empty", OURS: "pg_goals", HAND: "by_hand", WHEN: "by_hand_when", JSONB: "by_jsonb",
    STATEMENT: "by_statement", KEY: "references",
}


def bulk(server, name, title, column, matches, rows, every=30, variants=tuple(TRIGGERS), memory=False):
    """One UPDATE of every row. The table is vacuumed before each, so that all find it alike."""
    figure = Figure(name, f"{title}, {rows:,} rows")
    server.create_users("bulk", rows, every)
    update = f"update users set {column} = {column} + 1"

    def prepare(session, variant):
        trigger = TRIGGERS[variant] + (f" {column}" if variant == KEY else "")
        session.run(f"select peer.use('{trigger}'), peer.forget_matches()")
        session.run("vacuum users, goals.match_log, peer.match")

    def check(session, variant):
        found = int(session.run("select peer.matches()"))
        expected = rows // every if matches and variant not in (NONE, EMPTY, KEY) else 0
        if found != expected:
            raise RuntimeError(f"{variant}: {found} matches where there should be {expected}")

    with Session("bulk") as session:

        def measure(variant):
            prepare(session, variant)
            sample = session.time(update)
            check(session, variant)
            return sample

        # The table gets its final size, and its pages their first images in the WAL.
        server.checkpoint()
        for _ in range(2):
            measure(NONE)
        samples = interleaved(list(variants), measure)
    figure.add_all(samples, NONE)
    for variant in variants if memory else ():
        with Session("bulk") as session:
            # Not one row first: plpgsql would keep the plan for one, and join the transition tables by it.
            prepare(session, variant)
            figure.add_memory(f"{variant}: memory meanwhile", session.peak(update)[1])
            check(session, variant)
    server.drop("bulk")
    return figure, samples


def bulk_quiet(server):
    title = "bulk UPDATE, no goal attribute changed"
    figure, samples = bulk(server, "bulk_quiet", title, "touched", matches=False, rows=sized(300_000, 3_000))
    figure.reach_ratio("pg_goals over no trigger", samples[OURS], samples[NONE], "<=", 1.6)
    figure.reach_ratio("pg_goals over an empty trigger in C", samples[OURS], samples[EMPTY], "<=", 1.15)
    return figure


def bulk_match(server):
    title = "bulk UPDATE, counter with a goal changed, 1 user in 30 pending"
    figure, samples = bulk(server, "bulk_match", title, "logins", matches=True, rows=sized(300_000, 3_000))
    figure.reach_ratio("pg_goals over plpgsql by hand", samples[OURS], samples[HAND], "<=", 0.5)
    figure.reach_ratio("pg_goals over the to_jsonb diff", samples[OURS], samples[JSONB], "<=", 0.12)
    return figure


def million(server):
    title = "one UPDATE, counter with a goal changed, 1 user in 10 pending"
    variants = (NONE, EMPTY, OURS, HAND, STATEMENT)
    rows = sized(1_000_000, 20_000)
    figure, samples = bulk(server, "million", title, "logins", True, rows, every=10, variants=variants, memory=True)
    figure.reach_ratio("pg_goals over plpgsql by hand", samples[OURS], samples[HAND], "<=", 0.5)
    figure.note("memory: what the backend has at most of its own while it runs; PostgreSQL's queue of row events is in it")
    return figure


def one_row(server):
    """UPDATE by primary key, a commit each. Every user has a receipt and is met once a run, so that every change of the counter is
    a match; peers that do not match show what the rest is made of."""
    # Short ones, and more of them: a commit waits for a disk that others use as well, now more, now less.
    rows, clients, seconds, rounds = sized(300_000, 20_000), 2, sized(2, 1), sized(4 * ROUNDS, ROUNDS)
    figure = Figure("one_row", f"one-row UPDATE by key, pgbench, prepared, {clients} clients, {rows:,} users", "tps")
    server.create_users("one_row", rows, every=1)
    quiet = {f"{v}: no goal attribute changed": ("touched", v) for v in (NONE, EMPTY, OURS, HAND, JSONB, STATEMENT)}
    match = {f"{v}: match every time": ("logins", v) for v in (NONE, OURS, HAND, JSONB, STATEMENT, KEY)}
    variants = quiet | match

    def measure(variant):
        column, trigger = variants[variant]
        name = TRIGGERS[trigger] + (f" {column}" if trigger == KEY else "")
        psql("one_row", f"select peer.use('{name}'), peer.forget_matches()")
        psql("one_row", "vacuum users, goals.match_log, peer.match")
        # A prime that divides no number of rows here: each client walks the table in an order of its own and meets no user twice.
        script = (
            f"\\set id (:i * {clients} + :client_id) * 7919 % {rows} + 1\n"
            f"update users set {column} = {column} + 1 where id = :id;\n"
            "\\set i :i + 1\n"
        )
        load = pgbench(server, "one_row", {script: 1}, clients, seconds=seconds, i=0)
        if column == "logins" and trigger not in (NONE, KEY):
            done = min(load.transactions, rows)
            if int(psql("one_row", "select peer.matches()")) != done:
                raise RuntimeError(f"{variant}: not every one of {done} updates was a match")
        return load.sample()

    server.checkpoint()
    for column in ("touched", "logins"):
        psql("one_row", f"update users set {column} = {column}")
    samples = interleaved(list(variants), measure, rounds)
    figure.rounds = rounds
    server.drop("one_row")
    for part in (quiet, match):
        base = next(iter(part))
        for variant in part:
            figure.add(variant, samples[variant], samples[base])
    none, ours = (f"{v}: no goal attribute changed" for v in (NONE, OURS))
    figure.reach_ratio("throughput, no goal attribute changed", samples[ours], samples[none], ">=", 0.97)
    none, ours = (f"{v}: match every time" for v in (NONE, OURS))
    figure.reach_ratio("throughput, a match every time", samples[ours], samples[none], ">=", 0.90)
    figure.note("CPU: updates that a second of the backends' processor time is enough for")
    return figure
