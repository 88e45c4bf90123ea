"""What the application's own triggers and functions do inside of a statement: commands nested in it, in an order that
the model knows.

A plan says what is done where: {trigger: [action, ...]}. It is written into the column `cue` of the row that the
statement writes, key by key and as SQL; the triggers run what their row says. Each trigger reports what it is about to
do, and a BEFORE trigger the step that its row is going to make, as warnings. They are the application's own log, which
has to say what the model says."""

import json

import values as v

# PostgreSQL fires triggers in the order of their names; those of pg_goals are called pg_goals_1, pg_goals_2, ...
BEFORE = ["0_before", "zz_before"]
AFTER = ["A_after", "_500_after", "zz_after"]
LATE = ["_late", "zz_late"]
# A row of the table of sends is a receipt when the trigger of pg_goals has seen it.
AFTER_SENDS = ["zz_after"]


def when(at):
    return "clock_timestamp()" if at is None else "(current_setting('o.t0')::timestamptz + %d * interval '1 us')" % at


def hook(name, key):
    """A trigger function that does what its row says."""
    return """create function %s() returns trigger language plpgsql as $$
declare act jsonb;
begin
    if new.cue is null then return new; end if;
    for act in select jsonb_array_elements(new.cue::jsonb -> tg_name -> %s) loop
        raise warning 'did %%', act ->> 0;
        execute act ->> 1;
    end loop;
    if tg_name = 'zz_before' and new.cue::jsonb ? 'instead' then return null; end if;
    return new;
end $$""" % (name, key)


class Commands:
    """A part of generate.Case."""

    def functions(self):
        """SQL of the functions that triggers and statements call."""
        p = self.prefix
        order = "array_position(array[%s]::text[], new.k::text) - 1" % ", ".join(map(v.quote, self.keys))
        n = "old.n::text, new.n::text" if "n" in self.columns else "null, null"
        return [
            hook(p + "users_hook", "new.k::text"),
            hook(p + "rows_hook", "new.who::text"),
            # a row's cue is that of the last update only
            "create function %scue() returns trigger language plpgsql as "
            "$$begin if new.cue is not distinct from old.cue then new.cue := null; end if; return new; end$$" % p,
            "create function %sjournal() returns trigger language plpgsql as $$begin "
            "raise warning 'step %%', jsonb_build_array(%s, old.audit, new.audit, "
            "old.region, new.region, %s); return new; end$$" % (p, order, n),
            """create function %srun(who text, plan jsonb) returns integer language plpgsql as $$
declare act jsonb;
begin
    for act in select jsonb_array_elements(plan -> who) loop
        raise warning 'did %%', act ->> 0;
        execute act ->> 1;
    end loop;
    return 1;
end $$"""
            % p,
            """create procedure %scall(plan text[]) language plpgsql as $$
declare act text;
begin
    foreach act in array plan loop
        case act when 'commit' then commit; when 'rollback' then rollback; else execute act; end case;
    end loop;
end $$"""
            % p,
        ]

    def triggers(self, table):
        """SQL of the triggers of the table of users."""
        if "hooks" not in self.features:
            return []
        create = 'create trigger "%s" %s on %s for each row execute function %s%s()'
        # a row that moves to another partition is inserted there
        event = "insert or update" if self.shape == "list" else "update"
        made = [
            create % ("0", "before update", table, self.prefix, "cue"),
            create % ("zzz_journal", "before update", table, self.prefix, "journal"),
        ]
        made += [create % (name, "before update", table, self.prefix, "users_hook") for name in BEFORE]
        made += [create % (name, "after " + event, table, self.prefix, "users_hook") for name in AFTER]
        made += [
            'create constraint trigger "%s" after %s on %s deferrable initially deferred for each row '
            "execute function %susers_hook()" % (name, event, table, self.prefix)
            for name in LATE
        ]
        return made

    def row_triggers(self, table, after):
        """SQL of the triggers of a table of events or sends."""
        if "hooks" not in self.features:
            return []
        made = [
            'create trigger "%s" %s insert on %s for each row when (new.cue is not null) execute function %srows_hook()'
            % (name, when, table, self.prefix)
            for when, names in (("before", BEFORE), ("after", after))
            for name in names
        ]
        return made + [
            'create constraint trigger "%s" after insert on %s deferrable initially deferred for each row '
            "when (new.cue is not null) "
            "execute function %srows_hook()" % (name, table, self.prefix)
            for name in LATE
        ]

    # --- what is chosen ---

    def random_plan(self, conn, depth=0, after=AFTER, again=True, late=False):
        rng = self.rng
        slots = rng.sample(BEFORE + after + after + LATE, rng.choice([1, 1, 1, 2, 3]))
        plan = {
            name: [self.random_action(conn, depth, name, late or name in LATE) for _ in range(rng.choice([1, 1, 2, 3]))]
            for name in dict.fromkeys(slots)
        }
        if again:  # a BEFORE trigger may make the change itself
            for name in BEFORE:
                if name in plan:
                    plan[name] = [a for a in plan[name] if a["do"] != "again"]
            if rng.random() < 0.12 and depth < 2:
                plan["zz_before"] = plan.get("zz_before", []) + [self.random_again(conn, depth, late)]
                plan["instead"] = True
        return plan

    def random_again(self, conn, depth, late=False):
        rng = self.rng
        sets = self.random_sets(conn, None)
        sets.pop("plan_id", None)
        if not sets or rng.random() < 0.3:
            sets["audit"] = "audit + 1"
        self.tags += 1
        nested = "hooks" in self.features and rng.random() < (0.5 if depth == 0 else 0.25)
        return {
            "do": "again",
            "tag": self.tags,
            "sets": sets,
            "plan": self.random_plan(conn, depth + 1, late=late) if nested else {},
        }

    def random_action(self, conn, depth=0, slot=None, late=False):
        """late: it is done at the end of the transaction; what can be opened then is not known when it is chosen."""
        rng = self.rng
        kinds = ["send"] * 5 + ["event"] * 3 + ([] if late or "open" in self.without else ["open"])
        if "sends" in self.features and "mirror" not in self.without:
            kinds += ["mirror"] * 4
        if depth < 3 and slot not in BEFORE:
            kinds += ["again"] * 6
        if not late and "alone" not in self.without:
            kinds += ["row"] * 2 * len({"completed", "orders"} & set(self.tracked_by_name))
        do = rng.choice(kinds)
        if do == "row":
            return self.random_row_of_table(conn)
        spec = rng.choice(self.message_specs if do == "send" else self.sent_specs)
        self.counter += 1
        self.tags += 1
        if do == "again":
            return self.random_again(conn, depth, late)
        if do == "event":
            how = rng.choice(["call", "table"]) if "events" in self.features else "call"
            return {
                "do": "event",
                "tag": self.tags,
                "how": how,
                "event": self.random_happening(),
                "row": self.counter * 100,
                "over": self.counter,
            }
        action = {
            "do": do,
            "tag": self.tags,
            "message": spec["name"],
            "at": self.past() if rng.random() < 0.25 else None,
            "over": self.counter,
            "variant": rng.choice(spec["variants"] + [None]) if spec["variants"] else None,
        }
        if do == "send":
            action["how"] = rng.choice(["one", "one", "deliver"])
            if action["how"] == "deliver":
                action["variant"] = None
        if do == "mirror":
            action["row"] = self.counter * 100
        if do == "open":
            action.update(at=None, click=rng.random() < 0.4)
        return action

    # --- what is done ---

    def act(self, action, key, conn, dry=False):
        """A command of its own. Returns its SQL; None if it makes no sense here. dry: it is going to be done later."""
        if not dry:
            self.world.idx += 1
        return getattr(self, "act_" + action["do"])(action, key, conn, dry)

    def acts(self, actions, key, conn, dry=False):
        """[[label, SQL], ...] as a trigger reads them."""
        made = []
        log = self.expected.setdefault(self.keys.index(key), [])
        for action in actions:
            at = len(log)
            sql = self.act(action, key, conn, dry)
            if sql is not None:
                label = "%d %d" % (self.keys.index(key), action["tag"])
                made.append([label, sql])
                if not dry:
                    log.insert(at, action["tag"])
        return made

    def said(self, messages):
        """Compares what the application's triggers have reported with what the model expects."""
        found, wanted = {}, {key: entries for key, entries in self.expected.items() if entries}
        for text in messages:
            what, _, rest = text.partition(" ")
            if what == "did" and rest:
                key, tag = map(int, rest.split())
                found.setdefault(key, []).append(tag)
            elif what == "step":
                step = json.loads(rest)
                found.setdefault(step[0], []).append(step[1:])
        self.expected = {}
        return (
            []
            if found == wanted
            else [
                "THE MODEL IS WRONG about what was done, user by user: expected %s, the application says %s"
                % (wanted, found)
            ]
        )

    def act_send(self, a, key, conn, dry, seen=None):
        if not dry and self.world.delivered(a["message"], key, conn) is None:
            sent = None if a["at"] is None else (a["at"], True)
            before = self.world.recorded
            receipt = self.record(a["message"], key, conn, a["variant"], a["how"], sent, seen)
            if receipt is not None and receipt.order >= before:
                self.made_receipt(receipt)
        at = "" if a["at"] is None else ", sent_at => " + when(a["at"])
        if a["how"] == "deliver":
            return "select receipt_id from goals.deliver(%s, %s%s)" % (
                v.quote(a["message"]),
                self.call_key(key, a["over"]),
                at,
            )
        variant = "" if a["variant"] is None else ", variant => " + v.quote(a["variant"])
        return "select goals.record_sent(%s, %s%s%s)" % (
            v.quote(a["message"]),
            self.call_key(key, a["over"]),
            variant,
            at,
        )

    def act_mirror(self, a, key, conn, dry):
        """A row in the table of sends; its trigger records the receipt after it."""
        if not dry:
            self.world.idx += 1
            sent = (self.world.clock(), False) if a["at"] is None else (a["at"], True)
            self.mirrored(self.row(a, key), a["message"], key, conn, a["variant"], sent, None, None)
        return self.insert_sends(
            [self.send_values(self.row(a, key), a["message"], key, a["at"], None, None, a["variant"])]
        )

    def row(self, action, key):
        """The number of the row that an action inserts for this user."""
        return action["row"] + self.keys.index(key)

    def act_again(self, a, key, conn, dry):
        sets = a["sets"]
        if dry:
            cue = self.dry_cue(a["plan"], key, conn, a["tag"])
        else:
            cue = self.update_rows([key], conn, {key: sets}, a["plan"], a["tag"])
        return "update public.%s set %s where k = %s" % (self.table, self.setters(sets, cue), self.key(key))

    def act_event(self, a, key, conn, dry):
        name, properties, at = a["event"]
        if a["how"] == "call":
            if not dry:
                self.world.event(self.table, key, conn, name, v.loads(properties), at)
            return "select goals.record_event(%s, %s, %s%s, users => 'public.%s')" % (
                self.call_key(key, a["over"]),
                v.quote(name),
                v.quote(properties),
                "" if at is None else ", " + when(at),
                self.table,
            )
        row = self.row(a, key)
        if not dry:
            self.happened(row, key, conn, name, properties, at)
        return self.insert_events([self.event_values(row, key, name, properties, at)])

    def act_open(self, a, key, conn, dry):
        world = self.world
        receipt = world.latest(a["message"], key, conn, None)
        if receipt is None or receipt.variant == "control" or self.strict(conn):
            return None
        world.engage(receipt, conn, a["click"], None)
        return "select goals.record_%s(%s, %s)" % (
            "clicked" if a["click"] else "opened",
            v.quote(a["message"]),
            self.call_key(key, a["over"]),
        )

    def dry_cue(self, plan, key, conn, tag):
        made = {name: {key: self.acts(actions, key, conn, True)} for name, actions in plan.items() if name != "instead"}
        if "instead" in plan:
            made["instead"] = True
        return self.cue(made, tag)

    @staticmethod
    def cue(made, tag):
        return json.dumps(dict(made, tag=tag), ensure_ascii=False) if made else None

    # --- an UPDATE ---

    def update_rows(self, keys, conn, sets, plan, tag=None, written=None, between=None, skipped=None, finally_=None):
        """The rows go through an UPDATE, the command that has just begun. Returns the cue.

        Called are, written: for a row that was written; between: for such a row, before the triggers after it; skipped:
        for a row that a trigger kept from being written; finally_: with the keys of the rows that were written, after
        all triggers."""
        world, at, made, done = self.world, self.world.idx, {}, []
        for key in keys:
            old = world.version(self.table, key, conn)
            self.run_slot(plan, "0_before", key, conn, made)
            new = dict(old)
            for name, value in sets[key].items():
                new[name] = old[name] + 1 if value == "audit + 1" and name == "audit" else value
            new = self.finish(new)
            if new is not None:
                self.run_slot(plan, "zz_before", key, conn, made)
            if new is None or "instead" in plan:
                if skipped:
                    skipped(key)
                continue
            if "hooks" in self.features:
                number = [None if row.get("n") is None else str(row["n"]) for row in (old, new)]
                self.expected.setdefault(self.keys.index(key), []).append(
                    [
                        None if old["audit"] is None else int(old["audit"]),
                        None if new["audit"] is None else int(new["audit"]),
                        old["region"],
                        new["region"],
                        *number,
                    ]
                )
            fact = world.change(self.table, key, conn, old, new, at)
            done.append((key, old, new, fact))
            if written:
                written(key, new)
        for key, _, _, fact in done:
            self.defer(plan, key, conn, made, fact)
        for key, old, new, _ in done:
            if between:
                between(key)
            for name in sorted(AFTER + [self.audit] * (self.audit is not None) + LATE * world.txns[conn].immediate):
                if name != self.audit:
                    self.run_slot(plan, name, key, conn, made)
                elif not v.equal(old["n"], new["n"]) and not (self.shape == "list" and old["region"] != new["region"]):
                    # an AFTER UPDATE trigger does not fire for a row that moves to another partition
                    self.world.idx += 1
                    self.update_rows([key], conn, {key: {"audit": "audit + 1"}}, {})
        if "instead" in plan:
            made.setdefault("instead", True)
        if finally_:
            finally_([key for key, *_ in done])
        return self.cue(made, "step %d" % self.number if tag is None else tag)

    def run_slot(self, plan, name, key, conn, made):
        if plan.get(name):
            made.setdefault(name, {})[key] = self.acts(plan[name], key, conn)

    def defer(self, plan, key, conn, made, fact):
        """The deferred triggers of a row are queued before the others fire."""
        for name in LATE:
            if plan.get(name) and not self.world.txns[conn].immediate:
                made.setdefault(name, {})[key] = self.acts(plan[name], key, conn, True)
                self.world.txns[conn].late.append((fact, key, plan[name]))

    def fire_late(self, conn):
        """What the deferred triggers do at the end of the transaction."""
        late = self.world.txns[conn].late
        while late:
            fact, key, actions = late.pop(0)
            if not fact.dead:
                self.acts(actions, key, conn)

    # --- statements that call functions, and programs ---

    def random_returning(self, conn):
        rng = self.rng
        if rng.random() < 0.5:
            return {"run": [self.random_action(conn, 1) for _ in range(rng.choice([1, 2, 3]))]}
        direct = []
        while not direct or rng.random() < 0.3:
            action = self.random_action(conn, 3, "direct")
            if action["do"] == "send" or (action["do"] == "event" and action["how"] == "call"):
                direct.append(action)
        return {"direct": direct}

    def returned(self, returning, conn):
        """(what is done when a row was written, what the RETURNING list is then)"""
        runs = {}

        def written(key, new):
            if "run" in returning:
                runs[key] = self.acts(returning["run"], key, conn)
                return
            for action in returning["direct"]:
                extra = {"seen": new} if action["do"] == "send" else {}
                getattr(self, "act_" + action["do"])(action, key, conn, False, **extra)

        def expressions():
            if "run" in returning:
                return "public.%srun(k::text, %s)" % (self.prefix, v.quote(json.dumps(runs, ensure_ascii=False)))
            return ", ".join(self.direct(a, "k::text") for a in returning["direct"])

        return written, expressions

    def direct(self, action, key):
        """A call as an expression, for the key of the row."""
        if action["do"] == "event":
            name, properties, at = action["event"]
            return "goals.record_event(%s, %s, %s%s, users => 'public.%s')" % (
                key,
                v.quote(name),
                v.quote(properties),
                "" if at is None else ", " + when(at),
                self.table,
            )
        at = "" if action["at"] is None else ", sent_at => " + when(action["at"])
        if action["how"] == "deliver":
            return "(select receipt_id from goals.deliver(%s, %s%s))" % (v.quote(action["message"]), key, at)
        variant = "" if action["variant"] is None else ", variant => " + v.quote(action["variant"])
        return "goals.record_sent(%s, %s%s%s)" % (v.quote(action["message"]), key, variant, at)

    def random_program(self, conn):
        """Statements of one call: a DO block, a procedure that commits, functions in plpgsql and SQL, a SELECT list."""
        rng = self.rng
        form = rng.choice(["do", "do", "call", "function", "sql", "select"])
        keys = rng.sample(self.own(conn), min(len(self.own(conn)), rng.choice([1, 1, 2])))
        actions = []
        for _ in range(rng.randint(2, 5)):
            if form in ("do", "call") and rng.random() < 0.15:
                actions.append(
                    (
                        None,
                        {
                            "do": rng.choice(
                                ["commit", "commit"] if "rollback" in self.without else ["commit", "rollback"]
                            )
                        },
                    )
                )
            elif form == "do" and rng.random() < 0.25:
                inner = [(rng.choice(keys), self.random_action(conn, 1)) for _ in range(rng.randint(1, 3))]
                actions.append(
                    (
                        None,
                        {
                            "do": "block",
                            "actions": inner,
                            "back": rng.random() < 0.5 and "rollback" not in self.without,
                        },
                    )
                )
            else:
                actions.append((rng.choice(keys), self.random_action(conn, 0)))
        if form == "select":
            actions = [(k, a) for k, a in actions if a["do"] == "send" or (a["do"] == "event" and a["how"] == "call")][
                :3
            ]
            if rng.random() < 0.5:
                actions.append((keys[0], self.random_again(conn, 1)))
        return {"op": "program", "conn": conn, "form": form, "actions": actions}

    def do_program(self, step, conn):
        world, form = self.world, step["form"]
        parts = [part for key, action in step["actions"] for part in action.get("actions", [(key, action)])]
        if any(key is not None and world.version(self.table, key, conn) is None for key, _ in parts):
            return None
        if form == "select":
            return self.do_select(step, conn)
        made = []
        for key, action in step["actions"]:
            if action["do"] in ("commit", "rollback"):
                if self.explicit:
                    continue
                if action["do"] == "commit":
                    self.commits(conn)
                else:
                    world.idx += 1
                world.end(conn, action["do"] == "commit")
                world.begin(conn, "read committed")
                made.append(action["do"])
            elif action["do"] == "block":
                txn = world.txns[conn]
                before = len(txn.facts)
                inner = [self.act(a, k, conn) for k, a in action["actions"]]
                inner = "; ".join(self.plpgsql(sql) for sql in inner if sql)
                if action["back"]:
                    for fact in txn.facts[before:]:
                        fact.dead = True
                made.append(
                    "begin %s; %s exception when raise_exception then null; end"
                    % (inner or "null", "raise exception 'back';" if action["back"] else "")
                )
            else:
                sql = self.act(action, key, conn)
                if sql is not None:
                    made.append(sql)
        if not made:
            return None
        if form == "do":
            return "do $o$ begin %s; end $o$" % "; ".join(map(self.plpgsql, made))
        if form == "call":
            return "call public.%scall(array[%s]::text[])" % (self.prefix, ", ".join(map(v.quote, made)))
        if form == "function":
            return "select public.%srun('', %s)" % (
                self.prefix,
                v.quote(json.dumps({"": [["", sql] for sql in made]}, ensure_ascii=False)),
            )
        name = "public.%ssql_%d" % (self.prefix, conn)
        return "create or replace function %s() returns integer language sql as $o$ %s; select 1 $o$; select %s()" % (
            name,
            "; ".join(made),
            name,
        )

    @staticmethod
    def plpgsql(sql):
        return "perform " + sql[7:] if sql.startswith("select ") else sql

    def do_select(self, step, conn):
        """Calls in one SELECT: they are one command. What a function of the application runs is a later one."""
        made = []
        for key, action in step["actions"]:
            if action["do"] == "again":
                plan = {key: self.acts([action], key, conn)}
                made.append(
                    "public.%srun(%s, %s)" % (self.prefix, v.quote(key), v.quote(json.dumps(plan, ensure_ascii=False)))
                )
                break
            getattr(self, "act_" + action["do"])(action, key, conn, False)
            made.append(self.direct(action, self.call_key(key, action["over"])))
        return "select " + ", ".join(made) if made else None
