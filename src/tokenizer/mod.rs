//! One interface over every tokenizer: tokenizer.json, SentencePiece, GGUF vocabulary, fairseq dictionaries.
use crate::Result;

/// Text to token ids and back. Implementations add what their model wants around a source sentence
/// (language codes, end of sentence) in [`Tokenizer::encode_source`].
pub trait Tokenizer: Send + Sync {
    /// Number of ids, gaps included.
    fn vocab_size(&self) -> usize;

    /// Ids of `text` alone: no special tokens are added, none are recognised in the text.
    fn encode(&self, text: &str) -> Result<Vec<u32>>;

    /// Ids of a source sentence as the model expects it, prefix, language codes and end token included.
    fn encode_source(&self, text: &str) -> Result<Vec<u32>> {
        self.encode(text)
    }

    /// Text of generated ids; special tokens are left out.
    fn decode(&self, ids: &[u32]) -> Result<String>;

    /// The piece behind an id, for shortlists and error texts.
    fn piece(&self, id: u32) -> Option<String>;

    /// The id of a piece, special tokens included.
    fn id(&self, piece: &str) -> Option<u32>;
}
