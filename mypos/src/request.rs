//! Requests from a store to the gateway, with their fields in the order of the official PHP SDK.

use crate::money::wire;
use crate::{Amount, Fields, OrderId, Trnref};

/// The language of the gateway's pages and messages (myPOS docs, Purchase).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the variants are the ISO 639-1 codes")]
pub enum Language {
    #[default]
    En,
    Fr,
    It,
    De,
    Sv,
    Pt,
    Nl,
    El,
    Bg,
    Es,
}

impl Language {
    /// Every language of the payment page.
    pub const ALL: [Self; 10] =
        [Self::En, Self::Fr, Self::It, Self::De, Self::Sv, Self::Pt, Self::Nl, Self::El, Self::Bg, Self::Es];

    /// The code as it is sent, such as `EN`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::En => "EN",
            Self::Fr => "FR",
            Self::It => "IT",
            Self::De => "DE",
            Self::Sv => "SV",
            Self::Pt => "PT",
            Self::Nl => "NL",
            Self::El => "EL",
            Self::Bg => "BG",
            Self::Es => "ES",
        }
    }

    /// The language with that code, in either letter case.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code().eq_ignore_ascii_case(code))
    }
}

/// Who asks: what every request of a store begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreIdentity {
    /// The store's id (`SID`). Leading zeros count.
    pub sid: String,
    /// The wallet (`WalletNumber`).
    pub wallet: String,
    /// Which of the store's key pairs signs (`KeyIndex`).
    pub key_index: u32,
    /// The language of pages and messages.
    pub language: Language,
    /// The software that asks, for the gateway's logs.
    pub source: String,
    /// The application id of the partner programme; counts only together with the partner id.
    pub application_id: Option<String>,
    /// The partner id of the partner programme; counts only together with the application id.
    pub partner_id: Option<String>,
}

impl StoreIdentity {
    /// The two ids of the partner programme, if there are both.
    fn partner(&self) -> Option<(&str, &str)> {
        self.application_id.as_deref().zip(self.partner_id.as_deref())
    }

    /// The version of the protocol: 1.4.1 is 1.4 with the partner programme (myPOS docs, Refund).
    fn version(&self) -> &'static str {
        if self.partner().is_some() { "1.4.1" } else { "1.4" }
    }

    /// The fields that every request begins with.
    fn common(&self, method: &str) -> Fields {
        let mut fields = Fields::new();
        fields.push("IPCmethod", method);
        fields.push("IPCVersion", self.version());
        fields.push("IPCLanguage", self.language.code());
        fields.push("SID", &self.sid);
        fields.push("WalletNumber", &self.wallet);
        fields.push("KeyIndex", self.key_index.to_string());
        fields.push("Source", &self.source);
        fields
    }

    fn push_partner(&self, fields: &mut Fields) {
        if let Some((application_id, partner_id)) = self.partner() {
            fields.push("ApplicationID", application_id);
            fields.push("PartnerID", partner_id);
        }
    }
}

/// A request that a store can make.
///
/// To send it, sign [`fields`](Self::fields) with
/// [`PrivateKey::sign_fields`](crate::PrivateKey::sign_fields).
pub trait Request {
    /// The method (`IPCmethod`).
    const METHOD: &str;

    /// The fields in order, without `Signature`.
    fn fields(&self, store: &StoreIdentity) -> Fields;
}

/// The means of payment that the shopper may choose from (`PaymentMethod`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestedMethod {
    /// Cards only.
    Card = 1,
    /// iDEAL only; needs euros.
    Ideal = 2,
    /// All that the store has.
    All = 3,
}

/// How much of the customer the shop hands over (`PaymentParametersRequired`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentParameters {
    /// The shop sends e-mail, names and address, and the page shows them locked.
    Full = 1,
    /// The shopper types them on the page.
    Simplified = 2,
    /// The page asks for the card only.
    CardOnly = 3,
}

/// The customer, as the payment page shows him.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// E-mail address.
    pub email: String,
    /// Telephone number.
    pub phone: Option<String>,
    /// First names.
    pub first_names: String,
    /// Family name.
    pub family_name: String,
    /// Country, ISO 3166-1 alpha-3 in capitals (`DEU`, not `DE`).
    pub country: Option<String>,
    /// City.
    pub city: String,
    /// Postcode.
    pub postcode: String,
    /// Street and house number.
    pub address: String,
}

/// One line of the cart. Delivery, fees and tax are lines; a discount is a line with a negative price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartLine {
    /// What it is, at most [`CartLine::MAX_ARTICLE_CHARS`] characters.
    pub article: String,
    /// How many, at least 1.
    pub quantity: u32,
    /// The gross price of one, in minor units of the purchase's currency.
    pub unit_price_minor: i64,
    /// Whether this line is the delivery (`Delivery_n`).
    pub delivery: bool,
}

impl CartLine {
    /// The most characters that the name of an article may have.
    pub const MAX_ARTICLE_CHARS: usize = 127;

    /// Quantity times price, in minor units. The product of 32 and 64 bits always fits.
    fn total_minor(&self) -> i128 {
        i128::from(self.quantity) * i128::from(self.unit_price_minor)
    }
}

/// `IPCPurchase`: sends the shopper to the payment page. The browser posts it as a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// What is to be paid: the sum of the lines.
    pub amount: Amount,
    /// A fresh id for this attempt.
    pub order_id: OrderId,
    /// Where the gateway sends the browser after a payment, by a POST.
    pub url_ok: String,
    /// Where the gateway sends the browser otherwise, by a POST.
    pub url_cancel: String,
    /// Where the gateway posts the result, server to server. The real one takes https without a port only.
    pub url_notify: String,
    /// A note that the gateway keeps.
    pub note: Option<String>,
    /// For how many seconds the payment page stays open.
    pub expires_in_s: u32,
    /// The customer; needed for [`PaymentParameters::Full`].
    pub customer: Option<Customer>,
    /// The cart, at least one line.
    pub lines: Vec<CartLine>,
    /// The means of payment on offer.
    pub payment_method: RequestedMethod,
    /// How much of the customer the shop hands over.
    pub payment_parameters_required: PaymentParameters,
}

/// Why the gateway would refuse a purchase.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PurchaseError {
    /// The amount is zero or negative.
    #[error("the amount is not positive")]
    AmountNotPositive,
    /// There are no lines.
    #[error("the cart is empty")]
    EmptyCart,
    /// A line has quantity 0.
    #[error("line {0} has quantity 0")]
    ZeroQuantity(usize),
    /// The name of an article is too long.
    #[error("the article of line {0} has more than {max} characters", max = CartLine::MAX_ARTICLE_CHARS)]
    ArticleTooLong(usize),
    /// The sum of the lines does not fit.
    #[error("the sum of the lines is too large")]
    Overflow,
    /// The lines do not sum to the amount.
    #[error("the lines sum to {lines_minor} minor units, the amount is {amount_minor}")]
    SumDiffers {
        /// The sum of the lines.
        lines_minor: i64,
        /// The amount.
        amount_minor: i64,
    },
    /// All payment parameters are promised, but this part of the customer is missing.
    #[error("the customer's {0} is missing")]
    CustomerIncomplete(&'static str),
    /// The country is not three capital letters.
    #[error("the country is not an ISO 3166-1 alpha-3 code")]
    Country,
    /// The value of this field holds a control character. A browser would send another text than the one
    /// that was signed (a line feed, for one, becomes CR LF).
    #[error("{0} holds a control character")]
    ControlCharacter(String),
}

impl Purchase {
    /// Checks what the gateway would refuse with an error page: the sum of the lines, their quantities and
    /// names, and the customer.
    ///
    /// # Errors
    /// [`PurchaseError`]; lines are counted from 1, as in the names of their fields.
    pub fn check(&self) -> Result<(), PurchaseError> {
        self.check_lines()?;
        self.check_customer()?;
        let mut own = Fields::new();
        self.push_fields(&mut own, |_| {});
        match own.iter().find(|field| field.text().is_some_and(|text| text.contains(char::is_control))) {
            Some(field) => Err(PurchaseError::ControlCharacter(field.name.clone())),
            None => Ok(()),
        }
    }

    fn check_lines(&self) -> Result<(), PurchaseError> {
        if self.amount.minor <= 0 {
            return Err(PurchaseError::AmountNotPositive);
        }
        if self.lines.is_empty() {
            return Err(PurchaseError::EmptyCart);
        }
        let mut sum = 0_i128;
        for (line, number) in self.lines.iter().zip(1..) {
            if line.quantity == 0 {
                return Err(PurchaseError::ZeroQuantity(number));
            }
            if line.article.chars().count() > CartLine::MAX_ARTICLE_CHARS {
                return Err(PurchaseError::ArticleTooLong(number));
            }
            sum = sum.checked_add(line.total_minor()).ok_or(PurchaseError::Overflow)?;
        }
        let lines_minor = i64::try_from(sum).map_err(|_| PurchaseError::Overflow)?;
        if lines_minor == self.amount.minor {
            Ok(())
        } else {
            Err(PurchaseError::SumDiffers { lines_minor, amount_minor: self.amount.minor })
        }
    }

    fn check_customer(&self) -> Result<(), PurchaseError> {
        let Some(customer) = &self.customer else {
            return match self.payment_parameters_required {
                PaymentParameters::Full => Err(PurchaseError::CustomerIncomplete("data")),
                PaymentParameters::Simplified | PaymentParameters::CardOnly => Ok(()),
            };
        };
        if let Some(country) = &customer.country
            && !(country.len() == 3 && country.bytes().all(|byte| byte.is_ascii_uppercase()))
        {
            return Err(PurchaseError::Country);
        }
        let required = [
            (&customer.email, "e-mail address"),
            (&customer.first_names, "first name"),
            (&customer.family_name, "family name"),
            (&customer.address, "street"),
            (&customer.city, "city"),
            (&customer.postcode, "postcode"),
        ];
        match required.into_iter().find(|(value, _)| value.trim().is_empty()) {
            Some((_, what)) if self.payment_parameters_required == PaymentParameters::Full => {
                Err(PurchaseError::CustomerIncomplete(what))
            }
            _ => Ok(()),
        }
    }

    /// The fields after the common ones. `partner` adds those of the partner programme in their place.
    fn push_fields(&self, fields: &mut Fields, partner: impl FnOnce(&mut Fields)) {
        let currency = self.amount.currency;
        fields.push("Currency", currency.code());
        fields.push("Amount", self.amount.to_wire());
        fields.push("OrderID", self.order_id.as_str());
        fields.push("URL_OK", &self.url_ok);
        fields.push("URL_Cancel", &self.url_cancel);
        fields.push("URL_Notify", &self.url_notify);
        push_some(fields, "Note", self.note.as_ref());
        fields.push("expires_in", self.expires_in_s.to_string());
        partner(fields);
        if let Some(customer) = &self.customer {
            fields.push("customeremail", &customer.email);
            push_some(fields, "customerphone", customer.phone.as_ref());
            fields.push("customerfirstnames", &customer.first_names);
            fields.push("customerfamilyname", &customer.family_name);
            push_some(fields, "customercountry", customer.country.as_ref());
            fields.push("customercity", &customer.city);
            fields.push("customerzipcode", &customer.postcode);
            fields.push("customeraddress", &customer.address);
        }
        fields.push("CartItems", self.lines.len().to_string());
        for (line, number) in self.lines.iter().zip(1_usize..) {
            let price = wire(i128::from(line.unit_price_minor), currency);
            fields.push(format!("Article_{number}"), &line.article);
            fields.push(format!("Quantity_{number}"), line.quantity.to_string());
            fields.push(format!("Price_{number}"), price);
            fields.push(format!("Amount_{number}"), wire(line.total_minor(), currency));
            fields.push(format!("Currency_{number}"), currency.code());
            if line.delivery {
                fields.push(format!("Delivery_{number}"), "1");
            }
        }
        // No card is ever stored, so no card data ever comes back.
        fields.push("CardTokenRequest", "0");
        let parameters = self.payment_parameters_required as u8;
        fields.push("PaymentParametersRequired", parameters.to_string());
        fields.push("PaymentMethod", (self.payment_method as u8).to_string());
    }
}

impl Request for Purchase {
    const METHOD: &str = "IPCPurchase";

    fn fields(&self, store: &StoreIdentity) -> Fields {
        let mut fields = store.common(Self::METHOD);
        self.push_fields(&mut fields, |fields| store.push_partner(fields));
        fields
    }
}

fn push_some(fields: &mut Fields, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        fields.push(name, value);
    }
}

/// `IPCGetPaymentStatus`: asks how a payment stands, and for its declined attempts. The reply is JSON, a
/// [`PaymentStatusReply`](crate::PaymentStatusReply).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetPaymentStatus {
    /// The payment asked about.
    pub order_id: OrderId,
}

impl Request for GetPaymentStatus {
    const METHOD: &str = "IPCGetPaymentStatus";

    fn fields(&self, store: &StoreIdentity) -> Fields {
        let mut fields = store.common(Self::METHOD);
        fields.push("OrderID", self.order_id.as_str());
        fields.push("OutputFormat", "json");
        fields.push("get_declined_payments", "1");
        fields
    }
}

/// `IPCGetTxnStatus`: asks for the last callback about a payment. The reply is JSON, a
/// [`TxnStatusReply`](crate::TxnStatusReply).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GetTxnStatus {
    /// The payment asked about.
    pub order_id: OrderId,
}

impl Request for GetTxnStatus {
    const METHOD: &str = "IPCGetTxnStatus";

    fn fields(&self, store: &StoreIdentity) -> Fields {
        let mut fields = store.common(Self::METHOD);
        fields.push("OrderID", self.order_id.as_str());
        fields.push("OutputFormat", "json");
        fields
    }
}

/// `IPCRefund`: gives part of a payment back, or all of it. The reply is JSON, a
/// [`RefundReply`](crate::RefundReply).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// An id of the refund's own, other than the purchase's (myPOS docs, Refund).
    pub order_id: OrderId,
    /// The payment to refund.
    pub trnref: Trnref,
    /// How much.
    pub amount: Amount,
}

impl Request for Refund {
    const METHOD: &str = "IPCRefund";

    fn fields(&self, store: &StoreIdentity) -> Fields {
        let mut fields = store.common(Self::METHOD);
        fields.push("Currency", self.amount.currency.code());
        fields.push("Amount", self.amount.to_wire());
        fields.push("OrderID", self.order_id.as_str());
        fields.push("IPC_Trnref", self.trnref.as_str());
        fields.push("OutputFormat", "json");
        store.push_partner(&mut fields);
        fields
    }
}

/// `IPCReversal`: voids a whole payment. The reply is JSON, a [`ReversalReply`](crate::ReversalReply).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// The payment to void.
    pub trnref: Trnref,
}

impl Request for Reversal {
    const METHOD: &str = "IPCReversal";

    fn fields(&self, store: &StoreIdentity) -> Fields {
        let mut fields = store.common(Self::METHOD);
        fields.push("IPC_Trnref", self.trnref.as_str());
        fields.push("OutputFormat", "json");
        store.push_partner(&mut fields);
        fields
    }
}
