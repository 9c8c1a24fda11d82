//! Replies: what they say, and what they do not decide.

use mypos::{
    Amount, Callback, CallbackMethod, Currency, Declined, Fields, OrderId, Outcome, PaymentStatus,
    PaymentStatusReply, RefundReply, ReversalReply, ShapeError, StatusCode, Trnref, TxnStatusReply,
};

use crate::fixtures::{ORDER_ID, fields, verified};

const EUR_50: Amount = Amount::new(5000, Currency::Eur);

fn payment_status(pairs: &[(&str, &str)]) -> Result<PaymentStatusReply, ShapeError> {
    let mut message = fields(&[("IPCMethod", "IPCGetPaymentStatus"), ("OrderID", ORDER_ID)]);
    for (name, value) in pairs {
        message.push(*name, *value);
    }
    PaymentStatusReply::read(&verified(message))
}

#[test]
fn a_payment_status_is_read_by_name() {
    let mut message = fields(&[
        ("IPCMethod", "IPCGetPaymentStatus"),
        ("OrderID", ORDER_ID),
        ("PaymentMethod", "1"),
        ("PaymentStatus", "1"),
        ("PaymentReference", "x"),
        ("Amount", "50"),
        ("Currency", "EUR"),
        ("IPC_Trnref", "813705"),
    ]);
    let mut attempts = Fields::new();
    attempts.push_nested(
        "0",
        fields(&[
            ("DateTime", "2026-08-21 10:39:37"),
            ("responseCode", "51"),
            ("responseCodeDescription", "Not sufficient funds"),
        ]),
    );
    attempts.push_nested("1", fields(&[("responseCode", "05")]));
    message.push_nested("DeclinedPayments", attempts);
    message.push("Status", "1");
    message.push("StatusMsg", "Success");
    assert_eq!(
        PaymentStatusReply::read(&verified(message)),
        Ok(PaymentStatusReply {
            sid: None,
            order_id: Some(OrderId::parse(ORDER_ID).unwrap()),
            payment_status: PaymentStatus::Paid,
            amount: Some(EUR_50),
            trnref: Some(Trnref::parse("813705").unwrap()),
            status: StatusCode::MissingParameters,
            message: "Success".to_owned(),
            declined: vec![
                Declined {
                    date_time: Some("2026-08-21 10:39:37".to_owned()),
                    response_code: Some("51".to_owned()),
                    description: Some("Not sufficient funds".to_owned()),
                },
                Declined { date_time: None, response_code: Some("05".to_owned()), description: None },
            ],
        })
    );
}

#[test]
fn every_payment_status_is_known_or_kept() {
    let status = |text| payment_status(&[("PaymentStatus", text), ("Status", "0")]).unwrap().payment_status;
    assert_eq!(status("0"), PaymentStatus::UnknownOrder);
    assert_eq!(status("1"), PaymentStatus::Paid);
    assert_eq!(status("2"), PaymentStatus::Pending);
    assert_eq!(status("3"), PaymentStatus::Unsuccessful);
    assert_eq!(status("4"), PaymentStatus::Reversed);
    for other in ["", "5", "01", "1.0", "paid", "-1"] {
        assert_eq!(status(other), PaymentStatus::Unknown(other.to_owned()));
    }
    let without = payment_status(&[("Status", "0")]).unwrap();
    assert_eq!(without.payment_status, PaymentStatus::Unknown(String::new()));
}

#[test]
fn a_store_id_in_a_payment_status_is_kept() {
    let reply = payment_status(&[("SID", "000000000000010"), ("Status", "0")]).unwrap();
    assert_eq!(reply.sid.as_deref(), Some("000000000000010"));
}

#[test]
fn an_amount_needs_its_currency_and_must_be_one() {
    let read = |amount, currency| {
        payment_status(&[("Amount", amount), ("Currency", currency), ("Status", "0")])
            .map(|reply| reply.amount)
    };
    assert_eq!(read("50.00", "EUR"), Ok(Some(EUR_50)));
    assert_eq!(read("50.00", ""), Ok(None));
    assert_eq!(read("", "EUR"), Ok(None));
    assert_eq!(read("50.001", "EUR"), Err(ShapeError::Malformed("Amount")));
    assert_eq!(read("-50", "EUR"), Err(ShapeError::Malformed("Amount")));
    assert_eq!(read("50", "XXX"), Err(ShapeError::Malformed("Currency")));
}

#[test]
fn a_reply_that_cannot_be_trusted_to_its_word_is_refused() {
    assert_eq!(payment_status(&[]), Err(ShapeError::Misplaced("Status")));
    for status in ["x", "-1", "1.0", "9999999999", " 0"] {
        assert_eq!(payment_status(&[("Status", status)]), Err(ShapeError::Malformed("Status")));
    }
    assert_eq!(
        payment_status(&[("Status", "0"), ("PaymentStatus", "3"), ("payment_status", "1")]),
        Err(ShapeError::Repeated)
    );
    assert_eq!(
        payment_status(&[("Status", "0"), ("IPC_Trnref", "a-b")]),
        Err(ShapeError::Malformed("IPC_Trnref"))
    );
    let other = fields(&[("IPCmethod", "IPCGetPaymentStatus"), ("OrderID", "shop-1"), ("Status", "0")]);
    assert_eq!(PaymentStatusReply::read(&verified(other)), Err(ShapeError::ForeignOrderId { method: None }));
}

#[test]
fn a_reply_to_another_question_is_refused() {
    let reply = verified(fields(&[("IPCmethod", "IPCRefund"), ("Status", "0")]));
    assert!(RefundReply::read(&reply).is_ok());
    assert_eq!(PaymentStatusReply::read(&reply), Err(ShapeError::UnexpectedMethod));
    assert_eq!(TxnStatusReply::read(&reply), Err(ShapeError::UnexpectedMethod));
    assert_eq!(ReversalReply::read(&reply), Err(ShapeError::UnexpectedMethod));
    let none = verified(fields(&[("Status", "0")]));
    assert_eq!(RefundReply::read(&none), Err(ShapeError::UnexpectedMethod));
}

fn txn_status(inner: Option<Fields>) -> Result<Option<Callback>, ShapeError> {
    let mut message = fields(&[("IPCMethod", "IPCGetTxnStatus"), ("OrderID", ORDER_ID)]);
    if let Some(inner) = inner {
        message.push_nested("OrderStatus", inner);
    }
    message.push("Status", "0");
    message.push("StatusMsg", "Success");
    TxnStatusReply::read(&verified(message)).map(|reply| reply.last)
}

#[test]
fn a_transaction_status_holds_the_last_callback() {
    let notify = fields(&[
        ("IPCmethod", "IPCPurchaseNotify"),
        ("SID", "10"),
        ("Amount", "50"),
        ("Currency", "EUR"),
        ("OrderID", ORDER_ID),
        ("IPC_Trnref", "813705"),
        ("RequestSTAN", "000006"),
        ("Signature", "inner"),
    ]);
    match txn_status(Some(notify)).unwrap() {
        Some(Callback::Notify(notify)) => {
            assert_eq!(notify.amount, EUR_50);
            assert_eq!(notify.order_id.as_str(), ORDER_ID);
            assert_eq!(notify.trnref.as_str(), "813705");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(txn_status(None), Ok(None));
    assert_eq!(txn_status(Some(Fields::new())), Ok(None));
    assert_eq!(txn_status(Some(fields(&[("IPCmethod", "IPCPurchase")]))), Ok(None));
    let cut = fields(&[("IPCmethod", "IPCPurchaseNotify"), ("Amount", "50"), ("SID", "10")]);
    assert_eq!(txn_status(Some(cut)), Err(ShapeError::Misplaced("SID")));
    let foreign = fields(&[
        ("IPCmethod", "IPCPurchaseCancel"),
        ("SID", "10"),
        ("Amount", "50"),
        ("Currency", "EUR"),
        ("OrderID", "1"),
    ]);
    assert_eq!(
        txn_status(Some(foreign)),
        Err(ShapeError::ForeignOrderId { method: Some(CallbackMethod::Cancel) })
    );
}

fn refund(pairs: &[(&str, &str)]) -> Outcome {
    let mut message = fields(&[("IPCmethod", "IPCRefund")]);
    for (name, value) in pairs {
        message.push(*name, *value);
    }
    RefundReply::read(&verified(message)).unwrap().outcome(EUR_50)
}

#[test]
fn a_refund_is_done_only_with_the_amount_that_was_asked() {
    let good = [("IPC_Trnref", "9"), ("Amount", "50.00"), ("Currency", "EUR"), ("Status", "0")];
    assert_eq!(refund(&good), Outcome::Yes);
    let padded = [("Amount", "50"), ("Currency", "EUR"), ("Status", "000")];
    assert_eq!(refund(&padded), Outcome::Yes);
    assert_eq!(refund(&[("Status", "0")]), Outcome::Undecided);
    assert_eq!(refund(&[("Amount", "50"), ("Status", "0")]), Outcome::Undecided);
    let other_amount = [("Amount", "50.01"), ("Currency", "EUR"), ("Status", "0")];
    assert_eq!(refund(&other_amount), Outcome::Undecided);
    let other_currency = [("Amount", "50"), ("Currency", "USD"), ("Status", "0")];
    assert_eq!(refund(&other_currency), Outcome::Undecided);
}

#[test]
fn a_refund_is_refused_only_by_a_code_that_says_so() {
    assert_eq!(refund(&[("Status", "13")]), Outcome::No(StatusCode::InsufficientFunds));
    assert_eq!(refund(&[("Status", "3")]), Outcome::Undecided);
    assert_eq!(refund(&[("Status", "20")]), Outcome::Undecided);
    assert_eq!(refund(&[("Status", "1234")]), Outcome::Undecided);
    let other = [("Amount", "49"), ("Currency", "EUR"), ("Status", "13")];
    assert_eq!(refund(&other), Outcome::Undecided);
    assert_eq!(
        refund(&[("Status", "5"), ("StatusMsg", "E_INVALID_PARAMS: order_id: Duplicate value")]),
        Outcome::Undecided
    );
}

#[test]
fn a_reversal_may_leave_the_amount_out() {
    let reversal = |pairs: &[(&str, &str)]| {
        let mut message = fields(&[("IPCmethod", "IPCReversal")]);
        for (name, value) in pairs {
            message.push(*name, *value);
        }
        ReversalReply::read(&verified(message)).unwrap().outcome(EUR_50)
    };
    assert_eq!(reversal(&[("IPC_Trnref", "9"), ("Status", "0")]), Outcome::Yes);
    assert_eq!(reversal(&[("Amount", "50"), ("Status", "0")]), Outcome::Yes);
    assert_eq!(reversal(&[("Amount", "50"), ("Currency", "EUR"), ("Status", "0")]), Outcome::Yes);
    assert_eq!(reversal(&[("Amount", "51"), ("Currency", "EUR"), ("Status", "0")]), Outcome::Undecided);
    assert_eq!(reversal(&[("Status", "14")]), Outcome::No(StatusCode::NotPermitted));
    assert_eq!(reversal(&[("Status", "99")]), Outcome::Undecided);
}
