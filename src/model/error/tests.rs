use super::*;

/// One error of each row of the reference's list, with its SQLSTATE.
fn every_error() -> Vec<(&'static str, Error)> {
    use Error::*;
    let s = |text: &str| text.to_owned();
    let near = || Some(s("upgrade"));
    vec![
        ("42704", UnknownMessage { name: s("upgarde"), nearest: near() }),
        ("42704", UnknownMessage { name: s("it's"), nearest: None }),
        ("42704", UnknownGoal { message: s("m"), name: s("g"), nearest: near() }),
        ("42704", UnknownGoal { message: s("m"), name: s("g"), nearest: None }),
        ("42704", UnknownVariant { message: s("m"), name: s("b"), nearest: near() }),
        ("42704", UnknownVariant { message: s("m"), name: s("b"), nearest: None }),
        ("42704", UnknownVariant { message: s("m"), name: s("control"), nearest: None }),
        ("42704", UnknownVariant { message: s("m"), name: s("held out"), nearest: None }),
        ("42704", ControlOfProgramme { message: s("m"), programme: s("p") }),
        ("42704", UnknownBaseline { message: s("m"), name: s("b"), variants: vec![s("a"), s("c")] }),
        ("42704", UnknownBaseline { message: s("m"), name: s("b"), variants: vec![] }),
        ("P0002", UnknownReceipt { receipt_id: 7 }),
        ("42703", UnknownColumn { relation: s("users"), name: s("plann"), columns: vec![s("id"), s("plan")] }),
        ("42703", UnknownColumn { relation: s("users"), name: s("plan"), columns: vec![] }),
        ("22023", UnknownOperator { name: s("equals") }),
        ("22023", OperatorNotForType { operator: "greater than", type_name: s("boolean"), kind: Kind::Boolean }),
        ("22023", OperatorNotForType { operator: "is", type_name: s("date"), kind: Kind::Moment }),
        ("22023", ValueMissing { operator: "is" }),
        ("22023", ValueUnexpected { operator: "is changed" }),
        ("22P02", InvalidValue { value: s("x"), type_name: s("integer") }),
        ("22P02", OutOfRange { value: s("40000"), type_name: s("smallint"), range: [s("-32768"), s("32767")] }),
        ("22P02", InvalidArray { value: s("pro,team") }),
        ("22023", TimeLimit { problem: TimeLimitProblem::Missing }),
        ("22023", TimeLimit { problem: TimeLimitProblem::NotPositive }),
        ("22023", TimeLimit { problem: TimeLimitProblem::Infinite }),
        ("22023", TimeLimit { problem: TimeLimitProblem::Months }),
        ("22023", TimeLimit { problem: TimeLimitProblem::TooLong }),
        ("22023", AttributeAndEvent { both: true }),
        ("22023", AttributeAndEvent { both: false }),
        ("22023", InvalidArgument { message: s("share must be between 0 and 1"), hint: s("Pass 0.5.") }),
        ("42710", NameTaken { what: "message", name: s("m") }),
        ("42704", UnknownMessageOrReceipt { name: s("216"), call: "goals.record_opened" }),
        ("42704", UnknownVariant { message: s("m"), name: s("2026-11-29T23:32:42Z"), nearest: None }),
        ("P0002", SeveralUsers { key: s("{7,8}"), relation: s("users") }),
        ("P0002", UnknownUser { key: s("7"), relation: s("users") }),
        ("P0002", NoReceipt { message: s("m"), key: s("7") }),
        ("P0002", NoReceiptOfHeldOut { message: s("m"), key: s("7") }),
        ("P0002", WithdrawnReceipt { message: s("m"), key: s("7"), receipt_id: 8, call: "goals.record_opened" }),
        ("55000", ControlReceipt { receipt_id: 7 }),
        ("55000", EntryReceipt { receipt_id: 7 }),
        ("55000", NoUsersTable),
        ("55000", SeveralUsersTables { relations: vec![s("a.users"), s("b.users")] }),
        ("55000", NotTracked { relation: s("users") }),
        ("55000", NotUsersTable { relation: s("sends"), kind: s("receipts"), users: vec![s("users")] }),
        ("42809", WrongRelation { relation: s("v"), why: s("is a view") }),
        ("55000", NoKey { relation: s("users"), why: s("has no primary key") }),
        ("55000", NotUnique { relation: s("users"), column: s("email") }),
        ("55000", HasMessages { relation: s("users") }),
        ("55000", UsersTableDropped),
        ("55000", Covered { relation: s("users_eu"), parent: s("users") }),
        ("42501", NotOwner { relation: s("users") }),
        ("42501", OwnerUnknown),
        ("42501", NoTriggerRight { relation: s("users_eu"), owner: s("shop") }),
        ("42501", NoUsage { schema: s("shop"), user: s("anna") }),
        ("42501", NoSelect { relation: s("users"), column: s("a \"b"), user: s("anna") }),
        ("42501", RowSecurity { relation: s("users"), user: s("anna") }),
        ("0A000", OnManyNodes { relation: s("users"), kind: "a distributed table of Citus" }),
        ("55000", Frozen { message: s("m") }),
        ("22008", FutureTime { what: "sent_at" }),
        ("55P03", LockNotAvailable { relation: s("users") }),
        ("22023", NullArgument { name: "message" }),
        ("22023", UnknownModel { name: s("last") }),
        ("25006", InRecovery),
        ("55000", TotalsOwner),
    ]
}

#[test]
fn every_error_has_its_sqlstate_and_a_message_in_postgresqls_style() {
    for (sqlstate, error) in every_error() {
        assert_eq!(error.sqlstate(), sqlstate, "{error:?}");
        let message = error.message();
        assert!(!message.ends_with('.') && !message.contains('\n'), "{message}");
        assert!(message.starts_with(|c: char| c.is_ascii_lowercase() || c == '"'), "{message}");
        assert_eq!(error.to_string(), message);
        let boxed: Box<dyn std::error::Error> = Box::new(error);
        assert_eq!(boxed.to_string(), message);
    }
}

#[test]
fn every_detail_and_hint_is_a_sentence() {
    for (_, error) in every_error() {
        for sentence in [error.detail(), error.hint()].into_iter().flatten() {
            assert!(sentence.ends_with('.') && sentence.starts_with(|c: char| c.is_uppercase()), "{sentence}");
        }
        assert!(error.hint().is_some(), "{error:?}");
    }
    assert_eq!(every_error().iter().filter(|(_, error)| error.detail().is_some()).count(), 12);
}

#[test]
fn hints_say_what_to_do() {
    let hints: Vec<_> = every_error().iter().map(|(_, error)| error.hint().unwrap()).collect();
    let has = |text: &str| assert!(hints.iter().any(|hint| hint.contains(text)), "{text}");
    has("Perhaps you meant \"upgrade\".");
    has("GRANT SELECT (\"a \"\"b\") ON users TO anna.");
    has("GRANT TRIGGER ON users_eu TO shop.");
    has("SELECT undistribute_table('users').");
    has("goals.create_message('it''s')");
    has("goals.set_goal('m', ..., goal => 'g')");
    has("goals.add_variant('m', 'b')");
    has("The variants are \"a\", \"c\".");
    has("The models are \"first touch\", \"last touch\", \"last click\", \"linear\", \"time decay\".");
    has("The table has the attributes id, plan.");
    has("A date or time accepts only \"has any value\".");
    has("A boolean accepts the operators \"is\", \"is not\", \"has any value\", \"is unknown\", \"is changed\".");
    has("such as {pro,team}");
    has("time_limit => '7 days'");
    has("time_limit => '30 days'");
    has("users => 'public.users'");
    has("goals.track_users('users')");
    has("cast the parameters: goals.record_opened($1::bigint, $2::timestamptz).");
    has("sent_at => $3::timestamptz.");
    has("goals.deliver(): $2::text[].");
    has("key => 'column'");
    has("goals.set_control_group('m').");
    has("record them with variant => 'held out'.");
    has("name the receipt: goals.record_opened(8).");
    has("The tracked users tables are users.");
    let all = Error::UnknownOperator { name: String::new() }.hint().unwrap();
    assert!(Operator::ALL.iter().all(|operator| all.contains(&format!("\"{}\"", operator.name()))));
    let detail = Error::SeveralUsersTables { relations: vec!["a".into(), "b".into()] }.detail();
    assert_eq!(detail.as_deref(), Some("Tracked users tables: a, b."));
}

#[test]
fn functions_in_sql_raise_the_same_errors() {
    use Error::*;
    let s = |text: &str| text.to_owned();
    let sql = |code: &str, arguments: &[&str]| Error::from_sql(code, arguments).unwrap();
    for parameter in SQL_PARAMETERS {
        assert_eq!(sql("null_argument", &[parameter]), NullArgument { name: parameter });
    }
    let near = Some(s("upgrade"));
    assert_eq!(
        sql("unknown_message", &["upgarde", "welcome", "upgrade"]),
        UnknownMessage { name: s("upgarde"), nearest: near.clone() }
    );
    assert_eq!(sql("unknown_message", &["upgarde"]), UnknownMessage { name: s("upgarde"), nearest: None });
    assert_eq!(
        sql("unknown_goal", &["m", "upgarde", "upgrade"]),
        UnknownGoal { message: s("m"), name: s("upgarde"), nearest: near }
    );
    assert_eq!(
        sql("unknown_baseline", &["m", "b", "a", "c"]),
        UnknownBaseline { message: s("m"), name: s("b"), variants: vec![s("a"), s("c")] }
    );
    assert_eq!(sql("several_users", &["users", "{1,2}"]), SeveralUsers { key: s("{1,2}"), relation: s("users") });
    assert_eq!(sql("unknown_model", &["last"]), UnknownModel { name: s("last") });
    assert_eq!(sql("half_life", &[]).message(), "half_life must be greater than zero");
    assert_eq!(sql("no_users_table", &[]), NoUsersTable);
    assert_eq!(sql("several_users_tables", &["a", "b"]), SeveralUsersTables { relations: vec![s("a"), s("b")] });
    assert_eq!(sql("not_tracked", &["users"]), NotTracked { relation: s("users") });
    assert_eq!((sql("in_recovery", &[]), sql("totals_owner", &[])), (InRecovery, TotalsOwner));
    for (code, arguments) in [("", &[][..]), ("unknown_goal", &["m"]), ("null_argument", &["x"]), ("half_life", &["x"])]
    {
        assert_eq!(Error::from_sql(code, arguments), None);
    }
}

#[test]
fn an_error_of_sql_quotes_the_beginning_of_a_long_name() {
    let long = "é".repeat(1_000_000);
    for (code, arguments) in [("unknown_message", vec![long.as_str()]), ("unknown_goal", vec!["welcome", &long])] {
        let error = Error::from_sql(code, &arguments).unwrap();
        assert!(error.message().len() < 1_100 && error.hint().unwrap().len() < 1_200, "{code}");
    }
}
