//! A sentence as the pieces that can be kept or left out: words, and the punctuation behind them.
use crate::Result;
use crate::tokenizer::Tokenizer;

/// A word with what leads up to it ("("), or the punctuation after it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unit {
    /// As it stands in the sentence, without the space before it.
    pub text: String,
    /// Punctuation that follows a word.
    pub is_mark: bool,
    /// Tokens of the unit where it stands.
    pub tokens: Vec<u32>,
    /// The same with a capital, for a word that comes to stand first; empty where it has one or is a mark.
    pub capital: Vec<u32>,
}

/// A sentence in units.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Units(pub Vec<Unit>);

impl Units {
    /// Takes a sentence apart; `None` where its tokens do not end where its words do, which keeps it whole.
    ///
    /// # Errors
    /// The tokenizer's own.
    pub fn of(sentence: &str, tokenizer: &dyn Tokenizer) -> Result<Option<Self>> {
        let mut units = Vec::new();
        for word in sentence.split_whitespace() {
            let core = word.trim_end_matches(is_closing);
            let whole = tokenizer.encode(&format!(" {word}"))?;
            let start = if core.is_empty() { Vec::new() } else { tokenizer.encode(&format!(" {core}"))? };
            // A piece may reach across the border ("…s.”"): then word and mark stay together.
            let parted = core.len() < word.len() && !core.is_empty() && whole.starts_with(&start) && whole != start;
            let (text, tokens, mark) = if parted {
                (core, start.clone(), Some((&word[core.len()..], whole[start.len()..].to_vec())))
            } else {
                (word, whole, None)
            };
            let capital = match capitalized(text) {
                Some(other) => tokenizer.encode(&format!(" {other}"))?,
                None => Vec::new(),
            };
            units.push(Unit { text: text.to_string(), is_mark: false, tokens, capital });
            if let Some((text, tokens)) = mark {
                units.push(Unit { text: text.to_string(), is_mark: true, tokens, capital: Vec::new() });
            }
        }
        let together: Vec<u32> = units.iter().flat_map(|u| u.tokens.iter().copied()).collect();
        let text = format!(" {}", sentence.split_whitespace().collect::<Vec<_>>().join(" "));
        Ok((together == tokenizer.encode(&text)?).then_some(Self(units)))
    }

    /// Tokens of the whole sentence.
    pub fn tokens(&self) -> usize {
        self.0.iter().map(|u| u.tokens.len()).sum()
    }
}

/// Punctuation that may stand behind a word and be left out without it.
fn is_closing(c: char) -> bool {
    matches!(c, '.' | ',' | ';' | ':' | '!' | '?' | '"' | '”' | ')' | ']' | '…')
}

/// The word with a capital at its start; `None` where that is no other word.
fn capitalized(word: &str) -> Option<String> {
    let mut letters = word.chars();
    let first = letters.next().filter(|c| c.is_lowercase())?;
    Some(first.to_uppercase().chain(letters).collect())
}
