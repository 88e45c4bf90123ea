//! Finding, creating and dropping the extension's triggers on the application's tables, by oid. Not by name: each
//! statement would look it up again, and the owner of a schema can rename it while a lock is waited for. The caller has
//! locked the table and all its partitions.

use super::relation::{self, Lock, Relation};
use super::{encoding, role};
use pgrx::pg_sys::{self, Oid};
use std::ffi::{CStr, CString};

/// The events that a trigger fires after.
#[derive(Clone, Copy)]
pub struct Events {
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

impl Events {
    /// As pg_trigger.tgtype has them.
    fn bits(self) -> u32 {
        let bit = |is_set: bool, bit: u32| if is_set { bit } else { 0 };
        bit(self.insert, pg_sys::TRIGGER_TYPE_INSERT)
            | bit(self.update, pg_sys::TRIGGER_TYPE_UPDATE)
            | bit(self.delete, pg_sys::TRIGGER_TYPE_DELETE)
    }
}

/// A trigger of the extension, with any name.
pub struct Attached {
    oid: Oid,
    pub name: String,
    pub function: Oid,
    pub argument: Option<String>,
    /// pg_trigger.tgtype.
    bits: u32,
    /// True if it is neither disabled nor set to fire for replicated changes.
    pub is_as_created: bool,
}

/// The extension's triggers on a table, without clones of a parent's triggers; None if there is no such table.
pub fn of_table(relid: Oid) -> Option<Vec<Attached>> {
    let table = Relation::open(relid, Lock::Share)?;
    // SAFETY: a catalog lookup by name.
    let schema = unsafe { pg_sys::get_namespace_oid(c"goals".as_ptr(), true) };
    let own = all(&table).iter().filter(|t| {
        // SAFETY: a catalog lookup by value.
        !t.tgisclone && unsafe { pg_sys::get_func_namespace(t.tgfoid) } == schema
    });
    Some(own.map(Attached::of).collect())
}

/// The wanted name, or one derived from it, that no trigger has on the table or its partitions.
pub fn free_name(relid: Oid, wanted: &str) -> String {
    let tables = relation::inheritors(relid).into_iter().filter_map(|oid| Relation::open(oid, Lock::Share));
    // SAFETY: a trigger of an open relation has a name, which ends in a zero byte.
    let name = |t: &pg_sys::Trigger| encoding::to_string(unsafe { CStr::from_ptr(t.tgname) }.to_bytes());
    let taken: std::collections::HashSet<String> =
        tables.flat_map(|table| all(&table).iter().map(name).collect::<Vec<_>>()).collect();
    let others = (2..).map(|n| format!("{wanted}_{n}"));
    std::iter::once(wanted.to_owned()).chain(others).find(|name| !taken.contains(name)).unwrap_or_default()
}

fn all(table: &Relation) -> &[pg_sys::Trigger] {
    // SAFETY: an open relation's triggers, null if it has none; as many as it says, unchanged while the relation is
    // open and locked.
    unsafe {
        match (*table.raw()).trigdesc.as_ref() {
            Some(triggers) => std::slice::from_raw_parts(triggers.triggers, triggers.numtriggers as usize),
            None => &[],
        }
    }
}

impl Attached {
    fn of(trigger: &pg_sys::Trigger) -> Attached {
        // SAFETY: a trigger of an open relation: its name and as many arguments as it says, each ending in a zero byte.
        let text = |t: *const core::ffi::c_char| encoding::to_string(unsafe { CStr::from_ptr(t) }.to_bytes());
        Attached {
            oid: trigger.tgoid,
            name: text(trigger.tgname),
            function: trigger.tgfoid,
            // SAFETY: as above.
            argument: (trigger.tgnargs == 1).then(|| text(unsafe { *trigger.tgargs })),
            bits: trigger.tgtype as u32,
            is_as_created: trigger.tgenabled as u8 == b'O',
        }
    }

    /// True if it fires after these events, and maybe others.
    pub fn fires_after(&self, events: Events) -> bool {
        self.bits & events.bits() == events.bits()
    }

    /// Drops the trigger and its clones.
    pub fn drop(self) {
        let object = pg_sys::ObjectAddress { classId: pg_sys::TriggerRelationId, objectId: self.oid, objectSubId: 0 };
        // SAFETY: the oid was read from the table as it is now, under a lock that keeps others from dropping the
        // trigger first.
        unsafe {
            pg_sys::performDeletion(&object, pg_sys::DropBehavior::DROP_RESTRICT, 0);
            pg_sys::CommandCounterIncrement();
        }
    }
}

/// Creates a row-level AFTER trigger. On a partitioned table it runs as the table's owner: the server simplifies the
/// partition keys and so may run functions of the owner.
pub fn create(relid: Oid, name: &str, function: Oid, events: Events, argument: &str) {
    let Some((owner, kind)) = Relation::open(relid, Lock::Share).map(|table| (table.owner(), table.kind())) else {
        return;
    };
    let text = |text: &str| CString::new(encoding::from_string(text).into_owned()).unwrap_or_default();
    let (name, argument) = (text(name), text(argument));
    // SAFETY: the node that the parser makes of CREATE TRIGGER name AFTER events ON table FOR EACH ROW EXECUTE FUNCTION
    // function(argument), allocated by the server, as it keeps parts; what the statement would name, table and
    // function, is passed by oid instead.
    let create = || unsafe {
        let node = pg_sys::palloc0(size_of::<pg_sys::CreateTrigStmt>()).cast::<pg_sys::CreateTrigStmt>();
        (*node).type_ = pg_sys::NodeTag::T_CreateTrigStmt;
        (*node).trigname = pg_sys::pstrdup(name.as_ptr());
        let argument = pg_sys::makeString(pg_sys::pstrdup(argument.as_ptr()));
        (*node).args = pg_sys::lappend(std::ptr::null_mut(), argument.cast());
        (*node).row = true;
        (*node).timing = pg_sys::TRIGGER_TYPE_AFTER as i16;
        (*node).events = events.bits() as i16;
        let none = pg_sys::InvalidOid;
        pg_sys::CreateTrigger(
            node,
            c"".as_ptr(),
            relid,
            none,
            none,
            none,
            function,
            none,
            std::ptr::null_mut(),
            false,
            false,
        );
        pg_sys::CommandCounterIncrement();
    };
    if kind == pg_sys::RELKIND_PARTITIONED_TABLE { role::as_table_owner(owner, create) } else { create() }
}
