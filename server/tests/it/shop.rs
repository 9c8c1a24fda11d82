//! A shop of its own for each test: the whole application on a free port, with its own database, clock and
//! gateway.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use checkout::checkout::Checkout;
use checkout::clock::Clock;
use checkout::records::{Event, EventKind, OrderId, Payment};
use checkout::store::OrderFile;
use checkout::token::Hash;
use domain::{Cart, Details, Language, OrderState, PaymentMethod, PaymentState, StartRequest};
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use server::config::Config;
use server::serve::{Running, application, listen, open_checkout};
use tempfile::TempDir;
use toml::{Table, Value};

use crate::gateway::FakeGateway;
use crate::html::{self, Pairs};
use crate::keys::FIRST;

/// When every test begins.
pub const START_MS: i64 = 1_800_000_000_000;
pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;

/// A clock that only tests move.
#[derive(Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl TestClock {
    /// Moves the time forward.
    pub fn advance(&self, by_ms: i64) {
        self.0.fetch_add(by_ms, Ordering::SeqCst);
    }
}

/// The catalogue of the tests.
pub const CATALOG: &str = r#"
currency = "EUR"
countries = ["AT", "DE"]
[[item]]
sku = "box"
name = { en = "Box \"blue\" & <green>", de = "Kiste „blau“" }
price = "50.00"
vat = "19"
image = "/img/box.svg"
[[item]]
sku = "tea"
name = { en = "Tea", de = "Tee" }
price = "4.99"
vat = "7"
[[delivery]]
id = "pick-up"
name = { en = "Collect", de = "Abholung" }
price = "0.00"
vat = "19"
[[delivery]]
id = "post"
name = { en = "By post", de = "Mit der Post" }
price = "4.90"
vat = "19"
"#;

/// A folder in memory where there is one: commits are synced, and a disk would make each one slow.
pub fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.unwrap()
}

/// Writes a built site as Trunk would leave it, one file of it precompressed.
pub fn write_site(dir: &Path) {
    let files: [(&str, &[u8]); 12] = [
        ("index.html", b"<!doctype html>"),
        ("favicon.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("img/box.svg", b"<svg xmlns=\"http://www.w3.org/2000/svg\"><rect/></svg>"),
        ("pkg/tokens.css", b":root { --a: 0 }"),
        ("pkg/checkout.css", b"form { margin: 0 }"),
        ("pkg/site.css", b"body { margin: 0 } /* as it was written */"),
        ("pkg/merchant.css", b"table { width: 100% }"),
        ("pkg/site.css.br", b"as brotli"),
        ("pkg/site.css.gz", b"as gzip"),
        ("pkg/tillgate-frontend.js", b"export default async () => {};"),
        ("widget/tillgate-checkout.js", b"export const element = 1;"),
        ("widget/notes.md", b"not to be served"),
    ];
    for (name, content) in files {
        let path = dir.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    std::fs::write(dir.join("pkg/tillgate-frontend_bg.wasm"), b"\0asm").unwrap();
}

/// Writes everything that a configuration names into a folder, and gives the configuration.
pub fn configuration(dir: &Path, public_url: &str, endpoint: &str) -> Table {
    write_site(&dir.join("site"));
    std::fs::write(dir.join("catalog.toml"), CATALOG).unwrap();
    std::fs::write(dir.join("package.txt"), FIRST.package()).unwrap();
    let path = |name: &str| Value::String(dir.join(name).display().to_string());
    let mut table: Table = r#"
        shop_name = "Kisten & Söhne"
        listen = "127.0.0.1:0"
        operator_listen = "127.0.0.1:0"
        methods = ["card", "ideal", "bank-transfer", "on-delivery"]
        requests_per_second = 10000
        requests_burst = 10000
        payments_per_minute = 10000
        payments_burst = 10000
        [bank_transfer]
        account_holder = "Kisten & Söhne GmbH"
        iban = "DE02 1203 0000 0000 2020 51"
        bic = "BYLADEM1001"
        [[store]]
        name = "main"
        mode = "test"
        currencies = ["EUR"]
        "#
    .parse()
    .unwrap();
    table.insert("public_url".into(), public_url.into());
    table.insert("database_url".into(), format!("sqlite:{}", dir.join("shop.db").display()).into());
    table.insert("catalog".into(), path("catalog.toml"));
    table.insert("site_dir".into(), path("site"));
    let store = store_entry(&mut table);
    store.insert("endpoint".into(), endpoint.into());
    store.insert("packages".into(), Value::Array(vec![path("package.txt")]));
    table
}

/// The store's entry of a configuration.
pub fn store_entry(table: &mut Table) -> &mut Table {
    table["store"].as_array_mut().unwrap()[0].as_table_mut().unwrap()
}

/// A running shop.
pub struct Shop {
    pub checkout: Arc<Checkout>,
    pub clock: TestClock,
    pub gateway: FakeGateway,
    /// Its address, without a slash at the end.
    pub url: String,
    pub client: reqwest::Client,
    pub dir: TempDir,
    /// Dropping it ends the server.
    pub running: Running,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, body: response.text().await.unwrap() }
    }

    /// A header, empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Where it redirects to.
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("location")
    }

    /// The cookies that it sets.
    pub fn cookies(&self) -> Vec<&str> {
        self.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// An order with one payment of 50.00 EUR.
#[derive(Clone, Debug)]
pub struct Started {
    pub cart_id: String,
    pub order: OrderId,
    /// The payment's `OrderID` at the gateway.
    pub id: String,
    /// Where the shopper was sent.
    pub location: String,
}

pub fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(Duration::from_secs(30))
}

impl Shop {
    pub async fn new() -> Self {
        Self::with(|_, _| {}).await
    }

    /// A shop whose configuration is changed before it starts; also gets the folder it lies in.
    pub async fn with(change: impl FnOnce(&mut Table, &Path)) -> Self {
        let dir = folder();
        let gateway = FakeGateway::start().await;
        let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut table = configuration(dir.path(), &url, &gateway.endpoint);
        change(&mut table, dir.path());
        let config = Config::parse(&table.to_string(), []).unwrap();
        let clock = TestClock(Arc::new(AtomicI64::new(START_MS)));
        let checkout = open_checkout(&config, None, Arc::new(clock.clone())).await.unwrap();
        let mut running = Running::default();
        running.serve(
            listener,
            application(&config, Arc::clone(&checkout), None, running.begun()).unwrap(),
            &config.trusted_proxies,
        );
        Self { checkout, clock, gateway, url, client: client().build().unwrap(), dir, running }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(format!("{}{path}", self.url))).await
    }

    /// Posts a form, as a program does.
    pub async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Answer {
        Answer::of(self.posting(path, body)).await
    }

    pub fn posting(&self, path: &str, body: impl Into<reqwest::Body>) -> reqwest::RequestBuilder {
        self.client
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    }

    /// Posts a message to `/mypos/notify`. Returns status and body.
    pub async fn notify(&self, body: impl Into<reqwest::Body>) -> (u16, String) {
        let answer = self.post("/mypos/notify", body).await;
        (answer.status, answer.body)
    }

    /// Starts a payment of 50.00 EUR.
    pub async fn started(&self) -> Started {
        self.start(purchase()).await
    }

    /// Starts the payment of a request, without HTTP.
    pub async fn start(&self, request: StartRequest) -> Started {
        let cart_id = request.cart_id.clone();
        let location = self.checkout.start(request).await.unwrap().location;
        let file = self.checkout.order_of_cart(&cart_id).await.unwrap().unwrap();
        let id = file.payments.last().map_or_else(String::new, |payment| payment.gateway_order_id.clone());
        Started { cart_id, order: file.order.id, id, location }
    }

    /// Another payment of the same order.
    pub async fn started_again(&self, first: &Started) -> Started {
        let again = StartRequest { cart_id: first.cart_id.clone(), ..purchase() };
        let again = self.start(again).await;
        assert_eq!(again.order, first.order);
        assert_ne!(again.id, first.id);
        again
    }

    /// A payment that was paid.
    pub async fn paid(&self) -> Started {
        let started = self.started().await;
        let answer = self.notify(crate::messages::notify(&started.id).signed()).await;
        assert_eq!(answer, (200, "OK".to_owned()));
        started
    }

    pub async fn file(&self, started: &Started) -> OrderFile {
        let cart = Hash::of(&[b"cart", started.cart_id.as_bytes()]);
        let newest = self.checkout.store().order_by_cart(cart).await.unwrap().unwrap();
        if newest.order.id == started.order {
            return newest;
        }
        let reference: String = self
            .database()
            .query_row("SELECT reference FROM orders WHERE id = ?1", [started.order.0], |row| row.get(0))
            .unwrap();
        self.checkout.store().order_by_reference(&reference).await.unwrap().unwrap()
    }

    pub async fn payment(&self, started: &Started) -> Payment {
        let file = self.file(started).await;
        file.payments.into_iter().find(|payment| payment.gateway_order_id == started.id).unwrap()
    }

    /// Where order and payment stand.
    pub async fn states(&self, started: &Started) -> (OrderState, PaymentState) {
        (self.file(started).await.order.state, self.payment(started).await.state)
    }

    pub async fn events(&self, started: &Started) -> Vec<Event> {
        self.checkout.store().events(started.order).await.unwrap()
    }

    /// The kinds of an order's events after those of its start.
    pub async fn news(&self, started: &Started) -> Vec<EventKind> {
        let kinds = self.events(started).await.into_iter().map(|event| event.what.kind);
        kinds.filter(|kind| !matches!(kind, EventKind::OrderPlaced | EventKind::PaymentStarted)).collect()
    }

    /// Moves the time forward and asks about what is due. Returns how many were asked about.
    pub async fn reconcile_after(&self, by_ms: i64) -> u32 {
        self.clock.advance(by_ms);
        self.checkout.reconcile_due(pending()).await.unwrap().asked
    }

    /// The database, read by somebody who is not the store.
    pub fn database(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.dir.path().join("shop.db")).unwrap()
    }

    /// The raw messages that belong to no order.
    pub fn unknown_messages(&self) -> Vec<String> {
        let database = self.database();
        let mut found = database
            .prepare("SELECT raw FROM events WHERE order_id IS NULL AND kind = 'unknown_message' ORDER BY id")
            .unwrap();
        found.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }

    /// A fresh address of an order's result page.
    pub async fn result_page(&self, started: &Started) -> String {
        let token = self.checkout.open_order(started.order).await.unwrap();
        format!("/checkout/result/{}", token.secret())
    }

    /// Somebody with a browser.
    pub fn browser(&self) -> Browser {
        Browser::at(&self.url)
    }
}

/// A press of Pay for 50.00 EUR, with a key and a cart of its own.
pub fn purchase() -> StartRequest {
    StartRequest {
        key: fresh_key("key"),
        cart_id: fresh_key("cart"),
        lines: Cart::parse("box:1").unwrap(),
        delivery: "pick-up".into(),
        details: details(),
        method: Some(PaymentMethod::Card),
        shown_total_minor: 5_000,
        language: Language::En,
        storefront: domain::Storefront::default(),
    }
}

/// An idempotency key or a cart's id of its own.
pub fn fresh_key(of: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("{of}-{:030}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What a shopper types: with everything that HTML and forms trip over.
pub fn details() -> Details {
    Details {
        email: "ada@example.com".into(),
        first_name: "Ada & <b>\"Jo\"</b>".into(),
        family_name: "O'Neill-Łukasz".into(),
        phone: "+49 30 123456".into(),
        street: "Hauptstraße 1 + 2 % 3".into(),
        postcode: "10115".into(),
        city: "Berlin".into(),
        country: "DE".into(),
    }
}

/// The details as the fields of the plain form.
pub fn detail_pairs(details: &Details) -> Pairs {
    domain::Field::DETAILS.map(|field| (field.name().to_owned(), details.get(field).to_owned())).to_vec()
}

/// A browser: keeps cookies, says where its requests come from, follows no redirect by itself.
pub struct Browser {
    client: reqwest::Client,
    url: String,
}

impl Browser {
    /// A browser that goes to a shop.
    pub fn at(url: &str) -> Self {
        Self { client: client().cookie_store(true).build().unwrap(), url: url.to_owned() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(format!("{}{path}", self.url))).await
    }

    pub async fn post(&self, path: &str, pairs: &Pairs) -> Answer {
        let body = html::encode(pairs.iter().map(|(name, value)| (name, value)));
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", &self.url)
            .header("sec-fetch-site", "same-origin")
            .body(body);
        Answer::of(request).await
    }

    /// Puts something into the cart.
    pub async fn add(&self, sku: &str, quantity: u32) {
        let pairs = vec![("sku".to_owned(), sku.to_owned()), ("quantity".to_owned(), quantity.to_string())];
        let answer = self.post("/cart/add", &pairs).await;
        assert_eq!(answer.location(), format!("/#item-{sku}"));
    }

    /// The checkout form as it stands, with the details typed in.
    pub async fn checkout_form(&self) -> Pairs {
        let page = self.get("/checkout").await;
        assert_eq!(page.status, 200);
        let mut form = html::form(&page.body, "/checkout/pay").unwrap();
        for (name, value) in detail_pairs(&details()) {
            set(&mut form, &name, &value);
        }
        form
    }
}

/// Sets the value of a field that is there.
pub fn set(pairs: &mut Pairs, name: &str, value: &str) {
    let field = pairs.iter_mut().find(|(known, _)| known == name);
    value.clone_into(&mut field.unwrap_or_else(|| panic!("no field {name}")).1);
}

/// The value of a field.
pub fn value<'a>(pairs: &'a Pairs, name: &str) -> &'a str {
    let field = pairs.iter().find(|(known, _)| known == name);
    &field.unwrap_or_else(|| panic!("no field {name} in {pairs:?}")).1
}

/// Runs `count` futures that begin at the same moment.
pub async fn at_once<F>(count: usize, make: impl Fn(usize) -> F) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let barrier = Arc::new(tokio::sync::Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|index| {
            let (barrier, work) = (Arc::clone(&barrier), make(index));
            tokio::spawn(async move {
                barrier.wait().await;
                work.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}
