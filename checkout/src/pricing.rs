//! What a cart costs. The only place where a price is made.

use domain::{
    Cart, Choice, Language, Money, MoneyError, Notice, Price, Quote, QuoteLine, QuoteRequest, VatPart,
};

use crate::catalog::{Catalog, Delivery, Item};
use crate::format;
use crate::records::{LineKind, OrderLine};
use crate::signed_quote::SignedQuote;
use crate::text::clean;

/// The most characters of an article's name that the gateway takes.
pub(crate) const MAX_ARTICLE_CHARS: usize = 127;

/// A cart with its prices, before it is put into words.
#[derive(Clone, Debug)]
pub struct Priced {
    /// The lines, articles first, the delivery last; empty for an empty cart. They sum to `total`.
    pub lines: Vec<OrderLine>,
    /// The id of the chosen delivery.
    pub delivery: String,
    /// The sum of the lines.
    pub total: Money,
    /// What of the cart was changed.
    pub notices: Vec<Notice>,
}

/// Prices a cart from the catalogue. Articles that are no longer sold are left out, with a notice.
pub fn price(
    catalog: &Catalog,
    cart: &Cart,
    delivery_id: &str,
    language: Language,
) -> Result<Priced, MoneyError> {
    let mut lines = Vec::new();
    let mut notices = Vec::new();
    for line in cart.lines() {
        match catalog.item(&line.sku) {
            Some(item) => lines.push(item_line(item, line.quantity, language)),
            None => notices.push(Notice::Gone { sku: line.sku.clone() }),
        }
    }
    let delivery = chosen_delivery(catalog, delivery_id);
    if let (Some(delivery), false) = (delivery, lines.is_empty()) {
        lines.push(delivery_line(delivery, language));
    }
    let total = sum(catalog, &lines)?;
    Ok(Priced { lines, delivery: delivery.map_or_else(String::new, |d| d.id.clone()), total, notices })
}

/// The quote for a request: the cart's prices in the shopper's words.
pub fn quote(catalog: &Catalog, request: &QuoteRequest) -> Result<Quote, MoneyError> {
    let priced = price(catalog, &request.lines, &request.delivery, request.language)?;
    let words = Words { catalog, language: request.language };
    let items: Vec<&OrderLine> = priced.lines.iter().filter(|line| line.kind == LineKind::Item).collect();
    Ok(Quote {
        currency: catalog.currency,
        fixed: false,
        lines: items.iter().map(|line| words.line(line)).collect::<Result<_, _>>()?,
        deliveries: catalog
            .deliveries
            .iter()
            .map(|delivery| Choice {
                id: delivery.id.clone(),
                name: delivery.name.in_language(request.language).to_owned(),
                price: words.price(delivery.price),
                chosen: delivery.id == priced.delivery,
            })
            .collect(),
        subtotal: words.price(Money::sum(
            catalog.currency,
            items.iter().map(|line| line.total()).collect::<Result<Vec<_>, _>>()?,
        )?),
        delivery: words.price(delivery_cost(&priced.lines, catalog)),
        vat: vat_parts(&priced.lines, request.language)?,
        total: words.price(priced.total),
        notices: priced.notices,
    })
}

/// A storefront's own quote in the shopper's words.
pub fn fixed_quote(signed: &SignedQuote, language: Language) -> Result<Quote, MoneyError> {
    let currency = signed.total.currency;
    let sum = |deliveries: bool| {
        let mut lines = signed.lines.iter().filter(|line| (line.kind == LineKind::Delivery) == deliveries);
        let sum = lines.try_fold(Money::zero(currency), |sum, line| sum.plus(line.total()?))?;
        Ok::<_, MoneyError>(format::price(sum, language))
    };
    let shown = signed.lines.iter().filter(|line| line.kind != LineKind::Delivery);
    Ok(Quote {
        currency,
        fixed: true,
        lines: shown.map(|line| quote_line(line, language)).collect::<Result<_, _>>()?,
        deliveries: Vec::new(),
        subtotal: sum(false)?,
        delivery: sum(true)?,
        vat: vat_parts(&signed.lines, language)?,
        total: format::price(signed.total, language),
        notices: Vec::new(),
    })
}

/// VAT contained in some lines, per rate, highest rate first; rates that contain none are left out.
pub fn vat_parts(lines: &[OrderLine], language: Language) -> Result<Vec<VatPart>, MoneyError> {
    let mut rates: Vec<u32> = lines.iter().map(|line| line.vat_bp).collect();
    rates.sort_unstable_by(|a, b| b.cmp(a));
    rates.dedup();
    let mut parts = Vec::new();
    for rate in rates {
        let Some(currency) = lines.first().map(|line| line.unit.currency) else { break };
        let of_rate = lines.iter().filter(|line| line.vat_bp == rate).map(OrderLine::total);
        let gross = Money::sum(currency, of_rate.collect::<Result<Vec<_>, _>>()?)?;
        let vat = gross.vat_contained(rate);
        if vat.minor != 0 {
            parts.push(VatPart { rate: format::percent(rate, language), vat: format::price(vat, language) });
        }
    }
    Ok(parts)
}

/// A line in the shopper's words.
pub fn quote_line(line: &OrderLine, language: Language) -> Result<QuoteLine, MoneyError> {
    Ok(QuoteLine {
        sku: line.sku.clone(),
        name: line.name.clone(),
        image: line.image.clone(),
        quantity: line.quantity,
        unit: format::price(line.unit, language),
        total: format::price(line.total()?, language),
    })
}

struct Words<'a> {
    catalog: &'a Catalog,
    language: Language,
}

impl Words<'_> {
    fn price(&self, money: Money) -> Price {
        format::price(money, self.language)
    }

    /// A line with the name as the catalogue has it, not cut for the gateway.
    fn line(&self, line: &OrderLine) -> Result<QuoteLine, MoneyError> {
        let mut shown = quote_line(line, self.language)?;
        if let Some(item) = self.catalog.item(&line.sku) {
            item.name.in_language(self.language).clone_into(&mut shown.name);
        }
        Ok(shown)
    }
}

fn chosen_delivery<'a>(catalog: &'a Catalog, id: &str) -> Option<&'a Delivery> {
    catalog.deliveries.iter().find(|delivery| delivery.id == id).or_else(|| catalog.deliveries.first())
}

fn item_line(item: &Item, quantity: u32, language: Language) -> OrderLine {
    OrderLine {
        kind: LineKind::Item,
        sku: item.sku.clone(),
        name: clean(item.name.in_language(language), MAX_ARTICLE_CHARS),
        image: item.image.clone(),
        quantity,
        unit: item.price,
        vat_bp: item.vat_bp,
    }
}

fn delivery_line(delivery: &Delivery, language: Language) -> OrderLine {
    OrderLine {
        kind: LineKind::Delivery,
        sku: delivery.id.clone(),
        name: clean(delivery.name.in_language(language), MAX_ARTICLE_CHARS),
        image: String::new(),
        quantity: 1,
        unit: delivery.price,
        vat_bp: delivery.vat_bp,
    }
}

fn delivery_cost(lines: &[OrderLine], catalog: &Catalog) -> Money {
    lines
        .iter()
        .find(|line| line.kind == LineKind::Delivery)
        .map_or(Money::zero(catalog.currency), |line| line.unit)
}

fn sum(catalog: &Catalog, lines: &[OrderLine]) -> Result<Money, MoneyError> {
    lines.iter().try_fold(Money::zero(catalog.currency), |total, line| total.plus(line.total()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn catalog() -> Catalog {
        Catalog::parse(
            r#"
            currency = "EUR"
            countries = ["DE"]
            [[item]]
            sku = "mug"
            name = "Mug"
            price = "12.50"
            vat = "19"
            [[item]]
            sku = "tea"
            name = "Tea"
            price = "4.99"
            vat = "7"
            [[delivery]]
            id = "post"
            name = "Post"
            price = "4.90"
            vat = "19"
            [[delivery]]
            id = "pick-up"
            name = "Pick-up"
            price = "0.00"
            vat = "19"
            "#,
        )
        .unwrap()
    }

    fn quote_of(cart: &str, delivery: &str) -> Quote {
        let request = QuoteRequest {
            lines: Cart::parse(cart).unwrap(),
            delivery: delivery.to_owned(),
            language: Language::En,
            signed_quote: String::new(),
        };
        quote(&catalog(), &request).unwrap()
    }

    #[test]
    fn articles_and_delivery_sum_to_the_total_with_vat_per_rate() {
        let quote = quote_of("mug:2,tea:1", "post");
        assert_eq!(quote.subtotal.text, "€29.99");
        assert_eq!(quote.total.text, "€34.89");
        // 29.90 at 19 % contain 4.77, 4.99 at 7 % contain 0.33.
        let vat: Vec<(&str, i64)> =
            quote.vat.iter().map(|part| (part.rate.as_str(), part.vat.minor)).collect();
        assert_eq!(vat, [("19\u{a0}%", 477), ("7\u{a0}%", 33)]);
    }

    #[test]
    fn an_article_that_is_gone_is_left_out_and_named() {
        let quote = quote_of("hat:1,tea:1", "pick-up");
        assert_eq!(quote.total.minor, 499);
        assert_eq!(quote.notices, [Notice::Gone { sku: "hat".into() }]);
        assert_eq!(quote.cart().to_string(), "tea:1");
    }

    #[test]
    fn an_empty_cart_costs_nothing_and_an_unknown_delivery_is_the_first() {
        assert_eq!(quote_of("", "post").total.minor, 0);
        assert_eq!(quote_of("mug:1", "drone").chosen_delivery(), "post");
    }

    proptest! {
        #[test]
        fn the_lines_always_sum_to_the_total(mugs in 0u32..=999, teas in 0u32..=999) {
            let cart = Cart::parse(&format!("mug:{mugs},tea:{teas}")).unwrap();
            let priced = price(&catalog(), &cart, "post", Language::De).unwrap();
            let sum: i64 = priced.lines.iter().map(|line| i64::from(line.quantity) * line.unit.minor).sum();
            prop_assert_eq!(sum, priced.total.minor);
        }
    }
}
