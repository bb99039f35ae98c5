//! What is seen of a run while it goes: a line that changes on a terminal, a line a minute elsewhere.
use crate::bulk::options::Progress;
use crate::bulk::report::Report;
use crate::bulk::schedule::context::{Context, lock};
use crate::engine::BatchFill;
use crate::feed::Feed;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

/// Shows a report as it grows.
pub struct Shown<'a> {
    context: &'a Context<'a>,
    report: &'a Mutex<Report>,
    bar: Option<ProgressBar>,
    on: bool,
    ended: AtomicBool,
    began: Instant,
    /// Batches up to the last look and when that was, and their occupancy between the last two.
    looked: Mutex<(BatchFill, Instant, Option<f64>)>,
}

/// Batches are looked at so far apart.
const LOOK: Duration = Duration::from_secs(5);

impl<'a> Shown<'a> {
    pub fn new(context: &'a Context<'a>, report: &'a Mutex<Report>) -> Self {
        let on = context.options.progress == Progress::Auto;
        let bar = (on && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            bar.set_style(
                ProgressStyle::with_template("{spinner} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar
        });
        let began = Instant::now();
        let looked = Mutex::new((context.translator.batch_fill().unwrap_or_default(), began, None));
        Self { context, report, bar, on, ended: AtomicBool::new(false), began, looked }
    }

    /// Looks at the report until [`Shown::stop`].
    pub fn start<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, feed: &Feed) {
        if !self.on {
            return;
        }
        let total = feed.total_bytes();
        scope.spawn(move || {
            let mut last = Instant::now();
            while !self.ended.load(Ordering::Relaxed) {
                thread::park_timeout(Duration::from_millis(200));
                match &self.bar {
                    Some(bar) => {
                        bar.set_message(self.line(total));
                        bar.tick();
                    }
                    None if last.elapsed() >= Duration::from_secs(60) => {
                        last = Instant::now();
                        eprintln!("anubad: {}", self.line(total));
                    }
                    None => {}
                }
            }
        });
    }

    /// Articles, words a second, time left, errors, batches.
    fn line(&self, total: Option<u64>) -> String {
        let seconds = self.began.elapsed().as_secs_f64();
        let fill = self.fill().map_or(String::new(), |fill| format!(", batches {:.0} % full", 100.0 * fill));
        let report = lock(self.report);
        let words = report.source_words as f64 / seconds.max(0.1);
        let left = self.left(&report, total);
        let left_out: u64 = report.skipped.values().sum();
        let left_out = if left_out > 0 { format!(", {left_out} left out") } else { String::new() };
        format!("{} articles, {words:.0} words/s{left}, {} errors{left_out}{fill}", report.written, report.failed)
    }

    /// How much is done and how long the rest will take, by what is written: reading is far ahead of that.
    fn left(&self, report: &Report, total: Option<u64>) -> String {
        let done = report.written + report.failed;
        // What an earlier run did of the limit is not known here.
        let limit = self.context.options.filters.limit.filter(|_| report.resumed_after == 0);
        let limit = limit.map(|limit| (limit.saturating_sub(done), limit));
        match report.progress.rest(total, limit) {
            Some((share, seconds)) => {
                format!(", {:.0} % done, {} left", (100.0 * share).min(100.0), duration(seconds))
            }
            None => String::new(),
        }
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

    /// Nothing more is shown.
    pub fn stop(&self) {
        self.ended.store(true, Ordering::Relaxed);
    }

    pub fn close(self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// 3 h 05 min, 12 min, 40 s.
fn duration(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    match seconds {
        3600.. => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        90.. => format!("{} min", seconds / 60),
        _ => format!("{seconds} s"),
    }
}
