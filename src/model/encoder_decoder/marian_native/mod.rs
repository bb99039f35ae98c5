//! Marian's own models, as Firefox has them: a transformer encoder, a recurrent (SSRU) or self-attention decoder, 8-bit
//! products with the file's own scales, and a shortlist of the pieces that a sentence's translation may be made of.
mod config;
mod files;
mod layers;
mod network;
mod norm;
mod shortlist;
mod yaml;

pub use config::{DecoderKind, MarianConfig};
pub use files::{MarianFiles, holds_marian};
pub use network::MarianNative;
pub use shortlist::LexicalShortlist;
