//! The myPOS Checkout API (IPC): messages, signatures, keys, the configuration package and replies.
//!
//! The crate does no I/O and knows no runtime. It turns bytes that somebody received into values whose
//! origin is proved, and values into signed messages that somebody may send.
//!
//! # The road of a message
//!
//! Received bytes become an [`Unverified`], which gives away nothing to act on. Only
//! [`Unverified::verify`] with the sender's [`PublicKey`] yields a [`Verified`], and only a `Verified`
//! can be read as a [`Callback`] or as one of the replies ([`PaymentStatusReply`], [`RefundReply`], ...).
//! In the other direction a [`Request`] lists its [`Fields`], and [`PrivateKey::sign_fields`] makes
//! [`SignedFields`] of them, ready for a form, XML or JSON.
//!
//! ```
//! use mypos::{Fields, PrivateKey, Unverified};
//!
//! let key = PrivateKey::generate(2048)?;
//! let mut fields = Fields::new();
//! fields.push("IPCmethod", "IPCSignatureVerify");
//! fields.push("SID", "000000000000010");
//! let body = key.sign_fields(fields)?.to_form();
//!
//! let received = Unverified::from_form(body.as_bytes())?;
//! let message = received.verify(&key.public_key())?;
//! assert_eq!(message.fields().text("SID"), Some("000000000000010"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What the signature does not say
//!
//! The signature covers the *values*, joined by `-`. It covers neither the names nor the places where one
//! value ends and the next begins, so a genuine text can be cut into other fields and still verify.
//! [`Callback::read`] holds a message to the one shape in which the cuts cannot move; its documentation
//! says why. Nothing else in a verified message may decide about money.

mod callback;
pub mod certificate;
mod der;
mod fields;
mod form;
mod ids;
mod json;
mod key;
mod money;
mod package;
mod parse;
mod pem;
mod reply;
mod request;
mod signature;
mod status;
mod time;
mod xml;

pub use callback::{
    Callback, CallbackMethod, Door, Notify, PurchaseCancel, PurchaseOk, PurchaseRollback, ShapeError,
};
pub use fields::{Field, Fields, Value};
pub use ids::{IdError, OrderId, Trnref};
pub use key::{KeyError, PrivateKey, PublicKey};
pub use money::{Amount, AmountError, Currency};
pub use package::{ConfigurationPackage, PackageError};
pub use parse::{MAX_DEPTH, MAX_FIELDS, ParseError};
pub use reply::{Declined, PaymentStatus, PaymentStatusReply, RefundReply, ReversalReply, TxnStatusReply};
pub use request::{
    CartLine, Customer, GetPaymentStatus, GetTxnStatus, Language, PaymentParameters, Purchase, PurchaseError,
    Refund, Request, RequestedMethod, Reversal, StoreIdentity,
};
pub use signature::{SignatureError, SignedFields, Unverified, Verified};
pub use status::{Outcome, StatusCode};
pub use xml::XmlError;
