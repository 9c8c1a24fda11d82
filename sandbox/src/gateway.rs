//! What every part of the sandbox shares: keys, clock, state and the client that calls the shop.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mypos::{Fields, KeyError, SignedFields};
use reqwest::Url;
use reqwest::redirect::Policy;
use tokio::sync::{Notify, watch};

use crate::checks::Store;
use crate::clock::Clock;
use crate::config::Config;
use crate::faults::Dice;
use crate::files;
use crate::journal::Journal;
use crate::keys::{Keys, OpenError};
use crate::state::State;

/// How long the shop has to answer a message.
const SHOP_TIMEOUT: Duration = Duration::from_secs(10);

/// The gateway in one piece.
pub(crate) struct Gateway {
    pub(crate) keys: Keys,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) client: reqwest::Client,
    pub(crate) public_url: String,
    pub(crate) dir: PathBuf,
    journal: Journal,
    /// Wakes the task that repeats rollbacks.
    pub(crate) wake: Notify,
    /// Ticks whenever a payment has been settled.
    pub(crate) settled: watch::Sender<()>,
    /// Held while a Rollback is being sent, so that it is not sent twice at the same time.
    pub(crate) rolling_back: tokio::sync::Mutex<()>,
}

impl Gateway {
    pub(crate) fn open(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let public_url = public_url(&config.public_url)?;
        files::make_private_dir(&config.dir).map_err(|error| OpenError::file(&config.dir, error))?;
        let keys = Keys::open(config, clock.now_ms())?;
        let client = reqwest::Client::builder()
            .timeout(SHOP_TIMEOUT)
            .redirect(Policy::none())
            .no_proxy()
            .user_agent(concat!("tillgate-sandbox/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| OpenError::Setup(format!("no HTTP client: {error}")))?;
        let journal = Journal::open(&config.dir)?;
        journal.change(|state| {
            state.dice = Dice::new(config.seed);
            state.recover(clock.now_ms());
        });
        Ok(Self {
            keys,
            clock,
            client,
            public_url,
            dir: config.dir.clone(),
            journal,
            wake: Notify::new(),
            settled: watch::Sender::new(()),
            rolling_back: tokio::sync::Mutex::new(()),
        })
    }

    /// The time in milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Looks at the state.
    pub(crate) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        self.journal.read(look)
    }

    /// Changes the state.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        self.journal.change(change)
    }

    /// Waits until the state is on disk.
    pub(crate) fn flush(&self) {
        self.journal.flush();
    }

    /// Signs a message with the gateway's key.
    pub(crate) fn sign(&self, fields: Fields) -> Result<SignedFields, KeyError> {
        self.keys.gateway.sign_fields(fields)
    }

    /// Who the store is.
    pub(crate) fn store(&self) -> Store<'_> {
        Store {
            sid: &self.keys.sid,
            wallet: &self.keys.wallet,
            key_index: self.keys.key_index,
            key: &self.keys.store,
        }
    }
}

/// The public address without a slash at its end.
fn public_url(text: &str) -> Result<String, OpenError> {
    let url = Url::parse(text).map_err(|_| OpenError::PublicUrl)?;
    let is_origin = matches!(url.scheme(), "http" | "https")
        && url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none();
    if is_origin { Ok(text.trim_end_matches('/').to_owned()) } else { Err(OpenError::PublicUrl) }
}
