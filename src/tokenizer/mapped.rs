//! SentencePiece segmentation with ids of the model's own: Marian, M2M-100, IndicTrans2.
use crate::error::ModelError;
use std::{collections::HashMap, path::Path, sync::Arc};

use super::{Tokenizer, json::Frame, sentencepiece::SentencePiece};
use crate::{Error, Result};

/// A dictionary of pieces, as vocab.json and dict.*.json hold them.
pub(super) struct Dictionary {
    ids: HashMap<String, u32, ahash::RandomState>,
    pieces: Vec<Option<String>>,
}

impl Dictionary {
    /// Reads a JSON object of piece → id.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, error))?;
        let ids: HashMap<String, u32, ahash::RandomState> = serde_json::from_str(&text).map_err(|error| {
            Error::Model(ModelError::damaged_by(
                format!("{} is not a dictionary of pieces ({error}); download the file again", path.display()),
                error,
            ))
        })?;
        // an id far outside is damage, and would ask for its weight in memory
        let limit = ids.len().saturating_mul(4) + 1024;
        let mut dictionary = Self { ids: HashMap::default(), pieces: Vec::new() };
        for (piece, id) in ids {
            if id as usize > limit {
                return Err(Error::Model(ModelError::damaged(format!(
                    "{} gives {piece:?} the id {id}, far outside its own size; download the file again",
                    path.display()
                ))));
            }
            dictionary.insert(piece, id);
        }
        Ok(dictionary)
    }

    pub(super) fn insert(&mut self, piece: String, id: u32) {
        if self.pieces.len() <= id as usize {
            self.pieces.resize(id as usize + 1, None);
        }
        self.pieces[id as usize] = Some(piece.clone());
        self.ids.insert(piece, id);
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    pub(super) fn id(&self, piece: &str) -> Option<u32> {
        self.ids.get(piece).copied()
    }

    /// As [`Dictionary::id`]; `path` is for the error text.
    pub(super) fn need(&self, piece: &str, path: &Path) -> Result<u32> {
        self.id(piece).ok_or_else(|| {
            Error::Model(ModelError::Missing(format!(
                "{} has no {piece}; use the files that came with the model",
                path.display()
            )))
        })
    }

    fn piece(&self, id: u32) -> Option<&str> {
        self.pieces.get(id as usize)?.as_deref()
    }
}

/// One side's segmentation and its dictionary.
pub(super) struct Side {
    pub model: Arc<SentencePiece>,
    pub dictionary: Arc<Dictionary>,
}

/// Segmentation by SentencePiece, ids from a dictionary, source and target apart.
pub struct MappedTokenizer {
    pub(super) source: Side,
    pub(super) target: Side,
    pub(super) frame: Frame,
    pub(super) unk: u32,
    pub(super) bos: Option<u32>,
    pub(super) eos: u32,
    pub(super) pad: Option<u32>,
    /// Ids of the target side that have no text.
    pub(super) silent: Vec<u32>,
    pub(super) size: usize,
}

impl Tokenizer for MappedTokenizer {
    fn vocab_size(&self) -> usize {
        self.size
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        let pieces = self.source.model.encode_pieces(text);
        Ok(pieces.iter().map(|(piece, _)| self.source.dictionary.id(piece).unwrap_or(self.unk)).collect())
    }

    fn encode_source(&self, text: &str) -> Result<Vec<u32>> {
        let mut ids = self.frame.before.clone();
        ids.extend(self.encode(&format!("{}{text}", self.frame.prefix))?);
        ids.extend(&self.frame.after);
        Ok(ids)
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        let spoken = ids.iter().filter(|id| !self.silent.contains(id));
        let pieces = spoken.filter_map(|id| self.target.dictionary.piece(*id));
        Ok(self.target.model.decode_pieces(pieces).replace('▁', " ").trim().to_owned())
    }

    fn piece(&self, id: u32) -> Option<String> {
        self.target.dictionary.piece(id).map(str::to_owned)
    }

    fn id(&self, piece: &str) -> Option<u32> {
        self.target.dictionary.id(piece)
    }

    fn bos(&self) -> Option<u32> {
        self.bos
    }

    fn eos(&self) -> Option<u32> {
        Some(self.eos)
    }

    fn pad(&self) -> Option<u32> {
        self.pad
    }

    fn forced_bos(&self) -> Option<u32> {
        self.frame.forced_bos
    }
}
