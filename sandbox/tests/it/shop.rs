//! A shop that keeps what it is sent and answers what it is told.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use tokio::sync::{Semaphore, watch};

/// What the shop says to the next message.
pub enum Say {
    Text(u16, &'static str),
    Redirect,
    /// `OK`, once there is a permit.
    OkAfter(Arc<Semaphore>),
}

struct Inner {
    received: watch::Sender<Vec<Vec<u8>>>,
    script: Mutex<VecDeque<Say>>,
}

/// The shop. Without a script it answers `OK` to everything.
#[derive(Clone)]
pub struct Shop {
    inner: Arc<Inner>,
    pub address: SocketAddr,
}

impl Shop {
    pub async fn start() -> Self {
        let inner = Arc::new(Inner { received: watch::Sender::new(Vec::new()), script: Mutex::default() });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/notify", post(take)).with_state(Arc::clone(&inner));
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { inner, address }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What to say next, before going back to `OK`.
    pub fn say(&self, says: impl IntoIterator<Item = Say>) {
        self.inner.script.lock().unwrap().extend(says);
    }

    /// The bodies so far.
    pub fn received(&self) -> Vec<Vec<u8>> {
        self.inner.received.borrow().clone()
    }

    /// Waits until that many bodies have come.
    pub async fn wait_for(&self, count: usize) -> Vec<Vec<u8>> {
        let mut received = self.inner.received.subscribe();
        let wait = received.wait_for(|bodies| bodies.len() >= count);
        tokio::time::timeout(Duration::from_secs(10), wait).await.expect("in time").unwrap().clone()
    }
}

async fn take(State(inner): State<Arc<Inner>>, body: Bytes) -> Response {
    let say = inner.script.lock().unwrap().pop_front();
    inner.received.send_modify(|bodies| bodies.push(body.to_vec()));
    match say {
        None => "OK".into_response(),
        Some(Say::Text(status, text)) => (StatusCode::from_u16(status).unwrap(), text).into_response(),
        Some(Say::Redirect) => (StatusCode::SEE_OTHER, [(LOCATION, "/notify")]).into_response(),
        Some(Say::OkAfter(gate)) => {
            gate.acquire().await.unwrap().forget();
            "OK".into_response()
        }
    }
}
