//! What a trigger is told.

use super::datum::Row;
use super::relation::Relation;
use super::statement::Statement;
use pgrx::pg_sys;
use std::ffi::CStr;
use std::mem::ManuallyDrop;

/// The call of a row-level AFTER trigger.
pub struct Trigger<'a> {
    data: &'a pg_sys::TriggerData,
}

/// What happened to the row.
pub enum Change<'a> {
    Insert(Row<'a>),
    Update(Row<'a>, Row<'a>),
    /// The row left for another partition: an update of which the second half is an insert by the same command.
    MovedAway,
    Delete,
}

impl<'a> Trigger<'a> {
    /// None unless the function was called as a row-level AFTER trigger.
    ///
    /// # Safety
    /// `fcinfo` is the call info of a function call that lasts for `'a`.
    pub(super) unsafe fn of(fcinfo: pg_sys::FunctionCallInfo) -> Option<Trigger<'a>> {
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
            (trigger.tgnargs > 0).then(|| super::strings::to_string(CStr::from_ptr(*trigger.tgargs).to_bytes()))
        }
    }

    /// The first arguments of the table's other triggers that call the same function, and fire whenever this one does.
    pub fn siblings(&self) -> Vec<String> {
        // SAFETY: the relation is open; its trigger descriptor is null, or holds numtriggers triggers, each with tgnargs
        // zero-terminated strings.
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
                .map(|t| super::strings::to_string(CStr::from_ptr(*t.tgargs).to_bytes()))
                .collect()
        }
    }

    /// The statement that fires it.
    pub fn statement(&self) -> Statement {
        // SAFETY: the slot of the row was made by the executor that fires the trigger, in its own context. COPY and replication
        // have one as well.
        unsafe {
            let slot = self.data.tg_trigslot;
            Statement::of_executor(if slot.is_null() { std::ptr::null_mut() } else { (*slot).tts_mcxt })
        }
    }

    /// The change.
    #[inline]
    pub fn change(&self) -> Change<'a> {
        // SAFETY: the executor passes the tuples an event of this kind has, of the relation's descriptor, and keeps them for
        // the length of the call.
        unsafe {
            let desc = (*self.data.tg_relation).rd_att;
            match self.data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
                pg_sys::TRIGGER_EVENT_UPDATE => Change::Update(
                    Row::of_tuple(self.data.tg_trigtuple, desc),
                    Row::of_tuple(self.data.tg_newtuple, desc),
                ),
                pg_sys::TRIGGER_EVENT_INSERT => Change::Insert(Row::of_tuple(self.data.tg_trigtuple, desc)),
                _ if moved_away(self.data.tg_trigtuple) => Change::MovedAway,
                _ => Change::Delete,
            }
        }
    }

    /// Has the table a trigger that can prevent an insert?
    pub fn insert_may_be_prevented(&self) -> bool {
        // SAFETY: the relation is open; its trigger descriptor is null or valid.
        unsafe {
            let triggers = (*self.data.tg_relation).trigdesc;
            !triggers.is_null() && (*triggers).trig_insert_before_row
        }
    }

    /// The transaction and command that deleted the old row, or inserted the new one: the same for both halves of a move.
    pub fn command(&self) -> (pg_sys::TransactionId, pg_sys::CommandId) {
        // SAFETY: the tuple was read from the table, so its header is filled; Cmin and Cmax are asked of a row that this
        // transaction inserted or deleted, as those functions require.
        unsafe {
            let header = (*self.data.tg_trigtuple).t_data;
            let command = match self.data.tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
                pg_sys::TRIGGER_EVENT_INSERT => pg_sys::HeapTupleHeaderGetCmin(header),
                _ => pg_sys::HeapTupleHeaderGetCmax(header),
            };
            (pg_sys::GetTopTransactionIdIfAny(), command)
        }
    }
}

/// What a trigger function answers to leave the row as it is, also where somebody made it a BEFORE trigger.
///
/// # Safety
/// `fcinfo` is the call info of the current call.
pub(super) unsafe fn untouched(fcinfo: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
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

/// Was the row deleted because it moves to another partition? heap_delete marks it then, instead of linking to a new version.
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

/// A copy of a row that outlives the trigger call: at most a page, in our own memory, so nothing dangles when the transaction
/// ends before its other half comes.
pub struct KeptRow {
    relid: pg_sys::Oid,
    /// The tuple with its header, in words for its alignment.
    words: Vec<u64>,
    len: u32,
}

impl KeptRow {
    /// Copies the old row of a MovedAway change.
    pub fn of(trigger: &Trigger) -> KeptRow {
        // SAFETY: the tuple is valid for t_len bytes; the copy has room for them.
        unsafe {
            let tuple = &*trigger.data.tg_trigtuple;
            let mut words = vec![0u64; (tuple.t_len as usize).div_ceil(8)];
            std::ptr::copy_nonoverlapping(
                tuple.t_data.cast::<u8>(),
                words.as_mut_ptr().cast::<u8>(),
                tuple.t_len as usize,
            );
            KeptRow { relid: trigger.relid(), words, len: tuple.t_len }
        }
    }

    /// Shows the row with the partition it came from, which the statement holds locked.
    pub fn show(&mut self, see: impl FnOnce(&Relation, &Row)) {
        let Some(partition) = Relation::open(self.relid, super::relation::Lock::Share) else { return };
        let mut tuple = pg_sys::HeapTupleData {
            t_len: self.len,
            t_tableOid: self.relid,
            t_data: self.words.as_mut_ptr().cast(),
            ..Default::default()
        };
        // SAFETY: a whole tuple of this partition, read by its descriptor; both live until `see` has returned.
        see(&partition, &unsafe { Row::of_tuple(&mut tuple, partition.desc()) });
    }
}
