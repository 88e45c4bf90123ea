"""links.py PAGE...: each relative link of the pages leads to a file that exists, and each #anchor to a heading."""

import re
import sys
from pathlib import Path

PROSE = re.compile(r"^```.*?^```", re.M | re.S)


def anchors(page):
    """Headings as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ +(.+)$", PROSE.sub("", page.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", h)).strip().lower().replace(" ", "-") for h in headings}


wrong, count = [], 0
for page in map(Path, sys.argv[1:]):
    for target in re.findall(r"\]\(([^)\s]+)\)", PROSE.sub("", page.read_text())):
        if re.match(r"[a-z]+:", target):
            continue
        count += 1
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page.resolve()
        if not file.exists():
            wrong.append(f"{page}: {target} is not there")
        elif anchor and anchor not in anchors(file):
            wrong.append(f"{page}: {target} has no such heading")
if wrong:
    print("\n".join(wrong))
    sys.exit(1)
print(f"{count} links")
