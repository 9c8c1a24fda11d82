//! What every handler needs.

use std::sync::Arc;

use app::pages::DevLinks;
use checkout::checkout::Checkout;
use ipnet::IpNet;
use tokio_util::task::TaskTracker;

use crate::assets::Assets;
use crate::config::BankTransfer;
use crate::cookies::CookieNames;
use crate::limits::Limits;

/// The state of the application; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// The use-cases.
    pub checkout: Arc<Checkout>,
    /// The built site.
    pub assets: Arc<Assets>,
    /// The shop as its pages show it.
    pub shop: Arc<Shop>,
    /// How much a client may ask for.
    pub limits: Arc<Limits>,
    /// The demonstration's links, where this is one.
    pub dev: Option<Arc<DevLinks>>,
    /// What is finished before the process ends, also where whoever asked for it has gone.
    pub begun: TaskTracker,
}

/// The shop as its pages show it.
#[derive(Clone, Debug)]
pub struct Shop {
    /// Its name.
    pub name: String,
    /// Names of its cookies.
    pub cookies: CookieNames,
    /// Whether it is served over https.
    pub secure: bool,
    /// Its account for bank transfers.
    pub bank_transfer: Option<BankTransfer>,
    /// Whether giving money back takes a code of the second factor.
    pub second_factor_for_refunds: bool,
    /// Origins of storefronts that may call `/api`.
    pub storefront_origins: Vec<String>,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
}
