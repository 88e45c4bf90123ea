//! Running code as another role or under other settings.

use pgrx::pg_sys;
use std::ffi::CStr;

/// Runs `work` as the owner of the extension, with only `pg_catalog` on the search path.
pub(super) fn as_extension_owner<T>(owner: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
    as_role(owner, pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_NOFORCE_RLS, work)
}

/// Runs `work` as the owner of a table, as the server does where code of the owner may run: that code cannot change the
/// session, its settings or its user.
pub(super) fn as_table_owner<T>(owner: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
    as_role(owner, pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_RESTRICTED_OPERATION, work)
}

fn as_role<T>(role: pg_sys::Oid, security: u32, work: impl FnOnce() -> T) -> T {
    let (mut user, mut context) = (pg_sys::InvalidOid, 0);
    // SAFETY: as ri_triggers.c does around its queries, and index builds around index expressions. If `work` raises,
    // the end of the (sub)transaction restores user and settings.
    unsafe {
        pg_sys::GetUserIdAndSecContext(&mut user, &mut context);
        let level = pg_sys::NewGUCNestLevel();
        set(c"search_path", c"pg_catalog, pg_temp");
        pg_sys::SetUserIdAndSecContext(role, context | security as core::ffi::c_int);
        let result = work();
        pg_sys::AtEOXact_GUC(false, level);
        pg_sys::SetUserIdAndSecContext(user, context);
        result
    }
}

/// Runs `work` with fixed output settings, so that every session writes a value in the same way; as postgres_fdw does.
pub fn with_portable_output<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: settings of the session with valid values; if `work` raises, the end of the (sub)transaction restores
    // them.
    unsafe {
        let level = pg_sys::NewGUCNestLevel();
        set(c"datestyle", c"ISO, YMD");
        set(c"timezone", c"UTC");
        set(c"intervalstyle", c"postgres");
        set(c"extra_float_digits", c"1");
        set(c"bytea_output", c"hex");
        set(c"search_path", c"pg_catalog, pg_temp");
        let result = work();
        pg_sys::AtEOXact_GUC(true, level);
        result
    }
}

unsafe fn set(name: &CStr, value: &CStr) {
    // SAFETY: a valid name and value, saved on the current nest level.
    unsafe {
        pg_sys::set_config_option(
            name.as_ptr(),
            value.as_ptr(),
            pg_sys::GucContext::PGC_USERSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
    }
}
