//! Checks of the extension's tables, indexes and sequences before they are read or written. They are accessed below
//! SQL, by column number and by the comparison functions of their indexes. An administrator may change them with any
//! DDL. So each is checked when it is opened, under its lock. One that does not fit is treated as missing: nothing is
//! recorded, and goals.health() shows the statement that repairs it.

use super::relation::Relation;
use pgrx::pg_sys::{self, Oid};

/// A column of a table.
#[derive(Debug)]
struct Column {
    name: &'static str,
    /// Its name in earlier versions of the extension's SQL, which this library still serves.
    former: Option<&'static str>,
    type_oid: Oid,
    /// True if NULL is written into it.
    nullable: bool,
}

/// The shape of a table: its first columns, in order, and those that later versions have added, which are found by
/// name. Others may stand behind the first and between the added ones.
#[derive(Debug)]
pub struct TableShape {
    pub name: &'static str,
    columns: &'static [Column],
    /// All take NULL. Earlier versions of the extension's SQL have none of them.
    later: &'static [(&'static str, Oid)],
    /// The most columns that the table may have, if functions in SQL write whole rows of it.
    most: Option<usize>,
}

/// The shape of an index: the numbers of its columns, in order.
#[derive(Debug)]
pub struct IndexShape {
    pub name: &'static str,
    pub table: &'static str,
    /// The table and columns as in CREATE INDEX.
    pub definition: &'static str,
    columns: &'static [i16],
    /// The name of its only column, where that has no fixed number: then it holds the rows that have a value there.
    named: Option<&'static str>,
}

const NAME: Oid = pg_sys::NAMEOID;
const TEXT: Oid = pg_sys::TEXTOID;
const TEXTS: Oid = pg_sys::TEXTARRAYOID;
const SMALLINT: Oid = pg_sys::INT2OID;
const INTEGER: Oid = pg_sys::INT4OID;
const INTEGERS: Oid = pg_sys::INT4ARRAYOID;
const BIGINT: Oid = pg_sys::INT8OID;
const TIME: Oid = pg_sys::TIMESTAMPTZOID;
const BOOLEAN: Oid = pg_sys::BOOLOID;
const DOUBLE: Oid = pg_sys::FLOAT8OID;
const JSONB: Oid = pg_sys::JSONBOID;
const CHAR: Oid = pg_sys::CHAROID;
const NUMERIC: Oid = pg_sys::NUMERICOID;
const NUMERICS: Oid = pg_sys::NUMERICARRAYOID;
const RELATION: Oid = pg_sys::REGCLASSOID;
const OID: Oid = pg_sys::OIDOID;

/// The most columns that a table has got since.
const MOST_LATER: usize = 10;

/// A column that a later version has added to a table.
#[derive(Clone, Copy)]
pub struct Later(usize);

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

/// Declares tables as sql/10_tables.sql creates them. Per table it makes the shape, which is compared with the catalog
/// when the table is opened, and a module with the numbers of its columns and a row to be appended, so that code names
/// its columns. Behind the semicolon stand the columns that versions after 0.2.0 have added.
macro_rules! tables {
    ($(
        $table:ident $shape:ident {
            $($column:ident $(was $former:ident)? : $type_oid:ident $($null:ident)?,)*
            $(; $($added:ident : $added_type:ident,)*)?
        }
    )*) => { $(
        pub static $shape: TableShape = TableShape {
            name: stringify!($table),
            columns: &[$(Column {
                name: stringify!($column),
                former: tables!(@former $($former)?),
                type_oid: $type_oid,
                nullable: tables!(@nullable $($null)?),
            }),*],
            later: &[$($((stringify!($added), $added_type)),*)?],
            most: None,
        };

        // Not every column is read, and not every table is written here.
        #[allow(non_upper_case_globals, dead_code)]
        pub mod $table {
            use pgrx::pg_sys::Datum;

            #[allow(non_camel_case_types)]
            enum Place { $($column),* }

            $(pub const $column: i16 = Place::$column as i16 + 1;)*
            pub const WIDTH: usize = [$($column),*].len();

            $(
                #[allow(non_camel_case_types)]
                enum Added { $($added),* }

                $(pub const $added: crate::pg::shape::Later = crate::pg::shape::Later(Added::$added as usize);)*
            )?

            /// A row to be appended; None is NULL.
            pub struct New { $(pub $column: Option<Datum>),* }

            impl New {
                /// The values in the order of the columns.
                pub fn values(self) -> [Option<Datum>; WIDTH] {
                    [$(self.$column),*]
                }
            }
        }
    )* };
    (@former) => { None };
    (@former $former:ident) => { Some(stringify!($former)) };
    (@nullable) => { false };
    (@nullable null) => { true };
}

tables! {
    source SOURCE {
        source_id: INTEGER,
        kind: TEXT,
        relation: RELATION,
        users_source_id was users_id: INTEGER,
        key_column: NAME,
        event_column: NAME null,
        message_column: NAME null,
        variant_column: NAME null,
        properties_column: NAME null,
        occurred_column: NAME null,
        opened_column: NAME null,
        clicked_column: NAME null,
        attached: BOOLEAN,
        ;
        schema_name: NAME,
        table_name: NAME,
        options: JSONB,
    }
    message MESSAGE {
        message_id: INTEGER,
        name: TEXT,
        kind: TEXT,
        channel: TEXT null,
        users_source_id was users_id: INTEGER,
        created_at: TIME,
        ;
        seed: TEXT,
        dropped_at: TIME,
        parent_id: INTEGER,
        source_id: INTEGER,
        row_key: TEXT,
        known_as: TEXT,
        like_message_id: INTEGER,
        keep: TEXTS,
        engagement_after_us: BIGINT,
    }
    variant VARIANT {
        variant_id: INTEGER,
        message_id: INTEGER,
        name: TEXT,
        weight: DOUBLE,
        is_control: BOOLEAN,
    }
    goal GOAL {
        goal_id: INTEGER,
        message_id: INTEGER,
        name: TEXT,
        version: INTEGER,
        attribute: TEXT null,
        attribute_type: TEXT null,
        operator: TEXT null,
        value: TEXT null,
        event: TEXT null,
        times: INTEGER,
        properties: JSONB null,
        time_limit_us: BIGINT,
        after: TEXT,
        value_from: TEXT null,
        ;
        delay_us: BIGINT,
        counts: TEXT,
        worth_cap: NUMERIC,
        opens_within_us: BIGINT,
        wanted: BOOLEAN,
        margin: DOUBLE,
    }
    goal_stop GOAL_STOP {
        goal_id: INTEGER,
    }
    revision REVISION {
        revision_id: INTEGER,
        message_id: INTEGER,
        goal_ids: INTEGERS,
    }
    receipt RECEIPT {
        receipt_id: BIGINT,
        sent_at: TIME,
        users_source_id was users_id: INTEGER,
        revision_id: INTEGER,
        variant_id: INTEGER null,
        user_key: TEXT,
        already: INTEGERS null,
        baseline: NUMERICS null,
        ;
        message_id: INTEGER,
        row_ref: BIGINT,
        flags: SMALLINT,
        kept: TEXTS,
    }
    engagement ENGAGEMENT {
        engagement_id: BIGINT,
        receipt_id: BIGINT,
        at: TIME,
        kind: CHAR,
        ;
        machine: BOOLEAN,
    }
    match_log MATCH_LOG {
        match_id: BIGINT,
        receipt_id: BIGINT,
        matched_at: TIME,
        goal_id: INTEGER,
        old_value: JSONB null,
        new_value: JSONB null,
        worth: NUMERIC null,
        ;
        cause_ref: BIGINT,
        flags: SMALLINT,
    }
    reference REFERENCE {
        receipt_id: BIGINT,
        row_ref: BIGINT,
        name: TEXT null,
    }
    message_name MESSAGE_NAME {
        message_name_id: BIGINT,
        message_id: INTEGER,
        name: TEXT,
    }
    column_note COLUMN_NOTE {
        source_id: INTEGER,
        name: NAME,
        relation: OID,
        number: SMALLINT,
        type_oid: OID,
    }
    hand_over HAND_OVER {
        hand_over_id: BIGINT,
        users_source_id: INTEGER,
        from_key: TEXT,
        into_key: TEXT,
        receipt_id: BIGINT,
        at: TIME,
    }
    ignored IGNORED {
        source_id: INTEGER,
        reason: TEXT,
        name: TEXT null,
        first_at: TIME,
    }
}

// Read and written by SQL only: just the name, owner and number of columns are checked.
pub static TOTAL: TableShape = TableShape { name: "total", columns: &[], later: &[], most: Some(24) };
pub static WATERMARK: TableShape = TableShape { name: "watermark", columns: &[], later: &[], most: Some(5) };
pub static NEXT_WATERMARK: TableShape = TableShape { name: "next_watermark", columns: &[], later: &[], most: Some(6) };

pub static REPLAY: TableShape = TableShape { name: "replay", columns: &[], later: &[], most: None };
pub static FEED: TableShape = TableShape { name: "feed", columns: &[], later: &[], most: None };

pub static RECEIPT_USER: IndexShape = IndexShape {
    name: "receipt_user_idx",
    table: "receipt",
    definition: "receipt (users_source_id, user_key, sent_at)",
    columns: &[receipt::users_source_id, receipt::user_key, receipt::sent_at],
    named: None,
};
pub static RECEIPT_ID: IndexShape = IndexShape {
    name: "receipt_id_idx",
    table: "receipt",
    definition: "receipt (receipt_id)",
    columns: &[receipt::receipt_id],
    named: None,
};
pub static ENGAGEMENT_RECEIPT: IndexShape = IndexShape {
    name: "engagement_receipt_idx",
    table: "engagement",
    definition: "engagement (receipt_id)",
    columns: &[engagement::receipt_id],
    named: None,
};
pub static MATCH_LOG_RECEIPT: IndexShape = IndexShape {
    name: "match_log_receipt_idx",
    table: "match_log",
    definition: "match_log (receipt_id, goal_id, matched_at, match_id)",
    columns: &[match_log::receipt_id, match_log::goal_id, match_log::matched_at, match_log::match_id],
    named: None,
};
pub static RECEIPT_ROW: IndexShape = IndexShape {
    name: "receipt_row_idx",
    table: "receipt",
    definition: "receipt (row_ref) WHERE row_ref IS NOT NULL",
    columns: &[],
    named: Some("row_ref"),
};
pub static REFERENCE_ROW: IndexShape = IndexShape {
    name: "reference_row_idx",
    table: "reference",
    definition: "reference (row_ref)",
    columns: &[reference::row_ref],
    named: None,
};
pub static HAND_OVER_FROM: IndexShape = IndexShape {
    name: "hand_over_from_idx",
    table: "hand_over",
    definition: "hand_over (users_source_id, from_key)",
    columns: &[hand_over::users_source_id, hand_over::from_key],
    named: None,
};
pub static HAND_OVER_INTO: IndexShape = IndexShape {
    name: "hand_over_into_idx",
    table: "hand_over",
    definition: "hand_over (users_source_id, into_key)",
    columns: &[hand_over::users_source_id, hand_over::into_key],
    named: None,
};
pub static IGNORED_SOURCE: IndexShape = IndexShape {
    name: "ignored_source_idx",
    table: "ignored",
    definition: "ignored (source_id)",
    columns: &[ignored::source_id],
    named: None,
};

/// True if this is the name of an index that the extension searches. Every row has room in such an index.
pub fn is_searched(name: &[u8]) -> bool {
    let searched = [
        &RECEIPT_USER,
        &RECEIPT_ID,
        &RECEIPT_ROW,
        &REFERENCE_ROW,
        &HAND_OVER_FROM,
        &HAND_OVER_INTO,
        &ENGAGEMENT_RECEIPT,
        &MATCH_LOG_RECEIPT,
        &IGNORED_SOURCE,
    ];
    searched.iter().any(|index| index.name.as_bytes() == name)
}

/// Why an object of the extension cannot be used, and the statement that repairs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit {
    pub why: String,
    pub mend: String,
}

/// True if the column is of this type, and neither generated nor compared in another order than that of bytes.
fn is_plain(column: &pg_sys::FormData_pg_attribute, type_oid: Oid) -> bool {
    let collated = !matches!(type_oid, TEXT | TEXTS) || column.attcollation == pg_sys::C_COLLATION_OID;
    column.atttypid == type_oid && column.attgenerated == 0 && collated
}

/// The type as in CREATE TABLE.
fn wanted(type_oid: Oid) -> String {
    let collate = if matches!(type_oid, TEXT | TEXTS) { " COLLATE \"C\"" } else { "" };
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
            let by_id = self.name != IGNORED.name
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
        let columns: Vec<i16> = self.columns.iter().copied().chain(named).collect();
        let same = index.index_columns() == columns
            && form.indnatts == form.indnkeyatts
            && named.map_or_else(|| index.is_complete(), |column| index.is_of_known(column));
        if !same || !index.is_plain(columns.len()) || form.indisunique {
            return unfit("it is not the index that the extension creates", again());
        }
        Ok(())
    }
}

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
        let fits =
            form.type_oid == BIGINT && form.increment == 1 && form.cache == 1 && !form.cycle && form.max == i64::MAX;
        pg_sys::ReleaseSysCache(row);
        fits
    };
    if fits {
        return Ok(());
    }
    unfit(
        "it does not give its numbers one by one in order: receipts or matches would be missing in the totals",
        format!("ALTER SEQUENCE goals.{name} AS bigint INCREMENT BY 1 NO MAXVALUE CACHE 1 NO CYCLE"),
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
    match next {
        Some(next) if next > last && next < i64::MAX / 2 => Ok(()),
        _ => unfit(
            format!(
                "its next number is not above {last}, the highest id in use: receipts of different users would be mixed"
            ),
            format!("SELECT setval('goals.{name}', {})", last.max(1)),
        ),
    }
}
