//! `tillgate dev`

use std::net::SocketAddr;
use std::path::PathBuf;

use super::{EXIT_FAILED, EXIT_OK, block_on, fail};
use crate::config::LogFormat;
use crate::dev::{Dev, Started, WEBHOOK_SECRET, run};
use crate::log;

/// Serve the demonstration shop and the sandbox, with everything generated
#[derive(clap::Args)]
#[command(
    after_help = "Example: tillgate dev --listen 127.0.0.1:4000 --sandbox-port 4001 --storefront http://localhost:5173"
)]
pub(super) struct Arguments {
    /// Where the shop listens; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The sandbox's port on localhost; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 3001)]
    sandbox_port: u16,
    /// The folder for generated keys and databases
    #[arg(long, value_name = "DIR", default_value = ".tillgate")]
    dir: PathBuf,
    /// The folder of the built site
    #[arg(long, value_name = "DIR", default_value = "dist/site")]
    site: PathBuf,
    /// Makes the sandbox's faults repeatable
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Let pages of this origin embed the checkout; can be given more than once
    #[arg(long = "storefront", value_name = "ORIGIN")]
    storefronts: Vec<String>,
    /// Tell a system of yours at this address what happens, by signed messages
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// Print the addresses as one JSON line
    #[arg(long)]
    json: bool,
    /// What is logged, as `tracing` filters are written
    #[arg(long, value_name = "FILTER", default_value = "warn,tillgate=info,checkout=info")]
    log: String,
}

impl Arguments {
    pub(super) fn run(self) -> u8 {
        log::start(&self.log, LogFormat::Text, None);
        let dev = Dev {
            dir: self.dir.clone(),
            site_dir: self.site,
            shop: self.listen,
            sandbox_port: self.sandbox_port,
            seed: self.seed,
            storefronts: self.storefronts,
            webhook: self.webhook,
        };
        let is_told = dev.webhook.is_some();
        let started = |at: &Started| {
            if self.json {
                say!(
                    "{}",
                    serde_json::json!({
                        "shop": at.shop, "sandbox": at.sandbox, "merchant": at.merchant, "password": at.password,
                        "config": at.config,
                    })
                );
            } else {
                say!("  Shop      {}", at.shop);
                say!("  Sandbox   {}  (a stand-in for myPOS: no money moves)", at.sandbox);
                say!("  Merchant  {}/merchant  as {} with {}", at.shop, at.merchant, at.password);
                if is_told {
                    say!("  Webhooks  are signed with {WEBHOOK_SECRET}");
                }
                say!("  Keys and databases lie in {}; `make clean` forgets them.", self.dir.display());
                say!("  Ctrl-C ends both.");
            }
        };
        block_on(async {
            match run(dev, started).await {
                Ok(()) => EXIT_OK,
                Err(error) => fail(EXIT_FAILED, &error),
            }
        })
    }
}
