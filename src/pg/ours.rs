//! The extension's own tables: their oids and their columns' numbers.

use pgrx::pg_sys;
use std::ffi::CStr;

/// The oids of what the trigger reads and writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Ours {
    pub source: pg_sys::Oid,
    pub message: pg_sys::Oid,
    pub variant: pg_sys::Oid,
    pub goal: pg_sys::Oid,
    pub goal_stop: pg_sys::Oid,
    pub revision: pg_sys::Oid,
    pub receipt: pg_sys::Oid,
    pub receipt_user_idx: pg_sys::Oid,
    pub receipt_id_idx: pg_sys::Oid,
    pub receipt_id_seq: pg_sys::Oid,
    pub engagement: pg_sys::Oid,
    pub engagement_receipt_idx: pg_sys::Oid,
    pub engagement_id_seq: pg_sys::Oid,
    pub match_log: pg_sys::Oid,
    pub match_log_receipt_idx: pg_sys::Oid,
    pub match_id_seq: pg_sys::Oid,
    pub ignored: pg_sys::Oid,
    pub ignored_source_idx: pg_sys::Oid,
}

impl Ours {
    /// Looks them up by their names; Err is the name of one that does not exist: the extension is not installed, or somebody has renamed or
    /// dropped it.
    pub fn find() -> Result<Ours, &'static str> {
        // SAFETY: catalog lookups by name that answer InvalidOid for what does not exist.
        let schema = unsafe { pg_sys::get_namespace_oid(c"goals".as_ptr(), true) };
        let find = |name: &'static CStr| {
            // SAFETY: as above.
            let oid = unsafe { pg_sys::get_relname_relid(name.as_ptr(), schema) };
            if oid == pg_sys::InvalidOid { Err(name.to_str().unwrap_or_default()) } else { Ok(oid) }
        };
        Ok(Ours {
            source: find(c"source")?,
            message: find(c"message")?,
            variant: find(c"variant")?,
            goal: find(c"goal")?,
            goal_stop: find(c"goal_stop")?,
            revision: find(c"revision")?,
            receipt: find(c"receipt")?,
            receipt_user_idx: find(c"receipt_user_idx")?,
            receipt_id_idx: find(c"receipt_id_idx")?,
            receipt_id_seq: find(c"receipt_id_seq")?,
            engagement: find(c"engagement")?,
            engagement_receipt_idx: find(c"engagement_receipt_idx")?,
            engagement_id_seq: find(c"engagement_id_seq")?,
            match_log: find(c"match_log")?,
            match_log_receipt_idx: find(c"match_log_receipt_idx")?,
            match_id_seq: find(c"match_id_seq")?,
            ignored: find(c"ignored")?,
            ignored_source_idx: find(c"ignored_source_idx")?,
        })
    }
}
