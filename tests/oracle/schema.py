"""The schema of a case: its table of users with the application's own triggers, and messages with goals."""

import random
from decimal import Decimal

import pools
import values as v
from figures import limit_us
from model import Fact, World
from pools import LIMITS, EVENTS


class Schema:
    """A part of generate.Case."""

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
            found["plan_id"] = v.Column("plan_id", "integer", "number", [str(c * 1000 + j) for c in range(pools.CONNECTIONS) for j in range(4)])
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
            sql.append("insert into %splans values %s" % (p, ", ".join("(%d)" % (c * 1000 + j) for c in range(pools.CONNECTIONS) for j in range(4))))
            sql.append("alter table %s add foreign key (plan_id) references %splans on update cascade on delete set null" % (t, p))
            for c in range(pools.CONNECTIONS):
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
