//! What an article says, to hold a summary's sentences against: its numbers, dates and names.
use super::names::NameEvidence;
use std::collections::HashSet;

/// The article's numbers and names, of its translation and of its source.
pub struct Evidence {
    numbers: HashSet<String>,
    names: NameEvidence,
}

impl Evidence {
    /// Evidence of an article's English sentences (empty where there is no translation) and Bengali ones.
    pub fn new(english: &[String], bengali: &[String]) -> Self {
        let texts = || english.iter().chain(bengali).map(String::as_str);
        Self { numbers: texts().flat_map(numbers).collect(), names: NameEvidence::new(texts()) }
    }

    /// Numbers, dates and names of an English sentence that the article does not have, as they are written there.
    pub fn unsupported(&self, sentence: &str) -> Vec<String> {
        let mut missing: Vec<String> = numbers(sentence).into_iter().filter(|n| !self.numbers.contains(n)).collect();
        missing.extend(self.names.missing(sentence));
        missing
    }

    /// Whether the article has every number, date and name of the sentence.
    pub fn supports(&self, sentence: &str) -> bool {
        self.unsupported(sentence).is_empty()
    }
}

fn numbers(text: &str) -> Vec<String> {
    super::bengali::words(&text.replace(',', ""))
        .into_iter()
        .filter(|w| super::bengali::is_number(w))
        .map(|w| {
            w.chars()
                .filter_map(|c| match c {
                    '০'..='৯' => char::from_digit(c as u32 - '০' as u32, 10),
                    '0'..='9' => Some(c),
                    _ => None,
                })
                .collect()
        })
        .collect()
}
