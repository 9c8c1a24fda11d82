//! Orders as the merchant's pages show them: in words, with amounts and dates ready to read.

use app::pages::merchant::{
    ActForms, AuditLine, Deed, HistoryLine, OrderDetails, PaymentLine, ReceiptLine, RefundForm, RefundLine,
    TransactionLine, WebhookLine,
};
use app::text::{MerchantTexts, Texts, fill, texts};
use checkout::checkout::Checkout;
use checkout::people::{Actor, AuditEntry, Role};
use checkout::records::{Event, LineKind, Payment, Receipt, Refund, RefundKind};
use checkout::rules::is_checking;
use checkout::store::merchant::{OrderRecord, Transaction};
use checkout::store::outbox::{Webhook, WebhookState};
use checkout::{format, refund};
use domain::{Language, Money, OrderState, PaymentMethod, PaymentState, RefundState};
use mypos::StatusCode;

use crate::staff::Staff;

/// What is shown in which language and time zone.
pub struct Words<'c> {
    /// The shop.
    pub checkout: &'c Checkout,
    /// The language.
    pub language: Language,
}

impl Words<'_> {
    /// Every text.
    pub fn all(&self) -> &'static Texts {
        texts(self.language)
    }

    /// The texts of the merchant's pages.
    pub fn texts(&self) -> &'static MerchantTexts {
        &self.all().merchant
    }

    /// An amount.
    pub fn money(&self, money: Money) -> String {
        format::money_text(money, self.language)
    }

    /// A point in time.
    pub fn time(&self, at_ms: i64) -> String {
        format::date_time(at_ms, &self.checkout.settings.zone, self.language)
    }

    /// A method's name.
    pub fn method(&self, method: PaymentMethod) -> &'static str {
        self.all().checkout.method_name(method)
    }

    /// Where an order stands, and how that looks.
    pub fn order_state(&self, state: OrderState, refunded_minor: i64) -> (String, &'static str) {
        if state == OrderState::Paid && refunded_minor > 0 {
            return (self.texts().order_partly.to_owned(), "good");
        }
        let tone = match state {
            OrderState::Paid => "good",
            OrderState::Open | OrderState::Awaiting => "open",
            OrderState::Cancelled | OrderState::Expired | OrderState::Refunded => "",
        };
        (self.texts().order_state(state.name()).to_owned(), tone)
    }

    /// A row of the list.
    pub fn transaction(&self, row: &Transaction) -> TransactionLine {
        let (state, tone) = self.order_state(row.state, row.refunded_minor);
        let refunded = Money::new(row.refunded_minor, row.total.currency);
        TransactionLine {
            reference: row.reference.clone(),
            placed: self.time(row.placed_at_ms),
            name: row.name.clone(),
            email: row.email.clone(),
            method: self.method(row.method).to_owned(),
            state,
            tone,
            total: self.money(row.total),
            refunded: if row.refunded_minor > 0 { self.money(refunded) } else { String::new() },
            attention: row.attention,
        }
    }

    /// An entry of the audit log.
    pub fn audit(&self, entry: &AuditEntry) -> AuditLine {
        AuditLine {
            when: self.time(entry.at_ms),
            who: self.who(&entry.actor.who),
            address: entry.actor.address.clone(),
            what: self.texts().deed(entry.action.name()).to_owned(),
            detail: entry.detail.clone(),
            order: entry.order.clone().unwrap_or_default(),
        }
    }

    fn who(&self, who: &str) -> String {
        if who == Actor::OURSELVES { self.texts().by_nobody.to_owned() } else { who.to_owned() }
    }

    /// Why the gateway did not do a refund, from what is stored of its answer.
    pub fn why_not(&self, answer: &str) -> String {
        let texts = self.texts();
        let code = answer.split(' ').next().and_then(|code| code.parse().ok()).map(StatusCode::from_code);
        match code {
            Some(StatusCode::InsufficientFunds) => texts.why_balance.to_owned(),
            Some(StatusCode::NotPermitted) => texts.why_not_permitted.to_owned(),
            Some(StatusCode::ExceededLimit | StatusCode::ExceededAccountLimits) => texts.why_limit.to_owned(),
            Some(StatusCode::WrongAmount) => texts.why_amount.to_owned(),
            Some(StatusCode::Declined) => texts.why_declined.to_owned(),
            Some(_) => fill(texts.why_other, &[("code", answer)]),
            None => answer.to_owned(),
        }
    }

    /// What became of a refund, in a sentence.
    pub fn news_of(&self, refund: &Refund) -> String {
        let (texts, amount) = (self.texts(), self.money(refund.money));
        let template = match refund.state {
            RefundState::Done if refund.kind != RefundKind::Gateway => texts.news_recorded,
            RefundState::Done => texts.news_done,
            RefundState::Refused if refund.answer.is_empty() => texts.news_recorded,
            RefundState::Refused => texts.news_refused,
            RefundState::Unknown => texts.news_unknown,
            RefundState::Reserved => texts.news_reserved,
            RefundState::Proposed => texts.news_proposed,
        };
        fill(template, &[("amount", &amount), ("why", &self.why_not(&refund.answer))])
    }

    /// Everything about an order, with the forms that somebody may use.
    pub fn order(&self, record: &OrderRecord, events: &[Event], staff: &Staff) -> OrderDetails {
        let order = &record.file.order;
        let total = order.new.total;
        let (state, tone) = self.order_state(order.state, order.refunded_minor);
        let waits = record
            .refunds
            .iter()
            .any(|refund| matches!(refund.state, RefundState::Proposed | RefundState::Unknown));
        OrderDetails {
            reference: order.new.reference.clone(),
            state,
            tone,
            facts: self.facts(record),
            customer: self.customer(record),
            lines: order
                .new
                .lines
                .iter()
                .map(|line| {
                    let sum = line.total().map_or_else(|_| String::new(), |sum| self.money(sum));
                    let name = if line.kind == LineKind::Item {
                        format!("{} × {}", line.quantity, line.name)
                    } else {
                        line.name.clone()
                    };
                    (name, sum)
                })
                .collect(),
            total: self.money(total),
            payments: record.file.payments.iter().map(|payment| self.payment(record, payment)).collect(),
            refunds: record.refunds.iter().map(|refund| self.refund(refund, staff)).collect(),
            receipts: record.receipts.iter().map(|receipt| self.receipt(receipt)).collect(),
            webhooks: record.webhooks.iter().rev().map(|webhook| self.webhook(webhook, staff)).collect(),
            history: events.iter().rev().map(|event| self.history(event)).collect(),
            deeds: record.audit.iter().rev().map(|entry| self.deed(entry)).collect(),
            forms: if staff.may(Role::Refund) { self.forms(record, events) } else { ActForms::default() },
            news: None,
            problems: Vec::new(),
            attention: order.attention_since_ms.is_some() || waits,
        }
    }

    fn facts(&self, record: &OrderRecord) -> Vec<(&'static str, String)> {
        let texts = self.texts();
        let order = &record.file.order;
        let currency = order.new.total.currency;
        let some = |minor: i64| {
            if minor > 0 { self.money(Money::new(minor, currency)) } else { String::new() }
        };
        let held = refund::refundable(record, None).map(|payment| payment.id);
        let left = held.map_or(0, |id| record.left_minor(Some(id)));
        let (received, missing) = (record.received_minor(), missing_minor(record));
        vec![
            (texts.placed, self.time(order.placed_at_ms)),
            (texts.method, self.method(order.method).to_owned()),
            (texts.shop_reference, order.new.storefront.reference.clone()),
            (texts.return_url, order.new.storefront.return_url.clone()),
            (texts.received, some(received)),
            (texts.missing, if received > 0 { some(missing) } else { String::new() }),
            (texts.too_much, some(-missing)),
            (texts.given_back, some(order.refunded_minor)),
            (texts.left, some(left)),
        ]
    }

    fn customer(&self, record: &OrderRecord) -> Vec<(&'static str, String)> {
        let texts = self.texts();
        let details = record.file.order.new.customer.details();
        let country = format::countries(std::slice::from_ref(&details.country), self.language)
            .into_iter()
            .next()
            .map_or_else(|| details.country.clone(), |(_, name)| name);
        vec![
            (texts.customer_heading, format!("{} {}", details.first_name, details.family_name)),
            (texts.email, details.email.clone()),
            (texts.phone, details.phone.clone()),
            (texts.address, format!("{}, {} {}, {country}", details.street, details.postcode, details.city)),
            (texts.language, record.file.order.new.language.own_name().to_owned()),
        ]
    }

    fn payment(&self, record: &OrderRecord, payment: &Payment) -> PaymentLine {
        let texts = self.texts();
        let is_back = payment.state == PaymentState::Refused
            && given_back_minor(record, payment) >= payment.money.minor;
        let state = if is_back {
            texts.payment_given_back
        } else if payment.state == PaymentState::Paid && !payment.confirmed {
            texts.payment_checking
        } else {
            texts.payment_state(payment.state.name())
        };
        let tone = match payment.state {
            PaymentState::Paid if payment.confirmed => "good",
            PaymentState::Refused if is_back => "",
            PaymentState::Refused => "stopped",
            PaymentState::Started if !is_checking(payment) => "",
            PaymentState::Started | PaymentState::Paid | PaymentState::Reversing => "open",
            PaymentState::Cancelled | PaymentState::Failed | PaymentState::Reversed => "",
        };
        PaymentLine {
            method: self.method(payment.method).to_owned(),
            amount: self.money(payment.money),
            state: state.to_owned(),
            tone,
            since: self.time(payment.state_since_ms),
            gateway_reference: payment.trnref.clone().unwrap_or_default(),
            gateway_order: payment.gateway_order_id.clone(),
        }
    }

    fn refund(&self, refund: &Refund, staff: &Staff) -> RefundLine {
        let texts = self.texts();
        let may = staff.may(Role::Refund);
        let tone = match refund.state {
            RefundState::Done => "good",
            RefundState::Refused => "",
            RefundState::Unknown => "stopped",
            RefundState::Proposed | RefundState::Reserved => "open",
        };
        let is_proposed = refund.state == RefundState::Proposed;
        RefundLine {
            id: refund.id.0,
            amount: self.money(refund.money),
            state: texts.refund_state(refund.state.name()).to_owned(),
            tone,
            kind: texts.refund_kind(refund.kind.name()).to_owned(),
            when: self.time(refund.made_at_ms),
            by: self.who(&refund.asked_by),
            reason: refund.reason.clone(),
            answer: match refund.state {
                RefundState::Refused => self.why_not(&refund.answer),
                _ => refund.answer.clone(),
            },
            gateway_order: refund.gateway_order_id.clone().unwrap_or_default(),
            may_approve: may && is_proposed && refund.asked_by != staff.user.email,
            may_turn_down: may && is_proposed,
            may_record: may && refund.state == RefundState::Unknown,
        }
    }

    /// What it means to cancel an order.
    pub fn cancelling(&self, record: &OrderRecord) -> &'static str {
        if pays_otherwise(record) { self.texts().cancel_own_text } else { self.texts().cancel_text }
    }

    /// What tells a payment from the order's others.
    fn name_of(&self, record: &OrderRecord, id: i64) -> String {
        let payment = record.file.payments.iter().find(|payment| payment.id.0 == id);
        payment.map_or_else(String::new, |payment| {
            let line = self.payment(record, payment);
            format!("{}, {}, {}", line.amount, line.since, line.state)
        })
    }

    fn receipt(&self, receipt: &Receipt) -> ReceiptLine {
        ReceiptLine {
            amount: self.money(receipt.money),
            when: self.time(receipt.recorded_at_ms),
            by: self.who(&receipt.recorded_by),
            note: receipt.note.clone(),
        }
    }

    fn history(&self, event: &Event) -> HistoryLine {
        HistoryLine {
            when: self.time(event.at_ms),
            what: self.texts().event(event.what.kind.name()).to_owned(),
            detail: event.what.detail.clone(),
            is_alarm: event.what.kind.needs_a_person(),
            raw: event.what.raw.clone().unwrap_or_default(),
        }
    }

    fn webhook(&self, webhook: &Webhook, staff: &Staff) -> WebhookLine {
        let tone = match webhook.state {
            WebhookState::Waiting => "open",
            WebhookState::Delivered => "good",
            WebhookState::GivenUp => "stopped",
        };
        let happened = self.time(webhook.made_at_ms);
        WebhookLine {
            id: webhook.id.0,
            kind: webhook.kind.name(),
            endpoint: webhook.endpoint.clone(),
            state: self.texts().webhook_state(webhook.state.name()).to_owned(),
            tone,
            when: if webhook.answer.is_empty() {
                happened
            } else {
                format!("{happened} · {}", webhook.answer)
            },
            body: webhook.body.clone(),
            may_redeliver: staff.may(Role::Refund),
        }
    }

    fn deed(&self, entry: &AuditEntry) -> Deed {
        let from = fill(self.texts().from_address, &[("address", &entry.actor.address)]);
        let who = self.who(&entry.actor.who);
        Deed {
            when: self.time(entry.at_ms),
            who: if entry.actor.address.is_empty() { who } else { format!("{who} {from}") },
            what: self.texts().deed(entry.action.name()).to_owned(),
            detail: entry.detail.clone(),
        }
    }

    /// What can be done with an order as it stands.
    fn forms(&self, record: &OrderRecord, events: &[Event]) -> ActForms {
        let texts = self.texts();
        let order = &record.file.order;
        let currency = order.new.total.currency;
        let payments = &record.file.payments;
        let refunds = payments
            .iter()
            .filter(|payment| matches!(payment.state, PaymentState::Paid | PaymentState::Refused))
            .filter_map(|payment| {
                let left = Money::new(record.left_minor(Some(payment.id)), payment.money.currency);
                (left.minor > 0).then(|| RefundForm {
                    payment: payment.id.0,
                    is_refused: payment.state == PaymentState::Refused,
                    left: self.money(left),
                    amount: format::typed(left, self.language),
                    reason: String::new(),
                })
            })
            .collect::<Vec<_>>();
        let mut kinds = Vec::new();
        if !refunds.is_empty() {
            kinds.push((RefundKind::Account.name(), texts.kind_account));
            kinds.push((RefundKind::Chargeback.name(), texts.kind_chargeback));
        }
        if record.left_minor(None) > 0 {
            kinds.push((RefundKind::Hand.name(), texts.kind_hand));
        }
        let is_own = pays_otherwise(record);
        let missing = Money::new(missing_minor(record), currency);
        let missing = if missing.minor > 0 { format::typed(missing, self.language) } else { String::new() };
        let record_payments =
            refunds.iter().map(|one| (one.payment, self.name_of(record, one.payment))).collect();
        let paid = payments.iter().find(|payment| payment.state == PaymentState::Paid);
        let has_refunds = |payment: &Payment| {
            record.refunds.iter().any(|refund| refund.payment == Some(payment.id) && refund.state.counts())
        };
        ActForms {
            reverse: paid.is_some_and(|payment| !has_refunds(payment)),
            reversal_outcome: payments.iter().any(|one| self.checkout.is_reversal_unknown(one, events)),
            receive: is_own.then_some(missing),
            cancel: matches!(order.state, OrderState::Open | OrderState::Awaiting)
                .then(|| self.cancelling(record)),
            look: order
                .attention_since_ms
                .map(|_| events.iter().filter(|event| event.what.kind.needs_a_person()).count()),
            record: (!kinds.is_empty()).then_some(kinds),
            record_payments,
            refunds,
            ..ActForms::default()
        }
    }
}

/// Whether an order is paid by one of the merchant's own methods, or money came in by one.
fn pays_otherwise(record: &OrderRecord) -> bool {
    !record.file.order.method.uses_gateway() || !record.receipts.is_empty()
}

/// What went back of a payment.
fn given_back_minor(record: &OrderRecord, payment: &Payment) -> i64 {
    let done = record
        .refunds
        .iter()
        .filter(|refund| refund.payment == Some(payment.id) && refund.state == RefundState::Done);
    done.fold(0, |sum, refund| sum.saturating_add(refund.money.minor))
}

/// What is still missing of an order that awaits money. Less than zero: what came in and is owed back.
pub fn missing_minor(record: &OrderRecord) -> i64 {
    let order = &record.file.order;
    let (total, had) = (order.new.total.minor, record.left_minor(None));
    let is_paid_otherwise = record.file.payments.iter().any(|payment| payment.state.holds_money());
    let wanted = match order.state {
        OrderState::Awaiting => total,
        // One that was settled with less misses nothing.
        OrderState::Paid if !is_paid_otherwise => total.min(had),
        _ => 0,
    };
    wanted.saturating_sub(had)
}
