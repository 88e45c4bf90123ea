//! Whether a column, as a property, is what a goal on an event asks for: as jsonb's `@>` says of a document with the
//! column as a key. The document is never made. Numbers, booleans and json are themselves there, anything else is its
//! text form. NaN and the infinities are strings, as in PostgreSQL.

use super::datum::{self, KeptJsonb, stored_size, varlena_bytes};
use super::encoding;
use super::key::trim_end_blanks;
use super::subtransaction::guarded;
use super::types::{ColumnType, Shape};
use crate::model::jsonb::{self, Node};
use crate::model::value::{Kind, LONGEST_TEXT, Value};
use pgrx::pg_sys::Datum;

/// The bytes of a varlena's header, as [`stored_size`] counts it.
const HEADER: usize = 4;

impl ColumnType {
    /// True if a value of this type, under a key of a document, contains `wanted` under that key of another. A value
    /// that is longer than what is wanted is not fetched.
    pub fn contains(&self, value: Datum, wanted: &Node) -> bool {
        if self.is_json() {
            return self.document_contains(value, wanted);
        }
        match (self.kind(), wanted.value()) {
            (Kind::Boolean, Value::Boolean(wanted)) => {
                matches!(self.read(value), Value::Boolean(known) if known == wanted)
            }
            (Kind::Number, Value::Number(wanted)) => {
                matches!(self.read(value), Value::Number(number) if number == wanted)
            }
            (Kind::Number, Value::Text(wanted)) => matches!(
                self.read(value),
                Value::Number(number) if !number.is_finite() && number.to_string().as_bytes() == &*wanted
            ),
            (Kind::Boolean | Kind::Number, _) => false,
            (_, Value::Text(wanted)) => self.is_the_text(value, &wanted),
            _ => false,
        }
    }

    /// True if the text form of a value is this text, which is in the server's encoding.
    fn is_the_text(&self, value: Datum, wanted: &[u8]) -> bool {
        // SAFETY: a value of this type, from a row that is alive; one of these shapes is of variable length.
        unsafe {
            match self.shape {
                Shape::Text | Shape::CaseInsensitiveText => {
                    stored_size(value) - HEADER == wanted.len() && varlena_bytes(value) == wanted
                }
                Shape::PaddedText => trim_end_blanks(varlena_bytes(value)) == wanted,
                Shape::Array { .. } if stored_size(value) > LONGEST_TEXT => false,
                _ => self.text_form(value).is_some_and(|text| *text == *encoding::to_model(wanted)),
            }
        }
    }

    fn document_contains(&self, value: Datum, wanted: &Node) -> bool {
        let Some(whole) = self.as_jsonb(value) else { return false };
        if let Some(container) = wanted.container() {
            return datum::jsonb_contains(whole, KeptJsonb::of_payload(container).datum());
        }
        // SAFETY: a jsonb, from a row that is alive or just made.
        let found = jsonb::root(unsafe { varlena_bytes(whole) });
        found.is_some_and(|found| !found.is_container() && found.same(wanted))
    }

    /// A json document as jsonb; None for a json text that jsonb cannot hold.
    fn as_jsonb(&self, value: Datum) -> Option<Datum> {
        if self.is_jsonb() {
            return Some(value);
        }
        // SAFETY: a json value, from a row that is alive.
        let text = unsafe { (stored_size(value) <= LONGEST_TEXT).then(|| varlena_bytes(value)) }?;
        guarded(|| datum::jsonb(text))?
    }
}
