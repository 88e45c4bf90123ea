"""Calls of every function of schema goals with arguments drawn from values.py, thousands a round trip, and what may come of them."""
import os, random, re, threading, time
from load import ROOT, SEED, Problem, limit_to, psycopg
import values as drawn

HERE = os.path.dirname(os.path.abspath(__file__))
ONE_CALL = float(os.environ.get('ONE_CALL', 60))  # seconds after which a single call hangs
# The server's own words, under a SQLSTATE that is in docs/reference.md; it gives no hint with them.
SERVERS_OWN = r'^cannot execute .* in a read-only transaction$|^permission denied for '
# Of functions that are not documented, only the class is: a wrong value, a limit, a constraint of our own tables.
# Messages that are gone, or have another name, are met by no other call: they are dropped at the end.
ONLY_UNDONE = ('drop_message', 'rename_message')
INTERNAL = ('22', '23', '54')


def documented():
    """The SQLSTATEs of the section Errors of docs/reference.md, and the functions of its section Functions."""
    with open(os.path.join(ROOT, 'docs/reference.md')) as f:
        page = f.read()
    states = re.findall(r'^\| `(\w{5})` \|', page.split('\n## Errors\n')[1].split('\n## ')[0], re.M)
    functions = set(re.findall(r'`(\w+)\(', page.split('\n## Functions\n')[1].split('\n## Operators\n')[0]))
    assert len(states) >= 10 and len(functions) >= 30
    return states, functions


class Function:
    def __init__(self, n, oid, name, signature, types, names, public, result, absent):
        self.n, self.oid, self.name, self.signature, self.types, self.names = n, oid, name, signature, types, names or []
        self.public, self.trigger, self.void, self.absent = public, result == 'trigger', result == 'void', absent
        self.schema = signature.split('.')[0]
        self.names += [''] * (len(types) - len(self.names))
        self.done, self.took, self.tally, self.slowest = 0, 0.0, {}, 0.0


class Fuzz:
    """One database and the one session that calls in it."""

    def __init__(self, server, dbname, checked_encoding):
        self.server, self.dbname, self.rand = server, dbname, random.Random(f'{SEED} {dbname}')
        self.states, public = documented()
        self.wrong = {}
        self.c, self.other = self.connect(), None
        general, named = drawn.values(checked_encoding)
        self.store(general, named)
        rows = self.c.execute("""select p.oid, p.proname::text, p.oid::regprocedure::text, array(select t::regtype::text from unnest(p.proargtypes) with ordinality u (t, n) order by n),
                p.proargnames[1:p.pronargs], l.lanname::text, p.prorettype::regtype::text,
                array(select n - 1 from generate_series(1, p.pronargs) n where pg_get_function_arg_default(p.oid, n) like 'NULL::%')
            from pg_proc p join pg_language l on l.oid = p.prolang where p.pronamespace in ('goals'::regnamespace, 'goals_internal'::regnamespace) order by 3""").fetchall()
        self.functions = [Function(n, oid, name, signature, types, names, name in public, result, absent) for n, (oid, name, signature, types, names, _, result, absent) in enumerate(rows)]
        for f in self.functions:
            self.prepare(f)
        self.functions = [f for f in self.functions if re.search(os.environ.get('ONLY', ''), f.signature)]

    def connect(self):
        c = self.server.connect(self.dbname, prepare_threshold=None)
        c.execute("set client_min_messages = error; set client_encoding = 'UTF8'; create temp table own_temporary (id int primary key, plan text)")
        return c

    def reconnect(self):
        self.c = self.server.wait(self.dbname)
        self.c.close()
        self.c = self.connect()

    def store(self, general, named):
        """A table a type; the place of each list in it."""
        self.c.execute('create schema fuzz; grant usage on schema fuzz to public')
        # Which value, for a number at random. In tame calls those that make sense there, as most calls get nowhere otherwise.
        self.c.execute("""create function fuzz.pick(h bigint, tame boolean, nulls int, apt int, apt_n int, general int, general_n int, big int, big_n int) returns int language sql immutable as $$
            select case when h & 1023 < nulls then 0
                        when h & 1023 < nulls + 4 and big_n > 0 and not tame then big + (h >> 10 & 1048575)::int % big_n
                        when (h & 1023 < 850 or tame) and apt_n > 0 then apt + (h >> 10 & 1048575)::int % apt_n
                        else general + (h >> 10 & 1048575)::int % general_n end $$""")
        self.places = {}
        for type_name, (usual, big) in general.items():
            table = 'fuzz."' + type_name + '"'
            self.c.execute(f'create table {table} (i int primary key, said text, v {type_name})')
            lists = [(None, usual), ('', big)] + [(name, apt) for (of, name), apt in named.items() if of == type_name]
            i = 1
            self.c.execute(f"insert into {table} values (0, 'null::{type_name}', null)")
            for name, expressions in lists:
                begin = i
                for said in expressions:
                    said = f'({said})::{type_name}'
                    try:
                        self.c.execute(f'insert into {table} values ({i}, %s, {said.replace("%", "%%")})', (said,))
                        i += 1
                    except psycopg.Error as e:
                        if e.sqlstate[:2] not in ('22', '54', '42', '0A'):  # no value of this type, says PostgreSQL
                            raise
                if i == begin and expressions:
                    raise Problem(f'{self.dbname}: none of the values of {type_name} {name or ""} is one')
                self.places[type_name, name] = (begin, i - begin)
            self.c.execute(f'grant select on {table} to public')

    def prepare(self, f):
        """A server-side loop over calls of f; the k-th call of a seed is the same for ever, and each is undone if wished."""
        declared, picks, arguments = [], [], []
        f.variadic = self.c.execute('select provariadic <> 0 from pg_proc where oid = %s', (f.oid,)).fetchone()[0]
        for a, (type_name, name) in enumerate(zip(f.types, f.names)):
            if (type_name, None) not in self.places:
                raise Problem(f'{f.signature}: tests/fuzz/values.py has no values of type {type_name}')
            apt, general, big = (self.places.get((type_name, key), (0, 0)) for key in (name or '-', None, ''))
            declared.append(f'k{a} int;')
            # A parameter that is NULL by default is so in half of the tame calls.
            nulls = f'case when k & 2 = 0 then 50 else {500 if a in f.absent else 10} end'
            picks.append(f'k{a} := fuzz.pick(hashint8extended(k * 16 + {a}, seed), k & 2 > 0, {nulls}, {apt[0]}, {apt[1]}, {general[0]}, {general[1]}, {big[0]}, {big[1]});')
            variadic = 'variadic ' if f.variadic and a == len(f.types) - 1 else ''
            arguments.append(f'{variadic}(select v from fuzz."{type_name}" where i = k{a})')
        call = f'{f.schema}."{f.name}"({", ".join(arguments)})'
        used = 'count(*)' if f.void or f.trigger else 'sum(length(x::text))'
        in_from = f'perform {used} from {call} x' if not f.trigger else f'perform {call}'
        f.said = 'concat_ws(\', \', ' + ', '.join(f'(select said from fuzz."{t}" where i = k{a})' for a, t in enumerate(f.types)) + ')' if f.types else "''"
        f.picks = ' '.join(picks)
        self.c.execute(f"""create function fuzz.f{f.n}(seed bigint, first bigint, last bigint, undo boolean, states text[], classes text[],
                out tally jsonb, out bad text[], out slowest float8, out slowest_k bigint) language plpgsql as $f$
            declare {' '.join(declared)} began timestamptz; ms float8; state text; message text; hint text;
            begin
                tally := '{{}}'; bad := '{{}}'; slowest := 0;
                for k in first..last loop
                    {f.picks}
                    began := clock_timestamp();
                    state := 'done';
                    begin
                        if k & 1 = 0 then {in_from}; else perform {call}; end if;
                        if undo then raise exception using errcode = 'FZ000', message = 'undone'; end if;
                    exception when others then
                        state := sqlstate;
                        if state = 'FZ000' then state := 'done';
                        else
                            get stacked diagnostics message = message_text, hint = pg_exception_hint;
                            message := encode(convert_to(left(message, 400), getdatabaseencoding()), 'escape');
                            if not (state = any (states) or left(state, 2) = any (classes)) then bad := bad || array[k::text, state, message, 'this SQLSTATE is not documented'];
                            elsif coalesce(message, '') = '' then bad := bad || array[k::text, state, '', 'no message'];
                            elsif coalesce(hint, '') = '' and cardinality(classes) = 0 and message !~ '{SERVERS_OWN}' then bad := bad || array[k::text, state, message, 'no hint'];
                            end if;
                            if cardinality(bad) > 40 then exit; end if;
                        end if;
                    end;
                    tally := tally || jsonb_build_object(state, coalesce((tally->>state)::int, 0) + 1);
                    ms := extract(epoch from clock_timestamp() - began);
                    if ms > slowest then slowest := ms; slowest_k := k; end if;
                end loop;
            end $f$""")
        self.c.execute(f"""create function fuzz.said{f.n}(seed bigint, k bigint) returns text language plpgsql as $f$ declare {' '.join(declared)} begin {f.picks} return {f.said}; end $f$""")

    def call_text(self, f, seed, k):
        args = (self.other or self.c).execute(f'select fuzz.said{f.n}(%s, %s)', (seed, k)).fetchone()[0]
        if isinstance(args, bytes):
            args = args.decode('utf-8', 'backslashreplace')
        return f'select * from {f.schema}."{f.name}"({args});' if k & 1 == 0 else f'select {f.schema}."{f.name}"({args});'

    def batch(self, f, seed, first, last, undo=True, before='begin'):
        """Calls first..last in one transaction. Problem: what came of it that may not."""
        limit = max(ONE_CALL, 60)
        where = f'{self.dbname}, {before}, seed {seed}'
        pid = self.c.info.backend_pid
        hung = threading.Timer(limit + 20, lambda: os.kill(pid, 9))  # a loop that does not look for interrupts
        hung.start()
        try:
            for statement in (before, f"set local statement_timeout = '{limit:.0f}s'"):
                self.c.execute(statement)
            tally, bad, slowest, slowest_k = self.c.execute(f'select * from fuzz.f{f.n}(%s, %s, %s, %s, %s, %s)', (seed, first, last, undo, self.states, [] if f.public else list(INTERNAL))).fetchone()
            user, path, still = self.c.execute("select session_user = current_user or current_user = 'stranger', current_setting('search_path'), current_setting('timezone')").fetchone()
            self.c.execute('commit')
        except psycopg.Error as e:
            hung.cancel()
            if self.c.broken or e.sqlstate in ('57P01', '57P02', None):
                self.reconnect()
                if first < last:  # which of them?
                    middle = (first + last) // 2
                    self.batch(f, seed, first, middle, undo, before)
                    self.batch(f, seed, middle + 1, last, undo, before)
                raise Problem(f'the backend is gone ({where}): {e}\n  {self.call_text(f, seed, first)}') from e
            self.c.execute('rollback')
            if e.sqlstate == '57014':
                if first < last:
                    middle = (first + last) // 2
                    return [self.batch(f, seed, first, middle, undo, before), self.batch(f, seed, middle + 1, last, undo, before)][1]
                raise Problem(f'not done after {limit} s ({where}):\n  {self.call_text(f, seed, first)}') from e
            raise Problem(f'{e.sqlstate} {e} ({where}):\n  {self.call_text(f, seed, first)}') from e
        finally:
            hung.cancel()
        for k, state, message, why in (bad[i:i + 4] for i in range(0, len(bad), 4)):
            self.wrong.setdefault((f.signature, state, re.sub(r'".*"|\d+', '', message[:100])), f'{why}: {state} {message[:300]} ({where})\n  {self.call_text(f, seed, int(k))[:2000]}')
        if slowest > ONE_CALL:
            raise Problem(f'{slowest:.1f} s for one call ({where}):\n  {self.call_text(f, seed, slowest_k)}')
        if not user or path != '"$user", public' or still != 'UTC':
            raise Problem(f'{f.signature} left the session changed: search_path {path}, timezone {still} ({where}, calls {first} to {last})')
        for state, n in tally.items():
            f.tally[state] = f.tally.get(state, 0) + n
        f.done += last - first + 1
        f.slowest = max(f.slowest, slowest)

    def fingerprint(self):
        """Every row of the extension and every trigger: what a failed or undone call must not change."""
        tables = [t for t, in self.c.execute("select oid::regclass::text from pg_class where relnamespace = 'goals'::regnamespace and relkind = 'r' order by 1").fetchall()]
        tables += ['pg_trigger', 'pg_proc']
        return {t: self.c.execute(f"select count(*), md5(string_agg(md5(t::text), '' order by md5(t::text))) from {t} t").fetchone() for t in tables}

    def judge(self):
        if self.wrong:
            raise Problem(f'{len(self.wrong)} kinds of undocumented errors in {self.dbname}\n' + '\n'.join(list(self.wrong.values())[:30]))

    def works(self):
        """A simple update still matches, and the totals are right."""
        c = self.c
        c.execute("select goals.track_users('users', 'id')")
        c.execute("delete from users where id = -1")
        c.execute("insert into users (id) values (-1)")
        message = f'still works {time.monotonic_ns()}'
        c.execute("select goals.create_message(%s, users => 'users')", (message,))
        c.execute("select goals.set_goal(%s, 'plan', 'is', 'pro', '1 day')", (message,))
        c.execute("select goals.record_sent(%s, -1::bigint)", (message,))
        c.execute("update users set plan = 'pro' where id = -1")
        if c.execute("select sent, matched from goals.message_stats where message = %s", (message,)).fetchall() != [(1, 1)]:
            raise Problem(f'{self.dbname}: an update is no longer matched')
        self.verify()

    def verify(self):
        if wrong := self.c.execute('select * from goals.verify()').fetchall():
            raise Problem(f'{self.dbname}: verify(): {wrong[:5]}')

    # --- what is done with the functions ---------------------------------------------------------------------------------

    MODES = ['begin'] * 5 + ['begin isolation level serializable', 'begin read only', "begin; set local role stranger", "begin; set local work_mem = '64kB'; set local enable_indexscan = off"]

    def undone(self, inputs, seconds):
        """`inputs` calls of each function, every one undone, so that each meets the same database. Where the time is not enough, dear functions get
        fewer than cheap ones, and the figures say so."""
        before, began = self.fingerprint(), time.monotonic()
        waiting = list(self.functions)
        while waiting and time.monotonic() - began < seconds:
            for f in list(waiting):
                if time.monotonic() - began > seconds:
                    break
                # without arguments there is one input, tried in every mode
                n = min((inputs if f.types else min(inputs, 200)) - f.done, max(10, min(500, int(f.done / f.took * .4))) if f.took else 20)
                if n <= 0:
                    waiting.remove(f)
                    continue
                at = time.monotonic()
                self.batch(f, self.rand.randrange(1 << 40), 1, n, before=self.rand.choice(self.MODES))
                f.took += time.monotonic() - at
        self.judge()
        if (after := self.fingerprint()) != before:
            raise Problem(f'{self.dbname}: calls that failed or were undone have changed ' + ', '.join(t for t in before if before[t] != after[t]))
        self.works()

    def limited(self, batches):
        """Calls in a backend that may take little more memory than it has: 53200 is an outcome too, the end of the session is not, for what
        an application's senders call; of statistics with figures made up it is, as long as the server goes on."""
        self.other, self.states = self.c, self.states + ['53200']
        for n in range(batches):
            self.c = self.connect()
            pid = self.c.info.backend_pid
            try:
                # what the library needs to be there at all
                self.c.execute("select goals.assign('welcome', 1::bigint)")
                with open(f'/proc/{pid}/status') as f:
                    used = next(int(line.split()[1]) for line in f if line.startswith('VmSize:')) * 1024
                limit_to(pid, used + self.rand.choice((2, 4, 8, 16, 32, 64)) * 2**20)
                f = self.rand.choice(self.functions)
                for undo in (True,) if f.name in ONLY_UNDONE else (True, False):
                    try:
                        self.batch(f, self.rand.randrange(1 << 40), 1, 10, undo=undo)
                    except Problem as problem:
                        # (a regular expression of the server's says so with a SQLSTATE of its own)
                        of_senders = f.name in ('assign', 'deliver') or f.name.startswith('record_')
                        if 'out of memory' not in str(problem) or of_senders and 'the backend is gone' in str(problem):
                            raise
                        if self.c.closed or self.c.broken:
                            break
            finally:
                self.c.close()
        self.c, self.other, self.states = self.other, None, self.states[:-1]
        self.wrong = {kind: text for kind, text in self.wrong.items() if 'out of memory' not in text}
        self.judge()
        self.works()

    def kept(self, batches):
        """Calls of the documented functions that are not undone, in any order, rolled up and verified in between."""
        public = [f for f in self.functions if f.public and f.name not in ONLY_UNDONE]
        for n in range(batches):
            self.batch(self.rand.choice(public), self.rand.randrange(1 << 40), 1, self.rand.choice((1, 5, 20)), undo=False)
            if n % 7 == 0:
                self.c.execute('select goals.roll_up()')
            if n % 25 == 0:
                self.verify()
                self.c.execute('select count(*) from goals.health()')
        self.judge()
        for view in ('message_stats', 'variant_stats', 'outcome'):
            self.c.execute(f'select count(*), sum(length(x::text)) from goals.{view} x').fetchall()
        self.works()
        self.c.execute("select goals.drop_message(name) from goals.message where name <> 'welcome' and message_id % 2 = 0")
        self.verify()
        for _ in range(2):
            self.c.execute('select goals.roll_up()')
            self.verify()
        self.works()
