"""Four connections at once, at mixed isolation levels. Each client changes only its own users, so their order is known; receipts and
events of those users come from everybody. Commit order is the truth: every statement and every commit is an interval between two
readings of one clock, and what happened before or after is certain where the intervals do not overlap.

What is tolerated: a change or event that overlaps the commit of the receipt, open or click it would need may match or not; a send
that overlaps the commit of a change to its user (or is made in a transaction whose snapshot is older) may have judged either row;
of two hits that overlap, either may be the first. Nothing else."""
import random
import threading
import time
from collections import Counter

import psycopg

import check
import generate
import pools
import values as v
from figures import Figures
from model import Fact
from rows import SECOND
from oracle import Run, Server, returned, tell

CLIENTS = 4
LEFT_OUT = {"report", "withdraw", "set_goal", "stop_goal", "forget", "purge"}


class Client(threading.Thread):
    def __init__(self, seed, number, run, server, steps):
        super().__init__()
        self.number, self.run_, self.steps = number, run, steps
        self.case = generate.Case(seed, server.version, (*server.without, "open"))
        self.case.setup()
        self.world = self.case.world
        self.times = self.world.times = {0: (0, 0), 1: (0, 0)}
        self.case.rng = random.Random("client %s %d" % (seed, number))
        self.case.counter = number  # times given are unique to the client: steps of CLIENTS
        self.failures, self.retried, self.timed_to = [], 0, 1

    def execute(self, sql):
        began = time.monotonic_ns() // 1000
        try:
            return self.run_.execute(self.number, sql)
        finally:
            said = (began - self.run_.zero, time.monotonic_ns() // 1000 - self.run_.zero)
            self.times.update((idx, said) for idx in range(self.timed_to + 1, self.world.idx + 1))
            self.timed_to = self.world.idx

    def run(self):
        try:
            for number in range(self.steps):
                self.one(self.choose(), number)
                if self.failures:
                    return
            if self.number in self.world.txns:
                self.one({"op": "commit", "conn": self.number, "commit": True}, self.steps)
        except Exception as error:  # a fault of the oracle itself
            self.failures.append("client %d: %r" % (self.number, error))
            raise

    def choose(self):
        while True:
            self.case.counter += (self.number - self.case.counter) % CLIENTS
            step = self.case.random_step(self.number)
            if step["op"] in LEFT_OUT or step["op"] == "open" and step["how"] == "message":
                continue
            if step["op"] == "send" and step["how"] == "array" and step["at"] is None:
                continue
            if step["op"] == "redo":
                # an event that arrives again, and a send to another user, are for the other mode
                if step["table"] == "events" or self.case.send_kind == "none":
                    continue
                step["key"] = None
            self.timed(step)
            return step

    def timed(self, step):
        """Gives what is sent in this step a time of its own, by which it is found, and ids that no other client has."""
        if isinstance(step, (list, tuple)):
            for part in step:
                self.timed(part)
        if not isinstance(step, dict):
            return
        if step.get("how") == "mirror" and "ids" in step:
            moved = [self.past() for _ in step["at"]]
            for what in ("opened", "clicked"):
                step[what] = [
                    o if o is None or a is None else o - a + m for o, a, m in zip(step[what], step["at"], moved)
                ]
            step["at"] = moved
        elif step.get("op") == "send" and step["at"] is not None or step.get("do") in ("send", "mirror"):
            step["at"] = self.past()
        if "ids" in step:
            step["ids"] = [i * CLIENTS + self.number for i in step["ids"]]
        if step.get("do") in ("mirror", "event"):
            # apart from the ids above
            step["row"] = 1_000_000_000 + step["row"] * CLIENTS + self.number * 25
        if step.get("op") == "tracked":
            for raw in [step.get("sets", {}), *(row[1] for row in step.get("rows", []) if isinstance(row, tuple))]:
                if isinstance(raw, dict) and raw.get("sent") is not None:
                    raw["sent"] = self.past()
        if step.get("ref") is not None:
            step["ref"] = "%s of %d" % (step["ref"], self.number)
        if step.get("event_id") is not None:  # what is reported again is for the other mode
            step["event_id"] = "%d of %d" % (len(self.run_.script), self.number)
        for name, part in step.items():
            if name not in ("sets", "row"):  # these hold columns
                self.timed(part)

    def past(self):
        self.case.counter += CLIENTS
        self.case.counter += (self.number - self.case.counter) % CLIENTS
        return -self.case.rng.choice(pools.PAST) * SECOND + self.case.counter

    def one(self, step, number):
        txn = self.world.txns.get(self.number)
        sql = self.case.sql(step, number)
        if sql is None:
            return
        self.run_.script.append((self.number, sql))
        self.run_.said[self.number].clear()
        try:
            result = self.execute(sql)
            if result is not None:
                self.failures += returned(self.case, step, result)
            self.failures += self.case.said(self.run_.said[self.number])
        except psycopg.Error as error:
            if error.sqlstate == "40001" and txn is not None and txn.isolation == "serializable":
                self.retried += 1
                self.world.txns[self.number] = txn  # a commit that failed was none
                txn.committed = None
                self.world.end(self.number, False)
                self.run_.connections[self.number].execute("rollback")
                return
            self.failures.append("statement failed: %s: %s\n    %s" % (error.sqlstate, str(error).split("\n")[0], sql))


class Moments:
    """Facts of all clients on one clock."""

    def __init__(self, clients):
        self.clients = clients

    def said(self, fact):
        return fact.world.times[fact.idx]

    def committed(self, fact):
        return fact.world.times[fact.idx if fact.txn is None else fact.txn.committed]

    def visible(self, fact, other):
        """Was fact there for other's statement? True, False or None (may be)."""
        if fact.txn is not None and fact.txn is other.txn:
            return fact.idx < getattr(other, "began", other.idx)
        if fact.world is other.world:
            return (fact.idx if fact.txn is None else fact.txn.committed) < other.idx
        (lo, hi), (began, ended) = self.committed(fact), self.said(other)
        return True if hi < began else False if lo > ended else None

    def at(self, fact):
        """When it was, as an interval: a time that was given, or some moment of the statement."""
        return (fact.t, fact.t) if fact.exact else fact.world.times[getattr(fact, "began", fact.idx)]

    def rows(self, receipt, versions, beside):
        """The rows that the send can have seen; beside: what another table has known of the user."""
        if receipt.world is versions[0].world:
            return [receipt.seen]
        rows = [fact.row for fact in self.candidates(receipt, versions)]
        if not beside:
            return rows
        more = [fact.held for fact in self.candidates(receipt, beside)]
        return [dict(row, **one) for row in rows for one in more]

    def candidates(self, receipt, versions):
        began, ended = self.said(receipt)
        if receipt.txn is not None and receipt.txn.isolation != "read committed":
            began = receipt.world.times[receipt.txn.began][0]
        found = []
        for fact in versions:
            lo, hi = self.committed(fact)
            if hi < began:
                found = [fact]
            elif lo <= ended:
                found.append(fact)
        return found


class Judge(check.Comparison):
    def __init__(self, run, clients):
        super().__init__(run.case, run.checker)
        self.run_, self.clients, self.moments = run, clients, Moments(clients)
        self.tolerated = 0
        for client in clients:
            world = client.world
            for found in list(world.rows.values()) + list(world.history.values()) + list(world.receipts.values()):
                for fact in found:
                    fact.world = world
            for found in world.receipts.values():
                for receipt in found:
                    receipt.seen = receipt.row
                    for o in receipt.opens:
                        o.world = world

    def run(self):
        self.t0, now = self.rows("select current_setting('o.t0')::timestamptz, clock_timestamp()")[0]
        self.now = self.micros(now)
        table = self.case.table
        self.versions, self.history, self.beside = {}, {}, {}
        for key in self.case.keys:
            owner = self.clients[self.case.owner(key)].world
            self.versions[key] = [f for f in owner.rows[table, key] if f.lasts()]
            self.beside[key] = self.profiles(key)
            self.history[key] = [f for c in self.clients for f in c.world.history.get((table, key), ()) if f.lasts()]
        self.everything()
        for row in self.rows("select * from goals.verify()"):
            self.say("verify(): %r", row)
        return self.lines

    def profiles(self, key):
        """What the table of attributes has held of a user: the facts, the first one that nothing was known."""
        client = self.clients[self.case.owner(key)]
        table = client.case.tracked_by_name.get("attributes")
        if table is None:
            return []
        facts = [f for f in table.rows.get(key, ()) if f.lasts()]
        first = Fact(client.world, None, 0, held=None)
        for fact in [first, *facts]:
            fact.world, fact.held = client.world, fact.held or table.unknown()
        return [first, *facts]

    def everything(self):
        found = {}
        names = [s["name"] for s in self.case.message_specs]
        pairs = ", ".join("(%s, %s)" % (v.quote(m), v.quote(k)) for m in names for k in self.case.keys)
        for row in self.rows("select x.m, x.k, e.goal, e.receipt_id, e.variant, e.sent_at, e.opened_at, e.clicked_at, e.verdict "
                             "from (values %s) x (m, k), goals.explain(x.m, x.k) e" % pairs):
            found.setdefault(row[:2], []).append(row[2:])
        matches = {}
        for name in names:
            for row in self.rows("select receipt_id, goal, matched_at, worth, user_key from goals.matches(%s)" % v.quote(name)):
                if row[:2] in matches:
                    self.say("matches(): %s twice", row)
                matches[row[:2]] = row[2:]
        counted, used = {}, set()
        for name in names:
            for key in self.case.keys:
                receipts = [r for c in self.clients for r in c.world.receipts.get((name, key), ()) if r.lasts()]
                self.receipts += len(receipts)
                by_id, by_time = {}, {}
                for row in found.get((name, key), ()):
                    by_id.setdefault(row[1], {})[row[0]] = row
                    by_time[self.micros(row[3])] = row[1]
                judged = [r for r in receipts if r.goals]
                if len(by_id) != len(judged):
                    self.say("explain(%s, %s): %d receipts expected, %d found", name, key, len(judged), len(by_id))
                for receipt in receipts:
                    rid = receipt.id if receipt.id is not None else by_time.get(receipt.sent)
                    for goal in receipt.goals:
                        row = by_id.get(rid, {}).get(goal["name"])
                        if row is None:
                            self.say("receipt %s of %s to %r, goal %s is missing", rid, name, key, goal["name"])
                            continue
                        used.add((rid, goal["name"]))
                        match = matches.get((rid, goal["name"]))
                        self.pair(receipt, goal, rid, row, match)
                        figures = counted.setdefault((name, goal["name"], receipt.variant), Figures())
                        opens = [o for o in receipt.opens if o.lasts()]
                        opened, clicked = row[4], row[5]
                        for what, have, want in (("opened", opened, bool(opens)), ("clicked", clicked, any(o.click for o in opens))):
                            if (have is not None) != want:
                                self.say("receipt %d of %s to %r: %s expected %s, found %s", rid, name, key, what, want, have)
                        figures.sent += 1
                        figures.opened += bool(opens)
                        figures.clicked += any(o.click for o in opens)
                        already = row[6] == "already matched when sent"
                        if row[6] == "control":
                            already = self.control_already(receipt, goal)
                        figures.already_matched += already or 0
                        if match:
                            figures.matched += 1
                            figures.matched_after_open += opened is not None and opened <= match[0]
                            figures.matched_after_click += clicked is not None and clicked <= match[0]
                            figures.worth += match[1] or 0
        for extra in set(matches) - used:
            self.say("matches(): unexpected %s", extra)
        stats = {tuple(r[:3]): r[3:] for r in self.rows("select message, goal, variant, %s from goals.variant_stats where goal is not null" % check.FIGURES)}
        for key, figures in counted.items():
            wanted, row = figures.row(), list(stats.get(key, ()))
            if key[2] == "control" and row:  # explain() says "control" and not whether it held already
                wanted, row = wanted[:3] + wanted[4:], row[:3] + row[4:]
            if not row or not all(map(check.same_number, wanted, row)):
                self.say("variant_stats%r: expected %s, found %s", key, list(map(str, wanted)), list(map(str, row)))

    def control_already(self, receipt, goal):
        return 0

    def pair(self, receipt, goal, rid, row, match):
        """Is what is recorded of this receipt and goal one of the things that can have happened?"""
        rows = self.moments.rows(receipt, self.versions[receipt.key], self.beside[receipt.key])
        reasons = []
        for number, seen in enumerate(rows):
            receipt.row = seen
            reason, sure = self.possible(receipt, goal, row, match)
            if reason is None:
                self.matches += match is not None
                self.tolerated += not sure or len(rows) > 1
                return
            reasons.append(reason)
        self.say("receipt %d (step %s of client %d) of %s to %r, goal %s %s: %s", rid, receipt.step, receipt.txn.conn if receipt.txn else -1,
                 receipt.message, receipt.key, goal["name"], check.describe(goal), " / ".join(dict.fromkeys(reasons)))

    def possible(self, receipt, goal, row, match):
        world, m = receipt.world, self.moments
        already = world.already(receipt, goal)
        if row[6] != "control" and already != (row[6] == "already matched when sent"):
            return "already matched expected %s, found %s" % (already, row[6]), True
        if already:
            return (None if match is None else "matched %s though it held already" % (match,)), True
        sure, maybe = [], []
        for fact in self.history[receipt.key]:
            there = m.visible(receipt, fact)
            if there is False:
                continue
            hit = world.hit(receipt, goal, fact)
            if not hit:
                continue
            inside = self.window(receipt, goal, fact)
            if inside is False:
                continue
            (sure if there and inside else maybe).append((m.at(fact), hit[0]))
        times = goal["times"]
        if match is None:
            if len(sure) >= times:
                return "match missing, expected by %s" % (sorted(sure)[:times],), True
            return None, not maybe
        if len(sure) + len(maybe) < times:
            return "match that should not be: %s" % (match,), True
        at = self.micros(match[0])
        earliest = sorted(t[0] for t, _ in sure + maybe)[times - 1]
        latest = sorted(t[1] for t, _ in sure)[times - 1] if len(sure) >= times else max(t[1] for t, _ in sure + maybe)
        # two clocks: what was now is compared generously, what was given to the microsecond
        slack = 0 if earliest < 0 and latest < 0 else 200000
        if not earliest - slack <= at <= latest + slack:
            return "matched at %d, expected between %d and %d" % (at, earliest, latest), True
        if not any(check.same_number(match[1], worth) for _, worth in sure + maybe):
            return "worth %s, expected one of %s" % (match[1], [str(w) for _, w in sure + maybe]), True
        return None, not maybe

    def window(self, receipt, goal, fact):
        """Is the fact inside the window? True, False or None (may be)."""
        m = self.moments
        if goal["after"] == "sent":
            anchors = {(receipt.sent, receipt.sent) if receipt.exact else m.said(receipt)}
        else:
            opens = [o for o in receipt.opens if o.lasts() and (o.click or goal["after"] == "opened")]
            span = lambda o: (o.at, o.at) if o.exact else m.said(o)
            known = [span(o) for o in opens if m.visible(o, fact)]
            first = min(known, default=None)
            anchors = {first} | {span(o) for o in opens if m.visible(o, fact) is None and (first is None or span(o) < first)}
        at, answers = m.at(fact), set()
        for anchor in anchors:
            if anchor is None or at[1] < anchor[0] or at[0] > anchor[1] + goal["limit"]:
                answers.add(False)
            elif anchor[1] <= at[0] and at[1] <= anchor[0] + goal["limit"]:
                answers.add(True)
            else:
                answers.add(None)
        return answers.pop() if len(answers) == 1 else None


def run_case(server, seed, steps):
    case = generate.Case(seed, server.version, server.without)
    run = Run(server, case)
    run.open()
    try:
        run.prepare()
        if run.failures:
            return run, [], None, run.failures
        clock = run.checker.execute("select extract(epoch from clock_timestamp() - current_setting('o.t0')::timestamptz) * 1e6").fetchone()[0]
        run.zero = time.monotonic_ns() // 1000 - int(clock)
        clients = [Client(seed, n, run, server, steps) for n in range(CLIENTS)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        lines = [line for client in clients for line in client.failures]
        judge = Judge(run, clients)
        return run, clients, judge, lines or judge.run()
    finally:
        run.close()


def main(args):
    pools.CONNECTIONS = CLIENTS
    # one_off: what another client has sent at the same moment, a client does not know
    began, server, seed, failed = (
        time.monotonic(),
        Server((*args.without, "one_off", "people", "six", "programmes", "campaigns", "alone")),
        args.seed,
        0,
    )
    changes = events = receipts = matches = tolerated = retried = goals = 0
    counted = Counter()
    try:
        while True:
            run, clients, judge, lines = run_case(server, seed, max(args.steps // CLIENTS, 60))
            changes += sum(c.world.changes for c in clients)
            events += sum(c.world.events for c in clients)
            counted = sum((c.world.counted for c in clients), counted)
            retried += sum(c.retried for c in clients)
            goals += sum(len(m["goals"]) for m in run.case.world.messages.values())
            if judge:
                receipts, matches, tolerated = receipts + judge.receipts, matches + judge.matches, tolerated + judge.tolerated
            if lines:
                failed += 1
                print("seed %d: %d disagreements" % (seed, len(lines)))
                for line in lines[:args.lines]:
                    print("   ", line)
                import os
                os.makedirs(args.failures, exist_ok=True)
                with open(os.path.join(args.failures, "concurrent_%d.txt" % seed), "w") as file:
                    file.write("\n".join(lines) + "\n\n" + "\n".join("[%d] %s;" % x for x in run.script) + "\n")
            seed += 1
            if args.one or failed >= args.keep_going:
                break
            if args.minutes is not None and time.monotonic() - began >= args.minutes * 60:
                break
            if args.changes and changes + events >= args.changes:
                break
    finally:
        server.close()
    tell(counted)
    print("%d changes and %d events by %d clients in %d cases (seeds %d to %d), %d goals, %d receipts, %d matches compared in %d s, %d pairs with more than "
          "one possible outcome, %d transactions retried: %s" % (changes, events, CLIENTS, seed - args.seed, args.seed, seed - 1, goals, receipts, matches,
          time.monotonic() - began, tolerated, retried, "%d cases disagree" % failed if failed else "0 disagreements"))
    return 1 if failed else 0
