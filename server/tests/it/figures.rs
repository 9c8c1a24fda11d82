//! What `/metrics` and the log tell whoever watches over a shop.

use std::collections::BTreeSet;
use std::time::Duration;

use checkout::clock::SystemClock;
use server::config::Config;
use server::serve::open_checkout;
use sqlx::Executor as _;

use crate::database::Database;
use crate::kill::{configuration_on, free_ports, prepare, serve};
use crate::shop::folder;

const ALERTS: &str = include_str!("../../../docs/monitoring/alerts.yml");
const ALERTS_RING: &str = include_str!("../../../docs/monitoring/alerts.test.yml");
const DASHBOARD: &str = include_str!("../../../docs/monitoring/dashboard.json");

/// The names of figures in a text, without what a histogram adds to them.
fn names(text: &str) -> BTreeSet<String> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_')
        .filter(|word| word.starts_with("tillgate_"))
        .map(|word| word.strip_suffix("_bucket").unwrap_or(word).to_owned())
        .collect()
}

/// The value of a figure with these labels.
fn value(metrics: &str, figure: &str) -> f64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {figure} in\n{metrics}")).parse().unwrap()
}

/// Prometheus waits for ten seconds by itself, and takes a server that says nothing for one that is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_come_in_time_where_the_database_hangs() {
    let (dir, database) = (folder(), Database::migrated().await);
    let ports = free_ports();
    let mut table = configuration_on(dir.path(), &format!("http://127.0.0.1:{}", ports[0]), ports);
    table.insert("database_url".into(), database.url().into());
    let file = dir.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let prometheus = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build().unwrap();
    let _process = serve(&file, ports, &prometheus).await;
    let answers = async || {
        let address = format!("http://127.0.0.1:{}/metrics", ports[1]);
        let metrics = prometheus.get(address).send().await.unwrap().text().await.unwrap();
        value(&metrics, "tillgate_database_answers").to_string()
    };
    assert_eq!(answers().await, "1");
    let slow = "ALTER TABLE events RENAME TO kept;
        CREATE VIEW events AS SELECT * FROM kept WHERE CAST((SELECT pg_sleep(14)) AS TEXT) IS NOT NULL";
    database.connection().await.execute(slow).await.unwrap();
    assert_eq!(answers().await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_and_log_tell_what_happened_and_nothing_of_anybody() {
    let dir = folder();
    let ports = free_ports();
    let url = format!("http://127.0.0.1:{}", ports[0]);
    let mut table = configuration_on(dir.path(), &url, ports);
    table.insert("log_format".into(), "json".into());
    let file = dir.path().join("tillgate.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    let config = Config::parse(&table.to_string(), []).unwrap();
    let checkout = open_checkout(&config, None, std::sync::Arc::new(SystemClock)).await.unwrap();
    let prepared = prepare(&checkout).await;
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let _process = serve(&file, ports, &client).await;
    let metrics = async || {
        let address = format!("http://127.0.0.1:{}/metrics", ports[1]);
        client.get(address).send().await.unwrap().text().await.unwrap()
    };

    let before = metrics().await;
    assert_eq!(value(&before, "tillgate_database_answers").to_string(), "1");
    for never in [
        r#"tillgate_notifications_total{answer="failed"}"#,
        r#"tillgate_status_answers_total{status="unknown_order"}"#,
        r#"tillgate_refunds_total{outcome="unknown"}"#,
        r#"tillgate_events_total{kind="notify_refused"}"#,
        r#"tillgate_payments_started_total{method="card"}"#,
        r#"tillgate_refunds_waiting{state="unknown"}"#,
    ] {
        assert_eq!(value(&before, never).to_string(), "0", "{never}");
    }

    let notify = |body: String| client.post(format!("{url}/mypos/notify")).body(body).send();
    let answer = notify(prepared[0].body.clone()).await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.text().await.unwrap(), "OK");
    assert_eq!(notify("rubbish".into()).await.unwrap().status(), 403);
    client.request("BREW".parse().unwrap(), format!("{url}/checkout/result/secret")).send().await.unwrap();

    let after = metrics().await;
    for (figure, expected) in [
        (r#"tillgate_notifications_total{answer="ok"}"#, "1"),
        (r#"tillgate_notifications_total{answer="not_signed"}"#, "1"),
        (r#"tillgate_events_total{kind="notified"}"#, "1"),
        ("tillgate_notify_seconds_count", "2"),
        (r#"tillgate_http_requests_total{route="/mypos/notify",method="POST",status="200"}"#, "1"),
        (
            r#"tillgate_http_requests_total{route="/checkout/result/{token}",method="other",status="405"}"#,
            "1",
        ),
        ("tillgate_payments_due", "0"),
    ] {
        assert_eq!(value(&after, figure).to_string(), expected, "{figure}");
    }
    assert!(value(&after, "tillgate_last_notification_timestamp_seconds") > 1.7e9);
    for secret in ["secret", "ada@example.com", &prepared[0].cart_id] {
        assert!(!after.contains(secret), "{secret}");
    }

    // One number ties what happened to the request that caused it.
    let log = std::fs::read_to_string(file.with_extension("log")).unwrap();
    let lines: Vec<serde_json::Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of_request = |message: &str| {
        lines.iter().any(|line| {
            line["span"]["id"] == id.as_str() && line["message"].as_str().unwrap_or("") == message
        })
    };
    assert!(of_request("a notification was applied"), "{log}");
    assert!(
        lines.iter().any(|line| line["span"]["id"] == id.as_str() && line["route"] == "/mypos/notify"),
        "{log}"
    );
    assert!(!log.contains("ada@example.com"), "{log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alarms_and_dashboard_look_at_figures_that_there_are() {
    let source = include_str!("../../../checkout/src/figures.rs");
    let known: BTreeSet<String> = names(source);
    for text in [ALERTS, DASHBOARD] {
        let used = names(text);
        assert!(used.len() > 5);
        let unknown: Vec<_> = used.difference(&known).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
    assert_eq!(names(DASHBOARD), known, "whoever is alarmed has something to look at");
    serde_json::from_str::<serde_json::Value>(DASHBOARD).unwrap();
    let operations = include_str!("../../../docs/operations.md");
    for alert in ALERTS.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        assert!(operations.contains(alert), "docs/operations.md says what to do about {alert}");
        assert!(ALERTS_RING.contains(alert), "docs/monitoring/alerts.test.yml says when {alert} rings");
    }
}
