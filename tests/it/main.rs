//! The one integration test binary: a module a behaviour.
mod bad_models;
mod checks;
mod default_model;
mod hub;
mod metrics;
mod parity;
mod tokenizer;
