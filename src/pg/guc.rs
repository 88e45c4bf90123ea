//! The extension's settings.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

static ENABLED: GucSetting<bool> = GucSetting::<bool>::new(true);
static ROLL_UP_INTERVAL: GucSetting<i32> = GucSetting::<i32>::new(60);

/// Defines the settings; once, when the library is loaded.
pub fn define() {
    GucRegistry::define_bool_guc(
        c"pg_goals.enabled",
        c"Whether the triggers of pg_goals do anything.",
        c"Off: changes and events are not matched against goals, and mirrored receipts are not recorded.",
        &ENABLED,
        GucContext::Suset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"pg_goals.roll_up_interval",
        c"How often the background worker rolls up the totals.",
        c"0 switches it off. The worker runs only if pg_goals is in shared_preload_libraries.",
        &ROLL_UP_INTERVAL,
        0,
        86_400,
        GucContext::Sighup,
        GucFlags::UNIT_S,
    );
}

/// Seconds between two rounds of the background worker; 0: off.
pub fn roll_up_interval() -> u64 {
    ROLL_UP_INTERVAL.get().try_into().unwrap_or(0)
}

/// Is matching switched on?
pub fn enabled() -> bool {
    ENABLED.get()
}
