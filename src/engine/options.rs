//! How the engine uses the machine, and what it puts around a sentence.
use crate::{Error, Result, tokenizer::Tokenizer};
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

/// What stands around a sentence when it is given to the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prompt {
    /// What the tokenizer itself puts there: [`Tokenizer::encode_source`].
    Source,
    /// `bos`, then the tokens of `prefix`, sentence and `suffix` written as one text.
    Text { bos: Option<u32>, prefix: String, suffix: String },
}

impl Prompt {
    /// Token ids of a sentence as the model wants them. Line breaks and other control characters, which could
    /// end a prompt, become spaces.
    pub fn encode(&self, tokenizer: &dyn Tokenizer, sentence: &str) -> Result<Vec<u32>> {
        let clean: String;
        let sentence = if sentence.contains(char::is_control) {
            clean = sentence.replace(char::is_control, " ");
            &clean
        } else {
            sentence
        };
        match self {
            Self::Source => tokenizer.encode_source(sentence),
            Self::Text { bos, prefix, suffix } => {
                let mut ids: Vec<u32> = bos.iter().copied().collect();
                ids.extend(tokenizer.encode(&format!("{prefix}{sentence}{suffix}"))?);
                Ok(ids)
            }
        }
    }
}
