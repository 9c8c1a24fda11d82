//! `tillgate reconcile`

use std::sync::Arc;

use checkout::clock::SystemClock;
use checkout::reconcile::Report;

use super::{ConfigFile, EXIT_FAILED, EXIT_NO, EXIT_OK, EXIT_USAGE, block_on, fail, package_variable};
use crate::config::Config;
use crate::log;
use crate::serve::{StartupError, open_checkout};

/// Ask the gateway at once about every payment that has not ended
#[derive(clap::Args)]
#[command(
    after_help = "Exit code 0: each was answered; 1: some questions had no answer that decides; 2: no configuration; 3: it failed, or some could not be asked."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(self) -> u8 {
        let config = match self.file.load() {
            Ok(config) => config,
            Err(error) => return fail(EXIT_USAGE, &error),
        };
        log::start(&config.log, config.log_format, None);
        block_on(async {
            match reconcile(&config, self.json).await {
                Ok(code) => code,
                Err(error) => fail(EXIT_FAILED, error.as_ref()),
            }
        })
    }
}

async fn reconcile(config: &Config, json: bool) -> Result<u8, Box<dyn std::error::Error>> {
    let checkout = match open_checkout(config, package_variable().as_deref(), Arc::new(SystemClock)).await {
        Err(error @ StartupError::Config(_)) => return Ok(fail(EXIT_USAGE, &error)),
        other => other?,
    };
    let report = checkout.reconcile_all().await?;
    if json {
        say!("{}", serde_json::to_string(&report)?);
    } else {
        say!(
            "asked {}, changed {}, without an answer {}, failed {}, expired {}",
            report.asked,
            report.changed,
            report.undecided,
            report.failed,
            report.expired
        );
    }
    Ok(match report {
        Report { failed: 1.., .. } => EXIT_FAILED,
        Report { undecided: 1.., .. } => EXIT_NO,
        _ => EXIT_OK,
    })
}
