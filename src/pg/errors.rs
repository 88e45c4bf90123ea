//! Raising errors of the extension with their SQLSTATE, notices, and the server's log.

use super::encoding;
use crate::model::error::Error;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

fn code(sqlstate: &str) -> PgSqlErrorCode {
    match sqlstate {
        "0A000" => PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
        "22004" => PgSqlErrorCode::ERRCODE_NULL_VALUE_NOT_ALLOWED,
        "22008" => PgSqlErrorCode::ERRCODE_DATETIME_FIELD_OVERFLOW,
        "22023" => PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        "22P02" => PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION,
        "25006" => PgSqlErrorCode::ERRCODE_READ_ONLY_SQL_TRANSACTION,
        "42501" => PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        "42703" => PgSqlErrorCode::ERRCODE_UNDEFINED_COLUMN,
        "42704" => PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT,
        "42710" => PgSqlErrorCode::ERRCODE_DUPLICATE_OBJECT,
        "42809" => PgSqlErrorCode::ERRCODE_WRONG_OBJECT_TYPE,
        "55000" => PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "55P03" => PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE,
        "P0002" => PgSqlErrorCode::ERRCODE_NO_DATA_FOUND,
        _ => PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
    }
}

/// True for the errors by which an input function refuses a value: class 22 (data exception) and 42 (name or syntax).
/// False for a cancel or a lack of memory.
pub fn is_of_the_value(code: PgSqlErrorCode) -> bool {
    let class = |code: PgSqlErrorCode| code as i32 & 0xFFF;
    [PgSqlErrorCode::ERRCODE_DATA_EXCEPTION, PgSqlErrorCode::ERRCODE_SYNTAX_ERROR_OR_ACCESS_RULE_VIOLATION]
        .into_iter()
        .any(|of| class(of) == class(code))
}

/// Keeps backtraces from clients. If RUST_BACKTRACE is set in the server's environment, the panic hook of pgrx takes a
/// backtrace with each error that passes through this library and sends it as DETAIL. The hook is replaced by one that
/// ignores errors; a failed assertion is printed to the server's stderr, with a backtrace if RUST_BACKTRACE is set.
pub fn keep_backtraces_in_the_log() {
    drop(std::panic::take_hook());
    // If no hook is set, this is the standard library's.
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().is::<&str>() || info.payload().is::<String>() {
            print(info);
        }
    }));
}

/// Raises this error.
pub fn raise(error: &Error) -> ! {
    let mut report = ErrorReport::new(code(error.sqlstate()), to_server(error.message()), "pg_goals");
    if let Some(detail) = error.detail() {
        report = report.set_detail(to_server(detail));
    }
    if let Some(hint) = error.hint() {
        report = report.set_hint(to_server(hint));
    }
    report.report(PgLogLevel::ERROR);
    unreachable!("an error report of level ERROR does not return")
}

/// Sends a NOTICE to the caller of a function of the extension; never used by a trigger.
pub fn notice(message: String, hint: Option<&str>) {
    let report = ErrorReport::new(PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION, to_server(message), "pg_goals");
    match hint {
        Some(hint) => report.set_hint(to_server(hint.into())),
        None => report,
    }
    .report(PgLogLevel::NOTICE);
}

/// Sends a WARNING to the caller of a function of the extension; never used by a trigger.
pub fn warning(message: String, hint: Option<&str>) {
    let report = ErrorReport::new(PgSqlErrorCode::ERRCODE_WARNING, to_server(message), "pg_goals");
    match hint {
        Some(hint) => report.set_hint(to_server(hint.into())),
        None => report,
    }
    .report(PgLogLevel::WARNING);
}

/// Writes a line to the server's log only, so that nothing reaches the application's connection.
pub fn log(message: String) {
    ErrorReport::new(PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION, to_server(message), "pg_goals")
        .report(PgLogLevel::LOG_SERVER_ONLY);
}

/// The text with `?` for each character whose bytes differ in the server's encoding, because pgrx passes a Rust
/// string's bytes unconverted.
fn to_server(text: String) -> String {
    let same =
        |c: char| c.is_ascii() || *encoding::from_string(c.encode_utf8(&mut [0; 4])) == *c.to_string().as_bytes();
    if encoding::is_utf8() { text } else { text.chars().map(|c| if same(c) { c } else { '?' }).collect() }
}
