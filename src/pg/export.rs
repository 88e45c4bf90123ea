//! Macros that export safe Rust functions as C functions of PostgreSQL's version-1 convention.

/// Exports a function under this symbol, with its finfo record.
macro_rules! export {
    ($symbol:ident, $announce:ident, $fcinfo:ident => $body:expr) => {
        #[doc(hidden)]
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        pub extern "C" fn $announce() -> &'static pgrx::pg_sys::Pg_finfo_record {
            const VERSION_1: pgrx::pg_sys::Pg_finfo_record = pgrx::pg_sys::Pg_finfo_record { api_version: 1 };
            &VERSION_1
        }

        #[doc(hidden)]
        #[allow(unsafe_code)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C-unwind" fn $symbol($fcinfo: pgrx::pg_sys::FunctionCallInfo) -> pgrx::pg_sys::Datum {
            let body = move || crate::pg::memory::with_parachute(move || $body);
            // SAFETY: what #[pg_guard] expands to: a panic in the body becomes an error of the server.
            unsafe { pgrx::pg_sys::panic::pgrx_extern_c_guard(body) }
        }
    };
}

/// Exports functions that SQL calls: symbol, finfo symbol, and the `fn(&Args) -> Result<Out>`.
macro_rules! export_functions {
    ($($symbol:ident $announce:ident $function:path;)*) => {
        $(crate::pg::export::export!($symbol, $announce, fcinfo => {
            // SAFETY: the server passes the call info of this call, and the declaration in sql/ fits the function.
            unsafe { crate::pg::call::dispatch(fcinfo, $function) }
        });)*
    };
}

/// Exports trigger functions: symbol, finfo symbol, and the `fn(&Trigger)`, which `$around` runs.
macro_rules! export_triggers {
    ($around:path: $($symbol:ident $announce:ident $function:path;)*) => {
        $(crate::pg::export::export!($symbol, $announce, fcinfo => {
            // SAFETY: the call info lasts as long as the call. Not called as a row trigger, it does nothing.
            if let Some(trigger) = unsafe { crate::pg::trigger::Trigger::of(fcinfo) } {
                $around(&trigger, $function);
            }
            // SAFETY: as above.
            unsafe { crate::pg::trigger::untouched(fcinfo) }
        });)*
    };
}

pub(crate) use {export, export_functions, export_triggers};
