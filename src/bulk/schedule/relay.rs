//! Sentences that a finisher wants translated once more join the stream of all the others, so that they are batched
//! with them instead of waiting for the translator to be free; those of the oldest article first, since the articles
//! behind it cannot be written before it. What is known already, or under way for another article,
//! is not translated a second time.
use crate::bulk::BulkError;
use crate::bulk::report::Report;
use crate::bulk::schedule::cache::{Key, Shared};
use crate::bulk::schedule::context::lock;
use crate::bulk::stop::Stop;
use crate::decode::DecodeOptions;
use crate::engine::{BatchFill, Job, ModelIdentity, Outcome, Translate};
use crate::{Error, Result};
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

/// Marks the numbers of such sentences.
const MARK: u64 = 1 << 63;

/// An outcome under the asker's own number; errors as text, since several may wait for one.
type Answer = (u64, Result<Outcome, String>);

/// What finishers ask for.
pub struct Relay<'a> {
    translator: &'a dyn Translate,
    stop: &'a Stop,
    cache: Shared,
    report: &'a Mutex<Report>,
    state: Mutex<State>,
    /// Finishers that wait for answers.
    waiting: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// By the article's turn and our own number.
    waiting: BTreeMap<(u64, u64), Job>,
    /// By our own number.
    asked: HashMap<u64, Asked>,
    by_key: HashMap<Key, u64>,
    next: u64,
    closed: bool,
}

/// A sentence that is to be translated, who asked for it and under which number.
struct Asked {
    key: Key,
    askers: Vec<(Sender<Answer>, u64)>,
}

impl<'a> Relay<'a> {
    pub fn new(translator: &'a dyn Translate, stop: &'a Stop, cache: Shared, report: &'a Mutex<Report>) -> Self {
        Self { translator, stop, cache, report, state: Mutex::default(), waiting: AtomicUsize::new(0) }
    }

    /// The translator as the finisher of the article with this turn sees it.
    pub fn of(&self, slot: u64) -> Asker<'_> {
        Asker { relay: self, slot }
    }

    /// So many finishers wait for answers.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The next sentence that is asked for.
    pub fn next_job(&self) -> Option<Job> {
        lock(&self.state).waiting.pop_first().map(|(_, job)| job)
    }

    /// Sentences of finishers are with the translator.
    pub fn is_busy(&self) -> bool {
        let state = lock(&self.state);
        state.asked.len() > state.waiting.len()
    }

    /// Puts a job in the queue, unless its outcome is known or on its way; false: nothing more is translated.
    fn ask(&self, slot: u64, job: Job, sender: &Sender<Answer>) -> bool {
        let (key, known) = self.cache.find(&job);
        let mut state = lock(&self.state);
        if state.closed {
            return false;
        }
        let asker = (sender.clone(), job.id);
        let running = state.by_key.get(&key).copied().and_then(|id| state.asked.get_mut(&id));
        let reused = known.is_some() || running.is_some();
        match (known, running) {
            (Some(outcome), _) => drop(sender.send((job.id, Ok(outcome)))),
            (None, Some(asked)) => asked.askers.push(asker),
            (None, None) => {
                let id = MARK | state.next;
                state.next += 1;
                state.by_key.insert(key, id);
                state.asked.insert(id, Asked { key, askers: vec![asker] });
                state.waiting.insert((slot, id), Job { id, ..job });
            }
        }
        drop(state);
        let mut report = lock(self.report);
        report.repairs += 1;
        report.repairs_reused += u64::from(reused);
        true
    }

    /// Takes an outcome if it is one of ours, else gives it back.
    pub fn report(&self, id: u64, outcome: Result<Outcome>) -> Option<Result<Outcome>> {
        if id & MARK == 0 {
            return Some(outcome);
        }
        self.answer(id, &outcome.map_err(|e| e.to_string()));
        None
    }

    fn answer(&self, id: u64, outcome: &Result<Outcome, String>) {
        let asked = {
            let mut state = lock(&self.state);
            let asked = state.asked.remove(&id);
            if let Some(asked) = &asked {
                state.by_key.remove(&asked.key);
            }
            asked
        };
        let Some(Asked { key, askers }) = asked else { return };
        if let Ok(outcome) = outcome {
            self.cache.put(key, outcome);
        }
        for (sender, id) in askers {
            // Nobody waits any more: it is not needed.
            let _ = sender.send((id, outcome.clone()));
        }
    }

    /// What the translator took and did not report is lost.
    pub fn report_lost(&self, why: &str) {
        let lost: Vec<u64> = {
            let state = lock(&self.state);
            let waiting: Vec<u64> = state.waiting.keys().map(|(_, id)| *id).collect();
            state.asked.keys().copied().filter(|id| !waiting.contains(id)).collect()
        };
        for id in lost {
            self.answer(id, &Err(why.to_owned()));
        }
    }

    /// Nothing more is translated.
    pub fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.asked.clear();
        state.by_key.clear();
        state.waiting.clear();
    }
}

/// See [`Relay::of`].
pub struct Asker<'a> {
    relay: &'a Relay<'a>,
    slot: u64,
}

impl Translate for Asker<'_> {
    fn identity(&self) -> &ModelIdentity {
        self.relay.translator.identity()
    }

    fn decode_options(&self) -> DecodeOptions {
        self.relay.translator.decode_options()
    }

    fn batch_fill(&self) -> Option<BatchFill> {
        self.relay.translator.batch_fill()
    }

    fn translate_stream(
        &self,
        jobs: &mut (dyn Iterator<Item = Job> + Send),
        done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send),
    ) -> Result<()> {
        let (sender, answers) = mpsc::channel();
        let mut open = 0;
        for job in jobs {
            if !self.relay.ask(self.slot, job, &sender) {
                return Err(Error::Interrupted);
            }
            open += 1;
        }
        drop(sender);
        let _waiting = Waiting::new(&self.relay.waiting);
        while open > 0 {
            match answers.recv_timeout(Duration::from_millis(100)) {
                Ok((id, outcome)) => {
                    open -= 1;
                    if !done(id, outcome.map_err(|text| BulkError::Sentence(text).into())) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) if !self.relay.stop.is_wished() => {}
                Err(_) => return Err(Error::Interrupted),
            }
        }
        Ok(())
    }
}

/// Counted as long as it lives.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
