//! `anubad bulk --dry-run`: what a run would read, and by a short trial how long it would take. Nothing is written.
use super::{exit, signals};
use crate::bulk::{self, BulkOptions, Look, Stop};
use crate::engine::{Supply, Translate};
use crate::hub::pull::human;
use crate::pipeline::doubt::{Trust, trust};
use crate::pipeline::stream::{Finished, Sentence};
use crate::pipeline::{PipelineOptions, Prepared, translate_sentences};
use anyhow::Context;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// How long is translated.
const TRIAL: Duration = Duration::from_secs(20);
/// Bytes of a record beside its text: names of fields, the model, brackets.
const FRAME: u64 = 400;

/// Runs the command; `load` opens the model.
pub(super) fn run<T: Translate>(
    options: &BulkOptions,
    wanted: &PipelineOptions,
    load: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<ExitCode> {
    let stop = Stop::default();
    signals::watch(&stop).context("signals cannot be watched")?;
    let look = bulk::look(options, &stop)?;
    let mut out = std::io::stdout();
    out.write_all(crate::error::shown_lines(&described(&look, options)).as_bytes())?;
    if look.articles == 0 {
        writeln!(out, "  there is nothing to translate")?;
        return Ok(ExitCode::from(exit::FAILED));
    }
    out.flush()?;
    let translator = load()?;
    let trial = Trial::run(&translator, wanted, &look.sample, &stop)?;
    out.write_all(estimated(&look, &trial, options).as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// What was read, for a person.
fn described(look: &Look, options: &BulkOptions) -> String {
    let mut text = String::new();
    let inputs: Vec<String> = options.input.iter().take(3).map(|path| path.display().to_string()).collect();
    let more = if options.input.len() > inputs.len() { ", …" } else { "" };
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{}{more}: {} entries", inputs.join(", "), look.entries);
    if !look.fields.is_empty() {
        let fields: Vec<String> = look.fields.iter().map(|(role, field)| format!("{}={field}", role.name())).collect();
        let _ = writeln!(text, "  fields: {}", fields.join(", "));
    }
    let _ = writeln!(text, "  to translate: {} articles, {} words", look.articles, look.words);
    let left_out: Vec<String> = look.skipped.iter().map(|(why, n)| format!("{n} {}", word(why))).collect();
    if !left_out.is_empty() {
        let _ = writeln!(text, "  left out: {}", left_out.join(", "));
    }
    let (aside, named) = &look.aside;
    if *aside > 0 {
        let _ = writeln!(text, "  of other kinds, left aside: {aside} files ({})", named.join(", "));
    }
    if look.failed > 0 {
        let _ = writeln!(text, "  would fail: {}", look.failed);
        for failure in &look.failures {
            let _ = writeln!(text, "    {}: {}", failure.place, failure.error);
        }
    }
    text
}

/// A reason as it stands in JSON, with spaces.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).unwrap_or_default().as_str().unwrap_or("other").replace('_', " ")
}

/// What a trial showed.
#[derive(Debug, Default)]
struct Trial {
    sentences: u64,
    words: u64,
    doubtful: u64,
    /// Bytes of those sentences in both languages.
    bengali: u64,
    english: u64,
    /// To the first sentence, and to the end.
    first: Option<Duration>,
    seconds: f64,
    /// All of the sample was translated.
    whole: bool,
}

impl Trial {
    /// Translates sentences of the sample, in an order that is spread over it, until the time is over.
    fn run(engine: &dyn Translate, wanted: &PipelineOptions, sample: &[Prepared], stop: &Stop) -> crate::Result<Self> {
        let order = spread(sample.len()).into_iter();
        let mut sentences =
            order.flat_map(|i| sample[i].segments.iter().map(|segment| segment.text.clone())).peekable();
        let start = Instant::now();
        let is_over = || start.elapsed() >= TRIAL || stop.is_wished();
        let mut trial = Self::default();
        let mut cut = false;
        translate_sentences(
            engine,
            wanted,
            &mut |_| match sentences.next() {
                Some(text) if !is_over() => Supply::Job(Sentence::new(text)),
                _ => Supply::End,
            },
            &mut |done| {
                trial.first.get_or_insert_with(|| start.elapsed());
                trial.add(&done);
                cut = is_over();
                !cut
            },
        )?;
        trial.seconds = start.elapsed().as_secs_f64();
        trial.whole = !cut;
        Ok(trial)
    }

    fn add(&mut self, done: &Finished) {
        self.sentences += 1;
        self.words += done.segment.source.split_whitespace().count() as u64;
        self.bengali += done.segment.source.len() as u64;
        self.english += done.segment.text.len() as u64;
        self.doubtful += u64::from(trust(&done.segment, &done.findings) == Some(Trust::Doubtful));
    }

    /// Words a second. What was begun when the time was over is not counted, so neither is the time to the first sentence.
    fn speed(&self) -> f64 {
        let lost = if self.whole { 0.0 } else { self.first.unwrap_or_default().as_secs_f64() };
        self.words as f64 / (self.seconds - lost).max(1e-3)
    }
}

/// The numbers below `n`, each far from those just before it: their bits in reverse order.
fn spread(n: usize) -> Vec<usize> {
    let bits = usize::BITS - n.saturating_sub(1).leading_zeros();
    let reversed = |i: usize| if bits == 0 { 0 } else { i.reverse_bits() >> (usize::BITS - bits) };
    (0..1usize << bits).map(reversed).filter(|&i| i < n).collect()
}

/// What the whole run would take, for a person.
fn estimated(look: &Look, trial: &Trial, options: &BulkOptions) -> String {
    let speed = trial.speed();
    if trial.words == 0 {
        return "  not a sentence was done in 20 s: a smaller model, or --quality draft, is faster\n".into();
    }
    let growth = trial.english as f64 / trial.bengali.max(1) as f64;
    let source = if options.include_source { look.bytes } else { 0 };
    let size = (look.bytes as f64 * growth) as u64 + look.articles * FRAME + source;
    let doubtful = 100.0 * trial.doubtful as f64 / trial.sentences as f64;
    let packed = if options.compress.is_some() { " before it is packed" } else { "" };
    format!(
        "  a sample of {} sentences took {:.0} s: {speed:.0} words/s\n  the whole: about {}, {}{packed}; {doubtful:.0} % of \
         the sentences doubtful\n",
        trial.sentences,
        trial.seconds,
        time(look.words as f64 / speed.max(1e-6)),
        human(size),
    )
}

/// Seconds as people say them.
fn time(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.1} h", s / 3600.0),
        s => format!("{:.1} days", s / 86_400.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_spread_and_whole() {
        assert_eq!(spread(0), [] as [usize; 0]);
        assert_eq!(spread(1), [0]);
        assert_eq!(spread(8), [0, 4, 2, 6, 1, 5, 3, 7]);
        let mut all = spread(100);
        assert!(all[..4].iter().any(|&i| i >= 50), "{:?}", &all[..4]);
        all.sort_unstable();
        assert_eq!(all, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn a_trial_that_was_cut_does_not_count_the_time_to_its_first_sentence() {
        let first = Some(Duration::from_secs(4));
        let trial = |whole| Trial { words: 160, seconds: 20.0, first, whole, ..Trial::default() };
        assert_eq!((trial(false).speed(), trial(true).speed()), (10.0, 8.0));
        assert_eq!([time(12.0), time(600.0), time(9000.0), time(864_000.0)], ["12 s", "10 min", "2.5 h", "10.0 days"]);
    }
}
