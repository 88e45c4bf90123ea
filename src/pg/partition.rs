//! Finds the partition of a row by its key, as PostgreSQL's tuple routing does.

use super::relation::Relation;
use super::version;
use pgrx::pg_sys::{self, Datum, Oid};

/// The partition of a row with this key; None if some level is partitioned by something other than the key. Only a
/// hint: a row that is not there may be in another partition.
pub fn of_key(root: &Relation, key_column: &str, value: Datum, open: &dyn Fn(Oid) -> Option<Relation>) -> Option<Oid> {
    let (mut partition, mut is_leaf) = child(root, key_column, value)?;
    while !is_leaf {
        (partition, is_leaf) = child(&open(partition)?, key_column, value)?;
    }
    Some(partition)
}

/// The partition on the next level, and whether it is a leaf.
fn child(table: &Relation, key_column: &str, value: Datum) -> Option<(Oid, bool)> {
    if table.kind() != pg_sys::RELKIND_PARTITIONED_TABLE {
        return None;
    }
    let column = table.column(key_column)?.number;
    // SAFETY: an open partitioned table has a key and a descriptor, which live while it is open; the key's functions
    // are the server's own, for the type that the value has; the arrays are as long as the descriptor says.
    unsafe {
        let key = version::partition_key(table.raw())?;
        if key.columns != 1 || *key.attributes != column || (*key.families).to_u32() >= pg_sys::FirstNormalObjectId {
            return None;
        }
        let partitions = &*pg_sys::RelationGetPartitionDesc(table.raw(), true);
        if partitions.boundinfo.is_null() {
            return None;
        }
        let bounds = &*partitions.boundinfo;
        let (mut value, mut is_null, mut is_equal) = (value, false, false);
        let place = match key.strategy {
            b'h' => {
                let hash =
                    pg_sys::compute_partition_hash_value(1, key.functions, key.collations, &mut value, &mut is_null);
                usize::try_from(hash % u64::try_from(bounds.nindexes).ok().filter(|n| *n > 0)?).ok()
            }
            b'l' => {
                let at = pg_sys::partition_list_bsearch(
                    key.functions,
                    key.collations,
                    partitions.boundinfo,
                    value,
                    &mut is_equal,
                );
                usize::try_from(at).ok().filter(|_| is_equal)
            }
            b'r' => {
                let at = pg_sys::partition_range_datum_bsearch(
                    key.functions,
                    key.collations,
                    partitions.boundinfo,
                    1,
                    &mut value,
                    &mut is_equal,
                );
                usize::try_from(at + 1).ok()
            }
            _ => return None,
        };
        let index = place.filter(|at| *at < bounds.nindexes as usize).map_or(-1, |at| *bounds.indexes.add(at));
        let index = usize::try_from(if index >= 0 { index } else { bounds.default_index }).ok()?;
        (index < partitions.nparts as usize).then(|| (*partitions.oids.add(index), *partitions.is_leaf.add(index)))
    }
}
