"""promises.py PAGE: each test that the page's section on promises names exists. Prints how many."""

import re
import sys
from pathlib import Path

section = Path(sys.argv[1]).read_text().split("\n## What is promised, and which test holds it\n")[1].split("\n## ")[0]
# where a name without a folder may be
FOLDERS = ("tests/checks/{}", "tests/regress/sql/{}.sql", "tests/isolation/specs/{}.spec")
missing, count = [], 0
for row in re.findall(r"^\| .* \| (.*) \|$", section, re.M):
    for name in re.findall(r"`([\w./*-]+)`", row):
        places = [name] if "/" in name else [folder.format(name) for folder in FOLDERS]
        count += 1
        if not any(list(Path().glob(place)) for place in places):
            missing.append(name)
if missing or count < 40:
    print(f"{sys.argv[1]}: of {count} tests named there, these do not exist: {', '.join(missing)}")
    sys.exit(1)
print(f"{count} tests named")
