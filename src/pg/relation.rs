//! Opening relations, and their properties.

use super::{citext, server, version};
use pgrx::pg_sys;
use std::ffi::CStr;
use std::mem::ManuallyDrop;

/// An open relation. The lock is kept to the end of the transaction, as for any statement, unless it was opened to be
/// released on closing.
pub struct Relation {
    raw: pg_sys::Relation,
    /// The lock that closing releases.
    release: pg_sys::LOCKMODE,
}

const KEEP: pg_sys::LOCKMODE = pg_sys::NoLock as pg_sys::LOCKMODE;

/// The lock to take.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// To read.
    Share,
    /// To append.
    RowExclusive,
}

impl Lock {
    pub(super) fn mode(self) -> pg_sys::LOCKMODE {
        match self {
            Lock::Share => pg_sys::AccessShareLock as pg_sys::LOCKMODE,
            Lock::RowExclusive => pg_sys::RowExclusiveLock as pg_sys::LOCKMODE,
        }
    }
}

impl Relation {
    /// Opens a relation, waiting for the lock; None if it does not exist.
    pub fn open(relid: pg_sys::Oid, lock: Lock) -> Option<Relation> {
        // SAFETY: any oid may be asked for; a null pointer answers that there is no such relation.
        let raw = unsafe { pg_sys::try_relation_open(relid, lock.mode()) };
        (!raw.is_null()).then(|| Relation { raw, release: KEEP })
    }

    /// Opens a relation whose lock is already held, and releases that lock on closing; None if it does not exist.
    pub(super) fn open_locked(relid: pg_sys::Oid, release: pg_sys::LOCKMODE) -> Option<Relation> {
        // SAFETY: the caller holds a lock on the oid; a null pointer answers that there is no such relation.
        let raw = unsafe { pg_sys::try_relation_open(relid, KEEP) };
        (!raw.is_null()).then(|| Relation { raw, release })
    }

    /// Opens a relation to read, waiting for the lock, and releases the lock on closing; None if it does not exist.
    pub fn open_briefly(relid: pg_sys::Oid) -> Option<Relation> {
        let release = Lock::Share.mode();
        Relation::open(relid, Lock::Share).map(|relation| Relation { raw: ManuallyDrop::new(relation).raw, release })
    }

    /// Opens a catalog shared by all databases, which needs no connection to one.
    pub fn open_shared(relid: pg_sys::Oid) -> Option<Relation> {
        // SAFETY: such catalogs always exist.
        let raw = unsafe { pg_sys::table_open(relid, Lock::Share.mode()) };
        Some(Relation { raw, release: KEEP })
    }

    /// Opens a relation to read if its lock is free, and releases the lock on closing: the application's transaction
    /// must not hold a lock on a table that it did not use.
    pub fn open_if_free(relid: pg_sys::Oid) -> Option<Relation> {
        let mode = Lock::Share.mode();
        // SAFETY: locking takes any oid; the lock taken here is the one the opened relation stands on.
        let raw = unsafe {
            if !pg_sys::ConditionalLockRelationOid(relid, mode) {
                return None;
            }
            pg_sys::try_relation_open(relid, KEEP)
        };
        if raw.is_null() {
            // SAFETY: taken just before.
            unsafe { pg_sys::UnlockRelationOid(relid, mode) };
            return None;
        }
        Some(Relation { raw, release: mode })
    }

    /// Borrows a relation that the caller of a trigger holds open.
    ///
    /// # Safety
    /// `raw` is open and stays so for the life of the result.
    pub(super) unsafe fn borrowed(raw: pg_sys::Relation) -> ManuallyDrop<Relation> {
        ManuallyDrop::new(Relation { raw, release: KEEP })
    }

    pub(super) fn raw(&self) -> pg_sys::Relation {
        self.raw
    }

    fn form(&self) -> &pg_sys::FormData_pg_class {
        // SAFETY: an open relation has its pg_class row in memory; it is not replaced while we hold it open and locked.
        unsafe { &*(*self.raw).rd_rel }
    }

    pub(super) fn desc(&self) -> pg_sys::TupleDesc {
        // SAFETY: an open relation has a descriptor, kept while its reference count is above zero.
        unsafe { (*self.raw).rd_att }
    }

    /// Its oid.
    pub fn oid(&self) -> pg_sys::Oid {
        // SAFETY: a field of an open relation.
        unsafe { (*self.raw).rd_id }
    }

    /// pg_class.relkind.
    pub fn kind(&self) -> u8 {
        self.form().relkind as u8
    }

    /// pg_class.relam.
    pub(super) fn access_method(&self) -> pg_sys::Oid {
        self.form().relam
    }

    /// pg_class.relowner.
    pub(super) fn owner(&self) -> pg_sys::Oid {
        self.form().relowner
    }

    /// pg_class.relname.
    pub(super) fn name_bytes(&self) -> &[u8] {
        name_bytes(&self.form().relname)
    }

    /// True if a crash empties it.
    pub(super) fn is_unlogged(&self) -> bool {
        self.form().relpersistence as u8 == pg_sys::RELPERSISTENCE_UNLOGGED
    }

    /// True if nothing has ever been written to the table, or all of it has been truncated.
    #[inline]
    pub(super) fn is_without_pages(&self) -> bool {
        // SAFETY: an open and locked table, so that its storage stays as long as it is looked at.
        unsafe { pg_sys::RelationGetNumberOfBlocksInFork(self.raw, pg_sys::ForkNumber::MAIN_FORKNUM) == 0 }
    }

    /// True for a temporary table.
    pub fn is_temporary(&self) -> bool {
        self.form().relpersistence as u8 == pg_sys::RELPERSISTENCE_TEMP
    }

    /// True for a system catalog.
    pub fn is_catalog(&self) -> bool {
        // SAFETY: a check on the open relation's own fields.
        unsafe { pg_sys::IsSystemRelation(self.raw) }
    }

    /// True for an index of a table.
    pub(super) fn is_index(&self) -> bool {
        self.kind() == pg_sys::RELKIND_INDEX
    }

    /// True for a partition of another table.
    pub fn is_partition(&self) -> bool {
        self.form().relispartition
    }

    fn attributes(&self) -> impl Iterator<Item = &pg_sys::FormData_pg_attribute> {
        let desc = self.desc();
        // SAFETY: natts of a valid descriptor bounds the attributes asked for, which live as long as it.
        let all = unsafe { (0..(*desc).natts as usize).map(move |i| version::attribute(desc, i)) };
        all.filter(|a| !a.attisdropped)
    }

    /// The column of this number, counted from 1, dropped or not.
    pub(super) fn attribute(&self, number: usize) -> Option<&pg_sys::FormData_pg_attribute> {
        let desc = self.desc();
        // SAFETY: natts of a valid descriptor bounds the attribute asked for, which lives as long as it.
        unsafe { (1..=(*desc).natts as usize).contains(&number).then(|| version::attribute(desc, number - 1)) }
    }

    /// Its columns that have not been dropped.
    pub fn columns(&self) -> Vec<Column> {
        self.attributes().map(Column::of).collect()
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<Column> {
        let name = super::encoding::from_string(name);
        self.attributes().find(|a| name_bytes(&a.attname) == &*name).map(Column::of)
    }

    /// The names of its columns, for hints.
    pub fn column_names(&self) -> Vec<String> {
        self.columns().into_iter().map(|c| c.name).collect()
    }

    /// `schema.table`, quoted where needed.
    pub fn qualified_name(&self) -> String {
        qualified_name(self.oid())
    }

    /// The columns of the primary key, in its order; empty if there is none. For a partition, only of a key that
    /// `tracked`, the table above it, has too: others may have the same value in two partitions.
    pub fn primary_key(&self, tracked: pg_sys::Oid) -> Vec<Column> {
        let Some(index) = Relation::open(self.primary_key_index(), Lock::Share) else { return Vec::new() };
        let above = ancestors(self.oid());
        let level = above.iter().position(|oid| *oid == tracked).map_or(0, |i| i + 1);
        if level > 0 && ancestors(index.oid()).len() < level {
            return Vec::new();
        }
        let columns = self.columns();
        let of_number = |number: &i16| columns.iter().find(|c| c.number == *number).cloned();
        index.index_columns().iter().map(of_number).collect::<Option<_>>().unwrap_or_default()
    }

    /// The index of the primary key; InvalidOid if there is none.
    fn primary_key_index(&self) -> pg_sys::Oid {
        // SAFETY: the relation is open; the answer is an oid or InvalidOid.
        let index = unsafe { version::primary_key_index(self.raw) };
        if index == pg_sys::InvalidOid { self.deferrable_key() } else { index }
    }

    /// The only column of the primary key; Err says why there is none.
    pub fn single_column_key(&self) -> Result<Column, String> {
        let index = self.primary_key_index();
        if index == pg_sys::InvalidOid {
            return Err("has no primary key".into());
        }
        let index = Relation::open(index, Lock::Share).ok_or("has a primary key that is being dropped")?;
        let keys = index.index_columns();
        match keys.as_slice() {
            [one] => self
                .columns()
                .into_iter()
                .find(|c| c.number == *one)
                .ok_or_else(|| "has a primary key on an expression".into()),
            many => Err(format!("has a primary key of {} columns", many.len())),
        }
    }

    /// The index of a deferrable primary key, which identifies a user too; up to PostgreSQL 17 the server does not
    /// return it as the primary key.
    fn deferrable_key(&self) -> pg_sys::Oid {
        let is_one = |oid: &pg_sys::Oid| {
            // SAFETY: an index that is open has its row in memory.
            Relation::open(*oid, Lock::Share).is_some_and(|index| unsafe {
                let form = &*(*index.raw).rd_index;
                form.indisprimary && !form.indimmediate && form.indisvalid
            })
        };
        self.indexes().into_iter().find(is_one).unwrap_or(pg_sys::InvalidOid)
    }

    /// For an index, the attribute numbers of its key columns.
    pub(super) fn index_columns(&self) -> Vec<i16> {
        // SAFETY: only called on indexes, whose rd_index is set; indkey holds indnatts numbers.
        unsafe {
            let form = &*(*self.raw).rd_index;
            form.indkey.values.as_slice(form.indnkeyatts as usize).to_vec()
        }
    }

    /// For an index, its pg_index row.
    pub(super) fn index_form(&self) -> &pg_sys::FormData_pg_index {
        // SAFETY: only called on open indexes, whose rd_index is set.
        unsafe { &*(*self.raw).rd_index }
    }

    /// For an index, true if it holds all rows of the table.
    pub(super) fn is_complete(&self) -> bool {
        self.says_nothing(pg_sys::Anum_pg_index_indpred)
    }

    /// For an index, true if it holds the rows in which this column is not NULL, and no others. The predicate is read as
    /// it is stored: the server would simplify it.
    pub(super) fn is_of_known(&self, column: i16) -> bool {
        let Some(text) = self.stored_text(pg_sys::Anum_pg_index_indpred) else { return false };
        text.starts_with(&format!("{{NULLTEST :arg {{VAR :varno 1 :varattno {column} "))
            && text.contains("} :nulltesttype 1 :argisrow false")
            && text.matches('{').count() == 2
    }

    /// For an index, this column of its pg_index row, which is a text; None for NULL.
    fn stored_text(&self, column: u32) -> Option<String> {
        let (mut null, id) = (true, pg_sys::SysCacheIdentifier::INDEXRELID as i32);
        // SAFETY: a catalog lookup by oid; the row is released after its column has been copied. The column is a text.
        unsafe {
            let row = pg_sys::SearchSysCache1(id, self.oid().into());
            if row.is_null() {
                return None;
            }
            let value = pg_sys::SysCacheGetAttr(id, row, column as pg_sys::AttrNumber, &mut null);
            let text = (!null).then(|| CStr::from_ptr(pg_sys::text_to_cstring(value.cast_mut_ptr())));
            pg_sys::ReleaseSysCache(row);
            text.map(|text| text.to_string_lossy().into_owned())
        }
    }

    /// For an index, true if its first columns are ascending, compared by the server's own functions and texts by their
    /// bytes.
    pub(super) fn is_plain(&self, columns: usize) -> bool {
        // SAFETY: only called on open indexes: these arrays have one entry per key column, of which there are at least
        // so many.
        unsafe {
            (0..columns).all(|i| {
                let collation = *(*self.raw).rd_indcollation.add(i);
                (*(*self.raw).rd_opfamily.add(i)).to_u32() < pg_sys::FirstNormalObjectId
                    && *(*self.raw).rd_indoption.add(i) == 0
                    && (collation == pg_sys::InvalidOid || collation == pg_sys::C_COLLATION_OID)
            })
        }
    }

    /// The oids of its indexes.
    pub(super) fn indexes(&self) -> Vec<pg_sys::Oid> {
        // SAFETY: the list is a fresh copy of valid oids.
        unsafe { oids(pg_sys::RelationGetIndexList(self.raw)) }
    }

    /// For an index, true if it can find all rows by this column alone, with the server's own comparison. The predicate
    /// is not read: the server would simplify it, and so run functions of the table's owner that are called with
    /// constants.
    pub(super) fn finds_by(&self, column: i16) -> bool {
        // SAFETY: only called on open indexes: rd_index, its row and the operator families of its columns are set.
        unsafe {
            let form = &*(*self.raw).rd_index;
            (*(*self.raw).rd_rel).relam == pg_sys::BTREE_AM_OID
                && form.indisvalid
                && form.indkey.values.as_slice(form.indnkeyatts as usize)[0] == column
                && is_trusted_family(*(*self.raw).rd_opfamily)
                && self.says_nothing(pg_sys::Anum_pg_index_indpred)
        }
    }

    /// For an index, how it names at most one row by this column alone; None if it does not. Rows that a predicate
    /// leaves out are not in it.
    pub(super) fn names_by(&self, column: i16) -> Option<NamedBy> {
        // SAFETY: only called on open indexes: rd_index, its row and the operator families of its columns are set.
        let (by, is_one) = unsafe {
            let form = &*(*self.raw).rd_index;
            let is_one = (*(*self.raw).rd_rel).relam == pg_sys::BTREE_AM_OID
                && form.indisvalid
                && form.indisunique
                && form.indnkeyatts == 1
                && is_trusted_family(*(*self.raw).rd_opfamily);
            (form.indkey.values.as_slice(1)[0], is_one)
        };
        match by {
            _ if !is_one => None,
            0 => self.lower_of(column).map(|collation| NamedBy::Lower { collation }),
            number => (number == column).then_some(NamedBy::Itself),
        }
    }

    /// For an index on an expression, the collation with which it calls the server's lower(text) for this column; None
    /// if the expression is another one. It is read as it is stored: the server would simplify it.
    fn lower_of(&self, column: i16) -> Option<pg_sys::Oid> {
        let text = self.stored_text(pg_sys::Anum_pg_index_indexprs)?;
        let begin = format!("({{FUNCEXPR :funcid {} ", pg_sys::F_LOWER_TEXT);
        let variable = format!("{{VAR :varno 1 :varattno {column} ");
        let (call, arguments) = text.strip_prefix(&begin)?.split_once(" :args (")?;
        let is_column = arguments.starts_with(&variable) && text.matches('{').count() == 2
            || arguments.starts_with(&format!("{{RELABELTYPE :arg {variable}")) && text.matches('{').count() == 3;
        let collation = call.split_once(":inputcollid ")?.1.parse().ok()?;
        is_column.then(|| pg_sys::Oid::from_u32(collation))
    }

    /// For an index, its equality function for values of its only column's type.
    pub(super) fn equality(&self) -> Option<pg_sys::Oid> {
        let equal = pg_sys::BTEqualStrategyNumber as i16;
        // SAFETY: only called on open indexes: the arrays have an entry for the first column. Catalog lookups by oid
        // that answer zero for what does not exist.
        unsafe {
            let (family, of) = (*(*self.raw).rd_opfamily, *(*self.raw).rd_opcintype);
            let operator = pg_sys::get_opfamily_member(family, of, of, equal);
            let function = pg_sys::get_opcode(operator);
            (operator != pg_sys::InvalidOid && function != pg_sys::InvalidOid).then_some(function)
        }
    }

    /// For an index, true if this column of its pg_index row is NULL.
    fn says_nothing(&self, column: u32) -> bool {
        // SAFETY: only called on open indexes, whose row is kept with them.
        unsafe { pg_sys::heap_attisnull((*self.raw).rd_indextuple, column as core::ffi::c_int, std::ptr::null_mut()) }
    }

    /// For an index, true if it has an expression or a predicate.
    pub(super) fn has_expressions(&self) -> bool {
        !(self.says_nothing(pg_sys::Anum_pg_index_indexprs) && self.says_nothing(pg_sys::Anum_pg_index_indpred))
    }

    /// For an index, the collation of its first column.
    pub(super) fn index_collation(&self) -> pg_sys::Oid {
        // SAFETY: only called on open indexes.
        unsafe { *(*self.raw).rd_indcollation }
    }

    /// The leaf tables: itself, or a partitioned table's partitions at any depth; `lock` says whether they are locked.
    pub fn leaves(&self, lock: bool) -> Vec<pg_sys::Oid> {
        if self.kind() != pg_sys::RELKIND_PARTITIONED_TABLE {
            return vec![self.oid()];
        }
        // SAFETY: a catalog lookup by value; the list is a fresh copy.
        unsafe { oids(all_inheritors(self.oid(), if lock { Lock::Share.mode() } else { KEEP })) }
    }
}

impl Drop for Relation {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            // SAFETY: opened by this struct, closed once.
            unsafe { pg_sys::relation_close(self.raw, self.release) }
        }
    }
}

/// How a unique index names a row by a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NamedBy {
    /// By its value.
    Itself,
    /// By lower(value), made with this collation.
    Lower { collation: pg_sys::Oid },
}

/// True if an operator family's functions are the server's, or those of the extension citext.
fn is_trusted_family(family: pg_sys::Oid) -> bool {
    family.to_u32() < pg_sys::FirstNormalObjectId || citext::is_family(family)
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    pub number: i16,
    pub name: String,
    pub type_oid: pg_sys::Oid,
    /// The length or precision, as the type packs it; -1 for none.
    pub type_modifier: i32,
    pub collation: pg_sys::Oid,
    /// Computed when read (PostgreSQL 18): a row does not hold it.
    pub is_virtual: bool,
}

impl Column {
    fn of(attribute: &pg_sys::FormData_pg_attribute) -> Column {
        Column {
            number: attribute.attnum,
            name: super::encoding::to_string(name_bytes(&attribute.attname)),
            type_oid: attribute.atttypid,
            type_modifier: attribute.atttypmod,
            collation: attribute.attcollation,
            is_virtual: attribute.attgenerated as u8 == b'v',
        }
    }
}

/// Converts a list of oids, and frees it.
///
/// # Safety
/// `list` is null or a valid list of oids that is not used elsewhere.
unsafe fn oids(list: *mut pg_sys::List) -> Vec<pg_sys::Oid> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: an oid list holds `length` cells of oids.
    unsafe {
        let all = (0..(*list).length as usize).map(|i| (*(*list).elements.add(i)).oid_value).collect();
        pg_sys::list_free(list);
        all
    }
}

pub(super) fn name_bytes(name: &pg_sys::NameData) -> &[u8] {
    // SAFETY: a name is 64 bytes ending in a zero byte.
    unsafe { CStr::from_ptr(name.data.as_ptr()).to_bytes() }
}

/// `schema.table` quoted where needed, or the oid if there is no such relation.
pub fn qualified_name(relid: pg_sys::Oid) -> String {
    // SAFETY: catalog lookups by value; both answer null for what does not exist, and palloc'd strings else.
    unsafe {
        let table = pg_sys::get_rel_name(relid);
        let schema = pg_sys::get_namespace_name(pg_sys::get_rel_namespace(relid));
        if table.is_null() || schema.is_null() {
            return relid.to_u32().to_string();
        }
        let quoted = pg_sys::quote_qualified_identifier(schema, table);
        super::encoding::to_string(CStr::from_ptr(quoted).to_bytes())
    }
}

/// The name of a relation, without its schema; empty if there is none.
pub fn name(relid: pg_sys::Oid) -> String {
    // SAFETY: a catalog lookup by value; null for what does not exist, else a palloc'd string.
    unsafe {
        let name = pg_sys::get_rel_name(relid);
        if name.is_null() { String::new() } else { super::encoding::to_string(CStr::from_ptr(name).to_bytes()) }
    }
}

/// The name of a schema, quoted where needed.
pub(super) fn schema_name(schema: pg_sys::Oid) -> String {
    // SAFETY: a catalog lookup by value, null for what does not exist; both answers are strings of the server's.
    unsafe {
        let name = pg_sys::get_namespace_name(schema);
        if name.is_null() {
            return schema.to_u32().to_string();
        }
        super::encoding::to_string(CStr::from_ptr(pg_sys::quote_identifier(name)).to_bytes())
    }
}

/// A table and all tables below it, each locked.
///
/// # Safety
/// None needed beyond the server's: any oid may be asked for.
unsafe fn all_inheritors(relid: pg_sys::Oid, lock: pg_sys::LOCKMODE) -> *mut pg_sys::List {
    // SAFETY: the counts of parents are not wanted.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| server::find_all_inheritors(relid, lock, std::ptr::null_mut())) }
}

/// A table and all tables below it, not locked.
pub fn inheritors(relid: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    // SAFETY: any oid may be passed; the list is a fresh copy.
    unsafe { oids(all_inheritors(relid, KEEP)) }
}

/// The partitioned tables above a partition, nearest first.
pub fn ancestors(relid: pg_sys::Oid) -> Vec<pg_sys::Oid> {
    // SAFETY: takes any partition's oid; the list is a fresh copy.
    unsafe { oids(pg_sys::ffi::pg_guard_ffi_boundary(|| server::get_partition_ancestors(relid))) }
}

/// The owner of a relation; InvalidOid if it does not exist.
pub(super) fn owner(relid: pg_sys::Oid) -> pg_sys::Oid {
    Relation::open(relid, Lock::Share).map_or(pg_sys::InvalidOid, |r| r.owner())
}

/// The table or partitioned table of this name.
pub fn table_named(schema: &str, name: &str) -> Option<pg_sys::Oid> {
    let c_string = |text: &str| std::ffi::CString::new(super::encoding::from_string(text).into_owned()).ok();
    let (schema, name) = (c_string(schema)?, c_string(name)?);
    // SAFETY: catalog lookups by name and by value; they answer zero for what does not exist.
    let (oid, kind) = unsafe {
        let oid = pg_sys::get_relname_relid(name.as_ptr(), pg_sys::get_namespace_oid(schema.as_ptr(), true));
        (oid, pg_sys::get_rel_relkind(oid) as u8)
    };
    matches!(kind, pg_sys::RELKIND_RELATION | pg_sys::RELKIND_PARTITIONED_TABLE).then_some(oid)
}

/// True if this relation exists.
pub fn exists(relid: pg_sys::Oid) -> bool {
    // SAFETY: a catalog lookup by value.
    unsafe { !pg_sys::get_rel_name(relid).is_null() }
}

/// True if the relation is in the schema of this name.
pub fn in_schema(relid: pg_sys::Oid, schema: &str) -> bool {
    // SAFETY: catalog lookups by value; null for what does not exist.
    unsafe {
        let name = pg_sys::get_namespace_name(pg_sys::get_rel_namespace(relid));
        !name.is_null() && CStr::from_ptr(name).to_bytes() == schema.as_bytes()
    }
}

/// The lock that a change of triggers needs.
#[derive(Clone, Copy)]
pub enum TriggerChange {
    Create,
    Drop,
}

/// Takes the lock for CREATE or DROP TRIGGER on the table and all its partitions; false if they were not all free
/// within `patience`. Never queues, and holds none while another is not free: other sessions would queue behind it.
pub fn lock_for(change: TriggerChange, relid: pg_sys::Oid, patience: std::time::Duration) -> bool {
    let mode = match change {
        TriggerChange::Create => pg_sys::ShareRowExclusiveLock,
        TriggerChange::Drop => pg_sys::AccessExclusiveLock,
    } as pg_sys::LOCKMODE;
    let until = std::time::Instant::now() + patience;
    loop {
        // The table first: its lock keeps its list of partitions unchanged.
        let mut taken = Vec::new();
        if lock_if_free(relid, mode, &mut taken)
            && inheritors(relid).iter().all(|&table| table == relid || lock_if_free(table, mode, &mut taken))
        {
            return true;
        }
        for table in taken {
            // SAFETY: taken just before.
            unsafe { pg_sys::UnlockRelationOid(table, mode) };
        }
        if std::time::Instant::now() >= until {
            return false;
        }
        pgrx::check_for_interrupts!();
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn lock_if_free(relid: pg_sys::Oid, mode: pg_sys::LOCKMODE, taken: &mut Vec<pg_sys::Oid>) -> bool {
    // SAFETY: any oid may be locked; the lock goes with the transaction.
    let free = unsafe { pg_sys::ConditionalLockRelationOid(relid, mode) };
    if free {
        taken.push(relid);
    }
    free
}

/// The type of a column; None if there is no such table or column.
pub fn column_type(relid: pg_sys::Oid, column: &str) -> Option<pg_sys::Oid> {
    column_number(relid, column).map(|(_, type_oid)| type_oid)
}

/// The number and type of a column; None if there is no such table or column.
pub fn column_number(relid: pg_sys::Oid, column: &str) -> Option<(i16, pg_sys::Oid)> {
    let name = std::ffi::CString::new(super::encoding::from_string(column).into_owned()).ok()?;
    // SAFETY: catalog lookups by value and name that answer 0 for what does not exist.
    unsafe {
        let number = pg_sys::get_attnum(relid, name.as_ptr());
        let type_oid = if number > 0 { pg_sys::get_atttype(relid, number) } else { pg_sys::InvalidOid };
        (type_oid != pg_sys::InvalidOid).then_some((number, type_oid))
    }
}

/// The name of the column of this number; None if there is no such table or column, or it was dropped.
pub fn column_name(relid: pg_sys::Oid, number: i16) -> Option<String> {
    // SAFETY: catalog lookups by value. A dropped column has no type. The name is null for what does not exist, else a
    // palloc'd string.
    unsafe {
        if pg_sys::get_atttype(relid, number) == pg_sys::InvalidOid {
            return None;
        }
        let name = pg_sys::get_attname(relid, number, true);
        (!name.is_null()).then(|| super::encoding::to_string(CStr::from_ptr(name).to_bytes()))
    }
}
