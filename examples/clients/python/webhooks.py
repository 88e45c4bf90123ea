"""Records what mail providers report by their webhooks, with psycopg 3.

    DATABASE_URL=postgresql://... WEBHOOK_SECRET=... PORT=8080 python webhooks.py

A POST of the payload to /SECRET/sendgrid, /SECRET/mailgun, /SECRET/postmark or /SECRET/ses is one call of
goals.record_engagements. The secret is all that keeps others from reporting. Receipts are found by the ref that was
given when they were recorded: the id under which the provider took the message.
"""

import hmac
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import psycopg
from psycopg.types.json import Jsonb

# What the providers call it. A word that is not here is left out: a bounce for now, a list that was joined.
KINDS = {
    "delivered": ["delivered", "Delivery"],
    "bounced": [
        *("bounce", "failed permanent", "Bounce Permanent", "Bounce Undetermined", "Bounce HardBounce"),
        *("Bounce BadEmailAddress", "Bounce Blocked", "Bounce DMARCPolicy", "Bounce ManuallyDeactivated"),
    ],
    "opened": ["open", "opened", "Open"],
    "clicked": ["click", "clicked", "Click"],
    "complained": ["spamreport", "complained", "SpamComplaint", "Complaint", "Complaint abuse"],
    "unsubscribed": [
        *("unsubscribe", "group_unsubscribe", "unsubscribed"),
        *("SubscriptionChange Recipient True", "Subscription True"),
    ],
}
KIND_OF = {word: kind for kind, words in KINDS.items() for word in words}


def words(*parts):
    return " ".join(str(part) for part in parts if part is not None)


# An event of each provider is: the ref, the word, the time, and whether a machine opened or clicked.


def sendgrid(payload):
    """An array of events. The id goes on behind the one of the response."""
    for e in payload:
        ref = e["sg_message_id"].split(".")[0] if "sg_message_id" in e else None
        yield ref, e.get("event"), e.get("timestamp"), e.get("sg_machine_open")


def mailgun(payload):
    """One event."""
    e = payload["event-data"]
    machine = bool(e.get("client-info", {}).get("bot"))
    yield e["message"]["headers"]["message-id"], words(e["event"], e.get("severity")), e["timestamp"], machine


def postmark(payload):
    """One record. Its time has another name in each type of record."""
    record = payload["RecordType"]
    bounce = payload["Type"] if record == "Bounce" else None
    word = words(record, payload.get("Origin"), payload.get("SuppressSending"), bounce)
    at = next((payload[k] for k in ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt") if k in payload), None)
    # the whole of what Apple's Mail Privacy Protection says of itself
    yield payload["MessageID"], word, at, record == "Open" and payload.get("UserAgent") == "Mozilla/5.0"


def ses(payload):
    """A text within the notification of SNS, or that text itself. The time is in the part named after the event."""
    if "mail" in payload:
        e = payload
    elif payload["Type"] == "Notification" and payload["Message"].startswith("{"):
        e = json.loads(payload["Message"])
    else:
        return
    name = e.get("eventType", "")
    part = e.get(name.lower(), {})
    word = words(name, part.get("bounceType"), part.get("complaintSubType"), part.get("complaintFeedbackType"),
                 part.get("newTopicPreferences", {}).get("unsubscribeAll"))
    yield e["mail"]["messageId"], word, part.get("timestamp"), name == "Open" and part.get("userAgent") == "Mozilla/5.0"


PROVIDERS = {"sendgrid": sendgrid, "mailgun": mailgun, "postmark": postmark, "ses": ses}


def items(provider, payload):
    """The array for goals.record_engagements."""
    return [
        {"ref": ref, "kind": KIND_OF[word], "at": at, "machine": machine}
        for ref, word, at, machine in PROVIDERS[provider](payload)
        if word in KIND_OF
    ]


class Receiver(BaseHTTPRequestHandler):
    database = secret = None

    def do_POST(self):
        secret, _, provider = self.path.strip("/").rpartition("/")
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if provider not in PROVIDERS or not hmac.compare_digest(secret.encode(), self.secret.encode()):
            return self.answer(404, {"error": "not found"})
        try:
            reports = items(provider, json.loads(body))
        except (ValueError, LookupError, TypeError, AttributeError):
            return self.answer(400, {"error": f"no payload of {provider}"})
        try:
            with psycopg.connect(self.database) as db:
                result = db.execute("SELECT * FROM goals.record_engagements(%s)", [Jsonb(reports)])
                recorded, skipped = result.fetchone()
        except psycopg.Error as e:
            self.log_error("%s", e)
            return self.answer(503, {"error": "try again"})
        # 200 whatever was skipped: the provider would only send the same again
        if skipped:
            self.log_error("skipped: %s", json.dumps(skipped))
        self.answer(200, {"recorded": recorded, "skipped": skipped})

    def answer(self, status, what):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    Receiver.database, Receiver.secret = os.environ["DATABASE_URL"], os.environ["WEBHOOK_SECRET"]
    ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", 8080))), Receiver).serve_forever()
