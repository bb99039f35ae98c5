//! Measures of quality and speed: BLEU, chrF and chrF++ as sacrebleu 2.x computes them, ROUGE as the
//! rouge-score package does, paired bootstrap resampling between two systems, statistics of timings.
//!
//! Golden files made with the Python packages (`scripts/golden/metrics.py`) hold the agreement to 0.01.
mod bleu;
mod bootstrap;
mod chrf;
pub mod porter;
mod rouge;
mod timing;

pub use bleu::{Bleu, BleuScore, Smoothing};
pub use bootstrap::{DEFAULT_RESAMPLES, DEFAULT_SEED, PairedBootstrap, paired_bootstrap};
pub use chrf::Chrf;
pub use rouge::{Prf, Rouge, RougeTokenizer};
pub use timing::Timing;

/// The release of sacrebleu whose definitions are followed; it stands in the signatures.
pub const SACREBLEU_VERSION: &str = "2.6.0";

/// A corpus-level measure that is a function of summed per-sentence counts, as all of sacrebleu's are.
pub trait CorpusMetric: Send + Sync {
    /// The name as sacrebleu prints it: "BLEU", "chrF2", "chrF2++".
    fn name(&self) -> String;

    /// Sufficient statistics of one sentence against one or several references; always the same length.
    fn statistics(&self, hypothesis: &str, references: &[&str]) -> Vec<f64>;

    /// The score, 0 to 100, of summed statistics.
    fn score(&self, statistics: &[f64]) -> f64;

    /// What the score is made of, as sacrebleu's verbose score has it; empty where it says nothing more.
    fn details(&self, statistics: &[f64]) -> String {
        let _ = statistics;
        String::new()
    }

    /// The part of sacrebleu's signature that belongs to the measure, e.g. `case:mixed|eff:no|tok:13a|smooth:exp`.
    fn settings(&self) -> String;

    /// sacrebleu's reproducibility signature; `resampling` is the number of resamples and the seed, if any.
    fn signature(&self, references: usize, resampling: Option<(usize, u64)>) -> String {
        let resampling = resampling.map_or(String::new(), |(n, seed)| format!("bs:{n}|seed:{seed}|"));
        format!("nrefs:{references}|{resampling}{}|version:{SACREBLEU_VERSION}", self.settings())
    }

    /// Score of a corpus with one reference a sentence. Surplus lines of the longer side are ignored.
    fn corpus<H: AsRef<str>, R: AsRef<str>>(&self, hypotheses: &[H], references: &[R]) -> f64
    where
        Self: Sized,
    {
        let rows = hypotheses.iter().zip(references).map(|(h, r)| self.statistics(h.as_ref(), &[r.as_ref()]));
        self.score(&sum(rows))
    }
}

/// Element-wise sum of rows of statistics.
pub fn sum(rows: impl IntoIterator<Item = Vec<f64>>) -> Vec<f64> {
    let mut rows = rows.into_iter();
    let mut total = rows.next().unwrap_or_default();
    for row in rows {
        for (t, x) in total.iter_mut().zip(row) {
            *t += x;
        }
    }
    total
}

/// What Python's `str.split()` splits at: Unicode white space and the four information separators.
pub(crate) fn is_python_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}
