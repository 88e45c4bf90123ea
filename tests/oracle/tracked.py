"""Which tracked tables a case has beside its users, events and sends, and what they share: ids of messages,
addresses of users, names of events."""

import random
import uuid

import values as v
from attributes import Attributes
from campaigns import Campaigns
from engaged import Engaged
from members import Members
from orders import FILTERS, Orders
from queued import Queue

TABLES = [Campaigns, Attributes, Queue, Engaged, Orders, Members]
NAMES = [table.name for table in TABLES]


class TrackedTables:
    """A part of generate.Case."""

    def choose_tables(self):
        rng = random.Random("tables %s" % self.seed)
        chosen = [table for table in TABLES if rng.random() < 0.5 and table.name not in self.without]
        named = {table.name for table in chosen}
        self.ids = rng.choice(["name", "number", "uuid"]) if named & {"completed", "engagements"} else "name"
        self.mail = rng.choice(["mail", "lower(mail)"]) if self.shape == "plain" and not self.deferrable and rng.random() < 0.6 else None
        if not named & {"completed", "engagements", "orders"}:
            self.mail = None
        self.tracked_by_name, self.campaigns, self.attribute_columns = {}, None, []
        for table in chosen:
            made = table(self, random.Random("%s %s" % (table.name, self.seed)))
            if not made.can_be():
                continue
            self.tracked_by_name[table.name] = made
            if table is Campaigns:
                self.campaigns = made
            if table is Attributes:
                self.attribute_columns = list(made.goal_columns.values())
        queue = self.tracked_by_name.get("completed")
        self.refers_to_campaigns = queue is not None and queue.reference

    def more_events(self):
        """Names of events of these tables, as often as goals are to be about them."""
        lists = Members.LISTS if "membership" in self.tracked_by_name else []
        orders = self.tracked_by_name.get("orders")
        named = [orders.named] * 6 if orders and orders.named else []
        return named + ["%s %s" % (step, one) for one in lists for step in ("joined", "left")] * 2

    def more_filters(self):
        return FILTERS + [None] * 6 if {"orders", "membership"} & set(self.tracked_by_name) else []

    # --- SQL ---

    def mail_column(self):
        if self.mail is None:
            return []
        order = "array_position(array[%s]::text[], k::text)" % ", ".join(map(v.quote, self.keys))
        return ["mail text generated always as ('Mail-' || %s::text || '@X') stored" % order]

    def mail_index(self):
        return [] if self.mail is None else ["create unique index on %s (%s)" % (self.table, self.mail)]

    def known_as_of(self, message):
        """The id of a message in the application's tables; None where they name it by its name."""
        if self.ids == "name":
            return None
        number = [spec["name"] for spec in self.message_specs].index(message) + 1001
        return str(number) if self.ids == "number" else str(uuid.UUID(int=number * 7919))

    def make_attributes(self):
        """Before goals are set on them."""
        table = self.tracked_by_name.get("attributes")
        return table.setup() if table else []

    def make_tables(self):
        made = [table.setup() for name, table in self.tracked_by_name.items() if name != "attributes"]
        return [sql for table in made for sql in table]

    def message_in_row(self, named, message):
        """A message as a row names it, in SQL."""
        if named == "campaign" and message not in self.spec_names:
            return str(self.campaigns.number_of(message))
        if named == "name":
            return v.quote(message)
        found = self.known_as_of(message)
        return found if self.ids == "number" else v.quote(found)

    def mail_of(self, key, fold):
        """The address of a user, in SQL; fold: how it is written where case does not count."""
        mail = "Mail-%d@X" % (self.keys.index(key) + 1)
        if self.mail == "lower(mail)":
            mail = [mail, mail.upper(), mail.lower()][fold]
        return v.quote(mail)

    def message_is_there(self, message, conn, _=None):
        """Can a row of this connection name the message, with a foreign key too?"""
        if message is None or message in self.spec_names:
            return True
        return self.campaigns.now(self.campaigns.number_of(message), conn) is not None

    def unknown_key(self):
        return {"bigint": "777", "integer": "777", "uuid": "b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a00"}.get(
            self.key_type, "nobody"
        )

    def specs_of(self, message):
        """How a message is set up; a row of the campaigns that is no message yet would have no variants."""
        return self.specs.get(message, {"variants": []})

    def is_message(self, message, conn):
        return message in self.spec_names or self.campaigns.is_message(message, conn)

    def shown(self, message, conn=None):
        """The name under which views show a message and functions take it."""
        return message if message in self.spec_names else self.campaigns.shown(message, conn)

    # --- steps ---

    def random_tracked_step(self, conn):
        return self.rng.choice(list(self.tracked_by_name.values())).random_step(conn)

    def random_row_of_table(self, conn):
        """A row that a trigger or a function of the application writes, for the user whom it is called for."""
        table = self.rng.choice([t for n, t in self.tracked_by_name.items() if n in ("completed", "orders")])
        self.counter += 1
        self.tags += 1
        return {
            "do": "row",
            "tag": self.tags,
            "table": table.name,
            "row": self.counter * 100,
            "raw": table.random_complete(conn),
            "fold": self.rng.randrange(3),
        }

    def act_row(self, action, key, conn, dry):
        table = self.tracked_by_name[action["table"]]
        number = 2_000_000_000 + self.row(action, key)
        if dry or table.rows.get(number):
            return None
        raw = dict(action["raw"], who=[key, action["fold"]])
        return table.do({"do": "rows", "rows": [(number, raw)], "conn": conn}, conn)

    def do_tracked(self, step, conn):
        table = self.tracked_by_name.get(step["table"])
        return table and table.do(step, conn)

    def commits(self, conn):
        """The transaction of this connection commits."""
        self.fire_late(conn)
        self.world.idx += 1
        for table in self.tracked_by_name.values():
            table.before_commit(conn)
