//! A whole model from the Hub: which files, is there room, one after the other.
use super::HubError;
use super::cache::RepoCache;
use super::client::{Client, Listing, RemoteFile};
use super::config::HubConfig;
use super::download::{Event, Observer, fetch, partial_path, room_for};
use super::sums;
use crate::error::ModelError;
use crate::manifest::{HubSource, is_hex, is_safe_file_name};
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Files that a model may need beside its weights, for repositories without a manifest.
const COMPANIONS: &[&str] = &[
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "chat_template.jinja",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.model",
    "source.spm",
    "target.spm",
    "dict.SRC.json",
    "dict.TGT.json",
    "model.SRC",
    "model.TGT",
];

/// Weight files in order of preference, for repositories without a manifest.
const WEIGHTS: &[&str] =
    &["model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"];

/// A model that is complete in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The commit that it is of.
    pub commit: String,
    /// The folder of its files.
    pub folder: PathBuf,
    /// The weight file, the index of a sharded checkpoint, or the first shard of a split GGUF.
    pub weights: PathBuf,
    /// The manifest's revision is another one than the cache had.
    pub other_revision: bool,
}

/// Looks for a complete model in the cache; never touches the network. The manifest's revision is preferred;
/// a complete snapshot of another revision (that a Python tool downloaded, say) is taken where it is absent.
pub fn find_cached(config: &HubConfig, source: &HubSource) -> Option<Snapshot> {
    let cache = RepoCache::new(&config.cache, &source.repo);
    let own = cache.commit(&source.revision);
    let main = cache.commit("main");
    // A manifest that names a commit means that one: another takes its place only where the weights' digest is pinned.
    let pinned = is_hex(&source.revision, 40);
    let candidates = own.iter().chain(&main).cloned().chain(cache.commits().into_iter().rev());
    candidates.into_iter().find_map(|commit| {
        let folder = cache.snapshot(&commit);
        let weights = complete(&folder, source)?;
        let name = weights.strip_prefix(&folder).ok()?.to_string_lossy().replace('\\', "/");
        if pinned && commit != source.revision && !source.sha256.contains_key(&name) {
            return None;
        }
        Some(Snapshot { other_revision: own.as_ref() != Some(&commit), commit, folder, weights })
    })
}

/// The weight file of a folder that has all that `source` asks for.
fn complete(folder: &Path, source: &HubSource) -> Option<PathBuf> {
    if !source.files.iter().all(|name| folder.join(name).is_file()) {
        return None;
    }
    source.weights.iter().map(|name| folder.join(name)).find(|path| has_weights(path))
}

/// A weight file is there, with all its shards.
pub(super) fn has_weights(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let folder = path.parent().unwrap_or(path);
    match shards_of_index(path) {
        Some(Ok(shards)) => shards.iter().all(|shard| folder.join(shard).is_file()),
        Some(Err(_)) => false,
        None => split_names(path).iter().all(|name| folder.join(name).is_file()),
    }
}

/// The shards that an index file lists; `None` for other files.
pub(super) fn shards_of_index(path: &Path) -> Option<Result<BTreeSet<String>>> {
    #[derive(serde::Deserialize)]
    struct Index {
        weight_map: std::collections::HashMap<String, String>,
    }
    let name = path.file_name()?.to_str()?;
    if !name.ends_with(".index.json") {
        return None;
    }
    let read = || {
        let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        let index: Index = serde_json::from_str(&text).map_err(|e| {
            Error::Model(ModelError::damaged_by(
                format!("{}: no index of a sharded checkpoint ({e}); download it again", path.display()),
                e,
            ))
        })?;
        let shards: BTreeSet<String> = index.weight_map.into_values().collect();
        match shards.iter().find(|name| !is_safe_file_name(name)) {
            Some(name) => Err(Error::Model(ModelError::damaged(format!(
                "{}: the shard {name:?} lies outside the model's folder",
                path.display()
            )))),
            None => Ok(shards),
        }
    };
    Some(read())
}

/// All names of a GGUF split, given one; empty when the file is not split.
pub(crate) fn split_names(path: &Path) -> Vec<String> {
    let parts = || {
        let name = path.file_name()?.to_str()?.strip_suffix(".gguf")?;
        let (rest, total) = name.rsplit_once("-of-")?;
        let (stem, number) = rest.rsplit_once('-')?;
        let digits = |text: &str| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit());
        (digits(total) && digits(number)).then_some((stem.to_owned(), total.parse::<u32>().ok()?))
    };
    match parts() {
        Some((stem, total)) => (1..=total).map(|n| format!("{stem}-{n:05}-of-{total:05}.gguf")).collect(),
        None => Vec::new(),
    }
}

/// Downloads what is missing of a model and returns where it lies.
pub fn pull(client: &Client, source: &HubSource, observer: &mut Observer<'_>) -> Result<Snapshot> {
    if let Some(snapshot) = find_cached(&client.config, source).filter(|s| s.commit == source.revision) {
        sums::check(&client.config, source, &snapshot.folder)?;
        return Ok(snapshot); // a pinned commit cannot change: nothing to ask
    }
    let listing = client.list(&source.repo, &source.revision)?;
    let cache = RepoCache::new(&client.config.cache, &source.repo);
    let weights = source.weights.iter().find_map(|name| find(&listing, name)).ok_or_else(|| {
        Error::Hub(HubError::NotFound(format!(
            "{} at {}: none of the weight files {} is there; correct the manifest",
            source.repo,
            source.revision,
            source.weights.join(", ")
        )))
    })?;
    let mut wanted: Vec<&RemoteFile> = Vec::new();
    for name in &source.files {
        wanted.push(find(&listing, name).ok_or_else(|| {
            Error::Hub(HubError::NotFound(format!(
                "{} at {}: the file {name} is not there; correct the manifest",
                source.repo, source.revision
            )))
        })?);
    }
    wanted.extend(source.optional.iter().filter_map(|name| find(&listing, name)));
    let job = Job { client, cache: &cache, source, listing: &listing };
    if weights.name.ends_with(".index.json") {
        let path = job.fetch(weights, observer)?;
        let shards = shards_of_index(&path).transpose()?.unwrap_or_default();
        for shard in &shards {
            wanted.push(find(&listing, shard).ok_or_else(|| {
                Error::Hub(HubError::NotFound(format!("{}: the shard {shard} is not there", source.repo)))
            })?);
        }
    } else {
        let splits = split_names(Path::new(&weights.name));
        let folder = weights.name.rsplit_once('/').map(|(folder, _)| format!("{folder}/")).unwrap_or_default();
        wanted.push(weights);
        wanted.extend(splits.iter().filter_map(|name| find(&listing, &format!("{folder}{name}"))));
    }
    wanted.sort_by(|a, b| a.name.cmp(&b.name));
    wanted.dedup_by(|a, b| a.name == b.name);
    job.check_space(&wanted, observer)?;
    // Small files first: what is wrong with a model shows before its gigabytes are fetched.
    wanted.sort_by_key(|file| file.size.unwrap_or(0));
    for file in wanted {
        job.fetch(file, observer)?;
    }
    cache.remember(&source.revision, &listing.commit)?;
    let folder = cache.snapshot(&listing.commit);
    let weights = folder.join(&weights.name);
    Ok(Snapshot { commit: listing.commit.clone(), folder, weights, other_revision: false })
}

fn find<'a>(listing: &'a Listing, name: &str) -> Option<&'a RemoteFile> {
    listing.files.iter().find(|file| file.name == name)
}

/// What one pull works with.
struct Job<'a> {
    client: &'a Client,
    cache: &'a RepoCache,
    source: &'a HubSource,
    listing: &'a Listing,
}

impl Job<'_> {
    fn fetch(&self, file: &RemoteFile, observer: &mut Observer<'_>) -> Result<PathBuf> {
        let sha256 = self.source.sha256.get(&file.name).map(String::as_str);
        fetch(self.client, self.cache, &self.source.repo, &self.listing.commit, file, sha256, observer)
    }

    /// Announces what will be fetched, and refuses to begin what the disk cannot hold.
    fn check_space(&self, wanted: &[&RemoteFile], observer: &mut Observer<'_>) -> Result<()> {
        let missing: Vec<u64> = wanted.iter().filter_map(|file| self.missing_bytes(file)).collect();
        let bytes = missing.iter().sum();
        observer(Event::Plan { files: missing.len(), bytes });
        let config = &self.client.config;
        std::fs::create_dir_all(&config.cache).map_err(|e| Error::io(&config.cache, e))?;
        room_for(config, bytes)?;
        Ok(())
    }

    /// Bytes that the network must bring; `None` when the blob is there.
    fn missing_bytes(&self, file: &RemoteFile) -> Option<u64> {
        let size = file.size.unwrap_or(0);
        let Some(digest) = &file.digest else { return Some(size) };
        let blob = self.cache.blob(digest.hex());
        if blob.exists() {
            return None;
        }
        let there = std::fs::metadata(partial_path(&blob)).map(|m| m.len()).unwrap_or(0);
        Some(size.saturating_sub(there))
    }
}

/// A source for a repository without a manifest: `file` names a GGUF in it.
pub fn guess_source(client: &Client, repo: &str, revision: &str, file: Option<&str>) -> Result<HubSource> {
    let listing = client.list(repo, revision)?;
    let there = |name: &&str| find(&listing, name).is_some();
    let source = |weights: Vec<String>, files: Vec<String>| HubSource {
        repo: repo.to_owned(),
        revision: revision.to_owned(),
        weights,
        files,
        optional: Vec::new(),
        sha256: Default::default(),
    };
    let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
    if let Some(file) = file {
        // The weights of an encoder–decoder in GGUF need them; of others they are some kilobytes too many.
        let companions = owned(COMPANIONS.iter().copied().filter(there).collect());
        return Ok(source(vec![file.to_owned()], companions));
    }
    let weights: Vec<&str> = WEIGHTS.iter().copied().filter(there).collect();
    if !weights.is_empty() {
        return Ok(source(owned(weights), owned(COMPANIONS.iter().copied().filter(there).collect())));
    }
    let ggufs: Vec<&str> = listing.files.iter().map(|f| f.name.as_str()).filter(|n| n.ends_with(".gguf")).collect();
    match ggufs.as_slice() {
        [one] => Ok(source(vec![one.to_string()], Vec::new())),
        [] => Err(Error::Hub(HubError::NotFound(format!(
            "{repo}: no safetensors, no pytorch_model.bin and no GGUF in it; give another repository"
        )))),
        many => Err(Error::Hub(HubError::NotFound(format!(
            "{repo}: several GGUF files; name one as {repo}:FILE, of {}",
            many.join(", ")
        )))),
    }
}

/// A source that finds a repository without a manifest in the cache.
pub fn cached_source(config: &HubConfig, repo: &str, revision: &str, file: Option<&str>) -> HubSource {
    let cache = RepoCache::new(&config.cache, repo);
    let commit = cache.commit(revision).or_else(|| cache.commits().pop());
    let folder = commit.map(|commit| cache.snapshot(&commit));
    let ggufs = || folder.iter().flat_map(|f| super::resolve::gguf_files(f)).collect::<Vec<_>>();
    let weights = match file {
        Some(file) => vec![file.to_owned()],
        None => WEIGHTS.iter().map(|name| name.to_string()).chain(ggufs()).collect(),
    };
    HubSource {
        repo: repo.to_owned(),
        revision: revision.to_owned(),
        weights,
        files: Vec::new(),
        optional: Vec::new(),
        sha256: Default::default(),
    }
}

/// 1234567 → "1.2 MB".
pub fn human(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_split() {
        assert_eq!(
            split_names(Path::new("a/m.q8-00001-of-00002.gguf")),
            ["m.q8-00001-of-00002.gguf", "m.q8-00002-of-00002.gguf"]
        );
        assert!(split_names(Path::new("m-1-of-2.gguf")).is_empty());
        assert!(split_names(Path::new("m.gguf")).is_empty());
    }

    #[test]
    fn sizes_for_humans() {
        assert_eq!(
            (human(0), human(999_949), human(2_460_000_000)),
            ("0.0 kB".into(), "999.9 kB".into(), "2.5 GB".into())
        );
    }

    #[test]
    fn an_incomplete_sharded_checkpoint_is_not_complete() {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("model.safetensors.index.json");
        std::fs::write(&index, r#"{"weight_map": {"a": "m-1.safetensors", "b": "m-2.safetensors"}}"#).unwrap();
        std::fs::write(folder.path().join("m-1.safetensors"), "").unwrap();
        assert!(!has_weights(&index));
        std::fs::write(folder.path().join("m-2.safetensors"), "").unwrap();
        assert!(has_weights(&index));
        std::fs::write(&index, r#"{"weight_map": {"a": "../../secret"}}"#).unwrap();
        assert!(!has_weights(&index));
    }
}
