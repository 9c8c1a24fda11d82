//! What the merchant's own systems are told: over real HTTP, until they have it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use checkout::clock::SystemClock;
use checkout::people::Role;
use checkout::store::outbox::WebhookState;
use checkout::webhooks::{Deliveries, HttpCourier};
use domain::OrderState;
use serde_json::Value;
use server::config::Config;
use server::dev::WEBHOOK_SECRET;
use server::serve::open_checkout;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use toml::Table;

use crate::cli::{code, command, json_of, out, until};
use crate::database::Database;
use crate::html;
use crate::kill::{Prepared, configuration_on, free_ports, prepare, serve};
use crate::merchant::{BOB, LIST, act, anna, signed_in};
use crate::messages::rollback;
use crate::shop::{HOUR, SECOND, Shop, folder};

/// A message as it was heard.
#[derive(Clone, Debug)]
struct Heard {
    id: String,
    body: Value,
}

#[derive(Default)]
struct Ear {
    heard: Mutex<Vec<Heard>>,
    says: Mutex<u16>,
}

/// One of the merchant's systems: it takes nothing whose signature does not fit. Ends with the test.
struct Receiver {
    url: String,
    ear: Arc<Ear>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hear(State(ear): State<Arc<Ear>>, headers: HeaderMap, body: Bytes) -> (StatusCode, HeaderMap) {
    let receiver = standardwebhooks::Webhook::new(WEBHOOK_SECRET).unwrap();
    assert_eq!(headers["content-type"], "application/json");
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    // The time is the shop's, which may be another one than that of the library, so its age is not looked at.
    let seconds = text("webhook-timestamp").parse().unwrap();
    assert_eq!(text("webhook-signature"), receiver.sign(&text("webhook-id"), seconds, &body).unwrap());
    assert!(text("user-agent").starts_with("Tillgate/"));
    let heard = Heard { id: text("webhook-id"), body: serde_json::from_slice(&body).unwrap() };
    ear.heard.lock().unwrap().push(heard);
    let mut answer = HeaderMap::new();
    answer.insert("location", "/elsewhere".parse().unwrap());
    (StatusCode::from_u16(*ear.says.lock().unwrap()).unwrap(), answer)
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::on(listener)
    }

    fn on(listener: TcpListener) -> Self {
        let url = format!("http://{}/tillgate", listener.local_addr().unwrap());
        let ear = Arc::new(Ear::default());
        *ear.says.lock().unwrap() = 204;
        let router = Router::new().route("/tillgate", post(hear)).with_state(Arc::clone(&ear));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, ear, task }
    }

    fn says(&self, status: u16) {
        *self.ear.says.lock().unwrap() = status;
    }

    fn heard(&self) -> Vec<Heard> {
        self.ear.heard.lock().unwrap().clone()
    }

    fn types(&self) -> Vec<String> {
        self.heard().iter().map(|heard| heard.body["type"].as_str().unwrap().to_owned()).collect()
    }
}

/// Names an address in a configuration.
fn tell(table: &mut Table, url: &str) {
    let entry = format!("[[webhook]]\nname = \"erp\"\nurl = \"{url}\"\nsecrets = [\"{WEBHOOK_SECRET}\"]");
    table.extend(entry.parse::<Table>().unwrap());
}

/// A shop that tells a receiver, and its configuration's file.
async fn telling(receiver: &Receiver) -> (Shop, String) {
    let mut file = None;
    let shop = Shop::with(|table, dir| {
        tell(table, &receiver.url);
        let path = dir.join("tillgate.toml");
        std::fs::write(&path, table.to_string()).unwrap();
        file = Some(path.display().to_string());
    })
    .await;
    shop.checkout.want_endpoints().await.unwrap();
    (shop, file.unwrap())
}

/// One round of the task that `serve` runs.
async fn deliver(shop: &Shop) -> Deliveries {
    let courier = HttpCourier::new().unwrap();
    shop.checkout
        .deliver_webhooks(&shop.checkout.settings.webhooks[0], &courier, std::future::pending())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_message_is_sent_until_it_is_received_and_always_the_same() {
    let receiver = Receiver::start().await;
    let (shop, _) = telling(&receiver).await;
    let ours = shop.paid().await;
    for status in [500, 301, 404] {
        receiver.says(status);
        assert_eq!(deliver(&shop).await, Deliveries { failed: 1, ..Deliveries::default() }, "{status}");
        assert_eq!(deliver(&shop).await, Deliveries::default(), "not at once again");
        shop.clock.advance(HOUR);
    }
    receiver.says(200);
    assert_eq!(deliver(&shop).await, Deliveries { delivered: 1, ..Deliveries::default() });
    shop.clock.advance(100 * HOUR);
    assert_eq!(deliver(&shop).await, Deliveries::default(), "it was received");
    let heard = receiver.heard();
    assert_eq!(heard.len(), 4);
    assert!(heard.iter().all(|one| (&one.id, &one.body) == (&heard[0].id, &heard[0].body)));
    let order = shop.file(&ours).await.order.new.reference;
    assert_eq!(
        (&heard[0].body["type"], &heard[0].body["data"]["order"]),
        (&"order.paid".into(), &order.into())
    );
}

#[tokio::test]
async fn what_happened_later_is_told_later() {
    let receiver = Receiver::start().await;
    let (shop, _) = telling(&receiver).await;
    let ours = shop.paid().await;
    receiver.says(503);
    deliver(&shop).await;
    assert_eq!(shop.notify(rollback(&ours.id).signed()).await.1, "OK");
    receiver.says(204);
    assert_eq!(deliver(&shop).await, Deliveries::default(), "the reversal waits for the payment");
    shop.clock.advance(5 * SECOND);
    assert_eq!(deliver(&shop).await.delivered, 1);
    assert_eq!(deliver(&shop).await.delivered, 1);
    assert_eq!(receiver.types(), ["order.paid", "order.paid", "order.reversed"]);
}

#[tokio::test]
async fn what_nobody_took_for_days_is_given_up_and_sent_again_by_a_person() {
    let receiver = Receiver::start().await;
    let (shop, file) = telling(&receiver).await;
    let ours = shop.paid().await;
    let reference = shop.file(&ours).await.order.new.reference;
    receiver.says(500);
    let mut waited_ms = 0;
    while shop.checkout.store().undelivered(1).await.unwrap()[0].state == WebhookState::Waiting {
        deliver(&shop).await;
        shop.clock.advance(HOUR);
        waited_ms += HOUR;
    }
    assert_eq!(receiver.heard().len(), 10);
    assert!((72 * HOUR..100 * HOUR).contains(&waited_ms), "{waited_ms}");
    let row = json_of(&command(&["webhooks", "list", "--json"], &file, b""));
    assert_eq!((&row["state"], &row["order"]), (&"given_up".into(), &reference.as_str().into()));
    assert_eq!((&row["tries"], &row["answer"]), (&10.into(), &"HTTP status 500".into()));

    // By command.
    receiver.says(204);
    let again = command(&["webhooks", "redeliver", "--undelivered"], &file, b"");
    assert_eq!((code(&again), out(&again).starts_with("1 on their way")), (0, true), "{again:?}");
    // The command reads the system's clock, which the shop's is ahead of.
    assert_eq!(deliver(&shop).await.delivered, 1);
    assert_eq!(code(&command(&["webhooks", "redeliver", "--undelivered"], &file, b"")), 1, "there is none");
    let listed = command(&["webhooks", "list"], &file, b"");
    assert_eq!((code(&listed), out(&listed).as_str()), (0, ""));
    let all = json_of(&command(&["webhooks", "list", "--order", &reference, "--json"], &file, b""));
    assert_eq!(all["state"], "delivered");
    for (arguments, exit) in [
        (&["webhooks", "list", "--order", "TG-NONE-SUCH"][..], 1),
        (&["webhooks", "redeliver", "--order", "TG-NONE-SUCH"], 1),
        (&["webhooks", "redeliver"], 2),
    ] {
        assert_eq!(code(&command(arguments, &file, b"")), exit, "{arguments:?}");
    }

    // By page.
    let anna = anna(&shop).await;
    let page = anna.get(&format!("{LIST}/{reference}")).await;
    assert!(page.body.contains("Messages to your systems") && page.body.contains("order.paid → erp"));
    let done = act(&anna, &reference, "redeliver", &[]).await;
    let page = anna.get(done.location().split('#').next().unwrap()).await;
    assert!(page.body.contains("The message is on its way again."), "{}", page.body);
    assert_eq!(deliver(&shop).await.delivered, 1);
    assert_eq!(receiver.heard().len(), 12);
    let viewer = signed_in(&shop, BOB, Role::View).await;
    let page = viewer.get(&format!("{LIST}/{reference}")).await;
    let path = format!("{LIST}/{reference}/redeliver");
    assert!(html::form(&page.body, &path).is_none(), "who only looks sends nothing");
    let id = shop.checkout.order_record(&reference).await.unwrap().webhooks[0].id.0.to_string();
    viewer.post(&path, &vec![("message".to_owned(), id)]).await;
    assert_eq!(deliver(&shop).await, Deliveries::default());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slow_receiver_keeps_no_notification_waiting_for_the_next_server() {
    let dir = folder();
    let ports = free_ports();
    let url = format!("http://127.0.0.1:{}", ports[0]);
    let mut table = configuration_on(dir.path(), &url, ports);
    // It takes connections and says nothing.
    let receiver = TcpListener::bind("127.0.0.1:0").await.unwrap();
    tell(&mut table, &format!("http://{}/tillgate", receiver.local_addr().unwrap()));
    let file = dir.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let config = Config::parse(&table.to_string(), []).unwrap();
    let checkout = open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
    let prepared = prepare(&checkout).await;
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap();
    let mut process = serve(&file, ports, &client).await;
    let notify = async |one: &Prepared| {
        let answer = client.post(format!("{url}/mypos/notify")).body(one.body.clone()).send().await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "OK");
    };
    notify(&prepared[0]).await;
    let (message, _) = receiver.accept().await.unwrap();
    let log = || std::fs::read_to_string(file.with_extension("log")).unwrap();
    assert!(Command::new("kill").arg(process.0.id().to_string()).status().unwrap().success());
    until("it was told to end", || log().contains("ending").then_some(()));
    notify(&prepared[1]).await;
    drop((message, receiver));
    assert!(process.0.wait().unwrap().success(), "{}", log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_told_in_order_although_the_process_is_killed() {
    told_although_killed(None).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_told_in_order_with_postgresql() {
    told_although_killed(Some(Database::migrated().await)).await;
}

/// The process is killed while it tells a receiver that is not always there.
async fn told_although_killed(database: Option<Database>) {
    let dir = folder();
    let [shop, operator, receiver_port] = free_ports();
    let ports = [shop, operator];
    let url = format!("http://127.0.0.1:{shop}");
    let mut table = configuration_on(dir.path(), &url, ports);
    tell(&mut table, &format!("http://127.0.0.1:{receiver_port}/tillgate"));
    if let Some(database) = &database {
        table.insert("database_url".into(), database.url().into());
    }
    let file = dir.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let config = Config::parse(&table.to_string(), []).unwrap();
    let checkout = open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
    let prepared = prepare(&checkout).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut process = serve(&file, ports, &client).await;
    // Each order has two things to tell: it is paid, and then it is not any more.
    let notify = async |one: &Prepared| {
        for body in [one.body.clone(), rollback(&one.id).signed()] {
            let answer = client.post(format!("{url}/mypos/notify")).body(body).send().await.unwrap();
            assert_eq!(answer.text().await.unwrap(), "OK");
        }
    };
    // Nobody listens yet.
    let (first, rest) = prepared.split_at(50);
    for one in first {
        notify(one).await;
    }
    let listener = TcpListener::bind(("127.0.0.1", receiver_port)).await.unwrap();
    let receiver = Receiver::on(listener);
    for (index, one) in rest.iter().enumerate() {
        notify(one).await;
        if index % 50 == 49 {
            process.0.kill().unwrap();
            process.0.wait().unwrap();
            process = serve(&file, ports, &client).await;
        }
    }
    // What failed before somebody listened is not waited for here: a person asks for it at once.
    let mut references = Vec::new();
    for one in &prepared {
        let file = checkout.order_of_cart(&one.cart_id).await.unwrap().unwrap();
        assert_eq!(file.order.state, OrderState::Open);
        references.push(file.order.new.reference);
    }
    // Of each order, in the order in which they were heard first.
    let heard_of = || {
        let mut heard = BTreeMap::<String, Vec<[String; 2]>>::new();
        for one in receiver.heard() {
            let [order, kind] = [&one.body["data"]["order"], &one.body["type"]];
            let told = heard.entry(order.as_str().unwrap().to_owned()).or_default();
            let message = [one.id, kind.as_str().unwrap().to_owned()];
            if !told.contains(&message) {
                told.push(message);
            }
        }
        heard
    };
    let undelivered = checkout.store().undelivered(1_000).await.unwrap();
    for reference in undelivered.iter().map(|webhook| &webhook.reference).collect::<BTreeSet<_>>() {
        let arguments = ["webhooks", "redeliver", "--order", reference];
        let again = command(&arguments, &file.display().to_string(), b"");
        assert_eq!(code(&again), 0, "{again:?}");
    }
    let deadline = Instant::now() + Duration::from_mins(1);
    while heard_of().values().filter(|told| told.len() >= 2).count() < references.len() {
        let waits = checkout.store().undelivered(10).await.unwrap();
        let log = || std::fs::read_to_string(file.with_extension("log")).unwrap();
        assert!(Instant::now() < deadline, "{} were heard: {waits:#?}\n{}", heard_of().len(), log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (reference, told) in heard_of() {
        assert!(references.contains(&reference));
        let kinds: Vec<_> = told.iter().map(|[_, kind]| kind.as_str()).collect();
        assert_eq!(kinds, ["order.paid", "order.reversed"], "{reference}: {told:?}");
    }
}
