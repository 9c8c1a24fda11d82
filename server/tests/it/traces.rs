//! What a request waited for, by OpenTelemetry, for whoever configured somebody to tell.

use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use checkout::clock::SystemClock;
use serde_json::Value;
use server::config::Config;
use server::serve::open_checkout;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::cli::{Process, until};
use crate::kill::{configuration_on, free_ports, prepare, serve};
use crate::shop::folder;

type Gathered = Arc<Mutex<Vec<Value>>>;

async fn gather(State(gathered): State<Gathered>, body: Bytes) -> &'static str {
    gathered.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    "{}"
}

/// Every span that was sent.
fn spans(gathered: &Gathered) -> Vec<Value> {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let sent = gathered.lock().unwrap().clone();
    let scopes = sent.iter().flat_map(|sent| list(sent, "resourceSpans")).collect::<Vec<_>>();
    let scopes = scopes.iter().flat_map(|resource| list(resource, "scopeSpans")).collect::<Vec<_>>();
    scopes.iter().flat_map(|scope| list(scope, "spans")).collect()
}

/// A server that sends its traces somewhere.
struct Traced {
    url: String,
    client: reqwest::Client,
    notification: String,
    process: Process,
    dir: TempDir,
}

impl Traced {
    async fn serve(collector: &str) -> Self {
        let dir = folder();
        let ports = free_ports();
        let url = format!("http://127.0.0.1:{}", ports[0]);
        let mut table = configuration_on(dir.path(), &url, ports);
        table.insert("traces_url".into(), collector.into());
        let file = dir.path().join("tillgate.toml");
        std::fs::write(&file, table.to_string()).unwrap();
        let config = Config::parse(&table.to_string(), []).unwrap();
        let checkout = open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
        let notification = prepare(&checkout).await[0].body.clone();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let process = serve(&file, ports, &client).await;
        Self { url, client, notification, process, dir }
    }

    /// Asks it to end. What is still to be sent is sent then.
    fn end(&mut self) {
        let id = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        tokio::task::block_in_place(|| until("the end", || self.process.0.try_wait().unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_shows_what_a_request_waited_for_and_nothing_of_anybody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let gathered = Gathered::default();
    let router = Router::new().route("/v1/traces", post(gather)).with_state(Arc::clone(&gathered));
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let mut traced = Traced::serve(&collector).await;
    let (url, client) = (&traced.url, &traced.client);
    let answer =
        client.post(format!("{url}/mypos/notify")).body(traced.notification.clone()).send().await.unwrap();
    let request_id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    client.get(format!("{url}/checkout/result/a-secret-of-a-shopper-1234")).send().await.unwrap();
    traced.end();

    let spans = spans(&gathered);
    let named = |name: &str| spans.iter().find(|span| span["name"] == name);
    let notify = named("POST /mypos/notify").unwrap_or_else(|| panic!("{spans:#?}"));
    let attribute = |name: &str| {
        let all = notify["attributes"].as_array().unwrap();
        all.iter().find(|one| one["key"] == name).map(|one| one["value"].clone()).unwrap()
    };
    assert_eq!(attribute("request_id")["stringValue"], request_id.as_str());
    assert_eq!(attribute("http.response.status_code"), serde_json::json!({ "intValue": "200" }));
    // `/readyz` writes as well, and is no shopper's request.
    let is_within =
        |span: &&Value| span["parentSpanId"] == notify["spanId"] && span["traceId"] == notify["traceId"];
    let within: Vec<_> = spans.iter().filter(is_within).map(|span| span["name"].clone()).collect();
    assert_eq!(within, ["write for the gateway"]);
    assert!(named("GET /checkout/result/{token}").is_some(), "{spans:#?}");
    let sent = serde_json::to_string(&*gathered.lock().unwrap()).unwrap();
    assert!(!sent.contains("a-secret-of-a-shopper") && !sent.contains("ada@example.com"), "{sent}");
    task.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn traces_that_nobody_takes_are_said_in_the_log_and_cost_nothing_else() {
    let [nobody, _] = free_ports();
    let mut traced = Traced::serve(&format!("http://127.0.0.1:{nobody}/v1/traces")).await;
    let body = traced.notification.clone();
    let answer = traced.client.post(format!("{}/mypos/notify", traced.url)).body(body).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "OK");
    traced.end();
    let log = std::fs::read_to_string(traced.dir.path().join("tillgate.log")).unwrap();
    assert!(log.contains("BatchSpanProcessor.ExportError"), "{log}");
}
