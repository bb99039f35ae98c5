//! The whole decoder against itself and against plain enumeration, on the toy network.
use super::{
    DecodeOptions, Finished, Generator, Hypothesis, Limits, Request, Sampling, Session, generate,
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
    ) {
        let generator = toy(encoder_decoder, 11);
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
        let mut session = Session::new(generator.clone(), limits).unwrap();
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
