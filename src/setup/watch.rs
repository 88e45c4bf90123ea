//! What to look at when a row of a users table changes: the columns that have a goal, and the conditions of the goals.

use super::definitions::{Goal, Reach, Setup, Source, table_beside};
use crate::model::attribute::Attribute;
use crate::model::condition::Condition;
use crate::model::condition_index::ConditionIndex;
use crate::model::decimal::Recast;
use crate::model::error::Error;
use crate::model::family::{Family, changes_time_zone};
use crate::model::operator::Operator;
use crate::model::value::{Kind, Value};
use crate::pg::datum::{Layout, Row};
use crate::pg::document::Document;
use crate::pg::key::KeyType;
use crate::pg::relation::{Column, Relation};
use crate::pg::types::ColumnType;
use crate::pg::{encoding, errors, memory};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// A column of a table or partition that has a goal.
pub struct WatchedColumn {
    pub name: String,
    pub number: i16,
    pub column_type: ColumnType,
    /// One for a plain column; for a json column one per path that has a goal.
    pub attributes: Vec<WatchedAttribute>,
}

/// An attribute with the distinct conditions of its goals.
pub struct WatchedAttribute {
    /// The keys inside a json column.
    pub path: Vec<Vec<u8>>,
    pub conditions: ConditionIndex,
    /// The reach per condition.
    pub reach: Vec<Reach>,
}

/// Where a condition is: its indexes among the columns, attributes and conditions.
pub type ConditionPlace = (u32, u32, u32);

/// A goal on an attribute, ready to be evaluated.
pub struct WatchedGoal {
    pub goal: Rc<Goal>,
    pub place: ConditionPlace,
    pub worth: Option<Box<Place>>,
}

/// Where to read a value: a column and the keys inside it.
pub struct Place {
    pub number: i16,
    pub column_type: ColumnType,
    pub path: Vec<Vec<u8>>,
}

impl Place {
    /// The kind of the values here.
    fn kind(&self) -> Kind {
        if self.path.is_empty() { self.column_type.kind() } else { Kind::Json }
    }

    /// True if its values can be numbers, so that a match has a worth.
    pub fn has_worth(&self) -> bool {
        matches!(self.kind(), Kind::Number | Kind::Json) || self.column_type.is_text()
    }

    /// The parts, as [`with_value`] takes them.
    pub fn parts(&self) -> (i16, &ColumnType, &[Vec<u8>]) {
        (self.number, &self.column_type, &self.path)
    }

    /// For a goal on an enum, a value that is no longer among the labels because the label was renamed; else None.
    pub fn lost_label(&self, operator: Operator, value: &str) -> Option<String> {
        if !self.path.is_empty() || !self.column_type.is_enum() {
            return None;
        }
        match self.column_type.canonical_value(operator, value) {
            Err(Error::InvalidValue { value, .. }) => Some(value),
            _ => None,
        }
    }
}

impl WatchedColumn {
    /// The document in this column of a row, for all the paths that have a goal.
    pub fn open<'a>(&self, row: &'a Row<'a>) -> Document<'a> {
        self.open_as(&self.column_type, row, self.number)
    }

    /// [`WatchedColumn::open`] for the column of another table, where it may have another number and type.
    pub fn open_as<'a>(&self, column_type: &ColumnType, row: &'a Row<'a>, number: i16) -> Document<'a> {
        let paths: SmallVec<[&[Vec<u8>]; 4]> = self.attributes.iter().map(|a| a.path.as_slice()).collect();
        Document::open(row.get(number), column_type, &paths)
    }
}

/// What to look at when a row of a table or partition changes.
pub struct Watch {
    pub users: i32,
    pub key: i16,
    pub key_type: KeyType,
    /// Ordered by name: the same order in every partition.
    pub columns: Vec<WatchedColumn>,
    /// The indexes of `columns` in the order of the table.
    pub by_number: Vec<usize>,
    /// By id, because a receipt names the few goals that count for it.
    pub goals: HashMap<i32, WatchedGoal>,
    /// The layout of the table's columns up to the last of these.
    pub layout: Layout,
}

impl Watch {
    /// The user's key in its text form and the server's encoding.
    pub fn key_of(&self, row: &Row) -> Option<Vec<u8>> {
        row.get(self.key).map(|d| self.key_type.text(d))
    }

    /// True if the key in `new`, a row of the table of this watch, may be another one than in `old`, one of the table of
    /// `before`.
    #[inline]
    pub fn key_differs(&self, before: &Watch, old: &Row, new: &Row) -> bool {
        match (old.get(before.key), new.get(self.key)) {
            (Some(old), Some(new)) if before.key_type == self.key_type => self.key_type.bytes_differ(old, new),
            (Some(_), Some(_)) => true,
            // Without a key there is no user.
            _ => false,
        }
    }

    /// The column, attribute and condition of a goal.
    pub fn condition(&self, goal: &WatchedGoal) -> (&WatchedColumn, &WatchedAttribute, &Condition) {
        let (i, j, k) = goal.place;
        let column = &self.columns[i as usize];
        let attribute = &column.attributes[j as usize];
        (column, attribute, attribute.conditions.get(k))
    }
}

/// The value at a place of a row, of which a json document is opened for this place alone.
pub fn value_at<'a>(row: &'a Row<'a>, place: &Place) -> Value<'a> {
    if place.column_type.is_json() {
        Document::open(row.get(place.number), &place.column_type, &[&place.path]).value((0, &place.path))
    } else {
        place.column_type.value(row, place.number)
    }
}

/// Calls `see` with the value at a place of a row.
pub fn with_value<T>(row: &Row, place: (i16, &ColumnType, &[Vec<u8>]), see: impl FnOnce(&Value) -> T) -> T {
    let (number, column_type, path) = place;
    if column_type.is_json() {
        see(&Document::open(row.get(number), column_type, &[path]).value((0, path)))
    } else {
        see(&column_type.value(row, number))
    }
}

/// A column's number and type, and the goals on one attribute of it.
type Judged<'a> = (i16, ColumnType, Vec<(&'a Rc<Goal>, Condition)>);

/// The watch of a table or partition of users, or of attributes beside them; None if its key column is missing or cannot
/// be a key.
pub fn build(setup: &Setup, table: &Relation, source: &Source) -> Option<Watch> {
    let key = table.column(&source.key)?;
    let key_type = KeyType::of(key.type_oid)?;
    // By column and path, so that the order is the same in every partition.
    let mut attributes: BTreeMap<(String, Vec<Vec<u8>>), Judged> = BTreeMap::new();
    // The lists and maps below have one entry per goal, and grow by copying.
    memory::ensure(setup.goals.len() * 4 * (size_of::<Condition>() + size_of::<WatchedGoal>()));
    let attributes_of = Attributes::new(setup, table, source);
    let is_here = |goal: &&Rc<Goal>| setup.beside(goal.id).map_or(source.users, |beside| beside.id) == source.id;
    for goal in setup.attribute_goals(source.users).into_iter().filter(is_here) {
        memory::check();
        match attributes_of.resolve(goal) {
            Ok((name, place, condition)) => {
                let Place { number, column_type, path } = place;
                let attribute = attributes.entry((name, path)).or_insert_with(|| (number, column_type, Vec::new()));
                attribute.2.push((goal, condition));
            }
            Err(problem) => log_once(goal.id, &problem),
        }
    }
    let mut columns: Vec<WatchedColumn> = Vec::new();
    let mut goals = HashMap::new();
    for ((name, path), (number, column_type, judged)) in attributes {
        if columns.last().is_none_or(|c| c.name != name) {
            columns.push(WatchedColumn { name, number, column_type, attributes: Vec::new() });
        }
        let i = columns.len() - 1;
        let (judging, conditions): (Vec<&Rc<Goal>>, Vec<Condition>) = judged.into_iter().unzip();
        let (conditions, places) = ConditionIndex::new(conditions);
        let mut reach = vec![Reach::NONE; conditions.count()];
        for (goal, k) in judging.into_iter().zip(places) {
            memory::check();
            reach[k as usize] = reach[k as usize].and(goal);
            let worth =
                goal.value_from.as_deref().and_then(|from| attributes_of.find(from)).map(|(_, place)| Box::new(place));
            let place = (i as u32, columns[i].attributes.len() as u32, k);
            goals.insert(goal.id, WatchedGoal { goal: goal.clone(), place, worth });
        }
        columns[i].attributes.push(WatchedAttribute { path, conditions, reach });
    }
    let mut by_number: Vec<usize> = (0..columns.len()).collect();
    by_number.sort_unstable_by_key(|i| columns[*i].number);
    let layout = Layout::up_to(table, columns.iter().map(|c| c.number).max().unwrap_or(0));
    Some(Watch { users: source.users, key: key.number, key_type, columns, by_number, goals, layout })
}

/// Writes to the server's log, once per backend, why a goal is not evaluated. goals.health() shows it too.
fn log_once(goal_id: i32, problem: &str) {
    thread_local! {
        static LOGGED: RefCell<Vec<i32>> = const { RefCell::new(Vec::new()) };
    }
    let new = LOGGED.with_borrow_mut(|l| !l.contains(&goal_id) && l.len() < 1000);
    if new {
        LOGGED.with_borrow_mut(|l| l.push(goal_id));
        errors::log(format!("pg_goals: goal {goal_id} is not evaluated: {problem}"));
    }
}

/// Finds an attribute in a table: a column of exactly that name, or a column and keys inside it.
pub fn find_place(table: &Relation, attribute: &str) -> Option<(String, Place)> {
    find_column(table, attribute, Vec::new()).or_else(|| {
        let parsed = Attribute::parse(attribute).ok()?;
        find_column(table, &parsed.column, keys(&parsed))
    })
}

/// A column of exactly this name.
pub fn find_whole(table: &Relation, name: &str) -> Option<Place> {
    find_column(table, name, Vec::new()).map(|(_, place)| place)
}

fn find_column(table: &Relation, name: &str, path: Vec<Vec<u8>>) -> Option<(String, Place)> {
    let column = table.column(name).filter(|c| !c.is_virtual)?;
    let column_type = ColumnType::resolve(column.type_oid, column.collation);
    (path.is_empty() || column_type.is_json())
        .then(|| (column.name.clone(), Place { number: column.number, column_type, path }))
}

fn keys(attribute: &Attribute) -> Vec<Vec<u8>> {
    attribute.path.iter().map(|key| encoding::string_to_model(key).into_owned()).collect()
}

/// The goals on attributes by message and name, newest version first.
type Versions<'a> = HashMap<(i32, &'a str), Vec<&'a Goal>>;

/// The attributes of a table of users, or of one beside it, as goals name them.
pub struct Attributes<'a> {
    setup: &'a Setup,
    table: &'a Relation,
    source: &'a Source,
    versions: OnceCell<Versions<'a>>,
}

/// The column's name, place and condition of a goal.
type Resolved = (String, Place, Condition);

impl<'a> Attributes<'a> {
    /// The attributes of the table of a source, or of a partition of it.
    pub fn new(setup: &'a Setup, table: &'a Relation, source: &'a Source) -> Attributes<'a> {
        Attributes { setup, table, source, versions: OnceCell::new() }
    }

    /// [`find_place`], also where the column has been renamed since the goal was set.
    pub fn find(&self, attribute: &str) -> Option<(String, Place)> {
        if self.source.options.prefix.is_some() {
            let (of, parsed) = table_beside(&self.setup.sources, self.source.users, attribute)?;
            return (of.id == self.source.id).then(|| self.find_parsed(&parsed)).flatten();
        }
        find_place(self.table, attribute)
            .or_else(|| find_column(self.table, &self.setup.renamed(self.source, attribute)?, Vec::new()))
            .or_else(|| self.find_parsed(&Attribute::parse(attribute).ok()?))
    }

    /// The attribute of exactly this name now.
    pub fn find_as_named(&self, attribute: &str) -> Option<(String, Place)> {
        if self.source.options.prefix.is_none() {
            return find_place(self.table, attribute);
        }
        let (of, parsed) = table_beside(&self.setup.sources, self.source.users, attribute)?;
        (of.id == self.source.id).then(|| find_column(self.table, &parsed.column, keys(&parsed))).flatten()
    }

    fn find_parsed(&self, attribute: &Attribute) -> Option<(String, Place)> {
        find_column(self.table, &attribute.column, keys(attribute))
            .or_else(|| find_column(self.table, &self.setup.renamed(self.source, &attribute.column)?, keys(attribute)))
    }

    /// The place and condition of a goal; Err says why the goal cannot be evaluated. A version that cannot be evaluated
    /// is judged by the newest later one that means the same.
    pub fn resolve(&self, goal: &Goal) -> Result<Resolved, String> {
        self.resolve_alone(goal).or_else(|problem| self.later_version(goal).ok_or(problem))
    }

    fn resolve_alone(&self, goal: &Goal) -> Result<Resolved, String> {
        let attribute = goal.attribute.as_deref().unwrap_or_default();
        let (name, place) = self
            .find(attribute)
            .ok_or_else(|| format!("attribute \"{attribute}\" is no longer in {}", self.table.qualified_name()))?;
        let now = place.column_type.identity();
        let then = goal.attribute_type.as_deref().unwrap_or_default();
        let changed = now != then;
        if changed && (Family::of(&now) != Family::of(then) || goal.value.is_some() && changes_time_zone(then, &now)) {
            return Err(format!("attribute \"{attribute}\" was of type {then} and is now of type {now}"));
        }
        let operator = goal.operator.ok_or("the operator is not one of this version of the extension")?;
        let condition = match goal.value.as_deref() {
            Some(value) if changed => {
                rewritten(&place, operator, value).and_then(|v| condition(&place, operator, Some(&v)))
            }
            value => condition(&place, operator, value),
        };
        let mut condition = condition.map_err(|error| error.message())?;
        condition.recast(Recast::between(then, place.column_type.arithmetic()).filter(|_| changed));
        Ok((name, place, condition))
    }

    /// For a goal whose column is of another type than it was: the newest later version that asks the same.
    fn later_version(&self, goal: &Goal) -> Option<Resolved> {
        let asks_the_same = |later: &Goal| {
            later.version > goal.version
                && later.attribute == goal.attribute
                && later.operator == goal.operator
                && later.time_limit == goal.time_limit
                && later.after == goal.after
                && later.value_from == goal.value_from
        };
        let versions = self.versions.get_or_init(|| self.all_versions()).get(&(goal.message_id, goal.name.as_str()))?;
        versions.iter().filter(|later| asks_the_same(later)).find_map(|later| {
            let (name, place, condition) = self.resolve_alone(later).ok()?;
            let value = goal.value.as_deref().map(|value| rewritten(&place, condition.operator(), value));
            let before = self::condition(&place, condition.operator(), value.transpose().ok()?.as_deref()).ok()?;
            before.means_the_same(&condition, place.kind()).then_some((name, place, condition))
        })
    }

    fn all_versions(&self) -> Versions<'a> {
        memory::ensure(self.setup.goals.len() * 4 * size_of::<(i32, &str, Vec<&Goal>)>());
        let mut versions = Versions::new();
        for goal in self.setup.goals.values().filter(|goal| goal.attribute.is_some()) {
            versions.entry((goal.message_id, goal.name.as_str())).or_default().push(goal);
        }
        versions.values_mut().for_each(|goals| goals.sort_unstable_by_key(|goal| std::cmp::Reverse(goal.version)));
        versions
    }
}

/// A goal's value as the type of the column at this place writes it, which was of another type when the goal was set.
fn rewritten<'a>(place: &Place, operator: Operator, value: &'a str) -> crate::model::error::Result<Cow<'a, str>> {
    if place.path.is_empty() {
        place.column_type.rewritten_value(operator, value).map(Cow::Owned)
    } else {
        Ok(Cow::Borrowed(value))
    }
}

/// An error for a number that the column at this place cannot hold. A goal set earlier may have one, and is judged as
/// it is: anything is below a number that is too large.
pub fn check_range(
    place: &Place,
    column: &Column,
    operator: Operator,
    value: Option<&str>,
) -> crate::model::error::Result<()> {
    let range = place.column_type.range(column).filter(|_| place.path.is_empty());
    let name = place.column_type.name();
    range.map_or(Ok(()), |range| Condition::new(place.kind(), &name, operator, value)?.check(&range, &name))
}

/// The condition for values at this place.
pub fn condition(place: &Place, operator: Operator, value: Option<&str>) -> crate::model::error::Result<Condition> {
    let kind = place.kind();
    // A list of values takes many times the memory of its text.
    memory::ensure(256 * value.map_or(0, str::len));
    let mut condition = Condition::new(kind, &place.column_type.name(), operator, value)?;
    condition.compute_as(place.column_type.arithmetic());
    condition.map_texts(&|t| encoding::string_to_model(t));
    Ok(condition)
}
