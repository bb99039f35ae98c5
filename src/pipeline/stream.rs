//! The one path of a sentence: outcome → tidy → respell → check → repair. Articles, `--lines`, `eval` and `bulk` all take it.
//!
//! Sentences come from a supply that may have nothing for a while, and each is handed on as soon as it is done. What the
//! checks doubt is translated again in the same stream, ahead of new sentences, so that batches stay full and nobody waits
//! for the input to end.
use super::finish::{segment_result, settled};
use super::repair::{Mending, RepairOptions, RepairStats, is_serious};
use super::{PipelineOptions, TranslatedSegment};
use crate::article::{Segment, segment};
use crate::engine::{Job, Jobs, Outcome, Supply, Translate};
use crate::lang::normalize;
use crate::text::Finding;
use crate::{Error, Result};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a worker rests that has nothing to do while others finish their sentences.
const REST: Duration = Duration::from_millis(1);

/// A sentence on its way in.
#[derive(Debug)]
pub struct Sentence {
    pub(super) segment: Segment,
    /// As it is given to the engine; `None`: it needs no translation.
    pub(super) text: Option<String>,
    pub(super) first: First,
}

/// Who makes the first translation.
#[derive(Debug)]
pub(super) enum First {
    /// The stream.
    Wanted,
    /// It has been made elsewhere, or there was nothing to translate.
    Made(Option<Result<Outcome>>),
}

impl Sentence {
    /// A sentence that belongs to no article.
    pub fn new(source: impl Into<String>) -> Self {
        let source = source.into();
        let text = segment::needs_translation(&source).then(|| normalize::canonical(&source));
        let segment = Segment { block: None, sentence: 0, range: 0..source.len(), text: source };
        Self { segment, text, first: First::Wanted }
    }
}

/// A sentence on its way out: translated, checked and, where that was necessary and helped, repaired.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Finished {
    /// Its number: sentences are counted from 0 as the supply hands them out.
    pub index: u64,
    /// Source and English.
    pub segment: TranslatedSegment,
    /// What the checks say of it; [`Finding::segment`] is absent.
    pub findings: Vec<Finding>,
}

/// Where the sentences come from. `idle` as in [`Jobs::next_job`]: whether a wait for the next one harms nobody. A wait
/// should be short even then (some 20 ms, then [`Supply::NotNow`]).
pub type Source<'a> = dyn FnMut(bool) -> Supply<Sentence> + Send + 'a;

/// Translates sentences from `source` and gives each to `done` when it is finished, in whatever order they finish; `done`
/// returns false to stop.
///
/// # Errors
/// The engine's own. A sentence that fails alone is handed out in Bengali with a finding that says so.
pub fn translate_sentences(
    engine: &dyn Translate,
    options: &PipelineOptions,
    source: &mut Source<'_>,
    done: &mut (dyn FnMut(Finished) -> bool + Send),
) -> Result<RepairStats> {
    Ok(timed(engine, options, source, done)?.0)
}

/// As [`translate_sentences`]; also how long only repairs were left to do.
pub(super) fn timed(
    engine: &dyn Translate,
    options: &PipelineOptions,
    source: &mut Source<'_>,
    done: &mut (dyn FnMut(Finished) -> bool + Send),
) -> Result<(RepairStats, Duration)> {
    let repair = options.repair.then(|| RepairOptions {
        checks: options.checks.clone(),
        decode: engine.decode_options(),
        ..RepairOptions::default()
    });
    run(engine, options, repair.as_ref(), source, done)
}

/// As [`timed`], with the details of the repair.
pub(super) fn run(
    engine: &dyn Translate,
    options: &PipelineOptions,
    repair: Option<&RepairOptions>,
    source: &mut Source<'_>,
    done: &mut (dyn FnMut(Finished) -> bool + Send),
) -> Result<(RepairStats, Duration)> {
    let flow = Flow { options, repair, state: Mutex::default() };
    let mut going_on = true;
    let mut deliver = |flow: &Flow<'_>| {
        loop {
            let Some(translated) = flow.lock().ready.pop_front() else { return going_on };
            going_on = going_on && done(translated);
        }
    };
    engine.translate_supply(&mut Supplied { flow: &flow, source, ended: false }, &mut |id, outcome| {
        flow.take(id, outcome) && deliver(&flow)
    })?;
    if flow.lock().interrupted {
        return Err(Error::Interrupted);
    }
    if deliver(&flow) {
        // An engine that does not report everything has been stopped.
        flow.give_up();
        deliver(&flow);
    }
    let state = flow.lock();
    Ok((state.stats, state.last_first.map_or(Duration::ZERO, |at| at.elapsed())))
}

struct Flow<'a> {
    options: &'a PipelineOptions,
    /// `None`: sentences stay as they come.
    repair: Option<&'a RepairOptions>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next_index: u64,
    next_job: u64,
    /// Which sentence a job is of, and which part of its round.
    jobs: HashMap<u64, (u64, usize)>,
    open: HashMap<u64, Open>,
    /// Sentences that are not done: those in `open` and those that a thread is looking at.
    unfinished: usize,
    /// Repairs that the engine has yet to take.
    repairs: VecDeque<Job>,
    ready: VecDeque<Finished>,
    stats: RepairStats,
    /// When the last first translation was there.
    last_first: Option<Instant>,
    interrupted: bool,
}

/// A sentence that waits for outcomes.
enum Open {
    First(Segment, Option<String>),
    Mending { done: Box<TranslatedSegment>, findings: Vec<Finding>, mending: Box<Mending> },
}

impl Flow<'_> {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a sentence in; the job that it makes, if it makes one.
    fn admit(&self, sentence: Sentence) -> Option<Job> {
        let Sentence { segment, text, first } = sentence;
        let mut state = self.lock();
        let index = state.next_index;
        state.next_index += 1;
        state.unfinished += 1;
        match first {
            First::Wanted => {
                let id = state.next_job;
                state.next_job += 1;
                state.jobs.insert(id, (index, 0));
                // What needs no translation passes through the engine as an empty text, to be handed out in its turn.
                let job = Job { id, text: text.clone().unwrap_or_default(), options: None };
                state.open.insert(index, Open::First(segment, text));
                Some(job)
            }
            First::Made(outcome) => {
                drop(state);
                self.first(index, segment, text, outcome);
                None
            }
        }
    }

    /// Takes an outcome; false: the engine has been interrupted.
    fn take(&self, id: u64, outcome: Result<Outcome>) -> bool {
        let mut state = self.lock();
        let Some((index, part)) = state.jobs.remove(&id) else { return true };
        match state.open.remove(&index) {
            Some(Open::First(segment, text)) => {
                drop(state);
                let outcome = text.is_some().then_some(outcome);
                self.first(index, segment, text, outcome);
            }
            Some(Open::Mending { done, findings, mut mending }) => {
                if matches!(outcome, Err(Error::Interrupted)) {
                    state.interrupted = true;
                    return false;
                }
                if mending.take(part, outcome) {
                    drop(state);
                    self.next_round(index, *done, findings, *mending);
                } else {
                    state.open.insert(index, Open::Mending { done, findings, mending });
                }
            }
            None => {}
        }
        true
    }

    /// The first translation is there.
    fn first(&self, index: u64, segment: Segment, text: Option<String>, outcome: Option<Result<Outcome>>) {
        let (done, findings) = segment_result(&segment, outcome, self.options);
        let best = settled(&done, &findings);
        self.lock().last_first = Some(Instant::now());
        match self.repair {
            Some(_) if done.score.is_some() && is_serious(&best) => {
                self.lock().stats.suspects += 1;
                let mending = Mending::new(segment.text, text, best);
                self.next_round(index, done, findings, mending);
            }
            _ => self.finish(index, done, findings),
        }
    }

    /// Sends a doubtful sentence into its next round, or out.
    fn next_round(&self, index: u64, done: TranslatedSegment, findings: Vec<Finding>, mut mending: Mending) {
        let Some(repair) = self.repair else { return self.finish(index, done, findings) };
        let tidy = |source: &str, text: &str| super::finish::tidy(source, text, self.options);
        let jobs = mending.next_round(repair, &tidy);
        if jobs.is_empty() {
            let left = is_serious(mending.best());
            let (done, findings) = mending.settle(done, findings);
            self.lock().stats.left += usize::from(left);
            return self.finish(index, done, findings);
        }
        let mut state = self.lock();
        state.stats.jobs += jobs.len();
        for (part, (text, options)) in jobs.into_iter().enumerate() {
            let id = state.next_job;
            state.next_job += 1;
            state.jobs.insert(id, (index, part));
            state.repairs.push_back(Job { id, text, options: Some(options) });
        }
        state.open.insert(index, Open::Mending { done: Box::new(done), findings, mending: Box::new(mending) });
    }

    fn finish(&self, index: u64, segment: TranslatedSegment, findings: Vec<Finding>) {
        let mut state = self.lock();
        state.unfinished -= 1;
        state.ready.push_back(Finished { index, segment, findings });
    }

    /// Ends what the engine has not reported.
    fn give_up(&self) {
        let open: Vec<(u64, Open)> = self.lock().open.drain().collect();
        for (index, open) in open {
            match open {
                Open::First(segment, text) => {
                    let outcome = text.is_some().then_some(Err(Error::Interrupted));
                    let (done, findings) = segment_result(&segment, outcome, self.options);
                    self.finish(index, done, findings);
                }
                Open::Mending { done, findings, mending } => {
                    let (done, findings) = mending.settle(*done, findings);
                    self.finish(index, done, findings);
                }
            }
        }
    }
}

/// The stream's jobs: repairs first, then new sentences.
struct Supplied<'a, 'b> {
    flow: &'a Flow<'a>,
    source: &'a mut Source<'b>,
    /// The source is exhausted.
    ended: bool,
}

impl Jobs for Supplied<'_, '_> {
    fn next_job(&mut self, idle: bool) -> Supply {
        loop {
            {
                let mut state = self.flow.lock();
                if let Some(job) = state.repairs.pop_front() {
                    return Supply::Job(job);
                }
                // While one is unfinished there may be something to repair yet.
                if self.ended && state.unfinished == 0 {
                    return Supply::End;
                }
            }
            if self.ended {
                if idle {
                    std::thread::sleep(REST);
                }
                return Supply::NotNow;
            }
            match (self.source)(idle) {
                Supply::Job(sentence) => {
                    if let Some(job) = self.flow.admit(sentence) {
                        return Supply::Job(job);
                    }
                }
                Supply::NotNow => return Supply::NotNow,
                Supply::End => self.ended = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::ModelIdentity;
    use crate::text::FindingKind;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Gets numbers wrong at the first try, and knows one sentence that it cannot translate.
    struct Hasty(ModelIdentity);

    impl Hasty {
        fn new() -> Self {
            let empty = String::new;
            Self(ModelIdentity { id: "hasty".into(), digest: empty(), architecture: empty(), compute: empty() })
        }
    }

    impl Translate for Hasty {
        fn identity(&self) -> &ModelIdentity {
            &self.0
        }

        fn translate_stream(
            &self,
            jobs: &mut (dyn Iterator<Item = Job> + Send),
            done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send),
        ) -> Result<()> {
            for job in jobs.collect::<Vec<_>>() {
                let text = match (job.text.contains("২৩১"), job.options.is_some()) {
                    (true, false) => "In all, 230 people died.",
                    (true, true) => "In all, 231 people died.",
                    _ => "He has gone home.",
                };
                let outcome = Outcome {
                    text: text.into(),
                    score: -0.5,
                    source_tokens: 5,
                    target_tokens: 5,
                    parts: 1,
                    truncated: false,
                    trace: Default::default(),
                    alternatives: Vec::new(),
                };
                let fails = job.text.contains("ব্যর্থ");
                let outcome = if fails { Err(crate::error::InputError::damaged("broken").into()) } else { Ok(outcome) };
                if !done(job.id, outcome) {
                    break;
                }
            }
            Ok(())
        }
    }

    const SOURCES: [&str; 5] =
        ["তিনি বাড়ি গেছেন।", "মোট ২৩১ জন মারা গেছেন।", "Already English.", "ব্যর্থ হয়েছে।", "তিনি বাড়ি গেছেন।"];
    const ENGLISH: [&str; 5] =
        ["He has gone home.", "In all, 231 people died.", "Already English.", "ব্যর্থ হয়েছে।", "He has gone home."];

    /// Each sentence is out before the next comes in, repaired where it must be.
    #[test]
    fn nobody_waits_for_the_next_sentence() {
        for _ in 0..20 {
            let out = AtomicUsize::new(0);
            let mut given = 0;
            let mut source = |_idle| match (given, out.load(Ordering::SeqCst)) {
                (5, 5) => Supply::End,
                (given, out) if given > out => Supply::NotNow,
                _ => {
                    given += 1;
                    Supply::Job(Sentence::new(SOURCES[given - 1]))
                }
            };
            let mut texts = Vec::new();
            let stats = translate_sentences(&Hasty::new(), &PipelineOptions::default(), &mut source, &mut |done| {
                assert_eq!(done.index as usize, texts.len());
                assert_eq!(done.findings.iter().any(|f| f.kind == FindingKind::Failed), done.index == 3);
                texts.push(done.segment.text);
                out.fetch_add(1, Ordering::SeqCst);
                true
            });
            assert_eq!(texts, ENGLISH);
            assert_eq!(stats.unwrap(), RepairStats { suspects: 1, left: 0, jobs: 1 });
        }
    }

    #[test]
    fn all_at_once_come_out_the_same_and_without_repair_as_the_model_has_it() {
        for repair in [true, false] {
            let options = PipelineOptions { repair, ..PipelineOptions::default() };
            let mut left = SOURCES.iter();
            let mut source = |_idle| left.next().map_or(Supply::End, |s| Supply::Job(Sentence::new(*s)));
            let mut texts = vec![String::new(); SOURCES.len()];
            translate_sentences(&Hasty::new(), &options, &mut source, &mut |done| {
                texts[done.index as usize] = done.segment.text;
                true
            })
            .unwrap();
            assert_eq!(texts[1], if repair { "In all, 231 people died." } else { "In all, 230 people died." });
            assert!((0..5).filter(|i| *i != 1).all(|i| texts[i] == ENGLISH[i]), "{texts:?}");
        }
    }

    #[test]
    fn it_stops_when_it_is_told_to() {
        let source = |_idle| Supply::Job(Sentence::new(SOURCES[0]));
        let mut count = 0;
        let mut endless = 0;
        let mut bounded = |idle| {
            endless += 1;
            if endless > 10 { Supply::NotNow } else { source(idle) }
        };
        translate_sentences(&Hasty::new(), &PipelineOptions::default(), &mut bounded, &mut |_| {
            count += 1;
            count < 3
        })
        .unwrap();
        assert_eq!(count, 3);
    }
}
