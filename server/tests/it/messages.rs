//! What the gateway sends to the shop.

use mypos::{Fields, PrivateKey};

use crate::html::{Pairs, encode};
use crate::keys::{FIRST, SID};

/// A message of the gateway before it is signed.
#[derive(Clone, Debug)]
pub struct Message(pub Pairs);

fn message(pairs: &[(&str, &str)]) -> Message {
    Message(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// `IPCPurchaseNotify` of 50.00 EUR.
pub fn notify(order_id: &str) -> Message {
    message(&[
        ("IPCmethod", "IPCPurchaseNotify"),
        ("SID", SID),
        ("Amount", "50.00"),
        ("Currency", "EUR"),
        ("OrderID", order_id),
        ("IPC_Trnref", "813705000006"),
        ("RequestSTAN", "000006"),
        ("RequestDateTime", "2026-11-21 10:39:37"),
    ])
}

/// `IPCPurchaseOK` of 50.00 EUR, with what the shopper typed.
pub fn ok(order_id: &str) -> Message {
    message(&[
        ("IPCmethod", "IPCPurchaseOK"),
        ("SID", SID),
        ("Amount", "50.00"),
        ("Currency", "EUR"),
        ("OrderID", order_id),
        ("IPC_Trnref", "813705000006"),
        ("CustomerFirstNames", "Ada"),
    ])
}

/// `IPCPurchaseCancel` of 50.00 EUR.
pub fn cancel(order_id: &str) -> Message {
    message(&[
        ("IPCmethod", "IPCPurchaseCancel"),
        ("SID", SID),
        ("Amount", "50.00"),
        ("Currency", "EUR"),
        ("OrderID", order_id),
    ])
}

/// `IPCPurchaseRollback` of 50.00 EUR.
pub fn rollback(order_id: &str) -> Message {
    cancel(order_id).with("IPCmethod", "IPCPurchaseRollback")
}

impl Message {
    /// The same with another value of a field that is there.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let field = self.0.iter_mut().find(|(known, _)| known == name).expect(name);
        value.clone_into(&mut field.1);
        self
    }

    /// The same with a field more, at the end.
    pub fn and(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same without a field.
    pub fn without(mut self, name: &str) -> Self {
        self.0.retain(|(known, _)| known != name);
        self
    }

    /// The same with two fields exchanged.
    pub fn swapped(mut self, one: usize, other: usize) -> Self {
        self.0.swap(one, other);
        self
    }

    /// Signed by the gateway, as it is posted.
    pub fn signed(&self) -> String {
        self.signed_by(&FIRST.gateway)
    }

    /// Signed by some key.
    pub fn signed_by(&self, key: &PrivateKey) -> String {
        encode(self.signed_pairs(key))
    }

    /// Signed by some key, before it is encoded.
    pub fn signed_pairs(&self, key: &PrivateKey) -> Pairs {
        key.sign_fields(self.0.iter().cloned().collect::<Fields>()).unwrap().into_pairs()
    }

    /// Not signed at all.
    pub fn unsigned(&self) -> String {
        encode(self.0.iter().map(|(name, value)| (name, value)))
    }
}
