//! One of the merchant's own systems: it hears what happened, and knows by the id what it has heard before.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use checkout::store::merchant::OrderRecord;
use checkout::store::outbox::{WebhookKind, WebhookState};
use checkout::webhooks::{Courier, Endpoint, Letter};
use domain::{OrderState, PaymentState};

use crate::world::World;

/// The name of the endpoint that everybody tells.
pub const ENDPOINT: &str = "erp";

/// The endpoint as a shop is configured with it.
pub fn endpoint() -> Endpoint {
    let secret = "whsec_bm90aGluZyBvZiB0aGlzIGlzIHNlY3JldCBhdCBhbGw=".to_owned();
    Endpoint::new(ENDPOINT, "https://erp.example.com/tillgate", &[secret]).unwrap()
}

/// What was heard, by order: the number of each message and what it told, in the order in which they came first.
#[derive(Default)]
pub struct Heard(BTreeMap<String, Vec<(i64, WebhookKind)>>);

/// The way there, on which everything can happen that happens on others.
pub struct LifeCourier(pub Arc<World>);

#[async_trait]
impl Courier for LifeCourier {
    async fn send(&self, letter: Letter) -> Result<u16, String> {
        if self.0.is_lost("a webhook", "on the way").await {
            return Err("no connection".to_owned());
        }
        let is_well = {
            let mut state = self.0.state();
            let is_well = !state.strikes(|weather| weather.fail);
            if is_well {
                state.hears(&letter);
            }
            is_well
        };
        if self.0.is_lost("a webhook", "on the way back").await {
            return Err("no answer".to_owned());
        }
        Ok(if is_well { 204 } else { 500 })
    }
}

impl crate::world::State {
    fn hears(&mut self, letter: &Letter) {
        let body: serde_json::Value = serde_json::from_str(&letter.body).unwrap();
        let kind = WebhookKind::from_name(body["type"].as_str().unwrap()).unwrap();
        let reference = body["data"]["order"].as_str().unwrap().to_owned();
        let number = letter.id.strip_prefix(&reference).and_then(|rest| rest.strip_prefix('-'));
        let number = number.and_then(|rest| rest.split_once('-')).unwrap().0.parse().unwrap();
        self.note(|| format!("heard: {} {}", letter.id, kind.name()));
        let heard = self.heard.0.entry(reference.clone()).or_default();
        if heard.iter().any(|(known, _)| *known == number) {
            self.count("a webhook came again");
            return;
        }
        let is_late = heard.last().is_some_and(|(last, _)| *last > number);
        heard.push((number, kind));
        self.count("a webhook was heard");
        if is_late {
            self.violated(format!("{reference}: what happened later was heard before {}", letter.id));
        }
    }

    /// Whether everything was heard that happened to an order, and makes sense.
    pub fn heard_all(&self, record: &OrderRecord) -> Result<(), String> {
        let reference = &record.file.order.new.reference;
        let none = Vec::new();
        let heard = self.heard.0.get(reference).unwrap_or(&none);
        let told: Vec<_> = record.webhooks.iter().map(|webhook| (webhook.id.0, webhook.kind)).collect();
        if *heard != told || record.webhooks.iter().any(|one| one.state != WebhookState::Delivered) {
            return Err(format!("webhooks: {told:?} were to be heard, and {heard:?} were"));
        }
        let mut is_paid = false;
        for (_, kind) in heard {
            let is_paid_now = *kind != WebhookKind::OrderReversed;
            if (*kind == WebhookKind::OrderPaid) == is_paid {
                return Err(format!("webhooks: {heard:?} makes no sense"));
            }
            is_paid = is_paid_now;
        }
        let reversed = heard.iter().filter(|(_, kind)| *kind == WebhookKind::OrderReversed).count();
        let payments = &record.file.payments;
        if reversed > payments.iter().filter(|payment| payment.state == PaymentState::Reversed).count() {
            return Err(format!("webhooks: {heard:?} was heard, and fewer payments were reversed"));
        }
        let state = record.file.order.state;
        // What went back in full before it was beyond doubt is not told.
        let was_doubtful = payments.iter().any(|payment| payment.status_paid_at_ms.is_some());
        let may_be_unheard = state == OrderState::Refunded && was_doubtful && !is_paid;
        if !may_be_unheard && is_paid != matches!(state, OrderState::Paid | OrderState::Refunded) {
            return Err(format!("webhooks: it is {}, and {heard:?} was heard", state.name()));
        }
        Ok(())
    }
}
