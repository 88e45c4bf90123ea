//! PostgreSQL's text array literal: `{pro,"a, b",NULL}`.
//!
//! Not the server's `array_in`: it raises an error for a malformed literal, and conditions are built inside the
//! trigger.

use super::decimal::{is_blank, trim};

/// Reads a one-dimensional array literal as PostgreSQL does: quotes, backslashes, NULL in any case, blanks around
/// elements, optional bounds (`[0:1]={a,b}`). A NULL element is `None`. Returns `None` for any other text.
pub fn parse_array(text: &str) -> Option<Vec<Option<String>>> {
    let text = trim(text.as_bytes());
    let (length, text) = match text {
        [b'[', rest @ ..] => {
            let (length, rest) = bounds(rest)?;
            (Some(length), rest)
        }
        _ => (None, text),
    };
    let [b'{', body @ .., b'}'] = text else {
        return None;
    };
    let elements = if trim(body).is_empty() { Vec::new() } else { elements(body)? };
    (length.is_none_or(|length| length == elements.len() as i64)).then_some(elements)
}

/// Reads `2]=` or `0:1]=`. Returns the number of elements it declares, and the rest.
fn bounds(text: &[u8]) -> Option<(i64, &[u8])> {
    let end = text.iter().position(|b| *b == b']')?;
    let (inside, rest) = (std::str::from_utf8(&text[..end]).ok()?, trim(&text[end + 1..]));
    let [b'=', rest @ ..] = rest else { return None };
    let (lower, upper) = match inside.split_once(':') {
        Some((lower, upper)) => (lower.parse::<i32>().ok()?, upper.parse::<i32>().ok()?),
        None => (1, inside.parse::<i32>().ok()?),
    };
    Some((i64::from(upper) - i64::from(lower) + 1, trim(rest)))
}

/// The elements between the braces; there is at least one.
fn elements(mut body: &[u8]) -> Option<Vec<Option<String>>> {
    let mut elements = Vec::new();
    loop {
        let (element, rest) = element(body)?;
        elements.push(element);
        match rest {
            [] => return Some(elements),
            [_comma, rest @ ..] => body = rest,
        }
    }
}

/// One element and the rest, which is empty or starts with a comma.
fn element(text: &[u8]) -> Option<(Option<String>, &[u8])> {
    let blanks = text.iter().take_while(|b| is_blank(**b)).count();
    let text = &text[blanks..];
    if let [b'"', text @ ..] = text {
        let (element, rest) = quoted(text)?;
        let blanks = rest.iter().take_while(|b| is_blank(**b)).count();
        let rest = &rest[blanks..];
        return matches!(rest, [] | [b',', ..]).then_some((Some(element), rest));
    }
    let mut element = Vec::new();
    // blanks at the end are dropped, but not one behind a backslash
    let mut kept = 0;
    let mut escaped = false;
    let mut bytes = text.iter().copied().enumerate();
    let mut rest = &[][..];
    while let Some((i, byte)) = bytes.next() {
        match byte {
            b',' => {
                rest = &text[i..];
                break;
            }
            b'"' | b'{' | b'}' => return None,
            b'\\' => {
                element.push(bytes.next()?.1);
                kept = element.len();
                escaped = true;
            }
            _ => {
                element.push(byte);
                if !is_blank(byte) {
                    kept = element.len();
                }
            }
        }
    }
    element.truncate(kept);
    match element.as_slice() {
        [] => None,
        word if !escaped && word.eq_ignore_ascii_case(b"null") => Some((None, rest)),
        _ => Some((Some(String::from_utf8(element).ok()?), rest)),
    }
}

/// The text before the closing quote, and the rest after it.
fn quoted(text: &[u8]) -> Option<(String, &[u8])> {
    let mut element = Vec::new();
    let mut bytes = text.iter().copied().enumerate();
    while let Some((i, byte)) = bytes.next() {
        match byte {
            b'"' => return Some((String::from_utf8(element).ok()?, &text[i + 1..])),
            b'\\' => element.push(bytes.next()?.1),
            _ => element.push(byte),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parsed(text: &str) -> Option<Vec<Option<String>>> {
        parse_array(text)
    }

    fn some(elements: &[&str]) -> Option<Vec<Option<String>>> {
        Some(elements.iter().map(|e| Some((*e).to_owned())).collect())
    }

    #[test]
    fn what_postgresql_reads_is_read() {
        assert_eq!(parsed("{pro,team}"), some(&["pro", "team"]));
        assert_eq!(parsed(" { pro ,\tteam\x0B} \n"), some(&["pro", "team"]));
        assert_eq!(parsed("{a b}"), some(&["a b"]));
        assert_eq!(parsed(r#"{"a, b", "" , "{}" }"#), some(&["a, b", "", "{}"]));
        assert_eq!(parsed(r#"{"a\"b\\c\d"}"#), some(&["a\"b\\cd"]));
        assert_eq!(parsed(r"{a\,b,c\ ,\{ d }"), some(&["a,b", "c ", "{ d"]));
        assert_eq!(parsed("{é,日本}"), some(&["é", "日本"]));
        assert_eq!(parsed(r"{\é}"), some(&["é"]));
        assert_eq!(parsed(r#"{"\é"}"#), some(&["é"]));
        assert_eq!(parsed("{}"), some(&[]));
        assert_eq!(parsed("{ }"), some(&[]));
    }

    #[test]
    fn null_is_a_null_unless_quoted_or_escaped() {
        assert_eq!(parsed("{NULL,null, nUll }"), Some(vec![None, None, None]));
        assert_eq!(parsed(r#"{"NULL",\NULL,nulls}"#), some(&["NULL", "NULL", "nulls"]));
    }

    #[test]
    fn bounds_are_accepted_when_they_fit() {
        assert_eq!(parsed("[0:1]={a,b}"), some(&["a", "b"]));
        assert_eq!(parsed("[-3:-3] = {a}"), some(&["a"]));
        assert_eq!(parsed("[2]={a,b}"), some(&["a", "b"]));
        for text in [
            "[0:1]={a}",
            "[1]={a,b}",
            "[1:2]{a,b}",
            "[1:2={a,b}",
            "[x]={a}",
            "[1:x]={a}",
            "[x:1]={a}",
            "[1:0]={a}",
            "[1:1]a",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn what_postgresql_refuses_is_refused() {
        for text in [
            "",
            "pro",
            "pro,team",
            "{",
            "}",
            "{a",
            "a}",
            "{a,}",
            "{,a}",
            "{,}",
            "{a,,b}",
            "{{a},{b}}",
            "{a}b",
            "{a}{b}",
            r#"{"a}"#,
            r#"{"a"b}"#,
            r#"{a"b"}"#,
            r#"{"a\"#,
            r#"{"a\}"#,
            r"{a\",
            r"{a\}",
            "{a}}",
            "[1:1]=",
            "{ , }",
            r#"{"a" , }"#,
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_list_written_with_quotes_reads_back(list in proptest::collection::vec(any::<Option<String>>(), 0..5)) {
            let written: Vec<_> = list
                .iter()
                .map(|e| match e {
                    Some(e) => format!("\"{}\"", e.replace('\\', r"\\").replace('"', "\\\"")),
                    None => "NULL".to_owned(),
                })
                .collect();
            prop_assert_eq!(parsed(&format!("{{{}}}", written.join(","))), Some(list));
        }

        #[test]
        fn any_text_is_answered(text in r#"[\[\]{}",: a1=\\]{0,12}"#) {
            let _ = parsed(&text);
        }
    }
}
