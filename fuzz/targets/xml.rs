//! An answer in XML: it is read, and then the same text is signed again, or it is refused.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mypos::Unverified;

fuzz_target!(|body: &[u8]| {
    if let Ok(message) = Unverified::from_xml(body)
        && let Ok(text) = message.claimed().to_xml("ipc_response")
    {
        let again = Unverified::from_xml(text.as_bytes()).unwrap();
        assert_eq!(again.claimed().signed_text(), message.claimed().signed_text());
    }
});
