"""The SQL of the extension, read by pgspot statement by statement: the install and upgrade scripts, and the statements in the Rust source.
pgspot by itself stops at the first function it cannot read, without a word in its figures; here that is a finding like any other.

Beyond pgspot: SQL that is put together at run time (EXECUTE, format!) and, in Rust, relations without a schema are findings. What is allowed is
in pgrx-config/pgspot-allow, with a reason; an entry that allows nothing any more is an error.
"""
import argparse, glob, re, sys
from pglast import parse_sql, parser
from pglast.visitors import Visitor
from pgspot.state import Counter, State
from pgspot.visitors import visit_sql

ALLOW = 'pgrx-config/pgspot-allow'


class Findings(Counter):
    """pgspot's counter, which notes what it would print."""

    def __init__(self):
        super().__init__(argparse.Namespace(summary_only=False, ignore=[], ignore_lang=[], plpgsql=True, proc_without_search_path=[], sql_fn=[]))
        self.where, self.found = None, []

    def note(self, code, context):
        self.found.append((self.where, code, ' '.join(str(context).split())))

    def warn(self, code, context):
        self.note(code, context)

    error = warn

    def unknown(self, message):
        self.note('unknown', message)


def readable(statement):
    """pgspot's parser of PL/pgSQL knows no row types, whose variables are records to it, and takes what RETURN NEXT returns for a statement."""
    statement = re.sub(r'\bRETURN NEXT (?=[^;])', 'PERFORM ', statement)
    # nor a body that is parsed when the function is made, with the path of the script, and has no path of its own
    statement = re.sub(r'(?ms)^(LANGUAGE sql [A-Z ]+)\nRETURN (.*)\Z', r'\1\nSET search_path = pg_catalog, pg_temp AS $$ SELECT \2 $$', statement)
    statement = re.sub(r'(?ms)^(LANGUAGE sql [A-Z ]+)\nBEGIN ATOMIC\n(.*)\nEND\s*\Z', r'\1\nSET search_path = pg_catalog, pg_temp AS $$ \2 $$', statement)
    return re.sub(r'(?m)^(\s+\w+\s+(?:CONSTANT\s+)?)goals\.\w+(\s*(?:;|:=))', r'\1record\2', statement)


def read(findings, state, statement):
    try:
        visit_sql(state, readable(statement), toplevel=True)
    except Exception as error:
        findings.note('unreadable', f'{" ".join(statement.split())[:80]}: {error}')


def script(findings, path, name):
    findings.where = name
    state = State(findings)
    if re.search(r'--.*--', name):
        state.created_schemas.append('goals')   # by the script that installed it
    text = re.sub(r'(?m)^\\.*$', '', open(path, encoding='utf8').read())
    statements = parser.split(text)
    for statement in statements:
        read(findings, state, statement)
        for line in statement.splitlines():
            if re.search(r'\bEXECUTE\b(?!\s+(?:FUNCTION|PROCEDURE|ON)\b)', re.sub(r"--.*|'[^']*'", '', line), re.I):
                findings.note('dynamic', line.strip())
    return len(statements)


# --- Rust --------------------------------------------------------------------------------------------------------------------

CALL = re.compile(r'\b(?:spi::|super::spi::)(?:run|one|number)\s*\(\s*')
LITERAL = re.compile(r'(&format!\(\s*)?"((?:[^"\\]|\\.)*)"', re.S)
# what the placeholders of format! stand for
SAMPLE = {'name': '"sample"', 'wanted': 'pg_goals_1', 'on': 'goals.sample', 'table': 'goals.sample', 'events': 'UPDATE', 'function': 'goals.capture', 'id': '1', 'users_column': 'users_source_id'}


class Unqualified(Visitor):
    def __init__(self, findings):
        super().__init__()
        self.findings = findings

    def visit_RangeVar(self, ancestors, node):
        if node.schemaname is None and not node.relname.startswith('pg_'):
            self.findings.note('unqualified', node.relname)


def unescape(text):
    text = re.sub(r'\\\n\s*', '', text)
    return text.replace('\\"', '"').replace('\\\\', '\\')


def rust(findings, path):
    findings.where = path
    source = open(path, encoding='utf8').read()
    # what runs under as_owner has its search path; the worker has the server's
    owner = '.as_owner(' in source
    count = 0
    for call in CALL.finditer(source):
        count += 1
        literal = LITERAL.match(source, call.end())
        if not literal:
            findings.note('not a literal', source[call.start():call.end() + 40])
            continue
        text = unescape(literal.group(2))
        if literal.group(1):
            findings.note('dynamic', text)
            text = re.sub(r'\{(\w+)\}', lambda m: SAMPLE.get(m.group(1), '{' + m.group(1) + '}'), text)
        state = State(findings)
        state.searchpath_secure = bool(owner)
        read(findings, state, text)
        try:
            for statement in parse_sql(text):
                Unqualified(findings)(statement.stmt)
        except Exception:
            pass   # said by read()
    return count


def allowed():
    """Lines `FILE | CODE | CONTEXT | REASON`; FILE may hold *."""
    entries = []
    for number, line in enumerate(open(ALLOW, encoding='utf8'), 1):
        line = line.strip()
        if line and not line.startswith('#'):
            parts = [part.strip() for part in line.split(' | ')]
            if len(parts) != 4 or not parts[3]:
                sys.exit(f'{ALLOW}, line {number}: not FILE | CODE | CONTEXT | REASON')
            entries.append((number, parts))
    return entries


def main():
    findings = Findings()
    scripts = [(p, p.split('/')[-1]) for p in sorted(glob.glob('build/pg_goals--*.sql')) + sorted(glob.glob('sql/pg_goals--*--*.sql'))]
    if not scripts:
        sys.exit('there is no script in build/: make scripts')
    statements = sum(script(findings, path, name) for path, name in scripts)
    calls = 0
    for path in sorted(glob.glob('src/**/*.rs', recursive=True)):
        if path != 'src/pg/spi.rs':
            calls += rust(findings, path)
    if calls < 20:
        sys.exit(f'only {calls} statements found in src/: are they called otherwise now?')
    if 'set(c"search_path", c"pg_catalog, pg_temp")' not in open('src/pg/role.rs').read():
        sys.exit('src/pg/role.rs does not set the search path that the statements in src/ are read with')

    import fnmatch
    entries, used, left = allowed(), set(), []
    for where, code, context in findings.found:
        match = [n for n, (file, c, text, _) in entries if fnmatch.fnmatchcase(where, file) and c == code and text == context]
        used.update(match)
        if not match:
            left.append(f'{where} | {code} | {context} |')
    for line in sorted(set(left)):
        print(line)
    stale = [n for n, _ in entries if n not in used]
    for n in stale:
        print(f'{ALLOW}, line {n}: allows nothing any more')
    if left or stale:
        print(f'{len(set(left))} findings not allowed, {len(stale)} allowances without use')
        return 1
    print(f'{statements} statements of {len(scripts)} scripts and {calls} in src/ are clean; {len(entries)} findings allowed, each with a reason')
    return 0


if __name__ == '__main__':
    sys.exit(main())
