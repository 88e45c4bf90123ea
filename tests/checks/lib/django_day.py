"""A day of examples/clients/python/django_shop on the server of the usual PG* variables, whose role is a superuser.
Says how many figures agreed with counts by the ORM, or which did not.
"""

import base64
import json
import os
import re
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

PROJECT = Path("examples/clients/python/django_shop").resolve()
PAGE = Path("docs/django.md")
SUPERUSER = os.environ["PGUSER"]
BLOCKS = [(language, textwrap.dedent(text))
          for language, text in re.findall(r"^ *```(\w+)\n(.*?)^ *```", PAGE.read_text(), re.M | re.S)]

compared, wrong = 0, []


def same(what, got, expected):
    global compared
    compared += 1
    if got != expected:
        wrong.append(f"{what}: {got}, expected {expected}")


def run(*command, role=SUPERUSER, database="shop", stdin=None, fails=None):
    """What it printed. `fails`: a text that its error has."""
    environment = {**os.environ, "PGUSER": role, "PGDATABASE": database}
    done = subprocess.run(command, env=environment, input=stdin, capture_output=True, text=True, cwd=PROJECT)
    if fails is not None:
        same(f"{' '.join(command[-2:])} fails by {fails!r}", done.returncode != 0 and fails in done.stderr, True)
    elif done.returncode:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-3000:]}")
    return done.stdout


def psql(sql, **options):
    return run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", stdin=sql, **options)


def manage(*command, role="shop_migrations", **options):
    return run(sys.executable, "-B", "manage.py", *command, role=role, **options)


def block(beginning):
    """The block of the page that begins so."""
    return next(text for _, text in BLOCKS if text.startswith(beginning))


def excerpts_are_the_project():
    """A block of Python that begins with the name of a file is made of pieces of that file."""
    seen = 0
    for language, text in BLOCKS:
        named = re.match(r"# ([\w/]+\.py)\n", text)
        if language == "python" and named:
            file = (PROJECT / named[1]).read_text()
            for piece in re.split(r"\n *\.\.\.\n|\n\n+", text[named.end():].strip("\n")):
                seen += 1
                here = textwrap.dedent(piece)
                indented = [textwrap.indent(here, " " * n) for n in (0, 4, 8)]
                same(f"{PAGE}: {piece!r} is in {named[1]}", any(p in file for p in indented), True)
    same("pieces of the project on the page", seen > 5, True)


def remove():
    """Databases and roles of the day."""
    for command in ("alter database %I is_template false", "drop database %I with (force)"):
        psql(f"select format('{command}', datname) from pg_database where datname ~ '^(test_)?shop' \\gexec",
             database="postgres")
    psql("drop role if exists shop_migrations, shop_web", database="postgres")


# --- the day: through Django, post_office and anymail, as the role of the web -----------------------------------------


def day():
    os.environ.update(PGUSER="shop_web", PGDATABASE="shop", DJANGO_SETTINGS_MODULE="settings")
    sys.path.insert(0, str(PROJECT))
    import django

    django.setup()
    from anymail.exceptions import AnymailAPIError
    from anymail.signals import pre_send
    from django.core import mail as outgoing
    from django.db import connection, transaction
    from django.db.migrations.executor import MigrationExecutor
    from django.db.models.functions import Lower
    from django.test import Client
    from django.utils import timezone
    from post_office import mail
    from post_office.models import STATUS, Email, EmailTemplate, Log
    from shop.mails import RECEIPT, WELCOME, campaign, confirm, send_queue, welcome

    # the models as they were before the column was renamed
    then = MigrationExecutor(connection).loader.project_state(("shop", "0004_track_mails")).apps
    User, Profile, Order = (then.get_model("shop", name) for name in ("User", "Profile", "Order"))
    down = set()
    outgoing.outbox = []

    def refuse(message, **_):
        if down & set(message.to):
            message.anymail_test_response = AnymailAPIError("the provider is down")

    pre_send.connect(refuse)

    def send_all():
        counts = Counter()
        while mail.get_queued():
            counts.update(dict(zip(("sent", "failed", "requeued"), send_queue())))
        return counts

    def report(record_type, message, **more):
        """What Postmark posts, to the view of anymail."""
        payload = {"RecordType": record_type, "Recipient": message.to[0], "Metadata": message.metadata, **more}
        secret = base64.b64encode(b"shop:example").decode()
        answer = Client().post("/anymail/postmark/tracking/", json.dumps(payload), content_type="application/json",
                               headers={"authorization": f"Basic {secret}"})
        same(f"answer to {record_type}", answer.status_code, 200)

    def figures(message, goal="primary"):
        columns = "sent, delivered, opened, clicked, bounced, complained, unsubscribed, already_matched, matched, worth"
        row = psql(f"select row_to_json(s) from (select {columns} from goals.message_stats "
                   f"where message = '{message}' and goal = '{goal}') s")
        return json.loads(row) if row else None

    def compare_figures(when, message, goal, **expected):
        got = figures(message, goal) or {}
        for name, value in expected.items():
            same(f"{when}: {name} of {message} / {goal}", got.get(name), value)

    users = []
    for n in range(240):
        address = f"User{n}@{'shop.example.org' if n % 12 == 2 else 'Example.org'}"
        users.append(User.objects.create(email=address, plan="pro" if n % 25 == 0 else "free"))
    for user in users[::2]:
        Profile.objects.create(user_id=user.pk, data={"theme": "dark"})

    # welcome: a queue in the same database. Receipt and mail are of one transaction, and are rolled back together
    class Undone(Exception):
        pass

    for n, user in enumerate(users[:200]):
        try:
            with transaction.atomic():
                welcome(user)
                if n >= 190:
                    raise Undone
        except Undone:
            pass
    again = welcome(users[0])
    same("a second welcome is the first", again.repeated, True)
    queued = {address.lower() for to in Email.objects.values_list("to", flat=True) for address in to}
    same("in the queue though rolled back", queued & {u.email.lower() for u in users[190:]}, set())
    held_back = [u for u in users[:190] if u.email.lower() not in queued]
    same("some are held back", 10 < len(held_back) < 80, True)

    # the provider is down for some, for a while or for good
    lost = {u.email for u in users[:190:9] if u.email.lower() in queued}
    for_now = {u.email for u in users[5:190:9] if u.email.lower() in queued}
    down |= lost | for_now
    first = send_queue()
    down -= for_now
    counts = send_all()
    done = (first[0] + counts["sent"], first[1] + counts["failed"])
    same("mails of the queue", done, (len(queued) - len(lost), len(lost)))
    same("some were tried again", first[2] > 0, True)
    welcomed = Email.objects.filter(headers__has_key=RECEIPT, status=STATUS.sent)
    same("mails failed", Email.objects.filter(status=STATUS.failed).count(), len(lost))
    sent_to = {address for to in welcomed.values_list("to", flat=True) for address in to}
    welcome_messages = [m for m in outgoing.outbox if m.to[0] in sent_to and not hasattr(m, "anymail_test_response")]
    same("mails that went out", len(welcome_messages), len(sent_to))

    # what the provider says of them
    for n, message in enumerate(welcome_messages):
        if n % 17 == 0:
            report("Bounce", message, Type="HardBounce")
            continue
        report("Delivery", message)
        if n % 2 == 0:
            report("Open", message, ReceivedAt=timezone.now().isoformat())
        if n % 4 == 0:
            for _ in range(2):
                report("Click", message)
        if n % 40 == 1:
            report("SpamComplaint", message, Type="SpamComplaint")
        if n % 40 == 3:
            report("SubscriptionChange", message, SuppressionReason="ManualSuppression")
    numbered = range(len(welcome_messages))
    fine = [n for n in numbered if n % 17]
    reported = {
        "sent": welcomed.count(),
        "delivered": len(fine),
        "bounced": len(numbered) - len(fine),
        "opened": sum(n % 2 == 0 for n in fine),
        "clicked": sum(n % 4 == 0 for n in fine),
        "complained": sum(n % 40 == 1 for n in fine),
        "unsubscribed": sum(n % 40 == 3 for n in fine),
    }
    report("Open", next(m for m in outgoing.outbox if m.to[0] in lost))  # withdrawn
    report("Delivery", welcome_messages[0], Metadata={})  # from elsewhere
    report("Open", welcome_messages[0], Metadata={"receipt": "999999"})  # forgotten

    # the users act; each save writes every column
    was_pro = {u.pk for u in users if u.plan == "pro"}
    for user in User.objects.filter(pk__in=[u.pk for u in users[::3]]):
        user.plan = "pro"
        user.save()
    for profile in Profile.objects.order_by("pk")[::5]:
        profile.data["onboarded"] = True
        profile.save()
    for user in users[1::8]:
        Profile.objects.update_or_create(user_id=user.pk, defaults={"data": {"onboarded": True}})

    def order(user, total, placed=True):
        cart = Order.objects.create(user_id=user and user.pk, total="1.00")
        cart.total = total
        cart.save()
        if placed:
            cart.placed_at = timezone.now()
            cart.save()
        return cart

    for n, user in enumerate(users[::7]):
        order(user, f"{n}.50", placed=n % 5 > 0)
    moved = order(users[0], "99.99")  # taken back and placed again: once
    moved.placed_at = None
    moved.save()
    moved.placed_at = timezone.now()
    moved.save()

    def welcomed_users():
        return User.objects.annotate(address=Lower("email")).filter(address__in=[a.lower() for a in sent_to])

    def compare_welcome(when, upgraded):
        pro = {pk for pk in welcomed_users().values_list("pk", flat=True) if pk in was_pro}
        compare_figures(when, "welcome", "primary", **reported, already_matched=len(pro), matched=upgraded)
        onboarded = welcomed_users().filter(profile__data__onboarded=True).count()
        compare_figures(when, "welcome", "onboarded", matched=onboarded)
        # the first order of each
        first = {}
        for o in Order.objects.filter(user__in=welcomed_users(), placed_at__isnull=False).order_by("placed_at"):
            first.setdefault(o.user_id, o.total)
        compare_figures(when, "welcome", "order", matched=len(first), worth=float(sum(first.values())))

    upgraded = welcomed_users().filter(plan="pro").exclude(pk__in=was_pro).count()
    same("some upgraded", upgraded > 20, True)
    # users[0] has two orders, and the one that was placed again has got a later time since
    compare_welcome("after the welcome", upgraded)
    lines = psql("select variant, sent from goals.variant_stats where message = 'welcome' and goal = 'primary'")
    by_variant = dict(line.split("|") for line in lines.split())
    for variant, text in WELCOME.items():
        same(f"sent of {variant}", int(by_variant[variant]), welcomed.filter(message=text).count())
    same("control", int(by_variant["control"]), len(held_back))

    # campaigns of the admin page: the tables of post_office as they are
    spring = EmailTemplate.objects.create(name="spring", subject="Spring", content="Hello {{ n }}")
    summer = EmailTemplate.objects.create(name="summer", subject="Summer", content="Hello")
    down.clear()
    outgoing.outbox.clear()
    refused = {u.email for u in users[3:120:11]}
    down |= refused
    campaign(spring, users[:120])
    mail.send("USER121@example.ORG", template=spring)
    mail.send([users[122].email, users[123].email], template=spring)
    mail.send("stranger@example.org", template=spring)
    mail.send(users[124].email, template=spring, scheduled_time=timezone.now() + timezone.timedelta(days=3))
    mail.send(users[125].email, template=spring, priority="now")
    mail.send(users[126].email, template=summer, priority="now")
    mail.send(users[127].email, subject="no template", message="Hello", priority="now")
    compare_figures("queued", "spring", "primary", sent=1)
    counts = send_all()
    same("mails of the campaign that failed", counts["failed"], len(refused))
    # one is put back into the queue, as the admin page does
    down.clear()
    back = Email.objects.filter(status=STATUS.failed, template=spring).first()
    Email.objects.filter(pk=back.pk).update(status=STATUS.queued)
    send_all()

    addresses = {u.email.lower(): u.pk for u in User.objects.all()}

    def receipts(template):
        """The mails of a template that went to one user."""
        for email in Email.objects.filter(template=template, status=STATUS.sent).order_by("pk"):
            user = addresses.get(", ".join(email.to).lower())
            if user:
                yield email, user, email.logs.filter(status=STATUS.sent).order_by("date").first().date

    def compare_campaign(when, template):
        sent = list(receipts(template))
        worth = []
        for _, user, at in sent:
            later = Order.objects.filter(user_id=user, placed_at__gt=at).order_by("placed_at").first()
            if later:
                worth.append(later.total)
        logged = {status: Log.objects.filter(email__in=[e.pk for e, _, _ in sent], status__in=status)
                  .values("email").distinct().count() for status in [(20,), (30, 40), (40,), (70,), (90,)]}
        compare_figures(when, template.name, "primary", sent=len(sent), matched=len(worth), worth=float(sum(worth)),
                        opened=logged[30, 40], clicked=logged[40,], bounced=logged[70,], unsubscribed=logged[90,],
                        delivered=logged[20,] or len(sent) - logged[70,])

    compare_campaign("sent", spring)
    compare_campaign("sent", summer)
    same("to one of several addresses", psql("select problem, object from goals.health()").split("\n"),
         ["unknown user|spring", ""])
    for n, message in enumerate(m for m in outgoing.outbox if not hasattr(m, "anymail_test_response")):
        if n % 13 == 0:
            report("Bounce", message, Type="HardBounce")
            continue
        report("Delivery", message)
        if n % 3 == 0:
            report("Open", message)
        if n % 6 == 0:
            report("Click", message)
    for n, user in enumerate(users[:130:4]):
        order(user, f"{n}.25", placed=n % 6 > 0)
    guest = order(None, "20.00")  # its user is known later: the event has the time at which it was placed
    guest.user_id = users[125].pk
    guest.save()
    compare_campaign("ordered", spring)
    compare_campaign("ordered", summer)
    same("the campaign has figures", figures("spring")["matched"] > 10 and figures("spring")["clicked"] > 10, True)

    # without the queue: the receipt is committed, then the mail is sent
    outgoing.outbox.clear()
    placed = list(Order.objects.filter(placed_at__isnull=False, user__isnull=False).order_by("pk")[:40])
    down |= {o.user.email for o in placed[:4]}
    for o in placed:
        confirm(o)
        confirm(o)
    went_out = [m for m in outgoing.outbox if not hasattr(m, "anymail_test_response")]
    tried = {m.metadata["receipt"] for m in outgoing.outbox}
    twice = [o for o in placed if o.user.email in down]  # withdrawn, so the second call tries again
    attempts = len(placed) + len(twice)
    went = (len(tried), len(outgoing.outbox), len(went_out))
    same("mails tried", went, (attempts, attempts, len(placed) - len(twice)))
    compare_figures("confirmed", "order confirmed", "primary", sent=len(went_out), matched=0)
    again_by = {o.user_id for o in placed}
    for user in users[::7][:6]:
        order(user, "7.00")
    buyers = {u.pk for u in users[::7][:6]} & again_by
    matched = [o for o in placed if o.user_id in buyers and o.user.email not in down]
    compare_figures("ordered again", "order confirmed", "primary", matched=len(matched), worth=7.0 * len(matched))
    connection.close()

    # --- migrations, while time limits are running --------------------------------------------------------------------

    manage("migrate", "shop", "0005")
    from shop.models import User as Now

    def upgraded_by_now():
        pro = Now.objects.annotate(address=Lower("email")).filter(tier="pro").exclude(pk__in=was_pro)
        return pro.filter(address__in=[a.lower() for a in sent_to])

    def saved_as_pro(these):
        for user in Now.objects.filter(pk__in=[u.pk for u in these]):
            user.tier = "pro"
            user.save()

    saved_as_pro(users[1::3])
    later = upgraded_by_now().count()
    same("some upgraded after the column was renamed", later > upgraded + 20, True)
    compare_figures("renamed", "welcome", "primary", sent=reported["sent"], matched=later)
    # the reports about the mails to strangers
    unplaced = ["skipped engagements|public.post_office_email: no such send", "unknown user|spring", ""]
    same("health after the new name", psql("select problem, object from goals.health()").split("\n"), unplaced)

    connection.close()
    manage("migrate", "shop", "0006")
    same("some were corrected", upgraded_by_now().count() > later + 5, True)
    compare_figures("corrected", "welcome", "primary", matched=later)
    unpaused = [u for u in users[5:190:12] if u.pk not in was_pro and u.email in sent_to]
    saved_as_pro(unpaused)
    later += len(unpaused)
    compare_figures("after the correction", "welcome", "primary", matched=later)

    # --- a staging copy -----------------------------------------------------------------------------------------------

    columns = "message, goal, sent, opened, clicked, bounced, matched, worth"
    everything = f"select {columns} from goals.message_stats order by 1, 2"
    of_production = psql(everything)
    connection.close()
    for line in block("createdb --template=template0 --owner=shop_migrations shop_staging").strip().splitlines():
        run("bash", "-c", line, database="postgres")
    same("figures of staging", psql(everything, database="shop_staging"), of_production)
    same("totals of staging", psql("select * from goals.verify()", database="shop_staging"), "")
    broken = "select object from goals.health() where problem = 'broken goal'"
    same("broken in staging", psql(broken, database="shop_staging"), "welcome / primary\n")
    psql(block("alter table shop_user rename column tier to plan"), database="shop_staging")
    same("broken after that", psql(broken, database="shop_staging"), "")
    psql(block("begin;\nselect goals.pause();\nupdate shop_user"), database="shop_staging", role="shop_migrations")
    same("figures when anonymised", psql(everything, database="shop_staging"), of_production)
    one = next(u for u in users[8:190:12] if u.pk not in was_pro and u.email in sent_to)
    psql(f"update shop_user set tier = 'pro' where id = '{one.pk}'", database="shop_staging", role="shop_web")
    query = "select matched from goals.message_stats where message = 'welcome' and goal = 'primary'"
    same("a match in staging", psql(query, database="shop_staging"), f"{later + 1}\n")
    same("none in production", psql(query), f"{later}\n")
    psql("select goals.reset()", database="shop_staging")
    sums = "select sum(sent), sum(matched) from goals.message_stats"
    same("staging emptied", psql(sums, database="shop_staging"), "0|0\n")

    # --- migrations back and forth ------------------------------------------------------------------------------------

    manage("migrate", "shop", "0003")
    same("still there", psql(everything), of_production)
    mail.send(users[130].email, template=spring, priority="now")  # not tracked now
    connection.close()
    manage("migrate")
    same("there again", psql(everything), of_production)
    before = figures("spring")["sent"]
    mail.send(users[131].email, template=spring, priority="now")
    saved_as_pro([one])
    later += 1
    compare_figures("forward again", "spring", "primary", sent=before + 1)
    compare_figures("forward again", "welcome", "primary", matched=later)
    connection.close()
    manage("migrate", "shop", "0002")
    same("dropped", (figures("welcome"), figures("order confirmed")), (None, None))
    compare_figures("campaigns stay", "spring", "primary", sent=before + 1)
    manage("migrate")
    compare_figures("a new message", "welcome", "primary", sent=0, matched=0)
    assigned = ((u, psql(f"select goals.assign('welcome', '{u.pk}'::uuid)")) for u in users[200:])
    recent = welcome(next(u for u, variant in assigned if variant != "control\n"))
    same("sent again", recent.send, True)
    compare_figures("a new message", "welcome", "primary", sent=1)
    # tracking again has removed what was noted
    same("health at the end", psql("select * from goals.health()"), "")
    same("totals", psql("select * from goals.verify()"), "")
    manage("migrate", "shop", "zero")
    psql(block("select goals.drop_message(message)"), role="shop_migrations")
    manage("migrate")
    same("made again", psql("select message from goals.message_stats where sent = 0 group by 1 order by 1"),
         "any campaign\norder confirmed\nwelcome\n")
    same("models and migrations", manage("makemigrations", "--check", "--dry-run"), "No changes detected\n")
    connection.close()


def main():
    excerpts_are_the_project()
    remove()
    try:
        psql(block("-- a superuser, once per server"), database="postgres")
        psql("create database shop_empty", database="postgres", role="shop_migrations")
        psql("create extension pg_goals", database="shop_empty", role="shop_migrations",
             fails="permission denied to create extension")
        manage("migrate", "shop", "0004")
        day()
        os.environ.update(PGUSER=SUPERUSER)
        psql(block("-- a superuser, once per server that runs tests"), database="postgres")
        for options in ([], ["--parallel", "2"]):
            manage("test", *options)
        # as in CI: the role is a superuser, and nothing was granted
        psql("create extension pg_goals", database="shop_empty")
        os.environ["TEST_TEMPLATE"] = "shop_empty"
        manage("test", role=SUPERUSER)
    finally:
        remove()
    if wrong:
        print(*wrong, sep="\n")
        sys.exit(1)
    print(f"{compared} figures and answers as expected")


if __name__ == "__main__":
    main()
