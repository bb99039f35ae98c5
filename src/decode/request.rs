//! What goes into a session and what comes out of it.
use super::{DecodeOptions, Hypothesis};
use crate::Result;
use serde::Serialize;
use std::{ops::AddAssign, sync::Arc, time::Duration};

/// How much a session may do at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Rows of the decoder's key/value store: tokens of prompts and hypotheses held at the same time.
    pub rows: usize,
    /// Encoder rows: tokens of sources held at the same time (encoder–decoder only).
    pub memory_rows: usize,
    /// Hypotheses that grow at the same time. A sentence that needs more runs alone.
    pub hypotheses: usize,
    /// Tokens of a step: every running hypothesis takes one, prompts and sources take what is left, in pieces.
    pub step_tokens: usize,
}

/// One sentence to decode.
#[derive(Debug, Clone)]
pub struct Request {
    /// Comes back with the result.
    pub id: u64,
    /// Token ids as the model wants them: the prompt (decoder-only) or the source (encoder–decoder).
    pub source: Vec<u32>,
    /// How it is decoded.
    pub options: Arc<DecodeOptions>,
    /// Most tokens generated, forced start and end token included; takes the place of
    /// [`DecodeOptions::max_new_tokens`]. The model's own limit holds as well.
    pub max_new_tokens: usize,
}

/// The end of a sentence.
#[derive(Debug)]
pub struct Finished {
    /// The request's id.
    pub id: u64,
    /// Hypotheses, best first, at least one: the result and as many alternatives as were asked for and found.
    pub result: Result<Vec<Hypothesis>>,
}

/// What a session has done so far, or several sessions together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SessionStats {
    /// Steps of the network.
    pub steps: u64,
    /// Source tokens encoded (encoder–decoder).
    pub encoded: u64,
    /// Prompt tokens read.
    pub prefilled: u64,
    /// Tokens fed while decoding.
    pub decoded: u64,
    /// Rows that the network computed for all these tokens; more of them only if it were fed padding.
    pub rows: u64,
    /// Rows of logits computed.
    pub outputs: u64,
    /// Sentences that had to start again because the store was full.
    pub preempted: u64,
    /// Time in the network and in choosing tokens.
    pub network: Duration,
    /// Time in choosing tokens.
    pub search: Duration,
}

impl AddAssign for SessionStats {
    fn add_assign(&mut self, other: Self) {
        // Taken apart, so that a counter that is new cannot be forgotten here.
        let Self { steps, encoded, prefilled, decoded, rows, outputs, preempted, network, search } = other;
        self.steps += steps;
        self.encoded += encoded;
        self.prefilled += prefilled;
        self.decoded += decoded;
        self.rows += rows;
        self.outputs += outputs;
        self.preempted += preempted;
        self.network += network;
        self.search += search;
    }
}
