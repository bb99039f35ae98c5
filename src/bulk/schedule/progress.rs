//! What is seen of a run while it goes.
use crate::bulk::observer::Progress;
use crate::bulk::report::Report;
use crate::bulk::schedule::context::{Context, lock};
use crate::engine::BatchFill;
use crate::feed::Feed;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

/// Looks at a report as it grows, for an observer.
pub struct Watch<'a> {
    context: &'a Context<'a>,
    report: &'a Mutex<Report>,
    ended: AtomicBool,
    began: Instant,
    /// Batches up to the last look and when that was, and their occupancy between the last two.
    looked: Mutex<(BatchFill, Instant, Option<f64>)>,
}

/// Batches are looked at so far apart.
const LOOK: Duration = Duration::from_secs(5);

impl<'a> Watch<'a> {
    pub fn new(context: &'a Context<'a>, report: &'a Mutex<Report>) -> Self {
        let began = Instant::now();
        let looked = Mutex::new((context.translator.batch_fill().unwrap_or_default(), began, None));
        Self { context, report, ended: AtomicBool::new(false), began, looked }
    }

    /// Tells the observer until [`Watch::stop`].
    pub fn start<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, feed: &Feed) {
        let Some(observer) = &self.context.options.observer else { return };
        let total = feed.total_bytes();
        scope.spawn(move || {
            while !self.ended.load(Ordering::Relaxed) {
                thread::park_timeout(Duration::from_millis(200));
                observer.progress(&self.look(total));
            }
        });
    }

    fn look(&self, total: Option<u64>) -> Progress {
        let seconds = self.began.elapsed().as_secs_f64();
        let batch_fill = self.fill();
        let report = lock(self.report);
        let rest = self.rest(&report, total);
        Progress {
            written: report.written,
            failed: report.failed,
            left_out: report.skipped.values().sum(),
            words_per_second: report.source_words as f64 / seconds.max(0.1),
            share: rest.map(|(share, _)| share.min(1.0)),
            seconds_left: rest.map(|(_, seconds)| seconds),
            batch_fill,
        }
    }

    /// How much is done and how long the rest will take, by what is written: reading is far ahead of that.
    fn rest(&self, report: &Report, total: Option<u64>) -> Option<(f64, f64)> {
        let done = report.written + report.failed;
        // What an earlier run did of the limit is not known here.
        let limit = self.context.options.filters.limit.filter(|_| report.resumed_after == 0);
        let limit = limit.map(|limit| (limit.saturating_sub(done), limit));
        report.progress.rest(total, limit)
    }

    /// Occupancy of the batches at present.
    fn fill(&self) -> Option<f64> {
        let now = self.context.translator.batch_fill()?;
        let mut looked = lock(&self.looked);
        if looked.1.elapsed() >= LOOK {
            let since = now.since(&looked.0);
            *looked = (now, Instant::now(), Some(since.occupancy()).filter(|_| since.steps > 0));
        }
        looked.2
    }

    /// Nothing more is told.
    pub fn stop(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    pub fn close(self) {
        if let Some(observer) = &self.context.options.observer {
            observer.finished();
        }
    }
}
