//! Token ids equal to those of the reference tokenizers, from golden files that `scripts/golden/*.py` write.
use std::{
    fs,
    path::{Path, PathBuf},
};

use anubad::tokenizer::{
    FolderOptions, GgufTokenizer, GgufVocabulary, SentencePiece, Tokenizer, from_folder, from_folder_with,
};
use candle_core::quantized::gguf_file;
use sha2::{Digest, Sha256};

/// The committed sample, and a wide set of the user's own where the variable names one.
fn golden_folders() -> Vec<PathBuf> {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer");
    std::iter::once(committed).chain(std::env::var_os("ANUBAD_TOKENIZER_GOLDEN").map(PathBuf::from)).collect()
}

fn lines(folder: &Path) -> Vec<String> {
    let text = fs::read_to_string(folder.join("lines.txt")).expect("lines.txt");
    text.strip_suffix('\n').unwrap_or(&text).split('\n').map(str::to_owned).collect()
}

/// A golden file: the head's fields and one list of ids a line.
#[derive(serde::Deserialize)]
struct Golden {
    vocabulary: String,
    ids: Vec<Vec<u32>>,
    /// The text of the ids; nothing where it is the line itself.
    #[serde(default)]
    decoded: Vec<Option<String>>,
}

fn golden(path: &Path) -> Golden {
    serde_json::from_str(&fs::read_to_string(path).expect("golden file")).expect("golden JSON")
}

/// Fails with the first differing lines, their pieces on both sides.
fn assert_equal_ids(tokenizer: &dyn Tokenizer, lines: &[String], golden: &[Vec<u32>], ours: impl Fn(&str) -> Vec<u32>) {
    assert_eq!(lines.len(), golden.len());
    let mut wrong = Vec::new();
    for (number, (line, expected)) in lines.iter().zip(golden).enumerate() {
        let ids = ours(line);
        if &ids != expected {
            let show = |ids: &[u32]| ids.iter().map(|id| tokenizer.piece(*id).unwrap_or_default()).collect::<Vec<_>>();
            wrong.push(format!("line {}: {line:?}\n  ours {:?}\n  want {:?}", number + 1, show(&ids), show(expected)));
        }
    }
    let first = wrong.iter().take(5).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{} of {} lines differ:\n{first}", wrong.len(), lines.len());
}

/// The vocabulary of the model file `name`, where this checkout has it.
fn gguf_vocabulary(name: &str) -> Option<GgufVocabulary> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.join("models"), root.join("../shared/models")];
    let path = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file())?;
    let mut file = fs::File::open(path).expect("model file");
    let metadata = gguf_file::Content::read(&mut file).expect("GGUF").metadata;
    let get = |key: &str| metadata.get(&format!("tokenizer.{key}"));
    let strings = |key: &str| {
        let values = get(key).map(|value| value.to_vec().expect("array").clone()).unwrap_or_default();
        values.iter().map(|value| value.to_string().expect("string").clone()).collect()
    };
    Some(GgufVocabulary {
        model: get("ggml.model")?.to_string().ok()?.clone(),
        pre: get("ggml.pre").and_then(|value| value.to_string().ok().cloned()).unwrap_or_default(),
        tokens: strings("ggml.tokens"),
        scores: get("ggml.scores")
            .map(|value| value.to_vec().expect("array").iter().map(|score| score.to_f32().expect("f32")).collect())
            .unwrap_or_default(),
        token_types: get("ggml.token_type")?.to_vec().ok()?.iter().map(|kind| kind.to_i32().expect("i32")).collect(),
        merges: strings("ggml.merges"),
        bos: get("ggml.bos_token_id").and_then(|id| id.to_u32().ok()),
        eos: get("ggml.eos_token_id").and_then(|id| id.to_u32().ok()),
        unk: get("ggml.unknown_token_id").and_then(|id| id.to_u32().ok()),
        pad: get("ggml.padding_token_id").and_then(|id| id.to_u32().ok()),
        add_bos: get("ggml.add_bos_token").and_then(|value| value.to_bool().ok()),
        add_eos: get("ggml.add_eos_token").and_then(|value| value.to_bool().ok()),
        add_space_prefix: get("ggml.add_space_prefix").and_then(|value| value.to_bool().ok()),
        chat_template: get("chat_template").and_then(|value| value.to_string().ok().cloned()),
    })
}

#[test]
fn gguf_vocabulary_gives_the_ids_of_llama_cpp() {
    let Some(vocabulary) = gguf_vocabulary("anubad-270m-bn-en.q8_0.gguf") else {
        println!("skipped: no model file here");
        return;
    };
    let mut digest = Sha256::new();
    vocabulary.tokens.iter().for_each(|token| digest.update(format!("{token}\n")));
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let started = std::time::Instant::now();
    let tokenizer = GgufTokenizer::new(vocabulary).expect("vocabulary");
    println!("built in {:?}", started.elapsed());
    for folder in golden_folders() {
        let path = folder.join("anubad-270m-bn-en.json");
        if !path.is_file() {
            println!("skipped: no {}", path.display());
            continue;
        }
        let golden = golden(&path);
        assert_eq!(digest, golden.vocabulary, "another vocabulary: run scripts/golden/gguf_tokens.py again");
        let lines = lines(&folder);
        let started = std::time::Instant::now();
        assert_equal_ids(&tokenizer, &lines, &golden.ids, |line| tokenizer.encode(line).expect("ids"));
        println!("{} lines in {:?}", lines.len(), started.elapsed());
        for (line, ids) in lines.iter().zip(&golden.ids) {
            // the space's own symbol is all that cannot survive
            assert_eq!(tokenizer.decode(ids).expect("text"), line.replace('▁', " "));
        }
    }
}

#[test]
fn sentencepiece_models_give_the_ids_and_texts_of_the_package() {
    let mut models = 0;
    for folder in golden_folders() {
        let lines = lines(&folder);
        for entry in fs::read_dir(&folder).expect("folder") {
            let path = entry.expect("entry").path();
            if path.extension().is_none_or(|extension| extension != "model") {
                continue;
            }
            let model = SentencePiece::open(&path).expect("model");
            let golden = golden(&path.with_extension("json"));
            println!("{}", path.display());
            assert_equal_ids(&model, &lines, &golden.ids, |line| model.encode(line).expect("ids"));
            for ((line, ids), decoded) in lines.iter().zip(&golden.ids).zip(&golden.decoded) {
                assert_eq!(&model.decode(ids).expect("text"), decoded.as_ref().unwrap_or(line));
            }
            models += 1;
        }
    }
    assert!(models >= 4, "the committed models are missing");
}

/// The golden file of a tokenizer folder.
#[derive(serde::Deserialize)]
struct FolderGolden {
    lines: Vec<String>,
    ids: Vec<Vec<u32>>,
    forced_bos: Option<u32>,
    #[serde(default)]
    decoded: Vec<String>,
}

#[test]
fn tokenizer_folders_give_the_ids_of_transformers() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer/folders");
    let wide = std::env::var_os("ANUBAD_TOKENIZER_FOLDERS").map(PathBuf::from);
    let mut folders = 0;
    for entry in std::iter::once(committed).chain(wide).flat_map(|root| fs::read_dir(root).expect("folders")) {
        let folder = entry.expect("entry").path();
        let Ok(text) = fs::read_to_string(folder.join("ids.json")) else { continue };
        let golden: FolderGolden = serde_json::from_str(&text).expect("ids.json");
        println!("{}", folder.display());
        let tokenizer = from_folder(&folder).expect("tokenizer");
        assert_eq!(tokenizer.forced_bos(), golden.forced_bos);
        assert_equal_ids(&*tokenizer, &golden.lines, &golden.ids, |line| tokenizer.encode_source(line).expect("ids"));
        for (ids, decoded) in golden.ids.iter().zip(&golden.decoded) {
            assert_eq!(&tokenizer.decode(ids).expect("text"), decoded);
        }
        folders += 1;
    }
    assert!(folders >= 7, "the committed folders are missing");
}

#[test]
fn joiners_and_nukta_forms_survive_or_are_normalised_on_purpose() {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer/folders");
    // Byte-level pieces carry everything. The other models' map has rules for য + nukta and ড + nukta: SentencePiece
    // applies them, the tokenizers crate (and so transformers) does not look past six bytes. Neither touches a joiner
    // that its map does not name.
    for (family, text, expected) in [
        ("bart", "র\u{200d}্যাব ক\u{200c}্ষ য\u{9bc} \u{9df}", "র\u{200d}্যাব ক\u{200c}্ষ য\u{9bc} \u{9df}"),
        ("m2m100", "সময\u{9bc} সম\u{9df} বাড\u{9bc}ি", "সম\u{9df} সম\u{9df} বা\u{9dc}ি"),
        ("mt5", "সময\u{9bc} সম\u{9df} বাড\u{9bc}ি", "সময\u{9bc} সম\u{9df} বাড\u{9bc}ি"),
    ] {
        let tokenizer = from_folder(&folders.join(family)).expect("tokenizer");
        assert_eq!(tokenizer.decode(&tokenizer.encode(text).expect("ids")).expect("text"), expected, "{family}");
    }
}

/// A copy of a committed folder that a test may spoil.
fn copy_of(family: &str) -> tempfile::TempDir {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer/folders").join(family);
    let copy = tempfile::tempdir().expect("temporary folder");
    for entry in fs::read_dir(from).expect("folder") {
        let entry = entry.expect("entry");
        fs::copy(entry.path(), copy.path().join(entry.file_name())).expect("copy");
    }
    copy
}

#[test]
fn a_folder_without_its_files_is_refused_with_their_names() {
    for (family, file) in [
        ("marian", "target.spm"),
        ("m2m100", "vocab.json"),
        ("nllb", "sentencepiece.bpe.model"),
        ("t5", "spiece.model"),
        ("bart", "tokenizer.json"),
    ] {
        let copy = copy_of(family);
        // BART lives on either of two kinds of file; its error names the one to get
        fs::remove_file(copy.path().join(if family == "bart" { "merges.txt" } else { file })).expect("remove");
        let error = from_folder(copy.path()).err().expect("refused").to_string();
        assert!(error.contains(file) && error.contains("anubad model pull"), "{error}");
    }
    let nowhere = tempfile::tempdir().expect("temporary folder").path().join("gone");
    assert!(from_folder(&nowhere).err().expect("refused").to_string().contains("no such file or folder"));
}

#[test]
fn damaged_files_are_refused_with_their_name() {
    for (family, file, content) in [
        ("marian", "vocab.json", "{\"</s>\": 0"),
        ("marian", "vocab.json", "{\"</s>\": 0, \"<unk>\": 1, \"a\": 4000000000}"),
        ("marian", "vocab.json", "{\"</s>\": 0}"),
        ("marian", "source.spm", "version https://git-lfs.github.com/spec/v1"),
        ("mbart50", "tokenizer.json", "{}"),
        ("t5", "tokenizer_config.json", "not JSON"),
        ("bart", "merges.txt", "a b c"),
    ] {
        let copy = copy_of(family);
        fs::write(copy.path().join(file), content).expect("write");
        let error = from_folder(copy.path()).err().expect("refused").to_string();
        assert!(error.contains(file) && !error.contains('\n'), "{error}");
    }
}

#[test]
fn languages_and_prefixes_are_the_users_choice() {
    let folders = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tokenizer/folders");
    let options = |source: &str, target: &str, prefix: &str| FolderOptions {
        source: source.into(),
        target: target.into(),
        prefix: prefix.into(),
    };
    let pieces = |tokenizer: &dyn Tokenizer, text: &str| {
        let ids = tokenizer.encode_source(text).expect("ids");
        ids.iter().map(|id| tokenizer.piece(*id).unwrap_or_default()).collect::<Vec<_>>()
    };
    let nllb = from_folder_with(&folders.join("nllb"), &options("eng_Latn", "hi", "")).expect("tokenizer");
    assert_eq!(pieces(&*nllb, "-").first().map(String::as_str), Some("eng_Latn"));
    assert_eq!(nllb.forced_bos(), nllb.id("hin_Deva"));
    let error = from_folder_with(&folders.join("nllb"), &options("bn", "tlh_Latn", "")).err().expect("refused");
    assert!(error.to_string().contains("tlh_Latn"));
    let madlad = from_folder_with(&folders.join("mt5"), &options("bn", "en", "<2en> ")).expect("tokenizer");
    assert_eq!(pieces(&*madlad, "ক").first().map(String::as_str), Some("<2en>"));
    // the end token is added once; the same spelling in the text is text
    let got = pieces(&*nllb, "ক</s>ক");
    assert_eq!(got.iter().filter(|piece| *piece == "</s>").count(), 1);
    assert_eq!(nllb.encode_with_specials("ক</s>").expect("ids").last().copied(), nllb.id("</s>"));
}
