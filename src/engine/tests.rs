//! The engine on the toy network: one character is one token.
use super::*;
use crate::{
    Error,
    decode::{Choice, DecodeOptions, Sampling, consensus, toy::Toy},
    metrics::Chrf,
    tokenizer::Tokenizer,
};
use proptest::prelude::*;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// Token 3 is a space, 4.. are the letters of the alphabet, 40 is '!' and makes the network panic.
struct Letters;

impl Tokenizer for Letters {
    fn vocab_size(&self) -> usize {
        crate::decode::toy::VOCAB
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let id = |c: char| match c {
            'a'..='z' => 4 + c as u32 - 'a' as u32,
            '!' => 40,
            '@' => panic!("the tokenizer chokes on @"),
            _ => 3,
        };
        Ok(text.chars().map(id).collect())
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        Ok(ids.iter().map(|&id| char::from_u32('A' as u32 + id).unwrap_or('?')).collect())
    }

    fn piece(&self, _: u32) -> Option<String> {
        None
    }

    fn id(&self, _: &str) -> Option<u32> {
        None
    }
}

fn identity() -> ModelIdentity {
    ModelIdentity { id: "toy".into(), digest: String::new(), architecture: "toy".into(), compute: "f32".into() }
}

fn translator(encoder_decoder: bool, options: DecodeOptions, engine: EngineOptions) -> Translator {
    let mut network = Toy::new(encoder_decoder, 4);
    network.eos_slope = 0.06;
    network.poison = Some(40);
    network.output_ids = Some((1..39).collect());
    let prompt = if encoder_decoder {
        Prompt::Source
    } else {
        Prompt::Text { bos: Some(2), prefix: "bn ".into(), suffix: " en".into() }
    };
    Translator::new(Arc::new(network), Arc::new(Letters), identity(), prompt, options, engine).unwrap()
}

fn small(workers: usize) -> EngineOptions {
    EngineOptions { workers, threads: 1, hypotheses: 8, step_tokens: 64, ..Default::default() }
}

fn all(translator: &Translator, texts: &[&str]) -> Vec<Result<Outcome>> {
    translator.translate_all(&texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn workers_and_batches_change_nothing(
        encoder_decoder: bool,
        beams in 1usize..4,
        texts in prop::collection::vec("[a-z ,]{0,40}", 1..30),
        workers in 1usize..4,
        hypotheses in 1usize..20,
        step_tokens in 1usize..100,
        cache_bytes in 0usize..20_000,
    ) {
        let options = DecodeOptions { beams, alternatives: beams - 1, ..Default::default() };
        let engine = EngineOptions {
            workers, hypotheses, step_tokens, cache_bytes, threads: 1, max_sentence_tokens: 30,
        };
        let together = translator(encoder_decoder, options.clone(), engine).translate_all(&texts).unwrap();
        let alone = translator(encoder_decoder, options, EngineOptions { max_sentence_tokens: 30, ..small(1) });
        for (text, outcome) in texts.iter().zip(together) {
            let want = alone.translate_all(std::slice::from_ref(text)).unwrap().remove(0).unwrap();
            prop_assert_eq!(outcome.unwrap(), want);
        }
    }
}

#[test]
fn a_sentence_that_makes_the_network_panic_fails_alone() {
    for encoder_decoder in [false, true] {
        let translator = translator(encoder_decoder, DecodeOptions::default(), small(2));
        let mut texts = vec!["good morning", "bad! sentence", "the tokenizer @", "good night"];
        texts.extend(["more of it"; 20]);
        let outcomes = all(&translator, &texts);
        for (text, outcome) in texts.iter().zip(&outcomes) {
            match outcome {
                Ok(_) => assert!(!text.contains(['!', '@']), "{text}"),
                Err(error) if text.contains('!') => assert!(error.to_string().contains("poisoned"), "{error}"),
                Err(error) => assert!(text.contains('@') && error.to_string().contains("chokes"), "{text}: {error}"),
            }
        }
        let stats = translator.stats();
        assert_eq!((stats.jobs, stats.failed), (22, 2));
        assert!(stats.retried >= 1, "the poisoned sentence at least is tried twice");
        // The translator goes on as before, and those that were tried again came out right.
        let fresh = self::translator(encoder_decoder, DecodeOptions::default(), small(1));
        for (translator, text, index) in
            [(&translator, "good night", 3), (&fresh, "good night", 3), (&fresh, "more of it", 4)]
        {
            let again = all(translator, &[text]).remove(0).unwrap();
            assert_eq!(&again, outcomes[index].as_ref().unwrap());
        }
    }
}

#[test]
fn a_long_sentence_is_translated_in_parts_and_nothing_is_cut_off() {
    for encoder_decoder in [false, true] {
        let engine = EngineOptions { max_sentence_tokens: 30, ..small(1) };
        let translator = translator(encoder_decoder, DecodeOptions::default(), engine);
        let parts = ["the first clause is here,", "the second comes after it,", "and the third one ends it all"];
        let whole = all(&translator, &[&parts.join(" ")]).remove(0).unwrap();
        let single: Vec<Outcome> = all(&translator, &parts).into_iter().map(Result::unwrap).collect();
        assert_eq!(whole.parts, 3);
        assert!(single.iter().all(|o| !o.text.is_empty()), "the toy must say something");
        assert_eq!(whole.text, single.iter().map(|o| o.text.as_str()).collect::<Vec<_>>().join(" "));
        assert_eq!(whole.source_tokens, single.iter().map(|o| o.source_tokens).sum::<usize>());
        assert_eq!(whole.target_tokens, single.iter().map(|o| o.target_tokens).sum::<usize>());
        assert_eq!(translator.stats().split, 1);
    }
}

#[test]
fn consensus_puts_the_sample_that_the_others_agree_with_first() {
    let sampling = Some(Sampling { temperature: 1.0, top_k: None, top_p: None, seed: 3 });
    let sampled = DecodeOptions { sampling, alternatives: 7, ..Default::default() };
    let agreed = DecodeOptions { choice: Choice::Consensus, ..sampled.clone() };
    let texts = ["good morning to you", "the river is wide", "come in", ""];
    let by_score = all(&translator(false, sampled, small(1)), &texts);
    let by_agreement = all(&translator(false, agreed, small(1)), &texts);
    let mut moved = 0;
    for (score, agreement) in by_score.into_iter().zip(by_agreement).map(|(a, b)| (a.unwrap(), b.unwrap())) {
        let list = |o: &Outcome| -> Vec<(String, f32)> {
            std::iter::once((o.text.clone(), o.score)).chain(o.alternatives.iter().cloned()).collect()
        };
        let (mut score, mut agreement) = (list(&score), list(&agreement));
        moved += usize::from(score != agreement);
        let whole: Vec<(&str, bool)> = score.iter().map(|(text, _)| (text.as_str(), false)).collect();
        // samples that broke off have no say; the toy's end by themselves here, but for the empty text's
        assert_eq!(agreement[0], score[consensus(&whole, |all| Chrf::default().pairwise(all)).unwrap()]);
        let order = |a: &(String, f32), b: &(String, f32)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1));
        score.sort_by(order);
        agreement.sort_by(order);
        assert_eq!(score, agreement, "the same samples, in another order");
    }
    assert!(moved > 0, "the best by score is not always the one agreed on");
}

#[test]
fn the_models_own_limit_counts_too() {
    let network = |encoder_decoder| {
        let network = Toy::new(encoder_decoder, 1).with_spec(|spec| spec.max_source = 60);
        let engine = EngineOptions { max_sentence_tokens: 1000, ..small(1) };
        let prompt = Prompt::Text { bos: Some(2), prefix: "abc".into(), suffix: String::new() };
        Translator::new(Arc::new(network), Arc::new(Letters), identity(), prompt, DecodeOptions::default(), engine)
            .unwrap()
    };
    assert_eq!(network(true).sentence_limit(), 56, "60 tokens, four of them for the prompt");
    // Prompt 4 + sentence 9 + output 2.5 · 9 + 24 ≤ 60.
    assert_eq!(network(false).sentence_limit(), 9);
    for encoder_decoder in [false, true] {
        let outcome = all(&network(encoder_decoder), &["word ".repeat(40).as_str()]).remove(0).unwrap();
        assert!(outcome.parts > 2);
    }
}

#[test]
fn nothing_comes_of_nothing() {
    let translator = translator(true, DecodeOptions::default(), small(2));
    for outcome in all(&translator, &["", "  \n"]) {
        let outcome = outcome.unwrap();
        assert_eq!((outcome.text.as_str(), outcome.parts, outcome.target_tokens), ("", 1, 0));
        assert!(!outcome.truncated);
    }
    assert_eq!(translator.stats().sessions.steps, 0);
}

#[test]
fn line_breaks_cannot_end_a_prompt() {
    let translator = translator(false, DecodeOptions::default(), small(1));
    let outcomes = all(&translator, &["one\ntwo\u{0}three", "one two three"]);
    assert_eq!(outcomes[0].as_ref().unwrap(), outcomes[1].as_ref().unwrap());
}

#[test]
fn a_jobs_own_options_are_its_own() {
    let engine = EngineOptions { cache_bytes: 1, ..small(1) };
    let translator = translator(true, DecodeOptions::default(), engine);
    let wide = DecodeOptions { beams: 16, alternatives: 15, max_new_tokens: Some(40), ..Default::default() };
    let text = "some words".to_owned();
    // One number for two jobs is allowed, and more beams than the session has room for.
    let mut jobs = [None, Some(wide.clone())].into_iter().map(|options| Job { id: 7, text: text.clone(), options });
    let mut outcomes = Vec::new();
    translator
        .translate_stream(&mut jobs, &mut |id, outcome| {
            outcomes.push((id, outcome.unwrap()));
            true
        })
        .unwrap();
    assert!(outcomes.iter().all(|(id, _)| *id == 7));
    let mut alternatives: Vec<usize> = outcomes.iter().map(|(_, o)| o.alternatives.len()).collect();
    alternatives.sort_unstable();
    assert_eq!(alternatives, [0, 15]);
    let impossible = DecodeOptions { beams: 0, ..wide };
    let mut jobs = [Job { id: 1, text, options: Some(impossible) }].into_iter();
    let mut error = None;
    translator
        .translate_stream(&mut jobs, &mut |_, outcome| {
            error = outcome.err();
            true
        })
        .unwrap();
    assert!(matches!(error, Some(Error::Settings(_))));
}

#[test]
fn the_caller_can_stop_and_is_never_called_twice_at_once() {
    let translator = translator(false, DecodeOptions::default(), small(3));
    let inside = AtomicBool::new(false);
    let mut left = 25;
    let mut pulled = 0;
    let mut jobs = (0..).map(|id| {
        pulled += 1;
        Job { id, text: format!("number {}", "abcdefgh".repeat(id as usize % 3)), options: None }
    });
    translator
        .translate_stream(&mut jobs, &mut |_, outcome| {
            assert!(!inside.swap(true, Ordering::SeqCst));
            outcome.unwrap();
            left -= 1;
            inside.store(false, Ordering::SeqCst);
            left > 0
        })
        .unwrap();
    assert_eq!(left, 0, "no outcome is reported after the caller has said stop");
    assert!(pulled < 25 + 3 * 9, "{pulled} jobs were pulled of an endless supply");
    assert_eq!(all(&translator, &["again"]).len(), 1);
}

/// Workers go on with what they have while there is nothing new, and fill up again as soon as there is.
#[test]
fn a_supply_with_gaps_does_not_empty_the_batch() {
    struct Gaps<'a> {
        texts: &'a [String],
        next: usize,
        asked: usize,
    }
    impl Jobs for Gaps<'_> {
        fn next_job(&mut self, idle: bool) -> Supply {
            self.asked += 1;
            match self.texts.get(self.next) {
                None => Supply::End,
                Some(_) if !idle && self.asked.is_multiple_of(2) => Supply::NotNow,
                Some(text) => {
                    self.next += 1;
                    Supply::Job(Job { id: self.next as u64 - 1, text: text.clone(), options: None })
                }
            }
        }
    }
    let texts: Vec<String> = (0..60).map(|i| "some words in a row "[i % 7..].to_owned()).collect();
    let want: Vec<Outcome> = translator(false, DecodeOptions::default(), small(1))
        .translate_all(&texts)
        .unwrap()
        .into_iter()
        .map(Result::unwrap)
        .collect();
    for workers in [1, 3] {
        let translator = translator(false, DecodeOptions::default(), small(workers));
        let mut outcomes = vec![None; texts.len()];
        translator
            .translate_supply(&mut Gaps { texts: &texts, next: 0, asked: 0 }, &mut |id, outcome| {
                outcomes[id as usize] = Some(outcome.unwrap());
                true
            })
            .unwrap();
        assert_eq!(outcomes.into_iter().flatten().collect::<Vec<_>>(), want);
        let fill = translator.batch_fill().unwrap();
        assert_eq!((fill.room, fill.rows), (8, fill.tokens), "nothing is padded");
        assert!(workers > 1 || fill.occupancy() > 0.5, "{fill:?}");
    }
}

#[test]
fn counters_tell_what_went_through_the_network() {
    let translator = translator(true, DecodeOptions { forced_bos: Some(9), ..Default::default() }, small(1));
    let outcomes: Vec<Outcome> =
        all(&translator, &["one", "two", "three four"]).into_iter().map(Result::unwrap).collect();
    let stats = translator.stats();
    assert_eq!(stats.jobs, 3);
    assert_eq!(stats.sessions.encoded, 16);
    assert_eq!(stats.sessions.prefilled, 6, "the start and the forced token of each");
    // The forced token is not chosen and the last one not fed.
    assert_eq!(stats.sessions.decoded, outcomes.iter().map(|o| o.target_tokens as u64 - 2).sum::<u64>());
    assert_eq!(stats.sessions.outputs, outcomes.iter().map(|o| o.target_tokens as u64 - 1).sum::<u64>());
    assert!(stats.fill() > 1.0 && stats.fill() <= 3.0);
    assert_eq!(stats.tokens(), stats.sessions.encoded + stats.sessions.prefilled + stats.sessions.decoded);
}

#[test]
fn zero_of_anything_is_refused() {
    for broken in [
        EngineOptions { workers: 0, ..small(1) },
        EngineOptions { threads: 0, ..small(1) },
        EngineOptions { hypotheses: 0, ..small(1) },
        EngineOptions { step_tokens: 0, ..small(1) },
        EngineOptions { max_sentence_tokens: 0, ..small(1) },
    ] {
        let network = Arc::new(Toy::new(true, 1));
        let made =
            Translator::new(network, Arc::new(Letters), identity(), Prompt::Source, DecodeOptions::default(), broken);
        assert!(matches!(made, Err(Error::Settings(_))));
    }
}
