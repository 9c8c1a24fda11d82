//! Starting a payment: from one press of Pay to the address where the shopper goes next.

use domain::{
    Currency, Customer, Details, Field, FieldError, FieldProblem, Money, MoneyError, OrderState,
    PaymentMethod, PaymentState, Problem, QuoteProblem, QuoteRequest, ShopperState, StartReply, StartRequest,
    messages::is_key,
};
use metrics::counter;
use mypos::{Amount, CartLine, PaymentParameters, Purchase, Request as _, RequestedMethod};

use crate::checkout::{Checkout, CheckoutError};
use crate::country::alpha3;
use crate::figures::PAYMENTS_STARTED;
use crate::pricing::{self, Priced};
use crate::records::{
    HandoverForm, LineKind, Mode, NewOrder, NewPayment, Order, OrderId, OrderLine, Storefront,
};
use crate::signed_quote::SignedQuote;
use crate::store::{KeyClaim, Lease, OrderFile, OrderToPay, Placed, Placement, StoreError};
use crate::storefront::cart_of_quote;
use crate::text::clean;
use crate::token::{Hash, NoRandomness, Token, random};
use crate::view::shopper_state;

/// Why nothing was started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The shopper, or the page, can do something about it.
    #[error("the request cannot be started: {0:?}")]
    Problem(Problem),
    /// Our side failed.
    #[error(transparent)]
    Failed(#[from] CheckoutError),
}

impl From<StoreError> for StartError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<NoRandomness> for StartError {
    fn from(error: NoRandomness) -> Self {
        Self::Failed(error.into())
    }
}

impl From<MoneyError> for StartError {
    fn from(error: MoneyError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Problem> for StartError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// One press of Pay for an order that exists.
#[derive(Clone, Debug)]
pub struct PayAgain {
    /// Idempotency key, as in [`StartRequest::key`].
    pub key: String,
    /// What opens the order.
    pub by: OpenedBy,
    /// The chosen method; the one of the last payment where `None`.
    pub method: Option<PaymentMethod>,
}

/// What opens an order to be paid again.
#[derive(Clone, Debug)]
pub enum OpenedBy {
    /// Its token, from the result or cancel page.
    Order(Token),
    /// The token of a hand-over page whose form was used.
    Handoff(Token),
}

/// What became of claiming the idempotency key of a press.
enum Claim {
    /// It is this request's now.
    Held(Lease),
    /// The answer is known already.
    Answered(StartReply),
}

/// What became of placing an order.
enum Attempt {
    /// The answer.
    Answered(StartReply),
    /// Nothing was stored: it has to be signed with this reference, or with a new one.
    NeedsReference(Option<String>),
}

/// How often a form is signed anew because its order has another reference.
const REFERENCE_ATTEMPTS: usize = 4;

/// Names what a derived token is for.
const HANDOFF: &str = "hand-off";

impl Checkout {
    /// Starts a payment for a cart.
    pub async fn start(&self, request: StartRequest) -> Result<StartReply, StartError> {
        if !is_key(&request.key) || !is_key(&request.cart_id) {
            return Err(Problem::Malformed.into());
        }
        let signed = match request.storefront.signed_quote.as_str() {
            "" => None,
            text => Some(self.open_quote(text)?),
        };
        let storefront = self.accept_storefront(&request.storefront, signed.as_ref())?;
        let currency = signed.as_ref().map_or(self.catalog.currency, |signed| signed.total.currency);
        let details = cleaned(&request.details);
        let (customer, method) = self.accept(&details, request.method, currency)?;
        // A signed quote has a cart of its own, whatever the browser remembers: all that show it pay one order.
        let cart = match &signed {
            Some(_) => cart_hash(&cart_of_quote(&request.storefront.signed_quote)),
            None => cart_hash(&request.cart_id),
        };
        let fingerprint = fingerprint_of_start(&request, &details, method);
        let now_ms = self.now_ms();
        let key = Hash::of(&[b"key", request.key.as_bytes()]);

        let lease = match self.claim(key, fingerprint, &request.key, now_ms).await? {
            Claim::Held(lease) => lease,
            Claim::Answered(reply) => return Ok(reply),
        };
        let result = async {
            // A shopper who is back from paying, and waits, must not pay again in another tab.
            let before = self.store.order_by_cart(cart).await?;
            if let Some(file) = before.as_ref().filter(|file| shopper_state(file) == ShopperState::Checking) {
                return self.nothing_to_place(lease, file.order.id).await;
            }
            let priced = match &signed {
                Some(signed) => self.priced_by_quote(&request, signed, before.as_ref())?,
                None => self.priced(&request)?,
            };
            let mut order = self.new_order(&request, customer, cart, &priced, storefront)?;
            // The order that the store will use again: the signed form names it by its own reference.
            let is_same = |file: &OrderFile| {
                file.order.state == OrderState::Open && file.order.new.content == order.content
            };
            if let Some(same) = before.filter(is_same) {
                order.reference = same.order.new.reference;
            }
            self.place_new(lease, &request.key, order, method).await
        }
        .await;
        self.release_if_failed(lease, result).await
    }

    /// Starts another payment for an order that exists and is not paid.
    pub async fn pay_again(&self, request: PayAgain) -> Result<StartReply, StartError> {
        if !is_key(&request.key) {
            return Err(Problem::Malformed.into());
        }
        let now_ms = self.now_ms();
        let file = match &request.by {
            OpenedBy::Order(token) => self.store.order_by_token(token.hash()).await?,
            OpenedBy::Handoff(token) => match self.store.open_handoff(token.hash(), now_ms).await? {
                Some(handoff) => self.store.order_by_reference(&handoff.order.new.reference).await?,
                None => None,
            },
        };
        let Some(file) = file else {
            return Err(Problem::NotFound.into());
        };
        if file.order.new.mode != self.settings.mode_for(file.order.new.total.currency) {
            // An order of the test world is not paid with real money, nor the other way round.
            return Err(Problem::NotFound.into());
        }
        let method = request.method.unwrap_or(file.order.method);
        let offered = self.settings.methods_for(file.order.new.total.currency);
        if !offered.contains(&method) {
            return Err(not_offered(Field::Method).into());
        }
        let key = Hash::of(&[b"key", request.key.as_bytes()]);
        let fingerprint = Hash::of(&[b"again", file.order.new.reference.as_bytes(), method.id().as_bytes()]);
        let lease = match self.claim(key, fingerprint, &request.key, now_ms).await? {
            Claim::Held(lease) => lease,
            Claim::Answered(reply) => return Ok(reply),
        };
        let result = async {
            if !shopper_state(&file).may_pay() {
                return self.nothing_to_place(lease, file.order.id).await;
            }
            let payment = self.payment_for(&request.key, &file.order.new, method).await?;
            match self.place(lease, OrderToPay::Existing(file.order.id), method, payment).await? {
                Attempt::Answered(reply) => Ok(reply),
                // An order that exists has its reference.
                Attempt::NeedsReference(_) => Err(Problem::Unavailable.into()),
            }
        }
        .await;
        self.release_if_failed(lease, result).await
    }

    /// Claims the key for this press.
    async fn claim(&self, key: Hash, request: Hash, secret: &str, now_ms: i64) -> Result<Claim, StartError> {
        let timing = &self.settings.timing;
        let (order, payment) = match self.store.claim_key(key, request, now_ms, timing.key_lease_ms).await? {
            KeyClaim::Claimed(lease) => return Ok(Claim::Held(lease)),
            KeyClaim::Running => return Err(Problem::Busy.into()),
            KeyClaim::Mismatch => return Err(Problem::KeyReused.into()),
            KeyClaim::Done { order, payment } => (order, payment),
        };
        let Some((payment, salt)) = payment.map(|done| *done) else {
            return self.result_page(order).await.map(Claim::Answered);
        };
        let age_ms = now_ms.saturating_sub(payment.started_at_ms);
        if payment.state == PaymentState::Started && age_ms < timing.handover_fresh_ms {
            return Ok(Claim::Answered(handover(&Token::derived(HANDOFF, secret, &salt))));
        }
        // The gateway may have seen that form: the truth first, then a form of its own.
        let settled = self.ask(&payment).await?.map_or(payment, |asked| asked.payment);
        if settled.state.holds_money() {
            return self.result_page(order).await.map(Claim::Answered);
        }
        let reclaimed = self.store.reclaim_key(key, settled.id, now_ms, timing.key_lease_ms).await?;
        reclaimed.map(Claim::Held).ok_or_else(|| Problem::Busy.into())
    }

    /// An order that cannot be paid now leads to its page, and the key is as if it had not been used.
    async fn nothing_to_place(&self, lease: Lease, order: OrderId) -> Result<StartReply, StartError> {
        self.store.release_key(lease).await?;
        self.result_page(order).await
    }

    /// A request that came to nothing leaves its key free for the next try.
    async fn release_if_failed(
        &self,
        lease: Lease,
        result: Result<StartReply, StartError>,
    ) -> Result<StartReply, StartError> {
        if result.is_err()
            && let Err(error) = self.store.release_key(lease).await
        {
            tracing::warn!(%error, "an idempotency key stays claimed until its lease ends");
        }
        result
    }

    /// Accepts what was typed and chosen, or names all that is wrong with it.
    fn accept(
        &self,
        details: &Details,
        method: Option<PaymentMethod>,
        currency: Currency,
    ) -> Result<(Customer, PaymentMethod), Problem> {
        let offered = self.settings.methods_for(currency);
        let method_error = match method {
            None => Some(FieldProblem::Missing),
            Some(method) if !offered.contains(&method) => Some(FieldProblem::NotOffered),
            Some(_) => None,
        };
        let mut errors = Vec::new();
        let customer = details.accept(&self.catalog.countries).map_err(|wrong| errors.extend(wrong)).ok();
        errors.extend(method_error.map(|problem| FieldError { field: Field::Method, problem }));
        match (customer, method) {
            (Some(customer), Some(method)) if errors.is_empty() => Ok((customer, method)),
            _ => Err(Problem::Invalid(errors)),
        }
    }

    /// The price of a signed quote, held to the one that was shown. An order that was placed with it in time
    /// can be paid when its time is over.
    fn priced_by_quote(
        &self,
        request: &StartRequest,
        signed: &SignedQuote,
        before: Option<&OrderFile>,
    ) -> Result<Priced, StartError> {
        let is_placed = before.is_some_and(|file| {
            file.order.state == OrderState::Open && file.order.new.storefront.quote == Some(signed.id)
        });
        if signed.expires_at_ms <= self.now_ms() && !is_placed {
            return Err(Problem::Quote(QuoteProblem::Expired).into());
        }
        if signed.total.minor != request.shown_total_minor {
            let quote = pricing::fixed_quote(signed, request.language)?;
            return Err(Problem::PriceChanged(Box::new(quote)).into());
        }
        let delivery = signed.lines.iter().find(|line| line.kind == LineKind::Delivery);
        Ok(Priced {
            lines: signed.lines.clone(),
            delivery: delivery.map(|line| line.sku.clone()).unwrap_or_default(),
            total: signed.total,
            notices: Vec::new(),
        })
    }

    /// Prices the cart, and holds the price to the one that was shown.
    fn priced(&self, request: &StartRequest) -> Result<Priced, StartError> {
        let priced = pricing::price(&self.catalog, &request.lines, &request.delivery, request.language)?;
        if priced.lines.is_empty() {
            return Err(Problem::EmptyCart.into());
        }
        if !request.delivery.is_empty() && priced.delivery != request.delivery {
            return Err(not_offered(Field::Delivery).into());
        }
        if priced.total.minor != request.shown_total_minor || !priced.notices.is_empty() {
            let quote = self.quote(&QuoteRequest {
                lines: request.lines.clone(),
                delivery: request.delivery.clone(),
                language: request.language,
                signed_quote: String::new(),
            })?;
            return Err(Problem::PriceChanged(Box::new(quote)).into());
        }
        Ok(priced)
    }

    fn new_order(
        &self,
        request: &StartRequest,
        customer: Customer,
        cart: Hash,
        priced: &Priced,
        storefront: Storefront,
    ) -> Result<NewOrder, StartError> {
        let mode = self.settings.mode_for(priced.total.currency);
        let content = content_of(mode, &priced.lines, &customer, &storefront);
        Ok(NewOrder {
            reference: reference()?,
            mode,
            cart,
            content,
            lines: priced.lines.clone(),
            delivery: priced.delivery.clone(),
            total: priced.total,
            customer,
            language: request.language,
            day: self.settings.day_of(self.now_ms()),
            storefront,
        })
    }

    async fn place_new(
        &self,
        lease: Lease,
        secret: &str,
        mut order: NewOrder,
        method: PaymentMethod,
    ) -> Result<StartReply, StartError> {
        for _ in 0..REFERENCE_ATTEMPTS {
            let payment = self.payment_for(secret, &order, method).await?;
            let cart = OrderToPay::Cart(Box::new(order.clone()));
            match self.place(lease, cart, method, payment).await? {
                Attempt::Answered(reply) => return Ok(reply),
                Attempt::NeedsReference(Some(known)) => order.reference = known,
                Attempt::NeedsReference(None) => order.reference = reference()?,
            }
        }
        Err(Problem::Unavailable.into())
    }

    /// Stores what was prepared.
    async fn place(
        &self,
        lease: Lease,
        order: OrderToPay,
        method: PaymentMethod,
        prepared: Option<Prepared>,
    ) -> Result<Attempt, StartError> {
        let (payment, location) = prepared.map_or((None, None), |p| (Some(p.payment), Some(p.location)));
        let started = payment.as_ref().map(|payment| payment.gateway_order_id.clone());
        let placement = Placement { lease, order, method, payment };
        let placed = self.store.place(placement, self.now_ms(), &self.settings.timing).await?;
        if let (Placed::Started(order), Some(payment)) = (&placed, started) {
            counter!(PAYMENTS_STARTED, "method" => method.id()).increment(1);
            tracing::info!(order = order.0, payment, "a payment was started");
        }
        match (placed, location) {
            (Placed::Started(_), Some(location)) => Ok(Attempt::Answered(location)),
            (Placed::Started(order) | Placed::NothingToPay(order) | Placed::Ended(order), _) => {
                Ok(Attempt::Answered(self.result_page(order).await?))
            }
            (Placed::QuoteUsed, _) => Err(Problem::Quote(QuoteProblem::Used).into()),
            (Placed::LeaseLost, _) => Err(Problem::Busy.into()),
            (Placed::ReferenceTaken, _) => Ok(Attempt::NeedsReference(None)),
            (Placed::PlacedAs(reference), _) => Ok(Attempt::NeedsReference(Some(reference))),
        }
    }

    /// A new address of the order's result page.
    pub(crate) async fn result_page(&self, order: OrderId) -> Result<StartReply, StartError> {
        let token = self.open_order(order).await?;
        Ok(StartReply { location: format!("/checkout/result/{}", token.secret()) })
    }

    /// A new token that opens an order.
    pub async fn open_order(&self, order: OrderId) -> Result<Token, CheckoutError> {
        let token = Token::random()?;
        self.store.add_token(order, token.hash(), self.now_ms()).await?;
        Ok(token)
    }

    /// Prepares the payment of an order: its form is made and signed before anything is stored, so that
    /// what cannot be signed leaves no trace. `None` for the merchant's own methods.
    async fn payment_for(
        &self,
        secret: &str,
        order: &NewOrder,
        method: PaymentMethod,
    ) -> Result<Option<Prepared>, StartError> {
        if !method.uses_gateway() {
            return Ok(None);
        }
        if order.total.minor <= 0 {
            // There is nothing that the gateway could take.
            return Err(not_offered(Field::Method).into());
        }
        let Some(store) = self.settings.store_for(order.total.currency) else {
            return Err(not_offered(Field::Method).into());
        };
        let key = store.signing_key().ok_or_else(|| {
            CheckoutError::Configuration(format!("store {:?} has no key in use", store.name))
        })?;
        let gateway_order_id = mypos::OrderId::from_random(random()?);
        let salt = random()?;
        let handoff = Token::derived(HANDOFF, secret, &salt);

        let purchase = self.purchase(order, method, gateway_order_id.clone())?;
        let signed = self.sign(&key.ours, purchase.fields(&store.identity(key, order.language))).await?;
        let expires_ms = i64::from(self.settings.timing.form_expires_s) * 1000;
        let payment = NewPayment {
            gateway_order_id: gateway_order_id.as_str().to_owned(),
            store: store.name.clone(),
            key_index: key.index,
            method,
            money: order.total,
            form: HandoverForm { action: store.endpoint.clone(), fields: signed.into_pairs() },
            handoff: handoff.hash(),
            salt,
            expires_at_ms: self.now_ms().saturating_add(expires_ms),
        };
        Ok(Some(Prepared { payment, location: handover(&handoff) }))
    }

    fn purchase(
        &self,
        order: &NewOrder,
        method: PaymentMethod,
        order_id: mypos::OrderId,
    ) -> Result<Purchase, CheckoutError> {
        let details = order.customer.details();
        let url = |path: &str| format!("{}{path}", self.settings.public_url);
        let purchase = Purchase {
            amount: to_gateway(order.total)?,
            order_id,
            url_ok: url("/mypos/ok"),
            url_cancel: url("/mypos/cancel"),
            url_notify: url("/mypos/notify"),
            note: Some(order.reference.clone()),
            expires_in_s: self.settings.timing.form_expires_s,
            customer: Some(mypos::Customer {
                email: details.email.clone(),
                phone: Some(details.phone.clone()).filter(|phone| !phone.is_empty()),
                first_names: details.first_name.clone(),
                family_name: details.family_name.clone(),
                country: alpha3(&details.country).map(str::to_owned),
                city: details.city.clone(),
                postcode: details.postcode.clone(),
                address: details.street.clone(),
            }),
            lines: order.lines.iter().map(cart_line).collect(),
            payment_method: match method {
                PaymentMethod::Ideal => RequestedMethod::Ideal,
                _ => RequestedMethod::Card,
            },
            payment_parameters_required: PaymentParameters::Full,
        };
        purchase.check().map_err(|error| CheckoutError::Signing(error.to_string()))?;
        Ok(purchase)
    }
}

/// A payment that is signed but not stored, and where the shopper goes once it is.
struct Prepared {
    payment: NewPayment,
    location: StartReply,
}

fn handover(token: &Token) -> StartReply {
    StartReply { location: format!("/checkout/go/{}", token.secret()) }
}

fn not_offered(field: Field) -> Problem {
    Problem::Invalid(vec![FieldError { field, problem: FieldProblem::NotOffered }])
}

/// What is stored of a cart's id.
pub fn cart_hash(cart_id: &str) -> Hash {
    Hash::of(&[b"cart", cart_id.as_bytes()])
}

/// Money as the gateway writes it.
pub(crate) fn to_gateway(money: Money) -> Result<Amount, CheckoutError> {
    let currency = mypos::Currency::from_code(money.currency.code())
        .ok_or_else(|| CheckoutError::Configuration(format!("myPOS does not take {}", money.currency)))?;
    Ok(Amount::new(money.minor, currency))
}

fn cart_line(line: &OrderLine) -> CartLine {
    CartLine {
        article: line.name.clone(),
        quantity: line.quantity,
        unit_price_minor: line.unit.minor,
        delivery: line.kind == LineKind::Delivery,
    }
}

/// The details in the form in which they are checked, stored and signed.
fn cleaned(details: &Details) -> Details {
    let mut cleaned = Details::default();
    for field in Field::DETAILS {
        // One more than allowed, so that what is too long is found and not silently cut.
        cleaned.set(field, clean(details.get(field), field.max_chars() + 1));
    }
    cleaned
}

/// What makes two presses the same request.
fn fingerprint_of_start(request: &StartRequest, details: &Details, method: PaymentMethod) -> Hash {
    let mut parts: Vec<String> = vec![
        "start".to_owned(),
        request.cart_id.clone(),
        request.lines.to_string(),
        request.delivery.clone(),
        method.id().to_owned(),
        request.shown_total_minor.to_string(),
        request.language.tag().to_owned(),
        request.storefront.signed_quote.clone(),
        request.storefront.reference.clone(),
        request.storefront.return_url.clone(),
    ];
    parts.extend(Field::DETAILS.map(|field| details.get(field).to_owned()));
    Hash::of(&parts.iter().map(String::as_bytes).collect::<Vec<_>>())
}

/// What makes two orders of one cart the same order.
fn content_of(mode: Mode, lines: &[OrderLine], customer: &Customer, storefront: &Storefront) -> Hash {
    let mut parts = vec!["content".to_owned(), mode.name().to_owned()];
    for line in lines {
        parts.extend([
            line.sku.clone(),
            line.quantity.to_string(),
            line.unit.minor.to_string(),
            line.unit.currency.to_string(),
        ]);
    }
    parts.extend(Field::DETAILS.map(|field| customer.details().get(field).to_owned()));
    parts.extend([storefront.reference.clone(), storefront.return_url.clone()]);
    let mut parts: Vec<&[u8]> = parts.iter().map(String::as_bytes).collect();
    parts.extend(storefront.quote.as_ref().map(|quote| quote.0.as_slice()));
    Hash::of(&parts)
}

/// A reference that people can read out: `TG-7K3M-9QXA`, without letters and digits that look alike.
fn reference() -> Result<String, CheckoutError> {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let letters: String = random::<8>()?
        .into_iter()
        .filter_map(|byte| ALPHABET.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter))
        .collect();
    let (front, back) = letters.split_at(4);
    Ok(format!("TG-{front}-{back}"))
}

impl Checkout {
    /// The hand-over page of a token: its form, if it may still be sent.
    pub async fn handover(&self, token: &Token) -> Result<Option<Handover>, CheckoutError> {
        let now_ms = self.now_ms();
        let Some(handoff) = self.store.open_handoff(token.hash(), now_ms).await? else {
            return Ok(None);
        };
        let timing = &self.settings.timing;
        let fresh = now_ms.saturating_sub(handoff.payment.started_at_ms) < timing.handover_fresh_ms
            && handoff.first_time
            && handoff.payment.state == PaymentState::Started;
        Ok(Some(Handover { form: fresh.then_some(handoff.form), order: handoff.order }))
    }

    /// The newest order of a cart, for a page that remembers what was typed.
    pub async fn order_of_cart(&self, cart_id: &str) -> Result<Option<OrderFile>, CheckoutError> {
        Ok(self.store.order_by_cart(cart_hash(cart_id)).await?)
    }

    /// The order that a token opens.
    pub async fn order_of_token(&self, token: &Token) -> Result<Option<OrderFile>, CheckoutError> {
        Ok(self.store.order_by_token(token.hash()).await?)
    }
}

/// A hand-over page.
#[derive(Clone, Debug)]
pub struct Handover {
    /// The signed form; `None` where the gateway has probably seen it: then a new payment is needed.
    pub form: Option<HandoverForm>,
    /// The order.
    pub order: Order,
}
