"""All figures, in the order in which they are measured, and how one is shown."""

import attached
import growth
import memory
import mix
import reading
import recording
import writing

FIGURES = [
    writing.bulk_quiet,
    writing.bulk_match,
    writing.million,
    writing.one_row,
    recording.send,
    recording.copy_events,
    recording.copy_sends,
    attached.queue,
    attached.orders,
    attached.webhooks,
    growth.history,
    reading.read,
    growth.goals,
    growth.users,
    growth.connections,
    growth.rows_before,
    memory.one_statement,
    memory.session,
    mix.mix,
]
NAMES = [figure.__name__ for figure in FIGURES]


def shown(value, unit=""):
    """Three digits that matter, in a unit that suits."""
    if value is None:
        return "-"
    if unit == "s":
        for factor, name in ((1, "s"), (1e3, "ms"), (1e6, "us")):
            if value * factor >= 1:
                return f"{value * factor:.3g} {name}"
    if abs(value) >= 100:
        text = f"{value:,.0f}"
    else:
        text = f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"
    return f"{text} {unit}".strip()


def verdict(goal):
    words = {True: "yes", False: "no", None: "?"}
    word = words[goal["reached"]]
    if goal["reached_cpu"] not in (None, goal["reached"]):
        word += f" (CPU: {words[goal['reached_cpu']]})"
    return word


def show(figure):
    print(f"\n{figure.name}: {figure.title}")
    width = max(len(entry["label"]) for entry in (*figure.rows, *figure.goals)) + 2
    print(f"  {'':{width}} {'median':>10} {'CPU':>10} {'ratio':>7} {'CPU':>7}  {'goal':>10}  reached")
    for row in figure.rows:
        wall, cpu = (shown(row[k], row.get("unit", figure.unit)) for k in ("wall", "cpu"))
        print(f"  {row['label']:{width}} {wall:>10} {cpu:>10} {shown(row.get('ratio')):>7} {shown(row.get('ratio_cpu')):>7}")
    for goal in figure.goals:
        limit = f"{goal['relation']} {shown(goal['limit'])}"
        value, cpu = shown(goal["value"]), shown(goal["cpu"])
        print(f"  > {goal['label']:{width - 2}} {'':21} {value:>7} {cpu:>7}  {limit:>10}  {verdict(goal)}")
    for note in figure.notes:
        print(f"  {note}")
    print(f"  load average {figure.load}, {figure.seconds:.0f} s", flush=True)
