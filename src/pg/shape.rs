//! Checks of the extension's tables, indexes and sequences before they are read or written. They are accessed below
//! SQL, by column number and by the comparison functions of their indexes. An administrator may change them with any
//! DDL. So each is checked when it is opened, under its lock. One that does not fit is treated as missing: nothing is
//! recorded, and goals.health() shows the statement that repairs it.

use super::relation::Relation;
use pgrx::pg_sys::{self, Oid};

/// A column of a table.
#[derive(Debug)]
pub struct Column {
    pub name: &'static str,
    /// Its name in earlier versions of the extension's SQL, which this library still serves.
    pub former: Option<&'static str>,
    pub type_oid: Oid,
    /// True if NULL is written into it.
    pub nullable: bool,
}

/// The shape of a table: its first columns, in order, and those that later versions have added, which are found by
/// name. Others may stand behind the first and between the added ones.
#[derive(Debug)]
pub struct TableShape {
    pub name: &'static str,
    pub columns: &'static [Column],
    /// All take NULL. Earlier versions of the extension's SQL have none of them.
    pub later: &'static [(&'static str, Oid)],
    /// The most columns that the table may have, if functions in SQL write whole rows of it.
    pub most: Option<usize>,
}

/// The shape of an index: the numbers of its columns, in order.
#[derive(Debug)]
pub struct IndexShape {
    pub name: &'static str,
    pub table: &'static str,
    /// The table and columns as in CREATE INDEX.
    pub definition: &'static str,
    pub columns: &'static [i16],
    /// The name of its only column, where that has no fixed number: then it holds the rows that have a value there.
    pub named: Option<&'static str>,
    /// The names of further columns, which have no fixed numbers either.
    pub added: &'static [&'static str],
    pub unique: bool,
}

/// The most columns that a table has got since.
const MOST_LATER: usize = 10;

/// A column that a later version has added to a table.
#[derive(Clone, Copy)]
pub struct Later(pub usize);

/// The numbers of the added columns in a table; 0 for one that it lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Places([i16; MOST_LATER]);

impl Places {
    /// The number of this column; 0, of which every row has NULL, if the table lacks it.
    #[inline]
    pub fn of(&self, column: Later) -> i16 {
        self.0[column.0]
    }

    /// True if a column with this number is one of them.
    pub fn contain(&self, number: usize) -> bool {
        self.0.iter().any(|place| *place as usize == number)
    }
}

/// Why an object of the extension cannot be used, and the statement that repairs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    pub why: String,
    pub mend: String,
}

/// True if the column is of this type, and neither generated nor compared in another order than that of bytes.
fn is_plain(column: &pg_sys::FormData_pg_attribute, type_oid: Oid) -> bool {
    let collated =
        !matches!(type_oid, pg_sys::TEXTOID | pg_sys::TEXTARRAYOID) || column.attcollation == pg_sys::C_COLLATION_OID;
    column.atttypid == type_oid && column.attgenerated == 0 && collated
}

/// The type as in CREATE TABLE.
fn wanted(type_oid: Oid) -> String {
    let collate = if matches!(type_oid, pg_sys::TEXTOID | pg_sys::TEXTARRAYOID) { " COLLATE \"C\"" } else { "" };
    format!("{}{collate}", super::types::type_name(type_oid))
}

fn not_plain(table: &str, column: &str, type_oid: Oid) -> Unfit {
    let wanted = wanted(type_oid);
    Unfit {
        why: format!("its column \"{column}\" is not a plain column of type {wanted}"),
        mend: format!("ALTER TABLE goals.{table} ALTER COLUMN {column} TYPE {wanted}"),
    }
}

fn is_not_null(table: &str, column: &str) -> Unfit {
    Unfit {
        why: format!("its column \"{column}\" is NOT NULL, but pg_goals writes NULL into it"),
        mend: format!("ALTER TABLE goals.{table} ALTER COLUMN {column} DROP NOT NULL"),
    }
}

fn unfit<T>(why: impl Into<String>, mend: impl Into<String>) -> Result<T, Unfit> {
    Err(Unfit { why: why.into(), mend: mend.into() })
}

impl TableShape {
    /// How many columns the extension has created.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Err if rows of this table cannot be read and appended by column number. `owner`: the owner of the extension.
    /// Else where the columns are that later versions have added.
    pub fn fits(&self, table: &Relation, owner: Oid) -> Result<Places, Unfit> {
        let name = self.name;
        if table.kind() != pg_sys::RELKIND_RELATION {
            return unfit(
                "it is not a plain table",
                format!("Rename it, and rename the original back: ALTER TABLE ... RENAME TO {name}"),
            );
        }
        if table.access_method() != pg_sys::HEAP_TABLE_AM_OID {
            return unfit(
                "its access method is not heap",
                format!("ALTER TABLE goals.{name} SET ACCESS METHOD heap (PostgreSQL 15 and newer)"),
            );
        }
        if table.is_partition() {
            return unfit(
                "it is a partition of another table",
                format!("ALTER TABLE ... DETACH PARTITION goals.{name}"),
            );
        }
        if table.owner() != owner {
            return unfit(
                "it does not belong to the owner of the extension",
                format!("ALTER TABLE goals.{name} OWNER TO {}", super::rights::role_name(owner)),
            );
        }
        if let Some(added) = self.most.and_then(|most| table.columns().into_iter().nth(most)) {
            let added = super::rights::quoted(&added.name);
            return unfit(
                format!("column {added} has been added to it"),
                format!("ALTER TABLE goals.{name} DROP COLUMN {added}"),
            );
        }
        for (i, &Column { name: column, former, type_oid, nullable }) in self.columns.iter().enumerate() {
            let is = table.attribute(i + 1);
            let is_named = |a: &&pg_sys::FormData_pg_attribute| {
                let name = super::relation::name_bytes(&a.attname);
                name == column.as_bytes() || former.is_some_and(|former| name == former.as_bytes())
            };
            let Some(is) = is.filter(|a| !a.attisdropped).filter(is_named) else {
                return unfit(
                    format!("its column {} is not \"{column}\"", i + 1),
                    format!("Rename it back: ALTER TABLE goals.{name} RENAME COLUMN ... TO {column}"),
                );
            };
            if !is_plain(is, type_oid) {
                return Err(not_plain(name, column, type_oid));
            }
            if nullable && is.attnotnull {
                return Err(is_not_null(name, column));
            }
        }
        self.places(table)
    }

    /// Where the added columns are; Err if only some of them are there, or one is of another
    /// type.
    fn places(&self, table: &Relation) -> Result<Places, Unfit> {
        let mut places = Places::default();
        let mut missing = None;
        for (place, &(column, type_oid)) in places.0.iter_mut().zip(self.later) {
            let number = (self.width() + 1..)
                .map_while(|i| table.attribute(i).map(|a| (i, a)))
                .find(|(_, a)| !a.attisdropped && super::relation::name_bytes(&a.attname) == column.as_bytes());
            let Some((number, is)) = number else {
                missing = missing.or(Some((column, type_oid)));
                continue;
            };
            if !is_plain(is, type_oid) {
                return Err(not_plain(self.name, column, type_oid));
            }
            if is.attnotnull {
                return Err(is_not_null(self.name, column));
            }
            *place = number as i16;
        }
        match missing {
            Some((column, type_oid)) if places != Places::default() => Err(Unfit {
                why: format!("its column \"{column}\" is missing"),
                mend: format!("ALTER TABLE goals.{} ADD COLUMN {column} {}", self.name, wanted(type_oid)),
            }),
            _ => Ok(places),
        }
    }

    /// Err if an index on this table can refuse a row. A unique index or an exclusion constraint makes a writer wait or
    /// fail, unless it is on the id alone, which comes from a sequence.
    pub fn lets_in(&self, index: Oid) -> Result<(), Unfit> {
        // SAFETY: a catalog lookup by oid; the row is released after it has been read.
        let lets_in = unsafe {
            let row = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::INDEXRELID as i32, index.into());
            if row.is_null() {
                return Ok(());
            }
            let form = &*pg_sys::GETSTRUCT(row).cast::<pg_sys::FormData_pg_index>();
            let by_id = self.name != "ignored"
                && form.indimmediate
                && form.indkey.values.as_slice(form.indnkeyatts as usize) == [1];
            let lets_in = by_id || !(form.indisunique || form.indisexclusion) || !self.is_fact();
            pg_sys::ReleaseSysCache(row);
            lets_in
        };
        if lets_in {
            return Ok(());
        }
        let shown = super::relation::qualified_name(index);
        // SAFETY: catalog lookups by value; the name is null for a constraint that does not exist, else a palloc'd
        // string.
        let constraint = unsafe { pg_sys::get_constraint_name(pg_sys::get_index_constraint(index)).as_ref() };
        let mend = match constraint {
            // SAFETY: as above.
            Some(name) => format!(
                "ALTER TABLE goals.{} DROP CONSTRAINT {}",
                self.name,
                super::rights::quoted(&super::encoding::to_string(
                    unsafe { std::ffi::CStr::from_ptr(name) }.to_bytes()
                ))
            ),
            None => format!("DROP INDEX {shown}"),
        };
        unfit(format!("{shown} can refuse a row, so an application's statement could fail"), mend)
    }

    /// True if the table is written inside the application's statements.
    pub fn is_fact(&self) -> bool {
        matches!(self.name, "receipt" | "reference" | "engagement" | "match_log" | "hand_over" | "ignored")
    }
}

impl IndexShape {
    /// The number of the column that it holds the values of, in this table.
    pub fn named_in(&self, table: &Relation) -> Option<i16> {
        self.named.map(|name| table.column(name).map_or(0, |c| c.number))
    }

    /// Err if this index cannot find all rows of the table by the comparisons that the extension uses.
    pub fn fits(&self, index: &Relation, table: &Relation) -> Result<(), Unfit> {
        let again = || {
            format!(
                "DROP INDEX CONCURRENTLY goals.{0}, then CREATE INDEX CONCURRENTLY {0} ON goals.{1}",
                self.name, self.definition
            )
        };
        if index.kind() != pg_sys::RELKIND_INDEX || index.access_method() != pg_sys::BTREE_AM_OID {
            return unfit("it is not a btree index", again());
        }
        let form = index.index_form();
        if form.indrelid != table.oid() {
            return unfit(format!("it is not an index of goals.{}", self.table), again());
        }
        if !form.indisvalid || !form.indisready || !form.indislive {
            return unfit(
                "it is invalid: CREATE INDEX is still running, or has failed",
                format!("Wait until CREATE INDEX CONCURRENTLY has finished; if none is running: {}", again()),
            );
        }
        let named = self.named_in(table);
        let added = self.added.iter().map(|name| table.column(name).map_or(0, |c| c.number));
        let columns: Vec<i16> = self.columns.iter().copied().chain(named).chain(added).collect();
        let same = index.index_columns() == columns
            && form.indnatts == form.indnkeyatts
            && named.map_or_else(|| index.is_complete(), |column| index.is_of_known(column));
        if !same || !index.is_plain(columns.len()) || form.indisunique != self.unique {
            return unfit("it is not the index that the extension creates", again());
        }
        Ok(())
    }
}

/// The sequence of the ids of messages, which are integers.
pub const MESSAGE_IDS: &str = "message_message_id_seq";

/// Err unless this sequence gives each number once, in ascending order, in the order of the requests.
pub fn sequence_fits(name: &str, sequence: Oid) -> Result<(), Unfit> {
    // FormData_pg_sequence of catalog/pg_sequence.h, the same in PostgreSQL 10 to 18.
    #[repr(C)]
    struct Form {
        relid: Oid,
        type_oid: Oid,
        start: i64,
        increment: i64,
        max: i64,
        min: i64,
        cache: i64,
        cycle: bool,
    }
    // SAFETY: a catalog lookup by oid; the row is released after it has been read.
    let fits = unsafe {
        let row = pg_sys::SearchSysCache1(pg_sys::SysCacheIdentifier::SEQRELID as i32, sequence.into());
        if row.is_null() {
            return unfit("it is not a sequence", format!("Rename it, and rename the original back to {name}"));
        }
        let form = &*pg_sys::GETSTRUCT(row).cast::<Form>();
        let (type_oid, max) =
            if name == MESSAGE_IDS { (pg_sys::INT4OID, i32::MAX.into()) } else { (pg_sys::INT8OID, i64::MAX) };
        let fits =
            form.type_oid == type_oid && form.increment == 1 && form.cache == 1 && !form.cycle && form.max == max;
        pg_sys::ReleaseSysCache(row);
        fits
    };
    if fits {
        return Ok(());
    }
    unfit(
        "it does not give its numbers one by one in order: receipts or matches would be missing in the totals",
        format!(
            "ALTER SEQUENCE goals.{name} AS {} INCREMENT BY 1 NO MAXVALUE CACHE 1 NO CYCLE",
            if name == MESSAGE_IDS { "integer" } else { "bigint" }
        ),
    )
}

/// Err unless the next number of a sequence is above all ids in use and there is room for more. `last`: the highest
/// known id, read before the sequence. Sequences fall behind when tables are replicated and the subscriber takes over.
pub fn sequence_goes_on(name: &str, sequence: &Relation, last: i64) -> Result<(), Unfit> {
    let mut next = None;
    super::scan::visit_all(sequence, |row| {
        // last_value, log_cnt, is_called
        next = Some(row.bigint(1).saturating_add(i64::from(row.byte(3) != 0)));
        std::ops::ControlFlow::Break(())
    });
    let most = if name == MESSAGE_IDS { i64::from(i32::MAX) - 1_000_000 } else { i64::MAX / 2 };
    match next {
        Some(next) if next > last && next < most => Ok(()),
        _ => unfit(
            format!(
                "its next number is not above {last}, the highest id in use: receipts of different users would be mixed"
            ),
            format!("SELECT setval('goals.{name}', {})", last.max(1)),
        ),
    }
}
