//! What the gateway remembers: payments with their history, and requests that it refused.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::faults::{Dice, Fault, Faults};

/// How many payments are remembered; the oldest goes first.
const MAX_PAYMENTS: usize = 1000;
/// How many refused requests are remembered.
const MAX_REFUSED: usize = 50;
/// How many lines the log of one payment has; more would not fit into one reply of the protocol.
const MAX_LOG: usize = 110;
/// How many attempts to deliver a message are kept with a payment.
const MAX_DELIVERIES: usize = 60;
/// How many declined attempts are kept with a payment; more would not fit into one reply.
const MAX_DECLINED: usize = 20;
/// How many refunds are kept with a payment.
pub(crate) const MAX_REFUNDS: usize = 500;

/// Appends, and drops the oldest beyond the limit.
fn push_bounded<T>(list: &mut VecDeque<T>, item: T, limit: usize) {
    while list.len() >= limit {
        list.pop_front();
    }
    list.push_back(item);
}

/// A line of the cart, as it was sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) article: String,
    pub(crate) quantity: String,
    pub(crate) amount: String,
}

/// What the shop, or the shopper on the payment page, says about the shopper.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Customer {
    pub(crate) email: String,
    pub(crate) phone: String,
    pub(crate) first_names: String,
    pub(crate) family_name: String,
    pub(crate) country: String,
    pub(crate) city: String,
    pub(crate) zip: String,
    pub(crate) address: String,
}

/// How much of the customer the shop hands over (`PaymentParametersRequired`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum CustomerData {
    /// 1: all of it, fixed.
    Given,
    /// 2: the shopper types it.
    Asked,
    /// 3: none.
    None,
}

/// The means of payment (`PaymentMethod`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Method {
    Card,
    Ideal,
    Satispay,
    Twint,
    Iris,
}

impl Method {
    /// Every method.
    pub(crate) const ALL: [Self; 5] = [Self::Card, Self::Ideal, Self::Satispay, Self::Twint, Self::Iris];

    /// The number in messages.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Card => "1",
            Self::Ideal => "2",
            Self::Satispay => "4",
            Self::Twint => "5",
            Self::Iris => "6",
        }
    }

    /// The name that shoppers know.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Card => "Card",
            Self::Ideal => "iDEAL",
            Self::Satispay => "Satispay",
            Self::Twint => "TWINT",
            Self::Iris => "IRIS",
        }
    }
}

/// An accepted purchase request: what the checks made of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The shop's name for it (`OrderID`).
    pub(crate) id: String,
    /// The amount as it was sent; every message echoes it.
    pub(crate) amount: String,
    pub(crate) minor: i64,
    pub(crate) currency: String,
    pub(crate) url_ok: String,
    pub(crate) url_cancel: String,
    pub(crate) url_notify: String,
    pub(crate) methods: Vec<Method>,
    pub(crate) customer_data: CustomerData,
    pub(crate) customer: Customer,
    pub(crate) note: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) expires_in_s: u32,
    /// What the real gateway would not take, in sentences.
    pub(crate) warnings: Vec<String>,
}

/// What has become of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// The shopper has the payment page, or could have it.
    Open,
    /// The shopper confirmed, and the shop is being told.
    Settling,
    Paid,
    Cancelled,
    Reversed,
}

/// How a payment stands, as status queries tell it (`PaymentStatus`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Pending,
    Paid,
    Unsuccessful,
    Reversed,
}

impl Status {
    /// The number in `PaymentStatus`.
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::Paid => "1",
            Self::Pending => "2",
            Self::Unsuccessful => "3",
            Self::Reversed => "4",
        }
    }

    /// The word for people and for the API.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Paid => "paid",
            Self::Unsuccessful => "unsuccessful",
            Self::Reversed => "reversed",
        }
    }
}

/// What the shopper paid with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Means {
    pub(crate) method: Method,
    /// The last four digits of the card.
    pub(crate) last4: Option<String>,
}

/// The gateway's names for a transaction, given when the shopper confirms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Transaction {
    pub(crate) trnref: String,
    pub(crate) stan: String,
    pub(crate) date_time: String,
    pub(crate) means: Means,
}

/// An attempt that the bank declined.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Declined {
    pub(crate) date_time: String,
    pub(crate) means: Means,
    pub(crate) code: String,
    pub(crate) reason: String,
}

/// Money that went back.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refund {
    pub(crate) order_id: String,
    pub(crate) minor: i64,
    pub(crate) at_ms: i64,
}

/// A line of the transaction log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LogLine {
    pub(crate) at_ms: i64,
    pub(crate) action: String,
    pub(crate) result: String,
}

/// What came of sending a message to the shop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Answer {
    /// HTTP 200 and exactly `OK`.
    Ok,
    /// Anything else that the shop said.
    NotOk {
        http_status: u16,
        /// The beginning of the body.
        body: String,
    },
    /// The shop could not be reached or did not answer in time.
    Failed { why: String },
    /// A fault swallowed the message.
    Lost,
}

impl Answer {
    /// The answer in a word or two.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NotOk { .. } => "not OK",
            Self::Failed { .. } => "no answer",
            Self::Lost => "lost",
        }
    }

    /// The answer in a sentence.
    pub(crate) fn says(&self) -> String {
        match self {
            Self::Ok => "OK".to_owned(),
            Self::NotOk { http_status, body } if body.is_empty() => {
                format!("HTTP {http_status} with an empty body, not OK")
            }
            Self::NotOk { http_status, body } => format!("HTTP {http_status}, body {body:?}, not exactly OK"),
            Self::Failed { why } => format!("no answer: {why}"),
            Self::Lost => "lost on purpose before it was sent".to_owned(),
        }
    }
}

/// An attempt to send a message to the shop.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Delivery {
    pub(crate) at_ms: i64,
    pub(crate) method: String,
    #[serde(flatten)]
    pub(crate) answer: Answer,
}

/// A Rollback that the shop has yet to answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PendingRollback {
    pub(crate) due_ms: i64,
    pub(crate) attempts: u32,
}

/// A payment from its request on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Payment {
    /// The secret part of the payment page's address.
    pub(crate) session: String,
    pub(crate) order: Order,
    pub(crate) created_ms: i64,
    pub(crate) stage: Stage,
    pub(crate) transaction: Option<Transaction>,
    pub(crate) declined: VecDeque<Declined>,
    pub(crate) refunds: Vec<Refund>,
    pub(crate) rollback: Option<PendingRollback>,
    pub(crate) log: VecDeque<LogLine>,
    pub(crate) deliveries: VecDeque<Delivery>,
    pub(crate) faults: Faults,
}

impl Payment {
    /// A payment that was just accepted.
    pub(crate) fn new(session: String, order: Order, now_ms: i64) -> Self {
        Self {
            session,
            order,
            created_ms: now_ms,
            stage: Stage::Open,
            transaction: None,
            declined: VecDeque::new(),
            refunds: Vec::new(),
            rollback: None,
            log: VecDeque::new(),
            deliveries: VecDeque::new(),
            faults: Faults::default(),
        }
    }

    /// When the payment page stops taking payments.
    pub(crate) fn expires_ms(&self) -> i64 {
        self.created_ms.saturating_add(i64::from(self.order.expires_in_s).saturating_mul(1000))
    }

    /// How the payment stands at that time.
    pub(crate) fn status(&self, now_ms: i64) -> Status {
        match self.stage {
            Stage::Open if now_ms >= self.expires_ms() => Status::Unsuccessful,
            Stage::Open | Stage::Settling => Status::Pending,
            Stage::Paid => Status::Paid,
            Stage::Cancelled => Status::Unsuccessful,
            Stage::Reversed => Status::Reversed,
        }
    }

    /// What was refunded in all.
    pub(crate) fn refunded(&self) -> i64 {
        self.refunds.iter().fold(0, |sum, refund| sum.saturating_add(refund.minor))
    }

    /// Adds a line to the log.
    pub(crate) fn note(&mut self, now_ms: i64, action: impl Into<String>, result: impl Into<String>) {
        let line = LogLine { at_ms: now_ms, action: action.into(), result: result.into() };
        push_bounded(&mut self.log, line, MAX_LOG);
    }

    /// Keeps an attempt to deliver a message.
    pub(crate) fn record(&mut self, delivery: Delivery) {
        push_bounded(&mut self.deliveries, delivery, MAX_DELIVERIES);
    }

    /// Keeps a declined attempt.
    pub(crate) fn decline(&mut self, declined: Declined) {
        push_bounded(&mut self.declined, declined, MAX_DECLINED);
    }
}

/// A purchase request that was refused: no payment came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Refused {
    pub(crate) at_ms: i64,
    pub(crate) method: String,
    pub(crate) order_id: String,
    pub(crate) code: u32,
    pub(crate) detail: String,
}

/// Everything that the gateway remembers.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct State {
    payments: VecDeque<Payment>,
    refused: VecDeque<Refused>,
    last_trnref: i64,
    last_stan: u32,
    /// The faults that apply to every payment. A restart begins without.
    #[serde(skip)]
    pub(crate) faults: Faults,
    #[serde(skip)]
    pub(crate) dice: Dice,
}

impl State {
    /// The payments, the oldest first.
    pub(crate) fn payments(&self) -> impl DoubleEndedIterator<Item = &Payment> {
        self.payments.iter()
    }

    /// The payments, to be changed.
    pub(crate) fn payments_mut(&mut self) -> impl Iterator<Item = &mut Payment> {
        self.payments.iter_mut()
    }

    /// The refused requests, the oldest first.
    pub(crate) fn refused(&self) -> impl DoubleEndedIterator<Item = &Refused> {
        self.refused.iter()
    }

    pub(crate) fn by_order_id(&self, order_id: &str) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.order.id == order_id)
    }

    pub(crate) fn by_order_id_mut(&mut self, order_id: &str) -> Option<&mut Payment> {
        self.payments.iter_mut().find(|payment| payment.order.id == order_id)
    }

    pub(crate) fn by_session(&self, session: &str) -> Option<&Payment> {
        self.payments.iter().find(|payment| payment.session == session)
    }

    pub(crate) fn by_session_mut(&mut self, session: &str) -> Option<&mut Payment> {
        self.payments.iter_mut().find(|payment| payment.session == session)
    }

    /// The payment whose transaction has that reference.
    pub(crate) fn by_trnref(&self, trnref: &str) -> Option<&Payment> {
        self.payments.iter().find(|payment| {
            payment.transaction.as_ref().is_some_and(|transaction| transaction.trnref == trnref)
        })
    }

    /// Whether a refund had that order id, and whose.
    pub(crate) fn is_refund_order_id(&self, order_id: &str) -> bool {
        self.payments.iter().any(|payment| payment.refunds.iter().any(|refund| refund.order_id == order_id))
    }

    /// Takes a new payment in. One with the same order id gives way: the checks let it pass before.
    pub(crate) fn insert(&mut self, payment: Payment) {
        self.payments.retain(|known| known.order.id != payment.order.id);
        push_bounded(&mut self.payments, payment, MAX_PAYMENTS);
    }

    /// Remembers a refused request.
    pub(crate) fn refuse(&mut self, refused: Refused) {
        push_bounded(&mut self.refused, refused, MAX_REFUSED);
    }

    /// A new transaction. References grow with the time, so that they stay unique when the folder of the
    /// sandbox is deleted and the shop remembers the old ones.
    pub(crate) fn new_transaction(&mut self, now_ms: i64, means: Means) -> Transaction {
        self.last_trnref = self.last_trnref.saturating_add(1).max(now_ms);
        self.last_stan = self.last_stan % 999_999 + 1;
        Transaction {
            trnref: self.last_trnref.to_string(),
            stan: format!("{:06}", self.last_stan),
            date_time: crate::timestamp::date_time(now_ms),
            means,
        }
    }

    /// Whether a fault happens to this payment now, and with which number. The payment's own switches come
    /// before those for all.
    pub(crate) fn fires(&mut self, order_id: &str, fault: Fault) -> Option<u64> {
        let Self { payments, faults, dice, .. } = self;
        payments
            .iter_mut()
            .find(|payment| payment.order.id == order_id)
            .and_then(|payment| payment.faults.fires(fault, dice))
            .or_else(|| faults.fires(fault, dice))
    }
}
