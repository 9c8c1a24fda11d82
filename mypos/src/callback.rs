//! Messages from the gateway to the shop, held to their exact shape.
//!
//! # Why the shape matters
//!
//! What is signed is the values joined by `-`. The names are not signed, and neither are the places where
//! one value ends and the next begins. And the shopper gets signed text into his hands: the gateway has his
//! browser post `IPCPurchaseOK` and `IPCPurchaseCancel`, and an OK repeats the names that he typed himself.
//! Whoever may choose where to cut and what to call the pieces could make another message of it:
//!
//! ```text
//! signed:   IPCPurchaseOK-10-1.00-EUR-A..-1-...-IPCPurchaseNotify-10-999.00-EUR-B..-2-...
//! as sent:  CustomerFirstNames = "IPCPurchaseNotify-10-999.00-EUR-B..-2"
//! re-cut:   x = "IPCPurchaseOK-10-..."   IPCmethod = "IPCPurchaseNotify"   SID = "10"   Amount = "999.00" ...
//! ```
//!
//! Against that, a callback is accepted only if its first five fields are `IPCmethod`, `SID`, `Amount`,
//! `Currency` and `OrderID`, in this order, with `IPC_Trnref` sixth in a Notify or an OK, and each matches its
//! whole grammar. No grammar allows an empty value or a `-`. So the first field is the signed text up to its
//! first dash, the second is the text from there to the second dash, and so on: the signed text alone
//! determines these values, and there is no other cut. The method comes first, so a text that was signed as
//! an OK stays an OK, and each door takes its own methods only.
//!
//! The fields after these *can* be cut otherwise. They are good for display and support, and decide nothing.

use crate::fields::same_name;
use crate::{Amount, Currency, Field, Fields, OrderId, Trnref, Value, Verified};

/// The address at which a callback came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// `URL_Notify`: server to server.
    Notify,
    /// `URL_OK`: the shopper's browser, after a payment.
    Ok,
    /// `URL_Cancel`: the shopper's browser, otherwise.
    Cancel,
}

/// What a callback is about (`IPCmethod`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CallbackMethod {
    /// `IPCPurchaseNotify`
    Notify,
    /// `IPCPurchaseOK`
    Ok,
    /// `IPCPurchaseCancel`
    Cancel,
    /// `IPCPurchaseRollback`
    Rollback,
    /// `IPCSignatureVerify`
    SignatureVerify,
}

impl CallbackMethod {
    /// Every method.
    pub const ALL: [Self; 5] = [Self::Notify, Self::Ok, Self::Cancel, Self::Rollback, Self::SignatureVerify];

    /// The name as it is sent.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Notify => "IPCPurchaseNotify",
            Self::Ok => "IPCPurchaseOK",
            Self::Cancel => "IPCPurchaseCancel",
            Self::Rollback => "IPCPurchaseRollback",
            Self::SignatureVerify => "IPCSignatureVerify",
        }
    }

    /// The method with exactly that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name() == name)
    }

    /// The one address that takes this method.
    pub const fn door(self) -> Door {
        match self {
            Self::Notify | Self::Rollback | Self::SignatureVerify => Door::Notify,
            Self::Ok => Door::Ok,
            Self::Cancel => Door::Cancel,
        }
    }
}

/// A callback whose sender and shape are proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Callback {
    /// The shopper paid. Answer exactly `OK` once it is on disk; anything else gives the money back.
    Notify(Notify),
    /// The shopper paid and came back. It may come before, after or without the Notify, and through his
    /// hands: show him something, but change nothing.
    Ok(PurchaseOk),
    /// The shopper came back without having paid, by his own choice or not.
    Cancel(PurchaseCancel),
    /// The gateway gave a payment back, because a Notify was not answered with `OK`.
    Rollback(PurchaseRollback),
    /// The gateway tests the address: answer `OK`.
    SignatureVerify,
}

/// `IPCPurchaseNotify` (myPOS docs, Purchase notify).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notify {
    /// The store's id, 1 to 15 digits; leading zeros count.
    pub sid: String,
    /// What was paid.
    pub amount: Amount,
    /// The payment.
    pub order_id: OrderId,
    /// The gateway's reference of the transaction.
    pub trnref: Trnref,
    /// The means of payment, as the gateway writes it. Not protected by the shape: for display only.
    pub payment_method: Option<String>,
    /// The last four digits of the card, if `PAN` is exactly four digits. For display only.
    pub pan_last4: Option<String>,
    /// The gateway's time, whose zone is not documented. For display only.
    pub request_date_time: Option<String>,
}

/// `IPCPurchaseOK` (myPOS docs, Purchase).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseOk {
    /// The store's id.
    pub sid: String,
    /// What was paid.
    pub amount: Amount,
    /// The payment.
    pub order_id: OrderId,
    /// The gateway's reference of the transaction.
    pub trnref: Trnref,
}

/// `IPCPurchaseCancel` (myPOS docs, Purchase cancel).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseCancel {
    /// The store's id.
    pub sid: String,
    /// What was to be paid.
    pub amount: Amount,
    /// The payment.
    pub order_id: OrderId,
}

/// `IPCPurchaseRollback` (myPOS docs, Purchase rollback).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PurchaseRollback {
    /// The store's id.
    pub sid: String,
    /// What was given back.
    pub amount: Amount,
    /// The payment.
    pub order_id: OrderId,
}

/// Why a verified message is not what it should be. Nothing in it may be acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ShapeError {
    /// The method is unknown, or not one for this address or this question.
    #[error("the method is not one that is taken here")]
    UnexpectedMethod,
    /// The named field is not in its place, or missing.
    #[error("the field {0} is not where it must be")]
    Misplaced(&'static str),
    /// The value of the named field does not match its grammar.
    #[error("the value of {0} is malformed")]
    Malformed(&'static str),
    /// Two fields have the same name.
    #[error("a field is repeated")]
    Repeated,
    /// A field is nested where only text is allowed.
    #[error("a field is nested")]
    Nested,
    /// All is well but for the order id, which is not one of ours: an order of another system that uses
    /// the same store, most likely.
    #[error("the order id is not one of ours")]
    ForeignOrderId {
        /// The method of the callback, or `None` for a reply.
        method: Option<CallbackMethod>,
    },
}

impl Callback {
    /// Reads a callback that came in at that address.
    ///
    /// # Errors
    /// [`ShapeError`] unless the message has the exact shape of a callback that this address takes. The
    /// documentation of [`ShapeError::ForeignOrderId`] says when that is no reason for alarm.
    pub fn read(verified: &Verified, expected: Door) -> Result<Self, ShapeError> {
        Self::read_shape(verified.fields(), Some(expected))
    }

    /// Reads the fields of a callback, wherever they were found; without a door, of any callback.
    pub(crate) fn read_shape(fields: &Fields, expected: Option<Door>) -> Result<Self, ShapeError> {
        let mut cursor = Cursor(fields.iter());
        let method = CallbackMethod::from_name(cursor.next("IPCmethod")?)
            .filter(|method| expected.is_none_or(|door| door == method.door()))
            .ok_or(ShapeError::UnexpectedMethod)?;
        if fields.has_repeated_names() {
            return Err(ShapeError::Repeated);
        }
        if fields.iter().any(|field| matches!(field.value, Value::Nested(_))) {
            return Err(ShapeError::Nested);
        }
        if method == CallbackMethod::SignatureVerify {
            return Ok(Self::SignatureVerify);
        }
        let sid = cursor.next("SID")?;
        if !(1..=15).contains(&sid.len()) || !sid.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ShapeError::Malformed("SID"));
        }
        let sid = sid.to_owned();
        let amount = cursor.next("Amount")?;
        let currency = cursor.next("Currency")?;
        let amount = amount_of(amount, currency)?;
        let order_id = cursor.next("OrderID")?;
        let trnref = match method {
            CallbackMethod::Notify | CallbackMethod::Ok => {
                let text = cursor.next("IPC_Trnref")?;
                Some(Trnref::parse(text).map_err(|_| ShapeError::Malformed("IPC_Trnref"))?)
            }
            _ => None,
        };
        let order_id = order_id_of(order_id, Some(method))?;

        match (method, trnref) {
            (CallbackMethod::Notify, Some(trnref)) => Ok(Self::Notify(Notify {
                sid,
                amount,
                order_id,
                trnref,
                payment_method: fields.text("PaymentMethod").map(str::to_owned),
                pan_last4: fields.text("PAN").filter(|pan| is_last4(pan)).map(str::to_owned),
                request_date_time: fields.text("RequestDateTime").map(str::to_owned),
            })),
            (CallbackMethod::Ok, Some(trnref)) => Ok(Self::Ok(PurchaseOk { sid, amount, order_id, trnref })),
            (CallbackMethod::Cancel, _) => Ok(Self::Cancel(PurchaseCancel { sid, amount, order_id })),
            (CallbackMethod::Rollback, _) => Ok(Self::Rollback(PurchaseRollback { sid, amount, order_id })),
            _ => Err(ShapeError::UnexpectedMethod),
        }
    }

    /// What the callback is about.
    pub const fn method(&self) -> CallbackMethod {
        match self {
            Self::Notify(_) => CallbackMethod::Notify,
            Self::Ok(_) => CallbackMethod::Ok,
            Self::Cancel(_) => CallbackMethod::Cancel,
            Self::Rollback(_) => CallbackMethod::Rollback,
            Self::SignatureVerify => CallbackMethod::SignatureVerify,
        }
    }
}

/// Reads an amount and its currency.
pub(crate) fn amount_of(amount: &str, currency: &str) -> Result<Amount, ShapeError> {
    let currency = Currency::from_code(currency).ok_or(ShapeError::Malformed("Currency"))?;
    Amount::parse(amount, currency).map_err(|_| ShapeError::Malformed("Amount"))
}

/// Reads an order id, and tells one of another system from none at all.
pub(crate) fn order_id_of(text: &str, method: Option<CallbackMethod>) -> Result<OrderId, ShapeError> {
    /// The longest order id that the gateway ever took, in bytes (myPOS docs, Purchase).
    const MAX_FOREIGN: usize = 255;

    OrderId::parse(text).map_err(|_| {
        if text.is_empty() || text.len() > MAX_FOREIGN || text.contains(char::is_control) {
            ShapeError::Malformed("OrderID")
        } else {
            ShapeError::ForeignOrderId { method }
        }
    })
}

fn is_last4(pan: &str) -> bool {
    pan.len() == 4 && pan.bytes().all(|byte| byte.is_ascii_digit())
}

/// Takes fields from the front, each by its name.
struct Cursor<'a>(std::slice::Iter<'a, Field>);

impl<'a> Cursor<'a> {
    fn next(&mut self, name: &'static str) -> Result<&'a str, ShapeError> {
        self.0
            .next()
            .filter(|field| same_name(&field.name, name))
            .and_then(Field::text)
            .ok_or(ShapeError::Misplaced(name))
    }
}
