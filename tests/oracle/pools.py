"""What cases choose from, and how many connections they have."""

LIMITS = ["1 hour", "90 minutes", "26 hours", "36 hours", "14 days", "2 weeks", "100 days", "3650 days"]
# Never within a few minutes of a limit, so that a change made now is clearly inside or outside of every window.
PAST = [1800, 4500, 7200, 90000, 126000, 133200, 172800, 1166400, 1252800, 8600000, 8700000]
EVENTS = ["purchase", "login", "two words", "Ünïcode"]
PROPERTIES = ['{"amount": "19.99"}', '{"amount": "007.50", "plan": "-3"}', '{"amount": "1e2"}', '{"amount": " 5"}',
              '{"amount": "-0.5", "plan": "+1"}', '{"amount": 10.5, "plan": "pro"}',
              '{"amount": 10.50, "items": ["a", "b"]}', '{"plan": {"name": "pro", "n": 1.0}}', "{}", '{"amount": null}', '{"amount": -3, "plan": "free"}',
              '{"items": [{"sku": "x", "n": 2}]}', '[1, "a"]', '{"amount": 1e2}']
FILTERS = [None, None, "{}", '{"amount": "19.99"}', '{"plan": "pro"}', '{"amount": 10.5}', '{"items": ["a"]}',
           '{"plan": {"n": 1}}', '{"items": [{"n": 2.0}]}']
KEYS = {"bigint": ["1", "2", "3", "4", "5", "-6", "7", "8", "9223372036854775807", "10", "11", "12"],
        "integer": [str(n) for n in range(1, 13)],
        "uuid": ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a%02d" % n for n in range(12)],
        "text": ["1", "a", "A", "o'hara", "back\\slash", "日本", " x", "a,b", '{"q"}', "NULL", "%s", "long" * 30],
        "varchar(200)": ["v%d" % n for n in range(12)]}
KINDS_OF_REPORTS = ["delivered", "bounced", "opened", "clicked", "complained", "unsubscribed"]
CONNECTIONS = 3
# An UPDATE and a send in one statement: which of them comes first, by a call or by a row.
SIBLINGS = ["call first", "call last", "mirror first", "mirror last"]
# The steps that are a transaction of their own where none is open.
STATEMENTS = {
    "report",
    "withdraw",
    "rekey",
    "merge",
    "delete",
    "update",
    "cascade",
    "program",
    "send",
    "open",
    "event",
    "correct",
    "redo",
    "together",
    "tracked",
}
SESSION = ["set timezone = 'America/New_York'", "set timezone = 'Asia/Kathmandu'", "set datestyle = 'SQL, DMY'", "set intervalstyle = 'iso_8601'",
           "set extra_float_digits = -5", "set bytea_output = 'escape'", "set search_path = pg_catalog, public", "set plan_cache_mode = force_generic_plan",
           "set standard_conforming_strings = on", "set xmlbinary = hex", "set enable_seqscan = off"]
PRELUDE = """create type o_mood as enum ('sad', 'ok', 'Happy', 'so so');
create domain o_label as text;
create domain o_count as integer check (value > 0);
create domain o_flag as boolean;"""
# What a server may have been built without, by the column that needs it.
OPTIONAL = {"ci": "create extension citext;",
            "nd": "create collation o_ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"}
