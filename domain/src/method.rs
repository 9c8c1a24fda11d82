//! How an order can be paid.

use serde::{Deserialize, Serialize};

/// A way to pay. Which of them a shop offers is its configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PaymentMethod {
    /// A card, on the payment page of myPOS.
    Card,
    /// iDEAL, on the payment page of myPOS; in euro only.
    Ideal,
    /// The merchant's own: a bank transfer in advance.
    BankTransfer,
    /// The merchant's own: money on delivery.
    OnDelivery,
}

impl PaymentMethod {
    /// All methods, in the order in which they are offered.
    pub const ALL: [Self; 4] = [Self::Card, Self::Ideal, Self::BankTransfer, Self::OnDelivery];

    /// The stable name in forms, messages and the database.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Ideal => "ideal",
            Self::BankTransfer => "bank-transfer",
            Self::OnDelivery => "on-delivery",
        }
    }

    /// The method of a stable name.
    pub fn from_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.id() == id)
    }

    /// Whether the shopper leaves for the payment page of myPOS.
    pub const fn uses_gateway(self) -> bool {
        matches!(self, Self::Card | Self::Ideal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_equal_the_serialised_form() {
        for method in PaymentMethod::ALL {
            assert_eq!(PaymentMethod::from_id(method.id()), Some(method));
            assert_eq!(serde_json::to_string(&method).unwrap(), format!("\"{}\"", method.id()));
        }
        assert_eq!(PaymentMethod::from_id("cash"), None);
    }
}
