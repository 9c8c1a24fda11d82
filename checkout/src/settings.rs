//! What a shop decides about its checkout.

use domain::{Currency, PaymentMethod};
use jiff::tz::TimeZone;

use crate::mypos_store::MyposStore;
use crate::records::Mode;
use crate::signed_quote::QuoteKey;
use crate::timing::Timing;

/// The settings of a shop.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where shoppers and the gateway reach this server, without a slash at the end:
    /// `https://pay.example.com`.
    pub public_url: String,
    /// Its myPOS stores.
    pub stores: Vec<MyposStore>,
    /// The methods that it offers.
    pub methods: Vec<PaymentMethod>,
    /// The zone of dates that people read.
    pub zone: TimeZone,
    /// Its durations.
    pub timing: Timing,
    /// The origins of its storefronts: shoppers are led back to no other.
    pub storefront_origins: Vec<String>,
    /// The keys that its storefronts' backends sign quotes with.
    pub quote_keys: Vec<QuoteKey>,
}

impl Settings {
    /// The store that takes a currency.
    pub fn store_for(&self, currency: Currency) -> Option<&MyposStore> {
        self.stores.iter().find(|store| store.currencies.contains(&currency))
    }

    /// The store of a name.
    pub fn store_named(&self, name: &str) -> Option<&MyposStore> {
        self.stores.iter().find(|store| store.name == name)
    }

    /// Whether orders of a currency move real money. Where no store says that it is a test, they do: a bank
    /// transfer is real.
    pub fn mode_for(&self, currency: Currency) -> Mode {
        self.store_for(currency).map_or(Mode::Live, |store| store.mode)
    }

    /// The methods that can be offered for a currency: those of the gateway need a store that takes it,
    /// and iDEAL is in euro only (myPOS docs, Purchase).
    pub fn methods_for(&self, currency: Currency) -> Vec<PaymentMethod> {
        let has_store = self.store_for(currency).is_some();
        let fits = |method: &PaymentMethod| {
            (!method.uses_gateway() || has_store)
                && (*method != PaymentMethod::Ideal || currency == Currency::EUR)
        };
        self.methods.iter().copied().filter(fits).collect()
    }
}
