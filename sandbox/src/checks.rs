//! The checks of a request, in the order of the real gateway: method, signature, SID and wallet,
//! amount > 0, paid before, cart not empty, URLs, cart sum, parameters.
//!
//! The order is the one in which the gateway's own transaction log names them (myPOS docs,
//! `IPCGetTxnLog`); a request with several faults is answered for the first.

use mypos::{Currency, Fields, PublicKey, StatusCode, Unverified, Verified};
use reqwest::Url;

use crate::money::Decimal;
use crate::state::{Customer, CustomerData, Line, Method, Order};

/// The versions of the protocol that exist (myPOS docs, Version control).
const VERSIONS: [&str; 6] = ["1.0", "1.1", "1.2", "1.3", "1.4", "1.4.1"];
/// The version in which the partner programme's ids are required.
const PARTNER_VERSION: &str = "1.4.1";
/// Versions whose `IPCPurchase` had neither `CardTokenRequest` nor `PaymentParametersRequired`.
const EARLY_VERSIONS: [&str; 3] = ["1.0", "1.1", "1.2"];
/// How long an order id may be (myPOS docs, Purchase).
const MAX_ORDER_ID: usize = 80;
/// How many lines a cart may have; more fields would not fit into one message.
const MAX_LINES: u32 = 90;
/// How long a session lasts where `expires_in` says nothing (the default of the official PHP SDK).
const DEFAULT_EXPIRES_S: u32 = 86_400;

/// Why a request was refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) code: StatusCode,
    /// What is wrong, for the developer. After the code's name it makes the `StatusMsg`.
    pub(crate) detail: String,
}

impl Refusal {
    pub(crate) fn new(code: StatusCode, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    fn missing(name: &str) -> Self {
        Self::new(StatusCode::MissingParameters, format!("{name} is missing or empty"))
    }

    fn invalid(name: &str, why: &str) -> Self {
        Self::new(StatusCode::InvalidParameters, format!("{name}: {why}"))
    }

    /// An order id that was seen before, in the gateway's own words.
    pub(crate) fn duplicate() -> Self {
        Self::invalid("order_id", "Duplicate value")
    }

    /// The `StatusMsg` of a reply.
    pub(crate) fn message(&self) -> String {
        format!("{}: {}", self.code.name(), self.detail)
    }
}

/// The checks that were passed, for the transaction log.
#[derive(Default)]
pub(crate) struct Trail(Vec<(&'static str, String)>);

impl Trail {
    fn passed(&mut self, check: &'static str) {
        self.0.push((check, "OK".to_owned()));
    }

    /// The checks with their results, in order.
    pub(crate) fn into_lines(self) -> Vec<(&'static str, String)> {
        self.0
    }
}

/// Who the store is: what a request must name and be signed with.
pub(crate) struct Store<'a> {
    pub(crate) sid: &'a str,
    pub(crate) wallet: &'a str,
    pub(crate) key_index: u32,
    pub(crate) key: &'a PublicKey,
}

/// The first three checks, which are the same for every method.
pub(crate) fn identify(
    request: &Unverified,
    store: &Store<'_>,
    trail: &mut Trail,
) -> Result<Verified, Refusal> {
    let claimed = request.claimed();
    let version = required(claimed, "IPCVersion")?;
    if !VERSIONS.contains(&version) {
        return Err(Refusal::new(
            StatusCode::UnsupportedCall,
            format!("IPCVersion {version:?} is none of {}", VERSIONS.join(", ")),
        ));
    }
    trail.passed("Checking method");

    if let Some(index) = claimed.text("KeyIndex")
        && index.parse() != Ok(store.key_index)
    {
        return Err(Refusal::new(
            StatusCode::IpcError,
            format!("KeyIndex is {index:?}, but the key of the configuration package is {}", store.key_index),
        ));
    }
    let verified = request.verify(store.key).map_err(|error| {
        let signed = claimed.signed_text();
        Refusal::new(
            StatusCode::SignatureFailed,
            format!("{error}; as received, the values in order are {:?}", shortened(&signed)),
        )
    })?;
    trail.passed("Checking signature");

    let fields = verified.fields();
    match fields.text("SID") {
        Some(sid) if sid == store.sid => {}
        _ => return Err(Refusal::new(StatusCode::InvalidSid, format!("SID must be {}", store.sid))),
    }
    match fields.text("WalletNumber") {
        Some(wallet) if wallet == store.wallet => {}
        _ => {
            return Err(Refusal::new(
                StatusCode::InvalidSid,
                format!("WalletNumber must be {} for this SID", store.wallet),
            ));
        }
    }
    trail.passed("Check if SID match to wallet number");
    Ok(verified)
}

/// What the gateway remembers about an order id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Never,
    Unpaid,
    Paid,
}

/// The remaining checks of `IPCPurchase`. `seen` is what the gateway remembers about its order id;
/// `may_repeat` is asked whether an unpaid one may come again, and only then.
pub(crate) fn purchase(
    fields: &Fields,
    seen: Seen,
    may_repeat: impl FnOnce() -> bool,
    trail: &mut Trail,
) -> Result<Order, Refusal> {
    let version = required(fields, "IPCVersion")?;
    let is_early = EARLY_VERSIONS.contains(&version);
    match optional(fields, "CardTokenRequest") {
        None | Some("0") => {}
        Some("1" | "2") => {
            return Err(Refusal::new(
                StatusCode::UnsupportedCall,
                "the sandbox stores no cards: CardTokenRequest must be 0",
            ));
        }
        Some(_) => return Err(Refusal::invalid("CardTokenRequest", "must be 0, 1 or 2")),
    }

    let amount_text = required(fields, "Amount")?;
    let amount = positive("Amount", amount_text)?;
    trail.passed("Checking is amount > 0");

    let order_id = required(fields, "OrderID")?;
    if seen == Seen::Paid {
        return Err(Refusal::new(
            StatusCode::DuplicateTransmission,
            "a payment with this OrderID is paid already",
        ));
    }
    trail.passed("Checking for request marked as paid with this order_id");

    let count = cart_count(fields)?;
    trail.passed("Checking is cart items > 0");

    let mut warnings = Vec::new();
    let url_ok = shop_url(fields, "URL_OK")?;
    let url_cancel = shop_url(fields, "URL_Cancel")?;
    let url_notify = notify_url("URL_Notify", required(fields, "URL_Notify")?, &mut warnings)?;
    trail.passed("Checking the URLs (url_ok, url_cancel, url_notify)");

    let lines = cart(fields, count, amount)?;
    trail.passed("Checking cart");

    let currency = currency(fields)?;
    let minor = exact_amount(amount_text, currency)?;
    let customer_data = customer_data(fields, is_early)?;
    let customer = customer(fields, customer_data)?;
    cart_parameters(fields, count, currency)?;
    let methods = methods(fields, currency)?;
    other_parameters(fields, order_id)?;
    let expires_in_s = expires_in(fields)?;
    if seen == Seen::Unpaid && !may_repeat() {
        return Err(Refusal::duplicate());
    }
    trail.passed("Check post params");

    Ok(Order {
        id: order_id.to_owned(),
        amount: amount_text.to_owned(),
        minor,
        currency: currency.code().to_owned(),
        url_ok,
        url_cancel,
        url_notify,
        methods,
        customer_data,
        customer,
        note: optional(fields, "Note").unwrap_or_default().to_owned(),
        lines,
        expires_in_s,
        warnings,
    })
}

/// The text of a field that must be there and not empty.
pub(crate) fn required<'a>(fields: &'a Fields, name: &str) -> Result<&'a str, Refusal> {
    optional(fields, name).ok_or_else(|| Refusal::missing(name))
}

/// The text of a field; an empty one counts as absent.
pub(crate) fn optional<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.text(name).filter(|text| !text.is_empty())
}

/// A number above zero.
pub(crate) fn positive(name: &str, text: &str) -> Result<Decimal, Refusal> {
    let number = Decimal::parse(text).ok_or_else(|| {
        Refusal::invalid(name, &format!("{text:?} is not a number such as 12.30, with a point and no more"))
    })?;
    if number > Decimal::ZERO {
        Ok(number)
    } else {
        Err(Refusal::new(StatusCode::WrongAmount, format!("{name} must be above 0")))
    }
}

/// The currency of the request, which must be one that the store has.
pub(crate) fn currency(fields: &Fields) -> Result<Currency, Refusal> {
    let code = required(fields, "Currency")?;
    Currency::from_code(code).ok_or_else(|| {
        Refusal::new(
            StatusCode::StoreRestricted,
            format!("the currency {code:?} is not enabled for this store"),
        )
    })
}

/// The amount in minor units.
pub(crate) fn exact_amount(text: &str, currency: Currency) -> Result<i64, Refusal> {
    mypos::Amount::parse(text, currency)
        .map(|amount| amount.minor)
        .map_err(|error| Refusal::invalid("Amount", &error.to_string()))
}

/// An order id that the gateway can take.
pub(crate) fn order_id_length(order_id: &str) -> Result<(), Refusal> {
    if order_id.chars().count() > MAX_ORDER_ID {
        return Err(Refusal::invalid("order_id", &format!("longer than {MAX_ORDER_ID} characters")));
    }
    Ok(())
}

/// The parameters that every method has.
pub(crate) fn common_parameters(fields: &Fields) -> Result<(), Refusal> {
    if fields.has_repeated_names() {
        return Err(Refusal::new(
            StatusCode::InvalidParameters,
            "a field is there twice (letter case and _ do not distinguish names)",
        ));
    }
    let language = required(fields, "IPCLanguage")?;
    if language.len() != 2 || !language.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Err(Refusal::invalid("IPCLanguage", "must be two letters"));
    }
    required(fields, "KeyIndex")?;
    if fields.text("IPCVersion") == Some(PARTNER_VERSION) {
        required(fields, "ApplicationID")?;
        required(fields, "PartnerID")?;
    }
    Ok(())
}

fn cart_count(fields: &Fields) -> Result<u32, Refusal> {
    let text = required(fields, "CartItems")?;
    match text.parse() {
        Ok(0) => Err(Refusal::new(StatusCode::MissingParameters, "the cart is empty: CartItems is 0")),
        Ok(count) if count <= MAX_LINES => Ok(count),
        Ok(_) => Err(Refusal::invalid("CartItems", &format!("more than {MAX_LINES} lines"))),
        Err(_) => Err(Refusal::invalid("CartItems", &format!("{text:?} is not a whole number"))),
    }
}

fn shop_url(fields: &Fields, name: &str) -> Result<String, Refusal> {
    let text = required(fields, name)?;
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(text.to_owned()),
        _ => Err(Refusal::invalid(name, &format!("{text:?} is not an http or https address"))),
    }
}

/// The address of notifications: `https` without a port. On the loopback interface, where the real gateway
/// could not reach anything, `http` and ports pass with a warning.
pub(crate) fn notify_url(name: &str, text: &str, warnings: &mut Vec<String>) -> Result<String, Refusal> {
    let url = Url::parse(text)
        .ok()
        .filter(Url::has_host)
        .ok_or_else(|| Refusal::invalid(name, &format!("{text:?} is not an address")))?;
    let (is_https, has_port) = (url.scheme() == "https", url.port().is_some());
    if is_https && !has_port {
        return Ok(text.to_owned());
    }
    if matches!(url.scheme(), "http" | "https") && is_loopback(&url) {
        let what = if is_https { "a port" } else { "http" };
        warnings.push(format!(
            "{name} is accepted with {what} only because it is on this machine: \
             myPOS takes https without a port."
        ));
        return Ok(text.to_owned());
    }
    let why = if is_https { "must not have a port" } else { "must be https" };
    Err(Refusal::invalid(name, why))
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Reads the lines and holds their sums against each other.
fn cart(fields: &Fields, count: u32, amount: Decimal) -> Result<Vec<Line>, Refusal> {
    let mut lines = Vec::new();
    let mut sum = Decimal::ZERO;
    for number in 1..=count {
        let name = |part: &str| format!("{part}_{number}");
        let text = |part: &str| required(fields, &name(part));
        let decimal = |part: &str| {
            let text = text(part)?;
            Decimal::parse(text)
                .ok_or_else(|| Refusal::invalid(&name(part), &format!("{text:?} is not a number")))
        };
        let article = text("Article")?;
        let (quantity, price, line_amount) = (decimal("Quantity")?, decimal("Price")?, decimal("Amount")?);
        if !price.times_is(quantity, line_amount) {
            return Err(Refusal::new(
                StatusCode::WrongAmount,
                format!("Amount_{number} is not Quantity_{number} times Price_{number}"),
            ));
        }
        sum = sum.plus(line_amount);
        lines.push(Line {
            article: article.to_owned(),
            quantity: text("Quantity")?.to_owned(),
            amount: text("Amount")?.to_owned(),
        });
    }
    if sum == amount {
        Ok(lines)
    } else {
        Err(Refusal::new(StatusCode::WrongAmount, "the amounts of the cart lines do not add up to Amount"))
    }
}

fn cart_parameters(fields: &Fields, count: u32, currency: Currency) -> Result<(), Refusal> {
    for number in 1..=count {
        let name = format!("Quantity_{number}");
        let quantity = required(fields, &name)?;
        if !quantity.bytes().all(|byte| byte.is_ascii_digit()) || quantity.bytes().all(|byte| byte == b'0') {
            let why = format!("{quantity:?} is not a whole number above 0 (no decimals, not even .00)");
            return Err(Refusal::invalid(&name, &why));
        }
        let name = format!("Currency_{number}");
        if required(fields, &name)? != currency.code() {
            return Err(Refusal::invalid(&name, "must be the currency of the purchase"));
        }
    }
    Ok(())
}

fn customer_data(fields: &Fields, is_early: bool) -> Result<CustomerData, Refusal> {
    if !is_early {
        required(fields, "CardTokenRequest")?;
    }
    match optional(fields, "PaymentParametersRequired") {
        Some("1") => Ok(CustomerData::Given),
        Some("2") => Ok(CustomerData::Asked),
        Some("3") => Ok(CustomerData::None),
        Some(_) => Err(Refusal::invalid("PaymentParametersRequired", "must be 1, 2 or 3")),
        None if is_early => Ok(CustomerData::Asked),
        None => Err(Refusal::missing("PaymentParametersRequired")),
    }
}

fn customer(fields: &Fields, data: CustomerData) -> Result<Customer, Refusal> {
    if data == CustomerData::Given {
        for name in [
            "CustomerEmail",
            "CustomerFirstNames",
            "CustomerFamilyName",
            "CustomerAddress",
            "CustomerZIPCode",
            "CustomerCity",
        ] {
            required(fields, name)?;
        }
    }
    if let Some(email) = optional(fields, "CustomerEmail")
        && !is_email(email)
    {
        return Err(Refusal::invalid("CustomerEmail", &format!("{email:?} is not an e-mail address")));
    }
    if let Some(country) = optional(fields, "CustomerCountry")
        && (country.len() != 3 || !country.bytes().all(|byte| byte.is_ascii_alphabetic()))
    {
        return Err(Refusal::invalid("CustomerCountry", "must be three letters (ISO 3166-1 alpha-3)"));
    }
    let text = |name: &str| fields.text(name).unwrap_or_default().to_owned();
    Ok(Customer {
        email: text("CustomerEmail"),
        phone: text("CustomerPhone"),
        first_names: text("CustomerFirstNames"),
        family_name: text("CustomerFamilyName"),
        country: text("CustomerCountry"),
        city: text("CustomerCity"),
        zip: text("CustomerZIPCode"),
        address: text("CustomerAddress"),
    })
}

/// Whether a text could be an e-mail address: something on both sides of one `@`, without blanks.
pub(crate) fn is_email(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(local, host)| !local.is_empty() && !host.is_empty() && !host.contains('@'))
        && !text.contains(char::is_whitespace)
}

/// What the shopper may choose from: 1 card, 2 iDEAL, 3 or nothing both; 4 to 6 and lists such as `1,2`
/// come from newer clients.
fn methods(fields: &Fields, currency: Currency) -> Result<Vec<Method>, Refusal> {
    let requested = optional(fields, "PaymentMethod").unwrap_or("3");
    let is_euro = currency == Currency::Eur;
    let mut methods = Vec::new();
    for code in requested.split(',').map(str::trim) {
        let chosen = match code {
            "3" if is_euro => vec![Method::Card, Method::Ideal],
            "3" => vec![Method::Card],
            _ => Method::ALL.into_iter().filter(|method| method.code() == code).collect(),
        };
        if chosen.is_empty() {
            return Err(Refusal::invalid("PaymentMethod", &format!("{code:?} is none of 1 to 6")));
        }
        if !is_euro && chosen.contains(&Method::Ideal) {
            return Err(Refusal::invalid("PaymentMethod", "iDEAL needs EUR"));
        }
        methods.extend(chosen);
    }
    methods.sort_unstable_by_key(|method| method.code());
    methods.dedup();
    Ok(methods)
}

fn other_parameters(fields: &Fields, order_id: &str) -> Result<(), Refusal> {
    common_parameters(fields)?;
    order_id_length(order_id)?;
    if let Some(account) = optional(fields, "AccountSettlement")
        && !account.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(Refusal::invalid("AccountSettlement", "must be a number"));
    }
    Ok(())
}

fn expires_in(fields: &Fields) -> Result<u32, Refusal> {
    let Some(text) = optional(fields, "expires_in") else { return Ok(DEFAULT_EXPIRES_S) };
    text.parse()
        .ok()
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| Refusal::invalid("expires_in", "must be a whole number of seconds above 0"))
}

/// The beginning of a text that may be long.
fn shortened(text: &str) -> String {
    const LIMIT: usize = 600;
    match text.char_indices().nth(LIMIT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or(text)),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notifications_go_to_https_without_a_port_or_stay_on_this_machine() {
        let check = |url: &str| {
            let mut warnings = Vec::new();
            notify_url("URL_Notify", url, &mut warnings).map(|_| warnings.len()).map_err(|no| no.code.code())
        };
        assert_eq!(check("https://shop.example/notify"), Ok(0));
        for loopback in [
            "http://127.0.0.1:3000/n",
            "http://localhost/n",
            "https://localhost:8443/n",
            "http://[::1]:3000/n",
        ] {
            assert_eq!(check(loopback), Ok(1), "{loopback}");
        }
        for bad in [
            "http://shop.example/n",
            "https://shop.example:8443/n",
            "http://192.168.1.2/n",
            "http://localhost.example/n",
            "ftp://localhost/n",
            "localhost",
            "",
        ] {
            assert_eq!(check(bad), Err(5), "{bad}");
        }
    }

    #[test]
    fn methods_are_read_as_single_numbers_and_as_lists() {
        let read = |requested: &str, currency| {
            let fields: Fields = [("PaymentMethod", requested)].into_iter().collect();
            methods(&fields, currency).map_err(|no| no.code.code())
        };
        assert_eq!(read("", Currency::Eur), Ok(vec![Method::Card, Method::Ideal]));
        assert_eq!(read("3", Currency::Usd), Ok(vec![Method::Card]));
        assert_eq!(read("2,1", Currency::Eur), Ok(vec![Method::Card, Method::Ideal]));
        assert_eq!(read("2", Currency::Usd), Err(5));
        assert_eq!(read("9", Currency::Eur), Err(5));
    }
}
