//! `anubad bulk`: translate a feed, a dump or a folder into one output file.
use std::process::ExitCode;

/// Translate a feed, a dump or a folder into one output file
#[derive(Debug, clap::Args)]
pub struct BulkArgs {}

/// Runs the command.
pub fn run(_args: BulkArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("`anubad bulk` is not there yet")
}
