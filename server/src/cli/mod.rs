//! The command line. One file a command.

#[macro_use]
mod say;

mod backup;
mod dev;
mod doctor;
mod merchant;
mod migrate;
mod mypos;
mod precompress;
mod reconcile;
mod refund;
mod sandbox;
mod serve;
mod transactions;
mod webhooks;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use checkout::checkout::Checkout;
use checkout::clock::SystemClock;
use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError, PACKAGE_VARIABLE};
use crate::serve::{StartupError, open_checkout};

/// Everything went as asked.
pub const EXIT_OK: u8 = 0;
/// The answer is no: a signature is invalid, a check found an error.
pub const EXIT_NO: u8 = 1;
/// The input, the arguments or the configuration cannot be used.
pub const EXIT_USAGE: u8 = 2;
/// Something that is needed failed: the database, the network.
pub const EXIT_FAILED: u8 = 3;

/// A self-hosted checkout for shops that take payments with myPOS.
#[derive(Parser)]
#[command(
    name = "tillgate",
    version,
    after_help = "Exit codes: 0 as asked; 1 the answer is no; 2 the input cannot be used; 3 something failed.\n\
                  Try it:  tillgate dev"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Dev(dev::Arguments),
    Serve(serve::Arguments),
    Sandbox(sandbox::Arguments),
    #[command(subcommand)]
    Mypos(mypos::Command),
    Doctor(doctor::Arguments),
    Reconcile(reconcile::Arguments),
    Migrate(migrate::Arguments),
    Backup(backup::Arguments),
    #[command(subcommand)]
    Merchant(merchant::Command),
    #[command(subcommand)]
    Transactions(transactions::Command),
    Refund(refund::Arguments),
    #[command(subcommand)]
    Webhooks(webhooks::Command),
    #[command(hide = true)]
    Precompress(precompress::Arguments),
}

/// Where the configuration is.
#[derive(clap::Args, Clone, Debug)]
struct ConfigFile {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = "tillgate.toml")]
    config: PathBuf,
}

impl ConfigFile {
    fn load(&self) -> Result<Config, ConfigError> {
        let known = |(name, _): &(String, String)| name.starts_with("TILLGATE_");
        // Variables that are not text are nobody's settings.
        let text = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Config::load(Path::new(&self.config), text.filter(known))
    }

    /// The checkout of the configuration. Where there is none it says why, and gives the exit code.
    async fn open(&self) -> Result<Arc<Checkout>, u8> {
        let config = self.load().map_err(|error| fail(EXIT_USAGE, &error))?;
        let opened = open_checkout(&config, package_variable().as_deref(), Arc::new(SystemClock)).await;
        opened.map_err(|error| {
            let code = if matches!(error, StartupError::Config(_)) { EXIT_USAGE } else { EXIT_FAILED };
            fail(code, &error)
        })
    }
}

/// The configuration package of the environment.
fn package_variable() -> Option<String> {
    std::env::var(PACKAGE_VARIABLE).ok().filter(|text| !text.trim().is_empty())
}

/// Who runs the command, for the audit log.
fn os_user() -> String {
    let named =
        ["SUDO_USER", "USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| std::env::var(name).ok());
    named.filter(|user| !user.is_empty()).unwrap_or_else(|| "somebody".to_owned())
}

/// Runs the command of the arguments.
pub fn main() -> ExitCode {
    let code = match Arguments::parse().command {
        Command::Dev(arguments) => arguments.run(),
        Command::Serve(arguments) => arguments.run(),
        Command::Sandbox(arguments) => arguments.run(),
        Command::Mypos(command) => command.run(),
        Command::Doctor(arguments) => arguments.run(),
        Command::Reconcile(arguments) => arguments.run(),
        Command::Migrate(arguments) => arguments.run(),
        Command::Backup(arguments) => arguments.run(),
        Command::Merchant(command) => command.run(),
        Command::Transactions(command) => command.run(),
        // Its code says what became of the money, whatever became of the words.
        Command::Refund(arguments) => return ExitCode::from(arguments.run()),
        Command::Webhooks(command) => command.run(),
        Command::Precompress(arguments) => arguments.run(),
    };
    ExitCode::from(if code == EXIT_OK && say::is_lost() { EXIT_FAILED } else { code })
}

/// Prints an error with its causes and gives the exit code back.
fn fail(code: u8, error: &dyn std::error::Error) -> u8 {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    complain!("tillgate: {text}");
    code
}

/// Runs a future to its end, on a runtime of its own.
fn block_on(future: impl Future<Output = u8>) -> u8 {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(future);
            // A thread that waits for a disk or a database that is gone does not keep the process.
            runtime.shutdown_timeout(Duration::from_secs(2));
            code
        }
        Err(error) => fail(EXIT_FAILED, &error),
    }
}
