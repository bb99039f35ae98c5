//! `anubad bench`: measure how fast this machine is with this model.
use std::process::ExitCode;

/// Measure how fast this machine is with this model
#[derive(Debug, clap::Args)]
pub struct BenchArgs {}

/// Runs the command.
pub fn run(_args: BenchArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("`anubad bench` is not there yet")
}
