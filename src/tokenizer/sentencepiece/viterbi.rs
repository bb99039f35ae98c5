//! Unigram segmentation: the likeliest path through the lattice of all pieces of a text.
use std::ops::{Add, Range};

use super::trie::{Trie, character_length};

/// A stretch of text (bytes) and the id it got.
pub(in crate::tokenizer) type Segment = (Range<usize>, u32);

/// The best path, found in one pass from left to right (Kudo 2018; SentencePiece's `EncodeOptimized`).
///
/// `score` is asked for the piece `id` of `length` bytes; `None` keeps it out. `unknown` is the id and the score of a
/// character that is no piece. Scores are added up in the type that they are given in, and the path found first wins a
/// tie: sentencepiece adds in `f32`, the tokenizers crate in `f64`.
pub(in crate::tokenizer) fn best_path<S: Copy + Default + PartialOrd + Add<Output = S>>(
    text: &str,
    trie: &Trie,
    score: impl Fn(u32, usize) -> Option<S>,
    unknown: (u32, S),
) -> Vec<Segment> {
    let bytes = text.as_bytes();
    let mut best: Vec<Option<Node<S>>> = vec![None; bytes.len() + 1];
    let mut start = 0;
    while start < bytes.len() {
        let so_far = best[start].map_or(S::default(), |node| node.score);
        let mut offer = |length: usize, id: u32, score: S| {
            let target = &mut best[start + length];
            let score = score + so_far;
            if target.is_none_or(|node| score > node.score) {
                *target = Some(Node { score, start, id });
            }
        };
        let character = character_length(bytes, start);
        let mut has_single = false;
        for (length, id) in trie.prefixes(&bytes[start..]) {
            if let Some(score) = score(id, length) {
                offer(length, id, score);
                has_single |= length == character;
            }
        }
        if !has_single {
            offer(character, unknown.0, unknown.1);
        }
        start += character;
    }
    let mut segments = Vec::new();
    let mut end = bytes.len();
    // every character boundary has a node: a piece's or the unknown character's
    while let Some(node) = best[end].filter(|_| end > 0) {
        segments.push((node.start..end, node.id));
        end = node.start;
    }
    segments.reverse();
    segments
}

/// The best way to reach a place in the text.
#[derive(Clone, Copy)]
struct Node<S> {
    score: S,
    start: usize,
    id: u32,
}
