//! What the server sends: pages as HTML, and the answers of the server functions.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the whole crate is a test, its helpers too"
)]

mod api;
mod pages;

use domain::{Cart, Choice, Currency, Price, Quote, QuoteLine, VatPart};

/// An amount, shown plainly.
fn price(minor: i64) -> Price {
    Price { minor, text: format!("€{}.{:02}", minor / 100, minor % 100) }
}

/// What `cart` costs at 18.90 a piece and 4.90 for the delivery.
fn quote(cart: &Cart) -> Quote {
    let lines: Vec<QuoteLine> = cart
        .lines()
        .iter()
        .map(|line| QuoteLine {
            sku: line.sku.clone(),
            name: format!("Article {}", line.sku),
            image: "/img/mug.svg".into(),
            quantity: line.quantity,
            unit: price(1890),
            total: price(1890 * i64::from(line.quantity)),
        })
        .collect();
    let subtotal: i64 = lines.iter().map(|line| line.total.minor).sum();
    Quote {
        currency: Currency::EUR,
        fixed: false,
        lines,
        deliveries: vec![
            Choice { id: "post".into(), name: "By post".into(), price: price(490), chosen: true },
            Choice { id: "pick-up".into(), name: "Collect".into(), price: price(0), chosen: false },
        ],
        subtotal: price(subtotal),
        delivery: price(490),
        vat: vec![VatPart { rate: "19 %".into(), vat: price(682) }],
        total: price(subtotal + 490),
        notices: Vec::new(),
    }
}
