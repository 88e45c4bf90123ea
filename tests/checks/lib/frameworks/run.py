"""Runs rails.rb, laravel.php and prisma.mjs, each on a copy of a template database, with the code that
docs/rails-laravel-node.md prints. Each says what it found and what it expected, line by line, as JSON.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
sys.path.insert(0, str(ROOT / "tests/clients"))

from installed import BUILD, Missing, one_at_a_time, packages, quietly, up_to_date

SUPERUSER, TMP = os.environ["PGUSER"], Path(os.environ["TEST_TMP"])
ROLES = ("shop_migrations", "shop_web")


def blocks(page):
    return re.findall(r"^ *```(\w+)\n(.*?)^ *```", (ROOT / "docs" / page).read_text(), re.M | re.S)


def unpack(language, into):
    """The files that the page prints in a language."""
    for fenced, text in blocks("rails-laravel-node.md"):
        named = re.match(r"(?:#|//) ([\w/.]+)", text)
        if fenced == language:
            file = into / named[1]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)


def psql(sql, database="postgres"):
    command = ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database]
    done = subprocess.run(command, input=sql, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"psql: {done.stderr}")
    return done.stdout


def rails():
    if not list(Path("/usr/share/rubygems-integration").glob("*/specifications/activerecord-*.gemspec")):
        packages("ruby", "ruby-activerecord", "ruby-pg")
    unpack("ruby", TMP / "rails")
    return ["ruby", HERE / "rails.rb"]


def laravel():
    if not Path("/usr/share/php/Illuminate/Database/autoload.php").exists() or not shutil.which("php"):
        packages("php-cli", "php-pgsql", "php-illuminate-database", "php-illuminate-events")
    unpack("php", TMP / "laravel")
    return ["php", "-d", "display_errors=stderr", HERE / "laravel.php"]


def prisma():
    if not shutil.which("node") or not shutil.which("npm"):
        packages("nodejs", "npm")
    home, wanted = BUILD / "prisma", [HERE / "prisma/package.json", HERE / "prisma/schema.prisma"]
    with one_at_a_time("prisma"):
        if not up_to_date(home / "installed", *wanted):
            home.mkdir(parents=True, exist_ok=True)
            for file in wanted:
                shutil.copy(file, home)
            quietly("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", cwd=home)
            # a program that only migrations need, and that no registry has
            quietly("npx", "prisma", "generate", "--schema=schema.prisma", cwd=home,
                    env={**os.environ, "PRISMA_SCHEMA_ENGINE_BINARY": shutil.which("true"), "CHECKPOINT_DISABLE": "1"})
            (home / "installed").write_text("".join(file.read_text() for file in wanted))
    # the modules beside the page's code
    unpack("js", TMP / "prisma")
    (TMP / "prisma/node_modules").symlink_to(home / "node_modules")
    (TMP / "prisma/package.json").write_text('{"type": "module"}')
    shutil.copy(HERE / "prisma.mjs", TMP / "prisma")
    return ["node", TMP / "prisma/prisma.mjs"]


def migrations_of_prisma():
    """Each file of the page by itself, as Prisma sends it."""
    page = next(text for _, text in blocks("rails-laravel-node.md") if text.startswith("-- prisma/migrations/"))
    return [(HERE / "prisma/tables.sql").read_text(), *re.split(r"^-- prisma/.*\n", page, flags=re.M)[1:]]


def remove():
    for command in ("alter database %I is_template false", "drop database %I with (force)"):
        psql(f"select format('{command}', datname) from pg_database where datname ~ '^shop' \\gexec")
    psql(f"drop role if exists {', '.join(ROLES)}")


def main():
    ready, absent, wrong, compared = {}, {}, [], 0
    for prepare in (rails, laravel, prisma):
        try:
            ready[prepare.__name__] = prepare()
        except (Missing, OSError) as e:
            absent[prepare.__name__] = str(e)
    for name, why in absent.items():
        print(f"no {name}: {why}")
    if not ready:
        print("none of them can be had here")
        sys.exit(1 if os.environ.get("CI") == "true" else 77)
    remove()
    try:
        psql("".join(f"create role {role} login createdb;" for role in ROLES))
        psql(next(text for _, text in blocks("django.md") if "is_template true" in text))
        page = blocks("rails-laravel-node.md")
        clearing = next(text for fenced, text in page if fenced == "text" and "untrack_all" in text)
        for name, command in ready.items():
            database = f"shop_{name}"
            psql(f"create database {database} template shop_template owner shop_migrations")
            if name == "prisma":
                for sql in migrations_of_prisma():
                    psql(f"set role shop_migrations; {sql}", database)
            environment = {**os.environ, "PGUSER": "shop_migrations", "PGDATABASE": database, "CLEARING": clearing,
                           "PAGE": str(TMP / name)}
            done = subprocess.run([str(part) for part in command], env=environment, capture_output=True, text=True,
                                  cwd=TMP / name)
            lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('["')]
            if done.returncode or not lines:
                wrong.append(f"{name} ended with {done.returncode}: {done.stdout[-1500:]}{done.stderr[-3000:]}")
            compared += len(lines)
            wrong += [f"{name}, {what}: {got}, expected {expected}" for what, got, expected in lines if got != expected]
    finally:
        remove()
    if wrong:
        print(*wrong, sep="\n")
    print(f"{compared} figures of {', '.join(ready)} compared")
    sys.exit(1 if wrong or (absent and os.environ.get("CI") == "true") else 0)


main()
