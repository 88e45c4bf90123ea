//! The extension citext: texts whose case does not count. Its type and operator classes are trusted like the server's;
//! those of another extension, or of none, are not taken for it.

use super::encoding;
use pgrx::pg_sys::{self, Oid};
use std::ffi::CStr;

/// True if this object of the catalog `class` belongs to the extension citext.
fn owns(class: Oid, object: Oid) -> bool {
    // SAFETY: catalog lookups by oid and name.
    unsafe {
        let extension = pg_sys::getExtensionOfObject(class, object);
        extension != pg_sys::InvalidOid && extension == pg_sys::get_extension_oid(c"citext".as_ptr(), true)
    }
}

/// True for the type citext of the extension citext.
pub(super) fn is_type(base: Oid) -> bool {
    owns(pg_sys::TypeRelationId, base) && {
        // SAFETY: takes any oid and answers a palloc'd string.
        let name = unsafe { CStr::from_ptr(pg_sys::format_type_be(base)) };
        encoding::to_string(name.to_bytes()).ends_with("citext")
    }
}

/// True for an operator family of the extension citext. A member is added to a family by superusers only.
pub(super) fn is_family(family: Oid) -> bool {
    owns(pg_sys::OperatorFamilyRelationId, family)
}
