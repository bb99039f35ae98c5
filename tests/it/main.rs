//! The one integration test binary: a module a behaviour.
mod hub;
mod tokenizer;
mod default_model;
