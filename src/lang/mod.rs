//! The two languages: their letters, the one spelling that text is compared in, and tables of their words (`data/bn`,
//! `data/en`): endings, numbers, months and weekdays, abbreviations, names, sounds.
pub(crate) mod abbreviation;
pub(crate) mod calendar;
pub(crate) mod canonical;
pub(crate) mod digits;
pub(crate) mod endings;
pub(crate) mod gazetteer;
pub(crate) mod letters;
pub mod normalize;
pub(crate) mod number_words;
pub(crate) mod script;
#[cfg_attr(not(feature = "feed"), allow(dead_code))] // some tables are of feeds
pub(crate) mod tables;
pub(crate) mod translit;
pub(crate) mod words;

pub(crate) use tables::rows;

use std::collections::HashSet;
use std::sync::OnceLock;

/// Words of a table of one kind (the second column, kinds separated by commas; no kind: all words), read at first use.
pub(crate) struct Words {
    table: &'static str,
    kind: &'static str,
    set: OnceLock<HashSet<&'static str>>,
    list: OnceLock<Vec<&'static str>>,
}

impl Words {
    pub(crate) const fn new(table: &'static str, kind: &'static str) -> Self {
        Self { table, kind, set: OnceLock::new(), list: OnceLock::new() }
    }

    fn read(&self) -> impl Iterator<Item = &'static str> {
        rows(self.table).filter_map(|row| {
            let (word, kinds) = row.split_once('\t').unwrap_or((row, ""));
            (self.kind.is_empty() || kinds.split(',').any(|kind| kind == self.kind)).then_some(word)
        })
    }

    pub(crate) fn contains(&self, word: &str) -> bool {
        self.set.get_or_init(|| self.read().collect()).contains(word)
    }

    /// The words, the longest first.
    pub(crate) fn longest_first(&self) -> &[&'static str] {
        self.list.get_or_init(|| {
            let mut words: Vec<&str> = self.read().collect();
            words.sort_by_key(|w| std::cmp::Reverse(w.chars().count()));
            words
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_by_their_kinds() {
        let table = "# What\na\tone,two\nbbb\ttwo\ncc\tthree\n";
        let two = Words::new(table, "two");
        assert!(two.contains("a") && two.contains("bbb") && !two.contains("cc") && !two.contains("# What"));
        assert_eq!(two.longest_first(), ["bbb", "a"]);
        assert!(Words::new(table, "").contains("cc"));
    }
}
