//! One run: the threads and what flows between them.
pub(in crate::bulk) mod cache;
pub(in crate::bulk) mod context;
pub(in crate::bulk) mod progress;
pub(in crate::bulk) mod relay;
pub(in crate::bulk) mod steps;
pub(in crate::bulk) mod window;

use crate::bulk::BulkError;
use crate::bulk::input::gate::Gate;
use crate::bulk::input::{self, End, Outlets, Start};
use crate::bulk::message::{Message, What, Written};
use crate::bulk::record::{ErrorRecord, Record, Source};
use crate::bulk::report::{Report, Slow};
use crate::bulk::schedule::cache::{SentenceCache, Shared};
use crate::bulk::schedule::context::{Context, lock};
use crate::bulk::schedule::relay::Relay;
use crate::bulk::schedule::window::{Prepared, Translated, Window};
use crate::bulk::store::writer::{self, Target};
use crate::engine::{BatchFill, Job, Jobs, Plain, Supply};
use crate::feed::{BadEntry, Feed};
use crate::{Error, Result};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// How long a worker that has nothing to do waits for another article before it looks for sentences again.
const PATIENCE: Duration = Duration::from_millis(5);
/// So many failed sentences are gathered before they are tried again alone.
const SECOND_ATTEMPTS: usize = 16;
/// Finishers that are not waiting for the translator; more of them start as others begin to wait.
const AT_WORK: usize = 4;
/// Articles prepared ahead of the translator.
const READY: usize = 16;

/// How a run ended.
pub struct Ended<'a> {
    pub target: Target<'a>,
    /// The end of the input, if it was reached and everything up to it is written.
    pub end: Option<End>,
    pub report: Report,
}

/// Translates what `start` leaves to do and writes it to the target. On an error of the input or the translator
/// the target is still in order and the run can be resumed.
pub fn execute<'a>(context: &Context<'_>, target: Target<'a>, start: Start) -> (Ended<'a>, Result<()>) {
    let options = context.options;
    let began = Instant::now();
    let report = Mutex::new(Report { resumed_after: start.n, ..Report::default() });
    let fill = context.translator.batch_fill().unwrap_or_default();
    let gate = Gate::new(options.window_articles, options.window_bytes);
    let (writer, messages) = mpsc::channel();
    let shown = progress::Watch::new(context, &report);
    let (target, written, read, translated) = thread::scope(|scope| {
        let writing = scope.spawn(|| {
            let (target, written) = writer::write(target, messages, options, &gate, &report);
            if written.is_err() {
                context.stop.wish(0);
            }
            (target, written)
        });
        let (read, translated) = translate(context, start, &gate, &report, &shown, writer);
        // The writer ends when nobody can send any more.
        let (target, written) = match writing.join() {
            Ok(ended) => ended,
            Err(panic) => std::panic::resume_unwind(panic),
        };
        (target, written, read, translated)
    });
    shown.close();
    let mut report = report.into_inner().unwrap_or_else(PoisonError::into_inner);
    let batches = context.translator.batch_fill().map(|now| now.since(&fill));
    report.batches = batches.filter(|b| b.steps > 0).map(Into::into);
    report.close(began.elapsed().as_secs_f64());
    let failed = written.and(translated);
    let (end, failed) = match (read, failed) {
        (Ok(end), Ok(())) => (Some(end).filter(|end| end.whole && !context.stop.is_wished()), Ok(())),
        (Err(error), Ok(())) => (None, Err(error)),
        (_, Err(error)) => (None, Err(error)),
    };
    (Ended { target, end, report }, failed)
}

/// Reader, translator and finishers.
fn translate(
    context: &Context<'_>,
    start: Start,
    gate: &Gate,
    report: &Mutex<Report>,
    shown: &progress::Watch<'_>,
    writer: Sender<Message>,
) -> (Result<End>, Result<()>) {
    let options = context.options;
    let feed = match Feed::open(&options.input, options.read.clone()) {
        Ok(feed) => feed,
        Err(error) => return (Err(error), Ok(())),
    };
    let settings = context.steps.settings();
    let cache = match SentenceCache::new(
        options.cache_bytes,
        options.cache.as_deref(),
        context.translator.identity(),
        &settings,
    ) {
        Ok(cache) => cache,
        Err(error) => return (Err(error), Ok(())),
    };
    let cache = Shared::new(cache);
    let window = Mutex::new(Window::new(cache.clone()));
    let (articles, ready) = mpsc::sync_channel(READY);
    let (finisher, translated) = mpsc::channel();
    let finishing =
        Finishing { translated: Mutex::new(translated), open: AtomicUsize::new(0), threads: AtomicUsize::new(0) };
    let relay = Relay::new(context.translator, context.stop, cache.clone(), report);
    thread::scope(|scope| {
        let (relay, finishing, writer) = (&relay, &finishing, &writer);
        let start_finisher = || drop(scope.spawn(|| finish_all(context, relay, finishing, writer.clone())));
        shown.start(scope, &feed);
        let outlets = Outlets { articles, writer: writer.clone(), gate, stop: context.stop };
        let reading = scope.spawn(move || input::read(feed, options, context.steps, start, &outlets));
        let flow = Flow {
            context,
            window: &window,
            report,
            ready: Mutex::new(ready),
            finisher,
            finishing,
            start_finisher: &start_finisher,
            relay,
            fill: context.translator.batch_fill().unwrap_or_default(),
        };
        let result = flow.run();
        // A reader that waits at the gate or at the channel must see that nobody takes articles any more.
        if result.is_err() {
            context.stop.wish(0);
        }
        if context.stop.is_wished() {
            gate.close();
        }
        relay.close();
        drop(flow);
        cache.flush();
        shown.stop();
        let read = match reading.join() {
            Ok(read) => read,
            Err(_) => Err(BulkError::Defect("the reader of the feed failed").into()),
        };
        (read, result)
    })
}

/// Articles on their way to and through the finishers.
struct Finishing {
    translated: Mutex<Receiver<Translated>>,
    open: AtomicUsize,
    threads: AtomicUsize,
}

/// The translator's side.
struct Flow<'a> {
    context: &'a Context<'a>,
    window: &'a Mutex<Window>,
    report: &'a Mutex<Report>,
    ready: Mutex<Receiver<Prepared>>,
    finisher: Sender<Translated>,
    finishing: &'a Finishing,
    start_finisher: &'a (dyn Fn() + Sync),
    relay: &'a Relay<'a>,
    /// How full batches were before the run.
    fill: BatchFill,
}

impl Flow<'_> {
    /// Translates until the articles end or somebody wishes to stop. Usually that is one call of the translator; it is
    /// called again where sentences failed and are tried alone.
    fn run(&self) -> Result<()> {
        self.provide_finishers();
        let mut sentences = Sentences { flow: self, ended: false };
        let more = |s: &Sentences<'_, '_>| !s.ended || !lock(self.window).is_empty() || self.is_finishing();
        while !self.context.stop.is_wished() && more(&sentences) {
            self.stream(&mut sentences)?;
            while let Some(job) = self.next_failed() {
                self.stream(&mut Plain(&mut std::iter::once(job)))?;
            }
        }
        Ok(())
    }

    /// Starts finishers until enough of them are not waiting for the translator, or there are as many as may be.
    fn provide_finishers(&self) {
        let most = self.context.options.finishers.max(1);
        while self.finishing.threads.load(Ordering::Relaxed) < most.min(self.relay.waiting() + AT_WORK) {
            self.finishing.threads.fetch_add(1, Ordering::Relaxed);
            (self.start_finisher)();
        }
    }

    /// The last article is begun.
    fn note_batches(&self) {
        let batches = self.context.translator.batch_fill().map(|now| now.since(&self.fill));
        lock(self.report).batches_before_end = batches.filter(|b| b.steps > 0).map(Into::into);
    }

    /// Finishers are at work and may want more sentences.
    fn is_finishing(&self) -> bool {
        self.finishing.open.load(Ordering::SeqCst) > 0
    }

    fn next_failed(&self) -> Option<Job> {
        if self.context.stop.is_wished() { None } else { lock(self.window).next_failed() }
    }

    /// One call of the translator. A panic that it lets out costs the sentences that it had, and those are tried
    /// again alone.
    fn stream(&self, jobs: &mut dyn Jobs) -> Result<()> {
        let mut done = |id, outcome: Result<crate::engine::Outcome>| {
            if let Some(outcome) = self.relay.report(id, outcome) {
                self.change(|window, report| window.report(id, outcome.map_err(|e| e.to_string()), report));
            }
            !self.context.stop.is_overdue()
        };
        let result = catch_unwind(AssertUnwindSafe(|| self.context.translator.translate_supply(jobs, &mut done)));
        let lost = match result {
            Ok(Ok(())) => "the translator did not report the sentence",
            Ok(Err(Error::Interrupted)) => "interrupted",
            Ok(Err(error)) => return Err(error),
            Err(_) => "the translator failed on the sentence or one beside it (a panic)",
        };
        if !self.context.stop.is_wished() {
            self.change(|window, report| window.report_lost(lost, report));
            self.relay.report_lost(lost);
        }
        Ok(())
    }

    /// Changes the window and sends on what became complete.
    fn change<T>(&self, change: impl FnOnce(&mut Window, &mut Report) -> T) -> T {
        let mut window = lock(self.window);
        let changed = change(&mut window, &mut lock(self.report));
        for article in window.take_done() {
            self.finishing.open.fetch_add(1, Ordering::SeqCst);
            // Nobody there to take it: the run is over anyway.
            let _ = self.finisher.send(article);
        }
        changed
    }
}

/// Sentences of the articles in hand, and of others as they become ready.
struct Sentences<'a, 'b> {
    flow: &'b Flow<'a>,
    ended: bool,
}

impl Jobs for Sentences<'_, '_> {
    fn next_job(&mut self, idle: bool) -> Supply {
        let flow = self.flow;
        flow.provide_finishers();
        loop {
            if flow.context.stop.is_wished() {
                return Supply::End;
            }
            // What finishers want comes first: their articles are older.
            if let Some(job) = flow.relay.next_job().or_else(|| flow.change(Window::next_job)) {
                return Supply::Job(job);
            }
            let (busy, failed) = {
                let window = lock(flow.window);
                (window.is_busy() || flow.relay.is_busy(), window.failed())
            };
            if failed >= SECOND_ATTEMPTS || (!busy && failed > 0) || (self.ended && !busy && !flow.is_finishing()) {
                return Supply::End;
            }
            let patience = if idle { PATIENCE } else { Duration::ZERO };
            match lock(&flow.ready).recv_timeout(patience) {
                Ok(article) => flow.change(|window, _| window.admit(article)),
                Err(RecvTimeoutError::Disconnected) if !self.ended => {
                    self.ended = true;
                    flow.note_batches();
                }
                Err(_) if !idle => return Supply::NotNow,
                Err(RecvTimeoutError::Timeout) => return Supply::NotNow,
                // Only what is being translated and finished is left; finishers may want more sentences.
                Err(RecvTimeoutError::Disconnected) => {
                    thread::sleep(PATIENCE);
                    return Supply::NotNow;
                }
            }
        }
    }
}

/// A finisher thread.
fn finish_all(context: &Context<'_>, relay: &Relay<'_>, finishing: &Finishing, writer: Sender<Message>) {
    loop {
        let next = lock(&finishing.translated).recv();
        let Ok(article) = next else { return };
        let message = finish(context, relay, article);
        finishing.open.fetch_sub(1, Ordering::SeqCst);
        if message.is_some_and(|message| writer.send(message).is_err()) {
            return;
        }
    }
}

/// Puts an article's record together. A panic costs this article; what a wish to stop has interrupted is not written
/// and done again when the run is resumed.
fn finish(context: &Context<'_>, relay: &Relay<'_>, article: Translated) -> Option<Message> {
    let Translated { prepared, outcomes, seconds } = article;
    let Prepared { slot, n, place, parts, words, bytes, consumed, input } = prepared;
    let finished = catch_unwind(AssertUnwindSafe(|| context.steps.finish(&parts, outcomes, &relay.of(slot))));
    let panic = || Err(BulkError::Defect("the article could not be put together").into());
    let what = match finished.unwrap_or_else(|_| panic()) {
        Ok(done) => {
            let source = context.options.include_source.then(|| Source::of(&parts.article));
            let slow = Slow { n, title: done.article.title.clone(), words, seconds };
            let record = Record::new(n, parts.article.meta, done, context.translator.identity(), source);
            What::Written(Box::new(Written::new(&record, slow, context.options)))
        }
        Err(_) if context.stop.is_wished() => return None,
        Err(error) => {
            let bad = BadEntry { place, reason: error.to_string() };
            What::Failed(ErrorRecord::new(n, parts.article.meta.id, bad))
        }
    };
    Some(Message { slot, n, input, bytes, consumed, kept: false, what })
}
