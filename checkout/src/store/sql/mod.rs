//! The use-cases as SQL that SQLite and PostgreSQL both understand, written once.
//!
//! A function here runs inside one transaction, or a savepoint of one; an error undoes all of it. What a
//! statement may contain:
//!
//! - values are `?1`, `?2`, …; each has a type of its own ([`Value`]), so nothing has to be guessed;
//! - sums are cast to `BIGINT`, every subquery in `FROM` has a name, and a new row's number comes back by
//!   `RETURNING id`;
//! - whatever decides by what it has read of an order [holds](hold_order) that order first. SQLite has one
//!   writer at a time and needs nothing for it; PostgreSQL locks the row, and each statement after it sees what
//!   others have committed (`READ COMMITTED`).
//!
//! What must never happen, whoever writes at the same time, is refused by the databases themselves: by unique
//! indexes and by triggers that hold what they look at.

mod merchant_store;
mod money_back;
mod outbox;
mod people;
mod rows;
mod shop_store;
pub(super) mod transactions;
pub(super) mod work;

use std::borrow::Cow;
use std::future::Future;

use tracing::Instrument as _;

use super::StoreError;
use crate::figures::TRACES;
use crate::records::{OrderId, PaymentId, RefundId};
use crate::token::Hash;

/// What went wrong inside a piece of work.
#[derive(Debug)]
pub(super) enum Failure {
    /// The database refused a change that breaks one of its rules, in these words.
    Refused(String),
    /// Somebody else changed the same at the same time. Done again, it will be seen.
    Conflict(String),
    /// The database failed.
    Database(String),
    /// The database did not answer. What it was asked may be done or not.
    Silent,
    /// What is stored makes no sense.
    Damaged(String),
}

pub(super) type Done<T> = Result<T, Failure>;

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(what) | Failure::Conflict(what) | Failure::Database(what) => Self::Failed(what),
            Failure::Silent => Self::Failed("it does not answer".to_owned()),
            Failure::Damaged(what) => Self::Damaged(what),
        }
    }
}

/// The value of a hole in a statement. Also nothing has a type.
#[derive(Clone, Debug)]
pub(super) enum Value<'a> {
    Int(Option<i64>),
    Text(Option<Cow<'a, str>>),
    Bytes(Option<Cow<'a, [u8]>>),
}

macro_rules! value_from {
    ($($from:ty => |$name:ident| $value:expr;)*) => {
        $(
            impl<'a> From<$from> for Value<'a> {
                fn from($name: $from) -> Self {
                    $value
                }
            }
        )*
    };
}

value_from! {
    i64 => |number| Value::Int(Some(number));
    u32 => |number| Value::Int(Some(i64::from(number)));
    bool => |yes| Value::Int(Some(i64::from(yes)));
    Option<i64> => |number| Value::Int(number);
    OrderId => |id| Value::Int(Some(id.0));
    PaymentId => |id| Value::Int(Some(id.0));
    RefundId => |id| Value::Int(Some(id.0));
    Option<OrderId> => |id| Value::Int(id.map(|id| id.0));
    Option<PaymentId> => |id| Value::Int(id.map(|id| id.0));
    &'a str => |text| Value::Text(Some(Cow::Borrowed(text)));
    &'a String => |text| Value::Text(Some(Cow::Borrowed(text)));
    String => |text| Value::Text(Some(Cow::Owned(text)));
    Option<&'a str> => |text| Value::Text(text.map(Cow::Borrowed));
    Hash => |hash| Value::Bytes(Some(Cow::Owned(hash.0.to_vec())));
    Option<Hash> => |hash| Value::Bytes(hash.map(|hash| Cow::Owned(hash.0.to_vec())));
    &'a [u8] => |bytes| Value::Bytes(Some(Cow::Borrowed(bytes)));
    Option<&'a [u8]> => |bytes| Value::Bytes(bytes.map(Cow::Borrowed));
}

/// Values for the holes of a statement, in their order.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::store::sql::Value::from($value)),*] };
}
pub(super) use values;

/// A row that was found.
pub(super) trait Row {
    /// Where a column stands.
    fn index(&self, column: &str) -> Done<usize>;
    /// A number, or the truth as 0 or 1.
    fn int(&self, index: usize) -> Done<Option<i64>>;
    fn text(&self, index: usize) -> Done<Option<String>>;
    fn bytes(&self, index: usize) -> Done<Option<Vec<u8>>>;
}

impl dyn Row + '_ {
    /// The value of a column.
    pub(super) fn get<T: Column>(&self, column: &str) -> Done<T> {
        T::read(self, self.index(column)?)
    }

    /// The value of the first column.
    pub(super) fn first<T: Column>(&self) -> Done<T> {
        T::read(self, 0)
    }
}

/// What a column may hold.
pub(super) trait Column: Sized {
    fn read(row: &dyn Row, index: usize) -> Done<Self>;
}

fn there<T>(value: Option<T>) -> Done<T> {
    value.ok_or_else(|| Failure::Damaged("a column without a value".to_owned()))
}

fn fitting<const N: usize>(bytes: Vec<u8>) -> Done<[u8; N]> {
    bytes.try_into().map_err(|_| Failure::Damaged(format!("a value that should have {N} bytes")))
}

impl Column for Option<i64> {
    fn read(row: &dyn Row, index: usize) -> Done<Self> {
        row.int(index)
    }
}

impl Column for i64 {
    fn read(row: &dyn Row, index: usize) -> Done<Self> {
        there(row.int(index)?)
    }
}

impl Column for u32 {
    fn read(row: &dyn Row, index: usize) -> Done<Self> {
        let number = there(row.int(index)?)?;
        Self::try_from(number).map_err(|_| Failure::Damaged(format!("{number} where a count should be")))
    }
}

impl Column for bool {
    fn read(row: &dyn Row, index: usize) -> Done<Self> {
        Ok(there(row.int(index)?)? != 0)
    }
}

impl Column for Option<String> {
    fn read(row: &dyn Row, index: usize) -> Done<Self> {
        row.text(index)
    }
}

impl Column for String {
    fn read(row: &dyn Row, index: usize) -> Done<Self> {
        there(row.text(index)?)
    }
}

impl Column for Option<Vec<u8>> {
    fn read(row: &dyn Row, index: usize) -> Done<Self> {
        row.bytes(index)
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &dyn Row, index: usize) -> Done<Self> {
        fitting(there(row.bytes(index)?)?)
    }
}

impl Column for Hash {
    fn read(row: &dyn Row, index: usize) -> Done<Self> {
        fitting(there(row.bytes(index)?)?).map(Self)
    }
}

impl Column for Option<Hash> {
    fn read(row: &dyn Row, index: usize) -> Done<Self> {
        row.bytes(index)?.map(|bytes| fitting(bytes).map(Hash)).transpose()
    }
}

/// What is told each row that is found.
pub(super) type EachRow<'a> = &'a mut dyn FnMut(&dyn Row) -> Done<()>;

/// A connection to a database, inside a transaction where something is written.
pub(super) trait Connection {
    /// Runs a statement that finds nothing. How many rows it changed.
    fn execute(&self, sql: &str, values: &[Value<'_>]) -> Done<u64>;

    /// Runs a statement that finds rows.
    fn query(&self, sql: &str, values: &[Value<'_>], each: EachRow<'_>) -> Done<()>;

    /// Whether others may write at the same time.
    fn is_shared(&self) -> bool;
}

/// How urgent a piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// The gateway's messages: shoppers, however many, must not keep one from being taken.
    Gateway,
    /// Everything else.
    Usual,
}

/// A database that runs such work.
pub(super) trait Database: Send + Sync + 'static {
    /// Runs work in a transaction of its own, and answers once it is on disk. Where it fails, nothing of it
    /// stays. It may run more than once, if others were in its way.
    fn write<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl Fn(&dyn Connection) -> Done<T> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// Runs work that only reads, and sees all of it as it was in one moment.
    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Connection) -> Done<T> + Send + 'static,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;

    /// Fails where nobody may serve from what is there, although it can be read.
    fn may_serve(_connection: &dyn Connection) -> Done<()> {
        Ok(())
    }
}

/// The first row of a query, read by one of [`rows`]'s functions.
fn one<T>(
    connection: &dyn Connection,
    sql: &str,
    values: &[Value<'_>],
    read: fn(&dyn Row) -> Done<T>,
) -> Done<Option<T>> {
    let mut found = None;
    connection.query(sql, values, &mut |row| {
        if found.is_none() {
            found = Some(read(row)?);
        }
        Ok(())
    })?;
    Ok(found)
}

/// All rows of a query.
fn all<T>(
    connection: &dyn Connection,
    sql: &str,
    values: &[Value<'_>],
    read: fn(&dyn Row) -> Done<T>,
) -> Done<Vec<T>> {
    let mut found = Vec::new();
    connection.query(sql, values, &mut |row| {
        found.push(read(row)?);
        Ok(())
    })?;
    Ok(found)
}

/// The value of a query that finds exactly one.
pub(super) fn value<T: Column>(connection: &dyn Connection, sql: &str, values: &[Value<'_>]) -> Done<T> {
    one(connection, sql, values, |row| row.first())?
        .ok_or_else(|| Failure::Damaged("a query that should find something found nothing".to_owned()))
}

/// Adds a row to a table that numbers its rows. Its number.
fn insert(connection: &dyn Connection, table: &str, columns: &[(&str, Value<'_>)]) -> Done<i64> {
    let (names, values): (Vec<&str>, Vec<Value<'_>>) = columns.iter().cloned().unzip();
    let holes: Vec<String> = (1..=columns.len()).map(|hole| format!("?{hole}")).collect();
    let sql =
        format!("INSERT INTO {table} ({}) VALUES ({}) RETURNING id", names.join(", "), holes.join(", "));
    value(connection, &sql, &values)
}

/// Runs a change that one of the database's own rules may refuse: `None` where the words of its refusal hold
/// `rule`, and nothing of the change stays.
fn unless_refused<T>(
    connection: &dyn Connection,
    rule: &str,
    change: impl FnOnce() -> Done<T>,
) -> Done<Option<T>> {
    connection.execute("SAVEPOINT refusable", &[])?;
    match change() {
        Err(Failure::Refused(words)) if words.contains(rule) => {
            connection.execute("ROLLBACK TO SAVEPOINT refusable", &[])?;
            connection.execute("RELEASE SAVEPOINT refusable", &[])?;
            Ok(None)
        }
        Ok(done) => {
            connection.execute("RELEASE SAVEPOINT refusable", &[])?;
            Ok(Some(done))
        }
        Err(failure) => Err(failure),
    }
}

/// Holds an order until the transaction ends: nobody else changes it, its payments or its refunds meanwhile.
fn hold_order(connection: &dyn Connection, order: OrderId) -> Done<()> {
    if connection.is_shared() {
        let sql = "SELECT id FROM orders WHERE id = ?1 FOR NO KEY UPDATE";
        connection.query(sql, values![order], &mut |_| Ok(()))?;
    }
    Ok(())
}

/// Holds the order of a payment.
fn hold_order_of(connection: &dyn Connection, payment: PaymentId) -> Done<()> {
    if connection.is_shared() {
        let sql = "SELECT id FROM orders WHERE id = (SELECT order_id FROM payments WHERE id = ?1) FOR NO KEY UPDATE";
        connection.query(sql, values![payment], &mut |_| Ok(()))?;
    }
    Ok(())
}

/// Holds something that has no row of its own.
fn hold(connection: &dyn Connection, what: &Hash) -> Done<()> {
    if connection.is_shared() {
        let number = what.0.first_chunk().copied().map_or(0, i64::from_be_bytes);
        connection.query("SELECT pg_advisory_xact_lock(?1)", values![number], &mut |_| Ok(()))?;
    }
    Ok(())
}

/// The end of a query whose rows are held until the transaction ends.
fn held(connection: &dyn Connection) -> &'static str {
    if connection.is_shared() { " FOR NO KEY UPDATE" } else { "" }
}

/// The end of a query whose rows are claimed: what somebody else holds is left out.
fn claimed(connection: &dyn Connection) -> &'static str {
    if connection.is_shared() { " FOR NO KEY UPDATE SKIP LOCKED" } else { "" }
}

/// A store whose use-cases are SQL. Each of its methods is one piece of work.
pub struct SqlStore<D>(pub(super) D);

#[expect(private_bounds, reason = "the databases are those of this module")]
impl<D: Database> SqlStore<D> {
    async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&dyn Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.write(Urgency::Usual, work).instrument(tracing::debug_span!(target: TRACES, "write")).await
    }

    async fn write_for_gateway<T: Send + 'static>(
        &self,
        work: impl Fn(&dyn Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let span = tracing::debug_span!(target: TRACES, "write for the gateway");
        self.0.write(Urgency::Gateway, work).instrument(span).await
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Connection) -> Done<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.read(work).instrument(tracing::debug_span!(target: TRACES, "read")).await
    }
}
