//! Keys and small conversions that many tests share. Keys are made once per run.

use std::sync::LazyLock;

use mypos::{Fields, PrivateKey, SignedFields, Unverified, Verified};

/// The key that signs in the tests, 2048 bits.
pub(crate) static KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(2048).expect("2048 bits are supported"));

/// A key that nobody should trust.
pub(crate) static OTHER_KEY: LazyLock<PrivateKey> =
    LazyLock::new(|| PrivateKey::generate(2048).expect("2048 bits are supported"));

/// An order id of the right form.
pub(crate) const ORDER_ID: &str = "ABCDEFGHIJKLMNOPQRSTUVWX23";

/// Fields from pairs.
pub(crate) fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs.iter().copied().collect()
}

/// The fields signed with [`KEY`].
pub(crate) fn signed(fields: Fields) -> SignedFields {
    KEY.sign_fields(fields).expect("the key signs")
}

/// The fields as a message whose sender is proved.
pub(crate) fn verified(fields: Fields) -> Verified {
    Unverified::from_json(signed(fields).to_json().as_bytes())
        .expect("JSON carries everything")
        .verify(&KEY.public_key())
        .expect("the signature is fresh")
}

/// These pairs with a signature that was made for something else.
pub(crate) fn with_signature(pairs: &[(String, String)], signature: &str) -> Unverified {
    let mut pairs = pairs.to_vec();
    pairs.push(("Signature".to_owned(), signature.to_owned()));
    Unverified::from_pairs(pairs).expect("the pairs are within the limits")
}
