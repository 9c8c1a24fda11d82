//! The merchant's people: what they may do, and the record of what they did.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What a user of the merchant's pages may do. Each role includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// See transactions and export them.
    View,
    /// Give money back, record money, cancel orders.
    Refund,
    /// See who did what.
    Administer,
}

impl Role {
    /// Every role, from the least to the most.
    pub const ALL: [Self; 3] = [Self::View, Self::Refund, Self::Administer];

    /// The name in the database and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Refund => "refund",
            Self::Administer => "administer",
        }
    }

    /// The role of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether it includes another one.
    pub fn may(self, needed: Self) -> bool {
        self >= needed
    }
}

/// The number of a user in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(pub i64);

/// Somebody who works for the merchant.
#[derive(Clone, Debug)]
pub struct User {
    /// Their number.
    pub id: UserId,
    /// Their e-mail address, in small letters: the name they sign in with.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// Whether they are shut out.
    pub is_disabled: bool,
    /// Whether a code of an authenticator app is asked for when they sign in.
    pub has_second_factor: bool,
}

/// Who does something, and from where; for the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// A user's e-mail address, `cli:` and the operating system's user, or [`Actor::OURSELVES`].
    pub who: String,
    /// The network address, or `cli`.
    pub address: String,
}

impl Actor {
    /// The name of what Tillgate does by itself.
    pub const OURSELVES: &str = "tillgate";

    /// A user of the merchant's pages.
    pub fn user(user: &User, address: impl Into<String>) -> Self {
        Self { who: user.email.clone(), address: address.into() }
    }

    /// Whoever runs the command line.
    pub fn command_line(os_user: &str) -> Self {
        Self { who: format!("cli:{os_user}"), address: "cli".to_owned() }
    }

    /// Tillgate itself.
    pub fn ourselves() -> Self {
        Self { who: Self::OURSELVES.to_owned(), address: String::new() }
    }
}

/// The address that a client is counted by: whoever has one IPv6 address has all of its /64.
pub fn household(client: IpAddr) -> IpAddr {
    match client {
        IpAddr::V4(_) => client,
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
    }
}

/// Declares the actions, so that each stands in one place with its name.
macro_rules! actions {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// What somebody did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Action {
            $($(#[$doc])* $variant,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in the database.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The action of a name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|action| action.name() == name)
            }
        }
    };
}

actions! {
    /// Signed in.
    SignedIn = "signed_in";
    /// Typed a wrong password, or a wrong code.
    SignInFailed = "sign_in_failed";
    /// Signed out.
    SignedOut = "signed_out";
    /// Changed a password, which ended all other sessions.
    PasswordChanged = "password_changed";
    /// Made a user.
    UserAdded = "user_added";
    /// Gave a user another role.
    RoleChanged = "role_changed";
    /// Shut a user out.
    UserDisabled = "user_disabled";
    /// Let a user in again.
    UserEnabled = "user_enabled";
    /// Switched a second factor on.
    SecondFactorOn = "second_factor_on";
    /// Switched a second factor off.
    SecondFactorOff = "second_factor_off";
    /// Asked for a refund.
    RefundAsked = "refund_asked";
    /// Approved a refund that somebody else asked for.
    RefundApproved = "refund_approved";
    /// Turned a proposed refund down.
    RefundTurnedDown = "refund_turned_down";
    /// Recorded a refund that was made elsewhere.
    RefundRecorded = "refund_recorded";
    /// Recorded what the myPOS account says about a refund.
    RefundOutcomeRecorded = "refund_outcome_recorded";
    /// Asked for a reversal.
    ReversalAsked = "reversal_asked";
    /// Recorded what the myPOS account says about a reversal.
    ReversalOutcomeRecorded = "reversal_outcome_recorded";
    /// Recorded money that came in.
    MoneyReceived = "money_received";
    /// Cancelled an order.
    OrderCancelled = "order_cancelled";
    /// Looked at what needed a person.
    LookedAt = "looked_at";
    /// Looked at a message about an order that nobody knows.
    MessageSeen = "message_seen";
    /// Had messages to the merchant's systems sent again.
    WebhooksRedelivered = "webhooks_redelivered";
    /// Exported transactions.
    Exported = "exported";
}

/// An entry of the audit log.
#[derive(Clone, Debug)]
pub struct AuditEntry {
    /// Its number; they only grow.
    pub id: i64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Who, and from where.
    pub actor: Actor,
    /// What.
    pub action: Action,
    /// The reference of the order that it was about.
    pub order: Option<String>,
    /// What else is known about it.
    pub detail: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_includes_those_before_it() {
        assert!(Role::Administer.may(Role::Refund) && Role::Refund.may(Role::View));
        assert!(!Role::View.may(Role::Refund) && !Role::Refund.may(Role::Administer));
        for role in Role::ALL {
            assert_eq!(Role::from_name(role.name()), Some(role));
        }
    }

    #[test]
    fn names_of_actions_round_trip_and_differ() {
        for action in Action::ALL {
            assert_eq!(Action::from_name(action.name()), Some(*action));
        }
    }
}
