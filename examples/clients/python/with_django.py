"""pg_goals from Python with Django's ORM: DATABASE_URL=postgresql://... python with_django.py

`Model.save()` writes every column, changed or not. Only what differs counts.
"""

import json
import os
from urllib.parse import urlsplit

import django
from django.conf import settings

url = urlsplit(os.environ["DATABASE_URL"])
settings.configure(
    INSTALLED_APPS=["django.contrib.postgres"],
    USE_TZ=True,
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "HOST": url.hostname, "PORT": url.port, "NAME": url.path[1:], "USER": url.username, "PASSWORD": url.password or "",
            # parameters bound by the server, in prepared statements; without these options Django writes the values into the query
            "OPTIONS": {"server_side_binding": True, "prepare_threshold": 0},
            # what Django asks for where a pooler shares out connections by the transaction
            "DISABLE_SERVER_SIDE_CURSORS": True,
        }
    },
)
django.setup()

from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError, connection, models, transaction

WATCHED = ["email", "balance", "score", "settings", "tags", "active"]


class Customer(models.Model):
    id = models.BigIntegerField(primary_key=True)
    email = models.TextField()
    plan = models.TextField()
    sessions = models.IntegerField()
    balance = models.DecimalField(max_digits=12, decimal_places=2)
    score = models.FloatField()
    settings = models.JSONField()
    tags = ArrayField(models.TextField())
    active = models.BooleanField()
    signed_up = models.DateTimeField()
    born = models.DateField(null=True)

    class Meta:
        app_label = "shop"
        db_table = "customers"
        managed = False


def call(query, *parameters):
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()


def main():
    # a message and its goals: one transaction, all or nothing
    with transaction.atomic():
        call("SELECT goals.create_message(%s, channel => 'e-mail')", "welcome")
        call("SELECT goals.set_goal('welcome', attribute => 'sessions', operator => 'is increased', time_limit => '3 days')")
        call("SELECT goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => 'pro', time_limit => '14 days', goal => 'upgrade')")
        call("SELECT goals.set_goal('welcome', event => 'order placed', time_limit => '7 days', value_from => 'amount', goal => 'order')")
        for column in WATCHED:
            call("SELECT goals.set_goal('welcome', attribute => %s, operator => 'is changed', time_limit => '1 day', goal => %s)", column, f"{column} changed")

    # record, commit, then send: an audience, and one customer
    keys = [str(key) for key in Customer.objects.filter(id__lte=20).values_list("id", flat=True)]
    sent = call("SELECT goals.record_sent('welcome', %s::text[])", keys)[0][0]
    send = call("SELECT send FROM goals.deliver('welcome', %s::bigint)", 21)[0][0]
    call("SELECT goals.record_opened('welcome', %s::bigint)", 1)
    call("SELECT goals.record_clicked('welcome', %s::bigint)", 2)

    # the application's own work
    for customer in Customer.objects.filter(id__in=[*range(1, 7), 25]):
        customer.sessions += 1
        customer.save()
    for customer in Customer.objects.filter(id__range=(7, 9)):
        customer.plan = "pro"
        customer.save()
    for customer in Customer.objects.filter(id__range=(10, 14)):
        customer.save()
    customer = Customer.objects.get(id=15)
    customer.settings["theme"] = "dark"
    customer.save()
    with transaction.atomic():
        customer = Customer.objects.get(id=16)
        customer.sessions += 1
        customer.save()
        transaction.set_rollback(True)
    call("SELECT goals.record_event(%s::bigint, 'order placed', %s::jsonb)", 3, json.dumps({"amount": 12.5}))

    # a mistake, told by its SQLSTATE
    try:
        call("SELECT goals.record_sent('welcom', %s::bigint)", 1)
        error = None
    except DatabaseError as e:
        error = f"{e.__cause__.sqlstate}: {e.__cause__.diag.message_hint}"

    # the figures
    stats = {
        goal: f"{sent_} sent, {opened} opened, {clicked} clicked, {already} already matched, {matched} matched, worth {worth}"
        for goal, sent_, opened, clicked, already, matched, worth in call(
            "SELECT goal, sent, opened, clicked, already_matched, matched, worth FROM goals.message_stats WHERE message = 'welcome'"
        )
    }
    who = dict(call("SELECT goal, string_agg(user_key, ',' ORDER BY user_key::int) FROM goals.matches('welcome') GROUP BY goal"))
    verdict = call("SELECT verdict FROM goals.explain('welcome', %s::bigint) WHERE goal = 'upgrade'", 9)[0][0]
    print(json.dumps({"sent": sent, "send": send, "error": error, "stats": stats, "who": who, "customer 9": verdict}, sort_keys=True))


main()
