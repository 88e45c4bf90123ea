"""pg_goals from Python with SQLAlchemy 2: DATABASE_URL=postgresql://... python with_sqlalchemy.py

Its unit of work writes the columns that have changed, and nothing for an object that has not.
"""

import json
import os
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ARRAY, BigInteger, DateTime, Numeric, Text, create_engine, func, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import flag_modified

WATCHED = ["email", "balance", "score", "settings", "tags", "active"]


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    email: Mapped[str] = mapped_column(Text)
    plan: Mapped[str] = mapped_column(Text)
    sessions: Mapped[int]
    balance: Mapped[Decimal] = mapped_column(Numeric(12, 2))
    score: Mapped[float]
    settings: Mapped[dict] = mapped_column(JSONB)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text))
    active: Mapped[bool]
    signed_up: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    born: Mapped[date | None]


def main():
    url = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(url, connect_args={"prepare_threshold": 0})

    # a message and its goals; functions are called through `func`
    goals = func.goals
    with Session(engine) as session, session.begin():
        session.execute(select(goals.create_message("welcome", "ongoing", "e-mail")))
        set_goal = "SELECT goals.set_goal('welcome', attribute => :attribute, operator => :operator, value => :value, time_limit => :limit, goal => :goal)"
        for attribute, operator, value, limit, goal in [
            ("sessions", "is increased", None, "3 days", "primary"),
            ("plan", "is", "pro", "14 days", "upgrade"),
            *((column, "is changed", None, "1 day", f"{column} changed") for column in WATCHED),
        ]:
            session.execute(
                text(set_goal.replace(":limit", "cast(:limit as interval)")),
                {"attribute": attribute, "operator": operator, "value": value, "limit": limit, "goal": goal},
            )
        session.execute(text("SELECT goals.set_goal('welcome', event => 'order placed', time_limit => '7 days', value_from => 'amount', goal => 'order')"))

    # record, commit, then send: an audience, and one customer
    with Session(engine) as session, session.begin():
        keys = [str(n) for n in range(1, 21)]
        sent = session.execute(text("SELECT goals.record_sent('welcome', cast(:keys as text[]))"), {"keys": keys}).scalar_one()
        send = session.execute(text("SELECT send FROM goals.deliver('welcome', cast(:key as bigint))"), {"key": 21}).scalar_one()
    with Session(engine) as session, session.begin():
        session.execute(text("SELECT goals.record_opened('welcome', cast(:key as bigint))"), {"key": 1})
        session.execute(text("SELECT goals.record_clicked('welcome', cast(:key as bigint))"), {"key": 2})

    # the application's own work: several customers in one transaction, written together when the session is flushed
    with Session(engine) as session, session.begin():
        for key in [*range(1, 7), 25]:
            session.get_one(Customer, key).sessions += 1
        for key in range(7, 10):
            session.get_one(Customer, key).plan = "pro"
        for key in range(10, 15):
            session.merge(session.get_one(Customer, key))
        # a document that is said to be changed is written again, and is the same; another has changed
        flag_modified(session.get_one(Customer, 10), "settings")
        customer = session.get_one(Customer, 15)
        customer.settings = {**customer.settings, "theme": "dark"}
    with Session(engine) as session:
        session.get_one(Customer, 16).sessions += 1
        session.flush()
        session.rollback()
    with Session(engine) as session, session.begin():
        session.execute(
            text("SELECT goals.record_event(cast(:key as bigint), 'order placed', cast(:properties as jsonb))"),
            {"key": 3, "properties": json.dumps({"amount": 12.5})},
        )

    # a mistake, told by its SQLSTATE
    with Session(engine) as session:
        try:
            session.execute(text("SELECT goals.record_sent('welcom', cast(:key as bigint))"), {"key": 1})
            error = None
        except DBAPIError as e:
            error = f"{e.orig.sqlstate}: {e.orig.diag.message_hint}"

    # the figures
    with Session(engine) as session:
        stats = {
            r.goal: f"{r.sent} sent, {r.opened} opened, {r.clicked} clicked, {r.already_matched} already matched, {r.matched} matched, worth {r.worth}"
            for r in session.execute(text("SELECT * FROM goals.message_stats WHERE message = 'welcome'"))
        }
        who = dict(session.execute(text("SELECT goal, string_agg(user_key, ',' ORDER BY user_key::int) FROM goals.matches('welcome') GROUP BY goal")).all())
        verdict = session.execute(text("SELECT verdict FROM goals.explain('welcome', cast(9 as bigint)) WHERE goal = 'upgrade'")).scalar_one()

    print(json.dumps({"sent": sent, "send": send, "error": error, "stats": stats, "who": who, "customer 9": verdict}, sort_keys=True))


main()
