//! Keys, certificates and configuration packages: what is read is written as it was read.
#![no_main]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use mypos::{ConfigurationPackage, PrivateKey, PublicKey};

fuzz_target!(|body: &[u8]| {
    let text = String::from_utf8_lossy(body);
    if let Ok(key) = PrivateKey::from_pem(&text) {
        assert_eq!(PrivateKey::from_pem(&key.to_pkcs8_pem()).unwrap().public_key(), key.public_key());
    }
    if let Ok(key) = PublicKey::from_pem(&text) {
        assert_eq!(PublicKey::from_pem(&key.to_spki_pem()).unwrap(), key);
    }
    // In base64 as it comes, and as what is in it: nothing finds its way through base64 by chance.
    for package in [text.into_owned(), STANDARD.encode(body)] {
        if let Ok(package) = ConfigurationPackage::decode(&package) {
            assert_eq!(ConfigurationPackage::decode(&package.encode()), Ok(package));
        }
    }
});
