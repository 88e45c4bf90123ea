"""What the ab_* checks share: psql, and the Hillstrom campaign. Standard library only; the usual PG* variables say where."""

import csv
import gzip
import io
import os
import subprocess
import sys
from pathlib import Path

NULL = "\\N"
# where the campaign's data is looked for if $HILLSTROM names no file: beside the repository, for it is not part of it
BESIDE = Path(__file__).resolve().parents[4] / "shared/data/hillstrom.csv.gz"


def psql(sql, *options):
    """Runs a script, every statement in a transaction of its own, and returns what came out."""
    done = subprocess.run(
        ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *options],
        input=sql + "\n", text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )
    if done.returncode != 0:
        sys.exit(f"psql failed:\n{done.stderr}")
    return done.stdout.rstrip("\n")


def rows(query):
    """The rows of one query as dictionaries of text; NULL is None."""
    out = psql(query, "--csv", "-P", "tuples_only=off", "-P", f"null={NULL}")
    return [{k: None if v == NULL else v for k, v in row.items()} for row in csv.DictReader(io.StringIO(out))]


def error_of(sql):
    """The SQLSTATE the statement fails with; None if it does not."""
    done = subprocess.run(["psql", "-XqAt", "-v", "VERBOSITY=sqlstate", "-c", sql], text=True, capture_output=True)
    return None if done.returncode == 0 else done.stderr.strip().rsplit(" ", 1)[-1]


def copy_script(table, columns, records):
    yield f"copy {table} ({columns}) from stdin;"
    for record in records:
        yield "\t".join(NULL if value is None else str(value) for value in record)
    yield "\\."


def hillstrom_expected():
    """Whether a check that can do without the campaign has to have it."""
    return bool(os.environ.get("CI") == "true" or os.environ.get("HILLSTROM") or BESIDE.is_file())


def hillstrom_file(named=None):
    """Where the campaign's data is. Where it is absent the check is skipped; in CI, or where a file was named, it fails."""
    named = named or os.environ.get("HILLSTROM")
    path = Path(named or BESIDE)
    if not path.is_file():
        print(f"the campaign's data is not here: no file {path} (name one by HILLSTROM=...)")
        sys.exit(1 if named or os.environ.get("CI") == "true" else 77)
    return path


def hillstrom():
    """The 64,000 customers as dictionaries with id, variant, visit, conversion, spend."""
    raw = hillstrom_file().read_bytes()
    if raw[:2] == b"\x1f\x8b":
        raw = gzip.decompress(raw)
    variants = {"Mens E-Mail": "mens", "Womens E-Mail": "womens", "No E-Mail": "control"}
    return [
        {"id": number, "variant": variants[row["segment"]], "visit": int(row["visit"]), "conversion": int(row["conversion"]), "spend": row["spend"]}
        for number, row in enumerate(csv.DictReader(io.StringIO(raw.decode())), 1)
    ]


def hillstrom_script(customers, message="campaign"):
    """The campaign as one A/B/control test of ordinary UPDATEs: sent over the past 13 days, every time limit of 14 days still running."""
    yield """create extension if not exists pg_goals;
        create table users (id bigint primary key, visits int not null default 0, conversions int not null default 0,
                            spend numeric(10,2) not null default 0);
        create table played (id bigint, visits int, conversions int, spend numeric);"""
    yield from copy_script("users", "id", ([c["id"]] for c in customers))
    yield from copy_script("played", "id, visits, conversions, spend",
                           ((c["id"], c["visit"], c["conversion"], c["spend"]) for c in customers if c["visit"]))
    yield f"""analyze users;
        select goals.track_users('users');
        select goals.create_message('{message}', kind => 'one_off', channel => 'e-mail', users => 'users');
        select goals.add_variant('{message}', 'mens');
        select goals.add_variant('{message}', 'womens');
        select goals.set_control_group('{message}', 1.0 / 3);
        select goals.set_goal('{message}', 'visits', 'is increased', time_limit => '14 days');
        select goals.set_goal('{message}', 'conversions', 'is increased', time_limit => '14 days', goal => 'conversions');
        select goals.set_goal('{message}', 'spend', 'is increased', time_limit => '14 days', goal => 'spend', value_from => 'spend');"""
    for variant in ("mens", "womens", "control"):
        keys = [c["id"] for c in customers if c["variant"] == variant]
        for batch in range(13):
            chosen = ",".join(map(str, keys[batch::13]))
            yield (f"select goals.record_sent('{message}', '{{{chosen}}}'::text[], variant => '{variant}',"
                   f" sent_at => clock_timestamp() - interval '{batch} days 1 hour');")
    yield """update users u set visits = p.visits, conversions = p.conversions, spend = p.spend from played p where p.id = u.id;"""
