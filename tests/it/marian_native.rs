//! Marian's own models against Mozilla's engine, on models that scripts/golden/marian_native.py wrote.
//!
//! The committed ones are tests/fixtures/marian-native/*.tar.zst. `ANUBAD_FIXTURES=FOLDER cargo test --test it marian_native`
//! takes those in FOLDER instead, packed or not, of any seed and size.
use anubad::assembly::{Model, ModelOptions};
use anubad::decode::{DecodeOptions, Generator, generate};
use anubad::hub::{ResolveOptions, resolve};
use anubad::model::layers::Compute;
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

#[derive(Deserialize)]
struct Golden {
    variant: String,
    int8: bool,
    lines: Vec<String>,
    texts: Vec<String>,
}

struct Fixture {
    folder: PathBuf,
    golden: Golden,
}

const GOLDEN: &str = "golden-marian.json";

/// All fixtures, unpacked once.
fn fixtures() -> &'static [Fixture] {
    static FIXTURES: OnceLock<(tempfile::TempDir, Vec<Fixture>)> = OnceLock::new();
    let (_, fixtures) = FIXTURES.get_or_init(|| {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/marian-native");
        let given = std::env::var_os("ANUBAD_FIXTURES").map(PathBuf::from);
        let unpacked = tempfile::tempdir().unwrap();
        let read = |root: &Path| {
            let mut folders = Vec::new();
            for entry in std::fs::read_dir(root).unwrap_or_else(|e| panic!("{}: {e}", root.display())) {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if name.starts_with("marian-native") && name.ends_with(".tar.zst") {
                    let bytes = std::fs::read(&path).unwrap();
                    tar::Archive::new(zstd::Decoder::new(&bytes[..]).unwrap()).unpack(unpacked.path()).unwrap();
                    folders.push(unpacked.path().join(name.trim_end_matches(".tar.zst")));
                } else if path.join(GOLDEN).is_file() {
                    folders.push(path);
                }
            }
            folders.sort();
            folders
        };
        // Folders of other networks' fixtures may be given: then the committed ones are tried.
        let given = given.map(|root| read(&root)).filter(|folders| !folders.is_empty());
        let fixtures = given.unwrap_or_else(|| read(&own)).into_iter().map(|folder| {
            let json = std::fs::read(folder.join(GOLDEN)).unwrap();
            Fixture { golden: serde_json::from_slice(&json).unwrap(), folder }
        });
        (unpacked, fixtures.collect())
    });
    assert!(fixtures.len() >= 5, "only {} fixtures", fixtures.len());
    fixtures
}

fn open(folder: &Path, compute: Compute) -> Model {
    let resolved = resolve(folder.to_str().unwrap(), &ResolveOptions::default()).unwrap();
    Model::open(&resolved, &ModelOptions { compute, ..ModelOptions::default() }).unwrap()
}

/// The text of each line, `together` hypotheses at a time.
fn texts(model: &Model, lines: &[String], options: &DecodeOptions, together: usize) -> Vec<String> {
    let sources: Vec<Vec<u32>> = lines.iter().map(|line| model.tokenizer.encode_source(line).unwrap()).collect();
    let generator: Arc<dyn Generator> = model.generator.clone();
    let outputs = generate(&generator, &sources, options, together).unwrap();
    outputs
        .into_iter()
        .map(|hypotheses| {
            let tokens = hypotheses.unwrap().swap_remove(0).tokens;
            let end = model.generator.spec().eos[0];
            let spoken: Vec<u32> = tokens.into_iter().take_while(|&token| token != end).collect();
            model.tokenizer.decode(&spoken).unwrap()
        })
        .collect()
}

/// In the precision of the file, the text is that of Mozilla's engine, but for a few lines in a hundred: these networks are random,
/// so that the best two words are often a rounding apart, and sums are made in another order here.
#[test]
fn texts_equal_firefoxs() {
    let mut differing = Vec::new();
    for Fixture { folder, golden } in fixtures() {
        let compute = if golden.int8 { Compute::Int8 } else { Compute::F32 };
        let model = open(folder, compute);
        let got = texts(&model, &golden.lines, &model.decode, 32);
        assert!(golden.lines.len() >= 50, "{}: too few lines", golden.variant);
        let wrong: Vec<usize> = (0..got.len()).filter(|&i| got[i].trim() != golden.texts[i].trim()).collect();
        let shown = wrong.first().map(|&i| (&golden.lines[i], &got[i], &golden.texts[i]));
        let shown = shown.map(|(line, got, want)| format!("{line}: {got} for {want}"));
        differing.push((golden.variant.clone(), wrong.len(), got.len(), shown));
    }
    assert!(differing.iter().all(|(_, wrong, all, _)| wrong * 20 <= *all), "{differing:#?}");
}

#[test]
fn a_batch_equals_its_singles() {
    for Fixture { folder, golden } in fixtures() {
        let lines = &golden.lines[..24];
        for compute in [Compute::F32, Compute::Int8] {
            let model = open(folder, compute);
            for beams in [1, 4] {
                let options = DecodeOptions { beams, ..model.decode.clone() };
                let batch = texts(&model, lines, &options, 64);
                for (line, want) in lines.iter().zip(batch) {
                    let got = texts(&model, std::slice::from_ref(line), &options, 1).swap_remove(0);
                    assert_eq!(got, want, "{}, {}, {beams} beams: {line}", golden.variant, compute.name());
                }
            }
        }
    }
}

/// More beams find texts that the model finds likelier: the states went where their hypotheses went.
#[test]
fn beams_find_likelier_texts() {
    for Fixture { folder, golden } in fixtures() {
        let model = open(folder, Compute::F32);
        let sources: Vec<Vec<u32>> =
            golden.lines[..24].iter().map(|line| model.tokenizer.encode_source(line).unwrap()).collect();
        let score = |beams| -> f32 {
            let options =
                DecodeOptions { beams, length_penalty: 0.0, max_new_tokens: Some(12), ..model.decode.clone() };
            let outputs = generate(&model.generator, &sources, &options, 64).unwrap();
            outputs.into_iter().map(|output| output.unwrap()[0].log_prob).sum()
        };
        let (greedy, beam) = (score(1), score(6));
        assert!(beam >= greedy - 1e-3, "{}: beams {beam}, greedy {greedy}", golden.variant);
    }
}

/// A folder with its parts packed, or described by a configuration of Bergamot's, is the same model.
#[test]
fn packed_and_configured_folders_are_the_same_model() {
    let Fixture { folder, golden } = fixtures().iter().find(|f| f.golden.variant == "split-lex").unwrap();
    let lines = &golden.lines[..8];
    let want = golden.texts[..8].iter().map(|text| text.trim().to_owned()).collect::<Vec<_>>();
    let copy = tempfile::tempdir().unwrap();
    let names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    for name in names.iter().filter(|name| *name != GOLDEN) {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        std::fs::write(copy.path().join(format!("{name}.zst")), zstd::encode_all(&bytes[..], 1).unwrap()).unwrap();
    }
    let check = |what: &str| {
        let model = open(copy.path(), Compute::Int8);
        let got: Vec<String> =
            texts(&model, lines, &model.decode, 8).iter().map(|text| text.trim().to_owned()).collect();
        assert_eq!(got, want, "{what}");
    };
    check("packed");
    let find = |start: &str| names.iter().find(|name| name.starts_with(start)).unwrap();
    let config = format!(
        "relative-paths: true\nmodels:\n  - {}\nvocabs:\n  - {}\n  - {}\nshortlist:\n  - {}\n  - false\nbeam-size: 1\n",
        find("model"),
        find("srcvocab"),
        find("trgvocab"),
        find("lex")
    );
    std::fs::write(copy.path().join("config.intgemm8bitalpha.yml"), &config).unwrap();
    check("configured");
    std::fs::write(copy.path().join("config.intgemm8bitalpha.yml"), config.replace("lex.", "other.")).unwrap();
    let resolved = resolve(copy.path().to_str().unwrap(), &ResolveOptions::default()).unwrap();
    let Err(error) = Model::open(&resolved, &ModelOptions::default()) else { panic!("a missing part") };
    assert!(error.to_string().contains("other."), "{error}");
}

/// What is wrong with a model's parts is said in one line that names the part.
#[test]
fn parts_that_do_not_belong_together_are_named() {
    let by = |variant: &str| &fixtures().iter().find(|f| f.golden.variant == variant).unwrap().folder;
    let (split, shared) = (by("split-lex"), by("shared-lex"));
    let list = |folder: &Path, start: &str| {
        let mut names = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
        names.find(|name| name.starts_with(start)).unwrap()
    };
    let failure = |change: &dyn Fn(&Path)| {
        let copy = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(split).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), copy.path().join(entry.file_name())).unwrap();
        }
        change(copy.path());
        let resolved = resolve(copy.path().to_str().unwrap(), &ResolveOptions::default());
        let error = resolved.and_then(|r| Model::open(&r, &ModelOptions::default()).map(drop)).unwrap_err().to_string();
        assert!(!error.contains('\n'), "{error}");
        error
    };
    let (lex, target, model) = (list(split, "lex"), list(split, "trgvocab"), list(split, "model"));
    let error = failure(&|copy| {
        std::fs::copy(shared.join(&lex), copy.join(&lex)).unwrap();
    });
    assert!(error.contains(&lex) && error.contains("other vocabularies"), "{error}");
    let vocabulary = list(shared, "vocab");
    let error = failure(&|copy| {
        std::fs::copy(shared.join(&vocabulary), copy.join(&target)).unwrap();
    });
    assert!(error.contains(&target) && error.contains("pieces"), "{error}");
    let error = failure(&|copy| std::fs::remove_file(copy.join(&target)).unwrap());
    assert!(error.contains("srcvocab"), "{error}");
    let error = failure(&|copy| {
        let bytes = std::fs::read(copy.join(&model)).unwrap();
        std::fs::write(copy.join(&model), &bytes[..bytes.len() / 2]).unwrap();
    });
    assert!(error.contains(&model) && error.contains("download the file again"), "{error}");
    let error =
        failure(&|copy| std::fs::write(copy.join(&model), "version https://git-lfs.github.com/spec/v1\n").unwrap());
    assert!(error.contains("git lfs pull"), "{error}");
}
