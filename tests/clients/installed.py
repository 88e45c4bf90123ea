"""What the programs of the languages need, installed below build/clients if it is missing; compilers by apt-get.

python3 -B tests/clients/installed.py  prints the Python that has the packages of examples/clients/python and of calls/,
                                       or ends with 77 where they cannot be had; in CI it fails
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = ROOT / "examples/clients"
CALLS = ROOT / "tests/clients/calls"
BUILD = ROOT / "build/clients"


class Missing(Exception):
    """A language cannot be had on this machine."""


def quietly(*command, **options):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        raise Missing(f"{command[0]} failed: {' / '.join(done.stdout.strip().splitlines()[-5:])}")
    return done.stdout


apt_lists_read = False


def packages(*names):
    """Installs packages of Debian."""
    global apt_lists_read
    if not shutil.which("apt-get"):
        raise Missing(f"please install the equivalents of {' '.join(names)}")
    apt = [*(["sudo"] if os.getuid() else []), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y",
           "-o", "DPkg::Lock::Timeout=300"]
    if not apt_lists_read:
        quietly(*apt, "update")
        apt_lists_read = True
    quietly(*apt, "install", "--no-install-recommends", *names)


def up_to_date(mark, *sources):
    """Whether the mark was written for just these files."""
    return mark.exists() and mark.read_text() == "".join(source.read_text() for source in sources)


@contextlib.contextmanager
def one_at_a_time(name):
    """Tests that run beside each other share what is installed."""
    BUILD.mkdir(parents=True, exist_ok=True)
    with open(BUILD / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def python():
    """The Python that has the packages."""
    mark, wanted = BUILD / "python/installed", [CLIENTS / "python/requirements.txt", CALLS / "requirements.txt"]
    with one_at_a_time("python"):
        if not up_to_date(mark, *wanted):
            if not shutil.which("python3"):
                packages("python3", "python3-venv")
            try:
                quietly("python3", "-m", "venv", "--clear", BUILD / "python")
            except Missing:
                packages("python3-venv")
                quietly("python3", "-m", "venv", "--clear", BUILD / "python")
            quietly(BUILD / "python/bin/pip", "install", "-q", "--disable-pip-version-check",
                    *(part for file in wanted for part in ("-r", file)))
            mark.write_text("".join(file.read_text() for file in wanted))
    return BUILD / "python/bin/python"


if __name__ == "__main__":
    try:
        print(python())
    except (Missing, OSError) as e:
        print(f"the packages of Python cannot be had: {e}")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
