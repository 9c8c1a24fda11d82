//! Telling the merchant's own systems what happened, as [Standard Webhooks](https://www.standardwebhooks.com) says:
//! signed, with the same id and body at every try, for days, and in order for each order.
//!
//! What is told is written down where it becomes true ([`crate::store::outbox`]); here it is sent. A receiver hears of
//! everything at least once, and knows by the id what it has heard before.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream::{self, StreamExt as _};
use metrics::counter;
use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tracing::Instrument as _;

use crate::checkout::{Checkout, CheckoutError};
use crate::figures::{TRACES, WEBHOOKS};
use crate::gateway::AGENT;
use crate::people::Actor;
use crate::refund::MerchantError;
use crate::store::StoreError;
use crate::store::outbox::{ClaimedWebhook, Redelivery, Tried, Webhook, WebhookId, WebhookState};
use crate::text::clean;

/// What secrets begin with.
const SECRET_PREFIX: &str = "whsec_";
/// How many bytes a secret may have (Standard Webhooks, "Symmetric").
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// How many messages one round sends to an endpoint, and how many of them at a time.
const ROUND: u32 = 32;
const AT_A_TIME: usize = 8;
/// How long a receiver may take in all.
const TIMEOUT: Duration = Duration::from_secs(20);
/// How much is kept of what a receiver said.
const MAX_ANSWER_CHARS: usize = 200;

/// One of the merchant's systems. Its secrets are never printed.
#[derive(Clone)]
pub struct Endpoint {
    /// Its name here.
    pub name: String,
    url: Url,
    secrets: Vec<hmac::Key>,
}

/// What is wrong with an endpoint. Says nothing of its secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// The name.
    #[error("its name has to be 1 to 32 of A-Z a-z 0-9 - _")]
    Name,
    /// The address.
    #[error(
        "its url has to be like \"https://erp.example.com/tillgate\"; http is for this machine alone, and a user or password does not belong there"
    )]
    Url,
    /// A secret.
    #[error(
        "a secret of it has to be \"{SECRET_PREFIX}\" and 24 to 64 bytes in base64: make one with  echo {SECRET_PREFIX}$(openssl rand -base64 32)"
    )]
    Secret,
    /// No secret.
    #[error("it needs at least one secret")]
    NoSecret,
}

impl Endpoint {
    /// An endpoint with its secrets, of which each signs every message: so one can take another's place.
    pub fn new(name: &str, url: &str, secrets: &[String]) -> Result<Self, EndpointError> {
        let is_name = (1..=32).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if !is_name {
            return Err(EndpointError::Name);
        }
        let url = Url::parse(url).ok().filter(may_be_told).ok_or(EndpointError::Url)?;
        let secrets: Vec<_> = secrets.iter().map(|secret| read_secret(secret)).collect::<Result<_, _>>()?;
        if secrets.is_empty() {
            return Err(EndpointError::NoSecret);
        }
        Ok(Self { name: name.to_owned(), url, secrets })
    }

    /// Host and port that it is on.
    pub fn address(&self) -> String {
        let port = self.url.port_or_known_default().unwrap_or(443);
        format!("{}:{port}", self.url.host_str().unwrap_or_default())
    }

    /// The signatures of a message: `v1,` and base64 of HMAC-SHA256 over id, time and body, one for each secret.
    fn signatures(&self, id: &str, seconds: i64, body: &str) -> String {
        let signed = format!("{id}.{seconds}.{body}");
        let sign = |key| format!("v1,{}", STANDARD.encode(hmac::sign(key, signed.as_bytes())));
        self.secrets.iter().map(sign).collect::<Vec<_>>().join(" ")
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Endpoint({} at {}, hidden)", self.name, self.address())
    }
}

/// Whether messages may go to an address: over TLS, or not over any network.
fn may_be_told(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_here = host == "localhost"
        || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    (url.scheme() == "https" || (url.scheme() == "http" && is_here))
        && !host.is_empty()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
}

fn read_secret(text: &str) -> Result<hmac::Key, EndpointError> {
    let bytes = text.strip_prefix(SECRET_PREFIX).and_then(|text| STANDARD.decode(text).ok());
    let bytes = bytes.filter(|bytes| SECRET_BYTES.contains(&bytes.len())).ok_or(EndpointError::Secret)?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// A message as it is sent.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Where to.
    pub url: Url,
    /// `webhook-id`: the same at every try.
    pub id: String,
    /// `webhook-timestamp`: when it is sent, seconds since 1970.
    pub seconds: i64,
    /// `webhook-signature`.
    pub signatures: String,
    /// JSON.
    pub body: String,
}

/// Takes messages to the merchant's systems.
#[async_trait]
pub trait Courier: Send + Sync + 'static {
    /// Sends a message once. The HTTP status that its receiver answered with, or why there was none.
    async fn send(&self, letter: Letter) -> Result<u16, String>;
}

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("messages to the merchant's systems cannot be sent: {0}")]
pub struct CourierError(#[from] reqwest::Error);

/// By HTTP: TLS verified, no redirects, bounded in time.
pub struct HttpCourier {
    client: Client,
}

impl HttpCourier {
    /// Builds the client.
    pub fn new() -> Result<Self, CourierError> {
        let client = Client::builder().timeout(TIMEOUT).redirect(Policy::none()).no_proxy().build()?;
        Ok(Self { client })
    }
}

#[async_trait]
impl Courier for HttpCourier {
    async fn send(&self, letter: Letter) -> Result<u16, String> {
        let request = self
            .client
            .post(letter.url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, AGENT)
            .header("webhook-id", letter.id)
            .header("webhook-timestamp", letter.seconds)
            .header("webhook-signature", letter.signatures)
            .body(letter.body);
        // What it says besides is nobody's business, and is not read.
        let answer = request.send().await.map_err(|error| in_full(&error.without_url()))?;
        Ok(answer.status().as_u16())
    }
}

/// An error with its causes.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// What a round of deliveries did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deliveries {
    /// How many messages were received.
    pub delivered: u32,
    /// How many were not, and are sent again.
    pub failed: u32,
    /// How many were given up.
    pub given_up: u32,
}

impl Deliveries {
    /// How many were sent.
    pub fn sent(self) -> u32 {
        self.delivered.saturating_add(self.failed).saturating_add(self.given_up)
    }
}

impl Checkout {
    /// Has the endpoints of this configuration told what happens. To be said again and again: those that no server has
    /// asked for in a while are told no more. So a server with an older configuration that starts once more keeps nobody
    /// from being told.
    pub async fn want_endpoints(&self) -> Result<(), StoreError> {
        let names = self.settings.webhooks.iter().map(|endpoint| endpoint.name.clone()).collect();
        let now_ms = self.now_ms();
        let forgotten_before_ms = now_ms.saturating_sub(self.settings.timing.endpoint_forgotten_ms);
        self.store.want_endpoints(names, now_ms, forgotten_before_ms).await
    }

    /// Sends an endpoint what is due, a few at a time. Replicas share the work: each message is claimed first. Once `stop`
    /// is over, none is sent that was not begun, and what was claimed of it is given back.
    pub async fn deliver_webhooks(
        &self,
        endpoint: &Endpoint,
        courier: &dyn Courier,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<Deliveries, CheckoutError> {
        let lease_ms = self.settings.timing.webhook_lease_ms;
        let due = self.store.claim_webhooks(&endpoint.name, self.now_ms(), lease_ms, ROUND).await?;
        let sending: Vec<_> = due.iter().map(|due| self.deliver(due, endpoint, courier)).collect();
        let sent: Vec<_> = stream::iter(sending).take_until(stop).buffer_unordered(AT_A_TIME).collect().await;
        // They are begun in their order, so these are what was not.
        if let Some(rest @ [first, ..]) = due.get(sent.len()..) {
            let ids = rest.iter().map(|due| due.webhook.id).collect();
            self.store.give_back_webhooks(ids, first.leased_until_ms).await?;
        }
        let mut report = Deliveries::default();
        for state in sent {
            match state? {
                WebhookState::Delivered => report.delivered += 1,
                WebhookState::Waiting => report.failed += 1,
                WebhookState::GivenUp => report.given_up += 1,
            }
        }
        Ok(report)
    }

    async fn deliver(
        &self,
        due: &ClaimedWebhook,
        endpoint: &Endpoint,
        courier: &dyn Courier,
    ) -> Result<WebhookState, CheckoutError> {
        let webhook = &due.webhook;
        let (id, seconds) = (webhook.message_id(), self.now_ms().div_euclid(1_000));
        let letter = Letter {
            url: endpoint.url.clone(),
            signatures: endpoint.signatures(&id, seconds, &webhook.body),
            id,
            seconds,
            body: webhook.body.clone(),
        };
        let span = tracing::debug_span!(target: TRACES, "send a webhook", otel.kind = "client", endpoint = %endpoint.name);
        let answer = courier.send(letter).instrument(span).await;
        let now_ms = self.now_ms();
        let tried = self.judge(webhook, answer, now_ms);
        let outcome = match tried.state {
            WebhookState::Delivered => "delivered",
            WebhookState::Waiting => "failed",
            WebhookState::GivenUp => "given_up",
        };
        let (state, answer) = (tried.state, tried.answer.clone());
        self.store.webhook_tried(webhook.id, due.leased_until_ms, tried, now_ms).await?;
        counter!(WEBHOOKS, "outcome" => outcome).increment(1);
        let (message, endpoint) = (webhook.message_id(), &endpoint.name);
        match state {
            WebhookState::Delivered => {}
            WebhookState::Waiting => {
                tracing::warn!(%endpoint, %message, %answer, "a message to one of the merchant's systems did not arrive: it is sent again");
            }
            WebhookState::GivenUp => tracing::error!(
                %endpoint,
                %message,
                %answer,
                "a message to one of the merchant's systems was given up: mend it, then  tillgate webhooks redeliver --undelivered"
            ),
        }
        Ok(state)
    }

    /// What an answer means for a message.
    fn judge(&self, webhook: &Webhook, answer: Result<u16, String>, now_ms: i64) -> Tried {
        let said = match &answer {
            Ok(status) => format!("HTTP status {status}"),
            Err(why) => clean(why, MAX_ANSWER_CHARS),
        };
        if answer.is_ok_and(|status| (200..300).contains(&status)) {
            return Tried { state: WebhookState::Delivered, next_try_at_ms: now_ms, answer: said };
        }
        let waits = &self.settings.timing.webhook_again_ms;
        let wait_ms = usize::try_from(webhook.tries).ok().and_then(|tries| waits.get(tries));
        match wait_ms {
            Some(wait_ms) => Tried {
                state: WebhookState::Waiting,
                next_try_at_ms: now_ms.saturating_add(*wait_ms),
                answer: said,
            },
            None => Tried { state: WebhookState::GivenUp, next_try_at_ms: now_ms, answer: said },
        }
    }

    /// Sends messages of an order again: all of them, or one. How many.
    pub async fn redeliver(
        &self,
        reference: &str,
        webhook: Option<WebhookId>,
        actor: Actor,
    ) -> Result<u32, MerchantError> {
        let order = self.order_record(reference).await?.file.order.id;
        let which = webhook.map_or(Redelivery::Order(order), |id| Redelivery::One(order, id));
        Ok(self.store.redeliver(which, actor, self.now_ms()).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

    fn endpoint(url: &str, secrets: &[&str]) -> Result<Endpoint, EndpointError> {
        let secrets: Vec<String> = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        Endpoint::new("erp", url, &secrets)
    }

    #[test]
    fn addresses_are_safe_and_secrets_are_long_and_stay_hidden() {
        let url = "https://erp.example.com/tillgate?shop=1";
        let known = endpoint(url, &[SECRET]).unwrap();
        assert_eq!(format!("{known:?}"), "Endpoint(erp at erp.example.com:443, hidden)");
        for here in ["http://localhost:4000/", "http://127.0.0.1:4000/", "http://[::1]:4000/"] {
            assert!(endpoint(here, &[SECRET]).is_ok(), "{here}");
        }
        for bad in
            ["http://erp.example.com/", "https://me:pass@erp.example.com/", "ftp://localhost/", "erp", ""]
        {
            assert_eq!(endpoint(bad, &[SECRET]).unwrap_err(), EndpointError::Url, "{bad}");
        }
        for bad in ["", "whsec_", "whsec_c2hvcnQ=", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="] {
            assert_eq!(endpoint(url, &[bad]).unwrap_err(), EndpointError::Secret, "{bad}");
        }
        assert_eq!(endpoint(url, &[]).unwrap_err(), EndpointError::NoSecret);
        assert_eq!(Endpoint::new("my erp", url, &[SECRET.to_owned()]).unwrap_err(), EndpointError::Name);
    }

    #[test]
    fn what_is_signed_verifies_with_somebody_elses_library() {
        let other = "whsec_QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVpBQkNERUY=";
        let known = endpoint("https://erp.example.com/", &[SECRET, other]).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let now = i64::try_from(now).unwrap();
        let body = r#"{"type":"order.paid"}"#;
        let mut headers = http::HeaderMap::new();
        let mut set = |name: &'static str, value: String| headers.insert(name, value.parse().unwrap());
        set("webhook-id", "TG-7K3M-9QXA-4".to_owned());
        set("webhook-timestamp", now.to_string());
        set("webhook-signature", known.signatures("TG-7K3M-9QXA-4", now, body));
        for secret in [SECRET, other] {
            let receiver = standardwebhooks::Webhook::new(secret).unwrap();
            receiver.verify(body.as_bytes(), &headers).unwrap();
            receiver.verify(br#"{"type":"order.refunded"}"#, &headers).unwrap_err();
        }
    }
}
