//! Values as PostgreSQL holds them: rows, variable-length values, and the byte comparison that settles most columns.

use super::{memory, server};
use pgrx::pg_sys::{self, Datum};
use pgrx::varlena;

/// A borrowed row: a trigger's tuple, or the current row of a scan.
pub struct Row<'a> {
    source: Source,
    life: std::marker::PhantomData<&'a ()>,
}

enum Source {
    Tuple(pg_sys::HeapTuple, pg_sys::TupleDesc),
    Slot(*mut pg_sys::TupleTableSlot),
    Nothing,
}

impl Row<'_> {
    /// A row that does not exist: every column is NULL.
    pub fn missing() -> Row<'static> {
        Row { source: Source::Nothing, life: std::marker::PhantomData }
    }

    /// # Safety
    /// `tuple` is a valid tuple of descriptor `desc`, and both outlive the result.
    pub(super) unsafe fn of_tuple<'a>(tuple: pg_sys::HeapTuple, desc: pg_sys::TupleDesc) -> Row<'a> {
        Row { source: Source::Tuple(tuple, desc), life: std::marker::PhantomData }
    }

    /// # Safety
    /// `slot` holds a row with every column deformed, and is not moved on while the result lives.
    pub(super) unsafe fn of_slot<'a>(slot: *mut pg_sys::TupleTableSlot) -> Row<'a> {
        Row { source: Source::Slot(slot), life: std::marker::PhantomData }
    }

    /// The column's value as stored; None for NULL, and for number 0: a column that the table lacks. `number` counts
    /// from 1 and is a column of the row's table.
    #[inline]
    pub fn get(&self, number: i16) -> Option<Datum> {
        if number == 0 {
            return None;
        }
        match self.source {
            Source::Tuple(tuple, desc) => {
                let mut null = false;
                // SAFETY: a valid tuple and its descriptor; the number was resolved against this descriptor. Columns
                // added after the row was written are answered from the catalog's default.
                let value = unsafe { pg_sys::heap_getattr(tuple, number.into(), desc, &mut null) };
                (!null).then_some(value)
            }
            // SAFETY: the slot's arrays hold all columns of its table.
            Source::Slot(slot) => unsafe {
                let i = number as usize - 1;
                (!*(*slot).tts_isnull.add(i)).then(|| *(*slot).tts_values.add(i))
            },
            Source::Nothing => None,
        }
    }

    /// The header of the row as it is stored; None if it is not stored in a table.
    pub(super) fn header(&self) -> Option<pg_sys::HeapTupleHeader> {
        let tuple = match self.source {
            Source::Tuple(tuple, _) => tuple,
            // SAFETY: a slot says what kind it is; one of a table that is a heap holds a tuple.
            Source::Slot(slot) => unsafe {
                if !std::ptr::eq((*slot).tts_ops, &raw const pg_sys::TTSOpsBufferHeapTuple) {
                    return None;
                }
                (*slot.cast::<pg_sys::HeapTupleTableSlot>()).tuple
            },
            Source::Nothing => return None,
        };
        // SAFETY: null, or the tuple of the row.
        unsafe { tuple.as_ref().map(|tuple| tuple.t_data) }
    }

    /// A walk over the row's columns from the first on; for several columns faster than [`Row::get`].
    #[inline]
    pub fn walk<'b>(&'b self, layout: &'b Layout) -> Walk<'b> {
        Walk { row: self, layout, next: 0, offset: 0 }
    }

    /// A column of type bigint or timestamptz; 0 for NULL.
    pub fn bigint(&self, number: i16) -> i64 {
        self.get(number).map_or(0, |d| d.value() as i64)
    }

    /// A column of type integer; None for NULL.
    pub fn integer(&self, number: i16) -> Option<i32> {
        self.get(number).map(|d| d.value() as i32)
    }

    /// A column of type bigint; None for NULL.
    pub fn known_bigint(&self, number: i16) -> Option<i64> {
        self.get(number).map(|d| d.value() as i64)
    }

    /// A column of type smallint; 0 for NULL.
    pub fn smallint(&self, number: i16) -> i16 {
        self.get(number).map_or(0, |d| d.value() as i16)
    }

    /// A column of type "char" or boolean; 0 for NULL.
    pub fn byte(&self, number: i16) -> u8 {
        self.get(number).map_or(0, |d| d.value() as u8)
    }

    /// A column of type double precision; None for NULL.
    pub fn double(&self, number: i16) -> Option<f64> {
        self.get(number).map(|d| f64::from_bits(d.value() as u64))
    }

    /// The bytes of a variable-length column (text, jsonb, numeric), without their header; None for NULL.
    pub fn bytes(&self, number: i16) -> Option<&[u8]> {
        // SAFETY: asked only for columns of variable length, whose datum points into the row that outlives the result.
        self.get(number).map(|d| unsafe { varlena_bytes(d) })
    }

    /// The size of a variable-length column (text, jsonb, numeric) in bytes, uncompressed and without its header; None
    /// for NULL. The value is not fetched.
    pub fn size(&self, number: i16) -> Option<usize> {
        // SAFETY: asked only for columns of variable length.
        self.get(number).map(|d| unsafe { stored_size(d) } - size_of::<u32>())
    }

    /// A text column as a Rust string.
    pub fn string(&self, number: i16) -> Option<String> {
        self.bytes(number).map(super::encoding::to_string)
    }

    /// A column of type name.
    pub fn name(&self, number: i16) -> Option<String> {
        // SAFETY: a name datum points to a NameData in the row.
        self.get(number).map(|d| unsafe {
            super::encoding::to_string(super::relation::name_bytes(&*d.cast_mut_ptr::<pg_sys::NameData>()))
        })
    }

    /// A column of type integer[]; empty for NULL.
    pub fn integers(&self, number: i16) -> Vec<i32> {
        let Some(datum) = self.get(number) else { return Vec::new() };
        // SAFETY: an integer[] datum.
        let elements = unsafe { Elements::of(datum, pg_sys::INT4OID) };
        let mut integers = memory::vec(elements.len());
        integers.extend(elements.iter().flatten().map(|d| d.value() as i32));
        integers
    }

    /// The payloads of the elements of a numeric[] column; empty for NULL.
    pub fn numerics(&self, number: i16) -> Vec<Option<Vec<u8>>> {
        let Some(datum) = self.get(number) else { return Vec::new() };
        // SAFETY: a numeric[] datum, whose elements are variable-length.
        unsafe { Elements::of(datum, pg_sys::NUMERICOID).copied() }
    }
}

/// The position of a walk over a row's columns.
pub struct Walk<'a> {
    row: &'a Row<'a>,
    layout: &'a Layout,
    /// The column that begins at or after the offset, from 0.
    next: usize,
    offset: usize,
}

impl Walk<'_> {
    /// The value of a column as stored; None for NULL. `number` counts from 1, is in the layout, and is above the
    /// numbers of earlier calls.
    #[inline]
    pub fn get(&mut self, number: i16) -> Option<Datum> {
        let Source::Tuple(tuple, _) = self.row.source else { return self.row.get(number) };
        let wanted = number as usize - 1;
        // SAFETY: the walk of heap_deform_tuple over a valid tuple whose columns have this layout: every value begins
        // at the next offset that its alignment allows, except short varlenas, which are not aligned; NULLs take no
        // room.
        unsafe {
            let header = (*tuple).t_data;
            let stored = usize::from((*header).t_infomask2) & pg_sys::HEAP_NATTS_MASK as usize;
            if wanted >= stored {
                // Added after the row was written.
                return self.row.get(number);
            }
            let nulls = u32::from((*header).t_infomask) & pg_sys::HEAP_HASNULL != 0;
            let bits = (*header).t_bits.as_ptr();
            let data = header.cast::<u8>().cast_const().add(usize::from((*header).t_hoff));
            loop {
                let (i, column) = (self.next, &self.layout.0[self.next]);
                self.next += 1;
                if nulls && *bits.add(i >> 3) & (1 << (i & 7)) == 0 {
                    if i == wanted {
                        return None;
                    }
                    continue;
                }
                if column.len != -1 || *data.add(self.offset) == 0 {
                    // The alignment is a power of two, so this is not a division.
                    self.offset = (self.offset + column.align - 1) & !(column.align - 1);
                }
                let at = data.add(self.offset);
                self.offset += match column.len {
                    -1 => varlena::varsize_any(at.cast()),
                    -2 => std::ffi::CStr::from_ptr(at.cast()).count_bytes() + 1,
                    n => n as usize,
                };
                if i == wanted {
                    return Some(match (column.by_value, column.len) {
                        (false, _) => Datum::from(at.cast_mut()),
                        (true, 1) => Datum::from(*at.cast::<i8>()),
                        (true, 2) => Datum::from(*at.cast::<i16>()),
                        (true, 4) => Datum::from(*at.cast::<i32>()),
                        (true, _) => Datum::from(*at.cast::<i64>()),
                    });
                }
            }
        }
    }
}

/// How the first columns of a table's rows are laid out.
pub struct Layout(Vec<Place>);

#[derive(PartialEq, Eq)]
struct Place {
    len: i16,
    /// The alignment: 1, 2, 4 or 8.
    align: usize,
    by_value: bool,
}

impl Layout {
    /// The layout of the columns of `table` up to this one.
    pub fn up_to(table: &super::relation::Relation, last: i16) -> Layout {
        let desc = table.desc();
        let places = (0..last.max(0) as usize).map(|i| {
            // SAFETY: the number is that of a column of this table, so its descriptor has all attributes up to it.
            Place::of(unsafe { super::version::attribute(desc, i) })
        });
        Layout(places.collect())
    }
}

impl Place {
    fn of(attribute: &pg_sys::FormData_pg_attribute) -> Place {
        let align = match attribute.attalign as u8 {
            pg_sys::TYPALIGN_CHAR => 1,
            pg_sys::TYPALIGN_SHORT => 2,
            pg_sys::TYPALIGN_INT => 4,
            _ => 8,
        };
        Place { len: attribute.attlen, align, by_value: attribute.attbyval }
    }
}

/// All columns of a table, dropped ones included: they decide how its rows are read.
pub struct Columns(Vec<ColumnForm>);

struct ColumnForm {
    name: pg_sys::NameData,
    type_oid: pg_sys::Oid,
    collation: pg_sys::Oid,
    place: Place,
    dropped: bool,
    generated: core::ffi::c_char,
}

impl ColumnForm {
    fn is(&self, attribute: &pg_sys::FormData_pg_attribute) -> bool {
        self.type_oid == attribute.atttypid
            && self.collation == attribute.attcollation
            && self.dropped == attribute.attisdropped
            && self.generated == attribute.attgenerated
            && self.place == Place::of(attribute)
            && self.name.data == attribute.attname.data
    }
}

impl Columns {
    /// The columns of this table.
    pub fn of(table: &super::relation::Relation) -> Columns {
        let attributes = all_attributes(table);
        let mut columns = memory::vec(attributes.len());
        columns.extend(attributes.map(|a| ColumnForm {
            name: a.attname,
            type_oid: a.atttypid,
            collation: a.attcollation,
            place: Place::of(a),
            dropped: a.attisdropped,
            generated: a.attgenerated,
        }));
        Columns(columns)
    }

    /// True if this table has the same columns.
    pub fn are_those_of(&self, table: &super::relation::Relation) -> bool {
        let attributes = all_attributes(table);
        self.0.len() == attributes.len() && self.0.iter().zip(attributes).all(|(column, a)| column.is(a))
    }
}

fn all_attributes(table: &super::relation::Relation) -> impl ExactSizeIterator<Item = &pg_sys::FormData_pg_attribute> {
    let desc = table.desc();
    // SAFETY: natts of a valid descriptor bounds the attributes asked for, which live as long as the table is open.
    unsafe { (0..(*desc).natts as usize).map(move |i| super::version::attribute(desc, i)) }
}

/// The content of a variable-length value, fetched from TOAST and decompressed where needed.
///
/// # Safety
/// `datum` points to a valid varlena that outlives `'a`; a copy made here lives in the current memory context, which is
/// a trigger call's or a statement's and is not reset before the borrow ends.
pub(super) unsafe fn varlena_bytes<'a>(datum: Datum) -> &'a [u8] {
    // SAFETY: a valid varlena in, a plain (possibly short-headed) one out.
    unsafe {
        let plain = pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr());
        std::slice::from_raw_parts(varlena::vardata_any(plain).cast::<u8>(), varlena::varsize_any_exhdr(plain))
    }
}

/// The elements of an array in storage order, not copied.
pub(super) struct Elements {
    values: *const Datum,
    nulls: *const bool,
    count: usize,
}

impl Elements {
    /// The elements of an array. What is fetched lives in the current memory context.
    ///
    /// # Safety
    /// `array` is an array datum whose element type is `element`.
    pub(super) unsafe fn of(array: Datum, element: pg_sys::Oid) -> Elements {
        // SAFETY: there is no limit to pass.
        unsafe { Elements::up_to(array, element, usize::MAX) }.unwrap_or(Elements {
            values: std::ptr::null(),
            nulls: std::ptr::null(),
            count: 0,
        })
    }

    /// The elements of an array; None if there are more than `most`.
    ///
    /// # Safety
    /// `array` is an array datum whose element type is `element`.
    pub(super) unsafe fn up_to(array: Datum, element: pg_sys::Oid, most: usize) -> Option<Elements> {
        let (mut len, mut by_value, mut align) = (0i16, false, 0 as core::ffi::c_char);
        let mut values: *mut Datum = std::ptr::null_mut();
        let mut nulls: *mut bool = std::ptr::null_mut();
        let mut count = 0;
        // SAFETY: the array is detoasted into the current context, and has `ndim` lengths of dimensions behind its
        // header; deconstruct_array fills fresh arrays of `count` entries.
        unsafe {
            let array = pg_sys::pg_detoast_datum(array.cast_mut_ptr()).cast::<pg_sys::ArrayType>();
            let lengths = array.add(1).cast::<core::ffi::c_int>();
            if pg_sys::ArrayGetNItems((*array).ndim, lengths) as usize > most {
                return None;
            }
            pg_sys::get_typlenbyvalalign(element, &mut len, &mut by_value, &mut align);
            pg_sys::deconstruct_array(array, element, len.into(), by_value, align, &mut values, &mut nulls, &mut count);
        }
        Some(Elements { values, nulls, count: count as usize })
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// The elements in order; None for NULL.
    pub(super) fn iter(&self) -> impl Iterator<Item = Option<Datum>> {
        // SAFETY: both arrays have `count` entries and live as long as the memory context they were made in, that of
        // the call.
        (0..self.count).map(|i| unsafe { (!*self.nulls.add(i)).then(|| *self.values.add(i)) })
    }

    /// Copies of the contents of variable-length elements.
    ///
    /// # Safety
    /// The element type is of variable length.
    pub(super) unsafe fn copied(&self) -> Vec<Option<Vec<u8>>> {
        let mut copies = memory::vec(self.count);
        for element in self.iter() {
            memory::check();
            // SAFETY: a value of variable length in an array that is alive.
            copies.push(element.map(|d| memory::copied(unsafe { varlena_bytes(d) })));
        }
        copies
    }
}

/// The first `most` bytes of a text. The rest is not fetched.
///
/// # Safety
/// As for [`varlena_bytes`].
pub(super) unsafe fn beginning<'a>(datum: Datum, most: usize) -> &'a [u8] {
    // SAFETY: a valid varlena in, a plain (possibly short-headed) one out.
    unsafe {
        if stored_size(datum) <= most {
            return varlena_bytes(datum);
        }
        let slice = pg_sys::pg_detoast_datum_slice(datum.cast_mut_ptr(), 0, most as i32);
        std::slice::from_raw_parts(varlena::vardata_any(slice).cast::<u8>(), varlena::varsize_any_exhdr(slice))
    }
}

/// The size in bytes of a text compressed by a method, `p` pglz or `l` lz4; None if that is not smaller. Raises an
/// error if the server is built without the method.
pub(super) fn compressed_size(bytes: &[u8], method: u8) -> Option<usize> {
    // SAFETY: the value is a text; the result is 0 if nothing is gained, else a varlena.
    unsafe {
        let value = text(bytes);
        let compressed =
            pg_sys::ffi::pg_guard_ffi_boundary(|| server::toast_compress_datum(value, method as core::ffi::c_char));
        (compressed.value() != 0).then(|| varlena::varsize_any(compressed.cast_mut_ptr()))
    }
}

/// The size of a variable-length value in bytes, uncompressed. The value is not fetched.
///
/// # Safety
/// `datum` points to a valid varlena.
pub(super) unsafe fn stored_size(datum: Datum) -> usize {
    // SAFETY: reads the value's header, or that of the pointer to it.
    unsafe { pg_sys::toast_raw_datum_size(datum) }
}

/// True if two stored values have the same bytes, and then they are equal in every type. If false, they may be one
/// value in two forms. An unchanged value stored out of line is recognised by its pointer and not fetched.
///
/// # Safety
/// Both are valid values of a type of this length and way of passing.
#[inline]
pub(super) unsafe fn same_bytes(a: Datum, b: Datum, len: i16, by_value: bool) -> bool {
    if by_value {
        return match len {
            1 => a.value() as u8 == b.value() as u8,
            2 => a.value() as u16 == b.value() as u16,
            4 => a.value() as u32 == b.value() as u32,
            _ => a.value() == b.value(),
        };
    }
    let (a, b) = (a.cast_mut_ptr::<u8>().cast_const(), b.cast_mut_ptr::<u8>().cast_const());
    // SAFETY: a fixed length names that many bytes; a varlena says its own size, including a TOAST pointer's; a cstring
    // ends in a zero byte.
    unsafe {
        match len {
            -1 => {
                let (left, right) = (varlena::varsize_any(a.cast()), varlena::varsize_any(b.cast()));
                left == right && std::slice::from_raw_parts(a, left) == std::slice::from_raw_parts(b, right)
            }
            -2 => std::ffi::CStr::from_ptr(a.cast()) == std::ffi::CStr::from_ptr(b.cast()),
            n => std::slice::from_raw_parts(a, n as usize) == std::slice::from_raw_parts(b, n as usize),
        }
    }
}

/// A text datum in the current memory context.
pub fn text(bytes: &[u8]) -> Datum {
    // SAFETY: copies the bytes, at most a gigabyte of them, or raises.
    unsafe { pg_sys::cstring_to_text_with_len(bytes.as_ptr().cast(), bytes.len() as core::ffi::c_int).into() }
}

fn input(function: unsafe fn(pg_sys::FunctionCallInfo) -> Datum, literal: &[u8], typmod: bool) -> Option<Datum> {
    let literal = std::ffi::CString::new(literal).ok()?;
    let none = Some(Datum::from(-1i32));
    // SAFETY: the input function of a built-in type, with the three arguments such functions take.
    unsafe {
        let arguments = if typmod {
            vec![Some(literal.as_ptr().into()), Some(pg_sys::InvalidOid.into()), none]
        } else {
            vec![Some(literal.as_ptr().into())]
        };
        pgrx::direct_function_call_as_datum(function, &arguments)
    }
}

/// A numeric datum from a literal that is a number.
pub fn numeric(literal: &str) -> Option<Datum> {
    input(pg_sys::numeric_in, literal.as_bytes(), true)
}

/// A jsonb datum from well-formed JSON text in the server's encoding.
pub fn jsonb(json: &[u8]) -> Option<Datum> {
    input(pg_sys::jsonb_in, json, false)
}

/// A value as jsonb, bounded in length.
pub fn as_json(value: &crate::model::value::Value) -> Option<Datum> {
    if let crate::model::value::Value::Number(number) = value
        && let Some(whole) = number.as_i64()
    {
        return Some(jsonb_integer(whole));
    }
    let json = if super::encoding::is_utf8() { value.to_json() } else { value.to_json_other_encoding() }?;
    jsonb(&super::encoding::to_server(&json))
}

/// The part of a jsonb at these keys; None if there is none. Without keys, the whole jsonb.
pub fn jsonb_part<K: AsRef<[u8]>>(whole: Datum, keys: &[K]) -> Option<Datum> {
    if keys.is_empty() {
        // SAFETY: a jsonb datum; a copy that is fetched lives in the current context.
        return Some(unsafe { pg_sys::pg_detoast_datum(whole.cast_mut_ptr()) }.into());
    }
    let mut keys: Vec<Datum> = keys.iter().map(|key| text(key.as_ref())).collect();
    // SAFETY: text is of variable length, by reference, int-aligned; the function is the server's own and takes a jsonb
    // and a text[].
    unsafe {
        let keys = pg_sys::construct_array(
            keys.as_mut_ptr(),
            keys.len() as core::ffi::c_int,
            pg_sys::TEXTOID,
            -1,
            false,
            pg_sys::TYPALIGN_INT as core::ffi::c_char,
        );
        pgrx::direct_function_call_as_datum(pg_sys::jsonb_extract_path, &[Some(whole), Some(keys.into())])
    }
}

/// The text of a jsonb, in the server's encoding.
pub fn jsonb_text(value: Datum) -> Vec<u8> {
    // SAFETY: the output function of the type; it answers a palloc'd string.
    unsafe {
        pgrx::direct_function_call_as_datum(pg_sys::jsonb_out, &[Some(value)])
            .map_or_else(Vec::new, |text| memory::copied(std::ffi::CStr::from_ptr(text.cast_mut_ptr()).to_bytes()))
    }
}

/// A jsonb datum that is a whole number.
pub fn jsonb_integer(value: i64) -> Datum {
    // SAFETY: a scalar of type numeric, made and copied in the current context.
    unsafe {
        let mut scalar = pg_sys::JsonbValue {
            type_: pg_sys::jbvType::jbvNumeric,
            val: pg_sys::JsonbValue__bindgen_ty_1 { numeric: pg_sys::int64_to_numeric(value) },
        };
        pg_sys::JsonbValueToJsonb(&mut scalar).into()
    }
}

/// An array of integers.
pub fn integer_array(values: &[i32]) -> Datum {
    let mut elements: Vec<Datum> = values.iter().map(|v| Datum::from(*v)).collect();
    // SAFETY: integer is four bytes, by value, int-aligned.
    unsafe {
        pg_sys::construct_array(
            elements.as_mut_ptr(),
            elements.len() as core::ffi::c_int,
            pg_sys::INT4OID,
            4,
            true,
            pg_sys::TYPALIGN_INT as core::ffi::c_char,
        )
        .into()
    }
}

/// An array of bigints.
pub fn bigint_array(values: &[i64]) -> Datum {
    let mut elements = memory::vec(values.len());
    elements.extend(values.iter().map(|v| Datum::from(*v)));
    // SAFETY: bigint is eight bytes, by value, double-aligned.
    unsafe {
        pg_sys::construct_array(
            elements.as_mut_ptr(),
            elements.len() as core::ffi::c_int,
            pg_sys::INT8OID,
            8,
            true,
            pg_sys::TYPALIGN_DOUBLE as core::ffi::c_char,
        )
        .into()
    }
}

/// An array of texts in the server's encoding.
pub fn text_array(values: &[&[u8]]) -> Datum {
    let mut elements = memory::vec(values.len());
    elements.extend(values.iter().map(|v| text(v)));
    // SAFETY: text is of variable length, by reference, int-aligned.
    unsafe {
        pg_sys::construct_array(
            elements.as_mut_ptr(),
            elements.len() as core::ffi::c_int,
            pg_sys::TEXTOID,
            -1,
            false,
            pg_sys::TYPALIGN_INT as core::ffi::c_char,
        )
        .into()
    }
}

/// An array of numerics, with NULLs.
pub fn numeric_array(values: &[Option<String>]) -> Datum {
    let parsed: Vec<Option<Datum>> = values.iter().map(|v| v.as_deref().and_then(numeric)).collect();
    let mut elements: Vec<Datum> = parsed.iter().map(|v| v.unwrap_or(Datum::from(0usize))).collect();
    let mut nulls: Vec<bool> = parsed.iter().map(Option::is_none).collect();
    let mut dims = [elements.len() as core::ffi::c_int];
    let mut bounds = [1];
    // SAFETY: numeric is of variable length, by reference, int-aligned; the arrays have one entry per element.
    unsafe {
        pg_sys::construct_md_array(
            elements.as_mut_ptr(),
            nulls.as_mut_ptr(),
            1,
            dims.as_mut_ptr(),
            bounds.as_mut_ptr(),
            pg_sys::NUMERICOID,
            -1,
            false,
            pg_sys::TYPALIGN_INT as core::ffi::c_char,
        )
        .into()
    }
}

/// True if the left jsonb contains the right one (`@>`).
pub fn jsonb_contains(left: Datum, right: Datum) -> bool {
    // SAFETY: two jsonb datums; the function is the server's own and answers a boolean.
    unsafe {
        pgrx::direct_function_call_as_datum(pg_sys::jsonb_contains, &[Some(left), Some(right)])
            .is_some_and(|answer| answer.value() != 0)
    }
}

/// The time on the clock: microseconds since 2000-01-01 00:00 UTC, as in timestamptz.
pub fn clock() -> i64 {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}

/// When the client's statement began, on the same clock.
pub fn statement_start() -> i64 {
    // SAFETY: reads a variable.
    unsafe { pg_sys::GetCurrentStatementStartTimestamp() }
}

/// A value of variable length, given its bytes after the header. Its datum is the address of the first word.
pub(super) fn varlena_of(payload: &[u8]) -> Vec<u64> {
    let total = payload.len() + 4;
    let mut words = memory::vec(total.div_ceil(8));
    words.resize(total.div_ceil(8), 0u64);
    // SAFETY: the words have room for a four-byte header and the payload; a varlena is word-aligned.
    unsafe {
        varlena::set_varsize_4b(words.as_mut_ptr().cast(), total as i32);
        std::ptr::copy_nonoverlapping(payload.as_ptr(), words.as_mut_ptr().cast::<u8>().add(4), payload.len());
    }
    words
}

/// A jsonb value kept beyond the call that read it. Equal bytes are equal values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptJsonb {
    words: Vec<u64>,
}

impl KeptJsonb {
    /// Copies a jsonb column of a row; None for NULL.
    pub fn of(row: &Row, number: i16) -> Option<KeptJsonb> {
        row.bytes(number).map(KeptJsonb::of_payload)
    }

    /// Copies a jsonb.
    pub fn of_datum(value: Datum) -> KeptJsonb {
        // SAFETY: a jsonb datum, read before this returns.
        KeptJsonb::of_payload(unsafe { varlena_bytes(value) })
    }

    /// Copies a jsonb, given its bytes after the header.
    pub fn of_payload(payload: &[u8]) -> KeptJsonb {
        KeptJsonb { words: varlena_of(payload) }
    }

    /// The bytes after the header.
    pub fn payload(&self) -> &[u8] {
        // SAFETY: the words hold a varlena with a four-byte header.
        unsafe { varlena_bytes(self.datum()) }
    }

    /// The value as a datum, valid while `self` is.
    pub fn datum(&self) -> Datum {
        self.words.as_ptr().cast_mut().into()
    }
}

/// An array of texts, each in the server's encoding.
pub fn texts(array: Datum) -> Vec<Option<Vec<u8>>> {
    // SAFETY: a text[] datum, by the declaration of the functions that take one.
    unsafe { Elements::of(array, pg_sys::TEXTOID).copied() }
}
