"""The calls of pg_goals that the shop makes. Each takes part in the transaction that is open where it is called."""

import json
from typing import NamedTuple

from django.db import connection


class Delivery(NamedTuple):
    receipt: int
    variant: str | None  # "control": held back
    send: bool
    repeated: bool  # recorded before: the same ref, or a message that each user gets once


def call(query, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def deliver(message, user, ref=None):
    return Delivery(*call("SELECT * FROM goals.deliver(%s, %s, ref => %s)", message, user.pk, ref)[0])


def withdraw(receipt):
    """That the message was never sent."""
    call("SELECT goals.withdraw(%s::bigint)", receipt)


def record_engagements(items):
    """Reports of the provider. What cannot be placed is returned, and raises nothing."""
    return call("SELECT skipped FROM goals.record_engagements(%s::jsonb)", json.dumps(items))[0][0]
