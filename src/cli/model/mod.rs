//! `anubad model`: list, download, inspect, verify, quantize and remove models.
mod inspect;
mod list;
mod progress;
mod quantize;

use crate::hub::cache::RepoCache;
use crate::hub::pull::{self, human};
use crate::hub::verify::{Verdict, verify};
use crate::hub::{self, Client, HubConfig, ModelKind, ResolveOptions, url};
use crate::manifest::{HubSource, Manifest, Registry, Source, UrlSource};
use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::Write;
use std::process::ExitCode;

/// List, download, inspect, verify, quantize and remove models
#[derive(Debug, Args)]
pub struct ModelArgs {
    #[command(subcommand)]
    command: ModelCommand,
}

#[derive(Debug, Subcommand)]
enum ModelCommand {
    /// List the models that anubad knows
    List(list::ListArgs),
    /// Download models; the only command that does, beside --download
    Pull(PullArgs),
    /// Print where a model lies on disk
    Path(OneModel),
    /// Show what is known of a model and what its files say
    Inspect(InspectArgs),
    /// Read downloaded models again and compare them with their digests
    Verify(VerifyArgs),
    /// Remove a downloaded model from the cache
    Rm(RmArgs),
    /// Store a model's weights in fewer bits
    Quantize(quantize::QuantizeArgs),
}

#[derive(Debug, Args)]
struct PullArgs {
    /// Model ids, or Hub repositories as org/name, org/name@revision or org/name:file.gguf
    #[arg(required = true)]
    models: Vec<String>,
}

#[derive(Debug, Args)]
struct OneModel {
    /// Model id, folder, GGUF file or Hub repository
    model: String,
}

#[derive(Debug, Args)]
struct InspectArgs {
    /// Model id, folder, GGUF file or Hub repository
    model: String,
    /// Also list every tensor
    #[arg(long)]
    tensors: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct VerifyArgs {
    /// Model ids or Hub repositories; none: every known model that is downloaded
    models: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct RmArgs {
    /// Model ids or Hub repositories
    #[arg(required = true)]
    models: Vec<String>,
}

/// Runs the command.
pub fn run(args: ModelArgs) -> anyhow::Result<ExitCode> {
    match args.command {
        ModelCommand::List(args) => list::run(args),
        ModelCommand::Pull(args) => pull_models(args),
        ModelCommand::Path(args) => path(args),
        ModelCommand::Inspect(args) => inspect::run(&args.model, args.tensors, args.json),
        ModelCommand::Verify(args) => verify_models(args),
        ModelCommand::Rm(args) => remove(args),
        ModelCommand::Quantize(args) => quantize::run(args),
    }
}

fn pull_models(args: PullArgs) -> anyhow::Result<ExitCode> {
    let registry = Registry::load()?;
    let config = HubConfig::from_env();
    for model in &args.models {
        let manifest = registry.find(model).or_else(|| registry.find_repo(model));
        if let Some(manifest) = manifest {
            crate::error::say!("{}: {}", manifest.id, manifest.license.summary);
        } else {
            crate::error::say!("{model}: no manifest; read its license on the Hub before you use it");
        }
        let mut bars = progress::Bars::default();
        let path = match manifest.filter(|m| m.url().is_none()).and_then(Manifest::hub) {
            Some(source) => {
                let client = Client::new(config.clone())?;
                place(&pull::pull(&client, source, &mut |event| bars.show(event))?)
            }
            None => {
                let options = ResolveOptions { download: true, config: Some(config.clone()) };
                let resolved = hub::resolve_with(model, &options, &registry, &mut |event| bars.show(event))?;
                if resolved.kind == ModelKind::Embedded {
                    crate::error::say!("{model}: is built into the program; there is nothing to download");
                    continue;
                }
                resolved.path
            }
        };
        drop(bars);
        writeln!(std::io::stdout(), "{}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a user would open: a GGUF file or the folder.
fn place(snapshot: &pull::Snapshot) -> std::path::PathBuf {
    let gguf = snapshot.weights.extension().is_some_and(|e| e == "gguf");
    if gguf { snapshot.weights.clone() } else { snapshot.folder.clone() }
}

fn path(args: OneModel) -> anyhow::Result<ExitCode> {
    let model = hub::resolve(&args.model, &ResolveOptions::default())?;
    for note in &model.notes {
        crate::error::say!("{note}");
    }
    if model.kind == ModelKind::Embedded {
        bail!("{}: is built into the program and has no path; `anubad model inspect` shows what it is", model.id);
    }
    writeln!(std::io::stdout(), "{}", model.path.display())?;
    Ok(ExitCode::SUCCESS)
}

/// The Hub source of a model by id or repository.
fn source_of(model: &str, registry: &Registry, config: &HubConfig) -> anyhow::Result<HubSource> {
    if let Some(manifest) = registry.find(model).or_else(|| registry.find_repo(model)) {
        return manifest.hub().cloned().with_context(|| format!("{model}: does not come from the Hub"));
    }
    if model.split('/').count() == 2 {
        return Ok(pull::cached_source(config, model, "main", None));
    }
    bail!("{model}: no model of that name; `anubad model list` shows all")
}

fn verify_models(args: VerifyArgs) -> anyhow::Result<ExitCode> {
    let config = HubConfig::from_env();
    let registry = Registry::load()?;
    let asked = |manifest: &Manifest| {
        let named = |model: &String| registry.find(model).is_some_and(|m| m.id == manifest.id);
        args.models.is_empty() || args.models.iter().any(named)
    };
    let from_servers: Vec<(String, std::path::PathBuf, UrlSource)> = registry
        .entries()
        .iter()
        .map(|entry| &entry.manifest)
        .filter(|manifest| asked(manifest))
        .filter_map(|m| Some((m.id.clone(), url::find(&config, m)?, m.url()?.clone())))
        .collect();
    let elsewhere = |model: &&String| {
        let id = registry.find(model).map(|manifest| &manifest.id);
        id.is_none_or(|id| from_servers.iter().all(|(found, ..)| found != id))
    };
    let sources: Vec<HubSource> = if args.models.is_empty() {
        let known = registry.entries().iter().filter_map(|e| e.manifest.hub()).cloned();
        known.filter(|source| pull::find_cached(&config, source).is_some()).collect()
    } else {
        let named = args.models.iter().filter(elsewhere);
        named.map(|model| source_of(model, &registry, &config)).collect::<anyhow::Result<_>>()?
    };
    let mut out = std::io::stdout().lock();
    let (mut wrong, mut report) = (0, Vec::new());
    for (manifest, folder, source) in from_servers {
        for (file, verdict) in url::verify(&folder, &source)? {
            let text = match &verdict {
                Some((_, true)) => "sound".to_owned(),
                Some((is, false)) => format!("WRONG: hashes to {is}"),
                None => "its digest was checked when it came packed".to_owned(),
            };
            wrong += usize::from(matches!(verdict, Some((_, false))));
            if args.json {
                report.push(json!({ "model": manifest, "file": file, "verdict": text }));
            } else {
                writeln!(out, "{manifest}/{file}: {text}")?;
            }
        }
    }
    for source in &sources {
        let snapshot = pull::find_cached(&config, source)
            .with_context(|| format!("{}: not downloaded, or not whole; run `anubad model pull` again", source.repo))?;
        for file in verify(&config, source, &snapshot.commit)? {
            let text = match &file.verdict {
                Verdict::Sound => "sound".to_owned(),
                Verdict::Unknown => "no digest known".to_owned(),
                Verdict::Wrong { is, should_be } => format!("WRONG: hashes to {is}, should be {should_be}"),
            };
            wrong += usize::from(matches!(file.verdict, Verdict::Wrong { .. }));
            if args.json {
                report.push(json!({ "repo": source.repo, "file": file.name, "verdict": text }));
            } else {
                writeln!(out, "{}/{}: {text}", source.repo, file.name)?;
            }
        }
    }
    if args.json {
        writeln!(out, "{:#}", json!({ "version": 1, "files": report, "wrong": wrong }))?;
    }
    if wrong > 0 {
        crate::error::say!("{wrong} damaged: remove the model with `anubad model rm` and pull it again");
        return Ok(ExitCode::from(super::exit::FAILED));
    }
    Ok(ExitCode::SUCCESS)
}

fn remove(args: RmArgs) -> anyhow::Result<ExitCode> {
    let config = HubConfig::from_env();
    let registry = Registry::load()?;
    for model in &args.models {
        let manifest = registry.find(model);
        if manifest.is_some_and(|m| m.sources == [Source::Embedded]) {
            bail!("{model}: is built into the program and cannot be removed");
        }
        if let Some(folder) = manifest.and_then(|m| url::find(&config, m)) {
            let sizes = std::fs::read_dir(&folder)?.filter_map(|entry| entry.ok()?.metadata().ok());
            let freed = sizes.map(|metadata| metadata.len()).sum();
            std::fs::remove_dir_all(&folder).with_context(|| folder.display().to_string())?;
            crate::error::say!("{model}: removed, {} freed", human(freed));
            continue;
        }
        let cache = RepoCache::new(&config.cache, &source_of(model, &registry, &config)?.repo);
        if !cache.folder().exists() {
            bail!("{model}: is not in the cache ({})", config.cache.display());
        }
        let freed = cache.remove()?;
        crate::error::say!("{model}: removed, {} freed", human(freed));
    }
    Ok(ExitCode::SUCCESS)
}
