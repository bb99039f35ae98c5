//! Files on a project's own servers: packed and pinned, resumed, unpacked, refused.
use super::server::{COMMIT, FakeHub, Fault, pattern, sha256};
use anubad::hub::{Client, HubConfig, ModelKind, ResolveOptions, resolve_with, url};
use anubad::manifest::{Manifest, Registry, UrlSource};
use std::io::Write;
use std::path::Path;

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

/// A server with a packed model, a packed vocabulary and a plain shortlist, and their manifest.
fn served() -> (FakeHub, Manifest) {
    let hub = FakeHub::start();
    let (model, vocabulary, list) = (pattern(200_000), pattern(5_000), pattern(900));
    hub.add("model.x.bin.gz", &gz(&model), false);
    hub.add("vocab.x.spm.zst", &zstd::encode_all(&vocabulary[..], 1).unwrap(), false);
    hub.add("lex.x.bin", &list, false);
    let packed = |name: &str| sha256(&hub.state.lock().unwrap().files[name]);
    let text = format!(
        r#"
        format = 1
        id = "toy-url"
        name = "Toy"
        task = "translate"
        architecture = "marian-native"
        [[source]]
        kind = "url"
        [[source.file]]
        name = "model.x.bin"
        url = "{0}/pub/model.x.bin.gz"
        sha256 = "{1}"
        packed_sha256 = "{2}"
        [[source.file]]
        name = "vocab.x.spm"
        url = "{0}/pub/vocab.x.spm.zst"
        packed_sha256 = "{3}"
        [[source.file]]
        name = "lex.x.bin"
        url = "{0}/pub/lex.x.bin"
        sha256 = "{4}"
        [license]
        spdx = "MIT"
        summary = "Free."
        [languages]
        source = {{ bn = "" }}
        target = {{ en = "" }}
        "#,
        hub.address,
        sha256(&model),
        packed("model.x.bin.gz"),
        packed("vocab.x.spm.zst"),
        sha256(&list),
    );
    let manifest = Manifest::parse(&text, "toy.toml").unwrap();
    (hub, manifest)
}

fn pull(hub: &FakeHub, manifest: &Manifest, cache: &Path) -> anubad::Result<std::path::PathBuf> {
    pull_from(hub.config(cache), manifest, manifest.url().unwrap())
}

fn pull_from(config: HubConfig, manifest: &Manifest, source: &UrlSource) -> anubad::Result<std::path::PathBuf> {
    url::pull(&Client::new(config).unwrap(), &manifest.id, source, &mut |_| {})
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn files_are_fetched_once_and_unpacked() {
    let ((hub, manifest), cache) = (served(), tempfile::tempdir().unwrap());
    assert_eq!(url::find(&hub.config(cache.path()), &manifest), None);
    let folder = pull(&hub, &manifest, cache.path()).unwrap();
    assert_eq!(names(&folder), ["lex.x.bin", "model.x.bin", "vocab.x.spm"], "nothing packed or half is left");
    assert_eq!(std::fs::read(folder.join("model.x.bin")).unwrap(), pattern(200_000));
    assert_eq!(std::fs::read(folder.join("vocab.x.spm")).unwrap(), pattern(5_000));
    let before = hub.state.lock().unwrap().seen.len();
    assert_eq!(pull(&hub, &manifest, cache.path()).unwrap(), folder);
    assert_eq!(hub.state.lock().unwrap().seen.len(), before, "what is there is not asked for again");
    assert_eq!(url::find(&hub.config(cache.path()), &manifest), Some(folder.clone()));

    let sound = url::verify(&folder, manifest.url().unwrap()).unwrap();
    let verdicts: Vec<Option<bool>> = sound.iter().map(|(_, v)| v.as_ref().map(|v| v.1)).collect();
    assert_eq!(verdicts, [Some(true), None, Some(true)]);
    std::fs::write(folder.join("lex.x.bin"), "x").unwrap();
    assert!(!url::verify(&folder, manifest.url().unwrap()).unwrap()[2].1.as_ref().unwrap().1);
}

#[test]
fn a_broken_download_is_taken_up_where_it_ended() {
    let ((hub, manifest), cache) = (served(), tempfile::tempdir().unwrap());
    let half = hub.state.lock().unwrap().files["model.x.bin.gz"].len() / 2;
    hub.fault("model.x.bin.gz", [Fault::Cut(half), Fault::Cut(half / 2)]);
    pull(&hub, &manifest, cache.path()).unwrap();
    let ranges: Vec<Option<String>> =
        hub.requests("model.x.bin.gz").iter().map(|r| r.headers.get("range").cloned()).collect();
    assert_eq!(ranges, [None, Some(format!("bytes={half}-")), Some(format!("bytes={}-", half + half / 2))]);

    // The program ended in between: the next run goes on, though nobody told it the size.
    let ((hub, manifest), cache) = (served(), tempfile::tempdir().unwrap());
    hub.fault("model.x.bin.gz", [Fault::Cut(half), Fault::Cut(0), Fault::Cut(0), Fault::Cut(0), Fault::Cut(0)]);
    assert!(pull(&hub, &manifest, cache.path()).is_err());
    let before = hub.requests("model.x.bin.gz").len();
    while pull(&hub, &manifest, cache.path()).is_err() {}
    assert_eq!(hub.requests("model.x.bin.gz")[before].headers["range"], format!("bytes={half}-"));
}

#[test]
fn wrong_bytes_are_refused_packed_and_unpacked() {
    let ((hub, manifest), cache) = (served(), tempfile::tempdir().unwrap());
    hub.fault("model.x.bin.gz", [Fault::Wrong]);
    let error = pull(&hub, &manifest, cache.path()).unwrap_err().to_string();
    assert!(error.contains("model.x.bin") && error.contains("SHA-256"), "{error}");
    assert_eq!(url::find(&hub.config(cache.path()), &manifest), None);

    let mut other = manifest.url().unwrap().clone();
    other.files[0].sha256 = Some("0".repeat(64));
    let cache = tempfile::tempdir().unwrap();
    let error = pull_from(hub.config(cache.path()), &manifest, &other).unwrap_err().to_string();
    assert!(error.contains("when unpacked") && !error.contains('\n'), "{error}");
    let folder = cache.path().join("anubad--url");
    let inside = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    assert!(names(&inside).is_empty(), "{:?}", names(&inside));
}

#[test]
fn what_unpacks_without_end_is_refused() {
    let ((hub, manifest), cache) = (served(), tempfile::tempdir().unwrap());
    let bomb = zstd::encode_all(std::io::Read::take(std::io::repeat(0), 200 << 20), 1).unwrap();
    hub.add("vocab.x.spm.zst", &bomb, false);
    let mut source = manifest.url().unwrap().clone();
    source.files[1].packed_sha256 = Some(sha256(&bomb));
    let error = pull_from(hub.config(cache.path()), &manifest, &source).unwrap_err().to_string();
    assert!(error.contains("times its size"), "{error}");
}

#[test]
fn manifests_without_digests_or_with_odd_names_are_refused() {
    let (_hub, manifest) = served();
    let text = toml::to_string(&manifest).unwrap();
    assert_eq!(Manifest::parse(&text, "again").unwrap(), manifest);
    for (from, to, named) in [
        ("packed_sha256", "sha256", "packed_sha256"),
        ("name = \"model.x.bin\"", "name = \"../model.x.bin\"", "leaves the model's folder"),
        ("http://", "file://", "no web address"),
    ] {
        let wrong = if from == "packed_sha256" {
            let at = text.rfind("packed_sha256").unwrap();
            format!("{}{to}{}", &text[..at], &text[at + from.len()..])
        } else {
            text.replacen(from, to, 1)
        };
        let error = Manifest::parse(&wrong, "m.toml").unwrap_err().to_string();
        assert!(error.contains(named), "{error}");
    }
}

/// The manifest is enough for the program, with and without leave to download.
#[test]
fn a_manifest_resolves_to_its_folder() {
    let ((hub, manifest), cache) = (served(), tempfile::tempdir().unwrap());
    let file = cache.path().join("toy-url.toml");
    std::fs::write(&file, toml::to_string(&manifest).unwrap()).unwrap();
    let resolve = |download| {
        let options = ResolveOptions { download, config: Some(hub.config(cache.path())) };
        resolve_with(file.to_str().unwrap(), &options, &Registry::built_in().unwrap(), &mut |_| {})
    };
    assert!(resolve(false).unwrap_err().to_string().contains("anubad model pull toy-url"));
    let model = resolve(true).unwrap();
    assert_eq!((model.kind, model.id.as_str()), (ModelKind::Folder, "toy-url"));
    assert_eq!(resolve(false).unwrap().path, model.path);
}

/// A model in a sub-folder of a repository is that folder.
#[test]
fn a_sub_folder_of_a_repository_is_a_model() {
    let (hub, cache) = (FakeHub::start(), tempfile::tempdir().unwrap());
    hub.add("bn-en/model.x.bin", &pattern(10_000), false);
    hub.add("bn-en/vocab.x.spm", &pattern(100), false);
    // the server knows files by their last part
    hub.add("model.x.bin", &pattern(10_000), false);
    hub.add("vocab.x.spm", &pattern(100), false);
    let (_, toy) = served();
    let text = toml::to_string(&toy).unwrap();
    let start = text.find("[[source]]").unwrap();
    let end = text.find("[license]").unwrap();
    let source = "[[source]]\nkind = \"hub\"\nrepo = \"org/toy\"\nweights = [\"bn-en/model.x.bin\"]\n\
                  files = [\"bn-en/vocab.x.spm\"]\n";
    let file = cache.path().join("toy.toml");
    std::fs::write(&file, format!("{}{source}{}", &text[..start], &text[end..])).unwrap();
    let options = ResolveOptions { download: true, config: Some(hub.config(cache.path())) };
    let model = resolve_with(file.to_str().unwrap(), &options, &Registry::built_in().unwrap(), &mut |_| {}).unwrap();
    assert_eq!(model.kind, ModelKind::Folder);
    assert!(model.path.ends_with(Path::new(COMMIT).join("bn-en")), "{}", model.path.display());
    assert_eq!(names(&model.path), ["model.x.bin", "vocab.x.spm"]);
}
