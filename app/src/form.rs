//! The plain form of the checkout: the names of its fields, and how a posted form is read.
//!
//! The page writes these names and the server reads them here, so the two cannot drift apart.

use domain::{Cart, CartError, Details, Field, Language, PaymentMethod, StartRequest, Storefront};

/// Where the form is posted to pay.
pub const PAY: &str = "/checkout/pay";
/// Where the form is posted to show it again with another cart or delivery.
pub const UPDATE: &str = "/checkout/update";
/// Where the page's script posts the cart, as `cart_id` and `lines`, so that its cookie follows.
pub const CART_SET: &str = "/cart/set";
/// Where the catalogue posts an article, as `sku` and `quantity`.
pub const CART_ADD: &str = "/cart/add";

/// Hidden: the idempotency key.
pub const KEY: &str = "key";
/// Hidden: the cart's id.
pub const CART_ID: &str = "cart_id";
/// Hidden: the cart as the page shows it, `sku:2,other:1`.
pub const LINES: &str = "lines";
/// Hidden: the total as the page shows it, in minor units.
pub const SHOWN_TOTAL: &str = "shown_total_minor";
/// Hidden, where there is one: the quote that a storefront's backend signed.
pub const SIGNED_QUOTE: &str = "signed_quote";
/// Hidden, where there is one: the storefront's own number for the order.
pub const REFERENCE: &str = "reference";
/// Hidden, where there is one: the storefront's address to return to.
pub const RETURN_URL: &str = "return_url";
/// A button's: one article and its new quantity, `sku:3`.
pub const SET: &str = "set";
/// What the name of an article's quantity field begins with: `quantity:sku`.
pub const QUANTITY: &str = "quantity:";
/// Hidden on the pages of an order: the order's token, to pay it again.
pub const ORDER: &str = "order";
/// Hidden on the page of a hand-over form that was used: its token, to start again.
pub const HANDOFF: &str = "handoff";
/// Hidden in the catalogue: the article.
pub const SKU: &str = "sku";

/// The checkout form as it was posted, nothing of it checked except that the cart can be read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckoutForm {
    /// Idempotency key.
    pub key: String,
    /// The cart's id.
    pub cart_id: String,
    /// The cart, with the typed quantities and the pressed button worked in.
    pub lines: Cart,
    /// The chosen delivery's id.
    pub delivery: String,
    /// What was typed.
    pub details: Details,
    /// The chosen method.
    pub method: Option<PaymentMethod>,
    /// The total that the page showed; -1, which no total is, where it was not sent.
    pub shown_total_minor: i64,
    /// What a storefront said about the order.
    pub storefront: Storefront,
}

impl CheckoutForm {
    /// Reads posted pairs. Unknown names are passed over; of a repeated one the last counts.
    ///
    /// A typed quantity that is no number leaves the article as it was, and 0 removes it.
    pub fn read<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Result<Self, CartError> {
        let mut form = Self { shown_total_minor: -1, ..Self::default() };
        let mut changes: Vec<(&str, u32)> = Vec::new();
        for (name, value) in pairs {
            if let Some(sku) = name.strip_prefix(QUANTITY) {
                changes.extend(value.trim().parse().ok().map(|quantity| (sku, quantity)));
            } else if name == SET {
                let (sku, quantity) = value.rsplit_once(':').ok_or(CartError::Malformed)?;
                // The button that was pressed has the last word over what stands in the fields.
                changes.push((sku, quantity.parse().map_err(|_| CartError::Malformed)?));
            } else if name == LINES {
                form.lines = Cart::parse(value)?;
            } else {
                form.set(name, value);
            }
        }
        for (sku, quantity) in changes {
            // Only what the page showed: a field cannot bring an article into the cart.
            if form.lines.quantity(sku) > 0 {
                form.lines.set(sku, quantity)?;
            }
        }
        Ok(form)
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            KEY => value.clone_into(&mut self.key),
            CART_ID => value.clone_into(&mut self.cart_id),
            SIGNED_QUOTE => value.clone_into(&mut self.storefront.signed_quote),
            REFERENCE => value.clone_into(&mut self.storefront.reference),
            RETURN_URL => value.clone_into(&mut self.storefront.return_url),
            SHOWN_TOTAL => self.shown_total_minor = value.parse().unwrap_or(-1),
            _ if name == Field::Delivery.name() => value.clone_into(&mut self.delivery),
            _ if name == Field::Method.name() => self.method = PaymentMethod::from_id(value),
            _ => {
                if let Some(field) = Field::DETAILS.into_iter().find(|field| field.name() == name) {
                    self.details.set(field, value.to_owned());
                }
            }
        }
    }

    /// The request that a press of Pay with this form makes.
    pub fn into_request(self, language: Language) -> StartRequest {
        let Self { key, cart_id, lines, delivery, details, method, shown_total_minor, storefront } = self;
        StartRequest {
            key,
            cart_id,
            lines,
            delivery,
            details,
            method,
            shown_total_minor,
            language,
            storefront,
        }
    }
}

/// The pairs that the browser side posts to [`crate::api::START`].
pub fn start_pairs(request: &StartRequest) -> Vec<(String, String)> {
    let mut pairs = vec![
        (KEY.to_owned(), request.key.clone()),
        (CART_ID.to_owned(), request.cart_id.clone()),
        (LINES.to_owned(), request.lines.to_string()),
        (Field::Delivery.name().to_owned(), request.delivery.clone()),
        (SHOWN_TOTAL.to_owned(), request.shown_total_minor.to_string()),
        ("language".to_owned(), request.language.tag().to_owned()),
        (SIGNED_QUOTE.to_owned(), request.storefront.signed_quote.clone()),
        (REFERENCE.to_owned(), request.storefront.reference.clone()),
        (RETURN_URL.to_owned(), request.storefront.return_url.clone()),
    ];
    for field in Field::DETAILS {
        pairs.push((["details[", field.name(), "]"].concat(), request.details.get(field).to_owned()));
    }
    if let Some(method) = request.method {
        pairs.push((Field::Method.name().to_owned(), method.id().to_owned()));
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_posted_form_is_read_completely() {
        let form = CheckoutForm::read([
            ("key", "k"),
            ("cart_id", "c"),
            ("lines", "mug:2,tea:1,pot:1"),
            ("shown_total_minor", "4170"),
            ("quantity:mug", " 5 "),
            ("quantity:tea", "many"),
            ("quantity:pot", "0"),
            ("email", "ada@example.com"),
            ("country", "DE"),
            ("delivery", "post"),
            ("method", "bank-transfer"),
            ("reference", "A-1"),
            ("return_url", "https://shop.example"),
            ("signed_quote", "v1"),
            ("unknown", "x"),
        ])
        .unwrap();
        assert_eq!(form.lines.to_string(), "mug:5,tea:1");
        assert_eq!(form.details.email, "ada@example.com");
        assert_eq!(form.method, Some(PaymentMethod::BankTransfer));
        let request = form.into_request(Language::De);
        assert_eq!((request.shown_total_minor, request.delivery.as_str()), (4170, "post"));
        let Storefront { signed_quote, reference, return_url } = request.storefront;
        assert_eq!([signed_quote, reference, return_url], ["v1", "A-1", "https://shop.example"]);
    }

    #[test]
    fn the_pressed_button_wins_wherever_it_stands_and_brings_nothing_new() {
        let read = |pairs: &[(&'static str, &'static str)]| CheckoutForm::read(pairs.iter().copied());
        let form = read(&[("quantity:mug", "2"), ("set", "mug:3"), ("lines", "mug:2")]);
        assert_eq!(form.unwrap().lines.to_string(), "mug:3");
        let form = read(&[("lines", "mug:2"), ("set", "gold:1"), ("quantity:hat", "1")]);
        assert_eq!(form.unwrap().lines.to_string(), "mug:2");
        for bad in ["mug", "mug:x", "mug:-1"] {
            assert_eq!(CheckoutForm::read([("set", bad)]), Err(CartError::Malformed));
        }
    }

    #[test]
    fn a_total_that_was_not_sent_is_none_that_could_be_shown() {
        assert_eq!(CheckoutForm::read([]).unwrap().shown_total_minor, -1);
        assert_eq!(CheckoutForm::read([("shown_total_minor", "x")]).unwrap().shown_total_minor, -1);
    }
}
