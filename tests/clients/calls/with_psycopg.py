"""Makes the calls with psycopg 3, or with psycopg2 if the second argument is 2: with_psycopg.py CALLS.json 3"""

import datetime
import json
import os
import re
import sys
import uuid

NATIVE = {
    "time": datetime.datetime.fromisoformat,
    "uuid": uuid.UUID,
    "uuids": lambda values: [uuid.UUID(value) for value in values],
}

if sys.argv[2] == "2":
    import psycopg2 as driver
    import psycopg2.extras

    psycopg2.extras.register_uuid()
    NATIVE["json"] = psycopg2.extras.Json
else:
    import psycopg as driver
    from psycopg.types.json import Jsonb

    NATIVE["json"] = Jsonb

db = driver.connect(os.environ["DATABASE_URL"])
db.autocommit = True
said = {}
with open(sys.argv[1]) as calls:
    for call in json.load(calls):
        values = [NATIVE.get(kind, lambda v: v)(value) for kind, value in call["give"]]
        try:
            db.cursor().execute(re.sub(r"\$\d", "%s", call["sql"]), values)
            said[call["call"]] = None
        except driver.Error as e:
            state = e.pgcode if sys.argv[2] == "2" else e.sqlstate
            said[call["call"]] = [state or "driver", e.diag.message_primary or str(e), e.diag.message_hint]
print(json.dumps(said))
