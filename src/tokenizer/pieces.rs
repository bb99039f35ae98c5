//! The table of a vocabulary's pieces: bytes to id and id to bytes.
use std::collections::HashMap;

/// Id ↔ piece. Where a piece occurs twice the last id wins, as in llama.cpp.
pub(super) struct Pieces {
    texts: Vec<Box<str>>,
    ids: HashMap<Box<str>, u32, ahash::RandomState>,
}

impl Pieces {
    /// A table whose ids are the positions in `texts`.
    pub(super) fn new(texts: Vec<String>) -> Self {
        let mut ids = HashMap::with_capacity_and_hasher(texts.len(), ahash::RandomState::new());
        let texts: Vec<Box<str>> = texts.into_iter().map(String::into_boxed_str).collect();
        for (id, text) in texts.iter().enumerate() {
            ids.insert(text.clone(), id as u32);
        }
        Self { texts, ids }
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn id(&self, text: &str) -> Option<u32> {
        self.ids.get(text).copied()
    }

    pub(super) fn text(&self, id: u32) -> Option<&str> {
        self.texts.get(id as usize).map(AsRef::as_ref)
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn byte_pieces_are_recognised_exactly() {
        assert_eq!(byte_of_piece("<0x0A>"), Some(10));
        assert_eq!(byte_of_piece("<0xFF>"), Some(255));
        for other in ["<0x1>", "<0x+1>", "<0x100>", "0x0A", "<0x0A", "<0xé>"] {
            assert_eq!(byte_of_piece(other), None, "{other}");
        }
    }

    #[test]
    fn the_last_of_two_equal_pieces_has_the_id() {
        let pieces = Pieces::new(vec!["a".into(), "b".into(), "a".into()]);
        assert_eq!((pieces.id("a"), pieces.id("b"), pieces.id("c")), (Some(2), Some(1), None));
        assert_eq!((pieces.text(0), pieces.text(3), pieces.len()), (Some("a"), None, 3));
    }
}
