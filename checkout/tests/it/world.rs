//! Orders, payments and messages for the tests, each with names of its own.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use checkout::people::Actor;
use checkout::records::{
    Event, EventKind, HandoverForm, LineKind, Mode, NewOrder, NewPayment, OrderId, OrderLine, Payment,
    PaymentId, RefundId, Storefront,
};
use checkout::rules::Cause;
use checkout::store::merchant::Settlement;
use checkout::store::{
    Applied, KeyClaim, Lease, NewRefund, OrderFile, OrderToPay, Placed, Placement, Reserved, Store,
    StoreError,
};
use checkout::timing::Timing;
use checkout::token::Hash;
use domain::{
    Currency, Customer, Details, Language, Money, PaymentMethod, RefundEvent, RefundState, Refusal,
};
use tokio::sync::Barrier;

pub type Shared = Arc<dyn Store>;

/// When every test begins.
pub const NOW: i64 = 1_800_000_000_000;
pub const SECOND: i64 = 1_000;
pub const MINUTE: i64 = 60 * SECOND;
pub const HOUR: i64 = 60 * MINUTE;
pub const LEASE: i64 = 30 * SECOND;

pub fn timing() -> Timing {
    Timing::default()
}

pub fn hash(of: &str) -> Hash {
    Hash::of(&[of.as_bytes()])
}

pub fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub fn customer() -> Customer {
    let details = Details {
        email: "ada@example.com".into(),
        first_name: "Ada".into(),
        family_name: "O'Neill \"Łukasz\"".into(),
        phone: String::new(),
        street: "Hauptstraße 1".into(),
        postcode: "10115".into(),
        city: "Berlin".into(),
        country: "DE".into(),
    };
    details.accept(&["DE"]).unwrap()
}

/// An order of one article that costs so much.
pub fn new_order(cart: &str, content: &str, minor: i64) -> NewOrder {
    NewOrder {
        reference: format!("TG-{:08}", number()),
        mode: Mode::Test,
        cart: hash(cart),
        content: hash(content),
        lines: vec![OrderLine {
            kind: LineKind::Item,
            sku: "box".into(),
            name: "Box \"blue\" & green".into(),
            image: "/img/box.svg".into(),
            quantity: 1,
            unit: eur(minor),
            vat_bp: 1900,
        }],
        delivery: "pick-up".into(),
        total: eur(minor),
        customer: customer(),
        language: Language::De,
        day: 20_000,
        storefront: Storefront::default(),
    }
}

pub fn new_payment(minor: i64, now_ms: i64) -> NewPayment {
    let gateway_order_id = format!("P{:025}", number());
    NewPayment {
        form: HandoverForm {
            action: "https://gateway.example/checkout".into(),
            fields: vec![
                ("IPCmethod".into(), "IPCPurchase".into()),
                ("Note".into(), "a \"b\" & <c>\u{e9}".into()),
            ],
        },
        handoff: hash(&format!("hand-off of {gateway_order_id}")),
        salt: [7; 16],
        store: "main".into(),
        key_index: 3,
        method: PaymentMethod::Card,
        money: eur(minor),
        expires_at_ms: now_ms + 30 * MINUTE,
        gateway_order_id,
    }
}

/// A placement under a key that [`place`] claims, or has been claimed at the same time.
pub fn placement(key: &str, order: OrderToPay, payment: Option<NewPayment>) -> Placement {
    let method = payment.as_ref().map_or(PaymentMethod::BankTransfer, |payment| payment.method);
    Placement { lease: Lease { key: hash(key), until_ms: 0 }, order, method, payment }
}

pub fn cart(order: NewOrder) -> OrderToPay {
    OrderToPay::Cart(Box::new(order))
}

pub async fn place(store: &Shared, mut placement: Placement, now_ms: i64) -> Placed {
    store.claim_key(placement.lease.key, hash("request"), now_ms, LEASE).await.unwrap();
    placement.lease.until_ms = now_ms + LEASE;
    let placed = store.place(placement.clone(), now_ms, &timing()).await.unwrap();
    match (placed, &mut placement.order) {
        (Placed::PlacedAs(reference), OrderToPay::Cart(order)) => {
            order.reference = reference;
            store.place(placement, now_ms, &timing()).await.unwrap()
        }
        (placed, _) => placed,
    }
}

/// The order of a placement that was started.
pub fn started(placed: Placed) -> OrderId {
    match placed {
        Placed::Started(order) => order,
        other => panic!("{other:?}"),
    }
}

pub async fn claim(store: &Shared, key: &str, now_ms: i64) -> KeyClaim {
    store.claim_key(hash(key), hash("request"), now_ms, LEASE).await.unwrap()
}

/// A payment that was started, with its order.
#[derive(Clone, Debug)]
pub struct Started {
    pub order: OrderId,
    pub reference: String,
    pub payment: PaymentId,
    pub gateway_order_id: String,
    pub minor: i64,
}

/// Places an order for a cart of its own, or for `in_cart` once more, and starts a payment.
pub async fn start_in(store: &Shared, in_cart: &str, minor: i64, now_ms: i64) -> Started {
    let order = new_order(in_cart, "content", minor);
    let payment = new_payment(minor, now_ms);
    let gateway_order_id = payment.gateway_order_id.clone();
    let key = format!("key of {gateway_order_id}");
    let placed = place(store, placement(&key, cart(order), Some(payment)), now_ms).await;
    let order = started(placed);
    let file = store.order_by_cart(hash(in_cart)).await.unwrap().unwrap();
    let payment = file.payments.iter().find(|payment| payment.gateway_order_id == gateway_order_id).unwrap();
    Started {
        order,
        reference: file.order.new.reference.clone(),
        payment: payment.id,
        gateway_order_id,
        minor,
    }
}

pub async fn start(store: &Shared, minor: i64, now_ms: i64) -> Started {
    start_in(store, &format!("cart {}", number()), minor, now_ms).await
}

/// A payment that was paid.
pub async fn paid(store: &Shared, minor: i64, now_ms: i64) -> Started {
    let started = start(store, minor, now_ms).await;
    assert!(apply(store, &started, notify(&started), now_ms).await.decision.takes_the_money());
    started
}

pub fn notify(started: &Started) -> Cause {
    Cause::Notify { money: eur(started.minor), trnref: "T1".into() }
}

pub fn status_paid(started: &Started) -> Cause {
    Cause::StatusPaid { money: eur(started.minor), trnref: Some("T1".into()) }
}

pub async fn apply(store: &Shared, started: &Started, cause: Cause, now_ms: i64) -> Applied {
    apply_raw(store, started, cause, None, now_ms).await
}

pub async fn apply_raw(
    store: &Shared,
    started: &Started,
    cause: Cause,
    raw: Option<&str>,
    now_ms: i64,
) -> Applied {
    let raw = raw.map(str::to_owned);
    store.apply("main", &started.gateway_order_id, cause, raw, now_ms, &timing()).await.unwrap().unwrap()
}

pub async fn file(store: &Shared, started: &Started) -> OrderFile {
    store.order_by_reference(&started.reference).await.unwrap().unwrap()
}

pub async fn payment(store: &Shared, started: &Started) -> Payment {
    let file = file(store, started).await;
    file.payments.into_iter().find(|payment| payment.id == started.payment).unwrap()
}

pub async fn events(store: &Shared, order: OrderId) -> Vec<Event> {
    store.events(order).await.unwrap()
}

pub async fn kinds(store: &Shared, order: OrderId) -> Vec<EventKind> {
    events(store, order).await.into_iter().map(|event| event.what.kind).collect()
}

/// Somebody of the merchant's.
pub fn anna() -> Actor {
    Actor { who: "anna@shop.example".into(), address: "192.0.2.1".into() }
}

/// Somebody else of the merchant's.
pub fn bob() -> Actor {
    Actor { who: "bob@shop.example".into(), address: "192.0.2.2".into() }
}

pub fn new_refund(started: &Started, money: Money) -> NewRefund {
    NewRefund {
        payment: started.payment,
        gateway_order_id: format!("R{:025}", number()),
        key: None,
        money,
        reason: "it was too green".into(),
        actor: anna(),
        request: "IPCmethod=IPCRefund".into(),
        approval_above_minor: None,
    }
}

pub async fn reserve(store: &Shared, started: &Started, money: Money) -> Result<Reserved, StoreError> {
    store.reserve_refund(new_refund(started, money), NOW).await
}

/// What the gateway says of a refund.
pub fn answered(event: RefundEvent) -> Settlement {
    Settlement { event, detail: String::new(), raw: None, actor: None }
}

/// Settles a refund, as far as that is possible.
pub async fn settle(store: &Shared, refund: RefundId, event: RefundEvent) -> Result<RefundState, Refusal> {
    store.settle_refund(refund, answered(event), NOW).await.unwrap()
}

/// A refund that is set aside.
pub async fn reserved(store: &Shared, started: &Started, minor: i64) -> RefundId {
    match reserve(store, started, eur(minor)).await.unwrap() {
        Reserved::Yes(refund) => refund.id,
        other => panic!("{other:?}"),
    }
}

/// Runs `count` futures that begin at the same moment.
pub async fn at_once<F>(count: usize, make: impl Fn(usize) -> F) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let barrier = Arc::new(Barrier::new(count));
    let tasks: Vec<_> = (0..count)
        .map(|index| {
            let (barrier, work) = (Arc::clone(&barrier), make(index));
            tokio::spawn(async move {
                barrier.wait().await;
                work.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}
