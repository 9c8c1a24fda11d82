//! An answer in JSON: it is read, and then the same text is signed again, or it is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mypos::Unverified;

fuzz_target!(|body: &[u8]| {
    if let Ok(message) = Unverified::from_json(body) {
        let again = Unverified::from_json(message.claimed().to_json().as_bytes()).unwrap();
        assert_eq!(again.claimed().signed_text(), message.claimed().signed_text());
    }
});
