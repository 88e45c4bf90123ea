//! What a call on several items has left out: a JSON array with an object per item.

#![forbid(unsafe_code)]

use super::room::{NoRoom, room};
use serde::Serialize;

/// The most items that are listed. The rest are counted, so that the answer is far from the largest jsonb.
const MOST_LISTED: usize = 100_000;

/// The items left out so far.
#[derive(Default)]
pub struct Skipped {
    json: Vec<u8>,
    listed: usize,
    /// How many are not listed, and the position of the first of them.
    more: usize,
    first: Option<usize>,
}

#[derive(Serialize)]
struct Item<'a> {
    item: Option<usize>,
    reason: &'a str,
    value: Option<&'a str>,
}

impl Skipped {
    /// Adds an item: its position, why it is left out, and the text that this is about.
    /// Errors: [`NoRoom`].
    pub fn add(&mut self, item: Option<usize>, reason: &str, value: Option<&str>) -> Result<(), NoRoom> {
        if self.listed < MOST_LISTED {
            self.listed += 1;
            return self.write(Item { item, reason, value });
        }
        self.first = self.first.or(item);
        self.more += 1;
        Ok(())
    }

    fn write(&mut self, item: Item) -> Result<(), NoRoom> {
        let object = serde_json::to_vec(&item).unwrap_or_default();
        room(&mut self.json, object.len() + 1)?;
        self.json.push(if self.json.is_empty() { b'[' } else { b',' });
        self.json.extend_from_slice(&object);
        Ok(())
    }

    /// The JSON array.
    /// Errors: [`NoRoom`].
    pub fn into_json(mut self) -> Result<String, NoRoom> {
        if self.more > 0 {
            let reason = format!("and {} more", self.more);
            self.write(Item { item: self.first, reason: &reason, value: None })?;
        }
        room(&mut self.json, 2)?;
        self.json.extend_from_slice(if self.json.is_empty() { b"[]" } else { b"]" });
        Ok(String::from_utf8(self.json).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_left_out_is_an_empty_array() {
        assert_eq!(Skipped::default().into_json().unwrap(), "[]");
    }

    #[test]
    fn each_item_is_an_object() {
        let mut skipped = Skipped::default();
        skipped.add(None, "not an array", None).unwrap();
        skipped.add(Some(7), "unknown ref", Some("a\"\\\u{1}é")).unwrap();
        assert_eq!(
            skipped.into_json().unwrap(),
            r#"[{"item":null,"reason":"not an array","value":null},{"item":7,"reason":"unknown ref","value":"a\"\\\u0001é"}]"#
        );
    }

    #[test]
    fn too_many_are_counted() {
        let mut skipped = Skipped::default();
        for item in 0..MOST_LISTED + 3 {
            skipped.add(Some(item), "no kind", None).unwrap();
        }
        let json = skipped.into_json().unwrap();
        assert!(json.ends_with(r#","value":null},{"item":100000,"reason":"and 3 more","value":null}]"#));
        assert_eq!(json.matches("no kind").count(), MOST_LISTED);
    }
}
