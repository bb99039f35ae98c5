//! The source kind `url`: files on a project's own servers.
use super::{is_hex, is_safe_file_name};
use serde::{Deserialize, Serialize};

/// Files at fixed addresses, which together are a model's folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlSource {
    /// The files, all of which are needed.
    #[serde(rename = "file")]
    pub files: Vec<UrlFile>,
}

/// One file and what it must hash to. What lies packed (`.gz`, `.zst`) is unpacked on arrival.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UrlFile {
    /// Its name in the model's folder.
    pub name: String,
    /// Where it is fetched from.
    pub url: String,
    /// Bytes to be fetched, where known: a download that was broken off can then be taken up again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// SHA-256 of the file as it is kept; for a packed file it may be left out where nobody published it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// SHA-256 of the packed file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packed_sha256: Option<String>,
}

impl UrlFile {
    /// The digest of what is fetched.
    pub fn pinned(&self) -> &str {
        self.packed_sha256.as_deref().or(self.sha256.as_deref()).unwrap_or_default()
    }
}

impl UrlSource {
    /// What is wrong with it, if anything.
    pub(super) fn complaint(&self) -> Option<String> {
        if self.files.is_empty() {
            return Some("no [[source.file]] in the url source; name the files".into());
        }
        self.files.iter().find_map(|file| {
            let UrlFile { name, url, sha256, packed_sha256, .. } = file;
            let web =
                ::url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.has_host());
            let digest = [sha256, packed_sha256].into_iter().flatten().find(|digest| !is_hex(digest, 64));
            match () {
                _ if !is_safe_file_name(name) || name.contains('/') => {
                    Some(format!("file name {name:?} leaves the model's folder; use a plain name"))
                }
                _ if !web => Some(format!("url {url:?} is no web address")),
                _ if digest.is_some() => Some(format!("{name}: a sha256 has 64 lower-case hex digits")),
                _ if packing(url).is_some() && packed_sha256.is_none() => {
                    Some(format!("{name}: no packed_sha256; a packed file must be known before it is unpacked"))
                }
                _ if sha256.is_none() && packed_sha256.is_none() => {
                    Some(format!("{name}: no sha256; a file from a server must be known beforehand"))
                }
                _ => None,
            }
        })
    }
}

/// How a file is packed, by its address.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
}

pub(crate) fn packing(url: &str) -> Option<Packing> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    match path.rsplit('.').next() {
        Some("gz") => Some(Packing::Gzip),
        Some("zst") => Some(Packing::Zstd),
        _ => None,
    }
}
