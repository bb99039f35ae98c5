//! `anubad doctor`: in ten lines what this installation is, what it finds here, and what would be faster.
use super::common::{best_installed, features, memory_mb};
use super::config::Config;
use super::exit;
use crate::assembly::choice::is_installed;
use crate::assembly::embedded::{self, Place};
use crate::fetch::OFFLINE;
use crate::hub::pull::human;
use crate::hub::{HubConfig, ModelKind, ResolveOptions, resolve};
use crate::kernels::Level;
use crate::manifest::{DEFAULT_MODEL, Registry, user_folder};
use clap::Args;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Say in ten lines what is installed, what is found on this machine, and what would be faster
///
/// Exits with 1 where something is broken: a setting that cannot be read, kernels that cannot be had, a model that is not there.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Findings {
    version: &'static str,
    features: Vec<&'static str>,
    kernels: Kernels,
    memory: Memory,
    model: Model,
    models: Vec<Installed>,
    /// How many models are known, here or not.
    models_known: usize,
    caches: Vec<Cache>,
    network: Network,
    config: ConfigFile,
    /// Where manifests of one's own are looked for, and how many lie there.
    manifests: Option<(PathBuf, usize)>,
    /// What would make it faster.
    faster: Vec<String>,
    /// What is broken.
    faults: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Kernels {
    used: &'static str,
    available: Vec<&'static str>,
    /// Cores that this process may use, and those of the machine.
    cores: usize,
    cores_of_machine: usize,
}

#[derive(Debug, Serialize)]
struct Memory {
    total_mb: Option<u64>,
    free_mb: Option<u64>,
}

/// The model that is taken where a command names none.
#[derive(Debug, Serialize)]
struct Model {
    id: String,
    why: String,
    /// Where its weights are; `None`: inside the program, or nowhere.
    path: Option<PathBuf>,
    inside: bool,
}

#[derive(Debug, Serialize)]
struct Installed {
    id: String,
    state: &'static str,
}

#[derive(Debug, Serialize)]
struct Cache {
    what: &'static str,
    path: PathBuf,
    bytes: u64,
}

#[derive(Debug, Serialize)]
struct Network {
    /// Pages and feeds whose addresses are named are not fetched.
    pages_forbidden: bool,
    /// Models are not downloaded, even when asked to.
    hub_forbidden: bool,
    endpoint: String,
    token: bool,
    proxy: bool,
}

#[derive(Debug, Serialize)]
struct ConfigFile {
    path: Option<PathBuf>,
    read: bool,
}

/// Runs the command.
pub(super) fn run(args: &DoctorArgs, config: &Config) -> anyhow::Result<ExitCode> {
    let found = examine(config);
    let mut out = std::io::stdout().lock();
    if args.json {
        let mut value = serde_json::to_value(&found)?;
        value["schema"] = 1.into();
        writeln!(out, "{value:#}")?;
    } else {
        let lines = lines(&found);
        lines.iter().try_for_each(|(name, text)| writeln!(out, "{name:<10}{}", crate::error::shown(text)))?;
    }
    Ok(ExitCode::from(if found.faults.is_empty() { 0 } else { exit::FAILED }))
}

fn examine(config: &Config) -> Findings {
    let hub = HubConfig::from_env();
    let mut faults: Vec<String> = config.fault().map(str::to_owned).into_iter().collect();
    faults.extend(Level::from_environment().err().map(|e| crate::Error::from(e).to_string()));
    let registry = Registry::load().or_else(|error| {
        faults.push(error.to_string());
        Registry::built_in()
    });
    let registry = registry.unwrap_or_default();
    let model = model(config, &registry, &hub, &mut faults);
    let here = registry.entries().iter().map(|entry| &entry.manifest).filter(|m| is_installed(&hub, m));
    let models =
        here.map(|m| Installed { id: m.id.clone(), state: if m.embedded() { "built in" } else { "downloaded" } });
    let mut found = Findings {
        version: env!("CARGO_PKG_VERSION"),
        features: features(),
        kernels: kernels(),
        memory: Memory { total_mb: memory_mb(), free_mb: free_mb() },
        models: models.collect(),
        models_known: registry.entries().len(),
        caches: caches(&hub),
        network: network(&hub),
        config: ConfigFile { path: super::config::path(), read: config.is_read() },
        manifests: user_folder().map(|folder| {
            let count = manifests_in(&folder);
            (folder, count)
        }),
        model,
        faster: Vec::new(),
        faults,
    };
    found.faster = faster(&found, Path::new("/proc/driver/nvidia").exists());
    found
}

fn kernels() -> Kernels {
    Kernels {
        used: Level::detect().name(),
        available: Level::all().map(Level::name).collect(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        cores_of_machine: {
            let mut system = sysinfo::System::new();
            system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
            system.cpus().len()
        },
    }
}

fn free_mb() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    Some(system.available_memory() / 1_000_000).filter(|mb| *mb > 0)
}

/// The model that the environment or the settings name, else the best one here; what is wrong with it is a fault.
fn model(config: &Config, registry: &Registry, hub: &HubConfig, faults: &mut Vec<String>) -> Model {
    let named = std::env::var("ANUBAD_MODEL").ok().map(|id| (id, "as ANUBAD_MODEL says"));
    let named = named.or_else(|| config.get("translate", "model").map(|id| (id.to_owned(), "as config.toml says")));
    let (id, why) = match named.filter(|(id, _)| id != crate::assembly::choice::AUTO) {
        Some((id, why)) => (id, why.to_owned()),
        None => {
            let choice = best_installed(registry, hub);
            (choice.id, choice.why)
        }
    };
    let mut model = Model { id, why, path: None, inside: false };
    match resolve(&model.id, &ResolveOptions::default()) {
        Ok(found) if found.kind == ModelKind::Embedded => match embedded::place() {
            Ok(Place::Inside) => model.inside = true,
            Ok(Place::File(path)) => model.path = Some(path),
            Err(error) => faults.push(error.to_string()),
        },
        Ok(found) => model.path = Some(found.path),
        Err(error) => faults.push(error.to_string()),
    }
    model
}

fn caches(hub: &HubConfig) -> Vec<Cache> {
    let own = hub.cache.join(crate::hub::url::FOLDER);
    let (all, of_servers) = (size(&hub.cache), size(&own));
    vec![
        Cache { what: "Hugging Face's, shared with its own tools", bytes: all - of_servers, path: hub.cache.clone() },
        Cache { what: "models from other servers", bytes: of_servers, path: own },
    ]
}

/// Bytes of all files below a folder, links not followed.
fn size(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().filter_map(|entry| entry.ok()?.metadata().ok());
    files.filter(|meta| meta.is_file()).map(|meta| meta.len()).sum()
}

fn network(hub: &HubConfig) -> Network {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    Network {
        pages_forbidden: crate::fetch::FetchOptions::default().offline,
        hub_forbidden: hub.offline,
        endpoint: hub.endpoint.clone(),
        token: hub.token.is_some(),
        proxy: ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().any(set),
    }
}

fn manifests_in(folder: &Path) -> usize {
    let Ok(files) = std::fs::read_dir(folder) else { return 0 };
    files.flatten().filter(|file| file.path().extension().is_some_and(|e| e == "toml")).count()
}

/// What would make it faster here, the most telling first.
fn faster(found: &Findings, nvidia: bool) -> Vec<String> {
    let mut out = Vec::new();
    let kernels = &found.kernels;
    if cfg!(debug_assertions) {
        out.push("this is a debug build: build with --release".into());
    }
    match kernels.available.last() {
        Some(best) if kernels.used != *best => {
            out.push(format!("ANUBAD_KERNELS holds it to {}: unset it for {best}", kernels.used));
        }
        _ if kernels.used == "scalar" => {
            out.push("this processor has no instructions that kernels are written for (AVX2, NEON)".into());
        }
        _ => {}
    }
    if kernels.cores < kernels.cores_of_machine {
        out.push(format!(
            "{} of {} cores may be used: a limit (taskset, cgroup) withholds the rest",
            kernels.cores, kernels.cores_of_machine
        ));
    }
    if nvidia && !found.features.contains(&"cuda") {
        out.push("there is an NVIDIA GPU: a build with --features cuda uses it".into());
    }
    if cfg!(target_os = "macos") && !found.features.iter().any(|f| ["metal", "accelerate"].contains(f)) {
        out.push("a build with --features metal or accelerate uses more of this Mac".into());
    }
    if found.memory.free_mb.is_some_and(|mb| mb < 600) {
        out.push("less than 600 MB of memory are free: end what else is running".into());
    }
    if found.model.id != DEFAULT_MODEL {
        out.push(format!("--model {DEFAULT_MODEL} is smaller, and worse"));
    }
    out.push("--quality standard or draft searches less; many articles at once go through `anubad bulk`".into());
    out
}

/// The findings as names and texts.
fn lines(found: &Findings) -> Vec<(&'static str, String)> {
    let mb = |value: Option<u64>| value.map_or_else(|| "?".into(), |mb| human(mb * 1_000_000));
    let kernels = &found.kernels;
    let model = &found.model;
    let place = match &model.path {
        _ if model.inside => "; its weights are inside the program".to_owned(),
        Some(path) => format!("; {}", path.display()),
        None => String::new(),
    };
    let here: Vec<String> = found.models.iter().map(|m| format!("{} ({})", m.id, m.state)).collect();
    let caches = found.caches.iter().filter(|c| c.bytes > 0 || c.path == found.caches[0].path);
    let caches: Vec<String> =
        caches.map(|c| format!("{}: {} ({})", c.path.display(), human(c.bytes), c.what)).collect();
    vec![
        ("version", format!("anubad {} (features: {})", found.version, found.features.join(", "))),
        (
            "kernels",
            format!(
                "{}, of {}; {} of {} cores",
                kernels.used,
                kernels.available.join(", "),
                kernels.cores,
                kernels.cores_of_machine
            ),
        ),
        ("memory", format!("{}, {} of it free", mb(found.memory.total_mb), mb(found.memory.free_mb))),
        ("model", format!("{}: {}{place}", model.id, model.why)),
        ("models", format!("{} of {} are here: {}", here.len(), found.models_known, here.join(", "))),
        ("cache", caches.join("; ")),
        ("network", policy(&found.network)),
        ("config", settings(found)),
        ("faster", found.faster.join("; ")),
        ("broken", if found.faults.is_empty() { "nothing".into() } else { found.faults.join("; ") }),
    ]
}

fn policy(network: &Network) -> String {
    let pages = if network.pages_forbidden { format!("no pages ({OFFLINE})") } else { "pages that you name".into() };
    let models = match network.hub_forbidden {
        true => "no models (HF_HUB_OFFLINE)".into(),
        false => format!("models by `model pull` and --download, from {}", network.endpoint),
    };
    let token = if network.token { ", with a token" } else { "" };
    let proxy = if network.proxy { ", through a proxy" } else { "" };
    format!("fetches {pages}; {models}{token}{proxy}; nothing else")
}

fn settings(found: &Findings) -> String {
    let file = match &found.config.path {
        None => "no file is read (ANUBAD_CONFIG is empty)".to_owned(),
        Some(path) if found.config.read => path.display().to_string(),
        Some(path) if path.exists() => format!("{} (not usable)", path.display()),
        Some(path) => format!("{} (there is none)", path.display()),
    };
    match &found.manifests {
        Some((folder, count)) if *count > 0 => format!("{file}; {count} manifests in {}", folder.display()),
        _ => file,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Findings {
        examine(&Config::default())
    }

    #[test]
    fn it_is_ten_lines() {
        let lines = lines(&found());
        assert_eq!(lines.len(), 10);
        assert!(
            lines.iter().all(|(name, text)| name.len() < 10 && !text.is_empty() && !text.contains('\n')),
            "{lines:?}"
        );
    }

    #[test]
    fn what_holds_it_back_is_said() {
        let mut found = found();
        found.kernels = Kernels { used: "avx2", available: vec!["scalar", "avx2"], cores: 2, cores_of_machine: 2 };
        found.features = vec!["cuda"];
        let usual = faster(&found, true).len();
        found.features.clear();
        found.kernels.used = "scalar";
        found.kernels.cores_of_machine = 4;
        let all = faster(&found, true);
        assert_eq!(all.len(), usual + 3, "{all:?}");
        assert!(all.iter().any(|line| line.contains("unset it for avx2")), "{all:?}");
        assert!(all.iter().any(|line| line.contains("2 of 4 cores")), "{all:?}");
        assert!(all.iter().any(|line| line.contains("--features cuda")), "{all:?}");
    }

    #[test]
    fn the_network_is_described_as_it_is() {
        let mut network = network(&HubConfig::from_lookup(&|_| None));
        (network.pages_forbidden, network.proxy) = (false, false);
        assert!(policy(&network).contains("pages that you name") && policy(&network).contains(&network.endpoint));
        (network.pages_forbidden, network.hub_forbidden) = (true, true);
        assert!(policy(&network).contains("no pages (ANUBAD_OFFLINE); no models (HF_HUB_OFFLINE)"));
    }
}
