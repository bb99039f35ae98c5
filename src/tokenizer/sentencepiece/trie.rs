//! A compact byte trie over the pieces of a vocabulary.
use std::collections::VecDeque;

use rayon::prelude::*;

const NO_VALUE: u32 = u32::MAX;

/// Keys are byte strings, values are ids. The children of a node lie next to one another, sorted by label.
pub(in crate::tokenizer) struct Trie {
    first_child: Vec<u32>,
    children: Vec<u16>,
    values: Vec<u32>,
    labels: Vec<u8>,
}

impl Trie {
    /// Of equal keys the first wins. Empty keys are ignored. Ids must be below `u32::MAX`.
    pub(in crate::tokenizer) fn new<'a>(entries: impl Iterator<Item = (&'a str, u32)>) -> Self {
        let mut entries: Vec<(&[u8], u32)> =
            entries.map(|(key, id)| (key.as_bytes(), id)).filter(|(key, _)| !key.is_empty()).collect();
        entries.par_sort_by_key(|(key, _)| *key);
        entries.dedup_by_key(|(key, _)| *key);
        let mut trie = Self { first_child: vec![0], children: vec![0], values: vec![NO_VALUE], labels: vec![0] };
        // breadth first, so that the children of a node become neighbors
        let mut queue = VecDeque::from([(0usize, 0..entries.len(), 0usize)]);
        while let Some((node, mut range, depth)) = queue.pop_front() {
            if let Some((key, id)) = entries.get(range.start).filter(|(key, _)| key.len() == depth) {
                debug_assert_eq!(key.len(), depth);
                trie.values[node] = *id;
                range.start += 1;
            }
            trie.first_child[node] = trie.labels.len() as u32;
            while range.start < range.end {
                let label = entries[range.start].0[depth];
                let length = entries[range.clone()].partition_point(|(key, _)| key[depth] == label);
                queue.push_back((trie.labels.len(), range.start..range.start + length, depth + 1));
                trie.first_child.push(0);
                trie.children.push(0);
                trie.values.push(NO_VALUE);
                trie.labels.push(label);
                trie.children[node] += 1;
                range.start += length;
            }
        }
        trie
    }

    /// Every key that `text` begins with, shortest first: its length and its value.
    pub(super) fn prefixes<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (usize, u32)> + 'a {
        let mut node = 0;
        text.iter()
            .enumerate()
            .map_while(move |(index, byte)| {
                node = self.child(node, *byte)?;
                Some((index + 1, self.values[node]))
            })
            .filter(|(_, value)| *value != NO_VALUE)
    }

    /// The longest key that `text` begins with.
    pub(super) fn longest(&self, text: &[u8]) -> Option<(usize, u32)> {
        self.prefixes(text).last()
    }

    fn child(&self, node: usize, label: u8) -> Option<usize> {
        let first = self.first_child[node] as usize;
        let labels = &self.labels[first..first + usize::from(self.children[node])];
        labels.binary_search(&label).ok().map(|index| first + index)
    }
}

/// Length in bytes of the character that begins at `at`, by its first byte.
pub(super) fn character_length(text: &[u8], at: usize) -> usize {
    let length = match text[at] {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    length.min(text.len() - at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_come_shortest_first() {
        let keys = ["a", "ab", "abcd", "b", "খবর", "খ"];
        let trie = Trie::new(keys.iter().enumerate().map(|(id, key)| (*key, id as u32)));
        assert_eq!(trie.prefixes(b"abcx").collect::<Vec<_>>(), [(1, 0), (2, 1)]);
        assert_eq!(trie.prefixes(b"abcd").collect::<Vec<_>>(), [(1, 0), (2, 1), (4, 2)]);
        assert_eq!(trie.longest("খবরটি".as_bytes()), Some((9, 4)));
        assert_eq!(trie.longest("খেলা".as_bytes()), Some((3, 5)));
        assert_eq!(trie.longest(b"x"), None);
        assert_eq!(trie.longest(b""), None);
    }

    #[test]
    fn empty_and_repeated_keys_do_no_harm() {
        let trie = Trie::new([("", 7), ("a", 1), ("a", 2)].into_iter());
        assert_eq!(trie.longest(b"aa"), Some((1, 1)));
        assert_eq!(Trie::new(std::iter::empty()).longest(b"a"), None);
    }
}
