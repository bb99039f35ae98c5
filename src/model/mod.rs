//! Models: weights, layers and networks.
pub mod bundle;
pub mod decoder_only;
pub mod embedded;
pub mod encoder_decoder;
mod folder;
pub mod layers;
pub mod quantize;
pub mod weights;

pub use folder::{LoadOptions, Loaded, load_folder};
