"""pg_goals from Python with psycopg 3: DATABASE_URL=postgresql://... python with_psycopg.py"""

import json
import os

import psycopg
from psycopg.rows import class_row
from psycopg.types.json import Jsonb

WATCHED = ["email", "balance", "score", "settings", "tags", "active"]


class Customer:
    def __init__(self, **columns):
        self.__dict__.update(columns)


def load(db, key):
    return db.cursor(row_factory=class_row(Customer)).execute("SELECT * FROM customers WHERE id = %s", [key]).fetchone()


def save(db, customer):
    """All columns, as a small mapper of one's own would write them."""
    values = {k: Jsonb(v) if k == "settings" else v for k, v in vars(customer).items()}
    db.execute(
        """UPDATE customers SET email = %(email)s, plan = %(plan)s, sessions = %(sessions)s, balance = %(balance)s, score = %(score)s,
           settings = %(settings)s, tags = %(tags)s, active = %(active)s, signed_up = %(signed_up)s, born = %(born)s WHERE id = %(id)s""",
        values,
    )


def main():
    # autocommit: each statement is a transaction of its own, `with db.transaction()` makes longer ones
    # prepare_threshold=0: every statement is prepared at once, which is what a pooler has to bear
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=0) as db:
        # a message and its goals
        db.execute("SELECT goals.create_message(%s, channel => 'e-mail')", ["welcome"])
        db.execute("SELECT goals.set_goal('welcome', attribute => 'sessions', operator => 'is increased', time_limit => '3 days')")
        db.execute(
            "SELECT goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => %s, time_limit => '14 days', goal => 'upgrade')",
            ["pro"],
        )
        db.execute("SELECT goals.set_goal('welcome', event => 'order placed', time_limit => '7 days', value_from => 'amount', goal => 'order')")
        for column in WATCHED:
            db.execute(
                "SELECT goals.set_goal('welcome', attribute => %s, operator => 'is changed', time_limit => '1 day', goal => %s)",
                [column, f"{column} changed"],
            )

        # record, commit, then send: an audience, and one customer
        sent = db.execute("SELECT goals.record_sent('welcome', %s::text[])", [[str(n) for n in range(1, 21)]]).fetchone()[0]
        send = db.execute("SELECT send FROM goals.deliver('welcome', %s::bigint)", [21]).fetchone()[0]
        db.execute("SELECT goals.record_opened('welcome', %s::bigint)", [1])
        db.execute("SELECT goals.record_clicked('welcome', %s::bigint)", [2])

        # the application's own work
        for key in [*range(1, 7), 25]:
            customer = load(db, key)
            customer.sessions += 1
            save(db, customer)
        for key in range(7, 10):
            customer = load(db, key)
            customer.plan = "pro"
            save(db, customer)
        for key in range(10, 15):
            save(db, load(db, key))
        customer = load(db, 15)
        customer.settings["theme"] = "dark"
        save(db, customer)
        with db.transaction() as transaction:
            customer = load(db, 16)
            customer.sessions += 1
            save(db, customer)
            raise psycopg.Rollback(transaction)
        db.execute("SELECT goals.record_event(%s::bigint, 'order placed', %s)", [3, Jsonb({"amount": 12.5})])

        # a mistake, told by its SQLSTATE
        try:
            db.execute("SELECT goals.record_sent('welcom', %s::bigint)", [1])
            error = None
        except psycopg.errors.UndefinedObject as e:  # 42704
            error = f"{e.sqlstate}: {e.diag.message_hint}"

        # the figures
        stats = {
            goal: f"{sent_} sent, {opened} opened, {clicked} clicked, {already} already matched, {matched} matched, worth {worth}"
            for goal, sent_, opened, clicked, already, matched, worth in db.execute(
                "SELECT goal, sent, opened, clicked, already_matched, matched, worth FROM goals.message_stats WHERE message = %s", ["welcome"]
            )
        }
        who = dict(db.execute("SELECT goal, string_agg(user_key, ',' ORDER BY user_key::int) FROM goals.matches(%s) GROUP BY goal", ["welcome"]))
        verdict = db.execute("SELECT verdict FROM goals.explain('welcome', %s::bigint) WHERE goal = 'upgrade'", [9]).fetchone()[0]

    print(json.dumps({"sent": sent, "send": send, "error": error, "stats": stats, "who": who, "customer 9": verdict}, sort_keys=True))


main()
