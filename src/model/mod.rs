//! Models: weights, layers and networks.
pub mod decoder_only;
pub mod encoder_decoder;
pub mod layers;
pub mod quantize;
pub mod weights;
