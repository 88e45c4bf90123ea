"""What the webhook receivers of examples/clients answer to the payloads of webhooks.json, and what is recorded then."""

import http.client
import json
import os
import subprocess
import time

SECRET = "only-the-provider-knows"
# Sent before anything was reported. The refs are the ids under which the providers took the messages.
SENT = """
select goals.create_message('trial ends', channel => 'e-mail');
select goals.record_sent('trial ends', id, sent_at => '2025-11-24 16:00:00Z', ref => ref)
from (values (1, 'sg-1'), (2, 'sg-2'), (3, 'mg-3@example.com'), (4, 'pm-4'), (5, 'ses-5'), (6, 'pm-6'), (7, 'ses-7'))
     s (id, ref);
"""
FIGURES = """
select to_jsonb(s) from (
    select sent, delivered, bounced, opened, clicked, complained, unsubscribed, opened_by_machine, clicked_by_machine
    from goals.message_stats where message = 'trial ends') s
"""


def post(port, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    text = body if isinstance(body, str) else json.dumps(body)
    connection.request("POST", path, text, {"Content-Type": "application/json"})
    response = connection.getresponse()
    return {"status": response.status, **json.loads(response.read())}


def listening(port, process):
    """Waits until the program takes connections."""
    for _ in range(600):
        try:
            return post(port, "/", "")
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    raise RuntimeError(f"it does not listen: {process.returncode}")


def receives(command, environment, server, database, port, own_port, expected, log):
    """What is wrong with the receiver, as a list. It reaches the database through `port` and listens at `own_port`."""
    server.psql(database, SENT, user="shop")
    url = f"postgresql://shop@127.0.0.1:{port}/{database}?sslmode=disable"
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    own = {"DATABASE_URL": url, "WEBHOOK_SECRET": SECRET, "PORT": str(own_port)}
    with open(log, "w") as out:
        words, everything = [str(part) for part in command], clean | environment | own
        process = subprocess.Popen(words, env=everything, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        try:
            listening(own_port, process)
            answers = [post(own_port, p["path"].replace("SECRET", SECRET), p["body"]) for p in expected["posts"]]
        except (RuntimeError, OSError, ValueError) as e:
            return [f"{e}: {log.read_text()[-2000:]}"]
        finally:
            process.terminate()
            process.wait()
    wrong = [
        f"{p['what']}: {json.dumps(answer)}, expected {json.dumps(p['answer'])}"
        for p, answer in zip(expected["posts"], answers)
        if answer != p["answer"]
    ]
    figures = json.loads(server.psql(database, FIGURES))
    if figures != expected["figures"]:
        wrong.append(f"recorded {json.dumps(figures)}, expected {json.dumps(expected['figures'])}")
    if kept := server.psql(database, "select * from goals.health(); select * from goals.verify()"):
        wrong.append(f"health or totals: {kept}")
    return wrong
