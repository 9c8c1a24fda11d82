//! `tillgate refund`

use checkout::checkout::Checkout;
use checkout::format::plain;
use checkout::people::Actor;
use checkout::records::Refund;
use checkout::refund::{MerchantError, MerchantProblem, RefundRequest, refundable};
use checkout::token::Token;
use domain::messages::is_key;
use domain::{Money, RefundState};

use super::transactions::refund_json;
use super::{ConfigFile, EXIT_FAILED, EXIT_NO, EXIT_OK, EXIT_USAGE, block_on, fail, os_user};

/// Nobody knows whether the money went back, or it waits for a second person.
const EXIT_OPEN: u8 = 4;

/// Refund part of a payment, or all of it, through myPOS
#[derive(clap::Args)]
#[command(
    after_help = "Exit code 0: refunded; 1: not refunded, for certain; 2: the input cannot be used; 3: it failed before\n\
                        anything was sent; 4: it is not known whether the money went back (look at the myPOS account), or a\n\
                        second person has to approve it.\n\n\
                        A key makes it safe to run the same command again: the same key never refunds twice.\n\n\
                        Example: tillgate refund TG-7K3M-9QXA --amount 12.34 --reason \"arrived broken\""
)]
pub(super) struct Arguments {
    /// The order's reference
    order: String,
    /// How much, in the payment's currency, such as 12.34
    #[arg(long)]
    amount: String,
    /// Why, for the record
    #[arg(long)]
    reason: String,
    /// An idempotency key of 22 to 64 letters, digits, dashes and underscores; made anew where it is left out
    #[arg(long, value_parser = key_of)]
    key: Option<String>,
    #[command(flatten)]
    file: ConfigFile,
    /// Print the refund as JSON
    #[arg(long)]
    json: bool,
}

fn key_of(text: &str) -> Result<String, &'static str> {
    if is_key(text) {
        Ok(text.to_owned())
    } else {
        Err("not 22 to 64 letters, digits, dashes and underscores")
    }
}

impl Arguments {
    pub(super) fn run(self) -> u8 {
        block_on(async {
            let checkout = match self.file.open().await {
                Ok(checkout) => checkout,
                Err(code) => return code,
            };
            match self.refund(&checkout).await {
                Ok(refund) => self.report(&refund),
                Err(MerchantError::Problem(problem)) => {
                    let code = match problem {
                        MerchantProblem::NotPositive
                        | MerchantProblem::OtherCurrency(_)
                        | MerchantProblem::NoReason => EXIT_USAGE,
                        MerchantProblem::StillAsked => EXIT_OPEN,
                        _ => EXIT_NO,
                    };
                    fail(code, &problem)
                }
                Err(error) => fail(EXIT_FAILED, &error),
            }
        })
    }

    async fn refund(&self, checkout: &Checkout) -> Result<Refund, MerchantError> {
        let record = checkout.order_record(&self.order).await?;
        let payment = refundable(&record, None).ok_or(MerchantProblem::NothingToRefund)?;
        let currency = payment.money.currency;
        let amount = mypos::Currency::from_code(currency.code())
            .and_then(|known| mypos::Amount::parse(&self.amount, known).ok())
            .ok_or(MerchantProblem::OtherCurrency(currency))?;
        let key = match &self.key {
            Some(key) => key.clone(),
            None => Token::random()?.secret().to_owned(),
        };
        let request = RefundRequest {
            reference: self.order.clone(),
            payment: Some(payment.id),
            money: Money::new(amount.minor, currency),
            reason: self.reason.clone(),
            key,
            actor: Actor::command_line(&os_user()),
        };
        checkout.refund(request).await
    }

    fn report(&self, refund: &Refund) -> u8 {
        if self.json {
            say!("{}", refund_json(refund));
        } else {
            let amount = plain(refund.money);
            let answer =
                if refund.answer.is_empty() { String::new() } else { format!(": {}", refund.answer) };
            match refund.state {
                RefundState::Done => say!("refunded {amount}"),
                RefundState::Refused => say!("not refunded: {amount}{answer}"),
                RefundState::Proposed => say!("{amount} waits for a second person's approval"),
                RefundState::Reserved | RefundState::Unknown => {
                    say!("nobody knows whether {amount} went back{answer}; look at the myPOS account");
                }
            }
        }
        match refund.state {
            RefundState::Done => EXIT_OK,
            RefundState::Refused => EXIT_NO,
            RefundState::Proposed | RefundState::Reserved | RefundState::Unknown => EXIT_OPEN,
        }
    }
}
