//! `anubad model inspect`: the manifest, and what the files themselves say.
use crate::assembly::embedded;
use crate::hub::pull::human;
use crate::hub::{HubConfig, ModelKind, ResolveOptions, ResolvedModel, resolve_with};
use crate::manifest::{Manifest, Registry};
use crate::model::encoder_decoder::marian_native::{MarianFiles, holds_marian};
use crate::model::weights::gguf::{Gguf, Value as GgufValue};
use crate::model::weights::marian::MarianFile;
use crate::model::weights::{Checkpoint, Encoding, TensorSource};
use anyhow::Context;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

/// What the weights hold.
#[derive(Debug, Default)]
struct Weights {
    metadata: Map<String, Value>,
    /// (name, shape outermost first, type)
    tensors: Vec<(String, Vec<usize>, String)>,
}

/// Runs the command.
pub fn run(model: &str, tensors: bool, as_json: bool) -> anyhow::Result<ExitCode> {
    let registry = Registry::load()?;
    let options = ResolveOptions { download: false, config: Some(HubConfig::from_env()) };
    let resolved = match resolve_with(model, &options, &registry, &mut |_| {}) {
        Ok(resolved) => Some(resolved),
        // A model that is not downloaded can still be described.
        Err(_) if registry.find(model).or_else(|| registry.find_repo(model)).is_some() => None,
        Err(error) => return Err(error.into()),
    };
    let manifest = match &resolved {
        Some(resolved) => resolved.manifest.as_ref(),
        None => registry.find(model).or_else(|| registry.find_repo(model)),
    };
    let weights = resolved.as_ref().map(read_weights).transpose()?.unwrap_or_default();
    let mut out = std::io::stdout().lock();
    if as_json {
        writeln!(out, "{:#}", as_value(manifest, resolved.as_ref(), &weights, tensors))?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(manifest) = manifest {
        print_manifest(&mut out, manifest)?;
    }
    match &resolved {
        Some(resolved) => print_files(&mut out, resolved, &weights, tensors)?,
        None => writeln!(out, "files         not downloaded; `anubad model pull {model}`")?,
    }
    Ok(ExitCode::SUCCESS)
}

fn read_weights(model: &ResolvedModel) -> anyhow::Result<Weights> {
    match model.kind {
        ModelKind::Embedded => read_gguf(&embedded::open()?),
        ModelKind::Gguf => read_gguf(&Gguf::open(&model.path)?),
        ModelKind::Folder => read_folder(&model.path),
    }
}

fn read_gguf(gguf: &Gguf) -> anyhow::Result<Weights> {
    let metadata =
        gguf.keys().into_iter().filter_map(|key| Some((key.to_owned(), gguf_value(gguf.get(key)?)))).collect();
    Ok(Weights { metadata, tensors: tensors(gguf)? })
}

/// Scalars and short lists as they are, long lists by their length.
fn gguf_value(value: &GgufValue) -> Value {
    fn list<T: serde::Serialize>(values: &[T]) -> Value {
        if values.len() <= 8 { json!(values) } else { json!(format!("{} values", values.len())) }
    }
    match value {
        GgufValue::U64(v) => json!(v),
        GgufValue::I64(v) => json!(v),
        GgufValue::F64(v) => json!(v),
        GgufValue::Bool(v) => json!(v),
        GgufValue::Text(v) => json!(v),
        GgufValue::Integers(v) => list(v),
        GgufValue::Floats(v) => list(v),
        GgufValue::Bools(v) => list(v),
        GgufValue::Texts(v) => list(v),
    }
}

/// What `special:model.yml` says, and the tensors as they are declared.
fn read_marian(folder: &Path) -> anyhow::Result<Weights> {
    let file = MarianFile::open(&MarianFiles::find(folder)?.model)?;
    let lines = file.config()?.lines().filter_map(|line| line.split_once(": "));
    let metadata = lines.map(|(key, value)| (key.trim().to_owned(), json!(value.trim()))).collect();
    let tensors = file.declared().map(|(name, shape, kind)| (name.to_owned(), shape.to_vec(), format!("{kind:?}")));
    Ok(Weights { metadata, tensors: tensors.collect() })
}

fn read_folder(folder: &Path) -> anyhow::Result<Weights> {
    if holds_marian(folder) {
        return read_marian(folder);
    }
    let config = folder.join("config.json");
    let text = std::fs::read_to_string(&config).with_context(|| config.display().to_string())?;
    let parsed: Value = serde_json::from_str(&text).with_context(|| config.display().to_string())?;
    let metadata = match parsed {
        Value::Object(map) => map.into_iter().filter(|(_, v)| !v.is_object()).collect(),
        _ => Map::new(),
    };
    Ok(Weights { metadata, tensors: tensors(&Checkpoint::open(folder)?)? })
}

fn tensors(source: &dyn TensorSource) -> crate::Result<Vec<(String, Vec<usize>, String)>> {
    let mut tensors = Vec::new();
    for name in source.names() {
        if let Some(view) = source.find(&name)? {
            let kind = match view.encoding {
                Encoding::Ggml(dtype) => format!("{dtype:?}"),
                other => format!("{other:?}"),
            };
            tensors.push((name, view.shape, kind));
        }
    }
    Ok(tensors)
}

impl Weights {
    fn parameters(&self) -> usize {
        self.tensors.iter().map(|(_, shape, _)| shape.iter().product::<usize>()).sum()
    }

    /// Type → (tensors, parameters).
    fn types(&self) -> BTreeMap<&str, (usize, usize)> {
        let mut types = BTreeMap::new();
        for (_, shape, kind) in &self.tensors {
            let entry: &mut (usize, usize) = types.entry(kind.as_str()).or_default();
            *entry = (entry.0 + 1, entry.1 + shape.iter().product::<usize>());
        }
        types
    }
}

fn print_manifest(out: &mut impl Write, manifest: &Manifest) -> std::io::Result<()> {
    writeln!(out, "{} ({})", manifest.id, manifest.name)?;
    writeln!(out, "task          {}", manifest.task)?;
    writeln!(out, "architecture  {}", manifest.architecture)?;
    writeln!(out, "license       {}: {}", manifest.license.spdx, manifest.license.summary)?;
    let codes = |map: &BTreeMap<String, String>| {
        let one = |(language, code): (&String, &String)| {
            if code.is_empty() { language.clone() } else { format!("{language} ({code})") }
        };
        map.iter().map(one).collect::<Vec<_>>().join(", ")
    };
    writeln!(out, "languages     {} → {}", codes(&manifest.languages.source), codes(&manifest.languages.target))?;
    if let Some(source) = manifest.hub() {
        writeln!(out, "hub           {} at {}", source.repo, source.revision)?;
    }
    if let Some(tokens) = manifest.limits.input_tokens {
        writeln!(out, "input limit   {tokens} tokens; longer text is split, never cut")?;
    }
    let memory: Vec<String> =
        manifest.memory.iter().map(|(k, mb)| format!("{k} {}", human(u64::from(*mb) * 1_000_000))).collect();
    writeln!(out, "memory        {}", memory.join(", "))?;
    for quality in &manifest.quality {
        writeln!(out, "quality       {} {} on {} ({})", quality.metric, quality.value, quality.set, quality.source)?;
    }
    if let Some(notes) = &manifest.notes {
        writeln!(out, "notes         {}", notes.trim())?;
    }
    Ok(())
}

fn print_files(out: &mut impl Write, model: &ResolvedModel, weights: &Weights, tensors: bool) -> std::io::Result<()> {
    match model.kind {
        ModelKind::Embedded => writeln!(out, "files         inside the program")?,
        _ => writeln!(out, "files         {}", model.path.display())?,
    }
    if let Some(revision) = &model.revision {
        writeln!(out, "revision      {revision}")?;
    }
    for note in &model.notes {
        writeln!(out, "note          {note}")?;
    }
    writeln!(
        out,
        "tensors       {}, {:.1} million parameters",
        weights.tensors.len(),
        weights.parameters() as f64 / 1e6
    )?;
    for (kind, (count, parameters)) in weights.types() {
        writeln!(out, "              {kind}: {count} tensors, {:.1} million parameters", parameters as f64 / 1e6)?;
    }
    for (key, value) in &weights.metadata {
        writeln!(out, "{key} = {}", shorten(&value.to_string()))?;
    }
    if tensors {
        for (name, shape, kind) in &weights.tensors {
            writeln!(out, "{name} {shape:?} {kind}")?;
        }
    }
    Ok(())
}

fn shorten(text: &str) -> String {
    let mut chars = text.chars();
    let start: String = chars.by_ref().take(100).collect();
    if chars.next().is_some() { format!("{start}…") } else { start }
}

fn as_value(manifest: Option<&Manifest>, model: Option<&ResolvedModel>, weights: &Weights, tensors: bool) -> Value {
    let types: Map<String, Value> = weights
        .types()
        .into_iter()
        .map(|(kind, (count, parameters))| (kind.to_owned(), json!({ "tensors": count, "parameters": parameters })))
        .collect();
    let mut value = json!({
        "version": 1,
        "manifest": manifest,
        "files": model.map(|m| json!({
            "kind": m.kind.name(),
            "path": m.path,
            "revision": m.revision,
            "notes": m.notes,
        })),
        "parameters": weights.parameters(),
        "types": types,
        "metadata": weights.metadata,
    });
    if tensors {
        let list =
            weights.tensors.iter().map(|(name, shape, kind)| json!({ "name": name, "shape": shape, "type": kind }));
        value["tensors"] = list.collect();
    }
    value
}
