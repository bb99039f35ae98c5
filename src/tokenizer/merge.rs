//! Byte-pair merging with a priority queue, shared by the SentencePiece, GGUF and byte-level vocabularies.
use std::{cmp::Ordering, collections::BinaryHeap, ops::Range};

/// A SentencePiece score as a merge priority: the greater score is merged first, NaN last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Score(pub f32);

impl Eq for Score {}

impl PartialOrd for Score {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Score {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.partial_cmp(&other.0).unwrap_or_else(|| other.0.is_nan().cmp(&self.0.is_nan()))
    }
}

/// A neighboring pair that may be merged. `size` tells an outdated candidate from a current one: a symbol
/// only ever grows or dies, so an unchanged total length means unchanged symbols.
#[derive(PartialEq, Eq)]
struct Candidate<P> {
    priority: P,
    left: usize,
    right: usize,
    size: usize,
}

impl<P: Ord> Ord for Candidate<P> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.cmp(&other.priority).then_with(|| other.left.cmp(&self.left))
    }
}

impl<P: Ord> PartialOrd for Candidate<P> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const NONE: usize = usize::MAX;

/// A doubly linked list of symbols over the text; a merged-away symbol has an empty range.
struct Chain {
    range: Vec<Range<usize>>,
    previous: Vec<usize>,
    next: Vec<usize>,
}

/// Merges neighboring symbols until no pair is left that `priority` knows.
///
/// `symbols` are consecutive byte ranges of one text. `priority` is asked for `(left, right)` and answers with
/// the priority of the merged symbol, or `None` where the two do not merge. The greatest priority goes first,
/// the leftmost pair among equals: the rule of SentencePiece's BPE and of llama.cpp.
/// Takes O(n log n) for n symbols.
pub(super) fn merge<P: Ord>(
    symbols: Vec<Range<usize>>,
    mut priority: impl FnMut(&Range<usize>, &Range<usize>) -> Option<P>,
) -> Vec<Range<usize>> {
    let count = symbols.len();
    let mut chain = Chain {
        range: symbols,
        previous: (0..count).map(|i| i.checked_sub(1).unwrap_or(NONE)).collect(),
        next: (0..count).map(|i| if i + 1 < count { i + 1 } else { NONE }).collect(),
    };
    let mut queue = BinaryHeap::with_capacity(count);
    let mut offer = |chain: &Chain, queue: &mut BinaryHeap<Candidate<P>>, left: usize, right: usize| {
        if left != NONE && right != NONE {
            let (a, b) = (&chain.range[left], &chain.range[right]);
            if let Some(priority) = priority(a, b) {
                queue.push(Candidate { priority, left, right, size: a.len() + b.len() });
            }
        }
    };
    for right in 1..count {
        offer(&chain, &mut queue, right - 1, right);
    }
    while let Some(Candidate { left, right, size, .. }) = queue.pop() {
        let (a, b) = (chain.range[left].len(), chain.range[right].len());
        if a == 0 || b == 0 || a + b != size {
            continue;
        }
        chain.range[left].end = chain.range[right].end;
        chain.range[right].start = chain.range[right].end;
        let after = chain.next[right];
        chain.next[left] = after;
        if after != NONE {
            chain.previous[after] = left;
        }
        offer(&chain, &mut queue, chain.previous[left], left);
        offer(&chain, &mut queue, left, after);
    }
    chain.range.retain(|range| !range.is_empty());
    chain.range
}

/// The byte ranges of the characters of `text`.
pub(super) fn characters(text: &str) -> Vec<Range<usize>> {
    text.char_indices().map(|(start, c)| start..start + c.len_utf8()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(text: &str, scores: &[(&str, f32)]) -> Vec<String> {
        let merged = merge(characters(text), |a, b| {
            scores.iter().find(|(piece, _)| *piece == &text[a.start..b.end]).map(|(_, score)| Score(*score))
        });
        merged.into_iter().map(|range| text[range].to_owned()).collect()
    }

    #[test]
    fn the_greatest_score_is_merged_first_and_the_leftmost_among_equals() {
        assert_eq!(run("abc", &[("ab", -2.0), ("bc", -1.0)]), ["a", "bc"]);
        assert_eq!(run("aaa", &[("aa", -1.0)]), ["aa", "a"]);
        assert_eq!(run("aaaa", &[("aa", -1.0), ("aaaa", -2.0)]), ["aaaa"]);
    }

    #[test]
    fn an_outdated_candidate_is_dropped() {
        // "bc" goes first; the queued "ab" is stale then, and "abc" is reached through "a" + "bc"
        assert_eq!(run("abcd", &[("bc", -1.0), ("ab", -2.0), ("cd", -3.0), ("abc", -4.0)]), ["abc", "d"]);
    }

    #[test]
    fn nothing_and_one_symbol_pass_through() {
        assert!(run("", &[]).is_empty());
        assert_eq!(run("ক", &[("ক", 0.0)]), ["ক"]);
    }

    #[test]
    fn nan_scores_come_last_and_do_not_upset_the_order() {
        assert_eq!(run("abc", &[("ab", f32::NAN), ("bc", -9.0)]), ["a", "bc"]);
    }
}
