//! Models: weights, layers and networks.
pub mod decoder_only;
pub mod encoder_decoder;
pub(crate) mod folder;
pub mod layers;
pub mod quantize;
pub mod weights;

pub use folder::{LoadOptions, Loaded, load_folder};
