//! Options that several commands share: which model, where it runs, how it decodes.
use crate::assembly::choice::{AUTO, Choice, better_than_built_in, choose, is_installed};
use crate::assembly::{Model, ModelOptions};
use crate::check::Glossary;
use crate::decode::DecodeOptions;
use crate::engine::{EngineOptions, Terms, Translator};
use crate::error::{ModelError, SettingsError};
use crate::hub::HubConfig;
use crate::hub::resolve::{ResolveOptions, resolve};
use crate::manifest::{DEFAULT_MODEL, Registry};
use crate::model::layers::Compute;
use crate::pipeline::Quality;
use crate::{Error, Result};
use candle_core::Device;
use std::io::IsTerminal;
use std::sync::Arc;

/// Which model, and how it runs.
#[derive(Debug, Clone, clap::Args)]
pub struct ModelArgs {
    /// Model: an id of `anubad model list`, a folder in Hub layout, or a .gguf file; auto is the best one installed, by
    /// published quality [default: `model` in config.toml, else auto]
    #[arg(long, short, env = "ANUBAD_MODEL", value_name = "ID|DIR|FILE|auto")]
    pub model: Option<String>,
    /// Download the model first if it is not there (otherwise the network is never touched)
    #[arg(long)]
    pub download: bool,
    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, default_value = "auto", value_name = "DEVICE")]
    pub device: String,
    /// Arithmetic: int8 (fast), bf16 (half of f32's memory) or f32 (the reference)
    #[arg(long, default_value = "int8", value_name = "int8|bf16|f32")]
    pub compute: String,
    /// Threads in all [default: one a core]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// Workers that share the threads, each with a batch of its own [default: one a thread]
    #[arg(long, value_name = "N")]
    pub workers: Option<usize>,
    /// Hypotheses kept while searching; 1 is greedy [default: by the quality, or the model's own]
    #[arg(long, value_name = "N")]
    pub beam: Option<usize>,
    /// Draw N samples of each sentence and take the one most like the others (minimum Bayes risk with chrF) instead of
    /// searching. Costs about N times as much as greedy; README says what the built-in model gains by it
    #[arg(long, value_name = "N", conflicts_with = "beam")]
    pub mbr: Option<usize>,
    /// Exponent of the length that scores are divided by
    #[arg(long, value_name = "X")]
    pub length_penalty: Option<f32>,
    /// Never repeat a run of so many tokens (0: off)
    #[arg(long, value_name = "N")]
    pub no_repeat_ngram: Option<usize>,
    /// Let the model generate any piece of its vocabulary, not only what English needs
    #[arg(long)]
    pub whole_vocabulary: bool,
}

/// A model and a translator on it.
pub struct Loaded {
    pub model: Model,
    pub translator: Translator,
}

impl Loaded {
    /// Says on standard error, once the translation is there, which model was taken and why (`verbose`), and, to a person
    /// at a terminal, what a better one than the built-in costs.
    pub fn say_which(&self, verbose: bool) {
        let id = &self.model.identity.id;
        if let Some(why) = self.model.chosen.as_ref().filter(|_| verbose) {
            crate::error::say!("anubad: model {id}: {why}");
        }
        if id == DEFAULT_MODEL && std::io::stderr().is_terminal() && self.model.chosen.is_some() {
            let Ok(registry) = Registry::load() else { return };
            if let Some(better) = better_than_built_in(&registry, memory_mb()) {
                let size = better.smallest().map(|mb| format!(" ({mb} MB)")).unwrap_or_default();
                crate::error::say!(
                    "anubad: the built-in model gives the gist; for a better translation: anubad model pull {}{size}",
                    better.id
                );
            }
        }
    }
}

/// The translator with the glossary in its prompt, where it has one and the model has a place for it.
pub fn told(translator: Translator, glossary: Option<&Arc<Glossary>>) -> Translator {
    let Some(glossary) = glossary.cloned() else { return translator };
    translator.with_terms(Terms { name: glossary.name(), find: Arc::new(move |text| glossary.found_in(text)) })
}

/// The features that are compiled in. A build without the weights at hand carries none, whatever it was asked for.
pub fn features() -> Vec<&'static str> {
    let features = [
        ("embedded-model", cfg!(anubad_weights)),
        ("server", cfg!(feature = "server")),
        ("cuda", cfg!(feature = "cuda")),
        ("metal", cfg!(feature = "metal")),
        ("accelerate", cfg!(feature = "accelerate")),
        ("mkl", cfg!(feature = "mkl")),
    ];
    features.into_iter().filter(|feature| feature.1).map(|feature| feature.0).collect()
}

/// Megabytes of memory that this machine has.
pub fn memory_mb() -> Option<u64> {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    Some(system.total_memory() / 1_000_000).filter(|mb| *mb > 0)
}

/// What `auto` stands for on this machine.
pub fn best_installed(registry: &Registry, config: &HubConfig) -> Choice {
    choose(registry, memory_mb(), &|manifest| is_installed(config, manifest))
}

impl ModelArgs {
    /// Finds, opens and readies the model. Notes for the user go to stderr unless `quiet`.
    pub fn load(&self, quality: Option<Quality>, quiet: bool) -> Result<Loaded> {
        let model = self.open(quiet)?;
        let translator = model.translator(self.decode_options(&model, quality)?, self.engine_options()?)?;
        Ok(Loaded { model, translator })
    }

    /// Finds and opens the model.
    pub fn open(&self, quiet: bool) -> Result<Model> {
        let choice = self.choice()?;
        let resolved = resolve(&choice.id, &ResolveOptions { download: self.download, config: None })?;
        if !quiet {
            resolved.notes.iter().for_each(|note| crate::error::say!("anubad: {note}"));
        }
        let threads = self
            .threads
            .or(self.workers)
            .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        super::limits::check(super::limits::weights(&resolved.path), threads.min(1024))
            .map_err(|e| Error::Model(ModelError::damaged(e.to_string())))?;
        let mut model = Model::open(&resolved, &self.model_options()?)?;
        model.chosen = Some(choice.why).filter(|why| !why.is_empty());
        Ok(model)
    }

    /// The model that is meant, and why, where the user left that open.
    fn choice(&self) -> Result<Choice> {
        match &self.model {
            Some(id) if id != AUTO => Ok(Choice { id: id.clone(), why: String::new() }),
            _ => Ok(best_installed(&Registry::load()?, &HubConfig::from_env())),
        }
    }

    fn model_options(&self) -> Result<ModelOptions> {
        let compute = match self.compute.as_str() {
            "int8" => Compute::Int8,
            "bf16" => Compute::Bf16,
            "f32" => Compute::F32,
            other => {
                return Err(Error::Settings(SettingsError::Conflict(format!(
                    "--compute {other}: use int8, bf16 or f32"
                ))));
            }
        };
        Ok(ModelOptions { device: device(&self.device)?, compute, whole_vocabulary: self.whole_vocabulary })
    }

    /// The model's defaults with the search of a quality and what was given on the command line, which comes first.
    pub fn decode_options(&self, model: &Model, quality: Option<Quality>) -> Result<DecodeOptions> {
        let mut options = model.decode.clone();
        if let Some(quality) = quality {
            quality.search(&mut options);
        }
        if let Some(beams) = self.beam {
            if beams == 0 || beams > 64 {
                return Err(Error::Settings(SettingsError::Range(format!("--beam {beams}: use 1 (greedy) to 64"))));
            }
            options.beams = beams;
        }
        if let Some(samples) = self.mbr {
            if !(2..=64).contains(&samples) {
                return Err(Error::Settings(SettingsError::Range(format!("--mbr {samples}: use 2 to 64 samples"))));
            }
            options.minimum_bayes_risk(samples);
        }
        options.length_penalty = self.length_penalty.unwrap_or(options.length_penalty);
        options.no_repeat_ngram = self.no_repeat_ngram.unwrap_or(options.no_repeat_ngram);
        Ok(options)
    }

    /// Workers and threads.
    pub fn engine_options(&self) -> Result<EngineOptions> {
        EngineOptions::for_machine(self.threads, self.workers)
    }
}

/// The device that a name stands for.
///
/// # Errors
/// A name that is none, or a device that this build or machine does not have; the text says which and what to do.
pub fn device(name: &str) -> Result<Device> {
    let missing = |what: &str, feature: &str| {
        Error::Settings(SettingsError::Conflict(format!(
            "--device {name}: {what}; build with `cargo build --release --features {feature}` on a machine that has one, or use --device cpu"
        )))
    };
    match name {
        "cpu" => Ok(Device::Cpu),
        "auto" => Ok(match () {
            () if candle_core::utils::cuda_is_available() => Device::new_cuda(0)?,
            () if candle_core::utils::metal_is_available() => Device::new_metal(0)?,
            () => Device::Cpu,
        }),
        "metal" if !candle_core::utils::metal_is_available() => Err(missing("this build has no Metal", "metal")),
        "metal" => Device::new_metal(0).map_err(|e| missing(&format!("Metal does not start ({e})"), "metal")),
        _ => {
            let index = match name.strip_prefix("cuda") {
                Some("") => Some(0),
                Some(rest) => rest.strip_prefix(':').and_then(|n| n.parse::<usize>().ok()),
                None => None,
            };
            let Some(index) = index else {
                return Err(Error::Settings(SettingsError::Conflict(format!(
                    "--device {name}: use auto, cpu, cuda, cuda:N or metal"
                ))));
            };
            if !candle_core::utils::cuda_is_available() {
                return Err(missing("this build has no CUDA", "cuda"));
            }
            Device::new_cuda(index).map_err(|e| missing(&format!("CUDA does not start ({e})"), "cuda"))
        }
    }
}

/// The most memory that this process has used, in MB (Linux; elsewhere what it uses now).
pub fn peak_memory_mb() -> Option<f64> {
    if let Ok(status) = std::fs::read_to_string("/proc/self/status") {
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        return line.trim().strip_suffix(" kB")?.trim().parse::<f64>().ok().map(|kb| kb / 1024.0);
    }
    let pid = sysinfo::get_current_pid().ok()?;
    let mut system = sysinfo::System::new();
    system.refresh_processes(sysinfo::ProcessesToUpdate::Some(&[pid]), true);
    system.process(pid).map(|p| p.memory() as f64 / (1024.0 * 1024.0))
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn devices_and_their_errors() {
        assert!(device("cpu").unwrap().is_cpu());
        let text = |name| device(name).unwrap_err().to_string();
        assert!(text("gpu").contains("use auto, cpu, cuda"));
        assert!(text("cuda:x").contains("use auto, cpu, cuda"));
        if !candle_core::utils::cuda_is_available() {
            assert!(text("cuda:1").contains("no CUDA") && text("cuda").contains("--device cpu"));
        }
        if !candle_core::utils::metal_is_available() {
            assert!(text("metal").contains("--features metal"));
        }
    }
}
