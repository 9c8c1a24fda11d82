//! How the use-cases speak to PostgreSQL.
//!
//! They are written for a connection that answers at once, and run on a thread that may wait; sqlx answers
//! later. So each statement is waited for here.

use std::borrow::Cow;
use std::cell::RefCell;
use std::future::Future;
use std::time::Duration;

use sqlx::postgres::{PgArguments, PgConnection, PgRow, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Column as _, Row as _, TypeInfo as _, ValueRef as _};
use tokio::runtime::Handle;

use crate::store::StoreError;
use crate::store::sql::{Connection, Done, EachRow, Failure, Row, Value};

/// How long the server may take to answer, whatever it was told itself: one that is gone says nothing at all.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Waits for what the server answers. Where it says nothing, nobody knows what became of it, and the connection is not
/// to be used again.
pub(super) fn wait<T>(runtime: &Handle, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Done<T> {
    match runtime.block_on(async { tokio::time::timeout(ANSWER_WITHIN, answer).await }) {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Failure::Silent),
    }
}

/// A connection, and the runtime that its answers come by.
pub(super) struct Session<'c> {
    pub(super) runtime: &'c Handle,
    pub(super) connection: RefCell<&'c mut PgConnection>,
}

/// What others may have been in the way of: two that wait for each other, two that cannot be put in an order, a row
/// that somebody else has just added, and one that somebody holds for long.
const CONFLICTS: [&str; 4] = ["40P01", "40001", "23505", "55P03"];
/// What a rule of the database refuses: the class of broken constraints, and our own triggers.
const BROKEN_CONSTRAINT: &str = "23";
const RAISED: &str = "P0001";

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let words = error.to_string();
        let code = error.as_database_error().and_then(|error| error.code().map(Cow::into_owned));
        match code.as_deref() {
            Some(code) if CONFLICTS.contains(&code) => Self::Conflict(words),
            Some(code) if code == RAISED || code.starts_with(BROKEN_CONSTRAINT) => Self::Refused(words),
            _ => Self::Database(words),
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::PoolTimedOut => Self::Overloaded,
            error => Failure::from(error).into(),
        }
    }
}

/// A statement with its values. Its text comes from [`crate::store::sql`]: no value is part of it but one number,
/// how many rows the merchant's list wants.
fn query<'q>(sql: &str, values: &'q [Value<'_>]) -> Query<'q, Postgres, PgArguments> {
    let query = sqlx::query(AssertSqlSafe(sql.replace('?', "$")));
    values.iter().fold(query, |query, value| match value {
        Value::Int(number) => query.bind(*number),
        // PostgreSQL keeps every character but this one.
        Value::Text(text) => query.bind(text.as_deref().map(|text| text.replace('\0', "\u{fffd}"))),
        Value::Bytes(bytes) => query.bind(bytes.as_deref()),
    })
}

impl Connection for Session<'_> {
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Done<u64> {
        let mut connection = self.connection.borrow_mut();
        let done = wait(self.runtime, query(sql, values).execute(&mut **connection))?;
        Ok(done.rows_affected())
    }

    fn query(&self, sql: &str, values: &[Value<'_>], each: EachRow<'_>) -> Done<()> {
        let found = {
            let mut connection = self.connection.borrow_mut();
            wait(self.runtime, query(sql, values).fetch_all(&mut **connection))?
        };
        found.iter().try_for_each(|row| each(row))
    }

    fn is_shared(&self) -> bool {
        true
    }
}

impl Row for PgRow {
    fn index(&self, column: &str) -> Done<usize> {
        Ok(self.try_column(column)?.ordinal())
    }

    fn int(&self, index: usize) -> Done<Option<i64>> {
        let kind = self.try_get_raw(index)?.type_info().name().to_owned();
        Ok(match kind.as_str() {
            "BOOL" => self.try_get::<Option<bool>, _>(index)?.map(i64::from),
            "INT2" => self.try_get::<Option<i16>, _>(index)?.map(i64::from),
            "INT4" => self.try_get::<Option<i32>, _>(index)?.map(i64::from),
            _ => self.try_get(index)?,
        })
    }

    fn text(&self, index: usize) -> Done<Option<String>> {
        Ok(self.try_get(index)?)
    }

    fn bytes(&self, index: usize) -> Done<Option<Vec<u8>>> {
        Ok(self.try_get(index)?)
    }
}
