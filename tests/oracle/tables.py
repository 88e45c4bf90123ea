"""The tables that applications have beside the users table, tracked as they are: what all kinds of them have in common.
Each kind is in a file of its own, and is left out by --without and its `name`.

A row is known to the model by a number. What the row holds is a dict, version by version: a column of times holds None
or (time, exact), where a time that was the clock's is not exact; every other column holds the value itself."""

from decimal import Decimal

import values as v
from commands import when
from model import Fact
from rows import KINDS, PARTS

# Zones in which every time of the clock is one moment.
ZONES = ["UTC", "Asia/Kathmandu", "Pacific/Kiritimati"]
ABSENT = object()


def fulfilled(only, held):
    """Does a row have the values that `only` asks for?"""
    return all(
        any(v.json_equal(held[column], one) for one in (wanted if isinstance(wanted, list) else [wanted]))
        for column, wanted in (only or {}).items()
    )


class Tracked:
    """A table of a case. A subclass says what it is called (name, table), and which columns it has."""

    name = table = None
    kind = "bigint"
    zone = None

    def __init__(self, case, rng):
        self.case, self.rows, self.table = case, {}, case.prefix + self.table
        # Several connections at once: what cannot be told apart, or needs to know of the others, is left out.
        self.at_once = "alone" in case.without

    @property
    def world(self):
        return self.case.world

    # --- SQL ---

    def create(self, columns):
        """columns: {name: what is declared}. The columns id and part are the key."""
        kind, key, partitions = self.case.key_of_rows(self.table, self.kind)
        self.columns = ["id", "part", *columns]
        declared = ["%s %s" % (name, how) for name, how in columns.items()]
        made = "create table %s (id %s not null, part integer not null, %s%s)" % (
            self.table,
            kind,
            ", ".join(declared),
            key,
        )
        return [made, *partitions, "create table %s_stash (like %s)" % (self.table, self.table)]

    def place(self, number, part):
        """(id, part) of a row in SQL"""
        if self.kind == "partitioned":  # its part may change
            return str(number), str(part)
        return self.case.place(self.kind, number)

    def at(self, rows):
        """What is said after WHERE of rows: [(number, what they hold)]"""
        found = ["id = %s and part = %s" % self.place(number, held["part"]) for number, held in rows]
        return found[0] if len(found) == 1 else " or ".join("(%s)" % one for one in found)

    def time(self, raw):
        """(what the model holds, SQL) of a time: None, "now" or microseconds"""
        if raw is None:
            return None, "NULL"
        said = when(None if raw == "now" else raw)
        if self.zone:
            said = "(%s at time zone %s)" % (said, v.quote(self.zone))
        return ((self.world.clock(), False) if raw == "now" else (raw, True)), said

    @staticmethod
    def literal(value):
        if value is None:
            return "NULL"
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, (dict, list)):
            return v.quote(v.dumps(value))
        return str(value) if isinstance(value, (int, Decimal)) else v.quote(value)

    def cell(self, column, raw):
        """(what the model holds, SQL) of a value as a step says it"""
        return raw, self.literal(raw)

    def cells(self, raw):
        made = {column: self.cell(column, one) for column, one in raw.items()}
        return {c: held for c, (held, _) in made.items()}, {c: sql for c, (_, sql) in made.items()}

    def insert(self, rows):
        """rows: [(number, part, {column: SQL})]"""
        names = [c for c in self.columns[2:] if any(c in sql for _, _, sql in rows)]
        return "insert into public.%s (%s) values %s" % (
            self.table,
            ", ".join(["id", "part", *names]),
            ", ".join(
                "(%s)" % ", ".join([*self.place(number, part), *(sql.get(c, "DEFAULT") for c in names)])
                for number, part, sql in rows
            ),
        )

    def update(self, rows, sets, form):
        """One statement that changes rows, in one of the forms in which that is written."""
        table, where = "public." + self.table, self.at(rows)
        assigned = ", ".join("%s = %s" % one for one in sets.items())
        if form == "upsert" and self.kind != "none" and "part" not in sets:
            key = {"composite": "part, id", "partitioned": "id, part"}.get(self.kind, "id")
            columns = ", ".join(self.columns)
            return "insert into %s (%s) select %s from %s where %s on conflict (%s) do update set %s" % (
                *(table, columns, columns, table, where, key, assigned),
            )
        if form == "merge" and self.case.version >= 150000:
            return "merge into %s using (select 1 as one) s on %s when matched then update set %s" % (
                table,
                where,
                assigned,
            )
        made = "update %s set %s where %s" % (table, assigned, where)
        return "with u as (%s returning 1) select count(*) from u" % made if form == "cte" else made

    def again(self, number, held, how):
        """SQL that deletes a row and inserts it again: in one statement, in several, or in several transactions."""
        columns, table, where = ", ".join(self.columns), "public." + self.table, self.at([(number, held)])
        if how == "cte":
            return "with d as (delete from %s where %s returning *) insert into %s (%s) select %s from d" % (
                *(table, where, table, columns, columns),
            )
        take = "with d as (delete from %s where %s returning *) insert into %s_stash select * from d" % (
            *(table, where, table),
        )
        # other connections have rows there, too
        give = "insert into %s (%s) select %s from %s_stash where %s; delete from %s_stash where %s" % (
            *(table, columns, columns, table, where, table, where),
        )
        if self.case.explicit or how == "two":
            return "%s; %s" % (take, give)
        return "begin; %s; commit; begin; %s; commit" % (take, give)

    # --- rows ---

    def write(self, number, held, conn, **what):
        """A version of a row; held is None from when it is deleted."""
        fact = Fact(self.world, conn, held=held, by=conn, **what)
        self.rows.setdefault(number, []).append(fact)
        return fact

    def now(self, number, conn):
        """The row as this connection sees it; None where it is not there, or another connection is at it."""
        found = [f for f in self.rows.get(number, ()) if not f.dead]
        if not found or not all(f.visible(self.world.idx, self.world.txns.get(conn)) for f in found):
            return None
        if self.case.strict(conn) and any(f.by != conn for f in found):
            return None  # its snapshot may be older
        return found[-1] if found[-1].held is not None else None

    def numbers(self, many=1):
        """Numbers of new rows."""
        first = self.case.counter
        self.case.counter += 20
        return [first * 10 + n for n in range(many)]

    def some(self, conn, many=1):
        """Numbers of rows that are there."""
        there = [n for n in self.rows if self.now(n, conn) is not None]
        return self.case.rng.sample(there, min(len(there), many))

    def other_part(self):
        return self.case.rng.choice(PARTS)

    def settled(self, *keys):
        """Has each key meant one person only?"""
        return not any((self.case.table, key) in self.world.moved for key in keys)

    def there(self, key, conn):
        return self.world.version(self.case.table, key, conn) is not None

    def keys(self, conn):
        """Users whom a statement of this connection can see."""
        return self.case.own(conn) if self.case.strict(conn) else self.case.keys

    # --- what a case asks of each table ---

    def can_be(self):
        """Is there such a table in this case?"""
        return True

    def setup(self):
        """SQL that makes and tracks the table."""
        return []

    def random_step(self, conn):
        raise NotImplementedError

    def do(self, step, conn):
        """SQL of a step; None where it makes no sense."""
        raise NotImplementedError

    def before_commit(self, conn):
        """What happens when the transaction of this connection commits."""


def part_of_new(table, number):
    return PARTS[number % 3] if table.kind in ("composite", "partitioned") else 1


KINDS_WITH_ONE_COLUMN = [kind for kind in KINDS if kind in ("bigint", "uuid", "text")]
