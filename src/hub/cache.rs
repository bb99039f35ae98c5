//! The cache on disk, in the layout of Hugging Face's tools, so that what Python downloaded is found and the
//! other way round: `models--ORG--NAME/{blobs/DIGEST, refs/REVISION, snapshots/COMMIT/FILE → blobs/DIGEST}`.
use crate::manifest::is_hex;
use crate::{Error, Result};
use hf_hub::{Cache, Repo, RepoType};
use std::path::{Path, PathBuf};

/// The folder of one repository in the cache.
#[derive(Debug, Clone)]
pub struct RepoCache {
    root: PathBuf,
    folder: PathBuf,
    repo: String,
}

impl RepoCache {
    /// `root` is the folder that holds all repositories.
    pub fn new(root: &Path, repo: &str) -> Self {
        let name = Repo::new(repo.to_owned(), RepoType::Model).folder_name();
        Self { root: root.to_path_buf(), folder: root.join(name), repo: repo.to_owned() }
    }

    /// The repository's folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where a blob lies, there or not.
    pub fn blob(&self, digest: &str) -> PathBuf {
        self.folder.join("blobs").join(digest)
    }

    /// Where Python's tools, too, lock a blob while they download it.
    pub fn lock(&self, digest: &str) -> PathBuf {
        let name = self.folder.file_name().unwrap_or_default();
        self.root.join(".locks").join(name).join(format!("{digest}.lock"))
    }

    /// The folder of a commit's files.
    pub fn snapshot(&self, commit: &str) -> PathBuf {
        self.hub_cache("main").pointer_path(commit)
    }

    /// The commit that a revision stood for when it was last downloaded.
    pub fn commit(&self, revision: &str) -> Option<String> {
        if is_hex(revision, 40) {
            return Some(revision.to_owned());
        }
        let text = std::fs::read_to_string(self.folder.join("refs").join(revision)).ok()?;
        Some(text.trim().to_owned()).filter(|commit| is_hex(commit, 40))
    }

    /// Writes down the commit of a revision; nothing to write where the revision is the commit.
    pub fn remember(&self, revision: &str, commit: &str) -> Result<()> {
        if revision == commit {
            return Ok(());
        }
        self.hub_cache(revision).create_ref(commit).map_err(|e| Error::io(self.folder.join("refs"), e))
    }

    /// All commits that have a snapshot folder, sorted.
    pub fn commits(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.join("snapshots")) else { return Vec::new() };
        let mut names: Vec<String> = entries.filter_map(|e| e.ok()?.file_name().into_string().ok()).collect();
        names.retain(|name| is_hex(name, 40));
        names.sort();
        names
    }

    /// Points `snapshots/COMMIT/NAME` at a blob: a relative link, or a copy where links are not to be had.
    pub fn link(&self, commit: &str, name: &str, digest: &str) -> Result<PathBuf> {
        let pointer = self.snapshot(commit).join(name);
        let parent = pointer.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
        let ups = "../".repeat(name.split('/').count() + 1);
        let target = PathBuf::from(format!("{ups}blobs/{digest}"));
        if std::fs::read_link(&pointer).is_ok_and(|old| old == target) {
            return Ok(pointer);
        }
        if pointer.symlink_metadata().is_ok() {
            std::fs::remove_file(&pointer).map_err(|e| Error::io(&pointer, e))?;
        }
        symlink(&target, &pointer)
            .or_else(|_| std::fs::hard_link(self.blob(digest), &pointer))
            .or_else(|_| std::fs::copy(self.blob(digest), &pointer).map(|_| ()))
            .map_err(|e| Error::io(&pointer, e))?;
        Ok(pointer)
    }

    /// Removes the repository with its locks; the number of bytes that this gave back.
    pub fn remove(&self) -> Result<u64> {
        let bytes = self.size();
        std::fs::remove_dir_all(&self.folder).map_err(|e| Error::io(&self.folder, e))?;
        let locks = self.root.join(".locks").join(self.folder.file_name().unwrap_or_default());
        // Locks are a convenience of the cache: leaving them behind harms nobody.
        let _ = std::fs::remove_dir_all(locks);
        Ok(bytes)
    }

    /// Bytes of all files, links not followed.
    pub fn size(&self) -> u64 {
        let files = walkdir::WalkDir::new(&self.folder).into_iter().filter_map(|e| e.ok());
        files.filter_map(|e| e.metadata().ok()).filter(|m| m.is_file()).map(|m| m.len()).sum()
    }

    fn hub_cache(&self, revision: &str) -> hf_hub::CacheRepo {
        let repo = Repo::with_revision(self.repo.clone(), RepoType::Model, revision.to_owned());
        Cache::new(self.root.clone()).repo(repo)
    }
}

#[cfg(unix)]
fn symlink(target: &Path, link: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, link)
}

#[cfg(windows)]
fn symlink(target: &Path, link: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_file(target, link)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_is_that_of_hugging_faces_tools() {
        let root = tempfile::tempdir().unwrap();
        let cache = RepoCache::new(root.path(), "org/name");
        let (commit, digest) = ("c".repeat(40), "d".repeat(64));
        std::fs::create_dir_all(cache.blob("").parent().unwrap()).unwrap();
        std::fs::create_dir_all(root.path().join("models--org--name/blobs")).unwrap();
        std::fs::write(cache.blob(&digest), "weights").unwrap();
        cache.link(&commit, "sub/w.bin", &digest).unwrap();
        cache.link(&commit, "sub/w.bin", &digest).unwrap();
        cache.remember("main", &commit).unwrap();

        let pointer = root.path().join("models--org--name/snapshots").join(&commit).join("sub/w.bin");
        assert_eq!(std::fs::read_to_string(&pointer).unwrap(), "weights");
        #[cfg(unix)]
        assert!(std::fs::read_link(&pointer).unwrap().starts_with("../../../blobs"));
        assert_eq!(cache.commit("main"), Some(commit.clone()));
        assert_eq!(cache.commits(), std::slice::from_ref(&commit));
        // hf-hub itself finds the file.
        let hub = Cache::new(root.path().to_path_buf()).model("org/name".into());
        assert_eq!(hub.get("sub/w.bin").as_deref(), Some(pointer.as_path()));

        assert!(cache.remove().unwrap() >= 7);
        assert!(!cache.folder().exists());
    }
}
