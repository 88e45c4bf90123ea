"""A table with one row per user beside the users table: its columns are attributes of the user."""

import random

import values as v
from model import Fact
from tables import Tracked


class Attributes(Tracked):
    name, table = "attributes", "profiles"

    def __init__(self, case, rng):
        super().__init__(case, rng)
        self.prefix = rng.choice([None, "prof", "pro file"])
        self.shape = rng.choice(["plain", "plain", "own id", "hash"])
        pool = [c for c in v.catalogue(rng) if c.name not in case.without and c.kind != "time"]
        self.beside = rng.sample(pool, rng.randint(2, 5))
        for c in self.beside:
            if c.pool:
                c.pool = rng.sample(c.pool, min(len(c.pool), rng.randint(2, 6)))
            c.column = c.name
            c.name = "%s.%s" % (self.prefix or self.table, c.column)
        self.goal_columns = {c.name: c for c in self.beside}

    def setup(self):
        table, key = self.table, self.case.key_type
        declared = ["%s %s" % (c.column, c.declared) for c in self.beside]
        first = {"own id": "id bigint generated always as identity primary key, who %s not null unique" % key}
        made = "create table %s (%s, %s)" % (
            table,
            first.get(self.shape, "who %s primary key" % key),
            ", ".join(random.Random(str(self.case.seed)).sample(declared, len(declared))),
        )
        parts = []
        if self.shape == "hash":
            made += " partition by hash (who)"
            parts = [
                "create table %s_%d partition of %s for values with (modulus 2, remainder %d)" % (table, n, table, n)
                for n in range(2)
            ]
        prefix = "" if self.prefix is None else ", prefix => " + v.quote(self.prefix)
        self.world.columns[self.case.table].update(self.goal_columns)
        self.world.beside.append(self.of)
        return [
            made,
            *parts,
            "select goals.track_attributes('public.%s', 'who', users => 'public.%s'%s)"
            % (table, self.case.table, prefix),
        ]

    def of(self, key, conn):
        """What is known of a user from this table."""
        txn = self.world.txns.get(conn)
        found = [f for f in self.rows.get(key, ()) if f.visible(self.world.idx, txn)]
        return (found[-1].held if found else None) or self.unknown()

    def unknown(self):
        return dict.fromkeys(self.goal_columns)

    # --- what is chosen ---

    def random_values(self, held, share=1.0):
        rng, case = self.case.rng, self.case
        wanted = [
            g["column"] for m in self.world.messages.values() for g in m["goals"] if g["column"] in self.goal_columns
        ]
        names = [c for c in self.goal_columns if rng.random() < share or c in wanted and rng.random() < 0.4]
        return {c: case.random_value(self.goal_columns[c], held.get(c)) for c in names}

    def random_step(self, conn):
        rng, own = self.case.rng, self.case.own(conn)
        step = {"op": "tracked", "conn": conn, "table": self.name}
        there = [k for k in own if self.now(k, conn)]
        free = [k for k in own if k not in there]
        pick = rng.random()
        if free and (not there or pick < 0.3):
            keys = rng.sample(free, min(len(free), rng.choice([1, 1, 2])))
            return dict(step, do="insert", rows=[(k, self.random_values(self.unknown())) for k in keys])
        if not there:
            return {"op": "roll_up", "conn": conn}
        if pick < 0.4:
            return dict(step, do="delete", rows=rng.sample(there, min(len(there), rng.choice([1, 1, 2]))))
        row = rng.choice(there)
        if pick < 0.5 and free:
            sets = self.random_values(self.unknown(), 0.2) if rng.random() < 0.4 else {}
            return dict(step, do="pass", row=row, to=rng.choice(free), sets=sets)
        if pick < 0.6:
            return dict(step, do="again", row=row, sets=self.random_values(self.now(row, conn).held, 0.3))
        sets = self.random_values(self.now(row, conn).held, 0.25)
        rows = [row] if rng.random() < 0.6 else rng.sample(there, len(there))
        if not sets:
            sets = {c: self.now(row, conn).held[c] for c in rng.sample(list(self.goal_columns), 1)}
        return dict(
            step,
            do="set",
            rows=rows,
            sets=sets,
            form=rng.choice(["update", "update", "upsert", "merge", "cte", "values"]),
        )

    # --- what is done ---

    def do(self, step, conn):
        keys = [k if step["do"] != "insert" else k[0] for k in step.get("rows", [])]
        keys += [step["row"]] if "row" in step else []
        keys += [step["to"]] if "to" in step else []
        if not all(self.there(k, conn) and self.settled(k) for k in keys):
            return None
        lasts = {k: self.now(k, conn) for k in keys}
        new = set(keys) if step["do"] == "insert" else {step["to"]} if step["do"] == "pass" else set()
        if any((last is None) != (k in new) for k, last in lasts.items()):
            return None
        return getattr(self, "do_" + step["do"])(step, conn, {k: last and last.held for k, last in lasts.items()})

    def changes(self, key, old, new, conn, idx=None):
        """A row of this user is another one now; None where there is none."""
        self.write(key, new, conn)
        fact = Fact(
            self.world,
            conn,
            idx,
            kind="change",
            old=old or self.unknown(),
            new=new or self.unknown(),
            exact=False,
            cause=None,
        )
        fact.t, fact.of = fact.idx, "attributes"
        self.world.counted["attributes"] += 1
        self.world.changes += 1
        self.world.happened(self.case.table, key, fact)

    def columns_of(self, names):
        return [self.goal_columns[c].column for c in names]

    def insert_row(self, key, held):
        return "insert into public.%s (who, %s) values (%s, %s)" % (
            self.table,
            ", ".join(self.columns_of(self.goal_columns)),
            self.case.key(key),
            ", ".join(c.literal(held[name]) for name, c in self.goal_columns.items()),
        )

    def assigned(self, sets):
        return ", ".join(
            "%s = %s" % (self.goal_columns[c].column, self.goal_columns[c].literal(x)) for c, x in sets.items()
        )

    def at(self, keys):
        return "who in (%s)" % ", ".join(map(self.case.key, keys))

    def do_insert(self, step, conn, lasts):
        rows = []
        for key, some in step["rows"]:
            held = dict(self.unknown(), **some)
            self.changes(key, None, held, conn)
            rows.append(self.insert_row(key, held).partition(" values ")[2])
        return self.insert_row(key, held).partition(" values ")[0] + " values " + ", ".join(rows)

    def do_delete(self, step, conn, lasts):
        for key, held in lasts.items():
            self.changes(key, held, None, conn)
        return "delete from public.%s where %s" % (self.table, self.at(lasts))

    def do_again(self, step, conn, lasts):
        """Deleted and inserted again: two changes."""
        ((key, held),) = lasts.items()
        self.changes(key, held, None, conn)
        self.world.idx += 1
        new = dict(held, **step["sets"])
        self.changes(key, None, new, conn)
        return "delete from public.%s where %s; %s" % (self.table, self.at(lasts), self.insert_row(key, new))

    def do_pass(self, step, conn, lasts):
        row, to = step["row"], step["to"]
        new, idx = dict(lasts[row], **step["sets"]), self.world.idx
        self.changes(row, lasts[row], None, conn, idx)
        self.changes(to, None, new, conn, idx)
        more = ", " + self.assigned(step["sets"]) if step["sets"] else ""
        return "update public.%s set who = %s%s where %s" % (self.table, self.case.key(to), more, self.at([row]))

    def do_set(self, step, conn, lasts):
        sets, form, table = step["sets"], step["form"], "public." + self.table
        for key, held in lasts.items():
            self.changes(key, held, dict(held, **sets), conn)
        assigned, where = self.assigned(sets), self.at(lasts)
        if form == "upsert":
            names = self.columns_of(self.goal_columns)
            return "insert into %s (who, %s) select who, %s from %s where %s on conflict (who) do update set %s" % (
                *(table, ", ".join(names), ", ".join(names), table, where, assigned),
            )
        if form == "values":
            # the rows as an ORM writes them back: all columns, one statement per row is another form
            names = self.columns_of(sets)
            return "insert into %s (who, %s) select who, %s from %s where %s on conflict (who) do update set %s" % (
                table,
                ", ".join(names),
                ", ".join(self.goal_columns[c].literal(x) for c, x in sets.items()),
                table,
                where,
                ", ".join("%s = excluded.%s" % (n, n) for n in names),
            )
        if form == "merge" and self.case.version >= 150000:
            return "merge into %s using (select 1 as one) s on %s when matched then update set %s" % (
                *(table, where, assigned),
            )
        made = "update %s set %s where %s" % (table, assigned, where)
        return "with u as (%s returning 1) select count(*) from u" % made if form == "cte" else made
