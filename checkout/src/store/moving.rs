//! From a SQLite file to a PostgreSQL database, with nothing lost.
//!
//! Everything is copied in one transaction, and compared table by table before it is committed: counts, and the sums of
//! all numbers. Meanwhile nobody writes to the file; afterwards nobody can.

use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sqlx::postgres::{PgArguments, PgConnection, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};

use super::StoreError;
use super::postgres::{PostgresAddress, PostgresStore};
use super::sqlite::{SqliteStore, moved_to};

/// The tables, so that what a row refers to comes first. The totals are added up anew.
const TABLES: [&str; 14] = [
    "orders",
    "order_tokens",
    "payments",
    "receipts",
    "refunds",
    "events",
    "seen_messages",
    "idempotency_keys",
    "merchant_users",
    "merchant_sessions",
    "wrong_guesses",
    "audit",
    "webhook_endpoints",
    "webhooks",
];
/// How many rows go over at a time.
const ROWS: usize = 500;

/// What was moved of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which.
    pub table: &'static str,
    /// How many rows.
    pub rows: i64,
}

/// A column of both databases, with its values.
struct Column {
    name: String,
    values: Values,
}

/// Values of one type.
enum Values {
    Int(Vec<Option<i64>>),
    Text(Vec<Option<String>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Values {
    fn of(kind: &str) -> Option<Self> {
        match kind {
            "bigint" | "smallint" => Some(Self::Int(Vec::new())),
            "text" => Some(Self::Text(Vec::new())),
            "bytea" => Some(Self::Bytes(Vec::new())),
            _ => None,
        }
    }

    fn array(&self) -> &'static str {
        match self {
            Self::Int(_) => "bigint[]",
            Self::Text(_) => "text[]",
            Self::Bytes(_) => "bytea[]",
        }
    }

    fn push(&mut self, value: ValueRef<'_>) -> Result<(), String> {
        match (self, value) {
            (Self::Int(values), ValueRef::Integer(number)) => values.push(Some(number)),
            (Self::Int(values), ValueRef::Null) => values.push(None),
            (Self::Text(values), ValueRef::Text(text)) => match std::str::from_utf8(text) {
                Ok(text) if !text.contains('\0') => values.push(Some(text.to_owned())),
                _ => return Err("a text that PostgreSQL cannot keep".to_owned()),
            },
            (Self::Text(values), ValueRef::Null) => values.push(None),
            (Self::Bytes(values), ValueRef::Blob(bytes)) => values.push(Some(bytes.to_vec())),
            (Self::Bytes(values), ValueRef::Null) => values.push(None),
            (_, other) => return Err(format!("something of the type {}", other.data_type())),
        }
        Ok(())
    }

    fn take(&mut self) -> Self {
        match self {
            Self::Int(values) => Self::Int(std::mem::take(values)),
            Self::Text(values) => Self::Text(std::mem::take(values)),
            Self::Bytes(values) => Self::Bytes(std::mem::take(values)),
        }
    }

    fn bind(self, query: Query<'_, Postgres, PgArguments>) -> Query<'_, Postgres, PgArguments> {
        match self {
            Self::Int(values) => query.bind(values),
            Self::Text(values) => query.bind(values),
            Self::Bytes(values) => query.bind(values),
        }
    }
}

/// Moves a shop. The file has to be one of this version, the database migrated and without orders. Says what was
/// moved. Where it fails the file is as it was, and the database either empty or marked, so that nobody serves from it
/// before the move was begun again and finished.
pub async fn move_shop(from: &Path, to: &PostgresAddress) -> Result<Vec<Moved>, StoreError> {
    if !from.is_file() {
        return Err(StoreError::Failed(format!("there is no file {}", from.display())));
    }
    let source = std::path::absolute(from).unwrap_or_else(|_| from.to_owned()).display().to_string();
    let begun = PostgresStore::check_target(to).await?;
    let file = Connection::open_with_flags(from, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    file.busy_timeout(std::time::Duration::from_secs(5))?;
    let is_closed = begun.as_ref() == Some(&source) && moved_to(&file)? == Some(to.for_people());
    if !is_closed {
        // Brings it up to date, and refuses one that is none of ours or was moved elsewhere.
        drop(SqliteStore::open(from)?);
    }
    // From here on nobody else writes to it.
    file.execute_batch("BEGIN IMMEDIATE")?;
    let patient = [("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0")];
    let mut database = to.options().clone().options(patient).connect().await?;
    let mut transaction = database.begin().await?;
    match begun {
        None => {
            for table in TABLES {
                copy(&file, &mut transaction, table).await?;
            }
            add_up(&mut transaction).await?;
            // Until the file is closed, nobody serves from the database.
            transaction.execute("CREATE TABLE unfinished_move (source TEXT NOT NULL)").await?;
            sqlx::query("INSERT INTO unfinished_move VALUES ($1)")
                .bind(&source)
                .execute(&mut *transaction)
                .await?;
        }
        Some(other) if other != source => {
            return Err(StoreError::Failed(format!("it holds what was moved from {other}")));
        }
        // The move was interrupted after everything was there.
        Some(_) => {}
    }
    let mut moved = Vec::new();
    for table in TABLES {
        moved.push(Moved { table, rows: compare(&file, &mut transaction, table).await? });
    }
    if !is_closed {
        close(&file, &to.for_people())?;
    }
    transaction.commit().await?;
    file.execute_batch("COMMIT")?;
    database.execute("DROP TABLE unfinished_move").await?;
    Ok(moved)
}

/// Makes the file refuse whoever still writes to it.
fn close(file: &Connection, destination: &str) -> Result<(), rusqlite::Error> {
    file.execute_batch("CREATE TABLE moved (destination TEXT NOT NULL) STRICT")?;
    file.execute("INSERT INTO moved VALUES (?1)", [destination])?;
    for table in TABLES {
        for (name, what) in [("added", "INSERT"), ("changed", "UPDATE"), ("deleted", "DELETE")] {
            file.execute_batch(&format!(
                "CREATE TRIGGER {table}_moved_{name} BEFORE {what} ON {table}
                 BEGIN SELECT RAISE(ABORT, 'this shop was moved to another database'); END"
            ))?;
        }
    }
    Ok(())
}

/// The columns of a table, which both databases have.
async fn columns(
    file: &Connection,
    database: &mut PgConnection,
    table: &str,
) -> Result<Vec<Column>, StoreError> {
    let theirs: Vec<(String, String)> = sqlx::query_as(
        "SELECT column_name::text, data_type::text FROM information_schema.columns
         WHERE table_schema = current_schema() AND table_name = $1 ORDER BY column_name",
    )
    .bind(table)
    .fetch_all(&mut *database)
    .await?;
    let ours: Vec<String> = file
        .prepare("SELECT name FROM pragma_table_info(?1) ORDER BY name")?
        .query_map([table], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    if !ours.iter().eq(theirs.iter().map(|(name, _)| name)) {
        return Err(StoreError::Failed(format!(
            "the table {table} is not the same in both: they are of different versions"
        )));
    }
    theirs
        .into_iter()
        .map(|(name, kind)| match Values::of(&kind) {
            Some(values) => Ok(Column { name, values }),
            None => Err(StoreError::Failed(format!("{table}.{name} is of an unknown type, {kind}"))),
        })
        .collect()
}

/// Copies the rows of a table.
async fn copy(file: &Connection, database: &mut PgConnection, table: &str) -> Result<(), StoreError> {
    let mut columns = columns(file, database, table).await?;
    let is_empty: bool =
        sqlx::query_scalar(AssertSqlSafe(format!("SELECT NOT EXISTS (SELECT 1 FROM {table})")))
            .fetch_one(&mut *database)
            .await?;
    if !is_empty {
        return Err(StoreError::Failed(format!(
            "there are {table} in the database already: a shop is moved into an empty one, after  tillgate migrate"
        )));
    }
    // Our own rules are about changes; what they made possible is copied as it is. References are still checked.
    database.execute(AssertSqlSafe(format!("ALTER TABLE {table} DISABLE TRIGGER USER"))).await?;
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let names = names.join(", ");
    let holes: Vec<String> =
        (1..).zip(&columns).map(|(hole, column)| format!("${hole}::{}", column.values.array())).collect();
    let insert =
        format!("INSERT INTO {table} ({names}) SELECT * FROM unnest({}) AS rows ({names})", holes.join(", "));
    let mut select = file.prepare(&format!("SELECT {names} FROM {table}"))?;
    let mut found = select.query(())?;
    let mut waiting = 0_usize;
    loop {
        let row = found.next()?;
        let is_last = row.is_none();
        if let Some(row) = row {
            for (index, column) in columns.iter_mut().enumerate() {
                column
                    .values
                    .push(row.get_ref(index)?)
                    .map_err(|what| StoreError::Damaged(format!("{table}.{} holds {what}", column.name)))?;
            }
            waiting += 1;
        }
        if waiting == ROWS || (is_last && waiting > 0) {
            let query = columns
                .iter_mut()
                .map(|column| column.values.take())
                .fold(sqlx::query(AssertSqlSafe(insert.clone())), |query, values| values.bind(query));
            query.execute(&mut *database).await?;
            waiting = 0;
        }
        if is_last {
            break;
        }
    }
    database.execute(AssertSqlSafe(format!("ALTER TABLE {table} ENABLE TRIGGER USER"))).await?;
    if names.split(", ").any(|name| name == "id") {
        let next = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', 'id'), coalesce(max(id), 0) + 1, FALSE) FROM {table}"
        );
        database.execute(AssertSqlSafe(next)).await?;
    }
    Ok(())
}

/// Adds up the totals of the merchant's list.
async fn add_up(database: &mut PgConnection) -> Result<(), StoreError> {
    database
        .execute(
            "INSERT INTO order_totals
             SELECT mode, day, state, method, currency, id % 16, count(*), sum(total_minor), sum(refunded_minor)
             FROM orders GROUP BY mode, day, state, method, currency, id % 16",
        )
        .await?;
    Ok(())
}

/// Compares a table in both databases: how many rows, how long all texts together, and the sum of all numbers. How many
/// rows there are.
async fn compare(file: &Connection, database: &mut PgConnection, table: &str) -> Result<i64, StoreError> {
    for column in columns(file, database, table).await? {
        let name = &column.name;
        let (here, there) = match column.values {
            Values::Int(_) => {
                // SQLite's sum fails where it does not fit 64 bits, as that of a million times would not.
                let sum =
                    format!("coalesce(sum({name} / 1000), 0) || ':' || coalesce(sum({name} % 1000), 0)");
                (sum.clone(), sum)
            }
            Values::Text(_) => (
                format!("coalesce(sum(length(CAST({name} AS BLOB))), 0)"),
                format!("coalesce(sum(octet_length({name})), 0)"),
            ),
            Values::Bytes(_) => {
                let sum = format!("coalesce(sum(length({name})), 0)");
                (sum.clone(), sum)
            }
        };
        let sql = |sum: &str| format!("SELECT count(*) || '/' || count({name}) || '/' || {sum} FROM {table}");
        let here: String = file.query_row(&sql(&here), (), |row| row.get(0))?;
        let there: String = sqlx::query_scalar(AssertSqlSafe(sql(&there))).fetch_one(&mut *database).await?;
        if here != there {
            return Err(StoreError::Failed(format!(
                "{table}.{name} is not the same in both ({here} and {there}): begin again with an empty database"
            )));
        }
    }
    Ok(file.query_row(&format!("SELECT count(*) FROM {table}"), (), |row| row.get(0))?)
}
