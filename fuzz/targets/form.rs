//! The body of a notification: it is read, and then means the same again, or it is refused.
#![no_main]

#[path = "../../mypos/tests/protocol/meaning.rs"]
mod meaning;

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use mypos::{PrivateKey, Unverified};

static KEY: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).unwrap());

fuzz_target!(|body: &[u8]| {
    if let Ok(message) = Unverified::from_form(body) {
        let again = Unverified::from_form(message.claimed().to_form().as_bytes());
        assert_eq!(again.map(|again| again.claimed().clone()), Ok(message.claimed().clone()));
        meaning::is_what_was_signed(&KEY, message.claimed());
    }
});
