//! A sentence in work, and what it may need.
use super::{Columns, DecodeOptions, Generator, Request, search::Search};
use std::{ops::Range, sync::Arc};

/// A sentence in work.
pub(crate) struct Sentence {
    pub request: Request,
    /// What is fed before anything is generated: the prompt, or the decoder's start.
    pub prompt: Vec<u32>,
    /// Rows of the prompt fed so far.
    pub prompt_rows: Vec<u32>,
    /// Encoder rows (first, length).
    pub memory: Option<(u32, u32)>,
    pub encoded: bool,
    pub search: Box<dyn Search>,
    /// The session's, or its own.
    pub columns: Arc<Columns>,
    /// Running hypotheses, once the prompt is read.
    pub lanes: Vec<Lane>,
    /// Rows of this step's logits.
    pub outputs: Range<usize>,
}

/// A running hypothesis.
pub(crate) struct Lane {
    /// Prompt and generated tokens; the last one is yet to be fed.
    pub history: Vec<u32>,
    /// Rows of all tokens fed, prompt included.
    pub table: Vec<u32>,
}

impl Sentence {
    pub fn width(&self) -> usize {
        width(&self.request.options)
    }

    pub fn is_prefilled(&self) -> bool {
        self.prompt_rows.len() == self.prompt.len()
    }

    /// Tokens still to be read before generation starts.
    pub fn backlog(&self) -> usize {
        let source = if self.encoded { 0 } else { self.request.source.len() };
        source + self.prompt.len() - self.prompt_rows.len()
    }
}

/// Hypotheses of a sentence that run at the same time.
pub(crate) fn width(options: &DecodeOptions) -> usize {
    if options.sampling.is_some() { 1 + options.alternatives } else { options.beams }
}

/// Most tokens that a request may generate: its own limit and the model's, at least one.
pub(crate) fn max_new_tokens(generator: &dyn Generator, request: &Request) -> usize {
    let spec = generator.spec();
    let model = if spec.encoder_decoder {
        spec.max_target.saturating_sub(1) // the decoder start takes a place
    } else {
        spec.max_source.saturating_sub(request.source.len()).min(spec.max_target)
    };
    let own = spec.target_of_source.map_or(usize::MAX, |most| most(request.source.len()));
    request.max_new_tokens.min(model).min(own).max(1)
}

/// Decoder rows that a sentence is likely to need: a translation is about as long as its source, and the beams
/// of a sentence share most of what they generate.
pub(crate) fn expected_rows(encoder_decoder: bool, request: &Request) -> usize {
    let source = request.source.len();
    let generated = (source + source / 4 + 8).min(request.max_new_tokens);
    let beams = width(&request.options);
    let prompt = if encoder_decoder { 2 } else { source };
    prompt + generated + (beams - 1) * generated.div_ceil(2)
}
