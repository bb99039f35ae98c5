//! `anubad translate`: translate one article, with a short summary.
use std::process::ExitCode;

/// Translate one article, with a short summary
#[derive(Debug, clap::Args)]
pub struct TranslateArgs {}

/// Runs the command.
pub fn run(_args: TranslateArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("`anubad translate` is not there yet")
}
