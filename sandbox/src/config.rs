//! What the sandbox has to be told.

use std::path::PathBuf;

/// The store id (`SID`) of the sandbox's one store. It is none that myPOS gives out, so live settings can
/// refuse it by name.
pub const SID: &str = "000000000012345";

/// The wallet number that [`Config::new`] gives to the store.
pub const DEFAULT_WALLET: &str = "40000012345";

/// How the sandbox is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder for keys, configuration package and state. It is made where it is missing.
    pub dir: PathBuf,
    /// The address that browsers reach the sandbox under, without a path: `http://localhost:3001`.
    pub public_url: String,
    /// Makes the faults that come by chance repeatable: the same seed and the same requests, the same
    /// faults.
    pub seed: u64,
    /// The wallet number of the store (digits). It goes into the configuration package at the first start;
    /// later the package counts.
    pub wallet: String,
}

impl Config {
    /// A set-up with seed 1 and the [default wallet](DEFAULT_WALLET).
    pub fn new(dir: impl Into<PathBuf>, public_url: impl Into<String>) -> Self {
        Self { dir: dir.into(), public_url: public_url.into(), seed: 1, wallet: DEFAULT_WALLET.to_owned() }
    }
}
