//! How the use-cases speak to SQLite.

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, params_from_iter};

use crate::store::StoreError;
use crate::store::sql::{self, Done, EachRow, Failure, Value};

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(code, _) if code.code == ErrorCode::ConstraintViolation => {
                Self::Refused(error.to_string())
            }
            _ => Self::Database(error.to_string()),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Failure::from(error).into()
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Int(Some(number)) => ValueRef::Integer(*number),
            Value::Text(Some(text)) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(Some(bytes)) => ValueRef::Blob(bytes),
            Value::Int(None) | Value::Text(None) | Value::Bytes(None) => ValueRef::Null,
        }))
    }
}

impl sql::Connection for Connection {
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Done<u64> {
        let changed = self.prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(u64::try_from(changed).unwrap_or(u64::MAX))
    }

    fn query(&self, sql: &str, values: &[Value<'_>], each: EachRow<'_>) -> Done<()> {
        let mut statement = self.prepare_cached(sql)?;
        let mut found = statement.query(params_from_iter(values))?;
        while let Some(row) = found.next()? {
            each(row)?;
        }
        Ok(())
    }

    fn is_shared(&self) -> bool {
        // Whoever writes holds the whole file.
        false
    }
}

impl sql::Row for rusqlite::Row<'_> {
    fn index(&self, column: &str) -> Done<usize> {
        Ok(self.as_ref().column_index(column)?)
    }

    fn int(&self, index: usize) -> Done<Option<i64>> {
        Ok(self.get(index)?)
    }

    fn text(&self, index: usize) -> Done<Option<String>> {
        Ok(self.get(index)?)
    }

    fn bytes(&self, index: usize) -> Done<Option<Vec<u8>>> {
        Ok(self.get(index)?)
    }
}
