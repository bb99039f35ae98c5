//! Who watches a run from outside.

/// Watches a run; what it shows, and where, is its own matter.
pub trait Observer: std::fmt::Debug + Send + Sync {
    /// How far the run is. Called some five times a second, from a thread of its own.
    fn progress(&self, progress: &Progress);

    /// The run is over, well or not.
    fn finished(&self) {}
}

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Progress {
    /// Articles written by this run.
    pub written: u64,
    /// Articles that failed in this run.
    pub failed: u64,
    /// Articles that the filters left out.
    pub left_out: u64,
    /// Source words a second.
    pub words_per_second: f64,
    /// Share of the input that is written, 0 to 1, where that can be told.
    pub share: Option<f64>,
    /// Seconds that the rest will take.
    pub seconds_left: Option<f64>,
    /// How full the translator's batches are at present, 0 to 1.
    pub batch_fill: Option<f64>,
}
