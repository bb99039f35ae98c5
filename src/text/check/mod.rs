//! Checks of a translation against its source: numbers, names, loops, omissions and the rest.
mod canonical;
pub mod number;
pub mod number_parse;
pub mod number_words;

pub use number::{NumberCheck, bears_out, check_numbers};
