-- goals.grant_to() grants what a role needs as what it is, with the rights of the caller.
create role rights_sender; create role rights_analyst; create role rights_admin;
create role rights_eraser; create role rights_monitor; create role "rights Pauser";
create role rights_outsider;
select from goals.grant_to('rights_sender', 'sender');
select from goals.grant_to('rights_analyst', 'Analyst ');
select from goals.grant_to('rights_admin', 'admin');
select from goals.grant_to('rights_eraser', 'eraser');
select from goals.grant_to('rights_monitor', 'monitor');
select from goals.grant_to('"rights Pauser"', 'pauser');
select r.rolname, string_agg(distinct p.proname, ' ' order by p.proname) as may_call
from pg_proc p, pg_roles r
where p.pronamespace = 'goals'::regnamespace and r.rolname in ('rights_sender', 'rights_eraser', 'rights_monitor', 'rights Pauser')
  and has_function_privilege(r.oid, p.oid, 'execute')
group by 1 order by 1;
-- An admin may do what the others may, but to pause.
select r.rolname, p.proname from pg_proc p, pg_roles r
where p.pronamespace = 'goals'::regnamespace and r.rolname in ('rights_sender', 'rights_analyst', 'rights_eraser', 'rights_monitor', 'rights Pauser')
  and has_function_privilege(r.oid, p.oid, 'execute') and not has_function_privilege('rights_admin', p.oid, 'execute');
-- Each function is somebody's, but for triggers and what only the owner may do.
select distinct p.proname from pg_proc p
where p.pronamespace = 'goals'::regnamespace and p.prorettype <> 'trigger'::regtype
  and not exists (select from pg_roles r where r.rolname like 'rights%' and has_function_privilege(r.oid, p.oid, 'execute')) order by 1;
select r.rolname, c.relname from pg_class c, pg_roles r
where c.relnamespace = 'goals'::regnamespace and c.relkind in ('r', 'v') and r.rolname like 'rights%'
  and has_table_privilege(r.oid, c.oid, 'select') order by 1, 2;
-- A second call changes nothing, and adds what another one needs.
select from goals.grant_to('rights_sender', 'sender');
select from goals.grant_to('rights_sender', 'pauser');
select has_function_privilege('rights_sender', 'goals.pause()', 'execute') as paused;
-- What is refused.
select goals.grant_to('rights_sender', 'owner');
select goals.grant_to('rights_sender', null);
select goals.grant_to(null, 'sender');
select goals.grant_to('rights_nobody', 'sender');
select goals.grant_to(1::regrole, 'sender');
grant usage on schema goals to rights_outsider;
grant execute on function goals.grant_to(regrole, text) to rights_outsider;
set role rights_outsider;
select goals.grant_to('rights_outsider', 'admin');
reset role;
drop owned by rights_sender, rights_analyst, rights_admin, rights_eraser, rights_monitor, "rights Pauser", rights_outsider;
drop role rights_sender, rights_analyst, rights_admin, rights_eraser, rights_monitor, "rights Pauser", rights_outsider;
