//! How the engine uses the machine.
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How the engine uses the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EngineOptions {
    /// Workers, each decoding a batch of its own; they share the weights.
    pub workers: usize,
    /// Threads of each worker.
    pub threads: usize,
    /// Hypotheses that a worker grows at the same time.
    pub hypotheses: usize,
    /// Tokens of one step of a worker: what the running hypotheses leave is used to read new sentences.
    pub step_tokens: usize,
    /// Bytes for the keys and values of all workers together. Memory is taken as it is used. It is exceeded
    /// only where one sentence alone needs more.
    pub cache_bytes: usize,
    /// Sentences of more tokens are translated in parts, even where the model would take them whole: small
    /// models lose the thread in long sentences.
    pub max_sentence_tokens: usize,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            workers: 1,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            hypotheses: 64,
            step_tokens: 512,
            cache_bytes: 256 << 20,
            max_sentence_tokens: 200,
        }
    }
}

impl EngineOptions {
    pub(super) fn check(&self) -> Result<()> {
        for (name, value) in [
            ("workers", self.workers),
            ("threads", self.threads),
            ("hypotheses", self.hypotheses),
            ("step_tokens", self.step_tokens),
            ("max_sentence_tokens", self.max_sentence_tokens),
        ] {
            if value == 0 {
                return Err(Error::Settings(format!("{name} is 0; it must be at least 1")));
            }
        }
        Ok(())
    }
}
