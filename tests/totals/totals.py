"""Totals against a model that remembers every fact: random histories with late events, new versions of goals, the n-th
event, roll-ups at random moments (some killed), writers that drew their ids long before they commit, forget and purge.
TOTALS_RUNS, TOTALS_STEPS, TOTALS_SEED: how many histories, how long, the first one's seed."""
import os, random, datetime as dt
from decimal import Decimal
import scratch

DB = 'goals_totals'
UTC = dt.timezone.utc
NAMES = ('sent', 'opened', 'clicked', 'already_matched', 'matched', 'matched_after_open', 'matched_after_click', 'worth')

class Model:
    def __init__(self): self.receipts, self.gone, self.goals = {}, [], {}
    def rows(self, live=True, gone=True):
        return (list(self.receipts.values()) if live else []) + (self.gone if gone else [])
    def judge(self, r, goal):
        """One receipt and goal -> counters, straight from the rules."""
        opens = [t for t, k in r['eng']]; clicks = [t for t, k in r['eng'] if k == 'c']
        already = goal in r['already']
        hits = [] if already else sorted(h for h in r['hits'] if h[2] == goal)
        n = self.goals[goal]['times']
        m = hits[n - 1] if len(hits) >= n else None
        return (1, bool(opens), bool(clicks), already, m is not None, bool(m and opens and min(opens) <= m[0]),
                bool(m and clicks and min(clicks) <= m[0]), (m[3] or Decimal(0)) if m else Decimal(0),
                m and m[0])
    def stats(self, by_variant, keep=lambda r: True):
        out = {}
        for r in self.rows():
            if not keep(r): continue
            for goal in r['goals']:
                key = (r['message'], self.goals[goal]['name'], r['variant'])
                if not by_variant:
                    if r['variant'] == 'control': continue
                    key = key[:2]
                out[key] = [a + b for a, b in zip(out.get(key, [0] * 8), self.judge(r, goal))]
            if not any(g['message'] == r['message'] for g in self.goals.values()):
                key = (r['message'], None, r['variant'])
                if not by_variant:
                    if r['variant'] == 'control': continue
                    key = key[:2]
                opens = bool(r['eng']); clicks = any(k == 'c' for _, k in r['eng'])
                out[key] = [a + b for a, b in zip(out.get(key, [0] * 8), (1, opens, clicks, 0, 0, 0, 0, Decimal(0)))]
        return out
    def users_matched(self, message, goal):
        who = {}
        for r in self.rows():
            for g in r['goals']:
                if r['message'] == message and self.goals[g]['name'] == goal and self.judge(r, g)[4]:
                    who.setdefault(r['variant'], set()).add(r['user'])
        return {v: len(s) for v, s in who.items()}
    def compare(self, message, goal, now):
        person = {}
        for r in self.rows():
            # what was sent although held out is in no comparison, and makes nobody one of two variants
            if r['message'] != message or r['held_out']: continue
            p = person.setdefault(r['user'], dict(arms=set(), n=False, m=False, c=False, w={}))
            p['arms'].add(r['variant'])
            for g in r['goals']:
                if self.goals[g]['name'] != goal: continue
                j = self.judge(r, g)
                closes = r['sent_at'] + self.goals[g]['limit']
                running = not self.goals[g]['stopped'] and closes >= now
                p['c'] |= j[4]
                if not running:
                    p['n'] |= not j[3]; p['m'] |= j[4]
                    # one change of a user is one instant, and worth something once however many receipts it matches
                    if j[4]: p['w'][j[8]] = max(p['w'].get(j[8], j[7]), j[7])
        out = {}
        for p in person.values():
            if len(p['arms']) == 1:
                o = out.setdefault(min(p['arms'], key=str), [0, 0, 0, 0, Decimal(0)])
                for i, v in enumerate((p['n'], p['m'], p['c'], 1, sum(p['w'].values(), Decimal(0)))): o[i] += v
        return out

def run(seed, steps):
    rnd = random.Random(seed); m = Model()
    scratch.create(DB)
    c = scratch.connect(DB); one = lambda q, *a: c.execute(q, a).fetchone()[0]
    now0 = dt.datetime.now(UTC)
    src = one("INSERT INTO goals.source(kind, relation, users_source_id, key_column) VALUES ('users', 'goals.message', 1, 'message_id') RETURNING source_id")
    messages, variants, revision, in_force = {}, {}, {}, {}
    def new_revision(mid, name):
        revision[name] = one('INSERT INTO goals.revision(message_id, goal_ids) VALUES (%s, %s) RETURNING revision_id', mid, in_force[name])
    for i in range(4):
        name = f'm{i}'; in_force[name] = []
        mid = messages[name] = one("INSERT INTO goals.message(name, kind, users_source_id) VALUES (%s, 'ongoing', %s) RETURNING message_id", name, src)
        variants[name] = {None: None}
        if i % 2:
            variants[name] = {v: one('INSERT INTO goals.variant(message_id, name, weight, is_control) VALUES (%s, %s, .5, %s) RETURNING variant_id', mid, v, v == 'control')
                              for v in (['a', 'b', 'control'] if i == 1 else ['control'])}
            if i == 3: variants[name][None] = None
        new_revision(mid, name)
    versions = {}
    def set_goal(name):
        g = rnd.choice(['primary', 'second']); key = (name, g); versions[key] = versions.get(key, 0) + 1
        times, days = rnd.choice([1, 1, 2, 3]), rnd.choice([1, 5, 30])
        gid = one("""INSERT INTO goals.goal(message_id, name, version, event, times, time_limit_us, after)
                     VALUES (%s, %s, %s, 'e', %s, %s, 'sent') RETURNING goal_id""", messages[name], g, versions[key], times, days * 86400 * 10**6)
        in_force[name] = [x for x in in_force[name] if m.goals[x]['name'] != g] + [gid]
        m.goals[gid] = dict(name=g, times=times, message=name, limit=dt.timedelta(days=days), stopped=False)
        new_revision(messages[name], name)
    writers = []      # open transactions: (connection, what to tell the model at commit)
    def do(conn, tell, many=1):
        for _ in range(many):
            kind = rnd.random()
            if kind < .4 or not m.receipts:
                name = rnd.choice(list(messages)); v = rnd.choice(list(variants[name])); gs = list(in_force[name])
                held_out = 'control' in variants[name] and rnd.random() < .2
                if held_out: v = None
                already = [g for g in gs if rnd.random() < .15]
                r = dict(user=str(rnd.randrange(12)), message=name, variant=v, held_out=held_out, goals=gs, already=already, eng=[], hits=[],
                         sent_at=now0 - dt.timedelta(days=rnd.random() * 20))
                rid = conn.execute("""INSERT INTO goals.receipt(receipt_id, sent_at, users_source_id, revision_id, variant_id, user_key, already, flags)
                                      VALUES (nextval('goals.receipt_id_seq'), %s, %s, %s, %s, %s, %s, %s) RETURNING receipt_id""",
                    (r['sent_at'], src, revision[name], variants[name].get(v), r['user'], already or None, 1 if held_out else None)).fetchone()[0]
                tell.append(('receipt', rid, r)); continue
            rid = rnd.choice(list(m.receipts)); r = m.receipts[rid]
            at = r['sent_at'] + dt.timedelta(hours=rnd.randrange(0, 24))   # whole hours: ties happen
            if kind < .6 or not r['goals']:
                k = rnd.choice('oc')
                conn.execute("INSERT INTO goals.engagement VALUES (nextval('goals.engagement_id_seq'), %s, %s, %s)", (rid, at, k))
                tell.append(('eng', rid, (at, k)))
            else:
                g = rnd.choice(r['goals']); w = rnd.choice([None, Decimal(rnd.randrange(1000)) / 100])
                hid = conn.execute("INSERT INTO goals.match_log VALUES (nextval('goals.match_id_seq'), %s, %s, %s, NULL, NULL, %s) RETURNING match_id",
                    (rid, at, g, w)).fetchone()[0]
                tell.append(('hits', rid, (at, hid, g, w)))
    def told(tell):
        for what, rid, x in tell:
            if what == 'receipt': m.receipts[rid] = x
            elif rid in m.receipts: m.receipts[rid][what].append(x)     # else: forgotten meanwhile
    def erase(keep):
        for rid in [i for i, r in m.receipts.items() if not keep(r)]: m.gone.append(m.receipts.pop(rid))
    def check(step):
        for view, by in (('message_stats', False), ('variant_stats', True)):
            key = 'message, goal' + (', variant' if by else '')
            got = {tuple(r[:2 + by]): list(r[2 + by:]) for r in c.execute(f"SELECT {key}, {', '.join(NAMES)} FROM goals.{view}")}
            want = m.stats(by)
            assert {k: v for k, v in got.items() if any(v)} == want, (seed, step, view, got, want)
            n = rnd.choice(list(messages))
            part = {tuple(r[:2 + by]): list(r[2 + by:]) for r in c.execute(f"SELECT {key}, {', '.join(NAMES)} FROM goals.{view} WHERE message = %s", (n,))}
            assert part == {k: v for k, v in got.items() if k[0] == n}
        bad = c.execute('SELECT * FROM goals.verify()').fetchall()
        assert not bad, (seed, step, bad)
        # what is taken in parts adds up to what is taken whole, from the mark and from before its facts
        mark, end = list(c.execute('SELECT receipt_id, engagement_id, match_id FROM goals.watermark').fetchone() or (0, 0, 0)), [2**63 - 1] * 3
        sums = f"SELECT message_id, goal, variant_id, {', '.join(f'sum({n})' for n in NAMES)} FROM goals_internal.movement(%s, %s, %s, %s, %s, %s, %s) GROUP BY 1, 2, 3"
        for start in (mark, [mark[0], 0, 0]) if rnd.random() < .2 else ():
            whole, parts = ({tuple(r[:3]): list(r[3:]) for r in c.execute(sums, (*start, *end, n))} for n in (10**6, rnd.randrange(1, 20)))
            assert {k: v for k, v in whole.items() if any(v)} == {k: v for k, v in parts.items() if any(v)}, (seed, step, start, whole, parts)
    def check_people(step, purged):
        for g in {(x['message'], x['name']) for x in m.goals.values()}:
            got = {r[0]: r for r in c.execute(f"SELECT variant, {', '.join(NAMES)}, users_matched FROM goals.stats(%s, %s)", g)}
            want = {k[2]: v for k, v in m.stats(True).items() if k[:2] == g}
            assert {k: list(v[1:9]) for k, v in got.items() if any(v[1:9])} == want, (seed, step, g, got, want)
            day = (now0 - dt.timedelta(days=rnd.randrange(20))).replace(hour=0, minute=0, second=0, microsecond=0)
            got2 = {r[0]: list(r[1:]) for r in c.execute(f"SELECT variant, {', '.join(NAMES)} FROM goals.stats(%s, %s, since => %s)", (*g, day))}
            want2 = {k[2]: v for k, v in m.stats(True, lambda r: r['sent_at'] >= day).items() if k[:2] == g}
            assert {k: v for k, v in got2.items() if any(v)} == want2, (seed, step, g, day, got2, want2)
            if not purged:
                assert {k: v[9] for k, v in got.items() if v[9]} == m.users_matched(*g), (seed, step, g, got)
        return
    def check_compare(step, want_of):
        for g in {(x['message'], x['name']) for x in m.goals.values()}:
            got = {r[0]: list(r[1:]) for r in c.execute('SELECT variant, users, matched, converters_all, assigned_users, worth FROM goals_internal.compare_data(%s, %s)', g)}
            want = want_of(*g)
            assert {k: v for k, v in got.items() if any(v)} == want, (seed, step, g, got, want)
            # the split is judged without a control group that has no receipt at all
            controls = any(r['message'] == g[0] and r['variant'] == 'control' for r in m.rows())
            assert {k for k, v in got.items() if v[3] is None} == ({'control'} & set(variants[g[0]]) if not controls else set()), (seed, step, g, got)
    purged = forgotten = False
    for step in range(steps):
        x = rnd.random()
        if x < .05: set_goal(rnd.choice(list(messages)[:3]))
        elif x < .5:
            tell = []; 
            with c.transaction(): do(c, tell, rnd.randrange(1, 8))
            told(tell)
        elif x < .58 and len(writers) < 3:
            w = scratch.connect(DB); w.autocommit = False; tell = []
            w.execute('SELECT pg_current_xact_id()'); do(w, tell, rnd.randrange(1, 5)); writers.append((w, tell))
        elif x < .62 and writers: do(*rnd.choice(writers))
        elif x < .72 and writers:
            w, tell = writers.pop(rnd.randrange(len(writers)))
            if rnd.random() < .7: w.commit(); told(tell)
            else: w.rollback()
            w.close()
        elif x < .88: c.execute('SELECT goals.roll_up()')
        elif x < .91:                                           # killed in the middle
            c.execute('BEGIN'); c.execute('SELECT goals.roll_up()'); c.execute('ROLLBACK')
        elif x < .94:
            u = str(rnd.randrange(12))
            n = one('SELECT goals.forget_user(%s)', u); had = sum(r['user'] == u for r in m.receipts.values())
            assert n == had, (seed, step, n, had)
            erase(lambda r: r['user'] != u); forgotten = True
        elif x < .95:
            before = now0 - dt.timedelta(days=rnd.random() * 20)
            stays = lambda r: r['sent_at'] >= before
            n = one('SELECT goals.purge(%s)', before); want = sum(not stays(r) for r in m.receipts.values())
            assert n == want, (seed, step, n, want)
            erase(stays); purged = True
        check(step)
        if step % 5 == 0:
            check_people(step, purged or forgotten)
            if not (purged or forgotten): check_compare(step, lambda *g: m.compare(*g, dt.datetime.now(UTC)))
    # A person leaves: what compare() says stays the same to the last digit.
    while writers: w, tell = writers.pop(); w.commit(); told(tell); w.close()
    both = lambda: {g: c.execute('SELECT variant, users, matched, converters_all, assigned_users, worth FROM goals_internal.compare_data(%s, %s)', g).fetchall()
                    for g in {(x['message'], x['name']) for x in m.goals.values()}}
    people = lambda: {g: c.execute('SELECT variant, users_matched FROM goals.stats(%s, %s)', g).fetchall()
                    for g in {(x['message'], x['name']) for x in m.goals.values()}}
    was, were = both(), people()
    for u in range(0, 12, 3): c.execute('SELECT goals.forget_user(%s)', (str(u),)); erase(lambda r: r['user'] != str(u))
    assert both() == was, (seed, 'compare after forget', was, both())
    assert people() == were, (seed, 'users_matched after forget')
    check('end')
    scratch.roll_up_all(c); check('rolled')
    orphans = one('SELECT (SELECT count(*) FROM goals.match_log h WHERE receipt_id NOT IN (SELECT receipt_id FROM goals.receipt)) + (SELECT count(*) FROM goals.engagement h WHERE receipt_id NOT IN (SELECT receipt_id FROM goals.receipt))')
    assert orphans == 0, (seed, orphans)
    c.close()
    scratch.drop(DB)

if __name__ == '__main__':
    runs, steps, first = (int(os.environ.get(f'TOTALS_{name}', default)) for name, default in (('RUNS', 20), ('STEPS', 150), ('SEED', 1)))
    for seed in range(first, first + runs):
        run(seed, steps)
    print(f'ok: {runs} histories of {steps} steps, every figure equal to the model')
