//! `anubad summarize`: summarise an article in a few English (or Bengali) sentences.
use std::process::ExitCode;

/// Summarise an article in a few English (or Bengali) sentences
#[derive(Debug, clap::Args)]
pub struct SummarizeArgs {}

/// Runs the command.
pub fn run(_args: SummarizeArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("`anubad summarize` is not there yet")
}
