//! The family of a column's type. A goal goes on while the type stays in its family.
//!
//! It is told by the type's name, because the type that a goal was set on may no longer exist.

use super::value::Kind;

/// Types of which a value means the same to a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// The kind of the values; of a list, that of its elements.
    kind: Kind,
    is_list: bool,
    /// Whether texts are equal if only their case differs.
    ignores_case: bool,
}

impl Family {
    /// The family of the type of this name, qualified as `format_type` does it.
    pub fn of(name: &str) -> Self {
        let (element, is_list) = name.strip_suffix("[]").map_or((name, false), |element| (element, true));
        let kind = match element.strip_prefix("pg_catalog.").unwrap_or(element) {
            "smallint" | "integer" | "bigint" | "oid" | "real" | "double precision" | "numeric" | "money" => {
                Kind::Number
            }
            "boolean" => Kind::Boolean,
            "json" | "jsonb" => Kind::Json,
            "date" | "interval" => Kind::Moment,
            name if name.starts_with("time without ") || name.starts_with("time with ") => Kind::Moment,
            name if name.starts_with("timestamp ") => Kind::Moment,
            _ => Kind::Text,
        };
        // elements of lists are compared byte by byte
        Self { kind, is_list, ignores_case: !is_list && name.ends_with(".citext") }
    }
}

/// Whether a list of moments has lost or got a time zone from one type to the other: a moment in a goal's value is then
/// another one in every session.
pub fn changes_time_zone(then: &str, now: &str) -> bool {
    let has_zone = |name: &str| name.ends_with(" with time zone[]");
    has_zone(then) != has_zone(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_stays_in_its_family() {
        let families: [&[&str]; 11] = [
            &[
                "smallint",
                "integer",
                "bigint",
                "real",
                "double precision",
                "numeric",
                "pg_catalog.money",
                "pg_catalog.oid",
            ],
            &["boolean"],
            &["pg_catalog.json", "pg_catalog.jsonb"],
            &[
                "pg_catalog.date",
                "interval",
                "time without time zone",
                "time with time zone",
                "timestamp without time zone",
                "timestamp with time zone",
            ],
            &[
                "pg_catalog.text",
                "character varying",
                "character",
                "pg_catalog.name",
                "pg_catalog.uuid",
                "pg_catalog.inet",
                "public.mood",
                "shop.\"timestamp \"",
                "shop.\"my integer\"",
                "shop.\"integer\"",
            ],
            &["public.citext", "contrib.citext"],
            &["integer[]", "bigint[]", "numeric[]"],
            &["pg_catalog.text[]", "character varying[]", "public.mood[]", "public.citext[]"],
            &["boolean[]"],
            &["pg_catalog.jsonb[]", "pg_catalog.json[]"],
            &["pg_catalog.date[]", "timestamp with time zone[]"],
        ];
        for (i, one) in families.iter().enumerate() {
            for (j, other) in families.iter().enumerate() {
                for (a, b) in one.iter().flat_map(|a| other.iter().map(move |b| (a, b))) {
                    assert_eq!(Family::of(a) == Family::of(b), i == j, "{a} {b}");
                }
            }
        }
    }

    #[test]
    fn lists_of_moments_keep_their_zone_or_not() {
        assert!(changes_time_zone("timestamp without time zone[]", "timestamp with time zone[]"));
        assert!(changes_time_zone("timestamp with time zone[]", "pg_catalog.date[]"));
        assert!(!changes_time_zone("pg_catalog.date[]", "timestamp without time zone[]"));
        assert!(!changes_time_zone("time with time zone[]", "timestamp with time zone[]"));
    }
}
