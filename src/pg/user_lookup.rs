//! Finding a user's row by key, as it is now.
//!
//! The row is read from the table itself, without SQL: no policy, view, cast or function of anybody is involved, and no
//! snapshot, so that a sender under SERIALIZABLE and the application's updates do not come into each other's way.

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
    /// For a lock.
    wait: bool,
    /// Where what is opened later lives.
    memory: pg_sys::MemoryContext,
    tables: Tables,
}

// one per lookup or statement: a box would cost more than it saves
#[allow(clippy::large_enum_variant)]
enum Tables {
    Plain(Leaf),
    /// Opened when they are looked into.
    Partitions {
        root: Relation,
        open: OpenLeaves,
        all: Option<Vec<pg_sys::Oid>>,
    },
}

/// How many partitions are open at a time, at most. Each is a lock on the table and one on its index, of which the server has room for
/// so many for all transactions together (max_locks_per_transaction); and where the key does not say which partition a user is in,
/// there may be hundreds to look into. More for a call, which may look for many users one after the other and opens again what it could not
/// keep open, than for a statement of the application.
const OPEN_LEAVES: usize = 16;
const OPEN_LEAVES_OF_A_CALL: usize = 64;

/// The partitions that are open, and those that hold no rows of users: partitioned ones and foreign ones.
#[derive(Default)]
struct OpenLeaves {
    leaves: Vec<(pg_sys::Oid, Leaf)>,
    empty: HashSet<pg_sys::Oid>,
}

impl OpenLeaves {
    /// Opens a partition if it is not, instead of the one that was opened last if there are too many: those from before are looked into
    /// again for the next user. Err: it is locked, and that is not waited for, or there is no such table any more. None within: it holds no rows.
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
    /// No index to find it by: slow, but right.
    ByReading(Relation),
}

/// A key, in the forms in which it is looked for.
struct Wanted {
    canonical: Vec<u8>,
    value: Datum,
}

fn open(relid: pg_sys::Oid, wait: bool) -> Option<Relation> {
    if wait { Relation::open(relid, Lock::Share) } else { Relation::open_if_free(relid) }
}

/// As [`open`], and the lock is given back when it is closed.
fn open_briefly(relid: pg_sys::Oid, wait: bool) -> Option<Relation> {
    if wait { Relation::open_briefly(relid) } else { Relation::open_if_free(relid) }
}

fn in_context<T>(memory: pg_sys::MemoryContext, work: impl FnOnce() -> T) -> T {
    // SAFETY: that in which the table was opened, which lives as long as what is opened in it.
    unsafe {
        let callers = pg_sys::MemoryContextSwitchTo(memory);
        let done = work();
        pg_sys::MemoryContextSwitchTo(callers);
        done
    }
}

impl Users {
    /// Opens the table for lookups by this column. With `wait` false, None also where a lock would have to be waited for: a trigger
    /// must not wait for what its statement would not have waited for.
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

    /// The columns of the table that a row is found in differ from partition to partition: the caller gets the relation with
    /// the row. False: there is no such user. None: a partition in which he may be is gone, or locked, and that is not waited for.
    pub fn find(&mut self, key: &[u8], mut found: impl FnMut(&Relation, &Row, &[u8])) -> Option<bool> {
        let (Some(parsed), Some(canonical)) = (self.key.parse(key), self.key.canonical(key)) else {
            return Some(false);
        };
        let wanted = Wanted { value: self.key.datum(&parsed, key), canonical };
        // A user who moves from one partition to another at this very moment may be seen in neither; the next time he is. An absent user
        // costs a few scans.
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
            // One that was waited for has been dropped meanwhile, and its users with it.
            Err(()) => wait.then_some(false),
        };
        // Where the key says which partition it is, the others need not be opened: there may be hundreds.
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
    /// None: an index of it is locked, and that is not waited for. `open`: how its indexes are opened.
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
        // One that is being rebuilt may be the one: reading the whole table instead would be as bad as waiting for it.
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

    /// Shows the row with this key; false: there is none. A scan of the newest state can pass between an old and a new version of a row that
    /// is being updated at this very moment and see neither; the next one finds it.
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
