//! Hints for the model: what a sentence is given before a model reads it, so that the model has less to guess.
pub mod latin;
mod quantity;
mod spoken;

pub use latin::SourceStep;
