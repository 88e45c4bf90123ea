//! Makes the calls with sqlx, each parameter of the Rust type that it is: pg-goals-calls CALLS.json

use serde_json::{json, Map, Value};
use sqlx::postgres::{PgArguments, PgConnection, PgDatabaseError};
use sqlx::query::Query;
use sqlx::types::Uuid;
use sqlx::{Connection, Error, Postgres};

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn each<T>(values: &Value, read: impl Fn(&Value) -> T) -> Vec<T> {
    values.as_array().expect("a list").iter().map(read).collect()
}

fn uuid(value: &Value) -> Uuid {
    Uuid::parse_str(&text(value)).expect("a uuid")
}

fn give<'q>(query: Query<'q, Postgres, PgArguments>, kind: &str, value: &Value) -> Query<'q, Postgres, PgArguments> {
    let number = |v: &Value| v.as_i64().expect("a number");
    match kind {
        "int" => query.bind(number(value)),
        "bool" => query.bind(value.as_bool().expect("a boolean")),
        "uuid" => query.bind(uuid(value)),
        "time" => query.bind(chrono::DateTime::parse_from_rfc3339(&text(value)).expect("a time").to_utc()),
        "json" => query.bind(value.clone()),
        "ints" => query.bind(each(value, number)),
        "texts" => query.bind(each(value, text)),
        "uuids" => query.bind(each(value, uuid)),
        _ => query.bind(text(value)),
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let mut db = PgConnection::connect(&std::env::var("DATABASE_URL").expect("DATABASE_URL")).await?;
    let file = std::env::args().nth(1).expect("the calls");
    let calls: Value = serde_json::from_str(&std::fs::read_to_string(file)?).expect("JSON");
    let mut said = Map::new();
    for call in calls.as_array().expect("a list") {
        let sql = text(&call["sql"]);
        // sqlx keeps a statement by its text alone, with the types of its first parameters
        let mut query = sqlx::query(&sql).persistent(false);
        for given in call["give"].as_array().expect("a list") {
            query = give(query, &text(&given[0]), &given[1]);
        }
        let outcome = match query.execute(&mut db).await {
            Ok(_) => Value::Null,
            Err(Error::Database(e)) => {
                let e = e.downcast_ref::<PgDatabaseError>();
                json!([e.code(), e.message(), e.hint()])
            }
            Err(e) => json!(["driver", e.to_string(), null]),
        };
        said.insert(text(&call["call"]), outcome);
    }
    println!("{}", Value::Object(said));
    Ok(())
}
