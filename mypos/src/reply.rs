//! Replies of the gateway to requests.
//!
//! Fields are found by their names, for the documentation does not promise their order. That is enough
//! here, because a reply comes over TLS from the gateway itself and never passes through the shopper's
//! hands. Its method must be the one that was asked, and no name may be repeated.

use crate::callback::{amount_of, order_id_of};
use crate::{
    Amount, Callback, Fields, GetPaymentStatus, GetTxnStatus, OrderId, Outcome, Refund, Request, Reversal,
    ShapeError, StatusCode, Trnref, Value, Verified,
};

/// The fields of a reply to that method.
fn reply_to<'a>(verified: &'a Verified, method: &str) -> Result<&'a Fields, ShapeError> {
    let fields = verified.fields();
    if fields.has_repeated_names() {
        return Err(ShapeError::Repeated);
    }
    if fields.text("IPCmethod") == Some(method) { Ok(fields) } else { Err(ShapeError::UnexpectedMethod) }
}

/// The text of a field; an empty one counts as absent, as a failure leaves them.
fn present<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.text(name).filter(|text| !text.is_empty())
}

/// Every reply has a `Status`.
fn status_of(fields: &Fields) -> Result<StatusCode, ShapeError> {
    let text = present(fields, "Status").ok_or(ShapeError::Misplaced("Status"))?;
    StatusCode::parse(text).ok_or(ShapeError::Malformed("Status"))
}

fn message_of(fields: &Fields) -> String {
    fields.text("StatusMsg").unwrap_or_default().to_owned()
}

/// The amount with its currency; `None` unless both are there.
fn optional_amount(fields: &Fields) -> Result<Option<Amount>, ShapeError> {
    match (present(fields, "Amount"), present(fields, "Currency")) {
        (Some(amount), Some(currency)) => amount_of(amount, currency).map(Some),
        _ => Ok(None),
    }
}

fn optional_order_id(fields: &Fields) -> Result<Option<OrderId>, ShapeError> {
    present(fields, "OrderID").map(|text| order_id_of(text, None)).transpose()
}

fn optional_trnref(fields: &Fields) -> Result<Option<Trnref>, ShapeError> {
    present(fields, "IPC_Trnref")
        .map(|text| Trnref::parse(text).map_err(|_| ShapeError::Malformed("IPC_Trnref")))
        .transpose()
}

/// How a payment stands (`PaymentStatus`; myPOS docs, Get payment status).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentStatus {
    /// 0: the gateway does not know the order.
    UnknownOrder,
    /// 1: paid.
    Paid,
    /// 2: not decided yet.
    Pending,
    /// 3: not paid.
    Unsuccessful,
    /// 4: the money was given back.
    Reversed,
    /// Anything else, as it was sent; empty if it was not sent.
    Unknown(String),
}

impl PaymentStatus {
    fn from_text(text: &str) -> Self {
        match text {
            "0" => Self::UnknownOrder,
            "1" => Self::Paid,
            "2" => Self::Pending,
            "3" => Self::Unsuccessful,
            "4" => Self::Reversed,
            other => Self::Unknown(other.to_owned()),
        }
    }
}

/// An attempt to pay that the bank declined. All of it is for display.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declined {
    /// The gateway's time, whose zone is not documented.
    pub date_time: Option<String>,
    /// The bank's code.
    pub response_code: Option<String>,
    /// What the code means.
    pub description: Option<String>,
}

/// The reply to [`GetPaymentStatus`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentStatusReply {
    /// The store's id, if the reply carries one. Then it must be the store that asked.
    pub sid: Option<String>,
    /// The payment that the reply is about. Compare it with the one that was asked about.
    pub order_id: Option<OrderId>,
    /// How the payment stands. This decides, and nothing else does.
    pub payment_status: PaymentStatus,
    /// The amount; `None` if amount or currency is missing.
    pub amount: Option<Amount>,
    /// The gateway's reference of the transaction.
    pub trnref: Option<Trnref>,
    /// Whether the question was answered. It is seen as 1 with the message "Success" on good answers.
    pub status: StatusCode,
    /// The text that came with it.
    pub message: String,
    /// The declined attempts, in the order of the reply.
    pub declined: Vec<Declined>,
}

impl PaymentStatusReply {
    /// Reads the reply.
    ///
    /// # Errors
    /// [`ShapeError`] if it answers another question, repeats a name, or a value that is there is
    /// malformed.
    pub fn read(verified: &Verified) -> Result<Self, ShapeError> {
        let fields = reply_to(verified, GetPaymentStatus::METHOD)?;
        Ok(Self {
            sid: present(fields, "SID").map(str::to_owned),
            order_id: optional_order_id(fields)?,
            payment_status: PaymentStatus::from_text(fields.text("PaymentStatus").unwrap_or("")),
            amount: optional_amount(fields)?,
            trnref: optional_trnref(fields)?,
            status: status_of(fields)?,
            message: message_of(fields),
            declined: fields.nested("DeclinedPayments").map(declined).unwrap_or_default(),
        })
    }
}

/// The elements of the list. A reply with one attempt may hold it directly.
fn declined(list: &Fields) -> Vec<Declined> {
    if list.text("responseCode").is_some() {
        return vec![attempt(list)];
    }
    list.iter()
        .filter_map(|field| match &field.value {
            Value::Nested(fields) => Some(attempt(fields)),
            Value::Text(_) => None,
        })
        .collect()
}

fn attempt(fields: &Fields) -> Declined {
    let text = |name| present(fields, name).map(str::to_owned);
    Declined {
        date_time: text("DateTime").or_else(|| text("Date")),
        response_code: text("responseCode"),
        description: text("responseCodeDescription"),
    }
}

/// The reply to [`GetTxnStatus`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnStatusReply {
    /// The payment that the reply is about. Compare it with the one that was asked about.
    pub order_id: Option<OrderId>,
    /// The last callback about the payment, in its exact shape; `None` if there is none, or one of a kind
    /// that is not known here. A [`Callback::Notify`] here means paid.
    pub last: Option<Callback>,
    /// Whether the question was answered; it says nothing about the payment.
    pub status: StatusCode,
    /// The text that came with it.
    pub message: String,
}

impl TxnStatusReply {
    /// Reads the reply. The callback inside is held to the shape that [`Callback::read`] asks for.
    ///
    /// # Errors
    /// [`ShapeError`] if it answers another question, repeats a name, or a value that is there is
    /// malformed.
    pub fn read(verified: &Verified) -> Result<Self, ShapeError> {
        let fields = reply_to(verified, GetTxnStatus::METHOD)?;
        let last = match fields.nested("OrderStatus").map(|inner| Callback::read_shape(inner, None)) {
            Some(Ok(callback)) => Some(callback),
            None | Some(Err(ShapeError::UnexpectedMethod | ShapeError::Misplaced("IPCmethod"))) => None,
            Some(Err(error)) => return Err(error),
        };
        Ok(Self {
            order_id: optional_order_id(fields)?,
            last,
            status: status_of(fields)?,
            message: message_of(fields),
        })
    }
}

/// The reply to [`Refund`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefundReply {
    /// The gateway's reference.
    pub trnref: Option<Trnref>,
    /// How much was given back; `None` if amount or currency is missing.
    pub amount: Option<Amount>,
    /// What became of it; [`outcome`](Self::outcome) reads it.
    pub status: StatusCode,
    /// The text that came with it.
    pub message: String,
}

impl RefundReply {
    /// Reads the reply.
    ///
    /// # Errors
    /// [`ShapeError`] if it answers another question, repeats a name, or a value that is there is
    /// malformed.
    pub fn read(verified: &Verified) -> Result<Self, ShapeError> {
        let fields = reply_to(verified, Refund::METHOD)?;
        Ok(Self {
            trnref: optional_trnref(fields)?,
            amount: optional_amount(fields)?,
            status: status_of(fields)?,
            message: message_of(fields),
        })
    }

    /// What the reply says about a refund of that amount.
    ///
    /// A success counts only if it names the amount that was asked: it always does (myPOS docs, Refund).
    /// A reply that names another amount or currency decides nothing, whatever its code.
    pub fn outcome(&self, asked: Amount) -> Outcome {
        match (self.amount, self.status.decide(&self.message)) {
            (Some(named), _) if named != asked => Outcome::Undecided,
            (None, Outcome::Yes) => Outcome::Undecided,
            (_, outcome) => outcome,
        }
    }
}

/// The reply to [`Reversal`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReversalReply {
    /// The gateway's reference.
    pub trnref: Option<Trnref>,
    /// How much was given back; `None` if amount or currency is missing, as the currency usually is.
    pub amount: Option<Amount>,
    /// What became of it; [`outcome`](Self::outcome) reads it.
    pub status: StatusCode,
    /// The text that came with it.
    pub message: String,
}

impl ReversalReply {
    /// Reads the reply.
    ///
    /// # Errors
    /// [`ShapeError`] if it answers another question, repeats a name, or a value that is there is
    /// malformed.
    pub fn read(verified: &Verified) -> Result<Self, ShapeError> {
        let fields = reply_to(verified, Reversal::METHOD)?;
        Ok(Self {
            trnref: optional_trnref(fields)?,
            amount: optional_amount(fields)?,
            status: status_of(fields)?,
            message: message_of(fields),
        })
    }

    /// What the reply says about the reversal of a payment of that amount.
    ///
    /// The amount is optional in this reply (myPOS docs, Reversal), but another one decides nothing.
    pub fn outcome(&self, asked: Amount) -> Outcome {
        match self.amount {
            Some(named) if named != asked => Outcome::Undecided,
            _ => self.status.decide(&self.message),
        }
    }
}
