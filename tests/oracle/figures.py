"""The figures of a message, a goal and a variant, added up receipt by receipt."""

from decimal import Decimal

import values as v


class Figures:
    more = ("bounced", "complained", "unsubscribed", "opened_by_machine", "clicked_by_machine")
    names = ("sent", "opened", "clicked", "already_matched", "matched", "matched_after_open", "matched_after_click", "worth")

    def __init__(self):
        for name in self.names + self.more:
            setattr(self, name, 0)
        self.deliveries = 0
        self.worth = Decimal(0)
        self.in_progress = 0
        self.users_matched = set()

    def add(self, receipt, out, goal, world, person_of):
        self.sent += 1
        self.opened += out["opened"] is not None
        self.clicked += out["clicked"] is not None
        self.already_matched += out["already"]
        kinds = {f.kind for f in receipt.reports if f.lasts() and (receipt.gone is None or f.idx <= receipt.gone)}
        for name in self.more:
            setattr(self, name, getattr(self, name) + (name in kinds))
        self.deliveries += "delivered" in kinds
        if out["match"]:
            fact, worth = out["match"][:2]
            self.matched += 1
            self.users_matched.add(person_of.get(id(receipt), receipt.key))
            self.matched_after_open += out["opened"] is not None and out["opened"] <= fact.t
            self.matched_after_click += out["clicked"] is not None and out["clicked"] <= fact.t
            self.worth += worth or 0
        elif goal and not out["already"] and not out["stopped"] and out["matures"] >= world.idx:
            self.in_progress += 1

    def row(self):
        return tuple(getattr(self, name) for name in self.names)

    def __iadd__(self, other):
        for name in (*self.names, *self.more, "deliveries"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        return self


def gain(old, new):
    """NEW - OLD, unknown as zero; nothing where either is no number one can add up. Where NEW is unknown there is no gain:
    the contract can also be read as a loss of OLD."""
    if new is None:
        return None
    parts = []
    for value in (old, new):
        if value is None:
            value = Decimal(0)
        value = v.plain(value)
        if value is None or v.nan(value) or v.exact(value).is_infinite():
            return None
        parts.append(v.exact(value))
    return parts[1] - parts[0]


def limit_us(text):
    units = {"second": 1, "seconds": 1, "minutes": 60, "hour": 3600, "hours": 3600, "day": 86400, "days": 86400, "week": 604800, "weeks": 604800}
    words, total = text.split(), 0
    for count, unit in zip(words[::2], words[1::2]):
        total += int(count) * units[unit] * 1000000
    return total
