//! pg_goals from Rust with sqlx, queries checked at run time: DATABASE_URL=postgresql://... cargo run --bin with_sqlx

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{json, Map, Value};
use sqlx::postgres::{PgConnection, PgDatabaseError, PgPoolOptions, PgRow};
use sqlx::{query, query_scalar, Error, Row};

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

async fn load(db: &mut PgConnection, id: i64) -> Result<Customer, Error> {
    query("SELECT id, email, plan, sessions, balance::text, score, settings, tags, active, signed_up, born FROM customers WHERE id = $1")
        .bind(id)
        .try_map(|row: PgRow| {
            Ok(Customer {
                id: row.try_get("id")?,
                email: row.try_get("email")?,
                plan: row.try_get("plan")?,
                sessions: row.try_get("sessions")?,
                balance: row.try_get("balance")?,
                score: row.try_get("score")?,
                settings: row.try_get("settings")?,
                tags: row.try_get("tags")?,
                active: row.try_get("active")?,
                signed_up: row.try_get("signed_up")?,
                born: row.try_get("born")?,
            })
        })
        .fetch_one(db)
        .await
}

/// Writes every column, changed or not.
async fn save(db: &mut PgConnection, c: &Customer) -> Result<(), Error> {
    query(
        "UPDATE customers SET email = $2, plan = $3, sessions = $4, balance = $5::text::numeric, score = $6, settings = $7, tags = $8, \
         active = $9, signed_up = $10, born = $11 WHERE id = $1",
    )
    .bind(c.id)
    .bind(&c.email)
    .bind(&c.plan)
    .bind(c.sessions)
    .bind(&c.balance)
    .bind(c.score)
    .bind(&c.settings)
    .bind(&c.tags)
    .bind(c.active)
    .bind(c.signed_up)
    .bind(c.born)
    .execute(db)
    .await?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let pool = PgPoolOptions::new().max_connections(2).connect(&std::env::var("DATABASE_URL").expect("DATABASE_URL says which database")).await?;

    // a message and its goals
    query("SELECT goals.create_message($1, channel => 'e-mail')").bind("welcome").execute(&pool).await?;
    query("SELECT goals.set_goal('welcome', attribute => 'sessions', operator => 'is increased', time_limit => '3 days')").execute(&pool).await?;
    query("SELECT goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => $1, time_limit => '14 days', goal => 'upgrade')")
        .bind("pro")
        .execute(&pool)
        .await?;
    query("SELECT goals.set_goal('welcome', event => 'order placed', time_limit => '7 days', value_from => 'amount', goal => 'order')")
        .execute(&pool)
        .await?;
    for column in WATCHED {
        query("SELECT goals.set_goal('welcome', attribute => $1, operator => 'is changed', time_limit => '1 day', goal => $2)")
            .bind(column)
            .bind(format!("{column} changed"))
            .execute(&pool)
            .await?;
    }

    // record, commit, then send: an audience, and one customer
    let keys: Vec<String> = (1..=20).map(|n: i32| n.to_string()).collect();
    let sent: i64 = query_scalar("SELECT goals.record_sent('welcome', $1::text[])").bind(keys).fetch_one(&pool).await?;
    let send: bool = query_scalar("SELECT send FROM goals.deliver('welcome', $1::bigint)").bind(21i64).fetch_one(&pool).await?;
    query("SELECT goals.record_opened('welcome', $1::bigint)").bind(1i64).execute(&pool).await?;
    query("SELECT goals.record_clicked('welcome', $1::bigint)").bind(2i64).execute(&pool).await?;

    // the application's own work: each customer in a transaction
    for id in 1..=25 {
        let mut transaction = pool.begin().await?;
        let mut customer = load(&mut transaction, id).await?;
        match id {
            1..=6 | 16 | 25 => customer.sessions += 1,
            7..=9 => customer.plan = "pro".into(),
            10..=14 => {}
            15 => customer.settings["theme"] = json!("dark"),
            _ => continue,
        }
        save(&mut transaction, &customer).await?;
        if id == 16 {
            transaction.rollback().await?;
        } else {
            transaction.commit().await?;
        }
    }
    query("SELECT goals.record_event($1::bigint, 'order placed', $2)").bind(3i64).bind(json!({"amount": 12.5})).execute(&pool).await?;

    // a mistake, told by its SQLSTATE
    let error = match query("SELECT goals.record_sent('welcom', $1::bigint)").bind(1i64).execute(&pool).await {
        Ok(_) => Value::Null,
        Err(Error::Database(e)) => {
            let said = e.downcast_ref::<PgDatabaseError>();
            json!(format!("{}: {}", said.code(), said.hint().unwrap_or_default()))
        }
        Err(e) => return Err(e),
    };

    // the figures
    let mut stats = Map::new();
    let figures = "SELECT goal, sent, opened, clicked, already_matched, matched, worth::text FROM goals.message_stats WHERE message = $1";
    for row in query(figures).bind("welcome").fetch_all(&pool).await? {
        let count = |column: &str| row.get::<i64, _>(column);
        let figures = format!(
            "{} sent, {} opened, {} clicked, {} already matched, {} matched, worth {}",
            count("sent"), count("opened"), count("clicked"), count("already_matched"), count("matched"), row.get::<String, _>("worth"),
        );
        stats.insert(row.get("goal"), figures.into());
    }
    let mut who = Map::new();
    for row in query("SELECT goal, string_agg(user_key, ',' ORDER BY user_key::int) FROM goals.matches($1) GROUP BY goal").bind("welcome").fetch_all(&pool).await? {
        who.insert(row.get(0), row.get::<String, _>(1).into());
    }
    let verdict: String = query_scalar("SELECT verdict FROM goals.explain('welcome', $1::bigint) WHERE goal = 'upgrade'").bind(9i64).fetch_one(&pool).await?;
    println!("{}", json!({"sent": sent, "send": send, "error": error, "stats": stats, "who": who, "customer 9": verdict}));
    Ok(())
}
