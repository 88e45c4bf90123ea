//! The extension's settings.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};

static ENABLED: GucSetting<bool> = GucSetting::<bool>::new(true);

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
}

/// Is matching switched on?
pub fn enabled() -> bool {
    ENABLED.get()
}
