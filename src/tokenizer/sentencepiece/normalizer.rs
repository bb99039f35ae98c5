//! SentencePiece's text normalization: the compiled character map, then white space.
use super::{
    proto::ModelFile,
    trie::{Trie, character_length},
};
use crate::error::ModelError;
use crate::{Error, Result};

/// The symbol that stands for a space inside pieces.
pub(crate) const SPACE: &str = "▁";

/// Replacement rules compiled by SentencePiece: a darts-clone double array whose values are offsets into a block
/// of NUL-terminated replacement texts. Layout: `u32` size of the array in bytes, the array, the block.
struct CharsMap {
    units: Vec<u32>,
    replacements: String,
}

impl CharsMap {
    fn parse(blob: &[u8]) -> Option<Self> {
        let (head, rest) = blob.split_first_chunk::<4>()?;
        let size = usize::try_from(u32::from_le_bytes(*head)).ok()?;
        let (array, block) = rest.split_at_checked(size)?;
        let units = array.chunks_exact(4).map(|unit| u32::from_le_bytes([unit[0], unit[1], unit[2], unit[3]]));
        if size == 0 || size % 4 != 0 {
            return None;
        }
        Some(Self { units: units.collect(), replacements: String::from_utf8(block.to_vec()).ok()? })
    }

    /// The longest rule that `text` begins with: its length and its replacement.
    ///
    /// A unit holds: bits 10–30 the offset to the children (shifted by 8 where bit 9 is set), bit 8 "has a leaf",
    /// bits 0–7 the label; a leaf holds the value in bits 0–30.
    fn longest(&self, text: &[u8]) -> Option<(usize, &str)> {
        let offset = |unit: u32| ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize;
        let mut position = offset(*self.units.first()?);
        let mut found = None;
        for (index, byte) in text.iter().enumerate() {
            position ^= usize::from(*byte);
            let Some(unit) = self.units.get(position).copied().filter(|unit| unit & 0x8000_00ff == u32::from(*byte))
            else {
                break;
            };
            position ^= offset(unit);
            if unit & (1 << 8) != 0 {
                found = self.units.get(position).map(|leaf| (index + 1, (leaf & 0x7fff_ffff) as usize));
            }
        }
        let (length, start) = found?;
        // a hostile array may point anywhere
        let replacement = self.replacements.get(start..)?;
        Some((length, replacement.split('\0').next().unwrap_or_default()))
    }
}

/// Whether every text finds its way through the map, for readers that take it to be whole: the tokenizers crate's own
/// panics on a map that leads outside of itself.
pub(in crate::tokenizer) fn is_whole(blob: &[u8]) -> bool {
    let Some(map) = CharsMap::parse(blob) else { return false };
    let offset = |unit: u32| ((unit >> 10) << ((unit & (1 << 9)) >> 6)) as usize;
    let Some(root) = map.units.first() else { return false };
    let mut seen = vec![false; map.units.len()];
    let mut waiting = vec![offset(*root)];
    while let Some(node) = waiting.pop() {
        // Any byte may come next, and whatever it is, its place is looked at.
        for byte in 1..=255usize {
            let place = node ^ byte;
            let Some(&unit) = map.units.get(place) else { return false };
            if unit & 0x8000_00ff != byte as u32 || std::mem::replace(&mut seen[place], true) {
                continue;
            }
            let next = place ^ offset(unit);
            if unit & (1 << 8) != 0 {
                let value = map.units.get(next).map(|leaf| (leaf & 0x7fff_ffff) as usize);
                if !value.is_some_and(|value| map.replacements.is_char_boundary(value)) {
                    return false;
                }
            }
            waiting.push(next);
        }
    }
    true
}

/// Normalizes as `sentencepiece::Normalizer` does.
pub(super) struct Normalizer {
    map: Option<CharsMap>,
    add_dummy_prefix: bool,
    remove_extra_whitespaces: bool,
    escape_whitespaces: bool,
    whitespace_as_suffix: bool,
}

impl Normalizer {
    pub(super) fn new(file: &ModelFile, name: &str) -> Result<Self> {
        let map = match file.charsmap.as_slice() {
            [] => None,
            blob => Some(CharsMap::parse(blob).ok_or_else(|| {
                Error::Model(ModelError::damaged(format!(
                    "{name} has a damaged character map; download the file again"
                )))
            })?),
        };
        Ok(Self {
            map,
            add_dummy_prefix: file.add_dummy_prefix,
            remove_extra_whitespaces: file.remove_extra_whitespaces,
            escape_whitespaces: file.escape_whitespaces,
            whitespace_as_suffix: file.whitespace_as_suffix,
        })
    }

    /// What decoding has to take away at the start of a text.
    pub(super) fn eats_leading_space(&self) -> bool {
        self.add_dummy_prefix || self.remove_extra_whitespaces
    }

    pub(super) fn removes_extra_whitespaces(&self) -> bool {
        self.remove_extra_whitespaces
    }

    /// The text to segment. `user` are the user-defined pieces, which no rule touches.
    pub(super) fn normalize(&self, input: &str, user: &Trie) -> String {
        let mut rest = input;
        if self.remove_extra_whitespaces {
            while let Some((length, " ")) = self.prefix(rest, user) {
                rest = &rest[length..];
            }
        }
        let mut out = String::with_capacity(rest.len() + rest.len() / 2 + SPACE.len());
        if rest.is_empty() {
            return out;
        }
        let space = if self.escape_whitespaces { SPACE } else { " " };
        if self.add_dummy_prefix && !self.whitespace_as_suffix {
            out.push_str(space);
        }
        let mut after_space = self.remove_extra_whitespaces;
        while let Some((length, replacement)) = self.prefix(rest, user) {
            let kept = if after_space { replacement.trim_start_matches(' ') } else { replacement };
            if !kept.is_empty() {
                for (index, part) in kept.split(' ').enumerate() {
                    out.push_str(if index > 0 { space } else { "" });
                    out.push_str(part);
                }
                after_space = kept.ends_with(' ') && self.remove_extra_whitespaces;
            }
            rest = &rest[length..];
        }
        if self.remove_extra_whitespaces {
            out.truncate(out.trim_end_matches(space).len());
        }
        if self.add_dummy_prefix && self.whitespace_as_suffix {
            out.push_str(space);
        }
        out
    }

    /// How many bytes of `text` the next rule consumes, and what they become.
    fn prefix<'a>(&'a self, text: &'a str, user: &Trie) -> Option<(usize, &'a str)> {
        if text.is_empty() {
            return None;
        }
        if let Some((length, _)) = user.longest(text.as_bytes()) {
            return Some((length, &text[..length]));
        }
        let rule = self.map.as_ref().and_then(|map| map.longest(text.as_bytes()));
        // a rule of a hostile map may end inside a character
        let rule = rule.filter(|(length, _)| text.is_char_boundary(*length));
        let length = character_length(text.as_bytes(), 0);
        Some(rule.unwrap_or((length, &text[..length])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalizer(dummy: bool, remove: bool, suffix: bool) -> Normalizer {
        Normalizer {
            map: None,
            add_dummy_prefix: dummy,
            remove_extra_whitespaces: remove,
            escape_whitespaces: true,
            whitespace_as_suffix: suffix,
        }
    }

    #[test]
    fn white_space_is_handled_as_the_flags_say() {
        let user = Trie::new(std::iter::empty());
        let cases = [
            (true, true, false, "  a  b ", "▁a▁b"),
            (true, false, false, " a  b ", "▁▁a▁▁b▁"),
            (false, true, false, " a  b ", "a▁b"),
            (false, false, false, "a b", "a▁b"),
            (true, true, true, " a  b ", "a▁b▁"),
            (true, true, false, "   ", ""),
            (true, false, false, "", ""),
        ];
        for (dummy, remove, suffix, input, expected) in cases {
            assert_eq!(normalizer(dummy, remove, suffix).normalize(input, &user), expected, "{input:?}");
        }
    }

    #[test]
    fn hostile_maps_are_refused_or_harmless() {
        for blob in [&[1u8, 2][..], &[4, 0, 0, 0, 1, 2], &[3, 0, 0, 0, 1, 2, 3], &[0, 0, 0, 0], &[255; 64]] {
            assert!(CharsMap::parse(blob).is_none());
        }
        let mut blob = vec![16, 0, 0, 0];
        blob.extend([0xff; 16]);
        let map = CharsMap::parse(&blob).unwrap();
        assert!((0..=255u8).all(|byte| map.longest(&[byte, byte, byte]).is_none()));
    }
}
