//! How long the merchant's list takes, with few orders and with many.
//!
//!     cargo run --release --package tillgate-checkout --example transactions -- 1000 1000000
//!
//! Fills a database for each number, asks for the pages that people ask for, and prints the median of each and
//! how SQLite reads the slowest one.
#![allow(
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use checkout::records::{Mode, OrderId};
use checkout::store::MerchantStore as _;
use checkout::store::merchant::{Cursor, Filter, From, Search};
use checkout::store::sqlite::SqliteStore;
use domain::{OrderState, PaymentMethod};
use rusqlite::Connection;

const PAGE: u32 = 50;
const ROUNDS: usize = 21;
/// Ten years of orders, whatever their number.
const DAYS: u32 = 3_650;

/// Orders of every kind, spread over the days; most are paid by card.
const FILL: &str = "
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO orders (reference, mode, state, method, language, currency, total_minor, delivery, lines, customer,
        cart, content, placed_at_ms, day, found_email, found_name, found_family_name)
    SELECT printf('TG-%04X-%04X', i / 65536, i % 65536), 'live',
        CASE WHEN i % 100 < 70 THEN 'paid' WHEN i % 100 < 80 THEN 'expired' WHEN i % 100 < 90 THEN 'cancelled'
            WHEN i % 100 < 96 THEN 'refunded' WHEN i % 100 < 99 THEN 'open' ELSE 'awaiting' END,
        CASE WHEN i % 1000 = 7 THEN 'on-delivery' WHEN i % 10 < 7 THEN 'card' WHEN i % 10 < 9 THEN 'ideal'
            ELSE 'bank-transfer' END,
        'de', 'EUR', 500 + (i * 7919) % 20000, 'post', '[]',
        json_object('email', printf('user%d@example.com', i % (?1 / 4 + 1)), 'first_name', 'Ada',
            'family_name', printf('%c%c-Lovelace', 97 + i % 26, 97 + (i / 26) % 26), 'phone', '',
            'street', 'Torstrasse 1', 'postcode', '10119', 'city', 'Berlin', 'country', 'DE'),
        randomblob(32), zeroblob(32), 1500000000000 + i * 1000, 20000 + (i * ?2) / ?1,
        printf('user%d@example.com', i % (?1 / 4 + 1)), printf('ada %c%c-lovelace', 97 + i % 26, 97 + (i / 26) % 26),
        printf('%c%c-lovelace', 97 + i % 26, 97 + (i / 26) % 26)
    FROM n";
const PAY: &str = "
    INSERT INTO payments (order_id, gateway_order_id, store, key_index, method, amount_minor, currency, state,
        state_since_ms, trnref, started_at_ms, expires_at_ms, form, handoff, salt)
    SELECT id, 'P' || id, 'main', 1, method, total_minor, currency,
        CASE WHEN state IN ('paid', 'refunded') THEN 'paid' ELSE 'failed' END, placed_at_ms,
        CASE WHEN state IN ('paid', 'refunded') THEN 800000000000 + id END, placed_at_ms, placed_at_ms, '{}',
        randomblob(32), randomblob(16)
    FROM orders WHERE method IN ('card', 'ideal')";

fn main() -> Result<(), Box<dyn Error>> {
    let mut numbers = Vec::new();
    for argument in std::env::args().skip(1) {
        numbers.push(argument.parse::<u32>()?);
    }
    if numbers.is_empty() {
        numbers = vec![1_000, 1_000_000];
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().build()?;
    for orders in numbers {
        let dir = tempfile::tempdir()?;
        let path = dir.path().join("shop.db");
        let store = SqliteStore::open(&path)?;
        fill(&path, orders)?;
        runtime.block_on(measure(&store, orders))?;
    }
    Ok(())
}

fn fill(path: &Path, orders: u32) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -400000; BEGIN")?;
    connection.execute(FILL, (orders, DAYS))?;
    connection.execute(PAY, ())?;
    connection.execute_batch("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?;
    let bytes = std::fs::metadata(path)?.len();
    println!("\n{orders} orders: {} MB, filled in {} s", bytes / 1_000_000, began.elapsed().as_secs());
    Ok(())
}

/// What people ask for, each with a name.
fn questions(orders: u32) -> Vec<(&'static str, Filter, From)> {
    let all = Filter::all(Mode::Live);
    let middle = Cursor { day: 20_000 + i64::from(DAYS) / 2, id: OrderId(i64::from(orders) / 2) };
    let search = |search: Vec<Search>| Filter { search, ..Filter::all(Mode::Live) };
    vec![
        ("newest", all.clone(), From::Newest),
        ("older than the middle", all.clone(), From::OlderThan(middle)),
        ("newer than the middle", all.clone(), From::NewerThan(middle)),
        ("paid", Filter { states: vec![OrderState::Paid], ..all.clone() }, From::Newest),
        (
            "on delivery (one in 1000)",
            Filter { methods: vec![PaymentMethod::OnDelivery], ..all.clone() },
            From::Newest,
        ),
        (
            "awaiting and by card (none)",
            Filter { states: vec![OrderState::Awaiting], methods: vec![PaymentMethod::Card], ..all.clone() },
            From::Newest,
        ),
        (
            "one month, in the middle",
            Filter { from_day: Some(middle.day - 15), to_day: Some(middle.day + 15), ..all.clone() },
            From::Newest,
        ),
        ("needs attention", Filter { attention: true, ..all }, From::Newest),
        ("by reference", search(vec![Search::Reference("TG-0000-0007".into())]), From::Newest),
        ("by gateway reference", search(vec![Search::Gateway("800000000007".into())]), From::Newest),
        ("by e-mail address", search(vec![Search::Person("user7@example.com".into())]), From::Newest),
        ("by amount", search(vec![Search::Amount(1_234)]), From::Newest),
        ("by the first letter of a name (cut short)", search(vec![Search::Person("a".into())]), From::Newest),
    ]
}

async fn measure(store: &SqliteStore, orders: u32) -> Result<(), Box<dyn Error>> {
    println!("{:44} {:>10} {:>12} {:>6}", "page of 50, and its totals", "page (ms)", "totals (ms)", "rows");
    let mut slowest: Option<(Duration, &str, Filter, From)> = None;
    for (name, filter, from) in questions(orders) {
        let (mut pages, mut totals, mut rows) = (Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            let began = Instant::now();
            rows = store.transactions(filter.clone(), from, PAGE).await?.rows.len();
            pages.push(began.elapsed());
            let began = Instant::now();
            store.totals(filter.clone()).await?;
            totals.push(began.elapsed());
        }
        let (page, total) = (median(pages), median(totals));
        println!("{name:44} {:>10.2} {:>12.2} {rows:>6}", ms(page), ms(total));
        if slowest.as_ref().is_none_or(|(longest, ..)| page > *longest) {
            slowest = Some((page, name, filter, from));
        }
    }
    if let Some((_, name, filter, from)) = slowest {
        println!("slowest: {name}");
        let mut plan = store.explain_transactions(filter, from, PAGE).await?;
        plan.dedup();
        for step in plan {
            println!("    {step}");
        }
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
