//! Decoding, written once for every model: greedy, beam search and sampling over the [`Generator`] trait.
mod beam;
mod bounds;
mod columns;
mod consensus;
mod constraint;
mod generate;
pub(crate) mod generator;
mod greedy;
mod guide;
mod loop_guard;
mod request;
mod rows;
mod search;
mod sentence;
mod session;
#[cfg(test)]
mod tests;
mod top_k;
#[cfg(test)]
pub(crate) mod toy;
mod trace;
pub use columns::Columns;
pub use consensus::consensus;
pub use generate::generate;
pub use generator::{Cache, Generator, GeneratorSpec, StepBatch};
pub use guide::{Guide, GuideHandle};
pub use loop_guard::is_loop;
pub use request::{Finished, Limits, Request, SessionStats};
pub use search::Hypothesis;
use serde::{Deserialize, Serialize};
pub use session::Session;
pub use trace::{Others, Trace};

/// How hypotheses are searched for. The names and meanings are those of `generation_config.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DecodeOptions {
    /// 1 is greedy.
    pub beams: usize,
    /// Hypotheses returned beside the best (at most `beams - 1`, or samples).
    pub alternatives: usize,
    /// Score is divided by length^penalty.
    pub length_penalty: f32,
    /// When a beam search may end.
    pub early_stopping: EarlyStopping,
    /// 0 is off.
    pub no_repeat_ngram: usize,
    /// 1.0 is off.
    pub repetition_penalty: f32,
    /// Fewest tokens generated, [`forced_bos`](Self::forced_bos) and the end token included.
    pub min_new_tokens: usize,
    /// `None`: the model's limit, or a bound that follows the source's length.
    pub max_new_tokens: Option<usize>,
    /// Token forced at the start (target language) after the decoder start token.
    pub forced_bos: Option<u32>,
    /// Token forced at `max_new_tokens`.
    pub forced_eos: Option<u32>,
    /// Sequences that must not be generated.
    pub bad_words: Vec<Vec<u32>>,
    /// The repetition penalty and `no_repeat_ngram` look at generated tokens only. In transformers they look at
    /// the prompt of a decoder-only model, too, which keeps it from copying a name out of the source.
    pub ignore_prompt: bool,
    /// Stops a hypothesis that goes round in a loop (see [`is_loop`]) and marks it truncated.
    /// transformers has no such guard: switch it off to compare with it.
    pub loop_guard: bool,
    /// Sampling: `None` is off (greedy or beam).
    pub sampling: Option<Sampling>,
    /// Which hypothesis is the result; the others are its alternatives.
    pub choice: Choice,
    /// What may be generated at all; `None`: anything.
    #[serde(skip)]
    pub guide: Option<GuideHandle>,
}

/// Which of several hypotheses is the result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// The one with the best score.
    #[default]
    Score,
    /// The one that is most like all others (see [`consensus`]): for samples. The engine makes this choice, since it
    /// compares texts; a session knows tokens only.
    Consensus,
}

/// When beam search is content with what it has; `false`, `true` or `"never"` in `generation_config.json`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "EarlyStoppingText", into = "EarlyStoppingText")]
pub enum EarlyStopping {
    /// `false`: once no running hypothesis, at its present length, scores better than the worst finished one.
    #[default]
    Heuristic,
    /// `true`: as soon as there are as many finished hypotheses as beams.
    Enough,
    /// `"never"`: once none could score better even at the length that favors it most.
    Never,
}

/// How [`EarlyStopping`] is written in a file.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum EarlyStoppingText {
    Flag(bool),
    Word(Never),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Never {
    Never,
}

impl From<EarlyStoppingText> for EarlyStopping {
    fn from(text: EarlyStoppingText) -> Self {
        match text {
            EarlyStoppingText::Flag(false) => Self::Heuristic,
            EarlyStoppingText::Flag(true) => Self::Enough,
            EarlyStoppingText::Word(Never::Never) => Self::Never,
        }
    }
}

impl From<EarlyStopping> for EarlyStoppingText {
    fn from(value: EarlyStopping) -> Self {
        match value {
            EarlyStopping::Heuristic => Self::Flag(false),
            EarlyStopping::Enough => Self::Flag(true),
            EarlyStopping::Never => Self::Word(Never::Never),
        }
    }
}

impl From<bool> for EarlyStopping {
    fn from(flag: bool) -> Self {
        if flag { Self::Enough } else { Self::Heuristic }
    }
}

/// Random sampling instead of search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sampling {
    /// Logits are divided by this: below 1 the likely tokens become likelier.
    pub temperature: f64,
    /// Only so many of the likeliest tokens.
    pub top_k: Option<usize>,
    /// Only the likeliest tokens that together have this probability.
    pub top_p: Option<f64>,
    /// The same seed draws the same tokens.
    pub seed: u64,
}

impl DecodeOptions {
    /// Draws `samples` hypotheses and takes the one most like the others. The temperature is low: small models write
    /// nonsense at 1.
    pub fn minimum_bayes_risk(&mut self, samples: usize) {
        self.beams = 1;
        self.alternatives = samples.max(1) - 1;
        self.sampling = Some(Sampling { temperature: 0.6, top_k: None, top_p: None, seed: 1 });
        self.choice = Choice::Consensus;
    }
}

impl Default for DecodeOptions {
    fn default() -> Self {
        Self {
            beams: 1,
            alternatives: 0,
            length_penalty: 1.0,
            early_stopping: EarlyStopping::Heuristic,
            no_repeat_ngram: 0,
            repetition_penalty: 1.0,
            min_new_tokens: 0,
            max_new_tokens: None,
            forced_bos: None,
            forced_eos: None,
            bad_words: Vec::new(),
            ignore_prompt: false,
            loop_guard: true,
            sampling: None,
            choice: Choice::Score,
            guide: None,
        }
    }
}
