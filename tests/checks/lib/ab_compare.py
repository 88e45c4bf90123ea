"""goals.compare() and the scalar statistics against values computed here by statsmodels and scipy.

1. The Hillstrom campaign as an A/B/control test by ordinary UPDATEs: while every time limit runs, and when everything has matured.
2. The same campaign by events of the past, so that it matures by time alone.
3. Messages made at random: several receipts a user, some already matched, some running, some users in two variants.
4. One message for each verdict.
5. The scalar functions on random and extreme figures.
"""

import math
import random
import sys
import warnings
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy import optimize, special, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint, proportions_ztest

sys.path.insert(0, str(Path(__file__).parent))
from ab_common import copy_script, error_of, hillstrom, hillstrom_script, psql, rows

SEED = 4
TOLERANCE = 1e-9
warnings.simplefilter("error")
errors = []
compared = defaultdict(int)


# --- the statistics, independently ------------------------------------------------------------------------------------


def wilson(x, n, confidence):
    return proportion_confint(x, n, alpha=1 - confidence, method="wilson")


def newcombe(x1, n1, x2, n2, confidence):
    return confint_proportions_2indep(x1, n1, x2, n2, method="newcomb", compare="diff", alpha=1 - confidence)


def koopman(x1, n1, x2, n2, confidence):
    """The roots of Koopman's score statistic, by bisection over the logarithm of the ratio."""
    z2 = stats.norm.isf((1 - confidence) / 2) ** 2

    def outside(log_ratio):
        ratio = math.exp(log_ratio)
        a, b, c = (n1 + n2) * ratio, -(n1 * ratio + x1 + n2 + x2 * ratio), x1 + x2
        # of the two ways to write the smaller root the one without cancellation
        p2 = 2 * c / (-b + math.sqrt(max(b * b - 4 * a * c, 0)))
        p1 = ratio * p2
        variance = p1 * max(1 - p1, 0) / n1 + ratio**2 * p2 * max(1 - p2, 0) / n2
        distance = (x1 / n1 - ratio * x2 / n2) ** 2
        return distance - z2 * variance
    near = math.log((x1 or 0.5) / n1) - math.log((x2 or 0.5) / n2)
    if (x1, x2) == (n1, n2):
        return 1 / (1 + z2 / n1), 1 + z2 / n2
    # a point that is surely inside: the estimate itself, or far towards the end that is open
    inside = near - 40 if x1 == 0 else near + 40 if x2 == 0 else near
    low = 0.0 if x1 == 0 else math.exp(optimize.brentq(outside, near - 40, inside, xtol=1e-14, rtol=1e-15))
    high = math.inf if x2 == 0 else math.exp(optimize.brentq(outside, inside, near + 40, xtol=1e-14, rtol=1e-15))
    return low, high


def koopman_of_statsmodels(x1, n1, x2, n2, confidence):
    """Miettinen and Nurminen's interval without their correction N / (N - 1) is Koopman's."""
    return confint_proportions_2indep(x1, n1, x2, n2, method="score", compare="ratio", alpha=1 - confidence, correction=False)


NODES, SHARES = np.polynomial.legendre.leggauss(120)
QUANTILES = [1e-15, 1e-10, 1e-6, 1e-3, 0.05, 0.3, 0.7, 0.95, 1 - 1e-3, 1 - 1e-6, 1 - 1e-10, 1 - 1e-15]


def better(x1, n1, x2, n2):
    """P(p1 > p2): the density of p1 times the distribution of p2, by Gauss-Legendre between the quantiles of both. p = sin², which takes
    the poles of the density at 0 and 1 away."""
    a1, b1, a2, b2 = x1 + 0.5, n1 - x1 + 0.5, x2 + 0.5, n2 - x2 + 0.5
    cuts = np.concatenate([[0.0, 1.0], special.betaincinv(a1, b1, QUANTILES), special.betaincinv(a2, b2, QUANTILES)])
    angles = np.unique(np.arcsin(np.sqrt(np.clip(cuts, 0, 1))))
    middle, half = (angles[1:] + angles[:-1]) / 2, (angles[1:] - angles[:-1]) / 2
    at = (middle[:, None] + half[:, None] * NODES).ravel()
    density = np.exp(2 * x1 * np.log(np.sin(at)) + 2 * (n1 - x1) * np.log(np.cos(at)) - special.betaln(a1, b1)) * (half[:, None] * SHARES).ravel()
    # divided by its own sum: with a million users the logarithm of the beta function has lost too many digits
    return math.fsum(density * special.betainc(a2, b2, np.sin(at) ** 2)) / math.fsum(density)


def log_beta(a):
    return math.fsum(special.gammaln(a)) - special.gammaln(math.fsum(a))


def anytime(x, weights, concentration=100):
    share = np.array(weights, float) / math.fsum(weights)
    alpha = concentration * share
    if len(x) == 2:
        ratio = special.betaln(*(alpha + x)) - special.betaln(*alpha)
    else:
        ratio = log_beta(alpha + np.array(x)) - log_beta(alpha)
    return min(1.0, math.exp(-(ratio - math.fsum(np.array(x) * np.log(share)))))


def anytime_ratio(x1, x2, weight1, weight2, confidence):
    share = np.array([weight1, weight2], float) / (weight1 + weight2)
    floor = special.betaln(*(100 * share + [x1, x2])) - special.betaln(*(100 * share)) + math.log1p(-confidence)
    # by the logarithm of the odds, so that both ends have room
    def above(odds):
        return -x1 * np.logaddexp(0, -odds) - x2 * np.logaddexp(0, odds) - floor
    best = math.log((x1 or 1e-9) / (x2 or 1e-9))
    scale = share[1] / share[0]
    low = 0.0 if x1 == 0 else scale * math.exp(optimize.brentq(above, best - 700, best, xtol=1e-14, rtol=1e-15))
    high = math.inf if x2 == 0 else scale * math.exp(optimize.brentq(above, best, best + 700, xtol=1e-14, rtol=1e-15))
    return low, high


def holm(p):
    return multipletests(p, method="holm")[1]


def z_test(x1, n1, x2, n2):
    if x1 + x2 in (0, n1 + n2):
        return 0.0, 1.0
    z, _ = proportions_ztest([x1, x2], [n1, n2])
    return z, 2 * stats.norm.sf(abs(z))


def split(n, weights):
    total = sum(weights)
    result = stats.chisquare(n, [sum(n) * w / total for w in weights])
    return result.statistic, result.pvalue


# --- comparing --------------------------------------------------------------------------------------------------------


def check(what, got, expected, relative=False):
    """To 1e-9; relative: of the value, however small it is."""
    compared["values"] += 1
    if isinstance(expected, str) or expected is None:
        right = got == expected
    else:
        got = math.nan if got is None else float(got)
        expected = float(expected)
        scale = abs(expected) if relative else max(1.0, abs(expected))
        right = got == expected or abs(got - expected) <= TOLERANCE * scale or (abs(expected) < 1e-290 and abs(got) < 1e-280)
    if not right:
        errors.append(f"{what}: {got}, expected {expected}")


def check_compare(what, call, arms, base, confidence=0.95, all_matured=True):
    """arms: by name users, matched, converters (of any age), assigned, weight, worth."""
    got = {row["variant"]: row for row in rows(f"select * from {call}")}
    check(f"{what}: variants", " ".join(sorted(got)), " ".join(sorted(arms)))
    others = [name for name in arms if name != base]
    b = arms[base]
    _, split_p = split([a["assigned"] for a in arms.values()], [a["weight"] for a in arms.values()])
    both = [name for name in others if arms[name]["users"] and b["users"]]
    tests = {name: z_test(arms[name]["matched"], arms[name]["users"], b["matched"], b["users"])[1] for name in both}
    adjusted = dict(zip(tests, holm(list(tests.values())))) if tests else {}
    any_p = [anytime([arms[n]["converters"], b["converters"]], [arms[n]["weight"], b["weight"]]) for n in others]
    any_p = dict(zip(others, holm(any_p)))
    for name, a in arms.items():
        row = got.get(name, defaultdict(lambda: None))

        def column(key, value, relative=False):
            check(f"{what}: {name}.{key}", row[key], value, relative)
        x, n = a["matched"], a["users"]
        check(f"{what}: {name}.users", row["users"], str(n))
        check(f"{what}: {name}.matched", row["matched"], str(x))
        column("rate", x / n if n else None, True)
        low, high = wilson(x, n, confidence) if n else (None, None)
        column("rate_low", low)
        column("rate_high", high)
        column("worth_per_user", a["worth"] / n if n else None, True)
        column("split_p", split_p, True)
        pair = name in both
        against = (x, n, b["matched"], b["users"])
        low, high = newcombe(*against, confidence) if pair else (None, None)
        column("difference", x / n - b["matched"] / b["users"] if pair else None)
        column("difference_low", low)
        column("difference_high", high)
        column("lift", (x / n) / (b["matched"] / b["users"]) - 1 if pair and b["matched"] else None)
        low, high = koopman(*against, confidence) if pair else (None, None)
        column("lift_low", low if low is None else low - 1)
        column("lift_high", high if high is None else high - 1)
        if what.startswith(("matured", "by events")) and name != base:
            low, high = koopman_of_statsmodels(*against, confidence)
            column("lift_low", low - 1)
            column("lift_high", high - 1)
        column("p_value", tests.get(name), True)
        column("p_adjusted", adjusted.get(name), True)
        column("probability_better", better(*against) if pair else None)
        column("anytime_p", any_p.get(name), True)
        low, high = anytime_ratio(a["converters"], b["converters"], a["weight"], b["weight"], confidence) if name != base else (None, None)
        column("anytime_lift_low", low if low is None else low - 1)
        column("anytime_lift_high", high if high is None else high - 1)
        if name == base:
            verdict = None
        elif split_p < 0.001:
            verdict = "split is unsound"
        elif min(a["converters"], b["converters"]) < 10:
            verdict = "too early"
        elif all_matured and pair and adjusted[name] < 1 - confidence:
            verdict = "better" if x / n > b["matched"] / b["users"] else "worse"
        elif any_p[name] < 1 - confidence:
            verdict = "better" if a["converters"] / a["weight"] > b["converters"] / b["weight"] else "worse"
        else:
            verdict = "no difference shown"
        column("verdict", verdict)
        compared["verdicts"] += name != base


# --- 1, 2: the campaign -----------------------------------------------------------------------------------------------

VERDICTS = {  # of mens and womens against control, when everything has matured
    "primary": ("better", "better"), "conversions": ("better", "better"), "spend": ("better", "better"),
}


def campaign_arms(customers, goal, running=False):
    arms = {}
    for variant in ("mens", "womens", "control"):
        group = [c for c in customers if c["variant"] == variant]
        bought = [c for c in group if float(c["spend"]) > 0]
        matched = {"primary": sum(c["visit"] for c in group), "conversions": sum(c["conversion"] for c in group), "spend": len(bought)}[goal]
        worth = math.fsum(float(c["spend"]) for c in bought) if goal == "spend" else 0.0
        arms[variant] = {"users": 0 if running else len(group), "matched": 0 if running else matched, "converters": matched,
                         "assigned": len(group), "weight": 1 / 3, "worth": worth}
    return arms


def campaign(customers):
    psql("\n".join(hillstrom_script(customers)))
    for goal in VERDICTS:
        arms = campaign_arms(customers, goal)
        call = f"goals.compare('campaign', '{goal}'"
        check_compare(f"running, {goal}", call + ")", campaign_arms(customers, goal, running=True), "control", all_matured=False)
        check_compare(f"running, {goal}, included", call + ", include_running => true)", arms, "control", all_matured=False)
    for goal in VERDICTS:
        psql(f"select goals.stop_goal('campaign', '{goal}')")
    for goal, expected in VERDICTS.items():
        arms = campaign_arms(customers, goal)
        call = f"goals.compare('campaign', '{goal}'"
        check_compare(f"matured, {goal}", call + ")", arms, "control")
        got = {row["variant"]: row["verdict"] for row in rows(f"select variant, verdict from {call})")}
        check(f"matured, {goal}: verdicts", str((got["mens"], got["womens"])), str(expected))
        others = (("mens", 0.95), ("womens", 0.99), ("control", 0.5), ("control", 0.999999))
        for baseline, confidence in others if goal == "conversions" else ():
            check_compare(f"matured, {goal}, against {baseline} at {confidence}",
                          f"{call}, baseline => '{baseline}', confidence => {confidence})", arms, baseline, confidence)
    # the published figures
    for variant, rate in (("mens", "18.276"), ("womens", "15.140"), ("control", "10.617")):
        check(f"published rate of {variant}", psql(f"select round((100 * rate)::numeric, 3) from goals.compare('campaign') where variant = '{variant}'"), rate)
    for variant, sum_of in (("mens", "30311.69"), ("womens", "23038.11"), ("control", "13908.33")):
        check(f"published spend of {variant}", psql(f"select worth from goals.variant_stats where message = 'campaign' and goal = 'spend' and variant = '{variant}'"), sum_of)
    check("health", psql("select * from goals.health()"), "")
    check("verify", psql("select * from goals.verify()"), "")


def campaign_by_events(customers):
    """Sent 40 to 31 days ago with a limit of 14; visits and purchases are events of up to 13 days later."""
    rand = random.Random(SEED)
    script = ["create table events (id bigint, name text, at timestamptz, data jsonb);",
              "select goals.track_events('events', 'id', 'name', 'at', 'data', users => 'users');",
              "select goals.create_message('by events', kind => 'one_off');",
              "select goals.add_variant('by events', 'mens', 7), goals.add_variant('by events', 'womens', 7);",
              "select goals.set_control_group('by events', 1.0 / 3);",
              "select goals.set_goal('by events', event => 'visit', time_limit => '14 days');",
              "select goals.set_goal('by events', event => 'buy', time_limit => '14 days', goal => 'conversions');",
              "select goals.set_goal('by events', event => 'buy', time_limit => '14 days', goal => 'spend', value_from => 'amount');"]
    sent = {}
    for variant in ("mens", "womens", "control"):
        keys = [c["id"] for c in customers if c["variant"] == variant]
        for batch in range(9):
            chosen = keys[batch::9]
            sent.update((key, 40 - batch) for key in chosen)
            script.append(f"select goals.record_sent('by events', '{{{','.join(map(str, chosen))}}}'::text[], variant => '{variant}',"
                          f" sent_at => date_trunc('hour', now()) - interval '{40 - batch} days');")
    psql("\n".join(script))
    script = ["create table coming (id bigint, name text, days float, data jsonb);"]
    coming = []
    for c in customers:
        if c["visit"]:
            ago = sent[c["id"]] - rand.uniform(0, 13)
            coming.append((c["id"], "visit", ago, "{}"))
            if c["conversion"]:
                coming.append((c["id"], "buy", ago - 0.01, '{"amount": %s}' % c["spend"]))
        elif rand.random() < 0.1:
            # too late, and too early
            coming.append((c["id"], "visit", sent[c["id"]] - 14.01, "{}"))
            coming.append((c["id"], "buy", sent[c["id"]] + 0.01, '{"amount": 1000}'))
    rand.shuffle(coming)
    script += copy_script("coming", "id, name, days, data", coming)
    script.append("insert into events select id, name, date_trunc('hour', now()) - days * interval '1 day', data from coming;")
    psql("\n".join(script))
    for goal in VERDICTS:
        check_compare(f"by events, {goal}", f"goals.compare('by events', '{goal}')", campaign_arms(customers, goal), "control")


# --- 3: people as compare() counts them ---------------------------------------------------------------------------------


def messages_at_random(count):
    rand = random.Random(SEED)
    for number in range(count):
        message, table = f"random {number}", f"people{number}"
        names = ["a", "b", "c"][: rand.choice([1, 2, 3])] + ["control"]
        weights = [rand.choice([1, 1, 2, 5]) for _ in names[:-1]]
        share = rand.choice([0.1, 0.25, 0.5])
        shares = [(1 - share) * w / sum(weights) for w in weights] + [share]
        people = rand.choice([800, 3000])
        rates = [rand.uniform(0.02, 0.4) for _ in names]
        has_running = rand.random() < 0.5
        script = [f"create table {table} (id bigint primary key, state int not null, paid numeric not null default 0);",
                  f"insert into {table} select i, case when i % 17 = 0 then 1 else 0 end from generate_series(1, {people}) i;",
                  f"select goals.track_users('{table}');", f"select goals.create_message('{message}', users => '{table}');"]
        script += [f"select goals.add_variant('{message}', '{n}', {w});" for n, w in zip(names, weights)]
        script += [f"select goals.set_control_group('{message}', {share});",
                   f"select goals.set_goal('{message}', 'state', 'is', '1', time_limit => '10 days', value_from => 'paid');"]
        variant_of = {user: rand.choices(range(len(names)), shares)[0] for user in range(1, people + 1)}
        receipts = {user: [] for user in variant_of}  # of a user: variant, days ago
        for user, own in receipts.items():
            for _ in range(rand.choice([1, 1, 1, 2, 3])):
                variant = rand.randrange(len(names)) if rand.random() < 0.01 else variant_of[user]
                own.append((variant, rand.choice([1, 4, 9, 9.5, 12, 30])))
        changes = {u for u in range(1, people + 1) if rand.random() < rates[variant_of[u]]}
        script.append("create temp table r (no int, u text, v text, d float);")
        script += copy_script("r", "no, u, v, d", ((no, u, names[v], d) for no, (u, v, d) in enumerate((u, v, d) for u, own in receipts.items() for v, d in own)))
        script.append(f"select count(goals.record_sent('{message}', u, v, now() - d * interval '1 day')) from r;")
        script.append(f"update {table} set state = 1, paid = id where id = any ('{{{','.join(map(str, changes))}}}') and state = 0;")
        if not has_running:
            script.append(f"select goals.stop_goal('{message}');")
        psql("\n".join(script))
        for included in (False, True):
            arms = {n: defaultdict(float, weight=s) for n, s in zip(names, shares)}
            running_left = False
            for user, own in receipts.items():
                if len({v for v, _ in own}) > 1:
                    continue
                arm = arms[names[own[0][0]]]
                arm["assigned"] += 1
                already = user % 17 == 0
                open_now = [d for _, d in own if d <= 10]
                converted = user in changes and not already and bool(open_now)
                arm["converters"] += converted
                if already:
                    continue
                # an open window is a running one, unless the goal is stopped
                running_left |= bool(open_now) and has_running
                judged = [d for _, d in own if included or not (d <= 10 and has_running)]
                if judged:
                    arm["users"] += 1
                    # one change, however many receipts it is a match for
                    if user in changes and any(d <= 10 for d in judged):
                        arm["matched"] += 1
                        arm["worth"] += user
            for a in arms.values():
                for key in ("users", "matched", "converters", "assigned"):
                    a[key] = int(a[key])
            check_compare(f"{message}, running {'included' if included else 'left out'}",
                          f"goals.compare('{message}', include_running => {included})", arms, "control", all_matured=not running_left)
        compared["random messages"] += 1


# --- 4: every verdict ---------------------------------------------------------------------------------------------------


def verdicts():
    """users and matched of control and of a, the weights 1:1."""
    psql("""create table crowd (id bigint primary key, n int not null default 0);
            insert into crowd select generate_series(1, 4000); select goals.track_users('crowd')""")
    cases = {"better": (1000, 100, 1000, 140), "worse": (1000, 140, 1000, 100), "no difference shown": (1000, 100, 1000, 101),
             "too early": (1000, 9, 1000, 60), "split is unsound": (1000, 100, 1300, 300)}
    for words, (n2, x2, n1, x1) in cases.items():
        psql(f"""update crowd set n = 0; select goals.create_message('{words}', users => 'crowd'); select goals.add_variant('{words}', 'a');
            select goals.set_control_group('{words}'); select goals.set_goal('{words}', 'n', 'is increased', time_limit => '1 day');
            select goals.record_sent('{words}', array(select i::text from generate_series(1, {n2}) i), variant => 'control');
            select goals.record_sent('{words}', array(select i::text from generate_series({n2} + 1, {n2 + n1}) i), variant => 'a');
            update crowd set n = 1 where id <= {x2} or id between {n2} + 1 and {n2 + x1};
            select goals.stop_goal('{words}')""")
        arms = {"a": {"users": n1, "matched": x1, "converters": x1, "assigned": n1, "weight": 0.5, "worth": 0.0},
                "control": {"users": n2, "matched": x2, "converters": x2, "assigned": n2, "weight": 0.5, "worth": 0.0}}
        check_compare(words, f"goals.compare('{words}')", arms, "control")
        check(f"the verdict {words}", psql(f"select verdict from goals.compare('{words}') where variant = 'a'"), words)
    check("an unknown baseline", error_of("select * from goals.compare('better', baseline => 'b')"), "42704")
    check("a confidence of 1", error_of("select * from goals.compare('better', confidence => 1)"), "22023")


# --- 5: the parts by themselves -------------------------------------------------------------------------------------------


def parts(count):
    rand = random.Random(SEED)
    cases = []
    for number in range(count):
        n1, n2 = (int(10 ** rand.uniform(0, 6)) for _ in range(2))
        rate = 10 ** rand.uniform(-3, 0)
        x1 = min(n1, int(n1 * min(1, rate * rand.uniform(0.5, 1.5))))
        x2 = min(n2, int(n2 * min(1, rate * rand.uniform(0.5, 1.5))))
        if number % 10 == 0:
            x1 = rand.choice([0, n1])
        if number % 10 == 1:
            x2 = rand.choice([0, n2])
        cases.append((number, x1, n1, x2, n2, rand.choice([0.5, 0.8, 0.9, 0.95, 0.99, 0.9999]), rand.choice([1, 2, 0.3]), rand.choice([1, 4])))
    psql("\n".join(["create table c (no int, x1 bigint, n1 bigint, x2 bigint, n2 bigint, conf float8, w1 float8, w2 float8);",
                    *copy_script("c", "no, x1, n1, x2, n2, conf, w1, w2", cases)]))
    got = rows("""select c.*, r.low as rl, r.high as rh, d.low as dl, d.high as dh, t.z, t.p, s.chi_square, s.p as sp, q.low as ql, q.high as qh,
                goals.probability_better(x1, n1, x2, n2) as better, goals.anytime_test(array[x1, x2], array[w1, w2]) as ap,
                goals.anytime_test(array[x1, x2, n1], array[w1, w2, 3], 50) as ap3,
                a.low as al, a.high as ah, k.chi_square as kc, k.p as kp
            from c, goals.rate_interval(x1, n1, conf) r, goals.difference_interval(x1, n1, x2, n2, conf) d,
                 goals.proportion_test(x1, n1, x2, n2) t, goals.split_test(array[n1, n2], array[w1, w2]) s,
                 goals.ratio_interval(x1, n1, x2, n2, conf) q,
                 goals.anytime_ratio_interval(x1, x2, w1, w2, conf) a, goals.proportions_test(array[x1, x2], array[n1, n2]) k order by no""")
    for (number, x1, n1, x2, n2, confidence, w1, w2), row in zip(cases, got):
        what = f"x1 {x1}, n1 {n1}, x2 {x2}, n2 {n2}, confidence {confidence}, weights {w1} {w2}: "

        def both(name, keys, values):
            for key, value in zip(keys, values):
                check(what + name, row[key], value, relative=name.startswith("anytime"))
        both("rate_interval", ("rl", "rh"), wilson(x1, n1, confidence))
        both("difference_interval", ("dl", "dh"), newcombe(x1, n1, x2, n2, confidence))
        if x1 + x2 > 0:
            both("ratio_interval", ("ql", "qh"), koopman(x1, n1, x2, n2, confidence))
        z, p = z_test(x1, n1, x2, n2)
        check(what + "z", row["z"], z)
        check(what + "p", row["p"], p, relative=True)
        if 0 < x1 + x2 < n1 + n2:
            check(what + "proportions_test", row["kp"], stats.chi2_contingency([[x1, n1 - x1], [x2, n2 - x2]], correction=False).pvalue, relative=True)
        check(what + "split", row["sp"], split([n1, n2], [w1, w2])[1], relative=True)
        check(what + "probability_better", row["better"], better(x1, n1, x2, n2))
        check(what + "anytime_test", row["ap"], anytime([x1, x2], [w1, w2]), relative=True)
        check(what + "anytime_test of three", row["ap3"], anytime([x1, x2, n1], [w1, w2, 3], 50), relative=True)
        both("anytime_ratio_interval", ("al", "ah"), anytime_ratio(x1, x2, w1, w2, confidence))
        compared["random figures"] += 1
    for _ in range(20):
        p = [rand.random() ** rand.choice([1, 30, 300]) for _ in range(rand.randint(1, 12))]
        got = psql(f"select unnest(goals.adjust_p('{{{','.join(map(repr, p))}}}'))").split("\n")
        for g, e in zip(got, holm(p)):
            check(f"Holm of {p}", g, e, relative=True)
        p1, p2, power, confidence = *(rand.uniform(0.01, 0.99) for _ in range(2)), rand.uniform(0.5, 0.99), rand.uniform(0.5, 0.999)
        a, b, mean = stats.norm.isf((1 - confidence) / 2), stats.norm.ppf(power), (p1 + p2) / 2
        size = (a * math.sqrt(2 * mean * (1 - mean)) + b * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))) ** 2 / (p1 - p2) ** 2
        check(f"sample_size({p1}, {p2}, {power}, {confidence})", psql(f"select goals.sample_size({p1}, {p2}, {power}, {confidence})"), size, relative=True)


def main():
    customers = hillstrom()
    campaign(customers)
    campaign_by_events(customers)
    messages_at_random(8)
    verdicts()
    parts(600)
    for line in errors[:40]:
        print(line)
    print(f"{compared['values']} values ({compared['verdicts']} verdicts) of the Hillstrom campaign, {compared['random messages']} random messages and "
          f"{compared['random figures']} random figures against statsmodels and scipy, to 1e-9: {len(errors)} differ")
    sys.exit(bool(errors))


main()
