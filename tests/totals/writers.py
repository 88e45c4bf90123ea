"""Roll-up among writers: writers that hold their ids for a while and commit or abort in any order, several callers of
roll_up (some terminated in the middle), forget and purge; readers compare every figure with a plain recount in one snapshot.
TOTALS_SECONDS: for how long."""
import os, random, sys, threading, time
import psycopg, scratch

DB = 'goals_totals_writers'
RECOUNT = """
WITH judged AS (
    SELECT r.receipt_id, r.variant_id, v.message_id, g.goal_id, g.name AS goal, g.times, coalesce(g.goal_id = ANY (r.already), false) AS already
    FROM goals.receipt r JOIN goals.revision v USING (revision_id) JOIN goals.goal g ON g.goal_id = ANY (v.goal_ids)
), nth AS (
    SELECT h.*, row_number() OVER (PARTITION BY receipt_id, goal_id ORDER BY matched_at, match_id) AS n FROM goals.match_log h
), opens AS (
    SELECT receipt_id, min(at) AS o, min(CASE WHEN kind = 'c' THEN at END) AS c FROM goals.engagement GROUP BY 1
), live AS (
    SELECT j.message_id, j.goal, j.variant_id, 1 AS sent, (e.o IS NOT NULL)::int AS opened, (e.c IS NOT NULL)::int AS clicked,
           j.already::int AS already_matched, (n.match_id IS NOT NULL)::int AS matched, (e.o <= n.matched_at)::int AS mo, (e.c <= n.matched_at)::int AS mc, n.worth
    FROM judged j LEFT JOIN opens e USING (receipt_id)
    LEFT JOIN nth n ON n.receipt_id = j.receipt_id AND n.goal_id = j.goal_id AND n.n = j.times AND NOT j.already
    UNION ALL
    SELECT message_id, goal, variant_id, sent, opened, clicked, already_matched, matched, matched_after_open, matched_after_click, worth
    FROM goals.total WHERE layer = 'archived' AND goal IS NOT NULL
)
SELECT m.name, l.goal, sum(sent), sum(opened), sum(clicked), sum(already_matched), sum(matched), coalesce(sum(mo), 0), coalesce(sum(mc), 0), coalesce(sum(worth), 0)
FROM live l JOIN goals.message m USING (message_id) GROUP BY 1, 2 ORDER BY 1, 2"""
FIGURES = """SELECT message, goal, sent, opened, clicked, already_matched, matched, matched_after_open, matched_after_click, worth
FROM goals.message_stats WHERE sent > 0 ORDER BY 1, 2"""
problems, tally, stop = [], {}, threading.Event()

def loop(f):
    def body(seed):
        rnd = random.Random(seed); c = scratch.connect(DB)
        try:
            while not stop.is_set():
                try: f(c, rnd); tally[f.__name__] = tally.get(f.__name__, 0) + 1
                except (psycopg.OperationalError, psycopg.errors.AdminShutdown):
                    if not c.closed: raise
                    c = scratch.connect(DB); tally['terminated'] = tally.get('terminated', 0) + 1
        except Exception as e: problems.append(f'{f.__name__}: {type(e).__name__} {e}'); stop.set()
    return body

@loop
def writer(c, rnd):
    c.execute('BEGIN'); c.execute('SELECT pg_current_xact_id()')
    for _ in range(rnd.randrange(1, 12)):
        if rnd.random() < .5:
            c.execute("""INSERT INTO goals.receipt SELECT nextval('goals.receipt_id_seq'), clock_timestamp() - %s * interval '1 day', 1, v.revision_id, NULL, %s, %s::int[], NULL
                         FROM goals.revision v ORDER BY random() LIMIT 1""", (rnd.randrange(20), str(rnd.randrange(50)), [1] if rnd.random() < .1 else None))
        else:
            t = rnd.choice(['engagement', 'match_log'])
            if t == 'engagement':
                c.execute("""INSERT INTO goals.engagement SELECT nextval('goals.engagement_id_seq'), receipt_id, sent_at + %s * interval '1 hour', %s
                             FROM (SELECT * FROM goals.receipt ORDER BY receipt_id DESC OFFSET %s LIMIT 1) r""", (rnd.randrange(9), rnd.choice('oc'), rnd.randrange(200)))
            else:
                c.execute("""INSERT INTO goals.match_log SELECT nextval('goals.match_id_seq'), receipt_id, sent_at + %s * interval '1 hour', v.goal_ids[1], NULL, NULL, %s
                             FROM (SELECT * FROM goals.receipt ORDER BY receipt_id DESC OFFSET %s LIMIT 1) r JOIN goals.revision v USING (revision_id)""", (rnd.randrange(9), rnd.randrange(100), rnd.randrange(200)))
        if rnd.random() < .2: time.sleep(rnd.random() * .05)
    c.execute('COMMIT' if rnd.random() < .8 else 'ROLLBACK')
@loop
def roller(c, rnd):
    n = c.execute('SELECT goals.roll_up()').fetchone()[0]
    tally['folded'] = tally.get('folded', 0) + n; time.sleep(rnd.random() * .03)
@loop
def eraser(c, rnd):
    if rnd.random() < .9: c.execute('SELECT goals.forget_user(%s)', (str(rnd.randrange(50)),))
    else: c.execute("SELECT goals.purge(clock_timestamp() - interval '15 days')")
    time.sleep(rnd.random() * .4)
@loop
def killer(c, rnd):
    time.sleep(rnd.random() * .5)
    c.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%%goals.roll_up()%%' AND state = 'active' LIMIT 1")
@loop
def reader(c, rnd):
    c.execute('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    a, b = c.execute(FIGURES).fetchall(), c.execute(RECOUNT).fetchall()
    bad = c.execute('SELECT * FROM goals.verify()').fetchall()
    c.execute('COMMIT')
    if a != b: problems.append(f'figures {a} recount {b}'); stop.set()
    if bad: problems.append(f'verify {bad}'); stop.set()

if __name__ == '__main__':
    seconds = int(os.environ.get('TOTALS_SECONDS', 60))
    scratch.create(DB)
    with scratch.connect(DB) as c:
        c.execute("""INSERT INTO goals.source(kind, relation, users_source_id, key_column) VALUES ('users', 'goals.message', 1, 'message_id');
            INSERT INTO goals.message(name, kind, users_source_id) SELECT 'm' || i, 'ongoing', 1 FROM generate_series(1, 3) i;
            INSERT INTO goals.goal(message_id, name, version, event, times, time_limit_us, after)
                SELECT i, 'primary', 1, 'e', i, 5 * 86400000000, 'sent' FROM generate_series(1, 3) i;
            INSERT INTO goals.revision(message_id, goal_ids) SELECT i, ARRAY[i] FROM generate_series(1, 3) i""")
    crew = [writer] * 4 + [roller] * 2 + [eraser, killer, reader]
    threads = [threading.Thread(target=f, args=(i,)) for i, f in enumerate(crew)]
    for t in threads: t.start()
    stop.wait(seconds); stop.set()
    for t in threads: t.join()
    with scratch.connect(DB) as c:
        scratch.roll_up_all(c)
        a, b = c.execute(FIGURES).fetchall(), c.execute(RECOUNT).fetchall()
        if a != b: problems.append(f'end: figures {a} recount {b}')
        if c.execute('SELECT * FROM goals.verify()').fetchall(): problems.append('end: verify')
    scratch.drop(DB)
    print(tally); print('\n'.join(problems)[:3000] if problems else 'ok: every snapshot equal to its recount')
    sys.exit(bool(problems))
