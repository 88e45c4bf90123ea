"""Random cases: a schema, messages with goals, and steps. A step is data; Case.sql() says what it is in SQL and tells the model.

A step that makes no sense in the state it meets (its receipt was removed by the shrinker, say) is skipped, so any subset of the
steps of a case is a case."""
import random

import assignment
import pools
import values as v
from chosen import Choices
from commands import Commands, when
from model import Fact
from people import People
from pools import EVENTS, FILTERS, KEYS, SESSION, STATEMENTS
from reports import Reports
from rows import KINDS, SECOND, Rows
from schema import Schema
from tracked import TrackedTables
from updates import Updates


class Case(Schema, Choices, Updates, People, Reports, Commands, Rows, TrackedTables):
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
            self.first_keys = self.first_keys[:len(pool) - pools.CONNECTIONS]
        self.keys = pool[:len(self.first_keys) + ("people" not in without) * pools.CONNECTIONS]
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
        self.session = {c: rng.sample(SESSION, rng.randint(0, 3)) for c in range(pools.CONNECTIONS)}
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

    def owner(self, key):
        return self.keys.index(key) % pools.CONNECTIONS

    def own(self, conn):
        return [k for k in self.keys if self.owner(k) == conn]

    def strict(self, conn):
        txn = self.world.txns.get(conn)
        return txn is not None and txn.isolation != "read committed"

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

    # receipts and events

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
