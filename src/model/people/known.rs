//! Who is who among the people that receipts are of.

use super::push;
use crate::room::{NoRoom, asked, room};
use rustc_hash::{FxBuildHasher, FxHasher};
use std::collections::HashMap;
use std::hash::{Hash, Hasher};

/// The numbers of people, each of whom is one per message.
#[derive(Default)]
pub struct People {
    /// The first person with a hash.
    by_hash: HashMap<u64, u32, FxBuildHasher>,
    people: Vec<Known>,
    keys: Vec<u8>,
}

struct Known {
    message: i32,
    key: std::ops::Range<usize>,
    /// The next person with the same hash.
    next: Option<u32>,
}

impl People {
    /// The message of a person.
    pub fn message(&self, person: u32) -> i32 {
        self.people[person as usize].message
    }

    /// The number of the person of this key and message: they are counted from 0.
    pub fn number(&mut self, message: i32, key: &[u8]) -> Result<u32, NoRoom> {
        self.numbered(hash_of(message, key), message, key)
    }

    pub(super) fn numbered(&mut self, hash: u64, message: i32, key: &[u8]) -> Result<u32, NoRoom> {
        let new = self.people.len() as u32;
        let first = *{
            if self.by_hash.len() == self.by_hash.capacity() {
                asked(|| self.by_hash.try_reserve(1))?;
            }
            self.by_hash.entry(hash).or_insert(new)
        };
        let mut at = Some(first).filter(|first| *first != new);
        let mut last = None;
        while let Some(number) = at {
            let known = &self.people[number as usize];
            if known.message == message && self.keys[known.key.clone()] == *key {
                return Ok(number);
            }
            last = Some(number);
            at = known.next;
        }
        let start = self.keys.len();
        room(&mut self.keys, key.len())?;
        self.keys.extend_from_slice(key);
        push(&mut self.people, Known { message, key: start..self.keys.len(), next: None })?;
        if let Some(last) = last {
            self.people[last as usize].next = Some(new);
        }
        Ok(new)
    }
}

/// A hash of a person: the same for every receipt.
pub fn hash_of(message: i32, key: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    (message, key).hash(&mut hasher);
    hasher.finish()
}
