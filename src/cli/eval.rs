//! `anubad eval`: measure translation or summary quality as sacrebleu and rouge-score define it.
use std::process::ExitCode;

/// Measure translation or summary quality as sacrebleu and rouge-score define it
#[derive(Debug, clap::Args)]
pub struct EvalArgs {}

/// Runs the command.
pub fn run(_args: EvalArgs) -> anyhow::Result<ExitCode> {
    anyhow::bail!("`anubad eval` is not there yet")
}
