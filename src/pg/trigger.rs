//! The call of a trigger: its table, rows, argument and executor.

use super::datum::Row;
use super::kept_open::Statement;
use super::relation::Relation;
use pgrx::pg_sys;
use std::ffi::CStr;
use std::mem::ManuallyDrop;

/// The call of a row-level AFTER trigger.
pub struct Trigger<'a> {
    pub(super) data: &'a pg_sys::TriggerData,
}

/// What happened to the row.
pub enum Change<'a> {
    Insert(Row<'a>),
    Update(Row<'a>, Row<'a>),
    /// The row left for another partition; an insert by the same command completes the update.
    MovedAway,
    Delete(Row<'a>),
}

impl<'a> Trigger<'a> {
    /// The call; None unless the function was called as a row-level AFTER trigger.
    ///
    /// # Safety
    /// `fcinfo` is the call info of a function call that lasts for `'a`.
    pub unsafe fn of(fcinfo: pg_sys::FunctionCallInfo) -> Option<Trigger<'a>> {
        // SAFETY: the context of a call is null or a node; a TriggerData node is one.
        unsafe {
            let context = (*fcinfo).context;
            if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
                return None;
            }
            let data = &*context.cast::<pg_sys::TriggerData>();
            let row = data.tg_event & pg_sys::TRIGGER_EVENT_ROW != 0;
            let after = data.tg_event & pg_sys::TRIGGER_EVENT_TIMINGMASK == pg_sys::TRIGGER_EVENT_AFTER;
            (row && after).then_some(Trigger { data })
        }
    }

    /// The oid of the trigger, which belongs to one table or partition.
    #[inline]
    pub fn oid(&self) -> pg_sys::Oid {
        // SAFETY: the executor sets the trigger.
        unsafe { (*self.data.tg_trigger).tgoid }
    }

    /// The table or partition whose row changed.
    pub fn relation(&self) -> ManuallyDrop<Relation> {
        // SAFETY: the executor holds it open during the call.
        unsafe { Relation::borrowed(self.data.tg_relation) }
    }

    /// Its oid.
    #[inline]
    pub fn relid(&self) -> pg_sys::Oid {
        // SAFETY: the executor holds it open during the call.
        unsafe { (*self.data.tg_relation).rd_id }
    }

    /// The trigger's first argument.
    pub fn argument(&self) -> Option<String> {
        // SAFETY: tgargs holds tgnargs zero-terminated strings.
        unsafe {
            let trigger = &*self.data.tg_trigger;
            (trigger.tgnargs > 0).then(|| super::encoding::to_string(CStr::from_ptr(*trigger.tgargs).to_bytes()))
        }
    }

    /// The first arguments of the table's other triggers that call the same function and fire whenever this one does.
    pub fn siblings(&self) -> Vec<String> {
        // SAFETY: the relation is open; its trigger descriptor is null, or holds numtriggers triggers, each with
        // tgnargs zero-terminated strings.
        unsafe {
            let own = &*self.data.tg_trigger;
            let all = (*self.data.tg_relation).trigdesc;
            if all.is_null() {
                return Vec::new();
            }
            (0..(*all).numtriggers as usize)
                .map(|i| &*(*all).triggers.add(i))
                .filter(|t| t.tgoid != own.tgoid && t.tgfoid == own.tgfoid && t.tgnargs > 0)
                .filter(|t| t.tgenabled == own.tgenabled || t.tgenabled as u8 == b'A')
                .map(|t| super::encoding::to_string(CStr::from_ptr(*t.tgargs).to_bytes()))
                .collect()
        }
    }

    /// The statement that fires the trigger, for which relations may be kept open from row to row.
    pub fn statement(&self) -> Statement {
        // SAFETY: null, or the context of the executor that fires the trigger, which is running.
        unsafe { Statement::of_executor(self.executor()) }
    }

    /// The memory context of the executor that fires the trigger (es_query_cxt); null if it is not certain. What is
    /// kept in it has to be closed before the resource owner that it was opened for is released. FreeExecutorState
    /// ensures that: it deletes this context and runs its callbacks while the owner lives. In PostgreSQL 14 to 18:
    ///
    /// - A row trigger is fired by AfterTriggerExecute. For a row of a table it puts the row into the slot that
    ///   ExecGetTriggerOldSlot or ExecGetTriggerNewSlot makes, in es_query_cxt of the executor it is given, also for
    ///   the table above a partition.
    /// - INSERT, UPDATE, DELETE and MERGE, through a portal, SPI, a function in SQL or EXPLAIN: AfterTriggerEndQuery
    ///   gets the statement's own executor, from standard_ExecutorFinish, before ExecutorEnd.
    /// - The actions of foreign keys run by SPI without firing triggers. Their rows are queued for the statement that
    ///   caused them, and fired with its executor, or at the end of the transaction.
    /// - COPY FROM, buffered or not, and the workers of logical replication make an executor, fire with it, and free it
    ///   before they return (CopyFrom, finish_edata).
    /// - A deferred trigger, at SET CONSTRAINTS or at the end of the transaction, gets an executor that
    ///   afterTriggerInvokeEvents makes and frees itself. (Not one of the triggers made by goals.track_*: they are not
    ///   deferrable.)
    /// - REFRESH MATERIALIZED VIEW and ALTER TABLE fire no row triggers of this function's: it is attached to tables
    ///   only, and rewriting one queues no events.
    /// - **A row of a foreign table** is not read again but comes from a tuplestore, in a slot for minimal tuples that
    ///   afterTriggerInvokeEvents makes in whatever context is current. With COPY that is the portal's, which is
    ///   deleted after its resource owner was released.
    ///
    /// So null for a slot for minimal tuples and for a foreign table; else the context, if CreateExecutorState has made
    /// it, which its name tells.
    pub(super) fn executor(&self) -> pg_sys::MemoryContext {
        // SAFETY: the slot is null or valid, and so is its context; a context's name is a string that lives as long as
        // it.
        unsafe {
            let slot = self.data.tg_trigslot;
            if slot.is_null() || self.is_of_foreign_table() {
                return std::ptr::null_mut();
            }
            let context = (*slot).tts_mcxt;
            let minimal = std::ptr::eq((*slot).tts_ops, &raw const pg_sys::TTSOpsMinimalTuple);
            let named = || !(*context).name.is_null() && CStr::from_ptr((*context).name) == c"ExecutorState";
            if minimal || !named() { std::ptr::null_mut() } else { context }
        }
    }

    /// The context of the row's slot, to be compared with those of running executors. For a row of a foreign table too
    /// it is the executor's, except with COPY.
    pub(super) fn slot_context(&self) -> pg_sys::MemoryContext {
        // SAFETY: the slot is null or valid.
        unsafe { self.data.tg_trigslot.as_ref().map_or(std::ptr::null_mut(), |slot| slot.tts_mcxt) }
    }

    /// True for a foreign table or partition. The header of its rows has no transaction and command.
    pub(super) fn is_of_foreign_table(&self) -> bool {
        self.relation().kind() == pg_sys::RELKIND_FOREIGN_TABLE
    }

    /// True if the partition's trigger fires for every row inserted there, whenever this one fires. False if a BEFORE
    /// trigger can prevent the insert, or the trigger is missing, disabled or deferrable.
    pub(super) fn fires_for_every_insert_into(&self, partition: &Relation) -> bool {
        const WANTED: u32 = pg_sys::TRIGGER_TYPE_ROW | pg_sys::TRIGGER_TYPE_INSERT;
        const UNWANTED: u32 = pg_sys::TRIGGER_TYPE_BEFORE | pg_sys::TRIGGER_TYPE_INSTEAD;
        // SAFETY: the partition is open; its trigger descriptor is null, or holds numtriggers triggers, each with
        // tgnargs zero-terminated strings.
        unsafe {
            let own = &*self.data.tg_trigger;
            let all = (*partition.raw()).trigdesc;
            if all.is_null() || (*all).trig_insert_before_row {
                return false;
            }
            let first = |t: &pg_sys::Trigger| (t.tgnargs > 0).then(|| CStr::from_ptr(*t.tgargs));
            (0..(*all).numtriggers as usize).map(|i| &*(*all).triggers.add(i)).any(|t| {
                let kind = t.tgtype as u32;
                t.tgfoid == own.tgfoid
                    && first(t) == first(own)
                    && (t.tgenabled == own.tgenabled || t.tgenabled as u8 == b'A')
                    && kind & WANTED == WANTED
                    && kind & UNWANTED == 0
                    && !t.tgdeferrable
                    && t.tgqual.is_null()
            })
        }
    }

    /// The change.
    #[inline]
    pub fn change(&self) -> Change<'a> {
        // SAFETY: the executor passes the tuples an event of this kind has, of the relation's descriptor, and keeps
        // them for the length of the call.
        unsafe {
            let desc = (*self.data.tg_relation).rd_att;
            match self.data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
                pg_sys::TRIGGER_EVENT_UPDATE => Change::Update(
                    Row::of_tuple(self.data.tg_trigtuple, desc),
                    Row::of_tuple(self.data.tg_newtuple, desc),
                ),
                pg_sys::TRIGGER_EVENT_INSERT => Change::Insert(Row::of_tuple(self.data.tg_trigtuple, desc)),
                _ if moved_away(self.data.tg_trigtuple) => Change::MovedAway,
                _ => Change::Delete(Row::of_tuple(self.data.tg_trigtuple, desc)),
            }
        }
    }

    /// The transaction and command that deleted the old row or wrote the new one; equal for both halves of a move.
    /// Not valid for a foreign table.
    pub(super) fn command(&self) -> (pg_sys::TransactionId, pg_sys::CommandId) {
        // SAFETY: the tuple was read from the table, so its header is filled; Cmin and Cmax are asked of a row that
        // this transaction inserted or deleted, as those functions require.
        unsafe {
            let header = (*self.data.tg_trigtuple).t_data;
            let command = match self.data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
                pg_sys::TRIGGER_EVENT_INSERT => pg_sys::HeapTupleHeaderGetCmin(header),
                pg_sys::TRIGGER_EVENT_UPDATE => pg_sys::HeapTupleHeaderGetCmin((*self.data.tg_newtuple).t_data),
                _ => pg_sys::HeapTupleHeaderGetCmax(header),
            };
            (pg_sys::GetTopTransactionIdIfAny(), command)
        }
    }
}

/// The return value that leaves the row unchanged, even in a BEFORE trigger.
///
/// # Safety
/// `fcinfo` is the call info of the current call.
pub unsafe fn untouched(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: the context of a call is null or a node; a TriggerData node is one.
    unsafe {
        let context = (*fcinfo).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
            return pg_sys::Datum::from(0usize);
        }
        let data = &*context.cast::<pg_sys::TriggerData>();
        match data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
            pg_sys::TRIGGER_EVENT_UPDATE => data.tg_newtuple.into(),
            _ => data.tg_trigtuple.into(),
        }
    }
}

/// True if the row was deleted because it moves to another partition: heap_delete marks that instead of linking to a
/// new version.
///
/// # Safety
/// `tuple` is a valid tuple read from its table.
unsafe fn moved_away(tuple: pg_sys::HeapTuple) -> bool {
    const MOVED_PARTITIONS_OFFSET: u16 = 0xfffd;
    // SAFETY: a valid tuple has a header.
    unsafe {
        let ctid = &(*(*tuple).t_data).t_ctid;
        ctid.ip_posid == MOVED_PARTITIONS_OFFSET && ctid.ip_blkid.bi_hi == u16::MAX && ctid.ip_blkid.bi_lo == u16::MAX
    }
}
