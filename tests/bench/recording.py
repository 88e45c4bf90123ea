"""What it costs to record: a whole audience in one call, and COPY into the application's own tables of events and of sends."""

from harness import Figure, Session, interleaved, psql, sized
from writing import EMPTY, HAND, KEY, NONE, OURS


def send(server):
    """A whole audience in one call, against putting the same rows into a table of the same columns and indexes."""
    users = sized(1_000_000, 20_000)
    figure = Figure("send", f"record_sent of an audience of {users:,}")
    server.create_users("send", users, every=users * 2)
    psql(
        "send",
        """create table plain (like goals.receipt);
           create sequence plain_id;
           create index on plain (users_source_id, user_key, sent_at);
           create index on plain (receipt_id);
           create index on plain (revision_id);
           select peer.use('pg_goals')""",
    )
    plain, ours = "INSERT ... SELECT into a plain table", "goals.record_sent"
    statements = {
        plain: "insert into plain select nextval('plain_id'), clock_timestamp(), 1, 1, null, id::text, null, null from users",
        ours: "select goals.record_sent('welcome', array(select id::text from users))",
    }
    server.checkpoint()
    with Session("send") as session:

        def measure(variant):
            session.run("truncate plain, goals.receipt")
            sample = session.time(statements[variant])
            found = int(session.run("select (select count(*) from plain) + (select count(*) from goals.receipt)"))
            if found != users:
                raise RuntimeError(f"{variant}: {found} receipts where there should be {users}")
            return sample

        measure(ours)
        samples = interleaved(list(statements), measure)
        measure(ours)
        bytes_each = int(session.run("select pg_total_relation_size('goals.receipt')")) / users
        parts = session.run(
            f"""select string_agg(format('%s %s', round(pg_relation_size(oid) / {users}.0, 1), name), ', ' order by oid)
                from (select oid, relname as name from pg_class where oid = 'goals.receipt'::regclass
                      union all select indexrelid, indexrelid::regclass::text from pg_index where indrelid = 'goals.receipt'::regclass) r"""
        )
    figure.add_all(samples, plain)
    statements["the array of keys alone"] = "select cardinality(array(select id::text from users))"
    for variant, statement in statements.items():
        with Session("send") as session:
            session.run("truncate plain, goals.receipt")
            session.run("select goals.record_sent('welcome', '{1}'::text[])")
            figure.add_memory(f"{variant}: memory meanwhile", session.peak(statement)[1])
    server.drop("send")
    figure.reach_ratio("record_sent over INSERT ... SELECT", samples[ours], samples[plain], "<=", 2.0)
    figure.reach("bytes on disk a receipt, indexes included, bigint key", bytes_each, "<=", 160)
    figure.note(f"bytes a receipt: {parts}")
    return figure


def copied(server, name, title, tables, variants, lines, forget, count):
    """COPY of a file into tables alike but for their trigger. variants: label to table (and columns), file, and which share of the rows
    is to be found by count."""
    rows = sized(300_000, 5_000)
    figure = Figure(name, f"COPY of {rows:,} {title}")
    server.create_users(name, rows, every=30)
    for word, line in lines.items():
        path = server.dir / f"{word}.csv"
        path.write_text("".join(line.format(n) for n in range(1, rows + 1)))
        path.chmod(0o644)
    with Session(name) as session:
        session.run(tables)

        def measure(variant):
            target, word, share = variants[variant]
            session.run(forget)
            sample = session.time(f"copy {target} from '{server.dir / word}.csv' (format csv)")
            found, expected = int(session.run(count)), rows // share if share else 0
            if found != expected:
                raise RuntimeError(f"{variant}: {found} recorded where there should be {expected}")
            return sample

        for variant in variants:
            measure(variant)
        samples = interleaved(list(variants), measure)
    server.drop(name)
    for word in lines:
        (server.dir / f"{word}.csv").unlink()
    figure.add_all(samples, next(iter(variants)))
    return figure


# By hand: no SQL where nobody waits for the event, and indexes for it where somebody may.
EVENTS = """
create table tracked (user_id bigint, event text, properties jsonb);
create table plain (like tracked);
create table called (like tracked);
create table written (like tracked);
select goals.track_events('tracked', 'user_id', 'event', properties => 'properties');
select goals.set_goal('welcome', event => 'login', time_limit => '1 day', goal => 'login');
select goals.record_sent('welcome', array(select id::text from users where id % 30 = 0));
create function peer.event_by_hand() returns trigger language plpgsql as $$
declare
    at_once timestamptz;
begin
    if new.event = 'login' then
        at_once := clock_timestamp();
        insert into peer.match (receipt_id, goal_id, matched_at, new_value)
        select r.receipt_id, 3, at_once, new.properties from peer.receipt r
        where r.user_id = new.user_id and r.sent_at >= at_once - interval '1 day' and r.message_id = 1
          and not exists (select from peer.match m where m.receipt_id = r.receipt_id and m.goal_id = 3);
    end if;
    return null;
end $$;
create trigger empty after insert on called for each row execute function peer.empty();
create trigger by_hand after insert on written for each row execute function peer.event_by_hand()
"""


def copy_events(server):
    """Events that no goal is on, and a goal's own, for which 1 user in 30 is pending."""
    quiet, match = "no goal on the event", "1 user in 30 pending"
    variants = {
        NONE: ("plain", "visit", None),
        EMPTY: ("called", "visit", None),
        f"{OURS}: {quiet}": ("tracked", "visit", None),
        f"{HAND}: {quiet}": ("written", "visit", None),
        f"{OURS}: {match}": ("tracked", "login", 30),
        f"{HAND}: {match}": ("written", "login", 30),
    }
    lines = {event: f'{{0}},{event},"{{{{""page"": 7}}}}"\n' for event in ("visit", "login")}
    forget = "truncate plain, called, written, tracked; select peer.forget_matches(); vacuum goals.match_log, peer.match"
    return copied(server, "copy_events", "events", EVENTS, variants, lines, forget, "select peer.matches()")


SENDS = """
create table tracked (
    id bigint generated always as identity primary key, message text, user_id bigint, at timestamptz default clock_timestamp());
create table plain (like tracked including all);
create table called (like tracked including all);
create table referring (like tracked including all, foreign key (user_id) references users);
create table written (like tracked including all);
select goals.track_receipts('tracked', 'message', 'user_id', 'at');
create table peer.message (message_id integer, name text primary key);
insert into peer.message values (1, 'welcome');
create table peer.mirrored (
    receipt_id bigint generated always as identity, message_id integer not null, user_id bigint not null, sent_at timestamptz not null,
    already integer[]);
create index on peer.mirrored (user_id, sent_at) include (receipt_id, message_id);
create index on peer.mirrored (receipt_id);
create function peer.send_by_hand() returns trigger language plpgsql as $$
begin
    insert into peer.mirrored (message_id, user_id, sent_at, already)
    select m.message_id, u.id, new.at, case when u.plan = 'pro' then array[2] end
    from peer.message m join users u on u.id = new.user_id where m.name = new.message;
    return null;
end $$;
create trigger empty after insert on called for each row execute function peer.empty();
create trigger by_hand after insert on written for each row execute function peer.send_by_hand();
vacuum analyze peer.message
"""


def copy_sends(server):
    """A tracked table of sends makes a receipt of each row, for which it looks at the user; so does what is written by hand."""
    tables = {NONE: "plain", EMPTY: "called", KEY: "referring", OURS: "tracked", HAND: "written"}
    variants = {label: (f"{table} (message, user_id)", "welcome", 1 if label in (OURS, HAND) else None) for label, table in tables.items()}
    forget = "truncate plain, called, referring, written, tracked, goals.receipt, peer.mirrored"
    count = "select (select count(*) from goals.receipt) + (select count(*) from peer.mirrored)"
    return copied(server, "copy_sends", "rows into a table of sends", SENDS, variants, {"welcome": "welcome,{0}\n"}, forget, count)
