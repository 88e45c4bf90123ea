"""What a row costs in tables that teams have: a queue, orders that are placed by an UPDATE, webhooks (attached.sql)."""

from harness import HERE, Figure, Sample, Session, interleaved, run_psql, sized
from writing import EMPTY, HAND, NONE, OURS

TABLES = {NONE: "plain", EMPTY: "called", OURS: "tracked", HAND: "written"}
RECEIPTS = "select (select count(*) from goals.receipt) + (select count(*) from peer.sent)"
ENGAGEMENTS = "select (select count(*) from goals.engagement) + (select count(*) from peer.engagement)"
MATCHES = "select peer.matches()"
ROWS = sized(100_000, 2_000)


def attached(server, name, title, every, cases, forget):
    """A row's time in statements about every row of tables alike but for their trigger. A case has the tables, and its
    steps in order: what the row is called (None: it is not measured), the statement, what is counted after it, and one
    row in how many is to be found (None: none)."""
    figure = Figure(name, f"{title}, a row's time in a statement of {ROWS:,}")
    server.create_users(name, ROWS, every)
    run_psql(name, f"-vevery={every}", "-f", HERE / "attached.sql")
    variants = {
        (i, trigger): (f"{name}_{table}", steps)
        for i, (tables, steps) in enumerate(cases)
        for trigger, table in tables.items()
    }
    with Session(name) as session:

        def measure(variant):
            table, steps = variants[variant]
            recorded = variant[1] in (OURS, HAND)
            session.run(forget)
            samples = {}
            for step, statement, count, share in steps:
                session.run(f"vacuum analyze {table}, peer.sent")
                sample = session.time(statement.format(table=table, rows=ROWS))
                found, expected = int(session.run(count)), ROWS // share if share and recorded else 0
                if found != expected:
                    raise RuntimeError(f"{table}, {step}: {found} recorded where there should be {expected}")
                samples[step] = Sample(sample.wall / ROWS, sample.cpu / ROWS)
            return samples

        server.checkpoint()
        for variant in variants:
            measure(variant)
        taken = interleaved(list(variants), measure)
    server.drop(name)
    for i, (tables, steps) in enumerate(cases):
        for step in [step for step, *_ in steps if step]:
            samples = {trigger: [round_[step] for round_ in taken[i, trigger]] for trigger in tables}
            for trigger in tables:
                figure.add(f"{step}: {trigger}", samples[trigger], samples[NONE])
            figure.reach_ratio(f"{step}: pg_goals over plpgsql by hand", samples[OURS], samples[HAND], "<=", 1.0)
    return figure


def queue(server):
    """Rows about users among others, of a campaign made on an admin page. They are queued, then sent, then opened."""
    fill = "insert into {table} (campaign_id, recipient_id) select 1, n from generate_series(1, {rows}) n"
    steps = [
        ("queued", fill, RECEIPTS, None),
        ("sent", "update {table} set sent_at = clock_timestamp()", RECEIPTS, 1),
        ("opened", "update {table} set opened_at = clock_timestamp()", ENGAGEMENTS, 1),
    ]
    tables = ", ".join(f"queue_{table}" for table in TABLES.values())
    forget = f"truncate {tables}, goals.receipt, goals.reference, goals.engagement, peer.sent, peer.engagement"
    # One user in more than there are: no receipts but those of the queue.
    return attached(server, "queue", "a queue of sends", ROWS * 2, [(TABLES, steps)], forget)


def orders(server):
    """A cart becomes an order: an event whose name no goal is on, and one for which 1 user in 30 is pending."""
    fill = "insert into {table} (user_id, plan, total) select n, 'pro', n % 1000 from generate_series(1, {rows}) n"
    place = "update {table} set completed_at = clock_timestamp()"
    quiet, match = "no goal on the event", "1 user in 30 pending"
    other = TABLES | {OURS: "tracked_other", HAND: "written_other"}
    cases = [
        (other, [(None, fill, MATCHES, None), (quiet, place, MATCHES, None)]),
        (TABLES, [(None, fill, MATCHES, None), (match, place, MATCHES, 30)]),
    ]
    tables = ", ".join(f"orders_{table}" for table in sorted({*TABLES.values(), *other.values()}))
    forget = f"truncate {tables}; select peer.forget_matches(); vacuum goals.match_log, peer.match"
    return attached(server, "orders", "orders placed by an UPDATE", 30, cases, forget)


def webhooks(server):
    """Rows that name their user by an address: of a kind that is passed over, and the open of the user's receipt."""
    insert = (
        "insert into {{table}} (message, email, event) "
        "select 'welcome', 'user' || n || '@example.com', '{event}' from generate_series(1, {{rows}}) n"
    )
    kinds = {"passed over": ("processed", None), "an open": ("open", 1)}
    cases = [(TABLES, [(step, insert.format(event=word), ENGAGEMENTS, share)]) for step, (word, share) in kinds.items()]
    tables = ", ".join(f"webhooks_{table}" for table in TABLES.values())
    forget = f"truncate {tables}, goals.engagement, peer.engagement"
    return attached(server, "webhooks", "webhooks by address", 1, cases, forget)
