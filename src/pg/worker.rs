//! The background worker that rolls up the totals, if the library is in shared_preload_libraries. One launcher per
//! cluster wakes up at every interval and starts a short-lived worker per database. So no connection stays open, and
//! databases that get the extension later are found. On a standby it starts with the promotion. Workers run one after
//! the other. One that is not done within a second runs on beside the next, up to a few at a time, so that a busy
//! database does not delay the others. A worker whose database is about to be dropped, renamed or copied is terminated.
//! Launcher and workers end at SIGTERM at any point, as a backend does.

use super::relation::Relation;
use super::{guc, own_tables, role, scan, spi, version};
use pgrx::bgworkers::{BackgroundWorker, BackgroundWorkerBuilder, BgWorkerStartTime, SignalWakeFlags};
use pgrx::pg_sys;
use std::collections::VecDeque;
use std::ffi::CStr;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// The most workers at a time: max_worker_processes has to serve parallel queries and replication too.
const AT_ONCE: usize = 3;
/// How long the launcher waits for a worker before it starts the next one.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often running workers are checked. DROP DATABASE waits five seconds.
const LOOK: Duration = Duration::from_millis(250);

/// The settings of a worker; they override those of the configuration, the database and the role. At another isolation
/// level a roll-up does nothing, and a database's owner may set most of these. The lock_timeout is short, because the
/// worker holds a lock that goals.forget_user() waits for. It does not wait for a standby: the figures are exact
/// without that.
const SETTINGS: &[(&CStr, &CStr)] = &[
    (c"default_transaction_isolation", c"read committed"),
    (c"default_transaction_read_only", c"off"),
    (c"default_transaction_deferrable", c"off"),
    (c"role", c"none"),
    (c"search_path", c"pg_catalog, pg_temp"),
    (c"row_security", c"on"),
    (c"session_replication_role", c"origin"),
    (c"synchronous_commit", c"local"),
    (c"exit_on_error", c"off"),
    (c"lock_timeout", c"5s"),
    (c"statement_timeout", c"0"),
    (c"idle_in_transaction_session_timeout", c"0"),
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    (c"transaction_timeout", c"0"),
];

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

/// A worker's run in a database.
struct Visit {
    database: pg_sys::Oid,
    worker: *mut pg_sys::BackgroundWorkerHandle,
    since: Instant,
}

impl Visit {
    /// Starts a worker; None if there is no free slot, to be tried later.
    fn begin(database: pg_sys::Oid) -> Option<Visit> {
        let builder = BackgroundWorkerBuilder::new("pg_goals roll-up")
            .set_library("pg_goals")
            .set_function("pg_goals_roll_up_worker")
            .enable_spi_access()
            .set_restart_time(None)
            .set_argument(Some(database.into()))
            // The launcher wakes up when it has ended.
            // SAFETY: a variable of the server.
            .set_notify_pid(unsafe { pg_sys::MyProcPid });
        let mut worker = pg_sys::BackgroundWorker::from(&builder);
        let mut handle = std::ptr::null_mut();
        // SAFETY: the server copies the description; the handle lives in memory that is never reset.
        let registered = unsafe {
            let context = pg_sys::MemoryContextSwitchTo(pg_sys::TopMemoryContext);
            let registered = pg_sys::RegisterDynamicBackgroundWorker(&mut worker, &mut handle);
            pg_sys::MemoryContextSwitchTo(context);
            registered
        };
        registered.then(|| Visit { database, worker: handle, since: Instant::now() })
    }

    fn is_over(&self) -> bool {
        let mut pid = 0;
        // SAFETY: the handle of a registered worker.
        let status = unsafe { pg_sys::GetBackgroundWorkerPid(self.worker, &mut pid) };
        matches!(status, pg_sys::BgwHandleStatus::BGWH_STOPPED | pg_sys::BgwHandleStatus::BGWH_POSTMASTER_DIED)
    }

    /// Terminates the worker, without waiting for it.
    fn end(&self) {
        // SAFETY: the handle of a registered worker.
        unsafe { pg_sys::TerminateBackgroundWorker(self.worker) }
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        // SAFETY: allocated by the server when the visit began, and used by nothing else.
        unsafe { pg_sys::pfree(self.worker.cast()) }
    }
}

#[pgrx::pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pg_goals_launcher(_arg: pg_sys::Datum) {
    version::end_at_sigterm();
    BackgroundWorker::attach_signal_handlers(SignalWakeFlags::SIGHUP);
    // No database: only shared catalogs are read.
    // SAFETY: called once, at the start of a background worker that asked for a connection.
    unsafe { pg_sys::BackgroundWorkerInitializeConnectionByOid(pg_sys::InvalidOid, pg_sys::InvalidOid, 0) };
    let mut visits: Vec<Visit> = Vec::new();
    let mut to_visit: VecDeque<pg_sys::Oid> = VecDeque::new();
    let mut last_round = Instant::now();
    loop {
        let interval = Duration::from_secs(guc::roll_up_interval());
        rest(if !visits.is_empty() || !to_visit.is_empty() {
            LOOK
        } else if interval.is_zero() {
            // Switched off: sleep until a reload.
            Duration::from_secs(60)
        } else {
            interval.saturating_sub(last_round.elapsed())
        });
        if BackgroundWorker::sighup_received() {
            // SAFETY: as in every process on SIGHUP.
            unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
        }
        let interval = Duration::from_secs(guc::roll_up_interval());
        visits.retain(|v| !v.is_over());
        visits.iter().filter(|v| is_wanted(v.database)).for_each(Visit::end);
        if interval.is_zero() {
            to_visit.clear();
        } else if to_visit.is_empty() && last_round.elapsed() >= interval {
            to_visit = BackgroundWorker::transaction(databases).into();
            last_round = Instant::now();
        }
        while let Some(&database) = to_visit.front() {
            if visits.len() >= AT_ONCE || visits.iter().any(|v| v.since.elapsed() < PATIENCE) {
                break;
            }
            if !visits.iter().any(|v| v.database == database) && !is_wanted(database) {
                let Some(visit) = Visit::begin(database) else { break };
                visits.push(visit);
            }
            to_visit.pop_front();
        }
    }
}

/// Waits this long, or until a worker has ended or a signal has arrived.
fn rest(wait: Duration) {
    let events = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
    let milliseconds = core::ffi::c_long::try_from(wait.as_millis()).unwrap_or(60_000);
    // SAFETY: the latch of this process; the flag is written by the signal handler.
    unsafe {
        pg_sys::WaitLatch(pg_sys::MyLatch, events as core::ffi::c_int, milliseconds, pg_sys::PG_WAIT_EXTENSION);
        pg_sys::ResetLatch(pg_sys::MyLatch);
        // Exits without a log line, like the server's own launchers. With 1, not 0, so that it is restarted unless the
        // server stops.
        if (&raw const pg_sys::ProcDiePending).read_volatile() != 0 {
            pg_sys::proc_exit(1);
        }
    }
    pgrx::check_for_interrupts!();
}

/// True if a session is about to drop, rename, move or copy this database. It then holds the database's lock and waits
/// for every process in it to leave.
fn is_wanted(database: pg_sys::Oid) -> bool {
    let tag = pg_sys::LOCKTAG {
        locktag_field1: 0,
        locktag_field2: pg_sys::DatabaseRelationId.to_u32(),
        locktag_field3: database.to_u32(),
        locktag_field4: 0,
        locktag_type: pg_sys::LockTagType::LOCKTAG_OBJECT as u8,
        locktag_lockmethodid: pg_sys::DEFAULT_LOCKMETHOD as u8,
    };
    // The lock that a backend takes to connect.
    let mode = pg_sys::RowExclusiveLock as pg_sys::LOCKMODE;
    // SAFETY: the tag is that of LockSharedObject for a database. A session lock needs no transaction, and is released
    // at once.
    unsafe {
        let answer = pg_sys::LockAcquire(&tag, mode, true, true);
        if answer == pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL {
            return true;
        }
        pg_sys::LockRelease(&tag, mode, true);
    }
    false
}

/// The databases that can be connected to.
fn databases() -> Vec<pg_sys::Oid> {
    /// pg_database.datconnlimit of a database whose DROP was interrupted.
    const INVALID: i32 = -2;
    let mut found = Vec::new();
    if let Some(table) = Relation::open_shared(pg_sys::DatabaseRelationId) {
        let number = |name: &str| table.column(name).map(|c| c.number);
        if let (Some(oid), Some(allowed), Some(template), Some(limit)) =
            (number("oid"), number("datallowconn"), number("datistemplate"), number("datconnlimit"))
        {
            scan::visit_all(&table, |row| {
                if row.byte(allowed) != 0 && row.byte(template) == 0 && row.integer(limit) != Some(INVALID) {
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
    version::end_at_sigterm();
    for (name, value) in SETTINGS {
        // As in autovacuum's workers, before the database's settings are read: this source takes precedence.
        // SAFETY: a setting of the server with a valid value.
        unsafe {
            pg_sys::SetConfigOption(
                name.as_ptr(),
                value.as_ptr(),
                pg_sys::GucContext::PGC_SUSET,
                pg_sys::GucSource::PGC_S_OVERRIDE,
            );
        }
    }
    // SAFETY: the handlers are in place.
    unsafe { pg_sys::BackgroundWorkerUnblockSignals() };
    BackgroundWorker::connect_worker_to_spi_by_oid(Some(pg_sys::Oid::from_u32(arg.value() as u32)), None);
    BackgroundWorker::transaction(|| {
        let owner = own_tables::extension_owner();
        if owner != pg_sys::InvalidOid {
            // As the owner, because session_authorization may be set for a database too.
            role::as_extension_owner(owner, || spi::run("SELECT goals.roll_up()", &[]));
        }
    });
}
