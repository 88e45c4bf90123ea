//! Running foreign code in a subtransaction, so that its errors can be ignored.

use pgrx::pg_sys;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Runs code that may raise an error in a subtransaction; None if it did. A cancel, a shutdown and a lack of resources
/// propagate.
pub(super) fn guarded<T>(call: impl FnOnce() -> T) -> Option<T> {
    use pgrx::pg_sys::panic::CaughtError;
    // SAFETY: the protocol of PL/pgSQL's exception blocks: memory context and resource owner are restored here.
    let (context, owner) = unsafe {
        let saved = (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner);
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(saved.0);
        saved
    };
    let restore = || {
        // SAFETY: both were current before the subtransaction.
        unsafe {
            pg_sys::MemoryContextSwitchTo(context);
            pg_sys::CurrentResourceOwner = owner;
        }
    };
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(value) => {
            // SAFETY: ends the subtransaction begun above.
            unsafe { pg_sys::ReleaseCurrentSubTransaction() };
            restore();
            Some(value)
        }
        Err(panic) => {
            // SAFETY: ends the subtransaction begun above.
            unsafe { pg_sys::RollbackAndReleaseCurrentSubTransaction() };
            restore();
            let theirs = match panic.downcast_ref::<CaughtError>() {
                Some(CaughtError::PostgresError(e) | CaughtError::ErrorReport(e)) => {
                    use pgrx::PgSqlErrorCode as Code;
                    !matches!(
                        e.sql_error_code(),
                        Code::ERRCODE_QUERY_CANCELED
                            | Code::ERRCODE_ADMIN_SHUTDOWN
                            | Code::ERRCODE_CRASH_SHUTDOWN
                            | Code::ERRCODE_OUT_OF_MEMORY
                            | Code::ERRCODE_DISK_FULL
                    )
                }
                _ => false,
            };
            if theirs { None } else { resume_unwind(panic) }
        }
    }
}
