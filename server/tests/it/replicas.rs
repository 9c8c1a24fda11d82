//! Three servers on one PostgreSQL database, behind a real proxy, killed in turn: they behave like one, and nothing
//! is lost.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use checkout::clock::SystemClock;
use checkout::people::{Actor, Role};
use checkout::records::{EventKind, Mode};
use checkout::store::merchant::Filter;
use domain::{OrderState, PaymentState, RefundState, StartRequest};
use futures_util::future::join_all;
use reqwest::redirect::Policy;
use server::config::Config;
use server::serve::open_checkout;
use tempfile::TempDir;
use toml::Table;

use crate::cli::Process;
use crate::database::Database;
use crate::gateway::{FakeGateway, Reply, paid, refund};
use crate::html::{self, Pairs};
use crate::kill::{configuration_on, free_ports, serve};
use crate::merchant::{ANNA, LIST, PASSWORD};
use crate::messages::{notify, ok};
use crate::pay::api_form;
use crate::shop::{client, folder, purchase, set, store_entry};

const REPLICAS: usize = 3;
const SHOPPERS: usize = 240;
/// How many shoppers are there at the same time.
const AT_ONCE: usize = 24;
/// How many times a replica is killed.
const KILLS: usize = 6;
const ENDPOINT: &str = "http://127.0.0.1:1/vmp/checkout";

/// Starts a proxy that sends each request to one of the servers that say that they are ready. One that is dead refuses
/// the connection; one that is slow, on a busy machine, is not dead.
fn proxy(dir: &Path, port: u16, replicas: &[[u16; 2]]) -> Process {
    let mut text = format!(
        "defaults
            mode http
            timeout connect 2s
            timeout client 30s
            timeout server 30s
            timeout check 5s
            retries 3
            option redispatch
            retry-on conn-failure
            option http-buffer-request
            timeout http-request 10s
        frontend shop
            bind 127.0.0.1:{port}
            default_backend replicas
        backend replicas
            option httpchk GET /readyz
            default-server check inter 100ms fall 1 rise 1\n"
    );
    for (number, [shop, operator]) in replicas.iter().enumerate() {
        writeln!(text, "            server r{number} 127.0.0.1:{shop} port {operator}").unwrap();
    }
    let file = dir.join("haproxy.cfg");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new("haproxy");
    command.arg("-db").arg("-f").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
    Process(command.spawn().expect("haproxy (Debian's package of that name)"))
}

/// Does something again and again until it works, as a shopper or the gateway would. What a server held when it was
/// killed is nobody's until its lease ends: a press of Pay for 30 seconds, a payment that it asked about for a minute.
pub async fn until_it_works<T>(what: &str, attempt: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(3);
    loop {
        if let Some(done) = attempt().await {
            return done;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A shopper who presses Pay twice, and a gateway that notifies twice. Both come by the proxy.
pub async fn buys(client: &reqwest::Client, url: &str) -> StartRequest {
    let request = purchase();
    let form = api_form(&request);
    let body = html::encode(form.iter().map(|(name, value)| (name, value)));
    let press = async || {
        until_it_works("a payment", async || {
            let call = client
                .post(format!("{url}/api/checkout/start"))
                .header("content-type", "application/x-www-form-urlencoded")
                .body(body.clone());
            let answer = call.send().await.ok().filter(|answer| answer.status() == 200)?;
            let answer: serde_json::Value = serde_json::from_str(&answer.text().await.ok()?).ok()?;
            answer["location"].as_str().map(str::to_owned)
        })
        .await
    };
    let (first, second) = tokio::join!(press(), press());
    assert_eq!(first, second, "one press of Pay is one payment");
    let page = until_it_works("the hand-over page", async || {
        let answer = client.get(format!("{url}{first}")).send().await.ok()?;
        let page = answer.text().await.ok().filter(|page| page.contains(ENDPOINT));
        if page.is_none() {
            // It is shown once for each press, and a server died while it showed it: the browser sends the press again.
            assert_eq!(press().await, first);
        }
        page
    })
    .await;
    let form = html::form(&page, ENDPOINT).expect("a form for the gateway");
    let id = form.iter().find(|(name, _)| name == "OrderID").map(|(_, value)| value.clone()).unwrap();
    let message = notify(&id).signed();
    let tell = async || {
        until_it_works("an OK", async || {
            let answer =
                client.post(format!("{url}/mypos/notify")).body(message.clone()).send().await.ok()?;
            answer.text().await.ok().filter(|body| body == "OK")
        })
        .await
    };
    tokio::join!(tell(), tell());
    request
}

/// Three servers on one database, and a proxy in front of them.
struct Replicas {
    dir: TempDir,
    url: String,
    /// The last server's configuration; all of them are alike.
    table: Table,
    ports: [[u16; 2]; REPLICAS],
    servers: Vec<Process>,
    client: reqwest::Client,
    _proxy: Process,
    _database: Database,
}

impl Replicas {
    async fn start(endpoint: &str) -> Self {
        let dir = folder();
        let database = Database::migrated().await;
        let [front] = free_ports();
        let url = format!("http://127.0.0.1:{front}");
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        let ports: [[u16; 2]; REPLICAS] = [(); REPLICAS].map(|()| free_ports());
        let mut table = Table::new();
        let mut servers = Vec::new();
        for (number, ports) in ports.into_iter().enumerate() {
            let folder = dir.path().join(format!("replica-{number}"));
            std::fs::create_dir_all(&folder).unwrap();
            table = configuration_on(&folder, &url, ports);
            store_entry(&mut table).insert("endpoint".into(), endpoint.into());
            table.insert("database_url".into(), database.url().into());
            std::fs::write(folder.join("tillgate.toml"), table.to_string()).unwrap();
            servers.push(serve(&folder.join("tillgate.toml"), ports, &client).await);
        }
        let proxy = proxy(dir.path(), front, &ports);
        until_it_works("the proxy", async || {
            client.get(format!("{url}/")).send().await.ok().filter(|answer| answer.status() == 200)
        })
        .await;
        Self { dir, url, table, ports, servers, client, _proxy: proxy, _database: database }
    }

    /// Kills one in turn, each time that another part of the work is done.
    async fn kill_in_turn(&mut self, done: &AtomicUsize, all: usize) {
        for kill in 0..KILLS {
            let when = all * (kill + 1) / (KILLS + 1);
            until_it_works("work to be done", async || (done.load(Ordering::SeqCst) >= when).then_some(()))
                .await;
            let number = kill % REPLICAS;
            // SIGKILL: nothing is finished, nothing is said.
            self.servers[number].0.kill().unwrap();
            self.servers[number].0.wait().unwrap();
            assert!(done.load(Ordering::SeqCst) < all, "it was killed when all was done");
            let file = self.dir.path().join(format!("replica-{number}/tillgate.toml"));
            self.servers[number] = serve(&file, self.ports[number], &self.client).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_that_are_killed_in_turn_lose_nothing_and_do_nothing_twice() {
    let mut replicas = Replicas::start(ENDPOINT).await;
    let (client, url) = (replicas.client.clone(), replicas.url.clone());
    let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let shoppers = (0..AT_ONCE).map(async |_| {
        let mut requests = Vec::new();
        while begun.fetch_add(1, Ordering::SeqCst) < SHOPPERS {
            requests.push(buys(&client, &url).await);
            done.fetch_add(1, Ordering::SeqCst);
        }
        requests
    });
    let (requests, ()) = tokio::join!(join_all(shoppers), replicas.kill_in_turn(&done, SHOPPERS));
    let requests: Vec<_> = requests.into_iter().flatten().collect();
    assert_eq!(requests.len(), SHOPPERS);

    everybody_paid_once(&replicas.table, &requests).await;
}

/// A page, or nothing where the server that was to send it died.
async fn page(request: reqwest::RequestBuilder) -> Option<String> {
    let answer = request.send().await.ok().filter(|answer| answer.status() == 200)?;
    answer.text().await.ok()
}

/// A merchant who refunds a part of an order once it is paid, and presses the button twice.
async fn refunds(client: &reqwest::Client, url: &str, reference: &str) {
    let path = format!("{LIST}/{reference}/refund");
    let post = |form: &Pairs| {
        client
            .post(format!("{url}{path}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", url)
            .body(html::encode(form.iter().map(|(name, value)| (name, value))))
    };
    let mut form = until_it_works("a paid order", async || {
        html::form(&page(client.get(format!("{url}{LIST}/{reference}"))).await?, &path)
    })
    .await;
    set(&mut form, "amount", "20.00");
    set(&mut form, "reason", "too green");
    let review = until_it_works("a review", async || html::form(&page(post(&form)).await?, &path)).await;
    let press = async || {
        until_it_works("a refund", async || {
            post(&review).send().await.ok().filter(|answer| answer.status() == 303)
        })
        .await;
    };
    tokio::join!(press(), press());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_are_killed_keep_a_merchant_signed_in_refund_once_and_find_what_nobody_told() {
    const ORDERS: usize = 60;
    let gateway = FakeGateway::start().await;
    gateway.says(|call| {
        let is_refund = call.text("IPCmethod") == Some("IPCRefund");
        Reply::Signed(if is_refund { refund(call, "0") } else { paid(call, "50.00") })
    });
    let mut replicas = Replicas::start(&gateway.endpoint).await;
    let url = replicas.url.clone();
    let config = Config::parse(&replicas.table.to_string(), []).unwrap();
    let checkout = open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
    checkout.add_user(ANNA, Role::Refund, PASSWORD, Actor::command_line("tests")).await.unwrap();
    let client = client().cookie_store(true).build().unwrap();
    let mut references = Vec::new();
    for number in 0..ORDERS {
        let request = purchase();
        checkout.start(request.clone()).await.unwrap();
        let file = checkout.order_of_cart(&request.cart_id).await.unwrap().unwrap();
        let id = &file.payments[0].gateway_order_id;
        // Of every other payment nobody tells but the shopper, who comes back, and proves nothing.
        let (path, message) = if number % 2 == 0 { ("notify", notify(id)) } else { ("ok", ok(id)) };
        let told = client.post(format!("{url}/mypos/{path}")).body(message.signed()).send().await.unwrap();
        assert!([200, 303].contains(&told.status().as_u16()), "{told:?}");
        references.push(file.order.new.reference);
    }
    let answer = client
        .post(format!("{url}/merchant/sign-in"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("origin", &url)
        .body(html::encode([("email", ANNA), ("password", PASSWORD), ("next", "")]));
    assert_eq!(answer.send().await.unwrap().headers()["location"], LIST);

    let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let merchants = (0..6).map(async |_| {
        while let Some(reference) = references.get(begun.fetch_add(1, Ordering::SeqCst)) {
            refunds(&client, &url, reference).await;
            done.fetch_add(1, Ordering::SeqCst);
        }
    });
    tokio::join!(join_all(merchants), replicas.kill_in_turn(&done, ORDERS));

    let still = client.get(format!("{url}{LIST}")).send().await.unwrap();
    assert_eq!(still.status(), 200, "one sign-in was enough");
    let mut cut_off = 0;
    for reference in &references {
        let record = checkout.order_record(reference).await.unwrap();
        assert_eq!(record.file.payments[0].state, PaymentState::Paid);
        let refunds: Vec<_> =
            record.refunds.iter().map(|refund| (refund.money.minor, refund.state)).collect();
        match refunds[..] {
            [(2_000, RefundState::Done)] => {}
            // Whoever asked the gateway was killed before it knew.
            [(2_000, RefundState::Reserved | RefundState::Unknown)] => cut_off += 1,
            _ => panic!("{reference}: {refunds:?}"),
        }
    }
    assert!(cut_off < ORDERS / 2, "{cut_off} of {ORDERS} refunds were cut off");
    let calls = gateway.take_calls();
    let asked: Vec<_> = calls.iter().filter(|call| call.text("IPCmethod") == Some("IPCRefund")).collect();
    let distinct: BTreeSet<_> = asked.iter().map(|call| call.text("OrderID")).collect();
    assert_eq!(asked.len(), distinct.len(), "no refund was asked for twice");
    assert!((ORDERS - cut_off..=ORDERS).contains(&asked.len()), "{} calls, {cut_off} cut off", asked.len());
}

/// Whether each shopper has one order, paid once, and there is nothing else.
pub async fn everybody_paid_once(table: &Table, requests: &[StartRequest]) {
    let config = Config::parse(&table.to_string(), []).unwrap();
    let checkout = open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
    for request in requests {
        let file = checkout.order_of_cart(&request.cart_id).await.unwrap().unwrap();
        assert_eq!(file.order.state, OrderState::Paid);
        let states: Vec<_> = file.payments.iter().map(|payment| payment.state).collect();
        assert_eq!(states, [PaymentState::Paid]);
        let events = checkout.store().events(file.order.id).await.unwrap();
        for once in [EventKind::OrderPlaced, EventKind::PaymentStarted, EventKind::Notified] {
            assert_eq!(events.iter().filter(|event| event.what.kind == once).count(), 1, "{once:?}");
        }
    }
    let totals = checkout.store().totals(Filter::all(Mode::Test)).await.unwrap().by_currency;
    let orders = i64::try_from(requests.len()).unwrap();
    assert_eq!((totals.len(), totals[0].orders, totals[0].total_minor), (1, orders, orders * 5_000));
}
