//! Decoder-only networks: Gemma 3, Llama, Qwen 2 and Qwen 3, one net told apart by configuration.
pub mod config;
pub mod network;
pub mod vocabulary;

pub use config::DecoderConfig;
pub use network::DecoderOnly;
