"""A table of sends as teams have it: rows that are queued, sent, that fail, are tried again and are opened, with ids of
messages and addresses of users."""

import values as v
from model import Fact
from rows import KINDS, SECOND
from tables import ZONES, Tracked, fulfilled, part_of_new
from decimal import Decimal

TIMES = {
    "delivered_at": "delivered",
    "bounced_at": "bounced",
    "opened_at": "opened",
    "clicked_at": "clicked",
    "complained_at": "complained",
    "unsubscribed_at": "unsubscribed",
}
# What `only` may ask for: (of the rows that count, what is else in the column)
ONLY = {
    "state": (["sent", "done"], ["queued", "Sent", None]),
    "kind": ("User", ["Lead", None]),
    "live": (True, [False, None]),
    "rank": ([Decimal(1), Decimal("2.50")], [Decimal(2), None]),
    "held": (None, ["x", ""]),
}
TYPES = {"state": "text", "kind": "varchar(20)", "live": "boolean", "rank": "numeric", "held": "text"}


class Queue(Tracked):
    name, table = "completed", "queue"

    def __init__(self, case, rng):
        super().__init__(case, rng)
        self.kind = rng.choice(KINDS)
        self.named = rng.choice(["name", case.ids, case.ids])
        self.by_mail = case.mail is not None and rng.random() < 0.6
        self.sent = rng.random() < 0.8 or self.at_once
        self.zone = rng.choice(ZONES) if rng.random() < 0.3 else None
        self.fails, self.arm = rng.random() < 0.7 and not self.at_once, rng.random() < 0.5
        self.only = {c: ONLY[c][0] for c in rng.sample(list(ONLY), rng.choice([0, 0, 1, 1, 2]))}
        self.times = rng.sample(list(TIMES), rng.randint(1, 6))
        self.reference = self.referred_to = False
        self.first = {}  # number of a row whose key was updated -> the one that it had first
        if case.campaigns and rng.random() < 0.7:
            self.named, self.reference = "campaign", case.ids != "number" or rng.random() < 0.7

    def setup(self):
        time = "timestamp" if self.zone else "timestamptz"
        what = {"name": "text", "number": "integer", "uuid": "uuid", "campaign": "bigint"}[self.named]
        columns = {"what": what, "who": "text" if self.by_mail else self.case.key_type}
        if self.reference:
            columns["what"] += " references " + self.case.campaigns.table
        columns.update((c, time) for c in ["sent", "failed", *self.times])
        columns.update(arm="text", **{c: TYPES[c] for c in self.only})
        tracked = ["'public.%s'" % self.table, "message => 'what'", "user_key => 'who'"]
        tracked += ["sent_at => 'sent'"] * self.sent + ["failed_at => 'failed'"] * self.fails
        tracked += ["variant => 'arm'"] * self.arm + ["%s => %s" % (c, v.quote(c)) for c in self.times]
        tracked += ["user_by => 'mail'"] * self.by_mail
        if self.only:
            tracked.append('"only" => ' + v.quote(v.dumps(self.only)))
        if self.zone:
            tracked.append("time_zone => " + v.quote(self.zone))
        return [*self.create(columns), "select goals.track_receipts(%s)" % ", ".join(tracked)]

    def cell(self, column, raw):
        if column in ("sent", "failed", *TIMES):
            return self.time(raw)
        if column == "what":
            return raw, "NULL" if raw is None else self.case.message_in_row(self.named, raw)
        if column == "who":
            key, fold = raw
            if key is None:
                return None, "NULL"
            return key, self.case.mail_of(key, fold) if self.by_mail else self.case.key(key)
        return super().cell(column, raw)

    def complete(self, held):
        return (
            held["what"] is not None
            and held["who"] is not None
            and (not self.sent or held["sent"] is not None)
            and fulfilled(self.only, held)
            and not (self.fails and held["failed"] is not None)
        )

    # --- what is chosen ---

    def message(self, conn):
        rng = self.case.rng
        if self.named == "campaign":
            there = self.case.campaigns.visible(conn)
            if there and (self.reference or rng.random() < 0.8):
                return rng.choice(there)
            return None if self.reference else self.other_message()
        return self.other_message()

    def other_message(self):
        return self.case.rng.choice(self.case.sent_specs)["name"]

    def random_who(self, conn):
        rng = self.case.rng
        return [None if rng.random() < 0.1 else rng.choice(self.keys(conn)), rng.randrange(3)]

    def random_arm(self, message):
        spec = self.case.specs.get(message)
        arms = spec["variants"] if spec and self.arm else []
        return self.case.rng.choice([*arms, None]) if arms else None

    def random_only(self, column, counts):
        wanted, other = ONLY[column]
        return (
            self.case.rng.choice(wanted if isinstance(wanted, list) else [wanted])
            if counts
            else (self.case.rng.choice(other))
        )

    def random_time(self, after=None):
        """None, now, or a time; after: not before it."""
        rng = self.case.rng
        if after is not None:
            at, exact = after
            if exact and at < -3600 * SECOND and rng.random() < 0.7:
                self.case.counter += 1
                return at + rng.choice([0, 1, 60 * SECOND, 600 * SECOND + self.case.counter, -30 * SECOND])
            return "now"
        return self.case.past() if rng.random() < 0.5 else "now"

    def random_step(self, conn):
        rng = self.case.rng
        step = {"op": "tracked", "conn": conn, "table": self.name}
        there = self.some(conn, rng.choice([1, 1, 1, 1, 2, 3]))
        pick = rng.random()
        if not there or pick < 0.25:
            return self.random_rows(step, conn)
        if pick < 0.28 and not self.referred_to and self.kind != "none":
            return dict(step, do="renumber", row=there[0], to=self.numbers()[0])
        if pick < 0.35 and not self.referred_to and not (self.at_once and self.kind == "none"):
            return dict(step, do="redo", row=there[0], how=rng.choice(["cte", "two", "apart"]))
        held = self.now(there[0], conn).held
        if pick < 0.60:
            sets = {c: self.random_only(c, True) for c in self.only}
            if held["what"] is None:
                sets["what"] = self.message(conn)
            if held["who"] is None:
                sets["who"] = [rng.choice(self.keys(conn)), rng.randrange(3)]
            if held["sent"] is None or not self.sent and rng.random() < 0.3:
                sets["sent"] = self.random_time()
            if held["failed"] is not None:
                sets["failed"] = None
        elif pick < 0.75:
            chosen = rng.sample(self.times, min(len(self.times), rng.choice([1, 1, 2])))
            sets = {c: self.random_time(held["sent"]) for c in chosen}
        elif pick < 0.85:
            sets = {"failed": None if held["failed"] is not None else "now"}
        else:
            sets = {c: self.random_only(c, rng.random() < 0.5) for c in self.only if rng.random() < 0.5}
            if rng.random() < 0.4:
                sets["sent"] = rng.choice([None, self.random_time()])
            if rng.random() < 0.15:
                sets["what"] = self.message(conn) if rng.random() < 0.8 else None
            if rng.random() < 0.15:
                sets["who"] = self.random_who(conn)
            if rng.random() < 0.1:
                sets.update((c, None) for c in rng.sample(self.times, 1))
        if self.kind == "partitioned" and rng.random() < 0.15:
            sets["part"] = self.other_part()
        if not sets:
            sets = {"sent": self.random_time()}
        return dict(
            step, do="set", rows=there, sets=sets, form=rng.choice(["update", "update", "upsert", "merge", "cte"])
        )

    def random_complete(self, conn):
        """A row that is a receipt; its user is said later."""
        raw = {"what": self.message(conn) or None, "sent": self.random_time(), "failed": None, "arm": None}
        raw.update((c, self.random_only(c, True)) for c in self.only)
        raw.update((c, None) for c in self.times)
        return raw

    def random_rows(self, step, conn):
        rng, rows = self.case.rng, []
        numbers = self.numbers(rng.choice([1, 1, 2, 3]))
        for _ in numbers:
            what = self.message(conn) if rng.random() < 0.9 else None
            raw = {"what": what, "who": self.random_who(conn), "sent": None, "failed": None}
            raw["sent"] = None if rng.random() < 0.45 else self.random_time()
            if rng.random() < 0.1:
                raw["failed"] = "now"
            raw.update((c, self.random_only(c, rng.random() < 0.75)) for c in self.only)
            raw.update((c, None) for c in self.times)
            if isinstance(raw["sent"], int) and rng.random() < 0.3:
                raw[rng.choice(self.times)] = raw["sent"] + rng.choice([0, 1, 60 * SECOND, 660 * SECOND])
            raw["arm"] = self.random_arm(what)
            rows.append(raw)
        stray = rng.choice(["message", "user"]) if rng.random() < 0.15 and not self.reference else None
        return dict(step, do="rows", rows=list(zip(numbers, rows)), stray=stray)

    def stray(self, row, which):
        """A row like this one of an unknown message or user."""
        number, _, held, sql = row
        unknown = {"name": "'no such message'", "number": "999999", "campaign": "999999"}
        changed = {"what": unknown.get(self.named, "'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a00'")}
        if which == "user":
            changed = {"who": "'nobody@example.org'" if self.by_mail else self.case.key(self.case.unknown_key())}
        return number + 7, held["part"], dict(sql, **changed)

    # --- what is done ---

    def do(self, step, conn):
        if step["do"] in ("redo", "renumber"):
            return getattr(self, step["do"])(step, conn)
        rows = step["rows"] if step["do"] == "rows" else [(number, step["sets"]) for number in step["rows"]]
        made, keys = [], set()
        for number, raw in rows:
            last = self.now(number, conn)
            if step["do"] == "set" and last is None:
                return None
            raw = dict(raw)
            part = raw.pop("part", None)
            held, sql = self.cells(raw)
            if last is not None:
                held = dict(last.held, **held)
                if part is not None:
                    held["part"], sql["part"] = part, str(part)
            else:
                held["part"] = part_of_new(self, number)
            # in which order a statement comes to several rows of one person is not said
            mine = {key for key in (held["who"], last and last.held["who"]) if key is not None}
            if mine & keys or not self.may(number, last, held, raw, conn):
                return None
            keys |= mine
            made.append((number, last, held, sql))
        if step["do"] == "rows":
            stray = [self.stray(made[0], step["stray"])] if step.get("stray") else []
            text = self.insert([(number, held["part"], sql) for number, _, held, sql in made] + stray)
        else:
            text = self.update([(n, last.held) for n, last, *_ in made], made[0][3], step["form"])
        for number, last, held, _ in made:
            self.world.idx += 1
            self.became(number, last, held, conn)
        return text

    def may(self, number, last, held, raw, conn):
        """Is it said what becomes of the row?"""
        keys = [held["who"], last and last.held["who"]]
        if any(k is not None and (not self.there(k, conn) or not self.settled(k)) for k in keys):
            return False
        if not self.case.message_is_there(held["what"], conn, self.reference):
            return False
        if held["what"] is not None and held["arm"] not in (None, *self.case.specs_of(held["what"])["variants"]):
            return False
        if last is None:
            return True
        receipt = last.receipt
        if receipt is not None and receipt.gone is not None:
            return False  # its opens go to other receipts
        if last.unrecorded:
            return False
        if self.kind == "none" and receipt is not None:
            # it is found by what the row held, and only if that has stayed
            if last.lost and (set(raw) & {"failed", *TIMES} or not self.complete(last.held)):
                return False
            changed = any(last.held[c] != held[c] for c in ("what", "who", "sent"))
            if self.at_once and self.complete(held) and not self.complete(last.held):
                return False
            if (changed or not self.complete(last.held)) and set(raw) & {"failed", *TIMES}:
                return False
            if not self.sent and set(raw) & {"failed", *TIMES}:
                return False
        if receipt is not None and receipt.variant == "control":
            return False
        back = last.taken_back
        if back is not None and (back.gone is not None or self.kind == "none" and set(raw) & set(TIMES)):
            return False
        return True

    def became(self, number, last, held, conn):
        """What the trigger makes of a row that was written."""
        world, receipt, lost = self.world, last and last.receipt, last is not None and last.lost
        complete, was = self.complete(held), last is not None and self.complete(last.held)
        failed = self.fails and held["failed"] is not None
        unrecorded, taken_back = False, last and last.taken_back
        again = self.kind == "none" and receipt is not None and complete and not was
        if receipt is not None and failed and last.held["failed"] is None:
            receipt.withdrawals.append(Fact(world, conn))
            world.counted["failed"] += 1
            self.reported(receipt, last, held, conn)
            receipt, taken_back = None, receipt
        elif receipt is not None and not again:
            self.reported(receipt, last, held, conn)
            if self.kind == "none" and any(last.held[c] != held[c] for c in ("what", "who", "sent")):
                lost = True
        elif complete and (last is None or self.kind != "none" or not was):
            if self.case.is_message(held["what"], conn):
                lost = lost or again or self.kind == "none" and taken_back is not None
                receipt = self.sent_now(number, held, conn)
            else:
                unrecorded = True
        elif taken_back is not None:
            # it did arrive: what is reported of a send that failed is kept, and no figure counts it
            self.reported(taken_back, last, held, conn)
        self.write(number, held, conn, receipt=receipt, lost=lost, unrecorded=unrecorded, taken_back=taken_back)

    def reported(self, receipt, last, held, conn):
        """Times that the row says of its receipt now."""
        for column in self.times:
            if held[column] is not None and held[column] != last.held[column]:
                self.engage(receipt, TIMES[column], held[column], conn)

    def sent_now(self, number, held, conn):
        """The row is complete: the receipt that it is, with what has happened to it."""
        case, ref = self.case, None if self.kind == "none" else ("queue", self.first.get(number, number))
        receipt = self.world.known(held["what"], held["who"], conn, ref)
        if receipt is None:
            sent = held["sent"] if self.sent else None
            self.world.counted["of a campaign" if held["what"] not in case.spec_names else "completed"] += 1
            how = "mirror" if self.arm else "one"
            receipt = case.made_receipt(
                case.record(held["what"], held["who"], conn, held["arm"] if self.arm else None, how, sent, ref=ref)
            )
        for column in self.times:
            if held[column] is not None:
                self.engage(receipt, TIMES[column], held[column], conn)
        return receipt

    def engage(self, receipt, kind, time, conn):
        if kind in ("opened", "clicked"):
            self.world.engage(receipt, conn, kind == "clicked", *time)
        else:
            self.world.report(receipt, conn, kind, time[0])

    def redo(self, step, conn):
        """A row is deleted and inserted again, as maintenance of partitions and retries do."""
        world, number = self.world, step["row"]
        last = self.now(number, conn)
        if last is None or self.case.strict(conn) or not self.may(number, last, last.held, {}, conn):
            return None
        held, receipt = last.held, last.receipt
        if receipt is not None and (receipt.message, receipt.key) != (held["what"], held["who"]):
            return None
        text = self.again(number, held, step["how"])
        world.idx += 3
        lost = last.lost
        if receipt is None or self.kind == "none" and self.complete(held):
            lost = lost or receipt is not None
            if self.complete(held):
                if not self.case.is_message(held["what"], conn):
                    return None
                receipt = self.sent_now(number, held, conn)
        self.write(number, held, conn, receipt=receipt, lost=lost, unrecorded=False, taken_back=last.taken_back)
        return text

    def renumber(self, step, conn):
        """The key of a row is updated: it stays known, by both keys."""
        number, to = step["row"], step["to"]
        last = self.now(number, conn)
        if last is None or to in self.rows or not self.may(number, last, last.held, {}, conn):
            return None
        self.first[to] = self.first.get(number, number)
        what = dict(receipt=last.receipt, lost=last.lost, unrecorded=last.unrecorded, taken_back=last.taken_back)
        self.write(number, None, conn, **what)
        held = dict(last.held, part=part_of_new(self, to))
        self.write(to, held, conn, **what)
        return "update public.%s set id = %s, part = %s where %s" % (
            *(self.table, *self.place(to, held["part"])),
            self.at([(number, last.held)]),
        )

    # --- for tables that refer to it ---

    def receipt_of(self, number, conn):
        """The receipt of a row, as this connection finds it; one that was withdrawn keeps what is reported of it."""
        txn = self.world.txns.get(conn)
        found = [f for f in self.rows.get(number, ()) if f.visible(self.world.idx, txn)]
        return found[-1].receipt or found[-1].taken_back if found else None
