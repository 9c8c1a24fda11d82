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
use tokio::net::TcpListener;

use crate::cli::until;
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_shows_what_a_request_waited_for_and_nothing_of_anybody() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}/v1/traces", listener.local_addr().unwrap());
    let gathered = Gathered::default();
    let router = Router::new().route("/v1/traces", post(gather)).with_state(Arc::clone(&gathered));
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let dir = folder();
    let ports = free_ports();
    let url = format!("http://127.0.0.1:{}", ports[0]);
    let mut table = configuration_on(dir.path(), &url, ports);
    table.insert("traces_url".into(), collector.into());
    let file = dir.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let config = Config::parse(&table.to_string(), []).unwrap();
    let checkout = open_checkout(&config, None, Arc::new(SystemClock)).await.unwrap();
    let prepared = prepare(&checkout).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut process = serve(&file, ports, &client).await;
    let answer =
        client.post(format!("{url}/mypos/notify")).body(prepared[0].body.clone()).send().await.unwrap();
    let request_id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    client.get(format!("{url}/checkout/result/a-secret-of-a-shopper-1234")).send().await.unwrap();
    // What is still to be sent is sent at the end.
    assert!(Command::new("kill").args(["-TERM", &process.0.id().to_string()]).status().unwrap().success());
    tokio::task::block_in_place(|| until("the end", || process.0.try_wait().unwrap()));

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
