//! The shop's catalogue: `catalog.toml`.

use std::collections::HashSet;

use domain::{Currency, Language, Money, cart::is_sku};
use serde::Deserialize;

/// What a shop sells, and how it delivers.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// The currency of every price.
    pub currency: Currency,
    /// Where the shop delivers to, ISO 3166-1 alpha-2.
    pub countries: Vec<String>,
    /// What the start page says first; the shop's name where it is empty.
    pub heading: LocalText,
    /// A sentence or two below it.
    pub intro: LocalText,
    /// The articles, in the order of the file.
    pub items: Vec<Item>,
    /// The deliveries, in the order of the file; the first is the default.
    pub deliveries: Vec<Delivery>,
}

/// An article.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its number.
    pub sku: String,
    /// Its name.
    pub name: LocalText,
    /// A sentence or two about it.
    pub description: LocalText,
    /// The price of one, VAT included.
    pub price: Money,
    /// The VAT rate in basis points: 1900 is 19 %.
    pub vat_bp: u32,
    /// Path of its picture on this server; may be empty.
    pub image: String,
}

/// A way to get the goods.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its stable id.
    pub id: String,
    /// Its name.
    pub name: LocalText,
    /// What it costs, VAT included.
    pub price: Money,
    /// The VAT rate in basis points.
    pub vat_bp: u32,
}

/// A text in some languages: `"Mug"`, or `{ en = "Mug", de = "Becher" }`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(untagged)]
pub enum LocalText {
    /// The same in every language.
    One(String),
    /// One text a language.
    Each {
        /// English.
        en: String,
        /// German; English where it is missing.
        de: Option<String>,
    },
    /// No text.
    #[default]
    None,
}

impl LocalText {
    /// The text in a language.
    pub fn in_language(&self, language: Language) -> &str {
        match (self, language) {
            (Self::None, _) => "",
            (Self::One(text) | Self::Each { en: text, de: None }, _)
            | (Self::Each { de: Some(text), .. }, Language::De)
            | (Self::Each { en: text, .. }, Language::En) => text,
        }
    }
}

/// What is wrong with a catalogue, with the place and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// Not TOML, or not of its shape.
    #[error("the catalogue cannot be read: {0}")]
    Unreadable(#[from] toml::de::Error),
    /// One entry is wrong.
    #[error("{place}: {what}")]
    Wrong {
        /// Which entry: `item "mug"`.
        place: String,
        /// What is wrong and how to mend it.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    currency: String,
    countries: Vec<String>,
    #[serde(default)]
    heading: LocalText,
    #[serde(default)]
    intro: LocalText,
    #[serde(default)]
    item: Vec<FileItem>,
    #[serde(default)]
    delivery: Vec<FileDelivery>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileItem {
    sku: String,
    name: LocalText,
    #[serde(default)]
    description: LocalText,
    price: String,
    vat: String,
    #[serde(default)]
    image: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileDelivery {
    id: String,
    name: LocalText,
    price: String,
    vat: String,
}

impl Catalog {
    /// Reads a catalogue and checks every entry.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let file: File = toml::from_str(text)?;
        let wrong = |place: &str, what: String| CatalogError::Wrong { place: place.to_owned(), what };

        let listed = mypos::Currency::from_code(&file.currency);
        let (Some(listed), Some(currency)) = (listed, Currency::from_code(&file.currency)) else {
            return Err(wrong(
                "currency",
                format!("{:?} is not a currency that myPOS takes, such as \"EUR\"", file.currency),
            ));
        };
        for country in &file.countries {
            if crate::country::alpha3(country).is_none() {
                return Err(wrong(
                    "countries",
                    format!("{country:?} is not an ISO 3166-1 alpha-2 code, such as \"DE\""),
                ));
            }
        }
        if file.countries.is_empty() {
            return Err(wrong("countries", "name at least one country that you deliver to".to_owned()));
        }
        let price_of = |place: &str, text: &str| {
            mypos::Amount::parse(text, listed)
                .map(|amount| Money::new(amount.minor, currency))
                .map_err(|error| wrong(place, format!("price = {text:?}: {error}; write it like \"12.50\"")))
        };
        let vat_of = |place: &str, text: &str| {
            vat_bp(text).ok_or_else(|| {
                wrong(place, format!("vat = {text:?} is not a percentage such as \"19\" or \"5.5\""))
            })
        };

        let mut seen = HashSet::new();
        let mut items = Vec::new();
        for item in file.item {
            let place = format!("item {:?}", item.sku);
            if !is_sku(&item.sku) {
                return Err(wrong(&place, "a SKU has 1 to 64 of A-Z a-z 0-9 - _ .".to_owned()));
            }
            if !seen.insert(item.sku.clone()) {
                return Err(wrong(&place, "this SKU is there twice; give each article its own".to_owned()));
            }
            if !item.image.is_empty() && (!item.image.starts_with('/') || item.image.starts_with("//")) {
                let what = format!(
                    "image = {:?} is not a path on this server, such as \"/img/mug.svg\"",
                    item.image
                );
                return Err(wrong(&place, what));
            }
            let price = price_of(&place, &item.price)?;
            items.push(Item {
                price,
                vat_bp: vat_of(&place, &item.vat)?,
                sku: item.sku,
                name: item.name,
                description: item.description,
                image: item.image,
            });
        }

        let mut seen = HashSet::new();
        let mut deliveries = Vec::new();
        for delivery in file.delivery {
            let place = format!("delivery {:?}", delivery.id);
            if !is_sku(&delivery.id) || !seen.insert(delivery.id.clone()) {
                return Err(wrong(
                    &place,
                    "give each delivery an id of its own, of A-Z a-z 0-9 - _ .".to_owned(),
                ));
            }
            deliveries.push(Delivery {
                price: price_of(&place, &delivery.price)?,
                vat_bp: vat_of(&place, &delivery.vat)?,
                id: delivery.id,
                name: delivery.name,
            });
        }
        if deliveries.is_empty() {
            return Err(wrong(
                "delivery",
                "name at least one [[delivery]]; its price may be \"0.00\"".to_owned(),
            ));
        }
        Ok(Self {
            currency,
            countries: file.countries,
            heading: file.heading,
            intro: file.intro,
            items,
            deliveries,
        })
    }

    /// The article of a number.
    pub fn item(&self, sku: &str) -> Option<&Item> {
        self.items.iter().find(|item| item.sku == sku)
    }
}

/// `19` as 1900, `5.5` as 550; at most two decimals, at most 100 %.
fn vat_bp(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || decimals.len() > 2 || !digits(whole) || !digits(decimals) {
        return None;
    }
    let bp = format!("{whole}{decimals:0<2}").parse().ok()?;
    (bp <= 10_000).then_some(bp)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"
        currency = "EUR"
        countries = ["DE"]
        [[item]]
        sku = "mug"
        name = { en = "Mug", de = "Becher" }
        price = "12.5"
        vat = "19"
        [[delivery]]
        id = "post"
        name = "Post"
        price = "0.00"
        vat = "5.5"
    "#;

    #[test]
    fn a_catalogue_is_read() {
        let catalog = Catalog::parse(GOOD).unwrap();
        let mug = catalog.item("mug").unwrap();
        assert_eq!((mug.price.minor, mug.vat_bp), (1250, 1900));
        assert_eq!(mug.name.in_language(Language::De), "Becher");
        assert_eq!(catalog.deliveries[0].vat_bp, 550);
        assert_eq!(catalog.deliveries[0].name.in_language(Language::De), "Post");
    }

    #[test]
    fn each_mistake_is_named_with_its_place() {
        for (from, to, expected) in [
            ("\"EUR\"", "\"XXX\"", "not a currency that myPOS takes"),
            ("\"12.5\"", "\"12,5\"", "item \"mug\": price"),
            ("\"12.5\"", "\"-1\"", "item \"mug\": price"),
            ("\"19\"", "\"19 %\"", "item \"mug\": vat"),
            ("\"19\"", "\"101\"", "item \"mug\": vat"),
            ("\"mug\"", "\"m u g\"", "a SKU has"),
            ("[\"DE\"]", "[\"Germany\"]", "alpha-2"),
            ("[\"DE\"]", "[]", "at least one country"),
            ("vat = \"19\"", "vat = \"19\"\ncolour = \"red\"", "unknown field"),
            (
                "vat = \"19\"",
                "vat = \"19\"\nimage = \"https://a.example/x.png\"",
                "not a path on this server",
            ),
        ] {
            let error = Catalog::parse(&GOOD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(error.contains(expected), "{to}: {error}");
        }
    }
}
