//! One interface over every tokenizer: tokenizer.json, SentencePiece, GGUF vocabulary, fairseq dictionaries.
mod byte_level;
pub mod chat;
mod convert;
mod folder;
pub(crate) mod gguf;
mod indictrans;
mod json;
mod languages;
mod mapped;
mod merge;
pub mod normalize;
mod pieces;
mod sentencepiece;
pub(crate) mod shortlist;
mod specials;
mod spm_pair;

pub use folder::{FolderOptions, from_folder, from_folder_with};
pub use gguf::{GgufTokenizer, GgufVocabulary, TokenType};
pub use indictrans::IndicTransTokenizer;
pub use json::JsonTokenizer;
pub use mapped::MappedTokenizer;
pub use sentencepiece::SentencePiece;
pub use spm_pair::SpmPair;

use crate::Result;

/// A translation as text, and what of its source it was to copy and did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decoded {
    /// The text.
    pub text: String,
    /// Numbers, links and addresses that stood as placeholders and were not put back, because the model dropped them.
    pub lost: Vec<String>,
}

/// A stretch of a prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch<'a> {
    /// Written by a manifest or a model's template: special tokens in it are tokens.
    Trusted(&'a str),
    /// From outside: what looks like a special token is text.
    Text(&'a str),
}

/// Text to token ids and back. Implementations add what their model wants around a source sentence
/// (language codes, end of sentence) in [`Tokenizer::encode_source`].
pub trait Tokenizer: Send + Sync {
    /// Number of ids, gaps included.
    fn vocab_size(&self) -> usize;

    /// Ids of `text` alone: no special tokens are added, none are recognized in the text.
    fn encode(&self, text: &str) -> Result<Vec<u32>>;

    /// Ids of a source sentence as the model expects it, prefix, language codes and end token included.
    fn encode_source(&self, text: &str) -> Result<Vec<u32>> {
        self.encode(text)
    }

    /// Ids of `text` in which special tokens are recognized by their spelling and none are added: what a rendered
    /// chat template needs. Never for text from outside, which could then close its own turn.
    fn encode_with_specials(&self, text: &str) -> Result<Vec<u32>> {
        self.encode(text)
    }

    /// Ids of a prompt, to which nothing is added. Special tokens are recognized in its trusted stretches only; the text
    /// between two of them is tokenised as one, whoever wrote its parts.
    fn encode_prompt(&self, stretches: &[Stretch<'_>]) -> Result<Vec<u32>> {
        let whole: String = stretches.iter().map(|(Stretch::Trusted(text) | Stretch::Text(text))| *text).collect();
        self.encode(&whole)
    }

    /// Text of generated ids; special tokens are left out.
    fn decode(&self, ids: &[u32]) -> Result<String>;

    /// Text of generated ids in the light of their source sentence: where [`Tokenizer::encode_source`] put
    /// placeholders into it, what they stand for is put back.
    fn decode_target(&self, source: &str, ids: &[u32]) -> Result<Decoded> {
        let _ = source;
        Ok(Decoded { text: self.decode(ids)?, lost: Vec::new() })
    }

    /// The piece behind an id, for shortlists and error texts.
    fn piece(&self, id: u32) -> Option<String>;

    /// The id of a piece, special tokens included.
    fn id(&self, piece: &str) -> Option<u32>;

    /// The token that begins a text.
    fn bos(&self) -> Option<u32> {
        None
    }

    /// The token that ends a text.
    fn eos(&self) -> Option<u32> {
        None
    }

    /// The token that fills up a row of a padded batch.
    fn pad(&self) -> Option<u32> {
        None
    }

    /// Whether a prompt for this model begins with [`Tokenizer::bos`] by the file's own word, where nobody else says.
    fn adds_bos(&self) -> bool {
        false
    }

    /// Every token that ends a generation: end of text, end of turn.
    fn ends(&self) -> Vec<u32> {
        self.eos().into_iter().collect()
    }

    /// The token that the decoder must begin with: the target language of many-to-many models.
    fn forced_bos(&self) -> Option<u32> {
        None
    }

    /// The Jinja template that turns a conversation into a prompt, where the model has one.
    fn chat_template(&self) -> Option<&str> {
        None
    }
}
