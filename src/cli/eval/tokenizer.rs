//! The tokenizers of ROUGE by their names.
use crate::metrics::RougeTokenizer;
use clap::ValueEnum;

/// Names of the tokenizers of ROUGE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Tokenizer {
    Ascii,
    Stemmed,
    Words,
    Whitespace,
}

impl From<Tokenizer> for RougeTokenizer {
    fn from(tokenizer: Tokenizer) -> Self {
        match tokenizer {
            Tokenizer::Ascii => Self::Ascii,
            Tokenizer::Stemmed => Self::AsciiStemmed,
            Tokenizer::Words => Self::Words,
            Tokenizer::Whitespace => Self::Whitespace,
        }
    }
}
