//! What is stored of orders, payments and events.

use domain::{Customer, Language, Money, MoneyError, OrderState, PaymentMethod, PaymentState, RefundState};
use serde::{Deserialize, Serialize};

use crate::token::Hash;

/// Whether money is real. Stored with each order; the two never mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// A test gateway or the sandbox.
    Test,
    /// The real one.
    Live,
}

impl Mode {
    /// The name in the database and the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::Live => "live",
        }
    }

    /// The mode of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Test, Self::Live].into_iter().find(|mode| mode.name() == name)
    }
}

/// What a line of an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// An article.
    Item,
    /// The delivery.
    Delivery,
    /// A discount: a negative unit price.
    Discount,
}

/// A line of an order, frozen when it is placed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OrderLine {
    /// What it is.
    pub kind: LineKind,
    /// The article's number, or the delivery's id.
    pub sku: String,
    /// The name, in the order's language, as it was signed.
    pub name: String,
    /// Path or URL of the picture; may be empty.
    pub image: String,
    /// How many, at least 1.
    pub quantity: u32,
    /// The price of one, VAT included.
    pub unit: Money,
    /// The VAT rate in basis points.
    pub vat_bp: u32,
}

impl OrderLine {
    /// Quantity times unit price.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.unit.times(self.quantity)
    }
}

/// The number of an order in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OrderId(pub i64);

/// The number of a payment in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PaymentId(pub i64);

/// The number of a refund in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RefundId(pub i64);

/// What is known of an order before it has a number.
#[derive(Clone, Debug)]
pub struct NewOrder {
    /// The reference that people use: `TG-7K3M-9QXA`.
    pub reference: String,
    /// Whether its money is real.
    pub mode: Mode,
    /// The hash of the cart's random id: one cart pays one order.
    pub cart: Hash,
    /// The hash of what is bought, by whom, at which price, and what the storefront said.
    pub content: Hash,
    /// The lines.
    pub lines: Vec<OrderLine>,
    /// The delivery's id.
    pub delivery: String,
    /// The sum of the lines.
    pub total: Money,
    /// Who buys.
    pub customer: Customer,
    /// The language of the order.
    pub language: Language,
    /// The day on which it is placed, in the shop's time zone: days since 1970-01-01.
    pub day: i64,
    /// What the storefront said about it that placed it.
    pub storefront: Storefront,
}

/// What a storefront of its own said about an order; everything is empty for orders of our own pages. Frozen
/// with the order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Storefront {
    /// The signed quote that priced it: its id's hash.
    pub quote: Option<Hash>,
    /// Its own number for the order; may be empty.
    pub reference: String,
    /// Where the shopper goes when all is done: an address of a listed origin; may be empty.
    pub return_url: String,
}

/// An order.
#[derive(Clone, Debug)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// Where it stands.
    pub state: OrderState,
    /// The method that was chosen last.
    pub method: PaymentMethod,
    /// When it was placed, milliseconds since 1970.
    pub placed_at_ms: i64,
    /// How much of its money went back, in minor units.
    pub refunded_minor: i64,
    /// Since when a person has to look at it.
    pub attention_since_ms: Option<i64>,
    /// What it consists of.
    pub new: NewOrder,
}

/// What is known of a payment before it has a number.
#[derive(Clone, Debug)]
pub struct NewPayment {
    /// The `OrderID` that the gateway knows it by, used once.
    pub gateway_order_id: String,
    /// The configured store that it goes to.
    pub store: String,
    /// The index of the key that signed its form.
    pub key_index: u32,
    /// How the shopper pays.
    pub method: PaymentMethod,
    /// What was asked for.
    pub money: Money,
    /// The signed form, byte for byte.
    pub form: HandoverForm,
    /// The hash of the token of its hand-over page.
    pub handoff: Hash,
    /// The salt that the token was derived with.
    pub salt: [u8; 16],
    /// When its payment page ends, milliseconds since 1970.
    pub expires_at_ms: i64,
}

/// The form that the browser posts to the gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandoverForm {
    /// The gateway's address.
    pub action: String,
    /// Names and values in the order in which they were signed, the signature last.
    pub fields: Vec<(String, String)>,
}

/// A payment: one attempt to pay an order.
#[derive(Clone, Debug)]
pub struct Payment {
    /// Its number.
    pub id: PaymentId,
    /// The order that it pays.
    pub order: OrderId,
    /// The `OrderID` that the gateway knows it by.
    pub gateway_order_id: String,
    /// The configured store that it went to.
    pub store: String,
    /// How the shopper pays.
    pub method: PaymentMethod,
    /// What was asked for.
    pub money: Money,
    /// Where it stands.
    pub state: PaymentState,
    /// Since when it stands there.
    pub state_since_ms: i64,
    /// The gateway's reference (`IPC_Trnref`), once it is known.
    pub trnref: Option<String>,
    /// When its form was made.
    pub started_at_ms: i64,
    /// When its payment page ends.
    pub expires_at_ms: i64,
    /// When the shopper came back by `/mypos/ok`.
    pub returned_at_ms: Option<i64>,
    /// When a status reply said "paid" for the first time, where no Notify did.
    pub status_paid_at_ms: Option<i64>,
    /// Whether "paid" is beyond doubt: a Notify, or two status replies.
    pub confirmed: bool,
    /// Whether it was confirmed once, and a Cancel has contradicted that since.
    pub doubted: bool,
    /// When the gateway is asked about it next.
    pub next_ask_at_ms: Option<i64>,
    /// How many questions in a row had no answer that decides.
    pub unanswered: u32,
}

impl Payment {
    /// Whether "paid" was beyond doubt once. A doubt alone takes nothing back of what was told then.
    pub fn was_confirmed(&self) -> bool {
        self.confirmed || self.doubted
    }
}

/// Something that happened to an order. Append-only.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// What happened.
    pub kind: EventKind,
    /// What else is known about it, without personal data.
    pub detail: String,
    /// The raw body of the gateway's message, where one was the cause.
    pub raw: Option<String>,
}

/// An event as it is stored.
#[derive(Clone, Debug)]
pub struct Event {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The payment it is about, if any.
    pub payment: Option<PaymentId>,
    /// What happened.
    pub what: NewEvent,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EventKind {
    /// The order was placed.
    OrderPlaced,
    /// Another order of the same cart took this one's place.
    OrderSuperseded,
    /// The shopper chose one of the merchant's own methods.
    OwnMethodChosen,
    /// Nobody paid in time.
    OrderExpired,
    /// A payment was started.
    PaymentStarted,
    /// The gateway notified us of a payment, and it was taken.
    Notified,
    /// The gateway notified us of a payment that was not taken; it has to give the money back.
    NotifyRefused,
    /// The same notification came again.
    NotifyRepeated,
    /// The shopper came back by `/mypos/ok`.
    Returned,
    /// The shopper came back by `/mypos/cancel`.
    Cancelled,
    /// The gateway told us that it gave the money back.
    RolledBack,
    /// A status reply said paid.
    StatusPaid,
    /// A status reply said paid, again.
    StatusConfirmed,
    /// A status reply said paid, but the payment cannot be taken.
    StatusRefused,
    /// A status reply said that nothing was paid.
    StatusUnsuccessful,
    /// A status reply said reversed.
    StatusReversed,
    /// An attempt on the payment page was declined.
    Declined,
    /// A verified message contradicts what another one said. A person has to look.
    Contradiction,
    /// A verified message about an order that nobody knows. A person has to look.
    UnknownMessage,
    /// The merchant cancelled an order that was not paid.
    CancelledByMerchant,
    /// The merchant recorded money that came in by one of his own methods.
    MoneyReceived,
    /// The merchant looked at what needed a person.
    LookedAt,
    /// The gateway was asked to undo a whole payment.
    ReversalAsked,
    /// It did.
    ReversalDone,
    /// It refused to.
    ReversalDeclined,
    /// Nobody knows what became of a reversal. A person has to look.
    ReversalUnknown,
    /// A refund was proposed and waits for a second person.
    RefundProposed,
    /// A second person turned a proposed refund down.
    RefundTurnedDown,
    /// A refund that was made elsewhere was recorded: in the myPOS account, by a chargeback, or by hand.
    RefundRecorded,
    /// A refund was reserved.
    RefundReserved,
    /// The gateway did the refund.
    RefundDone,
    /// The gateway refused the refund.
    RefundRefused,
    /// Nobody knows what became of a refund. A person has to look.
    RefundUnknown,
}

impl EventKind {
    /// Every kind.
    pub const ALL: [Self; 33] = [
        Self::OrderPlaced,
        Self::OrderSuperseded,
        Self::OwnMethodChosen,
        Self::OrderExpired,
        Self::PaymentStarted,
        Self::Notified,
        Self::NotifyRefused,
        Self::NotifyRepeated,
        Self::Returned,
        Self::Cancelled,
        Self::RolledBack,
        Self::StatusPaid,
        Self::StatusConfirmed,
        Self::StatusRefused,
        Self::StatusUnsuccessful,
        Self::StatusReversed,
        Self::Declined,
        Self::Contradiction,
        Self::UnknownMessage,
        Self::CancelledByMerchant,
        Self::MoneyReceived,
        Self::LookedAt,
        Self::ReversalAsked,
        Self::ReversalDone,
        Self::ReversalDeclined,
        Self::ReversalUnknown,
        Self::RefundProposed,
        Self::RefundTurnedDown,
        Self::RefundRecorded,
        Self::RefundReserved,
        Self::RefundDone,
        Self::RefundRefused,
        Self::RefundUnknown,
    ];

    /// The name in the database.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OrderPlaced => "order_placed",
            Self::OrderSuperseded => "order_superseded",
            Self::OwnMethodChosen => "own_method_chosen",
            Self::OrderExpired => "order_expired",
            Self::PaymentStarted => "payment_started",
            Self::Notified => "notified",
            Self::NotifyRefused => "notify_refused",
            Self::NotifyRepeated => "notify_repeated",
            Self::Returned => "returned",
            Self::Cancelled => "cancelled",
            Self::RolledBack => "rolled_back",
            Self::StatusPaid => "status_paid",
            Self::StatusConfirmed => "status_confirmed",
            Self::StatusRefused => "status_refused",
            Self::StatusUnsuccessful => "status_unsuccessful",
            Self::StatusReversed => "status_reversed",
            Self::Declined => "declined",
            Self::Contradiction => "contradiction",
            Self::UnknownMessage => "unknown_message",
            Self::CancelledByMerchant => "cancelled_by_merchant",
            Self::MoneyReceived => "money_received",
            Self::LookedAt => "looked_at",
            Self::ReversalAsked => "reversal_asked",
            Self::ReversalDone => "reversal_done",
            Self::ReversalDeclined => "reversal_declined",
            Self::ReversalUnknown => "reversal_unknown",
            Self::RefundProposed => "refund_proposed",
            Self::RefundTurnedDown => "refund_turned_down",
            Self::RefundRecorded => "refund_recorded",
            Self::RefundReserved => "refund_reserved",
            Self::RefundDone => "refund_done",
            Self::RefundRefused => "refund_refused",
            Self::RefundUnknown => "refund_unknown",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether a person has to look at the order because of it.
    pub fn needs_a_person(self) -> bool {
        Self::FOR_A_PERSON.contains(&self)
    }

    /// What a person has to look at.
    pub(crate) const FOR_A_PERSON: [Self; 3] =
        [Self::Contradiction, Self::RefundUnknown, Self::ReversalUnknown];
}

/// How money went back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefundKind {
    /// We asked the gateway (`IPCRefund`).
    Gateway,
    /// Somebody made it in the myPOS account.
    Account,
    /// The shopper's bank took it back.
    Chargeback,
    /// By the merchant's own means: of money that came in without the gateway.
    Hand,
}

impl RefundKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Gateway, Self::Account, Self::Chargeback, Self::Hand];

    /// The name in the database and in forms.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Account => "account",
            Self::Chargeback => "chargeback",
            Self::Hand => "hand",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A refund.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// Its number.
    pub id: RefundId,
    /// The order whose money goes back.
    pub order: OrderId,
    /// The payment that it is made from; `None` for money that the merchant received himself.
    pub payment: Option<PaymentId>,
    /// How it was made.
    pub kind: RefundKind,
    /// Its own `OrderID` at the gateway, for [`RefundKind::Gateway`].
    pub gateway_order_id: Option<String>,
    /// The hash of the idempotency key of the press that asked for it.
    pub key: Option<Hash>,
    /// How much.
    pub money: Money,
    /// Why, in the merchant's words.
    pub reason: String,
    /// Where it stands.
    pub state: RefundState,
    /// Who asked for it.
    pub asked_by: String,
    /// When, milliseconds since 1970.
    pub made_at_ms: i64,
    /// When it was settled.
    pub settled_at_ms: Option<i64>,
    /// What decided it: the gateway's code and its name, or who recorded what.
    pub answer: String,
}

/// Money that the merchant recorded as received by one of his own methods.
#[derive(Clone, Debug)]
pub struct Receipt {
    /// How much.
    pub money: Money,
    /// In the merchant's words.
    pub note: String,
    /// Who recorded it.
    pub recorded_by: String,
    /// When, milliseconds since 1970.
    pub recorded_at_ms: i64,
}
