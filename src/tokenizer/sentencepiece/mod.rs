//! SentencePiece models (`.model`, `.spm`): unigram and BPE, read without any conversion.
//!
//! Segmentation equals the sentencepiece package's deterministic encoding, its order of floating-point additions
//! included, so that ties fall the same way.
mod normalizer;
mod proto;
mod trie;
mod viterbi;

use crate::error::ModelError;
use std::{collections::HashMap, ops::Range, path::Path};

pub(super) use self::normalizer::is_whole as charsmap_is_whole;
use self::{
    normalizer::{Normalizer, SPACE},
    proto::ModelType,
    trie::character_length,
};
pub(super) use self::{
    proto::{ModelFile, PieceType},
    trie::Trie,
    viterbi::{Segment, best_path},
};
use super::{
    Tokenizer,
    merge::{Score, merge},
    pieces::{Pieces, all_byte_pieces, byte_of_piece},
};
use crate::{Error, Result};

/// A SentencePiece model. Ids are those of the file; family wrappers map pieces to their model's own ids.
pub struct SentencePiece {
    pieces: Pieces,
    scores: Vec<f32>,
    kinds: Vec<PieceType>,
    normalizer: Normalizer,
    /// User-defined pieces, never split and never normalized.
    user: Trie,
    segmentation: Segmentation,
    bytes: Option<Box<[u32; 256]>>,
    unk: u32,
    unk_surface: String,
}

enum Segmentation {
    /// The likeliest path; an unknown character costs `unk_score`.
    Unigram {
        trie: Trie,
        unk_score: f32,
    },
    Bpe,
}

impl SentencePiece {
    /// Reads a model file.
    ///
    /// # Errors
    /// [`Error::Io`] or [`Error::Model`], naming the file.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::io(path, error))?;
        Self::from_bytes(&bytes, &path.display().to_string())
    }

    /// Builds the tables from the bytes of a model file; `name` is for error texts.
    ///
    /// # Errors
    /// [`Error::Model`] where the file is damaged or of a kind that no translation model uses (word, char).
    pub fn from_bytes(bytes: &[u8], name: &str) -> Result<Self> {
        let file = ModelFile::parse(bytes, name)?;
        let refuse = |what: &str| {
            Error::Model(ModelError::damaged(format!(
                "{name}: {what}; use the tokenizer file that came with the model"
            )))
        };
        let normalizer = Normalizer::new(&file, name)?;
        let kinds: Vec<PieceType> = file.pieces.iter().map(|piece| piece.kind).collect();
        let scores: Vec<f32> = file.pieces.iter().map(|piece| piece.score).collect();
        let unk =
            kinds.iter().rposition(|kind| *kind == PieceType::Unknown).ok_or_else(|| refuse("no unknown piece"))?;
        let of_kinds = |wanted: &[PieceType]| {
            let entries = file.pieces.iter().enumerate().filter(|(_, piece)| wanted.contains(&piece.kind));
            Trie::new(entries.map(|(id, piece)| (piece.text.as_str(), id as u32)))
        };
        let user = of_kinds(&[PieceType::UserDefined]);
        let segmentation = match file.model_type {
            ModelType::Bpe => Segmentation::Bpe,
            ModelType::Unigram => {
                let normal = file.pieces.iter().filter(|piece| piece.kind == PieceType::Normal);
                Segmentation::Unigram {
                    trie: of_kinds(&[PieceType::Normal, PieceType::UserDefined, PieceType::Unused]),
                    unk_score: normal.map(|piece| piece.score).fold(f32::MAX, f32::min) - 10.0,
                }
            }
            ModelType::Word | ModelType::Char => return Err(refuse("word and character models are not supported")),
        };
        let pieces = Pieces::new(file.pieces.iter().map(|piece| piece.text.as_str()));
        let bytes = match file.byte_fallback {
            true => Some(all_byte_pieces(&pieces).ok_or_else(|| refuse("byte fallback without all 256 byte pieces"))?),
            false => None,
        };
        Ok(Self {
            pieces,
            scores,
            kinds,
            normalizer,
            user,
            segmentation,
            bytes,
            unk: unk as u32,
            unk_surface: file.unk_surface,
        })
    }

    /// The id of unknown pieces.
    pub fn unk(&self) -> u32 {
        self.unk
    }

    /// The pieces of `text`, as `EncodeAsPieces` gives them: an unknown stretch is one piece with its own spelling.
    pub fn encode_pieces(&self, text: &str) -> Vec<(String, u32)> {
        let normalized = self.normalizer.normalize(text, &self.user);
        let mut out: Vec<(String, u32)> = Vec::new();
        let mut after_unknown = false;
        for (range, id) in self.segment(&normalized) {
            let unknown = id == self.unk;
            match (&self.bytes, unknown) {
                (Some(ids), true) => {
                    let bytes = normalized[range].bytes();
                    out.extend(bytes.map(|byte| (format!("<0x{byte:02X}>"), ids[usize::from(byte)])));
                }
                (None, true) if after_unknown => {
                    if let Some((spelling, _)) = out.last_mut() {
                        spelling.push_str(&normalized[range]);
                    }
                }
                _ => out.push((normalized[range].to_owned(), id)),
            }
            after_unknown = unknown;
        }
        out
    }

    /// Text of pieces by their spelling, as `DecodePieces` gives it: unknown spellings stand for themselves.
    pub fn decode_pieces<'a>(&self, pieces: impl Iterator<Item = &'a str>) -> String {
        let mut decoder = Decoder::new(self);
        for piece in pieces {
            match self.pieces.id(piece) {
                Some(id) if self.kinds[id as usize] != PieceType::Unknown => {
                    decoder.push(piece, self.kinds[id as usize])
                }
                Some(_) => decoder.push_text(&self.unk_surface),
                None => decoder.push_text(piece),
            }
        }
        decoder.finish()
    }

    fn segment(&self, text: &str) -> Vec<Segment> {
        match &self.segmentation {
            Segmentation::Unigram { trie, unk_score } => {
                let score = |id: u32, length: usize| match self.kinds[id as usize] {
                    PieceType::Unused => None,
                    // positive, so that it always beats its parts
                    PieceType::UserDefined => Some((0.1 * (length - 1) as f64) as f32),
                    _ => Some(self.scores[id as usize]),
                };
                best_path(text, trie, score, (self.unk, *unk_score))
            }
            Segmentation::Bpe => self.byte_pairs(text),
        }
    }

    fn byte_pairs(&self, text: &str) -> Vec<Segment> {
        let mut symbols = Vec::with_capacity(text.len());
        let mut frozen = Vec::new();
        let mut start = 0;
        while start < text.len() {
            let found = self.user.longest(&text.as_bytes()[start..]);
            let length = found.map_or_else(|| character_length(text.as_bytes(), start), |(length, _)| length);
            if found.is_some() {
                frozen.push(start);
            }
            symbols.push(start..start + length);
            start += length;
        }
        let is_frozen = |range: &Range<usize>| frozen.binary_search(&range.start).is_ok();
        // where an unused piece came from, to take it apart again
        let mut unused: HashMap<Range<usize>, usize> = HashMap::new();
        let merged = merge(symbols, |left, right| {
            let id = self.mergeable(&text[left.start..right.end])?;
            if is_frozen(left) || is_frozen(right) {
                return None;
            }
            if self.kinds[id as usize] == PieceType::Unused {
                unused.insert(left.start..right.end, left.end);
            }
            Some(Score(self.scores[id as usize]))
        });
        let mut segments = Vec::with_capacity(merged.len());
        let mut stack = merged;
        stack.reverse();
        while let Some(range) = stack.pop() {
            if let Some(middle) = unused.get(&range).copied() {
                stack.push(middle..range.end);
                stack.push(range.start..middle);
            } else {
                let id = self.pieces.id(&text[range.clone()]).unwrap_or(self.unk);
                segments.push((range, id));
            }
        }
        segments
    }

    /// Control, unknown and byte pieces are never the result of a merge.
    fn mergeable(&self, piece: &str) -> Option<u32> {
        let id = self.pieces.id(piece)?;
        let kind = self.kinds[id as usize];
        matches!(kind, PieceType::Normal | PieceType::UserDefined | PieceType::Unused).then_some(id)
    }
}

/// Joins pieces to text: spaces put back, the dummy prefix taken away, runs of byte pieces decoded.
struct Decoder<'a> {
    model: &'a SentencePiece,
    text: String,
    bytes: Vec<u8>,
    at_start: bool,
}

impl<'a> Decoder<'a> {
    fn new(model: &'a SentencePiece) -> Self {
        Self { model, text: String::new(), bytes: Vec::new(), at_start: true }
    }

    fn push(&mut self, piece: &str, kind: PieceType) {
        match kind {
            PieceType::Control => {}
            PieceType::Byte => self.bytes.extend(byte_of_piece(piece)),
            PieceType::Unknown => self.push_text(&self.model.unk_surface.clone()),
            _ => {
                self.flush();
                let mut rest = piece;
                if self.at_start
                    && self.text.is_empty()
                    && self.model.normalizer.eats_leading_space()
                    && let Some(stripped) = rest.strip_prefix(SPACE)
                {
                    rest = stripped;
                    // with extra white space removed, every leading space goes, not just the dummy prefix
                    self.at_start = self.model.normalizer.removes_extra_whitespaces();
                }
                self.text.push_str(&rest.replace(SPACE, " "));
            }
        }
    }

    fn push_text(&mut self, text: &str) {
        self.flush();
        self.text.push_str(text);
    }

    /// Every byte that is no UTF-8 becomes one replacement character.
    fn flush(&mut self) {
        for chunk in std::mem::take(&mut self.bytes).utf8_chunks() {
            self.text.push_str(chunk.valid());
            self.text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
        }
    }

    fn finish(mut self) -> String {
        self.flush();
        self.text
    }
}

impl Tokenizer for SentencePiece {
    fn vocab_size(&self) -> usize {
        self.pieces.len()
    }

    fn encode(&self, text: &str) -> Result<Vec<u32>> {
        Ok(self.encode_pieces(text).into_iter().map(|(_, id)| id).collect())
    }

    fn decode(&self, ids: &[u32]) -> Result<String> {
        let mut decoder = Decoder::new(self);
        for id in ids {
            if let Some(piece) = self.pieces.text(*id) {
                decoder.push(piece, self.kinds[*id as usize]);
            }
        }
        Ok(decoder.finish())
    }

    fn piece(&self, id: u32) -> Option<String> {
        self.pieces.text(id).map(str::to_owned)
    }

    fn id(&self, piece: &str) -> Option<u32> {
        self.pieces.id(piece)
    }
}
