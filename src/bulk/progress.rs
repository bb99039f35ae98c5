//! What is seen of a run while it goes: a line that changes on a terminal, a line a minute elsewhere.
use super::options::Progress;
use super::report::Report;
use super::run::{Context, lock};
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
}

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
        Self { context, report, bar, on, ended: AtomicBool::new(false), began: Instant::now() }
    }

    /// Looks at the report until [`Shown::stop`].
    pub fn start<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, feed: &Feed) {
        if !self.on {
            return;
        }
        let (consumed, total) = (feed.consumed(), feed.total_bytes());
        scope.spawn(move || {
            let mut last = Instant::now();
            while !self.ended.load(Ordering::Relaxed) {
                thread::park_timeout(Duration::from_millis(200));
                let share = total.map(|total| consumed.load(Ordering::Relaxed) as f64 / total.max(1) as f64);
                match &self.bar {
                    Some(bar) => {
                        bar.set_message(self.line(share));
                        bar.tick();
                    }
                    None if last.elapsed() >= Duration::from_secs(60) => {
                        last = Instant::now();
                        eprintln!("anubad: {}", self.line(share));
                    }
                    None => {}
                }
            }
        });
    }

    /// Articles, words a second, time left, errors.
    fn line(&self, share: Option<f64>) -> String {
        let report = lock(self.report);
        let seconds = self.began.elapsed().as_secs_f64();
        let words = report.source_words as f64 / seconds.max(0.1);
        let left = match share {
            Some(share) if share > 0.001 && share <= 1.0 => {
                format!(", {:.0} % read, {} left", share * 100.0, duration(seconds * (1.0 - share) / share))
            }
            _ => String::new(),
        };
        let fill = match self.context.translator.batch_fill() {
            Some((rows, room)) => format!(", batches {:.0} % full", 100.0 * rows / room as f64),
            None => String::new(),
        };
        format!("{} articles, {words:.0} words/s{left}, {} errors{fill}", report.written, report.failed)
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
