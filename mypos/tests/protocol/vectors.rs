//! Messages that the real test gateway signed, printed in myPOS's public documentation.

use mypos::{PublicKey, SignatureError, Unverified};

use crate::fixtures::with_signature;

#[derive(serde::Deserialize)]
struct Vectors {
    api_public_key: String,
    accept: Vec<Vector>,
    reject: Vec<Vector>,
}

#[derive(serde::Deserialize)]
struct Vector {
    name: String,
    fields: Vec<(String, String)>,
    signature: String,
}

impl Vectors {
    fn load() -> (Self, PublicKey) {
        let vectors: Self = serde_json::from_str(include_str!("../vectors.json")).unwrap();
        let key = PublicKey::from_pem(&vectors.api_public_key).unwrap();
        (vectors, key)
    }
}

#[test]
fn what_the_gateway_signed_is_accepted() {
    let (vectors, key) = Vectors::load();
    assert_eq!(key.bits(), 1024);
    for vector in &vectors.accept {
        let message = with_signature(&vector.fields, &vector.signature);
        let verified = message.verify(&key).unwrap_or_else(|error| panic!("{}: {error}", vector.name));
        let pairs: Vec<_> = verified
            .fields()
            .iter()
            .map(|field| (field.name.clone(), field.text().unwrap().to_owned()))
            .collect();
        assert_eq!(pairs, vector.fields);
    }
}

#[test]
fn what_is_only_printed_as_an_illustration_is_refused() {
    let (vectors, key) = Vectors::load();
    for vector in &vectors.reject {
        let message = with_signature(&vector.fields, &vector.signature);
        assert_eq!(message.verify(&key), Err(SignatureError::Invalid), "{}", vector.name);
    }
}

#[test]
fn names_and_the_place_of_the_signature_are_not_signed() {
    let (vectors, key) = Vectors::load();
    for vector in &vectors.accept {
        for place in 0..=vector.fields.len() {
            let mut pairs: Vec<_> = vector
                .fields
                .iter()
                .enumerate()
                .map(|(index, (_, value))| (format!("renamed{index}"), value.clone()))
                .collect();
            pairs.insert(place, ("sIGNATURE".to_owned(), vector.signature.clone()));
            assert!(Unverified::from_pairs(pairs).unwrap().verify(&key).is_ok());
        }
    }
}

/// Every message that is one small step away from `pairs`.
fn neighbours(pairs: &[(String, String)]) -> Vec<Vec<(String, String)>> {
    let mut all = Vec::new();
    for index in 0..pairs.len() {
        let value = &pairs[index].1;
        let mut replace = |new: String| {
            let mut changed = pairs.to_vec();
            changed[index].1 = new;
            all.push(changed);
        };
        for at in 0..value.len() {
            let (before, after) = value.split_at(at);
            let other = if after.starts_with('0') { '1' } else { '0' };
            replace(format!("{before}{other}{}", &after[1..]));
            replace(format!("{before}{}", &after[1..]));
            replace(format!("{before}{other}{after}"));
        }
        replace(format!("{value} "));
        replace(format!("{value}-"));

        let mut without = pairs.to_vec();
        without.remove(index);
        all.push(without);
        for added in ["", "0", value] {
            let mut with = pairs.to_vec();
            with.insert(index, ("added".to_owned(), added.to_owned()));
            all.push(with);
        }
        for other in index + 1..pairs.len() {
            let mut swapped = pairs.to_vec();
            swapped.swap(index, other);
            all.push(swapped);
        }
    }
    all
}

#[test]
fn every_single_change_is_refused() {
    let (vectors, key) = Vectors::load();
    for vector in &vectors.accept {
        for changed in neighbours(&vector.fields) {
            let message = with_signature(&changed, &vector.signature);
            assert_eq!(message.verify(&key), Err(SignatureError::Invalid), "{changed:?}");
        }
    }
}
