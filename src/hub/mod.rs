//! Models on disk and on the Hub: the cache, downloads.
//!
//! ```text
//! what the user typed ─▶ resolve ─▶ a file or folder ──────────────────────────▶ ResolvedModel
//!                          │  └────▶ registry (models/*.toml + the user's) ─▶ cache ─▶   ▲
//!                          └──────── pull (only when asked): list, plan, lock, resume, digest ┘
//! ```
//!
//! Nothing here touches the network unless the caller asks for a download.
#[cfg_attr(not(feature = "cli"), allow(dead_code))] // the program uses it
pub(crate) mod cache;
pub(crate) mod client;
pub(crate) mod config;
pub(crate) mod download;
mod error;
mod foreign;
pub mod pull;
pub(crate) mod resolve;
mod sums;
pub mod url;
#[cfg_attr(not(feature = "cli"), allow(dead_code))] // the program uses it
pub(crate) mod verify;

pub use client::Client;
pub use config::{HubConfig, Network};
pub use download::{Event, Observer};
pub use error::HubError;
pub use resolve::{ModelKind, ResolveOptions, ResolvedModel, resolve, resolve_with};
