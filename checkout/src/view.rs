//! What a shopper is told about an order.

use domain::{OrderState, PaymentState, ShopperState};

use crate::rules::is_checking;
use crate::store::OrderFile;

/// Where the order stands for the shopper. "Checking" begins with the return by `/mypos/ok`, and while it
/// lasts nothing can be paid a second time.
pub fn shopper_state(file: &OrderFile) -> ShopperState {
    let any = |is: fn(PaymentState) -> bool| file.payments.iter().any(|payment| is(payment.state));
    let unconfirmed = file.payments.iter().any(|payment| payment.state.holds_money() && !payment.confirmed);
    match file.order.state {
        OrderState::Paid if unconfirmed => ShopperState::Checking,
        OrderState::Paid => ShopperState::Paid,
        OrderState::Refunded => ShopperState::Refunded,
        OrderState::Awaiting => ShopperState::Awaiting,
        _ if file.payments.iter().any(is_checking) => ShopperState::Checking,
        OrderState::Cancelled | OrderState::Expired => ShopperState::Ended,
        // Both mean that the gateway took the money: it went back, or has to.
        OrderState::Open if any(|state| matches!(state, PaymentState::Refused | PaymentState::Reversed)) => {
            ShopperState::GivenBack
        }
        OrderState::Open => ShopperState::NotPaid,
    }
}
