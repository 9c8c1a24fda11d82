//! The two key pairs: the store's, which goes into the configuration package, and the gateway's own.
//!
//! Both are made at the first start and kept. A third pair, which nobody is told about, signs what a fault
//! wants signed with a wrong key.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use mypos::{ConfigurationPackage, KeyError, PackageError, PrivateKey, PublicKey, certificate};

use crate::config::{Config, SID};
use crate::files;

/// The file in the sandbox's folder that holds the configuration package.
pub const PACKAGE_FILE: &str = "configuration-package";
const GATEWAY_KEY_FILE: &str = "gateway-private-key.pem";

const KEY_BITS: u32 = 2048;
const KEY_INDEX: u32 = 1;
const CERTIFICATE_VALID_S: i64 = 10 * 365 * 86_400;

/// Why the sandbox could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A file or the folder cannot be read or written.
    #[error("{path}: {error}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system says.
        error: std::io::Error,
    },
    /// One of the two key files is there and the other is not.
    #[error("{0} is missing although its counterpart is there: delete the folder to start afresh")]
    Incomplete(PathBuf),
    /// A key file holds no usable key.
    #[error("{path}: {error}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong with the key.
        error: KeyError,
    },
    /// The configuration package in the folder cannot be read.
    #[error("{path}: {error}")]
    Package {
        /// The file.
        path: PathBuf,
        /// What is wrong with the package.
        error: PackageError,
    },
    /// The state of an earlier run cannot be read.
    #[error(
        "{path} is not a state that this version can read ({error}): delete it to start without payments"
    )]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: serde_json::Error,
    },
    /// The wallet is not a number of at most 11 digits.
    #[error("the wallet number must be 1 to 11 digits")]
    Wallet,
    /// The public address is not an `http` or `https` address without a path.
    #[error("the public address must be http:// or https:// with a host, and no path")]
    PublicUrl,
    /// The HTTP client or the thread that writes the state could not be set up.
    #[error("{0}")]
    Setup(String),
}

impl OpenError {
    pub(crate) fn file(path: &Path, error: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), error }
    }

    fn key(path: &Path, error: KeyError) -> Self {
        Self::Key { path: path.to_owned(), error }
    }
}

/// The keys of gateway and store, and the names that go with them.
pub(crate) struct Keys {
    /// The configuration package as text, for the shop.
    pub(crate) package: String,
    pub(crate) sid: String,
    pub(crate) wallet: String,
    pub(crate) key_index: u32,
    /// Verifies what the store sends.
    pub(crate) store: PublicKey,
    /// Signs what the gateway sends.
    pub(crate) gateway: PrivateKey,
    stranger: OnceLock<PrivateKey>,
}

impl Keys {
    /// Reads the keys in the folder, or makes them where there are none.
    pub(crate) fn open(config: &Config, now_ms: i64) -> Result<Self, OpenError> {
        let package_path = config.dir.join(PACKAGE_FILE);
        let key_path = config.dir.join(GATEWAY_KEY_FILE);
        match (package_path.exists(), key_path.exists()) {
            (false, false) => make(config, now_ms, &package_path, &key_path)?,
            (true, true) => {}
            (false, true) => return Err(OpenError::Incomplete(package_path)),
            (true, false) => return Err(OpenError::Incomplete(key_path)),
        }
        read(&package_path, &key_path)
    }

    /// A key that no shop knows.
    pub(crate) fn stranger(&self) -> Result<&PrivateKey, KeyError> {
        if let Some(key) = self.stranger.get() {
            return Ok(key);
        }
        let key = PrivateKey::generate(KEY_BITS)?;
        Ok(self.stranger.get_or_init(|| key))
    }
}

fn make(config: &Config, now_ms: i64, package_path: &Path, key_path: &Path) -> Result<(), OpenError> {
    let is_wallet =
        (1..=11).contains(&config.wallet.len()) && config.wallet.bytes().all(|byte| byte.is_ascii_digit());
    if !is_wallet {
        return Err(OpenError::Wallet);
    }
    let gateway = PrivateKey::generate(KEY_BITS).map_err(|error| OpenError::key(key_path, error))?;
    let store = PrivateKey::generate(KEY_BITS).map_err(|error| OpenError::key(package_path, error))?;
    let today_s = now_ms.div_euclid(1000);
    let certificate = certificate::self_signed(
        &gateway,
        "Tillgate sandbox, not myPOS",
        today_s - 86_400,
        today_s.saturating_add(CERTIFICATE_VALID_S),
    )
    .map_err(|error| OpenError::key(key_path, error))?;
    let package = ConfigurationPackage {
        sid: SID.to_owned(),
        wallet: config.wallet.clone(),
        private_key_pem: store.to_pkcs8_pem(),
        public_certificate_pem: certificate,
        key_index: KEY_INDEX,
        application_id: None,
        partner_id: None,
    };
    files::replace(key_path, gateway.to_pkcs8_pem().as_bytes())
        .map_err(|error| OpenError::file(key_path, error))?;
    files::replace(package_path, format!("{}\n", package.encode()).as_bytes())
        .map_err(|error| OpenError::file(package_path, error))
}

fn read(package_path: &Path, key_path: &Path) -> Result<Keys, OpenError> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| OpenError::file(path, error));
    let text = read(package_path)?.trim().to_owned();
    let package = ConfigurationPackage::decode(&text)
        .map_err(|error| OpenError::Package { path: package_path.to_owned(), error })?;
    let store = package.private_key().map_err(|error| OpenError::key(package_path, error))?.public_key();
    let gateway = PrivateKey::from_pem(&read(key_path)?).map_err(|error| OpenError::key(key_path, error))?;
    Ok(Keys {
        package: text,
        sid: package.sid,
        wallet: package.wallet,
        key_index: package.key_index,
        store,
        gateway,
        stranger: OnceLock::new(),
    })
}
