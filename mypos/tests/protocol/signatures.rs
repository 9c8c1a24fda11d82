//! When a signature counts, and when it does not.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use mypos::{Fields, KeyError, ParseError, SignatureError, Unverified};
use proptest::prelude::*;

use crate::fixtures::{KEY, OTHER_KEY, fields, signed, with_signature};

fn sample() -> (Vec<(String, String)>, String) {
    let mut pairs = signed(fields(&[("IPCmethod", "IPCRefund"), ("Amount", "1.00")])).into_pairs();
    let (name, signature) = pairs.pop().unwrap();
    assert_eq!(name, "Signature");
    (pairs, signature)
}

#[test]
fn an_unsigned_message_is_refused() {
    let message = Unverified::from_form(b"IPCmethod=IPCRefund&Status=3").unwrap();
    assert!(!message.has_signature());
    assert_eq!(message.claimed_method(), Some("IPCRefund"));
    assert_eq!(message.verify(&KEY.public_key()), Err(SignatureError::Missing));
}

#[test]
fn an_empty_signature_is_refused() {
    let (pairs, _) = sample();
    let message = with_signature(&pairs, "");
    assert!(message.has_signature());
    assert_eq!(message.verify(&KEY.public_key()), Err(SignatureError::Invalid));
}

#[test]
fn another_key_is_refused_and_one_of_several_is_enough() {
    let (pairs, signature) = sample();
    let message = with_signature(&pairs, &signature);
    let (right, wrong) = (KEY.public_key(), OTHER_KEY.public_key());
    assert_eq!(message.verify(&wrong), Err(SignatureError::Invalid));
    assert_eq!(message.verify_any([]), Err(SignatureError::Invalid));
    assert_eq!(message.verify_any([&wrong, &wrong]), Err(SignatureError::Invalid));
    assert!(message.verify_any([&wrong, &right]).is_ok());
}

#[test]
fn base64_that_is_not_canonical_is_refused() {
    let (pairs, signature) = sample();
    let key = KEY.public_key();
    let bytes = STANDARD.decode(&signature).unwrap();
    // 256 bytes end in one byte, whose last character has four bits to spare.
    let last = signature.len() - 3;
    let mut loose = signature.clone().into_bytes();
    loose[last] += 1;
    let spare_bits = String::from_utf8(loose).unwrap();
    for other in [
        spare_bits,
        STANDARD_NO_PAD.encode(&bytes),
        format!("{signature}="),
        format!("{signature}\n"),
        format!(" {signature}"),
        format!("{}\r\n{}", &signature[..64], &signature[64..]),
    ] {
        let message = with_signature(&pairs, &other);
        assert_eq!(message.verify(&key), Err(SignatureError::NotBase64), "{other:?}");
    }
    if signature.contains(['+', '/']) {
        let message = with_signature(&pairs, &URL_SAFE.encode(&bytes));
        assert_eq!(message.verify(&key), Err(SignatureError::NotBase64));
    }
}

#[test]
fn a_signature_of_another_length_is_refused() {
    let (pairs, signature) = sample();
    let bytes = STANDARD.decode(&signature).unwrap();
    for other in [[&[0], bytes.as_slice()].concat(), bytes[1..].to_vec(), vec![0; 256]] {
        let message = with_signature(&pairs, &STANDARD.encode(other));
        assert_eq!(message.verify(&KEY.public_key()), Err(SignatureError::Invalid));
    }
}

#[test]
fn a_repeated_signature_is_refused_however_it_is_spelt() {
    let (pairs, signature) = sample();
    for name in ["Signature", "signature", "SIGNATURE", "Sig_nature"] {
        let mut twice = pairs.clone();
        twice.push(("Signature".to_owned(), signature.clone()));
        twice.push((name.to_owned(), signature.clone()));
        assert_eq!(Unverified::from_pairs(twice), Err(ParseError::RepeatedSignature));
    }
    let xml = b"<ipc_response><a/><Signature>A</Signature><Signature>A</Signature></ipc_response>";
    assert_eq!(Unverified::from_xml(xml), Err(ParseError::RepeatedSignature));
    let json = br#"{"a":"","Signature":"A","Signature":"A"}"#;
    assert_eq!(Unverified::from_json(json), Err(ParseError::RepeatedSignature));
}

#[test]
fn a_nested_signature_in_the_place_of_the_outer_one_is_refused() {
    assert_eq!(Unverified::from_json(br#"{"Signature":["A"]}"#), Err(ParseError::SignatureNotText));
}

#[test]
fn blanks_in_the_signature_of_a_form_are_plus_signs() {
    let mut text = String::new();
    let mut number = 0;
    while !text.contains('+') {
        number += 1;
        text = signed(fields(&[("a", &number.to_string())])).to_form();
        text = text.replace("%2B", "+");
    }
    let message = Unverified::from_form(text.as_bytes()).unwrap();
    assert!(message.verify(&KEY.public_key()).is_ok());
}

#[test]
fn inner_signatures_are_signed_and_the_outer_one_is_not() {
    let mut message = fields(&[("IPCMethod", "IPCGetTxnStatus")]);
    message
        .push_nested("OrderStatus", fields(&[("IPCmethod", "IPCPurchaseRollback"), ("Signature", "inner")]));
    message.push("Status", "0");
    let text = "IPCGetTxnStatus-IPCPurchaseRollback-inner-0";
    assert_eq!(message.signed_text(), text);
    let signed = signed(message);
    assert_eq!(signed.fields().signed_text(), text);
    assert_eq!(signed.fields().iter().last().unwrap().name, "Signature");
}

#[test]
fn empty_values_are_signed() {
    assert_eq!(fields(&[("a", ""), ("b", ""), ("c", "x")]).signed_text(), "--x");
    assert_eq!(Fields::new().signed_text(), "");
}

#[test]
fn fields_are_not_signed_twice() {
    let once = signed(fields(&[("a", "1")]));
    assert_eq!(KEY.sign_fields(once.fields().clone()), Err(KeyError::AlreadySigned));
}

#[test]
fn the_fields_of_a_verified_message_are_without_the_signature() {
    let (pairs, signature) = sample();
    let verified = with_signature(&pairs, &signature).verify(&KEY.public_key()).unwrap();
    assert_eq!(verified.fields().len(), pairs.len());
    assert_eq!(verified.fields().text("signature"), None);
}

#[derive(Clone, Debug)]
enum Change {
    Replace(usize, String),
    Insert(usize, String),
    Remove(usize),
    Swap(usize, usize),
    /// Join the value with the next one by a dash, which leaves the signed text as it is.
    Join(usize),
    /// Split the value at its first dash, which leaves the signed text as it is.
    Split(usize),
}

fn change() -> impl Strategy<Value = Change> {
    let at = 0..8_usize;
    prop_oneof![
        (at.clone(), "[a-c-]{0,4}").prop_map(|(at, new)| Change::Replace(at, new)),
        (at.clone(), "[a-c-]{0,4}").prop_map(|(at, new)| Change::Insert(at, new)),
        at.clone().prop_map(Change::Remove),
        (at.clone(), at.clone()).prop_map(|(a, b)| Change::Swap(a, b)),
        at.clone().prop_map(Change::Join),
        at.prop_map(Change::Split),
    ]
}

fn apply(change: Change, values: &mut Vec<String>) {
    let len = values.len();
    match change {
        Change::Replace(at, new) => values[at % len] = new,
        Change::Insert(at, new) => values.insert(at % (len + 1), new),
        Change::Remove(at) => drop(values.remove(at % len)),
        Change::Swap(a, b) => values.swap(a % len, b % len),
        Change::Join(at) => {
            let at = at % len;
            if at + 1 < len {
                let next = values.remove(at + 1);
                values[at] = format!("{}-{next}", values[at]);
            }
        }
        Change::Split(at) => {
            let at = at % len;
            if let Some((before, after)) = values[at].clone().split_once('-') {
                values.splice(at..=at, [before.to_owned(), after.to_owned()]);
            }
        }
    }
}

fn pairs(values: &[String]) -> Vec<(String, String)> {
    values.iter().enumerate().map(|(index, value)| (format!("f{index}"), value.clone())).collect()
}

proptest! {
    #[test]
    fn a_changed_message_verifies_exactly_if_its_signed_text_is_the_same(
        original in prop::collection::vec("[a-c-]{0,4}", 1..8),
        change in change(),
    ) {
        let mut changed = original.clone();
        apply(change, &mut changed);
        let mut sent = signed(pairs(&original).into_iter().collect()).into_pairs();
        let (_, signature) = sent.pop().unwrap();
        let received = with_signature(&pairs(&changed), &signature);
        prop_assert_eq!(
            received.verify(&KEY.public_key()).is_ok(),
            changed.join("-") == original.join("-")
        );
    }

    #[test]
    fn a_changed_signature_is_refused(at in 0..344_usize, with in "[A-Za-z0-9+/= -]") {
        let (pairs, signature) = sample();
        let changed = format!("{}{with}{}", &signature[..at], &signature[at + 1..]);
        prop_assume!(changed != signature);
        prop_assert!(with_signature(&pairs, &changed).verify(&KEY.public_key()).is_err());
    }
}
