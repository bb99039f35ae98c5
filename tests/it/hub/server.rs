//! A loopback server that speaks the Hub's protocol and misbehaves on request.
use anubad::hub::pull::{Snapshot, pull};
use anubad::hub::{Client, HubConfig};
use anubad::manifest::HubSource;
use sha2::Digest;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const REPO: &str = "org/toy";
pub const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// One misbehavior, used up by one request for the file.
#[derive(Clone)]
pub enum Fault {
    Status(u16, &'static str),
    /// The full length is announced, so many bytes come, the connection ends.
    Cut(usize),
    /// Bytes that are not the file's.
    Wrong,
    /// The range is ignored: everything, from the start.
    Whole,
    /// So many bytes, then silence until the client is gone.
    Stall(usize),
    /// The bytes in small pieces with pauses between.
    Slow,
    /// To the same path on another address.
    Redirect(String),
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub headers: HashMap<String, String>,
}

#[derive(Default)]
pub struct State {
    pub files: BTreeMap<String, Vec<u8>>,
    /// Files that the Hub keeps in LFS, with SHA-256; the others have git's digest.
    lfs: Vec<String>,
    faults: HashMap<String, VecDeque<Fault>>,
    pub seen: Vec<Seen>,
    /// The listing names neither sizes nor digests, as plain mirrors do.
    pub bare: bool,
    pub api_status: Option<(u16, &'static str)>,
}

/// A Hub with one repository.
pub struct FakeHub {
    pub address: String,
    pub state: Arc<Mutex<State>>,
}

impl FakeHub {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                std::thread::spawn(move || drop(answer(stream, &shared)));
            }
        });
        let hub = Self { address, state };
        hub.add("config.json", br#"{"model_type": "toy"}"#, false);
        hub.add("weights.bin", &pattern(300_000), true);
        hub
    }

    pub fn add(&self, name: &str, bytes: &[u8], lfs: bool) {
        let mut state = self.state.lock().unwrap();
        state.files.insert(name.into(), bytes.into());
        if lfs {
            state.lfs.push(name.into());
        }
    }

    pub fn fault(&self, file: &str, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().faults.entry(file.into()).or_default().extend(faults);
    }

    /// Requests for a file's bytes.
    pub fn requests(&self, file: &str) -> Vec<Seen> {
        let end = format!("/{file}");
        self.state.lock().unwrap().seen.iter().filter(|s| s.path.ends_with(&end)).cloned().collect()
    }

    pub fn config(&self, cache: &Path) -> HubConfig {
        let mut config = HubConfig::from_lookup(&|_| None);
        config.cache = cache.to_path_buf();
        config.endpoint = self.address.clone();
        config.network.tries = 3;
        config.network.first_wait = Duration::from_millis(5);
        config.network.longest_wait = Duration::from_millis(20);
        config.network.silence = Duration::from_millis(500);
        config
    }

    pub fn pull(&self, cache: &Path) -> anubad::Result<Snapshot> {
        self.pull_with(self.config(cache))
    }

    pub fn pull_with(&self, config: HubConfig) -> anubad::Result<Snapshot> {
        pull(&Client::new(config)?, &source(), &mut |_| {})
    }
}

pub fn source() -> HubSource {
    HubSource {
        repo: REPO.into(),
        revision: "main".into(),
        weights: vec!["absent.safetensors".into(), "weights.bin".into()],
        files: vec!["config.json".into()],
        optional: vec!["absent.json".into()],
        sha256: BTreeMap::new(),
    }
}

/// Bytes with no short period, so that a part in the wrong place shows.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 21) as u8).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

pub fn git_digest(bytes: &[u8]) -> String {
    let mut hasher = sha1::Sha1::new();
    hasher.update(format!("blob {}\0", bytes.len()));
    hasher.update(bytes);
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

fn answer(mut stream: TcpStream, shared: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().split('?').next().unwrap_or_default().to_owned();
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line)?;
            match line.trim_end().split_once(": ") {
                Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.to_owned()),
                None => break,
            };
        }
        shared.lock().unwrap().seen.push(Seen { path: path.clone(), headers: headers.clone() });
        if path.starts_with("/api/") {
            list(&mut stream, shared)?;
        } else {
            serve(&mut stream, shared, &path, headers.get("range"))?;
        }
    }
}

fn reply(stream: &mut TcpStream, status: u16, headers: &[(&str, String)], length: usize) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} Status\r\ncontent-length: {length}\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())
}

fn list(stream: &mut TcpStream, shared: &Mutex<State>) -> std::io::Result<()> {
    let body = {
        let state = shared.lock().unwrap();
        if let Some((status, code)) = state.api_status {
            return reply(stream, status, &[("x-error-code", code.into())], 0);
        }
        let files: Vec<serde_json::Value> = state
            .files
            .iter()
            .map(|(name, bytes)| match (state.bare, state.lfs.contains(name)) {
                (true, _) => serde_json::json!({ "rfilename": name }),
                (false, true) => serde_json::json!({ "rfilename": name, "size": bytes.len(), "blobId": "f".repeat(40),
                    "lfs": { "sha256": sha256(bytes), "size": bytes.len(), "pointerSize": 130 } }),
                (false, false) => {
                    serde_json::json!({ "rfilename": name, "size": bytes.len(), "blobId": git_digest(bytes) })
                }
            })
            .collect();
        serde_json::json!({ "id": REPO, "sha": COMMIT, "siblings": files }).to_string()
    };
    reply(stream, 200, &[], body.len())?;
    stream.write_all(body.as_bytes())
}

fn serve(stream: &mut TcpStream, shared: &Mutex<State>, path: &str, range: Option<&String>) -> std::io::Result<()> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let (mut bytes, lfs, fault) = {
        let mut state = shared.lock().unwrap();
        let Some(bytes) = state.files.get(name).cloned() else { return reply(stream, 404, &[], 0) };
        let fault = state.faults.get_mut(name).and_then(VecDeque::pop_front);
        (bytes, state.lfs.iter().any(|n| n == name), fault)
    };
    let etag = if lfs { sha256(&bytes) } else { git_digest(&bytes) };
    let mut headers = vec![("x-repo-commit", COMMIT.to_owned()), ("etag", format!("\"{etag}\""))];
    match &fault {
        Some(Fault::Status(status, code)) => return reply(stream, *status, &[("x-error-code", (*code).into())], 0),
        Some(Fault::Redirect(to)) => {
            headers.push(("location", format!("{to}{path}?signature=secret")));
            headers.push(("x-linked-etag", format!("\"{etag}\"")));
            return reply(stream, 302, &headers, 0);
        }
        Some(Fault::Wrong) => bytes.iter_mut().for_each(|b| *b ^= 1),
        _ => {}
    }
    let from = range.and_then(|r| r.strip_prefix("bytes=")?.split('-').next()?.parse::<usize>().ok());
    let from = from.filter(|_| !matches!(fault, Some(Fault::Whole))).unwrap_or(0);
    let status = if from > 0 { 206 } else { 200 };
    if from > 0 {
        headers.push(("content-range", format!("bytes {from}-{}/{}", bytes.len() - 1, bytes.len())));
    }
    let body = &bytes[from..];
    reply(stream, status, &headers, body.len())?;
    match fault {
        Some(Fault::Cut(count)) => {
            stream.write_all(&body[..count.min(body.len())])?;
            stream.shutdown(std::net::Shutdown::Both)
        }
        Some(Fault::Stall(count)) => {
            stream.write_all(&body[..count.min(body.len())])?;
            let _ = stream.read(&mut [0]); // until the client is gone
            Ok(())
        }
        Some(Fault::Slow) => body.chunks(body.len() / 10 + 1).try_for_each(|part| {
            std::thread::sleep(Duration::from_millis(30));
            stream.write_all(part)
        }),
        _ => stream.write_all(body),
    }
}

pub fn blob(cache: &Path, digest: &str) -> std::path::PathBuf {
    cache.join("models--org--toy/blobs").join(digest)
}
