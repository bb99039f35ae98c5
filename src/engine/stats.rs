//! What the engine has done, for the bench and the bulk report.
use crate::decode::SessionStats;
use serde::Serialize;
use std::time::Duration;

/// Counters since the translator was made, over all its workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct EngineStats {
    /// Sentences translated, failed, and tried a second time after a failure of the network.
    pub jobs: u64,
    pub failed: u64,
    pub retried: u64,
    /// Sentences that were translated in parts.
    pub split: u64,
    /// Steps of the network.
    pub steps: u64,
    /// Source tokens encoded (encoder–decoder).
    pub encoded: u64,
    /// Prompt tokens read.
    pub prefilled: u64,
    /// Tokens fed while decoding.
    pub decoded: u64,
    /// Rows of logits computed.
    pub outputs: u64,
    /// Sentences that had to start again because the key/value store was full.
    pub preempted: u64,
    /// Time in the network and in choosing tokens, summed over workers.
    pub network: Duration,
    pub search: Duration,
}

impl EngineStats {
    /// Hypotheses that grew in a step, on average.
    pub fn fill(&self) -> f64 {
        self.outputs as f64 / self.steps.max(1) as f64
    }

    /// Tokens that went through the network. None of them is padding.
    pub fn tokens(&self) -> u64 {
        self.encoded + self.prefilled + self.decoded
    }

    /// Adds what a session did between two looks at it.
    pub(super) fn add(&mut self, before: &SessionStats, now: &SessionStats) {
        self.steps += now.steps - before.steps;
        self.encoded += now.encoded - before.encoded;
        self.prefilled += now.prefilled - before.prefilled;
        self.decoded += now.decoded - before.decoded;
        self.outputs += now.outputs - before.outputs;
        self.preempted += now.preempted - before.preempted;
        self.network += now.network - before.network;
        self.search += now.search - before.search;
    }
}
