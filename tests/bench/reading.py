"""What reading costs: the figures of a message from the totals, against counting the records."""

import time

from growth import write_history
from harness import Figure, Sample, Session, interleaved, say, sized

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
    users, receipts, facts = sized(100_000, 10_000), sized(10_000_000, 100_000), 10_000
    figure = Figure("read", f"the figures of a message over {receipts:,} receipts and {receipts // 10:,} matches")
    server.create_users("read", users, every=users * 2)
    with Session("read") as session:
        # One goal, as the records to be counted have it.
        session.run("select goals.stop_goal('welcome', 'plan')")
        began = time.monotonic()
        write_history(session, users, receipts)
        session.run("vacuum analyze goals.receipt, goals.engagement, goals.match_log")
        say(f"    {receipts:,} receipts written in {time.monotonic() - began:.0f} s")
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
            if variant == ours:
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
                from goals.receipt where receipt_id % 30 = 7 limit {facts // 3};
                insert into goals.match_log
                select nextval('goals.match_id_seq'), receipt_id, sent_at + interval '2 days', 1, '1', '2', null
                from goals.receipt where receipt_id % 30 = 8 limit {facts - facts // 3 * 2}"""
        )
        same = session.run(STATS), session.run(COUNT)
        if same[0] != same[1]:
            raise RuntimeError(f"with work not rolled up message_stats says {same[0]}, counting says {same[1]}")
        tail = f"goals.message_stats, {facts:,} facts not rolled up"
        statements[tail] = STATS
        newer = interleaved([tail, group], measure)
        folded = session.time("select goals.roll_up()")
    server.drop("read")
    figure.add_all(samples | {tail: newer[tail]}, group)
    figure.add(f"goals.roll_up() of all {receipts:,} receipts", [rolled])
    figure.add(f"goals.roll_up() of {facts:,} facts", [folded])
    milliseconds = {variant: Sample.middle(values).wall * 1e3 for variant, values in (samples | newer).items()}
    figure.reach("ms, all rolled up", milliseconds[ours], "<=", 5)
    figure.reach(f"ms, {facts:,} facts not rolled up", milliseconds[tail], "<=", 50)
    figure.reach("times faster than GROUP BY, all rolled up", milliseconds[group] / milliseconds[ours], ">=", 100)
    figure.note(f"all of goals.message_stats: {everything.wall * 1e3:.1f} ms")
    return figure
