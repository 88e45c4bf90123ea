"""Random cases: a schema, messages with goals, and steps. A step is data; Case.sql() says what it is in SQL and tells the model.

A step that makes no sense in the state it meets (its receipt was removed by the shrinker, say) is skipped, so any subset of the
steps of a case is a case."""
import random
from decimal import Decimal

import values as v
from model import Fact, World, limit_us

SECOND = 1000000
LIMITS = ["1 hour", "90 minutes", "26 hours", "36 hours", "14 days", "2 weeks", "100 days", "3650 days"]
# Never within a few minutes of a limit, so that a change made now is clearly inside or outside of every window.
PAST = [1800, 4500, 7200, 90000, 126000, 133200, 172800, 1166400, 1252800, 8600000, 8700000]
EVENTS = ["purchase", "login", "two words", "Ünïcode"]
PROPERTIES = ['{"amount": 10.5, "plan": "pro"}', '{"amount": 10.50, "items": ["a", "b"]}', '{"plan": {"name": "pro", "n": 1.0}}', "{}",
              '{"amount": null}', '{"amount": -3, "plan": "free"}', '{"items": [{"sku": "x", "n": 2}]}', '[1, "a"]', '{"amount": 1e2}']
FILTERS = [None, None, "{}", '{"plan": "pro"}', '{"amount": 10.5}', '{"items": ["a"]}', '{"plan": {"n": 1}}', '{"items": [{"n": 2.0}]}']
KEYS = {"bigint": ["1", "2", "3", "4", "5", "-6", "7", "8", "9223372036854775807", "10", "11", "12"],
        "integer": [str(n) for n in range(1, 13)],
        "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a%02d" % n for n in range(12)],
        "text": ["1", "a", "A", "o'hara", "back\\slash", "日本", " x", "a,b", '{"q"}', "NULL", "%s", "long" * 30],
        "varchar(200)": ["v%d" % n for n in range(12)]}
CONNECTIONS = 3
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


def when(at):
    return "clock_timestamp()" if at is None else "(current_setting('o.t0')::timestamptz + %d * interval '1 us')" % at


def ident(text):
    return '"' + text.replace('"', '""') + '"'


class Case:
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
        self.key_type = rng.choice(list(KEYS))
        self.keys = [k for k in KEYS[self.key_type] if v.writable(k)][:rng.randint(4, 10)]
        self.shape = rng.choice(["plain", "plain", "list", "list", "hash"])
        self.regions = ["eu", "us", "else"]
        self.features = {f for f in ("normalize", "derive", "guard", "audit", "generated", "cascade", "dropped", "events", "sends", "view", "second")
                         if rng.random() < 0.4}
        if "guard" in self.features:
            self.features -= {"cascade"}  # a trigger that refuses a cascade breaks the application's own reference
        self.session = {c: rng.sample(SESSION, rng.randint(0, 3)) for c in range(CONNECTIONS)}
        self.counter = 0
        self.message_specs = []
        for n in range(rng.randint(2, 5)):
            control = rng.random() < 0.25
            arms = rng.sample(["a", "b", "Arm C"], rng.choice([0, 0, 0, 2, 3]))
            self.message_specs.append({"name": "%sm%d" % (self.prefix, n), "variants": arms, "control": control,
                                       "goals": [self.random_goal(name) for name in ["primary", "second", "Drittes Ziel"][:rng.choice([0, 1, 1, 1, 2, 3])]]})
        self.initial = {key: self.random_row() for key in self.keys}
        self.steps = []

    # --- what is chosen ---

    def attributes(self):
        found = [(c.name, [], c, None) for c in self.live_columns()]
        for c in self.live_columns():
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
        if rng.random() < 0.25:
            goal["event"] = rng.choice(EVENTS)
            goal["times"] = rng.choice([1, 1, 2, 3])
            filter_ = rng.choice(FILTERS)
            goal["properties_text"] = filter_
            goal["properties"] = None if filter_ is None else v.loads(filter_)
            goal["value_from"] = rng.choice([None, "amount", "amount", "plan"])
            return goal
        found = self.attributes()
        weights = [1 if not path else 0.35 for _, path, _, _ in found]
        attribute, path, column, what = rng.choices(found, weights)[0]
        if what == "object" or (column.kind == "json" and not path and column.sql == "json"):
            ops = ["has any value", "is unknown"] + (["is changed"] if what == "object" else [])
        elif column.kind == "json":
            ops = {"text": v.TEXT_OPS, "number": v.NUMBER_OPS, "boolean": v.BOOLEAN_OPS, "list": v.LIST_OPS, "wild":
                   ["is", "is not", "is any of", "contains", "does not contain", "starts with", "has any value", "is unknown", "is changed"]
                    + ["greater than", "at most"], None: ["has any value", "is unknown", "is changed"]}[what]
        else:
            ops = column.operators
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
            if what == "wild" and op in ("greater than", "at most"):
                pool = ["1", "5.0", "0"]
            if op == "is increased by":
                pool = ["1", "2", "0.5", "3.25", "7"]
            goal["value"] = rng.choice(pool)
            if op == "is any of":
                goal["values"] = rng.sample(pool, min(len(pool), rng.randint(1, 3)))
                goal["value"] = "{" + ",".join('"' + x.replace("\\", "\\\\").replace('"', '\\"') + '"' for x in goal["values"]) + "}"
        if rng.random() < 0.3:
            sources = [(a, p, c) for a, p, c, what in found if what == "number" or (c.kind == "number" and c.sql not in ("real", "double precision"))]
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
        declared += ["%s %s" % (c.name, c.declared) for c in self.columns.values()]
        if "dropped" in self.features:
            declared.insert(1, "gone1 integer")
            declared.insert(4, "gone2 text default 'x'")
        if self.shape == "plain":
            sql.append("create table %s (%s)" % (t, ", ".join(declared + generated + ["primary key (k)"])))
        elif self.shape == "hash":
            sql.append("create table %s (%s) partition by hash (k)" % (t, ", ".join(declared + generated + ["primary key (k)"])))
            sql += ["create table %s_%d partition of %s for values with (modulus 3, remainder %d)" % (t, n, t, n) for n in range(3)]
        else:
            sql.append("create table %s (%s) partition by list (region)" % (t, ", ".join(declared + generated + ["primary key (k, region)"])))
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
        first = random.Random(self.seed).random() < 0.5
        if "audit" in self.features and "n" in self.columns:
            sql.append("create function %saudit() returns trigger language plpgsql as $$begin update %s set audit = audit + 1 where k = new.k; return null; end$$" % (p, "public." + t))
            sql.append("create trigger %s after update on %s for each row when (old.n is distinct from new.n) execute function %saudit()"
                       % ("a_audit" if first else "z_audit", t, p))
        if "view" in self.features:
            sql.append("create view %sview as select * from %s" % (p, t))
        track = ["select goals.track_users('public.%s'%s)" % (t, ", 'k'" if self.shape == "list" else "")]
        insert = [self.insert(self.initial)]
        sql += (track + insert) if first else (insert + track)
        world.idx = 1
        for key in self.keys:
            world.put(t, key, None, self.initial[key])
        if "second" in self.features:
            sql.append("create table o_other (k bigint primary key, plan text)")
            sql.append("select goals.track_users('o_other')")
        for spec in self.message_specs:
            m = spec["name"]
            sql.append("select goals.create_message(%s, users => 'public.%s')" % (v.quote(m), t))
            world.messages[m] = {"table": t, "variants": spec["variants"], "control": spec["control"], "goals": []}
            sql += ["select goals.add_variant(%s, %s, %s)" % (v.quote(m), v.quote(a), 1 + i) for i, a in enumerate(spec["variants"])]
            if spec["control"]:
                sql.append("select goals.set_control_group(%s, 0.35)" % v.quote(m))
            for goal in spec["goals"]:
                sql.append(self.set_goal(m, goal, None))
        if "events" in self.features:
            self.event_columns = random.Random(self.seed).random() < 0.8
            sql.append("create table %sevents (id bigint generated always as identity primary key, junk text, who %s, what text, at timestamptz default clock_timestamp(), props %s)"
                       % (p, self.key_type, "jsonb"))
            sql.append("select goals.track_events('public.%sevents', 'who', 'what', %s, users => 'public.%s')"
                       % (p, "'at', 'props'" if self.event_columns else "properties => 'props'", t))
        if "sends" in self.features:
            sql.append("create table %ssends (id bigint primary key, what text, who %s, sent timestamptz default clock_timestamp(), opened timestamptz, clicked timestamptz, arm text)"
                       % (p, self.key_type))
            sql.append("select goals.track_receipts('public.%ssends', 'what', 'who', 'sent', 'opened', 'clicked', 'arm')" % p)
        return sql

    def insert(self, rows, conflict=""):
        names = ["k", "region", "audit", "plan_id"] + list(self.columns)
        return "insert into public.%s (%s) values %s%s" % (self.table, ", ".join(names), ", ".join(
            "(%s)" % ", ".join([self.key(k), v.quote(r["region"]), str(r["audit"]), "NULL" if r["plan_id"] is None else str(r["plan_id"])]
                               + [c.literal(r[c.name]) for c in self.columns.values()]) for k, r in rows.items()), conflict)

    def key(self, key):
        return "%s::%s" % (v.quote(key), self.key_type)

    def call_key(self, key):
        """For the overloads: text, bigint, uuid."""
        kind = {"bigint": "bigint", "integer": "bigint", "uuid": "uuid"}.get(self.key_type, "text")
        return "%s::%s" % (v.quote(key), kind if self.counter % 3 else "text")

    def set_goal(self, message, goal, conn):
        world = self.world
        goal = dict(goal)
        arguments = [v.quote(message)]
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
        if conn is None:
            conn = rng.randrange(CONNECTIONS)
        txn = world.txns.get(conn)
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
        pick = rng.random()
        if pick < 0.52:
            return self.random_update(conn)
        if pick < 0.70:
            return self.random_send(conn)
        if pick < 0.79:
            return self.random_open(conn)
        if pick < 0.92:
            return self.random_event(conn)
        if pick < 0.94:
            return {"op": "set_goal", "conn": conn, "message": rng.choice(self.message_specs)["name"],
                    "goal": self.random_goal(rng.choice(["primary", "second", "Drittes Ziel"]))}
        if pick < 0.95:
            return {"op": "stop_goal", "conn": conn, "message": rng.choice(self.message_specs)["name"],
                    "name": rng.choice(["primary", "second", "Drittes Ziel"])}
        if pick < 0.975:
            return {"op": "roll_up", "conn": conn}
        if pick < 0.979:
            return {"op": "forget", "conn": conn, "key": rng.choice(self.keys)}
        if pick < 0.981:
            return {"op": "purge", "conn": conn, "before": rng.choice([-3600, -100000, -1000000, -5000000]) * SECOND}
        return {"op": "recreate", "conn": conn, "key": rng.choice(self.own(conn)), "row": self.random_row()}

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
        form = rng.choice(["single", "single", "single", "orm", "orm", "bulk", "bulk", "from", "upsert", "merge", "cte", "add", "noop", "do",
                           "view", "cascade", "only", "cursor", "empty"])
        if form == "cascade":
            return {"op": "cascade", "conn": conn, "old": rng.randrange(8), "new": rng.choice([None, rng.randrange(900)])}
        many = form in ("bulk", "from", "upsert", "merge", "cte", "add", "noop")
        keys = rng.sample(own, rng.randint(1, len(own))) if many else [rng.choice(own)]
        current = world.version(self.table, keys[0], conn)
        step = {"op": "update", "conn": conn, "form": form, "keys": keys, "by": rng.choice([1, 2, -1, 0])}
        if form in ("from", "upsert", "merge"):
            first = self.random_sets(conn, current)
            step["sets"] = {k: {n: (self.random_value(self.columns[n], (world.version(self.table, k, conn) or {}).get(n)) if n in self.columns and rng.random() < 0.7 else x)
                                for n, x in first.items()} for k in keys}
        elif form == "do":
            step["sets"] = [self.random_sets(conn, current) for _ in range(3)]
        else:
            step["sets"] = self.random_sets(conn, current)
        return step

    def random_send(self, conn):
        rng = self.rng
        spec = rng.choice(self.message_specs)
        own = self.own(conn) if self.strict(conn) else self.keys
        how = rng.choice([x for x in ["one", "one", "array", "deliver", "mirror", "mirror"] if x not in self.without])
        keys = rng.sample(own, rng.randint(1, len(own))) if how in ("array", "mirror") else [rng.choice(own)]
        at = self.past() if rng.random() < 0.45 else None
        step = {"op": "send", "conn": conn, "how": how, "message": spec["name"], "keys": keys, "at": at, "id": self.counter * 1000 + rng.randrange(1000),
                "variant": rng.choice(spec["variants"] + [None]) if how != "deliver" and spec["variants"] else None}
        if how == "mirror":
            if spec["control"] and rng.random() < 0.3:
                step["variant"] = "control"
            self.counter += 20
            step["ids"] = [self.counter * 10 + n for n in range(len(keys))]
            step["at"] = [self.past() if rng.random() < 0.6 else None for _ in keys]
            step["opened"] = [None if x is None or rng.random() < 0.7 else x + rng.choice([0, 1, 60 * SECOND]) for x in step["at"]]
            step["clicked"] = [None if x is None or rng.random() < 0.85 else x + rng.choice([0, 1, 60 * SECOND]) for x in step["at"]]
            step["stray"] = rng.choice([None, None, None, None, "message", "user"])
        return step

    def random_open(self, conn):
        rng, world = self.rng, self.world
        found = [r for m in world.receipts.values() for r in m if r.visible(world.idx + 1, world.txns.get(conn))]
        if not found:
            return {"op": "roll_up", "conn": conn}
        receipt = rng.choice(found)
        how = rng.choice(["receipt", "message", "message", "mirror"])
        at = None
        if rng.random() < 0.5 and receipt.exact and receipt.sent < 0:
            self.counter += 1
            at = receipt.sent + rng.choice([0, 1, 60 * SECOND, 600 * SECOND + self.counter])
        step = {"op": "open", "conn": conn, "how": how, "click": rng.random() < 0.4, "at": at, "step": receipt.step, "nth": receipt.nth,
                "message": receipt.message, "key": receipt.key}
        if how == "mirror":
            if not world.sends:
                step["how"] = "receipt"
            else:
                step["row"] = rng.choice(list(world.sends))
        return step

    def random_event(self, conn):
        rng, world = self.rng, self.world
        own = self.keys
        many = "events" in self.features and rng.random() < 0.5
        events = []
        for _ in range(rng.randint(1, 4) if many else 1):
            key = rng.choice(own)
            at = None
            receipts = [r for r in world.by_user.get((self.table, key), ()) if r.exact]
            if receipts and rng.random() < 0.6:
                receipt = rng.choice(receipts)
                anchors = [receipt.sent] + [o.at for o in receipt.opens if o.exact]
                limits = [g["limit"] for g in receipt.goals] or [SECOND]
                at = rng.choice(anchors) + rng.choice([-1, 0, 1, 30 * SECOND] + [x + e for x in limits for e in (-1, 0, 1)])
                if at > -300 * SECOND:
                    at = None
            events.append((key, rng.choice(EVENTS), rng.choice(PROPERTIES), at))
        return {"op": "event", "conn": conn, "how": "table" if many else "call", "events": events}

    # --- a step in SQL; None if it makes no sense here ---

    def sql(self, step, number=0):
        world, conn = self.world, step["conn"]
        world.idx += 1
        self.number = number
        return getattr(self, "do_" + step["op"])(step, conn)

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
        self.world.end(conn, step["commit"])
        return "commit" if step["commit"] else "rollback"

    def do_savepoint(self, step, conn):
        txn = self.world.txns.get(conn)
        if not txn:
            return None
        txn.savepoints.append((step["name"], len(txn.facts)))
        return "savepoint " + step["name"]

    def do_rollback_to(self, step, conn):
        txn = self.world.txns.get(conn)
        if not txn or step["name"] not in [n for n, _ in txn.savepoints]:
            return None
        self.world.roll_back_to(conn, step["name"])
        return "rollback to " + step["name"]

    def do_release(self, step, conn):
        txn = self.world.txns.get(conn)
        if not txn or step["name"] not in [n for n, _ in txn.savepoints]:
            return None
        while txn.savepoints.pop()[0] != step["name"]:
            pass
        return "release " + step["name"]

    def do_roll_up(self, step, conn):
        return None if conn in self.world.txns else "select goals.roll_up()"

    def do_forget(self, step, conn):
        world = self.world
        if world.txns:
            return None
        world.archive(r for r in world.by_user.get((self.table, step["key"]), ()) if r.lasts() and r.gone is None)
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

    def change(self, key, conn, sets):
        """One row goes through an UPDATE; True if it was there and changed."""
        world = self.world
        old = world.version(self.table, key, conn) if key not in self.within else self.within[key]
        new = dict(old)
        new.update(sets)
        new = self.finish(new)
        if new is None:
            return
        # an AFTER UPDATE trigger does not fire for a row that moves to another partition
        moved = self.shape == "list" and old["region"] != new["region"]
        if "audit" in self.features and "n" in self.columns and not moved and not v.equal(old["n"], new["n"]):
            world.change(self.table, key, conn, old, new)
            again = dict(new, audit=new["audit"] + 1)
            again = self.finish(again)
            if again is not None:
                world.change(self.table, key, conn, new, again)
                new = again
        else:
            world.change(self.table, key, conn, old, new)
        self.within[key] = new

    def setters(self, sets):
        parts = []
        for name, value in sets.items():
            if name == "region":
                parts.append("region = " + v.quote(value))
            elif name in ("plan_id", "audit"):
                parts.append("%s = %s" % (name, "NULL" if value is None else value))
            else:
                parts.append("%s = %s" % (name, self.columns[name].literal(value)))
        return ", ".join(parts)

    def typed(self, name, value):
        if name == "region":
            return v.quote(value)
        if name in ("plan_id", "audit"):
            return "NULL::integer" if value is None else str(value)
        return self.columns[name].literal(value)

    def do_update(self, step, conn):
        world, form = self.world, step["form"]
        self.within = {}
        there = [k for k in step["keys"] if world.version(self.table, k, conn) is not None]
        if not there:
            return None
        where = "k = " + self.key(there[0]) if len(there) == 1 else "k in (%s)" % ", ".join(map(self.key, there))
        table = "public." + self.table
        if form in ("single", "orm", "bulk", "cte", "view", "only", "cursor", "empty"):
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
            for key in there:
                self.change(key, conn, sets)
            sql = "update %s set %s where %s" % (table, self.setters(sets), where)
            if form == "cte":
                return "with u as (%s returning k) select count(*) from u" % sql
            if form == "cursor" and self.shape == "plain":  # PostgreSQL 15 refuses it for a partitioned table, depending on the plan
                return "do $o$ declare c cursor for select k from %s where %s for update; x record; begin open c; fetch c into x; %s; close c; end $o$" % (
                    table, where, "update %s set %s where current of c" % (table, self.setters(sets)))
            return sql
        if form == "noop":
            names = [n for n in step["sets"] if n != "plan_id"] or list(self.columns)[:1]
            for key in there:
                self.change(key, conn, {})
            return "update %s set %s where %s" % (table, ", ".join("%s = %s" % (n, n) for n in names), where)
        if form == "add":
            names = [n for n in ("n", "num", "amount", "s", "pos") if n in self.columns]
            if not names:
                return None
            name = names[step["by"] % len(names)]
            limit = {"n": 2147483000, "s": 32000, "pos": 2147483000}.get(name)
            keys = []
            for key in there:
                value = world.version(self.table, key, conn)[name]
                if value is None or not value.is_finite() or (limit and abs(value) > limit) or (name == "pos" and value + step["by"] <= 0):
                    continue
                keys.append(key)
            if not keys:
                return None
            for key in keys:
                self.change(key, conn, {name: world.version(self.table, key, conn)[name] + step["by"]})
            return "update %s set %s = %s + (%d) where k in (%s)" % (table, name, name, step["by"], ", ".join(map(self.key, keys)))
        if form == "do":
            # a loop of statements in one call; the middle one is rolled back by an exception block
            a, b, c = (self.plan_sets(s, conn) for s in step["sets"])
            key = there[0]
            self.change(key, conn, a)
            self.change(key, conn, c)
            stay = self.setters(b)
            return ("do $o$ begin update {t} set {a} where {w}; begin update {t} set {b} where {w}; raise exception 'back'; "
                    "exception when raise_exception then null; end; update {t} set {c} where {w}; end $o$").format(
                        t=table, a=self.setters(a), b=stay, c=self.setters(c), w="k = " + self.key(key))
        sets = {k: self.plan_sets(step["sets"][k], conn) for k in there}
        if form == "upsert" and self.shape != "plain" and self.shape != "hash":
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
            for key in there:
                self.change(key, conn, {n: rows[key][n] for n in names})
            return self.insert({k: dict(world_row, **sets[k]) for k, world_row in rows.items()},
                               " on conflict (k) do update set " + ", ".join("%s = excluded.%s" % (n, n) for n in names))
        source = "(values %s) s (sk, %s)" % (", ".join("(%s)" % ", ".join([self.key(k)] + [self.typed(n, sets[k][n]) for n in names]) for k in there),
                                             ", ".join("s_" + n for n in names))
        for key in there:
            self.change(key, conn, {n: sets[key][n] for n in names})
        assign = ", ".join("%s = s_%s" % (n, n) for n in names)
        if form == "merge":
            return "merge into %s u using %s on u.k = s.sk when matched then update set %s" % (table, source, assign)
        return "update %s u set %s from %s where u.k = s.sk" % (table, assign, source)

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
        world.put("plans", conn, conn, frozenset(set(have) - {old} | ({new} if new is not None else set())))
        self.within = {}
        for key in self.own(conn):
            row = world.version(self.table, key, conn)
            if row is not None and row["plan_id"] == old:
                self.change(key, conn, {"plan_id": None if new is None else Decimal(new)})
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

    # receipts

    def do_send(self, step, conn):
        world, how = self.world, step["how"]
        if how == "mirror":
            return self.mirror(step, conn) if "sends" in self.features else None
        made = []
        for n, key in enumerate(step["keys"]):
            variant = step["variant"] or self.assigned[step["message"], key]
            if how != "deliver" and not step["variant"] and variant == "control":
                variant = None  # it was sent: who is held back has no variant
            receipt = world.send(step["message"], key, conn, variant, step["at"] if step["at"] is None else step["at"])
            receipt.step, receipt.nth = self.number, n
            made.append(receipt)
        self.made = made
        at = "" if step["at"] is None else ", sent_at => " + when(step["at"])
        variant = "" if step["variant"] is None else ", variant => " + v.quote(step["variant"])
        if how == "deliver":
            return "select receipt_id from goals.deliver(%s, %s%s)" % (v.quote(step["message"]), self.call_key(step["keys"][0]), at)
        if how == "array":
            return "select goals.record_sent(%s, array[%s]::text[]%s%s)" % (v.quote(step["message"]), ", ".join(map(v.quote, step["keys"] + step["keys"][:1])), variant, at)
        return "select goals.record_sent(%s, %s%s%s)" % (v.quote(step["message"]), self.call_key(step["keys"][0]), variant, at)

    def mirror(self, step, conn):
        world, rows = self.world, []
        self.made = []
        for n, key in enumerate(step["keys"]):
            at, opened, clicked = step["at"][n], step["opened"][n], step["clicked"][n]
            variant = step["variant"]  # the application's own log decides; it is not assigned again
            if variant == "control":
                opened = clicked = None
            receipt = world.send(step["message"], key, conn, variant, at)
            receipt.step, receipt.nth = self.number, n
            self.made.append(receipt)
            if opened is not None:
                world.engage(receipt, conn, False, opened)
            if clicked is not None:
                world.engage(receipt, conn, True, clicked)
            world.sends[step["ids"][n]] = [Fact(world, conn, receipt=receipt, opened=opened is not None, clicked=clicked is not None)]
            rows.append("(%d, %s, %s, %s, %s, %s, %s)" % (
                step["ids"][n], v.quote(step["message"]), self.key(key), when(at), "NULL" if opened is None else when(opened),
                "NULL" if clicked is None else when(clicked), "NULL" if step["variant"] is None else v.quote(step["variant"])))
        if step["stray"] == "message":
            rows.append("(%d, 'no such message', %s, clock_timestamp(), null, null, null)" % (step["ids"][0] + 5000000000, self.key(step["keys"][0])))
        if step["stray"] == "user":
            stray = {"bigint": "777", "integer": "777", "uuid": "b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a00"}.get(self.key_type, "nobody")
            rows.append("(%d, %s, %s, clock_timestamp(), null, null, null)" % (step["ids"][0] + 6000000000, v.quote(step["message"]), self.key(stray)))
        return "insert into public.%ssends values %s" % (self.prefix, ", ".join(rows))

    def do_open(self, step, conn):
        world = self.world
        txn = world.txns.get(conn)
        click, at = step["click"], step["at"]
        if self.strict(conn):
            return None
        if step["how"] == "mirror":
            versions = world.sends.get(step["row"])
            if not versions or not versions[-1].visible(world.idx, txn) and not versions[-1].dead:
                return None
            live = [f for f in versions if f.visible(world.idx, txn)]
            if not live:
                return None
            last = live[-1]
            receipt = last.receipt
            if receipt.variant == "control":
                return None
            if at is not None:
                if not receipt.exact or receipt.sent > 0:
                    at = None
                else:
                    at = receipt.sent + (at % 7) * SECOND
            if at is None and receipt.sent > world.idx:
                return None
            if not (last.clicked if click else last.opened):
                found = receipt if receipt.gone is None else world.latest_free(receipt, conn, click)
                if found:
                    world.engage(found, conn, click, at)
            versions.append(Fact(world, conn, receipt=receipt, opened=last.opened or not click, clicked=last.clicked or click))
            return "update public.%ssends set %s = %s where id = %d" % (self.prefix, "clicked" if click else "opened", when(at), step["row"])
        verb = "clicked" if click else "opened"
        if step["how"] == "receipt":
            receipt = next((r for r in world.receipts.get((step["message"], step["key"]), ()) if (r.step, r.nth) == (step["step"], step["nth"])), None)
            if receipt is None or not receipt.visible(world.idx, txn) or receipt.variant == "control" or receipt.gone is not None or receipt.id is None:
                return None
            world.engage(receipt, conn, click, at)
            return "select goals.record_%s(%d%s)" % (verb, receipt.id, "" if at is None else ", " + when(at))
        receipt = world.latest(step["message"], step["key"], conn, at)
        if receipt is None or receipt.variant == "control" or world.version(self.table, step["key"], conn) is None:
            return None
        world.engage(receipt, conn, click, at)
        return "select goals.record_%s(%s, %s%s)" % (verb, v.quote(step["message"]), self.call_key(step["key"]), "" if at is None else ", %s_at => %s" % (verb, when(at)))

    def do_event(self, step, conn):
        world, rows = self.world, []
        if step["how"] == "table" and "events" not in self.features:
            return None
        for key, name, properties, at in step["events"]:
            if step["how"] == "table" and not self.event_columns:
                at = None
            world.event(self.table, key, conn, name, v.loads(properties), at)
            rows.append((key, name, properties, at))
        if step["how"] == "table":
            return "insert into public.%sevents (who, what, at, props) values %s" % (self.prefix, ", ".join(
                "(%s, %s, %s, %s)" % (self.key(k), v.quote(n), when(a), v.quote(p)) for k, n, p, a in rows))
        key, name, properties, at = rows[0]
        return "select goals.record_event(%s, %s, %s%s, users => 'public.%s')" % (
            self.call_key(key), v.quote(name), v.quote(properties), "" if at is None else ", " + when(at), self.table)
