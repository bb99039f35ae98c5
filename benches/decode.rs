//! The default model at work: one decoding step of several sentences, and the sentences of a whole article:
//! `cargo bench --bench decode`. Left out, with a line that says so, where the weights are not in `models/`.
//! First comes the same step on candle's own operations and quantized products, in turns with ours (`-- candle` for
//! that alone).
mod shared;

use anubad::decode::{DecodeOptions, Generator, StepBatch, generate};
use anubad::kernels::Level;
use anubad::model::decoder_only::{DecoderConfig, DecoderOnly, vocabulary};
use anubad::model::layers::{Compute, Placement};
use anubad::model::weights::gguf::Gguf;
use anubad::tokenizer::GgufTokenizer;
use anubad::tokenizer::Tokenizer;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const WEIGHTS: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/models/anubad-270m-bn-en/anubad-270m-bn-en.q8_0-00001-of-00002.gguf");

/// Tokens of each sentence that the cache holds when the step is taken.
const CONTEXT: u32 = 48;

/// An article of a dozen sentences.
const ARTICLE: &[&str] = &[
    "প্রধানমন্ত্রী আজ ঢাকায় একটি নতুন হাসপাতাল উদ্বোধন করেছেন।",
    "হাসপাতালটি নির্মাণে ব্যয় হয়েছে ২৩১ কোটি টাকা।",
    "এতে ৫০০ শয্যা রয়েছে এবং প্রতিদিন প্রায় দুই হাজার রোগী চিকিৎসা নিতে পারবেন।",
    "স্বাস্থ্যমন্ত্রী বলেন, দেশের প্রতিটি জেলায় এমন হাসপাতাল গড়ে তোলা হবে।",
    "উদ্বোধনী অনুষ্ঠানে বিদেশি কূটনীতিক ও চিকিৎসকেরা উপস্থিত ছিলেন।",
    "স্থানীয় বাসিন্দারা জানান, আগে চিকিৎসার জন্য তাঁদের ৪০ কিলোমিটার দূরে যেতে হতো।",
    "নতুন এই হাসপাতালে হৃদরোগ ও ক্যানসারের চিকিৎসার আধুনিক ব্যবস্থা থাকছে।",
    "চিকিৎসক নিয়োগের প্রক্রিয়া আগামী মাসে শেষ হবে বলে কর্তৃপক্ষ জানিয়েছে।",
    "২০১৯ সালে এই প্রকল্পের কাজ শুরু হয়েছিল।",
    "মহামারির কারণে কাজ প্রায় এক বছর বন্ধ ছিল।",
    "গত বছরের ডিসেম্বরে ভবনের নির্মাণকাজ শেষ হয়।",
    "আগামীকাল থেকে বহির্বিভাগে রোগী দেখা শুরু হবে।",
];

struct Model {
    network: Arc<dyn Generator>,
    tokenizer: GgufTokenizer,
}

fn load(level: Level) -> Option<Model> {
    if !Path::new(WEIGHTS).is_file() {
        println!("{WEIGHTS} is not there: the decoding benches are left out");
        return None;
    }
    let gguf = Arc::new(Gguf::open(Path::new(WEIGHTS)).expect("the default model opens"));
    let config = DecoderConfig::from_gguf(&gguf).expect("its configuration is known");
    let tokenizer = GgufTokenizer::new(vocabulary::read(&gguf).expect("its vocabulary")).expect("its tokenizer");
    let eos = tokenizer.id("<eos>").into_iter().collect();
    let place = Placement { level, ..Placement::cpu(Compute::Int8) };
    let network = DecoderOnly::load(gguf, config, None, eos, place).expect("its network");
    Some(Model { network: Arc::new(network), tokenizer })
}

/// One more token of each of `sentences` sentences that have [`CONTEXT`] tokens already.
fn step_batch(sentences: u32) -> StepBatch {
    let length = CONTEXT + 1;
    let table = |s: u32| (0..length).map(move |position| s * length + position);
    StepBatch {
        tokens: (0..sentences).map(|s| 1000 + s).collect(),
        positions: vec![CONTEXT; sentences as usize],
        rows: (0..sentences).map(|s| s * length + CONTEXT).collect(),
        tables: (0..sentences).flat_map(table).collect(),
        spans: (0..sentences).map(|s| (s * length, length)).collect(),
        memory: Vec::new(),
        outputs: (0..sentences).collect(),
    }
}

/// The same step with candle's own quantized products and operations, and with ours.
fn beside_candle(_: &mut Criterion) {
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if filter.is_some_and(|filter| filter != "candle") {
        return;
    }
    let (Some(ours), Some(candle)) = (load(Level::detect()), load(Level::CANDLE)) else { return };
    println!("one step: candle's own operations beside ours ({})", Level::detect().name());
    for sentences in [1, 8, 32] {
        let batch = step_batch(sentences);
        let [mut our_cache, mut their_cache] =
            [&ours, &candle].map(|m| m.network.new_cache((sentences * (CONTEXT + 1)) as usize, 0).expect("a cache"));
        let [ours, theirs] = shared::in_turns(
            7,
            [&mut || drop(ours.network.step(&mut our_cache, &batch).expect("a step")), &mut || {
                drop(candle.network.step(&mut their_cache, &batch).expect("a step"))
            }],
        );
        println!(
            "{sentences:>3} sentences: candle {:.1} ms, ours {:.1} ms, {:.1}x",
            theirs * 1e3,
            ours * 1e3,
            theirs / ours
        );
    }
}

fn one_step(c: &mut Criterion) {
    let Some(model) = load(Level::detect()) else { return };
    let mut group = c.benchmark_group("step");
    for sentences in [1, 4, 16, 32, 64] {
        let mut cache = model.network.new_cache((sentences * (CONTEXT + 1)) as usize, 0).expect("a cache");
        let batch = step_batch(sentences);
        group.throughput(Throughput::Elements(u64::from(sentences)));
        group.bench_function(BenchmarkId::new("sentences", sentences), |b| {
            b.iter(|| model.network.step(&mut cache, &batch).expect("a step"));
        });
    }
    group.finish();
}

fn article(c: &mut Criterion) {
    let Some(model) = load(Level::detect()) else { return };
    let bos = model.tokenizer.id("<bos>").expect("the vocabulary has <bos>");
    let prompt = |sentence: &&str| {
        let mut ids = vec![bos];
        ids.extend(model.tokenizer.encode(&format!("Bengali: {sentence}\nEnglish:")).expect("token ids"));
        ids
    };
    let sources: Vec<Vec<u32>> = ARTICLE.iter().map(prompt).collect();
    let mut group = c.benchmark_group("article");
    group.throughput(Throughput::Elements(sources.len() as u64));
    for (name, together) in [("one sentence at a time", 1), ("all at once", ARTICLE.len())] {
        let options = DecodeOptions { max_new_tokens: Some(96), ..Default::default() };
        group.bench_function(name, |b| {
            b.iter(|| generate(&model.network, &sources, &options, together).expect("a translation"))
        });
    }
    group.finish();
}

fn short() -> Criterion {
    Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(5))
}

criterion_group! { name = benches; config = short(); targets = beside_candle, one_step, article }
criterion_main!(benches);
