//! What a run has done and how fast: as JSON (`schema` 1) and for people. Timings live here, not in the records.
use super::filter::Reason;
use crate::engine::ModelIdentity;
use crate::text::{Finding, FindingKind};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// Slowest articles that are named.
const SLOWEST: usize = 10;

/// Figures of one run; `total_…` those of the whole output, earlier runs included.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    pub schema: u32,
    pub output: String,
    pub model: Option<ModelIdentity>,
    /// The output is complete.
    pub complete: bool,
    /// Entry after which this run began (0: at the start).
    pub resumed_after: u64,
    pub read: u64,
    pub written: u64,
    pub failed: u64,
    pub skipped: BTreeMap<Reason, u64>,
    pub total_written: u64,
    pub total_failed: u64,
    pub total_skipped: u64,
    /// Words of Bengali in the articles that were written.
    pub source_words: u64,
    pub sentences: u64,
    /// Sentences that were known already.
    pub sentences_reused: u64,
    pub source_tokens: u64,
    pub target_tokens: u64,
    /// Sentences that failed at first and were translated alone.
    pub second_attempts: u64,
    /// Hypotheses that grew together in a step, on average, and how many have room. No step has padding in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch_fill: Option<(f64, usize)>,
    pub seconds: f64,
    pub words_per_second: f64,
    /// Time in hand of an article, from admission to the last sentence: half of them, 95 of 100.
    pub article_seconds_p50: f64,
    pub article_seconds_p95: f64,
    pub findings: BTreeMap<FindingKind, u64>,
    pub slowest: Vec<Slow>,
    #[serde(skip)]
    pub(super) times: Histogram,
}

/// A slow article.
#[derive(Debug, Clone, Serialize)]
pub struct Slow {
    pub n: u64,
    pub title: Option<String>,
    pub words: u64,
    pub seconds: f64,
}

impl Report {
    /// Counts an article that was written.
    pub(super) fn add(&mut self, slow: Slow, findings: &[Finding]) {
        self.written += 1;
        self.source_words += slow.words;
        for finding in findings {
            *self.findings.entry(finding.kind).or_default() += 1;
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
        if let Some((rows, room)) = self.batch_fill {
            writeln!(f, "  {rows:.1} sentences grew together, of {room} that have room; no padding")?;
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
