//! Columns that were added to a table of the extension: appended rows get their defaults. A constant is computed once,
//! when the table is opened. Any other default and a generated column are evaluated per row, with the rights of the
//! session, as for any INSERT. That runs in a subtransaction, so that an error does not fail the application's
//! statement. It does not run with the rights of the owner, because a function that names a table without a schema
//! could find one that the session has made.

use super::relation::Relation;
use super::shape::{Places, Unfit};
use super::subtransaction::guarded;
use super::{datum, errors, server};
use pgrx::pg_sys::{self, Datum};

/// What to write into the added columns, in order.
pub struct Additions {
    columns: Vec<Addition>,
}

struct Addition {
    number: usize,
    value: Default,
    not_null: bool,
}

enum Default {
    Null,
    /// The datum lives as long as the additions.
    Constant {
        value: Datum,
        size: usize,
    },
    /// The planned expression lives as long as the additions.
    Expression {
        expression: *mut pg_sys::Expr,
        generated: bool,
        len: i16,
        by_value: bool,
    },
}

impl Additions {
    /// The columns of an open table after its first `width` but for `own`, which the extension writes; Err if one is NOT NULL without a default. Their data lives
    /// in the current memory context.
    pub fn of(open: &Relation, width: usize, own: &Places) -> Result<Additions, Unfit> {
        let mut columns = Vec::new();
        let mut number = width + 1;
        while let Some(attribute) = open.attribute(number) {
            if own.contain(number) {
                number += 1;
                continue;
            }
            let stored = !attribute.attisdropped && attribute.attgenerated as u8 != b'v';
            let has_default = stored && (attribute.atthasdef || attribute.attidentity != 0);
            let value = if has_default { Default::of(open, number) } else { Default::Null };
            let not_null = stored && attribute.attnotnull;
            if not_null && matches!(value, Default::Null) {
                let column = super::encoding::to_string(super::relation::name_bytes(&attribute.attname));
                let (name, column) = (open.qualified_name(), super::rights::quoted(&column));
                return Err(Unfit {
                    why: format!("its column {column} is NOT NULL and has no default"),
                    mend: format!("ALTER TABLE {name} ALTER COLUMN {column} SET DEFAULT ..., or DROP NOT NULL"),
                });
            }
            columns.push(Addition { number, value, not_null });
            number += 1;
        }
        Ok(Additions { columns })
    }

    /// True if they can make a row fail: an expression can raise an error, and a row has to fit on a page.
    pub fn may_refuse(&self) -> bool {
        const SMALL: usize = 1000;
        let mut size = self.columns.len();
        self.columns.iter().any(|column| {
            size += match column.value {
                Default::Null => 0,
                Default::Constant { size, .. } => size,
                Default::Expression { .. } => usize::MAX / 2,
            };
            size > SMALL
        })
    }

    /// Fills in the values of these columns, which are NULL so far; false if a NOT NULL column got no value.
    pub fn fill(&self, table: &Relation, values: &mut [Datum], nulls: &mut [bool]) -> bool {
        // Generated columns last: they are computed from the others.
        for of_others in [false, true] {
            for column in &self.columns {
                let value = match column.value {
                    Default::Constant { value, .. } if !of_others => Some(value),
                    Default::Expression { generated, .. } if generated == of_others => {
                        guarded(|| column.evaluate(table, values, nulls)).unwrap_or_else(|| {
                            let name = table.qualified_name();
                            errors::log(format!("pg_goals: the default of column {} of {name} failed", column.number));
                            None
                        })
                    }
                    _ => continue,
                };
                nulls[column.number - 1] = value.is_none();
                values[column.number - 1] = value.unwrap_or(Datum::from(0usize));
            }
        }
        self.columns.iter().all(|c| !c.not_null || !nulls[c.number - 1])
    }
}

impl Addition {
    /// The value for a row with these other columns; None for NULL.
    fn evaluate(&self, table: &Relation, values: &[Datum], nulls: &[bool]) -> Option<Datum> {
        let Default::Expression { expression, len, by_value, .. } = self.value else { return None };
        // SAFETY: the table is open and the arrays have a place for each of its columns. The expression is planned, for
        // rows of this table. The result is copied before the executor, in whose memory it is, is freed.
        unsafe {
            let executor = pg_sys::CreateExecutorState();
            let context = pg_sys::MakePerTupleExprContext(executor);
            let slot = pg_sys::MakeSingleTupleTableSlot(table.desc(), &raw const pg_sys::TTSOpsVirtual);
            std::ptr::copy_nonoverlapping(values.as_ptr(), (*slot).tts_values, values.len());
            std::ptr::copy_nonoverlapping(nulls.as_ptr(), (*slot).tts_isnull, nulls.len());
            pg_sys::ExecStoreVirtualTuple(slot);
            (*context).ecxt_scantuple = slot;
            let mut null = false;
            let state = pg_sys::ExecInitExpr(expression, std::ptr::null_mut());
            let value = pg_sys::ExecEvalExprSwitchContext(state, context, &mut null);
            let value = (!null).then(|| copy(value, by_value, len));
            pg_sys::ExecDropSingleTupleTableSlot(slot);
            pg_sys::FreeExecutorState(executor);
            value
        }
    }
}

/// A copy of a value in the current memory context.
///
/// # Safety
/// `value` is of a type of this length and way of passing.
unsafe fn copy(value: Datum, by_value: bool, len: i16) -> Datum {
    // SAFETY: the value is of this length and way of passing, by the contract of this function.
    unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| server::datumCopy(value, by_value, len.into())) }
}

impl Default {
    /// The default of a column. Planning can run functions, so it happens in a subtransaction too.
    fn of(open: &Relation, number: usize) -> Default {
        let plan = || {
            // SAFETY: an open table and one of its columns; the expression is a fresh copy in the current context.
            unsafe {
                let default = pg_sys::build_column_default(open.raw(), number as core::ffi::c_int);
                if default.is_null() { std::ptr::null_mut() } else { pg_sys::expression_planner(default.cast()) }
            }
        };
        let Some(expression) = guarded(plan).filter(|e| !e.is_null()) else {
            return Default::Null;
        };
        let Some(attribute) = open.attribute(number) else { return Default::Null };
        // SAFETY: a node says what it is; a Const is as long as its type says.
        unsafe {
            if (*expression.cast::<pg_sys::Node>()).type_ == pg_sys::NodeTag::T_Const {
                let constant = &*expression.cast::<pg_sys::Const>();
                if constant.constisnull {
                    return Default::Null;
                }
                let value = constant.constvalue;
                let size = if constant.constlen == -1 { datum::stored_size(value) } else { 64 };
                return Default::Constant { value, size };
            }
        }
        let generated = attribute.attgenerated != 0;
        Default::Expression { expression, generated, len: attribute.attlen, by_value: attribute.attbyval }
    }
}
