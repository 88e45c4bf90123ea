"""coverage.py EXPORT DIR: lines and branches of the files below DIR, from what `llvm-cov export` wrote; tests are left out."""
import json
import os
import re
import sys
from collections import Counter, defaultdict

export, root = sys.argv[1], os.path.realpath(sys.argv[2])
data = json.load(open(export))["data"][0]


def lines_of_tests(path):
    """The lines of what is compiled for tests only: from the attribute to where the item ends, at the margin."""
    found, inside = set(), False
    with open(path) as source:
        for number, line in enumerate(source, 1):
            inside = inside or line.startswith("#[cfg(test)]")
            if inside:
                found.add(number)
                inside = not re.match(r"}|[^#/ ].*;$", line)
    return found


def modules_of_tests():
    """Files that are compiled for tests only."""
    for folder, _, files in os.walk(root):
        for file in files:
            if file.endswith(".rs"):
                with open(os.path.join(folder, file)) as source:
                    for name in re.findall(r"#\[cfg\(test\)\]\s*mod (\w+);", source.read()):
                        inside = folder if file == "mod.rs" else os.path.join(folder, file[:-3])
                        yield os.path.join(inside, name)


of_tests = tuple(modules_of_tests())


def counted(path):
    return path.startswith(root + os.sep) and not path.startswith(tuple(f"{module}{end}" for module in of_tests for end in (".rs", "/")))


# A generic function, and one that is compiled in several places, has its regions several times: what counts is the sum.
regions, branches = defaultdict(Counter), defaultdict(Counter)
for function in data["functions"]:
    files = [os.path.realpath(name) for name in function["filenames"]]
    for line, column, line_end, column_end, count, file, _, kind in function["regions"]:
        if kind == 0 and counted(files[file]):
            regions[files[file]][line, column, line_end, column_end] += count
    for line, column, line_end, column_end, taken, not_taken, file, _, _ in function["branches"]:
        if counted(files[file]):
            branches[files[file]][line, column, line_end, column_end, True] += taken
            branches[files[file]][line, column, line_end, column_end, False] += not_taken

total, missing = [0, 0, 0, 0], []
print(f"{'file':<40} {'lines':>12} {'branches':>12}")
for path in sorted(regions):
    tests = lines_of_tests(path)
    name = os.path.relpath(path, root)
    # the innermost region of a line says how often it ran
    lines = {}
    for (line, column, line_end, column_end), count in sorted(
        regions[path].items(), key=lambda r: ((r[0][2] - r[0][0]), r[0][3] - r[0][1]), reverse=True
    ):
        for number in set(range(line, line_end + 1)) - tests:
            lines[number] = count if number not in lines or line != number or column <= 1 else max(count, lines[number])
    both = Counter({branch: count for branch, count in branches[path].items() if branch[0] not in tests})
    figures = [sum(c > 0 for c in lines.values()), len(lines), sum(c > 0 for c in both.values()), len(both)]
    if figures[1] == 0:
        continue
    total = [a + b for a, b in zip(total, figures)]
    print(f"{name:<40} {figures[0]:>6}/{figures[1]:<5} {figures[2]:>6}/{figures[3]:<5}")
    for (line, column, _, _, taken), count in sorted(both.items()):
        if count == 0:
            missing.append(f"src/model/{name}:{line}:{column}: never {'true' if taken else 'false'}")

for line in missing:
    print(line)
print(
    f"{total[2]} of {total[3]} branches of src/model are reached by its tests"
    f" ({100 * total[2] / total[3]:.2f} %), and {total[0]} of {total[1]} lines ({100 * total[0] / total[1]:.2f} %)"
)
sys.exit(bool(missing))
