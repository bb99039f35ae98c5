//! What `anubad eval` prints, for people and as JSON.
use super::tokenizer::Tokenizer;
use crate::check::CheckRates;
use crate::metrics::{PairedBootstrap, Rouge};
use crate::text::Finding;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Version of the JSON; it grows when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// All that was measured.
#[derive(Debug, Serialize)]
pub struct Report {
    pub schema: u32,
    pub sentences: usize,
    pub systems: Vec<SystemReport>,
    /// By measure: the second system against the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub paired: Vec<PairedReport>,
}

/// One system's figures.
#[derive(Debug, Serialize)]
pub struct SystemReport {
    pub name: String,
    pub metrics: Vec<MetricReport>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checks: Option<CheckRates>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segments: Option<Vec<SegmentReport>>,
}

/// One measure, 0 to 100.
#[derive(Debug, Serialize)]
pub struct MetricReport {
    pub name: String,
    pub score: f64,
    /// What it is made of, where there is more to say: BLEU's precisions and lengths.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub details: String,
    pub signature: String,
}

/// One measure of two systems, the second against the first.
#[derive(Debug, Serialize)]
pub struct PairedReport {
    pub name: String,
    pub signature: String,
    #[serde(flatten)]
    pub result: PairedBootstrap,
}

/// One sentence.
#[derive(Debug, Serialize)]
pub struct SegmentReport {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    pub hypothesis: String,
    pub reference: String,
    /// chrF++ of the sentence, 0 to 100.
    pub chrf: f64,
    /// Mean log-probability of the tokens, where the model was run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f32>,
    /// What `translate --format json` says of such a sentence, where the model has a model of confidence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f32>,
    /// What that is judged by, for `scripts/fit-confidence`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub features: Option<BTreeMap<&'static str, f32>>,
    pub findings: Vec<Finding>,
}

impl SystemReport {
    pub fn new(name: String) -> Self {
        Self { name, metrics: Vec::new(), checks: None, segments: None }
    }
}

/// ROUGE's four F1 means as measures.
pub fn rouge(mean: &Rouge, tokenizer: Tokenizer) -> Vec<MetricReport> {
    let tokenizer = format!("{tokenizer:?}").to_lowercase();
    let parts = [
        ("ROUGE-1", mean.rouge1),
        ("ROUGE-2", mean.rouge2),
        ("ROUGE-L", mean.rouge_l),
        ("ROUGE-Lsum", mean.rouge_lsum),
    ];
    parts
        .into_iter()
        .map(|(name, prf)| MetricReport {
            name: name.into(),
            score: 100.0 * prf.f1,
            details: String::new(),
            signature: format!("f1|mean|tok:{tokenizer}"),
        })
        .collect()
}

impl Report {
    pub fn new(sentences: usize) -> Self {
        Self { schema: SCHEMA, sentences, systems: Vec::new(), paired: Vec::new() }
    }

    /// As JSON on standard output.
    pub fn print_json(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        // as an I/O error, so that a reader that went away is recognized
        serde_json::to_writer_pretty(&mut out, self).map_err(std::io::Error::from)?;
        writeln!(out)?;
        Ok(())
    }

    /// As text on standard output.
    pub fn print(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        for system in &self.systems {
            writeln!(out, "{} ({} sentences)", system.name, self.sentences)?;
            for metric in &system.metrics {
                writeln!(out, "  {:<11}{:>6.2}  {}", metric.name, metric.score, metric.signature)?;
                if !metric.details.is_empty() {
                    writeln!(out, "  {:<17}  {}", "", metric.details)?;
                }
            }
            if let Some(checks) = &system.checks {
                print_checks(&mut out, checks)?;
            }
        }
        if !self.paired.is_empty() {
            writeln!(out, "paired bootstrap (mean ± half of the 95 % interval; p: so large a difference by chance)")?;
        }
        for PairedReport { name, signature, result } in &self.paired {
            let [first, second] = [0, 1].map(|i| format!("{:.2} ± {:.2}", result.means[i], result.intervals[i]));
            writeln!(out, "  {name:<11}{first} against {second}, p = {:.4}  {signature}", result.p_value)?;
        }
        Ok(())
    }
}

fn print_checks(out: &mut impl Write, rates: &CheckRates) -> std::io::Result<()> {
    for (name, part, of) in [
        ("numbers kept", rates.numbers_kept, rates.numbers),
        ("names kept", rates.names_kept, rates.names),
        ("loops", rates.loops, rates.segments),
        ("serious findings", rates.serious, rates.segments),
    ] {
        match of {
            0 => writeln!(out, "  {name:<17}none to keep")?,
            _ => writeln!(out, "  {name:<17}{:>5.1} %  {part} of {of}", 100.0 * part as f64 / of as f64)?,
        }
    }
    Ok(())
}
