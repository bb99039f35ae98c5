//! One file from the Hub into the cache: locked, resumed, counted, hashed, renamed.
use super::HubError;
use super::cache::RepoCache;
use super::client::{Client, Digest, Failure, Opened, RemoteFile, check_status, shown_url};
use super::pull::human;
use super::sums;
use crate::{Error, Result};
use sha2::Digest as _;
use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const CHUNK: usize = 256 << 10;
/// So often the disk is asked whether there is still room.
const LOOK: u64 = 256 << 20;

/// What happens during a download, for a progress display.
#[derive(Debug)]
pub enum Event<'a> {
    /// What will be fetched in all, partial files already deducted.
    Plan {
        /// Number of files.
        files: usize,
        /// Their bytes.
        bytes: u64,
    },
    /// Another process downloads this file; its end is awaited.
    Waiting {
        /// Its name in the repository.
        file: &'a str,
    },
    /// A file begins, `done` bytes of it being there from an earlier try.
    Start {
        /// Its name in the repository.
        file: &'a str,
        /// Its bytes, where the server says.
        size: Option<u64>,
        /// Bytes that are there.
        done: u64,
    },
    /// So many bytes of the file are there now.
    Progress {
        /// Bytes that are there.
        done: u64,
    },
    /// A request failed and is made again after `wait`.
    Retry {
        /// The file's name in the repository.
        file: &'a str,
        /// What failed.
        why: &'a Error,
        /// Until the next try.
        wait: Duration,
    },
    /// A file is complete and its digest is right.
    Finished {
        /// Its name in the repository.
        file: &'a str,
    },
}

/// Hears of events.
pub type Observer<'a> = dyn FnMut(Event<'_>) + 'a;

/// Downloads one file of a commit unless the cache has it, and links it into the commit's snapshot.
/// `sha256` is the manifest's own digest, checked besides the Hub's.
pub(super) fn fetch(
    client: &Client,
    cache: &RepoCache,
    repo: &str,
    commit: &str,
    file: &RemoteFile,
    sha256: Option<&str>,
    observer: &mut Observer<'_>,
) -> Result<PathBuf> {
    let url = client.file_url(repo, commit, &file.name);
    let digest = match &file.digest {
        Some(digest) => digest.clone(),
        None => ask_digest(client, &url, repo)?
            .or_else(|| sha256.map(|hex| Digest::Sha256(hex.to_owned())))
            .ok_or_else(|| {
                Error::Hub(HubError::Corrupt(format!(
                    "{}: the server names no digest, so it cannot be checked; use another HF_ENDPOINT",
                    file.name
                )))
            })?,
    };
    let wanted = [Some(digest.clone()), sha256.map(|hex| Digest::Sha256(hex.to_owned()))];
    if let (Digest::Sha256(hub), Some(manifest)) = (&digest, sha256)
        && hub != manifest
    {
        return Err(Error::Hub(HubError::Corrupt(format!(
            "{}: the Hub's SHA-256 is {hub}, the manifest's {manifest}; the file has changed on the Hub and is refused; \
             look for an update of anubad or correct the manifest",
            file.name
        ))));
    }
    let blob = cache.blob(digest.hex());
    let _lock = lock(&cache.lock(digest.hex()), client.config.network.lock_wait, &file.name, observer)?;
    let wanted: Vec<Digest> = wanted.into_iter().flatten().collect();
    let wanted_names: Vec<String> = wanted.iter().map(|digest| digest.hex().to_owned()).collect();
    if blob.exists() {
        // The blob's name is the Hub's digest; the manifest's may be another kind.
        let other = wanted.iter().find(|w| std::mem::discriminant(*w) != std::mem::discriminant(&digest));
        if let Some(other) = other {
            let is = hash_file(&blob, other)?;
            if is != other.hex() {
                return Err(wrong_digest(&file.name, &is, other));
            }
        }
    } else {
        let parent = blob.parent().unwrap_or(&blob);
        std::fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
        Transfer { client, url, repo, name: &file.name, size: file.size, wanted, partial: partial_path(&blob) }
            .run(&blob, observer)?;
    }
    sums::remember(&client.config, &blob, &wanted_names);
    observer(Event::Finished { file: &file.name });
    cache.link(commit, &file.name, digest.hex())
}

/// Downloads `url` to `target`, which appears only when its SHA-256 is right. `file`: its name for the reader, its size
/// where known.
pub(super) fn fetch_to(
    client: &Client,
    url: &str,
    (name, size): (&str, Option<u64>),
    sha256: &str,
    target: &Path,
    observer: &mut Observer<'_>,
) -> Result<()> {
    let mut locked = target.as_os_str().to_owned();
    locked.push(".lock");
    let locked = PathBuf::from(locked);
    let lock = lock(&locked, client.config.network.lock_wait, name, observer)?;
    if !target.is_file() {
        let wanted = vec![Digest::Sha256(sha256.to_owned())];
        let partial = partial_path(target);
        let server = url.split('/').nth(2).unwrap_or(url);
        Transfer { client, url: url.to_owned(), repo: server, name, size, wanted, partial }.run(target, observer)?;
    }
    drop(lock);
    // Whoever waits for it holds the file open; a name that is gone harms nobody.
    let _ = std::fs::remove_file(&locked);
    Ok(())
}

fn wrong_digest(name: &str, is: &str, want: &Digest) -> Error {
    let kind = if matches!(want, Digest::Sha256(_)) { "SHA-256" } else { "git digest" };
    Error::Hub(HubError::Corrupt(format!(
        "{name}: its {kind} is {is}, but should be {}; the file was refused and removed; run the same command again, \
         and if it happens twice, don't trust the source",
        want.hex()
    )))
}

/// Where a blob grows; the name that Python's tools use too.
pub(super) fn partial_path(blob: &Path) -> PathBuf {
    let mut name = blob.as_os_str().to_owned();
    name.push(".incomplete");
    name.into()
}

/// The digest that the file's own headers state.
fn ask_digest(client: &Client, url: &str, repo: &str) -> Result<Option<Digest>> {
    client.retrying(&mut |_, _| {}, &mut || {
        let opened = client.open(url, 0)?;
        check_status(&opened.response, &shown_url(url), repo)?;
        Ok(opened.digest)
    })
}

/// Takes the lock of a blob, waiting for whoever holds it. Dropping the file frees it, and so does a killed process.
fn lock(path: &Path, patience: Duration, name: &str, observer: &mut Observer<'_>) -> Result<File> {
    let parent = path.parent().unwrap_or(path);
    std::fs::create_dir_all(parent).map_err(|e| Error::io(parent, e))?;
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(path).map_err(|e| Error::io(path, e))?;
    let start = Instant::now();
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::Error(e)) => return Err(Error::io(path, e)),
            Err(std::fs::TryLockError::WouldBlock) if start.elapsed() >= patience => {
                return Err(Error::Hub(HubError::Busy(format!(
                    "{name}: another process has been downloading it for {} s; wait for it or end it, then run the command again",
                    start.elapsed().as_secs()
                ))));
            }
            Err(std::fs::TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut told, true) {
                    observer(Event::Waiting { file: name });
                }
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

/// A file on its way.
struct Transfer<'a> {
    client: &'a Client,
    url: String,
    repo: &'a str,
    name: &'a str,
    size: Option<u64>,
    wanted: Vec<Digest>,
    partial: PathBuf,
}

/// The partial file and the hashes of what is in it.
struct Sink {
    file: File,
    done: u64,
    hashers: Vec<Hasher>,
}

enum Hasher {
    Sha256(sha2::Sha256),
    Git(sha1::Sha1),
}

impl Hasher {
    /// Git's hash begins with the size, which must be known by then.
    fn new(digest: &Digest, size: Option<u64>) -> Self {
        match digest {
            Digest::Sha256(_) => Hasher::Sha256(sha2::Sha256::new()),
            Digest::Git(_) => {
                let mut hasher = sha1::Sha1::new();
                hasher.update(format!("blob {}\0", size.unwrap_or(0)));
                Hasher::Git(hasher)
            }
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Hasher::Sha256(h) => h.update(bytes),
            Hasher::Git(h) => h.update(bytes),
        }
    }

    fn hex(self) -> String {
        match self {
            Hasher::Sha256(h) => hex(&h.finalize()),
            Hasher::Git(h) => hex(&h.finalize()),
        }
    }
}

/// Bytes of disk that are left free.
const SPARE: u64 = 32 << 20;

/// The cache's disk has room for so many bytes.
pub(super) fn room_for(config: &super::HubConfig, bytes: u64) -> Result<()> {
    let free = match config.pretend_free {
        Some(free) => free,
        None => fs4::available_space(&config.cache).map_err(|e| Error::io(&config.cache, e))?,
    };
    if bytes == 0 || bytes.saturating_add(SPARE) <= free {
        return Ok(());
    }
    Err(Error::Hub(HubError::NoSpace(format!(
        "{}: {} are needed and {} are free; free some space, or set HF_HOME to a folder on another disk",
        config.cache.display(),
        human(bytes.saturating_add(SPARE)),
        human(free)
    ))))
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// Hashes a whole file as `digest` is to be read, and returns the hex digits.
pub(super) fn hash_file(path: &Path, digest: &Digest) -> Result<String> {
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let size = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let mut hasher = Hasher::new(digest, Some(size));
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer).map_err(|e| Error::io(path, e))? {
            0 => return Ok(hasher.hex()),
            n => hasher.update(&buffer[..n]),
        }
    }
}

impl Transfer<'_> {
    /// Fetches the bytes, checks them and moves them to `blob`. A digest that is wrong after a resumed download
    /// may be the fault of the part that was there: the file is then fetched once more from the start.
    fn run(mut self, blob: &Path, observer: &mut Observer<'_>) -> Result<()> {
        loop {
            let (sink, resumed) = self.receive(observer)?;
            let Sink { file, hashers, .. } = sink;
            let wrong = hashers.into_iter().map(Hasher::hex).zip(&self.wanted).find(|(is, want)| is != want.hex());
            let Some((is, want)) = wrong else {
                file.sync_all().map_err(|e| Error::io(&self.partial, e))?;
                return std::fs::rename(&self.partial, blob).map_err(|e| Error::io(blob, e));
            };
            drop(file);
            std::fs::remove_file(&self.partial).map_err(|e| Error::io(&self.partial, e))?;
            if !resumed {
                return Err(wrong_digest(self.name, &is, want));
            }
        }
    }

    /// All bytes of the file in the partial file; whether some were there before.
    fn receive(&mut self, observer: &mut Observer<'_>) -> Result<(Sink, bool)> {
        let mut sink = self.open_partial()?;
        let mut resumed = sink.done > 0;
        let mut most = sink.done;
        let network = self.client.config.network.clone();
        let (mut failures, mut wait) = (0, network.first_wait);
        observer(Event::Start { file: self.name, size: self.size, done: sink.done });
        loop {
            if self.size == Some(sink.done) {
                return Ok((sink, resumed));
            }
            let failure = match self.attempt(&mut sink, observer) {
                Ok(()) => return Ok((sink, resumed)),
                Err(failure) => failure,
            };
            if sink.done > most {
                (most, failures, wait) = (sink.done, 0, network.first_wait);
            }
            failures += 1;
            if !failure.again || failures >= network.tries.max(1) {
                return Err(*failure.error);
            }
            resumed |= sink.done > 0;
            let pause = failure.wait.unwrap_or(wait).min(network.longest_wait);
            observer(Event::Retry { file: self.name, why: &failure.error, wait: pause });
            std::thread::sleep(pause);
            wait = (wait * 2).min(network.longest_wait);
        }
    }

    /// One request: the rest of the file, or as much of it as arrives.
    fn attempt(&mut self, sink: &mut Sink, observer: &mut Observer<'_>) -> Result<(), Failure> {
        let Opened { mut response, .. } = self.client.open(&self.url, sink.done)?;
        if response.status().as_u16() == 416 {
            self.restart(sink)?;
            return Err(Failure::passing(HubError::Unreachable {
                text: format!("{}: the server has fewer bytes than were resumed from; started again", self.name),
                source: None,
            }));
        }
        check_status(&response, self.name, self.repo)?;
        let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
        let starts_at = match (response.status().as_u16(), header("content-range")) {
            (206, Some(range)) => range.strip_prefix("bytes ").and_then(|r| r.split('-').next()?.parse::<u64>().ok()),
            (206, None) => None,
            _ => Some(0),
        };
        if let (None, 206, Some(range)) = (self.size, response.status().as_u16(), header("content-range")) {
            self.size = range.rsplit('/').next().and_then(|total| total.parse().ok());
        }
        if self.size.is_none() && response.status().as_u16() == 200 {
            self.size = header("content-length").and_then(|v| v.parse().ok());
            if self.size.is_none() {
                return Err(Failure::fatal(HubError::Corrupt(format!(
                    "{}: the server does not say how large it is, so it could fill the disk; it was not fetched: use \
                     another HF_ENDPOINT",
                    self.name
                ))));
            }
            self.check_room(sink.done)?;
            self.restart(sink)?; // git's digest begins with the size, unknown until now
        } else if starts_at != Some(sink.done) {
            self.restart(sink)?;
            if starts_at != Some(0) {
                return Err(Failure::passing(HubError::Unreachable {
                    text: format!("{}: the server sent another part than was asked for", self.name),
                    source: None,
                }));
            }
        }
        let mut reader = response.body_mut().with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = reader.read(&mut buffer).map_err(|e| {
                Failure::passing(HubError::Unreachable {
                    text: format!("{}: the connection broke ({e}); run the same command again to resume", self.name),
                    source: Some(e.into()),
                })
            })?;
            if count == 0 {
                break;
            }
            self.store(sink, &buffer[..count])?;
            observer(Event::Progress { done: sink.done });
        }
        match self.size {
            Some(size) if sink.done < size => Err(Failure::passing(HubError::Unreachable {
                text: format!(
                    "{}: the connection ended after {} of {size} bytes; run the same command again to resume",
                    self.name, sink.done
                ),
                source: None,
            })),
            _ => Ok(()),
        }
    }

    fn store(&self, sink: &mut Sink, bytes: &[u8]) -> Result<(), Failure> {
        if self.size.is_some_and(|size| sink.done + bytes.len() as u64 > size) {
            return Err(Failure::fatal(HubError::Corrupt(format!(
                "{}: the server sends more than the {} bytes that it announced",
                self.name,
                self.size.unwrap_or(0)
            ))));
        }
        if sink.done / LOOK != (sink.done + bytes.len() as u64) / LOOK {
            self.check_room(sink.done)?;
        }
        sink.file.write_all(bytes).map_err(|e| self.disk(e))?;
        sink.hashers.iter_mut().for_each(|h| h.update(bytes));
        sink.done += bytes.len() as u64;
        Ok(())
    }

    /// The rest of the file has room on the disk.
    fn check_room(&self, done: u64) -> Result<(), Failure> {
        let config = &self.client.config;
        let rest = self.size.unwrap_or(0).saturating_sub(done);
        room_for(config, rest).map_err(|error| Failure { error: Box::new(error), again: false, wait: None })
    }

    fn disk(&self, error: std::io::Error) -> Failure {
        Failure { error: Box::new(Error::io(&self.partial, error)), again: false, wait: None }
    }

    /// The partial file, opened at its end, with the hashes of what it holds.
    fn open_partial(&self) -> Result<Sink> {
        let fail = |e| Error::io(&self.partial, e);
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(false).read(true).write(true).open(&self.partial).map_err(fail)?;
        let mut there = file.metadata().map_err(fail)?.len();
        // git's digest begins with the size, so that without it nothing that is there can be counted in.
        let countable = self.wanted.iter().all(|digest| matches!(digest, Digest::Sha256(_)));
        if self.size.map_or(!countable, |size| there > size) {
            file.set_len(0).map_err(fail)?;
            there = 0;
        }
        let mut hashers: Vec<Hasher> = self.wanted.iter().map(|d| Hasher::new(d, self.size)).collect();
        let mut buffer = vec![0; CHUNK];
        let mut done = 0;
        while done < there {
            match file.read(&mut buffer).map_err(fail)? {
                0 => break,
                n => {
                    hashers.iter_mut().for_each(|h| h.update(&buffer[..n]));
                    done += n as u64;
                }
            }
        }
        Ok(Sink { file, done, hashers })
    }

    fn restart(&self, sink: &mut Sink) -> Result<(), Failure> {
        sink.file.set_len(0).and_then(|()| sink.file.seek(SeekFrom::Start(0))).map_err(|e| self.disk(e))?;
        sink.hashers = self.wanted.iter().map(|d| Hasher::new(d, self.size)).collect();
        sink.done = 0;
        Ok(())
    }
}
