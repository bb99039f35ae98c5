//! The table of a vocabulary's pieces: bytes to id and id to bytes.
use hashbrown::{HashTable, hash_table::Entry};

/// Id ↔ piece, all spellings in one block. Where a piece occurs twice the last id wins, as in llama.cpp. An id whose
/// spelling is empty has no piece.
pub(super) struct Pieces {
    texts: String,
    /// Where each piece ends in `texts`.
    ends: Vec<usize>,
    ids: HashTable<u32>,
    hasher: ahash::RandomState,
}

impl Pieces {
    /// A table whose ids are the positions in `pieces`.
    pub(super) fn new<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Self {
        let (mut texts, mut ends) = (String::new(), Vec::new());
        for piece in pieces {
            texts.push_str(piece);
            ends.push(texts.len());
        }
        let hasher = ahash::RandomState::new();
        let mut ids = HashTable::with_capacity(ends.len());
        let spelling = |id: u32| spelling(&texts, &ends, id);
        for id in 0..ends.len() as u32 {
            let piece = spelling(id);
            if piece.is_empty() {
                continue;
            }
            let hash = hasher.hash_one(piece);
            match ids.entry(hash, |other| spelling(*other) == piece, |other| hasher.hash_one(spelling(*other))) {
                Entry::Occupied(mut entry) => *entry.get_mut() = id,
                Entry::Vacant(entry) => {
                    entry.insert(id);
                }
            }
        }
        Self { texts, ends, ids, hasher }
    }

    /// The number of ids, those without a piece included.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn id(&self, piece: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(piece);
        self.ids.find(hash, |id| spelling(&self.texts, &self.ends, *id) == piece).copied()
    }

    pub(super) fn text(&self, id: u32) -> Option<&str> {
        ((id as usize) < self.ends.len()).then(|| spelling(&self.texts, &self.ends, id)).filter(|text| !text.is_empty())
    }
}

/// The piece of an id below the number of `ends`.
fn spelling<'a>(texts: &'a str, ends: &[usize], id: u32) -> &'a str {
    let id = id as usize;
    &texts[if id == 0 { 0 } else { ends[id - 1] }..ends[id]]
}

/// The byte that a piece such as `<0x0A>` stands for.
pub(super) fn byte_of_piece(piece: &str) -> Option<u8> {
    let digits = piece.strip_prefix("<0x")?.strip_suffix('>')?;
    // from_str_radix alone would take a sign
    (digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit())).then(|| u8::from_str_radix(digits, 16).ok())?
}

/// The ids of the 256 byte pieces; `None` where the vocabulary lacks one.
pub(super) fn byte_pieces(pieces: &Pieces) -> [Option<u32>; 256] {
    std::array::from_fn(|byte| pieces.id(&format!("<0x{byte:02X}>")))
}

/// The ids of the 256 byte pieces, for models that fall back on bytes; `None` where one is missing.
pub(super) fn all_byte_pieces(pieces: &Pieces) -> Option<Box<[u32; 256]>> {
    let mut ids = Box::new([0; 256]);
    for (id, found) in ids.iter_mut().zip(byte_pieces(pieces)) {
        *id = found?;
    }
    Some(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_pieces_are_recognized_exactly() {
        assert_eq!(byte_of_piece("<0x0A>"), Some(10));
        assert_eq!(byte_of_piece("<0xFF>"), Some(255));
        for other in ["<0x1>", "<0x+1>", "<0x100>", "0x0A", "<0x0A", "<0xé>"] {
            assert_eq!(byte_of_piece(other), None, "{other}");
        }
    }

    #[test]
    fn the_last_of_two_equal_pieces_has_the_id() {
        let pieces = Pieces::new(["a", "b", "a", ""]);
        assert_eq!((pieces.id("a"), pieces.id("b"), pieces.id("c")), (Some(2), Some(1), None));
        assert_eq!((pieces.text(0), pieces.text(3), pieces.text(4), pieces.len()), (Some("a"), None, None, 4));
        assert_eq!(pieces.id(""), None);
    }
}
