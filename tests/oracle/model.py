"""What the rules (README, "The rules") say becomes of what an application did.

The world is a log of facts (row versions, receipts, opens, events, stopped goals), each with the moment of its command
and the moment its transaction committed. A statement is a command; each statement that a trigger or a function runs in
it is a later one. Outcomes are computed from the log afterwards, receipt by receipt."""
from collections import Counter

import values as v
from figures import Figures, gain

FOREVER = float("inf")
SECOND = 1000000


class Txn:
    def __init__(self, conn, isolation, began):
        self.conn, self.isolation, self.began = conn, isolation, began
        self.committed = None
        self.facts = []
        self.savepoints = []  # (name, how many facts there were, what was late then)
        self.immediate = False  # deferred triggers fire at once
        self.late = []  # what deferred triggers are going to do: (the change or row they fire for, key, actions)


class Fact:
    """idx: the moment of the command. dead: rolled back. In concurrent runs moments are intervals (lo, hi)."""

    def __init__(self, world, conn, idx=None, **what):
        self.__dict__.update(what)
        self.txn = world.txns.get(conn)
        self.idx = world.idx if idx is None else idx
        self.dead = False
        if self.txn:
            self.txn.facts.append(self)

    def visible(self, idx, txn):
        if self.dead:
            return False
        if self.txn is None:
            return self.idx < idx
        if self.txn is txn:
            return self.idx < idx
        return self.txn.committed is not None and self.txn.committed < idx

    def lasts(self):
        return not self.dead and (self.txn is None or self.txn.committed is not None)


class Person:
    """Who has a key. The receipts are those of all keys that the person has had."""

    def __init__(self, key):
        self.key, self.receipts = key, []


class World:
    def __init__(self):
        self.idx = 0
        self.told = (0, 0)  # the moment at which the clock was read last, and how often
        self.txns = {}      # open transaction of each connection
        self.rows = {}      # (table, key) -> versions
        self.receipts = {}  # (message, key) -> receipts
        self.people = {}    # (table, key) -> Person
        self.former = {}    # (table, key) -> receipts that were handed over when the key changed
        self.moved = set()  # (table, key) that have ever meant another person
        self.history = {}   # (table, key) -> changes and events
        self.recorded = 0   # receipts
        self.messages = {}  # name -> Message dict
        self.columns = {}   # table -> {name: Column}
        self.sends = {}     # number of a row of the table of sends -> what it was, version by version
        self.occurred = {}  # number of a row of the table of events -> what it was, version by version
        self.changes = self.events = 0
        self.counted = Counter()  # what tables tracked as they are have brought, for the summary
        self.beside = []    # what says which attributes of a user are in other tables

    def clock(self):
        """Now, later than what was now before in the same command."""
        self.told = (self.idx, self.told[1] + 1 if self.told[0] == self.idx else 1)
        return self.idx + self.told[1] / 100000

    # --- transactions ---

    def begin(self, conn, isolation):
        self.txns[conn] = Txn(conn, isolation, self.idx)

    def end(self, conn, commit):
        txn = self.txns.pop(conn)
        if commit:
            txn.committed = self.idx
        else:
            self.undo(txn.facts)

    def roll_back_to(self, conn, name):
        txn = self.txns[conn]
        while txn.savepoints[-1][0] != name:
            txn.savepoints.pop()
        self.undo(txn.facts[txn.savepoints[-1][1]:])
        txn.late = list(txn.savepoints[-1][2])  # what has fired since is to fire again

    def undo(self, facts):
        people = next((f.people for f in facts if not f.dead and hasattr(f, "people")), None)
        for fact in facts:
            fact.dead = True
        if people:
            self.people = {key: person for key, (person, *_) in people.items()}
            for person, key, receipts in people.values():
                person.key, person.receipts = key, receipts

    # --- people: while a transaction that changes who is who is open, there is no other one ---

    def whose(self, table, key):
        return self.people.setdefault((table, key), Person(key))

    def of_user(self, message, key):
        """The receipts of this message, of the person who has the key."""
        found = self.whose(self.messages[message]["table"], key).receipts
        return [r for r in found if r.message == message]

    def is_alias(self, table, key):
        """Is the key that of an account which was merged into another one?"""
        return self.whose(table, key).key != key

    def known_as(self, table, key, conn):
        """The key under which the person was first recorded."""
        txn = self.txns.get(conn)
        found = [r for r in self.whose(table, key).receipts
                 if r.gone is None and (r.visible(self.idx, txn) or r.txn is txn and not r.dead)]
        return min(found, key=lambda r: r.order).key if found else self.whose(table, key).key

    def before_people_change(self, conn):
        """So that a rollback brings back who was who."""
        Fact(self, conn, people={key: (p, p.key, list(p.receipts)) for key, p in self.people.items()})
        if conn in self.txns:
            self.txns[conn].alone = True

    def unite(self, gone, into):
        into.receipts += gone.receipts
        for key in [k for k, p in self.people.items() if p is gone]:
            self.people[key] = into

    def is_known(self, table, key, conn):
        """Is the key that of a user, or is anything recorded of it? None: something was, and may be forgotten."""
        person = self.whose(table, key)
        if self.version(table, key, conn) is not None or any(
            p is person for (_, k), p in self.people.items() if k != key
        ):
            return True
        # What was recorded under another key, and only passed through this one, is no record of this one.
        passed = [r for r in self.former.get((table, key), []) if r.key == key]
        if any(not r.dead and r.gone is None for r in person.receipts + passed):
            return True
        return None if (table, key) in self.moved else False

    def merge(self, table, from_key, into_key, conn):
        """How many receipts are handed over."""
        gone, into = self.whose(table, from_key), self.whose(table, into_key)
        count = sum(not r.dead and r.gone is None for r in gone.receipts)
        if gone is into:
            return 0
        if not self.is_known(table, from_key, conn):
            return 0
        self.before_people_change(conn)
        self.moved |= {(table, from_key), (table, into_key)}
        self.unite(gone, into)
        return count

    def move(self, table, moves, conn):
        """An UPDATE of keys: {old: (new, old row, new row)}. Its changes are those of the old keys."""
        for old, (_, was, row) in moves.items():
            self.changed(table, old, conn, was, row)
        self.before_people_change(conn)
        self.moved |= {(table, key) for old, (new, *_) in moves.items() for key in (old, new)}
        before = dict(self.people)
        aliases = {key for (_, key), person in before.items() if person.key != key}
        for old in moves:
            self.put(table, old, conn, None)
            self.former.setdefault((table, old), []).extend(self.whose(table, old).receipts)
            before.setdefault((table, old), self.whose(table, old))
            if old not in aliases:
                del self.people[table, old]
        for old, (new, _, row) in moves.items():
            self.put(table, new, conn, row)
            person, there = before[table, old], self.people.get((table, new))
            if old not in aliases:
                person.key = new
            # What there is of a user who is gone is that of who takes the key; what was merged stays where it is.
            if new not in moves and new not in aliases and there not in (None, person):
                self.unite(there, person)
                before = {key: person if who is there else who for key, who in before.items()}
            self.people[table, new] = person

    def forget(self, table, key):
        person = self.whose(table, key)
        self.archive(r for r in person.receipts if r.lasts() and r.gone is None)
        person.receipts = []
        # That accounts were merged is forgotten, too.
        for other in [k for k, p in self.people.items() if p is person and k[1] != person.key]:
            del self.people[other]

    # --- rows ---

    def version(self, table, key, conn):
        txn = self.txns.get(conn)
        for fact in reversed(self.rows.get((table, key), ())):
            if fact.visible(self.idx, txn):
                return fact.row
        return None

    def put(self, table, key, conn, row, idx=None):
        self.rows.setdefault((table, key), []).append(Fact(self, conn, idx, row=row))

    def change(self, table, key, conn, old, new, idx=None):
        """One row changed by an UPDATE in whatever form. idx: the command, if others have begun since."""
        self.put(table, key, conn, new, idx)
        return self.changed(table, key, conn, old, new, idx)

    def changed(self, table, key, conn, old, new, idx=None):
        fact = Fact(self, conn, idx, kind="change", old=old, new=new, exact=False, cause=None)
        fact.t = fact.idx
        self.changes += 1
        return self.happened(table, key, fact)

    def happened(self, table, key, fact):
        """The fact is one of the person who has the key now."""
        self.history.setdefault((table, key), []).append(fact)
        for receipt in self.whose(table, key).receipts:
            receipt.facts.append(fact)
        return fact

    def event(self, table, key, conn, name, properties, at, idx=None, cause=None):
        """cause: what the event is known by; the same event may arrive again."""
        fact = Fact(self, conn, idx, kind="event", name=name, properties=properties, exact=at is not None, cause=cause)
        fact.t = fact.idx if at is None else at
        self.events += 1
        return self.happened(table, key, fact)

    # --- receipts ---

    def lasting(self):
        """Names of the messages; one that a row made is there if the row was committed."""
        return [m for m, what in self.messages.items() if "made" not in what or any(f.lasts() for f in what["made"])]

    def names_of_goals(self, message):
        what = self.messages[message]
        goals = what["goals"] + (self.messages[what["like"]]["goals"] if what.get("like") else [])
        return list(dict.fromkeys(g["name"] for g in goals if g["fact"].lasts()))

    def goals_now(self, message, conn):
        found, txn = {}, self.txns.get(conn)
        for goal in self.messages[message]["goals"]:
            if goal["fact"].visible(self.idx, txn):
                found[goal["name"]] = goal
        like = self.messages[message].get("like")
        if like and not found:  # a campaign has the goals of another message, until one is set on it
            return self.goals_now(like, conn)
        return [g for g in found.values() if not (g["stop"] and g["stop"].visible(self.idx, self.txns.get(conn)))]

    def known(self, message, key, conn, ref):
        """The receipt that was made of this row, or under this ref: the first one."""
        txn = self.txns.get(conn)
        return next((r for r in sorted(self.of_user(message, key), key=lambda r: r.order)
                     if ref is not None and r.ref == ref and r.gone is None and r.visible(self.idx, txn)
                     and not self.withdrawn(r, conn)), None)

    def delivered(self, message, key, conn):
        """The receipt that is the user's for good, of a message that is delivered once: the first that was sent. Also
        one that this command has recorded; not one of a transaction that is open."""
        if not self.messages[message]["one_off"]:
            return None
        txn = self.txns.get(conn)
        found = [
            r
            for r in self.of_user(message, key)
            if r.gone is None
            and (r.visible(self.idx, txn) or r.txn is txn and not r.dead)
            and not self.withdrawn(r, conn)
        ]
        return min(found, key=lambda r: (r.sent, r.order), default=None)

    def entry(self, programme, key, conn):
        """The receipt by which the person has entered a programme: the one that was sent first, of those seen here."""
        txn = self.txns.get(conn)
        found = [r for r in self.of_user(programme, key)
                 if r.gone is None and (r.visible(self.idx, txn) or r.txn is txn and not r.dead)]
        return min(found, key=lambda r: (r.sent, r.order), default=None)

    def superseded(self, receipt, person):
        """Is it an entry after another one of the same person?"""
        if receipt.gone is not None:
            return receipt.late
        return receipt.entry and any(
            r.message == receipt.message
            and r.lasts()
            and r.gone is None
            and (r.sent, r.order) < (receipt.sent, receipt.order)
            for r in person.receipts
        )

    def withdrawn(self, receipt, conn):
        return any(w.visible(self.idx, self.txns.get(conn)) for w in receipt.withdrawals)

    def send(self, message, key, conn, variant, sent, row=None, ref=None, held_out=False):
        """row: the user's row, if it is not what the last command left. sent: (time, whether that is exact)"""
        table = self.messages[message]["table"]
        row = row or self.version(table, key, conn)
        if row is None:
            return None
        for of in self.beside:
            row = dict(row, **of(key, conn))
        receipt = Fact(
            self,
            conn,
            message=message,
            key=key,
            variant=variant,
            sent=sent[0],
            ref=ref,
            exact=sent[1],
            held_out=held_out,
            entry=self.messages[message]["programme"],
            late=False,
            row=row,
            goals=self.goals_now(message, conn),
            opens=[],
            reports=[],
            withdrawals=[],
            facts=[],
            order=self.recorded,
            gone=None,
            table=table,
            id=None,
        )
        self.recorded += 1
        self.receipts.setdefault((message, key), []).append(receipt)
        self.whose(table, key).receipts.append(receipt)
        return receipt

    def latest(self, message, key, conn, at):
        upto = self.clock() if at is None else at
        if at is not None and at % SECOND == 0:  # a time that was cut to whole seconds
            upto += SECOND - 1
        found = [
            r
            for r in self.of_user(message, key)
            if r.visible(self.idx, self.txns.get(conn))
            and r.gone is None
            and r.sent <= upto
            and not self.withdrawn(r, conn)
        ]
        # who was held back was sent nothing
        found = [r for r in found if r.variant != "control"] or found
        # of those sent at the same time, the one recorded last
        return max(found, key=lambda r: (r.sent, r.order), default=None)

    def latest_free(self, gone, conn, click, upto):
        """What an open of a mirrored row goes to when the row's own receipt is gone: the newest receipt of the message up
        to the row's time without such an engagement, else the newest."""
        txn = self.txns.get(conn)
        found = [r for r in self.of_user(gone.message, gone.key)
                 if r.visible(self.idx, txn) and r.gone is None and r.variant != "control" and r.sent <= upto]
        found.sort(key=lambda r: r.sent)
        free = [r for r in found if not any(o.click == click and o.visible(self.idx, txn) for o in r.opens)]
        return (free or found or [None])[-1]

    def engage(self, receipt, conn, click, at, exact=True, machine=False):
        """A time before the sending (of a row, or cut to seconds) is that of the sending."""
        if at is None:
            at, exact = self.clock(), False
        if at < receipt.sent:
            at, exact = receipt.sent, receipt.exact
        if machine or at - receipt.sent < self.messages[receipt.message]["engagement_after"]:
            for kind in ("opened_by_machine", "clicked_by_machine")[:1 + click]:
                receipt.reports.append(Fact(self, conn, kind=kind))
        else:
            receipt.opens.append(Fact(self, conn, at=at, click=click, exact=exact))

    def report(self, receipt, conn, kind, at, machine=False):
        """One of the six kinds."""
        if kind in ("opened", "clicked"):
            self.engage(receipt, conn, kind == "clicked", at, machine=bool(machine))
        else:
            receipt.reports.append(Fact(self, conn, kind=kind))

    # --- outcomes ---

    def value(self, table, row, goal):
        return v.walk(row[goal["column"]], goal["path"]) if goal["path"] else row[goal["column"]]

    def already(self, receipt, goal):
        if goal["event"] or goal["op"] not in v.STATES:
            return False
        value = self.value(receipt.table, receipt.row, goal)
        if goal["op"] == "is unknown":
            return v.nothing(value)
        return v.holds(goal, self.columns[receipt.table][goal["column"]], value)

    def hit(self, receipt, goal, fact):
        """The worth of this change or event for this goal, or None if it is not one."""
        if goal["event"]:
            if fact.kind != "event" or fact.name != goal["event"]:
                return None
            if goal["properties"] is not None and not v.contains(fact.properties, goal["properties"]):
                return None
            worth = None
            if goal["value_from"] and isinstance(fact.properties, dict):
                found = fact.properties.get(goal["value_from"])
                worth = v.plain(found)
            return (worth, None, fact.properties)
        if fact.kind != "change":
            return None
        if goal["column"] not in fact.old:  # it is of another table
            return None
        column = self.columns[receipt.table][goal["column"]]
        old, new = self.value(receipt.table, fact.old, goal), self.value(receipt.table, fact.new, goal)
        if v.equal(old, new):
            return None
        base = self.value(receipt.table, receipt.row, goal) if goal["op"] == "is increased by" else None
        if not v.holds(goal, column, new, old, base):
            return None
        worth = None
        if goal["value_from"]:
            source = {"column": goal["worth_column"], "path": goal["worth_path"]}
            worth = gain(self.value(receipt.table, fact.old, source), self.value(receipt.table, fact.new, source))
        return (worth, old, new)

    def engaged(self, receipt, seen):
        """First opened and first clicked, over the reports for which seen() is true."""
        opens = [o for o in receipt.opens if seen(o)]
        clicks = [o.at for o in opens if o.click]
        return (min((o.at for o in opens), default=None), min(clicks, default=None))

    def judge(self, receipt, goal, upto=FOREVER):
        """(already matched, match or None); a match is (fact, worth, old, new)."""
        if self.already(receipt, goal):
            return True, None
        hits = []
        for fact in receipt.facts:
            if not fact.lasts() or fact.idx > upto or not receipt.visible(fact.idx, fact.txn):
                continue
            # what has left at the commit has left, for its own transaction, when it was deleted
            began = getattr(fact, "began", fact.idx)
            if receipt.txn is not None and receipt.txn is fact.txn and receipt.idx >= began:
                continue
            if goal["stop"] and goal["stop"].visible(began, fact.txn):
                continue
            opened, clicked = self.engaged(receipt, lambda o: o.visible(fact.idx, fact.txn))
            anchor = {"sent": receipt.sent, "opened": opened, "clicked": clicked}[goal["after"]]
            if anchor is None or not anchor <= fact.t <= anchor + goal["limit"]:
                continue
            found = self.hit(receipt, goal, fact)
            if found:
                hits.append((fact, *found))
        again, hits = hits, []
        for hit in again:  # of what arrives again the first that is on record counts
            if hit[0].cause is None or all(h[0].cause != hit[0].cause for h in hits):
                hits.append(hit)
        hits.sort(key=lambda h: h[0].t)
        return False, hits[goal["times"] - 1] if len(hits) >= goal["times"] else None

    def stopped(self, goal, upto):
        return goal["stop"] is not None and goal["stop"].lasts() and goal["stop"].idx <= upto

    def outcome(self, receipt, goal, upto=FOREVER):
        if receipt.gone is not None:
            upto = min(upto, receipt.gone)
        already, match = self.judge(receipt, goal, upto)
        opened, clicked = self.engaged(receipt, lambda o: o.lasts() and o.idx <= upto)
        anchor = {"sent": receipt.sent, "opened": opened, "clicked": clicked}[goal["after"]]
        return {"already": already, "match": match, "opened": opened, "clicked": clicked, "opens": anchor,
                "closes": None if anchor is None else anchor + goal["limit"], "stopped": self.stopped(goal, upto),
                # when it is compared, opened or not, and whether it began in time to be a match then
                "matures": receipt.sent + goal["limit"] * (1 if goal["after"] == "sent" else 2),
                "in_time": anchor is not None and anchor <= receipt.sent + goal["limit"]}

    def verdict(self, receipt, goal, out):
        if self.never_sent(receipt):
            return "withdrawn"
        if receipt.variant == "control":
            return "control"
        if out["already"]:
            return "already matched when sent"
        if out["match"]:
            return "matched"
        over = out["closes"] is not None and out["closes"] < self.idx
        if out["stopped"] and not over:
            return "goal stopped"
        if out["opens"] is None:
            return "not opened" if goal["after"] == "opened" else "not clicked"
        return "time limit passed" if over else "still running"

    def never_sent(self, receipt):
        return any(w.lasts() for w in receipt.withdrawals)

    def archive(self, receipts):
        receipts = list(receipts)
        for person in set(self.people.values()):
            # With an entry into a programme go those after it, which count nowhere.
            mine = {id(r) for r in receipts} & {id(r) for r in person.receipts}
            for receipt in person.receipts if mine else ():
                if receipt.entry and receipt.lasts() and receipt.gone is None and self.superseded(receipt, person):
                    first = min(
                        (r for r in person.receipts if r.message == receipt.message and r.lasts() and r.gone is None),
                        key=lambda r: (r.sent, r.order),
                    )
                    if id(receipt) in mine or id(first) in mine:
                        receipt.late, receipt.gone = True, self.idx
        for receipt in receipts:
            receipt.gone = self.idx

    def all_receipts(self):
        for (message, _), found in self.receipts.items():
            for receipt in found:
                if receipt.lasts():
                    yield receipt

    def all_refs(self):
        return [r for found in self.receipts.values() for r in found if r.ref is not None]

    def comparison(self, message, goal):
        """variant -> [users, of them matched, whatever is mature; both of those who are mature], of people."""
        counts = {}
        for person in set(self.people.values()):
            mine = [r for r in person.receipts
                    if r.message == message and r.lasts() and r.gone is None and not r.held_out and not self.superseded(r, person)]
            if len({r.variant for r in mine}) != 1:
                continue
            judged = [(r, g) for r in mine for g in r.goals if g["name"] == goal]
            judged.sort(key=lambda j: (j[0].sent, j[0].order))
            outs = [self.outcome(r, g) for r, g in judged]
            if not outs or outs[0]["already"]:
                continue
            is_mature = [out["stopped"] or out["matures"] < self.idx for out in outs]
            matched = [bool(out["match"]) and out["in_time"] for out in outs]
            row = counts.setdefault(mine[0].variant, [0, 0, 0, 0])
            row[0] += 1
            row[1] += any(matched)
            row[2] += is_mature[0]
            row[3] += is_mature[0] and any(map(all, zip(is_mature, matched)))
        return counts

    def figures(self):
        """(message, goal, variant) -> figures; goal None for a message that has none."""
        stats, person_of = {}, {id(r): p for p in self.people.values() for r in p.receipts}
        for name in self.lasting():
            message, goals = self.messages[name], self.names_of_goals(name)
            arms = list(message["variants"]) + (["control"] if message["control"] else [])
            if not message["variants"]:
                arms.append(None)
            for goal in goals or [None]:
                for arm in arms:
                    stats[name, goal, arm] = Figures()
        for receipt in self.all_receipts():
            if self.never_sent(receipt) or self.superseded(receipt, person_of.get(id(receipt))):
                continue
            if not self.names_of_goals(receipt.message):
                upto = FOREVER if receipt.gone is None else receipt.gone
                opened, clicked = self.engaged(receipt, lambda o: o.lasts() and o.idx <= upto)
                stats.setdefault((receipt.message, None, receipt.variant), Figures()).add(
                    receipt,
                    {"opened": opened, "clicked": clicked, "already": False, "match": None},
                    None,
                    self,
                    person_of,
                )
            for goal in receipt.goals:
                stats.setdefault((receipt.message, goal["name"], receipt.variant), Figures()).add(
                    receipt, self.outcome(receipt, goal), goal, self, person_of)
        return stats
