//! A translator without a model, for tests: the same sentence always gives the same outcome.
use anubad::article::Segment;
use anubad::article::{Article, Block};
use anubad::bulk::{Finished, Steps};
use anubad::engine::{Job, ModelIdentity, Outcome, Translate};
use anubad::error::InputError;
use anubad::pipeline::Prepared;
use anubad::text::{Finding, FindingKind, Severity};
use anubad::{Error, Result};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Turns a sentence around, word by word. Reports in an order that is not that of the sentences.
pub struct Toy {
    pub identity: ModelIdentity,
    /// Time a sentence takes.
    pub slow: Duration,
    /// Sentences translated so far, and how often the stream was begun.
    pub translated: AtomicUsize,
    pub streams: AtomicUsize,
    /// A sentence with this word panics out of the stream the first so many times.
    pub panics: Mutex<usize>,
}

/// Panics in every batch.
pub const PANIC: &str = "আতঙ্ক";
/// Is reported as failed.
pub const FAIL: &str = "ব্যর্থ";
/// Panics while the article is put together.
pub const PANIC_LATE: &str = "শেষে-আতঙ্ক";

impl Toy {
    pub fn new() -> Self {
        Self::named("toy")
    }

    pub fn named(id: &str) -> Self {
        let identity =
            ModelIdentity { id: id.into(), digest: "0123".into(), architecture: "toy".into(), compute: "none".into() };
        let (translated, streams) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { identity, slow: Duration::ZERO, translated, streams, panics: Mutex::new(usize::MAX) }
    }

    fn one(&self, text: &str) -> Result<Outcome> {
        std::thread::sleep(self.slow);
        self.translated.fetch_add(1, Ordering::Relaxed);
        if text.contains(FAIL) {
            return Err(Error::Input(InputError::Empty("the toy cannot translate this".into())));
        }
        let words: Vec<&str> = text.split_whitespace().rev().collect();
        let (source_tokens, target_tokens) = (words.len(), words.len() + 1);
        let text = format!("en({})", words.join(" "));
        Ok(Outcome {
            text,
            score: -0.5,
            source_tokens,
            target_tokens,
            parts: 1,
            truncated: false,
            trace: Default::default(),
            alternatives: vec![],
        })
    }
}

impl Translate for Toy {
    fn identity(&self) -> &ModelIdentity {
        &self.identity
    }

    fn translate_stream(
        &self,
        jobs: &mut (dyn Iterator<Item = Job> + Send),
        done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send),
    ) -> Result<()> {
        self.streams.fetch_add(1, Ordering::Relaxed);
        loop {
            let mut batch: Vec<Job> = jobs.take(7).collect();
            if batch.is_empty() {
                return Ok(());
            }
            batch.sort_by_key(|job| job.text.len());
            for job in batch {
                let mut panics = self.panics.lock().unwrap_or_else(|e| e.into_inner());
                if job.text.contains(PANIC) && *panics > 0 {
                    *panics -= 1;
                    drop(panics);
                    panic!("as the test wishes");
                }
                drop(panics);
                if !done(job.id, self.one(&job.text)) {
                    return Ok(());
                }
            }
        }
    }
}

/// One segment a block; the summary is the first sentence.
pub struct ToySteps;

/// The finisher asks for these once more.
pub const REPAIR: &str = "মেরামত";

impl Steps for ToySteps {
    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "toy": true })
    }

    fn prepare(&self, article: Article) -> Prepared {
        let title = article.title.iter().map(|t| (None, t));
        let blocks = article.blocks.iter().enumerate().map(|(i, b)| (Some(i), &b.text));
        let segment =
            |(block, text): (_, &String)| Segment { block, sentence: 0, text: text.clone(), range: 0..text.len() };
        let segments: Vec<Segment> = title.chain(blocks).map(segment).collect();
        let texts = segments.iter().map(|s| Some(s.text.clone())).collect();
        Prepared { article, segments, texts }
    }

    fn finish(
        &self,
        prepared: &Prepared,
        outcomes: Vec<Option<Result<Outcome>>>,
        engine: &dyn Translate,
    ) -> Result<Finished> {
        let article = &prepared.article;
        let mut english = Article { meta: article.meta.clone(), ..Article::default() };
        for (segment, outcome) in prepared.segments.iter().zip(outcomes) {
            assert!(!segment.text.contains(PANIC_LATE), "as the test wishes");
            let mut text =
                outcome.ok_or_else(|| Error::Input(InputError::Empty("an outcome is missing".into())))??.text;
            if segment.text.contains(REPAIR) {
                text = engine.translate_all(&[format!("{} আবার", segment.text)])?.remove(0)?.text;
            }
            match segment.block {
                None => english.title = Some(text),
                Some(i) => english.blocks.push(Block { kind: article.blocks[i].kind, text, range: 0..0 }),
            }
        }
        let kind = FindingKind::LengthRatio;
        let findings = if english.blocks.len().is_multiple_of(3) {
            vec![Finding { kind, severity: Severity::Note, segment: Some(0), message: "three".into() }]
        } else {
            Vec::new()
        };
        let summary = english.blocks.first().map(|b| b.text.clone());
        Ok(Finished { article: english, summary, findings, ..Finished::default() })
    }
}
