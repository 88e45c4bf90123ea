//! The background worker that rolls up the totals, when the library is in shared_preload_libraries.
//!
//! One launcher for the cluster wakes up at every interval and lets a short-lived worker visit each database in turn: nothing
//! stays connected, so DROP DATABASE and DROP EXTENSION are never in the way of it, and a database that gets the extension
//! later is found. On a standby it starts with the promotion.

use super::relation::Relation;
use super::{guc, scan};
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags};
use pgrx::pg_sys;
use std::ops::ControlFlow;
use std::time::Duration;

/// Registers the launcher; only while the server starts.
pub fn register() {
    // SAFETY: a variable of the server.
    if unsafe { !pg_sys::process_shared_preload_libraries_in_progress } {
        return;
    }
    BackgroundWorkerBuilder::new("pg_goals launcher")
        .set_library("pg_goals")
        .set_function("pg_goals_launcher")
        .enable_spi_access()
        .set_start_time(BgWorkerStartTime::RecoveryFinished)
        .set_restart_time(Some(Duration::from_secs(60)))
        .load();
}

#[pgrx::pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pg_goals_launcher(_arg: pg_sys::Datum) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP | SignalWakeFlags::SIGTERM);
    // No database: only the catalogs that all share are read.
    // SAFETY: called once, at the start of a background worker that asked for a connection.
    unsafe { pg_sys::BackgroundWorkerInitializeConnectionByOid(pg_sys::InvalidOid, pg_sys::InvalidOid, 0) };
    loop {
        let interval = guc::roll_up_interval();
        // Switched off: look again now and then, or at once after a reload.
        let wait = if interval == 0 { Duration::from_secs(60) } else { Duration::from_secs(interval) };
        if !BackgroundWorker::wait_latch(Some(wait)) {
            return;
        }
        if BackgroundWorker::sighup_received() {
            // SAFETY: as every process does on SIGHUP.
            unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
            continue;
        }
        if guc::roll_up_interval() == 0 {
            continue;
        }
        for database in BackgroundWorker::transaction(databases) {
            let worker = BackgroundWorkerBuilder::new("pg_goals roll-up")
                .set_library("pg_goals")
                .set_function("pg_goals_roll_up_worker")
                .enable_spi_access()
                .set_restart_time(None)
                .set_argument(Some(database.into()))
                // SAFETY: a variable of the server.
                .set_notify_pid(unsafe { pg_sys::MyProcPid })
                .load_dynamic();
            // No free slot, or the postmaster is going: the next round will do.
            if let Ok(worker) = worker {
                let _ = worker.wait_for_shutdown();
            }
            if BackgroundWorker::sigterm_received() {
                return;
            }
        }
    }
}

/// The databases that can be connected to.
fn databases() -> Vec<pg_sys::Oid> {
    let mut found = Vec::new();
    if let Some(table) = Relation::open_shared(pg_sys::DatabaseRelationId) {
        let number = |name: &str| table.column(name).map(|c| c.number);
        if let (Some(oid), Some(allowed), Some(template)) =
            (number("oid"), number("datallowconn"), number("datistemplate"))
        {
            scan::visit_all(&table, |row| {
                if row.byte(allowed) != 0 && row.byte(template) == 0 {
                    found.extend(row.integer(oid).map(|o| pg_sys::Oid::from_u32(o as u32)));
                }
                ControlFlow::Continue(())
            });
        }
    }
    found
}

#[pgrx::pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pg_goals_roll_up_worker(arg: pg_sys::Datum) {
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGTERM);
    BackgroundWorker::connect_worker_to_spi_by_oid(Some(pg_sys::Oid::from_u32(arg.value() as u32)), None);
    BackgroundWorker::transaction(|| {
        // SAFETY: a catalog lookup by name.
        let installed = unsafe { pg_sys::get_extension_oid(c"pg_goals".as_ptr(), true) } != pg_sys::InvalidOid;
        if installed {
            super::spi::run("SELECT goals.roll_up()", &[]);
        }
    });
}
