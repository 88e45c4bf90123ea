"""Makes the calls by the protocol itself, for drivers that are not there: wire.py CALLS.json FORM

untyped   Parse without types, every value as text: ruby-pg, PDO
text      every parameter declared as text, arrays as text[]: drivers that know strings only
binary    Parse with the types of the values, which are sent in binary format
"""

import json
import os
import struct
import sys
import uuid
from datetime import datetime, timezone

from psycopg import pq

BOOL, INT8, TEXT, TEXTS, INT8S, UUID, UUIDS, TIME, JSONB = 16, 20, 25, 1009, 1016, 2950, 2951, 1184, 3802
EPOCH = datetime(2000, 1, 1, tzinfo=timezone.utc)


def as_text(kind, value):
    if kind in ("ints", "texts", "uuids"):
        return "{" + ",".join(str(v) for v in value) + "}"
    return json.dumps(value) if kind == "json" else str(value)


def as_binary(kind, value):
    """The type and the bytes."""
    if kind == "text":
        return TEXT, value.encode()
    if kind == "bool":
        return BOOL, struct.pack("!?", value)
    if kind == "int":
        return INT8, struct.pack("!q", value)
    if kind == "uuid":
        return UUID, uuid.UUID(value).bytes
    if kind == "time":
        return TIME, struct.pack("!q", round((datetime.fromisoformat(value) - EPOCH).total_seconds() * 1_000_000))
    if kind == "json":
        return JSONB, b"\1" + json.dumps(value).encode()
    of, element = {"ints": ("int", INT8), "texts": ("text", TEXT), "uuids": ("uuid", UUID)}[kind]
    items = [as_binary(of, v)[1] for v in value]
    head = struct.pack("!iiiii", 1, 0, element, len(items), 1)
    return {INT8: INT8S, TEXT: TEXTS, UUID: UUIDS}[element], head + b"".join(
        struct.pack("!i", len(i)) + i for i in items
    )


def parameters(form, give):
    if form == "binary":
        types, values = zip(*(as_binary(kind, value) for kind, value in give))
        return values, types, [pq.Format.BINARY] * len(give)
    values = [as_text(kind, value).encode() for kind, value in give]
    arrays = [kind in ("ints", "texts", "uuids") for kind, _ in give]
    types = [TEXTS if array else TEXT for array in arrays] if form == "text" else None
    return values, types, None


db = pq.PGconn.connect(os.environ["DATABASE_URL"].encode())
if db.status != pq.ConnStatus.OK:
    sys.exit(db.error_message.decode())
said = {}
with open(sys.argv[1]) as calls:
    for call in json.load(calls):
        values, types, formats = parameters(sys.argv[2], call["give"])
        result = db.exec_params(call["sql"].encode(), values, types, formats)
        if result.status == pq.ExecStatus.TUPLES_OK:
            said[call["call"]] = None
        else:
            fields = (pq.DiagnosticField.SQLSTATE, pq.DiagnosticField.MESSAGE_PRIMARY, pq.DiagnosticField.MESSAGE_HINT)
            said[call["call"]] = [f.decode() if f else None for f in map(result.error_field, fields)]
print(json.dumps(said))
