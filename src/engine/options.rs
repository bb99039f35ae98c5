//! How the engine uses the machine.
use crate::error::SettingsError;
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
    /// One worker a core.
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            threads: 1,
            hypotheses: 64,
            step_tokens: 512,
            cache_bytes: 256 << 20,
            max_sentence_tokens: 200,
        }
    }
}

impl EngineOptions {
    /// So many threads in all [default: one a core], shared by so many workers [default: one a thread]. A worker's own
    /// threads wait for each other some hundred times a step; two workers of one thread each don't (measured:
    /// `anubad bench`).
    ///
    /// # Errors
    /// There are no threads, or more workers than threads.
    pub fn for_machine(threads: Option<usize>, workers: Option<usize>) -> Result<Self> {
        let default = Self::default();
        let threads = threads.unwrap_or(default.workers);
        let workers = workers.unwrap_or(threads);
        if threads == 0 || workers == 0 || threads > 1024 || workers > threads {
            return Err(Error::Settings(SettingsError::Range(format!(
                "{threads} threads for {workers} workers: give at least one thread and no more workers than threads"
            ))));
        }
        Ok(Self { workers, threads: (threads / workers).max(1), ..default })
    }

    pub(super) fn check(&self) -> Result<()> {
        for (name, value) in [
            ("workers", self.workers),
            ("threads", self.threads),
            ("hypotheses", self.hypotheses),
            ("step_tokens", self.step_tokens),
            ("max_sentence_tokens", self.max_sentence_tokens),
        ] {
            if value == 0 {
                return Err(Error::Settings(SettingsError::Range(format!("{name} is 0; it must be at least 1"))));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_worker_a_thread_unless_told_otherwise() {
        let made = |threads, workers| EngineOptions::for_machine(threads, workers).map(|o| (o.workers, o.threads)).ok();
        assert_eq!(made(Some(4), None), Some((4, 1)));
        assert_eq!(made(Some(4), Some(2)), Some((2, 2)));
        assert_eq!(made(Some(5), Some(2)), Some((2, 2)));
        assert_eq!(made(None, None), Some((EngineOptions::default().workers, 1)));
        for wrong in [(Some(0), None), (Some(4), Some(0)), (Some(1), Some(2)), (Some(5000), None)] {
            assert_eq!(made(wrong.0, wrong.1), None, "{wrong:?}");
        }
    }
}
