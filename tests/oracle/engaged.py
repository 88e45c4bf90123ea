"""A table of opens, clicks, deliveries, bounces, complaints and unsubscribes, by the row of the send or by message and
user."""

import values as v
from rows import SECOND
from tables import KINDS_WITH_ONE_COLUMN, ZONES, Tracked, fulfilled, part_of_new
from queued import TIMES

MAPPED = {
    "open": "opened",
    "read": "opened",
    "click": "clicked",
    "Delivery": "delivered",
    "bounce": "bounced",
    "spamreport": "complained",
    "unsub": "unsubscribed",
}


class Engaged(Tracked):
    name, table = "engagements", "engaged"

    def __init__(self, case, rng):
        super().__init__(case, rng)
        self.kind = rng.choice(["bigint", "composite", "partitioned", "uuid", "text"])
        queue = case.tracked_by_name.get("completed")
        targets = [queue] if queue and queue.kind in KINDS_WITH_ONE_COLUMN else []
        if "sends" in case.features and case.send_kind in KINDS_WITH_ONE_COLUMN:
            targets.append(case)
        self.of = rng.choice([*targets, *targets] or [None] if self.at_once else [*targets, *targets, None])
        # rows of the other table are deleted and inserted again, which a foreign key does not let
        self.reference = rng.random() < 0.5 and self.of is not case
        if self.of is not None and self.reference:
            self.of.referred_to = True
        self.by_mail = self.of is None and case.mail is not None and rng.random() < 0.6
        self.zone = rng.choice(ZONES) if rng.random() < 0.3 else None
        self.timed = rng.random() < 0.75
        self.constant = rng.choice(list(TIMES.values())) if rng.random() < 0.3 else None
        self.only = {"real": True} if rng.random() < 0.4 else None
        self.named = rng.choice(["name", case.ids])

    def target(self):
        """(name, kind of its rows) of the table of sends"""
        if self.of is self.case:
            return self.case.prefix + "sends", self.case.send_kind
        return self.of.table, self.of.kind

    def can_be(self):
        return not self.at_once or self.of is not None

    def setup(self):
        columns, tracked = {}, ["'public.%s'" % self.table]
        tracked.append(v.quote(self.constant or "kind"))
        if self.of is None:
            columns["what"] = {"name": "varchar(100)", "number": "bigint", "uuid": "uuid"}[self.named]
            columns["who"] = "varchar(100)" if self.by_mail else self.case.key_type
            tracked += ["message => 'what'", "user_key => 'who'"] + ["user_by => 'mail'"] * self.by_mail
        else:
            table, kind = self.target()
            columns["send"] = {"uuid": "uuid", "text": "text"}.get(kind, "bigint")
            tracked.append("send => 'send'")
            if self.reference:
                columns["send"] += " references %s" % table
            else:
                tracked.append("sends => 'public.%s'" % table)
        if self.constant is None:
            columns["kind"] = "text"
            tracked.append("kinds => " + v.quote(v.dumps(MAPPED)))
        columns["at"], columns["real"] = "timestamp" if self.zone else "timestamptz", "boolean"
        tracked += ["at => 'at'"] * self.timed
        if self.only:
            tracked.append('"only" => ' + v.quote(v.dumps(self.only)))
        if self.zone:
            tracked.append("time_zone => " + v.quote(self.zone))
        return [*self.create(columns), "select goals.track_engagements(%s)" % ", ".join(tracked)]

    def cell(self, column, raw):
        if column == "at":
            return self.time(raw)
        if column == "send":
            return raw, "NULL" if raw is None else self.case.place(self.target()[1], raw)[0]
        if column == "what":
            return raw, "NULL" if raw is None else self.case.message_in_row(self.named, raw)
        if column == "who":
            key, fold = raw
            if key is None:
                return None, "NULL"
            return key, self.case.mail_of(key, fold) if self.by_mail else self.case.key(key)
        return super().cell(column, raw)

    def kind_of(self, held):
        return self.constant or MAPPED.get(held["kind"])

    def complete(self, held):
        named = held["send"] is not None if self.of else held["what"] is not None and held["who"] is not None
        return (
            named
            and self.kind_of(held) is not None
            and (not self.timed or held["at"] is not None)
            and fulfilled(self.only, held)
        )

    # --- what is chosen ---

    def random_raw(self, conn):
        rng = self.case.rng
        raw = {"real": rng.choice([True, True, True, False, None])}
        if self.constant is None:
            raw["kind"] = rng.choice([*MAPPED, "open", "click", "processed", None])
        raw["at"] = self.random_time(conn, raw)
        return raw

    def name_receipt(self, conn, raw):
        """Fills in whose engagement it is; returns the receipt, if there is one."""
        rng, case = self.case.rng, self.case
        if self.of is not None:
            rows = sorted(self.of.rows if self.of is not case else case.world.sends)
            raw["send"] = rng.choice(rows) if rows and rng.random() < 0.95 else None
            return self.receipt_of(raw["send"], conn)
        found = [r for m, _ in case.world.receipts for r in case.world.receipts[m, _] if m in case.spec_names]
        if found and rng.random() < 0.85:
            receipt = rng.choice(found)
            raw["what"], raw["who"] = receipt.message, [receipt.key, rng.randrange(3)]
            if receipt.key in self.keys(conn):
                return receipt
        raw["what"] = rng.choice(case.sent_specs)["name"] if rng.random() < 0.9 else None
        raw["who"] = [rng.choice(self.keys(conn)) if rng.random() < 0.9 else None, rng.randrange(3)]
        return None

    def random_time(self, conn, raw):
        rng, receipt = self.case.rng, self.name_receipt(conn, raw)
        if rng.random() < 0.1:
            return None
        if receipt is not None and receipt.exact and receipt.sent < -3600 * SECOND and rng.random() < 0.7:
            self.case.counter += 1
            return receipt.sent + rng.choice([0, 1, 60 * SECOND, 600 * SECOND + self.case.counter, -30 * SECOND])
        return "now"

    def random_step(self, conn):
        rng = self.case.rng
        step, there = {"op": "tracked", "conn": conn, "table": self.name}, self.some(conn)
        pick = rng.random()
        if not there or pick < 0.6:
            numbers = self.numbers(rng.choice([1, 1, 2, 4]))
            return dict(step, do="rows", rows=[(n, self.random_raw(conn)) for n in numbers])
        if pick < 0.7:
            return dict(step, do="redo", row=there[0], how=rng.choice(["cte", "two", "apart"]))
        if pick < 0.74:
            return dict(step, do="delete", row=there[0])
        raw = self.random_raw(conn)
        wanted = [c for c in raw if rng.random() < 0.5] or ["at"]
        if self.of is None and rng.random() < 0.7:
            wanted = [c for c in wanted if c not in ("what", "who")] or ["at"]
        sets = {c: raw[c] for c in wanted}
        if self.kind == "partitioned" and rng.random() < 0.2:
            sets["part"] = self.other_part()
        return dict(step, do="set", row=there[0], sets=sets, form=rng.choice(["update", "upsert", "merge", "cte"]))

    # --- what is done ---

    def do(self, step, conn):
        world, made = self.world, []
        if step["do"] in ("redo", "delete"):
            return self.gone(step, conn)
        rows = step["rows"] if step["do"] == "rows" else [(step["row"], step["sets"])]
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
            if not self.may(held, conn):
                return None
            made.append((number, last, held, sql))
        if step["do"] == "rows":
            text = self.insert([(number, held["part"], sql) for number, _, held, sql in made])
        else:
            text = self.update([(n, last.held) for n, last, *_ in made], made[0][3], step["form"])
        for number, last, held, _ in made:
            world.idx += 1
            before = last is not None and self.complete(last.held)
            another = before and self.kind_of(last.held) != self.kind_of(held)
            if self.complete(held) and (not before or another):
                self.engage(held, conn)
            self.write(number, held, conn)
        return text

    def may(self, held, conn):
        if self.of is not None:
            return held["send"] is None or self.can_refer(held["send"], conn)
        if held["who"] is not None and not (self.there(held["who"], conn) and self.settled(held["who"])):
            return False
        return self.case.message_is_there(held["what"], conn)

    def versions(self, number):
        return (self.of.rows if self.of is not self.case else self.world.sends).get(number, ())

    def can_refer(self, number, conn):
        """Is the row that is referred to there, for its foreign key too?"""
        found = [f for f in self.versions(number) if not f.dead]
        txn = self.world.txns.get(conn)
        if not found or not all(f.visible(self.world.idx, txn) for f in found):
            return False
        if self.case.strict(conn) and self.reference:
            return False
        # who is meant by a row whose user has another key by now is not said
        held = found[-1].held if self.of is not self.case else {"who": found[-1].key}
        if held is None:  # it has another key by now
            return not self.reference and found[-1].receipt is not None and self.settled(found[-1].receipt.key)
        if held["who"] is not None and not self.settled(held["who"]):
            return False
        return not (self.of is self.case and found[-1].lost)

    def receipt_of(self, number, conn):
        if number is None:
            return None
        if self.of is not self.case:
            return self.of.receipt_of(number, conn)
        txn = self.world.txns.get(conn)
        found = [f for f in self.versions(number) if f.visible(self.world.idx, txn)]
        return found[-1].receipt if found else None

    def engage(self, held, conn):
        world = self.world
        at, exact = held["at"] if self.timed else (None, False)
        if self.of is not None:
            receipt = self.receipt_of(held["send"], conn)
        else:
            receipt = world.latest(held["what"], held["who"], conn, at)
        # a programme is not sent, and who was held back was sent nothing
        if receipt is None or receipt.entry or receipt.variant == "control" or receipt.gone is not None:
            return
        kind = self.kind_of(held)
        world.counted["engagements"] += 1
        if kind in ("opened", "clicked"):
            world.engage(receipt, conn, kind == "clicked", at, exact)
        else:
            world.report(receipt, conn, kind, at)

    def gone(self, step, conn):
        """A row is deleted, and at times inserted again: in one transaction that is no further engagement."""
        last, number = self.now(step["row"], conn), step["row"]
        if last is None or self.case.strict(conn) or not self.may(last.held, conn):
            return None
        if step["do"] == "delete":
            self.write(number, None, conn)
            return "delete from public.%s where %s" % (self.table, self.at([(number, last.held)]))
        text = self.again(number, last.held, step["how"])
        self.world.idx += 3
        if step["how"] == "apart" and not self.case.explicit and self.complete(last.held):
            self.engage(last.held, conn)
        self.write(number, last.held, conn)
        return text
