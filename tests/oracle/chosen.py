"""Which step comes next, chosen at random from what the model knows."""

import pools
from commands import AFTER, AFTER_SENDS, BEFORE, when
from pools import PAST, PROPERTIES, KINDS_OF_REPORTS, SIBLINGS
from rows import SECOND


class Choices:
    """A part of generate.Case."""

    def past(self, spread=True):
        """When a message was sent, if not now. Never in the future: up to 5 minutes are accepted, but the contract does not say
        whether a change before that time counts (rule 3) or is taken to be at that time (docs/how-it-works.md, the clock at the change)."""
        self.counter += 1
        return -self.rng.choice(PAST) * SECOND + (self.rng.randint(-60, 60) * SECOND if spread else 0) + self.counter

    def random_step(self, conn=None):
        rng, world = self.rng, self.world
        alone = [c for c, t in world.txns.items() if hasattr(t, "alone")]
        if conn is None:
            conn = alone[0] if alone else rng.randrange(pools.CONNECTIONS)
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
