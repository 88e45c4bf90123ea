//! Calls of the extension's functions from SQL: arguments and results. The functions are declared by hand in sql/. Here
//! a declared function is a Rust function from arguments to a result or an [`Error`].

use super::key::KeyType;
use super::numeric::Numeric;
use super::scratch::Scratch;
use super::{datum, encoding, errors, memory, patience};
use crate::model::error::{Error, Result};
use pgrx::pg_sys::{self, Datum};

/// The arguments of a call, counted from zero.
pub struct Args {
    fcinfo: pg_sys::FunctionCallInfo,
}

/// An interval's three parts.
pub struct IntervalParts {
    pub months: i32,
    pub days: i32,
    pub micros: i64,
}

/// Calls what it is given with one row after the other.
pub type MakeRows = Box<dyn FnOnce(&mut dyn FnMut(&[Out]))>;

/// A result.
pub enum Out {
    /// NULL; also the result of a function that returns void.
    Null,
    Bigint(i64),
    Integer(i32),
    Double(f64),
    Boolean(bool),
    /// A value of type "char".
    Char(u8),
    Numeric(Numeric),
    Text(String),
    /// A text already in the server's encoding.
    Raw(Vec<u8>),
    /// The text of a jsonb.
    Jsonb(String),
    Doubles(Vec<f64>),
    /// A row of the function's result type. Columns beyond those are left out: earlier versions of the extension's SQL
    /// declare fewer.
    Record(Vec<Out>),
    /// The rows of a set-returning function, each as above.
    Rows(Vec<Vec<Out>>),
    /// The same, made one after the other.
    EachRow(MakeRows),
}

impl Args {
    fn get(&self, i: usize) -> Option<Datum> {
        // SAFETY: the call info holds nargs arguments; the SQL declarations pass as many as the functions ask for.
        unsafe {
            let arg = (*self.fcinfo).args.as_slice((*self.fcinfo).nargs as usize).get(i)?;
            (!arg.isnull).then_some(arg.value)
        }
    }

    fn need<T>(&self, value: Option<T>, name: &'static str) -> Result<T> {
        value.ok_or(Error::NullArgument { name })
    }

    /// A text, as a string.
    pub fn text(&self, i: usize) -> Option<String> {
        self.raw_text(i).map(|t| encoding::to_string(&t))
    }

    /// A text that must not be NULL.
    pub fn text_required(&self, i: usize, name: &'static str) -> Result<String> {
        self.need(self.text(i), name)
    }

    /// A text in the server's encoding.
    pub fn raw_text(&self, i: usize) -> Option<Vec<u8>> {
        // SAFETY: declared as text.
        let text = self.get(i).map(|d| unsafe { datum::varlena_bytes(d) })?;
        // With room for what is made of the text: a name, or a message that quotes it.
        memory::ensure(8 * text.len());
        Some(memory::copied(text))
    }

    /// A user key, declared as text, bigint or uuid, in its text form and the server's encoding.
    pub fn user_key(&self, i: usize) -> Result<Vec<u8>> {
        let key = match self.declared_type(i) {
            pg_sys::INT8OID => self.get(i).map(|d| KeyType::BigInt.text(d)),
            pg_sys::UUIDOID => self.get(i).map(|d| KeyType::Uuid.text(d)),
            _ => self.raw_text(i),
        };
        self.need(key, "user_key")
    }

    /// The declared type of an argument, from the catalog: called through the fast path of the protocol, a function has
    /// no expression tree.
    fn declared_type(&self, i: usize) -> pg_sys::Oid {
        let (mut types, mut count) = (std::ptr::null_mut(), 0);
        // SAFETY: the function being called exists; the answer is a copy of its `count` argument types.
        unsafe {
            pg_sys::get_func_signature((*(*self.fcinfo).flinfo).fn_oid, &mut types, &mut count);
            let declared = (i < count as usize).then(|| *types.add(i));
            pg_sys::pfree(types.cast());
            declared.unwrap_or(pg_sys::InvalidOid)
        }
    }

    /// An array of user keys, declared as text[], bigint[] or uuid[], in the form of [`Args::user_key`], with NULLs.
    pub fn user_keys(&self, i: usize) -> Result<Vec<Option<Vec<u8>>>> {
        let array = self.need(self.get(i), "user_keys")?;
        let (element, key_type) = match self.declared_type(i) {
            pg_sys::INT8ARRAYOID => (pg_sys::INT8OID, KeyType::BigInt),
            pg_sys::UUIDARRAYOID => (pg_sys::UUIDOID, KeyType::Uuid),
            _ => return Ok(datum::texts(array)),
        };
        // SAFETY: declared as an array of this type.
        let elements = unsafe { datum::Elements::of(array, element) };
        let mut keys = memory::vec(elements.len());
        for key in elements.iter() {
            memory::check();
            keys.push(key.map(|d| key_type.text(d)));
        }
        Ok(keys)
    }

    /// An array of texts in the server's encoding, with NULLs.
    fn raw_texts(&self, i: usize) -> Option<Vec<Option<Vec<u8>>>> {
        self.get(i).map(super::datum::texts)
    }

    /// An array of texts as strings, without NULLs.
    pub fn texts(&self, i: usize) -> Option<Vec<String>> {
        let given = self.raw_texts(i)?;
        let mut texts = memory::vec(given.len());
        texts.extend(given.into_iter().flatten().map(|t| encoding::to_string(&t)));
        Some(texts)
    }

    /// An array of bigint.
    pub fn bigints(&self, i: usize) -> Option<Vec<Option<i64>>> {
        // SAFETY: declared as bigint[].
        let elements = unsafe { datum::Elements::of(self.get(i)?, pg_sys::INT8OID) };
        let mut bigints = memory::vec(elements.len());
        bigints.extend(elements.iter().map(|e| e.map(|d| d.value() as i64)));
        Some(bigints)
    }

    /// An array of double precision.
    pub fn doubles(&self, i: usize) -> Option<Vec<Option<f64>>> {
        // SAFETY: declared as double precision[].
        let elements = unsafe { datum::Elements::of(self.get(i)?, pg_sys::FLOAT8OID) };
        let mut doubles = memory::vec(elements.len());
        doubles.extend(elements.iter().map(|e| e.map(|d| f64::from_bits(d.value() as u64))));
        Some(doubles)
    }

    /// A name.
    pub fn name(&self, i: usize) -> Option<String> {
        // SAFETY: declared as name: the datum points to a NameData.
        self.get(i).map(|d| unsafe {
            encoding::to_string(super::relation::name_bytes(&*d.cast_mut_ptr::<pg_sys::NameData>()))
        })
    }

    /// A bigint or a timestamptz (microseconds since 2000).
    pub fn bigint(&self, i: usize) -> Option<i64> {
        self.get(i).map(|d| d.value() as i64)
    }

    /// An integer.
    pub fn integer(&self, i: usize) -> Option<i32> {
        self.get(i).map(|d| d.value() as i32)
    }

    /// A double precision.
    pub fn double(&self, i: usize) -> Option<f64> {
        self.get(i).map(|d| f64::from_bits(d.value() as u64))
    }

    /// A boolean.
    pub fn boolean(&self, i: usize) -> Option<bool> {
        self.get(i).map(|d| d.value() as u8 != 0)
    }

    /// A regclass.
    pub fn relation(&self, i: usize) -> Option<pg_sys::Oid> {
        self.get(i).map(|d| pg_sys::Oid::from_u32(d.value() as u32))
    }

    /// An interval.
    pub fn interval(&self, i: usize) -> Option<IntervalParts> {
        // SAFETY: declared as interval: the datum points to one.
        self.get(i).map(|d| unsafe {
            let interval = &*d.cast_mut_ptr::<pg_sys::Interval>();
            IntervalParts { months: interval.month, days: interval.day, micros: interval.time }
        })
    }

    /// A jsonb, as it was passed.
    pub fn jsonb(&self, i: usize) -> Option<Datum> {
        self.get(i)
    }

    /// The payload of a jsonb.
    pub fn jsonb_bytes(&self, i: usize) -> Option<Vec<u8>> {
        // SAFETY: declared as jsonb.
        self.get(i).map(|d| memory::copied(unsafe { datum::varlena_bytes(d) }))
    }
}

impl Out {
    /// The result of the function, None for NULL. `fcinfo` is used for its row type only.
    fn answer(self, fcinfo: pg_sys::FunctionCallInfo) -> Option<Datum> {
        match self {
            Out::Record(columns) => Some(record(fcinfo, &columns)),
            Out::Rows(rows) => {
                materialize(fcinfo, |put| rows.into_iter().for_each(|row| put(&row)));
                None
            }
            Out::EachRow(rows) => {
                materialize(fcinfo, rows);
                None
            }
            value => value.datum(),
        }
    }

    /// The datum of a value; None for NULL, and for what is no value of one column.
    fn datum(&self) -> Option<Datum> {
        match self {
            Out::Null | Out::Record(_) | Out::Rows(_) | Out::EachRow(_) => None,
            Out::Bigint(n) => Some((*n).into()),
            Out::Integer(n) => Some((*n).into()),
            Out::Double(x) => Some(Datum::from(x.to_bits() as usize)),
            Out::Boolean(b) => Some((*b).into()),
            Out::Char(c) => Some(Datum::from(*c as i8)),
            Out::Numeric(n) => Some(n.datum()),
            Out::Text(text) => Some(datum::text(&encoding::from_string(text))),
            Out::Raw(bytes) => Some(datum::text(bytes)),
            Out::Jsonb(text) => datum::jsonb(&encoding::from_string(text)),
            Out::Doubles(values) => Some(double_array(values)),
        }
    }
}

fn double_array(values: &[f64]) -> Datum {
    let mut elements: Vec<Datum> = values.iter().map(|v| Datum::from(v.to_bits() as usize)).collect();
    // SAFETY: double precision is eight bytes, by value, double-aligned.
    unsafe {
        pg_sys::construct_array(
            elements.as_mut_ptr(),
            elements.len() as core::ffi::c_int,
            pg_sys::FLOAT8OID,
            8,
            true,
            pg_sys::TYPALIGN_DOUBLE as core::ffi::c_char,
        )
        .into()
    }
}

fn columns_of(columns: &[Out]) -> (Vec<Datum>, Vec<bool>) {
    let datums: Vec<Option<Datum>> = columns.iter().map(Out::datum).collect();
    (datums.iter().map(|d| d.unwrap_or(Datum::from(0usize))).collect(), datums.iter().map(Option::is_none).collect())
}

fn record(fcinfo: pg_sys::FunctionCallInfo, columns: &[Out]) -> Datum {
    let (mut values, mut nulls) = columns_of(columns);
    let mut desc: pg_sys::TupleDesc = std::ptr::null_mut();
    // SAFETY: only functions declared with OUT parameters return a record; the descriptor is theirs, with at least one value
    // per column.
    unsafe {
        pg_sys::get_call_result_type(fcinfo, std::ptr::null_mut(), &mut desc);
        let desc = pg_sys::BlessTupleDesc(desc);
        assert!((*desc).natts as usize <= values.len(), "columns of the result");
        let tuple = pg_sys::heap_form_tuple(desc, values.as_mut_ptr(), nulls.as_mut_ptr());
        pg_sys::HeapTupleHeaderGetDatum((*tuple).t_data)
    }
}

fn materialize(fcinfo: pg_sys::FunctionCallInfo, rows: impl FnOnce(&mut dyn FnMut(&[Out]))) {
    // SAFETY: the protocol of set-returning functions in materialize mode: a tuplestore made in the per-query context
    // and handed over in the ReturnSetInfo, which the executor passes to functions declared as such.
    unsafe {
        let info = (*fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>();
        assert!(!info.is_null(), "a set-returning function is called in FROM");
        let context = pg_sys::MemoryContextSwitchTo((*(*info).econtext).ecxt_per_query_memory);
        let mut desc: pg_sys::TupleDesc = std::ptr::null_mut();
        pg_sys::get_call_result_type(fcinfo, std::ptr::null_mut(), &mut desc);
        let store = pg_sys::tuplestore_begin_heap(true, false, pg_sys::work_mem);
        (*info).returnMode = pg_sys::SetFunctionReturnMode::SFRM_Materialize;
        (*info).setResult = store;
        (*info).setDesc = desc;
        pg_sys::MemoryContextSwitchTo(context);
        let scratch = Scratch::new();
        let (mut values, mut nulls) = (Vec::new(), Vec::new());
        rows(&mut |row| {
            memory::check();
            scratch.run(|| {
                assert!((*desc).natts as usize <= row.len(), "columns of the result");
                values.clear();
                nulls.clear();
                for value in row.iter().map(Out::datum) {
                    values.push(value.unwrap_or(Datum::from(0usize)));
                    nulls.push(value.is_none());
                }
                pg_sys::tuplestore_putvalues(store, desc, values.as_mut_ptr(), nulls.as_mut_ptr());
            });
        });
    }
}

/// Runs a function of the extension for a call from SQL.
///
/// # Safety
/// `fcinfo` is the call info of the current call of a function whose SQL declaration fits `function`.
pub unsafe fn dispatch(fcinfo: pg_sys::FunctionCallInfo, function: impl FnOnce(&Args) -> Result<Out>) -> Datum {
    let result = patience::in_call(|| function(&Args { fcinfo })).unwrap_or_else(|e| errors::raise(&e));
    let datum = result.answer(fcinfo);
    // SAFETY: the call info of the current call.
    unsafe { (*fcinfo).isnull = datum.is_none() };
    datum.unwrap_or(Datum::from(0usize))
}
