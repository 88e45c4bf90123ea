//! The extension's tables and indexes, as sql/10_tables.sql creates them: each once, for the checks in shape.rs and for
//! the code that reads and writes columns by number.

use super::shape::{Column, IndexShape, TableShape};
use pgrx::pg_sys::{self, Oid};

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
        named_at: TIME,
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
pub static WATERMARK: TableShape = TableShape { name: "watermark", columns: &[], later: &[], most: Some(7) };
pub static NEXT_WATERMARK: TableShape = TableShape { name: "next_watermark", columns: &[], later: &[], most: Some(7) };

pub static REPLAY: TableShape = TableShape { name: "replay", columns: &[], later: &[], most: None };
pub static FEED: TableShape = TableShape { name: "feed", columns: &[], later: &[], most: None };
pub static DAY_TOTAL: TableShape = TableShape { name: "day_total", columns: &[], later: &[], most: Some(29) };
pub static SLOT_TOTAL: TableShape = TableShape { name: "slot_total", columns: &[], later: &[], most: Some(12) };
pub static AGE_TOTAL: TableShape = TableShape { name: "age_total", columns: &[], later: &[], most: Some(9) };
pub static PAIR_TOTAL: TableShape = TableShape { name: "pair_total", columns: &[], later: &[], most: Some(6) };

pub static RECEIPT_USER: IndexShape = IndexShape {
    name: "receipt_user_idx",
    table: "receipt",
    definition: "receipt (users_source_id, user_key, sent_at)",
    columns: &[receipt::users_source_id, receipt::user_key, receipt::sent_at],
    named: None,
    added: &[],
    unique: false,
};
pub static RECEIPT_ID: IndexShape = IndexShape {
    name: "receipt_id_idx",
    table: "receipt",
    definition: "receipt (receipt_id)",
    columns: &[receipt::receipt_id],
    named: None,
    added: &[],
    unique: false,
};
pub static ENGAGEMENT_RECEIPT: IndexShape = IndexShape {
    name: "engagement_receipt_idx",
    table: "engagement",
    definition: "engagement (receipt_id)",
    columns: &[engagement::receipt_id],
    named: None,
    added: &[],
    unique: false,
};
pub static MATCH_LOG_RECEIPT: IndexShape = IndexShape {
    name: "match_log_receipt_idx",
    table: "match_log",
    definition: "match_log (receipt_id, goal_id, matched_at, match_id)",
    columns: &[match_log::receipt_id, match_log::goal_id, match_log::matched_at, match_log::match_id],
    named: None,
    added: &[],
    unique: false,
};
pub static RECEIPT_ROW: IndexShape = IndexShape {
    name: "receipt_row_idx",
    table: "receipt",
    definition: "receipt (row_ref) WHERE row_ref IS NOT NULL",
    columns: &[],
    named: Some("row_ref"),
    added: &[],
    unique: false,
};
pub static REFERENCE_ROW: IndexShape = IndexShape {
    name: "reference_row_idx",
    table: "reference",
    definition: "reference (row_ref)",
    columns: &[reference::row_ref],
    named: None,
    added: &[],
    unique: false,
};
pub static HAND_OVER_FROM: IndexShape = IndexShape {
    name: "hand_over_from_idx",
    table: "hand_over",
    definition: "hand_over (users_source_id, from_key)",
    columns: &[hand_over::users_source_id, hand_over::from_key],
    named: None,
    added: &[],
    unique: false,
};
pub static HAND_OVER_INTO: IndexShape = IndexShape {
    name: "hand_over_into_idx",
    table: "hand_over",
    definition: "hand_over (users_source_id, into_key)",
    columns: &[hand_over::users_source_id, hand_over::into_key],
    named: None,
    added: &[],
    unique: false,
};
pub static MESSAGE_ID: IndexShape = IndexShape {
    name: "message_pkey",
    table: "message",
    definition: "message (message_id)",
    columns: &[message::message_id],
    named: None,
    added: &[],
    unique: true,
};
pub static MESSAGE_SOURCE: IndexShape = IndexShape {
    name: "message_source_idx",
    table: "message",
    definition: "message (source_id, row_key)",
    columns: &[],
    named: None,
    added: &["source_id", "row_key"],
    unique: false,
};
pub static MESSAGE_NAME_MESSAGE: IndexShape = IndexShape {
    name: "message_name_message_idx",
    table: "message_name",
    definition: "message_name (message_id, message_name_id)",
    columns: &[message_name::message_id, message_name::message_name_id],
    named: None,
    added: &[],
    unique: false,
};
pub static MESSAGE_NAME_NAME: IndexShape = IndexShape {
    name: "message_name_name_idx",
    table: "message_name",
    definition: "message_name (name)",
    columns: &[message_name::name],
    named: None,
    added: &[],
    unique: false,
};
pub static IGNORED_SOURCE: IndexShape = IndexShape {
    name: "ignored_source_idx",
    table: "ignored",
    definition: "ignored (source_id)",
    columns: &[ignored::source_id],
    named: None,
    added: &[],
    unique: false,
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
        &MESSAGE_SOURCE,
        &MESSAGE_NAME_MESSAGE,
        &MESSAGE_NAME_NAME,
    ];
    searched.iter().any(|index| index.name.as_bytes() == name)
}
