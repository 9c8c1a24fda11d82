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

mod fill;

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use checkout::records::{Mode, OrderId};
use checkout::store::MerchantStore as _;
use checkout::store::merchant::{Cursor, Filter, From, Search};
use checkout::store::sqlite::SqliteStore;
use domain::{OrderState, PaymentMethod};
use rusqlite::Connection;

use crate::fill::{DAYS, FIRST_DAY};

const PAGE: u32 = 50;
const ROUNDS: usize = 21;

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
        prepare(&path, orders)?;
        runtime.block_on(measure(&store, orders))?;
    }
    Ok(())
}

fn prepare(path: &Path, orders: u32) -> Result<(), Box<dyn Error>> {
    let began = Instant::now();
    let connection = Connection::open(path)?;
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000")?;
    for statement in fill::Dialect::Sqlite.statements("live", orders) {
        connection.execute_batch(&statement)?;
    }
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    let bytes = std::fs::metadata(path)?.len();
    println!("\n{orders} orders: {} MB, filled in {} s", bytes / 1_000_000, began.elapsed().as_secs());
    Ok(())
}

/// What people ask for, each with a name.
fn questions(orders: u32) -> Vec<(&'static str, Filter, From)> {
    let all = Filter::all(Mode::Live);
    let middle = Cursor { day: FIRST_DAY + DAYS / 2, id: OrderId(i64::from(orders) / 2) };
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
        ("by gateway reference", search(vec![Search::Gateway("800000000008".into())]), From::Newest),
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
