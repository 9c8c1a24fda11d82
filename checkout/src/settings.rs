//! What a shop decides about its checkout.

use domain::{Currency, PaymentMethod};
use jiff::tz::TimeZone;

use crate::mypos_store::MyposStore;
use crate::records::Mode;
use crate::signed_quote::QuoteKey;
use crate::timing::Timing;
use crate::webhooks::Endpoint;

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
    /// Where all refunds of a payment together come to more than this, a second person has to approve: an
    /// amount such as `100` or `99.50`, in whichever currency the payment has. Nobody has to where `None`.
    pub refund_approval_above: Option<String>,
    /// Its durations.
    pub timing: Timing,
    /// The origins of its storefronts: shoppers are led back to no other.
    pub storefront_origins: Vec<String>,
    /// The keys that its storefronts' backends sign quotes with.
    pub quote_keys: Vec<QuoteKey>,
    /// The merchant's own systems, which are told what happens.
    pub webhooks: Vec<Endpoint>,
}

impl Settings {
    /// The limit for approvals in minor units of a currency. What is no amount in that currency means that
    /// everything has to be approved.
    pub fn approval_above_minor(&self, currency: Currency) -> Option<i64> {
        let text = self.refund_approval_above.as_deref()?;
        let amount = mypos::Currency::from_code(currency.code())
            .and_then(|currency| mypos::Amount::parse(text, currency).ok());
        Some(amount.map_or(0, |amount| amount.minor))
    }

    /// The day of a point in time in the shop's zone: days since 1970-01-01.
    pub fn day_of(&self, at_ms: i64) -> i64 {
        let utc_day = at_ms.div_euclid(86_400_000);
        let local = jiff::Timestamp::from_millisecond(at_ms).map(|at| self.zone.to_datetime(at).date());
        local.map_or(utc_day, |date| days_since_1970(date).unwrap_or(utc_day))
    }

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

/// A date as a count of days since 1970-01-01.
pub fn days_since_1970(date: jiff::civil::Date) -> Option<i64> {
    let since = date.since((jiff::Unit::Day, jiff::civil::date(1970, 1, 1))).ok()?;
    Some(i64::from(since.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(zone: &str) -> Settings {
        Settings {
            public_url: String::new(),
            stores: Vec::new(),
            methods: Vec::new(),
            zone: TimeZone::get(zone).unwrap(),
            refund_approval_above: Some("99.50".into()),
            storefront_origins: Vec::new(),
            quote_keys: Vec::new(),
            webhooks: Vec::new(),
            timing: Timing::default(),
        }
    }

    #[test]
    fn a_day_is_that_of_the_shops_zone() {
        // 22:30 in UTC on New Year's Eve of 1999: half an hour later it is the next day in Berlin.
        let at_ms = 946_679_400_000;
        assert_eq!(settings("UTC").day_of(at_ms), 10_956);
        assert_eq!(settings("Europe/Berlin").day_of(at_ms), 10_956);
        assert_eq!(settings("Europe/Berlin").day_of(at_ms + 1_800_000), 10_957);
        assert_eq!(settings("America/New_York").day_of(0), -1);
    }

    #[test]
    fn the_limit_for_approvals_is_in_the_payments_currency() {
        assert_eq!(settings("UTC").approval_above_minor(Currency::EUR), Some(9_950));
        let yen = Currency::from_code("JPY").unwrap();
        assert_eq!(settings("UTC").approval_above_minor(yen), Some(0), "not an amount in yen: be careful");
        let none = Settings { refund_approval_above: None, ..settings("UTC") };
        assert_eq!(none.approval_above_minor(Currency::EUR), None);
    }
}
