//! A job on its way into the network.
use super::Job;
use crate::decode::DecodeOptions;
use std::sync::Arc;

/// A job made ready for the network.
pub(super) struct Prepared {
    pub job: Job,
    pub options: Arc<DecodeOptions>,
    /// Empty for a job without text.
    pub parts: Vec<Part>,
}

/// A sentence, or as much of one as goes through the network at once.
pub(super) struct Part {
    pub text: String,
    /// Token ids, prompt included.
    pub ids: Vec<u32>,
    /// Most tokens to generate.
    pub max_new_tokens: usize,
}
