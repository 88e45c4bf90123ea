SET LOCAL search_path = pg_catalog, pg_temp;

-- An upgrade may be made by another superuser than the installation. What it has made belongs to the owner of the extension
-- as well: functions run with the rights of their owners.
DO $$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT o.kind, o.name, pg_get_userbyid(e.extowner) AS owner
        FROM pg_extension e
        JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
        CROSS JOIN LATERAL (
            SELECT 'SCHEMA' AS kind, quote_ident(n.nspname) AS name, n.nspowner AS owner
            FROM pg_namespace n WHERE d.classid = 'pg_namespace'::regclass AND n.oid = d.objid
            UNION ALL
            -- a sequence goes with its table
            SELECT 'TABLE', c.oid::regclass::text, c.relowner
            FROM pg_class c WHERE d.classid = 'pg_class'::regclass AND c.oid = d.objid AND c.relkind IN ('r', 'p', 'v', 'm')
            UNION ALL
            SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner
            FROM pg_proc p WHERE d.classid = 'pg_proc'::regclass AND p.oid = d.objid
            UNION ALL
            SELECT 'TYPE', y.oid::regtype::text, y.typowner
            FROM pg_type y LEFT JOIN pg_class c ON c.oid = y.typrelid
            WHERE d.classid = 'pg_type'::regclass AND y.oid = d.objid AND y.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c') o
        WHERE e.extname = 'pg_goals' AND o.owner <> e.extowner
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO %I', made.kind, made.name, made.owner);
    END LOOP;
END
$$;

-- Nobody but the owner may do anything with any of it until it is granted: EXECUTE on a new function is PUBLIC's by
-- default, and default privileges of the installing role give rights to PUBLIC and to roles. docs/operations.md has the
-- GRANTs for senders, analysts and administrators; the application needs none.
--
-- Revoked on what this transaction has made a member of the extension. Rights granted on objects that were there before
-- an upgrade stay. PUBLIC may name a type, as it may by default: that opens nothing. The last statement, for it looks
-- at what has been made.
DO $$
DECLARE
    given record;
BEGIN
    FOR given IN
        WITH member AS (
            SELECT d.classid, d.objid
            FROM pg_depend d
            JOIN pg_extension e ON e.oid = d.refobjid
            WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND e.extname = 'pg_goals'
              -- a row that is seen and is not older than this transaction is of its own
              AND age(d.xmin) <= age(pg_current_xact_id()::xid)
        ), object AS (
            SELECT 'SCHEMA' AS kind, quote_ident(n.nspname) AS name, n.nspowner AS owner,
                   coalesce(n.nspacl, acldefault('n', n.nspowner)) AS acl
            FROM member m JOIN pg_namespace n ON m.classid = 'pg_namespace'::regclass AND n.oid = m.objid
            UNION ALL
            SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass::text, c.relowner,
                   coalesce(c.relacl, acldefault((CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END)::"char", c.relowner))
            FROM member m
            JOIN pg_class c ON m.classid = 'pg_class'::regclass AND c.oid = m.objid AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
            UNION ALL
            SELECT 'ROUTINE', p.oid::regprocedure::text, p.proowner, coalesce(p.proacl, acldefault('f', p.proowner))
            FROM member m JOIN pg_proc p ON m.classid = 'pg_proc'::regclass AND p.oid = m.objid
            UNION ALL
            SELECT 'TYPE', t.oid::regtype::text, t.typowner, t.typacl
            FROM member m JOIN pg_type t ON m.classid = 'pg_type'::regclass AND t.oid = m.objid
            LEFT JOIN pg_class c ON c.oid = t.typrelid
            WHERE t.typcategory <> 'A' AND coalesce(c.relkind, 'c') = 'c'
        )
        SELECT DISTINCT o.kind, o.name, coalesce(quote_ident(r.rolname), 'PUBLIC') AS grantee
        FROM object o
        CROSS JOIN LATERAL (
            SELECT 0::oid AS grantee WHERE o.kind <> 'TYPE'   -- PUBLIC
            UNION
            SELECT a.grantee FROM aclexplode(o.acl) a WHERE a.grantee <> o.owner) g
        LEFT JOIN pg_roles r ON r.oid = g.grantee
    LOOP
        EXECUTE format('REVOKE ALL ON %s %s FROM %s', given.kind, given.name, given.grantee);
    END LOOP;
END
$$;
