"""A table of memberships: rows (user, list) that come and go, or change their status."""

import values as v
from model import Fact
from orders import Owned, properties
from tables import fulfilled

STATUSES = ["confirmed", "vip", "unconfirmed", None]


class Members(Owned):
    name, table = "membership", "members"
    LISTS = ["7", "8"]

    def __init__(self, case, rng):
        super().__init__(case, rng)
        self.list_type = rng.choice(["integer", "text", "bigint"])
        self.shape = rng.choice(["plain", "plain", "hash", "list"])
        self.member = rng.choice([None, None, {"status": ["confirmed", "vip"]}, {"status": "confirmed", "flag": True}])
        self.status = self.member is None and rng.random() < 0.6
        self.choose_properties(rng)
        self.pending = {}  # connection -> [what a deleted row has left, with the fact of its DELETE]

    def setup(self):
        table, who = self.table, self.case.key_type
        columns = {"who": who + " not null", "list": self.list_type + " not null", "status": "text", "region": "text"}
        columns.update(self.property_columns())
        self.columns = list(columns)
        declared = ", ".join("%s %s" % one for one in columns.items())
        key = ", primary key (who, list%s)" % (", region" if self.shape == "list" else "")
        made = "create table %s (%s%s)" % (table, declared, key)
        parts = []
        if self.shape == "hash":
            made += " partition by hash (who)"
            parts = [
                "create table %s_%d partition of %s for values with (modulus 2, remainder %d)" % (table, n, table, n)
                for n in range(2)
            ]
        if self.shape == "list":
            made += " partition by list (region)"
            parts = [
                "create table %s_%s partition of %s %s" % (table, n, table, how)
                for n, how in (("a", "for values in ('eu')"), ("b", "default"))
            ]
        tracked = [
            "'public.%s'" % table,
            "user_key => 'who'",
            "list => 'list'",
            "users => 'public.%s'" % self.case.table,
        ]
        tracked += ["status => 'status'"] * self.status
        if self.member:
            tracked.append("member => " + v.quote(v.dumps(self.member)))
        return [made, *parts, "select goals.track_membership(%s)" % ", ".join(tracked)]

    def cell(self, column, raw):
        if column == "who":
            return raw, self.case.key(raw)
        if column == "list":
            return raw, raw if self.list_type != "text" else v.quote(raw)
        return super().cell(column, raw)

    def at(self, places):
        """What is said after WHERE of rows: [(user, list)]"""
        found = ["who = %s and list = %s" % (self.case.key(k), self.cell("list", n)[1]) for k, n in places]
        return " or ".join("(%s)" % one for one in found)

    def is_member(self, held):
        if held is None:
            return False
        if self.member is not None:
            return fulfilled(self.member, held)
        return not self.status or held["status"] is not None

    # --- what is chosen ---

    def random_raw(self):
        rng = self.case.rng
        return {"status": rng.choice(STATUSES), "region": rng.choice(["eu", "us"]), **self.random_properties()}

    def random_step(self, conn):
        rng = self.case.rng
        step = {"op": "tracked", "conn": conn, "table": self.name}
        places = [(key, one) for key in self.case.own(conn) for one in self.LISTS]
        there = [p for p in places if self.now(p, conn)]
        free = [p for p in places if p not in there]
        pick = rng.random()
        if free and (not there or pick < 0.35):
            chosen = rng.sample(free, min(len(free), rng.choice([1, 1, 2])))
            return dict(step, do="join", rows=[(p, self.random_raw()) for p in chosen])
        if pick < 0.55:
            chosen = rng.sample(there, min(len(there), rng.choice([1, 1, 2, 4])))
            return dict(step, do="leave", rows=chosen, form=rng.choice(["delete", "cte"]))
        if pick < 0.68:
            chosen = rng.sample(there, min(len(there), rng.choice([1, 2])))
            again = [(p, self.random_raw() if rng.random() < 0.4 else None) for p in chosen if rng.random() < 0.85]
            return dict(step, do="replace", rows=chosen, again=again)
        if pick < 0.76 and free:
            return dict(step, do="pass", row=rng.choice(there), to=rng.choice(free), sets=self.sets())
        chosen = rng.sample(there, min(len(there), rng.choice([1, 1, 2])))
        return dict(
            step, do="set", rows=chosen, sets=self.sets(), form=rng.choice(["update", "cte", "merge", "upsert"])
        )

    def sets(self):
        raw = self.random_raw()
        found = {c: x for c, x in raw.items() if self.case.rng.random() < 0.3}
        if self.case.rng.random() < 0.7:
            found["status"] = raw["status"]
        return found or {"status": raw["status"]}

    # --- what is done ---

    def do(self, step, conn):
        case = self.case
        places = [row if step["do"] != "join" else row[0] for row in step.get("rows", [])]
        places += [step["row"], step["to"]] if step["do"] == "pass" else []
        if not all(self.there(key, conn) and self.settled(key) for key, _ in places):
            return None
        lasts = {tuple(p): self.now(tuple(p), conn) for p in places}
        if case.strict(conn) and any(f.by != conn for p in lasts for f in self.rows.get(p, ()) if not f.dead):
            return None
        return getattr(self, "do_" + step["do"])(step, conn, lasts)

    def insert_rows(self, rows):
        return "insert into public.%s (%s) values %s" % (
            self.table,
            ", ".join(self.columns),
            ", ".join("(%s)" % ", ".join(sql[c] for c in self.columns) for sql in rows),
        )

    def do_join(self, step, conn, lasts):
        if any(lasts.values()):
            return None
        made = []
        for place, raw in step["rows"]:
            held, sql = self.cells(dict(raw, who=place[0], list=place[1]))
            made.append(sql)
            self.becomes(tuple(place), None, held, conn)
        return self.insert_rows(made)

    def do_leave(self, step, conn, lasts):
        if not all(lasts.values()):
            return None
        for place, last in lasts.items():
            self.becomes(place, last.held, None, conn)
        text = "delete from public.%s where %s" % (self.table, self.at(lasts))
        return "with d as (%s returning 1) select count(*) from d" % text if step["form"] == "cte" else text

    def do_replace(self, step, conn, lasts):
        """Rows are deleted, and some of them inserted again in the same transaction."""
        if not all(lasts.values()):
            return None
        for place, last in lasts.items():
            self.becomes(place, last.held, None, conn)
        self.world.idx += 1
        made = []
        for place, raw in step["again"]:
            held = lasts[tuple(place)].held
            if raw is not None:
                changed, sql = self.cells(raw)
                held = dict(held, **changed)
            sql = self.cells(held)[1]
            made.append(sql)
            self.becomes(tuple(place), None, held, conn)
        text = "delete from public.%s where %s" % (self.table, self.at(lasts))
        return text + ("; " + self.insert_rows(made) if made else "")

    def do_set(self, step, conn, lasts):
        if not all(lasts.values()):
            return None
        changed, sql = self.cells(step["sets"])
        for place, last in lasts.items():
            self.becomes(place, last.held, dict(last.held, **changed), conn)
        assigned, where = ", ".join("%s = %s" % one for one in sql.items()), self.at(lasts)
        table, columns = "public." + self.table, ", ".join(self.columns)
        if step["form"] == "upsert" and self.shape != "list":
            return "insert into %s (%s) select %s from %s where %s on conflict (who, list) do update set %s" % (
                *(table, columns, columns, table, where, assigned),
            )
        if step["form"] == "merge" and self.case.version >= 150000:
            return "merge into %s using (select 1 as one) s on %s when matched then update set %s" % (
                *(table, where, assigned),
            )
        made = "update %s set %s where %s" % (table, assigned, where)
        return "with u as (%s returning 1) select count(*) from u" % made if step["form"] == "cte" else made

    def do_pass(self, step, conn, lasts):
        """A row becomes that of another user, of another list, or both."""
        row, to = tuple(step["row"]), tuple(step["to"])
        last = lasts[row]
        if last is None or lasts[to] is not None:
            return None
        changed, sql = self.cells(dict(step["sets"], who=to[0], list=to[1]))
        held = dict(last.held, **changed)
        idx = self.world.idx
        if self.is_member(last.held):
            self.step_of(row, "left", last.held, conn, idx)
        self.write(row, None, conn)
        if self.is_member(held):
            self.joins(to, held, conn, idx)
        self.write(to, held, conn)
        return "update public.%s set %s where %s" % (
            self.table,
            ", ".join("%s = %s" % one for one in sql.items()),
            self.at([row]),
        )

    def becomes(self, place, before, held, conn):
        """What the trigger makes of a row that was inserted, updated or deleted."""
        was, will = self.is_member(before), self.is_member(held)
        if held is None and was:
            # the fact is there to be rolled back; the row has left when the transaction commits
            self.pending.setdefault(conn, []).append((place, before, Fact(self.world, conn), self.world.clock()))
        elif was and not will:
            self.step_of(place, "left", before, conn, self.world.idx)
        elif will and not was:
            self.joins(place, held, conn, self.world.idx)
        self.write(place, held, conn)

    def joins(self, place, held, conn, idx):
        for pending in reversed(self.pending.get(conn, [])):
            if pending[0] == place and not pending[2].dead and not hasattr(pending[2], "back"):
                # a rollback of this row brings back that the other one has left
                pending[2].back = Fact(self.world, conn)
                return
        self.step_of(place, "joined", held, conn, idx)

    def step_of(self, place, step, held, conn, idx):
        fact = self.world.event(
            self.case.table, place[0], conn, "%s %s" % (step, place[1]), properties(held), None, idx
        )
        fact.of = step
        self.world.counted[step] += 1
        return fact

    def before_commit(self, conn):
        for place, held, fact, at in self.pending.pop(conn, []):
            if fact.dead or hasattr(fact, "back") and not fact.back.dead:
                continue
            left = self.step_of(place, "left", held, conn, self.world.idx)
            # other sessions see it now; for this one it was when the row was deleted
            left.t, left.exact, left.began = at, False, fact.idx

    def some(self, conn, many=1):
        raise NotImplementedError
