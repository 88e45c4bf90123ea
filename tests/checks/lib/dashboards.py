"""The work of dashboards_show_what_is_there."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from decimal import Decimal
from pathlib import Path

import psycopg
from ruamel.yaml import YAML

sys.path.insert(0, str(Path(__file__).parent))
from documents import roles_of_the_readme

ROLE = "regress_goals_dashboard"
NAME = """it's a "new" $1 offer"""   # a name that no careless interpolation survives
NUMBERS = (int, float, Decimal)
errors = []
queries = 0


def check(what, good):
    if not good:
        errors.append(what)


FILL = f"""
create table users (id bigint primary key, sessions int not null default 0);
insert into users select generate_series(1, 2000);
create table mails (template text, user_id bigint);
select goals.track_users('users');
select goals.track_receipts('mails', message => 'template', user_key => 'user_id');

-- an A/B test with a control group that has matured, and one number of each kind known: 1 sent in 10 opens, 1 in 20 clicks
select goals.create_message($${NAME}$$, channel => 'e-mail');
select goals.add_variant($${NAME}$$, 'a'), goals.add_variant($${NAME}$$, 'b'), goals.set_control_group($${NAME}$$, 0.3);
select goals.set_goal($${NAME}$$, event => 'order', time_limit => '7 days', value_from => 'amount');
select goals.set_goal($${NAME}$$, attribute => 'sessions', operator => 'at least', value => '1', time_limit => '30 days', goal => $$it's $$);
select count(*) from goals.deliver($${NAME}$$, array(select id::text from users), sent_at => now() - interval '12 days');
create table sent as select id, goals.assign($${NAME}$$, id) <> 'control' as sent from users;
select count(goals.record_opened($${NAME}$$, id, now() - interval '11 days')) from sent where sent and id % 10 = 0;
select count(goals.record_clicked($${NAME}$$, id, now() - interval '11 days')) from sent where sent and id % 20 = 0;
select count(goals.record_event(id, 'order', '{{"amount": 3}}', now() - interval '10 days')) from users where id % 7 = 0;
-- what else happened: 1 in 25 bounced, all others were delivered, 1 in 200 complained, 1 in 50 unsubscribed, a machine opened 1 in 4 and clicked 1 in 8
insert into goals.engagement (engagement_id, receipt_id, at, kind, machine)
select nextval('goals.engagement_id_seq'), r.receipt_id, r.sent_at + interval '1 hour', k.kind, k.machine
from goals.receipt r join sent s on s.id::text = r.user_key and s.sent
cross join lateral (values ('d'::"char", null, s.id % 25 <> 0), ('b', null, s.id % 25 = 0), ('p', null, s.id % 200 = 0), ('u', null, s.id % 50 = 0),
                           ('o', true, s.id % 4 = 0), ('c', true, s.id % 8 = 0)) as k (kind, machine, happened)
where k.happened;
-- a programme of one message without variants, still running, in two days; and one nothing was sent of
select goals.create_message('series', kind => 'programme');
select goals.set_goal('series', attribute => 'sessions', operator => 'is increased', time_limit => '30 days');
select goals.create_message('plain', part_of => 'series');
select goals.set_goal('plain', attribute => 'sessions', operator => 'is increased', time_limit => '3 days');
select goals.record_sent('plain', array(select id::text from users where id <= 100));
select goals.record_sent('plain', array(select id::text from users where id > 100 and id <= 150), sent_at => now() - interval '1 day');
insert into goals.receipt (receipt_id, sent_at, users_source_id, revision_id, user_key, flags)
select nextval('goals.receipt_id_seq'), r.sent_at, r.users_source_id, v.revision_id, r.user_key, 2
from goals.receipt r join goals.revision o using (revision_id) join goals.message m on m.message_id = o.message_id and m.name = 'plain'
join goals.revision v on v.message_id = m.parent_id and v.goal_ids <> '{{}}'
where not exists (select from goals.receipt x where x.revision_id = v.revision_id);
update users set sessions = sessions + 1 where id % 5 = 0;
select goals.create_message('not yet');
select goals.set_goal('not yet', event => 'order', time_limit => '3 days');
-- something that is wrong
insert into mails values ('plian', 1);
"""


# --- Grafana -------------------------------------------------------------------------------------------------------------


def interpolated(sql, variables):
    """What Grafana sends: variables by their format, macros of its PostgreSQL data source."""

    def variable(match):
        name, kind = match[1] or match[3], match[2]
        value = variables[name]
        if kind == "sqlstring":
            return "'" + value.replace("'", "''") + "'"
        if kind is None:
            return value
        raise KeyError(f"format {kind}")

    sql = re.sub(r"\$__timeFilter\(([^()]*)\)", r"\1 BETWEEN now() - interval '90 days' AND now()", sql)
    sql = re.sub(r"\$__timeFrom\(\)", "'2026-01-01T00:00:00Z'", sql)
    sql = re.sub(r"\$__timeTo\(\)", "'2026-12-31T00:00:00Z'", sql)
    check(f"a macro that is not known in {sql}", "$__" not in sql)
    return re.sub(r"\$\{(\w+)(?::(\w+))?\}|\$([a-z]\w*)", variable, sql)


def run(db, sql):
    global queries
    queries += 1
    cursor = db.execute(sql.encode())   # as it is: no placeholders are looked for
    return [c.name for c in cursor.description], cursor.fetchall()


def panel_is_right(panel, columns, rows, where):
    """Rows and columns are those that this kind of panel needs and its settings name."""
    kind, options = panel["type"], panel.get("options", {})
    column = {name: [row[i] for row in rows if row[i] is not None] for i, name in enumerate(columns)}
    check(f"{where}: columns of one name", len(set(columns)) == len(columns))
    numeric = {name for name, values in column.items() if values and all(isinstance(v, NUMBERS) for v in values)}
    referred = [o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"] if o["matcher"]["id"] == "byName"]
    referred += [options[key] for key in ("xField", "colorByField") if key in options]
    check(f"{where}: refers to {sorted(set(referred) - set(columns))}, which the query does not return", set(referred) <= set(columns))
    format = panel["targets"][0]["format"]
    if kind == "timeseries":
        check(f"{where}: is a time series in format {format}", format == "time_series")
        check(f"{where}: time is not a time", column.get("time") and all(hasattr(v, "hour") for v in column["time"]))
        check(f"{where}: is not in the order of time", column.get("time") == sorted(column.get("time", [])))
        check(f"{where}: nothing to draw", set(columns) - {"time", "metric"} <= numeric and set(columns) - {"time", "metric"})
    elif kind in ("bargauge", "stat"):
        check(f"{where}: {sorted(set(columns) - numeric)} are no numbers", set(columns) <= numeric and len(rows) == 1)
    elif kind == "barchart":
        x = options["xField"]
        check(f"{where}: {x} is not text", all(isinstance(v, str) for v in column.get(x, [])) and len(set(column.get(x, []))) == len(rows))
        check(f"{where}: {sorted(set(columns) - {x} - numeric)} are no numbers", set(columns) - {x} <= numeric)
    elif kind == "table":
        check(f"{where}: is a table in format {format}", format == "table")
    else:
        check(f"{where}: {kind} is not a kind this check knows", False)


def grafana(db, file):
    dashboard = json.loads(file.read_text())
    variables = {v["name"]: v for v in dashboard["templating"]["list"]}
    used = set(re.findall(r"\$\{(\w+)", json.dumps(dashboard)))
    check(f"variables {sorted(used - variables.keys())} are not defined", used <= variables.keys())
    check("no variable is a data source", any(v["type"] == "datasource" for v in variables.values()))
    ids = [p["id"] for p in dashboard["panels"]]
    check("panels with one id", len(set(ids)) == len(ids))
    cells = [(x, y) for p in dashboard["panels"] for x in range(p["gridPos"]["x"], p["gridPos"]["x"] + p["gridPos"]["w"]) for y in range(p["gridPos"]["y"], p["gridPos"]["y"] + p["gridPos"]["h"])]
    check("panels overlap or leave the 24 columns", len(set(cells)) == len(cells) and max(x for x, _ in cells) < 24)
    check("no link to the report", any("${message" in link["url"] for link in dashboard["links"]) and "goals.report(" in json.dumps(dashboard["panels"]))

    names = [row[0] for row in run(db, interpolated(variables["message"]["query"], {}))[1]]
    check(f"the messages offered are {names}", sorted(names) == sorted([NAME, "plain", "series", "not yet"]))
    shown = {}
    for message in names:
        goals = [row[0] for row in run(db, interpolated(variables["goal"]["query"], {"message": message}))[1]]
        check(f"the goals offered for {message} are {goals}", goals[:1] == ["primary"])
        for goal in goals:
            for panel in dashboard["panels"]:
                where = f"panel {panel['title']}, {message}, {goal}"
                for target in panel.get("targets", []):
                    check(f"{where}: its data source is not the variable", target["datasource"]["uid"] == "${datasource}")
                    columns, rows = run(db, interpolated(target["rawSql"], {"message": message, "goal": goal}))
                    shown[panel["title"], message, goal] = columns, rows
                    # what has been sent and has matured must be seen everywhere
                    if message == NAME and goal == "primary":
                        check(f"{where}: no rows", rows)
                        panel_is_right(panel, columns, rows, where)
                    elif message != "not yet" and panel["type"] != "table" and panel["title"] != "Rate and interval by variant":
                        check(f"{where}: no rows", rows)
    check("a panel has no query and is not text", all("targets" in p or p["type"] == "text" for p in dashboard["panels"]))
    kinds = {p["type"] for p in dashboard["panels"]}
    check(f"only {sorted(kinds)}", {"bargauge", "timeseries", "barchart", "table"} <= kinds)
    return len(dashboard["panels"]), shown


def figures(db, shown):
    """The bar says what the filling of the database made."""
    sent, delivered, opened, clicked, matched = db.execute(
        "select count(*), count(*) filter (where id % 25 <> 0), count(*) filter (where id % 10 = 0), count(*) filter (where id % 20 = 0), count(*) filter (where id % 7 = 0) from sent where sent"
    ).fetchone()
    columns, rows = shown["$message", NAME, "primary"]
    said = dict(zip(columns, rows[0]))
    check(f"the bar says {said}", said == {"Sent": sent, "Delivered": delivered, "Opened": opened, "Clicked": clicked, "Already matched": 0, "Goal matched": matched})
    bounced = sent - delivered
    rest = db.execute("select " + ", ".join(f"count(*) filter (where id % {n} = 0)" for n in (200, 50, 4, 8)) + " from sent where sent").fetchone()
    columns, rows = shown["What else happened", NAME, "primary"]
    check(f"what else happened: {columns}, {rows}", rows == [(bounced, *rest)] and columns == ["Bounced", "Complained", "Unsubscribed", "Opened by machines", "Clicked by machines"])
    for message in ("plain", "series"):
        columns, rows = shown["$message and its programme", message, "primary"]
        check(f"{message} and its programme: {rows}", [row[:4] for row in rows] == [("series", "programme", 150, None), ("plain", "ongoing", 150, 150)])
    columns, rows = shown["$message and its programme", NAME, "primary"]
    check(f"a message of no programme: {rows}", [row[0] for row in rows] == [NAME])
    columns, rows = shown["All messages", NAME, "primary"]
    check(f"all messages: {rows}", {row[:3] for row in rows} == {(NAME, "ongoing", None), ("series", "programme", None), ("plain", "ongoing", "series"), ("not yet", "ongoing", None)})
    columns, rows = shown["Matches by day since sending", NAME, "primary"]
    check(f"matches by day since sending: {rows}", [row for row in rows if row[1]] == [("day 2", matched)])
    columns, rows = shown["Goal rate by day of sending", NAME, "primary"]
    check(f"lines by day of sending: {rows}", {row[1] for row in rows} == {"a", "b", "control"} and all(0 <= row[2] <= 1 for row in rows))
    columns, rows = shown["Health", NAME, "primary"]
    check(f"health: {rows}", [row[:2] for row in rows] == [("unknown message", "plian")])
    return matched


# --- postgres_exporter -----------------------------------------------------------------------------------------------------


def exporter(db, file):
    """How many metrics, and every series: its name and labels, and its number."""
    metrics, series_of_all = 0, {}
    for name, entry in YAML(typ="safe").load(file).items():
        columns, rows = run(db, entry["query"])
        described = {k: v for metric in entry["metrics"] for k, v in metric.items()}
        check(f"{name}: columns {columns}, metrics {sorted(described)}", sorted(columns) == sorted(described))
        check(f"{name}: no rows", rows)
        labels = [k for k, v in described.items() if v["usage"] == "LABEL"]
        gauges = [k for k, v in described.items() if v["usage"] == "GAUGE"]
        check(f"{name}: usage that is neither LABEL nor GAUGE", len(labels) + len(gauges) == len(described))
        check(f"{name}: a metric without description", all(v["description"] for v in described.values()))
        for row in (dict(zip(columns, row)) for row in rows):
            check(f"{name}: {row}", all(isinstance(row.get(k), str) for k in labels) and all(isinstance(row.get(k), NUMBERS) for k in gauges))
        series = [tuple(row[columns.index(k)] for k in labels if k in columns) for row in rows]
        check(f"{name}: two rows of the same labels", len(set(series)) == len(series))
        metrics += len(gauges)
        for row in (dict(zip(columns, row)) for row in rows):
            for gauge in gauges:
                series_of_all[f"{name}_{gauge}", frozenset((k, row[k]) for k in labels)] = row[gauge]
    return metrics, series_of_all


def exported(file, expected):
    """Prometheus' exporter, Debian's, reads the file and shows every number of the queries; None where there is no such package."""
    found = subprocess.run(["tests/checks/lib/debian", "prometheus-postgres-exporter"], capture_output=True, text=True)
    if found.returncode == 77:
        return None
    check(found.stdout, found.returncode == 0)
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        at = "127.0.0.1:%d" % s.getsockname()[1]
    environment = {"DATA_SOURCE_NAME": f"host={os.environ['PGHOST']} port={os.environ['PGPORT']} user={ROLE} dbname={os.environ['PGDATABASE']} sslmode=disable", "PGOPTIONS": r"-c default_transaction_isolation=repeatable\ read"}
    log = Path(os.environ["TEST_TMP"]) / "exporter.log"
    with log.open("w") as out:
        running = subprocess.Popen([found.stdout.strip() + "/usr/bin/prometheus-postgres-exporter", "--disable-default-metrics", "--disable-settings-metrics",
                                    f"--extend.query-path={file}", f"--web.listen-address={at}"], env=environment, stdout=out, stderr=out)
    try:
        for _ in range(100):
            try:
                with urllib.request.urlopen(f"http://{at}/metrics", timeout=30) as answer:
                    page = answer.read().decode()
                break
            except OSError:
                time.sleep(0.1)
        else:
            check(f"the exporter does not answer: {log.read_text()}", False)
            return 0
    finally:
        running.terminate()
        running.wait()
    said = {}
    for line in page.splitlines():
        series = re.fullmatch(r"(pg_goals_\w+)(?:\{(.*)\})? (\S+)", line)
        if series:
            # the server is a label of everything
            labels = {k: v.replace('\\"', '"').replace("\\\\", "\\") for k, v in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', series[2] or "") if k != "server"}
            said[series[1], frozenset(labels.items())] = float(series[3])
    for key, value in expected.items():
        # tables grow meanwhile, but for those that nothing has been written into
        grows = key[0].startswith("pg_goals_size") and float(value) > 0
        good = key in said and (said[key] > 0 if grows else said[key] == float(value))
        check(f"the exporter says {said.get(key)} of {key}, which is {value}", good)
    check(f"the exporter also says {sorted(map(str, said.keys() - expected.keys()))}", said.keys() <= expected.keys())
    return len(said)


def main():
    root = psycopg.connect("", autocommit=True)
    root.execute("create extension pg_goals")
    root.execute(FILL)
    root.execute(roles_of_the_readme())
    try:
        root.execute(f"create role {ROLE} login in role goals_analyst")
        root.execute("grant select on sent to goals_analyst")
        with psycopg.connect("", user=ROLE, autocommit=True) as db:
            db.execute("set default_transaction_read_only = on")
            panels, shown = grafana(db, Path("examples/grafana/pg_goals.json"))
            matched = figures(db, shown)
            file = Path("examples/postgres_exporter/queries.yaml")
            metrics, series = exporter(db, file)
            said = exported(file, series)
        plot = Path(os.environ["TEST_TMP"]) / "plot.png"
        done = subprocess.run([sys.executable, "-B", "examples/plot.py", NAME, plot], env={**os.environ, "PGUSER": ROLE, "MPLCONFIGDIR": os.environ["TEST_TMP"]}, capture_output=True, text=True)
        check(f"plot.py: {done.stdout}{done.stderr[-2000:]}", re.search(rf": 3 variants, \d+ days, {matched} matched$", done.stdout.strip()))
        check("plot.py wrote no picture", plot.exists() and plot.read_bytes().startswith(b"\x89PNG"))
        if os.environ.get("KEEP_PLOT") and plot.exists():
            Path(os.environ["KEEP_PLOT"]).write_bytes(plot.read_bytes())
    finally:
        root.execute(f"drop role if exists {ROLE}")
        root.execute("drop owned by goals_sender, goals_analyst, goals_admin")
        root.execute("drop role goals_sender, goals_analyst, goals_admin")
    for error in errors[:20]:
        print(error)
    if errors:
        sys.exit(1)
    real = "no exporter of Prometheus here" if said is None else f"{said} series by Prometheus' exporter"
    print(f"{panels} panels, {metrics} metrics and the plot: {queries} queries as goals_analyst, with the columns they are to have; {real}")


main()
