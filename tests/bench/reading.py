"""What reading costs: every function that reads figures, over ever more receipts of one message, beside plain SQL."""

import os

from harness import ROUNDS, Figure, Sample, Session, interleaved, say, sized

SIZES = [int(size) for size in (os.environ.get("SIZES") or sized("10000,1000000", "5000,10000")).split(",")]
ROLLED, BEHIND, BY_SQL, TOTALS = "all rolled up", "10,000 facts not rolled up", "by plain SQL", "the totals"
# Newer receipts, opens and hits.
NEWER, FACTS = "call write_newer(2000, 4000, 4000)", 10_000
# What takes longer than these seconds is measured once.
LONG = 20

# Of one message.
OF_MESSAGE = {
    "message_stats": "select * from goals.message_stats where message = '{0}'",
    "variant_stats": "select * from goals.variant_stats where message = '{0}'",
    "stats": "select * from goals.stats('{0}')",
    "stats, goal NULL": "select * from goals.stats('{0}', null)",
    "stats, 30 days": "select * from goals.stats('{0}', since => current_date - 30, until => current_date)",
    "compare": "select * from goals.compare('{0}')",
    "daily": "select * from goals.daily('{0}')",
    "daily_since_sending": "select * from goals.daily_since_sending('{0}')",
    "stats_bar": "select * from goals.stats_bar('{0}')",
    "report_data": "select goals.report_data('{0}')",
    "report": "select goals.report('{0}')",
    "matches, newest 100": "select * from goals.matches('{0}', newest => 100)",
}
# Of all of them.
ATTRIBUTION = "goals.attribution(since => current_date - 10, until => current_date - 9)"
OF_ALL = {"health": "select * from goals.health()", "attribution, a day": f"select * from {ATTRIBUTION}"}
OTHERS = "slowest of a small and an empty message"

# The same figures by plain SQL, as one would write it by hand. A receipt's match is its first hit.
FIRST_HIT = """(select distinct on (receipt_id) receipt_id, matched_at, worth from goals.match_log
                where goal_id = {goal} order by receipt_id, matched_at, match_id)"""
STATS_BY_HAND = f"""
select v.name as variant, count(*) as sent, count(e.opened_at) as opened, count(e.clicked_at) as clicked,
       count(*) filter (where {{goal}} = any (r.already)) as already_matched, count(h.matched_at) as matched,
       count(*) filter (where e.opened_at <= h.matched_at) as matched_after_open,
       count(*) filter (where e.clicked_at <= h.matched_at) as matched_after_click,
       coalesce(sum(h.worth), 0) as worth,
       count(distinct r.user_key) filter (where h.matched_at is not null) as users_matched
from goals.receipt r
join goals.variant v on v.variant_id = r.variant_id
left join (select receipt_id, min(at) as opened_at, min(at) filter (where kind = 'c') as clicked_at
           from goals.engagement where kind in ('o', 'c') group by receipt_id) e on e.receipt_id = r.receipt_id
left join {FIRST_HIT} h on h.receipt_id = r.receipt_id
where r.revision_id = {{revision}}
group by v.name
order by v.name"""
# Whose time limit has passed, and of them who matched; no one who is in two variants.
COMPARE_BY_HAND = f"""
select v.name as variant, count(*) filter (where p.judged) as users, count(*) filter (where p.matched) as matched
from (select r.user_key, min(r.variant_id) as variant_id, bool_or(r.sent_at < now() - interval '3 days') as judged,
             bool_or(h.matched_at is not null and r.sent_at < now() - interval '3 days') as matched
      from goals.receipt r
      left join {FIRST_HIT} h on h.receipt_id = r.receipt_id
      where r.revision_id = {{revision}}
      group by r.user_key
      having min(r.variant_id) = max(r.variant_id)) p
join goals.variant v on v.variant_id = p.variant_id
group by v.name
order by v.name"""
AS_STATS, AS_COMPARE = "GROUP BY, as stats", "GROUP BY, as compare"
VIEW, REFRESH = "materialized view, as stats", "materialized view, as stats: refresh"
COLUMNS = "variant, sent, opened, clicked, already_matched, matched, matched_after_open, matched_after_click, worth"

RECORDS = ["receipt", "engagement", "match_log"]
# Every other table is there for the totals.
NO_TOTALS = RECORDS + [
    *("source", "message", "message_name", "variant", "goal", "goal_stop", "revision", "replay", "column_note"),
    *("reference", "hand_over", "ignored"),
]
BYTES = """
select coalesce(sum(pg_total_relation_size(c.oid)), 0)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where n.nspname in ('goals', 'goals_internal') and c.relkind in ('r', 'm') and {}"""


def limit_of(name, state):
    """Milliseconds that a function may take."""
    if name in ("report", "report_data"):
        return 150
    if name == "message_stats":
        return 5 if state == ROLLED else 50
    if state == BEHIND:
        return 100
    return 20 if name == "matches, newest 100" else 50


def check(session, by_hand, state):
    """That what is measured says the same as plain SQL."""

    def same(what, ours, theirs):
        if (a := session.run(ours)) != (b := session.run(theirs)):
            raise RuntimeError(f"{state}: {what} says\n{a}\ncounting says\n{b}")

    stats, sums = by_hand[AS_STATS], "sum(sent), sum(opened), sum(clicked), sum(already_matched), sum(matched)"
    session.run(f"drop table if exists by_hand; create temp table by_hand as {stats}")
    same("stats", f"select {COLUMNS}, users_matched from goals.stats('big') order by variant", "select * from by_hand")
    ours = "from goals.variant_stats where message = 'big' and goal = 'primary'"
    same("variant_stats", f"select {COLUMNS} {ours} order by variant", f"select {COLUMNS} from by_hand")
    ours = "from goals.message_stats where message = 'big' and goal = 'primary'"
    same("message_stats", f"select {sums} {ours}", f"select {sums} from by_hand where variant <> 'control'")
    same("daily", f"select {sums} from goals.daily('big')", f"select {sums} from by_hand")
    period = "where r.sent_at >= current_date - 30 and r.sent_at < current_date and r.revision_id"
    ours = "from goals.stats('big', since => current_date - 30, until => current_date)"
    same("stats of 30 days", f"select {COLUMNS} {ours} order by variant",
         f"select {COLUMNS} from ({stats.replace('where r.revision_id', period)}) s")
    # Time limits pass meanwhile: it lies between what was counted before and what is counted after.
    queries = (by_hand[AS_COMPARE], "select * from goals.compare('big')", by_hand[AS_COMPARE])
    numbers = [session.run(f"select users, matched from ({query}) c order by variant") for query in queries]
    before, ours, after = ([int(number) for number in text.replace("|", "\n").split("\n")] for text in numbers)
    if not all(a <= b <= c for a, b, c in zip(before, ours, after, strict=True)):
        raise RuntimeError(f"{state}: compare says {ours}, counting said {before} before and {after} after")


def measured(session, statements):
    """Samples of each, in turn. The first call of each is not counted, unless it is a long one."""
    first = {name: session.time(sql) for name, sql in statements.items()}
    short = [name for name, sample in first.items() if sample.wall <= LONG]
    samples = interleaved(short, lambda name: session.time(statements[name]))
    return {name: samples.get(name, [first[name]]) for name in statements}


def of_message(message):
    return {name: sql.format(message) for name, sql in OF_MESSAGE.items()}


def roll_up(session):
    """Until nothing is left to do: how long it took, and how many facts."""
    wall = cpu = facts = 0
    while True:
        sample, folded = session.timed("select goals.roll_up()")
        wall, cpu, facts = wall + sample.wall, cpu + sample.cpu, facts + int(folded)
        if folded == "0":
            return Sample(wall, cpu), facts


def add(figure, size, group, what, samples, suffix="", **more):
    """A row of the table of its group, in the column of its size."""
    figure.add(f"{what}{suffix}, {size:,} receipts", samples, group=group, what=what, x=size, **more)


def reach(figure, label, samples, factor, limit):
    middle = Sample.middle(samples)
    figure.reach(label, middle.wall * factor, "<=", limit, middle.cpu * factor)


def read_in(figure, session, size, state, by_hand, goals):
    """Every function in one state of the totals, and what is beside it."""
    suffix = "" if state == ROLLED else f", {FACTS:,} behind"
    ours, peers = of_message("big") | OF_ALL, {}
    if state == ROLLED:
        session.run(f"create materialized view counted as {by_hand[AS_STATS]}")
        peers = by_hand | {VIEW: "select * from counted", REFRESH: "refresh materialized view counted"}
    samples = measured(session, ours | peers)
    for name in ours:
        add(figure, size, state, name, samples[name], suffix)
    for name in peers:
        add(figure, size, BY_SQL, name, samples[name])

    others = {f"{name} of {of}": sql for of in ("small", "empty") for name, sql in of_message(of).items()}
    other_samples = measured(session, others)
    slowest = max(others, key=lambda name: Sample.middle(other_samples[name]).wall)
    add(figure, size, state, OTHERS, other_samples[slowest], suffix, which=slowest)
    figure.note(f"{OTHERS}{suffix}, {size:,} receipts: {slowest}")

    if not goals:
        return
    for name in [*OF_MESSAGE, "health"]:
        reach(figure, f"ms, {name}{suffix}", samples[name], 1e3, limit_of(name, state))
    if state == BEHIND:
        reach(figure, f"ms, attribution, a day{suffix}", samples["attribution, a day"], 1e3, limit_of("", state))
        return
    reach(figure, f"ms, {OTHERS}", other_samples[slowest], 1e3, 10)
    matches = int(session.run(f"select greatest(sum(matched), 1) from {ATTRIBUTION}"))
    figure.note(f"attribution, a day, {size:,} receipts: {matches:,} matches")
    reach(figure, "us a match, attribution", samples["attribution, a day"], 1e6 / matches, 1)
    ours, theirs = Sample.middle(samples["message_stats"]), Sample.middle(samples[AS_STATS])
    label = "times faster than GROUP BY, message_stats"
    figure.reach(label, theirs.wall / ours.wall, ">=", 100, theirs.cpu / ours.cpu)


def bytes_of(session, condition):
    return int(session.run(BYTES.format(condition)))


def read_size(figure, server, size, goals):
    database = "reading"
    server.create(database, "reading.sql", receipts=size)
    say(f"    {size:,} receipts are written")
    with Session(database) as session:
        first, facts = roll_up(session)
        records = sum(int(session.run(f"select count(*) from goals.{table}")) for table in RECORDS)
        if facts != records:
            raise RuntimeError(f"roll_up() says that it added {facts} of {records} facts")
        session.run("vacuum analyze")
        server.checkpoint()
        revision, goal = session.run("select revision_id, first_goal from made where name = 'big'").split("|")
        by_hand = {AS_STATS: STATS_BY_HAND, AS_COMPARE: COMPARE_BY_HAND}
        by_hand = {name: sql.format(revision=revision, goal=goal) for name, sql in by_hand.items()}
        check(session, by_hand, ROLLED)
        read_in(figure, session, size, ROLLED, by_hand, goals)
        of_records = bytes_of(session, f"relname in ({', '.join(map(repr, RECORDS))})")
        of_totals = bytes_of(session, f"relname not in ({', '.join(map(repr, NO_TOTALS))})")

        session.run(NEWER)
        check(session, by_hand, BEHIND)
        read_in(figure, session, size, BEHIND, by_hand, goals)

        again, idle = [], []
        for _ in range(max(ROUNDS, sized(5, 1))):
            sample, facts = session.timed("select goals.roll_up()")
            if facts != str(FACTS):
                raise RuntimeError(f"roll_up() says that it added {facts} facts, not {FACTS}")
            again.append(Sample(sample.wall / FACTS, sample.cpu / FACTS))
            idle.append(session.time("select goals.roll_up()"))
            session.run(NEWER)
        roll_up(session)
        check(session, by_hand, "rolled up again")
        verify, wrong = session.timed("select * from goals.verify()")
        if wrong:
            raise RuntimeError(f"verify() says\n{wrong}")
    server.drop(database)

    first = Sample(first.wall / records, first.cpu / records)
    add(figure, size, TOTALS, "verify, once", [verify])
    add(figure, size, TOTALS, "roll_up of everything, a fact", [first])
    add(figure, size, TOTALS, f"roll_up of {FACTS:,} facts, a fact", again)
    add(figure, size, TOTALS, "roll_up, nothing to do", idle)
    add(figure, size, TOTALS, "bytes a receipt, records", [Sample(of_records / size)], unit="B")
    add(figure, size, TOTALS, "bytes a receipt, totals", [Sample(of_totals / size)], unit="B")
    if goals:
        reach(figure, "us a fact, roll_up of everything", [first], 1e6, 8)
        reach(figure, f"us a fact, roll_up of {FACTS:,} facts", again, 1e6, 8)
        reach(figure, "ms, roll_up, nothing to do", idle, 1e3, 5)


def read(server):
    """A message with so many receipts, beside a small one and an empty one: read when all is rolled up, and with newer
    facts that are not."""
    sizes = " / ".join(f"{size:,}" for size in SIZES)
    figure = Figure("read", f"every function that reads figures, a message with {sizes} receipts")
    for size in SIZES:
        read_size(figure, server, size, goals=size == max(SIZES))
    figure.note(f"the goals are those of {max(SIZES):,} receipts; what takes longer than {LONG} s is measured once")
    return figure
