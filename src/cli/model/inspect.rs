//! `anubad model inspect`: the manifest, and what the files themselves say.
use crate::hub::manifest::Manifest;
use crate::hub::pull::human;
use crate::hub::{HubConfig, ModelKind, Registry, ResolveOptions, ResolvedModel, resolve_with};
use anyhow::Context;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{Read, Write};
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
        ModelKind::Embedded => Ok(Weights::default()),
        ModelKind::Gguf => read_gguf(&model.path),
        ModelKind::Folder => read_folder(&model.path),
    }
}

fn read_gguf(path: &Path) -> anyhow::Result<Weights> {
    let mut weights = Weights::default();
    for shard in shards(path) {
        let mut file =
            std::io::BufReader::new(std::fs::File::open(&shard).with_context(|| shard.display().to_string())?);
        let content = candle_core::quantized::gguf_file::Content::read(&mut file)
            .with_context(|| format!("{}: not a GGUF file, or a damaged one", shard.display()))?;
        for (key, value) in &content.metadata {
            weights.metadata.entry(key.clone()).or_insert_with(|| gguf_value(value));
        }
        for (name, info) in &content.tensor_infos {
            let shape = info.shape.dims().to_vec();
            weights.tensors.push((name.clone(), shape, format!("{:?}", info.ggml_dtype)));
        }
    }
    weights.tensors.sort();
    weights.metadata.sort_keys();
    Ok(weights)
}

/// All files of a split, or the one.
fn shards(path: &Path) -> Vec<std::path::PathBuf> {
    let names = crate::hub::pull::split_names(path);
    if names.is_empty() { vec![path.to_path_buf()] } else { names.iter().map(|n| path.with_file_name(n)).collect() }
}

/// Scalars and short arrays as they are, long arrays by their length.
fn gguf_value(value: &candle_core::quantized::gguf_file::Value) -> Value {
    use candle_core::quantized::gguf_file::Value::*;
    match value {
        U8(v) => json!(v),
        I8(v) => json!(v),
        U16(v) => json!(v),
        I16(v) => json!(v),
        U32(v) => json!(v),
        I32(v) => json!(v),
        U64(v) => json!(v),
        I64(v) => json!(v),
        F32(v) => json!(v),
        F64(v) => json!(v),
        Bool(v) => json!(v),
        String(v) => json!(v),
        Array(values) if values.len() <= 8 => Value::Array(values.iter().map(gguf_value).collect()),
        Array(values) => json!(format!("{} values", values.len())),
    }
}

fn read_folder(folder: &Path) -> anyhow::Result<Weights> {
    let mut weights = Weights::default();
    let config = folder.join("config.json");
    let text = std::fs::read_to_string(&config).with_context(|| config.display().to_string())?;
    let parsed: Value = serde_json::from_str(&text).with_context(|| config.display().to_string())?;
    if let Value::Object(map) = parsed {
        weights.metadata = map.into_iter().filter(|(_, v)| !v.is_object()).collect();
    }
    let mut names: Vec<_> = std::fs::read_dir(folder)?.filter_map(|e| e.ok().map(|e| e.path())).collect();
    names.sort();
    for path in names.iter().filter(|p| p.extension().is_some_and(|e| e == "safetensors")) {
        read_safetensors(path, &mut weights)?;
    }
    weights.tensors.sort();
    Ok(weights)
}

/// The header of a safetensors file: its length (8 bytes, little-endian), then JSON. The tensors are not read.
fn read_safetensors(path: &Path, weights: &mut Weights) -> anyhow::Result<()> {
    let damaged = || format!("{}: not a safetensors file, or a damaged one; download it again", path.display());
    let mut file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let mut length = [0; 8];
    file.read_exact(&mut length).with_context(damaged)?;
    let length = u64::from_le_bytes(length);
    anyhow::ensure!(length <= file.metadata()?.len().min(100 << 20), damaged());
    let mut header = Vec::new();
    file.take(length).read_to_end(&mut header).with_context(damaged)?;
    let header: safetensors::tensor::Metadata = serde_json::from_slice(&header).with_context(damaged)?;
    for (name, info) in header.tensors() {
        weights.tensors.push((name, info.shape.clone(), format!("{:?}", info.dtype)));
    }
    Ok(())
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
    writeln!(out, "licence       {}: {}", manifest.licence.spdx, manifest.licence.summary)?;
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
    if let Some(source) = manifest.pypi() {
        writeln!(out, "pypi          {} {}", source.package, source.version)?;
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
    if model.kind == ModelKind::Embedded {
        return writeln!(out, "files         inside the program");
    }
    writeln!(out, "files         {}", model.path.display())?;
    if let Some(revision) = &model.revision {
        writeln!(out, "revision      {revision}")?;
    }
    for note in &model.notes {
        writeln!(out, "note          {note}")?;
    }
    if weights.tensors.is_empty() {
        writeln!(out, "tensors       in a pickle; `anubad model quantize` or a translation reads it")?;
    } else {
        writeln!(
            out,
            "tensors       {}, {:.1} million parameters",
            weights.tensors.len(),
            weights.parameters() as f64 / 1e6
        )?;
        for (kind, (count, parameters)) in weights.types() {
            writeln!(out, "              {kind}: {count} tensors, {:.1} million parameters", parameters as f64 / 1e6)?;
        }
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
            "kind": format!("{:?}", m.kind).to_lowercase(),
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
