//! What a start costs: tokenizers and packing of weights: `cargo bench --bench startup`.
//!
//! `ANUBAD_FOLDERS=DIR:DIR cargo bench --bench startup` also times the tokenizers of folders in Hub layout; those with a
//! tokenizer.json beside the tokenizers crate's own, on reading the file and on a thousand times the same sentence.
mod shared;

use anubad::decode::Generator;
use anubad::model::decoder_only::{DecoderConfig, DecoderOnly, vocabulary};
use anubad::model::layers::{Compute, Placement};
use anubad::model::weights::gguf::Gguf;
use anubad::tokenizer::{GgufTokenizer, JsonTokenizer, Tokenizer, from_folder};
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

const WEIGHTS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/models/anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00001-of-00002.gguf");

const SENTENCE: &str = "ঢাকা বিশ্ববিদ্যালয়ের উপাচার্য অধ্যাপক মো. আখতারুজ্জামান বলেছেন, আগামী ১৫ সেপ্টেম্বর থেকে ভর্তি পরীক্ষা শুরু হবে।";

fn milliseconds(rounds: usize, mut job: impl FnMut()) -> f64 {
    let [seconds] = shared::in_turns(rounds, [&mut job]);
    1e3 * seconds
}

fn default_model() {
    if !Path::new(WEIGHTS).is_file() {
        println!("{WEIGHTS} is not there: the default model is left out");
        return;
    }
    let gguf = Arc::new(Gguf::open(Path::new(WEIGHTS)).expect("the default model opens"));
    let read = || GgufTokenizer::new(vocabulary::read(&gguf).expect("its vocabulary")).expect("its tokenizer");
    let time = milliseconds(9, || drop(black_box(read())));
    println!("tokenizer of the default model, {} pieces: {time:.0} ms", read().vocab_size());
    let config = DecoderConfig::from_gguf(&gguf).expect("its configuration is known");
    let load = || {
        let place = Placement::cpu(Compute::Int8);
        DecoderOnly::load(gguf.clone(), config.clone(), None, vec![1], place).expect("its network")
    };
    let size = load().size();
    for threads in [1, rayon::current_num_threads()] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let time = milliseconds(5, || pool.install(|| assert!(load().spec().vocab_size > 0)));
        println!("packing the default model's {} MB on {threads} threads: {time:.0} ms", size / 1_000_000);
    }
    // What a cache of packed weights could be loaded in at best: as many bytes from a file that is in memory already.
    let cached = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(cached.path(), vec![1u8; size]).expect("room for it");
    let time = milliseconds(5, || drop(black_box(std::fs::read(cached.path()).expect("the file"))));
    println!("reading as many bytes from a cached file: {time:.0} ms");
}

fn against_the_crate(file: &Path) {
    let theirs = || tokenizers::Tokenizer::from_file(file).expect("a tokenizer for the crate");
    let time = milliseconds(5, || drop(black_box(theirs())));
    println!("  the same read by the tokenizers crate: {time:.0} ms");
    let (ours, theirs) = (JsonTokenizer::open(file).expect("a tokenizer"), theirs());
    let mut one = || (0..1000).for_each(|_| drop(black_box(ours.encode(SENTENCE).expect("ids"))));
    let mut other = || (0..1000).for_each(|_| drop(black_box(theirs.encode_fast(SENTENCE, false).expect("ids"))));
    let [one, other] = shared::in_turns(5, [&mut one, &mut other]);
    println!("  a sentence: {:.0} µs, by the crate, which remembers its words, {:.0} µs", 1e3 * one, 1e3 * other);
}

fn main() {
    default_model();
    for folder in std::env::var("ANUBAD_FOLDERS").unwrap_or_default().split(':').filter(|folder| !folder.is_empty()) {
        let read = || from_folder(Path::new(folder)).expect("a tokenizer");
        let time = milliseconds(9, || drop(black_box(read())));
        println!("tokenizer in {folder}, {} pieces: {time:.0} ms", read().vocab_size());
        let file = Path::new(folder).join("tokenizer.json");
        if file.is_file() {
            against_the_crate(&file);
        }
    }
}
