//! A myPOS store: who we are to the gateway, and the keys of both sides.

use domain::{Currency, Language};
use mypos::{ConfigurationPackage, PrivateKey, PublicKey, StoreIdentity};

use crate::records::Mode;

/// What the gateway is told about the client software (`Source`).
const SOURCE: &str = concat!("tillgate ", env!("CARGO_PKG_VERSION"));

/// A configured myPOS store.
#[derive(Clone, Debug)]
pub struct MyposStore {
    /// Its name in the configuration; stored with each payment.
    pub name: String,
    /// Whether its money is real.
    pub mode: Mode,
    /// The gateway's address for browsers and for our own calls.
    pub endpoint: String,
    /// Its id at myPOS, 1 to 15 digits.
    pub sid: String,
    /// The client number of its account.
    pub wallet: String,
    /// Its keys, oldest first. The newest signs; each that is not retired verifies.
    pub keys: Vec<KeyPair>,
    /// The currencies that it takes.
    pub currencies: Vec<Currency>,
    /// The partner programme's ids, where the package carries them.
    pub application_id: Option<String>,
    /// See `application_id`.
    pub partner_id: Option<String>,
}

/// Our private key and the gateway's public one, of one index.
#[derive(Clone, Debug)]
pub struct KeyPair {
    /// `KeyIndex`.
    pub index: u32,
    /// Signs what we send.
    pub ours: PrivateKey,
    /// Verifies what the gateway sends.
    pub gateways: PublicKey,
    /// A retired key neither signs nor verifies.
    pub retired: bool,
}

/// Why a store cannot be used, with what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreConfigError {
    /// It has no key package.
    #[error("store {0:?} has no key that is in use: give it a configuration package")]
    NoKey(String),
    /// A package cannot be read.
    #[error("store {0:?}: its configuration package cannot be used: {1}")]
    Package(String, #[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its packages belong to different stores.
    #[error(
        "store {0:?}: its configuration packages belong to different stores; give each store its own entry"
    )]
    MixedPackages(String),
    /// Test and live are mixed.
    #[error("store {0:?} is in live mode, but {1}")]
    NotLive(String, String),
}

/// The SID that myPOS publishes for tests.
const PUBLISHED_TEST_SID: &str = "000000000000010";
/// The least size of a key that may move real money.
const LIVE_KEY_BITS: usize = 2048;
/// The production address.
pub const LIVE_ENDPOINT: &str = "https://www.mypos.com/vmp/checkout";
/// The address of the public test gateway.
pub const TEST_ENDPOINT: &str = "https://www.mypos.com/vmp/checkout-test";

impl MyposStore {
    /// A store from its configuration packages, oldest first: base64 text as the myPOS account shows it,
    /// and whether it is retired.
    pub fn from_packages(
        name: &str,
        mode: Mode,
        endpoint: &str,
        currencies: Vec<Currency>,
        packages: &[(String, bool)],
    ) -> Result<Self, StoreConfigError> {
        let unusable = |error: Box<dyn std::error::Error + Send + Sync>| {
            StoreConfigError::Package(name.to_owned(), error)
        };
        let mut identity: Option<ConfigurationPackage> = None;
        let mut keys = Vec::new();
        for (text, retired) in packages {
            let package = ConfigurationPackage::decode(text).map_err(|error| unusable(error.into()))?;
            keys.push(KeyPair {
                index: package.key_index,
                ours: package.private_key().map_err(|error| unusable(error.into()))?,
                gateways: package.public_key().map_err(|error| unusable(error.into()))?,
                retired: *retired,
            });
            if identity
                .as_ref()
                .is_some_and(|first| first.sid != package.sid || first.wallet != package.wallet)
            {
                return Err(StoreConfigError::MixedPackages(name.to_owned()));
            }
            identity = Some(package);
        }
        let Some(package) = identity.filter(|_| keys.iter().any(|key| !key.retired)) else {
            return Err(StoreConfigError::NoKey(name.to_owned()));
        };
        let store = Self {
            name: name.to_owned(),
            mode,
            endpoint: endpoint.to_owned(),
            sid: package.sid,
            wallet: package.wallet,
            keys,
            currencies,
            application_id: package.application_id,
            partner_id: package.partner_id,
        };
        store.check_mode()?;
        Ok(store)
    }

    /// Refuses everything of the test world where money is real.
    fn check_mode(&self) -> Result<(), StoreConfigError> {
        if self.mode == Mode::Test {
            return Ok(());
        }
        let not_live = |why: String| Err(StoreConfigError::NotLive(self.name.clone(), why));
        if self.endpoint != LIVE_ENDPOINT {
            return not_live(format!("its endpoint is {:?}: the live one is {LIVE_ENDPOINT}", self.endpoint));
        }
        if self.sid == PUBLISHED_TEST_SID {
            return not_live(format!("SID {PUBLISHED_TEST_SID} is the public test store"));
        }
        for key in self.keys.iter().filter(|key| !key.retired) {
            let bits = key.ours.bits().min(key.gateways.bits());
            if bits < LIVE_KEY_BITS {
                return not_live(format!(
                    "key {} has {bits} bits: make a new one of at least {LIVE_KEY_BITS} bits in the myPOS account",
                    key.index
                ));
            }
        }
        Ok(())
    }

    /// The key that signs: the newest that is not retired.
    pub fn signing_key(&self) -> Option<&KeyPair> {
        self.keys.iter().rfind(|key| !key.retired)
    }

    /// The gateway's keys that verify.
    pub fn gateway_keys(&self) -> impl Iterator<Item = &PublicKey> {
        self.keys.iter().filter(|key| !key.retired).map(|key| &key.gateways)
    }

    /// Who we are in a request signed by `key`.
    pub fn identity(&self, key: &KeyPair, language: Language) -> StoreIdentity {
        StoreIdentity {
            sid: self.sid.clone(),
            wallet: self.wallet.clone(),
            key_index: key.index,
            language: match language {
                Language::En => mypos::Language::En,
                Language::De => mypos::Language::De,
            },
            source: SOURCE.to_owned(),
            application_id: self.application_id.clone(),
            partner_id: self.partner_id.clone(),
        }
    }
}
