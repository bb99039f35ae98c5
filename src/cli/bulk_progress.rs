//! A bulk run as people see it: a line that changes on a terminal, a line a minute elsewhere.
use crate::bulk::{Observer, Progress};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How far apart lines are where they stay.
const MINUTE: Duration = Duration::from_secs(60);

/// Shows progress on standard error.
#[derive(Debug)]
pub struct Shown {
    bar: Option<ProgressBar>,
    /// When the last line was printed.
    last: Mutex<Instant>,
}

impl Shown {
    /// On the terminal that standard error is, or line by line.
    pub fn on_stderr() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{spinner} {msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar
        });
        Self { bar, last: Mutex::new(Instant::now()) }
    }
}

impl Observer for Shown {
    fn progress(&self, progress: &Progress) {
        if let Some(bar) = &self.bar {
            bar.set_message(line(progress));
            bar.tick();
            return;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() >= MINUTE {
            *last = Instant::now();
            eprintln!("anubad: {}", line(progress));
        }
    }

    fn finished(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Articles, words a second, time left, errors, batches.
fn line(progress: &Progress) -> String {
    let mut line = format!("{} articles, {:.0} words/s", progress.written, progress.words_per_second);
    if let (Some(share), Some(left)) = (progress.share, progress.seconds_left) {
        line += &format!(", {:.0} % done, {} left", 100.0 * share, duration(left));
    }
    line += &format!(", {} errors", progress.failed);
    if progress.left_out > 0 {
        line += &format!(", {} left out", progress.left_out);
    }
    if let Some(fill) = progress.batch_fill {
        line += &format!(", batches {:.0} % full", 100.0 * fill);
    }
    line
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_known() {
        let mut progress = Progress::default();
        (progress.written, progress.failed, progress.words_per_second) = (12, 1, 410.4);
        assert_eq!(line(&progress), "12 articles, 410 words/s, 1 errors");
        (progress.share, progress.seconds_left, progress.left_out) = (Some(0.25), Some(3900.0), 3);
        progress.batch_fill = Some(0.875);
        let want = "12 articles, 410 words/s, 25 % done, 1 h 05 min left, 1 errors, 3 left out, batches 88 % full";
        assert_eq!(line(&progress), want);
    }
}
