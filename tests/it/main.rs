//! The one integration test binary: a module a behaviour.
mod bad_models;
mod bulk;
mod checks;
mod default_model;
mod hub;
mod metrics;
mod names;
mod parity;
mod tokenizer;
mod toy;
