//! `tillgate dev`: the demonstration shop and the sandbox in one process, with everything generated.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::pages::DevLinks;
use sandbox::{Sandbox, SystemClock};

use crate::config::{Config, ConfigError};
use crate::serve::{Running, StartupError, application, asked_to_end, listen, open_checkout};

/// The catalogue of the demonstration.
const CATALOG: &str = include_str!("../catalog.toml");

/// What the demonstration is told.
#[derive(Clone, Debug)]
pub struct Dev {
    /// Where keys and databases lie.
    pub dir: PathBuf,
    /// The folder of the built site.
    pub site_dir: PathBuf,
    /// Where the shop listens; port 0 takes a free one.
    pub shop: SocketAddr,
    /// The sandbox's port, on the loopback addresses; 0 takes a free one.
    pub sandbox_port: u16,
    /// Makes the sandbox's faults repeatable.
    pub seed: u64,
    /// Origins of other pages that may embed the checkout.
    pub storefronts: Vec<String>,
}

/// The id and the secret that the demonstration's quotes are signed with. Everybody knows them, and nothing but
/// the demonstration takes them.
pub const QUOTE_KEY: (&str, &str) = ("dev", "this-secret-is-public-and-only-for-tillgate-dev");

/// Why the demonstration does not start.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// The shop.
    #[error(transparent)]
    Startup(#[from] StartupError),
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] sandbox::OpenError),
    /// A file cannot be written.
    #[error("{0} cannot be written: {1}")]
    Write(PathBuf, #[source] std::io::Error),
}

impl From<ConfigError> for DevError {
    fn from(error: ConfigError) -> Self {
        Self::Startup(error.into())
    }
}

/// One clock for shop and sandbox, so that the sandbox's page can move both forward.
struct SharedClock(Arc<SystemClock>);

impl checkout::clock::Clock for SharedClock {
    fn now_ms(&self) -> i64 {
        sandbox::Clock::now_ms(self.0.as_ref())
    }
}

/// Starts both; `started` is told the two addresses.
pub async fn run(dev: Dev, started: impl FnOnce(&str, &str)) -> Result<(), DevError> {
    fs::create_dir_all(&dev.dir).map_err(|error| DevError::Write(dev.dir.clone(), error))?;
    let shop_listener = listen(dev.shop).await?;
    let sandbox_listener = listen(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), dev.sandbox_port)).await?;
    let shop_address = local(&shop_listener, dev.shop)?;
    let sandbox_address = local(&sandbox_listener, dev.shop)?;
    // To a browser `localhost` is another site than 127.0.0.1, as myPOS is another site than the shop.
    let sandbox_url = format!("http://localhost:{}", sandbox_address.port());
    let shop_url = format!("http://{shop_address}");

    let clock = Arc::new(SystemClock::new());
    let mut settings = sandbox::Config::new(dev.dir.join("sandbox"), &sandbox_url);
    settings.seed = dev.seed;
    let sandbox = Sandbox::open(settings, Arc::clone(&clock) as Arc<dyn sandbox::Clock>)?;

    let catalog = dev.dir.join("catalog.toml");
    write(&catalog, CATALOG)?;
    let config = Config::parse(&configuration(&dev, &shop_url, &sandbox_url, shop_address, &catalog), [])?;
    let checkout =
        open_checkout(&config, Some(sandbox.configuration_package()), Arc::new(SharedClock(clock)))?;
    let links = DevLinks { sandbox_url: sandbox_url.clone() };

    let mut running = Running::default();
    running.serve(shop_listener, application(&config, Arc::clone(&checkout), Some(links))?);
    // Where the machine has IPv6, `localhost` may mean that first.
    if let Ok(listener) =
        listen(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), sandbox_address.port())).await
    {
        running.serve(listener, sandbox.router());
    }
    running.serve(sandbox_listener, sandbox.router());
    running.reconcile(checkout);
    let deliveries = sandbox.spawn_deliveries();
    started(&shop_url, &sandbox_url);

    asked_to_end().await;
    deliveries.abort();
    running.finish().await;
    sandbox.flush();
    Ok(())
}

fn local(listener: &tokio::net::TcpListener, asked: SocketAddr) -> Result<SocketAddr, StartupError> {
    listener.local_addr().map_err(|error| StartupError::Listen(asked, error))
}

fn write(path: &Path, text: &str) -> Result<(), DevError> {
    fs::write(path, text).map_err(|error| DevError::Write(path.to_owned(), error))
}

/// The demonstration's settings, as a shop would write them.
fn configuration(dev: &Dev, shop_url: &str, sandbox_url: &str, listen: SocketAddr, catalog: &Path) -> String {
    let text = |path: &Path| toml::Value::String(path.display().to_string()).to_string();
    format!(
        r#"
        shop_name = "Kiln & Leaf"
        public_url = "{shop_url}"
        listen = "{listen}"
        database_url = {database}
        catalog = {catalog}
        site_dir = {site_dir}
        methods = ["card", "ideal", "bank-transfer"]
        # Tests and curious people are quicker than shoppers.
        requests_per_second = 200
        requests_burst = 2000
        payments_per_minute = 600
        payments_burst = 600
        storefront_origins = {storefronts}
        quote_keys = ["{key_id}:{key_secret}"]

        [bank_transfer]
        account_holder = "Kiln & Leaf GmbH"
        iban = "DE02 1203 0000 0000 2020 51"
        bic = "BYLADEM1001"
        bank = "Demo Bank"

        [[store]]
        name = "sandbox"
        mode = "test"
        currencies = ["EUR"]
        endpoint = "{sandbox_url}/vmp/checkout"
        "#,
        database = toml::Value::String(format!("sqlite:{}", dev.dir.join("shop.db").display())),
        catalog = text(catalog),
        site_dir = text(&dev.site_dir),
        storefronts = toml::Value::from(dev.storefronts.clone()),
        key_id = QUOTE_KEY.0,
        key_secret = QUOTE_KEY.1,
    )
}
