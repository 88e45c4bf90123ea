//! The attribute a goal looks at: a column, or a key inside a json column.

use std::fmt;

use super::error::{Error, Result};

/// `column` or `column.key.key`. Names are taken as written; their case is not folded.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attribute {
    /// The column of the users table.
    pub column: String,
    /// The keys inside its json value, outermost first. Empty for the column itself.
    pub path: Vec<String>,
}

impl Attribute {
    /// Reads `column.key.key`. A name with a dot or a double quote is written in double quotes, and its quotes are
    /// doubled: `custom."a.b"`. `""` alone is the empty key.
    ///
    /// Errors: [`Error::InvalidArgument`] for an empty name without quotes, an empty column or a misplaced quote.
    pub fn parse(text: &str) -> Result<Self> {
        let refuse = |what: &str| {
            Err(Error::InvalidArgument {
                message: format!("invalid attribute \"{text}\": {what}"),
                hint: "Write column or column.key.key, and put names with dots or quotes in double quotes.".to_owned(),
            })
        };
        let mut names = Vec::new();
        let mut rest = text;
        loop {
            let (name, after) = match rest.strip_prefix('"') {
                Some(quoted) => match unquote(quoted) {
                    Some(split) => split,
                    None => return refuse("a double quote is not closed"),
                },
                None => {
                    let (name, after) = rest.split_at(rest.find('.').unwrap_or(rest.len()));
                    if name.is_empty() {
                        return refuse("a name is missing");
                    }
                    if name.contains('"') {
                        return refuse("a double quote inside a name");
                    }
                    (name.to_owned(), after)
                }
            };
            names.push(name);
            if after.is_empty() {
                break;
            }
            let Some(next) = after.strip_prefix('.') else {
                return refuse("a dot is missing after a double quote");
            };
            rest = next;
        }
        let column = names.remove(0);
        if column.is_empty() {
            return refuse("a column has no empty name");
        }
        Ok(Self { column, path: names })
    }
}

/// The name before the closing quote, and the text after it.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        name.push_str(part);
        match after.strip_prefix('"') {
            Some(next) => {
                name.push('"');
                rest = next;
            }
            None => return Some((name, after)),
        }
    }
}

/// Writes the form that [`Attribute::parse`] reads.
impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_name(f, &self.column)?;
        for key in &self.path {
            f.write_str(".")?;
            write_name(f, key)?;
        }
        Ok(())
    }
}

fn write_name(f: &mut fmt::Formatter<'_>, name: &str) -> fmt::Result {
    if name.is_empty() || name.contains(['.', '"']) {
        write!(f, "\"{}\"", name.replace('"', "\"\""))
    } else {
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Vec<String> {
        let attribute = Attribute::parse(text).unwrap();
        [vec![attribute.column], attribute.path].concat()
    }

    #[test]
    fn a_column_or_a_path_into_json() {
        assert_eq!(parts("plan"), ["plan"]);
        assert_eq!(parts("Custom Attributes.company.size"), ["Custom Attributes", "company", "size"]);
        assert_eq!(parts(r#""a.b"."c""d".e"#), ["a.b", "c\"d", "e"]);
        assert_eq!(parts(r#"a."".b"#), ["a", "", "b"]);
        assert_eq!(parts(r#"a."""""#), ["a", "\"\""].map(|s| s.replace("\"\"", "\"")));
    }

    #[test]
    fn what_is_not_such_a_path_is_refused() {
        for text in ["", ".", "a.", ".a", "a..b", "\"", "\"a", "\"\"", "\"a\"b", "a\"b", "a.b\"", "\"a\"\"", "\"\".a"] {
            let error = Attribute::parse(text).unwrap_err();
            assert_eq!(error.sqlstate(), "22023", "{text}");
            assert!(error.message().contains("invalid attribute"));
        }
    }

    #[test]
    fn a_name_with_a_period_a_quote_or_nothing_in_it_is_quoted() {
        for (text, shown) in
            [("\"plan\"", "plan"), ("a.\"b.c\"", "a.\"b.c\""), ("a.\"\"", "a.\"\""), (r#""a""b""#, r#""a""b""#)]
        {
            assert_eq!(Attribute::parse(text).unwrap().to_string(), shown);
        }
    }

    proptest! {
        #[test]
        fn what_is_displayed_reads_back(column in "[a.\" ]{1,5}", path in proptest::collection::vec("[a.\" é]{0,4}", 0..4)) {
            let attribute = Attribute { column, path };
            prop_assert_eq!(Attribute::parse(&attribute.to_string()), Ok(attribute));
        }

        #[test]
        fn any_text_is_answered(text in "[a.\"]{0,8}") {
            let _ = Attribute::parse(&text);
        }
    }
}
