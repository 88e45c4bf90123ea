"""What happened to a message: reported by calls, one by one and in sets, and withdrawn."""

import values as v
from commands import when
from model import Fact


class Reports:
    """A part of generate.Case."""

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
