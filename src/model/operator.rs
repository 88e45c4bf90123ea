//! The operators of a goal. Parsing, validation, hints and documentation all read the one table below.

use super::value::Kind;

/// How a goal judges its attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    Is,
    IsNot,
    IsAnyOf,
    Contains,
    DoesNotContain,
    StartsWith,
    EndsWith,
    GreaterThan,
    LessThan,
    AtLeast,
    AtMost,
    IsIncreased,
    IsDecreased,
    IsIncreasedBy,
    HasAnyValue,
    IsUnknown,
    IsChanged,
}

/// How many values an operator compares with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Needs {
    /// No value.
    None,
    /// One value of the attribute's type.
    One,
    /// A text array literal of such values.
    List,
}

/// What an operator describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Describes {
    /// The row as it is. It can hold before anything changes; then the user had already matched.
    State,
    /// The step from the old value to the new one.
    Change,
}

/// No operator has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownOperator(pub String);

/// The properties of an operator.
struct Properties {
    operator: Operator,
    name: &'static str,
    kinds: &'static [Kind],
    needs: Needs,
    describes: Describes,
}

const fn properties(
    operator: Operator,
    name: &'static str,
    kinds: &'static [Kind],
    needs: Needs,
    describes: Describes,
) -> Properties {
    Properties { operator, name, kinds, needs, describes }
}

use Kind::{Boolean, Json, List, Moment, Number, Text};

/// One entry per operator, in the order of the enum.
#[rustfmt::skip]
const TABLE: [Properties; 17] = [
    properties(Operator::Is,             "is",               &[Text, Number, Boolean, Json],               Needs::One,  Describes::State),
    properties(Operator::IsNot,          "is not",           &[Text, Number, Boolean, Json],               Needs::One,  Describes::State),
    properties(Operator::IsAnyOf,        "is any of",        &[Text, Number, Json],                        Needs::List, Describes::State),
    properties(Operator::Contains,       "contains",         &[Text, List, Json],                          Needs::One,  Describes::State),
    properties(Operator::DoesNotContain, "does not contain", &[Text, List, Json],                          Needs::One,  Describes::State),
    properties(Operator::StartsWith,     "starts with",      &[Text, Json],                                Needs::One,  Describes::State),
    properties(Operator::EndsWith,       "ends with",        &[Text, Json],                                Needs::One,  Describes::State),
    properties(Operator::GreaterThan,    "greater than",     &[Number, Json],                              Needs::One,  Describes::State),
    properties(Operator::LessThan,       "less than",        &[Number, Json],                              Needs::One,  Describes::State),
    properties(Operator::AtLeast,        "at least",         &[Number, Json],                              Needs::One,  Describes::State),
    properties(Operator::AtMost,         "at most",          &[Number, Json],                              Needs::One,  Describes::State),
    properties(Operator::IsIncreased,    "is increased",     &[Number, Json],                              Needs::None, Describes::Change),
    properties(Operator::IsDecreased,    "is decreased",     &[Number, Json],                              Needs::None, Describes::Change),
    properties(Operator::IsIncreasedBy,  "is increased by",  &[Number, Json],                              Needs::One,  Describes::Change),
    properties(Operator::HasAnyValue,    "has any value",    &[Text, Number, Boolean, Moment, List, Json], Needs::None, Describes::State),
    properties(Operator::IsUnknown,      "is unknown",       &[Text, Number, Boolean, List, Json],         Needs::None, Describes::State),
    properties(Operator::IsChanged,      "is changed",       &[Text, Number, Boolean, List, Json],         Needs::None, Describes::Change),
];

impl Operator {
    /// Every operator, in the order of the documentation.
    pub const ALL: [Operator; 17] = {
        let mut all = [Operator::Is; 17];
        let mut i = 0;
        while i < all.len() {
            all[i] = TABLE[i].operator;
            i += 1;
        }
        all
    };

    fn properties(self) -> &'static Properties {
        &TABLE[self as usize]
    }

    /// Reads a name with spaces or underscores, in any case, with any number of blanks.
    pub fn parse(name: &str) -> Result<Self, UnknownOperator> {
        let words: Vec<_> = name
            .split(|c: char| c == '_' || c.is_whitespace())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        let wanted = words.join(" ");
        Self::ALL.into_iter().find(|operator| operator.name() == wanted).ok_or_else(|| UnknownOperator(name.to_owned()))
    }

    /// Its name with spaces: "is any of".
    pub fn name(self) -> &'static str {
        self.properties().name
    }

    /// Whether it applies to attributes of this kind. A json value accepts every operator.
    pub fn applies_to(self, kind: Kind) -> bool {
        self.properties().kinds.contains(&kind)
    }

    /// The operators of this kind.
    pub fn of_kind(kind: Kind) -> impl Iterator<Item = Operator> {
        Self::ALL.into_iter().filter(move |operator| operator.applies_to(kind))
    }

    /// How many values it compares with.
    pub fn needs(self) -> Needs {
        self.properties().needs
    }

    /// Whether it judges the row as it is, or the step from the old value to the new one.
    pub fn describes(self) -> Describes {
        self.properties().describes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (i, row) in TABLE.iter().enumerate() {
            assert_eq!(row.operator as usize, i);
            assert_eq!(Operator::ALL[i], row.operator);
        }
    }

    #[test]
    fn operators_are_accepted_with_spaces_or_underscores_in_any_case() {
        for operator in Operator::ALL {
            let name = operator.name();
            for form in [
                name.to_owned(),
                name.replace(' ', "_"),
                name.to_uppercase(),
                format!("  {}\t", name.replace(' ', " _ \n ")),
            ] {
                assert_eq!(Operator::parse(&form), Ok(operator), "{form:?}");
            }
        }
    }

    #[test]
    fn anything_else_is_unknown() {
        for name in ["", " ", "is_", "isnot", "=", "is not not", "wırd", "is\0"] {
            let result = Operator::parse(name);
            if name == "is_" {
                assert_eq!(result, Ok(Operator::Is));
            } else {
                assert_eq!(result, Err(UnknownOperator(name.to_owned())));
            }
        }
    }

    #[test]
    fn each_kind_has_the_operators_of_the_reference() {
        let names = |kind| Operator::of_kind(kind).map(Operator::name).collect::<Vec<_>>().join(", ");
        assert_eq!(
            names(Kind::Text),
            "is, is not, is any of, contains, does not contain, starts with, ends with, has any value, is unknown, is changed"
        );
        assert_eq!(
            names(Kind::Number),
            "is, is not, is any of, greater than, less than, at least, at most, is increased, is decreased, \
             is increased by, has any value, is unknown, is changed"
        );
        assert_eq!(names(Kind::Boolean), "is, is not, has any value, is unknown, is changed");
        assert_eq!(names(Kind::Moment), "has any value");
        assert_eq!(names(Kind::List), "contains, does not contain, has any value, is unknown, is changed");
        assert_eq!(Operator::of_kind(Kind::Json).collect::<Vec<_>>(), Operator::ALL);
    }

    #[test]
    fn only_steps_describe_a_change() {
        let changes: Vec<_> = Operator::ALL.into_iter().filter(|o| o.describes() == Describes::Change).collect();
        use Operator::*;
        assert_eq!(changes, [IsIncreased, IsDecreased, IsIncreasedBy, IsChanged]);
    }

    #[test]
    fn the_operators_without_a_value_are_those_of_the_reference() {
        let none: Vec<_> = Operator::ALL.into_iter().filter(|o| o.needs() == Needs::None).collect();
        use Operator::*;
        assert_eq!(none, [IsIncreased, IsDecreased, HasAnyValue, IsUnknown, IsChanged]);
        let lists: Vec<_> = Operator::ALL.into_iter().filter(|o| o.needs() == Needs::List).collect();
        assert_eq!(lists, [IsAnyOf]);
    }
}
