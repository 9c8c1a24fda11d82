//! The merchant's list of orders as SQL.
//!
//! The list is sorted by day and number. Whatever states and methods are asked for, it is made of a few
//! combinations of the two, and each of them is one seek in one index: so the first page of ten orders and
//! of ten million take the same time. The totals come from sums that are kept by day, and over all days. Only a
//! search reads what it finds, and it finds at most [`SEARCH_LIMIT`].

use domain::{Currency, OrderState, PaymentMethod};

use super::people::insert_audit;
use super::rows::{self, TRANSACTION};
use super::{Connection, Done, Failure, Value, all, value, values};
use crate::people::{Action, Actor};
use crate::store::merchant::{
    Cursor, Filter, From, SEARCH_LIMIT, Search, Total, Totals, Transaction, TransactionPage, UnknownMessage,
};

/// A statement under construction: its text, and the values of its holes in their order.
#[derive(Default)]
struct Sql {
    text: String,
    values: Vec<Value<'static>>,
}

impl Sql {
    fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    fn bind(&mut self, value: impl Into<Value<'static>>) -> &mut Self {
        self.values.push(value.into());
        self.push(&format!("?{}", self.values.len()))
    }

    fn days(&mut self, filter: &Filter) -> &mut Self {
        if let Some(day) = filter.from_day {
            self.push(" AND day >= ").bind(day);
        }
        if let Some(day) = filter.to_day {
            self.push(" AND day <= ").bind(day);
        }
        self
    }

    /// The part of the list on one side of a place.
    fn place(&mut self, from: From) -> &mut Self {
        match from {
            From::Newest => self,
            From::OlderThan(cursor) => self.beside(" < ", cursor),
            From::NewerThan(cursor) => self.beside(" > ", cursor),
        }
    }

    fn beside(&mut self, sign: &str, cursor: Cursor) -> &mut Self {
        self.push(" AND (day, id)")
            .push(sign)
            .push("(")
            .bind(cursor.day)
            .push(", ")
            .bind(cursor.id.0)
            .push(")")
    }

    /// In its order, and no more rows than that. The number is part of the text: where PostgreSQL plans once for all
    /// values, it is to know how few rows are wanted.
    fn sorted(&mut self, from: From, limit: u32) -> &mut Self {
        let direction = match from {
            From::NewerThan(_) => " ORDER BY day, id LIMIT ",
            From::Newest | From::OlderThan(_) => " ORDER BY day DESC, id DESC LIMIT ",
        };
        self.push(direction).push(&limit.to_string())
    }

    /// One of several names.
    fn any_of(&mut self, column: &str, names: impl IntoIterator<Item = &'static str>) -> &mut Self {
        self.push(" AND ").push(column).push(" IN (");
        for (index, name) in names.into_iter().enumerate() {
            if index > 0 {
                self.push(", ");
            }
            self.bind(name.to_owned());
        }
        self.push(")")
    }
}

fn states(filter: &Filter) -> Vec<OrderState> {
    if filter.states.is_empty() { OrderState::ALL.to_vec() } else { filter.states.clone() }
}

fn methods(filter: &Filter) -> Vec<PaymentMethod> {
    if filter.methods.is_empty() { PaymentMethod::ALL.to_vec() } else { filter.methods.clone() }
}

/// Whether the orders come from a search, or are those for a person: few, and found by other indexes.
fn is_picked(filter: &Filter) -> bool {
    filter.attention || !filter.search.is_empty()
}

/// One more than a search may find: it tells that there are more.
const ONE_TOO_MANY: i64 = SEARCH_LIMIT as i64 + 1;

/// The ids that a filter picks, as a subquery `picked (picked_id)`. It is joined by CROSS JOIN, which fixes the
/// order for SQLite: what was picked first, then its orders, and never all orders.
fn picked(sql: &mut Sql, filter: &Filter) {
    sql.push("picked (picked_id) AS (SELECT * FROM (");
    if filter.attention {
        sql.push(
            "SELECT * FROM (SELECT id FROM orders WHERE attention_since_ms IS NOT NULL
             UNION SELECT order_id FROM refunds WHERE state IN ('proposed', 'unknown')) AS for_a_person",
        );
    }
    if filter.attention && !filter.search.is_empty() {
        sql.push(" INTERSECT ");
    }
    for (index, search) in filter.search.iter().enumerate() {
        sql.push(if index == 0 { "SELECT * FROM (" } else { " UNION " });
        found(sql, search);
    }
    if !filter.search.is_empty() {
        sql.push(") AS found");
    }
    sql.push(") AS part LIMIT ").bind(ONE_TOO_MANY).push(")");
}

/// The orders that were picked.
const PICKED_ORDERS: &str = "picked CROSS JOIN orders WHERE id = picked_id";

/// The ids that one search finds.
fn found(sql: &mut Sql, search: &Search) {
    match search {
        Search::Reference(reference) => {
            sql.push("SELECT id FROM orders WHERE reference = ").bind(reference.clone());
        }
        Search::Storefront(reference) => {
            sql.push("SELECT id FROM orders WHERE shop_reference <> '' AND shop_reference = ");
            sql.bind(reference.clone());
        }
        Search::Gateway(reference) => {
            sql.push("SELECT order_id FROM payments WHERE trnref = ").bind(reference.clone());
            sql.push(" UNION SELECT order_id FROM payments WHERE gateway_order_id = ")
                .bind(reference.clone());
            sql.push(" UNION SELECT order_id FROM refunds WHERE gateway_order_id = ").bind(reference.clone());
        }
        Search::Person(beginning) => {
            // The last character there is ends the range of texts with this beginning.
            let end = format!("{beginning}\u{10ffff}");
            for (index, column) in ["found_email", "found_name", "found_family_name"].into_iter().enumerate()
            {
                if index > 0 {
                    sql.push(" UNION ");
                }
                sql.push("SELECT id FROM (SELECT id FROM orders WHERE ").push(column).push(" >= ");
                sql.bind(beginning.clone()).push(" AND ").push(column).push(" < ").bind(end.clone());
                sql.push(" LIMIT ").bind(ONE_TOO_MANY).push(") AS part");
            }
        }
        Search::Amount(minor) => {
            sql.push("SELECT id FROM (SELECT id FROM orders WHERE total_minor = ").bind(*minor);
            sql.push(" ORDER BY id DESC LIMIT ").bind(ONE_TOO_MANY).push(") AS part");
        }
    }
}

/// The statement that reads a page, with one row more than is shown: it tells whether there are more.
fn page_sql(filter: &Filter, from: From, limit: u32) -> Sql {
    let wanted = limit.saturating_add(1);
    let mut sql = Sql::default();
    if is_picked(filter) {
        sql.push("WITH ");
        picked(&mut sql, filter);
        sql.push(", listed (id, day) AS (SELECT id, day FROM ").push(PICKED_ORDERS).push(" AND mode = ");
        sql.bind(filter.mode.name().to_owned());
        sql.any_of("state", states(filter).into_iter().map(OrderState::name));
        sql.any_of("method", methods(filter).into_iter().map(PaymentMethod::id));
        sql.days(filter).place(from).sorted(from, wanted).push(")");
    } else {
        sql.push("WITH listed (id, day) AS (");
        let mut is_first = true;
        for state in states(filter) {
            for method in methods(filter) {
                sql.push(if is_first { "" } else { " UNION ALL " });
                is_first = false;
                sql.push("SELECT * FROM (SELECT id, day FROM orders WHERE mode = ");
                sql.bind(filter.mode.name().to_owned()).push(" AND state = ").bind(state.name().to_owned());
                sql.push(" AND method = ").bind(method.id().to_owned());
                sql.days(filter).place(from).sorted(from, wanted).push(") AS part");
            }
        }
        sql.sorted(from, wanted).push(")");
    }
    sql.push(" SELECT ").push(TRANSACTION).push(" FROM listed l JOIN orders o ON o.id = l.id");
    sql.push(" ORDER BY l.day DESC, l.id DESC");
    sql
}

/// How SQLite reads a page, a line for each step.
pub(in crate::store) fn plan(
    connection: &dyn Connection,
    filter: &Filter,
    from: From,
    limit: u32,
) -> Done<Vec<String>> {
    let sql = page_sql(filter, from, limit);
    let explained = format!("EXPLAIN QUERY PLAN {}", sql.text);
    all(connection, &explained, &sql.values, |row| row.get("detail"))
}

pub(super) fn page(
    connection: &dyn Connection,
    filter: &Filter,
    from: From,
    limit: u32,
) -> Done<TransactionPage> {
    let sql = page_sql(filter, from, limit);
    let mut rows = all(connection, &sql.text, &sql.values, rows::transaction)?;
    let has_more = rows.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    Ok(match from {
        From::Newest => TransactionPage { rows: cut(rows, limit), has_newer: false, has_older: has_more },
        From::OlderThan(_) => {
            TransactionPage { rows: cut(rows, limit), has_newer: true, has_older: has_more }
        }
        From::NewerThan(_) => {
            if has_more {
                rows.remove(0);
            }
            TransactionPage { rows, has_newer: has_more, has_older: true }
        }
    })
}

fn cut(mut rows: Vec<Transaction>, limit: u32) -> Vec<Transaction> {
    rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    rows
}

pub(super) fn totals(connection: &dyn Connection, filter: &Filter) -> Done<Totals> {
    let mut is_cut = false;
    if is_picked(filter) {
        let mut sql = Sql::default();
        sql.push("WITH ");
        picked(&mut sql, filter);
        sql.push(" SELECT count(*) FROM picked");
        let count: i64 = value(connection, &sql.text, &sql.values)?;
        is_cut = count >= ONE_TOO_MANY;
    }
    let mut sql = Sql::default();
    let (count, source) = if is_picked(filter) {
        sql.push("WITH ");
        picked(&mut sql, filter);
        ("count(*)", PICKED_ORDERS)
    } else if filter.from_day.is_none() && filter.to_day.is_none() {
        ("CAST(sum(orders) AS BIGINT)", "order_totals_of_all_days WHERE TRUE")
    } else {
        ("CAST(sum(orders) AS BIGINT)", "order_totals WHERE TRUE")
    };
    sql.push(" SELECT currency, ").push(count).push(" AS orders,");
    sql.push(" CAST(sum(total_minor) AS BIGINT) AS total_minor,");
    sql.push(" CAST(sum(refunded_minor) AS BIGINT) AS refunded_minor");
    sql.push(" FROM ").push(source).push(" AND mode = ");
    sql.bind(filter.mode.name().to_owned());
    sql.any_of("state", states(filter).into_iter().map(OrderState::name));
    sql.any_of("method", methods(filter).into_iter().map(PaymentMethod::id));
    sql.days(filter).push(" GROUP BY currency ORDER BY currency");
    let totals = all(connection, &sql.text, &sql.values, |row| {
        let code: String = row.get("currency")?;
        Ok(Total {
            currency: Currency::from_code(&code)
                .ok_or_else(|| Failure::Damaged(format!("currency {code:?} of a total")))?,
            orders: row.get("orders")?,
            total_minor: row.get("total_minor")?,
            refunded_minor: row.get("refunded_minor")?,
        })
    })?;
    Ok(Totals { by_currency: totals.into_iter().filter(|total| total.orders > 0).collect(), is_cut })
}

pub(super) fn unknown_messages(connection: &dyn Connection, limit: u32) -> Done<Vec<UnknownMessage>> {
    all(
        connection,
        "SELECT id, at_ms, coalesce(raw, '') AS raw FROM events WHERE order_id IS NULL AND kind = 'unknown_message'
             AND NOT EXISTS (SELECT 1 FROM seen_messages s WHERE s.event_id = events.id)
         ORDER BY id DESC LIMIT ?1",
        values![limit],
        |row| Ok(UnknownMessage { id: row.get("id")?, at_ms: row.get("at_ms")?, raw: row.get("raw")? }),
    )
}

pub(super) fn message_seen(
    connection: &dyn Connection,
    message: i64,
    actor: &Actor,
    now_ms: i64,
) -> Done<bool> {
    let seen = connection.execute(
        "INSERT INTO seen_messages (event_id, seen_by, seen_at_ms)
         SELECT id, ?2, ?3 FROM events WHERE id = ?1 AND order_id IS NULL AND kind = 'unknown_message'
         ON CONFLICT DO NOTHING",
        values![message, &actor.who, now_ms],
    )?;
    if seen > 0 {
        insert_audit(connection, actor, Action::MessageSeen, None, "", now_ms)?;
    }
    Ok(seen > 0)
}
