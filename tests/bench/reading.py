"""What reading costs: the figures of a message from the totals, against counting the records."""

from growth import BIG, BIG_RECEIPTS, BIG_USERS, write_history
from harness import Figure, Sample, Session, interleaved

# What goals.message_stats says of it, counted from the records the way one would by hand.
COUNT = """
select count(*) as sent, count(e.at) as opened, count(h.at) as matched, count(*) filter (where e.at <= h.at) as matched_after_open
from goals.receipt r
left join (select receipt_id, min(at) as at from goals.engagement group by receipt_id) e on e.receipt_id = r.receipt_id
left join (select receipt_id, min(matched_at) as at from goals.match_log where goal_id = 1 group by receipt_id) h on h.receipt_id = r.receipt_id
where r.revision_id in (select revision_id from goals.revision v join goals.message m on m.message_id = v.message_id where m.name = 'welcome')
"""
STATS = "select sent, opened, matched, matched_after_open from goals.message_stats where message = 'welcome' and goal = 'primary'"
# Both at one moment: what is not yet rolled up is in both.
VIEW = f"create materialized view counted as {COUNT}"


def read(server):
    """One message with a goal: receipts, one in ten opened, one in ten matched; all rolled up, then with newer facts that are not."""
    users, receipts, facts = BIG_USERS, BIG_RECEIPTS, 10_000
    figure = Figure("read", f"the figures of a message over {receipts:,} receipts and {receipts // 10:,} matches")
    if server.session.run(f"select 1 from pg_database where datname = '{BIG}'") != "1":
        write_history(server, BIG, users, receipts)
    with Session(BIG) as session:
        rolled = session.time("select goals.roll_up()")
        session.run("vacuum analyze goals.total, goals.watermark")
        session.run(VIEW)
        server.checkpoint()
        same = session.run(STATS), session.run(COUNT)
        if same[0] != same[1]:
            raise RuntimeError(f"message_stats says {same[0]}, counting says {same[1]}")

        ours, group, view = "goals.message_stats, all rolled up", "GROUP BY over the records", "refresh of a materialized view"
        statements = {ours: STATS, group: COUNT, view: "refresh materialized view counted"}

        def measure(variant):
            if variant not in (group, view):
                # Too short for one: the middle of several.
                several = sorted((session.time(STATS) for _ in range(5)), key=lambda s: s.wall)
                return several[2]
            return session.time(statements[variant])

        samples = interleaved(list(statements), measure)
        everything = session.time("select * from goals.message_stats")

        # A third each of sends, opens and matches, the latter two of receipts that are rolled up.
        session.run(f"select goals.record_sent('welcome', array(select id::text from users limit {facts // 3}))")
        session.run(
            f"""insert into goals.engagement select nextval('goals.engagement_id_seq'), receipt_id, sent_at + interval '2 hours', 'o'
                from goals.receipt where receipt_id % 30 = 7 and sent_at < now() - interval '29 days' limit {facts // 3};
                insert into goals.match_log
                select nextval('goals.match_id_seq'), receipt_id, sent_at + interval '2 days', 1, '1', '2', null
                from goals.receipt where receipt_id % 30 = 8 and sent_at < now() - interval '29 days' limit {facts - facts // 3 * 2}"""
        )
        same = session.run(STATS), session.run(COUNT)
        if same[0] != same[1]:
            raise RuntimeError(f"with work not rolled up message_stats says {same[0]}, counting says {same[1]}")
        tail = f"goals.message_stats, {facts:,} facts not rolled up"
        statements[tail] = STATS
        newer = interleaved([tail], measure)
        folded = session.time("select goals.roll_up()")
    server.drop(BIG)
    samples |= newer
    figure.add_all(samples, group)
    figure.add(f"goals.roll_up() of all {receipts:,} receipts", [rolled])
    figure.add(f"goals.roll_up() of {facts:,} facts", [folded])
    milliseconds = {variant: Sample.middle(values).wall * 1e3 for variant, values in samples.items()}
    figure.reach("ms, all rolled up", milliseconds[ours], "<=", 5)
    figure.reach(f"ms, {facts:,} facts not rolled up", milliseconds[tail], "<=", 50)
    figure.reach("times faster than GROUP BY, all rolled up", milliseconds[group] / milliseconds[ours], ">=", 100)
    figure.note(f"all of goals.message_stats: {everything.wall * 1e3:.1f} ms")
    return figure
