"""UPDATEs of users in every form."""

import math
from decimal import Decimal

import values as v
from commands import when
from pools import SIBLINGS


class Updates:
    """A part of generate.Case."""

    def plan_sets(self, sets, conn):
        """plan_id is chosen by number among the plans of this connection."""
        if sets.get("plan_id") is not None and isinstance(sets["plan_id"], int):
            have = sorted(self.world.version("plans", conn, conn))
            sets = dict(sets, plan_id=Decimal(have[sets["plan_id"] % len(have)]) if have else None)
        return sets

    def setters(self, sets, cue=None):
        parts = []
        for name, value in sets.items():
            if name == "region":
                parts.append("region = " + v.quote(value))
            elif name in ("plan_id", "audit"):
                parts.append("%s = %s" % (name, "NULL" if value is None else value))
            else:
                parts.append("%s = %s" % (name, self.columns[name].literal(value)))
        return ", ".join(parts + ([] if cue is None else ["cue = " + v.quote(cue)]))

    def typed(self, name, value):
        if name == "region":
            return v.quote(value)
        if name in ("plan_id", "audit"):
            return "NULL::integer" if value is None else str(value)
        return self.columns[name].literal(value)

    def do_update(self, step, conn):
        world, form, plan = self.world, step["form"], step["plan"]
        # in which order a statement comes to several rows of one person is not said
        keys = self.one_of_each(step["keys"])
        there = [k for k in keys if world.version(self.table, k, conn) is not None]
        if not there:
            return None
        where = "k = " + self.key(there[0]) if len(there) == 1 else "k in (%s)" % ", ".join(map(self.key, there))
        table = "public." + self.table
        written, returning = None, None
        if step["returning"]:
            written, returning = self.returned(step["returning"], conn)

        def update(sets, **how):
            """The rows go through the model; returns the cue."""
            return self.update_rows(list(sets), conn, sets, plan, written=written, **how)

        def sql(text):
            return text + (" returning " + returning() if returning else "")

        if form in ("single", "orm", "bulk", "cte", "view", "only", "cursor", "empty", *SIBLINGS):
            sets = self.plan_sets(step["sets"], conn)
            if form == "orm":
                row = world.version(self.table, there[0], conn)
                sets = {n: sets.get(n, row[n]) for n in ["region", "audit", "plan_id"] + list(self.columns)}
            if form == "view" and "view" in self.features:
                table = "public." + self.prefix + "view"
            if form == "only" and self.shape == "list":
                row = world.version(self.table, there[0], conn)
                sets.pop("region", None)
                if not sets:
                    return None
                table = "public.%s_%s" % (self.table, row["region"])
            if form == "empty":  # matches no row
                return "update %s set %s where %s and false" % (table, self.setters(sets), where)
            if form in SIBLINGS:
                return self.beside(step, conn, {k: sets for k in there}, where)
            cue = update({k: sets for k in there})
            made = "update %s set %s where %s" % (table, self.setters(sets, cue), where)
            if form == "cte":
                return "with u as (%s returning k) select count(*) from u" % made
            if form == "cursor" and self.shape == "plain":  # PostgreSQL 15 refuses it for a partitioned table, depending on the plan
                made = "update %s set %s where current of c" % (table, self.setters(sets, cue))
                if self.explicit:
                    return "declare c cursor for select k from %s where %s for update; fetch c; %s; close c" % (
                        table,
                        where,
                        made,
                    )
                return "do $o$ declare c cursor for select k from %s where %s for update; x record; begin open c; fetch c into x; %s; close c; end $o$" % (
                    table, where, made)
            return sql(made)
        if form == "noop":
            names = [n for n in step["sets"] if n != "plan_id"] or list(self.columns)[:1]
            update({key: {} for key in there})
            return "update %s set %s where %s" % (table, ", ".join("%s = %s" % (n, n) for n in names), where)
        if form == "add":
            names = [n for n in ("n", "num", "amount", "s", "pos", "r", "d") if n in self.columns]
            if not names:
                return None
            name, by = names[step["pick"] % len(names)], Decimal(step["by"])
            if self.columns[name].sql in v.BINARY:
                by /= 10
            limit = {"n": 2147483000, "s": 32000, "pos": 2147483000}.get(name)
            keys = []
            for key in there:
                value = world.version(self.table, key, conn)[name]
                if value is None or not math.isfinite(value) or limit and abs(value) > limit:
                    continue
                if name == "pos" and value + by <= 0:
                    continue
                keys.append(key)
            if not keys:
                return None
            plus = self.columns[name].plus
            update({key: {name: plus(world.version(self.table, key, conn)[name], by)} for key in keys})
            return sql(
                "update %s set %s = %s + (%s) where k in (%s)"
                % (table, name, name, by, ", ".join(map(self.key, keys)))
            )
        sets = {k: self.plan_sets(step["sets"][k], conn) for k in there}
        if form == "upsert" and (self.shape == "list" or self.deferrable):
            form = "from"
        if form == "merge" and self.version < 150000:
            form = "from"
        names = [n for n in sets[there[0]] if all(n in s for s in sets.values())]
        if form == "upsert":
            rows = {k: dict(world.version(self.table, k, conn), **sets[k]) for k in there}
            if "normalize" in self.features and "plan" in self.columns:  # the BEFORE INSERT trigger runs on the proposed row too
                for k in rows:
                    if rows[k]["plan"] is not None:
                        rows[k]["plan"] = v.database_lower(rows[k]["plan"].strip(" "))
            proposed = {k: dict(row, **sets[k]) for k, row in rows.items()}
            cue = update({key: {n: rows[key][n] for n in names} for key in there})
            return sql(
                self.insert(
                    proposed,
                    " on conflict (k) do update set "
                    + ", ".join("%s = excluded.%s" % (n, n) for n in names + (["cue"] if cue else [])),
                    cue,
                )
            )
        source = "(values %s) s (sk, %s)" % (", ".join("(%s)" % ", ".join([self.key(k)] + [self.typed(n, sets[k][n]) for n in names]) for k in there),
                                             ", ".join("s_" + n for n in names))
        cue = update({key: {n: sets[key][n] for n in names} for key in there})
        assign = ", ".join(["%s = s_%s" % (n, n) for n in names] + ([] if cue is None else ["cue = " + v.quote(cue)]))
        if form == "merge":
            return "merge into %s u using %s on u.k = s.sk when matched then update set %s" % (table, source, assign)
        return sql("update %s u set %s from %s where u.k = s.sk" % (table, assign, source))

    def beside(self, step, conn, sets, where):
        """An UPDATE and a send in one statement. The send did not make the change."""
        world, action, form = self.world, step["send"], step["form"]
        update = "update public.%s set %%s where %s" % (self.table, where.replace("%", "%%"))
        if form == "call first":
            # the call is made before the row is written
            key, first = next(iter(sets.items()))
            self.act_send(action, key, conn, False)
            cue = self.update_rows([key], conn, {key: first}, step["plan"])
            return (
                "with s as materialized (select %s as r) "
                "update public.%s set %s from s where k = %s and s.r is not null"
                % (
                    self.direct(action, self.call_key(key, action["over"])),
                    self.table,
                    self.setters(first, cue),
                    self.key(key),
                )
            )
        some = self.setters(next(iter(sets.values())))
        if form == "call last":
            def written(key, new):
                self.act_send(action, key, conn, False, new)
            cue = self.update_rows(list(sets), conn, sets, step["plan"], written=written)
            return "with u as (%s returning k) select %s from u" % (
                update % self.setters(next(iter(sets.values())), cue),
                self.direct(action, "k::text"),
            )
        ids, formed = dict(zip(step["keys"], step["ids"])), {k: world.clock() for k in sets}

        def form(key, _):
            formed[key] = world.clock()

        def receipt(key):
            world.idx += 1
            at = (formed[key], False) if action["at"] is None else (action["at"], True)
            self.mirrored(ids[key], action["message"], key, conn, action["variant"], at, None, None)

        if form == "mirror first":
            cue = self.update_rows(list(sets), conn, sets, step["plan"], between=receipt, skipped=receipt)
            rows = self.insert_sends(
                [
                    self.send_values(ids[k], action["message"], k, action["at"], None, None, action["variant"])
                    for k in sets
                ]
            )
            return "with s as (%s returning who) update public.%s set %s from s where k = s.who" % (
                rows, self.table, some + ("" if cue is None else ", cue = " + v.quote(cue)))
        cue = self.update_rows(
            list(sets), conn, sets, step["plan"], written=form, finally_=lambda keys: [receipt(key) for key in keys]
        )
        places = ", ".join("(%s, %s, %s)" % (self.key(k), *self.place(self.send_kind, ids[k])) for k in sets)
        return (
            "with u as (%s returning k) insert into public.%ssends (id, part, what, who, sent, arm) "
            "select s.id, s.part, %s, k, %s, %s from u join (values %s) s (sk, id, part) on s.sk = k"
            % (
                update % self.setters(next(iter(sets.values())), cue),
                self.prefix,
                v.quote(action["message"]),
                when(action["at"]),
                "NULL" if action["variant"] is None else v.quote(action["variant"]),
                places,
            )
        )

    def do_cascade(self, step, conn):
        world = self.world
        if "cascade" not in self.features:
            return None
        have = sorted(world.version("plans", conn, conn))
        if not have:
            return None
        old = have[step["old"] % len(have)]
        new = None if step["new"] is None else conn * 1000 + step["new"]
        if new in have or (new is None and len(have) < 3):
            return None
        changed = [
            k for k in self.own(conn) if (world.version(self.table, k, conn) or {"plan_id": None})["plan_id"] == old
        ]
        if self.one_of_each(changed) != changed:
            return None
        world.put("plans", conn, conn, frozenset(set(have) - {old} | ({new} if new is not None else set())))
        world.idx += 1  # the referential action is a statement of its own
        keys = [
            k for k in self.own(conn) if (world.version(self.table, k, conn) or {"plan_id": None})["plan_id"] == old
        ]
        self.update_rows(keys, conn, {k: {"plan_id": None if new is None else Decimal(new)} for k in keys}, {})
        if new is None:
            return "delete from public.%splans where id = %d" % (self.prefix, old)
        return "update public.%splans set id = %d where id = %d" % (self.prefix, new, old)

    def do_recreate(self, step, conn):
        """Deleted and inserted again: no update."""
        world, key = self.world, step["key"]
        if conn not in world.txns:
            world.put(self.table, key, conn, step["row"])
            return "begin; delete from public.%s where k = %s; %s; commit" % (self.table, self.key(key), self.insert({key: step["row"]}))
        world.put(self.table, key, conn, step["row"])
        return "delete from public.%s where k = %s; %s" % (self.table, self.key(key), self.insert({key: step["row"]}))
