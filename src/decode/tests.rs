//! The whole decoder against itself and against plain enumeration, on the toy network.
use super::{
    Columns, DecodeOptions, EarlyStopping, Finished, Generator, Hypothesis, Limits, Request, Sampling, Session,
    generate,
    toy::{EOS, Toy},
};
use proptest::prelude::*;
use std::{collections::HashMap, sync::Arc};

fn toy(encoder_decoder: bool, seed: u32) -> Arc<dyn Generator> {
    Arc::new(Toy::new(encoder_decoder, seed))
}

fn request(id: u64, source: &[u32], options: &Arc<DecodeOptions>) -> Request {
    let max_new_tokens = options.max_new_tokens.unwrap_or(usize::MAX);
    Request { id, source: source.to_vec(), options: options.clone(), max_new_tokens }
}

fn alone(generator: &Arc<dyn Generator>, source: &[u32], options: &DecodeOptions) -> Vec<Hypothesis> {
    generate(generator, &[source.to_vec()], options, 1).unwrap().remove(0).unwrap()
}

/// Options of all kinds, chosen by a number.
fn options(kind: u8) -> DecodeOptions {
    let plain = DecodeOptions { max_new_tokens: Some(24), ..Default::default() };
    match kind % 6 {
        0 => plain,
        1 => DecodeOptions { beams: 4, alternatives: 3, ..plain },
        2 => DecodeOptions { beams: 3, no_repeat_ngram: 2, repetition_penalty: 1.2, length_penalty: 0.6, ..plain },
        3 => DecodeOptions { no_repeat_ngram: 3, min_new_tokens: 6, bad_words: vec![vec![5], vec![7, 9]], ..plain },
        4 => DecodeOptions {
            sampling: Some(Sampling { temperature: 0.8, top_k: Some(8), top_p: Some(0.9), seed: 7 }),
            alternatives: 2,
            ..plain
        },
        _ => DecodeOptions { forced_bos: Some(9), forced_eos: Some(EOS), ..plain },
    }
}

fn run_all(session: &mut Session, finished: &mut HashMap<u64, Vec<Hypothesis>>) {
    for Finished { id, result } in session.step().unwrap() {
        assert!(finished.insert(id, result.unwrap()).is_none(), "sentence {id} finished twice");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is admitted when, in a store of whatever size: each sentence comes out as it does alone.
    #[test]
    fn a_batch_equals_its_singles(
        encoder_decoder: bool,
        sentences in prop::collection::vec((prop::collection::vec(3u32..48, 1..30), any::<u8>(), 0usize..4), 1..14),
        spare_rows in 0usize..300,
        hypotheses in 1usize..20,
        step_tokens in 1usize..80,
        prefix in prop::collection::vec(3u32..48, 0..6),
    ) {
        let generator = toy(encoder_decoder, 11);
        let mut sentences = sentences;
        for (source, kind, _) in &mut sentences {
            if *kind % 7 < 5 {
                source.splice(..0, prefix.iter().copied());
            }
        }
        let all: Vec<Arc<DecodeOptions>> = sentences.iter().map(|s| Arc::new(options(s.1))).collect();
        let requests: Vec<Request> =
            (0..).zip(&sentences).zip(&all).map(|((id, s), options)| request(id, &s.0, options)).collect();
        let needed: Vec<_> = requests.iter().map(|r| Session::rows_needed(&*generator, r)).collect();
        let limits = Limits {
            rows: needed.iter().map(|n| n.0).max().unwrap() + spare_rows,
            memory_rows: needed.iter().map(|n| n.1).max().unwrap() + spare_rows / 4,
            hypotheses,
            step_tokens,
        };
        let columns = Arc::new(Columns::of(&*generator).unwrap());
        let mut session = Session::with_prefix(generator.clone(), columns, &prefix, limits).unwrap();
        let mut finished = HashMap::new();
        for (request, (_, _, steps_before)) in requests.into_iter().zip(&sentences) {
            for _ in 0..*steps_before {
                run_all(&mut session, &mut finished);
            }
            session.admit(request).unwrap();
        }
        while !session.is_empty() {
            run_all(&mut session, &mut finished);
        }
        prop_assert_eq!(finished.len(), sentences.len());
        for ((id, sentence), options) in (0..).zip(&sentences).zip(&all) {
            prop_assert_eq!(&finished[&id], &alone(&generator, &sentence.0, options));
        }
        prop_assert!(session.is_clean(), "rows leaked");
    }
}

#[test]
fn a_common_prefix_is_read_once() {
    let generator = toy(false, 8);
    let limits = Limits { rows: 400, memory_rows: 0, hypotheses: 8, step_tokens: 64 };
    let columns = Arc::new(Columns::of(&*generator).unwrap());
    let mut session = Session::with_prefix(generator.clone(), columns, &[7, 8, 9], limits).unwrap();
    let options = Arc::new(options(0));
    let mut finished = HashMap::new();
    for (id, source) in [vec![7, 8, 9, 10], vec![7, 8, 9, 11, 12], vec![7, 8, 9], vec![6, 8]].into_iter().enumerate() {
        session.admit(request(id as u64, &source, &options)).unwrap();
        while !session.is_empty() {
            run_all(&mut session, &mut finished);
        }
        assert_eq!(finished[&(id as u64)], alone(&generator, &source, &options));
    }
    assert_eq!(session.take_stats().prefilled, 4 + 2 + 3 + 2, "the last token of a prompt is always read");
    assert!(session.is_clean());
}

#[test]
fn greedy_takes_the_best_token_at_every_step() {
    for encoder_decoder in [false, true] {
        for seed in 0..20 {
            let network = Toy::new(encoder_decoder, seed);
            let source = [5, 6, 7 + seed];
            let (memory, mut tokens) = if encoder_decoder {
                (source.to_vec(), vec![super::toy::START])
            } else {
                (Vec::new(), source.to_vec())
            };
            let (prompt, mut log_prob) = (tokens.len(), 0f64);
            while tokens.last() != Some(&EOS) && tokens.len() < prompt + 30 {
                let logits = network.logits(&memory, &tokens);
                let best = (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap();
                let sum: f64 = logits.iter().map(|&l| f64::from(l - logits[best]).exp()).sum();
                log_prob -= sum.ln();
                tokens.push(best as u32);
            }
            let options = DecodeOptions { max_new_tokens: Some(30), loop_guard: false, ..Default::default() };
            let got = alone(&toy(encoder_decoder, seed), &source, &options).remove(0);
            assert_eq!(got.tokens, tokens[prompt..]);
            assert_eq!(got.truncated, tokens.last() != Some(&EOS));
            assert!((f64::from(got.log_prob) - log_prob).abs() < 1e-4);
        }
    }
}

/// One call of transformers' `generate` on the toy network; written by `scripts/golden/decode.py`.
#[derive(serde::Deserialize)]
struct Golden {
    seed: u32,
    slope: f32,
    encoder_decoder: bool,
    source: Vec<u32>,
    eos: Vec<u32>,
    max_new_tokens: usize,
    options: GoldenOptions,
    sequences: Vec<Vec<u32>>,
    scores: Option<Vec<f32>>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct GoldenOptions {
    num_beams: usize,
    #[serde(default)]
    no_repeat_ngram_size: usize,
    #[serde(default = "one")]
    repetition_penalty: f32,
    #[serde(default = "one")]
    length_penalty: f32,
    #[serde(default)]
    early_stopping: EarlyStopping,
    #[serde(default)]
    min_new_tokens: usize,
    #[serde(default)]
    bad_words_ids: Vec<Vec<u32>>,
    forced_bos_token_id: Option<u32>,
    forced_eos_token_id: Option<u32>,
}

fn one() -> f32 {
    1.0
}

impl Golden {
    fn options(&self) -> DecodeOptions {
        let o = &self.options;
        DecodeOptions {
            beams: o.num_beams,
            alternatives: o.num_beams - 1,
            length_penalty: o.length_penalty,
            early_stopping: o.early_stopping,
            no_repeat_ngram: o.no_repeat_ngram_size,
            repetition_penalty: o.repetition_penalty,
            min_new_tokens: o.min_new_tokens,
            max_new_tokens: Some(self.max_new_tokens),
            forced_bos: o.forced_bos_token_id,
            forced_eos: o.forced_eos_token_id,
            bad_words: o.bad_words_ids.clone(),
            loop_guard: false,
            ..Default::default()
        }
    }
}

/// `ANUBAD_DECODE_GOLDEN=FILE` takes another file of the same script.
#[test]
fn greedy_and_beam_search_equal_transformers() {
    let committed = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/decode.json");
    let path = std::env::var("ANUBAD_DECODE_GOLDEN").unwrap_or_else(|_| committed.into());
    let cases: Vec<Golden> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() >= 100);
    for (number, case) in cases.iter().enumerate() {
        let mut network = Toy::new(case.encoder_decoder, case.seed).with_spec(|s| s.eos = case.eos.clone());
        network.eos_slope = case.slope;
        let network: Arc<dyn Generator> = Arc::new(network);
        let got = alone(&network, &case.source, &case.options());
        let sequences: Vec<_> = got.iter().map(|h| h.tokens.clone()).collect();
        assert_eq!(sequences, case.sequences, "line {}: {:?}", number + 2, case.options);
        for (hypothesis, want) in got.iter().zip(case.scores.iter().flatten()) {
            assert!((hypothesis.score - want).abs() < 1e-4, "line {}: {} for {want}", number + 2, hypothesis.score);
        }
    }
}

/// With as many beams as there are hypotheses, beam search finds what enumeration finds.
#[test]
fn a_wide_beam_finds_the_best_of_all_hypotheses() {
    /// Every hypothesis of at most `left` more tokens with its log-probability.
    fn enumerate(network: &Toy, tokens: &mut Vec<u32>, sum: f64, left: usize, all: &mut Vec<(f64, Vec<u32>)>) {
        let ids = network.output_ids.as_ref().unwrap();
        let logits = network.logits(&[], tokens);
        let total = ids.iter().map(|&id| f64::from(logits[id as usize]).exp()).sum::<f64>().ln();
        for &id in ids {
            tokens.push(id);
            let sum = sum + f64::from(logits[id as usize]) - total;
            if id == EOS || left == 1 {
                all.push((sum, tokens.clone()));
            } else {
                enumerate(network, tokens, sum, left - 1, all);
            }
            tokens.pop();
        }
    }
    for seed in 0..12 {
        for length_penalty in [0.6f32, 1.0, 1.4] {
            let mut network = Toy::new(false, seed);
            network.output_ids = Some(vec![EOS, 4, 8, 20]);
            let mut all = Vec::new();
            enumerate(&network, &mut vec![9, 5], 0.0, 4, &mut all);
            let score = |(sum, tokens): &(f64, Vec<u32>)| sum / ((tokens.len() - 2) as f64).powf(length_penalty.into());
            all.sort_by(|a, b| score(b).total_cmp(&score(a)));
            let options = DecodeOptions {
                beams: 64,
                alternatives: 4,
                length_penalty,
                early_stopping: EarlyStopping::Never,
                max_new_tokens: Some(4),
                ..Default::default()
            };
            let network: Arc<dyn Generator> = Arc::new(network);
            let got = alone(&network, &[9, 5], &options);
            assert_eq!(got.len(), 5);
            for (hypothesis, want) in got.iter().zip(&all) {
                assert_eq!(hypothesis.tokens, want.1[2..], "seed {seed}, length penalty {length_penalty}");
                assert!((f64::from(hypothesis.score) - score(want)).abs() < 1e-5);
                assert_eq!(hypothesis.truncated, hypothesis.tokens.last() != Some(&EOS));
            }
        }
    }
}

#[test]
fn sampling_depends_on_the_seed_and_on_nothing_else() {
    let generator = toy(false, 3);
    let with_seed = |seed, temperature| {
        let sampling = Some(Sampling { temperature, top_k: None, top_p: Some(0.95), seed });
        let options = DecodeOptions { sampling, alternatives: 3, max_new_tokens: Some(20), ..Default::default() };
        alone(&generator, &[4, 5, 6], &options)
    };
    let first = with_seed(1, 1.0);
    assert_eq!(first.len(), 4, "one sample and three alternatives");
    assert_eq!(first, with_seed(1, 1.0));
    assert_ne!(first, with_seed(2, 1.0));
    assert!(first.windows(2).all(|pair| pair[0].score >= pair[1].score));
    let greedy = alone(&generator, &[4, 5, 6], &DecodeOptions { max_new_tokens: Some(20), ..Default::default() });
    assert_eq!(with_seed(1, 0.0)[0], greedy[0], "temperature 0 is greedy search");
}

#[test]
fn a_loop_is_stopped_and_said_to_be_truncated() {
    // Two tokens, one forbidden, and no end in sight.
    let mut network = Toy::new(false, 5);
    network.output_ids = Some(vec![EOS, 8, 20]);
    let network: Arc<dyn Generator> = Arc::new(network);
    let guarded = DecodeOptions {
        bad_words: vec![vec![8]],
        min_new_tokens: 100,
        max_new_tokens: Some(100),
        ..Default::default()
    };
    for beams in [1, 4] {
        let options = DecodeOptions { beams, ..guarded.clone() };
        let got = alone(&network, &[3], &options).remove(0);
        assert_eq!(got.tokens, vec![20; 16], "{beams} beams");
        assert!(got.truncated);
        let got = alone(&network, &[3], &DecodeOptions { loop_guard: false, ..options }).remove(0);
        assert_eq!(got.tokens, vec![20; 100]);
        assert!(got.truncated);
    }
}

#[test]
fn a_restricted_output_gives_token_ids_and_its_own_probabilities() {
    let mut network = Toy::new(true, 6);
    let ids = vec![EOS, 5, 17, 30, 47];
    network.output_ids = Some(ids.clone());
    let logits = network.logits(&[9, 9], &[super::toy::START]);
    let total = ids.iter().map(|&id| f64::from(logits[id as usize]).exp()).sum::<f64>().ln();
    let best = *ids.iter().max_by(|a, b| logits[**a as usize].total_cmp(&logits[**b as usize])).unwrap();
    let options = DecodeOptions { max_new_tokens: Some(1), ..Default::default() };
    let got = alone(&(Arc::new(network) as Arc<dyn Generator>), &[9, 9], &options).remove(0);
    assert_eq!(got.tokens, [best]);
    assert!((f64::from(got.log_prob) - (f64::from(logits[best as usize]) - total)).abs() < 1e-5);
}

#[test]
fn a_broken_network_fails_its_own_sentence_only() {
    let mut network = Toy::new(false, 2);
    network.nan_after = Some(40);
    let network: Arc<dyn Generator> = Arc::new(network);
    let sources = [vec![4, 5], vec![6, 40], vec![7]];
    for beams in [1, 3] {
        let options = DecodeOptions { beams, bad_words: vec![vec![40]], ..Default::default() };
        let results = generate(&network, &sources, &options, 8).unwrap();
        assert!(results[0].is_ok() && results[2].is_ok());
        assert!(results[1].as_ref().unwrap_err().to_string().contains("NaN"));
    }
}

#[test]
fn what_cannot_be_decoded_is_refused_with_advice() {
    let generator = toy(false, 1);
    let refuse = |source: &[u32], options: DecodeOptions, word: &str| {
        let error = generate(&generator, &[source.to_vec()], &options, 4).unwrap().remove(0).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    };
    refuse(&[], DecodeOptions::default(), "empty lines");
    refuse(&[3], DecodeOptions { beams: 0, ..Default::default() }, "greedy");
    let sampling = Some(Sampling { temperature: 1.0, top_k: None, top_p: None, seed: 0 });
    refuse(&[3], DecodeOptions { beams: 2, sampling, ..Default::default() }, "exclude");
    let limits = Limits { rows: 20, memory_rows: 0, hypotheses: 8, step_tokens: 64 };
    let mut session = Session::new(generator.clone(), limits).unwrap();
    let error = session.admit(request(0, &[3; 30], &Arc::default())).unwrap_err();
    assert!(error.to_string().contains("20"), "{error}");
}

#[test]
fn early_stopping_is_read_as_transformers_writes_it() {
    for (text, value) in
        [("false", EarlyStopping::Heuristic), ("true", EarlyStopping::Enough), ("\"never\"", EarlyStopping::Never)]
    {
        assert_eq!(serde_json::from_str::<EarlyStopping>(text).unwrap(), value);
        assert_eq!(serde_json::to_string(&value).unwrap(), text);
    }
    assert!(serde_json::from_str::<EarlyStopping>("\"later\"").is_err());
}
