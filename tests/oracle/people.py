"""Keys change, accounts are merged, users go."""




class People:
    """A part of generate.Case."""

    def random_people_step(self, conn):
        """Keys change, accounts are merged, users go."""
        rng, world = self.rng, self.world
        others = [c for c in world.txns if c != conn]
        if others:  # it takes a moment at which no other transaction is open
            return {
                "op": "commit",
                "conn": rng.choice(others),
                "commit": rng.random() < 0.8 or "rollback" in self.without,
            }
        own = self.own(conn)
        there = [k for k in own if world.version(self.table, k, conn) is not None]
        free = [k for k in own if k not in there]
        kind = rng.choices(["rekey", "merge", "delete"], [6, 3, 1])[0]
        if kind == "rekey" and there:
            olds = rng.sample(there, rng.randint(1, len(there)) if rng.random() < 0.4 else 1)
            news = rng.sample(
                free + (olds if self.deferrable else []), min(len(olds), len(free) + len(olds) * self.deferrable)
            )
            moves = {o: n for o, n in zip(olds, news) if o != n}
            sets = self.random_sets(conn, None) if rng.random() < 0.4 else {}
            return {
                "op": "rekey",
                "conn": conn,
                "moves": moves,
                "sets": sets,
                "form": rng.choice(["case", "from", "each"]),
            }
        if kind == "merge" and len(there) > 0:
            known = there + [k for k in free if rng.random() < 0.3]
            return {
                "op": "merge",
                "conn": conn,
                "from": rng.choice(known),
                "into": rng.choice(there),
                "delete": rng.random() < 0.5,
                "over": self.counter,
            }
        if len(there) > 1:
            return {"op": "delete", "conn": conn, "key": rng.choice(there)}
        return {"op": "roll_up", "conn": conn}

    def one_of_each(self, keys):
        """Of several keys of one person one."""
        return list({self.world.whose(self.table, k): k for k in keys}.values())

    def undisturbed(self, conn, *keys):
        """Is no other transaction open, and nothing left to do at the end of this one for these users?"""
        world = self.world
        late = {key for _, key, _ in world.txns[conn].late} if conn in world.txns else set()
        return len(world.txns) == (conn in world.txns) and not late & set(keys)

    def both_entered(self, *keys):
        people = {self.world.whose(self.table, key) for key in keys}
        entered = [{r.message for r in p.receipts if r.entry and not r.dead and r.gone is None} for p in people]
        return len(people) > 1 and bool(set.intersection(*entered))

    def do_rekey(self, step, conn):
        """An UPDATE of the key, at times of attributes too."""
        world, moves, rows = self.world, step["moves"], {}
        if not moves or not self.undisturbed(conn, *moves):
            return None
        # What a row that moves to another partition becomes is not seen where a trigger runs before it is inserted.
        blind = "normalize" in self.features and "plan" in self.columns
        if self.shape == "hash" and blind:
            return None
        sets = self.plan_sets(step["sets"], conn)
        # a trigger of the application would change the row again
        sets = {n: x for n, x in sets.items() if not (n == "n" and self.audit or n == "region" and blind)}
        for old, new in moves.items():
            was = world.version(self.table, old, conn)
            if was is None or new not in moves and world.version(self.table, new, conn) is not None:
                return None
            if new in moves and not self.deferrable:
                return None
            # A user who is gone and one who takes the key may both have entered a programme. Which entry counts then
            # is said of merged accounts only.
            if new not in moves and self.both_entered(old, new):
                return None
            rows[old] = (new, was, self.finish(dict(was, **sets)))
            if rows[old][2] is None:
                return None
        if sets and self.one_of_each(moves) != list(moves):
            return None
        if "hooks" in self.features:
            for new, was, row in rows.values():
                number = [None if r.get("n") is None else str(r["n"]) for r in (was, row)]
                audit = [None if r["audit"] is None else int(r["audit"]) for r in (was, row)]
                self.expected.setdefault(self.keys.index(new), []).append(
                    [*audit, was["region"], row["region"], *number]
                )
        world.move(self.table, rows, conn)
        table, more = "public." + self.table, "".join(", " + s for s in [self.setters(sets)] if s)
        if step["form"] == "from" and len(moves) > 1:
            pairs = ", ".join("(%s, %s)" % (self.key(o), self.key(n)) for o, n in moves.items())
            return "update %s u set k = s.new%s from (values %s) s (old, new) where u.k = s.old" % (table, more, pairs)
        if len(moves) == 1:
            (old, new), = moves.items()
            return "update %s set k = %s%s where k = %s" % (table, self.key(new), more, self.key(old))
        cases = " ".join("when %s then %s" % (self.key(o), self.key(n)) for o, n in moves.items())
        return "update %s set k = case k %s end%s where k in (%s)" % (
            table,
            cases,
            more,
            ", ".join(map(self.key, moves)),
        )

    def do_merge(self, step, conn):
        world = self.world
        if not self.undisturbed(conn, step["from"]) or world.version(self.table, step["into"], conn) is None:
            return None
        if world.is_known(self.table, step["from"], conn) is None:
            return None
        self.handed_over = world.merge(self.table, step["from"], step["into"], conn)
        sql = "select goals.merge_users(%s, %s, users => 'public.%s')" % (
            self.call_key(step["from"], step["over"]), self.call_key(step["into"], step["over"]), self.table)
        if (
            step["delete"]
            and step["from"] != step["into"]
            and world.version(self.table, step["from"], conn) is not None
        ):
            world.idx += 1
            world.put(self.table, step["from"], conn, None)
            sql += "; delete from public.%s where k = %s" % (self.table, self.key(step["from"]))
        return sql

    def do_delete(self, step, conn):
        world = self.world
        if not self.undisturbed(conn, step["key"]) or world.version(self.table, step["key"], conn) is None:
            return None
        world.put(self.table, step["key"], conn, None)
        return "delete from public.%s where k = %s" % (self.table, self.key(step["key"]))
