"""Every recording call with parameters as each driver sends them, without a cast in the SQL.

`matrix` makes the calls through the programs in tests/clients/calls, looks in the database whether each did what was
meant, and compares the outcomes with calls/expected.json, which names those that differ from "done":

  hint    refused by pg_goals, with a hint that names the cast
  server  refused by PostgreSQL, which finds no function for these types and advises a cast
"""

import json
import os
import subprocess
from pathlib import Path

CALLS = Path(__file__).resolve().parent / "calls"

# a users table with a numeric key, and one with a uuid
SETUP = """
create table users (id bigint primary key, plan text default 'free');
insert into users select generate_series(1, 999);
create table people (id uuid primary key, plan text default 'free');
insert into people
select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid from generate_series(1, 999) n;
create extension if not exists pg_goals;
select goals.track_users('users'), goals.track_users('people');
select goals.create_message('m', users => 'users'), goals.create_message('p', users => 'people');
select goals.add_variant(m, v) from unnest(array['m', 'p']) m, unnest(array['a', 'b']) v;
select goals.set_goal(m, attribute => 'plan', operator => 'is changed', time_limit => '7 days')
from unnest(array['m', 'p']) m;
select goals.set_goal(m, event => 'order', time_limit => '7 days', value_from => 'amount', goal => 'order')
from unnest(array['m', 'p']) m;
select goals.create_message('series', kind => 'programme', users => 'users');
grant usage on schema goals to caller;
grant execute on all functions in schema goals to caller;
"""


# what is reported of a receipt: the call, and the column that shows it
REPORTS = {
    f"record_{kind}": f"{kind}_at"
    for kind in ("delivered", "bounced", "opened", "clicked", "complained", "unsubscribed")
}
# true if a receipt of the user has such an engagement
ENGAGED = (
    "exists (select from goals.engagement e join goals.receipt r using (receipt_id) where r.user_key = 'KEY' and {})"
)


def calls(at):
    """Each call: its name, its SQL, what it is given, what a superuser does before, and what is true afterwards."""
    listed = []
    number = 0

    def users(table, count):
        nonlocal number
        ids = list(range(number + 1, number + count + 1))
        number += count
        return ids if table == "users" else [f"00000000-0000-4000-8000-{n:012}" for n in ids]

    def add(name, sql, give, done, before="select 1"):
        listed.append({"call": name, "sql": sql, "give": give, "done": done, "before": before})

    for table, message, kind in (("users", "m", "int"), ("people", "p", "uuid")):
        users_of = f", users => '{table}'"
        of = f"from goals.outcome where goal = 'order' and message = '{message}' and user_key"
        for form in (kind, "text"):
            to = f"a key given as {form} to {table}"

            def one(name, sql, give, done, sent=False, form=form, table=table, message=message, to=to, of=of):
                key = users(table, 1)[0]
                before = (
                    f"select goals.record_sent('{message}', '{key}', 'a', '{at}'::timestamptz - interval '1 hour', "
                    f"ref => 'ref of {key}')"
                    if sent
                    else "select 1"
                )
                as_given = str(key) if form == "text" else key

                def filled(value):
                    if isinstance(value, list):
                        return [filled(v) for v in value]
                    if isinstance(value, dict):
                        return {k: filled(v) for k, v in value.items()}
                    return as_given if value is None else f"ref of {key}" if value == "REF" else value

                given = [(form if t == "key" else t, filled(v)) for t, v in give]
                add(
                    f"{name}, {to}",
                    sql,
                    [list(g) for g in given],
                    "select " + done.replace("OF", f"{of} = '{key}'").replace("KEY", str(key)),
                    before,
                )

            m, k, t = ("text", message), ("key", None), ("time", at)
            sent = "(select count(*) = 1 OF)"
            sent_then = f"(select bool_and(sent_at = '{at}') OF)"
            one("record_sent", "select goals.record_sent($1, $2)", [m, k], sent)
            one(
                "record_sent with a variant",
                "select goals.record_sent($1, $2, $3)",
                [m, k, ("text", "b")],
                "(select bool_and(variant = 'b') OF)",
            )
            one("record_sent with a time", "select goals.record_sent($1, $2, sent_at => $3)", [m, k, t], sent_then)
            one("deliver", "select * from goals.deliver($1, $2)", [m, k], sent)
            one("record_sent with a ref", "select goals.record_sent($1, $2, ref => $3)", [m, k, ("text", "ref")], sent)
            one("deliver with a ref", "select * from goals.deliver($1, $2, ref => $3)", [m, k, ("text", "ref")], sent)
            one("deliver with a time", "select * from goals.deliver($1, $2, $3)", [m, k, t], sent_then)
            for done, column in REPORTS.items():
                one(done, f"select goals.{done}($1, $2)", [m, k], f"(select bool_and({column} > '{at}') OF)", sent=True)
                one(
                    f"{done} with a time",
                    f"select goals.{done}($1, $2, $3)",
                    [m, k, t],
                    f"(select bool_and({column} = '{at}') OF)",
                    sent=True,
                )
            for done in ("record_opened", "record_clicked"):
                one(
                    f"{done} of a machine",
                    f"select goals.{done}($1, $2, $3, $4)",
                    [m, k, t, ("bool", True)],
                    "(select bool_and(opened_at is null) OF) and " + ENGAGED.format(f"e.machine and e.at = '{at}'"),
                    sent=True,
                )
            item = {"kind": "complained", "at": at}
            reported = f"(select bool_and(complained_at = '{at}') OF)"
            for by, named in (("message and user", {"message": message, "user": None}), ("ref", {"ref": "REF"})):
                one(
                    f"record_engagements by {by}",
                    "select 1 / recorded from goals.record_engagements($1)",
                    [("json", [{**item, **named}])],
                    reported,
                    sent=True,
                )
            other = users(table, 1)[0]
            one(
                "merge_users",
                f"select 1 / goals.merge_users($1, $2{users_of})",
                [k, (form, str(other) if form == "text" else other)],
                f"(select count(*) = 1 OF) is not true and (select count(*) = 1 {of} = '{other}')",
                sent=True,
            )
            happened = "(select count(matched_at) = 1 OF)"
            worth = "(select sum(worth) = 12.5 OF)"
            amount = ("json", {"amount": 12.5})
            one(
                "record_event",
                f"select goals.record_event($1, $2{users_of})",
                [k, ("text", "order")],
                happened,
                sent=True,
            )
            one(
                "record_event with properties",
                f"select goals.record_event($1, $2, $3{users_of})",
                [k, ("text", "order"), amount],
                worth,
                sent=True,
            )
            one(
                "record_event with a time",
                f"select goals.record_event($1, $2, $3, $4{users_of})",
                [k, ("text", "order"), amount, t],
                f"(select bool_and(matched_at = '{at}') OF)",
                sent=True,
            )
            one(
                "record_event with an id",
                f"select goals.record_event($1, $2, event_id => $3{users_of})",
                [k, ("text", "order"), ("text", "id")],
                happened,
                sent=True,
            )
            one("assign", "select goals.assign($1, $2) in ('a', 'b')", [m, k], "true")
            one("explain", "select 1 / count(*) from goals.explain($1, $2)", [m, k], "true", sent=True)
        for form in (f"{kind}s", "texts"):
            to = f"keys given as {form} to {table}"
            for name, call in (("record_sent", "select goals.record_sent"), ("deliver", "select * from goals.deliver")):
                for more, sql, done in (
                    ("", "($1, $2)", "count(*) = 2"),
                    (" with a time", "($1, $2, sent_at => $3)", f"count(*) filter (where sent_at = '{at}') = 2"),
                ):
                    keys = users(table, 2)
                    given = [
                        ["text", message],
                        [form, [str(k) for k in keys] if form == "texts" else keys],
                        ["time", at],
                    ]
                    add(
                        f"{name}{more}, {to}",
                        f"{call}{sql}",
                        given[: 3 if more else 2],
                        f"select {done} {of} in ({', '.join(repr(str(k)) for k in keys)})",
                    )
    for form in ("int", "text"):
        key = users("users", 1)[0]
        add(
            f"withdraw, a receipt given as {form}",
            "select goals.withdraw($1)",
            [[form, None]],
            "select " + ENGAGED.format("e.kind = 'w'").replace("KEY", str(key)),
            f"select goals.record_sent('m', '{key}', 'a', '{at}'::timestamptz - interval '1 hour')",
        )
        for done, column in REPORTS.items():
            for more, sql, holds in (
                ("", "($1)", f"{column} > '{at}'"),
                (" with a time", "($1, $2)", f"{column} = '{at}'"),
            ):
                key = users("users", 1)[0]
                add(
                    f"{done}{more}, a receipt given as {form}",
                    f"select goals.{done}{sql}",
                    [[form, None], ["time", at]][: 2 if more else 1],
                    f"select bool_and({holds}) from goals.outcome where message = 'm' and user_key = '{key}'",
                    f"select goals.record_sent('m', '{key}', 'a', '{at}'::timestamptz - interval '1 hour')",
                )
    made = "select exists (select from goals.message m left join goals.message p on p.message_id = m.parent_id where {})"
    for name, sql, give, done in (
        ("with a kind", "$1, $2", "one_off", "m.kind = 'one_off'"),
        ("as a programme", "$1, kind => $2", "programme", "m.kind = 'programme'"),
        ("in a programme", "$1, part_of => $2", "series", "p.name = 'series'"),
        ("with a limit", "$1, engagement_after => $2", "10 seconds", "m.engagement_after_us = 10000000"),
    ):
        add(
            f"create_message {name}",
            f"select goals.create_message({sql}, users => 'users')",
            [["text", f"message {name}"], ["text", give]],
            made.format(f"m.name = 'message {name}' and {done}"),
        )
    return listed


def outcome(error, done):
    if error is None:
        return "done" if done else "NOTHING SAID AND NOT DONE"
    state, message, hint = error
    if state == "42883" and "explicit type casts" in (hint or ""):
        return "server"
    if "::" in (hint or ""):
        return "hint"
    return f"{state}: {message}"


def tab_separated(listed):
    """For Java, which has no JSON."""

    def written(kind, value):
        return (
            json.dumps(value)
            if kind == "json"
            else ",".join(map(str, value))
            if isinstance(value, list)
            else str(value)
        )

    return "".join(
        "\t".join([c["call"], c["sql"], *(part for kind, value in c["give"] for part in (kind, written(kind, value)))])
        + "\n"
        for c in listed
    )


def matrix(server, programs, directory, accept=False):
    """Runs the calls through each (name, command, environment); yields (name, how many were done, what is wrong)."""
    expected = json.loads((CALLS / "expected.json").read_text())
    server.psql("postgres", "create role caller login")
    for number, (name, command, environment) in enumerate(programs):
        database = f"calls_{number}"
        server.psql("postgres", f"create database {database} template template0")
        server.psql(database, SETUP)
        at = server.psql(
            database, "select to_char(now() - interval '1 day', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS') || '+00:00'"
        ).strip()
        listed = calls(at)
        before = server.psql(database, "".join(c["before"] + ";\n" for c in listed)).split("\n")
        for call, receipt in zip(listed, before):
            call["give"] = [
                [kind, (int(receipt) if kind == "int" else receipt) if value is None else value]
                for kind, value in call["give"]
            ]
        file = directory / f"{database}.{'tsv' if 'WithJdbc' in str(command) else 'json'}"
        file.write_text(tab_separated(listed) if file.suffix == ".tsv" else json.dumps(listed))
        url = f"postgresql://caller@127.0.0.1:{server.port}/{database}?sslmode=disable"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        command = [str(file) if part == "CALLS" else str(part) for part in command]
        ran = subprocess.run(
            command,
            env={**clean, **environment, "DATABASE_URL": url},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )
        if ran.returncode != 0:
            yield name, 0, [f"ended with {ran.returncode}: {(ran.stdout + ran.stderr).strip()[-2000:]}"]
            continue
        said = json.loads(ran.stdout.splitlines()[-1])
        done = [d == "t" for d in server.psql(database, "".join(c["done"] + ";\n" for c in listed)).split("\n")]
        came = {c["call"]: outcome(said[c["call"]], d) for c, d in zip(listed, done)}
        if accept:
            expected[name] = {call: o for call, o in came.items() if o != "done"}
            (CALLS / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
        wrong = [
            f"{call}: {o}, expected {wanted}"
            for call, o in came.items()
            if o != (wanted := expected.get(name, {}).get(call, "done"))
        ]
        wrong += [f"{call}: {o} cannot be expected" for call, o in came.items() if o not in ("done", "hint", "server")]
        wrong += [f"{call}: there is no such call" for call in expected.get(name, {}).keys() - came.keys()]
        kept = server.psql(database, "select * from goals.health(); select * from goals.verify()")
        yield name, sum(o == "done" for o in came.values()), [*wrong, *([f"health or totals: {kept}"] if kept else [])]
