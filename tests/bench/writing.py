"""What a tracked table's own statements cost, and what recording costs."""

from harness import Figure, Session, interleaved, pgbench, psql, sized

# What the rows are called, and the trigger that fires alone (peers.sql).
NONE, EMPTY, OURS = "no trigger", "empty trigger in C", "pg_goals"
HAND, WHEN, JSONB = "plpgsql by hand", "plpgsql by hand, with WHEN", "plpgsql, to_jsonb diff"
STATEMENT, KEY = "plpgsql, statement and transition tables", "foreign key on the column"
TRIGGERS = {
    NONE: "none", EMPTY: "empty", OURS: "pg_goals", HAND: "by_hand", WHEN: "by_hand_when", JSONB: "by_jsonb",
    STATEMENT: "by_statement", KEY: "references",
}


def bulk(server, name, title, column, matches):
    """One UPDATE of every row. The table is vacuumed before each, so that all find it alike."""
    rows = sized(300_000, 20_000)
    figure = Figure(name, f"{title}, {rows:,} rows")
    server.create_users("bulk", rows, every=30)
    with Session("bulk") as session:
        update = f"update users set {column} = {column} + 1"

        def measure(variant):
            trigger = TRIGGERS[variant] + (f" {column}" if variant == KEY else "")
            session.run(f"select peer.use('{trigger}'), peer.forget_matches()")
            session.run("vacuum users, goals.match_log, peer.match")
            sample = session.time(update)
            found = int(session.run("select peer.matches()"))
            expected = rows // 30 if matches and variant not in (NONE, EMPTY, KEY) else 0
            if found != expected:
                raise RuntimeError(f"{variant}: {found} matches where there should be {expected}")
            return sample

        # The table gets its final size, and its pages their first images in the WAL.
        server.checkpoint()
        for _ in range(2):
            measure(NONE)
        samples = interleaved(list(TRIGGERS), measure)
    server.drop("bulk")
    figure.add_all(samples, NONE)
    return figure, samples


def bulk_quiet(server):
    figure, samples = bulk(server, "bulk_quiet", "bulk UPDATE, no goal attribute changed", "touched", matches=False)
    figure.reach_ratio("pg_goals over no trigger", samples[OURS], samples[NONE], "<=", 1.6)
    figure.reach_ratio("pg_goals over an empty trigger in C", samples[OURS], samples[EMPTY], "<=", 1.15)
    return figure


def bulk_match(server):
    title = "bulk UPDATE, counter with a goal changed, 1 user in 30 pending"
    figure, samples = bulk(server, "bulk_match", title, "logins", matches=True)
    figure.reach_ratio("pg_goals over plpgsql by hand", samples[OURS], samples[HAND], "<=", 0.5)
    figure.reach_ratio("pg_goals over the to_jsonb diff", samples[OURS], samples[JSONB], "<=", 0.12)
    return figure


def one_row(server):
    """UPDATE by primary key, a commit each. Every user has a receipt and is met once a run, so that every change of the counter is
    a match; peers that do not match show what the rest is made of."""
    rows, clients, seconds = sized(300_000, 50_000), 2, sized(6, 1)
    figure = Figure("one_row", f"one-row UPDATE by key, pgbench, prepared, {clients} clients, {rows:,} users", "tps")
    server.create_users("one_row", rows, every=1)
    quiet = {f"{v}: no goal attribute changed": ("touched", v) for v in (NONE, EMPTY, OURS, HAND)}
    match = {f"{v}: match every time": ("logins", v) for v in (NONE, OURS, HAND, KEY)}
    variants = quiet | match
    loads = {variant: [] for variant in variants}

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
        loads[variant].append(load)
        if column == "logins" and trigger in (OURS, HAND):
            done = min(load.transactions, rows)
            if int(psql("one_row", "select peer.matches()")) != done:
                raise RuntimeError(f"{variant}: not every one of {done} updates was a match")
        return load.sample()

    server.checkpoint()
    for column in ("touched", "logins"):
        psql("one_row", f"update users set {column} = {column}")
    samples = interleaved(list(variants), measure)
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


def send(server):
    """A whole audience in one call, against putting the same rows into a table of the same columns and indexes."""
    users = sized(1_000_000, 20_000)
    figure = Figure("send", f"record_sent of an audience of {users:,}")
    server.create_users("send", users, every=users * 2)
    psql(
        "send",
        """create table plain (like goals.receipt);
           create sequence plain_id;
           create index on plain (users_id, user_key, sent_at);
           create index on plain (receipt_id);
           create index on plain (revision_id);
           select peer.use('pg_goals')""",
    )
    plain, ours = "INSERT ... SELECT into a plain table", "goals.record_sent"
    untracked, tracked = (f"INSERT of {users // 5:,} into a table of sends{what}" for what in ("", ", tracked"))
    # The mirror makes a table of the application's besides, so it is compared with that table's own insert.
    psql(
        "send",
        """create table sent (id bigint generated always as identity primary key, message text, user_id bigint, at timestamptz);
           create table sent_untracked (like sent including all);
           select goals.track_receipts('sent', 'message', 'user_id', 'at')""",
    )
    insert = f"insert into {{}} (message, user_id, at) select 'welcome', id, clock_timestamp() from users where id <= {users // 5}"
    statements = {
        plain: "insert into plain select nextval('plain_id'), clock_timestamp(), 1, 1, null, id::text, null, null from users",
        ours: "select goals.record_sent('welcome', array(select id::text from users))",
        untracked: insert.format("sent_untracked"),
        tracked: insert.format("sent"),
    }
    server.checkpoint()
    with Session("send") as session:

        def measure(variant):
            session.run("truncate plain, goals.receipt, sent, sent_untracked")
            return session.time(statements[variant])

        measure(ours)
        samples = interleaved(list(statements), measure)
        measure(ours)
        bytes_each = int(session.run("select pg_total_relation_size('goals.receipt')")) / users
        parts = session.run(
            f"""select string_agg(format('%s %s', round(pg_relation_size(oid) / {users}.0, 1), name), ', ' order by oid)
                from (select oid, relname as name from pg_class where oid = 'goals.receipt'::regclass
                      union all select indexrelid, indexrelid::regclass::text from pg_index where indrelid = 'goals.receipt'::regclass) r"""
        )
    server.drop("send")
    for variant, base in ((plain, plain), (ours, plain), (untracked, untracked), (tracked, untracked)):
        figure.add(variant, samples[variant], samples[base])
    figure.reach_ratio("record_sent over INSERT ... SELECT", samples[ours], samples[plain], "<=", 2.0)
    figure.reach("bytes on disk a receipt, indexes included, bigint key", bytes_each, "<=", 160)
    figure.note(f"bytes a receipt: {parts}")
    return figure


def events(server):
    """COPY into a table of events: not tracked, tracked, and with a goal on the event that 1 user in 30 is pending for."""
    rows = sized(300_000, 20_000)
    figure = Figure("events", f"COPY of {rows:,} events")
    server.create_users("events", rows, every=30)
    plain, tracked, awaited = "not tracked", "tracked, no goal on the event", "tracked, 1 user in 30 pending"
    variants = {plain: ("plain", "visit"), tracked: ("tracked", "visit"), awaited: ("tracked", "login")}
    for event in ("visit", "login"):
        path = server.dir / f"{event}.csv"
        path.write_text("".join(f'{n},{event},"{{""page"": {n % 7}}}"\n' for n in range(1, rows + 1)))
        path.chmod(0o644)
    with Session("events") as session:
        for table in ("plain", "tracked"):
            session.run(f"create table {table} (user_id bigint, event text, properties jsonb)")
        session.run("select goals.track_events('tracked', 'user_id', 'event', properties => 'properties')")
        session.run("select goals.set_goal('welcome', event => 'login', time_limit => '1 day', goal => 'login')")
        session.run("select goals.record_sent('welcome', array(select id::text from users where id % 30 = 0))")

        def measure(variant):
            table, event = variants[variant]
            session.run("truncate plain, tracked, goals.match_log")
            sample = session.time(f"copy {table} from '{server.dir / event}.csv' (format csv)")
            found = int(session.run("select count(*) from goals.match_log"))
            if found != (rows // 30 if variant == awaited else 0):
                raise RuntimeError(f"{variant}: {found} matches")
            return sample

        measure(awaited)
        samples = interleaved(list(variants), measure)
    server.drop("events")
    figure.add_all(samples, plain)
    return figure
