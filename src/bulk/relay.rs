//! Sentences that a finisher wants translated once more join the stream of all the others, so that they are batched
//! with them instead of waiting for the translator to be free.
use super::run::lock;
use super::stop::Stop;
use crate::decode::DecodeOptions;
use crate::engine::{Job, ModelIdentity, Outcome, Translate};
use crate::{Error, Result};
use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::time::Duration;

/// Marks the numbers of such sentences.
const MARK: u64 = 1 << 63;

type Answer = (u64, Result<Outcome>);

/// The translator as finishers see it.
pub struct Relay<'a> {
    translator: &'a dyn Translate,
    stop: &'a Stop,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    /// By our own number: who asked, and under which number.
    asked: HashMap<u64, (Sender<Answer>, u64)>,
    next: u64,
    closed: bool,
}

impl<'a> Relay<'a> {
    pub fn new(translator: &'a dyn Translate, stop: &'a Stop) -> Self {
        Self { translator, stop, state: Mutex::default() }
    }

    /// The next sentence that is asked for.
    pub fn next_job(&self) -> Option<Job> {
        lock(&self.state).waiting.pop_front()
    }

    /// Sentences of finishers are with the translator.
    pub fn is_busy(&self) -> bool {
        let state = lock(&self.state);
        state.asked.len() > state.waiting.len()
    }

    /// Takes an outcome if it is one of ours, else gives it back.
    pub fn report(&self, id: u64, outcome: Result<Outcome>) -> Option<Result<Outcome>> {
        if id & MARK == 0 {
            return Some(outcome);
        }
        let asked = lock(&self.state).asked.remove(&id);
        if let Some((sender, id)) = asked {
            // Nobody waits any more: it is not needed.
            let _ = sender.send((id, outcome));
        }
        None
    }

    /// What the translator took and did not report is lost.
    pub fn report_lost(&self, why: &str) {
        let mut state = lock(&self.state);
        let waiting: Vec<u64> = state.waiting.iter().map(|job| job.id).collect();
        let lost: Vec<u64> = state.asked.keys().copied().filter(|id| !waiting.contains(id)).collect();
        for (sender, id) in lost.iter().filter_map(|id| state.asked.remove(id)) {
            let _ = sender.send((id, Err(Error::Bulk(why.to_owned()))));
        }
    }

    /// Nothing more is translated.
    pub fn close(&self) {
        let mut state = lock(&self.state);
        state.closed = true;
        state.asked.clear();
        state.waiting.clear();
    }
}

impl Translate for Relay<'_> {
    fn identity(&self) -> &ModelIdentity {
        self.translator.identity()
    }

    fn decode_options(&self) -> DecodeOptions {
        self.translator.decode_options()
    }

    fn batch_fill(&self) -> Option<(f64, usize)> {
        self.translator.batch_fill()
    }

    fn translate_stream(
        &self,
        jobs: &mut (dyn Iterator<Item = Job> + Send),
        done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send),
    ) -> Result<()> {
        let (sender, answers) = mpsc::channel();
        let mut open = 0;
        for job in jobs {
            let mut state = lock(&self.state);
            if state.closed {
                return Err(Error::Interrupted);
            }
            let id = MARK | state.next;
            state.next += 1;
            state.asked.insert(id, (sender.clone(), job.id));
            state.waiting.push_back(Job { id, ..job });
            open += 1;
        }
        drop(sender);
        while open > 0 {
            match answers.recv_timeout(Duration::from_millis(100)) {
                Ok((id, outcome)) => {
                    open -= 1;
                    if !done(id, outcome) {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) if !self.stop.is_wished() => {}
                Err(_) => return Err(Error::Interrupted),
            }
        }
        Ok(())
    }
}
