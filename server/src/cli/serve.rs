//! `tillgate serve`

use std::net::SocketAddr;
use std::sync::Arc;

use checkout::clock::SystemClock;
use tokio::net::TcpListener;

use super::{ConfigFile, EXIT_FAILED, EXIT_OK, EXIT_USAGE, block_on, fail, package_variable};
use crate::config::Config;
use crate::log::{self, Traces};
use crate::routes::operator_router;
use crate::serve::{Running, StartupError, application, asked_to_end, inherited, listen, open_checkout};

/// Serve a shop
#[derive(clap::Args)]
#[command(after_help = "Every setting is in the configuration file; `tillgate doctor` checks it.")]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Where to listen, instead of what the configuration says
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

impl Arguments {
    pub(super) fn run(self) -> u8 {
        let config = match self.file.load() {
            Ok(config) => Config { listen: self.listen.unwrap_or(config.listen), ..config },
            Err(error) => return fail(EXIT_USAGE, &error),
        };
        let traces = match config.traces_url.as_str() {
            "" => None,
            url => match Traces::to(url) {
                Ok(traces) => Some(traces),
                Err(error) => return fail(EXIT_USAGE, &error),
            },
        };
        log::start(&config.log, config.log_format, traces.as_ref());
        let code = block_on(async {
            match serve(&config).await {
                Ok(()) => EXIT_OK,
                Err(error @ StartupError::Config(_)) => fail(EXIT_USAGE, &error),
                Err(error) => fail(EXIT_FAILED, &error),
            }
        });
        if let Some(traces) = traces {
            traces.finish();
        }
        code
    }
}

async fn serve(config: &Config) -> Result<(), StartupError> {
    let checkout = open_checkout(config, package_variable().as_deref(), Arc::new(SystemClock)).await?;
    let mut running = Running::default();
    let shop = application(config, Arc::clone(&checkout), None, running.begun())?;
    let asked_to_end = asked_to_end()?;
    let [inherited_shop, inherited_operator] = inherited()?;
    let shop_listener = match inherited_shop {
        Some(listener) => listener,
        None => listen(config.listen).await?,
    };
    let operator_listener = match inherited_operator {
        Some(listener) => listener,
        None => listen(config.operator_listen).await?,
    };
    let address = |listener: &TcpListener| {
        listener.local_addr().map_or_else(|_| "an unknown address".to_owned(), |address| address.to_string())
    };
    tracing::info!(
        address = address(&shop_listener),
        operator = address(&operator_listener),
        public = %config.public_url,
        "serving"
    );
    // First whoever is to be told, then what there is to tell.
    running.deliver(&checkout).await?;
    running.serve(shop_listener, shop, &config.trusted_proxies);
    running.serve(operator_listener, operator_router(Arc::clone(&checkout)), &config.trusted_proxies);
    running.reconcile(checkout);
    asked_to_end.await;
    tracing::info!("ending: what is running is finished");
    running.finish().await;
    Ok(())
}
