//! The configuration: `tillgate.toml`, and `TILLGATE_*` variables above it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use checkout::catalog::Catalog;
use checkout::mypos_store::{LIVE_ENDPOINT, MyposStore, TEST_ENDPOINT};
use checkout::records::Mode;
use checkout::settings::Settings;
use checkout::signed_quote::QuoteKey;
use checkout::store::postgres::PostgresAddress;
use checkout::timing::Timing;
use checkout::webhooks::Endpoint;
use domain::{Currency, PaymentMethod};
use http::Uri;
use ipnet::IpNet;
use jiff::tz::TimeZone;
use serde::Deserialize;
use tracing_subscriber::EnvFilter;

/// The variable that carries a configuration package, as myPOS's own SDK names it.
pub const PACKAGE_VARIABLE: &str = "MYPOS_CONFIGURATION_PACKAGE";
/// What the variables of settings begin with.
const PREFIX: &str = "TILLGATE_";
/// In bytes, the longest path that every system takes. A configuration package is longer.
const LONGEST_PATH: usize = 1024;
/// Every setting with its default, as a commented file.
pub const DEFAULTS: &str = include_str!("../tillgate.toml");

/// The configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The name that shoppers read.
    pub shop_name: String,
    /// Where this server is reached, without a slash at the end.
    pub public_url: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where it answers `/healthz`, `/readyz` and `/metrics`.
    pub operator_listen: SocketAddr,
    /// `sqlite:` and a path, or the URL of a PostgreSQL database.
    pub database_url: DatabaseUrl,
    /// How many connections to a PostgreSQL database are kept open at most.
    pub database_connections: u32,
    /// The catalogue's file.
    pub catalog: PathBuf,
    /// The folder of the built site.
    pub site_dir: PathBuf,
    /// The folder in which the built sites of all versions are kept; empty where none are.
    pub kept_sites: PathBuf,
    /// The methods that are offered.
    pub methods: Vec<PaymentMethod>,
    /// The zone of dates that people read.
    pub time_zone: String,
    /// Other origins that may call `/api`.
    pub storefront_origins: Vec<String>,
    /// The keys that their backends sign quotes with.
    #[serde(deserialize_with = "quote_keys")]
    pub quote_keys: Vec<QuoteKeyEntry>,
    /// Whose forwarding headers are believed.
    #[serde(deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// Requests a second of one client, in the long run.
    pub requests_per_second: u32,
    /// Requests at once.
    pub requests_burst: u32,
    /// Payments a minute of one client, in the long run.
    pub payments_per_minute: u32,
    /// Payments at once.
    pub payments_burst: u32,
    /// Where all refunds of a payment together come to more than this amount, a second person has to approve;
    /// empty where nobody has to.
    pub refund_approval_above: String,
    /// Whether giving money back takes a code of the second factor.
    pub second_factor_for_refunds: bool,
    /// How the log looks.
    pub log_format: LogFormat,
    /// What is logged.
    pub log: String,
    /// Where traces are sent; empty where nobody wants them.
    pub traces_url: String,
    /// The account for bank transfers.
    pub bank_transfer: Option<BankTransfer>,
    /// The myPOS stores.
    #[serde(default, rename = "store")]
    pub stores: Vec<StoreEntry>,
    /// The merchant's own systems, which are told what happens.
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<WebhookEntry>,
}

/// `ID:SECRET`, or `ID:@FILE`. Never printed.
#[derive(Clone)]
pub struct QuoteKeyEntry(String);

impl std::fmt::Debug for QuoteKeyEntry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("QuoteKeyEntry(hidden)")
    }
}

/// Where the orders are. Its text may hold a password, so it is never printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct DatabaseUrl(String);

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("DatabaseUrl(hidden)")
    }
}

/// Which database it is.
#[derive(Clone, Debug)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(PostgresAddress),
}

impl std::fmt::Display for Database {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(out, "{}", path.display()),
            Self::Postgres(address) => write!(out, "{}", address.for_people()),
        }
    }
}

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// A JSON object a line.
    Json,
}

/// The account that shoppers transfer to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BankTransfer {
    /// Who holds it.
    pub account_holder: String,
    /// IBAN, grouped as it is written.
    pub iban: String,
    /// BIC.
    #[serde(default)]
    pub bic: String,
    /// The bank's name.
    #[serde(default)]
    pub bank: String,
}

/// A myPOS store.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreEntry {
    /// Its name here.
    pub name: String,
    /// Whether its money is real.
    pub mode: Mode,
    /// The currencies that it takes.
    pub currencies: Vec<Currency>,
    /// Files with its configuration packages, oldest first.
    #[serde(default, deserialize_with = "package_files")]
    pub packages: Vec<PathBuf>,
    /// Files with packages that are no longer used.
    #[serde(default, deserialize_with = "package_files")]
    pub retired_packages: Vec<PathBuf>,
    /// The gateway's address.
    pub endpoint: Option<String>,
}

/// One of the merchant's own systems.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookEntry {
    /// Its name here.
    pub name: String,
    /// Where messages go.
    pub url: String,
    /// `whsec_` and base64, or `@` and a file that holds that. Never printed.
    #[serde(deserialize_with = "webhook_secrets")]
    pub secrets: Vec<String>,
}

impl std::fmt::Debug for WebhookEntry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "WebhookEntry({}, hidden)", self.name)
    }
}

/// What is wrong with the configuration, and how to mend it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{path} cannot be read: {why}")]
    File {
        /// Which.
        path: String,
        /// Why.
        why: std::io::Error,
    },
    /// It is not TOML, or not of its shape.
    #[error("{0}")]
    Shape(String),
    /// One setting is wrong.
    #[error("{setting}: {what}")]
    Setting {
        /// Which.
        setting: &'static str,
        /// What is wrong, and the remedy.
        what: String,
    },
}

/// Networks, or single addresses.
fn networks<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let read = |text: &String| {
        text.parse::<IpNet>()
            .ok()
            .or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
            .ok_or_else(|| {
                serde::de::Error::custom(format!(
                    "trusted_proxies: {text:?} is neither an address nor a network such as \"10.0.0.0/8\""
                ))
            })
    };
    texts.iter().map(read).collect()
}

fn quote_keys<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<QuoteKeyEntry>, D::Error> {
    let texts = secrets(deserializer, "quote_keys: write a list such as [\"shop:@quote.key\"]")?;
    Ok(texts.into_iter().map(QuoteKeyEntry).collect())
}

fn webhook_secrets<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    secrets(deserializer, "secrets of a webhook: write a list such as [\"@webhook.key\"]")
}

/// Files with packages. A package itself in their place has a private key in it, and is not repeated.
fn package_files<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<PathBuf>, D::Error> {
    const REMEDY: &str = "packages of a store: write a list of files such as [\"mypos-package.txt\"], each with the text of a package in it";
    let texts = secrets(deserializer, REMEDY)?;
    if texts.iter().any(|text| text.len() > LONGEST_PATH) {
        return Err(serde::de::Error::custom(REMEDY));
    }
    Ok(texts.into_iter().map(PathBuf::from).collect())
}

/// A list of texts, without a word about them where it is none.
fn secrets<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
    remedy: &'static str,
) -> Result<Vec<String>, D::Error> {
    let texts = match toml::Value::deserialize(deserializer)? {
        toml::Value::Array(values) => values
            .into_iter()
            .map(|value| match value {
                toml::Value::String(text) => Some(text),
                _ => None,
            })
            .collect(),
        _ => None,
    };
    texts.ok_or_else(|| serde::de::Error::custom(remedy))
}

fn wrong(setting: &'static str, what: impl Into<String>) -> ConfigError {
    ConfigError::Setting { setting, what: what.into() }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    fs::read_to_string(path).map_err(|why| ConfigError::File { path: path.display().to_string(), why })
}

impl Config {
    /// Reads the file and lays the environment over it.
    pub fn load(
        path: &Path,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let text = read(path)?;
        Self::parse(&text, environment).map_err(|error| match error {
            ConfigError::Shape(what) => ConfigError::Shape(format!("{}: {what}", path.display())),
            other => other,
        })
    }

    /// Reads a text and lays the environment over it. What neither says has its default.
    pub fn parse(
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let shape = |error: toml::de::Error| ConfigError::Shape(error.to_string());
        let mut table: toml::Table = DEFAULTS.parse().map_err(shape)?;
        // The line itself may hold a secret, and is not repeated.
        let unreadable = |error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            let line = before.matches('\n').count().saturating_add(1);
            ConfigError::Shape(format!("line {line}: {}", error.message()))
        };
        table.extend(text.parse::<toml::Table>().map_err(unreadable)?);
        for (name, value) in environment {
            let Some(setting) = name.strip_prefix(PREFIX).map(str::to_lowercase) else {
                continue;
            };
            if table.get(&setting).is_none_or(toml::Value::is_table) {
                return Err(ConfigError::Shape(format!("{name}: there is no setting {setting:?}")));
            }
            // A list or a number is written as in the file, a text without its quotes.
            let parsed = format!("value = {value}")
                .parse::<toml::Table>()
                .ok()
                .and_then(|mut one| one.remove("value"));
            let same_kind =
                parsed.filter(|parsed| table.get(&setting).is_some_and(|known| known.same_type(parsed)));
            table.insert(setting, same_kind.unwrap_or(toml::Value::String(value)));
        }
        let mut config: Self = table.try_into().map_err(shape)?;
        config.check()?;
        config.public_url.truncate(config.public_url.trim_end_matches('/').len());
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let origin = self.public_url.trim_end_matches('/');
        if !is_origin(origin) {
            return Err(wrong(
                "public_url",
                format!(
                    "{origin:?} is not like \"https://pay.example.com\", in small letters, without a path or the usual port"
                ),
            ));
        }
        if let Some(bad) = self.storefront_origins.iter().find(|origin| !is_origin(origin)) {
            return Err(wrong(
                "storefront_origins",
                format!(
                    "{bad:?} is not like \"https://shop.example.com\", in small letters, without a path or the usual port"
                ),
            ));
        }
        if self.methods.is_empty() {
            return Err(wrong("methods", "offer at least one way to pay"));
        }
        if self.methods.contains(&PaymentMethod::BankTransfer) && self.bank_transfer.is_none() {
            return Err(wrong(
                "methods",
                "\"bank-transfer\" needs the [bank_transfer] account; add it, or leave the method out",
            ));
        }
        for (setting, value) in [
            ("database_connections", self.database_connections),
            ("requests_per_second", self.requests_per_second),
            ("requests_burst", self.requests_burst),
            ("payments_per_minute", self.payments_per_minute),
            ("payments_burst", self.payments_burst),
        ] {
            if value == 0 {
                return Err(wrong(setting, "must be at least 1"));
            }
        }
        if let Err(error) = EnvFilter::try_new(&self.log) {
            return Err(wrong("log", format!("{:?}: {error}", self.log)));
        }
        let is_whole = |url: Uri| matches!(url.scheme_str(), Some("http" | "https")) && url.path() != "/";
        if !self.traces_url.is_empty() && !self.traces_url.parse().is_ok_and(is_whole) {
            return Err(wrong(
                "traces_url",
                format!(
                    "{:?} is not like \"http://127.0.0.1:4318/v1/traces\", with its path",
                    self.traces_url
                ),
            ));
        }
        let limit = &self.refund_approval_above;
        if !limit.is_empty() && mypos::Amount::parse(limit, mypos::Currency::Eur).is_err() {
            return Err(wrong(
                "refund_approval_above",
                format!(
                    "{limit:?} is not an amount such as \"100\" or \"99.50\"; leave it empty for no limit"
                ),
            ));
        }
        self.zone().map(drop)?;
        self.database().map(drop)
    }

    /// The zone of dates.
    pub fn zone(&self) -> Result<TimeZone, ConfigError> {
        TimeZone::get(&self.time_zone).map_err(|_| {
            wrong("time_zone", format!("{:?} is not a zone such as \"Europe/Berlin\"", self.time_zone))
        })
    }

    /// Where the orders are.
    pub fn database(&self) -> Result<Database, ConfigError> {
        let DatabaseUrl(url) = &self.database_url;
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let address =
                PostgresAddress::parse(url).map_err(|why| wrong("database_url", why.to_string()))?;
            return Ok(Database::Postgres(address));
        }
        match url.strip_prefix("sqlite:").filter(|path| !path.is_empty()) {
            Some(path) => Ok(Database::Sqlite(PathBuf::from(path))),
            None => Err(wrong(
                "database_url",
                "must be \"sqlite:\" and a path, such as \"sqlite:tillgate.db\", \
                 or \"postgres://user:password@host/database\"",
            )),
        }
    }

    /// Reads the catalogue.
    pub fn read_catalog(&self) -> Result<Catalog, ConfigError> {
        Catalog::parse(&read(&self.catalog)?)
            .map_err(|error| wrong("catalog", format!("{}: {error}", self.catalog.display())))
    }

    /// The settings of the checkout, with the keys of its stores. `package` is what
    /// [`PACKAGE_VARIABLE`] carries.
    pub fn settings(&self, package: Option<&str>) -> Result<Settings, ConfigError> {
        let mut stores = Vec::new();
        for (index, entry) in self.stores.iter().enumerate() {
            let mut packages = Vec::new();
            for (files, retired) in [(&entry.retired_packages, true), (&entry.packages, false)] {
                for file in files {
                    packages.push((read(file)?, retired));
                }
            }
            packages.extend(package.filter(|_| index == 0).map(|text| (text.to_owned(), false)));
            let standard = if entry.mode == Mode::Live { LIVE_ENDPOINT } else { TEST_ENDPOINT };
            let endpoint = entry.endpoint.as_deref().unwrap_or(standard);
            let store = MyposStore::from_packages(
                &entry.name,
                entry.mode,
                endpoint,
                entry.currencies.clone(),
                &packages,
            )
            .map_err(|error| wrong("store", error.to_string()))?;
            if store.mode == Mode::Live && !self.public_url.starts_with("https://") {
                return Err(wrong("public_url", "a live store needs https: myPOS notifies nothing else"));
            }
            if stores.iter().any(|other: &MyposStore| other.name == store.name || other.mode != store.mode) {
                return Err(wrong(
                    "store",
                    "give each store its own name, and all of them one mode: test and live never mix",
                ));
            }
            if stores.iter().any(|other: &MyposStore| other.sid == store.sid) {
                let what =
                    format!("SID {} stands in two entries: give one entry all of its currencies", store.sid);
                return Err(wrong("store", what));
            }
            stores.push(store);
        }
        if stores.is_empty() && self.methods.iter().any(|method| method.uses_gateway()) {
            return Err(wrong(
                "store",
                "\"card\" and \"ideal\" need a [[store]] entry with its configuration package",
            ));
        }
        Ok(Settings {
            public_url: self.public_url.clone(),
            stores,
            methods: self.methods.clone(),
            zone: self.zone()?,
            refund_approval_above: Some(self.refund_approval_above.clone()).filter(|limit| !limit.is_empty()),
            timing: Timing::default(),
            storefront_origins: self.storefront_origins.clone(),
            quote_keys: self.read_quote_keys()?,
            webhooks: self.read_webhooks()?,
        })
    }

    /// The systems that are told what happens, with the secrets that lie in files.
    fn read_webhooks(&self) -> Result<Vec<Endpoint>, ConfigError> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for entry in &self.webhooks {
            let secrets = entry.secrets.iter().map(|secret| match secret.strip_prefix('@') {
                Some(file) => read(Path::new(file)).map(|text| text.trim().to_owned()),
                None => Ok(secret.clone()),
            });
            let secrets: Vec<String> = secrets.collect::<Result<_, _>>()?;
            let name = &entry.name;
            let endpoint = Endpoint::new(name, &entry.url, &secrets)
                .map_err(|error| wrong("webhook", format!("{name:?}: {error}")))?;
            if endpoints.iter().any(|other| other.name == endpoint.name) {
                return Err(wrong("webhook", format!("{name:?} is there twice: give each its own name")));
            }
            endpoints.push(endpoint);
        }
        Ok(endpoints)
    }

    /// The keys of signed quotes, with the secrets that lie in files.
    fn read_quote_keys(&self) -> Result<Vec<QuoteKey>, ConfigError> {
        let mut keys: Vec<QuoteKey> = Vec::new();
        for (index, QuoteKeyEntry(entry)) in self.quote_keys.iter().enumerate() {
            let number = index + 1;
            let (id, secret) = entry.split_once(':').ok_or_else(|| {
                wrong("quote_keys", format!("entry {number} is not \"ID:SECRET\" or \"ID:@FILE\""))
            })?;
            let secret = match secret.strip_prefix('@') {
                Some(file) => read(Path::new(file))?.trim_end_matches(['\r', '\n']).to_owned(),
                None => secret.to_owned(),
            };
            let key = QuoteKey::new(id, secret.as_bytes())
                .map_err(|error| wrong("quote_keys", format!("entry {number}: {error}")))?;
            if keys.iter().any(|other| other.id() == key.id()) {
                return Err(wrong("quote_keys", format!("entry {number}: {id:?} is there twice")));
            }
            keys.push(key);
        }
        Ok(keys)
    }
}

/// Whether a text is an origin as browsers send it: scheme, host in small letters, and a port that is not the
/// scheme's own.
fn is_origin(text: &str) -> bool {
    text.parse::<Uri>().is_ok_and(|uri| {
        let own_port = match uri.scheme_str() {
            Some("http") => 80,
            Some("https") => 443,
            _ => return false,
        };
        uri.port_u16() != Some(own_port)
            && text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.path() == "/"
            && uri.query().is_none()
            && !text.ends_with('/')
            && !text.contains('@')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str = "methods = [\"on-delivery\"]";

    fn parse(text: &str, variables: &[(&str, &str)]) -> Result<Config, String> {
        let environment = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::parse(text, environment).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_said_has_its_default_and_the_environment_has_the_last_word() {
        let config =
            parse(MINIMAL, &[("TILLGATE_SHOP_NAME", "42"), ("TILLGATE_REQUESTS_BURST", "7"), ("HOME", "/")])
                .unwrap();
        assert_eq!(config.shop_name, "42");
        assert_eq!((config.requests_burst, config.requests_per_second), (7, 20));
        assert_eq!(config.listen.port(), 3000);
    }

    #[test]
    fn each_mistake_is_named_with_its_setting() {
        for (text, expected) in [
            ("colour = 1", "unknown field `colour`"),
            ("public_url = \"pay.example.com\"", "public_url: "),
            ("public_url = \"https://a.example/shop\"", "public_url: "),
            ("storefront_origins = [\"https://a.example/\"]", "storefront_origins: "),
            ("storefront_origins = [\"https://A.example\"]", "storefront_origins: "),
            ("storefront_origins = [\"https://a.example:443\"]", "storefront_origins: "),
            ("storefront_origins = [\"http://a.example:80\"]", "storefront_origins: "),
            ("quote_keys = 1", "quote_keys: write a list"),
            ("methods = []", "methods: offer at least one"),
            ("methods = [\"bank-transfer\"]", "[bank_transfer]"),
            ("methods = [\"cash\"]", "cash"),
            ("time_zone = \"Berlin\"", "time_zone: "),
            ("database_url = \"mysql://x\"", "database_url: "),
            ("database_url = \"postgres://host:port/x\"", "database_url: "),
            ("database_connections = 0", "database_connections: "),
            ("requests_burst = 0", "requests_burst: "),
            ("refund_approval_above = \"a lot\"", "refund_approval_above: "),
            ("trusted_proxies = [\"proxy\"]", "trusted_proxies"),
            ("listen = \"3000\"", "listen"),
        ] {
            let text =
                if text.starts_with("methods") { text.to_owned() } else { format!("{MINIMAL}\n{text}") };
            let error = parse(&text, &[]).unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        assert!(parse(MINIMAL, &[("TILLGATE_COLOUR", "red")]).unwrap_err().contains("TILLGATE_COLOUR"));
    }

    #[test]
    fn keys_of_quotes_come_from_text_or_file_and_are_never_printed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("quote.key");
        fs::write(&file, "a-secret-of-32-bytes-in-a-file-00\n").unwrap();
        let list = format!("[\"one:a-secret-of-32-bytes-and-more-0000\", \"two:@{}\"]", file.display());
        let config = parse(MINIMAL, &[("TILLGATE_QUOTE_KEYS", &list)]).unwrap();
        assert!(!format!("{config:?}").contains("a-secret"));
        let keys = config.settings(None).unwrap().quote_keys;
        assert_eq!(keys.iter().map(QuoteKey::id).collect::<Vec<_>>(), ["one", "two"]);
        for (list, expected) in [
            ("[\"secret-without-an-id-secret-without\"]", "entry 1 is not"),
            ("[\"one:secret-too-short\"]", "entry 1: its secret"),
            ("[\"a b:a-secret-of-32-bytes-and-more-0000\"]", "entry 1: its id"),
            ("[\"one:@/nowhere/secret\"]", "/nowhere/secret cannot be read"),
            (
                "[\"one:a-secret-of-32-bytes-and-more-0000\", \"one:a-secret-of-32-bytes-and-more-0000\"]",
                "twice",
            ),
        ] {
            let config = parse(MINIMAL, &[("TILLGATE_QUOTE_KEYS", list)]).unwrap();
            let error = config.settings(None).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("a-secret"), "{error}");
        }
        let error = parse(MINIMAL, &[("TILLGATE_QUOTE_KEYS", "one:a-secret-of-32-bytes")]).unwrap_err();
        assert!(error.contains("quote_keys") && !error.contains("a-secret"), "{error}");
    }

    #[test]
    fn systems_that_are_told_have_names_addresses_and_secrets_that_are_never_printed() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("webhook.key");
        fs::write(&file, "whsec_QS1zZWNyZXQtdGhhdC1uZXZlci1pcy1wcmludGVkLTE=\n").unwrap();
        let entry = |name: &str, url: &str, secret: &str| {
            format!("{MINIMAL}\n[[webhook]]\nname = {name:?}\nurl = {url:?}\nsecrets = [{secret:?}]\n")
        };
        let (url, secret) = ("https://erp.example.com/", format!("@{}", file.display()));
        let config = parse(&entry("erp", url, &secret), &[]).unwrap();
        assert_eq!(config.settings(None).unwrap().webhooks.len(), 1);
        let plain = entry("erp", url, "whsec_QS1zZWNyZXQtdGhhdC1uZXZlci1pcy1wcmludGVkLTE=");
        let config = parse(&plain, &[]).unwrap();
        assert!(!format!("{config:?} {:?}", config.settings(None).unwrap()).contains("whsec_"));
        for (text, expected) in [
            (entry("", url, &secret), "webhook: \"\": its name"),
            (entry("erp", "http://erp.example.com", &secret), "webhook: \"erp\": its url"),
            (entry("erp", url, "QS1zZWNyZXQ="), "webhook: \"erp\": a secret of it"),
            (entry("erp", url, "@/nowhere/secret"), "/nowhere/secret cannot be read"),
            (plain.clone() + plain.trim_start_matches(MINIMAL), "\"erp\" is there twice"),
        ] {
            let error = parse(&text, &[]).unwrap().settings(None).unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("QS1z"), "{error}");
        }
        let no_list = plain.replace("[\"whsec", "\"whsec").replace("=\"]", "=\"");
        let error = parse(&no_list, &[]).unwrap_err();
        assert!(error.contains("secrets of a webhook") && !error.contains("QS1z"), "{error}");
    }

    #[test]
    fn a_package_in_place_of_its_file_is_never_printed() {
        let package = "eyJzaWQiOi".repeat(300);
        let store = |packages: &str| {
            format!(
                "{MINIMAL}\n[[store]]\nname = \"main\"\nmode = \"test\"\ncurrencies = [\"EUR\"]\n{packages}\n"
            )
        };
        for packages in [
            format!("packages = [{package:?}]"),
            format!("packages = {package:?}"),
            format!("packages = [\"mypos-package.txt\"]\nretired_packages = [{package:?}]"),
        ] {
            let error = parse(&store(&packages), &[]).unwrap_err();
            assert!(error.contains("packages of a store") && !error.contains("eyJzaWQ"), "{error}");
        }
        let config = parse(&store("packages = [\"/nowhere/mypos-package.txt\"]"), &[]).unwrap();
        assert!(config.settings(None).unwrap_err().to_string().contains("/nowhere/mypos-package.txt"));
    }

    #[test]
    fn the_database_is_chosen_by_its_url_alone_and_its_password_is_never_printed() {
        let variables = [("TILLGATE_DATABASE_URL", "postgres://shop:a-secret@db.example.com/shop")];
        let config = parse(MINIMAL, &variables).unwrap();
        let database = config.database().unwrap();
        assert!(matches!(database, Database::Postgres(_)));
        assert_eq!(database.to_string(), "shop at db.example.com:5432");
        assert!(!format!("{config:?} {database}").contains("a-secret"));
        let error = parse(MINIMAL, &[("TILLGATE_DATABASE_URL", "postgres://shop:a-secret@host:port/shop")])
            .unwrap_err();
        assert!(!error.contains("a-secret"), "{error}");
        assert!(matches!(parse(MINIMAL, &[]).unwrap().database().unwrap(), Database::Sqlite(_)));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named_and_not_repeated() {
        for broken in ["quote_keys = [\"one:a-secret", "log = \"info\"\nlog = \"a-secret\"", "a-secret"] {
            let error = parse(&format!("shop_name = \"Shop\"\n{broken}\n"), &[]).unwrap_err();
            assert!(error.contains("line ") && !error.contains("a-secret"), "{error}");
        }
        assert!(parse("\n\nlog = ", &[]).unwrap_err().contains("line 3"));
    }

    #[test]
    fn what_is_logged_and_where_traces_go_can_be_read() {
        for (setting, good, bad) in [
            ("log", "info,tillgate=debug", "tillgate=debgu"),
            ("traces_url", "http://127.0.0.1:4318/v1/traces", "http://127.0.0.1:4318"),
            ("traces_url", "https://traces.example.com/v1/traces", "traces.example.com/v1/traces"),
        ] {
            parse(&format!("{setting} = {good:?}\n{MINIMAL}"), &[]).unwrap();
            let error = parse(&format!("{setting} = {bad:?}\n{MINIMAL}"), &[]).unwrap_err();
            assert!(error.contains(setting) && error.contains(bad), "{error}");
        }
    }

    #[test]
    fn a_gateway_method_needs_a_store() {
        let config = parse("methods = [\"card\"]", &[]).unwrap();
        assert!(config.settings(None).unwrap_err().to_string().contains("[[store]]"));
    }
}
