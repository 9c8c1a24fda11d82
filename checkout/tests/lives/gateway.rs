//! The other side: what the gateway does with the money, and how it talks about it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use checkout::callbacks::NotifyAnswer;
use checkout::gateway::{Gateway, GatewayError};
use checkout::records::{HandoverForm, Payment};
use checkout::store::merchant::OrderRecord;
use domain::PaymentState;
use futures_util::FutureExt as _;
use mypos::{Fields, OrderId, Unverified};

use crate::keys::SID;
use crate::world::{HOUR, MINUTE, SECOND, State, World};

/// How long the gateway waits for an `OK`.
const OK_WITHIN: i64 = 30 * SECOND;
/// How long a call of ours waits for an answer.
const CALL_WITHIN: i64 = 20 * SECOND;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaleState {
    /// The payment page is, or was, open.
    Open,
    /// The money is the shop's, but for what was refunded.
    Paid,
    /// It went back.
    Reversed,
}

/// A payment as the gateway knows it.
#[derive(Clone, Debug)]
pub struct Sale {
    /// The shop's reference of the order, from the note.
    pub reference: String,
    pub amount: String,
    pub minor: i64,
    pub state: SaleState,
    closes_at_ms: i64,
    /// When it was paid, and until when the status query may not know it yet.
    known_paid_at_ms: i64,
    is_late: bool,
    pub trnref: String,
    /// Refunds by their own `OrderID`.
    pub refunds: BTreeMap<String, i64>,
    /// Whether the shopper came back from it by `/mypos/ok`, and the shop wrote that down.
    pub returned: bool,
    declined: u32,
}

impl Sale {
    pub fn refunded(&self) -> i64 {
        self.refunds.values().sum()
    }

    /// What the shop has of it.
    pub fn kept(&self) -> i64 {
        if self.state == SaleState::Paid { self.minor - self.refunded() } else { 0 }
    }
}

#[derive(Default)]
pub struct Sales {
    pub by_order_id: BTreeMap<String, Sale>,
    /// Every refund that was asked for.
    asked: BTreeMap<String, u32>,
}

impl Sales {
    pub fn of_order<'s>(&'s self, reference: &'s str) -> impl Iterator<Item = &'s Sale> {
        self.by_order_id.values().filter(move |sale| sale.reference == reference)
    }
}

/// What the shopper sees after confirming.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// "Payment successful", and a form for `/mypos/ok`.
    Success,
    /// It did not work, and a form for `/mypos/cancel`.
    NoSuccess,
    /// The page is closed: nothing more to press.
    Closed,
}

fn minor_of(amount: &str) -> i64 {
    amount.replace('.', "").parse().unwrap()
}

fn text(fields: &Fields, name: &str) -> String {
    fields.text(name).unwrap_or_default().to_owned()
}

fn callback(method: &str, order_id: &str, sale: &Sale) -> Fields {
    let mut fields: Fields = [
        ("IPCmethod", method),
        ("SID", SID),
        ("Amount", &sale.amount),
        ("Currency", "EUR"),
        ("OrderID", order_id),
    ]
    .into_iter()
    .collect();
    if matches!(method, "IPCPurchaseNotify" | "IPCPurchaseOK") {
        fields.push("IPC_Trnref", sale.trnref.as_str());
        fields.push("RequestSTAN", "000006");
        fields.push("RequestDateTime", "2026-11-21 10:39:37");
    }
    fields
}

/// The payment that a sale belongs to, as it is stored.
fn payment_of<'r>(record: &'r OrderRecord, order_id: &str) -> Option<&'r Payment> {
    record.file.payments.iter().find(|payment| payment.gateway_order_id == order_id)
}

impl World {
    /// A signed callback about a sale, as it is posted.
    pub fn callback(&self, method: &str, order_id: &str) -> Vec<u8> {
        let sale = self.state().sales.by_order_id[order_id].clone();
        let fields = callback(method, order_id, &sale);
        self.keys.signed_by_gateway(fields).to_form().into_bytes()
    }

    /// The shopper's browser sends the form of the hand-over page. The payment's `OrderID` where the payment page
    /// appears.
    pub fn opens_page(&self, form: &HandoverForm, is_late: bool) -> Option<String> {
        let message = Unverified::from_pairs(form.fields.iter().cloned()).unwrap();
        let verified = message.verify(&self.keys.ours.public_key()).expect("the shop signs its forms");
        let fields = verified.fields();
        let order_id = text(fields, "OrderID");
        let expires_in: i64 = text(fields, "expires_in").parse().unwrap();
        let mut state = self.state();
        if state.sales.by_order_id.contains_key(&order_id) {
            state.count("a form was sent twice");
            state.note(|| format!("{order_id}: sent twice"));
            return None;
        }
        let sale = Sale {
            reference: text(fields, "Note"),
            amount: text(fields, "Amount"),
            minor: minor_of(&text(fields, "Amount")),
            state: SaleState::Open,
            closes_at_ms: state.now_ms + expires_in * SECOND,
            known_paid_at_ms: 0,
            is_late,
            trnref: format!("81370500{:04}", state.sales.by_order_id.len()),
            refunds: BTreeMap::new(),
            returned: false,
            declined: 0,
        };
        state.note(|| format!("{order_id}: the payment page of {} for {}", sale.reference, sale.amount));
        state.sales.by_order_id.insert(order_id.clone(), sale);
        Some(order_id)
    }

    /// The shopper's card is declined.
    pub fn declines(&self, order_id: &str) {
        let mut state = self.state();
        state.sales.by_order_id.get_mut(order_id).unwrap().declined += 1;
        state.count("a card was declined");
    }

    /// The shopper confirms the payment, and waits for what becomes of it.
    pub async fn confirms(self: &Arc<Self>, order_id: &str) -> Outcome {
        {
            let mut state = self.state();
            let now_ms = state.now_ms;
            let lag_ms = if state.dice.happens(20) { state.dice.between(0, 5 * MINUTE) } else { 0 };
            let sale = state.sales.by_order_id.get_mut(order_id).unwrap();
            if sale.state != SaleState::Open || now_ms >= sale.closes_at_ms {
                return Outcome::Closed;
            }
            sale.state = SaleState::Paid;
            // Before the shop may believe that nothing was paid: fifteen minutes after the page has closed.
            sale.known_paid_at_ms = if sale.is_late { now_ms } else { now_ms + lag_ms };
            state.count("a payment was made");
            state.note(|| format!("{order_id}: paid"));
        }
        let tries = if self.state().dice.happens(70) { 1 } else { 3 };
        for _ in 0..tries {
            let began_ms = self.now_ms();
            let is_ok = self.notifies("IPCPurchaseNotify", order_id).await;
            if is_ok && self.now_ms() - began_ms < OK_WITHIN {
                return Outcome::Success;
            }
            self.pause(0, 2 * SECOND).await;
        }
        let (is_kept, shows_success) = {
            let mut state = self.state();
            (state.strikes(|weather| weather.keep), state.dice.happens(30))
        };
        if is_kept {
            self.state().count("a payment was kept without an OK");
            return if shows_success { Outcome::Success } else { Outcome::NoSuccess };
        }
        self.reverses(order_id);
        Outcome::NoSuccess
    }

    /// The gateway gives the money back, and says so until it is heard.
    fn reverses(self: &Arc<Self>, order_id: &str) {
        {
            let mut state = self.state();
            let sale = state.sales.by_order_id.get_mut(order_id).unwrap();
            if sale.state != SaleState::Paid || sale.refunded() > 0 {
                return;
            }
            sale.state = SaleState::Reversed;
            state.count("a payment was reversed by the gateway");
            state.note(|| format!("{order_id}: reversed"));
        }
        let (world, order_id) = (Arc::clone(self), order_id.to_owned());
        self.spawn(None, async move {
            let tries = world.state().dice.below(12);
            for _ in 0..tries {
                world.pause(0, 40 * MINUTE).await;
                if world.notifies("IPCPurchaseRollback", &order_id).await {
                    world.state().count("a rollback was taken");
                    break;
                }
            }
        });
    }

    /// Posts a notification. Whether the answer is `OK`.
    async fn notifies(self: &Arc<Self>, method: &'static str, order_id: &str) -> bool {
        let mut body = self.callback(method, order_id);
        let is_corrupt = {
            let mut state = self.state();
            let strikes = state.strikes(|weather| weather.corrupt);
            if strikes {
                let at = state.dice.below(body.len());
                body[at] ^= 1 << state.dice.below(7);
                state.count("a notification was corrupted");
            }
            strikes
        };
        let (world, order_id) = (Arc::clone(self), order_id.to_owned());
        let answer = self
            .ask(method, move |shop| {
                let (world, order_id, body) = (Arc::clone(&world), order_id.clone(), body.clone());
                async move {
                    let answer = shop.notified(&body).await.ok()?;
                    if answer == NotifyAnswer::Ok && !is_corrupt {
                        world.holds_ok(method, &order_id).await;
                    }
                    Some(answer)
                }
                .boxed()
            })
            .await
            .flatten();
        self.state().note(|| format!("{method} is answered {answer:?}"));
        answer == Some(NotifyAnswer::Ok)
    }

    /// I4: what is answered `OK` is on disk at that moment.
    async fn holds_ok(&self, method: &str, order_id: &str) {
        let reference = self.state().sales.by_order_id[order_id].reference.clone();
        let Some(record) = self.truth.order_record(&reference).await.unwrap() else {
            self.state().violated(format!("{order_id}: its form names {reference}, which is no order"));
            return;
        };
        let state = payment_of(&record, order_id).map(|payment| payment.state);
        let is_true = match method {
            "IPCPurchaseNotify" => state.is_some_and(PaymentState::holds_money),
            _ => state == Some(PaymentState::Reversed),
        };
        if !is_true {
            self.state().violated(format!("I4: {method} was answered OK, and the payment is {state:?}"));
        }
    }
}

/// What the gateway says of payments that are not the shop's: another system has the same account.
impl World {
    pub async fn speaks_of_others(self: Arc<Self>) {
        self.pause(0, HOUR).await;
        let (body, method) = {
            let mut state = self.state();
            let bytes = [(); 17].map(|()| u8::try_from(state.dice.below(256)).unwrap());
            let like_ours = OrderId::from_random(bytes).as_str().to_owned();
            let order_id =
                if state.dice.happens(50) { like_ours } else { format!("shop/{}", state.dice.roll()) };
            let method = state.dice.pick(&["IPCPurchaseNotify", "IPCPurchaseRollback"]);
            let sale = Sale {
                reference: String::new(),
                amount: "9.99".to_owned(),
                minor: 999,
                state: SaleState::Paid,
                closes_at_ms: 0,
                known_paid_at_ms: 0,
                is_late: false,
                trnref: "900000000042".to_owned(),
                refunds: BTreeMap::new(),
                returned: false,
                declined: 0,
            };
            (self.keys.signed_by_gateway(callback(method, &order_id, &sale)).to_form().into_bytes(), method)
        };
        let world = Arc::clone(&self);
        let answered = self.ask(method, move |shop| {
            let (world, body) = (Arc::clone(&world), body.clone());
            async move {
                if let Ok(answer) = shop.notified(&body).await {
                    world.holds_unknown(method, answer, &body).await;
                }
            }
            .boxed()
        });
        answered.await;
        self.state().busy -= 1;
    }

    /// I16: it is kept for a person, and the gateway is told that nobody takes that money.
    async fn holds_unknown(&self, method: &str, answer: NotifyAnswer, body: &[u8]) {
        let kept = self.truth.unknown_messages(1_000).await.unwrap();
        let is_kept = kept.iter().any(|message| message.raw.as_bytes() == body);
        let is_right = match method {
            "IPCPurchaseNotify" => answer == NotifyAnswer::NotTaken,
            _ => answer == NotifyAnswer::Ok,
        };
        let mut state = self.state();
        state.count("a message was about nobody's order");
        if !is_kept || !is_right {
            state.violated(format!("I16: {method} about no order is answered {answer:?}, kept: {is_kept}"));
        }
    }
}

/// What the gateway answers to calls of the shop.
impl State {
    fn answers(&mut self, call: &Fields) -> Fields {
        let method = text(call, "IPCmethod");
        match method.as_str() {
            "IPCGetPaymentStatus" => self.status(&text(call, "OrderID")),
            "IPCGetTxnStatus" => self.last_message(&text(call, "OrderID")),
            "IPCRefund" => self.refunds(call),
            "IPCReversal" => self.undoes(call),
            _ => panic!("{method}"),
        }
    }

    fn status(&mut self, order_id: &str) -> Fields {
        let tells_amount = self.dice.happens(80);
        let lagging = self.dice.pick(&["2", "3"]);
        let (now_ms, sale) = (self.now_ms, self.sales.by_order_id.get(order_id));
        let code = match sale {
            None => "0",
            Some(sale) => match sale.state {
                SaleState::Paid if now_ms < sale.known_paid_at_ms => lagging,
                SaleState::Paid => "1",
                SaleState::Reversed => "4",
                SaleState::Open if now_ms >= sale.closes_at_ms || sale.declined > 0 => "3",
                SaleState::Open => "2",
            },
        };
        let mut fields: Fields =
            [("IPCmethod", "IPCGetPaymentStatus"), ("OrderID", order_id), ("PaymentStatus", code)]
                .into_iter()
                .collect();
        if let Some(sale) = sale.filter(|_| code == "1" && tells_amount) {
            fields.push("Amount", sale.amount.as_str());
            fields.push("Currency", "EUR");
            fields.push("IPC_Trnref", sale.trnref.as_str());
        }
        if let Some(declined) = sale.map(|sale| sale.declined).filter(|declined| *declined > 0) {
            let mut attempts = Fields::new();
            for attempt in 0..declined {
                let one: Fields =
                    [("DateTime", "2026-11-21 10:39:37"), ("responseCode", "51")].into_iter().collect();
                attempts.push_nested(attempt.to_string(), one);
            }
            fields.push_nested("DeclinedPayments", attempts);
        }
        fields.push("Status", "1");
        fields.push("StatusMsg", "Success");
        self.note(|| format!("{order_id}: the status is {code}"));
        fields
    }

    fn last_message(&self, order_id: &str) -> Fields {
        let mut fields: Fields =
            [("IPCmethod", "IPCGetTxnStatus"), ("OrderID", order_id)].into_iter().collect();
        if let Some(sale) = self.sales.by_order_id.get(order_id) {
            let method = match sale.state {
                SaleState::Open => "IPCPurchaseCancel",
                SaleState::Paid => "IPCPurchaseNotify",
                SaleState::Reversed => "IPCPurchaseRollback",
            };
            fields.push_nested("OrderStatus", callback(method, order_id, sale));
        }
        fields.push("Status", "0");
        fields.push("StatusMsg", "Success");
        fields
    }

    fn by_trnref(&self, call: &Fields) -> String {
        let trnref = text(call, "IPC_Trnref");
        let known = self.sales.by_order_id.iter().find(|(_, sale)| sale.trnref == trnref);
        known.map(|(order_id, _)| order_id.clone()).expect("the shop asks about what it was told")
    }

    fn refunds(&mut self, call: &Fields) -> Fields {
        let (order_id, own_id, minor) =
            (self.by_trnref(call), text(call, "OrderID"), minor_of(&text(call, "Amount")));
        let asked = self.sales.asked.entry(own_id.clone()).or_default();
        *asked += 1;
        if *asked > 1 {
            self.violated(format!("I6: the refund {own_id} was sent twice"));
        }
        let refuses = self.dice.happens(10);
        let sale = self.sales.by_order_id.get_mut(&order_id).unwrap();
        if sale.state == SaleState::Paid && sale.refunded() + minor > sale.minor {
            let sum = sale.refunded() + minor;
            self.violated(format!("I6: {sum} of {} was asked back", self.sales.by_order_id[&order_id].minor));
            return simple("IPCRefund", call, "14", false);
        }
        if sale.state != SaleState::Paid || refuses {
            self.count("a refund was refused");
            return simple("IPCRefund", call, "14", false);
        }
        sale.refunds.insert(own_id, minor);
        self.count("a refund was done");
        self.note(|| format!("{order_id}: {minor} go back"));
        simple("IPCRefund", call, "0", true)
    }

    fn undoes(&mut self, call: &Fields) -> Fields {
        let order_id = self.by_trnref(call);
        let refuses = self.dice.happens(20);
        let sale = self.sales.by_order_id.get_mut(&order_id).unwrap();
        if sale.refunded() > 0 {
            self.violated("I6: a payment with refunds was to be undone".to_owned());
            return simple("IPCReversal", call, "14", false);
        }
        if sale.state == SaleState::Open || refuses {
            return simple("IPCReversal", call, "14", false);
        }
        sale.state = SaleState::Reversed;
        self.count("a payment was undone for the merchant");
        simple("IPCReversal", call, "0", false)
    }
}

fn simple(method: &str, call: &Fields, code: &str, with_amount: bool) -> Fields {
    let mut fields: Fields = [("IPCmethod", method), ("IPC_Trnref", "900000000001")].into_iter().collect();
    if with_amount {
        fields.push("Amount", text(call, "Amount"));
        fields.push("Currency", text(call, "Currency"));
    }
    fields.push("Status", code);
    fields.push("StatusMsg", if code == "0" { "Success" } else { "No" });
    fields
}

/// The way of a process to the gateway.
pub struct LifeGateway(pub Arc<World>);

#[async_trait]
impl Gateway for LifeGateway {
    async fn call(&self, _endpoint: &str, form: String) -> Result<Vec<u8>, GatewayError> {
        let world = &self.0;
        let lost = || Err(GatewayError::Unreachable("timed out".into()));
        world.turn().await;
        let (is_down, is_lost) = {
            let mut state = world.state();
            let (from, to) = state.gateway_down;
            let is_down = state.is_storm() && (from..to).contains(&state.now_ms);
            (is_down, state.strikes(|weather| weather.lose))
        };
        if is_down || is_lost {
            world.state().count("a question did not reach the gateway");
            world.pause(0, CALL_WITHIN).await;
            return lost();
        }
        let message = Unverified::from_form(form.as_bytes()).unwrap();
        let verified = message.verify(&world.keys.ours.public_key()).expect("the shop signs its calls");
        let fields = world.state().answers(verified.fields());
        let plain = fields.to_json();
        let signed = world.keys.signed_by_gateway(fields).to_json();

        let (is_lost, is_slow, is_corrupt) = {
            let mut state = world.state();
            let is_lost = state.strikes(|weather| weather.lose);
            (is_lost, state.strikes(|weather| weather.slow), state.strikes(|weather| weather.corrupt))
        };
        if is_slow {
            world.pause(0, CALL_WITHIN).await;
        } else {
            world.turn().await;
        }
        if is_lost {
            world.state().count("an answer of the gateway was lost");
            world.pause(0, CALL_WITHIN).await;
            return lost();
        }
        if !is_corrupt {
            return Ok(signed.into_bytes());
        }
        world.state().count("an answer of the gateway was rubbish");
        let which = world.state().dice.below(4);
        match which {
            0 => Err(GatewayError::HttpStatus(502)),
            1 => Ok(plain.into_bytes()),
            2 => Ok(b"<html>down for maintenance</html>".to_vec()),
            _ => {
                let mut bytes = signed.into_bytes();
                let at = world.state().dice.below(bytes.len());
                bytes[at] ^= 1;
                Ok(bytes)
            }
        }
    }
}
