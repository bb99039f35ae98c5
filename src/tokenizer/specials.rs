//! Finding special tokens in text before anything else looks at it.
use std::ops::Range;

/// A stretch of text that is either one special token or text between such tokens.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fragment {
    Text(Range<usize>),
    Token(u32),
}

/// Tokens that are recognized by their spelling, longest first.
#[derive(Default)]
pub(super) struct Specials {
    tokens: Vec<(Box<str>, u32)>,
}

impl Specials {
    /// Empty spellings are ignored; they would match everywhere.
    pub(super) fn new(tokens: impl IntoIterator<Item = (String, u32)>) -> Self {
        let mut tokens: Vec<(Box<str>, u32)> =
            tokens.into_iter().filter(|(text, _)| !text.is_empty()).map(|(text, id)| (text.into(), id)).collect();
        tokens.sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        Self { tokens }
    }

    /// Splits `text` at the tokens: the longest spelling first, each from left to right, as llama.cpp does.
    pub(super) fn split(&self, text: &str) -> Vec<Fragment> {
        if text.is_empty() {
            return Vec::new();
        }
        let mut present = [false; 256];
        for byte in text.bytes() {
            present[byte as usize] = true;
        }
        let mut fragments = vec![Fragment::Text(0..text.len())];
        for (spelling, id) in &self.tokens {
            if spelling.bytes().all(|byte| present[byte as usize]) && text.contains(&**spelling) {
                fragments = split_at(text, fragments, spelling, *id);
            }
        }
        fragments
    }
}

fn split_at(text: &str, fragments: Vec<Fragment>, spelling: &str, id: u32) -> Vec<Fragment> {
    let mut out = Vec::with_capacity(fragments.len() + 2);
    for fragment in fragments {
        let Fragment::Text(range) = fragment else {
            out.push(fragment);
            continue;
        };
        let mut from = range.start;
        while let Some(found) = text[from..range.end].find(spelling) {
            if found > 0 {
                out.push(Fragment::Text(from..from + found));
            }
            out.push(Fragment::Token(id));
            from += found + spelling.len();
        }
        if from < range.end {
            out.push(Fragment::Text(from..range.end));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_spelling_wins_and_nothing_is_lost() {
        let specials = Specials::new([("\n".into(), 1), ("\n\n".into(), 2), ("<b>".into(), 3), (String::new(), 4)]);
        use Fragment::*;
        assert_eq!(specials.split("a\n\n\nb<b>"), [Text(0..1), Token(2), Token(1), Text(4..5), Token(3)]);
        assert_eq!(specials.split("খবর"), [Text(0..9)]);
        assert!(specials.split("").is_empty());
    }
}
