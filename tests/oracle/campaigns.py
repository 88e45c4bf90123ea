"""A table of campaigns, each row of which is a message from when it is ready."""

import values as v
from commands import when
from model import Fact
from tables import Tracked, fulfilled

TITLES = ["Spring", "Summer", "", None, "x" * 1001]


class Campaigns(Tracked):
    name, table = "campaigns", "campaigns"

    def __init__(self, case, rng):
        super().__init__(case, rng)
        self.titled = rng.random() < 0.8
        self.only = {"state": ["ready", "sent"]} if rng.random() < 0.7 else None
        self.existing = rng.choice([0, 1, 3])
        self.shares = rng.random() < 0.85
        self.rng = rng

    def setup(self):
        """Rows that are there when the table is tracked are messages then."""
        case = self.case
        like = [s for s in case.sent_specs if not s["one_off"] and not s["engagement_after"]]
        self.like = self.rng.choice(like)["name"] if like and self.shares else None
        self.messages = {}  # message -> [(number, fact by which it is one)]
        table = "public." + self.table
        made = ["create table %s (id bigint primary key, title text, state text)" % self.table]
        for number in range(1, self.existing + 1):
            raw = {"title": self.title(self.rng), "state": self.rng.choice(["ready", "draft"])}
            held, sql = self.cells(raw)
            made.append("insert into %s values (%d, %s, %s)" % (table, number, sql["title"], sql["state"]))
            self.becomes(number, held, None)
        tracked = ["'%s'" % table, "id => 'id'", "users => 'public.%s'" % case.table]
        tracked += ["name => 'title'"] * self.titled
        tracked += ["like_message => " + v.quote(self.like)] if self.like else []
        if self.only:
            tracked.append('"only" => ' + v.quote(v.dumps(self.only)))
        return [*made, "select goals.track_messages(%s)" % ", ".join(tracked)]

    def title(self, rng):
        return rng.choice([*TITLES, "Spring", self.case.sent_specs[0]["name"]])

    # --- messages ---

    def message(self, number):
        return "%s.%s %d" % ("public", self.table, number)

    def becomes(self, number, held, conn):
        """A row was written: it may be a message now."""
        world, message = self.world, self.message(number)
        self.write(number, held, conn)
        if held is None or not fulfilled(self.only, held) or self.known(number, conn):
            return
        fact = Fact(world, conn)
        fact.first = len(self.messages)
        self.messages.setdefault(message, []).append((number, fact))
        like = self.case.specs[self.like] if self.like else None
        spec = {
            "name": message,
            "variants": like["variants"] if like else [],
            "control": bool(like and like["control"]),
            "one_off": False,
            "programme": False,
            "part_of": like["part_of"] if like else None,
            "engagement_after": 0,
            "goals": [],
        }
        self.case.specs[message] = spec
        if message not in world.messages:
            world.messages[message] = dict(spec, table=self.case.table, goals=[], like=self.like, made=[])
        world.messages[message]["made"].append(fact)

    def known(self, number, conn):
        """Is the row a message, as this connection sees it in what it has done itself too?"""
        txn = self.world.txns.get(conn)
        return any(
            f.visible(self.world.idx, txn) or f.txn is txn and not f.dead
            for _, f in self.messages.get(self.message(number), ())
        )

    def visible(self, conn):
        """Messages that rows of this connection can name, also those that are rows only."""
        return [self.message(n) for n in self.rows if self.now(n, conn) is not None]

    def is_message(self, message, conn):
        txn = self.world.txns.get(conn)
        return any(f.visible(self.world.idx, txn) for _, f in self.messages.get(message, ()))

    def number_of(self, message):
        return int(message.rpartition(" ")[2])

    def shown(self, message, conn=None):
        """The name that views show and that functions take."""
        txn, titles = self.world.txns.get(conn), {}
        for one, made in self.messages.items():
            there = [f for _, f in made if f.visible(self.world.idx, txn)]
            if there:
                titles[one] = (self.titled_now(self.number_of(one), conn), (there[0].idx, self.order_of(one)))
        title, _ = titles[message]
        number = self.number_of(message)
        if title is None:
            return str(number)
        first = min((order, one) for one, (t, order) in titles.items() if t == title)[1]
        if title in self.case.spec_names or first != message:
            return "%s (%d)" % (title, number)
        return title

    def order_of(self, message):
        return list(self.messages).index(message)

    def titled_now(self, number, conn):
        """The title that the row has, or had last."""
        txn = self.world.txns.get(conn)
        found = [f for f in self.rows[number] if f.held is not None and f.visible(self.world.idx, txn)]
        title = found[-1].held["title"] if found and self.titled else None
        return None if not title or len(title) > 1000 else title

    # --- what is chosen ---

    def random_step(self, conn):
        rng = self.case.rng
        step, there = {"op": "tracked", "conn": conn, "table": self.name}, self.some(conn)
        pick = rng.random()
        if not there or pick < 0.25:
            if len(self.rows) >= 12 and there:
                pick = 0.5
            else:
                number = max(self.rows, default=0) + 1
                raw = {"title": self.title(rng), "state": rng.choice(["ready", "draft", None])}
                return dict(step, do="insert", row=number, sets=raw)
        if pick < 0.55:
            sets = {"state": rng.choice(["ready", "sent", "draft"])}
            if rng.random() < 0.4:
                sets["title"] = self.title(rng)
            return dict(step, do="set", row=there[0], sets=sets, form=rng.choice(["update", "upsert", "cte"]))
        if pick < 0.62:
            return dict(step, do="again", row=there[0])
        messages = [m for m in self.messages if self.is_message(m, conn)]
        if messages and pick < 0.72:
            names = ["primary", "second"]
            goal = self.case.random_goal(rng.choice(names))
            return dict(step, do="goal", message=rng.choice(messages), goal=goal)
        if messages:
            return dict(
                step,
                do="send",
                message=rng.choice(messages),
                key=rng.choice(self.keys(conn)),
                at=self.case.past() if rng.random() < 0.5 else None,
                over=self.case.counter,
            )
        return dict(step, do="set", row=there[0], sets={"state": "ready"}, form="update")

    # --- what is done ---

    def do(self, step, conn):
        return getattr(self, "do_" + step["do"])(step, conn)

    def do_insert(self, step, conn):
        if self.rows.get(step["row"]):
            return None
        held, sql = self.cells(step["sets"])
        self.becomes(step["row"], held, conn)
        return "insert into public.%s values (%d, %s, %s)" % (self.table, step["row"], sql["title"], sql["state"])

    def do_set(self, step, conn):
        number = step["row"]
        last = self.now(number, conn)
        if last is None:
            return None
        changed, sql = self.cells(step["sets"])
        self.becomes(number, dict(last.held, **changed), conn)
        assigned, table = ", ".join("%s = %s" % one for one in sql.items()), "public." + self.table
        if step["form"] == "upsert":
            return "insert into %s select * from %s where id = %d on conflict (id) do update set %s" % (
                *(table, table, number, assigned),
            )
        made = "update %s set %s where id = %d" % (table, assigned, number)
        return "with u as (%s returning 1) select count(*) from u" % made if step["form"] == "cte" else made

    def do_again(self, step, conn):
        """A row is deleted and inserted again: it is the same message."""
        number = step["row"]
        last = self.now(number, conn)
        if last is None or self.case.strict(conn) or self.case.refers_to_campaigns:
            return None
        self.write(number, None, conn)
        self.world.idx += 1
        self.becomes(number, last.held, conn)
        sql = self.cells(last.held)[1]
        return "delete from public.%s where id = %d; insert into public.%s values (%d, %s, %s)" % (
            *(self.table, number, self.table, number, sql["title"], sql["state"]),
        )

    def do_goal(self, step, conn):
        """A goal set by hand replaces those of like_message."""
        if self.case.explicit or not self.is_settled(conn) or not self.is_message(step["message"], conn):
            return None
        return self.case.set_goal(step["message"], step["goal"], conn)

    def is_settled(self, conn):
        """Does every name mean what this connection takes it for?"""
        txn = self.world.txns.get(conn)
        return all(f.dead or f.visible(self.world.idx, txn) for found in self.rows.values() for f in found)

    def do_send(self, step, conn):
        """A call names it by its name."""
        case, message, key = self.case, step["message"], step["key"]
        if not self.is_settled(conn) or not self.is_message(message, conn) or not self.there(key, conn):
            return None
        if not self.settled(key):
            return None
        sent = None if step["at"] is None else (step["at"], True)
        receipt = case.record(message, key, conn, None, "one", sent)
        case.made_receipt(receipt)
        at = "" if step["at"] is None else ", sent_at => " + when(step["at"])
        return "select goals.record_sent(%s, %s%s)" % (
            v.quote(self.shown(message, conn)),
            case.call_key(key, step["over"]),
            at,
        )
