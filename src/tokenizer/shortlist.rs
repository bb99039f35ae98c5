//! The part of a vocabulary that English output needs: a speed-up, and it keeps other scripts out.
use super::Tokenizer;

/// Ids of the pieces that can stand in English text, ascending, `always` (end of sentence and the like) among them.
/// `None` where the pieces don't show their text (byte-level vocabularies) or nothing would be left out.
pub fn english(tokenizer: &dyn Tokenizer, always: &[u32]) -> Option<Vec<u32>> {
    let size = tokenizer.vocab_size() as u32;
    let keep: Vec<u32> = (0..size)
        .filter(|id| always.contains(id) || tokenizer.piece(*id).is_some_and(|piece| is_english(&piece)))
        .collect();
    let shows_text = keep.len() > 1000 || size < 2000;
    (shows_text && keep.len() < size as usize).then_some(keep)
}

/// Latin letters, digits, punctuation and symbols; no control pieces, line breaks, or bytes of other scripts.
fn is_english(piece: &str) -> bool {
    if let Some(byte) = piece.strip_prefix("<0x").and_then(|p| p.strip_suffix('>')) {
        return u8::from_str_radix(byte, 16).is_ok_and(|b| (0x20..0x7f).contains(&b));
    }
    let control = piece.len() > 2 && piece.starts_with('<') && piece.ends_with('>');
    !control
        && !piece.is_empty()
        && piece.chars().all(|c| match c {
            '\u{2581}' | '৳' => true,
            c if c.is_control() => false,
            c => {
                c < '\u{250}'
                    || ('\u{1e00}'..'\u{1f00}').contains(&c)
                    || ('\u{2010}'..'\u{2300}').contains(&c)
                    || c >= '\u{1f000}'
            }
        })
}

#[cfg(test)]
mod tests {
    use super::is_english;

    #[test]
    fn keeps_english_and_leaves_the_rest() {
        for piece in ["▁the", "café", "2,000", "—", "৳", "€", "😀", "<0x41>", "<"] {
            assert!(is_english(piece), "{piece}");
        }
        for piece in ["▁বাংলা", "ক", "।", "你", "<0xE0>", "<0x0A>", "<unused7>", "\n", "", "д"] {
            assert!(!is_english(piece), "{piece}");
        }
    }
}
