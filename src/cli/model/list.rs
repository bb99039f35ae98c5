//! `anubad model list`: what there is, the best first, and what this machine can do with it.
use crate::assembly::choice::is_installed;
use crate::cli::common::memory_mb;
use crate::hub::HubConfig;
use crate::hub::pull::human;
use crate::manifest::{Manifest, Registry, Task};
use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use std::io::Write;
use std::process::ExitCode;

/// Source words a second times millions of parameters that one core does: the built-in model (143 M) translates 170 a
/// second on two cores, repairs included.
const WORK_PER_CORE: f64 = 170.0 * 142.6 / 2.0;

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    /// Only models for this task
    #[arg(long)]
    task: Option<TaskArg>,
    /// Only models that can be used without a download
    #[arg(long)]
    here: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum TaskArg {
    Translate,
    #[value(alias = "summarise")]
    Summarize,
}

/// Runs the command.
pub(super) fn run(args: ListArgs) -> anyhow::Result<ExitCode> {
    let config = HubConfig::from_env();
    let registry = Registry::load()?;
    let wanted = args.task.map(|task| match task {
        TaskArg::Translate => Task::Translate,
        TaskArg::Summarize => Task::Summarize,
    });
    let mut models: Vec<(&Manifest, &str)> = registry
        .entries()
        .iter()
        .map(|entry| (&entry.manifest, state(&config, &entry.manifest)))
        .filter(|(manifest, state)| wanted.is_none_or(|t| manifest.task.covers(t)) && !(args.here && *state == "-"))
        .collect();
    // What nobody has published a figure of comes last, in its old order.
    let quality = |manifest: &Manifest| manifest.published().unwrap_or(f64::NEG_INFINITY);
    models.sort_by(|a, b| quality(b.0).total_cmp(&quality(a.0)));
    let memory = memory_mb();
    let mut out = std::io::stdout().lock();
    if args.json {
        let models: Vec<Value> = models.iter().map(|(manifest, state)| listed(manifest, state, memory)).collect();
        writeln!(out, "{:#}", json!({ "version": 1, "memory_mb": memory, "models": models }))?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(
        out,
        "{:<38} {:<9} {:>8} {:>5} {:>5} {:>6} {:>7}  {:<10} {:<18} STATE",
        "MODEL", "TASK", "SIZE", "FITS", "BLEU", "CHRF++", "WORDS/S", "COMMERCIAL", "LICENSE"
    )?;
    for (manifest, state) in models {
        writeln!(out, "{} {state}", row(manifest, memory))?;
    }
    writeln!(
        out,
        "\nSIZE: the smallest form in memory; FITS: in this machine's. BLEU, CHRF++: Bengali to English on FLORES-200 \
         devtest, as published; -: not known. WORDS/S: an estimate from the number of parameters and this machine's \
         cores. `anubad model inspect MODEL` tells more, the license in a sentence included."
    )?;
    Ok(ExitCode::SUCCESS)
}

fn row(manifest: &Manifest, memory: Option<u64>) -> String {
    let figure = |value: Option<f64>, digits: usize| value.map_or_else(|| "-".into(), |v| format!("{v:.digits$}"));
    let size = manifest.smallest().map(|mb| human(u64::from(mb) * 1_000_000)).unwrap_or_default();
    format!(
        "{:<38} {:<9} {size:>8} {:>5} {:>5} {:>6} {:>7}  {:<10} {:<18}",
        manifest.id,
        manifest.task.to_string(),
        if manifest.fits(memory) { "yes" } else { "no" },
        figure(manifest.figure("BLEU"), 1),
        figure(manifest.figure("chrF++"), 1),
        figure(words_a_second(manifest), 0),
        match manifest.license.commercial {
            Some(true) => "yes",
            Some(false) => "no",
            None => "unknown",
        },
        manifest.license.spdx.trim_start_matches("LicenseRef-")
    )
}

fn listed(manifest: &Manifest, state: &str, memory: Option<u64>) -> Value {
    let mut value = serde_json::to_value(manifest).unwrap_or_default();
    value["state"] = json!(state);
    value["published_bleu"] = json!(manifest.published());
    value["fits"] = json!(manifest.fits(memory));
    value["estimated_words_per_second"] = json!(words_a_second(manifest).map(f64::round));
    value
}

/// Source words a second that this machine will do, roughly: work grows with the parameters and with the beams.
fn words_a_second(manifest: &Manifest) -> Option<f64> {
    let parameters = manifest.parameters.filter(|p| *p > 0.0)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as f64;
    let beams = manifest.decoding.beams.unwrap_or(1) as f64;
    Some((WORK_PER_CORE * cores / parameters / ((1.0 + beams) / 2.0)).max(0.1))
}

/// Where a model is now.
fn state(config: &HubConfig, manifest: &Manifest) -> &'static str {
    match () {
        _ if manifest.embedded() => "built in",
        _ if is_installed(config, manifest) => "downloaded",
        _ => "-",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_is_known_and_what_is_not() {
        let registry = Registry::built_in().unwrap();
        let line = |id: &str, memory| {
            row(registry.find(id).unwrap(), memory).split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        };
        let nllb = line("nllb-200-3.3b", Some(1000));
        assert!(
            nllb.contains(&"no".into()) && nllb.contains(&"35.7".into()) && !nllb.contains(&"yes".into()),
            "{nllb:?}"
        );
        let unknown = line("hy-mt1.5-1.8b", None);
        assert!(unknown.contains(&"unknown".into()) && unknown.contains(&"-".into()), "{unknown:?}");
    }

    #[test]
    fn larger_models_and_more_beams_are_slower() {
        let registry = Registry::built_in().unwrap();
        let speed = |id: &str| words_a_second(registry.find(id).unwrap()).unwrap();
        assert!(speed("anubad-270m-bn-en") > speed("gemma-3-1b-it") && speed("gemma-3-1b-it") > speed("gemma-3-4b-it"));
        let mut greedy = registry.find("opus-mt-bn-en").unwrap().clone();
        greedy.decoding.beams = None;
        assert!(words_a_second(&greedy).unwrap() > speed("opus-mt-bn-en"));
    }
}
