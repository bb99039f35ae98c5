//! Token ids equal to those of the reference tokenizers, from golden files that `scripts/golden/*.py` write.
use std::{
    fs,
    path::{Path, PathBuf},
};

use anubad::tokenizer::{GgufTokenizer, GgufVocabulary, SentencePiece, Tokenizer};
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
