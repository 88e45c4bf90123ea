//! Time zones, by which times without a zone are read.

use super::encoding;
use pgrx::pg_sys;
use std::ffi::CString;
use std::ptr::NonNull;

/// A time zone. The server keeps each that it has loaded for as long as the backend lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Zone(NonNull<pg_sys::pg_tz>);

/// The times that a timestamp can hold, in microseconds since 2000.
const TIMES: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

impl Zone {
    /// The zone of this name, as SET timezone takes it; None if there is none.
    pub fn named(name: &str) -> Option<Zone> {
        let name = CString::new(encoding::from_string(name).into_owned()).ok()?;
        // SAFETY: a zero-terminated name; the answer is null for a name that is not known, and is never freed.
        NonNull::new(unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| pg_sys::pg_tzset(name.as_ptr())) })
            .filter(|zone| is_acceptable(*zone))
            .map(Zone)
    }

    /// The time at which clocks in this zone show `local`, both in microseconds since 2000; None if there is no such
    /// time.
    pub fn time(self, local: i64) -> Option<i64> {
        if !TIMES.contains(&local) {
            return None;
        }
        let mut parts = pg_sys::pg_tm::default();
        let mut fraction = 0;
        let (no_offset, no_name) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: the parts are written by the first function and read by the second; neither raises. The zone lives as
        // long as the backend.
        let seconds_west = unsafe {
            if pg_sys::timestamp2tm(local, no_offset, &mut parts, &mut fraction, no_name, std::ptr::null_mut()) != 0 {
                return None;
            }
            pg_sys::DetermineTimeZoneOffset(&mut parts, self.0.as_ptr())
        };
        local.checked_add(i64::from(seconds_west) * 1_000_000).filter(|time| TIMES.contains(time))
    }
}

/// True unless the zone counts leap seconds, which the server's times do not.
fn is_acceptable(zone: NonNull<pg_sys::pg_tz>) -> bool {
    // SAFETY: a zone that is loaded.
    unsafe { pg_sys::pg_tz_acceptable(zone.as_ptr()) }
}
