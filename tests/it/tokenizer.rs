//! Token ids equal to those of the reference tokenizers, from golden files that `scripts/golden/*.py` write.
use std::{
    fs,
    path::{Path, PathBuf},
};

use anubad::{
    model::{decoder_only::vocabulary, weights::gguf::Gguf},
    tokenizer::{
        FolderOptions, GgufTokenizer, GgufVocabulary, SentencePiece, Tokenizer,
        chat::{ChatTemplate, Message},
        from_folder, from_folder_with,
    },
};
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

/// The vocabulary of a GGUF file.
fn gguf_vocabulary(path: &Path) -> GgufVocabulary {
    vocabulary::read(&Gguf::open(path).expect("GGUF")).expect("vocabulary")
}

/// The built-in model's first shard.
fn embedded_model() -> PathBuf {
    let shard = "models/anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00001-of-00002.gguf";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(shard)
}

#[test]
fn gguf_vocabulary_gives_the_ids_of_llama_cpp() {
    let vocabulary = gguf_vocabulary(&embedded_model());
    let mut digest = Sha256::new();
    vocabulary.tokens.iter().for_each(|token| digest.update(format!("{token}\n")));
    let digest: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let started = std::time::Instant::now();
    let tokenizer = GgufTokenizer::new(vocabulary).expect("vocabulary");
    println!("built in {:?}", started.elapsed());
    for folder in golden_folders() {
        let path = folder.join("anubad-270m-bn-en.json");
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
    assert!(folders >= 8, "the committed folders are missing");
}

#[test]
fn joiners_and_nukta_forms_survive_or_are_normalized_on_purpose() {
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
        ..FolderOptions::default()
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

/// A byte-level vocabulary and its ids by way of splitting; nothing where a line's ids are those of the first way.
#[derive(serde::Deserialize)]
struct ByteLevelGolden {
    tokens: Vec<String>,
    types: Vec<i32>,
    merges: Vec<String>,
    ids: serde_json::Map<String, serde_json::Value>,
    chat: (String, Vec<u32>),
}

impl ByteLevelGolden {
    fn tokenizer(&self, pre: &str) -> GgufTokenizer {
        GgufTokenizer::new(GgufVocabulary {
            model: "gpt2".into(),
            pre: pre.into(),
            tokens: self.tokens.clone(),
            token_types: self.types.clone(),
            merges: self.merges.clone(),
            ..Default::default()
        })
        .expect("vocabulary")
    }

    fn ids(&self, pre: &str) -> Vec<Vec<u32>> {
        let rows = |value: &serde_json::Value| -> Vec<Option<Vec<u32>>> {
            serde_json::from_value(value.clone()).expect("ids")
        };
        let first = rows(self.ids.values().next().expect("a first way"));
        rows(&self.ids[pre]).into_iter().zip(first).map(|(ids, same)| ids.or(same).expect("ids")).collect()
    }
}

#[test]
fn byte_level_vocabularies_give_the_ids_of_llama_cpp() {
    let folder = &golden_folders()[0];
    let text = fs::read_to_string(folder.join("byte-level.json")).expect("golden file");
    let golden: ByteLevelGolden = serde_json::from_str(&text).expect("golden JSON");
    let lines: Vec<String> = lines(folder).into_iter().take(golden.ids("smollm").len()).collect();
    for pre in golden.ids.keys() {
        println!("{pre}");
        let tokenizer = golden.tokenizer(pre);
        let ids = golden.ids(pre);
        assert_equal_ids(&tokenizer, &lines, &ids, |line| tokenizer.encode(line).expect("ids"));
        for (line, ids) in lines.iter().zip(&ids) {
            assert_eq!(&tokenizer.decode(ids).expect("text"), line);
        }
    }
    let (text, ids) = &golden.chat;
    assert_eq!(&golden.tokenizer("smollm").encode_with_specials(text).expect("ids"), ids);
}

/// The whole vocabulary: `scripts/golden/byte_level.py MODEL.gguf FOLDER/lines.txt FOLDER/smollm2.json --full`, the
/// model named by ANUBAD_SMOLLM2, the folder by ANUBAD_TOKENIZER_GOLDEN.
#[test]
#[ignore = "needs ANUBAD_SMOLLM2 and ANUBAD_TOKENIZER_GOLDEN: scripts/test-external"]
fn external_byte_level_vocabulary_of_smollm2_gives_the_ids_of_llama_cpp() {
    let model = std::env::var_os("ANUBAD_SMOLLM2").map(PathBuf::from);
    let golden = golden_folders().into_iter().nth(1).map(|folder| (folder.join("smollm2.json"), folder));
    let model = model.expect("ANUBAD_SMOLLM2 names the weights");
    let (golden, folder) = golden.expect("ANUBAD_TOKENIZER_GOLDEN names the folder");
    let golden: ByteLevelGolden = serde_json::from_str(&fs::read_to_string(golden).expect("golden")).expect("JSON");
    let tokenizer = GgufTokenizer::new(gguf_vocabulary(&model)).expect("vocabulary");
    let ids = golden.ids("smollm");
    assert_equal_ids(&tokenizer, &lines(&folder)[..ids.len()], &ids, |line| tokenizer.encode(line).expect("ids"));
    assert_eq!(tokenizer.encode_with_specials(&golden.chat.0).expect("ids"), golden.chat.1);
    // its own chat template, as the file carries it
    let template = ChatTemplate::of(&tokenizer).expect("template").expect("a template");
    let prompt = template.render(&[Message::new("system", "Be brief."), Message::user("Hi")], true).expect("prompt");
    let expected = "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n";
    assert_eq!(prompt, expected);
}
