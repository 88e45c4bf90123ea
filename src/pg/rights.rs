//! Rights of the current user, or of a table's owner, on a table of the application. All are read from the catalog; no
//! code of the table's owner runs.

use super::relation::{self, Relation};
use super::{encoding, version};
use pgrx::pg_sys::{self, Oid};
use std::ffi::CStr;

/// True if the current user is a superuser.
pub fn is_superuser() -> bool {
    // SAFETY: a catalog lookup by value.
    unsafe { pg_sys::superuser() }
}

/// True if the current user owns this relation or is a superuser.
pub fn owns(relid: Oid) -> bool {
    version::owns_relation(relid)
}

/// True if the current user has SELECT on the table or on this column.
pub fn may_read(relid: Oid, column: i16) -> bool {
    let select = pg_sys::ACL_SELECT as pg_sys::AclMode;
    // SAFETY: the relation exists and is locked, and the column is one of it; catalog lookups by value.
    unsafe {
        let user = pg_sys::GetUserId();
        pg_sys::pg_class_aclcheck(relid, user, select) == pg_sys::AclResult::ACLCHECK_OK
            || pg_sys::pg_attribute_aclcheck(relid, column, user, select) == pg_sys::AclResult::ACLCHECK_OK
    }
}

/// The schema of the table, if the current user has no USAGE on it.
pub fn closed_schema(relid: Oid) -> Option<String> {
    // SAFETY: a catalog lookup by value.
    let schema = unsafe { pg_sys::get_rel_namespace(relid) };
    (!version::may_use_schema(schema)).then(|| relation::schema_name(schema))
}

/// True if row security restricts the rows that the current user sees. Never for the owner, who could switch it off.
pub fn rows_are_restricted(relid: Oid) -> bool {
    // SAFETY: a catalog lookup that is told not to raise; no policy is evaluated.
    let state = unsafe { pg_sys::check_enable_rls(relid, pg_sys::InvalidOid, true) };
    state as u32 == pg_sys::CheckEnableRlsResult::RLS_ENABLED && !owns(relid)
}

/// The first partition on which the owner of the partitioned table may not create triggers, by the server's rules.
pub fn without_trigger_right(table: &Relation) -> Option<Oid> {
    if table.kind() != pg_sys::RELKIND_PARTITIONED_TABLE {
        return None;
    }
    let (owner, trigger) = (table.owner(), pg_sys::ACL_TRIGGER as pg_sys::AclMode);
    relation::inheritors(table.oid()).into_iter().filter(|oid| *oid != table.oid()).find(|&oid| {
        // SAFETY: a catalog lookup by value. A partition dropped in the meantime is not reported.
        unsafe {
            let mut is_missing = false;
            let result = pg_sys::pg_class_aclcheck_ext(oid, owner, trigger, &mut is_missing);
            !is_missing && result != pg_sys::AclResult::ACLCHECK_OK
        }
    })
}

/// A name, quoted where needed.
pub fn quoted(name: &str) -> String {
    let Ok(name) = std::ffi::CString::new(encoding::from_string(name).into_owned()) else { return name.to_owned() };
    // SAFETY: returns its argument or a palloc'd string.
    encoding::to_string(unsafe { CStr::from_ptr(pg_sys::quote_identifier(name.as_ptr())) }.to_bytes())
}

/// The name of a role, quoted where needed.
pub fn role_name(role: Oid) -> String {
    // SAFETY: a catalog lookup by value, null for a role that does not exist.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        if name.is_null() {
            role.to_u32().to_string()
        } else {
            quoted(&encoding::to_string(CStr::from_ptr(name).to_bytes()))
        }
    }
}

/// The name of the current user, quoted where needed.
pub fn user_name() -> String {
    // SAFETY: reads a variable.
    role_name(unsafe { pg_sys::GetUserId() })
}

/// The name of a relation's owner, quoted where needed.
pub fn owner_name(relid: pg_sys::Oid) -> String {
    role_name(relation::owner(relid))
}
