//! `tillgate dev`: the demonstration shop and the sandbox in one process, with everything generated.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use app::pages::DevLinks;
use checkout::checkout::{Checkout, CheckoutError};
use checkout::people::{Actor, Role};
use checkout::sign_in::{DoorError, DoorProblem};
use checkout::token::Token;
use sandbox::{PACKAGE_FILE, Sandbox, SystemClock};

use crate::config::{Config, ConfigError};
use crate::serve::{Running, StartupError, application, asked_to_end, listen, open_checkout};

/// How long the merchant's password is.
const PASSWORD_CHARS: usize = 16;
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
    /// Where a system of the merchant's is told what happens.
    pub webhook: Option<String>,
}

/// The id and the secret that the demonstration's quotes are signed with. Everybody knows them, and nothing but
/// the demonstration takes them.
pub const QUOTE_KEY: (&str, &str) = ("dev", "this-secret-is-public-and-only-for-tillgate-dev");

/// The secret that the demonstration's webhooks are signed with. Everybody knows it as well.
pub const WEBHOOK_SECRET: &str = "whsec_dGhpcy1zZWNyZXQtaXMtcHVibGljLWZvci1kZXY=";

/// Why the demonstration does not start.
#[derive(Debug, thiserror::Error)]
pub enum DevError {
    /// The shop.
    #[error(transparent)]
    Startup(#[from] StartupError),
    /// The sandbox.
    #[error(transparent)]
    Sandbox(#[from] sandbox::OpenError),
    /// The merchant's account.
    #[error("the demonstration's merchant cannot be made: {0}")]
    Merchant(#[source] DoorError),
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

/// Where everything is, once it runs.
#[derive(Clone, Debug)]
pub struct Started {
    /// The shop's address.
    pub shop: String,
    /// The sandbox's address.
    pub sandbox: String,
    /// Who signs in at the merchant's pages.
    pub merchant: String,
    /// With which password.
    pub password: String,
    /// The shop's configuration, for the other commands.
    pub config: PathBuf,
}

/// Who signs in at the demonstration's merchant pages.
const MERCHANT: &str = "demo@merchant.example";

/// Starts both; `started` is told where everything is.
pub async fn run(dev: Dev, started: impl FnOnce(&Started)) -> Result<(), DevError> {
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
    let configuration = configuration(&dev, &shop_url, &sandbox_url, shop_address, &catalog);
    let config_file = dev.dir.join("tillgate.toml");
    write(&config_file, &configuration)?;
    let config = Config::parse(&configuration, [])?;
    let checkout = open_checkout(&config, None, Arc::new(SharedClock(clock))).await?;
    let password = merchant(&dev.dir, &checkout).await?;
    let links = DevLinks { sandbox_url: sandbox_url.clone() };

    let asked_to_end = asked_to_end()?;
    let mut running = Running::default();
    running.deliver(&checkout).await?;
    let shop = application(&config, Arc::clone(&checkout), Some(links), running.begun())?;
    running.serve(shop_listener, shop, &[]);
    // Where the machine has IPv6, `localhost` may mean that first.
    if let Ok(listener) =
        listen(SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), sandbox_address.port())).await
    {
        running.serve(listener, sandbox.router(), &[]);
    }
    running.serve(sandbox_listener, sandbox.router(), &[]);
    running.reconcile(checkout);
    let deliveries = sandbox.spawn_deliveries();
    started(&Started {
        shop: shop_url,
        sandbox: sandbox_url,
        merchant: MERCHANT.to_owned(),
        password,
        config: config_file,
    });

    asked_to_end.await;
    deliveries.abort();
    running.finish().await;
    sandbox.flush();
    Ok(())
}

/// The demonstration's merchant, with a password that is made once and kept beside the keys.
async fn merchant(dir: &Path, checkout: &Checkout) -> Result<String, DevError> {
    let file = dir.join("merchant-password");
    let kept = fs::read_to_string(&file).ok();
    let is_new = kept.is_none();
    let password = if let Some(kept) = kept {
        kept.trim().to_owned()
    } else {
        let random =
            Token::random().map_err(|error| DevError::Merchant(CheckoutError::from(error).into()))?;
        let letters = random.secret().chars().filter(char::is_ascii_alphanumeric);
        let made: String = letters.take(PASSWORD_CHARS).collect();
        write(&file, &made)?;
        made
    };
    let added = match checkout.add_user(MERCHANT, Role::Administer, &password, Actor::ourselves()).await {
        // The file with the password is gone, and the user is not.
        Err(DoorError::Problem(DoorProblem::EmailTaken)) if is_new => {
            checkout.set_password(MERCHANT, &password, Actor::ourselves()).await
        }
        Err(DoorError::Problem(DoorProblem::EmailTaken)) => Ok(()),
        other => other,
    };
    added.map(|()| password).map_err(DevError::Merchant)
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
        packages = [{package}]

        {webhook}
        "#,
        package = text(&dev.dir.join("sandbox").join(PACKAGE_FILE)),
        database = toml::Value::String(format!("sqlite:{}", dev.dir.join("shop.db").display())),
        catalog = text(catalog),
        site_dir = text(&dev.site_dir),
        storefronts = toml::Value::from(dev.storefronts.clone()),
        webhook = dev.webhook.as_ref().map_or_else(String::new, |url| format!(
            "[[webhook]]\nname = \"dev\"\nurl = {}\nsecrets = [\"{WEBHOOK_SECRET}\"]",
            toml::Value::from(url.as_str())
        )),
        key_id = QUOTE_KEY.0,
        key_secret = QUOTE_KEY.1,
    )
}
