//! `tillgate transactions`

use checkout::checkout::Checkout;
use checkout::format::{plain, timestamp};
use checkout::records::{Event, Payment, Refund};
use checkout::refund::MerchantError;
use checkout::search;
use checkout::store::merchant::{Filter, From, OrderRecord, Transaction};
use domain::{Language, Money, OrderState, PaymentMethod};
use serde_json::{Value, json};

use super::{ConfigFile, EXIT_FAILED, EXIT_NO, EXIT_OK, block_on, fail};

/// Look at transactions
#[derive(clap::Subcommand)]
pub(super) enum Command {
    List(List),
    Show(Show),
}

/// List transactions, newest first
#[derive(clap::Args)]
#[command(
    after_help = "Exit code 0: listed, even if there are none; 2: the input cannot be used; 3: it failed.\n\n\
                        Example: tillgate transactions list --state paid --search ada@example.com"
)]
pub(super) struct List {
    #[command(flatten)]
    file: ConfigFile,
    /// Where they stand: open, awaiting, paid, cancelled, expired or refunded
    #[arg(long, value_name = "STATE", value_parser = state_of)]
    state: Vec<OrderState>,
    /// How they are paid: card, ideal, bank-transfer or on-delivery
    #[arg(long, value_name = "METHOD", value_parser = method_of)]
    method: Vec<PaymentMethod>,
    /// A reference, the gateway's reference, an e-mail address, a family name, or an amount
    #[arg(long, value_name = "TEXT", default_value = "")]
    search: String,
    /// Only what a person has to look at
    #[arg(long)]
    attention: bool,
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 50)]
    limit: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Show one transaction: its payments, refunds and history
#[derive(clap::Args)]
#[command(
    after_help = "Exit code 0: shown; 1: there is no such order; 2: the input cannot be used; 3: it failed."
)]
pub(super) struct Show {
    /// The order's reference, such as TG-7K3M-9QXA
    order: String,
    #[command(flatten)]
    file: ConfigFile,
    /// Print it as JSON, with the raw messages of the gateway
    #[arg(long)]
    json: bool,
}

fn state_of(text: &str) -> Result<OrderState, String> {
    OrderState::from_name(text).ok_or_else(|| {
        let known = OrderState::ALL.map(OrderState::name).join(", ");
        format!("not one of {known}")
    })
}

fn method_of(text: &str) -> Result<PaymentMethod, String> {
    PaymentMethod::from_id(text).ok_or_else(|| {
        let known = PaymentMethod::ALL.map(PaymentMethod::id).join(", ");
        format!("not one of {known}")
    })
}

impl Command {
    pub(super) fn run(self) -> u8 {
        let file = match &self {
            Self::List(list) => list.file.clone(),
            Self::Show(show) => show.file.clone(),
        };
        block_on(async {
            let checkout = match file.open().await {
                Ok(checkout) => checkout,
                Err(code) => return code,
            };
            let done = match self {
                Self::List(list) => list.run(&checkout).await,
                Self::Show(show) => show.run(&checkout).await,
            };
            match done {
                Ok(()) => EXIT_OK,
                Err(MerchantError::Problem(problem)) => fail(EXIT_NO, &problem),
                Err(error) => fail(EXIT_FAILED, &error),
            }
        })
    }
}

impl List {
    async fn run(self, checkout: &Checkout) -> Result<(), MerchantError> {
        let currency = checkout.catalog.currency;
        let attention = self.attention;
        let filter = Filter {
            states: self.state,
            methods: self.method,
            search: search::parse(&self.search, currency, Language::En),
            attention: self.attention,
            ..Filter::all(checkout.settings.mode_for(currency))
        };
        let page = checkout.store().transactions(filter, From::Newest, self.limit).await?;
        for row in &page.rows {
            if self.json {
                say!("{}", row_json(row));
            } else {
                let attention = if row.attention { "  needs attention" } else { "" };
                say!(
                    "{}  {}  {:9}  {:13}  {:>14}  {}{attention}",
                    row.reference,
                    timestamp(row.placed_at_ms),
                    row.state.name(),
                    row.method.id(),
                    plain(row.total),
                    row.email
                );
            }
        }
        if attention {
            let messages = checkout.store().unknown_messages(100).await?.len();
            if messages > 0 {
                complain!(
                    "{messages} messages about orders that nobody knows: /merchant/transactions?attention=1 shows them."
                );
            }
        }
        if page.has_older && !self.json {
            complain!("There are more: ask for them with --limit, or narrow the search.");
        }
        Ok(())
    }
}

impl Show {
    async fn run(self, checkout: &Checkout) -> Result<(), MerchantError> {
        let record = checkout.order_record(&self.order).await?;
        let events = checkout.store().events(record.file.order.id).await?;
        if self.json {
            say!("{}", record_json(&record, &events));
            return Ok(());
        }
        let order = &record.file.order;
        say!("{}  {}  {}", order.new.reference, order.state.name(), plain(order.new.total));
        say!("placed {} by {}", timestamp(order.placed_at_ms), order.new.customer.details().email);
        for payment in &record.file.payments {
            let left = Money::new(record.left_minor(Some(payment.id)), payment.money.currency);
            say!(
                "payment {}  {}  {}  myPOS reference {}  left {}",
                payment.gateway_order_id,
                payment.state.name(),
                plain(payment.money),
                payment.trnref.as_deref().unwrap_or("none"),
                plain(left)
            );
        }
        for refund in &record.refunds {
            say!(
                "refund {}  {}  {}  {}  by {}: {}",
                refund.id.0,
                refund.state.name(),
                refund.kind.name(),
                plain(refund.money),
                refund.asked_by,
                refund.reason
            );
        }
        for event in &events {
            say!("{}  {}  {}", timestamp(event.at_ms), event.what.kind.name(), event.what.detail);
        }
        Ok(())
    }
}

fn row_json(row: &Transaction) -> Value {
    json!({
        "order": row.reference,
        "placed": timestamp(row.placed_at_ms),
        "state": row.state.name(),
        "method": row.method.id(),
        "currency": row.total.currency.code(),
        "total_minor": row.total.minor,
        "refunded_minor": row.refunded_minor,
        "email": row.email,
        "name": row.name,
        "gateway_reference": row.trnref,
        "reference": row.shop_reference,
        "return_url": row.return_url,
        "attention": row.attention,
    })
}

/// A refund, as every command prints it.
pub(super) fn refund_json(refund: &Refund) -> Value {
    json!({
        "refund": refund.id.0,
        "state": refund.state.name(),
        "kind": refund.kind.name(),
        "currency": refund.money.currency.code(),
        "amount_minor": refund.money.minor,
        "reason": refund.reason,
        "asked_by": refund.asked_by,
        "answer": refund.answer,
        "gateway_order_id": refund.gateway_order_id,
    })
}

fn payment_json(record: &OrderRecord, payment: &Payment) -> Value {
    json!({
        "gateway_order_id": payment.gateway_order_id,
        "state": payment.state.name(),
        "method": payment.method.id(),
        "currency": payment.money.currency.code(),
        "amount_minor": payment.money.minor,
        "left_minor": record.left_minor(Some(payment.id)),
        "gateway_reference": payment.trnref,
        "confirmed": payment.confirmed,
    })
}

fn record_json(record: &OrderRecord, events: &[Event]) -> Value {
    let order = &record.file.order;
    json!({
        "order": order.new.reference,
        "placed": timestamp(order.placed_at_ms),
        "state": order.state.name(),
        "mode": order.new.mode.name(),
        "method": order.method.id(),
        "currency": order.new.total.currency.code(),
        "total_minor": order.new.total.minor,
        "refunded_minor": order.refunded_minor,
        "received_minor": record.received_minor(),
        "email": order.new.customer.details().email,
        "reference": order.new.storefront.reference,
        "return_url": order.new.storefront.return_url,
        "attention": order.attention_since_ms.is_some(),
        "payments": record.file.payments.iter().map(|payment| payment_json(record, payment)).collect::<Vec<_>>(),
        "refunds": record.refunds.iter().map(refund_json).collect::<Vec<_>>(),
        "events": events.iter().map(|event| json!({
            "at": timestamp(event.at_ms),
            "kind": event.what.kind.name(),
            "detail": event.what.detail,
            "raw": event.what.raw,
        })).collect::<Vec<_>>(),
    })
}
