//! The one integration test binary: a module a behaviour.
mod default_model;
mod hub;
mod metrics;
mod tokenizer;
