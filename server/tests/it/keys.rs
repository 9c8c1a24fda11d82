//! Key pairs, made once: making one takes longer than most tests.

use std::sync::LazyLock;

use mypos::{ConfigurationPackage, PrivateKey, certificate};

pub const SID: &str = "000000000054321";
pub const WALLET: &str = "40000054321";

/// One key package: the store's key and the gateway's.
pub struct Pair {
    pub index: u32,
    pub store: PrivateKey,
    pub gateway: PrivateKey,
}

impl Pair {
    fn new(index: u32) -> Self {
        let key = || PrivateKey::generate(2048).unwrap();
        Self { index, store: key(), gateway: key() }
    }

    /// The configuration package, as myPOS would show it.
    pub fn package(&self) -> String {
        let certificate =
            certificate::self_signed(&self.gateway, "Test gateway", 1_500_000_000, 4_000_000_000);
        let package = ConfigurationPackage {
            sid: SID.to_owned(),
            wallet: WALLET.to_owned(),
            private_key_pem: self.store.to_pkcs8_pem(),
            public_certificate_pem: certificate.unwrap(),
            key_index: self.index,
            application_id: None,
            partner_id: None,
        };
        package.encode()
    }
}

/// The pair that every shop has.
pub static FIRST: LazyLock<Pair> = LazyLock::new(|| Pair::new(1));
/// The pair that replaces it.
pub static SECOND: LazyLock<Pair> = LazyLock::new(|| Pair::new(2));
/// A key that no shop knows.
pub static STRANGER: LazyLock<PrivateKey> = LazyLock::new(|| PrivateKey::generate(2048).unwrap());
