//! pg_goals from Rust with tokio-postgres: DATABASE_URL=postgresql://... cargo run --bin with_tokio_postgres

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{json, Map, Value};
use tokio_postgres::{Error, GenericClient, NoTls, Row};

const WATCHED: [&str; 6] = ["email", "balance", "score", "settings", "tags", "active"];

/// A customer, all of it. A numeric travels as text: its digits are its value.
struct Customer {
    id: i64,
    email: String,
    plan: String,
    sessions: i32,
    balance: String,
    score: f64,
    settings: Value,
    tags: Vec<String>,
    active: bool,
    signed_up: DateTime<Utc>,
    born: Option<NaiveDate>,
}

impl From<Row> for Customer {
    fn from(row: Row) -> Self {
        Customer {
            id: row.get("id"),
            email: row.get("email"),
            plan: row.get("plan"),
            sessions: row.get("sessions"),
            balance: row.get("balance"),
            score: row.get("score"),
            settings: row.get("settings"),
            tags: row.get("tags"),
            active: row.get("active"),
            signed_up: row.get("signed_up"),
            born: row.get("born"),
        }
    }
}

async fn load(db: &impl GenericClient, id: i64) -> Result<Customer, Error> {
    let query = "SELECT id, email, plan, sessions, balance::text, score, settings, tags, active, signed_up, born FROM customers WHERE id = $1";
    Ok(db.query_one(query, &[&id]).await?.into())
}

/// Writes every column, changed or not.
async fn save(db: &impl GenericClient, c: &Customer) -> Result<u64, Error> {
    let query = "UPDATE customers SET email = $2, plan = $3, sessions = $4, balance = $5::text::numeric, score = $6, settings = $7, tags = $8, \
                 active = $9, signed_up = $10, born = $11 WHERE id = $1";
    db.execute(query, &[&c.id, &c.email, &c.plan, &c.sessions, &c.balance, &c.score, &c.settings, &c.tags, &c.active, &c.signed_up, &c.born])
        .await
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let url = std::env::var("DATABASE_URL").expect("DATABASE_URL says which database");
    let (mut db, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);

    // a message and its goals
    db.execute("SELECT goals.create_message($1, channel => 'e-mail')", &[&"welcome"]).await?;
    db.execute("SELECT goals.set_goal('welcome', attribute => 'sessions', operator => 'is increased', time_limit => '3 days')", &[]).await?;
    db.execute(
        "SELECT goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => $1, time_limit => '14 days', goal => 'upgrade')",
        &[&"pro"],
    )
    .await?;
    db.execute(
        "SELECT goals.set_goal('welcome', event => 'order placed', time_limit => '7 days', value_from => 'amount', goal => 'order')",
        &[],
    )
    .await?;
    let watch = db.prepare("SELECT goals.set_goal('welcome', attribute => $1, operator => 'is changed', time_limit => '1 day', goal => $2)").await?;
    for column in WATCHED {
        db.execute(&watch, &[&column, &format!("{column} changed")]).await?;
    }

    // record, commit, then send: an audience, and one customer
    let keys: Vec<String> = (1..=20).map(|n: i32| n.to_string()).collect();
    let sent: i64 = db.query_one("SELECT goals.record_sent('welcome', $1::text[])", &[&keys]).await?.get(0);
    let send: bool = db.query_one("SELECT send FROM goals.deliver('welcome', $1::bigint)", &[&21i64]).await?.get(0);
    db.execute("SELECT goals.record_opened('welcome', $1::bigint)", &[&1i64]).await?;
    db.execute("SELECT goals.record_clicked('welcome', $1::bigint)", &[&2i64]).await?;

    // the application's own work
    for id in [1, 2, 3, 4, 5, 6, 25] {
        let mut customer = load(&db, id).await?;
        customer.sessions += 1;
        save(&db, &customer).await?;
    }
    for id in 7..=9 {
        let mut customer = load(&db, id).await?;
        customer.plan = "pro".into();
        save(&db, &customer).await?;
    }
    for id in 10..=14 {
        save(&db, &load(&db, id).await?).await?;
    }
    let mut customer = load(&db, 15).await?;
    customer.settings["theme"] = json!("dark");
    save(&db, &customer).await?;
    let transaction = db.transaction().await?;
    let mut customer = load(&transaction, 16).await?;
    customer.sessions += 1;
    save(&transaction, &customer).await?;
    transaction.rollback().await?;
    db.execute("SELECT goals.record_event($1::bigint, 'order placed', $2)", &[&3i64, &json!({"amount": 12.5})]).await?;

    // a mistake, told by its SQLSTATE
    let error = match db.execute("SELECT goals.record_sent('welcom', $1::bigint)", &[&1i64]).await {
        Ok(_) => Value::Null,
        Err(e) => match e.as_db_error() {
            Some(said) => json!(format!("{}: {}", said.code().code(), said.hint().unwrap_or_default())),
            None => return Err(e),
        },
    };

    // the figures
    let mut stats = Map::new();
    let query = "SELECT goal, sent, opened, clicked, already_matched, matched, worth::text FROM goals.message_stats WHERE message = $1";
    for row in db.query(query, &[&"welcome"]).await? {
        let count = |column: &str| row.get::<_, i64>(column);
        let figures = format!(
            "{} sent, {} opened, {} clicked, {} already matched, {} matched, worth {}",
            count("sent"), count("opened"), count("clicked"), count("already_matched"), count("matched"), row.get::<_, String>("worth"),
        );
        stats.insert(row.get("goal"), figures.into());
    }
    let mut who = Map::new();
    for row in db.query("SELECT goal, string_agg(user_key, ',' ORDER BY user_key::int) FROM goals.matches($1) GROUP BY goal", &[&"welcome"]).await? {
        who.insert(row.get(0), row.get::<_, String>(1).into());
    }
    let verdict: String = db.query_one("SELECT verdict FROM goals.explain('welcome', $1::bigint) WHERE goal = 'upgrade'", &[&9i64]).await?.get(0);
    println!("{}", json!({"sent": sent, "send": send, "error": error, "stats": stats, "who": who, "customer 9": verdict}));
    Ok(())
}
