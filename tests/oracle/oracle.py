"""Random cases against a real server, judged by an independent model of the contract."""
import argparse
import os
import sys
import time
from collections import Counter

import psycopg
from psycopg.types.json import set_json_loads

import check
import generate
import pools
import values as v
from rows import Copy

set_json_loads(v.loads)
T0 = "set o.t0 = '%s'"


class Server:
    """A template database with the extension and the types; every case gets a copy."""

    def __init__(self, without=(), options=""):
        self.without = without
        self.connect()
        self.version = self.admin.info.server_version
        self.name = "oracle_%d" % os.getpid()
        self.admin.execute("drop database if exists %s with (force)" % self.name)
        self.admin.execute("create database %s template template0 %s" % (self.name, options))
        with psycopg.connect(dbname=self.name, autocommit=True) as db:
            db.execute("create extension pg_goals")
            db.execute(pools.PRELUDE)
            for column, command in pools.OPTIONAL.items():
                try:
                    db.execute(command)
                except (psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFile) as refused:
                    self.without = (*self.without, column)
                    print("no column %s: %s" % (column, str(refused).splitlines()[0]))
        self.copies = 0

    def connect(self):
        for wait in range(30):  # a server that crashed is back in a moment
            try:
                self.admin = psycopg.connect(dbname="postgres", autocommit=True)
                return
            except psycopg.OperationalError:
                if wait == 29:
                    raise
                time.sleep(1)

    def fresh(self):
        self.copies += 1
        name = "%s_%d" % (self.name, self.copies)
        self.drop(name)
        self.do("create database %s template %s" % (name, self.name))
        return name

    def drop(self, name):
        self.do("drop database if exists %s with (force)" % name)

    def do(self, sql):
        for _ in range(5):
            try:
                return self.admin.execute(sql)
            except psycopg.OperationalError:
                time.sleep(1)
                self.connect()
        return self.admin.execute(sql)

    def close(self):
        self.drop(self.name)
        self.admin.close()


def in_order(receipts, rows):
    """In which order a call for several users recorded them is not said: here are the ids."""
    ids = dict(rows)
    if set(ids) != {r.key for r in receipts}:
        return ["receipts of %s expected, found those of %s" % (sorted(r.key for r in receipts), sorted(ids))]
    places = sorted(r.order for r in receipts)
    for receipt, order in zip(sorted(receipts, key=lambda r: ids[r.key]), places):
        receipt.id, receipt.order, receipt.sent = ids[receipt.key], order, min(r.sent for r in receipts)
    return []


def returned(case, step, result):
    """What a call returned that it should not have."""
    if step["op"] == "report":
        recorded, skipped = result.fetchone()
        found = [(item["item"], item["reason"]) for item in skipped]
        return (
            []
            if (recorded, found) == (case.placed, case.skipped)
            else [
                "record_engagements(): expected %s and %s, found %s and %s"
                % (case.placed, case.skipped, recorded, skipped)
            ]
        )
    if step["op"] == "merge":
        found, = result.fetchone()
        return [] if found == case.handed_over else ["merge_users() returned %s, not %s" % (found, case.handed_over)]
    if step["op"] != "send" or step["how"] not in ("one", "deliver", "array"):
        return []
    found, *repeated = result.fetchone()
    if step["how"] == "array":
        return (
            []
            if found == case.fresh
            else ["record_sent(array) returned %s for %d new receipts" % (found, case.fresh)]
        )
    if repeated and repeated[0] != (case.fresh == 0 and bool(case.made)):
        return ["deliver() says repeated is %s" % repeated[0]]
    if not case.made:
        return [] if found is None else ["receipt %s, but the user is held out" % found]
    receipt = case.made[0]
    if receipt.id is None:
        receipt.id = found
    return (
        []
        if receipt.id == found
        else ["receipt %s expected for ref %s, but it is %s" % (receipt.id, step["ref"], found)]
    )


class Run:
    """One case in a database of its own."""

    def __init__(self, server, case):
        self.server, self.case = server, case
        self.script = []  # (connection, SQL) as sent
        self.failures = []
        self.comparison = None

    def open(self):
        self.database = self.server.fresh()
        self.connections, self.said = [], [[] for _ in range(pools.CONNECTIONS)]
        for n in range(pools.CONNECTIONS):
            db = psycopg.connect(dbname=self.database, autocommit=True, prepare_threshold=None)
            # where enable_seqscan is off, every statement would be compiled
            db.execute("set lock_timeout = '5s'; set client_min_messages = warning; set jit = off")
            db.add_notice_handler(lambda said, n=n: self.said[n].append(said.message_primary))
            self.connections.append(db)
        self.checker = psycopg.connect(dbname=self.database, autocommit=True)
        t0 = self.checker.execute("select date_trunc('second', clock_timestamp())::text").fetchone()[0]
        for db in self.connections + [self.checker]:
            db.execute(T0 % t0)
        if "dead" in self.server.without:
            self.holder = psycopg.connect(dbname=self.database)
            self.holder.execute("begin isolation level repeatable read; select 1")

    def close(self):
        for db in self.connections + [self.checker]:
            db.close()
        self.server.drop(self.database)

    def send(self, conn, sql):
        self.script.append((conn, sql))
        try:
            return self.execute(conn, sql)
        except psycopg.Error as error:
            self.failures.append("statement failed: %s: %s\n    %s" % (error.sqlstate, str(error).split("\n")[0], sql))
            return None

    def execute(self, conn, sql):
        if not isinstance(sql, Copy):
            return self.connections[conn].execute(sql)
        with self.connections[conn].cursor().copy(sql) as copy:
            copy.write("".join(line + "\n" for line in sql.data))
        return None

    def prepare(self):
        case = self.case
        for sql in case.setup():
            self.send(0, sql)
        for conn, statements in case.session.items():
            for sql in statements:
                self.send(conn, sql)
        case.conn = None

    def in_another_order(self, step):
        """Has a statement for several users recorded their receipts in another order than the model?

        Nothing is said of that, and it makes no difference while they are several people."""
        case, keys = (
            self.case,
            [step["from"], step["into"]]
            if step["op"] == "merge"
            else [k for move in step["moves"].items() for k in move],
        )
        receipts = {r for k in keys for r in case.world.whose(case.table, k).receipts if r.gone is None and not r.dead}
        ids, made = {}, {}
        for key, receipt in (
            self.connections[step["conn"]]
            .execute("select user_key, receipt_id from goals.receipt order by receipt_id")
            .fetchall()
        ):
            ids.setdefault(key, []).append(receipt)
        on_record = {r for found in case.world.receipts.values() for r in found if r.gone is None and not r.dead}
        for receipt in sorted(on_record, key=lambda r: r.order):
            made.setdefault(receipt.key, []).append(receipt)
        known = {r: n for key, found in made.items() for r, n in zip(found, ids.get(key, []))}
        in_order = [known.get(r, 0) for r in sorted(receipts, key=lambda r: r.order)]
        return in_order != sorted(in_order)

    def step(self, step, number):
        if step["op"] in ("merge", "rekey") and self.in_another_order(step):
            return False
        sql = self.case.sql(step, number)
        if sql is None:
            return False
        self.said[step["conn"]].clear()
        result = self.send(step["conn"], sql)
        if result is not None:
            self.failures += returned(self.case, step, result)
        fresh = [r for r in self.case.made if r.id is None and r.step == number]
        if step["op"] == "send" and step["how"] == "array" and fresh and not self.failures:
            rows = (
                "select user_key, max(receipt_id) from goals.receipt "
                "where user_key = any(%s) and (coalesce(flags, 0) & 2 = 2) = %s group by 1"
            )
            these = ([r.key for r in fresh], fresh[0].entry)
            self.failures += in_order(fresh, self.connections[step["conn"]].execute(rows, these).fetchall())
        if not self.failures:
            self.failures += self.case.said(self.said[step["conn"]])
        return True

    def finish(self):
        for conn in list(self.case.world.txns):
            self.case.sql({"op": "commit", "conn": conn, "commit": True})
            self.send(conn, "commit")

    def check(self):
        self.comparison = check.Comparison(self.case, self.checker)
        return self.failures + self.comparison.run()


def run_case(server, seed, length, steps=None, alter=None):
    """Run a case, with its own random steps or with these. Returns (run, steps, disagreements)."""
    case = generate.Case(seed, server.version, server.without)
    if alter:
        alter(case)
    run = Run(server, case)
    if steps and all(step["conn"] == 0 for _, step in steps):
        case.session = {0: [s for c in case.session.values() for s in c]}
    run.open()
    try:
        run.prepare()
        lines = list(run.failures)
        kept = []
        if not lines and steps is None:
            for number in range(length):
                step = case.random_step()
                if run.step(step, number):
                    kept.append((number, step))
                if run.failures:
                    break
                if number == length // 2 and not case.world.txns:
                    lines = run.check()
                    if lines:
                        lines = ["half way: " + line for line in lines]
                        break
        elif not lines:
            for number, step in steps:
                if run.step(step, number):
                    kept.append((number, step))
                if run.failures:
                    break
        if not lines:
            if not run.failures:
                run.finish()
            lines = run.failures or run.check()
        return run, kept, lines
    finally:
        run.close()


def signature(lines):
    """What kind of disagreement: so that shrinking does not slide from one fault into another."""
    first = lines[0]
    if "server closed the connection" in first:
        return "crash"
    if first.startswith("statement failed"):
        return first[:23]
    for word in ("sent_at", "matched_at", "verify()", "explain", "verdict", "match ", "worth", "old_value", "new_value", "opened_at", "clicked_at", "stats"):
        if any(word in line for line in lines):
            return word
    return first[:20]


def shrink(server, seed, steps, lines, seconds=60):
    """Delta debugging over the steps: drop chunks for as long as the same kind of disagreement stays."""
    wanted, until = signature(lines), time.monotonic() + seconds

    def still(candidate):
        found = run_case(server, seed, 0, candidate)
        return found if found[2] and signature(found[2]) == wanted else None

    best = still(steps)
    if not best:
        return None
    # first of all: does it take several connections?
    alone = still([(n, dict(step, conn=0)) for n, step in best[1]])
    best = alone or best
    steps, chunk = best[1], max(1, len(best[1]) // 2)
    while time.monotonic() < until:
        at, shorter = 0, False
        while at < len(steps) and time.monotonic() < until:
            found = still(steps[:at] + steps[at + chunk:])
            if found and len(found[1]) < len(steps):
                best, steps, shorter = found, found[1], True
            else:
                at += chunk
        if chunk == 1 and not shorter:
            break
        chunk = max(1, chunk // 2)
    return best


def regression(path, seed, run, lines):
    """The case as a file for psql: other connections through dblink, times relative to its beginning."""
    others = sorted({c for c, _ in run.script} - {0})
    out = ["-- oracle seed %s. What disagreed:" % seed] + ["--   " + line.replace("\n", "\n--   ") for line in lines[:8]]
    out += [
        "create extension pg_goals;",
        pools.PRELUDE,
        *pools.OPTIONAL.values(),
        "select set_config('o.t0', date_trunc('second', clock_timestamp())::text, false);",
    ]
    if others:
        out.append("create extension dblink;")
    for c in others:
        out.append("select dblink_connect('c%d', 'dbname=' || current_database()); select dblink_exec('c%d', format('set o.t0 = %%L', current_setting('o.t0')));" % (c, c))
    for conn, sql in run.script:
        if isinstance(sql, Copy):  # another connection's COPY cannot be written here
            out += ["-- connection %d:" % conn] * (conn != 0) + [sql + ";", *sql.data, "\\."]
        elif conn == 0:
            out.append(sql + ";")
        elif sql.startswith("select"):
            out.append("select * from dblink('c%d', $c$%s$c$) as t (x text);" % (conn, sql))
        else:
            out.append("select dblink_exec('c%d', $c$%s$c$);" % (conn, sql.replace("; select 1 as started", "")))
    out += ["select message, goal, variant, %s from goals.variant_stats order by 1, 2, 3;" % check.FIGURES, "select * from goals.verify();"]
    for name in run.case.spec_names:
        out.append("select * from goals.matches('%s');" % name)
    with open(path, "w") as file:
        file.write("\n".join(out) + "\n")


def tell(counted):
    if counted:
        print("tables tracked as they are: %s" % ", ".join("%d %s" % (n, what) for what, n in sorted(counted.items())))


def main():
    parser = argparse.ArgumentParser(prog="tests/oracle/run")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--changes", type=int, default=50000)
    parser.add_argument("--minutes", type=float, default=None)
    parser.add_argument("--steps", type=int, default=400, help="steps a case")
    parser.add_argument("--one", action="store_true", help="only the case of this seed")
    parser.add_argument("--concurrent", action="store_true")
    parser.add_argument("--keep-going", type=int, default=1, metavar="N", help="stop after N cases that disagree")
    parser.add_argument(
        "--without",
        nargs="*",
        default=[],
        help="leave these out, for a fault that is known (array, deliver, mirror, "
        "rollback, copy, one_off; programmes; six: reports of six kinds, in sets, by machines, withdrawals; "
        "people: keys that change, merges, users who go; nested: commands inside of statements; "
        "open: opens inside of statements; "
        "redo: rows corrected, and deleted and inserted "
        "again; ref: ref and event_id; dead: row versions that are dead to everybody; tables tracked as they are: "
        "completed: rows of sends that are completed and fail later; engagements; orders: events by UPDATE; campaigns; "
        "attributes; membership)",
    )
    parser.add_argument("--lines", type=int, default=6, help="how many disagreements of a case to show")
    parser.add_argument("--no-shrink", action="store_true")
    parser.add_argument("--failures", default="build/failed/oracle", help="where a failing case is written")
    parser.add_argument("--database", default="", metavar="OPTIONS", help="options of CREATE DATABASE; PGCLIENTENCODING is how its text is written")
    parser.add_argument("--charset", help="the codec that can write all of its text")
    parser.add_argument("--c-locale", action="store_true", help="its citext knows the letters of ASCII only")
    parser.add_argument("--uncased", action="store_true", help="letters beyond ASCII have no case: SQL_ASCII")
    args = parser.parse_args()
    v.restrict(args.charset, args.c_locale, not args.uncased)
    if args.concurrent:
        import concurrent_mode
        return concurrent_mode.main(args)
    began, server = time.monotonic(), Server(args.without, args.database)
    totals = dict(cases=0, changes=0, events=0, goals=0, receipts=0, matches=0)
    failed, seed, counted = 0, args.seed, Counter()
    try:
        while True:
            run, steps, lines = run_case(server, seed, args.steps)
            world = run.case.world
            totals["cases"] += 1
            counted += world.counted
            totals["changes"] += world.changes
            totals["events"] += world.events
            totals["goals"] += sum(len(m["goals"]) for m in world.messages.values())
            if run.comparison:
                totals["receipts"] += run.comparison.receipts
                totals["matches"] += run.comparison.matches
            if lines:
                failed += 1
                print("seed %d: %d disagreements" % (seed, len(lines)))
                for line in lines[:args.lines]:
                    print("   ", line)
                if not args.no_shrink:
                    best = shrink(server, seed, steps, lines)
                    if best:
                        os.makedirs(args.failures, exist_ok=True)
                        path = os.path.join(args.failures, "seed_%d.sql" % seed)
                        regression(path, seed, best[0], best[2])
                        print("  shrunk from %d to %d steps: %s" % (len(steps), len(best[1]), path))
                        for line in best[2][:args.lines]:
                            print("     ", line)
                        for conn, sql in best[0].script[-min(len(best[1]), 12) - 1:]:
                            print("      [%d] %s" % (conn, sql[:400]))
                    else:
                        print("  does not happen again in the same order")
                sys.stdout.flush()
            seed += 1
            elapsed = time.monotonic() - began
            if args.one or failed >= args.keep_going:
                break
            if args.minutes is not None and elapsed >= args.minutes * 60:
                break
            if totals["changes"] >= args.changes and args.changes:
                break
    finally:
        server.close()
    tell(counted)
    print("%d changes and %d events in %d cases (seeds %d to %d), %d goals, %d receipts, %d matches compared in %d s: %s" % (
        totals["changes"], totals["events"], totals["cases"], args.seed, seed - 1, totals["goals"], totals["receipts"], totals["matches"],
        time.monotonic() - began, "%d cases disagree" % failed if failed else "0 disagreements"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
