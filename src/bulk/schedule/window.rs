//! The articles in hand and their sentences: which go to the translator next, which wait for one that is there
//! already, which are known.
use crate::Result;
use crate::bulk::BulkError;
use crate::bulk::report::Report;
use crate::bulk::schedule::cache::{Key, Shared};
use crate::engine::{Job, Outcome};
use crate::feed::Place;
use crate::pipeline;
use std::collections::{HashMap, VecDeque};
use std::time::Instant;

/// An article ready for translation.
#[derive(Debug)]
pub struct Prepared {
    /// Its turn among everything that is written.
    pub slot: u64,
    /// Number in the whole input.
    pub n: u64,
    pub place: Place,
    pub parts: pipeline::Prepared,
    pub words: u64,
    /// What it weighs at the gate.
    pub bytes: usize,
    /// Bytes of the input that were read up to it.
    pub consumed: u64,
    /// Digest of the input up to here.
    pub input: String,
}

/// An article with all its outcomes.
#[derive(Debug)]
pub struct Translated {
    pub prepared: Prepared,
    /// One a segment; `None` where there was nothing to translate.
    pub outcomes: Vec<Option<Result<Outcome>>>,
    pub seconds: f64,
}

struct InHand {
    prepared: Prepared,
    outcomes: Vec<Option<Result<Outcome, String>>>,
    missing: usize,
    since: Instant,
}

/// A sentence that the translator has, and who waits for it.
struct Running {
    text: String,
    key: Key,
    waiters: Vec<(u64, usize)>,
    second: bool,
}

/// All of it.
pub struct Window {
    articles: HashMap<u64, InHand>,
    queue: VecDeque<(u64, usize)>,
    running: HashMap<u64, Running>,
    by_key: HashMap<Key, u64>,
    /// Sentences that failed once; each is tried again alone.
    failed_once: VecDeque<Job>,
    next_id: u64,
    cache: Shared,
    done: Vec<Translated>,
}

impl Window {
    /// An empty window.
    pub fn new(cache: Shared) -> Self {
        Self {
            articles: HashMap::new(),
            queue: VecDeque::new(),
            running: HashMap::new(),
            by_key: HashMap::new(),
            failed_once: VecDeque::new(),
            next_id: 0,
            cache,
            done: Vec::new(),
        }
    }

    /// Takes an article in hand.
    pub fn admit(&mut self, prepared: Prepared) {
        let slot = prepared.slot;
        let texts = &prepared.parts.texts;
        let wanted: Vec<usize> = (0..texts.len()).filter(|&i| texts[i].is_some()).collect();
        self.queue.extend(wanted.iter().map(|&i| (slot, i)));
        let outcomes = texts.iter().map(|_| None).collect();
        self.articles.insert(slot, InHand { prepared, outcomes, missing: wanted.len(), since: Instant::now() });
        if wanted.is_empty() {
            self.complete(slot);
        }
    }

    /// The next sentence for the translator; sentences that are known or under way are dealt with on the way.
    pub fn next_job(&mut self, report: &mut Report) -> Option<Job> {
        while let Some((slot, segment)) = self.queue.pop_front() {
            let article = self.articles.get(&slot);
            let Some(text) = article.and_then(|a| a.prepared.parts.texts[segment].clone()) else { continue };
            report.sentences += 1;
            let job = Job { id: self.next_id, text, options: None };
            let (key, known) = self.cache.find(&job);
            if let Some(known) = known {
                report.sentences_reused += 1;
                self.fill(slot, segment, Ok(known));
                continue;
            }
            if let Some(running) = self.by_key.get(&key).and_then(|id| self.running.get_mut(id)) {
                report.sentences_reused += 1;
                running.waiters.push((slot, segment));
                continue;
            }
            self.next_id += 1;
            self.by_key.insert(key, job.id);
            let running = Running { text: job.text.clone(), key, waiters: vec![(slot, segment)], second: false };
            self.running.insert(job.id, running);
            return Some(job);
        }
        None
    }

    /// A sentence came back.
    pub fn report(&mut self, id: u64, outcome: Result<Outcome, String>, report: &mut Report) {
        let Some(mut running) = self.running.remove(&id) else { return };
        if outcome.is_err() && !running.second {
            running.second = true;
            report.second_attempts += 1;
            self.failed_once.push_back(Job { id, text: running.text.clone(), options: None });
            self.running.insert(id, running);
            return;
        }
        self.by_key.remove(&running.key);
        if let Ok(outcome) = &outcome {
            report.source_tokens += outcome.source_tokens as u64;
            report.target_tokens += outcome.target_tokens as u64;
            self.cache.put(running.key, outcome);
        }
        for (slot, segment) in running.waiters {
            self.fill(slot, segment, outcome.clone());
        }
    }

    /// Sentences that the translator took and never reported are lost to it; they count as failed.
    pub fn report_lost(&mut self, why: &str, report: &mut Report) {
        let again: Vec<u64> = self.failed_once.iter().map(|job| job.id).collect();
        let mut lost: Vec<u64> = self.running.keys().copied().filter(|id| !again.contains(id)).collect();
        lost.sort_unstable();
        for id in lost {
            self.report(id, Err(why.to_owned()), report);
        }
    }

    fn fill(&mut self, slot: u64, segment: usize, outcome: Result<Outcome, String>) {
        let Some(article) = self.articles.get_mut(&slot) else { return };
        if article.outcomes[segment].replace(outcome).is_none() {
            article.missing -= 1;
        }
        if article.missing == 0 {
            self.complete(slot);
        }
    }

    fn complete(&mut self, slot: u64) {
        if let Some(InHand { prepared, outcomes, since, .. }) = self.articles.remove(&slot) {
            // Errors are handed out as text: one may have been waited for by several articles.
            let outcomes =
                outcomes.into_iter().map(|o| o.map(|o| o.map_err(|text| BulkError::Sentence(text).into()))).collect();
            self.done.push(Translated { prepared, outcomes, seconds: since.elapsed().as_secs_f64() });
        }
    }

    /// Articles that became complete since the last call.
    pub fn take_done(&mut self) -> Vec<Translated> {
        std::mem::take(&mut self.done)
    }

    /// The next sentence that is to be tried again alone.
    pub fn next_failed(&mut self) -> Option<Job> {
        self.failed_once.pop_front()
    }

    /// So many sentences wait to be tried again.
    pub fn failed(&self) -> usize {
        self.failed_once.len()
    }

    /// The translator has sentences.
    pub fn is_busy(&self) -> bool {
        self.running.len() > self.failed_once.len()
    }

    /// Nothing is in hand.
    pub fn is_empty(&self) -> bool {
        self.articles.is_empty()
    }
}
