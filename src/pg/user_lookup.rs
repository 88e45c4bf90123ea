//! Finding the newest state of a user's row by key, or by another unique column. The row is read from the table itself, without SQL: no policy,
//! view, cast or user's function is involved. There is no snapshot, so a sender under SERIALIZABLE and the
//! application's updates do not conflict.

use super::datum::{self, Row};
use super::encoding;
use super::key::KeyType;
use super::partition;
use super::relation::{Lock, NamedBy, Relation};
use super::scan::{self, Key, OwnedProbe};
use pgrx::pg_sys::{self, Datum};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// A users table opened for looking up rows by key, or by another column that names one user.
pub struct Users {
    by: By,
    /// True if locks are waited for.
    wait: bool,
    /// The memory context of what is opened later.
    memory: pg_sys::MemoryContext,
    tables: Tables,
}

/// What rows are looked up by.
#[derive(Clone)]
struct By {
    /// The type of the column.
    value: KeyType,
    column: String,
    /// The key, where it is another column.
    key: Option<(KeyType, String)>,
}

// one per lookup or statement: a box would cost more than it saves
#[allow(clippy::large_enum_variant)]
enum Tables {
    Plain(Leaf),
    /// Partitions, opened when they are searched.
    Partitions {
        root: Relation,
        open: OpenLeaves,
        all: Option<Vec<pg_sys::Oid>>,
    },
}

/// The most partitions open at a time. Each takes a lock on the table and one on its index, and the server has limited
/// room for locks (max_locks_per_transaction). If the key does not determine the partition, hundreds may have to be
/// searched. A call that looks up many users reopens what it could not keep open.
const OPEN_LEAVES: usize = 16;
const OPEN_LEAVES_OF_A_CALL: usize = 64;

/// The open partitions, and those without rows of users: partitioned and foreign ones.
#[derive(Default)]
struct OpenLeaves {
    leaves: Vec<(pg_sys::Oid, Leaf)>,
    empty: HashSet<pg_sys::Oid>,
}

impl OpenLeaves {
    /// Returns a partition, opened if needed. If too many are open, it replaces the last one: earlier ones are searched
    /// again for the next user. `Ok(None)` if it holds no rows; Err if it is locked and `wait` is false, or is gone.
    fn get(&mut self, oid: pg_sys::Oid, by: &By, wait: bool) -> Result<Option<&mut Leaf>, ()> {
        if self.empty.contains(&oid) {
            return Ok(None);
        }
        if let Some(i) = self.leaves.iter().position(|(known, _)| *known == oid) {
            return Ok(Some(&mut self.leaves[i].1));
        }
        if self.leaves.len() == if wait { OPEN_LEAVES_OF_A_CALL } else { OPEN_LEAVES } {
            self.leaves.pop();
        }
        let table = open_briefly(oid, wait).ok_or(())?;
        if table.kind() != pg_sys::RELKIND_RELATION {
            self.empty.insert(oid);
            return Ok(None);
        }
        self.leaves.push((oid, Leaf::new(table, by, wait, open_briefly).map_err(|_| ())?));
        Ok(self.leaves.last_mut().map(|(_, leaf)| leaf))
    }
}

struct Leaf {
    find: Find,
    collation: pg_sys::Oid,
    /// The equality function of the index.
    equality: u32,
    named_by: NamedBy,
    column: i16,
    /// The column with the key, and its type.
    key: (i16, KeyType),
}

// as above
#[allow(clippy::large_enum_variant)]
enum Find {
    ByIndex(OwnedProbe),
    /// Without an index: a slow scan of the whole table.
    ByReading(Relation),
}

/// A value in the forms that the look-up needs.
struct Wanted<'a> {
    given: &'a [u8],
    canonical: Vec<u8>,
    value: Datum,
}

fn open(relid: pg_sys::Oid, wait: bool) -> Option<Relation> {
    if wait { Relation::open(relid, Lock::Share) } else { Relation::open_if_free(relid) }
}

/// Why a users table is not opened for lookups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// It, or an index of it, is locked, and is not waited for.
    Locked,
    /// It is gone, or has no such column, or no index that names one user by it.
    Lacking,
}

/// True if a unique index of the table names one user by this column.
pub fn names_one(relid: pg_sys::Oid, column: &str) -> bool {
    let Some(table) = open(relid, true) else { return false };
    let is_named_by =
        |number| move |oid| open(oid, true).is_some_and(|index: Relation| index.names_by(number).is_some());
    table
        .column(column)
        .is_some_and(|c| KeyType::of(c.type_oid).is_some() && table.indexes().into_iter().any(is_named_by(c.number)))
}

/// True if a unique index of the table is on this column alone, and holds all rows.
pub fn is_key(relid: pg_sys::Oid, column: &str) -> bool {
    let Some(table) = open(relid, true) else { return false };
    let holds_all = |number| {
        move |oid| {
            let names =
                |index: Relation| matches!(index.names_by(number), Some(NamedBy::Itself)) && index.is_complete();
            open(oid, true).is_some_and(names)
        }
    };
    table.column(column).is_some_and(|c| table.indexes().into_iter().any(holds_all(c.number)))
}

/// [`open`] with a lock that is released when the relation is closed.
fn open_briefly(relid: pg_sys::Oid, wait: bool) -> Option<Relation> {
    if wait { Relation::open_briefly(relid) } else { Relation::open_if_free(relid) }
}

fn in_context<T>(memory: pg_sys::MemoryContext, work: impl FnOnce() -> T) -> T {
    // SAFETY: the context in which the table was opened lives as long as what is opened in it.
    unsafe {
        let callers = pg_sys::MemoryContextSwitchTo(memory);
        let done = work();
        pg_sys::MemoryContextSwitchTo(callers);
        done
    }
}

impl Users {
    /// Opens the table for lookups by this column; None if that fails. With `wait` false it does not wait for locks: a
    /// trigger must not wait for what its statement would not wait for.
    pub fn open(relid: pg_sys::Oid, key_column: &str, wait: bool) -> Option<Users> {
        Users::open_by(relid, key_column, None, wait).ok()
    }

    /// [`Users::open`] for lookups by a column that names one user, where `key_column` has the key: through a unique
    /// index on that column, or on lower() of it.
    pub fn open_named_by(relid: pg_sys::Oid, column: &str, key_column: &str, wait: bool) -> Result<Users, Unopened> {
        Users::open_by(relid, column, Some(key_column), wait)
    }

    fn open_by(relid: pg_sys::Oid, column: &str, key_column: Option<&str>, wait: bool) -> Result<Users, Unopened> {
        let root = open(relid, wait).ok_or(if wait { Unopened::Lacking } else { Unopened::Locked })?;
        let type_of = |name: &str| root.column(name).and_then(|c| KeyType::of(c.type_oid)).ok_or(Unopened::Lacking);
        let key = match key_column {
            Some(name) => Some((type_of(name)?, name.to_owned())),
            None => None,
        };
        let by = By { value: type_of(column)?, column: column.to_owned(), key };
        let tables = if root.kind() == pg_sys::RELKIND_RELATION {
            Tables::Plain(Leaf::new(root, &by, wait, open)?)
        } else {
            Tables::Partitions { root, open: OpenLeaves::default(), all: None }
        };
        // SAFETY: reads a variable.
        let memory = unsafe { pg_sys::CurrentMemoryContext };
        Ok(Users { by, wait, memory, tables })
    }

    /// True if locks are waited for.
    pub fn waits(&self) -> bool {
        self.wait
    }

    /// Calls `found` with the row, its table (columns differ between partitions) and the key as stored. False if there
    /// is no such user; None if a partition that may hold the user is gone, or locked and not waited for.
    pub fn find(&mut self, key: &[u8], mut found: impl FnMut(&Relation, &Row, &[u8])) -> Option<bool> {
        let of = self.by.value;
        let (Some(parsed), Some(canonical)) = (of.parse(key), of.canonical(key)) else {
            return Some(false);
        };
        let wanted = Wanted { value: of.datum(&parsed, key), canonical, given: key };
        // A user moved between partitions during the scan may be seen in neither; the second scan finds the row.
        for _ in 0..2 {
            if self.look(&wanted, &mut found)? {
                return Some(true);
            }
        }
        Some(false)
    }

    fn look(&mut self, wanted: &Wanted, found: &mut dyn FnMut(&Relation, &Row, &[u8])) -> Option<bool> {
        let (by, wait, memory) = (&self.by, self.wait, self.memory);
        let (root, open, all) = match &mut self.tables {
            Tables::Plain(leaf) => return Some(leaf.look(by.value, wanted, found)),
            Tables::Partitions { root, open, all } => (root, open, all),
        };
        let mut look_into = |oid| match in_context(memory, || open.get(oid, by, wait)) {
            Ok(leaf) => Some(leaf.is_some_and(|leaf| leaf.look(by.value, wanted, found))),
            // A partition that was waited for has been dropped with its users.
            Err(()) => wait.then_some(false),
        };
        // If the key determines the partition, the others, maybe hundreds, are not opened.
        let likely = partition::of_key(root, &by.column, wanted.value, &|oid| open_briefly(oid, wait));
        if let Some(likely) = likely
            && look_into(likely)?
        {
            return Some(true);
        }
        for &oid in all.get_or_insert_with(|| root.leaves(false)).iter() {
            if Some(oid) != likely && look_into(oid)? {
                return Some(true);
            }
        }
        Some(false)
    }
}

impl Leaf {
    /// A table to search; None if an index of it is locked and not waited for. `open` opens its indexes.
    fn new(
        table: Relation,
        by: &By,
        wait: bool,
        open: fn(pg_sys::Oid, bool) -> Option<Relation>,
    ) -> Result<Leaf, Unopened> {
        let number_of = |name: &str| table.column(name).ok_or(Unopened::Lacking);
        let column = number_of(&by.column)?;
        let key = match &by.key {
            Some((of, name)) => (number_of(name)?.number, *of),
            None => (column.number, by.value),
        };
        let mut locked = false;
        let mut to_open = table.indexes().into_iter().filter_map(|oid| {
            let index = open(oid, wait);
            locked |= index.is_none();
            index
        });
        // One that does not tell cases apart finds more, and never two.
        let lower_first = |a: &NamedBy| *a == NamedBy::Itself;
        let found = if by.key.is_some() {
            let named = to_open.filter_map(|i| Some((i.names_by(column.number)?, i)));
            named.min_by_key(|(how, _)| lower_first(how))
        } else {
            to_open.find(|i| i.finds_by(column.number)).map(|i| (NamedBy::Itself, i))
        };
        let (named_by, index) = found.map_or((NamedBy::Itself, None), |(how, index)| (how, Some(index)));
        // The locked index may be the one needed: reading the whole table would be as bad as waiting for it.
        if index.is_none() && locked && !wait {
            return Err(Unopened::Locked);
        }
        if index.is_none() && by.key.is_some() {
            return Err(Unopened::Lacking);
        }
        let collation = index.as_ref().map_or(column.collation, Relation::index_collation);
        let of_index = || index.as_ref().and_then(Relation::equality).map_or(0, pg_sys::Oid::to_u32);
        let equality = match named_by {
            NamedBy::Lower { .. } => pg_sys::F_TEXTEQ,
            NamedBy::Itself => by.value.equality().unwrap_or_else(of_index),
        };
        let find = match index {
            Some(index) => Find::ByIndex(OwnedProbe::new(table, index, 1)),
            None => Find::ByReading(table),
        };
        Ok(Leaf { find, collation, equality, named_by, column: column.number, key })
    }

    /// Calls `found` with the row with this key; false if there is none. A scan of the newest state can miss both
    /// versions of a row that is being updated; the next scan finds it.
    fn look(&mut self, key: KeyType, wanted: &Wanted, found: &mut dyn FnMut(&Relation, &Row, &[u8])) -> bool {
        (0..2).any(|_| self.look_once(key, wanted, found))
    }

    fn look_once(&mut self, key: KeyType, wanted: &Wanted, found: &mut dyn FnMut(&Relation, &Row, &[u8])) -> bool {
        let (column, (key_column, key_type)) = (self.column, self.key);
        let mut hit = false;
        let mut row = |table: &Relation, row: &Row| {
            if let Some(datum) = row.get(key_column) {
                found(table, row, &key_type.text(datum));
                hit = true;
            }
        };
        match &mut self.find {
            Find::ByIndex(probe) => {
                let condition = Key {
                    attribute: 1,
                    strategy: pg_sys::BTEqualStrategyNumber,
                    function: self.equality,
                    value: match self.named_by {
                        NamedBy::Itself => wanted.value,
                        NamedBy::Lower { collation } => datum::text(&encoding::lower_in(wanted.given, collation)),
                    },
                    collation: self.collation,
                };
                probe.visit_with_table(&[condition], row);
            }
            Find::ByReading(table) => scan::visit_all(table, |r| {
                if r.get(column).is_some_and(|d| key.text(d) == wanted.canonical) {
                    row(table, r);
                }
                ControlFlow::Continue(())
            }),
        }
        hit
    }
}
