//! The merchant's half of the store: transactions, money that goes back, people, and who did what.

use async_trait::async_trait;
use domain::{Currency, Money, OrderState, PaymentMethod, RefundEvent, RefundState, Refusal};

use super::outbox::Webhook;
use super::{Applied, OrderFile, StoreError};
use crate::people::{Action, Actor, AuditEntry, Role, User, UserId};
use crate::records::{Mode, OrderId, PaymentId, Receipt, Refund, RefundId, RefundKind};
use crate::rules::Cause;
use crate::timing::Timing;
use crate::token::Hash;

/// Which orders a list shows. An empty list of states or methods means all of them.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Test and live never mix.
    pub mode: Mode,
    /// Where they stand.
    pub states: Vec<OrderState>,
    /// How they are paid.
    pub methods: Vec<PaymentMethod>,
    /// Placed on this day or later: days since 1970, in the shop's time zone.
    pub from_day: Option<i64>,
    /// Placed on this day or earlier.
    pub to_day: Option<i64>,
    /// Only those that one of these finds; all where empty.
    pub search: Vec<Search>,
    /// Only those that a person has to look at.
    pub attention: bool,
}

impl Filter {
    /// All orders of a mode.
    pub fn all(mode: Mode) -> Self {
        Self {
            mode,
            states: Vec::new(),
            methods: Vec::new(),
            from_day: None,
            to_day: None,
            search: Vec::new(),
            attention: false,
        }
    }
}

/// What somebody looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Search {
    /// The reference that people use.
    Reference(String),
    /// The number that a storefront gave its order.
    Storefront(String),
    /// The gateway's reference (`IPC_Trnref`), or a payment's or refund's `OrderID`.
    Gateway(String),
    /// The beginning of the e-mail address, of the name or of the family name, as [`crate::search::found_by`]
    /// writes it.
    Person(String),
    /// What an order costs, in minor units.
    Amount(i64),
}

/// How many orders a search finds at most: beyond that it has to be narrowed.
pub const SEARCH_LIMIT: u32 = 10_000;

/// A place in the list, which is sorted by day and number, newest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// The order's day.
    pub day: i64,
    /// The order's number.
    pub id: OrderId,
}

/// Where a page of the list begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// With the newest.
    Newest,
    /// With the next older one.
    OlderThan(Cursor),
    /// So that it ends with the next newer one.
    NewerThan(Cursor),
}

/// A row of the list.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Its place.
    pub cursor: Cursor,
    /// The reference that people use.
    pub reference: String,
    /// When it was placed, milliseconds since 1970.
    pub placed_at_ms: i64,
    /// Where it stands.
    pub state: OrderState,
    /// How it is paid.
    pub method: PaymentMethod,
    /// What it costs.
    pub total: Money,
    /// How much of it went back, in minor units.
    pub refunded_minor: i64,
    /// Who bought.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// The gateway's reference of the payment that holds the money, or of the last one that had any.
    pub trnref: String,
    /// The number that a storefront gave it; may be empty.
    pub shop_reference: String,
    /// Where its shopper is led home to; may be empty.
    pub return_url: String,
    /// Whether a person has to look at it.
    pub attention: bool,
}

/// A page of the list, newest first.
#[derive(Clone, Debug)]
pub struct TransactionPage {
    /// Its rows.
    pub rows: Vec<Transaction>,
    /// Whether there are newer ones.
    pub has_newer: bool,
    /// Whether there are older ones.
    pub has_older: bool,
}

/// The sums of what is filtered, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Total {
    /// Of this currency.
    pub currency: Currency,
    /// How many orders.
    pub orders: i64,
    /// What they cost together, in minor units.
    pub total_minor: i64,
    /// How much of it went back.
    pub refunded_minor: i64,
}

/// The sums of what is filtered.
#[derive(Clone, Debug)]
pub struct Totals {
    /// One for each currency in which there are any.
    pub by_currency: Vec<Total>,
    /// Whether a search found more than [`SEARCH_LIMIT`], and the sums are those of a part.
    pub is_cut: bool,
}

/// A verified message about an order that nobody knows.
#[derive(Clone, Debug)]
pub struct UnknownMessage {
    /// Its number.
    pub id: i64,
    /// When it came, milliseconds since 1970.
    pub at_ms: i64,
    /// As it came.
    pub raw: String,
}

/// Everything about one order.
#[derive(Clone, Debug)]
pub struct OrderRecord {
    /// The order and its payments.
    pub file: OrderFile,
    /// Its refunds, oldest first.
    pub refunds: Vec<Refund>,
    /// The money that the merchant received himself, oldest first.
    pub receipts: Vec<Receipt>,
    /// Who did what to it, oldest first.
    pub audit: Vec<AuditEntry>,
    /// What the merchant's systems are told about it, oldest first.
    pub webhooks: Vec<Webhook>,
}

impl OrderRecord {
    /// What the merchant received himself, in all, whatever of it went back.
    pub fn received_minor(&self) -> i64 {
        self.receipts.iter().fold(0, |sum, receipt| sum.saturating_add(receipt.money.minor))
    }

    /// What can still be refunded of a payment, or of the receipts.
    pub fn left_minor(&self, payment: Option<PaymentId>) -> i64 {
        let had = match payment {
            Some(id) => self
                .file
                .payments
                .iter()
                .find(|payment| payment.id == id)
                .map_or(0, |payment| payment.money.minor),
            None => self.received_minor(),
        };
        let of_it = self.refunds.iter().filter(|refund| refund.payment == payment && refund.state.counts());
        of_it.fold(had, |left, refund| left.saturating_sub(refund.money.minor))
    }
}

/// A refund that the gateway is to be asked for.
#[derive(Clone, Debug)]
pub struct NewRefund {
    /// The payment it gives back from.
    pub payment: PaymentId,
    /// Its own `OrderID` at the gateway, used once.
    pub gateway_order_id: String,
    /// The hash of the idempotency key of the press that asked for it.
    pub key: Option<Hash>,
    /// How much.
    pub money: Money,
    /// Why, in words for the merchant.
    pub reason: String,
    /// Who asks.
    pub actor: Actor,
    /// The signed request, as it is sent.
    pub request: String,
    /// Where all refunds of the payment together come to more than this, a second person has to approve.
    pub approval_above_minor: Option<i64>,
}

/// Whether a refund's amount could be set aside, or what was made elsewhere be recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// It is set aside: ask the gateway. Or it is recorded: all is done.
    Yes(Box<Refund>),
    /// It is set aside, and waits for a second person.
    Proposed(RefundId),
    /// The same press came before.
    Repeated(RefundId),
    /// The key was used for another refund.
    KeyReused,
    /// Less than that is left to be refunded, or the payment is not in a state that allows it.
    No,
}

/// A refund that was made without us, and is recorded as done.
#[derive(Clone, Debug)]
pub struct RecordedRefund {
    /// The order.
    pub order: OrderId,
    /// The payment; `None` for [`RefundKind::Hand`].
    pub payment: Option<PaymentId>,
    /// How it was made; not [`RefundKind::Gateway`].
    pub kind: RefundKind,
    /// The hash of the idempotency key of the press that recorded it.
    pub key: Hash,
    /// How much.
    pub money: Money,
    /// Why, in words for the merchant.
    pub reason: String,
    /// Who records it.
    pub actor: Actor,
}

/// What becomes of a refund, and who or what says so.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// What happened.
    pub event: RefundEvent,
    /// What decided it.
    pub detail: String,
    /// The raw body of the gateway's answer.
    pub raw: Option<String>,
    /// Who did it, where it was a person.
    pub actor: Option<Actor>,
}

/// What came of an approval.
#[derive(Clone, Debug)]
pub enum Approved {
    /// The gateway is to be asked now.
    Yes(Box<Refund>),
    /// Whoever asked for a refund does not approve it.
    OwnProposal,
    /// There is no such proposal, or not any more.
    NotProposed,
    /// The payment's money is not there any more.
    DoesNotFit,
}

/// Money that the merchant received by one of his own methods.
#[derive(Clone, Debug)]
pub struct NewReceipt {
    /// The order.
    pub order: OrderId,
    /// How much.
    pub money: Money,
    /// The hash of the idempotency key of the press that recorded it.
    pub key: Hash,
    /// In the merchant's words.
    pub note: String,
    /// Whether the order counts as paid although less came in.
    pub settles: bool,
    /// Who records it.
    pub actor: Actor,
}

/// What is known of a user before they have a number.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// The e-mail address, in small letters.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// The password's hash, in its PHC text form.
    pub password: String,
}

/// What is needed to check a sign-in.
#[derive(Clone)]
pub struct Credentials {
    /// Whose.
    pub user: User,
    /// The password's hash.
    pub password: String,
    /// The secret of the second factor.
    pub totp_secret: Option<Vec<u8>>,
}

/// What changes of a user.
#[derive(Clone)]
pub enum UserChange {
    /// Another password; every session ends, but for the one with this hash.
    Password {
        /// The new one's hash, in its PHC text form.
        password: String,
        /// The session that goes on.
        keep: Option<Hash>,
    },
    /// Another change, if the password's hash is still this one and the user is not shut out: what was allowed
    /// by a password that was replaced meanwhile is not done.
    IfPassword(String, Box<UserChange>),
    /// Another role.
    Role(Role),
    /// Shut out (every session ends), or let in again.
    Disabled(bool),
    /// A second factor, with the time step of the code that showed it, or none.
    SecondFactor(Option<(Vec<u8>, u64)>),
}

/// What let somebody in.
#[derive(Clone)]
pub enum Entrance {
    /// The password whose hash this was when it was checked.
    Password(String),
    /// The code that the session with this hash waited for; it ends.
    Code(Hash),
}

/// A guess that was counted.
#[derive(Clone, Debug)]
pub struct CountedGuess(pub(crate) Vec<i64>);

/// A session as it is stored.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose.
    pub user: User,
    /// Whether the second factor was given, or is not asked for.
    pub is_complete: bool,
}

/// The merchant's half of the store. Each method is one transaction; what a person does is written to the
/// audit log in the same one.
#[async_trait]
pub trait MerchantStore: Send + Sync + 'static {
    /// A page of the list of orders.
    async fn transactions(
        &self,
        filter: Filter,
        from: From,
        limit: u32,
    ) -> Result<TransactionPage, StoreError>;

    /// The sums of what is filtered.
    async fn totals(&self, filter: Filter) -> Result<Totals, StoreError>;

    /// Verified messages about orders that nobody knows and that nobody has looked at, newest first.
    async fn unknown_messages(&self, limit: u32) -> Result<Vec<UnknownMessage>, StoreError>;

    /// Notes that a person has looked at such a message. `false` where there is none to be looked at.
    async fn message_seen(&self, message: i64, actor: Actor, now_ms: i64) -> Result<bool, StoreError>;

    /// Everything about the order with a reference.
    async fn order_record(&self, reference: &str) -> Result<Option<OrderRecord>, StoreError>;

    /// Everything about the order of a payment.
    async fn order_record_of(&self, payment: PaymentId) -> Result<Option<OrderRecord>, StoreError>;

    /// A refund.
    async fn refund(&self, refund: RefundId) -> Result<Option<Refund>, StoreError>;

    /// Sets a refund's amount aside. The database itself refuses more than is left.
    async fn reserve_refund(&self, refund: NewRefund, now_ms: i64) -> Result<Reserved, StoreError>;

    /// Settles a refund. Where all of the order's money went back, the order is refunded. What a person has
    /// to look at is raised. The next state, or why nothing changed.
    async fn settle_refund(
        &self,
        refund: RefundId,
        settlement: Settlement,
        now_ms: i64,
    ) -> Result<Result<RefundState, Refusal>, StoreError>;

    /// Approves a proposed refund; `request` is what is about to be sent.
    async fn approve_refund(
        &self,
        refund: RefundId,
        actor: Actor,
        request: String,
        now_ms: i64,
    ) -> Result<Approved, StoreError>;

    /// Records a refund that was made elsewhere.
    async fn record_refund(&self, refund: RecordedRefund, now_ms: i64) -> Result<Reserved, StoreError>;

    /// Makes refunds unknown that were reserved before an instant and never settled: whoever reserved them
    /// is gone. Each is raised. Returns how many.
    async fn abandon_refunds(&self, reserved_before_ms: i64, now_ms: i64) -> Result<u32, StoreError>;

    /// Notes that nobody knows what became of reversals that were asked for before an instant and never
    /// answered: whoever asked is gone. Each is raised, once. Returns how many.
    async fn abandon_reversals(
        &self,
        asked_before_ms: i64,
        now_ms: i64,
        timing: &Timing,
    ) -> Result<u32, StoreError>;

    /// Applies something that a person decided to a payment, with [`crate::rules::decide`].
    async fn apply_by(
        &self,
        payment: PaymentId,
        cause: Cause,
        raw: Option<String>,
        by: Option<(Actor, Action)>,
        now_ms: i64,
        timing: &Timing,
    ) -> Result<Option<Applied>, StoreError>;

    /// Records money that came in for an order. Where the order does not wait for it, it stays as it is and a
    /// person has to look. The order's next state, or why not.
    async fn record_receipt(
        &self,
        receipt: NewReceipt,
        now_ms: i64,
    ) -> Result<Result<OrderState, Refusal>, StoreError>;

    /// Cancels an order that is not paid.
    async fn cancel_order(
        &self,
        order: OrderId,
        actor: Actor,
        now_ms: i64,
    ) -> Result<Result<(), Refusal>, StoreError>;

    /// Notes that a person has looked at an order, who was shown so many events that need one. `false`, and nothing is
    /// noted, where there are more by now.
    async fn looked_at(
        &self,
        order: OrderId,
        shown: u32,
        actor: Actor,
        now_ms: i64,
    ) -> Result<bool, StoreError>;

    /// Adds to the audit log.
    async fn audit(
        &self,
        actor: Actor,
        action: Action,
        detail: String,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// The audit log, newest first, from the entry before `before`.
    async fn audit_log(&self, before: Option<i64>, limit: u32) -> Result<Vec<AuditEntry>, StoreError>;

    /// Makes a user; `false` where the e-mail address has one.
    async fn add_user(&self, user: NewUser, actor: Actor, now_ms: i64) -> Result<bool, StoreError>;

    /// Every user, by e-mail address.
    async fn users(&self) -> Result<Vec<User>, StoreError>;

    /// A user's credentials.
    async fn credentials(&self, email: &str) -> Result<Option<Credentials>, StoreError>;

    /// Changes a user; `false` where there is none.
    async fn change_user(
        &self,
        email: &str,
        change: UserChange,
        actor: Actor,
        now_ms: i64,
    ) -> Result<bool, StoreError>;

    /// Uses up the time step of a code; `false` where it, or a later one, was used before.
    async fn use_totp_step(&self, user: UserId, step: u64) -> Result<bool, StoreError>;

    /// Begins a session, if what let somebody in still holds. Whether it is complete, or waits for a code.
    async fn open_session(
        &self,
        session: Hash,
        user: UserId,
        entrance: Entrance,
        actor: Actor,
        now_ms: i64,
    ) -> Result<Option<bool>, StoreError>;

    /// The session of a hash, if it was used since `used_since_ms` and began since `made_since_ms`, and its
    /// user is not shut out. Notes that it was used.
    async fn session(
        &self,
        session: Hash,
        used_since_ms: i64,
        made_since_ms: i64,
        now_ms: i64,
    ) -> Result<Option<Session>, StoreError>;

    /// Ends a session, and forgets those that were last used before an instant.
    async fn end_session(
        &self,
        session: Hash,
        used_before_ms: i64,
        actor: Option<Actor>,
        now_ms: i64,
    ) -> Result<(), StoreError>;

    /// Counts a guess as wrong before it is looked at, for each key, unless one of them had as many since
    /// an instant as it may: `None`. (However many come at once, no more are looked at.) What is older is
    /// forgotten.
    async fn count_guess(
        &self,
        keys: Vec<(Hash, u32)>,
        since_ms: i64,
        now_ms: i64,
    ) -> Result<Option<CountedGuess>, StoreError>;

    /// The guess was right: it is not counted.
    async fn forget_guess(&self, guess: CountedGuess) -> Result<(), StoreError>;
}
