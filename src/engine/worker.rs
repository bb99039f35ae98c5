//! A worker: pulls jobs as it has room, decodes them together, and keeps one bad job from spoiling the others.
use super::{Job, Jobs, Outcome, Supply, Translator, prepared::Prepared};
use crate::error::ModelError;
use crate::{
    Error, Result,
    decode::{Finished, Hypothesis, Request, Session},
};
use std::{
    collections::{HashMap, VecDeque},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

type Done<'a> = &'a mut (dyn FnMut(u64, Result<Outcome>) -> bool + Send);

/// What the workers of one call share.
pub(super) struct Shared<'a> {
    /// `None` once it is exhausted.
    jobs: Mutex<Option<&'a mut dyn Jobs>>,
    done: Mutex<Done<'a>>,
    /// The caller has had enough.
    stopped: AtomicBool,
    /// Workers that have something in hand.
    busy: AtomicUsize,
}

impl<'a> Shared<'a> {
    pub fn new(jobs: &'a mut dyn Jobs, done: Done<'a>) -> Self {
        Self {
            jobs: Mutex::new(Some(jobs)),
            done: Mutex::new(done),
            stopped: AtomicBool::new(false),
            busy: AtomicUsize::new(0),
        }
    }

    /// The next job. A worker that has something to do does not wait for it.
    fn pull(&self, idle: bool) -> Supply {
        let mut jobs: MutexGuard<_> = match self.jobs.try_lock() {
            Ok(jobs) => jobs,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // An idle worker is waiting for the next job.
            Err(TryLockError::WouldBlock) if !idle => return Supply::NotNow,
            Err(TryLockError::WouldBlock) => self.jobs.lock().unwrap_or_else(PoisonError::into_inner),
        };
        let supply = jobs.as_mut().map_or(Supply::End, |jobs| jobs.next_job(idle));
        if matches!(supply, Supply::End) {
            *jobs = None; // an iterator need not be asked again after its end
        }
        supply
    }

    fn report(&self, id: u64, outcome: Result<Outcome>) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_stopped() && !done(id, outcome) {
            self.stopped.store(true, Ordering::Relaxed);
        }
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }
}

/// A job that is being decoded.
struct InHand {
    prepared: Prepared,
    /// Hypotheses of each part, as they come.
    results: Vec<Option<Vec<Hypothesis>>>,
    /// It failed with others and is now tried alone.
    alone: bool,
}

/// One worker of one call.
pub(super) struct Worker<'a> {
    translator: &'a Translator,
    shared: &'a Shared<'a>,
    session: Option<Session>,
    /// By a number of our own: the caller's need not be unique.
    in_hand: HashMap<u64, InHand>,
    /// Which job and part a request of the session is.
    requests: HashMap<u64, (u64, usize)>,
    next_number: u64,
    /// Made ready, not yet admitted.
    pending: VecDeque<Request>,
    /// To be tried alone, after a failure.
    retry: VecDeque<Job>,
    exhausted: bool,
    /// Counted in [`Shared::busy`].
    busy: bool,
}

impl<'a> Worker<'a> {
    pub fn new(translator: &'a Translator, shared: &'a Shared<'a>) -> Self {
        Self {
            translator,
            shared,
            session: None,
            in_hand: HashMap::new(),
            requests: HashMap::new(),
            next_number: 0,
            pending: VecDeque::new(),
            retry: VecDeque::new(),
            exhausted: false,
            busy: false,
        }
    }

    /// Works until there is nothing left to do.
    pub fn run(mut self) {
        while !self.shared.is_stopped() {
            // Before it waits for a job, so that another can use its thread meanwhile.
            self.count_busy();
            self.admit();
            self.count_busy();
            if self.in_hand.is_empty() {
                if self.exhausted && self.retry.is_empty() {
                    break;
                }
                continue;
            }
            self.step();
        }
        self.in_hand.clear();
        self.count_busy();
        if let Some(session) = self.session.take() {
            self.translator.keep(session);
        }
    }

    fn count_busy(&mut self) {
        let busy = !self.in_hand.is_empty();
        match (self.busy, busy) {
            (false, true) => self.shared.busy.fetch_add(1, Ordering::Relaxed),
            (true, false) => self.shared.busy.fetch_sub(1, Ordering::Relaxed),
            _ => return,
        };
        self.busy = busy;
    }

    /// Fills the session.
    fn admit(&mut self) {
        while !self.shared.is_stopped() {
            if self.pending.is_empty() && !self.next_job() {
                return;
            }
            let Some(request) = self.pending.front() else { continue };
            match &mut self.session {
                Some(session) if session.has_room(request) => {
                    let Some(request) = self.pending.pop_front() else { return };
                    let number = request.id;
                    if let Err(error) = session.admit(request) {
                        self.finish_part(number, Err(error));
                    }
                }
                // Only a session of its own can take it, once this one is empty.
                Some(session) if session.is_empty() => {
                    self.session = None;
                    self.new_session();
                }
                Some(_) => return,
                None => self.new_session(),
            }
        }
    }

    fn new_session(&mut self) {
        let Some(request) = self.pending.front() else { return };
        match contained(|| self.translator.session(request)) {
            Ok(session) => self.session = Some(session),
            Err(error) => {
                let number = request.id;
                self.finish_part(number, Err(error));
            }
        }
    }

    /// Makes the next job ready; false when there is none to be had now.
    fn next_job(&mut self) -> bool {
        if let Some(job) = self.retry.pop_front() {
            if !self.in_hand.is_empty() {
                self.retry.push_front(job);
                return false;
            }
            self.translator.count(|stats| stats.retried += 1);
            self.prepare(job, true);
            return true;
        }
        let alone = self.in_hand.values().any(|job| job.alone);
        let full = self.session.as_ref().is_some_and(Session::is_full);
        if self.exhausted || alone || full {
            return false;
        }
        match self.shared.pull(self.in_hand.is_empty()) {
            Supply::Job(job) => self.prepare(job, false),
            Supply::NotNow => return false,
            Supply::End => {
                self.exhausted = true;
                return false;
            }
        }
        true
    }

    fn prepare(&mut self, job: Job, alone: bool) {
        let id = job.id;
        let prepared = match contained(|| self.translator.prepare(job)) {
            Ok(prepared) => prepared,
            Err(error) => return self.report(id, Err(error)),
        };
        let number = self.next_number;
        self.next_number += prepared.parts.len().max(1) as u64;
        for (index, part) in prepared.parts.iter().enumerate() {
            let request = Request {
                id: number + index as u64,
                source: part.ids.clone(),
                options: prepared.options.clone(),
                max_new_tokens: part.max_new_tokens,
            };
            self.requests.insert(request.id, (number, index));
            self.pending.push_back(request);
        }
        let results = vec![None; prepared.parts.len()];
        if prepared.parts.len() > 1 {
            self.translator.count(|stats| stats.split += 1);
        }
        self.in_hand.insert(number, InHand { prepared, results, alone });
        self.report_if_complete(number);
    }

    /// One step of the session. After a failure all jobs in hand are tried again, each alone; what fails then
    /// is what is wrong.
    fn step(&mut self) {
        let Some(session) = &mut self.session else { return };
        let alone = self.shared.busy.load(Ordering::Relaxed) == 1;
        let result = contained(|| self.translator.on_threads(alone, || session.step()));
        let done = session.take_stats();
        self.translator.count(|stats| stats.sessions += done);
        match result {
            Ok(finished) => {
                for Finished { id, result } in finished {
                    self.finish_part(id, result);
                }
            }
            Err(error) => {
                // Its store may be half written.
                self.session = None;
                self.requests.clear();
                self.pending.clear();
                let mut failed: Vec<(u64, InHand)> = self.in_hand.drain().collect();
                failed.sort_unstable_by_key(|(number, _)| *number);
                if let [(_, InHand { alone: true, prepared, .. })] = failed.as_slice() {
                    self.report(prepared.job.id, Err(error));
                } else {
                    tracing::warn!("a step of {} sentences failed, trying each alone: {error}", failed.len());
                    self.retry.extend(failed.into_iter().map(|(_, job)| job.prepared.job));
                }
            }
        }
    }

    /// A part of a job has an outcome; an error ends the whole job.
    fn finish_part(&mut self, request: u64, result: Result<Vec<Hypothesis>>) {
        // Parts of a job that has failed meanwhile are not known any more.
        let Some((number, part)) = self.requests.remove(&request) else { return };
        match result {
            Ok(hypotheses) => {
                if let Some(job) = self.in_hand.get_mut(&number) {
                    job.results[part] = Some(hypotheses);
                    self.report_if_complete(number);
                }
            }
            Err(error) => {
                let parts = self.in_hand.remove(&number).map(|job| {
                    self.report(job.prepared.job.id, Err(error));
                    job.results.len() as u64
                });
                for request in number..number + parts.unwrap_or(0) {
                    self.requests.remove(&request);
                }
                self.pending.retain(|r| self.requests.contains_key(&r.id));
            }
        }
    }

    fn report_if_complete(&mut self, number: u64) {
        if !self.in_hand.get(&number).is_some_and(|job| job.results.iter().all(Option::is_some)) {
            return;
        }
        let Some(job) = self.in_hand.remove(&number) else { return };
        let parts: Vec<Vec<Hypothesis>> = job.results.into_iter().flatten().collect();
        let outcome = contained(|| self.translator.assemble(&job.prepared, &parts));
        self.report(job.prepared.job.id, outcome);
    }

    fn report(&self, id: u64, outcome: Result<Outcome>) {
        let ok = outcome.is_ok();
        self.translator.count(|stats| if ok { stats.jobs += 1 } else { stats.failed += 1 });
        self.shared.report(id, outcome);
    }
}

/// Runs `work` and turns a panic into an error.
fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // What `work` changes is thrown away by the callers when it fails.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no message".into());
        Err(Error::Model(ModelError::damaged(format!(
            "this sentence makes the program fail ({message}); leave it out, and please report it with its text"
        ))))
    })
}
