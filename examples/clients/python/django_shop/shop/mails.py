"""What the shop sends, and what it hears of it."""

from functools import partial

from anymail.exceptions import AnymailError
from anymail.signals import pre_send, tracking
from django.core.mail import EmailMessage
from django.db import transaction
from django.dispatch import receiver
from post_office import mail
from post_office.models import STATUS, Email, Log, RecipientDeliveryStatus

from .goals import deliver, record_engagements, withdraw

RECEIPT = "X-Receipt"
WELCOME = {"short": "Hello!", "long": "Hello, and here is all that you can do with the shop."}
KINDS = {
    "delivered": RecipientDeliveryStatus.DELIVERED,
    "opened": RecipientDeliveryStatus.OPENED,
    "clicked": RecipientDeliveryStatus.CLICKED,
    "bounced": RecipientDeliveryStatus.HARD_BOUNCED,
    "complained": RecipientDeliveryStatus.SPAM_COMPLAINT,
    "unsubscribed": RecipientDeliveryStatus.UNSUBSCRIBED,
}


def welcome(user):
    """A message with variants and a control group, through the queue: receipt and mail are committed together."""
    with transaction.atomic():
        done = deliver("welcome", user)
        if done.send and not done.repeated:
            text, headers = WELCOME[done.variant], {RECEIPT: str(done.receipt)}
            mail.send(user.email, subject="Welcome", message=text, headers=headers)
    return done


def campaign(template, users):
    """A template of the admin page. Nothing is called: the tables of post_office are tracked."""
    mail.send_many([{"recipients": user.email, "template": template} for user in users])


def confirm(order):
    """Without the queue: the receipt is committed first, then the mail is sent."""
    with transaction.atomic():
        done = deliver("order confirmed", order.user, ref=f"order {order.pk}")
        if done.send and not done.repeated:
            message = EmailMessage("Your order", f"{order.total} EUR", to=[order.user.email])
            message.metadata = {"receipt": done.receipt}
            transaction.on_commit(partial(send_now, message))


def send_now(message):
    try:
        message.send()
    except AnymailError:
        withdraw(message.metadata["receipt"])


def send_queue():
    """What cron runs each minute. A mail that will not be tried again was not sent: its receipt is withdrawn."""
    result = mail.send_queued()
    failed = Email.objects.filter(status=STATUS.failed, headers__has_key=RECEIPT)
    for headers in failed.values_list("headers", flat=True):
        withdraw(headers[RECEIPT])
    return result


@receiver(pre_send)
def name_the_receipt(message, **_):
    """The provider returns the metadata with each report: the receipt, or the mail of a campaign."""
    headers = message.extra_headers
    if RECEIPT in headers:
        message.metadata = {"receipt": headers.pop(RECEIPT)}
    elif "Message-ID" in headers:
        message.metadata = {"mail": headers["Message-ID"]}


@receiver(tracking)
def record(event, **_):
    """A webhook's report. A campaign's goes into the log of post_office, which is tracked."""
    if event.event_type not in KINDS:
        return
    if "receipt" in event.metadata:
        at = event.timestamp and event.timestamp.isoformat()
        record_engagements([{"receipt": event.metadata["receipt"], "kind": event.event_type, "at": at}])
    elif "mail" in event.metadata:
        for email in Email.objects.filter(message_id=event.metadata["mail"]):
            Log.objects.create(email=email, status=KINDS[event.event_type])
