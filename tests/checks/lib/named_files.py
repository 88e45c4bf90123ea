"""named_files.py PAGE...: each file of the repository that the pages name in backticks exists, and so does each test that
tests/README.md names as the one that holds a promise. Prints how many.
"""

import re
import sys
from pathlib import Path

BLOCKS = re.compile(r"^ *```.*?^ *```", re.M | re.S)
NAMED = re.compile(r"`((?:src|sql|tests|docs|examples|pgrx-config)/[\w./*-]+)`")
# where a test named without a folder may be
FOLDERS = ("tests/checks/{}", "tests/regress/sql/{}.sql", "tests/isolation/specs/{}.spec")


def exists(*places):
    return any(list(Path().glob(place)) for place in places)


missing, count = [], 0
for page in sys.argv[1:]:
    for name in NAMED.findall(BLOCKS.sub("", Path(page).read_text())):
        # of versions that the text calls A and B
        if not re.search(r"(--|_)[AB](_last)?\b", name):
            count += 1
            if not exists(name):
                missing.append(f"{page}: {name}")

promises = Path("tests/README.md").read_text().split("\n## What is promised, and which test holds it\n")[1].split("\n## ")[0]
for row in re.findall(r"^\| .* \| (.*) \|$", promises, re.M):
    for name in re.findall(r"`(\w+)`", row):
        count += 1
        if not exists(*(folder.format(name) for folder in FOLDERS)):
            missing.append(f"tests/README.md: {name}")
if missing or count < 80:
    print(f"of {count} files named on the pages, these do not exist:", *missing, sep="\n")
    sys.exit(1)
print(f"{count} files named")
