//! Start-up and shut-down.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use app::pages::DevLinks;
use axum::Router;
use checkout::checkout::Checkout;
use checkout::clock::Clock;
use checkout::gateway::{GatewayError, HttpGateway};
use checkout::store::postgres::PostgresStore;
use checkout::store::sqlite::SqliteStore;
use checkout::store::{Store, StoreError};
use checkout::webhooks::{CourierError, HttpCourier};
use ipnet::IpNet;
use listenfd::ListenFd;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::task::TaskTracker;

use crate::assets::{Assets, AssetsError};
use crate::config::{Config, ConfigError, Database};
use crate::connections;
use crate::cookies::CookieNames;
use crate::limits::Limits;
use crate::routes;
use crate::state::{AppState, Shop};

/// How often the database is looked at for payments that are due to be asked about.
const RECONCILE_EVERY: Duration = Duration::from_secs(1);
/// How long a round of eight questions takes at least: a hundred a second, also where thousands are due and the gateway
/// answers at once or is not there. Whoever is buying needs the processor and the database, too.
const ROUND_TAKES: Duration = Duration::from_millis(80);
/// How often it is looked at for messages to the merchant's systems.
const DELIVER_EVERY: Duration = Duration::from_secs(1);
/// How often it is told which of them this server wants told: several times before they would be forgotten.
const WANT_EVERY: Duration = Duration::from_mins(5);
/// For how long a server that ends still takes connections, while its own work is finished: an answer is waited for 20
/// seconds.
const FINISH_WORK_WITHIN: Duration = Duration::from_secs(25);
/// How long running requests may take after that.
const FINISH_WITHIN: Duration = Duration::from_secs(40);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The configuration.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The built site.
    #[error(transparent)]
    Assets(#[from] AssetsError),
    /// The database.
    #[error("the database {0} cannot be opened: {1}")]
    Store(String, #[source] StoreError),
    /// The HTTP client.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The HTTP client of webhooks.
    #[error(transparent)]
    Courier(#[from] CourierError),
    /// The list of those systems could not be written down.
    #[error("the systems that are told what happens cannot be written down: {0}")]
    Endpoints(#[source] StoreError),
    /// What the process inherited is no socket that it can listen on.
    #[error("a socket that was handed over by LISTEN_FDS cannot be used: {0}")]
    Inherited(#[source] io::Error),
    /// The process could not be told when it is asked to end.
    #[error("signals cannot be waited for: {0}")]
    Signals(#[source] io::Error),
    /// An address is taken.
    #[error(
        "{0} cannot be listened on ({1}): end what is running there, or choose another address with --listen, and for the sandbox of `tillgate dev` with --sandbox-port"
    )]
    Listen(SocketAddr, #[source] io::Error),
}

/// Opens the database and puts the checkout of a configuration together.
pub async fn open_checkout(
    config: &Config,
    package: Option<&str>,
    clock: Arc<dyn Clock>,
) -> Result<Arc<Checkout>, StartupError> {
    let database = config.database()?;
    let store: Result<Arc<dyn Store>, StoreError> = match &database {
        Database::Sqlite(path) => SqliteStore::open(path).map(|store| Arc::new(store) as _),
        Database::Postgres(address) => PostgresStore::connect(address, config.database_connections)
            .await
            .map(|store| Arc::new(store) as _),
    };
    let store = store.map_err(|error| StartupError::Store(database.to_string(), error))?;
    let catalog = config.read_catalog()?;
    let settings = config.settings(package)?;
    Ok(Arc::new(Checkout::new(catalog, settings, store, Arc::new(HttpGateway::new()?), clock)))
}

/// The shop's application.
pub fn application(
    config: &Config,
    checkout: Arc<Checkout>,
    dev: Option<DevLinks>,
    begun: TaskTracker,
) -> Result<Router, StartupError> {
    let assets = Assets::read(&config.site_dir)?;
    let assets =
        if config.kept_sites.as_os_str().is_empty() { assets } else { assets.keep_in(&config.kept_sites)? };
    let state = AppState {
        checkout,
        assets: Arc::new(assets),
        shop: Arc::new(Shop {
            name: config.shop_name.clone(),
            cookies: CookieNames::for_url(&config.public_url),
            secure: config.public_url.starts_with("https://"),
            bank_transfer: config.bank_transfer.clone(),
            second_factor_for_refunds: config.second_factor_for_refunds,
            storefront_origins: config.storefront_origins.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
        }),
        limits: Arc::new(Limits::new(config)),
        dev: dev.map(Arc::new),
        begun,
    };
    Ok(routes::router(state)?)
}

/// The sockets that whoever started the process listens on for it, such as systemd (`LISTEN_FDS`): the shop's, then the
/// operator's. A connection that comes while one process ends and the next begins waits there, and is not refused.
pub fn inherited() -> Result<[Option<TcpListener>; 2], StartupError> {
    let mut sockets = ListenFd::from_env();
    let mut take = |index| -> io::Result<Option<TcpListener>> {
        let Some(listener) = sockets.take_tcp_listener(index)? else { return Ok(None) };
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener).map(Some)
    };
    Ok([take(0).map_err(StartupError::Inherited)?, take(1).map_err(StartupError::Inherited)?])
}

/// Listens on an address.
pub async fn listen(address: SocketAddr) -> Result<TcpListener, StartupError> {
    TcpListener::bind(address).await.map_err(|error| StartupError::Listen(address, error))
}

/// Everything that runs until the process is asked to end.
pub struct Running {
    /// What is done unasked: questions to the gateway, messages to the merchant's systems.
    stop_working: watch::Sender<bool>,
    working: Vec<JoinHandle<()>>,
    stop_serving: watch::Sender<bool>,
    serving: Vec<JoinHandle<()>>,
    begun: TaskTracker,
}

impl Default for Running {
    fn default() -> Self {
        Self {
            stop_working: watch::channel(false).0,
            working: Vec::new(),
            stop_serving: watch::channel(false).0,
            serving: Vec::new(),
            begun: TaskTracker::new(),
        }
    }
}

impl Running {
    /// What an application begins and must finish, also where whoever asked for it goes away.
    pub fn begun(&self) -> TaskTracker {
        self.begun.clone()
    }

    /// Serves an application. When it ends, it takes no new connection and finishes what is running. Trusted proxies
    /// may open as many connections as there are.
    pub fn serve(&mut self, listener: TcpListener, application: Router, trusted_proxies: &[IpNet]) {
        let stop = self.stop_serving.subscribe();
        self.serving.push(tokio::spawn(connections::serve(
            listener,
            application,
            trusted_proxies.to_vec(),
            stop,
        )));
    }

    /// Asks the gateway about payments as they fall due.
    pub fn reconcile(&mut self, checkout: Arc<Checkout>) {
        let stop = self.stop_working.subscribe();
        self.working.push(tokio::spawn(async move {
            let stopped = || stopped(stop.clone());
            while !*stop.borrow() {
                let mut pause = RECONCILE_EVERY;
                let began = Instant::now();
                match checkout.reconcile_due(stopped()).await {
                    Ok(report) if report.asked > 0 || report.expired > 0 => {
                        // There may be thousands more.
                        pause = ROUND_TAKES.saturating_sub(began.elapsed());
                        tracing::info!(
                            asked = report.asked,
                            changed = report.changed,
                            undecided = report.undecided,
                            expired = report.expired,
                            "reconciled"
                        );
                    }
                    Ok(_) => {}
                    Err(error) => tracing::error!(%error, "reconciliation failed; it is tried again"),
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = stopped() => {}
                }
            }
        }));
    }

    /// Tells the merchant's systems what happens, each by a task of its own: a slow one keeps no other waiting.
    pub async fn deliver(&mut self, checkout: &Arc<Checkout>) -> Result<(), StartupError> {
        checkout.want_endpoints().await.map_err(StartupError::Endpoints)?;
        let (again, stop) = (Arc::clone(checkout), self.stop_working.subscribe());
        self.working.push(tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = stopped(stop.clone()) => break,
                    () = tokio::time::sleep(WANT_EVERY) => {}
                }
                if let Err(error) = again.want_endpoints().await {
                    tracing::error!(%error, "who is to be told what happens could not be said; that is tried again");
                }
            }
        }));
        for endpoint in checkout.settings.webhooks.clone() {
            let courier = HttpCourier::new()?;
            let (checkout, stop) = (Arc::clone(checkout), self.stop_working.subscribe());
            self.working.push(tokio::spawn(async move {
                let stopped = || stopped(stop.clone());
                while !*stop.borrow() {
                    let pause = match checkout.deliver_webhooks(&endpoint, &courier, stopped()).await {
                        // There may be more.
                        Ok(report) if report.delivered > 0 => Duration::ZERO,
                        Ok(_) => DELIVER_EVERY,
                        Err(error) => {
                            tracing::error!(%error, endpoint = %endpoint.name, "messages wait; they are sent later");
                            DELIVER_EVERY
                        }
                    };
                    tokio::select! {
                        () = stopped() => {}
                        () = tokio::time::sleep(pause) => {}
                    }
                }
            }));
        }
        Ok(())
    }

    /// Ends: no new work, and what is running is finished, for a while. Connections are taken until what we do unasked has
    /// ended: a system that is slow to take a message must not keep a notification waiting for the next process.
    pub async fn finish(self) {
        let _ = self.stop_working.send(true);
        let mut working = pin!(ended(self.working));
        let is_done = tokio::time::timeout(FINISH_WORK_WITHIN, &mut working).await.is_ok();
        let _ = self.stop_serving.send(true);
        let all = async {
            ended(self.serving).await;
            self.begun.close();
            self.begun.wait().await;
            if !is_done {
                working.await;
            }
        };
        if tokio::time::timeout(FINISH_WITHIN, all).await.is_err() {
            tracing::warn!("some requests were still running when the server ended");
        }
    }
}

async fn ended(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        let _ = task.await;
    }
}

/// Waits for the end.
async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error means that the sender is gone, which is an end as well.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// From now on Ctrl-C and SIGTERM do not kill the process, but complete what is returned. To be called before anything
/// is served: a signal that came in between would cut off what was taken.
#[cfg(unix)]
pub fn asked_to_end() -> Result<impl Future<Output = ()>, StartupError> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupted = signal(SignalKind::interrupt()).map_err(StartupError::Signals)?;
    let mut terminated = signal(SignalKind::terminate()).map_err(StartupError::Signals)?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
    })
}

/// From now on Ctrl-C does not kill the process, but completes what is returned. To be called before anything is served:
/// a signal that came in between would cut off what was taken.
#[cfg(windows)]
pub fn asked_to_end() -> Result<impl Future<Output = ()>, StartupError> {
    let mut interrupted = tokio::signal::windows::ctrl_c().map_err(StartupError::Signals)?;
    Ok(async move {
        interrupted.recv().await;
    })
}
