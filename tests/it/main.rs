//! The one integration test binary: a module a behavior.
mod articles;
mod bad_models;
mod bulk;
mod bulk_cli;
mod chat;
mod check_rates;
mod checks;
mod cli;
mod composed;
mod decoders;
mod default_model;
mod documents;
mod eval;
mod external;
mod field;
mod fixtures;
mod growth;
mod house;
mod hub;
mod installation;
mod layers;
mod lines;
mod marian_native;
mod metrics;
mod names;
mod parity;
mod placeholders;
mod safe;
/// Shared with a unit test, which needs more of it.
#[allow(dead_code)]
mod schema_check;
mod schemas;
mod sentences;
mod shorten;
mod summaries;
mod tokenizer;

/// The unit tests' translator without a model; not all of it is needed here.
#[allow(dead_code)]
#[path = "../../src/bulk/toy.rs"]
mod toy;
