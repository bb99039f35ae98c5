//! Downloads against a loopback server that speaks the Hub's protocol and misbehaves on request.
use anubad::hub::manifest::HubSource;
use anubad::hub::pull::{Snapshot, pull};
use anubad::hub::{Client, Event, HubConfig};
use sha2::Digest;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const REPO: &str = "org/toy";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// One misbehaviour, used up by one request for the file.
#[derive(Clone)]
enum Fault {
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
struct Seen {
    path: String,
    headers: HashMap<String, String>,
}

#[derive(Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// Files that the Hub keeps in LFS, with SHA-256; the others have git's digest.
    lfs: Vec<String>,
    faults: HashMap<String, VecDeque<Fault>>,
    seen: Vec<Seen>,
    /// The listing names neither sizes nor digests, as plain mirrors do.
    bare: bool,
    api_status: Option<(u16, &'static str)>,
}

/// A Hub with one repository.
struct FakeHub {
    address: String,
    state: Arc<Mutex<State>>,
}

impl FakeHub {
    fn start() -> Self {
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

    fn add(&self, name: &str, bytes: &[u8], lfs: bool) {
        let mut state = self.state.lock().unwrap();
        state.files.insert(name.into(), bytes.into());
        if lfs {
            state.lfs.push(name.into());
        }
    }

    fn fault(&self, file: &str, faults: impl IntoIterator<Item = Fault>) {
        self.state.lock().unwrap().faults.entry(file.into()).or_default().extend(faults);
    }

    /// Requests for a file's bytes.
    fn requests(&self, file: &str) -> Vec<Seen> {
        let end = format!("/{file}");
        self.state.lock().unwrap().seen.iter().filter(|s| s.path.ends_with(&end)).cloned().collect()
    }

    fn config(&self, cache: &Path) -> HubConfig {
        let mut config = HubConfig::from_lookup(&|_| None);
        config.cache = cache.to_path_buf();
        config.endpoint = self.address.clone();
        config.network.tries = 3;
        config.network.first_wait = Duration::from_millis(5);
        config.network.longest_wait = Duration::from_millis(20);
        config.network.silence = Duration::from_millis(500);
        config
    }

    fn pull(&self, cache: &Path) -> anubad::Result<Snapshot> {
        self.pull_with(self.config(cache))
    }

    fn pull_with(&self, config: HubConfig) -> anubad::Result<Snapshot> {
        pull(&Client::new(config)?, &source(), &mut |_| {})
    }
}

fn source() -> HubSource {
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
fn pattern(length: usize) -> Vec<u8> {
    (0..length as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 21) as u8).collect()
}

fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn git_digest(bytes: &[u8]) -> String {
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

fn blob(cache: &Path, digest: &str) -> std::path::PathBuf {
    cache.join("models--org--toy/blobs").join(digest)
}

#[test]
fn a_model_is_downloaded_into_hugging_faces_layout_and_only_once() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.add("unneeded.msgpack", b"big", true);
    let snapshot = hub.pull(cache.path()).unwrap();
    assert_eq!(snapshot.folder, cache.path().join("models--org--toy/snapshots").join(COMMIT));
    assert_eq!(std::fs::read(&snapshot.weights).unwrap(), pattern(300_000));
    assert_eq!(std::fs::read_to_string(cache.path().join("models--org--toy/refs/main")).unwrap(), COMMIT);
    assert!(blob(cache.path(), &sha256(&pattern(300_000))).is_file());
    assert!(hub.requests("unneeded.msgpack").is_empty());
    hub.pull(cache.path()).unwrap();
    assert_eq!(hub.requests("weights.bin").len(), 1);
}

#[test]
fn a_pinned_commit_that_is_complete_asks_nobody() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.pull(cache.path()).unwrap();
    let before = hub.state.lock().unwrap().seen.len();
    let pinned = HubSource { revision: COMMIT.into(), ..source() };
    pull(&Client::new(hub.config(cache.path())).unwrap(), &pinned, &mut |_| {}).unwrap();
    assert_eq!(hub.state.lock().unwrap().seen.len(), before);
}

#[test]
fn redirects_are_followed_and_the_token_stays_with_the_hub() {
    let (hub, storage, cache) = (FakeHub::start(), FakeHub::start(), tempfile::tempdir().unwrap());
    hub.fault("weights.bin", [Fault::Redirect(storage.address.clone())]);
    let config = HubConfig { token: Some("hf_secret".into()), ..hub.config(cache.path()) };
    let snapshot = hub.pull_with(config).unwrap();
    assert_eq!(std::fs::read(&snapshot.weights).unwrap(), pattern(300_000));
    assert_eq!(hub.requests("weights.bin")[0].headers["authorization"], "Bearer hf_secret");
    let seen = storage.requests("weights.bin");
    assert_eq!(seen.len(), 1);
    assert!(!seen[0].headers.contains_key("authorization"), "the token leaked: {seen:?}");
}

#[test]
fn endless_redirects_end() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.fault("config.json", vec![Fault::Redirect(hub.address.clone()); 40]);
    assert!(hub.pull(cache.path()).unwrap_err().to_string().contains("redirects"));
}

#[test]
fn a_gated_model_tells_what_to_do() {
    for (status, code, wanted) in [
        (401, "GatedRepo", "accept the terms"),
        (403, "GatedRepo", "no access to this model yet"),
        (401, "RepoNotFound", "check the name"),
    ] {
        let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
        hub.fault("config.json", [Fault::Status(status, code)]);
        hub.fault("weights.bin", [Fault::Status(status, code)]);
        let error = hub.pull(cache.path()).unwrap_err().to_string();
        assert!(error.contains(wanted) && error.contains("HF_TOKEN"), "{error}");
        assert_eq!(hub.requests("config.json").len(), 1, "asking again would not help");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.state.lock().unwrap().api_status = Some((404, "RepoNotFound"));
    let error = hub.pull(cache.path()).unwrap_err().to_string();
    assert!(error.contains("org/toy") && error.contains("404"), "{error}");
    hub.state.lock().unwrap().api_status = Some((404, "RevisionNotFound"));
    assert!(hub.pull(cache.path()).unwrap_err().to_string().contains("revision"));
    hub.state.lock().unwrap().api_status = None;
    hub.state.lock().unwrap().files.remove("config.json");
    assert!(hub.pull(cache.path()).unwrap_err().to_string().contains("config.json is not there"));
    hub.add("config.json", b"{}", false);
    hub.state.lock().unwrap().files.remove("weights.bin");
    assert!(hub.pull(cache.path()).unwrap_err().to_string().contains("none of the weight files"));
}

#[test]
fn a_server_in_trouble_is_asked_again_but_not_for_ever() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.fault("weights.bin", [Fault::Status(503, ""), Fault::Status(429, "")]);
    hub.pull(cache.path()).unwrap();
    assert_eq!(hub.requests("weights.bin").len(), 3);

    let cache = tempfile::tempdir().unwrap();
    hub.fault("weights.bin", vec![Fault::Status(500, ""); 10]);
    let error = hub.pull(cache.path()).unwrap_err().to_string();
    assert!(error.contains("500"), "{error}");
    assert_eq!(hub.requests("weights.bin").len(), 6, "three tries");
}

#[test]
fn a_cut_connection_is_resumed_where_it_broke() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    // More cuts than tries: each brings bytes, so each starts the count again.
    hub.fault("weights.bin", vec![Fault::Cut(40_000); 6]);
    let snapshot = hub.pull(cache.path()).unwrap();
    assert_eq!(std::fs::read(&snapshot.weights).unwrap(), pattern(300_000));
    let seen = hub.requests("weights.bin");
    assert_eq!(seen.len(), 7);
    assert!(!seen[0].headers.contains_key("range"));
    assert_eq!(seen[6].headers["range"], "bytes=240000-");
}

#[test]
fn a_silent_server_is_given_up_on_and_resumed() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.fault("weights.bin", [Fault::Stall(10_000)]);
    let start = Instant::now();
    hub.pull(cache.path()).unwrap();
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(hub.requests("weights.bin")[1].headers["range"], "bytes=10000-");
}

#[test]
fn a_download_that_failed_is_resumed_by_the_next_one() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.fault("weights.bin", [Fault::Cut(100_000), Fault::Status(403, "GatedRepo")]);
    hub.pull(cache.path()).unwrap_err();
    let mut started = Vec::new();
    let client = Client::new(hub.config(cache.path())).unwrap();
    pull(&client, &source(), &mut |event| {
        if let Event::Start { file, done, .. } = event {
            started.push((file.to_owned(), done));
        }
    })
    .unwrap();
    assert_eq!(started, [("weights.bin".to_owned(), 100_000)]);
}

#[test]
fn a_server_without_ranges_sends_everything_again() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.fault("weights.bin", [Fault::Cut(100_000), Fault::Whole]);
    let snapshot = hub.pull(cache.path()).unwrap();
    assert_eq!(std::fs::read(&snapshot.weights).unwrap(), pattern(300_000));
}

#[test]
fn a_wrong_digest_is_refused_and_nothing_is_left() {
    for file in ["weights.bin", "config.json"] {
        let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
        hub.fault(file, [Fault::Wrong]);
        let error = hub.pull(cache.path()).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains("should be"), "{error}");
        let bytes = hub.state.lock().unwrap().files[file].clone();
        let digest = if file == "weights.bin" { sha256(&bytes) } else { git_digest(&bytes) };
        assert!(!blob(cache.path(), &digest).exists());
        assert!(!blob(cache.path(), &format!("{digest}.incomplete")).exists());
        hub.pull(cache.path()).unwrap();
    }
}

#[test]
fn a_spoilt_partial_file_is_fetched_from_the_start() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    let partial = blob(cache.path(), &format!("{}.incomplete", sha256(&pattern(300_000))));
    std::fs::create_dir_all(partial.parent().unwrap()).unwrap();
    std::fs::write(&partial, vec![7; 1000]).unwrap();
    let snapshot = hub.pull(cache.path()).unwrap();
    assert_eq!(std::fs::read(&snapshot.weights).unwrap(), pattern(300_000));
    assert_eq!(hub.requests("weights.bin")[0].headers["range"], "bytes=1000-");
    assert!(!hub.requests("weights.bin")[1].headers.contains_key("range"));
}

#[test]
fn the_manifests_digest_counts_more_than_the_hubs() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    let client = Client::new(hub.config(cache.path())).unwrap();
    let with = |file: &str, digest: String| HubSource { sha256: [(file.to_owned(), digest)].into(), ..source() };
    let error = pull(&client, &with("weights.bin", "0".repeat(64)), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("the manifest's"), "{error}");
    assert!(hub.requests("weights.bin").is_empty(), "refused before the first byte");
    let error = pull(&client, &with("config.json", "0".repeat(64)), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("should be 0000"), "{error}");
    pull(&client, &with("weights.bin", sha256(&pattern(300_000))), &mut |_| {}).unwrap();
}

#[test]
fn a_mirror_that_lists_names_only_is_checked_by_its_headers() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.state.lock().unwrap().bare = true;
    let snapshot = hub.pull(cache.path()).unwrap();
    assert_eq!(std::fs::read(&snapshot.weights).unwrap(), pattern(300_000));
    hub.add("weights.bin", &pattern(5_000), true);
    hub.fault("weights.bin", [Fault::Whole, Fault::Wrong]); // the first request reads the headers
    assert!(hub.pull(cache.path()).unwrap_err().to_string().contains("should be"));
}

#[test]
fn a_full_disk_is_noticed_before_the_first_byte() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    let config = HubConfig { pretend_free: Some(1_000_000), ..hub.config(cache.path()) };
    let error = hub.pull_with(config).unwrap_err().to_string();
    assert!(error.contains("1.0 MB are free") && error.contains("HF_HOME"), "{error}");
    assert!(hub.requests("weights.bin").is_empty());
}

/// Linux's device that is always full stands in for the partial file.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_underway_is_said() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    let partial = blob(cache.path(), &format!("{}.incomplete", sha256(&pattern(300_000))));
    std::fs::create_dir_all(partial.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/dev/full", &partial).unwrap();
    let error = hub.pull(cache.path()).unwrap_err().to_string();
    assert!(error.contains("no space left"), "{error}");
    assert_eq!(hub.requests("weights.bin").len(), 1, "trying again would not help");
}

#[test]
fn two_pulls_at_once_fetch_once() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.fault("weights.bin", [Fault::Slow]);
    let waited = Mutex::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let client = Client::new(hub.config(cache.path())).unwrap();
                let snapshot = pull(&client, &source(), &mut |event| {
                    if matches!(event, Event::Waiting { file: "weights.bin" }) {
                        *waited.lock().unwrap() += 1;
                    }
                })
                .unwrap();
                assert_eq!(std::fs::read(&snapshot.weights).unwrap(), pattern(300_000));
            });
        }
    });
    assert_eq!(hub.requests("weights.bin").len(), 1);
    assert_eq!(*waited.lock().unwrap(), 1);
}

#[test]
fn whoever_waits_too_long_gives_up_with_a_reason() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.fault("weights.bin", [Fault::Stall(10), Fault::Slow]);
    std::thread::scope(|scope| {
        let first = scope.spawn(|| hub.pull(cache.path()));
        let deadline = Instant::now() + Duration::from_secs(10);
        while hub.requests("weights.bin").is_empty() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut config = hub.config(cache.path());
        config.network.lock_wait = Duration::from_millis(50);
        let error = hub.pull_with(config).unwrap_err().to_string();
        assert!(error.contains("another process"), "{error}");
        first.join().unwrap().unwrap();
    });
}

#[test]
fn a_sharded_checkpoint_comes_with_all_its_shards() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.add("m.index.json", br#"{"weight_map": {"a": "m-1.bin", "b": "m-2.bin", "c": "m-1.bin"}}"#, false);
    hub.add("m-1.bin", &pattern(10), true);
    hub.add("m-2.bin", &pattern(20), true);
    hub.add("g-00001-of-00002.gguf", &pattern(30), true);
    hub.add("g-00002-of-00002.gguf", &pattern(40), true);
    let client = Client::new(hub.config(cache.path())).unwrap();
    let with = |weights: &str| HubSource { weights: vec![weights.into()], ..source() };
    let snapshot = pull(&client, &with("m.index.json"), &mut |_| {}).unwrap();
    assert!(snapshot.folder.join("m-1.bin").is_file() && snapshot.folder.join("m-2.bin").is_file());
    let snapshot = pull(&client, &with("g-00001-of-00002.gguf"), &mut |_| {}).unwrap();
    assert!(snapshot.folder.join("g-00002-of-00002.gguf").is_file());
    assert!(hub.requests("weights.bin").is_empty());
}

#[test]
fn offline_means_no_request() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    let config = HubConfig { offline: true, ..hub.config(cache.path()) };
    assert!(hub.pull_with(config).unwrap_err().to_string().contains("HF_HUB_OFFLINE"));
    assert!(hub.state.lock().unwrap().seen.is_empty());
}

/// The program itself, with its cache in `home` and nothing of this machine's environment.
fn program(hub: &FakeHub, home: &Path) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_anubad"));
    command.env_clear().env("HF_HOME", home).env("ANUBAD_CONFIG_DIR", home).env("HF_ENDPOINT", &hub.address);
    command.stderr(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
    command
}

#[test]
fn a_killed_pull_is_resumed_and_the_commands_agree_on_the_result() {
    let (hub, home) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.fault("weights.bin", [Fault::Stall(200_000)]);
    hub.add("model.safetensors", b"", true);
    hub.state.lock().unwrap().files.remove("model.safetensors");
    std::fs::create_dir_all(home.path().join("models")).unwrap();
    let manifest = include_str!("../../models/opus-mt-bn-en.toml")
        .replace("id = \"opus-mt-bn-en\"", "id = \"toy\"")
        .replace("Helsinki-NLP/opus-mt-bn-en\"\nrevision", "org/toy\"\nrevision")
        .replace("\"model.safetensors\", \"pytorch_model.bin\"", "\"weights.bin\"")
        .replace(", \"source.spm\", \"target.spm\", \"vocab.json\"", "");
    std::fs::write(home.path().join("models/toy.toml"), manifest).unwrap();

    let path = program(&hub, home.path()).args(["model", "path", "toy"]).output().unwrap();
    assert_eq!(path.status.code(), Some(1));
    let text = String::from_utf8_lossy(&path.stderr).into_owned();
    assert!(text.contains("`anubad model pull toy`"), "{text}");
    assert!(hub.state.lock().unwrap().seen.is_empty(), "only pull may touch the network");

    let mut pull = program(&hub, home.path()).args(["model", "pull", "toy"]).spawn().unwrap();
    let digest = sha256(&pattern(300_000));
    let partial = blob(&home.path().join("hub"), &format!("{digest}.incomplete"));
    let deadline = Instant::now() + Duration::from_secs(20);
    while std::fs::metadata(&partial).map_or(0, |m| m.len()) < 200_000 {
        assert!(Instant::now() < deadline, "the download did not get to where it stalls");
        std::thread::sleep(Duration::from_millis(10));
    }
    pull.kill().unwrap();
    pull.wait().unwrap();

    let pull = program(&hub, home.path()).args(["model", "pull", "toy"]).output().unwrap();
    let text = String::from_utf8_lossy(&pull.stderr).into_owned();
    assert!(pull.status.success(), "{text}");
    assert!(text.contains("Apache 2.0") && text.contains("resumed"), "the licence and the resumption are told: {text}");
    assert_eq!(hub.requests("weights.bin")[1].headers["range"], "bytes=200000-");

    let path = program(&hub, home.path()).args(["model", "path", "toy"]).output().unwrap();
    assert_eq!(path.stdout, pull.stdout);
    let verify = program(&hub, home.path()).args(["model", "verify", "toy"]).output().unwrap();
    assert!(verify.status.success() && String::from_utf8_lossy(&verify.stdout).contains("weights.bin: sound"));
    std::fs::write(blob(&home.path().join("hub"), &digest), "spoilt").unwrap();
    let verify = program(&hub, home.path()).args(["model", "verify", "toy"]).output().unwrap();
    assert_eq!(verify.status.code(), Some(1));
    let removed = program(&hub, home.path()).args(["model", "rm", "toy"]).output().unwrap();
    assert!(removed.status.success());
    assert!(!home.path().join("hub/models--org--toy").exists());
}

#[test]
fn the_list_is_readable_by_programs() {
    let (hub, home) = (FakeHub::start(), tempfile::tempdir().unwrap());
    let output = program(&hub, home.path()).args(["model", "list", "--json", "--task", "summarise"]).output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ids: Vec<&str> = list["models"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"distilbart-cnn") && !ids.contains(&"opus-mt-bn-en"), "{ids:?}");
    assert_eq!(list["version"], 1);
    let shown =
        program(&hub, home.path()).args(["model", "inspect", "nllb-200-distilled-600m", "--json"]).output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["manifest"]["licence"]["spdx"], "CC-BY-NC-4.0");
    assert_eq!(shown["files"], serde_json::Value::Null);
    assert!(hub.state.lock().unwrap().seen.is_empty());
}
