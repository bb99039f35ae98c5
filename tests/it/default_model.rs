//! The default model against transformers (f32, same weights) and llama.cpp. Golden file and its script:
//! `scripts/golden/default_model.py`.
use anubad::decode::{DecodeOptions, Generator, Limits, Request, Session, StepBatch};
use anubad::kernels::Level;
use anubad::kernels::rows;
use anubad::model::decoder_only::{DecoderConfig, DecoderOnly, vocabulary};
use anubad::model::layers::{Compute, Placement};
use anubad::model::weights::gguf::Gguf;
use anubad::tokenizer::{GgufTokenizer, Tokenizer};
use serde_json::Value;
use std::path::Path;
use std::sync::{Arc, OnceLock};

const FIRST_SHARD: &str = "models/anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00001-of-00002.gguf";

fn gguf() -> Arc<Gguf> {
    static GGUF: OnceLock<Arc<Gguf>> = OnceLock::new();
    GGUF.get_or_init(|| Arc::new(Gguf::open(&Path::new(env!("CARGO_MANIFEST_DIR")).join(FIRST_SHARD)).unwrap())).clone()
}

fn network(compute: Compute) -> DecoderOnly {
    let config = DecoderConfig::from_gguf(&gguf()).unwrap();
    DecoderOnly::load(gguf(), config, None, vec![1], Placement::cpu(compute)).unwrap()
}

fn tokenizer() -> GgufTokenizer {
    GgufTokenizer::new(vocabulary::read(&gguf()).unwrap()).unwrap()
}

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/default_model.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn ids(value: &Value) -> Vec<u32> {
    value.as_array().unwrap().iter().map(|v| v.as_u64().unwrap() as u32).collect()
}

/// A step that reads `ids` from position `start` on, into the rows of the same numbers.
fn prompt(ids: &[u32], start: usize) -> StepBatch {
    let n = ids.len() as u32;
    let start = start as u32;
    StepBatch {
        tokens: ids.to_vec(),
        positions: (start..start + n).collect(),
        rows: (start..start + n).collect(),
        tables: (0..start + n).collect(),
        spans: (0..n).map(|i| (0, start + i + 1)).collect(),
        memory: Vec::new(),
        outputs: vec![n - 1],
    }
}

fn check_logits(network: &DecoderOnly, case: &Value, columns: &[u32], chunk: usize) {
    let ids = ids(&case["ids"]);
    let mut cache = network.new_cache(ids.len(), 0).unwrap();
    let mut logits = Vec::new();
    for (i, part) in ids.chunks(chunk).enumerate() {
        logits = network
            .step(&mut cache, &prompt(part, i * chunk))
            .unwrap()
            .flatten_all()
            .unwrap()
            .to_vec1::<f32>()
            .unwrap();
    }
    let close = |id: usize, want: f64| {
        assert!((f64::from(logits[id]) - want).abs() < 1e-3, "logit {id}: {} but transformers has {want}", logits[id]);
    };
    for pair in case["top"].as_array().unwrap() {
        close(pair[0].as_u64().unwrap() as usize, pair[1].as_f64().unwrap());
    }
    for (column, want) in columns.iter().zip(case["fixed"].as_array().unwrap()) {
        close(*column as usize, want.as_f64().unwrap());
    }
    assert_eq!(rows::argmax(Level::detect(), &logits) as u64, case["top"][0][0].as_u64().unwrap());
}

#[test]
fn prompts_are_tokenized_as_llama_cpp_does() {
    let tokenizer = tokenizer();
    for case in golden()["logits"].as_array().unwrap() {
        let text = format!("Bengali: {}\nEnglish:", case["text"].as_str().unwrap());
        let mut got = vec![2];
        got.extend(tokenizer.encode(&text).unwrap());
        assert_eq!(got, ids(&case["ids"]), "{text}");
    }
}

#[test]
fn logits_equal_transformers_within_a_thousandth() {
    let golden = golden();
    let network = network(Compute::F32);
    let columns = ids(&golden["fixed_columns"]);
    let cases = golden["logits"].as_array().unwrap();
    assert!(cases.len() >= 50);
    for case in cases {
        check_logits(&network, case, &columns, usize::MAX);
    }
    // 700 tokens, past the sliding window of 512, read at once and in parts (the last ones one by one).
    check_logits(&network, &golden["long"], &columns, usize::MAX);
    check_logits(&network, &golden["long"], &columns, 233);
}

#[test]
fn the_window_holds_while_decoding_token_by_token() {
    let golden = golden();
    let network = network(Compute::F32);
    let ids = ids(&golden["long"]["ids"]);
    let mut cache = network.new_cache(ids.len(), 0).unwrap();
    network.step(&mut cache, &prompt(&ids[..690], 0)).unwrap();
    let mut last = None;
    for position in 690..ids.len() {
        last = Some(network.step(&mut cache, &prompt(&ids[position..=position], position)).unwrap());
    }
    let logits = last.unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    for pair in golden["long"]["top"].as_array().unwrap() {
        let want = pair[1].as_f64().unwrap();
        assert!((f64::from(logits[pair[0].as_u64().unwrap() as usize]) - want).abs() < 1e-3);
    }
}

/// Greedy ids of each prompt, all decoded together, `hypotheses` at a time.
fn greedy(network: DecoderOnly, prompts: &[Vec<u32>], hypotheses: usize) -> Vec<Vec<u32>> {
    let limits = Limits { rows: 200 * hypotheses, memory_rows: 0, hypotheses, step_tokens: 512 };
    let options = Arc::new(DecodeOptions { loop_guard: false, ..DecodeOptions::default() });
    let mut session = Session::new(Arc::new(network), limits).unwrap();
    for (id, source) in prompts.iter().enumerate() {
        let (id, source) = (id as u64, source.clone());
        session.admit(Request { id, source, options: options.clone(), max_new_tokens: 96 }).unwrap();
    }
    let mut out = vec![Vec::new(); prompts.len()];
    while !session.is_empty() {
        for finished in session.step().unwrap() {
            let mut ids = finished.result.unwrap().remove(0).tokens;
            ids.retain(|&id| id != 1);
            out[finished.id as usize] = ids;
        }
    }
    out
}

fn golden_prompts(golden: &Value) -> Vec<Vec<u32>> {
    let tokenizer = tokenizer();
    let prompt = |case: &Value| {
        let text = format!("Bengali: {}\nEnglish:", case["text"].as_str().unwrap());
        [vec![2], tokenizer.encode(&text).unwrap()].concat()
    };
    golden["greedy"].as_array().unwrap().iter().map(prompt).collect()
}

#[test]
fn greedy_output_equals_the_peers() {
    let golden = golden();
    let got = greedy(network(Compute::F32), &golden_prompts(&golden), 16);
    let cases = golden["greedy"].as_array().unwrap();
    assert!(cases.len() >= 100);
    // llama.cpp's answers are there when the golden file was made with it (see the script).
    let peers = ["transformers", "llama_f32"]
        .into_iter()
        .filter(|peer| *peer == "transformers" || cases[0].get(peer).is_some());
    for peer in peers {
        let same = cases.iter().zip(&got).filter(|(case, got)| ids(&case[peer]) == **got).count();
        assert!(same * 100 >= 95 * cases.len(), "{same} of {} equal those of {peer}", cases.len());
    }
}

#[test]
fn a_batch_gives_bit_for_bit_what_its_sentences_give_alone() {
    let prompts = &golden_prompts(&golden())[..32];
    let together = greedy(network(Compute::Int8), prompts, 32);
    let mut in_turn = greedy(network(Compute::Int8), prompts, 1);
    assert_eq!(together, in_turn);
    in_turn.dedup();
    assert!(in_turn.len() > 25, "the sentences differ");
}

/// A quantized file is the same model under any name: what it goes by is written into it.
#[test]
fn a_quantized_file_translates_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.gguf");
    let program = || {
        let mut command = assert_cmd::Command::cargo_bin("anubad").unwrap();
        command.env_remove("ANUBAD_MODEL");
        command
    };
    program().args(["model", "quantize", "anubad-270m-bn-en"]).arg(&file).args(["--type", "q8_0"]).assert().success();
    let lines = "ঢাকায় আজ বৃষ্টি হয়েছে।\nতিনি বাড়ি গেছেন।\n";
    let translate = |model: &std::ffi::OsStr| {
        let done = program().args(["translate", "--lines", "--model"]).arg(model).write_stdin(lines).output().unwrap();
        assert!(done.status.success());
        String::from_utf8(done.stdout).unwrap()
    };
    assert_eq!(translate(file.as_os_str()), translate("anubad-270m-bn-en".as_ref()));
}
