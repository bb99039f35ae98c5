//! One SentencePiece model for both languages, or one for each: Marian's and Firefox's vocabularies.
use super::{SentencePiece, Tokenizer};
use crate::error::ModelError;
use crate::{Error, Result};
use std::sync::Arc;

/// Ids are those of the SentencePiece models; a source ends with `</s>`.
pub struct SpmPair {
    source: Arc<SentencePiece>,
    target: Arc<SentencePiece>,
    /// `</s>` of the source and of the target.
    ends: (u32, u32),
}

impl SpmPair {
    /// On the bytes and names of the source's vocabulary and, where it is another, of the target's.
    ///
    /// # Errors
    /// A vocabulary that is damaged, or lacks `</s>`.
    pub fn new(source: (&[u8], &str), target: Option<(&[u8], &str)>) -> Result<Self> {
        let read = |(bytes, name): (&[u8], &str)| {
            let model = SentencePiece::from_bytes(bytes, name)?;
            let end = model.id("</s>").ok_or_else(|| {
                Error::Model(ModelError::Missing(format!(
                    "{name}: has no piece </s>; use the vocabulary that came with the model"
                )))
            })?;
            Ok::<_, Error>((Arc::new(model), end))
        };
        let (source, end) = read(source)?;
        let (target, target_end) = target.map(read).transpose()?.unwrap_or((source.clone(), end));
        Ok(Self { source, target, ends: (end, target_end) })
    }

    /// Pieces of the source's vocabulary.
    pub fn source_size(&self) -> usize {
        self.source.vocab_size()
    }

    /// What ends a translation.
    pub fn end(&self) -> u32 {
        self.ends.1
    }
}

impl Tokenizer for SpmPair {
    fn vocab_size(&self) -> usize {
        self.target.vocab_size()
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        self.source.encode(text)
    }

    fn encode_source(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.encode(text)?;
        ids.push(self.ends.0);
        Ok(ids)
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        self.target.decode(ids)
    }

    fn piece(&self, id: u32) -> Option<String> {
        self.target.piece(id)
    }

    fn id(&self, piece: &str) -> Option<u32> {
        self.target.id(piece)
    }

    fn eos(&self) -> Option<u32> {
        Some(self.ends.1)
    }
}
