//! Numbers of type numeric, kept beyond the call that read them and calculated with by the server's own functions.

use super::datum::{self, Row};
use crate::model::people::Worth;
use pgrx::pg_sys::{self, Datum};

/// A number. Empty: zero. Else a varlena with a four-byte header. Equal bytes are equal numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Numeric {
    words: Vec<u64>,
}

type Function = unsafe fn(pg_sys::FunctionCallInfo) -> Datum;

impl Numeric {
    /// Copies a numeric column of a row; None for NULL.
    pub fn of(row: &Row, number: i16) -> Option<Numeric> {
        row.bytes(number).map(|payload| Numeric { words: datum::varlena_of(payload) })
    }

    /// A copy for the server, in the current memory context.
    pub(super) fn datum(&self) -> Datum {
        if self.words.is_empty() {
            // SAFETY: makes a number in the current context.
            return unsafe { pg_sys::int64_to_numeric(0) }.into();
        }
        // SAFETY: the words are a valid varlena; the copy is as long.
        unsafe { pg_sys::pg_detoast_datum_copy(self.words.as_ptr().cast_mut().cast()).into() }
    }

    /// Calls `work` with the number as a datum.
    fn with<T>(&self, work: impl FnOnce(Datum) -> T) -> T {
        if !self.words.is_empty() {
            return work(self.words.as_ptr().cast_mut().into());
        }
        let zero = self.datum();
        let done = work(zero);
        // SAFETY: made here, and used no more.
        unsafe { pg_sys::pfree(zero.cast_mut_ptr()) };
        done
    }

    fn calculated(&self, function: Function, other: &Numeric) -> Numeric {
        self.with(|one| {
            other.with(|other| {
                // SAFETY: a function of the server that takes two numerics and answers a fresh one, which is copied and
                // freed.
                unsafe {
                    let made = pgrx::direct_function_call_as_datum(function, &[Some(one), Some(other)]);
                    let Some(made) = made else { return Numeric::nothing() };
                    let words = datum::varlena_of(datum::varlena_bytes(made));
                    pg_sys::pfree(made.cast_mut_ptr());
                    Numeric { words }
                }
            })
        })
    }
}

impl Worth for Numeric {
    fn nothing() -> Numeric {
        Numeric { words: Vec::new() }
    }

    fn is_nothing(&self) -> bool {
        self.words.is_empty()
    }

    fn plus(&self, other: &Numeric) -> Numeric {
        match (self.is_nothing(), other.is_nothing()) {
            (_, true) => self.clone(),
            (true, _) => other.clone(),
            _ => self.calculated(pg_sys::numeric_add, other),
        }
    }

    fn minus(&self, other: &Numeric) -> Numeric {
        if other.is_nothing() { self.clone() } else { self.calculated(pg_sys::numeric_sub, other) }
    }

    fn times(&self, other: &Numeric) -> Numeric {
        if self.is_nothing() && other.is_nothing() {
            return Numeric::nothing();
        }
        self.calculated(pg_sys::numeric_mul, other)
    }

    fn is_above(&self, other: &Numeric) -> bool {
        if self.is_nothing() && other.is_nothing() {
            return false;
        }
        self.with(|one| {
            other.with(|other| {
                // SAFETY: a function of the server that takes two numerics and answers a boolean.
                let above =
                    unsafe { pgrx::direct_function_call_as_datum(pg_sys::numeric_gt, &[Some(one), Some(other)]) };
                above.is_some_and(|above| above.value() != 0)
            })
        })
    }
}
