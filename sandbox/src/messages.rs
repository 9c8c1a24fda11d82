//! The messages that the gateway sends to the shop, with their fields in the real order.

use mypos::Fields;

use crate::state::{CustomerData, Order, Payment, Stage, Transaction};

/// What the shopper reads on the bank statement. The real one has inner double blanks as well, which
/// clients that tidy up white space fail on.
const BILLING_DESCRIPTOR: &str = "SANDBOX*TILLGATE  NO MONEY  EU";

/// The fields that every message about a payment begins with. The amount is echoed as it was sent.
fn head(method: &str, sid: &str, order: &Order, amount: &str) -> Fields {
    let mut fields = Fields::new();
    fields.push("IPCmethod", method);
    fields.push("SID", sid);
    fields.push("Amount", amount);
    fields.push("Currency", &order.currency);
    fields.push("OrderID", &order.id);
    fields
}

/// `IPCPurchaseNotify` and `IPCPurchaseOK` (myPOS docs, Purchase notify): the same but for the method.
/// The amount is a parameter for the sake of the fault that changes it.
pub(crate) fn paid(
    method: &str,
    sid: &str,
    order: &Order,
    transaction: &Transaction,
    amount: &str,
) -> Fields {
    let mut fields = head(method, sid, order, amount);
    fields.push("IPC_Trnref", &transaction.trnref);
    fields.push("RequestSTAN", &transaction.stan);
    fields.push("RequestDateTime", &transaction.date_time);
    fields.push("PaymentMethod", transaction.means.method.code());
    fields.push("BillingDescriptor", BILLING_DESCRIPTOR);
    if let Some(last4) = &transaction.means.last4 {
        fields.push("PAN", last4);
    }
    if order.customer_data != CustomerData::None {
        let customer = &order.customer;
        let values = [
            ("CustomerEmail", &customer.email),
            ("CustomerPhone", &customer.phone),
            ("CustomerFirstNames", &customer.first_names),
            ("CustomerFamilyName", &customer.family_name),
        ];
        for (name, value) in values.into_iter().filter(|(_, value)| !value.is_empty()) {
            fields.push(name, value);
        }
    }
    fields
}

/// `IPCPurchaseCancel`, for the shopper's browser.
pub(crate) fn cancel(sid: &str, order: &Order) -> Fields {
    head("IPCPurchaseCancel", sid, order, &order.amount)
}

/// `IPCPurchaseRollback`: the payment was given back.
pub(crate) fn rollback(sid: &str, order: &Order) -> Fields {
    head("IPCPurchaseRollback", sid, order, &order.amount)
}

/// `IPCSignatureVerify`: the test of the shop's address.
pub(crate) fn signature_verify(sid: &str, date_time: String) -> Fields {
    let mut fields = Fields::new();
    fields.push("IPCmethod", "IPCSignatureVerify");
    fields.push("SID", sid);
    fields.push("RequestDateTime", date_time);
    fields
}

/// The last message about a payment, as `IPCGetTxnStatus` repeats it; `None` before there is one.
pub(crate) fn last(sid: &str, payment: &Payment) -> Option<Fields> {
    let order = &payment.order;
    match payment.stage {
        Stage::Open | Stage::Settling => None,
        Stage::Paid => payment
            .transaction
            .as_ref()
            .map(|transaction| paid("IPCPurchaseNotify", sid, order, transaction, &order.amount)),
        Stage::Cancelled => Some(cancel(sid, order)),
        Stage::Reversed => Some(rollback(sid, order)),
    }
}
