"""Compares what the extension says with what the model says. Returns the disagreements as lines of text."""
import math
from decimal import Decimal

import values as v
from figures import Figures

MORE = "bounced, complained, unsubscribed, opened_by_machine, clicked_by_machine, delivered"
FIGURES = "sent, opened, clicked, already_matched, matched, matched_after_open, matched_after_click, worth"


def same_number(a, b):
    if a is None or b is None:
        return a is b
    return Decimal(a) == Decimal(b)


def rate(part, whole):
    return None if whole == 0 else part / whole


def as_json(value):
    """What a value is in the jsonb of matches(); NotImplemented where the contract does not say."""
    if isinstance(value, list) and any(isinstance(i, (list, dict)) for i in value):
        return NotImplemented  # nested documents are not kept
    if value is None or isinstance(value, (bool, str, list)):
        return value
    if isinstance(value, Decimal) and value.is_finite():
        return value
    return NotImplemented


class Comparison:
    def __init__(self, case, connection):
        self.case, self.db = case, connection
        self.lines, self.receipts, self.matches, self.people = [], 0, 0, 0

    def say(self, text, *values):
        self.lines.append(text % values if values else text)

    def rows(self, sql):
        return self.db.execute(sql).fetchall()

    def micros(self, stamp):
        return None if stamp is None else round((stamp - self.t0).total_seconds() * 1e6)

    def run(self):
        self.t0, now = self.rows("select current_setting('o.t0')::timestamptz, clock_timestamp()")[0]
        self.now = self.micros(now)
        world = self.case.world
        world.idx += 1
        self.shown = {m: self.case.shown(m) for m in world.lasting()}
        self.message_of = {shown: m for m, shown in self.shown.items()}
        self.application(world)
        self.figures(world)
        self.comparisons(world)
        self.receipts_and_goals(world)
        self.gone(world)
        self.assignments(world)
        for row in self.rows("select * from goals.verify()"):
            self.say("verify(): %r", row)
        return self.lines

    def application(self, world):
        """The oracle itself: is the application's table what the model takes it for?"""
        case = self.case
        generated = "generated" in case.features
        found = {key for key, in self.rows("select k::text from public.%s" % case.table)}
        wanted = {key for key in case.keys if world.version(case.table, key, None) is not None}
        if found != wanted:
            self.say("THE MODEL IS WRONG about who there is: %s, not %s", sorted(found), sorted(wanted))
            return
        for key, region, audit, plan, *rest in self.rows("select k::text, region, audit, plan_id%s from public.%s" % (", g_num, g_txt" if generated else "", case.table)):
            row = world.version(case.table, key, None)
            if (region, audit, plan) != (row["region"], row["audit"], row["plan_id"]) or (rest and (rest[0], rest[1]) != (row["g_num"], row["g_txt"])):
                self.say("THE MODEL IS WRONG about the row of %r: %s, not %s", key, [region, audit, plan] + rest, [row[c] for c in ("region", "audit", "plan_id", "g_num", "g_txt")])

    def figures(self, world):
        expected = world.figures()
        self.delivered = {name: self.reported(world, name) for name in self.shown}
        whole = {}
        for (message, goal, variant), figures in expected.items():
            if variant != "control":
                total = whole.setdefault((message, goal), Figures())
                total += figures
        self.table(
            "message_stats",
            whole,
            {
                (self.message_of.get(r[0], r[0]), r[1]): r[2:]
                for r in self.rows(
                    "select message, goal, %s, goal_rate, goal_rate_eligible, goal_rate_opened, goal_rate_clicked, %s "
                    "from goals.message_stats"
                    % (FIGURES, MORE)
                )
            },
        )
        self.table(
            "variant_stats",
            expected,
            {
                (self.message_of.get(r[0], r[0]), *r[1:3]): r[3:]
                for r in self.rows(
                    "select message, goal, variant, %s, goal_rate, goal_rate_eligible, goal_rate_opened, "
                    "goal_rate_clicked, %s from goals.variant_stats"
                    % (FIGURES, MORE)
                )
            },
        )
        gone = any(r.gone is not None for r in world.all_receipts())
        for message, goal in whole:
            if goal is None:
                continue
            for row in self.rows(
                "select variant, %s, in_progress, users_matched, %s from goals.stats(%s, %s)"
                % (FIGURES, MORE, v.quote(self.shown[message]), v.quote(goal))
            ):
                figures = expected.get((message, goal, row[0]), Figures())
                wanted = figures.row() + (figures.in_progress, len(figures.users_matched))
                if text := self.further(figures, message, row[0], row[11:]):
                    self.say("stats(%s, %s) variant %s: (%s) %s", message, goal, row[0], MORE, text)
                row = row[:11]
                if gone:
                    wanted, row = wanted[:8], row[:9]
                if not all(map(same_number, wanted, row[1:])):
                    self.say("stats(%s, %s) variant %s: expected %s, found %s", message, goal, row[0], list(map(str, wanted)), list(map(str, row[1:])))

    def comparisons(self, world):
        """People, where nobody has been forgotten or purged."""
        gone = {r.message for r in world.all_receipts() if r.gone is not None}
        for name in self.shown:
            for goal in () if name in gone else world.names_of_goals(name):
                wanted = world.comparison(name, goal)
                found = self.rows(
                    "select a.variant, a.users, a.matched, m.users, m.matched "
                    "from goals_internal.compare_data(%s, %s, true) a "
                    "join goals_internal.compare_data(%s, %s) m on m.variant is not distinct from a.variant"
                    % ((v.quote(self.shown[name]), v.quote(goal)) * 2)
                )
                self.people += sum(row[1] for row in found)
                for variant, *row in found:
                    if row != wanted.get(variant, [0, 0, 0, 0]):
                        self.say("compare(%s, %s) variant %s: expected %s, found %s", name, goal, variant, wanted.get(variant), row)

    def assignments(self, world):
        names, keys = list(self.message_of), self.case.keys
        self.case.conn = None
        for name, key, found in self.db.execute(
            "select m, k, goals.assign(m, k) from unnest(%s::text[]) m, unnest(%s::text[]) k", [names, keys]
        ).fetchall():
            message = self.message_of[name]
            wanted = self.case.told(message, key)
            if wanted is not NotImplemented and wanted != found:
                self.say("assign(%s, %s): expected %s, found %s", message, key, wanted, found)

    def gone(self, world):
        """People with receipts of whom there is no row."""
        table = self.case.table
        found = dict(self.rows("select user_key, receipts from goals.gone_users('public.%s')" % table))
        there = {world.whose(table, key) for key in self.case.keys if world.version(table, key, None) is not None}
        live = {p: sum(r.lasts() and r.gone is None for r in p.receipts) for p in set(world.people.values()) - there}
        wanted = {p.key: n for p, n in live.items() if n}
        if found != wanted:
            self.say("gone_users(): expected %s, found %s", wanted, found)

    @staticmethod
    def reported(world, message):
        """Is a delivery of the message on record? None: only one of a message that was never sent."""
        found = [world.never_sent(r) for r in world.all_receipts() if r.message == message for f in r.reports
                 if f.kind == "delivered" and f.lasts() and (r.gone is None or f.idx <= r.gone)]
        return bool(found) and (None if all(found) else True)

    def further(self, figures, message, variant, row):
        """What differs in the columns of MORE."""
        wanted = [getattr(figures, name) for name in figures.more]
        known = self.delivered[message]
        delivered = 0 if variant == "control" else figures.deliveries if known else figures.sent - figures.bounced
        if list(row[:5]) != wanted or known is not None and row[5] != delivered:
            return "expected %s, found %s" % (wanted + [delivered], list(row))
        return None

    def table(self, name, expected, found):
        for key in sorted(set(expected) | set(found), key=repr):
            if key[0] not in self.case.spec_names and (key not in found or key not in expected):
                # of goals that a campaign shares and that no receipt is judged by, nothing is said
                if (figures := found.get(key)) and any(figures[:8]) or key in expected and any(expected[key].row()):
                    self.say("%s: row %r is %s", name, key, "missing" if key not in found else "unexpected")
                continue
            if key in found and key[2:] == (None,) and not any(found[key][:8]) and self.none_counts(key[0]):
                continue  # a row for receipts without a variant, none of which counts
            if key not in found or key not in expected:
                self.say("%s: row %r is %s", name, key, "missing" if key not in found else "unexpected")
                continue
            wanted, row = expected[key].row(), found[key]
            if not all(map(same_number, wanted, row[:8])):
                self.say("%s%r: expected %s, found %s", name, key, dict(zip(Figures.names, map(str, wanted))), dict(zip(Figures.names, map(str, row[:8]))))
                continue
            f = expected[key]
            rates = (rate(f.matched, f.sent), rate(f.matched, f.sent - f.already_matched), rate(f.matched_after_open, f.opened), rate(f.matched_after_click, f.clicked))
            if text := self.further(f, key[0], key[2] if len(key) == 3 else None, row[12:]):
                self.say("%s%r: (%s) %s", name, key, MORE, text)
            for a, b in zip(rates, row[8:12]):
                if (a is None) != (b is None) or (a is not None and not math.isclose(a, b, rel_tol=1e-12)):
                    self.say("%s%r: rates expected %s, found %s", name, key, rates, row[8:12])
                    break

    def none_counts(self, message):
        """Are there receipts without a variant that count nowhere: withdrawn, or entries after another one?"""
        world = self.case.world
        person_of = {id(r): p for p in world.people.values() for r in p.receipts}
        return any(
            r.message == message
            and r.variant is None
            and (world.never_sent(r) or r.entry and id(r) in person_of and world.superseded(r, person_of[id(r)]))
            for r in world.all_receipts()
        )

    def receipts_and_goals(self, world):
        case = self.case
        found = {}
        pairs = ", ".join("(%s, %s)" % (v.quote(m), v.quote(k)) for m in self.message_of for k in case.keys)
        for row in self.rows("select x.m, x.k, e.goal, e.receipt_id, e.variant, e.sent_at, e.opened_at, e.clicked_at, e.verdict, e.matched_at, e.window_opens, e.window_closes "
                             "from (values %s) x (m, k), goals.explain(x.m, x.k) e" % pairs):
            found.setdefault((self.message_of[row[0]], row[1]), {}).setdefault((row[5], row[3]), {})[row[2]] = row[4:]
        matches = {}
        for message in self.message_of:
            for row in self.rows("select receipt_id, user_key, variant, goal, sent_at, opened_at, clicked_at, matched_at, attribute, event, old_value, new_value, worth "
                                 "from goals.matches(%s)" % v.quote(message)):
                if (row[0], row[3]) in matches:
                    self.say("matches(): %s twice", row)
                matches[row[0], row[3]] = row
        wanted_matches = set()
        for message in self.shown:
            for key in case.keys:
                person = world.whose(case.table, key)
                live = sorted(
                    (
                        r
                        for r in world.of_user(message, key)
                        if r.lasts() and r.gone is None and not world.superseded(r, person)
                    ),
                    key=lambda r: (r.sent, r.order),
                )
                self.receipts += len(live)
                judged = [r for r in live if r.goals]
                seen = [(rid, stamp, goals) for (stamp, rid), goals in sorted(found.get((message, key), {}).items())]
                if len(judged) != len(seen):
                    self.say("explain(%s, %s): %d receipts with goals expected, %d found", message, key, len(judged), len(seen))
                    continue
                for receipt, (rid, stamp, goals) in zip(judged, seen):
                    who = "receipt %d (step %s) of %s to %r" % (rid, receipt.step, message, key)
                    if receipt.id is not None and receipt.id != rid:
                        self.say("%s: id expected %s", who, receipt.id)
                    self.moment(who + " sent_at", receipt.sent, receipt.exact, stamp)
                    if set(goals) != {g["name"] for g in receipt.goals}:
                        self.say("%s: goals expected %s, found %s", who, sorted(g["name"] for g in receipt.goals), sorted(goals))
                        continue
                    for goal in receipt.goals:
                        out = world.outcome(receipt, goal)
                        if world.never_sent(receipt):
                            out["match"] = None
                        verdict = world.verdict(receipt, goal, out)
                        row = goals[goal["name"]]
                        about = "%s, goal %s %s" % (who, goal["name"], describe(goal))
                        if row[0] != receipt.variant:
                            self.say("%s: variant expected %s, found %s", about, receipt.variant, row[0])
                        if row[4] != verdict:
                            self.say("%s: verdict expected %s, found %s%s", about, verdict, row[4], self.why(out))
                        for name, at, stamp_ in (("opened_at", out["opened"], row[2]), ("clicked_at", out["clicked"], row[3])):
                            exact = at is not None and any(o.at == at and o.exact for o in receipt.opens)
                            self.moment("%s %s" % (about, name), at, exact, stamp_)
                        match = matches.get((rid, goal["name"]))
                        if (match is None) != (out["match"] is None):
                            self.say("%s: match %s%s", about, "missing" if match is None else "that should not be: %s" % (match[7:],), self.why(out))
                        elif match:
                            if match[1] != world.whose(case.table, key).key:
                                self.say(
                                    "%s: user_key expected %r, found %r",
                                    about,
                                    world.whose(case.table, key).key,
                                    match[1],
                                )
                            self.match(about, receipt, goal, out["match"], match)
                        wanted_matches.add((rid, goal["name"]))
        for extra in set(matches) - wanted_matches:
            self.say("matches(): unexpected %s", matches[extra])

    def why(self, out):
        if not out["match"]:
            return ""
        fact, worth, old, new = out["match"]
        return " [expected by fact at moment %d t=%d: %s -> %s]" % (fact.idx, fact.t, show(old), show(new))

    def match(self, about, receipt, goal, expected, found):
        self.matches += 1
        fact, worth, old, new = expected
        if hasattr(fact, "of"):
            self.case.world.counted["matches by " + fact.of] += 1
        self.moment(about + " matched_at", fact.t, fact.exact, found[7])
        if not same_number(worth, found[12]):
            self.say("%s: worth expected %s, found %s", about, worth, found[12])
        attribute = None if goal["event"] else goal["attribute"]
        if (found[8], found[9]) != (attribute, goal["event"]):
            self.say("%s: attribute and event expected %s, found %s", about, (attribute, goal["event"]), found[8:10])
        column = None if goal["event"] else self.case.world.columns[receipt.table][goal["column"]]
        if column is not None and column.kind not in ("list", "time"):
            for name, want, have in (("old_value", old, found[10]), ("new_value", new, found[11])):
                want = as_json(want)
                if want is NotImplemented or (column.sql.startswith("char(")):
                    continue
                if isinstance(want, v.Folded) and isinstance(have, str):
                    want, have = str.__str__(want), have
                if not v.json_equal(want, have):
                    self.say("%s: %s expected %s, found %s", about, name, show(want), show(have))

    def moment(self, about, at, exact, stamp):
        """A time that was given must be there to the microsecond; one that was now, between the beginning and now."""
        found = self.micros(stamp)
        if at is None or found is None:
            if at is not found:
                self.say("%s: expected %s, found %s", about, at, found)
        elif exact:
            if at != found:
                self.say("%s: expected %d, found %d us", about, at, found)
        elif not 0 <= found <= self.now:
            self.say("%s: expected the clock's time, found %d us", about, found)


def show(value):
    if isinstance(value, v.Array):
        return "Array(%s)" % [show(i) for i in value.items]
    if isinstance(value, (dict, list)):
        return v.dumps(dict(value) if isinstance(value, dict) else value)
    return str(value) if v.is_number(value) else repr(value)


def describe(goal):
    what = "event %r x%d %s" % (goal["event"], goal["times"], goal["properties_text"]) if goal["event"] else "%s %s %r" % (goal["attribute"], goal["op"], goal["value"])
    return "(%s within %s after %s, worth %s)" % (what, goal["limit_text"], goal["after"], goal["value_from"])
