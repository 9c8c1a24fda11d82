//! What shoppers do: several tabs, Back, double clicks, paying twice, giving up.

use std::sync::Arc;

use checkout::callbacks::Return;
use checkout::records::HandoverForm;
use checkout::start::{OpenedBy, PayAgain, StartError, cart_hash};
use checkout::token::Token;
use checkout::view::shopper_state;
use domain::{
    Cart, Details, Language, PaymentMethod, PaymentState, Problem, ShopperState, StartReply, StartRequest,
    Storefront,
};
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, join};
use mypos::Door;

use crate::gateway::{Outcome, SaleState};
use crate::world::{HOUR, MINUTE, SECOND, World};

/// What a box costs, in cents.
pub const BOX_MINOR: i64 = 5_000;

/// For how long a hand-over is the same by every process's clock, of which one is ahead.
const SURELY_FRESH: i64 = MINUTE - 5 * SECOND;

/// A tab of somebody who buys what is in a cart.
pub struct Tab {
    pub world: Arc<World>,
    pub cart: String,
}

type Pressed = Result<StartReply, StartError>;

/// Where a press of Pay leads.
enum Next {
    Handover(Token),
    Result(Token),
    Nowhere,
}

fn details() -> Details {
    Details {
        email: "ada@example.com".into(),
        first_name: "Ada".into(),
        family_name: "O'Neill-Łukasz".into(),
        phone: "+49 30 123456".into(),
        street: "Hauptstraße 1 + 2".into(),
        postcode: "10115".into(),
        city: "Berlin".into(),
        country: "DE".into(),
    }
}

impl Tab {
    pub async fn lives(self) {
        self.world.pause(0, 3 * HOUR / 2).await;
        let presses = 1 + self.world.state().dice.below(3);
        for _ in 0..presses {
            if self.buys().await {
                break;
            }
            self.world.pause(SECOND, 20 * MINUTE).await;
        }
        self.world.state().busy -= 1;
    }

    fn happens(&self, percent: u64) -> bool {
        self.world.state().dice.happens(percent)
    }

    /// One visit to the checkout. Whether the shopper is through with it.
    async fn buys(&self) -> bool {
        let quantity = if self.happens(85) { 1 } else { 2 };
        let method = if self.happens(92) { PaymentMethod::Card } else { PaymentMethod::BankTransfer };
        let mut request = StartRequest {
            key: String::new(),
            cart_id: self.cart.clone(),
            lines: Cart::parse(&format!("box:{quantity}")).unwrap(),
            delivery: "pick-up".into(),
            details: details(),
            method: Some(method),
            shown_total_minor: BOX_MINOR * quantity,
            language: Language::En,
            storefront: Storefront::default(),
        };
        let next = self
            .presses(|tab, key| {
                key.clone_into(&mut request.key);
                let request = request.clone();
                let world = Arc::clone(&tab.world);
                let noting = Arc::clone(&tab.world);
                async move {
                    let start = move |shop: Arc<checkout::checkout::Checkout>| {
                        let request = request.clone();
                        let (world, cart) = (Arc::clone(&noting), request.cart_id.clone());
                        async move {
                            let key = request.key.clone();
                            world.is_pressed(&key);
                            let pressed = shop.start(request).await;
                            world.hands_over(&key, &cart, &pressed).await;
                            pressed
                        }
                        .boxed()
                    };
                    world.ask("start", start).await
                }
                .boxed()
            })
            .await;
        self.follows(next).await
    }

    /// Presses Pay, perhaps twice at once, and again while nothing comes of it: with the same key, as a page does.
    async fn presses(&self, mut ask: impl FnMut(&Self, &str) -> BoxFuture<'static, Option<Pressed>>) -> Next {
        let key = Token::random().unwrap().secret().to_owned();
        for _ in 0..5 {
            let answers = if self.happens(15) {
                self.world.state().count("a double click");
                let (one, other) = (ask(self, &key), ask(self, &key));
                let (one, other) = join(one, other).await;
                [one, other]
            } else {
                [ask(self, &key).await, None]
            };
            let mut next = None;
            for answer in answers.into_iter().flatten() {
                match answer {
                    Ok(StartReply { location }) => {
                        next = Some(location);
                    }
                    Err(StartError::Problem(Problem::Busy)) => {
                        self.world.state().count("a press came too early");
                    }
                    Err(StartError::Problem(Problem::Unavailable) | StartError::Failed(_)) => {
                        self.world.state().count("a press failed on our side");
                    }
                    Err(StartError::Problem(problem)) => {
                        // A page for an order that is gone, or was paid by a method that is not offered.
                        self.world.state().note(|| format!("{problem:?}"));
                        return Next::Nowhere;
                    }
                }
            }
            if let Some(location) = next {
                return next_of(&location);
            }
            if self.happens(20) {
                break;
            }
            self.world.pause(SECOND, 40 * SECOND).await;
        }
        Next::Nowhere
    }

    /// Goes where a press led, and on from there. Whether the shopper is through.
    async fn follows(&self, mut next: Next) -> bool {
        for _ in 0..4 {
            next = match next {
                Next::Nowhere => return false,
                Next::Result(token) => self.looks(&token).await,
                Next::Handover(token) => self.goes(&token).await,
            };
        }
        true
    }

    /// Opens the hand-over page.
    async fn goes(&self, token: &Token) -> Next {
        self.world.pause(0, 5 * SECOND).await;
        if self.happens(4) {
            // Lost the page, and finds it again later.
            self.world.pause(0, 10 * MINUTE).await;
        }
        let asked = token.clone();
        let page = self
            .world
            .ask("hand-over", move |shop| {
                let token = asked.clone();
                async move { shop.handover(&token).await }.boxed()
            })
            .await;
        match page {
            Some(Ok(Some(page))) => match page.form {
                Some(form) => self.is_at_the_gateway(&form).await,
                None if self.happens(70) => self.pays_again(OpenedBy::Handoff(token.clone())).await,
                None => Next::Nowhere,
            },
            Some(Ok(None)) => {
                self.world.state().violated("a hand-over address that was given out is not known".to_owned());
                Next::Nowhere
            }
            // Try it once more.
            Some(Err(_)) | None => Next::Handover(token.clone()),
        }
    }

    /// Sends the form, and does on the payment page what comes to mind.
    async fn is_at_the_gateway(&self, form: &HandoverForm) -> Next {
        let is_late = self.happens(5);
        if is_late {
            // The page is left open, and sent much later, perhaps when the order has expired.
            self.world.state().count("a form was sent late");
            self.world.pause(0, 30 * HOUR).await;
        }
        let Some(order_id) = self.world.opens_page(form, is_late) else { return Next::Nowhere };
        while self.happens(15) {
            self.world.pause(SECOND, 2 * MINUTE).await;
            self.world.declines(&order_id);
        }
        let minutes = if self.happens(90) { 3 } else { 35 };
        self.world.pause(SECOND, minutes * MINUTE).await;
        let chance = self.world.state().dice.below(100);
        match chance {
            0..12 => {
                self.world.state().count("a shopper cancelled");
                self.comes_back("IPCPurchaseCancel", &order_id).await
            }
            12..22 => {
                self.world.state().count("a shopper gave up");
                Next::Nowhere
            }
            22..30 => {
                // Back, and pays there; this page stays open, and may still be used.
                self.world.state().count("a shopper went back");
                let (world, order_id) = (Arc::clone(&self.world), order_id.clone());
                if self.happens(50) {
                    self.world.spawn(None, async move {
                        world.pause(SECOND, 40 * MINUTE).await;
                        world.confirms(&order_id).await;
                    });
                }
                Next::Nowhere
            }
            _ => match self.world.confirms(&order_id).await {
                Outcome::Closed => Next::Nowhere,
                _ if self.happens(15) => {
                    self.world.state().count("a shopper closed the page");
                    Next::Nowhere
                }
                Outcome::Success => {
                    if self.happens(5) {
                        self.forges(&order_id).await;
                    }
                    self.comes_back("IPCPurchaseOK", &order_id).await
                }
                Outcome::NoSuccess => self.comes_back("IPCPurchaseCancel", &order_id).await,
            },
        }
    }

    /// Sends what the browser was given to the address of notifications, and one that a stranger signed.
    async fn forges(&self, order_id: &str) {
        let ok = self.world.callback("IPCPurchaseOK", order_id);
        let notify = String::from_utf8(self.world.callback("IPCPurchaseNotify", order_id)).unwrap();
        let message = mypos::Unverified::from_form(notify.as_bytes()).unwrap();
        let fields =
            message.claimed().iter().filter_map(|field| Some((field.name.clone(), field.text()?.to_owned())));
        let fields = fields.filter(|(name, _)| name != "Signature").collect();
        let strange = self.world.keys.strangers.sign_fields(fields).unwrap().to_form().into_bytes();
        for body in [ok, strange] {
            let answer = self
                .world
                .ask("a forged notification", move |shop| {
                    let body = body.clone();
                    async move { shop.notified(&body).await }.boxed()
                })
                .await;
            if matches!(answer, Some(Ok(checkout::callbacks::NotifyAnswer::Ok))) {
                self.world.state().violated("I1: a forged notification was answered OK".to_owned());
            }
        }
        self.world.state().count("a notification was forged");
    }

    /// The browser brings the gateway's form back to the shop.
    async fn comes_back(&self, method: &'static str, order_id: &str) -> Next {
        let (body, id) = (self.world.callback(method, order_id), order_id.to_owned());
        let door = if method == "IPCPurchaseOK" { Door::Ok } else { Door::Cancel };
        for _ in 0..3 {
            let (body, id, world) = (body.clone(), id.clone(), Arc::clone(&self.world));
            let answer = self
                .world
                .ask(method, move |shop| {
                    let (body, id, world) = (body.clone(), id.clone(), Arc::clone(&world));
                    async move {
                        let back = shop.returned(&body, door).await.ok()?;
                        if let (Door::Ok, Return::ToOrder(_)) = (door, &back) {
                            world.state().sales.by_order_id.get_mut(&id).unwrap().returned = true;
                        }
                        Some(back)
                    }
                    .boxed()
                })
                .await;
            match answer.flatten() {
                Some(Return::ToOrder(token)) => return Next::Result(token),
                Some(Return::Unknown) => {
                    self.world.state().violated(format!("the shop does not know its own {method}"));
                    return Next::Nowhere;
                }
                None if self.happens(50) => return Next::Nowhere,
                None => self.world.pause(SECOND, MINUTE).await,
            }
        }
        Next::Nowhere
    }

    /// Looks at the order's page for a while; pays again where it can be done.
    async fn looks(&self, token: &Token) -> Next {
        let polls = 1 + self.world.state().dice.below(8);
        for _ in 0..polls {
            let (asked, world) = (token.clone(), Arc::clone(&self.world));
            let told = self
                .world
                .ask("a poll", move |shop| {
                    let (token, world) = (asked.clone(), Arc::clone(&world));
                    async move {
                        let file = shop.order_of_token(&token).await.ok()?;
                        let Some(file) = file else {
                            world
                                .state()
                                .violated("an order's address that was given out is not known".to_owned());
                            return None;
                        };
                        let told = shopper_state(&file);
                        world.is_told_the_truth(&file.order.new.reference, told);
                        Some(told)
                    }
                    .boxed()
                })
                .await
                .flatten();
            match told {
                Some(ShopperState::Paid) => return Next::Nowhere,
                Some(told) if told.may_pay() && self.happens(60) => {
                    return self.pays_again(OpenedBy::Order(token.clone())).await;
                }
                _ => self.world.pause(SECOND, 3 * MINUTE).await,
            }
        }
        Next::Nowhere
    }

    async fn pays_again(&self, by: OpenedBy) -> Next {
        self.world.state().count("a shopper paid again");
        self.presses(|tab, key| {
            let request = PayAgain { key: key.to_owned(), by: by.clone(), method: None };
            let (world, noting, cart) = (Arc::clone(&tab.world), Arc::clone(&tab.world), tab.cart.clone());
            async move {
                let again = move |shop: Arc<checkout::checkout::Checkout>| {
                    let request = request.clone();
                    let (world, cart) = (Arc::clone(&noting), cart.clone());
                    async move {
                        let key = request.key.clone();
                        world.is_pressed(&key);
                        let pressed = shop.pay_again(request).await;
                        world.hands_over(&key, &cart, &pressed).await;
                        pressed
                    }
                    .boxed()
                };
                world.ask("pay again", again).await
            }
            .boxed()
        })
        .await
    }
}

impl World {
    /// A process begins with a press.
    fn is_pressed(&self, key: &str) {
        let mut state = self.state();
        let now_ms = state.now_ms;
        state.handovers.entry(key.to_owned()).or_insert((now_ms, None));
    }

    /// I12: within a minute of its first press a key has the same hand-over, while nothing came of any payment of its
    /// order. Whether the shopper waits for the answer or not.
    async fn hands_over(&self, key: &str, cart: &str, pressed: &Pressed) {
        let Ok(StartReply { location }) = pressed else { return };
        if !location.starts_with("/checkout/go/") {
            return;
        }
        let file = self.truth.order_by_cart(cart_hash(cart)).await.unwrap().unwrap();
        let nothing_came = file.payments.iter().all(|payment| payment.state == PaymentState::Started);
        let mut state = self.state();
        let now_ms = state.now_ms;
        let (since_ms, known) = state.handovers[key].clone();
        match known {
            Some(known) if known != *location && now_ms - since_ms < SURELY_FRESH && nothing_came => {
                state.violated(format!("I12: {known} became {location}"));
            }
            _ => {
                state.handovers.insert(key.to_owned(), (since_ms, Some(location.clone())));
            }
        }
    }

    /// I1 and I10: "paid" is said only where something was paid, and "not paid" never to somebody who has paid and is
    /// back.
    fn is_told_the_truth(&self, reference: &str, told: ShopperState) {
        let mut state = self.state();
        let was_paid = state.sales.of_order(reference).any(|sale| sale.state != SaleState::Open);
        let is_paid_and_back = state.sales.of_order(reference).any(|sale| sale.kept() > 0 && sale.returned);
        if told == ShopperState::Paid && !was_paid {
            // But for a bank transfer that the merchant has seen.
            let is_received = state.figures.contains_key("a bank transfer came in");
            if !is_received {
                state.violated(format!("I1: {reference} is said to be paid"));
            }
        }
        if told == ShopperState::NotPaid && is_paid_and_back {
            state.violated(format!("I10: {reference} is said not to be paid"));
        }
        if told == ShopperState::Checking {
            state.count("a shopper saw that it is being checked");
        }
    }
}

fn next_of(location: &str) -> Next {
    let token = |prefix: &str| location.strip_prefix(prefix).and_then(Token::parse);
    if let Some(token) = token("/checkout/go/") {
        return Next::Handover(token);
    }
    token("/checkout/result/").map_or(Next::Nowhere, Next::Result)
}
