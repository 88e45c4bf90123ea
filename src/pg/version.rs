//! The differences between PostgreSQL 14 and 18, in one place.

use super::server;
use pgrx::pg_sys;

/// The description of column `i` (from zero).
///
/// # Safety
/// `desc` is a valid descriptor with more than `i` attributes; the result lives as long as it.
pub unsafe fn attribute<'a>(desc: pg_sys::TupleDesc, i: usize) -> &'a pg_sys::FormData_pg_attribute {
    #[cfg(not(feature = "pg18"))]
    // SAFETY: the caller guarantees that the descriptor has this attribute.
    unsafe {
        &*(*desc).attrs.as_ptr().add(i)
    }
    #[cfg(feature = "pg18")]
    // SAFETY: the caller guarantees that the descriptor has this attribute.
    unsafe {
        &*pg_sys::TupleDescAttr(desc, i as core::ffi::c_int)
    }
}

/// Begins an index scan with `keys` keys.
///
/// # Safety
/// Both relations are open and locked, and stay so until the scan has ended; the snapshot outlives the scan.
pub unsafe fn index_beginscan(
    heap: pg_sys::Relation,
    index: pg_sys::Relation,
    snapshot: pg_sys::Snapshot,
    keys: core::ffi::c_int,
) -> pg_sys::IndexScanDesc {
    #[cfg(not(feature = "pg18"))]
    // SAFETY: as the caller guarantees.
    unsafe {
        pg_sys::index_beginscan(heap, index, snapshot, keys, 0)
    }
    #[cfg(feature = "pg18")]
    // SAFETY: as the caller guarantees; no instrumentation is wanted.
    unsafe {
        pg_sys::index_beginscan(heap, index, snapshot, core::ptr::null_mut(), keys, 0)
    }
}

/// The partition key of a table. The pointers are to arrays with one entry per column.
pub struct PartitionKey {
    /// `l`, `r` or `h`.
    pub strategy: u8,
    pub columns: i16,
    pub attributes: *const i16,
    pub families: *const pg_sys::Oid,
    pub functions: *mut pg_sys::FmgrInfo,
    pub collations: *mut pg_sys::Oid,
}

/// The key of a partitioned table; None if it contains an expression. The server would simplify it when it reads the
/// key, and so run functions of the table's owner that are called with constants.
///
/// # Safety
/// The table is open, and stays so while the result is used.
pub unsafe fn partition_key(table: pg_sys::Relation) -> Option<PartitionKey> {
    // PartitionKeyData of utils/partcache.h, as far as it is needed.
    #[repr(C)]
    struct Data {
        #[cfg(any(feature = "pg14", feature = "pg15"))]
        strategy: core::ffi::c_char,
        #[cfg(not(any(feature = "pg14", feature = "pg15")))]
        strategy: core::ffi::c_uint,
        columns: i16,
        attributes: *const i16,
        expressions: *const pg_sys::List,
        families: *const pg_sys::Oid,
        types: *const pg_sys::Oid,
        functions: *mut pg_sys::FmgrInfo,
        collations: *mut pg_sys::Oid,
    }
    unsafe extern "C-unwind" {
        fn RelationGetPartitionKey(table: pg_sys::Relation) -> *const Data;
    }
    // Of pg_partitioned_table.
    const EXPRESSIONS: core::ffi::c_int = 8;
    // SAFETY: a look at the row that describes the table, null if it is not partitioned; the row is released.
    let has_expressions = unsafe {
        let id = pg_sys::SysCacheIdentifier::PARTRELID as core::ffi::c_int;
        let row = pg_sys::SearchSysCache1(id, (*table).rd_id.into());
        if row.is_null() {
            return None;
        }
        let is_null = pg_sys::heap_attisnull(row, EXPRESSIONS, core::ptr::null_mut());
        pg_sys::ReleaseSysCache(row);
        !is_null
    };
    if has_expressions {
        return None;
    }
    // SAFETY: declared as in utils/partcache.h; null for a table that is not partitioned.
    unsafe {
        let key = pg_sys::ffi::pg_guard_ffi_boundary(|| RelationGetPartitionKey(table)).as_ref()?;
        Some(PartitionKey {
            strategy: key.strategy as u8,
            columns: key.columns,
            attributes: key.attributes,
            families: key.families,
            functions: key.functions,
            collations: key.collations,
        })
    }
}

/// Makes the index entries of a row that has just been inserted.
///
/// # Safety
/// The table and its indexes are open in `table`; the slot holds the row with its place; the executor is fresh.
pub unsafe fn insert_index_tuples(
    table: *mut pg_sys::ResultRelInfo,
    slot: *mut pg_sys::TupleTableSlot,
    executor: *mut pg_sys::EState,
) {
    let none = core::ptr::null_mut();
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    // SAFETY: as the caller guarantees.
    unsafe {
        pg_sys::ExecInsertIndexTuples(table, slot, executor, false, false, none, core::ptr::null_mut());
    }
    #[cfg(not(any(feature = "pg14", feature = "pg15")))]
    // SAFETY: as the caller guarantees.
    unsafe {
        pg_sys::ExecInsertIndexTuples(table, slot, executor, false, false, none, core::ptr::null_mut(), false);
    }
}

/// Releases what an index keeps from one insert to the next: since PostgreSQL 17 a BRIN index keeps pages pinned.
///
/// # Safety
/// The index is open, and described by `info`.
pub unsafe fn insert_cleanup(index: pg_sys::Relation, info: *mut pg_sys::IndexInfo) {
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    // SAFETY: as the caller guarantees.
    unsafe {
        pg_sys::index_insert_cleanup(index, info);
    }
    #[cfg(not(any(feature = "pg17", feature = "pg18")))]
    let _ = (index, info);
}

/// True if the current user owns this relation or is a superuser.
pub fn owns_relation(relid: pg_sys::Oid) -> bool {
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    // SAFETY: a catalog lookup by value.
    unsafe {
        pg_sys::pg_class_ownercheck(relid, pg_sys::GetUserId())
    }
    #[cfg(not(any(feature = "pg14", feature = "pg15")))]
    // SAFETY: a catalog lookup by value.
    unsafe {
        pg_sys::object_ownercheck(pg_sys::RelationRelationId, relid, pg_sys::GetUserId())
    }
}

/// True if the current user has USAGE on this schema.
pub fn may_use_schema(schema: pg_sys::Oid) -> bool {
    let usage = pg_sys::ACL_USAGE as pg_sys::AclMode;
    #[cfg(any(feature = "pg14", feature = "pg15"))]
    // SAFETY: a catalog lookup by value.
    let result = unsafe { pg_sys::pg_namespace_aclcheck(schema, pg_sys::GetUserId(), usage) };
    #[cfg(not(any(feature = "pg14", feature = "pg15")))]
    // SAFETY: a catalog lookup by value.
    let result = unsafe { pg_sys::object_aclcheck(pg_sys::NamespaceRelationId, schema, pg_sys::GetUserId(), usage) };
    result == pg_sys::AclResult::ACLCHECK_OK
}

/// The index of the primary key; InvalidOid if there is none.
///
/// # Safety
/// The relation is open.
pub unsafe fn primary_key_index(relation: pg_sys::Relation) -> pg_sys::Oid {
    #[cfg(not(feature = "pg18"))]
    // SAFETY: as the caller guarantees.
    unsafe {
        pg_sys::RelationGetPrimaryKeyIndex(relation)
    }
    #[cfg(feature = "pg18")]
    // SAFETY: as the caller guarantees; a deferrable key identifies a user as well.
    unsafe {
        pg_sys::RelationGetPrimaryKeyIndex(relation, true)
    }
}

/// Lets SIGTERM end a background worker wherever it checks for interrupts, also while it waits for a lock, as in a
/// backend.
pub fn end_at_sigterm() {
    let signal = pg_sys::SIGTERM as core::ffi::c_int;
    #[cfg(not(feature = "pg18"))]
    // SAFETY: the server's own handler; nothing else of this process handles the signal.
    unsafe {
        pg_sys::pqsignal(signal, Some(server::die));
    }
    #[cfg(feature = "pg18")]
    // SAFETY: as above.
    unsafe {
        pg_sys::pqsignal_be(signal, Some(server::die));
    }
}
