//! `anubad model`: list, download, inspect, verify, quantise and remove models.
use std::process::ExitCode;

/// List, download, inspect, verify, quantise and remove models
#[derive(Debug, clap::Args)]
pub struct ModelArgs {}

/// Runs the command.
pub fn run(_args: ModelArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("`anubad model` is not there yet")
}
