//! The exact shape of callbacks, and why nothing less will do.

use mypos::{
    Amount, Callback, CallbackMethod, Currency, Door, Fields, Notify, OrderId, PurchaseCancel, PurchaseOk,
    PurchaseRollback, ShapeError, Trnref, Unverified,
};
use proptest::prelude::*;

use crate::fixtures::{KEY, ORDER_ID, fields, signed, verified, with_signature};

const DOORS: [Door; 3] = [Door::Notify, Door::Ok, Door::Cancel];

/// A callback of that method with a full tail.
fn callback(method: &str) -> Vec<(&'static str, String)> {
    let mut pairs = vec![
        ("IPCmethod", method.to_owned()),
        ("SID", "000000000000010".to_owned()),
        ("Amount", "12.3".to_owned()),
        ("Currency", "EUR".to_owned()),
        ("OrderID", ORDER_ID.to_owned()),
    ];
    if method == "IPCPurchaseNotify" || method == "IPCPurchaseOK" {
        pairs.extend([
            ("IPC_Trnref", "813705".to_owned()),
            ("RequestSTAN", "000006".to_owned()),
            ("RequestDateTime", "2026-08-21 10:39:37".to_owned()),
            ("PaymentMethod", "1".to_owned()),
            ("BillingDescriptor", "A  SHOP".to_owned()),
            ("PAN", "0007".to_owned()),
            ("CustomerFirstNames", "Ada".to_owned()),
        ]);
    }
    pairs
}

fn read(pairs: &[(&str, String)], door: Door) -> Result<Callback, ShapeError> {
    let fields = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Callback::read(&verified(fields), door)
}

/// The Notify with one value replaced.
fn with(name: &str, value: &str) -> Result<Callback, ShapeError> {
    let mut pairs = callback("IPCPurchaseNotify");
    let pair = pairs.iter_mut().find(|pair| pair.0 == name).unwrap();
    *pair = (pair.0, value.to_owned());
    read(&pairs, Door::Notify)
}

fn sid() -> String {
    "000000000000010".to_owned()
}

fn amount() -> Amount {
    Amount::new(1230, Currency::Eur)
}

fn order_id() -> OrderId {
    OrderId::parse(ORDER_ID).unwrap()
}

fn trnref() -> Trnref {
    Trnref::parse("813705").unwrap()
}

#[test]
fn every_method_is_read_with_its_values() {
    assert_eq!(
        read(&callback("IPCPurchaseNotify"), Door::Notify),
        Ok(Callback::Notify(Notify {
            sid: sid(),
            amount: amount(),
            order_id: order_id(),
            trnref: trnref(),
            payment_method: Some("1".to_owned()),
            pan_last4: Some("0007".to_owned()),
            request_date_time: Some("2026-08-21 10:39:37".to_owned()),
        }))
    );
    assert_eq!(
        read(&callback("IPCPurchaseOK"), Door::Ok),
        Ok(Callback::Ok(PurchaseOk { sid: sid(), amount: amount(), order_id: order_id(), trnref: trnref() }))
    );
    assert_eq!(
        read(&callback("IPCPurchaseCancel"), Door::Cancel),
        Ok(Callback::Cancel(PurchaseCancel { sid: sid(), amount: amount(), order_id: order_id() }))
    );
    assert_eq!(
        read(&callback("IPCPurchaseRollback"), Door::Notify),
        Ok(Callback::Rollback(PurchaseRollback { sid: sid(), amount: amount(), order_id: order_id() }))
    );
    let own_fields = [("IPCmethod", "IPCSignatureVerify".to_owned()), ("x", "y".to_owned())];
    assert_eq!(read(&own_fields, Door::Notify), Ok(Callback::SignatureVerify));
}

#[test]
fn every_method_is_taken_at_its_own_door_only() {
    for method in CallbackMethod::ALL {
        for door in DOORS {
            let result = read(&callback(method.name()), door);
            if door == method.door() {
                assert_eq!(result.map(|callback| callback.method()), Ok(method));
            } else {
                assert_eq!(result, Err(ShapeError::UnexpectedMethod), "{method:?} at {door:?}");
            }
        }
    }
}

#[test]
fn unknown_methods_and_other_spellings_are_refused() {
    for method in ["IPCPurchase", "ipcpurchasenotify", "IPCPurchaseNotify ", "", "IPCGetPaymentStatus"] {
        assert_eq!(with("IPCmethod", method), Err(ShapeError::UnexpectedMethod), "{method:?}");
    }
}

#[test]
fn names_are_compared_without_case() {
    let mut pairs = callback("IPCPurchaseNotify");
    for (pair, name) in
        pairs.iter_mut().zip(["IPCMethod", "sid", "AMOUNT", "currency", "orderid", "ipc_trnref"])
    {
        pair.0 = name;
    }
    assert!(read(&pairs, Door::Notify).is_ok());
}

#[test]
fn the_first_fields_stand_in_their_order_with_nothing_between() {
    let genuine = callback("IPCPurchaseNotify");
    for a in 0..6 {
        for b in a + 1..genuine.len() {
            let mut swapped = genuine.clone();
            swapped.swap(a, b);
            assert!(read(&swapped, Door::Notify).is_err(), "{a} and {b} swapped");
        }
        let mut missing = genuine.clone();
        missing.remove(a);
        assert!(read(&missing, Door::Notify).is_err(), "{a} missing");
        for value in ["", "x"] {
            let mut longer = genuine.clone();
            longer.insert(a, ("x", value.to_owned()));
            assert!(read(&longer, Door::Notify).is_err(), "{value:?} before {a}");
        }
    }
    let mut after = genuine.clone();
    after.insert(6, ("x", String::new()));
    assert!(read(&after, Door::Notify).is_ok(), "unknown fields are allowed after these");
    assert!(read(&genuine[..6], Door::Notify).is_ok(), "the tail is optional");
    assert_eq!(read(&genuine[..5], Door::Notify), Err(ShapeError::Misplaced("IPC_Trnref")));
}

#[test]
fn no_name_may_be_repeated() {
    for name in ["IPCmethod", "SID", "Amount", "Currency", "OrderID", "IPC_Trnref", "ipctrnref", "PAN"] {
        let mut pairs = callback("IPCPurchaseNotify");
        pairs.push((name, "1".to_owned()));
        assert_eq!(read(&pairs, Door::Notify), Err(ShapeError::Repeated), "{name}");
    }
    let mut pairs = callback("IPCPurchaseNotify");
    pairs.extend([("x", String::new()), ("X", String::new())]);
    assert_eq!(read(&pairs, Door::Notify), Err(ShapeError::Repeated));
}

#[test]
fn every_value_matches_its_whole_grammar() {
    for sid in ["", "0000000000000010", "1O", " 1", "1\n", "-1", "1-2", "١"] {
        assert_eq!(with("SID", sid), Err(ShapeError::Malformed("SID")), "{sid:?}");
    }
    for amount in ["", "-1", "+1", "1,00", "1.001", "1e2", "1-2", "1. ", "99999999999999999999"] {
        assert_eq!(with("Amount", amount), Err(ShapeError::Malformed("Amount")), "{amount:?}");
    }
    for currency in ["", "eur", "EUR ", "XXX", "E-R"] {
        assert_eq!(with("Currency", currency), Err(ShapeError::Malformed("Currency")), "{currency:?}");
    }
    for trnref in ["", "1-2", "a b", "ä", &"1".repeat(41)] {
        assert_eq!(with("IPC_Trnref", trnref), Err(ShapeError::Malformed("IPC_Trnref")), "{trnref:?}");
    }
    assert!(with("SID", "7").is_ok());
    assert!(with("Amount", "50").is_ok());
    assert!(with("IPC_Trnref", &"Z".repeat(40)).is_ok());
}

#[test]
fn an_order_id_of_another_system_is_told_from_nonsense() {
    let foreign = Err(ShapeError::ForeignOrderId { method: Some(CallbackMethod::Notify) });
    let long = format!("{ORDER_ID}A");
    let lower = ORDER_ID.to_lowercase();
    for id in ["1440146333", "shop-12", &long, &ORDER_ID[1..], &lower, "Ä"] {
        assert_eq!(with("OrderID", id), foreign, "{id:?}");
    }
    for id in ["", "a\nb", &"A".repeat(256)] {
        assert_eq!(with("OrderID", id), Err(ShapeError::Malformed("OrderID")), "{id:?}");
    }
    let mut rollback = callback("IPCPurchaseRollback");
    rollback[4].1 = "1440146333".to_owned();
    assert_eq!(
        read(&rollback, Door::Notify),
        Err(ShapeError::ForeignOrderId { method: Some(CallbackMethod::Rollback) })
    );
}

#[test]
fn the_last_four_digits_are_kept_and_nothing_longer() {
    for pan in ["", "123", "12345", "4006090000000007", "400609******0007", "12a4", "١٢٣٤"] {
        match with("PAN", pan) {
            Ok(Callback::Notify(notify)) => assert_eq!(notify.pan_last4, None, "{pan:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn nested_fields_are_refused() {
    let mut nested = fields(&[("IPCmethod", "IPCPurchaseCancel"), ("SID", "1")]);
    nested.push("Amount", "1");
    nested.push("Currency", "EUR");
    nested.push("OrderID", ORDER_ID);
    assert!(Callback::read(&verified(nested.clone()), Door::Cancel).is_ok());
    nested.push_nested("x", Fields::new());
    assert_eq!(Callback::read(&verified(nested), Door::Cancel), Err(ShapeError::Nested));
}

/// What the shopper types as his first names to have it signed.
const PLANTED: &str = "IPCPurchaseNotify-10-999.00-EUR-ZZZZZZZZZZZZZZZZZZZZZZZZZZ-1";

/// A genuine OK with that text inside, and its signature.
fn planted_ok() -> (String, String) {
    let mut ok = callback("IPCPurchaseOK");
    ok.pop();
    ok.push(("CustomerFirstNames", PLANTED.to_owned()));
    ok.push(("CustomerFamilyName", "Lovelace".to_owned()));
    let message: Fields = ok.into_iter().collect();
    let text = message.signed_text();
    let (_, signature) = signed(message).into_pairs().pop().unwrap();
    (text, signature)
}

#[test]
fn a_genuine_ok_cut_into_a_notify_verifies_and_is_refused() {
    let (text, signature) = planted_ok();
    let (before, after) = text.split_once("-IPCPurchaseNotify").unwrap();
    let tail: Vec<&str> = after.trim_start_matches('-').splitn(6, '-').collect();
    let notify = ["SID", "Amount", "Currency", "OrderID", "IPC_Trnref", "rest"];
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let planted: Vec<_> = std::iter::once(pair("IPCmethod", "IPCPurchaseNotify"))
        .chain(notify.iter().zip(&tail).map(|(name, value)| pair(name, value)))
        .collect();

    let under_another_name = [vec![pair("x", before)], planted.clone()].concat();
    let as_one_method = {
        let mut pairs = planted.clone();
        pairs[0].1 = format!("{before}-IPCPurchaseNotify");
        pairs
    };
    let as_a_repeated_method = [vec![pair("IPCmethod", before)], planted.clone()].concat();
    let with_the_notify_first = {
        let mut pairs = planted;
        pairs.push(pair("x", before));
        pairs
    };

    for (pairs, keeps_signature) in [
        (under_another_name, true),
        (as_one_method, true),
        (as_a_repeated_method, true),
        (with_the_notify_first, false),
    ] {
        match with_signature(&pairs, &signature).verify(&KEY.public_key()) {
            Ok(verified) => {
                assert!(keeps_signature);
                for door in DOORS {
                    assert!(Callback::read(&verified, door).is_err(), "{pairs:?} at {door:?}");
                }
            }
            Err(_) => assert!(!keeps_signature, "{pairs:?}"),
        }
    }
}

#[test]
fn a_value_without_a_name_cannot_push_the_others_along() {
    let (text, signature) = planted_ok();
    let (before, _) = text.split_once("-IPCPurchaseNotify").unwrap();
    let pairs = [(String::new(), before.to_owned()), ("Signature".to_owned(), signature)];
    assert!(Unverified::from_pairs(pairs).is_err());
}

/// A way to cut a text at its dashes, and names for the pieces.
#[derive(Clone, Debug)]
struct Recut {
    /// For each dash in turn, whether it is a cut.
    cuts: Vec<bool>,
    /// Which piece the known names begin at.
    first: usize,
    /// How many of the known names are used.
    named: usize,
}

fn recut() -> impl Strategy<Value = Recut> {
    let cuts = prop::collection::vec(prop::bool::weighted(0.85), 40);
    let first = prop_oneof![2 => Just(0_usize), 3 => 0..16_usize];
    (cuts, first, 4..10_usize).prop_map(|(cuts, first, named)| Recut { cuts, first, named })
}

impl Recut {
    fn apply(&self, text: &str) -> Vec<(String, String)> {
        const NAMES: [&str; 9] = [
            "IPCmethod",
            "SID",
            "Amount",
            "Currency",
            "OrderID",
            "IPC_Trnref",
            "RequestSTAN",
            "RequestDateTime",
            "PAN",
        ];
        let mut pieces: Vec<String> = Vec::new();
        for (index, segment) in text.split('-').enumerate() {
            let is_cut = index == 0 || *self.cuts.get(index - 1).unwrap_or(&true);
            match pieces.last_mut() {
                Some(last) if !is_cut => {
                    last.push('-');
                    last.push_str(segment);
                }
                _ => pieces.push(segment.to_owned()),
            }
        }
        let name = |index: usize| {
            index
                .checked_sub(self.first)
                .filter(|place| *place < self.named)
                .and_then(|place| NAMES.get(place))
                .map_or_else(|| format!("x{index}"), |name| (*name).to_owned())
        };
        pieces.into_iter().enumerate().map(|(index, piece)| (name(index), piece)).collect()
    }
}

/// What a shopper may type: pieces of messages, joined by dashes.
fn typed() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("IPCPurchaseNotify".to_owned()),
        Just("IPCPurchaseRollback".to_owned()),
        Just("IPCPurchaseCancel".to_owned()),
        Just("10".to_owned()),
        Just("999.00".to_owned()),
        Just("EUR".to_owned()),
        Just("ZZZZZZZZZZZZZZZZZZZZZZZZZZ".to_owned()),
        Just(String::new()),
        "[ -~]{0,6}",
    ];
    prop_oneof![
        Just(PLANTED.to_owned()),
        prop::collection::vec(piece, 0..9).prop_map(|pieces| pieces.join("-")),
    ]
}

/// The values that may decide about money.
fn decisive(callback: &Callback) -> String {
    match callback {
        Callback::Notify(c) => format!("{} {:?} {} {}", c.sid, c.amount, c.order_id, c.trnref),
        Callback::Ok(c) => format!("{} {:?} {} {}", c.sid, c.amount, c.order_id, c.trnref),
        Callback::Cancel(c) => format!("{} {:?} {}", c.sid, c.amount, c.order_id),
        Callback::Rollback(c) => format!("{} {:?} {}", c.sid, c.amount, c.order_id),
        Callback::SignatureVerify => String::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    /// However a signed text is cut and named: it passes at no door but its own, and there only with the
    /// values that the gateway signed.
    #[test]
    fn no_cut_makes_another_message(
        which in 0..4_usize,
        typed in prop::collection::vec(typed(), 0..3),
        recut in recut(),
    ) {
        let genuine = CallbackMethod::ALL[which];
        let mut pairs = callback(genuine.name());
        pairs.extend(typed.into_iter().enumerate().map(|(index, text)| {
            (["CustomerFamilyName", "CustomerEmail"][index], text)
        }));
        let message: Fields = pairs.into_iter().collect();
        let text = message.signed_text();
        let original = Callback::read(&verified(message.clone()), genuine.door()).unwrap();
        let (_, signature) = signed(message).into_pairs().pop().unwrap();

        let cut = with_signature(&recut.apply(&text), &signature).verify(&KEY.public_key());
        prop_assert!(cut.is_ok(), "a cut does not change the signed text");
        let cut = cut.unwrap();
        for door in DOORS {
            if let Ok(callback) = Callback::read(&cut, door) {
                prop_assert_eq!(callback.method(), genuine);
                prop_assert_eq!(decisive(&callback), decisive(&original));
            }
        }
    }
}
