//! `tillgate sandbox`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use sandbox::{OpenError, PACKAGE_FILE, Sandbox, SystemClock};

use super::{EXIT_FAILED, EXIT_OK, block_on, fail};
use crate::config::LogFormat;
use crate::log;
use crate::serve::{Running, StartupError, asked_to_end, listen};

/// Serve a local stand-in for the myPOS gateway, for any client of its protocol
#[derive(clap::Args)]
#[command(
    after_help = "Point your shop at http://localhost:3001/vmp/checkout, with the configuration package in DIR."
)]
pub(super) struct Arguments {
    /// The folder for its keys, its configuration package and its payments
    #[arg(long, value_name = "DIR", default_value = ".tillgate/sandbox")]
    dir: PathBuf,
    /// Where it listens
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3001")]
    listen: SocketAddr,
    /// The address that browsers reach it under
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,
    /// Makes the faults that come by chance repeatable
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

#[derive(Debug, thiserror::Error)]
enum SandboxError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Startup(#[from] StartupError),
}

impl Arguments {
    pub(super) fn run(self) -> u8 {
        log::start("info", LogFormat::Text, None);
        block_on(async {
            match self.serve().await {
                Ok(()) => EXIT_OK,
                Err(error) => fail(EXIT_FAILED, &error),
            }
        })
    }

    async fn serve(self) -> Result<(), SandboxError> {
        let listener = listen(self.listen).await?;
        let port = listener.local_addr().map_err(|error| StartupError::Listen(self.listen, error))?.port();
        let public_url = self.public_url.clone().unwrap_or_else(|| format!("http://localhost:{port}"));
        let mut config = sandbox::Config::new(&self.dir, &public_url);
        config.seed = self.seed;
        let sandbox = Sandbox::open(config, Arc::new(SystemClock::new()))?;
        let asked_to_end = asked_to_end()?;
        let mut running = Running::default();
        let six = SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, port));
        if self.listen.ip() == std::net::Ipv4Addr::LOCALHOST
            && let Ok(listener) = listen(six).await
        {
            running.serve(listener, sandbox.router(), &[]);
        }
        running.serve(listener, sandbox.router(), &[]);
        let deliveries = sandbox.spawn_deliveries();
        say!("Payment URL            {public_url}/vmp/checkout");
        say!("Configuration package  {}", self.dir.join(PACKAGE_FILE).display());
        say!("What happened          {public_url}/");
        asked_to_end.await;
        deliveries.abort();
        running.finish().await;
        sandbox.flush();
        Ok(())
    }
}
