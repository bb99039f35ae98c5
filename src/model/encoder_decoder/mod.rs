//! Encoder–decoder networks in Hub layout: the fairseq family (Marian, M2M-100, NLLB-200, BART, mBART-50,
//! IndicTrans2) as one net told apart by configuration, and the T5 family.
//!
//! Nothing is padded: sources are encoded as one flat list of tokens, and cross-attention keys and values are
//! computed once a sentence and shared by all its hypotheses.
mod attention;
pub(crate) mod config;
mod fairseq;
pub(crate) mod generation;
pub mod marian_native;
mod network;
mod t5;
mod weights;

pub use config::{ARCHITECTURES, Config, FairseqConfig, T5Config};
pub use generation::Generation;
pub use network::EncoderDecoder;
