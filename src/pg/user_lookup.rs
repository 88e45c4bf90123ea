//! Finding the newest state of a user's row by key. The row is read from the table itself, without SQL: no policy,
//! view, cast or user's function is involved. There is no snapshot, so a sender under SERIALIZABLE and the
//! application's updates do not conflict.

use super::datum::Row;
use super::key::KeyType;
use super::partition;
use super::relation::{Lock, Relation};
use super::scan::{self, Key, OwnedProbe};
use pgrx::pg_sys::{self, Datum};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// A users table opened for looking up rows by key.
pub struct Users {
    key: KeyType,
    key_column: String,
    /// True if locks are waited for.
    wait: bool,
    /// The memory context of what is opened later.
    memory: pg_sys::MemoryContext,
    tables: Tables,
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
    fn get(&mut self, oid: pg_sys::Oid, key_column: &str, wait: bool) -> Result<Option<&mut Leaf>, ()> {
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
        self.leaves.push((oid, Leaf::new(table, key_column, wait, open_briefly).ok_or(())?));
        Ok(self.leaves.last_mut().map(|(_, leaf)| leaf))
    }
}

struct Leaf {
    find: Find,
    collation: pg_sys::Oid,
    key_column: i16,
}

// as above
#[allow(clippy::large_enum_variant)]
enum Find {
    ByIndex(OwnedProbe),
    /// Without an index: a slow scan of the whole table.
    ByReading(Relation),
}

/// A key in the forms that the look-up needs.
struct Wanted {
    canonical: Vec<u8>,
    value: Datum,
}

fn open(relid: pg_sys::Oid, wait: bool) -> Option<Relation> {
    if wait { Relation::open(relid, Lock::Share) } else { Relation::open_if_free(relid) }
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
        let root = open(relid, wait)?;
        let key = KeyType::of(root.column(key_column)?.type_oid)?;
        let tables = if root.kind() == pg_sys::RELKIND_RELATION {
            Tables::Plain(Leaf::new(root, key_column, wait, open)?)
        } else {
            Tables::Partitions { root, open: OpenLeaves::default(), all: None }
        };
        // SAFETY: reads a variable.
        let memory = unsafe { pg_sys::CurrentMemoryContext };
        Some(Users { key, key_column: key_column.to_owned(), wait, memory, tables })
    }

    /// Calls `found` with the row, its table (columns differ between partitions) and the key as stored. False if there
    /// is no such user; None if a partition that may hold the user is gone, or locked and not waited for.
    pub fn find(&mut self, key: &[u8], mut found: impl FnMut(&Relation, &Row, &[u8])) -> Option<bool> {
        let (Some(parsed), Some(canonical)) = (self.key.parse(key), self.key.canonical(key)) else {
            return Some(false);
        };
        let wanted = Wanted { value: self.key.datum(&parsed, key), canonical };
        // A user moved between partitions during the scan may be seen in neither; the second scan finds the row.
        for _ in 0..2 {
            if self.look(&wanted, &mut found)? {
                return Some(true);
            }
        }
        Some(false)
    }

    fn look(&mut self, wanted: &Wanted, found: &mut dyn FnMut(&Relation, &Row, &[u8])) -> Option<bool> {
        let (key, name, wait, memory) = (self.key, self.key_column.as_str(), self.wait, self.memory);
        let (root, open, all) = match &mut self.tables {
            Tables::Plain(leaf) => return Some(leaf.look(key, wanted, found)),
            Tables::Partitions { root, open, all } => (root, open, all),
        };
        let mut look_into = |oid| match in_context(memory, || open.get(oid, name, wait)) {
            Ok(leaf) => Some(leaf.is_some_and(|leaf| leaf.look(key, wanted, found))),
            // A partition that was waited for has been dropped with its users.
            Err(()) => wait.then_some(false),
        };
        // If the key determines the partition, the others, maybe hundreds, are not opened.
        let likely = partition::of_key(root, name, wanted.value, &|oid| open_briefly(oid, wait));
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
        key_column: &str,
        wait: bool,
        open: fn(pg_sys::Oid, bool) -> Option<Relation>,
    ) -> Option<Leaf> {
        let key = table.column(key_column)?;
        let mut locked = false;
        let mut to_open = table.indexes().into_iter().filter_map(|oid| {
            let index = open(oid, wait);
            locked |= index.is_none();
            index
        });
        let index = to_open.find(|i| i.finds_by(key.number));
        // The locked index may be the one needed: reading the whole table would be as bad as waiting for it.
        if index.is_none() && locked && !wait {
            return None;
        }
        let collation = index.as_ref().map_or(key.collation, Relation::index_collation);
        let find = match index {
            Some(index) => Find::ByIndex(OwnedProbe::new(table, index, 1)),
            None => Find::ByReading(table),
        };
        Some(Leaf { find, collation, key_column: key.number })
    }

    /// Calls `found` with the row with this key; false if there is none. A scan of the newest state can miss both
    /// versions of a row that is being updated; the next scan finds it.
    fn look(&mut self, key: KeyType, wanted: &Wanted, found: &mut dyn FnMut(&Relation, &Row, &[u8])) -> bool {
        (0..2).any(|_| self.look_once(key, wanted, found))
    }

    fn look_once(&mut self, key: KeyType, wanted: &Wanted, found: &mut dyn FnMut(&Relation, &Row, &[u8])) -> bool {
        let column = self.key_column;
        let mut hit = false;
        let mut row = |table: &Relation, row: &Row| {
            if let Some(datum) = row.get(column) {
                found(table, row, &key.text(datum));
                hit = true;
            }
        };
        match &mut self.find {
            Find::ByIndex(probe) => {
                let condition = Key {
                    attribute: 1,
                    strategy: pg_sys::BTEqualStrategyNumber,
                    function: key.equality(),
                    value: wanted.value,
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
