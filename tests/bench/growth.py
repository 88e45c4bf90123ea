"""What must not grow: an update's time with the history, the goals, the users and the connections, and a row's with the rows before it."""

import re
import time

from harness import Figure, Sample, Session, check_goals, interleaved, pgbench, psql, say, sized
from writing import NONE, OURS

CPU = "CPU: updates that a second of the backends' processor time is enough for"

# Receipts that are in nobody's window any more: 45 to 30 days old, sent as campaigns are, each to all users in turn. One in five
# was opened and one in ten matched. Written as the extension would have: the ids in order, and the sequences moved on.
HISTORY = """
create temp table old as
select nextval('goals.receipt_id_seq') as id, n % {users} + 1 as user_id, n,
       clock_timestamp() - interval '45 days' + n * (interval '15 days' / {receipts}) as sent_at
from generate_series({first}, {last}) n;
insert into goals.receipt
select o.id, o.sent_at, m.users_source_id, (select max(revision_id) from goals.revision v where v.message_id = m.message_id), null,
       o.user_id::text, null, null
from old o cross join goals.message m where m.name = 'welcome';
insert into goals.engagement
select nextval('goals.engagement_id_seq'), id, sent_at + interval '1 hour', 'o' from old where n % 5 = 0;
insert into goals.match_log
select nextval('goals.match_id_seq'), id, sent_at + interval '1 day', (select min(goal_id) from goals.goal), '1', '2', null
from old where n % 10 = 0;
drop table old
"""


def write_history(server, database, users, receipts):
    """A database with so many receipts of the past, judged by one goal."""
    began = time.monotonic()
    server.create_users(database, users, every=users * 2)
    step = 1_000_000
    with Session(database) as session:
        session.run("truncate goals.match_log; select goals.stop_goal('welcome', 'plan')")
        for start in range(1, receipts + 1, step):
            last = min(start + step - 1, receipts)
            session.run(HISTORY.format(users=users, receipts=receipts, first=start, last=last))
        session.run("vacuum analyze goals.receipt, goals.engagement, goals.match_log")
    say(f"    {database}: {receipts:,} receipts written in {time.monotonic() - began:.0f} s")


def history(server):
    """The same one-row UPDATE, a match every time, with ever more receipts on record. 10,000 users have one in its window."""
    users, pending = sized(100_000, 20_000), sized(10_000, 200)
    sizes = sized([10_000, 1_000_000, 10_000_000], [500, 10_000, 100_000])
    clients, transactions = 2, pending // 2
    figure = Figure("history", f"one-row UPDATE by key, a match every time, receipts in history ({users:,} users)", "tps")
    names = {f"{size:,} receipts": f"history_{size}" for size in sizes}
    for size, database in zip(sizes, names.values()):
        write_history(server, database, users, size - pending)
        with Session(database) as session:
            every = users // pending
            session.run(f"select goals.record_sent('welcome', array(select id::text from users where id % {every} = 0))")
            session.run("select peer.use('pg_goals')")
    script = (
        f"\\set id (:i * {clients} + :client_id) * 7919 % {pending} * {users // pending} + {users // pending}\n"
        "update users set logins = logins + 1 where id = :id;\n"
        "\\set i :i + 1\n"
    )
    server.checkpoint()

    def measure(variant):
        database = names[variant]
        before = int(psql(database, "select coalesce(max(match_id), 0) from goals.match_log"))
        psql(database, "vacuum users")
        load = pgbench(server, database, {script: 1}, clients, transactions=transactions, i=0)
        # Without its matches a user can match again.
        matched = int(psql(database, f"with d as (delete from goals.match_log where match_id > {before} returning 1) select count(*) from d"))
        if matched != pending:
            raise RuntimeError(f"{variant}: {matched} matches where there should be {pending}")
        psql(database, "vacuum goals.match_log")
        return load.sample()

    for variant in names:
        measure(variant)
    samples = interleaved(list(names), measure)
    for database in names.values():
        server.drop(database)
    first, *others = names
    for size, variant in zip(sizes, names):
        figure.add(variant, samples[variant], samples[first], series="pg_goals, a match every time", x=size)
    for variant in others:
        figure.reach_ratio(f"throughput with {variant} over {first}", samples[variant], samples[first], ">=", 0.90)
    figure.note(CPU)
    return figure


# A table with a message and a goal per number. The first ones are made by the calls; the others are copies of their rows with
# another value (and attribute), because a call each would take longer than all else here.
TABLE = """
create table {table} (like users including all);
alter table {table} set (fillfactor = 50);
insert into {table} select * from users;
vacuum analyze {table};
select goals.track_users('{table}')
"""
ONE = """
select goals.create_message('{table} {n}', users => '{table}');
select goals.set_goal('{table} {n}', {attribute}, {operator}, {value}, interval '14 days')
"""
COPIES = """
with message as (
    insert into goals.message (name, kind, channel, users_source_id)
    select '{table} ' || n, m.kind, m.channel, m.users_source_id
    from generate_series({made} + 1, {count}) n, goals.message m where m.name = '{table} 1'
    returning message_id, split_part(name, ' ', 2)::integer as n
), goal as (
    insert into goals.goal (message_id, name, version, attribute, attribute_type, operator, value, event, times, properties,
                            time_limit_us, after, value_from)
    select c.message_id, g.name, g.version, (array[{attributes}])[(c.n - 1) % {made} + 1], g.attribute_type, g.operator,
           (array[{values}])[(c.n - 1) % {made} + 1], g.event, g.times, g.properties, g.time_limit_us, g.after, g.value_from
    from message c
    join goals.message m on m.name = '{table} ' || (c.n - 1) % {made} + 1
    join goals.goal g on g.message_id = m.message_id
    returning message_id, goal_id
)
insert into goals.revision (message_id, goal_ids) select message_id, array[goal_id] from goal
"""


class Goals:
    """Goals that are alike: attribute, operator and value as SQL of the number n, and the change (of n) that such a goal holds for."""

    def __init__(self, *kinds):
        self.kinds = kinds

    def write(self, session, table, count):
        """A table with so many of them, of which none is broken and those looked at match what they should."""
        session.run(TABLE.format(table=table))
        made = min(count, len(self.kinds))
        for n in range(1, made + 1):
            attribute, operator, value, _ = self.kinds[n - 1]
            session.run(ONE.format(table=table, n=n, attribute=self.at(attribute, n), operator=operator, value=self.at(value, n)))
        if count > made:
            attributes, _, values, _ = (", ".join(part) for part in zip(*self.kinds[:made]))
            session.run(COPIES.format(table=table, made=made, count=count, attributes=attributes, values=values))
        check_goals(session)
        for n in sorted({1, min(count, 2), (count + 1) // 2, count}):
            change = self.at(self.kinds[(n - 1) % made][3], n)
            found = session.run(
                f"""begin;
                    select goals.record_sent('{table} {n}', array['1']);
                    update {table} set {change} where id = 1;
                    select count(*) from goals.match_log l join goals.goal g using (goal_id) join goals.message m using (message_id)
                    where m.name = '{table} {n}';
                    rollback"""
            ).split()[-1]
            if found != "1":
                raise RuntimeError(f"{table}: goal {n} has {found} matches of a change that it holds for")

    @staticmethod
    def at(sql, n):
        return re.sub(r"\bn\b", str(n), sql)


def on_text(operator, value, holds):
    return Goals(("'name'", f"'{operator}'", value, f"name = {holds}"))


OTHERS = Goals(
    ("'plan'", "'is'", "'pro ' || n", "plan = 'pro ' || n"),
    ("'country'", "'is'", "'D' || n", "country = 'D' || n"),
    ("'score'", "'is'", "n::text", "score = n"),
    ("'name'", "'is'", "'Jane ' || n", "name = 'Jane ' || n"),
    ("'active'", "'is'", "'false'", "active = false"),
    ("'custom.seats'", "'is'", "(n + 1)::text", "custom = jsonb_build_object('seats', n + 1)"),
    ("'custom.key' || n", "'is'", "'2'", "custom = jsonb_build_object('key' || n, 2)"),
)
SAME = Goals(("'logins'", "'greater than'", "(1000000 + n)::text", "logins = 1000001 + n"))
HOLDS = Goals(("'logins'", "'is increased'", "null", "logins = logins + 1"))
COUNTER = "logins = logins + 1"
# A text of 80 characters that holds none of the words.
TEXT = "name = reverse(name)"
PADDED = "update {table} set name = rpad(name, 80, ' and what else a user is called')"
TEXTS = {
    "contains, a word each": on_text("contains", "'Word' || n || '.'", "'a wOrd' || n || '. b'"),
    "is, a text each": on_text("is", "'word' || n", "'word' || n"),
    "is any of, three texts each": on_text("is any of", "format('{word%s,b%s,\"c %s\"}', n, n, n)", "'c ' || n"),
    "starts with, a word each": on_text("starts with", "'word' || n || '.'", "'Word' || n || '. b'"),
    "ends with, a word each": on_text("ends with", "'.word' || n", "'a .Word' || n"),
}


def goals(server):
    """Time of one row's update with ever more live goals: on attributes that do not change, on the one that does without holding,
    holding for a user without a receipt, and such that every goal has to be judged by itself. Measured over many rows of one
    statement, where nothing else hides it."""
    counts = sized([1, 10, 100, 1_000, 10_000], [1, 50, 500])
    some, all_rows = sized(2_000, 500), sized(20_000, 2_000)
    figure = Figure("goals", "UPDATE of one attribute, a row's time with so many live goals")
    server.create_users("goals", all_rows, every=2 * all_rows)
    few, many = counts[0], counts[-1]
    kinds = {
        "on other attributes": (OTHERS, COUNTER),
        "on the attribute, a number each": (SAME, COUNTER),
        "on the attribute, holding": (HOLDS, COUNTER),
    } | {f"on the attribute, {what}": (goals, TEXT) for what, goals in TEXTS.items()}
    none = "no goals, no trigger"

    def counts_of(kind):
        """All sizes for the kinds that are plotted, the ends for the other operators of text."""
        return counts if kind in list(kinds)[:4] else [few, many]

    tables, places = {none: ("users", all_rows, COUNTER)}, {none: (none, 0, none)}
    with Session("goals") as session:
        session.run("select peer.use('none')")
        for k, (kind, (goal, change)) in enumerate(kinds.items()):
            for count in counts_of(kind):
                table = f"u{k}_{count}"
                goal.write(session, table, count)
                if change == TEXT:
                    session.run(PADDED.format(table=table))
                    session.run(f"vacuum {table}")
                slow = goal != OTHERS and count == many
                tables[f"{count:,} {kind}"] = (table, some if slow else all_rows, change)
                places[f"{count:,} {kind}"] = (table, count, kind)
    first_use, rebuilt, own = {}, {}, {}
    for variant, (table, _, change) in tables.items():
        with Session("goals") as session:
            session.run("select count(*) from users where id = 1")
            first_use[variant] = session.time(f"update {table} set {change} where id = 1")
            own[variant] = session.memory()
    rolled_back = {}
    with Session("goals") as session:

        def measure(variant):
            table, n, change = tables[variant]
            session.run(f"vacuum {table}")
            # The vacuum makes the backend look at the table, and so at its goals, anew.
            rebuilt[variant] = session.time(f"update {table} set {change} where id = 1").wall
            session.run("begin; rollback; begin; select 1 / (select 1); rollback")
            rolled_back[variant] = session.time(f"update {table} set {change} where id = 1").wall
            sample = session.time(f"update {table} set {change} where id <= {n}")
            return Sample(sample.wall / n, sample.cpu / n)

        for variant in tables:
            measure(variant)
        samples = interleaved(list(tables), measure)
    server.drop("goals")
    for variant, values in samples.items():
        _, count, kind = places[variant]
        figure.add(variant, values, samples[none], series=kind, x=count)
    for kind in kinds:
        for count in counts_of(kind)[1:]:
            name, base = f"{count:,} {kind}", f"{few:,} {kind}"
            if kind == "on other attributes":
                figure.reach_ratio(f"{name} over {few}", samples[name], samples[base], "<=", 1.10)
            elif count == many:
                walls = [1e6 * 100 * (a.wall - b.wall) / (many - few) for a, b in zip(samples[name], samples[base])]
                cpus = [1e6 * 100 * (a.cpu - b.cpu) / (many - few) for a, b in zip(samples[name], samples[base])]
                middle = len(walls) // 2
                label = f"us a row for each further 100 goals (from {few:,} to {many:,}) {kind}"
                figure.reach(label, sorted(walls)[middle], "<=", 2.0, sorted(cpus)[middle])
    total = sum(sum(counts_of(kind)) for kind in kinds)
    slowest = max(s.wall for s in first_use.values())
    figure.note(f"first UPDATE of a new connection, which reads all {total:,} goals: {slowest * 1e3:.0f} ms")
    figure.note(f"memory of its own that it takes for them: {(max(own.values()) - own[none]) / 2**20:.1f} MB")
    figure.note(f"first UPDATE after a ROLLBACK: {max(rolled_back.values()) * 1e3:.0f} ms")
    figure.note(f"first UPDATE after a VACUUM of a table with {many:,} goals: {max(rebuilt.values()) * 1e3:.0f} ms")
    return figure


def users(server):
    """The same one-row UPDATE with ever more users, of whom as many are updated and have a receipt, spread over the table: what
    grows is the tables and their indexes, not the pages in use."""
    sizes, pending, clients = sized([10_000, 100_000, 1_000_000, 10_000_000], [1_000, 10_000]), sized(10_000, 200), 2
    figure = Figure("users", f"one-row UPDATE by key, so many users, the same {pending:,} of them updated", "tps")
    quiet, match = "pg_goals, no goal attribute changed", "pg_goals, a match every time"
    kinds = {NONE: ("none", "logins"), quiet: ("pg_goals", "touched"), match: ("pg_goals", "logins")}
    began = time.monotonic()
    for size in sizes:
        server.create_users(f"users_{size}", size, every=size // pending, fillfactor=80)
    say(f"    {sum(sizes):,} users written in {time.monotonic() - began:.0f} s")
    server.checkpoint()

    def measure(variant):
        size, kind = variant
        trigger, column = kinds[kind]
        every, database = size // pending, f"users_{size}"
        script = (
            f"\\set id (:i * {clients} + :client_id) * 7919 % {pending} * {every} + {every}\n"
            f"update users set {column} = {column} + 1 where id = :id;\n"
            "\\set i :i + 1\n"
        )
        psql(database, f"select peer.use('{trigger}'), peer.forget_matches()")
        psql(database, "vacuum users, goals.match_log, peer.match")
        load = pgbench(server, database, {script: 1}, clients, transactions=pending // clients, i=0)
        matched = int(psql(database, "select peer.matches()"))
        if matched != (pending if kind == match else 0):
            raise RuntimeError(f"{size:,} users, {kind}: {matched} matches")
        return load.sample()

    variants = [(size, kind) for size in sizes for kind in kinds]
    for size in sizes:
        measure((size, NONE))
    samples = interleaved(variants, measure)
    for size in sizes:
        server.drop(f"users_{size}")
    for size in sizes:
        for kind in kinds:
            figure.add(f"{size:,} users, {kind}", samples[size, kind], samples[size, NONE], series=kind, x=size)
    few, many = sizes[0], sizes[-1]
    for kind in (quiet, match):
        # Over no trigger of the same size, since an index of PostgreSQL's own is deeper too.
        parts = [
            [Sample(a.wall / b.wall, a.cpu / b.cpu if a.cpu and b.cpu else None) for a, b in zip(samples[size, kind], samples[size, NONE])]
            for size in (many, few)
        ]
        figure.reach_ratio(f"{kind}, over no trigger: {many:,} users over {few:,}", *parts, ">=", 0.90)
    figure.note(CPU)
    return figure


def connections(server):
    """Two busy clients beside ever more idle connections that have each used the extension once; the same without a trigger. Every
    user has a receipt and is met once a run, so that every change is a match."""
    counts, clients = sized([0, 50, 100, 200], [0, 20]), 2
    rows, seconds = sized(100_000, 10_000), sized(4, 1)
    figure = Figure("connections", f"one-row UPDATE by key, a match every time, {clients} clients beside so many idle connections", "tps")
    script = (
        f"\\set id (:i * {clients} + :client_id) * 7919 % {rows} + 1\n"
        "update users set logins = logins + 1 where id = :id;\n"
        "\\set i :i + 1\n"
    )
    kinds = {NONE: "none", OURS: "pg_goals"}
    databases = {kind: f"connections_{trigger}" for kind, trigger in kinds.items()}
    for kind, trigger in kinds.items():
        server.create_users(databases[kind], rows, every=1)
        psql(databases[kind], f"select peer.use('{trigger}')")
    server.checkpoint()
    idle, own = [], {}

    def measure(variant):
        count, kind = variant
        database = databases[kind]
        # Before the others come, none of whom is to be told of what a vacuum does to the table.
        close()
        psql(database, "select peer.forget_matches()")
        psql(database, "vacuum users, goals.match_log")
        for _ in range(count):
            idle.append(Session(database))
            idle[-1].run("begin; update users set logins = logins + 1 where id = 1; rollback")
        if count:
            own[kind] = sorted(session.memory() for session in idle)[count // 2]
        return pgbench(server, database, {script: 1}, clients, seconds=seconds, i=0).sample()

    def close():
        while idle:
            idle.pop().close()

    variants = [(count, kind) for count in counts for kind in kinds]
    try:
        samples = interleaved(variants, measure)
    finally:
        close()
    for database in databases.values():
        server.drop(database)
    for count in counts:
        for kind in kinds:
            figure.add(f"{count} idle connections, {kind}", samples[count, kind], samples[count, NONE], series=kind, x=count)
    few, many = counts[0], counts[-1]
    figure.reach_ratio(f"throughput with {many} connections over {few}", samples[many, OURS], samples[few, OURS], ">=", 0.90)
    for kind, size in own.items():
        figure.add_memory(f"an idle connection's own memory after one UPDATE, {kind}", size)
    figure.note(CPU)
    return figure


# An application's own tables of events and sends, and a goal for each kind of event.
REPEATED = """
create extension pg_goals;
create table users (id bigint primary key);
insert into users select generate_series(1, 1000);
create table events (user_id bigint, name text, at timestamptz);
create table sends (message text, user_id bigint, opened_at timestamptz);
select goals.track_users('users'), goals.track_events('events', 'user_id', 'name', 'at', users => 'users');
select goals.track_receipts('sends', 'message', 'user_id', opened_at => 'opened_at');
select goals.create_message('m', users => 'users');
select goals.set_goal('m', event => 'one', time_limit => '1 day');
select goals.set_goal('m', event => 'fifty', times => 50, time_limit => '1 day', goal => 'fifty');
select goals.record_sent('m', array(select id::text from users), sent_at => clock_timestamp() - interval '20 hours');
"""
PARTITIONED = """
create index on {table} (id);
insert into {table} select n, n % {count} from generate_series(1, 1000) n;
vacuum analyze {table};
select goals.track_users('{table}', 'id');
select goals.create_message('{table}', users => '{table}')
"""
NEWEST = "insert into events select {user}, '{event}', clock_timestamp() - n * interval '1 microsecond' from generate_series(1, {n}) n"
IN_ORDER = "insert into events select {user}, '{event}', clock_timestamp() from generate_series(1, {n}) n"
UNKNOWN = "insert into sends select 'unknown ' || n, 1 from generate_series(1, {n}) n"
SENDS = "insert into sends select 'm', {user} from generate_series(1, {n}) n"
OPENS = "update sends set opened_at = clock_timestamp() where user_id = {user}"


def rows_before(server):
    """Time of one row of a statement with ever more of them: events in both orders, opens of one user's receipts without the time of
    their sending, sends of unknown messages; and a send to a user in one of ever more partitions."""
    counts, partitions = sized([1_000, 4_000, 16_000], [400, 800]), sized([10, 100, 900], [5, 20])
    figure = Figure("rows_before", "a row's time in a statement of so many, and with users in so many partitions")
    server.create("rows_before")
    kinds = {
        "events newest first": (NEWEST, "one"),
        "events newest first, times => 50": (NEWEST, "fifty"),
        "events in order, times => 50": (IN_ORDER, "fifty"),
        "opens of one user": (OPENS, None),
        "sends of unknown messages": (UNKNOWN, None),
    }
    # the sends so many that each partition is met more than once
    trees = {
        "sends, partitioned by the key": ("by_key", "hash (id)", "with (modulus {count}, remainder {i})", sized(20_000, 200)),
        "sends, partitioned by something else": ("by_part", "list (part)", "in ({i})", sized(1_000, 100)),
    }
    variants = {f"{n:,} {kind}": (kind, n) for kind in kinds for n in counts}
    variants |= {f"{n:,} partitions: {kind}": (kind, n) for kind in trees for n in partitions}
    with Session("rows_before") as session:
        session.run(REPEATED)
        for name, by, bounds, _ in trees.values():
            for count in partitions:
                table = f"{name}_{count}"
                session.run(f"create table {table} (id bigint, part integer) partition by {by}")
                for i in range(count):
                    session.run(f"create table {table}_{i} partition of {table} for values {bounds.format(count=count, i=i)}")
                session.run(PARTITIONED.format(table=table, count=count))
        user = 0

        def measure(variant):
            nonlocal user
            kind, n = variants[variant]
            user += 1
            session.run("vacuum goals.match_log, goals.engagement, goals.receipt, goals.ignored")
            if kind in trees:
                table, rows = f"{trees[kind][0]}_{n}", trees[kind][3]
                sql = f"insert into sends select '{table}', n % 1000 + 1 from generate_series(1, {rows}) n"
            else:
                (statement, event), rows = kinds[kind], n
                if kind == "opens of one user":
                    session.run(SENDS.format(user=user, n=n))
                sql = statement.format(user=user, event=event, n=n)
            sample = session.time(sql)
            return Sample(sample.wall / rows, sample.cpu / rows)

        samples = interleaved(list(variants), measure)
    server.drop("rows_before")
    for kind in (*kinds, *trees):
        rows = [variant for variant, (of, _) in variants.items() if of == kind]
        for variant in rows:
            figure.add(variant, samples[variant], samples[rows[0]], series=kind, x=variants[variant][1])
        if kind != "sends, partitioned by something else":
            # The more partitions, the more of the rows are the first that the session sees of one.
            limit = 3.00 if kind in trees else 1.50
            figure.reach_ratio(f"{rows[-1]} over {variants[rows[0]][1]:,}", samples[rows[-1]], samples[rows[0]], "<=", limit)
    figure.note("where the key does not say which partition a user is in, each is looked into until he is found")
    return figure
