//! What a shopper is told about an order.

use domain::{OrderState, PaymentState, ShopperState};

use crate::records::Payment;
use crate::store::OrderFile;

/// Where the order stands for the shopper. "Checking" begins with the return by `/mypos/ok`, and while it
/// lasts nothing can be paid a second time.
pub fn shopper_state(file: &OrderFile) -> ShopperState {
    let checking = file.payments.iter().any(is_checking);
    // Both mean that the gateway took the money: it went back, or has to.
    let given_back = file
        .payments
        .last()
        .is_some_and(|payment| matches!(payment.state, PaymentState::Refused | PaymentState::Reversed));
    match file.order.state {
        OrderState::Paid
            if file.payments.iter().any(|payment| payment.state.holds_money() && !payment.confirmed) =>
        {
            ShopperState::Checking
        }
        OrderState::Paid => ShopperState::Paid,
        OrderState::Refunded => ShopperState::Refunded,
        OrderState::Awaiting => ShopperState::Awaiting,
        OrderState::Cancelled | OrderState::Expired => ShopperState::Ended,
        OrderState::Open if checking => ShopperState::Checking,
        OrderState::Open if given_back => ShopperState::GivenBack,
        OrderState::Open => ShopperState::NotPaid,
    }
}

/// Whether the shopper is back from a payment page that showed success, and nothing was heard since.
fn is_checking(payment: &Payment) -> bool {
    matches!(payment.state, PaymentState::Started | PaymentState::Cancelled | PaymentState::Failed)
        && payment.returned_at_ms.is_some_and(|at| at >= payment.state_since_ms)
}
