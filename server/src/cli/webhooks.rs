//! `tillgate webhooks`

use checkout::checkout::{Checkout, CheckoutError};
use checkout::format::timestamp;
use checkout::people::Actor;
use checkout::refund::{MerchantError, MerchantProblem};
use checkout::store::outbox::{Redelivery, Webhook, WebhookId};
use serde_json::{Value, json};

use super::{ConfigFile, EXIT_FAILED, EXIT_NO, EXIT_OK, block_on, fail, os_user};

/// What the merchant's own systems are told
#[derive(clap::Subcommand)]
pub(super) enum Command {
    List(List),
    Redeliver(Redeliver),
}

/// List messages that were not delivered, oldest first, or all of an order
#[derive(clap::Args)]
#[command(after_help = "Exit code 0: listed; 1: there is no such order; 2: no configuration; 3: it failed.")]
pub(super) struct List {
    /// All messages about the order of this reference
    #[arg(long, value_name = "REFERENCE")]
    order: Option<String>,
    /// How many at most
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    limit: u32,
    /// Print each as a line of JSON, with its body
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    file: ConfigFile,
}

/// Send messages again, from the server that runs: a receiver knows them by their ids
#[derive(clap::Args)]
#[command(
    after_help = "Exit code 0: they are on their way; 1: there is no such order, or nothing to send; 2: no configuration; 3: it failed.\n\n\
                  Examples: tillgate webhooks redeliver --undelivered\n          \
                  tillgate webhooks redeliver --order TG-7K3M-9QXA --message 17"
)]
pub(super) struct Redeliver {
    #[command(flatten)]
    which: Which,
    /// Only the message of this number, as `list` shows it
    #[arg(long, value_name = "NUMBER", requires = "order")]
    message: Option<i64>,
    #[command(flatten)]
    file: ConfigFile,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// Those about the order of this reference, delivered or not
    #[arg(long, value_name = "REFERENCE")]
    order: Option<String>,
    /// All that were not delivered: given up, or waiting for their next try
    #[arg(long)]
    undelivered: bool,
}

impl Command {
    pub(super) fn run(self) -> u8 {
        let file = match &self {
            Self::List(list) => list.file.clone(),
            Self::Redeliver(redeliver) => redeliver.file.clone(),
        };
        block_on(async {
            let checkout = match file.open().await {
                Ok(checkout) => checkout,
                Err(code) => return code,
            };
            let done = match self {
                Self::List(list) => list.run(&checkout).await,
                Self::Redeliver(redeliver) => redeliver.run(&checkout).await,
            };
            match done {
                Ok(code) => code,
                Err(MerchantError::Problem(problem @ MerchantProblem::NotFound)) => fail(EXIT_NO, &problem),
                Err(error) => fail(EXIT_FAILED, &error),
            }
        })
    }
}

impl List {
    async fn run(self, checkout: &Checkout) -> Result<u8, MerchantError> {
        let webhooks = match &self.order {
            Some(reference) => checkout.order_record(reference).await?.webhooks,
            None => checkout.store().undelivered(self.limit).await.map_err(CheckoutError::from)?,
        };
        for webhook in &webhooks {
            if self.json {
                say!("{}", webhook_json(webhook));
            } else {
                say!(
                    "{:>6}  {}  {}  {:14}  {:9}  to {}  tries {}  {}",
                    webhook.id.0,
                    webhook.reference,
                    timestamp(webhook.made_at_ms),
                    webhook.kind.name(),
                    webhook.state.name(),
                    webhook.endpoint,
                    webhook.tries,
                    webhook.answer
                );
            }
        }
        Ok(EXIT_OK)
    }
}

impl Redeliver {
    async fn run(self, checkout: &Checkout) -> Result<u8, MerchantError> {
        let actor = Actor::command_line(&os_user());
        let count = if let Some(reference) = &self.which.order {
            checkout.redeliver(reference, self.message.map(WebhookId), actor).await?
        } else {
            let again = checkout.store().redeliver(Redelivery::Undelivered, actor, checkout.now_ms());
            again.await.map_err(CheckoutError::from)?
        };
        match count {
            0 => say!("There is nothing to send."),
            _ => say!("{count} on their way: the server that runs sends them."),
        }
        Ok(if count > 0 { EXIT_OK } else { EXIT_NO })
    }
}

fn webhook_json(webhook: &Webhook) -> Value {
    json!({
        "message": webhook.id.0,
        "webhook_id": webhook.message_id(),
        "order": webhook.reference,
        "endpoint": webhook.endpoint,
        "type": webhook.kind.name(),
        "state": webhook.state,
        "at": timestamp(webhook.made_at_ms),
        "tries": webhook.tries,
        "next_try": timestamp(webhook.next_try_at_ms),
        "answer": webhook.answer,
        "settled": webhook.settled_at_ms.map(timestamp),
        "body": webhook.body,
    })
}
