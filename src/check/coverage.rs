//! How much of a source sentence has a counterpart in its translation, by a lexicon that was counted in parallel text.
//! Too rough for findings about a single word; over a sentence it tells a good translation from a bad one.
use crate::lang::script::is_bengali;
use crate::lang::{Words, rows, tables};
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

/// Letters by which English words are told apart.
const LETTERS: usize = 6;

/// Endings as `scripts/lexicon/learn.py` takes them off, the longest first.
static ENDINGS: Words = Words::new(tables::BN_ENDINGS, "lexicon");

struct Word {
    weight: f32,
    english: Vec<&'static str>,
}

static LEXICON: LazyLock<HashMap<&str, Word>> = LazyLock::new(|| {
    let row = |line: &'static str| {
        let mut fields = line.split('\t');
        let (word, weight, english) = (fields.next()?, fields.next()?.parse().ok()?, fields.next()?);
        Some((word, Word { weight, english: english.split('|').collect() }))
    };
    rows(tables::BN_LEXICON).filter_map(row).collect()
});

/// The share of the source's words that the lexicon knows and finds in the output, frequent words weighing less; about
/// one half where it knows none.
pub(crate) fn coverage(source: &str, output: &str) -> f32 {
    let source = crate::lang::normalize::canonical(source);
    let lower = output.to_lowercase();
    let said: HashSet<&str> = lower
        .split(|c: char| !c.is_ascii_lowercase())
        .filter(|word| !word.is_empty())
        .map(|word| &word[..word.len().min(LETTERS)])
        .collect();
    let words: HashSet<&str> =
        source.split(|c| !is_bengali(c)).filter(|word| word.chars().count() > 2).map(stem).collect();
    let (mut known, mut found) = (0.0, 0.0);
    // In order, since sums of floats depend on it and the same text must give the same figure.
    let mut words: Vec<&&str> = words.iter().collect();
    words.sort_unstable();
    for word in words.into_iter().filter_map(|word| LEXICON.get(*word)) {
        known += word.weight;
        found += if word.english.iter().any(|english| said.contains(english)) { word.weight } else { 0.0 };
    }
    (found + 0.2) / (known + 0.4)
}

/// The word without its ending, if three letters are left.
fn stem(word: &str) -> &str {
    let cut = ENDINGS
        .longest_first()
        .iter()
        .find_map(|ending| word.strip_suffix(ending).filter(|rest| rest.chars().count() >= 3));
    cut.unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_translated_is_covered() {
        let source = "হাসপাতালে চিকিৎসকের সঙ্গে শিক্ষার্থীদের বৈঠক হয়েছে।";
        let good = coverage(source, "Students had a meeting with the doctor at the hospital.");
        let bad = coverage(source, "The elephant was green in the garden.");
        assert!(good > 0.7 && bad < 0.4, "{good} {bad}");
        assert_eq!(coverage("", "Nothing"), 0.5);
        assert_eq!(stem("শিক্ষার্থীদের"), "শিক্ষার্থী");
        assert_eq!(stem("কে"), "কে");
    }
}
