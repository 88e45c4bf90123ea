"""Names, keys and operators in databases of several encodings and locales; see checks/figures_are_right_in_every_encoding_and_locale.

    encodings.py [DATABASE...]   some of utf8, c, latin1, win1252, ascii, tr

All text is bytes, written with psql in the database's own encoding: in LATIN1, WIN1252 and SQL_ASCII every byte is one, text or not.
"""

import html
import os
import random
import re
import subprocess
import sys

BASE = os.environ["PGDATABASE"]
ROWS = int(os.environ.get("ENCODING_ROWS", "250"))
errors = []
counted = 0


def psql(database, script, encoding, fails=False):
    done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose", "-d", database], input=script, capture_output=True,
                          env={**os.environ, "PGCLIENTENCODING": encoding})
    if fails:
        found = re.search(rb"ERROR:\s+(\w{5}):", done.stderr)
        return found[1] if found else b"no error"
    if done.returncode:
        sys.exit(f"in {database}: {done.stderr.decode('latin-1')}")
    return done.stdout.rstrip(b"\n")


def check(what, got, expected):
    global counted
    counted += 1
    if got != expected:
        errors.append(f"{what}: {got!r}, expected {expected!r}")


def quoted(text):
    return b"'" + text.replace(b"'", b"''") + b"'"


class Database:
    def __init__(self, name, encoding, options, *, collations, codec, alphabet, lower=None):
        self.name, self.encoding, self.options = f"{BASE}_{name}"[:60], encoding, options
        self.collations, self.codec, self.alphabet, self.lower = collations, codec, alphabet, lower

    def __enter__(self):
        subprocess.run(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", "postgres", "-c", f'drop database if exists "{self.name}"', "-c",
                        f"""create database "{self.name}" encoding '{self.encoding}' {self.options} template template0"""], check=True, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        subprocess.run(["psql", "-Xq", "-d", "postgres", "-c", f'drop database "{self.name}" with (force)'], check=False)

    def sql(self, script, **more):
        return psql(self.name, script, self.encoding, **more)


# --- names and keys: the same name in, the same name found, the same name out ---------------------------------------------------

HIGH = bytes(range(0x80, 0x100))
BYTES = [b"caf\xe9", b"caf\xc3\xa9", b"\xff\xfe", b"\xf4\x8f\xbf\xa9", b"\xe9", b"\x80", b"\x81", b"x\xc3", b"\xc3\x81", HIGH[:30], HIGH]
# also the characters that stand for bytes elsewhere
CHARACTERS = [c.encode() for c in ("caf\xe9", "\u65e5\u672c", "\U0010ff80", "\U0010fffd", "\ufffd", "e\u0301", "\U0001f680")]


def names(db, all_names):
    db.sql(b"create extension pg_goals; create table u (k text primary key, n int not null default 0, j jsonb not null default '{}');"
           b"create table sent (m text, k text, v text); create table acts (k text, e text);"
           b"insert into u select k from unnest(array[" + b",".join(map(quoted, all_names)) + b"]) k;"
           b"select goals.track_users('u'), goals.create_message('first'), goals.track_receipts('sent', 'm', 'k', variant => 'v'), goals.track_events('acts', 'k', 'e');")
    for name in all_names:
        q = quoted(name)
        key = b'{"%s": "%s"}' % (name, name)
        db.sql(b"select goals.create_message(" + q + b", channel => " + q + b"), goals.add_variant(" + q + b", " + q + b");"
               b"select goals.set_goal(" + q + b", 'n', 'is increased', time_limit => '1 day', goal => " + q + b");"
               b"select goals.set_goal(" + q + b", event => " + q + b", time_limit => '1 day', goal => 'event');"
               b"select goals.set_goal(" + q + b", 'j.\"' || " + q + b" || '\"', 'is', " + q + b", time_limit => '1 day', goal => 'json');")
        check(f"{db.name}: {name!r} is taken", db.sql(b"select goals.create_message(" + q + b")", fails=True), b"42710")
        check(f"{db.name}: {name!r} is assigned as it is delivered",
              db.sql(b"select x.variant || '|' || goals.assign(" + q + b", " + q + b") from goals.deliver(" + q + b", " + q + b") x"), name + b"|" + name)
        db.sql(b"select goals.record_opened(" + q + b", " + q + b"), goals.record_sent(" + q + b", array[" + q + b"], " + q + b");"
               b"insert into sent values (" + q + b", " + q + b", " + q + b"); insert into acts values (" + q + b", " + q + b");"
               b"update u set n = n + 1, j = " + quoted(key) + b" where k = " + q)
        check(f"{db.name}: {name!r} matches", db.sql(b"select user_key, variant, goal, coalesce(attribute, event), new_value #>> '{}', count(*) from goals.matches(" + q + b")"
                                                    b" group by 1, 2, 3, 4, 5 order by goal <> 'event', goal <> 'json'"),
              b"\n".join([b"|".join([name, name, b"event", name, b"", b"3"]), b"|".join([name, name, b"json", b"j." + (b'"' + name + b'"' if b"." in name else name), name, b"3"]),
                          b"|".join([name, name, name, b"n", b"1", b"3"])]))
        check(f"{db.name}: {name!r} in the figures",
              db.sql(b"select channel, (select sum(matched) from goals.message_stats s where s.message = m.name), (select count(*) from goals.explain(m.name, " + q + b"))"
                     b" from goals.message m where name = " + q), name + b"|9|9")
        # cut or not, its bar is 80 columns wide, which in SQL_ASCII are bytes
        bar = db.sql(b"select * from goals.stats_bar(" + q + b")").split(b"\n")
        decoded = [line.decode(db.codec) for line in bar]
        check(f"{db.name}: {name!r}, width of the bar", {len(line) for line in decoded}, {80})
        if len(name) < 20 and db.encoding not in ("LATIN1", "UTF8"):
            check(f"{db.name}: {name!r} begins its bar", bar[0].startswith(name + b"  "), True)
    campaigns(db, all_names)
    check(f"{db.name}: health()", db.sql(b"select * from goals.health()"), b"")
    check(f"{db.name}: an unknown name", db.sql(b"select goals.record_sent('caf', 'x')", fails=True), b"42704")
    db.sql(b"select goals.roll_up()")
    check(f"{db.name}: every name once", sorted(db.sql(b"select distinct message from goals.message_stats where goal is not null").split(b"\n")), sorted(all_names))
    check(f"{db.name}: verify()", db.sql(b"select * from goals.verify()"), b"")


def campaigns(db, all_names):
    """Rows of a campaigns table, with such ids, names and channels."""
    db.sql(b"create table camp (id text primary key, title text, channel text); create table mails (c text references camp, k text);"
           b"select goals.track_messages('camp', id => 'id', name => 'title', channel => 'channel'), goals.track_receipts('mails', 'c', 'k')")
    for name in all_names:
        row, title = b"i " + name, b"t " + name
        db.sql(b"insert into camp values (" + b", ".join(map(quoted, [row, title, name])) + b"); insert into mails values (" + quoted(row) + b", " + quoted(name) + b")")
        check(f"{db.name}: the campaign {name!r}",
              db.sql(b"select message, sent, (select channel from goals.message where row_key = " + quoted(row) + b") from goals.message_stats where message = " + quoted(title)),
              title + b"|1|" + name)


# --- the report is what it says it is, for every client ----------------------------------------------------------------------------


def reports(db, name):
    # from other encodings PostgreSQL itself has no conversion
    for client in {"UTF8": ("UTF8", "LATIN1", "WIN1252"), "SQL_ASCII": ("SQL_ASCII", "LATIN1")}.get(db.encoding, ("UTF8", db.encoding)):
        text = name.decode(db.codec)
        given = name if "SQL_ASCII" in (client, db.encoding) else text.encode({"UTF8": "utf-8", "LATIN1": "latin-1", "WIN1252": "cp1252"}[client])
        page = psql(db.name, b"select goals.report(" + quoted(given) + b")", client)
        check(f"{db.name}: the report in {client} is ASCII", page.isascii(), True)
        check(f"{db.name}: the report in {client} says so", b'<meta charset="utf-8">' in page, True)
        shown = html.unescape(page.decode("ascii", "replace"))
        wanted = text if db.encoding != "SQL_ASCII" else name.decode("utf-8", "replace")
        check(f"{db.name}: the report in {client} names {wanted}", f"<bdi>{wanted}</bdi>" in shown, True)


# --- the variant a user gets does not depend on the encoding ---------------------------------------------------------------------------

ANSWERS = {}


def assignment(db):
    letters = "\xe9\xfc\xdf\xc9\xf1"
    keys = [a + b for a in letters for b in letters]
    codec = {"UTF8": "utf-8", "SQL_ASCII": "utf-8", "LATIN1": "latin-1", "WIN1252": "cp1252"}[db.encoding]
    db.sql(("insert into u values %s; select goals.create_message('\xe9t\xe9', users => 'u'), goals.set_control_group('\xe9t\xe9', 0.3);"
            "select goals.add_variant('\xe9t\xe9', n::text) from generate_series(1, 20) n;" % ", ".join(f"('{k}')" for k in keys)).encode(codec))
    got = db.sql(("select string_agg(goals.assign('\xe9t\xe9', k), ' ' order by n) from unnest('{%s}'::text[]) with ordinality x (k, n)" % ",".join(keys)).encode(codec))
    check(f"{db.name}: who gets which variant", got, ANSWERS.setdefault("first", got))


# --- operators, compared with PostgreSQL's own -----------------------------------------------------------------------------------


def operators(db, seed):
    rng = random.Random(seed)
    letters = db.alphabet

    def word(most):
        return b"".join(rng.choice(letters) for _ in range(rng.randint(0, most)))

    def swapped(text):
        return text.decode(db.codec).swapcase().encode(db.codec)

    types = ["text", "varchar(9)", "char(9)", "citext"] + [f"{t} collate {c}" for t in ("text", "char(9)") for c in db.collations]
    columns = [f"c{i}" for i in range(len(types))]
    old = [[word(4) for _ in columns] for _ in range(ROWS)]
    new = [[rng.choice([o, swapped(o), o + b" ", word(4), word(4)]) for o in row] for row in old]

    def values(rows):
        return b",".join(b"(%d, %s)" % (i, b", ".join(map(quoted, row))) for i, row in enumerate(rows))

    declared = ", ".join(f"{c} {t}" for c, t in zip(columns, types))
    script = [b"create extension citext; create table old (k int primary key, " + declared.encode() + b"); create table new (like old including all); create table t (like old including all);"
              b"insert into old values " + values(old) + b"; insert into new values " + values(new) + b"; insert into t select * from old;"
              b"select goals.track_users('t', 'k'), goals.create_message('op', users => 't');"
              b"create table goal (name text, k int, changed boolean, before boolean, after boolean);"]
    ignoring = {"contains": "strpos({0}, {1}) > 0", "starts with": "starts_with({0}, {1})", "ends with": "right({0}, length({1})) = {1}"}
    for column, kind in zip(columns, types):
        for operator in ("is changed", "is", "is not", "contains", "starts with", "ends with"):
            for n in range(1 if operator == "is changed" else 3):
                known = rng.choice(new)[int(column[1:])].rstrip(b" ")
                value, name = quoted(rng.choice([word(2), known, swapped(known)])), f"{column} {operator} {n}".encode()
                given = b"null" if operator == "is changed" else value

                def holds(side):
                    if operator == "is changed":
                        return b"false" if side == "old" else b"true"
                    if operator in ignoring:
                        folded = [f'lower({x} collate "{db.lower}")' for x in (f"{side}.{column}::text", "%s::text")]
                        # one argument each: the value may hold what format() would read
                        return ignoring[operator].format(*folded).encode().replace(b"%s", value)
                    own = kind.partition(" collate")[0].encode()
                    return f"{side}.{column} {'=' if operator == 'is' else '<>'} ".encode() + value + b"::" + own

                script.append(b"select goals.set_goal('op', '%s', '%s', %s, '1 day', goal => '%s');" % (column.encode(), operator.encode(), given, name)
                              + b"insert into goal select '%s', k, old.%s is distinct from new.%s, %s, %s from old join new using (k);"
                              % (name, column.encode(), column.encode(), holds("old"), holds("new")))
    sets = ", ".join(f"{c} = new.{c}" for c in columns)
    script.append(b"select goals.record_sent('op', array(select k::text from t)); update t set " + sets.encode() + b" from new where new.k = t.k;")
    db.sql(b"\n".join(script))
    differs = db.sql(b"select g.name, g.changed, g.before, g.after, m.goal is not null, old, new from goal g join old using (k) join new using (k)"
                     b" left join goals.matches('op') m on m.goal = g.name and m.user_key = g.k::text"
                     b" where (m.goal is not null) <> (g.changed and g.after and not g.before) order by 1, g.k limit 5")
    check(f"{db.name}: matches as PostgreSQL's own operators have it (goal, changed, held before, holds after, matched, rows)", differs, b"")
    found, matched = map(int, db.sql(b"select count(*), count(*) filter (where changed and after and not before) from goal").split(b"|"))
    check(f"{db.name}: there was something to find", matched > 2 * ROWS, True)
    return found


def main():
    version = int(psql("postgres", b"show server_version_num", "UTF8"))
    latin = [bytes([c]) for c in b"aApP \xe9\xc9\xdc\xfc\xdf"]
    utf8 = [x.decode("latin-1").encode() for x in latin] + ["\u0434".encode(), "\u0414".encode(), "\u65e5".encode()]
    everywhere = "locale 'C.UTF-8'" if b"C.UTF-8" in psql("postgres", b"select datcollate from pg_database", "UTF8") else "locale 'C'"
    nondeterministic = b"create collation nd (provider = icu, locale = 'und-u-ks-level2', deterministic = false);" \
                       b"create collation base (provider = icu, locale = 'und-u-ks-level1', deterministic = false);"
    icu = psql("postgres", b"select count(*) from pg_collation where collname = 'und-x-icu'", "UTF8") == b"1"
    nd, lower = (["nd", "base", '"und-x-icu"'], "und-x-icu") if icu else ([], None)
    databases = [Database("utf8", "UTF8", everywhere, collations=nd, codec="utf-8", alphabet=utf8, lower=lower or "C.UTF-8"),
                 Database("c", "UTF8", "locale 'C'", collations=nd, codec="utf-8", alphabet=utf8, lower=lower or "C.UTF-8"),
                 Database("latin1", "LATIN1", "locale 'C'", collations=nd, codec="latin-1", alphabet=latin, lower=lower),
                 Database("win1252", "WIN1252", "locale 'C'", collations=[], codec="latin-1", alphabet=[x for x in latin if x.isascii()], lower="C"),
                 Database("ascii", "SQL_ASCII", "locale 'C'", collations=[], codec="latin-1", alphabet=latin + [b"\xc3\xa9"], lower="C")]
    if icu and version >= 150000:
        databases.append(Database("tr", "UTF8", "locale 'C' locale_provider icu icu_locale 'tr'", collations=nd, codec="utf-8", alphabet=utf8 + [b"i"], lower=lower))
    databases = [d for d in databases if not sys.argv[1:] or d.name.removeprefix(BASE + "_") in sys.argv[1:]]
    compared = 0
    for number, database in enumerate(databases):
        with database as db:
            names(db, CHARACTERS if db.encoding == "UTF8" else BYTES)
            assignment(db)
            reports(db, "caf\xe9".encode() if db.codec == "utf-8" else b"caf\xe9")
            if db.collations:
                db.sql(nondeterministic)
            if db.lower:
                compared += operators(db, number)
    for line in errors[:20]:
        print(line)
    print(f"{counted} facts about names and reports in {len(databases)} databases{'' if icu else ' (without ICU)'}, {compared} changes judged as PostgreSQL's own operators do: "
          f"{len(errors)} are wrong")
    sys.exit(bool(errors))


main()
