"""Column types as the README's operators see them: literals, equality, and the operators, evaluated here and not by PostgreSQL.

A value is None (unknown), str, bool, Decimal (integers, numeric, money, json numbers), Real (real and double precision),
Array, or what json.loads makes of a document (with Decimal for numbers)."""
import json
import math
import re
import struct
from decimal import Decimal, DefaultContext, InvalidOperation, getcontext

# numeric is exact; sums in here are to be, too
DefaultContext.prec = getcontext().prec = 1000


class Real(float):
    """A binary floating-point number; its exact value is what is compared."""


class Folded(str):
    """Text of a type that ignores case when it compares (citext, a nondeterministic collation)."""

    def __eq__(self, other):
        return str.lower(self) == str.lower(other)

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(str.lower(self))


class AsciiFolded(Folded):
    """The same where only the letters of ASCII have another case: citext in a database of locale C."""

    def __eq__(self, other):
        return ascii_lower(self) == ascii_lower(other)

    def __ne__(self, other):
        return not self == other

    def __hash__(self):
        return hash(ascii_lower(self))


class Text:
    """What the text of the database is: restrict() says so."""

    charset = None  # a codec that can write all of it
    c_locale = False  # citext knows the letters of ASCII only
    cased = True  # letters beyond ASCII have a case


def ascii_lower(text):
    return "".join(c.lower() if c.isascii() else c for c in str(text))


def lower(text):
    return text.lower() if Text.cased else ascii_lower(text)


def database_lower(text):
    """lower() of the database's own locale."""
    return ascii_lower(text) if Text.c_locale else text.lower()


def writable(text):
    try:
        return not Text.charset or not isinstance(text, str) or bool(text.encode(Text.charset)) or text == ""
    except UnicodeEncodeError:
        return False


def restrict(charset, c_locale, cased):
    """Values and names are those that a database of this encoding can hold."""
    Text.charset, Text.c_locale, Text.cased = charset, c_locale, cased
    if charset:
        WORDS[:] = [w for w in WORDS if writable(w)] + ["\xff\xc3", "\xc3\xa9"]
        for path in [p for p in PATHS if not writable(p)]:
            del PATHS[path]
        PATHS["cl\xe9"] = "text"
        for pool in PATH_POOLS.values():
            pool[:] = [x for x in pool if writable(x)]


class Array:
    """A PostgreSQL array: equal only with the same elements, dimensions and lower bounds."""

    def __init__(self, items, lower=1, nested=None):
        self.items, self.lower, self.nested = list(items), lower, nested

    def key(self):
        shape = None if self.nested is None else (self.nested, len(self.items))
        return (self.lower if self.items else None, shape)


def quote(text):
    return ("E'" + text.replace("\\", "\\\\").replace("'", "''") + "'") if "\\" in text else "'" + text.replace("'", "''") + "'"


def number(text):
    """A number as a goal's value is written; None where it is not one."""
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        return None


def plain(value):
    """The number that a text is, if it is one in plain notation: of json strings, and of text columns for a worth."""
    if isinstance(value, str):
        return Decimal(str(value)) if re.fullmatch(r"-?[0-9]+([.][0-9]+)?", str(value)) else None
    return value if is_number(value) else None


def nothing(value):
    """Unknown, or an empty text, list or object."""
    if isinstance(value, Array):
        return not value.items
    return value is None or isinstance(value, (str, list, dict)) and len(value) == 0


def decimal_of(value, column):
    """A number as it is written: the shortest decimal that reads back as it."""
    if not isinstance(value, Real) or not math.isfinite(value):
        return exact(value)
    single = column.sql == "real"
    for digits in range(1, 18):
        text = "%.*g" % (digits, value)
        if (f32(float(text)) if single else float(text)) == value:
            return Decimal(text)
    return exact(value)


def increased_by(new, before, by, column):
    """By as much in decimals as they are written, or to the sum that the type computes."""
    if decimal_of(new, column) - decimal_of(before, column) >= by:
        return True
    if not isinstance(new, Real) or not new > before:
        return False
    if column.sql != "real":
        return new >= float(before) + float(by)
    # a real and a literal are added in double precision, a real and a real in single
    return new >= min(f32(float(before) + float(by)), f32(float(before) + f32(float(by))))


def boolean(text):
    word = text.strip().lower()
    if word in ("t", "true", "yes", "on", "1", "y"):
        return True
    return False if word in ("f", "false", "no", "off", "0", "n") else None


def is_number(value):
    return isinstance(value, (Decimal, Real))


def nan(value):
    return value.is_nan() if isinstance(value, Decimal) else math.isnan(value)


def exact(value):
    return value if isinstance(value, Decimal) else Decimal(float(value))


def equal(a, b):
    """The type's own equality, with unknown equal to unknown."""
    if a is None or b is None:
        return a is b
    if isinstance(a, bool) or isinstance(b, bool):
        return type(a) is type(b) and a == b
    if is_number(a) and is_number(b):
        if nan(a) or nan(b):
            return nan(a) and nan(b)
        return exact(a) == exact(b)
    if isinstance(a, Array) and isinstance(b, Array):
        return a.key() == b.key() and len(a.items) == len(b.items) and all(map(equal, a.items, b.items))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(equal, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(equal(a[k], b[k]) for k in a)
    return type(a) is type(b) and a == b


def kind(value):
    if isinstance(value, bool):
        return "boolean"
    if is_number(value):
        return "number"
    if isinstance(value, str):
        return "text"
    if isinstance(value, (Array, list)):
        return "list"
    return "object"


def read_as(text, sample, column):
    """A goal's value, read as the kind of the value it meets."""
    what = kind(sample)
    if what == "boolean":
        return boolean(text)
    if what == "number":
        found = number(text)
        if found is not None and isinstance(sample, Real):
            return column.real(found)
        return found
    return column.text(text) if column.kind != "json" else text


def holds(goal, column, new, old=None, base=None):
    """Does this operator hold for the new value? The caller has checked that the value is a different one."""
    op, text = goal["op"], goal["value"]
    if op == "is changed":
        return True
    if op == "is unknown":
        return nothing(new) and not nothing(old)
    if op == "has any value":
        return not nothing(new)
    if new is None:
        return False
    what = kind(new)
    if op in ("is", "is not", "is any of"):
        # "is any of" is not an operator of booleans
        if what in ("list", "object") or what == "boolean" and op == "is any of":
            return False
        wanted = goal["values"] if op == "is any of" else [text]
        found = any(equal(new, read) for read in (read_as(t, new, column) for t in wanted) if read is not None)
        return found != (op == "is not")
    if op in ("contains", "does not contain"):
        if what == "text":
            found = lower(text) in lower(new)
        elif what == "list":
            items = new.items if isinstance(new, Array) else new
            element = column.element if isinstance(new, Array) else column
            found = any(equal(i, read_as(text, i, element)) for i in items
                        if i is not None and kind(i) != "object" and kind(i) != "list" and read_as(text, i, element) is not None)
        else:
            return False
        return found != (op == "does not contain")
    if op == "starts with":
        return what == "text" and lower(new).startswith(lower(text))
    if op == "ends with":
        return what == "text" and lower(new).endswith(lower(text))
    # of the operators that only numbers have, a json string may be one
    new = plain(new)
    if new is None or nan(new):
        return False
    if op in ("is increased", "is decreased"):
        before = Decimal(0) if old is None else plain(old)
        if before is None or nan(before):
            return False
        if op == "is decreased":
            return old is not None and exact(new) < exact(before)
        return exact(new) > exact(before)
    if op == "is increased by":
        before = Decimal(0) if base is None else plain(base)
        if before is None or nan(before):
            return False
        if exact(new).is_infinite() and exact(before).is_infinite():
            return exact(new) > exact(before)
        return increased_by(new, before, number(text), column)
    limit = read_as(text, new, column)
    if nan(limit):
        return False
    new, limit = exact(new), exact(limit)
    return {"greater than": new > limit, "less than": new < limit, "at least": new >= limit, "at most": new <= limit}[op]


STATES = {"is", "is not", "is any of", "contains", "does not contain", "starts with", "ends with", "has any value",
          "is unknown", "greater than", "less than", "at least", "at most"}
TEXT_OPS = ["is", "is not", "is any of", "contains", "does not contain", "starts with", "ends with", "has any value",
            "is unknown", "is changed"]
NUMBER_OPS = ["is", "is not", "is any of", "greater than", "less than", "at least", "at most", "is increased", "is decreased",
              "is increased by", "has any value", "is unknown", "is changed"]
BOOLEAN_OPS = ["is", "is not", "has any value", "is unknown", "is changed"]
LIST_OPS = ["contains", "does not contain", "has any value", "is unknown", "is changed"]
VALUELESS = {"has any value", "is unknown", "is changed", "is increased", "is decreased"}


def contains(sup, sub, top=True):
    """jsonb @>"""
    if isinstance(sub, dict):
        return isinstance(sup, dict) and all(k in sup and contains_value(sup[k], v) for k, v in sub.items())
    if isinstance(sub, list):
        return isinstance(sup, list) and all(any(contains_value(e, v) for e in sup) for v in sub)
    if top and isinstance(sup, list):
        return any(json_equal(e, sub) for e in sup)
    return json_equal(sup, sub)


def contains_value(sup, sub):
    if isinstance(sub, (dict, list)):
        return contains(sup, sub, False)
    return json_equal(sup, sub)


def json_equal(a, b):
    if a is None or b is None:
        return a is b
    return equal(a, b)


def loads(text):
    if not isinstance(text, str):
        text = bytes(text).decode(Text.charset or "utf-8")
    return json.loads(text, parse_float=Decimal, parse_int=Decimal)


def dumps(value):
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        return "{" + ", ".join(json.dumps(k, ensure_ascii=False) + ": " + dumps(v) for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def f32(x):
    try:
        return struct.unpack("f", struct.pack("f", x))[0]
    except OverflowError:
        return math.copysign(math.inf, x)


WORDS = ["free", "pro", "Pro", "PRO", "team", "pro-plus", "", " ", "a_b", "a%b", "100%", "o'hara", "back\\slash", "Étoile", "étoile",
         "日本", "Привет", "привет", "x" * 40, "free ", "null", "NaN", "5", "true", '"q"', "{a}", "a,b",
         "19.99", "-3", "007.50", "1e2", "+5", "5."]
# Columns whose gains are not those of the numbers as they are written.
BINARY = ("real", "double precision")
# As double precision, 0.7 + 0.1 is less than 0.8.
BINARY_SUMS = ["0.7", "0.7999999999999999"]
# Columns of text whose plain numbers are a worth.
NUMBERS_AS_TEXT = ("text", "varchar(60)", "char(12)", "citext", "o_label")


class Column:
    """One column of a users table. `sql` is its type; `kind` decides the operators."""

    operators = None

    def __init__(self, name, sql, kind_, pool, element=None, operators=None):
        self.name, self.sql, self.kind, self.pool, self.element = name, sql, kind_, pool, element
        self.operators = operators or {"text": TEXT_OPS, "number": NUMBER_OPS, "boolean": BOOLEAN_OPS, "list": LIST_OPS,
                                       "time": ["has any value"]}.get(kind_)
        self.folds = sql == "citext" or "COLLATE" in sql
        self.declared, self.sql = sql, sql.partition(" COLLATE")[0]

    def real(self, value):
        return Real(f32(float(value)) if self.sql == "real" else float(value))

    def text(self, text):
        """A goal's value as the type reads it."""
        if self.sql == "uuid":
            return text.lower()
        if self.sql.startswith("char("):
            return text.rstrip(" ")
        if self.sql == "citext" and Text.c_locale:
            return AsciiFolded(text)
        return Folded(text) if self.folds else text

    def value(self, literal):
        """What a pool entry becomes in the column."""
        if literal is None or literal is JSON_NULL:
            return None
        if self.kind == "number":
            return self.real(literal) if self.sql in ("real", "double precision") else Decimal(literal)
        if self.kind == "text":
            return self.text(literal)
        if self.kind == "json":
            return literal
        return literal

    def plus(self, value, by):
        """The value after `set x = x + by`."""
        return self.real(value + float(by)) if isinstance(value, Real) else value + by

    def literal(self, value):
        """The SQL for a value of this column (a value, not a pool entry)."""
        if value is None:
            return "NULL::" + self.sql
        if self.kind == "boolean":
            return "%s::%s" % ("true" if value else "false", self.sql)
        if self.kind == "number":
            if isinstance(value, Real):
                text = "NaN" if math.isnan(value) else ("-" if value < 0 else "") + "Infinity" if math.isinf(value) else repr(float(value))
                return "'%s'::%s" % (text, self.sql)
            if self.sql == "money":
                return "(%s)::numeric::money" % format(value, "f")
            if value.is_nan() or value.is_infinite():
                return "'%s'::numeric" % ("NaN" if value.is_nan() else "Infinity" if value > 0 else "-Infinity")
            return "(%s)::%s" % (format(value, "f"), self.sql)
        if self.kind == "list":
            return self.array(value)
        if self.kind == "json":
            return "%s::%s" % (quote(value.source if isinstance(value, Document) else dumps(value)), self.sql)
        if self.kind == "text":
            return "%s::%s" % (quote(value), self.sql)
        return "'%s'::%s" % (value, self.sql)

    def array(self, value):
        def item(i):
            if i is None:
                return "NULL"
            if isinstance(i, str):
                return '"' + i.replace("\\", "\\\\").replace('"', '\\"') + '"'
            if isinstance(i, bool):
                return "t" if i else "f"
            return "NaN" if nan(i) else format(exact(i), "f")
        items = [item(i) for i in value.items]
        if value.nested:
            rows = [items[i:i + value.nested] for i in range(0, len(items), value.nested)]
            text = "{" + ",".join("{" + ",".join(r) + "}" for r in rows) + "}"
        else:
            text = "{" + ",".join(items) + "}"
        if value.lower != 1 and items:
            text = "[%d:%d]=%s" % (value.lower, value.lower + len(items) - 1, text)
        return "%s::%s" % (quote(text), self.sql)


class Document(dict):
    """A json document that remembers how it was written."""
    source = "{}"


class Interval(str):
    """An interval as it is written: equal is what lasts as long, a month being 30 days and a day 24 hours."""
    LAST = {"1 mon": 2592000, "30 days": 2592000, "720:00:00": 2592000, "-00:00:01": -1}

    def __eq__(self, other):
        return isinstance(other, Interval) and self.LAST[str(self)] == self.LAST[str(other)]

    __hash__ = str.__hash__


JSON_NULL = object()
UUIDS = ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
         "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12"]
DATES = {"date": ["2024-02-29", "infinity", "-infinity", "0044-03-15 BC", "2026-11-23"],
         "time": ["00:00", "23:59:59.999999", "24:00"], "timestamp": ["2024-03-31 02:30", "infinity", "1999-12-31 23:59:60"],
         "timestamptz": ["2024-03-31 02:30+00", "-infinity", "2026-01-01 00:00+14"],
         "interval": [Interval(x) for x in Interval.LAST], "timetz": ["12:00+02", "10:00+00"]}


def catalogue(rng):
    """Columns to choose from, each with values that meet each other often."""
    d = Decimal
    whole = ["0", "1", "2", "3", "5", "10", "-1", "-7", "100"]
    columns = [
        Column("plan", "text", "text", WORDS), Column("note", "text", "text", WORDS),
        Column("vc", "varchar(60)", "text", WORDS), Column("ch", "char(12)", "text", [w for w in WORDS if len(w) < 12]),
        Column("mood", "o_mood", "text", ["sad", "ok", "Happy", "so so"]), Column("label", "o_label", "text", WORDS),
        Column("ci", "citext", "text", WORDS), Column("nd", "text COLLATE o_ci", "text", WORDS,
               operators=["is", "is not", "is any of", "has any value", "is unknown", "is changed"]),
        Column("ref", "uuid", "text", UUIDS),
        Column("s", "smallint", "number", whole + ["32767", "-32768"]), Column("n", "integer", "number", whole + ["2147483647"]),
        Column("b", "bigint", "number", whole + ["9223372036854775807", "-9223372036854775808", "9007199254740993", "9007199254740992"]),
        Column("num", "numeric", "number", ["0", "1", "1.0", "1.00", "0.1", "0.10", "-2.5", "99.999", "NaN", "Infinity", "-Infinity",
                                            "12345678901234567890.123456789", "1e-20", "1000000"]),
        Column("amount", "numeric(12,2)", "number", ["0.00", "9.99", "10.00", "19.98", "100.10", "-3.50"]),
        Column("cash", "money", "number", ["0.00", "9.99", "10.00", "19.98", "-3.50", "1000.00"]),
        Column("r", "real", "number", ["0", "-0.0", "0.1", "0.2", "0.3", "0.7", "0.8", "1.5", "2.25", "16777216", "NaN",
                                        "Infinity", "-8.5"]),
        Column("d", "double precision", "number", ["0", "-0.0", "0.1", "0.2", "0.3", "0.30000000000000004", "0.7",
                                                    "0.7999999999999999", "0.8", "1.5", "9007199254740993", "NaN",
                                                    "-Infinity", "-8.5"]),
        Column("pos", "o_count", "number", ["1", "2", "3", "10"]), Column("flag", "boolean", "boolean", [True, False]),
        Column("ok", "o_flag", "boolean", [True, False])]
    for sql, pool in DATES.items():
        columns.append(Column("at_" + sql, sql, "time", pool))
    ints = Column("", "integer", "number", [])
    columns += [
        Column("ids", "integer[]", "list", [Array([]), Array([d(1)]), Array([d(1), d(2)]), Array([d(1), None, d(3)]),
                                            Array([d(2), d(1)]), Array([d(1), d(2)], 0), Array([d(1), d(2), d(3), d(4)], 1, 2),
                                            Array([d(5), d(5)])], ints),
        Column("tags", "text[]", "list", [Array([]), Array(["a"]), Array(["pro", "free"]), Array(["Pro"]), Array(["", None]),
                                          Array(["a,b", 'q"q', "back\\slash", "NULL"]), Array(["pro", "free"], -3), Array(["日本", " x "])],
               Column("", "text", "text", [])),
        Column("nums", "numeric[]", "list", [Array([d("1.0")]), Array([d("1.00")]), Array([d("NaN"), d(2)]), Array([d("2"), d("0.5")]), Array([None])],
               Column("", "numeric", "number", [])),
        Column("refs", "uuid[]", "list", [Array([UUIDS[0]]), Array(UUIDS[:3]), Array([])], Column("", "uuid", "text", [])),
        Column("bits", "boolean[]", "list", [Array([True]), Array([False, True]), Array([False])], Column("", "boolean", "boolean", [])),
        Column("doc", "jsonb", "json", None), Column("extra", "jsonb", "json", None), Column("raw", "json", "json", None)]
    for column in columns:
        if column.pool and column.kind in ("text", "list"):
            column.pool = [x for x in column.pool if all(map(writable, x.items if isinstance(x, Array) else [x]))]
    return [c for c in columns if Text.cased or c.name != "nd"]  # ICU knows nothing of SQL_ASCII


PATHS = {"plan": "text", "n": "number", "flag": "boolean", "tags": "list", "wild": "wild", "company.size": "number",
         "company.name": "text", "company.deep.er": "text", '"a.b"': "text", '"q""q"': "number", '""': "text", "ключ": "text",
         "company": "object"}
PATH_POOLS = {"text": ["free", "pro", "Pro", "PRO", "", "Étoile", "étoile", "a%b", "5", "\u2028", "tab\t", "19.99",
                       "1e2"],
              "number": [*map(Decimal, ["0", "1", "1.0", "1.00", "5", "-3", "0.1", "12345678901234567890.5", "100"]),
                         "5", "19.99", "-0.50"],
              "boolean": [True, False], "list": [[], ["a"], ["pro", "free"], [Decimal(1), Decimal("2.0")], [True, None, "Pro"], [["a"], {"x": "a"}]],
              }
PATH_POOLS["wild"] = PATH_POOLS["text"] + PATH_POOLS["number"] + PATH_POOLS["boolean"] + PATH_POOLS["list"] + [{"k": "pro"}]


def path_keys(path):
    keys, rest = [], path
    while rest:
        if rest.startswith('"'):
            end = 1
            while True:
                end = rest.index('"', end)
                if rest[end:end + 2] == '""':
                    end += 2
                    continue
                break
            keys.append(rest[1:end].replace('""', '"'))
            rest = rest[end + 2:]
        else:
            key, _, rest = rest.partition(".")
            keys.append(key)
    return keys


def walk(document, keys):
    for key in keys:
        if not isinstance(document, dict) or key not in document:
            return None
        document = document[key]
    return document


def random_document(rng, base=None):
    """A document, or a changed copy of one; sometimes rewritten without any change."""
    value = json_copy(base) if isinstance(base, dict) else {}
    for path, what in PATHS.items():
        if what == "object" or rng.random() > (0.25 if value else 0.5):
            continue
        keys, at = path_keys(path), value
        for key in keys[:-1]:
            if not isinstance(at.get(key), dict):
                at[key] = {}
            at = at[key]
        pick = rng.random()
        if pick < 0.1:
            at.pop(keys[-1], None)
        elif pick < 0.2:
            at[keys[-1]] = None
        else:
            at[keys[-1]] = rng.choice(PATH_POOLS[what])
    return written(rng, value)


def written(rng, value):
    keys = list(value)
    rng.shuffle(keys)
    document = Document((k, value[k]) for k in keys)
    text = dumps(dict(document))
    if rng.random() < 0.3:
        text = text.replace(": ", " :\n ")  # no value of the pools has a colon
    if rng.random() < 0.1 and keys and text.startswith("{") and len(text) > 2:
        text = '{"plan": "duplicate", ' + text[1:] if "plan" in document else text
    document.source = text
    return document


def json_copy(value):
    if isinstance(value, dict):
        return {k: json_copy(v) for k, v in value.items()}
    return [json_copy(v) for v in value] if isinstance(value, list) else value
