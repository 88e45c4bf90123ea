//! "Perhaps you meant": the known name nearest to a mistyped one.

/// Longer names are not compared: the distance costs the product of the lengths.
const MAX_LENGTH: usize = 200;

/// The known name that differs least from `name`, ignoring case. At most a third of the characters of the longer name
/// may differ. Of equally near names it is the first. `None` if no name is near enough.
pub fn nearest<S: AsRef<str>>(name: &str, known: &[S]) -> Option<String> {
    // a character has at most four bytes, and its lower case at least one character
    if name.len() > 4 * MAX_LENGTH {
        return None;
    }
    let wanted = fold(name);
    known
        .iter()
        .filter(|candidate| candidate.as_ref().len() <= 4 * MAX_LENGTH)
        .filter_map(|candidate| {
            let other = fold(candidate.as_ref());
            let longer = wanted.len().max(other.len());
            if longer > MAX_LENGTH {
                return None;
            }
            let distance = strsim::generic_levenshtein(&wanted, &other);
            (distance * 3 <= longer).then_some((distance, candidate.as_ref()))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate.to_owned())
}

fn fold(name: &str) -> Vec<char> {
    name.chars().flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_error_finds_the_name_meant() {
        let known = ["upgrade", "welcome", "winback"];
        assert_eq!(nearest("upgarde", &known).as_deref(), Some("upgrade"));
        assert_eq!(nearest("WELCOME", &known).as_deref(), Some("welcome"));
        assert_eq!(nearest("winnback", &known).as_deref(), Some("winback"));
        assert_eq!(nearest("invoice", &known), None);
        assert_eq!(nearest("upgrade", &[] as &[&str]), None);
        assert_eq!(nearest(&"x".repeat(801), &["x".repeat(801)]), None);
    }

    #[test]
    fn at_most_a_third_of_the_longer_name_may_differ() {
        assert_eq!(nearest("abc", &["abd"]).as_deref(), Some("abd"));
        assert_eq!(nearest("ab", &["ac"]), None);
        assert_eq!(nearest("abcdef", &["abxxef"]).as_deref(), Some("abxxef"));
        assert_eq!(nearest("abcdef", &["axxxef"]), None);
        assert_eq!(nearest("ab", &["abc"]).as_deref(), Some("abc"));
        assert_eq!(nearest("", &["abc"]), None);
    }

    #[test]
    fn the_nearest_wins_and_the_first_of_equals() {
        assert_eq!(nearest("plans", &["plain", "plan", "plane"]).as_deref(), Some("plan"));
        assert_eq!(nearest("plan", &["flan", "clan"]).as_deref(), Some("flan"));
    }

    #[test]
    fn very_long_names_are_not_compared() {
        assert!(nearest(&"x".repeat(200), &["x".repeat(200)]).is_some());
        assert_eq!(nearest(&"x".repeat(201), &["x".repeat(201)]), None);
    }
}
