//! What a tracked table is read by that has no column of its own in `goals.source`: a JSON object.

#![forbid(unsafe_code)]

use super::jsonb::Node;
use super::only::Only;
use super::value::Value;
use serde_json::value::RawValue;

/// The options of a tracked table. Those that take a name are in UTF-8.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The name of every event of the table.
    pub named: Option<String>,
    /// The column that becomes known when the event happens.
    pub on_column: Option<String>,
    /// The column of the users table by which a row names its user.
    pub user_by: Option<String>,
    /// The sources of the users whom it may name: whoever tracked the table may read that column of them.
    pub users_by: Vec<i32>,
    /// How times without a zone are read.
    pub time_zone: Option<String>,
    /// The column with the time of the delivery of a send.
    pub delivered_at: Option<String>,
    /// The column with the time at which it bounced.
    pub bounced_at: Option<String>,
    /// The column with the time at which the user complained.
    pub complained_at: Option<String>,
    /// The column with the time at which the user unsubscribed.
    pub unsubscribed_at: Option<String>,
    /// The column that is known once a send has failed.
    pub failed_at: Option<String>,
    /// What every engagement of the table is.
    pub engagement: Option<String>,
    /// The column that says what the engagement is.
    pub kind_column: Option<String>,
    /// What its values mean.
    pub kinds: Vec<(String, String)>,
    /// The column that refers to a row of a tracked table of sends.
    pub send: Option<String>,
    /// What a column of texts refers to: numbers or uuids, by `number` and `uuid`.
    pub send_is: Option<String>,
    /// The source of that table.
    pub sends: Option<i32>,
    /// The first part of the names of a second table's attributes.
    pub prefix: Option<String>,
    /// The column with the list that a member is of.
    pub list: Option<String>,
    /// The column with the status of the membership.
    pub status: Option<String>,
    /// The rows that are memberships.
    pub member: Only,
    /// The column of a table of campaigns with the id.
    pub id: Option<String>,
    /// The column with the name.
    pub name: Option<String>,
    /// The column with the channel.
    pub channel: Option<String>,
    /// The message whose goals the campaigns share.
    pub like_message: Option<i32>,
    /// The rows that count.
    pub only: Only,
}

// The names in `goals.source.options`, in the order in which they are written.
macro_rules! texts {
    ($options:ident) => {
        [
            ("named", &mut $options.named),
            ("on_column", &mut $options.on_column),
            ("user_by", &mut $options.user_by),
            ("time_zone", &mut $options.time_zone),
            ("delivered_at", &mut $options.delivered_at),
            ("bounced_at", &mut $options.bounced_at),
            ("complained_at", &mut $options.complained_at),
            ("unsubscribed_at", &mut $options.unsubscribed_at),
            ("failed_at", &mut $options.failed_at),
            ("engagement", &mut $options.engagement),
            ("kind", &mut $options.kind_column),
            ("send", &mut $options.send),
            ("send_is", &mut $options.send_is),
            ("prefix", &mut $options.prefix),
            ("list", &mut $options.list),
            ("status", &mut $options.status),
            ("id", &mut $options.id),
            ("name", &mut $options.name),
            ("channel", &mut $options.channel),
        ]
    };
}

impl Options {
    /// Reads what [`Written`] has written. `text` converts a text of it, or a key, to UTF-8. What is not known, or is of
    /// another type, is passed over.
    pub fn read(node: &Node, text: &dyn Fn(&[u8]) -> String) -> Options {
        let mut options = Options::default();
        let string = |node: Node| match node.value() {
            Value::Text(bytes) => Some(text(&bytes)),
            _ => None,
        };
        let number = |name: &str| {
            let id = node.key(name.as_bytes())?.value();
            i32::try_from(id.number()?.as_i64()?).ok()
        };
        for (name, option) in texts!(options) {
            *option = node.key(name.as_bytes()).and_then(string);
        }
        (options.sends, options.like_message) = (number("sends"), number("like_message"));
        let kinds = node.key(b"kinds").and_then(|kinds| kinds.entries());
        options.kinds = kinds.into_iter().flatten().filter_map(|(of, kind)| Some((text(of), string(kind)?))).collect();
        let ids = node.key(b"users_by");
        let ids = ids.as_ref().and_then(|ids| ids.elements()).into_iter().flatten();
        let id = |node: Node| i32::try_from(node.value().number()?.as_i64()?).ok();
        options.users_by = ids.filter_map(id).collect();
        let only = |name: &[u8]| node.key(name).and_then(|node| Only::read(&node, text).ok()).unwrap_or_default();
        (options.only, options.member) = (only(b"only"), only(b"member"));
        options
    }

    /// The JSON to be stored; None if nothing is set. `only`, `member` and `kinds`: as the caller wrote them, valid
    /// JSON.
    pub fn written(&self, only: Option<&str>, member: Option<&str>, kinds: Option<&str>) -> Option<String> {
        let mut options = self.clone();
        let mut object = serde_json::Map::new();
        for (name, option) in texts!(options) {
            if let Some(value) = option.take() {
                object.insert(name.into(), value.into());
            }
        }
        for (name, id) in [("sends", self.sends), ("like_message", self.like_message)] {
            if let Some(id) = id {
                object.insert(name.into(), id.into());
            }
        }
        if !self.users_by.is_empty() {
            object.insert("users_by".into(), self.users_by.clone().into());
        }
        let mut json = serde_json::to_string(&object).unwrap_or_default();
        for (name, given) in [("only", only), ("member", member), ("kinds", kinds)] {
            let Some(given) = given.and_then(|given| serde_json::from_str::<&RawValue>(given).ok()) else { continue };
            json.truncate(json.len() - 1);
            let comma = if json.len() > 1 { "," } else { "" };
            json.push_str(&format!("{comma}\"{name}\":{given}}}"));
        }
        (json != "{}").then_some(json)
    }

    /// What tells apart the ways in which one table is tracked for one kind: the name of its events, or what its
    /// engagements are.
    pub fn way(&self) -> Option<&str> {
        self.named.as_deref().or(self.engagement.as_deref())
    }

    /// The names of the columns of the table itself, without those of `only` and `member`.
    pub fn columns(&self) -> impl Iterator<Item = &String> {
        let [a, b, c, d] = [&self.on_column, &self.delivered_at, &self.bounced_at, &self.complained_at];
        let [e, f, g, h] = [&self.unsubscribed_at, &self.failed_at, &self.kind_column, &self.send];
        let [i, j, k, l, m] = [&self.list, &self.status, &self.id, &self.name, &self.channel];
        [a, b, c, d, e, f, g, h, i, j, k, l, m].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jsonb;

    fn stored(json: &str) -> Options {
        let bytes = jsonb::written(&serde_json::from_str(json).unwrap());
        Options::read(&jsonb::root(&bytes).unwrap(), &|text| String::from_utf8_lossy(text).into_owned())
    }

    #[test]
    fn what_is_written_is_read() {
        let options = Options {
            named: Some("order \"placed\"".into()),
            on_column: Some("completed_at".into()),
            user_by: Some("email".into()),
            users_by: vec![3, 9],
            kind_column: Some("event".into()),
            sends: Some(7),
            like_message: Some(8),
            ..Options::default()
        };
        let only = r#"{"state": ["complete", null], "total": 1.50}"#;
        let (member, kinds) = (r#"{"status": "confirmed"}"#, r#"{"open": "opened", "spam": "complained"}"#);
        let read = stored(&options.written(Some(only), Some(member), Some(kinds)).unwrap());
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert!(read.only.names("state") && read.only.names("total") && read.member.names("status"));
        let expected = Options {
            only: read.only.clone(),
            member: read.member.clone(),
            kinds: vec![pair("open", "opened"), pair("spam", "complained")],
            ..options
        };
        assert_eq!(read, expected);
        assert!(read.columns().eq(["completed_at", "event"]));
    }

    #[test]
    fn nothing_set_is_not_stored() {
        assert_eq!(Options::default().written(None, None, None), None);
        assert_eq!(Options::default().written(Some("{}"), None, None), Some(r#"{"only":{}}"#.into()));
        assert_eq!(stored("{}"), Options::default());
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        let read =
            stored(r#"{"later": 1, "named": 2, "sends": "x", "only": [1], "kinds": {"a": 1}, "like_message": 1.5}"#);
        assert_eq!(read, Options::default());
        assert_eq!(stored("[1]"), Options::default());
    }
}
