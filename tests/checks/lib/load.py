"""What the checks that put a server under load have in common: private servers, clients, what must hold in the end."""
import os, random, re, signal, subprocess, sys, threading, time

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..', '..'))

try:
    import psycopg
except ImportError:
    # the check again, by a Python that has it
    python = os.path.join(ROOT, 'tests/checks/lib/python')
    os.execv(python, [python, 'psycopg[binary]', *sys.argv])

TORTURE = float(os.environ.get('TORTURE', 0))  # minutes; 0: as in CI
SEED = int(os.environ.get('SEED', 0)) or random.SystemRandom().randrange(1, 10**9)


class Problem(Exception):
    pass


class Server:
    """A private server in a directory below TEST_TMP, with settings of its own."""

    def __init__(self, name, **settings):
        self.dir = os.path.join(os.environ.get('TEST_TMP') or '/tmp', name)
        conf = self.dir + '.conf'
        with open(os.path.join(ROOT, 'pgrx-config/test.conf')) as base, open(conf, 'w') as out:
            out.write(base.read())
            for key, value in settings.items():
                out.write(f"{key} = '{value}'\n")
        self.conf = conf

    def script(self, command, *more, check=True):
        return subprocess.run([os.path.join(ROOT, 'pgrx-config/server'), command, self.dir, *more], check=check, capture_output=True, text=True)

    def start(self, patience=60):
        until = time.monotonic() + patience
        while True:
            done = self.script('start', self.conf, check=False)
            if done.returncode == 0:
                return self
            if time.monotonic() > until:
                raise Problem(f'the server does not start: {done.stderr}')
            time.sleep(.2)  # the children of a killed postmaster are still ending

    def postmaster(self):
        with open(os.path.join(self.dir, 'data/postmaster.pid')) as f:
            return int(f.readline())

    def kill(self):
        """kill -9 of the whole server: its children notice that it is gone and end."""
        pid = self.postmaster()
        os.kill(pid, signal.SIGKILL)
        for _ in range(300):
            try:
                with open(f'/proc/{pid}/stat') as f:
                    if f.read().rsplit(')', 1)[1].split()[0] == 'Z':
                        os.kill(pid, 0)  # dead, but nobody has asked after it yet: to pg_ctl it still runs
            except (FileNotFoundError, ProcessLookupError):
                return
            time.sleep(.05)
        raise Problem('the killed server does not go away')

    def bin(self, program):
        with open(os.path.join(self.dir, 'pg_config.path')) as f:
            return os.path.join(os.path.dirname(f.read().strip()), program)

    def connect(self, dbname='postgres', **more):
        return psycopg.connect(host=self.dir, port=5432, dbname=dbname, autocommit=True, **more)

    def wait(self, dbname='postgres', patience=60):
        until = time.monotonic() + patience
        while True:
            try:
                return self.connect(dbname)
            except psycopg.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(.05)

    def log(self):
        with open(os.path.join(self.dir, 'log'), errors='replace') as f:
            return f.read()

    def remove(self):
        if sys.exc_info()[0] is not None and os.environ.get('KEEP_FAILED'):
            self.keep(os.path.join(ROOT, os.environ['KEEP_FAILED'], os.path.basename(self.dir)))
        self.script('remove', check=False)

    def keep(self, where):
        """What a failure leaves to look at: the log, and the databases where the server still answers."""
        os.makedirs(where, exist_ok=True)
        with open(os.path.join(where, 'log'), 'w') as out:
            out.write(self.log())
        with open(os.path.join(where, 'dump.sql'), 'w') as out:
            subprocess.run([self.bin('pg_dumpall'), '-h', self.dir, '-p', '5432'], stdout=out, stderr=subprocess.DEVNULL, timeout=600, check=False)


def complaints(log, killed=False):
    """Lines that no server under our extension may write. killed: signal 9 is our own doing."""
    bad = re.compile(r'PANIC:|TRAP:|terminated by signal|refcount leak|reference leak|snapshot .*leak|leak:|still referenced|not owned by resource owner'
                     r'|ERROR: .*XX000|could not open relation|unrecognized|cache lookup failed|panicked|tuple concurrently| XX\w\w\w ')
    return [l for l in log.splitlines() if bad.search(l) and not (killed and 'terminated by signal 9' in l)]


def limit_to(pid, size):
    """The address space of a backend, as the user whom it belongs to."""
    with open(f'/proc/{pid}/status') as f:
        user, group = (next(line.split()[1] for line in f if line.startswith(what)) for what in ('Uid', 'Gid'))
    as_owner = ['setpriv', f'--reuid={user}', f'--regid={group}', '--clear-groups'] if os.getuid() == 0 else []
    subprocess.run([*as_owner, 'prlimit', '--pid', str(pid), f'--as={size}:'], check=True)


class Clients:
    """Threads that work until told to stop; what goes wrong in one of them goes wrong in the check."""

    def __init__(self):
        self.stop = threading.Event()
        self.threads, self.problems, self.tally, self.lock = [], [], {}, threading.Lock()

    def count(self, what, n=1):
        with self.lock:
            self.tally[what] = self.tally.get(what, 0) + n

    def go(self, work, *args):
        def body():
            try:
                work(*args)
            except Exception as e:
                import traceback
                self.problems.append(f'{work.__name__}: {type(e).__name__}: {e}\n{traceback.format_exc(limit=-4)}')
                self.stop.set()
        thread = threading.Thread(target=body, daemon=True)
        thread.start()
        self.threads.append(thread)

    def end(self):
        self.stop.set()
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join(120)
            if thread.is_alive():
                self.problems.append('a client does not come back')
        if self.problems:
            raise Problem('\n'.join(self.problems[:5]))


def main(check):
    """Runs a check; its result is the last line."""
    began = time.monotonic()
    try:
        line = check()
    except Problem as e:
        print(f'seed {SEED}: {e}')
        sys.exit(1)
    print(f'{line}; {time.monotonic() - began:.0f} s, seed {SEED}')
