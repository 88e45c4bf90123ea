"""Totals against a model that remembers every fact: random histories with late events, new versions of goals, the n-th
event, roll-ups at random moments (some killed), writers that drew their ids long before they commit, forget and purge;
engagements of every kind, some of machines, withdrawals; entries into a programme, of which the first counts; people
whose key changes, new people who take it, and people who turn out to be one.
TOTALS_RUNS, TOTALS_STEPS, TOTALS_SEED: how many histories, how long, the first one's seed."""
import os, random, datetime as dt
from decimal import Decimal
import scratch

DB = 'goals_totals'
UTC = dt.timezone.utc
NAMES = ('sent', 'opened', 'clicked', 'already_matched', 'matched', 'matched_after_open', 'matched_after_click', 'worth',
         'bounced', 'complained', 'unsubscribed', 'opened_by_machine', 'clicked_by_machine')
PARTS = NAMES + ('deliveries',)
FOR_EVER = 2**63 - 1

class Person:
    def __init__(self, key): self.key, self.is_now = key, None
    def now(self):
        p = self
        while p.is_now: p = p.is_now
        return p

class Model:
    def __init__(self): self.receipts, self.gone, self.goals, self.has, self.left = {}, [], {}, {}, {}
    def holder(self, key):
        """The person who has this key, or once had it and is one with who has it."""
        return self.has.setdefault(key, Person(key)).now()
    def rename(self, a, b):
        p = self.holder(a)
        self.left[a] = self.left.get(a, 0) + 1
        if p.key == a:
            del self.has[a]
            p.key = b
        was = self.has.get(b)
        if was and was.now() is not p: was.now().is_now = p
        self.has[b] = p
    def merge(self, a, b):
        p, q = self.holder(a), self.holder(b)
        if p is not q: p.is_now = q
    def superseded(self, r):
        if r in self.gone: return r['void']
        return r['entry'] and any(o['entry'] and o['message'] == r['message'] and o['user'] == r['user'] and o['spell'] == r['spell']
                                  and (o['sent_at'], i) < (r['sent_at'], r['id']) for i, o in self.receipts.items())
    def counts(self, r): return not self.superseded(r) and all(k != 'w' for _, k, _ in r['eng'])
    def rows(self, live=True, gone=True):
        return (list(self.receipts.values()) if live else []) + (self.gone if gone else [])
    def judge(self, r, goal):
        """One receipt and goal -> counters, straight from the rules."""
        opens = [t for t, k, machine in r['eng'] if k in 'oc' and not machine]
        clicks = [t for t, k, machine in r['eng'] if k == 'c' and not machine]
        already = goal in r['already']
        hits = [] if already else sorted(h for h in r['hits'] if h[2] == goal)
        n = self.goals[goal]['times']
        m = hits[n - 1] if len(hits) >= n else None
        return (1, bool(opens), bool(clicks), already, m is not None, bool(m and opens and min(opens) <= m[0]),
                bool(m and clicks and min(clicks) <= m[0]), (m[3] or Decimal(0)) if m else Decimal(0),
                *self.reported(r), m and m[0])
    def reported(self, r):
        has = lambda kinds, machines=False: any(k in kinds and (not machines or machine) for _, k, machine in r['eng'])
        return has('b'), has('p'), has('u'), has('oc', True), has('c', True), has('d')
    def stats(self, by_variant, keep=lambda r: True):
        out = {}
        for r in self.rows():
            if not keep(r) or not self.counts(r): continue
            for goal in r['goals']:
                key = (r['message'], self.goals[goal]['name'], r['variant'])
                if not by_variant:
                    if r['variant'] == 'control': continue
                    key = key[:2]
                out[key] = [a + b for a, b in zip(out.get(key, [0] * 14), self.judge(r, goal))]
            if not any(g['message'] == r['message'] for g in self.goals.values()):
                key = (r['message'], None, r['variant'])
                if not by_variant:
                    if r['variant'] == 'control': continue
                    key = key[:2]
                people = [k for _, k, machine in r['eng'] if k in 'oc' and not machine]
                one = (1, bool(people), 'c' in people, 0, 0, 0, 0, Decimal(0), *self.reported(r))
                out[key] = [a + b for a, b in zip(out.get(key, [0] * 14), one)]
        # delivered: as reported, once any delivery of the message is; else what has not bounced
        for key, v in out.items():
            told = any(k == 'd' for r in self.rows() if r['message'] == key[0] and self.counts(r) for _, k, _ in r['eng'])
            v[13] = 0 if by_variant and key[2] == 'control' else v[13] if told else v[0] - v[8]
        return out
    def users_matched(self, message, goal):
        who = {}
        for r in self.rows():
            for g in r['goals']:
                if r['message'] == message and self.goals[g]['name'] == goal and self.counts(r) and self.judge(r, g)[4]:
                    who.setdefault(r['variant'], set()).add(r['person'].now())
        return {v: len(s) for v, s in who.items()}
    def compare(self, message, goal, now):
        person = {}
        for r in self.rows():
            # what was sent although held out is in no comparison, and makes nobody one of two variants
            if r['message'] != message or r['held_out'] or self.superseded(r): continue
            p = person.setdefault(r['person'].now(), dict(arms=set(), n=False, m=False, c=False, w={}))
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
                    if j[4]: p['w'][j[14]] = max(p['w'].get(j[14], j[7]), j[7])
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
    for i in range(5):
        name = f'm{i}'; in_force[name] = []
        mid = messages[name] = one("INSERT INTO goals.message(name, kind, users_source_id) VALUES (%s, %s, %s) RETURNING message_id",
                                   name, 'programme' if i == 4 else 'ongoing', src)
        variants[name] = {None: None}
        if i % 2 or i == 4:
            variants[name] = {v: one('INSERT INTO goals.variant(message_id, name, weight, is_control) VALUES (%s, %s, .5, %s) RETURNING variant_id', mid, v, v == 'control')
                              for v in (['a', 'b', 'control'] if i in (1, 4) else ['control'])}
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
    keys, once = [str(i) for i in range(12)], set()
    writers = []      # open transactions: (connection, what to tell the model at commit)
    def do(conn, tell, many=1):
        for _ in range(many):
            kind = rnd.random()
            if kind < .4 or not m.receipts:
                name = rnd.choice(list(messages)); v = rnd.choice(list(variants[name])); gs = list(in_force[name])
                held_out = 'control' in variants[name] and rnd.random() < .2
                if held_out: v = None
                already = [g for g in gs if rnd.random() < .15]
                r = dict(user=rnd.choice(keys), message=name, variant=v, held_out=held_out, goals=gs, already=already, eng=[], hits=[],
                         entry=name == 'm4', sent_at=now0 - dt.timedelta(days=rnd.random() * 20))
                r['person'], r['spell'] = m.holder(r['user']), m.left.get(r['user'], 0)
                rid = conn.execute("""INSERT INTO goals.receipt(receipt_id, sent_at, users_source_id, revision_id, variant_id, user_key, already, flags)
                                      VALUES (nextval('goals.receipt_id_seq'), %s, %s, %s, %s, %s, %s, %s) RETURNING receipt_id""",
                    (r['sent_at'], src, revision[name], variants[name].get(v), r['user'], already or None, (1 if held_out else 0) | (2 if r['entry'] else 0) or None)).fetchone()[0]
                r['id'] = rid
                tell.append(('receipt', rid, r)); continue
            rid = rnd.choice(list(m.receipts)); r = m.receipts[rid]
            at = r['sent_at'] + dt.timedelta(hours=rnd.randrange(0, 24))   # whole hours: ties happen
            if kind < .6 or not r['goals']:
                k = rnd.choice('oooocccdbpu' + ('' if r['entry'] else 'w'))
                machine = k in 'oc' and rnd.choice([True, False, None, None])
                conn.execute("INSERT INTO goals.engagement VALUES (nextval('goals.engagement_id_seq'), %s, %s, %s, %s)", (rid, at, k, machine or None))
                tell.append(('eng', rid, (at, k, machine)))
            else:
                g = rnd.choice(r['goals']); w = rnd.choice([None, Decimal(rnd.randrange(1000)) / 100])
                hid = conn.execute("INSERT INTO goals.match_log VALUES (nextval('goals.match_id_seq'), %s, %s, %s, NULL, NULL, %s) RETURNING match_id",
                    (rid, at, g, w)).fetchone()[0]
                tell.append(('hits', rid, (at, hid, g, w)))
    def told(tell):
        for what, rid, x in tell:
            if what == 'receipt': m.receipts[rid] = x
            elif rid in m.receipts: m.receipts[rid][what].append(x)     # else: forgotten meanwhile
    def erased(keep):
        """With an entry into a programme go those that it supersedes."""
        gone = [r for r in m.receipts.values() if not keep(r)]
        late = lambda s: any(s['entry'] and r['entry'] and r['user'] == s['user'] and r['message'] == s['message'] and r['spell'] == s['spell']
                             and s['sent_at'] >= r['sent_at'] for r in gone)
        return gone + [s for s in m.receipts.values() if s not in gone and late(s)]
    def erase(keep):
        gone = erased(keep)
        for r in gone: r['void'] = m.superseded(r)
        for r in gone: m.gone.append(m.receipts.pop(r['id']))
    fresh = iter(range(100, 10**6))
    def move(a, b, bound):
        """The rows that say that who has key a has key b now."""
        c.execute("""INSERT INTO goals.hand_over
                     SELECT nextval('goals.hand_over_id_seq'), %(src)s, x.from_key, %(b)s, x.bound, now()
                     FROM (SELECT %(a)s AS from_key, %(bound)s::bigint AS bound
                           UNION SELECT h.from_key, h.receipt_id FROM goals.hand_over h
                           WHERE h.into_key = %(a)s AND NOT EXISTS (SELECT FROM goals.hand_over o WHERE o.from_key = h.from_key
                                 AND o.receipt_id = h.receipt_id AND o.hand_over_id > h.hand_over_id)) x""",
                  dict(src=src, a=a, b=b, bound=bound))
    def change_key():
        a = rnd.choice([k for k in keys if m.holder(k).key == k])
        free = [k for k in once if k not in keys and (k not in m.has or m.has[k].now().key == k)]
        b = rnd.choice(free) if free and rnd.random() < .5 else str(next(fresh))
        with c.transaction(): move(a, b, one("SELECT nextval('goals.receipt_id_seq')"))
        m.rename(a, b)
        keys.remove(a); keys.append(b); once.add(a)
        if rnd.random() < .6 and a not in m.has: keys.append(a)        # somebody else takes it
    def merge():
        a, b = rnd.sample([k for k in keys if m.holder(k).key == k], 2)
        with c.transaction(): move(a, b, FOR_EVER)
        m.merge(a, b)
        if rnd.random() < .7: keys.remove(a)                           # else there are receipts under both keys
    def check(step):
        for view, by in (('message_stats', False), ('variant_stats', True)):
            key = 'message, goal' + (', variant' if by else '')
            got = {tuple(r[:2 + by]): list(r[2 + by:]) for r in c.execute(f"SELECT {key}, {', '.join(NAMES)}, delivered FROM goals.{view}")}
            want = m.stats(by)
            assert {k: v for k, v in got.items() if any(v)} == want, (seed, step, view, got, want)
            n = rnd.choice(list(messages))
            part = {tuple(r[:2 + by]): list(r[2 + by:]) for r in c.execute(f"SELECT {key}, {', '.join(NAMES)}, delivered FROM goals.{view} WHERE message = %s", (n,))}
            assert part == {k: v for k, v in got.items() if k[0] == n}
        bad = c.execute('SELECT * FROM goals.verify()').fetchall()
        assert not bad, (seed, step, bad)
        # what is taken in parts adds up to what is taken whole, from the mark and from before its facts
        mark, end = list(c.execute('SELECT receipt_id, engagement_id, match_id FROM goals.watermark').fetchone() or (0, 0, 0)), [2**63 - 1] * 3
        sums = f"SELECT message_id, goal, variant_id, {', '.join(f'sum({n})' for n in PARTS)} FROM goals_internal.movement(%s, %s, %s, %s, %s, %s, %s) GROUP BY 1, 2, 3"
        for start in (mark, [mark[0], 0, 0]) if rnd.random() < .2 else ():
            whole, parts = ({tuple(r[:3]): list(r[3:]) for r in c.execute(sums, (*start, *end, n))} for n in (10**6, rnd.randrange(1, 20)))
            assert {k: v for k, v in whole.items() if any(v)} == {k: v for k, v in parts.items() if any(v)}, (seed, step, start, whole, parts)
    def check_keys(step):
        want = {i: r['person'].now().key for i, r in m.receipts.items()}
        for q in ('SELECT receipt_id, user_key FROM goals_internal.ledger WHERE goal_id IS NULL',
                  'SELECT receipt_id, person FROM goals_internal.receipt_of_person'):
            got = c.execute(q).fetchall()
            assert len(got) == len(want) and dict(got) == want, (seed, step, q, sorted(got), sorted(want.items()))
    def check_people(step, purged):
        for g in {(x['message'], x['name']) for x in m.goals.values()}:
            got = {r[0]: r for r in c.execute(f"SELECT variant, {', '.join(NAMES)}, delivered, users_matched FROM goals.stats(%s, %s)", g)}
            want = {k[2]: v for k, v in m.stats(True).items() if k[:2] == g}
            assert {k: list(v[1:15]) for k, v in got.items() if any(v[1:15])} == want, (seed, step, g, got, want)
            day = (now0 - dt.timedelta(days=rnd.randrange(20))).replace(hour=0, minute=0, second=0, microsecond=0)
            got2 = {r[0]: list(r[1:]) for r in c.execute(f"SELECT variant, {', '.join(NAMES)}, delivered FROM goals.stats(%s, %s, since => %s)", (*g, day))}
            want2 = {k[2]: v for k, v in m.stats(True, lambda r: r['sent_at'] >= day).items() if k[:2] == g}
            assert {k: v for k, v in got2.items() if any(v)} == want2, (seed, step, g, day, got2, want2)
            if not purged:
                assert {k: v[15] for k, v in got.items() if v[15]} == m.users_matched(*g), (seed, step, g, got)
        return
    def check_compare(step, want_of):
        for g in {(x['message'], x['name']) for x in m.goals.values()}:
            got = {r[0]: list(r[1:]) for r in c.execute('SELECT variant, users, matched, converters_all, assigned_users, worth FROM goals_internal.compare_data(%s, %s)', g)}
            want = want_of(*g)
            assert {k: v for k, v in got.items() if any(v)} == want, (seed, step, g, got, want)
            # the split is judged without a control group that has no receipt at all
            controls = any(r['message'] == g[0] and r['variant'] == 'control' for r in m.rows())
            assert {k for k, v in got.items() if v[3] is None} == ({'control'} & set(variants[g[0]]) if not controls else set()), (seed, step, g, got)
    def forget(key, step):
        who = m.holder(key)
        n = one('SELECT goals.forget_user(%s)', key); had = sum(r['person'].now() is who for r in m.receipts.values())
        assert n == had, (seed, step, n, had)
        erase(lambda r: r['person'].now() is not who)
        # Nothing is known of the keys that the person had. What a writer commits later is of who has its key.
        for k in [k for k, p in m.has.items() if p.now() is who]: del m.has[k]
        for what, _, r in (x for _, tell in writers for x in tell):
            if what == 'receipt' and r['person'].now() is who: r['person'] = m.holder(r['user'])
    purged = forgotten = False
    for step in range(steps):
        x = rnd.random()
        if x < .05: set_goal(rnd.choice(list(messages)[:3]))
        elif x < .12: change_key() if rnd.random() < .75 else merge()
        elif x < .5:
            tell = []

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
        elif x < .94: forget(rnd.choice(keys), step); forgotten = True
        elif x < .95:
            before = now0 - dt.timedelta(days=rnd.random() * 20)
            stays = lambda r: r['sent_at'] >= before
            n = one('SELECT goals.purge(%s)', before); want = len(erased(stays))
            assert n == want, (seed, step, n, want)
            erase(stays); purged = True
        check(step)
        check_keys(step)
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
    for u in keys[::3]: forget(u, 'end')
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
