//! A local stand-in for the myPOS gateway, for development and tests.
//!
//! It takes the requests of any client of the myPOS Checkout API (IPC), checks them in the order in which
//! the real gateway does, shows a payment page, notifies the shop, gives money back, answers status
//! queries, and misbehaves on request. No card is charged and no money moves.
//!
//! [`Sandbox::open`] makes a store with keys of its own at the first start; the shop is configured with
//! [`Sandbox::configuration_package`]. [`Sandbox::router`] is the whole application, to be served wherever
//! the caller likes, and [`Sandbox::spawn_deliveries`] starts the task that repeats rollbacks.
//!
//! What can be made to go wrong, and how, is in the README beside this crate.

mod api;
mod browser;
mod cards;
mod checks;
mod clock;
mod config;
mod control;
mod control_page;
mod deliver;
mod faults;
mod files;
mod gateway;
mod guard;
mod journal;
mod keys;
mod messages;
mod money;
mod pages;
mod pay_page;
mod request;
mod rollback;
mod routes;
mod server_calls;
mod settle;
mod state;
mod timestamp;
mod web;

use std::sync::Arc;

pub use clock::{Clock, SystemClock};
pub use config::{Config, DEFAULT_WALLET, SID};
use gateway::Gateway;
pub use keys::{OpenError, PACKAGE_FILE};

/// A stand-in for the myPOS gateway with one store. Cheap to clone.
#[derive(Clone)]
pub struct Sandbox {
    gateway: Arc<Gateway>,
}

impl Sandbox {
    /// Opens the sandbox in its folder. At the first start it makes the folder, the keys of gateway and
    /// store, and the file [`PACKAGE_FILE`] with the configuration package, readable by its owner only;
    /// later starts use what is there, payments included.
    ///
    /// A payment that was being settled when the process ended is reversed.
    ///
    /// # Errors
    /// [`OpenError`], whose text says what to do.
    pub fn open(config: Config, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        Ok(Self { gateway: Arc::new(Gateway::open(&config, clock)?) })
    }

    /// The configuration package of the store, as myPOS would show it: it goes into the shop's
    /// configuration. It holds the store's private key.
    pub fn configuration_package(&self) -> &str {
        &self.gateway.keys.package
    }

    /// The application: `/vmp/checkout` and `/vmp/checkout-test` for shops and shoppers, `/` for people,
    /// `/sandbox/api/` for tests.
    pub fn router(&self) -> axum::Router {
        routes::router(&self.gateway)
    }

    /// Starts the task that sends rollbacks as they fall due. It runs until it is aborted; several of them
    /// do no harm.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn spawn_deliveries(&self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(rollback::run(Arc::clone(&self.gateway)))
    }

    /// Waits until every change so far is on disk: for an orderly end. It blocks for a moment.
    pub fn flush(&self) {
        self.gateway.flush();
    }
}
