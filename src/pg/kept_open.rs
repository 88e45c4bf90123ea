//! Tables, indexes and scans that are kept open from row to row of one statement. Opening a table, an index and a scan
//! costs more than finding a row. The memory context of a statement's executor lives exactly as long as the statement.
//! A callback on its deletion closes the relations, for the resource owner that they were opened for. In a rollback the
//! owner has already released them, and they are only forgotten.

use super::append::{Appender, Log};
use super::own_tables::OwnTables;
use super::relation::Relation;
use super::scan::OwnedProbe;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::collections::HashSet;
use std::mem::ManuallyDrop;

/// The executor that fires the trigger or calls the function.
#[derive(Clone, Copy)]
pub struct Statement {
    /// Null if no context is known to end together with the resource owner; then nothing is kept open.
    context: pg_sys::MemoryContext,
}

impl Statement {
    /// The statement of the executor that fires a trigger.
    ///
    /// # Safety
    /// `context` is null or that of an executor which is running, and is deleted before the current resource owner is
    /// released.
    pub(super) unsafe fn of_executor(context: pg_sys::MemoryContext) -> Statement {
        Statement { context }
    }

    /// No statement: nothing is kept open.
    pub fn none() -> Statement {
        Statement { context: std::ptr::null_mut() }
    }

    /// The statement of a function call. Only a top-level query keeps things open. Other callers may be expressions
    /// that PL/pgSQL evaluates without an executor, in a context that outlives the resource owner.
    pub fn of_call() -> Statement {
        // SAFETY: the active portal is null or valid, and so is its query, which has an executor while it runs. A
        // function is called in a context for one row below that of the executor; the top context has no parent.
        unsafe {
            let (portal, here) = (pg_sys::ActivePortal, (*pg_sys::CurrentMemoryContext).parent);
            let query = if portal.is_null() { std::ptr::null_mut() } else { (*portal).queryDesc };
            let executor = if query.is_null() { std::ptr::null_mut() } else { (*query).estate };
            let owns = !executor.is_null() && (*executor).es_query_cxt == here;
            Statement { context: if owns { here } else { std::ptr::null_mut() } }
        }
    }
}

/// What matching and recording need, opened on first use. A method returns None if the table or index is gone.
pub struct Probes {
    receipts: Option<OwnedProbe>,
    receipts_by_row: Option<OwnedProbe>,
    log: Option<Log>,
    sends: Option<Appender>,
    references: Option<Appender>,
    references_by_row: Option<OwnedProbe>,
    hand_over: Option<Relation>,
    hand_overs_from: Option<OwnedProbe>,
    hand_overs_into: Option<OwnedProbe>,
    hand_overs: Option<Appender>,
    messages: Option<Appender>,
    message_names: Option<Appender>,
    engagements: Option<OwnedProbe>,
    opens: Option<Appender>,
    ignored: Option<OwnedProbe>,
    ignored_names: HashSet<IgnoredName>,
    tables: OwnTables,
    home: Home,
}

/// A name in goals.ignored, by source and reason; None if no more names are stored for that reason.
pub type IgnoredName = (i32, &'static str, Option<Vec<u8>>);

/// The memory context and the resource owner of what is opened.
#[derive(Clone, Copy)]
struct Home {
    context: pg_sys::MemoryContext,
    owner: pg_sys::ResourceOwner,
    /// The context that was current when nothing was open yet. What is not kept is opened in it: the context of one row
    /// of many ends earlier.
    born: pg_sys::MemoryContext,
}

impl Probes {
    /// The receipts, to be searched by users_source_id, user_key and sent_at.
    pub fn receipts(&mut self) -> Option<&mut OwnedProbe> {
        self.kept(|p| &mut p.receipts, |tables| tables.receipt.search(tables.receipt_user_idx, 3))
    }

    /// The receipts, to be searched by what they were made from; None also where the index is missing.
    pub fn receipts_by_row(&mut self) -> Option<&mut OwnedProbe> {
        self.tables.receipt_row_idx?;
        self.kept(|p| &mut p.receipts_by_row, |tables| tables.receipt.search(tables.receipt_row_idx?, 1))
    }

    /// The match log, to be searched by receipt and appended to.
    pub fn match_log(&mut self) -> Option<&mut Log> {
        self.kept(|p| &mut p.log, |tables| Log::open(tables.match_log, tables.match_log_receipt_idx, 3))
    }

    /// The engagements, to be searched by receipt.
    pub fn engagements(&mut self) -> Option<&mut OwnedProbe> {
        self.kept(|p| &mut p.engagements, |tables| tables.engagement.search(tables.engagement_receipt_idx, 1))
    }

    /// The receipts and the engagements, to search both at a time.
    pub fn receipts_and_engagements(&mut self) -> Option<(&mut OwnedProbe, &mut OwnedProbe)> {
        self.receipts()?;
        self.engagements()?;
        self.receipts.as_mut().zip(self.engagements.as_mut())
    }

    /// The engagements, to be appended to.
    pub fn engagement_log(&mut self) -> Option<&mut Appender> {
        self.kept(|p| &mut p.opens, |tables| Appender::open(tables.engagement))
    }

    /// The notes of ignored rows, to be searched by source, and the names known to be noted.
    pub fn ignored(&mut self) -> Option<(&mut OwnedProbe, &mut HashSet<IgnoredName>)> {
        self.kept(|p| &mut p.ignored, |tables| tables.ignored.search(tables.ignored_source_idx, 1))?;
        self.ignored.as_mut().zip(Some(&mut self.ignored_names))
    }

    /// The receipts, to be appended to.
    pub fn receipt_log(&mut self) -> Option<&mut Appender> {
        self.kept(|p| &mut p.sends, |tables| Appender::open(tables.receipt))
    }

    /// The other references of receipts, to be searched; None also before 0.3.0.
    pub fn references_by_row(&mut self) -> Option<&mut OwnedProbe> {
        self.tables.reference_row_idx?;
        self.kept(|p| &mut p.references_by_row, |tables| tables.reference?.search(tables.reference_row_idx?, 1))
    }

    /// The other references of receipts, to be appended to; None also before 0.3.0.
    pub fn reference_log(&mut self) -> Option<&mut Appender> {
        self.tables.reference?;
        self.kept(|p| &mut p.references, |tables| Appender::open(tables.reference?))
    }

    /// True if any receipts have been handed over. False also before 0.3.0.
    #[inline]
    pub fn has_hand_overs(&mut self) -> Option<bool> {
        if self.tables.hand_over.is_none() {
            return Some(false);
        }
        Some(!self.hand_over()?.is_without_pages())
    }

    /// The hand-overs, to be read as a whole.
    pub fn hand_over(&mut self) -> Option<&mut Relation> {
        self.kept(|p| &mut p.hand_over, |tables| tables.hand_over?.open_to_read())
    }

    /// The hand-overs, to be searched by users_source_id and from_key; None also where the index is missing.
    pub fn hand_overs_from(&mut self) -> Option<&mut OwnedProbe> {
        self.tables.hand_over_from_idx?;
        self.kept(|p| &mut p.hand_overs_from, |tables| tables.hand_over?.search(tables.hand_over_from_idx?, 2))
    }

    /// The hand-overs, to be searched by users_source_id and into_key; None also where the index is missing.
    pub fn hand_overs_into(&mut self) -> Option<&mut OwnedProbe> {
        self.tables.hand_over_into_idx?;
        self.kept(|p| &mut p.hand_overs_into, |tables| tables.hand_over?.search(tables.hand_over_into_idx?, 2))
    }

    /// Opens the hand-overs, where they would be opened in whatever context is current then.
    pub fn prepare_hand_overs(&mut self) {
        if self.home.context.is_null() && self.tables.hand_over.is_some() {
            self.hand_over();
            self.hand_overs_from();
            self.hand_overs_into();
        }
    }

    /// The hand-overs, to be appended to; None also before 0.3.0.
    pub fn hand_over_log(&mut self) -> Option<&mut Appender> {
        self.kept(|p| &mut p.hand_overs, |tables| Appender::open(tables.hand_over?))
    }

    /// The messages and the names of campaigns, to be appended to; None also before 0.3.0.
    pub fn message_logs(&mut self) -> Option<(&Appender, &Appender)> {
        self.kept(|p| &mut p.message_names, |tables| Appender::open(tables.message_name?))?;
        self.kept(|p| &mut p.messages, |tables| Appender::open(tables.message))?;
        self.messages.as_ref().zip(self.message_names.as_ref())
    }

    /// The tables as they are used here.
    pub fn tables(&self) -> &OwnTables {
        &self.tables
    }

    /// The content of a place, opened on first use. If an index has been replaced since it was looked up (REINDEX
    /// CONCURRENTLY), the new one is opened.
    fn kept<T>(
        &mut self,
        place: fn(&mut Probes) -> &mut Option<T>,
        open: impl Fn(&OwnTables) -> Option<T>,
    ) -> Option<&mut T> {
        if place(self).is_none() {
            let mut opened = self.home.open(|| open(&self.tables));
            if opened.is_none()
                && let Some(fresh) = OwnTables::find().ok().filter(|fresh| *fresh != self.tables)
            {
                self.tables = fresh;
                opened = self.home.open(|| open(&self.tables));
            }
            *place(self) = opened;
        }
        place(self).as_mut()
    }
}

impl Home {
    /// True if this belongs to the statement and the current resource owner.
    fn is_here(&self, statement: Statement) -> bool {
        // SAFETY: reads a variable.
        self.context == statement.context && self.owner == unsafe { pg_sys::CurrentResourceOwner }
    }

    /// True if its owner is `above` or below it.
    fn belongs_to(&self, above: pg_sys::ResourceOwner) -> bool {
        let mut owner = self.owner;
        while !owner.is_null() && owner != above {
            // SAFETY: an owner lives at least as long as what was opened for it, and so do those above it.
            owner = unsafe { pg_sys::ResourceOwnerGetParent(owner) };
        }
        owner == above
    }

    /// Runs `open` in this memory context and for this resource owner.
    fn open<T>(self, open: impl FnOnce() -> T) -> T {
        if self.context.is_null() {
            // SAFETY: what is opened here is dropped in the call that created it, and that context lasts as long.
            unsafe {
                let context = pg_sys::MemoryContextSwitchTo(self.born);
                let opened = open();
                pg_sys::MemoryContextSwitchTo(context);
                return opened;
            }
        }
        // SAFETY: context and owner are those of the running statement.
        unsafe {
            let (context, owner) = (pg_sys::MemoryContextSwitchTo(self.context), pg_sys::CurrentResourceOwner);
            pg_sys::CurrentResourceOwner = self.owner;
            let opened = open();
            pg_sys::CurrentResourceOwner = owner;
            pg_sys::MemoryContextSwitchTo(context);
            opened
        }
    }
}

thread_local! {
    /// A stack, innermost statement last. Boxed: entries are large and moved out and back for every match.
    #[allow(clippy::vec_box)]
    static KEPT: RefCell<Vec<Box<Probes>>> = const { RefCell::new(Vec::new()) };
}

/// Runs `work` with what the statement keeps open. It is moved out of the cell for that time, so that nothing is
/// borrowed. What an outer statement has opened is not used: an index may keep pages pinned from one insert to the next
/// for the resource owner of the first, which may end or be rolled back before that statement.
pub fn with_probes<T>(statement: Statement, tables: &OwnTables, work: impl FnOnce(&mut Probes) -> T) -> T {
    let fits = |k: &Probes| k.home.is_here(statement) && k.tables == *tables;
    let known = KEPT.with_borrow_mut(|k| k.iter().rposition(|k| fits(k)).map(|i| k.remove(i)));
    let mut probes = known.unwrap_or_else(|| Box::new(Probes::new(statement, *tables)));
    let result = work(&mut probes);
    if !probes.home.context.is_null() {
        KEPT.with_borrow_mut(|k| k.push(probes));
    }
    result
}

impl Probes {
    fn new(statement: Statement, tables: OwnTables) -> Probes {
        // SAFETY: variables and the state of the running transaction; the context is that of a running executor, and
        // what is allocated in it lives as long.
        unsafe {
            let born = pg_sys::CurrentMemoryContext;
            let home = Home { context: statement.context, owner: pg_sys::CurrentResourceOwner, born };
            if !home.context.is_null() {
                let callback = pg_sys::MemoryContextAllocZero(home.context, size_of::<pg_sys::MemoryContextCallback>());
                let callback = callback.cast::<pg_sys::MemoryContextCallback>();
                (*callback).func = Some(on_end);
                (*callback).arg = home.context.cast();
                pg_sys::MemoryContextRegisterResetCallback(home.context, callback);
            }
            Probes {
                receipts: None,
                receipts_by_row: None,
                log: None,
                sends: None,
                references: None,
                references_by_row: None,
                hand_over: None,
                hand_overs_from: None,
                hand_overs_into: None,
                hand_overs: None,
                messages: None,
                message_names: None,
                engagements: None,
                opens: None,
                ignored: None,
                ignored_names: HashSet::new(),
                tables,
                home,
            }
        }
    }
}

unsafe extern "C-unwind" fn on_end(context: *mut core::ffi::c_void) {
    let close = move || {
        let ended = |k: &Probes| k.home.context.cast() == context;
        while let Some(kept) = KEPT.with_borrow_mut(|k| k.iter().position(|k| ended(k)).map(|i| k.remove(i))) {
            // SAFETY: the statement ended without an error: its resource owner still holds the relations, and they are
            // closed for it.
            unsafe {
                let before = pg_sys::CurrentResourceOwner;
                pg_sys::CurrentResourceOwner = kept.home.owner;
                drop(kept);
                pg_sys::CurrentResourceOwner = before;
            }
        }
    };
    // SAFETY: what #[pg_guard] expands to: a panic while closing becomes an error of the server.
    unsafe { pg_sys::panic::pgrx_extern_c_guard(close) }
}

/// What is rolled back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum RolledBack {
    Transaction,
    Subtransaction,
}

/// Forgets what the transaction or subtransaction being rolled back has opened: its resource owner and those below
/// release it, and the memory goes with its context. What an outer statement has opened stays, as does what a cursor
/// declared before a savepoint has opened after it.
pub(super) fn forget(rolled_back: RolledBack) {
    // SAFETY: reads a variable; it is the owner of what is rolled back.
    let released = unsafe { pg_sys::CurTransactionResourceOwner };
    let inside = |kept: &Probes| rolled_back == RolledBack::Transaction || kept.home.belongs_to(released);
    while let Some(kept) = KEPT.with_borrow_mut(|k| k.iter().position(|k| inside(k)).map(|i| k.remove(i))) {
        // The box and the names are freed; the rest is forgotten, not closed.
        let mut kept = kept;
        kept.ignored_names = HashSet::new();
        // SAFETY: ManuallyDrop has the layout of what it holds.
        drop(unsafe { Box::from_raw(Box::into_raw(kept).cast::<ManuallyDrop<Probes>>()) });
    }
}
