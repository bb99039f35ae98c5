//! Unigram segmentation as the tokenizers crate does it, over tables that are quick to build.
use crate::tokenizer::{
    pieces::{Pieces, all_byte_pieces},
    sentencepiece::{Segment, Trie, best_path},
};

/// Stands for a character that is no piece until it is known what becomes of it.
const STRANGE: u32 = u32::MAX;

/// A vocabulary with log-probabilities.
pub(in crate::tokenizer) struct Unigram {
    pub pieces: Pieces,
    scores: Vec<f64>,
    trie: Trie,
    unk: Option<u32>,
    unk_score: f64,
    /// Byte fallback.
    bytes: Option<Box<[u32; 256]>>,
}

impl Unigram {
    /// `None` where `unk` lies outside the vocabulary, or byte fallback is asked for and a byte has no piece.
    pub(in crate::tokenizer) fn new<'a>(
        vocabulary: impl Iterator<Item = (&'a str, f64)> + Clone,
        unk: Option<u32>,
        byte_fallback: bool,
    ) -> Option<Self> {
        let pieces = Pieces::new(vocabulary.clone().map(|(piece, _)| piece));
        let scores: Vec<f64> = vocabulary.clone().map(|(_, score)| score).collect();
        if unk.is_some_and(|unk| unk as usize >= scores.len()) {
            return None;
        }
        // the id that the table gives, of pieces that occur twice too
        let trie = Trie::new(vocabulary.filter_map(|(piece, _)| Some((piece, pieces.id(piece)?))));
        let bytes = if byte_fallback { Some(all_byte_pieces(&pieces)?) } else { None };
        let unk_score = scores.iter().copied().fold(f64::INFINITY, f64::min) - 10.0;
        Some(Self { pieces, scores, trie, unk, unk_score, bytes })
    }

    /// The segments of one word; a run of unknown characters is one. `None` where there is one and the vocabulary has
    /// nothing for it.
    pub(super) fn segment(&self, word: &str) -> Option<Vec<Segment>> {
        let score = |id: u32, _: usize| Some(self.scores[id as usize]);
        let path = best_path(word, &self.trie, score, (STRANGE, self.unk_score));
        let is_unknown = |id: u32| id == STRANGE || Some(id) == self.unk;
        let mut runs: Vec<Segment> = Vec::with_capacity(path.len());
        for (range, id) in path {
            match runs.last_mut() {
                Some((last, before)) if is_unknown(*before) && is_unknown(id) => last.end = range.end,
                _ => runs.push((range, id)),
            }
        }
        let mut segments = Vec::with_capacity(runs.len());
        for (range, id) in runs {
            let found = if is_unknown(id) { self.pieces.id(&word[range.clone()]) } else { Some(id) };
            match (found, &self.bytes) {
                (Some(id), _) => segments.push((range, id)),
                (None, Some(ids)) => {
                    let bytes = word[range.clone()].bytes();
                    segments.extend(bytes.map(|byte| (range.clone(), ids[usize::from(byte)])));
                }
                (None, None) => segments.push((range, self.unk?)),
            }
        }
        Some(segments)
    }
}
