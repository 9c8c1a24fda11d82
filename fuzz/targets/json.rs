//! An answer in JSON: it is read, and then the same text is signed again, or it is refused.
#![no_main]

#[path = "../../mypos/tests/protocol/meaning.rs"]
mod meaning;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mypos::{PrivateKey, Unverified};

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).unwrap());

fuzz_target!(|body: &[u8]| {
    if let Ok(message) = Unverified::from_json(body) {
        let again = Unverified::from_json(message.claimed().to_json().as_bytes()).unwrap();
        assert_eq!(again.claimed().signed_text(), message.claimed().signed_text());
        meaning::is_what_was_signed(&KEY, message.claimed());
    }
});
