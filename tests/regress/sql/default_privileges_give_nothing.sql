-- Default privileges of the installing role give no right in anything of the extension, installed fresh or upgraded; what was granted stays.
create schema elsewhere;
create role goals_regress_favoured;
create role "goals regress, ""odd""";
-- every right that anything of the extension gives to anyone but its owner
create view elsewhere.given as
    select pg_describe_object(m.classid, m.objid, 0) as object, coalesce(r.rolname, 'PUBLIC') as grantee, a.privilege_type as privilege
    from (select d.classid, d.objid from pg_depend d join pg_extension e on d.refclassid = 'pg_extension'::regclass and d.refobjid = e.oid
          where d.deptype = 'e' and e.extname = 'pg_goals') m
    cross join lateral (
        select nspowner, coalesce(nspacl, acldefault('n', nspowner)) from pg_namespace where m.classid = 'pg_namespace'::regclass and oid = m.objid
        union all
        select relowner, coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)) from pg_class
            where m.classid = 'pg_class'::regclass and oid = m.objid and relkind <> 'c'
        union all
        select relowner, attacl from pg_class join pg_attribute on attrelid = pg_class.oid where m.classid = 'pg_class'::regclass and attrelid = m.objid
        union all
        select proowner, coalesce(proacl, acldefault('f', proowner)) from pg_proc where m.classid = 'pg_proc'::regclass and oid = m.objid
        union all
        select typowner, typacl from pg_type where m.classid = 'pg_type'::regclass and oid = m.objid) o (owner, acl)
    cross join lateral aclexplode(o.acl) a
    left join pg_roles r on r.oid = a.grantee
    where a.grantee <> o.owner;

alter default privileges grant all on functions to goals_regress_favoured, "goals regress, ""odd""" with grant option;
alter default privileges grant all on tables to goals_regress_favoured, "goals regress, ""odd""", public;
alter default privileges grant all on sequences to goals_regress_favoured, public;
alter default privileges grant all on schemas to goals_regress_favoured, public;
alter default privileges grant all on types to goals_regress_favoured with grant option;

create extension pg_goals;
select * from elsewhere.given order by 1, 2, 3;
set role goals_regress_favoured;
select count(*) from goals.receipt;
select goals.purge(now());
reset role;
-- the initial rights are those with which a dump compares
select count(*) from pg_init_privs i join pg_depend d on d.classid = i.classoid and d.objid = i.objoid and d.deptype = 'e'
    cross join lateral aclexplode(i.initprivs) a where a.grantee = 'goals_regress_favoured'::regrole;
drop extension pg_goals;

-- upgraded: what an earlier version was installed with, or was granted since, is the administrator's; what the upgrade makes is nobody's
alter default privileges revoke all on functions from goals_regress_favoured, "goals regress, ""odd""";
alter default privileges revoke all on tables from goals_regress_favoured, "goals regress, ""odd""", public;
alter default privileges revoke all on sequences from goals_regress_favoured, public;
alter default privileges revoke all on schemas from goals_regress_favoured, public;
alter default privileges revoke all on types from goals_regress_favoured;
create extension pg_goals version '0.1.0';
grant usage on schema goals to goals_regress_favoured;
grant select on goals.message_stats to goals_regress_favoured;
grant select (sent_at) on goals.receipt to goals_regress_favoured;
grant execute on function goals.roll_up() to "goals regress, ""odd""";
grant execute on function goals.verify() to public;
alter default privileges grant all on functions to goals_regress_favoured, "goals regress, ""odd""" with grant option;
alter default privileges grant all on tables to goals_regress_favoured, "goals regress, ""odd""", public;
alter default privileges grant all on sequences to goals_regress_favoured, public;
alter default privileges grant all on types to goals_regress_favoured with grant option;
begin;
create table elsewhere.written_before as select 1;
savepoint s;
alter extension pg_goals update;
release savepoint s;
commit;
select * from elsewhere.given order by 1, 2, 3;

drop extension pg_goals;
drop schema elsewhere cascade;
drop owned by goals_regress_favoured, "goals regress, ""odd""";
alter default privileges revoke all on tables from public;
alter default privileges revoke all on sequences from public;
drop role goals_regress_favoured, "goals regress, ""odd""";
