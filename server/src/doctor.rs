//! `tillgate doctor`: what is wrong with a set-up, and how to mend it.

use std::sync::Arc;
use std::time::Duration;

use checkout::clock::{Clock, SystemClock};
use checkout::mypos_store::MyposStore;
use checkout::records::Mode;
use serde::Serialize;

use crate::assets::Assets;
use crate::config::{Config, Database};
use crate::serve::open_checkout;

/// How long the gateway may take to accept a connection.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// How long before a certificate's end is it time to renew.
const RENEW_BEFORE_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// What was looked at.
    pub what: String,
    /// How bad it is.
    pub level: Level,
    /// What was found.
    pub found: String,
    /// What to do about it; empty where nothing has to be done.
    pub remedy: String,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// It works, but not as it should.
    Warning,
    /// It does not work.
    Error,
}

fn finding(what: &str, level: Level, found: impl Into<String>, remedy: &str) -> Finding {
    Finding { what: what.to_owned(), level, found: found.into(), remedy: remedy.to_owned() }
}

/// Looks at everything that a running server needs.
pub async fn examine(config: &Config, package: Option<&str>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let settings = match config.settings(package) {
        Ok(settings) => {
            findings.push(finding("configuration", Level::Ok, "readable and complete", ""));
            Some(settings)
        }
        Err(error) => {
            findings.push(finding(
                "configuration",
                Level::Error,
                error.to_string(),
                "mend the setting that is named",
            ));
            None
        }
    };
    findings.push(match config.read_catalog() {
        Ok(catalog) => finding("catalogue", Level::Ok, format!("{} articles", catalog.items.len()), ""),
        Err(error) => finding("catalogue", Level::Error, error.to_string(), "mend the entry that is named"),
    });
    findings.push(match Assets::read(&config.site_dir) {
        Ok(_) => finding("built site", Level::Ok, config.site_dir.display().to_string(), ""),
        Err(error) => {
            finding("built site", Level::Error, error.to_string(), "run `make build`, or set site_dir")
        }
    });
    if let (Some(_), Ok(database)) = (&settings, config.database()) {
        findings.push(look_at_database(&database, config, package).await);
    }
    let live = settings
        .as_ref()
        .is_some_and(|settings| settings.stores.iter().any(|store| store.mode == Mode::Live));
    findings.push(notify_url(&config.public_url, live));
    findings.extend(proxies(config));
    findings.extend(kept_sites(config));
    for endpoint in settings.iter().flat_map(|settings| &settings.webhooks) {
        let remedy = "check the network and the firewall: what that system is to be told waits meanwhile";
        let what = format!("webhook {:?}", endpoint.name);
        findings.push(reachable(&what, Level::Warning, &endpoint.address(), remedy).await);
    }
    for store in settings.iter().flat_map(|settings| &settings.stores) {
        findings.extend(keys(store));
        findings.push(gateway(store).await);
    }
    findings
}

async fn look_at_database(database: &Database, config: &Config, package: Option<&str>) -> Finding {
    let opened = open_checkout(config, package, Arc::new(SystemClock)).await;
    let ready = match &opened {
        Ok(checkout) => checkout.store().ready().await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    match ready {
        Ok(()) => finding("database", Level::Ok, database.to_string(), ""),
        Err(error) => finding(
            "database",
            Level::Error,
            error,
            match database {
                Database::Sqlite(_) => {
                    "check that the folder exists, that this user may write there, and that the disk has room"
                }
                Database::Postgres(_) => {
                    "check that the server runs and lets this user in, and that `tillgate migrate` was run"
                }
            },
        ),
    }
}

/// Whether myPOS would notify this address (observed: https only, no port, no query).
pub fn notify_url(public_url: &str, live: bool) -> Finding {
    let url = format!("{public_url}/mypos/notify");
    let Ok(uri) = url.parse::<http::Uri>() else {
        return finding(
            "notify URL",
            Level::Error,
            url,
            "set public_url to something like \"https://pay.example.com\"",
        );
    };
    let host = uri.host().unwrap_or_default();
    let local = host == "localhost"
        || host.starts_with("127.")
        || host == "[::1]"
        || host.starts_with("10.")
        || host.starts_with("192.168.");
    let level = if live { Level::Error } else { Level::Warning };
    if uri.scheme_str() != Some("https") {
        finding(
            "notify URL",
            level,
            format!("{url} is not https: myPOS refuses it, the sandbox takes it on loopback"),
            "serve the shop over https and set public_url to that",
        )
    } else if uri.port().is_some() {
        finding(
            "notify URL",
            level,
            format!("{url} names a port: myPOS refuses it"),
            "serve the shop on port 443 and leave the port out of public_url",
        )
    } else if local || !host.contains('.') {
        finding(
            "notify URL",
            level,
            format!("{url} cannot be reached from the internet"),
            "use the public name of the shop",
        )
    } else {
        finding("notify URL", Level::Ok, url, "")
    }
}

/// A shop behind a proxy has to be told whose forwarding headers to believe.
fn proxies(config: &Config) -> Option<Finding> {
    (config.public_url.starts_with("https://") && config.trusted_proxies.is_empty()).then(|| {
        finding(
            "trusted_proxies",
            Level::Warning,
            "empty, although this server itself speaks http: whatever serves https in front of it counts as one \
             client, and all shoppers share its limits",
            "name the proxy's address, such as trusted_proxies = [\"127.0.0.1\"]",
        )
    })
}

fn kept_sites(config: &Config) -> Option<Finding> {
    let several = matches!(config.database(), Ok(Database::Postgres(_)));
    (several && config.kept_sites.as_os_str().is_empty()).then(|| {
        finding(
            "kept_sites",
            Level::Warning,
            "empty: where several servers run, a page of one version finds no scripts at a server of another while \
             you upgrade them, and works without",
            "name a folder that all of them share; with one server there is nothing to do",
        )
    })
}

fn keys(store: &MyposStore) -> Vec<Finding> {
    let mut findings = Vec::new();
    let what = format!("keys of store {:?}", store.name);
    for key in store.keys.iter().filter(|key| !key.retired) {
        let bits = key.ours.bits().min(key.gateways.bits());
        let ends_ms = key.gateways.not_after().map(|seconds| seconds.saturating_mul(1000));
        let soon = ends_ms.is_some_and(|end| end - SystemClock.now_ms() < RENEW_BEFORE_MS);
        if bits < 2048 {
            findings.push(finding(
                &what,
                Level::Warning,
                format!("key {} has {bits} bits", key.index),
                "fine for the public test store only: make a new configuration of at least 2048 bits",
            ));
        } else if soon {
            findings.push(finding(&what, Level::Warning, format!("the certificate of key {} ends within 30 days, or has ended", key.index), "messages are still taken, because the key itself is what counts; make a new configuration in the myPOS account and add its package"));
        } else {
            findings.push(finding(&what, Level::Ok, format!("key {}, {bits} bits", key.index), ""));
        }
    }
    findings
}

async fn gateway(store: &MyposStore) -> Finding {
    let what = format!("gateway of store {:?}", store.name);
    let Some(address) = host_and_port(&store.endpoint) else {
        return finding(&what, Level::Error, store.endpoint.clone(), "set the store's endpoint to a URL");
    };
    let remedy =
        "check the network and the firewall: the server itself asks the gateway what became of payments";
    reachable(&what, Level::Error, &address, remedy).await
}

/// Whether an address takes connections; if not, how bad that is and what to do.
async fn reachable(what: &str, otherwise: Level, address: &str, remedy: &str) -> Finding {
    let connected = tokio::time::timeout(CONNECT_PATIENCE, tokio::net::TcpStream::connect(address)).await;
    match connected {
        Ok(Ok(_)) => finding(what, Level::Ok, format!("{address} can be reached"), ""),
        _ => finding(what, otherwise, format!("{address} cannot be reached"), remedy),
    }
}

fn host_and_port(endpoint: &str) -> Option<String> {
    let uri: http::Uri = endpoint.parse().ok()?;
    let port = uri.port_u16().unwrap_or(if uri.scheme_str() == Some("http") { 80 } else { 443 });
    Some(format!("{}:{port}", uri.host()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_notify_url_that_mypos_takes_is_well() {
        assert_eq!(notify_url("https://pay.example.com", true).level, Level::Ok);
        for bad in [
            "http://pay.example.com",
            "https://pay.example.com:8443",
            "https://localhost",
            "https://192.168.1.7",
        ] {
            assert_eq!(notify_url(bad, true).level, Level::Error, "{bad}");
            assert_eq!(notify_url(bad, false).level, Level::Warning, "{bad}");
            assert!(!notify_url(bad, true).remedy.is_empty());
        }
    }
}
