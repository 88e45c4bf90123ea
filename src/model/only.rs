//! The rows of a tracked table that count: columns, and the value, or list of values, that each must have.
//!
//! `{"recipient_type": "User", "status": ["sent", "delivered"], "failed_at": null}`. Booleans are compared as booleans and
//! numbers as numbers, so 1 is 1.0. Everything else is compared by its text form, byte by byte: see
//! [`reference`](super::reference). null is NULL.

#![forbid(unsafe_code)]

use super::decimal::Decimal;
use super::error::{Error, Result};
use super::jsonb::Node;
use super::value::{Kind, Value};

/// The most values of one column. A row is compared with each.
pub const MOST_VALUES: usize = 1_000;

/// The columns that decide whether a row counts. The default lets every row count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Only(Vec<Condition>);

/// A column, and the values that it must have.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// The column's name.
    pub column: String,
    values: Vec<Wanted>,
}

#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Unknown,
    Boolean(bool),
    Number(Decimal),
    Text(String),
}

/// The value of a column in a row.
pub enum Found<'a> {
    /// NULL.
    Unknown,
    /// A boolean.
    Boolean(bool),
    /// A number.
    Number(&'a Decimal),
    /// The text form of any other value, in UTF-8.
    Text(&'a [u8]),
}

impl Only {
    /// Reads the jsonb of a caller. `text` converts a text of it, or a key, to UTF-8.
    ///
    /// Errors: [`Error::InvalidArgument`] for what is no object of values and lists of values, or has an empty one.
    pub fn read(node: &Node, text: &dyn Fn(&[u8]) -> String) -> Result<Only> {
        let refuse = |what: String| {
            Err(Error::InvalidArgument {
                message: format!("invalid \"only\": {what}"),
                hint: r#"Write an object of columns: {"type": "User", "status": ["sent", "delivered"], "failed_at": null}."#
                    .into(),
            })
        };
        let Some(entries) = node.entries() else { return refuse("it is not an object".into()) };
        let mut conditions = Vec::new();
        for (key, value) in entries {
            let column = text(key);
            let values: Option<Vec<Wanted>> = match value.elements() {
                Some(elements) => elements.map(|e| Wanted::of(&e, text)).collect(),
                None => Wanted::of(&value, text).map(|wanted| vec![wanted]),
            };
            match values {
                None => return refuse(format!("\"{column}\" has a value that no column has")),
                Some(values) if values.is_empty() => return refuse(format!("\"{column}\" has an empty list")),
                Some(values) if values.len() > MOST_VALUES => {
                    return refuse(format!("\"{column}\" has more than {MOST_VALUES} values"));
                }
                Some(values) => conditions.push(Condition { column, values }),
            }
        }
        Ok(Only(conditions))
    }

    /// The conditions, one per column.
    pub fn conditions(&self) -> &[Condition] {
        &self.0
    }

    /// These conditions with their texts as `form` writes them, by the column.
    pub fn written(self, form: impl Fn(&str, &str) -> Result<String>) -> Result<Only> {
        let mut conditions = self.0;
        for Condition { column, values } in &mut conditions {
            for value in values {
                if let Wanted::Text(text) = value {
                    *text = form(column, text)?;
                }
            }
        }
        Ok(Only(conditions))
    }

    /// The conditions as JSON, as [`Only::read`] reads them.
    pub fn json(&self) -> String {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let columns = self.0.iter().map(|Condition { column, values }| {
            let values: Vec<String> = values
                .iter()
                .map(|value| match value {
                    Wanted::Unknown => "null".to_owned(),
                    Wanted::Text(text) => quoted(text),
                    other => other.text().unwrap_or_default(),
                })
                .collect();
            match values.as_slice() {
                [one] => format!("{}: {one}", quoted(column)),
                several => format!("{}: [{}]", quoted(column), several.join(", ")),
            }
        });
        format!("{{{}}}", columns.collect::<Vec<_>>().join(", "))
    }

    /// True if this column has a condition.
    pub fn names(&self, column: &str) -> bool {
        self.0.iter().any(|condition| condition.column == column)
    }
}

impl Condition {
    /// True if a column with this value fulfils the condition.
    pub fn holds(&self, found: &Found) -> bool {
        self.values.iter().any(|wanted| wanted.is(found))
    }

    /// The longest text that is compared with, in bytes: a longer one is none of them.
    pub fn longest(&self) -> usize {
        let length = |wanted: &Wanted| wanted.text().map_or(0, |text| text.len());
        self.values.iter().map(length).max().unwrap_or(0)
    }

    /// The first of the values that no column of this kind has, as text.
    pub fn never(&self, kind: Kind) -> Option<String> {
        let fits = |wanted: &&Wanted| match (kind, wanted) {
            (_, Wanted::Unknown) | (Kind::Number, Wanted::Number(_)) | (Kind::Boolean, Wanted::Boolean(_)) => true,
            (Kind::Number, Wanted::Text(text)) => {
                Decimal::parse_plain(text.as_bytes()).is_some_and(|number| number.to_string() == *text)
            }
            (Kind::Boolean, Wanted::Text(text)) => matches!(text.as_str(), "true" | "false"),
            (Kind::Number | Kind::Boolean, _) => false,
            _ => true,
        };
        self.values.iter().find(|wanted| !fits(wanted)).and_then(Wanted::text)
    }

    /// The values as texts, without null.
    pub fn texts(&self) -> impl Iterator<Item = String> + '_ {
        self.values.iter().filter_map(Wanted::text)
    }
}

impl Wanted {
    fn of(node: &Node, text: &dyn Fn(&[u8]) -> String) -> Option<Wanted> {
        match node.value() {
            Value::Unknown => Some(Wanted::Unknown),
            Value::Boolean(value) => Some(Wanted::Boolean(value)),
            Value::Number(number) => Some(Wanted::Number(number)),
            Value::Text(bytes) => Some(Wanted::Text(text(&bytes))),
            _ => None,
        }
    }

    fn text(&self) -> Option<String> {
        match self {
            Wanted::Unknown => None,
            Wanted::Boolean(value) => Some(value.to_string()),
            Wanted::Number(number) => Some(number.to_string()),
            Wanted::Text(text) => Some(text.clone()),
        }
    }

    fn is(&self, found: &Found) -> bool {
        match (self, found) {
            (Wanted::Unknown, Found::Unknown) => true,
            (Wanted::Unknown, _) | (_, Found::Unknown) => false,
            (Wanted::Boolean(wanted), Found::Boolean(found)) => wanted == found,
            (Wanted::Number(wanted), Found::Number(found)) => wanted == *found,
            (Wanted::Text(wanted), Found::Text(found)) => wanted.as_bytes() == *found,
            (wanted, Found::Text(found)) => wanted.text().is_some_and(|text| text.as_bytes() == *found),
            (Wanted::Text(wanted), Found::Boolean(found)) => *wanted == found.to_string(),
            (Wanted::Text(wanted), Found::Number(found)) => *wanted == found.to_string(),
            (Wanted::Boolean(_), Found::Number(_)) | (Wanted::Number(_), Found::Boolean(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonb::{self, written};
    use serde_json::{Value as Json, json};

    fn read(json: &Json) -> Result<Only> {
        let bytes = written(json);
        Only::read(&jsonb::root(&bytes).unwrap(), &|text| String::from_utf8_lossy(text).into_owned())
    }

    fn condition(values: &Json) -> Condition {
        read(&json!({ "c": values })).unwrap().conditions()[0].clone()
    }

    #[test]
    fn values_are_compared_as_what_they_are() {
        let number = |text: &str| Decimal::parse(text).unwrap();
        assert!(condition(&json!(1)).holds(&Found::Number(&number("1.00"))));
        assert!(condition(&json!("1")).holds(&Found::Number(&number("1"))));
        assert!(!condition(&json!(1)).holds(&Found::Number(&number("2"))));
        assert!(!condition(&json!(1)).holds(&Found::Boolean(true)));
        assert!(!condition(&json!(true)).holds(&Found::Number(&number("1"))));
        assert!(condition(&json!(true)).holds(&Found::Boolean(true)));
        assert!(condition(&json!("false")).holds(&Found::Boolean(false)));
        assert!(condition(&json!(17)).holds(&Found::Text(b"17")));
        assert!(condition(&json!("User")).holds(&Found::Text(b"User")));
        assert!(!condition(&json!("User")).holds(&Found::Text(b"user")));
    }

    #[test]
    fn null_is_null_and_nothing_else() {
        assert!(condition(&json!(null)).holds(&Found::Unknown));
        assert!(!condition(&json!(null)).holds(&Found::Text(b"null")));
        assert!(!condition(&json!("x")).holds(&Found::Unknown));
        assert!(condition(&json!(["x", null])).holds(&Found::Unknown));
        assert_eq!(condition(&json!(null)).longest(), 0);
    }

    #[test]
    fn any_of_a_list_will_do() {
        let one = condition(&json!(["sent", "delivered"]));
        assert!(one.holds(&Found::Text(b"delivered")) && !one.holds(&Found::Text(b"failed")));
        assert_eq!((one.longest(), one.texts().collect::<Vec<_>>()), (9, vec!["sent".into(), "delivered".into()]));
        assert!(condition(&json!(["x", null])).texts().eq(["x".to_owned()]));
    }

    #[test]
    fn a_value_that_the_column_never_has_is_found() {
        let never = |values: Json, kind| condition(&values).never(kind);
        assert_eq!(never(json!([1, null, "2", "2.5"]), Kind::Number), None);
        assert_eq!(never(json!([1, "sent"]), Kind::Number), Some("sent".into()));
        assert_eq!(never(json!("02"), Kind::Number), Some("02".into()));
        assert_eq!(never(json!(true), Kind::Number), Some("true".into()));
        assert_eq!(never(json!([true, "false", null]), Kind::Boolean), None);
        assert_eq!(never(json!("t"), Kind::Boolean), Some("t".into()));
        assert_eq!(never(json!([1, true, "x"]), Kind::Text), None);
    }

    #[test]
    fn what_is_written_is_read() {
        let only = read(&json!({"a": [1.50, null, "x \"y\""], "b": true, "c \"d\"": "e"})).unwrap();
        let again: Json = serde_json::from_str(&only.json()).unwrap();
        assert_eq!(again, json!({"a": [1.50, null, "x \"y\""], "b": true, "c \"d\"": "e"}));
        assert_eq!(read(&again).unwrap(), only);
        assert_eq!(Only::default().json(), "{}");
    }

    #[test]
    fn texts_are_written_as_the_column_writes_them() {
        let only = read(&json!({"id": ["A", 1, null], "other": "B"})).unwrap();
        let form = |column: &str, text: &str| Ok(if column == "id" { text.to_lowercase() } else { text.to_owned() });
        assert_eq!(only.written(form).unwrap(), read(&json!({"id": ["a", 1, null], "other": "B"})).unwrap());
        let only = read(&json!({"id": "A"})).unwrap();
        let refused = |_: &str, text: &str| Err(Error::InvalidValue { value: text.into(), type_name: "uuid".into() });
        assert_eq!(only.written(refused).unwrap_err().sqlstate(), "22P02");
    }

    #[test]
    fn every_row_counts_by_default() {
        let all = read(&json!({})).unwrap();
        assert_eq!(all, Only::default());
        assert!(all.conditions().is_empty() && !all.names("c"));
        assert!(read(&json!({"c": 1})).unwrap().names("c"));
    }

    #[test]
    fn what_is_no_such_object_is_refused() {
        let many = json!({ "c": vec![1; MOST_VALUES + 1] });
        for json in [json!(1), json!([]), json!({"c": []}), json!({"c": {}}), json!({"c": [[1]]}), many] {
            let error = read(&json).unwrap_err();
            assert!(error.message().starts_with("invalid \"only\": "), "{json}");
            assert_eq!(error.sqlstate(), "22023");
        }
        assert!(read(&json!({ "c": vec![1; MOST_VALUES] })).is_ok());
    }
}
