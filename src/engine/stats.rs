//! What the engine has done, for the bench and the bulk report.
use crate::decode::SessionStats;
use serde::Serialize;

/// Counters since the translator was made, over all its workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EngineStats {
    /// Sentences translated, failed, and tried a second time after a failure of the network.
    pub jobs: u64,
    /// Sentences that failed.
    pub failed: u64,
    /// Sentences that were tried a second time.
    pub retried: u64,
    /// Sentences that were translated in parts.
    pub split: u64,
    /// What the workers' sessions did; times are summed over workers.
    #[serde(flatten)]
    pub sessions: SessionStats,
}

impl EngineStats {
    /// Hypotheses that grew in a step, on average.
    pub fn fill(&self) -> f64 {
        self.sessions.outputs as f64 / self.sessions.steps.max(1) as f64
    }

    /// For those who see the translator as [`super::Translate`]; `hypotheses` have room in a step.
    pub fn batch_fill(&self, hypotheses: usize) -> super::BatchFill {
        let SessionStats { steps, outputs, rows, .. } = self.sessions;
        super::BatchFill { steps, hypotheses: outputs, room: hypotheses as u64, tokens: self.tokens(), rows }
    }

    /// Tokens that went through the network. None of them is padding.
    pub fn tokens(&self) -> u64 {
        self.sessions.encoded + self.sessions.prefilled + self.sessions.decoded
    }
}
