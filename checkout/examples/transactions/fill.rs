//! Orders by the million, as statements that both databases take. The server's measurement under load uses this file,
//! too.

/// Ten years of orders, whatever their number.
pub(crate) const DAYS: i64 = 3_650;
/// The day of the first one, since 1970; the last one is of the summer of 2026.
pub(crate) const FIRST_DAY: i64 = 17_000;

/// Whose SQL it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Dialect {
    Sqlite,
    #[allow(dead_code, reason = "not every program that uses this file has one")]
    Postgres,
}

impl Dialect {
    /// 32 bytes that nothing else has.
    fn hash(self, of: &str) -> String {
        match self {
            Self::Sqlite => "randomblob(32)".to_owned(),
            Self::Postgres => format!("sha256(CAST({of} AS BYTEA))"),
        }
    }

    /// How many orders a statement makes. PostgreSQL keeps every version of a row that the transaction changed, and looks
    /// through them for the last one: with 100 000 orders, whose triggers change the same few sums, each took five
    /// times as long.
    fn at_a_time(self) -> u32 {
        match self {
            Self::Sqlite => 100_000,
            Self::Postgres => 2_000,
        }
    }

    /// What fills an empty shop of a mode, `test` or `live`: orders of every kind that has ended, spread over the days,
    /// most of them paid by card. Run in this order.
    pub(crate) fn statements(self, mode: &str, orders: u32) -> Vec<String> {
        let mut statements = Vec::new();
        let mut from = 0;
        while from < orders {
            let to = from.saturating_add(self.at_a_time()).min(orders);
            statements.push(self.orders(mode, orders, from, to));
            statements.push(self.payments(from, to));
            from = to;
        }
        statements
    }

    fn orders(self, mode: &str, orders: u32, from: u32, to: u32) -> String {
        let letter =
            |of: &str| format!("substr('abcdefghijklmnopqrstuvwxyz', CAST(1 + {of} % 26 AS INTEGER), 1)");
        let name = format!("{} || {} || '-lovelace'", letter("i"), letter("(i / 26)"));
        let email = format!("'user' || (i % {}) || '@example.com'", orders / 4 + 1);
        let cart = self.hash("'cart ' || i");
        let content = self.hash("'content ' || i");
        let first = from.saturating_add(1);
        format!(
            r#"WITH RECURSIVE n (i) AS (SELECT CAST({first} AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < {to}),
                m AS (SELECT i, substr(CAST(100000000 + i AS TEXT), 2) AS digits, {FIRST_DAY} + (i * {DAYS}) / {orders} AS day,
                    {name} AS family_name, {email} AS email FROM n)
            INSERT INTO orders (reference, mode, state, method, language, currency, total_minor, delivery, lines, customer,
                cart, content, placed_at_ms, day, found_email, found_name, found_family_name)
            SELECT 'TG-' || substr(digits, 1, 4) || '-' || substr(digits, 5, 4), '{mode}',
                CASE WHEN i % 100 < 70 THEN 'paid' WHEN i % 100 < 83 THEN 'expired' WHEN i % 100 < 93 THEN 'cancelled'
                    WHEN i % 100 < 99 THEN 'refunded' ELSE 'awaiting' END,
                CASE WHEN i % 1000 = 7 THEN 'on-delivery' WHEN i % 10 < 7 THEN 'card' WHEN i % 10 < 9 THEN 'ideal'
                    ELSE 'bank-transfer' END,
                'de', 'EUR', 500 + (i * 7919) % 20000, 'post', '[]',
                '{{"email":"' || email || '","first_name":"Ada","family_name":"' || family_name || '","phone":"",'
                    || '"street":"Torstrasse 1","postcode":"10119","city":"Berlin","country":"DE"}}',
                {cart}, {content}, day * 86400000, day, email, 'ada ' || family_name, family_name
            FROM m"#
        )
    }

    fn payments(self, from: u32, to: u32) -> String {
        let handoff = self.hash("'handoff ' || id");
        format!(
            "INSERT INTO payments (order_id, gateway_order_id, store, key_index, method, amount_minor, currency, state,
                state_since_ms, trnref, started_at_ms, expires_at_ms, form, handoff, salt)
            SELECT id, 'P' || id, 'main', 1, method, total_minor, currency,
                CASE WHEN state IN ('paid', 'refunded') THEN 'paid' ELSE 'failed' END, placed_at_ms,
                CASE WHEN state IN ('paid', 'refunded') THEN CAST(800000000000 + id AS TEXT) END, placed_at_ms,
                placed_at_ms, '{{}}', {handoff}, substr(cart, 1, 16)
            FROM orders WHERE id > {from} AND id <= {to} AND method IN ('card', 'ideal')"
        )
    }
}
