//! Every error of a wrong call: one enum, mapped to SQLSTATE, message, detail and hint (reference, Errors).

use std::fmt;

use super::nearest::nearest;
use super::operator::{Operator, UnknownOperator};
use super::time_limit::TimeLimitProblem;
use super::untyped;
use super::value::Kind;

/// The result of a function that a caller's input can make fail.
pub type Result<T> = std::result::Result<T, Error>;

/// Every error the extension raises on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// No message of that name.
    UnknownMessage { name: String, nearest: Option<String> },
    /// The message has no goal of that name.
    UnknownGoal { message: String, name: String, nearest: Option<String> },
    /// The message has no variant of that name.
    UnknownVariant { message: String, name: String, nearest: Option<String> },
    /// The message has no control group, but a programme above it has one.
    ControlOfProgramme { message: String, programme: String },
    /// The message has no variant of that name to compare with; `variants` are those it has.
    UnknownBaseline { message: String, name: String, variants: Vec<String> },
    /// No receipt of that number.
    UnknownReceipt { receipt_id: i64 },
    /// The table has no such column; `columns` are those it has.
    UnknownColumn { relation: String, name: String, columns: Vec<String> },
    /// No operator of that name.
    UnknownOperator { name: String },
    /// The operator exists, but not for this type.
    OperatorNotForType { operator: &'static str, type_name: String, kind: Kind },
    /// The operator compares with a value and none was given.
    ValueMissing { operator: &'static str },
    /// The operator takes no value and one was given.
    ValueUnexpected { operator: &'static str },
    /// The value cannot be read as the attribute's type.
    InvalidValue { value: String, type_name: String },
    /// The attribute's type has no such number; `range` has the least and the greatest one.
    OutOfRange { value: String, type_name: String, range: [String; 2] },
    /// The value of `is any of` is not a list of values.
    InvalidArray { value: String },
    /// The time limit is missing or out of range.
    TimeLimit { problem: TimeLimitProblem },
    /// Attribute and event were both given, or neither, as `both` says: a goal takes one of them.
    AttributeAndEvent { both: bool },
    /// Any other argument out of range, with its message and hint.
    InvalidArgument { message: String, hint: String },
    /// An object of this name exists; `what` is its kind (message, variant, ...).
    NameTaken { what: &'static str, name: String },
    /// Another message is known by this id; `message` is its name.
    KnownAsTaken { known_as: String, message: String },
    /// No message of that name, which is a number: `call` takes the id of a receipt as a bigint only.
    UnknownMessageOrReceipt { name: String, call: &'static str },
    /// The users table has no such key.
    UnknownUser { key: String, relation: String },
    /// The users table has no such key, which reads as a list of keys.
    SeveralUsers { key: String, relation: String },
    /// The user has no receipt of the message at or before the time given.
    NoReceipt { message: String, key: String },
    /// The same of a user whom a programme holds out of the message.
    NoReceiptOfHeldOut { message: String, key: String },
    /// The user's only receipts of the message until then are withdrawn, this one last; `call` takes its id.
    WithdrawnReceipt { message: String, key: String, receipt_id: i64, call: &'static str },
    /// Nothing can happen to a control-group receipt: nothing was sent.
    ControlReceipt { receipt_id: i64 },
    /// An entry into a programme cannot be withdrawn: it is no message.
    EntryReceipt { receipt_id: i64 },
    /// No users table is tracked.
    NoUsersTable,
    /// Several users tables are tracked and none was named.
    SeveralUsersTables { relations: Vec<String> },
    /// The relation is not tracked.
    NotTracked { relation: String },
    /// The relation is tracked, for events or receipts as `kind` says, and is named as a users table; `users` are these.
    NotUsersTable { relation: String, kind: String, users: Vec<String> },
    /// The relation is of a kind that cannot be tracked; `why` completes "relation ...".
    WrongRelation { relation: String, why: String },
    /// The relation has no usable key; `why` completes "relation ...".
    NoKey { relation: String, why: String },
    /// No unique index of the users table names one user by this column.
    NotUnique { relation: String, column: String },
    /// A user may have several rows in a table of attributes.
    SeveralRowsPerUser { relation: String, column: String },
    /// The column named as the key is of a type that cannot be one; `types` says which can.
    KeyType { relation: String, column: String, type_name: String, types: &'static str },
    /// The table is tracked as something else.
    AlreadyTracked { relation: String, kind: String },
    /// The table that is to take the place of another one has messages.
    HasMessages { relation: String },
    /// The users table of a message has been dropped.
    UsersTableDropped,
    /// The table is a partition of one that is tracked.
    Covered { relation: String, parent: String },
    /// The caller does not own the relation.
    NotOwner { relation: String },
    /// The table has been dropped, and so it is not known who owned it; the caller is no superuser.
    OwnerUnknown,
    /// The owner of the partitioned table above may not create triggers on this one.
    NoTriggerRight { relation: String, owner: String },
    /// The caller may not use the schema of a table whose values a goal would show.
    NoUsage { schema: String, user: String },
    /// The caller may not read the column whose values a goal would show.
    NoSelect { relation: String, column: String, user: String },
    /// Row security hides rows of the table from the caller, and a goal would show their values.
    RowSecurity { relation: String, user: String },
    /// The table's rows are in shards; `kind` completes "relation ... is".
    OnManyNodes { relation: String, kind: &'static str },
    /// Variants and control group are fixed once the first receipt exists.
    Frozen { message: String },
    /// A time is more than five minutes in the future; `what` is the parameter.
    FutureTime { what: &'static str },
    /// No attribution model of that name.
    UnknownModel { name: String },
    /// The server is a standby, which cannot write.
    InRecovery,
    /// A table of the totals has another owner than the extension.
    TotalsOwner,
    /// Another session holds a lock on the table.
    LockNotAvailable { relation: String },
    /// A parameter is NULL that must not be.
    NullArgument { name: &'static str },
}

impl Error {
    /// The five-character SQLSTATE.
    pub fn sqlstate(&self) -> &'static str {
        use Error::*;
        match self {
            UnknownMessage { .. }
            | UnknownMessageOrReceipt { .. }
            | UnknownGoal { .. }
            | UnknownVariant { .. }
            | ControlOfProgramme { .. }
            | UnknownBaseline { .. } => "42704",
            UnknownReceipt { .. }
            | UnknownUser { .. }
            | SeveralUsers { .. }
            | NoReceipt { .. }
            | NoReceiptOfHeldOut { .. }
            | WithdrawnReceipt { .. } => "P0002",
            UnknownColumn { .. } => "42703",
            UnknownOperator { .. }
            | OperatorNotForType { .. }
            | ValueMissing { .. }
            | ValueUnexpected { .. }
            | TimeLimit { .. }
            | AttributeAndEvent { .. }
            | InvalidArgument { .. }
            | UnknownModel { .. }
            | NullArgument { .. } => "22023",
            InvalidValue { .. } | OutOfRange { .. } | InvalidArray { .. } => "22P02",
            NameTaken { .. } | KnownAsTaken { .. } => "42710",
            ControlReceipt { .. }
            | EntryReceipt { .. }
            | NoUsersTable
            | UsersTableDropped
            | SeveralUsersTables { .. }
            | NotTracked { .. }
            | NotUsersTable { .. }
            | NoKey { .. }
            | NotUnique { .. }
            | SeveralRowsPerUser { .. }
            | KeyType { .. }
            | Covered { .. }
            | HasMessages { .. }
            | TotalsOwner
            | Frozen { .. } => "55000",
            InRecovery => "25006",
            WrongRelation { .. } | AlreadyTracked { .. } => "42809",
            NotOwner { .. }
            | OwnerUnknown
            | NoTriggerRight { .. }
            | NoUsage { .. }
            | NoSelect { .. }
            | RowSecurity { .. } => "42501",
            OnManyNodes { .. } => "0A000",
            FutureTime { .. } => "22008",
            LockNotAvailable { .. } => "55P03",
        }
    }

    /// The primary message, in PostgreSQL's style: lower case, no full stop.
    pub fn message(&self) -> String {
        use Error::*;
        match self {
            UnknownMessage { name, .. } | UnknownMessageOrReceipt { name, .. } => {
                format!("message \"{name}\" does not exist")
            }
            UnknownGoal { message, name, .. } => {
                format!("goal \"{name}\" of message \"{message}\" does not exist")
            }
            UnknownVariant { message, name, .. } | UnknownBaseline { message, name, .. } => {
                format!("variant \"{name}\" of message \"{message}\" does not exist")
            }
            ControlOfProgramme { message, .. } => format!("message \"{message}\" has no control group"),
            UnknownReceipt { receipt_id } => format!("receipt {receipt_id} does not exist"),
            UnknownColumn { relation, name, .. } => {
                format!("column \"{name}\" of relation \"{relation}\" does not exist")
            }
            UnknownOperator { name } => format!("operator \"{name}\" does not exist"),
            OperatorNotForType { operator, type_name, .. } => {
                format!("operator \"{operator}\" does not apply to type {type_name}")
            }
            ValueMissing { operator } => format!("operator \"{operator}\" needs a value"),
            ValueUnexpected { operator } => format!("operator \"{operator}\" takes no value"),
            InvalidValue { value, type_name } => {
                format!("invalid input syntax for type {type_name}: \"{value}\"")
            }
            OutOfRange { value, type_name, .. } => {
                format!("value \"{value}\" is out of range for type {type_name}")
            }
            InvalidArray { value } => format!("invalid list of values: \"{value}\""),
            TimeLimit { problem } => problem.message().to_owned(),
            AttributeAndEvent { both: true } => "a goal cannot have both an attribute and an event".to_owned(),
            AttributeAndEvent { both: false } => "a goal needs an attribute or an event".to_owned(),
            InvalidArgument { message, .. } => message.clone(),
            NameTaken { what, name } => format!("{what} \"{name}\" already exists"),
            KnownAsTaken { known_as, message } => format!("message \"{message}\" is already known as \"{known_as}\""),
            UnknownUser { key, relation } | SeveralUsers { key, relation } => {
                format!("user \"{key}\" does not exist in relation \"{relation}\"")
            }
            NoReceipt { message, key }
            | NoReceiptOfHeldOut { message, key }
            | WithdrawnReceipt { message, key, .. } => {
                format!("user \"{key}\" has no receipt of message \"{message}\" at that time")
            }
            ControlReceipt { receipt_id } => {
                format!("receipt {receipt_id} belongs to the control group")
            }
            EntryReceipt { receipt_id } => format!("receipt {receipt_id} is an entry into a programme"),
            NoUsersTable => "no users table is tracked".to_owned(),
            UsersTableDropped => "the users table of this message has been dropped".to_owned(),
            SeveralUsersTables { .. } => "more than one users table is tracked".to_owned(),
            NotTracked { relation } => format!("relation \"{relation}\" is not tracked"),
            NotUsersTable { relation, kind, .. } => {
                format!("relation \"{relation}\" is tracked for {kind} and is not a users table")
            }
            WrongRelation { relation, why } | NoKey { relation, why } => format!("relation \"{relation}\" {why}"),
            NotUnique { relation, column } => {
                format!("no unique index of relation \"{relation}\" names one user by column \"{column}\"")
            }
            SeveralRowsPerUser { relation, column } => {
                format!("no unique index of relation \"{relation}\" is on column \"{column}\" alone")
            }
            KeyType { relation, column, type_name, .. } => {
                format!("column \"{column}\" of relation \"{relation}\" of type {type_name} cannot be a user key")
            }
            AlreadyTracked { relation, kind } => format!("relation \"{relation}\" is already tracked for {kind}"),
            Covered { relation, parent } => {
                format!("relation \"{relation}\" is a partition of \"{parent}\", which is tracked")
            }
            HasMessages { relation } => format!("relation \"{relation}\" has messages of its own"),
            NotOwner { relation } => format!("must be owner of relation \"{relation}\""),
            OwnerUnknown => "must be superuser to hand over the users of a table that has been dropped".to_owned(),
            NoTriggerRight { relation, .. } => format!("permission denied for partition \"{relation}\""),
            NoUsage { schema, .. } => format!("permission denied for schema {schema}"),
            NoSelect { relation, column, .. } => {
                format!("permission denied for column \"{column}\" of relation \"{relation}\"")
            }
            RowSecurity { relation, .. } => format!("row security restricts which rows of \"{relation}\" can be read"),
            OnManyNodes { relation, kind } => format!("relation \"{relation}\" is {kind}"),
            Frozen { message } => format!("message \"{message}\" already has receipts"),
            FutureTime { what } => format!("\"{what}\" is more than 5 minutes in the future"),
            UnknownModel { name } => format!("attribution model \"{name}\" does not exist"),
            InRecovery => "cannot execute goals.roll_up() during recovery".to_owned(),
            TotalsOwner => "a table of the totals has another owner than the extension".to_owned(),
            LockNotAvailable { relation } => {
                format!("could not obtain lock on relation \"{relation}\"")
            }
            NullArgument { name } => format!("\"{name}\" must not be null"),
        }
    }

    /// More about what was found; `None` where there is nothing to add.
    pub fn detail(&self) -> Option<String> {
        use Error::*;
        match self {
            SeveralUsersTables { relations } => Some(format!("Tracked users tables: {}.", relations.join(", "))),
            NoReceipt { .. } => {
                Some("A report belongs to the latest receipt sent at or before its time that is not withdrawn.".into())
            }
            NoReceiptOfHeldOut { .. } => Some("A programme holds the user out of this message.".into()),
            WithdrawnReceipt { receipt_id, .. } => {
                Some(format!("Receipt {receipt_id} has been withdrawn: the message was never sent."))
            }
            OwnerUnknown => Some("Of a table that has been dropped it is not known who owned it.".into()),
            ControlReceipt { .. } => {
                Some("A user of the control group is sent nothing, so there is nothing to report.".into())
            }
            NoTriggerRight { owner, .. } => {
                Some(format!("The owner of the partitioned table, {owner}, has no right to create triggers on it."))
            }
            NoUsage { .. } | NoSelect { .. } => {
                Some("A goal shows for each user whether the value satisfies it.".into())
            }
            RowSecurity { .. } => Some("A goal shows values of all users.".into()),
            OnManyNodes { .. } => {
                Some("Its rows are in shards: changes there are not seen, and users are not looked up.".into())
            }
            Frozen { .. } => Some("Variants and the control group are fixed once the first receipt exists.".into()),
            _ => None,
        }
    }

    /// What to do about it, as a full sentence; `None` where there is no advice.
    pub fn hint(&self) -> Option<String> {
        use Error::*;
        Some(match self {
            UnknownMessage { nearest: Some(nearest), .. }
            | UnknownGoal { nearest: Some(nearest), .. }
            | UnknownVariant { nearest: Some(nearest), .. } => format!("Perhaps you meant \"{nearest}\"."),
            UnknownMessage { name, nearest: None } => {
                format!("Create it with goals.create_message({}).", literal(name))
            }
            UnknownGoal { message, name, nearest: None } => {
                format!("Set it with goals.set_goal({}, ..., goal => {}).", literal(message), literal(name))
            }
            UnknownMessageOrReceipt { call, .. } => {
                format!("For a receipt cast the parameters: {call}($1::bigint, $2::timestamptz).")
            }
            UnknownVariant { name, nearest: None, .. } if untyped::begins_with_a_date(name) => {
                "The time is another parameter: sent_at => $3::timestamptz.".into()
            }
            UnknownVariant { message, name, nearest: None } if name == "control" => {
                format!("Set it before the first receipt with goals.set_control_group({}).", literal(message))
            }
            UnknownVariant { name, nearest: None, .. } if name == "held out" => {
                "Only messages that are part of a programme have such users. Those of a control group are 'control'.".into()
            }
            ControlOfProgramme { programme, .. } => {
                format!(
                    "That of the programme \"{programme}\" holds users back: record them with variant => 'held out'."
                )
            }
            UnknownVariant { message, name, nearest: None } => {
                format!(
                    "Add it before the first receipt with goals.add_variant({}, {}).",
                    literal(message),
                    literal(name)
                )
            }
            UnknownBaseline { variants, .. } if variants.is_empty() => {
                "The message has no variants: leave out baseline.".into()
            }
            UnknownBaseline { variants, .. } => {
                format!("The variants are {}.", quoted(variants))
            }
            UnknownReceipt { .. } => "Use the receipt_id that goals.record_sent() or goals.deliver() returned.".into(),
            UnknownColumn { columns, .. } if columns.is_empty() => "The table has no columns.".into(),
            UnknownColumn { columns, .. } => format!("The table has the attributes {}.", columns.join(", ")),
            UnknownOperator { .. } => format!("The operators are {}.", list(Operator::ALL.iter().copied())),
            OperatorNotForType { kind: Kind::Moment, .. } => {
                format!("A date or time accepts only \"{}\".", Operator::HasAnyValue.name())
            }
            OperatorNotForType { kind, .. } => {
                format!("A {} accepts the operators {}.", kind.name(), list(Operator::of_kind(*kind)))
            }
            ValueMissing { .. } => "Pass what to compare with as value => '...'.".into(),
            ValueUnexpected { .. } => "Leave out value.".into(),
            InvalidValue { type_name, .. } => format!("Pass a value of type {type_name}."),
            OutOfRange { range: [least, most], .. } => format!("It holds numbers from {least} to {most}."),
            InvalidArray { .. } => {
                "Write the values as a text array with at least one element, such as {pro,team}.".into()
            }
            TimeLimit { problem } => problem.hint().into(),
            AttributeAndEvent { .. } => {
                "Pass either attribute => 'plan' with an operator, or event => 'purchase'.".into()
            }
            InvalidArgument { hint, .. } => hint.clone(),
            NameTaken { what, .. } => format!("Choose another name for the {what}."),
            KnownAsTaken { .. } => "Pass another id in known_as, or leave it out.".into(),
            SeveralUsers { .. } => {
                "For several users cast the parameter of goals.record_sent() or goals.deliver(): $2::text[]. Other calls \
                 take one user."
                    .into()
            }
            UnknownUser { .. } => "Pass the text form of the key of an existing user.".into(),
            NoReceipt { message, .. } => {
                format!(
                    "Record what was sent first, with goals.record_sent({}, ...) or goals.deliver().",
                    literal(message)
                )
            }
            ControlReceipt { .. } | NoReceiptOfHeldOut { .. } => {
                "Report what happens to a message only if goals.deliver() returned send.".into()
            }
            WithdrawnReceipt { receipt_id, call, .. } => {
                format!("If the message was sent after all, name the receipt: {call}({receipt_id}).")
            }
            EntryReceipt { .. } => "Name the receipt of a message that is part of the programme.".into(),
            NoUsersTable => "Track one with goals.track_users('public.users').".into(),
            UsersTableDropped => {
                "Hand it over to the table that has taken its place with goals.move_users(), or create another message."
                    .into()
            },
            SeveralUsersTables { .. } => "Name one with users => 'public.users'.".into(),
            NotTracked { relation } => format!(
                "Track it with goals.track_users({0}), goals.track_events({0}, ...) or goals.track_receipts({0}, ...).",
                literal(relation)
            ),
            NotUsersTable { users, .. } => format!("The tracked users tables are {}.", users.join(", ")),
            WrongRelation { .. } => {
                "Pass an ordinary or partitioned table that is neither temporary nor a system catalog.".into()
            }
            NoKey { .. } => "Pass key => 'column', or add a primary key of a single column.".into(),
            NotUnique { column, .. } => format!(
                "Create a unique index on that column alone, or on lower({column}). Users whom a partial one leaves out are unknown."
            ),
            SeveralRowsPerUser { column, .. } => format!(
                "Create a unique index on {column}, without WHERE. A user has at most one row in such a table: several rows per \
                 user are events (goals.track_events) or memberships (goals.track_membership)."
            ),
            KeyType { types, .. } => format!("A user key is {types}."),
            AlreadyTracked { relation, .. } => format!("Untrack it first with goals.untrack({}).", literal(relation)),
            Covered { parent, .. } => {
                format!("Its changes are tracked through {parent}: use that table instead.")
            }
            HasMessages { .. } => {
                "Drop them with goals.drop_message(): receipts of two tables cannot be told apart in one.".into()
            }
            NotOwner { .. } => "Ask the owner of the table to make this call.".into(),
            OwnerUnknown => "Ask a superuser to make this call.".into(),
            NoTriggerRight { relation, owner } => format!("GRANT TRIGGER ON {relation} TO {owner}."),
            NoUsage { schema, user } => format!("GRANT USAGE ON SCHEMA {schema} TO {user}."),
            NoSelect { relation, column, user } => {
                format!("GRANT SELECT ({}) ON {relation} TO {user}.", identifier(column))
            }
            RowSecurity { user, .. } => {
                format!(
                    "Let the owner of the table make this call, or a role with BYPASSRLS: ALTER ROLE {user} BYPASSRLS."
                )
            }
            OnManyNodes { relation, .. } => {
                format!("Only tables on this server can be tracked: SELECT undistribute_table({}).", literal(relation))
            }
            Frozen { .. } => "Create a new message for the new test.".into(),
            FutureTime { .. } => "Pass the time at which it happened; check the clock of the sending system.".into(),
            UnknownModel { .. } => format!("The models are {}.", quoted(&ATTRIBUTION_MODELS)),
            InRecovery => "Call it on the primary; the figures are exact here as well.".into(),
            TotalsOwner => "Call goals.health(): it shows which table, and how to restore its owner.".into(),
            LockNotAvailable { .. } => {
                "Another session is using the table; try again when its transaction has ended.".into()
            }
            NullArgument { name } => format!("Pass a value for {name}."),
        })
    }
}

/// The models of goals.attribution().
const ATTRIBUTION_MODELS: [&str; 5] = ["first touch", "last touch", "last click", "linear", "time decay"];

/// The parameters for which functions in SQL refuse NULL.
const SQL_PARAMETERS: [&str; 6] = ["message", "goal", "user_key", "before", "role", "what"];

impl Error {
    /// The error that a function in SQL raises. `None` for an unknown code or missing arguments.
    ///
    /// | code                   | arguments                                            |
    /// |------------------------|------------------------------------------------------|
    /// | `null_argument`        | the parameter                                        |
    /// | `unknown_message`      | the name, then all names of messages                 |
    /// | `unknown_goal`         | the message, the name, then all goals of the message |
    /// | `unknown_baseline`     | the message, the name, then all its variants         |
    /// | `unknown_model`        | the name                                             |
    /// | `half_life`            | none                                                 |
    /// | `no_users_table`       | none                                                 |
    /// | `several_users_tables` | all of them                                          |
    /// | `not_tracked`          | the relation                                         |
    /// | `in_recovery`          | none                                                 |
    /// | `totals_owner`         | none                                                 |
    pub fn from_sql(code: &str, arguments: &[&str]) -> Option<Self> {
        // No name is longer: an error quotes the beginning of what cannot be one.
        let arguments: Vec<&str> = arguments.iter().map(|name| &name[..name.floor_char_boundary(1_000)]).collect();
        let arguments = arguments.as_slice();
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Some(match (code, arguments) {
            ("null_argument", [name]) => {
                Error::NullArgument { name: SQL_PARAMETERS.into_iter().find(|parameter| parameter == name)? }
            }
            ("unknown_message", [name, known @ ..]) => {
                Error::UnknownMessage { name: (*name).to_owned(), nearest: nearest(name, known) }
            }
            ("unknown_goal", [message, name, known @ ..]) => Error::UnknownGoal {
                message: (*message).to_owned(),
                name: (*name).to_owned(),
                nearest: nearest(name, known),
            },
            ("unknown_baseline", [message, name, variants @ ..]) => Error::UnknownBaseline {
                message: (*message).to_owned(),
                name: (*name).to_owned(),
                variants: owned(variants),
            },
            ("unknown_model", [name]) => Error::UnknownModel { name: (*name).to_owned() },
            ("several_users", [relation, key]) => {
                Error::SeveralUsers { key: (*key).to_owned(), relation: (*relation).to_owned() }
            }
            ("half_life", []) => Error::InvalidArgument {
                message: "half_life must be greater than zero".to_owned(),
                hint: "Pass an interval, for example half_life => '7 days'.".to_owned(),
            },
            ("no_users_table", []) => Error::NoUsersTable,
            ("several_users_tables", relations) => Error::SeveralUsersTables { relations: owned(relations) },
            ("not_tracked", [relation]) => Error::NotTracked { relation: (*relation).to_owned() },
            ("in_recovery", []) => Error::InRecovery,
            ("totals_owner", []) => Error::TotalsOwner,
            _ => return None,
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for Error {}

impl From<TimeLimitProblem> for Error {
    fn from(problem: TimeLimitProblem) -> Self {
        Error::TimeLimit { problem }
    }
}

impl From<UnknownOperator> for Error {
    fn from(UnknownOperator(name): UnknownOperator) -> Self {
        Error::UnknownOperator { name }
    }
}

/// A name as an SQL string literal, so that a hint can be pasted.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A name as a quoted SQL identifier.
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn list(operators: impl Iterator<Item = Operator>) -> String {
    quoted(&operators.map(Operator::name).collect::<Vec<_>>())
}

fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    let names: Vec<_> = names.iter().map(|name| format!("\"{}\"", name.as_ref())).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests;
