//! `OK` means that it is on disk: the process is killed while notifications come in.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, AtomicUsize, Ordering};

use checkout::checkout::Checkout;
use checkout::clock::SystemClock;
use checkout::records::EventKind;
use domain::{OrderState, PaymentState};
use reqwest::redirect::Policy;
use server::config::Config;
use server::serve::open_checkout;
use toml::Table;

use crate::cli::{Process, tillgate, until};
use crate::database::Database;
use crate::messages::notify;
use crate::shop::{configuration, folder, purchase};

/// How many payments are notified in one round.
const PAYMENTS: usize = 200;

pub struct Prepared {
    pub cart_id: String,
    /// As the gateway knows the payment.
    pub id: String,
    /// Its notification.
    pub body: String,
}

/// Starts payments in the database of a configuration.
pub async fn prepare(checkout: &Checkout) -> Vec<Prepared> {
    let mut prepared = Vec::new();
    for _ in 0..PAYMENTS {
        let request = purchase();
        let cart_id = request.cart_id.clone();
        checkout.start(request).await.unwrap();
        let file = checkout.order_of_cart(&cart_id).await.unwrap().unwrap();
        let id = file.payments[0].gateway_order_id.clone();
        prepared.push(Prepared { cart_id, body: notify(&id).signed(), id });
    }
    prepared
}

/// Ports that are free, and that no other test is given: below those that the system gives to connections, one of which
/// might have the port by the time a server starts.
pub fn free_ports<const N: usize>() -> [u16; N] {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + u16::try_from(std::process::id() % 5_000).unwrap();
    [(); N].map(|()| {
        (0..5_000)
            .map(|_| first + NEXT.fetch_add(1, Ordering::SeqCst))
            .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
            .unwrap()
    })
}

/// The configuration of a server on two ports: the shop's, and the operator's.
pub fn configuration_on(dir: &Path, url: &str, ports: [u16; 2]) -> Table {
    let mut table = configuration(dir, url, "http://127.0.0.1:1/vmp/checkout");
    for (setting, port) in ["listen", "operator_listen"].into_iter().zip(ports) {
        table.insert(setting.to_owned(), format!("127.0.0.1:{port}").into());
    }
    table
}

/// Starts `tillgate serve` and waits until it is ready.
pub async fn serve(file: &Path, ports: [u16; 2], client: &reqwest::Client) -> Process {
    serve_by(tillgate(), file, ports, client).await
}

/// The same, by a command that takes the arguments of `tillgate`.
pub async fn serve_by(
    mut command: Command,
    file: &Path,
    ports: [u16; 2],
    client: &reqwest::Client,
) -> Process {
    command.args(["serve", "--config"]).arg(file).stdout(std::process::Stdio::null());
    let log = std::fs::File::create(file.with_extension("log")).unwrap();
    let mut process = Process(command.stderr(log).spawn().unwrap());
    let ready = format!("http://127.0.0.1:{}/readyz", ports[1]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    loop {
        if client.get(&ready).send().await.is_ok_and(|answer| answer.status() == 200) {
            return process;
        }
        let log = || std::fs::read_to_string(file.with_extension("log")).unwrap_or_default();
        assert!(process.0.try_wait().unwrap().is_none(), "{}", log());
        assert!(std::time::Instant::now() < deadline, "{}", log());
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// Sends every notification, sixteen at a time, and kills the process after so many were answered `OK`.
/// Returns which of them were.
async fn notify_and_kill(
    process: Process,
    url: &str,
    client: &reqwest::Client,
    prepared: &Arc<Vec<Prepared>>,
    kill_after: usize,
) -> Vec<usize> {
    let answered = Arc::new(AtomicUsize::new(0));
    let next = Arc::new(AtomicUsize::new(0));
    let senders: Vec<_> = (0..16)
        .map(|_| {
            let (answered, next) = (Arc::clone(&answered), Arc::clone(&next));
            let (client, url, prepared) = (client.clone(), url.to_owned(), Arc::clone(prepared));
            tokio::spawn(async move {
                let mut ok = Vec::new();
                loop {
                    let index = next.fetch_add(1, Ordering::SeqCst);
                    let Some(one) = prepared.get(index) else { return ok };
                    let Ok(answer) = client.post(&url).body(one.body.clone()).send().await else { return ok };
                    if answer.text().await.is_ok_and(|body| body == "OK") {
                        answered.fetch_add(1, Ordering::SeqCst);
                        ok.push(index);
                    }
                }
            })
        })
        .collect();
    let sent = Arc::new(AtomicBool::new(false));
    let killer = {
        let (answered, sent) = (Arc::clone(&answered), Arc::clone(&sent));
        tokio::task::spawn_blocking(move || {
            let mut process = process;
            until("enough answers", || {
                (answered.load(Ordering::SeqCst) >= kill_after || sent.load(Ordering::SeqCst)).then_some(())
            });
            process.0.kill().unwrap();
            process.0.wait().unwrap();
        })
    };
    let mut ok = Vec::new();
    for sender in senders {
        ok.extend(sender.await.unwrap());
    }
    sent.store(true, Ordering::SeqCst);
    killer.await.unwrap();
    ok
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_ok_is_lost_when_the_process_is_killed() {
    kill_and_compare(async || None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_was_answered_ok_is_lost_with_postgresql() {
    kill_and_compare(async || Some(Database::migrated().await)).await;
}

/// Kills the process several times, each time with another database.
async fn kill_and_compare(database: impl AsyncFn() -> Option<Database>) {
    let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let mut interrupted = 0;
    for kill_after in [1, 25, 80, 150] {
        let dir = folder();
        let ports = free_ports();
        let url = format!("http://127.0.0.1:{}", ports[0]);
        let mut table = configuration_on(dir.path(), &url, ports);
        let database = database().await;
        if let Some(database) = &database {
            table.insert("database_url".into(), database.url().into());
        }
        let file = dir.path().join("tillgate.toml");
        std::fs::write(&file, table.to_string()).unwrap();
        let config = Config::parse(&table.to_string(), []).unwrap();
        let open = async || open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
        let prepared = Arc::new(prepare(open().await.as_ref()).await);
        let url = format!("{url}/mypos/notify");

        let process = serve(&file, ports, &client).await;
        let ok = notify_and_kill(process, &url, &client, &prepared, kill_after).await;
        assert!(ok.len() >= kill_after, "{} of {kill_after}", ok.len());
        interrupted += usize::from(ok.len() < PAYMENTS);

        // What was said to be on disk is there, and what was not said is whole or not there at all.
        let _process = serve(&file, ports, &client).await;
        let checkout = open().await;
        for (index, one) in prepared.iter().enumerate() {
            let file = checkout.order_of_cart(&one.cart_id).await.unwrap().unwrap();
            let events = checkout.store().events(file.order.id).await.unwrap();
            let notified: Vec<_> =
                events.iter().filter(|event| event.what.kind == EventKind::Notified).collect();
            let is_paid = file.order.state == OrderState::Paid;
            assert_eq!(is_paid, file.payments[0].state == PaymentState::Paid);
            assert_eq!(notified.len(), usize::from(is_paid));
            if ok.contains(&index) {
                assert!(is_paid, "payment {index} was answered OK and is lost");
                assert_eq!(notified[0].what.raw.as_deref(), Some(one.body.as_str()));
            }
        }
        // The gateway sends again what was not answered, and all of it is taken, once.
        for one in prepared.iter() {
            let answer = client.post(&url).body(one.body.clone()).send().await.unwrap();
            assert_eq!(answer.text().await.unwrap(), "OK");
            let file = checkout.order_of_cart(&one.cart_id).await.unwrap().unwrap();
            assert_eq!(file.order.state, OrderState::Paid);
            let events = checkout.store().events(file.order.id).await.unwrap();
            assert_eq!(events.iter().filter(|event| event.what.kind == EventKind::Notified).count(), 1);
        }
    }
    assert!(interrupted >= 3, "the process was killed in the middle, {interrupted} times");
}
