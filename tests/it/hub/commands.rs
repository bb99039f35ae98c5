//! `anubad model` and `--download` as a user runs them, against the loopback Hub.
use super::server::{FakeHub, Fault, blob, pattern, sha256};
use std::path::Path;
use std::time::{Duration, Instant};

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
    let manifest = include_str!("../../../models/opus-mt-bn-en.toml")
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
    assert!(text.contains("Apache 2.0") && text.contains("resumed"), "the license and the resumption are told: {text}");
    assert_eq!(hub.requests("weights.bin")[1].headers["range"], "bytes=200000-");

    let path = program(&hub, home.path()).args(["model", "path", "toy"]).output().unwrap();
    assert_eq!(path.stdout, pull.stdout);
    let verify = program(&hub, home.path()).args(["model", "verify", "toy"]).output().unwrap();
    assert!(verify.status.success() && String::from_utf8_lossy(&verify.stdout).contains("weights.bin: sound"));
    std::fs::write(blob(&home.path().join("hub"), &digest), "spoiled").unwrap();
    let verify = program(&hub, home.path()).args(["model", "verify", "toy"]).output().unwrap();
    assert_eq!(verify.status.code(), Some(1));
    let removed = program(&hub, home.path()).args(["model", "rm", "toy"]).output().unwrap();
    assert!(removed.status.success());
    assert!(!home.path().join("hub/models--org--toy").exists());
}

/// A Hub that has the committed Marian checkpoint, and a folder whose registry knows it as `toy`.
fn marian_hub() -> (FakeHub, tempfile::TempDir) {
    let (hub, home) = (FakeHub::start(), tempfile::tempdir().unwrap());
    let archive = include_bytes!("../../fixtures/parity/marian.tar.zst");
    let unpacked = tempfile::tempdir().unwrap();
    tar::Archive::new(zstd::Decoder::new(&archive[..]).unwrap()).unpack(unpacked.path()).unwrap();
    for entry in std::fs::read_dir(unpacked.path().join("marian")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_file() && name != "golden.json" {
            hub.add(name, &std::fs::read(&path).unwrap(), name.ends_with(".safetensors") || name.ends_with(".spm"));
        }
    }
    let manifest = include_str!("../../../models/opus-mt-bn-en.toml")
        .replace("id = \"opus-mt-bn-en\"", "id = \"toy\"")
        .replace("Helsinki-NLP/opus-mt-bn-en\"\nrevision", "org/toy\"\nrevision");
    std::fs::create_dir_all(home.path().join("models")).unwrap();
    std::fs::write(home.path().join("models/toy.toml"), manifest).unwrap();
    std::fs::write(home.path().join("article.txt"), "তিনি বাড়ি যান।\n").unwrap();
    (hub, home)
}

#[test]
fn a_model_is_downloaded_when_asked_for_and_translates_offline_afterwards() {
    let (hub, home) = marian_hub();
    let run = |extra: &[&str], offline: bool| {
        let mut command = program(&hub, home.path());
        if offline {
            command.env("HF_HUB_OFFLINE", "1");
        }
        let arguments = ["translate", "--model", "toy", "article.txt", "--no-repair"];
        command.current_dir(home.path()).args(arguments).args(extra).output().unwrap()
    };
    let complaint = |output: &std::process::Output| {
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let text = complaint(&run(&[], false));
    assert!(text.contains("`anubad model pull toy`"), "{text}");
    let text = complaint(&run(&["--download"], true));
    assert!(text.contains("HF_HUB_OFFLINE"), "{text}");
    assert!(hub.state.lock().unwrap().seen.is_empty(), "nothing may be asked of the Hub so far");

    let first = run(&["--download"], false);
    assert!(first.status.success(), "{}", String::from_utf8_lossy(&first.stderr));
    assert!(!hub.requests("model.safetensors").is_empty() && hub.requests("weights.bin").is_empty());
    let asked = hub.state.lock().unwrap().seen.len();
    let second = run(&[], true);
    assert!(second.status.success(), "{}", String::from_utf8_lossy(&second.stderr));
    assert_eq!(second.stdout, first.stdout);
    assert_eq!(hub.state.lock().unwrap().seen.len(), asked, "a model that is here asks nobody");

    let list = program(&hub, home.path()).args(["model", "list", "--here"]).output().unwrap();
    assert!(String::from_utf8_lossy(&list.stdout).lines().any(|l| l.starts_with("toy ") && l.ends_with("downloaded")));
    let shown = program(&hub, home.path()).args(["model", "inspect", "toy"]).output().unwrap();
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("org/toy") && text.contains("model_type = \"marian\""), "{text}");
}

#[test]
fn the_list_is_readable_by_programs() {
    let (hub, home) = (FakeHub::start(), tempfile::tempdir().unwrap());
    let output = program(&hub, home.path()).args(["model", "list", "--json", "--task", "summarize"]).output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let ids: Vec<&str> = list["models"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&"distilbart-cnn") && !ids.contains(&"opus-mt-bn-en"), "{ids:?}");
    assert_eq!(list["version"], 1);
    let shown =
        program(&hub, home.path()).args(["model", "inspect", "nllb-200-distilled-600m", "--json"]).output().unwrap();
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert_eq!(shown["manifest"]["license"]["spdx"], "CC-BY-NC-4.0");
    assert_eq!(shown["files"], serde_json::Value::Null);
    assert!(hub.state.lock().unwrap().seen.is_empty());
}
