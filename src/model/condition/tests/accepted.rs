//! The conditions that a goal may be set to.

use super::*;

#[test]
fn an_operator_is_accepted_exactly_for_the_kinds_that_have_it() {
    for kind in KINDS {
        for operator in Operator::ALL {
            let result = Condition::new(kind, "a type", operator, some_value(kind, operator));
            match result {
                Ok(_) => assert!(operator.applies_to(kind)),
                Err(error) => {
                    assert!(!operator.applies_to(kind), "{kind:?} {operator:?}");
                    let type_name = "a type".to_owned();
                    assert_eq!(error, Error::OperatorNotForType { operator: operator.name(), type_name, kind });
                }
            }
        }
    }
}

#[test]
fn a_value_is_given_exactly_where_one_is_needed() {
    for operator in Operator::ALL {
        let name = operator.name();
        match operator.needs() {
            Needs::None => {
                assert_eq!(try_new(Kind::Json, name, Some("1")).unwrap_err(), Error::ValueUnexpected { operator: name })
            }
            _ => assert_eq!(try_new(Kind::Json, name, None).unwrap_err(), Error::ValueMissing { operator: name }),
        }
    }
}

#[test]
fn a_value_must_be_of_the_attributes_type() {
    let invalid = |kind, operator: &str, value: &str, type_name: &str| {
        let error = Condition::new(kind, type_name, Operator::parse(operator).unwrap(), Some(value)).unwrap_err();
        assert_eq!(error.sqlstate(), "22P02", "{operator} {value}");
        error
    };
    let error = invalid(Kind::Number, "is", "many", "numeric");
    assert_eq!(error, Error::InvalidValue { value: "many".into(), type_name: "numeric".into() });
    invalid(Kind::Number, "is", "", "numeric");
    invalid(Kind::Number, "is", "1.5", "integer");
    invalid(Kind::Number, "is not", "NaN", "bigint");
    invalid(Kind::Number, "is any of", "{1,1.5}", "smallint");
    invalid(Kind::Number, "is any of", "{1,x}", "numeric");
    invalid(Kind::Number, "at least", "x", "integer");
    invalid(Kind::Boolean, "is", "maybe", "boolean");
    let error = try_new(Kind::Json, "greater than", Some("x")).unwrap_err();
    assert_eq!(error, Error::InvalidValue { value: "x".into(), type_name: "numeric".into() });
    for operator in ["greater than", "less than", "at least", "at most"] {
        assert!(Condition::new(Kind::Number, "integer", Operator::parse(operator).unwrap(), Some("1.5")).is_ok());
    }
    assert!(Condition::new(Kind::Number, "integer", Operator::IsIncreasedBy, Some("0.5")).is_ok());
    assert!(Condition::new(Kind::Number, "integer", Operator::Is, Some("2.0")).is_ok());
    assert!(try_new(Kind::Number, "is", Some("1.5")).is_ok());
}

#[test]
fn is_any_of_takes_a_text_array() {
    for value in ["", "pro,team", "{}", "{NULL}", "{pro", "{{a}}"] {
        let error = try_new(Kind::Text, "is any of", Some(value)).unwrap_err();
        assert_eq!(error, Error::InvalidArray { value: value.to_owned() });
    }
    assert!(becomes(Kind::Text, "is any of", r#"{pro,NULL,"big team"}"#, text("big team")));
    assert!(becomes(Kind::Text, "is any of", "{pro,team}", text("pro")));
    assert!(!becomes(Kind::Text, "is any of", "{pro,team}", text("Pro")));
    assert!(becomes(Kind::Number, "is any of", "{1,2.50}", number("2.5")));
    assert!(!becomes(Kind::Number, "is any of", "{1,2.50}", number("2")));
}

#[test]
fn comparing_with_nan_or_growing_by_nothing_is_refused() {
    for kind in [Kind::Number, Kind::Json] {
        for operator in ["greater than", "less than", "at least", "at most"] {
            assert_eq!(try_new(kind, operator, Some("NaN")).unwrap_err().sqlstate(), "22023");
            assert!(try_new(kind, operator, Some("-Infinity")).is_ok());
        }
        for value in ["0", "-1", "NaN", "inf", "-inf"] {
            let error = try_new(kind, "is increased by", Some(value)).unwrap_err();
            assert_eq!(error.sqlstate(), "22023", "{value}");
            assert!(error.message().contains("is increased by") && error.hint().unwrap().contains("grow"));
        }
        assert!(try_new(kind, "is increased by", Some("1e-9")).is_ok());
        assert!(try_new(kind, "is", Some("NaN")).is_ok());
    }
}
