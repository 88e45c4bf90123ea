//! Tables that Citus keeps in shards. Their rows are not in the table itself: neither a trigger on it nor a scan of it
//! sees them. Citus lists such tables in pg_catalog.pg_dist_partition. Without Citus the check costs one look into the
//! catalog cache.

use super::datum::Row;
use super::relation::{Lock, Relation};
use pgrx::pg_sys::{self, Oid};
use std::ffi::CStr;

/// The kind of Citus table; None if it is not one.
pub fn kind(relid: Oid) -> Option<&'static str> {
    let list = Relation::open(in_catalog(c"pg_dist_partition")?, Lock::Share)?;
    let column = |name: &str| list.column(name);
    let table = column("logicalrelid").filter(|c| c.type_oid == pg_sys::REGCLASSOID)?.number;
    let is_char = |name: &str| column(name).filter(|c| c.type_oid == pg_sys::CHAROID).map(|c| c.number);
    let (method, replication) = (is_char("partmethod"), is_char("repmodel"));
    let colocation = column("colocationid").filter(|c| c.type_oid == pg_sys::INT4OID).map(|c| c.number);
    let index = in_catalog(c"pg_dist_partition_logical_relid_index")
        .filter(|oid| Relation::open(*oid, Lock::Share).is_some_and(|i| i.is_index() && i.finds_by(table)));
    // SAFETY: an open table and, if it is an index of that column, the index; the key compares an oid with an oid; a
    // row is valid until the next one is asked for.
    unsafe {
        let mut key = pg_sys::ScanKeyData::default();
        pg_sys::ScanKeyEntryInitialize(
            &mut key,
            0,
            table,
            pg_sys::BTEqualStrategyNumber as pg_sys::StrategyNumber,
            pg_sys::InvalidOid,
            pg_sys::InvalidOid,
            pg_sys::Oid::from_u32(pg_sys::F_OIDEQ),
            relid.into(),
        );
        let scan = pg_sys::systable_beginscan(
            list.raw(),
            index.unwrap_or(pg_sys::InvalidOid),
            index.is_some(),
            std::ptr::null_mut(),
            1,
            &mut key,
        );
        let tuple = pg_sys::systable_getnext(scan);
        let found = (!tuple.is_null()).then(|| {
            let row = Row::of_tuple(tuple, list.desc());
            let byte = |column: Option<i16>| column.map_or(0, |c| row.byte(c));
            named(byte(method), byte(replication), colocation.and_then(|c| row.integer(c)).unwrap_or(0))
        });
        pg_sys::systable_endscan(scan);
        found
    }
}

/// The kind by the columns of pg_dist_partition, as Citus distinguishes them.
fn named(method: u8, replication: u8, colocation: i32) -> &'static str {
    match (method, replication) {
        (b'n', b't') => "a reference table of Citus",
        (b'n', _) if colocation != 0 => "a single-shard table of Citus",
        (b'n', _) => "a local table managed by Citus",
        _ => "a distributed table of Citus",
    }
}

fn in_catalog(name: &CStr) -> Option<Oid> {
    // SAFETY: a catalog lookup by name, which answers InvalidOid for what does not exist.
    let oid = unsafe { pg_sys::get_relname_relid(name.as_ptr(), Oid::from_u32(pg_sys::PG_CATALOG_NAMESPACE)) };
    (oid != pg_sys::InvalidOid).then_some(oid)
}
