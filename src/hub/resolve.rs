//! From what the user typed to files on disk: path → id → repository, and the exact command where they are missing.
use super::client::Client;
use super::config::HubConfig;
use super::download::Observer;
use super::foreign;
use super::pull::{Snapshot, cached_source, find_cached, guess_source, has_weights, pull, split_names};
use super::sums;
use super::url;
use crate::error::{ModelError, SettingsError};
use crate::manifest::Registry;
use crate::manifest::{HubSource, Manifest, is_safe_file_name};
use crate::model::encoder_decoder::marian_native::holds_marian;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// How a model lies on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelKind {
    /// Inside the program; [`ResolvedModel::path`] is empty.
    Embedded,
    /// A GGUF file, or the first of its shards.
    Gguf,
    /// A folder in Hub layout: config.json, weights, tokenizer.
    Folder,
}

impl ModelKind {
    /// The word for it in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Embedded => "embedded",
            Self::Gguf => "gguf",
            Self::Folder => "folder",
        }
    }
}

/// A model that can be opened.
#[derive(Debug, Clone)]
pub struct ResolvedModel {
    /// Manifest id, repository, or the file's or folder's name.
    pub id: String,
    /// What is known of it beforehand; `None` for files that nobody described.
    pub manifest: Option<Manifest>,
    /// Its file or folder; empty for the embedded one.
    pub path: PathBuf,
    /// What lies there.
    pub kind: ModelKind,
    /// Commit of the Hub repository, when it came from there.
    pub revision: Option<String>,
    /// Things worth a line on stderr.
    pub notes: Vec<String>,
}

/// How far [`resolve`] may go.
#[derive(Debug, Clone, Default)]
pub struct ResolveOptions {
    /// Download what is missing; otherwise the network is never touched.
    pub download: bool,
    /// `None`: from the environment.
    pub config: Option<HubConfig>,
}

/// Finds a model: a GGUF file, a folder, a manifest file, an id of [`Registry`], `org/name`, `org/name@revision`
/// or `org/name:file.gguf`. Errors name the remedy, `anubad model pull …` where that is it.
pub fn resolve(spec: &str, options: &ResolveOptions) -> Result<ResolvedModel> {
    resolve_with(spec, options, &Registry::load()?, &mut |_| {})
}

/// As [`resolve`], with a registry and a listener for the download's progress.
pub fn resolve_with(
    spec: &str,
    options: &ResolveOptions,
    registry: &Registry,
    observer: &mut Observer<'_>,
) -> Result<ResolvedModel> {
    let config = options.config.clone().unwrap_or_else(HubConfig::from_env);
    let path = Path::new(spec);
    if spec.is_empty() {
        return Err(Error::Settings(SettingsError::Conflict(
            "an empty model name; `anubad model list` shows the names".into(),
        )));
    }
    // An id is never mistaken for a folder of that name below the working directory: a path says so with a separator.
    // Nor is the repository of a known model: whoever means a folder of that name writes ./ before it.
    let as_path = (spec.contains(std::path::MAIN_SEPARATOR) || registry.find(spec).is_none())
        && !(parse_repo(spec).is_some() && registry.find_repo(spec).is_some());
    if as_path && path.exists() {
        if path.extension().is_some_and(|e| e == "toml") {
            return from_manifest(Manifest::read(path)?, options.download, &config, observer);
        }
        return open_path(path, registry);
    }
    if let Some(manifest) = registry.find(spec).or_else(|| registry.find_repo(spec)) {
        return from_manifest(manifest.clone(), options.download, &config, observer);
    }
    match parse_repo(spec) {
        Some(repo) => from_repo(&repo, options.download, &config, observer),
        None => Err(unknown(spec, registry)),
    }
}

fn unknown(spec: &str, registry: &Registry) -> Error {
    if spec.ends_with(".gguf") || spec.starts_with(['/', '.', '~']) || spec.contains('\\') {
        return Error::Model(ModelError::damaged(format!("{spec}: no such file or folder; check the path")));
    }
    let guesses = registry.resembling(spec);
    let guess = if guesses.is_empty() { String::new() } else { format!("did you mean {}? ", guesses.join(" or ")) };
    Error::Model(ModelError::damaged(format!("{spec}: no model of that name; {guess}`anubad model list` shows all")))
}

/// A model by its manifest: inside the program, in the cache, or downloaded now.
fn from_manifest(
    manifest: Manifest,
    download: bool,
    config: &HubConfig,
    observer: &mut Observer<'_>,
) -> Result<ResolvedModel> {
    let id = manifest.id.clone();
    if manifest.embedded() {
        let (path, kind) = (PathBuf::new(), ModelKind::Embedded);
        return Ok(ResolvedModel { id, manifest: Some(manifest), path, kind, revision: None, notes: Vec::new() });
    }
    if let Some((source, snapshot)) = manifest.hub().and_then(|source| Some((source, find_cached(config, source)?))) {
        sums::check(config, source, &snapshot.folder)?;
        return Ok(from_snapshot(id, Some(manifest), snapshot));
    }
    let from_url = |id, manifest, path| ResolvedModel {
        id,
        manifest: Some(manifest),
        path,
        kind: ModelKind::Folder,
        revision: None,
        notes: Vec::new(),
    };
    if let Some(path) = url::find(config, &manifest) {
        return Ok(from_url(id, manifest, path));
    }
    if !download {
        return Err(missing(&id));
    }
    let client = Client::new(config.clone())?;
    if let Some(source) = manifest.url() {
        match url::pull(&client, &id, source, observer) {
            Ok(path) => return Ok(from_url(id, manifest, path)),
            // the next source has its try
            Err(error) if manifest.hub().is_none() => return Err(error),
            Err(error) => tracing::warn!("{error}"),
        }
    }
    let source = manifest.hub().ok_or_else(|| missing(&id))?;
    let snapshot = pull(&client, source, observer)?;
    Ok(from_snapshot(id, Some(manifest), snapshot))
}

fn missing(id: &str) -> Error {
    Error::Model(ModelError::damaged(format!(
        "{id}: not on this machine; download it once with `anubad model pull {id}`"
    )))
}

fn from_snapshot(id: String, manifest: Option<Manifest>, snapshot: Snapshot) -> ResolvedModel {
    let gguf = snapshot.weights.extension().is_some_and(|e| e == "gguf");
    let mut notes = Vec::new();
    if snapshot.other_revision
        && let Some(source) = manifest.as_ref().and_then(|m| m.hub())
    {
        notes.push(format!(
            "{id}: the cache holds commit {}, the manifest names {}; `anubad model pull {id}` fetches that one",
            &snapshot.commit[..12],
            &source.revision[..source.revision.len().min(12)]
        ));
    }
    // The model may lie in a folder of its own inside the repository, among those of other languages.
    let own = snapshot.weights.parent().map_or(snapshot.folder.clone(), Path::to_path_buf);
    let (path, kind) = if gguf { (snapshot.weights, ModelKind::Gguf) } else { (own, ModelKind::Folder) };
    ResolvedModel { id, manifest, path, kind, revision: Some(snapshot.commit), notes }
}

/// `org/name`, with a revision or a file.
#[derive(Debug, PartialEq, Eq)]
struct RepoSpec {
    repo: String,
    revision: String,
    file: Option<String>,
}

fn parse_repo(spec: &str) -> Option<RepoSpec> {
    let (rest, file) = match spec.split_once(':') {
        Some((rest, file)) if is_safe_file_name(file) => (rest, Some(file.to_owned())),
        Some(_) => return None,
        None => (spec, None),
    };
    let (repo, revision) = rest.split_once('@').unwrap_or((rest, "main"));
    let plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.starts_with('~');
    let two = repo.split('/').count() == 2 && repo.split('/').all(plain);
    let legal = repo.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'/'));
    (two && legal && is_safe_file_name(revision) && !repo.ends_with(".gguf")).then(|| RepoSpec {
        repo: repo.to_owned(),
        revision: revision.to_owned(),
        file,
    })
}

fn from_repo(
    spec: &RepoSpec,
    download: bool,
    config: &HubConfig,
    observer: &mut Observer<'_>,
) -> Result<ResolvedModel> {
    let RepoSpec { repo, revision, file } = spec;
    let cached: HubSource = cached_source(config, repo, revision, file.as_deref());
    if let Some(snapshot) = find_cached(config, &cached).filter(|s| !s.other_revision) {
        sums::check(config, &cached, &snapshot.folder)?;
        return Ok(from_snapshot(repo.clone(), None, snapshot));
    }
    if !download {
        let file = file.as_ref().map(|f| format!(":{f}")).unwrap_or_default();
        let revision = if revision == "main" { String::new() } else { format!("@{revision}") };
        return Err(missing(&format!("{repo}{revision}{file}")));
    }
    let client = Client::new(config.clone())?;
    let source = guess_source(&client, repo, revision, file.as_deref())?;
    Ok(from_snapshot(repo.clone(), None, pull(&client, &source, observer)?))
}

/// The folder that a file lies in.
fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A file or folder that the user has.
fn open_path(path: &Path, registry: &Registry) -> Result<ResolvedModel> {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_else(|| path.display().to_string());
    let made = |path: PathBuf, kind| {
        let manifest = describe(&path, kind, registry)?;
        let id = manifest.as_ref().map(|m| m.id.clone()).unwrap_or_else(|| name.trim_end_matches(".gguf").to_owned());
        Ok(ResolvedModel { id, manifest, path, kind, revision: None, notes: Vec::new() })
    };
    if path.is_file() {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        return match extension {
            "gguf" => made(first_shard(path)?, ModelKind::Gguf),
            "bin" | "npz" | "gz" | "zst" if holds_marian(folder_of(path)) => {
                made(folder_of(path).to_path_buf(), ModelKind::Folder)
            }
            "safetensors" | "bin" => Err(Error::Model(ModelError::damaged(format!(
                "{}: weights alone say nothing of the network; give the folder that holds them with config.json and the tokenizer",
                path.display()
            )))),
            _ => Err(Error::Model(ModelError::damaged(format!(
                "{}: not a GGUF file, a model's folder or a manifest (.toml)",
                path.display()
            )))),
        };
    }
    if let Some(snapshot) = foreign::snapshot_in(path)? {
        return open_path(&snapshot, registry);
    }
    if !holds_marian(path) {
        foreign::refuse(path)?;
    }
    if path.join("config.json").is_file() || holds_marian(path) {
        return made(path.to_path_buf(), ModelKind::Folder);
    }
    match gguf_files(path).as_slice() {
        [one] => made(first_shard(&path.join(one))?, ModelKind::Gguf),
        [] => Err(Error::Model(ModelError::damaged(format!(
            "{}: neither config.json nor a GGUF file is in this folder; check the path",
            path.display()
        )))),
        many => Err(Error::Model(ModelError::Ambiguous(format!(
            "{}: several models in this folder; name one of {}",
            path.display(),
            many.join(", ")
        )))),
    }
}

/// The first shard of a split, with all others there; the file itself when it is not split.
fn first_shard(path: &Path) -> Result<PathBuf> {
    let names = split_names(path);
    let Some(first) = names.first() else { return Ok(path.to_path_buf()) };
    let folder = path.parent().unwrap_or(Path::new(""));
    if !has_weights(path) {
        let lost = names.iter().find(|name| !folder.join(name).is_file()).unwrap_or(first);
        return Err(Error::Model(ModelError::Missing(format!(
            "{}: its shard {lost} is missing; put all shards into one folder",
            path.display()
        ))));
    }
    Ok(folder.join(first))
}

/// GGUF files of a folder, of each split the first shard only, sorted. Multimodal projectors are no models.
pub(super) fn gguf_files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
    names.retain(|name| {
        let first = split_names(Path::new(name)).first().is_none_or(|first| first == name);
        name.ends_with(".gguf") && !name.contains("mmproj") && first
    });
    names.sort();
    names
}

/// The manifest of files that came without one: `anubad.toml` beside them, or a known model that they are by name.
fn describe(path: &Path, kind: ModelKind, registry: &Registry) -> Result<Option<Manifest>> {
    let folder = if kind == ModelKind::Folder { path } else { path.parent().unwrap_or(Path::new("")) };
    let own = folder.join("anubad.toml");
    if own.is_file() {
        return Manifest::read(&own).map(Some);
    }
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    // Both the name as given (a link's own) and the names on the way to the real file can tell.
    let parts: Vec<String> = path
        .components()
        .chain(real.components())
        .map(|c| c.as_os_str().to_string_lossy().to_ascii_lowercase())
        .collect();
    let file = path.file_name().map(|n| n.to_string_lossy().to_ascii_lowercase()).unwrap_or_default();
    let fits = |manifest: &Manifest| {
        let id = &manifest.id;
        let by_file =
            file.strip_prefix(id.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']));
        let hub = manifest.hub();
        let by_weights =
            kind == ModelKind::Gguf && hub.is_some_and(|h| h.weights.iter().any(|w| w.eq_ignore_ascii_case(&file)));
        let cache_name = hub.map(|h| format!("models--{}", h.repo.replace('/', "--")).to_ascii_lowercase());
        let base_name = hub.and_then(|h| h.repo.rsplit('/').next()).map(str::to_ascii_lowercase);
        let by_folder = kind == ModelKind::Folder && (base_name.as_ref() == Some(&file) || file == *id);
        by_file || by_weights || by_folder || cache_name.is_some_and(|name| parts.contains(&name))
    };
    Ok(registry.entries().iter().map(|e| &e.manifest).filter(|m| fits(m)).max_by_key(|m| m.id.len()).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offline(cache: &Path) -> ResolveOptions {
        let mut config = HubConfig::from_lookup(&|_| None);
        config.cache = cache.to_path_buf();
        config.endpoint = "http://127.0.0.1:9".into(); // nothing listens there: a request would fail the test
        ResolveOptions { download: false, config: Some(config) }
    }

    fn find(spec: &str, cache: &Path) -> Result<ResolvedModel> {
        resolve_with(spec, &offline(cache), &Registry::built_in().unwrap(), &mut |_| {})
    }

    #[test]
    fn a_missing_model_names_the_command() {
        let cache = tempfile::tempdir().unwrap();
        for (spec, command) in [
            ("opus-mt-bn-en", "`anubad model pull opus-mt-bn-en`"),
            ("Helsinki-NLP/opus-mt-bn-en", "`anubad model pull opus-mt-bn-en`"),
            ("some/model", "`anubad model pull some/model`"),
            ("some/model@v2:x.gguf", "`anubad model pull some/model@v2:x.gguf`"),
            ("opus-mt", "did you mean opus-mt-bn-en"),
            ("./nowhere.gguf", "no such file"),
        ] {
            let error = find(spec, cache.path()).unwrap_err().to_string();
            assert!(error.contains(command), "{spec}: {error}");
        }
    }

    #[test]
    fn the_default_is_inside_the_program() {
        let cache = tempfile::tempdir().unwrap();
        let model = find("anubad-270m-bn-en", cache.path()).unwrap();
        assert_eq!(model.kind, ModelKind::Embedded);
    }

    #[test]
    fn files_and_folders_are_recognized() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let cache = folder.path();
        for name in ["anubad-270m-bn-en.q8_0-00001-of-00002.gguf", "anubad-270m-bn-en.q8_0-00002-of-00002.gguf"] {
            std::fs::write(at(name), "GGUF").unwrap();
        }
        for shard in ["anubad-270m-bn-en.q8_0-00002-of-00002.gguf", ""] {
            let model = find(&at(shard), cache).unwrap();
            assert_eq!(model.kind, ModelKind::Gguf);
            assert!(model.path.ends_with("anubad-270m-bn-en.q8_0-00001-of-00002.gguf"), "{:?}", model.path);
            assert_eq!(model.manifest.unwrap().prompt.suffix, "\nEnglish:");
        }
        std::fs::remove_file(at("anubad-270m-bn-en.q8_0-00001-of-00002.gguf")).unwrap();
        let error = find(&at("anubad-270m-bn-en.q8_0-00002-of-00002.gguf"), cache).unwrap_err().to_string();
        assert!(error.contains("00001-of-00002.gguf is missing"), "{error}");

        std::fs::create_dir(at("nllb-200-distilled-600M")).unwrap();
        let error = find(&at("nllb-200-distilled-600M"), cache).unwrap_err().to_string();
        assert!(error.contains("neither config.json nor a GGUF"), "{error}");
        std::fs::write(at("nllb-200-distilled-600M/config.json"), "{}").unwrap();
        let model = find(&at("nllb-200-distilled-600M"), cache).unwrap();
        assert_eq!((model.kind, model.id.as_str()), (ModelKind::Folder, "nllb-200-distilled-600m"));

        std::fs::write(at("model.safetensors"), "").unwrap();
        assert!(find(&at("model.safetensors"), cache).unwrap_err().to_string().contains("give the folder"));
    }

    #[test]
    fn what_python_downloaded_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let snapshot = folder.path().join("models--Helsinki-NLP--opus-mt-bn-en/snapshots").join(commit);
        std::fs::create_dir_all(&snapshot).unwrap();
        let refs = folder.path().join("models--Helsinki-NLP--opus-mt-bn-en/refs");
        std::fs::create_dir_all(&refs).unwrap();
        std::fs::write(refs.join("main"), commit).unwrap();
        for name in ["config.json", "source.spm", "target.spm", "vocab.json"] {
            std::fs::write(snapshot.join(name), "{}").unwrap();
        }
        assert!(find("opus-mt-bn-en", folder.path()).is_err(), "no weights yet");
        std::fs::write(snapshot.join("pytorch_model.bin"), "").unwrap();
        let model = find("opus-mt-bn-en", folder.path()).unwrap();
        assert_eq!((model.kind, model.path.as_path()), (ModelKind::Folder, snapshot.as_path()));
        assert_eq!(model.revision.as_deref(), Some(commit));
        assert!(model.notes.is_empty());
    }

    #[test]
    fn repositories_are_told_from_paths() {
        assert_eq!(parse_repo("a/b@v1:c/d.gguf").unwrap().file.as_deref(), Some("c/d.gguf"));
        for no in ["a", "a/b/c", "./b", "../b", "a/b:../x", "a/b@../../x", "~/b", "a//b", "a/b.gguf"] {
            assert_eq!(parse_repo(no), None, "{no}");
        }
    }
}
