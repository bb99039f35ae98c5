//! Byte-pair encoding as the tokenizers crate does it, over tables that are quick to build.
use std::{borrow::Cow, cmp::Reverse, collections::HashMap, ops::Range};

use crate::tokenizer::{
    merge::{characters, merge},
    pieces::Pieces,
    sentencepiece::Segment,
};

/// Which of two merges goes first.
pub(in crate::tokenizer) enum Order {
    /// Whatever makes a known piece is a merge; that of the lower id goes first, then that with the shorter left side
    /// (in characters). This is the list that transformers writes for a SentencePiece model.
    Pieces,
    /// Ranks of pairs of ids: the lower goes first.
    List(HashMap<(u32, u32), u32, ahash::RandomState>),
}

impl Order {
    /// The ranks of a list of merges; `None` where a side or the whole is no piece.
    pub(in crate::tokenizer) fn of_list<'a>(
        pieces: &Pieces,
        merges: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
    ) -> Option<Self> {
        let mut ranks = HashMap::with_capacity_and_hasher(merges.len(), ahash::RandomState::new());
        let mut whole = String::new();
        for (rank, (left, right)) in merges.enumerate() {
            whole.clear();
            whole.extend([left, right]);
            pieces.id(&whole)?;
            ranks.insert((pieces.id(left)?, pieces.id(right)?), u32::try_from(rank).ok()?);
        }
        Some(Self::List(ranks))
    }
}

/// What becomes of a character that is no piece.
pub(in crate::tokenizer) enum Unknown {
    /// It is left out.
    Skip,
    /// It becomes this piece; `fuse`: a run of such characters becomes one.
    Piece { id: u32, fuse: bool },
    /// It becomes the pieces of its bytes.
    Bytes(Box<[u32; 256]>),
}

/// A vocabulary and the order of its merges.
pub(in crate::tokenizer) struct Bpe {
    pub pieces: Pieces,
    pub order: Order,
    pub unknown: Unknown,
    /// A word that is a piece is taken whole, without merging.
    pub ignore_merges: bool,
}

impl Bpe {
    /// The segments of one word, and the word as far as they cover it: what is left out is no part of it.
    pub(super) fn segment<'a>(&self, word: &'a str) -> (Cow<'a, str>, Vec<Segment>) {
        if self.ignore_merges
            && let Some(id) = self.pieces.id(word)
        {
            return (Cow::Borrowed(word), vec![(0..word.len(), id)]);
        }
        let known = |text: &str| self.pieces.id(text).is_some();
        let word = match self.unknown {
            Unknown::Skip if !characters(word).into_iter().all(|range| known(&word[range])) => {
                let kept = characters(word).into_iter().map(|range| &word[range]).filter(|text| known(text));
                Cow::Owned(kept.collect())
            }
            _ => Cow::Borrowed(word),
        };
        let (symbols, strange) = self.symbols(&word);
        let is_strange = |range: &Range<usize>| strange.binary_search(&range.start).is_ok();
        let merged = merge(symbols, |left, right| {
            if is_strange(left) || is_strange(right) {
                return None;
            }
            match &self.order {
                Order::Pieces => {
                    let id = self.pieces.id(&word[left.start..right.end])?;
                    Some(Reverse((id, word[left.clone()].chars().count())))
                }
                Order::List(ranks) => {
                    let pair = (self.pieces.id(&word[left.clone()])?, self.pieces.id(&word[right.clone()])?);
                    ranks.get(&pair).map(|rank| Reverse((*rank, 0)))
                }
            }
        });
        let mut segments = Vec::with_capacity(merged.len());
        for range in merged {
            match &self.unknown {
                Unknown::Piece { id, .. } if is_strange(&range) => segments.push((range, *id)),
                Unknown::Bytes(ids) if is_strange(&range) => {
                    let bytes = word[range.clone()].bytes();
                    segments.extend(bytes.map(|byte| (range.clone(), ids[usize::from(byte)])));
                }
                // every symbol is a character that is known or a merge that makes a piece
                _ => segments.extend(self.pieces.id(&word[range.clone()]).map(|id| (range, id))),
            }
        }
        (word, segments)
    }

    /// The characters of a word, and where those begin that are no pieces.
    fn symbols(&self, word: &str) -> (Vec<Range<usize>>, Vec<usize>) {
        let fuse = matches!(self.unknown, Unknown::Piece { fuse: true, .. });
        let (mut symbols, mut strange): (Vec<Range<usize>>, Vec<usize>) = (Vec::with_capacity(word.len()), Vec::new());
        for range in characters(word) {
            if self.pieces.id(&word[range.clone()]).is_some() {
                symbols.push(range);
                continue;
            }
            match symbols.last_mut() {
                Some(last) if fuse && strange.last() == Some(&last.start) => last.end = range.end,
                _ => {
                    strange.push(range.start);
                    symbols.push(range);
                }
            }
        }
        (symbols, strange)
    }
}
