//! Three servers on one PostgreSQL database, behind a real proxy, killed in turn: they behave like one, and nothing
//! is lost.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use checkout::clock::SystemClock;
use checkout::records::{EventKind, Mode};
use checkout::store::merchant::Filter;
use domain::{OrderState, PaymentState, StartRequest};
use futures_util::future::join_all;
use reqwest::redirect::Policy;
use server::config::Config;
use server::serve::open_checkout;
use toml::Table;

use crate::cli::Process;
use crate::database::Database;
use crate::html;
use crate::kill::{configuration_on, free_ports, serve};
use crate::messages::notify;
use crate::pay::api_form;
use crate::shop::{folder, purchase};

const REPLICAS: usize = 3;
const SHOPPERS: usize = 240;
/// How many shoppers are there at the same time.
const AT_ONCE: usize = 24;
/// How many times a replica is killed.
const KILLS: usize = 6;
const ENDPOINT: &str = "http://127.0.0.1:1/vmp/checkout";

/// Starts a proxy that sends each request to one of the servers that say that they are ready.
fn proxy(dir: &Path, port: u16, replicas: &[[u16; 2]]) -> Process {
    let mut text = format!(
        "defaults
            mode http
            timeout connect 2s
            timeout client 30s
            timeout server 30s
            retries 3
            option redispatch
            retry-on conn-failure
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

/// Does something again and again until it works, as a shopper or the gateway would.
pub async fn until_it_works<T>(what: &str, attempt: impl AsyncFn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_mins(1);
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

fn configuration_of(dir: &Path, database: &Database, url: &str, ports: [u16; 2]) -> Table {
    std::fs::create_dir_all(dir).unwrap();
    let mut table = configuration_on(dir, url, ports);
    table.insert("database_url".into(), database.url().into());
    std::fs::write(dir.join("tillgate.toml"), table.to_string()).unwrap();
    table
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_servers_that_are_killed_in_turn_lose_nothing_and_do_nothing_twice() {
    let dir = folder();
    let database = Database::migrated().await;
    let [front] = free_ports();
    let url = format!("http://127.0.0.1:{front}");
    let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let ports: [[u16; 2]; REPLICAS] = [(); REPLICAS].map(|()| free_ports());
    let mut table = Table::new();
    let mut replicas = Vec::new();
    for (number, ports) in ports.into_iter().enumerate() {
        let folder = dir.path().join(format!("replica-{number}"));
        table = configuration_of(&folder, &database, &url, ports);
        replicas.push(serve(&folder.join("tillgate.toml"), ports, &client).await);
    }
    let _proxy = proxy(dir.path(), front, &ports);
    until_it_works("the proxy", async || {
        client.get(format!("{url}/")).send().await.ok().filter(|answer| answer.status() == 200)
    })
    .await;

    let (begun, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let shoppers = (0..AT_ONCE).map(async |_| {
        let mut requests = Vec::new();
        while begun.fetch_add(1, Ordering::SeqCst) < SHOPPERS {
            requests.push(buys(&client, &url).await);
            done.fetch_add(1, Ordering::SeqCst);
        }
        requests
    });
    let killer = async {
        for kill in 0..KILLS {
            let when = SHOPPERS * (kill + 1) / (KILLS + 1);
            until_it_works("shoppers", async || (done.load(Ordering::SeqCst) >= when).then_some(())).await;
            let number = kill % REPLICAS;
            // SIGKILL: nothing is finished, nothing is said.
            replicas[number].0.kill().unwrap();
            replicas[number].0.wait().unwrap();
            assert!(done.load(Ordering::SeqCst) < SHOPPERS, "it was killed when everybody had gone");
            let file = dir.path().join(format!("replica-{number}/tillgate.toml"));
            replicas[number] = serve(&file, ports[number], &client).await;
        }
    };
    let (requests, ()) = tokio::join!(join_all(shoppers), killer);
    let requests: Vec<_> = requests.into_iter().flatten().collect();
    assert_eq!(requests.len(), SHOPPERS);

    everybody_paid_once(&table, &requests).await;
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
