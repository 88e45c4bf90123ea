-- What the extension holds and says, written down in plain tables of the same database, to be compared after something has happened to it.
\set ON_ERROR_STOP on
set client_min_messages = warning;
create schema kept;

-- name: of a table here; query: what to compare, with the columns there are now (a later version may have more)
create table kept.query (name text primary key, query text not null);
-- Columns of tables that an upgrade gives another name.
create table kept.renamed (was name primary key, becomes name not null);
insert into kept.renamed values ('users_id', 'users_source_id');
create table kept.sequence_at (name text primary key, last_value bigint, is_called boolean);

insert into kept.query select 'table ' || relname, format('table goals.%I', relname)
    from pg_class where relnamespace = 'goals'::regnamespace and relkind = 'r';
insert into kept.query values
    ('message_stats', 'table goals.message_stats'),
    ('variant_stats', 'table goals.variant_stats'),
    ('outcome', 'table goals.outcome'),
    ('stats', 'select s.* from goals.message m, goals.stats(m.name, null) s'),
    ('stats by goal', 'select s.* from (select distinct m.name as message, g.name as goal from goals.goal g join goals.message m using (message_id)
                                       where g.after = ''sent'') g, goals.stats(g.message, g.goal) s'),
    -- up to 0.2.0 a receipt that had not been opened was not in progress, although it could still match
    ('stats by goal after an open', 'select s.message, s.goal, s.variant, s.sent, s.opened, s.clicked, s.already_matched, s.matched, s.matched_after_open,
                                            s.matched_after_click, s.worth, s.users_matched
                                     from (select distinct m.name as message, g.name as goal from goals.goal g join goals.message m using (message_id)
                                           where g.after <> ''sent'') g, goals.stats(g.message, g.goal) s'),
    ('stats of a month', $$ select s.* from goals.message m, goals.stats(m.name, null, now() - interval '40 days', now() + interval '1 day') s $$),
    ('matches', 'select m.name, x.* from goals.message m, goals.matches(m.name) x'),
    ('compare', $$ select c.* from goals.compare('test') c $$),
    ('daily', $$ select d.* from goals.daily('test') d $$),
    ('daily since sending', $$ select d.* from goals.daily_since_sending('test') d $$),
    ('attribution', $$ select a.* from goals.attribution() a $$),
    ('assigned', $$ select u.id, goals.assign('test', u.id) from app.users u where id <= 300 $$),
    -- up to 0.2.0 a goal that is broken had the verdict of one that is running
    ('explained', $$ select u.id, to_jsonb(x) || case when (x.goal, x.verdict) = ('broken', 'still running')
                            then '{"verdict": "goal broken"}' else '{}' end::jsonb as found
                     from app.users u, goals.explain('welcome', u.id) x where u.id between 18 and 27 $$),
    ('explained by uuid', $$ select p.id, x.* from (select id from app.people order by id limit 7) p, goals.explain('people', p.id) x $$),
    ('health', 'select problem, object from goals.health()'),
    ('verify', 'select v::text from goals.verify() v');

create procedure kept.keep() language plpgsql as $$
declare q record;
begin
    for q in table kept.query loop
        execute format('create table kept.%I as %s', 'k ' || q.name, q.query);
    end loop;
    for q in select oid::regclass as name, relname from pg_class where relnamespace = 'goals'::regnamespace and relkind = 'S' loop
        execute format('insert into kept.sequence_at select %L, last_value, is_called from %s', q.relname, q.name);
    end loop;
end $$;

-- A line for each thing that is not as it was; but: names in kept.query that need not be.
create function kept.differences(but text[] default '{}') returns setof text language plpgsql as $$
declare q record; columns text; last bigint; called boolean;
begin
    for q in select * from kept.query where name <> all (but) order by name loop
        select string_agg(coalesce(quote_ident(n.attname) || ' as ', '') || quote_ident(a.attname), ', ' order by a.attnum) into columns
            from pg_attribute a
            left join kept.renamed r on r.was = a.attname
            left join pg_attribute n on n.attname = r.becomes and 'table ' || n.attrelid::regclass::text = q.query
            where a.attrelid = format('kept.%I', 'k ' || q.name)::regclass and a.attnum > 0 and not a.attisdropped;
        execute format('create temp table is_now as select %s from (%s) x', columns, q.query);
        return query execute format('
            select %1$L || '': '' || line from (
                select ''- '' || x::text as line from (table kept.%2$I except all table is_now) x
                union all
                select ''+ '' || x::text from (table is_now except all table kept.%2$I) x) z
            order by 1 limit 6', q.name, 'k ' || q.name);
        drop table is_now;
    end loop;
    for q in table kept.sequence_at loop
        execute format('select last_value, is_called from goals.%I', q.name) into last, called;
        if (last, called) is distinct from (q.last_value, q.is_called) then
            return next format('sequence %s: was at %s, is at %s', q.name, q.last_value, last);
        end if;
    end loop;
end $$;
call kept.keep();

-- a comparison with nothing would hold
do $$
declare q record; n bigint;
begin
    for q in select name from kept.query where name not in ('verify') loop
        execute format('select count(*) from kept.%I', 'k ' || q.name) into n;
        if n = 0 then raise exception 'lived_in.sql leaves nothing in "%": let it record something', q.name; end if;
    end loop;
end $$;
