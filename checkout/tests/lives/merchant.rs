//! What merchants do: refund, undo, record what their bank shows, and look at what needs a person.

use std::sync::Arc;

use checkout::checkout::Checkout;
use checkout::people::Actor;
use checkout::records::{Mode, RefundKind};
use checkout::refund::{MerchantError, MerchantProblem, MoneyRequest, RefundRequest};
use checkout::store::StoreError;
use checkout::store::merchant::{Filter, From, OrderRecord, Transaction};
use domain::{Currency, Money, OrderState, PaymentState, RefundState};
use futures_util::FutureExt as _;
use futures_util::future::join;

use crate::gateway::SaleState;
use crate::world::{HOUR, MINUTE, SECOND, World};

impl World {
    /// The orders of this life, newest first.
    pub async fn orders(&self, since_ms: i64) -> Result<Vec<Transaction>, StoreError> {
        let page = self.truth.transactions(Filter::all(Mode::Test), From::Newest, 50).await?;
        Ok(page.rows.into_iter().filter(|row| row.placed_at_ms >= since_ms).collect())
    }
}

pub fn merchant() -> Actor {
    Actor::command_line("anna")
}

/// Refunds and undoes now and then what was paid.
pub async fn gives_back(world: Arc<World>, start_ms: i64) {
    let times = world.state().dice.below(4);
    for _ in 0..times {
        world.pause(MINUTE, 2 * HOUR).await;
        let paid =
            world.orders(start_ms).await.unwrap().into_iter().filter(|row| row.state == OrderState::Paid);
        let paid: Vec<String> = paid.map(|row| row.reference).collect();
        if paid.is_empty() {
            continue;
        }
        let reference = {
            let mut state = world.state();
            let index = state.dice.below(paid.len());
            paid[index].clone()
        };
        if world.state().dice.happens(15) {
            undoes(&world, reference).await;
        } else {
            refunds(&world, reference).await;
        }
    }
    world.state().busy -= 1;
}

/// Presses Refund, perhaps twice, and again while no answer comes.
async fn refunds(world: &Arc<World>, reference: String) {
    let (minor, number) = {
        let mut state = world.state();
        (state.dice.pick(&[1, 1_000, 2_500, 2_500, 5_000, 10_000]), state.dice.roll())
    };
    let request = RefundRequest {
        reference,
        payment: None,
        money: Money::new(minor, Currency::EUR),
        reason: "it was too green".into(),
        key: format!("press {number}"),
        actor: merchant(),
    };
    let press = || {
        let request = request.clone();
        world.ask("refund", move |shop: Arc<Checkout>| {
            let request = request.clone();
            async move { shop.refund(request).await }.boxed()
        })
    };
    for _ in 0..3 {
        let is_twice = world.state().dice.happens(20);
        let answer = if is_twice { join(press(), press()).await.0 } else { press().await };
        match answer {
            Some(Ok(refund)) => {
                world.state().note(|| format!("the refund of {minor} is {:?}", refund.state));
                return;
            }
            Some(Err(MerchantError::Problem(
                MerchantProblem::TooMuch(_) | MerchantProblem::NothingToRefund | MerchantProblem::NoReference,
            ))) => {
                world.state().count("a refund was too much");
                return;
            }
            // By the other press, with the same key.
            Some(Err(MerchantError::Problem(MerchantProblem::StillAsked))) if is_twice => {
                world.state().note(|| format!("the refund of {minor} is being asked for"));
                return;
            }
            Some(Err(MerchantError::Problem(problem))) => {
                world.state().violated(format!("a refund cannot be: {problem}"));
                return;
            }
            Some(Err(MerchantError::Failed(_))) | None => world.pause(SECOND, MINUTE).await,
        }
    }
}

async fn undoes(world: &Arc<World>, reference: String) {
    world.state().count("a merchant asked to undo a payment");
    let answer = world
        .ask("reversal", move |shop| {
            let reference = reference.clone();
            async move { shop.reverse(&reference, merchant()).await }.boxed()
        })
        .await;
    world.state().note(|| format!("the reversal is {answer:?}"));
}

/// Somebody looks at everything that waits for a person, in the myPOS account and at the bank, and records it.
pub async fn looks_at_everything(world: &Arc<World>, shop: &Checkout, start_ms: i64) {
    for row in world.orders(start_ms).await.unwrap() {
        let record = world.truth.order_record(&row.reference).await.unwrap().unwrap();
        settles_refunds(world, shop, &record).await;
        settles_reversal(world, shop, &record).await;
        if row.state == OrderState::Awaiting {
            let comes_in = world.state().dice.happens(50);
            if comes_in {
                world.state().count("a bank transfer came in");
                let money = record.file.order.new.total;
                let request = MoneyRequest {
                    reference: row.reference.clone(),
                    money,
                    note: String::new(),
                    settles: true,
                    key: format!("transfer of {}", row.reference),
                    actor: merchant(),
                };
                shop.record_money(request).await.unwrap();
            } else {
                shop.cancel_order(&row.reference, merchant()).await.unwrap();
            }
        }
    }
}

async fn settles_refunds(world: &Arc<World>, shop: &Checkout, record: &OrderRecord) {
    let reference = &record.file.order.new.reference;
    for refund in record.refunds.iter().filter(|refund| refund.state == RefundState::Unknown) {
        assert_eq!(refund.kind, RefundKind::Gateway);
        let own_id = refund.gateway_order_id.as_deref().unwrap();
        let was_done = world.state().sales.of_order(reference).any(|sale| sale.refunds.contains_key(own_id));
        world.state().count("a person recorded what became of a refund");
        shop.record_refund_outcome(reference, refund.id, was_done, "seen in the account", merchant())
            .await
            .unwrap();
    }
}

async fn settles_reversal(world: &Arc<World>, shop: &Checkout, record: &OrderRecord) {
    let reference = &record.file.order.new.reference;
    for payment in record.file.payments.iter().filter(|payment| payment.state == PaymentState::Reversing) {
        let was_done = {
            let state = world.state();
            state.sales.by_order_id[&payment.gateway_order_id].state == SaleState::Reversed
        };
        world.state().count("a person recorded what became of a reversal");
        shop.record_reversal(reference, was_done, merchant()).await.unwrap();
    }
}
