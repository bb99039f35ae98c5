//! The second source: a model file inside a wheel on PyPI, for places that reach PyPI but not the Hub.
//!
//! pip fetches the wheel where there is a pip, since it knows the user's index, mirror, proxy and certificates; otherwise
//! the index is asked directly.
use super::HubError;
use super::client::{Client, Digest, RemoteFile, check_status};
use super::config::HubConfig;
use super::download::{Event, Observer, hash_file};
use crate::manifest::{Manifest, PypiSource};
use crate::{Error, Result};
use serde::Deserialize;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Ways to call pip, the first that answers being taken.
const PIP: [&[&str]; 4] = [&["python3", "-m", "pip"], &["pip3"], &["python", "-m", "pip"], &["pip"]];

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
///
/// # Errors
/// No such package or version, no network, a digest that differs.
pub fn pull(client: &Client, source: &PypiSource, observer: &mut Observer<'_>) -> Result<PathBuf> {
    let target = place(&client.config, source);
    if target.is_file() {
        return Ok(target);
    }
    let folder = target.parent().unwrap_or(&target);
    std::fs::create_dir_all(folder).map_err(|e| Error::io(folder, e))?;
    let (archive, wheel) = match fetch_with_pip(source, folder, observer) {
        Ok(Some(fetched)) => fetched,
        Ok(None) => fetch_directly(client, source, folder, observer)?,
        // a pip that is broken or set up for another index must not stand in the way
        Err(why) => fetch_directly(client, source, folder, observer)
            .map_err(|e| Error::Hub(HubError::Index(format!("{why}; {e}"))))?,
    };
    let extracted = extract(&archive, source, &target);
    std::fs::remove_file(&archive).map_err(|e| Error::io(&archive, e))?;
    extracted?;
    observer(Event::Finished { file: &wheel });
    Ok(target)
}

/// The second source, where the first failed with `error`: the file, and a line for the user.
///
/// # Errors
/// `error` where the manifest names no second source, both where that fails, too.
pub fn pull_instead(
    client: &Client,
    manifest: &Manifest,
    error: Error,
    observer: &mut Observer<'_>,
) -> Result<(PathBuf, String)> {
    let Some(source) = manifest.pypi() else { return Err(error) };
    match pull(client, source, observer) {
        Ok(path) => Ok((path, format!("{error}; taken from PyPI instead ({} {})", source.package, source.version))),
        Err(second) => Err(Error::Hub(HubError::Index(format!("{error}; nor does PyPI give it: {second}")))),
    }
}

/// The wheel and its name as pip fetched it (which checks the index's digest); `None` where there is no pip.
fn fetch_with_pip(
    source: &PypiSource,
    folder: &Path,
    observer: &mut Observer<'_>,
) -> Result<Option<(PathBuf, String)>> {
    let name = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-+!".contains(&b))
    };
    if !name(&source.package) || !name(&source.version) {
        return Err(Error::Hub(HubError::Index(format!(
            "{} {}: no package's name and version",
            source.package, source.version
        ))));
    }
    let answers = |command: &&&[&str]| {
        let mut version = Command::new(command[0]);
        version.args(&command[1..]).arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        version.status().is_ok_and(|status| status.success())
    };
    let Some(pip) = PIP.iter().find(answers) else { return Ok(None) };
    let wanted = format!("{}=={}", source.package, source.version);
    let into = tempfile::tempdir_in(folder).map_err(|e| Error::io(folder, e))?;
    observer(Event::Start { file: &wanted, size: None, done: 0 });
    let output = Command::new(pip[0])
        .args(&pip[1..])
        .args(["download", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary", ":all:", "--dest"])
        .arg(into.path())
        .arg(&wanted)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| Error::Hub(HubError::Index(format!("pip does not start: {e}"))))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let last = words.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given");
        return Err(Error::Hub(HubError::Index(format!("pip download {wanted}: {}", last.trim()))));
    }
    let entries = std::fs::read_dir(into.path()).map_err(|e| Error::io(into.path(), e))?;
    let wheel = entries.flatten().map(|e| e.path()).find(|path| path.extension().is_some_and(|e| e == "whl"));
    let wheel = wheel.ok_or_else(|| Error::Hub(HubError::Index(format!("pip download {wanted}: brought no wheel"))))?;
    let archive = folder.join(format!("{wanted}.incomplete"));
    std::fs::rename(&wheel, &archive).map_err(|e| Error::io(&wheel, e))?;
    Ok(Some((archive, wanted)))
}

/// The wheel and its name straight from the index.
fn fetch_directly(
    client: &Client,
    source: &PypiSource,
    folder: &Path,
    observer: &mut Observer<'_>,
) -> Result<(PathBuf, String)> {
    let index = format!("{}/{}/", client.config.pypi_index, source.package);
    let text = client.text(&index, "application/vnd.pypi.simple.v1+json")?;
    let project: Project = serde_json::from_str(&text).map_err(|e| {
        Error::Hub(HubError::Index(format!("{index}: no package index in JSON ({e}); check PIP_INDEX_URL")))
    })?;
    let wanted = format!("{}-{}-", source.package.replace('-', "_"), source.version);
    let wheel = project.files.into_iter().find(|f| f.filename.starts_with(&wanted) && f.filename.ends_with(".whl"));
    let wheel = wheel.ok_or_else(|| {
        Error::Hub(HubError::Index(format!("{index}: no wheel of version {}; correct the manifest", source.version)))
    })?;
    let sha256 = wheel.hashes.get("sha256").cloned().ok_or_else(|| {
        Error::Hub(HubError::Index(format!(
            "{}: the index names no SHA-256, so it cannot be checked; use another PIP_INDEX_URL",
            wheel.filename
        )))
    })?;
    let archive = folder.join(format!("{}.incomplete", wheel.filename));
    observer(Event::Plan { files: 1, bytes: wheel.size.unwrap_or(0) });
    let file = RemoteFile { name: wheel.filename, size: wheel.size, digest: Some(Digest::Sha256(sha256)) };
    download(client, &absolute(&index, &wheel.url), &file, &archive, observer)?;
    Ok((archive, file.name))
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
            let count = reader.read(&mut buffer).map_err(|e| {
                Failure::passing(HubError::Unreachable {
                    text: format!("{name}: the connection broke ({e}); try again"),
                    source: Some(e.into()),
                })
            })?;
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
        return Err(Error::Hub(HubError::Index(format!(
            "{name}: its SHA-256 is {is}, but should be {}; the file was refused and removed",
            digest.hex()
        ))));
    }
    Ok(())
}

/// Takes the model's file out of the wheel and checks it against the manifest; the target appears only when it is
/// whole and right.
fn extract(archive: &Path, source: &PypiSource, target: &Path) -> Result<()> {
    let member = source.member.as_str();
    let damaged = |e: zip::result::ZipError| {
        Error::Hub(HubError::Index(format!(
            "{}: {member} cannot be read from it ({e}); correct the manifest",
            archive.display()
        )))
    };
    let mut zip = zip::ZipArchive::new(File::open(archive).map_err(|e| Error::io(archive, e))?).map_err(damaged)?;
    let mut from = zip.by_name(member).map_err(damaged)?;
    let partial = target.with_extension("incomplete");
    let mut to = File::create(&partial).map_err(|e| Error::io(&partial, e))?;
    std::io::copy(&mut from, &mut to).and_then(|_| to.sync_all()).map_err(|e| Error::io(&partial, e))?;
    if let Some(sha256) = &source.sha256 {
        let digest = Digest::Sha256(sha256.to_ascii_lowercase());
        let is = hash_file(&partial, &digest)?;
        if is != digest.hex() {
            std::fs::remove_file(&partial).map_err(|e| Error::io(&partial, e))?;
            return Err(Error::Hub(HubError::Index(format!(
                "{member}: its SHA-256 is {is}, but the manifest says {}; the file was refused and removed",
                digest.hex()
            ))));
        }
    }
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
