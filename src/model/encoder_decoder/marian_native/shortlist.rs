//! The lexical shortlist: which pieces a sentence's translation may be made of, from the pieces of the sentence. It decides
//! the text: without it another piece may be the likeliest.
//!
//! File (marian-dev, `src/data/shortlist.h`): six `u64` (magic, checksum, pieces that are always allowed, candidates of a
//! piece, offsets, ids), the offsets as `u64`, the ids as `u32`.
use crate::error::ModelError;
use crate::{Error, Result};

const MAGIC: u64 = 0xf11a_48d5_0134_17f5;
const HEADER: usize = 48;
/// Candidates are filled up to a multiple of this, as Marian's kernels want them.
const MULTIPLE: usize = 8;

/// Candidates for each piece of the source vocabulary.
pub struct LexicalShortlist {
    /// Pieces from 0 on that are always candidates.
    first: u32,
    offsets: Vec<u32>,
    ids: Vec<u32>,
}

impl LexicalShortlist {
    /// Reads the bytes of a `lex.*.bin` for vocabularies of these sizes; `name` is for error texts.
    ///
    /// # Errors
    /// The bytes are something else, damaged, or belong to other vocabularies.
    pub fn parse(bytes: &[u8], name: &str, source: usize, target: usize) -> Result<Self> {
        let damaged =
            |what: &str| Error::Model(ModelError::damaged(format!("{name}: {what}; download the file again")));
        let words = bytes.as_chunks::<8>().0;
        let word = |at: usize| words.get(at).map(|word| u64::from_le_bytes(*word));
        let (Some(magic), Some(checksum), Some(first), Some(offsets), Some(ids)) =
            (word(0), word(1), word(2), word(4), word(5))
        else {
            return Err(damaged("is cut off"));
        };
        if magic != MAGIC {
            return Err(damaged("not a binary shortlist of Marian's (lex.*.bin)"));
        }
        let size = offsets.checked_mul(8).and_then(|n| n.checked_add(ids.checked_mul(4)?)?.checked_add(HEADER as u64));
        if size != Some(bytes.len() as u64) {
            return Err(damaged("its length is not what its header says"));
        }
        // Some writers leave it out.
        if checksum != 0 && checksum != sum_of(&bytes[16..]) {
            return Err(damaged("its checksum is wrong"));
        }
        let other = || {
            Error::Model(ModelError::Mismatch(format!(
                "{name}: belongs to other vocabularies than the model's ({source} and {target} pieces); use the shortlist \
                 that came with the model"
            )))
        };
        let (table, rest) = bytes[HEADER..].split_at(offsets as usize * 8);
        let ids: Vec<u32> = rest.as_chunks::<4>().0.iter().map(|id| u32::from_le_bytes(*id)).collect();
        let offsets: Vec<u64> = table.as_chunks::<8>().0.iter().map(|at| u64::from_le_bytes(*at)).collect();
        if offsets.len() != source + 1 || ids.iter().any(|&id| id as usize >= target) || first > target as u64 {
            return Err(other());
        }
        let ascending = offsets.is_sorted() && offsets.first() == Some(&0);
        if !ascending || offsets.last() != Some(&(ids.len() as u64)) || ids.len() > u32::MAX as usize {
            return Err(damaged("its table is out of order"));
        }
        let offsets = offsets.into_iter().map(|at| at as u32).collect();
        Ok(Self { first: first as u32, offsets, ids })
    }

    /// The candidates for a sentence, ascending; with one vocabulary (`shared`) its own pieces are among them. `target` is
    /// the size of the vocabulary.
    pub fn candidates(&self, source: &[u32], shared: bool, target: usize) -> Vec<u32> {
        let mut chosen: Vec<u32> = (0..self.first).collect();
        for &piece in source {
            let at = |i: usize| self.offsets.get(i).map_or(0, |&at| at as usize);
            let (start, end) = (at(piece as usize), at(piece as usize + 1));
            chosen.extend_from_slice(self.ids.get(start..end).unwrap_or_default());
            if shared && (piece as usize) < target {
                chosen.push(piece);
            }
        }
        chosen.sort_unstable();
        chosen.dedup();
        let missing = chosen.len().next_multiple_of(MULTIPLE) - chosen.len();
        let others = (self.first..target as u32).filter(|id| chosen.binary_search(id).is_err());
        let fill: Vec<u32> = others.take(missing).collect();
        chosen.extend(fill);
        chosen.sort_unstable();
        chosen
    }
}

/// Marian's `util::hashMem` over `u64`s.
fn sum_of(bytes: &[u8]) -> u64 {
    let mut seed = 0u64;
    for word in bytes.as_chunks::<8>().0 {
        let value = u64::from_le_bytes(*word);
        seed ^= value.wrapping_add(0x9e37_79b9).wrapping_add(seed << 6).wrapping_add(seed >> 2);
    }
    seed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(first: u64, lists: &[&[u32]]) -> Vec<u8> {
        let mut offsets = vec![0u64];
        let mut ids = Vec::new();
        for list in lists {
            ids.extend_from_slice(list);
            offsets.push(ids.len() as u64);
        }
        let header = [MAGIC, 0, first, 2, offsets.len() as u64, ids.len() as u64];
        let words = header.iter().chain(&offsets).flat_map(|word| word.to_le_bytes());
        words.chain(ids.iter().flat_map(|id| id.to_le_bytes())).collect()
    }

    #[test]
    fn candidates_come_from_the_sentence_and_fill_eights() {
        let list = LexicalShortlist::parse(&file(3, &[&[9], &[7, 20], &[], &[30]]), "lex", 4, 40).unwrap();
        assert_eq!(list.candidates(&[1, 0], true, 40), [0, 1, 2, 3, 4, 7, 9, 20]);
        assert_eq!(list.candidates(&[1, 3], false, 40), [0, 1, 2, 3, 4, 7, 20, 30]);
        assert_eq!(list.candidates(&[3, 99], false, 40), [0, 1, 2, 3, 4, 5, 6, 30]);
    }

    #[test]
    fn damaged_and_foreign_files_are_named() {
        let good = file(3, &[&[9], &[7, 20]]);
        for length in 0..good.len() {
            assert!(LexicalShortlist::parse(&good[..length], "lex", 2, 40).is_err(), "{length}");
        }
        for (bytes, source, target, what) in [
            (good.clone(), 3, 40, "other vocabularies"),
            (good.clone(), 2, 10, "other vocabularies"),
            (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n".to_vec(), 2, 40, "not a binary shortlist"),
        ] {
            let Err(error) = LexicalShortlist::parse(&bytes, "lex", source, target) else { panic!("{what}") };
            assert!(error.to_string().contains(what), "{error}");
        }
        for (at, word) in [(4usize, u64::MAX), (5, u64::MAX / 4), (1, 77), (6, 1), (7, 9)] {
            let mut bytes = good.clone();
            bytes[at * 8..at * 8 + 8].copy_from_slice(&word.to_le_bytes());
            assert!(LexicalShortlist::parse(&bytes, "lex", 2, 40).is_err(), "word {at}");
        }
    }
}
