//! What can be made to go wrong, how often, and whether it does so now.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The number that a fault takes, such as a delay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number {
    pub(crate) says: &'static str,
    pub(crate) default: u64,
    pub(crate) max: u64,
}

const DELAY: Number = Number { says: "milliseconds", default: 2000, max: 60_000 };
const DONE: Number = Number { says: "1: carried out, 0: not", default: 1, max: 1 };

/// Declares the faults, so that each stands in one place with its group, its number and its description.
macro_rules! faults {
    ($($variant:ident = $name:literal, $group:literal, $number:expr, $says:literal;)*) => {
        /// One thing that can be made to go wrong.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub(crate) enum Fault {
            $($variant,)*
        }

        impl Fault {
            /// Every fault, in the order in which they are shown.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in the API.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The heading under which it is shown.
            pub(crate) const fn group(self) -> &'static str {
                match self { $(Self::$variant => $group,)* }
            }

            /// The number that it takes, if any.
            pub(crate) const fn number(self) -> Option<Number> {
                match self { $(Self::$variant => $number,)* }
            }

            /// What it does, in a sentence.
            pub(crate) const fn says(self) -> &'static str {
                match self { $(Self::$variant => $says,)* }
            }
        }
    };
}

faults! {
    NotifyLost = "notify_lost", "Notification", None,
        "The Notify never reaches the shop: the payment is reversed and rolled back later.";
    NotifyDelayedMs = "notify_delayed_ms", "Notification", Some(DELAY),
        "The Notify is sent late; the shopper waits for it.";
    NotifyDoubled = "notify_doubled", "Notification",
        Some(Number { says: "copies", default: 2, max: 20 }),
        "Several copies of the Notify are sent at the same time; the answer to the first counts.";
    NotifyReordered = "notify_reordered", "Notification", None,
        "The payment is reversed and the Rollback arrives before the Notify.";
    NotifyCorrupted = "notify_corrupted", "Notification", None,
        "A value of the Notify is changed after it was signed.";
    NotifyWrongKey = "notify_wrong_key", "Notification", None,
        "The Notify is signed with a key that the shop does not know.";
    NotifyOtherAmount = "notify_other_amount", "Notification",
        Some(Number { says: "cents more", default: 100, max: 100_000 }),
        "The Notify is validly signed, but names another amount.";
    OkLost = "ok_lost", "Notification", None,
        "The shop's OK is lost on its way back: the payment is reversed although the shop counts it as paid.";
    KeepWithoutOk = "keep_without_ok", "Notification", None,
        "The payment is kept although no OK came: the shop learns of it only by asking.";
    RollbackLost = "rollback_lost", "Rollback", None,
        "The Rollback never reaches the shop; it is tried again, and lost again while this lasts.";
    StatusUnsigned = "status_unsigned", "Status queries", None,
        "The reply to a status query has no signature.";
    StatusLateMs = "status_late_ms", "Status queries", Some(DELAY),
        "The reply to a status query comes late.";
    StatusNoAnswer = "status_no_answer", "Status queries", None,
        "A status query is never answered.";
    StatusPending = "status_pending", "Status queries", None,
        "A status query says \"pending\", whatever the truth.";
    RefundLowBalance = "refund_low_balance", "Refunds and reversals", None,
        "A refund is refused for want of balance (13).";
    RefundLateMs = "refund_late_ms", "Refunds and reversals", Some(DELAY),
        "The reply to a refund or a reversal comes late.";
    RefundNoAnswer = "refund_no_answer", "Refunds and reversals", Some(DONE),
        "A refund or a reversal is never answered.";
    RefundUnknownAnswer = "refund_unknown_answer", "Refunds and reversals", Some(DONE),
        "A refund or a reversal is answered with 99, which decides nothing.";
    RefundQueriesTell = "refund_queries_tell", "Refunds and reversals", None,
        "Queries tell what was refunded, which the real gateway is not known to do.";
    DuplicateOrderIdsAllowed = "duplicate_order_ids_allowed", "Requests", None,
        "An order id may be sent again until it is paid, as the documentation says.";
}

impl Fault {
    /// The fault with that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|fault| fault.name() == name)
    }

    fn default_number(self) -> u64 {
        self.number().map_or(0, |number| number.default)
    }
}

/// How a fault that is switched on applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Switch {
    /// How many times it still happens; `None`: always.
    pub(crate) count: Option<u32>,
    /// In how many of a hundred cases it happens.
    pub(crate) percent: u8,
    /// The number that it takes; 0 where it takes none.
    pub(crate) value: u64,
}

impl Switch {
    /// A fault that happens every time, with its usual number.
    pub(crate) fn always(fault: Fault) -> Self {
        Self { count: None, percent: 100, value: fault.default_number() }
    }
}

/// What a person or a test asks of one switch: `true`, `false`, `null` or an object.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Setting {
    /// On (always) or off.
    Plain(bool),
    /// On, in this way. Everything is optional.
    Exact(ExactSetting),
    /// Off.
    Nothing,
}

/// A switch with the parts that are given; the others have their usual values.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExactSetting {
    #[serde(default)]
    count: Option<u32>,
    #[serde(default)]
    percent: Option<u8>,
    #[serde(default)]
    value: Option<u64>,
}

/// The faults that are switched on, everywhere or for one payment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Faults {
    switches: BTreeMap<Fault, Switch>,
}

impl Faults {
    /// Switches a fault on, or off with `None`.
    pub(crate) fn set(&mut self, fault: Fault, switch: Option<Switch>) {
        match switch {
            Some(switch) if switch.count != Some(0) => self.switches.insert(fault, switch),
            _ => self.switches.remove(&fault),
        };
    }

    /// The switch of a fault, if it is on.
    pub(crate) fn get(&self, fault: Fault) -> Option<Switch> {
        self.switches.get(&fault).copied()
    }

    /// How many are on.
    pub(crate) fn len(&self) -> usize {
        self.switches.len()
    }

    /// Applies the settings that are given and leaves the other switches as they are. Nothing is changed
    /// unless every setting is valid.
    ///
    /// # Errors
    /// A sentence that names the setting that cannot be taken.
    pub(crate) fn apply(&mut self, settings: &BTreeMap<String, Setting>) -> Result<(), String> {
        let mut changed = self.clone();
        for (name, setting) in settings {
            let fault = Fault::from_name(name).ok_or_else(|| format!("there is no fault {name:?}"))?;
            let switch = match setting {
                Setting::Plain(true) => Some(Switch::always(fault)),
                Setting::Plain(false) | Setting::Nothing => None,
                Setting::Exact(exact) => Some(exact.switch(fault)?),
            };
            changed.set(fault, switch);
        }
        *self = changed;
        Ok(())
    }

    /// Every fault with `false`, or with its switch.
    pub(crate) fn to_json(&self) -> serde_json::Value {
        let entries = Fault::ALL.iter().map(|fault| {
            let value = self.get(*fault).map_or(serde_json::Value::Bool(false), |switch| {
                serde_json::json!({
                    "count": switch.count, "percent": switch.percent, "value": switch.value,
                })
            });
            (fault.name().to_owned(), value)
        });
        serde_json::Value::Object(entries.collect())
    }

    /// Whether the fault happens now, and with which number. A switch that counts goes down by one.
    pub(crate) fn fires(&mut self, fault: Fault, dice: &mut Dice) -> Option<u64> {
        let switch = self.get(fault)?;
        if switch.percent < 100 && dice.roll(fault) >= u64::from(switch.percent) {
            return None;
        }
        if let Some(count) = switch.count {
            self.set(fault, Some(Switch { count: Some(count.saturating_sub(1)), ..switch }));
        }
        Some(switch.value)
    }
}

impl ExactSetting {
    /// The switch that this asks for.
    fn switch(self, fault: Fault) -> Result<Switch, String> {
        let name = fault.name();
        let percent = self.percent.unwrap_or(100);
        if !(1..=100).contains(&percent) {
            return Err(format!("{name}: percent is 1 to 100"));
        }
        let value = match (fault.number(), self.value) {
            (None, None) => 0,
            (None, Some(_)) => return Err(format!("{name} takes no value")),
            (Some(number), None) => number.default,
            (Some(number), Some(value)) if value <= number.max => value,
            (Some(number), Some(_)) => return Err(format!("{name}: value is at most {}", number.max)),
        };
        Ok(Switch { count: self.count, percent, value })
    }
}

/// Chance that repeats itself: each fault has its own sequence, so the order in which different faults are
/// asked about does not matter.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dice {
    seed: u64,
    rolls: BTreeMap<Fault, u64>,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, rolls: BTreeMap::new() }
    }

    /// The next number from 0 to 99 for that fault.
    fn roll(&mut self, fault: Fault) -> u64 {
        let count = self.rolls.entry(fault).or_default();
        *count += 1;
        let position = Fault::ALL.iter().position(|other| *other == fault).unwrap_or_default();
        // SplitMix64: a counter, well mixed.
        let mut mixed = self.seed.wrapping_add(
            0x9e37_79b9_7f4a_7c15_u64
                .wrapping_mul(count.wrapping_add(u64::try_from(position).unwrap_or_default() << 32)),
        );
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(faults: &mut Faults, json: &str) -> Result<(), String> {
        faults.apply(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn names_are_what_serde_writes() {
        for fault in Fault::ALL {
            assert_eq!(serde_json::to_value(fault).unwrap(), fault.name());
            assert_eq!(Fault::from_name(fault.name()), Some(*fault));
        }
    }

    #[test]
    fn a_counted_fault_happens_that_often() {
        let (mut faults, mut dice) = (Faults::default(), Dice::new(1));
        set(&mut faults, r#"{"notify_delayed_ms": {"count": 2, "value": 5}}"#).unwrap();
        let mut fires = || faults.fires(Fault::NotifyDelayedMs, &mut dice);
        assert_eq!([fires(), fires(), fires()], [Some(5), Some(5), None]);
    }

    #[test]
    fn chance_repeats_with_the_seed_whatever_else_is_asked() {
        let run = |seed, disturb: bool| {
            let (mut faults, mut dice) = (Faults::default(), Dice::new(seed));
            set(&mut faults, r#"{"ok_lost": {"percent": 30}, "notify_lost": {"percent": 50}}"#).unwrap();
            (0..200)
                .map(|_| {
                    if disturb {
                        faults.fires(Fault::NotifyLost, &mut dice);
                    }
                    faults.fires(Fault::OkLost, &mut dice).is_some()
                })
                .collect::<Vec<_>>()
        };
        assert_eq!(run(7, false), run(7, true));
        assert_ne!(run(7, false), run(8, false));
        let hits = run(7, false).into_iter().filter(|hit| *hit).count();
        assert!((40..=80).contains(&hits), "{hits} of 200 at 30 %");
    }

    #[test]
    fn settings_are_partial_and_all_or_nothing() {
        let mut faults = Faults::default();
        set(&mut faults, r#"{"notify_lost": true, "ok_lost": {"count": 1}}"#).unwrap();
        set(&mut faults, r#"{"ok_lost": null, "status_pending": {}}"#).unwrap();
        assert_eq!(faults.len(), 2);
        for bad in [
            r#"{"notify_lost": false, "nonsense": true}"#,
            r#"{"notify_lost": false, "ok_lost": {"percent": 0}}"#,
            r#"{"notify_lost": false, "ok_lost": {"value": 3}}"#,
            r#"{"notify_lost": false, "status_late_ms": {"value": 60001}}"#,
        ] {
            set(&mut faults, bad).unwrap_err();
        }
        assert!(faults.get(Fault::NotifyLost).is_some());
    }
}
