"""What a backend holds in memory of its own: while one statement touches millions of rows, and after much work in one session."""

import time

from harness import Figure, Session, check_goals, psql, sized
from writing import EMPTY, OURS

# As lean as they can be: it is the number of rows that counts. One user in 100 has a receipt.
USERS = """
create extension pg_goals;
create function empty() returns trigger language c as '{empty}', 'empty_trigger';
create table users (id bigint primary key, logins integer not null default 0, touched integer not null default 0)
    with (fillfactor = 45, autovacuum_enabled = off);
insert into users (id) select generate_series(1, {rows});
create table events (user_id bigint, event text);
create table events_plain (like events);
create table sends (message text, user_id bigint);
create table sends_plain (like sends);
select goals.track_users('users'), goals.track_events('events', 'user_id', 'event'), goals.track_receipts('sends', 'message', 'user_id');
select goals.create_message('welcome');
select goals.set_goal('welcome', 'logins', 'is increased', time_limit => '14 days');
select goals.set_goal('welcome', event => 'visit', time_limit => '14 days', goal => 'visit');
select goals.record_sent('welcome', array(select id::text from users where id % 100 = 0));
create trigger empty after update on users for each row execute function empty();
create trigger empty after insert on events_plain for each row execute function empty();
create trigger empty after insert on sends_plain for each row execute function empty();
vacuum analyze
"""


def one_statement(server):
    """The most that a backend has of its own meanwhile, for ever more rows. PostgreSQL itself remembers each row until the row triggers
    have fired, whatever they are: what an empty trigger in C takes is the peer."""
    sizes = sized([100_000, 1_000_000, 10_000_000], [1_000, 10_000])
    rows = sizes[-1]
    figure = Figure("one_statement", f"a backend's own memory during one statement of up to {rows:,} rows", "MB")
    server.create("one_statement")
    copy = "copy {} from program 'seq -f \"{}\" 1 {{}}' (format csv)"
    update = "update users set {} = {} + 1 where id <= {{}}"
    statements = {
        ("UPDATE, no goal attribute changed", EMPTY): ("empty", update.format("touched", "touched")),
        ("UPDATE, no goal attribute changed", OURS): ("pg_goals", update.format("touched", "touched")),
        ("UPDATE, 1 user in 100 matches", EMPTY): ("empty", update.format("logins", "logins")),
        ("UPDATE, 1 user in 100 matches", OURS): ("pg_goals", update.format("logins", "logins")),
        ("COPY of events, 1 user in 100 matches", EMPTY): (None, copy.format("events_plain", "%.0f,visit")),
        ("COPY of events, 1 user in 100 matches", OURS): (None, copy.format("events", "%.0f,visit")),
        ("COPY of sends, a receipt each", EMPTY): (None, copy.format("sends_plain", "welcome,%.0f")),
        ("COPY of sends, a receipt each", OURS): (None, copy.format("sends", "welcome,%.0f")),
    }
    peaks, audience = {}, rows // 100
    with Session("one_statement") as session:
        session.run(USERS.format(empty=server.empty_trigger, rows=rows))
    for (what, trigger), (enabled, statement) in statements.items():
        if enabled:
            name = f"select tgname from pg_trigger where tgrelid = 'users'::regclass and tgname like '{enabled}%'"
            psql("one_statement", f"do $$ begin alter table users disable trigger user; execute format('alter table users enable trigger %I', ({name})); end $$")
        for size in sizes:
            psql("one_statement", "truncate goals.match_log, events, events_plain, sends, sends_plain")
            if enabled:
                psql("one_statement", "vacuum users")
            with Session("one_statement") as session:
                # What a backend takes for its first statement is not what one of many rows takes.
                session.run(statement.format(1))
                took, peaks[what, trigger, size] = session.peak(statement.format(size))
                matched = int(session.run("select count(*) from goals.match_log"))
            if "sends" in what and trigger == OURS:
                made = int(psql("one_statement", "select count(*) from goals.receipt where sent_at > now() - interval '1 day'")) - audience
                if made != size + 1:
                    raise RuntimeError(f"{what}: {made} receipts of {size + 1} rows")
                audience += made
            if matched != (size // 100 if "matches" in what and trigger == OURS else 0):
                raise RuntimeError(f"{what}, {trigger}: {matched} matches of {size} rows")
            series = f"{what}: {trigger}"
            figure.add_memory(f"{series}, {size:,} rows", peaks[what, trigger, size], what=what, peer=trigger == EMPTY, x=size, seconds=took.wall)
    server.drop("one_statement")
    for what, trigger in statements:
        if trigger == OURS:
            more = (peaks[what, OURS, rows] - peaks[what, EMPTY, rows]) / 2**20
            figure.reach(f"MB more than the empty trigger: {what}", more, "<=", 2)
    figure.note("the queue of row events is PostgreSQL's own: 12 to 16 bytes a row for any row trigger")
    return figure


def session(server):
    """A session's own memory, over many row updates and goal edits; beside one whose table has the empty trigger in C. While goals are
    edited the totals are rolled up every so often, as the background worker does, and the session at work updates a user."""
    rows, statements = sized(300_000, 5_000), sized(34, 5)
    edits, step = sized(10_000, 200), sized(250, 50)
    figure = Figure("session", f"a backend's own memory grows by, {rows * statements:,} row updates, {edits:,} goal edits", "MB")
    server.create_users("session", rows, every=30)
    update = "update users set logins = logins + 1, touched = touched + 1"
    one = f"{update} where id = 1"

    def started(first):
        at_work = Session("session")
        for _ in range(2):
            at_work.run(first)
        return at_work, at_work.memory()

    grown = {}
    for trigger, name in ((EMPTY, "empty"), (OURS, "pg_goals")):
        psql("session", f"select peer.use('{name}')")
        at_work, before = started(update)
        with at_work, Session("session") as other:
            for i in range(statements):
                at_work.run(update)
                if i % 8 == 0:
                    # Not by the session itself, whose memory would be measured as well.
                    other.run("vacuum users")
            grown[trigger] = at_work.memory() - before
        figure.add_memory(f"{rows * statements:,} row updates, {trigger}", grown[trigger])

    psql("session", "select goals.create_message('edited')")
    editor, editor_before = started("select goals.set_goal('edited', 'score', 'greater than', '0', '1 day')")
    at_work, before = started(one)
    took = []
    with editor, at_work, Session("session") as worker:
        editor.run("set synchronous_commit = off")
        for start in range(0, edits, step):
            began = time.monotonic()
            editor.run(
                f"""do $$ begin for i in {start + 1}..{start + step} loop
                        perform goals.set_goal('edited', 'score', 'greater than', i::text, '1 day');
                        commit;
                    end loop; end $$"""
            )
            took.append((time.monotonic() - began) / step)
            at_work.run(one)
            worker.run("select goals.roll_up()")
        at_work.run(one)
        check_goals(worker)
        grown["at work"], grown["editor"] = at_work.memory() - before, editor.memory() - editor_before
    server.drop("session")
    figure.add_memory(f"{edits:,} goal edits by another session, an update after every {step}", grown["at work"])
    figure.add_memory(f"{edits:,} goal edits, the session that makes them", grown["editor"])
    figure.reach("MB after the row updates", grown[OURS] / 2**20, "<=", 2)
    figure.reach("MB after the goal edits, the session at work", grown["at work"] / 2**20, "<=", 2)
    figure.reach("MB after the goal edits, the one that makes them", grown["editor"] / 2**20, "<=", 2)
    figure.note(f"a goal edit took {took[0] * 1e3:.1f} ms at first, {took[-1] * 1e3:.1f} ms at last")
    return figure
