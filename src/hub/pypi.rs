//! The second source: a model file inside a wheel on PyPI, for places that reach PyPI but not the Hub.
use super::client::{Client, Digest, RemoteFile, check_status};
use super::config::HubConfig;
use super::download::{Event, Observer, hash_file};
use super::manifest::{Manifest, PypiSource};
use crate::{Error, Result};
use serde::Deserialize;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Where a wheel's file is kept: beside the Hub's repositories, under a name that their tools leave alone.
fn place(config: &HubConfig, source: &PypiSource) -> PathBuf {
    let name = source.member.rsplit('/').next().unwrap_or(&source.member);
    config.cache.join("anubad--pypi").join(format!("{}-{}", source.package, source.version)).join(name)
}

/// The file, if it has been pulled.
pub fn find(config: &HubConfig, manifest: &Manifest) -> Option<PathBuf> {
    manifest.pypi().map(|source| place(config, source)).filter(|path| path.is_file())
}

/// PyPI's answer in its JSON form (PEP 691).
#[derive(Deserialize)]
struct Project {
    files: Vec<Wheel>,
}

#[derive(Deserialize)]
struct Wheel {
    filename: String,
    url: String,
    size: Option<u64>,
    #[serde(default)]
    hashes: std::collections::HashMap<String, String>,
}

/// Downloads the wheel, checks its digest and takes the model's file out of it.
pub fn pull(client: &Client, source: &PypiSource, observer: &mut Observer<'_>) -> Result<PathBuf> {
    let target = place(&client.config, source);
    if target.is_file() {
        return Ok(target);
    }
    let index = format!("{}/{}/", client.config.pypi_index, source.package);
    let text = client.text(&index, "application/vnd.pypi.simple.v1+json")?;
    let project: Project = serde_json::from_str(&text)
        .map_err(|e| Error::Hub(format!("{index}: no package index in JSON ({e}); check PIP_INDEX_URL")))?;
    let wanted = format!("{}-{}-", source.package.replace('-', "_"), source.version);
    let wheel = project.files.into_iter().find(|f| f.filename.starts_with(&wanted) && f.filename.ends_with(".whl"));
    let wheel = wheel
        .ok_or_else(|| Error::Hub(format!("{index}: no wheel of version {}; correct the manifest", source.version)))?;
    let sha256 = wheel.hashes.get("sha256").cloned().ok_or_else(|| {
        Error::Hub(format!(
            "{}: the index names no SHA-256, so it cannot be checked; use another PIP_INDEX_URL",
            wheel.filename
        ))
    })?;
    let folder = target.parent().unwrap_or(&target);
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let archive = folder.join(format!("{}.incomplete", wheel.filename));
    observer(Event::Plan { files: 1, bytes: wheel.size.unwrap_or(0) });
    let file = RemoteFile { name: wheel.filename, size: wheel.size, digest: Some(Digest::Sha256(sha256)) };
    download(client, &absolute(&index, &wheel.url), &file, &archive, observer)?;
    extract(&archive, &source.member, &target)?;
    std::fs::remove_file(&archive).map_err(|e| Error::io(&archive, e))?;
    observer(Event::Finished { file: &file.name });
    Ok(target)
}

/// Addresses in the index may be relative to it.
fn absolute(index: &str, url: &str) -> String {
    let url = url.split('#').next().unwrap_or(url);
    if url.starts_with("http://") || url.starts_with("https://") {
        return url.to_owned();
    }
    let host_end =
        index.find("://").and_then(|at| index[at + 3..].find('/').map(|end| at + 3 + end)).unwrap_or(index.len());
    if url.starts_with('/') {
        return format!("{}{url}", &index[..host_end]);
    }
    let mut base: Vec<&str> = index[host_end..].trim_matches('/').split('/').collect();
    let mut rest = url;
    while let Some(after) = rest.strip_prefix("../") {
        base.pop();
        rest = after;
    }
    base.push(rest);
    base.retain(|part| !part.is_empty());
    format!("{}/{}", &index[..host_end], base.join("/"))
}

/// A plain download from the start: wheels are small beside checkpoints.
fn download(client: &Client, url: &str, file: &RemoteFile, to: &Path, observer: &mut Observer<'_>) -> Result<()> {
    let name = file.name.as_str();
    observer(Event::Start { file: name, size: file.size, done: 0 });
    client.retrying(&mut |_, _| {}, &mut || {
        use super::client::Failure;
        let disk = |e| Failure { error: Box::new(Error::io(to, e)), again: false, wait: None };
        let mut opened = client.open(url, 0)?;
        check_status(&opened.response, name, name)?;
        let mut out = File::create(to).map_err(disk)?;
        let mut reader = opened.response.body_mut().with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; 256 << 10];
        let mut done = 0;
        loop {
            let count = reader
                .read(&mut buffer)
                .map_err(|e| Failure::passing(format!("{name}: the connection broke ({e}); try again")))?;
            if count == 0 {
                return Ok(());
            }
            out.write_all(&buffer[..count]).map_err(disk)?;
            done += count as u64;
            observer(Event::Progress { done });
        }
    })?;
    let Some(digest) = &file.digest else { return Ok(()) };
    let is = hash_file(to, digest)?;
    if is != digest.hex() {
        std::fs::remove_file(to).map_err(|e| Error::io(to, e))?;
        return Err(Error::Hub(format!(
            "{name}: its SHA-256 is {is}, but should be {}; the file was refused and removed",
            digest.hex()
        )));
    }
    Ok(())
}

/// Takes one member out of a wheel; the target appears only when it is whole.
fn extract(archive: &Path, member: &str, target: &Path) -> Result<()> {
    let damaged = |e: zip::result::ZipError| {
        Error::Hub(format!("{}: {member} cannot be read from it ({e}); correct the manifest", archive.display()))
    };
    let mut zip = zip::ZipArchive::new(File::open(archive).map_err(|e| Error::io(archive, e))?).map_err(damaged)?;
    let mut from = zip.by_name(member).map_err(damaged)?;
    let partial = target.with_extension("incomplete");
    let mut to = File::create(&partial).map_err(|e| Error::io(&partial, e))?;
    std::io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).map_err(|e| Error::io(&partial, e))?;
    std::fs::rename(&partial, target).map_err(|e| Error::io(target, e))
}

#[cfg(test)]
mod tests {
    use super::absolute;

    #[test]
    fn wheel_addresses() {
        let index = "https://host/simple/pkg/";
        assert_eq!(absolute(index, "https://files/x.whl#sha256=1"), "https://files/x.whl");
        assert_eq!(absolute(index, "/packages/x.whl"), "https://host/packages/x.whl");
        assert_eq!(absolute(index, "../../packages/x.whl"), "https://host/packages/x.whl");
        assert_eq!(absolute("https://host/root/simple/pkg/", "../../f/x.whl"), "https://host/root/f/x.whl");
    }
}
