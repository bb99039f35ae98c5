//! Decoder-only networks: Gemma 2 and 3, Llama, Qwen 2 and 3 and Hunyuan's dense one, one net told apart by configuration.
pub(crate) mod config;
mod hub_config;
mod naming;
pub(crate) mod network;
pub mod vocabulary;

pub use config::DecoderConfig;
pub use hub_config::MODEL_TYPES;
pub use naming::Naming;
pub use network::DecoderOnly;
