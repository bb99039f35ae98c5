//! Progress of downloads on stderr: a bar in a terminal, a line a file elsewhere.
use crate::hub::Event;
use crate::hub::pull::human;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// Draws what a download reports.
pub struct Bars {
    bar: Option<ProgressBar>,
    terminal: bool,
    size: Option<u64>,
}

impl Default for Bars {
    fn default() -> Self {
        let disabled = std::env::var("HF_HUB_DISABLE_PROGRESS_BARS").is_ok_and(|v| !v.is_empty() && v != "0");
        Self { bar: None, terminal: std::io::stderr().is_terminal() && !disabled, size: None }
    }
}

impl Bars {
    /// Takes one event.
    pub fn show(&mut self, event: Event<'_>) {
        match event {
            Event::Plan { files: 0, .. } => self.say("everything is there already"),
            Event::Plan { files, bytes } => self.say(&format!("{files} files, {} to download", human(bytes))),
            Event::Waiting { file } => self.say(&format!("{file}: another process downloads it; waiting")),
            Event::Start { file, size, done } => self.start(file, size, done),
            Event::Progress { done } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(done);
                }
            }
            Event::Retry { why, wait, .. } => self.say(&format!("{why}; trying again in {:.0} s", wait.as_secs_f64())),
            Event::Finished { file } => self.finish(file),
        }
    }

    fn start(&mut self, file: &str, size: Option<u64>, done: u64) {
        if done > 0 {
            self.say(&format!("{file}: resumed at {}", human(done)));
        }
        self.size = size;
        if self.terminal {
            let bar = size.map_or_else(ProgressBar::no_length, ProgressBar::new);
            let style = ProgressStyle::with_template(
                "{msg:30!} {bar:30} {decimal_bytes}/{decimal_total_bytes} {decimal_bytes_per_sec} {eta}",
            );
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
            bar.set_message(file.to_owned());
            bar.set_position(done);
            self.bar = Some(bar);
        }
    }

    fn finish(&mut self, file: &str) {
        match self.bar.take() {
            Some(bar) => bar.finish(),
            None if self.size.is_some() && !self.terminal => {
                crate::error::say!("{file}: {}", self.size.take().map(human).unwrap_or_default());
            }
            None => {}
        }
        self.size = None;
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => crate::error::say!("{text}"),
        }
    }
}
