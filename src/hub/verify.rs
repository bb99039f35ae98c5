//! Reads every cached file of a model again and compares it with its digest.
use super::HubError;
use super::cache::RepoCache;
use super::client::Digest;
use super::config::HubConfig;
use super::download::hash_file;
use crate::manifest::HubSource;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The digest is right.
    Sound,
    /// The bytes hash to something else.
    Wrong { is: String, should_be: String },
    /// No digest is known (a file that did not come through the cache).
    Unknown,
}

/// One file and its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    pub name: String,
    pub path: PathBuf,
    pub verdict: Verdict,
}

/// Checks every file of a commit: against the name of the blob behind it, which is its digest, and against the
/// manifest's digests where there are some.
pub fn verify(config: &HubConfig, source: &HubSource, commit: &str) -> Result<Vec<Checked>> {
    let folder = RepoCache::new(&config.cache, &source.repo).snapshot(commit);
    let mut checked = Vec::new();
    for entry in walkdir::WalkDir::new(&folder).sort_by_file_name() {
        let entry = entry.map_err(|e| Error::Hub(HubError::Corrupt(format!("{}: {e}", folder.display()))))?;
        if entry.file_type().is_dir() {
            continue;
        }
        let name = entry.path().strip_prefix(&folder).unwrap_or(entry.path()).to_string_lossy().replace('\\', "/");
        let stated = source.sha256.get(&name).map(|hex| Digest::Sha256(hex.clone()));
        let digests = [stated, blob_digest(entry.path())];
        let verdict = check(entry.path(), digests.into_iter().flatten())?;
        checked.push(Checked { name, path: entry.path().to_path_buf(), verdict });
    }
    Ok(checked)
}

fn check(path: &Path, digests: impl Iterator<Item = Digest>) -> Result<Verdict> {
    let mut verdict = Verdict::Unknown;
    for digest in digests {
        let is = hash_file(path, &digest)?;
        if is != digest.hex() {
            return Ok(Verdict::Wrong { is, should_be: digest.hex().to_owned() });
        }
        verdict = Verdict::Sound;
    }
    Ok(verdict)
}

/// The digest that a snapshot's link carries in the name of its blob.
fn blob_digest(pointer: &Path) -> Option<Digest> {
    let blob = std::fs::read_link(pointer).ok()?;
    Digest::from_etag(blob.file_name()?.to_str()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_byte_is_found() {
        let root = tempfile::tempdir().unwrap();
        let mut config = HubConfig::from_lookup(&|_| None);
        config.cache = root.path().to_path_buf();
        let cache = RepoCache::new(root.path(), "org/name");
        let commit = "c".repeat(40);
        // sha256 and git digest of "hello\n"
        let sha = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
        let git = "ce013625030ba8dba906f756967f9e9ca394464a";
        std::fs::create_dir_all(cache.folder().join("blobs")).unwrap();
        for (name, digest) in [("w.bin", sha), ("c.json", git)] {
            std::fs::write(cache.blob(digest), "hello\n").unwrap();
            cache.link(&commit, name, digest).unwrap();
        }
        let source = HubSource {
            repo: "org/name".into(),
            revision: commit.clone(),
            weights: vec!["w.bin".into()],
            files: Vec::new(),
            optional: Vec::new(),
            sha256: Default::default(),
        };
        let verdicts = |config: &HubConfig| -> Vec<Verdict> {
            verify(config, &source, &commit).unwrap().into_iter().map(|c| c.verdict).collect()
        };
        #[cfg(unix)]
        {
            assert_eq!(verdicts(&config), [Verdict::Sound, Verdict::Sound]);
            std::fs::write(cache.blob(sha), "hellO\n").unwrap();
            assert!(
                matches!(&verdicts(&config)[..], [Verdict::Sound, Verdict::Wrong { should_be, .. }] if should_be == sha)
            );
        }
    }
}
