"""A table of orders: rows become events when they are placed, and their columns are the properties."""

from decimal import Decimal

import values as v
from rows import KINDS, SECOND
from tables import ZONES, Tracked, fulfilled, part_of_new

# (type, values) of the columns that goals ask for: each table has one of each
PROPERTIES = {
    "amount": [
        ("numeric", [Decimal("19.99"), Decimal("10.5"), Decimal("10.50"), Decimal(-3), Decimal(100), None]),
        ("text", ["19.99", "007.50", "1e2", " 5", "10.5", None]),
        ("integer", [Decimal(5), Decimal(-3), None]),
    ],
    "plan": [
        ("text", ["pro", "free", "-3", "", None]),
        ("jsonb", [{"name": "pro", "n": Decimal("1.0")}, {"n": Decimal(2)}, "pro", None]),
        ("json", [{"name": "pro", "n": Decimal("1.0")}, None]),
    ],
    "items": [
        ("jsonb", [["a", "b"], [{"sku": "x", "n": Decimal(2)}], [], None]),
        ("text[]", ["{a,b}", "{}", None]),
    ],
    "flag": [("boolean", [True, False, None])],
}
FILTERS = [
    '{"flag": true}',
    '{"plan": "pro", "flag": false}',
    '{"items": "{a,b}"}',
    '{"amount": -3}',
    '{"plan": {"name": "pro"}}',
]
STATES = ["cart", "placed", "paid", "void", None]


def properties(held):
    return {name: held[name] for name in PROPERTIES if held[name] is not None}


class Owned(Tracked):
    """A table whose rows' own columns are the properties of events."""

    def choose_properties(self, rng):
        self.own = {name: rng.choice(found) for name, found in PROPERTIES.items()}

    def property_columns(self):
        return {name: kind for name, (kind, _) in self.own.items()}

    def random_properties(self):
        rng = self.case.rng
        return {name: rng.choice(found) for name, (_, found) in self.own.items()}

    def cell(self, column, raw):
        if column in PROPERTIES and raw is not None:
            kind = self.own[column][0]
            said = v.dumps(raw) if kind in ("json", "jsonb") else str(raw)
            return raw, "%s::%s" % (self.literal(raw) if isinstance(raw, bool) else v.quote(said), kind)
        return super().cell(column, raw)


class Orders(Owned):
    name, table = "orders", "orders"

    def __init__(self, case, rng):
        super().__init__(case, rng)
        self.kind = rng.choice(KINDS)
        self.named = rng.choice(["purchase", "login"]) if rng.random() < 0.6 else None
        self.on = rng.choice(["done", "done", "flag", None])
        self.only = (
            {"state": rng.choice([["placed", "paid"], "paid"])} if self.on is None or rng.random() < 0.4 else None
        )
        self.occurred = rng.random() < 0.3
        self.zone = rng.choice(ZONES) if rng.random() < 0.3 else None
        self.by_mail = case.mail is not None and rng.random() < 0.6
        self.choose_properties(rng)

    def setup(self):
        time = "timestamp" if self.zone else "timestamptz"
        columns = {"who": "text" if self.by_mail else self.case.key_type, "what": "text", "done": time, "at": time}
        columns.update(state="text", **self.property_columns())
        tracked = ["'public.%s'" % self.table, "user_key => 'who'", "users => 'public.%s'" % self.case.table]
        tracked.append("event => 'what'" if self.named is None else "named => " + v.quote(self.named))
        tracked += ["on_column => '%s'" % self.on] * (self.on is not None) + ["occurred_at => 'at'"] * self.occurred
        if self.only:
            tracked.append('"only" => ' + v.quote(v.dumps(self.only)))
        if self.zone:
            tracked.append("time_zone => " + v.quote(self.zone))
        tracked += ["user_by => 'mail'"] * self.by_mail
        return [*self.create(columns), "select goals.track_events(%s)" % ", ".join(tracked)]

    def cell(self, column, raw):
        if column in ("done", "at"):
            return self.time(raw)
        if column == "who":
            key, fold = raw
            if key is None:
                return None, "NULL"
            return key, self.case.mail_of(key, fold) if self.by_mail else self.case.key(key)
        return super().cell(column, raw)

    def complete(self, held):
        return (
            held["who"] is not None
            and (self.named or held["what"]) is not None
            and (self.on is None or held[self.on] is not None)
            and (not self.occurred or held["at"] is not None)
            and fulfilled(self.only, held)
        )

    # --- what is chosen ---

    def random_time(self, key):
        at = self.case.random_happening(key)[2] if key is not None else None
        return "now" if at is None or at > -300 * SECOND else at

    def random_raw(self, conn):
        rng, case = self.case.rng, self.case
        key = rng.choice(self.keys(conn)) if rng.random() < 0.85 else None
        raw = {"who": [key, rng.randrange(3)], "what": rng.choice(case.event_names) if rng.random() < 0.9 else None}
        raw["done"] = self.random_time(key) if rng.random() < 0.4 else None
        raw["at"] = self.random_time(key)
        raw["state"] = rng.choice(STATES)
        return dict(raw, **self.random_properties())

    def random_complete(self, conn):
        """A row that is an event; its user is said later."""
        raw = dict(self.random_raw(conn), done="now", at="now", state="paid", flag=True)
        raw["what"] = raw["what"] or "login"
        return raw

    def random_step(self, conn):
        rng = self.case.rng
        step, there = {"op": "tracked", "conn": conn, "table": self.name}, self.some(conn, rng.choice([1, 1, 1, 2, 3]))
        pick = rng.random()
        if not there or pick < 0.35:
            numbers = self.numbers(rng.choice([1, 1, 2, 3]))
            rows = [(n, self.random_raw(conn)) for n in numbers]
            return dict(step, do="rows", rows=rows, stray=rng.random() < 0.1)
        if pick < 0.43 and not self.at_once:
            return dict(step, do="redo", row=there[0], how=rng.choice(["cte", "two", "apart"]))
        held, sets = self.now(there[0], conn).held, {}
        if pick < 0.75:
            if held["who"] is None:
                sets["who"] = [rng.choice(self.keys(conn)), rng.randrange(3)]
            sets["done"] = self.random_time(held["who"])
            sets["state"] = rng.choice(["placed", "paid"])
            if rng.random() < 0.3:
                sets.update(self.random_properties())
            if self.on == "flag":
                sets["flag"] = rng.random() < 0.5
        else:
            raw = self.random_raw(conn)
            sets = {c: x for c, x in raw.items() if rng.random() < 0.3} or {"done": None}
            if rng.random() < 0.4:
                sets["done"] = None
            if rng.random() < 0.7:
                sets.pop("who", None)
            sets = sets or {"state": "cart"}
        if self.kind == "partitioned" and rng.random() < 0.2:
            sets["part"] = self.other_part()
        return dict(
            step, do="set", rows=there, sets=sets, form=rng.choice(["update", "update", "upsert", "merge", "cte"])
        )

    # --- what is done ---

    def do(self, step, conn):
        world, made = self.world, []
        at = world.idx
        if step["do"] == "redo":
            return self.redo(step, conn)
        rows = step["rows"] if step["do"] == "rows" else [(number, step["sets"]) for number in step["rows"]]
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
            if not self.may(number, last, held, conn):
                return None
            made.append((number, last, held, sql))
        who = [held["who"] for _, _, held, _ in made if held["who"] is not None]
        if step["do"] == "set" and len(set(who)) < len(who):
            return None  # in which order a statement comes to several rows of one person is not said
        if step["do"] == "rows":
            rows = [(number, held["part"], sql) for number, _, held, sql in made]
            if step.get("stray"):  # of an unknown user
                number, part, sql = rows[0]
                who = "'nobody@example.org'" if self.by_mail else self.case.key(self.case.unknown_key())
                rows.append((number + 7, part, dict(sql, who=who)))
            text = self.insert(rows)
        else:
            text = self.update([(n, last.held) for n, last, *_ in made], made[0][3], step["form"])
        for number, last, held, _ in made:
            if self.complete(held) and not (last is not None and self.complete(last.held)):
                self.happens(number, held, conn, at)
            self.write(number, held, conn)
        return text

    def may(self, number, last, held, conn):
        if last is not None and self.complete(held) and not self.complete(last.held):
            before = [f.held for f in self.rows[number] if self.complete(f.held)]
            if before and self.at_once:
                return False  # it would be the same event again
            if any(one["part"] != held["part"] for one in before):
                return False  # whether a row whose key is another one is the same event is not said
        keys = {held["who"], last and last.held["who"]} - {None}
        return all(self.there(key, conn) and self.settled(key) for key in keys)

    def happens(self, number, held, conn, idx=None):
        """The row is complete: an event, known by the row."""
        cause = None if self.kind == "none" else ("order", number)
        time = held["at"] if self.occurred else held["done"] if self.on == "done" else None
        fact = self.world.event(
            self.case.table, held["who"], conn, self.named or held["what"], properties(held), None, idx, cause
        )
        fact.of = "orders"
        self.world.counted["orders"] += 1
        if time is not None:
            fact.t, fact.exact = time

    def redo(self, step, conn):
        last, number = self.now(step["row"], conn), step["row"]
        if last is None or self.case.strict(conn) or not self.may(number, last, last.held, conn):
            return None
        text = self.again(number, last.held, step["how"])
        self.world.idx += 3
        # of a partitioned table one transaction moves it: it does not happen again
        moved = self.kind == "partitioned" and (self.case.explicit or step["how"] in ("cte", "two"))
        if self.complete(last.held) and not moved:
            self.happens(number, last.held, conn)
        self.write(number, last.held, conn)
        return text
