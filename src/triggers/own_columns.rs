//! The columns of a row as the properties of its event, for tables that are tracked without a column of properties. Only
//! the columns that a goal asks for are read.

use crate::matching::event::Properties;
use crate::model::jsonb;
use crate::model::value::Value;
use crate::pg::datum::{KeptJsonb, Row};
use crate::pg::relation::Relation;
use crate::pg::{encoding, memory};
use crate::setup::watch::{Place, find_place, find_whole, value_at};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Where the properties of a table's rows are, once they have been asked for; None for one that it lacks.
#[derive(Default)]
pub struct Places {
    /// By the name of a column.
    whole: RefCell<HashMap<Vec<u8>, Option<Rc<Place>>>>,
    /// By the name of a column, or of a column and keys inside it.
    parts: RefCell<HashMap<String, Option<Rc<Place>>>>,
}

/// A row of a table, and where the table's properties are.
pub struct OwnColumns<'a> {
    pub places: &'a Places,
    pub table: &'a Relation,
    pub row: &'a Row<'a>,
}

impl OwnColumns<'_> {
    fn whole(&self, name: &[u8]) -> Option<Rc<Place>> {
        let known = &self.places.whole;
        if let Some(place) = known.borrow().get(name) {
            return place.clone();
        }
        let place = find_whole(self.table, &encoding::to_string(name)).map(Rc::new);
        memory::insert(&mut known.borrow_mut(), memory::copied(name), place.clone());
        place
    }

    fn part(&self, name: &str) -> Option<Rc<Place>> {
        let known = &self.places.parts;
        if let Some(place) = known.borrow().get(name) {
            return place.clone();
        }
        let place = find_place(self.table, name).map(|(_, place)| Rc::new(place));
        memory::insert(&mut known.borrow_mut(), name.to_owned(), place.clone());
        place
    }
}

impl Properties for OwnColumns<'_> {
    fn contain(&self, wanted: &KeptJsonb) -> bool {
        let Some(mut entries) = jsonb::root(wanted.payload()).and_then(|root| root.entries()) else { return false };
        entries.all(|(name, wanted)| {
            self.whole(name).is_some_and(|place| {
                self.row.get(place.number).is_some_and(|value| place.column_type.contains(value, &wanted))
            })
        })
    }

    fn value(&self, name: &str) -> Value<'_> {
        self.part(name).map_or(Value::Unknown, |place| value_at(self.row, &place))
    }
}
