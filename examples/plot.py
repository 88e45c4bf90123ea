"""Rates of a message's variants with their intervals, and its matches by day since sending: DATABASE_URL=... python plot.py MESSAGE [FILE.png]"""

import os
import sys

import matplotlib
import psycopg

matplotlib.use("Agg")
import matplotlib.pyplot as plt

message, file = sys.argv[1], (sys.argv[2:] or ["plot.png"])[0]
with psycopg.connect(os.environ.get("DATABASE_URL", "")) as db:
    db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ  # not SERIALIZABLE, whatever the database's default
    variants = db.execute("SELECT coalesce(variant, 'all'), rate, rate_low, rate_high FROM goals.compare(%s) WHERE rate IS NOT NULL", [message]).fetchall()
    days = db.execute("SELECT days, sum(matched) FROM goals.daily_since_sending(%s) WHERE variant IS DISTINCT FROM 'control' GROUP BY days ORDER BY days", [message]).fetchall()
figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.5), layout="constrained")
figure.suptitle(message)
for n, (name, rate, low, high) in enumerate(variants):
    left.errorbar(rate * 100, n, xerr=[[(rate - low) * 100], [(high - rate) * 100]], fmt="o", capsize=4)
left.set(yticks=range(len(variants)), yticklabels=[v[0] for v in variants], xlabel="matched, % of users (95 % interval)")
right.bar([d[0] for d in days], [float(d[1]) for d in days])
right.set(xlabel="days since sending", ylabel="matched")
figure.savefig(file, dpi=120)
print(f"{file}: {len(variants)} variants, {len(days)} days, {int(sum(d[1] for d in days))} matched")
