//! Downloads from a Hub that behaves, and from one that does not.
use super::server::{COMMIT, FakeHub, Fault, blob, git_digest, pattern, sha256, source};
use anubad::hub::pull::pull;
use anubad::hub::{Client, Event, HubConfig};
use anubad::manifest::HubSource;
use std::sync::Mutex;
use std::time::{Duration, Instant};

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
fn a_spoiled_partial_file_is_fetched_from_the_start() {
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
