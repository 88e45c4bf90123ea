"""What the figures are measured with: a private server, sessions whose own CPU time and memory are known, pgbench, interleaved rounds."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
SMALL = bool(os.environ.get("SMALL"))
CPUS = len(os.sched_getaffinity(0))
ROUNDS = int(os.environ.get("ROUNDS", 2 if SMALL else 5))


def sized(full, small):
    """A figure's size, and the one that is enough to see that it works."""
    return small if SMALL else full


def say(text):
    print(text, file=sys.stderr, flush=True)


# Processor time ---------------------------------------------------------------------------------------------------------


def cpu_of(pid):
    """Seconds a process has been on a processor, to the nanosecond where the kernel keeps it."""
    fine = Path(f"/proc/{pid}/schedstat")
    if fine.exists():
        return int(fine.read_text().split()[0]) / 1e9
    # The name of the program may hold anything; the fields after it are counted from the third.
    user, system = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def memory_of(pid):
    """Bytes of a process that are its own: not the shared buffers it has touched so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"^RssAnon:\s+(\d+) kB", status, re.M).group(1)) * 1024


class Peak(threading.Thread):
    """Looks at a process all the while for the most memory it has of its own: the kernel keeps that only together with shared memory."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.ended, self.bytes = pid, threading.Event(), memory_of(pid)

    def run(self):
        while not self.ended.wait(0.005):
            try:
                self.bytes = max(self.bytes, memory_of(self.pid))
            except OSError:
                return

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


# The server -------------------------------------------------------------------------------------------------------------


class Server:
    """Made by pgrx-config/server for this run, and gone with it."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="pg_goals.", dir=os.environ.get("TMPDIR", "/tmp")))
        self.dir.chmod(0o711)  # the server's user has to pass through
        self.command = str(ROOT / "pgrx-config/server")
        self.home = self.dir / "s"

    def start(self):
        self.empty_trigger = self.compile("empty")
        subprocess.run([self.command, "start", self.home, HERE / "bench.conf"], check=True)
        shell = subprocess.check_output([self.command, "env", self.home], text=True)
        for name, value in re.findall(r"(PGHOST|PGPORT|PGUSER)=(\S+)", shell):
            os.environ[name] = value
        for name in re.search(r"^unset (.*)$", shell, re.M).group(1).split():
            os.environ.pop(name, None)
        bindir = Path(re.search(r"PG_CONFIG=(\S+)", shell).group(1)).parent
        os.environ["PATH"] = f"{bindir}:{os.environ['PATH']}"
        self.session = Session("postgres")

    def compile(self, name):
        """A C file of ours as a library that the server can load."""
        library = self.dir / f"{name}.so"
        include = headers(os.environ.get("PG_CONFIG", "pg_config"))
        subprocess.run(["cc", "-O2", "-shared", "-fPIC", f"-I{include}", HERE / f"{name}.c", "-o", library], check=True)
        library.chmod(0o755)
        return library

    def create(self, database, script=None, **variables):
        """A database, empty or made by a script of this directory."""
        self.drop(database)
        self.session.run(f'create database "{database}" template template0')
        if script:
            settings = [f"-v{name}={value}" for name, value in variables.items()]
            run_psql(database, *settings, "-f", HERE / script)

    def create_users(self, database, rows, every, fillfactor=50):
        """A database with a users table, one user in so many with a receipt, and the peers."""
        self.create(database, "peers.sql", rows=rows, every=every, fillfactor=fillfactor, empty=self.empty_trigger)

    def drop_all(self):
        for database in self.session.run("select datname from pg_database where datname not in ('postgres', 'template0', 'template1')").split():
            self.drop(database)

    def drop(self, database):
        self.session.run(f'set client_min_messages = warning; drop database if exists "{database}" with (force)')

    def checkpoint(self):
        self.session.run("checkpoint")

    def remove(self):
        if self.home.exists():
            subprocess.run([self.command, "remove", self.home], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)

    def build(self):
        """What tells one build from another: the commit does not say what else was changed."""
        digest = hashlib.sha256()
        for kind, end in (("pkglib", ".so"), ("share", ".sql")):
            directory = Path(subprocess.check_output(["pg_config", f"--{kind}dir"], text=True).strip())
            for path in sorted(directory.rglob(f"pg_goals*{end}")):
                digest.update(path.read_bytes())
        return digest.hexdigest()[:12]

    def describe(self):
        cpu = Path("/proc/cpuinfo").read_text()
        model = re.search(r"^model name\s*: (.*)$", cpu, re.M)
        memory = int(re.search(r"^MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text(), re.M).group(1))
        commit = subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True, text=True)
        version = re.search(r'^version *= *"(.*)"', (ROOT / "Cargo.toml").read_text(), re.M).group(1)
        settings = [line for line in (HERE / "bench.conf").read_text().splitlines() if line and line[0] != "#"]
        return {
            "machine": f"{CPUS} core{'' if CPUS == 1 else 's'} of an {model.group(1) if model else platform.machine()}, {memory / 2**20:.0f} GB",
            "system": f"{os_name()}, Linux {platform.release()}",
            "postgresql": self.session.run("show server_version"),
            "pg_goals": f"{version} ({commit.stdout.strip() or 'no git'})",
            "build": self.build(),
            "settings": settings,
        }


def headers(pg_config):
    """Where the server's headers are: with the machine's pg_config of that version, if a private copy of the server has none."""
    version = subprocess.check_output([pg_config, "--version"])
    for candidate in (pg_config, *(f"{path}/pg_config" for path in os.environ["PATH"].split(":"))):
        if shutil.which(candidate) and subprocess.check_output([candidate, "--version"]) == version:
            include = subprocess.check_output([candidate, "--includedir-server"], text=True).strip()
            if Path(include, "postgres.h").exists():
                return include
    raise RuntimeError("PostgreSQL's server headers are not there; 'make setup' installs them")


def os_name():
    found = re.search(r'^PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text(), re.M)
    return found.group(1) if found else platform.system()


def run_psql(database, *arguments):
    command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout.strip()


def psql(database, sql):
    return run_psql(database, "-c", sql)


def middle(values):
    """The median of those that are known."""
    known = [v for v in values if v is not None]
    return median(known) if known else None


def check_goals(session):
    """Refuses to measure goals that are never evaluated: there is at least one goal, and nothing keeps any from being evaluated."""
    count, broken = session.run("select count(*), count(goals_internal.goal_problem(goal_id)) from goals.goal").split("|")
    if count == "0" or broken != "0":
        problem = session.run("select min(goals_internal.goal_problem(goal_id)) from goals.goal")
        raise RuntimeError(f"{broken} of {count} goals are broken: {problem or 'there is none'}")


# Measuring --------------------------------------------------------------------------------------------------------------


@dataclass
class Sample:
    """One measurement: seconds (or another unit) on the clock, and of the processor."""

    wall: float
    cpu: float | None = None

    @staticmethod
    def middle(samples):
        """The medians of several."""
        return Sample(middle([s.wall for s in samples]), middle([s.cpu for s in samples]))


class Session:
    """A psql that stays connected, for statements whose backend's CPU time is wanted."""

    def __init__(self, database):
        self.errors = tempfile.TemporaryFile("w+")
        command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self.errors, text=True, bufsize=1)
        self.pid = int(self.run("select pg_backend_pid()"))

    def run(self, sql):
        """The statement's result as psql prints it unaligned."""
        self.process.stdin.write(f"{sql};\n\\echo ---\n")
        lines = []
        for line in self.process.stdout:
            if line == "---\n":
                return "\n".join(lines)
            lines.append(line.rstrip("\n"))
        self.errors.seek(0)
        raise RuntimeError(f"{sql}\n{self.errors.read()}")

    def timed(self, sql):
        """What the statement took, and its result."""
        cpu, wall = cpu_of(self.pid), time.perf_counter()
        result = self.run(sql)
        return Sample(time.perf_counter() - wall, cpu_of(self.pid) - cpu), result

    def time(self, sql):
        return self.timed(sql)[0]

    def memory(self):
        return memory_of(self.pid)

    def peak(self, sql):
        """Seconds, and by how many bytes the backend's own memory has at most grown meanwhile."""
        before = self.memory()
        with Peak(self.pid) as peak:
            sample = self.time(sql)
        return sample, peak.bytes - before

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        if error:
            self.process.kill()  # it may be in the middle of a long statement
        self.close()


@dataclass
class Load:
    """What pgbench saw: transactions a second, their latency, and the processor time of a backend for each."""

    transactions: int
    rate: float
    latency: float
    p99: float
    cpu: float | None

    def sample(self):
        """Throughput, and the transactions that a second of processor time would be enough for."""
        return Sample(self.rate, 1 / self.cpu if self.cpu else None)


def pgbench(server, database, scripts, clients, seconds=None, transactions=None, **variables):
    """Prepared statements by so many clients; scripts maps text to weight. The processor time is that of the backends between the
    first and the last look at them, over the transactions that ended meanwhile: connecting is not in it."""
    directory = Path(tempfile.mkdtemp(dir=server.dir))
    command = ["pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, CPUS)), "-l"]
    command += ["-T", str(seconds)] if seconds else ["-t", str(transactions)]
    for i, (script, weight) in enumerate(scripts.items()):
        (directory / f"{i}.sql").write_text(script)
        command += ["-f", f"{i}.sql@{weight}"]
    for name, value in variables.items():
        command += ["-D", f"{name}={value}"]
    with open(directory / "out", "w+") as out, open(directory / "errors", "w+") as errors:
        process = subprocess.Popen([*command, database], cwd=directory, stdout=out, stderr=errors)
        looks = watched(server, process, clients)
        out.seek(0), errors.seek(0)
        said, complained = out.read(), errors.read()
    if process.returncode or re.search(r"number of failed transactions: [1-9]|aborted in command", said + complained):
        raise RuntimeError(f"{' '.join(command)}\n{said}\n{complained[-2000:]}")
    latencies, within = [], 0
    for log in directory.glob("pgbench_log.*"):
        for line in log.read_text().splitlines():
            # client, transaction, latency in microseconds, script, seconds, microseconds
            field = line.split()
            latencies.append(int(field[2]))
            within += bool(looks) and looks[0][0] <= int(field[4]) + int(field[5]) / 1e6 <= looks[-1][0]
    shutil.rmtree(directory)
    latencies.sort()
    rate = float(re.search(r"tps = ([\d.]+) \(without", said).group(1))
    p99 = latencies[min(len(latencies) - 1, int(len(latencies) * 0.99))]
    cpu = (looks[-1][1] - looks[0][1]) / within if within else None
    return Load(len(latencies), rate, sum(latencies) / len(latencies) / 1e6, p99 / 1e6, cpu)


def watched(server, process, clients):
    """Waits for pgbench to end. Answers when all its backends were looked at, and how much processor time they had had."""
    query = "select pid from pg_stat_activity where application_name = 'pgbench' and query <> ''"
    pids, looks = [], []
    while process.poll() is None:
        if len(pids) < clients:
            pids = server.session.run(query).split()
        else:
            try:
                looks.append((time.time(), sum(cpu_of(pid) for pid in pids)))
            except OSError:
                pass  # one has ended
        time.sleep(0.02)
    return looks


def interleaved(variants, measure, rounds=None):
    """Measures each variant once a round, in an order that turns from round to round, so that what disturbs the machine meets all
    alike. Answers the samples of each, round by round."""
    samples = {variant: [] for variant in variants}
    for i in range(rounds or ROUNDS):
        k = i % len(variants)
        for variant in variants[k:] + variants[:k]:
            samples[variant].append(measure(variant))
    return samples


# Figures ----------------------------------------------------------------------------------------------------------------


def ratios(samples, base):
    """Of each round, one divided by the other: wall and CPU."""
    walls = [a.wall / b.wall for a, b in zip(samples, base)]
    cpus = [a.cpu / b.cpu if a.cpu is not None and b.cpu else None for a, b in zip(samples, base)]
    return walls, cpus


@dataclass
class Figure:
    """What was measured, in rows, and which goals it has to reach. Nothing fails when it does not."""

    name: str
    title: str
    unit: str = "s"
    rows: list = field(default_factory=list)
    goals: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    rounds: int | None = None

    def add(self, label, samples, base=None, **more):
        """A row: medians, and the median of the ratios to another variant of the same rounds. more: a unit of its own, and where
        it stands in a plot (series, x)."""
        row = {
            "label": label,
            "wall": middle([s.wall for s in samples]),
            "cpu": middle([s.cpu for s in samples]),
            "samples": [[s.wall, s.cpu] for s in samples],
        }
        if base:
            walls, cpus = ratios(samples, base)
            row |= {"ratio": middle(walls), "ratio_cpu": middle(cpus), "ratio_range": [min(walls), max(walls)]}
        self.rows.append(row | more)

    def add_all(self, samples, base):
        for label, values in samples.items():
            self.add(label, values, samples[base])

    def add_memory(self, label, size, **more):
        """A row of bytes, shown in MB. It is measured once: it does not depend on what else the machine does."""
        self.add(label, [Sample(size / 2**20)], unit="MB", **more)

    def reach(self, label, wall, relation, limit, cpu=None):
        """A goal: a value, measured by the clock and where it makes sense also by CPU time, against a limit."""
        below = relation == "<="
        reached = [None if v is None else (v <= limit if below else v >= limit) for v in (wall, cpu)]
        goal = {"label": label, "value": wall, "cpu": cpu, "relation": relation, "limit": limit}
        self.goals.append(goal | {"reached": reached[0], "reached_cpu": reached[1]})

    def reach_ratio(self, label, samples, base, relation, limit):
        walls, cpus = ratios(samples, base)
        self.reach(label, middle(walls), relation, limit, middle(cpus))

    def note(self, text):
        self.notes.append(text)
