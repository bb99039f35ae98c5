//! The one integration test binary: a module a behaviour.
mod checks;
mod default_model;
mod hub;
mod metrics;
mod tokenizer;
