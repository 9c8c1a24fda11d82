//! Every word a shopper reads, in every language.
//!
//! A language is one value of [`Texts`]: a text that is missing does not compile, nor does a language
//! without texts. Words with a hole name it in braces, `{total}`, and [`fill`] fills it.
//!
//! Only the server holds the languages. The browser is sent the texts of its page, in one language.

#[cfg(feature = "ssr")]
mod de;
#[cfg(feature = "ssr")]
mod en;
#[cfg(feature = "ssr")]
#[macro_use]
mod server_texts;
#[cfg(feature = "ssr")]
mod merchant;

use domain::{Field, FieldError, FieldProblem, PaymentMethod, Price, Problem, QuoteProblem};
#[cfg(feature = "ssr")]
use domain::{Language, ShopperState};

#[cfg(feature = "ssr")]
pub use self::merchant::MerchantTexts;

/// The texts of a language.
#[cfg(feature = "ssr")]
pub const fn texts(language: Language) -> &'static Texts {
    match language {
        Language::En => &en::TEXTS,
        Language::De => &de::TEXTS,
    }
}

/// `template` with each `{name}` replaced.
pub fn fill(template: &str, holes: &[(&str, &str)]) -> String {
    let mut text = String::with_capacity(template.len() + 16);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        if let Some((_, value)) = holes.iter().find(|(hole, _)| *hole == name) {
            text.push_str(value);
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

/// FNV-1a.
const fn shape(names: &str) -> u32 {
    let mut hash = 0x811c_9dc5_u32;
    let mut rest = names.as_bytes();
    while let [first, others @ ..] = rest {
        hash = (hash ^ *first as u32).wrapping_mul(0x0100_0193);
        rest = others;
    }
    hash
}

/// A struct of texts that can travel: to the browser as an array in the order of its fields.
macro_rules! travelling_texts {
    ($(#[$meta:meta])* $name:ident { $($field:ident,)* }) => {
        $(#[$meta])*
        #[allow(missing_docs, reason = "the name of a text and its English words are its documentation")]
        #[derive(Debug)]
        pub struct $name { $(pub $field: &'static str,)* }

        impl $name {
            /// A number that changes with the names and the order of the texts: a bundle and a server of
            /// different versions find out by it.
            pub const SHAPE: u32 = shape(concat!($(stringify!($field), " ",)*));

            /// The texts in the order of the fields.
            pub fn list(&self) -> Vec<&'static str> {
                vec![$(self.$field,)*]
            }

            /// Texts from such a list. They stay for as long as the page lives, so they are leaked.
            pub fn from_list(list: Vec<String>) -> Option<&'static Self> {
                let mut texts = Self { $($field: "",)* };
                // One after the other in a loop: code for each would be 6 kB of WebAssembly.
                let fields = [$(&mut texts.$field,)*];
                if fields.len() != list.len() {
                    return None;
                }
                for (field, text) in fields.into_iter().zip(list) {
                    *field = String::leak(text);
                }
                Some(&*Box::leak(Box::new(texts)))
            }
        }
    };
}

travelling_texts! {
    /// The texts of the checkout form.
    CheckoutTexts {
        cart_heading, update_cart, each, fewer, more, quantity, remove, remove_named,
        contact_heading, email, email_hint, phone, phone_hint,
        address_heading, first_name, family_name, street, postcode, city, country, country_prompt,
        delivery_heading, update_delivery, free,
        payment_heading, card_name, card_hint, ideal_name, ideal_hint, transfer_name, transfer_hint,
        on_delivery_name, on_delivery_hint,
        summary_heading, subtotal, delivery, total, vat_contained,
        pay_gateway, pay_transfer, pay_on_delivery, pay, starting, gateway_note,
        problem_title, missing_email, missing_first_name, missing_family_name, missing_street,
        missing_postcode, missing_city, missing_country, missing_method, missing_delivery,
        too_long, not_an_email, not_a_phone, bad_character, not_offered,
        price_changed, page_used, busy, unreadable, rate_limited, unavailable, transport,
        quote_unreadable, quote_unknown_key, quote_forged, quote_expired, quote_used, quote_currency,
        quote_total, quote_too_large, quote_bad_line, bad_reference, bad_return_url, origin_not_listed,
        quote_failed, try_again, new_total, article_gone,
        empty_heading, empty_text, empty_link,
    }
}

travelling_texts! {
    /// The texts of the island that waits for news of a payment.
    StatusTexts { asking, still_checking, }
}

impl CheckoutTexts {
    /// A method's name.
    pub const fn method_name(&self, method: PaymentMethod) -> &'static str {
        match method {
            PaymentMethod::Card => self.card_name,
            PaymentMethod::Ideal => self.ideal_name,
            PaymentMethod::BankTransfer => self.transfer_name,
            PaymentMethod::OnDelivery => self.on_delivery_name,
        }
    }

    /// A sentence about a method.
    pub const fn method_hint(&self, method: PaymentMethod) -> &'static str {
        match method {
            PaymentMethod::Card => self.card_hint,
            PaymentMethod::Ideal => self.ideal_hint,
            PaymentMethod::BankTransfer => self.transfer_hint,
            PaymentMethod::OnDelivery => self.on_delivery_hint,
        }
    }

    /// What the button says that pays `total` by `method`.
    pub fn pay_label(&self, method: Option<PaymentMethod>, total: &Price) -> String {
        let template = match method {
            Some(PaymentMethod::Card | PaymentMethod::Ideal) => self.pay_gateway,
            Some(PaymentMethod::BankTransfer) => self.pay_transfer,
            Some(PaymentMethod::OnDelivery) => self.pay_on_delivery,
            None => self.pay,
        };
        fill(template, &[("total", &total.text)])
    }

    /// An amount, or the word for nothing.
    pub fn price_or_free<'p>(&'p self, price: &'p Price) -> &'p str {
        if price.minor == 0 { self.free } else { &price.text }
    }

    /// A field's label.
    pub const fn label(&self, field: Field) -> &'static str {
        match field {
            Field::Email => self.email,
            Field::FirstName => self.first_name,
            Field::FamilyName => self.family_name,
            Field::Phone => self.phone,
            Field::Street => self.street,
            Field::Postcode => self.postcode,
            Field::City => self.city,
            Field::Country => self.country,
            Field::Delivery => self.delivery_heading,
            Field::Method => self.payment_heading,
        }
    }

    /// What is wrong with a field, and how to mend it: the same words at the field and in the summary.
    pub fn error(&self, error: FieldError) -> String {
        let FieldError { field, problem } = error;
        let most = field.max_chars().to_string();
        let template = match problem {
            FieldProblem::Missing => match field {
                Field::Email => self.missing_email,
                Field::FirstName => self.missing_first_name,
                Field::FamilyName => self.missing_family_name,
                Field::Street => self.missing_street,
                Field::Postcode => self.missing_postcode,
                Field::City => self.missing_city,
                Field::Country => self.missing_country,
                Field::Delivery => self.missing_delivery,
                Field::Method => self.missing_method,
                // May be empty, so it is never missing.
                Field::Phone => self.not_a_phone,
            },
            FieldProblem::TooLong => self.too_long,
            FieldProblem::NotAnEmail => self.not_an_email,
            FieldProblem::NotAPhone => self.not_a_phone,
            FieldProblem::BadCharacter => self.bad_character,
            FieldProblem::NotOffered => match field {
                Field::Country => self.missing_country,
                Field::Method => self.missing_method,
                _ => self.not_offered,
            },
        };
        fill(template, &[("field", self.label(field)), ("most", &most)])
    }

    /// Why a signed quote is refused.
    pub const fn quote_problem(&self, problem: QuoteProblem) -> &'static str {
        match problem {
            QuoteProblem::Unreadable => self.quote_unreadable,
            QuoteProblem::UnknownKey => self.quote_unknown_key,
            QuoteProblem::Forged => self.quote_forged,
            QuoteProblem::Expired => self.quote_expired,
            QuoteProblem::Used => self.quote_used,
            QuoteProblem::Currency => self.quote_currency,
            QuoteProblem::Total => self.quote_total,
            QuoteProblem::TooLarge => self.quote_too_large,
            QuoteProblem::BadLine => self.quote_bad_line,
        }
    }

    /// What is said about a problem of the whole form; `None` where the fields say it, or the cart.
    pub fn problem(&self, problem: &Problem) -> Option<String> {
        Some(match problem {
            Problem::Invalid(_) | Problem::EmptyCart => return None,
            Problem::PriceChanged(quote) => fill(self.price_changed, &[("total", &quote.total.text)]),
            Problem::KeyReused => self.page_used.to_owned(),
            Problem::Busy => self.busy.to_owned(),
            Problem::Malformed | Problem::NotFound => self.unreadable.to_owned(),
            Problem::OriginNotListed => self.origin_not_listed.to_owned(),
            Problem::BadReference => self.bad_reference.to_owned(),
            Problem::BadReturnUrl => self.bad_return_url.to_owned(),
            Problem::Quote(problem) => self.quote_problem(*problem).to_owned(),
            Problem::RateLimited => self.rate_limited.to_owned(),
            Problem::Unavailable => self.unavailable.to_owned(),
            Problem::Transport => self.transport.to_owned(),
        })
    }
}

/// Everything in one language.
#[cfg(feature = "ssr")]
#[derive(Debug)]
pub struct Texts {
    /// The frame of every page.
    pub site: SiteTexts,
    /// The catalogue.
    pub catalogue: CatalogueTexts,
    /// The checkout form.
    pub checkout: CheckoutTexts,
    /// The checkout page around the form.
    pub checkout_page: CheckoutPageTexts,
    /// The page that hands over to the gateway.
    pub handover: HandoverTexts,
    /// The pages of an order.
    pub order: OrderTexts,
    /// The island that waits for news of a payment.
    pub status: StatusTexts,
    /// The pages that only say something.
    pub message: MessageTexts,
    /// The merchant's pages.
    pub merchant: MerchantTexts,
    /// The element around an embedded checkout.
    pub widget: WidgetTexts,
}

#[cfg(feature = "ssr")]
server_texts! {
    /// The frame of every page.
    SiteTexts {
        skip, home, cart, cart_pieces, cart_piece, languages, test_mode, demo, demo_link, error_prefix,
    }

    /// The catalogue.
    CatalogueTexts { list_heading, quantity, add, add_named, vat_note, go_to_checkout, }

    /// The checkout page around the form.
    CheckoutPageTexts { title, description, heading, back, }

    /// The hand-over page.
    HandoverTexts {
        title, heading, leaving, address, processed_by, total, reference, button, once, back,
        spent_title, spent_heading, spent_text, spent_button, spent_back,
    }

    /// The pages of an order.
    OrderTexts {
        paid_title, paid_text, paid_next, awaiting_title, awaiting_transfer, awaiting_delivery,
        checking_title, checking_text, check_again, not_paid_title, not_paid_text, declined_text,
        given_back_title, given_back_text, ended_title, ended_text, refunded_title, refunded_text, given_back_part,
        cancelled_title, cancelled_text, cancelled_settled_title, cancelled_settled_text, to_order,
        transfer_heading, holder, iban, bic, bank, transfer_reference, amount, transfer_note,
        details_heading, reference, placed, payment, email_address, lines_heading, delivery, vat_contained, total,
        pay_again_heading, pay_again_text, pay_again_button, new_order, to_storefront, print_note,
    }

    /// The element around an embedded checkout.
    WidgetTexts { blocked, open, }

    /// The pages that only say something.
    MessageTexts {
        not_found_title, not_found_text, expired_title, expired_text, too_many_title, too_many_text,
        too_large_title, too_large_text, unavailable_title, unavailable_text, forbidden_title, forbidden_text,
        not_allowed_title, not_allowed_text, to_transactions,
        bad_request_title, bad_request_text, unverified_title, unverified_text, to_shop, to_checkout,
    }
}

#[cfg(feature = "ssr")]
impl OrderTexts {
    /// The heading of the result page, and the first sentence under it.
    pub const fn state(&self, state: ShopperState) -> (&'static str, &'static str) {
        match state {
            ShopperState::Paid => (self.paid_title, self.paid_text),
            ShopperState::Awaiting => (self.awaiting_title, self.awaiting_delivery),
            ShopperState::Checking => (self.checking_title, self.checking_text),
            ShopperState::NotPaid => (self.not_paid_title, self.not_paid_text),
            ShopperState::GivenBack => (self.given_back_title, self.given_back_text),
            ShopperState::Ended => (self.ended_title, self.ended_text),
            ShopperState::Refunded => (self.refunded_title, self.refunded_text),
        }
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    impl Texts {
        fn list(&self) -> Vec<&'static str> {
            let Self {
                site,
                catalogue,
                checkout,
                checkout_page,
                handover,
                order,
                status,
                message,
                merchant,
                widget,
            } = self;
            [
                site.list(),
                catalogue.list(),
                checkout.list(),
                checkout_page.list(),
                handover.list(),
                order.list(),
                status.list(),
                message.list(),
                merchant.list(),
                widget.list(),
            ]
            .concat()
        }
    }

    fn holes(text: &str) -> Vec<&str> {
        let mut holes: Vec<&str> =
            text.split('{').skip(1).filter_map(|part| part.split_once('}').map(|(hole, _)| hole)).collect();
        holes.sort_unstable();
        holes
    }

    #[test]
    fn every_text_of_every_language_has_words_and_the_same_holes() {
        let english = texts(Language::En).list();
        for language in Language::ALL {
            let list = texts(language).list();
            assert_eq!(list.len(), english.len());
            for (text, english) in list.iter().zip(&english) {
                assert!(!text.trim().is_empty(), "{language:?}: {english}");
                assert_eq!(holes(text), holes(english), "{language:?}: {text}");
                assert!(!text.contains('\u{2014}'), "no em dashes: {text}");
            }
        }
    }

    #[test]
    fn texts_differ_between_languages_except_for_names() {
        let (english, german) = (texts(Language::En).list(), texts(Language::De).list());
        let same: Vec<_> = english.iter().zip(&german).filter(|(a, b)| a == b).map(|(a, _)| *a).collect();
        let names = ["iDEAL", "IBAN", "BIC", "Bank", "Tee und Keramik", "Tillgate"];
        for text in same {
            assert!(names.contains(&text), "not translated: {text}");
        }
    }

    #[test]
    fn texts_travel_in_order_and_complete() {
        let texts = &texts(Language::De).checkout;
        let sent: Vec<String> = texts.list().into_iter().map(str::to_owned).collect();
        assert_eq!(CheckoutTexts::from_list(sent.clone()).unwrap().list(), texts.list());
        assert!(CheckoutTexts::from_list(sent[1..].to_vec()).is_none());
        let one_more = [sent, vec!["x".to_owned()]].concat();
        assert!(CheckoutTexts::from_list(one_more).is_none());
    }

    #[test]
    fn holes_are_filled_and_unknown_ones_vanish() {
        assert_eq!(fill("Pay {total} now", &[("total", "€1")]), "Pay €1 now");
        assert_eq!(fill("{a}{b}", &[("b", "{a}")]), "{a}");
        assert_eq!(fill("open {", &[]), "open ");
    }

    #[test]
    fn every_problem_of_every_field_has_words() {
        use FieldProblem::*;
        let fields = Field::DETAILS.into_iter().chain([Field::Delivery, Field::Method]);
        for language in Language::ALL {
            for field in fields.clone() {
                for problem in [Missing, TooLong, NotAnEmail, NotAPhone, BadCharacter, NotOffered] {
                    let words = texts(language).checkout.error(FieldError { field, problem });
                    assert!(words.len() > 10 && !words.contains(['{', '}']), "{words}");
                }
            }
        }
    }
}
