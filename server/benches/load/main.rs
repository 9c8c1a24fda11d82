//! How much one server does on one core, with few orders and with many: starting payments, taking notifications, telling
//! the status, showing the merchant's list.
//!
//!     scripts/with-postgres.sh cargo bench --package tillgate-server --bench load -- 10000 1000000
//!
//! The server is the release binary, held to one core where `taskset` is there; this program runs on the other ones.
//! Everything is real HTTP and a real database on the disk. Figures, never pass or fail. `BENCH_PLOT` names the file
//! that a picture of them goes into.
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    missing_docs,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::float_arithmetic,
    reason = "a program for whoever measures, with the helpers of the tests"
)]

#[path = "../../tests/it/cli.rs"]
mod cli;
#[path = "../../../checkout/tests/it/database.rs"]
mod database;
#[path = "../../../checkout/examples/transactions/fill.rs"]
mod fill;
#[path = "../../tests/it/gateway.rs"]
mod gateway;
#[path = "../../tests/it/html.rs"]
mod html;
#[path = "../../tests/it/keys.rs"]
mod keys;
#[path = "../../tests/it/messages.rs"]
mod messages;
#[path = "../../tests/it/pay.rs"]
mod pay;
mod plot;
#[path = "../../tests/it/shop.rs"]
mod shop;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use checkout::checkout::Checkout;
use checkout::clock::SystemClock;
use checkout::people::{Actor, Role};
use checkout::records::PaymentId;
use checkout::store::sqlite::SqliteStore;
use futures_util::future::join_all;
use rsa::pkcs8::DecodePrivateKey as _;
use rsa::signature::{SignatureEncoding as _, Signer as _};
use server::config::Config;
use server::serve::open_checkout;
use sqlx::Executor as _;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::database::Database;
use crate::fill::Dialect;
use crate::keys::FIRST;
use crate::messages::notify;
use crate::pay::api_form;
use crate::plot::Point;
use crate::shop::{Browser, configuration, purchase};

/// Requests that are under way at a time.
const IN_FLIGHT: usize = 64;
/// How many connections there are at most where requests come when they are due: a proxy has a limit, too (wrk2 keeps to
/// its own in the same way).
const CONNECTIONS: usize = 256;
/// How many payments are started as fast as possible, and for how long at most: all of them are to be notified before the
/// first is two minutes old, when the server begins to ask about those that nobody told it of.
const STARTED_FAST: usize = 30_000;
const STARTED_FOR: Duration = Duration::from_secs(30);
/// How many of all of them are notified as fast as possible, half of them at most.
const NOTIFIED_FAST: usize = 8_000;
/// The share of the fastest rate that is steady, and for how many seconds requests of that rate are sent, where there are
/// as many.
const STEADY: f64 = 0.7;
const STEADY_FOR: f64 = 10.0;
const POLLED: usize = 20_000;
/// How many pages of the list are asked for, and how many at a time: a shop has few merchants.
const LISTED: usize = 200;
const LISTED_AT_A_TIME: usize = 4;
const MERCHANT: [&str; 2] = ["anna@shop.example", "correct horse battery"];
/// How long a rate is measured.
const MEASURED: Duration = Duration::from_secs(3);

/// What the rates stand beside, each a second and measured in the same run.
#[derive(Clone, Copy)]
struct Bounds {
    /// Signatures: ours, of the rsa crate, and of OpenSSL.
    signing: [f64; 3],
    /// Durable inserts into the same database, one after the other.
    bare_inserts: f64,
}

/// What a series of requests took.
struct Series {
    per_second: f64,
    /// How much of the time the server's core worked for it, from 0 to 1.
    busy: f64,
    micros: Vec<u64>,
}

impl Series {
    fn new(mut micros: Vec<u64>, took: Duration, worked: Duration) -> Self {
        micros.sort_unstable();
        let took = took.as_secs_f64();
        Self { per_second: micros.len() as f64 / took, busy: worked.as_secs_f64() / took, micros }
    }

    /// The time that so many of a thousand took at most, in milliseconds.
    fn at(&self, per_mille: usize) -> f64 {
        let index = (self.micros.len() * per_mille / 1000).min(self.micros.len() - 1);
        self.micros[index] as f64 / 1000.0
    }

    fn row(&self, what: &str, bounds: Bounds) {
        let [own, rsa, openssl] = bounds.signing.map(|rate| 100.0 * self.per_second / rate);
        println!(
            "| {what} | {:.0} | {own:.0} % | {rsa:.0} % | {openssl:.0} % | {:.1} | {:.0} % | {:.2} | {:.2} | {:.2} |",
            self.per_second,
            self.per_second / bounds.bare_inserts,
            100.0 * self.busy,
            self.at(500),
            self.at(990),
            self.at(999)
        );
    }
}

/// Sends every body, so many at a time, each as soon as the one before is answered.
async fn closed_loop<F: Future<Output = ()>>(
    server: u32,
    at_a_time: usize,
    count: usize,
    send: impl Fn(usize) -> F,
) -> Series {
    closed_loop_for(Duration::MAX, server, at_a_time, count, send).await
}

/// The same, and none that would begin later than that.
async fn closed_loop_for<F: Future<Output = ()>>(
    at_longest: Duration,
    server: u32,
    at_a_time: usize,
    count: usize,
    send: impl Fn(usize) -> F,
) -> Series {
    let worked = worked(server);
    let next = AtomicUsize::new(0);
    let began = Instant::now();
    let workers = (0..at_a_time).map(|_| async {
        let mut micros = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count || began.elapsed() > at_longest {
                return micros;
            }
            let sent = Instant::now();
            send(index).await;
            micros.push(sent.elapsed().as_micros() as u64);
        }
    });
    let micros = join_all(workers).await.concat();
    Series::new(micros, began.elapsed(), self::worked(server) - worked)
}

/// Sends every body when it is due, at the steady share of a rate, whatever became of those before. A time begins when a
/// body was due, also where no connection is free then.
async fn open_loop<F: Future<Output = ()>>(
    server: u32,
    at_most: usize,
    fastest: f64,
    send: impl Fn(usize) -> F,
) -> Series {
    let per_second = fastest * STEADY;
    let count = at_most.min(steady_count(fastest));
    let connections = Semaphore::new(CONNECTIONS);
    let worked = worked(server);
    // By then each of them waits for its time.
    let began = tokio::time::Instant::now() + Duration::from_secs(1);
    let all = (0..count).map(|index| {
        let due = began + Duration::from_secs_f64(index as f64 / per_second);
        let (send, connections) = (&send, &connections);
        async move {
            tokio::time::sleep_until(due).await;
            let _connection = connections.acquire().await.unwrap();
            send(index).await;
            due.elapsed().as_micros() as u64
        }
    });
    let micros = join_all(all).await;
    Series::new(micros, began.elapsed(), self::worked(server) - worked)
}

/// How many requests a steady series has.
fn steady_count(fastest: f64) -> usize {
    (fastest * STEADY * STEADY_FOR) as usize
}

fn rate(mut work: impl FnMut()) -> f64 {
    let began = Instant::now();
    let mut count = 0_u32;
    while began.elapsed() < MEASURED {
        work();
        count += 1;
    }
    f64::from(count) / began.elapsed().as_secs_f64()
}

fn has_taskset() -> bool {
    Command::new("taskset").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// A command that runs on the first core alone.
fn on_one_core(program: &std::ffi::OsStr) -> Command {
    if has_taskset() {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]).arg(program);
        command
    } else {
        Command::new(program)
    }
}

/// Signatures a second on that core: ours, of the rsa crate, and of OpenSSL.
fn signing_rates() -> [f64; 3] {
    let ours = std::env::current_exe().unwrap();
    let output = on_one_core(ours.as_os_str()).arg("--sign").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut rates = text.split_whitespace().map(|number| number.parse().unwrap());
    let (own, rsa) = (rates.next().unwrap(), rates.next().unwrap());
    let output = on_one_core("openssl".as_ref()).args(["speed", "-seconds", "3", "rsa2048"]).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let openssl = text
        .lines()
        .find(|line| line.starts_with("rsa 2048"))
        .and_then(|line| line.split_whitespace().nth(5)?.parse().ok())
        .unwrap_or(f64::NAN);
    [own, rsa, openssl]
}

fn sign() {
    let fields = notify("P0000000000000000000000000").0.into_iter().collect::<mypos::Fields>();
    let own = rate(|| drop(FIRST.store.sign_fields(fields.clone()).unwrap()));
    let key = rsa::RsaPrivateKey::from_pkcs8_pem(&FIRST.store.to_pkcs8_pem()).unwrap();
    let key = rsa::pkcs1v15::SigningKey::<sha2::Sha256>::new(key);
    let rsa = rate(|| drop(key.sign(b"as long as what is signed, once it is in base64").to_vec()));
    println!("{own} {rsa}");
}

fn main() {
    if std::env::args().any(|argument| argument == "--sign") {
        return sign();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let signing = signing_rates();
    let [own, rsa, openssl] = signing;
    println!(
        "RSA-SHA256 signatures a second on one core, 2048 bits: {own:.0} (aws-lc-rs, as the server signs), {rsa:.0} (rsa), {openssl:.0} (OpenSSL)"
    );
    println!(
        "Server on one core: {}; {IN_FLIGHT} requests in flight, {LISTED_AT_A_TIME} of the list.\n",
        if has_taskset() { "yes" } else { "no, taskset is missing" }
    );
    let sizes: Vec<u32> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000] } else { sizes };
    let mut points = Vec::new();
    for orders in &sizes {
        runtime.block_on(measure("SQLite", None, signing, *orders, &mut points));
    }
    if std::env::var_os("TEST_DATABASE_URL").is_some() {
        for orders in &sizes {
            let database = runtime.block_on(Database::migrated());
            runtime.block_on(measure("PostgreSQL", Some(&database), signing, *orders, &mut points));
        }
    } else {
        println!("PostgreSQL was not measured: TEST_DATABASE_URL is not set.");
    }
    if sizes.len() > 1 {
        print_growth(&points, &sizes);
    }
    if let Some(path) = std::env::var_os("BENCH_PLOT") {
        std::fs::write(path, plot::growth(&points)).unwrap();
    }
}

/// The medians side by side.
fn print_growth(points: &[Point], sizes: &[u32]) {
    println!("### Growth\n\nHalf of the answers took at most, in ms, with so many orders in the database:\n");
    let columns = |texts: Vec<String>| format!("| {} |", texts.join(" | "));
    let mut head = vec!["database".to_owned(), String::new()];
    head.extend(sizes.iter().map(|orders| plot::grouped(*orders)));
    head.push("last by first".to_owned());
    println!("{}\n|{}", columns(head.clone()), "---|".repeat(head.len()));
    for row in points.iter().filter(|point| point.orders == sizes[0]) {
        let same = |point: &&Point| (point.database, point.what) == (row.database, row.what);
        let medians: Vec<f64> = points.iter().filter(same).map(|point| point.median_ms).collect();
        let mut texts = vec![row.database.to_owned(), row.what.to_owned()];
        texts.extend(medians.iter().map(|ms| format!("{ms:.2}")));
        texts.push(format!("{:.2}", medians.last().unwrap() / medians[0]));
        println!("{}", columns(texts));
    }
    println!();
}

async fn fill_sqlite(path: &Path, orders: u32) {
    drop(SqliteStore::open(path).unwrap());
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF; PRAGMA cache_size = -2000000").unwrap();
    for statement in Dialect::Sqlite.statements("test", orders) {
        connection.execute_batch(&statement).unwrap();
    }
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

async fn fill_postgres(database: &Database, orders: u32) {
    let mut connection = database.connection().await;
    connection.execute("SET synchronous_commit = off").await.unwrap();
    for statement in Dialect::Postgres.statements("test", orders) {
        connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }
    // What the database's own housekeeping does in time.
    connection.execute("VACUUM ANALYZE").await.unwrap();
    connection.execute("CHECKPOINT").await.unwrap();
}

async fn measure(
    name: &'static str,
    database: Option<&Database>,
    signing: [f64; 3],
    orders: u32,
    points: &mut Vec<Point>,
) {
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let [port, operator] = [(); 2]
        .map(|()| std::net::TcpListener::bind("127.0.0.1:0").unwrap())
        .map(|l| l.local_addr().unwrap().port());
    let url = format!("http://127.0.0.1:{port}");
    let mut table = configuration(dir.path(), &url, "http://127.0.0.1:1/vmp/checkout");
    // One client is many here.
    table.insert("trusted_proxies".into(), vec!["127.0.0.1"].into());
    table.insert("listen".into(), format!("127.0.0.1:{port}").into());
    table.insert("operator_listen".into(), format!("127.0.0.1:{operator}").into());
    for limit in ["requests_per_second", "requests_burst", "payments_per_minute", "payments_burst"] {
        table.insert(limit.into(), i64::from(u32::MAX).into());
    }
    if let Some(database) = database {
        table.insert("database_url".into(), database.url().into());
    }
    let file = dir.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let [bare, bare_steady] = match database {
        Some(database) => bare_inserts_postgres(database).await,
        None => bare_inserts_sqlite(dir.path()).await,
    };
    let bounds = Bounds { signing, bare_inserts: bare.per_second };
    let began = Instant::now();
    match database {
        Some(database) => fill_postgres(database, orders).await,
        None => fill_sqlite(&dir.path().join("shop.db"), orders).await,
    }
    let filled = began.elapsed().as_secs();
    let mut command = on_one_core(cli::tillgate().get_program());
    command.args(["serve", "--config"]).arg(&file).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(std::fs::File::create(dir.path().join("log")).unwrap());
    let process = cli::Process(command.spawn().unwrap());
    let server = process.0.id();
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(CONNECTIONS).build().unwrap();
    let client = &client;
    while client.get(format!("http://127.0.0.1:{operator}/readyz")).send().await.is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let post = async |path: &str, body: String| {
        let request = client.post(format!("{url}{path}")).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, 200, "{text}");
        text
    };

    println!("### {name}, {} orders\n", plot::grouped(orders));
    println!("Filled in {filled} s.\n");
    println!(
        "| | a second | of signing | of `rsa` | of OpenSSL | bare inserts | core busy | half ms | 99 % ms | 99.9 % ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    bare.row("a bare insert, one after the other", bounds);
    bare_steady.row("a bare insert, at 70 % of that", bounds);
    let mut keep = |what: &'static str, series: &Series| {
        series.row(what, bounds);
        points.push(Point { database: name, orders, what, median_ms: series.at(500) });
    };
    let presses = |count: usize| -> Vec<String> {
        let press = || html::encode(api_form(&purchase()).iter().map(|(name, value)| (name, value)));
        std::iter::repeat_with(press).take(count).collect()
    };
    let post = &post;
    let start = |press: String| async move { drop(post("/api/checkout/start", press).await) };
    let config = Config::parse(&table.to_string(), []).unwrap();
    let checkout = open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
    start(presses(1).remove(0)).await;
    let payment = checkout.store().unsettled(PaymentId(0), 1).await.unwrap().remove(0);
    let token = checkout.open_order(payment.order).await.unwrap();
    let address = format!("{url}/api/checkout/status?token={}", token.secret());
    let address = &address;
    let poll = |_| async move {
        let answer = client.get(address).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        drop(answer.bytes().await.unwrap());
    };
    let polled = closed_loop(server, IN_FLIGHT, POLLED, poll).await;
    keep("status", &polled);
    let steady = open_loop(server, usize::MAX, polled.per_second, poll).await;
    steady.row("status, at 70 % of that", bounds);

    let [email, password] = MERCHANT;
    checkout.add_user(email, Role::View, password, Actor::command_line("bench")).await.unwrap();
    let merchant = Browser::at(&url);
    let credentials = [("email", email), ("password", password), ("next", "")];
    let credentials = credentials.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let list = merchant.post("/merchant/sign-in", &credentials).await.location().to_owned();
    for (what, query) in [
        ("transactions, newest", ""),
        ("transactions, paid by card", "?state=paid&method=card"),
        ("transactions, of an e-mail address", "?q=user7%40example.com"),
    ] {
        let (merchant, address) = (&merchant, &format!("{list}{query}"));
        let show = |_| async move {
            let answer = merchant.get(address).await;
            assert_eq!((answer.status, answer.body.contains("<table")), (200, true));
        };
        let listed = closed_loop(server, LISTED_AT_A_TIME, LISTED, show).await;
        keep(what, &listed);
        let steady = open_loop(server, usize::MAX, listed.per_second, show).await;
        steady.row(&format!("{what}, at 70 % of that"), bounds);
    }
    let bodies = presses(STARTED_FAST);
    let send = |index: usize| start(bodies[index].clone());
    let started = closed_loop_for(STARTED_FOR, server, IN_FLIGHT, bodies.len(), send).await;
    keep("start a payment", &started);
    let bodies = presses(steady_count(started.per_second));
    let steady =
        open_loop(server, bodies.len(), started.per_second, |index| start(bodies[index].clone())).await;
    steady.row("start a payment, at 70 % of that", bounds);

    let messages = messages_of(&checkout).await;
    let messages = &messages;
    let tell =
        |index: usize| async move { assert_eq!(post("/mypos/notify", messages[index].clone()).await, "OK") };
    let at_once = NOTIFIED_FAST.min(messages.len() / 2);
    let fast = closed_loop(server, IN_FLIGHT, at_once, tell).await;
    keep("notify", &fast);
    let steady =
        open_loop(server, messages.len() - at_once, fast.per_second, |index| tell(at_once + index)).await;
    steady.row("notify, at 70 % of that", bounds);

    let before = memory_of(server);
    let besiegers = besiege(port).await;
    let besieged = closed_loop(server, IN_FLIGHT, POLLED, poll).await;
    besieged.row("status, under siege", bounds);
    let under_siege = memory_of(server);
    println!(
        "\nResident memory of the server, in MiB: {} at the end of all this, {} at most. Under siege, by {} connections with heads and bodies that do not end: {}.\n",
        before[0] / 1024,
        before[1] / 1024,
        besiegers.len(),
        under_siege[1] / 1024
    );
}

/// As many connections as one client may have, with the longest head that does not end, and as many with a body that does
/// not.
async fn besiege(port: u16) -> Vec<TcpStream> {
    let head = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}", "y".repeat(30_000));
    let body =
        "POST /mypos/notify HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\n";
    let body = format!("{body}content-length: 60000\r\n\r\n{}", "y".repeat(59_000));
    let mut besiegers = Vec::new();
    for sent in std::iter::repeat_n([head, body], 256).flatten() {
        let mut besieger = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        besieger.write_all(sent.as_bytes()).await.unwrap();
        besiegers.push(besieger);
    }
    besiegers
}

/// A notification for each payment.
async fn messages_of(checkout: &Checkout) -> Vec<String> {
    let mut messages = Vec::new();
    let mut after = PaymentId(0);
    loop {
        let payments = checkout.store().unsettled(after, 1000).await.unwrap();
        let Some(last) = payments.last() else { return messages };
        after = last.id;
        messages.extend(payments.iter().map(|payment| notify(&payment.gateway_order_id).signed()));
    }
}

/// How long a process has worked; nothing where there is no such file.
fn worked(process: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // After the name, which may hold blanks: `utime` and `stime`, in hundredths of a second.
    let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
    Duration::from_millis(fields.skip(11).take(2).map(|ticks| ticks.parse().unwrap_or(0) * 10).sum())
}

/// `VmRSS` and `VmHWM` in KiB; 0 where there is no such file.
fn memory_of(process: u32) -> [u64; 2] {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    ["VmRSS:", "VmHWM:"].map(|name| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    })
}

/// Durable inserts of a row over one connection, one after the other, and then each when it is due.
async fn bare_inserts(mut insert: impl AsyncFnMut()) -> [Series; 2] {
    let (began, mut micros) = (Instant::now(), Vec::new());
    while began.elapsed() < MEASURED {
        let sent = Instant::now();
        insert().await;
        micros.push(sent.elapsed().as_micros() as u64);
    }
    let fast = Series::new(micros, began.elapsed(), Duration::ZERO);
    let (began, mut micros) = (Instant::now(), Vec::new());
    for index in 0..steady_count(fast.per_second) {
        let due = began + Duration::from_secs_f64(index as f64 / (fast.per_second * STEADY));
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        insert().await;
        micros.push(due.elapsed().as_micros() as u64);
    }
    let steady = Series::new(micros, began.elapsed(), Duration::ZERO);
    [fast, steady]
}

async fn bare_inserts_sqlite(dir: &Path) -> [Series; 2] {
    let connection = rusqlite::Connection::open(dir.join("bare.db")).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.pragma_update(None, "synchronous", "FULL").unwrap();
    connection.execute_batch("CREATE TABLE bare (id INTEGER PRIMARY KEY, what TEXT)").unwrap();
    bare_inserts(async || {
        assert_eq!(connection.execute("INSERT INTO bare (what) VALUES ('a payment')", ()).unwrap(), 1);
    })
    .await
}

async fn bare_inserts_postgres(database: &Database) -> [Series; 2] {
    let mut connection = database.connection().await;
    connection
        .execute("CREATE TABLE bare (id BIGINT GENERATED BY DEFAULT AS IDENTITY, what TEXT)")
        .await
        .unwrap();
    bare_inserts(async || {
        connection.execute("INSERT INTO bare (what) VALUES ('a payment')").await.unwrap();
    })
    .await
}
