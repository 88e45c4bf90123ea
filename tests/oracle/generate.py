"""Random cases: a schema, messages with goals, and steps. A step is data; Case.sql() says what it is in SQL and tells the model.

A step that makes no sense in the state it meets (its receipt was removed by the shrinker, say) is skipped, so any subset of the
steps of a case is a case."""
import math
import random
from decimal import Decimal

import values as v
import assignment
from commands import AFTER, AFTER_SENDS, BEFORE, Commands, when
from model import Fact, World, limit_us
from rows import KINDS, SECOND, Rows
from tracked import TrackedTables

LIMITS = ["1 hour", "90 minutes", "26 hours", "36 hours", "14 days", "2 weeks", "100 days", "3650 days"]
# Never within a few minutes of a limit, so that a change made now is clearly inside or outside of every window.
PAST = [1800, 4500, 7200, 90000, 126000, 133200, 172800, 1166400, 1252800, 8600000, 8700000]
EVENTS = ["purchase", "login", "two words", "Ünïcode"]
PROPERTIES = ['{"amount": "19.99"}', '{"amount": "007.50", "plan": "-3"}', '{"amount": "1e2"}', '{"amount": " 5"}',
              '{"amount": "-0.5", "plan": "+1"}', '{"amount": 10.5, "plan": "pro"}',
              '{"amount": 10.50, "items": ["a", "b"]}', '{"plan": {"name": "pro", "n": 1.0}}', "{}", '{"amount": null}', '{"amount": -3, "plan": "free"}',
              '{"items": [{"sku": "x", "n": 2}]}', '[1, "a"]', '{"amount": 1e2}']
FILTERS = [None, None, "{}", '{"amount": "19.99"}', '{"plan": "pro"}', '{"amount": 10.5}', '{"items": ["a"]}',
           '{"plan": {"n": 1}}', '{"items": [{"n": 2.0}]}']
KEYS = {"bigint": ["1", "2", "3", "4", "5", "-6", "7", "8", "9223372036854775807", "10", "11", "12"],
        "integer": [str(n) for n in range(1, 13)],
        "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a%02d" % n for n in range(12)],
        "text": ["1", "a", "A", "o'hara", "back\\slash", "日本", " x", "a,b", '{"q"}', "NULL", "%s", "long" * 30],
        "varchar(200)": ["v%d" % n for n in range(12)]}
KINDS_OF_REPORTS = ["delivered", "bounced", "opened", "clicked", "complained", "unsubscribed"]
CONNECTIONS = 3
# An UPDATE and a send in one statement: which of them comes first, by a call or by a row.
SIBLINGS = ["call first", "call last", "mirror first", "mirror last"]
# The steps that are a transaction of their own where none is open.
STATEMENTS = {
    "report",
    "withdraw",
    "rekey",
    "merge",
    "delete",
    "update",
    "cascade",
    "program",
    "send",
    "open",
    "event",
    "correct",
    "redo",
    "together",
    "tracked",
}
SESSION = ["set timezone = 'America/New_York'", "set timezone = 'Asia/Kathmandu'", "set datestyle = 'SQL, DMY'", "set intervalstyle = 'iso_8601'",
           "set extra_float_digits = -5", "set bytea_output = 'escape'", "set search_path = pg_catalog, public", "set plan_cache_mode = force_generic_plan",
           "set standard_conforming_strings = on", "set xmlbinary = hex", "set enable_seqscan = off"]
PRELUDE = """create type o_mood as enum ('sad', 'ok', 'Happy', 'so so');
create domain o_label as text;
create domain o_count as integer check (value > 0);
create domain o_flag as boolean;"""
# What a server may have been built without, by the column that needs it.
OPTIONAL = {"ci": "create extension citext;",
            "nd": "create collation o_ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"}


def ident(text):
    return '"' + text.replace('"', '""') + '"'


class Case(Commands, Rows, TrackedTables):
    def __init__(self, seed, version=150000, without=()):
        self.without = without  # kinds of steps left out, by --without, and columns that the server cannot have
        self.seed, self.prefix, self.version = seed, "c_", version
        rng = self.rng = random.Random("case %s" % seed)
        pool = [c for c in v.catalogue(rng) if c.name not in without]
        times = [c for c in pool if c.kind == "time"]
        rest = [c for c in pool if c.kind != "time"]
        names = {c.name for c in rng.sample(rest, rng.randint(4, 11)) + rng.sample(times, rng.randint(0, 2))}
        self.columns = {c.name: c for c in pool if c.name in names}
        rng_order = list(self.columns)
        rng.shuffle(rng_order)
        self.columns = {n: self.columns[n] for n in rng_order}
        for c in self.columns.values():  # few values, so that they meet
            if c.pool:
                c.pool = rng.sample(c.pool, min(len(c.pool), rng.randint(2, 7)))
            if c.sql in v.BINARY:
                c.pool += v.BINARY_SUMS
        self.key_type = rng.choice(list(KEYS))
        pool = [k for k in KEYS[self.key_type] if v.writable(k)]
        self.first_keys = pool[:rng.randint(4, 10)]
        # keys that nobody has at first, one for each connection
        if "people" not in without:
            self.first_keys = self.first_keys[:len(pool) - CONNECTIONS]
        self.keys = pool[:len(self.first_keys) + ("people" not in without) * CONNECTIONS]
        self.deferrable = "people" not in without and rng.random() < 0.4
        self.shape = rng.choice(["plain", "plain", "list", "list", "hash"])
        self.regions = ["eu", "us", "else"]
        self.features = {f for f in ("normalize", "derive", "guard", "audit", "generated", "cascade", "dropped", "events",
                                     "sends", "view", "second") if rng.random() < 0.4}
        if rng.random() < 0.6:
            self.features.add("hooks")
        if "nested" in without:
            self.features -= {"hooks"}
        self.event_kind, self.send_kind = rng.choice(KINDS), rng.choice(KINDS)
        self.event_columns = rng.random() < 0.7
        self.audit = None
        if "guard" in self.features:
            self.features -= {"cascade"}  # a trigger that refuses a cascade breaks the application's own reference
        self.session = {c: rng.sample(SESSION, rng.randint(0, 3)) for c in range(CONNECTIONS)}
        self.counter = self.tags = 0
        self.event_ids = {}  # what the application has reported under an id
        self.expected = {}  # user -> what the application's triggers are going to say of the statement
        self.message_specs = []
        self.choose_tables()
        self.event_names, self.filters = EVENTS + self.more_events(), FILTERS + self.more_filters()
        # a message that others are part of, and one above it
        above = [] if "programmes" in without or rng.random() < 0.5 else [None, 0][:rng.choice([1, 1, 2])]
        for n in range(len(above) + rng.randint(2, 5)):
            control = rng.random() < 0.25
            arms = rng.sample(["a", "b", "Arm C"], rng.choice([0, 0, 0, 2, 3]))
            self.message_specs.append(
                {
                    "name": "%sm%d" % (self.prefix, n),
                    "variants": arms,
                    "control": control,
                    "one_off": n >= len(above) and "one_off" not in without and rng.random() < 0.25,
                    "programme": n < len(above),
                    "part_of": rng.choice([None] + list(range(len(above))) * 2) if n >= len(above) else above[n],
                    "engagement_after": 600 * SECOND if "six" not in without and rng.random() < 0.25 else 0,
                    "goals": [
                        self.random_goal(name)
                        for name in ["primary", "second", "Drittes Ziel"][: rng.choice([0, 1, 1, 1, 2, 3])]
                    ],
                }
            )
        for spec in self.message_specs:
            spec["part_of"] = None if spec["part_of"] is None else self.message_specs[spec["part_of"]]["name"]
        self.specs = {spec["name"]: spec for spec in self.message_specs}
        self.spec_names = set(self.specs)
        self.sent_specs = [spec for spec in self.message_specs if not spec["programme"]]
        self.initial = {key: self.random_row() for key in self.first_keys}
        self.steps = []

    # --- what is chosen ---

    def attributes(self):
        found = [(c.name, [], c, None) for c in self.live_columns()]
        found += [(c.name, [], c, None) for c in self.attribute_columns]
        for c in self.live_columns() + self.attribute_columns:
            if c.kind == "json":
                found += [(c.name + "." + path, v.path_keys(path), c, what) for path, what in v.PATHS.items()]
        return found

    def live_columns(self):
        found = dict(self.columns)
        if "generated" in self.features:
            found["g_num"] = v.Column("g_num", "numeric", "number", ["1", "3", "6", "20"])
            found["g_txt"] = v.Column("g_txt", "text", "text", ["pro!", "free!", "Pro!", "!"])
        if "cascade" in self.features:
            found["plan_id"] = v.Column("plan_id", "integer", "number", [str(c * 1000 + j) for c in range(CONNECTIONS) for j in range(4)])
        if "audit" in self.features:
            found["audit"] = v.Column("audit", "integer", "number", ["1", "2", "5"])
        if self.shape == "list":
            found["region"] = v.Column("region", "text", "text", ["eu", "us", "else"])
        return list(found.values())

    def random_goal(self, name):
        rng = self.rng
        goal = {"name": name, "limit_text": rng.choice(LIMITS), "after": rng.choice(["sent", "sent", "sent", "opened", "clicked"]), "times": 1,
                "properties": None, "event": None, "value": None, "values": None, "value_from": None, "op": None, "column": None, "path": []}
        goal["limit"] = limit_us(goal["limit_text"])
        if rng.random() < (0.45 if len(self.event_names) > len(EVENTS) else 0.25):
            goal["event"] = rng.choice(self.event_names)
            goal["times"] = rng.choice([1, 1, 2, 3])
            filter_ = rng.choice(self.filters)
            goal["properties_text"] = filter_
            goal["properties"] = None if filter_ is None else v.loads(filter_)
            goal["value_from"] = rng.choice([None, "amount", "amount", "plan"])
            return goal
        found = self.attributes()
        weights = [2 if column.sql in v.BINARY else 1 if not path else 0.35 for _, path, column, _ in found]
        attribute, path, column, what = rng.choices(found, weights)[0]
        if what == "object" or (column.kind == "json" and not path and column.sql == "json"):
            ops = ["has any value", "is unknown"] + (["is changed"] if what == "object" else [])
        elif column.kind == "json":
            ops = {"text": v.TEXT_OPS, "number": v.NUMBER_OPS, "boolean": v.BOOLEAN_OPS, "list": v.LIST_OPS, "wild":
                   [op for op in v.NUMBER_OPS if op not in v.TEXT_OPS] + v.TEXT_OPS,
                   None: ["has any value", "is unknown", "is changed"]}[what]
        else:
            ops = column.operators
            if column.sql in v.BINARY:  # where sums differ from what is written
                ops = ops + ["is increased by"] * 8
        op = rng.choice(ops)
        goal.update(attribute=attribute, path=path, column=column.name, op=op)
        if op not in v.VALUELESS:
            if column.kind == "json":
                pool = v.PATH_POOLS["text"] + ["1", "5.0", "true", "2", "a"] if what in ("wild", "list") else v.PATH_POOLS[what]
                pool = [x if isinstance(x, str) else v.dumps(x) for x in pool]
            elif column.kind == "list":
                pool = [x if isinstance(x, str) else v.dumps(x) if isinstance(x, bool) else str(x) for a in column.pool for x in a.items if x is not None]
            elif column.kind == "boolean":
                pool = ["true", "false", "t", "no", "on"]
            else:
                pool = column.pool
            if op in ("is", "is not", "is any of") and column.sql == "uuid":
                pool = pool + [pool[0].upper()]
            if op in ("contains", "does not contain", "starts with", "ends with") and column.kind == "text":
                pool = pool + [x for x in ["p", "P", "o", "É", "п", "-", "'", "0", "R"] if v.writable(x)]
            if op in ("greater than", "less than", "at least", "at most") and (column.kind == "number" or what == "number"):
                pool = [x for x in pool if x != "NaN"] + (["1.5", "2.50"] if column.sql not in ("money",) else [])
            if what == "wild" and op in ("greater than", "less than", "at least", "at most"):
                pool = ["1", "5.0", "0"]
            if op == "is increased by":
                pool = ["1", "2", "0.5", "3.25", "7"] + ["0.1"] * (6 if column.sql in v.BINARY else 2)
            goal["value"] = rng.choice(pool)
            if op == "is any of":
                goal["values"] = rng.sample(pool, min(len(pool), rng.randint(1, 3)))
                goal["value"] = "{" + ",".join('"' + x.replace("\\", "\\\\").replace('"', '\\"') + '"' for x in goal["values"]) + "}"
        if rng.random() < 0.3:
            sources = [
                (a, p, c)
                for a, p, c, what in found
                if (c in self.attribute_columns) == (column in self.attribute_columns)
                and (
                    what in ("number", "text", "wild")
                    or not p and (c.kind == "number" and c.sql not in v.BINARY or c.sql in v.NUMBERS_AS_TEXT)
                )
            ]
            if sources:
                goal["value_from"], goal["worth_path"], column = rng.choice(sources)
                goal["worth_column"] = column.name
        return goal

    def random_value(self, column, current=None):
        rng = self.rng
        if rng.random() < 0.12:
            return None
        if column.kind == "json":
            if rng.random() < 0.06 and column.sql == "jsonb":
                return rng.choice(["pro", Decimal("5"), [Decimal(1), "a"], True])
            return v.random_document(rng, current if rng.random() < 0.8 else None)
        return column.value(rng.choice(column.pool))

    def random_row(self):
        row = {name: self.random_value(c) for name, c in self.columns.items()}
        row["region"] = self.rng.choice(self.regions)
        row["audit"] = Decimal(0)
        row["plan_id"] = None
        return self.finish(dict(row), inserted=True)

    # --- the table's own triggers and generated columns, as Python ---

    def finish(self, row, inserted=False):
        """What BEFORE triggers and generated columns make of a row; None: a trigger skipped it."""
        if "normalize" in self.features and "plan" in row and row["plan"] is not None:
            row["plan"] = v.database_lower(row["plan"].strip(" "))
        if not inserted:
            if "derive" in self.features and row.get("n") is not None and "note" in row and row["n"] > 5:
                row["note"] = "pro"
            if "guard" in self.features and row.get("vc") == "a_b":
                return None
        number = [row.get(c) for c in ("n", "s")]
        row["g_num"] = (number[0] or Decimal(0)) * 2 + (number[1] or Decimal(0))
        row["g_txt"] = None if row.get("plan") is None else row["plan"] + "!"
        return row

    def setup(self):
        """SQL that makes the schema, and the model's beginning."""
        p, sql = self.prefix, []
        t = p + "users"
        self.table = t
        self.world = world = World()
        world.columns[t] = {c.name: c for c in self.live_columns()}
        generated = []
        if "generated" in self.features:
            n = " + ".join(["0::numeric"] + ["coalesce(%s::numeric, 0)%s" % (c, " * 2" if c == "n" else "") for c in ("n", "s") if c in self.columns])
            generated.append("g_num numeric generated always as (%s) stored" % n)
            generated.append("g_txt text generated always as (%s) stored" % ("plan || '!'" if "plan" in self.columns else "null::text"))
        declared = ["k %s not null" % self.key_type, "region text not null", "audit integer", "plan_id integer"]
        declared.append("cue text")
        declared += ["%s %s" % (c.name, c.declared) for c in self.columns.values()]
        if "dropped" in self.features:
            declared.insert(1, "gone1 integer")
            declared.insert(4, "gone2 text default 'x'")
        generated += self.mail_column()
        deferrable = " deferrable" if self.deferrable else ""
        if self.shape == "plain":
            sql.append("create table %s (%s)" % (t, ", ".join(declared + generated + ["primary key (k)" + deferrable])))
        elif self.shape == "hash":
            sql.append(
                "create table %s (%s) partition by hash (k)"
                % (t, ", ".join(declared + generated + ["primary key (k)" + deferrable]))
            )
            sql += ["create table %s_%d partition of %s for values with (modulus 3, remainder %d)" % (t, n, t, n) for n in range(3)]
        else:
            sql.append(
                "create table %s (%s) partition by list (region)"
                % (t, ", ".join(declared + generated + ["primary key (k, region)" + deferrable]))
            )
            rng = random.Random("partitions %s" % self.seed)
            for region in self.regions:
                order = declared + generated
                rng.shuffle(order)
                order = [rng.choice(["junk text", "junk integer"])] * rng.randint(0, 1) + order
                sql.append("create table %s_%s (%s)" % (t, region, ", ".join(order)))
                if order[0].startswith("junk"):
                    sql.append("alter table %s_%s drop column junk" % (t, region))
                if "dropped" in self.features:
                    sql.append("alter table %s_%s drop column gone1, drop column gone2" % (t, region))
            if "dropped" in self.features:
                sql.append("alter table %s drop column gone1, drop column gone2" % t)
            for region in self.regions:
                sql.append("alter table %s attach partition %s_%s %s" % (t, t, region, "default" if region == "else" else "for values in ('%s')" % region))
        if "dropped" in self.features and self.shape != "list":
            sql.append("alter table %s drop column gone1, drop column gone2" % t)
        if self.shape == "list" and random.Random(self.seed).random() < 0.3:
            sql.append("alter table %s drop constraint %s_pkey" % (t, t))
        if "cascade" in self.features:
            sql.append("create table %splans (id integer primary key)" % p)
            sql.append("insert into %splans values %s" % (p, ", ".join("(%d)" % (c * 1000 + j) for c in range(CONNECTIONS) for j in range(4))))
            sql.append("alter table %s add foreign key (plan_id) references %splans on update cascade on delete set null" % (t, p))
            for c in range(CONNECTIONS):
                world.put("plans", c, None, frozenset(c * 1000 + j for j in range(4)))
        body = []
        if "normalize" in self.features and "plan" in self.columns:
            sql.append("create function %snormalize() returns trigger language plpgsql as $$begin new.plan := lower(btrim(new.plan)); return new; end$$" % p)
            sql.append("create trigger normalize before insert or update on %s for each row execute function %snormalize()" % (t, p))
        if "derive" in self.features and "n" in self.columns and "note" in self.columns:
            body.append("if new.n > 5 then new.note := 'pro'; end if;")
        if "guard" in self.features and "vc" in self.columns:
            body.append("if new.vc = 'a_b' then return null; end if;")
        if body:
            sql.append("create function %sderive() returns trigger language plpgsql as $$begin %s return new; end$$" % (p, " ".join(body)))
            sql.append("create trigger o_derive before update on %s for each row execute function %sderive()" % (t, p))
        sql += self.functions() + self.triggers(t)
        first = random.Random(self.seed).random() < 0.5
        if "audit" in self.features and "n" in self.columns:
            self.audit = "a_audit" if first else "z_audit"
        if "audit" in self.features and "n" in self.columns:
            sql.append("create function %saudit() returns trigger language plpgsql as $$begin update %s set audit = audit + 1 where k = new.k; return null; end$$" % (p, "public." + t))
            sql.append("create trigger %s after update on %s for each row when (old.n is distinct from new.n) execute function %saudit()"
                       % (self.audit, t, p))
        if "view" in self.features:
            sql.append("create view %sview as select * from %s" % (p, t))
        track = [
            "select goals.track_users('public.%s'%s)" % (t, ", 'k'" if self.shape == "list" or self.deferrable else "")
        ]
        insert = [self.insert(self.initial)]
        sql += self.mail_index()
        sql += (track + insert) if first else (insert + track)
        world.idx = 1
        for key, row in self.initial.items():
            world.put(t, key, None, row)
        if "second" in self.features:
            sql.append("create table o_other (k bigint primary key, plan text)")
            sql.append("select goals.track_users('o_other')")
        sql += self.make_attributes()
        for spec in self.message_specs:
            m = spec["name"]
            kind = ", kind => 'one_off'" if spec["one_off"] else ", kind => 'programme'" if spec["programme"] else ""
            kind += ", part_of => " + v.quote(spec["part_of"]) if spec["part_of"] else ""
            kind += ", engagement_after => '10 minutes'" if spec["engagement_after"] else ""
            known_as = self.known_as_of(m)
            kind += ", known_as => " + v.quote(known_as) if known_as else ""
            sql.append("select goals.create_message(%s%s, users => 'public.%s')" % (v.quote(m), kind, t))
            world.messages[m] = dict(spec, table=t, goals=[])
            sql += ["select goals.add_variant(%s, %s, %s)" % (v.quote(m), v.quote(a), 1 + i) for i, a in enumerate(spec["variants"])]
            if spec["control"]:
                sql.append("select goals.set_control_group(%s, 0.35)" % v.quote(m))
            for goal in spec["goals"]:
                sql.append(self.set_goal(m, goal, None))
        if "events" in self.features:
            sql += self.make_events()
        if "sends" in self.features:
            sql += self.make_sends()
        return sql + self.make_tables()

    def insert(self, rows, conflict="", cue=None):
        names = ["k", "region", "audit", "plan_id", "cue"] + list(self.columns)
        return "insert into public.%s (%s) values %s%s" % (
            self.table,
            ", ".join(names),
            ", ".join(
                "(%s)"
                % ", ".join(
                    [
                        self.key(k),
                        v.quote(r["region"]),
                        str(r["audit"]),
                        "NULL" if r["plan_id"] is None else str(r["plan_id"]),
                        "NULL" if cue is None else v.quote(cue),
                    ]
                    + [c.literal(r[c.name]) for c in self.columns.values()]
                )
                for k, r in rows.items()
            ),
            conflict,
        )

    def key(self, key):
        return "%s::%s" % (v.quote(key), self.key_type)

    def call_key(self, key, over=None):
        """For the overloads: text, bigint, uuid."""
        kind = {"bigint": "bigint", "integer": "bigint", "uuid": "uuid"}.get(self.key_type, "text")
        return "%s::%s" % (v.quote(key), kind if (self.counter if over is None else over) % 3 else "text")

    def assignment(self, message, key):
        """What the message's own name assigns to the person."""
        spec = self.specs[message]
        variants = tuple((name, 1.0 + n) for n, name in enumerate(spec["variants"]))
        return assignment.assigned(
            message, self.world.known_as(self.table, key, self.conn), variants, 0.35 if spec["control"] else 0
        )

    def above(self, message):
        """The programmes that a message is part of, the outermost first."""
        parent = self.specs[message]["part_of"]
        return [] if parent is None else self.above(parent) + [parent]

    def told(self, message, key):
        """What assign() says; NotImplemented where the contract does not."""
        for programme in self.above(message):
            entry = self.world.entry(programme, key, self.conn)
            if entry is None and self.assignment(programme, key) == "control":
                return "held out"
            if entry is not None and (entry.held_out or entry.variant == "control"):
                return "held out"
        entry = self.world.entry(message, key, self.conn) if self.specs[message]["programme"] else None
        if entry is not None:
            return NotImplemented if entry.held_out else entry.variant
        return self.assignment(message, key)

    def record(self, message, key, conn, variant, how, sent=None, row=None, ref=None):
        """What becomes of a send: the receipt; None if the person is held out."""
        world, held = self.world, False
        sent = (world.clock(), False) if sent is None else sent
        by_assignment = how == "deliver" or variant == "control"
        # Who has entered a programme enters nothing again, nor what is above it.
        entered = world.entry(message, key, conn) if self.specs[message]["programme"] else None
        if entered is not None:
            return entered
        for programme in self.above(message):
            entry = world.entry(programme, key, conn)
            if entry is None:
                assigned = self.assignment(programme, key)
                kept = not by_assignment and (held or assigned == "control")
                entry = world.send(programme, key, conn, None if kept else assigned, sent, row, held_out=kept)
                entry.step, entry.nth = self.number, -1
            if entry.held_out or entry.variant == "control":
                if by_assignment:
                    return None
                held = True
        assigned = self.assignment(message, key)
        if variant is None and how != "mirror":
            held = held or assigned == "control" and how != "deliver"
            variant = assigned
        return world.send(message, key, conn, None if held else variant, sent, row, ref, held)

    def made_receipt(self, receipt):
        """So that a later step finds it."""
        receipt.step, receipt.nth = self.number, len(self.made)
        self.made.append(receipt)
        return receipt

    def set_goal(self, message, goal, conn):
        world = self.world
        # a programme is never opened
        goal = dict(goal, after="sent" if self.specs[message]["programme"] else goal["after"])
        arguments = [v.quote(self.shown(message))]
        if goal["event"]:
            arguments.append("event => " + v.quote(goal["event"]))
            if goal["times"] != 1:
                arguments.append("times => %d" % goal["times"])
            if goal["properties_text"] is not None:
                arguments.append("properties => %s" % v.quote(goal["properties_text"]))
        else:
            op = goal["op"]
            arguments.append("attribute => " + v.quote(goal["attribute"]))
            arguments.append("operator => " + v.quote([op, op.replace(" ", "_"), op.upper()][len(world.messages[message]["goals"]) % 3]))
            if goal["value"] is not None:
                arguments.append("value => " + v.quote(goal["value"]))
        arguments.append("time_limit => '%s'" % goal["limit_text"])
        arguments.append("after => '%s'" % goal["after"])
        arguments.append("goal => " + v.quote(goal["name"]))
        if goal["value_from"]:
            arguments.append("value_from => " + v.quote(goal["value_from"]))
        goal["fact"], goal["stop"] = Fact(world, conn), None
        goal["message"] = message
        world.messages[message]["goals"].append(goal)
        return "select goals.set_goal(%s)" % ", ".join(arguments)

    # --- steps ---

    def owner(self, key):
        return self.keys.index(key) % CONNECTIONS

    def own(self, conn):
        return [k for k in self.keys if self.owner(k) == conn]

    def past(self, spread=True):
        """When a message was sent, if not now. Never in the future: up to 5 minutes are accepted, but the contract does not say
        whether a change before that time counts (rule 3) or is taken to be at that time (docs/how-it-works.md, the clock at the change)."""
        self.counter += 1
        return -self.rng.choice(PAST) * SECOND + (self.rng.randint(-60, 60) * SECOND if spread else 0) + self.counter

    def strict(self, conn):
        txn = self.world.txns.get(conn)
        return txn is not None and txn.isolation != "read committed"

    def random_step(self, conn=None):
        rng, world = self.rng, self.world
        alone = [c for c, t in world.txns.items() if hasattr(t, "alone")]
        if conn is None:
            conn = alone[0] if alone else rng.randrange(CONNECTIONS)
        txn = world.txns.get(conn)
        if "people" not in self.without and rng.random() < 0.07:
            return self.random_people_step(conn)
        pick = rng.random()
        if txn:
            if pick < 0.10:
                return {"op": "commit", "conn": conn, "commit": rng.random() < 0.75 or "rollback" in self.without}
            if pick < 0.16:
                return {"op": "savepoint", "conn": conn, "name": rng.choice("xy")}
            if pick < 0.21 and txn.savepoints and "rollback" not in self.without:
                return {"op": rng.choice(["rollback_to", "release"]), "conn": conn, "name": rng.choice(txn.savepoints)[0]}
        elif pick < 0.06:
            return {"op": "begin", "conn": conn, "isolation": rng.choice(["read committed", "repeatable read", "serializable"])}
        if self.tracked_by_name and rng.random() < 0.3:
            return self.random_tracked_step(conn)
        pick = rng.random()
        if pick < 0.46:
            return self.random_update(conn)
        if pick < 0.52:
            return self.random_update(conn) if "nested" in self.without else self.random_program(conn)
        if pick < 0.68:
            return self.random_send(conn)
        if pick < 0.76:
            return self.random_open(conn) if "six" in self.without or rng.random() < 0.7 else self.random_report(conn)
        if pick < 0.80:
            return self.random_row_step(conn)
        if pick < 0.92:
            return self.random_event(conn)
        if pick < 0.94:
            return {"op": "set_goal", "conn": conn, "message": rng.choice(self.message_specs)["name"],
                    "goal": self.random_goal(rng.choice(["primary", "second", "Drittes Ziel"]))}
        if pick < 0.95:
            return {"op": "stop_goal", "conn": conn, "message": rng.choice(self.message_specs)["name"],
                    "name": rng.choice(["primary", "second", "Drittes Ziel"])}
        if pick < 0.97:
            return {"op": "roll_up", "conn": conn}
        if pick < 0.974:
            return {"op": "forget", "conn": conn, "key": rng.choice(self.keys)}
        if pick < 0.976:
            return {"op": "purge", "conn": conn, "before": rng.choice([-3600, -100000, -1000000, -5000000]) * SECOND}
        if pick < 0.984:
            return {"op": "constraints", "conn": conn}
        return {"op": "recreate", "conn": conn, "key": rng.choice(self.own(conn)), "row": self.random_row()}

    def random_people_step(self, conn):
        """Keys change, accounts are merged, users go."""
        rng, world = self.rng, self.world
        others = [c for c in world.txns if c != conn]
        if others:  # it takes a moment at which no other transaction is open
            return {
                "op": "commit",
                "conn": rng.choice(others),
                "commit": rng.random() < 0.8 or "rollback" in self.without,
            }
        own = self.own(conn)
        there = [k for k in own if world.version(self.table, k, conn) is not None]
        free = [k for k in own if k not in there]
        kind = rng.choices(["rekey", "merge", "delete"], [6, 3, 1])[0]
        if kind == "rekey" and there:
            olds = rng.sample(there, rng.randint(1, len(there)) if rng.random() < 0.4 else 1)
            news = rng.sample(
                free + (olds if self.deferrable else []), min(len(olds), len(free) + len(olds) * self.deferrable)
            )
            moves = {o: n for o, n in zip(olds, news) if o != n}
            sets = self.random_sets(conn, None) if rng.random() < 0.4 else {}
            return {
                "op": "rekey",
                "conn": conn,
                "moves": moves,
                "sets": sets,
                "form": rng.choice(["case", "from", "each"]),
            }
        if kind == "merge" and len(there) > 0:
            known = there + [k for k in free if rng.random() < 0.3]
            return {
                "op": "merge",
                "conn": conn,
                "from": rng.choice(known),
                "into": rng.choice(there),
                "delete": rng.random() < 0.5,
                "over": self.counter,
            }
        if len(there) > 1:
            return {"op": "delete", "conn": conn, "key": rng.choice(there)}
        return {"op": "roll_up", "conn": conn}

    def random_sets(self, conn, current):
        rng = self.rng
        names = rng.sample(list(self.columns), min(len(self.columns), rng.choice([1, 1, 1, 2, 3, 4])))
        wanted = [g["column"] for m in self.world.messages.values() for g in m["goals"] if g["column"] in self.columns]
        if wanted and rng.random() < 0.7:
            names = list(dict.fromkeys(rng.choices(wanted, k=rng.choice([1, 1, 2]))))
        sets = {n: self.random_value(self.columns[n], current.get(n) if current else None) for n in names}
        if self.shape == "list" and rng.random() < 0.35:
            sets["region"] = rng.choice(self.regions)
        if "cascade" in self.features and rng.random() < 0.3:
            sets["plan_id"] = rng.choice([None] + list(range(4)))
        if current and rng.random() < 0.1:
            sets = {n: current[n] for n in sets if n in current and n != "plan_id"} or sets
        return sets

    def random_update(self, conn):
        rng, world = self.rng, self.world
        own = self.own(conn)
        form = rng.choice(
            [
                "single",
                "single",
                "single",
                "orm",
                "orm",
                "bulk",
                "bulk",
                "from",
                "upsert",
                "merge",
                "cte",
                "add",
                "noop",
                "view",
                "cascade",
                "only",
                "cursor",
                "empty",
                *(SIBLINGS if "nested" not in self.without else []),
            ]
        )
        if form == "cascade":
            return {"op": "cascade", "conn": conn, "old": rng.randrange(8), "new": rng.choice([None, rng.randrange(900)])}
        if form in ("mirror first", "mirror last") and ("sends" not in self.features or "mirror" in self.without):
            form = "call last"
        many = form in (
            "bulk",
            "from",
            "upsert",
            "merge",
            "cte",
            "add",
            "noop",
            "call last",
            "mirror first",
            "mirror last",
        )
        keys = rng.sample(own, rng.randint(1, len(own))) if many else [rng.choice(own)]
        current = world.version(self.table, keys[0], conn)
        step = {"op": "update", "conn": conn, "form": form, "keys": keys}
        step.update(by=rng.choice([1, 2, -1, 0]), pick=rng.randrange(60))
        if form in ("from", "upsert", "merge"):
            first = self.random_sets(conn, current)
            step["sets"] = {k: {n: (self.random_value(self.columns[n], (world.version(self.table, k, conn) or {}).get(n)) if n in self.columns and rng.random() < 0.7 else x)
                                for n, x in first.items()} for k in keys}
        else:
            step["sets"] = self.random_sets(conn, current)
        step["plan"], step["returning"] = {}, None
        if "hooks" in self.features and rng.random() < 0.4 and form not in ("noop", "add", "empty"):
            step["plan"] = self.random_plan(conn)
        if (
            "nested" not in self.without
            and rng.random() < 0.15
            and form in ("single", "orm", "bulk", "view", "only", "from", "upsert", "add")
        ):
            step["returning"] = self.random_returning(conn)
            if any(
                step["plan"].get(name) for name in BEFORE
            ):  # is an event of this statement later than what its triggers send?
                step["returning"]["direct"] = [a for a in step["returning"].get("direct", ()) if a["do"] != "event"]
                if not step["returning"]["direct"] and "run" not in step["returning"]:
                    step["returning"] = None
        if form in SIBLINGS:
            spec = rng.choice(self.sent_specs)
            self.counter += 20
            step["send"] = {
                "do": "send",
                "how": "one",
                "message": spec["name"],
                "at": self.past() if rng.random() < 0.3 else None,
                "variant": rng.choice(spec["variants"] + [None]) if spec["variants"] else None,
                "over": 0,
            }
            step["ids"] = [self.counter * 100 + n for n in range(len(keys))]
        return step

    def random_send(self, conn):
        rng = self.rng
        spec = rng.choice(self.message_specs)
        own = self.own(conn) if self.strict(conn) else self.keys
        if spec["programme"] and rng.random() < 0.7:
            spec = rng.choice(self.sent_specs)
        how = rng.choice([x for x in ["one", "one", "array", "deliver", "mirror", "mirror"] if x not in self.without])
        keys = rng.sample(own, rng.randint(1, len(own))) if how in ("array", "mirror") else [rng.choice(own)]
        at = self.past() if rng.random() < 0.45 else None
        step = {
            "op": "send",
            "conn": conn,
            "how": how,
            "message": spec["name"],
            "keys": keys,
            "at": at,
            "id": self.counter * 1000 + rng.randrange(1000),
            "variant": rng.choice(spec["variants"] + [None]) if how != "deliver" and spec["variants"] else None,
            "ref": None,
        }
        if spec["programme"] and how == "mirror":
            step["how"] = how = "one"
            step["keys"] = keys[:1]
        if how in ("one", "deliver") and not spec["programme"] and "ref" not in self.without and rng.random() < 0.25:
            step["ref"] = "%s%d" % (rng.choice(["r", "it's ", ""]), rng.randrange(3))
        if how == "mirror":
            if spec["control"] and not spec["part_of"] and rng.random() < 0.3:
                step["variant"] = "control"
            self.counter += 20
            step["ids"] = [self.counter * 100 + n for n in range(len(keys))]
            step["at"] = [self.past() if rng.random() < 0.6 else None for _ in keys]
            step["opened"] = [None if x is None or rng.random() < 0.7 else x + rng.choice([0, 1, 60 * SECOND]) for x in step["at"]]
            step["clicked"] = [None if x is None or rng.random() < 0.85 else x + rng.choice([0, 1, 60 * SECOND]) for x in step["at"]]
            step["stray"] = rng.choice([None, None, None, None, "message", "user"])
            step["queued"], step["copy"] = (
                self.send_kind != "none" and "redo" not in self.without and rng.random() < 0.3,
                rng.random() < 0.2 and "copy" not in self.without,
            )
            step["plans"] = [
                self.random_plan(conn, 0, AFTER_SENDS, False)
                if key in self.own(conn) and "hooks" in self.features and rng.random() < 0.25
                else {}
                for key in keys
            ]
        return step

    def random_open(self, conn):
        rng, world = self.rng, self.world
        found = [
            r
            for m in world.receipts.values()
            for r in m
            if not r.entry and r.message in self.spec_names and r.visible(world.idx + 1, world.txns.get(conn))
        ]
        if not found:
            return {"op": "roll_up", "conn": conn}
        receipt = rng.choice(found)
        how = rng.choice(["receipt", "message", "message", "mirror"])
        at = None
        if rng.random() < 0.5 and receipt.exact and receipt.sent < 0:
            self.counter += 1
            at = receipt.sent + rng.choice([0, 1, 60 * SECOND, 600 * SECOND, 600 * SECOND + self.counter])
        kind = None
        if "six" not in self.without:
            if at is not None and rng.random() < 0.2 and how != "mirror":
                how, at = "message", at // SECOND * SECOND
            if how != "mirror" and rng.random() < 0.5:
                kind = rng.choice(KINDS_OF_REPORTS)
        machine = how == "message" and "six" not in self.without and rng.random() < 0.2
        step = {
            "kind": kind,
            "machine": machine,
            "op": "open",
            "conn": conn,
            "how": how,
            "click": rng.random() < 0.4,
            "at": at,
            "step": receipt.step,
            "nth": receipt.nth,
            "message": receipt.message,
            "key": receipt.key,
        }
        if how == "mirror":
            if not world.sends:
                step["how"] = "receipt"
            else:
                self.counter += 1
                step["row"] = rng.choice(list(world.sends))
                step["offset"] = rng.choice([None, None, 0, 1, 5 * SECOND, 60 * SECOND + self.counter, -30 * SECOND])
        return step

    def random_report(self, conn):
        """A set of reports, some of which cannot be placed; or a receipt is withdrawn."""
        rng, items = self.rng, []
        for _ in range(rng.choice([1, 2, 5])):
            item = self.random_open(conn)
            if item["op"] != "open":
                return item
            if item["how"] == "mirror":
                item["how"] = "receipt"
            item["kind"] = item["kind"] or ("clicked" if item["click"] else "opened")
            item["machine"] = rng.choice([None, None, None, True, False])
            item["by"] = rng.choice(["iso", "epoch", "digits"])
            item["wrong"] = rng.choice(
                [None] * 9
                + [
                    "kind",
                    "no kind",
                    "message",
                    "user",
                    "receipt",
                    "ref",
                    "nothing",
                    "machine",
                    "at",
                    "future",
                    "object",
                    "programme",
                ]
            )
            if rng.random() < 0.15 and item["wrong"] is None:
                item.update(
                    how="ref", ref="%s%d" % (rng.choice(["r", "it's ", ""]), rng.randrange(3)), alone=rng.random() < 0.5
                )
            items.append(item)
        if rng.random() < 0.25:
            return {**items[0], "op": "withdraw"}
        return {"op": "report", "conn": conn, "items": items}

    def random_row_step(self, conn):
        """Something that becomes of a row of the tables of sends and events."""
        rng, world = self.rng, self.world
        if "redo" in self.without or not (world.sends or world.occurred):
            return self.random_send(conn)
        pick = rng.random()
        if pick < 0.15 and {"events", "sends"} <= self.features:
            event, send = self.random_event(conn, "table"), None
            while not send or send["how"] != "mirror":
                send = self.random_send(conn)
            for step in (event, send):
                step["plans"], step["copy"] = [{}] * len(step["plans"]), False
            send["stray"] = None
            return {"op": "together", "conn": conn, "event": event, "send": send, "swap": rng.random() < 0.5}
        if pick < 0.5 and world.sends:
            past = self.past()
            sent = rng.choice(
                [
                    "sent - interval '100 ms'",
                    "sent - interval '2 hours'",
                    "clock_timestamp() - interval '100 ms'",
                    "sent + interval '1 hour'",
                    "date_trunc('second', sent)",
                    "date_trunc('milliseconds', clock_timestamp())",
                    "null",
                    when(past),
                ]
            )
            return {
                "op": "correct",
                "conn": conn,
                "row": rng.choice(list(world.sends)),
                "sent": sent,
                "at": past if sent == when(past) else None,
                "open": rng.random() < 0.4,
            }
        table = rng.choice([t for t, rows in (("sends", world.sends), ("events", world.occurred)) if rows])
        rows = world.sends if table == "sends" else world.occurred
        return {
            "op": "redo",
            "conn": conn,
            "table": table,
            "row": rng.choice(list(rows)),
            "how": rng.choice(["cte", "cte", "two", "apart", "upsert"]),
            "key": rng.choice(self.keys) if rng.random() < 0.2 else None,
        }

    def random_happening(self, key=None):
        """(name, properties, time) of an event"""
        rng, at = self.rng, None
        receipts = [r for r in self.world.whose(self.table, key).receipts if r.exact]
        if receipts and rng.random() < 0.6:
            receipt = rng.choice(receipts)
            anchors = [receipt.sent] + [o.at for o in receipt.opens if o.exact]
            limits = [g["limit"] for g in receipt.goals] or [SECOND]
            at = rng.choice(anchors) + rng.choice([-1, 0, 1, 30 * SECOND] + [x + e for x in limits for e in (-1, 0, 1)])
            if at > -300 * SECOND:
                at = None
        return rng.choice(self.event_names), rng.choice(PROPERTIES), at

    def random_event(self, conn, how=None):
        rng = self.rng
        many = how == "table" or "events" in self.features and rng.random() < 0.5
        events = []
        for _ in range(rng.randint(1, 4) if many else 1):
            key = rng.choice(self.keys)
            events.append((key, *self.random_happening(key)))
        step = {"op": "event", "conn": conn, "how": "table" if many else "call", "events": events, "event_id": None}
        if many:
            self.counter += 4
            step["ids"] = [self.counter * 100 + n for n in range(len(events))]
            step["copy"] = rng.random() < 0.2 and "copy" not in self.without
            step["plans"] = [
                self.random_plan(conn, 0, AFTER, False)
                if key in self.own(conn) and "hooks" in self.features and rng.random() < 0.25
                else {}
                for key, *_ in events
            ]
        elif "ref" not in self.without and rng.random() < 0.4:
            step["event_id"] = rng.choice(["e1", "o'2", "3", "e4", "5", "e6", "e7", "e8"])
            key, name, properties, at = self.event_ids.setdefault((step["event_id"], events[0][0]), events[0])
            step["events"] = [(key, name, properties, at)]
        return step

    # --- a step in SQL; None if it makes no sense here ---

    def sql(self, step, number=0):
        world, conn = self.world, step["conn"]
        self.conn = conn
        if any(hasattr(txn, "alone") for other, txn in world.txns.items() if other != conn):
            return None
        world.idx += 1
        # made: the receipts that the step returns; fresh: how many of them it records
        self.number, self.made, self.fresh, self.expected = number, [], 0, {}
        self.explicit = conn in world.txns
        one = step["op"] in STATEMENTS and not self.explicit
        if one:
            world.begin(conn, "read committed")
        sql = getattr(self, "do_" + step["op"])(step, conn)
        if one:
            self.commits(conn)
            world.end(conn, True)
        return sql

    def do_begin(self, step, conn):
        world = self.world
        if conn in world.txns:
            return None
        if step["isolation"] == "serializable" and any(t.isolation == "serializable" for t in world.txns.values()):
            return None
        world.begin(conn, step["isolation"])
        # the snapshot is taken here
        return "begin isolation level %s; select 1 as started" % step["isolation"]

    def do_commit(self, step, conn):
        if conn not in self.world.txns:
            return None
        if step["commit"]:
            self.commits(conn)
        self.world.end(conn, step["commit"])
        return "commit" if step["commit"] else "rollback"

    def do_savepoint(self, step, conn):
        txn = self.world.txns.get(conn)
        if not txn:
            return None
        txn.savepoints.append((step["name"], len(txn.facts), list(txn.late)))
        return "savepoint " + step["name"]

    def do_rollback_to(self, step, conn):
        txn = self.world.txns.get(conn)
        if not txn or step["name"] not in [n for n, *_ in txn.savepoints]:
            return None
        self.world.roll_back_to(conn, step["name"])
        return "rollback to " + step["name"]

    def do_release(self, step, conn):
        txn = self.world.txns.get(conn)
        if not txn or step["name"] not in [n for n, *_ in txn.savepoints]:
            return None
        while txn.savepoints.pop()[0] != step["name"]:
            pass
        return "release " + step["name"]

    def do_constraints(self, step, conn):
        """The deferred triggers fire now."""
        if not self.explicit:
            return None
        self.world.txns[conn].immediate = True
        self.fire_late(conn)
        self.world.txns[conn].immediate = False
        return "set constraints all immediate; set constraints all deferred"

    def do_roll_up(self, step, conn):
        return None if conn in self.world.txns else "select goals.roll_up()"

    def do_forget(self, step, conn):
        world = self.world
        if world.txns:
            return None
        world.forget(self.table, step["key"])
        return "select goals.forget_user(%s, 'public.%s')" % (self.call_key(step["key"]), self.table)

    def do_purge(self, step, conn):
        world = self.world
        if world.txns:
            return None
        for receipt in list(world.all_receipts()):
            if receipt.gone is None and receipt.sent < step["before"]:
                world.archive([receipt])
        return "select goals.purge(%s)" % when(step["before"])

    def do_set_goal(self, step, conn):
        if conn in self.world.txns:
            return None
        return self.set_goal(step["message"], step["goal"], conn)

    def do_stop_goal(self, step, conn):
        world = self.world
        named = [g for g in world.messages[step["message"]]["goals"] if g["name"] == step["name"] and not g["stop"]]
        if conn in world.txns or not named:
            return None
        stop = Fact(world, conn)
        for goal in named:
            goal["stop"] = stop
        return "select goals.stop_goal(%s, %s)" % (v.quote(step["message"]), v.quote(step["name"]))

    # changes

    def plan_sets(self, sets, conn):
        """plan_id is chosen by number among the plans of this connection."""
        if sets.get("plan_id") is not None and isinstance(sets["plan_id"], int):
            have = sorted(self.world.version("plans", conn, conn))
            sets = dict(sets, plan_id=Decimal(have[sets["plan_id"] % len(have)]) if have else None)
        return sets

    def setters(self, sets, cue=None):
        parts = []
        for name, value in sets.items():
            if name == "region":
                parts.append("region = " + v.quote(value))
            elif name in ("plan_id", "audit"):
                parts.append("%s = %s" % (name, "NULL" if value is None else value))
            else:
                parts.append("%s = %s" % (name, self.columns[name].literal(value)))
        return ", ".join(parts + ([] if cue is None else ["cue = " + v.quote(cue)]))

    def typed(self, name, value):
        if name == "region":
            return v.quote(value)
        if name in ("plan_id", "audit"):
            return "NULL::integer" if value is None else str(value)
        return self.columns[name].literal(value)

    def do_update(self, step, conn):
        world, form, plan = self.world, step["form"], step["plan"]
        # in which order a statement comes to several rows of one person is not said
        keys = self.one_of_each(step["keys"])
        there = [k for k in keys if world.version(self.table, k, conn) is not None]
        if not there:
            return None
        where = "k = " + self.key(there[0]) if len(there) == 1 else "k in (%s)" % ", ".join(map(self.key, there))
        table = "public." + self.table
        written, returning = None, None
        if step["returning"]:
            written, returning = self.returned(step["returning"], conn)

        def update(sets, **how):
            """The rows go through the model; returns the cue."""
            return self.update_rows(list(sets), conn, sets, plan, written=written, **how)

        def sql(text):
            return text + (" returning " + returning() if returning else "")

        if form in ("single", "orm", "bulk", "cte", "view", "only", "cursor", "empty", *SIBLINGS):
            sets = self.plan_sets(step["sets"], conn)
            if form == "orm":
                row = world.version(self.table, there[0], conn)
                sets = {n: sets.get(n, row[n]) for n in ["region", "audit", "plan_id"] + list(self.columns)}
            if form == "view" and "view" in self.features:
                table = "public." + self.prefix + "view"
            if form == "only" and self.shape == "list":
                row = world.version(self.table, there[0], conn)
                sets.pop("region", None)
                if not sets:
                    return None
                table = "public.%s_%s" % (self.table, row["region"])
            if form == "empty":  # matches no row
                return "update %s set %s where %s and false" % (table, self.setters(sets), where)
            if form in SIBLINGS:
                return self.beside(step, conn, {k: sets for k in there}, where)
            cue = update({k: sets for k in there})
            made = "update %s set %s where %s" % (table, self.setters(sets, cue), where)
            if form == "cte":
                return "with u as (%s returning k) select count(*) from u" % made
            if form == "cursor" and self.shape == "plain":  # PostgreSQL 15 refuses it for a partitioned table, depending on the plan
                made = "update %s set %s where current of c" % (table, self.setters(sets, cue))
                if self.explicit:
                    return "declare c cursor for select k from %s where %s for update; fetch c; %s; close c" % (
                        table,
                        where,
                        made,
                    )
                return "do $o$ declare c cursor for select k from %s where %s for update; x record; begin open c; fetch c into x; %s; close c; end $o$" % (
                    table, where, made)
            return sql(made)
        if form == "noop":
            names = [n for n in step["sets"] if n != "plan_id"] or list(self.columns)[:1]
            update({key: {} for key in there})
            return "update %s set %s where %s" % (table, ", ".join("%s = %s" % (n, n) for n in names), where)
        if form == "add":
            names = [n for n in ("n", "num", "amount", "s", "pos", "r", "d") if n in self.columns]
            if not names:
                return None
            name, by = names[step["pick"] % len(names)], Decimal(step["by"])
            if self.columns[name].sql in v.BINARY:
                by /= 10
            limit = {"n": 2147483000, "s": 32000, "pos": 2147483000}.get(name)
            keys = []
            for key in there:
                value = world.version(self.table, key, conn)[name]
                if value is None or not math.isfinite(value) or limit and abs(value) > limit:
                    continue
                if name == "pos" and value + by <= 0:
                    continue
                keys.append(key)
            if not keys:
                return None
            plus = self.columns[name].plus
            update({key: {name: plus(world.version(self.table, key, conn)[name], by)} for key in keys})
            return sql(
                "update %s set %s = %s + (%s) where k in (%s)"
                % (table, name, name, by, ", ".join(map(self.key, keys)))
            )
        sets = {k: self.plan_sets(step["sets"][k], conn) for k in there}
        if form == "upsert" and (self.shape == "list" or self.deferrable):
            form = "from"
        if form == "merge" and self.version < 150000:
            form = "from"
        names = [n for n in sets[there[0]] if all(n in s for s in sets.values())]
        if form == "upsert":
            rows = {k: dict(world.version(self.table, k, conn), **sets[k]) for k in there}
            if "normalize" in self.features and "plan" in self.columns:  # the BEFORE INSERT trigger runs on the proposed row too
                for k in rows:
                    if rows[k]["plan"] is not None:
                        rows[k]["plan"] = v.database_lower(rows[k]["plan"].strip(" "))
            proposed = {k: dict(row, **sets[k]) for k, row in rows.items()}
            cue = update({key: {n: rows[key][n] for n in names} for key in there})
            return sql(
                self.insert(
                    proposed,
                    " on conflict (k) do update set "
                    + ", ".join("%s = excluded.%s" % (n, n) for n in names + (["cue"] if cue else [])),
                    cue,
                )
            )
        source = "(values %s) s (sk, %s)" % (", ".join("(%s)" % ", ".join([self.key(k)] + [self.typed(n, sets[k][n]) for n in names]) for k in there),
                                             ", ".join("s_" + n for n in names))
        cue = update({key: {n: sets[key][n] for n in names} for key in there})
        assign = ", ".join(["%s = s_%s" % (n, n) for n in names] + ([] if cue is None else ["cue = " + v.quote(cue)]))
        if form == "merge":
            return "merge into %s u using %s on u.k = s.sk when matched then update set %s" % (table, source, assign)
        return sql("update %s u set %s from %s where u.k = s.sk" % (table, assign, source))

    def beside(self, step, conn, sets, where):
        """An UPDATE and a send in one statement. The send did not make the change."""
        world, action, form = self.world, step["send"], step["form"]
        update = "update public.%s set %%s where %s" % (self.table, where.replace("%", "%%"))
        if form == "call first":
            # the call is made before the row is written
            key, first = next(iter(sets.items()))
            self.act_send(action, key, conn, False)
            cue = self.update_rows([key], conn, {key: first}, step["plan"])
            return (
                "with s as materialized (select %s as r) "
                "update public.%s set %s from s where k = %s and s.r is not null"
                % (
                    self.direct(action, self.call_key(key, action["over"])),
                    self.table,
                    self.setters(first, cue),
                    self.key(key),
                )
            )
        some = self.setters(next(iter(sets.values())))
        if form == "call last":
            def written(key, new):
                self.act_send(action, key, conn, False, new)
            cue = self.update_rows(list(sets), conn, sets, step["plan"], written=written)
            return "with u as (%s returning k) select %s from u" % (
                update % self.setters(next(iter(sets.values())), cue),
                self.direct(action, "k::text"),
            )
        ids, formed = dict(zip(step["keys"], step["ids"])), {k: world.clock() for k in sets}

        def form(key, _):
            formed[key] = world.clock()

        def receipt(key):
            world.idx += 1
            at = (formed[key], False) if action["at"] is None else (action["at"], True)
            self.mirrored(ids[key], action["message"], key, conn, action["variant"], at, None, None)

        if form == "mirror first":
            cue = self.update_rows(list(sets), conn, sets, step["plan"], between=receipt, skipped=receipt)
            rows = self.insert_sends(
                [
                    self.send_values(ids[k], action["message"], k, action["at"], None, None, action["variant"])
                    for k in sets
                ]
            )
            return "with s as (%s returning who) update public.%s set %s from s where k = s.who" % (
                rows, self.table, some + ("" if cue is None else ", cue = " + v.quote(cue)))
        cue = self.update_rows(
            list(sets), conn, sets, step["plan"], written=form, finally_=lambda keys: [receipt(key) for key in keys]
        )
        places = ", ".join("(%s, %s, %s)" % (self.key(k), *self.place(self.send_kind, ids[k])) for k in sets)
        return (
            "with u as (%s returning k) insert into public.%ssends (id, part, what, who, sent, arm) "
            "select s.id, s.part, %s, k, %s, %s from u join (values %s) s (sk, id, part) on s.sk = k"
            % (
                update % self.setters(next(iter(sets.values())), cue),
                self.prefix,
                v.quote(action["message"]),
                when(action["at"]),
                "NULL" if action["variant"] is None else v.quote(action["variant"]),
                places,
            )
        )

    def do_cascade(self, step, conn):
        world = self.world
        if "cascade" not in self.features:
            return None
        have = sorted(world.version("plans", conn, conn))
        if not have:
            return None
        old = have[step["old"] % len(have)]
        new = None if step["new"] is None else conn * 1000 + step["new"]
        if new in have or (new is None and len(have) < 3):
            return None
        changed = [
            k for k in self.own(conn) if (world.version(self.table, k, conn) or {"plan_id": None})["plan_id"] == old
        ]
        if self.one_of_each(changed) != changed:
            return None
        world.put("plans", conn, conn, frozenset(set(have) - {old} | ({new} if new is not None else set())))
        world.idx += 1  # the referential action is a statement of its own
        keys = [
            k for k in self.own(conn) if (world.version(self.table, k, conn) or {"plan_id": None})["plan_id"] == old
        ]
        self.update_rows(keys, conn, {k: {"plan_id": None if new is None else Decimal(new)} for k in keys}, {})
        if new is None:
            return "delete from public.%splans where id = %d" % (self.prefix, old)
        return "update public.%splans set id = %d where id = %d" % (self.prefix, new, old)

    def do_recreate(self, step, conn):
        """Deleted and inserted again: no update."""
        world, key = self.world, step["key"]
        if conn not in world.txns:
            world.put(self.table, key, conn, step["row"])
            return "begin; delete from public.%s where k = %s; %s; commit" % (self.table, self.key(key), self.insert({key: step["row"]}))
        world.put(self.table, key, conn, step["row"])
        return "delete from public.%s where k = %s; %s" % (self.table, self.key(key), self.insert({key: step["row"]}))

    # people

    def one_of_each(self, keys):
        """Of several keys of one person one."""
        return list({self.world.whose(self.table, k): k for k in keys}.values())

    def undisturbed(self, conn, *keys):
        """Is no other transaction open, and nothing left to do at the end of this one for these users?"""
        world = self.world
        late = {key for _, key, _ in world.txns[conn].late} if conn in world.txns else set()
        return len(world.txns) == (conn in world.txns) and not late & set(keys)

    def both_entered(self, *keys):
        people = {self.world.whose(self.table, key) for key in keys}
        entered = [{r.message for r in p.receipts if r.entry and not r.dead and r.gone is None} for p in people]
        return len(people) > 1 and bool(set.intersection(*entered))

    def do_rekey(self, step, conn):
        """An UPDATE of the key, at times of attributes too."""
        world, moves, rows = self.world, step["moves"], {}
        if not moves or not self.undisturbed(conn, *moves):
            return None
        # What a row that moves to another partition becomes is not seen where a trigger runs before it is inserted.
        blind = "normalize" in self.features and "plan" in self.columns
        if self.shape == "hash" and blind:
            return None
        sets = self.plan_sets(step["sets"], conn)
        # a trigger of the application would change the row again
        sets = {n: x for n, x in sets.items() if not (n == "n" and self.audit or n == "region" and blind)}
        for old, new in moves.items():
            was = world.version(self.table, old, conn)
            if was is None or new not in moves and world.version(self.table, new, conn) is not None:
                return None
            if new in moves and not self.deferrable:
                return None
            # A user who is gone and one who takes the key may both have entered a programme. Which entry counts then
            # is said of merged accounts only.
            if new not in moves and self.both_entered(old, new):
                return None
            rows[old] = (new, was, self.finish(dict(was, **sets)))
            if rows[old][2] is None:
                return None
        if sets and self.one_of_each(moves) != list(moves):
            return None
        if "hooks" in self.features:
            for new, was, row in rows.values():
                number = [None if r.get("n") is None else str(r["n"]) for r in (was, row)]
                audit = [None if r["audit"] is None else int(r["audit"]) for r in (was, row)]
                self.expected.setdefault(self.keys.index(new), []).append(
                    [*audit, was["region"], row["region"], *number]
                )
        world.move(self.table, rows, conn)
        table, more = "public." + self.table, "".join(", " + s for s in [self.setters(sets)] if s)
        if step["form"] == "from" and len(moves) > 1:
            pairs = ", ".join("(%s, %s)" % (self.key(o), self.key(n)) for o, n in moves.items())
            return "update %s u set k = s.new%s from (values %s) s (old, new) where u.k = s.old" % (table, more, pairs)
        if len(moves) == 1:
            (old, new), = moves.items()
            return "update %s set k = %s%s where k = %s" % (table, self.key(new), more, self.key(old))
        cases = " ".join("when %s then %s" % (self.key(o), self.key(n)) for o, n in moves.items())
        return "update %s set k = case k %s end%s where k in (%s)" % (
            table,
            cases,
            more,
            ", ".join(map(self.key, moves)),
        )

    def do_merge(self, step, conn):
        world = self.world
        if not self.undisturbed(conn, step["from"]) or world.version(self.table, step["into"], conn) is None:
            return None
        if world.is_known(self.table, step["from"], conn) is None:
            return None
        self.handed_over = world.merge(self.table, step["from"], step["into"], conn)
        sql = "select goals.merge_users(%s, %s, users => 'public.%s')" % (
            self.call_key(step["from"], step["over"]), self.call_key(step["into"], step["over"]), self.table)
        if (
            step["delete"]
            and step["from"] != step["into"]
            and world.version(self.table, step["from"], conn) is not None
        ):
            world.idx += 1
            world.put(self.table, step["from"], conn, None)
            sql += "; delete from public.%s where k = %s" % (self.table, self.key(step["from"]))
        return sql

    def do_delete(self, step, conn):
        world = self.world
        if not self.undisturbed(conn, step["key"]) or world.version(self.table, step["key"], conn) is None:
            return None
        world.put(self.table, step["key"], conn, None)
        return "delete from public.%s where k = %s" % (self.table, self.key(step["key"]))

    # receipts

    def do_send(self, step, conn):
        world, how = self.world, step["how"]
        keys = self.one_of_each(step["keys"])
        there = [k for k in keys if world.version(self.table, k, conn) is not None]
        if how != "array" and there != step["keys"]:
            return None
        if how == "mirror":
            return self.mirror(step, conn) if "sends" in self.features else None
        ref, moment = None if step["ref"] is None else ("ref", step["ref"]), world.clock()
        for key in there:
            receipt = world.known(step["message"], key, conn, ref)
            if receipt is None and ref and any(
                r.ref == ref and not r.dead and r.gone is None for r in world.of_user(step["message"], key)
            ):
                return None  # another transaction has recorded it and is not done
            receipt = receipt or world.delivered(step["message"], key, conn)
            if receipt is not None:  # the same as before
                self.made.append(receipt)
                continue
            sent = None if step["at"] is None else (step["at"], True)
            if how == "array":  # one moment for all
                sent = sent or (moment, False)
            before = world.recorded
            receipt = self.record(step["message"], key, conn, step["variant"], how, sent, ref=ref)
            if receipt is None:
                continue
            if receipt.order < before:  # the entry
                self.made.append(receipt)
                continue
            self.fresh += 1
            self.made_receipt(receipt)
        at = "" if step["at"] is None else ", sent_at => " + when(step["at"])
        at += "" if ref is None else ", ref => " + v.quote(step["ref"])
        variant = "" if step["variant"] is None else ", variant => " + v.quote(step["variant"])
        if how == "deliver":
            return "select receipt_id, repeated from goals.deliver(%s, %s%s)" % (
                v.quote(step["message"]), self.call_key(step["keys"][0]), at)
        if how == "array":
            return "select goals.record_sent(%s, array[%s]::text[]%s%s)" % (
                v.quote(step["message"]),
                ", ".join(map(v.quote, keys + keys[:1])),
                variant,
                at,
            )
        return "select goals.record_sent(%s, %s%s%s)" % (v.quote(step["message"]), self.call_key(step["keys"][0]), variant, at)

    def do_open(self, step, conn):
        world = self.world
        at, kind = step["at"], step["kind"] or ("clicked" if step["click"] else "opened")
        if self.strict(conn):
            return None
        if step["how"] == "mirror":
            return self.open_row(step, conn)
        if step["how"] == "receipt":
            receipt = self.by_id(step, conn)
            if receipt is None or receipt.variant == "control":
                return None
            world.report(receipt, conn, kind, at)
            return "select goals.record_%s(%d%s)" % (kind, receipt.id, "" if at is None else ", " + when(at))
        receipt = world.latest(step["message"], step["key"], conn, at)
        if receipt is None or receipt.variant == "control":
            return None
        machine = step["machine"] and kind in ("opened", "clicked")
        world.report(receipt, conn, kind, at, machine)
        return "select goals.record_%s(%s, %s%s%s)" % (
            kind, v.quote(step["message"]), self.call_key(step["key"]),
            "" if at is None else ", %s_at => %s" % (kind, when(at)), ", machine => true" if machine else "")

    def by_id(self, step, conn):
        """The receipt of which the application knows the id."""
        world = self.world
        receipt = next(
            (
                r
                for r in world.receipts.get((step["message"], step["key"]), ())
                if (r.step, r.nth) == (step["step"], step["nth"])
            ),
            None,
        )
        if (
            receipt is None
            or receipt.id is None
            or receipt.gone is not None
            or not receipt.visible(world.idx, world.txns.get(conn))
        ):
            return None
        return receipt

    def do_withdraw(self, step, conn):
        receipt = self.by_id(step, conn)
        if receipt is None or receipt.variant == "control" or self.strict(conn):
            return None
        receipt.withdrawals.append(Fact(self.world, conn))
        return "select goals.withdraw(%d)" % receipt.id

    def do_report(self, step, conn):
        """goals.record_engagements(): what is expected of each item is in self.skipped."""
        if self.strict(conn):
            return None
        items, self.skipped = [], []
        for item in step["items"]:
            made = self.report_item(item, conn)
            if made is None:
                continue
            reason, sql = made
            if reason is not None:
                self.skipped.append((len(items), reason))
            items.append(sql)
        self.placed = len(items) - len(self.skipped)
        if not items:
            return None
        return "select * from goals.record_engagements(jsonb_build_array(%s))" % ", ".join(items)

    def report_item(self, item, conn):
        """(why it cannot be placed or None, SQL of the item); None where that is not said."""
        world, wrong, reason, what = self.world, item["wrong"], None, {}
        kind, at, message, key = item["kind"], item["at"], item["message"], item["key"]
        times = {"iso": "to_jsonb(%s)", "epoch": "extract(epoch from %s)", "digits": "extract(epoch from %s)::text"}
        if at is not None:
            what["at"] = times[item["by"]] % when(at)
        if item["machine"] is not None:
            what["machine"] = str(item["machine"]).lower()
        what["kind"] = v.quote(kind)
        receipt = None
        if item["how"] == "receipt" and wrong not in ("message", "user"):
            receipt = self.by_id(item, conn)
            if receipt is None:
                return None
            what["receipt"] = str(receipt.id) if item["by"] != "digits" else v.quote(str(receipt.id))
        elif item["how"] == "ref":
            # those that are there for everybody
            found = [r for r in world.all_refs() if r.ref == ("ref", item["ref"]) and r.gone is None and not r.dead]
            if not item["alone"]:
                found = [r for r in found if any(r is x for x in world.of_user(message, key))]
                what["message"], what["user"] = v.quote(message), v.quote(key)
                if world.version(self.table, key, conn) is None:
                    return None
            if len(found) != 1 or not found[0].visible(world.idx, world.txns.get(conn)) or found[0].withdrawals:
                return None
            receipt, what["ref"] = found[0], v.quote(item["ref"])
            if at is not None and at < receipt.sent:
                return None
        else:
            what["message"], what["user"] = v.quote(message), v.quote(key)
            if self.key_type in ("bigint", "integer") and item["by"] == "epoch":
                what["user"] = key
            receipt = world.latest(message, key, conn, at)
            if receipt is None:
                there = world.version(self.table, key, conn) is not None
                if not there and world.is_alias(self.table, key):
                    return None
                reason = "no receipt at that time" if there else "unknown user"
        if reason is None and receipt is not None and receipt.variant == "control":
            reason = "control group"
        # what is wrong with the item itself is told first, in the order in which it is read
        if wrong == "object":
            return "not an object", "to_jsonb('x'::text)"
        if wrong == "no kind":
            del what["kind"]
            reason = "no kind"
        if wrong == "kind":
            what["kind"], reason = "'read'", "unknown kind"
        if wrong == "at":
            what["at"], reason = "'soon'", "invalid time"
        if wrong == "future":
            what["at"], reason = "to_jsonb(clock_timestamp() + interval '1 hour')", "future time"
        if wrong == "machine":
            what["machine"], reason = "'maybe'", "invalid machine"
        if wrong == "programme" and "message" in what and item["how"] != "ref" and reason != "unknown user":
            programmes = [s["name"] for s in self.message_specs if s["programme"]]
            if programmes:
                what["message"], reason = v.quote(programmes[0]), "programme"
        if wrong in ("message", "user") and item["how"] != "ref" and "message" in what:
            if wrong == "message":
                what["message"], reason = "'no such message'", "unknown message"
            else:
                del what["user"]
                reason = "no user"
        if wrong == "receipt":
            what = {k: x for k, x in what.items() if k not in ("message", "user", "ref")}
            what["receipt"], reason = "987654321", "unknown receipt"
        if wrong == "ref":
            what = {k: x for k, x in what.items() if k not in ("message", "user", "receipt")}
            what["ref"], reason = "'no such ref'", "unknown ref"
        if wrong == "nothing":
            what = {k: x for k, x in what.items() if k not in ("message", "user", "receipt", "ref")}
            reason = "no receipt named"
        if reason is None:
            world.report(receipt, conn, kind, at, item["machine"])
        return reason, "jsonb_build_object(%s)" % ", ".join("%s, %s" % (v.quote(k), x) for k, x in what.items())

    def do_event(self, step, conn):
        world = self.world
        if step["how"] == "table":
            return self.insert_happenings(step, conn) if "events" in self.features else None
        key, name, properties, at = step["events"][0]
        cause = None if step["event_id"] is None else ("id", step["event_id"])
        if cause and any(
            f.cause == cause and not f.dead and not f.visible(world.idx, world.txns.get(conn))
            for f in world.history.get((self.table, key), ())
        ):
            return None  # another transaction has reported it and is not done
        world.event(self.table, key, conn, name, v.loads(properties), at, cause=cause)
        return "select goals.record_event(%s, %s, %s%s%s, users => 'public.%s')" % (
            self.call_key(key), v.quote(name), v.quote(properties), "" if at is None else ", " + when(at),
            "" if cause is None else ", event_id => " + v.quote(step["event_id"]), self.table)
