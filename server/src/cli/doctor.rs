//! `tillgate doctor`

use super::{ConfigFile, EXIT_NO, EXIT_OK, EXIT_USAGE, block_on, fail, package_variable};
use crate::doctor::{Level, examine};

/// Check a set-up, and say how to mend what is wrong
#[derive(clap::Args)]
#[command(
    after_help = "Exit code 0: nothing is wrong, or warnings only; 1: something does not work; 2: no configuration."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    file: ConfigFile,
    /// Print the findings as JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(self) -> u8 {
        let config = match self.file.load() {
            Ok(config) => config,
            Err(error) => return fail(EXIT_USAGE, &error),
        };
        let findings = block_on_findings(&config);
        if self.json {
            say!("{}", serde_json::to_string_pretty(&findings).unwrap_or_default());
        } else {
            for finding in &findings {
                let mark = match finding.level {
                    Level::Ok => "ok     ",
                    Level::Warning => "warning",
                    Level::Error => "ERROR  ",
                };
                say!("{mark}  {}: {}", finding.what, finding.found);
                if !finding.remedy.is_empty() {
                    say!("         {}", finding.remedy);
                }
            }
        }
        if findings.iter().any(|finding| finding.level == Level::Error) { EXIT_NO } else { EXIT_OK }
    }
}

fn block_on_findings(config: &crate::config::Config) -> Vec<crate::doctor::Finding> {
    let mut findings = Vec::new();
    block_on(async {
        findings = examine(config, package_variable().as_deref()).await;
        EXIT_OK
    });
    findings
}
