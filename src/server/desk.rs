//! Where the sentences of all requests meet the one engine: dynamic batching.
//!
//! Each request has a lane; lanes take turns, so that a headline does not wait behind a book. The engine asks for
//! sentences whenever a batch has room and goes on with what it has where there are none.
use crate::decode::DecodeOptions;
use crate::engine::{BatchFill, Job, Jobs, ModelIdentity, Outcome, Supply, Translate};
use crate::error::ModelError;
use crate::{Error, Result};
use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long an idle worker waits for a sentence before it looks whether the server ends.
const PATIENCE: Duration = Duration::from_millis(20);
/// How often a request looks whether its client is still there.
const LOOK: Duration = Duration::from_millis(50);
/// Sentences of one request that wait or are with the engine at once.
const AHEAD: usize = 256;

type Answer = (u64, Result<Outcome>);
/// Sees the first translation of a sentence as soon as it is there: what went in and what came out.
pub type OnDraft = Box<dyn Fn(&str, &Outcome) + Send + Sync>;

/// The queue before the engine.
#[derive(Clone)]
pub struct Desk(Arc<Inner>);

struct Inner {
    identity: ModelIdentity,
    decode: DecodeOptions,
    state: Mutex<State>,
    bell: Condvar,
    fill: Mutex<Option<BatchFill>>,
}

#[derive(Default)]
struct State {
    /// Lanes that have something waiting, in the order of their turns.
    turns: VecDeque<u64>,
    waiting: HashMap<u64, VecDeque<Job>>,
    /// By our own number: who asked, and under which number.
    asked: HashMap<u64, (Sender<Answer>, u64)>,
    /// With the engine.
    taken: HashMap<u64, u64>,
    next: u64,
    closed: bool,
}

impl Desk {
    pub fn new(engine: &dyn Translate) -> Self {
        let (identity, decode) = (engine.identity().clone(), engine.decode_options());
        let (state, bell, fill) = (Mutex::default(), Condvar::new(), Mutex::new(engine.batch_fill()));
        Self(Arc::new(Inner { identity, decode, state, bell, fill }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is made by one call, so what a panicking thread leaves behind is whole.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn identity(&self) -> &ModelIdentity {
        &self.0.identity
    }

    /// Sentences that wait and sentences that are with the engine.
    pub fn load(&self) -> (usize, usize) {
        let state = self.state();
        (state.asked.len() - state.taken.len(), state.taken.len())
    }

    /// How full batches were so far.
    pub fn batch_fill(&self) -> Option<BatchFill> {
        *self.0.fill.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Feeds the engine until the desk is closed. A panic or an error that it lets out costs the sentences that it had.
    pub fn work(&self, engine: &dyn Translate) {
        while !self.state().closed {
            let mut supply = Feed { desk: self, engine };
            let mut done = |number, outcome| {
                self.answer(number, outcome);
                !self.state().closed
            };
            let result = catch_unwind(AssertUnwindSafe(|| engine.translate_supply(&mut supply, &mut done)));
            let lost = match result {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the translator failed on the sentence or one beside it".into(),
            };
            let taken: Vec<u64> = self.state().taken.keys().copied().collect();
            taken
                .into_iter()
                .for_each(|number| self.answer(number, Err(Error::Model(ModelError::damaged(lost.clone())))));
        }
    }

    /// Nothing is translated any more; whoever waits is told so.
    pub fn close(&self) {
        let mut state = self.state();
        state.closed = true;
        (state.asked, state.taken, state.waiting, state.turns) = Default::default();
        drop(state);
        self.0.bell.notify_all();
    }

    fn answer(&self, number: u64, outcome: Result<Outcome>) {
        let mut state = self.state();
        state.taken.remove(&number);
        if let Some((sender, id)) = state.asked.remove(&number) {
            drop(state);
            // A request that has gone wants no answer.
            let _ = sender.send((id, outcome));
        }
    }

    /// Queues a job; false: the desk is closed.
    fn ask(&self, lane: u64, job: Job, sender: &Sender<Answer>) -> bool {
        let mut state = self.state();
        if state.closed {
            return false;
        }
        let number = state.next;
        state.next += 1;
        state.asked.insert(number, (sender.clone(), job.id));
        let queue = state.waiting.entry(lane).or_default();
        queue.push_back(Job { id: number, ..job });
        if queue.len() == 1 {
            state.turns.push_back(lane);
        }
        drop(state);
        self.0.bell.notify_one();
        true
    }

    /// Takes back what of a lane is still waiting.
    fn withdraw(&self, lane: u64) {
        let mut state = self.state();
        for job in state.waiting.remove(&lane).unwrap_or_default() {
            state.asked.remove(&job.id);
        }
        state.turns.retain(|other| *other != lane);
    }

    /// A request's view of the engine.
    pub fn client(&self, gone: Arc<AtomicBool>, until: Instant) -> Client {
        let mut state = self.state();
        let lane = state.next;
        state.next += 1;
        drop(state);
        Client { desk: self.clone(), lane, gone, until, on_draft: None }
    }
}

impl State {
    /// The first job of the lane whose turn it is.
    fn pop(&mut self) -> Option<Job> {
        let lane = self.turns.pop_front()?;
        let queue = self.waiting.get_mut(&lane)?;
        let job = queue.pop_front();
        if queue.is_empty() {
            self.waiting.remove(&lane);
        } else {
            self.turns.push_back(lane);
        }
        if let Some(job) = &job {
            self.taken.insert(job.id, lane);
        }
        job
    }
}

/// The engine's side.
struct Feed<'a> {
    desk: &'a Desk,
    engine: &'a dyn Translate,
}

impl Jobs for Feed<'_> {
    fn next_job(&mut self, idle: bool) -> Supply {
        let mut state = self.desk.state();
        if !state.closed && state.turns.is_empty() && idle {
            *self.desk.0.fill.lock().unwrap_or_else(PoisonError::into_inner) = self.engine.batch_fill();
            let waited = self.desk.0.bell.wait_timeout(state, PATIENCE);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        match state.pop() {
            _ if state.closed => Supply::End,
            Some(job) => Supply::Job(job),
            None => Supply::NotNow,
        }
    }
}

/// The engine as one request sees it. It gives up when its client has gone or its time is over.
pub struct Client {
    desk: Desk,
    lane: u64,
    gone: Arc<AtomicBool>,
    until: Instant,
    on_draft: Option<OnDraft>,
}

impl Client {
    /// The same, with somebody who watches the first translations.
    pub fn watched_by(self, on_draft: OnDraft) -> Self {
        Self { on_draft: Some(on_draft), ..self }
    }

    /// Its client has gone.
    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::Relaxed)
    }

    /// Its time is over.
    pub fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }

    /// Nobody waits for it any more.
    fn is_over(&self) -> bool {
        self.is_gone() || self.is_late()
    }
}

/// What a request has asked and not been told.
struct Exchange<'a> {
    client: &'a Client,
    sender: Sender<Answer>,
    answers: mpsc::Receiver<Answer>,
    open: usize,
    /// Texts of first translations, by the caller's number: those that a watcher sees.
    first: HashMap<u64, String>,
}

impl Exchange<'_> {
    /// Takes jobs as long as there are some; true: there will be none any more.
    fn ask(&mut self, jobs: &mut dyn Jobs) -> Result<bool> {
        while self.open < AHEAD {
            match jobs.next_job(self.open == 0) {
                Supply::Job(job) => {
                    if self.client.on_draft.is_some() && job.options.is_none() {
                        self.first.insert(job.id, job.text.clone());
                    }
                    if !self.client.desk.ask(self.client.lane, job, &self.sender) {
                        return Err(Error::Interrupted);
                    }
                    self.open += 1;
                }
                Supply::NotNow => return Ok(false),
                Supply::End => return Ok(true),
            }
        }
        Ok(false)
    }

    /// Waits for an answer; false: the caller has had enough.
    fn listen(&mut self, done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send)) -> Result<bool> {
        // The desk drops what it has when it closes; this side's sender keeps the line open all the same.
        match self.answers.recv_timeout(LOOK) {
            Ok((id, outcome)) => {
                self.open -= 1;
                if let (Some(watch), Some(text), Ok(outcome)) =
                    (&self.client.on_draft, self.first.remove(&id), &outcome)
                {
                    watch(&text, outcome);
                }
                Ok(done(id, outcome))
            }
            Err(RecvTimeoutError::Timeout) if !self.client.desk.state().closed => Ok(true),
            Err(_) => Err(Error::Interrupted),
        }
    }

    fn run(&mut self, jobs: &mut dyn Jobs, done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send)) -> Result<()> {
        let mut ended = false;
        while !ended || self.open > 0 {
            if self.client.is_over() {
                return Err(Error::Interrupted);
            }
            ended = ended || self.ask(jobs)?;
            if self.open > 0 && !self.listen(done)? {
                return Ok(());
            }
        }
        Ok(())
    }
}

impl Translate for Client {
    fn identity(&self) -> &ModelIdentity {
        self.desk.identity()
    }

    fn decode_options(&self) -> DecodeOptions {
        self.desk.0.decode.clone()
    }

    fn translate_supply(
        &self,
        jobs: &mut dyn Jobs,
        done: &mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send),
    ) -> Result<()> {
        let (sender, answers) = mpsc::channel();
        let result = Exchange { client: self, sender, answers, open: 0, first: HashMap::new() }.run(jobs, done);
        self.desk.withdraw(self.lane);
        result
    }
}
