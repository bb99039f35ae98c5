//! What turns words into pieces: our own unigram and BPE, or whatever else the tokenizers crate has.
//!
//! The crate does all the rest of a tokenizer.json: normalizer, words, added tokens, post-processor, decoder. Its own
//! unigram and BPE give the same ids and take five times as long to build, which every start has to wait for.
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use tokenizers::{Model, ModelWrapper, Token, models::bpe::BpeTrainer};

use super::{bpe::Bpe, unigram::Unigram};
use crate::tokenizer::{pieces::Pieces, sentencepiece::Segment};

/// The model of a tokenizer.
pub(in crate::tokenizer) enum Segmenter {
    Unigram(Unigram),
    Bpe(Bpe),
    /// Of a kind, or with settings, that few models have.
    Other(Box<ModelWrapper>),
}

impl Segmenter {
    fn pieces(&self) -> Result<&Pieces, &ModelWrapper> {
        match self {
            Self::Unigram(model) => Ok(&model.pieces),
            Self::Bpe(model) => Ok(&model.pieces),
            Self::Other(model) => Err(model),
        }
    }

    /// The segments as the crate wants them. The bytes of one character all have its place.
    fn tokens(&self, word: &str, segments: Vec<Segment>) -> Vec<Token> {
        let token = |(range, id): Segment| {
            let piece = self.pieces().ok().and_then(|pieces| pieces.text(id)).unwrap_or(&word[range.clone()]);
            Token::new(id, piece.to_owned(), (range.start, range.end))
        };
        segments.into_iter().map(token).collect()
    }
}

impl Model for Segmenter {
    type Trainer = BpeTrainer;

    fn tokenize(&self, word: &str) -> tokenizers::Result<Vec<Token>> {
        match self {
            Self::Unigram(model) => {
                let segments = model.segment(word).ok_or("a character is no piece and there is no unknown piece")?;
                Ok(self.tokens(word, segments))
            }
            Self::Bpe(model) => {
                let (word, segments) = model.segment(word);
                Ok(self.tokens(&word, segments))
            }
            Self::Other(model) => model.tokenize(word),
        }
    }

    fn token_to_id(&self, token: &str) -> Option<u32> {
        self.pieces().map_or_else(|model| model.token_to_id(token), |pieces| pieces.id(token))
    }

    fn id_to_token(&self, id: u32) -> Option<String> {
        self.pieces().map_or_else(|model| model.id_to_token(id), |pieces| pieces.text(id).map(str::to_owned))
    }

    fn get_vocab(&self) -> HashMap<String, u32> {
        match self.pieces() {
            Ok(pieces) => (0..pieces.len() as u32).filter_map(|id| Some((pieces.text(id)?.to_owned(), id))).collect(),
            Err(model) => model.get_vocab(),
        }
    }

    fn get_vocab_size(&self) -> usize {
        self.pieces().map_or_else(Model::get_vocab_size, Pieces::len)
    }

    fn save(&self, _: &Path, _: Option<&str>) -> tokenizers::Result<Vec<PathBuf>> {
        Err("a tokenizer that was read is not written again".into())
    }

    /// The trait asks for one; nothing here trains.
    fn get_trainer(&self) -> BpeTrainer {
        BpeTrainer::default()
    }
}
