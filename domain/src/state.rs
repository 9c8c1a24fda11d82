//! The states of an order, of a payment and of a refund, and the only functions that change them.
//!
//! Each takes a state and an event and gives the next state or a refusal. `Ok` of the same state means
//! that the event says nothing new: it gets the answer that it got the first time. The store applies
//! the result with compare-and-set, in one transaction with the event's record.

use serde::{Deserialize, Serialize};

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// Placed, not paid; a payment may be on its way.
    Open,
    /// Placed with the merchant's own method: the merchant waits for the money.
    Awaiting,
    /// Paid.
    Paid,
    /// Withdrawn before it was paid.
    Cancelled,
    /// Not paid in time.
    Expired,
    /// Paid, and all of it given back.
    Refunded,
}

impl OrderState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Open, Self::Awaiting, Self::Paid, Self::Cancelled, Self::Expired, Self::Refunded];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Awaiting => "awaiting",
            Self::Paid => "paid",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Refunded => "refunded",
        }
    }

    /// The state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether a payment that comes in may make it paid. An awaiting order takes one too: the shopper
    /// chose a bank transfer in one tab and paid by card in another, and the money is there.
    pub const fn takes_payment(self) -> bool {
        matches!(self, Self::Open | Self::Awaiting)
    }

    /// The next state.
    pub const fn on(self, event: OrderEvent) -> Result<Self, Refusal> {
        match (self, event) {
            (Self::Open | Self::Awaiting, OrderEvent::PaymentPaid)
            | (Self::Awaiting, OrderEvent::MoneyRecorded) => Ok(Self::Paid),
            (Self::Open | Self::Awaiting, OrderEvent::OwnMethodChosen) => Ok(Self::Awaiting),
            (Self::Open | Self::Awaiting | Self::Cancelled, OrderEvent::Cancel) => Ok(Self::Cancelled),
            (Self::Open | Self::Awaiting | Self::Expired, OrderEvent::Expire) => Ok(Self::Expired),
            (Self::Paid, OrderEvent::PaymentReversed) => Ok(Self::Open),
            (Self::Paid | Self::Refunded, OrderEvent::AllGivenBack) => Ok(Self::Refunded),
            _ => Err(Refusal::OrderState),
        }
    }
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OrderEvent {
    /// One of its payments became paid.
    PaymentPaid,
    /// The shopper chose one of the merchant's own methods.
    OwnMethodChosen,
    /// The merchant recorded that the money is there.
    MoneyRecorded,
    /// It is withdrawn, or another order of the same cart took its place.
    Cancel,
    /// Its time is over.
    Expire,
    /// Its paid payment was reversed.
    PaymentReversed,
    /// All of the payment was refunded.
    AllGivenBack,
}

impl OrderEvent {
    /// Every event.
    pub const ALL: [Self; 7] = [
        Self::PaymentPaid,
        Self::OwnMethodChosen,
        Self::MoneyRecorded,
        Self::Cancel,
        Self::Expire,
        Self::PaymentReversed,
        Self::AllGivenBack,
    ];
}

/// Where a payment stands: one attempt to pay an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentState {
    /// The signed form was made; the shopper may be on the payment page.
    Started,
    /// The shopper came back by the cancel address. A late Notify still makes it paid.
    Cancelled,
    /// The gateway said that nothing was paid. A late Notify still makes it paid.
    Failed,
    /// Paid.
    Paid,
    /// Paid at the gateway, but not taken for the order: the money has to go back.
    Refused,
    /// We asked the gateway to undo it.
    Reversing,
    /// Undone: the money went back. Final.
    Reversed,
}

impl PaymentState {
    /// Every state.
    pub const ALL: [Self; 7] = [
        Self::Started,
        Self::Cancelled,
        Self::Failed,
        Self::Paid,
        Self::Refused,
        Self::Reversing,
        Self::Reversed,
    ];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Paid => "paid",
            Self::Refused => "refused",
            Self::Reversing => "reversing",
            Self::Reversed => "reversed",
        }
    }

    /// The state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the order has this payment's money.
    pub const fn holds_money(self) -> bool {
        matches!(self, Self::Paid | Self::Reversing)
    }

    /// The next state.
    pub const fn on(self, event: PaymentEvent) -> Result<Self, Refusal> {
        use PaymentEvent as E;
        match (self, event) {
            // A signed "paid": by Notify, or by a status reply.
            (Self::Started | Self::Cancelled | Self::Failed, E::Notify(fit) | E::StatusPaid(fit)) => {
                Ok(match fit {
                    Fit::Takes => Self::Paid,
                    Fit::OrderTaken | Fit::OtherMoney => Self::Refused,
                })
            }
            // It was applied before, so it gets the same answer; what contradicts it does not.
            (Self::Paid | Self::Reversing, E::Notify(Fit::OtherMoney) | E::StatusPaid(Fit::OtherMoney)) => {
                Err(Refusal::Contradiction)
            }
            (Self::Refused, E::Notify(_)) => Err(Refusal::PaymentRefused),
            (Self::Reversed, E::Notify(_) | E::StatusPaid(_)) => Err(Refusal::PaymentReversed),

            // The shopper came back without paying. It proves nothing about money.
            (Self::Started, E::Cancel) => Ok(Self::Cancelled),

            // The gateway says that nothing was paid.
            (Self::Started, E::StatusUnsuccessful) => Ok(Self::Failed),
            (Self::Paid | Self::Reversing, E::StatusUnsuccessful) => Err(Refusal::Contradiction),

            // The money went back.
            (_, E::Rollback | E::StatusReversed) => Ok(Self::Reversed),

            // We ask for the money to go back.
            (Self::Paid, E::ReversalAsked { refunds: false }) => Ok(Self::Reversing),
            (Self::Paid, E::ReversalAsked { refunds: true }) => Err(Refusal::HasRefunds),
            (_, E::ReversalAsked { .. }) => Err(Refusal::NotPaid),
            // A late yes counts, even where somebody recorded a no meanwhile: the money is gone.
            (Self::Reversing | Self::Reversed | Self::Paid, E::ReversalDone) => Ok(Self::Reversed),
            (Self::Reversing | Self::Paid, E::ReversalDeclined) => Ok(Self::Paid),
            (Self::Reversed, E::ReversalDeclined) => Err(Refusal::Contradiction),
            (_, E::ReversalDone | E::ReversalDeclined) => Err(Refusal::NotPaid),

            // Nothing new.
            (_, E::Notify(_) | E::StatusPaid(_) | E::Cancel | E::StatusUnsuccessful) => Ok(self),
        }
    }
}

/// Whether a payment's money fits the order that it was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fit {
    /// Amount and currency are what was asked, and the order may take it.
    Takes,
    /// Amount and currency are right, but the order is paid by another payment, cancelled or expired.
    OrderTaken,
    /// Another amount, currency, or gateway reference than this payment has.
    OtherMoney,
}

/// What can happen to a payment. Every event of the gateway comes from a verified message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentEvent {
    /// `IPCPurchaseNotify`.
    Notify(Fit),
    /// A status reply that says paid.
    StatusPaid(Fit),
    /// `IPCPurchaseCancel`.
    Cancel,
    /// A status reply that says unsuccessful or unknown, after the payment page has expired.
    StatusUnsuccessful,
    /// `IPCPurchaseRollback`.
    Rollback,
    /// A status reply that says reversed.
    StatusReversed,
    /// A reversal is to be asked of the gateway.
    ReversalAsked {
        /// Whether any refund is reserved, done or unknown.
        refunds: bool,
    },
    /// The gateway said yes to the reversal.
    ReversalDone,
    /// The gateway said a definite no to the reversal.
    ReversalDeclined,
}

impl PaymentEvent {
    /// Every event.
    pub const ALL: [Self; 14] = [
        Self::Notify(Fit::Takes),
        Self::Notify(Fit::OrderTaken),
        Self::Notify(Fit::OtherMoney),
        Self::StatusPaid(Fit::Takes),
        Self::StatusPaid(Fit::OrderTaken),
        Self::StatusPaid(Fit::OtherMoney),
        Self::Cancel,
        Self::StatusUnsuccessful,
        Self::Rollback,
        Self::StatusReversed,
        Self::ReversalAsked { refunds: false },
        Self::ReversalAsked { refunds: true },
        Self::ReversalDone,
        Self::ReversalDeclined,
    ];
}

/// Where a refund stands: money that goes back on a paid payment, or on money that the merchant received
/// himself. In every state but [`RefundState::Refused`] its amount is set aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundState {
    /// It waits for a second person's approval. Nobody was asked for anything yet.
    Proposed,
    /// The gateway is being asked.
    Reserved,
    /// The money went back.
    Done,
    /// It was not done, for certain: the amount is free again.
    Refused,
    /// Nobody knows: a person has to look at the myPOS account and record what it says.
    Unknown,
}

impl RefundState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Proposed, Self::Reserved, Self::Done, Self::Refused, Self::Unknown];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Reserved => "reserved",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// The state of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether its amount is set aside, or gone.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::Refused)
    }

    /// The next state.
    pub const fn on(self, event: RefundEvent) -> Result<Self, Refusal> {
        use RefundEvent as E;
        match (self, event) {
            (Self::Proposed, E::Approved) => Ok(Self::Reserved),
            (Self::Proposed, E::TurnedDown) => Ok(Self::Refused),
            (Self::Reserved | Self::Unknown | Self::Done, E::AnsweredYes) => Ok(Self::Done),
            (Self::Reserved | Self::Unknown | Self::Refused, E::AnsweredNo) => Ok(Self::Refused),
            (Self::Reserved | Self::Unknown, E::Undecided) => Ok(Self::Unknown),
            (Self::Unknown, E::RecordedDone) => Ok(Self::Done),
            (Self::Unknown, E::RecordedNotDone) => Ok(Self::Refused),
            // A signed reply against what was said before: money is not where we think it is.
            (Self::Refused, E::AnsweredYes) | (Self::Done, E::AnsweredNo) => Err(Refusal::Contradiction),
            _ => Err(Refusal::RefundState),
        }
    }
}

/// What can happen to a refund.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefundEvent {
    /// A second person approved it.
    Approved,
    /// A person turned the proposal down.
    TurnedDown,
    /// The gateway said yes, signed.
    AnsweredYes,
    /// The gateway said a definite no, signed.
    AnsweredNo,
    /// Whatever came, it decides nothing.
    Undecided,
    /// The merchant recorded that the myPOS account shows it.
    RecordedDone,
    /// The merchant recorded that the myPOS account does not show it.
    RecordedNotDone,
}

impl RefundEvent {
    /// Every event.
    pub const ALL: [Self; 7] = [
        Self::Approved,
        Self::TurnedDown,
        Self::AnsweredYes,
        Self::AnsweredNo,
        Self::Undecided,
        Self::RecordedDone,
        Self::RecordedNotDone,
    ];
}

/// Why an event changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The order is in a state in which this does not happen.
    OrderState,
    /// The payment was refused before: the gateway is told again to give the money back.
    PaymentRefused,
    /// The payment was reversed: nothing makes it paid again.
    PaymentReversed,
    /// The message contradicts what a verified message said before.
    Contradiction,
    /// A payment with refunds is not reversed.
    HasRefunds,
    /// Only a paid payment can be given back.
    NotPaid,
    /// The refund is in a state in which this does not happen.
    RefundState,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every pair of payment state and event, written out: S C F P R v V for the states in order, `!` for a refusal.
    #[test]
    fn the_payment_table_is_exactly_this() {
        let letter = |state| match state {
            PaymentState::Started => 'S',
            PaymentState::Cancelled => 'C',
            PaymentState::Failed => 'F',
            PaymentState::Paid => 'P',
            PaymentState::Refused => 'R',
            PaymentState::Reversing => 'v',
            PaymentState::Reversed => 'V',
        };
        let expected = [
            // S C F P R v V
            (PaymentEvent::Notify(Fit::Takes), "PPPP!v!"),
            (PaymentEvent::Notify(Fit::OrderTaken), "RRRP!v!"),
            (PaymentEvent::Notify(Fit::OtherMoney), "RRR!!!!"),
            (PaymentEvent::StatusPaid(Fit::Takes), "PPPPRv!"),
            (PaymentEvent::StatusPaid(Fit::OrderTaken), "RRRPRv!"),
            (PaymentEvent::StatusPaid(Fit::OtherMoney), "RRR!R!!"),
            (PaymentEvent::Cancel, "CCFPRvV"),
            (PaymentEvent::StatusUnsuccessful, "FCF!R!V"),
            (PaymentEvent::Rollback, "VVVVVVV"),
            (PaymentEvent::StatusReversed, "VVVVVVV"),
            (PaymentEvent::ReversalAsked { refunds: false }, "!!!v!!!"),
            (PaymentEvent::ReversalAsked { refunds: true }, "!!!!!!!"),
            (PaymentEvent::ReversalDone, "!!!V!VV"),
            (PaymentEvent::ReversalDeclined, "!!!P!P!"),
        ];
        assert_eq!(expected.map(|(event, _)| event), PaymentEvent::ALL);
        for (event, row) in expected {
            let actual: String =
                PaymentState::ALL.map(|state| state.on(event).map_or('!', letter)).into_iter().collect();
            assert_eq!(actual, row, "{event:?}");
        }
    }

    /// Every pair of order state and event: O A P C E R for the states in order.
    #[test]
    fn the_order_table_is_exactly_this() {
        let letter = |state| match state {
            OrderState::Open => 'O',
            OrderState::Awaiting => 'A',
            OrderState::Paid => 'P',
            OrderState::Cancelled => 'C',
            OrderState::Expired => 'E',
            OrderState::Refunded => 'R',
        };
        let expected = [
            (OrderEvent::PaymentPaid, "PP!!!!"),
            (OrderEvent::OwnMethodChosen, "AA!!!!"),
            (OrderEvent::MoneyRecorded, "!P!!!!"),
            (OrderEvent::Cancel, "CC!C!!"),
            (OrderEvent::Expire, "EE!!E!"),
            (OrderEvent::PaymentReversed, "!!O!!!"),
            (OrderEvent::AllGivenBack, "!!R!!R"),
        ];
        assert_eq!(expected.map(|(event, _)| event), OrderEvent::ALL);
        for (event, row) in expected {
            let actual: String =
                OrderState::ALL.map(|state| state.on(event).map_or('!', letter)).into_iter().collect();
            assert_eq!(actual, row, "{event:?}");
        }
    }

    /// Every pair of refund state and event: P r D R U for the states in order.
    #[test]
    fn the_refund_table_is_exactly_this() {
        let letter = |state| match state {
            RefundState::Proposed => 'P',
            RefundState::Reserved => 'r',
            RefundState::Done => 'D',
            RefundState::Refused => 'R',
            RefundState::Unknown => 'U',
        };
        let expected = [
            // P r D R U
            (RefundEvent::Approved, "r!!!!"),
            (RefundEvent::TurnedDown, "R!!!!"),
            (RefundEvent::AnsweredYes, "!DD!D"),
            (RefundEvent::AnsweredNo, "!R!RR"),
            (RefundEvent::Undecided, "!U!!U"),
            (RefundEvent::RecordedDone, "!!!!D"),
            (RefundEvent::RecordedNotDone, "!!!!R"),
        ];
        assert_eq!(expected.map(|(event, _)| event), RefundEvent::ALL);
        for (event, row) in expected {
            let actual: String =
                RefundState::ALL.map(|state| state.on(event).map_or('!', letter)).into_iter().collect();
            assert_eq!(actual, row, "{event:?}");
        }
    }

    #[test]
    fn a_refund_never_comes_back_from_done_or_refused() {
        for end in [RefundState::Done, RefundState::Refused] {
            for event in RefundEvent::ALL {
                assert!(end.on(event).is_err() || end.on(event) == Ok(end), "{event:?}");
            }
        }
    }

    #[test]
    fn paid_is_lost_only_to_a_reversal() {
        for event in PaymentEvent::ALL {
            if let Ok(next) = PaymentState::Paid.on(event) {
                assert!(next.holds_money() || next == PaymentState::Reversed, "{event:?}");
            }
        }
    }

    #[test]
    fn reversed_is_final() {
        for event in PaymentEvent::ALL {
            assert!(matches!(PaymentState::Reversed.on(event), Ok(PaymentState::Reversed) | Err(_)));
        }
    }

    #[test]
    fn an_order_takes_a_payment_exactly_where_one_makes_it_paid() {
        for state in OrderState::ALL {
            assert_eq!(state.takes_payment(), state.on(OrderEvent::PaymentPaid).is_ok());
        }
    }

    #[test]
    fn names_round_trip() {
        for state in OrderState::ALL {
            assert_eq!(OrderState::from_name(state.name()), Some(state));
        }
        for state in PaymentState::ALL {
            assert_eq!(PaymentState::from_name(state.name()), Some(state));
        }
        for state in RefundState::ALL {
            assert_eq!(RefundState::from_name(state.name()), Some(state));
        }
    }
}
