//! What lies in the cache is what the manifest or the Hub's digest says: read and hashed when it is used for the first
//! time, and again when its size, its time or its place on the disk has changed. Hashing gigabytes at every start would
//! take longer than the translation.
use super::HubError;
use super::client::Digest;
use super::config::HubConfig;
use super::download::hash_file;
use super::pull::{shards_of_index, split_names};
use crate::manifest::HubSource;
use crate::{Error, Result};
use sha2::Digest as _;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Folder of the cache where it is noted what was checked; Hugging Face's tools leave it alone.
const FOLDER: &str = ".anubad-checked";

/// Checks the files of a snapshot that the source names. Files of whose content nothing is known are passed over.
pub(super) fn check(config: &HubConfig, source: &HubSource, folder: &Path) -> Result<()> {
    let named =
        source.weights.iter().chain(&source.files).chain(&source.optional).map(|name| (name, folder.join(name)));
    let shards = source.weights.iter().map(|name| folder.join(name)).filter(|path| path.is_file()).flat_map(|path| {
        // What is wrong with an index is for whoever opens it to say.
        let listed = shards_of_index(&path).and_then(Result::ok).unwrap_or_default();
        split_names(&path).into_iter().chain(listed)
    });
    let shards: Vec<(String, PathBuf)> = shards.map(|name| (name.clone(), folder.join(name))).collect();
    for (name, path) in named.chain(shards.iter().map(|(name, path)| (name, path.clone()))) {
        if !path.is_file() {
            continue;
        }
        let stated = source.sha256.get(name).map(|hex| Digest::Sha256(hex.clone()));
        let blob = std::fs::read_link(&path).ok();
        let linked = blob.as_ref().and_then(|b| Digest::from_etag(b.file_name()?.to_str()?));
        let wanted: Vec<Digest> = stated.into_iter().chain(linked).collect();
        check_file(config, &path, name, &wanted)?;
    }
    Ok(())
}

fn check_file(config: &HubConfig, path: &Path, name: &str, wanted: &[Digest]) -> Result<()> {
    let names: Vec<String> = wanted.iter().map(|digest| digest.hex().to_owned()).collect();
    if wanted.is_empty() || noted(config, path).is_some_and(|noted| names.iter().all(|name| noted.contains(name))) {
        return Ok(());
    }
    for digest in wanted {
        let is = hash_file(path, digest)?;
        if is != digest.hex() {
            return Err(Error::Hub(HubError::Corrupt(format!(
                "{}: {name} hashes to {is}, but should to {}: it was damaged or replaced; remove the model with \
                 `anubad model rm` and pull it again",
                path.display(),
                digest.hex()
            ))));
        }
    }
    remember(config, path, &names);
    Ok(())
}

/// Notes that the file has these digests. That it cannot be noted costs time and nothing else.
pub(super) fn remember(config: &HubConfig, path: &Path, digests: &[String]) {
    let (Some(note), Some(stamp)) = (note(config, path), stamp(path)) else { return };
    let write = || -> std::io::Result<()> {
        let folder = config.cache.join(FOLDER);
        std::fs::create_dir_all(&folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        std::io::Write::write_all(&mut file, format!("{stamp}\n{}\n", digests.join("\n")).as_bytes())?;
        file.persist(note)?;
        Ok(())
    };
    if let Err(error) = write() {
        tracing::debug!("{}: {error}", path.display());
    }
}

/// The digests that the file was found to have, if it has not changed since.
fn noted(config: &HubConfig, path: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(note(config, path)?).ok()?;
    let mut lines = text.lines();
    (lines.next()? == stamp(path)?).then(|| lines.map(str::to_owned).collect())
}

/// Where the note on a file lies, by the file's real path.
fn note(config: &HubConfig, path: &Path) -> Option<PathBuf> {
    let path = path.canonicalize().ok()?;
    let digest = sha2::Sha256::digest(path.as_os_str().as_encoded_bytes());
    Some(config.cache.join(FOLDER).join(super::download::hex(&digest[..16])))
}

/// What changes when the file does.
fn stamp(path: &Path) -> Option<String> {
    let meta = std::fs::metadata(path).ok()?;
    let modified = meta.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    #[cfg(unix)]
    let place = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let place = 0;
    Some(format!("{} {} {place}", meta.len(), modified.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::cache::RepoCache;

    /// SHA-256 of "hello\n".
    const HELLO: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

    fn source(sha256: &[(&str, &str)]) -> HubSource {
        HubSource {
            repo: "org/name".into(),
            revision: "c".repeat(40),
            weights: vec!["w.bin".into()],
            files: vec!["c.json".into()],
            optional: Vec::new(),
            sha256: sha256.iter().map(|(name, hex)| ((*name).into(), (*hex).into())).collect(),
        }
    }

    #[test]
    fn a_file_is_hashed_at_first_and_when_it_has_changed() {
        let root = tempfile::tempdir().unwrap();
        let mut config = HubConfig::from_lookup(&|_| None);
        config.cache = root.path().to_path_buf();
        let folder = RepoCache::new(root.path(), "org/name").snapshot(&"c".repeat(40));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("w.bin"), "hello\n").unwrap();
        std::fs::write(folder.join("c.json"), "{}").unwrap();
        let pinned = source(&[("w.bin", HELLO)]);
        check(&config, &source(&[]), &folder).unwrap();
        check(&config, &pinned, &folder).unwrap();
        assert_eq!(noted(&config, &folder.join("w.bin")), Some(vec![HELLO.to_owned()]));
        let error = check(&config, &source(&[("w.bin", &"0".repeat(64))]), &folder).unwrap_err().to_string();
        assert!(error.contains("w.bin") && error.contains("pull it again"), "{error}");
        // Of the same length: the time tells.
        std::thread::sleep(std::time::Duration::from_millis(20));
        std::fs::write(folder.join("w.bin"), "hellO\n").unwrap();
        assert!(check(&config, &pinned, &folder).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_blob_is_what_its_name_says() {
        let root = tempfile::tempdir().unwrap();
        let mut config = HubConfig::from_lookup(&|_| None);
        config.cache = root.path().to_path_buf();
        let cache = RepoCache::new(root.path(), "org/name");
        std::fs::create_dir_all(cache.blob("").parent().unwrap()).unwrap();
        std::fs::create_dir_all(cache.folder().join("blobs")).unwrap();
        std::fs::write(cache.blob(HELLO), "hello\n").unwrap();
        cache.link(&"c".repeat(40), "w.bin", HELLO).unwrap();
        let folder = cache.snapshot(&"c".repeat(40));
        check(&config, &source(&[]), &folder).unwrap();
        std::fs::write(cache.blob(HELLO), "{}").unwrap();
        assert!(check(&config, &source(&[]), &folder).is_err());
    }
}
