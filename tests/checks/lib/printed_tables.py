"""printed_tables.py OUTPUT PAGE...: each table of psql shown in a ```text block of the pages is in the output of the page it stands on.

So is each bar of goals.stats_bar(). Spaces at the ends of lines and the footer `(n rows)` are not compared; order within the page is.
"""

import re
import sys
from pathlib import Path

output, pages = Path(sys.argv[1]).read_text(), sys.argv[2:]
parts = re.split(r"^(\S+), line \d+$", output, flags=re.M)
printed = {}
for name, text in zip(parts[1::2], parts[2::2]):
    printed.setdefault(name, []).extend(line.rstrip() for line in text.splitlines())

count = 0
for page in pages:
    at = 0
    for block in re.findall(r"^```text\n(.*?)^```", Path(page).read_text(), re.M | re.S):
        if "█" in block:
            lines = [line.rstrip() for line in block.rstrip().splitlines()]
            if not any(printed.get(page, [])[i : i + len(lines)] == lines for i in range(len(printed.get(page, [])))):
                print(f"{page} shows a bar that did not come out:\n{block}")
                sys.exit(1)
            count += 1
            continue
        for table in re.split(r"\n\s*\n", block.rstrip()):
            lines = [line.rstrip() for line in table.strip("\n").splitlines()]
            if len(lines) < 3 or not re.fullmatch(r"-[-+]*", lines[1]):
                continue
            have = printed.get(page, [])
            found = next((i for i in range(at, len(have)) if have[i : i + len(lines)] == lines), None)
            if found is None:
                near = [i for i in range(at, len(have)) if have[i] == lines[0]]
                came = have[near[0] : near[0] + len(lines)] if near else ["(no table with this heading)"]
                print(f"{page} shows\n" + "\n".join(lines) + "\nand what came out is\n" + "\n".join(came))
                sys.exit(1)
            at = found + len(lines)
            count += 1
print(f"{count} tables and bars as shown")
