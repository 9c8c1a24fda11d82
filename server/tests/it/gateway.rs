//! A gateway that says what a test wants it to say.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use mypos::{Fields, PrivateKey, Unverified};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::keys::{FIRST, SECOND};

/// What is answered to a call.
pub enum Reply {
    /// These fields as JSON, signed by the gateway.
    Signed(Fields),
    /// These fields as JSON, signed by that key.
    SignedBy(PrivateKey, Fields),
    /// A status and a body, as they are.
    Plain(u16, String),
    /// Nothing, for as long as anybody waits.
    Nothing,
    /// That, once somebody says so.
    Once(Arc<Notify>, Box<Reply>),
}

type Answerer = Box<dyn FnMut(&Fields) -> Reply + Send>;

struct Shared {
    answer: Mutex<Answerer>,
    calls: Mutex<Vec<Fields>>,
}

/// The gateway. Ends with the test.
pub struct FakeGateway {
    /// Its address for forms and calls.
    pub endpoint: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Drop for FakeGateway {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl FakeGateway {
    /// Starts one that answers each status query with "pending".
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}/vmp/checkout", listener.local_addr().unwrap());
        let shared = Arc::new(Shared {
            answer: Mutex::new(Box::new(|call| Reply::Signed(status(call, "2")))),
            calls: Mutex::default(),
        });
        let router = Router::new().route("/vmp/checkout", post(called)).with_state(Arc::clone(&shared));
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, shared, task }
    }

    /// From now on it answers like this.
    pub fn says(&self, answer: impl FnMut(&Fields) -> Reply + Send + 'static) {
        *self.shared.answer.lock().unwrap() = Box::new(answer);
    }

    /// From now on it answers each status query with that `PaymentStatus`, and "paid" with 50.00 EUR.
    pub fn says_status(&self, code: &'static str) {
        self.says(move |call| {
            Reply::Signed(if code == "1" { paid(call, "50.00") } else { status(call, code) })
        });
    }

    /// The calls so far, and forgets them.
    pub fn take_calls(&self) -> Vec<Fields> {
        std::mem::take(&mut self.shared.calls.lock().unwrap())
    }

    /// How many calls of a method there were.
    pub fn count(&self, method: &str) -> usize {
        let calls = self.shared.calls.lock().unwrap();
        calls.iter().filter(|call| call.text("IPCmethod") == Some(method)).count()
    }
}

async fn called(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let message = Unverified::from_form(&body).unwrap();
    let stores = [FIRST.store.public_key(), SECOND.store.public_key()];
    let Ok(verified) = message.verify_any(&stores) else {
        return (StatusCode::FORBIDDEN, "not signed by the store").into_response();
    };
    shared.calls.lock().unwrap().push(verified.fields().clone());
    let mut reply = (shared.answer.lock().unwrap())(verified.fields());
    while let Reply::Once(said, then) = reply {
        said.notified().await;
        reply = *then;
    }
    match reply {
        Reply::Signed(fields) => signed(&FIRST.gateway, fields).into_response(),
        Reply::SignedBy(key, fields) => signed(&key, fields).into_response(),
        Reply::Plain(status, body) => (StatusCode::from_u16(status).unwrap(), body).into_response(),
        Reply::Nothing | Reply::Once(..) => std::future::pending().await,
    }
}

/// Fields as signed JSON.
pub fn signed(key: &PrivateKey, fields: Fields) -> String {
    key.sign_fields(fields).unwrap().to_json()
}

fn asked(call: &Fields) -> String {
    call.text("OrderID").unwrap().to_owned()
}

/// A reply to a status query, without an amount.
pub fn status(call: &Fields, code: &str) -> Fields {
    pairs(&[
        ("IPCmethod", "IPCGetPaymentStatus"),
        ("OrderID", &asked(call)),
        ("PaymentStatus", code),
        ("Status", "1"),
        ("StatusMsg", "Success"),
    ])
}

/// A reply to a status query that says paid.
pub fn paid(call: &Fields, amount: &str) -> Fields {
    let mut fields = status(call, "1");
    for (name, value) in [("Amount", amount), ("Currency", "EUR"), ("IPC_Trnref", "813705000006")] {
        fields.push(name, value);
    }
    fields
}

/// A reply to `IPCGetTxnStatus` with that callback inside.
pub fn txn_status(call: &Fields, callback: Fields) -> Fields {
    let mut fields = pairs(&[("IPCmethod", "IPCGetTxnStatus"), ("OrderID", &asked(call))]);
    fields.push_nested("OrderStatus", callback);
    fields.push("Status", "0");
    fields.push("StatusMsg", "Success");
    fields
}

/// A reply to a refund.
pub fn refund(call: &Fields, code: &str) -> Fields {
    pairs(&[
        ("IPCmethod", "IPCRefund"),
        ("IPC_Trnref", "900000000001"),
        ("Amount", call.text("Amount").unwrap()),
        ("Currency", call.text("Currency").unwrap()),
        ("Status", code),
        ("StatusMsg", if code == "0" { "Success" } else { "No" }),
    ])
}

pub fn pairs(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().copied().collect()
}
