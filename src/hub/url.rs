//! Files on a project's own servers: fetched from fixed addresses, checked against the manifest's digests, unpacked.
use super::HubError;
use super::client::Client;
use super::config::HubConfig;
use super::download::{Event, Observer, fetch_to, hash_file, hex};
use crate::manifest::{Manifest, Packing, UrlFile, UrlSource, packing};
use crate::{Error, Result};
use sha2::Digest as _;
use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// Unpacked bytes for each packed one at most, beyond the first 64 MB.
const RATIO: u64 = 60;

/// The folder of these files in the cache.
pub const FOLDER: &str = "anubad--url";

/// Where the files are kept: beside the Hub's repositories, under a name that their tools leave alone. Other digests make
/// another folder, so that a new version never mixes with an old one.
fn place(config: &HubConfig, id: &str, source: &UrlSource) -> PathBuf {
    let mut hash = sha2::Sha256::new();
    source.files.iter().for_each(|file| hash.update(file.pinned()));
    config.cache.join(FOLDER).join(format!("{id}-{}", &hex(&hash.finalize())[..12]))
}

/// The folder, if all files of a manifest's source are in it.
pub fn find(config: &HubConfig, manifest: &Manifest) -> Option<PathBuf> {
    let source = manifest.url()?;
    let folder = place(config, &manifest.id, source);
    source.files.iter().all(|file| folder.join(&file.name).is_file()).then_some(folder)
}

/// Downloads what is missing and returns the folder.
///
/// # Errors
/// No network, no such file, a digest that differs (packed or unpacked), a file that unpacks to absurd size.
pub fn pull(client: &Client, id: &str, source: &UrlSource, observer: &mut Observer<'_>) -> Result<PathBuf> {
    let folder = place(&client.config, id, source);
    std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
    let missing: Vec<&UrlFile> = source.files.iter().filter(|file| !folder.join(&file.name).is_file()).collect();
    observer(Event::Plan { files: missing.len(), bytes: missing.iter().filter_map(|file| file.size).sum() });
    for file in missing {
        let target = folder.join(&file.name);
        match packing(&file.url) {
            None => {
                fetch_to(client, &file.url, (&file.name, file.size), file.pinned(), &target, observer)?;
            }
            Some(packing) => {
                let packed = folder.join(format!("{}.packed", file.name));
                if !packed.is_file() {
                    let digest = file.packed_sha256.as_deref().unwrap_or_default();
                    fetch_to(client, &file.url, (&file.name, file.size), digest, &packed, observer)?;
                }
                let unpacked = unpack(&packed, packing, file, &target);
                // Whatever came of it, the packed file has done its work: a wrong one must not stay.
                std::fs::remove_file(&packed).map_err(|e| Error::io(&packed, e))?;
                unpacked?;
            }
        }
        observer(Event::Finished { file: &file.name });
    }
    Ok(folder)
}

/// Reads the files again and says of each whether it is what the manifest pins; `None`: only the packed file is pinned.
///
/// # Errors
/// A file that cannot be read.
pub fn verify(folder: &Path, source: &UrlSource) -> Result<Vec<(String, Option<(String, bool)>)>> {
    let check = |file: &UrlFile| -> Result<_> {
        let verdict = match &file.sha256 {
            Some(digest) => {
                let digest = super::client::Digest::Sha256(digest.clone());
                let is = hash_file(&folder.join(&file.name), &digest)?;
                let sound = is == digest.hex();
                Some((is, sound))
            }
            None => None,
        };
        Ok((file.name.clone(), verdict))
    };
    source.files.iter().map(check).collect()
}

/// Unpacks into a file that gets its name only when it is whole and right.
fn unpack(packed: &Path, packing: Packing, file: &UrlFile, target: &Path) -> Result<()> {
    let from = File::open(packed).map_err(|e| Error::io(packed, e))?;
    let size = from.metadata().map_err(|e| Error::io(packed, e))?.len();
    let limit = size.saturating_mul(RATIO).saturating_add(64 << 20);
    let damaged = |e: std::io::Error| {
        Error::Hub(HubError::Corrupt(format!("{}: cannot be unpacked ({e}); run the same command again", file.name)))
    };
    let mut reader: Box<dyn Read> = match packing {
        Packing::Gzip => Box::new(flate2::read::MultiGzDecoder::new(BufReader::new(from))),
        Packing::Zstd => Box::new(zstd::Decoder::new(from).map_err(damaged)?),
    };
    let folder = target.parent().unwrap_or(target);
    let mut out = tempfile::NamedTempFile::new_in(folder).map_err(|e| Error::io(folder, e))?;
    let (mut hash, mut done) = (sha2::Sha256::new(), 0u64);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let count = reader.read(&mut buffer).map_err(damaged)?;
        if count == 0 {
            break;
        }
        done += count as u64;
        if done > limit {
            return Err(Error::Hub(HubError::Corrupt(format!(
                "{}: unpacks to more than {RATIO} times its size and was refused; don't trust the source",
                file.name
            ))));
        }
        hash.update(&buffer[..count]);
        out.write_all(&buffer[..count]).map_err(|e| Error::io(out.path(), e))?;
    }
    let is = hex(&hash.finalize());
    if let Some(digest) = file.sha256.as_ref().filter(|digest| **digest != is) {
        return Err(Error::Hub(HubError::Corrupt(format!(
            "{}: its SHA-256 is {is} when unpacked, but the manifest says {digest}; the file was refused and removed",
            file.name
        ))));
    }
    out.as_file().sync_all().map_err(|e| Error::io(target, e))?;
    let kept = out.persist(target).map_err(|e| Error::io(target, e.error))?;
    // A temporary file is its owner's alone; a model in a cache is read by whoever reads the cache.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        kept.set_permissions(std::fs::Permissions::from_mode(0o644)).map_err(|e| Error::io(target, e))?;
    }
    drop(kept);
    Ok(())
}
