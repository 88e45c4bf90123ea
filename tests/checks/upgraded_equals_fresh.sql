-- The extension as text, one property a line and in a fixed order: what must be the same in two databases.
\set QUIET on
set search_path = pg_catalog;
create temp view member as
    select d.classid, d.objid from pg_depend d join pg_extension e on d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid
    where d.deptype = 'e' and e.extname = 'pg_goals';
create temp view rel as
    select c.* from member m join pg_class c on m.classid = 'pg_class'::regclass and c.oid = m.objid;
-- the order of grants is of no meaning
create function pg_temp.acl(a aclitem[]) returns text language sql as
    $$ select coalesce((select string_agg(x::text, ' ' order by x::text collate "C") from unnest(a) x), 'default') $$;

select line from (
    select 'object: ' || pg_describe_object(classid, objid, 0)
           || ' | ' || coalesce(obj_description(objid, classid::regclass::name), 'no comment') as line from member
    union all
    select 'schema: ' || nspname || ' ' || pg_temp.acl(nspacl) from pg_namespace where nspname in ('goals', 'goals_internal')
    union all
    select 'function: ' || pg_get_functiondef(p.oid) || pg_temp.acl(p.proacl) from member m join pg_proc p on m.classid = 'pg_proc'::regclass and p.oid = m.objid
    union all
    select 'relation: ' || oid::regclass || ' ' || concat_ws(' ', relkind, relpersistence, relreplident, relrowsecurity, reloptions::text)
           || ' ' || pg_temp.acl(relacl) from rel
    union all
    select 'view: ' || oid::regclass || ' ' || pg_get_viewdef(oid) from rel where relkind in ('v', 'm')
    union all
    select 'column: ' || a.attrelid::regclass || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
           || concat_ws(' ', '', a.attnotnull, a.attidentity, a.attgenerated, a.attstorage, a.attcollation::regcollation,
                        pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum)) || ' ' || pg_temp.acl(a.attacl)
    from rel join pg_attribute a on a.attrelid = rel.oid and a.attnum > 0 and not a.attisdropped
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    union all
    -- the columns' order matters where rows are read without names: COPY in a dump, records built in the library
    select 'columns: ' || rel.oid::regclass || ' ' || string_agg(a.attname, ', ' order by a.attnum)
    from rel join pg_attribute a on a.attrelid = rel.oid and a.attnum > 0 and not a.attisdropped group by rel.oid
    union all
    select 'constraint: ' || c.conrelid::regclass || ' ' || c.conname || ' ' || pg_get_constraintdef(c.oid)
    from rel join pg_constraint c on c.conrelid = rel.oid
    union all
    select 'index: ' || pg_get_indexdef(i.indexrelid) || ' ' || coalesce(obj_description(i.indexrelid, 'pg_class'), 'no comment')
    from rel join pg_index i on i.indrelid = rel.oid
    union all
    select 'sequence: ' || s.seqrelid::regclass || concat_ws(' ', '', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmax, s.seqmin,
                        s.seqcache, s.seqcycle) || coalesce((select ' owned by ' || d.refobjid::regclass || ' ' || d.deptype::text from pg_depend d
                        where d.classid = 'pg_class'::regclass and d.objid = s.seqrelid and d.deptype in ('a', 'i')), '')
    from rel join pg_sequence s on s.seqrelid = rel.oid
    union all
    select 'dumped: ' || c::regclass || ' ' || coalesce(nullif(w, ''), 'all rows') from pg_extension, unnest(extconfig, extcondition) as u(c, w)
    where extname = 'pg_goals'
    union all
    select 'rights at install: ' || pg_describe_object(i.classoid, i.objoid, i.objsubid) || ' ' || pg_temp.acl(i.initprivs)
    from pg_init_privs i join member m on m.classid = i.classoid and m.objid = i.objoid
) described order by line collate "C";
