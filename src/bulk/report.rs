//! What a run has done and how fast: as JSON (`schema` 1) and for people. Timings live here, not in the records.
use crate::bulk::input::filter::Reason;
use crate::engine::{BatchFill, ModelIdentity};
use crate::text::FindingKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Instant;

/// Slowest articles that are named.
const SLOWEST: usize = 10;

/// Figures of one run; `total_…` those of the whole output, earlier runs included.
#[derive(Debug, Clone, Default, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Version of this JSON; it grows when a field changes its meaning or goes away.
    pub schema: u32,
    /// The output's path.
    pub output: String,
    /// Who translated.
    pub model: Option<ModelIdentity>,
    /// The output is complete.
    pub complete: bool,
    /// Entry after which this run began (0: at the start).
    pub resumed_after: u64,
    /// Entries that this run read, …
    pub read: u64,
    /// … articles that it wrote, …
    pub written: u64,
    /// … entries that failed, …
    pub failed: u64,
    /// … and entries that it left out, by the reason.
    pub skipped: BTreeMap<Reason, u64>,
    /// Articles in the whole output.
    pub total_written: u64,
    /// Entries that failed, earlier runs included.
    pub total_failed: u64,
    /// Entries that were left out, earlier runs included.
    pub total_skipped: u64,
    /// Files of folders and archives that are of no kind that is read, and the first of them.
    pub aside: u64,
    /// Their paths.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aside_named: Vec<String>,
    /// Words of Bengali in the articles that were written.
    pub source_words: u64,
    /// Sentences of those articles.
    pub sentences: u64,
    /// Sentences that were known already.
    pub sentences_reused: u64,
    /// Tokens that the model read.
    pub source_tokens: u64,
    /// Tokens that it wrote.
    pub target_tokens: u64,
    /// Sentences that failed at first and were translated alone.
    pub second_attempts: u64,
    /// Sentences that the checks sent back for another translation, each attempt counted, and how many of those
    /// were known already.
    pub repairs: u64,
    /// Of those, attempts whose result was known.
    pub repairs_reused: u64,
    /// Articles that an earlier run had finished before their turn, taken from its files.
    pub kept: u64,
    /// Over the whole run, and up to where the last article was begun: from there on batches run empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches: Option<Batches>,
    /// The same up to where the last article was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batches_before_end: Option<Batches>,
    /// Time from the start to the last record.
    pub seconds: f64,
    /// Bengali words a second.
    pub words_per_second: f64,
    /// Time in hand of an article, from admission to the last sentence: half of them, 95 of 100.
    pub article_seconds_p50: f64,
    /// 95 of 100 take no longer.
    pub article_seconds_p95: f64,
    /// Findings by their kind.
    pub findings: BTreeMap<FindingKind, u64>,
    /// The articles that were longest in hand.
    pub slowest: Vec<Slow>,
    #[serde(skip)]
    pub(super) times: Histogram,
    #[serde(skip)]
    pub(super) progress: Position,
}

/// How full the batches of a run were, on average over its steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Batches {
    /// Steps of the network, over all workers.
    pub steps: u64,
    /// Hypotheses that grew in a step of a worker, …
    pub hypotheses: f64,
    /// … how many have room, …
    pub room: u64,
    /// … and the quotient.
    pub occupancy: f64,
    /// Tokens that went through the network in a step, and the share of them that was no padding.
    pub tokens: f64,
    /// That share, 0 to 1.
    pub real_tokens: f64,
}

impl From<BatchFill> for Batches {
    fn from(fill: BatchFill) -> Self {
        let steps = fill.steps.max(1) as f64;
        Self {
            steps: fill.steps,
            hypotheses: fill.hypotheses as f64 / steps,
            room: fill.room,
            occupancy: fill.occupancy(),
            tokens: fill.tokens as f64 / steps,
            real_tokens: fill.real_tokens(),
        }
    }
}

/// How far writing has come, and how fast since the first record: what comes before it fills the batches and says
/// nothing of the speed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Position {
    /// When the first record was written, and how many bytes of the input were done with.
    first: Option<(Instant, u64)>,
    /// Records written since.
    records: u64,
    /// Bytes of the input that are done with.
    now: u64,
}

/// After so few records nothing is said of the rest.
const TOO_FEW: u64 = 3;

impl Position {
    /// An entry is done with that was read when `consumed` bytes of the input had been read.
    pub fn advance(&mut self, consumed: u64) {
        self.now = self.now.max(consumed);
        match self.first {
            None => self.first = Some((Instant::now(), self.now)),
            Some(_) => self.records += 1,
        }
    }

    /// The share of the input that is done, and the seconds that the rest will take: until the `total` bytes are read,
    /// or until `missing` more records are written (of `limit`), whichever comes first.
    pub fn rest(&self, total: Option<u64>, limit: Option<(u64, u64)>) -> Option<(f64, f64)> {
        let (since, from) = self.first.filter(|_| self.records >= TOO_FEW)?;
        self.rest_after(since.elapsed().as_secs_f64(), from, total, limit)
    }

    fn rest_after(&self, seconds: f64, from: u64, total: Option<u64>, limit: Option<(u64, u64)>) -> Option<(f64, f64)> {
        let by_bytes = total.filter(|_| self.now > from).map(|total| {
            let left = total.saturating_sub(self.now) as f64 / (self.now - from) as f64;
            (self.now as f64 / total.max(1) as f64, seconds * left)
        });
        let by_count = limit.map(|(missing, limit)| {
            (1.0 - missing as f64 / limit.max(1) as f64, seconds * missing as f64 / self.records as f64)
        });
        by_bytes.into_iter().chain(by_count).min_by(|a, b| a.1.total_cmp(&b.1))
    }
}

/// A slow article.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Slow {
    /// Number of the entry in the whole input, from 1.
    pub n: u64,
    /// Its English headline.
    pub title: Option<String>,
    /// Its Bengali words.
    pub words: u64,
    /// From admission to its last sentence.
    pub seconds: f64,
}

impl Report {
    /// Counts an article that was written.
    pub(super) fn add(&mut self, slow: Slow, findings: &[FindingKind]) {
        self.written += 1;
        self.source_words += slow.words;
        for finding in findings {
            *self.findings.entry(*finding).or_default() += 1;
        }
        self.times.add(slow.seconds);
        let at = self.slowest.partition_point(|s| s.seconds >= slow.seconds);
        if at < SLOWEST {
            self.slowest.insert(at, slow);
            self.slowest.truncate(SLOWEST);
        }
    }

    /// Fills in what follows from the rest.
    pub(super) fn close(&mut self, seconds: f64) {
        self.schema = 1;
        self.seconds = seconds;
        self.words_per_second = if seconds > 0.0 { self.source_words as f64 / seconds } else { 0.0 };
        self.article_seconds_p50 = self.times.quantile(0.5);
        self.article_seconds_p95 = self.times.quantile(0.95);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.complete { "complete" } else { "not complete" };
        writeln!(f, "{}: {state}, {} written, {} failed", self.output, self.total_written, self.total_failed)?;
        if self.resumed_after > 0 {
            writeln!(
                f,
                "  resumed after entry {}; this run: {} written, {} failed",
                self.resumed_after, self.written, self.failed
            )?;
        }
        let left_out: Vec<String> = self.skipped.iter().map(|(why, n)| format!("{n} {}", word(why))).collect();
        if !left_out.is_empty() {
            writeln!(f, "  left out: {}", left_out.join(", "))?;
        }
        if self.aside > 0 {
            let more = if self.aside > self.aside_named.len() as u64 { ", …" } else { "" };
            let (files, are) = if self.aside == 1 { ("file", "is") } else { ("files", "are") };
            let named = self.aside_named.join(", ");
            writeln!(f, "  {} {files} of other kinds {are} left aside: {named}{more}", self.aside)?;
        }
        if self.written > 0 {
            writeln!(
                f,
                "  {} words in {:.1} s: {:.0} words/s; an article took {:.2} s (p50), {:.2} s (p95)",
                self.source_words,
                self.seconds,
                self.words_per_second,
                self.article_seconds_p50,
                self.article_seconds_p95
            )?;
            writeln!(f, "  {} sentences, {} of them known already", self.sentences, self.sentences_reused)?;
        }
        if self.repairs > 0 {
            let (all, known) = (self.repairs, self.repairs_reused);
            writeln!(
                f,
                "  {all} translations made again because of what the checks found, {known} of them known already"
            )?;
        }
        if let Some(b) = self.batches {
            writeln!(
                f,
                "  batches: {:.1} of {} hypotheses at a time ({:.0} % full{}), {:.0} % of the tokens real (the rest is padding)",
                b.hypotheses,
                b.room,
                100.0 * b.occupancy,
                self.batches_before_end
                    .map_or(String::new(), |b| format!("; {:.0} % before the last article", 100.0 * b.occupancy)),
                100.0 * b.real_tokens
            )?;
        }
        if self.second_attempts > 0 {
            writeln!(f, "  {} sentences failed at first and were tried again alone", self.second_attempts)?;
        }
        let findings: Vec<String> = self.findings.iter().map(|(kind, n)| format!("{n} {}", word(kind))).collect();
        if !findings.is_empty() {
            writeln!(f, "  findings: {}", findings.join(", "))?;
        }
        for slow in self.slowest.iter().take(3) {
            let title = slow.title.as_deref().unwrap_or("untitled");
            writeln!(f, "  slow: entry {} ({} words, {:.1} s) {title}", slow.n, slow.words, slow.seconds)?;
        }
        Ok(())
    }
}

/// An enum's name as it stands in JSON, with spaces.
fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or("other").replace('_', " ")
}

/// Times in buckets that grow by 4 %: quantiles in constant memory, right to 2 %.
#[derive(Debug, Clone, Default)]
pub(super) struct Histogram {
    buckets: BTreeMap<i32, u64>,
    count: u64,
}

const GROWTH: f64 = 1.04;

impl Histogram {
    fn add(&mut self, seconds: f64) {
        let bucket = (seconds.max(1e-4).ln() / GROWTH.ln()).floor() as i32;
        *self.buckets.entry(bucket).or_default() += 1;
        self.count += 1;
    }

    fn quantile(&self, q: f64) -> f64 {
        let wanted = (q * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (&bucket, &n) in &self.buckets {
            seen += n;
            if seen >= wanted {
                return GROWTH.powf(f64::from(bucket) + 0.5);
            }
        }
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_measured_from_the_first_record_on() {
        let mut position = Position::default();
        position.advance(600);
        assert!(position.rest(Some(1000), None).is_none(), "one record says nothing");
        for consumed in [700, 800, 750] {
            position.advance(consumed);
        }
        let rest = |total, limit| position.rest_after(10.0, 600, total, limit);
        assert_eq!(rest(Some(1000), None), Some((0.8, 10.0)));
        assert_eq!(rest(Some(500), None), Some((1.6, 0.0)), "an input that has grown smaller");
        // Three records in ten seconds: six more of ten take twenty, and the end of the input comes first.
        assert_eq!(rest(None, Some((6, 10))), Some((0.4, 20.0)));
        assert_eq!(rest(Some(1000), Some((6, 10))), Some((0.8, 10.0)));
        assert_eq!(rest(None, None), None);
    }

    #[test]
    fn batches_say_how_full_they_were_and_how_much_was_padding() {
        let fill = BatchFill { steps: 10, hypotheses: 480, room: 64, tokens: 900, rows: 1000 };
        let want = Batches { steps: 10, hypotheses: 48.0, room: 64, occupancy: 0.75, tokens: 90.0, real_tokens: 0.9 };
        assert_eq!(Batches::from(fill), want);
        let report = Report { batches: Some(want), batches_before_end: Some(want), ..Report::default() };
        let said = report.to_string();
        assert!(
            said.contains("48.0 of 64 hypotheses at a time (75 % full; 75 % before the last article), 90 % of"),
            "{said}"
        );
    }

    #[test]
    fn quantiles_and_slowest_are_those_of_the_times() {
        let mut report = Report::default();
        for i in 1..=1000u32 {
            let seconds = f64::from((i * 7919) % 1000 + 1) / 100.0;
            report.add(Slow { n: i.into(), title: None, words: 2, seconds }, &[]);
        }
        report.close(20.0);
        assert!((report.article_seconds_p50 / 5.0 - 1.0).abs() < 0.03, "{}", report.article_seconds_p50);
        assert!((report.article_seconds_p95 / 9.5 - 1.0).abs() < 0.03, "{}", report.article_seconds_p95);
        assert_eq!(
            report.slowest.iter().map(|s| (s.seconds * 100.0).round()).collect::<Vec<_>>()[..3],
            [1000.0, 999.0, 998.0]
        );
        assert_eq!((report.slowest.len(), report.words_per_second), (10, 100.0));
    }
}
