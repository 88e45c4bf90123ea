//! The extension's settings.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use std::time::Duration;

static ENABLED: GucSetting<bool> = GucSetting::<bool>::new(true);
static LOCK_WAIT: GucSetting<i32> = GucSetting::<i32>::new(100);
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
        c"pg_goals.lock_wait",
        c"How long a trigger of pg_goals waits for a lock on a table of the extension.",
        c"After that the change, event or send is not recorded, and goals.health() shows it. \
           Uses at most a quarter of what is left of statement_timeout. -1 waits without a limit.",
        &LOCK_WAIT,
        -1,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_MS,
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

/// How long a trigger waits for a lock on a table of the extension; None for no limit.
pub fn lock_wait() -> Option<Duration> {
    u64::try_from(LOCK_WAIT.get()).ok().map(Duration::from_millis)
}

/// The seconds between two rounds of the background worker; 0 if it is off.
pub fn roll_up_interval() -> u64 {
    ROLL_UP_INTERVAL.get().try_into().unwrap_or(0)
}

/// True if matching is switched on.
pub fn enabled() -> bool {
    ENABLED.get()
}
