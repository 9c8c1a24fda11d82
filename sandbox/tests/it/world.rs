//! A sandbox, a shop, and a client that is browser and shop server in one.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use mypos::{ConfigurationPackage, Fields, PrivateKey, PublicKey, Unverified, Verified};
use reqwest::redirect::Policy;
use sandbox::{Clock, Config, Sandbox};
use serde_json::Value;
use tempfile::TempDir;

use crate::shop::Shop;

pub const START_MS: i64 = 1_790_000_000_000;

/// A clock that only tests move.
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    fn advance_ms(&self, by_ms: u64) -> bool {
        self.0.fetch_add(i64::try_from(by_ms).unwrap(), Ordering::SeqCst);
        true
    }
}

pub type Pairs = Vec<(String, String)>;

pub struct World {
    pub sandbox: Sandbox,
    pub shop: Shop,
    pub package: ConfigurationPackage,
    pub store_key: PrivateKey,
    pub gateway_key: PublicKey,
    pub client: reqwest::Client,
    base: String,
    server: tokio::task::JoinHandle<()>,
    dir: TempDir,
}

/// Puts keys into a folder that were made once for all tests: making them takes longer than most tests.
fn lend_keys(dir: &Path) {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let made = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock(AtomicI64::new(START_MS)));
        drop(Sandbox::open(Config::new(made.path(), "http://localhost:3001"), clock).unwrap());
        made
    });
    std::fs::create_dir(dir).unwrap();
    for file in [sandbox::PACKAGE_FILE, "gateway-private-key.pem"] {
        std::fs::copy(made.path().join(file), dir.join(file)).unwrap();
    }
}

impl World {
    pub async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        lend_keys(&dir.path().join("sandbox"));
        Self::at(dir, Shop::start().await, START_MS).await
    }

    async fn at(dir: TempDir, shop: Shop, now_ms: i64) -> Self {
        let config = Config::new(dir.path().join("sandbox"), "http://localhost:3001");
        let sandbox = Sandbox::open(config, Arc::new(TestClock(AtomicI64::new(now_ms)))).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let router = sandbox.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let package = ConfigurationPackage::decode(sandbox.configuration_package()).unwrap();
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        Self {
            store_key: package.private_key().unwrap(),
            gateway_key: package.public_key().unwrap(),
            sandbox,
            shop,
            package,
            client,
            base,
            server,
            dir,
        }
    }

    /// Ends the sandbox and opens it again in the same folder.
    pub async fn restart(self) -> Self {
        self.server.abort();
        self.sandbox.flush();
        Self::at(self.dir, self.shop, START_MS + 1000).await
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A purchase in the order of the official PHP SDK: 12.30 EUR in two lines.
    pub fn purchase(&self, order_id: &str) -> Pairs {
        let pairs = [
            ("IPCmethod", "IPCPurchase"),
            ("IPCVersion", "1.4"),
            ("IPCLanguage", "EN"),
            ("SID", &self.package.sid),
            ("WalletNumber", &self.package.wallet),
            ("KeyIndex", "1"),
            ("Source", "SDK_PHP_1.3.1"),
            ("Currency", "EUR"),
            ("Amount", "12.30"),
            ("OrderID", order_id),
            ("URL_OK", &self.shop.url("/ok")),
            ("URL_Cancel", &self.shop.url("/cancel")),
            ("URL_Notify", &self.shop.url("/notify")),
            ("Note", ""),
            ("expires_in", "1800"),
            ("ApplicationID", ""),
            ("PartnerID", ""),
            ("customeremail", "jane@example.com"),
            ("customerphone", ""),
            ("customerfirstnames", "Jane & \"Jo\""),
            ("customerfamilyname", "Müller-Smith"),
            ("customercountry", "DEU"),
            ("customercity", "Hamburg"),
            ("customerzipcode", "20095"),
            ("customeraddress", "Kleine Bahnstr. 41"),
            ("CartItems", "2"),
            ("Article_1", "Coffee <beans>"),
            ("Quantity_1", "2"),
            ("Price_1", "4.15"),
            ("Amount_1", "8.30"),
            ("Currency_1", "EUR"),
            ("Article_2", "Delivery"),
            ("Quantity_2", "1"),
            ("Price_2", "4"),
            ("Amount_2", "4"),
            ("Currency_2", "EUR"),
            ("Delivery_2", "1"),
            ("CardTokenRequest", "0"),
            ("PaymentParametersRequired", "1"),
            ("PaymentMethod", "3"),
        ];
        owned(pairs)
    }

    /// A call from server to server with these fields after the common ones; JSON.
    pub fn call(&self, method: &str, fields: &[(&str, &str)]) -> Pairs {
        let mut pairs = owned([
            ("IPCmethod", method),
            ("IPCVersion", "1.4"),
            ("IPCLanguage", "en"),
            ("SID", &self.package.sid),
            ("WalletNumber", &self.package.wallet),
            ("KeyIndex", "1"),
        ]);
        pairs.extend(owned(fields.iter().copied()));
        pairs.push(("OutputFormat".to_owned(), "json".to_owned()));
        pairs
    }

    /// The form, signed by the store.
    pub fn signed(&self, pairs: &Pairs) -> String {
        let fields: Fields = pairs.iter().cloned().collect();
        self.store_key.sign_fields(fields).unwrap().to_form()
    }

    pub async fn post(&self, path: &str, form: String) -> reqwest::Response {
        self.client
            .post(self.url(path))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .send()
            .await
            .unwrap()
    }

    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    /// Posts a signed purchase, which must be accepted. Returns the path of the payment page.
    pub async fn start(&self, pairs: &Pairs) -> String {
        let answer = self.post("/vmp/checkout-test", self.signed(pairs)).await;
        assert_eq!(answer.status(), 303, "{}", answer.text().await.unwrap());
        answer.headers()["location"].to_str().unwrap().to_owned()
    }

    /// Posts a purchase and returns the code of its error page; 0 if it was accepted.
    pub async fn code_of(&self, pairs: &Pairs) -> u32 {
        let answer = self.post("/vmp/checkout", self.signed(pairs)).await;
        error_code(answer).await
    }

    /// Chooses a way to pay and presses Pay. Returns the page that comes of it.
    pub async fn pay(&self, page: &str, choice: &str) -> String {
        let answer = self.post(page, format!("choice={choice}")).await;
        assert_eq!(answer.status(), 303);
        assert_eq!(answer.headers()["location"], page);
        self.get(page).await.text().await.unwrap()
    }

    /// Starts a payment and pays it with the card that is approved. Returns its reference.
    pub async fn paid(&self, order_id: &str) -> String {
        let page = self.start(&self.purchase(order_id)).await;
        self.pay(&page, "1-approve").await;
        assert_eq!(self.payment(order_id).await["status"], "paid");
        self.payment(order_id).await["trnref"].as_str().unwrap().to_owned()
    }

    /// Makes a call and returns its verified reply.
    pub async fn ask(&self, method: &str, fields: &[(&str, &str)]) -> Verified {
        let answer = self.post("/vmp/checkout-test", self.signed(&self.call(method, fields))).await;
        assert_eq!(answer.status(), 200);
        self.verified(&answer.bytes().await.unwrap())
    }

    /// A JSON reply, verified.
    pub fn verified(&self, body: &[u8]) -> Verified {
        Unverified::from_json(body).unwrap().verify(&self.gateway_key).unwrap()
    }

    /// A form, verified.
    pub fn verified_form(&self, body: &[u8]) -> Verified {
        Unverified::from_form(body).unwrap().verify(&self.gateway_key).unwrap()
    }

    /// The `PaymentStatus` of an order.
    pub async fn payment_status(&self, order_id: &str) -> String {
        let reply = self.ask("IPCGetPaymentStatus", &[("OrderID", order_id)]).await;
        reply.fields().text("PaymentStatus").unwrap().to_owned()
    }

    // The HTTP API.

    pub async fn api(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = self.client.request(method.parse().unwrap(), self.url(&format!("/sandbox/api/{path}")));
        let answer = request.body(body).send().await.unwrap();
        (answer.status().as_u16(), serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
    }

    pub async fn payment(&self, order_id: &str) -> Value {
        let (status, payment) = self.api("GET", &format!("payments/{order_id}"), Value::Null).await;
        assert_eq!(status, 200);
        payment
    }

    pub async fn set_faults(&self, faults: Value) {
        let (status, answer) = self.api("PUT", "faults", faults).await;
        assert_eq!(status, 200, "{answer}");
    }

    pub async fn advance_s(&self, seconds: u64) {
        let (status, _) = self.api("POST", "clock", serde_json::json!({ "advance_s": seconds })).await;
        assert_eq!(status, 200);
    }

    /// Sends what is due and returns the deliveries.
    pub async fn run_deliveries(&self) -> Vec<Value> {
        let (_, answer) = self.api("POST", "deliveries/run", Value::Null).await;
        answer["deliveries"].as_array().unwrap().clone()
    }

    /// The methods of the messages that the shop got, in order.
    pub fn methods(&self) -> Vec<String> {
        self.shop
            .received()
            .iter()
            .map(|body| Unverified::from_form(body).unwrap().claimed_method().unwrap().to_owned())
            .collect()
    }
}

pub fn owned<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Pairs {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Sets the value of a field that is there.
pub fn set(pairs: &mut Pairs, name: &str, value: &str) {
    let field = pairs.iter_mut().find(|(known, _)| known == name).expect(name);
    value.clone_into(&mut field.1);
}

/// The code of an error page; 0 for a redirect to the payment page.
pub async fn error_code(answer: reqwest::Response) -> u32 {
    if answer.status() == 303 {
        return 0;
    }
    assert_eq!(answer.status(), 200);
    let page = answer.text().await.unwrap();
    assert!(page.contains("has sent a shopping cart with errors in it"), "{page}");
    let (_, rest) = page.split_once("<h1>Error Code ").expect("an error page");
    rest.split_once('<').unwrap().0.parse().unwrap()
}

/// The form of a page that goes back to the shop: its action, and its fields as a body.
pub fn return_form(page: &str) -> (String, String) {
    let (_, form) = page.split_once("<form method=\"post\" action=\"").expect("a form");
    let (action, form) = form.split_once('"').unwrap();
    let form = form.split_once("</form>").unwrap().0;
    let pairs: Fields = form
        .split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|input| {
            let (name, rest) = input.split_once("\" value=\"").unwrap();
            (unescape(name), unescape(rest.split_once('"').unwrap().0))
        })
        .collect();
    (unescape(action), pairs.to_form())
}

fn unescape(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
