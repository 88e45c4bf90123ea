"""The application's own tables of sends and events, whose rows the model knows by number: inserted in every form,
copied, opened, corrected, deleted and inserted again."""

import uuid

import values as v
from commands import AFTER, AFTER_SENDS, when
from model import Fact

SECOND = 1000000
KINDS = ["bigint", "composite", "partitioned", "uuid", "text", "none"]
# The text forms of (1, 11) and (11, 1) are alike when they are put together.
PARTS = [1, 11, 111]
TEXTS = ["row %d", " %d'", "\\%d", "%d"]


class Copy(str):
    """COPY ... FROM STDIN; `data` is what follows."""

    def __new__(cls, sql, data):
        made = super().__new__(cls, sql)
        made.data = data
        return made


def copied(value):
    return "\\N" if value is None else value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


class Rows:
    """A part of generate.Case."""

    # --- the tables ---

    def key_of_rows(self, table, kind):
        """(type of id, what is said of the primary key, SQL that makes partitions)"""
        if kind == "partitioned":
            made = [
                "create table %s_%s partition of %s %s" % (table, n, table, how)
                for n, how in (("a", "for values in (1)"), ("b", "for values in (11)"), ("c", "default"))
            ]
            return "bigint", ", primary key (id, part)) partition by list (part", made
        key = {"composite": ", primary key (part, id)", "none": ""}.get(kind, ", primary key (id)")
        return {"uuid": "uuid", "text": "text"}.get(kind, "bigint"), key, []

    def make_events(self):
        p, table = self.prefix, self.prefix + "events"
        kind, key, partitions = self.key_of_rows(table, self.event_kind)
        made = [
            "create table %s (id %s not null, part integer not null, junk text, who %s, what text, "
            "at timestamptz default clock_timestamp(), "
            "props jsonb, cue text%s)" % (table, kind, self.key_type, key),
            *partitions,
        ]
        made.append(
            "select goals.track_events('public.%s', 'who', 'what', %s, users => 'public.%susers')"
            % (table, "'at', 'props'" if self.event_columns else "properties => 'props'", p)
        )
        return made + self.row_triggers(table, AFTER) + self.stash(table)

    def make_sends(self):
        table = self.prefix + "sends"
        kind, key, partitions = self.key_of_rows(table, self.send_kind)
        made = [
            "create table %s (id %s not null, part integer not null, what text, who %s, "
            "sent timestamptz default clock_timestamp(), opened timestamptz, "
            "clicked timestamptz, arm text, cue text%s)" % (table, kind, self.key_type, key),
            *partitions,
        ]
        made.append(
            "select goals.track_receipts('public.%s', 'what', 'who', 'sent', 'opened', 'clicked', 'arm')" % table
        )
        return made + self.row_triggers(table, AFTER_SENDS) + self.stash(table)

    @staticmethod
    def stash(table):
        """Where rows are between being deleted and inserted again."""
        return ["create table %s_stash (like %s)" % (table, table)]

    def place(self, kind, number):
        """(id, part) of a row, in SQL."""
        if kind in ("composite", "partitioned"):
            return str(number // 3), str(PARTS[number % 3])
        if kind == "uuid":
            return "'%s'::uuid" % uuid.UUID(int=number * 7919), "1"
        if kind == "text":
            return v.quote(TEXTS[number % 4] % number), "1"
        return str(number), "1"

    def plain_place(self, kind, number):
        """The same as COPY reads it."""
        if kind == "uuid":
            return str(uuid.UUID(int=number * 7919)), "1"
        if kind == "text":
            return TEXTS[number % 4] % number, "1"
        return self.place(kind, number)

    def at_row(self, kind, number):
        return "id = %s and part = %s" % self.place(kind, number)

    def insert_sends(self, rows):
        return "insert into public.%ssends (id, part, what, who, sent, opened, clicked, arm, cue) values %s" % (
            self.prefix,
            ", ".join(rows),
        )

    def send_values(self, row, message, key, at, opened, clicked, variant, cue=None, queued=False):
        sent = "NULL" if queued else when(at)
        return "(%s, %s, %s, %s, %s, %s, %s, %s, %s)" % (
            *self.place(self.send_kind, row),
            v.quote(message),
            self.key(key),
            sent,
            "NULL" if opened is None else when(opened),
            "NULL" if clicked is None else when(clicked),
            "NULL" if variant is None else v.quote(variant),
            "NULL" if cue is None else v.quote(cue),
        )

    def insert_events(self, rows):
        return "insert into public.%sevents (id, part, who, what, at, props, cue) values %s" % (
            self.prefix,
            ", ".join(rows),
        )

    def event_values(self, row, key, name, properties, at, cue=None):
        return "(%s, %s, %s, %s, %s, %s, %s)" % (
            *self.place(self.event_kind, row),
            self.key(key),
            v.quote(name),
            when(at),
            v.quote(properties),
            "NULL" if cue is None else v.quote(cue),
        )

    # --- what the model hears of a row ---

    # What a row of the table of sends holds: sent, opened and clicked are None for NULL or (time, exact), where a time
    # that was the clock's is not exact. receipt: None while the row is queued, its sent NULL from the start. lost: which receipt its opens belong to, the rules do not say. rewritten: its
    # sent is another time by now.
    HOLDS = ("receipt", "message", "key", "variant", "sent", "opened", "clicked", "lost", "rewritten")

    def mirrored(self, row, message, key, conn, variant, sent, opened, clicked, rewritten=False):
        """The trigger has seen an inserted row of the table of sends."""
        world = self.world
        ref = None if self.send_kind == "none" else ("row", row)
        receipt = world.known(message, key, conn, ref)
        if receipt is None:
            receipt = self.made_receipt(self.record(message, key, conn, variant, "mirror", sent, ref=ref))
        if receipt.variant != "control":
            for click, time in ((False, opened), (True, clicked)):
                if time is not None:
                    world.engage(receipt, conn, click, *time)
        return self.row_is(
            row,
            conn,
            receipt=receipt,
            message=message,
            key=key,
            variant=variant,
            sent=sent,
            opened=opened,
            clicked=clicked,
            lost=False,
            rewritten=rewritten,
        )

    def queued(self, row, message, key, conn, variant):
        """A row of the table of sends that has not been sent yet."""
        what = dict(receipt=None, message=message, key=key, variant=variant, sent=None, opened=None, clicked=None)
        return self.row_is(row, conn, lost=False, rewritten=False, **what)

    def row_is(self, row, conn, **what):
        fact = Fact(self.world, conn, **what)
        self.world.sends.setdefault(row, []).append(fact)
        return fact

    def of(self, fact, **changed):
        return dict({name: getattr(fact, name) for name in self.HOLDS}, **changed)

    def happened(self, row, key, conn, name, properties, at, idx=None, time=None):
        """A row was inserted into the table of events. time: (what it says of the time, whether that is exact)"""
        world = self.world
        cause = None if self.event_kind == "none" else ("row", row)
        fact = world.event(
            self.table, key, conn, name, v.loads(properties), at if self.event_columns else None, idx, cause
        )
        if time is not None and self.event_columns:
            fact.t, fact.exact = time
        kept = Fact(world, conn, idx, key=key, name=name, properties=properties, time=(fact.t, fact.exact))
        world.occurred.setdefault(row, []).append(kept)
        return kept

    def event_is(self, row, conn, last):
        """A row of the table of events was written again and is what it was."""
        kept = Fact(self.world, conn, key=last.key, name=last.name, properties=last.properties, time=last.time)
        self.world.occurred[row].append(kept)

    def row_now(self, versions, conn):
        """The row as this connection sees it; None if another one is at it."""
        if not versions or not (versions[-1].visible(self.world.idx, self.world.txns.get(conn)) or versions[-1].dead):
            return None
        return next((f for f in reversed(versions) if f.visible(self.world.idx, self.world.txns.get(conn))), None)

    # --- steps: sends ---

    def mirror(self, step, conn):
        """Rows inserted into the table of sends, by INSERT or COPY."""
        world, rows, copies, made = self.world, [], [], []
        variant = step["variant"]
        for n, key in enumerate(step["keys"]):
            acts, formed = {}, world.clock()
            self.slots(step["plans"][n], ["0_before", "zz_before"], key, conn, acts)
            made.append((n, key, acts, formed))
        for n, key, acts, _ in made:
            self.defer(step["plans"][n], key, conn, acts, Fact(world, conn))
        for n, key, acts, formed in made:
            row, plan, queued = step["ids"][n], step["plans"][n], step["queued"] and step["at"][n] is None
            known = not queued and variant != "control"
            opened, clicked = (step["opened"][n], step["clicked"][n]) if known else (None, None)
            world.idx += 1
            if queued:
                self.queued(row, step["message"], key, conn, variant)
            else:
                sent = (formed, False) if step["at"][n] is None else (step["at"][n], True)
                times = opened and (opened, True), clicked and (clicked, True)
                self.mirrored(row, step["message"], key, conn, variant, sent, *times)
            self.slots(plan, AFTER_SENDS, key, conn, acts)
            cue = self.cue(acts, row)
            rows.append(
                self.send_values(row, step["message"], key, step["at"][n], opened, clicked, variant, cue, queued)
            )
            copies.append(
                "\t".join(map(copied, [*self.plain_place(self.send_kind, row), step["message"], key, variant, cue]))
            )
        if step["copy"] and step["at"] == [None] * len(step["at"]) and not step["queued"]:
            return Copy("copy public.%ssends (id, part, what, who, arm, cue) from stdin" % self.prefix, copies)
        if step["stray"] == "message":
            rows.append(self.stray(step, 5000000000, "no such message", self.key(step["keys"][0])))
        if step["stray"] == "user":
            stray = {"bigint": "777", "integer": "777", "uuid": "b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a00"}.get(
                self.key_type, "nobody"
            )
            rows.append(self.stray(step, 6000000000, step["message"], self.key(stray)))
        return self.insert_sends(rows)

    def stray(self, step, more, message, key):
        return "(%s, %s, %s, %s, clock_timestamp(), null, null, null, null)" % (
            *self.place(self.send_kind, step["ids"][0] + more),
            v.quote(message),
            key,
        )

    def slots(self, plan, names, key, conn, made):
        for name in names:
            self.run_slot(plan, name, key, conn, made)

    def open_row(self, step, conn):
        """A time of an open or click is set in a row, for the first time or again."""
        world, click, row = self.world, step["click"], step["row"]
        last = self.row_now(world.sends.get(row), conn)
        if (
            last is None
            or last.receipt is None
            or last.variant == "control"
            or last.receipt.variant == "control"
            or last.receipt.sent > world.idx
            or last.lost
        ):
            return None
        if self.send_kind == "none" and (self.table, last.key) in world.moved:
            return None  # it is found by the key in the row, which may mean another person
        receipt, known, found = last.receipt, last.clicked if click else last.opened, last.receipt
        at = None
        if step["offset"] is not None:
            at = step["offset"] + (receipt.sent if receipt.exact and receipt.sent < 0 else -3600 * SECOND)
        if receipt.gone is not None:
            if (
                known is not None
                or last.rewritten
                or world.version(self.table, last.key, conn) is None
                or self.has_moved(last)
            ):
                return None
            # without a time of sending it is any receipt up to now
            found = world.latest_free(receipt, conn, click, world.clock() if last.sent is None else receipt.sent)
        if found:
            world.engage(found, conn, click, at)
        time = (world.clock(), False) if at is None else (at, True)
        self.row_is(row, conn, **self.of(last, **{"clicked" if click else "opened": time}))
        return "update public.%ssends set %s = %s where %s" % (
            self.prefix,
            "clicked" if click else "opened",
            when(at),
            self.at_row(self.send_kind, row),
        )

    def has_moved(self, row):
        """Is the key in a row of sends no longer that of the person to whom was sent, or is that not known any more?"""
        if any(r.withdrawals for r in self.world.of_user(row.message, row.key)):
            return True
        if row.receipt.gone is not None:
            return (self.table, row.key) in self.world.moved
        return all(r is not row.receipt for r in self.world.whose(self.table, row.key).receipts)

    def do_correct(self, step, conn):
        """The time of sending in a row is written again, at times with an open. Its receipt stays what it is."""
        world, row = self.world, step["row"]
        last = self.row_now(world.sends.get(row), conn)
        if last is None or self.send_kind == "none" or self.strict(conn):
            return None
        if last.receipt is None:
            return self.send_queued(step, conn, last)
        sets = "sent = " + step["sent"]
        if step["open"] and last.receipt.gone is None and "control" not in (last.variant, last.receipt.variant):
            world.engage(last.receipt, conn, False, None)
            last = Fact(world, None, **self.of(last, opened=(world.clock(), False)))
            sets += ", opened = clock_timestamp()"
        self.row_is(row, conn, **self.of(last, rewritten=True))
        return "update public.%ssends set %s where %s" % (self.prefix, sets, self.at_row(self.send_kind, row))

    def send_queued(self, step, conn, last):
        """A row that was queued is sent: it is a receipt from then on."""
        world, row = self.world, step["row"]
        if world.version(self.table, last.key, conn) is None or (self.table, last.key) in world.moved:
            return None
        sent = "clock_timestamp()" if step["at"] is None else step["sent"]
        if step["sent"] == "null":
            sent = "null"
            self.row_is(row, conn, **self.of(last))
        else:
            world.idx += 1
            at = (world.clock(), False) if step["at"] is None else (step["at"], True)
            self.mirrored(row, last.message, last.key, conn, last.variant, at, None, None)
        return "update public.%ssends set sent = %s where %s" % (self.prefix, sent, self.at_row(self.send_kind, row))

    def do_redo(self, step, conn):
        """A row is deleted and inserted again, as maintenance of partitions and retries do."""
        if self.strict(conn):
            return None
        return self.redo_send(step, conn) if step["table"] == "sends" else self.redo_event(step, conn)

    def redo_send(self, step, conn):
        world, row = self.world, step["row"]
        last = self.row_now(world.sends.get(row), conn)
        if last is None or last.receipt is None or last.receipt.gone is not None:
            return None
        key = last.key if step["key"] is None else step["key"]
        if world.version(self.table, key, conn) is None or self.has_moved(last):
            return None
        columns = "id, part, what, who, sent, opened, clicked, arm"
        if step["how"] == "upsert":
            if self.send_kind == "none":
                return None
            self.row_is(row, conn, **self.of(last))  # no other connection may write it now
            return self.upsert("sends", self.send_kind, row, columns)
        new = self.send_kind == "none" or key != last.key
        # what of it is not known then: which receipt is opened; its time of sending
        if new and (last.rewritten or self.send_kind == "none" and (last.opened or last.clicked)):
            return None
        # nor is in which order a statement that wrote the rows of several users has read the clock
        if key != last.key and last.sent is not None and not last.sent[1]:
            return None
        sql = self.again("sends", self.send_kind, row, columns, columns.replace("who", self.key(key)), step["how"])
        world.idx += 1
        fact = self.mirrored(
            row, last.message, key, conn, last.variant, last.sent, last.opened, last.clicked, last.rewritten
        )
        fact.lost = self.send_kind == "none"
        return sql

    def again(self, table, kind, row, columns, values, how):
        """SQL that deletes a row and inserts it again: in one statement, in several, or in several transactions."""
        table, where = "public.%s%s" % (self.prefix, table), self.at_row(kind, row)
        if how == "cte":
            return "with d as (delete from %s where %s returning *) insert into %s (%s) select %s from d" % (
                table,
                where,
                table,
                columns,
                values,
            )
        self.world.idx += 2
        take = "with d as (delete from %s where %s returning *) insert into %s_stash select * from d" % (
            table,
            where,
            table,
        )
        # other connections have rows there, too
        give = "insert into %s (%s) select %s from %s_stash where %s; delete from %s_stash where %s" % (
            *(table, columns, values, table, where, table, where),
        )
        return (
            "%s; %s" % (take, give)
            if self.explicit or how == "two"
            else "begin; %s; commit; begin; %s; commit" % (take, give)
        )

    def upsert(self, table, kind, row, columns):
        """The row is there already: an update that says nothing new."""
        table = "public.%s%s" % (self.prefix, table)
        key = {"composite": "part, id", "partitioned": "id, part"}.get(kind, "id")
        return "insert into %s (%s) select %s from %s where %s on conflict (%s) do update set what = excluded.what" % (
            table,
            columns,
            columns,
            table,
            self.at_row(kind, row),
            key,
        )

    # --- steps: events ---

    def insert_happenings(self, step, conn):
        """Rows inserted into the table of events, by INSERT or COPY."""
        at, rows, copies, made = self.world.idx, [], [], []
        # who is not there does nothing
        there = [self.world.version(self.table, key, conn) is not None for key, *_ in step["events"]]
        plans = [plan if is_there else {} for plan, is_there in zip(step["plans"], there)]
        for n, (key, name, properties, time) in enumerate(step["events"]):
            # the row reads the clock before its triggers do anything
            acts, formed = {}, (self.world.clock(), False) if time is None else (time, True)
            self.slots(plans[n], ["0_before", "zz_before"], key, conn, acts)
            made.append((n, acts, self.happened(step["ids"][n], key, conn, name, properties, time, at, formed)))
        for n, acts, fact in made:
            self.defer(plans[n], step["events"][n][0], conn, acts, fact)
        for n, acts, _ in made:
            key, name, properties, time = step["events"][n]
            self.slots(plans[n], sorted(AFTER), key, conn, acts)
            cue = self.cue(acts, step["ids"][n])
            rows.append(self.event_values(step["ids"][n], key, name, properties, time, cue))
            copies.append(
                "\t".join(map(copied, [*self.plain_place(self.event_kind, step["ids"][n]), key, name, properties, cue]))
            )
        if step["copy"] and all(e[3] is None for e in step["events"]):
            return Copy("copy public.%sevents (id, part, who, what, props, cue) from stdin" % self.prefix, copies)
        return self.insert_events(rows)

    def redo_event(self, step, conn):
        world, row = self.world, step["row"]
        last = self.row_now(world.occurred.get(row), conn)
        if last is None:
            return None
        columns = "id, part, who, what, at, props"
        if step["how"] == "upsert":
            if self.event_kind == "none":
                return None
            self.event_is(row, conn, last)  # no other connection may write it now
            return self.upsert("events", self.event_kind, row, columns)
        sql = self.again("events", self.event_kind, row, columns, columns, step["how"])
        # of a partitioned table one transaction moves it: it does not happen again, also for receipts recorded since
        if self.event_kind == "partitioned" and (self.explicit or step["how"] in ("cte", "two")):
            self.event_is(row, conn, last)
        else:
            self.happened(row, last.key, conn, last.name, last.properties, None, time=last.time)
        return sql

    def do_together(self, step, conn):
        """One statement inserts events and sends: the sends did not make the events."""
        if not {"events", "sends"} <= self.features:
            return None
        if any(self.world.version(self.table, key, conn) is None for key in step["send"]["keys"]):
            return None
        events = self.insert_happenings(step["event"], conn)
        sends = self.mirror(step["send"], conn)
        parts = ["e as (%s returning 1)" % events, "s as (%s returning 1)" % sends]
        if step["swap"]:
            parts.reverse()
        return "with %s select count(*) from s, e" % ", ".join(parts)
