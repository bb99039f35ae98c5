//! Manifests that load, and what is said of those that do not.
use super::*;

pub(super) const SMALL: &str = r#"
    format = 1
    id = "toy-1.0"
    name = "Toy"
    task = "translate"
    architecture = "marian"
    [[source]]
    kind = "hub"
    repo = "org/toy"
    weights = ["model.safetensors"]
    files = ["config.json"]
    [license]
    spdx = "MIT"
    summary = "Free."
    [languages]
    source = { bn = "" }
    target = { en = "" }
    [decoding]
    beams = 4
    length_penalty = 0.6
"#;

#[test]
fn reads_a_manifest_and_applies_its_decoding() {
    let manifest = Manifest::parse(SMALL, "toy.toml").unwrap();
    assert_eq!(manifest.hub().unwrap().revision, "main");
    let mut options = DecodeOptions { no_repeat_ngram: 3, ..Default::default() };
    manifest.decoding.apply(&mut options);
    assert_eq!((options.beams, options.length_penalty, options.no_repeat_ngram), (4, 0.6, 3));
}

#[test]
fn refuses_what_it_does_not_know_and_says_where() {
    for (from, to, wanted) in [
        ("format = 1", "format = 2", "reads format 1"),
        ("format = 1", "", "no `format`"),
        ("task = \"translate\"", "task = \"sing\"", "sing"),
        ("name = \"Toy\"", "name = \"Toy\"\ncolor = 3", "color"),
        ("id = \"toy-1.0\"", "id = \"Toy\"", "lower-case"),
        ("repo = \"org/toy\"", "repo = \"toy\"", "organization/name"),
        ("[\"config.json\"]", "[\"../../.bashrc\"]", "leaves the model's folder"),
        ("[\"config.json\"]", "[\"config.json\"]\nsha256 = { a = \"12\" }", "hex"),
        ("source = { bn = \"\" }", "source = {}", "no source"),
        ("[decoding]", "[prompt]\nnormalize = [\"nfkd\"]\n[decoding]", "csebuetnlp"),
    ] {
        let text = SMALL.replace(from, to);
        assert_ne!(text, SMALL, "{from} is not in the sample");
        let error = Manifest::parse(&text, "toy.toml").unwrap_err().to_string();
        assert!(error.starts_with("toy.toml: ") && error.contains(wanted), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
}

/// Manifests that users have already written go on loading.
#[test]
fn the_british_spelling_of_keys_still_loads() {
    let old = SMALL
        .replace("[license]", "[licence]")
        .replace("task = \"translate\"", "task = \"summarise\"")
        .replace("[decoding]", "[prompt]\nnormalise = [\"csebuetnlp\"]\n[decoding]");
    let manifest = Manifest::parse(&old, "old.toml").unwrap();
    assert_eq!((manifest.task, manifest.license.spdx.as_str()), (Task::Summarize, "MIT"));
    assert_eq!(manifest.prompt.normalize, ["csebuetnlp"]);
}

#[test]
fn a_manifest_survives_writing_and_reading() {
    let manifest = Manifest::parse(SMALL, "toy.toml").unwrap();
    let text = toml::to_string(&manifest).unwrap();
    assert_eq!(Manifest::parse(&text, "again").unwrap(), manifest);
}
