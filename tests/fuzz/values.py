"""What the fuzz draws arguments from: SQL expressions by type, and for parameters of some names such as make sense there.

Every expression is evaluated once and kept in a table, so that most calls get values as a table holds them: compressed, out of line, with
short headers. The expression is what a failing call is printed with."""


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


HOSTILE = ["''", "' '", "'NULL'", "'control'", "'primary'", "'it''s'", "'\"'", "'\"\"'", "'\\'", "'%s%s%n%1$s'", "'$1'", "'$$'", "'a.b'", "'.'", "'..'", "'a.'", "'.a'", "e'a\\nb'", "e'\\t\\r\\b'", "'{}'", "'{'", "'}'",
           "'{a,b}'", "'{\"a\",NULL}'", "'{{1},{2}}'", "'[]'", "'{\"a\": 1}'", "'null'", "'true'", "'f'", "'0'", "'-0'", "'1'", "'-1'", "'1e400'", "'1e-400'", "'nan'", "'infinity'", "'-Infinity'", "'0x10'", "'1_000'",
           "'00000000000000000001'", "'9223372036854775807'", "'9223372036854775808'", "'-9223372036854775808'", "'99999999999999999999999999999999999999999'", "'1' || repeat('0', 131071)",
           "'1.' || repeat('3', 16383)", "'6f1c1f6e-0000-4000-8000-000000000001'", "'{6F1C1F6E000040008000000000000001}'", "'6f1c1f6e'", "'2020-02-30'", "'now'", "'epoch'", "'1 day'", "'goals.receipt'", "'; drop table users; --'",
           "'<script>alert(1)</script>'", "'''); select 1; --'", "'pg_temp'", "'a' || repeat(' ', 1000)", "repeat('x', 63)", "repeat('x', 64)", "repeat('x', 1000)", "repeat('x', 1001)", "repeat('\"', 3000)",
           "repeat('''', 3000)", "repeat('{', 20000)", "repeat('a.', 5000)", "repeat('%', 10000)"]
WIDE = ["'é'", "'ß'", "'İ'", "'Ǆ'", "'😀'", "'e' || chr(769)", "chr(65279)", "chr(8238) || 'abc'", "repeat('é', 500)", "repeat('é', 501)", "repeat('😀', 31) || 'x'", "chr(1114111)"]
# For a database that checks no encoding.
BYTES = [f"convert_from('\\x{h}'::bytea, 'SQL_ASCII')" for h in ("ff", "c3", "c328", "f0288cbc", "eda080", "80", "61ff62", "ffffffff" * 16, "c0af", "feff", "e9", "df22ff27")]
BIG = ["repeat('x', 1048576)", "repeat('é', 524288)", "repeat('x', 10485760)", "repeat('\"a.', 1000000)", "'{' || repeat('x,', 100000) || 'x}'", "repeat('[', 10000) || repeat(']', 10000)",
       "repeat('{\"a\":', 10000) || '1' || repeat('}', 10000)", "(select string_agg(md5(n::text), '') from generate_series(1, 40000) n)"]
MESSAGES = [quoted(m) for m in ("welcome", "ab", "fresh", "no goal", "control", "NULL", "it's \"100%s\" $1 \\ .", " x ", "people", "accounts", "regions", "dropped")] + ["e'a\\nb'", "repeat('m', 1000)", "'welcome'", "'welcome'", "'ab'",
                                                                                                                                                                            "'welcom'"]
GOALS = [quoted(g) for g in ("primary", "any", "gain", "json", "event", "stopped", "it's \"100%s\" $1 \\ .", "primary", "primery")]
VARIANTS = [quoted(v) for v in ("A", "B", "control", "it's \"100%s\" $1 \\ .", "a", "")]
COLUMNS = ["id", "plan", "visits", "price", "ratio", "active", "born", "seen_at", "spell", "tags", "ns", "grid", "custom", "doc", "u", "m", "name", "code", "s", "p", "addr", "raw", "r", 'odd "col.%s $1 \\', "NULL", "doubled", "score", "key",
           "region", "ctid", "xmin", "tableoid", "gone", "........pg.dropped.2........"]
PATHS = ["custom.plan", "custom.n", "custom.deep.er", 'custom."a b.c"', 'custom.""', "custom.deep.er.0", "doc.plan", "doc.plan.plan", "plan.x", "visits.x", '"odd ""col.%s $1 \\"', 'custom."deep', "custom.", ".custom", 'custom."deep".er'
         ] + ["custom" + ".a" * n for n in (50, 1000)]
OPERATORS = ["is", "is not", "is any of", "contains", "does not contain", "starts with", "ends with", "has any value", "is unknown", "is changed", "greater than", "less than", "at least", "at most", "is increased", "is decreased",
             "is increased by", "IS_NOT", " Is  Any_of ", "=", "is_increased_by", "", "is\tnot"]
KEYS = ["'1'", "'2'", "'7'", "'300'", "'301'", "' 7 '", "'+7'", "'007'", "'-7'", "'7.0'", "'6f1c1f6e-0000-4000-8000-000000000001'", "'6F1C1F6E-0000-4000-8000-000000000002'", "''", "'NULL'", "'control'", "e'a\\nb'", "repeat('k', 2000)"]
NUMBERS = ["0", "0", "1", "-1", "2", "7", "100", "300", "1000"]
JSON = ["'{}'", "'[]'", "'null'", "'true'", "'\"x\"'", "'1e1000'", "'-0'", "'{\"a\": [1], \"price\": 7}'", "'{\"price\": \"7\"}'", "'{\"price\": 1e300}'", "'{\"\": {\"\": {\"\": null}}}'", "'{\"a\": 1, \"a\": 2}'", "'{\"a b.c\": [[[]]]}'",
        "(repeat('[', 5000) || repeat(']', 5000))", "(repeat('{\"a\":', 3000) || '1' || repeat('}', 3000))", "(select json_object_agg('k' || n, n)::text from generate_series(1, 2000) n)",
        "('{\"' || repeat('k', 65000) || '\": 1}')", "('{\"price\": ' || repeat('9', 10000) || '}')", "'{\"price\": 1e131071}'", "'{\"a\": \"\\u00e9\"}'"]
ITEMS = ["'[]'", "'[{\"kind\": \"opened\", \"message\": \"welcome\", \"user\": 1}, {\"kind\": \"bounced\", \"receipt\": 2, \"at\": 1764000000.5}, {\"kind\": \"clicked\", \"ref\": \"x\", \"machine\": true}]'",
         "'[{\"kind\": \"delivered\", \"message\": \"ab\", \"user\": \"7\", \"at\": \"2026-01-01T00:00:00Z\"}, {\"kind\": \"x\"}, {}, 1, null, [], {\"kind\": \"opened\", \"receipt\": 1, \"at\": \"x\"}]'",
         "(select jsonb_agg(jsonb_build_object('kind', 'opened', 'receipt', n, 'user', n, 'ref', repeat('x', n), 'at', now()))::text from generate_series(1, 300) n)",
         "'[{\"kind\": \"opened\", \"message\": \"welcome\", \"user\": 1e300, \"at\": -1e300}, {\"kind\": \"complained\", \"receipt\": 1e18, \"at\": \"infinity\"}]'"]
BIG_JSON = ["(repeat('[', 10000) || repeat(']', 10000))", "(repeat('{\"a\":', 10000) || '1' || repeat('}', 10000))", "('[' || repeat('1,', 500000) || '1]')", "('\"' || repeat('x', 10000000) || '\"')"]
TIMES = ["clock_timestamp()", "clock_timestamp() - interval '1 second'", "clock_timestamp() - interval '1 day'", "clock_timestamp() - interval '36 hours'", "clock_timestamp() + interval '4 minutes'", "clock_timestamp() + interval '1 hour'",
         "'-infinity'::timestamptz", "'infinity'::timestamptz", "'4713-11-24 00:00:00+00 BC'::timestamptz", "'294276-12-31 23:59:59.999999+00'::timestamptz", "'epoch'::timestamptz", "'2000-01-01'::timestamptz",
         "'0001-01-01 BC'::timestamptz", "'2024-03-31 02:30+02'::timestamptz"]
INTERVALS = ["'1 day'", "'3 days'", "'1 microsecond'", "'0'", "'-1 day'", "'1 month'", "'1 year'", "'3650 days'", "'3651 days'", "'3650 days 1 microsecond'", "'87600:00:00'", "'87600:00:00.000001'", "'1 month -30 days'", "'178000000 years'", "'-178000000 years'",
             "'2147483647 days'", "'-2147483648 days'", "'2147483647 months'", "'2562047788:00:54.775807'", "'-2562047788:00:54.775807'", "'2147483647 days 2562047788:00:54.775807'", "'1 day -24 hours'", "'-1 day 48 hours'"]
DOUBLES = ["0", "-0.0", "1", "-1", "0.5", "0.95", "0.2", "1e-300", "5e-324", "1.7976931348623157e308", "-1.7976931348623157e308", "'nan'", "'infinity'", "'-infinity'", "0.9999999999999999", "1e-16", "2", "100", "0.05", "1e15"]
BIGINTS = ["9223372036854775807", "'-9223372036854775808'", "9223372036854775806", "4294967296", "2147483648", "-2147483649", "1000000000000", "9007199254740993", "3037000500"]
UUIDS = ["'6f1c1f6e-0000-4000-8000-000000000001'", "'6f1c1f6e-0000-4000-8000-000000000002'", "'00000000-0000-0000-0000-000000000000'",
         "'ffffffff-ffff-ffff-ffff-ffffffffffff'"]
SMALL_DOUBLES = ["0.01", "0.5", "0.9", "0.95", "0.99", "1", "3"]
RELATIONS = ["'users'", "'people'", "'accounts'", "'regions'", "'regions_a'", "'\"sch\"\"ema.%s $1\".\"we\"\"ird.t\\%s $1 \n\"'", "'events'", "'sends'", "'moods'", "'free_users'", "'free_events'", "'free_sends'", "'free_users'", "'free_events'", "'free_sends'",
             "'two_keys'", "'odd_key'", "'nothing'", "'child'", "'unlogged'", "'theirs'", "'wide'", "'of_type'", "'v'", "'mv'", "'q'", "'users_pkey'", "'users_plan_idx'", "'pair'", "'f'", "'own_temporary'", "'pg_class'", "'pg_catalog.pg_authid'",
             "'information_schema.tables'", "'information_schema.sql_features'", "'goals.receipt'", "'goals.message_stats'", "'goals.match_log'", "'goals.source'", "'goals.receipt_receipt_id_seq'", "'goals.receipt_user_idx'", "0", "1", "4294967295", "1259",
             "(select relation::oid from goals.source s where not exists (select from pg_class c where c.oid = s.relation))", "(select reltoastrelid from pg_class where oid = 'users'::regclass)",
             "(select min(oid) from pg_class where relname like 'pg_toast_%_index')"]


def arrays(of, elements):
    """Arrays of every shape."""
    some = [f"array[{', '.join(elements[:n])}]" for n in (1, 2, 3, 8)] + [f"array[{', '.join(elements[i:i + 2])}]" for i in range(2, min(len(elements), 40), 2)]
    return some + [f"'{{}}'::{of}[]", "array[null]", "array[null, null]", f"array[{elements[0]}, null]", f"array[[{elements[0]}, {elements[1]}], [{elements[2]}, null]]", f"array[[[{elements[0]}]]]",
                   f"'[5:5]={{NULL}}'::{of}[]", f"array_fill({elements[1]}::{of}, array[3], array[-7])", f"array_fill({elements[1]}::{of}, array[2, 2], array[0, 2147483640])", f"array_fill(null::{of}, array[1000])",
                   f"array_fill({elements[0]}::{of}, array[1, 1, 1, 1, 1, 1])"]


def big_arrays(of, elements):
    return [f"array_fill({elements[0]}::{of}, array[100000])", f"array_fill(null::{of}, array[100000])", f"array_fill({elements[1]}::{of}, array[300, 300])"]


def values(checked_encoding):
    """type: (values for any parameter, big and rare ones), and (type, parameter): values that make sense for it."""
    text = HOSTILE + (WIDE if checked_encoding else BYTES)
    big_text = BIG if checked_encoding else [b.replace("'é'", "e'\\\\351'") for b in BIG]
    ints = NUMBERS + ["2147483647", "'-2147483648'", "32768", "-32769", "10000", "1000001"]
    general = {
        'text': (text, big_text),
        'name': ([f"{t}::text" for t in text if "repeat('{'" not in t], []),
        'regclass': (RELATIONS, []),
        'regrole': (["current_user::regrole", "'fuzz'::text::regrole", "0::regrole", "1::regrole", "'pg_monitor'::regrole"], []),
        'interval': (INTERVALS, []),
        'integer': (ints, []),
        'bigint': (NUMBERS + BIGINTS, []),
        'numeric': (NUMBERS + ["'nan'", "'infinity'", "'-infinity'", "1e131071", "1e-16383", "('1' || repeat('0', 1000))", "0.5"], []),
        'double precision': (DOUBLES, []),
        'boolean': (['true', 'false'], []),
        'uuid': (UUIDS, []),
        'timestamp with time zone': (TIMES, []),
        'jsonb': (JSON, BIG_JSON),
        'text[]': (arrays('text', ["'A'", "'B'", "''", "'control'"] + text), big_arrays('text', ["'x'", "'7'"]) + ["array[repeat('x', 10485760)]", "array(select n::text from generate_series(1, 100000) n)"]),
        'integer[]': (arrays('integer', ["1", "2", "0", "-1", "2147483647"]), big_arrays('integer', ["1", "7"])),
        'bigint[]': (arrays('bigint', ["1", "2", "0", "100"] + BIGINTS + NUMBERS), big_arrays('bigint', ["1", "7"])),
        'uuid[]': (arrays('uuid', UUIDS), big_arrays('uuid', UUIDS)),
        'double precision[]': (arrays('double precision', ["0.5", "0.5", "1", "0"] + DOUBLES), big_arrays('double precision', ["0.5", "1"])),
        'goals.total[]': (["'{}'::goals.total[]", "array[null::goals.total]", "array[row(null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null,null)::goals.total]",
                           "array(select t from goals.total t)", "array(select t from goals.total t where layer = 'rolled' limit 1)"], []),
    }
    named = {
        ('text', 'message'): MESSAGES, ('text', 'goal'): GOALS, ('text', 'variant'): VARIANTS, ('text', 'baseline'): VARIANTS,
        ('text', 'attribute'): [quoted(c) for c in COLUMNS + PATHS], ('text', 'value_from'): [quoted(c) for c in COLUMNS + PATHS + ['price']], ('text', 'operator'): [quoted(o) for o in OPERATORS],
        ('text', 'value'): ["'pro'", "'7'", "'1.50'", "'true'", "'{pro,team}'", "'{1,2.5}'", "'sad'", "'x'"], ('text', 'user_key'): KEYS, ('text', 'from_key'): KEYS, ('text', 'into_key'): KEYS, ('text', 'of_key'): KEYS, ('text', 'event'): ["'bought'", "'login'", "'it''s'"],
        ('text', 'kind'): ["'ongoing'", "'one_off'", "' One-Off '", "'opened'", "'bounced'", "'name'", "'message'"],
        ('text', 'what'): ["'sender'", "'analyst'", "'admin'", "'eraser'", "'monitor'", "'pauser'"], ('text', 'time_zone'): ["'UTC'", "'Europe/Berlin'", "'<+03>-3'"],
        ('text', 'named'): ["'bought'", "'it''s'"], ('text', 'prefix'): ["'p'", "'plan'", "'a.b'"],
        **{('jsonb', t): ["'{\"name\": \"bought\"}'", "'{\"user_id\": [1, null], \"name\": \"x\"}'", "'{}'", "'{\"at\": true}'", "'{\"message\": []}'"] for t in ('only', 'member')},
        ('jsonb', 'kinds'): ["'{\"bought\": \"opened\", \"ab\": \"clicked\"}'", "'{\"a\": \"b\"}'"],
        **{('name', t): ["'user_id'", "'name'", "'at'", "'message'", "'id'", "'email'"] for t in ('list', 'status', 'send', 'user_by', 'on_column')}, ('text', 'after'): ["'sent'", "'opened'", "'clicked'", "'after opened'"], ('text', 'channel'): ["'e-mail'", "''"],
        ('text', 'model'): ["'first touch'", "'last touch'", "'last click'", "'linear'", "'time decay'", "'Time_Decay'"],
        ('text', 'figures'): ["goals.report_data('welcome')::text", "goals.report_data('ab')::text", "'{}'", "goals.report_data('no goal')::text", "replace(goals.report_data('ab')::text, '0.95', '1e999')",
                              "regexp_replace(goals.report_data('ab')::text, ': [0-9.]+', ': -1e300', 'g')", "regexp_replace(goals.report_data('ab')::text, ': [0-9.]+', ': null', 'g')",
                              "regexp_replace(goals.report_data('ab')::text, ': [0-9.]+', ': 9223372036854775807', 'g')"],
        ('jsonb', 'items'): ITEMS,
        ('name', 'key'): [quoted(c) for c in ('id', 'key', 'at', 'a', 'u', 'code', 'name', 'm')], ('name', 'user_key'): ["'user_id'", "'id'", "'name'", "'props'"], ('name', 'event'): ["'name'", "'props'", "'at'"],
        ('name', 'occurred_at'): ["'at'", "'name'"], ('name', 'properties'): ["'props'", "'name'"], ('name', 'message'): ["'message'", "'user_id'"], ('name', 'variant'): ["'variant'"],
        **{('name', t): ["'sent_at'", "'opened_at'", "'clicked_at'", "'user_id'"] for t in ('sent_at', 'opened_at', 'clicked_at', 'delivered_at', 'bounced_at', 'complained_at', 'unsubscribed_at', 'failed_at')},
        ('bigint', 'receipt_id'): ["1", "2", "50", "150", "300", "-9223372036854775807"], ('bigint', 'user_key'): ["1", "2", "7", "50", "300", "301"],
        **{('bigint', n): ["1", "2", "7", "50", "300", "301"] for n in ('from_key', 'into_key')}, ('integer', 'users_source_id'): ["1", "2", "3"],
        ('text[]', 'user_keys'): ["array['1', '2', '7', '7', null, 'x']", "array(select id::text from users)", "array(select id::text from people)", "array(select key from accounts)"],
        ('bigint[]', 'user_keys'): ["array[1, 2, 7, 7, null]", "array(select id from users)"],
        ('uuid[]', 'user_keys'): [f"array[{', '.join(u + '::uuid' for u in UUIDS)}, null]", "array(select id from people)"],
        ('text', 'new_name'): ["'renamed'", "'welcome'", "'a' || clock_timestamp()", "''", "repeat('m', 1001)"],
        ('bigint[]', 'x'): ["array[10, 12, 9]", "array[5, 7]"], ('bigint[]', 'n'): ["array[100, 110, 90]", "array[50, 70]"], ('double precision[]', 'weight'): ["array[1, 1, 1]", "array[0.5, 0.5]", "array[3, 1]"],
        ('interval', 'time_limit'): ["'1 day'", "'3 days'", "'12:00'"], ('interval', 'half_life'): ["'1 day'", "'1 microsecond'"], ('integer', 'times'): ["1", "2", "1000000"],
        **{('double precision', n): SMALL_DOUBLES for n in ('confidence', 'share', 'weight', 'power', 'p1', 'p2', 'concentration', 'weight1', 'weight2')},
    }
    return general, named
