"""`manage.py test`: the test database is a copy of the template, with the extension and what the roles may do."""

import json
import uuid

from anymail.exceptions import AnymailAPIError
from anymail.signals import pre_send
from django.core import mail
from django.test import TestCase, TransactionTestCase, override_settings
from django.utils import timezone
from post_office.models import Email, EmailTemplate

from .goals import call
from .mails import campaign, confirm, send_queue, welcome
from .models import Order, Profile, User


def figures(message, goal="primary"):
    columns = "sent, opened, matched, worth"
    return call(f"SELECT {columns} FROM goals.message_stats WHERE message = %s AND goal = %s", message, goal)[0]


def a_user(variant=None, **fields):
    """A user to whom 'welcome' assigns this variant. Assignment depends on the key alone, and writes nothing."""
    keys = (uuid.UUID(int=n) for n in range(1, 1000))
    key = next(k for k in keys if variant in (None, call("SELECT goals.assign('welcome', %s)", k)[0][0]))
    return User.objects.create(id=key, email=f"{key.int}@example.org", **fields)


class Rolled(TestCase):
    """Rolls back after each test, figures included."""

    def test_a_variant_is_chosen_by_the_key(self):
        welcome(a_user("long"))
        self.assertIn("all that you can do", Email.objects.get().message)

    def test_a_user_of_the_control_group_is_sent_nothing(self):
        self.assertFalse(welcome(a_user("control")).send)
        self.assertEqual(Email.objects.count(), 0)
        self.assertEqual(figures("welcome")[0], 0)

    def test_a_variant_is_forced(self):
        user = a_user("control")
        call("SELECT goals.record_sent('welcome', %s, variant => 'short')", user.pk)
        self.assertEqual(figures("welcome")[0], 1)

    def test_an_audience(self):
        users = [User.objects.create(email=f"{n}@example.org") for n in range(3)]
        sent = call("SELECT goals.record_sent('order confirmed', %s)", [user.pk for user in users])
        self.assertEqual(sent, [(3,)])

    def test_an_upgrade_is_a_match(self):
        user = a_user("short")
        welcome(user)
        user.tier = "pro"
        user.save()
        Profile.objects.create(user=user, data={"onboarded": True})
        self.assertEqual(figures("welcome"), (1, 0, 1, 0))
        self.assertEqual(figures("welcome", "onboarded"), (1, 0, 1, 0))

    def test_what_is_sent_after_the_commit(self):
        order = Order.objects.create(user=a_user(), total="12.50", placed_at=timezone.now())
        with self.captureOnCommitCallbacks(execute=True):
            confirm(order)
        confirm(order)
        self.assertEqual(len(mail.outbox), 1)
        self.assertEqual(figures("order confirmed"), (1, 0, 0, 0))


@override_settings(EMAIL_BACKEND="anymail.backends.test.EmailBackend")
class Committed(TransactionTestCase):
    """Commits. Django empties its own tables after each test; reset() empties the figures."""

    def setUp(self):
        call("SELECT goals.reset()")

    def test_a_campaign_is_measured_with_nothing_called(self):
        user = a_user()
        template = EmailTemplate.objects.create(name="spring", subject="Spring", content="Hello")
        campaign(template, [user])
        self.assertEqual(call("SELECT sent FROM goals.message_stats WHERE message = 'spring'"), [(0,)])
        send_queue()
        self.report("Open", mail.outbox[0])
        Order.objects.create(user=user, total="12.50", placed_at=timezone.now())
        self.assertEqual(figures("spring"), (1, 1, 1, 12.5))

    def test_a_mail_that_could_not_be_sent_is_withdrawn(self):
        committed = []

        def refuse(message, **_):
            committed.extend(figures("order confirmed")[:1])
            message.anymail_test_response = AnymailAPIError("the provider is down")

        order = Order.objects.create(user=a_user(), total="12.50", placed_at=timezone.now())
        pre_send.connect(refuse)
        self.addCleanup(pre_send.disconnect, refuse)
        confirm(order)
        self.assertEqual((committed, figures("order confirmed")[0]), ([1], 0))

    def test_an_unknown_receipt_of_a_webhook_fails_nothing(self):
        user = a_user("short")
        welcome(user)
        send_queue()
        self.report("Open", mail.outbox[0])
        self.assertEqual(figures("welcome"), (1, 1, 0, 0))
        call("SELECT goals.forget_user(%s)", user.pk)
        self.report("Click", mail.outbox[0])

    def report(self, record_type, message):
        """What Postmark posts, to the view of anymail."""
        response = self.client.post(
            "/anymail/postmark/tracking/",
            json.dumps({"RecordType": record_type, "Recipient": message.to[0], "Metadata": message.metadata}),
            content_type="application/json",
            headers={"authorization": "Basic c2hvcDpleGFtcGxl"},
        )
        self.assertEqual(response.status_code, 200)
